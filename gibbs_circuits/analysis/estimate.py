"""Observables from counts or states, with intervals that contain the scatter between realisations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.stats
from qiskit.quantum_info import SparsePauliOp

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A value with its two-sided 95 % interval, and the exact one where it is known."""

    value: float
    low: float
    high: float
    exact: float | None = None


def measurement_bases(observables: Mapping[str, SparsePauliOp]) -> tuple[str, ...]:
    """Product bases (letters X, Y, Z; leftmost = highest qubit) that between them measure every term."""
    labels = sorted({label for op in observables.values() for label in op.paulis.to_labels()})
    labels = [label for label in labels if set(label) != {"I"}]
    if not labels:
        return ()
    groups = SparsePauliOp(labels).group_commuting(qubit_wise=True)
    return tuple(
        "".join(next((c for c in column if c != "I"), "Z") for column in zip(*group.paulis.to_labels(), strict=True))
        for group in groups
    )


def covers(basis: str, label: str) -> bool:
    """Whether a Pauli string can be read off in a product basis."""
    return all(letter in ("I", measured) for letter, measured in zip(label, basis, strict=True))


def parity_mean(counts: Mapping[str, int], label: str) -> float:
    """Mean of the product of ±1 outcomes on the qubits a Pauli string acts on."""
    total = sum(counts.values())
    acting = [i for i, letter in enumerate(label) if letter != "I"]
    return float(sum(c * (-1) ** sum(bits[i] == "1" for i in acting) for bits, c in counts.items()) / total)


def from_counts(observable: SparsePauliOp, bases: Sequence[str], counts: Sequence[Mapping[str, int]]) -> float:
    """⟨O⟩ = Σ c_k ⟨P_k⟩; a term that several bases cover is averaged over them."""
    value = 0.0
    for label, coefficient in observable.to_list():
        if set(label) == {"I"}:
            value += float(coefficient.real)
            continue
        means = [parity_mean(c, label) for basis, c in zip(bases, counts, strict=True) if covers(basis, label)]
        value += float(coefficient.real) * float(np.mean(means))
    return value


def interval(blocks: Sequence[float], exact: float | None = None) -> Estimate:
    """Mean of independent blocks with Student's interval, N − 1 degrees of freedom."""
    values = np.asarray(blocks, dtype=float)
    mean = float(values.mean())
    if values.size < 2:
        return Estimate(mean, mean, mean, exact)
    half = float(scipy.stats.t.ppf(0.5 + CONFIDENCE / 2, values.size - 1) * values.std(ddof=1) / np.sqrt(values.size))
    return Estimate(mean, mean - half, mean + half, exact)
