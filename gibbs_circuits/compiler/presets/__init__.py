"""Published recipes with their own parameters: one file each, each with what the paper says and what is ours."""

from .base import Preset
from .ding_chen_lin import ding_chen_lin
from .ding_zhan_preskill_lin import ding_zhan_preskill_lin
from .farrell import farrell
from .lloyd_abanin import lloyd_abanin
from .registry import PRESETS
from .unitary_gate_loop import unitary_gate_loop

__all__ = [
    "PRESETS", "Preset", "ding_chen_lin", "ding_zhan_preskill_lin", "farrell", "lloyd_abanin", "unitary_gate_loop",
]  # fmt: skip
