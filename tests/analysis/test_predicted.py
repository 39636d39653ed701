"""What a run on a snapshot should measure, against samples: z over seeds, and errors left out of the prediction."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import scipy.stats

from gibbs_circuits.analysis.comparison.compare import compare
from gibbs_circuits.analysis.estimators.expected import predicted_values
from gibbs_circuits.analysis.estimators.interval import interval
from gibbs_circuits.backends.measurement.counts import from_counts, shot_error
from gibbs_circuits.backends.measurement.measurement import as_weights, outcome_probabilities, rotations
from gibbs_circuits.backends.runs.prepare import request_run
from gibbs_circuits.backends.runs.run import RunResult, collect
from gibbs_circuits.backends.runs.store import Memory
from gibbs_circuits.backends.simulators.noisy_channel import noisy_states
from gibbs_circuits.backends.targets.registry import load_target
from gibbs_circuits.programs.initial_state import zero
from tests.examples import build, ising

EXACT = 1e-10
LIMIT = 4.0  # standard errors: a false alarm in 16,000 numbers, and every seed is fixed
SNAPSHOTS = ["fake_torino", pytest.param("fake_fez", marks=pytest.mark.slow)]


@lru_cache(maxsize=4)
def prepared(name: str) -> Any:
    program = build(ising(2), sweeps=2, nodes=2, random_delays=(0, 1))
    return request_run(program, load_target(name), zero(2), {}, 4800, 12, 1)


def energies(name: str, seed: int) -> list[float]:
    request = replace(prepared(name), seed=seed, sweep=None)
    H = request.observables["energy"]
    return [from_counts(H, request.bases, block.counts) for block in collect(request, Memory())]


@lru_cache(maxsize=4)
def expected_energy(name: str) -> float:
    request = prepared(name)
    return predicted_values(request, noisy_states(request.compiled)[-1])["energy"]


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_predicted__value_of_a_comparison__is_what_is_measured(name: str) -> None:
    request = replace(prepared(name), seed=9, shots=1200)
    found = compare(RunResult(request, collect(request, Memory())), baselines=False).energy
    assert found.predicted == pytest.approx(expected_energy(name), abs=EXACT)
    assert found.z is not None
    assert abs(found.z) <= scipy.stats.t.isf(3e-5, 11)  # a false alarm in 16,000 runs


def z_scores(name: str, predicted: float, seeds: Sequence[int]) -> list[float]:
    found = [interval(energies(name, seed), None, predicted).z for seed in seeds]
    assert None not in found
    return [float(z) for z in found if z is not None]


@pytest.mark.slow
@pytest.mark.parametrize("name", SNAPSHOTS)
def test_predicted__z_over_seeds__is_students(name: str) -> None:
    z = z_scores(name, expected_energy(name), range(8))
    # Kolmogorov and Smirnov: a false alarm in 1,000
    assert scipy.stats.kstest(z, scipy.stats.t(11).cdf).pvalue > 1e-3
    assert abs(np.mean(z)) * np.sqrt(8) <= LIMIT
    assert np.abs(z).max() <= scipy.stats.t.isf(3e-5, 11)


@lru_cache(maxsize=4)
def many_shots(name: str) -> tuple[Any, float]:
    """A request without random steps, and its mean energy over half a million shots per basis."""
    program = build(ising(2), sweeps=2, nodes=2, random_delays=False)
    request = request_run(program, load_target(name), zero(2), {}, 500_000, 2, 1)
    H, blocks = request.observables["energy"], collect(replace(request, sweep=None), Memory())
    return request, float(np.mean([from_counts(H, request.bases, block.counts) for block in blocks]))


@pytest.mark.parametrize("left_out", ["nothing", "readout", "gates"])
@pytest.mark.parametrize("name", SNAPSHOTS)
def test_predicted__errors_left_out__are_noticed(name: str, left_out: str) -> None:
    # readout or gate errors left out of the prediction are the controls: the same samples must disagree with them
    request, seen = many_shots(name)
    errors, turns = request.compiled.errors, rotations(request.compiled.device)
    without = {"readout": replace(errors, readout={}), "gates": replace(errors, here={})}.get(left_out, errors)
    wrong = replace(request, compiled=replace(request.compiled, errors=without))
    rho = noisy_states(wrong.compiled)[-1]
    small = without.on(request.compiled.wires)
    weights = [as_weights(outcome_probabilities(rho, basis, small, turns)) for basis in request.bases]
    error = shot_error(request.observables["energy"], request.bases, weights, 500_000)
    z = (seen - predicted_values(wrong, rho)["energy"]) / error
    assert abs(z) <= LIMIT if left_out == "nothing" else abs(z) > 1.5 * LIMIT
