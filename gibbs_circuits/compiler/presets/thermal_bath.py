r"""What published recipes realise at weak coupling when it is in no detailed balance: an honest kernel of filters."""

from __future__ import annotations

from collections.abc import Callable
from math import log1p

import numpy as np

from ...errors import check_beta, check_integer, check_real
from ...generators.contact import Coherent, Contact
from ...generators.couplings import couplings_of
from ...generators.filters.base import LARGEST_EXPONENT, Filter
from ...generators.kernels.filter_sum import FilterSum
from ...generators.lindbladian import Lindbladian
from ...models.model import Model


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
