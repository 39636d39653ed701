r"""A generator in as many digits as its figures need, up to 4 qubits: what doubles cannot tell from zero is told here.

Where the smallest non-zero eigenvalues of 𝓛 are below rounding, ‖𝓛(ρ)‖ ≈ 0 says nothing about ρ. The same generator
is built from the exact coefficients of H and of the couplings with balls of real numbers (Arb), and solved through its
resolvent at two small ε: $\varepsilon(\varepsilon-\mathcal L)^{-1} \to P$, the projector on the stationary operators,
which takes the maximally mixed state where it relaxes to, and whose trace counts them; the reduced resolvent that is
left has the eigenvalues −1/λ.

How much the rounding of filters and integrals matters is measured, by solving once more with it changed at random.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import flint
import numpy as np
from flint import arb, arb_mat

from ..generators import Lindbladian
from ..generators.matrices import energy_spectrum
from ..spectrum import Array, Real
from .balls import Generator, Matrix, applied, basis_of, doubles, hermitian_of, identity, packed_matrix, reals

MAX_QUBITS = 4
FIRST_BITS = 256
MAX_BITS = {1: 16384, 2: 8192, 3: 4096, 4: 1024}
SETTLED = 1e-14  # trace distance between the two ε that counts as none
NEAR = 1e-5  # of 1/|λ|, relative to the largest: what eigenvalues of the reduced resolvent are good to


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
        rates: −Re λ of the other eigenvalues within 1e5 of the one nearest to zero, ascending.
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
    rates: Real
    bits: int


@dataclass(frozen=True, eq=False)
class _Solved:
    rho: Matrix  # in the energy basis
    difference: Array | None
    energy: float
    currents: tuple[float, ...]
    stationary: int
    reduced: Real
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
    if n > MAX_QUBITS:
        return None
    bits, counts = FIRST_BITS, set[int]()
    while bits <= MAX_BITS[n]:
        first = _solve(lindbladian, hamiltonian, beta, families, bits, None)
        if first is not None and first.moved <= SETTLED:
            counts.add(first.stationary)
            same = len(counts) == 1 and bits == MAX_BITS[n] and _beyond_boltzmann(lindbladian, bits)
            if first.stationary <= stationary or same:
                second = _solve(lindbladian, hamiltonian, beta, families, bits, 1)
                return None if second is None else _with_errors(lindbladian, first, second, bits)
        bits *= 2
    return None


def _beyond_boltzmann(lindbladian: Lindbladian, bits: int) -> bool:
    """Whether ε is far below e^{−4β × width}, so that what it does not resolve is no slow relaxation."""
    E = energy_spectrum(lindbladian).energies
    return bool(bits / 3 * np.log(2) > 70 + 4 * max(lindbladian.betas) * float(E[-1] - E[0]))


def _with_errors(lindbladian: Lindbladian, a: _Solved, b: _Solved, bits: int) -> Relaxed:
    rho, other = doubles(a.rho), doubles(b.rho)
    V = doubles(basis_of(lindbladian.bohr_model, bits).vectors)
    error = _half_norm(rho - other) + a.moved
    distance = None if a.difference is None else _half_norm(a.difference)
    distance_error = None
    if distance is not None and b.difference is not None:
        distance_error = min(error, abs(distance - _half_norm(b.difference)) + 1e-15 * distance + a.moved)
    return Relaxed(
        state=np.asarray(V @ rho @ V.conj().T),
        error=error + 1e-15,
        distance=distance,
        distance_error=distance_error,
        energy=a.energy,
        energy_error=abs(a.energy - b.energy) + 1e-15 * abs(a.energy),
        currents=a.currents,
        current_errors=tuple(abs(x - y) + 1e-15 * abs(x) for x, y in zip(a.currents, b.currents, strict=True)),
        stationary=a.stationary,
        rates=_rates(a.reduced),
        bits=bits,
    )


def _rates(reduced: Real) -> Real:
    """−Re λ of the eigenvalues nearest to zero, from the reduced resolvent −Σ P_k/λ_k."""
    values = np.linalg.eigvals(reduced)
    return np.sort((1 / values[np.abs(values) > NEAR * np.max(np.abs(values))]).real)


def _solve(
    lindbladian: Lindbladian,
    hamiltonian: bool,
    beta: float | None,
    families: tuple[tuple[int, ...], ...],
    bits: int,
    noise: int | None,
) -> _Solved | None:
    before = flint.ctx.prec
    flint.ctx.prec = bits
    try:
        basis = basis_of(lindbladian.bohr_model, bits)
        d = len(basis.energies)
        parts = Generator(lindbladian, basis, noise)
        every = tuple(range(len(lindbladian.contacts)))
        L = packed_matrix(*parts.generator(every, hamiltonian=hamiltonian), d)
        made = _resolvents(L, bits)
        if made is None:
            return None
        epsilons, resolvents = made
        start = arb_mat(d * d, 1, [arb(1) / d if k % (d + 1) == 0 else arb(0) for k in range(d * d)])
        limits = [hermitian_of(epsilon * (R * start), d) for epsilon, R in zip(epsilons, resolvents, strict=True)]
        moved = _half_norm(doubles(limits[0] - limits[1]))
        if not np.isfinite(moved) or any(not x.is_finite() for x in limits[1].entries()):
            return None
        if max(float(x.rad()) for x in limits[1].entries()) > SETTLED:
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
            rho, difference, float((H * rho).trace().real), tuple(currents), _count(epsilons[1], resolvents[1]),
            reals(_reduced(epsilons, resolvents)), moved,
        )  # fmt: skip
    finally:
        flint.ctx.prec = before


def _resolvents(L: Matrix, bits: int) -> tuple[list[Any], list[Matrix]] | None:
    """ε and (ε − L)⁻¹ at two ε that are tiny beside L; None where L is zero or the digits do not suffice."""
    size = max((abs(x) for x in L.entries()), key=lambda x: float(x.log()) if x > 0 else -1e300)
    if not size > 0:
        return None
    epsilons = [size * arb(2) ** -(bits // 3), size * arb(2) ** (-(bits // 3) - 32)]
    try:
        return epsilons, [(epsilon * identity(L.nrows()) - L).inv() for epsilon in epsilons]
    except ZeroDivisionError:
        return None


def _count(epsilon: Any, resolvent: Matrix) -> int:
    """Eigenvalues of L much smaller than ε, from ε Tr (ε − L)⁻¹."""
    return round(float(epsilon * sum((resolvent[k, k] for k in range(resolvent.nrows())), arb(0))))


def _reduced(epsilons: list[Any], resolvents: list[Matrix]) -> Matrix:
    """−Σ P_k/λ_k over the eigenvalues that are not zero: 1/ε is eliminated."""
    (e1, e2), (R1, R2) = epsilons, resolvents
    return (R1 * e1 - R2 * e2) * (1 / (e1 - e2))


def balanced_gap(lindbladian: Lindbladian, stationary: int) -> float | None:
    """The gap of a generator in detailed balance to ten digits however small it is, n <= 4; None beyond the digits.

    The largest eigenvalue of the reduced resolvent of the Hermitian D is its inverse.
    """
    n = lindbladian.model.num_qubits
    bits = FIRST_BITS
    while n <= MAX_QUBITS and bits <= MAX_BITS[n]:
        before = flint.ctx.prec
        flint.ctx.prec = bits
        try:
            parts = Generator(lindbladian, basis_of(lindbladian.bohr_model, bits), None)
            made = _resolvents(packed_matrix(*parts.hermitised(), parts.d), bits)
            if made is not None and _count(made[0][1], made[1][1]) <= stationary:
                reduced = _reduced(*made)
                if all(x.is_finite() for x in reduced.entries()):
                    return _from_inverse(_scaled(reduced))
        finally:
            flint.ctx.prec = before
        bits *= 2
    return None


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
