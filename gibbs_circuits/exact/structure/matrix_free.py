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

from ...errors import TooLargeError
from ...generators.kernels.base import Kernel
from ...generators.kernels.davies import Secular
from ...generators.kernels.redfield import Redfield
from ...generators.lindbladian import Coherent, Lindbladian
from ...generators.matrices import (
    balance_term,
    by_kernel,
    decay_operators,
    elementwise,
    energy_spectrum,
    in_energy_basis,
    lamb_shift,
)
from ...limits import MAX_SPARSE_ENTRIES
from ...linalg.arrays import Array, Matrix, Real, packed, unpacked
from .action import Pair
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
    pairs: list[Pair] = []
    secular: list[tuple[Secular, list[Matrix]]] = []
    decays: list[tuple[float, Matrix]] | None = []
    for kernel, contacts in by_kernel(lindbladian):
        couplings = [in_energy_basis(contact.coupling, s) for contact in contacts]
        if isinstance(kernel, Secular):
            secular.append((kernel, couplings))
            decays = None
        elif isinstance(kernel, Redfield):
            filtered = [kernel.one_sided(nu) * A for A in couplings]
            pairs += [pair for A, F in zip(couplings, filtered, strict=True) for pair in ((F, A), (A, F))]
            decays = None
        else:
            jumps = _jumps(kernel, couplings, nu)
            pairs += [(J, J) for J in jumps]
            if decays is not None:
                stacked = np.concatenate(jumps)
                decays.append((kernel.beta, stacked.conj().T @ stacked))
    if decays is None:
        decays = list(decay_operators(lindbladian))
    drift: Matrix = np.asarray(-0.5 * sum(R for _, R in decays))
    if lindbladian.coherent is Coherent.BALANCE:
        drift = drift - 1j * sum(balance_term(R, s, beta) for beta, R in decays)
    elif lindbladian.coherent is Coherent.LAMB_SHIFT:
        drift = drift - 1j * lamb_shift(lindbladian)
    if hamiltonian and lindbladian.frame is not None:
        drift = drift - 1j * s.to_energy(lindbladian.model.hamiltonian.to_matrix())
    turning = nu if hamiltonian and lindbladian.frame is None else np.zeros_like(nu)
    sparse = _secular_matrix(secular, nu) if secular else None
    diagonal = np.diag(drift)
    coherences = diagonal[:, None] + diagonal[None, :].conj() - 1j * turning
    rates = np.diag(2 * diagonal.real)
    for left, right in pairs:
        coherences = coherences + np.diag(left)[:, None] * np.diag(right)[None, :].conj()
        rates = rates + (left * right.conj()).real
    for kernel, couplings in secular:
        for A in couplings:
            a = np.diag(A)
            coherences = coherences + a[:, None] * a[None, :].conj() * kernel.bath.rate(np.zeros(1))[0]
            rates = rates + np.abs(A) ** 2 * kernel.bath.rate(nu)
    return Flow(_apply(pairs, drift, turning, sparse), s.dim, np.asarray(coherences), np.asarray(rates))


def _jumps(kernel: Kernel, couplings: Sequence[Matrix], nu: Real) -> list[Matrix]:
    filters = [np.sqrt(weight) * elementwise(filter, nu) for weight, filter in kernel.factors()]
    return [f * A for A in couplings for f in filters]


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


def _secular_matrix(parts: Sequence[tuple[Secular, Sequence[Matrix]]], nu: Real) -> scipy.sparse.csr_array:
    """T of Davies' generators on matrices flattened row by row."""
    d = len(nu)
    entries, rows, columns, total = [], [], [], 0
    for kernel, couplings in parts:
        assert kernel.edges is not None
        labels = np.searchsorted(kernel.edges, nu.ravel())
        root = np.sqrt(kernel.bath.rate(nu)).ravel()
        members_alive = np.flatnonzero(np.any([A.ravel() != 0 for A in couplings], axis=0) & (root > 0))
        order = members_alive[np.argsort(labels[members_alive], kind="stable")]
        cuts = np.flatnonzero(np.diff(labels[order])) + 1
        for members in np.split(order, cuts):
            total += members.size**2
            if total > MAX_SPARSE_ENTRIES:
                raise TooLargeError(
                    f"The secular generator on {d.bit_length() - 1} qubits has over {MAX_SPARSE_ENTRIES:.0e} entries, "
                    "because many Bohr frequencies are equal. Fix: use a smaller model."
                )
            amplitude = np.stack([root[members] * A.ravel()[members] for A in couplings])
            i, k = members // d, members % d  # A_ik and A_jl*: (i, j) from (k, l)
            entries.append((amplitude.T @ amplitude.conj()).ravel())
            rows.append((i[:, None] * d + i[None, :]).ravel())
            columns.append((k[:, None] * d + k[None, :]).ravel())
    if not entries:
        return scipy.sparse.csr_array((d * d, d * d))
    found = (np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns)))
    return scipy.sparse.csr_array(scipy.sparse.coo_array(found, shape=(d * d, d * d)))
