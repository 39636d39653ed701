"""After how many sweeps the worst start is near enough, counted on a growing pool of bad starts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from ...evidence import Status
from ...linalg.arrays import Array, Real
from ...linalg.maps import Matrix
from ...models.spectrum import trace_distance
from .paths import Powers, leaps
from .worst_start import climb

FOLLOWED_DENSE = 500  # sweeps beyond the run that are still performed, where a sweep is a matrix
KEPT, LARGEST = 8, 32  # of the worst states that a search finds, those that join the pool, and how many it holds
SEARCHES = 20  # of one count at most; each that finds a worse start only ever adds sweeps
Stages = Sequence[tuple[Array, int]]  # matrices on column-stacked density matrices, and how often each is repeated


class Pool:
    """Pure starts that end far from σ, and a search for worse ones.

    Args:
        sigma: The Gibbs state.
        tried: States that every search begins with, one per row: `tried_starts`.
        states: The first of the pool.
    """

    def __init__(self, sigma: Array, tried: Array, states: Array | None = None) -> None:
        self.sigma, self.tried = sigma, tried
        self.states = tried[:LARGEST] if states is None else states

    @property
    def columns(self) -> Array:
        """Their density matrices as column-stacked vectors, (d², starts)."""
        transposed = self.states[:, None, :] * self.states[:, :, None].conj()
        return np.ascontiguousarray(transposed.reshape(len(self.states), -1).T)

    def worst(self, vectors: Array) -> float:
        """The largest trace distance to σ among columns."""
        return float(np.max(distances(vectors, self.sigma)))

    def searched(self, whole: Array, goal: float = math.inf) -> float:
        """The largest distance found after these sweeps, given up at the first beyond the goal; worse starts are kept.

        See-saw from the pool and from the states that are always tried.
        """
        states, path = climb(Matrix(whole), self.sigma, np.concatenate([self.tried, self.states]), enough=goal)
        order = np.argsort(path[-1])[-KEPT:]
        if path[-1][order[-1]] > goal:
            self.states = np.concatenate([self.states, states[order]])[-LARGEST:]
        return float(path[-1][order[-1]])


def distances(vectors: Array, to: Array) -> Real:
    """Trace distance of every column to a state."""
    d = len(to)
    rho = vectors.T.reshape(-1, d, d).transpose(0, 2, 1) - to
    return np.asarray(0.5 * np.abs(np.linalg.eigvalsh((rho + rho.conj().transpose(0, 2, 1)) / 2)).sum(axis=1))


def sweeps_within(
    goal: float, stages: Stages, pool: Pool, fixed: Array, contraction: float
) -> tuple[int | None, Status]:
    """Sweeps after which every start that is found is within `goal` of σ, and stays; None: never.

    The pool is followed to the first count that it allows; a search there either finds no worse start, or adds some and
    the count goes on. With one stage the worst start never gets worse from sweep to sweep, since what a sweep leaves is
    again a state; with several it may, and the pool alone says that it stays. Beyond 512 sweeps the count is the
    fewest to 2 %: it is enough, and a few less may be.

    Args:
        goal: Trace distance.
        stages: The last one goes on beyond its own repeats, for 500 sweeps; beyond, the count is extrapolated.
        pool: Grown on the way.
        fixed: Fixed point of the last stage.
        contraction: Of the last stage.
    """
    room, total = goal - trace_distance(fixed, pool.sigma), sum(repeats for _, repeats in stages)
    ends = room > 0 and contraction < 1
    if len(stages) == 1 and room <= 0:
        return None, Status.MEASURED  # the fixed point is a start that stays where it is
    count = 0
    for _ in range(SEARCHES):
        allowed = _allowed(goal, stages, pool, count, fixed, room if ends else None)
        if allowed is None:
            break
        count = allowed
        if pool.searched(power(stages, count), goal) <= goal:
            return count, Status.MEASURED
    if not ends:
        return None, Status.MEASURED
    sweeps = total + FOLLOWED_DENSE
    apart = float(np.max(distances(power(stages, sweeps) @ pool.columns, fixed)))
    return extrapolated(sweeps, apart, room, contraction), Status.EXTRAPOLATED


def extrapolated(sweeps: int, apart: float, room: float, contraction: float) -> int:
    """Sweeps that are enough if a distance to the fixed point, now `apart`, shrinks by the contraction to `room`."""
    return sweeps + max(0, math.ceil(math.log(room / max(apart, 1e-300)) / math.log(max(contraction, 1e-300))))


def _allowed(goal: float, stages: Stages, pool: Pool, least: int, fixed: Array, room: float | None) -> int | None:
    """The first count from `least` on at which the pool is within the goal, and stays; None: none that is followed."""
    total, found = sum(repeats for _, repeats in stages), None
    last = total + (0 if room is None else FOLLOWED_DENSE)
    for count, vectors in _followed(stages, pool.columns, least, last):
        within = pool.worst(vectors) <= goal
        found = (count if found is None else found) if within else None
        if found is None:
            continue
        if len(stages) == 1:
            break
        if count >= total and room is not None and float(np.max(distances(vectors, fixed))) <= room:
            break  # from here on the distance to the fixed point never grows
    return found


def _followed(stages: Stages, vectors: Array, least: int, last: int) -> Iterator[tuple[int, Array]]:
    """(count, vectors) after `least` sweeps, and after each until `last`; far on by leaps of less than 2 %."""
    count, left = 0, last
    for index, (channel, repeats) in enumerate(stages):
        here = left if index == len(stages) - 1 else min(repeats, left)
        left, skipped = left - here, min(here, max(0, least - count))
        vectors, count = np.linalg.matrix_power(channel, skipped) @ vectors, count + skipped
        if count == least:
            yield count, vectors
        powers = Powers(channel)
        for size in leaps(here - skipped):
            vectors, count = powers(size) @ vectors, count + size
            if count >= least:
                yield count, vectors


def power(stages: Stages, count: int) -> Array:
    """So many sweeps as one matrix, the last stage going on."""
    whole: Array = np.eye(len(stages[0][0]), dtype=complex)
    for index, (channel, repeats) in enumerate(stages):
        here = count if index == len(stages) - 1 else min(repeats, count)
        whole, count = np.linalg.matrix_power(channel, here) @ whole, count - here
    return whole
