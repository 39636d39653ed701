"""Stationary states."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse.linalg

from ..errors import ArgumentError, TooLargeError
from ..generators import Lindbladian
from ..generators.matrices import MAX_SUPEROPERATOR_QUBITS, energy_spectrum, superoperator
from ..spectrum import Array, Real, gibbs_state, unvec, vec
from .balance import judged, kms_defect
from .commutant import steady_state_counts
from .flow import Flow, generator_flow, packed, unpacked
from .gap import NotConvergedError

TIE_BREAK = 1e-9
KMS_TOLERANCE = 1e-10
RANK_TOLERANCE = 1e-12
RESIDUAL_TOLERANCE = 1e-10
RESTART = 60
MAX_CYCLES = 40


def stationary_state(L: Array) -> Array:
    """The density matrix with L ρ = 0, for a trace-preserving generator L (or Φ − 1 of a channel Φ).

    By a linear solve with Tr ρ = 1; of several, the one that the maximally mixed state relaxes to (to 1e-9).
    """
    d = round(L.shape[0] ** 0.5)
    one, L = vec(np.eye(d)), L / (float(np.linalg.norm(L, 1)) or 1.0)  # whatever the unit of its rates
    with warnings.catch_warnings():
        warnings.simplefilter("error", scipy.linalg.LinAlgWarning)
        try:
            rho = unvec(scipy.linalg.solve(np.outer(one / d, one) - L, one / d))
        except (scipy.linalg.LinAlgError, scipy.linalg.LinAlgWarning):  # (ε − L) ρ = ε/d has one solution
            epsilon = TIE_BREAK * float(np.linalg.norm(L, 1)) or 1.0
            rho = unvec(np.linalg.solve(epsilon * np.eye(d * d) - L, epsilon * one / d))
    return np.asarray((rho + rho.conj().T) / 2)


def dense_steady_state(lindbladian: Lindbladian, *, hamiltonian: bool = False) -> Array:
    """The stationary state in the energy basis, n <= 5; with `hamiltonian` that of −i[H, ·] + 𝓛."""
    return stationary_state(superoperator(lindbladian, hamiltonian=hamiltonian))


def steady_state(lindbladian: Lindbladian, *, hamiltonian: bool = True) -> Array:
    """The stationary state in the computational basis; with `hamiltonian` that of −i[H, ·] + 𝓛.

    The Gibbs state itself where the kernels prove that it is the only one. Otherwise solved for: densely up to 5
    qubits, where of several it is the one that the maximally mixed state relaxes to; above by GMRES, preconditioned by
    the classical master equation of the populations and the decay of each coherence.

    Args:
        lindbladian: With one bath or several.
        hamiltonian: Adds −i[H, ·]. Between baths of different β the state depends on it.

    Raises:
        ArgumentError: If there are several steady states above 5 qubits, as far as `steady_state_counts` can tell.
        NotConvergedError: If ‖𝓛ρ‖_F stays above 1e-10 of (largest rate · ‖ρ‖_F).

    Accuracy: 1e-12 for a Gibbs state; otherwise the residual over the gap.
    Cost: a second at n = 5; about 50 applications of 𝓛 above.
    """
    balanced = thermal_fixed_point(lindbladian)
    small = lindbladian.model.num_qubits <= MAX_SUPEROPERATOR_QUBITS
    count = steady_state_counts(lindbladian)[int(hamiltonian)] if balanced or not small else None
    if balanced and count == 1:
        return gibbs_state(lindbladian.model, lindbladian.beta)
    s = energy_spectrum(lindbladian)
    if small:
        return s.from_energy(dense_steady_state(lindbladian, hamiltonian=hamiltonian))
    if count is not None and count > 1:
        raise ArgumentError(
            "lindbladian", f"have one steady state above {MAX_SUPEROPERATOR_QUBITS} qubits",
            f"{lindbladian!r} has {count}", "add couplings, or evolve the start whose limit you want",
        )  # fmt: skip
    start = s.to_energy(gibbs_state(lindbladian.model, float(np.mean(lindbladian.betas))))
    return s.from_energy(iterative_steady_state(generator_flow(lindbladian, hamiltonian=hamiltonian), start))


def thermal_fixed_point(lindbladian: Lindbladian) -> bool:
    """Whether the kernels and the coherent part make the Gibbs state stationary, with and without −i[H, ·]."""
    subject, biased = judged(lindbladian)
    defect = None if biased else kms_defect(subject)
    return defect is not None and defect <= KMS_TOLERANCE


def iterative_steady_state(flow: Flow, start: Array) -> Array:
    """The state with 𝓛 ρ = 0, in the energy basis, by GMRES from a start of trace 1.

    (s/d · 1 Tr − 𝓛) ρ = s/d · 1 has ρ as its only solution if there is one steady state; s is the largest rate.

    Raises:
        NotConvergedError: See `steady_state`.
    """
    d, N = flow.dim, flow.dim**2
    rate = float(np.max(-np.diag(flow.rates)))
    diagonal = np.arange(d) * (d + 1)
    target = np.zeros(N)
    target[diagonal] = rate / d
    classical = scipy.linalg.lu_factor(np.full((d, d), rate / d) - flow.rates)
    lifetimes = -flow.coherences
    lifetimes = lifetimes + 1e-3 * rate * (np.abs(lifetimes) < 1e-3 * rate)

    def apply(v: Real) -> Real:
        v = v.ravel()
        out = -flow.apply(v)
        out[diagonal] += rate / d * float(v[diagonal].sum())
        return out

    def precondition(v: Real) -> Real:
        v = v.ravel()
        out = packed(unpacked(v.reshape(d, d)) / lifetimes).ravel()
        out[diagonal] = scipy.linalg.lu_solve(classical, v[diagonal])
        return out

    operator = scipy.sparse.linalg.LinearOperator((N, N), matvec=apply, dtype=float)
    helper = scipy.sparse.linalg.LinearOperator((N, N), matvec=precondition, dtype=float)
    v, residual = packed(start).ravel(), np.inf
    for _ in range(MAX_CYCLES):
        missing = target - apply(v)
        last, residual = residual, float(np.linalg.norm(missing)) / (rate * float(np.linalg.norm(v)))
        if residual < 1e-14 or (residual <= RESIDUAL_TOLERANCE and residual > 0.5 * last):
            break  # as small as rounding lets it be
        v = v + scipy.sparse.linalg.gmres(operator, missing, M=helper, restart=RESTART, maxiter=1, rtol=1e-8)[0]
    if not residual <= RESIDUAL_TOLERANCE:
        raise NotConvergedError(
            f"GMRES for the steady state stopped at a relative residual of {residual:.1e}, {RESIDUAL_TOLERANCE:.0e} is "
            "needed. Fix: use `evolve` for a long time, or a generator with a larger gap."
        )
    rho = unpacked(v.reshape(d, d))
    return np.asarray(rho / np.trace(rho).real)


@dataclass(frozen=True, eq=False)
class StationarySpace:
    """All operators with 𝓛 X = 0.

    Attributes:
        operators: Hermitian, orthonormal in Tr XY, in the computational basis, shape (dimension, d, d).
        largest_singular_value: Of 𝓛 on that space, relative to the largest of all: how well it is one.
        next_singular_value: The smallest on the rest, in the same unit: how clearly it ends.
    """

    operators: Array
    largest_singular_value: float
    next_singular_value: float

    @property
    def dimension(self) -> int:
        """Number of linearly independent ones."""
        return len(self.operators)


def steady_states(lindbladian: Lindbladian, *, hamiltonian: bool = True) -> StationarySpace:
    """Basis of the stationary operators by a singular value decomposition, n <= 5.

    In detailed balance their number is the rank of `steady_state_counts`; otherwise singular values below 1e-12 of the
    largest are counted.

    Raises:
        TooLargeError: Above 5 qubits.
    """
    n = lindbladian.model.num_qubits
    if n > MAX_SUPEROPERATOR_QUBITS:
        raise TooLargeError(
            f"The null space of a generator on {n} qubits needs a {4**n} × {4**n} decomposition; the limit is "
            f"{MAX_SUPEROPERATOR_QUBITS} qubits. Fix: use a smaller model, or `steady_state`."
        )
    matrix = generator_flow(lindbladian, hamiltonian=hamiltonian).matrix()
    _, values, rows = np.linalg.svd(matrix)
    relative = values[::-1] / max(float(values[0]), 1e-300)
    counts = steady_state_counts(lindbladian) if thermal_fixed_point(lindbladian) else (None, None)
    known = counts[int(hamiltonian)]
    count = int(np.count_nonzero(relative <= RANK_TOLERANCE)) if known is None else known
    s, d = energy_spectrum(lindbladian), 2**n
    found = [s.from_energy(unpacked(row.reshape(d, d))) for row in rows[::-1][:count]]
    after = float(relative[count]) if count < relative.size else 1.0
    return StationarySpace(np.stack(found), float(relative[count - 1]), after)
