"""Published recipes with their own parameters: one file each, each with what the paper says and what is ours."""

from typing import TYPE_CHECKING

from .base import Preset
from .registry import PRESETS

if TYPE_CHECKING:  # what editors see; at run time every recipe of the registry
    from .ding_chen_lin import ding_chen_lin
    from .ding_zhan_preskill_lin import ding_zhan_preskill_lin
    from .farrell import farrell
    from .lloyd_abanin import lloyd_abanin
    from .unitary_gate_loop import unitary_gate_loop
else:
    globals().update({name: preset.function for name, preset in PRESETS.items()})

__all__ = [
    "PRESETS", "Preset", "ding_chen_lin", "ding_zhan_preskill_lin", "farrell", "lloyd_abanin", "unitary_gate_loop",
]  # fmt: skip
