"""A block of a chain routed along a track: sites turn about their ancillas, free wires carry what neighbours exchange.

Nothing is searched for: the time grows with the number of gates alone. A site on a turning seat changes places with its
ancilla when every interaction that it can take part in where it is has been performed; beside one of its interactions
with the ancilla that costs one two-qubit gate more, past an ancilla in |0⟩ two, otherwise three.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Reset as ResetGate

from ...linalg.paulis import PAULIS
from .interactions import Node, matrix_of, merged_gates, nodes
from .swapping import BARE_SWAP, Lattice
from .tracks import Chain, Layout, Prices, tracks

COMMUTE = 1e-12
_INTO_Z = {"Z": (), "X": ("h",), "Y": ("sdg", "h")}  # gates that turn a Pauli letter into ±Z
_OUT_OF_Z = {"Z": (), "X": ("h",), "Y": ("h", "s")}


@dataclass(frozen=True)
class ChainEnds:
    """What is known of the ancillas of a block: which are in |0⟩ before it, and which nobody looks at behind it."""

    clean: frozenset[int]
    forgotten: frozenset[int]


def routed_along(qc: QuantumCircuit, layout: Layout, size: int, ends: ChainEnds) -> QuantumCircuit | None:
    """A block on the wires of a lattice, every qubit home at its end; None where an interaction is none of the chain's.

    Args:
        qc: Gates on one and two qubits and resets, nothing on an ancilla behind the last thing that it is there for.
        layout: Where.
        size: Wires of the lattice.
        ends: Of its ancillas; those that nobody looks at end in |0⟩.
    """
    walk = _Walk(nodes(qc), layout, QuantumCircuit(size, global_phase=qc.global_phase), ends.forgotten, set(ends.clean))
    return walk.qc if walk.run() else None


@dataclass
class _Walk:
    """A block while it is written."""

    nodes: Sequence[Node]
    layout: Layout
    qc: QuantumCircuit
    forgotten: frozenset[int]
    clean: set[int]
    wire: dict[int, int] = field(init=False)  # of every qubit
    forward: list[bool] = field(init=False)
    written: set[int] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        chain = self.layout.chain
        self.place = {site: k for k, site in enumerate(chain.sites)}
        self.owner = {a: k for k, a in enumerate(chain.ancillas) if a is not None}
        width = len(self.place) + len(self.owner)
        self.wire = dict(enumerate(self.layout.placement(width)))
        self.forward = list(self.layout.forward)
        self.left = Counter(self._seats_of(node) for node in self.nodes if len(node.qubits) == 2)
        self.resets: dict[int, list[int]] = {}
        for number, node in enumerate(self.nodes):
            if any(operation.name == "reset" for operation, _ in node.gates):
                self.resets.setdefault(node.qubits[0], []).append(number)

    def run(self) -> bool:
        """Write every node; False where one is between qubits that are not neighbours on the track."""
        two = [number for number, node in enumerate(self.nodes) if len(node.qubits) == 2]
        if any(b - a > 1 for a, b in self.left):
            return False
        if any(not self._own(self.nodes[k].qubits) for k in two if len(set(self._seats_of(self.nodes[k]))) == 1):
            return False
        needs = self._needs()
        waiting, done = two, set[int]()
        while waiting:
            blocked, before = list[int](), len(waiting)
            for number in waiting:
                if needs[number] <= done and self._performed(number):
                    done.add(number)
                else:
                    blocked.append(number)
            waiting = blocked
            if len(waiting) == before:
                self._turn_for(next(number for number in waiting if needs[number] <= done))
        for number in range(len(self.nodes)):
            self._write(number)
        for k, forward in enumerate(self.layout.forward):
            if self.forward[k] != forward:
                self._turn(k)
        for ancilla in sorted(self.forgotten - self.clean):
            self._forget(ancilla)
        return True

    def _forget(self, ancilla: int) -> None:
        """A reset that knows its ancilla, which may be away from home, by its label; what is left of it comes first."""
        for number, node in enumerate(self.nodes):
            if node.qubits == (ancilla,):
                self._write(number)
        self.qc.append(ResetGate(label=str(ancilla - len(self.place))), [self.wire[ancilla]])
        self.clean.add(ancilla)

    def _needs(self) -> list[frozenset[int]]:
        """Of every node the interactions that come first."""
        found: list[frozenset[int]] = []
        for node in self.nodes:
            parts = [{k} if len(self.nodes[k].qubits) == 2 else found[k] for k in node.after]
            found.append(frozenset().union(*parts))
        return found

    def _seats_of(self, node: Node) -> tuple[int, int]:
        a, b = sorted(self.place[q] if q in self.place else self.owner[q] for q in node.qubits)
        return a, b

    def _own(self, qubits: Sequence[int]) -> bool:
        """Whether these are a site and its ancilla."""
        return sum(q in self.place for q in qubits) == 1

    def _performed(self, number: int) -> bool:
        """Whether an interaction is possible as things stand; it is performed then."""
        node = self.nodes[number]
        a, b = self._seats_of(node)
        if a == b:
            for before in sorted(node.after):
                self._write(before)
            self._gates(number, {q: self.wire[q] for q in node.qubits})
            self._met(number, a)
            return True
        if not (self._faces(a, ahead=True) and self._faces(b, ahead=False)):
            return False
        for before in sorted(node.after):
            self._write(before)
        self._exchange(number, a)
        self.left[a, b] -= 1
        return True

    def _met(self, number: int, seat: int) -> None:
        """After an interaction of a site with its ancilla: what the ancilla is still there for."""
        self.left[seat, seat] -= 1
        ancilla = self.layout.chain.ancillas[seat]
        assert ancilla is not None  # it was met
        self.clean.discard(ancilla)
        over = not self.left[seat, seat]
        bonds = self.left[seat - 1, seat] + self.left[seat, seat + 1]
        if over and not bonds and self.forward[seat] != self.layout.forward[seat]:
            self._turn(seat)  # beside the interaction, where it costs one gate
        for reset in self.resets.get(ancilla, []):
            if reset not in self.written and self._only_waits_for_written(reset):
                self._write(reset)
        if over and ancilla in self.forgotten:
            self._forget(ancilla)
            for free in self.layout.track.gaps[seat : seat + 1]:  # what errors left there, while others wait too
                for wire in free:
                    self.qc.reset(wire)

    def _only_waits_for_written(self, number: int) -> bool:
        """Whether nothing but gates on one qubit is still to be written before a node."""
        return all(
            k in self.written or (len(self.nodes[k].qubits) == 1 and self._only_waits_for_written(k))
            for k in self.nodes[number].after
        )

    def _faces(self, seat: int, *, ahead: bool) -> bool:
        return not self.layout.track.seats[seat].turns or self.forward[seat] is ahead

    def _turn_for(self, number: int) -> None:
        """Turn the seats of an interaction to each other."""
        a, b = self._seats_of(self.nodes[number])
        for seat, ahead in ((a, True), (b, False)):
            if not self._faces(seat, ahead=ahead):
                self._turn(seat)

    def _turn(self, seat: int) -> None:
        """A site and its ancilla change places."""
        site, ancilla = self.layout.chain.sites[seat], self.layout.chain.ancillas[seat]
        assert ancilla is not None  # a seat without one does not turn
        here, there = self.wire[site], self.wire[ancilla]
        if ancilla in self.clean:
            self.qc.cx(here, there)
            self.qc.cx(there, here)
        else:
            self.qc.swap(here, there)
        self.wire[site], self.wire[ancilla] = there, here
        self.forward[seat] = not self.forward[seat]

    def _exchange(self, number: int, seat: int) -> None:
        """An interaction of a site with the next one, through the free wires between them."""
        node, gap = self.nodes[number], self.layout.track.gaps[seat]
        site = self.layout.chain.sites[seat]
        at = {q: self.wire[q] for q in node.qubits}
        if not gap:
            self._gates(number, at)
            return
        letter = _kept_letter(node, site)
        way = (at[site], *gap)
        steps = list(pairwise(way))
        into, out = _INTO_Z.get(letter or "Z", ()), _OUT_OF_Z.get(letter or "Z", ())
        self._singles(into, way[0])
        for one, other in steps:
            self.qc.cx(one, other)
            if letter is None:
                self.qc.cx(other, one)
        self._singles(out, way[-1])
        self._gates(number, {**at, site: way[-1]})
        self._singles(into, way[-1])
        for one, other in reversed(steps):
            if letter is None:
                self.qc.cx(other, one)
            self.qc.cx(one, other)
        self._singles(out, way[0])

    def _singles(self, names: Iterable[str], wire: int) -> None:
        for name in names:
            getattr(self.qc, name)(wire)

    def _gates(self, number: int, at: dict[int, int]) -> None:
        self.written.add(number)
        for operation, qubits in self.nodes[number].gates:
            self.qc.append(operation, [at[q] for q in qubits])

    def _write(self, number: int) -> None:
        """A node on one qubit, after those that come first."""
        if number in self.written:
            return
        node = self.nodes[number]
        for before in sorted(node.after):
            self._write(before)
        self._gates(number, self.wire)
        for qubit in node.qubits:
            if number in self.resets.get(qubit, []):
                self.clean.add(qubit)
            else:
                self.clean.discard(qubit)


def _kept_letter(node: Node, qubit: int) -> str | None:
    """A Pauli letter of one of its two qubits that a node commutes with; None if there is none."""
    U = matrix_of(node)
    for letter in "ZXY":
        P = np.kron(np.eye(2), PAULIS[letter]) if node.qubits[0] == qubit else np.kron(PAULIS[letter], np.eye(2))
        if np.abs(U @ P - P @ U).max() < COMMUTE:
            return letter
    return None


def best_layout(
    chain: Chain, weighted: Sequence[tuple[float, QuantumCircuit, ChainEnds]], lattice: Lattice
) -> tuple[float, Layout] | None:
    """The layout with the fewest two-qubit gates in some circuits, and how many; None if there is none.

    Args:
        chain: Of all of them.
        weighted: How often every circuit is performed, the circuit, and what is known of its ancillas.
        lattice: Where.
    """
    found: tuple[float, Layout] | None = None
    size = len(lattice.neighbours)
    for track in tracks(lattice, [a is not None for a in chain.ancillas], _prices(chain, weighted)):
        for first in (False, True):
            layout, total = Layout.of(chain, track, first), 0.0
            for weight, qc, ends in weighted:
                routed = routed_along(qc, layout, size, ends)
                if routed is None:
                    return None
                total += weight * merged_gates(routed)
            if found is None or total < found[0]:
                found = (total, layout)
    return found


def _prices(chain: Chain, weighted: Sequence[tuple[float, QuantumCircuit, ChainEnds]]) -> Prices:
    """What seats cost in the middle of a chain: whatever separates two meetings of a site with its ancilla, once."""
    turning = gap = 0.0
    middle = len(chain.sites) // 2
    site, ancilla, ahead = chain.sites[middle], chain.ancillas[middle], chain.sites[middle - 1]
    for weight, qc, ends in weighted:
        met = [ancilla in node.qubits for node in nodes(qc) if len(node.qubits) == 2 and site in node.qubits]
        bonds = [k for k, own in enumerate(met) if not own]
        before = any(met) and not met[0] and ancilla in ends.clean
        behind = any(met) and not met[-1] and ancilla in ends.forgotten
        rows = sum(1 for k in bonds if k == 0 or met[k - 1])
        turning += weight * (BARE_SWAP * rows - (BARE_SWAP - 2) * (before + behind))
        gap += weight * 2 * sum(len(node.qubits) == 2 and {site, ahead} == {*node.qubits} for node in nodes(qc))
    return Prices(turning, gap)
