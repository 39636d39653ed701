"""Filters and baths from what users write: a name, keys, a file, a function, or the object itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import baths
from .baths import Bath
from .errors import ArgumentError, check_choice, check_known, check_real, shown
from .filters import Filter, GaussianFilter, MetropolisFilter
from .generators.catalogue import bandwidth
from .models import Model
from .models.text import name_of
from .tables import read_filter
from .user import CustomFilter

FILTERS = ("gaussian", "metropolis", "lloyd_abanin")
BATHS: dict[str, Callable[..., Bath]] = {"ohmic": baths.ohmic, "power_law": baths.power_law}
BATH_KEYS = {"ohmic": ("strength", "cutoff"), "power_law": ("exponent", "strength", "cutoff")}


def window_of(window: float | None, beta: float) -> float:
    """T, β if left out.

    Raises:
        ArgumentError: If it is left out at β = 0.
    """
    if window is None and beta == 0:
        raise ArgumentError("window", "be given at β = 0", "it is left out", "set window = 1.0")
    return beta if window is None else check_real("window", window, low=0.0, above=True)


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


def make_bath(bath: Any, beta: float, folder: Path, model: Model) -> Bath:
    """A bath from a name, a table of keys, a file, a function G(ω), or a bath itself.

    A cutoff that is left out is 5 × the largest |coefficient| of H, the identity left out.
    """
    return _read_bath(bath, beta, folder).for_model(model)


def _read_bath(bath: Any, beta: float, folder: Path) -> Bath:
    match bath:
        case Bath():
            if bath.beta != beta:
                raise ArgumentError(
                    "bath", f"be made for the same β = {beta:g}", f"it is for {bath.beta:g}", "give both the same β"
                )
            return bath
        case str() | Path() if str(bath).endswith(".csv"):
            try:
                return baths.read_bath(folder / bath, beta)
            except ArgumentError as error:
                whole = error.argument == "path"  # the file itself; else a row of it
                raise ArgumentError("bath" if whole else error.argument, error.rule, error.found, error.fix,
                                    error.file) from None  # fmt: skip
        case str():
            return _named_bath({"kind": bath}, beta)
        case Mapping():
            return _named_bath(bath, beta)
        case _ if callable(bath):
            return baths.from_function(beta, bath)
    raise ArgumentError(
        "bath", "be a name, {kind = …}, or a .csv file", f"{shown(bath)} was found", 'set bath = "ohmic"'
    )


def _named_bath(keys: Mapping[str, Any], beta: float) -> Bath:
    kind = check_choice("bath", keys.get("kind", "ohmic"), BATHS)
    for key in keys:
        check_known(str(key), ("kind", *BATH_KEYS[kind]), keys[key], where="bath.")
    values = {key: check_real(f"bath.{key}", value) for key, value in keys.items() if key != "kind"}
    if kind == "power_law" and "exponent" not in values:
        raise ArgumentError("bath.exponent", "be given for power_law", "it is missing", "add exponent = 3")
    try:
        return BATHS[kind](beta, **values)
    except ArgumentError as error:
        name = error.argument if error.argument == "beta" else f"bath.{error.argument}"
        raise ArgumentError(name, error.rule, error.found, error.fix) from None
