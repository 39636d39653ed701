"""Placements and swaps: what commutes, what merges, what closes, on any coupling map."""

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import DensityMatrix, Operator
from qiskit.transpiler import CouplingMap

from gibbs_circuits.backends.transpile.interactions import Block, block, nodes
from gibbs_circuits.backends.transpile.placing import Estimate, Placement, Task, best_placement, routed
from gibbs_circuits.backends.transpile.routing import Router, two_qubit_gates, without_last_resets
from gibbs_circuits.backends.transpile.swapping import WIDE, Lattice, Swapped, routed_circuit, swapped
from gibbs_circuits.readings.circuits.circuit import circuit_segments
from tests.examples import build, evolved, ising, random_state
from tests.patience import FULL, looking

BASIS = ("cz", "rz", "sx", "x")
EXACT = 1e-10
LINE = CouplingMap.from_line(5)
MAPS = {
    "line": CouplingMap.from_line(9),
    "grid": CouplingMap.from_grid(3, 3),
    "heavy hex": CouplingMap.from_heavy_hex(3, bidirectional=True),
}


@pytest.fixture(autouse=True, scope="module")
def all_of_them() -> Iterator[None]:
    """How good placements are is asked here."""
    with looking(FULL):
        yield


def bonds(sites: int, layers: int) -> QuantumCircuit:
    """Commuting bonds of a ring, with fields between the layers."""
    qc = QuantumCircuit(sites)
    for layer in range(layers):
        for k in range(sites):
            qc.rzz(0.3 + 0.1 * layer, k, (k + 1) % sites)
        for k in range(sites):
            qc.rx(0.4, k)
    return qc


def found(qc: QuantumCircuit, coupling: CouplingMap, home: Placement, width: int = WIDE) -> tuple[Block, Swapped]:
    order = block(qc)
    result = swapped(order, Lattice.of(coupling), home, range(qc.num_qubits), width)
    assert result is not None
    return order, result


@lru_cache
def tasks(sites: int) -> tuple[tuple[Task, ...], QuantumCircuit]:
    """The blocks of a chain's sweep, and the first of them."""
    router = Router(BASIS, LINE)
    program = build(ising(sites))
    written = [router.written(part.options[0], 0) for part in circuit_segments(program, fused=True)[0]]
    made = tuple(router.task(qc, weight, 0) for qc, weight in zip(written, (1.0, 2.0), strict=True))
    assert None not in made
    return made, written[0]  # type: ignore[return-value]


def unitary_on(qc: QuantumCircuit, wires: list[int]) -> np.ndarray:
    small = QuantumCircuit(len(wires))
    for item in qc.data:
        small.append(item.operation, [wires.index(qc.find_bit(q).index) for q in item.qubits])
    return Operator(small).data


def test_nodes__bonds_of_a_layer__wait_for_no_other_but_for_the_fields_before() -> None:
    order = block(bonds(4, 2))
    assert order.before[:4] == (0, 0, 0, 0)
    assert all(order.before[k] for k in range(4, 8))
    assert order.levels == (1, 1, 1, 1, 2, 2, 2, 2)
    turned = QuantumCircuit(3)  # the control: bonds along different axes do not commute
    turned.rzz(0.3, 0, 1)
    turned.rxx(0.3, 1, 2)
    assert block(turned).before == (0, 1)


def test_nodes__reset__keeps_its_place() -> None:
    qc = QuantumCircuit(2)
    qc.rzz(0.3, 0, 1)
    qc.reset(0)
    qc.rzz(0.3, 0, 1)
    assert block(qc).before == (0, 1)
    assert [node.gates[0][0].name for node in nodes(qc)] == ["rzz", "reset", "rzz"]


@pytest.mark.parametrize(
    ("name", "angles", "alone", "merged"),
    [("rzz", (0.3,), 2, 3), ("cz", (), 1, 2), ("swap", (), 3, 0), ("iswap", (), 2, 1)],
)
def test_nodes__swap_beside_a_gate__counts_what_the_pair_needs(
    name: str, angles: tuple[float, ...], alone: int, merged: int
) -> None:
    qc = QuantumCircuit(2)
    getattr(qc, name)(*angles, 0, 1)
    (node,) = nodes(qc)
    assert (node.alone, node.swapped) == (alone, merged)
    both = QuantumCircuit(2)
    both.compose(qc, inplace=True)
    both.rz(0.1, 0)
    both.swap(0, 1)
    both.rz(-0.1, 1)
    for whole, gates in ((qc, alone), (both, merged)):  # the swap is performed
        assert two_qubit_gates(Router(BASIS, CouplingMap.from_line(2)).closed(whole, (0, 1), [0]).circuit) == gates


@pytest.mark.parametrize("coupling", MAPS.values(), ids=MAPS)
def test_swapped__ring_of_bonds__acts_as_the_block_and_returns(coupling: CouplingMap) -> None:
    qc, home = bonds(4, 3), tuple(range(4))
    order, result = found(qc, coupling, home)
    done, start, end = routed_circuit(order, result, home, coupling.size(), 0.0)
    assert start[:4] == end[:4] == list(home)
    edges = set(coupling.get_edges())
    pairs = [tuple(done.find_bit(q).index for q in item.qubits) for item in done.data if len(item.qubits) == 2]
    assert set(pairs) <= edges | {(b, a) for a, b in edges}
    wires = [*home, *sorted(result.outside)]
    wide = QuantumCircuit(len(wires))
    wide.compose(qc, range(4), inplace=True)
    if end == start:
        assert np.abs(unitary_on(done, wires) - Operator(wide).data).max() < EXACT
    closed = Router(BASIS, coupling).closed(qc, home, [0]).circuit
    assert two_qubit_gates(closed) <= result.gates


def test_swapped__merging__is_worth_a_swap_beside_a_gate() -> None:
    # the bond across needs a swap beside the one before it (+1) and a bare one home (+3), not two bare ones (+6)
    qc = QuantumCircuit(3)
    for a, b in ((0, 1), (1, 2), (0, 2), (0, 1)):
        qc.rzz(0.3, a, b)
        qc.rx(0.2, a)
        qc.rx(0.2, b)
    _, result = found(qc, CouplingMap.from_line(3), (0, 1, 2))
    assert result.gates == 8 + 1 + 3
    assert result.events == (0, 1, (1, 2), 2, (1, 2), 3)


def test_swapped__limit__refuses_what_costs_more() -> None:
    qc, home = bonds(4, 3), tuple(range(4))
    order, result = found(qc, MAPS["line"], home)
    lattice = Lattice.of(MAPS["line"])
    assert swapped(order, lattice, home, range(4), WIDE, result.gates) is not None
    assert swapped(order, lattice, home, range(4), WIDE, result.gates - 1) is None


def test_swapped__wires_apart__are_not_routed() -> None:
    apart = CouplingMap([[0, 1], [1, 0], [2, 3], [3, 2]])
    qc = QuantumCircuit(2)
    qc.cz(0, 1)
    assert swapped(block(qc), Lattice.of(apart), (0, 2), (0, 1), 4) is None


@pytest.mark.parametrize("coupling", MAPS.values(), ids=MAPS)
def test_closed__small_chain__twice_is_the_block_twice(coupling: CouplingMap) -> None:
    made, qc = tasks(2)
    placement = best_placement(made, Lattice.of(coupling), [], 4, 0)
    closed = Router(BASIS, coupling).closed(qc, placement, [0]).circuit
    used = {closed.find_bit(q).index for item in closed.data for q in item.qubits}
    order = [*placement, *sorted(used - set(placement))]
    small = QuantumCircuit(len(order))
    for item in closed.data:
        small.append(item.operation, [order.index(closed.find_bit(q).index) for q in item.qubits])
    rho = random_state(2, 2)
    clean = np.kron(np.diag([1.0, 0, 0, 0]), rho)
    expected = DensityMatrix(clean).evolve(qc).evolve(qc).data[:4, :4]
    assert np.abs(evolved(small.compose(small), rho) - expected).max() < EXACT
    assert np.abs(evolved(small, rho) - expected).max() > 1e-3  # the control: once is not twice


def test_best_placement__chain__beats_every_suggestion_of_qiskit() -> None:
    coupling = CouplingMap.from_heavy_hex(5, bidirectional=True)
    made, qc = tasks(4)
    lattice, router = Lattice.of(coupling), Router(BASIS, coupling)
    placement = best_placement(made, lattice, [], 8, 0)
    ours, _ = routed(made, lattice, placement, math.inf)
    assert placement == best_placement(made, lattice, [], 8, 0)
    assert len(set(placement)) == 8
    theirs = [routed(made, lattice, router.placement(qc, seed), math.inf)[0] for seed in range(10)]
    assert ours <= min(theirs)
    closed = router.closed(qc, placement, [0]).circuit
    assert two_qubit_gates(closed) <= routed(made[:1], lattice, placement, math.inf)[0]


def test_estimate__neighbours__cost_nothing() -> None:
    lattice = Lattice.of(LINE)
    body, _ = without_last_resets(bonds(2, 1))
    estimate = Estimate.of([Task(1.0, block(body), (0, 1))], lattice, 1.0)
    assert estimate((0, 1), lattice) == 0
    assert 0 < estimate((0, 2), lattice) < estimate((0, 3), lattice)
