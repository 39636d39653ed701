"""Candidates for the cheapest program: what each costs, how far it is from the Gibbs state, and which to take."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ..evidence import Status
from ..programs.program import Program
from ..readings.circuits.cost import cost
from .evaluate import Evaluation

LITTLE = 1.3  # times the smallest distance that any misses the target by

P = TypeVar("P", covariant=True)
C = TypeVar("C", bound="Candidate[Any]")


@dataclass(frozen=True, eq=False)
class Candidate(Generic[P]):
    """A program, or what one can be written from, what it costs, and how far from the Gibbs state it was found to be.

    Attributes:
        program: A `Program`, with its knobs, calibration and provenance; within a search what will be written as one
            if it is worth it: a schedule of sweeps, a circuit with its angles, angles shared by pieces of a model.
        two_qubit_gates: Of all sweeps, mean over random steps; what candidates are ranked by.
        distance: Trace distance that the guarantee is about, without gate errors unless `note` says otherwise. For a
            sampler the larger of the worst start's after all sweeps and the fixed point's; for a preparation that
            after all sweeps from the given start. inf where it was not checked.
        note: What it is, in a few words.
        accepted: Whether it may be chosen for its gates; a fit on pieces only once it was held against larger ones, a
            random product state only where random gates were asked for. One that is not is still taken where it is
            nothing but better, or where nothing meets the target.
        evaluation: What was read off the finished program; None before, and where there was no time.
    """

    program: P
    two_qubit_gates: float
    distance: float
    note: str = ""
    accepted: bool = True
    evaluation: Evaluation | None = None

    @property
    def status(self) -> Status:
        """How its distance is known."""
        if not math.isfinite(self.distance):
            return Status.NOT_CHECKED
        return Status.EXTRAPOLATED if self.evaluation is None else Status.MEASURED


def as_candidate(program: Program, distance: float, note: str, *, accepted: bool = True) -> Candidate[Program]:
    """A finished program, with its two-qubit gates in closed form."""
    return Candidate(program, cost(program).two_qubit_gates, distance, note, accepted)


def frontier(candidates: Iterable[C]) -> tuple[C, ...]:
    """Those that no other beats in both gates and distance, the cheapest first."""
    best: list[C] = []
    for one in sorted(candidates, key=lambda c: (c.two_qubit_gates, c.distance)):
        if not best or one.distance < best[-1].distance:
            best.append(one)
    return tuple(best)


def nearest(candidates: Iterable[C]) -> C:
    """The shortest of those little farther than the nearest that was found out: no price is paid for a miss.

    One that was not checked only where none was.
    """
    every = list(candidates)
    least = min(one.distance for one in every)
    near = [one for one in every if one.distance <= LITTLE * least or not math.isfinite(least)]
    return min(near, key=lambda one: (one.two_qubit_gates, one.distance))


def never_worse(chosen: C, candidates: Iterable[C]) -> C:
    """Instead of `chosen` one without any two-qubit gate, if that is at least as near."""
    bare = [one for one in candidates if one.two_qubit_gates == 0 and one.distance <= chosen.distance]
    return nearest(bare) if bare and chosen.two_qubit_gates > 0 else chosen


def cheapest(candidates: Iterable[C], target_error: float) -> C | None:
    """The one with the fewest two-qubit gates that meets `target_error`; None if none does."""
    met = [one for one in candidates if one.accepted and one.distance <= target_error]
    return min(met, key=lambda one: (one.two_qubit_gates, one.distance), default=None)
