"""Tables as text and as HTML, both from the same rows; one line for every object, and its table in a notebook.

The tables are rich's, which is loaded when one is made.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from enum import Enum
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table


WIDTH = 100  # columns where nobody says how wide the page is: a pipe, a file, `str`
NARROWEST = 40  # below it no table of numbers can be read
NAME = 32  # characters of a name that a user gave, within one line
LEAST = 6  # columns of a column
ONE_LINE = 100  # characters of a `repr`
CELL = "padding:0 .8em;text-align:"


def table_of(title: str, *columns: str) -> Table:
    """An empty table: the first column is what, the others are numbers; cells break between words if they must."""
    from rich.table import Table  # loaded when used

    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", expand=True)
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right", overflow="fold")
    return table


def as_text(*parts: RenderableType, width: int = WIDTH) -> str:
    """Tables and remarks as plain text, without a control code."""
    from rich.console import Console  # loaded when used

    buffer = io.StringIO()
    console = Console(
        file=buffer, width=width, color_system=None, force_terminal=False, force_jupyter=False, markup=False
    )
    for part in parts:
        console.print(fitted(part, width))
    return "\n".join(line.rstrip() for line in buffer.getvalue().rstrip("\n").split("\n"))


def fitted(part: RenderableType, width: int) -> RenderableType:
    """The same with every table's columns as wide as makes it shortest; rich alone makes all alike that are too wide.

    Columns begin as wide as their longest cell; while the page is too narrow, the one gives way that costs least lines.
    Words are broken only where not even the longest word of every column has room.
    """
    from rich.console import Group  # loaded when used
    from rich.table import Table

    if isinstance(part, Group):
        return Group(*(fitted(one, width) for one in part.renderables))
    if isinstance(part, Table) and part.columns:
        cells = [[str(column.header), *map(str, column.cells)] for column in part.columns]
        frame = 3 * len(cells) + 1  # a line and two spaces per column, and the last line
        for column, wide in zip(part.columns, narrowed(cells, width - frame), strict=True):
            column.width = wide
    return part


def narrowed(columns: Sequence[Sequence[str]], width: int) -> list[int]:
    """Widths of columns that together take at most `width`, if that leaves each of them `LEAST`."""
    from rich.cells import cell_len  # loaded when used

    words = [[[cell_len(word) for word in cell.split(" ")] for cell in column] for column in columns]
    widths = [max(LEAST, *(sum(cell) + len(cell) - 1 for cell in column)) for column in words]
    least = [max(LEAST, *map(max, column)) for column in words]
    if sum(least) > width:
        least = [min(one, max(LEAST, width // len(columns))) for one in least]

    @cache
    def lines(k: int, wide: int) -> tuple[int, ...]:
        return tuple(_lines(cell, wide) for cell in words[k])

    def total(k: int, wide: int) -> int:
        """Lines of the table if column k is that wide."""
        rows = zip(*(lines(m, wide if m == k else other) for m, other in enumerate(widths)), strict=True)
        return sum(map(max, rows))

    while (excess := sum(widths) - max(width, sum(least))) > 0:
        now = total(0, widths[0])
        steps = [
            ((total(k, wide) - now) / (widths[k] - wide), -widths[k], k, wide)  # lines per column that is won
            for k in range(len(words))
            for wide in range(max(least[k], widths[k] - excess), widths[k])
        ]
        _, _, k, wide = min(steps)
        widths[k] = wide
    return widths


def _lines(words: Sequence[int], width: int) -> int:
    """Lines that words of these lengths take; a word that is too long is broken."""
    lines, free = 1, width
    for k, word in enumerate(words):
        need = word + (k > 0 and free < width)
        if need <= free:
            free -= need
            continue
        lines += free < width
        lines += max(0, (word - 1) // width)
        free = width - (word % width or min(word, width))
    return lines


def as_html(*parts: RenderableType) -> str:
    """The same as HTML for a notebook, the cells untouched."""
    return "".join(_html(part) for part in parts)


def _html(part: RenderableType) -> str:
    from rich.console import Group  # loaded when used
    from rich.table import Table

    if isinstance(part, Group):
        return "".join(_html(one) for one in part.renderables)
    if not isinstance(part, Table):
        return "".join(f"<p>{escape(line)}</p>" for line in str(part).splitlines() if line)
    aligned = [column.justify for column in part.columns]
    head = _row("th", [str(column.header) for column in part.columns], aligned) if part.show_header else ""
    cells = [[str(cell) for cell in column.cells] for column in part.columns]
    body = "".join(_row("td", row, aligned) for row in zip(*cells, strict=True))
    title = f"<caption><b>{escape(str(part.title))}</b></caption>" if part.title else ""
    below = f"<p><small>{escape(str(part.caption))}</small></p>" if part.caption else ""
    return f"<table>{title}<thead>{head}</thead><tbody>{body}</tbody></table>{below}"


def _row(tag: str, cells: Sequence[str], aligned: Sequence[str]) -> str:
    inner = (f'<{tag} style="{CELL}{a}">{escape(c)}</{tag}>' for c, a in zip(cells, aligned, strict=True))
    return f"<tr>{''.join(inner)}</tr>"


def shortened(text: str, limit: int = ONE_LINE) -> str:
    """A text on one line, cut where it is too long."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 2]}…{line[-1]}"


def brief(value: object, limit: int = 40) -> str:
    """A value in a few characters: a number, the shape of an array, how many entries a collection has."""
    match value:
        case None:
            return "none"
        case str():
            return shortened(value, limit)
        case bool() | int() | Enum():
            return shortened(str(value.value if isinstance(value, Enum) else value), limit)
        case float():
            return f"{value:.6g}"
        case Mapping():
            whole = ", ".join(f"{key} {brief(entry)}" for key, entry in value.items())
            return whole if 0 < len(whole) <= limit else f"{len(value)} entries"
        case tuple() | list():
            whole = ", ".join(brief(entry) for entry in value)
            return whole if 0 < len(whole) <= limit else f"{len(value)} entries" if value else "none"
    if callable(terms := getattr(value, "to_list", None)):  # a sum of Pauli strings
        found = list(terms())
        head = " ".join(f"{complex(c).real:+.4g} {shortened(str(label), 16)}" for label, c in found[:2])
        return shortened(head + (f" … ({len(found)} terms)" if len(found) > 2 else ""), limit)
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"array {' × '.join(map(str, shape))}" if shape else shortened(str(value), limit)
    if callable(value):
        return shortened(str(getattr(value, "__qualname__", None) or repr(value)), limit)
    return shortened(repr(value), limit)


class Brief:
    """One line by `repr`, whatever arrays a dataclass holds: what matters first, then what there is room for.

    A class says better by `_in_words` what it is; a dataclass needs `repr=False` to have this.
    """

    def _in_words(self) -> str:
        shown = [f.name for f in fields(cast(Any, self)) if f.repr and getattr(self, f.name) is not None]
        inside = ", ".join(f"{name} = {brief(getattr(self, name))}" for name in shown)
        return f"{type(self).__name__}({inside})"

    def __repr__(self) -> str:
        return shortened(self._in_words())


class Shown(Brief):
    """The same, and a table of it in a notebook; `print` shows the one line unless the class prints a table."""

    def _rows(self) -> Iterable[tuple[str, ...]]:
        """The head of the table, then its rows."""
        yield "what", "value"
        for field in fields(cast(Any, self)):
            yield field.name.replace("_", " "), brief(getattr(self, field.name), 80)

    def _parts(self) -> Sequence[RenderableType]:
        head, *rows = self._rows()
        table = table_of(repr(self), *head)
        for row in rows:
            table.add_row(*row)
        return [table]

    def _repr_html_(self) -> str:
        return as_html(*self._parts())


class Printed(Shown):
    """The same, the table by `print` too."""

    def __str__(self) -> str:
        return as_text(*self._parts())
