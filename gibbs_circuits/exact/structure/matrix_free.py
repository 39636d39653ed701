r"""A generator on Hermitian matrices as a map of real d × d matrices, for every kernel and without its d² × d² matrix.

A Hermitian X is packed as the real $M = \mathrm{Re}X + \mathrm{Im}X$: its symmetric part is Re X, its antisymmetric
part Im X, and the Frobenius norm is the same. With real jumps J in the energy basis and $G = G_r - iK$, K symmetric,

$M \mapsto \sum_b J_bMJ_b^T + G_rM + MG_r^T - (KM^T - M^TK) - \nu\circ M^T$,

half the work of complex matrices; the last term is −i[H, ·]. Davies' transition part is a sparse matrix, as it joins
|i⟩⟨j| and |k⟩⟨l| only where $E_i - E_k = E_j - E_l$.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse

from ...generators.contact import Coherent
from ...generators.kernels.base import Pair
from ...generators.lindbladian import Lindbladian
from ...generators.matrices import (
    balance_term,
    by_kernel,
    energy_matrix,
    energy_spectrum,
    in_energy_basis,
    lamb_shift,
)
from ...linalg.arrays import Array, Matrix, Real, packed, unpacked
from .action import sandwich as sandwich_of


@dataclass(frozen=True, eq=False)
class Flow:
    """A generator on packed matrices in the energy basis.

    Attributes:
        apply: M ↦ 𝓛(M) on flat vectors of length d², of packed matrices row by row.
        dim: d.
        coherences: Diagonal elements of 𝓛, complex, (d, d): what multiplies |i⟩⟨j|.
        rates: The classical part, (d, d): populations to populations.
    """

    apply: Callable[[Real], Real]
    dim: int
    coherences: Array
    rates: Real

    def matrix(self) -> Real:
        """The real d² × d² matrix; memory 8 · 16**n bytes."""
        return np.stack([self.apply(column) for column in np.eye(self.dim**2)], axis=1)


def generator_flow(lindbladian: Lindbladian, *, hamiltonian: bool = True) -> Flow:
    r"""$\mathcal L$, with `hamiltonian` $\mathcal L - i[H, \cdot]$, in the energy basis of the generator.

    Raises:
        TooLargeError: If Davies' generator has more than 30 million entries, or a Lamb shift is asked of > 8 qubits.

    Cost: one application 4 · jumps · 8**n flops where matrices are real, 4 times more otherwise.
    """
    s = energy_spectrum(lindbladian)
    nu = s.bohr_frequencies
    parts = [
        (kernel.beta, kernel.transitions([in_energy_basis(contact.coupling, s) for contact in contacts], nu))
        for kernel, contacts in by_kernel(lindbladian)
    ]
    pairs = [pair for _, part in parts for pair in part.pairs]
    matrices = [part.sparse for _, part in parts if part.sparse is not None]
    sparse = sum(matrices[1:], matrices[0]) if matrices else None
    drift: Matrix = np.asarray(-0.5 * sum(part.decay for _, part in parts))
    if lindbladian.coherent is Coherent.BALANCE:
        drift = drift - 1j * sum(balance_term(part.decay, s, beta) for beta, part in parts)
    elif lindbladian.coherent is Coherent.LAMB_SHIFT:
        drift = drift - 1j * lamb_shift(lindbladian)
    turning = nu if hamiltonian and not lindbladian.local else np.zeros_like(nu)
    if hamiltonian and lindbladian.local:
        drift = drift - 1j * energy_matrix(lindbladian)
    diagonal = np.diag(drift)
    coherences = diagonal[:, None] + diagonal[None, :].conj() - 1j * turning
    rates = np.diag(2 * diagonal.real)
    for left, right in pairs:
        coherences = coherences + np.diag(left)[:, None] * np.diag(right)[None, :].conj()
        rates = rates + (left * right.conj()).real
    if sparse is not None:
        still = np.arange(s.dim) * (s.dim + 1)
        coherences = coherences + sparse.diagonal().reshape(s.dim, s.dim)
        rates = rates + sparse[still][:, still].toarray().real
    return Flow(_apply(pairs, drift, turning, sparse), s.dim, np.asarray(coherences), np.asarray(rates))


def _apply(
    pairs: Sequence[Pair], drift: Matrix, nu: Real, sparse: scipy.sparse.csr_array | None
) -> Callable[[Real], Real]:
    d = len(drift)
    turns = np.any(nu)
    is_real = not any(np.iscomplexobj(M) for pair in pairs for M in pair)
    is_real = is_real and (sparse is None or not np.iscomplexobj(sparse))
    shift = -drift.imag if np.iscomplexobj(drift) else np.zeros((d, d))
    scale = float(np.max(np.abs(drift), initial=0.0))
    if is_real and np.max(np.abs(shift - shift.T)) <= 1e-14 * scale:
        sandwich = sandwich_of(pairs, d)
        G, K = np.ascontiguousarray(drift.real), np.ascontiguousarray((shift + shift.T) / 2)
        shifts = np.any(K)

        def real(v: Real) -> Real:
            M = v.reshape(d, d)
            Y = G @ M
            Y += M @ G.T
            if pairs:
                Y += sandwich(M)
            if sparse is not None:
                Y += np.asarray(sparse @ v).reshape(d, d)
            if shifts:
                Y -= K @ M.T
                Y += M.T @ K
            if turns:
                Y -= nu * M.T
            return Y.ravel()

        return real
    sandwich, C = sandwich_of(pairs, d), np.asarray(drift, dtype=complex)

    def general(v: Real) -> Real:
        X = unpacked(v.reshape(d, d))
        Y = C @ X
        Y = Y + Y.conj().T
        if pairs:
            Y += sandwich(X)
        if sparse is not None:
            Y += np.asarray(sparse @ X.ravel()).reshape(d, d)
        if turns:
            Y -= 1j * nu * X
        return packed(Y).ravel()

    return general
