"""Where the CZ gates go: words of layers first, then gates deleted, moved and inserted near the target."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...evidence import number
from ...io.progress import Progress, quiet
from ...linalg.arrays import Real
from ...models.graph import Edge
from ..candidates import cheapest, nearest
from ..clock import Deadline, OutOfTimeError
from ..task import MARGINS
from .ansatz import Ansatz, Layer
from .fits import Fit, Fitter

SPREAD = 0.6  # of random first angles
WANDER = 0.15  # added to angles taken over
NUDGE = 0.02  # added to angles of pieces
PROMISING = 1.6  # times the best distance in as many gates, or the target: refined
BETTER = 1.15  # the same, far from the target
KEPT = 4  # fits of one number of gates
WORDS = 0.25  # of the time, at most, for words of whole layers
ATTEMPTS, CLOSE = 3, 2.5  # at a word that is begun on pieces, while the distance is within so many times the target
LEAST = 100.0  # nominal seconds for a word that is begun on pieces
APART = 0.6  # of the time: for islands that know nothing of each other
TURN = 1e-4  # nominal seconds of a step besides its fits; some find no child
NEAR = 3  # levels below the target's
Begin = Callable[[Ansatz, Fitter, Deadline], Real | None]


@dataclass(eq=False)
class FitsByGates:
    """The best few fits at every number of gates, the nearest first."""

    levels: dict[float, list[Fit]] = field(default_factory=dict)

    def add(self, fit: Fit) -> bool:
        """Keep it if it is among the best of its level; whether it is the best of it."""
        level = self.levels.setdefault(fit.two_qubit_gates, [])
        ansatz = fit.program.ansatz
        others = [f for f in level if f.program.ansatz != ansatz or f.distance < fit.distance]
        level[:] = sorted([*others, fit], key=lambda f: f.distance)[:KEPT]
        return level[0] is fit

    def best(self, gates: float) -> float:
        """The smallest distance in at most that many gates."""
        return min((level[0].distance for g, level in self.levels.items() if g <= gates), default=np.inf)

    @property
    def nearest(self) -> list[Fit]:
        """The nearest in every number of gates."""
        return [level[0] for level in self.levels.values()]


@dataclass(frozen=True, eq=False)
class GateSearch:
    """What a search for a shape may do.

    Attributes:
        fitters: What fits are for: one per number of sweeps.
        pairs: Where a gate may be put, as often as it should be tried.
        allowed: Which shapes may be tried at all.
        target: The distance asked for.
        rng: Draws shapes and first angles.
        batch: Random first angles of one shape.
        children: First angles of a child: its parent's, more or less disturbed.
        islands: Searches that begin apart, because a search does not leave the shapes that it found first.
        near: Whether only fits near the target have children; otherwise every number of gates below it is improved.
        margin: Share of the target that a fit must be within.
        begin: First angles of a word for a fitter, (num_angles, batch), in place of random ones.
        progress: Told the best so far.
    """

    fitters: Sequence[Fitter]
    pairs: Sequence[Edge]
    allowed: Callable[[Ansatz], bool]
    target: float
    rng: np.random.Generator
    batch: int
    children: int = 1
    islands: int = 1
    near: bool = False
    begin: Begin | None = None
    margin: float = MARGINS.fitted
    progress: Progress = quiet

    def run(self, words: Sequence[Ansatz], deadline: Deadline) -> FitsByGates:
        """Fits until the deadline; always at least one.

        Every word with every fitter, the cheapest first, until one meets the target; then children of what was found,
        which keep their parents' angles where they can. Several islands do so one after the other, and go on together.
        What the wall clock cuts off is dropped.

        Raises:
            OutOfTimeError: If it stops the search before the first fit.
        """
        pool, length = FitsByGates(), deadline.left
        apart = (APART if self.islands > 1 else 1.0) / self.islands
        try:
            for island in range(1, self.islands + 1):
                until = deadline.within(deadline.left - (1 - island * apart) * length)
                own = FitsByGates()
                try:
                    self._worded(own, words, until)
                    self._improved(own, until)
                finally:
                    for fit in itertools.chain(*own.levels.values()):
                        pool.add(fit)
                self._tell(pool)
                if self._done(pool):
                    break
            self._improved(pool, deadline)
        except OutOfTimeError:
            if not pool.levels:
                raise
        return pool

    def _worded(self, pool: FitsByGates, words: Sequence[Ansatz], deadline: Deadline) -> None:
        until = deadline if self.begin is not None else deadline.share(WORDS)
        queue = sorted(
            ((fitter.sweeps * word.gates, k, fitter, word) for fitter in self.fitters for k, word in enumerate(words)),
            key=lambda item: item[:2],
        )
        for index, (gates, _, fitter, word) in enumerate(queue):
            best = self._cheapest(pool)
            if best is not None and gates >= best.two_qubit_gates:
                continue
            if pool.levels and until.passed:
                break
            if self.begin is None:
                pool.add(fitter.fit(word, first_angles(word, self.rng, self.batch), deadline))
            else:
                share = max(LEAST, deadline.left / (len(queue) - index))
                self._attempted(pool, self.begin, fitter, word, share, deadline)
            self._tell(pool)

    def _attempted(
        self, pool: FitsByGates, begin: Begin, fitter: Fitter, word: Ansatz, length: float, deadline: Deadline
    ) -> None:
        """Fits of a word from what `begin` gives, one more where the last one came close: half of them go astray."""
        best = np.inf
        for _ in range(ATTEMPTS):
            until = deadline.within(length)
            first = begin(word, fitter, until)
            if first is None:
                ansatz, angles = word, first_angles(word, self.rng, self.batch)
            else:  # rotations between the gates of a layer are free
                ansatz, split = _split(word, first[:, 0])
                angles = split[:, None] + NUDGE * self.rng.standard_normal((len(split), 1))
            fit = fitter.fit(ansatz, angles, until)
            best = min(best, fit.distance)
            pool.add(fit)
            if not self.margin < best / self.target < CLOSE or deadline.passed:
                break

    def _improved(self, pool: FitsByGates, deadline: Deadline) -> None:
        by_sweeps = {fitter.sweeps: fitter for fitter in self.fitters}
        while not deadline.passed and not self._done(pool):
            deadline.spend(TURN)
            self._step(pool, by_sweeps, deadline)

    def _cheapest(self, pool: FitsByGates) -> Fit | None:
        return cheapest(pool.nearest, self.margin * self.target)

    def _done(self, pool: FitsByGates) -> bool:
        """Whether nothing is left to take away."""
        best = self._cheapest(pool)
        return best is not None and best.two_qubit_gates <= min(fitter.sweeps for fitter in self.fitters)

    def _step(self, pool: FitsByGates, by_sweeps: dict[int, Fitter], deadline: Deadline) -> None:
        best = self._cheapest(pool)
        parent = self._parent(pool, best)
        child = self._child(parent, best)
        if child is None:
            return
        ansatz, angles = child
        fitter = by_sweeps[parent.program.sweeps]
        starts = angles[:, None] + WANDER * self.rng.standard_normal((len(angles), self.children))
        if self.near:  # a sampler that is disturbed does not come back
            starts[:, 0] = angles
        known = pool.best(fitter.sweeps * ansatz.gates)
        fit = fitter.glance(ansatz, starts, deadline)
        if fit.distance < (PROMISING * max(known, self.target) if self.near else BETTER * known):
            fit = fitter.fit(ansatz, fit.program.angles[:, None], deadline)
        if pool.add(fit):
            self._tell(pool)

    def _parent(self, pool: FitsByGates, best: Fit | None) -> Fit:
        """From the cheapest level that meets the target, the one above, or one below; else from any, or the last."""
        gates = sorted(pool.levels)
        at = len(gates) - 1 if best is None else gates.index(best.two_qubit_gates)
        near = self.near or self.rng.random() < 0.5
        level = pool.levels[int(self.rng.choice(gates[max(0, at - NEAR) if near else 0 : at + 2]))]
        return level[min(int(self.rng.geometric(0.5)) - 1, len(level) - 1)]

    def _child(self, parent: Fit, best: Fit | None) -> tuple[Ansatz, Real] | None:
        """The parent with a gate or two deleted, moved, replaced or inserted; cheaper than what meets the target."""
        split, angles = _split(parent.program.ansatz, parent.program.angles)
        most = split.gates + 2 if best is None else (int(best.two_qubit_gates) - 1) // parent.program.sweeps
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

    def _tell(self, pool: FitsByGates) -> None:
        best = self._cheapest(pool)
        near = best or nearest(pool.nearest)
        head = "" if best else "nearest: "
        self.progress(f"{head}{near.two_qubit_gates} two-qubit gates, distance {number(near.distance)}")


def first_angles(ansatz: Ansatz, rng: np.random.Generator, batch: int) -> Real:
    """Random angles, (num_angles, batch)."""
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
