r"""The transition kernel α(ν1, ν2): the one object every generator is written through.

$T(\rho) = \sum_a\sum_{\nu_1\nu_2} \alpha(\nu_1,\nu_2)\, A^a_{\nu_1}\rho A^{a\dagger}_{\nu_2}$, α positive semidefinite.
Detailed balance asks that $\tilde\alpha = \alpha e^{\beta(\nu_1+\nu_2)/4}$ is unchanged by (ν1, ν2) → (−ν2, −ν1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ...io.rendering import Brief
from ...linalg.arrays import Array, Mask, Real
from ..filters.base import Filter


class Kernel(Protocol):
    """A function on pairs of Bohr frequencies, Hermitian, α(ν2, ν1) = α(ν1, ν2)*."""

    @property
    def beta(self) -> float:
        """The inverse temperature it is made for."""
        ...

    @property
    def positive(self) -> bool:
        """Whether it is positive semidefinite as a formula."""
        ...

    @property
    def detailed_balance(self) -> bool:
        """Whether it is in KMS balance as a formula."""
        ...

    @property
    def blur(self) -> float:
        """Largest difference of two Bohr frequencies that it joins on purpose; infinite unless it is secular."""
        ...

    def __call__(self, nu1: Real, nu2: Real) -> Array:
        """α(ν1, ν2), elementwise."""
        ...

    def balanced(self, nu1: Real, nu2: Real) -> Array:
        """α̃ = α(ν1, ν2) e^{β(ν1+ν2)/4}, in a form that does not overflow."""
        ...

    def log_balanced(self, nu: Real) -> Real:
        """Ln |α̃(ν, ν)|, which does not underflow; −∞ where it vanishes. The rate of A_ν is α̃(ν, ν) e^{−βν/2}."""
        ...

    def support(self, nu: Real) -> Mask:
        """Where α(ν, ν) ≠ 0 as a formula: which A_ν take part at all."""
        ...

    def on(self, nu: Real) -> Kernel:
        """The same kernel, told which Bohr frequencies there are; `factors` then hold on these."""
        ...

    def factors(self) -> tuple[tuple[float, Filter], ...]:
        """Weighted rank-one factors, α = Σ_k w_k f̂_k(ν1) f̂_k*(ν2)."""
        ...


@dataclass(frozen=True, repr=False)
class RankOne(Brief):
    """α(ν1, ν2) = w f̂(ν1) f̂*(ν2): one jump operator per coupling."""

    filter: Filter
    weight: float = 1.0
    positive = True
    detailed_balance = True
    blur = np.inf

    @property
    def beta(self) -> float:
        """The filter's."""
        return self.filter.beta

    def __call__(self, nu1: Real, nu2: Real) -> Array:
        """α(ν1, ν2), elementwise."""
        return self.weight * self.filter.frequency(nu1) * self.filter.frequency(nu2).conj()

    def balanced(self, nu1: Real, nu2: Real) -> Array:
        """W q(ν1) q(ν2)*."""
        return self.weight * self.filter.symmetric(nu1) * self.filter.symmetric(nu2).conj()

    def log_balanced(self, nu: Real) -> Real:
        """Ln w + 2 ln |q|."""
        return np.asarray(np.log(self.weight) + 2 * self.filter.log_symmetric(nu))

    def support(self, nu: Real) -> Mask:
        """That of the filter."""
        return self.filter.support(nu)

    def on(self, nu: Real) -> RankOne:
        """Itself: its factor holds everywhere."""
        return self

    def factors(self) -> tuple[tuple[float, Filter], ...]:
        """One."""
        return ((self.weight, self.filter),)
