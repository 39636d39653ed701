"""Jumps as symbols with a time kernel, and the walk over the nodes of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import ceil
from types import MappingProxyType

import numpy as np

from ...errors import ArgumentError
from ...generators.filters.base import Filter
from ...generators.kernels.base import Kernel, TimeFactors
from ...generators.lindbladian import Generator
from ...limits import MAX_DIAGONALISED
from ...linalg.arrays import Array, Real, read_only
from ...linalg.paulis import Term
from ...models.model import bandwidth
from ...models.spectrum import spectrum
from ...programs.steps import Evolve
from .quadrature import Nodes, uniform_nodes

TINY = 1e-9


@dataclass(frozen=True)
class SymbolicJump:
    """A jump √w Σ_ν f̂(ν) A_ν: the coupling's terms, the weight and the filter."""

    terms: tuple[Term, ...]
    weight: float
    filter: Filter

    @cached_property
    def support(self) -> frozenset[int]:
        """Positions in the label where the coupling acts."""
        return frozenset(i for label, _ in self.terms for i, letter in enumerate(label) if letter != "I")

    @property
    def key(self) -> tuple[Filter, float]:
        """What jumps of different couplings may share."""
        return self.filter, self.weight

    def nodes(self, count: int, spacing: float) -> Nodes:
        """The jump on a grid, the weight included."""
        grid = uniform_nodes(self.filter, count, spacing)
        return Nodes(grid.times, read_only(np.sqrt(self.weight) * grid.weights))


def symbolic_jumps(generator: Generator, resolution: float | None = None) -> list[SymbolicJump]:
    """One jump per coupling and factor of its kernel, all of them with time kernels; B is not among them.

    Args:
        generator: A Lindbladian with positive kernels; of a discrete channel the Lindbladian inside.
        resolution: Width in energy of Davies' jumps; None takes `default_resolution`.

    Raises:
        ArgumentError: If a kernel is not positive, or a resolution is given that no kernel uses.
        TooLargeError: If a kernel has more than 2000 factors.
    """
    factors = kernel_factors(generator, resolution)
    jumps = [
        SymbolicJump(tuple((label, float(c.real)) for label, c in contact.coupling.to_list()), weight, filter)
        for contact in generator.contacts
        for weight, filter in factors[contact.kernel].factors
    ]
    if not jumps:
        kind, betas = generator.lindbladian.kind, ", ".join(f"{beta:g}" for beta in generator.betas)
        raise ArgumentError(
            "kind", "have rates that are numbers at the Bohr frequencies of H to become a circuit",
            f"all of {kind} underflow at β = {betas}", "choose a smaller β",
        )  # fmt: skip
    return jumps


@lru_cache(maxsize=16)
def kernel_factors(generator: Generator, resolution: float | None = None) -> Mapping[Kernel, TimeFactors]:
    """Factors of every kernel of a generator, computed once each; errors as for `symbolic_jumps`."""
    lindbladian = generator.lindbladian
    kernels = dict.fromkeys(contact.kernel for contact in lindbladian.contacts)
    if resolution is not None and not any(kernel.secular for kernel in kernels):
        raise ArgumentError(
            "resolution", "be left out unless kind = davies", f"it is unused by {lindbladian.kind}",
            "remove resolution",
        )  # fmt: skip
    model = lindbladian.bohr_model
    known = model.num_qubits <= MAX_DIAGONALISED
    edge = 2 * bandwidth(model)  # >= max |ν|
    nu = np.array([-edge, 0.0, edge])
    if known and not all(kernel.rank_one for kernel in kernels):
        nu = spectrum(model).bohr_frequencies
    return MappingProxyType({k: k.time_factors(nu, resolution, complete=known) for k in kernels})


def widest(jumps: Sequence[SymbolicJump]) -> float:
    """The longest time that a filter lasts: what the number of nodes must cover; 0 when all are δ functions."""
    return max(jump.filter.width for jump in jumps)


def on_grid(jumps: Sequence[SymbolicJump], count: int, spacing: float, nu: Real) -> dict[tuple[Filter, float], Array]:
    """What the grid makes of √w f̂(ν), once per distinct filter and weight."""
    times = (np.arange(count) - (count - 1) / 2) * spacing
    waves = np.exp(1j * np.asarray(nu)[..., None] * times)
    found = {}
    for jump in {jump.key: jump for jump in jumps}.values():
        grid = jump.nodes(count, spacing)
        found[jump.key] = waves @ grid.weights if jump.filter.width > 0 else grid.frequency(nu)
    return found


def span(jumps: Sequence[SymbolicJump], count: int, spacing: float) -> float:
    """How long a pass lasts, from the first node to the last; 0 when all filters are δ functions."""
    return (count - 1) * spacing if widest(jumps) > 0 else 0.0


def walk(grid: Nodes, length: float, unit: Evolve, *, palindromic: bool, back: bool) -> Iterator[Evolve | Node]:
    """Nodes in order of time with the evolution between, in a frame that begins at −length/2 whatever the grid.

    Args:
        grid: Times within ±length/2.
        length: Of the pass.
        unit: Evolution by one spacing.
        palindromic: Half of every node but the last on the way there, half on the way back.
        back: Whether the pass ends where it began, or at +length/2.
    """
    stops = [Node(l, 1.0) for l in range(len(grid.times))]
    if palindromic:
        half = [Node(node.index, 0.5) for node in stops[:-1]]
        stops = [*half, stops[-1], *reversed(half)]
    at = -length / 2
    for node in stops:
        time = float(grid.times[node.index])
        yield from moved(time - at, unit)
        yield node
        at = time
    yield from moved((-length / 2 if back else length / 2) - at, unit)


@dataclass(frozen=True)
class Node:
    """A share of one node of a grid."""

    index: int
    share: float


def moved(duration: float, unit: Evolve) -> Iterator[Evolve]:
    """Evolution by any number of spacings, forward or back; none where no time passes."""
    slices = abs(duration) / unit.duration
    if slices > TINY:
        exact = round(duration / unit.duration) * unit.duration
        near = abs(duration - exact) <= TINY * unit.duration
        yield replace(unit, duration=exact if near else duration, slices=max(1, ceil(slices - TINY)))
