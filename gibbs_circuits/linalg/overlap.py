"""Which Pauli strings anticommute, looked for only among those that share a site: linear for local Hamiltonians."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

_X = str.maketrans("IXYZ", "0110")
_Z = str.maketrans("IXYZ", "0011")


class Overlaps:
    r"""Pauli strings of one width, found again by the sites they act on.

    Two strings anticommute where $x_1\cdot z_2 + z_1\cdot x_2$ is odd; strings without a common site commute.

    Args:
        labels: Strings, the rightmost letter on qubit 0.
    """

    def __init__(self, labels: Iterable[str] = ()) -> None:
        self._bits: list[tuple[int, int]] = []
        self._at: defaultdict[int, list[int]] = defaultdict(list)
        for label in labels:
            self.add(label)

    def add(self, label: str) -> None:
        """One string more, whatever it commutes with."""
        for site in _support(label):
            self._at[site].append(len(self._bits))
        self._bits.append(_bits(label))

    def anticommuting(self, label: str) -> list[int]:
        """Positions, in order, of the strings that anticommute with this one; O(strings that share a site)."""
        x, z = _bits(label)
        near = {k for site in _support(label) for k in self._at.get(site, ())}
        return sorted(k for k in near if _odd(x, z, *self._bits[k]))

    def commutes(self, label: str) -> bool:
        """Whether every string commutes with this one."""
        x, z = _bits(label)
        near = {k for site in _support(label) for k in self._at.get(site, ())}
        return not any(_odd(x, z, *self._bits[k]) for k in near)


def all_commute(labels: Iterable[str]) -> bool:
    """Whether strings commute with each other."""
    known = Overlaps()
    for label in labels:
        if not known.commutes(label):
            return False
        known.add(label)
    return True


def _support(label: str) -> list[int]:
    return [site for site, letter in enumerate(label) if letter != "I"]


def _bits(label: str) -> tuple[int, int]:
    return int(label.translate(_X) or "0", 2), int(label.translate(_Z) or "0", 2)


def _odd(x: int, z: int, other_x: int, other_z: int) -> bool:
    return bool(((x & other_z).bit_count() + (z & other_x).bit_count()) % 2)
