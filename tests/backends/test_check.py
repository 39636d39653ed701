"""The check of a target: it passes on every simulator, and a wrong gate, layout or error is noticed."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit

from gibbs_circuits.backends.devices.errors import described_errors
from gibbs_circuits.backends.devices.idle import with_decay
from gibbs_circuits.backends.devices.keys import Noise
from gibbs_circuits.backends.runs.aer import simulator
from gibbs_circuits.backends.runs.expected_sweep import Check, generic_start, one_sweep
from gibbs_circuits.backends.runs.prepare import request_run
from gibbs_circuits.backends.runs.remote import check_circuit
from gibbs_circuits.backends.runs.request import Request
from gibbs_circuits.backends.runs.run import collect, collected
from gibbs_circuits.backends.runs.store import Memory
from gibbs_circuits.backends.simulators.method import Choice
from gibbs_circuits.backends.targets.aer import AerTarget, HeavyHex
from gibbs_circuits.backends.targets.ibm import IbmTarget
from gibbs_circuits.backends.targets.registry import load_target
from gibbs_circuits.errors import BackendError
from gibbs_circuits.evidence import Status
from gibbs_circuits.programs.initial_state import bits, mixed, one, zero
from gibbs_circuits.readings.circuits.circuit import Piece
from tests.examples import build, distance, exact_states, ising

LIMIT = 4.0  # standard errors: a false alarm in 16,000 checks, and every seed is fixed
LOUD = Noise(p1=0.01, p2=0.03, reset=0.05, readout=0.05, t1=100.0, t2=80.0)
LATTICE = HeavyHex(heavy_hex=3)


def aer(method: Any, **changes: Any) -> AerTarget:
    return AerTarget(name="t", kind="aer", method=method, **changes)


def request(on: Any, sites: int = 2, start: Any = None, ancillas: str = "automatic", **knobs: Any) -> Request:
    program = build(ising(sites), **{"sweeps": 1, "nodes": 1, **knobs})
    on = load_target(on) if isinstance(on, str) else on
    exact = isinstance(on, AerTarget) and on.method == "density_matrix"
    shots, realisations = (0, 1) if exact else (40, 2)
    return request_run(program, on, start or zero(sites), {}, shots, realisations, 1, ancillas=ancillas)


def checked(asked: Request) -> Check:
    found = collected(asked, Memory())[1]
    assert found is not None
    return found


SIMULATORS: dict[str, Any] = {
    "density": aer("density_matrix"),
    "density, errors": aer("density_matrix", noise=LOUD),
    "density, lattice": aer("density_matrix", noise=LOUD, coupling=LATTICE),
    "vector": aer("statevector"),
    "vector, errors": aer("statevector", noise=LOUD),
    "vector, lattice": aer("statevector", coupling=LATTICE),
    "matrix product": aer("matrix_product_state"),
    "snapshot": "fake_torino",
    "snapshot, other gates": IbmTarget(name="l", kind="ibm", device="fake_lagos_v2"),
    "snapshot, density": "aer_torino",
}


@pytest.mark.parametrize("name", SIMULATORS)
def test_check__simulator__passes(name: str) -> None:
    found = checked(request(SIMULATORS[name]))
    assert found.passed is True
    assert found.status is Status.MEASURED
    assert found.circuit_distance is not None
    assert found.circuit_distance < 1e-10
    assert (found.z is None) is (found.state_distance is not None)


@pytest.mark.parametrize("ancillas", ["fresh", "recorded"])
@pytest.mark.parametrize("start", [one(2), mixed()], ids=["one", "mixed"])
def test_check__ancillas_and_starts__pass(ancillas: str, start: Any) -> None:
    noise = Noise(reset=0.2, p2=0.01, readout=0.02)
    found = checked(request(aer("statevector", noise=noise), start=start, ancillas=ancillas))
    assert found.passed is True
    assert found.z is not None


@pytest.mark.parametrize("scheme", ["sequential", "random_jumps", "thermal_ancilla"])
def test_check__scheme__passes_with_what_the_run_drew(scheme: str) -> None:
    assert checked(request(aer("density_matrix", noise=LOUD), scheme=scheme)).passed is True


def test_one_sweep__expected__is_the_exact_channel_at_the_first_draws() -> None:
    asked = request(aer("density_matrix"), start=one(2), random_delays=(0, 3))
    assert asked.sweep is not None
    assert asked.sweep.expected is not None
    draws = collect(asked, Memory())[0].draws
    start = generic_start(asked.compiled)[0].density(2)
    states = exact_states(asked.compiled.program, start, draws)
    assert np.abs(asked.sweep.expected - states[1]).max() < 1e-10
    assert distance(states[1], states[0]) > 0.01
    assert np.abs(asked.sweep.expected - exact_states(asked.compiled.program, one(2).density(2), draws)[1]).max() > 0.1


# what must fail


def broken(asked: Request, change: Any) -> Request:
    """The request with its first sweep's first block changed, as a wrong transpiler would have."""
    piece, *others = asked.compiled.parts[0]
    worse = Piece([change(piece.options[0])], piece.step, piece.alike)
    compiled = replace(asked.compiled, parts=((worse, *others), *asked.compiled.parts[1:]))
    return replace(asked, compiled=compiled, sweep=one_sweep(compiled, asked.seed))


def one_gate_less(qc: QuantumCircuit) -> QuantumCircuit:
    """Without the gate on a pair in the middle."""
    out = qc.copy_empty_like()
    pairs = [k for k, item in enumerate(qc.data) if item.operation.num_qubits == 2]
    for k, item in enumerate(qc.data):
        if k != pairs[len(pairs) // 2]:
            out.append(item.operation, item.qubits)
    return out


def one_angle_off(qc: QuantumCircuit) -> QuantumCircuit:
    """The rz in the middle turned further by 0.3."""
    out = qc.copy_empty_like()
    turns = [k for k, item in enumerate(qc.data) if item.operation.name == "rz"]
    for k, item in enumerate(qc.data):
        out.append(item.operation, item.qubits)
        if k == turns[len(turns) // 2]:
            out.rz(0.3, item.qubits[0])
    return out


def permuted(asked: Request) -> Any:
    """Ends with two system qubits exchanged: what repeating an unclosed routing would do."""
    a, b = asked.compiled.system_qubits[:2]

    def change(qc: QuantumCircuit) -> QuantumCircuit:
        out = qc.copy()
        for left, right in ((a, b), (b, a), (a, b)):
            out.sx(right)
            out.rz(np.pi / 2, right)
            out.sx(right)
            out.cz(left, right)
            out.sx(right)
            out.rz(np.pi / 2, right)
            out.sx(right)
        return out

    return change


@pytest.mark.parametrize("on", ["density", "density, lattice", "vector", "snapshot"])
@pytest.mark.parametrize("mistake", [one_gate_less, one_angle_off])
def test_check__one_gate_changed__fails(on: str, mistake: Any) -> None:
    with pytest.raises(BackendError, match=r"fails its check.*Fix:") as error:
        collect(broken(request(SIMULATORS[on], nodes=2), mistake), Memory())
    assert "\n" not in str(error.value)


def test_check__permuted_block__fails() -> None:
    asked = request(aer("statevector", coupling=LATTICE), start=bits("01"))
    assert checked(asked).passed is True
    with pytest.raises(BackendError, match="fails its check"):
        collect(broken(asked, permuted(asked)), Memory())


@pytest.mark.parametrize("method", ["density_matrix", "statevector"])
def test_check__other_errors_than_predicted__fails(method: Any) -> None:
    # the target is simulated with errors that the prediction does not know
    asked = request(aer(method, noise=Noise(p2=0.01)))
    assert checked(asked).passed is True
    worse = described_errors(Noise(p2=0.1, readout=0.1), asked.compiled.device.basis)
    assert asked.sweep is not None
    noisier = replace(asked.sweep.compiled, errors=worse)
    with pytest.raises(BackendError, match="fails its check"):
        collect(replace(asked, sweep=replace(asked.sweep, compiled=noisier)), Memory())


def test_check__misread_prediction__fails_on_a_snapshot() -> None:
    asked = request("fake_torino", start=one(2))
    assert asked.sweep is not None
    asked = replace(asked, sweep=replace(asked.sweep, predicted=zero(2).density(2)))
    with pytest.raises(BackendError, match="standard errors"):
        collect(asked, Memory())


# what is too large is not called passed


def test_check__twelve_noisy_qubits__are_not_checked() -> None:
    asked = request(aer("statevector", noise=Noise(p2=1e-3)), sites=6, nodes=1, sweeps=1)
    found = checked(asked)
    assert found.status is Status.NOT_CHECKED
    assert found.passed is None
    assert (found.circuit_distance, found.z, found.state_distance) == (None, None, None)


@pytest.mark.slow
def test_check__twelve_qubits_without_errors__are_sampled() -> None:
    asked = request(aer("statevector"), sites=6, start=bits("000001"), nodes=1, sweeps=1)
    found = checked(asked)
    assert found.passed is True
    assert found.circuit_distance is None
    with pytest.raises(BackendError, match="fails its check"):  # the control
        collect(broken(asked, permuted(asked)), Memory())


def test_check__nothing_known__is_not_called_passed() -> None:
    asked = request(aer("statevector"))
    assert asked.sweep is not None
    nothing = replace(asked.sweep, expected=None, predicted=None, made=None)
    found = checked(replace(asked, sweep=nothing))
    assert found.passed is None
    assert found.status is Status.NOT_CHECKED


def test_check__snapshot__has_the_errors_of_the_qubits_it_names() -> None:
    # a sweep may pass through fewer qubits than the whole program, whose simulator has its errors in another order
    asked = request("fake_torino", sites=3, scheme="random_jumps", sweeps=3, nodes=5)
    asked = replace(asked, sweep=one_sweep(asked.compiled, 2))
    assert asked.sweep is not None
    assert asked.sweep.predicted is not None
    small = asked.compiled.compact()
    qc = with_decay(check_circuit(asked, simulated=True), small.errors)
    qc.save_density_matrix(range(3))
    dense = Choice("density_matrix", "CPU", "")
    made = np.asarray(simulator(small, dense).run(qc).result().data(0)["density_matrix"])
    assert distance(made, asked.sweep.predicted) < 1e-6
    assert asked.sweep.expected is not None
    assert distance(made, asked.sweep.expected) > 0.01  # the control: the errors are felt
