"""The smooth Metropolis filter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...errors import check_beta, check_real
from ...evidence import DING_LI_LIN, Citation
from ...io.rendering import Brief
from ...linalg.arrays import Array, Mask, Real
from ...models.model import Model
from ...models.model import bandwidth as bandwidth_of
from .base import Filter, bump, fourier, log_of, width_of


@dataclass(frozen=True, repr=False)
class MetropolisFilter(Brief, Filter):
    r"""$q(\nu) = e^{-\sqrt{1+(\beta\nu)^2}/4}\, w(\nu/S)$: rates of order one downhill whatever β × bandwidth.

    w is a smooth bump, 1 on |x| <= ½ and 0 from 1 on. With S/2 >= max|ν| it changes nothing but makes f(t) smooth.

    Args:
        beta: Inverse temperature, >= 0.
        bandwidth: S > 0.

    Accuracy: f(t) by the trapezoid rule on the compact support, 1e-10 of its peak for |t| <= 50 β.

    References:
        Ding, Li & Lin, arXiv:2404.05998: the Metropolis-type filter and its bump.
    """

    beta: float
    bandwidth: float
    name = "metropolis"

    def __post_init__(self) -> None:
        check_beta(self.beta)
        check_real("bandwidth", self.bandwidth, low=0.0, above=True)

    @property
    def references(self) -> tuple[Citation, ...]:
        return ((DING_LI_LIN, "the Metropolis filter"),)

    @cached_property
    def width(self) -> float:
        """|t| within which 99.5 % of |f|² lie."""
        return width_of(self.time, self.bandwidth)

    def frequency(self, nu: Real) -> Array:
        return self._values(nu, 1.0)

    def symmetric(self, nu: Real) -> Array:
        return self._values(nu, 0.0)

    def _values(self, nu: Real, boltzmann: float) -> Array:
        x = self.beta * np.asarray(nu, dtype=float)
        with np.errstate(under="ignore"):
            value = np.exp(-(np.sqrt(1 + x**2) + boltzmann * x) / 4) * bump(np.asarray(nu) / self.bandwidth)
        return np.asarray(value, dtype=complex)

    def log_symmetric(self, nu: Real) -> Real:
        nu = np.asarray(nu, dtype=float)
        return np.asarray(log_of(bump(nu / self.bandwidth)) - np.sqrt(1 + (self.beta * nu) ** 2) / 4)

    def support(self, nu: Real) -> Mask:
        return np.abs(np.asarray(nu)) < self.bandwidth

    def time(self, t: Real) -> Array:
        return fourier(self.frequency, self.bandwidth, t)


def metropolis(beta: float, model: Model, bandwidth: float | None = None) -> MetropolisFilter:
    """The Metropolis filter whose bump leaves the Bohr frequencies of the model untouched: S >= 2 max |ν|."""
    return MetropolisFilter(beta, 4 * bandwidth_of(model) if bandwidth is None else bandwidth)
