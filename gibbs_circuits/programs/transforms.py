"""The same program with one thing changed: what measuring an error rung by rung needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from .product_formulas import commuting_groups
from .program import Program, Stage
from .steps import EXACT, Branch, Correct, Couple, Evolve, RandomChoice, RandomDelay, Reset, Step, Unitary

Steps = tuple[Step, ...]


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
