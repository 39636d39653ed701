r"""Fitting the angles of an ansatz to σ, for a preparation and for a sampler, and what is found out about a fit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol, TypeAlias

import numpy as np

from ...linalg.arrays import Array, Real, Values
from ...models.spectrum import trace_distance
from ...readings.channel.worst_start import equal_qubits, fixed_starts, random_states
from .. import costs
from ..candidates import Candidate
from ..clock import Deadline
from .ansatz import Ansatz
from .objectives import WHOLE, Measure, Preparation, Sampling, adjoint, applied, stacked
from .optimise import descended, minimise
from .twirling import TwirledPreparation

ETAS = (3e-2, 5e-3, 1e-3)  # of the smoothed distance, one after the other
ROUNDS = 4  # of adding the worst start found and fitting again
SEEDS = 6  # pure states that a search for the worst start begins with
CLIMBS = 12
PATIENCE, SLOW = 4, 0.97  # a fit ends when that many rounds gain less than that
EARLY = 1.6  # times what is hopeless, while a fit is smoothed more than at its end
LEFT = 3  # of so many columns one goes on to the next smoothing


@dataclass(frozen=True, eq=False)
class TunedCircuit:
    """Angles of an ansatz, and how often its circuit is repeated.

    Attributes:
        ansatz, angles: The circuit of one sweep; angles of shape (num_angles,).
        sweeps: How often it is repeated.
    """

    ansatz: Ansatz
    angles: Real
    sweeps: int

    def candidate(self, distance: float) -> Fit:
        """With its CZ gates; `distance` to σ is that from the given start, or from the worst start found."""
        return Candidate(self, self.sweeps * self.ansatz.gates, distance)


Fit: TypeAlias = Candidate[TunedCircuit]


class Fitter(Protocol):
    """Finds angles of an ansatz, for a preparation or a sampler."""

    @property
    def sweeps(self) -> int:
        """How often the circuit is repeated."""
        ...

    def glance(self, ansatz: Ansatz, angles: Real, deadline: Deadline) -> Fit:
        """The best of the columns of `angles` after a few iterations."""
        ...

    def fit(self, ansatz: Ansatz, angles: Real, deadline: Deadline) -> Fit:
        """The best of the columns of `angles`, refined."""
        ...


@dataclass(frozen=True, eq=False)
class PreparationFitter:
    """From one pure start, in one pass; `twirl` generates symmetries of H that are applied at random at the end."""

    sigma: Array
    start: Array
    iterations: int = 120
    sweeps: int = 1
    twirl: tuple[str, ...] = ()

    def glance(self, ansatz: Ansatz, angles: Real, deadline: Deadline) -> Fit:
        """One smoothing, a third of the iterations."""
        return self._fit(ansatz, angles, (ETAS[1],), self.iterations // 3, deadline)

    def fit(self, ansatz: Ansatz, angles: Real, deadline: Deadline) -> Fit:
        """Less and less smoothed; after every smoothing the best third of the columns goes on."""
        return self._fit(ansatz, angles, ETAS[0 if angles.shape[1] > 1 else 1 :], self.iterations, deadline)

    def objective(self, ansatz: Ansatz) -> Preparation:
        """Smoothed distance and its gradient, as they are minimised."""
        sigma, start = _typed(self.sigma, ansatz), _typed(self.start, ansatz)
        if self.twirl:
            return TwirledPreparation(ansatz, sigma, start, self.twirl)
        return Preparation(ansatz, sigma, start)

    def _fit(self, ansatz: Ansatz, angles: Real, etas: tuple[float, ...], iterations: int, deadline: Deadline) -> Fit:
        objective = self.objective(ansatz)
        columns, steps, each = list(angles.T), iterations // len(etas), objective.seconds
        for eta in etas:
            found = [descended(lambda y, eta=eta: objective.one(y, eta), x, steps, deadline, each)  # type: ignore[misc]
                     for x in columns]  # fmt: skip
            columns = [x for x, _ in sorted(found, key=lambda pair: pair[1])[: -(-len(found) // LEFT)]]
        distances = [trace_distance(objective.state(x), self.sigma) for x in columns]
        best = int(np.argmin(distances))
        return TunedCircuit(ansatz, columns[best], 1).candidate(distances[best])


@dataclass(frozen=True, eq=False)
class SamplerFitter:
    """From every start, by K equal sweeps.

    `starts` are those that every fit sees; the worst ones found are added, fit by fit. A fit beyond `hopeless` after
    its first iterations or rounds is not refined, one within `enough` no further; no more than `at_once` starts are
    looked at together; rounds are smoothed by each of `etas`, as long as they gain.
    """

    sigma: Array
    sweeps: int
    starts: Array
    rng: np.random.Generator = field(repr=False)
    iterations: int = 100
    rounds: int = ROUNDS
    hopeless: float = np.inf
    enough: float = 0.0
    at_once: int = 24
    etas: tuple[float, ...] = ETAS[2:]

    def glance(self, ansatz: Ansatz, angles: Real, deadline: Deadline) -> Fit:
        """One smoothing, a third of the iterations, the worst start once."""
        x, _ = self._minimised(ansatz, angles[:, :2], self.starts, (ETAS[1],), self.iterations // 3, deadline)
        worst, _ = self._worst(ansatz, x, deadline)
        return TunedCircuit(ansatz, x[:, 0], self.sweeps).candidate(worst)

    def fit(self, ansatz: Ansatz, angles: Real, deadline: Deadline) -> Fit:
        """The best of the columns, then refined against the worst starts found."""
        x, starts = angles, self.starts
        if angles.shape[1] > 1:
            x, value = self._minimised(ansatz, x, starts, ETAS[:1], self.iterations // 2, deadline)
            if value > self.hopeless:
                return TunedCircuit(ansatz, x[:, 0], self.sweeps).candidate(self._worst(ansatz, x, deadline)[0])
            x, _ = self._minimised(ansatz, x, starts, ETAS[1:2], self.iterations // 2, deadline)
        best, whole = TunedCircuit(ansatz, x[:, 0], self.sweeps).candidate(np.inf), deadline.left
        for stage, eta in enumerate(self.etas, 1):
            last = stage == len(self.etas)
            until = deadline if last else deadline.within(deadline.left - (1 - stage / len(self.etas)) * whole)
            best, x, starts = self._rounds(best, x, starts, eta, until, self.hopeless * (1.0 if last else EARLY))
            if not self.enough < best.distance <= self.hopeless:
                break
        return best

    def _rounds(
        self, best: Fit, x: Real, starts: Array, eta: float, deadline: Deadline, limit: float
    ) -> tuple[Fit, Real, Array]:
        """Rounds of adding the worst start and fitting again, as long as they gain: the best, and where they ended."""
        met, ansatz = list[float](), best.program.ansatz
        for step in range(self.rounds + 1):
            worst, rho = self._worst(ansatz, x, deadline)
            if worst < best.distance:  # once more: the best of many rounds may be the least searched
                worst, rho = self._twice(ansatz, x, (worst, rho), deadline)
            if worst < best.distance:
                best = replace(best.program, angles=x[:, 0].copy()).candidate(worst)
            met.append(best.distance)
            stuck = len(met) > PATIENCE and met[-1] > min(SLOW * met[-1 - PATIENCE], limit)
            if step == self.rounds or stuck or met[-1] <= self.enough or (step and deadline.passed):
                break
            starts = np.concatenate([self._hardest(ansatz, x, starts), rho[None]])
            x, _ = self._minimised(ansatz, x, starts, (eta,), self.iterations // 3, deadline)
        return best, x, starts

    def _minimised(
        self, ansatz: Ansatz, x: Real, starts: Array, etas: tuple[float, ...], iterations: int, deadline: Deadline
    ) -> tuple[Real, float]:
        """The best column, (num_angles, 1), and its value, less and less smoothed."""
        objective = Sampling(ansatz, _typed(self.sigma, ansatz), starts, self.sweeps)
        steps, each = iterations // len(etas), objective.seconds
        for eta in etas:
            x, values = minimise(lambda y, eta=eta: objective(y, eta), x, steps, deadline, each)  # type: ignore[misc]
        best = int(np.argmin(values))
        return x[:, [best]], float(values[best])

    def _hardest(self, ansatz: Ansatz, x: Real, starts: Array) -> Array:
        """Those that are the farthest now: others hardly count in the power mean, and come back as worst starts."""
        if len(starts) < self.at_once:
            return starts
        each = Sampling(ansatz, _typed(self.sigma, ansatz), starts, self.sweeps).distances(x[:, 0])
        return np.asarray(starts[np.sort(np.argsort(each)[-self.at_once + 1 :])])

    def longer(self, fit: Fit, deadline: Deadline) -> Fit:
        """The same angles in this many sweeps."""
        x, ansatz = fit.program.angles[:, None], fit.program.ansatz
        found = self._twice(ansatz, x, self._worst(ansatz, x, deadline), deadline)
        return replace(fit.program, sweeps=self.sweeps).candidate(found[0])

    def _twice(self, ansatz: Ansatz, x: Real, found: tuple[float, Array], deadline: Deadline) -> tuple[float, Array]:
        """The worse of what was found from random states and what is from fixed ones."""
        return max(found, self._worst(ansatz, x, deadline, self._fixed), key=lambda pair: pair[0])

    def _worst(self, ansatz: Ansatz, x: Real, deadline: Deadline, begun: Array | None = None) -> tuple[float, Array]:
        objective = Sampling(ansatz, _typed(self.sigma, ansatz), self.starts, self.sweeps)
        return worst_of(objective.operators(x[:, 0]), self.sweeps, self.sigma, self.rng, deadline, begun=begun)

    @cached_property
    def _fixed(self) -> Array:
        return fixed_starts(np.linalg.eigh(self.sigma)[1])


def _typed(matrix: Array, ansatz: Ansatz) -> Values:
    return np.asarray(matrix.real, dtype=float) if ansatz.real else np.asarray(matrix, dtype=complex)


def worst_of(
    V: Values,
    sweeps: int,
    sigma: Array,
    rng: np.random.Generator,
    deadline: Deadline,
    seeds: int = SEEDS,
    begun: Array | None = None,
    measure: Measure = WHOLE,
) -> tuple[float, Array]:
    """The worst pure start found by see-saw: the measure's witness of Φ(ψ) and σ, then ψ its best state.

    It begins with the states `begun`, or with so many random ones; its work counts against the deadline, which does not
    end it.
    """
    found = climbed(
        V, sweeps, sigma, random_states(seeds, len(sigma), rng) if begun is None else begun, deadline, measure
    )
    return max(found, key=lambda pair: pair[0])


def climbed(
    V: Values, sweeps: int, sigma: Array, begun: Array, deadline: Deadline, measure: Measure = WHOLE
) -> list[tuple[float, Array]]:
    """Where a see-saw from each of the states ends: the largest distance met, and the start that has it."""
    step, ends = costs.seesaw(len(V), len(sigma), sweeps, real=not np.iscomplexobj(V)), list[tuple[float, Array]]()
    for psi in begun:
        worst, before, state = -1.0, -1.0, np.eye(len(sigma), dtype=complex) / len(sigma)
        for _ in range(CLIMBS):
            deadline.spend(step)
            rho = np.outer(psi, psi.conj())
            image: Values = rho
            for _ in range(sweeps):
                image = applied(V, image)
            distance = measure.distance(image - sigma)
            if distance > worst:
                worst, state = distance, rho
            if distance - before < 1e-5:
                break
            before = distance
            M = measure.witness(image - sigma)
            for _ in range(sweeps):
                M = adjoint(V, M)
            psi = np.linalg.eigh(M)[1][:, -1]
        ends.append((worst, np.asarray(state, dtype=complex)))
    return ends


def usual_starts(n: int, few: bool = False) -> Array:
    """The mixed state and products of equal qubits along ±z, ±x, +y; `few`: the mixed state, ±z and +y."""
    vectors = equal_qubits(n, ("z", "-z", "y") if few else ("z", "-z", "y", "x", "-x"))
    return stacked([np.eye(2**n, dtype=complex) / 2**n, *(np.outer(v, v.conj()) for v in vectors)])
