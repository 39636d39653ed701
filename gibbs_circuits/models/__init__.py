"""What is thermalised: Hamiltonians from the library, from terms, from files."""

from .files import read_model
from .library import (
    LIBRARY,
    heisenberg,
    hubbard,
    kagome_ising,
    mixed_field_ising,
    tfim,
    xxz,
)
from .model import Model, as_model, as_operator, fitting, from_terms, hermitian, is_matrix, pauli_sum

__all__ = [
    "LIBRARY",
    "Model",
    "as_model",
    "as_operator",
    "fitting",
    "from_terms",
    "heisenberg",
    "hermitian",
    "hubbard",
    "is_matrix",
    "kagome_ising",
    "mixed_field_ising",
    "pauli_sum",
    "read_model",
    "tfim",
    "xxz",
]
