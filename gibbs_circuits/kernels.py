r"""The transition kernel α(ν1, ν2): the one object every generator is written through.

$T(\rho) = \sum_a\sum_{\nu_1\nu_2} \alpha(\nu_1,\nu_2)\, A^a_{\nu_1}\rho A^{a\dagger}_{\nu_2}$, α positive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .filters import Filter
from .spectrum import Array, Real


class Kernel(Protocol):
    """A positive-semidefinite function on pairs of Bohr frequencies."""

    def __call__(self, nu1: Real, nu2: Real) -> Array:
        """α(ν1, ν2), elementwise."""
        ...

    def balanced(self, nu1: Real, nu2: Real, beta: float) -> Array:
        """α̃ = α(ν1, ν2) e^{β(ν1+ν2)/4}, in a form that does not overflow."""
        ...

    def support(self, nu: Real) -> NDArray[np.bool_]:
        """Where α(ν, ν) ≠ 0 as a formula: which A_ν take part at all."""
        ...

    def factors(self) -> tuple[tuple[float, Filter], ...]:
        """Weighted rank-one factors: α = Σ_k w_k f̂_k(ν1) f̂_k*(ν2)."""
        ...


@dataclass(frozen=True)
class RankOne:
    """α(ν1, ν2) = f̂(ν1) f̂*(ν2): one jump operator per coupling."""

    filter: Filter

    def __call__(self, nu1: Real, nu2: Real) -> Array:
        """α(ν1, ν2), elementwise."""
        return self.filter.frequency(nu1) * self.filter.frequency(nu2).conj()

    def balanced(self, nu1: Real, nu2: Real, beta: float) -> Array:
        """q(ν1) q(ν2)* with q(ν) = f̂(ν) e^{βν/4}."""

        def q(nu: Real) -> Array:
            value = self.filter.frequency(nu)
            # f̂ underflows to an exact zero before e^{βν/4} can overflow it into a nan
            growth = np.exp(np.where(value == 0, 0.0, beta * np.asarray(nu) / 4))
            return value * growth

        return q(nu1) * q(nu2).conj()

    def support(self, nu: Real) -> NDArray[np.bool_]:
        """That of the filter."""
        return self.filter.support(nu)

    def factors(self) -> tuple[tuple[float, Filter], ...]:
        """One factor of weight one."""
        return ((1.0, self.filter),)
