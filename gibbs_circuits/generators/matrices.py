"""A Lindbladian as matrices in the energy basis: what is elementwise or quadratic in dim = 2**n."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from qiskit.quantum_info import SparsePauliOp

from ..errors import TooLargeError
from ..limits import MAX_SHIFT_ENTRIES, MAX_SHIFT_QUBITS, MAX_SUPEROPERATOR_QUBITS
from ..linalg.arrays import Array, Matrix, Real, read_only
from ..linalg.paulis import _applied
from ..models.spectrum import Spectrum, spectrum
from .contact import Coherent, Contact, Symbolic
from .kernels.base import Kernel
from .lamb_shift import LambKernel


def energy_spectrum(lindbladian: Symbolic) -> Spectrum:
    """Eigensystem of the Hamiltonian whose Bohr frequencies count."""
    return spectrum(lindbladian.bohr_model)


def energy_matrix(lindbladian: Symbolic) -> Matrix:
    """H of the model in that basis, (dim, dim); diagonal unless the jumps see another H."""
    s = energy_spectrum(lindbladian)
    return s.to_energy(lindbladian.model.hamiltonian.to_matrix()) if lindbladian.local else np.diag(s.energies)


def in_energy_basis(operator: SparsePauliOp, s: Spectrum) -> Matrix:
    """⟨i|A|j⟩ of a Hermitian operator up to a phase that makes it real where possible.

    Hermitian to the last bit (or i times Hermitian, hence real antisymmetric): rounding left in ⟨i|A|j⟩ and ⟨j|A|i⟩
    apart breaks detailed balance where rates are small.
    """
    odd = np.sum(operator.paulis.x & operator.paulis.z, axis=1) % 2 == 1  # strings with an odd number of Y: imaginary
    if s.real and not np.any(odd):
        M = s.vectors.T @ _applied(operator, s.vectors, 0)
        return np.asarray((M + M.T) / 2)
    if s.real and np.all(odd):
        M = s.vectors.T @ _applied(operator, s.vectors, 1)
        return np.asarray((M - M.T) / 2)
    M = s.vectors.conj().T @ (operator.to_matrix(sparse=True) @ s.vectors)
    return np.asarray((M + M.conj().T) / 2)


def couplings_in_energy_basis(lindbladian: Symbolic) -> list[Array]:
    """The coupling operators as dense matrices ⟨i|A|j⟩, Hermitian to the last bit."""
    s = energy_spectrum(lindbladian)
    found = []
    for contact in lindbladian.contacts:
        A = in_energy_basis(contact.coupling, s)
        imaginary = not np.iscomplexobj(A) and np.array_equal(A, -A.T) and bool(np.any(A))
        found.append(np.asarray(1j * A if imaginary else A, dtype=complex))
    return found


def by_kernel(lindbladian: Symbolic) -> list[tuple[Kernel, list[Contact]]]:
    """Contacts that share a kernel, the kernels told the Bohr frequencies."""
    nu = energy_spectrum(lindbladian).bohr_frequencies
    groups: dict[Kernel, list[Contact]] = {}
    for contact in lindbladian.contacts:
        groups.setdefault(contact.kernel, []).append(contact)
    return [(kernel.on(nu), contacts) for kernel, contacts in groups.items()]


def jumps(lindbladian: Symbolic) -> list[Matrix]:
    r"""Jump operators $L = \sqrt{w}\sum_\nu\hat f(\nu)A_\nu$ in the energy basis, one per factor of each kernel."""
    nu = energy_spectrum(lindbladian).bohr_frequencies
    factors = {kernel: kernel.on(nu).factors() for kernel in {c.kernel for c in lindbladian.contacts}}
    return [
        np.sqrt(weight) * filter.matrix(nu) * A
        for contact, A in zip(lindbladian.contacts, couplings_in_energy_basis(lindbladian), strict=True)
        for weight, filter in factors[contact.kernel]
    ]


def jump_count(lindbladian: Symbolic) -> int:
    """How many there are: one per coupling and factor of its kernel."""
    nu = energy_spectrum(lindbladian).bohr_frequencies
    known = {kernel: len(kernel.on(nu).factors()) for kernel in {c.kernel for c in lindbladian.contacts}}
    return sum(known[contact.kernel] for contact in lindbladian.contacts)


def decay_operators(lindbladian: Symbolic) -> Iterator[tuple[float, Matrix]]:
    r"""(β, R) of every kernel, $R = \sum_a\sum\alpha(\nu_1,\nu_2)A_{\nu_2}^\dagger A_{\nu_1}$ in the energy basis."""
    s = energy_spectrum(lindbladian)
    nu = s.bohr_frequencies
    for kernel, contacts in by_kernel(lindbladian):
        R: Matrix = np.zeros(nu.shape)
        for contact in contacts:
            R = R + kernel.decay(in_energy_basis(contact.coupling, s), nu)
        yield kernel.beta, (R + R.conj().T) / 2


def decay_operator(lindbladian: Symbolic) -> Matrix:
    """The decay operator R = T†(1) of all baths together, in the energy basis, (dim, dim)."""
    return np.asarray(sum(R for _, R in decay_operators(lindbladian)))


def largest_rate(lindbladian: Symbolic) -> float:
    """‖R‖, the scale that a gap is small or large against."""
    return float(np.linalg.norm(decay_operator(lindbladian), 2))


def decay_entries(kernel: Kernel, couplings: list[Matrix], nu: Real, rows: NDArray[np.int_]) -> Matrix:
    """Rows of R from the *values* of a kernel, element by element: shares nothing with its factors."""
    stack = np.stack(couplings)
    found = []
    for part in np.array_split(rows, 1 + rows.size * nu.size // MAX_SHIFT_ENTRIES):
        pairs = stack[:, :, part].conj().transpose(1, 2, 0) @ stack.transpose(1, 0, 2)  # [k, i, j] = Σ_a A_ki* A_kj
        alpha = kernel(nu[:, None, :], nu[:, part, None])  # α(E_k − E_j, E_k − E_i)
        found.append(np.sum(pairs * alpha, axis=0))
    return np.concatenate(found)


def balance_term(R: Matrix, s: Spectrum, beta: float) -> Array:
    r"""$B_{ij} = \tfrac i2\tanh(\beta\nu_{ij}/4)R_{ij}$, one elementwise product.

    References:
        Ding, Li & Lin, arXiv:2404.05998, the coherent term; here in the Bohr form that holds for any kernel with
        α(ν1, ν2) = α(−ν2, −ν1) e^{−β(ν1+ν2)/2}.
    """
    return np.asarray(0.5j * np.tanh(beta * s.bohr_frequencies / 4) * R)


def coherent_term(lindbladian: Symbolic) -> Array:
    """The coherent part of this generator in the energy basis: B, the Lamb shift, or zero."""
    s = energy_spectrum(lindbladian)
    match lindbladian.coherent:
        case Coherent.BALANCE:
            parts = [balance_term(R, s, beta) for beta, R in decay_operators(lindbladian)]
        case Coherent.LAMB_SHIFT:
            return lamb_shift(lindbladian)
        case _:
            parts = [np.zeros((s.dim, s.dim), dtype=complex)]
    return np.asarray(sum(parts))


@lru_cache(maxsize=8)
def lamb_shift(lindbladian: Symbolic) -> Array:
    r"""$H_{LS,ij} = \sum_a\sum_k \overline{A_{ki}}A_{kj}\,\eta(E_k-E_j, E_k-E_i)$ in the energy basis; time O(8**n).

    Raises:
        TooLargeError: Above 8 qubits.
    """
    n = lindbladian.model.num_qubits
    if n > MAX_SHIFT_QUBITS:
        raise TooLargeError(
            f"The Lamb shift on {n} qubits is a sum over {8**n} pairs of frequencies; the limit is "
            f'{MAX_SHIFT_QUBITS} qubits. Fix: set coherent = "balance" or use a smaller model.'
        )
    s = energy_spectrum(lindbladian)
    nu = s.bohr_frequencies
    H = np.zeros(nu.shape, dtype=complex)
    families: dict[LambKernel, list[Matrix]] = {}
    for contact in lindbladian.contacts:
        if contact.lamb is not None:
            families.setdefault(contact.lamb, []).append(in_energy_basis(contact.coupling, s))
    for eta, couplings in families.items():
        for k in range(s.dim):  # nu[k, j] = E_k − E_j
            H += eta(nu[k][None, :], nu[k][:, None]) * sum(np.outer(A[k].conj(), A[k]) for A in couplings)
    return read_only(np.asarray((H + H.conj().T) / 2))


def transition_superoperator(lindbladian: Symbolic, *, balanced: bool = False) -> Matrix:
    """T as a dim² × dim² matrix in the energy basis.

    With `balanced`, of the similar map σ^{−1/4} T(σ^{1/4} · σ^{1/4}) σ^{−1/4}, whose kernel is α̃.
    """
    s = energy_spectrum(lindbladian)
    d, nu = s.dim, s.bohr_frequencies
    total: Matrix = np.zeros((d * d, d * d))
    for kernel, contacts in by_kernel(lindbladian):
        stack = np.stack([in_energy_basis(c.coupling, s) for c in contacts]).reshape(len(contacts), -1)
        pairs = stack.T @ stack.conj()  # [ik, jl] = Σ_a A_ik A_jl*
        alpha = kernel.matrix(nu.ravel(), balanced=balanced)
        total = total + (pairs * alpha if np.any(alpha.imag) else pairs * alpha.real)
    return np.asarray(total.reshape(d, d, d, d).transpose(2, 0, 3, 1).reshape(d * d, d * d))  # column stacking: j·d + i


def refuse_dense(what: str, num_qubits: int) -> None:
    """Refuse a 4**n × 4**n matrix above 5 qubits.

    Raises:
        TooLargeError: With its size.
    """
    if num_qubits > MAX_SUPEROPERATOR_QUBITS:
        raise TooLargeError(
            f"{what} on {num_qubits} qubits is a {4**num_qubits} × {4**num_qubits} matrix "
            f"({16.0**num_qubits * 16 / 2**30:.3g} GiB); the limit is {MAX_SUPEROPERATOR_QUBITS} qubits. "
            "Fix: use a smaller model."
        )


def superoperator(lindbladian: Symbolic, *, hamiltonian: bool = False) -> Array:
    r"""$\mathcal L$ as a dim² × dim² matrix on column-stacked matrices in the energy basis.

    With `hamiltonian`, $-i[H,\cdot]$ is added. Memory O(16**n).

    Raises:
        TooLargeError: Above 5 qubits.
    """
    refuse_dense("A dense generator", lindbladian.model.num_qubits)
    s = energy_spectrum(lindbladian)
    one = np.eye(s.dim)
    G = -1j * coherent_term(lindbladian) - 0.5 * decay_operator(lindbladian)
    if hamiltonian:
        G = G - 1j * energy_matrix(lindbladian)
    return np.asarray(transition_superoperator(lindbladian) + np.kron(one, G) + np.kron(G.conj(), one), dtype=complex)
