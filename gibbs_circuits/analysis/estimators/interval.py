"""Values with intervals that contain the scatter between realisations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...io.rendering import Brief

CONFIDENCE = 0.95


@dataclass(frozen=True, repr=False)
class Estimate(Brief):
    """A value with its two-sided 95 % interval.

    Attributes:
        value, low, high: The interval is Student's over the realisations; with one, the normal one of its shots.
        exact: In the Gibbs state, where it is known.
        predicted: What this program should give on this target, errors and readout included, where that is known.
        z: (value − predicted) / standard error, with Student's distribution of `realisations − 1` degrees of freedom,
            normal with one realisation; None without shots.
    """

    value: float
    low: float
    high: float
    exact: float | None = None
    predicted: float | None = None
    z: float | None = None

    def __float__(self) -> float:
        """The value without its interval."""
        return self.value

    def over(self, count: int) -> Estimate:
        """Everything but z, which has no unit, divided by a number."""
        exact = None if self.exact is None else self.exact / count
        predicted = None if self.predicted is None else self.predicted / count
        return Estimate(self.value / count, self.low / count, self.high / count, exact, predicted, self.z)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """As a number, for NumPy and Matplotlib."""
        return np.array(self.value, dtype=dtype)

    def _in_words(self) -> str:
        exact = "" if self.exact is None else f", exact {self.exact:.6g}"
        return f"Estimate({self.value:.6g} [{self.low:.6g}, {self.high:.6g}]{exact})"


def from_shots(value: float, error: float, exact: float | None = None, predicted: float | None = None) -> Estimate:
    """The mean of one circuit's shots with the normal interval of their standard error."""
    import scipy.stats  # loaded when used

    half = float(scipy.stats.norm.ppf(0.5 + CONFIDENCE / 2)) * error
    z = None if predicted is None or error == 0 else (value - predicted) / error
    return Estimate(value, value - half, value + half, exact, predicted, z)


def interval(blocks: Sequence[float], exact: float | None = None, predicted: float | None = None) -> Estimate:
    """Mean of independent blocks with Student's interval, N − 1 degrees of freedom."""
    values = np.asarray(blocks, dtype=float)
    mean = float(values.mean())
    if values.size < 2:
        return Estimate(mean, mean, mean, exact, predicted)
    error = float(values.std(ddof=1) / np.sqrt(values.size))
    from scipy.stats import t  # loaded when used

    half = float(t.ppf(0.5 + CONFIDENCE / 2, values.size - 1)) * error
    z = None if predicted is None or error == 0 else (mean - predicted) / error
    return Estimate(mean, mean - half, mean + half, exact, predicted, z)
