"""Lindbladian → program: a named scheme with its open knobs chosen, or the cheapest program a search finds."""

from __future__ import annotations

from ..backends.targets.base import Target
from ..compiler.compilable import compilable
from ..exact.certificate.frozen import refuse_frozen
from ..generators.lindbladian import Generator
from ..programs.program import Program
from .schemes import ChosenScheme, CompileTask


def compile_program(generator: Generator, scheme: ChosenScheme, task: CompileTask) -> Program:
    """Generator → program.

    Raises:
        ArgumentError: If the scheme has no circuit for this generator, or a saved program is not for it.
        TooLargeError: If the program is too large to write out, with its two-qubit gates.
    """
    return scheme.compile(check_generator(generator, scheme), task)


def check_generator(generator: Generator, scheme: ChosenScheme) -> Generator:
    """The generator, if the scheme has a circuit for it and it moves, or the program follows none.

    Raises:
        ArgumentError: Naming what has no circuit, or with the rates or the gap found, and what moves instead.
    """
    found = compilable(generator, scheme.name, discrete=scheme.discrete)
    if scheme.follows_generator:
        refuse_frozen(found)
    return found


def refuse_hopeless(generator: Generator, scheme: ChosenScheme, target: Target) -> None:
    """Refuse what cannot run before anything is computed; the qubits of a program do not depend on its numbers.

    Raises:
        TooLargeError: With the numbers.
    """
    generator, n = compilable(generator, scheme.name, discrete=scheme.discrete), generator.model.num_qubits
    used = scheme.num_qubits(generator)
    target.refuse_size(used, n)
