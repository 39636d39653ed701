"""Published recipes with their own parameters: one file each, each with what the paper says and what is ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, signature

from ...programs.program import Program
from .ding_chen_lin import ding_chen_lin
from .ding_zhan_preskill_lin import ding_zhan_preskill_lin
from .farrell import farrell
from .lloyd_abanin import lloyd_abanin
from .unitary_gate_loop import unitary_gate_loop


@dataclass(frozen=True)
class Preset:
    """A recipe as `--help` sees it.

    Attributes:
        name, summary: As listed.
        build: Its parameters, all with defaults → program; the function of that name in this package.
        source: What to cite for it.
    """

    name: str
    build: Callable[..., Program]
    summary: str
    source: str

    @property
    def parameters(self) -> dict[str, Parameter]:
        """What it takes, with the defaults."""
        return dict(signature(self.build).parameters)

    def __call__(self, *arguments: object, **settings: object) -> Program:
        """The program of the recipe."""
        return self.build(*arguments, **settings)


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "farrell",
            farrell,
            "kagome antiferromagnet, one thermal environment qubit, constant coupling, 57 rotations a cycle",
            "Farrell et al., arXiv:2605.26245",
        ),
        Preset(
            "ding_zhan_preskill_lin",
            ding_zhan_preskill_lin,
            "thermal bath qubit of random frequency, Gaussian envelope, no shift",
            "Ding, Zhan, Preskill & Lin, arXiv:2508.05703",
        ),
        Preset(
            "ding_chen_lin",
            ding_chen_lin,
            "cooling to the ground state, one ancilla, erf filter, forward and back",
            "Ding, Chen & Lin, Phys. Rev. Research 6, 033147",
        ),
        Preset(
            "lloyd_abanin",
            lloyd_abanin,
            "reset bath qubit of splitting h, Gaussian modulated coupling",
            "Lloyd & Abanin, PRX 16, 031053",
        ),
        Preset(
            "unitary_gate_loop",
            unitary_gate_loop,
            "one dense gate per jump, step 0.1: what people write by hand",
            "Ding, Chen & Lin, Phys. Rev. Research 6, 033147",
        ),
    )
}
