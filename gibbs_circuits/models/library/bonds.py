"""Lattices by name: how many sites they have, and which of them interact. Open unless `periodic`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any

from ...errors import ArgumentError, check_integer, shown
from ...limits import MAX_SITES

Bond = tuple[int, int]


@dataclass(frozen=True)
class Lattice:
    """Sites 0 … n − 1 and the pairs of them that interact.

    Attributes:
        name: Of its kind, as in `[model] lattice`.
        num_sites: n.
        bonds: In the order in which a list of couplings, one per bond, is read.
    """

    name: str
    num_sites: int
    bonds: tuple[Bond, ...]


def chain(sites: int = 4, periodic: bool = False) -> Lattice:
    """A line of sites, bonds (0, 1), (1, 2), …; the one that closes a ring is last."""
    n = check_integer("sites", sites, low=1, high=MAX_SITES)
    check_periodic(periodic, "sites", n, 3)
    return Lattice("chain", n, tuple((i, i + 1) for i in range(n - 1)) + (((n - 1, 0),) if periodic else ()))


def ladder(rungs: int = 4, periodic: bool = False) -> Lattice:
    """Two chains side by side, 2 · rungs sites: site 2r and 2r + 1 are rung r; bonds in rising order."""
    n = check_integer("rungs", rungs, low=1, high=MAX_SITES // 2)
    check_periodic(periodic, "rungs", n, 3)
    along = [(r, (r + 1) % n) for r in range(n if periodic else n - 1)]
    bonds = [(2 * r, 2 * r + 1) for r in range(n)] + [(2 * a + leg, 2 * b + leg) for a, b in along for leg in (0, 1)]
    return Lattice("ladder", 2 * n, _ordered(bonds))


def square(columns: int = 3, rows: int = 3, periodic: bool = False) -> Lattice:
    """A rectangle of columns × rows sites, site x · rows + y in column x and row y; bonds in rising order.

    `periodic` is a torus. Fewer rows than columns keep neighbours near in the order of the sites.
    """
    most = MAX_SITES
    nx, ny = check_integer("columns", columns, low=1, high=most), check_integer("rows", rows, low=1, high=most)
    _check_size("columns", nx * ny, f"columns = {nx}, rows = {ny}")
    check_periodic(periodic, "columns" if nx <= ny else "rows", min(nx, ny), 3)
    bonds = [(x * ny + y, (x + 1) % nx * ny + y) for x in range(nx if periodic else nx - 1) for y in range(ny)]
    bonds += [(x * ny + y, x * ny + (y + 1) % ny) for x in range(nx) for y in range(ny if periodic else ny - 1)]
    return Lattice("square", nx * ny, _ordered(bonds))


def heavy_hex(columns: int = 2, rows: int = 1) -> Lattice:
    """Columns × rows hexagons of 12 sites each that share their sides, as on IBM's processors.

    A site on every corner of a honeycomb and on the middle of every side: of R rows of C hexagons
    $2(R+1)(C+1) - 2$ corners and $3RC + 2R + 2C - 1$ sides. Sites are numbered from left to right, column by column, so
    that few rows keep neighbours near; bonds in rising order.
    """
    most = MAX_SITES
    C, R = check_integer("columns", columns, low=1, high=most), check_integer("rows", rows, low=1, high=most)
    sides = 3 * R * C + 2 * R + 2 * C - 1
    _check_size("columns", 2 * (R + 1) * (C + 1) - 2 + sides, f"columns = {C}, rows = {R}")
    # a brick wall: line y of bricks is R + 1 lines of corners, row r lies between lines r and r + 1, shifted by r
    corners = {(x, y) for r in range(R) for c in range(C) for y in (r, r + 1) for x in range(2 * c + r, 2 * c + r + 3)}
    across = [((x, y), (x + 1, y)) for x, y in corners if (x + 1, y) in corners]
    up = [((x, y), (x, y + 1)) for x, y in corners if (x, y + 1) in corners and (x + y) % 2 == 0]
    middle = {side: ((side[0][0] + side[1][0]) / 2, (side[0][1] + side[1][1]) / 2) for side in (*across, *up)}
    number = {place: k for k, place in enumerate(sorted({*corners, *middle.values()}))}
    return Lattice("heavy_hex", len(number), _ordered((number[middle[s]], number[end]) for s in middle for end in s))


LATTICES: dict[str, Callable[..., Lattice]] = {
    "chain": chain,
    "ladder": ladder,
    "square": square,
    "heavy_hex": heavy_hex,
}


def lattice_keys(kind: Callable[..., Lattice]) -> Mapping[str, Parameter]:
    """What sets the size of a kind of lattice, with the defaults."""
    return signature(kind).parameters


def as_lattice(sites: int | Lattice, periodic: object) -> Lattice:
    """A chain of so many sites, or the lattice itself, which says by itself whether it is closed.

    Raises:
        ArgumentError: If `sites` is neither, or `periodic` is set beside a lattice.
    """
    if not isinstance(sites, Lattice):
        return chain(sites, periodic)  # type: ignore[arg-type]  # which judges it
    if periodic is not False:
        raise ArgumentError(
            "periodic", "be left out beside a lattice", f"{shown(periodic)} was found", f"pass it to {sites.name}(…)"
        )
    return sites


def check_periodic(periodic: object, key: str, length: int, least: int) -> None:
    """Refuse a ring on which no bond closes: the key would be without effect."""
    if not isinstance(periodic, bool):
        meant = "true" if shown(periodic).strip("'").lower() in ("1", "1.0", "true", "yes") else "false"
        raise ArgumentError("periodic", "be true or false", f"{shown(periodic)} was found", f"set periodic = {meant}")
    if periodic and length < least:
        raise ArgumentError(
            "periodic", f"be false below {key} = {least}, where no further bond closes a ring",
            f"it is true with {key} = {length}", f"set {key} = {least}, or periodic = false",
        )  # fmt: skip


def _check_size(key: str, sites: int, found: str) -> None:
    if sites > MAX_SITES:
        raise ArgumentError(key, f"give at most {MAX_SITES} sites", f"{found} are {sites}", f"set a smaller {key}")


def _ordered(bonds: Any) -> tuple[Bond, ...]:
    return tuple(sorted((min(bond), max(bond)) for bond in bonds))
