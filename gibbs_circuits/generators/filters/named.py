"""Filters by the names that experiment files use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import ArgumentError, check_choice, shown
from ...io.text import name_of
from ...models.model import Model, bandwidth
from .base import Filter
from .custom import CustomFilter, read_filter
from .gaussian import GaussianFilter
from .metropolis import MetropolisFilter

FILTERS = ("gaussian", "metropolis", "lloyd_abanin")


def make_filter(
    filter: Any, beta: float, model: Model, folder: Path, bandwidth_S: float | None, splitting: float | None
) -> Filter:
    """A filter from a name, a file, a function of ν, or a filter itself."""
    for key, value, owner in (("bandwidth", bandwidth_S, "metropolis"), ("splitting", splitting, "lloyd_abanin")):
        if value is not None and not (isinstance(filter, str) and filter == owner):
            fix = f'remove {key}, or set filter = "{owner}"'
            raise ArgumentError(
                key, f"be left out unless filter = {owner}", f"it is {shown(value)}, and unused here", fix
            )
    largest = 2 * bandwidth(model)  # >= max |ν|
    match filter:
        case "gaussian":
            return GaussianFilter(beta)
        case "metropolis":
            return MetropolisFilter(beta, 2 * largest if bandwidth_S is None else bandwidth_S)
        case "lloyd_abanin":
            return GaussianFilter(beta, splitting)
        case str() | Path() if str(filter).endswith(".csv"):
            return CustomFilter(beta, read_filter(folder / filter, beta), largest, name_of(Path(filter)))
        case str():
            check_choice("filter", filter, [*FILTERS, "file.csv"])
        case _ if hasattr(filter, "frequency") and not isinstance(filter, type):
            return filter  # type: ignore[no-any-return]
        case _ if callable(filter):
            return CustomFilter(beta, filter, largest)
    raise ArgumentError(
        "filter", "be a name, a .csv file or a function of ν", f"{shown(filter)} was found", 'set filter = "gaussian"'
    )
