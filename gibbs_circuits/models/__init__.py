"""What is thermalised: Hamiltonians from the library, from terms, from files."""

from typing import TYPE_CHECKING

from .files import read_model
from .library.bonds import Lattice, chain, heavy_hex, ladder, square
from .library.registry import LIBRARY
from .model import Model, from_terms, hermitian, pauli_sum

if TYPE_CHECKING:  # what editors see; at run time every model of the library
    from .library.fermions import hubbard
    from .library.lattices import kagome_ising
    from .library.spin_chains import heisenberg, mixed_field_ising, tfim, xxz
else:
    globals().update({name: entry.function for name, entry in LIBRARY.items()})

__all__ = [
    "LIBRARY", "Lattice", "Model", "chain", "from_terms", "heavy_hex", "heisenberg", "hermitian", "hubbard",
    "kagome_ising", "ladder", "mixed_field_ising", "pauli_sum", "read_model", "square", "tfim", "xxz",
]  # fmt: skip
