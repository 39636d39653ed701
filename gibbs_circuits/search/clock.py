"""What a search may spend: counted work, which alone decides its path, and a wall clock, which can only stop it.

Work is counted in nominal seconds, what a quiet core takes, from the sizes of what is computed (`costs`). So a search
is a function of its question, its seed and its effort; on a busy machine it takes longer, and may be cut off, but never
turns another way.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..errors import ArgumentError, check_real
from ..limits import MAX_EFFORT, MAX_TIME_BUDGET

EFFORT, TIME_BUDGET = 2.0, 300.0  # steps, and seconds of the wall clock, if nothing else is asked for
STEP = 60.0  # nominal seconds of one step of effort
STEADY = 0.3  # nominal seconds after which a pace is known
SLOWEST = 20.0  # times the nominal seconds, at most, that a step is feared to take
KEPT = 0.25  # of the time, at most, for what comes after a search: counting gates, reading the program off


class OutOfTimeError(Exception):
    """The wall clock stops a search: what was begun is dropped, what was finished stands."""


@dataclass(eq=False)
class Clock:
    """Work done so far, and the time that is left for it.

    Attributes:
        work: Nominal seconds that a search may spend.
        budget: Seconds of the wall clock after which everything is over.
        wall: The wall clock; nothing else reads it.
        spent: Nominal seconds so far.
        ran_out: Whether the wall clock stopped anything.
        limited: Whether anything ended because its share of the work was done: more would go further.
        begun: What the wall clock said at the beginning.
    """

    work: float
    budget: float = math.inf
    wall: Callable[[], float] = time.monotonic
    spent: float = 0.0
    ran_out: bool = False
    limited: bool = False
    begun: float = field(init=False)

    def __post_init__(self) -> None:
        self.begun = self.wall()

    @property
    def elapsed(self) -> float:
        """Seconds of the wall clock."""
        return self.wall() - self.begun

    @property
    def pace(self) -> float:
        """Seconds per nominal second, 1 or more; never asked for what decides a search's path."""
        return min(SLOWEST, max(1.0, self.elapsed / self.spent)) if self.spent > STEADY else 1.0

    @property
    def done(self) -> float:
        """The share of the work that is done; all of it where nothing was stopped, since less may have been enough."""
        return min(self.spent / self.work, 0.99) if self.ran_out and self.work > 0 else 1.0

    def until(self, share: float = 1.0, after: float = 0.0, of_time: float | None = None) -> Deadline:
        """When that share of the work is done, in its part of the time, less what comes `after` in nominal seconds.

        The part is `of_time`; left out, as large as the share and half of the rest.
        """
        return Deadline(self, share * self.work, (1 + share) / 2 if of_time is None else of_time, after)

    @property
    def closing(self) -> Deadline:
        """For what comes after a search: its work is not limited, its time is what is left."""
        return Deadline(self, math.inf)


@dataclass(frozen=True, eq=False)
class Deadline:
    """How far a part of a search may go.

    Attributes:
        clock: Whose work is counted.
        at: Nominal seconds of the whole search at which the part ends; what is begun is finished.
        of_time: Share of the wall clock's budget at which it is dropped.
        after: Nominal seconds, taken off before, of what comes after the search.
    """

    clock: Clock
    at: float
    of_time: float = 1.0
    after: float = 0.0

    @property
    def stop(self) -> float:
        """Seconds of the wall clock at which the part is dropped; what comes after is kept at the pace so far."""
        if not math.isfinite(self.clock.budget):
            return math.inf
        kept = min(KEPT * self.clock.budget, self.after * self.clock.pace) if self.after else 0.0
        return self.of_time * (self.clock.budget - kept)

    @property
    def passed(self) -> bool:
        """Whether the work is done."""
        over = self.clock.spent > self.at
        self.clock.limited |= over
        return over

    @property
    def left(self) -> float:
        """Nominal seconds until the part ends, not below 0."""
        return max(0.0, self.at - self.clock.spent)

    def allows(self, seconds: float) -> bool:
        """Whether work of so many nominal seconds would be over in time."""
        enough = self.clock.spent + seconds <= self.at
        self.clock.limited |= not enough
        return enough

    def share(self, fraction: float) -> Deadline:
        """When that fraction of what is left is done."""
        return replace(self, at=self.clock.spent + fraction * (self.at - self.clock.spent))

    def within(self, seconds: float) -> Deadline:
        """In so many nominal seconds, or at the same end if that is earlier."""
        return replace(self, at=min(self.at, self.clock.spent + seconds))

    def beyond(self, seconds: float) -> Deadline:
        """In so many nominal seconds, even beyond the end."""
        return replace(self, at=self.clock.spent + seconds)

    def spend(self, seconds: float) -> None:
        """Count work that is about to be done.

        Raises:
            OutOfTimeError: If it would not be over before the wall clock stops the search.
        """
        clock = self.clock
        if math.isfinite(clock.budget) and clock.elapsed + seconds * clock.pace > self.stop:
            clock.ran_out = True
            raise OutOfTimeError
        clock.spent += seconds

    def started(self, seconds: float) -> bool:
        """Count it, and say whether there is time for it: for what may be left out."""
        try:
            self.spend(seconds)
        except OutOfTimeError:
            return False
        return True


def check_effort(value: object) -> float:
    """Steps above 0, a part of one for a quick look.

    Raises:
        ArgumentError: If it is none.
    """
    return _bounded("effort", value, MAX_EFFORT, EFFORT)


def check_time_budget(value: object) -> float:
    """Seconds above 0.

    Raises:
        ArgumentError: If it is none.
    """
    return _bounded("time_budget", value, MAX_TIME_BUDGET, TIME_BUDGET)


def _bounded(argument: str, value: object, high: float, usual: float) -> float:
    number = check_real(argument, value, low=0.0, above=True)
    if number > high:
        raise ArgumentError(argument, f"be at most {high:g}", f"the value is {number:g}", f"set {argument} = {usual:g}")
    return number


def unlimited() -> Deadline:
    """Neither work nor time is limited."""
    return Clock(math.inf).until()
