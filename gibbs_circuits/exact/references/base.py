"""What a reference is: one file of this folder, entered by one line of the registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...evidence import Status
from ...linalg.arrays import Real
from ...models.model import Model
from ...models.regions import Sparse
from ...models.spectrum import Thermal

if TYPE_CHECKING:
    from qiskit.quantum_info import SparsePauliOp

ROUNDING = 1e-10  # of a Pauli expectation by exact linear algebra


def sparse_of(label: str) -> Sparse:
    """The sites and letters of a label whose rightmost letter is qubit 0."""
    return tuple((q, letter) for q, letter in enumerate(reversed(label)) if letter != "I")


def label_of(string: Sparse, num_qubits: int) -> str:
    """The label, the rightmost letter being qubit 0."""
    letters = ["I"] * num_qubits
    for q, letter in string:
        letters[num_qubits - 1 - q] = letter
    return "".join(letters)


def _exact(strings: Sequence[Sparse]) -> Real:
    return np.full(len(strings), ROUNDING)


@dataclass(frozen=True, eq=False)
class ExactAnswer:
    """A Gibbs state that is known, and how well.

    Attributes:
        thermal: Energy, free energy, entropy and what else follows from the partition function; None what is not known.
        paulis: Tr[P σ] of many Pauli strings at once; None where one of them is not known.
        status: How it is known: proved is exact to rounding.
        errors: Of the thermal functions by their names: half an interval that holds the truth 95 times in 100 where
            chance is in it, the change at the last refinement elsewhere; left out where only rounding is.
        pauli_errors: The same of every string that `paulis` knows.
        expectation_error: The largest of those, as far as it was looked at.
    """

    thermal: Thermal
    paulis: Callable[[Sequence[Sparse]], Real | None]
    status: Status = Status.PROVED
    errors: Mapping[str, float] = field(default_factory=dict)
    pauli_errors: Callable[[Sequence[Sparse]], Real] = _exact
    expectation_error: float = ROUNDING

    def expectation(self, operator: SparsePauliOp) -> float | None:
        """Tr[O σ] of an observable; None where it is not known."""
        values = self.paulis([sparse_of(label) for label in operator.paulis.to_labels()])
        return None if values is None else float(np.real(operator.coeffs) @ values)


@dataclass(frozen=True, eq=False)
class GibbsReference:
    """One way to know the Gibbs state of a model.

    Attributes:
        name: In reports and in the JSON document.
        answer: Of a model at an inverse temperature, which `why_not` has nothing against.
        why_not: Why it does not apply; None where it does. What is only known when the work is done is done here, once:
            `answer` of the same model and temperature finds it.
    """

    name: str
    answer: Callable[[Model, float], ExactAnswer]
    why_not: Callable[[Model, float], str | None]
