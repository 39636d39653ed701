"""The density operator as a matrix product in the Pauli basis, forwards, with a cut that keeps the trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import TooLargeError
from ...limits import MAX_EXACT_QUBITS
from ...linalg.arrays import Real
from ...linalg.local_maps import Average, LocalMap, Operation
from ...linalg.paulis import PAULIS
from ...models.regions import LocalStates, Region, Sparse, local_distance
from .light_cones import Stages
from .operators import Work

_SINGLE = np.stack([PAULIS[letter] / 2 for letter in "IXYZ"])
CALL, NANOSECONDS = 2e-4, 1.0  # nominal, of a bond that is cut, and of a multiplication there, on a quiet core
NOTHING = 1e-13  # singular values of maps and states below this share of the largest are none
GROWN = 4  # bonds may grow to so many times their limit before they are cut


@dataclass(frozen=True)
class Cut:
    """How bonds are cut.

    Attributes:
        bond: The largest bond dimension.
        trace: Whether a cut keeps the reduced states of all that lies on either side of it exactly, and so the trace;
            False: the cut of least error in the Hilbert–Schmidt norm alone, which loses trace.
    """

    bond: int
    trace: bool = True


class Density:
    """x_P = Tr[P ρ] as a matrix product over wires in some order; methods change it in place.

    Every ancilla stands beside its site, and a reset unties it from all others.

    Args:
        order: Wires along the line; maps on other wires are left out, so they must not meet these.
        start: Pauli expectations of every wire, (wires, 4).
        cut: How bonds are cut.
        work: What all decompositions are counted into, nominal seconds; none: nothing ends it.
    """

    def __init__(self, order: Sequence[int], start: Real, cut: Cut, work: Work | None = None):
        self.order, self.cut, self.work = tuple(order), cut, Work(of="A density operator") if work is None else work
        self.place = {wire: k for k, wire in enumerate(order)}
        self.tensors = [np.array(start[wire], dtype=float).reshape(1, 4, 1) for wire in order]

    def copy(self) -> Density:
        """The same, to be changed on its own."""
        new = object.__new__(Density)
        new.__dict__.update(self.__dict__, tensors=[*self.tensors])
        return new

    @property
    def bonds(self) -> tuple[int, ...]:
        """Dimensions of all bonds."""
        return tuple(t.shape[2] for t in self.tensors[:-1])

    # --- reading it

    def values(self, letters: Mapping[int, int]) -> float:
        """⟨P⟩ of a string, letters 0 … 3 by wire."""
        v = np.ones(1)
        for wire, t in zip(self.order, self.tensors, strict=True):
            v = v @ t[:, letters.get(wire, 0)]
        return float(v[0])

    @property
    def trace(self) -> float:
        """⟨1⟩, which is 1 as long as nothing was lost."""
        return self.values({})

    def expectations(self, terms: Iterable[Sparse]) -> Real:
        """Of sparse Pauli strings."""
        return np.array([self.values({site: "IXYZ".index(letter) for site, letter in term}) for term in terms])

    def reduced(self, regions: Iterable[Region]) -> dict[Region, Real]:
        """The 4^k expectations of every region, all from one pass from either end."""
        left, right = self._environments()
        found = {}
        for region in regions:
            places = sorted(self.place[q] for q in region)
            v = left[places[0]].reshape(1, -1)
            for k in range(places[0], places[-1] + 1):
                t = self.tensors[k] if k in places else self.tensors[k][:, :1]
                v = np.tensordot(v, t, axes=1).reshape(-1, t.shape[2])
            x = (v @ right[places[-1] + 1]).reshape((4,) * len(region))
            along = [self.order[k] for k in places]
            found[region] = x.transpose([along.index(q) for q in region]).reshape(-1)
        return found

    def renyi_2(self, wires: int) -> float:
        """−ln Tr ρ² of wires 0 … wires−1, the others traced out. Exact for this matrix product."""
        E, log = np.ones((1, 1)), 0.0
        for wire, t in zip(self.order, self.tensors, strict=True):
            t = t / 2**0.5 if wire < wires else t[:, :1]
            E = np.einsum("apc,bpd,ab->cd", t, t, E, optimize=True)
            size = float(np.abs(E).max())
            E, log = E / size, log + np.log(size)
        return -log - float(np.log(E[0, 0]))

    def entropy(self, region: Region) -> float:
        """−Tr ρ ln ρ of a region's reduced state, which for all sites of a small system is the whole entropy.

        Raises:
            TooLargeError: Above 10 sites, where the state is no longer diagonalised; see `renyi_2`, a lower bound.
        """
        if len(region) > MAX_EXACT_QUBITS:
            raise TooLargeError(
                f"The entropy of {len(region)} sites needs the whole spectrum; the limit is {MAX_EXACT_QUBITS}. "
                f"Fix: use the Rényi-2 entropy, or smaller regions."
            )
        k, rho = len(region), self.reduced([region])[region].reshape((4,) * len(region)).astype(complex)
        for _ in region:  # the front axis turns into (row, column) at the back
            rho = np.tensordot(rho, _SINGLE, axes=(0, 0))
        rho = rho.transpose(*range(0, 2 * k, 2), *range(1, 2 * k, 2)).reshape(2**k, 2**k)
        p = np.linalg.eigvalsh(rho)
        p = p[p > 0]
        return -float(np.sum(p * np.log(p)))

    def _environments(self) -> tuple[list[Real], list[Real]]:
        left, right = [np.ones(1)], [np.ones(1)]
        for t in self.tensors:
            left.append(left[-1] @ t[:, 0])
        for t in reversed(self.tensors):
            right.insert(0, t[:, 0] @ right[0])
        return left, right

    # --- changing it

    def perform(self, operations: Iterable[Operation]) -> tuple[int, int]:
        """Operations in order of time; returns the first and the last place that they changed."""
        low, high = len(self.order), -1
        for one in operations:
            if not all(q in self.place for q in one.qubits):
                continue
            a, b = self._mean(one) if isinstance(one, Average) else self._map(one)
            low, high = min(low, a), max(high, b)
            if max(self.bonds[low:high], default=1) > GROWN * self.cut.bond:
                self.compress()
                low, high = 0, len(self.order) - 1
        return low, high

    def _map(self, one: LocalMap) -> tuple[int, int]:
        """Singular values split the map into one tensor per wire, with bonds through the wires between."""
        wires = tuple(sorted(one.qubits, key=lambda q: self.place[q]))
        places = [self.place[q] for q in wires]
        k = len(wires)
        M = one.on(wires).reshape((4,) * 2 * k).transpose([axis for p in range(k) for axis in (p, p + k)])
        rest, factors = M.reshape(1, -1), list[Real]()
        for _ in range(k - 1):
            u, s, v = np.linalg.svd(rest.reshape(rest.shape[0] * 16, -1), full_matrices=False)
            r = max(1, int((s > NOTHING * s[0]).sum()))
            factors.append((u[:, :r] * np.sqrt(s[:r])).reshape(-1, 4, 4, r))
            rest = np.sqrt(s[:r])[:, None] * v[:r]
        factors.append(rest.reshape(-1, 4, 4, 1))
        bond = 1
        for p in range(places[0], places[-1] + 1):
            t = self.tensors[p]
            if p in places:
                f = factors[places.index(p)]
                x = np.einsum("aPpb,lpr->alPbr", f, t, optimize=True)
                bond = f.shape[3]
            else:
                x = np.einsum("ab,lpr->alpbr", np.eye(bond), t)
            self.tensors[p] = x.reshape(x.shape[0] * x.shape[1], 4, -1)
        return places[0], places[-1]

    def _mean(self, one: Average) -> tuple[int, int]:
        low, high = len(self.order), -1
        current, parts = self.copy(), list[tuple[float, Density, int, int]]()
        for count in range(one.times.stop):
            if count in one.times:
                parts.append((1 / len(one.times), current, low, high))
            if count + 1 < one.times.stop:
                made = list[tuple[float, Density, int, int]]()
                for weight, branch in zip(one.weights, one.branches, strict=True):
                    part = current.copy()
                    a, b = part.perform(branch)
                    made.append((weight, part, min(a, low), max(b, high)))
                current, low, high = _sum(made)
        found, low, high = _sum(parts)
        self.tensors = found.tensors
        return low, high

    def _plus(self, mine: float, other: Density, its: float, low: int, high: int) -> Density:
        """The weighted sum of two that differ between two places only."""
        new = self.copy()
        for k in range(low, high + 1):
            a, b = self.tensors[k], other.tensors[k]
            if k == low:
                a, b = mine * a, its * b
            if low == high:
                new.tensors[k] = a + b
            elif k == low:
                new.tensors[k] = np.concatenate([a, b], axis=2)
            elif k == high:
                new.tensors[k] = np.concatenate([a, b], axis=0)
            else:
                both = np.zeros((a.shape[0] + b.shape[0], 4, a.shape[2] + b.shape[2]))
                both[: a.shape[0], :, : a.shape[2]] = a
                both[a.shape[0] :, :, a.shape[2] :] = b
                new.tensors[k] = both
        return new

    def compress(self) -> None:
        """All bonds to their limit: orthonormal from the left, and then cut from the right."""
        T, last = [*self.tensors], len(self.tensors) - 1
        self.work.add(sum(CALL + NANOSECONDS * 1e-9 * t.size * min(len(t), t.shape[2]) for t in T))
        left = [np.ones(1)]  # ⟨1⟩ of all that is on the left of every place
        for k in range(last):
            q, R = np.linalg.qr(T[k].reshape(-1, T[k].shape[2]))
            T[k] = q.reshape(*T[k].shape[:2], -1)
            T[k + 1] = np.tensordot(R, T[k + 1], axes=1)
            left.append(left[-1] @ T[k][:, 0])
        right = np.ones(1)
        for k in range(last, 0, -1):
            q, R = np.linalg.qr(T[k].reshape(len(T[k]), -1).T)
            T[k] = q.T.reshape(-1, *T[k].shape[1:])
            X, V = self._truncated(R.T, left[k], T[k][:, 0] @ right)
            T[k] = np.tensordot(V, T[k], axes=1)
            T[k - 1] = np.tensordot(T[k - 1], X, axes=1)
            right = T[k][:, 0] @ right
        self.tensors = T

    def _truncated(self, X: Real, left: Real, right: Real) -> tuple[Real, Real]:
        """X Vᵀ and V: the matrix of a bond in orthonormal bases, in few dimensions.

        With l and r, what the identities on either side are in these bases, Y = X − X r lᵀX/(lᵀX r) obeys Y r = 0 and
        lᵀY = 0, and so do its leading singular vectors: a cut of Y alone leaves X r and lᵀX as they are.
        """
        if min(X.shape) > self.cut.bond:
            if self.cut.trace:
                product = np.outer(X @ right, left @ X) / (left @ X @ right)
                X = product + _shortened(X - product, self.cut.bond - 1)
            else:
                X = _shortened(X, self.cut.bond)
        _, s, v = np.linalg.svd(X, full_matrices=False)
        V = v[: max(1, min(self.cut.bond, int((s > NOTHING * s[0]).sum())))]
        return X @ V.T, V


def _shortened(X: Real, count: int) -> Real:
    u, s, v = np.linalg.svd(X, full_matrices=False)
    return np.asarray((u[:, :count] * s[:count]) @ v[:count])


def _sum(parts: Sequence[tuple[float, Density, int, int]]) -> tuple[Density, int, int]:
    """The mean of some that differ between two places only, and these."""
    low, high = min(part[2] for part in parts), max(part[3] for part in parts)
    weight, total, _, _ = parts[0]
    if low > high:
        return total, low, high
    for share, part, _, _ in parts[1:]:
        total, weight = total._plus(weight, part, share, low, high), 1.0
        if max(total.bonds, default=1) > GROWN * total.cut.bond:
            total.compress()
            low, high = 0, len(total.order) - 1
    return total, low, high


def density_path(
    stages: Stages, order: Sequence[int], start: Real, cut: Cut, work: Work | None = None
) -> Iterator[Density]:
    """The density operator after 0, 1, … sweeps; the same object, changed from one to the next.

    Raises:
        NotConvergedError: If there is more to do than the work allows.

    Cost: wires · (4 bond)³ for every layer of bonds.
    """
    state = Density(order, start, cut, work)
    yield state
    for operations, repeats in stages:
        for _ in range(repeats):
            state.perform(operations)
            state.compress()
            yield state


def density_after(stages: Stages, order: Sequence[int], start: Real, cut: Cut) -> Density:
    """The density operator after all sweeps."""
    *_, state = density_path(stages, order, start, cut)
    return state


def density_states(
    stages: Stages,
    order: Sequence[int],
    start: Real,
    bond: int,
    regions: Iterable[Region],
    tolerance: float = 0.01,
) -> LocalStates:
    """Reduced states of all regions at once, at two bond dimensions, `bond` and half of it.

    Args:
        stages: Maps on wires; a region's sites are wires.
        order: Wires along the line, such as `along_a_line` finds.
        start: Pauli expectations of every wire, (wires, 4).
        bond: The larger limit.
        regions: Sites in rising order.
        tolerance: Of the largest trace distance between the two, which is the error that is stated.

    Raises:
        TooLargeError: If the two disagree by more.
    """
    chosen = [*regions]
    sizes = max(1, bond // 2), bond
    coarse, fine = (LocalStates(density_after(stages, order, start, Cut(size)).reduced(chosen)) for size in sizes)
    error = local_distance(fine, coarse).largest
    if not error <= tolerance:
        raise TooLargeError(
            f"Density operators with bonds of {sizes[0]} and {bond} are {error:.1e} apart on a region; allowed "
            f"are {tolerance:.1e}. Fix: use bonds of {2 * bond}, or read observables backwards."
        )
    return LocalStates(fine.values, error, f"density operator, bonds of {sizes[0]} and {bond}")
