"""Where the CZ gates go: words of layers first, then gates deleted, moved and inserted near the target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...evidence import number
from ...io.progress import Progress, quiet
from ...linalg.arrays import Real
from ...models.graph import Edge
from ..clock import Deadline, OutOfTimeError
from .ansatz import Ansatz, Layer
from .fits import Fit, Task

SPREAD = 0.6  # of random first angles
WANDER = 0.15  # added to angles taken over
NUDGE = 0.02  # added to angles of pieces
PROMISING = 1.6  # times the best distance in as many gates, or the target: refined
BETTER = 1.15  # the same, far from the target
KEPT = 4  # fits of one number of gates
MARGIN = 0.99  # of the target
WORDS = 0.25  # of the time, at most, for words of whole layers
ATTEMPTS, CLOSE = 3, 2.5  # at a word that is begun on pieces, while the distance is within so many times the target
LEAST = 100.0  # nominal seconds for a word that is begun on pieces
APART = 0.6  # of the time: for islands that know nothing of each other
TURN = 1e-4  # nominal seconds of a step besides its fits; some find no child
NEAR = 3  # levels below the target's
Begin = Callable[[Ansatz, Task, Deadline], Real | None]


@dataclass(eq=False)
class Pool:
    """The best few fits at every number of gates."""

    levels: dict[int, list[Fit]] = field(default_factory=dict)

    def add(self, fit: Fit) -> bool:
        """Keep it if it is among the best of its level; whether it is the best of it."""
        level = self.levels.setdefault(fit.gates, [])
        level[:] = sorted([*(f for f in level if f.ansatz != fit.ansatz or f.distance < fit.distance), fit],
                          key=lambda f: f.distance)[:KEPT]  # fmt: skip
        return level[0] is fit

    def best(self, gates: int) -> float:
        """The smallest distance in at most that many gates."""
        return min((level[0].distance for g, level in self.levels.items() if g <= gates), default=np.inf)

    def merge(self, other: Pool) -> None:
        """Add what another one keeps."""
        for level in other.levels.values():
            for fit in level:
                self.add(fit)

    def cheapest(self, target: float) -> Fit | None:
        """The fewest gates that meet it."""
        return next((level[0] for _, level in sorted(self.levels.items()) if level[0].distance <= target), None)

    def frontier(self) -> list[Fit]:
        """Those that no other beats in gates and distance."""
        found: list[Fit] = []
        for _, level in sorted(self.levels.items()):
            if not found or level[0].distance < found[-1].distance:
                found.append(level[0])
        return found


@dataclass(frozen=True, eq=False)
class Search:
    """What a search for a shape may do.

    Attributes:
        tasks: What fits are for: one per number of sweeps.
        pairs: Where a gate may be put, as often as it should be tried.
        allowed: Which shapes may be tried at all.
        target: The distance asked for.
        rng: Draws shapes and first angles.
        batch: Random first angles of one shape.
        children: First angles of a child: its parent's, more or less disturbed.
        islands: Searches that begin apart, because a search does not leave the shapes that it found first.
        near: Whether only fits near the target have children; otherwise every number of gates below it is improved.
        begin: First angles of a word for a task, (num_angles, batch), in place of random ones.
        progress: Told the best so far.
    """

    tasks: Sequence[Task]
    pairs: Sequence[Edge]
    allowed: Callable[[Ansatz], bool]
    target: float
    rng: np.random.Generator
    batch: int
    children: int = 1
    islands: int = 1
    near: bool = False
    begin: Begin | None = None
    progress: Progress = quiet

    def run(self, words: Sequence[Ansatz], deadline: Deadline) -> Pool:
        """Fits until the deadline; always at least one.

        Every word with every task, the cheapest first, until one meets the target; then children of what was found,
        which keep their parents' angles where they can. Several islands do so one after the other, and go on together.
        What the wall clock cuts off is dropped.

        Raises:
            OutOfTimeError: If it stops the search before the first fit.
        """
        pool, length = Pool(), deadline.left
        apart = (APART if self.islands > 1 else 1.0) / self.islands
        try:
            for island in range(1, self.islands + 1):
                until = deadline.within(deadline.left - (1 - island * apart) * length)
                own = Pool()
                try:
                    self._worded(own, words, until)
                    self._improved(own, until)
                finally:
                    pool.merge(own)
                self._tell(pool)
                if self._done(pool):
                    break
            self._improved(pool, deadline)
        except OutOfTimeError:
            if not pool.levels:
                raise
        return pool

    def _worded(self, pool: Pool, words: Sequence[Ansatz], deadline: Deadline) -> None:
        until = deadline if self.begin is not None else deadline.share(WORDS)
        queue = sorted(
            ((task.sweeps * word.gates, k, task, word) for task in self.tasks for k, word in enumerate(words)),
            key=lambda item: item[:2],
        )
        for index, (gates, _, task, word) in enumerate(queue):
            best = pool.cheapest(MARGIN * self.target)
            if best is not None and gates >= best.gates:
                continue
            if pool.levels and until.passed:
                break
            if self.begin is None:
                pool.add(task.fit(word, first_angles(word, self.rng, self.batch), deadline))
            else:
                share = max(LEAST, deadline.left / (len(queue) - index))
                self._attempted(pool, self.begin, task, word, share, deadline)
            self._tell(pool)

    def _attempted(self, pool: Pool, begin: Begin, task: Task, word: Ansatz, length: float, deadline: Deadline) -> None:
        """Fits of a word from what `begin` gives, one more where the last one came close: half of them go astray."""
        best = np.inf
        for _ in range(ATTEMPTS):
            until = deadline.within(length)
            first = begin(word, task, until)
            if first is None:
                ansatz, angles = word, first_angles(word, self.rng, self.batch)
            else:  # rotations between the gates of a layer are free
                ansatz, split = _split(word, first[:, 0])
                angles = split[:, None] + NUDGE * self.rng.standard_normal((len(split), 1))
            fit = task.fit(ansatz, angles, until)
            best = min(best, fit.distance)
            pool.add(fit)
            if not MARGIN < best / self.target < CLOSE or deadline.passed:
                break

    def _improved(self, pool: Pool, deadline: Deadline) -> None:
        by_sweeps = {task.sweeps: task for task in self.tasks}
        while not deadline.passed and not self._done(pool):
            deadline.spend(TURN)
            self._step(pool, by_sweeps, deadline)

    def _done(self, pool: Pool) -> bool:
        """Whether nothing is left to take away."""
        best = pool.cheapest(MARGIN * self.target)
        return best is not None and best.gates <= min(task.sweeps for task in self.tasks)

    def _step(self, pool: Pool, by_sweeps: dict[int, Task], deadline: Deadline) -> None:
        best = pool.cheapest(MARGIN * self.target)
        parent = self._parent(pool, best)
        child = self._child(parent, best)
        if child is None:
            return
        ansatz, angles = child
        task = by_sweeps[parent.sweeps]
        starts = angles[:, None] + WANDER * self.rng.standard_normal((len(angles), self.children))
        if self.near:  # a sampler that is disturbed does not come back
            starts[:, 0] = angles
        known = pool.best(parent.sweeps * ansatz.gates)
        fit = task.glance(ansatz, starts, deadline)
        if fit.distance < (PROMISING * max(known, self.target) if self.near else BETTER * known):
            fit = task.fit(ansatz, fit.angles[:, None], deadline)
        if pool.add(fit):
            self._tell(pool)

    def _parent(self, pool: Pool, best: Fit | None) -> Fit:
        """From the cheapest level that meets the target, the one above, or one below; else from any, or the last."""
        gates = sorted(pool.levels)
        at = len(gates) - 1 if best is None else gates.index(best.gates)
        near = self.near or self.rng.random() < 0.5
        level = pool.levels[int(self.rng.choice(gates[max(0, at - NEAR) if near else 0 : at + 2]))]
        return level[min(int(self.rng.geometric(0.5)) - 1, len(level) - 1)]

    def _child(self, parent: Fit, best: Fit | None) -> tuple[Ansatz, Real] | None:
        """The parent with a gate or two deleted, moved, replaced or inserted; cheaper than what meets the target."""
        split, angles = _split(parent.ansatz, parent.angles)
        most = split.gates + 2 if best is None else (best.gates - 1) // parent.sweeps
        layers: list[tuple[Layer, int | None]] = [(layer, k) for k, layer in enumerate(split.layers)]
        room = most - split.gates
        moves = ["move", "replace"] + ["delete"] * (1 if room >= 0 else 0)
        moves += ["insert"] * (0 if room <= 0 else 2)
        for _ in range(min(len(layers), max(0, -room))):
            layers.pop(int(self.rng.integers(len(layers))))
        move = str(self.rng.choice(moves)) if room >= 0 or self.rng.random() < 0.3 else "none"
        if move in ("delete", "move", "replace") and layers:
            taken = layers.pop(int(self.rng.integers(len(layers))))
            if move == "move":
                layers.insert(int(self.rng.integers(len(layers) + 1)), (taken[0], None))
        if move in ("replace", "insert"):
            pair = self.pairs[int(self.rng.integers(len(self.pairs)))]
            layers.insert(int(self.rng.integers(len(layers) + 1)), ((pair,), None))
        child = replace(split, layers=tuple(layer for layer, _ in layers))
        if not layers or not self.allowed(child):
            return None
        return _carried(split, angles, child.layers, [origin for _, origin in layers])

    def _tell(self, pool: Pool) -> None:
        best = pool.cheapest(MARGIN * self.target)
        near = best or min(pool.frontier(), key=lambda fit: fit.distance)
        head = "" if best else "nearest: "
        self.progress(f"{head}{near.gates} two-qubit gates, distance {number(near.distance)}")


def first_angles(ansatz: Ansatz, rng: np.random.Generator, batch: int) -> Real:
    """Random ones, (num_angles, batch)."""
    return rng.normal(scale=SPREAD, size=(ansatz.num_angles, batch))


def _split(ansatz: Ansatz, angles: Real) -> tuple[Ansatz, Real]:
    """The same circuit with one gate per layer."""
    singles = tuple((edge,) for layer in ansatz.layers for edge in layer)
    return _carried(ansatz, angles, singles, [k for k, layer in enumerate(ansatz.layers) for _ in layer])


def _carried(
    ansatz: Ansatz, angles: Real, layers: tuple[Layer, ...], origins: Sequence[int | None]
) -> tuple[Ansatz, Real]:
    """The ansatz with other layers, ancillas renumbered, and its angles where a slot had some before, else 0."""
    n = ansatz.num_system
    used = sorted({q for layer in layers for edge in layer for q in edge if q >= n})
    number = {q: n + k for k, q in enumerate(used)} | {q: q for q in range(n)}
    renamed = tuple(tuple((number[a], number[b]) for a, b in layer) for layer in layers)
    new = replace(ansatz, num_ancilla=len(used), layers=renamed)
    was = {now: before for before, now in number.items()}
    values, index = ansatz.slot_angles(angles[:, None])[..., 0], {s: k for k, s in enumerate(ansatz.slots)}
    taken = np.zeros((len(new.slots), new.angles_per_slot))
    touched = [{q for edge in layer for q in edge} for layer in renamed]
    seen = set[int]()
    for k, slot in enumerate(new.slots):
        fresh, entry = slot.qubit >= n and slot.qubit not in seen, slot.layer == 0 and slot.qubit < n
        seen.add(slot.qubit)
        origin = 0 if entry else origins[slot.layer - (0 if fresh else 1)]
        if origin is None:
            continue
        if not fresh and not entry:
            again = range(slot.layer, len(layers))
            if any(origins[j] == origin and slot.qubit in touched[j] for j in again):
                continue  # the old layer's rotation came after all of its gates
        source = type(slot)(was[slot.qubit], origin + (0 if fresh or entry else 1))
        if source in index:
            taken[k] = values[index[source]]
    return new, taken.reshape(-1)
