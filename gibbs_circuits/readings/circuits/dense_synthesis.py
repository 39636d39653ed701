"""How dense blocks become gates, and how many."""

from __future__ import annotations

import zlib
from functools import lru_cache

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Gate
from qiskit.circuit.library import Isometry, UnitaryGate
from qiskit.exceptions import QiskitError

from ...errors import InvalidProgramError
from ...linalg.arrays import Array
from ...programs.steps import Unitary
from .synthesis import isometry_circuit, unitary_circuit

FEWEST_CLEAN = 2  # clean ancillas from which the columns alone are cheaper than the whole unitary
ACCURACY = 2e-11  # of an element
PROBES = 4  # random vectors with elements of order 1, on which an error of any element shows
COMPARED = 6  # qubits up to which both syntheses are tried: a few seconds
IDLE = 1e-14


def dense_gate(step: Unitary, num_system: int) -> Gate:
    """A dense block as one gate of cx and u, on the system and then the ancillas of the step.

    Two or more clean ancillas take the columns they meet alone, one after the other (about 2^{2n+m} two-qubit gates); a
    block A ⊗ 1 that leaves the system alone takes A; anything else the whole unitary ((22/48) 4^q − (3/2) 2^q + 5/3 at
    most). Each is synthesised twice, by `synthesis` and by Qiskit, and the circuit of fewest cx among those accurate to
    2e-11 is kept; above 6 qubits the first accurate one.

    Raises:
        InvalidProgramError: If the matrix is not unitary.

    Accuracy: 1e-13 per element as a rule, 2e-11 at worst, checked on random vectors. Qiskit's own synthesis (2.6) drops
        what is below its tolerances: a two-qubit interaction below 1e-4, an entry below 1e-10, and the matrices of
        repeated eigenvalues come out wrong by 1e-9 to 1. On such it is not used.

    References:
        Iten et al., PRA 93, 032318; Krol & Al-Ars, arXiv:2403.13692.
    """
    return _dense_circuit(step, num_system).to_gate(label=step.label)


def dense_cost(step: Unitary, num_system: int) -> int:
    """Two-qubit gates of `dense_gate`, counted on the synthesis itself, once per matrix.

    Blocks, zeros and the identity change what the syntheses write: no formula holds for every matrix. Takes about a
    second per 1000 gates.
    """
    return int(_dense_circuit(step, num_system).count_ops().get("cx", 0))


def _dense_circuit(step: Unitary, num_system: int) -> QuantumCircuit:
    dim, m = 2**num_system, len(step.ancillas)
    alone = step.matrix[::dim, ::dim]
    if m and not step.clean and np.max(np.abs(step.matrix - np.kron(alone, np.eye(dim)))) <= IDLE:
        small = _synthesised(np.ascontiguousarray(alone).tobytes(), m, 2**m)
        qc = QuantumCircuit(num_system + m, name=small.name)
        return qc.compose(small, range(num_system, num_system + m))
    clean = step.clean and m >= FEWEST_CLEAN
    columns = step.matrix[:, :dim] if clean else step.matrix
    return _synthesised(np.ascontiguousarray(columns).tobytes(), num_system + m, columns.shape[1])


@lru_cache(maxsize=32)
def _synthesised(data: bytes, qubits: int, columns: int) -> QuantumCircuit:
    """A circuit in cx and u with these first columns: of the accurate ones that of fewest cx, then of least error."""
    V = np.frombuffer(data, dtype=complex).reshape(2**qubits, columns)
    rng, error = np.random.default_rng(0), np.inf
    probes = rng.standard_normal((columns, PROBES)) + 1j * rng.standard_normal((columns, PROBES))
    start = np.zeros((2**qubits, PROBES), dtype=complex)
    start[:columns] = probes
    accurate: list[tuple[int, float, QuantumCircuit]] = []
    for attempt in (_qiskit, _own) if columns == 2**qubits else (_own, _qiskit):  # the faster one first
        if accurate and qubits > COMPARED:
            break
        found = attempt(V, qubits)
        if found is None:
            continue
        off = float(np.max(np.abs(_performed(found, start) - V @ probes)))
        error = min(error, off)
        if off <= ACCURACY:
            accurate.append((int(found.count_ops().get("cx", 0)), off, found))
    if not accurate:
        defect = float(np.max(np.abs(V.conj().T @ V - np.eye(columns))))
        raise InvalidProgramError(
            f"A dense block on {qubits} qubits must be unitary to {ACCURACY:g}, but its columns are off by "
            f"{defect:.1e} and its circuit by {error:.1e}. Fix: make its columns orthonormal."
        )
    *_, best = min(accurate, key=lambda one: one[:2])
    best.name = f"dense_{zlib.crc32(data):08x}"
    return best


def _own(V: Array, qubits: int) -> QuantumCircuit | None:
    """Accurate for every matrix."""
    return unitary_circuit(V) if len(V) == V.shape[1] else isometry_circuit(V)


def _qiskit(V: Array, qubits: int) -> QuantumCircuit | None:
    """It knows a few more special cases, which save gates; None where it fails."""
    qc = QuantumCircuit(qubits)
    qc.append(UnitaryGate(V, check_input=False) if len(V) == V.shape[1] else Isometry(V, 0, 0), qc.qubits)
    try:
        return transpile(qc, basis_gates=["cx", "u"], optimization_level=0)
    except (QiskitError, ValueError):
        return None


def _performed(qc: QuantumCircuit, states: Array) -> Array:
    """What a circuit of cx and u makes of some state vectors, in columns."""
    q = qc.num_qubits
    state = states.reshape((2,) * q + (-1,)).copy()
    for instruction in qc.data:
        axes = [q - 1 - qc.find_bit(qubit).index for qubit in instruction.qubits]
        if instruction.operation.name == "cx":
            view = np.moveaxis(state, axes, (0, 1))
            view[1] = view[1, ::-1].copy()
        else:
            turned = np.tensordot(instruction.operation.to_matrix(), state, axes=([1], [axes[0]]))
            state = np.moveaxis(turned, 0, axes[0])
    return np.asarray(np.exp(1j * qc.global_phase) * state.reshape(2**q, -1))
