"""The same program with one thing changed: what measuring an error rung by rung needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from ..compiler import (
    EXACT,
    SCHEMES,
    Branch,
    Correct,
    Couple,
    Evolve,
    Program,
    RandomChoice,
    RandomDelay,
    Reset,
    Stage,
    Step,
    Unitary,
)
from ..compiler.trotter import commuting_groups
from ..errors import GibbsError

Steps = tuple[Step, ...]


def with_knobs(program: Program, **changes: Any) -> Program:
    """The same scheme at other knobs."""
    scheme = SCHEMES[program.scheme]
    return scheme(program.generator, scheme.knobs.model_validate({**program.knobs, **changes}))


def with_steps(program: Program, steps: Iterable[Step], repeats: int = 1) -> Program:
    """The program with one stage of these steps."""
    return replace(program, stages=(Stage(tuple(steps), repeats),))


def map_steps(program: Program, change: Callable[[Step], Step]) -> Program:
    """The program with `change` applied to every step, those of the branches of a random choice instead of it."""

    def changed(step: Step) -> Step:
        if not isinstance(step, RandomChoice):
            return change(step)
        return RandomChoice(tuple(Branch(b.probability, tuple(map(changed, b.steps))) for b in step.branches))

    stages = tuple(Stage(tuple(map(changed, stage.steps)), stage.repeats) for stage in program.stages)
    return replace(program, stages=stages)


def map_evolutions(program: Program, change: Callable[[Evolve], Evolve]) -> Program:
    """The program with `change` applied to every Evolve, also inside delays and branches."""

    def changed(step: Step) -> Step:
        match step:
            case Evolve():
                return change(step)
            case RandomDelay():
                return replace(step, unit=change(step.unit))
            case _:
                return step

    return map_steps(program, changed)


def exactly_evolved(program: Program) -> Program:
    """Without product formulas: every exponential of H and of a coherent term the exact one."""

    def exact(step: Step) -> Step:
        return replace(step, order=EXACT) if isinstance(step, Correct) else step

    return map_steps(map_evolutions(program, lambda step: replace(step, order=EXACT)), exact)


def sliced(program: Program, slices: int) -> Program:
    """Every evolution under H in `slices` Trotter steps."""
    return map_evolutions(program, lambda step: replace(step, slices=slices * step.slices))


def untruncated(program: Program) -> Program:
    """Every evolution under all terms of H, spectators included."""
    whole = replace(program, groups=commuting_groups(program.generator.model.hamiltonian))
    return map_evolutions(whole, lambda step: replace(step, without=()))


def has(program: Program, *kinds: type[Step]) -> bool:
    """Whether a step of these kinds occurs, in branches too."""
    return any(isinstance(step, kinds) for stage in program.stages for step in flat(stage.steps))


def flat(steps: Steps) -> Iterable[Step]:
    """All steps, those of the branches of a random choice after it."""
    for step in steps:
        yield step
        if isinstance(step, RandomChoice):
            for branch in step.branches:
                yield from flat(branch.steps)


def pieces(steps: Steps) -> list[Steps]:
    """Steps cut wherever all ancillas have just been reset, and around random steps."""
    found: list[Steps] = []
    held: list[Step] = []
    dirty = set[int]()
    for step in steps:
        if isinstance(step, RandomDelay | RandomChoice) and not dirty:
            found += [tuple(held)] if held else []
            found.append((step,))
            held = []
            continue
        held.append(step)
        match step:
            case Couple():
                dirty.add(step.ancilla)
            case Unitary():
                dirty |= set(step.ancillas)
            case Reset():
                dirty -= set(step.ancillas)
                if not dirty:
                    found.append(tuple(held))
                    held = []
    return found + ([tuple(held)] if held else [])


def map_pieces(steps: Steps, change: Callable[[Steps], Steps]) -> Steps:
    """The steps with `change` applied to every piece that is not a random step, those inside branches included."""
    changed: list[Step] = []
    for piece in pieces(steps):
        match piece[0]:
            case RandomChoice(branches):
                changed.append(
                    RandomChoice(tuple(Branch(b.probability, map_pieces(b.steps, change)) for b in branches))
                )
            case RandomDelay():
                changed += piece
            case _:
                changed += change(piece)
    return tuple(changed)


def refined(program: Program, nodes: int, spacing: float) -> Program | None:
    """The program, evolved exactly, on another grid of nodes: the same free time, passes centred where they were.

    Everything but the blocks between resets is the program's own. None if its scheme has no such knobs, refuses them,
    or lays out its blocks in another way.
    """
    if program.recipe or program.scheme not in SCHEMES or not {"nodes", "spacing"} <= set(program.knobs):
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
