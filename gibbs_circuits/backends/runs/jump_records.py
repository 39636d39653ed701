"""Ancillas that were measured before their reset: every shot is a jump trajectory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ArgumentError
from ...io.rendering import Brief
from ...linalg.arrays import Real
from ..measurement.measurement import Event, jump_events
from ..measurement.shots import Bits
from .run import RunResult


@dataclass(frozen=True, eq=False, repr=False)
class Jumps(Brief):
    """The shots of one realisation in one basis.

    Attributes:
        realisation: Its number.
        basis: In which the system was measured at the end (leftmost letter: highest qubit).
        events: What every column of `bits` is: sweep, ancilla, coupling.
        bits: 1 where the ancilla had left |0⟩, that is, where its coupling jumped; shape (shots, events).
        outcomes: The system's measured bits at the end of the same shot, qubit k in column k.
    """

    realisation: int
    basis: str
    events: tuple[Event, ...]
    bits: Bits
    outcomes: Bits

    @property
    def rate(self) -> Real:
        """How often every event was a jump."""
        return np.asarray(self.bits.mean(axis=0))


def jump_records(result: RunResult) -> tuple[Jumps, ...]:
    """One record per realisation and basis.

    Raises:
        ArgumentError: If the ancillas were not recorded.
    """
    request, written = result.request, result.request.compiled.written
    if not all(block.shots for block in result.blocks):
        raise ArgumentError(
            "result", "come from a run that recorded its ancillas",
            f"its ancilla_policy is {request.compiled.ancillas.value!r}", 'run with ancilla_policy = "recorded"',
        )  # fmt: skip
    return tuple(
        Jumps(block.realisation, basis, jump_events(written, block.draws), shots.jumps, shots.outcomes)
        for block in result.blocks
        for basis, shots in zip(request.bases, block.shots, strict=True)
    )
