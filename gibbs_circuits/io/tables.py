"""Filters and kernels from .csv files."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import LARGEST, ArgumentError, shown
from .text import read_rows


def read_table(path: Path, argument: str, columns: tuple[int, ...]) -> NDArray[np.float64]:
    """Rows of numbers from a .csv file, with or without a header.

    Raises:
        ArgumentError: If it is missing, or not rows of that many finite numbers.
    """
    lines = read_rows(path, argument)
    try:
        rows = [row for row in csv.reader(lines) if row and not row[0].startswith("#")]
    except csv.Error as error:
        raise ArgumentError(
            argument, "be a table of numbers", f"{path.name}: {error}", "write one row of numbers per line"
        ) from None
    if rows and not _numeric(rows[0]):
        rows = rows[1:]
    wanted = " or ".join(map(str, columns))
    width = len(rows[0]) if rows and len(rows[0]) in columns else columns[0]
    bad = next((row for row in rows if len(row) != width or not _numeric(row)), None)
    if not rows or bad is not None:
        raise ArgumentError(
            argument, f"hold rows of {wanted} finite numbers",
            f"{path.name} has {shown(', '.join(bad)) if bad is not None else 'none'}",
            f"write {', '.join(['0.5', '1.2', '0.0', '0.0'][:width])} as in a row of {width}",
        )  # fmt: skip
    table = np.array(rows, dtype=float)
    outside = np.argwhere(~(np.abs(table) <= LARGEST))
    if outside.size:
        row = ", ".join(rows[int(outside[0, 0])])
        raise ArgumentError(
            argument, f"hold rows of {wanted} finite numbers, of at most {LARGEST:g}", f"{path.name} has {shown(row)}",
            "correct that row, or choose another unit",
        )  # fmt: skip
    return table


def _numeric(row: list[str]) -> bool:
    try:
        [float(cell) for cell in row]
    except ValueError:
        return False
    return True


def _balanced(values: NDArray[Any], growth: NDArray[np.float64], argument: str, path: Path) -> NDArray[Any]:
    """Values times e^growth, refused where that is no number."""
    with np.errstate(over="ignore", invalid="ignore"):
        balanced = np.where(values == 0, 0.0, values * np.exp(np.where(values == 0, 0.0, growth)))
    if not np.all(np.abs(balanced) <= LARGEST):
        raise ArgumentError(
            argument, f"stay below {LARGEST:g} when multiplied by e^(βν/4)", f"{path.name} has larger ones",
            "give the table on fewer ν, or in another unit",
        )  # fmt: skip
    return np.asarray(balanced)
