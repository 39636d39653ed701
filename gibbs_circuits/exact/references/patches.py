"""The rest of two dimensions: reduced states from growing patches around a region, with the trend as the error.

A patch is the region and the sites nearest to it, with the terms of H that act within; correlations fall off with
distance, and so does what is missing. Energies only: a partition function is no local quantity.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ...evidence import Status
from ...linalg.arrays import Real
from ...models.graph import interacting_pairs
from ...models.model import Model, from_terms
from ...models.regions import Sparse
from ...models.spectrum import Thermal
from .base import ExactAnswer, GibbsReference, label_of, sparse_of
from .dense import dense

SIZES = (6, 8, 10)  # sites: 1024 levels take a third of a second
WIDER = 2.0  # bar over last change: what is missing falls by at least a third from size to size; tests count how often
Neighbours = dict[int, list[int]]
Terms = tuple[tuple[Sparse, float], ...]


def _neighbours(model: Model) -> Neighbours:
    found: dict[int, set[int]] = {q: set() for q in range(model.num_qubits)}
    for a, b in interacting_pairs(model.hamiltonian):
        found[a].add(b)
        found[b].add(a)
    return {q: sorted(near) for q, near in found.items()}


def _patch(region: Sequence[int], size: int, neighbours: Neighbours) -> tuple[int, ...]:
    """The region and the nearest sites, by distance and then by how many neighbours are inside already."""
    distance, queue = dict.fromkeys(region, 0), deque(region)
    while queue:
        q = queue.popleft()
        for near in neighbours[q]:
            if near not in distance:
                distance[near] = distance[q] + 1
                queue.append(near)
    inside = list(region)
    while len(inside) < size:
        open_sites = {near for q in inside for near in neighbours[q]} - {*inside}
        if not open_sites:
            break
        inside.append(min(open_sites, key=lambda q: (distance[q], -len({*neighbours[q]} & {*inside}), q)))
    return tuple(sorted(inside))


def _joined(support: Sequence[int], neighbours: Neighbours) -> tuple[int, ...] | None:
    """The support and the sites on shortest ways between its parts; None where there is no way."""
    joined = {support[0]}
    while missing := {*support} - joined:
        came, queue = dict.fromkeys(sorted(joined), -1), deque(sorted(joined))
        while queue and not missing & came.keys():
            q = queue.popleft()
            for near in neighbours[q]:
                if near not in came:
                    came[near] = q
                    queue.append(near)
        reached = missing & came.keys()
        if not reached:
            return None
        site = min(reached)
        while site not in joined:
            joined.add(site)
            site = came[site]
    return tuple(sorted(joined))


@lru_cache(maxsize=8)
def _state(size: int, terms: Terms, beta: float) -> ExactAnswer:
    """The Gibbs state of a patch; 16 MiB each at 10 sites, shared by regions whose patch is the same."""
    return dense.answer(from_terms([(label_of(string, size), c) for string, c in terms] or [("I" * size, 0.0)]), beta)


@lru_cache(maxsize=4096)
def _values(size: int, terms: Terms, beta: float, strings: tuple[Sparse, ...]) -> Real:
    """Expectations in the Gibbs state of a patch; patches that look alike are computed once."""
    values = _state(size, terms, beta).paulis(strings)
    assert values is not None  # dense knows every string
    return values


class _Patches:
    """Expectations on regions and what joins them, by patches of every size."""

    def __init__(self, model: Model, beta: float) -> None:
        self.beta, self.neighbours = beta, _neighbours(model)
        self.terms = tuple((sparse_of(label), c) for label, c in model.terms)
        self.known: dict[Sparse, Real] = {(): np.ones(len(SIZES))}

    def table(self, strings: Sequence[Sparse]) -> Real | None:
        """A row for every string, a column for every size; None where one is too long for the smallest patch."""
        wanted = dict.fromkeys(one for one in strings if one not in self.known)
        regions = {_joined([q for q, _ in one], self.neighbours) for one in wanted}
        supports = sorted((one for one in regions if one is not None), key=len, reverse=True)
        if None in regions or any(len(one) > SIZES[0] for one in supports):
            return None
        for support in supports:
            inside = [one for one in wanted if one not in self.known and {q for q, _ in one} <= {*support}]
            if inside:
                columns = [self._on(_patch(support, size, self.neighbours), inside) for size in SIZES]
                self.known |= dict(zip(inside, np.array(columns).T, strict=True))
        return np.array([self.known[one] for one in strings]).reshape(len(strings), len(SIZES))

    def _on(self, patch: tuple[int, ...], strings: Sequence[Sparse]) -> Real:
        place = {q: k for k, q in enumerate(patch)}

        def within(string: Sparse) -> Sparse:
            return tuple((place[q], letter) for q, letter in string)

        terms = tuple((within(one), c) for one, c in self.terms if one and all(q in place for q, _ in one))
        return _values(len(patch), terms, self.beta, tuple(map(within, strings)))

    def paulis(self, strings: Sequence[Sparse]) -> Real | None:
        """From the largest patches."""
        table = self.table(strings)
        return None if table is None else table[:, -1]

    def errors(self, strings: Sequence[Sparse]) -> Real:
        """By the last change, or half of the one before where that is larger."""
        table = self.table(strings)
        return np.full(len(strings), np.inf) if table is None else _bar(table)


def _bar(table: Real) -> Real:
    steps = np.abs(np.diff(table, axis=-1))
    return np.asarray(WIDER * np.maximum(steps[..., -1], steps[..., -2] / 2))


@lru_cache(maxsize=4)
def _answer(model: Model, beta: float) -> ExactAnswer:
    known = _Patches(model, beta)
    table = known.table([string for string, _ in known.terms])
    if table is None:
        raise ValueError("a term is larger than a patch")
    energies = np.array([c for _, c in known.terms]) @ table
    thermal = Thermal(float(energies[-1]), None, None, None, None, None)
    largest = float(_bar(table).max())
    return ExactAnswer(
        thermal, known.paulis, Status.EXTRAPOLATED, {"energy": float(_bar(energies))}, known.errors, largest
    )


def _why_not(model: Model, beta: float) -> str | None:
    neighbours, most = _neighbours(model), SIZES[0]
    for label, _ in model.terms:
        support = tuple(q for q, _ in sparse_of(label))
        around = {near for q in support for near in neighbours[q]} | {*support}
        if len(around) > SIZES[-1] or len(support) > most:
            return (
                f"{label.replace('I', '') or 'a term'} on {len(support)} sites has {len(around) - len(support)} "
                f"neighbours, more than a patch of {SIZES[-1]} sites holds"
            )
    return None


patches = GibbsReference("patches", _answer, _why_not)
