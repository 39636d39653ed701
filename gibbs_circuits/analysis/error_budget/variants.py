"""A program written again with other knobs: finer grids, other durations, for slopes and error lines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...compiler.schemes.registry import SCHEMES, written_by
from ...errors import GibbsError
from ...programs.program import Program, Stage
from ...programs.steps import EXACT, Branch, Couple, Evolve, RandomChoice, Step
from ...programs.transforms import Steps, exactly_evolved, pieces


def with_knobs(program: Program, **changes: Any) -> Program:
    """The same scheme at other knobs."""
    scheme = SCHEMES[program.scheme]
    return scheme(program.generator, scheme.knobs.model_validate({**program.knobs, **changes}))


def grid_of(program: Program) -> tuple[int, float] | None:
    """(nodes, spacing) of a program that can be written again on another grid; None of others."""
    found = written_by(program)
    return None if found is None else found[1].grid


def refined(program: Program, nodes: int, spacing: float) -> Program | None:
    """The program, evolved exactly, on another grid of nodes: the same free time, passes centred where they were.

    Everything but the blocks between resets is the program's own. None if its scheme has no such knobs, refuses them,
    or lays out its blocks in another way.
    """
    if grid_of(program) is None:
        return None
    try:
        other = with_knobs(program, nodes=nodes, spacing=spacing)
    except GibbsError:
        return None
    if len(other.stages) != len(program.stages) or other.num_ancilla != program.num_ancilla:
        return None
    stages = []
    for mine, its in zip(program.stages, other.stages, strict=True):
        steps = _regridded(mine.steps, its.steps)
        if steps is None:
            return None
        stages.append(Stage(steps, mine.repeats))
    return exactly_evolved(replace(program, stages=tuple(stages)))


def _regridded(mine: Steps, its: Steps) -> Steps | None:
    ours, theirs = pieces(mine), pieces(its)
    if [type(piece[0]) for piece in ours] != [type(piece[0]) for piece in theirs]:
        return None
    found: list[Step] = []
    for a, b in zip(ours, theirs, strict=True):
        match a[0], b[0]:
            case RandomChoice(left), RandomChoice(right):
                steps = [_regridded(x.steps, y.steps) for x, y in zip(left, right, strict=False)]
                if len(left) != len(right) or None in steps:
                    return None
                found.append(
                    RandomChoice(tuple(Branch(y.probability, s or ()) for y, s in zip(right, steps, strict=True)))
                )
            case _:
                found += a if _centre(a) is None or _centre(b) is None else _moved(a, b)
    return tuple(found)


def _moved(mine: Steps, its: Steps) -> Steps:
    """Other steps with idle evolution on either side: they begin, are centred and end when mine do."""
    before = (_centre(mine) or 0.0) - (_centre(its) or 0.0)
    after = _duration(mine) - _duration(its) - before
    without = next((step.without for step in mine if isinstance(step, Evolve)), ())
    return (Evolve(before, 1, EXACT, without), *its, Evolve(after, 1, EXACT, without))


def _duration(steps: Steps) -> float:
    return sum(step.duration for step in steps if isinstance(step, Evolve))


def _centre(steps: Steps) -> float | None:
    """Half way between the first and the last time at which an ancilla is coupled."""
    times, now = [], 0.0
    for step in steps:
        if isinstance(step, Evolve):
            now += step.duration
        elif isinstance(step, Couple):
            times.append(now)
    return (min(times) + max(times)) / 2 if times else None
