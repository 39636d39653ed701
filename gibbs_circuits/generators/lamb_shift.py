r"""The bath's own shift of H: $H_{LS} = \sum_a\sum_{\nu_1\nu_2} \eta(\nu_1,\nu_2)\, A^{a\dagger}_{\nu_2}A^a_{\nu_1}$.

S(ω) is the principal value that belongs to G(ω), see `baths`. On the diagonal every η is S(−ν).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..errors import ArgumentError
from ..linalg.arrays import Array, Real
from .baths.bath import Bath
from .kernels.davies import Secular
from .kernels.redfield import Redfield
from .kernels.windowed import SPREAD, STEP

MAX_NODES = 20_000
CHUNK = 2**20  # values of √γ that are held at once


class LambKernel(Protocol):
    """η(ν1, ν2), Hermitian."""

    def __call__(self, nu1: Real, nu2: Real) -> Array:
        """η(ν1, ν2), elementwise."""
        ...


@dataclass(frozen=True, eq=False)
class SecularLamb:
    """η = S(−ν1) where ν1 and ν2 count as equal: commutes with H."""

    kernel: Secular

    def __call__(self, nu1: Real, nu2: Real) -> Array:
        mean = (self.kernel.bath.lamb(-np.asarray(nu1)) + self.kernel.bath.lamb(-np.asarray(nu2))) / 2
        return np.asarray(mean * self.kernel.same(nu1, nu2), dtype=complex)


@dataclass(frozen=True, eq=False)
class RedfieldLamb:
    """η = (Γ(−ν1) − Γ(−ν2)*)/2i, Γ = ½G + iS."""

    kernel: Redfield

    def __call__(self, nu1: Real, nu2: Real) -> Array:
        return np.asarray((self.kernel.one_sided(nu1) - self.kernel.one_sided(nu2).conj()) / 2j)


@dataclass(frozen=True, eq=False)
class UniversalLamb:
    r"""$\eta = -\frac1{2\pi} PV\!\int \frac{d\Omega}{\Omega}\sqrt{\gamma(\nu_1-\Omega)\gamma(\nu_2-\Omega)}$.

    From $\Lambda = \frac1{2i}\iint A(s)\,g(s)\,g(-s')\,A(s')\,\mathrm{sgn}(s-s')\,ds\,ds'$ with ĝ = √G.

    Accuracy: midpoint rule symmetric about the pole, exponentially small error where √γ is analytic.

    References:
        Nathan & Rudner, PRB 102, 115109, the Lamb shift of the universal Lindblad equation.
    """

    bath: Bath

    def __call__(self, nu1: Real, nu2: Real) -> Array:
        """η(ν1, ν2), elementwise: √γ once per node and different ν, then products of matrices."""
        nu1, nu2 = np.asarray(nu1, dtype=float), np.asarray(nu2, dtype=float)
        h = STEP * self.bath.scale
        end = max(float(np.max(np.abs(nu1), initial=0.0)), float(np.max(np.abs(nu2), initial=0.0)))
        if not (end + 2 * self.bath.limit) / h < MAX_NODES:
            raise ArgumentError(
                "bath", "have a cutoff on the scale of its temperature or of H for its Lamb shift",
                f"the integral from {h:.3g} to {end + 2 * self.bath.limit:.3g} takes too many nodes",
                'set coherent = "balance" or a smaller cutoff',
            )  # fmt: skip
        nodes = h * (np.arange(int(np.ceil((end + 2 * self.bath.limit) / h))) + 0.5)
        values, where = np.unique(np.concatenate([nu1.ravel(), nu2.ravel()]), return_inverse=True)
        first, second = where[: nu1.size].reshape(nu1.shape), where[nu1.size :].reshape(nu2.shape)
        total = np.zeros((values.size, values.size))
        for some in np.array_split(nodes, values.size * nodes.size // CHUNK + 1):
            for omega in (some, -some):
                root = np.sqrt(self.bath.rate(values[:, None] - omega))
                total -= (root * (h / (2 * np.pi * omega))) @ root.T
        return total[first, second].astype(complex)


@dataclass(frozen=True, eq=False)
class WindowedLamb:
    r"""Filtered: $\eta = e^{-(\nu_1-\nu_2)^2/8\sigma_E^2}\,(S(-\,\cdot) * N_{\sigma_E})((\nu_1+\nu_2)/2 + x)$.

    x = 0 is the bath's; x = βσ_E²/2 would be that of the shifted spectrum.
    """

    bath: Bath
    sigma: float
    shift: float = 0.0

    def __call__(self, nu1: Real, nu2: Real) -> Array:
        nu1, nu2 = np.asarray(nu1, dtype=float), np.asarray(nu2, dtype=float)
        m = (nu1 + nu2) / 2 + self.shift
        finer = float(np.hypot(1.0, self.sigma / self.bath.scale))
        if not SPREAD / STEP * finer < MAX_NODES:
            raise ArgumentError(
                "bath", "vary on the scale of the window for its Lamb shift",
                f"σ_E = 1/window = {self.sigma:.3g} beside {self.bath.scale:.3g} takes too many nodes",
                'set coherent = "balance", or choose a longer window',
            )  # fmt: skip
        h = STEP * self.sigma / finer
        count = int(np.ceil(SPREAD / STEP * finer))
        values, where = np.unique(m, return_inverse=True)
        total = np.zeros(values.shape)
        for x in h * np.arange(-count, count + 1):
            total += h * np.exp(-(x**2) / (2 * self.sigma**2)) * self.bath.lamb(-(values + x))
        window = np.exp(-((nu1 - nu2) ** 2) / (8 * self.sigma**2)) / (self.sigma * np.sqrt(2 * np.pi))
        return np.asarray(window * total[where].reshape(m.shape), dtype=complex)
