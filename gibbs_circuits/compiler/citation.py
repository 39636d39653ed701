"""What to cite for a program, read off the objects it is made of."""

from __future__ import annotations

from collections.abc import Iterator

from ..evidence import (
    CHEN_KASTORYANO_GILYEN,
    DAVIES,
    DING_LI_LIN,
    GILYEN,
    KNOWN,
    LLOYD_ABANIN,
    NATHAN_RUDNER,
    SCANDI_ALHAMBRA,
    SCHALLER_BRANDES,
    SHANNON,
    STRANG,
    SUZUKI,
    TROTTER,
    Reference,
)
from ..generators.discrete import DiscreteChannel
from ..generators.filters.gaussian import GaussianFilter
from ..generators.filters.metropolis import MetropolisFilter
from ..generators.filters.rate import RateFilter
from ..generators.kernels.base import RankOne
from ..generators.kernels.davies import Secular
from ..generators.kernels.windowed import Windowed
from ..generators.lindbladian import Coherent, Contact, Lindbladian
from ..models.signatures import public
from ..programs.program import Program
from ..programs.steps import Correct, Evolve, RandomDelay, Unitary
from ..programs.transforms import flat
from .base import Use
from .presets.registry import PRESETS
from .schemes.registry import SCHEMES

FORMULAS = {1: (TROTTER, "first order"), 2: (STRANG, "second order"), 4: (SUZUKI, "fourth order")}


@public
def citation(program: Program) -> str:
    """What to cite, one reference per line, each with what it is cited for.

    Built from what the program uses: its recipe, scheme, generator with its filter or window, the coherent term, the
    product formulas that stand in its steps and dense gates.
    """
    purposes: dict[Reference, list[str]] = {}
    for reference, purpose in _uses(program):
        wanted = purposes.setdefault(reference, [])
        if purpose not in wanted:
            wanted.append(purpose)
    return "\n".join(f"{reference.text}. For: {'; '.join(wanted)}." for reference, wanted in purposes.items())


def _uses(program: Program) -> Iterator[Use]:
    if program.recipe in PRESETS:
        yield from _named(PRESETS[program.recipe].source, f"the recipe {program.recipe}")
    scheme = SCHEMES.get(program.scheme)
    if scheme is not None:
        yield from _named(scheme.source, f"the scheme {scheme.name}")
    generator = program.lindbladian
    if isinstance(program.generator, DiscreteChannel):
        yield GILYEN, "the discrete exact channel"
    for contact in generator.contacts:
        yield from _kernel(contact, generator)
    if scheme is not None:
        yield from scheme.also_cited(program)
    found = [step for stage in program.stages for step in flat(stage.steps)]
    steps = [step.unit if isinstance(step, RandomDelay) else step for step in found]
    for order in sorted({step.order for step in steps if isinstance(step, Evolve | Correct)} & set(FORMULAS)):
        reference, name = FORMULAS[order]
        yield reference, f"the product formula of {name}"
    if any(isinstance(step, Unitary) for step in steps):
        yield SHANNON, "the synthesis of dense gates"


def _kernel(contact: Contact, generator: Lindbladian) -> Iterator[Use]:
    kernel, kind = contact.kernel, generator.kind
    if isinstance(kernel, Secular):
        yield DAVIES, "the Davies generator"
    if isinstance(kernel, Windowed):
        if "ckg" in kind:
            yield CHEN_KASTORYANO_GILYEN, "the generator and its energy window"
        if "scandi_alhambra" in kind:
            yield SCANDI_ALHAMBRA, "the coarse-grained generator in detailed balance"
        if "coarse_grained" in kind:
            yield SCHALLER_BRANDES, "the coarse-grained generator"
            if kernel.detailed_balance:
                yield SCANDI_ALHAMBRA, "the shift of its spectrum"
    if isinstance(kernel, RankOne):
        match kernel.filter:
            case RateFilter():
                yield NATHAN_RUDNER, "the universal Lindblad equation"
            case GaussianFilter() if kernel.filter.splitting is not None:
                yield LLOYD_ABANIN, "the filter"
            case GaussianFilter():
                yield DING_LI_LIN, "the Gaussian filter"
            case MetropolisFilter():
                yield DING_LI_LIN, "the Metropolis filter"
            case _:
                yield DING_LI_LIN, "jumps from a filter in detailed balance"
    if generator.coherent is Coherent.BALANCE:
        yield DING_LI_LIN if "ckg" not in kind else CHEN_KASTORYANO_GILYEN, "the coherent term of the generator"


def _named(source: str, purpose: str) -> Iterator[Use]:
    """The known references that a source string names; the string itself if there is none."""
    found = [reference for reference in KNOWN if any(mark in source for mark in reference.marks)]
    for reference in found or [Reference(source, ())]:
        yield reference, purpose
