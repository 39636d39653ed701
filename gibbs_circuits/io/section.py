"""One titled table or remark of a report; text, HTML and JSON are all read off it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Side = Literal["left", "right"]


@dataclass(frozen=True)
class Section:
    """A titled table or, without columns, a remark, together with the same findings as data.

    Attributes:
        title: What it is about; without one nothing is printed.
        columns: Heads of the columns; none for a remark.
        rows: As many cells per row as there are columns.
        note: Stands below; of a remark, all but its first line.
        data: What a JSON document has of it, by key; the sections of one document are merged, see `merged`.
        align: "l" or "r" per column; left out: words on the left in the first one, numbers on the right in the others.
        style: How a terminal shows the title.
    """

    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    note: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    align: str = ""
    style: str = "bold"

    @property
    def aligned(self) -> tuple[Side, ...]:
        """The side of every column."""
        letters = self.align or "l" + "r" * (len(self.columns) - 1)
        return tuple("left" if letter == "l" else "right" for letter in letters)


def merged(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One document from the data of several sections: tables under the same key become one, later values win."""
    whole: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            mine = whole.get(key)
            both = type(mine) is dict and isinstance(value, Mapping)
            whole[key] = merged((mine, value)) if both else value  # type: ignore[arg-type]
    return whole


def count(value: float | None) -> str:
    """A count, possibly a mean; — where there is none."""
    if value is None:
        return "—"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
