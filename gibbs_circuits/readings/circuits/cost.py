"""Program → cost in closed form; only dense blocks are counted on their synthesis."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...io.rendering import Shown
from ...models.signatures import public
from ...programs.product_formulas import Group, factors, rotation_cost
from ...programs.program import Program
from ...programs.steps import Correct, Couple, Evolve, RandomChoice, RandomDelay, Reset, Step, Unitary
from .dense_synthesis import dense_cost


@dataclass(frozen=True, repr=False)
class Cost(Shown):
    """Mean over random steps; a Pauli rotation of weight w is 2(w − 1) two-qubit gates, by π/4 on two qubits one."""

    two_qubit_gates: float
    resets: float
    two_qubit_gates_per_sweep: tuple[float, ...]  # one per stage


@public
def cost(program: Program) -> Cost:
    """Two-qubit gates and resets of all sweeps; the preparation of the initial state is not counted."""
    per_sweep = tuple(sum(step_gates(program, step) for step in stage.steps) for stage in program.stages)
    resets = round(sum(stage.repeats * _resets(step) for stage in program.stages for step in stage.steps), 9)
    total = sum(gates * stage.repeats for gates, stage in zip(per_sweep, program.stages, strict=True))
    return Cost(total, resets, per_sweep)


def two_qubit_gates_at(program: Program, draws: Iterable[int]) -> float:
    """Two-qubit gates of all sweeps at given draws of the random steps: exactly those of the circuit written out."""
    left = iter(draws)

    def gates(step: Step) -> float:
        match step:
            case RandomDelay():
                return next(left) * step_gates(program, step.unit)
            case RandomChoice():
                return sum(map(gates, step.branches[next(left)].steps))
            case _:
                return step_gates(program, step)

    return sum(gates(step) for stage in program.stages for _ in range(stage.repeats) for step in stage.steps)


def _resets(step: Step) -> float:
    match step:
        case Reset():
            return len(step.ancillas)
        case RandomChoice():
            return sum(branch.probability * sum(map(_resets, branch.steps)) for branch in step.branches)
        case _:
            return 0


def step_gates(program: Program, step: Step) -> float:
    """Two-qubit gates of one step; the mean for a random one."""
    match step:
        case Evolve():
            return _product_gates(step.groups(program.groups), step)
        case Correct():
            return _product_gates(step.term, step)
        case Couple():
            return sum(rotation_cost(label + "X", angle) for label, angle in step.rotations())
        case Unitary():
            return dense_cost(step, program.num_system)
        case RandomDelay():
            return step.mean * step_gates(program, step.unit)
        case RandomChoice():
            return sum(b.probability * sum(step_gates(program, s) for s in b.steps) for b in step.branches)
        case Reset():
            return 0


def _product_gates(groups: tuple[Group, ...], step: Evolve | Correct) -> float:
    time = step.duration / step.slices
    return sum(
        rotation_cost(label, coefficient * fraction * time)
        for index, fraction in factors(len(groups), step.order, step.slices)
        if not groups[index].local
        for label, coefficient in groups[index].terms
    )
