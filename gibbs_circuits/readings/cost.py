"""Program → cost in closed form, without building a circuit."""

from __future__ import annotations

from dataclasses import dataclass

from ..compiler import Couple, Evolve, Group, Program, RandomDelay, Reset, Step
from ..compiler.trotter import factors, rotation_cost


@dataclass(frozen=True)
class Cost:
    """Mean over random delays; a Pauli rotation of weight w is 2(w − 1) two-qubit gates."""

    two_qubit_gates: float
    resets: int
    two_qubit_gates_per_sweep: tuple[float, ...]  # one per stage


def cost(program: Program) -> Cost:
    """Two-qubit gates and resets of all sweeps; the preparation of the initial state is not counted."""
    per_sweep = tuple(sum(step_gates(program.groups, step) for step in stage.steps) for stage in program.stages)
    resets = sum(
        stage.repeats * len(step.ancillas)
        for stage in program.stages
        for step in stage.steps
        if isinstance(step, Reset)
    )
    total = sum(gates * stage.repeats for gates, stage in zip(per_sweep, program.stages, strict=True))
    return Cost(total, resets, per_sweep)


def step_gates(groups: tuple[Group, ...], step: Step) -> float:
    """Two-qubit gates of one step; the mean for a random delay."""
    match step:
        case Evolve():
            active = step.groups(groups)
            return sum(active[g].two_qubit_gates for g, _ in factors(len(active), step.order, step.slices))
        case Couple():
            return sum(rotation_cost(label + "X") for label, _ in step.rotations())
        case RandomDelay():
            return step.mean * step_gates(groups, step.unit)
        case Reset():
            return 0
