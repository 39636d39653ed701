"""How fast a coupling turns under H, and the unit that rates come in."""

from __future__ import annotations

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ..models.scale import SAME, merged, size
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
        commutator = merged(part @ A - A @ part)
        if size(commutator) <= SAME * size(part) * size(A):  # terms that cancel, but for rounding
            continue
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


def time_unit(generator: Lindbladian) -> float:
    """One over the size of H: the unit of times in which H turns anything; 1 where H is a multiple of the identity."""
    return 1 / (size(generator.model.hamiltonian) or 1.0)


def rate_unit(generator: Lindbladian) -> float:
    """The unit of the rates: the largest ‖A‖² of a coupling, times the peak of its bath where it has one.

    1 for Pauli couplings and a filter, whose rates have no unit; strength/β for an ohmic bath. A time of the generator
    is long or short against its inverse, never against 1.
    """
    return max(
        size(contact.coupling) ** 2 * max((bath.peak for bath in contact.baths), default=1.0)
        for contact in generator.contacts
    )
