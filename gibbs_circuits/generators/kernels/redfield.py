"""The Redfield kernel, which is not positive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import ArgumentError
from ...io.rendering import Brief
from ...linalg.arrays import Array, Matrix, Real
from ..baths.bath import Bath
from .base import Factors, Kernel, Transitions


@dataclass(frozen=True, eq=False, repr=False)
class Redfield(Brief, Kernel):
    r"""$\alpha = \Gamma(-\nu_1) + \Gamma(-\nu_2)^*$, $\Gamma = \tfrac12 G + iS$: not positive; kept for comparison."""

    bath: Bath
    positive = False

    @property
    def baths(self) -> tuple[Bath, ...]:
        return (self.bath,)

    @property
    def beta(self) -> float:
        return self.bath.beta

    def one_sided(self, nu: Real) -> Array:
        """Γ(−ν), the one-sided transform of C(t)."""
        nu = np.asarray(nu, dtype=float)
        return np.asarray(self.bath.rate(nu) / 2 + 1j * self.bath.lamb(-nu))

    def __call__(self, nu1: Real, nu2: Real) -> Array:
        return np.asarray(self.one_sided(nu1) + self.one_sided(nu2).conj())

    def log_balanced(self, nu: Real) -> Real:
        """Ln s(ν): on the diagonal the two S cancel."""
        return self.bath.log_symmetric(nu)

    def factors(self) -> Factors:
        """Refused: a negative factor is no jump operator.

        Raises:
            ArgumentError: Always.
        """
        raise ArgumentError(
            "kind", "be completely positive to become a circuit", "redfield is not",
            'use kind = "ule" with coherent = "balance"',
        )  # fmt: skip

    def matrix(self, nu: Real, *, balanced: bool = False) -> Matrix:
        return (self.balanced if balanced else self)(nu[:, None], nu[None, :])

    def decay(self, A: Matrix, nu: Real) -> Matrix:
        """T†(1) of one coupling: A†(Γ∘A) and its adjoint, without factors."""
        half = A.conj().T @ (self.one_sided(nu) * A)
        return np.asarray(half + half.conj().T)

    def transitions(self, couplings: Sequence[Matrix], nu: Real) -> Transitions:
        """X ↦ Σ (Γ∘A) X A† + A X (Γ∘A)†."""
        filtered = [self.one_sided(nu) * A for A in couplings]
        pairs = tuple(pair for A, F in zip(couplings, filtered, strict=True) for pair in ((F, A), (A, F)))
        return Transitions(pairs, np.asarray(sum(self.decay(A, nu) for A in couplings)))
