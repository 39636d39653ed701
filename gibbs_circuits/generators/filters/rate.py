"""The filter whose square is a bath's transition rate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...evidence import NATHAN_RUDNER, Citation
from ...io.rendering import Brief
from ...linalg.arrays import Array, Mask, Real
from ..baths.bath import Bath
from .base import Filter, fourier, width_of


@dataclass(frozen=True, repr=False)
class RateFilter(Brief, Filter):
    r"""$\hat f = \sqrt{\gamma(\nu)}$, $q = \sqrt{\gamma(\nu)e^{\beta\nu/2}}$: universal Lindblad equation.

    References:
        Nathan & Rudner, PRB 102, 115109, eq. for the jump operators.
    """

    bath: Bath

    @property
    def name(self) -> str:
        return self.bath.name

    @property
    def beta(self) -> float:
        return self.bath.beta

    @property
    def baths(self) -> tuple[Bath, ...]:
        return (self.bath,)

    @property
    def references(self) -> tuple[Citation, ...]:
        return ((NATHAN_RUDNER, "the universal Lindblad equation"),)

    @cached_property
    def width(self) -> float:
        """|t| within which 99.5 % of |f|² lie."""
        return width_of(self.time, 2 * self.bath.limit)

    def frequency(self, nu: Real) -> Array:
        return np.sqrt(self.bath.rate(np.asarray(nu, dtype=float))).astype(complex)

    def symmetric(self, nu: Real) -> Array:
        """√(γ(ν) e^{βν/2})."""
        return np.sqrt(self.bath.symmetric(np.asarray(nu, dtype=float))).astype(complex)

    def log_symmetric(self, nu: Real) -> Real:
        """½ ln of the bath's s(ν)."""
        return self.bath.log_symmetric(nu) / 2

    def support(self, nu: Real) -> Mask:
        return self.bath.support(nu)

    def time(self, t: Real) -> Array:
        return fourier(self.frequency, 2 * self.bath.limit, t)
