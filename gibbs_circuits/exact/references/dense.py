"""The Gibbs state as a matrix, from the spectrum of H."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...limits import MAX_DENSE_QUBITS
from ...linalg.arrays import Real
from ...linalg.paulis import PauliString
from ...models.model import Model
from ...models.regions import Sparse
from ...models.spectrum import gibbs_state, thermal
from .base import ExactAnswer, GibbsReference, label_of


def _why_not(model: Model, beta: float) -> str | None:
    n = model.num_qubits
    return None if n <= MAX_DENSE_QUBITS else f"the spectrum of H is computed up to {MAX_DENSE_QUBITS} qubits, not {n}"


def _answer(model: Model, beta: float) -> ExactAnswer:
    sigma = gibbs_state(model, beta)
    dim = len(sigma)

    def value(string: Sparse) -> float:
        P = PauliString.of(label_of(string, model.num_qubits))
        return float(np.real(P.phases(dim) @ sigma[P.rows(dim), np.arange(dim)]))

    def paulis(strings: Sequence[Sparse]) -> Real:
        return np.array([value(string) for string in strings], dtype=float)

    return ExactAnswer(thermal(model, beta), paulis)


dense = GibbsReference("dense", _answer, _why_not)
