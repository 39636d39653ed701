"""Pauli strings as labels and as operations on vectors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np
from numpy.typing import NDArray
from qiskit.quantum_info import Pauli, SparsePauliOp

from .arrays import Array, Matrix, Real, read_only


def sites_of(label: str) -> frozenset[int]:
    """The qubits a Pauli string acts on."""
    return frozenset(len(label) - 1 - k for k, letter in enumerate(label) if letter != "I")


Term = tuple[str, float]
PAULIS: dict[str, Array] = {
    letter: read_only(np.asarray(Pauli(letter).to_matrix(), dtype=complex)) for letter in "IXYZ"
}
PAIRS = {"X": ("Z", "Y"), "Y": ("X", "Z"), "Z": ("Y", "X")}  # A and B to every S


def weight(label: str) -> int:
    """Number of qubits a Pauli string acts on."""
    return len(label) - label.count("I")


def pauli_strings(terms: list[SparsePauliOp]) -> list[Pauli]:
    """Generators of all Pauli strings that commute with every term, as GF(2) null vectors of the symplectic form."""
    checks = np.vstack([np.hstack([A.paulis.z, A.paulis.x]) for A in terms]).astype(np.uint8)
    width = checks.shape[1]
    M, pivots = checks.copy(), []
    row = 0
    for column in range(width):
        hits = np.flatnonzero(M[row:, column]) + row
        if not hits.size:
            continue
        M[[row, hits[0]]] = M[[hits[0], row]]
        for other in np.flatnonzero(M[:, column]):
            if other != row:
                M[other] ^= M[row]
        pivots.append(column)
        row += 1
        if row == len(M):
            break
    free = [c for c in range(width) if c not in pivots]
    found = []
    for c in free:
        vector = np.zeros(width, dtype=bool)
        vector[c] = True
        for r, pivot in enumerate(pivots):
            vector[pivot] = bool(M[r, c])
        found.append(Pauli((vector[width // 2 :], vector[: width // 2])))
    return found


def _applied(operator: SparsePauliOp, vectors: Matrix, odd: int) -> Matrix:
    """A V, or A V / i where every string has an odd number of Y; Pauli strings only move rows and turn their signs."""
    rows, total = np.arange(vectors.shape[0]), np.zeros(vectors.shape)
    powers = 1 << np.arange(operator.num_qubits)
    for x, z, coefficient in zip(operator.paulis.x, operator.paulis.z, operator.coeffs, strict=True):
        source = rows ^ int(x @ powers)
        signs = 1 - 2 * (np.bitwise_count(source & int(z @ powers)) % 2).astype(float)
        turns = (int(np.sum(x & z)) - odd) // 2  # i^{#Y} = (−1)^turns, times i where odd
        total += (float(coefficient.real) * (-1) ** turns * signs)[:, None] * vectors[source]
    return total


@dataclass(frozen=True)
class PauliString:
    """P|s⟩ = i^y (−1)^{z·s} |s ⊕ x⟩ with x, z as bit masks and y the number of letters Y."""

    x: int
    z: int
    y: int

    @classmethod
    def of(cls, label: str) -> PauliString:
        """From a label whose rightmost letter is qubit 0."""
        masks = [sum(1 << q for q, letter in enumerate(reversed(label)) if letter in kind) for kind in ("XY", "YZ")]
        return cls(masks[0], masks[1], label.count("Y"))

    def rows(self, dim: int) -> np.ndarray:
        """Where row s of Pψ comes from."""
        return np.arange(dim) ^ self.x

    def phases(self, dim: int) -> Array:
        """What it is multiplied with."""
        return cast(Array, 1j**self.y * signs(self.rows(dim) & self.z))


def signs(masked: np.ndarray) -> Real:
    """(−1)^{number of ones}."""
    return np.asarray(1.0 - 2.0 * (np.bitwise_count(masked) & 1))


Rows = tuple[NDArray[np.intp] | None, Array]


@lru_cache(maxsize=4096)
def pauli_rows(label: str) -> Rows:
    """(source, value) with (P M)[i] = value[i] M[source[i]]; source None: the string is diagonal."""
    pauli, dim = PauliString.of(label), 2 ** len(label)
    return (read_only(pauli.rows(dim)) if pauli.x else None), read_only(pauli.phases(dim))


def pauli_times(label: str, M: Array) -> Array:
    """P M, along the first axis of M; O(size of M)."""
    source, value = pauli_rows(label)
    return (M if source is None else M[source]) * value.reshape(-1, *(1,) * (M.ndim - 1))


def majoranas(label: str, letter: str) -> tuple[complex, tuple[int, ...]]:
    r"""A Pauli string as $c\,w_{a_1}\cdots w_{a_m}$, ascending: c and the a's.

    $w_{2j} = S_0\cdots S_{j-1}A_j$ and $w_{2j+1} = S_0\cdots S_{j-1}B_j$ with AB = −iS, and
    $S_j = iw_{2j}w_{2j+1}$.

    Args:
        label: Letters I, X, Y, Z, the rightmost being qubit 0.
        letter: S of the transformation.
    """
    first, second = PAIRS[letter]
    phase, found, above = 1 + 0j, list[int](), 0  # letters A and B on higher qubits: each brings an S
    for j, one in reversed(list(enumerate(reversed(label)))):
        odd = above % 2 == 1
        if (one == "I") == odd and one in ("I", letter):
            phase *= 1j
            found[:0] = (2 * j, 2 * j + 1)
        elif one in (first, second):
            above += 1
            phase *= 1 if not odd else 1j if one == first else -1j
            found.insert(0, 2 * j + ((one == second) != odd))
    return phase, tuple(found)
