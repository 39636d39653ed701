"""Where heat flows: couplings to baths, and what matrices of a generator are made from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from qiskit.quantum_info import SparsePauliOp

from ..io.rendering import Brief
from ..models.model import Model
from .baths.bath import Bath
from .kernels.base import Kernel
from .lamb_shift import LambKernel


class Coherent(Enum):
    """What the coherent part of a generator is."""

    BALANCE = "balance"  # B, which makes the Gibbs state an exact fixed point
    LAMB_SHIFT = "lamb_shift"  # the bath's own shift of H
    NONE = "none"


@dataclass(frozen=True, eq=False, repr=False)
class Contact(Brief):
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
        return self.kernel.baths


class Symbolic(Protocol):
    """A Lindbladian by its symbols, of which matrices are made; `Lindbladian` says what they mean."""

    def __hash__(self) -> int: ...

    @property
    def model(self) -> Model: ...

    @property
    def bohr_model(self) -> Model: ...

    @property
    def contacts(self) -> tuple[Contact, ...]: ...

    @property
    def coherent(self) -> Coherent: ...

    @property
    def kind(self) -> str: ...

    @property
    def local(self) -> bool: ...

    @property
    def secular(self) -> bool: ...
