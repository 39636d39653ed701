"""How a number is known, and how it is written."""

from __future__ import annotations

import math
from enum import Enum

ROUNDING = 1e-13  # of an eigenvalue or a probability near 1


class Status(Enum):
    """How a number is known; "not checked" is never "ok"."""

    PROVED = "proved"
    MEASURED = "measured"
    EXTRAPOLATED = "extrapolated"
    NOT_CHECKED = "not_checked"


def number(value: float | None, digits: int = 4) -> str:
    """A number as people read it: so many decimals, but never 0 for what is not zero; — where there is none."""
    if value is None:
        return "—"
    if 0 < abs(value) < 1e-3 or (math.isfinite(value) and abs(value) >= 1e6):
        return f"{value:.{max(1, digits - 3)}e}"
    return f"{value:,.{digits}f}"


def share(value: float | None, digits: int = 3) -> str:
    """A contraction, a fidelity, a probability: as `number`, but never 1 for what is not 1."""
    if value is None or not ROUNDING < abs(value - 1) < 0.5 * 10.0**-digits:
        return number(value, digits)
    return f"1 {'−' if value < 1 else '+'} {abs(value - 1):.1e}"
