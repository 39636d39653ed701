"""Published recipes by name, in the order in which they are listed.

To add one: a function of its name, all defaults, in a file of its name here, and a line in `PRESETS`.
"""

from __future__ import annotations

from ...models.catalogue import by_name
from .base import Preset

PRESETS = by_name(
    Preset("farrell", "kagome antiferromagnet, one thermal environment qubit, constant coupling, 57 rotations a cycle",
           source="Farrell et al., arXiv:2605.26245"),
    Preset("ding_zhan_preskill_lin", "thermal bath qubit of random frequency, Gaussian envelope, no shift",
           source="Ding, Zhan, Preskill & Lin, arXiv:2508.05703"),
    Preset("ding_chen_lin", "cooling to the ground state, one ancilla, erf filter, forward and back",
           source="Ding, Chen & Lin, Phys. Rev. Research 6, 033147"),
    Preset("lloyd_abanin", "reset bath qubit of splitting h, Gaussian modulated coupling",
           source="Lloyd & Abanin, PRX 16, 031053"),
    Preset("unitary_gate_loop", "one dense gate per jump, step 0.1: what people write by hand",
           source="Ding, Chen & Lin, Phys. Rev. Research 6, 033147"),
)  # fmt: skip
