r"""The transition kernel α(ν1, ν2): the one object every generator is written through.

$T(\rho) = \sum_a\sum_{\nu_1\nu_2} \alpha(\nu_1,\nu_2)\, A^a_{\nu_1}\rho A^{a\dagger}_{\nu_2}$, α positive semidefinite.
Detailed balance asks that $\tilde\alpha = \alpha e^{\beta(\nu_1+\nu_2)/4}$ is unchanged by (ν1, ν2) → (−ν2, −ν1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .baths import Bath
from .errors import ArgumentError, TooLargeError
from .filters import Filter
from .limits import MAX_CLASSES
from .rendering import Brief
from .spectrum import Array, Real, read_only

Mask = NDArray[np.bool_]


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


@dataclass(frozen=True, eq=False, repr=False)
class Secular(Brief):
    r"""Davies: $\alpha = \sqrt{\gamma(\nu_1)\gamma(\nu_2)}$ where ν1 and ν2 count as equal, 0 elsewhere.

    Frequencies closer than the tolerance are chained into one class and kept whole (partial secular).

    Args:
        bath: Gives γ.
        tolerance: Absolute, in the energy unit, >= 0.
        edges: Midpoints between the classes, once the Bohr frequencies are known.
        spread: Largest difference within a class.

    References:
        Davies, Commun. Math. Phys. 39, 91; for blocks of equal frequency Breuer & Petruccione, sec. 3.3.
    """

    bath: Bath
    tolerance: float
    edges: Real | None = None
    spread: float = 0.0
    positive = True
    detailed_balance = True

    @property
    def beta(self) -> float:
        """The bath's."""
        return self.bath.beta

    @property
    def blur(self) -> float:
        """The tolerance."""
        return self.tolerance

    def same(self, nu1: Real, nu2: Real) -> Mask:
        """Whether two frequencies count as equal."""
        if self.edges is None:
            return np.asarray(np.abs(np.asarray(nu1) - np.asarray(nu2)) <= self.tolerance)
        return np.asarray(np.searchsorted(self.edges, nu1) == np.searchsorted(self.edges, nu2))

    def __call__(self, nu1: Real, nu2: Real) -> Array:
        """α(ν1, ν2), elementwise."""
        root = np.sqrt(self.bath.rate(nu1)) * np.sqrt(self.bath.rate(nu2))
        return np.asarray(root * self.same(nu1, nu2), dtype=complex)

    def balanced(self, nu1: Real, nu2: Real) -> Array:
        """√(s(ν1) s(ν2)) within a class, s(ν) = γ(ν) e^{βν/2}."""
        root = np.sqrt(self.bath.symmetric(nu1)) * np.sqrt(self.bath.symmetric(nu2))
        return np.asarray(root * self.same(nu1, nu2), dtype=complex)

    def log_balanced(self, nu: Real) -> Real:
        """Ln s(ν)."""
        return self.bath.log_symmetric(nu)

    def support(self, nu: Real) -> Mask:
        """Where the bath has a spectrum; beyond its limit only an underflow makes it zero."""
        nu = np.asarray(nu, dtype=float)
        return np.asarray((self.bath.symmetric(nu) > 0) | (np.abs(nu) > self.bath.limit))

    def on(self, nu: Real) -> Secular:
        """With classes of these frequencies."""
        values = np.sort(np.asarray(nu, dtype=float), axis=None)
        apart = np.flatnonzero(np.diff(values) > self.tolerance)
        first, last = np.concatenate([[0], apart + 1]), np.concatenate([apart, [values.size - 1]])
        edges = read_only((values[apart + 1] + values[apart]) / 2)
        return replace(self, edges=edges, spread=float(np.max(values[last] - values[first])))

    def factors(self) -> tuple[tuple[float, Filter], ...]:
        """One per class of equal Bohr frequencies, exact on those given to `on`; none of them has a time kernel.

        Raises:
            ArgumentError: If `on` was not called.
            TooLargeError: With more than 1024 classes.
        """
        if self.edges is None:
            raise ArgumentError(
                "kind", "be told its Bohr frequencies first", "there are none", "call kernel.on(nu).factors()"
            )
        if self.edges.size + 1 > MAX_CLASSES:
            raise TooLargeError(
                f"Davies has one jump per coupling and Bohr frequency, here {self.edges.size + 1}; the limit is "
                f"{MAX_CLASSES}. Fix: use a smaller model, or a scheme in the time domain with a resolution."
            )
        return tuple((1.0, ClassFilter(self, k)) for k in range(self.edges.size + 1))


@dataclass(frozen=True, eq=False, repr=False)
class ClassFilter(Brief):
    """√γ(ν) inside one class of equal Bohr frequencies, 0 elsewhere: a factor of Davies' kernel.

    Its partner in detailed balance is that of −ν. It is known on Bohr frequencies only, so that in time it lasts for
    ever.
    """

    kernel: Secular
    index: int
    name = "class"
    width = np.inf

    @property
    def beta(self) -> float:
        """The bath's."""
        return self.kernel.beta

    def _inside(self, nu: Real) -> Mask:
        assert self.kernel.edges is not None  # made by a kernel that has its classes
        return np.asarray(np.searchsorted(self.kernel.edges, nu) == self.index)

    def _root(self, values: Callable[[Real], Real], nu: Real) -> Array:
        nu = np.asarray(nu, dtype=float)
        found = np.zeros(nu.shape, dtype=complex)
        inside = self._inside(nu)
        found[inside] = np.sqrt(values(nu[inside]))
        return found

    def symmetric(self, nu: Real) -> Array:
        """√s(ν) inside."""
        return self._root(self.kernel.bath.symmetric, nu)

    def frequency(self, nu: Real) -> Array:
        """√γ(ν) inside."""
        return self._root(self.kernel.bath.rate, nu)

    def log_symmetric(self, nu: Real) -> Real:
        """½ ln s(ν) inside, −∞ elsewhere."""
        nu = np.asarray(nu, dtype=float)
        found, inside = np.full(nu.shape, -np.inf), self._inside(nu)
        found[inside] = self.kernel.bath.log_symmetric(nu[inside]) / 2
        return found

    def support(self, nu: Real) -> Mask:
        """Inside, where the bath has a spectrum."""
        return np.asarray(self._inside(nu) & self.kernel.support(nu))

    def time(self, t: Real) -> Array:
        """Refused.

        Raises:
            ArgumentError: Always.
        """
        raise ArgumentError(
            "resolution", "be given for Davies' jumps in time", "a jump of one Bohr frequency lasts for ever",
            "set the knob resolution, the width in energy that such a jump is given",
        )  # fmt: skip


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
