"""How far tests let a search go, in work that is counted: the same on every machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from gibbs_circuits.search import clock
from gibbs_circuits.search.clock import Clock, Deadline


def within(seconds: float) -> Deadline:
    """So many nominal seconds, and no wall clock."""
    return Clock(seconds).until()


def past() -> Deadline:
    """All of the work is done already."""
    return Deadline(Clock(1.0), -1.0)


def ticking(step: float) -> Callable[[], float]:
    """A wall clock that moves on by `step` seconds whenever it is looked at."""
    now = [0.0]

    def wall() -> float:
        now[0] += step
        return now[0]

    return wall


@contextmanager
def brief_steps() -> Iterator[None]:
    """A step of effort is one nominal second instead of 60."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "STEP", 1.0)
        yield
