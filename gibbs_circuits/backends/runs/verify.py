"""The check of a target, performed: one sweep on the target, held against the exact channel."""

from __future__ import annotations

from collections.abc import Sequence

from ...linalg.arrays import Array
from ..measurement.counts import from_counts, shot_error
from ..measurement.measurement import as_weights, full_circuit, measured, outcome_probabilities, rotations
from ..measurement.shots import Block, Counts
from ..simulators.engine import shot_seed
from ..transpile.compiled import Compiled
from .aer import density_states, sampled, simulated_form
from .expected_sweep import Check, OneSweep, check_result
from .request import Request

CHECK_SHOTS = 4000  # of a simulation, where they cost next to nothing


def aer_check(request: Request) -> Check | None:
    """The check of a simulation that Aer runs directly.

    Raises:
        BackendError: If it fails.
    """
    sweep, choice = request.sweep, request.choice
    if sweep is None or choice is None:
        return None
    name, small = request.compiled.device.name, simulated_form(sweep.compiled, choice)
    if sweep.predicted is None:
        return check_result(sweep, None, None, 0, name, simulated=True)
    if choice.method == "density_matrix":
        state = density_states(small, (), choice)[-1]
        return check_result(sweep, None, state, 0, name, simulated=True)
    turns, body = rotations(request.compiled.device), full_circuit(small, ())
    circuits = [measured(body, basis, small.system_qubits, turns) for basis in request.bases]
    found = sampled(small, circuits, CHECK_SHOTS, choice, shot_seed(request.seed, 0, 4))
    z = z_scores(request, sweep, small, sweep.predicted, [one.counts for one in found])
    return check_result(sweep, z, None, CHECK_SHOTS, name, simulated=True)


def block_check(request: Request, block: Block | None) -> Check | None:
    """The check of a service, from what it measured; None: of the circuit alone, where there are no counts to compare.

    Raises:
        BackendError: If a simulation fails it; a device that differs from what it reports is said to, no more.
    """
    sweep, device = request.sweep, request.compiled.device
    if sweep is None:
        return None
    z, simulated = None, request.compiled.device.local
    if sweep.predicted is not None and block is not None:
        z = z_scores(request, sweep, sweep.compiled.compact(), sweep.predicted, block.counts)
    shots = sum(block.counts[0].values()) if block is not None and block.counts else 0
    return check_result(sweep, z, None, shots, device.name, simulated=simulated)


def z_scores(
    request: Request, sweep: OneSweep, small: Compiled, predicted: Array, counts: Sequence[Counts]
) -> dict[str, float]:
    """(value − predicted) / standard error of the shots, by observable."""
    turns, bases = rotations(request.compiled.device), request.bases
    weights = [as_weights(outcome_probabilities(predicted, basis, small.errors, turns)) for basis in bases]
    found = {}
    for name, operator in request.observables.items():
        away = from_counts(operator, bases, counts) - from_counts(operator, bases, weights)
        shots = min((sum(one.values()) for one in counts), default=1)
        error = shot_error(operator, bases, weights, shots)
        largest = float(abs(operator.coeffs).max())  # its unit is the user's
        found[name] = away / error if error > 1e-12 * largest else (0.0 if abs(away) <= 1e-9 * largest else 1e3)
    return found
