"""Filters by name. To add one: a function of its name in a file of its name here, and a line in `FILTERS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from ...errors import ArgumentError, as_float, check_choice, shown
from ...io.text import name_of
from ...models.catalogue import Entry, by_name, from_numbers
from ...models.model import Model, bandwidth
from .base import Filter
from .custom import CustomFilter, read_filter


class NamedFilter(Entry[Filter]):
    """A filter by its name: the function of that name makes it."""


FILTERS = by_name(
    NamedFilter("gaussian"),
    NamedFilter("metropolis"),
    NamedFilter("lloyd_abanin"),
)
FILTER_HELP = f'f̂(ν): {", ".join(FILTERS)}, or "file.csv" (nu, f or nu, re, im).'
FilterLike: TypeAlias = Annotated[str | Mapping[str, Any] | Path | Filter | Callable[[Any], Any], FILTER_HELP]
"""A filter's name, its keys ({"kind": "metropolis", "bandwidth": 8}), a .csv file, a filter, or a function f̂(ν)."""


def filter_of(filter: FilterLike, beta: float, model: Model, **numbers: float | None) -> Filter:
    """A filter from a name, a table of keys, a file, a function of ν, or a filter itself.

    `numbers` are keys that a kind of generator has for the filters by name, each of one of them; None if left out.
    """
    given = {key: as_float(value) for key, value in numbers.items() if value is not None}
    own = FILTERS[filter].keys if isinstance(filter, str) and filter in FILTERS else {}
    for key, value in given.items():
        if key not in own:
            owner = next(name for name, entry in FILTERS.items() if key in entry.keys)
            fix = f'remove {key}, or set filter = "{owner}"'
            raise ArgumentError(
                key, f"be left out unless filter = {owner}", f"it is {shown(value)}, and unused here", fix
            )
    largest = 2 * bandwidth(model)  # >= max |ν|
    match filter:
        case str() if filter in FILTERS:
            return FILTERS[filter].make(model, beta, given)
        case str() | Path() if str(filter).endswith(".csv"):
            return CustomFilter(beta, read_filter(Path(filter), beta), largest, name_of(Path(filter)))
        case str():
            check_choice("filter", filter, [*FILTERS, "file.csv"])
        case Mapping():
            return from_numbers("filter", FILTERS, filter, model, beta)
        case Filter():
            return filter
        case _ if callable(filter):
            return CustomFilter(beta, filter, largest)
    raise ArgumentError(
        "filter", "be a name, a .csv file or a function of ν", f"{shown(filter)} was found", 'set filter = "gaussian"'
    )
