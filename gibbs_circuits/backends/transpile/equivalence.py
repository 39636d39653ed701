"""Whether a transpiled block still does what the block did.

Qiskit's levels 2 and 3 drop rotations below about 1e-5 and round gates on a pair that are nearly special; a block whose
angles are generic loses nothing, one with tiny angles loses up to 1e-5 without a word.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator

from ...limits import MAX_CHECKED_WIRES
from ...linalg.arrays import Array

DENSE = 2  # qubits above which a gate made of others is followed gate by gate: as a matrix it takes seconds
FAITHFUL = 1e-11  # norm of the difference of two unit vectors
_RESET = np.array([[1.0, 0.7], [0.0, 0.0]])  # both Kraus operators of a reset at once: what is before it is seen


def same_action(
    block: QuantumCircuit,
    other: QuantumCircuit,
    start: Sequence[int],
    end: Sequence[int],
    zero: Collection[int] = (),
) -> bool:
    """Whether `other` does to a random vector what `block` does, up to a phase; True without a look above 14 wires.

    Args:
        block: The reference.
        other: With qubit k of the block on wire start[k] before and on end[k] after; further wires follow in `start`.
        start: One entry per qubit of the block, then one per further wire in use.
        end: The same after.
        zero: Places in `start` whose wires are in |0⟩ before.
    """
    width = len(start)
    if width > MAX_CHECKED_WIRES:
        return True
    rng = np.random.default_rng(0)
    first = rng.standard_normal((2,) * width) + 1j * rng.standard_normal((2,) * width)
    for k in zero:
        first[(slice(None),) * k + (1,)] = 0
    axis = {wire: k for k, wire in enumerate(start)}
    expected = _through(block, first, {k: k for k in range(block.num_qubits)})
    found = _through(other, first, axis).transpose([axis[wire] for wire in end])
    overlap = np.vdot(found, expected)
    phase = overlap / abs(overlap) if overlap else 1.0
    return bool(np.linalg.norm(expected - phase * found) <= FAITHFUL * np.linalg.norm(expected))


def _through(qc: QuantumCircuit, state: Array, axis: Mapping[int, int]) -> Array:
    for item in qc.data:
        axes = [axis[qc.find_bit(q).index] for q in reversed(item.qubits)]
        k = len(axes)
        matrix = _RESET if item.operation.name == "reset" else item.matrix  # None of what is made of other gates
        if matrix is None and k > DENSE and item.operation.definition is not None:
            state = _through(item.operation.definition, state, dict(enumerate(reversed(axes))))
            continue
        matrix = Operator(item.operation).data if matrix is None else np.asarray(matrix)
        state = np.tensordot(matrix.reshape((2,) * 2 * k), state, axes=(range(k, 2 * k), axes))
        state = np.moveaxis(state, range(k), axes)
    return state
