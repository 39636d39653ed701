"""Transpiled for a target: the same channel, closed blocks, basis gates only, files that read back."""

import io
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from qiskit import QuantumCircuit, qasm3, qpy
from qiskit.quantum_info import DensityMatrix, Operator, partial_trace

from gibbs_circuits.backends import Compiled, compile_for
from gibbs_circuits.backends.transpile import _closed, two_qubit_gates
from gibbs_circuits.compiler import Program
from gibbs_circuits.errors import ArgumentError
from gibbs_circuits.experiment import make_initial
from gibbs_circuits.filters import GaussianFilter
from gibbs_circuits.generators import couplings_of, dll
from gibbs_circuits.models import heisenberg
from gibbs_circuits.readings import cost, mixed, random_draws, zero
from gibbs_circuits.readings.circuit import assemble
from gibbs_circuits.targets import HeavyHex, Target, load_target
from tests.programs import EXAMPLES, build, evolved, exact_states, example, ising, programs, random_state, some_delays

EQUAL = 1e-8
BASIS = {"cz", "rz", "sx", "x", "reset"}
ALL_TO_ALL, LATTICE = "aer_density_matrix", "fake_heavy_hex"
SMALL_LATTICE = Target(name="small", kind="aer", method="density_matrix", coupling=HeavyHex(heavy_hex=3))


def on_target(program: Program, target: str | Target, initial: str = "zero") -> Compiled:
    start = make_initial(initial, program.num_system, Path())
    return compile_for(program, target if isinstance(target, Target) else load_target(target), start, 1)


@lru_cache
def compiled(name: str, target: str) -> Compiled:
    return on_target(example(name), target)


def body(small: Compiled, delays: tuple[int, ...]) -> QuantumCircuit:
    """The sweeps of a compacted program, without the preparation."""
    return assemble(small.program, small.parts, QuantumCircuit(small.start.num_qubits), delays)


def one_sweep(program: Program) -> Program:
    return build(program.generator, program.scheme, **{**program.knobs, "sweeps": 1})


def simulated(qc: QuantumCircuit, system: tuple[int, ...]) -> np.ndarray:
    """The final state of the system by qiskit.quantum_info, on the qubits in use, from all zeros."""
    used = sorted({qc.find_bit(q).index for item in qc.data for q in item.qubits} | set(system))
    small = QuantumCircuit(len(used))
    for item in qc.data:
        small.append(item.operation, [used.index(qc.find_bit(q).index) for q in item.qubits])
    start = np.zeros((2 ** len(used),) * 2)
    start[0, 0] = 1
    wires = [used.index(s) for s in system]
    out = DensityMatrix(start).evolve(small)
    kept = partial_trace(out, [k for k in range(len(used)) if k not in wires])  # ascending wires
    n = len(system)
    order = list(np.argsort(np.argsort(wires)))  # axis of every system qubit among the kept ones
    axes = [n - 1 - order[n - 1 - k] for k in range(n)]
    tensor = kept.data.reshape((2,) * 2 * n).transpose([*axes, *(n + a for a in axes)])
    return np.asarray(tensor.reshape(2**n, 2**n))


@pytest.mark.parametrize("target", [ALL_TO_ALL, LATTICE])
@pytest.mark.parametrize("name", EXAMPLES)
def test_compiled__one_sweep__acts_as_the_channel(name: str, target: str) -> None:
    program = one_sweep(example(name))
    small = on_target(program, target).compact()
    delays = some_delays(program)
    rho = random_state(program.num_system, 4)
    expected = exact_states(program, rho, delays)[-1]
    assert np.abs(evolved(body(small, delays), rho) - expected).max() < EQUAL


@pytest.mark.parametrize("scheme", ["parallel", "sequential"])
@pytest.mark.parametrize("target", [ALL_TO_ALL, SMALL_LATTICE], ids=["all_to_all", "lattice"])
def test_compiled__many_sweeps__stay_the_channel(target: str | Target, scheme: str) -> None:
    # a block that routing leaves open is right once and wrong from the second sweep on
    generator = dll(heisenberg(3, fields=[0.3, -0.2, 0.5]), couplings_of("X", 3), GaussianFilter(0.8), 0.8)
    program = build(generator, scheme, sweeps=3)
    small = on_target(program, target).compact()
    delays = some_delays(program)
    rho = random_state(3, 5)
    assert np.abs(evolved(body(small, delays), rho) - exact_states(program, rho, delays)[-1]).max() < EQUAL


@settings(deadline=None, derandomize=True, max_examples=12)
@given(programs(max_sites=2))
def test_compiled__generated__acts_as_the_channel(program: Program) -> None:
    small = on_target(program, ALL_TO_ALL)
    delays = some_delays(program)
    rho = random_state(program.num_system, 6)
    assert np.abs(evolved(body(small, delays), rho) - exact_states(program, rho, delays)[-1]).max() < EQUAL
    assert small.two_qubit_gates <= cost(program).two_qubit_gates + 1e-9


@pytest.mark.parametrize("initial", ["zero", "one", "mixed", "010"])
@pytest.mark.parametrize("target", [ALL_TO_ALL, SMALL_LATTICE], ids=["all_to_all", "lattice"])
def test_compiled__whole_circuit__from_every_start(target: str | Target, initial: str) -> None:
    program = build(ising(3), sweeps=2)
    whole = on_target(program, target, initial)
    start = make_initial(initial, 3, Path()).density(3)
    expected = exact_states(program, start, random_draws(program, 7, 1))[-1]
    found = simulated(whole.circuit(7, 1), whole.system_qubits)
    assert np.abs(found - expected).max() < EQUAL


@pytest.mark.parametrize("target", [ALL_TO_ALL, LATTICE])
@pytest.mark.parametrize("name", EXAMPLES)
def test_compiled__gates__are_basis_gates_and_resets(name: str, target: str) -> None:
    whole = compiled(name, target)
    qc = whole.circuit(1)
    assert set(qc.count_ops()) <= BASIS
    assert qc.num_clbits == 0
    assert qc.count_ops()["reset"] == cost(whole.program).resets
    coupling = whole.target.coupling_map
    if coupling is not None:
        edges = set(coupling.get_edges())
        pairs = {tuple(qc.find_bit(q).index for q in item.qubits) for item in qc.data if len(item.qubits) == 2}
        assert pairs <= edges
        assert len(qc.qubits) == 57


@pytest.mark.parametrize("target", [ALL_TO_ALL, LATTICE])
@pytest.mark.parametrize("name", EXAMPLES)
def test_compiled__count__is_the_mean_over_delays(name: str, target: str) -> None:
    whole = compiled(name, target)
    program = whole.program
    delays = random_draws(program, 1)
    counted = two_qubit_gates(assemble(program, whole.parts, QuantumCircuit(whole.start.num_qubits), delays))
    parts = [part for stage in whole.parts for part in stage]
    expected = whole.two_qubit_gates
    for part in parts:
        if part.step is not None:
            expected += (sum(delays) - program.sweeps * part.step.mean) * two_qubit_gates(part.options[0])
    assert counted == pytest.approx(expected)
    if target == ALL_TO_ALL:
        assert whole.two_qubit_gates <= cost(program).two_qubit_gates


@pytest.mark.parametrize("name", EXAMPLES)
def test_compiled__layout__every_block_stays_in_place(name: str) -> None:
    # the start acts on program qubit k where the blocks have it; no circuit carries a layout along
    for target in (ALL_TO_ALL, LATTICE):
        whole = compiled(name, target)
        assert len(set(whole.placement)) == whole.program.num_qubits
        assert whole.circuit(1).layout is None
        assert all(part.options[0].layout is None for stage in whole.parts for part in stage)
        if target == ALL_TO_ALL:
            assert whole.placement == tuple(range(whole.program.num_qubits))


def test_compiled__reset_free_block__equals_its_unitary_on_every_input() -> None:
    # level 3 must not assume that a block starts from zeros: the delay is such a block
    program = build(ising(3), random_delays=(1, 1))
    small = on_target(program, SMALL_LATTICE).compact()
    delay = next(part for stage in small.parts for part in stage if part.step is not None)
    width = small.start.num_qubits
    U = Operator(delay.options[0]).data
    V = on_target(program, ALL_TO_ALL).parts[0][-1].options[0]
    extra = QuantumCircuit(width)
    extra.compose(V, range(program.num_qubits), inplace=True)
    overlap = np.vdot(Operator(extra).data, U) / 2**width
    assert abs(overlap) == pytest.approx(1, abs=EQUAL)


@pytest.mark.parametrize("target", [ALL_TO_ALL, LATTICE])
@pytest.mark.parametrize("name", EXAMPLES)
def test_compiled__files__read_back_as_the_same_circuit(name: str, target: str) -> None:
    # two sweeps: long enough to show a permutation, short enough for a density matrix of eight qubits
    program = build(example(name).generator, **{**example(name).knobs, "sweeps": 2 if name == "h2" else 1})
    whole = on_target(program, target)
    qc = whole.circuit(3)
    stored = io.BytesIO()
    qpy.dump(qc, stored)
    stored.seek(0)
    (loaded,) = qpy.load(stored)
    assert loaded == qc
    text = qasm3.dumps(qc)
    read = qasm3.loads(text)
    assert read.count_ops() == qc.count_ops()
    clean = np.diag([1.0] + [0.0] * (2**program.num_system - 1))
    expected = exact_states(program, clean, random_draws(program, 3))[-1]
    assert np.abs(simulated(read, whole.system_qubits) - expected).max() < EQUAL


@pytest.mark.parametrize("target", [load_target(ALL_TO_ALL), SMALL_LATTICE], ids=["all_to_all", "lattice"])
def test_closed__swap__is_performed_not_relabelled(target: Target) -> None:
    # level 3 turns a swap into a relabelling, which would be lost when the block is repeated
    qc = QuantumCircuit(3)
    qc.rx(0.3, 0)
    for a, b in ((0, 1), (1, 2)):
        qc.cz(a, b)
        qc.swap(a, b)
        qc.ry(0.4, b)
    closed, placement = _closed(qc, target, target.coupling_map, None, 1)
    twice = closed.compose(closed)
    used = {twice.find_bit(q).index for item in twice.data for q in item.qubits}
    order = [*placement, *sorted(used - set(placement))]
    small = QuantumCircuit(len(order))
    for item in twice.data:
        small.append(item.operation, [order.index(twice.find_bit(q).index) for q in item.qubits])
    rho = random_state(3, 9)
    assert np.abs(evolved(small, rho) - DensityMatrix(rho).evolve(qc).evolve(qc).data).max() < EQUAL


def test_compiled__seed__same_circuit_again() -> None:
    program = build(ising(2))
    first, second = (on_target(program, SMALL_LATTICE).circuit(5) for _ in range(2))
    assert first == second
    assert first.metadata["program"] == program.hash


def test_compiled__too_few_qubits__is_refused() -> None:
    program = build(ising(11))
    with pytest.raises(ArgumentError, match=r"have 22 qubits \(11 system \+ 11 ancilla\).*19.*Fix:"):
        compile_for(program, SMALL_LATTICE, zero(11), 0)


def test_compiled__compact__puts_program_qubits_first() -> None:
    program = build(ising(2))
    whole = compile_for(program, SMALL_LATTICE, mixed(), 0)
    small = whole.compact()
    assert small.placement == (0, 1, 2, 3)
    assert small.start.num_qubits < 19
    assert small.two_qubit_gates == whole.two_qubit_gates
    again = small.compact()
    assert again.start == small.start


def test_compiled__depth__is_positive_and_below_the_gate_count() -> None:
    whole = on_target(build(ising(2), random_delays=(0, 0)), ALL_TO_ALL)
    total = sum(whole.circuit(1).count_ops().values())
    assert 0 < whole.depth(1) < total
