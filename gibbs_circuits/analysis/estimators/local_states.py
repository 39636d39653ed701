"""What is known of a run region by region: reduced states of the program and of the Gibbs state, and their distance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ...errors import ArgumentError, NotConvergedError, TooLargeError
from ...exact.references.base import ExactAnswer
from ...exact.references.local import local_states
from ...linalg.arrays import Array
from ...linalg.local_maps import pauli_basis
from ...models.graph import site_distances
from ...models.model import Model
from ...models.regions import LocalDistance, LocalStates, Region, local_distance
from ...programs.initial_state import InitialState
from ...programs.program import Program
from ...readings.scalable.chosen import FORWARDS, SECONDS, NoReading
from ...readings.scalable.expectations import states_of

FARTHEST = 8  # distance of the last pair of a two-point function
Paired = tuple[Region, ...]


@dataclass(frozen=True, eq=False)
class LocalResult:
    """A program's reduced states held against those of the Gibbs state.

    Attributes:
        states: After all sweeps from the run's own start.
        sigma: Of the Gibbs state.
        reference: What knows the latter.
    """

    states: LocalStates
    sigma: LocalStates
    reference: str

    @property
    def distance(self) -> LocalDistance:
        """Trace distances of all regions."""
        return local_distance(self.states, self.sigma)


def read_states(
    program: Program, start: InitialState, regions: Iterable[Region], rho: Array | None, source: str,
    seconds: float = SECONDS,
) -> LocalStates | NoReading:  # fmt: skip
    """Reduced states of a program: of its state where that is a matrix, else by the reading that its size allows.

    Args:
        program: What ran.
        start: Its start.
        regions: Sets of sites.
        rho: The state after all sweeps, (2**n, 2**n); None where it is not known.
        source: What that comes from.
        seconds: Nominal, of each reading that is tried.
    """
    if rho is not None:
        return of_density(rho, regions, source)
    try:
        return states_of(program, start, regions, loosest=FORWARDS, seconds=seconds)
    except (ArgumentError, NotConvergedError, TooLargeError) as error:
        return NoReading(str(error))


def of_density(rho: Array, regions: Iterable[Region], source: str = "") -> LocalStates:
    """Reduced states of a density matrix whose rows count qubit 0 fastest."""
    n = round(np.log2(len(rho)))
    axes = np.asarray(rho).reshape((2,) * 2 * n)
    values = {}
    for region in regions:
        k = len(region)
        kept = [n - 1 - site for site in region]
        traced = [axis for axis in range(n) if axis not in kept]
        ordered = axes.transpose(*kept, *traced, *(n + a for a in kept), *(n + a for a in traced))
        reduced = np.einsum("atbt->ab", ordered.reshape(2**k, 2 ** (n - k), 2**k, 2 ** (n - k)))
        values[region] = np.real(np.einsum("pij,ji->p", pauli_basis(k), reduced))
    return LocalStates(values, 0.0, source)


def held_against(
    states: LocalStates | NoReading, answer: ExactAnswer | None, reference: str, without: str
) -> LocalResult | NoReading:
    """States with those of the Gibbs state beside them; `without` says why no reference knows it."""
    if isinstance(states, NoReading):
        return states
    if answer is None:
        return NoReading(without)
    try:
        return LocalResult(states, local_states(answer, states.values, reference), reference)
    except TooLargeError as error:
        return NoReading(str(error))


def pairs_by_distance(model: Model) -> tuple[tuple[int, Region], ...]:
    """One pair of sites for each distance on the interaction graph up to `FARTHEST`, from a site in its middle."""
    apart = site_distances(model)
    reached = np.where(apart < model.num_qubits, apart, -1)
    sizes = (reached >= 0).sum(axis=1)
    middle = int(min(np.flatnonzero(sizes == sizes.max()), key=lambda q: (reached[q].max(), q)))
    found = []
    for distance in range(1, min(FARTHEST, int(reached[middle].max())) + 1):
        there = np.flatnonzero(apart[middle] == distance)
        other = int(there[-1])  # the later sites: a straight line of a chain
        found.append((distance, (min(middle, other), max(middle, other))))
    return tuple(found)
