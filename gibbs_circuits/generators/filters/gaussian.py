"""The Gaussian filter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import check_beta, check_real
from ...evidence import DING_LI_LIN, LLOYD_ABANIN, Citation
from ...io.rendering import Brief
from ...linalg.arrays import Array, Real
from .base import Filter


@dataclass(frozen=True, repr=False)
class GaussianFilter(Brief, Filter):
    r"""$q(\nu) = e^{-\beta\nu^2/8h}$: the filter of Lloyd & Abanin; h = 1/β is the Gaussian filter of Ding, Li & Lin.

    $f(t) = e^{\beta h/8}\sqrt{2h/\pi\beta}\; e^{-2ht^2/\beta + iht}$. At β = 0, f̂ = 1 and f is a δ function.

    Args:
        beta: Inverse temperature, >= 0.
        splitting: h > 0, the ancilla's splitting; 1/β if left out.

    References:
        Ding, Li & Lin, arXiv:2404.05998: f̂(ν) = q(ν) e^{−βν/4} with q(−ν) = q(ν)*.
        Lloyd & Abanin, PRX 16, 031053: the ancilla of splitting h.
    """

    beta: float
    splitting: float | None = None

    def __post_init__(self) -> None:
        check_beta(self.beta)
        if self.splitting is not None:
            check_real("splitting", self.splitting, low=0.0, above=True)

    @property
    def name(self) -> str:
        return "gaussian" if self.splitting is None else "lloyd_abanin"

    @property
    def _variance(self) -> float:  # q = exp(−variance · ν²/8)
        return self.beta**2 if self.splitting is None else self.beta / self.splitting

    @property
    def width(self) -> float:
        """√(β/h): f falls to e^{−2} of its peak at this |t|."""
        return float(np.sqrt(self._variance))

    @property
    def references(self) -> tuple[Citation, ...]:
        """Ding, Li & Lin, or Lloyd & Abanin where an ancilla's splitting is given."""
        return ((DING_LI_LIN, "the Gaussian filter") if self.splitting is None else (LLOYD_ABANIN, "the filter"),)

    @property
    def resonance_shift(self) -> float:
        """The whole splitting h: the filter is a window at frequency 0."""
        return 0.0 if self.beta == 0 else self.splitting or 1 / self.beta

    def frequency(self, nu: Real) -> Array:
        nu = np.asarray(nu, dtype=float)
        return np.exp(-self._variance * nu**2 / 8 - self.beta * nu / 4).astype(complex)

    def symmetric(self, nu: Real) -> Array:
        return np.exp(-self._variance * np.asarray(nu, dtype=float) ** 2 / 8).astype(complex)

    def log_symmetric(self, nu: Real) -> Real:
        return np.asarray(-self._variance * np.asarray(nu, dtype=float) ** 2 / 8)

    def time(self, t: Real) -> Array:
        """f(t); refused at β = 0, where it is a δ function."""
        beta, t = check_real("beta", self.beta, low=0.0, above=True), np.asarray(t, dtype=float)
        h = 1 / beta if self.splitting is None else self.splitting
        phase = np.exp(beta * h / 8 - 2 * h * t**2 / beta + 1j * h * t)
        return np.asarray(phase * np.sqrt(2 * h / (np.pi * beta)))


def gaussian(beta: float) -> GaussianFilter:
    r"""The filter $q(\nu) = e^{-(\beta\nu)^2/8}$, whose width is the temperature's own."""
    return GaussianFilter(beta)
