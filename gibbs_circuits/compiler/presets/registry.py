"""Published recipes by name, in the order in which they are listed: one line each."""

from __future__ import annotations

from .base import Preset
from .ding_chen_lin import DING_CHEN_LIN
from .ding_zhan_preskill_lin import DING_ZHAN_PRESKILL_LIN
from .farrell import FARRELL
from .lloyd_abanin import LLOYD_ABANIN
from .unitary_gate_loop import UNITARY_GATE_LOOP

PRESETS: dict[str, Preset] = {
    preset.name: preset for preset in (FARRELL, DING_ZHAN_PRESKILL_LIN, DING_CHEN_LIN, LLOYD_ABANIN, UNITARY_GATE_LOOP)
}
