"""A sweep as a list of actions on many state vectors: what is equal for all is prepared once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from ...linalg.paulis import PauliString, Term
from ...programs.program import Program
from ...programs.steps import (
    Branch,
    Correct,
    Couple,
    Evolve,
    RandomChoice,
    RandomDelay,
    Reset,
    Step,
    Unitary,
    step_text,
)
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
    builder = _Builder(program)
    actions = builder.actions((program.stages[stage].steps,))
    return Plan(actions, builder.draws, builder.resets)


@dataclass
class _Builder:
    program: Program
    draws: int = 0
    resets: int = 0
    made: dict[tuple[Evolve | Correct, ...], tuple[Kernel, ...]] = field(default_factory=dict)
    tables: dict[tuple[str, ...], Paulis] = field(default_factory=dict)

    def actions(self, options: Sequence[tuple[Step, ...]]) -> tuple[Action, ...]:
        """Of step lists that differ in their couplings only."""
        found: list[Action] = []
        for evolves, run in groupby(zip(*options, strict=True), lambda alike: isinstance(alike[0], Evolve | Correct)):
            if evolves:
                found.append(Evolving(self._kernels(tuple(alike[0] for alike in run))))
                continue
            for alike in run:
                match alike[0]:
                    case Couple():
                        self._couple([step for step in alike if isinstance(step, Couple)], found)
                    case Unitary():
                        found.append(Dense(alike[0]))
                    case Reset():
                        for ancilla in alike[0].ancillas:
                            found.append(Resetting(ancilla, self.draws, self.resets))
                            self.draws, self.resets = self.draws + 1, self.resets + 1
                    case RandomDelay():
                        unit, low, high = alike[0].unit, alike[0].low, alike[0].high
                        found.append(Delaying(self._kernels((unit,)), low, high, self.draws))
                        self.draws += 1
                    case RandomChoice():
                        found.append(self._choice(alike[0].branches))
        return tuple(found)

    def _kernels(self, steps: tuple[Evolve | Correct, ...]) -> tuple[Kernel, ...]:
        if steps not in self.made:
            self.made[steps] = evolution(steps, self.program.groups, self.program.num_system)
        return self.made[steps]

    def _couple(self, options: list[Couple], found: list[Action]) -> None:
        """Append the rotations of one coupling; one that goes on where the last one ended only adds its angles."""
        axes = np.array([step.axis for step in options])
        for rotations in zip(*map(_rotations, options), strict=True):
            labels, angles = tuple(label for label, _ in rotations), np.array([angle for _, angle in rotations])
            if labels not in self.tables:
                strings = tuple(PauliString.of(label) for label in labels)
                self.tables[labels] = Paulis(strings, 2**self.program.num_system)
            new = Coupling(self.tables[labels], options[0].ancilla, angles, axes)
            last = found[-1] if found else None
            if (
                isinstance(last, Coupling)
                and (last.paulis, last.ancilla) == (new.paulis, new.ancilla)
                and np.array_equal(last.axes, axes)
            ):
                found[-1] = Coupling(new.paulis, new.ancilla, last.angles + angles, axes)
            else:
                found.append(new)

    def _choice(self, branches: tuple[Branch, ...]) -> Choosing:
        draw, self.draws = self.draws, self.draws + 1
        kinds: dict[tuple[object, ...], list[int]] = {}
        for index, branch in enumerate(branches):
            kinds.setdefault(tuple(map(_frame, branch.steps)), []).append(index)
        start, ends, actions = (self.draws, self.resets), [], []
        kind, option = np.zeros((2, len(branches)), dtype=np.int64)
        for number, members in enumerate(kinds.values()):
            self.draws, self.resets = start
            actions.append(self.actions([branches[index].steps for index in members]))
            ends.append((self.draws, self.resets))
            kind[members], option[members] = number, np.arange(len(members))
        self.draws, self.resets = (max(end) for end in zip(*ends, strict=True))
        edges = np.cumsum([branch.probability for branch in branches])
        return Choosing(edges, kind, option, tuple(actions), draw)


def _rotations(step: Couple) -> tuple[Term, ...]:
    if len(step.terms) == 1:  # thousands of branches: not worth asking whether one term commutes with itself
        return ((step.terms[0][0], step.angle * step.terms[0][1]),)
    return step.rotations()


def _frame(step: Step) -> object:
    """What branches must share to run together: everything but the Pauli strings, angles and axes of couplings."""
    match step:
        case Couple():
            return step.ancilla, len(_rotations(step))
        case Unitary():
            return step_text(step)
        case _:
            return step


def most_carried(steps: Sequence[Step]) -> int:
    """The largest number of ancillas away from |0⟩ at the same time."""
    carried, most = set[int](), 0
    for step in steps:
        match step:
            case Couple():
                carried.add(step.ancilla)
            case Unitary():
                carried |= set(step.ancillas)
            case Reset():
                carried -= set(step.ancillas)
            case RandomChoice():
                most = max(most, *(most_carried(branch.steps) for branch in step.branches))
            case _:
                pass
        most = max(most, len(carried))
    return most
