"""How many steady states there are: the dimension of the commutant of the A_ν, a rank without β."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..generators import Lindbladian
from ..generators.catalogue import DEGENERACY_TOLERANCE, bandwidth
from ..generators.matrices import MAX_SUPEROPERATOR_QUBITS, energy_spectrum, in_energy_basis, superoperator
from ..kernels import Secular
from ..spectrum import Array
from .gap import dense_decay_rates
from .secular import secular_spectrum

RANK_TOLERANCE = 1e-12  # of squared commutator norms
NULL_TOLERANCE = 1e-10  # of singular values


@lru_cache(maxsize=32)
def steady_state_counts(lindbladian: Lindbladian) -> tuple[int | None, int | None]:
    r"""Dimension of {X : [X, A_ν] = 0 for all A_ν of non-zero weight}, without and with [X, H] = 0.

    Null vectors of $\sum_\nu [A_\nu^\dagger, [A_\nu, X]]$, which keeps the Bohr frequency of X: with H means the block
    of frequency zero. At β = 0 a jump does not resolve ν, and the count without H is that of 𝓛 = 𝓛† itself.
    None where a block is too large.
    """
    s = energy_spectrum(lindbladian)
    nu = s.bohr_frequencies
    jumps = []
    for contact in lindbladian.contacts:
        A = in_energy_basis(contact.coupling, s)
        alive = contact.kernel.support(nu)
        alive = alive & alive.T  # A_ν and A_−ν are adjoints; the set is closed under adjoints
        J = np.where(alive, A, 0.0)
        if np.any(J):
            jumps.append(J / np.linalg.norm(J))
    if not jumps:
        return s.dim**2, s.dim + int(_degenerate_pairs(s.energies, lindbladian))
    tolerance = DEGENERACY_TOLERANCE * bandwidth(lindbladian.bohr_model)
    found = secular_spectrum(s.energies, jumps, np.asarray(sum(J.conj().T @ J for J in jumps)), tolerance)
    if found is None:
        return None, None
    n = lindbladian.model.num_qubits
    zero = found.rates <= RANK_TOLERANCE * max(float(found.rates[-1]), 1e-300)
    still: int | None = int(np.count_nonzero(zero & found.still))
    if lindbladian.frame is not None:  # H does not commute with what the A_ν resolve
        still = _nullity(superoperator(lindbladian, hamiltonian=True)) if n <= MAX_SUPEROPERATOR_QUBITS else None
    unresolved = all(c.beta == 0 and not isinstance(c.kernel, Secular) for c in lindbladian.contacts)
    if not unresolved:
        return int(np.count_nonzero(zero)), still
    if n > MAX_SUPEROPERATOR_QUBITS:
        return None, still
    rates = dense_decay_rates(lindbladian, balanced=True)
    return int(np.count_nonzero(rates <= RANK_TOLERANCE * rates[-1])), still


def _nullity(L: Array) -> int:
    values = np.linalg.svd(L, compute_uv=False)
    return int(np.count_nonzero(values <= NULL_TOLERANCE * values[0]))


def _degenerate_pairs(energies: np.ndarray, lindbladian: Lindbladian) -> int:
    tolerance = DEGENERACY_TOLERANCE * bandwidth(lindbladian.bohr_model)
    near = np.abs(energies[:, None] - energies[None, :]) <= tolerance
    return int(np.count_nonzero(near)) - energies.size
