r"""Filters f̂(ν) of jump operators and their time kernels f(t).

A jump is $L = \sum_\nu \hat f(\nu) A_\nu = \int f(t)\, A(t)\, dt$ with $\hat f(\nu) = \int f(t) e^{i\nu t} dt$ and
$A(t) = e^{iHt} A e^{-iHt}$. Detailed balance asks for $\hat f(\nu) = q(\nu) e^{-\beta\nu/4}$ with q(−ν) = q(ν)*.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .baths import Bath
from .errors import check_beta, check_real
from .rendering import Brief
from .spectrum import Array, Real

MASS_OF_A_WIDTH = 0.9953  # of |f|² within one width of a Gaussian


class Filter(Protocol):
    """A filter in frequency and in time."""

    @property
    def name(self) -> str:
        """Name, as in files."""
        ...

    @property
    def beta(self) -> float:
        """The inverse temperature it is made for."""
        ...

    def frequency(self, nu: Real) -> Array:
        """f̂(ν)."""
        ...

    def symmetric(self, nu: Real) -> Array:
        """q(ν) = f̂(ν) e^{βν/4}, without overflow; q(−ν) = q(ν)* in detailed balance."""
        ...

    def log_symmetric(self, nu: Real) -> Real:
        """Ln |q(ν)|, which does not underflow; −∞ where the filter vanishes as a formula."""
        ...

    def time(self, t: Real) -> Array:
        """f(t), in units of 1/time."""
        ...

    def support(self, nu: Real) -> NDArray[np.bool_]:
        """Where f̂(ν) ≠ 0 as a formula; a number that underflows is not a zero."""
        ...

    @property
    def width(self) -> float:
        """The time beyond which |f| is negligible is a few of these; 0 when f is a δ function."""
        ...


@dataclass(frozen=True, repr=False)
class GaussianFilter(Brief):
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
        """Name, as in files."""
        return "gaussian" if self.splitting is None else "lloyd_abanin"

    @property
    def _variance(self) -> float:  # q = exp(−variance · ν²/8)
        return self.beta**2 if self.splitting is None else self.beta / self.splitting

    @property
    def width(self) -> float:
        """√(β/h): f falls to e^{−2} of its peak at this |t|."""
        return float(np.sqrt(self._variance))

    def frequency(self, nu: Real) -> Array:
        """f̂(ν)."""
        nu = np.asarray(nu, dtype=float)
        return np.exp(-self._variance * nu**2 / 8 - self.beta * nu / 4).astype(complex)

    def symmetric(self, nu: Real) -> Array:
        """q(ν)."""
        return np.exp(-self._variance * np.asarray(nu, dtype=float) ** 2 / 8).astype(complex)

    def log_symmetric(self, nu: Real) -> Real:
        """Ln q(ν)."""
        return np.asarray(-self._variance * np.asarray(nu, dtype=float) ** 2 / 8)

    def support(self, nu: Real) -> NDArray[np.bool_]:
        """Everywhere."""
        return np.ones(np.shape(nu), dtype=bool)

    def time(self, t: Real) -> Array:
        """f(t); refused at β = 0, where it is a δ function."""
        beta, t = check_real("beta", self.beta, low=0.0, above=True), np.asarray(t, dtype=float)
        h = 1 / beta if self.splitting is None else self.splitting
        phase = np.exp(beta * h / 8 - 2 * h * t**2 / beta + 1j * h * t)
        return np.asarray(phase * np.sqrt(2 * h / (np.pi * beta)))


@dataclass(frozen=True, repr=False)
class MetropolisFilter(Brief):
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

    def __post_init__(self) -> None:
        check_beta(self.beta)
        check_real("bandwidth", self.bandwidth, low=0.0, above=True)

    @property
    def name(self) -> str:
        """Name, as in files."""
        return "metropolis"

    @cached_property
    def width(self) -> float:
        """|t| within which 99.5 % of |f|² lie."""
        return width_of(self.time, self.bandwidth)

    def frequency(self, nu: Real) -> Array:
        """f̂(ν)."""
        return self._values(nu, 1.0)

    def symmetric(self, nu: Real) -> Array:
        """q(ν)."""
        return self._values(nu, 0.0)

    def _values(self, nu: Real, boltzmann: float) -> Array:
        x = self.beta * np.asarray(nu, dtype=float)
        with np.errstate(under="ignore"):
            value = np.exp(-(np.sqrt(1 + x**2) + boltzmann * x) / 4) * bump(np.asarray(nu) / self.bandwidth)
        return np.asarray(value, dtype=complex)

    def log_symmetric(self, nu: Real) -> Real:
        """Ln q(ν)."""
        nu = np.asarray(nu, dtype=float)
        return np.asarray(log_of(bump(nu / self.bandwidth)) - np.sqrt(1 + (self.beta * nu) ** 2) / 4)

    def support(self, nu: Real) -> NDArray[np.bool_]:
        """Inside the bump."""
        return np.abs(np.asarray(nu)) < self.bandwidth

    def time(self, t: Real) -> Array:
        """f(t)."""
        return fourier(self.frequency, self.bandwidth, t)


@dataclass(frozen=True, repr=False)
class RateFilter(Brief):
    r"""$\hat f = \sqrt{\gamma(\nu)}$, $q = \sqrt{\gamma(\nu)e^{\beta\nu/2}}$: universal Lindblad equation.

    References:
        Nathan & Rudner, PRB 102, 115109, eq. for the jump operators.
    """

    bath: Bath

    @property
    def name(self) -> str:
        """The bath's."""
        return self.bath.name

    @property
    def beta(self) -> float:
        """The bath's."""
        return self.bath.beta

    @cached_property
    def width(self) -> float:
        """|t| within which 99.5 % of |f|² lie."""
        return width_of(self.time, 2 * self.bath.limit)

    def frequency(self, nu: Real) -> Array:
        """√γ(ν)."""
        return np.sqrt(self.bath.rate(np.asarray(nu, dtype=float))).astype(complex)

    def symmetric(self, nu: Real) -> Array:
        """√(γ(ν) e^{βν/2})."""
        return np.sqrt(self.bath.symmetric(np.asarray(nu, dtype=float))).astype(complex)

    def log_symmetric(self, nu: Real) -> Real:
        """½ ln of the bath's s(ν)."""
        return self.bath.log_symmetric(nu) / 2

    def support(self, nu: Real) -> NDArray[np.bool_]:
        """Where the bath has a spectrum at all; beyond its limit only an underflow makes it zero."""
        nu = np.asarray(nu, dtype=float)
        return np.asarray((self.bath.symmetric(nu) > 0) | (np.abs(nu) > self.bath.limit))

    def time(self, t: Real) -> Array:
        """f(t)."""
        return fourier(self.frequency, 2 * self.bath.limit, t)


def log_of(values: NDArray[Any]) -> Real:
    """Ln |x|, −∞ at 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.abs(values)))


def bump(x: Real) -> Real:
    """A smooth function: 1 on |x| <= ½, 0 from |x| = 1 on."""

    def h(u: Real) -> Real:
        return np.exp(-1 / np.maximum(u, 1e-3)) * (u > 1e-3)

    x = np.abs(np.asarray(x, dtype=float))
    inner, outer = h(1 - x), h(x - 0.5)
    return np.asarray(np.where(x <= 0.5, 1.0, inner / np.where(inner + outer == 0, 1.0, inner + outer)))


def fourier(frequency: Callable[[Real], Array], limit: float, t: Real) -> Array:
    """f(t) = ∫ f̂(ν) e^{−iνt} dν/2π over |ν| <= limit: trapezoid rule, fine enough for the largest |t|."""
    t = np.asarray(t, dtype=float)
    longest = float(np.max(np.abs(t), initial=0.0))
    points = 2 * int(max(2048, np.ceil(limit * longest))) + 1
    nu: Real = np.linspace(-limit, limit, points, dtype=np.float64)
    weighted = frequency(nu) * (nu[1] - nu[0]) / (2 * np.pi)
    flat = t.ravel()
    parts = [np.exp(-1j * np.outer(part, nu)) @ weighted for part in np.array_split(flat, flat.size // 64 + 1)]
    return np.asarray(np.concatenate(parts).reshape(t.shape))


def width_of(time: Callable[[Real], Array], limit: float) -> float:
    """The |t| within which `MASS_OF_A_WIDTH` of ∫|f|² lies, from a grid of 1/4 of the Nyquist step."""
    t: Real = np.arange(1.0, 2001.0) * (np.pi / (4 * limit))
    mass = np.cumsum(np.abs(time(t)) ** 2 + np.abs(time(-t)) ** 2)
    return float(t[np.searchsorted(mass, MASS_OF_A_WIDTH * mass[-1])])
