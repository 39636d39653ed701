"""Filters and kernels from .csv files."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import LARGEST, ArgumentError, shown
from .models.text import read_rows
from .spectrum import Real


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


def _balanced(values: NDArray[Any], growth: Real, argument: str, path: Path) -> NDArray[Any]:
    """Values times e^growth, refused where that is no number."""
    with np.errstate(over="ignore", invalid="ignore"):
        balanced = np.where(values == 0, 0.0, values * np.exp(np.where(values == 0, 0.0, growth)))
    if not np.all(np.abs(balanced) <= LARGEST):
        raise ArgumentError(
            argument, f"stay below {LARGEST:g} when multiplied by e^(βν/4)", f"{path.name} has larger ones",
            "give the table on fewer ν, or in another unit",
        )  # fmt: skip
    return np.asarray(balanced)


def read_filter(path: Path, beta: float) -> Callable[[Real], NDArray[Any]]:
    """f̂(ν) through the rows (ν, f̂) or (ν, Re f̂, Im f̂) of a table, interpolated in q(ν) = f̂(ν) e^{βν/4}.

    Zero outside the table, which must be symmetric about ν = 0 for q to be.
    """
    table = read_table(path, "filter", (2, 3))
    table = table[np.argsort(table[:, 0])]
    nu = table[:, 0]
    if nu.size < 4 or np.any(np.diff(nu) <= 0):
        raise ArgumentError("filter", "have at least 4 different ν", f"{path.name} has not", "add rows")
    if not np.allclose(nu, -nu[::-1], atol=1e-9 * np.max(np.abs(nu))):
        raise ArgumentError(
            "filter", "be given at ν and −ν alike", f"{path.name} runs from {nu[0]:g} to {nu[-1]:g}",
            "mirror the ν column about 0",
        )  # fmt: skip
    from scipy.interpolate import PchipInterpolator  # loaded when used

    q = _balanced(table[:, 1:], beta * nu[:, None] / 4, "filter", path)
    curves = [PchipInterpolator(nu, column, extrapolate=False) for column in q.T]

    def frequency(x: Real) -> NDArray[Any]:
        parts = [np.nan_to_num(curve(x), nan=0.0) for curve in curves]
        inside = np.clip(x, nu[0], nu[-1])
        return np.asarray((parts[0] + (1j * parts[1] if len(parts) > 1 else 0)) * np.exp(-beta * inside / 4))

    return frequency


def read_kernel(path: Path, beta: float) -> Callable[[Real, Real], NDArray[Any]]:
    """α(ν1, ν2) through the rows (ν1, ν2, α) of a full grid, bilinear in α̃; zero outside."""
    table = read_table(path, "kernel", (3, 4))
    first, second = np.unique(table[:, 0]), np.unique(table[:, 1])
    if len(table) != first.size * second.size or first.size < 2 or not np.array_equal(first, second):
        raise ArgumentError(
            "kernel", "be given on a full square grid of ν1 and ν2",
            f"{path.name} has {len(table)} rows for {first.size} × {second.size} values", "write every pair once",
        )  # fmt: skip
    order = np.lexsort((table[:, 1], table[:, 0]))
    values = table[order, 2] + (1j * table[order, 3] if table.shape[1] == 4 else 0)
    from scipy.interpolate import RegularGridInterpolator  # loaded when used

    growth = beta * (first[:, None] + first[None, :]) / 4
    grid = _balanced(values.reshape(first.size, first.size), growth, "kernel", path)
    curve = RegularGridInterpolator((first, first), grid, bounds_error=False, fill_value=0.0)

    def alpha(nu1: Real, nu2: Real) -> NDArray[Any]:
        a, b = np.broadcast_arrays(nu1, nu2)
        inside = np.exp(-beta * (np.clip(a, first[0], first[-1]) + np.clip(b, first[0], first[-1])) / 4)
        return np.asarray(curve(np.stack([a, b], axis=-1)) * inside)

    return alpha
