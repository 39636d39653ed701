"""Tables as text and as HTML, both from the same rows; `Shown` gives an object one line, a text and a notebook's table.

The tables are rich's, which is loaded when one is made.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

WIDTH = 100  # columns where nobody says how wide the page is: a pipe, a file, `str`
NARROWEST = 40  # below it no table of numbers can be read
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
    lines = [[_lines(cell, wide) for cell in column] for column, wide in zip(words, widths, strict=True)]
    while sum(widths) > max(width, sum(least)):
        best: tuple[int, int, int] | None = None
        tried: list[int] = []
        for k, column in enumerate(words):
            if widths[k] > least[k]:
                now = [_lines(cell, widths[k] - 1) for cell in column]
                rows = zip(*(now if m == k else other for m, other in enumerate(lines)), strict=True)
                price = (sum(map(max, rows)), -widths[k], k)
                if best is None or price < best:
                    best, tried = price, now
        assert best is not None  # one of them is above the least
        widths[best[2]] -= 1
        lines[best[2]] = tried
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


class Shown:
    """One line by `repr`, a table by `print`, the same table in a notebook.

    `_line` is the one line; `_table` gives the title, the columns and the rows.
    """

    def _line(self) -> str:
        raise NotImplementedError

    def _table(self) -> tuple[Sequence[str], Iterator[Sequence[str]]]:
        raise NotImplementedError

    def _parts(self) -> Sequence[RenderableType]:
        columns, rows = self._table()
        table = table_of(repr(self), *columns)
        for row in rows:
            table.add_row(*row)
        return [table]

    def __repr__(self) -> str:
        return shortened(self._line())

    def __str__(self) -> str:
        return as_text(*self._parts())

    def _repr_html_(self) -> str:
        return as_html(*self._parts())
