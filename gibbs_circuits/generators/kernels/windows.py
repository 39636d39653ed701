r"""Sums of few Gaussian windows, $\tilde\alpha = \sum_k w_k\, q_k(\nu_1) q_k(\nu_2)$.

Each is $q_k(\nu) = e^{-(\nu-u_k)^2/4\sigma^2}$: what circuits are made of where a kernel has a Gaussian window of width
σ, and for Davies' at a resolution σ. The centres come in pairs ±u with equal weights, so that detailed balance is exact
whatever their number; only rates are approximated, by non-negative least squares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import TooLargeError
from ...io.rendering import Brief
from ...limits import MAX_CENTRES
from ...linalg.arrays import Array, Real
from ..filters.base import Filter
from .base import Factors

SPACING = 0.8  # of two windows per width: rates to about 1e-6, measured on the kernels of the catalogue
BEYOND = 4.0  # widths beyond the largest frequency up to which there are windows
FINER = 4  # frequencies per width at which rates are fitted
NEGLIGIBLE = 1e-8  # a pair of factors with all rates below this share of the largest is left out


@dataclass(frozen=True, repr=False)
class WindowFilter(Brief, Filter):
    r"""$\hat f(\nu) = e^{-(\nu-u)^2/4\sigma^2 - \beta\nu/4}$, a factor of a windowed kernel; −u is its partner."""

    beta: float
    sigma: float
    centre: float
    name = "window"

    @property
    def width(self) -> float:
        """√2/σ: f falls to e^{−2} of its peak at this |t|."""
        return float(np.sqrt(2) / self.sigma)

    @property
    def resonance_shift(self) -> float:
        """βσ²/2: with 4s² = 1/σ² that is β/8s²."""
        return self.beta * self.sigma**2 / 2

    def symmetric(self, nu: Real) -> Array:
        return np.exp(-((np.asarray(nu, dtype=float) - self.centre) ** 2) / (4 * self.sigma**2)).astype(complex)

    def log_symmetric(self, nu: Real) -> Real:
        return np.asarray(-((np.asarray(nu, dtype=float) - self.centre) ** 2) / (4 * self.sigma**2))

    def frequency(self, nu: Real) -> Array:
        nu = np.asarray(nu, dtype=float)
        return np.exp(-((nu - self.centre) ** 2) / (4 * self.sigma**2) - self.beta * nu / 4).astype(complex)

    def time(self, t: Real) -> Array:
        """f(t), a Gaussian about the centre u − βσ²/2."""
        t, centre = np.asarray(t, dtype=float), self.centre - self.beta * self.sigma**2 / 2
        scale = np.exp(-self.beta * self.centre / 4 + (self.beta * self.sigma) ** 2 / 16) * self.sigma / np.sqrt(np.pi)
        return np.asarray(scale * np.exp(-((self.sigma * t) ** 2) - 1j * centre * t))


def fitted_windows(beta: float, points: Real, target: Real, centres: Real, sigma: float, shift: float = 0.0) -> Factors:
    """Pairs of windows at ±centres + shift, Σ w e^{−(ν∓u)²/2σ²} ≈ target at the points, all >= 0."""
    refuse_many(centres.size)

    def overlap(a: Real, b: Real) -> Real:
        return np.asarray(np.exp(-((a[:, None] - b[None, :]) ** 2) / (2 * sigma**2)))

    both = overlap(points, centres) + np.where(centres > 0, overlap(points, -centres), 0.0)
    # relative to the rate itself, or to what a neighbour at its own full rate leaks to it, if that is more
    scale = np.maximum(np.max(overlap(points, points) * target, axis=1), np.finfo(float).tiny)
    top = float(np.max(target, initial=0.0)) or 1.0
    weights = top * _not_negative(_as_written(both / (scale / top)[:, None]), _as_written(target / scale))
    reach = points[-1]
    at = np.minimum(centres + beta * sigma**2 / 2, reach)  # where the larger of the two rates of a pair peaks
    with np.errstate(divide="ignore"):
        rates = np.log(weights) - (at - centres) ** 2 / (2 * sigma**2) + beta * at / 2
    kept = [
        (float(w), float(u)) for w, u, r in zip(weights, centres, rates, strict=True)
        if w > 0 and r > rates.max() + np.log(NEGLIGIBLE)
    ]  # fmt: skip
    pairs = [(w, u) for w, c in kept for u in ((c, -c) if c > 0 else (0.0,))]
    return tuple((w, WindowFilter(beta, sigma, u + shift)) for w, u in sorted(pairs, key=lambda pair: pair[1]))


def _as_written(values: Real) -> Real:
    """Twelve digits of numbers without a unit: what rounding does in another unit must not reach a fit that many
    weights fit alike.
    """  # noqa: D205
    return np.array([float(f"{value:.12g}") for value in values.flat]).reshape(values.shape)


def _not_negative(A: Real, b: Real) -> Real:
    """Weights w >= 0 with A w ≈ b in least squares; slightly damped where neighbouring windows are too much alike."""
    from scipy.optimize import lsq_linear, nnls  # loaded when used

    for damping in (0.0, 1e-10, 1e-8, 1e-6):
        rows = [A, damping * np.eye(A.shape[1])] if damping else [A]
        try:
            return np.asarray(
                nnls(np.vstack(rows), np.pad(b, (0, sum(map(len, rows[1:])))), maxiter=50 * A.shape[1])[0]
            )
        except RuntimeError:  # the active set cycles
            continue
    return np.asarray(lsq_linear(A, b, bounds=(0.0, np.inf), lsq_solver="exact").x)


def refuse_many(count: float) -> None:
    if count > MAX_CENTRES:
        raise TooLargeError(
            f"The kernel needs {2 * count:.3g} jumps per coupling, one per window of its width; the limit is "
            f"{2 * MAX_CENTRES}. Fix: set a larger resolution (davies), a larger sigma_E or a shorter window."
        )
