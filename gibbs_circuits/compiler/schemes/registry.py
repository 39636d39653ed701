"""The schemes by name, in the order in which they are listed: one line each."""

from __future__ import annotations

from ...programs.program import Program
from ..base import Knobs, Scheme
from .dilated import DILATED
from .discrete import DISCRETE
from .parallel import PARALLEL
from .random_jumps import RANDOM_JUMPS
from .sequential import SEQUENTIAL
from .stinespring import STINESPRING
from .thermal_ancilla import THERMAL_ANCILLA
from .weak_measurement import WEAK_MEASUREMENT

SCHEMES: dict[str, Scheme] = {
    scheme.name: scheme
    for scheme in (
        PARALLEL,
        SEQUENTIAL,
        RANDOM_JUMPS,
        THERMAL_ANCILLA,
        *DILATED,
        WEAK_MEASUREMENT,
        STINESPRING,
        DISCRETE,
    )
}


def written_by(program: Program) -> tuple[Scheme, Knobs] | None:
    """The scheme and the knobs that write a program again; None where its steps are a recipe's, a fit's or others."""
    if program.recipe or program.scheme not in SCHEMES:
        return None
    scheme = SCHEMES[program.scheme]
    return scheme, scheme.knobs.model_validate(dict(program.knobs))
