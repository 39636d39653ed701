r"""Filters f̂(ν) of jump operators and their time kernels f(t).

A jump is $L = \sum_\nu \hat f(\nu) A_\nu = \int f(t)\, A(t)\, dt$ with $\hat f(\nu) = \int f(t) e^{i\nu t} dt$ and
$A(t) = e^{iHt} A e^{-iHt}$.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .errors import check_beta, check_real
from .spectrum import Array, Real


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

    def frequency(self, nu: NDArray[np.float64]) -> Array:
        """f̂(ν)."""
        ...

    def time(self, t: NDArray[np.float64]) -> Array:
        """f(t), in units of 1/time."""
        ...

    def support(self, nu: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Where f̂(ν) ≠ 0 as a formula; a number that underflows is not a zero."""
        ...

    @property
    def width(self) -> float:
        """The time beyond which |f| is negligible is a few of these; 0 when f is a δ function."""
        ...


@dataclass(frozen=True)
class GaussianFilter:
    r"""The Gaussian filter of Ding, Li & Lin, $\hat f(\nu) = e^{-(\beta\nu)^2/8 - \beta\nu/4}$.

    $f(t) = e^{1/8}\sqrt{2/\pi}\,\beta^{-1} e^{-2t^2/\beta^2 + it/\beta}$. At β = 0, f̂ = 1 and f is a δ function.

    Args:
        beta: Inverse temperature, >= 0.

    References:
        Ding, Li & Lin, arXiv:2404.05998: f̂(ν) = q(ν) e^{−βν/4} with q(−ν) = q(ν)*.
    """

    beta: float

    def __post_init__(self) -> None:
        check_beta(self.beta)

    @property
    def name(self) -> str:
        """Name, as in files."""
        return "gaussian"

    @property
    def width(self) -> float:
        """β: f falls to e^{−2} of its peak at |t| = β."""
        return self.beta

    def frequency(self, nu: Real) -> Array:
        """f̂(ν)."""
        x = self.beta * np.asarray(nu, dtype=float)
        return np.exp(-(x**2) / 8 - x / 4).astype(complex)

    def support(self, nu: Real) -> NDArray[np.bool_]:
        """Everywhere."""
        return np.ones(np.shape(nu), dtype=bool)

    def time(self, t: Real) -> Array:
        """f(t); refused at β = 0, where it is a δ function."""
        beta, t = check_real("beta", self.beta, low=0.0, above=True), np.asarray(t, dtype=float)
        return np.asarray(np.exp(0.125 - 2 * (t / beta) ** 2 + 1j * t / beta) * np.sqrt(2 / np.pi) / beta)
