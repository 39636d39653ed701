r"""Weighted filters with a time kernel for every positive kernel: what circuits are made of.

A kernel of rank one is its own factor. Kernels with a Gaussian window of width σ, and Davies' at a resolution σ, are
sums of few windows, $\tilde\alpha = \sum_k w_k\, q_k(\nu_1) q_k(\nu_2)$ with $q_k(\nu) = e^{-(\nu-u_k)^2/4\sigma^2}$.
The centres come in pairs ±u with equal weights, so that detailed balance is exact whatever their number; only rates are
approximated, by non-negative least squares. Kernels that users bring are factorised by Nyström's method.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ArgumentError, TooLargeError, check_real
from ...io.rendering import Brief
from ...limits import MAX_CENTRES
from ...linalg.arrays import Array, Real
from ..filters.base import Filter
from .base import Kernel, RankOne
from .custom import CustomKernel
from .davies import Secular
from .nystrom import smooth_factors
from .windowed import Windowed, WindowFilter

Factors = tuple[tuple[float, Filter], ...]
SPACING = 0.8  # of two windows per width: rates to about 1e-6, measured on the kernels of the catalogue
BEYOND = 4.0  # widths beyond the largest frequency up to which there are windows
FINER = 4  # frequencies per width at which rates are fitted
WINDOWS_PER_SIDE = 4  # of the default resolution, at least
NEGLIGIBLE = 1e-8  # a pair of factors with all rates below this share of the largest is left out
MAX_COMPARED = 400


@dataclass(frozen=True, eq=False, repr=False)
class TimeFactors(Brief):
    """Factors of a kernel that all have a time kernel.

    Attributes:
        factors: (weight, filter).
        resolution: The width given to Davies' jumps; None for other kernels.
        error: max |Σ_k w_k f̂_k(ν1) f̂_k*(ν2) − α(ν1, ν2)| on the Bohr frequencies, or on a grid where
            these are not known; None for Davies, whose kernel they make, where they are not.
    """

    factors: Factors
    resolution: float | None
    error: float | None


def time_factors(kernel: Kernel, nu: Real, resolution: float | None = None, *, complete: bool = True) -> TimeFactors:
    """Factors for a circuit.

    Args:
        kernel: Any positive one.
        nu: Bohr frequencies.
        resolution: For Davies, see `resolved`; other kernels do not use it.
        complete: False says that `nu` holds only the largest frequencies, and that all in between may occur.

    Accuracy: detailed balance to rounding; rates about 1e-6 relative for windows, 1e-8 for custom kernels; the error
    against the kernel is measured on up to 400 Bohr frequencies.

    Raises:
        ArgumentError: If the kernel is not positive, or a custom one is too rough to have filters in time.
        TooLargeError: With more than 2000 windows.
    """
    match kernel:
        case RankOne():
            return TimeFactors(kernel.factors(), None, 0.0)
        case Secular():
            reach = float(np.max(np.abs(nu), initial=0.0))
            sigma = default_resolution(kernel, reach) if resolution is None else resolution
            found = resolved(kernel, nu if complete else np.arange(0.0, reach + sigma, sigma / FINER), sigma)
            return TimeFactors(found, sigma, kernel_error(kernel, found, nu) if complete else None)
        case Windowed():
            found = few_windows(kernel, nu)
        case CustomKernel():
            found = smooth_factors(kernel, nu)
        case _:
            found = kernel.on(nu).factors()
    reach = float(np.max(np.abs(nu), initial=0.0))
    at = nu if complete else np.linspace(-reach, reach, MAX_COMPARED)
    return TimeFactors(found, None, kernel_error(kernel, found, at))


def default_resolution(kernel: Secular, reach: float) -> float:
    """The smaller of the frequency over which the bath's rate varies (at most 1/β) and a quarter of max |ν|.

    Below it γ is the same across a window, and a finer one would change only coherences between levels that the free
    evolution averages anyway; it would cost 1/σ as many jumps, each 1/σ as long. βσ <= 1 keeps the weight of a window
    from leaking to frequencies where the bath is e^{βν/2} times weaker.
    """
    scale = kernel.bath.scale if np.isfinite(kernel.bath.scale) else reach or 1.0
    return float(min(scale, reach / WINDOWS_PER_SIDE) if reach > 0 else scale)


def resolved(kernel: Secular, nu: Real, resolution: float) -> Factors:
    r"""Davies' kernel with every Bohr frequency ν_c a window of width σ, $q = e^{-(\nu-\nu_c)^2/4\sigma^2}$.

    Bohr frequencies in one cell of width σ share a window, so that there are at most 2 max|ν|/σ + 2. The weights are
    those that give every Bohr frequency its rate γ(ν), as nearly as weights >= 0 can: s(ν_c) where windows do not
    overlap. As σ → 0 at fixed gaps Δ between Bohr frequencies the error falls like $e^{-\Delta^2/4\sigma^2}$; at any σ
    detailed balance is exact.

    Args:
        kernel: Gives rates and the tolerance within which frequencies count as equal.
        nu: Bohr frequencies.
        resolution: σ, in the energy unit, at least the spread of a class of equal frequencies.

    Raises:
        ArgumentError: If σ is smaller than that.
        TooLargeError: With more than 2000 windows.
    """
    sigma = check_real("resolution", resolution, low=0.0, above=True)
    centres, spread = _classes(nu, kernel.tolerance)
    if sigma < spread:
        raise ArgumentError(
            "resolution", f"be at least the spread of frequencies that count as equal, {spread:.3g}",
            f"the value is {sigma:.3g}", f"set resolution = {4 * spread:.3g}, or a smaller degeneracy_tolerance",
        )  # fmt: skip
    points = _merged(centres, sigma / FINER)
    return _windows(kernel.beta, points, kernel.bath.symmetric(points), _merged(centres, sigma), sigma)


def few_windows(kernel: Windowed, nu: Real) -> Factors:
    r"""A windowed kernel by windows 0.8 σ apart: $\tilde\alpha = e^{-(\nu_1-\nu_2)^2/8\sigma^2} D((\nu_1+\nu_2)/2)$, so
    that it is right on all pairs where its diagonal D is.
    """  # noqa: D205
    reach = float(np.max(np.abs(nu), initial=0.0)) + abs(kernel.shift)
    sigma = kernel.sigma
    _refuse_many(reach / (SPACING * sigma) + BEYOND / SPACING)
    points = np.linspace(0.0, reach, int(np.ceil(FINER * reach / sigma)) + 1)
    centres = np.arange(0.0, reach + BEYOND * sigma, SPACING * sigma)
    at = points + kernel.shift
    return _windows(kernel.beta, points, kernel.balanced(at, at).real, centres, sigma, kernel.shift)


def _windows(beta: float, points: Real, target: Real, centres: Real, sigma: float, shift: float = 0.0) -> Factors:
    """Pairs of windows at ±centres + shift, Σ w e^{−(ν∓u)²/2σ²} ≈ target at the points, all >= 0."""
    _refuse_many(centres.size)

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


def _refuse_many(count: float) -> None:
    if count > MAX_CENTRES:
        raise TooLargeError(
            f"The kernel needs {2 * count:.3g} jumps per coupling, one per window of its width; the limit is "
            f"{2 * MAX_CENTRES}. Fix: set a larger resolution (davies), a larger sigma_E or a shorter window."
        )


def _classes(nu: Real, tolerance: float) -> tuple[Real, float]:
    """Middles >= 0 of the classes of ±ν that count as equal, ascending, and the largest spread of one."""
    flat = np.asarray(nu, dtype=float).ravel()
    values = np.sort(np.concatenate([flat, -flat]))
    apart = np.flatnonzero(np.diff(values) > tolerance)
    first, last = values[np.r_[0, apart + 1]], values[np.r_[apart, values.size - 1]]
    middles = (first + last) / 2
    return middles[middles >= 0], float(np.max(last - first))


def _merged(values: Real, width: float) -> Real:
    """One value per cell of this width: itself where it is alone, the middle of the cell's values where not.

    The cell around 0 stays at 0, as its mirror images lie in it too.
    """
    cells = np.rint(values / width)
    _, first, count = np.unique(cells, return_index=True, return_counts=True)
    middles = (values[first] + values[first + count - 1]) / 2
    return np.where(cells[first] == 0, 0.0, middles)


def kernel_error(kernel: Kernel, factors: Factors, nu: Real) -> float:
    """Max |Σ_k w_k f̂_k(ν1) f̂_k*(ν2) − α(ν1, ν2)| on up to 400 of the frequencies, spread over all."""
    values = np.unique(nu)
    some = values[np.unique(np.linspace(0, values.size - 1, MAX_COMPARED).round().astype(int))]
    rebuilt: Array = np.zeros((some.size, some.size), dtype=complex)
    for weight, filter in factors:
        f = filter.frequency(some)
        rebuilt = rebuilt + weight * np.outer(f, f.conj())
    return float(np.max(np.abs(rebuilt - kernel.on(nu)(some[:, None], some[None, :]))))
