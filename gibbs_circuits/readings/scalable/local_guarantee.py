"""What a program may claim at any number of qubits: reduced states of regions, from its own start and from any."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ...evidence import Status, number
from ...io.rendering import Shown
from ...linalg.arrays import Real
from ...models.graph import interacting_pairs
from ...models.model import Model
from ...models.regions import LocalDistance, LocalStates, Region, connected_regions, local_distance
from ..channel.guarantee import LOCAL, Promise, promised
from .backward import ConeReading, LocalReading, read_regions
from .cones import Cone, Sweeps
from .worst_local import WorstLocal, worst_local

SAME = 1e-4  # trace distance within which σ's reduced states of equal regions count as one, the difference added
AROUND = 3  # sites of its surroundings by which a region is told from others
DIGITS = 9  # of coefficients that are compared


@dataclass(frozen=True, eq=False, repr=False)
class LocalPrediction(Shown):
    """A program read backwards and held against σ, region by region.

    Attributes:
        given: Distances from the given start; None without one.
        mixed: From the maximally mixed start.
        worst: Of every region what the search over starts found, and its bound.
        error: In trace distance, of every distance: what two cuts differ by, and σ's own error.
        reading: The regions that were read, the cuts, and those left out.
    """

    given: LocalDistance | None
    mixed: LocalDistance
    worst: Mapping[Region, WorstLocal]
    error: float
    reading: LocalReading

    @property
    def largest(self) -> float:
        """The largest distance over regions from the worst start found."""
        return max(one.distance for one in self.worst.values())

    @property
    def where(self) -> Region:
        """The first region with the largest distance."""
        return max(sorted(self.worst), key=lambda region: self.worst[region].distance)

    @property
    def bound(self) -> float | None:
        """Proved for every start and every region read, σ's error included; None if it says nothing."""
        bound = max(one.bound for one in self.worst.values()) + self.error
        return bound if bound < 1 else None

    @property
    def without_cuts(self) -> float:
        """The bound if nothing had been cut: no proof, but what a proof could reach."""
        return max(one.without_cuts for one in self.worst.values())

    @property
    def contraction(self) -> tuple[float, ...]:
        """By what a sweep multiplies what is not yet forgotten, from the last sweep back."""
        return self.reading.contraction

    def promise(self, target_error: float, *, preparation: bool = False) -> Promise:
        """What it entitles the program to claim, errors of the reading and of σ added to what was measured.

        The fixed point of all sweeps together is the image of a start, so that what holds for all starts holds for it.
        """
        worst = self.largest + self.error
        return promised(
            target_error,
            given=None if self.given is None else self.given.largest + self.error,
            fixed_point=max(self.mixed.largest + self.error, 0.0),
            worst=worst,
            bound=self.bound,
            preparation=preparation,
            measure=LOCAL,
        )

    def _in_words(self) -> str:
        own = "" if self.given is None else f"from its start {number(self.given.largest)}, "
        bound = "none below 1" if self.bound is None else number(self.bound)
        return (
            f"{type(self).__name__}(largest distance of a region: {own}worst start found {number(self.largest)}, "
            f"proved bound {bound}, each ± {number(self.error)}; {self.reading.source})"
        )

    @property
    def status(self) -> Status:
        """How it is known: a search over starts measures; what proves is in `promise`."""
        return Status.MEASURED


def local_prediction(
    sweeps: Sweeps,
    sigma: LocalStates,
    start: Real | None,
    tolerance: float = 1e-3,
    *,
    regions: Iterable[Region] | None = None,
    seconds: float = math.inf,
    seed: int = 0,
    reading: LocalReading | None = None,
) -> LocalPrediction:
    """Read regions backwards and search the worst start of each.

    Args:
        sweeps: What is performed.
        sigma: Reduced Gibbs states; its regions are read unless others are given, which it must know.
        start: Product start, (n, 4); None reads none.
        tolerance: Trace distance to which two cuts must agree, from every usual start.
        regions: Of 2 and 3 sites as a rule; see `telling_regions`.
        seconds: Nominal, of the readings; regions beyond are left out and named.
        seed: Of random starts.
        reading: Of these regions, where it was made already.
    Raises:
        NotConvergedError: If the cuts do not agree.
    Accuracy: `error` of every distance; worst starts are found by a local search.
    Cost: of `read_regions`, and a fraction of a second for every region whose σ differs.
    """
    chosen = [*sigma.values] if regions is None else [*regions]
    if reading is None:
        reading = read_regions(sweeps, chosen, tolerance, seconds=seconds, starts=() if start is None else (start,))
    mixed = np.zeros((sweeps.num_system, 4))
    mixed[:, 0] = 1
    rng, worst, apart = np.random.default_rng(seed), dict[Region, WorstLocal](), 0.0
    for one in reading.readings:
        for region, found in _worst_of(one, sigma, sweeps.num_system, rng):
            worst[region] = found
            # the two cuts are compared at the worst start too
            apart = max(apart, one.values(_named(one, region), _moved(one, region, found.start))[1])
    states = reading.states(mixed)
    given = None if start is None else local_distance(reading.states(start), sigma)
    return LocalPrediction(
        given,
        local_distance(states, sigma),
        worst,
        max(states.error, 2 * apart) + sigma.error,
        reading,
    )


def _named(one: ConeReading, region: Region) -> Cone:
    return next(cone for cone in one.equals if cone.region == region)


def _moved(one: ConeReading, region: Region, start: Real) -> Real:
    """A start of the cone that was read on the sites of an equal region's."""
    cone = _named(one, region)
    there = start.copy()
    there[list(cone.sites)] = start[list(one.cone.sites)]
    return there


def _worst_of(
    one: ConeReading, sigma: LocalStates, num_system: int, rng: np.random.Generator
) -> Iterable[tuple[Region, WorstLocal]]:
    """Of every equal region; those whose σ is the same up to `SAME` take over what was found, and the difference."""
    known = list[tuple[Real, WorstLocal]]()
    for cone in one.equals:
        values = sigma.values[cone.region]
        near = [(float(np.linalg.norm(values - other)) / 2, found) for other, found in known]
        off, found = min(near, key=lambda pair: pair[0], default=(math.inf, None))
        if found is None or off > SAME:
            found, off = worst_local(one.fine, values, num_system, rng), 0.0
            known.append((values, found))
        yield cone.region, found.farther(off)


def telling_regions(model: Model, size: int = 3, around: int = AROUND) -> tuple[Region, ...]:
    """One connected region of each kind: kinds differ in H's terms up to so many sites around them.

    Smaller regions lie within these. Where fields or couplings vary from site to site every region is its own kind.
    """
    n = model.num_qubits
    near: dict[int, set[int]] = {q: set() for q in range(n)}
    for a, b in interacting_pairs(model.hamiltonian):
        near[a].add(b)
        near[b].add(a)
    terms = [({q for q, x in enumerate(reversed(label)) if x != "I"}, label, c) for label, c in model.terms]
    kinds: dict[object, Region] = {}
    for region in connected_regions(model, size):
        ball, edge = {*region}, {*region}
        for _ in range(around):
            edge = {q for site in edge for q in near[site]} - ball
            ball |= edge
        order = sorted(ball)
        inside = [
            ("".join(label[n - 1 - q] for q in order), round(c, DIGITS)) for acts, label, c in terms if acts <= ball
        ]
        cut_off = tuple(len(near[q] - ball) for q in order)
        kinds.setdefault((tuple(order.index(q) for q in region), cut_off, tuple(sorted(inside))), region)
    return tuple(sorted(kinds.values()))
