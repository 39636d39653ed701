r"""What published recipes realise at weak coupling when it is in no detailed balance: an honest kernel of filters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log1p

import numpy as np
from numpy.typing import NDArray

from ...errors import check_beta, check_integer, check_real
from ...filters import Filter, log_of
from ...generators import Coherent, Contact, Lindbladian
from ...generators.couplings import couplings_of
from ...models import Model
from ...spectrum import Array, Real

Mask = NDArray[np.bool_]
LARGEST_EXPONENT = 600.0


def grown(value: Array, beta: float, nu: Real) -> Array:
    """f̂(ν) e^{βν/4}, clipped where it would overflow."""
    exponent = np.clip(beta * np.asarray(nu, dtype=float) / 4, -LARGEST_EXPONENT, LARGEST_EXPONENT)
    return np.asarray(value * np.exp(exponent))


@dataclass(frozen=True)
class GaussianPulse:
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
        """f̂(ν)."""
        x = self.duration * (np.asarray(nu, dtype=float) - self.centre)
        return np.asarray((8 * np.pi * self.duration**2) ** 0.25 * np.exp(-(x**2)), dtype=complex)

    def symmetric(self, nu: Real) -> Array:
        """f̂(ν) e^{βν/4}."""
        return grown(self.frequency(nu), self.beta, nu)

    def log_symmetric(self, nu: Real) -> Real:
        """Ln of its modulus."""
        return log_of(self.frequency(nu)) + self.beta * np.asarray(nu, dtype=float) / 4

    def support(self, nu: Real) -> Mask:
        """Everywhere."""
        return np.ones(np.shape(nu), dtype=bool)

    def time(self, t: Real) -> Array:
        """f(t)."""
        t = np.asarray(t, dtype=float)
        scale = (2 * np.pi * self.duration**2) ** -0.25
        return np.asarray(scale * np.exp(-(t**2) / (4 * self.duration**2) - 1j * self.centre * t))


@dataclass(frozen=True)
class BoxPulse:
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
        """T/2."""
        return self.duration / 2

    def frequency(self, nu: Real) -> Array:
        """f̂(ν)."""
        x = (np.asarray(nu, dtype=float) - self.centre) * self.duration / 2
        return np.asarray(np.sqrt(self.duration) * np.sinc(x / np.pi), dtype=complex)

    def symmetric(self, nu: Real) -> Array:
        """f̂(ν) e^{βν/4}."""
        return grown(self.frequency(nu), self.beta, nu)

    def log_symmetric(self, nu: Real) -> Real:
        """Ln of its modulus."""
        return log_of(self.frequency(nu)) + self.beta * np.asarray(nu, dtype=float) / 4

    def support(self, nu: Real) -> Mask:
        """Everywhere: zeros of the sinc are isolated."""
        return np.ones(np.shape(nu), dtype=bool)

    def time(self, t: Real) -> Array:
        """f(t)."""
        t = np.asarray(t, dtype=float)
        edge = np.isclose(np.abs(t), self.duration / 2, rtol=1e-9, atol=0)
        inside = np.where(edge, 0.5, np.where(np.abs(t) < self.duration / 2, 1.0, 0.0))
        return np.asarray(inside / np.sqrt(self.duration) * np.exp(-1j * self.centre * t))


@dataclass(frozen=True)
class ErfPulse:
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
        """f̂(ν)."""
        nu = np.asarray(nu, dtype=float)
        from scipy.special import erf  # loaded when used

        return np.asarray((erf((nu + self.a) / self.delta_a) - erf((nu + self.b) / self.delta_b)) / 2, dtype=complex)

    def symmetric(self, nu: Real) -> Array:
        """f̂(ν) e^{βν/4}."""
        return grown(self.frequency(nu), self.beta, nu)

    def log_symmetric(self, nu: Real) -> Real:
        """Ln of its modulus."""
        return log_of(self.frequency(nu)) + self.beta * np.asarray(nu, dtype=float) / 4

    def support(self, nu: Real) -> Mask:
        """Everywhere as a formula."""
        return np.ones(np.shape(nu), dtype=bool)

    def time(self, t: Real) -> Array:
        """f(t); (a − b)/2π at 0."""
        t = np.asarray(t, dtype=float)
        small = np.abs(t) < 1e-10 / self.a
        s = np.where(small, 1.0, t)
        upper = np.exp(-((self.delta_a * s) ** 2) / 4 + 1j * self.a * s)
        lower = np.exp(-((self.delta_b * s) ** 2) / 4 + 1j * self.b * s)
        return np.asarray(np.where(small, (self.a - self.b) / (2 * np.pi), (upper - lower) / (2j * np.pi * s)))


@dataclass(frozen=True, eq=False)
class FilterSum:
    """α(ν1, ν2) = Σ_k w_k f̂_k(ν1) f̂_k*(ν2) of any filters: positive, in detailed balance with nothing.

    Args:
        beta: The inverse temperature that the recipe aims at.
        parts: (w_k, f̂_k), w_k >= 0.
    """

    beta: float
    parts: tuple[tuple[float, Filter], ...]
    positive = True
    detailed_balance = False
    blur = np.inf

    def __call__(self, nu1: Real, nu2: Real) -> Array:
        """α(ν1, ν2), elementwise."""
        total = np.zeros(np.broadcast_shapes(np.shape(nu1), np.shape(nu2)), dtype=complex)
        for weight, filter in self.parts:
            total += weight * filter.frequency(nu1) * filter.frequency(nu2).conj()
        return total

    def balanced(self, nu1: Real, nu2: Real) -> Array:
        """α e^{β(ν1+ν2)/4}, clipped where it would overflow."""
        return grown(self(nu1, nu2), self.beta, np.asarray(nu1) + np.asarray(nu2))

    def log_balanced(self, nu: Real) -> Real:
        """Ln α̃(ν, ν)."""
        nu = np.asarray(nu, dtype=float)
        return log_of(self(nu, nu)) + self.beta * nu / 2

    def support(self, nu: Real) -> Mask:
        """Where any filter is not zero as a formula."""
        return np.asarray(np.any([filter.support(nu) for _, filter in self.parts], axis=0))

    def on(self, nu: Real) -> FilterSum:
        """Itself: its factors hold everywhere."""
        return self

    def factors(self) -> tuple[tuple[float, Filter], ...]:
        """The parts."""
        return self.parts


def excited(beta: float, low: float, high: float) -> float:
    r"""Mean of $1/(1+e^{\beta\omega})$ over low < ω < high."""
    if beta * (high - low) < 1e-5:  # the midpoint is right to 1e-12, the difference of logarithms would not be
        return 1 / (1 + float(np.exp(min(beta * (low + high) / 2, LARGEST_EXPONENT))))
    return (log1p(float(np.exp(-beta * low))) - log1p(float(np.exp(-beta * high)))) / (beta * (high - low))


def thermal_bath(beta: float, omega_max: float, bins: int, pulse: Callable[[float], Filter]) -> FilterSum:
    r"""A two-level bath, ω uniform in (0, ω_max], in its Gibbs state, without any shift.

    ω is the midpoint of one of `bins` equal bins and the probability of |1⟩ the exact mean over that bin.

    Args:
        beta: Inverse temperature.
        omega_max: ω_max > 0.
        bins: Number of bins.
        pulse: Centre → filter of unit ∫|f|².
    """
    beta, omega_max = check_beta(beta), check_real("omega_max", omega_max, low=0.0, above=True)
    bins = check_integer("frequencies", bins, low=1, high=4096)
    width, parts = omega_max / bins, list[tuple[float, Filter]]()
    for k in range(bins):
        omega, p = (k + 0.5) * width, excited(beta, k * width, (k + 1) * width)
        parts += [((1 - p) / bins, pulse(-omega)), (p / bins, pulse(omega))]
    return FilterSum(beta, tuple(parts))


def realised(model: Model, couplings: str, kernel: FilterSum, name: str) -> Lindbladian:
    """What a recipe realises at weak coupling: one contact per letter and site, no coherent term."""
    operators = couplings_of(couplings, model.num_qubits)
    return Lindbladian(model, tuple(Contact(A, kernel) for A in operators), Coherent.NONE, name)
