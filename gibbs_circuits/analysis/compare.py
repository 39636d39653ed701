"""A run held against the exact answer: distances, intervals, ledger, baselines, verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ..backends import Compiled, RunResult
from ..backends.noisy_channel import NoisyPrediction, try_noisy_prediction
from ..backends.request import ENERGY
from ..compiler import ErrorTerm, Program, Rung, Status
from ..exact import Certificate, certificate, channel_certificate
from ..generators.channels import DiscreteChannel
from ..limits import MAX_CHANNEL_QUBITS, MAX_DENSE_QUBITS, MAX_NOISY_QUBITS
from ..readings import Prediction, predict, state_after_sweeps
from ..readings.counts import from_counts, shot_error
from ..rendering import Printed
from ..spectrum import (
    Array,
    Real,
    Thermal,
    fidelity,
    gibbs_state,
    thermal,
    trace_distance,
)
from ..status import number
from ..tuning.ledger import Ledger, Shift, ledger
from ..tuning.rungs import RungSlope, measured_rungs
from .baselines import UnitaryLoop, best_product_distance, unitary_loop
from .estimate import Estimate, from_shots, interval
from .predicted import expectation, final_state, predicted_values
from .report import tables
from .thermometry import Temperature, beta_effective, temperature
from .verdict import Reason, Scale, Verdict, judge, scale

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Printed):
    """Everything that is known of a run; prints itself, in a terminal and in a notebook."""

    run: RunResult
    target_error: float
    certificate: Certificate
    exact: Thermal | None
    observables: dict[str, Estimate]
    trace_distance: float | None
    fidelity: float | None
    distances: Real | None  # measured, after 0, 1, … sweeps
    energies: Real | None
    prediction: Prediction | None
    noisy: NoisyPrediction | None  # the same with the target's gate noise, if it has any
    beta_effective: Estimate | None
    ledger: Ledger
    rungs: tuple[RungSlope, ...]
    best_product_distance: float | None
    diagonal_distance: float | None
    initial_distance: float | None
    loop: tuple[UnitaryLoop, UnitaryLoop] | None
    verdict: Verdict
    reasons: tuple[Reason, ...]
    temperature: Temperature

    @property
    def energy(self) -> Estimate:
        """The energy of the final state."""
        return self.observables[ENERGY]

    def _parts(self) -> Sequence[RenderableType]:
        return [tables(self)]

    def _in_words(self) -> str:
        far = "" if self.trace_distance is None else f"trace distance {number(self.trace_distance)}, "
        exact = "" if self.energy.exact is None else f", exact {number(self.energy.exact)}"
        word = self.verdict.value.replace("_", " ")
        return f"Comparison({word}: {far}energy {number(self.energy.value)}{exact}; print it for the report)"


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
    cert = _certificate(program) if known else Certificate()
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


def _certificate(program: Program) -> Certificate:
    generator = program.generator
    return channel_certificate(generator) if isinstance(generator, DiscreteChannel) else certificate(generator)


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


def gate_noise(compiled: Compiled, mean: Array | None, noisy: NoisyPrediction | None) -> Shift:
    """What the gate noise of a target does to the state after all sweeps.

    Args:
        compiled: A program on a target, with the preparation of its start.
        mean: The exact state without noise; None where it is not known.
        noisy: The exact channel with noise, from that start; None where it is not known.
    """
    if not compiled.device.errors_known:
        return Shift(Rung.NOISE, None, Status.NOT_CHECKED, "the errors of the target are not known")
    if not compiled.errors.present:
        return Shift(Rung.NOISE, None, Status.PROVED, "the target has no gate noise", 0.0)
    if mean is None or noisy is None:
        source = (
            f"the exact channel with noise takes at most {MAX_NOISY_QUBITS} qubits, {MAX_CHANNEL_QUBITS} of the system,"
            " and ancillas that are reset"
        )
        return Shift(Rung.NOISE, None, Status.NOT_CHECKED, source)
    source = "exact mean with the target's gate noise against the one without"
    return Shift(Rung.NOISE, noisy.states[-1] - mean, Status.MEASURED, source)


def compiled_ledger(compiled: Compiled, start: Array, noisy: NoisyPrediction | None) -> Ledger:
    """The ledger of a program on its target before it runs: without shots, noise included."""
    program = compiled.program
    known = compiled.errors.present and program.num_system <= MAX_CHANNEL_QUBITS
    mean = state_after_sweeps(program, start) if known else None
    return ledger(program, start, extra=(gate_noise(compiled, mean, noisy),))


def _ledger(
    run: RunResult,
    energy: Estimate,
    prediction: Prediction | None,
    noisy: NoisyPrediction | None,
    states: Array | None,
) -> Ledger:
    compiled, program = run.request.compiled, run.program
    if run.request.shots or run.request.estimated:
        source = "half width of the 95 % interval of the energy, scatter between random draws included"
        shots = ErrorTerm(Rung.SHOTS, (energy.high - energy.low) / 2, "energy", Status.MEASURED, source)
    else:
        shots = ErrorTerm(Rung.SHOTS, 0.0, "energy", Status.PROVED, "exact expectation values")
    if prediction is None:
        return Ledger((*program.declared, gate_noise(compiled, None, None).line, shots))
    start = run.request.initial.density(program.num_system)
    if program.num_system > MAX_CHANNEL_QUBITS:
        return ledger(program, start, extra=(gate_noise(compiled, None, None),), others=(shots,))
    mean = state_after_sweeps(program, start)
    noise = gate_noise(compiled, mean, noisy)
    found = [noise]
    if states is not None and noise.status is not Status.NOT_CHECKED:
        with_noise = mean if noise.matrix is None else mean + noise.matrix
        source = f"mean of {len(run.blocks)} draws against the exact mean over random steps"
        found.append(Shift(Rung.DELAYS, states[-1] - with_noise, Status.MEASURED, source))
    return ledger(program, start, extra=found, others=(shots,), measured=None if states is None else states[-1])
