"""Sections as text and as HTML; one line for every object, and its table in a notebook.

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

from .section import Section

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


WIDTH = 100  # columns where nobody says how wide the page is: a pipe, a file, `str`
NARROWEST = 40  # below it no table of numbers can be read
NAME = 32  # characters of a name that a user gave, within one line
LEAST = 6  # columns of a column
ONE_LINE = 100  # characters of a `repr`
CELL = "padding:0 .8em;text-align:"


def as_text(*sections: Section, width: int = WIDTH) -> str:
    """Tables and remarks as plain text, without a control code."""
    from rich.console import Console  # loaded when used

    buffer = io.StringIO()
    console = Console(
        file=buffer, width=width, color_system=None, force_terminal=False, force_jupyter=False, markup=False
    )
    printed(console, sections, width)
    return "\n".join(line.rstrip() for line in buffer.getvalue().rstrip("\n").split("\n"))


def printed(console: Console, sections: Iterable[Section], width: int) -> None:
    """Put tables and remarks on a terminal."""
    from rich.text import Text  # loaded when used

    for section in sections:
        if section.columns:
            console.print(fitted(as_table(section), width))
        elif section.title:
            console.print(Text(section.title, style=section.style), *filter(None, [section.note]), sep="\n")


def as_table(section: Section) -> Table:
    """A section as rich's table; cells break between words if they must."""
    from rich.table import Table  # loaded when used

    table = Table(title=section.title, title_justify="left", title_style=section.style, header_style="dim",
                  caption=section.note or None, caption_justify="left", expand=True)  # fmt: skip
    for column, side in zip(section.columns, section.aligned, strict=True):
        table.add_column(column, justify=side, overflow="fold")
    for row in section.rows:
        table.add_row(*row)
    return table


def fitted(table: Table, width: int) -> Table:
    """The same with its columns as wide as makes it shortest; rich alone makes all alike that are too wide.

    Columns begin as wide as their longest cell; while the page is too narrow, the one gives way that costs least lines.
    Words are broken only where not even the longest word of every column has room.
    """
    cells = [[str(column.header), *map(str, column.cells)] for column in table.columns]
    frame = 3 * len(cells) + 1  # a line and two spaces per column, and the last line
    for column, wide in zip(table.columns, narrowed(cells, width - frame), strict=True):
        column.width = wide
    return table


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


def as_html(*sections: Section) -> str:
    """The same as HTML for a notebook, the cells untouched."""
    return "".join(_html(section) for section in sections if section.title)


def _html(section: Section) -> str:
    if not section.columns:
        lines = (section.title, *section.note.splitlines())
        return "".join(f"<p>{escape(line)}</p>" for line in lines if line)
    head = _row("th", section.columns, section.aligned)
    body = "".join(_row("td", row, section.aligned) for row in section.rows)
    below = f"<p><small>{escape(section.note)}</small></p>" if section.note else ""
    title = f"<caption><b>{escape(section.title)}</b></caption>"
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
    """The same, and a table of it in a notebook; `print` shows the one line unless the class prints its tables."""

    def _rows(self) -> Iterable[tuple[str, ...]]:
        """The head of the table, then its rows."""
        yield "what", "value"
        for field in fields(cast(Any, self)):
            yield field.name.replace("_", " "), brief(getattr(self, field.name), 80)

    def sections(self) -> Sequence[Section]:
        """What is known of it, as tables and remarks."""
        head, *rows = self._rows()
        return (Section(repr(self), head, tuple(rows)),)

    def _repr_html_(self) -> str:
        return as_html(*self.sections())
