"""Steps as what a reading acts on: six primitives.

A reading of a program (channel, circuit, trajectories, cost, its text as a diagram, …) has one method per primitive and
asks no step for its class. A new step names its primitive, and is a line of `STEPS` where programs are read; no
reading changes.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from .steps import Couple, Exponential, RandomChoice, RandomDelay, Reset, Step, Unitary

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Reading(Protocol[T_co]):
    """What is made of every primitive."""

    def exponential(self, step: Exponential, /) -> T_co:
        """e^{−iAt} on the system, A a Pauli sum: local unitaries and Pauli rotations."""

    def coupling(self, step: Couple, /) -> T_co:
        """Pauli rotations of the system and one ancilla."""

    def unitary(self, step: Unitary, /) -> T_co:
        """A dense unitary on the system and some ancillas."""

    def reset(self, step: Reset, /) -> T_co:
        """Ancillas back into |0⟩."""

    def delay(self, step: RandomDelay, /) -> T_co:
        """A random number of repetitions, drawn anew every time."""

    def choice(self, step: RandomChoice, /) -> T_co:
        """A random branch, drawn anew every time."""


def lower(step: Step, reading: Reading[T]) -> T:
    """What a reading makes of the primitive that a step is."""
    made: T = getattr(reading, step.primitive)(step)
    return made
