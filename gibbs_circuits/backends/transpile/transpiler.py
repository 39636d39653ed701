"""Routing for circuits that are repeated, as Qiskit passes: for any circuit, by `gc.transpiler.closed_pass_manager`."""

from __future__ import annotations

from collections.abc import Sequence

from qiskit import QuantumCircuit, QuantumRegister
from qiskit.converters import circuit_to_dag, dag_to_circuit
from qiskit.dagcircuit import DAGCircuit
from qiskit.transpiler import CouplingMap, Layout, PassManager, TransformationPass

from ..devices.basis import DEFAULT_BASIS
from .placing import best_placement
from .routing import Closed, Router, bare, routing_seeds, two_qubit_gates

SEED = "closed_routing_seed"  # in the property set: the seed that found the routing


def closed_pass_manager(
    basis_gates: Sequence[str] = DEFAULT_BASIS,
    coupling_map: CouplingMap | None = None,
    initial_layout: Sequence[int] | None = None,
    seed_transpiler: int = 0,
) -> PassManager:
    """Passes that write a circuit in basis gates, on a lattice if there is one, and end where they began.

    What they give may be repeated as it is: every qubit is swapped home, with swaps that merge with gates where they
    can. Resets that end the circuit are done at home; other wires of the lattice may end with anything.

    Args:
        basis_gates: Gates on one and two qubits, from which all others can be made; a reset is always there.
        coupling_map: Which pairs interact; None: all.
        initial_layout: Wire of every qubit; None: searched for.
        seed_transpiler: Of the searches.
    """
    router = Router(tuple(basis_gates), coupling_map)
    return closed_passes(router, None if initial_layout is None else tuple(initial_layout), seed_transpiler)


def closed_passes(
    router: Router, placement: tuple[int, ...] | None, seed: int, tried: int | None = None
) -> PassManager:
    """The passes of `closed_pass_manager` for one router.

    Args:
        router: Basis gates and lattice.
        placement: Wire of every qubit; None: searched for.
        seed: Of the searches.
        tried: The one seed that a large circuit is routed from; None: several.
    """
    return PassManager([FewestPauliGates(router, seed), ClosedRouting(router, placement, seed, tried)])


def closed(qc: QuantumCircuit, passes: PassManager) -> Closed:
    """A circuit that `closed_passes` made, without a layout, and the seed that found its routing."""
    done = passes.run(qc)
    return Closed(bare(done), passes.property_set[SEED])


class FewestPauliGates(TransformationPass):  # type: ignore[misc]  # Qiskit declares no types
    """Writes Pauli rotations in the way that needs the fewest two-qubit gates; see `Router.written`."""

    def __init__(self, router: Router, seed: int = 0) -> None:
        super().__init__()
        self.router, self.seed = router, seed

    def run(self, dag: DAGCircuit) -> DAGCircuit:
        """The circuit with its rotations synthesised, on the same qubits."""
        return circuit_to_dag(self.router.written(dag_to_circuit(dag), self.seed))


class ClosedRouting(TransformationPass):  # type: ignore[misc]  # Qiskit declares no types
    """Places and routes a circuit so that every qubit ends where it began; see `Router.closed`."""

    def __init__(
        self, router: Router, placement: tuple[int, ...] | None = None, seed: int = 0, tried: int | None = None
    ) -> None:
        super().__init__()
        self.router, self.placement, self.seed, self.tried = router, placement, seed, tried

    def run(self, dag: DAGCircuit) -> DAGCircuit:
        """The circuit on the wires of the lattice, in basis gates, with its layout in the property set."""
        qc, router = dag_to_circuit(dag), self.router
        if router.coupling is None:
            self.property_set[SEED] = self.seed
            return circuit_to_dag(router.unrouted(qc, self.seed))
        seeds = routing_seeds(len(qc.data), self.seed)
        placement = self.placement or searched_placement(router, [(1.0, qc)], qc.num_qubits, seeds)
        found = router.closed(qc, placement, seeds if self.tried is None else [self.tried])
        self.property_set[SEED] = found.seed
        others = sorted(set(range(found.circuit.num_qubits)) - set(placement))
        spare = QuantumRegister(len(others), "ancilla")
        wires = [*zip(dag.qubits, placement, strict=True), *zip(spare, others, strict=True)]
        self.property_set["layout"] = Layout(dict(wires))
        self.property_set["original_qubit_indices"] = {qubit: k for k, (qubit, _) in enumerate(wires)}
        return circuit_to_dag(found.circuit)


def searched_placement(
    router: Router, weighted: Sequence[tuple[float, QuantumCircuit]], num_qubits: int, seeds: range
) -> tuple[int, ...]:
    """The placement with the fewest two-qubit gates in some circuits: searched for, if large as Qiskit suggests.

    Args:
        router: Basis gates and lattice.
        weighted: How often every circuit is performed, and the circuit.
        num_qubits: Of each.
        seeds: Of Qiskit's suggestions, which are compared by routing every circuit from the first.
    """
    once = QuantumCircuit(num_qubits)
    for _, qc in weighted:
        once.compose(qc, inplace=True)
    found = list(dict.fromkeys(router.placement(once, k) for k in seeds))  # a set, in a fixed order
    small = router.searchable(weighted, num_qubits, seeds[0])
    if small is not None:
        return best_placement(small, router.lattice, found, num_qubits, seeds[0])

    def gates(placement: tuple[int, ...]) -> float:
        return sum(w * two_qubit_gates(router.closed(qc, placement, seeds[:1]).circuit) for w, qc in weighted)

    return min(found, key=gates)
