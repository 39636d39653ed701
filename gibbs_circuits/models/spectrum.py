"""The exact classical side of a model: eigensystem, Bohr frequencies, Gibbs state, thermal functions.

Vectorisation everywhere in the package is column stacking, vec(A X B) = (Bᵀ ⊗ A) vec(X), as in Qiskit's SuperOp.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ..errors import ArgumentError, TooLargeError, check_beta, shown
from ..io.rendering import Brief, Shown
from ..limits import MAX_DENSE_QUBITS
from ..linalg.arrays import Array, Real, read_only
from .model import Model, matrix_of
from .signatures import public

HOTTEST = 60.0  # |β| × bandwidth beyond which a temperature is not told from zero


@dataclass(frozen=True, eq=False, repr=False)
class Spectrum(Brief):
    """Eigensystem H|i⟩ = E_i|i⟩, energies ascending, eigenvectors in columns, real where H is."""

    energies: Real
    vectors: NDArray[Any]

    @property
    def dim(self) -> int:
        """Dimension of the Hilbert space."""
        return int(self.energies.size)

    @property
    def real(self) -> bool:
        """Whether the eigenvectors are real."""
        return not np.iscomplexobj(self.vectors)

    @property
    def bohr_frequencies(self) -> Real:
        """ν_ij = E_i − E_j, the energy the system gains in j → i; shape (dim, dim)."""
        return self.energies[:, None] - self.energies[None, :]

    def to_energy(self, operator: NDArray[Any]) -> Array:
        """Matrix elements in the energy basis."""
        return np.asarray(self.vectors.conj().T @ operator @ self.vectors, dtype=complex)

    def from_energy(self, operator: NDArray[Any]) -> Array:
        """Back to the computational basis."""
        return np.asarray(self.vectors @ operator @ self.vectors.conj().T, dtype=complex)

    def map_from_energy(self, superoperator: NDArray[Any]) -> Array:
        """A map on column-stacked matrices, (dim², dim²), from the energy basis back to the computational one."""
        turn = np.kron(self.vectors.conj(), self.vectors)
        return np.asarray(turn @ superoperator @ turn.conj().T)

    def populations(self, beta: float) -> Real:
        """Gibbs weights e^{−βE_i}/Z, shifted by the ground energy so that nothing overflows."""
        weights = np.exp(-beta * (self.energies - self.energies[0]))
        return np.asarray(weights / weights.sum())


@lru_cache(maxsize=16)
def spectrum(model: Model) -> Spectrum:
    """Dense eigensystem of a model; time O(8**n), memory O(4**n).

    Raises:
        TooLargeError: Above 12 qubits.
    """
    n = model.num_qubits
    if n > MAX_DENSE_QUBITS:
        raise TooLargeError(
            f"Exact diagonalisation of `{model.name}` needs {n} qubits, a {2**n} × {2**n} matrix; "
            f"the limit is {MAX_DENSE_QUBITS} qubits. Fix: use a smaller model."
        )
    matrix = model.hamiltonian.to_matrix()
    real = not np.any(matrix.imag)
    energies, vectors = scipy.linalg.eigh(matrix.real if real else matrix)
    return Spectrum(read_only(energies), read_only(vectors))


@public
def gibbs_state(model: Model, beta: float) -> Array:
    """σ = e^{−βH}/Z in the computational basis."""
    s = spectrum(model)
    return np.asarray((s.vectors * s.populations(check_beta(beta))) @ s.vectors.conj().T, dtype=complex)


@dataclass(frozen=True, repr=False)
class Thermal(Shown):
    """Thermal functions in the energy unit of the model, entropy and heat capacity in units of k_B; None: not known."""

    energy: float
    free_energy: float | None  # −ln Z / β; None at β = 0
    entropy: float | None
    heat_capacity: float | None
    purity: float | None
    ground_energy: float | None

    def _in_words(self) -> str:
        free, entropy, purity = (
            "none" if value is None else f"{value:.5g}" for value in (self.free_energy, self.entropy, self.purity)
        )
        return f"Thermal(energy {self.energy:.5g}, free energy {free}, entropy {entropy}, purity {purity})"


@public
def thermal(model: Model, beta: float) -> Thermal:
    r"""$E = \langle H\rangle$, $F = -\ln Z/\beta$, $S = \beta E + \ln Z$, $C = \beta^2 \mathrm{Var} H$."""
    beta = check_beta(beta)
    s = spectrum(model)
    p, E = s.populations(beta), s.energies
    energy = float(p @ E)
    log_z = float(np.log(np.sum(np.exp(-beta * (E - E[0])))) - beta * E[0])
    return Thermal(
        energy=energy,
        free_energy=-log_z / beta if beta > 0 else None,
        entropy=beta * energy + log_z,
        heat_capacity=beta**2 * float(p @ (E - energy) ** 2),
        purity=float(p @ p),
        ground_energy=float(E[0]),
    )


def beta_of_energy(energy: float, s: Spectrum) -> float | None:
    """β with Tr[H e^{−βH}]/Z = energy; negative above the mean of the spectrum, None outside of it."""
    E = s.energies
    width = float(E[-1] - E[0])
    if width <= 0:
        return None

    def excess(hotness: float) -> float:  # of β × width, which has no unit
        beta = hotness / width
        shifted = E - (E[0] if beta >= 0 else E[-1])
        weights = np.exp(-beta * shifted)
        return float(weights @ E / weights.sum()) - energy

    if excess(-HOTTEST) < 0 or excess(HOTTEST) > 0:
        return None
    from scipy.optimize import brentq  # loaded when used

    return float(brentq(excess, -HOTTEST, HOTTEST, xtol=1e-12)) / width


def _alike(rho: NDArray[Any], sigma: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Two square matrices of finite numbers, equally large."""
    made = []
    for argument, value in (("rho", rho), ("sigma", sigma)):
        matrix = matrix_of(value)
        if matrix is None:
            raise ArgumentError(
                argument, "be an array of numbers", f"{shown(value)} was found", "pass a NumPy array of numbers"
            )
        made.append(matrix)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
            raise ArgumentError(
                argument, "be a square matrix", f"its shape is {matrix.shape}",
                "pass a density matrix; of a vector psi np.outer(psi, psi.conj())",
            )  # fmt: skip
        if not np.all(np.isfinite(matrix)):
            raise ArgumentError(argument, "be finite", "an entry is not", "give every entry a finite number")
    one, other = made
    if one.shape != other.shape:
        raise ArgumentError(
            "sigma", f"have the shape of rho, {one.shape}", f"it is {other.shape}", "pass states of the same qubits"
        )
    return one, other


@public
def trace_distance(rho: NDArray[Any], sigma: NDArray[Any]) -> float:
    """½‖ρ − σ‖₁ of two Hermitian matrices."""
    rho, sigma = _alike(rho, sigma)
    difference = rho - sigma
    return float(0.5 * np.abs(np.linalg.eigvalsh((difference + difference.conj().T) / 2)).sum())


@public
def fidelity(rho: NDArray[Any], sigma: NDArray[Any]) -> float:
    """(Tr √(√σ ρ √σ))², Jozsa's convention, clipped to [0, 1]."""
    rho, sigma = _alike(rho, sigma)
    values, vectors = np.linalg.eigh(sigma)
    root = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.conj().T
    inner = root @ rho @ root
    overlaps = np.linalg.eigvalsh((inner + inner.conj().T) / 2)
    return float(min(1.0, np.sum(np.sqrt(np.clip(overlaps, 0.0, None))) ** 2))
