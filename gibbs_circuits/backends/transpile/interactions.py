"""A block as interactions on pairs of qubits: what must come before what, and what a swap beside each one costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Operation
from qiskit.circuit.library import CZGate
from qiskit.quantum_info import Operator
from qiskit.synthesis import TwoQubitBasisDecomposer

from ...linalg.arrays import Array

COMMUTE = 1e-12
_SWAP = np.eye(4)[[0, 2, 1, 3]]
Gate = tuple[Operation, tuple[int, ...]]  # and the qubits it acts on


@dataclass(frozen=True, eq=False)
class Node:
    """A run of gates on one pair of qubits, or on one qubit between two such runs.

    Attributes:
        qubits: One or two, the first the lowest digit of the matrix.
        gates: In order, each with its qubits.
        after: Nodes that must come before, by number.
        groups: For every qubit the number of the commuting group along it: nodes of one group may change places.
        alone, swapped: Two-qubit gates the run needs, without and with a swap of its qubits right beside it.
    """

    qubits: tuple[int, ...]
    gates: tuple[Gate, ...]
    after: frozenset[int]
    groups: tuple[int, ...]
    alone: int = 0
    swapped: int = 0


@dataclass
class _Run:
    qubits: tuple[int, ...]
    gates: list[Gate]
    matrix: Array | None  # None: a reset, which commutes with nothing


@dataclass(frozen=True, eq=False)
class Block:
    """A circuit as a partial order of interactions, the nodes on two qubits.

    Attributes:
        width, nodes: Number of qubits, and the runs in an order in which they may be performed.
        numbers: Of every interaction its place among the nodes; in the order of the levels.
        levels: Of every interaction how many come before it, one after the other.
        pairs, groups: Of every interaction; see `Node`.
        before: Of every interaction those that come first, one bit each.
        after: Of every interaction those that wait for it.
        merged: Two-qubit gates more, of every interaction, with a swap right beside it.
        alone: Two-qubit gates without any swap.
    """

    width: int
    nodes: tuple[Node, ...]
    numbers: tuple[int, ...]
    levels: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...]
    groups: tuple[tuple[int, ...], ...]
    before: tuple[int, ...]
    after: tuple[tuple[int, ...], ...]
    merged: tuple[int, ...]
    alone: int


def block(qc: QuantumCircuit) -> Block:
    """The interactions of a circuit of gates on one and two qubits and resets.

    What commutes, to 1e-12 and run by run along a qubit, may change places.
    """
    found = nodes(qc)
    level: list[int] = []  # of every node; the interactions a qubit must go through before it
    for node in found:
        two = len(node.qubits) == 2
        level.append(max((level[k] for k in node.after), default=0) + two)
    numbers = tuple(sorted((k for k, node in enumerate(found) if len(node.qubits) == 2), key=lambda k: level[k]))
    place = {number: k for k, number in enumerate(numbers)}
    before: list[int] = []  # of every node, through nodes on one qubit
    for node in found:
        bits = 0
        for other in node.after:
            bits |= 1 << place[other] if other in place else before[other]
        before.append(bits)
    waits = [before[number] for number in numbers]
    after = [tuple(k for k, bits in enumerate(waits) if bits >> j & 1) for j in range(len(numbers))]
    pairs = [found[number] for number in numbers]
    return Block(
        width=qc.num_qubits,
        nodes=found,
        numbers=numbers,
        levels=tuple(level[number] for number in numbers),
        pairs=tuple((node.qubits[0], node.qubits[1]) for node in pairs),
        groups=tuple(node.groups for node in pairs),
        before=tuple(waits),
        after=tuple(after),
        merged=tuple(node.swapped - node.alone for node in pairs),
        alone=sum(node.alone for node in pairs),
    )


def nodes(qc: QuantumCircuit) -> tuple[Node, ...]:
    """The runs of a circuit of gates on one and two qubits and resets, in an order in which they may be performed."""
    found = _runs(qc)
    rows = [list[list[int]]() for _ in range(qc.num_qubits)]  # per qubit its groups
    needed, places = [], []
    for number, run in enumerate(found):
        before, place = set[int](), []
        for qubit in run.qubits:
            groups = rows[qubit]
            if not groups or not all(_commute(run, found[other]) for other in groups[-1]):
                groups.append([])
            groups[-1].append(number)
            before |= set(groups[-2]) if len(groups) > 1 else set()
            place.append(len(groups) - 1)
        needed.append(frozenset(before))
        places.append(tuple(place))
    costs = _costs(found)
    return tuple(
        Node(run.qubits, tuple(run.gates), before, place, *cost)
        for run, before, place, cost in zip(found, needed, places, costs, strict=True)
    )


def interacting(qc: QuantumCircuit) -> set[tuple[int, ...]]:
    """The qubits of every gate on two or more, in ascending order."""
    found = (tuple(sorted(qc.find_bit(q).index for q in item.qubits)) for item in qc.data)
    return {qubits for qubits in found if len(qubits) > 1}


def merged_gates(qc: QuantumCircuit) -> int:
    """Two-qubit gates of a circuit of gates on one and two qubits, every run on one pair in its shortest form."""
    return sum(alone for alone, _ in _costs(_runs(qc)))


def matrix_of(node: Node) -> Array:
    """The unitary of a node without a reset; the first of its qubits is the lowest digit."""
    return _product(node.gates, node.qubits)


def _runs(qc: QuantumCircuit) -> list[_Run]:
    """Gates on one pair with nothing else between, and what is between these runs."""
    found: list[_Run] = []
    waiting = defaultdict[int, list[Gate]](list)  # gates on one qubit since its last run
    last = dict[int, _Run]()  # run on two qubits that a qubit was in last

    def flush(qubit: int) -> None:
        if gates := waiting.pop(qubit, []):
            found.append(_Run((qubit,), gates, _product(gates, (qubit,))))

    for item in qc.data:
        qubits = tuple(qc.find_bit(q).index for q in item.qubits)
        gate = (item.operation, qubits)
        if item.operation.name == "reset":
            flush(qubits[0])
            found.append(_Run(qubits, [gate], None))
            last.pop(qubits[0], None)
        elif len(qubits) == 1:
            waiting[qubits[0]].append(gate)
        else:
            a, b = qubits
            if a in last and last[a] is last.get(b):
                last[a].gates += [*waiting.pop(a, []), *waiting.pop(b, []), gate]
                continue
            flush(a)
            flush(b)
            last[a] = last[b] = _Run(qubits, [gate], None)
            found.append(last[a])
    for qubit in sorted(waiting):
        flush(qubit)
    for run in found:
        if len(run.qubits) == 2:
            run.matrix = _product(run.gates, run.qubits)
    return found


def _product(gates: Iterable[Gate], qubits: Sequence[int]) -> Array:
    matrix: Array = np.eye(2 ** len(qubits), dtype=complex)
    for operation, acting in gates:
        gate = Operator(operation).data
        matrix = np.asarray((_lifted(gate, [qubits.index(q) for q in acting]) if len(qubits) == 2 else gate) @ matrix)
    return matrix


def _lifted(gate: Array, where: Sequence[int]) -> Array:
    """A gate on one or both of two qubits as a (4, 4) matrix."""
    if len(where) == 1:
        return np.asarray(np.kron(np.eye(2), gate) if where[0] == 0 else np.kron(gate, np.eye(2)))
    return gate if list(where) == [0, 1] else np.asarray(_SWAP @ gate @ _SWAP)


def _commute(one: _Run, other: _Run) -> bool:
    if one.matrix is None or other.matrix is None:
        return False
    qubits = sorted({*one.qubits, *other.qubits})
    A, B = (_on(run.matrix, run.qubits, qubits) for run in (one, other))  # type: ignore[arg-type]
    return bool(np.abs(A @ B - B @ A).max() < COMMUTE)


def _on(matrix: Array, qubits: Sequence[int], among: Sequence[int]) -> Array:
    """A matrix on some qubits, the first the lowest digit, as one among more."""
    n, k = len(among), len(qubits)
    tensor = np.kron(np.eye(2 ** (n - k)), matrix).reshape((2,) * 2 * n)
    order = [*qubits, *(q for q in among if q not in qubits)]
    axes = [n - 1 - order.index(among[n - 1 - axis]) for axis in range(n)]
    return np.asarray(tensor.transpose([*axes, *(n + axis for axis in axes)]).reshape(2**n, 2**n))


def _costs(found: Sequence[_Run]) -> list[tuple[int, int]]:
    """Of every run alone and with a swap; equal matrices once."""
    decomposer, known, costs = TwoQubitBasisDecomposer(CZGate()), dict[bytes, tuple[int, int]](), []
    for run in found:
        if len(run.qubits) == 1 or run.matrix is None:
            costs.append((0, 0))
            continue
        key = run.matrix.round(10).tobytes()
        if key not in known:
            pair = (run.matrix, _SWAP @ run.matrix)
            known[key] = tuple(int(decomposer.num_basis_gates(matrix)) for matrix in pair)  # type: ignore[assignment]
        costs.append(known[key])
    return costs
