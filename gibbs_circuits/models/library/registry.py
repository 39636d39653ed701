"""The library's models by name, as experiment files and the help see them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, signature

from ..model import Model
from .fermions import hubbard
from .lattices import kagome_ising
from .spin_chains import heisenberg, mixed_field_ising, tfim, xxz


@dataclass(frozen=True)
class LibraryModel:
    """A library model as files and `--help` see it."""

    build: Callable[..., Model]
    formula: str

    @property
    def parameters(self) -> dict[str, Parameter]:
        """Its keys, with their defaults."""
        return dict(signature(self.build).parameters)


LIBRARY: dict[str, LibraryModel] = {
    "mixed_field_ising": LibraryModel(mixed_field_ising, "−J ΣZZ − h ΣX − g ΣZ"),
    "tfim": LibraryModel(tfim, "−J ΣZZ − h ΣX"),
    "xxz": LibraryModel(xxz, "J Σ(XX + YY + Δ ZZ) + Σ h_i Z_i"),
    "heisenberg": LibraryModel(heisenberg, "J Σ(XX + YY + ZZ) + Σ h_i Z_i"),
    "hubbard": LibraryModel(hubbard, "−t Σ(c†c + h.c.) + U Σ n↑n↓ − μ Σ n"),
    "kagome_ising": LibraryModel(kagome_ising, "Σ ZZ + g_x ΣX + g_z ΣZ"),
}
