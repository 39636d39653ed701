"""The Redfield kernel, which is not positive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ArgumentError
from ...io.rendering import Brief
from ...linalg.arrays import Array, Mask, Real
from ..baths.bath import Bath
from ..filters.base import Filter


@dataclass(frozen=True, eq=False, repr=False)
class Redfield(Brief):
    r"""$\alpha = \Gamma(-\nu_1) + \Gamma(-\nu_2)^*$, $\Gamma = \tfrac12 G + iS$: not positive; kept for comparison."""

    bath: Bath
    positive = False
    detailed_balance = False
    blur = np.inf

    @property
    def beta(self) -> float:
        """The bath's."""
        return self.bath.beta

    def one_sided(self, nu: Real) -> Array:
        """Γ(−ν), the one-sided transform of C(t)."""
        nu = np.asarray(nu, dtype=float)
        return np.asarray(self.bath.rate(nu) / 2 + 1j * self.bath.lamb(-nu))

    def __call__(self, nu1: Real, nu2: Real) -> Array:
        """α(ν1, ν2), elementwise."""
        return np.asarray(self.one_sided(nu1) + self.one_sided(nu2).conj())

    def balanced(self, nu1: Real, nu2: Real) -> Array:
        """α̃, clipped where e^{β(ν1+ν2)/4} would overflow."""
        growth = np.exp(np.minimum(self.beta * (np.asarray(nu1) + np.asarray(nu2)) / 4, 500.0))
        return np.asarray(self(nu1, nu2) * growth)

    def log_balanced(self, nu: Real) -> Real:
        """Ln s(ν): on the diagonal the two S cancel."""
        return self.bath.log_symmetric(nu)

    def support(self, nu: Real) -> Mask:
        """Everywhere: S(ω) has no zeros of its own."""
        return np.ones(np.shape(nu), dtype=bool)

    def on(self, nu: Real) -> Redfield:
        """Itself."""
        return self

    def factors(self) -> tuple[tuple[float, Filter], ...]:
        """Refused: a negative factor is no jump operator.

        Raises:
            ArgumentError: Always.
        """
        raise ArgumentError(
            "kind", "be completely positive to become a circuit", "redfield is not",
            'use kind = "ule" with coherent = "balance"',
        )  # fmt: skip
