"""Recorded ancillas: every shot is a jump trajectory, with the exact chances, in the right columns."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import DensityMatrix, Kraus

import gibbs_circuits as gc
from gibbs_circuits.backends.devices.keys import Durations, Noise
from gibbs_circuits.backends.measurement.measurement import JUMPS, full_circuit, jump_events
from gibbs_circuits.backends.runs.jump_records import Jumps, jump_records
from gibbs_circuits.backends.runs.prepare import request_run
from gibbs_circuits.backends.runs.run import RunResult, collect
from gibbs_circuits.backends.runs.store import Memory
from gibbs_circuits.backends.simulators.noisy_channel import noisy_states
from gibbs_circuits.backends.targets.aer import AerTarget, HeavyHex
from gibbs_circuits.backends.targets.registry import load_target
from gibbs_circuits.backends.transpile.compiled import Ancillas
from gibbs_circuits.backends.transpile.transpile import compile_for
from gibbs_circuits.errors import ArgumentError
from gibbs_circuits.experiments.store import Folder
from gibbs_circuits.programs.initial_state import zero
from gibbs_circuits.programs.program import Program
from gibbs_circuits.programs.steps import Couple, RandomChoice
from gibbs_circuits.readings.circuits.circuit import assemble, circuit_segments, random_draws
from tests.examples import ANCILLAS_USED, build, exact_states, ising, lowered, using_ancillas

LIMIT = 4.0  # standard errors: a false alarm in 16,000 numbers, and every seed is fixed
VECTOR = AerTarget(name="v", kind="aer", method="statevector")
LATTICE = AerTarget(name="l", kind="aer", method="statevector", coupling=HeavyHex(heavy_hex=3))


def recorded(
    original: Program, on: AerTarget = VECTOR, shots: int = 4000, realisations: int = 2, seed: int = 3
) -> RunResult:
    start = zero(original.num_system)
    request = request_run(original, on, start, {}, shots, realisations, seed, ancillas="recorded")
    return RunResult(request, collect(request, Memory()))


def jump_chances(original: Program, draws: tuple[int, ...], start: np.ndarray) -> list[float]:
    """Probability that each ancilla is 1 before its reset, by density matrices of Qiskit, in order of time."""
    n, width = original.num_system, original.num_qubits
    qc = assemble(original, circuit_segments(original), QuantumCircuit(width), draws)
    rest = np.zeros((2 ** (width - n),) * 2)
    rest[0, 0] = 1
    rho, found, between = DensityMatrix(np.kron(rest, start)), [], QuantumCircuit(width)
    clear = Kraus([np.array([[1, 0], [0, 0]]), np.array([[0, 1], [0, 0]])])
    for item in qc.data:  # transpiling everything at once might change the order of resets
        at = [qc.find_bit(q).index for q in item.qubits]
        if item.operation.name != "reset":
            between.append(item.operation, at)
            continue
        if between.data:
            rho, between = rho.evolve(lowered(between)), QuantumCircuit(width)
        found.append(float(rho.probabilities(at)[1]))
        rho = rho.evolve(clear, at)
    return found


@pytest.mark.parametrize("name", ANCILLAS_USED)
def test_recorded__columns__have_the_exact_chances(name: str) -> None:
    original = using_ancillas(name)
    start = zero(original.num_system).density(original.num_system)
    for jumps in jump_records(recorded(original, shots=2000)):
        draws = random_draws(original, 3, jumps.realisation)
        chances = np.array(jump_chances(original, draws, start))
        shots = len(jumps.bits)
        assert jumps.bits.shape == (shots, len(chances)) == (1000, len(jumps.events))
        assert jumps.outcomes.shape == (shots, original.num_system)
        error = np.sqrt(chances * (1 - chances) / shots)
        assert np.all(np.abs(jumps.rate - chances) <= LIMIT * error + 1e-9)
        assert chances.max() > 10 * error.max()  # there are jumps to be seen


@pytest.mark.parametrize("on", [VECTOR, LATTICE], ids=["all_to_all", "lattice"])
def test_recorded__system_counts__agree_with_the_exact_state(on: AerTarget) -> None:
    original = build(ising(2), "parallel", sweeps=2)
    result = recorded(original, on)
    for block in result.blocks:
        rho = exact_states(original, zero(2).density(2), block.draws)[-1]
        shots = sum(block.counts[result.request.bases.index("ZZ")].values())
        for k, p in enumerate(np.diagonal(rho).real):
            seen = block.counts[result.request.bases.index("ZZ")].get(format(k, "02b"), 0)
            assert abs(seen - shots * p) <= LIMIT * np.sqrt(shots * p * (1 - p))


def test_recorded__lattice__has_the_columns_of_all_to_all() -> None:
    original = build(ising(3, couplings="XY"), "parallel", sweeps=2, ancillas=3, random_delays=(1, 1), nodes=2)
    start = np.diag(np.eye(8)[0])
    chances = np.array(jump_chances(original, random_draws(original, 3), start))
    found = [jump_records(recorded(original, on, 3000))[0] for on in (VECTOR, LATTICE)]
    assert found[0].events == found[1].events
    error = np.sqrt(chances * (1 - chances) / len(found[0].bits))
    for jumps in found:
        assert np.all(np.abs(jumps.rate - chances) <= LIMIT * error)
        # the control: columns in another order are noticed
        assert np.abs(np.roll(jumps.rate, 1) - chances).max() > LIMIT * error.max()


def test_events__names__are_sweep_ancilla_and_coupling() -> None:
    original = build(ising(2, couplings="XY"), "parallel", sweeps=2, ancillas=2, random_delays=False)
    events = jump_events(original, ())
    assert [event.sweep for event in events] == [1] * 4 + [2] * 4
    for sweep in (1, 2):
        here = [event for event in events if event.sweep == sweep]
        assert sorted(event.coupling for event in here) == ["IX", "IY", "XI", "YI"]
        assert {event.ancilla for event in here} == {0, 1}
    chosen = using_ancillas("random_jumps", sweeps=4)
    draws = random_draws(chosen, 5)
    names = [event.coupling for event in jump_events(chosen, draws)]
    (step,) = [step for step in chosen.stages[0].steps if isinstance(step, RandomChoice)]
    couples = [next(s for s in branch.steps if isinstance(s, Couple)) for branch in step.branches]
    picked = draws[:: len(draws) // 4]  # a delay may follow every choice
    assert names == [couples[k].terms[0][0] for k in picked]
    assert len(set(names)) > 1


def test_recorded__lattice__columns_move_with_their_ancillas() -> None:
    original = build(ising(3), "parallel", sweeps=2, random_delays=(0, 1))
    compiled = compile_for(original, LATTICE, zero(3), 1, Ancillas.RECORDED).compact()
    qc = full_circuit(compiled, random_draws(original, 1))
    (register,) = [register for register in qc.cregs if register.name == JUMPS]
    columns = [qc.find_bit(item.clbits[0]).index for item in qc.data if item.operation.name == "measure"]
    assert sorted(columns) == list(range(len(register)))
    resets = [k for k, item in enumerate(qc.data) if item.operation.name == "reset"]
    before = [qc.data[k - 1] for k in resets]
    assert all(item.operation.name == "measure" for item in before)
    assert all(item.qubits == qc.data[k].qubits for k, item in zip(resets, before, strict=True))


def test_recorded__jumps_and_outcomes__are_of_the_same_shot() -> None:
    # exact: Cov(jump in the last sweep, Z of the system) by density matrices
    original = build(ising(1), "sequential", sweeps=1, nodes=2, random_delays=False, direction="forward", strength=2.0)
    qc = lowered(assemble(original, circuit_segments(original), QuantumCircuit(2), ()))
    before = QuantumCircuit(2)
    kept = list(qc.data)
    last = max(k for k, item in enumerate(kept) if item.operation.name == "reset")
    for item in kept[:last] + kept[last + 1 :]:
        before.append(item.operation, [qc.find_bit(q).index for q in item.qubits])
    p = DensityMatrix.from_label("00").evolve(before).probabilities().reshape(2, 2)  # (ancilla, system)
    covariance = p[1, 1] - p[1].sum() * p[:, 1].sum()
    result = recorded(original, shots=8000)
    (bit, out) = (
        np.concatenate([getattr(j, key)[:, column] for j in jump_records(result) if j.basis == "Z"])
        for key, column in (("bits", -1), ("outcomes", 0))
    )
    product = (bit - bit.mean()) * (out - out.mean())
    error = product.std() / np.sqrt(len(product))
    assert abs(product.mean() - covariance) <= LIMIT * error
    assert abs(covariance) > 2 * LIMIT * error
    shuffled = np.random.default_rng(0).permutation(out)  # the control: outcomes of other shots
    assert abs(((bit - bit.mean()) * (shuffled - out.mean())).mean() - covariance) > LIMIT * error


@pytest.mark.parametrize("method", ["statevector", "matrix_product_state"])
def test_recorded__failed_resets_and_readout__are_in_the_columns(method: Any) -> None:
    # an ancilla without a coupling: after a failed reset it is 1 with probability p, and is read with flips
    noise, sweeps = Noise(reset=0.2, readout=0.1), 3
    knobs = {"sweeps": sweeps, "nodes": 1, "random_delays": False, "direction": "forward", "strength": 1e-12}
    original = build(ising(1), "sequential", **knobs)
    on = AerTarget(name="n", kind="aer", method=method, noise=noise)
    rate = np.mean([jumps.rate for jumps in jump_records(recorded(original, on, 4000))], axis=0)
    first, later = 0.1, 0.2 * 0.9 + 0.8 * 0.1
    expected = np.array([first] + [later] * (len(rate) - 1))
    assert len(rate) == sweeps
    shots = 2000 * len(jump_records(recorded(original, on, 40)))
    assert np.all(np.abs(rate - expected) <= LIMIT * np.sqrt(expected * (1 - expected) / shots))


def assert_same(a: tuple[Jumps, ...], b: tuple[Jumps, ...]) -> None:
    assert len(a) == len(b) > 0
    for x, y in zip(a, b, strict=True):
        assert (x.realisation, x.basis, x.events) == (y.realisation, y.basis, y.events)
        assert np.array_equal(x.bits, y.bits)
        assert np.array_equal(x.outcomes, y.outcomes)


def test_recorded__folder__resumes_to_the_same_records(tmp_path: Path) -> None:
    original = using_ancillas("random_jumps")
    request = request_run(original, VECTOR, zero(2), {}, 90, 3, 3, ancillas="recorded")
    store = Folder(tmp_path / "a", request.identity, resume=False)
    first = RunResult(request, collect(request, store))
    (tmp_path / "a" / "data" / "realisation-0001.npz").unlink()
    again = RunResult(request, collect(request, Folder(tmp_path / "a", request.identity, resume=True)))
    assert_same(gc.jumps(first), gc.jumps(again))
    other = RunResult(replace(request, seed=4), collect(replace(request, seed=4), Memory()))
    assert not np.array_equal(gc.jumps(other)[0].bits, gc.jumps(first)[0].bits)
    plain = request_run(original, VECTOR, zero(2), {}, 90, 3, 3)
    with pytest.raises(ArgumentError, match=r"ancillas was recorded and now is reset"):
        Folder(tmp_path / "a", plain.identity, resume=True)


def test_recorded__density_matrix_or_unrecorded__is_refused() -> None:
    original = using_ancillas("parallel")
    with pytest.raises(ArgumentError, match=r"`ancilla_policy`.*no single shots.*Fix:"):
        request_run(original, load_target("aer_density_matrix"), zero(2), {}, 100, 2, 1, ancillas="recorded")
    with pytest.raises(ArgumentError, match=r"recorded its ancillas.*'reset'.*Fix:"):
        gc.jumps(gc.run(original, VECTOR, shots=20, realisations=2))


def test_recorded__idling__waits_for_the_measurement_too() -> None:
    def last(policy: str, reset: float) -> np.ndarray:
        noise = Noise(t1=40.0, t2=30.0, durations=Durations(reset=reset))
        on = VECTOR.model_copy(update={"noise": noise})
        asked = request_run(using_ancillas("parallel"), on, zero(2), {}, 90, 3, 3, ancillas=policy)
        return np.asarray(noisy_states(asked.compiled)[-1])

    took = Durations()
    recorded = last("recorded", took.reset)
    assert np.abs(recorded - last("reset", took.reset)).max() > 1e-3
    assert np.abs(recorded - last("reset", took.reset + took.measure)).max() < 1e-9  # as if the reset took longer
