"""What is divided, doubled or keyed in one place: each figure counted once more by hand."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from qiskit import ClassicalRegister
from qiskit.primitives import BaseEstimatorV2
from qiskit.quantum_info import SparsePauliOp

import gibbs_circuits as gc
from gibbs_circuits.analysis.estimators.expected import predicted_values
from gibbs_circuits.analysis.estimators.interval import interval
from gibbs_circuits.analysis.estimators.target import placement_rows
from gibbs_circuits.backends.devices.errors import Errors, log_success
from gibbs_circuits.backends.measurement.counts import from_counts, shot_error
from gibbs_circuits.backends.measurement.measurement import Event, jump_events, outcome_probabilities, rotations
from gibbs_circuits.backends.runs.prepare import forecast_run, request_run
from gibbs_circuits.backends.runs.usage import Usage, refuse_cost, usage
from gibbs_circuits.backends.services.options import ClientOptions
from gibbs_circuits.backends.simulators.forecast import Forecast, forecast, memory_bytes
from gibbs_circuits.backends.targets.base import Machine
from gibbs_circuits.backends.targets.ibm import IbmTarget
from gibbs_circuits.backends.targets.own import target_of
from gibbs_circuits.backends.transpile.compiled import Compiled
from gibbs_circuits.backends.transpile.transpile import compile_for
from gibbs_circuits.errors import TooLargeError
from gibbs_circuits.io.progress import spelled
from gibbs_circuits.programs.initial_state import zero
from gibbs_circuits.programs.program import Calibration, Guarantee, Stage
from gibbs_circuits.programs.steps import Couple, Reset
from gibbs_circuits.readings.circuits.cost import cost
from gibbs_circuits.search.cache import key
from gibbs_circuits.search.task import SearchTask
from tests.examples import build, ising

# standard errors


def chances(bits: int, seed: int) -> dict[str, float]:
    p = np.random.default_rng(seed).random(2**bits)
    return {format(k, f"0{bits}b"): float(x) for k, x in enumerate(p / p.sum())}


@pytest.mark.parametrize("bases", [("ZZ",), ("ZZ", "ZX"), ("ZZ", "ZX", "ZY")])
def test_shot_error__is_the_spread_of_one_shot__over_every_outcome(bases: tuple[str, ...]) -> None:
    """By brute force: every outcome of one shot in every basis, a term that several bases cover averaged over them."""
    operator = SparsePauliOp(["ZI", "ZZ", "IX", "II"], [0.7, -0.4, 0.3, 5.0])
    terms = [(label, c) for label, c in operator.to_list() if "X" not in label or any("X" in b for b in bases)]
    operator = SparsePauliOp([label for label, _ in terms], [c for _, c in terms])
    weights = [chances(2, seed) for seed in range(len(bases))]
    values, likely = [], []
    for shots in itertools.product(*(list(one) for one in weights)):
        total = 0.0
        for label, c in terms:
            seen = [
                (-1) ** sum(bits[i] == "1" for i in range(2) if label[i] != "I")
                for basis, bits in zip(bases, shots, strict=True)
                if all(a in ("I", b) for a, b in zip(label, basis, strict=True))
            ]
            total += float(np.real(c)) * sum(seen) / len(seen)
        values.append(total)
        likely.append(np.prod([w[bits] for w, bits in zip(weights, shots, strict=True)]))
    mean = float(np.dot(likely, values))
    spread = float(np.sqrt(np.dot(likely, (np.array(values) - mean) ** 2)))
    assert from_counts(operator, bases, weights) == pytest.approx(mean, abs=1e-12)
    assert shot_error(operator, bases, weights, 1) == pytest.approx(spread, abs=1e-12)
    assert shot_error(operator, bases, weights, 400) == pytest.approx(spread / 20, abs=1e-12)


# what a device is paid for


@lru_cache
def on_device(*, mitigated: bool = False, per_job: int = 3) -> tuple[Compiled, Machine]:
    options = ClientOptions(measurement_mitigation=mitigated)
    on = IbmTarget(name="a", kind="ibm", device="fake_lagos_v2", options=options, realisations_per_job=per_job)
    machine = on.open()
    return compile_for(build(ising(2), sweeps=1, nodes=2, random_delays=(0, 1)), machine, zero(2)), machine


@pytest.mark.parametrize("mitigated", [False, True])
@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(("shots", "realisations", "bases"), [(1000, 6, 2), (1001, 5, 3)])
def test_usage__counts_circuits_shots_and_jobs__by_hand(
    mitigated: bool, check: bool, shots: int, realisations: int, bases: int
) -> None:
    """Every realisation in every basis; all-zeros and all-ones of each for the readout; one sweep in every basis."""
    found = usage(*on_device(mitigated=mitigated), 1, shots, realisations, bases, check=check)
    assert found is not None
    circuits = 0
    for _ in range(realisations):
        circuits += bases
        circuits += 2 if mitigated else 0
    circuits += bases if check else 0
    assert found.circuits == circuits
    assert found.shots == {(1000, 6): 167, (1001, 5): 201}[shots, realisations]
    assert found.jobs == {(6, False): 2, (6, True): 3, (5, False): 2, (5, True): 2}[realisations, check]
    assert found.qpu_seconds == pytest.approx(2 * found.jobs + circuits * found.shots * found.shot_seconds)
    wait = on_device()[0].device.seconds_between_shots
    assert wait > 0
    assert found.shot_seconds == pytest.approx(found.circuit_seconds + wait)


def test_usage__is_the_mean_over_draws__of_scheduled_circuits() -> None:
    """Four draws at most, each on its own: their durations differ, since the delays do."""
    compiled, machine = on_device()
    several = usage(compiled, machine, 1, 100, 4, 1)
    assert several is not None
    hardware = compiled.device.hardware
    lengths = []
    for k in range(4):
        qc = compiled.circuit(1, k)
        qc.add_register(ClassicalRegister(2))
        qc.measure(list(compiled.system_qubits), [0, 1])
        lengths.append(qc.estimate_duration(hardware, "s"))
    assert len(set(lengths)) > 1
    assert several.circuit_seconds == pytest.approx(np.mean(lengths), rel=1e-9)


def test_refuse_cost__says_so_just_beyond__and_not_at_the_limit() -> None:
    free = IbmTarget(name="a", kind="ibm", device="fake_lagos_v2", max_qpu_seconds=10.0).open()
    on = replace(free, max_qpu_seconds=10.0)  # as a device of the service has it
    spent = Usage(1e-6, 1e-4, 3, 100, 1, 10.0)
    refuse_cost(spent, on)
    refuse_cost(None, on)
    with pytest.raises(TooLargeError, match=r"3 circuits, 100 shots of 0\.1 ms each, 1 jobs"):
        refuse_cost(replace(spent, qpu_seconds=10.001), on)
    refuse_cost(replace(spent, qpu_seconds=10.001), free)  # a snapshot costs nothing


# what a search is kept by


def asked(**changes: Any) -> SearchTask:
    of = gc.dll(gc.models.mixed_field_ising(2, J=1, h=0.9, g=0.5), 1.0, "Y")
    made: dict[str, Any] = {
        "generator": of, "target_error": 0.3, "guarantee": Guarantee.GIVEN_START, "calibration": Calibration.PATCH,
        "start": np.array([1, 0, 0, 0], complex), "effort": 1 / 60, "seed": 1, "sites": zero(2).site_states(2),
    }  # fmt: skip
    return SearchTask(**{**made, **changes})


def other(beta: float = 1.0, couplings: str = "Y", g: float = 0.5, **named: Any) -> gc.Lindbladian:
    return gc.dll(gc.models.mixed_field_ising(2, J=1, h=0.9, g=g), beta, couplings, **named)


CHANGES: dict[str, dict[str, Any]] = {
    "target": {"target_error": 0.300001},
    "calibration": {"calibration": Calibration.DERIVED},
    "effort": {"effort": 1.5},
    "seed": {"seed": 2},
    "error_rates": {"error_rates": (1e-3, 1e-2)},
    "randomness": {"classical_randomness": True},
    "start": {"start": np.array([0, 1, 0, 0], complex)},
    "sites": {"sites": (np.array([1, 0], complex), np.array([0, 1], complex))},
    "no_product": {"sites": None},
    "mixed": {"start": None},
    "beta": {"generator": other(beta=1.0001)},
    "model": {"generator": other(g=0.50001)},
    "couplings": {"generator": other(couplings="X")},
    "filter": {"generator": other(filter="metropolis")},
    "coherent": {"generator": other(coherent="none")},
    "kind": {"generator": gc.ckg(gc.models.mixed_field_ising(2, J=1, h=0.9, g=0.5), 1.0, "Y")},
}


@pytest.mark.parametrize("case", CHANGES)
def test_key__is_another__for_each_part_of_the_question_alone(case: str) -> None:
    assert key(asked(**CHANGES[case])) != key(asked())


@pytest.mark.parametrize("start", [None, np.array([1, 0, 0, 0], complex)])
def test_key__is_another__for_the_guarantee_alone(start: np.ndarray | None) -> None:
    """From a mixed start nothing else in the key tells a sampler from a preparation."""
    first = asked(start=start, sites=None)
    assert key(first) != key(replace(first, guarantee=Guarantee.ANY_START))


def test_key__is_the_same__for_the_same_question_and_a_start_that_no_sampler_sees() -> None:
    assert key(asked()) == key(asked())
    sampler = {"guarantee": Guarantee.ANY_START}
    assert key(asked(**sampler)) == key(asked(**sampler, start=None, sites=None))


# what a run is foretold to take


def foretold(**changes: Any) -> Forecast:
    given: dict[str, Any] = {
        "one_qubit_gates": 40.0, "two_qubit_gates": 30.0, "resets": 10.0, "depth": None, "method": "statevector",
        "expected_fidelity": 0.6,
    }  # fmt: skip
    return forecast(build(ising(2), sweeps=5), **{**given, **changes})


def seconds(method: str, **changes: Any) -> float:
    return next(one.seconds for one in foretold(**changes).simulations if one.method == method)


def test_forecast__expects_no_error__in_any_of_the_three_kinds() -> None:
    on = gc.AerTarget.model_validate({"name": "n", "kind": "aer", "noise": {"p1": 1e-3, "p2": 1e-2, "reset": 5e-2}})
    whole = compile_for(build(ising(2), sweeps=1, nodes=2), on, zero(2))
    counts, found = whole.counts, forecast_run(whole, 1)
    expected = 0.999**counts.one_qubit * 0.99**counts.two_qubit * 0.95**counts.resets
    assert found.expected_fidelity == pytest.approx(expected, rel=1e-12)
    assert foretold().fidelity_per_sweep ** 5 == pytest.approx(0.6, rel=1e-12)
    assert math.exp(2 * log_success(0.5) + log_success(0.1)) == pytest.approx(0.225)


SCALES: dict[str, tuple[str, dict[str, Any], dict[str, Any], Callable[[float], bool]]] = {
    "density_realisations": ("density_matrix", {}, {"realisations": 3}, lambda x: abs(x - 3) < 1e-9),
    "density_bases": ("density_matrix", {}, {"bases": 5, "shots": 900}, lambda x: abs(x - 1) < 1e-9),
    "vector_bases": ("statevector", {"shots": 900}, {"shots": 900, "bases": 2}, lambda x: abs(x - 2) < 1e-9),
    "vector_shots": ("statevector", {"shots": 10**9}, {"shots": 2 * 10**9}, lambda x: abs(x - 2) < 1e-3),
    "vector_writing": ("statevector", {"shots": 1}, {"shots": 1, "realisations": 10}, lambda x: abs(x - 10) < 0.1),
    "mps_bases": ("matrix_product_state", {"shots": 9}, {"shots": 9, "bases": 3}, lambda x: abs(x - 3) < 1e-9),
    "resets": ("density_matrix", {}, {"resets": 50.0}, lambda x: abs(x - 2) < 1e-9),
    "one_qubit": ("density_matrix", {}, {"one_qubit_gates": 640.0}, lambda x: abs(x - 4) < 1e-9),
    "few_one_qubit": ("density_matrix", {}, {"one_qubit_gates": 159.0}, lambda x: abs(x - 1) < 1e-9),
    "noise": ("statevector", {"shots": 10**6}, {"shots": 10**6, "noisy": True}, lambda x: x > 5),
    "noise_elsewhere": ("density_matrix", {}, {"noisy": True}, lambda x: abs(x - 1) < 1e-9),
}


@pytest.mark.parametrize("case", SCALES)
def test_forecast__seconds_grow__as_the_work_does(case: str) -> None:
    method, before, after, holds = SCALES[case]
    assert holds(seconds(method, **after) / seconds(method, **before))


@pytest.mark.parametrize(("method", "each"), [("density_matrix", 4.0), ("statevector", 2.0)])
def test_forecast__seconds_beyond_the_table__grow_per_qubit(method: str, each: float) -> None:
    ratio = seconds(method, qubits=32, shots=10**9) / seconds(method, qubits=30, shots=10**9)
    assert ratio == pytest.approx(each**2, rel=1e-3)


def test_memory__is_that_of_the_state__by_hand() -> None:
    assert memory_bytes("density_matrix", 3) == 16 * 64
    assert memory_bytes("statevector", 3) == 16 * 8
    assert memory_bytes("matrix_product_state", 3) == 16 * 2 * (1 * 2 + 2 * 2 + 2 * 1)
    assert memory_bytes("matrix_product_state", 4, 2) == 16 * 2 * (1 * 2 + 2 * 2 + 2 * 2 + 2 * 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5 s"), (99.0, "99 s"), (119.0, "119 s"), (120.0, "2 min"), (7199.0, "120 min"), (7200.0, "2 h"),
     (360_000.0, "100 h")],
)  # fmt: skip
def test_spelled__has_the_unit_people_use__at_its_edges(value: float, text: str) -> None:
    assert spelled(value) == text


# what is compared with what


def test_placement_rows__compare_with_the_transpiled_count__not_with_the_formula() -> None:
    """XX + YY + ZZ on a pair: the formula counts six gates where three are needed, so that a lattice looked cheap."""
    of = gc.dll(gc.models.heisenberg(2), 1.0, "X")
    program = gc.compile(of, "parallel", sweeps=2, strength=0.5, spacing=0.6, nodes=3, random_delays=False)
    lattice = gc.AerTarget.model_validate({"name": "hex", "kind": "aer", "coupling": {"heavy_hex": 3}})
    on, free = (compile_for(program, one, zero(2)) for one in (lattice, gc.AerTarget(name="any", kind="aer")))
    counted = [sum(len(item.qubits) == 2 for item in one.circuit(1).data) for one in (on, free)]
    ratio = dict(placement_rows(on))["two-qubit gates, times those of all-to-all"]
    assert ratio == f"{counted[0] / counted[1]:.2f}"
    assert counted[0] >= counted[1]
    assert counted[1] < cost(program).two_qubit_gates  # the control: the formula would be another number


def test_report__shows_every_check_and_the_temperature__a_run_that_is_too_hot() -> None:
    of = gc.dll(gc.models.mixed_field_ising(2), 1.0, "Y")
    program = gc.compile(of, "parallel", sweeps=1, strength=1e-6, spacing=0.6, nodes=3, random_delays=False)
    text = " ".join(str(gc.compare(gc.run(program, initial="mixed"), 0.05)).split())
    assert "Verdict: disagrees (trace_distance 0." in text
    assert "Temperature: too hot: β = " in text
    assert "what cooling takes from it" in text
    assert "spectral width" not in text


# what is measured


LETTERS = {
    "Z": np.eye(2),
    "X": np.array([[1, 1], [1, -1]]) / np.sqrt(2),
    "Y": np.array([[1, 1], [1j, -1j]]) / np.sqrt(2),
}
FLIPS = {0: (0.1, 0.2), 1: (0.03, 0.3)}  # P(1|0) and P(0|1): all four differ


@pytest.mark.parametrize("basis", ["ZZ", "XZ", "ZX", "YX"])
@pytest.mark.parametrize("readout", [True, False])
def test_outcome_probabilities__are_borns_and_misread__qubit_by_qubit(basis: str, readout: bool) -> None:
    rng = np.random.default_rng(6)
    a = rng.standard_normal((4, 4)) + 1j * rng.standard_normal((4, 4))
    rho = a @ a.conj().T / np.trace(a @ a.conj().T)
    vectors = np.kron(LETTERS[basis[0]], LETTERS[basis[1]])  # the leftmost letter is qubit 1
    true = np.real(np.diag(vectors.conj().T @ rho @ vectors))
    seen = np.zeros(4)
    for k, p in enumerate(true):
        for m in range(4):
            chance = 1.0
            for q, (up, down) in FLIPS.items():
                was, read = k >> q & 1, m >> q & 1
                wrong = down if was else up
                chance *= wrong if was != read else 1 - wrong
            seen[m] += p * chance
    turns = rotations(gc.AerTarget(name="any", kind="aer").open(2).device)
    found = outcome_probabilities(rho, basis, Errors(readout=FLIPS), turns, readout=readout)
    assert found == pytest.approx(seen if readout else true, abs=1e-12)
    assert not np.allclose(seen, true, atol=1e-3)  # the control: misreading matters here


class Mitigating(BaseEstimatorV2):
    """An estimator of a service: its values have the readout taken out, and nobody here asks for them."""

    def run(self, pubs: Any, *, precision: float | None = None) -> Any:
        raise NotImplementedError


def test_predicted_values__leave_the_readout_out__for_an_estimator_that_mitigates_it() -> None:
    noisy = gc.AerTarget.model_validate({"name": "n", "kind": "aer", "noise": {"p1": 0, "p2": 0, "readout": 0.1}})
    program = build(ising(2), sweeps=1, nodes=2, random_delays=False)
    request = request_run(program, noisy, zero(2), {}, 100, 2, 1)
    rho = gc.gibbs_state(ising(2).model, 1.0)
    true = float(np.real(np.trace(rho @ ising(2).model.hamiltonian.to_matrix())))
    mitigating = target_of(Mitigating()).open()
    assert predicted_values(replace(request, machine=mitigating), rho)["energy"] == pytest.approx(true, abs=1e-9)
    assert predicted_values(request, rho)["energy"] > true + 0.1  # counts do have it


def test_interval__z_is_in_standard_errors__three_blocks() -> None:
    estimate = interval([1.0, 2.0, 3.0], predicted=1.25)
    assert estimate.z == pytest.approx((2.0 - 1.25) / np.sqrt(1 / 3), rel=1e-12)
    assert interval([2.0, 2.0], predicted=1.0).z is None
    assert interval([2.0], predicted=1.0).z is None


def test_jump_events__forget_what_an_ancilla_was_for__once_it_is_reset() -> None:
    """A second reset, with nothing in between, records an ancilla that was there for nothing."""
    step = Couple((("IX", 1.0),), 0, 0.3, 0.0)
    program = replace(build(ising(2), sweeps=1), num_ancilla=1, stages=(Stage((step, Reset((0,)), Reset((0,))), 2),))
    assert jump_events(program, ()) == (Event(1, 0, "IX"), Event(1, 0, ""), Event(2, 0, "IX"), Event(2, 0, ""))


def test_run_ledger__draws_on_a_noisy_target__are_held_against_the_noisy_mean() -> None:
    run = gc.run(build(ising(2), sweeps=2, nodes=2, random_delays=(0, 3)), "aer_noisy", realisations=3)
    found = gc.compare(run)
    assert found.noisy is not None
    assert run.states is not None
    (line,) = (one for one in found.ledger if one.source.startswith("mean of 3 draws"))
    apart = np.linalg.eigvalsh(run.states[-1] - found.noisy.states[-1])
    assert line.value == pytest.approx(np.abs(apart).sum() / 2, abs=1e-9)
