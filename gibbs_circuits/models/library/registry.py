"""The library's models by name, as experiment files and the help see them.

To add one: a function of its name, all defaults, in a file of its name here, and a line in `LIBRARY`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import ArgumentError, check_choice, check_known, shown
from ..catalogue import Entry, by_name
from ..model import Model
from .bonds import LATTICES, lattice_keys


@dataclass(frozen=True)
class LibraryModel(Entry[Model]):
    """A library model; its summary is its formula.

    Attributes:
        anywhere: Whether its first parameter may be any lattice, whose keys then stand in place of the chain's.
    """

    anywhere: bool = False

    def from_keys(self, name: str, values: Mapping[str, Any]) -> tuple[Model, dict[str, Any]]:
        """The model that the keys of a file describe, and all its keys, defaults filled in.

        Args:
            name: Of the model, for complaints.
            values: The keys of `[model]` besides name and beta; with `lattice`, those of the lattice among them.

        Raises:
            ArgumentError: If a key is unknown, unused on this lattice, or has no such value.
        """
        own, given = dict(self.parameters), dict(values)
        if not self.anywhere and "lattice" in given:
            rule = f"be left out of {name}, which has a lattice of its own"
            raise ArgumentError("lattice", rule, f"{shown(given['lattice'])} was found", "remove lattice")
        asked = given.pop("lattice", None)
        kind = "chain" if asked is None else check_choice("lattice", asked, LATTICES)
        size = lattice_keys(LATTICES[kind])
        chain = lattice_keys(LATTICES["chain"]) if self.anywhere else {}
        numbers = {key: one for key, one in own.items() if key not in chain}
        known = own if kind == "chain" else numbers | dict(size)
        for key in given:
            whose = f"of {name}" if kind == "chain" else f"of {name} on the lattice {kind}"
            check_known(key, (*known, *(["lattice"] if self.anywhere else [])), given[key], whose=whose)
        filled = {**({} if asked is None else {"lattice": kind}), **{k: p.default for k, p in known.items()}, **given}
        if kind == "chain":
            return self.function(**given), filled
        lattice = LATTICES[kind](**{key: value for key, value in given.items() if key in size})
        first = next(iter(own))
        return self.function(**{first: lattice, **{key: v for key, v in given.items() if key in numbers}}), filled


LIBRARY = by_name(
    LibraryModel("mixed_field_ising", "−J ΣZZ − h ΣX − g ΣZ", home="spin_chains", anywhere=True),
    LibraryModel("tfim", "−J ΣZZ − h ΣX", home="spin_chains", anywhere=True),
    LibraryModel("xxz", "J Σ(XX + YY + Δ ZZ) + Σ h_i Z_i", home="spin_chains", anywhere=True),
    LibraryModel("heisenberg", "J Σ(XX + YY + ZZ) + Σ h_i Z_i", home="spin_chains", anywhere=True),
    LibraryModel("hubbard", "−t Σ(c†c + h.c.) + U Σ n↑n↓ − μ Σ n", home="fermions"),
    LibraryModel("kagome_ising", "Σ ZZ + g_x ΣX + g_z ΣZ", home="lattices"),
)
