r"""Up to 20 qubits without a matrix: $\mathrm{Tr}[e^{-βH}O]$ from random vectors cooled by a Chebyshev series.

$|β\rangle = e^{-βH/2}|r\rangle$ with $r$ complex Gaussian: $\mathbb{E}\langleβ|O|β\rangle = \mathrm{Tr}[e^{-βH}O]$, and
one vector scatters by about $e^{-S/2}$ (S. Sugiura and A. Shimizu, Phys. Rev. Lett. 111, 010401 (2013)). Quotients of
means over independent vectors carry Student bars from the jackknife.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...evidence import Status
from ...io.progress import spelled
from ...limits import MAX_TYPICAL_QUBITS, MAX_TYPICAL_SECONDS
from ...linalg.arrays import Array, Real
from ...linalg.local_maps import pauli_basis
from ...models.model import Model
from ...models.regions import Sparse, strings_of
from ...models.scale import bandwidth
from ...models.spectrum import Thermal
from .base import ExactAnswer, GibbsReference, sparse_of

SEED = 20
VECTORS = (6, 48)  # fewest, which a Student bar needs, and most
WORK = 2**23  # amplitudes of all vectors together, between those
SMALL = 1e-12  # coefficients of the series that are left out
PER_AMPLITUDE = 1.5e-8  # seconds of one distinct flip on one amplitude, measured on one shared core
REGION = 6  # sites up to which expectations are read off a reduced state


def vectors_for(num_qubits: int) -> int:
    """Independent vectors: fewer where each scatters less."""
    return int(np.clip(WORK >> num_qubits, *VECTORS))


class Flips:
    """H as Σ_x D_x F_x with F_x flipping the qubits of x and D_x diagonal: never a matrix; vectors are (2,)*n arrays.

    Args:
        model: The Hamiltonian; the identity is left out.
    """

    def __init__(self, model: Model) -> None:
        self.n, self.offset = model.num_qubits, 0.0
        self.parts: dict[tuple[int, ...], NDArray[Any]] = {}
        for label, c in model.terms:
            string = sparse_of(label)
            if not string:
                self.offset += c
                continue
            axes, diagonal = _flipped(string, self.n)
            self.parts[axes] = np.asarray(self.parts.get(axes, 0.0) + c * diagonal)
        for axes, diagonal in self.parts.items():  # written out: NumPy is slow where many axes of two are repeated
            whole = diagonal.reshape(()) if diagonal.size == 1 else np.broadcast_to(diagonal, (2,) * self.n).copy()
            self.parts[axes] = whole

    def __call__(self, vector: Array) -> Array:
        """H v without the identity; time and memory O(2^n) per distinct flip."""
        total = np.zeros_like(vector)
        for axes, diagonal in self.parts.items():
            total += diagonal * np.flip(vector, axes)
        return total


def _flipped(string: Sparse, n: int) -> tuple[tuple[int, ...], NDArray[Any]]:
    """The axes that a string flips (axis q is qubit q), and what it multiplies with afterwards, of few axes' size."""
    axes = tuple(q for q, letter in string if letter in "XY")
    diagonal: NDArray[Any] = np.ones((1,) * n)
    for q, letter in string:
        shape = tuple(2 if k == q else 1 for k in range(n))
        if letter in "YZ":
            diagonal = diagonal * np.array([1.0, -1.0] if letter == "Z" else [-1j, 1j]).reshape(shape)
    return axes, diagonal.real if not np.any(diagonal.imag) else diagonal


def _series(x: float) -> Real:
    """Coefficients of e^{−xt} in Chebyshev polynomials of t on [−1, 1], times e^{−x}: they never overflow."""
    from scipy.special import ive

    orders = np.arange(int(x + 12 * math.sqrt(x + 4)) + 24)
    found = np.where(orders > 0, 2.0, 1.0) * (-1.0) ** orders * ive(orders, x)
    return np.asarray(found[: int(np.flatnonzero(np.abs(found) > SMALL * np.abs(found).max())[-1]) + 1])


def _cooled(H: Flips, radius: float, coefficients: Real, vector: Array) -> Array:
    """Σ c_k T_k(H/radius) v."""
    before, now = vector, H(vector) / radius
    total = coefficients[0] * before + (coefficients[1] * now if len(coefficients) > 1 else 0.0)
    for c in coefficients[2:]:
        before, now = now, 2 * H(now) / radius - before
        total += c * now
    return np.asarray(total)


@lru_cache(maxsize=2)
def _answer(model: Model, beta: float) -> ExactAnswer:
    return typical(model, beta, vectors_for(model.num_qubits), SEED)


def typical(model: Model, beta: float, vectors: int, seed: int) -> ExactAnswer:
    """What so many random vectors say, which are kept: 16 MiB each at 20 qubits.

    Args:
        model: H, to 20 qubits.
        beta: ≥ 0.
        vectors: Independent ones, at least 3.
        seed: Of the vectors.
    """
    H, rng, n = Flips(model), np.random.default_rng(seed), model.num_qubits
    radius = max(1e-300, bandwidth(model.hamiltonian))
    x = beta / 2 * radius
    coefficients = _series(x)
    states, norms, energies, squares = list[Array](), list[float](), list[float](), list[float]()
    for _ in range(vectors):
        draw = np.asarray(rng.standard_normal((2,) * (n + 1)).view(complex)[..., 0] / math.sqrt(2), dtype=complex)
        state = _cooled(H, radius, coefficients, draw)
        moved = H(state)
        states.append(state)
        norms.append(float(np.vdot(state, state).real))
        energies.append(float(np.vdot(state, moved).real))
        squares.append(float(np.vdot(moved, moved).real))
    N, E1, E2 = np.array(norms), np.array(energies), np.array(squares)

    def functions(w: Real) -> Real:
        z, energy = float(w @ N) / float(w.sum()), float(w @ E1 / (w @ N))
        log_z = math.log(z) + 2 * x - beta * H.offset
        energy += H.offset
        variance = float(w @ E2 / (w @ N)) - (energy - H.offset) ** 2
        return np.array([energy, -log_z / beta if beta else 0.0, beta * energy + log_z, beta**2 * variance])

    values, bars = _jackknife(functions, vectors)
    names = ("energy", "free_energy", "entropy", "heat_capacity")
    errors = {name: float(bar) for name, bar in zip(names, bars, strict=True) if beta or name != "free_energy"}
    energy, free, entropy, capacity = map(float, values)
    thermal = Thermal(energy, free if beta else None, entropy, capacity, None, None)
    reading = _Reading(n, tuple(states), N)
    probes = [((q, letter),) for q in range(n) for letter in "XYZ"] + [sparse_of(label) for label, _ in model.terms]
    return ExactAnswer(
        thermal, reading.paulis, Status.MEASURED, errors, reading.errors, float(reading.errors(probes).max())
    )


class _Reading:
    """Expectations in the states, and their bars."""

    def __init__(self, num_qubits: int, states: tuple[Array, ...], norms: Real) -> None:
        self.n, self.states, self.norms = num_qubits, states, norms
        self.known: dict[Sparse, Real] = {(): norms}

    def paulis(self, strings: Sequence[Sparse]) -> Real:
        """⟨P⟩ = Σ⟨ψ|P|ψ⟩ / Σ⟨ψ|ψ⟩."""
        return np.asarray(self._numerators(strings).sum(1) / self.norms.sum())

    def errors(self, strings: Sequence[Sparse]) -> Real:
        """The 95 % Student bars of those."""
        A = self._numerators(strings)
        return _jackknife(lambda w: np.asarray(A @ w / (self.norms @ w)), len(self.states))[1]

    def _numerators(self, strings: Sequence[Sparse]) -> Real:
        """⟨ψ|P|ψ⟩ of every string and state; by reduced states where regions are small."""
        wanted = dict.fromkeys(string for string in strings if string not in self.known)
        supports = sorted({tuple(q for q, _ in string) for string in wanted}, key=len, reverse=True)
        for support in supports:
            if len(support) > REGION:
                continue
            inside = [string for string in strings_of(support) if string in wanted and string not in self.known]
            if inside:
                self._read(support)
        for string in wanted:
            if string not in self.known:
                axes, diagonal = _flipped(string, self.n)
                found = [float(np.vdot(v, diagonal * np.flip(v, axes)).real) for v in self.states]
                self.known[string] = np.array(found)
        return np.array([self.known[string] for string in strings]).reshape(len(strings), len(self.states))

    def _read(self, support: tuple[int, ...]) -> None:
        k = len(support)
        values = []
        for state in self.states:
            M = np.moveaxis(state, support, range(k)).reshape(2**k, -1)
            values.append(np.real(np.einsum("aij,ji->a", pauli_basis(k), M @ M.conj().T)))
        self.known |= dict(zip(strings_of(support), np.array(values).T, strict=True))


def _jackknife(of_weights: Callable[[Real], Real], vectors: int) -> tuple[Real, Real]:
    """A function of weighted means and its 95 % Student bar."""
    from scipy.stats import t

    whole = of_weights(np.ones(vectors))
    left_out = np.array([of_weights(np.ones(vectors) - np.eye(vectors)[k]) for k in range(vectors)])
    spread = (vectors - 1) / vectors * np.sum((left_out - left_out.mean(0)) ** 2, axis=0)
    return whole, np.asarray(t.ppf(0.975, vectors - 1) * np.sqrt(spread))


def _seconds(model: Model, beta: float) -> float:
    """What it takes, by the number of flips, terms of the series and amplitudes."""
    flips = {tuple(q for q, letter in sparse_of(label) if letter in "XY") for label, _ in model.terms}
    length = _series(beta / 2 * bandwidth(model.hamiltonian)).size
    n = model.num_qubits
    return PER_AMPLITUDE * (len(flips) + 3) * (length + 2) * 2.0**n * vectors_for(n)


def _why_not(model: Model, beta: float) -> str | None:
    n = model.num_qubits
    if n > MAX_TYPICAL_QUBITS:
        return f"random vectors are cooled up to {MAX_TYPICAL_QUBITS} qubits, not {n}"
    seconds = _seconds(model, beta)
    if seconds > MAX_TYPICAL_SECONDS:
        return f"cooling random vectors would take {spelled(seconds)}, at most {spelled(MAX_TYPICAL_SECONDS)} are spent"
    return None


typicality = GibbsReference("typicality", _answer, _why_not)
