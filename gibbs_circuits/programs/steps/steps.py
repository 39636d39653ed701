"""The steps that schemes write."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...linalg.arrays import Array, read_only
from ...linalg.overlap import all_commute
from ...linalg.paulis import Term, weight
from ..product_formulas import Group, read_group
from .base import Branch, Draw, Step

EXACT = 0  # the "order" of an evolution taken as the exact exponential: for references, never for a circuit


@dataclass(frozen=True)
class Evolve(Step):
    """Approximate e^{−iHt} on the system: `slices` steps of t = `duration` / slices by a product formula.

    Terms in `without` are left out: spectators, which commute with all others and with every coupling of the pass, so
    that evolving under them would only multiply the pass by a unitary that commutes with σ; or terms beyond the radius
    that a jump is truncated to.
    """

    duration: float
    slices: int = 1
    order: int = 2
    without: tuple[str, ...] = ()
    kind, primitive = "evolve", "exponential"

    @property
    def text(self) -> str:
        without = f" without {' '.join(self.without)}" if self.without else ""
        return f"evolve {self.duration!r} slices={self.slices} order={self.order}{without}"

    def groups(self, groups: tuple[Group, ...]) -> tuple[Group, ...]:
        if not self.without:
            return groups
        kept = (tuple(term for term in group.terms if term[0] not in self.without) for group in groups)
        return tuple(Group(terms) for terms in kept if terms)

    @property
    def free_time(self) -> float:
        return self.duration

    @property
    def left_out(self) -> tuple[str, ...]:
        return self.without

    @classmethod
    def read(cls, values: Mapping[str, Any], num_system: int) -> Evolve:
        return cls(**{**values, "without": tuple(map(str, values["without"]))})


@dataclass(frozen=True)
class Correct(Step):
    """Approximate e^{−iBt} on the system, B a Pauli sum of its own: the coherent term as a circuit."""

    term: tuple[Group, ...]
    duration: float
    slices: int = 1
    order: int = 2
    kind, primitive, corrects = "correct", "exponential", True

    @property
    def text(self) -> str:
        head = f"correct {self.duration!r} slices={self.slices} order={self.order}"
        return f"{head} {' | '.join(_sum_text(group.terms) for group in self.term)}"

    def groups(self, groups: tuple[Group, ...]) -> tuple[Group, ...]:
        return self.term

    def saved(self) -> dict[str, Any]:
        return {**super().saved(), "term": [group.terms for group in self.term]}

    @classmethod
    def read(cls, values: Mapping[str, Any], num_system: int) -> Correct:
        return cls(**{**values, "term": tuple(map(read_group, values["term"]))})


@dataclass(frozen=True)
class Couple(Step):
    """exp(−iθ A ⊗ (cos φ X + sin φ Y)) between the system and one ancilla; A is a Pauli sum.

    Commuting terms are one product; others a palindrome, with error O(θ³).
    """

    terms: tuple[Term, ...]
    ancilla: int
    angle: float
    axis: float
    kind, primitive, couples = "couple", "coupling", True

    @property
    def text(self) -> str:
        return f"couple ancilla={self.ancilla} angle={self.angle!r} axis={self.axis!r} {_sum_text(self.terms)}"

    def rotations(self) -> tuple[Term, ...]:
        once = tuple((label, self.angle * coefficient) for label, coefficient in self.terms)
        if len(once) == 1 or all_commute(label for label, _ in once):
            return once
        half = [(label, angle / 2) for label, angle in once]
        return (*half[:-1], once[-1], *reversed(half[:-1]))

    @property
    def touches(self) -> tuple[int, ...]:
        return (self.ancilla,)

    @property
    def turn(self) -> tuple[str, float, float] | None:
        local = len(self.terms) == 1 and weight(self.terms[0][0]) <= 1
        return (*self.rotations()[0], self.axis) if local else None

    def groups(self, groups: tuple[Group, ...]) -> tuple[Group, ...]:
        return (Group(self.terms),)

    def halves(self) -> tuple[Couple, ...]:
        return (replace(self, angle=self.angle / 2),) * 2

    def renumbered(self, number: Mapping[int, int]) -> Couple:
        return replace(self, ancilla=number[self.ancilla])

    @classmethod
    def read(cls, values: Mapping[str, Any], num_system: int) -> Couple:
        return cls(**{**values, "terms": read_group(values["terms"]).terms})


@dataclass(frozen=True, eq=False)
class Unitary(Step):
    """A dense unitary on all system qubits and on `ancillas`; index a · 2^n + s, bit k of a is ancillas[k].

    With `clean` these ancillas are in |0⟩, so that only the first 2^n columns matter and may be synthesised alone.
    """

    matrix: Array
    ancillas: tuple[int, ...]
    label: str
    clean: bool = False
    kind = primitive = "unitary"

    def __post_init__(self) -> None:
        object.__setattr__(self, "matrix", read_only(np.array(self.matrix, dtype=complex)))

    @property
    def text(self) -> str:
        digest = hashlib.sha256(np.ascontiguousarray(self.matrix).tobytes()).hexdigest()
        ancillas = ",".join(map(str, self.ancillas))
        return f"unitary {self.label} ancillas={ancillas} clean={self.clean} {digest}"

    @property
    def touches(self) -> tuple[int, ...]:
        return self.ancillas

    @property
    def purpose(self) -> str:
        return self.label

    def strings(self, groups: tuple[Group, ...]) -> None:
        return None

    def renumbered(self, number: Mapping[int, int]) -> Unitary:
        return replace(self, ancillas=tuple(number[a] for a in self.ancillas))

    def saved(self) -> dict[str, Any]:
        return {**super().saved(), "matrix": [[v.real, v.imag] for v in self.matrix.ravel()]}

    @classmethod
    def read(cls, values: Mapping[str, Any], num_system: int) -> Unitary:
        ancillas, entries = tuple(values["ancillas"]), values["matrix"]
        qubits = num_system + len(ancillas)
        dim = 2 ** min(qubits, len(entries).bit_length())
        if len(entries) != dim**2:
            raise ValueError(f"a unitary on {qubits} qubits has other entries than {len(entries)}")
        flat = np.array([complex(*pair) for pair in entries])
        return cls(flat.reshape(dim, dim), ancillas, str(values["label"]), bool(values["clean"]))


@dataclass(frozen=True)
class Reset(Step):
    """Put ancillas back into |0⟩, whatever they hold."""

    ancillas: tuple[int, ...]
    kind = primitive = "reset"

    @property
    def text(self) -> str:
        return f"reset {' '.join(map(str, self.ancillas))}"

    @property
    def resets(self) -> tuple[int, ...]:
        return self.ancillas

    def renumbered(self, number: Mapping[int, int]) -> Reset | None:
        kept = tuple(number[a] for a in self.ancillas if a in number)
        return Reset(kept) if kept else None

    @classmethod
    def read(cls, values: Mapping[str, Any], num_system: int) -> Reset:
        return cls(tuple(values["ancillas"]))


@dataclass(frozen=True)
class RandomDelay(Draw):
    """k repetitions of `unit`, k uniform on the whole numbers low … high, drawn anew every time."""

    unit: Evolve
    low: int
    high: int
    kind = primitive = "delay"

    @property
    def text(self) -> str:
        return f"delay {self.low}..{self.high} of {self.unit.text}"

    @property
    def options(self) -> tuple[Branch, ...]:
        return (Branch(1, (self.unit,)),)  # whole, so that what is counted stays whole

    @property
    def times(self) -> range:
        return range(self.low, self.high + 1)

    def mapped_steps(self, change: Callable[[tuple[Step, ...]], tuple[Step, ...]]) -> RandomDelay:
        (unit,) = change((self.unit,))
        assert isinstance(unit, Evolve)  # nothing else is repeated
        return replace(self, unit=unit)

    def sample(self, rng: np.random.Generator) -> tuple[int]:
        return (int(rng.integers(self.low, self.high + 1)),)

    def drawn(self, draw: int) -> tuple[int, ...]:
        return (0,) * draw

    def saved(self) -> dict[str, Any]:
        return {**super().saved(), "unit": self.unit.saved()}

    @classmethod
    def read(cls, values: Mapping[str, Any], num_system: int) -> RandomDelay:
        unit = dict(values["unit"])
        if unit.pop("kind") != Evolve.kind:
            raise ValueError("a delay repeats an evolution")
        return cls(Evolve.read(unit, num_system), values["low"], values["high"])


@dataclass(frozen=True, eq=False)
class RandomChoice(Draw):
    """One of several branches, drawn anew every time; all ancillas are in |0⟩ before and after."""

    branches: tuple[Branch, ...]
    kind, primitive, times = "choice", "choice", range(1, 2)

    @property
    def text(self) -> str:
        lines = ["choice"]
        for branch in self.branches:
            lines.append(f"    probability {branch.probability!r}")
            lines += [f"      {step.text}" for step in branch.steps]
        return "\n".join(lines)

    @property
    def options(self) -> tuple[Branch, ...]:
        return self.branches

    def mapped_steps(self, change: Callable[[tuple[Step, ...]], tuple[Step, ...]]) -> RandomChoice:
        return RandomChoice(tuple(Branch(b.probability, change(b.steps)) for b in self.branches))

    def sample(self, rng: np.random.Generator) -> tuple[int]:
        edges = np.cumsum([branch.probability for branch in self.branches])
        return (int(min(np.searchsorted(edges, rng.random() * edges[-1], side="right"), len(edges) - 1)),)

    def drawn(self, draw: int) -> tuple[int, ...]:
        return (draw,)

    def saved(self) -> dict[str, Any]:
        branches = [{"probability": b.probability, "steps": [s.saved() for s in b.steps]} for b in self.branches]
        return {"kind": self.kind, "branches": branches}


Exponential = Evolve | Correct


def exact(step: Step) -> Step:
    """The step with the exact exponential in place of a product formula."""
    return replace(step, order=EXACT) if isinstance(step, Exponential) else step


def evolving(step: Step, change: Callable[[Evolve], Evolve]) -> Step:
    """The step with `change` applied if it is an evolution under H."""
    return change(step) if isinstance(step, Evolve) else step


def _sum_text(terms: tuple[Term, ...]) -> str:
    return " ".join(f"{coefficient!r}*{label}" for label, coefficient in terms)
