"""Baths by name. To add one: a function of its name in a file of its name here, and a line in `BATHS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from ...errors import ArgumentError, shown
from ...models.catalogue import Entry, by_name, from_numbers
from ...models.model import Model
from .bath import Bath
from .custom import from_function, read_bath


class NamedBath(Entry[Bath]):
    """A bath by name; its summary shows how an experiment file names it."""


BATHS = by_name(
    NamedBath("ohmic", '"ohmic", {kind = "ohmic", strength = 1, cutoff = 5}'),
    NamedBath("power_law", '{kind = "power_law", exponent = 3}'),
)
BATH_HELP = (
    f'G(ω): {", ".join(bath.summary for bath in BATHS.values())}, or "file.csv";'
    " a cutoff left out is 5 × the largest |coefficient| of H."
)
BathLike: TypeAlias = Annotated[str | Mapping[str, Any] | Path | Bath | Callable[[float], float], BATH_HELP]
"""A bath's name, its keys ({"kind": "ohmic", "cutoff": 4}), a .csv file, a bath, or a function G(ω)."""


def bath_of(bath: BathLike, beta: float, model: Model) -> Bath:
    """A bath from a name, a table of keys, a file, a function G(ω), or a bath itself.

    A cutoff that is left out is 5 × the largest |coefficient| of H, the identity left out.
    """
    match bath:
        case Bath():
            if bath.beta != beta:
                raise ArgumentError(
                    "bath", f"be made for the same β = {beta:g}", f"it is for {bath.beta:g}", "give both the same β"
                )
            made = bath
        case str() | Path() if str(bath).endswith(".csv"):
            try:
                made = read_bath(bath, beta)
            except ArgumentError as error:
                name = "bath" if error.argument == "path" else error.argument  # the file itself; else a row of it
                raise ArgumentError(name, error.rule, error.found, error.fix, error.file) from None
        case str():
            made = from_numbers("bath", BATHS, {"kind": bath}, model, beta)
        case Mapping():
            made = from_numbers("bath", BATHS, bath, model, beta)
        case _ if callable(bath):
            made = from_function(beta, bath)
        case _:
            found, fix = f"{shown(bath)} was found", 'set bath = "ohmic"'
            raise ArgumentError("bath", "be a name, {kind = …}, or a .csv file", found, fix)
    return made.for_model(model)
