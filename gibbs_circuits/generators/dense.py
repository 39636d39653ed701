"""A generator as dense matrices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..errors import ArgumentError
from ..linalg.arrays import Array, read_only
from ..linalg.channels import minimal_kraus, transfer
from .contact import Coherent, Symbolic
from .matrices import coherent_term, energy_spectrum, transition_superoperator


@dataclass(frozen=True, eq=False)
class DenseGenerator:
    r"""$\mathcal L(\rho) = -i[B,\rho] + \sum_j V_j\rho V_j^\dagger - \tfrac12\{S,\rho\}$ in the computational basis.

    Attributes:
        jumps: The fewest V_j that give the transition part, shape (J, dim, dim).
        coherent: B, or what the generator has in its place.
    """

    jumps: Array
    coherent: Array

    @property
    def decay(self) -> Array:
        """The decay operator S = Σ V_j†V_j, (dim, dim)."""
        return np.asarray(np.einsum("jki,jkl->il", self.jumps.conj(), self.jumps))

    @property
    def drift(self) -> Array:
        """The drift V₀ = −iB − S/2, (dim, dim): 𝓛(ρ) = Σ V_jρV_j† + V₀ρ + ρV₀†."""
        return np.asarray(-1j * self.coherent - self.decay / 2)

    @property
    def superoperator(self) -> Array:
        """𝓛 as a dim² × dim² matrix on column-stacked matrices."""
        one, drift = np.eye(len(self.coherent)), self.drift
        return np.asarray(transfer(self.jumps) + np.kron(one, drift) + np.kron(drift.conj(), one))


@lru_cache(maxsize=8)
def dense_generator(lindbladian: Symbolic) -> DenseGenerator:
    """The jumps of any positive kernel, from the Choi matrix of T, and its coherent term: B, or Davies' Lamb shift.

    Raises:
        ArgumentError: If T is not completely positive, or another kernel's Lamb shift is asked for.

    Accuracy: T to 1e-14 of its norm per jump left out. Time O(64**n).
    """
    s = energy_spectrum(lindbladian)
    if lindbladian.coherent is Coherent.LAMB_SHIFT and not lindbladian.secular:
        raise ArgumentError(
            "coherent", "be balance or none to be compiled, unless the shift commutes with H (davies)",
            f"the Lamb shift of {lindbladian.kind} does not", 'set coherent = "balance"',
        )  # fmt: skip
    jumps = minimal_kraus(s.map_from_energy(transition_superoperator(lindbladian)), lindbladian.kind)
    coherent = s.from_energy(coherent_term(lindbladian))
    return DenseGenerator(read_only(jumps), read_only(coherent))
