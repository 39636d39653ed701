"""The temperature that was actually reached."""

from __future__ import annotations

from ..models import Model
from ..spectrum import beta_of_energy, spectrum
from .estimate import Estimate

__all__ = ["beta_effective", "beta_of_energy"]


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
