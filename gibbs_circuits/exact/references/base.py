"""What a reference is: one file of this folder, entered by one line of the registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...models.model import Model
from ...models.spectrum import Thermal

if TYPE_CHECKING:
    from qiskit.quantum_info import SparsePauliOp


@dataclass(frozen=True, eq=False)
class ExactAnswer:
    """A Gibbs state that is known.

    Attributes:
        thermal: Energy, free energy, entropy and what else follows from the partition function.
        expectation: Tr[O σ] of an observable; None where it is not known.
    """

    thermal: Thermal
    expectation: Callable[[SparsePauliOp], float | None]


@dataclass(frozen=True, eq=False)
class GibbsReference:
    """One way to know the Gibbs state of a model.

    Attributes:
        name: In reports and in the JSON document.
        answer: Of a model at an inverse temperature, which `why_not` has nothing against.
        why_not: Why it does not apply; None where it does.
    """

    name: str
    answer: Callable[[Model, float], ExactAnswer]
    why_not: Callable[[Model, float], str | None]
