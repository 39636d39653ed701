r"""Product formulas for e^{−iHt}, as tables of coefficients over commuting groups of terms."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ..errors import check_choice
from ..linalg.arrays import Array
from ..linalg.overlap import Overlaps, all_commute
from ..linalg.paulis import PAULIS, Term, weight

CLIFFORD = 1e-9  # an angle this close to π/4 is π/4 to every synthesis


@dataclass(frozen=True)
class Group:
    """Terms exponentiated together without error: they commute, or each acts on a single qubit."""

    terms: tuple[Term, ...]

    @property
    def local(self) -> bool:
        """Whether every term acts on one qubit: single-qubit gates, free of two-qubit gates."""
        return all(weight(label) <= 1 for label, _ in self.terms)

    @property
    def two_qubit_gates(self) -> int:
        """2(w − 1) per term of weight w; none for a local group."""
        return 0 if self.local else sum(rotation_cost(label) for label, _ in self.terms)

    @property
    def fields(self) -> dict[int, Array]:
        """Of a local group the Hermitian 2 × 2 matrix on every qubit it acts on; the identity, a phase, on qubit 0."""
        fields: dict[int, Array] = {}
        for label, coefficient in self.terms:
            qubit = next((q for q, letter in enumerate(reversed(label)) if letter != "I"), 0)
            part = coefficient * PAULIS[label[len(label) - 1 - qubit]]
            fields[qubit] = fields.get(qubit, np.zeros((2, 2), dtype=complex)) + part
        return fields


def read_group(terms: Any) -> Group:
    """A group from its terms as JSON has them."""
    return Group(tuple((str(label), float(coefficient)) for label, coefficient in terms))


def _strang(fraction: float) -> tuple[tuple[float, bool], ...]:
    return ((fraction / 2, False), (fraction / 2, True))


_SUZUKI = 1 / (4 - 4 ** (1 / 3))
# Each formula is a list of (fraction of the step, reversed?) sub-steps over the groups in order.
# Lie: error O(τ²) per step; Strang: O(τ³); Suzuki: O(τ⁵); so orders 1, 2 and 4 over a fixed time.
# Suzuki, Phys. Lett. A 146, 319: S₄(τ) = S₂(sτ)² S₂((1 − 4s)τ) S₂(sτ)², s = 1/(4 − 4^{1/3}).
FORMULAS: dict[int, tuple[tuple[float, bool], ...]] = {
    1: ((1.0, False),),
    2: _strang(1.0),
    4: (*_strang(_SUZUKI) * 2, *_strang(1 - 4 * _SUZUKI), *_strang(_SUZUKI) * 2),
}


def rotation_cost(label: str, angle: float | None = None) -> int:
    """Two-qubit gates of exp(−iθP): 2(w − 1) for weight w, a ladder up and down.

    Of two ladders at θ = π/4, up to whole turns by π/2, one is enough for w = 2: a CZ between one-qubit gates.
    """
    gates = max(0, 2 * (weight(label) - 1))
    clifford = angle is not None and abs(angle % (np.pi / 2) - np.pi / 4) < CLIFFORD
    return 1 if clifford and gates == 2 else gates


def commuting_groups(hamiltonian: SparsePauliOp, truncation: float = 0.0) -> tuple[Group, ...]:
    """The terms of H as groups: single-qubit terms first, then commuting groups, the costliest last.

    Terms on the same qubits stay together where they commute (XX + YY + ZZ on a pair costs three two-qubit gates,
    and only when adjacent). The costliest group comes last because it then stands once, in the middle of a Strang step.

    Args:
        hamiltonian: Real Pauli sum; the identity is dropped (a global phase).
        truncation: Terms with |coefficient| below this are left out of the evolution.
    """
    local: list[Term] = []
    blocks: dict[tuple[int, ...], list[Term]] = {}
    for label, coefficient in hamiltonian.to_list():
        support = tuple(i for i, letter in enumerate(label) if letter != "I")
        if not support or abs(coefficient) < truncation:
            continue
        term = (label, float(coefficient.real))
        (local if len(support) == 1 else blocks.setdefault(support, [])).append(term)
    groups: list[tuple[list[Term], Overlaps]] = []
    for block in blocks.values():
        together = all_commute(label for label, _ in block)
        for piece in [block] if together else [[term] for term in block]:
            fitting = (one for one in groups if all(one[1].commutes(label) for label, _ in piece))
            group, known = next(fitting, ([], Overlaps()))
            if not group:
                groups.append((group, known))
            group.extend(piece)
            for label, _ in piece:
                known.add(label)
    ordered = sorted((Group(tuple(group)) for group, _ in groups), key=lambda group: group.two_qubit_gates)
    return ((Group(tuple(local)),) if local else ()) + tuple(ordered)


def spectators(groups: tuple[Group, ...], couplings: list[Term]) -> tuple[str, ...]:
    """Labels of many-qubit terms that commute with every other term and with every coupling given."""
    labels = [label for group in groups for label, _ in group.terms]
    known = Overlaps([*labels, *(label for label, _ in couplings)])
    return tuple(label for label in labels if weight(label) > 1 and known.commutes(label))


def factors(num_groups: int, order: int, slices: int) -> tuple[tuple[int, float], ...]:
    """The product of one evolution: (group, fraction of one slice) in order of time, equal neighbours merged.

    Raises:
        ArgumentError: If the order is not one of `FORMULAS`.
    """
    check_choice("trotter_order", str(order), map(str, FORMULAS))
    sequence = [
        (group, fraction)
        for _ in range(slices)
        for fraction, backwards in FORMULAS[order]
        for group in (reversed(range(num_groups)) if backwards else range(num_groups))
    ]
    merged = groupby(sequence, key=lambda factor: factor[0])
    return tuple((group, sum(fraction for _, fraction in run)) for group, run in merged)
