r"""How large an operator is, and what is nothing beside it: the one place where energies get their scale.

$\beta H$ has no unit. $(H, \beta)$ and $(sH, \beta/s)$ are the same physics, whether s turns hartree into hertz or
nothing into anything; so no tolerance on an energy, a frequency, a rate or a coupling may be a plain number. It is a
share of `size` (one operator), of `bandwidth` (its levels) or of the largest of the numbers compared (`distinct`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from qiskit.quantum_info import SparsePauliOp


DEBRIS = 1e-14  # of an operator's size: sums and products of doubles leave a few 1e-16 of what was added
SAME = 1e-12  # of the largest number: Bohr frequencies closer than this are one, as diagonalising makes no better ones
CUTOFF = 5.0  # of a bath, times the size of H


def acting(operator: SparsePauliOp) -> NDArray[np.bool_]:
    """Which terms are not the identity."""
    return np.asarray(np.any(operator.paulis.x | operator.paulis.z, axis=1))


def size(operator: SparsePauliOp) -> float:
    """The largest |coefficient| of a merged Pauli sum, the identity left out: it moves no level against another.

    In the unit of the operator; 0 of a multiple of the identity.
    """
    return float(np.max(np.abs(operator.coeffs[acting(operator)]), initial=0.0))


def bandwidth(operator: SparsePauliOp) -> float:
    """Σ|c_k| over the terms that are not the identity: at least half of max |ν|; 1 if there are none."""
    return float(np.sum(np.abs(operator.coeffs[acting(operator)]))) or 1.0


def merged(operator: SparsePauliOp) -> SparsePauliOp:
    """Equal Pauli strings added up; nothing is dropped for being small in the user's unit, as Qiskit's default does."""
    return operator.simplify(atol=0.0, rtol=0.0)


def without_debris(operator: SparsePauliOp) -> SparsePauliOp:
    """The merged sum less terms of at most 1e-14 of its size: what arithmetic left where terms should have cancelled.

    Such a term changes no level that a double can hold, but would break a symmetry, change a count of steady states or
    be named as a charge. Of a multiple of the identity nothing is dropped.
    """
    found = merged(operator)
    kept = np.abs(found.coeffs) > DEBRIS * size(found)
    return found if np.all(kept) or not np.any(kept) else found[kept]


def distinct(values: ArrayLike) -> NDArray[np.float64]:
    """Different numbers, ascending; those closer than about 1e-12 of the largest |number| are one."""
    flat = np.asarray(values, dtype=float).ravel()
    top = float(np.max(np.abs(flat), initial=0.0))
    return np.unique(np.round(flat / top / SAME) * SAME * top) if top > 0 else np.unique(flat)


def rounded(value: float, unit: float, digits: int = 4) -> float:
    """A number with so many significant digits in a unit: a knob that scales exactly as that unit does."""
    return float(f"{value / unit:.{digits}g}") * unit
