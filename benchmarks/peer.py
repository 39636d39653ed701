"""One other way to the state, and how its gates are counted."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from qiskit import QuantumCircuit, transpile
from scipy.sparse import SparseEfficiencyWarning

BASIS = ("cz", "rz", "sx", "x")


@dataclass(frozen=True)
class Peer:
    """Another way to the state.

    Attributes:
        name: Of the way.
        gates: CZ that meet the target; None where nothing that was tried meets it. A lower bound where `distance` is
            above the target, because a last search found a worse start, and `how` says so.
        distance: Of the program counted, or the smallest that was found.
        how: Its settings, and what was tried.
    """

    name: str
    gates: float | None
    distance: float
    how: str


def two_qubit_gates(qc: QuantumCircuit, level: int = 3) -> int:
    """CZ after transpilation, every pair connected."""
    with warnings.catch_warnings():  # Qiskit exponentiates sparse matrices in a format that scipy finds slow
        warnings.simplefilter("ignore", SparseEfficiencyWarning)
        done = transpile(qc, basis_gates=list(BASIS), optimization_level=level, seed_transpiler=1)
    return int(done.count_ops().get("cz", 0))
