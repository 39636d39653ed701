"""How long it takes to write a sweep as a chain of maps, before it is done."""

from __future__ import annotations

from collections.abc import Iterable

from ...linalg.speed import PASSES, PRODUCTS
from ...programs.lower import lower
from ...programs.program import Program
from ...programs.steps import Couple, Exponential, RandomChoice, RandomDelay, Reset, Step, Unitary

ROTATION = 4  # passes of one Pauli rotation


def building_seconds(program: Program) -> float:
    """Estimated seconds for `sweep_map` of all stages, from the sizes of its matrices; good to a factor of 3."""
    return sum(branch_seconds(program.num_system, stage.steps) for stage in program.stages)


def branch_seconds(num_system: int, steps: Iterable[Step]) -> float:
    """Nominal seconds to build the map of some steps, from their sizes."""
    clock = _Clock(num_system)
    for step in steps:
        lower(step, clock)
        if not clock.dirty:
            clock.columns = clock.dim
    return clock.seconds


class _Clock:
    """Adds up what every primitive takes on a state of dim × `columns` numbers."""

    def __init__(self, num_system: int) -> None:
        self.num_system, self.dim, self.columns = num_system, 2**num_system, 2**num_system
        self.dirty, self.seconds = set[int](), 0.0

    def exponential(self, _: Exponential) -> None:
        self.seconds += 8 * self.dim * self.dim * self.columns / PRODUCTS

    def coupling(self, step: Couple) -> None:
        self.columns *= 1 if step.ancilla in self.dirty else 2
        self.dirty.add(step.ancilla)
        self.seconds += ROTATION * len(step.rotations()) * self.dim * self.columns / PASSES

    def unitary(self, step: Unitary) -> None:
        new = set(step.ancillas) - self.dirty
        self.columns *= 2 ** len(new)
        self.dirty |= new
        self.seconds += 8 * 2 ** len(step.ancillas) * self.dim * self.dim * self.columns / PRODUCTS

    def reset(self, step: Reset) -> None:
        self.dirty -= set(step.ancillas)
        self.seconds += 2 * self.dim * self.columns / PASSES

    def delay(self, step: RandomDelay) -> None:
        if self.dirty:
            self.columns *= len(step.times)
            self.exponential(step.unit)
        else:
            self.seconds += 60 * self.dim**3 / PRODUCTS

    def choice(self, step: RandomChoice) -> None:
        self.seconds += sum(branch_seconds(self.num_system, branch.steps) for branch in step.branches)
