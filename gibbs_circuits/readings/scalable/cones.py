"""Backward cones of regions: which qubits and maps a region's observables see, and which cones are equal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256

import numpy as np

from ...linalg.arrays import Real
from ...linalg.local_maps import Average, LocalMap, Operation, Operations
from ...models.regions import Region
from ...programs.program import Program
from .factors import framed
from .local_maps_of import along_a_line, stage_maps

DIGITS = 11  # of a map's entries that are compared


@dataclass(frozen=True, eq=False)
class Sweeps:
    """What is read: stages of local maps, every sweep of which begins with the ancillas in |0⟩ and forgets them.

    Attributes:
        stages: Maps of one sweep in order of time and how often it is repeated; performed in order.
        num_system: Sites are qubits 0 … n−1, ancillas all others.
    """

    stages: tuple[tuple[Operations, int], ...]
    num_system: int

    @staticmethod
    def of(program: Program) -> Sweeps:
        """Those of a program.

        Raises:
            TooLargeError: If a step acts on too many qubits at once.
        """
        stages = tuple((stage_maps(program, k), stage.repeats) for k, stage in enumerate(program.stages))
        return Sweeps(stages, program.num_system)

    @cached_property
    def line(self) -> tuple[int, ...]:
        """All qubits in the order of the trains."""
        return along_a_line([one for operations, _ in self.stages for one in operations], self.num_system)

    @cached_property
    def place(self) -> dict[int, int]:
        """Where each qubit stands on the line."""
        return {qubit: k for k, qubit in enumerate(self.line)}

    @cached_property
    def ancillas(self) -> tuple[int, ...]:
        """Their places."""
        return tuple(k for k, qubit in enumerate(self.line) if qubit >= self.num_system)

    @property
    def each(self) -> Iterator[Operations]:
        """The sweeps one by one, the last one first."""
        return (operations for operations, repeats in reversed(self.stages) for _ in range(repeats))

    @cached_property
    def framed(self) -> tuple[tuple[tuple[Operations, Real], int], ...]:
        """Every stage's maps in the frames of its ancillas with what closes a fresh one, and how often."""
        return tuple((framed(operations, self.num_system), repeats) for operations, repeats in self.stages)

    @property
    def each_framed(self) -> Iterator[tuple[Operations, Real]]:
        """Like `each`, in frames."""
        return (one for one, repeats in reversed(self.framed) for _ in range(repeats))


@dataclass(frozen=True, eq=False)
class Cone:
    """All that a region's observables see on their way back.

    Attributes:
        region: Sites in rising order.
        qubits: In the order in which the way back meets them, the region first.
        sites: Those of the system among them, in the same order.
        key: Equal for two cones whose maps are the same, to 11 digits, when qubits are named in that order.
        kept: Where it is followed only as far as something is carried: after each sweep the places in `qubits` of the
            sites that are left.
    """

    region: Region
    qubits: tuple[int, ...]
    sites: tuple[int, ...]
    key: bytes
    kept: tuple[frozenset[int], ...] = ()


def cone_of(sweeps: Sweeps, region: Region) -> Cone:
    """The cone of a region through all sweeps.

    Maps that act side by side are put in the order of the qubits that are known already, so that the order in which a
    program writes them does not matter.
    Cost: some microseconds per map of a sweep and sweep.
    """
    walk = _Walk({site: k for k, site in enumerate(region)})
    support = {*region}
    for operations in sweeps.each:
        support = {q for q in walk.through(operations, support) if q < sweeps.num_system}
    return walk.cone(region, sweeps.num_system, ())


def pruned(sweeps: Sweeps, region: Region, carried: Sequence[frozenset[int]] = (), *, like: Cone | None = None) -> Cone:
    """The cone of what is really carried: sites that were dropped after a sweep are not followed any further.

    Args:
        sweeps: What is performed.
        region: Sites in rising order.
        carried: After each sweep, from the last one back, the sites that were left.
        like: Instead, another region's cone: the sites with the names that were left there.
    """
    walk = _Walk({site: k for k, site in enumerate(region)})
    support, kept = {*region}, list[frozenset[int]]()
    rows = range(len(carried) if like is None else len(like.kept))
    for operations, k in zip(sweeps.each, rows, strict=False):
        names = walk.names
        support = walk.through(operations, support)
        if like is None:
            kept.append(frozenset(names[q] for q in carried[k]))
        else:
            kept.append(like.kept[k])
        support = {q for q, name in names.items() if name in kept[-1]}
    return walk.cone(region, sweeps.num_system, tuple(kept))


class _Walk:
    """The way back, with a name for every qubit that is met and a digest of what is met."""

    def __init__(self, names: dict[int, int]) -> None:
        self.names, self.text = names, sha256(f"{len(names)}".encode())

    def cone(self, region: Region, num_system: int, kept: tuple[frozenset[int], ...]) -> Cone:
        qubits = tuple(self.names)
        return Cone(region, qubits, tuple(q for q in qubits if q < num_system), self.text.digest(), kept)

    def say(self, what: str) -> None:
        self.text.update(what.encode())

    def through(self, operations: Operations, support: set[int]) -> set[int]:
        """The support before the operations; names and digest go on."""
        self.say("through")
        for level in _levels(operations, support):
            for one, _ in sorted(level, key=lambda pair: min(self.names[q] for q in pair[1] if q in self.names)):
                support = support | self._met(one, support)
        return support

    def _met(self, one: Operation, support: set[int]) -> set[int]:
        if isinstance(one, Average):
            self.say(f"average{one.weights}{one.times}")
            for _ in range(one.times.stop - 1):
                wider = set(support)
                for branch in one.branches:
                    self.say("branch")
                    wider |= self.through(branch, support)
                support = wider
            return support
        known = sorted((q for q in one.qubits if q in self.names), key=self.names.__getitem__)
        order = (*known, *(q for q in one.qubits if q not in self.names))
        for q in order:
            self.names.setdefault(q, len(self.names))
        self.say(f"map{[self.names[q] for q in order]}")
        self.text.update(_digest(one, order))
        return {*order}


def _levels(operations: Operations, support: set[int]) -> list[list[tuple[Operation, set[int]]]]:
    """Those within the cone with the qubits that they see, the last ones first; those of a level share no qubit."""
    levels, at, seen = list[list[tuple[Operation, set[int]]]](), dict[int, int](), set(support)
    for one in reversed(operations):
        if seen.isdisjoint(one.qubits):
            continue
        met = _seen_by(one, seen & {*one.qubits})
        seen |= met
        level = 1 + max(at.get(q, -1) for q in met)
        at.update(dict.fromkeys(met, level))
        if level == len(levels):
            levels.append([])
        levels[level].append((one, met))
    return levels


def _seen_by(one: Operation, support: set[int]) -> set[int]:
    """What a support grows to on the way back through one operation that it meets."""
    if isinstance(one, LocalMap):
        return {*one.qubits}
    for _ in range(one.times.stop - 1):
        wider = set(support)
        for branch in one.branches:
            reached = set(support)
            for step in reversed(branch):
                if not reached.isdisjoint(step.qubits):
                    reached |= _seen_by(step, reached & {*step.qubits})
            wider |= reached
        if wider == support:
            break
        support = wider
    return support


@lru_cache(maxsize=1 << 14)
def _digest(one: LocalMap, order: tuple[int, ...]) -> bytes:
    matrix = np.round(one.on(order), DIGITS) + 0.0  # no −0
    return sha256(matrix.tobytes()).digest()
