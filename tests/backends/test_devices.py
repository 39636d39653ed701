"""Devices: errors as Aer derives them itself, idling as a closed form, the whole noisy channel by hand."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import SXGate
from qiskit.providers import QubitProperties
from qiskit.quantum_info import DensityMatrix, Kraus, SuperOp, partial_trace
from qiskit.transpiler import InstructionProperties
from qiskit.transpiler import Target as Hardware
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, QuantumError

from gibbs_circuits.backends.devices.device import ReportedErrors
from gibbs_circuits.backends.devices.errors import Errors, noise_model
from gibbs_circuits.backends.devices.keys import Durations, Noise, SnapshotNoise
from gibbs_circuits.backends.devices.snapshots import snapshot_backend
from gibbs_circuits.backends.runs.prepare import request_run
from gibbs_circuits.backends.runs.run import collect
from gibbs_circuits.backends.runs.store import Memory
from gibbs_circuits.backends.simulators.noisy_channel import noisy_states
from gibbs_circuits.backends.targets.aer import AerTarget
from gibbs_circuits.backends.targets.registry import load_target
from gibbs_circuits.backends.transpile.compiled import Compiled
from gibbs_circuits.programs.initial_state import InitialState, one, zero
from gibbs_circuits.programs.program import Program
from gibbs_circuits.programs.steps import Couple, Reset
from gibbs_circuits.readings.circuits.circuit import assemble
from tests.examples import build, by_hand, ising

EXACT = 1e-10
SAME_STATE = 1e-6  # relaxation in Aer takes square roots of eigenvalues
LIMIT = 4.0  # standard errors: a false alarm in 16,000 numbers, and every seed is fixed
SNAPSHOTS = ("fake_torino", "fake_fez")
LARGE = pytest.mark.slow  # Aer's own noise model of a hundred qubits takes seconds to make
ONES = ["fake_lagos_v2", *(pytest.param(name, marks=LARGE) for name in SNAPSHOTS)]  # 7 qubits, cx; the others cz
PAULIS = [np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1.0, -1.0])]


@lru_cache(maxsize=4)
def aers(name: str) -> NoiseModel:
    """Aer's own noise model of a snapshot."""
    return NoiseModel.from_backend(snapshot_backend(name))


@lru_cache(maxsize=4)
def aer_own(name: str) -> dict[tuple[str, tuple[int, ...]], QuantumError]:
    """Its errors of gates; it also relaxes qubits in measurements, which ours does not."""
    tables = {gate: table for gate, table in aers(name)._local_quantum_errors.items() if gate != "measure"}
    return {(gate, tuple(wires)): error for gate, table in tables.items() for wires, error in table.items()}


def snapshot(name: str, *, reset: float = 0.0, idle: bool = False, method: Any = "density_matrix") -> AerTarget:
    return AerTarget(
        name="s", kind="aer", method=method, snapshot=name, beyond_snapshot=SnapshotNoise(reset=reset, idle=idle)
    )


def transfer(superop: np.ndarray) -> np.ndarray:
    """R_ij = Tr[P_i E(P_j)] / d, by hand; the first qubit is the last tensor factor."""
    d = round(np.sqrt(len(superop)))
    strings = PAULIS if d == 2 else [np.kron(a, b) for a in PAULIS for b in PAULIS]
    columns = [(superop @ P.reshape(-1, order="F")).reshape(d, d, order="F") for P in strings]
    return np.array([[np.trace(P @ Q).real / d for Q in columns] for P in strings])


# gate and readout errors


@pytest.mark.parametrize("name", ONES)
def test_snapshot__gate_errors__are_those_of_aers_own_noise_model(name: str) -> None:
    errors, own = snapshot(name).open().device.errors, aer_own(name)
    compared = dict.fromkeys({gate for gate, _ in own} - {"id", "reset"}, 0)
    assert set(errors.here) == set(compared)
    for (gate, wires), error in own.items():
        if gate in compared and compared[gate] < 12:
            found = errors.pauli_matrix(gate, wires)
            assert found is not None
            assert np.abs(found - transfer(SuperOp(error).data)).max() < EXACT
            compared[gate] += 1
    assert min(compared.values()) >= 7
    assert len(compared) == 3  # sx, x and the gate on pairs: rz is a change of frame
    assert errors.after("rz", (0,)) is None


@pytest.mark.parametrize("name", ONES)
def test_snapshot__gates__are_all_there(name: str) -> None:
    errors, own = snapshot(name).open().device.errors, aer_own(name)
    for gate, table in errors.here.items():
        assert set(table) == {wires for known, wires in own if known == gate}


def test_reported_errors__gate_without_an_error__still_takes_time_to_decay_in() -> None:
    t1, t2, seconds = 80e-6, 60e-6, 2e-6
    entries = {
        (0,): InstructionProperties(duration=seconds),
        (1,): InstructionProperties(duration=seconds, error=0.0),
        (2,): InstructionProperties(),
        (3,): None,
    }
    for qubits in ([QubitProperties(t1=t1, t2=t2)] * 4, None):
        hardware = Hardware(num_qubits=4, qubit_properties=qubits)
        hardware.add_instruction(SXGate(), entries)
        found = ReportedErrors(hardware, "sx")
        assert set(found) == ({(0,), (1,)} if qubits else set())
        for wires in found:
            decayed = np.diag([1.0, *[np.exp(-seconds / t2)] * 2, np.exp(-seconds / t1)])
            decayed[3, 0] = 1 - np.exp(-seconds / t1)
            assert np.abs(transfer(SuperOp(found[wires]).data) - decayed).max() < EXACT


def test_snapshot__other_qubits__have_other_errors() -> None:
    # the control: comparing a gate with that of a neighbour must fail
    errors = snapshot("fake_lagos_v2").open().device.errors
    a, b = (errors.pauli_matrix("sx", (wire,)) for wire in (0, 1))
    assert a is not None
    assert b is not None
    assert np.abs(a - b).max() > 1e-6


@pytest.mark.parametrize("name", ONES)
def test_snapshot__readout__is_that_of_aers_own_noise_model(name: str) -> None:
    errors = snapshot(name).open().device.errors
    readout = {wires[0]: error.probabilities for wires, error in aers(name)._local_readout_errors.items()}
    assert len(readout) == snapshot_backend(name).num_qubits
    for wire, ((_, up), (down, _)) in readout.items():
        assert errors.flips(wire) == pytest.approx((up, down), abs=EXACT)


def test_errors__on_other_wires__follow_their_qubits() -> None:
    errors = snapshot("fake_lagos_v2").open().device.errors
    pair = next(iter(errors.here["cx"]))
    small = errors.on([pair[1], 6, pair[0]])
    assert small.after("cx", (2, 0)) is errors.after("cx", pair)
    assert small.after("cx", (1, 2)) is None
    assert small.flips(1) == errors.flips(6)
    assert small.rate("cx", (2, 0)) == errors.rate("cx", pair)


def test_noise_model__readout__is_sampled_with_the_flips() -> None:
    flips, shots = {0: (0.1, 0.3), 2: (0.25, 0.05)}, 4000
    qc = QuantumCircuit(3, 3)
    qc.x(2)
    qc.measure(range(3), range(3))
    model = noise_model(Errors(readout=flips), ("x",), 3)
    counts = AerSimulator(noise_model=model, seed_simulator=3).run(qc, shots=shots).result().get_counts()
    for wire, p in ((0, 0.1), (1, 0.0), (2, 1 - 0.05)):
        seen = sum(count for bits, count in counts.items() if bits[2 - wire] == "1")
        assert abs(seen - shots * p) <= LIMIT * np.sqrt(shots * p * (1 - p)) + 1e-9


# one sweep of waiting, closed form

T1, T2 = 30.0, 20.0  # µs
TOOK = Durations(one_qubit=0.5, two_qubit=0.7, reset=4.0)
DECAYING = AerTarget(name="d", kind="aer", method="density_matrix", noise=Noise(t1=T1, t2=T2, durations=TOOK))


def only_resets(times: int) -> Program:
    """The system waits while an ancilla is turned and reset; the coupling has angle zero, and makes no gate."""
    return by_hand([Couple((("Z", 1.0),), 0, 0.0, 0.0), Reset((0,))], 1, (("Z", 0.0),), times)


def final_states(on: Any, program: Program, start: InitialState) -> tuple[np.ndarray, np.ndarray]:
    """Of Aer and of the noisy channel."""
    request = request_run(program, on, start, {}, 0, 1, 1)
    (block,) = collect(request, Memory())
    assert block.states is not None
    return block.states, noisy_states(request.compiled)


def plus() -> InitialState:
    qc = QuantumCircuit(1)
    qc.h(0)
    return InitialState("plus", qc)


def test_idle__waiting_beside_resets__decays_with_t1() -> None:
    sweeps = 5
    start = zero(1).circuit(1, 1)
    assert not start.data
    for states in final_states(DECAYING, only_resets(sweeps), one(1)):
        excited = states[:, 1, 1].real
        # the preparation, one x of 0.5 µs, keeps its own qubit busy
        assert excited == pytest.approx(np.exp(-np.arange(sweeps + 1) * TOOK.reset / T1), abs=EXACT)


def test_idle__waiting_beside_resets__dephases_with_t2() -> None:
    sweeps = 5
    for states in final_states(DECAYING, only_resets(sweeps), plus()):
        expected = np.exp(-np.arange(sweeps + 1) * TOOK.reset / T2) / 2
        assert np.abs(states[:, 0, 1]) == pytest.approx(expected, abs=SAME_STATE)


def test_idle__without_t1__nothing_decays() -> None:
    quiet = DECAYING.model_copy(update={"noise": Noise(durations=TOOK)})
    for states in final_states(quiet, only_resets(5), one(1)):
        assert states[:, 1, 1].real == pytest.approx(1.0, abs=EXACT)


@pytest.mark.parametrize("name", ONES)
def test_idle__snapshot__decays_with_its_own_t1_and_reset_duration(name: str) -> None:
    program, sweeps = only_resets(4), 4
    request = request_run(program, snapshot(name, idle=True), zero(1), {}, 0, 1, 1)
    wire, ancilla = request.compiled.placement
    hardware = snapshot_backend(name).target
    t1, took = hardware.qubit_properties[wire].t1, hardware["reset"][(ancilla,)].duration
    excited = np.diag([0.0, 1.0])
    found = noisy_states(request.compiled, excited)[:, 1, 1].real
    assert found == pytest.approx(np.exp(-np.arange(sweeps + 1) * took / t1), abs=EXACT)
    assert found[-1] < 0.999
    still = replace(request.compiled, errors=replace(request.compiled.errors, idle=None))
    assert noisy_states(still, excited)[:, 1, 1].real == pytest.approx(1.0, abs=EXACT)  # the control


def test_reset__beyond_a_snapshot__leaves_one_as_often_as_stated() -> None:
    errors = load_target("aer_torino").open().device.errors
    p, x = 0.01, np.array([[0, 1], [1, 0]])
    found = errors.pauli_matrix("reset", (5,))
    expected = SuperOp(Kraus([np.sqrt(1 - p) * np.eye(2), np.sqrt(p) * x]))
    assert found is not None
    assert np.abs(found - transfer(expected.data)).max() < EXACT
    assert errors.rate("reset", (5,)) == p
    assert load_target("fake_torino").open().device.errors.after("reset", (5,)) is None


# the whole channel against qiskit.quantum_info, instruction by instruction


def relaxation(t1: float, t2: float, t: float) -> Kraus:
    """Amplitude damping, then what dephasing is left, from the closed form of the Choi matrix."""
    left, coherence = np.exp(-t / t1), np.exp(-t / t2)
    damp = [np.diag([1, np.sqrt(left)]), np.array([[0, np.sqrt(1 - left)], [0, 0]])]
    flip = (1 - coherence / np.sqrt(left)) / 2
    turns = [np.sqrt(1 - flip) * np.eye(2), np.sqrt(max(flip, 0.0)) * np.diag([1, -1])]
    return Kraus([b @ a for a in damp for b in turns])


def evolved_by_hand(whole: Compiled, name: str, p_reset: float) -> np.ndarray:
    """The system's state after all sweeps, errors from Aer's own noise model, delays from the circuit."""
    small, order, own = whole.compact(), whole.wires, aer_own(name)
    qubits = snapshot_backend(name).target.qubit_properties
    qc = assemble(small.written, small.parts, small.start, ())
    rho = DensityMatrix.from_label("0" * qc.num_qubits)
    waits = 0
    for item in qc.data:
        at = [qc.find_bit(q).index for q in item.qubits]
        operation, physical = item.operation, tuple(order[k] for k in at)
        if operation.name == "delay":
            t = qubits[physical[0]]
            rho = rho.evolve(relaxation(t.t1, min(t.t2, 2 * t.t1), operation.duration), at)
            waits += 1
            continue
        if operation.name == "reset":
            rho = rho.evolve(Kraus([np.diag([1.0, 0]), PAULIS[1] @ np.diag([0, 1.0])]), at)
            rho = rho.evolve(Kraus([np.sqrt(1 - p_reset) * np.eye(2), np.sqrt(p_reset) * PAULIS[1]]), at)
            continue
        rho = rho.evolve(operation, at)
        if (operation.name, physical) in own:
            rho = rho.evolve(SuperOp(own[operation.name, physical]), at)
    assert waits > 0
    n = small.program.num_system
    return np.asarray(partial_trace(rho, range(n, qc.num_qubits)).data)


@pytest.mark.parametrize("name", ONES)
def test_noisy_channel__snapshot_with_resets_and_idling__is_aers_and_that_by_hand(name: str) -> None:
    program = build(ising(2), sweeps=2, random_delays=False)
    request = request_run(program, snapshot(name, reset=0.02, idle=True), one(2), {}, 0, 1, 1)
    exact = noisy_states(request.compiled)
    (block,) = collect(request, Memory())
    assert block.states is not None
    assert np.abs(block.states - exact).max() < SAME_STATE
    by_hand_state = evolved_by_hand(request.compiled, name, 0.02)
    assert np.abs(by_hand_state - exact[-1]).max() < 1e-8
    still = replace(request.compiled, errors=replace(request.compiled.errors, anywhere={}, here={}, idle=None))
    assert np.abs(noisy_states(still)[-1] - exact[-1]).max() > 1e-3  # the control: there are errors
