"""Readout errors undone: unbiased in closed form, and on a snapshot whose readout is bad."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from qiskit.quantum_info import SparsePauliOp

from gibbs_circuits.analysis.comparison.compare import compare
from gibbs_circuits.analysis.estimators.expected import predicted_values
from gibbs_circuits.backends.measurement.counts import from_counts, parity_mean, shot_error
from gibbs_circuits.backends.measurement.measurement import outcome_probabilities, rotations
from gibbs_circuits.backends.runs.prepare import request_run
from gibbs_circuits.backends.runs.request import Request
from gibbs_circuits.backends.runs.run import RunResult, collect
from gibbs_circuits.backends.runs.store import Memory
from gibbs_circuits.backends.services.options import ClientOptions
from gibbs_circuits.backends.simulators.noisy_channel import noisy_states
from gibbs_circuits.backends.targets.ibm import IbmTarget
from gibbs_circuits.errors import BackendError
from gibbs_circuits.programs.initial_state import zero
from tests.examples import build, ising
from tests.strategies import moderate

EXACT = 1e-10
REALISATIONS = 12
LIMIT = scipy.stats.t.isf(3e-5, REALISATIONS - 1)  # of |z|: a false alarm in 16,000 runs; every seed is fixed
BAD = {0: (0.15, 0.02), 1: (0.2, 0.12)}  # P(1|0) and P(0|1) by system qubit


def misread(p: np.ndarray, flips: np.ndarray) -> np.ndarray:
    """Every bit read through its own confusion matrix, by hand; qubit 0 is the lowest bit."""
    whole = np.eye(1)
    for up, down in flips:
        whole = np.kron([[1 - up, down], [up, 1 - down]], whole)
    return np.asarray(whole @ p)


def as_dict(p: np.ndarray) -> dict[str, float]:
    width = round(np.log2(len(p)))
    return {format(k, f"0{width}b"): float(x) for k, x in enumerate(p)}


@st.composite
def readouts(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, str]:
    n = draw(st.integers(1, 4))
    weights = draw(st.lists(st.floats(0.01, 1.0), min_size=2**n, max_size=2**n))
    flips = draw(st.lists(st.tuples(st.floats(0.0, 0.4), st.floats(0.0, 0.4)), min_size=n, max_size=n))
    label = draw(st.text("IXYZ", min_size=n, max_size=n).filter(lambda text: set(text) != {"I"}))
    return np.array(weights) / np.sum(weights), np.array(flips), label


@moderate
@given(readouts())
def test_parity_mean__flips__are_undone_in_the_mean(case: tuple[np.ndarray, np.ndarray, str]) -> None:
    p, flips, label = case
    signs = [
        (-1) ** sum(k >> q & 1 for q, letter in enumerate(reversed(label)) if letter != "I") for k in range(len(p))
    ]
    assert parity_mean(as_dict(misread(p, flips)), label, flips) == pytest.approx(np.dot(signs, p), abs=EXACT)
    assert parity_mean(as_dict(p), label) == pytest.approx(np.dot(signs, p), abs=EXACT)


def test_parity_mean__without_flips__is_biased() -> None:
    # the control: |1⟩ read as 0 with probability 0.15 has ⟨Z⟩ = −0.7 here, not −1; and exchanged flips do not mend it
    p, flips = np.array([0.0, 1.0]), np.array([[0.02, 0.15]])
    seen = as_dict(misread(p, flips))
    assert parity_mean(seen, "Z") == pytest.approx(-0.7, abs=EXACT)
    assert parity_mean(seen, "Z", flips) == pytest.approx(-1.0, abs=EXACT)
    assert abs(parity_mean(seen, "Z", flips[:, ::-1]) + 1.0) > 0.05


def test_from_counts__flips_and_spread__are_those_of_the_closed_form() -> None:
    H, flips = SparsePauliOp(["ZZ", "IZ", "II"], [0.7, -0.4, 2.0]), np.array([BAD[0], BAD[1]])
    p = np.array([0.4, 0.3, 0.2, 0.1])
    seen = misread(p, flips)
    exact = 2.0 + 0.7 * (0.4 - 0.3 - 0.2 + 0.1) - 0.4 * (0.4 - 0.3 + 0.2 - 0.1)
    assert from_counts(H, ["ZZ"], [as_dict(seen)], flips) == pytest.approx(exact, abs=EXACT)
    value = []
    for k in range(4):  # what each outcome counts as
        z = [((1 - d + u) / (1 - u - d), -(1 - u + d) / (1 - u - d))[k >> q & 1] for q, (u, d) in enumerate(flips)]
        value.append(0.7 * z[0] * z[1] - 0.4 * z[0])
    spread = np.sqrt((np.dot(seen, np.square(value)) - np.dot(seen, value) ** 2) / 50)
    assert shot_error(H, ["ZZ"], [as_dict(seen)], 50, flips) == pytest.approx(spread, abs=EXACT)


# on a snapshot whose readout is made bad


@lru_cache
def request(*, mitigated: bool) -> Request:
    options = ClientOptions(measurement_mitigation=mitigated)
    on = IbmTarget(name="bad readout", kind="ibm", device="fake_lagos_v2", options=options)
    program = build(ising(2), sweeps=1, nodes=2, random_delays=False)
    asked = request_run(program, on, zero(2), {}, 8000 * REALISATIONS, REALISATIONS, 3)
    placed = {asked.compiled.system_qubits[q]: flips for q, flips in BAD.items()}
    errors = replace(asked.compiled.errors, readout={**asked.compiled.errors.readout, **placed})
    return replace(asked, compiled=replace(asked.compiled, errors=errors), sweep=None)


@lru_cache
def finished(*, mitigated: bool) -> RunResult:
    asked = request(mitigated=mitigated)
    return RunResult(asked, collect(asked, Memory()))


def predictions() -> dict[bool, float]:
    """With and without the readout."""
    rho = noisy_states(request(mitigated=False).compiled)[-1]
    return {mitigated: predicted_values(request(mitigated=mitigated), rho)["energy"] for mitigated in (False, True)}


def test_predicted__readout__is_left_out_where_it_is_mitigated() -> None:
    asked = request(mitigated=False)
    rho, turns = noisy_states(asked.compiled)[-1], rotations(asked.compiled.device)
    small = asked.compiled.errors.on(asked.compiled.wires)
    clean = outcome_probabilities(rho, "ZZ", small, turns, readout=False)
    flips = np.array([BAD[0], BAD[1]])
    assert np.abs(outcome_probabilities(rho, "ZZ", small, turns) - misread(clean, flips)).max() < EXACT
    found = predictions()
    assert found[True] < found[False] - 0.1


@pytest.mark.parametrize("mitigated", [False, True])
def test_energy__mitigated_or_not__agrees_with_its_own_prediction_only(mitigated: bool) -> None:
    found, expected = compare(finished(mitigated=mitigated), baselines=False).energy, predictions()
    assert found.predicted == pytest.approx(expected[mitigated], abs=EXACT)
    assert found.z is not None
    assert abs(found.z) <= LIMIT
    error = (found.value - expected[mitigated]) / found.z
    assert abs((found.value - expected[not mitigated]) / error) > LIMIT  # the control


def test_calibration__flips__are_measured_beside_every_realisation() -> None:
    shots, h = 8000, finished(mitigated=True)
    assert all(block.flips is None for block in finished(mitigated=False).blocks)
    mean = np.mean([block.flips for block in h.blocks if block.flips is not None], axis=0)
    assert mean.shape == (2, 2)
    for q, (up, down) in BAD.items():
        for seen, p in zip(mean[q], (up, down), strict=True):
            # an x that fails, with probability below 1e-3, is taken for a readout error
            assert abs(seen - p) <= 4 * np.sqrt(p * (1 - p) / (shots * REALISATIONS)) + 1e-3
    assert len({block.flips.tobytes() for block in h.blocks if block.flips is not None}) == REALISATIONS


def test_calibration__readout_that_says_nothing__is_refused() -> None:
    asked = request(mitigated=True)
    errors = replace(asked.compiled.errors, readout=dict.fromkeys(asked.compiled.system_qubits, (0.5, 0.5)))
    asked = replace(asked, compiled=replace(asked.compiled, errors=errors), shots=1600)
    with pytest.raises(BackendError, match=r"says nothing.*Fix:"):
        collect(asked, Memory())
