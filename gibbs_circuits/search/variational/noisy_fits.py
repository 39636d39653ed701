r"""Fits that know the noise: every CZ and every one-qubit pulse is followed by depolarising noise.

Noise on k qubits is $ρ → (1-p)ρ + p\,\mathrm{Tr}_k ρ ⊗ 1/2^k$, as Qiskit's `depolarizing_error(p, k)` and the targets
have it: p2 on the pair behind every CZ, p1 behind each of the two `sx` of a general one-qubit rotation; `rz` and resets
are free. A state is $x_P = \mathrm{Tr}(Pρ)$, where noise is a factor, a CZ a permutation with signs and a rotation a
plane rotation of two letters, so that all are taken off again on the way back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ...linalg.arrays import Array, Real, Values
from ...models.spectrum import trace_distance
from ...readings.channel.worst_start import random_states
from .. import costs
from ..clock import Deadline
from .ansatz import Ansatz
from .fits import CLIMBS, LEFT, SEEDS, Fit, PreparationFitter, SamplerFitter, TunedCircuit
from .noisy_circuit import NoisyCircuit, matrices_of, vectors_of
from .objectives import POWER, smoothed
from .optimise import minimise


@dataclass(frozen=True, eq=False)
class NoisySampling:
    r"""Distance to σ after K equal noisy sweeps: the same power mean over starts as without noise.

    Attributes:
        ansatz: One sweep.
        sigma: The Gibbs state.
        starts: (J, d, d).
        sweeps: K.
        p1, p2: Of every one-qubit pulse and of every CZ.
    """

    ansatz: Ansatz
    sigma: Values
    starts: Array
    sweeps: int
    p1: float
    p2: float

    @property
    def seconds(self) -> float:
        """Nominal, of one value and gradient."""
        circuit, d = self.circuit, len(self.sigma)
        return costs.noisy(len(circuit.tape), 4**circuit.alive, self.sweeps, len(self.starts), d)

    @cached_property
    def circuit(self) -> NoisyCircuit:
        """One noisy sweep."""
        return NoisyCircuit(self.ansatz, self.p1, self.p2)

    def __call__(self, angles: Real, eta: float) -> tuple[Real, Real]:
        """Values (batch,) and gradients (num, batch)."""
        batch, count, used = angles.shape[-1], len(self.starts), self._used(angles)
        x, forgotten = self._final(used, np.repeat(vectors_of(self.starts), batch, axis=1))
        distances, M = smoothed(matrices_of(x) - self.sigma, eta)
        each = np.maximum(distances.reshape(count, batch), 1e-15)
        cost = np.mean(each**POWER, axis=0) ** (1 / POWER)
        weights = (each / cost) ** (POWER - 1) / count
        slopes, _ = self._back(used, x, vectors_of(M) / M.shape[-1] * weights.reshape(-1), forgotten)
        summed = slopes.reshape(len(slopes), -1, count, batch).sum(axis=2)
        total = self.ansatz.mixing.T @ summed.reshape(len(summed), -1)
        return cost, np.asarray(total).reshape(self.ansatz.num_angles, -1)

    def states(self, angles: Real) -> Array:
        """Where every start ends, (J, batch, d, d)."""
        x, _ = self._final(self._used(angles), np.repeat(vectors_of(self.starts), angles.shape[-1], axis=1))
        return matrices_of(x).reshape(len(self.starts), -1, *self.sigma.shape)

    def worst(
        self, angles: Real, rng: np.random.Generator, deadline: Deadline, seeds: int = SEEDS, begun: Array | None = None
    ) -> tuple[float, Array]:
        """The worst pure start found by see-saw through the noisy sweeps, at angles of shape (num, 1)."""
        d = len(self.sigma)
        psi = random_states(seeds, d, rng) if begun is None else begun
        used = np.repeat(self.ansatz.slot_angles(angles), len(psi), axis=2)
        worst, state, before = -1.0, np.eye(d, dtype=complex) / d, np.full(len(psi), -1.0)
        step = costs.noisy(len(self.circuit.tape), 4**self.circuit.alive, self.sweeps, len(psi), d)
        for _ in range(CLIMBS):
            deadline.spend(step)
            rho = psi[:, :, None] * psi[:, None, :].conj()
            x, forgotten = self._final(used, vectors_of(rho))
            values, vectors = np.linalg.eigh(matrices_of(x) - self.sigma)
            distances = 0.5 * np.abs(values).sum(axis=1)
            best = int(np.argmax(distances))
            if distances[best] > worst:
                worst, state = float(distances[best]), rho[best]
            if np.all(distances - before < 1e-5):
                break
            before = distances
            projectors = (vectors * (values > 0)[:, None, :]) @ vectors.conj().swapaxes(1, 2)
            _, bra = self._back(used, x, vectors_of(projectors), forgotten)
            psi = np.linalg.eigh(matrices_of(bra))[1][:, :, -1]
        return worst, np.asarray(state, dtype=complex)

    def _used(self, angles: Real) -> Real:
        """Slot angles of all columns: those of the batch for one start after the other."""
        return np.tile(self.ansatz.slot_angles(angles), len(self.starts))

    def _final(self, used: Real, x: Real) -> tuple[Real, list[list[Real]]]:
        forgotten: list[list[Real]] = [[] for _ in range(self.sweeps)]
        for memory in forgotten:
            x = self.circuit.forward(used, x, memory)
        return x, forgotten

    def _back(self, used: Real, x: Real, bra: Real, forgotten: list[list[Real]]) -> tuple[Real, Real]:
        """Slopes of all columns, and ∂C/∂x at the start."""
        total = np.zeros_like(used)
        for memory in reversed(forgotten):
            slopes, x, bra = self.circuit.backward(used, x, bra, memory)
            total += slopes
        return total, bra


def noisy_preparation(ansatz: Ansatz, sigma: Values, start: Values, p1: float, p2: float) -> NoisySampling:
    """Distance to σ after one noisy pass from a pure start, given by its amplitudes and not noisy."""
    return NoisySampling(ansatz, sigma, np.outer(start, np.conj(start))[None], 1, p1, p2)


@dataclass(frozen=True, eq=False)
class NoisyPreparationFitter(PreparationFitter):
    """From one pure start, in one noisy pass; never worse than the best of the angles it begins with."""

    p1: float = field(kw_only=True)
    p2: float = field(kw_only=True)

    def _fit(self, ansatz: Ansatz, angles: Real, etas: tuple[float, ...], iterations: int, deadline: Deadline) -> Fit:
        objective = noisy_preparation(ansatz, self.sigma, self.start, self.p1, self.p2)
        x = np.concatenate([_descended(objective, angles, etas, iterations, deadline, LEFT)[0], angles], axis=1)
        distances = [trace_distance(rho, self.sigma) for rho in objective.states(x)[0]]
        best = int(np.argmin(distances))
        return TunedCircuit(ansatz, x[:, best].copy(), 1).candidate(distances[best])


@dataclass(frozen=True, eq=False)
class NoisySamplerFitter(SamplerFitter):
    """From every start, by K equal noisy sweeps; distances are those of the worst start found."""

    p1: float = field(kw_only=True)
    p2: float = field(kw_only=True)

    def _minimised(
        self, ansatz: Ansatz, x: Real, starts: Array, etas: tuple[float, ...], iterations: int, deadline: Deadline
    ) -> tuple[Real, float]:
        objective = NoisySampling(ansatz, self.sigma, starts, self.sweeps, self.p1, self.p2)
        x, values = _descended(objective, x, etas, iterations, deadline, 1)
        best = int(np.argmin(values))
        return x[:, [best]], float(values[best])

    def _worst(self, ansatz: Ansatz, x: Real, deadline: Deadline, begun: Array | None = None) -> tuple[float, Array]:
        sampling = NoisySampling(ansatz, self.sigma, self.starts, self.sweeps, self.p1, self.p2)
        return sampling.worst(x[:, :1], self.rng, deadline, begun=begun)


def _descended(
    objective: NoisySampling, x: Real, etas: tuple[float, ...], iterations: int, deadline: Deadline, share: int
) -> tuple[Real, Real]:
    """Positions and values, less and less smoothed, each time from the best of the columns, one of so many."""
    steps, each = iterations // len(etas), objective.seconds
    for eta in etas:
        kept = -(-x.shape[1] // share)
        x, values = minimise(lambda y, eta=eta: objective(y, eta), x, steps, deadline, each)  # type: ignore[misc]
        best = np.argsort(values)[:kept]
        x = x[:, best]
    return x, values[best]
