"""The named generators, a few lines each, all through the transition kernel.

Symbolic: no matrix is formed here. Couplings are Hermitian operators through which heat flows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from qiskit.quantum_info import SparsePauliOp

from ...errors import ArgumentError, check_choice
from ...models.model import Model
from ..baths.bath import Bath
from ..baths.named import make_bath
from ..couplings import couplings_of
from ..discrete import DiscreteChannel
from ..kernels.base import Kernel
from ..lamb_shift import LambKernel
from ..lindbladian import Coherent, Contact, Lindbladian

Operators = tuple[SparsePauliOp, ...]


def _made(
    model: Model, couplings: Operators, kernel: Kernel, coherent: Coherent, kind: str, lamb: LambKernel | None = None
) -> Lindbladian:
    return Lindbladian(model, tuple(Contact(A, kernel, lamb) for A in couplings), coherent, kind)


Generator = Lindbladian | DiscreteChannel
BATH_HELP = (
    'G(ω): "ohmic", {kind = "ohmic", strength = 1, cutoff = 5}, {kind = "power_law", exponent = 3}, or "file.csv";'
    " a cutoff left out is 5 × the largest |coefficient| of H."
)


class Keys(BaseModel):
    """Keys of every kind."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)
    names: ClassVar[tuple[str, ...]] = ()
    summary: ClassVar[str] = ""
    coherents: ClassVar[tuple[str, ...]] = ("balance", "none")
    kind: str = Field(description="which generator.", examples=["dll"])
    couplings: Any = Field(
        default="Y", description='letters put on every site ("Y", "XZ"), or a list of labels or terms.'
    )
    coherent: str = Field(default="balance", description="balance: the term B that makes it exact; none: without.")

    def build(self, model: Model, beta: float, folder: Path) -> Generator:
        """The generator."""
        raise NotImplementedError

    def choice(self) -> Coherent:
        """What `coherent` says."""
        return Coherent(check_choice("coherent", self.coherent, self.coherents))

    def operators(self, model: Model) -> Any:
        """The couplings as operators."""
        return couplings_of(self.couplings, model.num_qubits)


class BathKeys(Keys):
    coherents = tuple(c.value for c in Coherent)
    bath: Any = Field(default="ohmic", description=BATH_HELP)
    coherent: str = Field(default="lamb_shift", description="lamb_shift: the bath's own shift of H; balance: B; none.")

    def made_bath(self, model: Model, beta: float, folder: Path) -> Bath:
        """The bath, whose G(0) all kinds but scandi_alhambra need."""
        bath = make_bath(self.bath, beta, folder, model)
        if bath.exponent is not None and bath.exponent < 1 and self.kind != "scandi_alhambra":
            raise ArgumentError(
                "bath", f"have a finite G(0) for {self.kind}", f"its exponent is {bath.exponent:g}",
                'use an exponent >= 1, or kind = "scandi_alhambra"',
            )  # fmt: skip
        return bath
