r"""What is minimised: smoothed trace distances to σ after a preparation, or after the sweeps of a sampler.

Either of the whole system or, the largest of them, of its connected regions: a cost changes with its measure only in
$M = ∂C/∂ρ$, with which the way back begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...linalg.arrays import Array, Real, Values
from .. import costs
from .ansatz import Ansatz, backward, columns, forward
from .pure_state_gradient import PureStateGradient

SINGLE = 64  # dimension from which a sampler's cost is computed in single precision: half the time, 1e-7 off
POWER = 6.0  # of the mean over starts: close to the worst of them, and smooth


def smoothed(difference: Values, eta: float) -> tuple[Real, Values]:
    r"""$C = \tfrac12\sum(\sqrt{λ^2+η^2} − η)$ over the eigenvalues λ of each matrix, and $M = ∂C/∂ρ$.

    Shapes (…, d, d) → (…), (…, d, d). Tends to the trace distance as η → 0, with a gradient everywhere.
    """
    values, vectors = np.linalg.eigh(difference)
    root = np.sqrt(values**2 + eta**2)
    cost = 0.5 * (root - eta).sum(axis=-1)
    slope = (vectors * (values / (2 * root))[..., None, :]) @ vectors.conj().swapaxes(-1, -2)
    return cost, slope


class Measure(Protocol):
    """How far a state is from σ, of the difference Δ = ρ − σ, (…, d, d)."""

    def smoothed(self, difference: Values, eta: float) -> tuple[Real, Values]:
        """A smooth cost (…) and its slope $M = ∂C/∂ρ$, (…, d, d); tends to the distance, or a little below."""
        ...

    def distance(self, difference: Values) -> float:
        """Of one difference."""
        ...

    def witness(self, difference: Values) -> Values:
        """The operator $0 ≤ W ≤ 1$ whose expectation tells the two states apart by the distance: Tr WΔ."""
        ...


@dataclass(frozen=True)
class Whole:
    """The trace distance of the whole system."""

    def smoothed(self, difference: Values, eta: float) -> tuple[Real, Values]:
        """See `smoothed`."""
        return smoothed(difference, eta)

    def distance(self, difference: Values) -> float:
        """½‖Δ‖₁."""
        return float(0.5 * np.abs(np.linalg.eigvalsh(difference)).sum())

    def witness(self, difference: Values) -> Values:
        """The projector on Δ > 0."""
        values, vectors = np.linalg.eigh(difference)
        positive = vectors[:, values > 0]
        return np.asarray(positive @ positive.conj().T)


@dataclass(frozen=True, eq=False)
class Local:
    """The largest trace distance of reduced states; smooth, a high power mean over the regions.

    Attributes:
        places: Of every region the basis states of the system, (2^k, 2^rest): of each of its own, those of the others.
    """

    places: tuple[NDArray[np.int64], ...]

    @staticmethod
    def of(regions: Iterable[Sequence[int]], num_qubits: int) -> Local:
        """Of regions of qubits."""
        basis, places = np.arange(2**num_qubits), []
        for region in regions:
            inside = sum(1 << q for q in region)
            own = basis[basis & ~inside == 0]
            places.append(own[:, None] | basis[basis & inside == 0][None, :])
        return Local(tuple(places))

    def reduced(self, matrix: Values, place: NDArray[np.int64]) -> Values:
        """The partial trace over the rest, (…, d, d) → (…, 2^k, 2^k)."""
        return np.asarray(matrix[..., place[:, None, :], place[None, :, :]].sum(axis=-1))

    def smoothed(self, difference: Values, eta: float) -> tuple[Real, Values]:
        """The power mean of the smoothed distances of all regions."""
        found = [smoothed(self.reduced(difference, place), eta) for place in self.places]
        each = np.maximum(np.stack([cost for cost, _ in found]), 1e-15)
        cost = np.mean(each**POWER, axis=0) ** (1 / POWER)
        total = np.zeros_like(difference)
        for (_, M), place, value in zip(found, self.places, each, strict=True):
            weight = (value / cost) ** (POWER - 1) / len(each)
            total[..., place[:, None, :], place[None, :, :]] += (weight[..., None, None] * M)[..., None]
        return cost, total

    def distance(self, difference: Values) -> float:
        """The largest of the regions."""
        return max(map(self._of, self._all(difference)))

    def witness(self, difference: Values) -> Values:
        """Of the farthest region, times the identity elsewhere."""
        reduced = self._all(difference)
        k = int(np.argmax([self._of(one) for one in reduced]))
        total, place = np.zeros_like(difference), self.places[k]
        total[place[:, None, :], place[None, :, :]] = WHOLE.witness(reduced[k])[..., None]
        return total

    def _all(self, difference: Values) -> list[Values]:
        return [self.reduced(difference, place) for place in self.places]

    @staticmethod
    def _of(reduced: Values) -> float:
        return WHOLE.distance(reduced)


WHOLE = Whole()


@dataclass(frozen=True, eq=False)
class Preparation:
    """Distance to σ after one pass from a pure start.

    Attributes:
        ansatz: The circuit.
        sigma: The Gibbs state; real if the circuit is.
        start: Amplitudes of the start on the system.
        measure: Of the whole, or of regions.
    """

    ansatz: Ansatz
    sigma: Values
    start: Values
    measure: Measure = field(default=WHOLE, kw_only=True)

    @property
    def seconds(self) -> float:
        """Nominal, of one value and gradient."""
        a = self.ansatz
        return costs.one_pass(len(a.slots), 2**a.num_qubits, len(self.sigma), real=a.real)

    def __call__(self, angles: Real, eta: float) -> tuple[Real, Real]:
        """Values (batch,) and gradients (num, batch)."""
        found = [self.one(x, eta) for x in angles.T]
        return np.array([cost for cost, _ in found]), np.stack([slope for _, slope in found], axis=-1)

    def one(self, angles: Real, eta: float) -> tuple[float, Real]:
        """Value and gradient (num,) at angles (num,)."""
        psi, matrices = self._pass.forward(angles, self.start)
        cost, M = self.measure.smoothed(self._reduced(psi) - self.sigma, eta)
        bra = np.ascontiguousarray(psi.reshape(-1, len(self.sigma)) @ M.T).reshape(-1)
        return float(cost), self._pass.slopes(bra, matrices)

    def distance(self, angles: Real) -> float:
        """To σ, by the measure, at angles (num,)."""
        return self.measure.distance(self.state(angles) - self.sigma)

    def state(self, angles: Real) -> Values:
        """The state of the system, (d, d), at angles (num,)."""
        return self._reduced(self._pass.forward(angles, self.start)[0])

    @cached_property
    def _pass(self) -> PureStateGradient:
        return PureStateGradient(self.ansatz)

    def _reduced(self, psi: Values) -> Values:
        p = psi.reshape(-1, len(self.sigma))
        return np.asarray(p.T @ p.conj())


@dataclass(frozen=True, eq=False)
class Sampling:
    r"""Distance to σ after K equal sweeps: a high power mean over several starts, close to the worst of them.

    With the Kraus operators $V_a$ of a sweep, $M_{t-1} = \sum_a V_a^† M_t V_a$ and $δC = \sum_t 2 Re Tr(M_t δV_a
    ρ_{t-1} V_a^†)$: the circuit is run back once for all sweeps and starts.

    Attributes:
        ansatz: One sweep.
        sigma: The Gibbs state; real if the circuit is.
        starts: (J, d, d).
        sweeps: K.
        measure: Of the whole, or of regions.
    """

    ansatz: Ansatz
    sigma: Values
    starts: Array
    sweeps: int
    measure: Measure = field(default=WHOLE, kw_only=True)

    @property
    def seconds(self) -> float:
        """Nominal, of one value and gradient."""
        a, d = self.ansatz, len(self.sigma)
        parts = len(self._parts[0])
        return costs.repeated(len(a.slots), 2**a.num_qubits, d, self.sweeps, parts, real=a.real, single=d >= SINGLE)

    def __call__(self, angles: Real, eta: float) -> tuple[Real, Real]:
        """Values (batch,) and gradients (num, batch)."""
        V = self.kraus(angles, self._kind)
        batch, d = angles.shape[-1], len(self.sigma)
        costs, bras = np.zeros(batch), np.empty_like(V)
        for b in range(batch):
            costs[b], bra = self._one(np.ascontiguousarray(V[..., b]).reshape(-1, d, d), eta)
            bras[..., b] = bra.reshape(-1, d)
        return costs, backward(self.ansatz, angles, V, bras)

    def kraus(self, angles: Real, kind: type | None = None) -> Values:
        """One sweep as an isometry, (2^q, d, batch): the ancillas' state is the high part of the row."""
        psi = columns(self.ansatz, angles.shape[-1])
        return forward(self.ansatz, angles, psi if kind is None else psi.astype(kind))

    def operators(self, angles: Real) -> Values:
        """The Kraus operators of one sweep, (2^m, d, d), at angles (num,)."""
        d = len(self.sigma)
        return np.ascontiguousarray(self.kraus(angles[:, None])[..., 0]).reshape(-1, d, d)

    def distances(self, angles: Real) -> Real:
        """Of every start, (J,), at angles (num,)."""
        V, found = self.operators(angles), []
        for rho in self.starts:
            image: Values = rho
            for _ in range(self.sweeps):
                image = applied(V, image)
            found.append(self.measure.distance(image - self.sigma))
        return np.array(found)

    @property
    def _kind(self) -> type:
        if len(self.sigma) < SINGLE:
            return float if self.ansatz.real else complex
        return np.float32 if self.ansatz.real else np.complex64

    @cached_property
    def _parts(self) -> tuple[Values, NDArray[np.int64], NDArray[np.bool_]]:
        """The starts as matrices of the circuit's own kind, which of them each is a part of, and whether times i.

        Under a real circuit the real and the imaginary part of a start never meet.
        """
        if not self.ansatz.real:
            owner = np.arange(len(self.starts))
            return self.starts.astype(self._kind), owner, np.zeros(len(self.starts), dtype=bool)
        complex_ones = np.flatnonzero(np.abs(self.starts.imag).max(axis=(1, 2)) > 0)
        owner = np.concatenate([np.arange(len(self.starts)), complex_ones])
        parts = np.concatenate([self.starts.real, self.starts.imag[complex_ones]])
        return parts.astype(self._kind), owner, np.arange(len(owner)) >= len(self.starts)

    def _one(self, V: Values, eta: float) -> tuple[float, Values]:
        """The cost and ∂C/∂V of one column of the batch; V of shape (a, d, d)."""
        parts, owner, imaginary = self._parts
        a, d, _ = V.shape
        V = np.ascontiguousarray(V.transpose(1, 0, 2))  # (row, ancillas, column): every product below is a plain one
        rows, wide = V.reshape(d * a, d), V.reshape(d, a * d)
        path = [parts]
        for _ in range(self.sweeps):
            path.append((rows @ path[-1]).reshape(-1, d, a * d) @ wide.conj().T)
        last = path[-1]
        if imaginary.any():
            last = np.asarray(last[: len(self.starts)], dtype=complex)
            np.add.at(last, owner[imaginary], 1j * path[-1][imaginary])
        each, M = self.measure.smoothed(last - self.sigma, eta)
        each = np.maximum(each, 1e-15)
        cost = float(np.mean(each**POWER) ** (1 / POWER))
        M = M * ((each / cost) ** (POWER - 1) / len(each))[:, None, None]
        # C depends on ρ = A + iB as Re Tr M ρ = Tr (Re M) A − Tr (Im M) B
        M = M[owner] if not self.ansatz.real else np.where(imaginary[:, None, None], -M[owner].imag, M[owner].real)
        M = M.astype(V.dtype)
        total = np.zeros((d * a, d), dtype=V.dtype)
        for before in reversed(path[:-1]):
            product = (M @ wide).reshape(-1, d * a, d)
            total += product.transpose(1, 0, 2).reshape(d * a, -1) @ before.reshape(-1, d)
            M = rows.conj().T @ product
        return cost, total.reshape(d, a, d).transpose(1, 0, 2)


def applied(V: Values, rho: Values) -> Values:
    """The map Σ_a V_a ρ V_a†, V of shape (a, d, d)."""
    if np.iscomplexobj(rho) and not np.iscomplexobj(V):
        return np.asarray(applied(V, rho.real) + 1j * applied(V, rho.imag))
    a, d, _ = V.shape
    half = (V.reshape(a * d, d) @ rho).reshape(a, d, d).transpose(1, 0, 2).reshape(d, a * d)
    wide = V.transpose(1, 0, 2).reshape(d, a * d)
    return np.asarray(half @ wide.conj().T)


def adjoint(V: Values, M: Values) -> Values:
    """The adjoint map Σ_a V_a† M V_a, V of shape (a, d, d)."""
    if np.iscomplexobj(M) and not np.iscomplexobj(V):
        return np.asarray(adjoint(V, M.real) + 1j * adjoint(V, M.imag))
    return np.asarray(V.reshape(-1, V.shape[-1]).conj().T @ _left(M, V))


def _left(M: Values, V: Values) -> Values:
    """M V_a of every a, as (a·d, d)."""
    return np.asarray((M @ V).reshape(-1, V.shape[-1]))


def stacked(states: Sequence[Array]) -> Array:
    """Density matrices as one array, (J, d, d)."""
    return np.stack([np.asarray(rho, dtype=complex) for rho in states])
