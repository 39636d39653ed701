"""The forecast: products of probabilities, sizes of states, and seconds that a run bears out."""

import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from gibbs_circuits.backends.devices.errors import described_errors
from gibbs_circuits.backends.devices.keys import Noise
from gibbs_circuits.backends.measurement import measurement
from gibbs_circuits.backends.runs import aer
from gibbs_circuits.backends.runs.prepare import forecast_run
from gibbs_circuits.backends.simulators.forecast import Forecast, forecast
from gibbs_circuits.backends.simulators.method import Choice
from gibbs_circuits.backends.targets.aer import AerTarget
from gibbs_circuits.backends.targets.registry import load_target
from gibbs_circuits.backends.transpile.transpile import compile_for
from gibbs_circuits.errors import ArgumentError
from gibbs_circuits.evidence import Status
from gibbs_circuits.programs.initial_state import zero
from gibbs_circuits.readings.circuits.circuit import random_draws
from tests.examples import build, ising

COUNTS = {"one_qubit_gates": 500.0, "two_qubit_gates": 100.0, "resets": 10.0, "depth": 321.0}


def given(**changed: object) -> Forecast:
    settings = {**COUNTS, "method": "density_matrix", **changed}
    return forecast(build(ising(3), sweeps=5), **settings)  # type: ignore[arg-type]


def test_forecast__fidelity__is_the_chance_of_no_error() -> None:
    rng = np.random.default_rng(1)
    clean = np.ones(20_000, dtype=bool)
    noise = {"p1": 1e-3, "p2": 1e-2, "reset": 5e-3}
    program = build(ising(2), sweeps=2, nodes=2, random_delays=False)
    whole = compile_for(program, AerTarget.model_validate({"name": "n", "kind": "aer", "noise": noise}), zero(2))
    counts = whole.counts
    for count, p in ((counts.one_qubit, 1e-3), (counts.two_qubit, 1e-2), (counts.resets, 5e-3)):
        assert count == round(count) > 0
        for _ in range(round(count)):
            clean &= rng.random(20_000) >= p
    chance = forecast_run(whole, 1).expected_fidelity
    assert 0.1 < chance < 0.9
    assert abs(clean.mean() - chance) < 4 * np.sqrt(chance * (1 - chance) / 20_000)  # false alarm 6e-5
    assert forecast_run(whole, 1).fidelity_per_sweep ** 2 == pytest.approx(chance, abs=1e-12)

    def with_errors(**noise: float) -> float:
        errors = described_errors(Noise(p1=0.0, **noise), whole.device.basis)
        return replace(whole, errors=errors).expected_fidelity

    assert with_errors() == 1
    assert with_errors(reset=0.5) == pytest.approx(0.5**counts.resets, abs=1e-15)
    assert with_errors(p2=1 - 1e-12) < 1e-100


def test_forecast__numbers__are_carried_over() -> None:
    found = given()
    assert (found.sweeps, found.qubits, found.depth) == (5, 6, 321.0)
    assert (found.one_qubit_gates, found.two_qubit_gates, found.resets) == (500, 100, 10)
    assert found.simulation.method == "density_matrix"
    assert found.simulation.status is Status.EXTRAPOLATED
    assert given(depth=None).depth is None


@pytest.mark.parametrize("qubits", [1, 4, 11])
def test_forecast__memory__is_that_of_an_array(qubits: int) -> None:
    found = {one.method: one.memory_bytes for one in given(qubits=qubits).simulations}
    matrix = np.broadcast_to(np.complex128(0), (2**qubits, 2**qubits))
    assert found["density_matrix"] == matrix.size * matrix.itemsize
    assert found["statevector"] == matrix[0].size * matrix.itemsize
    bonds = [min(2**k, 2 ** (qubits - k)) for k in range(qubits + 1)]
    tensors = [np.broadcast_to(np.complex128(0), (2, a, b)) for a, b in pairwise(bonds)]
    assert found["matrix_product_state"] == sum(tensor.size * tensor.itemsize for tensor in tensors)


def test_forecast__seconds__grow_with_qubits_shots_and_draws() -> None:
    def seconds(method: str, **changed: object) -> float:
        return given(method=method, **changed).simulation.seconds

    for method, factor in (("density_matrix", 4.0), ("statevector", 2.0)):
        sizes = [seconds(method, qubits=q, shots=10**6) for q in range(2, 31)]
        assert all(a <= b for a, b in pairwise(sizes))
        assert sizes[-1] / sizes[-2] == pytest.approx(factor, rel=1e-3)
    assert seconds("density_matrix", realisations=7) == pytest.approx(7 * seconds("density_matrix"))
    assert seconds("statevector", qubits=16, shots=4000) > 3.5 * seconds("statevector", qubits=16, shots=1000)
    assert seconds("statevector", bases=3) == pytest.approx(3 * seconds("statevector"))


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"resets": -0.1}, "resets"),
        ({"two_qubit_gates": -1.0}, "two_qubit_gates"),
        ({"qubits": 0}, "qubits"),
    ],
)
def test_forecast__hostile__is_refused_by_name(changed: dict[str, object], name: str) -> None:
    with pytest.raises(ArgumentError, match=name):
        given(**changed)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "sites", "ancillas", "shots"),
    [("density_matrix", 4, 2, 0), ("density_matrix", 5, 3, 0), ("statevector", 6, 4, 300), ("statevector", 8, 4, 100)],
)
def test_forecast__seconds__are_borne_out_by_aer(
    method: str, sites: int, ancillas: int, shots: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    program = build(ising(sites), ancillas=ancillas, nodes=4, random_delays=(2, 2), sweeps=3)
    compiled = compile_for(program, load_target(f"aer_{method}"), zero(sites))
    qc = compiled.circuit(0)
    ops = qc.count_ops()
    two = sum(item.operation.num_qubits == 2 for item in qc.data)
    found = forecast(
        program, one_qubit_gates=ops["sx"], two_qubit_gates=two, resets=ops["reset"], depth=None, method=method,  # type: ignore[arg-type]
        shots=shots,
    )  # fmt: skip
    small, draws = compiled.compact(), random_draws(program, 0)
    choice, turns = Choice(method, "CPU", ""), measurement.rotations(compiled.device)  # type: ignore[arg-type]
    taken = []
    for _ in range(3):
        begun = time.process_time()
        if method == "density_matrix":
            aer.density_states(small, draws, choice)
        else:
            body = measurement.full_circuit(small, draws)
            circuit = measurement.measured(body, "Z" * sites, range(sites), turns)
            aer.sampled(small, [circuit], shots, choice, 0)
        taken.append(time.process_time() - begun)
    assert 1 / 4 < min(taken) / found.simulation.seconds < 4
