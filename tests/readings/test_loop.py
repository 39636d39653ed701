"""One sweep per stage in a `for_loop`: the same state as unrolled, files that read back, refusals."""

import io
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit, qasm3, qpy, transpile
from qiskit_aer import AerSimulator

from gibbs_circuits.backends.targets.aer import AerTarget, HeavyHex
from gibbs_circuits.backends.targets.base import Target
from gibbs_circuits.backends.targets.registry import load_target
from gibbs_circuits.backends.transpile.compiled import Compiled
from gibbs_circuits.backends.transpile.transpile import compile_for
from gibbs_circuits.compiler.schemes.registry import SCHEMES
from gibbs_circuits.errors import ArgumentError
from gibbs_circuits.programs.initial_state import one, zero
from gibbs_circuits.programs.program import Program
from gibbs_circuits.programs.steps import Branch, Couple, Evolve, RandomChoice, RandomDelay, Reset
from gibbs_circuits.readings.channel.sweep_channel import states_after_sweeps, sweep_channel
from gibbs_circuits.readings.circuits.circuit import assemble, random_draws
from gibbs_circuits.readings.circuits.loop import loop_circuit, loop_over
from tests.examples import build, by_hand, evolved, ising, random_state

EXACT = 1e-10
SMALL_LATTICE = AerTarget(name="small", kind="aer", method="density_matrix", coupling=HeavyHex(heavy_hex=3))
BASIS = ["cz", "rz", "sx", "x", "reset", "for_loop"]


def program(scheme: str = "parallel", sweeps: int = 4, **knobs: Any) -> Program:
    return build(ising(2), scheme, sweeps=sweeps, random_delays=False, **knobs)


def exact(of: Program) -> np.ndarray:
    return states_after_sweeps(of, one(2).density(2))[-1]


def simulated(qc: QuantumCircuit, qubits: tuple[int, ...] = (0, 1)) -> np.ndarray:
    """By Aer, which runs the loop itself."""
    qc = qc.copy()
    qc.save_density_matrix(list(qubits))
    result = AerSimulator(method="density_matrix", max_parallel_threads=1).run(qc, shots=1).result()
    assert result.success
    return np.asarray(result.data(0)["density_matrix"])


def written_out(qc: QuantumCircuit) -> QuantumCircuit:
    """Every loop as so many copies of its body."""
    out = QuantumCircuit(qc.num_qubits)
    for item in qc.data:
        qubits = [qc.find_bit(q).index for q in item.qubits]
        if item.operation.name == "for_loop":
            indices, _, body = item.operation.params
            for _ in indices:
                out.compose(body, qubits, inplace=True)
        else:
            out.append(item.operation, qubits)
    return out


def through_qpy(qc: QuantumCircuit) -> QuantumCircuit:
    stored = io.BytesIO()
    qpy.dump(qc, stored)
    stored.seek(0)
    return qpy.load(stored)[0]


def through_qasm(qc: QuantumCircuit) -> QuantumCircuit:
    return qasm3.loads(qasm3.dumps(qc))


@pytest.mark.parametrize("scheme", ["parallel", "sequential"])
def test_loop__run_by_aer__is_the_channel(scheme: str) -> None:
    asked = program(scheme)
    qc = loop_circuit(asked, initial=one(2))
    lowered = transpile(qc, basis_gates=BASIS, optimization_level=1, seed_transpiler=1)
    assert lowered.count_ops()["for_loop"] == 1
    assert np.abs(simulated(lowered) - exact(asked)).max() < EXACT
    assert np.abs(simulated(lowered) - exact(program(scheme, 3))).max() > 1e-3  # the control: one sweep fewer


def looped(compiled: Compiled) -> QuantumCircuit:
    """One `for_loop` per stage around a sweep that is routed and closed."""
    return loop_over(compiled.written, compiled.parts, compiled.start)


@pytest.mark.parametrize("through", [through_qpy, through_qasm])
@pytest.mark.parametrize("on", [load_target("aer_density_matrix"), SMALL_LATTICE], ids=["all_to_all", "lattice"])
def test_looped__files__read_back_and_are_the_channel(on: Target, through: Any) -> None:
    asked = program()
    compiled = compile_for(asked, on, one(2), 1)
    qc = through(looped(compiled.compact()))
    rho = np.zeros((4, 4))
    rho[0, 0] = 1
    assert np.abs(simulated(qc) - exact(asked)).max() < EXACT
    assert np.abs(evolved(written_out(qc), rho) - exact(asked)).max() < EXACT


@lru_cache(maxsize=2)
def all_to_all(scheme: str) -> Compiled:
    """Two sweeps of a scheme."""
    fields = SCHEMES[scheme].knobs.model_fields
    wanted = {"sweeps": 2, "random_delays": (1, 2), "step": 0.7}
    asked = build(ising(2), scheme, **{key: value for key, value in wanted.items() if key in fields})
    return compile_for(asked, load_target("aer_density_matrix"), zero(2), 1)


@pytest.mark.parametrize("through", [through_qpy, through_qasm])
@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_files__every_scheme__read_back_and_simulated_by_qiskit_alone_are_the_channel(
    scheme: str, through: Any
) -> None:
    compiled = all_to_all(scheme)
    asked, empty, read = compiled.program, QuantumCircuit(compiled.start.num_qubits), dict[Any, QuantumCircuit]()
    for realisation in range(2):
        draws = random_draws(asked, 1, realisation)
        if draws not in read:  # without a random step both are the same file
            read[draws] = through(assemble(asked, compiled.parts, empty, draws))
        qc = read[draws]
        assert set(qc.count_ops()) <= set(BASIS)
        rho, left = random_state(2, realisation), iter(draws)
        expected = rho.reshape(-1, order="F")
        for stage, one_sweep in enumerate(asked.stages):
            random = sum(isinstance(step, RandomDelay | RandomChoice) for step in one_sweep.steps)
            for _ in range(one_sweep.repeats):
                expected = sweep_channel(asked, stage, [next(left) for _ in range(random)]) @ expected
        # Qiskit's OpenQASM writer turns an angle within 1e-9 of a simple fraction of π into that fraction
        limit = EXACT if through is through_qpy else 1e-8
        assert np.abs(evolved(qc, rho) - expected.reshape(4, 4, order="F")).max() < limit
        assert np.abs(expected - rho.reshape(-1, order="F")).max() > 1e-3


def test_looped__gates__are_those_of_one_sweep_and_the_body_is_closed() -> None:
    compiled = compile_for(program(sweeps=1000), SMALL_LATTICE, one(2), 1)
    qc = looped(compiled)
    (loop,) = [item for item in qc.data if item.operation.name == "for_loop"]
    body = loop.operation.blocks[0]
    assert body.count_ops()["cz"] == compiled.two_qubit_gates_per_sweep[0]
    assert set(body.count_ops()) <= set(BASIS)
    again = transpile(
        qc, basis_gates=BASIS, coupling_map=SMALL_LATTICE.coupling_map, optimization_level=1,
        initial_layout=list(range(qc.num_qubits)), seed_transpiler=1,
    )  # fmt: skip
    (same,) = [item for item in again.data if item.operation.name == "for_loop"]
    assert same.operation.blocks[0].count_ops()["cz"] == body.count_ops()["cz"]


def test_loop__size__does_not_grow_with_the_sweeps() -> None:
    sizes = {len(loop_circuit(program(sweeps=sweeps)).data) for sweeps in (2, 2000)}
    assert len(sizes) == 1


def test_loop__random_delays__are_refused() -> None:
    delayed = build(ising(2), random_delays=(1, 3))
    with pytest.raises(ArgumentError, match=r"`loop`.*RandomDelay.*Fix: set random_delays = false"):
        loop_circuit(delayed)
    with pytest.raises(ArgumentError, match="random_delays = false"):
        looped(compile_for(delayed, load_target("aer_density_matrix"), zero(2), 1))


def test_loop__random_choice__is_refused() -> None:
    steps = (Couple((("Y", 1.0),), 0, 0.4, 0.0), Evolve(0.1, 1, 1), Reset((0,)))
    chosen = by_hand([RandomChoice((Branch(1.0, steps),))], 1, (("Z", 1.0),))
    with pytest.raises(ArgumentError, match=r"`loop`.*RandomChoice.*Fix:"):
        loop_circuit(chosen)
