"""A program on a target: every distinct block transpiled once, closed to the identity layout, then only repeated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import inf

from qiskit import QuantumCircuit

from ...errors import ArgumentError
from ...limits import MAX_BOTH_WAYS
from ...programs.fresh_ancillas import fresh_ancillas
from ...programs.initial_state import InitialState
from ...programs.program import Program, Stage
from ...readings.circuits.circuit import Lazy, Piece, Pieces, all_mapped, circuit_segments, clean_before
from ..devices.basis import DEFAULT_BASIS
from ..devices.device import Device, Openable
from ..devices.errors import Errors
from .chains import best_layout
from .compiled import Ancillas, Compiled, used_wires
from .interactions import interacting
from .placing import routed
from .routing import Closed, Router, chain_block, routing_seeds, two_qubit_gates
from .swapping import Lattice
from .tracks import Chain, Layout
from .transpiler import closed, closed_passes, searched_placement

FAILING = 0.5  # probability of an error from which a gate is not used: reports give 1 for what is out of order
KINDS_PLACED = 8  # kinds of branches of a random choice that decide the placement


def compile_for(
    program: Program, on: Openable, initial: InitialState, seed: int = 0, ancillas: Ancillas = Ancillas.RESET
) -> Compiled:
    """Transpile the distinct blocks of a program (level 3), each ending on the layout it began with.

    On a lattice one placement serves all blocks, the one found with the fewest two-qubit gates per sweep; every block
    is routed with swaps that merge with its gates, or, if it is large, the best of 20 routings by Qiskit (fewer for
    still larger ones). The time does not depend on the number of sweeps, unless ancillas are fresh. Branches of a
    random choice are transpiled when they are drawn, those that differ in angles only from the seed that was best for
    the first of them.

    Raises:
        ArgumentError: If the target has too few qubits, or no reset.
    """
    fresh, recorded = ancillas is Ancillas.FRESH, ancillas is Ancillas.RECORDED
    spare = program.num_system if fresh and initial.preparation is None else 0
    written = fresh_ancillas(program, spare) if fresh else program
    device = on.open(written.num_qubits).device
    coupling = device.coupling
    width = written.num_qubits if coupling is None else coupling.size()
    _check_fits(written, device, ancillas, width)
    router, abstract = (
        Router(device.basis, coupling),
        circuit_segments(written, fused=True, named=recorded, resets=not fresh),
    )
    start = initial.circuit(written.num_system, written.num_ancilla, resets=not fresh)
    if coupling is None:
        parts = all_mapped(abstract, lambda qc: closed(qc, closed_passes(router, None, seed)).circuit)
        begin, placement = router.unrouted(start, seed), tuple(range(width))
    else:
        placement, layout = _placement(router, written, abstract, seed, device.errors)
        begin = router.closed(start, placement, routing_seeds(len(start.data), seed)).circuit
        parts = _routed(abstract, _Routing(router, placement, seed, layout), begin, written)
    return Compiled(program, device, begin, parts, placement, ancillas, written, device.errors)


@lru_cache(maxsize=2)
def anywhere(compiled: Compiled) -> float:
    """Two-qubit gates of the same sweeps where every pair of qubits interacts, in the same basis, transpiled alike."""
    if compiled.device.coupling is None:
        return compiled.two_qubit_gates
    return gates_anywhere(compiled.written, compiled.device.basis, resets=compiled.ancillas is not Ancillas.FRESH)


def gates_anywhere(program: Program, basis: tuple[str, ...] = DEFAULT_BASIS, *, resets: bool = True) -> float:
    """Two-qubit gates of all sweeps where every pair of qubits interacts, transpiled; mean over random steps."""
    total = 0.0
    for stage in program.stages:
        alone = replace(program, stages=(Stage(stage.steps, 1),))
        total += stage.repeats * _of_a_sweep(_Sweep(alone.text, basis, resets, alone))
    return total


@dataclass(frozen=True)
class _Sweep:
    """One sweep alone, by its text: programs that a search holds against each other often share theirs."""

    text: str
    basis: tuple[str, ...]
    resets: bool
    program: Program = field(compare=False)


@lru_cache(maxsize=64)
def _of_a_sweep(sweep: _Sweep) -> float:
    router = Router(sweep.basis, None)
    written = circuit_segments(sweep.program, fused=True, resets=sweep.resets)
    (blocks,) = all_mapped(written, lambda qc: closed(qc, closed_passes(router, None, 0)).circuit)
    return float(sum(part.mean(two_qubit_gates) for part in blocks))


def _check_fits(written: Program, device: Device, ancillas: Ancillas, width: int) -> None:
    n, m = written.num_system, written.num_ancilla
    if width < n + m:
        raise ArgumentError(
            "backend",
            f"have {n + m} qubits ({n} system + {m} ancilla)",
            f"target `{device.name}` has {width}",
            f"use a target with {n + m} qubits or a smaller model"
            + (", or fewer sweeps" if ancillas is Ancillas.FRESH else ""),
        )
    if not device.resets and ancillas is not Ancillas.FRESH:
        raise ArgumentError(
            "backend", "reset ancillas in mid-circuit", f"target `{device.name}` cannot",
            'set ancilla_policy = "fresh", or use another target',
        )  # fmt: skip


def _placement(
    router: Router, program: Program, abstract: Pieces, seed: int, errors: Errors
) -> tuple[tuple[int, ...], Layout | None]:
    """The placement with the fewest two-qubit gates in all sweeps, and the layout that it is of, if it is of one.

    A chain is laid along a track, and its blocks are not searched for swaps. Where they are small enough for that, too,
    the track has to cost fewer gates and no more wires: small programs are simulated.
    """
    weighted = [
        (stage.repeats * weight, router.written(qc, seed), clean)
        for stage, parts in zip(program.stages, abstract, strict=True)
        for part, clean in zip(parts, clean_before(stage.steps, program), strict=True)
        for weight, qc in _kinds(part)
        if weight > 0
    ]
    layout = _along_a_track(_working(router, errors), program, abstract, weighted)
    plain = [(weight, qc) for weight, qc, _ in weighted]
    seeds = routing_seeds(sum(len(qc.data) for _, qc in plain), seed)
    if layout is None:
        return searched_placement(router, plain, program.num_qubits, seeds), None
    tasks = router.searchable(plain, program.num_qubits, seed) if program.num_qubits <= MAX_BOTH_WAYS else None
    if tasks is not None:
        placement = searched_placement(router, plain, program.num_qubits, seeds)
        gates, outside = routed(tasks, router.lattice, placement, inf)
        if gates <= layout[0] or outside < sum(map(len, layout[1].track.gaps)):
            return placement, None
    return layout[1].placement(program.num_qubits), layout[1]


def _working(router: Router, errors: Errors) -> Lattice:
    """The lattice without wires and pairs whose gates are reported to fail more often than not."""
    failing = {at for (_, at), rate in errors.rates.items() if rate >= FAILING}
    lattice = router.lattice

    def works(a: int, b: int) -> bool:
        return failing.isdisjoint({(a, b), (b, a), (a,), (b,)})

    near = [[b for b in row if works(a, b)] for a, row in enumerate(lattice.neighbours)]
    return Lattice(lattice.distance, near)


def _along_a_track(
    lattice: Lattice,
    program: Program,
    abstract: Pieces,
    weighted: Sequence[tuple[float, QuantumCircuit, frozenset[int]]],
) -> tuple[float, Layout] | None:
    """The cheapest layout of a program on a chain, and its two-qubit gates; None where there is none.

    None, too, where a random choice has more kinds of branches than decide a placement.
    """
    if any(len(set(part.alike)) > KINDS_PLACED for parts in abstract for part in parts):
        return None
    pairs = {pair for _, qc, _ in weighted for pair in interacting(qc)}
    chain = Chain.of(pairs, program.num_system, program.num_qubits)
    if chain is None:
        return None
    return best_layout(chain, [(weight, *chain_block(qc, clean)) for weight, qc, clean in weighted], lattice)


def _kinds(part: Piece) -> Iterator[tuple[float, QuantumCircuit]]:
    """How often a sweep performs a block on average; of a random choice the likeliest kinds."""
    likely = dict[int, float]()
    for times, k in zip(part.mean_times, part.alike, strict=True):
        likely[k] = likely.get(k, 0.0) + times
    for k in sorted(likely, key=lambda k: -likely[k])[:KINDS_PLACED]:
        yield likely[k], part.options[k]


@dataclass(frozen=True, eq=False)
class _Routing:
    """Blocks of one program routed from one placement.

    Attributes:
        inside: Wires that the first of every kind use; later ones stay among them, so that a simulation of these
            wires is one of all.
    """

    router: Router
    placement: tuple[int, ...]
    seed: int
    layout: Layout | None = None
    inside: frozenset[int] = frozenset()

    def first(self, qc: QuantumCircuit, clean: frozenset[int]) -> Closed:
        if self.layout is not None:
            return Closed(self._along(qc, clean), self.seed)
        return closed(qc, closed_passes(self.router, self.placement, self.seed))

    def _along(self, qc: QuantumCircuit, clean: frozenset[int]) -> QuantumCircuit:
        assert self.layout is not None  # the caller has looked
        found = self.router.along(self.router.written(qc, self.seed), self.layout, clean, self.seed)
        if found is None:
            raise AssertionError("every kind of block was there when the layout was chosen")
        return found

    def alike(self, qc: QuantumCircuit, seed: int, clean: frozenset[int]) -> QuantumCircuit:
        """A block that differs from a routed one in angles only, from the seed that was best for that one."""
        if self.layout is not None:
            return self._along(qc, clean)
        routed = closed(qc, closed_passes(self.router, self.placement, self.seed, seed)).circuit
        if used_wires([routed]) <= self.inside:
            return routed
        return closed(qc, closed_passes(self.router.within(self.inside), self.placement, self.seed)).circuit

    def piece(self, part: Piece, kinds: dict[int, Closed], clean: frozenset[int]) -> Piece:
        def option(k: int) -> QuantumCircuit:
            return kinds[k].circuit if k in kinds else self.alike(part.options[k], kinds[part.alike[k]].seed, clean)

        return replace(part, options=Lazy(len(part.options), option))


def _routed(abstract: Pieces, routing: _Routing, begin: QuantumCircuit, program: Program) -> Pieces:
    """The first of every kind now; other branches of a random choice when they are drawn."""
    clean = [clean_before(stage.steps, program) for stage in program.stages]
    kinds = [
        [
            {k: routing.first(part.options[k], idle) for k in sorted(set(part.alike))}
            for part, idle in zip(*rows, strict=True)
        ]
        for rows in zip(abstract, clean, strict=True)
    ]
    circuits = [begin, *(one.circuit for stage in kinds for first in stage for one in first.values())]
    routing = replace(routing, inside=frozenset(used_wires(circuits) | set(routing.placement)))
    return tuple(
        tuple(routing.piece(*row) for row in zip(parts, stage, idle, strict=True))
        for parts, stage, idle in zip(abstract, kinds, clean, strict=True)
    )
