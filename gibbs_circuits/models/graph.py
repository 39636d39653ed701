"""Sites, bonds and distances of a Hamiltonian's interaction graph."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import chain, pairwise

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ..linalg.paulis import Term, sites_of
from .model import Model


def ball(hamiltonian: Iterable[Term], coupling: Iterable[Term], radius: int | None) -> frozenset[int] | None:
    """Sites at most `radius` terms of H away from where a coupling acts; None is all of them."""
    if radius is None:
        return None
    supports = [sites_of(label) for label, _ in hamiltonian]
    found = frozenset(chain.from_iterable(sites_of(label) for label, _ in coupling))
    for _ in range(radius):
        wider = found.union(*(support for support in supports if support & found))
        if wider == found:
            break
        found = wider
    return found


def site_distances(model: Model) -> np.ndarray:
    """Number of terms of H between two sites; n where none connect them."""
    n = model.num_qubits
    neighbours = [set[int]() for _ in range(n)]
    for label, _ in model.terms:
        sites = [n - 1 - k for k, letter in enumerate(label) if letter != "I"]
        for q in sites:
            neighbours[q].update(sites)
    found = np.full((n, n), n)
    for start in range(n):
        found[start, start], queue = 0, deque([start])
        while queue:
            q = queue.popleft()
            for other in neighbours[q]:
                if found[start, other] == n and other != start:
                    found[start, other] = found[start, q] + 1
                    queue.append(other)
    return found


Edge = tuple[int, int]


def interacting_pairs(hamiltonian: SparsePauliOp) -> tuple[Edge, ...]:
    """Pairs of qubits that some term acts on, terms of the fewest qubits first.

    A longer term adds a path along it, unless pairs already connect its qubits.
    """
    terms = []
    for label, coefficient in hamiltonian.to_list():
        support = tuple(q for q, letter in enumerate(reversed(label)) if letter != "I")
        if len(support) > 1 and coefficient != 0:
            terms.append(support)
    found: dict[Edge, None] = {}
    for support in sorted(terms, key=len):
        if len(support) == 2:
            found[support] = None
        elif not _connected(support, found):
            for edge in pairwise(support):
                found[edge] = None
    return tuple(found)


def _connected(support: tuple[int, ...], pairs: dict[Edge, None]) -> bool:
    reached, edges = {support[0]}, [edge for edge in pairs if set(edge) <= set(support)]
    for _ in support:
        reached |= {q for edge in edges if set(edge) & reached for q in edge}
    return reached == set(support)


def coloured(pairs: Iterable[Edge]) -> dict[Edge, int]:
    """Colours 1, 2, … of pairs, no two alike at a site: each the first one free, in order of the sites.

    Two of a chain written in the order of its sites; in general at most twice the neighbours of a site, less one.
    """
    at: dict[int, set[int]] = {}
    found: dict[Edge, int] = {}
    for a, b in sorted(pairs):
        used = at.setdefault(a, set()) | at.setdefault(b, set())
        found[a, b] = next(colour for colour in range(1, len(used) + 2) if colour not in used)
        at[a].add(found[a, b])
        at[b].add(found[a, b])
    return found
