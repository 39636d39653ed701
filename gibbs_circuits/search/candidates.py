"""A program and what was found out about it: the points of a frontier."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ..programs.program import Program


@dataclass(frozen=True, eq=False)
class Candidate:
    """A program, what it costs, and how far from the Gibbs state it was found to be.

    Attributes:
        program: Carries its calibration, knobs and provenance.
        two_qubit_gates: Of all sweeps, mean over random steps; what candidates are ranked by.
        distance: What the guarantee is about, without gate errors unless `note` says otherwise. For a sampler the
            larger of the worst start's distance after all sweeps and the fixed point's; for a preparation the distance
            after all sweeps from the given start.
        note: What it is, in a few words.
        accepted: Whether it may be chosen for its gates; a fit on pieces only once it was held against larger ones, a
            random product state only where random gates were asked for. One that is not is still taken where it is
            nothing but better, or where nothing meets the target.
    """

    program: Program
    two_qubit_gates: float
    distance: float
    note: str = ""
    accepted: bool = True


def frontier(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Those that no other beats in both gates and distance, the cheapest first."""
    best: list[Candidate] = []
    for one in sorted(candidates, key=lambda c: (c.two_qubit_gates, c.distance)):
        if not best or one.distance < best[-1].distance:
            best.append(one)
    return tuple(best)


def nearest(candidates: Iterable[Candidate]) -> Candidate:
    """The one at the smallest distance that was found out; one that was not checked only where none was."""
    return min(candidates, key=lambda one: (not math.isfinite(one.distance), one.distance, one.two_qubit_gates))


def never_worse(chosen: Candidate, candidates: Iterable[Candidate]) -> Candidate:
    """Instead of `chosen` one without any two-qubit gate, if that is at least as near."""
    bare = [one for one in candidates if one.two_qubit_gates == 0 and one.distance <= chosen.distance]
    return nearest(bare) if bare and chosen.two_qubit_gates > 0 else chosen


def cheapest(candidates: Iterable[Candidate], target_error: float) -> Candidate | None:
    """The one with the fewest two-qubit gates that meets `target_error`; None if none does."""
    met = [one for one in candidates if one.accepted and one.distance <= target_error]
    return min(met, key=lambda one: (one.two_qubit_gates, one.distance), default=None)
