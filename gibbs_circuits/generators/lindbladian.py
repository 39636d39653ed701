r"""How a model thermalises: a Lindbladian in symbolic form. Its matrices are in `matrices`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ArgumentError, InvalidModelError, TooLargeError, check_beta, check_real, shown
from ..evidence import Citation
from ..io.rendering import NAME, Shown, brief, shortened
from ..limits import MAX_JUMP_BYTES
from ..linalg.arrays import Array
from ..models.model import Model, as_model, bandwidth, fitting, hermitian
from .baths.bath import Bath
from .contact import Coherent, Contact

SHOWN_CONTACTS = 24
DEGENERACY_TOLERANCE = 1e-9  # of Σ|c_k|
NOTHING = 1e-14  # Kraus operators of less weight cannot be told from none


class Generator(ABC):
    """What programs are compiled from: a Lindbladian, or a channel that takes its transitions from one."""

    if TYPE_CHECKING:  # a dataclass would take a property for the default of its own field

        @property
        @abstractmethod
        def model(self) -> Model:
            """Hamiltonian on n qubits."""

        @property
        @abstractmethod
        def contacts(self) -> tuple[Contact, ...]:
            """One per coupling."""

        @property
        @abstractmethod
        def kind(self) -> str:
            """Name in the catalogue."""

    @property
    @abstractmethod
    def lindbladian(self) -> Lindbladian:
        """The Lindbladian that its transitions are of."""

    @abstractmethod
    def channel(self, strength: float | None) -> Array:
        r"""What one sweep aims at, a (4^n, 4^n) matrix on column-stacked ρ in the computational basis.

        Args:
            strength: The time δ of a sweep; None where the generator has a step of its own.

        Raises:
            ArgumentError: If nothing happens in that time, or a channel with a step is given one.
        """

    @property
    def step(self) -> float | None:
        """The share of the largest rate that a sweep takes; None where time is continuous and a program chooses it."""
        return None

    @property
    def local(self) -> bool:
        """Whether its jumps see less than the whole H, each site alone."""
        return self.lindbladian.local

    @property
    def baths(self) -> tuple[Bath, ...]:
        """The different physical baths whose dynamics it is; none for filters."""
        return ()

    @property
    def references(self) -> tuple[Citation, ...]:
        """What to cite for it beside its kernels."""
        return ()

    @property
    def num_qubits(self) -> int:
        """Number of system qubits n."""
        return self.model.num_qubits

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


@dataclass(frozen=True, eq=False, repr=False)
class Lindbladian(Shown, Generator):
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
    def lindbladian(self) -> Lindbladian:
        return self

    @property
    def local(self) -> bool:
        """Whether its jumps see less than the whole H, each site alone."""
        return self.frame is not None

    @property
    def balanceable(self) -> bool:
        """Whether detailed balance can make the Gibbs state of its model a fixed point: one β, and the whole H."""
        return not self.local and len(self.betas) == 1

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
    def secular(self) -> bool:
        """Whether every kernel joins equal Bohr frequencies only; its Lamb shift then commutes with H."""
        return all(contact.kernel.secular for contact in self.contacts)

    @property
    def bohr_model(self) -> Model:
        """The model whose Bohr frequencies count."""
        return self.frame or self.model

    @property
    def degeneracy(self) -> float:
        """The difference below which two Bohr frequencies count as equal, in the energy unit."""
        return DEGENERACY_TOLERANCE * bandwidth(self.bohr_model)

    @property
    def resolving(self) -> bool:
        """Whether every kernel keeps different Bohr frequencies apart: it needs no B, and a Lamb shift changes no σ."""
        return all(contact.kernel.blur <= self.degeneracy for contact in self.contacts)

    def jump_operators(self) -> list[Array]:
        r"""Jump operators $L_k$ with their rates in them, each (2^n, 2^n), in the computational basis.

        $\mathcal L(\rho) = -i[B,\rho] + \sum_k(L_k\rho L_k^\dagger - \tfrac12\{L_k^\dagger L_k,\rho\})$ with B of
        `hamiltonian_part`; what QuTiP calls collapse operators. Row and column b are the basis state whose bit q,
        counted from the right, is qubit q (Qiskit's order): as a tensor product qubit n−1 is the first factor and qubit
        0 the last, `dims = [[2] * n] * 2` in QuTiP.

        Raises:
            ArgumentError: If the generator is not completely positive (redfield), so that there are none.
            TooLargeError: Above 12 qubits, or if they take more than 2 GiB.
        """
        from .matrices import energy_spectrum, jump_count, jumps

        if not all(contact.kernel.positive for contact in self.contacts):
            raise ArgumentError(
                "kind", "be completely positive to have jump operators", f"{self.kind} is not",
                "take generator.superoperator()",
            )  # fmt: skip
        s, size = energy_spectrum(self), 16 * jump_count(self) * 4**self.num_qubits
        if size > MAX_JUMP_BYTES:
            raise TooLargeError(
                f"The jump operators of {self!r} take {size / 2**30:.3g} GiB; the limit is "
                f"{MAX_JUMP_BYTES / 2**30:g} GiB. Fix: use a smaller model."
            )
        return [s.from_energy(L) for L in jumps(self)]

    def hamiltonian_part(self, *, hamiltonian: bool = False) -> Array:
        """The coherent part, (2^n, 2^n), computational basis: B or the Lamb shift, or zero; with `hamiltonian`, H too.

        Raises:
            TooLargeError: Above 12 qubits.
        """
        from .matrices import coherent_term, energy_spectrum

        B = energy_spectrum(self).from_energy(coherent_term(self))
        return np.asarray(B + self.model.hamiltonian.to_matrix() if hamiltonian else B, dtype=complex)

    def superoperator(self, *, hamiltonian: bool = False) -> Array:
        r"""$\mathcal L$ as a (4^n, 4^n) matrix in the computational basis; with `hamiltonian`, −i[H, ·] is added.

        It acts on columns of ρ stacked on each other, vec(AρB) = (Bᵀ ⊗ A) vec ρ, as in QuTiP:
        `qutip.Qobj(S, dims=[[[2] * n] * 2] * 2, superrep="super")`. The order of qubits is that of `jump_operators`.

        Raises:
            TooLargeError: Above 5 qubits.
        """
        from .matrices import energy_spectrum, refuse_dense, superoperator

        refuse_dense("A dense generator", self.num_qubits)
        return energy_spectrum(self).map_from_energy(superoperator(self, hamiltonian=hamiltonian))

    def channel(self, strength: float | None) -> Array:
        """E^{δ𝓛} of its jumps and coherent part, without H."""
        import scipy.linalg  # loaded when used

        from .dense import dense_generator

        delta, dense = check_real("strength", strength, low=0.0), dense_generator(self)
        share = delta * float(np.linalg.norm(dense.decay, 2))
        if share < NOTHING:
            raise ArgumentError(
                "strength", f"let a sweep do more than rounding, δ ‖Σ L†L‖ >= {NOTHING:g}", f"that is {share:.1e}",
                "give a larger strength, or couplings and a β at which transitions happen",
            )  # fmt: skip
        return np.asarray(scipy.linalg.expm(delta * dense.superoperator))

    def _rows(self) -> Iterator[tuple[str, ...]]:
        yield "what", "value"
        yield "kind", self.kind
        yield "model", repr(self.model)
        yield "β", ", ".join(f"{beta:g}" for beta in self.betas)
        yield "coherent part", self.coherent.value.replace("_", " ")
        for k, contact in enumerate(self.contacts[:SHOWN_CONTACTS]):
            yield f"coupling {k}", f"{brief(contact.coupling)} by {brief(contact.kernel, 70)}"
        if len(self.contacts) > SHOWN_CONTACTS:
            yield f"… {len(self.contacts)} in all", ""

    def _in_words(self) -> str:
        beta = ", ".join(f"{beta:g}" for beta in self.betas)
        return (
            f"Lindbladian({self.kind} of {shortened(self.model.name, NAME)}: {self.num_qubits} qubits, β = {beta}, "
            f"{len(self.contacts)} couplings, coherent = {self.coherent.value})"
        )
