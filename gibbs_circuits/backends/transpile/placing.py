"""Where the qubits of a program live on a lattice: annealed on an estimate, then improved on routed gates."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .interactions import Block
from .swapping import BARE_SWAP, NARROW, Lattice, swapped

ANNEALED = 50  # placements per estimate; the cheapest by estimate are routed
ANNEAL_STEPS = 2000
ROUTED = 8  # annealed placements per estimate that are routed, and the best of them improved move by move
MOVES = 60  # moves tried around a placement, those with the least estimate first
WORK = 200_000  # placements routed, times interactions, times qubits: larger programs try fewer
FEWEST = 40  # placements below which the search is not worth its time
FARS = (0.5, 2.0)  # swaps per edge of distance beyond two, in one estimate each: what a way costs varies with its use
HOT = 0.7  # temperature at the start, in swaps of the busiest pair
Placement = tuple[int, ...]
Score = tuple[float, int]


@dataclass(frozen=True, eq=False)
class Task:
    """A block to be placed: how often it is performed, what must come home."""

    weight: float
    block: Block
    kept: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Estimate:
    """Two-qubit gates that distances cost, without routing.

    A pair that meets k times in a block is taken to need a swap each time and one to come home, and a little more per
    edge beyond two.

    Attributes:
        prices: Of every pair that meets, by distance.
        partners: Of every qubit, with the prices.
    """

    prices: dict[tuple[int, int], list[float]]
    partners: dict[int, list[tuple[int, list[float]]]]

    @classmethod
    def of(cls, tasks: Sequence[Task], lattice: Lattice, far_swaps: float) -> Estimate:
        """From the pairs of all blocks, with what an edge of distance beyond two costs."""
        near, far = Counter[tuple[int, int]](), Counter[tuple[int, int]]()
        for task in tasks:
            for (a, b), times in Counter((min(pair), max(pair)) for pair in task.block.pairs).items():
                near[a, b] += task.weight * BARE_SWAP * (times + 1)  # type: ignore[assignment]
                far[a, b] += task.weight * BARE_SWAP * far_swaps  # type: ignore[assignment]
        reach = range(2, max(map(max, lattice.distance)) + 1)
        prices = {pair: [0.0, 0.0, *(near[pair] + far[pair] * (d - 2) for d in reach)] for pair in near}
        partners = defaultdict[int, list[tuple[int, list[float]]]](list)
        for (a, b), price in prices.items():
            partners[a].append((b, price))
            partners[b].append((a, price))
        return cls(prices, partners)

    def __call__(self, placement: Sequence[int], lattice: Lattice) -> float:
        return sum([price[lattice.distance[placement[a]][placement[b]]] for (a, b), price in self.prices.items()])


def best_placement(
    tasks: Sequence[Task], lattice: Lattice, suggested: Sequence[Placement], width: int, seed: int
) -> Placement:
    """The placement with the fewest two-qubit gates in all tasks, of equals that with the fewest wires beside it.

    Args:
        tasks: Blocks of one program.
        lattice: Where; any wires may be used.
        suggested: Placements to try beside the annealed ones.
        width: Number of qubits of the program.
        seed: Of the annealing.

    Accuracy: a local minimum among moves of one qubit to, or exchange with, a wire next to the placement.
    Cost: some seconds for a chain of six sites and six ancillas, most of it in routing; bounded by `WORK`.
    """
    estimates, scores = [Estimate.of(tasks, lattice, far) for far in FARS], dict[Placement, Score]()
    budget, rng = _affordable(tasks, width), random.Random(seed)

    def gates(placement: Placement, limit: float = math.inf) -> Score:
        if placement not in scores:
            scores[placement] = routed(tasks, lattice, placement, limit)
        return scores[placement]

    families = [(estimates[0], _distinct(suggested, lattice))]
    for estimate in estimates:
        annealed = {_settled(_somewhere(width, lattice, rng), lattice, estimate, rng) for _ in range(ANNEALED)}
        ranked = [placement for _, placement in sorted((estimate(p, lattice), p) for p in annealed)]
        families.append((estimate, _distinct(ranked, lattice)[:ROUTED]))
    begun = [(min(placements, key=gates), estimate) for estimate, placements in families if placements]
    for placement, estimate in sorted(begun, key=lambda pair: scores[pair[0]]):
        _improved(placement, lattice, estimate, scores, gates, budget)
    return min(scores, key=lambda p: (scores[p], p))


def worthwhile(tasks: Sequence[Task], width: int) -> bool:
    """Whether a program is small enough for enough placements to be tried."""
    return _affordable(tasks, width) >= FEWEST


def _affordable(tasks: Sequence[Task], width: int) -> int:
    return WORK // (width * (1 + sum(len(task.block.pairs) for task in tasks)))


def routed(tasks: Sequence[Task], lattice: Lattice, placement: Placement, limit: float) -> Score:
    """Two-qubit gates of all tasks from a placement, and wires beside it; infinite if more than a limit."""
    total, outside = 0.0, frozenset[int]()
    for task in sorted(tasks, key=lambda task: len(task.block.pairs)):  # the quick ones first
        found = swapped(task.block, lattice, placement, task.kept, NARROW, (limit - total) / task.weight + 1e-6)
        if found is None:
            return math.inf, 0
        total, outside = total + task.weight * found.gates, outside | found.outside
    return total, len(outside)


def _improved(
    placement: Placement,
    lattice: Lattice,
    estimate: Estimate,
    scores: dict[Placement, Score],
    gates: Callable[[Placement, float], Score],
    budget: int,
) -> None:
    """Moves to the first better placement until there is none."""
    better: Placement | None = placement
    while better is not None:
        placement, better = better, None
        moves = [move for move in _moves(placement, lattice) if move not in scores]
        for move in sorted(moves, key=lambda p: (estimate(p, lattice), p))[:MOVES]:
            if len(scores) >= budget:
                return
            if gates(move, scores[placement][0]) < scores[placement]:
                better = move
                break


def _moves(placement: Placement, lattice: Lattice) -> Iterator[Placement]:
    """One qubit elsewhere in or beside the placement; what was there goes where it was."""
    zone = sorted({*placement, *(v for wire in placement for v in lattice.neighbours[wire])})
    for here in placement:
        for there in zone:
            if there != here and (there not in placement or there > here):
                yield tuple(there if w == here else here if w == there else w for w in placement)


def _distinct(placements: Sequence[Placement], lattice: Lattice) -> list[Placement]:
    """The first of all placements that a symmetry of the lattice makes alike."""
    first = dict[tuple[int, ...], Placement]()
    for placement in placements:
        first.setdefault(_shape(placement, lattice), placement)
    return list(first.values())


def _shape(placement: Placement, lattice: Lattice) -> tuple[int, ...]:
    """The same for placements that differ by a symmetry of the lattice."""
    return tuple(lattice.distance[a][b] for k, a in enumerate(placement) for b in placement[:k])


def _somewhere(width: int, lattice: Lattice, rng: random.Random) -> list[int]:
    """Wires of a connected patch, in any order."""
    found = [rng.randrange(len(lattice.neighbours))]
    while len(found) < width:
        fresh = sorted({v for wire in found for v in lattice.neighbours[wire]} - set(found))
        found.append(rng.choice(fresh or sorted(set(range(len(lattice.neighbours))) - set(found))))
    rng.shuffle(found)
    return found


def _settled(placement: list[int], lattice: Lattice, estimate: Estimate, rng: random.Random) -> Placement:
    """Simulated annealing: one qubit beside a partner, or one edge on."""
    distance, partners = lattice.distance, estimate.partners
    movable = sorted(partners)
    apart = [price[2] for price in estimate.prices.values() if len(price) > 2]
    if not apart:  # every pair interacts, or none has to
        return tuple(placement)
    where: dict[int, int] = {wire: qubit for qubit, wire in enumerate(placement)}
    hot = HOT * max(apart)

    def local(qubit: int | None) -> float:
        if qubit is None:
            return 0.0
        row = distance[placement[qubit]]
        return sum([price[row[placement[other]]] for other, price in partners.get(qubit, ())])

    def move(qubit: int, there: int) -> None:
        here, other = placement[qubit], where.pop(there, None)
        placement[qubit], where[there] = there, qubit
        if other is None:
            del where[here]
        else:
            placement[other], where[here] = here, other

    change, least, best = 0.0, 0.0, tuple(placement)
    for step in range(ANNEAL_STEPS):
        temperature = hot * (1 - step / ANNEAL_STEPS) ** 2 + 1e-9
        qubit = rng.choice(movable)
        beside = rng.choice(partners[qubit])[0] if rng.random() < 0.7 else qubit
        here, there = placement[qubit], rng.choice(lattice.neighbours[placement[beside]])
        if there == here:
            continue
        other = where.get(there)
        before = local(qubit) + local(other)
        move(qubit, there)
        difference = local(qubit) + local(other) - before
        if difference > 0 and rng.random() >= math.exp(-difference / temperature):
            move(qubit, here)
            continue
        change += difference
        if change < least - 1e-9:
            least, best = change, tuple(placement)
    return best
