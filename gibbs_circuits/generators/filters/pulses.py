"""Filters of the published recipes: Gaussian, box and error-function pulses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...linalg.arrays import Array, Real
from .base import Filter


@dataclass(frozen=True)
class GaussianPulse(Filter):
    r"""$f(t) = (2\pi s^2)^{-1/4} e^{-t^2/4s^2 - iut}$, ∫|f|² = 1: $\hat f(\nu) = (8\pi s^2)^{1/4} e^{-s^2(\nu-u)^2}$.

    Args:
        beta: Inverse temperature of the recipe; the filter itself knows none.
        duration: s > 0.
        centre: u; −u is the splitting of an ancilla that starts in |0⟩.
    """

    beta: float
    duration: float
    centre: float = 0.0
    name = "gaussian pulse"

    @property
    def width(self) -> float:
        """√8 s: f falls to e^{−2} of its peak at this |t|."""
        return float(np.sqrt(8) * self.duration)

    def frequency(self, nu: Real) -> Array:
        x = self.duration * (np.asarray(nu, dtype=float) - self.centre)
        return np.asarray((8 * np.pi * self.duration**2) ** 0.25 * np.exp(-(x**2)), dtype=complex)

    def time(self, t: Real) -> Array:
        t = np.asarray(t, dtype=float)
        scale = (2 * np.pi * self.duration**2) ** -0.25
        return np.asarray(scale * np.exp(-(t**2) / (4 * self.duration**2) - 1j * self.centre * t))


@dataclass(frozen=True)
class BoxPulse(Filter):
    r"""$f(t) = T^{-1/2} e^{-iut}$ on |t| <= T/2, half of it at the ends.

    $\hat f(\nu) = \sqrt T\,\mathrm{sinc}((\nu-u)T/2)$. The halves make a uniform grid of nodes the
    trapezoid rule, which is what symmetric Trotter steps are.

    Args:
        beta: Inverse temperature of the recipe; the filter itself knows none.
        duration: T > 0.
        centre: u.
    """

    beta: float
    duration: float
    centre: float = 0.0
    name = "box pulse"

    @property
    def width(self) -> float:
        """Half of the duration: f ends there."""
        return self.duration / 2

    def frequency(self, nu: Real) -> Array:
        x = (np.asarray(nu, dtype=float) - self.centre) * self.duration / 2
        return np.asarray(np.sqrt(self.duration) * np.sinc(x / np.pi), dtype=complex)

    def time(self, t: Real) -> Array:
        t = np.asarray(t, dtype=float)
        edge = np.isclose(np.abs(t), self.duration / 2, rtol=1e-9, atol=0)
        inside = np.where(edge, 0.5, np.where(np.abs(t) < self.duration / 2, 1.0, 0.0))
        return np.asarray(inside / np.sqrt(self.duration) * np.exp(-1j * self.centre * t))


@dataclass(frozen=True)
class ErfPulse(Filter):
    r"""$\hat f(\nu) = \tfrac12[\mathrm{erf}((\nu+a)/\delta_a) - \mathrm{erf}((\nu+b)/\delta_b)]$, 1 on −a < ν < −b.

    It cools: nothing is left for ν >= 0. $f(t) = (e^{-\delta_a^2t^2/4 + iat} - e^{-\delta_b^2t^2/4 + ibt})/2\pi it$.

    References:
        Ding, Chen & Lin, Phys. Rev. Research 6, 033147, and the authors' public code for the signs.
    """

    beta: float
    a: float
    b: float
    delta_a: float
    delta_b: float
    name = "erf"

    @property
    def width(self) -> float:
        """√8/δ_b: the slower Gaussian falls to e^{−2} at this |t|."""
        return float(np.sqrt(8) / min(self.delta_a, self.delta_b))

    def frequency(self, nu: Real) -> Array:
        nu = np.asarray(nu, dtype=float)
        from scipy.special import erf  # loaded when used

        return np.asarray((erf((nu + self.a) / self.delta_a) - erf((nu + self.b) / self.delta_b)) / 2, dtype=complex)

    def time(self, t: Real) -> Array:
        """f(t); (a − b)/2π at 0."""
        t = np.asarray(t, dtype=float)
        small = np.abs(t) < 1e-10 / self.a
        s = np.where(small, 1.0, t)
        upper = np.exp(-((self.delta_a * s) ** 2) / 4 + 1j * self.a * s)
        lower = np.exp(-((self.delta_b * s) ** 2) / 4 + 1j * self.b * s)
        return np.asarray(np.where(small, (self.a - self.b) / (2 * np.pi), (upper - lower) / (2j * np.pi * s)))
