r"""Circuits with free angles: CZ gates between free one-qubit rotations, as a tape that runs forwards and back.

Qubits are those of a `Program`: system 0 … n−1, ancillas above, each in |0⟩ at the start of a sweep. A slot is a free
rotation on one qubit, $R_z(c) R_y(b)$ with $R_P(a) = e^{-iaP/2}$; between two CZ gates nothing more general is needed,
since $R_z$ commutes with CZ. Real circuits keep $R_y$ alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...linalg.arrays import Real, Values
from ...models.graph import Edge

Layer = tuple[Edge, ...]


@dataclass(frozen=True)
class Slot:
    """A free rotation on one qubit behind so many layers."""

    qubit: int
    layer: int


@dataclass(frozen=True)
class Ansatz:
    """Where the CZ gates of one sweep are; behind every layer of them each of its qubits has a slot.

    Attributes:
        num_system: n.
        num_ancilla: m; an ancilla is used by its first CZ and forgotten after its last.
        layers: CZ gates in order of time; those of a layer stand side by side.
        real: Whether the rotations are R_y only, so that every matrix is real.
        features: Of every qubit named weights: its angles are the weighted sums of the free angles of those names, so
            that qubits of one class share them, and may differ in proportion to a field. () shares nothing.
        classical: Whether an ancilla that meets one site once costs nothing: it is a random Pauli gate of the site.
    """

    num_system: int
    num_ancilla: int
    layers: tuple[Layer, ...]
    real: bool = True
    features: tuple[tuple[tuple[object, float], ...], ...] = ()
    classical: bool = False

    @property
    def num_qubits(self) -> int:
        """Number of qubits, system and ancillas."""
        return self.num_system + self.num_ancilla

    @property
    def gates(self) -> int:
        """CZ gates of one sweep that cost something."""
        met = Counter(b for layer in self.layers for _, b in layer if b >= self.num_system)
        free = sum(count == 1 for count in met.values()) if self.classical else 0
        return sum(map(len, self.layers)) - free

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """In order of time; none where it could not matter."""
        n = self.num_system
        used = [sorted({q for edge in layer for q in edge}) for layer in self.layers]
        first = {q: k for k, qubits in reversed(list(enumerate(used))) for q in qubits}
        last = {q: k for k, qubits in enumerate(used) for q in qubits}
        found = [Slot(q, 0) for q in range(n)]
        for k, qubits in enumerate(used):
            found += [Slot(q, k) for q in qubits if q >= n and first[q] == k]
            found += [Slot(q, k + 1) for q in qubits if q < n or last[q] > k]
        return tuple(found)

    @property
    def angles_per_slot(self) -> int:
        """R_y, and R_z where the circuit is complex."""
        return 1 if self.real else 2

    @cached_property
    def _names(self) -> dict[object, int]:
        names: dict[object, int] = {}
        for slot in self.slots:
            for name, _ in self.features[slot.qubit] if self.features else ((slot.qubit, 1.0),):
                names.setdefault((slot.layer, name), len(names))
        return names

    @property
    def names(self) -> tuple[object, ...]:
        """(layer, name) of the free angles, in order."""
        return tuple(self._names)

    @cached_property
    def mixing(self) -> Real:
        """The weights of the free angles in those of the slots, (slots, names)."""
        matrix = np.zeros((len(self.slots), len(self._names)))
        for row, slot in enumerate(self.slots):
            for name, weight in self.features[slot.qubit] if self.features else ((slot.qubit, 1.0),):
                matrix[row, self._names[slot.layer, name]] = weight
        return matrix

    @property
    def num_angles(self) -> int:
        """How many angles are free."""
        return self.angles_per_slot * len(self._names)

    @cached_property
    def tape(self) -> tuple[Real | tuple[int, int], ...]:
        """CZ layers as ±1 on the basis states, and rotations as (qubit, slot)."""
        tape: list[Real | tuple[int, int]] = []
        bits = (np.arange(2**self.num_qubits)[:, None] >> np.arange(self.num_qubits)) & 1
        behind: dict[int, list[tuple[int, int]]] = {}
        for number, slot in enumerate(self.slots):
            behind.setdefault(slot.layer, []).append((slot.qubit, number))
        for k in range(len(self.layers) + 1):
            tape += behind.get(k, [])
            if k < len(self.layers):
                signs = np.ones(len(bits))
                for a, b in self.layers[k]:
                    signs *= 1.0 - 2.0 * (bits[:, a] & bits[:, b])
                tape.append(signs)
        return tuple(tape)

    def slot_angles(self, angles: Real) -> Real:
        """(num_angles, batch) → (slots, angles per slot, batch)."""
        free = angles.reshape(len(self._names), -1)
        return np.asarray(self.mixing @ free).reshape(len(self.slots), self.angles_per_slot, -1)


def rotations(ansatz: Ansatz, angles: Real) -> Values:
    """The matrices of all slots, (slots, 2, 2, batch), from angles of shape (num_angles, batch)."""
    used = ansatz.slot_angles(angles)
    c, s = np.cos(used[:, 0] / 2), np.sin(used[:, 0] / 2)
    matrices = np.array([[c, -s], [s, c]]).transpose(2, 0, 1, 3)
    if ansatz.real:
        return np.ascontiguousarray(matrices)
    phase = np.exp(-0.5j * used[:, 1])
    return np.asarray(matrices * np.stack([phase, phase.conj()], axis=1)[:, :, None, :])


def forward(ansatz: Ansatz, angles: Real, psi: Values) -> Values:
    """The circuit on states of shape (2^q, columns, batch); `psi` is overwritten."""
    U = rotations(ansatz, angles).astype(psi.dtype)
    for step in ansatz.tape:
        if isinstance(step, np.ndarray):
            psi *= step[:, None, None].astype(psi.dtype)
        else:
            psi = _turned(psi, step[0], U[step[1]])
    return psi


def backward(ansatz: Ansatz, angles: Real, psi: Values, bra: Values) -> Real:
    r"""∂C/∂angles, (num_angles, batch), of a real C with δC = 2 Re⟨bra|δψ⟩ at the end of the circuit.

    Gates are taken off both vectors on the way back, so nothing is stored. For each rotation only
    $E_{ab} = \sum \overline{bra}_a ψ_b$ over the other qubits is needed.
    """
    U, used = rotations(ansatz, angles).conj().swapaxes(1, 2).astype(psi.dtype), ansatz.slot_angles(angles)
    slopes = np.zeros_like(used)
    both = np.stack([psi, bra], axis=1)  # one array, so that a gate is taken off both at once
    for step in reversed(ansatz.tape):
        if isinstance(step, np.ndarray):
            both *= step[:, None, None, None].astype(both.dtype)
            continue
        qubit, slot = step
        low, high = _halves(both, qubit)
        E01, E10 = _dot(low[:, :, 1], high[:, :, 0]), _dot(high[:, :, 1], low[:, :, 0])
        if ansatz.real:
            slopes[slot, 0] = E10 - E01
        else:  # −iY/2 seen through R_z(c) is [[0, −e^{−ic}], [e^{ic}, 0]]/2
            phase = np.exp(1j * used[slot, 1])
            slopes[slot, 0] = np.real(phase * E10 - phase.conj() * E01)
            slopes[slot, 1] = np.imag(_dot(low[:, :, 1], low[:, :, 0]) - _dot(high[:, :, 1], high[:, :, 0]))
        both = _turned(both, qubit, U[slot])
    total = ansatz.mixing.T @ slopes.reshape(len(slopes), -1)
    return np.asarray(total).reshape(ansatz.num_angles, -1)


def _halves(psi: Values, qubit: int) -> tuple[Values, Values]:
    view = psi.reshape(-1, 2, 2**qubit, *psi.shape[1:])
    return view[:, 0], view[:, 1]


def _dot(bra: Values, ket: Values) -> Values:
    return np.asarray(np.einsum("hlcb,hlcb->b", bra.conj() if np.iscomplexobj(bra) else bra, ket))


def _turned(psi: Values, qubit: int, U: Values) -> Values:
    """A rotation of one qubit; the rows of `psi` are basis states, its last axis is the batch."""
    low, high = _halves(psi, qubit)
    out = np.empty_like(psi)
    into_low, into_high = _halves(out, qubit)
    np.multiply(low, U[0, 0], out=into_low)
    into_low += U[0, 1] * high
    np.multiply(low, U[1, 0], out=into_high)
    into_high += U[1, 1] * high
    return out


def columns(ansatz: Ansatz, batch: int) -> Values:
    """All system basis states with the ancillas in |0⟩, (2^q, 2^n, batch)."""
    dim = 2**ansatz.num_system
    psi = np.zeros((2**ansatz.num_qubits, dim, batch), dtype=float if ansatz.real else complex)
    psi[np.arange(dim), np.arange(dim)] = 1
    return psi
