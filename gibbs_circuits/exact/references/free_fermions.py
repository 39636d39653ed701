r"""Chains that are free fermions after a Jordan–Wigner transformation, of hundreds of qubits in time O(n³)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...linalg.arrays import Real
from ...models.model import Model
from ...models.regions import Sparse
from ...models.spectrum import Thermal
from ..free_fermions.jordan_wigner import NotQuadraticError, expectation, quadratic_model
from ..free_fermions.model import QuadraticModel, free_energy, thermal_covariance
from .base import ExactAnswer, GibbsReference, label_of


def _why_not(model: Model, beta: float) -> str | None:
    try:
        quadratic_model(model)
    except NotQuadraticError as error:
        return str(error)
    return None


def thermal_functions(model: QuadraticModel, beta: float) -> Thermal:
    r"""$E$, $F$, $S = \beta(E - F)$, $C = \beta^2\,\mathrm{Var} H$ and Tr σ² from the single-particle energies."""
    eps = model.energies
    x, ground = beta * eps / 2, model.offset - float(eps.sum()) / 2
    return Thermal(
        energy=model.offset - float(eps @ np.tanh(x)) / 2,
        free_energy=free_energy(model, beta),
        entropy=float(np.sum(np.log1p(np.exp(-2 * x)) + x * (1 - np.tanh(x)))),
        heat_capacity=float(np.sum((x / np.cosh(np.minimum(x, 300.0))) ** 2)),
        purity=float(np.prod((1 + np.tanh(x) ** 2) / 2)),
        ground_energy=ground,
    )


def _answer(model: Model, beta: float) -> ExactAnswer:
    chain, letter = quadratic_model(model)
    covariance = thermal_covariance(chain, beta)

    def paulis(strings: Sequence[Sparse]) -> Real:
        labels = [label_of(string, model.num_qubits) for string in strings]
        return np.array([expectation(label, letter, covariance) for label in labels], dtype=float)

    return ExactAnswer(thermal_functions(chain, beta), paulis)


free_fermions = GibbsReference("free_fermions", _answer, _why_not)
