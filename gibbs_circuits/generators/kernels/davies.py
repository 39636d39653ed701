"""The secular kernel: only equal Bohr frequencies go together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ...errors import ArgumentError, TooLargeError
from ...io.rendering import Brief
from ...limits import MAX_CLASSES
from ...linalg.arrays import Array, Mask, Real, read_only
from ..baths.bath import Bath
from ..filters.base import Filter


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
