"""How fast a coupling turns under H."""

from __future__ import annotations

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from .lindbladian import Lindbladian


def local_frequency(generator: Lindbladian) -> float:
    """ν = max over couplings of ‖[H, A]‖₂/‖A‖₂, how fast a coupling turns; with ℓ₁ norms on more than 8 sites."""
    H = generator.model.hamiltonian
    worst = 0.0
    for contact in generator.contacts:
        A = contact.coupling
        moved = ~np.all([H.paulis.commutes(pauli) for pauli in A.paulis], axis=0)
        if not np.any(moved):
            continue
        part = H[moved]  # the rest of H commutes with A
        commutator = (part @ A - A @ part).simplify()
        worst = max(worst, _norm(commutator) / _norm(A))
    return worst


def _norm(operator: SparsePauliOp) -> float:
    acting = np.any(operator.paulis.x | operator.paulis.z, axis=0)
    sites = [int(q) for q in np.flatnonzero(acting)]
    if len(sites) > 8:
        return float(np.abs(operator.coeffs).sum())
    labels = [
        ("".join(label[len(label) - 1 - q] for q in reversed(sites)) or "I", c) for label, c in operator.to_list()
    ]
    return float(np.linalg.norm(SparsePauliOp.from_list(labels).to_matrix(), 2))
