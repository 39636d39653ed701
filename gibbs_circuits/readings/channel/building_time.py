"""How long it takes to write a sweep as a chain of maps, before it is done."""

from __future__ import annotations

from collections.abc import Sequence

from ...linalg.speed import PASSES, PRODUCTS
from ...programs.program import Program
from ...programs.steps import Correct, Couple, Evolve, RandomChoice, RandomDelay, Reset, Step, Unitary

ROTATION = 4  # passes of one Pauli rotation


def building_seconds(program: Program) -> float:
    """Estimated seconds for `sweep_map` of all stages, from the sizes of its matrices; good to a factor of 3."""
    return sum(branch_seconds(program.num_system, stage.steps) for stage in program.stages)


def branch_seconds(num_system: int, steps: Sequence[Step]) -> float:
    """The same for some steps."""
    d, columns, dirty, total = 2**num_system, 2**num_system, set[int](), 0.0  # `columns` of the state that is written
    for step in steps:
        evolution = 8 * d * d * columns / PRODUCTS
        match step:
            case Evolve() | Correct():
                total += evolution
            case Couple():
                columns *= 1 if step.ancilla in dirty else 2
                dirty.add(step.ancilla)
                total += ROTATION * len(step.rotations()) * d * columns / PASSES
            case Unitary():
                new = set(step.ancillas) - dirty
                columns *= 2 ** len(new)
                dirty |= new
                total += 8 * 2 ** len(step.ancillas) * d * d * columns / PRODUCTS
            case RandomDelay() if dirty:
                columns *= step.high - step.low + 1
                total += 8 * d * d * columns / PRODUCTS
            case RandomDelay():
                total += 60 * d**3 / PRODUCTS
            case RandomChoice():
                total += sum(branch_seconds(num_system, branch.steps) for branch in step.branches)
            case Reset():
                dirty -= set(step.ancillas)
                total += 2 * d * columns / PASSES
        if not dirty:
            columns = d
    return total
