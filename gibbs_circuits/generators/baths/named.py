"""Filters and baths from what users write: a name, keys, a file, a function, or the object itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...errors import ArgumentError, check_choice, check_known, check_real, shown
from ...models.model import Model
from .. import baths
from .bath import Bath

BATHS: dict[str, Callable[..., Bath]] = {"ohmic": baths.ohmic, "power_law": baths.power_law}
BATH_KEYS = {"ohmic": ("strength", "cutoff"), "power_law": ("exponent", "strength", "cutoff")}


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
