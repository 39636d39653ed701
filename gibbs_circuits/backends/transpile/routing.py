"""One block in basis gates, on a lattice placed and routed so that it may be repeated."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import scipy.sparse
from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction
from qiskit.transpiler import CouplingMap, PassManager, generate_preset_pass_manager
from qiskit.transpiler.passes import HLSConfig
from qiskit.transpiler.passes.routing.algorithms import ApproximateTokenSwapper

from ...limits import MAX_COMPARED_GATES, MAX_SEARCHED
from .chains import ChainEnds, routed_along
from .equivalence import same_action
from .interactions import block
from .placing import Task, worthwhile
from .swapping import WIDE, Lattice, routed_circuit, swapped
from .tracks import Layout

SWAP_TRIALS = 20
ROUTING_SEEDS = 20
ROUTING_BUDGET = 40_000  # gates routed in the search for one block; larger blocks are tried from fewer seeds


@dataclass(frozen=True, eq=False)
class Router:
    """Writes blocks in the basis gates of a device, and places and routes them on its lattice if it has one."""

    gates: tuple[str, ...]
    coupling: CouplingMap | None
    managers: dict[tuple[object, ...], PassManager] = field(default_factory=dict, repr=False)

    @property
    def basis(self) -> list[str]:
        """Basis gates and the reset."""
        return [*self.gates, "reset"]

    def written(self, qc: QuantumCircuit, seed: int) -> QuantumCircuit:
        """A block with its Pauli rotations synthesised: the writing that needs the fewest two-qubit gates.

        Rotations one by one (the only writing where no term acts on more than two qubits), Qiskit's own synthesis of
        whole commuting groups, or its Rustiq plugin, in the order of the terms; each equals the block up to a phase.
        Above 8,000 gates only the first is written.
        """
        plain = qc.decompose(gates_to_decompose="PauliEvolution")
        wide = (item.operation.name == "PauliEvolution" and item.operation.num_qubits > 2 for item in qc.data)
        if len(plain.data) > MAX_COMPARED_GATES or not any(wide):
            return plain
        found = []
        with warnings.catch_warnings():  # Qiskit exponentiates sparse matrices along the way
            warnings.simplefilter("ignore", scipy.sparse.SparseEfficiencyWarning)
            for block, rustiq in ((plain, False), (qc, False), (qc, True)):
                done = self._manager(3, seed, rustiq=rustiq).run(block)
                if _is_identity(done, qc.num_qubits) and same_action(plain, done, *[range(qc.num_qubits)] * 2):
                    found.append(bare(done))
        return min(found, key=two_qubit_gates, default=plain)

    def unrouted(self, qc: QuantumCircuit, seed: int) -> QuantumCircuit:
        """A block in basis gates where every pair of qubits interacts, ending on the wires it began on."""
        for level in (3, 1):  # level 3 may elide swaps into a relabelling, which would break repetition, or lose angles
            done = self._manager(level, seed).run(qc)
            if _is_identity(done, qc.num_qubits) and (level == 1 or same_action(qc, done, *[range(qc.num_qubits)] * 2)):
                return bare(done)
        raise AssertionError("level 1 keeps the order of the qubits")

    def within(self, wires: Collection[int]) -> Router:
        """A router for the lattice that has only the pairs among some wires."""
        assert self.coupling is not None  # only lattices are routed
        narrow = CouplingMap()
        for wire in range(self.coupling.size()):
            narrow.add_physical_qubit(wire)
        for a, b in self.coupling.get_edges():
            if a in wires and b in wires:
                narrow.add_edge(a, b)
        return replace(self, coupling=narrow, managers={})

    def placement(self, qc: QuantumCircuit, seed: int) -> tuple[int, ...]:
        """Where routing from this seed would put the qubits of a circuit."""
        routed = self._manager(3, seed, placed=()).run(qc)
        return tuple(routed.layout.initial_index_layout(filter_ancillas=True))

    def closed(self, qc: QuantumCircuit, placement: Sequence[int], seeds: Iterable[int]) -> Closed:
        """A block routed from a placement and back to it: with swaps that merge, or if large the best of some seeds.

        Repeating a block that routing leaves permuted silently computes something else, so every program qubit is
        swapped home. The resets that end the block are done at home, where they also undo what noise did on the way;
        qubits that are about to be reset, and wires outside the program, may end with anything: nothing reads them.
        """
        body, last = without_last_resets(qc)
        kept = [k for k in range(qc.num_qubits) if k not in last]
        tried = list(seeds)
        narrow = self.narrow(body, tried[0])
        for level in (3, 1):  # level 3 loses tiny angles
            merged = None if narrow is None else self._merged(narrow, placement, kept, level, tried[0])
            if merged is not None:
                homes = [(merged, tried[0])]
            else:
                homes = [(self._brought_home(body, placement, kept, level, seed), seed) for seed in tried]
            for (done, start, end), seed in sorted(homes, key=lambda home: two_qubit_gates(home[0][0])):
                used = {done.find_bit(q).index for item in done.data for q in item.qubits}
                wires = [k for k, wire in enumerate(start) if k < qc.num_qubits or wire in used]
                if level == 1 or same_action(body, done, [start[k] for k in wires], [end[k] for k in wires]):
                    for qubit in sorted(last):
                        done.reset(placement[qubit])
                    return Closed(done, seed)
        raise AssertionError("level 1 routes every block")

    def along(self, qc: QuantumCircuit, layout: Layout, clean: Collection[int], seed: int) -> QuantumCircuit | None:
        """A block of a chain on its track, as `closed` with other means; None if it is no block of this chain.

        Ancillas are reset right after what they are there for, so that sites may pass them; wires between seats are
        taken to be in |0⟩ and end there.

        Args:
            qc: With its Pauli rotations written out.
            layout: Where.
            clean: Ancillas, as qubits of the block, that are in |0⟩ before it.
            seed: Of the last passes.
        """
        body, ends = chain_block(qc, clean)
        routed = routed_along(body, layout, len(self.lattice.neighbours), ends)
        if routed is None:
            return None
        home = layout.placement(qc.num_qubits)
        reference = body.copy()
        for qubit in sorted(ends.forgotten):
            reference.reset(qubit)
        for level in (3, 1):
            done = self._finished(routed, level, seed)
            used = {done.find_bit(q).index for item in done.data for q in item.qubits}
            wires = [*home, *sorted(used - set(home))]
            zero = [k for k in range(len(wires)) if k in clean or k >= qc.num_qubits]
            if same_action(reference, done, wires, wires, zero):
                return done
        raise AssertionError("a block routed along a track must act as the block")

    def narrow(self, body: QuantumCircuit, seed: int) -> QuantumCircuit | None:
        """A block in gates on at most two qubits for the search for swaps; None where it is too large for that."""
        if any(item.operation.num_qubits > 2 for item in body.data):
            body = self.unrouted(body, seed)
        return body if two_qubit_gates(body) * body.num_qubits <= MAX_SEARCHED else None

    def task(self, qc: QuantumCircuit, weight: float, seed: int) -> Task | None:
        """A block as what decides a placement; None where it is too large to search."""
        body, last = without_last_resets(qc)
        narrow = self.narrow(body, seed)
        if narrow is None:
            return None
        return Task(weight, block(narrow), tuple(k for k in range(qc.num_qubits) if k not in last))

    def searchable(
        self, weighted: Sequence[tuple[float, QuantumCircuit]], num_qubits: int, seed: int
    ) -> list[Task] | None:
        """Circuits as what decides a placement; None where they are too large to search."""
        tasks = [self.task(qc, weight, seed) for weight, qc in weighted]
        small = [task for task in tasks if task is not None]
        return small if len(small) == len(tasks) and worthwhile(small, num_qubits) else None

    @cached_property
    def lattice(self) -> Lattice:
        """Distances between wires of the coupling map, and their neighbours."""
        assert self.coupling is not None  # only lattices are routed
        return Lattice.of(self.coupling)

    def _merged(
        self, body: QuantumCircuit, placement: Sequence[int], kept: Sequence[int], level: int, seed: int
    ) -> tuple[QuantumCircuit, list[int], list[int]] | None:
        """A routing with swaps beside gates, if one is found; the physical wire of every virtual qubit at both ends."""
        order = block(body)
        found = swapped(order, self.lattice, placement, kept, WIDE)
        if found is None:
            return None
        qc, start, end = routed_circuit(order, found, placement, len(self.lattice.neighbours), body.global_phase)
        return self._finished(qc, level, seed), start, end

    def _finished(self, qc: QuantumCircuit, level: int, seed: int) -> QuantumCircuit:
        """A routed circuit in basis gates, swaps merged with gates on the same pair."""
        done = self._manager(level, seed, placed=(), last=True).run(qc)
        if not _is_identity(done, qc.num_qubits):
            raise AssertionError("the last stage moves no qubit")
        return bare(done)

    def _brought_home(
        self, body: QuantumCircuit, placement: Sequence[int], kept: Sequence[int], level: int, seed: int
    ) -> tuple[QuantumCircuit, list[int], list[int]]:
        """A routing with some qubits swapped home; the physical wire of every virtual qubit before and after."""
        assert self.coupling is not None  # only lattices are routed
        routed = self._manager(level, seed, placed=tuple(placement)).run(body)
        start, end = _ends(routed)
        graph = self.coupling.graph.to_undirected(multigraph=False)
        moves = {end[k]: start[k] for k in kept}
        swaps = ApproximateTokenSwapper(graph, seed=seed).map(moves, trials=SWAP_TRIALS)
        qc = bare(routed)
        for a, b in swaps:
            qc.swap(a, b)
            end = [{a: b, b: a}.get(wire, wire) for wire in end]
        if any(end[k] != start[k] for k in kept):
            raise AssertionError("a closed block must end on the layout it began with")
        if not swaps:
            return qc, start, end
        return self._finished(qc, level, seed), start, end

    def _manager(
        self, level: int, seed: int, *, placed: tuple[int, ...] | None = None, rustiq: bool = False, last: bool = False
    ) -> PassManager:
        """Qiskit's passes for a block, which may begin in any state.

        Args:
            level: Of optimisation.
            seed: Of the search for a routing.
            placed: Physical qubits to begin on; empty: any; None: no lattice.
            rustiq: Whether the Rustiq plugin synthesises Pauli rotations.
            last: Only what comes after routing. It merges swaps with gates on the same pair; what comes before would
                elide them.
        """
        key = (level, seed, placed, rustiq, last)
        if key not in self.managers:  # building them takes longer than running them on a small block
            ordered = {"preserve_order": True, "upto_phase": False, "upto_clifford": False}
            manager = generate_preset_pass_manager(
                level,
                basis_gates=self.basis,
                coupling_map=None if placed is None else self.coupling,
                initial_layout=list(placed) if placed else None,
                seed_transpiler=seed,
                hls_config=HLSConfig(PauliEvolution=[("rustiq", ordered)]) if rustiq else None,
                qubits_initially_zero=False,
            )
            if last:
                manager.init = manager.layout = manager.routing = None
            self.managers[key] = manager
        return self.managers[key]


@dataclass(frozen=True, eq=False)
class Closed:
    """A routed block that ends on the layout it began with, and the seed that found it."""

    circuit: QuantumCircuit
    seed: int


def routing_seeds(gates: int, seed: int) -> range:
    """Seeds that a circuit of so many gates is routed from."""
    return range(seed, seed + max(2, min(ROUTING_SEEDS, ROUTING_BUDGET // (1 + gates))))


def without_last_resets(qc: QuantumCircuit) -> tuple[QuantumCircuit, frozenset[int]]:
    """A circuit without the resets after which a qubit is left alone, and these qubits."""
    touched, last = set[int](), set[int]()
    kept: list[CircuitInstruction] = []
    for item in reversed(qc.data):
        wires = {qc.find_bit(q).index for q in item.qubits}
        if item.operation.name == "reset" and not wires & touched:
            last |= wires
        else:
            kept.append(item)
        touched |= wires
    body = qc.copy_empty_like()
    for item in reversed(kept):
        body.append(item.operation, item.qubits)
    return body, frozenset(last)


def chain_block(qc: QuantumCircuit, clean: Collection[int]) -> tuple[QuantumCircuit, ChainEnds]:
    """A block without its last resets and without what is done in vain before them, and what is known of ancillas."""
    body, last = without_last_resets(qc)
    kept: list[CircuitInstruction] = []
    vain = set(last)
    for item in reversed(body.data):
        wires = {body.find_bit(q).index for q in item.qubits}
        if not wires <= vain or len(wires) > 1:
            kept.append(item)
            vain -= wires
    out = body.copy_empty_like()
    for item in reversed(kept):
        out.append(item.operation, item.qubits)
    return out, ChainEnds(frozenset(clean), last)


def two_qubit_gates(qc: QuantumCircuit) -> int:
    """Number of gates on two qubits in a circuit."""
    return sum(item.operation.num_qubits == 2 and item.operation.name != "barrier" for item in qc.data)


def bare(qc: QuantumCircuit) -> QuantumCircuit:
    """The same gates without a layout, which composing would carry along stale."""
    return QuantumCircuit(qc.num_qubits).compose(qc, range(qc.num_qubits), copy=False)


def relabelled(qc: QuantumCircuit, wire: Mapping[int, int], width: int) -> QuantumCircuit:
    """A circuit's gates on other wires: `wire[k]` in place of wire k, among `width`."""
    out = QuantumCircuit(width, global_phase=qc.global_phase)
    for item in qc.data:
        out.append(item.operation, [wire[qc.find_bit(q).index] for q in item.qubits])
    return out


def _ends(qc: QuantumCircuit) -> tuple[list[int], list[int]]:
    """Physical wire of every virtual qubit before and after."""
    reads = (qc.layout.initial_index_layout, qc.layout.final_index_layout)
    before, after = (list(read(filter_ancillas=False)) for read in reads)
    return before, after


def _is_identity(qc: QuantumCircuit, width: int) -> bool:
    return qc.layout is None or list(qc.layout.final_index_layout(filter_ancillas=False)) == list(range(width))
