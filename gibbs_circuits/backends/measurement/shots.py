"""What a run brings home: one block per realisation of the random steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...io.rendering import Brief
from ...linalg.arrays import Array, Real

Counts = dict[str, int]
Bits = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Shots:
    """Single shots of one circuit.

    Attributes:
        outcomes: What the system was measured as, shape (shots, system qubits), qubit k in column k.
        jumps: What the ancillas were measured as, shape (shots, events), in the order of `jump_events`; no columns
            unless ancillas are recorded.
    """

    outcomes: Bits
    jumps: Bits

    @property
    def counts(self) -> Counts:
        """Bit strings, rightmost = qubit 0, and how often they were seen."""
        patterns, times = np.unique(self.outcomes[:, ::-1], axis=0, return_counts=True)
        return {
            "".join("1" if bit else "0" for bit in row): int(count) for row, count in zip(patterns, times, strict=True)
        }


@dataclass(frozen=True, eq=False, repr=False)
class Block(Brief):
    """One realisation of every random choice, and what was seen of it.

    Attributes:
        realisation: Its number; with the seed it fixes every draw.
        draws: What the random steps drew, in order of time.
        states: Density matrices of the system after 0, 1, … sweeps, or None on trajectories.
        counts: Per measurement basis, bit strings (rightmost = qubit 0) and how often they were seen.
        shots: Per measurement basis, the single shots where ancillas were recorded.
        flips: P(1|0) and P(0|1) of every system qubit, measured beside the block; None unless mitigated.
        values: Expectation values by name, of an estimator.
    """

    realisation: int
    draws: tuple[int, ...]
    states: Array | None
    counts: tuple[Counts, ...]
    shots: tuple[Shots, ...] = ()
    flips: Real | None = None
    values: Mapping[str, float] = field(default_factory=dict)
