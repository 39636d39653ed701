"""Quantum channels as matrices: transfer, Kraus, isometry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse.linalg
from numpy.typing import NDArray

from ..errors import ArgumentError
from .arrays import Array

SMALLEST = 1e-14  # of the largest Choi eigenvalue; what is below is rounding
NEGATIVE = 1e-10
SAME_WEIGHT = 1e-8  # relative difference of two Choi eigenvalues that counts as none
EQUALLY = 1e-6  # relative difference of two norms that counts as none


def transfer(kraus: NDArray[Any]) -> Array:
    """Σ_m K̄_m ⊗ K_m of a stack of operators: ρ → Σ K_m ρ K_m† on column-stacked matrices."""
    count, d, _ = kraus.shape
    flat = kraus.reshape(count, d * d)
    return np.asarray((flat.conj().T @ flat).reshape(d, d, d, d).transpose(0, 2, 1, 3).reshape(d * d, d * d))


def minimal_kraus(superoperator: NDArray[Any], kind: str = "the map") -> Array:
    r"""The fewest operators with $\sum_m K_m\rho K_m^\dagger$, the largest first, from the Choi matrix.

    Args:
        superoperator: A completely positive map as a dim² × dim² matrix on column-stacked matrices.
        kind: What to call it in a complaint.

    Returns:
        Shape (rank, dim, dim), orthogonal to each other in the Hilbert–Schmidt product to 1e-8. They are functions of
        the map: neither the phase of an eigenvector nor the mixture of those of one eigenvalue is left to rounding.

    Raises:
        ArgumentError: If it is not completely positive.

    References:
        Choi, Linear Algebra Appl. 10, 285.
    """
    d = round(len(superoperator) ** 0.5)
    choi = superoperator.reshape(d, d, d, d).transpose(1, 3, 0, 2).reshape(d * d, d * d)
    weights, vectors = scipy.linalg.eigh((choi + choi.conj().T) / 2)
    largest = float(np.max(np.abs(weights)))
    if weights[0] < -NEGATIVE * largest:
        raise ArgumentError("kind", "be completely positive to become a circuit", f"{kind} is not", 'use kind = "dll"')
    kept = weights > SMALLEST * largest
    rows, weights = (vectors[:, kept] * np.sqrt(weights[kept])).T[::-1], weights[kept][::-1]
    apart = np.flatnonzero(weights[:-1] - weights[1:] > SAME_WEIGHT * weights[:-1]) + 1
    parts = [_settled(part) for part in np.split(rows, apart) if len(part)]
    return np.concatenate([np.empty((0, d * d), dtype=complex), *parts]).reshape(-1, d, d)


def _settled(rows: Array) -> Array:
    """Vectors of one eigenvalue, which a diagonaliser mixes as it likes, in the mixture that their span decides.

    The first alone has the entry in which they are largest together, real and > 0, and so on: a QR decomposition whose
    pivots are, among entries of one size, the first.
    """
    count, entries = rows.shape
    first = 1 - EQUALLY * np.arange(entries) / entries
    _, order = scipy.linalg.qr(rows * first, mode="r", pivoting=True)
    Q, R = np.linalg.qr(rows[:, order[:count]])
    heads = np.diagonal(R)
    return np.asarray((heads.conj() / np.abs(heads))[:, None] * (Q.conj().T @ rows), dtype=complex)


def ancillas_for(operators: int) -> int:
    """⌈log₂⌉ of the number of operators that an ancilla register has to tell apart."""
    return (operators - 1).bit_length()


def isometry(kraus: Sequence[Array] | Array, num_ancilla: int) -> Array:
    """Σ_m |m⟩ ⊗ K_m, shape (2^m · dim, dim): its columns made orthonormal to rounding (polar decomposition)."""
    stack = np.asarray(kraus, dtype=complex)
    d = stack.shape[-1]
    V = np.zeros((2**num_ancilla * d, d), dtype=complex)
    V[: len(stack) * d] = stack.reshape(-1, d)
    left, _, right = scipy.linalg.svd(V, full_matrices=False)
    return np.asarray(left @ right)


def completed(V: Array) -> Array:
    """A unitary whose first columns are V.

    The others are basis states less what is spanned already, always the one that is farthest outside; of those that are
    equally far the first, so that the last bits of V decide nothing: what is written depends on the completion where a
    block is undone after a measurement.
    """
    made = np.asarray(V, dtype=complex)
    while made.shape[1] < len(made):
        outside = np.eye(len(made)) - made @ made.conj().T
        far = np.linalg.norm(outside, axis=0)
        column = outside[:, int(np.flatnonzero(far > (1 - EQUALLY) * np.max(far))[0])]
        column = column - made @ (made.conj().T @ column)  # once more: twice is enough
        made = np.column_stack([made, column / np.linalg.norm(column)])
    return made


def in_random_ancilla_basis(V: Array, num_system: int) -> Array:
    """(Q ⊗ 1) V, Q a fixed random unitary on the ancillas: they are reset, so that the channel is the same.

    No ancilla value is rare then, which one of the two syntheses that are tried needs: with Kraus operators as small as
    1e-5 Qiskit's of columns was wrong by 1e-9 and more, and by 1e-13 in this basis.
    """
    from scipy.stats import unitary_group  # loaded when used

    values = len(V) >> num_system
    Q = unitary_group.rvs(values, random_state=np.random.default_rng(0)) if values > 1 else np.eye(1)
    return np.asarray(np.kron(Q, np.eye(2**num_system)) @ V)


def exponential(hamiltonian: Array, time: float) -> Array:
    """e^{−iHt}."""
    energies, vectors = scipy.linalg.eigh(hamiltonian)
    return np.asarray((vectors * np.exp(-1j * time * energies)) @ vectors.conj().T)


def largest_singular_value(matrix: Array) -> float:
    """‖·‖ of a square matrix: dense up to 256 × 256, Lanczos from a fixed start above."""
    if matrix.shape[0] <= 256:
        return float(np.linalg.norm(matrix, 2))
    start = np.asarray(np.random.default_rng(0).standard_normal(matrix.shape[0]), dtype=np.complex128)
    return float(scipy.sparse.linalg.svds(matrix, k=1, v0=start, return_singular_vectors=False)[0])
