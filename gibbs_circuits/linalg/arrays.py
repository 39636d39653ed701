"""Types and views of arrays."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray


def packed(X: Matrix) -> Real:
    """Re X + Im X."""
    return np.ascontiguousarray(X.real + X.imag) if np.iscomplexobj(X) else np.array(X, dtype=float)


def unpacked(M: Real) -> Array:
    """The Hermitian matrix of a packed one."""
    return np.asarray((M + M.T) / 2 + 0.5j * (M - M.T))


Matrix = NDArray[Any]  # real where H and the couplings allow
Mask = NDArray[np.bool_]
Array = NDArray[np.complex128]
Real = NDArray[np.float64]
Frozen = TypeVar("Frozen", bound=NDArray[Any])


def read_only(array: Frozen) -> Frozen:
    """The same array, refusing writes: `frozen=True` alone does not protect what a field points to."""
    array.setflags(write=False)
    return array


def vec(matrix: NDArray[Any]) -> Array:
    """Column-stacked vector of a matrix."""
    return np.asarray(matrix, dtype=complex).reshape(-1, order="F")


def unvec(vector: NDArray[Any]) -> Array:
    """Square matrix of a column-stacked vector."""
    dim = round(vector.size**0.5)
    return np.asarray(vector, dtype=complex).reshape(dim, dim, order="F")


Values = NDArray[Any]  # of floats, or of complex numbers


def traceless(A: Matrix) -> Matrix:
    """A − 1 Tr A / d: what a matrix is beside a multiple of the identity."""
    return np.asarray(A - np.trace(A) / len(A) * np.eye(len(A)))
