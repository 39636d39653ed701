"""Swaps that bring the qubits of every interaction together, chosen so that they merge with gates.

A swap beside a gate on the same pair needs one two-qubit gate more in most cases, a swap on its own three. The search
goes through the states of a routing (where the qubits are, which interactions are done) in the order of the gates they
have cost, and of those that cost the same keeps the ones that look nearest to the end.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import rustworkx
from qiskit import QuantumCircuit
from qiskit.transpiler import CouplingMap

from .interactions import Block

BARE_SWAP = 3
NARROW, WIDE = 8, 64  # states kept among those of equal cost: to compare placements, to write a block
AHEAD, DECAY = 40, 0.6  # how many interactions are looked at, and what one counts of one a level before
STEP = 3.0  # gates that one edge of distance is taken to cost, of an interaction that is next
RATE = 8.0  # what an interaction still to come counts: among states of equal cost, progress decides
BACK, FARTHEST_BACK, LATE = 1.5, 0.1, 10  # per edge from home: at the end, long before it, and when that is
OUTSIDE = 0.2  # per qubit on a wire that is not the program's: more wires are harder to simulate
MAX_SPENT = 12  # two-qubit gates per interaction; a search that spends more has lost its way


@dataclass(frozen=True, eq=False)
class Lattice:
    """Distances and neighbours of wires."""

    distance: list[list[int]]
    neighbours: list[list[int]]

    @classmethod
    def of(cls, coupling: CouplingMap) -> Lattice:
        """Wires that no path joins are as far apart as there are wires."""
        size = coupling.size()
        rows = rustworkx.digraph_distance_matrix(coupling.graph, as_undirected=True, null_value=size)
        edges = {pair for a, b in coupling.get_edges() for pair in ((a, b), (b, a))}
        return cls(
            [[int(entry) for entry in row] for row in rows],
            [sorted(b for a, b in edges if a == wire) for wire in range(size)],
        )


@dataclass(frozen=True, eq=False)
class Swapped:
    """A routing that was found.

    Attributes:
        gates: Two-qubit gates it is expected to need; more merging may save some.
        events: Number of an interaction, or two wires to swap.
        outside: Wires in use that are not the program's.
    """

    gates: int
    events: tuple[int | tuple[int, int], ...]
    outside: frozenset[int]


class _State(NamedTuple):
    """Where a search is.

    Attributes:
        wires: Of every program qubit.
        done, total: Interactions performed, one bit each, and how many.
        front: Interactions that are next, none of them on neighbouring wires.
        recent: Of every qubit the commuting group it is in, and what was performed of it since its last swap.
        trail: What happened, the last event first: (earlier, event).
    """

    wires: tuple[int, ...]
    done: int
    total: int
    front: tuple[int, ...]
    recent: Mapping[int, tuple[int, tuple[int, ...]]]
    trail: Any


def swapped(
    block: Block,
    lattice: Lattice,
    home: Sequence[int],
    kept: Collection[int],
    width: int,
    limit: float = math.inf,
) -> Swapped | None:
    """The swaps for a block that begins at home and ends with some qubits at home again.

    Args:
        block: What is to be performed.
        lattice: Where.
        home: Wire of every qubit of the block.
        kept: Qubits that must come home.
        width: States kept among those of equal cost; the time is proportional to it.
        limit: Most two-qubit gates.

    Returns:
        The cheapest found; None where all found need more gates than `limit`, or none is found.
    """
    weights = tuple(STEP * DECAY**level for level in range(AHEAD + 1))
    search = _Search(block, lattice, tuple(home), tuple(kept), frozenset(home), weights)
    return search.run(width, min(limit, MAX_SPENT * (len(block.pairs) + 1)))


@dataclass(frozen=True, eq=False)
class _Search:
    block: Block
    lattice: Lattice
    home: tuple[int, ...]
    kept: tuple[int, ...]
    inside: frozenset[int]
    weights: tuple[float, ...]

    def run(self, width: int, limit: float) -> Swapped | None:
        first = tuple(k for k, bits in enumerate(self.block.before) if not bits)
        begun = self._performed(_State(self.home, 0, 0, first, {}, None))
        # by cost, then by place and progress: the estimate of what is still to pay, and the state
        open_ = defaultdict[int, dict[tuple[tuple[int, ...], int], tuple[float, _State]]](dict)
        open_[0][begun.wires, begun.done] = (0.0, begun)
        seen = set[tuple[tuple[int, ...], int]]()
        while open_:
            spent = min(open_)
            if self.block.alone + spent > limit:
                return None
            states = [state for _, state in sorted(open_.pop(spent).values(), key=lambda pair: pair[0])[:width]]
            for state in states:
                if state.total == len(self.block.pairs) and all(state.wires[k] == self.home[k] for k in self.kept):
                    return self._result(spent, state.trail)
            for state in states:
                if (state.wires, state.done) in seen:
                    continue
                seen.add((state.wires, state.done))
                ahead = self._ahead(state.done)
                for cost, child in self._children(state):
                    key = (child.wires, child.done)
                    if key in seen:
                        continue
                    estimate = self._estimate(child, ahead if child.total == state.total else self._ahead(child.done))
                    known = open_[spent + cost].get(key)
                    if known is None or estimate < known[0]:
                        open_[spent + cost][key] = (estimate, child)
        return None

    def _performed(self, state: _State) -> _State:
        """All interactions performed that can be, which never is worse than waiting."""
        block, distance, wires = self.block, self.lattice.distance, state.wires
        done, total, trail, recent = state.done, state.total, state.trail, dict(state.recent)
        waiting, front = list(state.front), list[int]()
        while waiting:
            k = waiting.pop(0)
            a, b = block.pairs[k]
            if distance[wires[a]][wires[b]] != 1:
                front.append(k)
                continue
            done, total, trail = done | 1 << k, total + 1, (trail, k)
            for qubit, group in zip((a, b), block.groups[k], strict=True):
                now, members = recent.get(qubit, (group, ()))
                recent[qubit] = (group, (*members, k) if now == group else (k,))
            waiting += [later for later in block.after[k] if not block.before[later] & ~done]
        return _State(wires, done, total, tuple(front), recent, trail)

    def _ahead(self, done: int) -> list[tuple[int, int, float]]:
        """The next interactions: their qubits, and what an edge between them counts."""
        pairs, levels = self.block.pairs, self.block.levels
        first = (~done & (done + 1)).bit_length() - 1
        left = [k for k in range(first, min(first + AHEAD, len(pairs))) if not done >> k & 1]
        return [(*pairs[k], self.weights[levels[k] - levels[first]]) for k in left]

    def _estimate(self, state: _State, ahead: Sequence[tuple[int, int, float]]) -> float:
        distance, wires = self.lattice.distance, state.wires
        left = len(self.block.pairs) - state.total
        near = sum([weight * (distance[wires[a]][wires[b]] - 1) for a, b, weight in ahead])
        back = sum([distance[wires[k]][self.home[k]] for k in self.kept])
        outside = sum([wire not in self.inside for wire in wires])
        return RATE * left + near + BACK * max(FARTHEST_BACK, 1 - left / LATE) * back + OUTSIDE * outside

    def _children(self, state: _State) -> list[tuple[int, _State]]:
        """Every swap that moves a qubit of the next interactions, or merges; with its cost."""
        block, wires, recent = self.block, state.wires, state.recent
        where = {wire: qubit for qubit, wire in enumerate(wires)}
        if state.total < len(block.pairs):
            active = {wires[qubit] for k in state.front for qubit in block.pairs[k]}
        else:
            active = {wires[k] for k in self.kept if wires[k] != self.home[k]}
        edges = {(min(w, v), max(w, v)): (BARE_SWAP, -1) for w in active for v in self.lattice.neighbours[w]}
        for qubit, (_, members) in recent.items():
            for k in members:
                a, b = block.pairs[k]
                if qubit == a and k in recent.get(b, (0, ()))[1]:
                    edge = (min(wires[a], wires[b]), max(wires[a], wires[b]))
                    edges[edge] = min(edges.get(edge, (BARE_SWAP, -1)), (block.merged[k], k))
        children = []
        for (w, v), (cost, beside) in sorted(edges.items()):
            a, b = where.get(w, -1), where.get(v, -1)
            moved = tuple([v if wire == w else w if wire == v else wire for wire in wires])
            trail = (state.trail, (w, v, beside))
            left = {qubit: entry for qubit, entry in recent.items() if qubit not in (a, b)}
            child = _State(moved, state.done, state.total, state.front, left, trail)
            children.append((cost, self._performed(child) if self._can_perform(child) else child))
        return children

    def _can_perform(self, state: _State) -> bool:
        distance, wires, pairs = self.lattice.distance, state.wires, self.block.pairs
        return any([distance[wires[pairs[k][0]]][wires[pairs[k][1]]] == 1 for k in state.front])

    def _result(self, spent: int, trail: Any) -> Swapped:
        """In order, with every interaction that merges with a swap moved right before it."""
        backwards = []
        while trail is not None:
            trail, event = trail
            backwards.append(event)
        events = list[int | tuple[int, int]]()
        outside = set[int]()
        for event in reversed(backwards):
            if isinstance(event, int):
                events.append(event)
                continue
            w, v, beside = event
            if beside >= 0:
                events.remove(beside)  # what was performed since commutes with it
                events.append(beside)
            events.append((w, v))
            outside |= {w, v} - set(self.home)
        return Swapped(self.block.alone + spent, tuple(events), frozenset(outside))


def routed_circuit(
    block: Block, found: Swapped, home: Sequence[int], size: int, phase: float
) -> tuple[QuantumCircuit, list[int], list[int]]:
    """The circuit of a routing on `size` wires, swaps as gates; the wire of every qubit before and after.

    Wires outside the program count as further qubits, in ascending order.
    """
    qc = QuantumCircuit(size, global_phase=phase)
    start = [*home, *sorted(set(range(size)) - set(home))]
    end, written = list(start), set[int]()

    def write(number: int) -> None:
        if number in written:
            return
        written.add(number)
        node = block.nodes[number]
        for other in sorted(node.after):
            write(other)
        for operation, qubits in node.gates:
            qc.append(operation, [end[qubit] for qubit in qubits])

    for event in found.events:
        if isinstance(event, int):
            write(block.numbers[event])
        else:
            w, v = event
            qc.swap(w, v)
            end = [v if wire == w else w if wire == v else wire for wire in end]
    for number in range(len(block.nodes)):
        write(number)
    return qc, start, end
