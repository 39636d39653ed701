"""Density matrices of a circuit with gate errors as vectors of Pauli expectation values, forwards and back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...errors import ArgumentError, TooLargeError, check_real
from ...limits import MAX_ALIVE
from ...linalg.arrays import Array, Real, Values
from ...linalg.paulis import PAULIS
from .ansatz import Ansatz, Slot

PULSES = 2  # `sx` of a general one-qubit rotation
X, Y, Z = 1, 2, 3
PLANES = ((X, Z), (Y, X))  # of R_y and R_z: (a, b) → (a cos + b sin, b cos − a sin)
LETTERS = np.stack([PAULIS[letter] for letter in "IXYZ"])


@dataclass(frozen=True)
class _Enter:
    """An ancilla comes in as |0⟩, on the slowest axis."""


@dataclass(frozen=True)
class _Leave:
    """The ancilla whose axis has that stride is forgotten."""

    stride: int


@dataclass(frozen=True)
class _Turn:
    """A slot's rotation, and its noise."""

    stride: int
    slot: int


@dataclass(frozen=True, eq=False)
class _Gate:
    """A CZ and its noise: entry k is `factors[k]` times what was entry `rows[k]`. It is its own transpose."""

    rows: NDArray[np.intp]
    factors: Real


_Step = _Enter | _Leave | _Turn | _Gate


@dataclass(frozen=True, eq=False)
class NoisyCircuit:
    """One noisy sweep on vectors of Pauli expectations, shape (4^n, columns), the highest qubit slowest.

    Ancillas come in right before their first CZ and are forgotten right after their last, so that few are alive at
    once; in a layer bonds come before contacts, as in the program that is written.

    Attributes:
        ansatz: The circuit.
        p1, p2: Probabilities of depolarising, below 1.

    Raises:
        ArgumentError: If a probability is out of range.
        TooLargeError: If more than 9 qubits are in use at once; from `tape`.

    Memory: 4^q per column, q qubits at once, and as much again where gradients are taken.
    """

    ansatz: Ansatz
    p1: float
    p2: float

    def __post_init__(self) -> None:
        for name in ("p1", "p2"):
            if check_real(name, getattr(self, name), low=0.0) >= 1:
                found = f"the value is {getattr(self, name):g}"
                raise ArgumentError(name, "be a probability below 1", found, f"set {name} = 0.01")

    @cached_property
    def tape(self) -> tuple[_Step, ...]:
        """All operations in order of time."""
        ansatz, n = self.ansatz, self.ansatz.num_system
        number = {slot: k for k, slot in enumerate(ansatz.slots)}
        ahead = [sum(q in edge for layer in ansatz.layers for edge in layer) for q in range(ansatz.num_qubits)]
        alive, tape = list(range(n)), list[_Step]()
        for k in range(len(ansatz.layers) + 1):
            tape += [_Turn(4**at, number[slot]) for at, q in enumerate(alive) if (slot := Slot(q, k)) in number]
            for edge in sorted(ansatz.layers[k] if k < len(ansatz.layers) else (), key=lambda edge: max(edge) >= n):
                for q in edge:
                    if q not in alive:
                        tape += [_Enter(), _Turn(4 ** len(alive), number[Slot(q, k)])]
                        alive.append(q)
                if len(alive) > MAX_ALIVE:
                    raise TooLargeError(
                        f"A noisy fit holds {n} system qubits and {len(alive) - n} ancillas at once; the limit is "
                        f"{MAX_ALIVE} qubits. Fix: use a smaller model, or fit without noise."
                    )
                tape.append(_gate(alive.index(edge[0]), alive.index(edge[1]), len(alive), self.p2))
                for q in edge:
                    ahead[q] -= 1
                    if q >= n and not ahead[q]:
                        tape.append(_Leave(4 ** alive.index(q)))
                        alive.remove(q)
        return tuple(tape)

    @cached_property
    def alive(self) -> int:
        """Qubits in use at once, at most."""
        most = now = self.ansatz.num_system
        for step in self.tape:
            now += isinstance(step, _Enter) - isinstance(step, _Leave)
            most = max(most, now)
        return most

    def forward(self, angles: Real, x: Real, forgotten: list[Real]) -> Real:
        """The state after the sweep at slot angles (slots, angles per slot, columns).

        What goes with the ancillas is added to `forgotten`, for the way back.
        """
        x = x.copy()
        for step in self.tape:
            match step:
                case _Turn():
                    view = _axis(x, step.stride)
                    for plane, angle in zip(PLANES, angles[step.slot], strict=False):
                        _rotate(view, plane, angle)
                    view[:, 1:] *= self._pulses
                case _Gate():
                    x = x[step.rows] * step.factors[:, None]
                case _Enter():
                    x = np.concatenate([x, np.zeros((2 * len(x), x.shape[1])), x])
                case _Leave():
                    view = _axis(x, step.stride)
                    forgotten.append(view[:, 1:].copy())
                    x = view[:, 0].reshape(-1, x.shape[1])
        return x

    def backward(self, angles: Real, x: Real, bra: Real, forgotten: list[Real]) -> tuple[Real, Real, Real]:
        """∂C/∂angles, shaped like them; x and `bra` = ∂C/∂x before the sweep, from those after it."""
        slopes, x, bra = np.zeros_like(angles), x.copy(), bra.copy()
        for step in reversed(self.tape):
            match step:
                case _Turn():
                    ket, dual = _axis(x, step.stride), _axis(bra, step.stride)
                    ket[:, 1:] /= self._pulses
                    dual[:, 1:] *= self._pulses
                    for k in reversed(range(angles.shape[1])):
                        a, b = PLANES[k]
                        slopes[step.slot, k] = _dot(dual[:, a], ket[:, b]) - _dot(dual[:, b], ket[:, a])
                        for view in (ket, dual):
                            _rotate(view, (a, b), -angles[step.slot, k])
                case _Gate():
                    x = x[step.rows] / step.factors[:, None]
                    bra = bra[step.rows] * step.factors[:, None]
                case _Enter():
                    x, bra = x[: len(x) // 4].copy(), bra[: len(x) // 4] + bra[-(len(x) // 4) :]
                case _Leave():
                    x, bra = (_with_identity(small, step.stride) for small in (x, bra))
                    _axis(x, step.stride)[:, 1:] = forgotten.pop()
        return slopes, x, bra

    @property
    def _pulses(self) -> float:
        return float((1 - self.p1) ** PULSES)


def _axis(x: Real, stride: int) -> Real:
    return x.reshape(-1, 4, stride, x.shape[1])


def _rotate(view: Real, plane: tuple[int, int], angle: Real) -> None:
    """Turns two letters into each other, in place."""
    (a, b), cosine, sine = plane, np.cos(angle), np.sin(angle)
    first, second = view[:, a].copy(), view[:, b]
    view[:, a] = cosine * first + sine * second
    view[:, b] = cosine * second - sine * first


def _dot(a: Real, b: Real) -> Real:
    return np.asarray(np.einsum("hlc,hlc->c", a, b))


def _with_identity(x: Real, stride: int) -> Real:
    large = np.zeros((4 * len(x), x.shape[1]))
    _axis(large, stride)[:, 0] = x.reshape(-1, stride, x.shape[1])
    return large


def _gate(one: int, other: int, qubits: int, p2: float) -> _Gate:
    """X or Y on a qubit multiplies the other's letter by Z, which is letter 3 − k; XY and YX change sign."""
    index = np.arange(4**qubits)
    a, b = (index >> 2 * one) & 3, (index >> 2 * other) & 3
    turns_a, turns_b = (b == X) | (b == Y), (a == X) | (a == Y)
    rows = index + (np.where(turns_a, 3 - 2 * a, 0) << 2 * one) + (np.where(turns_b, 3 - 2 * b, 0) << 2 * other)
    signs = np.where(turns_a & turns_b & (a != b), -1.0, 1.0)
    return _Gate(rows, signs * np.where((a == 0) & (b == 0), 1.0, 1 - p2))


def vectors_of(rho: Values) -> Real:
    """x_P = Tr(Pρ) of Hermitian matrices, (columns, d, d) → (4^n, columns)."""
    count, n = len(rho), rho.shape[-1].bit_length() - 1
    y = rho.reshape(count, *(2,) * 2 * n)
    for k in range(n):
        y = np.tensordot(y, LETTERS, axes=([1, 1 + n - k], [2, 1]))
    return np.ascontiguousarray(y.reshape(count, -1).T.real)


def matrices_of(x: Real) -> Array:
    """ρ = 2^−n Σ x_P P, (4^n, columns) → (columns, d, d)."""
    n = (len(x).bit_length() - 1) // 2
    y = x.reshape(*(4,) * n, -1).astype(complex)
    for _ in range(n):
        y = np.tensordot(y, LETTERS / 2, axes=([0], [0]))
    return np.asarray(y.transpose(0, *range(1, 2 * n, 2), *range(2, 2 * n + 1, 2)).reshape(-1, 2**n, 2**n))
