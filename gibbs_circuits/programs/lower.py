"""Steps as what a reading acts on: six primitives.

A reading of a program (channel, circuit, trajectories, cost, its text as a diagram, …) has one method per primitive and
asks no step for its class. A new step is a class in `steps` and a line here; no reading changes.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from .steps import Correct, Couple, Evolve, Exponential, RandomChoice, RandomDelay, Reset, Step, Unitary

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
    match step:
        case Evolve() | Correct():
            return reading.exponential(step)
        case Couple():
            return reading.coupling(step)
        case Unitary():
            return reading.unitary(step)
        case Reset():
            return reading.reset(step)
        case RandomDelay():
            return reading.delay(step)
        case RandomChoice():
            return reading.choice(step)
    raise NotImplementedError(f"no primitive stands for {type(step).__name__}")
