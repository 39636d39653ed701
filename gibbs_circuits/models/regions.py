"""Connected regions of a model, their reduced states, and how far two sets of them are apart: the local measure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from ..linalg.arrays import Array, Real
from ..linalg.local_maps import pauli_basis
from .graph import interacting_pairs
from .model import Model
from .spectrum import trace_distance

Region: TypeAlias = tuple[int, ...]  # sites in rising order
Sparse: TypeAlias = tuple[tuple[int, str], ...]  # a Pauli string: (site, letter) in rising order of sites, no I


def connected_regions(model: Model, size: int) -> tuple[Region, ...]:
    """All connected sets of `size` sites of the interaction graph, in order; a smaller component counts as a whole.

    Every smaller connected region lies within one of these, and its trace distance is no larger.
    """
    neighbours: dict[int, set[int]] = {site: set() for site in range(model.num_qubits)}
    for a, b in interacting_pairs(model.hamiltonian):
        neighbours[a].add(b)
        neighbours[b].add(a)
    found: set[Region] = set()
    level: set[Region] = {(site,) for site in neighbours}
    for _ in range(size - 1):
        wider = set[Region]()
        for region in level:
            outside = {near for site in region for near in neighbours[site]} - {*region}
            if not outside:
                found.add(region)
            wider |= {tuple(sorted((*region, near))) for near in outside}
        level = wider
    return tuple(sorted(found | level))


def strings_of(region: Region) -> tuple[Sparse, ...]:
    """The 4^k Pauli strings on a region, the identity first, its first site slowest."""
    letters = np.array(np.unravel_index(np.arange(4 ** len(region)), (4,) * len(region))).T
    return tuple(
        tuple((site, "IXYZ"[letter]) for site, letter in zip(region, row, strict=True) if letter) for row in letters
    )


def reduced_state(values: Real) -> Array:
    """ρ = Σ ⟨P⟩ P / 2^k of the 4^k values in the order of `strings_of`; first site slowest."""
    k = round(np.log2(values.size) / 2)
    return np.asarray(np.tensordot(values.reshape(-1), pauli_basis(k), axes=1) / 2**k)


@dataclass(frozen=True, eq=False)
class LocalStates:
    """Reduced states of regions, as Pauli expectations.

    Attributes:
        values: Of every region the 4^k expectations in the order of `strings_of`; the first is 1.
        error: How far every reduced state may be from the true one, in trace distance.
        source: What they were computed with, in a few words.
    """

    values: Mapping[Region, Real]
    error: float = 0.0
    source: str = ""

    def state(self, region: Region) -> Array:
        """The reduced density matrix, (2^k, 2^k), the region's first site slowest."""
        return reduced_state(self.values[region])


@dataclass(frozen=True, eq=False)
class LocalDistance:
    """The local measure: trace distances of reduced states over regions.

    Attributes:
        distances: Of every region.
        error: How far each may be off: those of both states together.
    """

    distances: Mapping[Region, float]
    error: float = field(default=0.0)

    @property
    def largest(self) -> float:
        """Over all regions."""
        return max(self.distances.values())

    @property
    def mean(self) -> float:
        """Over all regions."""
        return float(np.mean([*self.distances.values()]))

    @property
    def where(self) -> Region:
        """The first region with the largest distance."""
        return max(sorted(self.distances), key=lambda region: self.distances[region])

    @property
    def region(self) -> int:
        """Sites of the largest region."""
        return max(map(len, self.distances))


def local_distance(states: LocalStates, sigma: LocalStates, regions: Iterable[Region] | None = None) -> LocalDistance:
    """Trace distance ½‖ρ_R − σ_R‖₁ of every region that both know, or of those given."""
    chosen = [one for one in states.values if one in sigma.values] if regions is None else [*regions]
    found = {one: trace_distance(states.state(one), sigma.state(one)) for one in chosen}
    return LocalDistance(found, states.error + sigma.error)
