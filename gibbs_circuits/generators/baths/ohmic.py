"""The ohmic bath."""

from __future__ import annotations

from dataclasses import replace

from .bath import Bath
from .power_law import power_law


def ohmic(beta: float, strength: float = 1.0, cutoff: float | None = None) -> Bath:
    r"""Ohmic bath, $G = \text{strength}\cdot\omega e^{-\omega^2/2\omega_c^2}/(1-e^{-\beta\omega})$.

    $G(0) = \text{strength}/\beta$. It is `power_law` with exponent 1, and has its arguments and errors.
    """
    return replace(power_law(beta, 1.0, strength, cutoff), name="ohmic")
