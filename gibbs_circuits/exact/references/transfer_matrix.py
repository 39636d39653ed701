r"""Terms of one letter per site: after a local rotation a classical Ising model, summed exactly site by site.

Along a line only the configurations of the sites that are still needed are kept, with the sums over all others of the
weight, of the weight times the energy and of the weight times its square; time and memory O(2^width) per site.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from scipy.special import logsumexp

from ...limits import MAX_TRANSFER_WIDTH
from ...linalg.arrays import Real
from ...models.model import Model
from ...models.regions import Sparse
from ...models.spectrum import Thermal
from ..tensor_networks.line import order_on_line
from .base import ExactAnswer, GibbsReference, sparse_of

Terms: TypeAlias = tuple[tuple[tuple[int, ...], float], ...]  # the sites of a product of Z, and its coefficient
SHARE = 2**20  # numbers of one batch of expectations


@lru_cache(maxsize=16)
def _classical(model: Model) -> tuple[dict[int, str], tuple[int, ...], Terms]:
    """The one letter of every site, an order of the sites, and the terms by their sites.

    Raises:
        ValueError: With the site that has two letters.
    """
    letters, terms = dict[int, str](), list[tuple[tuple[int, ...], float]]()
    for label, c in model.terms:
        string = sparse_of(label)
        for q, letter in string:
            if letters.setdefault(q, letter) != letter:
                raise ValueError(f"site {q} has {letters[q]} and {letter}: after no rotation of sites is H diagonal")
        terms.append((tuple(q for q, _ in string), c))
    return letters, order_on_line(model), tuple(terms)


def _width(order: Sequence[int], terms: Terms) -> int:
    """Most sites that are open at once."""
    last = _last_use(order, terms)
    return max(sum(last[q] >= k for q in order[: k + 1]) for k in range(len(order)))


def _last_use(order: Sequence[int], terms: Terms) -> dict[int, int]:
    """The place after which a site is summed over."""
    place = {q: k for k, q in enumerate(order)}
    found = dict(place)
    for sites, _ in terms:
        for q in sites:
            found[q] = max(found[q], *(place[p] for p in sites))
    return found


def _summed(
    order: Sequence[int], terms: Terms, beta: float, products: Sequence[frozenset[int]] = ()
) -> tuple[float, Real, float, float, float]:
    """Sums over all configurations of Z = ±1 with weights w = e^{−βE}.

    Returns:
        ln Σw, the mean of every product of Z, the mean and the mean square of E, and the smallest E.
    """
    place, last = {q: k for k, q in enumerate(order)}, _last_use(order, terms)
    due: dict[int, list[tuple[tuple[int, ...], float]]] = {}
    for sites, c in terms:
        due.setdefault(max((place[q] for q in sites), default=0), []).append((sites, c))
    live: list[int] = []
    log_w, first, second, least = (np.zeros(()) for _ in range(4))
    means = np.ones(len(products))
    for k, q in enumerate(order):
        live.append(q)
        shape = (2,) * len(live)
        energy = np.zeros(shape)
        for sites, c in due.get(k, ()):
            energy = energy + c * _product(live, sites)
        log_w, first, second, least = (np.broadcast_to(a[..., None], shape) for a in (log_w, first, second, least))
        means = np.repeat(means[..., None], 2, axis=-1)
        means[[q in one for one in products], ..., 1] *= -1
        log_w, least = log_w - beta * energy, least + energy
        first, second = first + energy, second + 2 * energy * first + energy**2
        for p in [p for p in live if last[p] == k]:
            axis = live.index(p)
            live.remove(p)
            total, least = logsumexp(log_w, axis=axis), least.min(axis)
            share = np.exp(log_w - np.expand_dims(total, axis))
            first, second = ((share * a).sum(axis) for a in (first, second))
            log_w, means = total, (share * means).sum(axis + 1)
    return float(log_w), means, float(first), float(second), float(least)


def _product(open_sites: Sequence[int], sites: Sequence[int]) -> Real:
    """Π Z over sites, one axis per open site."""
    found: Real = np.ones((1,) * len(open_sites))
    for q in sites:
        shape = [2 if p == q else 1 for p in open_sites]
        found = found * np.array([1.0, -1.0]).reshape(shape)
    return found


def _answer(model: Model, beta: float) -> ExactAnswer:
    letters, order, terms = _classical(model)
    log_z, _, energy, square, ground = _summed(order, terms, beta)
    doubled = _summed(order, terms, 2 * beta)[0]
    batch = max(1, SHARE >> _width(order, terms))

    def paulis(strings: Sequence[Sparse]) -> Real:
        values = np.zeros(len(strings))
        diagonal = [k for k, one in enumerate(strings) if all(letters.get(q, letter) == letter for q, letter in one)]
        free = [k for k in diagonal if all(q in letters for q, _ in strings[k])]  # of sites of no term: nothing is left
        for start in range(0, len(free), batch):
            part = free[start : start + batch]
            values[part] = _summed(order, terms, beta, [frozenset(q for q, _ in strings[k]) for k in part])[1]
        return values

    thermal = Thermal(
        energy=energy,
        free_energy=-log_z / beta if beta > 0 else None,
        entropy=beta * energy + log_z,
        heat_capacity=beta**2 * (square - energy**2),
        purity=float(np.exp(doubled - 2 * log_z)),
        ground_energy=ground,
    )
    return ExactAnswer(thermal, paulis)


def _why_not(model: Model, beta: float) -> str | None:
    try:
        _, order, terms = _classical(model)
    except ValueError as error:
        return str(error)
    width = _width(order, terms)
    if width > MAX_TRANSFER_WIDTH:
        return f"{width} sites are open at once along a line, at most {MAX_TRANSFER_WIDTH} are followed"
    return None


transfer_matrix = GibbsReference("transfer_matrix", _answer, _why_not)
