"""Exact reduced states of shallow programs from the light cones of regions, at any number of qubits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from ...errors import TooLargeError
from ...limits import MAX_CONE_QUBITS
from ...linalg.arrays import Array, Real
from ...linalg.local_maps import Average, LocalMap, Operation, Operations, bloch
from ...models.regions import LocalStates, Region

Stages: TypeAlias = Sequence[tuple[Operations, int]]  # the maps of one sweep, and how often it is performed
MOST_COMPARED = 4  # qubits of two maps that are multiplied to see whether they commute
CALL, NANOSECONDS = 5e-5, 40.0  # nominal, of a map, and of an entry that it makes, on a quiet core
ROUNDING = 1e-12  # below which an entry of a map is none, and within which two cones are one


def product_start(sites: Sequence[Array] | None, num_system: int, width: int) -> Real:
    """Pauli expectations of every wire, (width, 4): state vectors of the sites, all others in |0⟩.

    Args:
        sites: One vector per site; None: maximally mixed.
        num_system: Sites, on the first wires.
        width: Wires.
    """
    found = np.tile([1.0, 0.0, 0.0, 1.0], (width, 1))
    for k in range(num_system):
        if sites is None:
            found[k] = 1, 0, 0, 0
            continue
        found[k] = bloch(np.asarray(sites[k]) / np.linalg.norm(sites[k]))
    return found


@dataclass(frozen=True, eq=False)
class Node:
    """What one operation makes of the wires that the region depends on; every life of a wire has a number of its own.

    Attributes:
        inputs, outputs: Numbers of lives.
        apply: Maps x with axes (inputs, batch) to axes (outputs, batch).
        key: Equal for equal operations.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    apply: Callable[[Real], Real]
    key: object


@dataclass(frozen=True, eq=False)
class Cone:
    """All that the reduced state of a region depends on.

    Attributes:
        nodes: In order of time.
        ends: Lives that are the region's wires at the end.
        begins: The wire of every life that begins with the start.
    """

    nodes: tuple[Node, ...]
    ends: tuple[int, ...]
    begins: Mapping[int, int]

    def key(self, start: Real) -> object:
        """Equal for cones of equal reduced states: nodes and lives are numbered as the light ray meets them."""
        number = dict[int, int]()

        def named(lives: Iterable[int]) -> tuple[int, ...]:
            return tuple(number.setdefault(life, len(number)) for life in lives)

        ends = named(self.ends)
        nodes = [self.nodes[k] for k in _along_light(self, 1)]
        met = tuple((named(node.outputs), named(node.inputs), node.key) for node in nodes)
        begins = sorted((number[life], _digest(start[wire])) for life, wire in self.begins.items())
        return ends, met, tuple(begins)


@dataclass(frozen=True, eq=False)
class Kept:
    """A map with outputs that nothing depends on traced out, and without inputs that do not matter."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    apply: Callable[[Real], Real]
    key: object


@dataclass(frozen=True, eq=False)
class Narrowing:
    """Maps cut to what matters, each once."""

    known: dict[tuple[int, tuple[int, ...]], Kept] = field(default_factory=dict)
    commuting: dict[tuple[int, int], bool] = field(default_factory=dict)

    def kept(self, one: Operation, wires: tuple[int, ...]) -> Kept:
        """Of an operation what matters for these of its wires."""
        at = id(one), wires
        if at not in self.known:
            self.known[at] = self._mean(one, wires) if isinstance(one, Average) else _cut(one, wires)
        return self.known[at]

    def backwards(self, operations: Sequence[Operation], wires: Iterable[int]) -> tuple[tuple[Kept, ...], set[int]]:
        """What the wires at the end depend on: cut operations in order of time, and wires at the beginning.

        An operation that may be performed behind all that made its wires matter, since it commutes with it, does not
        matter: bonds that commute widen the cone by one site, in whatever order they stand.
        """
        alive = dict.fromkeys(wires, -1)  # what made a wire matter
        found, whole = list[Kept](), list[Operation]()
        on: dict[int, list[int]] = {}
        for one in reversed(operations):
            mine = tuple(sorted(q for q in one.qubits if q in alive))
            if not mine:
                continue
            since = min(alive[q] for q in mine)
            if since >= 0:
                behind = {k for q in one.qubits for k in on.get(q, ()) if k >= since}
                if all(self._commute(one, whole[k]) for k in behind):
                    continue
            cut = self.kept(one, mine)
            before = {q: alive.pop(q) for q in mine}
            alive.update({q: before.get(q, len(found)) for q in cut.inputs})
            for q in one.qubits:
                on.setdefault(q, []).append(len(found))
            found.append(cut)
            whole.append(one)
        return tuple(reversed(found)), {*alive}

    def _commute(self, a: Operation, b: Operation) -> bool:
        if isinstance(a, Average) or isinstance(b, Average):
            return False
        at = id(a), id(b)
        if at not in self.commuting:
            both = (*a.qubits, *(q for q in b.qubits if q not in a.qubits))
            A, B = (one.on(both) if len(both) <= MOST_COMPARED else None for one in (a, b))
            self.commuting[at] = A is not None and B is not None and bool(np.abs(A @ B - B @ A).max() < ROUNDING)
        return self.commuting[at]

    def _mean(self, one: Average, wires: tuple[int, ...]) -> Kept:
        """The mean over branches and repetitions: repetition by repetition, on fewer and fewer wires."""
        most = one.times.stop - 1
        levels = [(*sorted(wires),)]
        parts = list[tuple[tuple[Kept, ...], ...]]()
        for _ in range(most):
            cones = [self.backwards(branch, levels[-1]) for branch in one.branches]
            parts.append(tuple(cone for cone, _ in cones))
            levels.append((*sorted({*levels[-1]}.union(*(before for _, before in cones))),))

        def apply(x: Real) -> Real:
            total: Real = np.zeros((4,) * len(wires) + x.shape[len(levels[-1]) :])
            for count in range(most + 1):
                here = levels[most - count]
                if count in one.times:
                    total = total + _ordered(x, here, wires)
                if count < most:
                    after = levels[most - count - 1]
                    branches = zip(one.weights, parts[most - count - 1], strict=True)
                    x = np.asarray(sum(w * _performed(x, here, branch, after) for w, branch in branches))
            return np.asarray(total / len(one.times))

        # wires are numbered as they are met, so that a mean further along the chain has the same key
        number = {q: k for k, q in enumerate(dict.fromkeys(q for level in levels for q in level))}
        named = tuple(
            tuple(tuple((_named(k.inputs, number), _named(k.outputs, number), k.key) for k in b) for b in branches)
            for branches in parts
        )
        key = (one.weights, one.times, tuple(_named(level, number) for level in levels), named)
        return Kept(levels[-1], wires, apply, key)


def _named(wires: Iterable[int], number: dict[int, int]) -> tuple[int, ...]:
    return tuple(number.setdefault(q, len(number)) for q in wires)


def _performed(x: Real, wires: tuple[int, ...], parts: Iterable[Kept], after: tuple[int, ...]) -> Real:
    """Cut operations on a tensor with an axis per wire and further ones, and then the wires that are wanted."""
    for one in parts:
        lost = [q for q in one.outputs if q in wires and q not in one.inputs]
        x, wires = _without(x, wires, lost)
        rest = tuple(q for q in wires if q not in one.inputs)
        x = one.apply(_ordered(x, wires, (*one.inputs, *rest)))
        wires = (*one.outputs, *rest)
    return _ordered(x, wires, after)


def _without(x: Real, wires: tuple[int, ...], lost: Iterable[int]) -> tuple[Real, tuple[int, ...]]:
    for q in lost:
        x, wires = np.asarray(x.take(0, axis=wires.index(q))), tuple(w for w in wires if w != q)
    return x, wires


def _ordered(x: Real, wires: tuple[int, ...], wanted: tuple[int, ...]) -> Real:
    """Axes of the wanted wires, the others traced out, further axes behind."""
    x, wires = _without(x, wires, [q for q in wires if q not in wanted])
    return x.transpose(*(wires.index(q) for q in wanted), *range(len(wires), x.ndim))


def _cut(one: LocalMap, wires: tuple[int, ...]) -> Kept:
    order = tuple(sorted(one.qubits))  # so that a map further along the chain has the same matrix
    k = len(order)
    M: Real = one.on(order).reshape((4,) * 2 * k)
    for axis, q in enumerate(order):
        if q not in wires:
            M = np.asarray(M.take([0], axis=axis))
    M = M.reshape(4 ** len(wires), *(4,) * k)
    inputs = list[int]()
    for axis, q in reversed([*enumerate(order, 1)]):
        if np.abs(M.take([1, 2, 3], axis=axis)).max() > ROUNDING:
            inputs.insert(0, q)
        else:
            M = np.asarray(M.take(0, axis=axis))
    matrix = M.reshape(4 ** len(wires), -1)

    def apply(x: Real) -> Real:
        batch = x.shape[len(inputs) :]
        return np.asarray((matrix @ x.reshape(matrix.shape[1], -1)).reshape(*(4,) * len(wires), *batch))

    places = tuple(order.index(q) for q in (*wires, *inputs))
    return Kept(tuple(inputs), wires, apply, (_digest(matrix), places))


def _digest(matrix: Real) -> bytes:
    return (np.round(matrix / ROUNDING) + 0.0).tobytes()


def cone_of(stages: Stages, region: Region, narrowing: Narrowing) -> Cone:
    """The backward light cone of a region through all sweeps: resets end a wire, means join wires."""
    lives: dict[int, int] = {}
    count = 0

    def fresh(wires: Iterable[int]) -> Iterator[int]:
        nonlocal count
        for q in wires:
            lives[q] = count
            count += 1
            yield lives[q]

    ends = tuple(fresh(region))
    operations = [one for sweep, repeats in stages for _ in range(repeats) for one in sweep]
    nodes = list[Node]()
    for cut in reversed(narrowing.backwards(operations, region)[0]):
        outputs = tuple(lives.pop(q) for q in cut.outputs)
        nodes.append(Node(tuple(fresh(cut.inputs)), outputs, cut.apply, cut.key))
    return Cone(tuple(reversed(nodes)), ends, {life: wire for wire, life in lives.items()})


def _along_light(cone: Cone, turned: int) -> list[int]:
    """The nodes in an order along light rays that lean to one side: each as late as possible, behind all it needs."""
    maker = {life: k for k, node in enumerate(cone.nodes) for life in node.outputs}
    done, order = set[int](), list[int]()
    stack = [maker[life] for life in cone.ends[::-turned] if life in maker]
    while stack:
        k = stack[-1]
        before = next((maker[i] for i in cone.nodes[k].inputs[::turned] if i in maker and maker[i] not in done), None)
        if before is not None and k not in done:
            stack.append(before)
            continue
        stack.pop()
        if k not in done:
            done.add(k)
            order.append(k)
    return order


def _peak(cone: Cone, order: Iterable[int]) -> tuple[int, float]:
    """Most wires of one group that are alive at once, and the entries of all groups that are made."""
    group: dict[int, set[int]] = {}
    peak, total = 0, 0.0
    for k in order:
        node = cone.nodes[k]
        joined = {*node.inputs}.union(*(group.get(i, {i}) for i in node.inputs))
        after = (joined - {*node.inputs}) | {*node.outputs}
        peak = max(peak, len(joined), len(after))
        total += 4.0 ** max(len(joined), len(after))
        for life in after:
            group[life] = after
    last = set[int]().union(*(group.get(life, {life}) for life in cone.ends))
    return max(peak, len(last)), total


def _best(cone: Cone) -> tuple[int, float, list[int]]:
    """Of three orders that with the smallest peak: the peak, the entries that are made, and the order."""
    orders = [[*range(len(cone.nodes))], _along_light(cone, 1), _along_light(cone, -1)]
    return min(((*_peak(cone, order), order) for order in orders), key=lambda one: one[:2])


def cone_values(cone: Cone, start: Real) -> Real:
    """The 4^k Pauli expectations of the region.

    Wires join the vector when a node first needs them and leave it when none does any more; groups of wires that have
    not met are vectors of their own. Of three orders that with the smallest peak is taken.

    Raises:
        TooLargeError: If more than 12 wires are alive at once.
    """
    peak, _, order = _best(cone)
    if peak > MAX_CONE_QUBITS:
        raise TooLargeError(
            f"The light cone of a region has {len(cone.begins)} wires, {peak} of them at once: vectors of 4^{peak} "
            f"entries; the limit is {MAX_CONE_QUBITS}. Fix: use fewer sweeps or a shorter word, or read backwards."
        )
    groups: dict[int, tuple[tuple[int, ...], Real]] = {
        life: ((life,), np.array(start[wire])) for life, wire in cone.begins.items()
    }

    def joined(lives: Iterable[int]) -> tuple[tuple[int, ...], Real]:
        parts = {groups[life][0]: groups[life] for life in lives}
        wires: tuple[int, ...] = ()
        x: Real = np.ones(())
        for more, y in parts.values():
            wires, x = (*wires, *more), np.multiply.outer(x, y)
        return wires, x

    for k in order:
        node = cone.nodes[k]
        wires, x = joined(node.inputs)
        rest = tuple(life for life in wires if life not in node.inputs)
        x = node.apply(_ordered(x, wires, (*node.inputs, *rest)))
        group = ((*node.outputs, *rest), x)
        groups.update(dict.fromkeys(group[0], group))
    wires, x = joined(cone.ends)
    return np.ascontiguousarray(_ordered(x, wires, cone.ends))


def cone_states(stages: Stages, regions: Iterable[Region], start: Real, seconds: float = np.inf) -> LocalStates:
    """Reduced states of regions after all sweeps, exactly, each distinct light cone once.

    Args:
        stages: Maps on wires; a region's sites are wires.
        regions: Sites in rising order.
        start: Pauli expectations of every wire, (wires, 4): a product state.
        seconds: Nominal, of all distinct cones together.

    Accuracy: rounding only, and 1e-12 per map for cones that are taken for one.
    Cost: 4^p per map, p the wires of a cone that are alive at once.

    Raises:
        TooLargeError: If more than 12 wires are alive at once, or it would take longer.
    """
    narrowing, known, most, needed = Narrowing(), dict[object, Real](), 1, 0.0
    values: dict[Region, Real] = {}
    for region in regions:
        cone = cone_of(stages, region, narrowing)
        most = max(most, len(cone.nodes))
        key = cone.key(start)
        if key not in known:
            needed += NANOSECONDS * 1e-9 * _best(cone)[1] + CALL * len(cone.nodes)
            if needed > seconds:
                raise TooLargeError(
                    f"Light cones would take more than the {seconds:.0f} nominal seconds allowed. Fix: allow more, or "
                    "read backwards."
                )
            known[key] = cone_values(cone, start)
        values[region] = known[key].reshape(-1)
    return LocalStates(values, ROUNDING * most, f"light cones, {len(known)} distinct")
