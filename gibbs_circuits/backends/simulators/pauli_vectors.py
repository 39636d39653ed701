"""Blocks of basis gates with noise, acting on vectors of Pauli expectations.

A state is x_P = Tr[P ρ] with an axis of length four per wire: gates, their errors, delays and resets are then real
matrices on one or two axes, and gates that follow each other on a pair become one matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Instruction

from ...linalg.arrays import Array, Real
from ..devices.errors import Errors

_PAULIS = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
_PAIRS = np.einsum("iab,jcd->ijacbd", _PAULIS, _PAULIS).reshape(16, 4, 4)
_READ = _PAULIS.transpose(0, 2, 1).reshape(4, 4)  # x_P from the entries (row, column) of a wire
_WRITE = _PAULIS.reshape(4, 4).T / 2
_RESET = np.zeros((4, 4))
_RESET[[0, 3], 0] = 1  # ⟨1⟩ = ⟨Z⟩ = 1 afterwards, whatever was there


@dataclass(frozen=True, eq=False)
class _Operation:
    """A real matrix on the Pauli axes of some wires."""

    wires: tuple[int, ...]
    matrix: Real


@dataclass(frozen=True, eq=False)
class NoisyBlock:
    """A block of basis gates with its noise."""

    operations: tuple[_Operation, ...]

    def apply(self, x: Real) -> Real:
        """On a vector with one axis per wire and a last one for whatever is moved together."""
        width, batch = x.ndim - 1, x.shape[-1]
        order = list(range(width))  # the wire of every axis; each gate brings its own to the front
        for operation in self.operations:
            first = [order.index(wire) for wire in operation.wires]
            rest = [k for k in range(width) if k not in first]
            x = x.transpose(*first, *rest, width).reshape(len(operation.matrix), -1)
            x = (operation.matrix @ x).reshape(*(4,) * width, batch)
            order = [order[k] for k in (*first, *rest)]
        return x.transpose(*np.argsort(order), width)


def noisy_block(qc: QuantumCircuit, errors: Errors) -> NoisyBlock:
    """A circuit of basis gates, resets and delays in seconds, every one followed by its error."""
    done: list[_Operation] = []
    last: dict[int, int] = {}  # the operation that touched a wire last
    waiting: dict[int, Real] = {}  # one-wire matrices, taken along by the next gate on a pair
    one = np.eye(4)
    for item in qc.data:
        wires = [qc.find_bit(q).index for q in item.qubits]
        matrix = _noisy(item.operation, tuple(wires), errors)
        if len(wires) == 1:
            waiting[wires[0]] = matrix @ waiting.get(wires[0], one)
            continue
        low, high = wires
        matrix = matrix @ np.kron(waiting.pop(high, one), waiting.pop(low, one))
        before = last.get(low, -1)
        if before >= 0 and before == last.get(high, -1):
            same = done[before].wires == (high, low)
            done[before] = _Operation((high, low), matrix @ (done[before].matrix if same else _swapped(done[before])))
            continue
        last[low] = last[high] = len(done)
        done.append(_Operation((high, low), matrix))
    for wire, matrix in waiting.items():
        done.append(_Operation((wire,), matrix))
    return NoisyBlock(tuple(done))


def _noisy(operation: Instruction, wires: tuple[int, ...], errors: Errors) -> Real:
    """An operation, and then its error."""
    name = operation.name
    if name == "delay":
        return errors.waited(wires[0], float(operation.duration))
    matrix = _RESET if name == "reset" else _turned(operation.to_matrix())
    error = errors.pauli_matrix(name, wires)
    return matrix if error is None else error @ matrix


def _turned(U: Array) -> Real:
    """Conjugation with a unitary."""
    basis = _PAULIS if len(U) == 2 else _PAIRS
    turned = (U @ basis @ U.conj().T).reshape(len(basis), -1)
    return np.asarray(np.real(basis.conj().reshape(len(basis), -1) @ turned.T) / len(U))


def _swapped(operation: _Operation) -> Real:
    """The matrix with its two wires exchanged."""
    return operation.matrix.reshape(4, 4, 4, 4).transpose(1, 0, 3, 2).reshape(16, 16)


def vector_of(rho: Array) -> Real:
    """Pauli expectations of d × d matrices (last axis: several), the highest qubit's axis first; Re and Im last."""
    n = round(np.log2(len(rho)))
    x = _each_wire(rho.reshape((2,) * 2 * n + (-1,)), n, _READ)
    return np.concatenate([x.real, x.imag], axis=-1)


def matrix_of(x: Real) -> Array:
    """Density matrices from their Pauli expectations, along the last axis."""
    n, several = x.ndim - 1, x.shape[-1] // 2
    entries = (x[..., :several] + 1j * x[..., several:]).astype(complex)
    for _ in range(n):  # the front axis turns into (row, column) at the back
        entries = np.tensordot(entries, _WRITE.reshape(2, 2, 4), axes=([0], [2]))
    order = [*range(1, 2 * n, 2), *range(2, 2 * n + 1, 2), 0]
    return np.asarray(entries.transpose(order).reshape(2**n, 2**n, several))


def _each_wire(entries: Array, n: int, read: Array) -> Array:
    for k in range(n):  # rows are at the front, columns n − k places behind; the new axis goes to the back
        entries = np.tensordot(entries, read.reshape(4, 2, 2), axes=([0, n - k], [1, 2]))
    return np.moveaxis(entries, 0, -1)
