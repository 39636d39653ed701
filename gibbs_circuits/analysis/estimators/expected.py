"""What a run should measure on its target, before a shot is taken."""

from __future__ import annotations

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ...backends.measurement.counts import from_counts
from ...backends.measurement.measurement import as_weights, outcome_probabilities, rotations
from ...backends.runs.request import Request
from ...backends.simulators.noisy_channel import NoisyPrediction
from ...linalg.arrays import Array
from ...readings.channel.prediction import Prediction


def expectation(operator: SparsePauliOp, rho: Array) -> float:
    """Tr[O ρ]."""
    return float(np.real(np.trace(operator.to_matrix() @ rho)))


def final_state(request: Request, prediction: Prediction | None, noisy: NoisyPrediction | None) -> Array | None:
    """The exact mean state after all sweeps on a target, with its errors; None where it is not known."""
    compiled = request.compiled
    if noisy is not None:
        return np.asarray(noisy.states[-1])
    if compiled.errors.present or not compiled.device.errors_known or prediction is None:
        return None
    return prediction.final


def predicted_values(request: Request, state: Array | None) -> dict[str, float]:
    """What a run should measure, by observable, with the errors of rotations, and of the readout if not mitigated.

    An estimator is taken to mitigate the readout, or to have none, but for Qiskit's own `BackendEstimatorV2`.
    """
    if state is None:
        return {}
    if not request.bases:
        return {name: expectation(operator, state) for name, operator in request.observables.items()}
    compiled = request.compiled
    errors, turns = compiled.errors.on(compiled.wires), rotations(compiled.device)
    readout = not request.machine.mitigates_readout
    weights = [
        as_weights(outcome_probabilities(state, basis, errors, turns, readout=readout)) for basis in request.bases
    ]
    return {name: from_counts(operator, request.bases, weights) for name, operator in request.observables.items()}
