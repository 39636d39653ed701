"""A circuit on one pure state: the derivative by every angle in one pass forwards and one back.

On the way forward every rotation is applied together with its derivatives, and all of them are kept; on the way back a
bra passes the same gates, and every slope is one inner product. For one state of 4 to 14 qubits a distance and its
gradient take half the time of gates that are taken off again, as `ansatz.backward` does for the many columns of a
channel, where there is no room for all of them (measured: 1.8 to 2.3 times as long where the rotations are real, 1.2 to
2.2 where they are complex). Pauli vectors, which gate errors need, take 3, 11 and 108 times as long as a channel's
columns at 2, 3 and 4 sites: so there are three ways to a gradient, each the fastest where it is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ...linalg.arrays import Real, Values
from .ansatz import Ansatz

LOW = 3  # qubits up to which a rotation is one small matrix on all lower qubits: numpy is slow on short rows


@dataclass(frozen=True, eq=False)
class PureStateGradient:
    """The circuit of an ansatz, with room for what a pass keeps.

    Attributes:
        ansatz: The circuit.
    """

    ansatz: Ansatz
    _kept: Values = field(init=False, repr=False)  # behind every slot: the state, and its derivatives by the angles
    _bras: Values = field(init=False, repr=False)

    def __post_init__(self) -> None:
        kind = float if self.ansatz.real else complex
        slots, dim = len(self.ansatz.slots), 2**self.ansatz.num_qubits
        object.__setattr__(self, "_kept", np.empty((slots, 1 + self.ansatz.angles_per_slot, dim), dtype=kind))
        object.__setattr__(self, "_bras", np.empty((slots, dim), dtype=kind))

    def forward(self, angles: Real, start: Values) -> tuple[Values, tuple[Values, ...]]:
        """The last state, (2^q,), from the system's amplitudes `start`; and the matrices that `slopes` needs."""
        psi = np.zeros(self._bras.shape[1], dtype=self._bras.dtype)
        psi[: len(start)] = start
        matrices = self._matrices(angles)
        for step in self.ansatz.tape:
            if isinstance(step, np.ndarray):
                psi = psi * step
                continue
            qubit, slot = step
            _turn(psi, qubit, matrices[slot], self._kept[slot])
            psi = self._kept[slot, 0]
        return psi, matrices

    def slopes(self, bra: Values, matrices: tuple[Values, ...]) -> Real:
        """∂C/∂angles, (num_angles,), of a real C with δC = 2 Re⟨bra|δψ⟩, behind `forward`."""
        for step in reversed(self.ansatz.tape):
            if isinstance(step, np.ndarray):
                bra = bra * step
                continue
            qubit, slot = step
            self._bras[slot] = bra
            out = np.empty((1, len(bra)), dtype=bra.dtype)
            _turn(bra, qubit, matrices[slot][:1].conj().swapaxes(-1, -2), out)
            bra = out[0]
        each = 2 * np.real(self._kept[:, 1:] @ self._bras.conj()[:, :, None])[..., 0]
        return np.asarray(self.ansatz.mixing.T @ each).reshape(-1)

    @cached_property
    def _by_qubit(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for number, slot in enumerate(self.ansatz.slots):
            found.setdefault(slot.qubit, []).append(number)
        return found

    def _matrices(self, angles: Real) -> tuple[Values, ...]:
        """Of every slot R and its derivatives by its angles, on the qubit alone or on all qubits up to it."""
        used = self.ansatz.slot_angles(angles[:, None])[..., 0]
        c, s = np.cos(used[:, 0] / 2), np.sin(used[:, 0] / 2)
        R, D = np.array([[c, -s], [s, c]]).transpose(2, 0, 1), np.array([[-s, -c], [c, -s]]).transpose(2, 0, 1) / 2
        U: Values = np.stack([R, D], axis=1)
        if not self.ansatz.real:
            z = np.array([-0.5j, 0.5j])
            phases = np.exp(z * used[:, 1:])[:, None, :, None]
            U = phases * np.concatenate([U, z[:, None] * U[:, :1]], axis=1)
        found: list[Values] = [U[0]] * len(U)
        for qubit, slots in self._by_qubit.items():
            wide = _widened(U[slots], qubit) if qubit <= LOW else U[slots]
            for slot, matrix in zip(slots, wide, strict=True):
                found[slot] = matrix
        return tuple(found)


def _widened(U: Values, qubit: int) -> Values:
    """U ⊗ 1 on the qubits 0 … `qubit`."""
    d = 2**qubit
    full = U[..., :, None, :, None] * np.eye(d)[:, None, :]
    return np.ascontiguousarray(full.reshape(*U.shape[:-2], 2 * d, 2 * d))


def _turn(psi: Values, qubit: int, matrices: Values, out: Values) -> None:
    """Each of the matrices (k, a, a) on `psi` (2^q,), into `out` (k, 2^q)."""
    if qubit <= LOW:
        rows = psi.reshape(-1, 2 ** (qubit + 1))
        np.matmul(rows, matrices.swapaxes(-1, -2), out=out.reshape(len(out), *rows.shape))
    else:
        view = psi.reshape(-1, 2, 2**qubit)
        np.matmul(matrices[:, None], view, out=out.reshape(len(out), *view.shape))
