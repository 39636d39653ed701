"""Many state vectors at once: what acts on arrays (…, 2^n, batch), one state per column, ancilla axes in front.

With the batch last, a gate on any qubits is one matrix product and every elementwise pass runs along memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ...linalg.arrays import Array, Real

PANEL = 512  # numbers per row of a matrix product, so that its panel stays in the first cache
Kernel = Callable[[Array], Array]  # may overwrite its argument


@dataclass(frozen=True, eq=False)
class Phases:
    """A diagonal unitary, applied in place."""

    values: Array  # (2^n, 1)

    def __call__(self, psi: Array) -> Array:
        psi *= self.values
        return psi


@dataclass(frozen=True, eq=False)
class Block:
    """A real matrix on neighbouring qubits `low`, `low` + 1, …: half the work of a complex one."""

    matrix: Real
    low: int

    def __call__(self, psi: Array) -> Array:
        """One matrix product per panel of columns."""
        size, batch = len(self.matrix), psi.shape[-1]
        width, panels = 2 * batch << self.low, 1
        while width > PANEL and panels < 1 << self.low:
            width, panels = width // 2, 2 * panels
        shape = (-1, size, panels, width)
        out = np.empty_like(psi)
        into = out.view(np.float64).reshape(shape).swapaxes(1, 2)
        np.matmul(self.matrix, psi.view(np.float64).reshape(shape).swapaxes(1, 2), out=into)
        return out


@dataclass(frozen=True, eq=False)
class Rotation:
    """exp(−iθP) of one Pauli string."""

    rows: np.ndarray
    weights: Array  # −i sin θ times the phases of P, (2^n, 1)
    cosine: float

    def __call__(self, psi: Array) -> Array:
        """Cos θ ψ − i sin θ Pψ."""
        other = np.take(psi, self.rows, axis=-2)
        other *= self.weights
        psi *= self.cosine
        psi += other
        return psi


@dataclass(frozen=True, eq=False)
class Dense:
    """A matrix on the whole system, (2^n, 2^n)."""

    matrix: Array

    def __call__(self, psi: Array) -> Array:
        return np.asarray(self.matrix @ psi)


def apply(kernels: Sequence[Kernel], psi: Array) -> Array:
    """One after the other; `psi` may be overwritten."""
    for kernel in kernels:
        psi = kernel(psi)
    return psi


def weight(psi: Array) -> Real:
    """Σ|ψ|² of every column of (rows, batch)."""
    flat = psi.view(np.float64)
    return np.asarray(np.einsum("xb,xb->b", flat, flat).reshape(-1, 2).sum(axis=1))


def expectation(operator: SparsePauliOp) -> Callable[[Array], Real]:
    """⟨O⟩ of every column of (2^n, batch), O Hermitian; a real O costs half."""
    matrix = operator.to_matrix(sparse=True).tocsr()
    if not operator.paulis.x.any():
        diagonal = matrix.diagonal().real

        def of_diagonal(psi: Array) -> Real:
            flat = psi.view(np.float64)
            return np.asarray((diagonal @ (flat * flat)).reshape(-1, 2).sum(axis=1))

        return of_diagonal
    real = not np.any(matrix.data.imag)
    used = matrix.real if real else matrix

    def of_matrix(psi: Array) -> Real:
        moved = (used @ psi.view(np.float64)) if real else (used @ psi).view(np.float64)
        return np.asarray(np.einsum("xb,xb->b", moved, psi.view(np.float64)).reshape(-1, 2).sum(axis=1))

    return of_matrix
