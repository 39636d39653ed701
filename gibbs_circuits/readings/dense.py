"""How dense blocks become gates, and how many."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Gate
from qiskit.circuit.library import Isometry, UnitaryGate
from qiskit.exceptions import QiskitError
from scipy.stats import unitary_group

from ..compiler import Unitary
from ..errors import InvalidProgramError
from ..spectrum import Array

FEWEST_CLEAN = 2  # clean ancillas from which the columns alone are cheaper than the whole unitary
ACCURACY = 2e-11  # of an element
PROBES = 4  # random vectors with elements of order 1, on which an error of any element shows
FRAMES = 6  # random local frames that are tried
IDLE = 1e-14


def dense_gate(step: Unitary, num_system: int) -> Gate:
    """A dense block as one gate of cx and u, on the system and then the ancillas of the step.

    Three syntheses of Qiskit: two or more clean ancillas take the columns they meet alone, one after the other (Iten et
    al., about 2^{2n+m} two-qubit gates); a block A ⊗ 1 that leaves the system alone takes A; anything else the whole
    unitary (quantum Shannon decomposition, (22/48) 4^q − (3/2) 2^q + 5/3 in general).

    Raises:
        InvalidProgramError: If no synthesis is accurate to 2e-11.

    Accuracy: 2e-11 per element at worst, 1e-13 as a rule, checked on random vectors. On matrices with repeated blocks
        or small entries either synthesis may be wrong (by 1e-9 to 1 in Qiskit 2.6). It is then repeated between random
        one-qubit rotations and, where ancillas are clean, with random other columns: both are free and break the
        pattern.

    References:
        Iten et al., PRA 93, 032318; Krol & Al-Ars, arXiv:2403.13692.
    """
    return _dense_circuit(step, num_system).to_gate(label=step.label)


def dense_cost(step: Unitary, num_system: int) -> int:
    """Two-qubit gates of `dense_gate`, counted on the synthesis itself, once per matrix.

    Blocks, zeros and the identity change what the syntheses write: no formula holds for every matrix. Takes about a
    second per 4000 gates.
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
    """A circuit in cx and u with these first columns."""
    V = np.frombuffer(data, dtype=complex).reshape(2**qubits, columns)
    rng, error = np.random.default_rng(0), np.inf
    probes = rng.standard_normal((columns, PROBES)) + 1j * rng.standard_normal((columns, PROBES))
    start = np.zeros((2**qubits, PROBES), dtype=complex)
    start[:columns] = probes
    for qc in _candidates(V, qubits):
        try:
            found = transpile(qc, basis_gates=["cx", "u"], optimization_level=0)
        except (QiskitError, ValueError):
            continue
        error = min(error, float(np.max(np.abs(_performed(found, start) - V @ probes))))
        if error <= ACCURACY:
            found.name = f"dense_{zlib.crc32(data):08x}"
            return found
    raise InvalidProgramError(
        f"A dense block on {qubits} qubits could not be synthesised: error {error:.1e}, allowed {ACCURACY:g}."
    )


def _candidates(V: Array, qubits: int) -> Iterator[QuantumCircuit]:
    """The columns alone, then, if that fails, the whole unitary; each as it is, then in random local frames."""
    yield from (_framed(V, qubits, frame) for frame in range(FRAMES))
    if V.shape[1] < V.shape[0]:
        yield from (_framed(_completed(V, frame), qubits, frame) for frame in range(FRAMES))


def _completed(V: Array, seed: int) -> Array:
    """The other columns are free: random ones leave no pattern."""
    dim, clean = V.shape
    Q, _ = np.linalg.qr(V, mode="complete")
    mixed = unitary_group.rvs(dim - clean, random_state=np.random.default_rng(seed))
    return np.asarray(np.hstack([V, Q[:, clean:] @ mixed]))


def _framed(V: Array, qubits: int, frame: int) -> QuantumCircuit:
    """(⊗ w) V′ (⊗ v) with V′ left to Qiskit; frame 0 is none."""
    inputs = V.shape[1].bit_length() - 1
    qc = QuantumCircuit(qubits)
    before: list[Array] = []
    after: list[Array] = []
    if frame:
        rng = np.random.default_rng(frame)
        before, after = ([unitary_group.rvs(2, random_state=rng) for _ in range(k)] for k in (inputs, qubits))
        left, right = _product(after), _product(before)
        V = np.asarray(left.conj().T @ V @ right.conj().T)
    for qubit, u in enumerate(before):
        qc.append(UnitaryGate(u), [qubit])
    qc.append(UnitaryGate(V) if inputs == qubits else Isometry(V, 0, 0), qc.qubits)
    for qubit, u in enumerate(after):
        qc.append(UnitaryGate(u), [qubit])
    return qc


def _product(gates: list[Array]) -> Array:
    """Their tensor product, the first on the least significant qubit."""
    total = np.eye(1, dtype=complex)
    for u in gates:
        total = np.kron(u, total)
    return total


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
