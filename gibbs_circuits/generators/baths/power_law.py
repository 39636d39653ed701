"""Baths whose spectral density is a power of the frequency."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, cast

import numpy as np

from ...errors import ArgumentError, check_real
from ...io.rendering import Brief
from ...linalg.arrays import Real
from ...models.model import Model
from ...models.scale import CUTOFF, size
from .bath import Bath


@dataclass(frozen=True, repr=False)
class PowerLaw(Brief):
    """J(ω)/(1 − e^{−βω}) on ω ≥ 0, with J(ω) = ω^s cutoff^{1−s} e^{−ω²/2cutoff²}."""

    beta: float
    exponent: float
    cutoff: float

    def __call__(self, omega: Real) -> Real:
        """G, refused at 0 where it diverges."""
        zero = omega == 0
        if self.exponent < 1 and np.any(zero):
            found, fix = f"G(0) is infinite for the exponent {self.exponent:g}", "use an exponent >= 1"
            raise ArgumentError("omega", "differ from 0", found, fix)
        x = np.where(zero, 1.0, np.minimum(omega / self.cutoff, 1e3))
        G = self.cutoff * x**self.exponent * np.exp(-(x**2) / 2) / -np.expm1(-self.beta * self.cutoff * x)
        return np.where(zero, 1 / self.beta if self.exponent == 1 else 0.0, G)

    def logarithm(self, omega: Real) -> Real:
        """Ln G, which does not underflow."""
        zero = omega == 0
        x = np.where(zero, 1.0, omega / self.cutoff)
        G = (
            math.log(self.cutoff)
            + self.exponent * np.log(x)
            - x**2 / 2
            - np.log(-np.expm1(-self.beta * self.cutoff * x))
        )
        return np.asarray(np.where(zero, -math.log(self.beta) if self.exponent == 1 else -np.inf, G))


class OpenPowerLaw(Bath):
    """A power law whose cutoff is for the model to say."""

    def for_model(self, model: Model) -> Bath:
        """The same with 5 × the size of the model's H as its cutoff; without a size, as it is."""
        scale, loss = size(model.hamiltonian), cast(PowerLaw, self.loss)
        if scale == 0:
            return self
        return replace(power_law(self.beta, loss.exponent, self.strength, CUTOFF * scale), name=self.name)


def power_law(
    beta: float, exponent: Annotated[float, "s, from 0.1 to 10", 3], strength: float = 1.0, cutoff: float | None = None
) -> Bath:
    r"""Bath whose spectral density is a power of ω with a Gaussian cutoff.

    $G = J/(1-e^{-\beta\omega})$ with $J = \text{strength}\cdot\omega_c x|x|^{s-1} e^{-x^2/2}$, $x = \omega/\omega_c$.
    As $G \approx \text{strength}\,|x|^{s-1}/\beta$ near 0, at t ≫ β
    $C(t) \to \text{strength}\cdot\omega_c^{1-s} \Gamma(s) \cos(\pi s/2) / (\pi\beta t^s)$.
    For odd s, G is smooth and C falls faster than any power.

    Args:
        beta: Inverse temperature, > 0: at β = 0, G is infinite.
        exponent: s, from 0.1 to 10. Below 1 (sub-ohmic) G(0) is infinite and refused, and the bath is not Markovian.
        strength: Dimensionless factor, > 0.
        cutoff: Frequency ω_c, > 0. Left out, it is for the model to say: a generator that is made with this bath takes
            5 × the largest |coefficient| of H, the identity left out. By itself the bath then has 5/β, as there is no
            other scale.
    Raises:
        ArgumentError: If an argument is out of its range.
    """
    beta = check_real("beta", beta, low=0.0, above=True)
    strength = check_real("strength", strength, low=0.0, above=True)
    open_cutoff, cutoff = cutoff is None, CUTOFF / beta if cutoff is None else cutoff
    cutoff = check_real("cutoff", cutoff, low=0.0, above=True)
    s = check_real("exponent", exponent)
    if not 0.1 <= s <= 10:
        raise ArgumentError(
            "exponent", "be from 0.1 to 10", f"the value is {s:g}", f"set exponent = {min(max(s, 0.1), 10.0)}"
        )
    limit, a = (9 + math.sqrt(s)) * cutoff, math.inf if s % 2 == 1 else s
    loss, scale = PowerLaw(beta, s, cutoff), min(cutoff, 1 / beta)
    kind = OpenPowerLaw if open_cutoff else Bath
    return kind("power_law", beta, loss, limit, scale, strength, exponent=a, logarithm=loss.logarithm)
