"""A run held against the exact answer: distances, intervals, ledger, baselines, verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ...backends.measurement.counts import from_counts, shot_error
from ...backends.runs.request import ENERGY
from ...backends.runs.run import RunResult
from ...backends.simulators.noisy_channel import try_noisy_prediction
from ...exact.certificate.certificate import Certificate, certificate
from ...limits import MAX_DENSE_QUBITS
from ...linalg.arrays import Array
from ...models.spectrum import fidelity, gibbs_state, thermal, trace_distance
from ...readings.channel.prediction import predict
from ..error_budget.of_run import _ledger
from ..error_budget.orders import measured_rungs
from ..estimators.checks import Scale
from ..estimators.expected import expectation, final_state, predicted_values
from ..estimators.interval import Estimate, from_shots, interval
from ..estimators.thermometry import beta_effective, temperature
from .baselines import best_product_distance, unitary_loop
from .comparison import Comparison
from .verdict import judge, scale

Progress = Callable[[str], None]


def compare(
    run: RunResult, target_error: float = 0.10, *, baselines: bool = True, progress: Progress = lambda text: None
) -> Comparison:
    r"""Hold a run against the exact Gibbs state.

    Args:
        run: From `gc.run`.
        target_error: Trace distance that still agrees; widens every observable's interval by a share of how far
            cooling moves it, see `judge`.
        baselines: False leaves out the nearest product state and the hand-written loop (seconds, up to 4 qubits).
        progress: Called with what is being done.

    Exact references up to 12 qubits, channel predictions up to 8, the ledger up to 5, measured orders and
    the loop up to 4.
    """
    program, model = run.program, run.program.generator.model
    beta, n = program.generator.beta, program.num_system
    progress("certificate")
    known = n <= MAX_DENSE_QUBITS
    cert = certificate(program.generator) if known else Certificate()
    sigma = gibbs_state(model, beta) if known else None
    states = run.states
    progress("exact channel")
    start = run.request.initial.density(n) if known else None
    noisy = None if start is None else try_noisy_prediction(run.request.compiled)
    prediction = None if start is None else predict(program, start)
    foreseen = predicted_values(run.request, final_state(run.request, prediction, noisy))
    observables = {
        name: _estimate(run, name, states, None if sigma is None else expectation(operator, sigma), foreseen.get(name))
        for name, operator in run.request.observables.items()
    }
    distances = energies = None
    H = model.hamiltonian.to_matrix() if known else None
    if states is not None and sigma is not None and H is not None:
        distances = np.array([trace_distance(rho, sigma) for rho in states])
        energies = np.array([float(np.real(np.trace(rho @ H))) for rho in states])
    progress("ledger and measured orders")
    rows = _ledger(run, observables[ENERGY], prediction, noisy, states)
    rungs = measured_rungs(program)
    scales = {} if sigma is None else _scales(run.request.observables, sigma, beta)
    distance = None if distances is None else float(distances[-1])
    product = loop = None
    if baselines and sigma is not None:
        progress("baselines")
        product = best_product_distance(sigma)
        predicted = None if prediction is None else float(prediction.distances[-1])
        reached = next(d for d in (distance, predicted, target_error) if d is not None)
        loop = unitary_loop(program.lindbladian, start, reached) if start is not None else None
    verdict, reasons = judge(distance, observables, scales, target_error)
    reached_beta = beta_effective(model, beta, observables[ENERGY]) if known else None
    judged = next(one for one in reasons if one.name == ENERGY)
    return Comparison(
        run=run,
        target_error=target_error,
        certificate=cert,
        exact=thermal(model, beta) if known else None,
        observables=observables,
        trace_distance=distance,
        fidelity=None if states is None or sigma is None else fidelity(states[-1], sigma),
        distances=distances,
        energies=energies,
        prediction=prediction,
        noisy=noisy,
        beta_effective=reached_beta,
        ledger=rows,
        rungs=rungs,
        best_product_distance=product,
        diagonal_distance=None if sigma is None else trace_distance(np.diag(np.diag(sigma)), sigma),
        initial_distance=None if sigma is None or start is None else trace_distance(start, sigma),
        loop=loop,
        verdict=verdict,
        reasons=reasons,
        temperature=temperature(beta, observables[ENERGY], judged, scales.get(ENERGY), reached_beta),
    )


def _scales(operators: Mapping[str, SparsePauliOp], sigma: Array, beta: float) -> dict[str, Scale]:
    """What every observable is judged by; at β = 0 there is no cooling that the energy could fall short of."""
    return {name: scale(one, sigma, cooled=name == ENERGY and beta > 0) for name, one in operators.items()}


def _estimate(
    run: RunResult, name: str, states: Array | None, exact: float | None, predicted: float | None
) -> Estimate:
    operator, bases = run.request.observables[name], run.request.bases
    if run.request.shots == 0 and states is not None:
        value = expectation(operator, states[-1])
        return Estimate(value, value, value, exact, predicted)
    if all(block.values for block in run.blocks):
        return interval([block.values[name] for block in run.blocks], exact, predicted)
    seen = [from_counts(operator, bases, block.counts, block.flips) for block in run.blocks]
    if len(seen) == 1:  # no random step: the scatter is that of independent shots
        block = run.blocks[0]
        shares = [{bits: k / sum(one.values()) for bits, k in one.items()} for one in block.counts]
        error = shot_error(operator, bases, shares, run.request.shots, block.flips)
        return from_shots(seen[0], error, exact, predicted)
    return interval(seen, exact, predicted)
