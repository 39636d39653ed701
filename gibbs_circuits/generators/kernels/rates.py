"""Rates of windowed kernels: even functions s(u) with γ(u) = s(u) e^{−βu/2}."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ...io.rendering import Brief
from ...linalg.arrays import Real
from ..baths.bath import Bath


class Rate(Protocol):
    """An even, positive function s(u); baths are ones."""

    @property
    def name(self) -> str:
        """Name, as in files."""
        ...

    @property
    def beta(self) -> float:
        """Inverse temperature of γ(u) = s(u) e^{−βu/2}."""
        ...

    @property
    def limit(self) -> float:
        """|u| beyond which s is negligible."""
        ...

    @property
    def scale(self) -> float:
        """The smallest frequency over which s varies."""
        ...

    @property
    def baths(self) -> tuple[Bath, ...]:
        """The physical bath it is of; none for one that is made up."""
        ...

    @property
    def kinked(self) -> bool:
        """Whether it has a kink at 0."""
        ...

    def log_smoothed(self, m: Real, sigma: float) -> Real | None:
        """Ln (s ∗ N_σ)(m) in closed form; None where there is none."""
        ...

    def symmetric(self, omega: Real) -> Real:
        """s(u) = γ(u) e^{βu/2}."""
        ...


@dataclass(frozen=True, repr=False)
class GaussianRate(Brief):
    r"""$s(u) = e^{-u^2/2\sigma_\gamma^2}$."""

    beta: float
    sigma: float
    name = "gaussian"
    baths = ()
    kinked = False

    @property
    def limit(self) -> float:
        """None: where gaps are tiny, it is the far tail that sets them."""
        return np.inf

    @property
    def scale(self) -> float:
        """The width σ_γ."""
        return self.sigma

    def symmetric(self, omega: Real) -> Real:
        return np.exp(-(np.asarray(omega, dtype=float) ** 2) / (2 * self.sigma**2))

    def log_smoothed(self, m: Real, sigma: float) -> Real:
        """Ln (s ∗ N_σ)(m) in closed form."""
        total = self.sigma**2 + sigma**2
        return np.asarray(np.log(self.sigma**2 / total) / 2 - np.asarray(m) ** 2 / (2 * total))


@dataclass(frozen=True, repr=False)
class MetropolisRate(Brief):
    r"""$s(u) = e^{-\beta|u|/2}$, γ(u) = e^{−β max(u, 0)}."""

    beta: float
    name = "metropolis"
    baths = ()
    kinked = True

    @property
    def limit(self) -> float:
        """None: where gaps are tiny, it is the far tail that sets them."""
        return np.inf

    @property
    def scale(self) -> float:
        """The length 1/β over which s falls off."""
        return 1 / self.beta if self.beta > 0 else np.inf

    def symmetric(self, omega: Real) -> Real:
        return np.asarray(np.exp(-self.beta * np.abs(np.asarray(omega, dtype=float)) / 2))

    def log_smoothed(self, m: Real, sigma: float) -> Real:
        """Ln (s ∗ N_σ)(m) in closed form, each half-line a shifted Gaussian tail."""
        from scipy.special import log_ndtr  # loaded when used

        m, half = np.asarray(m, dtype=float), self.beta / 2
        right = -half * m + log_ndtr((m - half * sigma**2) / sigma)
        left = half * m + log_ndtr((-m - half * sigma**2) / sigma)
        return np.asarray(np.logaddexp(right, left) + (half * sigma) ** 2 / 2)
