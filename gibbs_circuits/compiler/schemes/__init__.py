"""One file per scheme: jump operators → ancilla couplings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...generators import Lindbladian
from ..program import Program
from .common import Knobs, SymbolicJump, symbolic_jumps
from .parallel import ParallelKnobs, parallel
from .sequential import SequentialKnobs, sequential


@dataclass(frozen=True)
class Scheme:
    """A recipe as files and `--help` see it."""

    name: str
    build: Callable[..., Program]
    knobs: type[Knobs]
    summary: str

    def __call__(self, generator: Lindbladian, knobs: Knobs) -> Program:
        """The program of `generator` at `knobs`."""
        return self.build(generator, knobs)


SCHEMES: dict[str, Scheme] = {
    scheme.name: scheme
    for scheme in (
        Scheme("parallel", parallel, ParallelKnobs, "one ancilla per site, all riding the same evolution"),
        Scheme("sequential", sequential, SequentialKnobs, "one ancilla, jump by jump, forward and back"),
    )
}

__all__ = [
    "SCHEMES", "Knobs", "ParallelKnobs", "Scheme", "SequentialKnobs", "SymbolicJump",
    "parallel", "sequential", "symbolic_jumps",
]  # fmt: skip
