"""Pieces of a generator's action on d × d matrices, without its d² × d² matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ...generators.kernels.base import Pair
from ...linalg.arrays import Matrix, Real

BATCHED_ENTRIES = 100_000  # jumps × d² up to which all jumps are stacked into one product; beyond, caches overflow


def damped(R: Matrix, beta: float, nu: Real) -> Matrix:
    """The decay operator of the balanced form D, R_ij / cosh(βν_ij/4), without overflow."""
    x = np.minimum(np.abs(beta * nu / 4), 700.0)
    return np.asarray(R / np.cosh(x))


def sandwich(pairs: Sequence[Pair], d: int) -> Callable[[Matrix], Matrix]:
    """X ↦ Σ L X R†; all in two products where they are small."""
    if not pairs:
        return lambda X: np.zeros_like(X)
    if len(pairs) * d * d > BATCHED_ENTRIES:
        right = [np.ascontiguousarray(R.conj().T) for _, R in pairs]

        def one_by_one(X: Matrix) -> Matrix:
            total = pairs[0][0] @ X @ right[0]
            for (L, _), R in zip(pairs[1:], right[1:], strict=True):
                total += L @ X @ R
            return np.asarray(total)

        return one_by_one
    count = len(pairs)
    lefts = np.concatenate([L for L, _ in pairs])
    rights = np.concatenate([R.conj().T for _, R in pairs])

    def batched(X: Matrix) -> Matrix:
        halves = (lefts @ X).reshape(count, d, d).transpose(1, 0, 2).reshape(d, count * d)
        return np.asarray(halves @ rights)

    return batched
