"""What is known about a generator before anything is compiled: the certificate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np
import scipy.sparse.linalg

from ..generators import Coherent, Lindbladian
from ..generators.lindbladian import (
    MAX_SUPEROPERATOR_QUBITS,
    balance_term,
    coherent_term,
    couplings_in_energy_basis,
    decay_operator,
    jumps,
    superoperator,
    transition_superoperator,
)
from ..spectrum import Array, Real, spectrum, vec

DEGENERACY_TOLERANCE = 1e-9
RANK_TOLERANCE = 1e-8
BALANCE_TOLERANCE = 1e-8


@dataclass(frozen=True)
class Certificate:
    r"""Measured properties of $\mathcal L$ without −i[H, ·]; None where the generator is too large to tell.

    Attributes:
        residual: ‖L(σ)‖_F / (‖L‖ ‖σ‖_F), ‖L‖ the largest singular value.
        residual_without_coherent: The same with B left out: the negative control.
        kernel_defect: Relative violation of α̃(ν1, ν2) = α̃(−ν2, −ν1) over all pairs of Bohr frequencies.
        coherent_defect: ‖B − (i/2) tanh(βν/4) R‖_F / ‖R‖_F, R taken from the values of the kernel.
        kms_defect: The larger of the two.
        steady_states: Dimension of the commutant of the A_ν of non-zero weight; a rank, without β.
        steady_states_with_hamiltonian: The same with H added to the set.
        spectral_gap: min −Re λ over λ ≠ 0.
        mixing_bound: gap⁻¹ ln(1/(ε √λ_min(σ))) at ε = 0.1 (proved for KMS generators), in units of time.
        lowest_population: λ_min(σ).
    """

    residual: float | None
    residual_without_coherent: float | None
    kernel_defect: float | None
    coherent_defect: float | None
    kms_defect: float | None
    steady_states: int | None
    steady_states_with_hamiltonian: int | None
    spectral_gap: float | None
    mixing_bound: float | None
    lowest_population: float

    def __str__(self) -> str:
        return "\n".join(
            f"{field.name.replace('_', ' '):32} {'not checked' if value is None else format(value, '.6g')}"
            for field in fields(self)
            for value in (getattr(self, field.name),)
        )


@lru_cache(maxsize=16)
def certificate(lindbladian: Lindbladian) -> Certificate:
    """Measure a generator, once per object; dense, time O(64**n) up to 5 qubits, nothing but λ_min(σ) above."""
    s = spectrum(lindbladian.model)
    lowest = float(s.populations(lindbladian.beta)[-1])
    if lindbladian.model.num_qubits > MAX_SUPEROPERATOR_QUBITS:
        return Certificate(None, None, None, None, None, None, None, None, None, lowest)
    kernel, coherent = kernel_defect(lindbladian), coherent_defect(lindbladian)
    conserved = commutant(lindbladian)
    plain = len(conserved)
    gap = spectral_gap(lindbladian, plain)
    balanced = max(kernel, coherent) <= BALANCE_TOLERANCE
    bound = np.log(1 / (0.1 * np.sqrt(lowest))) / gap if gap and lowest > 0 and balanced and plain == 1 else None
    return Certificate(
        residual=residual(lindbladian),
        residual_without_coherent=residual(replace(lindbladian, coherent=Coherent.NONE)),
        kernel_defect=kernel,
        coherent_defect=coherent,
        kms_defect=max(kernel, coherent),
        steady_states=plain,
        steady_states_with_hamiltonian=len(commuting(conserved, np.diag(s.energies - s.energies.mean()))),
        spectral_gap=gap,
        mixing_bound=None if bound is None else float(bound),
        lowest_population=lowest,
    )


def residual(lindbladian: Lindbladian) -> float:
    r"""$\|\mathcal L(\sigma)\|_F / (\|\mathcal L\|\,\|\sigma\|_F)$ with the largest singular value of $\mathcal L$."""
    L = superoperator(lindbladian)
    sigma = vec(np.diag(spectrum(lindbladian.model).populations(lindbladian.beta)))
    scale = largest_singular_value(L)
    return float(np.linalg.norm(L @ sigma) / (scale * np.linalg.norm(sigma))) if scale > 0 else 0.0


def largest_singular_value(matrix: Array) -> float:
    """‖·‖ of a square matrix: dense up to 256 × 256, Lanczos from a fixed start above."""
    if matrix.shape[0] <= 256:
        return float(np.linalg.norm(matrix, 2))
    start = np.asarray(np.random.default_rng(0).standard_normal(matrix.shape[0]), dtype=np.complex128)
    return float(scipy.sparse.linalg.svds(matrix, k=1, v0=start, return_singular_vectors=False)[0])


def kernel_defect(lindbladian: Lindbladian) -> float:
    """Max |α̃(ν1, ν2) − α̃(−ν2, −ν1)| / max |α̃| over all pairs of Bohr frequencies and all contacts."""
    nu = np.unique(spectrum(lindbladian.model).bohr_frequencies)
    nu1, nu2 = nu[:, None], nu[None, :]
    worst = 0.0
    for kernel, beta in {(c.kernel, c.beta) for c in lindbladian.contacts}:
        alpha = kernel.balanced(nu1, nu2, beta)
        mirrored = kernel.balanced(-nu2, -nu1, beta)
        scale = float(np.max(np.abs(alpha)))
        worst = max(worst, float(np.max(np.abs(alpha - mirrored))) / scale if scale > 0 else 0.0)
    return worst


def coherent_defect(lindbladian: Lindbladian) -> float:
    """How far B is from the balanced one, relative to R; R here comes from T†(1), not from the jumps."""
    s = spectrum(lindbladian.model)
    d = s.dim
    one = vec(np.eye(d))
    R = (transition_superoperator(lindbladian).conj().T @ one).reshape(d, d, order="F")
    B = balance_term(R, s, lindbladian.beta)
    scale = np.linalg.norm(R)
    return float(np.linalg.norm(coherent_term(lindbladian) - B) / scale) if scale > 0 else 0.0


def frequency_classes(nu: Real, tolerance: float = DEGENERACY_TOLERANCE) -> np.ndarray:
    """An integer class per Bohr frequency; neighbours closer than tolerance × bandwidth share one."""
    order = np.argsort(nu, axis=None)
    values = nu.reshape(-1)[order]
    gaps = np.diff(values) > tolerance * float(np.max(np.abs(values)))
    classes = np.empty(values.size, dtype=int)
    classes[order] = np.concatenate([[0], np.cumsum(gaps)])
    return classes.reshape(nu.shape)


def commutant(lindbladian: Lindbladian) -> Array:
    """Orthonormal basis of {X : [X, A_ν] = 0 for every A_ν of non-zero weight}; its size counts the steady states.

    A rank, without β; shape (count, dim, dim), in the energy basis.
    """
    d = spectrum(lindbladian.model).dim
    basis: Array = np.eye(d * d, dtype=complex).reshape(d * d, d, d)
    for M in _generic_combinations(lindbladian):
        basis = commuting(basis, M)
        if len(basis) == 1:  # the identity
            break
    return basis


def commuting(basis: Array, operator: Array | Real) -> Array:
    """The part of span(basis) that commutes with an operator and its adjoint."""
    scale = float(np.linalg.norm(operator))
    pair = (operator, operator.conj().T)
    rows = np.hstack([(basis @ M - M @ basis).reshape(len(basis), -1) for M in pair])
    _, values, right = np.linalg.svd(np.linalg.qr(rows.T, mode="r"))
    kept = right[values <= RANK_TOLERANCE * scale].conj()
    return np.asarray(np.tensordot(kept, basis, axes=1))


def _generic_combinations(lindbladian: Lindbladian) -> Iterator[Array]:
    """Σ z_aν A^a_ν with random z, as many as there are A^a_ν, so that they span them with probability one.

    Fewer need not do: k combinations of 2n Majorana operators leave 2n − 2k of them out. At β = 0 a jump does not
    resolve ν, and takes the place of its A_ν. The seed is fixed.
    """
    nu = spectrum(lindbladian.model).bohr_frequencies
    if lindbladian.beta == 0:
        parts = [(L, np.zeros(nu.shape, dtype=int)) for L in jumps(lindbladian)]
    else:
        classes, parts = frequency_classes(nu), []
        for A, contact in zip(couplings_in_energy_basis(lindbladian), lindbladian.contacts, strict=True):
            alive = contact.kernel.support(nu)
            alive = alive & alive.T  # A_ν and A_−ν are adjoints; the set is closed under adjoints
            parts.append((np.where(alive, A, 0.0), classes))
    parts = [(A / np.linalg.norm(A), classes) for A, classes in parts if np.any(A)]
    count = sum(np.unique(classes[np.abs(A) > DEGENERACY_TOLERANCE]).size for A, classes in parts)
    rng = np.random.default_rng(20240404)
    for _ in range(min(count, nu.size)):
        M = np.zeros(nu.shape, dtype=complex)
        for A, classes in parts:
            z = rng.standard_normal((2, classes.max() + 1))
            M += (z[0] + 1j * z[1])[classes] * A
        yield M


def spectral_gap(lindbladian: Lindbladian, steady_states: int) -> float | None:
    r"""Min −Re λ over λ ≠ 0 of $\mathcal L$; None when nothing decays.

    In KMS balance $\mathcal L$ is similar to the Hermitian
    $D(X) = \sum\tilde AX\tilde A^\dagger - \tfrac12\{\tilde R, X\}$ with kernel α̃ and
    $\tilde R_{ij} = R_{ij}/\cosh(\beta\nu_{ij}/4)$, so zero eigenvalues are counted off, not thresholded; without
    balance the eigenvalues of the non-normal $\mathcal L$ are taken.
    """
    s = spectrum(lindbladian.model)
    if steady_states >= s.dim**2:
        return None
    if lindbladian.coherent is Coherent.BALANCE and kernel_defect(lindbladian) <= BALANCE_TOLERANCE:
        one = np.eye(s.dim)
        R = decay_operator(lindbladian) / np.cosh(np.clip(lindbladian.beta * s.bohr_frequencies / 4, -700, 700))
        D = transition_superoperator(lindbladian, balanced=True) - 0.5 * (np.kron(one, R) + np.kron(R.conj(), one))
        decay = np.sort(-np.linalg.eigvalsh((D + D.conj().T) / 2))
    else:
        decay = np.sort(-np.linalg.eigvals(superoperator(lindbladian)).real)
    return max(0.0, float(decay[steady_states]))
