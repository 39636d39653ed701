"""What every step of a sweep answers for itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from ...linalg.paulis import Term
from ..product_formulas import Group


class Step(ABC):
    """One step of a sweep: what every reading may ask it, without asking for its class."""

    kind: ClassVar[str]  # in a saved program
    primitive: ClassVar[str]  # the method of a reading that takes it: see `lower`
    random: ClassVar[bool] = False  # drawn anew every time
    couples: ClassVar[bool] = False  # a node of a jump in time: rotates an ancilla with a Pauli sum
    corrects: ClassVar[bool] = False  # a part of the coherent term

    @property
    @abstractmethod
    def text(self) -> str:
        """Canonical text: equal steps have equal texts."""

    @property
    def touches(self) -> tuple[int, ...]:
        """Ancillas that it may leave away from |0⟩."""
        return ()

    @property
    def resets(self) -> tuple[int, ...]:
        """Ancillas that it puts back into |0⟩."""
        return ()

    def leaves(self, dirty: Set[int]) -> set[int]:
        """The ancillas that may be away from |0⟩ after it, where before it those are `dirty`."""
        return (set(dirty) | {*self.touches}) - {*self.resets}

    @property
    def options(self) -> tuple[Branch, ...]:
        """What a random step draws from; nothing for any other."""
        return ()

    @property
    def free_time(self) -> float:
        """How long the system evolves under H, 1/energy; the mean of a random step."""
        return 0.0

    @property
    def order(self) -> int:
        """Order of its product formula; 0 where there is none."""
        return 0

    @property
    def left_out(self) -> tuple[str, ...]:
        """Labels of the terms of H that an evolution leaves out."""
        return ()

    @property
    def purpose(self) -> str:
        """What a touched ancilla is there for: the terms that it is coupled to, or the name of a dense block."""
        return " + ".join(self.strings(()) or ())

    @property
    def turn(self) -> tuple[str, float, float] | None:
        """(P, θ, φ) of exp(−iθ P ⊗ (cos φ X + sin φ Y)) with P on one site at most; None if it is no such step."""
        return None

    def groups(self, groups: tuple[Group, ...]) -> tuple[Group, ...]:
        """The Pauli sums that it is made of, `groups` being those of H."""
        return ()

    def strings(self, groups: tuple[Group, ...]) -> list[str] | None:
        """Labels of the Pauli strings that it is made of, `groups` being those of H; None if it is a dense matrix."""
        return [label for group in self.groups(groups) for label, _ in group.terms]

    def rotations(self) -> tuple[Term, ...]:
        """Of a coupling the Pauli rotations (label, angle) in order of time, each exp(−i angle P ⊗ axis)."""
        return ()

    def sample(self, rng: np.random.Generator) -> tuple[int, ...]:
        """The draw that it takes, a whole number; none if it is not random."""
        return ()

    def performed(self, draws: Iterator[int]) -> Iterator[Step]:
        """The steps that are performed, taking a draw where one is needed."""
        yield self

    def mapped(self, change: Callable[[Step], Step]) -> Step:
        """With `change` applied to it; to what is drawn, if it is random."""
        return change(self)

    def mapped_steps(self, change: Callable[[tuple[Step, ...]], tuple[Step, ...]]) -> Step:
        """With `change` applied to the steps of every option, if it is random."""
        return self

    def halves(self) -> tuple[Step, ...]:
        """A coupling as two of half the angle; any other step alone."""
        return (self,)

    def renumbered(self, number: Mapping[int, int]) -> Step | None:
        """On other ancillas; of a reset those that have a number, None if it has none of them."""
        return self

    def saved(self) -> dict[str, Any]:
        """Its fields as JSON takes them, `kind` first."""
        return {"kind": self.kind, **{one.name: getattr(self, one.name) for one in fields(self)}}  # type: ignore[arg-type]

    @classmethod
    def read(cls, values: Mapping[str, Any], num_system: int) -> Step:
        """The step that `saved` these values, `kind` left out; errors of any kind if they are none."""
        return cls(**values)


class Draw(Step):
    """A step that is drawn anew every time: one of its options, performed one of several numbers of times."""

    random = True

    @property
    @abstractmethod
    def times(self) -> range:
        """The numbers of times that the option may be performed, all equally likely."""

    @abstractmethod
    def drawn(self, draw: int) -> tuple[int, ...]:
        """The options that are performed at a draw, one after the other."""

    @property
    def mean(self) -> float:
        """How often an option is performed, on average."""
        return (self.times[0] + self.times[-1]) / 2

    @property
    def free_time(self) -> float:
        return self.mean * sum(b.probability * sum(step.free_time for step in b.steps) for b in self.options)

    def strings(self, groups: tuple[Group, ...]) -> list[str] | None:
        found = [step.strings(groups) for branch in self.options for step in branch.steps]
        return None if None in found else [label for labels in found for label in labels or ()]

    def performed(self, draws: Iterator[int]) -> Iterator[Step]:
        return (step for k in self.drawn(next(draws)) for step in self.options[k].steps)

    def mapped(self, change: Callable[[Step], Step]) -> Step:
        return self.mapped_steps(lambda steps: tuple(map(change, steps)))

    def renumbered(self, number: Mapping[int, int]) -> Step:
        return self.mapped_steps(lambda steps: renumbered(steps, number))


@dataclass(frozen=True, eq=False)
class Branch:
    """Steps without randomness of their own, and how likely they are."""

    probability: float
    steps: tuple[Step, ...]


def flat(steps: Iterable[Step]) -> Iterator[Step]:
    """All steps, after every random one those that it draws from."""
    for step in steps:
        yield step
        for branch in step.options:
            yield from flat(branch.steps)


def renumbered(steps: Iterable[Step], number: Mapping[int, int]) -> tuple[Step, ...]:
    """Steps on other ancillas; those of which nothing is left are gone."""
    return tuple(done for step in steps if (done := step.renumbered(number)) is not None)
