"""Fresh ancillas in place of resets: the same channel, no reset, every ancilla used once."""

from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import Statevector, partial_trace

from gibbs_circuits.backends.devices.keys import Noise
from gibbs_circuits.backends.runs.prepare import request_run
from gibbs_circuits.backends.runs.run import collect
from gibbs_circuits.backends.runs.store import Memory
from gibbs_circuits.backends.targets.aer import AerTarget, HeavyHex
from gibbs_circuits.backends.targets.registry import load_target
from gibbs_circuits.backends.transpile.compiled import Ancillas
from gibbs_circuits.backends.transpile.transpile import compile_for
from gibbs_circuits.errors import ArgumentError, TooLargeError
from gibbs_circuits.programs.fresh_ancillas import fresh_ancillas
from gibbs_circuits.programs.initial_state import mixed, one, zero
from gibbs_circuits.programs.program import Program
from gibbs_circuits.programs.steps import Couple, RandomChoice, Reset, Unitary
from gibbs_circuits.readings.channel.sweep_channel import states_after_sweeps
from gibbs_circuits.readings.circuits.circuit import assemble, circuit_segments, random_draws
from tests.examples import ANCILLAS_USED, build, exact_states, ising, lowered, random_state, using_ancillas

EXACT = 1e-9
LATTICE = AerTarget(name="l", kind="aer", method="statevector", coupling=HeavyHex(heavy_hex=3))


def used(written: Program, draws: tuple[int, ...]) -> list[tuple[set[int], set[int]]]:
    """Ancillas in use and ancillas let go, step by step as performed."""
    left, found = iter(draws), []
    for stage in written.stages:
        for step in stage.steps:
            choice = next(left) if type(step).__name__.startswith("Random") else 0
            for each in step.branches[choice].steps if isinstance(step, RandomChoice) else (step,):
                if isinstance(each, Couple):
                    found.append(({each.ancilla}, set[int]()))
                elif isinstance(each, Unitary):
                    found.append((set(each.ancillas), set[int]()))
                elif isinstance(each, Reset):
                    found.append((set[int](), set(each.ancillas)))
    return found


@pytest.mark.parametrize("name", ANCILLAS_USED)
def test_fresh__every_draw__gives_the_states_of_the_original(name: str) -> None:
    original = using_ancillas(name)
    written, n = fresh_ancillas(original), original.num_system
    for realisation in range(3):
        draws = random_draws(original, 4, realisation)
        assert random_draws(written, 4, realisation) == draws
        rho = random_state(n, realisation)
        expected = exact_states(original, rho, draws)[-1]
        qc = assemble(written, circuit_segments(written, resets=False), QuantumCircuit(written.num_qubits), draws)
        assert "reset" not in qc.count_ops()
        assert np.abs(after(qc, rho) - expected).max() < EXACT


def after(qc: QuantumCircuit, rho: np.ndarray) -> np.ndarray:
    """By Qiskit, from the eigenvectors of a state, because a circuit without resets is unitary."""
    n = round(np.log2(len(rho)))
    weights, vectors = np.linalg.eigh(rho)
    flat, total = lowered(qc), np.zeros_like(rho)
    for p, psi in zip(weights, vectors.T, strict=True):
        begin = np.zeros(2**qc.num_qubits, dtype=complex)
        begin[: len(rho)] = psi
        out = Statevector(begin).evolve(flat)
        total = total + p * np.asarray(partial_trace(out, range(n, qc.num_qubits)).data)
    return np.asarray(total)


@pytest.mark.parametrize("name", ANCILLAS_USED)
def test_fresh__averaged_channel__is_that_of_the_original(name: str) -> None:
    original = using_ancillas(name)
    rho = random_state(original.num_system, 2)
    found = states_after_sweeps(fresh_ancillas(original), rho)
    assert np.abs(np.stack(found) - np.stack(states_after_sweeps(original, rho))).max() < EXACT


@pytest.mark.parametrize("name", ANCILLAS_USED)
def test_fresh__no_ancilla__is_used_after_it_was_let_go(name: str) -> None:
    original = using_ancillas(name)
    written = fresh_ancillas(original, 1)
    for realisation in range(4):
        gone, seen = set[int](), set[int]()
        for busy, done in used(written, random_draws(original, 1, realisation)):
            assert not busy & gone
            gone, seen = gone | done, seen | busy
        assert gone == seen
        assert max(seen) < written.num_ancilla - 1  # the spare one stays clean


def test_fresh__qubits__are_one_ancilla_per_reset() -> None:
    original = using_ancillas("parallel", sweeps=3)
    assert fresh_ancillas(original).num_ancilla == 3 * original.num_ancilla
    assert fresh_ancillas(original, 2).num_ancilla == 3 * original.num_ancilla + 2
    sequential = using_ancillas("sequential", sweeps=3)
    resets = sum(isinstance(step, Reset) for step in sequential.stages[0].steps)
    assert fresh_ancillas(sequential).num_ancilla == 3 * resets
    assert fresh_ancillas(using_ancillas("random_jumps", sweeps=3)).num_ancilla == 3


@pytest.mark.parametrize("start", [zero(2), mixed()], ids=["zero", "mixed"])
@pytest.mark.parametrize("on", ["aer_density_matrix", pytest.param("lattice", marks=pytest.mark.slow)])
def test_fresh__run__has_no_reset_and_the_exact_states(on: str, start: Any) -> None:
    original = build(ising(2), "parallel", sweeps=1 if on == "lattice" else 2)
    where = load_target(on) if on != "lattice" else LATTICE.model_copy(update={"method": "density_matrix"})
    request = request_run(original, where, start, {}, 0, 2, 1, ancillas="fresh")
    for block in collect(request, Memory()):
        assert "reset" not in request.compiled.circuit(1, block.realisation).count_ops()
        assert block.states is not None
        expected = exact_states(original, start.density(2), block.draws)
        assert np.abs(block.states - np.stack(expected)).max() < EXACT


def test_fresh__idle_decay__knows_every_ancilla() -> None:
    on = AerTarget(name="d", kind="aer", method="density_matrix", noise=Noise(t1=100.0, t2=80.0))
    original = build(ising(2), sweeps=2, random_delays=False)
    (block,) = collect(request_run(original, on, one(2), {}, 0, 1, 1, ancillas="fresh"), Memory())
    (quiet,) = collect(request_run(original, load_target("aer_density_matrix"), one(2), {}, 0, 1, 1), Memory())
    assert block.states is not None
    assert quiet.states is not None
    assert 1e-4 < np.abs(block.states[-1] - quiet.states[-1]).max() < 0.2
    compiled = compile_for(original, on, one(2), 1, Ancillas.FRESH)  # a target opens as wide as it must be
    assert len(compiled.compact().errors.idle.times) == 6  # type: ignore[union-attr]


def test_fresh__too_many_qubits__are_refused_with_numbers() -> None:
    original = build(ising(2), sweeps=200)
    with pytest.raises(TooLargeError, match=r"402 qubits \(2 system \+ 400 ancilla\).*fewer sweeps") as error:
        request_run(original, load_target("aer_density_matrix"), zero(2), {}, 0, 1, 1, ancillas="fresh")
    assert "\n" not in str(error.value)
    with pytest.raises(ArgumentError, match=r"402 qubits.*133.*fewer sweeps"):
        request_run(original, load_target("fake_torino"), zero(2), {}, 100, 2, 1, ancillas="fresh")
    small = AerTarget(name="small", kind="aer", max_qubits=5)
    with pytest.raises(TooLargeError, match=r"6 qubits \(2 system \+ 4 ancilla\).*takes 5"):
        request_run(build(ising(2), sweeps=2), small, zero(2), {}, 0, 1, 1, ancillas="fresh")
