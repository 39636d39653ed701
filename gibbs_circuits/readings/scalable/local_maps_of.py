"""A program as maps on a few qubits each, in the Pauli basis; system qubits 0 … n−1, ancillas from n on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import reverse_cuthill_mckee

from ...errors import TooLargeError
from ...limits import MAX_LOCAL_MAP
from ...linalg.arrays import Array
from ...linalg.channels import exponential
from ...linalg.local_maps import RESET, Average, LocalMap, Operation, Operations, fused, of_unitary
from ...linalg.paulis import PAULIS, Term
from ...programs.lower import lower
from ...programs.product_formulas import Group, factors
from ...programs.program import Program
from ...programs.steps import EXACT, Couple, Exponential, RandomChoice, RandomDelay, Reset, Step, Unitary


def stage_maps(program: Program, stage: int = -1, *, fuse: bool = True) -> Operations:
    """One sweep of a stage as local maps in order of time; product formulas are kept, random steps become means.

    Args:
        program: Its steps are read one by one.
        stage: Which one.
        fuse: Fewer maps, of which bonds no longer commute, and commuting ones side by side: a cone then widens by one
            bond per layer. Without, maps stay as they are written, so that few wires are in use at once.

    Raises:
        TooLargeError: If a step acts on too many qubits at once: a long Pauli string, a dense unitary.
    """
    maps = _maps(_LocalMaps(program, side_by_side=fuse), program.stages[stage].steps)
    return fused(maps) if fuse else tuple(maps)


def _maps(reading: _LocalMaps, steps: Iterable[Step]) -> Iterator[Operation]:
    return (one for step in steps for one in lower(step, reading))


@dataclass(frozen=True)
class _LocalMaps:
    """The maps of one step; commuting ones are written side by side or as they come."""

    program: Program
    side_by_side: bool

    def exponential(self, step: Exponential) -> Iterator[Operation]:
        groups = step.groups(self.program.groups)
        if step.order == EXACT:
            yield from self._together([term for group in groups for term in group.terms], step.duration)
            return
        each = step.duration / step.slices
        for index, share in factors(len(groups), step.order, step.slices):
            yield from self._group(groups[index], each * share)

    def coupling(self, step: Couple) -> Iterator[Operation]:
        n = self.program.num_system
        axis = np.cos(step.axis) * PAULIS["X"] + np.sin(step.axis) * PAULIS["Y"]
        for label, angle in step.rotations():
            qubits = _support(label)
            P = np.kron(_string(label, qubits), axis)
            yield _rotated((*qubits, n + step.ancilla), P, angle)

    def unitary(self, step: Unitary) -> Iterator[Operation]:
        n = self.program.num_system
        # its rows count qubit 0 fastest, and those of a map the first qubit slowest
        qubits = (*(n + a for a in reversed(step.ancillas)), *reversed(range(n)))
        yield LocalMap(_small(qubits), of_unitary(step.matrix))

    def reset(self, step: Reset) -> Iterator[Operation]:
        for ancilla in step.ancillas:
            yield LocalMap((self.program.num_system + ancilla,), RESET.copy())

    def delay(self, step: RandomDelay) -> Iterator[Operation]:
        yield Average((1.0,), (tuple(_maps(self, (step.unit,))),), step.times)

    def choice(self, step: RandomChoice) -> Iterator[Operation]:
        weights = tuple(branch.probability for branch in step.branches)
        yield Average(weights, tuple(tuple(_maps(self, branch.steps)) for branch in step.branches))

    def _group(self, group: Group, time: float) -> Iterator[Operation]:
        """e^{−i time Σ cP}: fields site by site, commuting strings on the same qubits together."""
        if group.local:
            for qubit, field in group.fields.items():
                yield LocalMap((qubit,), of_unitary(exponential(field, time)))
            return
        together: dict[tuple[int, ...], list[Term]] = {}
        for label, coefficient in group.terms:
            together.setdefault(_support(label), []).append((label, coefficient))
        for support in _side_by_side(together) if self.side_by_side else together:
            yield from self._together(together[support], time)

    def _together(self, terms: list[Term], time: float) -> Iterator[Operation]:
        qubits = _small(tuple(sorted({q for label, _ in terms for q in _support(label)})))
        if qubits:
            H = sum(
                (c * _string(label, qubits) for label, c in terms),
                start=np.zeros((2 ** len(qubits),) * 2, dtype=complex),
            )
            yield LocalMap(qubits, of_unitary(exponential(np.asarray(H), time)))


def _side_by_side(supports: Iterable[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Of commuting maps, first those that share no qubit, then those that share none among the rest, and so on.

    One after the other along a chain each would widen the light cone of the last.
    """
    ordered, left = list[tuple[int, ...]](), list(supports)
    while left:
        taken, later = set[int](), list[tuple[int, ...]]()
        for support in left:
            if taken.isdisjoint(support):
                ordered.append(support)
                taken |= {*support}
            else:
                later.append(support)
        left = later
    return ordered


def _support(label: str) -> tuple[int, ...]:
    return tuple(q for q, letter in enumerate(reversed(label)) if letter != "I")


def _string(label: str, qubits: tuple[int, ...]) -> Array:
    P = np.eye(1, dtype=complex)
    for q in qubits:
        P = np.kron(P, PAULIS[label[len(label) - 1 - q]])
    return P


def _rotated(qubits: tuple[int, ...], P: Array, angle: float) -> LocalMap:
    return LocalMap(_small(qubits), of_unitary(np.cos(angle) * np.eye(len(P)) - 1j * np.sin(angle) * P))


def _small(qubits: tuple[int, ...]) -> tuple[int, ...]:
    if len(qubits) > MAX_LOCAL_MAP:
        raise TooLargeError(
            f"A step acts on {len(qubits)} qubits at once, and is read as a map of 16^k entries; the limit is "
            f"{MAX_LOCAL_MAP}. Fix: use a scheme whose jumps are local, or a smaller model."
        )
    return qubits


def along_a_line(operations: Iterable[Operation], num_system: int) -> tuple[int, ...]:
    """All qubits in an order in which maps act on near ones: every ancilla behind the site that it meets most.

    Sites stand in the order of the reverse Cuthill–McKee permutation of the pairs that maps act on, which is small in
    bandwidth: a chain as it is, a ladder or a patch as a snake.
    """
    met: dict[tuple[int, int], int] = {}
    for qubits in _supports(operations):
        for a in qubits:
            for b in qubits:
                if a != b:
                    met[a, b] = met.get((a, b), 0) + 1
    used = sorted({q for pair in met for q in pair if q >= num_system})
    home = {a: max(range(num_system), key=lambda s: (met.get((a, s), 0), -s)) for a in used}
    near = {(home.get(a, a), home.get(b, b)) for a, b in met}
    near = {(a, b) for a, b in near if a != b}
    sites = [*range(num_system)]
    if any(abs(a - b) > 1 for a, b in near):
        rows, columns = zip(*sorted(near), strict=True)
        graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(num_system, num_system)).tocsr()
        sites = [int(s) for s in reverse_cuthill_mckee(graph, symmetric_mode=True)]
    return tuple(q for site in sites for q in (site, *(a for a in used if home[a] == site)))


def _supports(operations: Iterable[Operation]) -> Iterator[tuple[int, ...]]:
    for one in operations:
        if isinstance(one, Average):
            for branch in one.branches:
                yield from _supports(branch)
        else:
            yield one.qubits
