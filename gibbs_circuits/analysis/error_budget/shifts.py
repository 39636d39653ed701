"""What one approximation does to the state, and lines of such shifts with how well they add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from ...evidence import Status, number
from ...io.json import plain
from ...io.rendering import Brief, brief
from ...io.section import Section
from ...linalg.arrays import Array
from ...models.spectrum import trace_distance
from ...programs.program import ErrorTerm, Rung

UNIT = "trace_distance"
ADDS_UP = 2.0  # largest factor between total and measured at which the lines are said to add up
NOTHING = 1e-9  # below this an error is rounding and cannot be compared with anything


@dataclass(frozen=True, eq=False)
class Shift:
    """What one rung does to the state.

    Attributes:
        rung: Which.
        matrix: Δ = ρ − σ with this rung alone imperfect; None where it is not known as a matrix.
        status, source: How it is known.
        value: ½‖Δ‖₁ where there is no matrix.
    """

    rung: Rung
    matrix: Array | None
    status: Status
    source: str
    value: float | None = None

    @property
    def line(self) -> ErrorTerm:
        """As a line of the ledger."""
        value = self.value if self.matrix is None else half_norm(self.matrix)
        return ErrorTerm(self.rung, value, UNIT, self.status, self.source)


@dataclass(frozen=True, eq=False, repr=False)
class Ledger(Brief, Sequence[ErrorTerm]):
    """Lines of error terms, and how well they add up; a sequence of its lines.

    Attributes:
        lines: One per rung; quadrature has two, aliasing and the window's cut.
        total: ½‖Σ Δ‖₁: errors may cancel. None where nothing was measured.
        plain_sum: Σ ½‖Δ‖₁ >= total.
        measured: ½‖ρ − σ‖₁ of the state after all sweeps.
        remainder: ½‖ρ − σ − Σ Δ‖₁: what no line accounts for, so that total and measured differ by no more.
    """

    lines: tuple[ErrorTerm, ...]
    total: float | None = None
    plain_sum: float | None = None
    measured: float | None = None
    remainder: float | None = None

    def _in_words(self) -> str:
        total, measured = (brief(value) for value in (self.total, self.measured))
        return f"Ledger({len(self.lines)} lines, together {total}, measured {measured})"

    def __len__(self) -> int:
        return len(self.lines)

    @overload
    def __getitem__(self, index: int) -> ErrorTerm: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[ErrorTerm, ...]: ...

    def __getitem__(self, index: int | slice) -> ErrorTerm | tuple[ErrorTerm, ...]:
        return self.lines[index]

    def sections(self) -> tuple[Section, ...]:
        """One line per error, and how well they add up."""
        rows = tuple(
            (
                one.rung.value,
                number(one.value),
                one.unit.replace("_", " "),
                one.status.value.replace("_", " "),
                one.source,
            )
            for one in self.lines
        )
        head, together = ("rung", "value", "unit", "status", "source"), None
        if self.total is not None:
            together = {
                "total": self.total, "plain_sum": self.plain_sum, "measured": self.measured, "ratio": self.ratio,
                "remainder": self.remainder, "verdict": self.verdict,
            }  # fmt: skip
        data = {"ledger": plain(self.lines), "ledger_sum": together}
        note = "" if together is None else self.verdict
        return (Section("Error ledger: what each rung does to the state", head, rows, note, data, align="lrrrl"),)

    @property
    def ratio(self) -> float | None:
        """Total over measured; None where either is missing or below rounding."""
        if self.total is None or self.measured is None or min(self.total, self.measured) <= NOTHING:
            return None
        return self.total / self.measured

    @property
    def verdict(self) -> str:
        """How well the lines add up, in words."""
        if self.total is None or self.plain_sum is None or self.measured is None:
            return "The lines were not measured, so nothing adds up."
        missing = [line.rung.value for line in self.lines if line.value is None]
        text = (
            f"Together, as matrices, the lines make {number(self.total)}; measured {number(self.measured)}"
            f"{'' if self.ratio is None else f', ratio {self.ratio:.2f}'}. Their plain sum, without cancellation, is "
            f"{number(self.plain_sum)}."
        )
        if self.ratio is not None and not 1 / ADDS_UP <= self.ratio <= ADDS_UP:
            rest = "" if self.remainder is None else f": {number(self.remainder)} of the shift is in none of them"
            text += f" They do not add up{rest}; the errors act on each other too much to be counted one by one."
        return text + (f" Not counted: {', '.join(missing)}." if missing else "")


def half_norm(matrix: Array) -> float:
    """½‖Δ‖₁ of a Hermitian matrix: the trace distance that it is worth."""
    return trace_distance(matrix, np.zeros_like(matrix))
