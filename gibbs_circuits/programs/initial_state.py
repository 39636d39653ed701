"""The state a run starts from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit, qasm3
from qiskit.quantum_info import Operator, Statevector

from ..linalg.arrays import Array


@dataclass(frozen=True, eq=False)
class InitialState:
    """A start of the system register: a unitary preparation from |0…0⟩, or the maximally mixed state.

    Args:
        name: As written by the user.
        preparation: Circuit on the system qubits; None means maximally mixed.
    """

    name: str
    preparation: QuantumCircuit | None

    @property
    def text(self) -> str:
        """What it prepares, as text: equal starts have equal texts."""
        return self.name if self.preparation is None else qasm3.dumps(self.preparation)

    def density(self, num_system: int) -> Array:
        """The state as a density matrix, (2^n, 2^n)."""
        d = 2**num_system
        if self.preparation is None:
            return np.diag(np.full(d, 1 / d, dtype=np.complex128))
        psi = Operator(self.preparation).data[:, 0]
        return np.asarray(np.outer(psi, psi.conj()))

    def amplitudes(self, num_system: int) -> Array | None:
        """The state vector, (2^n,); None for the mixed state."""
        if self.preparation is None:
            return None
        return np.asarray(Statevector(self.preparation).data)

    def site_states(self, num_system: int) -> tuple[Array, ...] | None:
        """One state vector per qubit, at any size; None where the start is mixed or its gates act on several qubits."""
        if self.preparation is None or any(len(item.qubits) > 1 for item in self.preparation.data):
            return None
        states = [np.array([1, 0], dtype=complex) for _ in range(num_system)]
        for item in self.preparation.data:
            qubit = self.preparation.find_bit(item.qubits[0]).index
            states[qubit] = np.asarray(Operator(item.operation).data @ states[qubit])
        return tuple(states)

    def circuit(self, num_system: int, num_ancilla: int, *, resets: bool = True) -> QuantumCircuit:
        """The preparation on system and ancillas; `mixed` is one CX per site from an ancilla that is then reset.

        Without resets the last ancillas are used, each once.
        """
        qc = QuantumCircuit(num_system + num_ancilla)
        if self.preparation is not None:
            qc.compose(self.preparation, qubits=range(num_system), inplace=True)
            return qc
        for site in range(num_system):
            ancilla = num_system + (site % num_ancilla if resets else num_ancilla - num_system + site)
            qc.h(ancilla)
            qc.cx(ancilla, site)
            if resets:
                qc.reset(ancilla)
        return qc


def bits(pattern: str) -> InitialState:
    """A computational basis state; the rightmost character is qubit 0."""
    qc = QuantumCircuit(len(pattern))
    for qubit, bit in enumerate(reversed(pattern)):
        if bit == "1":
            qc.x(qubit)
    return InitialState(pattern, qc)


def zero(num_system: int) -> InitialState:
    """|0…0⟩."""
    return InitialState("zero", bits("0" * num_system).preparation)


def one(num_system: int) -> InitialState:
    """|1…1⟩."""
    return InitialState("one", bits("1" * num_system).preparation)


def mixed() -> InitialState:
    """The maximally mixed state."""
    return InitialState("mixed", None)
