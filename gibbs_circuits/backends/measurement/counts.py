"""Observables from counts: which bases are measured, and what their outcomes say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ...limits import MAX_COMPARED_LETTERS
from ...linalg.arrays import Real


def measurement_bases(observables: Mapping[str, SparsePauliOp]) -> tuple[str, ...]:
    """Product bases (letters X, Y, Z; leftmost = highest qubit) that between them measure every term."""
    labels = sorted({label for op in observables.values() for label in op.paulis.to_labels()})
    labels = [label for label in labels if set(label) != {"I"}]
    if not labels:
        return ()
    if len(labels) ** 2 * len(labels[0]) > MAX_COMPARED_LETTERS:
        return _in_order(labels)
    groups = SparsePauliOp(labels).group_commuting(qubit_wise=True)
    return tuple(
        "".join(next((c for c in column if c != "I"), "Z") for column in zip(*group.paulis.to_labels(), strict=True))
        for group in groups
    )


def _in_order(labels: Sequence[str]) -> tuple[str, ...]:
    """Every string joins the first basis it fits, the long ones first; linear in the letters, for many strings."""
    bases: list[list[str]] = []
    acting = {label: [(q, c) for q, c in enumerate(label) if c != "I"] for label in labels}
    for label in sorted(labels, key=lambda label: -len(acting[label])):
        letters = acting[label]
        basis = next((one for one in bases if all(one[q] in ("I", c) for q, c in letters)), None)
        if basis is None:
            bases.append(basis := ["I"] * len(label))
        for q, c in letters:
            basis[q] = c
    return tuple("".join(basis).replace("I", "Z") for basis in bases)


def covers(basis: str, label: str) -> bool:
    """Whether a Pauli string can be read off in a product basis."""
    return all(letter in ("I", measured) for letter, measured in zip(label, basis, strict=True))


def parity_mean(counts: Mapping[str, float], label: str, flips: Real | None = None) -> float:
    """Mean of the product of ±1 outcomes on the qubits a Pauli string acts on.

    Args:
        counts: Bit strings (rightmost = qubit 0) with their counts or weights.
        label: The Pauli string.
        flips: P(1|0) and P(0|1) of every qubit: ±1 are replaced by the two numbers whose mean over misread outcomes is
            the true ±1, which undoes independent readout errors in the mean.
    """
    signs = [(1.0, -1.0)] * len(label) if flips is None else [_unflipped(*pair) for pair in reversed(flips)]
    acting = [(i, signs[i]) for i, letter in enumerate(label) if letter != "I"]
    summed = sum(c * math.prod(sign[bits[i] == "1"] for i, sign in acting) for bits, c in counts.items())
    return float(summed / sum(counts.values()))


def _unflipped(up: float, down: float) -> tuple[float, float]:
    """What to count a read 0 and a read 1 as, so that the mean is 1 for |0⟩ and −1 for |1⟩."""
    scale = 1 - up - down
    return (1 - down + up) / scale, -(1 - up + down) / scale


def from_counts(
    observable: SparsePauliOp,
    bases: Sequence[str],
    counts: Sequence[Mapping[str, float]],
    flips: Real | None = None,
) -> float:
    """⟨O⟩ = Σ c_k ⟨P_k⟩; a term that several bases cover is averaged over them. `flips` as for `parity_mean`."""
    value = 0.0
    for label, coefficient in observable.to_list():
        if set(label) == {"I"}:
            value += float(coefficient.real)
            continue
        means = [parity_mean(c, label, flips) for basis, c in zip(bases, counts, strict=True) if covers(basis, label)]
        value += float(coefficient.real) * float(np.mean(means))
    return value


def shot_error(
    observable: SparsePauliOp,
    bases: Sequence[str],
    weights: Sequence[Mapping[str, float]],
    shots: int,
    flips: Real | None = None,
) -> float:
    """Standard error of `from_counts` over independent shots with known outcome probabilities, per basis `shots`."""
    labels = [(label, c.real) for label, c in observable.to_list() if set(label) != {"I"}]
    times = {label: sum(covers(basis, label) for basis in bases) for label, _ in labels}
    variance = 0.0
    for basis, chances in zip(bases, weights, strict=True):
        read = [(label, c / times[label]) for label, c in labels if covers(basis, label)]
        value = {bits: sum(c * parity_mean({bits: 1.0}, label, flips) for label, c in read) for bits in chances}
        mean = sum(p * value[bits] for bits, p in chances.items())
        variance += sum(p * (value[bits] - mean) ** 2 for bits, p in chances.items()) / shots
    return float(np.sqrt(variance))
