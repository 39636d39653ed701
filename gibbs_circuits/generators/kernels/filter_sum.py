"""A sum of rank-one kernels, one per filter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...linalg.arrays import Array, Mask, Real
from ..filters.base import log_of
from .base import Factors, Kernel


@dataclass(frozen=True, eq=False)
class FilterSum(Kernel):
    """α(ν1, ν2) = Σ_k w_k f̂_k(ν1) f̂_k*(ν2) of any filters: positive, in detailed balance with nothing.

    Args:
        beta: The inverse temperature that the recipe aims at.
        parts: (w_k, f̂_k), w_k >= 0.
    """

    beta: float
    parts: Factors

    def __call__(self, nu1: Real, nu2: Real) -> Array:
        total = np.zeros(np.broadcast_shapes(np.shape(nu1), np.shape(nu2)), dtype=complex)
        for weight, filter in self.parts:
            total += weight * filter.frequency(nu1) * filter.frequency(nu2).conj()
        return total

    def log_balanced(self, nu: Real) -> Real:
        nu = np.asarray(nu, dtype=float)
        return log_of(self(nu, nu)) + self.beta * nu / 2

    def support(self, nu: Real) -> Mask:
        """Where any filter is not zero as a formula."""
        return np.asarray(np.any([filter.support(nu) for _, filter in self.parts], axis=0))

    def factors(self) -> Factors:
        return self.parts
