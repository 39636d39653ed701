"""Unitaries and isometries in cx and u to rounding, whatever their entries: block ZXZ, and column by column.

Every step is a product of unitaries that are computed to rounding (cosine–sine, Schur, Givens), so that errors add up
and nothing amplifies them: no tolerance below which an entry is dropped, no case of repeated blocks.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import scipy.linalg
from qiskit import QuantumCircuit

from ...linalg.arrays import Array, Real
from .two_qubits import Writer, rz, two_cx_but_diagonal, write_two

HADAMARD = np.array([[1, 1], [1, -1]], dtype=complex) / np.sqrt(2)
Gate = tuple[str, int, int, Array]  # ("u", qubit, -1, 2×2), ("cx", control, target, _) or ("leaf", 0, 1, 4×4)
Controlled = tuple[int, list[int], Array]  # target, controls, one 2 × 2 block per value of the controls
ROUNDING = 4e-15  # of an entry
NONE = np.eye(1, dtype=complex)


def unitary_circuit(U: Array) -> QuantumCircuit:
    """A unitary on q qubits: (22/48) 4^q − (3/2) 2^q + 5/3 two-qubit gates at most.

    Accuracy: 1e-13 per element (measured, q <= 6).

    References:
        Krol & Al-Ars, arXiv:2403.13692: block ZXZ, and what merges; Shende, Bullock & Markov, IEEE Trans. CAD 25, 1000:
        diagonals of two-qubit blocks moved on.
    """
    q = len(U).bit_length() - 1
    for control in range(q if q > 2 else 0):
        a, b, rest = _blocks(U, control, q)
        if rest <= ROUNDING:
            lower = [qubit for qubit in range(q) if qubit != control]
            V, alpha, W = _demultiplexed(a, b)
            parts = [*_inner(W, lower), *_rotations(alpha, lower, control), *_inner(V, lower)]
            return _written(q, parts)
    return _written(q, _without_diagonals(list(_shannon(U, q))))


def _inner(U: Array, qubits: list[int]) -> list[Gate]:
    """A unitary on some of the qubits."""
    return [
        (name, qubits[a], qubits[b] if b >= 0 else b, matrix)
        for name, a, b, matrix in _without_diagonals(list(_shannon(U, len(qubits))))
    ]


def _blocks(U: Array, control: int, q: int) -> tuple[Array, Array, float]:
    """The blocks where a qubit is 0 and stays 0, is 1 and stays 1, and the largest entry elsewhere."""
    index = np.arange(2**q)
    zero, one = index[index >> control & 1 == 0], index[index >> control & 1 == 1]
    rest = max(float(np.max(np.abs(U[np.ix_(i, j)]))) for i, j in ((zero, one), (one, zero)))
    return U[np.ix_(zero, zero)], U[np.ix_(one, one)], rest


def isometry_circuit(V: Array) -> QuantumCircuit:
    """An isometry from n to q qubits, on clean highest qubits: about 2^{n+q} two-qubit gates, column by column.

    Each column is turned into a basis vector qubit by qubit; gates of one qubit under control are written up to a
    diagonal, whose phases later gates take up.

    Accuracy: 1e-13 per element (measured, q <= 7).

    References:
        Iten et al., PRA 93, 032318, sec. IV; Bergholm et al., PRA 71, 052330: gates under uniform control.
    """
    q, n = len(V).bit_length() - 1, V.shape[1].bit_length() - 1
    left, gates = V.copy(), list[Gate]()
    for k in range(V.shape[1]):
        for s in range(q):
            for found in (_at_one_value, _at_every_value):
                target, controls, blocks = found(left[:, k], k, s, q)
                if np.any(np.abs(blocks - np.eye(2)) > ROUNDING):
                    written, diagonal = _uniform(blocks, target, controls)
                    left = _applied(blocks, diagonal, target, controls, left)
                    gates += written
    phases = np.angle(np.diag(left[: V.shape[1]]))
    back = [_inverse(gate) for gate in reversed(gates)]
    return _written(q, [*_diagonal(phases, range(n)), *back])


def _inverse(gate: Gate) -> Gate:
    return (*gate[:3], gate[3].conj().T)


def _written(q: int, gates: Iterable[Gate]) -> QuantumCircuit:
    writer = Writer(QuantumCircuit(q))
    for name, a, b, matrix in gates:
        match name:
            case "u":
                writer.u(a, matrix)
            case "cx":
                writer.cx(a, b)
            case _:
                write_two(writer, matrix, a, b)
    return writer.done()


def _shannon(U: Array, q: int) -> Iterable[Gate]:
    """U = (A₁ ⊕ A₂)(H ⊗ 1)(1 ⊕ B)(H ⊗ 1)(1 ⊕ C), each multiplexer as V (D ⊕ D†) W, recursively."""
    if q <= 2:
        return [("u", 0, -1, U)] if q == 1 else [("leaf", 0, 1, U)]
    half, top = len(U) // 2, q - 1
    (L1, L2), theta, (R1, R2) = scipy.linalg.cossin(U, p=half, q=half, separate=True)
    turned = L1 * np.exp(-1j * theta), 1j * L2 * np.exp(-1j * theta)
    A1, A2 = turned[0] @ R1, turned[1] @ R1
    B = (R1.conj().T * np.exp(2j * theta)) @ R1
    C = -1j * R1.conj().T @ R2
    one = np.eye(half, dtype=complex)
    V_C, angles_C, W_C = _demultiplexed(one, C)
    V_A, angles_A, W_A = _demultiplexed(A1, A2)
    Z = np.repeat([1.0, -1.0], half // 2)  # the CX left out on either side, through H
    V_B, angles_B, W_B = _demultiplexed(W_A @ V_C, Z[:, None] * (W_A @ B @ V_C) * Z)
    controls = range(top)
    rotations_C, rotations_A = (_rotations(angles, controls, top) for angles in (angles_C, angles_A))
    H: Gate = ("u", top, -1, HADAMARD)
    return [
        *_shannon(W_C, top), *rotations_C[:-1], H,
        *_shannon(W_B, top), *_rotations(angles_B, controls, top), *_shannon(V_B, top),
        H, *rotations_A[::-1][1:], *_shannon(V_A, top),
    ]  # fmt: skip


def _demultiplexed(a: Array, b: Array) -> tuple[Array, Real, Array]:
    """(V, α, W) with a = V e^{iα} W and b = V e^{−iα} W."""
    T, V = scipy.linalg.schur(a @ b.conj().T, output="complex")
    alpha = np.angle(np.diag(T)) / 2
    return V, alpha, np.exp(1j * alpha)[:, None] * (V.conj().T @ b)


def _rotations(alpha: Real, controls: Iterable[int], target: int) -> list[Gate]:
    """e^{iα_j Z} on the target for every value j of the controls, the last gate a CX from the highest control."""
    qubits = list(controls)
    gates: list[Gate] = []
    for index, angle in enumerate(_gray(alpha)):
        gates.append(("u", target, -1, rz(-2 * angle)))
        if qubits:
            next_ = index + 1
            bit = min((next_ & -next_).bit_length() - 1, len(qubits) - 1)
            gates.append(("cx", qubits[bit], target, NONE))
    return gates


def _gray(alpha: Real) -> Real:
    """The angles between the CX, from those for every value of the controls."""
    j = np.arange(len(alpha))
    gray = j ^ (j >> 1)
    signs = np.array([[(-1) ** int(g & v).bit_count() for v in j] for g in gray])
    return np.asarray(signs @ alpha / len(alpha))


def _without_diagonals(gates: list[Gate]) -> list[Gate]:
    """Every two-qubit block but the last as two CX and a diagonal that the next one takes up: all between commutes."""
    leaves = [index for index, gate in enumerate(gates) if gate[0] == "leaf"]
    done = list(gates)
    for here, there in pairwise(leaves):
        found = two_cx_but_diagonal(done[here][3])
        if found is not None:
            D, W = found
            done[here], done[there] = ("leaf", 0, 1, W), ("leaf", 0, 1, done[there][3] @ D)
    return done


def _at_one_value(column: Array, k: int, s: int, q: int) -> Controlled:
    """Where all other bits of k are set: brings the entry with bit s flipped to entry k, if a later gate cannot.

    No column before k has an entry there, and every one has some where `_at_every_value` would have to act.
    """
    if k >> s & 1 or not k % 2**s:
        return s, [], np.empty((0, 2, 2), dtype=complex)
    controls = [b for b in range(q) if k >> b & 1]
    blocks = np.tile(np.eye(2, dtype=complex), (2 ** len(controls), 1, 1))
    blocks[-1] = _rotation(column[k], column[k | 1 << s], 0)
    return s, controls, blocks


def _at_every_value(column: Array, k: int, s: int, q: int) -> Controlled:
    """Brings qubit s to bit s of k, whatever the higher qubits; those below are at k already, above nothing is < k."""
    bit, low, above = k >> s & 1, k % 2**s, k >> (s + 1)
    pairs = column.reshape(2 ** (q - 1 - s), 2, 2**s)[:, :, low]
    blocks = np.tile(np.eye(2, dtype=complex), (len(pairs), 1, 1))
    for prefix in range(above + int(bit or low > 0), len(pairs)):
        blocks[prefix] = _rotation(pairs[prefix, 0], pairs[prefix, 1], bit)
    return s, list(range(s + 1, q)), blocks


def _rotation(x: complex, y: complex, bit: int) -> Array:
    """The rotation of (x, y) onto the basis vector `bit`."""
    r = float(np.hypot(abs(x), abs(y)))
    if r == 0:
        return np.eye(2, dtype=complex)
    x, y = x / r, y / r
    rows = np.array([[np.conj(x), np.conj(y)], [-y, x]])
    return rows if bit == 0 else np.array([[y, -x], [np.conj(x), np.conj(y)]])


def _applied(blocks: Array, diagonal: Array, target: int, controls: list[int], V: Array) -> Array:
    """Blocks under control, then the conjugate of a diagonal on target and controls, on the columns of V."""
    index = np.arange(len(V))
    value = sum(((index >> qubit & 1) << place for place, qubit in enumerate(controls)), np.zeros_like(index))
    bit, other = index >> target & 1, index ^ (1 << target)
    here, there = blocks[value, bit, bit], blocks[value, bit, 1 - bit]
    return np.asarray(diagonal[value, bit].conj()[:, None] * (here[:, None] * V + there[:, None] * V[other]))


def _uniform(blocks: Array, target: int, controls: list[int]) -> tuple[list[Gate], Array]:
    """(gates, D): blocks under uniform control are D times the gates, 2^c − 1 CX; D[value, bit] a diagonal.

    a ⊕ b = (r† ⊕ r)(1 ⊗ u) e^{iπ/4 ZZ} (1 ⊗ v), with r diagonal so that r a b† r = u diag(i, −i) u†.
    """
    if not controls:
        return [("u", target, -1, blocks[0])], np.ones((1, 2), dtype=complex)
    half = len(blocks) // 2
    a, b = blocks[:half], blocks[half:]
    X = a @ b.conj().transpose(0, 2, 1)
    turn, det = np.angle(X[:, 0, 0]), np.angle(np.linalg.det(X))
    r = np.exp(0.5j * np.stack([np.pi / 2 - turn, turn - det - np.pi / 2], axis=1))
    middle = r[:, :, None] * X * r[:, None, :] / 1j  # Hermitian, eigenvalues ±1
    _, vectors = np.linalg.eigh((middle + middle.conj().transpose(0, 2, 1)) / 2)
    u = vectors[:, :, ::-1]
    d = np.exp(0.25j * np.pi * np.array([1, -1]))
    v = d[:, None] * (u.conj().transpose(0, 2, 1) @ (r.conj()[:, :, None] * b))
    first, D = _uniform(v, target, controls[:-1])
    second, E = _uniform(u * D[:, None, :], target, controls[:-1])
    joined = np.concatenate([r.conj() * E, r * E])
    return [*first, *_zz(controls[-1], target), *second], joined


def _zz(control: int, target: int) -> list[Gate]:
    """e^{iπ/4 ZZ} as one CX."""
    s = np.exp(0.25j * np.pi) * np.diag([1, -1j])  # e^{iπ/4 Z}
    return [
        ("u", control, -1, s * np.exp(-0.25j * np.pi)), ("u", target, -1, HADAMARD), ("cx", control, target, NONE),
        ("u", target, -1, s @ HADAMARD),
    ]  # fmt: skip


def _diagonal(phases: Real, qubits: Iterable[int]) -> list[Gate]:
    """diag(e^{i phases}), from the highest qubit down."""
    register = list(qubits)
    if not register:
        return [("u", 0, -1, np.exp(1j * phases[0]) * np.eye(2))]
    half = len(phases) // 2
    mean, share = (phases[:half] + phases[half:]) / 2, (phases[:half] - phases[half:]) / 2
    below, top = register[:-1], register[-1]
    rest = _diagonal(mean, below) if below else [("u", top, -1, np.exp(1j * mean[0]) * np.eye(2))]
    return [*_rotations(share, below, top), *rest]
