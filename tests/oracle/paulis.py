"""Pauli sums as dense matrices; the rightmost letter of a label acts on qubit 0, the least significant bit."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Complex = NDArray[np.complex128]
Term = tuple[str, float]
ENTRIES: dict[str, tuple[tuple[complex, complex], tuple[complex, complex]]] = {
    "I": ((1, 0), (0, 1)), "X": ((0, 1), (1, 0)), "Y": ((0, -1j), (1j, 0)), "Z": ((1, 0), (0, -1)),
}  # fmt: skip


def pauli(label: str) -> Complex:
    out = np.ones((1, 1), dtype=complex)
    for letter in label:
        out = np.kron(out, np.array(ENTRIES[letter], dtype=complex))
    return out


def pauli_sum(terms: Iterable[Sequence[Any]], qubits: int) -> Complex:
    out = np.zeros((2**qubits, 2**qubits), dtype=complex)
    for label, coefficient in terms:
        out += complex(coefficient) * pauli(label)
    return out


def exponential(hermitian: Complex, factor: complex) -> Complex:
    """e^{factor · hermitian}."""
    values, vectors = np.linalg.eigh(hermitian)
    return np.asarray((vectors * np.exp(factor * values)) @ vectors.conj().T)


def gibbs(terms: Iterable[Sequence[Any]], qubits: int, beta: float) -> Complex:
    values, vectors = np.linalg.eigh(pauli_sum(terms, qubits))
    weights = np.exp(-beta * (values - values[0]))
    return np.asarray((vectors * (weights / weights.sum())) @ vectors.conj().T)


def trace_distance(a: Complex, b: Complex) -> float:
    difference = a - b
    return float(np.abs(np.linalg.eigvalsh((difference + difference.conj().T) / 2)).sum() / 2)
