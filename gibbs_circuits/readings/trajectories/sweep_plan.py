"""A sweep as a list of actions on many state vectors: what is equal for all is prepared once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...linalg.paulis import PauliString
from ...programs.lower import lower
from ...programs.program import Program
from ...programs.steps import Couple, Exponential, RandomChoice, RandomDelay, Reset, Step, Unitary
from .evolution import evolution
from .state_batches import Kernel
from .unravelling import Action, Choosing, Coupling, Delaying, Dense, Evolving, Paulis, Resetting


@dataclass(frozen=True, eq=False)
class Plan:
    """One sweep of a stage: its actions, and how many random numbers and resets it has at most."""

    actions: tuple[Action, ...]
    draws: int
    resets: int


def plan(program: Program, stage: int) -> Plan:
    """A stage's sweep as actions.

    Raises:
        TooLargeError: For an exact exponential above 10 qubits.
    """
    made = _Made(program)
    actions = _actions((program.stages[stage].steps,), made)
    return Plan(actions, made.draws, made.resets)


@dataclass
class _Made:
    """What the actions of a plan share: random numbers and resets used so far, kernels and tables of Pauli strings."""

    program: Program
    draws: int = 0
    resets: int = 0
    kernels: dict[tuple[Exponential, ...], tuple[Kernel, ...]] = field(default_factory=dict)
    tables: dict[tuple[str, ...], Paulis] = field(default_factory=dict)

    def evolving(self, steps: tuple[Exponential, ...]) -> tuple[Kernel, ...]:
        if steps not in self.kernels:
            self.kernels[steps] = evolution(steps, self.program.groups, self.program.num_system)
        return self.kernels[steps]

    def paulis(self, labels: tuple[str, ...]) -> Paulis:
        if labels not in self.tables:
            self.tables[labels] = Paulis(tuple(map(PauliString.of, labels)), 2**self.program.num_system)
        return self.tables[labels]


def _actions(options: Sequence[tuple[Step, ...]], made: _Made) -> tuple[Action, ...]:
    """Of step lists that differ in their couplings only."""
    builder = _Builder(made)
    for alike in zip(*options, strict=True):
        for step in alike if alike[0].couples else alike[:1]:
            lower(step, builder)
        builder.couple()
    builder.evolve()
    return tuple(builder.found)


@dataclass
class _Builder:
    """Steps → actions; evolutions wait for those that follow, couplings for those of the other options."""

    made: _Made
    found: list[Action] = field(default_factory=list)
    evolving: list[Exponential] = field(default_factory=list)
    coupling_options: list[Couple] = field(default_factory=list)

    def evolve(self) -> None:
        if self.evolving:
            self.found.append(Evolving(self.made.evolving(tuple(self.evolving))))
        self.evolving = []

    def couple(self) -> None:
        """Append the rotations of one coupling; one that goes on where the last one ended only adds its angles."""
        options, self.coupling_options = self.coupling_options, []
        if not options:
            return
        self.evolve()
        axes = np.array([step.axis for step in options])
        for rotations in zip(*(step.rotations() for step in options), strict=True):
            paulis = self.made.paulis(tuple(label for label, _ in rotations))
            new = Coupling(paulis, options[0].ancilla, np.array([angle for _, angle in rotations]), axes)
            last = self.found[-1] if self.found else None
            if (
                isinstance(last, Coupling)
                and (last.paulis, last.ancilla) == (new.paulis, new.ancilla)
                and np.array_equal(last.axes, axes)
            ):
                self.found[-1] = Coupling(paulis, new.ancilla, last.angles + new.angles, axes)
            else:
                self.found.append(new)

    def exponential(self, step: Exponential) -> None:
        self.evolving.append(step)

    def coupling(self, step: Couple) -> None:
        self.coupling_options.append(step)

    def unitary(self, step: Unitary) -> None:
        self.evolve()
        self.found.append(Dense(step))

    def reset(self, step: Reset) -> None:
        self.evolve()
        for ancilla in step.ancillas:
            self.found.append(Resetting(ancilla, self.made.draws, self.made.resets))
            self.made.draws, self.made.resets = self.made.draws + 1, self.made.resets + 1

    def delay(self, step: RandomDelay) -> None:
        self.evolve()
        self.found.append(Delaying(self.made.evolving((step.unit,)), step.low, step.high, self.made.draws))
        self.made.draws += 1

    def choice(self, step: RandomChoice) -> None:
        self.evolve()
        made, branches = self.made, step.branches
        draw, made.draws = made.draws, made.draws + 1
        kinds: dict[tuple[object, ...], list[int]] = {}
        for index, branch in enumerate(branches):
            kinds.setdefault(tuple(map(_frame, branch.steps)), []).append(index)
        start, ends, actions = (made.draws, made.resets), [], []
        kind, option = np.zeros((2, len(branches)), dtype=np.int64)
        for number, members in enumerate(kinds.values()):
            made.draws, made.resets = start
            actions.append(_actions([branches[index].steps for index in members], made))
            ends.append((made.draws, made.resets))
            kind[members], option[members] = number, np.arange(len(members))
        made.draws, made.resets = (max(end) for end in zip(*ends, strict=True))
        edges = np.cumsum([branch.probability for branch in branches])
        self.found.append(Choosing(edges, kind, option, tuple(actions), draw))


def _frame(step: Step) -> object:
    """What branches must share to run together: everything but the Pauli strings, angles and axes of couplings."""
    return (step.touches, len(step.rotations())) if step.couples else step.text


def most_carried(steps: Iterable[Step]) -> int:
    """The largest number of ancillas away from |0⟩ at the same time."""
    carried, most = set[int](), 0
    for step in steps:
        carried = step.leaves(carried)
        most = max(most, len(carried), *(most_carried(branch.steps) for branch in step.options))
    return most
