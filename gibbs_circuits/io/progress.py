"""How a long computation tells how far it is."""

from __future__ import annotations

from collections.abc import Callable


def spelled(seconds: float) -> str:
    """A time as people say it."""
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.0f} {unit}" if seconds >= 100 * length else f"{seconds / length:.2g} {unit}"
    return f"{seconds:.2g} s" if seconds < 100 else f"{seconds:.0f} s"


Progress = Callable[[str], None]


def quiet(text: str) -> None:
    """Say nothing: for callers who do not want to be told."""
