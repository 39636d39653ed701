r"""Secular generators split into small blocks: X ↦ Σ_ν J_ν X J_ν† − ½{R, X} keeps E_i − E_j of every |i⟩⟨j| it meets.

So the d² × d² matrix is a direct sum over the Bohr frequencies ω of X, most of dimension one; the block of ω = 0 is the
classical master equation of the populations. Davies' gap and the commutant of {A_ν} are read off it at any size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...limits import LARGEST_BLOCK
from ...linalg.arrays import Matrix, Real

CHUNK = 4_000_000


@dataclass(frozen=True, eq=False)
class SecularSpectrum:
    """Decay rates −λ of all blocks, ascending, and which of them belong to ω = 0."""

    rates: Real
    still: np.ndarray  # the block ω = 0: operators that commute with H


def secular_spectrum(
    energies: Real, jumps: Sequence[Matrix], decay: Matrix, tolerance: float
) -> SecularSpectrum | None:
    """Eigenvalues of −D for Hermitian amplitudes J = √γ̃ ∘ A and R; None when a block is larger than 2200.

    R is that of the generator itself, whose elements between levels apart never enter.

    Time O(d³) for the populations plus the sum of the squares of the other block sizes.
    """
    d = energies.size
    nu = (energies[:, None] - energies[None, :]).ravel()
    order = np.argsort(nu, kind="stable")
    starts = np.concatenate([[0], np.flatnonzero(np.diff(nu[order]) > tolerance) + 1])
    sizes = np.diff(np.concatenate([starts, [d * d]]))
    if sizes.max() > LARGEST_BLOCK:
        return None
    rates, still = [], []
    for size in np.unique(sizes):
        same = starts[sizes == size]
        for part in np.array_split(same, int(same.size * size**2 // CHUNK) + 1):
            members = order[part[:, None] + np.arange(size)]
            values = _block_rates(members // d, members % d, jumps, decay)
            rates.append(values.ravel())
            zero = np.any(members == 0, axis=1)  # the class of ν_00 = 0
            still.append(np.broadcast_to(zero[:, None], values.shape).ravel())
    found = np.concatenate(rates)
    ascending = np.argsort(found)
    return SecularSpectrum(found[ascending], np.concatenate(still)[ascending])


def _block_rates(i: np.ndarray, j: np.ndarray, jumps: Sequence[Matrix], R: Matrix) -> Real:
    """Eigenvalues of the blocks whose members are |i⟩⟨j|, both of shape (blocks, size)."""
    rows, columns = (i[:, :, None], i[:, None, :]), (j[:, :, None], j[:, None, :])
    M = -sum(J[rows] * J[columns].conj() for J in jumps)
    M = M + 0.5 * (R[rows] * (columns[0] == columns[1]) + R[columns].conj() * (rows[0] == rows[1]))
    if i.shape[1] == 1:
        return np.asarray(M.real[:, :, 0])
    return np.asarray(np.linalg.eigvalsh(M))
