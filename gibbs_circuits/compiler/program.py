"""The intermediate representation: what one sweep does, never unrolled until a reading needs it.

System qubits are 0 … n−1, ancillas n … n+m−1, and every ancilla starts in |0⟩.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

from qiskit.quantum_info import Pauli

from ..errors import InvalidProgramError
from ..generators import Lindbladian
from ..status import Status
from .trotter import FORMULAS, Group, Term

EXACT = 0  # the "order" of an evolution taken as the exact exponential: for references, never for a circuit


class Rung(Enum):
    """An approximation on the way from the generator to the numbers that come out."""

    FILTER = "filter"
    QUADRATURE = "quadrature"
    TRUNCATION = "truncation"
    DILATION = "dilation"
    COHERENT = "coherent"
    TROTTER = "trotter"
    DELAYS = "delays"
    MIXING = "mixing"
    NOISE = "noise"
    SHOTS = "shots"


class Calibration(Enum):
    """Where the settings of a program come from."""

    DERIVED = "derived"  # physics only; the exact answer may accept or reject
    FITTED_TO_TARGET = "fitted_to_target"  # a search that used the Gibbs state of this very system


class Guarantee(Enum):
    """What a program is entitled to claim at a target error."""

    ANY_START = "any_start"  # a sampler: fixed point and worst start within it
    GIVEN_START = "given_start"  # a preparation: right after the stated sweeps from the stated start
    NONE = "none"  # neither, as far as it was checked


@dataclass(frozen=True)
class ErrorTerm:
    """One line of an error ledger: which rung, how much, how it is known."""

    rung: Rung
    value: float | None
    unit: str
    status: Status
    source: str


@dataclass(frozen=True)
class Evolve:
    """Approximate e^{−iHt} on the system: `slices` steps of t = `duration` / slices by a product formula.

    Spectators are terms of H that commute with all others and with every coupling of the pass: evolving under them
    would only multiply the pass by a unitary that commutes with σ, so they are left out.
    """

    duration: float
    slices: int = 1
    order: int = 2
    spectators: tuple[str, ...] = ()

    def groups(self, groups: tuple[Group, ...]) -> tuple[Group, ...]:
        """The groups without the spectators."""
        if not self.spectators:
            return groups
        kept = (tuple(term for term in group.terms if term[0] not in self.spectators) for group in groups)
        return tuple(Group(terms) for terms in kept if terms)


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


Step = Evolve | Couple | Reset | RandomDelay


@dataclass(frozen=True)
class Stage:
    """One sweep and how often it is repeated."""

    steps: tuple[Step, ...]
    repeats: int


@dataclass(frozen=True, eq=False)
class Program:
    """A sampler as a program: stages of repeated sweeps on n system qubits and m ancillas.

    Args:
        num_system: n.
        num_ancilla: m.
        groups: The Hamiltonian of every `Evolve`, in commuting groups; a truncated one is not the model's.
        stages: Performed in order.
        generator: What the program approximates; not part of its text.
        scheme: The recipe that wrote it.
        knobs: The recipe's settings, all of them.
        declared: What the recipe knows of its errors in advance.
        provenance: How each knob that was left out was chosen; "" if none was.

    Raises:
        InvalidProgramError: From `verify`, which the constructor calls.
    """

    num_system: int
    num_ancilla: int
    groups: tuple[Group, ...]
    stages: tuple[Stage, ...]
    generator: Lindbladian
    scheme: str
    knobs: Mapping[str, Any] = field(default_factory=dict)
    declared: tuple[ErrorTerm, ...] = ()
    provenance: str = ""
    calibration: Calibration = Calibration.DERIVED

    def __post_init__(self) -> None:
        object.__setattr__(self, "knobs", MappingProxyType(dict(self.knobs)))
        self.verify()

    @property
    def sweeps(self) -> int:
        """Number of sweeps of all stages."""
        return sum(stage.repeats for stage in self.stages)

    @property
    def num_qubits(self) -> int:
        """System and ancillas together."""
        return self.num_system + self.num_ancilla

    @property
    def text(self) -> str:
        """Canonical text: equal programs have equal texts. Delays stand in it as distributions, not as draws."""
        lines = [f"program system={self.num_system} ancilla={self.num_ancilla}"]
        lines += [
            f"group {' '.join(f'{coefficient!r}*{label}' for label, coefficient in group.terms)}"
            for group in self.groups
        ]
        for stage in self.stages:
            lines.append(f"stage repeats={stage.repeats}")
            lines += [f"  {_step_text(step)}" for step in stage.steps]
        return "\n".join(lines) + "\n"

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def verify(self) -> None:
        """Check what every reading relies on.

        Ancillas exist and are all back in |0⟩ at the end of a sweep; operators have the width of the system;
        numbers are finite; every stage is repeated at least once; nothing but a reset of ancillas forgets.

        Raises:
            InvalidProgramError: Naming the stage, the step and the rule.
        """
        if self.num_system < 1 or self.num_ancilla < 1 or not self.stages:
            raise InvalidProgramError("A program needs a system qubit, an ancilla and a stage.")
        for label, coefficient in (term for group in self.groups for term in group.terms):
            self._check(len(label) == self.num_system and math.isfinite(coefficient), "groups", label)
        for number, stage in enumerate(self.stages):
            where, touched = f"stage {number}", set[int]()
            self._check(stage.repeats >= 1, where, "repeats >= 1")
            for index, step in enumerate(stage.steps):
                here = f"{where}, step {index}"
                match step:
                    case Evolve():
                        self._check_evolve(step, here)
                    case RandomDelay():
                        self._check_evolve(step.unit, here)
                        self._check(0 <= step.low <= step.high, here, "0 <= low <= high")
                    case Couple():
                        self._check(0 <= step.ancilla < self.num_ancilla, here, f"ancilla {step.ancilla} exists")
                        self._check(math.isfinite(step.angle) and math.isfinite(step.axis), here, "finite angles")
                        self._check(
                            all(len(label) == self.num_system for label, _ in step.terms), here, "labels of full width"
                        )
                        self._check(all(math.isfinite(c) for _, c in step.terms), here, "finite coefficients")
                        touched.add(step.ancilla)
                    case Reset():
                        self._check(all(0 <= a < self.num_ancilla for a in step.ancillas), here, "ancillas exist")
                        touched -= set(step.ancillas)
            self._check(not touched, where, "every ancilla used is reset before the sweep ends")

    def _check_evolve(self, step: Evolve, where: str) -> None:
        self._check(math.isfinite(step.duration), where, "a finite duration")
        self._check(step.slices >= 1, where, "slices >= 1")
        self._check(step.order == EXACT or step.order in FORMULAS, where, f"an order of {sorted(FORMULAS)}")

    @staticmethod
    def _check(holds: bool, where: str, rule: str) -> None:
        if not holds:
            raise InvalidProgramError(f"Program breaks a rule in {where}: {rule}.")

    def __repr__(self) -> str:
        return (
            f"Program({self.scheme}: {self.num_system} + {self.num_ancilla} qubits, {self.sweeps} sweeps, "
            f"{self.hash[:12]})"
        )


def _step_text(step: Step) -> str:
    match step:
        case Evolve():
            without = f" without {' '.join(step.spectators)}" if step.spectators else ""
            return f"evolve {step.duration!r} slices={step.slices} order={step.order}{without}"
        case Couple():
            operator = " ".join(f"{coefficient!r}*{label}" for label, coefficient in step.terms)
            return f"couple ancilla={step.ancilla} angle={step.angle!r} axis={step.axis!r} {operator}"
        case Reset():
            return f"reset {' '.join(map(str, step.ancillas))}"
        case RandomDelay():
            return f"delay {step.low}..{step.high} of {_step_text(step.unit)}"
