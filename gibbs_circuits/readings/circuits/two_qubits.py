"""Two-qubit unitaries in cx and u to rounding, whatever their entries: no tolerance, no special case."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from qiskit import QuantumCircuit

from ...linalg.arrays import Array, Real

ANGLES = 32  # combinations of Re and Im that are tried; 6 pairs of eigenvalues exclude a few
ROUNDING = 1e-14  # of a diagonalisation: no better one is looked for
ABSENT = 5e-14  # an interaction this weak is left out
PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
MAGIC = np.array([[1, 0, 0, 1j], [0, 1j, 1, 0], [0, 1j, -1, 0], [1, 0, 0, -1j]]) / np.sqrt(2)
SIGNS = np.array([np.diag(MAGIC.conj().T @ np.kron(P, P) @ MAGIC).real for P in PAULI])  # of XX, YY, ZZ


@dataclass
class Writer:
    """Gates in order of time; neighbouring one-qubit gates become one."""

    circuit: QuantumCircuit
    held: dict[int, Array] = field(default_factory=dict)

    def u(self, qubit: int, matrix: Array) -> None:
        """Append a one-qubit unitary, (2, 2)."""
        self.held[qubit] = matrix @ self.held[qubit] if qubit in self.held else matrix

    def cx(self, control: int, target: int) -> None:
        """Append a CX, after what waits on its qubits."""
        for qubit in (control, target):
            self._write(qubit)
        self.circuit.cx(control, target)

    def done(self) -> QuantumCircuit:
        """The circuit with everything written."""
        for qubit in sorted(self.held):
            self._write(qubit)
        return self.circuit

    def _write(self, qubit: int) -> None:
        u = self.held.pop(qubit, None)
        if u is None:
            return
        theta = 2 * np.arctan2(abs(u[1, 0]), abs(u[0, 0]))
        if abs(u[0, 0]) >= abs(u[1, 0]):  # phases from the larger entries
            phase, total = np.angle(u[0, 0]), np.angle(u[1, 1])
            phi = np.angle(u[1, 0]) - phase
            lam = total - phase - phi
        else:
            low, high = np.angle(u[1, 0]), np.angle(-u[0, 1])
            phase = np.angle(u[0, 0])
            phi, lam = low - phase, high - phase
        self.circuit.global_phase += float(phase)
        self.circuit.u(float(theta), float(phi), float(lam), qubit)


def rz(angle: float) -> Array:
    """e^{−i angle Z/2}."""
    return np.diag([np.exp(-0.5j * angle), np.exp(0.5j * angle)])


def ry(angle: float) -> Array:
    """e^{−i angle Y/2}."""
    c, s = np.cos(angle / 2), np.sin(angle / 2)
    return np.array([[c, -s], [s, c]], dtype=complex)


def _turned(axis: int, angle: float) -> Array:
    """e^{i angle P}."""
    return np.asarray(np.cos(angle) * np.eye(2) + 1j * np.sin(angle) * PAULI[axis])


@dataclass(frozen=True, eq=False)
class Weyl:
    """U = e^{i phase} (left[1] ⊗ left[0]) e^{i(a XX + b YY + c ZZ)} (right[1] ⊗ right[0]), not sorted in any way."""

    phase: float
    left: tuple[Array, Array]
    angles: Real
    right: tuple[Array, Array]


def _diagonalised(U: Array) -> tuple[complex, Array, Array, Real]:
    """(det^¼, U of determinant 1 in the magic basis, P, φ): P real, in SO(4), PᵀUᵀUP = e^{iφ}, Σφ = 0.

    Re and Im of UᵀU commute, and so one orthogonal P makes both diagonal. That of a combination does, where eigenvalues
    of UᵀU far apart do not fall together in it: of several combinations the best is taken, and error stays rounding.
    """
    root = np.exp(0.25j * np.angle(np.linalg.det(U)))
    V = MAGIC.conj().T @ (U / root) @ MAGIC
    M = V.T @ V
    best, found = np.inf, np.eye(4)
    for t in np.pi * np.arange(ANGLES) / ANGLES:
        _, P = np.linalg.eigh(np.cos(t) * M.real + np.sin(t) * M.imag)
        D = P.T @ M @ P
        left = float(np.linalg.norm(D - np.diag(np.diag(D))))
        if left < best:
            best, found = left, P
        if best <= ROUNDING:
            break
    P = found * np.array([np.sign(np.linalg.det(found)), 1, 1, 1])
    phi = np.angle(np.diag(P.T @ M @ P))
    phi[0] -= 2 * np.pi * np.round(phi.sum() / (2 * np.pi))
    return root, V, P, phi


def weyl(U: Array) -> Weyl:
    """The canonical decomposition of a two-qubit unitary.

    References:
        Kraus & Cirac, PRA 63, 062309.
    """
    root, V, P, phi = _diagonalised(U)
    K = (V @ P * np.exp(-0.5j * phi)).real
    return Weyl(float(np.angle(root)), _factors(K), SIGNS @ phi / 8, _factors(P.T))


def _factors(O: Array) -> tuple[Array, Array]:
    """(low, high) of an element of SO(4) in the magic basis."""
    product = (MAGIC @ O @ MAGIC.conj().T).reshape(2, 2, 2, 2).transpose(0, 2, 1, 3).reshape(4, 4)
    left, _, right = np.linalg.svd(product)
    high, low = left[:, 0].reshape(2, 2) * np.sqrt(2), right[0].reshape(2, 2) * np.sqrt(2)
    turn = np.vdot(np.kron(high, low), MAGIC @ O @ MAGIC.conj().T)
    return low * (turn / abs(turn)), high


def trace_part(U: Array) -> float:
    """Im Tr of UᵀU, in the magic basis and for determinant 1, as 4 sin 2a sin 2b sin 2c: with small relative error."""
    *_, phi = _diagonalised(U)
    return float(4 * np.prod(np.sin(2 * (SIGNS @ phi / 8))))


def two_cx_but_diagonal(U: Array) -> tuple[Array, Array] | None:
    """(D, W) with U = D W, D = e^{−iψ ZZ} diagonal and W of two CX; None where rounding does not allow it.

    Tr of UᵀU has to be real; with ψ it is Im Tr = A cos 2ψ + B sin 2ψ.

    References:
        Shende, Bullock & Markov, IEEE Trans. CAD 25, 1000: theorem 14.
    """
    ZZ = np.array([1, -1, -1, 1])

    def turned(psi: float) -> Array:
        return np.asarray(np.exp(1j * psi * ZZ)[:, None] * U)

    A, B = trace_part(U), trace_part(turned(np.pi / 4))
    root = 0.5 * np.arctan2(-A, B) if A or B else 0.0
    for psi in (0.0, root, root - trace_part(turned(root)) / (2 * np.hypot(A, B) or 1.0)):  # the last: a Newton step
        if np.min(np.abs(_reduced(weyl(turned(psi)).angles)[0])) <= ABSENT:
            return np.diag(np.exp(-1j * psi * ZZ)), turned(psi)
    return None


def _reduced(angles: Real) -> tuple[Real, list[int]]:
    """Angles in [−π/4, π/4], and how many quarter turns were taken out."""
    turns = np.round(angles / (np.pi / 2))
    return angles - turns * np.pi / 2, [int(turn) for turn in turns]


def write_two(writer: Writer, U: Array, low: int, high: int) -> None:
    """A two-qubit unitary as 0, 2 or 3 CX.

    References:
        Vatan & Williams, PRA 69, 032315: three CX.
    """
    found = weyl(U)
    angles, turns = _reduced(found.angles)
    phase = found.phase + np.pi / 2 * sum(turns)
    for qubit, u in zip((low, high), found.right, strict=True):
        writer.u(qubit, u)
    turn = np.eye(2, dtype=complex)
    for P, k in zip(PAULI, turns, strict=True):
        turn = P @ turn if k % 2 else turn
    weak = np.abs(angles) <= ABSENT
    if not weak.all():
        if weak.any():
            _two(writer, angles, int(np.argmin(np.abs(angles))), low, high)
        else:
            phase += _three(writer, angles, low, high)
    for qubit, u in zip((low, high), found.left, strict=True):
        writer.u(qubit, u @ turn)
    writer.circuit.global_phase += float(phase)


def _two(writer: Writer, angles: Real, absent: int, low: int, high: int) -> None:
    """e^{i(a XX + b YY + c ZZ)} with one of them absent: YY, after a quarter turn about the axis of the third."""
    other = 2 - absent  # X for Z and Z for X: the turn about it takes the absent axis to Y
    a, b, c = angles
    turn = np.eye(2, dtype=complex)
    if absent != 1:
        turn = _turned(other, -np.pi / 4)
        a, c = (b, c) if absent == 0 else (a, b)
    for qubit in (low, high):
        writer.u(qubit, turn)
    writer.cx(high, low)
    writer.u(high, _turned(0, a))
    writer.u(low, _turned(2, c))
    writer.cx(high, low)
    for qubit in (low, high):
        writer.u(qubit, turn.conj().T)


def _three(writer: Writer, angles: Real, low: int, high: int) -> float:
    """e^{i(a XX + b YY + c ZZ)} but for the phase that is returned."""
    a, b, c = angles
    writer.u(low, rz(np.pi / 2))
    writer.cx(low, high)
    writer.u(high, rz(np.pi / 2 - 2 * c))
    writer.u(low, ry(np.pi / 2 - 2 * a))
    writer.cx(high, low)
    writer.u(low, ry(2 * b - np.pi / 2))
    writer.cx(low, high)
    writer.u(high, rz(-np.pi / 2))
    return float(np.pi / 4)
