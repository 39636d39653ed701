r"""How a model thermalises: a Lindbladian in symbolic form, and its dense matrices as a reading of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ..errors import ArgumentError, InvalidModelError, TooLargeError, check_beta
from ..kernels import Kernel
from ..models import Model, hermitian
from ..spectrum import Array, Spectrum, spectrum

MAX_SUPEROPERATOR_QUBITS = 5


class Coherent(Enum):
    """What the coherent part of a generator is."""

    BALANCE = "balance"  # B, which makes the Gibbs state an exact fixed point
    NONE = "none"


@dataclass(frozen=True, eq=False)
class Contact:
    """One coupling to one bath.

    Args:
        coupling: Hermitian SparsePauliOp on the system, symbolic.
        kernel: Transition kernel of that bath.
        beta: Inverse temperature of that bath.
    """

    coupling: SparsePauliOp
    kernel: Kernel
    beta: float


@dataclass(frozen=True, eq=False)
class Lindbladian:
    r"""$\mathcal L(\rho) = -i[B,\rho] + T(\rho) - \tfrac12\{R,\rho\}$, without $-i[H,\cdot]$, which leaves σ fixed.

    $R_{ij} = \sum_a\sum_k \overline{A_{ki}}A_{kj}\,\alpha(E_k-E_j, E_k-E_i)$ and
    $B_{ij} = \tfrac i2\tanh\!\big(\beta(E_i-E_j)/4\big)R_{ij}$ in the energy basis.

    Args:
        model: Hamiltonian on n qubits; dim = 2**n.
        contacts: One per coupling; at least one, all at the same β.
        coherent: BALANCE adds B, NONE leaves it out (a negative control: σ is then not stationary).
        kind: Name in the catalogue.

    Raises:
        InvalidModelError: If a coupling is not Hermitian or has another width than the model.
        ArgumentError: If there is no contact or the temperatures differ.
    """

    model: Model
    contacts: tuple[Contact, ...]
    coherent: Coherent = Coherent.BALANCE
    kind: str = "custom"

    def __post_init__(self) -> None:
        if not self.contacts:
            raise ArgumentError("couplings", "hold at least one operator", "it is empty", 'set couplings = "Y"')
        checked = []
        for index, contact in enumerate(self.contacts):
            name = f"couplings[{index}]"
            coupling = hermitian(contact.coupling, name)
            if coupling.num_qubits != self.model.num_qubits:
                raise InvalidModelError(
                    name,
                    f"act on the {self.model.num_qubits} qubits of the model",
                    f"it acts on {coupling.num_qubits}",
                    "pad its labels with I",
                )
            if not np.any(coupling.coeffs) or coupling.paulis.x.sum() + coupling.paulis.z.sum() == 0:
                raise InvalidModelError(
                    name, "exchange heat with the system", "it is a multiple of the identity", 'use "Y"'
                )
            checked.append(Contact(coupling, contact.kernel, check_beta(contact.beta)))
        if len({contact.beta for contact in checked}) > 1:
            raise ArgumentError("beta", "be the same for all contacts", "several were found", "use one temperature")
        object.__setattr__(self, "contacts", tuple(checked))

    @property
    def beta(self) -> float:
        """The inverse temperature."""
        return self.contacts[0].beta

    def __repr__(self) -> str:
        return (
            f"Lindbladian({self.kind} of {self.model.name}: {self.model.num_qubits} qubits, β = {self.beta:g}, "
            f"{len(self.contacts)} couplings, coherent = {self.coherent.value})"
        )


def couplings_in_energy_basis(lindbladian: Lindbladian) -> list[Array]:
    """The coupling operators as dense matrices ⟨i|A|j⟩.

    Hermitian to the last bit: rounding left in ⟨i|A|j⟩ and ⟨j|A|i⟩ apart breaks detailed balance where rates are small.
    """
    s = spectrum(lindbladian.model)
    dense = [s.to_energy(contact.coupling.to_matrix()) for contact in lindbladian.contacts]
    return [(A + A.conj().T) / 2 for A in dense]


def jumps(lindbladian: Lindbladian) -> list[Array]:
    r"""Jump operators $L = \sqrt{w}\sum_\nu\hat f(\nu)A_\nu$ in the energy basis, one per factor of each kernel."""
    nu = spectrum(lindbladian.model).bohr_frequencies
    return [
        np.sqrt(weight) * filter.frequency(nu) * A
        for A, contact in zip(couplings_in_energy_basis(lindbladian), lindbladian.contacts, strict=True)
        for weight, filter in contact.kernel.factors()
    ]


def decay_operator(lindbladian: Lindbladian) -> Array:
    r"""$R = \sum_a\sum\alpha(\nu_1,\nu_2)A_{\nu_2}^\dagger A_{\nu_1} = \sum_a L_a^\dagger L_a$ in the energy basis."""
    return np.asarray(sum(L.conj().T @ L for L in jumps(lindbladian)))


def balance_term(R: Array, s: Spectrum, beta: float) -> Array:
    r"""$B_{ij} = \tfrac i2\tanh(\beta\nu_{ij}/4)R_{ij}$, one elementwise product.

    References:
        Ding, Li & Lin, arXiv:2404.05998, the coherent term; here in the Bohr form that holds for any kernel with
        α(ν1, ν2) = α(−ν2, −ν1) e^{−β(ν1+ν2)/2}.
    """
    return np.asarray(0.5j * np.tanh(beta * s.bohr_frequencies / 4) * R)


def coherent_term(lindbladian: Lindbladian) -> Array:
    """B of this generator in the energy basis; zero when it is left out."""
    R = decay_operator(lindbladian)
    if lindbladian.coherent is Coherent.NONE:
        return np.zeros_like(R)
    return balance_term(R, spectrum(lindbladian.model), lindbladian.beta)


def transition_superoperator(lindbladian: Lindbladian, *, balanced: bool = False) -> Array:
    """T as a dim² × dim² matrix in the energy basis, from the *values* of the kernel (not from its factors).

    With `balanced`, of the similar map σ^{−1/4} T(σ^{1/4} · σ^{1/4}) σ^{−1/4}, whose kernel is α̃.
    """
    s = spectrum(lindbladian.model)
    d, nu = s.dim, s.bohr_frequencies
    total = np.zeros((d * d, d * d), dtype=complex)
    row, column = nu[:, None, :, None], nu[None, :, None, :]  # ν1 = E_i − E_k, ν2 = E_j − E_l at [i, j, k, l]
    for A, contact in zip(couplings_in_energy_basis(lindbladian), lindbladian.contacts, strict=True):
        kernel = contact.kernel
        alpha = kernel.balanced(row, column, contact.beta) if balanced else kernel(row, column)
        block = alpha * A[:, None, :, None] * A.conj()[None, :, None, :]
        total += block.transpose(1, 0, 3, 2).reshape(d * d, d * d)  # column stacking: index j·d + i
    return total


def superoperator(lindbladian: Lindbladian, *, hamiltonian: bool = False) -> Array:
    r"""$\mathcal L$ as a dim² × dim² matrix on column-stacked matrices in the energy basis.

    With `hamiltonian`, $-i[H,\cdot]$ is added. Memory O(16**n).

    Raises:
        TooLargeError: Above 5 qubits.
    """
    n = lindbladian.model.num_qubits
    if n > MAX_SUPEROPERATOR_QUBITS:
        raise TooLargeError(
            f"A dense generator on {n} qubits is a {4**n} × {4**n} matrix ({16.0**n * 16 / 2**30:.3g} GiB); "
            f"the limit is {MAX_SUPEROPERATOR_QUBITS} qubits. Fix: use a smaller model."
        )
    s = spectrum(lindbladian.model)
    one = np.eye(s.dim)
    G = -1j * coherent_term(lindbladian) - 0.5 * decay_operator(lindbladian)
    if hamiltonian:
        G = G - 1j * np.diag(s.energies)
    return np.asarray(transition_superoperator(lindbladian) + np.kron(one, G) + np.kron(G.conj(), one))
