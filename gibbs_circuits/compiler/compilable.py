"""Which generators have a circuit, and in what form it is written."""

from __future__ import annotations

from ..errors import ArgumentError
from ..generators.contact import Coherent
from ..generators.lindbladian import Generator
from .dense_blocks import lindbladian_of


def compilable(generator: Generator, scheme: str, *, discrete: bool = False) -> Generator:
    """The generator, if this scheme has a circuit for it: completely positive, one β, the whole H.

    Args:
        generator: Of any kind.
        scheme: Its name.
        discrete: Whether it takes a discrete channel as well.

    Raises:
        ArgumentError: Naming what has no circuit.
    """
    fix = 'use kind = "dll", or the exact command'
    if generator.step is not None and discrete:
        return generator
    generator = lindbladian_of(generator, scheme)
    if generator.local:
        raise ArgumentError("kind", "see the whole H to be compiled", f"{generator.kind} sees each site alone", fix)
    if len(generator.betas) > 1:
        raise ArgumentError("contacts", "share one β to be compiled", f"{len(generator.betas)} were found", fix)
    if not all(contact.kernel.positive for contact in generator.contacts):
        raise ArgumentError(
            "kind", "be completely positive to become a circuit", f"{generator.kind} is not",
            'use kind = "ule" with coherent = "balance"',
        )  # fmt: skip
    if generator.coherent is Coherent.LAMB_SHIFT and not generator.secular:
        raise ArgumentError(
            "coherent", "be balance or none to be compiled, unless the shift commutes with H (davies)",
            f"the Lamb shift of {generator.kind} does not", 'set coherent = "balance"',
        )  # fmt: skip
    return generator
