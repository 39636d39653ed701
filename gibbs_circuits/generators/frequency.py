"""How fast a coupling turns under H, and the unit that rates come in."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from qiskit.quantum_info import PauliList, SparsePauliOp

from ..linalg.overlap import Overlaps
from ..models.scale import SAME, merged, size
from .lindbladian import Lindbladian


@lru_cache(maxsize=16)  # of one generator it is asked for several times
def local_frequency(generator: Lindbladian) -> float:
    """ν = max over couplings of ‖[H, A]‖₂/‖A‖₂, how fast a coupling turns; with ℓ₁ norms on more than 8 sites."""
    H = generator.model.hamiltonian
    terms = Overlaps(H.paulis.to_labels())  # every coupling looks at the terms on its own sites only
    worst = 0.0
    for contact in generator.contacts:
        A = contact.coupling
        moved = sorted({k for label in A.paulis.to_labels() for k in terms.anticommuting(label)})
        if not moved:
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
    sites = sites or [0]
    few = PauliList.from_symplectic(operator.paulis.z[:, sites], operator.paulis.x[:, sites])
    return float(np.linalg.norm(SparsePauliOp(few, operator.coeffs).to_matrix(), 2))


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
