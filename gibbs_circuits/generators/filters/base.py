r"""Filters f̂(ν) of jump operators and their time kernels f(t).

A jump is $L = \sum_\nu \hat f(\nu) A_\nu = \int f(t)\, A(t)\, dt$ with $\hat f(\nu) = \int f(t) e^{i\nu t} dt$ and
$A(t) = e^{iHt} A e^{-iHt}$. Detailed balance asks for $\hat f(\nu) = q(\nu) e^{-\beta\nu/4}$ with q(−ν) = q(ν)*.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...evidence import DING_LI_LIN, Citation
from ...linalg.arrays import Array, Mask, Matrix, Real
from ..baths.bath import Bath

LARGEST_EXPONENT = 600.0
MASS_OF_A_WIDTH = 0.9953  # of |f|² within one width of a Gaussian


class Filter(ABC):
    """A filter in frequency and in time. A new one has a `name`, a `beta`, a `width`, `frequency` and `time`."""

    if TYPE_CHECKING:  # a dataclass would take a property for the default of its own field

        @property
        @abstractmethod
        def beta(self) -> float:
            """The inverse temperature it is made for."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Name, as in files."""

    @property
    @abstractmethod
    def width(self) -> float:
        """The time beyond which |f| is negligible is a few of these; 0 when f is a δ function."""

    @property
    def baths(self) -> tuple[Bath, ...]:
        """The physical baths that it describes; none for one that is made up."""
        return ()

    @property
    def references(self) -> tuple[Citation, ...]:
        """What to cite for jumps of this filter."""
        return ((DING_LI_LIN, "jumps from a filter in detailed balance"),)

    @property
    def resonance_shift(self) -> float | None:
        """What corrects the splitting of a thermal ancilla, β/8s² of a window of width s; None if it is no window."""
        return None

    @abstractmethod
    def frequency(self, nu: Real) -> Array:
        """f̂(ν)."""

    @abstractmethod
    def time(self, t: Real) -> Array:
        """f(t), in units of 1/time."""

    def symmetric(self, nu: Real) -> Array:
        """q(ν) = f̂(ν) e^{βν/4}, clipped where it would overflow; q(−ν) = q(ν)* in detailed balance."""
        return grown(self.frequency(nu), self.beta, nu)

    def log_symmetric(self, nu: Real) -> Real:
        """Ln |q(ν)|; −∞ where the filter vanishes as a formula, so that closed forms are better than values here."""
        return log_of(self.symmetric(nu))

    def support(self, nu: Real) -> Mask:
        """Where f̂(ν) ≠ 0 as a formula; a number that underflows is not a zero."""
        return np.ones(np.shape(nu), dtype=bool)

    def matrix(self, nu: Real, *, balanced: bool = False) -> Matrix:
        """f̂(ν), or q(ν), on a matrix of frequencies; real if it is."""
        value = self.symmetric(nu) if balanced else self.frequency(nu)
        return value if np.any(value.imag) else np.ascontiguousarray(value.real)


def grown(value: Array, beta: float, nu: Real) -> Array:
    """f̂(ν) e^{βν/4}, clipped where it would overflow."""
    exponent = np.clip(beta * np.asarray(nu, dtype=float) / 4, -LARGEST_EXPONENT, LARGEST_EXPONENT)
    return np.asarray(value * np.exp(exponent))


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
