r"""A generator in as many digits as its figures need, up to 4 qubits: what doubles cannot tell from zero is told here.

Where the smallest non-zero eigenvalues of 𝓛 are below rounding, ‖𝓛(ρ)‖ ≈ 0 says nothing about ρ. The same generator
is built from the exact coefficients of H and of the couplings with balls of real numbers (Arb), and solved through its
resolvent at two small ε: $\varepsilon(\varepsilon-\mathcal L)^{-1} \to P$, the projector on the stationary operators,
which takes the maximally mixed state where it relaxes to, and whose trace counts them; the reduced resolvent that is
left has the eigenvalues −1/λ.

How much the rounding of filters and integrals matters is measured, by solving once more with it changed at random.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import flint
import numpy as np
from flint import arb, arb_mat

from ...generators.lindbladian import Lindbladian
from ...limits import MAX_BITS, MAX_DIGITS_QUBITS, MAX_EIGENVALUES_QUBITS
from ...linalg.arrays import Array, Real
from ..structure.rates import rates
from .balls import Generator, Matrix, applied, basis_of, doubles, hermitian_of, identity, packed_matrix, reals

FIRST_BITS = 256
SETTLED = 1e-14  # trace distance between the two ε that counts as none
GAIN = 1e8  # of a residual by the resolvent times ε
SPREAD = 10  # times what one random change of the input does: an estimate of its largest effect
DIGITS_BELOW = 10  # an eigenvalue that is told from ε is so many powers of ten above it
COUNTED = 1e-3  # how near ε Tr (ε − L)⁻¹ is to a whole number when no eigenvalue is of the size of ε
NEAR = 23.0  # of ln 1/|λ|, below the largest: eigenvalues farther from zero are told by doubles
CLEAR = 1e-8  # of a projected vector, or of what is left beside it, that is none


@dataclass(frozen=True, eq=False)
class Relaxed:
    """Where the maximally mixed state relaxes to, with the errors that rounding of the input makes.

    Attributes:
        state: In the computational basis.
        error: Of the state, in trace distance.
        distance, distance_error: ½‖ρ − σ‖₁ for the Gibbs state at the β that was asked for; None without one.
        energy, energy_error: Tr Hρ.
        currents, current_errors: Tr[H 𝓛_c(ρ)] of each family of contacts that was asked for.
        stationary: Number of stationary operators.
        bits: Precision at which it settled.
    """

    state: Array
    error: float
    distance: float | None
    distance_error: float | None
    energy: float
    energy_error: float
    currents: tuple[float, ...]
    current_errors: tuple[float, ...]
    stationary: int
    bits: int


@dataclass(frozen=True, eq=False)
class _Solved:
    rho: Matrix  # in the energy basis
    difference: Array | None
    energy: float
    currents: tuple[float, ...]
    stationary: int
    moved: float  # between the two ε


@lru_cache(maxsize=16)
def relaxed(
    lindbladian: Lindbladian,
    *,
    hamiltonian: bool,
    stationary: int,
    beta: float | None = None,
    families: tuple[tuple[int, ...], ...] = (),
) -> Relaxed | None:
    """The limit of the maximally mixed state, n <= 4; None where the limit of digits is reached first.

    Args:
        lindbladian: Any.
        hamiltonian: Adds −i[H, ·].
        stationary: How many stationary operators there are by symmetry: with more, ε is not small enough yet.
        beta: Of the Gibbs state that the distance is measured to.
        families: Indices of contacts whose heat currents are asked for.

    Accuracy: `error` and its like. Cost: 0.1 s at n <= 2, 1 s at n = 3, 10 s at n = 4, twice that per doubling of bits.
    """
    n = lindbladian.model.num_qubits
    if n > MAX_DIGITS_QUBITS:
        return None
    bits, counts = FIRST_BITS, set[int]()
    while bits <= MAX_BITS[n]:
        first = _solve(lindbladian, hamiltonian, beta, families, bits, None, stationary)
        if first is not None and first.moved <= SETTLED:
            counts.add(first.stationary)
            if first.stationary <= stationary or (len(counts) == 1 and _beyond_all_rates(lindbladian, bits)):
                second = _solve(lindbladian, hamiltonian, beta, families, bits, 1, stationary)
                return None if second is None else _with_errors(lindbladian, first, second, bits)
        bits *= 2
    return None


def _beyond_all_rates(lindbladian: Lindbladian, bits: int) -> bool:
    """Whether ε is far below the square of the smallest rate, so that what it does not resolve is no slow relaxation.

    Rates of second order, which go as a product of two, are the smallest that were met.
    """
    found = rates(lindbladian)
    if found.log10_largest is None or found.log10_smallest is None:
        return True
    return bool(bits / 3 * np.log10(2) > 2 * DIGITS_BELOW + 2 * (found.log10_largest - found.log10_smallest))


def _with_errors(lindbladian: Lindbladian, a: _Solved, b: _Solved, bits: int) -> Relaxed:
    rho, other = doubles(a.rho), doubles(b.rho)
    V = doubles(basis_of(lindbladian.bohr_model, bits).vectors)
    error = SPREAD * _half_norm(rho - other) + a.moved
    distance = None if a.difference is None else _half_norm(a.difference)
    distance_error = None
    if distance is not None and b.difference is not None:
        distance_error = min(error, SPREAD * abs(distance - _half_norm(b.difference)) + 1e-15 * distance + a.moved)
    return Relaxed(
        state=np.asarray(V @ rho @ V.conj().T),
        error=error + 1e-15,
        distance=distance,
        distance_error=distance_error,
        energy=a.energy,
        energy_error=SPREAD * abs(a.energy - b.energy) + 1e-15 * abs(a.energy),
        currents=a.currents,
        current_errors=tuple(SPREAD * abs(x - y) + 1e-15 * abs(x) for x, y in zip(a.currents, b.currents, strict=True)),
        stationary=a.stationary,
        bits=bits,
    )


def _solve(
    lindbladian: Lindbladian,
    hamiltonian: bool,
    beta: float | None,
    families: tuple[tuple[int, ...], ...],
    bits: int,
    noise: int | None,
    stationary: int,
) -> _Solved | None:
    before = flint.ctx.prec
    flint.ctx.prec = bits
    try:
        basis = basis_of(lindbladian.bohr_model, bits)
        d = len(basis.energies)
        parts = Generator(lindbladian, basis, noise)
        every = tuple(range(len(lindbladian.contacts)))
        L = packed_matrix(*parts.generator(every, hamiltonian=hamiltonian), d)
        found = _limits(L, bits, stationary)
        if found is None:
            return None
        (first, last), count = found
        limits = [hermitian_of(column, d) for column in (first, last)]
        moved = _half_norm(doubles(limits[0] - limits[1]))
        if not np.isfinite(moved):
            return None
        rho = limits[1]
        H = parts.energy()
        currents = []
        for family in families:
            T, G = parts.generator(family, hamiltonian=False)
            change = applied(T, G, rho, d)
            currents.append(float((H * change).trace().real))
        difference = None
        if beta is not None:
            difference = doubles(rho - parts.gibbs(beta))
        return _Solved(
            rho, difference, float((H * rho).trace().real), tuple(currents), count, moved
        )  # fmt: skip
    finally:
        flint.ctx.prec = before


def _limits(L: Matrix, bits: int, stationary: int) -> tuple[tuple[Matrix, Matrix], int] | None:
    """ε(ε − L)⁻¹ of the maximally mixed state at two ε, and the number of eigenvalues far below both.

    A few random vectors more than `stationary` go along: P keeps as many directions of them as there are stationary
    operators (those beyond the vectors are not counted), and what is not P stays far below 1/ε.
    """
    N = L.nrows()
    made = _epsilons(L, bits)
    if made is None:
        return None
    width = min(N, stationary + 2)
    while (found := _projected(L, made, width)) is not None and found[1] == width < N:
        width = min(N, 2 * width)
    return found


def _projected(L: Matrix, epsilons: list[Any], width: int) -> tuple[tuple[Matrix, Matrix], int] | None:
    N = L.nrows()
    d = round(N**0.5)
    probes = np.random.default_rng(0).standard_normal((N, width))
    start = [1 / d if k % (d + 1) == 0 else 0.0 for k in range(N)]
    given = arb_mat(N, width + 1, [x for k in range(N) for x in (start[k], *map(float, probes[k]))])
    columns = []
    for epsilon in epsilons:
        A = epsilon * identity(N) - L
        try:
            solved = A.solve(given, algorithm="approx")
        except ZeroDivisionError:
            return None
        missing = max(float(abs(x).upper()) for x in (A * solved - given).entries())
        if not missing * N * GAIN < SETTLED:  # ‖ε(ε − L)⁻¹‖ is that of a projector, far below `GAIN`
            return None
        columns.append(solved * epsilon)
    first, last = columns
    kept = np.linalg.svd(reals(last)[:, 1:], compute_uv=False)
    # (ε₁ − ε₂) × the reduced resolvent: no eigenvalue is of the size of ε where this is small
    rest = np.linalg.norm(reals(first - last)[:, 1:], axis=0) / np.linalg.norm(probes, axis=0)
    if np.max(rest) > CLEAR or np.any((kept > CLEAR * kept[0]) & (kept < COUNTED * kept[0])):
        return None
    return (_column(first), _column(last)), int(np.count_nonzero(kept > CLEAR * kept[0]))


def _column(M: Matrix) -> Matrix:
    """The first column."""
    return arb_mat(M.nrows(), 1, [M[k, 0] for k in range(M.nrows())])


def _epsilons(L: Matrix, bits: int) -> list[Any] | None:
    """Two ε that are tiny beside L; None where L is zero."""
    size = max((abs(x) for x in L.entries()), key=lambda x: float(x.log()) if x > 0 else -1e300)
    return [size * arb(2) ** -(bits // 3), size * arb(2) ** (-(bits // 3) - 32)] if size > 0 else None


def _resolvents(L: Matrix, bits: int) -> tuple[list[Any], list[Matrix]] | None:
    """ε and (ε − L)⁻¹ at two ε that are tiny beside L; None where L is zero or the digits do not suffice."""
    epsilons = _epsilons(L, bits)
    if epsilons is None:
        return None
    try:
        return epsilons, [(epsilon * identity(L.nrows()) - L).inv() for epsilon in epsilons]
    except ZeroDivisionError:
        return None


def _count(epsilon: Any, resolvent: Matrix) -> int | None:
    """Eigenvalues of L much smaller than ε, from ε Tr (ε − L)⁻¹; None where one is of its size."""
    trace = float(epsilon * sum((resolvent[k, k] for k in range(resolvent.nrows())), arb(0)))
    return round(trace) if np.isfinite(trace) and abs(trace - round(trace)) < COUNTED else None


def _told_apart(epsilon: Any, reduced: Matrix) -> bool:
    """Whether every eigenvalue that is not zero is far above ε: with one in between, `_reduced` answers about ε."""
    square = sum((x * x for x in reduced.entries()), arb(0))
    return bool(square.is_finite() and square * epsilon * epsilon < arb(10) ** (-2 * DIGITS_BELOW))


def _reduced(epsilons: list[Any], resolvents: list[Matrix]) -> Matrix:
    """−Σ P_k/λ_k over the eigenvalues that are not zero: 1/ε is eliminated."""
    (e1, e2), (R1, R2) = epsilons, resolvents
    return (R1 * e1 - R2 * e2) * (1 / (e1 - e2))


def unbalanced_gap(lindbladian: Lindbladian, stationary: int, *, hamiltonian: bool) -> float | None:
    """Smallest −Re λ of a generator in no detailed balance, n <= 3, from the eigenvalues of its reduced resolvent.

    They are taken in as many digits as the resolvent: where rates span many orders it is far from normal, and doubles
    lose them all.
    """
    every = tuple(range(len(lindbladian.contacts)))
    return _from_reduced(
        lindbladian, stationary, MAX_EIGENVALUES_QUBITS,
        lambda parts: parts.generator(every, hamiltonian=hamiltonian), _slowest,
    )  # fmt: skip


def _from_reduced(
    lindbladian: Lindbladian,
    stationary: int,
    most_qubits: int,
    made_of: Callable[[Generator], tuple[Matrix, Matrix]],
    read: Callable[[Matrix], float],
) -> float | None:
    """What is read off the reduced resolvent of (T, G), in the fewest digits that tell every eigenvalue from ε."""
    n = lindbladian.model.num_qubits
    bits = FIRST_BITS
    while n <= most_qubits and bits <= MAX_BITS[n]:
        before = flint.ctx.prec
        flint.ctx.prec = bits
        try:
            parts = Generator(lindbladian, basis_of(lindbladian.bohr_model, bits), None)
            made = _resolvents(packed_matrix(*made_of(parts), parts.d), bits)
            count = None if made is None else _count(made[0][1], made[1][1])
            if made is not None and count is not None and count <= stationary:
                reduced = _reduced(*made)
                if _told_apart(made[0][0], reduced):
                    return read(reduced)
        finally:
            flint.ctx.prec = before
        bits *= 2
    return None


def _slowest(reduced: Matrix) -> float:
    values = reduced.eig(algorithm="approx")
    largest = max(map(_log_size, values))
    return min(float((1 / value).real) for value in values if _log_size(value) > largest - NEAR)


def _log_size(value: Any) -> float:
    size = abs(value).mid()
    return float(size.log()) if size > 0 else -1e300


def balanced_gap(lindbladian: Lindbladian, stationary: int) -> float | None:
    """The gap of a generator in detailed balance to ten digits however small it is, n <= 4; None beyond the digits.

    The largest eigenvalue of the reduced resolvent of the Hermitian D is its inverse.
    """
    return _from_reduced(
        lindbladian, stationary, MAX_DIGITS_QUBITS, lambda parts: parts.hermitised(),
        lambda reduced: _from_inverse(_scaled(reduced)),
    )  # fmt: skip


def _from_inverse(inverse: tuple[Real, Any]) -> float:
    matrix, scale = inverse
    d = round(len(matrix) ** 0.5)
    upper = np.triu(np.ones((d, d)), 1).ravel() + np.tril(np.ones((d, d)), -1).ravel()
    weights = np.where(upper > 0, np.sqrt(2), 1.0)  # of ‖X‖² in the packed coordinates
    symmetric = weights[:, None] * matrix / weights[None, :]
    top = float(np.linalg.eigvalsh((symmetric + symmetric.T) / 2)[-1])
    return float(1 / (scale * arb(top)))


def _scaled(M: Matrix) -> tuple[Real, Any]:
    """The matrix over its largest entry, which may be beyond the range of doubles, and that entry."""
    scale = max(abs(x.mid()) for x in M.entries())
    return reals(M * (1 / scale)), scale


def _half_norm(X: Array) -> float:
    return float(0.5 * np.abs(np.linalg.eigvalsh((X + X.conj().T) / 2)).sum())
