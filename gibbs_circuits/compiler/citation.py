"""What to cite for a program, read off the objects it is made of."""

from __future__ import annotations

from collections.abc import Iterator

from ..evidence import (
    KNOWN,
    SHANNON,
    STRANG,
    SUZUKI,
    TROTTER,
    Citation,
    Reference,
)
from ..generators.contact import Coherent
from ..models.signatures import public
from ..programs.program import Program
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


def _uses(program: Program) -> Iterator[Citation]:
    if program.recipe in PRESETS:
        yield from _named(PRESETS[program.recipe].source, f"the recipe {program.recipe}")
    scheme = SCHEMES.get(program.scheme)
    if scheme is not None:
        yield from _named(scheme.source, f"the scheme {scheme.name}")
    generator = program.lindbladian
    yield from program.generator.references
    for contact in generator.contacts:
        yield from contact.kernel.references
        if generator.coherent is Coherent.BALANCE:
            yield contact.kernel.coherent_reference, "the coherent term of the generator"
    if scheme is not None:
        yield from scheme.also_cited(program)
    for order in sorted({step.order for step in program.all_steps} & set(FORMULAS)):
        reference, name = FORMULAS[order]
        yield reference, f"the product formula of {name}"
    if any(step.strings(program.groups) is None for step in program.all_steps):
        yield SHANNON, "the synthesis of dense gates"


def _named(source: str, purpose: str) -> Iterator[Citation]:
    """The known references that a source string names; the string itself if there is none."""
    found = [reference for reference in KNOWN if any(mark in source for mark in reference.marks)]
    for reference in found or [Reference(source, ())]:
        yield reference, purpose
