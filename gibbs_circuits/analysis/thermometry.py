"""The temperature that was actually reached."""

from __future__ import annotations

import numpy as np
import scipy.optimize

from ..models import Model
from ..spectrum import Spectrum, spectrum
from .estimate import Estimate

HOTTEST = 60.0  # |β| × bandwidth beyond which a temperature is not told from zero


def beta_of_energy(energy: float, s: Spectrum) -> float | None:
    """β with Tr[H e^{−βH}]/Z = energy; negative above the mean of the spectrum, None outside of it."""
    E = s.energies
    width = float(E[-1] - E[0])
    if width <= 0:
        return None

    def excess(beta: float) -> float:
        shifted = E - (E[0] if beta >= 0 else E[-1])
        weights = np.exp(-beta * shifted)
        return float(weights @ E / weights.sum()) - energy

    edge = HOTTEST / width
    if excess(-edge) < 0 or excess(edge) > 0:
        return None
    return float(scipy.optimize.brentq(excess, -edge, edge, xtol=1e-12))


def beta_effective(model: Model, beta: float, energy: Estimate) -> Estimate | None:
    """The inverse temperature at which the exact energy is the measured one, with its interval.

    None at β = 0 or when the energy lies outside the spectrum's reach.
    """
    if beta == 0:
        return None
    s = spectrum(model)
    value = beta_of_energy(energy.value, s)
    low, high = beta_of_energy(energy.high, s), beta_of_energy(energy.low, s)
    if value is None or low is None or high is None:
        return None
    return Estimate(value, low, high, beta)
