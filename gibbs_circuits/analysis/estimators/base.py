"""What an analysis is: one file of this folder, entered by one line of the registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ...io.section import Section
from .checks import Reason
from .interval import Estimate
from .measured_run import MeasuredRun

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Finding(Generic[T]):
    """What an analysis has to say of a run.

    Attributes:
        value: For Python; None where it was not checked.
        sections: What the report prints and the JSON document holds.
        reasons: Checks that the verdict depends on, too.
        estimates: Its figures with intervals, by name, which cover at their stated level.
        not_checked: Why there is no value; None where there is one.
    """

    value: T | None
    sections: Sequence[Section] = ()
    reasons: tuple[Reason, ...] = ()
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    not_checked: str | None = None


def always(run: MeasuredRun) -> None:
    """No reason against measuring, whatever the run."""
    return


@dataclass(frozen=True, eq=False)
class Analysis(Generic[T]):
    """One question to a finished run.

    Attributes:
        name: In `comparison.findings`, and of its reason under `not_checked` in the JSON document.
        title: In the report where it was not checked, and while it is being measured.
        measure: The answer.
        why_not: Why this run cannot be asked; None where it can.
        absent: What the JSON document has of it where it was not checked.
    """

    name: str
    title: str
    measure: Callable[[MeasuredRun], Finding[T]]
    why_not: Callable[[MeasuredRun], str | None] = always
    absent: Mapping[str, Any] = field(default_factory=dict)

    def applies(self, run: MeasuredRun) -> bool:
        """Whether this run can be asked."""
        return self.why_not(run) is None

    def finding(self, run: MeasuredRun) -> Finding[T]:
        """The answer, or that it was not checked, with the reason."""
        reason = self.why_not(run)
        return self.measure(run) if reason is None else self.unchecked(reason)

    def unchecked(self, reason: str) -> Finding[T]:
        """What is said in place of an answer."""
        data = {**self.absent, "not_checked": {self.name: reason}}
        return Finding(None, (Section(f"{self.title}: not checked", note=reason, data=data),), not_checked=reason)
