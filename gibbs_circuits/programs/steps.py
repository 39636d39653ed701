"""What a sweep is made of: frozen steps on a system register and ancillas that start in |0⟩."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from qiskit.quantum_info import Pauli

from ..linalg.arrays import Array, read_only
from ..linalg.paulis import Term
from .product_formulas import Group

EXACT = 0  # the "order" of an evolution taken as the exact exponential: for references, never for a circuit


@dataclass(frozen=True)
class Evolve:
    """Approximate e^{−iHt} on the system: `slices` steps of t = `duration` / slices by a product formula.

    Terms in `without` are left out: spectators, which commute with all others and with every coupling of the pass, so
    that evolving under them would only multiply the pass by a unitary that commutes with σ; or terms beyond the radius
    that a jump is truncated to.
    """

    duration: float
    slices: int = 1
    order: int = 2
    without: tuple[str, ...] = ()

    def groups(self, groups: tuple[Group, ...]) -> tuple[Group, ...]:
        """The groups of H without the terms left out."""
        if not self.without:
            return groups
        kept = (tuple(term for term in group.terms if term[0] not in self.without) for group in groups)
        return tuple(Group(terms) for terms in kept if terms)


@dataclass(frozen=True)
class Correct:
    """Approximate e^{−iBt} on the system, B a Pauli sum of its own: the coherent term as a circuit."""

    term: tuple[Group, ...]
    duration: float
    slices: int = 1
    order: int = 2


@dataclass(frozen=True)
class Couple:
    """exp(−iθ A ⊗ (cos φ X + sin φ Y)) between the system and one ancilla; A is a Pauli sum.

    Commuting terms are one product; others a palindrome, with error O(θ³).
    """

    terms: tuple[Term, ...]
    ancilla: int
    angle: float
    axis: float

    def rotations(self) -> tuple[Term, ...]:
        """The Pauli rotations (label, angle) in order of time, each standing for exp(−i angle P ⊗ axis)."""
        once = [(label, self.angle * coefficient) for label, coefficient in self.terms]
        paulis = [Pauli(label) for label, _ in self.terms]
        if all(p.commutes(q) for i, p in enumerate(paulis) for q in paulis[i + 1 :]):
            return tuple(once)
        half = [(label, angle / 2) for label, angle in once]
        return (*half[:-1], once[-1], *reversed(half[:-1]))


@dataclass(frozen=True, eq=False)
class Unitary:
    """A dense unitary on all system qubits and on `ancillas`; index a · 2^n + s, bit k of a is ancillas[k].

    With `clean` these ancillas are in |0⟩, so that only the first 2^n columns matter and may be synthesised alone.
    """

    matrix: Array
    ancillas: tuple[int, ...]
    label: str
    clean: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "matrix", read_only(np.array(self.matrix, dtype=complex)))


@dataclass(frozen=True)
class Reset:
    """Put ancillas back into |0⟩, whatever they hold."""

    ancillas: tuple[int, ...]


@dataclass(frozen=True)
class RandomDelay:
    """k repetitions of `unit`, k uniform on the whole numbers low … high, drawn anew every time."""

    unit: Evolve
    low: int
    high: int

    @property
    def mean(self) -> float:
        """Average number of repetitions."""
        return (self.low + self.high) / 2


@dataclass(frozen=True, eq=False)
class RandomChoice:
    """One of several branches, drawn anew every time; all ancillas are in |0⟩ before and after."""

    branches: tuple[Branch, ...]


Step = Evolve | Correct | Couple | Unitary | Reset | RandomDelay | RandomChoice


@dataclass(frozen=True, eq=False)
class Branch:
    """Steps without randomness of their own, and how likely they are."""

    probability: float
    steps: tuple[Step, ...]


Random = (RandomDelay, RandomChoice)


def step_text(step: Step) -> str:
    """Canonical text: equal steps have equal texts."""
    match step:
        case Evolve():
            without = f" without {' '.join(step.without)}" if step.without else ""
            return f"evolve {step.duration!r} slices={step.slices} order={step.order}{without}"
        case Correct():
            head = f"correct {step.duration!r} slices={step.slices} order={step.order}"
            return f"{head} {' | '.join(_sum_text(group.terms) for group in step.term)}"
        case Couple():
            return f"couple ancilla={step.ancilla} angle={step.angle!r} axis={step.axis!r} {_sum_text(step.terms)}"
        case Unitary():
            digest = hashlib.sha256(np.ascontiguousarray(step.matrix).tobytes()).hexdigest()
            ancillas = ",".join(map(str, step.ancillas))
            return f"unitary {step.label} ancillas={ancillas} clean={step.clean} {digest}"
        case Reset():
            return f"reset {' '.join(map(str, step.ancillas))}"
        case RandomDelay():
            return f"delay {step.low}..{step.high} of {step_text(step.unit)}"
        case RandomChoice():
            lines = ["choice"]
            for branch in step.branches:
                lines.append(f"    probability {branch.probability!r}")
                lines += [f"      {step_text(inner)}" for inner in branch.steps]
            return "\n".join(lines)


def _sum_text(terms: tuple[Term, ...]) -> str:
    return " ".join(f"{coefficient!r}*{label}" for label, coefficient in terms)
