"""Filters by the names that experiment files use."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

from ...errors import ArgumentError, check_choice, shown
from ...io.text import name_of
from ...models.model import Model, bandwidth
from .base import Filter
from .custom import CustomFilter, read_filter
from .gaussian import GaussianFilter
from .metropolis import MetropolisFilter

FILTERS: dict[str, Callable[..., Filter]] = {  # name → (β, a bound of |ν|, options of its own) → filter
    "gaussian": lambda beta, largest: GaussianFilter(beta),
    "metropolis": lambda beta, largest, bandwidth=None: MetropolisFilter(
        beta, 2 * largest if bandwidth is None else bandwidth
    ),
    "lloyd_abanin": lambda beta, largest, splitting=None: GaussianFilter(beta, splitting),
}


def make_filter(
    filter: Any, beta: float, model: Model, folder: Path, bandwidth_S: float | None, splitting: float | None
) -> Filter:
    """A filter from a name, a file, a function of ν, or a filter itself."""
    named = FILTERS.get(filter) if isinstance(filter, str) else None
    options = {k: v for k, v in (("bandwidth", bandwidth_S), ("splitting", splitting)) if v is not None}
    for key, value in options.items():
        if named is None or key not in signature(named).parameters:
            owner = next(name for name, made in FILTERS.items() if key in signature(made).parameters)
            fix = f'remove {key}, or set filter = "{owner}"'
            raise ArgumentError(
                key, f"be left out unless filter = {owner}", f"it is {shown(value)}, and unused here", fix
            )
    largest = 2 * bandwidth(model)  # >= max |ν|
    if named is not None:
        return named(beta, largest, **options)
    match filter:
        case str() | Path() if str(filter).endswith(".csv"):
            return CustomFilter(beta, read_filter(folder / filter, beta), largest, name_of(Path(filter)))
        case str():
            check_choice("filter", filter, [*FILTERS, "file.csv"])
        case Filter():
            return filter
        case _ if callable(filter):
            return CustomFilter(beta, filter, largest)
    raise ArgumentError(
        "filter", "be a name, a .csv file or a function of ν", f"{shown(filter)} was found", 'set filter = "gaussian"'
    )
