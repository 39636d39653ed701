r"""All Pauli strings of a region taken backwards at once, as one tensor train in the Pauli basis.

The train is $A_{P,Q}$: string P of the region, seen through the maps, is the operator $\sum_Q A_{P,Q} Q$. P's letter
stands on the region's own sites, beside Q's, so that all $4^k$ strings share their bonds and one decomposition cuts
them together. Sites that nothing has touched are the identity and are not there; an ancilla is there only within a
sweep: its leg is opened when a map first meets it and closed with ⟨0|Q|0⟩ where the sweep begins.

Real arithmetic. Everything outside of one core, the centre, is orthogonal, so that what a cut discards there is what
the whole operator loses in the Hilbert–Schmidt norm $\lVert O\rVert^2 = \mathrm{Tr}\,O^†O/2^m$.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from ...errors import NotConvergedError
from ...linalg.arrays import Real, read_only
from ...linalg.local_maps import Average, Operation
from .factors import EXACT, FRESH, Wide, factors, sketched, stretch

AS_ONE_MAP = 3  # qubits of an average that becomes one map: 64 rows
NANOSECONDS = 0.13  # nominal, of a multiplication within a decomposition, on a quiet core
BY_SQUARES_COSTS = 0.3  # of that
BY_SQUARES = 1e-5  # a cut, all strings together of norm 8, that squares of singular values resolve: 1e-8 relative
SPARE, EXTRA = 1.5, 12  # random vectors per dimension of a bond, and more; as many are held out
SKETCHED = 0.7  # of the widened bond's dimension, below which random vectors pay
SEED = 1  # of those vectors
TINY = 1e-300
SHIFT = 1e-14  # of a matrix of squares, relative to its trace, that keeps it positive
CALL = 6e-5  # nominal seconds of one decomposition of nothing


@dataclass(frozen=True, eq=False)
class Carried:
    """A train at rest, between two sweeps.

    Attributes:
        places: Of every core, on the line.
        cores: (left, letter Q, letter P or 1, right) each.
        discarded: Sum of the Hilbert–Schmidt norms, of all strings together, of what was cut.
        bound: No string's value from any start is off by more, nor the root of their summed squares; infinite where
            random vectors decided a cut.
    """

    places: tuple[int, ...]
    cores: tuple[Real, ...]
    discarded: float
    bound: float

    @property
    def bond(self) -> int:
        """The largest dimension."""
        return int(max(core.shape[3] for core in self.cores))


@dataclass
class Work:
    """Nominal seconds of decompositions, what a quiet core takes; all copies of a train count into one."""

    seconds: float = 0.0
    most: float = np.inf
    of: str = "Reading backwards"

    def add(self, seconds: float) -> None:
        """Count; once it is more than `most`, give up.

        Raises:
            NotConvergedError: Then.
        """
        self.seconds += seconds
        if self.seconds > self.most:
            raise NotConvergedError(
                f"{self.of} would take more than the {self.most:.0f} nominal seconds left for it. Fix: "
                "allow more, or a larger tolerance, or shorten the random delays of the program."
            )


class Train:
    """A train that maps are applied to, read backwards: mutable, and never handed out."""

    def __init__(
        self, places: Sequence[int], labelled: Sequence[int], cut: float, work: Work,
        framed: Sequence[int] = (),
    ) -> None:  # fmt: skip
        self.places = sorted(places)
        self.labelled = frozenset(labelled)
        self.cores = [
            np.eye(4)[None, :, :, None] if place in self.labelled else np.eye(4)[None, :, :1, None]
            for place in self.places
        ]
        self.centre, self.cut, self.discarded, self.bound, self.most = 0, cut, 0.0, 0.0, 1
        self.draw = np.random.default_rng(SEED)
        self.work, self.framed = work, frozenset(framed)

    def copy(self) -> Train:
        """One whose cores may change on their own."""
        other = object.__new__(Train)
        other.__dict__.update(self.__dict__, places=[*self.places], cores=[*self.cores])
        return other

    # --- maps

    def apply(self, one: Operation, place: Mapping[int, int]) -> None:
        """Take the operator backwards through a map; `place` is where each qubit stands."""
        if not any(self._has(place[q]) for q in one.qubits):
            return  # maps leave the identity as it is
        if isinstance(one, Average) and len(one.qubits) > AS_ONE_MAP:
            self._average(one, place)
            return
        order = tuple(sorted(one.qubits, key=lambda q: place[q]))
        parts, orthogonal = factors(one, order)
        new = [place[q] for q in order if not self._has(place[q])]
        for q in order:
            self._opened(place[q])
        at = [bisect_left(self.places, place[q]) for q in order]
        if len(at) == 1:
            if not orthogonal:
                self._move(at[0])
            core = self.cores[at[0]]
            self.cores[at[0]] = np.tensordot(parts[0][0, :, :, 0], core, axes=(1, 1)).transpose(1, 0, 2, 3)
            return
        low, high = at[0], at[-1]
        rightwards = self.centre <= low
        self._move(min(max(self.centre, low), high))
        which, width, wide = 0, 1, list[Wide]()
        for k in range(low, high + 1):
            core = self.cores[k]
            if k == at[which]:
                factor = parts[which]
                which, width = which + 1, factor.shape[3]
                core = np.tensordot(factor, core, axes=(2, 1)).transpose(3, 0, 1, 4, 5, 2)
                l, a, p, d, r, b = core.shape
                wide.append(Wide(core.reshape(l * a, p, d, r * b), 1))
            else:
                wide.append(Wide(core, width))
        if self.cut < BY_SQUARES or not self._sketched(low, wide):
            self.cores[low : high + 1] = [one.whole for one in wide]
            self._cut_between(low, high, rightwards)
        for one_place in new:
            self._closed_if_idle(one_place)

    def sweep_begins(self, ancillas: Sequence[int], fresh: Real = FRESH) -> float:
        """Close the ancillas at these places with ⟨0|Q|0⟩, compress, drop sites that carry nothing.

        The norm of what is not c·1.
        """
        for place in sorted(ancillas):
            if not self._has(place):
                continue
            k = bisect_left(self.places, place)
            self._move(k)
            closed = np.tensordot(self.cores[k][:, :, 0], fresh, axes=(1, 0))
            self._take_out(k, closed)
        self.compress()
        spread = self.spread()
        if spread <= self.cut:
            self._forget(spread)
            return 0.0
        self._drop()
        return spread

    def constants(self) -> Real:
        """The coefficients of the identity, by label in the order of places."""
        row = np.ones((1, 1))
        for core in self.cores:
            row = np.einsum("Ll,ldr->Ldr", row, core[:, 0]).reshape(-1, core.shape[3])
        return row[:, 0]

    def spread(self) -> float:
        """The Hilbert–Schmidt norm of all strings' operators less their constant parts."""
        whole = float(np.sum(self.cores[self.centre] ** 2)) - float(np.sum(self.constants() ** 2))
        return float(np.sqrt(max(whole, 0.0)))

    def at_rest(self) -> Carried:
        """As data."""
        return Carried(tuple(self.places), tuple(map(read_only, self.cores)), self.discarded, self.bound)

    # --- sums

    def _average(self, one: Average, place: Mapping[int, int]) -> None:
        """The mean over numbers of times, as Horner's rule has it."""
        last = one.times.stop - 1
        share = [float(count in one.times) / len(one.times) for count in range(last + 1)]
        start, total = self.copy(), self.copy()
        total._scale(share[last])
        for count in reversed(range(last)):
            parts = []
            for weight, branch in zip(one.weights, one.branches, strict=True):
                part = total.copy()
                for step in reversed(branch):
                    part.apply(step, place)
                part._scale(weight)
                parts.append(part)
            if share[count]:
                parts.append(start.copy())
                parts[-1]._scale(share[count])
            total = parts[0]
            for part in parts[1:]:
                total._add(part)
            if len(parts) > 1:
                total.compress()
        self.__dict__.update(total.__dict__)

    def _scale(self, weight: float) -> None:
        self.cores[self.centre] = weight * self.cores[self.centre]
        self.discarded *= weight
        self.bound *= weight

    def _add(self, other: Train) -> None:
        for place in other.places:
            self._opened(place)
        for place in self.places:
            other._opened(place)
        last = len(self.cores) - 1
        for k, (a, b) in enumerate(zip(self.cores, other.cores, strict=True)):
            if last == 0:
                self.cores[k] = a + b
                continue
            left, right = (0 if k == 0 else a.shape[0]), (0 if k == last else a.shape[3])
            both = np.zeros((left + b.shape[0], *a.shape[1:3], right + b.shape[3]))
            both[: a.shape[0], :, :, : a.shape[3]] += a
            both[left:, :, :, right:] += b
            self.cores[k] = both
        self.discarded += other.discarded
        self.bound += other.bound
        self.most = max(self.most, other.most)

    # --- the gauge

    def compress(self) -> None:
        """Cut every bond, from right to left, whatever the gauge was."""
        for k in range(len(self.cores) - 1):
            self._right(k)
        self.centre = len(self.cores) - 1
        for k in range(len(self.cores) - 1, 0, -1):
            self._cut_left(k)

    def _cut_between(self, low: int, high: int, rightwards: bool) -> None:
        """Orthogonal from one end to the other, cut on the way back."""
        if rightwards:
            for k in range(high, low, -1):
                self._left(k)
            for k in range(low, high):
                self._cut_right(k)
        else:
            for k in range(low, high):
                self._right(k)
            for k in range(high, low, -1):
                self._cut_left(k)

    def _sketched(self, low: int, wide: Sequence[Wide]) -> bool:
        """Cut from right to left what random vectors found; False, and nothing done, where they would not pay."""
        bond = max(self.cores[low + k].shape[0] for k in range(1, len(wide)))
        size = round(SPARE * bond) + EXTRA
        if size + EXTRA > SKETCHED * max(one.bond for one in wide):
            return False
        made, missed, work = sketched(wide, size, EXTRA, self.draw, self._split)
        self.work.add(1e-9 * NANOSECONDS * BY_SQUARES_COSTS * work)
        if max(missed) > self.cut:
            return False
        for norm in missed:
            self._lost(norm)
        self.bound = math.inf  # what random vectors missed is an estimate, and proves nothing
        high = low + len(wide) - 1
        self.cores[low : high + 1] = made
        self.centre = high
        for k in range(high, low, -1):
            self._cut_left(k)
        return True

    def _move(self, to: int) -> None:
        while self.centre < to:
            self._right(self.centre)
        while self.centre > to:
            self._left(self.centre)

    def _right(self, k: int) -> None:
        l, p, d, r = self.cores[k].shape
        q, rest = self._split(self.cores[k].reshape(l * p * d, r))
        self.cores[k] = q.reshape(l, p, d, -1)
        self.cores[k + 1] = np.tensordot(rest, self.cores[k + 1], 1)
        self.centre = k + 1

    def _left(self, k: int) -> None:
        l, p, d, r = self.cores[k].shape
        q, rest = self._split(self.cores[k].reshape(l, p * d * r).T)
        self.cores[k] = q.T.reshape(-1, p, d, r)
        self.cores[k - 1] = np.tensordot(self.cores[k - 1], rest.T, 1)
        self.centre = k - 1

    def _cut_right(self, k: int) -> None:
        l, p, d, r = self.cores[k].shape
        u, sv = self._kept(self.cores[k].reshape(l * p * d, r))
        self.cores[k] = u.reshape(l, p, d, -1)
        self.cores[k + 1] = np.tensordot(sv, self.cores[k + 1], 1)
        self.centre = k + 1

    def _cut_left(self, k: int) -> None:
        l, p, d, r = self.cores[k].shape
        v, us = self._kept(self.cores[k].reshape(l, p * d * r).T)
        self.cores[k] = v.T.reshape(-1, p, d, r)
        self.cores[k - 1] = np.tensordot(self.cores[k - 1], us.T, 1)
        self.centre = k - 1

    def _split(self, matrix: Real) -> tuple[Real, Real]:
        """Q and R; where the cut is coarse by the squares, and directions below 1e-7 of the largest are not unit."""
        rows, columns = matrix.shape
        if rows <= columns:
            return np.eye(rows), matrix
        self._worked(rows, columns, 2)
        if self.cut < BY_SQUARES:
            return np.linalg.qr(matrix)
        squares = matrix.T @ matrix
        squares[np.diag_indices(columns)] += SHIFT * np.trace(squares) + TINY
        rest = np.linalg.cholesky(squares).T
        return np.asarray(matrix @ scipy.linalg.lapack.dtrtri(rest)[0]), np.asarray(rest, dtype=float)

    def _kept(self, matrix: Real) -> tuple[Real, Real]:
        """U and S·V of the singular values that stay; what goes is counted."""
        rows, columns = matrix.shape
        if self.cut < BY_SQUARES:
            u, s, v = _svd(matrix)
            self._worked(rows, columns, 6)
            m = self._staying(s)
            return u[:, :m], s[:m, None] * v[:m]
        self._worked(rows, columns, 4)
        wide = rows < columns
        w, V = np.linalg.eigh(matrix @ matrix.T if wide else matrix.T @ matrix)
        s = np.sqrt(np.maximum(w[::-1], 0.0))
        m = self._staying(s)
        V = V[:, : -m - 1 : -1]
        if wide:
            return V, V.T @ matrix
        return matrix @ V / np.maximum(s[:m], TINY), s[:m, None] * V.T

    def _staying(self, s: Real) -> int:
        tails = np.sqrt(np.cumsum(s[::-1] ** 2)[::-1])
        m = max(1, int(np.count_nonzero(tails > max(self.cut, EXACT * tails[0]))))
        if m < len(s):
            self._lost(float(tails[m]))
        self.most = max(self.most, m)
        return m

    def _lost(self, norm: float) -> None:
        self.discarded += norm
        larger = stretch() ** sum(place in self.framed for place in self.places)
        self.bound += 2 ** (len(self.places) / 2) * larger * norm  # ‖E‖_∞ ≤ 2^{m/2} ‖E‖, and maps do not raise ‖·‖_∞

    def _worked(self, rows: int, columns: int, factor: int = 2) -> None:
        each = 1e-9 * NANOSECONDS * (BY_SQUARES_COSTS if self.cut >= BY_SQUARES else 1.0)
        self.work.add(CALL + each * factor * rows * columns * min(rows, columns))

    # --- sites that come and go

    def _has(self, place: int) -> bool:
        k = bisect_left(self.places, place)
        return k < len(self.places) and self.places[k] == place

    def _opened(self, place: int) -> int:
        """Where the core of this place is, made the identity if there was none."""
        k = bisect_left(self.places, place)
        if not self._has(place):
            b = self.cores[k].shape[0] if k < len(self.cores) else 1
            self.places.insert(k, place)
            core = np.zeros((b, 4, 1, b))
            core[:, 0, 0] = np.eye(b)
            self.cores.insert(k, core)
            self.centre += self.centre >= k
        return k

    def _drop(self) -> None:
        """Take out the sites, outer ones and inner ones, whose letters are the identity to within the cut."""
        k = 0
        while k < len(self.cores):
            self._move(k)
            rest = float(np.linalg.norm(self.cores[k][:, 1:]))
            if self.places[k] in self.labelled or rest > self.cut:
                k += 1
                continue
            self._lost(rest)
            self._take_out(k, self.cores[k][:, 0, 0])

    def _closed_if_idle(self, place: int) -> None:
        """Take a site out again on which a map did nothing, since what it met commutes with it."""
        k = bisect_left(self.places, place)
        core = self.cores[k]
        if np.max(np.abs(core[:, 1:])) > EXACT * np.max(np.abs(core)) or place in self.labelled:
            return
        self._move(k)
        self._take_out(k, self.cores[k][:, 0, 0])

    def _take_out(self, k: int, matrix: Real) -> None:
        """A core, the centre, as a matrix between its neighbours."""
        del self.cores[k], self.places[k]
        if k < len(self.cores):
            self.cores[k] = np.tensordot(matrix, self.cores[k], 1)
            self.centre = k
        else:
            self.cores[k - 1] = np.tensordot(self.cores[k - 1], matrix, 1)
            self.centre = k - 1

    def _forget(self, spread: float) -> None:
        """Keep the constants alone."""
        self._lost(spread)
        self._drop_all(self.constants())

    def _drop_all(self, constants: Real) -> None:
        self.places = [place for place in self.places if place in self.labelled]
        rest, self.cores = constants.reshape(1, -1), []
        for _ in self.places[:-1]:
            u, s, v = _svd(rest.reshape(len(rest) * 4, -1))
            core = np.zeros((len(rest), 4, 4, len(s)))
            core[:, 0] = u.reshape(len(rest), 4, -1)
            self.cores.append(core)
            rest = s[:, None] * v
        core = np.zeros((len(rest), 4, 4, 1))
        core[:, 0, :, 0] = rest
        self.cores.append(core)
        self.centre = len(self.cores) - 1


def _svd(matrix: Real) -> tuple[Real, Real, Real]:
    try:
        return np.linalg.svd(matrix, full_matrices=False)
    except np.linalg.LinAlgError:  # divide and conquer may fail where the plain algorithm does not
        u, s, v = scipy.linalg.svd(matrix, full_matrices=False, lapack_driver="gesvd")
        return np.asarray(u), np.asarray(s), np.asarray(v)
