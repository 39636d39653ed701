r"""Stationary states, each with how far rounding may have moved it.

A small ‖𝓛(ρ)‖ says nothing where 𝓛 has eigenvalues near rounding. So a state is taken from the formula where detailed
balance makes σ the only one; solved for in doubles where the condition of the problem lets it; in more digits where it
does not (`digits`, up to 4 qubits); and refused with the number found where neither decides.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.linalg

from ...errors import ArgumentError, NotConvergedError, TooLargeError
from ...generators.contact import Coherent
from ...generators.lindbladian import Lindbladian
from ...generators.matrices import energy_spectrum
from ...io.rendering import Brief
from ...limits import MAX_DIGITS_QUBITS, MAX_SUPEROPERATOR_QUBITS
from ...linalg.arrays import Array, Matrix, Real, packed, unpacked
from ...models.signatures import public
from ...models.spectrum import gibbs_state
from ..spectral_gap.uniqueness import steady_state_counts
from ..structure.detailed_balance import certified_generator, kms_defect
from ..structure.matrix_free import generator_flow
from ..structure.rates import rates, rounding_scale
from .iteration import EPSILON, SAFETY, iterative

KMS_TOLERANCE = 1e-10
RANK_TOLERANCE = 1e-12
ENOUGH = 1e-10  # trace distance up to which doubles are believed where digits can be had
HOPELESS = 1e-3  # beyond which a state is not one


@dataclass(frozen=True, eq=False, repr=False)
class Stationary(Brief):
    """The state that the maximally mixed state relaxes to, and how well it is known.

    Attributes:
        state: In the computational basis.
        error: Estimate of its error, in trace distance; 0 where it is σ by detailed balance.
        count: Number of stationary operators; None where it is not known.
        how: "detailed balance", "doubles", "digits" or "iteration".
    """

    state: Array
    error: float
    count: int | None
    how: str


@public
def steady_state(lindbladian: Lindbladian, *, hamiltonian: bool = True) -> Array:
    """The stationary state in the computational basis; with `hamiltonian` that of −i[H, ·] + 𝓛.

    Of several it is the one that the maximally mixed state relaxes to. See `stationary` for how it is found and how
    well it is known.

    Args:
        lindbladian: With one bath or several.
        hamiltonian: Adds −i[H, ·]. Between baths of different β the state depends on it.

    Raises:
        ArgumentError: If there are several steady states above 5 qubits.
        NotConvergedError: If rounding may have moved it by more than 1e-3, or a solver stops short; with the number.

    Accuracy: 1e-10 in trace distance up to 4 qubits; otherwise the condition of 𝓛 times rounding, at most 1e-3.
    Cost: a second at n = 5, ten in digits at n = 4; about 200 applications of 𝓛 above.
    """
    return stationary(lindbladian, hamiltonian=hamiltonian).state


def detailed_balance(lindbladian: Lindbladian) -> bool:
    """Whether σ is stationary by formula: kernels in detailed balance at one β, with B or secular, which needs none."""
    if not lindbladian.balanceable:
        return False
    if not all(contact.kernel.detailed_balance for contact in lindbladian.contacts):
        return False
    defect = kms_defect(
        certified_generator(lindbladian)[0]
    )  # a filter of the user's own may not be what its kernel takes it for
    if defect is None or defect > KMS_TOLERANCE:
        return False
    return lindbladian.coherent is Coherent.BALANCE or lindbladian.resolving


@lru_cache(maxsize=16)
def stationary(lindbladian: Lindbladian, *, hamiltonian: bool) -> Stationary:
    """The stationary state with its error; see `steady_state`, whose errors it raises."""
    count = steady_state_counts(lindbladian)[int(hamiltonian)]
    if detailed_balance(lindbladian) and count == 1 and not rates(lindbladian).dead:
        return Stationary(gibbs_state(lindbladian.model, lindbladian.beta), 0.0, 1, "detailed balance")
    n = lindbladian.model.num_qubits
    found = _in_doubles(lindbladian, count, hamiltonian) if n <= MAX_SUPEROPERATOR_QUBITS else _by_iteration(
        lindbladian, count, hamiltonian
    )  # fmt: skip
    if not found.error <= ENOUGH and n <= MAX_DIGITS_QUBITS and count is not None:
        from ..many_digits.relaxation import relaxed  # loaded when used

        more = relaxed(lindbladian, hamiltonian=hamiltonian, stationary=count, beta=beta_of(lindbladian))
        if more is not None:
            found = Stationary(more.state, more.error, more.stationary, "digits")
    if not found.error <= HOPELESS:
        raise NotConvergedError(
            f"The steady state of {lindbladian!r} is not decided in double precision: rounding may move it by "
            f"{found.error:.1e} in trace distance, because it relaxes {_slowness(lindbladian)}. Fix: use a generator "
            'that relaxes faster, such as filter = "metropolis", a smaller β, or at most 4 qubits.'
        )
    return found


def beta_of(lindbladian: Lindbladian) -> float | None:
    """The one β; None where there are several."""
    return lindbladian.beta if len(lindbladian.betas) == 1 else None


def _slowness(lindbladian: Lindbladian) -> str:
    frozen = rates(lindbladian)
    return f"more slowly than its rates can be added up ({frozen})"


def _in_doubles(lindbladian: Lindbladian, count: int | None, hamiltonian: bool) -> Stationary:
    """By a real linear solve where there is one stationary operator, by its null spaces where there are several."""
    s = energy_spectrum(lindbladian)
    M = generator_flow(lindbladian, hamiltonian=hamiltonian).matrix()
    d, formed = s.dim, rounding_scale(lindbladian)
    if count is None or count == 1:
        packs, error = _one_state(M, d, formed)
        return Stationary(s.from_energy(unpacked(packs.reshape(d, d))), error, count, "doubles")
    P, error = projector(M, count, formed)
    limit = P @ packed(np.eye(d) / d).ravel()
    return Stationary(s.from_energy(unpacked(limit.reshape(d, d))), error, count, "doubles")


def _one_state(M: Real, d: int, formed: float) -> tuple[Real, float]:
    """ρ with M ρ = 0 and Tr ρ = 1, and condition × rounding as its error in trace distance."""
    diagonal = np.arange(d) * (d + 1)
    scale = float(np.linalg.norm(M, 1)) or 1.0
    A = -M
    A[np.ix_(diagonal, diagonal)] += scale / d
    target = np.zeros(d * d)
    target[diagonal] = scale / d
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", scipy.linalg.LinAlgWarning)
        factors = scipy.linalg.lu_factor(A, check_finite=False)
        found = scipy.linalg.lu_solve(factors, target, check_finite=False)
    size = float(np.linalg.norm(A, 1))
    reciprocal, _ = scipy.linalg.lapack.dgecon(factors[0], size)
    lost = EPSILON * max(1.0, formed / size)
    trace = float(found[diagonal].sum())
    if not np.isfinite(found).all() or trace == 0 or reciprocal <= 0:
        return np.where(np.isin(np.arange(d * d), diagonal), 1 / d, 0.0), np.inf
    found = found / trace
    return found, float(SAFETY * lost / reciprocal * np.linalg.norm(found) * np.sqrt(d) / 2)


def projector(M: Matrix, count: int, formed: float = 0.0) -> tuple[Matrix, float]:
    """The projector on `count` stationary operators along everything that decays, and its error as a norm.

    From the null spaces on both sides; their distance to the rest is the next singular value.
    """
    left, values, right = np.linalg.svd(M)
    U, V = left[:, len(M) - count :], right[len(M) - count :].conj().T
    P = V @ np.linalg.solve(U.conj().T @ V, U.conj().T)
    size = float(np.linalg.norm(P, 2))
    gap = float(values[len(M) - count - 1]) if count < len(M) else np.inf
    if count and values[len(M) - count] > RANK_TOLERANCE * values[0]:
        return np.asarray(P), np.inf  # fewer are stationary than were counted
    error = SAFETY * EPSILON * max(float(values[0]), formed) * size * (1 + size) / gap if gap > 0 else np.inf
    return np.asarray(P), error


def limit_of(lindbladian: Lindbladian, start: Array, *, hamiltonian: bool = True) -> Array:
    """Where a start relaxes to, n <= 5: what many steady states leave open.

    Args:
        lindbladian: With one bath or several.
        start: Density matrix in the computational basis.
        hamiltonian: Adds −i[H, ·].

    Raises:
        TooLargeError: Above 5 qubits.
        NotConvergedError: If doubles do not tell what is stationary.
    """
    n, s = lindbladian.model.num_qubits, energy_spectrum(lindbladian)
    if n > MAX_SUPEROPERATOR_QUBITS:
        raise TooLargeError(
            f"The projector on the stationary operators of {n} qubits is a {4**n} × {4**n} matrix; the limit is "
            f"{MAX_SUPEROPERATOR_QUBITS} qubits. Fix: use `evolve` for a long time."
        )
    count = steady_state_counts(lindbladian)[int(hamiltonian)]
    M = generator_flow(lindbladian, hamiltonian=hamiltonian).matrix()
    P, error = projector(M, count or 1, rounding_scale(lindbladian))
    if not error <= HOPELESS:
        raise NotConvergedError(
            f"The stationary operators of {lindbladian!r} are not told from the others in double precision: rounding "
            f"may move the limit by {error:.1e}. Fix: use a generator that relaxes faster."
        )
    end = P @ packed(s.to_energy(np.asarray(start, dtype=complex))).ravel()
    return s.from_energy(unpacked(end.reshape(s.dim, s.dim)))


def _by_iteration(lindbladian: Lindbladian, count: int | None, hamiltonian: bool) -> Stationary:
    if count is not None and count > 1:
        raise ArgumentError(
            "lindbladian", f"have one steady state above {MAX_SUPEROPERATOR_QUBITS} qubits",
            f"{lindbladian!r} has {count}", "add couplings, or evolve the start whose limit you want",
        )  # fmt: skip
    s = energy_spectrum(lindbladian)
    start = s.to_energy(gibbs_state(lindbladian.model, float(np.mean(lindbladian.betas))))
    rho, error = iterative(generator_flow(lindbladian, hamiltonian=hamiltonian), start)
    return Stationary(s.from_energy(rho), error, count, "iteration")


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
        """Number of linearly independent stationary operators."""
        return len(self.operators)


@public
def steady_states(lindbladian: Lindbladian, *, hamiltonian: bool = True) -> StationarySpace:
    """Basis of the stationary operators by a singular value decomposition, n <= 5.

    In detailed balance their number is the rank of `steady_state_counts`; otherwise singular values below 1e-12 of the
    largest are counted, never fewer than that rank.

    Raises:
        TooLargeError: Above 5 qubits.
        NotConvergedError: If the singular values do not tell where the space ends.
    """
    n = lindbladian.model.num_qubits
    if n > MAX_SUPEROPERATOR_QUBITS:
        raise TooLargeError(
            f"The null space of a generator on {n} qubits needs a {4**n} × {4**n} decomposition; the limit is "
            f"{MAX_SUPEROPERATOR_QUBITS} qubits. Fix: use a smaller model, or `steady_state`."
        )
    matrix = generator_flow(lindbladian, hamiltonian=hamiltonian).matrix()
    _, values, rows = np.linalg.svd(matrix)
    relative = values[::-1] / max(float(values[0]), np.finfo(float).tiny)
    known = steady_state_counts(lindbladian)[int(hamiltonian)]
    count = known or 0
    if not detailed_balance(lindbladian) or known is None:
        count = max(count, int(np.count_nonzero(relative <= RANK_TOLERANCE)))
    after = float(relative[count]) if count < relative.size else 1.0
    if known == count and after <= RANK_TOLERANCE / 10:
        raise NotConvergedError(
            f"By symmetry {count} operators are stationary, but the next singular value is {after:.1e} of the largest: "
            "double precision does not tell it from zero. Fix: use a generator that relaxes faster."
        )
    s, d = energy_spectrum(lindbladian), 2**n
    found = [s.from_energy(unpacked(row.reshape(d, d))) for row in rows[::-1][:count]]
    return StationarySpace(np.stack(found), float(relative[count - 1]), after)
