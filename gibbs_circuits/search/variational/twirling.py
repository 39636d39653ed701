"""Random symmetries in place of gates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from qiskit.quantum_info import Pauli, SparsePauliOp

from ...errors import ArgumentError, shown
from ...linalg.arrays import Values
from ...linalg.paulis import pauli_strings
from ...models.scale import without_debris
from .objectives import Preparation

INVARIANT = 1e-9


def symmetries(hamiltonian: SparsePauliOp) -> tuple[str, ...]:
    """Generators of the group of Pauli strings that commute with every term; they need not commute among themselves."""
    return tuple(pauli.to_label() for pauli in pauli_strings([without_debris(hamiltonian)]))


def twirled(rho: Values, labels: Sequence[str]) -> Values:
    """The mean over the group of matrices of shape (…, d, d); the map is its own adjoint."""
    index = np.arange(rho.shape[-1])
    for label in labels:
        pauli = Pauli(label)
        x, z = (int(sum(1 << q for q in np.flatnonzero(bits))) for bits in (pauli.x, pauli.z))
        signs = 1.0 - 2.0 * (np.bitwise_count(index & z) & 1)
        moved = (rho * np.outer(signs, signs))[..., index ^ x, :][..., index ^ x]
        rho = (rho + moved) / 2
    return rho


@dataclass(frozen=True, eq=False)
class TwirledPreparation(Preparation):
    """Distance to σ of the twirled state after one pass from a pure start.

    Twirled states and σ commute with the group, and so does the gradient: nothing else changes.

    Attributes:
        labels: Generators of the group.

    Raises:
        ArgumentError: If σ is not invariant.
    """

    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if np.max(np.abs(twirled(self.sigma, self.labels) - self.sigma)) > INVARIANT:
            fix = "use symmetries(model.hamiltonian)"
            raise ArgumentError("labels", "commute with σ", f"{shown(self.labels)} do not", fix)

    def _reduced(self, psi: Values) -> Values:
        return twirled(super()._reduced(psi), self.labels)
