"""Distances and fidelities of states, random states, products."""

from __future__ import annotations

import numpy as np

from .arrays import Array


def _product(factors: list[Array]) -> Array:
    """Their tensor product, the first on the least significant qubit."""
    total = np.ones(1, dtype=complex)
    for factor in factors:
        total = np.kron(factor, total)
    return total
