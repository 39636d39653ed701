"""What every reading of a program relies on, rule by rule; nothing is allocated before it is checked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass

import numpy as np

from ..errors import shown
from ..limits import MAX_SLICES
from .lower import lower
from .product_formulas import FORMULAS, Group
from .steps import EXACT, Couple, Exponential, RandomChoice, RandomDelay, Reset, Step, Unitary

UNITARITY = 1e-10
Rule = tuple[bool, str]  # whether it holds, and what it says
Broken = tuple[str, str]  # where, and the rule


def broken_by_steps(
    steps: Iterable[Step], num_system: int, num_ancilla: int, where: str, depth: int = 0
) -> Iterator[Broken]:
    """The rules that steps break which begin and end with every ancilla in |0⟩; those of a branch have depth 1."""
    dirty = set[int]()
    for index, step in enumerate(steps):
        here = f"{where}, step {index}"
        if depth and step.random:
            yield here, "no random step inside a branch"
        yield from broken_by_sums(step.groups(()), num_system, here)
        for holds, rule in lower(step, _OfStep(num_system, num_ancilla, dirty)):
            if not holds:
                yield here, rule
        for k, branch in enumerate(step.options):
            yield from broken_by_steps(branch.steps, num_system, num_ancilla, f"{here}, branch {k}", depth + 1)
        dirty = step.leaves(dirty)
    if dirty:
        yield where, "every ancilla used is reset before the end"


def broken_by_sums(groups: tuple[Group, ...], num_system: int, where: str) -> Iterator[Broken]:
    """The rules that Pauli sums break: the width of the system, and finite coefficients."""
    for label, coefficient in (term for group in groups for term in group.terms):
        if len(label) != num_system:
            yield where, f"labels of full width ({shown(label)})"
        if label.strip("IXYZ"):
            yield where, f"labels of the letters I, X, Y, Z ({shown(label)})"
        if not math.isfinite(coefficient):
            yield where, f"finite coefficients ({shown(label)})"


def whole_rule(value: object, name: str, low: int, high: int) -> Rule:
    """That a number is whole and within a range."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return bool(whole and low <= value <= high), f"{name}, {shown(value)}, whole from {low} to {high}"  # type: ignore[operator]


@dataclass(frozen=True)
class _OfStep:
    """The rules of one step, but for its Pauli sums, where the ancillas `dirty` may be away from |0⟩."""

    num_system: int
    num_ancilla: int
    dirty: Set[int]

    def exponential(self, step: Exponential) -> Iterator[Rule]:
        yield math.isfinite(step.duration), "a finite duration"
        yield whole_rule(step.slices, "slices", 1, MAX_SLICES)
        yield step.order == EXACT or step.order in FORMULAS, f"an order of {sorted(FORMULAS)}"

    def coupling(self, step: Couple) -> Iterator[Rule]:
        yield whole_rule(step.ancilla, "ancilla", 0, self.num_ancilla - 1)
        yield math.isfinite(step.angle) and math.isfinite(step.axis), "finite angles"

    def unitary(self, step: Unitary) -> Iterator[Rule]:
        used, dim = set(step.ancillas), 2 ** (self.num_system + len(step.ancillas))
        yield from (whole_rule(ancilla, "ancilla", 0, self.num_ancilla - 1) for ancilla in step.ancillas)
        yield len(used) == len(step.ancillas), "different ancillas"
        yield step.matrix.shape == (dim, dim), f"a {dim} × {dim} matrix"
        defect = np.linalg.norm(step.matrix.conj().T @ step.matrix - np.eye(dim))
        yield bool(defect <= UNITARITY * dim), "a unitary matrix"
        yield not (step.clean and used & self.dirty), "clean ancillas in |0⟩"

    def reset(self, step: Reset) -> Iterator[Rule]:
        return (whole_rule(ancilla, "ancilla", 0, self.num_ancilla - 1) for ancilla in step.ancillas)

    def delay(self, step: RandomDelay) -> Iterator[Rule]:
        yield whole_rule(step.low, "low", 0, MAX_SLICES)
        yield whole_rule(step.high, "high", step.low, MAX_SLICES)

    def choice(self, step: RandomChoice) -> Iterator[Rule]:
        chances = [branch.probability for branch in step.branches]
        yield not self.dirty, "a random choice begins with every ancilla in |0⟩"
        yield abs(math.fsum(chances) - 1) <= 1e-12, "probabilities that add up to 1"
        yield all(chance >= 0 for chance in chances), "probabilities >= 0"
