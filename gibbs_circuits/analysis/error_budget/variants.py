"""A program written again with other knobs: finer grids, other durations, for slopes and error lines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...compiler.schemes.registry import SCHEMES, written_by
from ...errors import GibbsError
from ...programs.program import Program, Stage
from ...programs.steps import EXACT, Branch, Evolve, RandomChoice, Step, flat
from ...programs.transforms import Steps, exactly_evolved, split_steps


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
    ours, theirs = split_steps(mine), split_steps(its)
    if [part[0].kind for part in ours] != [part[0].kind for part in theirs]:
        return None
    found: list[Step] = []
    for a, b in zip(ours, theirs, strict=True):
        if a[0].random and any(step.couples for step in flat(a)):
            steps = [_regridded(x.steps, y.steps) for x, y in zip(a[0].options, b[0].options, strict=False)]
            if len(a[0].options) != len(b[0].options) or None in steps:
                return None
            branches = zip(b[0].options, steps, strict=True)
            found.append(RandomChoice(tuple(Branch(y.probability, s or ()) for y, s in branches)))
        else:
            found += a if _centre(a) is None or _centre(b) is None else _moved(a, b)
    return tuple(found)


def _moved(mine: Steps, its: Steps) -> Steps:
    """Other steps with idle evolution on either side: they begin, are centred and end when mine do."""
    before = (_centre(mine) or 0.0) - (_centre(its) or 0.0)
    after = _duration(mine) - _duration(its) - before
    without = next((step.left_out for step in mine if step.left_out), ())
    return (Evolve(before, 1, EXACT, without), *its, Evolve(after, 1, EXACT, without))


def _duration(steps: Steps) -> float:
    return sum(step.free_time for step in steps)


def _centre(steps: Steps) -> float | None:
    """Half way between the first and the last time at which an ancilla is coupled."""
    times, now = [], 0.0
    for step in steps:
        now += step.free_time
        if step.couples:
            times.append(now)
    return (min(times) + max(times)) / 2 if times else None
