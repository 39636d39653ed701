"""A program for a device without mid-circuit reset: every ancilla is used once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from ..errors import TooLargeError
from ..limits import MAX_FRESH
from .program import Program, Stage
from .steps import Step, renumbered


def fresh_ancillas(program: Program, spare: int = 0) -> Program:
    """The same channel on more qubits: an ancilla that was reset is not used again, another one takes its place.

    The sweeps are written out one by one; draws of random steps are those of the program. A `Reset` then only says
    that nobody looks at the ancilla any more, and a circuit leaves it out.

    Args:
        program: With resets.
        spare: Further ancillas, after all others, for the preparation.

    The number of ancillas is that of the resets of ancillas in use, over all sweeps.

    Raises:
        TooLargeError: Above 10,000 resets.
    """
    resets = most_resets_of(program)
    if resets > MAX_FRESH:
        raise TooLargeError(
            f"With fresh ancillas, {program.sweeps:,} sweeps take {resets:,} of them; the limit is {MAX_FRESH:,}. "
            'Fix: set fewer sweeps, or ancilla_policy = "reset" on a target that resets.'
        )
    count = _Names()
    stages = tuple(
        Stage(tuple(count.renamed(stage.steps)), 1) for stage in program.stages for _ in range(stage.repeats)
    )
    return replace(program, num_ancilla=max(1, count.next) + spare, stages=stages)


def most_resets_of(program: Program) -> int:
    """Number of resets of ancillas in all sweeps, at most."""
    return sum(stage.repeats * most_resets(stage.steps) for stage in program.stages)


def most_resets(steps: Iterable[Step]) -> int:
    """Resets of one ancilla each that steps have at most: of a random choice those of the branch with the most."""
    return sum(len(step.resets) + max((most_resets(b.steps) for b in step.options), default=0) for step in steps)


@dataclass
class _Names:
    """Which qubit stands for which ancilla that is in use, while a program is written out."""

    now: dict[int, int] = field(default_factory=dict)
    next: int = 0

    def name(self, ancilla: int) -> int:
        """The qubit of an ancilla, a new one if it is not in use."""
        if ancilla not in self.now:
            self.now[ancilla], self.next = self.next, self.next + 1
        return self.now[ancilla]

    def renamed(self, steps: tuple[Step, ...]) -> Iterator[Step]:
        """The steps, on qubits that nobody has used before."""
        for step in steps:
            if step.options:
                yield self._choice(step)
                continue
            for ancilla in step.touches:
                self.name(ancilla)
            yield from renumbered([step], self.now)
            for ancilla in step.resets:
                self.now.pop(ancilla, None)

    def _choice(self, step: Step) -> Step:
        """Branches exclude each other and may share qubits; no ancilla is in use before or after one."""
        first, ends = self.next, [self.next]

        def alone(steps: tuple[Step, ...]) -> tuple[Step, ...]:
            self.next = first
            done = tuple(self.renamed(steps))
            ends.append(self.next)
            return done

        changed = step.mapped_steps(alone)
        self.next = max(ends)
        return changed
