"""Seats for the sites of a chain along a path of a lattice, each with its ancilla beside it: a search over patterns.

A site on a wire with three neighbours has its ancilla on the one beside the path and never moves (a *fixed* seat). A
site elsewhere shares two wires of the path with its ancilla and changes places with it (a *turning* seat), so that it
meets one neighbour in one place and the other in the other. Wires left free between two seats are in |0⟩ and carry
what one site has for the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .swapping import Lattice

KEPT, ALIKE = 64, 4  # unfinished tracks of as many sites that are carried on, and those of them that end on one wire
CROWDING = (0.02, 0.15, 0.3, 1.0)  # what a wire in use or cut off counts, in gaps: from roomy to dense
STARTS = 12  # wires that tracks begin on, those with the fewest neighbours


@dataclass(frozen=True)
class Seat:
    """Wires of one site and its ancilla.

    Attributes:
        path: Along the path: one wire, or two.
        aside: Of the ancilla beside the path; None if it is on the path, or there is none.
    """

    path: tuple[int, ...]
    aside: int | None = None

    @property
    def turns(self) -> bool:
        """Whether site and ancilla share two wires of the path."""
        return len(self.path) == 2

    @property
    def wires(self) -> tuple[int, ...]:
        """All of them."""
        return self.path if self.aside is None else (*self.path, self.aside)


@dataclass(frozen=True)
class Track:
    """Seats in the order of a chain.

    Attributes:
        seats: One per site.
        gaps: Free wires between a seat and the next.
    """

    seats: tuple[Seat, ...]
    gaps: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Prices:
    """Two-qubit gates per sweep: of a site that turns between its two neighbours, and of a free wire between two."""

    turning: float
    gap: float


@dataclass(frozen=True)
class Chain:
    """Sites in a line, each with one ancilla or none.

    Attributes:
        sites: In the order of the line.
        ancillas: Of every site in this order; None where it has none.
    """

    sites: tuple[int, ...]
    ancillas: tuple[int | None, ...]

    @staticmethod
    def of(pairs: Iterable[tuple[int, ...]], num_system: int, num_qubits: int) -> Chain | None:
        """The chain that pairs of qubits make; None if they make none, or leave a site or an ancilla out."""
        near: dict[int, set[int]] = {q: set() for q in range(num_system)}
        own: dict[int, int] = {}
        for pair in pairs:
            if len(pair) > 2:
                return None
            a, b = sorted(pair)
            if b < num_system:
                near[a].add(b)
                near[b].add(a)
            elif a >= num_system or own.get(b, a) != a:
                return None
            else:
                own[b] = a
        of = {site: ancilla for ancilla, site in own.items()}
        ends = [site for site, others in near.items() if len(others) == 1]
        if len(of) < len(own) or len(own) < num_qubits - num_system or len(ends) != 2:
            return None
        sites = [min(ends)]
        while fresh := near[sites[-1]] - set(sites[-2:]):
            if len(fresh) > 1:
                return None
            sites.append(fresh.pop())
        if len(sites) < num_system:
            return None
        return Chain(tuple(sites), tuple(of.get(site) for site in sites))


@dataclass(frozen=True, eq=False)
class Layout:
    """A chain on a track.

    Attributes:
        chain, track: Which seat is whose: the k-th is that of the k-th site.
        forward: Of every seat whether its site begins on the last wire of its path.
    """

    chain: Chain
    track: Track
    forward: tuple[bool, ...]

    @staticmethod
    def of(chain: Chain, track: Track, first: bool) -> Layout:
        """Neighbours on turning seats begin turned to or from each other; at the ends to the chain.

        Args:
            chain: Of the program.
            track: As long.
            first: Whether the first of a row of turning seats begins turned forward.
        """
        forward, now, last = list[bool](), first, len(track.seats) - 1
        for k, seat in enumerate(track.seats):
            now = not now if k and seat.turns and track.seats[k - 1].turns else first
            forward.append(seat.turns and (k == 0 or (now and k < last)))
        return Layout(chain, track, tuple(forward))

    def placement(self, num_qubits: int) -> tuple[int, ...]:
        """Wire of every qubit of the program."""
        wires = dict[int, int]()
        rows = zip(self.chain.sites, self.chain.ancillas, self.track.seats, self.forward, strict=True)
        for site, ancilla, seat, forward in rows:
            wires[site] = seat.path[-1] if forward else seat.path[0]
            if ancilla is not None:
                other = seat.path[0] if forward else seat.path[-1]
                wires[ancilla] = other if seat.aside is None else seat.aside
        return tuple(wires[qubit] for qubit in range(num_qubits))


@dataclass(frozen=True)
class _Begun:
    """A track of the first sites; `head` is the path's last wire, `used` has one bit per wire."""

    seats: tuple[Seat, ...]
    gaps: tuple[tuple[int, ...], ...]
    head: int
    used: int
    cost: float


def tracks(lattice: Lattice, ancillas: Sequence[bool], prices: Prices) -> Iterator[Track]:
    """Tracks for a chain, one per idea of how dear room is; none where the lattice has no such path.

    Args:
        lattice: Where.
        ancillas: Of every site, in the order of the chain, whether it has one.
        prices: What seats cost.

    Cost: some ten thousand flood fills of the lattice each, about a second for 60 sites on 156 wires.
    """
    near = [sum(1 << v for v in row) for row in lattice.neighbours]
    for crowding in CROWDING:
        found = _grown(lattice, near, ancillas, prices, crowding)
        if found is not None:
            yield Track(found.seats, found.gaps)


def _grown(
    lattice: Lattice, near: Sequence[int], ancillas: Sequence[bool], prices: Prices, crowding: float
) -> _Begun | None:
    """The cheapest track found by adding seat after seat, many unfinished ones side by side."""
    size, count = len(near), len(ancillas)
    wires = sorted(range(size), key=lambda wire: (len(lattice.neighbours[wire]), wire))[:STARTS]
    begun = [one for wire in wires for one in _seated(lattice, None, wire, ancillas[0], ends=True, prices=prices)]
    for k in range(1, count):
        ranked = dict[tuple[int, int], tuple[float, _Begun]]()
        left = sum(1 + has for has in ancillas[k + 1 :])
        for one in begun:
            for longer in _longer(lattice, one, ancillas[k], ends=k == count - 1, prices=prices):
                known = ranked.get((longer.head, longer.used))
                if known is not None and known[1].cost <= longer.cost:
                    continue
                free = _reached(near, longer.head, longer.used)
                if free.bit_count() < left:
                    continue
                lost = size - free.bit_count() + _dead_ends(near, longer.head, free)
                ranked[longer.head, longer.used] = (longer.cost + crowding * prices.gap * lost, longer)
        begun = _varied(one for _, one in sorted(ranked.values(), key=lambda pair: (pair[0], pair[1].used)))
        if not begun:
            return None
    return min(begun, key=lambda one: (one.cost, one.used.bit_count(), one.used))


def _varied(ranked: Iterable[_Begun]) -> list[_Begun]:
    """The first, but few that end on one wire: tracks alike run into the same corner."""
    found, ends = list[_Begun](), Counter[int]()
    for one in ranked:
        if ends[one.head] < ALIKE and len(found) < KEPT:
            ends[one.head] += 1
            found.append(one)
    return found


def _dead_ends(near: Sequence[int], head: int, free: int) -> int:
    """How many of the free wires a path from `head` could enter and not leave."""
    count, rest, open_ = 0, free, free | 1 << head
    while rest:
        wire = rest.bit_length() - 1
        rest &= ~(1 << wire)
        count += (near[wire] & open_).bit_count() < 2
    return count


def _longer(lattice: Lattice, one: _Begun, has: bool, *, ends: bool, prices: Prices) -> Iterator[_Begun]:
    """The next site right behind the last, or behind a free wire."""
    for wire in lattice.neighbours[one.head]:
        if one.used >> wire & 1:
            continue
        yield from _seated(lattice, one, wire, has, ends=ends, prices=prices)
        if has and not ends:
            gapped = _Begun(one.seats, one.gaps, wire, one.used | 1 << wire, one.cost + prices.gap)
            for further in lattice.neighbours[wire]:
                if not gapped.used >> further & 1:
                    yield from _seated(lattice, gapped, further, has, ends=ends, prices=prices, gap=(wire,), fixed=True)


def _seated(
    lattice: Lattice,
    one: _Begun | None,
    wire: int,
    has: bool,
    *,
    ends: bool,
    prices: Prices,
    gap: tuple[int, ...] = (),
    fixed: bool = False,
) -> Iterator[_Begun]:
    """Every seat that begins on a wire; at an end of the chain a turning one has only one neighbour to meet."""
    seats, gaps, used, cost = ((), (), 0, 0.0) if one is None else (one.seats, one.gaps, one.used, one.cost)
    gaps = gaps if one is None else (*gaps, gap)
    used |= 1 << wire

    def with_seat(seat: Seat, head: int, more: int, price: float) -> _Begun:
        return _Begun((*seats, seat), gaps, head, used | more, cost + price)

    if not has:
        yield with_seat(Seat((wire,)), wire, 0, 0.0)
        return
    free = [v for v in lattice.neighbours[wire] if not used >> v & 1]
    for v in free:
        yield with_seat(Seat((wire,), v), wire, 1 << v, 0.0)
        if not fixed:
            yield with_seat(Seat((wire, v)), v, 1 << v, 0.0 if ends else prices.turning)


def _reached(near: Sequence[int], head: int, used: int) -> int:
    """The free wires that a path from a wire can reach, one bit each."""
    found = fresh = near[head] & ~used
    while fresh:
        wire = fresh.bit_length() - 1
        fresh &= ~(1 << wire)
        more = near[wire] & ~used & ~found
        found |= more
        fresh |= more
    return found
