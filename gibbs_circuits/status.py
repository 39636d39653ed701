"""How a number is known."""

from __future__ import annotations

from enum import Enum


class Status(Enum):
    """How a number is known; "not checked" is never "ok"."""

    PROVED = "proved"
    MEASURED = "measured"
    EXTRAPOLATED = "extrapolated"
    NOT_CHECKED = "not_checked"
