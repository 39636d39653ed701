r"""Quadratic Hamiltonians of fermions and their thermal states, for hundreds of modes in time O(n³).

Majorana operators obey $\{w_j, w_k\} = 2\delta_{jk}$; mode j has $w_{2j} = c_j + c_j^\dagger$ and
$w_{2j+1} = i(c_j^\dagger - c_j)$. $H = \frac i4\sum h_{jk}w_jw_k + \text{offset}$ with h real and antisymmetric, so
$[H, v\cdot w] = (Kv)\cdot w$ with the Hermitian $K = ih$, whose eigenvalues ±ε are the Bohr frequencies of linear
operators. The covariance of a state is $\Gamma_{jk} = \frac i2\langle[w_j, w_k]\rangle$.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import LARGEST, ArgumentError, InvalidModelError, TooLargeError, check_beta, check_integer, check_real
from ...limits import MAX_MODES
from ...linalg.arrays import Array, Real, read_only

HERMITIAN_TOLERANCE = 1e-10
NORM_TOLERANCE = 1e-8


@dataclass(frozen=True, eq=False)
class QuadraticModel:
    r"""$H = \frac i4\sum_{jk} h_{jk}w_jw_k + \text{offset}$.

    Args:
        majorana: h, real and antisymmetric to 1e-10, shape (2n, 2n); stored antisymmetric to the last bit, read-only.
        name: Name in messages.
        offset: Energy per identity.

    Raises:
        InvalidModelError: If h is not such a matrix.
        TooLargeError: Above 2000 modes.
    """

    majorana: Real
    name: str = "quadratic"
    offset: float = 0.0

    def __post_init__(self) -> None:
        h = finite_matrix("majorana", self.majorana, complex_allowed=False)
        if h.shape[0] != h.shape[1] or h.shape[0] % 2 or not h.size:
            raise InvalidModelError(
                "majorana", "be square with two rows per mode", f"its shape is {h.shape}", "pass a 2n × 2n matrix"
            )
        if h.shape[0] > 2 * MAX_MODES:
            raise TooLargeError(f"`{self.name}` has {h.shape[0] // 2} modes; the limit is {MAX_MODES}. Fix: use fewer.")
        check_symmetry("majorana", h, -h.T, "antisymmetric", "pass (h - h.T) / 2")
        object.__setattr__(self, "majorana", read_only((h - h.T) / 2))
        object.__setattr__(self, "offset", check_real("offset", self.offset))

    @property
    def modes(self) -> int:
        """Number n of fermion modes."""
        return len(self.majorana) // 2

    @property
    def energies(self) -> Real:
        """The n single-particle energies ε >= 0, ascending: the upper half of the eigenvalues ±ε of ih."""
        return np.abs(eigensystem(self)[0][self.modes :])


def quadratic(hopping: NDArray[Any], pairing: NDArray[Any] | None = None, name: str = "quadratic") -> QuadraticModel:
    r"""$H = \sum t_{ij}c_i^\dagger c_j + \frac12\sum(\Delta_{ij}c_i^\dagger c_j^\dagger + \text{h.c.})$.

    Args:
        hopping: t, Hermitian, shape (n, n).
        pairing: Δ, antisymmetric, shape (n, n); None is zero.
        name: Name in messages.

    Raises:
        InvalidModelError: If a matrix has another shape or symmetry, or is not finite.
    """
    t = finite_matrix("hopping", hopping)
    delta = np.zeros_like(t) if pairing is None else finite_matrix("pairing", pairing)
    n = len(t)
    for argument, matrix in (("hopping", t), ("pairing", delta)):
        if matrix.shape != (n, n) or n == 0:
            raise InvalidModelError(argument, "be n × n", f"its shape is {matrix.shape}", "pass one row per mode")
    check_symmetry("hopping", t, t.conj().T, "Hermitian", "pass (t + t.conj().T) / 2")
    check_symmetry("pairing", delta, -delta.T, "antisymmetric", "pass (d - d.T) / 2")
    # H = ½Ψ†GΨ + ½tr t with Ψ = (c, c†) = Ωw
    G = np.block([[t, delta], [-delta.conj(), -t.conj()]])
    omega = np.vstack([np.kron(np.eye(n), row) for row in ([[0.5, 0.5j]], [[0.5, -0.5j]])])
    h = 2 * (omega.conj().T @ G @ omega).imag
    return QuadraticModel((h - h.T) / 2, name, 0.5 * float(np.trace(t).real))


def hopping_chain(
    sites: int, hopping: float = 1.0, chemical_potential: float = 0.0, periodic: bool = False
) -> QuadraticModel:
    r"""Spinless fermions on a chain: $H = t\sum_i(c_i^\dagger c_{i+1} + \text{h.c.}) - \mu\sum_i c_i^\dagger c_i$.

    Args:
        sites: Number of sites, 1 to 2000.
        hopping: t, energy.
        chemical_potential: μ, energy.
        periodic: Adds the bond from the last site to the first, for more than two sites, without a sign.
    """
    n = check_integer("sites", sites, low=1, high=MAX_MODES)
    t, mu = check_real("hopping", hopping), check_real("chemical_potential", chemical_potential)
    if not isinstance(periodic, bool):
        raise ArgumentError("periodic", "be true or false", f"{periodic!r} was found", "set periodic = False")
    matrix = t * (np.eye(n, k=1) + np.eye(n, k=-1)) - mu * np.eye(n)
    if periodic and n > 2:
        matrix[0, -1] = matrix[-1, 0] = t
    return quadratic(matrix, name="hopping_chain")


def tfim_chain(sites: int, J: float = 1.0, h: float = 1.0) -> QuadraticModel:
    r"""Open transverse-field Ising chain $H = -J\sum_i Z_iZ_{i+1} - h\sum_i X_i$.

    By Jordan–Wigner with $w_{2j} = X_0\cdots X_{j-1}Z_j$ and $w_{2j+1} = X_0\cdots X_{j-1}Y_j$: a coupling to w carries
    its string. $X_j = iw_{2j}w_{2j+1}$ and $Z_jZ_{j+1} = iw_{2j+1}w_{2j+2}$.
    """
    n = check_integer("sites", sites, low=1, high=MAX_MODES)
    bonds = np.full(2 * n - 1, -2 * check_real("J", J))
    bonds[::2] = -2 * check_real("h", h)
    return QuadraticModel(np.diag(bonds, 1) - np.diag(bonds, -1), "tfim_chain")


def thermal_covariance(model: QuadraticModel, beta: float) -> Real:
    r"""$\Gamma = i\tanh(\beta K/2)$, real and antisymmetric, shape (2n, 2n)."""
    x, U = eigensystem(model)
    gamma = -((U * np.tanh(check_beta(beta) * x / 2)) @ U.conj().T).imag
    return np.asarray((gamma - gamma.T) / 2)


def energy(model: QuadraticModel, covariance: NDArray[Any]) -> float:
    r"""$\langle H\rangle = \frac14\sum h_{jk}\Gamma_{jk} + \text{offset}$."""
    return 0.25 * float(np.sum(model.majorana * check_covariance(model, covariance))) + model.offset


def free_energy(model: QuadraticModel, beta: float) -> float | None:
    r"""$F = \text{offset} - \sum_k[\varepsilon_k/2 + \ln(1+e^{-\beta\varepsilon_k})/\beta]$; None at β = 0."""
    if check_beta(beta) == 0:
        return None
    eps = model.energies
    return model.offset - float(np.sum(eps / 2 + np.log1p(np.exp(-beta * eps)) / beta))


@lru_cache(maxsize=4)
def eigensystem(model: QuadraticModel) -> tuple[Real, Array]:
    """Eigenvalues, ascending, and eigenvectors of K = ih."""
    x, U = np.linalg.eigh(1j * model.majorana)
    return read_only(x), read_only(U)


def finite_matrix(argument: str, value: Any, *, complex_allowed: bool = True) -> NDArray[Any]:
    """A user's matrix as an array, refused unless it is a matrix of finite numbers."""
    try:
        matrix = np.asarray(value, dtype=complex)
    except (TypeError, ValueError):
        matrix = np.zeros(0)
    if matrix.ndim != 2:
        raise InvalidModelError(argument, "be a matrix of numbers", "it is not", "pass a two-dimensional array")
    if not np.all(np.abs(matrix) <= LARGEST):
        raise InvalidModelError(argument, "be finite", "an entry is not", "give every entry a finite number")
    if not complex_allowed and np.any(matrix.imag):
        raise InvalidModelError(argument, "be real", "an entry is complex", "pass real numbers")
    return matrix if complex_allowed else matrix.real


def check_symmetry(argument: str, matrix: NDArray[Any], mirrored: NDArray[Any], rule: str, fix: str) -> None:
    defect, allowed = float(np.max(np.abs(matrix - mirrored))), HERMITIAN_TOLERANCE * float(np.max(np.abs(matrix)))
    if defect > allowed:
        raise InvalidModelError(argument, f"be {rule}", f"it is not by {defect:.1e} (allowed {allowed:.1e})", fix)


def check_covariance(model: QuadraticModel, value: NDArray[Any]) -> Real:
    """A covariance matrix of the model: real, antisymmetric, no singular value above 1."""
    gamma = finite_matrix("covariance", value, complex_allowed=False)
    if gamma.shape != model.majorana.shape:
        raise ArgumentError(
            "covariance",
            f"have shape {model.majorana.shape}",
            f"it is {gamma.shape}",
            "use thermal_covariance(model, beta)",
        )
    check_symmetry("covariance", gamma, -gamma.T, "antisymmetric", "pass (g - g.T) / 2")
    norm = float(np.sqrt(np.max(np.linalg.eigvalsh(gamma.T @ gamma)).clip(0.0)))
    if norm > 1 + NORM_TOLERANCE:
        raise ArgumentError("covariance", "have no singular value above 1", f"one is {norm:.9g}", "divide by it")
    return np.asarray(gamma)
