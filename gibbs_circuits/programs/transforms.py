"""The same program with one thing changed: what measuring an error rung by rung needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from .product_formulas import commuting_groups
from .program import Program, Stage
from .steps import Evolve, Step
from .steps.steps import evolving, exact

Steps = tuple[Step, ...]


def with_steps(program: Program, steps: Iterable[Step], repeats: int = 1) -> Program:
    """The program with one stage of these steps."""
    return replace(program, stages=(Stage(tuple(steps), repeats),))


def map_steps(program: Program, change: Callable[[Step], Step]) -> Program:
    """The program with `change` applied to every step; of a random one to those that it draws from, instead of it."""
    return replace(
        program,
        stages=tuple(Stage(tuple(step.mapped(change) for step in s.steps), s.repeats) for s in program.stages),
    )


def map_evolutions(program: Program, change: Callable[[Evolve], Evolve]) -> Program:
    """The program with `change` applied to every Evolve, also inside delays and branches."""
    return map_steps(program, lambda step: evolving(step, change))


def exactly_evolved(program: Program) -> Program:
    """Without product formulas: every exponential of H and of a coherent term the exact one."""
    return map_steps(program, exact)


def sliced(program: Program, slices: int) -> Program:
    """Every evolution under H in `slices` Trotter steps."""
    return map_evolutions(program, lambda step: replace(step, slices=slices * step.slices))


def untruncated(program: Program) -> Program:
    """Every evolution under all terms of H, spectators included."""
    whole = replace(program, groups=commuting_groups(program.generator.model.hamiltonian))
    return map_evolutions(whole, lambda step: replace(step, without=()))


def split_steps(steps: Steps) -> list[Steps]:
    """Steps cut wherever all ancillas have just been reset, and around random steps."""
    found: list[Steps] = []
    held: list[Step] = []
    dirty = set[int]()
    for step in steps:
        alone = step.random and not dirty
        if alone and held:
            found.append(tuple(held))
            held = []
        held.append(step)
        dirty = step.leaves(dirty)
        if alone or (step.resets and not dirty):
            found.append(tuple(held))
            held = []
    return found + ([tuple(held)] if held else [])


def map_split(steps: Steps, change: Callable[[Steps], Steps]) -> Steps:
    """The steps with `change` applied to every part of `split_steps` that is not random, in branches too."""
    changed: list[Step] = []
    for part in split_steps(steps):
        changed += [part[0].mapped_steps(lambda s: map_split(s, change))] if part[0].random else change(part)
    return tuple(changed)
