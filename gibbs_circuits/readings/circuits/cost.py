"""Program → cost in closed form; only dense blocks are counted on their synthesis."""

from __future__ import annotations

from dataclasses import dataclass

from ...io.rendering import Shown
from ...models.signatures import public
from ...programs.lower import lower
from ...programs.product_formulas import factors, rotation_cost
from ...programs.program import Program
from ...programs.steps import Couple, Draw, Exponential, Reset, Step, Unitary
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


def _resets(step: Step) -> float:
    return len(step.resets) + sum(b.probability * sum(map(_resets, b.steps)) for b in step.options)


def step_gates(program: Program, step: Step) -> float:
    """Two-qubit gates of one step; the mean for a random one."""
    return lower(step, _Gates(program))


@dataclass(frozen=True)
class _Gates:
    """Two-qubit gates of every primitive."""

    program: Program

    def exponential(self, step: Exponential) -> float:
        groups, time = step.groups(self.program.groups), step.duration / step.slices
        return sum(
            rotation_cost(label, coefficient * fraction * time)
            for index, fraction in factors(len(groups), step.order, step.slices)
            if not groups[index].local
            for label, coefficient in groups[index].terms
        )

    def coupling(self, step: Couple) -> float:
        return sum(rotation_cost(label + "X", angle) for label, angle in step.rotations())

    def unitary(self, step: Unitary) -> float:
        return dense_cost(step, self.program.num_system)

    def reset(self, _: Reset) -> float:
        return 0

    def draw(self, step: Draw) -> float:
        return step.mean * sum(b.probability * sum(lower(one, self) for one in b.steps) for b in step.options)

    delay = choice = draw
