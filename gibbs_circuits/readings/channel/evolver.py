"""Exponentials of Pauli sums as dense matrices: exact on their own, a product formula only where one is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import scipy.linalg
from qiskit.quantum_info import Pauli, SparsePauliOp

from ...linalg.arrays import Array, Real, read_only
from ...linalg.channels import exponential
from ...linalg.paulis import pauli_rows, pauli_times
from ...programs.product_formulas import Group, factors
from ...programs.steps import EXACT, Exponential


@dataclass(frozen=True, eq=False)
class _Factors:
    """A group by what its exponential is made of."""

    fields: tuple[tuple[int, Array], ...]  # per qubit a Hermitian 2 × 2 matrix
    diagonal: Real | None  # sum of the diagonal strings
    strings: tuple[tuple[str, float], ...]  # commuting strings


@dataclass
class Evolver:
    """Dense exponentials of the groups of H and of their sum, each found once per reading.

    A product formula costs O(4**n) per term: rotations act on rows. A sum of strings that do not commute, as for an
    exact evolution, is diagonalised, O(8**n) once.
    """

    groups: tuple[Group, ...]
    num_system: int
    _eigen: dict[tuple[Group, ...], tuple[Real, Array]] = field(default_factory=dict)
    _factors: dict[Group, _Factors | None] = field(default_factory=dict)
    _unitaries: dict[Exponential, Array] = field(default_factory=dict)

    def unitary(self, step: Exponential) -> Array:
        """The product of the formula; the exponential of the sum when the order is EXACT."""
        if step not in self._unitaries:
            self._unitaries[step] = read_only(self._written(step))
        return self._unitaries[step]

    def _written(self, step: Exponential) -> Array:
        groups = step.groups(self.groups)
        if step.order == EXACT:
            return self._exponential(groups, step.duration)
        slice_ = np.eye(2**self.num_system, dtype=complex)
        for index, fraction in factors(len(groups), step.order, 1):
            slice_ = self._after(slice_, groups[index], fraction * step.duration / step.slices)
        return np.linalg.matrix_power(slice_, step.slices)

    def _exponential(self, groups: tuple[Group, ...], time: float) -> Array:
        if groups not in self._eigen:
            terms = [term for group in groups for term in group.terms] or [("I" * self.num_system, 0.0)]
            self._eigen[groups] = scipy.linalg.eigh(SparsePauliOp.from_list(terms).to_matrix())
        energies, vectors = self._eigen[groups]
        return np.asarray((vectors * np.exp(-1j * time * energies)) @ vectors.conj().T)

    def _after(self, U: Array, group: Group, time: float) -> Array:
        """e^{−i group time} U."""
        if group not in self._factors:
            self._factors[group] = _factored(group)
        parts = self._factors[group]
        if parts is None:
            return np.asarray(self._exponential((group,), time) @ U)
        if parts.diagonal is not None:
            U = np.exp(-1j * time * parts.diagonal)[:, None] * U
        for qubit, h in parts.fields:
            U = (exponential(h, time) @ U.reshape(2 ** (self.num_system - 1 - qubit), 2, -1)).reshape(U.shape)
        for label, coefficient in parts.strings:
            angle = coefficient * time
            U = np.cos(angle) * U - 1j * np.sin(angle) * pauli_times(label, U)
        return U


def _factored(group: Group) -> _Factors | None:
    """The factors of a group; None where its terms neither commute nor act on single qubits."""
    if group.local:
        return _Factors(tuple(group.fields.items()), None, ())
    paulis = [Pauli(label) for label, _ in group.terms]
    if not all(p.commutes(q) for p, q in combinations(paulis, 2)):
        return None
    diagonal: Real | None = None
    strings = []
    for label, coefficient in group.terms:
        if set(label) & set("XY"):
            strings.append((label, coefficient))
        else:
            term = coefficient * pauli_rows(label)[1].real
            diagonal = term if diagonal is None else diagonal + term
    return _Factors((), diagonal, tuple(strings))
