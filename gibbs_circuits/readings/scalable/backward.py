r"""Local observables of a program at any number of qubits, taken backwards through all its sweeps.

A sampler forgets, so that the bonds of what is carried stay small and everything but $c\,1$ shrinks from sweep to
sweep. Every reading is made at two cuts; nothing is given from one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest

import numpy as np

from ...errors import NotConvergedError
from ...linalg.arrays import Real
from ...linalg.local_maps import Operations
from ...models.regions import LocalStates, Region
from .cones import Cone, Sweeps, cone_of, pruned
from .factors import FRESH
from .operators import Carried, Train, Work

FINER = 10.0**0.5  # the second cut is so many times finer: it is off by half of the difference at most where errors
# fall faster than the root of the cut (measured: as its power 1 to 1.4), and costs three times as much
FRAMED = 1e-5  # cuts at which frames are tried: nothing is proved there
PLAIN = 64  # bond up to which an operator is carried without frames, which spoil the bound
FIRST_CUT, LAST_CUT = 1e-2, 1e-9
SURPLUS = 2.0  # an error is said to be so many times the difference of the two cuts
AXES = {"zero": (0, 0, 1), "one": (0, 0, -1), "plus": (1, 0, 0), "i_plus": (0, 1, 0), "mixed": (0, 0, 0)}


@dataclass(frozen=True, eq=False)
class Backwards:
    """All Pauli strings of a region before all sweeps, at one cut.

    Attributes:
        region: Sites in rising order.
        sites: Of every core of the train, along the line.
        train: The operators; see `operators`.
        cut: Hilbert–Schmidt norm that every decomposition may lose.
        spreads: After each sweep from the last one back: the norm of all operators less their constant parts.
        carried: After each of these the sites that are left, dropped ones not among them.
        peak: The largest bond met on the way.
        seconds: Nominal.
    """

    region: Region
    sites: tuple[int, ...]
    train: Carried
    cut: float
    spreads: tuple[float, ...]
    carried: tuple[frozenset[int], ...]
    peak: int
    seconds: float

    @property
    def discarded(self) -> float:
        """Sum of the norms that were cut: an estimate of how far values are off, no bound."""
        return self.train.discarded

    @property
    def bound(self) -> float:
        """Proved: the root of the summed squares of all values' errors, from any start."""
        return self.train.bound

    def values(self, start: Real) -> Real:
        """⟨P⟩ after all sweeps, (…, 4^k) in the order of `strings_of`.

        Args:
            start: Product start, (…, n, 4): of every site 1, ⟨X⟩, ⟨Y⟩ and ⟨Z⟩.
        """
        batch = start.shape[:-2]
        row = np.ones((*batch, 1, 1))
        for core, site in zip(self.train.cores, self.sites, strict=True):
            closed = np.tensordot(start[..., site, :], core, axes=(-1, 1))  # (…, l, d, r)
            row = np.einsum("...Al,...ldr->...Adr", row, closed).reshape(*batch, -1, core.shape[3])
        return self.in_order(row[..., 0])

    @property
    def constants(self) -> Real:
        """⟨P⟩ from the maximally mixed start, (4^k,) in the order of `strings_of`."""
        return self.in_order(self.along)

    @property
    def along(self) -> Real:
        """The same, letters in the order of places."""
        row = np.ones((1, 1))
        for core in self.train.cores:
            row = np.einsum("Ll,ldr->Ldr", row, core[:, 0]).reshape(-1, core.shape[3])
        return row[:, 0]

    def in_order(self, values: Real) -> Real:
        """From letters in the order of places to the order of `strings_of`; the last axis."""
        return self._permuted(values, [self._along.index(site) for site in self.region])

    def by_place(self, values: Real) -> Real:
        """The other way round."""
        return self._permuted(values, [self.region.index(site) for site in self._along])

    @property
    def _along(self) -> list[int]:
        return [site for site in self.sites if site in self.region]

    def _permuted(self, values: Real, axes: list[int]) -> Real:
        batch = values.shape[:-1]
        shaped = values.reshape(*batch, *(4,) * len(axes))
        moved = shaped.transpose(*range(len(batch)), *(len(batch) + axis for axis in axes))
        return np.asarray(moved.reshape(*batch, -1))


def product_start(num_system: int, axis: Sequence[float]) -> Real:
    """The same Bloch vector on every site, (n, 4)."""
    return np.tile(np.array([1.0, *axis]), (num_system, 1))


def backward(sweeps: Sweeps, region: Region, cut: float, seconds: float = np.inf) -> Backwards:
    """All strings of a region (or of any few sites) before all sweeps.

    Args:
        sweeps: What is performed.
        region: Sites in rising order.
        cut: Hilbert–Schmidt norm that every decomposition may lose, all strings together; that of a string is 1.
        seconds: Nominal, that it may take.
    Raises:
        NotConvergedError: If it would take longer.
    Accuracy: `discarded` adds up what was cut; `bound` is what is proved.
    Cost: some 10^-4 s and bond³ per map of the cone and sweep, bond 10 to 60 at a cut of 1e-5 where it forgets.
    """
    plain = ((operations, FRESH) for operations in sweeps.each)
    work = Work(most=seconds)
    found = _followed(sweeps, region, cut, work, plain, most=PLAIN if cut >= FRAMED else np.inf)
    if found is None:
        found = _followed(sweeps, region, cut, work, sweeps.each_framed, framed=sweeps.ancillas)
    assert found is not None  # without a limit
    return found


def _followed(
    sweeps: Sweeps, region: Region, cut: float, work: Work, each: Iterable[tuple[Operations, Real]],
    *, framed: Sequence[int] = (), most: float = np.inf,
) -> Backwards | None:  # fmt: skip
    """All strings of a region through these sweeps; None once the bond is larger than `most`."""
    place = sweeps.place
    places = [place[site] for site in region]
    train, spreads, carried = Train(places, places, cut, work, framed), list[float](), list[frozenset[int]]()
    for operations, fresh in each:
        for one in reversed(operations):
            train.apply(one, place)
            if train.most > most:
                return None
        spreads.append(train.sweep_begins(sweeps.ancillas, fresh))
        if spreads[-1] == 0.0:
            carried.append(frozenset())
            break  # constants stay what they are
        carried.append(frozenset(sweeps.line[k] for k in train.places))
    found = train.at_rest()
    sites = tuple(sweeps.line[k] for k in found.places)
    return Backwards(region, sites, found, cut, tuple(spreads), tuple(carried), train.most, work.seconds)


@dataclass(frozen=True, eq=False)
class ConeReading:
    """A region and its equals, read at two cuts.

    Attributes:
        coarse: At the coarser cut.
        fine: At the finer one, whose values count.
        cone: Of the region that was read.
        equals: The cones of all regions that are the same up to the names of qubits, itself among them.
    """

    coarse: Backwards
    fine: Backwards
    cone: Cone
    equals: tuple[Cone, ...]

    def values(self, cone: Cone, start: Real) -> tuple[Real, float]:
        """Of an equal region from its own start, and how far the two cuts are apart in trace distance at most.

        ½‖ρ − ρ'‖₁ ≤ ½ (Σ_P |⟨P⟩ − ⟨P⟩'|²)^{1/2}, since ‖X‖₁ ≤ 2^{k/2} ‖X‖₂.
        """
        there = self.start_of(cone, start)
        fine, coarse = self.fine.values(there), self.coarse.values(there)
        return fine, float(np.max(np.linalg.norm(fine - coarse, axis=-1)) / 2)

    def start_of(self, cone: Cone, start: Real) -> Real:
        """The start of an equal region's cone on the sites of the one that was read."""
        there = start.copy()
        there[..., list(self.cone.sites), :] = start[..., list(cone.sites), :]
        return there


@dataclass(frozen=True, eq=False)
class LocalReading:
    """Regions read backwards.

    Attributes:
        readings: One of every cone that differs from all others.
        tolerance: That the two cuts agree within, in trace distance.
        left_out: Regions that the budget did not reach.
    """

    readings: tuple[ConeReading, ...]
    tolerance: float
    left_out: tuple[Region, ...] = field(default=())

    @property
    def regions(self) -> tuple[Region, ...]:
        """All that are known, sorted."""
        return tuple(sorted(cone.region for one in self.readings for cone in one.equals))

    @property
    def source(self) -> str:
        """In a few words."""
        cuts = sorted({one.fine.cut for one in self.readings})
        missing = f", {len(self.left_out)} left out" if self.left_out else ""
        return (
            f"backward operators at cuts {cuts[0] * FINER:.0e} and {cuts[0]:.0e}; {len(self.readings)} cones read for "
            f"{len(self.regions)} regions{missing}"
        )

    @property
    def spreads(self) -> tuple[float, ...]:
        """After each sweep from the last one back, the largest norm over regions of the operators less constants."""
        length = max(len(one.fine.spreads) for one in self.readings)
        rows = [(*one.fine.spreads, *(0.0,) * (length - len(one.fine.spreads))) for one in self.readings]
        return tuple(float(value) for value in np.max(rows, axis=0))

    @property
    def contraction(self) -> tuple[float, ...]:
        """By what each sweep but the last one multiplies `spreads`."""
        return tuple(b / a for a, b in pairwise(self.spreads) if a > 0)

    def states(self, start: Real) -> LocalStates:
        """Reduced states of all regions from a product start, (n, 4).

        Raises:
            NotConvergedError: If the two cuts differ by more than the tolerance from this start.
        """
        values, error = dict[Region, Real](), 0.0
        for one in self.readings:
            for cone in one.equals:
                values[cone.region], apart = one.values(cone, start)
                error = max(error, SURPLUS * apart)
        if error > self.tolerance:
            raise NotConvergedError(_disagree(error, self.tolerance, self.readings[0].fine.cut))
        return LocalStates({region: values[region] for region in sorted(values)}, error, self.source)


def _disagree(error: float, tolerance: float, cut: float) -> str:
    return (
        f"Cuts of {cut * FINER:.0e} and {cut:.0e} give reduced states that differ by {error:.1e} in trace distance, "
        f"more than {tolerance:.1e}: neither is given. Fix: allow finer cuts or a larger tolerance, or shorten the "
        "random delays of the program."
    )


def read_regions(
    sweeps: Sweeps,
    regions: Iterable[Region],
    tolerance: float = 1e-3,
    *,
    starts: Sequence[Real] = (),
    seconds: float = np.inf,
    first_cut: float = FIRST_CUT,
    last_cut: float = LAST_CUT,
) -> LocalReading:
    """Every region's strings at two cuts that agree, equal cones once.

    Two cuts, one `FINER` times the other, are compared from the usual product starts and those given; where they differ
    by more than half of the tolerance, both become finer by as much.

    Args:
        sweeps: What is performed.
        regions: Of any shape; smaller ones within larger ones cost as much as they do alone.
        tolerance: Trace distance of reduced states that the error may have.
        starts: Product starts, (n, 4), beside the usual ones.
        seconds: Nominal, of all; the regions that are not reached are named.
        first_cut: The coarsest cut tried.
        last_cut: The finest one.
    Raises:
        NotConvergedError: If the cuts of the first region do not agree before the finest, or within the seconds.
    """
    left = {region: cone_of(sweeps, region) for region in regions}
    tried = np.stack([*(product_start(sweeps.num_system, axis) for axis in AXES.values()), *starts])
    found, spent, cut = list[ConeReading](), 0.0, first_cut
    while left and (not found or spent < seconds):
        region = _most_like_others(left)
        try:
            coarse, fine, cost = _agreeing(sweeps, region, tried, tolerance, (cut, last_cut), seconds - spent)
        except NotConvergedError:
            if not found:
                raise
            break  # what is left is named
        spent, cut = spent + cost, coarse.cut if not found else cut
        seen = left[region]
        both = zip_longest(coarse.carried, fine.carried, fillvalue=frozenset[int]())
        cone = pruned(sweeps, region, [a | b for a, b in both])
        equals = {region: cone}
        for other, whole in left.items():
            like = cone if other == region else pruned(sweeps, other, like=cone)
            if like.key == cone.key or whole.key == seen.key:
                equals[other] = like
        found.append(ConeReading(coarse, fine, cone, tuple(equals.values())))
        left = {other: whole for other, whole in left.items() if other not in equals}
    return LocalReading(tuple(found), tolerance, tuple(sorted(left)))


def _most_like_others(left: Mapping[Region, Cone]) -> Region:
    """The first region of the largest group whose cones are equal to the last map."""
    groups: dict[bytes, list[Region]] = {}
    for region, cone in left.items():
        groups.setdefault(cone.key, []).append(region)
    return max(groups.values(), key=len)[0]


def _agreeing(
    sweeps: Sweeps, region: Region, starts: Real, tolerance: float, cuts: tuple[float, float], seconds: float
) -> tuple[Backwards, Backwards, float]:
    """The region at the first two cuts that agree, and the nominal seconds of all."""
    cut, last_cut = cuts
    coarse = backward(sweeps, region, cut, seconds)
    spent = coarse.seconds
    while True:
        fine = backward(sweeps, region, coarse.cut / FINER, seconds - spent)
        spent += fine.seconds
        apart = np.linalg.norm(fine.values(starts) - coarse.values(starts), axis=-1) / 2
        error = SURPLUS * float(np.max(apart))
        if error <= tolerance / 2:
            return coarse, fine, spent
        if fine.cut <= last_cut * FINER**0.5:
            raise NotConvergedError(_disagree(error, tolerance, fine.cut))
        coarse = fine
