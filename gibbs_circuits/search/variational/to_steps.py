r"""A fitted ansatz as steps of a program: nothing is approximated, only spelled differently.

$CZ = e^{iπ/4 Z⊗Z} R_z(π/2) ⊗ R_z(π/2)$ up to a phase, so that a CZ is a rotation by −π/4 and costs one two-qubit gate.
On an ancilla it reads $R_y(−π/2)\, e^{iπ/4 Z⊗X}\, R_y(π/2)$, and every rotation of an ancilla is one about an axis in
its xy plane followed by $R_z$, which only turns the axes that come later.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...linalg.arrays import Array, Real
from ...linalg.paulis import PAULIS, Term
from ...programs.product_formulas import Group
from ...programs.steps import Correct, Couple, Reset, Step
from .ansatz import Ansatz, rotations

QUARTER = np.pi / 4
NOTHING = 1e-12


def steps_of(ansatz: Ansatz, angles: Real) -> tuple[Step, ...]:
    """One sweep at these angles, (num_angles,), on the ansatz's qubits."""
    writer = _Writer(ansatz.num_system)
    U = rotations(ansatz, np.asarray(angles)[:, None])[..., 0]
    behind: dict[int, list[tuple[int, Array]]] = {}
    for slot, matrix in zip(ansatz.slots, U, strict=True):
        behind.setdefault(slot.layer, []).append((slot.qubit, np.asarray(matrix, dtype=complex)))
    for k in range(len(ansatz.layers) + 1):
        for qubit, matrix in behind.get(k, []):
            writer.turn(qubit, matrix)
        if k < len(ansatz.layers):
            bonds = [edge for edge in ansatz.layers[k] if edge[1] < ansatz.num_system]
            contacts = [edge for edge in ansatz.layers[k] if edge[1] >= ansatz.num_system]
            if bonds:
                writer.bonds(bonds)
            for site, ancilla in contacts:
                writer.contact(site, ancilla)
    return writer.done()


def local_rotation(n: int, matrices: Mapping[int, Array]) -> Correct | None:
    """Unitaries of single qubits, up to phases, as one step without two-qubit gates; None if all are the identity."""
    terms = _turns(n, matrices)
    return Correct((Group(terms),), 1.0, 1, 1) if terms else None


def _turns(n: int, matrices: Mapping[int, Array]) -> tuple[Term, ...]:
    """The terms of a group that turns qubits by these unitaries."""
    terms: list[Term] = []
    for qubit, unitary in matrices.items():
        matrix = unitary / np.sqrt(complex(_det(unitary)))
        sine = [float(np.real(0.5j * np.trace(PAULIS[letter] @ matrix))) for letter in "XYZ"]
        norm, cosine = float(np.linalg.norm(sine)), float(np.real(np.trace(matrix)) / 2)
        if norm > NOTHING:
            angle = float(np.arctan2(norm, cosine))
            terms += [
                (_label(n, {qubit: letter}), angle * s / norm)
                for letter, s in zip("XYZ", sine, strict=True)
                if abs(s) > NOTHING
            ]
    return tuple(terms)


class _Writer:
    """Steps in order of time; rotations of a qubit wait until a gate needs them."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.steps: list[Step] = []
        self.layers: list[Group] = []  # of the last step, if it has only such
        self.waiting: dict[int, Array] = {}
        self.frame: dict[int, float] = {}  # an R_z of an ancilla that has not been performed

    def turn(self, qubit: int, matrix: Array) -> None:
        self.waiting[qubit] = matrix @ self.waiting.get(qubit, np.eye(2, dtype=complex))

    def bonds(self, edges: list[tuple[int, int]]) -> None:
        self._perform({q for edge in edges for q in edge})
        self._append(Group(tuple((_label(self.n, {a: "Z", b: "Z"}), -QUARTER) for a, b in edges)))
        for edge in edges:
            for qubit in edge:
                self.turn(qubit, _about(PAULIS["Z"], QUARTER))

    def contact(self, site: int, ancilla: int) -> None:
        self._perform({site})
        a = ancilla - self.n
        self.turn(ancilla, _about(PAULIS["Y"], QUARTER))
        matrix = self.waiting.pop(ancilla)
        u, v = matrix[:, 0] / np.sqrt(complex(_det(matrix)))
        angle, gamma = float(np.arctan2(abs(v), abs(u))), -2 * float(np.angle(u))
        turned = self.frame.get(a, 0.0)
        if abs(angle) > NOTHING:
            axis = float(np.angle(v)) - gamma / 2 + np.pi / 2 - turned
            self.steps.append(Couple((("I" * self.n, 1.0),), a, angle, _wrapped(axis)))
        self.layers = []
        self.frame[a] = turned + gamma
        self.steps.append(Couple(((_label(self.n, {site: "Z"}), 1.0),), a, -QUARTER, _wrapped(-self.frame[a])))
        self.turn(ancilla, _about(PAULIS["Z"], QUARTER) @ _about(PAULIS["Y"], -QUARTER))
        self.turn(site, _about(PAULIS["Z"], QUARTER))

    def done(self) -> tuple[Step, ...]:
        self._perform(set(range(self.n)))
        if self.frame:
            self.steps.append(Reset(tuple(sorted(self.frame))))
        return tuple(self.steps)

    def _perform(self, qubits: set[int]) -> None:
        """The rotations that wait on these sites, as one local group."""
        terms = _turns(self.n, {qubit: self.waiting.pop(qubit) for qubit in sorted(qubits & self.waiting.keys())})
        if terms:
            self._append(Group(terms))

    def _append(self, group: Group) -> None:
        """Into the step before, if that one only has layers of its own."""
        if self.layers:
            self.steps.pop()
        self.layers.append(group)
        self.steps.append(Correct(tuple(self.layers), 1.0, 1, 1))


def _about(pauli: Array, angle: float) -> Array:
    return np.asarray(np.cos(angle) * np.eye(2) - 1j * np.sin(angle) * pauli)


def _det(matrix: Array) -> complex:
    return complex(matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0])


def _wrapped(angle: float) -> float:
    return float((angle + np.pi) % (2 * np.pi) - np.pi)


def _label(n: int, letters: dict[int, str]) -> str:
    return "".join(letters.get(q, "I") for q in reversed(range(n)))
