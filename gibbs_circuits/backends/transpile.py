"""Blocks of a program, placed and routed once on a target, closed to the identity layout, then only repeated."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse
from qiskit import QuantumCircuit, transpile
from qiskit.transpiler import CouplingMap
from qiskit.transpiler.passes import HLSConfig
from qiskit.transpiler.passes.routing.algorithms import ApproximateTokenSwapper

from ..compiler import Program
from ..errors import ArgumentError
from ..readings.circuit import Pieces, assemble, described, pieces, random_draws
from ..readings.initial import InitialState
from ..targets import Target

ROUTING_SEEDS = 20
DEPTH_DRAWS = 4


@dataclass(frozen=True, eq=False)
class Compiled:
    """A program on a target: every distinct block once, in basis gates.

    Attributes:
        program, target: What was compiled for what.
        start: The preparation, on the width of the target.
        parts: Blocks per stage, on the width of the target.
        placement: Physical qubit of every program qubit, at the start and at the end of every block.
    """

    program: Program
    target: Target
    start: QuantumCircuit
    parts: Pieces
    placement: tuple[int, ...]

    @property
    def system_qubits(self) -> tuple[int, ...]:
        """Where the system qubits, in order, are."""
        return self.placement[: self.program.num_system]

    @property
    def two_qubit_gates_per_sweep(self) -> tuple[float, ...]:
        """Per stage; mean over random delays."""
        return tuple(sum(part.mean(two_qubit_gates) for part in stage) for stage in self.parts)

    @property
    def two_qubit_gates(self) -> float:
        """All sweeps, mean over random delays, without the preparation."""
        pairs = zip(self.program.stages, self.two_qubit_gates_per_sweep, strict=True)
        return float(sum(stage.repeats * gates for stage, gates in pairs))

    def depth(self, seed: int) -> float:
        """Depth in basis gates and resets, mean over a few draws of the delays; preparation left out."""
        empty = QuantumCircuit(self.start.num_qubits)
        draws = DEPTH_DRAWS if any(part.step for stage in self.parts for part in stage) else 1
        return float(
            np.mean([
                assemble(self.program, self.parts, empty, random_draws(self.program, seed, r)).depth()
                for r in range(draws)
            ])
        )  # fmt: skip

    def circuit(self, seed: int, realisation: int = 0) -> QuantumCircuit:
        """Preparation and all sweeps with one draw of the delays, unrolled, no measurement."""
        draws = random_draws(self.program, seed, realisation)
        qc = assemble(self.program, self.parts, self.start, draws)
        return described(qc, self.program, seed, realisation, draws)

    def compact(self) -> Compiled:
        """The same on the qubits in use only, program qubit k on wire k first; for simulation."""
        circuits = [self.start, *(c for stage in self.parts for part in stage for c in part.distinct)]
        used = {c.find_bit(q).index for c in circuits for item in c.data for q in item.qubits}
        order = [*self.placement, *sorted(used - set(self.placement))]
        wire = {physical: k for k, physical in enumerate(order)}
        return replace(
            self,
            start=_relabel(self.start, wire),
            parts=tuple(tuple(p.mapped(lambda c: _relabel(c, wire)) for p in stage) for stage in self.parts),
            placement=tuple(range(len(self.placement))),
        )


def two_qubit_gates(qc: QuantumCircuit) -> int:
    """Gates on two qubits."""
    return sum(item.operation.num_qubits == 2 and item.operation.name != "barrier" for item in qc.data)


def compile_for(program: Program, target: Target, initial: InitialState, seed: int = 0) -> Compiled:
    """Transpile the distinct blocks of a program (level 3), each ending on the layout it began with.

    On a lattice the first block chooses the placement, the best of 20 routings; permutations that routing leaves
    behind are undone by swaps, because repeating an open block silently computes something else.

    Raises:
        ArgumentError: If the target has too few qubits.
    """
    coupling = target.coupling_map
    width = program.num_qubits if coupling is None else coupling.size()
    if width < program.num_qubits:
        n, m = program.num_system, program.num_ancilla
        raise ArgumentError(
            "backend",
            f"have {n + m} qubits ({n} system + {m} ancilla)",
            f"target `{target.name}` has {width}",
            f"use a target with {n + m} qubits or a smaller model",
        )
    abstract = pieces(program, fused=True)
    first = _written(abstract[0][0].options[0], target, seed)
    _, placement = _closed(first, target, coupling, None, seed)

    def placed(qc: QuantumCircuit) -> QuantumCircuit:
        return _closed(_written(qc, target, seed), target, coupling, placement, seed)[0]

    parts = tuple(tuple(piece.mapped(placed) for piece in stage) for stage in abstract)
    start, _ = _closed(initial.circuit(program.num_system, program.num_ancilla), target, coupling, placement, seed)
    return Compiled(program, target, start, parts, placement)


def _written(qc: QuantumCircuit, target: Target, seed: int) -> QuantumCircuit:
    """A block with its Pauli rotations synthesised: the writing that needs the fewest two-qubit gates.

    Rotations one by one (the only writing where no term acts on more than two qubits), Qiskit's own synthesis of whole
    commuting groups, or its Rustiq plugin, in the order of the terms; each equals the block up to a phase.
    """
    plain = qc.decompose(gates_to_decompose="PauliEvolution")
    if not any(item.operation.name == "PauliEvolution" and item.operation.num_qubits > 2 for item in qc.data):
        return plain
    rustiq = HLSConfig(
        PauliEvolution=[("rustiq", {"preserve_order": True, "upto_phase": False, "upto_clifford": False})]
    )
    basis = [*target.basis, "reset"]
    found = []
    with warnings.catch_warnings():  # Qiskit exponentiates sparse matrices along the way
        warnings.simplefilter("ignore", scipy.sparse.SparseEfficiencyWarning)
        for block, config in ((plain, None), (qc, None), (qc, rustiq)):
            done = transpile(block, basis_gates=basis, optimization_level=3, seed_transpiler=seed, hls_config=config)
            if _is_identity(done, qc.num_qubits):
                found.append(_bare(done))
    return min(found, key=two_qubit_gates, default=plain)


def _closed(
    qc: QuantumCircuit, target: Target, coupling: CouplingMap | None, placement: tuple[int, ...] | None, seed: int
) -> tuple[QuantumCircuit, tuple[int, ...]]:
    basis = [*target.basis, "reset"]
    if coupling is None:
        for level in (3, 1):  # level 3 may elide swaps into a relabelling, which would break repetition
            done = transpile(qc, basis_gates=basis, optimization_level=level, seed_transpiler=seed)
            if _is_identity(done, qc.num_qubits):
                return _bare(done), tuple(range(qc.num_qubits))
        raise AssertionError("level 1 keeps the order of the qubits")
    best: tuple[int, QuantumCircuit, tuple[int, ...]] | None = None
    for trial in range(ROUTING_SEEDS):
        routed = transpile(
            qc, basis_gates=basis, coupling_map=coupling, optimization_level=3, seed_transpiler=seed + trial,
            initial_layout=None if placement is None else list(placement),
        )  # fmt: skip
        closed = _undo_permutation(routed, basis, coupling, seed)
        if best is None or two_qubit_gates(closed) < best[0]:
            wires = tuple(routed.layout.initial_index_layout(filter_ancillas=True))
            best = (two_qubit_gates(closed), closed, wires)
    assert best is not None  # ROUTING_SEEDS >= 1
    return best[1], best[2]


def _undo_permutation(routed: QuantumCircuit, basis: Sequence[str], coupling: CouplingMap, seed: int) -> QuantumCircuit:
    layout = routed.layout
    before, after = (read(filter_ancillas=False) for read in (layout.initial_index_layout, layout.final_index_layout))
    qc = QuantumCircuit(coupling.size())
    qc.compose(_bare(routed), inplace=True)
    graph = coupling.graph.to_undirected(multigraph=False)
    swaps = ApproximateTokenSwapper(graph, seed=seed).map(dict(zip(after, before, strict=True)), trials=20)
    if not swaps:
        return qc
    for a, b in swaps:
        qc.swap(a, b)
    closed = transpile(  # level 1: higher levels would elide the swaps again
        qc, basis_gates=list(basis), coupling_map=coupling, optimization_level=1, seed_transpiler=seed,
        initial_layout=list(range(coupling.size())),
    )  # fmt: skip
    if not _is_identity(closed, coupling.size()):
        raise AssertionError("a closed block must end on the layout it began with")
    return _bare(closed)


def _is_identity(qc: QuantumCircuit, width: int) -> bool:
    return qc.layout is None or list(qc.layout.final_index_layout(filter_ancillas=False)) == list(range(width))


def _bare(qc: QuantumCircuit) -> QuantumCircuit:
    """The same gates without a layout, which composing would carry along stale."""
    bare = QuantumCircuit(qc.num_qubits, global_phase=qc.global_phase)
    for item in qc.data:
        bare.append(item.operation, [qc.find_bit(q).index for q in item.qubits])
    return bare


def _relabel(qc: QuantumCircuit, wire: dict[int, int]) -> QuantumCircuit:
    out = QuantumCircuit(len(wire), global_phase=qc.global_phase)
    for item in qc.data:
        out.append(item.operation, [wire[qc.find_bit(q).index] for q in item.qubits])
    return out
