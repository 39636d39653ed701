"""The same program with one thing changed: what measuring an error rung by rung needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil
from typing import Any

from ..compiler import EXACT, SCHEMES, Evolve, Program, RandomDelay, Stage, Step

FINE_POINTS_PER_WIDTH = 8  # nodes per filter width of the reference grid
FINE_HALF_WIDTH = 3  # filter widths on either side; a Gaussian has fallen to e^{−18} there


def with_knobs(program: Program, **changes: Any) -> Program:
    """The same scheme at other knobs."""
    scheme = SCHEMES[program.scheme]
    return scheme(program.lindbladian, scheme.knobs.model_validate({**program.knobs, **changes}))


def map_evolutions(program: Program, change: Callable[[Evolve], Evolve]) -> Program:
    """The program with `change` applied to every Evolve, also inside delays."""

    def changed(step: Step) -> Step:
        match step:
            case Evolve():
                return change(step)
            case RandomDelay():
                return replace(step, unit=change(step.unit))
            case _:
                return step

    stages = tuple(Stage(tuple(changed(step) for step in stage.steps), stage.repeats) for stage in program.stages)
    return replace(program, stages=stages)


def exactly_evolved(program: Program) -> Program:
    """Without product formulas: every evolution the exact exponential of the program's groups."""
    return map_evolutions(program, lambda step: replace(step, order=EXACT))


def sliced(program: Program, slices: int) -> Program:
    """Every evolution in `slices` Trotter steps."""
    return map_evolutions(program, lambda step: replace(step, slices=slices * step.slices))


def fine_grid(width: float, spacing: float) -> tuple[int, float]:
    """(nodes, spacing) of a grid whose filter error is negligible; commensurate with `spacing`."""
    if width == 0:
        return 1, spacing
    fine = spacing / max(1, ceil(FINE_POINTS_PER_WIDTH * spacing / width))
    return 2 * ceil(FINE_HALF_WIDTH * width / fine) + 1, fine


def finely_gridded(program: Program) -> Program:
    """The same strength and delays with a reference grid of nodes."""
    _, filter = program.lindbladian.contacts[0].kernel.factors()[0]
    spacing = float(program.knobs["spacing"])
    nodes, fine = fine_grid(filter.width, spacing)
    ratio = round(spacing / fine)
    refined = with_knobs(program, nodes=nodes, spacing=fine)
    return _with_delay_unit(refined, ratio)


def _with_delay_unit(program: Program, ratio: int) -> Program:
    """Delays of the coarse grid stay what they were: each unit is `ratio` fine steps."""

    def restored(step: Step) -> Step:
        if not isinstance(step, RandomDelay):
            return step
        return replace(step, unit=replace(step.unit, duration=ratio * step.unit.duration, slices=ratio))

    stages = tuple(Stage(tuple(restored(step) for step in stage.steps), stage.repeats) for stage in program.stages)
    return replace(program, stages=stages)


def free_time(program: Program, stage: int = -1) -> float:
    """Net evolution time of one sweep, mean over delays."""
    total = 0.0
    for step in program.stages[stage].steps:
        match step:
            case Evolve():
                total += step.duration
            case RandomDelay():
                total += step.mean * step.unit.duration
    return total
