r"""How a model thermalises: a Lindbladian in symbolic form. Its matrices are in `matrices`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ..baths import Bath
from ..errors import ArgumentError, InvalidModelError, check_beta, shown
from ..kernels import Kernel
from ..lamb import LambKernel
from ..models import Model, as_model, fitting, hermitian


class Coherent(Enum):
    """What the coherent part of a generator is."""

    BALANCE = "balance"  # B, which makes the Gibbs state an exact fixed point
    LAMB_SHIFT = "lamb_shift"  # the bath's own shift of H
    NONE = "none"


@dataclass(frozen=True, eq=False)
class Contact:
    """One coupling to one bath.

    Args:
        coupling: Hermitian SparsePauliOp on the system, symbolic.
        kernel: Transition kernel of that bath.
        lamb: Shift of H by that bath; None where the kernel comes from no bath.
        bath: Number of the bath, from 0, where there are several: two at one β are two.
    """

    coupling: SparsePauliOp
    kernel: Kernel
    lamb: LambKernel | None = None
    bath: int = 0

    @property
    def beta(self) -> float:
        """Inverse temperature of that bath."""
        return self.kernel.beta

    @property
    def baths(self) -> tuple[Bath, ...]:
        """The physical baths behind its kernel; none for a filter."""
        source = getattr(self.kernel, "filter", self.kernel)
        found = (getattr(source, "bath", None), getattr(source, "rate", None))
        return tuple(bath for bath in found if isinstance(bath, Bath))


@dataclass(frozen=True, eq=False)
class Lindbladian:
    r"""$\mathcal L(\rho) = -i[B,\rho] + T(\rho) - \tfrac12\{R,\rho\}$, without $-i[H,\cdot]$, which leaves σ fixed.

    $R_{ij} = \sum_a\sum_k \overline{A_{ki}}A_{kj}\,\alpha(E_k-E_j, E_k-E_i)$ and
    $B_{ij} = \tfrac i2\tanh\!\big(\beta(E_i-E_j)/4\big)R_{ij}$ in the energy basis, B one term per bath.

    Args:
        model: Hamiltonian on n qubits; dim = 2**n.
        contacts: One per coupling; at least one. With different β the steady state is not a Gibbs state.
        coherent: BALANCE adds B; LAMB_SHIFT the bath's own shift; NONE leaves either out (σ is then not stationary).
        kind: Name in the catalogue.
        frame: Hamiltonian that the Bohr frequencies are taken from, if it is another one (local generators).

    Raises:
        InvalidModelError: If a coupling is not Hermitian or has another width than the model.
        ArgumentError: If there is no contact, or a Lamb shift is asked of a kernel without a bath.
    """

    model: Model
    contacts: tuple[Contact, ...]
    coherent: Coherent = Coherent.BALANCE
    kind: str = "custom"
    frame: Model | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "model", as_model(self.model))
        contacts: object = self.contacts
        if not isinstance(contacts, tuple | list) or not all(isinstance(one, Contact) for one in contacts):
            raise ArgumentError(
                "contacts", "be a tuple of Contacts", f"{shown(contacts)} was found",
                "pass gc.dll(model, 1.0).contacts, or call gc.dll itself",
            )  # fmt: skip
        if not contacts:
            raise ArgumentError("couplings", "hold at least one operator", "it is empty", 'set couplings = "Y"')
        checked = []
        for index, contact in enumerate(self.contacts):
            name = f"couplings[{index}]"
            coupling = hermitian(contact.coupling, name)
            check_beta(contact.beta)
            fitting(coupling, name, self.model.num_qubits)
            if not np.any(coupling.coeffs) or coupling.paulis.x.sum() + coupling.paulis.z.sum() == 0:
                raise InvalidModelError(
                    name,
                    "exchange heat with the system",
                    "it is a multiple of the identity",
                    'leave it out, or use one such as "Y"',
                )
            if self.coherent is Coherent.LAMB_SHIFT and contact.lamb is None:
                raise ArgumentError(
                    "coherent", "be balance or none for a kernel that comes from no bath",
                    f"lamb_shift was asked of {self.kind}", 'set coherent = "balance"',
                )  # fmt: skip
            checked.append(replace(contact, coupling=coupling))
        object.__setattr__(self, "contacts", tuple(checked))

    @property
    def betas(self) -> tuple[float, ...]:
        """The different inverse temperatures of the baths, ascending."""
        return tuple(sorted({contact.beta for contact in self.contacts}))

    @property
    def beta(self) -> float:
        """The inverse temperature.

        Raises:
            ArgumentError: If the baths have several.
        """
        if len(self.betas) > 1:
            raise ArgumentError(
                "beta", "be the same for all contacts where a Gibbs state is the reference",
                f"{', '.join(format(b, 'g') for b in self.betas)} were found", "use the non-equilibrium steady state",
            )  # fmt: skip
        return self.betas[0]

    @property
    def families(self) -> tuple[tuple[int, ...], ...]:
        """Indices of the contacts of each bath, in the order in which the baths were given."""
        numbers = sorted({contact.bath for contact in self.contacts})
        return tuple(tuple(k for k, c in enumerate(self.contacts) if c.bath == number) for number in numbers)

    @property
    def baths(self) -> tuple[Bath, ...]:
        """The different physical baths behind the kernels; none for filters."""
        return tuple(dict.fromkeys(bath for contact in self.contacts for bath in contact.baths))

    @property
    def bohr_model(self) -> Model:
        """The model whose Bohr frequencies count."""
        return self.frame or self.model

    def __repr__(self) -> str:
        beta = ", ".join(f"{beta:g}" for beta in self.betas)
        return (
            f"Lindbladian({self.kind} of {self.model.name}: {self.model.num_qubits} qubits, β = {beta}, "
            f"{len(self.contacts)} couplings, coherent = {self.coherent.value})"
        )
