"""`gc.transpiler`: the routing as Qiskit passes, on circuits that were made without our code."""

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.quantum_info import Operator, SparsePauliOp, Statevector
from qiskit.transpiler import CouplingMap, PassManager, generate_preset_pass_manager

import gibbs_circuits as gc
from gibbs_circuits.backends.transpile import routing
from gibbs_circuits.backends.transpile.transpiler import closed, closed_passes

EXACT = 1e-9
LINE = CouplingMap.from_line(6, bidirectional=True)
BASIS = {"cz", "rz", "sx", "x"}


def plain() -> QuantumCircuit:
    """Gates far apart, and rotations that do not fit a line."""
    qc = QuantumCircuit(4)
    qc.rx(0.3, 0)
    qc.rzz(0.4, 0, 3)
    qc.append(PauliEvolutionGate(SparsePauliOp(["ZZII", "IXXI", "XIIX"]), 0.2), range(4))
    qc.cx(1, 3)
    qc.ry(0.7, 2)
    return qc


def exact() -> Operator:
    """The same with its evolution written as rotations, one by one."""
    return Operator(plain().decompose(gates_to_decompose="PauliEvolution"))


@lru_cache
def on_the_line(layout: tuple[int, ...] | None = None) -> QuantumCircuit:
    passes = gc.transpiler.closed_pass_manager(coupling_map=LINE, initial_layout=layout)
    assert isinstance(passes, PassManager)
    return passes.run(plain())


def error(routed: QuantumCircuit, times: int = 1) -> float:
    """1 − fidelity after some repetitions, the other wires in |0⟩, read where the layout says that the qubits end."""
    start = routed.layout.initial_index_layout(filter_ancillas=True)
    end = routed.layout.final_index_layout(filter_ancillas=True)
    assert times == 1 or start == end
    rng = np.random.default_rng(1)
    psi = Statevector(rng.standard_normal(16) + 1j * rng.standard_normal(16))
    psi = psi / np.linalg.norm(psi.data)
    begun = Statevector.from_int(0, 4).tensor(psi)  # qubits 0 … 3 the program's
    others = [wire for wire in range(6) if wire not in start]
    there = begun.evolve(permuted([*start, *others]))
    for _ in range(times):
        there = there.evolve(Operator.from_circuit(routed, layout=None, final_layout=None, ignore_set_layout=True))
        psi = psi.evolve(exact())
    back = there.evolve(permuted([*end, *[wire for wire in range(6) if wire not in end]]).inverse())
    return 1 - abs(np.vdot(Statevector.from_int(0, 4).tensor(psi).data, back.data)) ** 2


def permuted(wires: list[int]) -> QuantumCircuit:
    """What takes qubit k to wires[k]."""
    qc, where = QuantumCircuit(6), list(range(6))
    for k, wire in enumerate(wires):
        at = where.index(k)
        if at != wire:
            qc.swap(at, wire)
            where[at], where[wire] = where[wire], where[at]
    return qc


@pytest.mark.parametrize("layout", [None, (0, 2, 3, 1), (5, 0, 3, 2)])
def test_closed__plain_circuit__is_the_same_up_to_where_qubits_end(layout: Any) -> None:
    routed = on_the_line(layout)
    assert set(routed.count_ops()) <= BASIS
    pairs = {tuple(routed.find_bit(q).index for q in i.qubits) for i in routed.data if len(i.qubits) == 2}
    assert pairs <= set(LINE.get_edges())
    assert error(routed) < EXACT
    if layout is not None:
        assert tuple(routed.layout.initial_index_layout(filter_ancillas=True)) == layout


def test_closed__repeated__is_the_power_of_the_circuit() -> None:
    assert error(on_the_line(), times=3) < EXACT


def test_closed__control__qiskits_own_routing_may_not_be_repeated() -> None:
    ends = [
        generate_preset_pass_manager(1, basis_gates=[*BASIS], coupling_map=LINE, seed_transpiler=seed).run(plain())
        for seed in range(4)
    ]
    assert any(
        qc.layout.initial_index_layout(filter_ancillas=True) != qc.layout.final_index_layout(filter_ancillas=True)
        for qc in ends
    )
    assert all(error(qc) < EXACT for qc in ends)  # once, they are right: the test reads layouts rightly
    spoilt = on_the_line().copy()
    spoilt.rx(0.1, spoilt.layout.initial_index_layout(filter_ancillas=True)[0])
    assert error(spoilt) > 1e-4


def test_closed__without_a_lattice__keeps_every_qubit_where_it_is() -> None:
    done = gc.transpiler.closed_pass_manager(("ecr", "rz", "sx", "x")).run(plain())
    assert set(done.count_ops()) <= {"ecr", "rz", "sx", "x"}
    assert Operator(done).equiv(exact())


def test_closed__last_resets__are_done_at_home_on_the_line() -> None:
    qc = plain()
    qc.reset([1, 2])
    routed = gc.transpiler.closed_pass_manager(coupling_map=LINE).run(qc)
    layout = routed.layout.initial_index_layout(filter_ancillas=True)
    resets = {routed.find_bit(i.qubits[0]).index for i in routed.data if i.operation.name == "reset"}
    assert resets == {layout[1], layout[2]}
    assert routed.count_ops()["cz"] <= on_the_line().count_ops()["cz"]  # two qubits need not come home


def test_passes__are_qiskits__and_compose_with_its_own() -> None:
    passes = gc.transpiler.closed_pass_manager(coupling_map=LINE)
    schedule = generate_preset_pass_manager(1, basis_gates=[*BASIS], coupling_map=LINE).optimization
    both = PassManager([*passes.to_flow_controller().tasks, *schedule.to_flow_controller().tasks])
    assert error(both.run(plain())) < EXACT


def test_passes__are_what_the_package_compiles_with(monkeypatch: pytest.MonkeyPatch) -> None:
    program = gc.compile(
        gc.dll(gc.models.mixed_field_ising(2), 1.0), sweeps=1, nodes=2, strength=0.6, spacing=0.5, random_delays=False
    )
    seen: list[int] = []
    routing = gc.transpiler.ClosedRouting.run

    def run(self: Any, dag: Any) -> Any:
        seen.append(dag.num_qubits())
        return routing(self, dag)

    monkeypatch.setattr(gc.transpiler.ClosedRouting, "run", run)
    hexagons = gc.AerTarget.model_validate({"name": "hex", "kind": "aer", "coupling": {"heavy_hex": 3}})
    gc.preview(program, hexagons)
    assert seen == [4] * len(seen) != []


def test_closed__large_block__is_routed_again_from_the_seed_that_found_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "MAX_SEARCHED", 0)  # as if it were too large for the search that merges swaps
    router, others = routing.Router(tuple(sorted(BASIS)), LINE), 0
    for first in (0, 7, 19):
        found = closed(plain(), closed_passes(router, (0, 3, 1, 2), first))
        assert closed(plain(), closed_passes(router, (0, 3, 1, 2), first, found.seed)).circuit == found.circuit
        others += closed(plain(), closed_passes(router, (0, 3, 1, 2), first, first)).circuit != found.circuit
    assert others  # the control: another seed routes it in another way
