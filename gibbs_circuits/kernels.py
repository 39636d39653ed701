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
from .errors import ArgumentError, TooLargeError, check_beta, check_real
from .filters import BALANCE_TOLERANCE, Filter
from .spectrum import Array, Real, read_only

Mask = NDArray[np.bool_]
POSITIVITY_TOLERANCE = 1e-10
MAX_TABULATED = 4096


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

    def __call__(self, nu1: Real, nu2: Real) -> Array:
        """α(ν1, ν2), elementwise."""
        ...

    def balanced(self, nu1: Real, nu2: Real) -> Array:
        """α̃ = α(ν1, ν2) e^{β(ν1+ν2)/4}, in a form that does not overflow."""
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


@dataclass(frozen=True)
class RankOne:
    """α(ν1, ν2) = w f̂(ν1) f̂*(ν2): one jump operator per coupling."""

    filter: Filter
    weight: float = 1.0
    positive = True

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

    def support(self, nu: Real) -> Mask:
        """That of the filter."""
        return self.filter.support(nu)

    def on(self, nu: Real) -> RankOne:
        """Itself: its factor holds everywhere."""
        return self

    def factors(self) -> tuple[tuple[float, Filter], ...]:
        """One."""
        return ((self.weight, self.filter),)


@dataclass(frozen=True, eq=False)
class Secular:
    r"""Davies: $\alpha = \sqrt{\gamma(\nu_1)\gamma(\nu_2)}$ where ν1 and ν2 count as equal, 0 elsewhere.

    Frequencies closer than the tolerance are chained into one class and kept whole (partial secular).

    Args:
        bath: Gives γ.
        tolerance: Absolute, in the energy unit, >= 0.
        edges: Midpoints between the classes, once the Bohr frequencies are known.

    References:
        Davies, Commun. Math. Phys. 39, 91; for blocks of equal frequency Breuer & Petruccione, sec. 3.3.
    """

    bath: Bath
    tolerance: float
    edges: Real | None = None
    positive = True

    @property
    def beta(self) -> float:
        """The bath's."""
        return self.bath.beta

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

    def support(self, nu: Real) -> Mask:
        """Where the bath has a spectrum; beyond its limit only an underflow makes it zero."""
        nu = np.asarray(nu, dtype=float)
        return np.asarray((self.bath.symmetric(nu) > 0) | (np.abs(nu) > self.bath.limit))

    def on(self, nu: Real) -> Secular:
        """With classes of these frequencies."""
        values = np.sort(np.asarray(nu, dtype=float), axis=None)
        apart = np.diff(values) > self.tolerance
        return replace(self, edges=read_only(((values[1:] + values[:-1]) / 2)[apart]))

    def factors(self) -> tuple[tuple[float, Filter], ...]:
        """Refused: there is one factor per Bohr frequency.

        Raises:
            ArgumentError: Always.
        """
        raise ArgumentError(
            "kind", "have few jump operators per coupling to become a circuit",
            "davies has one per Bohr frequency", 'use kind = "scandi_alhambra" with a wide window, or "dll"',
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Redfield:
    r"""$\alpha = \Gamma(-\nu_1) + \Gamma(-\nu_2)^*$, $\Gamma = \tfrac12 G + iS$: not positive; kept for comparison."""

    bath: Bath
    positive = False

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


@dataclass(frozen=True, eq=False)
class Custom:
    """A kernel from the user's own function of two arrays, held to detailed balance and positivity.

    Args:
        beta: Inverse temperature, >= 0.
        function: α(ν1, ν2), elementwise with broadcasting.
        limit: |ν| up to which it is used and checked, on a grid.

    Raises:
        ArgumentError: If it is not finite or not Hermitian, violates α̃(ν1, ν2) = α̃(−ν2, −ν1) by more than 1e-8 of
            max |α̃|, or has an eigenvalue below −1e-10 of the largest; with the numbers found.
    """

    beta: float
    function: Callable[[Real, Real], NDArray[np.generic]]
    limit: float
    table: Real | None = None
    positive = True

    def __post_init__(self) -> None:
        check_beta(self.beta)
        check_real("limit", self.limit, low=0.0, above=True)
        if self.table is None:
            self._check(np.linspace(-self.limit, self.limit, 65))

    def _check(self, nu: Real) -> None:
        row, column = nu[:, None], nu[None, :]
        alpha = np.asarray(self.function(row, column), dtype=complex)
        if alpha.shape != (nu.size, nu.size) or not np.all(np.isfinite(alpha)):
            raise ArgumentError(
                "kernel", f"be finite on |ν| <= {self.limit:.4g}, elementwise with broadcasting",
                "it is not finite somewhere" if alpha.shape == (nu.size, nu.size) else f"its shape is {alpha.shape}",
                "return one number per pair",
            )  # fmt: skip
        balanced = alpha * np.exp(self.beta * (row + column) / 4)
        scale = float(np.max(np.abs(balanced)))
        if scale == 0:
            raise ArgumentError("kernel", "be non-zero somewhere", "it is zero everywhere", "check its unit")
        for what, defect in (
            ("be Hermitian, α(ν2, ν1) = α(ν1, ν2)*", np.abs(balanced - balanced.conj().T)),
            (
                "obey detailed balance, α(ν1, ν2) = α(−ν2, −ν1) e^{−β(ν1+ν2)/2}",
                np.abs(balanced - balanced[::-1, ::-1].T),
            ),
        ):
            i, j = np.unravel_index(int(np.argmax(defect)), defect.shape)
            if defect[i, j] > BALANCE_TOLERANCE * scale:
                raise ArgumentError(
                    "kernel", what,
                    f"at ν1 = {nu[i]:.4g}, ν2 = {nu[j]:.4g}, β = {self.beta:g} the relative violation is "
                    f"{defect[i, j] / scale:.2e} (allowed {BALANCE_TOLERANCE:g})",
                    "multiply a symmetric α̃(ν1, ν2) = α̃(−ν2, −ν1) by e^{−β(ν1+ν2)/4}",
                )  # fmt: skip
        values = np.linalg.eigvalsh((balanced + balanced.conj().T) / 2)
        if values[0] < -POSITIVITY_TOLERANCE * values[-1]:
            raise ArgumentError(
                "kernel", "be positive semidefinite",
                f"the smallest eigenvalue on {nu.size} frequencies is {values[0]:.4g}, the largest {values[-1]:.4g}",
                "build it as Σ_k w_k f̂_k(ν1) f̂_k*(ν2) with w_k >= 0",
            )  # fmt: skip

    def __call__(self, nu1: Real, nu2: Real) -> Array:
        """α(ν1, ν2), elementwise."""
        nu1, nu2 = np.asarray(nu1, dtype=float), np.asarray(nu2, dtype=float)
        return np.asarray(self.balanced(nu1, nu2) * np.exp(-self.beta * (nu1 + nu2) / 4))

    def balanced(self, nu1: Real, nu2: Real) -> Array:
        """α̃, symmetrised to the last bit."""
        nu1, nu2 = np.asarray(nu1, dtype=float), np.asarray(nu2, dtype=float)
        growth = np.exp(self.beta * (nu1 + nu2) / 4)
        forward = np.asarray(self.function(nu1, nu2), dtype=complex) * growth
        backward = np.asarray(self.function(-nu2, -nu1), dtype=complex) / growth
        return np.asarray((forward + backward) / 2)

    def support(self, nu: Real) -> Mask:
        """Where α(ν, ν) is not zero."""
        return np.asarray(self.balanced(nu, nu) != 0)

    def on(self, nu: Real) -> Custom:
        """With eigenfactors on these frequencies.

        Raises:
            TooLargeError: With more than 4096 different ones.
        """
        nu = np.asarray(nu, dtype=float)
        distinct = np.unique(np.round(nu, 12))
        if distinct.size > MAX_TABULATED:
            raise TooLargeError(
                f"A custom kernel on {distinct.size} Bohr frequencies is a matrix too large to factorise; "
                f"the limit is {MAX_TABULATED}. Fix: use a smaller model, or a generator with a filter."
            )
        return replace(self, table=read_only(distinct))

    def factors(self) -> tuple[tuple[float, Filter], ...]:
        """Eigenvectors of α̃ on the frequencies given to `on`."""
        if self.table is None:
            raise ArgumentError(
                "kernel", "be given its Bohr frequencies first", "there are none", "call kernel.on(nu).factors()"
            )
        balanced = self.balanced(self.table[:, None], self.table[None, :])
        values, vectors = np.linalg.eigh((balanced + balanced.conj().T) / 2)
        return tuple(
            (float(value), Tabulated(self.beta, self.table, read_only(vector)))
            for value, vector in zip(values, vectors.T, strict=True)
            if value > 1e-16 * values[-1]
        )


@dataclass(frozen=True, eq=False)
class Tabulated:
    """A filter known on a sorted table of frequencies only; in between the nearest one counts."""

    beta: float
    nu: Real
    q: Array
    name = "tabulated"
    width = 0.0

    def symmetric(self, nu: Real) -> Array:
        """Q at the nearest frequency."""
        right = np.clip(np.searchsorted(self.nu, nu), 1, self.nu.size - 1)
        nearer = np.abs(np.asarray(nu) - self.nu[right - 1]) < np.abs(self.nu[right] - np.asarray(nu))
        return np.asarray(self.q[right - nearer])

    def frequency(self, nu: Real) -> Array:
        """f̂(ν) = q(ν) e^{−βν/4}."""
        return np.asarray(self.symmetric(nu) * np.exp(-self.beta * np.asarray(nu) / 4))

    def support(self, nu: Real) -> Mask:
        """Where it is not zero."""
        return np.asarray(self.symmetric(nu) != 0)

    def time(self, t: Real) -> Array:
        """Refused.

        Raises:
            ArgumentError: Always.
        """
        raise ArgumentError(
            "kernel", "have filters in time to become a circuit", "it is known on a table of frequencies only",
            'use a filter: kind = "dll"',
        )  # fmt: skip
