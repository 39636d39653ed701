"""Settings of the formula of schemes in time: grids, strengths and delays that are worth a try."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

from ...generators.frequency import local_frequency, rate_unit, time_unit
from ...generators.lindbladian import Lindbladian
from ...models.scale import rounded
from ..base import STRONGEST
from .quadrature import SHORT

RATE = 3.6  # strength × ‖R‖ of the middle setting: a rule of thumb from the models of benchmarks/ladder.py


@dataclass(frozen=True)
class Setting:
    """One setting of the formula.

    Spacing τ = `aliasing` / ν with ν = max ‖[H, A]‖/‖A‖, nodes N = ⌈`window` β / τ⌉, strength
    δ = `strength` · 3.6 / ‖R‖ (when `capped` at most `strength` · 1.5 over the unit of the rates), and random delays.
    """

    aliasing: float
    window: float
    strength: float
    delays: tuple[int, int]
    capped: bool = True


# Chosen on the models of benchmarks/ladder.py, which measures it against a finer grid; optimistic elsewhere.
LADDER = (
    *(
        Setting(*row)
        for row in (
            (1.6, 2.1, 0.67, (0, 4)), (1.6, 2.1, 1.0, (0, 0)), (1.3, 2.6, 0.67, (1, 3)), (1.3, 1.7, 1.0, (0, 0)),
            (1.6, 2.6, 0.40, (0, 0)), (2.0, 1.7, 0.67, (0, 2)), (1.3, 2.1, 1.0, (2, 8)), (2.0, 2.1, 1.0, (0, 0)),
            (1.6, 2.1, 1.0, (2, 8)), (1.6, 2.1, 1.35, (0, 0)), (1.3, 1.7, 0.67, (0, 4)), (1.3, 2.1, 1.0, (0, 4)),
            (1.6, 2.1, 1.35, (0, 2)), (2.0, 2.1, 0.67, (0, 0)), (1.6, 2.6, 1.0, (0, 4)), (1.6, 2.1, 0.67, (0, 2)),
            (1.0, 2.6, 0.40, (0, 4)), (1.0, 2.6, 0.67, (2, 8)), (1.0, 2.6, 0.27, (0, 0)), (0.7, 2.6, 0.27, (0, 0)),
            (0.7, 2.6, 0.15, (2, 8)), (1.6, 2.1, 0.67, (2, 8)), (1.6, 2.1, 1.0, (0, 4)), (1.6, 1.7, 0.67, (0, 2)),
            (1.3, 1.7, 1.0, (0, 4)), (1.3, 2.1, 0.67, (0, 4)), (1.3, 2.6, 0.40, (0, 0)), (1.0, 1.7, 1.35, (0, 2)),
            (0.7, 1.7, 1.0, (0, 2)),
        )
    ),
    *(
        Setting(aliasing, window, strength, delays, capped=False)
        for aliasing, window in ((1.6, 2.1), (1.3, 2.6))
        for strength in (0.27, 1.0)
        for delays in ((0, 0), (2, 8))
    ),
)  # fmt: skip
MIDDLE = Setting(1.6, 2.1, 0.67, (2, 8))


def values_at(setting: Setting, generator: Lindbladian, rate: float, width: float) -> dict[str, Any]:
    """The knobs of a scheme in the time domain at one setting; `width` is that of the widest filter.

    Rounded to four digits in units of H and of the rates, so that they scale as these do.
    """
    nu, time, strongest = local_frequency(generator), time_unit(generator), STRONGEST / rate_unit(generator)
    spacing = setting.aliasing / nu if nu > 0 else width or time
    nodes = max(2, ceil(setting.window * width / spacing)) if spacing < SHORT * width else 1
    strength = RATE / rate if rate > 0 else strongest
    strength = setting.strength * (min(strongest, strength) if setting.capped else strength)
    return {
        "spacing": rounded(spacing, time), "nodes": nodes, "strength": rounded(strength, 1 / rate_unit(generator)),
        "random_delays": setting.delays,
    }  # fmt: skip
