r"""What a sweep is to first order in its strength: jumps, a Hamiltonian and free evolution, read off its couplings.

In the frame that turns with the sweep's own evolution, a coupling at time t is $V = \theta e^{i\phi}A(t)$. Between two
resets an ancilla collects the jump $L = \sum_l V_l$ and, from the order of its nodes, the Hamiltonian
$S = \frac{1}{2i}\sum_{l>l'}(V_l^\dagger V_{l'} - h.c.)$.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from ...generators.matrices import balance_term
from ...linalg.arrays import Array
from ...linalg.maps import Map, mean_of_powers
from ...linalg.paulis import pauli_times
from ...models.spectrum import spectrum
from ...programs.lower import lower
from ...programs.program import Program
from ...programs.steps import Couple, Exponential, RandomChoice, RandomDelay, Reset, Step, Unitary
from ...programs.transforms import Steps
from .evolver import Evolver

SAME = 1e-9  # unitaries this close are one


class NotReadableError(Exception):
    """A sweep that is not made of couplings between resets."""


@dataclass(frozen=True, eq=False)
class SweepCouplings:
    """The couplings of a sweep, and how the system evolves without them.

    Attributes:
        jumps: Stack of L, shape (number, d, d), in the frame of the beginning; probabilities are included as roots.
        hamiltonian: What is compiled of a coherent term, and S.
        ordering: S alone.
        free: The evolution from beginning to end; `probability` times everything here is what a sweep draws.
        probability: Of this evolution.
    """

    jumps: Array
    hamiltonian: Array
    ordering: Array
    free: Array
    probability: float = 1.0

    @property
    def decay(self) -> Array:
        """R = Σ L†L."""
        return np.asarray(np.einsum("kji,kjl->il", self.jumps.conj(), self.jumps))


@dataclass(frozen=True, eq=False)
class Segment:
    """A part of a sweep that ends in a random delay, or in a choice between different evolutions.

    Attributes:
        kicks: One per different evolution.
        steps: The steps without the delay.
        delay: The map of the delay, if there is one.
        time: Mean free time, the delay included.
    """

    kicks: tuple[SweepCouplings, ...]
    steps: Steps
    delay: Map | None
    time: float


@dataclass
class _Walk:
    """Goes through steps, collecting what they do to first order."""

    evolver: Evolver
    free: Array
    time: float = 0.0
    jumps: list[Array] = field(default_factory=list)
    coherent: Array | float = 0.0
    ordering: Array | float = 0.0
    open: dict[int, Array] = field(default_factory=dict)

    def go(self, steps: Steps) -> None:
        for step in steps:
            lower(step, self)

    def exponential(self, step: Exponential) -> None:
        if not step.corrects:
            self.free = self.evolver.unitary(step) @ self.free
            self.time += step.free_time
            return
        terms = (term for group in step.groups(self.evolver.groups) for term in group.terms)
        B = sum(c * pauli_times(label, self.free) for label, c in terms)
        self.coherent = self.coherent + step.duration * (self.free.conj().T @ B)

    def coupling(self, step: Couple) -> None:
        A = sum(c * pauli_times(label, self.free) for label, c in step.terms)
        V = step.angle * np.exp(1j * step.axis) * (self.free.conj().T @ A)
        before = self.open.get(step.ancilla)
        if before is not None:
            later = V.conj().T @ before
            self.ordering = self.ordering + (later - later.conj().T) / 2j
        self.open[step.ancilla] = V if before is None else before + V

    def reset(self, step: Reset) -> None:
        self.jumps += [self.open.pop(ancilla) for ancilla in step.ancillas if ancilla in self.open]

    def unitary(self, step: Unitary) -> None:
        if step.ancillas:
            raise NotReadableError
        self.free = step.matrix @ self.free

    def delay(self, _: RandomDelay) -> None:
        raise NotReadableError

    def choice(self, step: RandomChoice) -> None:
        self._choose([self._branch(b.probability, b.steps) for b in step.branches])

    def _branch(self, probability: float, steps: Steps) -> SweepCouplings:
        inner = _Walk(self.evolver, np.eye(len(self.free), dtype=complex), self.time)
        inner.go(steps)
        return inner.kick(probability)

    def _choose(self, kicks: list[SweepCouplings]) -> None:
        first = kicks[0].free
        if any(np.linalg.norm(kick.free - first) > SAME for kick in kicks):
            raise NotReadableError
        U = self.free
        for kick in kicks:
            p = kick.probability
            self.jumps += [np.sqrt(p) * U.conj().T @ L @ U for L in kick.jumps]
            self.coherent = self.coherent + p * U.conj().T @ (kick.hamiltonian - kick.ordering) @ U
            self.ordering = self.ordering + p * U.conj().T @ kick.ordering @ U
        self.free = first @ U

    def kick(self, probability: float = 1.0) -> SweepCouplings:
        if self.open:
            raise NotReadableError
        d = len(self.free)
        zero = np.zeros((d, d), dtype=complex)
        jumps = np.stack(self.jumps) if self.jumps else zero[None]
        ordering = zero + self.ordering
        return SweepCouplings(jumps, ordering + self.coherent, ordering, self.free, probability)


@lru_cache(maxsize=8)
def segments(program: Program, stage: int = -1) -> tuple[Segment, ...]:
    """A sweep as parts with one first-order reading each; usually a single one.

    Raises:
        NotReadableError: If a dense unitary touches an ancilla, or time is random while an ancilla is in use.
    """
    cut = _Segments(Evolver(program.groups, program.num_system), np.eye(2**program.num_system, dtype=complex))
    for step in program.stages[stage].steps:
        lower(step, cut)
        cut.dirty = step.leaves(cut.dirty)
    if cut.held or not cut.found:
        cut.close()
    return tuple(cut.found)


class _Segments:
    """A sweep cut at its random steps; `held` are the steps since the last cut."""

    def __init__(self, evolver: Evolver, one: Array) -> None:
        self.evolver, self.one = evolver, one
        self.found: list[Segment] = []
        self.held: list[Step] = []
        self.dirty = set[int]()

    def hold(self, step: Step, /) -> None:
        self.held.append(step)

    exponential = coupling = unitary = reset = hold

    def close(self) -> None:
        walk = _Walk(self.evolver, self.one)
        walk.go(tuple(self.held))
        self.found.append(Segment((walk.kick(),), tuple(self.held), None, walk.time))
        self.held = []

    def delay(self, step: RandomDelay) -> None:
        if self.dirty:
            self.hold(step)
            return
        if self.held or not self.found or self.found[-1].delay is not None:
            self.close()
        last, mean = self.found[-1], mean_of_powers(self.evolver.unitary(step.unit), step.low, step.high)
        self.found[-1] = replace(last, delay=mean, time=last.time + step.free_time)

    def choice(self, step: RandomChoice) -> None:
        walk = _Walk(self.evolver, self.one)
        families: list[list[SweepCouplings]] = []
        for kick in (walk._branch(b.probability, b.steps) for b in step.branches):
            alike = (family for family in families if np.linalg.norm(kick.free - family[0].free) <= SAME)
            family = next(alike, None)
            if family is None:
                families.append([kick])
            else:
                family.append(kick)
        if len(families) == 1:
            self.hold(step)
            return
        if self.held:
            self.close()
        self.found.append(Segment(tuple(map(_gathered, families)), (step,), None, step.free_time))


def _gathered(family: list[SweepCouplings]) -> SweepCouplings:
    total = sum(kick.probability for kick in family)
    shares = [kick.probability / total for kick in family]
    return SweepCouplings(
        np.concatenate([np.sqrt(p) * kick.jumps for p, kick in zip(shares, family, strict=True)]),
        np.asarray(sum(p * kick.hamiltonian for p, kick in zip(shares, family, strict=True))),
        np.asarray(sum(p * kick.ordering for p, kick in zip(shares, family, strict=True))),
        family[0].free,
        total,
    )


def kick_of(program: Program, steps: Steps, evolver: Evolver | None = None) -> SweepCouplings:
    """The reading of some steps, in the frame of their beginning.

    Raises:
        NotReadableError: As for `segments`.
    """
    walk = _Walk(evolver or Evolver(program.groups, program.num_system), np.eye(2**program.num_system, dtype=complex))
    walk.go(steps)
    return walk.kick()


def balance(program: Program, decay: Array) -> Array:
    """The coherent term that belongs to these jumps, in the frame they are in: B is covariant under e^{−iHt}."""
    s = spectrum(program.lindbladian.bohr_model)
    B = s.from_energy(balance_term(s.to_energy(decay), s, program.generator.beta))
    return np.asarray((B + B.conj().T) / 2)
