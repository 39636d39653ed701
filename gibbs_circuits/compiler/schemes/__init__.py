"""One file per scheme: jump operators → ancilla couplings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...generators import Lindbladian
from ...generators.channels import DiscreteChannel
from ..program import Program
from .common import Knobs, SymbolicJump, TimeKnobs, symbolic_jumps
from .parallel import ParallelKnobs, parallel
from .sequential import SequentialKnobs, sequential


@dataclass(frozen=True)
class Scheme:
    """A recipe as files and `--help` see it.

    Attributes:
        name, summary: As listed.
        build: (generator, knobs) → program.
        knobs: Its settings.
        order: Declared order in the strength δ of what one sweep leaves out, over a fixed time; None: exact.
        source: What to cite for it.
        discrete: Whether it takes a discrete channel as well.
    """

    name: str
    build: Callable[..., Program]
    knobs: type[Knobs]
    summary: str
    order: int | None
    source: str
    discrete: bool = False

    def __call__(self, generator: Lindbladian | DiscreteChannel, knobs: Knobs) -> Program:
        """The program of `generator` at `knobs`."""
        return self.build(generator, knobs)


SCHEMES: dict[str, Scheme] = {
    scheme.name: scheme
    for scheme in (
        Scheme(
            "parallel",
            parallel,
            ParallelKnobs,
            "one ancilla per site, all riding the same evolution",
            1,
            "Lloyd & Abanin, PRX 16, 031053",
        ),
        Scheme(
            "sequential",
            sequential,
            SequentialKnobs,
            "one ancilla, jump by jump, forward and back",
            1,
            "Ding, Chen & Lin, Phys. Rev. Research 6, 033147",
        ),
    )
}

__all__ = [
    "SCHEMES", "Knobs", "ParallelKnobs", "Scheme", "SequentialKnobs", "SymbolicJump", "TimeKnobs",
    "parallel", "sequential", "symbolic_jumps",
]  # fmt: skip
