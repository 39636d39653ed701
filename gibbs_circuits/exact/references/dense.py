"""The Gibbs state as a matrix, from the spectrum of H."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...limits import MAX_DENSE_QUBITS
from ...models.model import Model
from ...models.spectrum import gibbs_state, thermal
from .base import ExactAnswer, GibbsReference

if TYPE_CHECKING:
    from qiskit.quantum_info import SparsePauliOp


def _why_not(model: Model, beta: float) -> str | None:
    n = model.num_qubits
    return None if n <= MAX_DENSE_QUBITS else f"the spectrum of H is computed up to {MAX_DENSE_QUBITS} qubits, not {n}"


def _answer(model: Model, beta: float) -> ExactAnswer:
    sigma = gibbs_state(model, beta)

    def expectation(operator: SparsePauliOp) -> float:
        return float(np.real(np.trace(operator.to_matrix() @ sigma)))

    return ExactAnswer(thermal(model, beta), expectation)


dense = GibbsReference("dense", _answer, _why_not)
