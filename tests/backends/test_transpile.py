"""Transpiled for a target: the same channel, closed blocks, basis gates only, files that read back."""

import io
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from qiskit import QuantumCircuit, qasm3, qpy
from qiskit.quantum_info import DensityMatrix, Operator, partial_trace
from qiskit.transpiler import PassManager, generate_preset_pass_manager

from gibbs_circuits.backends.devices.errors import described_errors
from gibbs_circuits.backends.devices.keys import Noise
from gibbs_circuits.backends.targets.aer import AerTarget, HeavyHex
from gibbs_circuits.backends.targets.base import Target
from gibbs_circuits.backends.targets.registry import load_target
from gibbs_circuits.backends.transpile import placing
from gibbs_circuits.backends.transpile.compiled import Compiled
from gibbs_circuits.backends.transpile.routing import Router, two_qubit_gates, without_last_resets
from gibbs_circuits.backends.transpile.transpile import compile_for
from gibbs_circuits.errors import ArgumentError
from gibbs_circuits.experiments.choices import make_initial
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.kinds.dll import dll
from gibbs_circuits.models.library.spin_chains import heisenberg
from gibbs_circuits.programs.initial_state import mixed, zero
from gibbs_circuits.programs.program import Program
from gibbs_circuits.programs.steps import Branch, Couple, Evolve, RandomChoice, RandomDelay, Reset
from gibbs_circuits.readings.channel.sweep_channel import sweep_map
from gibbs_circuits.readings.circuits.circuit import assemble, circuit_segments, random_draws
from gibbs_circuits.readings.circuits.cost import cost
from gibbs_circuits.readings.circuits.depth import DEPTH_DRAWS, mean_depth
from tests.examples import (
    EXAMPLES,
    build,
    by_hand,
    evolved,
    exact_states,
    example,
    ising,
    programs,
    random_state,
    some_draws,
)
from tests.patience import FULL, looking

EQUAL = 1e-8
EXACT = 1e-10
BASIS = {"cz", "rz", "sx", "x", "reset"}
ALL_TO_ALL, LATTICE = "aer_density_matrix", "fake_heavy_hex"
SMALL_LATTICE = AerTarget(name="small", kind="aer", method="density_matrix", coupling=HeavyHex(heavy_hex=3))


_COMPILED: dict[tuple[str, ...], Compiled] = {}


def on_target(program: Program, target: str | Target, initial: str = "zero", *, anew: bool = False) -> Compiled:
    """Compiled once for each program, target and start."""
    on = target if isinstance(target, Target) else load_target(target)
    key = (program.hash, on.name, initial, str(placing.ANNEALED))
    if anew or key not in _COMPILED:
        _COMPILED[key] = compile_for(program, on, make_initial(initial, program.num_system, Path()), 1)
    return _COMPILED[key]


@lru_cache
def compiled(name: str, target: str) -> Compiled:
    return on_target(example(name), target)


def body(small: Compiled, delays: tuple[int, ...]) -> QuantumCircuit:
    """The sweeps of a compacted program, without the preparation."""
    return assemble(small.program, small.parts, QuantumCircuit(small.start.num_qubits), delays)


def one_sweep(program: Program) -> Program:
    return build(program.generator, program.scheme, **{**program.knobs, "sweeps": 1})


def simulated(qc: QuantumCircuit, system: tuple[int, ...]) -> np.ndarray:
    """The final state of the system by Qiskit alone, on the qubits in use, from all zeros."""
    used = {qc.find_bit(q).index for item in qc.data for q in item.qubits} - set(system)
    order = [*system, *sorted(used)]
    small = QuantumCircuit(len(order))
    for item in qc.data:
        small.append(item.operation, [order.index(qc.find_bit(q).index) for q in item.qubits])
    return evolved(small, np.diag([1.0] + [0.0] * (2 ** len(system) - 1)))


@pytest.mark.parametrize("target", [ALL_TO_ALL, LATTICE])
@pytest.mark.parametrize("name", EXAMPLES)
def test_compiled__one_sweep__acts_as_the_channel(name: str, target: str) -> None:
    program = one_sweep(example(name))
    small = on_target(program, target).compact()
    delays = some_draws(program)
    rho = random_state(program.num_system, 4)
    expected = exact_states(program, rho, delays)[-1]
    assert np.abs(evolved(body(small, delays), rho) - expected).max() < EQUAL


@pytest.mark.parametrize("scheme", ["parallel", "sequential"])
@pytest.mark.parametrize("target", [ALL_TO_ALL, SMALL_LATTICE], ids=["all_to_all", "lattice"])
def test_compiled__many_sweeps__stay_the_channel(target: str | Target, scheme: str) -> None:
    # a block that routing leaves open is right once and wrong from the second sweep on
    generator = dll(heisenberg(3, fields=[0.3, -0.2, 0.5]), 0.8, couplings_of("X", 3), GaussianFilter(0.8))
    program = build(generator, scheme, sweeps=3)
    small = on_target(program, target).compact()
    delays = some_draws(program)
    rho = random_state(3, 5)
    assert np.abs(evolved(body(small, delays), rho) - exact_states(program, rho, delays)[-1]).max() < EQUAL


@settings(deadline=None, derandomize=True, max_examples=12)
@given(programs(max_sites=2))
def test_compiled__generated__acts_as_the_channel(program: Program) -> None:
    small = on_target(program, ALL_TO_ALL)
    delays = some_draws(program)
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
    coupling = whole.device.coupling
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
    program = (
        one_sweep(example(name))
        if name != "h2"
        else build(example(name).generator, **{**example(name).knobs, "sweeps": 2})
    )
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
    router = Router(target.basis, target.coupling_map)
    placement = (0, 1, 2) if target.coupling_map is None else router.placement(qc, 1)
    closed = router.unrouted(qc, 1) if target.coupling_map is None else router.closed(qc, placement, [1, 2]).circuit
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
    first, second = (on_target(program, SMALL_LATTICE, anew=True).circuit(5) for _ in range(2))
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


# a sweep routed once and repeated


def chain(delays: tuple[int, int] | bool, sweeps: int = 10) -> Compiled:
    return on_target(build(ising(6), sweeps=sweeps, random_delays=delays), LATTICE)


@pytest.mark.slow  # forty circuits of ten sweeps; `test_placing` compares blocks with Qiskit's in the fast tests
@pytest.mark.parametrize("delays", [False, (2, 8)], ids=["no_delays", "delays"])
def test_repeated__gates__at_most_a_fifth_more_than_the_whole_circuit_routed_at_once(delays: Any) -> None:
    with looking(FULL):
        whole = chain(delays)
    program, coupling = whole.program, whole.device.coupling
    assert coupling is not None
    draws = random_draws(program, 1)
    ours = two_qubit_gates(assemble(program, whole.parts, QuantumCircuit(57), draws))
    plain = assemble(program, circuit_segments(program), QuantumCircuit(12), draws)
    plain = plain.decompose(gates_to_decompose="PauliEvolution")
    manager = [
        generate_preset_pass_manager(3, basis_gates=sorted(BASIS), coupling_map=coupling, seed_transpiler=seed)
        for seed in range(20)
    ]
    assert ours <= 1.2 * min(two_qubit_gates(one.run(plain)) for one in manager)


def test_repeated__six_and_six_qubits__ten_sweeps_are_the_channel() -> None:
    # six more qubits, entangled with the system at first, turn one state into the whole channel
    small = chain(False).compact()
    program, width = small.program, small.start.num_qubits
    (part,) = small.parts[0]
    sweep, last = without_last_resets(part.options[0])
    assert sorted(last) == list(range(6, 12))
    state = np.zeros((2,) * (width + 6), dtype=complex)
    for k in np.ndindex((2,) * 6):
        state[(*(0,) * (width - 6), *k, *k)] = 1  # wires from the highest, then the reference
    for item in sweep.data:
        wires = [width - 1 - sweep.find_bit(q).index for q in reversed(item.qubits)]
        gate = Operator(item.operation).data.reshape((2,) * 2 * len(wires))
        state = np.tensordot(gate, state, axes=(range(len(wires), 2 * len(wires)), wires))
        state = np.moveaxis(state, range(len(wires)), wires)
    kraus = state.reshape(2 ** (width - 12), 64, 64, 64)  # outside the program, ancillas, system, reference
    assert np.abs(kraus[1:]).max(initial=0) < EXACT  # what is outside is as it was
    rho = mine = random_state(6, 2)
    exact = sweep_map(program)
    for _ in range(10):
        mine = np.einsum("aij,jk,alk->il", kraus[0], mine, kraus[0].conj(), optimize=True)
        rho = exact.apply(rho)
    assert np.abs(mine - rho).max() < EXACT
    assert np.abs(rho - random_state(6, 2)).max() > 1e-3


def test_repeated__sweeps__cost_nothing_before_they_are_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = 0
    run = PassManager.run

    def counted(self: PassManager, *args: Any, **options: Any) -> Any:
        nonlocal runs
        runs += 1
        return run(self, *args, **options)

    monkeypatch.setattr(PassManager, "run", counted)
    seen = []
    for sweeps in (1, 1000):
        runs = 0
        whole = on_target(build(ising(2), sweeps=sweeps), LATTICE, anew=True)
        seen.append((runs, whole.two_qubit_gates / sweeps, whole.counts.resets / sweeps))
        whole.depth(1)
    assert seen[0] == pytest.approx(seen[1])
    assert runs == seen[0][0]


def test_closed__wires_outside_the_program__may_hold_anything() -> None:
    coupling = SMALL_LATTICE.coupling_map
    assert coupling is not None
    path = next(p for p in map(coupling.shortest_undirected_path, [0] * 18, range(1, 19)) if len(p) == 5)
    placement = path[::2]  # every interaction passes through a wire that is not the program's
    qc = QuantumCircuit(3)
    qc.rzz(0.4, 0, 1)
    qc.rxx(0.7, 1, 2)
    qc.reset(2)
    qc.ryy(0.3, 0, 2)
    qc.rx(0.2, 2)
    qc.reset(2)
    closed = Router(SMALL_LATTICE.basis, coupling).closed(qc, placement, [1, 2]).circuit
    used = {closed.find_bit(q).index for item in closed.data for q in item.qubits}
    order = [*placement, *sorted(used - set(placement))]
    assert len(order) > 3
    small = QuantumCircuit(len(order))
    for item in closed.data:
        small.append(item.operation, [order.index(closed.find_bit(q).index) for q in item.qubits])
    rho = random_state(2, 2)
    clean = np.kron(np.diag([1.0, 0.0]), rho)
    expected = DensityMatrix(clean).evolve(qc).evolve(qc)
    for outside in (np.diag([1.0] + [0.0] * (2 ** (len(order) - 3) - 1)), random_state(len(order) - 3, 3)):
        out = DensityMatrix(np.kron(outside, clean)).evolve(small).evolve(small)
        assert np.abs(partial_trace(out, range(3, len(order))).data - expected.data).max() < EXACT


def branches(count: int) -> Program:
    """A delay, then one of many couplings of three kinds on four sites in a ring."""
    rng = np.random.default_rng(5)
    labels = ("IIIY", "IIYI", "YIIY")
    choice = RandomChoice(
        tuple(
            Branch(
                1 / count,
                (Couple(((labels[k % 3], 1.0),), 0, 0.2 + rng.random(), rng.random()), Evolve(0.3, 1, 2), Reset((0,))),
            )
            for k in range(count)
        )
    )
    ring = (("IIZZ", -1.0), ("IZZI", -1.0), ("ZZII", -1.0), ("ZIIZ", -1.0), ("IIIX", 0.4), ("XIII", 0.3))
    return by_hand([choice, RandomDelay(Evolve(0.2, 1, 2), 0, 2)], 1, ring, repeats=2)


def test_choice__branches__are_transpiled_when_drawn_and_stay_on_the_wires_in_use() -> None:
    program = branches(3000)  # of three kinds
    whole = on_target(program, SMALL_LATTICE)
    small = whole.compact()
    assert whole.two_qubit_gates > 0
    assert whole.depth(1) > 0
    (choice, _) = whole.parts[0]
    made = choice.options._made  # type: ignore[attr-defined]
    assert sorted(made) == [0, 1, 2]
    rho = random_state(4, 1)
    for realisation in range(4):
        draws = random_draws(program, 1, realisation)
        expected = rho
        for k in range(2):
            expected = sweep_map(program, 0, draws[2 * k : 2 * k + 2]).apply(expected)
        assert np.abs(evolved(body(small, draws), rho) - expected).max() < EXACT
    assert len(made) <= 3 + 8


def test_choice__alike__differ_little_in_gates_from_the_kind_that_is_counted() -> None:
    (choice, _) = on_target(branches(24), SMALL_LATTICE).parts[0]
    for k in range(3, 24):
        assert two_qubit_gates(choice.options[k]) == two_qubit_gates(choice.options[choice.alike[k]])


@pytest.mark.parametrize("delays", [False, (1, 3)], ids=["no_delays", "delays"])
def test_depth__equals_that_of_the_circuit_written_out(delays: Any) -> None:
    program = build(ising(3), sweeps=5, random_delays=delays)
    for parts in (circuit_segments(program), on_target(program, SMALL_LATTICE).parts):
        width = parts[0][0].options[0].num_qubits
        written = [
            assemble(program, parts, QuantumCircuit(width), random_draws(program, 1, r)).depth()
            for r in range(DEPTH_DRAWS)
        ]
        assert mean_depth(program, parts, 1) == pytest.approx(np.mean(written))
        assert mean_depth(program, parts, 1) > 20


def test_counts__gates__are_those_of_the_circuit_written_out() -> None:
    program = build(ising(2), sweeps=4, random_delays=(2, 2))
    whole = on_target(program, ALL_TO_ALL)
    ops = assemble(program, whole.parts, QuantumCircuit(4), random_draws(program, 1)).count_ops()
    found = whole.counts
    assert (found.one_qubit, found.two_qubit, found.resets) == (ops["sx"] + ops.get("x", 0), ops["cz"], ops["reset"])
    assert whole.expected_fidelity == 1
    noisy = replace(whole, errors=described_errors(Noise(p1=0.01, p2=0.02, reset=0.03), whole.device.basis))
    expected = 0.99**found.one_qubit * 0.98**found.two_qubit * 0.97**found.resets
    assert noisy.expected_fidelity == pytest.approx(expected)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("noise = 3", r"noise must be a table of p1, p2, reset.*noise = \{p1 = 0.0001"),
        ("[noise]\np1 = 1.0", r"noise\.p1 must be a finite number >= 0 and < 1.*set p1 = 0.0001"),
        ("[noise]\nreset = -0.1", r"noise\.reset must be a finite number.*set reset"),
        ("[noise]\np3 = 0.1", r"noise\.p3 must be one of p1, p2, reset"),
    ],
)
def test_target__noise__is_checked(table: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f'name = "mine"\nkind = "aer"\nmethod = "density_matrix"\n{table}\n', "utf-8")
    with pytest.raises(ArgumentError, match=message):
        load_target(file)


@pytest.mark.parametrize("target", [load_target(ALL_TO_ALL), SMALL_LATTICE], ids=["all_to_all", "lattice"])
def test_closed__tiny_angles__are_kept(target: Target) -> None:
    # levels 2 and 3 drop rotations below about 1e-5: fatal for an identity at 1e-10
    qc = QuantumCircuit(3)
    for k in range(40):
        qc.rz(0.3, k % 3)
        qc.cz(k % 3, (k + 1) % 3)
        qc.rz(6e-6 - 0.3, k % 3)
        qc.sx(k % 3)
    manager = generate_preset_pass_manager(3, basis_gates=sorted(BASIS), seed_transpiler=1)
    lost = Operator.from_circuit(manager.run(qc)).data
    exact = Operator(qc).data
    overlap = np.vdot(lost, exact)
    assert np.linalg.norm(exact - overlap / abs(overlap) * lost) > 1e-6  # the control
    router = Router(target.basis, target.coupling_map)
    placement = (0, 1, 2) if target.coupling_map is None else router.placement(qc, 1)
    closed = router.unrouted(qc, 1) if target.coupling_map is None else router.closed(qc, placement, [1]).circuit
    used = {closed.find_bit(q).index for item in closed.data for q in item.qubits}
    order = [*placement, *sorted(used - set(placement))]
    small = QuantumCircuit(len(order))
    for item in closed.data:
        small.append(item.operation, [order.index(closed.find_bit(q).index) for q in item.qubits])
    rho = random_state(3, 9)
    assert np.abs(evolved(small, rho) - DensityMatrix(rho).evolve(qc).data).max() < 1e-12
