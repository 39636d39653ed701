"""The temperature that was actually reached."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from ...io.rendering import Brief
from ...models.model import Model
from ...models.spectrum import Thermal, beta_of_energy, spectrum
from .checks import ROUNDING, Reason, Scale
from .interval import Estimate

NEARBY = 0.25  # of β, within which the heat capacity at β says what an energy belongs to


class Reached(Enum):
    """Where the energy of a state stands against the temperature that was asked for."""

    REACHED = "reached"
    TOO_HOT = "too_hot"
    TOO_COLD = "too_cold"
    NOT_KNOWN = "not_known"


@dataclass(frozen=True, repr=False)
class Temperature(Brief):
    """The temperature reached, in a word.

    Attributes:
        word: By the energy, within what its check allows.
        beta: Asked for.
        found: The β of the measured energy with its interval; None where no temperature has that energy.
    """

    word: Reached
    beta: float
    found: Estimate | None

    def __str__(self) -> str:
        word = self.word.value.replace("_", " ")
        if self.found is None:
            return f"{word}: no interval of β is known to belong to that of the energy; asked for β = {self.beta:g}"
        f = self.found
        span = "" if f.low == f.high else f" [{f.low:.4g}, {f.high:.4g}]"
        return f"{word}: β = {f.value:.4g}{span}, asked for {self.beta:g}"


def beta_effective(model: Model, beta: float, energy: Estimate) -> Estimate | None:
    """The inverse temperature at which the exact energy is the measured one, with its interval.

    None at β = 0 or when the energy lies outside the spectrum's reach.
    """
    if beta == 0 or math.isnan(energy.value):
        return None
    s = spectrum(model)
    value = beta_of_energy(energy.value, s)
    low, high = beta_of_energy(energy.high, s), beta_of_energy(energy.low, s)
    if value is None or low is None or high is None:
        return None
    return Estimate(value, low, high, beta)


def beta_nearby(exact: Thermal, beta: float, energy: Estimate) -> Estimate | None:
    r"""The same where no spectrum is known, by the slope $dE/d\beta = -C/\beta^2$ at the β that was asked for.

    None beyond a quarter of β, where the slope has changed, and where the heat capacity is not known or zero.
    """
    if beta == 0 or not exact.heat_capacity or math.isnan(energy.value):
        return None
    slope = beta**2 / exact.heat_capacity
    value, low, high = (beta + (exact.energy - one) * slope for one in (energy.value, energy.high, energy.low))
    return Estimate(value, low, high, beta) if abs(value - beta) <= NEARBY * beta else None


def temperature(
    beta: float, energy: Estimate, check: Reason, moves: Scale | None, found: Estimate | None
) -> Temperature:
    """Reached where the energy's check passes; else too hot where the energy is above the exact one, or too cold.

    Not known without an exact energy, at β = 0, and where the energy is the same at every temperature.

    Args:
        beta: Asked for.
        energy: Measured, with the exact one.
        check: The energy's, of the verdict.
        moves: How far cooling moves the energy; None without an exact one.
        found: From `beta_effective`.
    """
    if check.passed is None or energy.exact is None or moves is None or math.isnan(energy.value):
        return Temperature(Reached.NOT_KNOWN, beta, found)
    if beta == 0 or moves.value <= ROUNDING * moves.norm:
        return Temperature(Reached.NOT_KNOWN, beta, found)
    if check.passed:
        return Temperature(Reached.REACHED, beta, found)
    return Temperature(Reached.TOO_HOT if energy.low > energy.exact else Reached.TOO_COLD, beta, found)
