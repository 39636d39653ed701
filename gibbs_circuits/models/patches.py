"""Smaller pieces of a model, and which of its sites are alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from . import scale
from .graph import Edge, coloured, interacting_pairs
from .model import Model

MOST = 4  # patches of one size
VARIES = 1e-9  # of the largest coefficient of H
Features = tuple[tuple[tuple[object, float], ...], ...]


@dataclass(frozen=True, eq=False)
class Patch:
    """The terms of a model that act within some of its sites.

    Attributes:
        sites: Of the whole model, in order; qubit k of `model` is sites[k].
        model: The piece.
        bonds: Its interacting pairs.
        features: Of every qubit, system and then ancillas, the weights of the shared angles: 1 for its class, which is
            the number of its neighbours (and, at radius 1, of theirs), and the excess of every field or coupling that
            differs from site to site.
        colours: Of its bonds, as the whole model's are coloured; () where they cannot be: a ring that two do not close.
    """

    sites: tuple[int, ...]
    model: Model
    bonds: tuple[Edge, ...]
    features: Features
    colours: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """Number of sites."""
        return len(self.sites)

    @property
    def classes(self) -> set[object]:
        """The names of its sites' classes."""
        return {names[0][0] for names in self.features[: self.size]}

    @cached_property
    def coloured_features(self) -> Features:
        """The same where layers hold the bonds of one colour: a class is known by the colours it meets, too."""
        met = [
            tuple(sorted(colour for pair, colour in zip(self.bonds, self.colours, strict=True) if k in pair))
            for k in range(self.size)
        ]
        near = [sorted({q for pair in self.bonds if k in pair for q in pair} - {k}) for k in range(self.size)]
        made = []
        for q, names in enumerate(self.features):
            k = q % self.size
            around = (met[k], *(sorted(met[j] for j in near[k]) if len(names[0][0][1]) > 1 else ()))  # type: ignore[index]
            made.append(tuple(((*name, around), weight) for name, weight in names))  # type: ignore[misc]
        return tuple(made)


def whole_model_patch(model: Model, radius: int = 1) -> Patch:
    """The patch that holds every site: the model itself."""
    return _patch(model, tuple(range(model.num_qubits)), radius)


def patches(model: Model, size: int, radius: int = 1) -> tuple[Patch, ...]:
    """Connected pieces of that many sites that differ from each other.

    Those with the most bonds come first and, among them, those with the fewest classes that the whole does not have.
    """
    found: dict[str, Patch] = {}
    known, unit = whole_model_patch(model, radius).classes, scale.size(model.hamiltonian) or 1.0
    for sites in _connected(interacting_pairs(model.hamiltonian), size):
        patch = _patch(model, sites, radius)
        text = str(sorted((label, round(c / unit, 12)) for label, c in patch.model.terms)) + str(patch.features)
        found.setdefault(text, patch)
    ordered = sorted(found.values(), key=lambda p: (-len(p.bonds), len(p.classes - known), p.sites))
    most = [patch for patch in ordered if len(patch.bonds) == len(ordered[0].bonds)] if ordered else []
    chosen = most[:: max(1, -(-len(most) // MOST))][:MOST]
    missing = known - {c for patch in chosen for c in patch.classes}
    chosen += [patch for patch in ordered if patch not in chosen and patch.classes & missing][:MOST]
    return tuple(chosen)


def covering(model: Model, size: int, radius: int, known: set[object]) -> tuple[Patch, ...]:
    """Those of `patches` with known classes and, where fields or couplings vary, as many more as see every site.

    None at all if they do not. Where nothing varies, sites of a class are alike, and one piece stands for all.
    """
    chosen = [patch for patch in patches(model, size, radius) if patch.classes <= known]
    missing = {q for q in range(model.num_qubits) if _excess(model)} - {q for patch in chosen for q in patch.sites}
    sets = [*_connected(interacting_pairs(model.hamiltonian), size)] if missing else []
    while missing:
        sets = sorted((sites for sites in sets if missing & {*sites}), key=lambda sites: len(missing & {*sites}))
        if not sets:
            return ()
        patch = _patch(model, sets.pop(), radius)
        if patch.classes <= known:
            chosen.append(patch)
            missing -= {*patch.sites}
    return tuple(chosen)


def ring(model: Model, size: int, radius: int = 1) -> Patch | None:
    """The inside of a chain closed to a ring of that many sites, all of the bulk's class; None if there is none.

    The model must be a path whose inner sites and bonds are all alike, written in the order of its qubits.
    """
    n = model.num_qubits
    chain = {(q, q + 1) for q in range(n - 1)}
    if size < 4 or n < size + 2 or set(interacting_pairs(model.hamiltonian)) != chain or _excess(model, inner=True):
        return None
    spans = [[q for q, letter in enumerate(reversed(label)) if letter != "I"] for label, _ in model.terms]
    if any(len(acting) > 2 for acting in spans):
        return None
    middle = n // 2
    terms: list[tuple[str, list[int], float]] = []
    for label, coefficient in model.terms:
        acting = [q for q, letter in enumerate(reversed(label)) if letter != "I"]
        if acting and acting[0] == middle and acting[-1] <= middle + 1:
            letters = "".join(label[n - 1 - q] for q in acting)
            terms += [(letters, [(q - middle + k) % size for q in acting], coefficient) for k in range(size)]
    piece = Model(SparsePauliOp.from_sparse_list(terms, num_qubits=size), f"{model.name}[ring {size}]")
    around = (2, *((2, 2) if radius else ()))
    features = tuple((((role, around), 1.0),) for role in ("site", "ancilla") for _ in range(size))
    bonds = interacting_pairs(piece.hamiltonian)
    colours = () if size % 2 else tuple(1 + pair[0] % 2 if pair[1] == pair[0] + 1 else 2 for pair in bonds)
    return Patch(tuple(1 + k % (n - 2) for k in range(size)), piece, bonds, features, colours)


def _connected(pairs: tuple[Edge, ...], size: int, most: int = 2000) -> Iterator[tuple[int, ...]]:
    """Connected sets of sites; each once, the first `most` of them."""
    neighbours: dict[int, set[int]] = {}
    for a, b in pairs:
        neighbours.setdefault(a, set()).add(b)
        neighbours.setdefault(b, set()).add(a)
    level: set[tuple[int, ...]] = {(site,) for site in sorted(neighbours)}
    for _ in range(size - 1 if level else 0):
        wider = {tuple(sorted({*sites, new})) for sites in sorted(level) for old in sites for new in neighbours[old]}
        grown = len(next(iter(level))) + 1
        level = set(sorted(sites for sites in wider if len(sites) == grown)[:most])
        if not level:
            return
    yield from sorted(level)


def _patch(model: Model, sites: tuple[int, ...], radius: int) -> Patch:
    n, inside = model.num_qubits, set(sites)
    kept = []
    for label, coefficient in model.terms:
        acting = {q for q, letter in enumerate(reversed(label)) if letter != "I"}
        if acting and acting <= inside:
            kept.append(("".join(label[n - 1 - q] for q in reversed(sites)), coefficient))
    piece = Model(SparsePauliOp.from_list(kept or [("I" * len(sites), 0.0)]), f"{model.name}[{len(sites)}]")
    bonds = interacting_pairs(piece.hamiltonian)
    near = [sorted({q for edge in bonds if k in edge for q in edge} - {k}) for k in range(len(sites))]
    around = [(len(mine), *(sorted(len(near[q]) for q in mine) if radius else ())) for mine in near]
    excess = _excess(model)
    features: list[tuple[tuple[object, float], ...]] = []
    for role in ("site", "ancilla"):
        for k, site in enumerate(sites):
            name = (role, around[k])
            varying = tuple(((*name, kind), float(values[site])) for kind, values in excess.items())
            features.append(((name, 1.0), *varying))
    every = _colours(model)
    own = [every.get((sites[a], sites[b]), 0) for a, b in bonds]  # 0: where a longer term has no path of its own inside
    return Patch(sites, piece, bonds, tuple(features), tuple(own) if all(own) else ())


@lru_cache(maxsize=8)
def _colours(model: Model) -> dict[Edge, int]:
    """Of all bonds of a model, worked out once for all of its pieces."""
    return coloured(interacting_pairs(model.hamiltonian))


def _excess(model: Model, *, inner: bool = False) -> dict[str, np.ndarray]:
    """Fields by letter and the sum of couplings, per site, less their mean, where they differ from site to site.

    In units of the largest coefficient of H: they are weights of angles, which have no unit.

    With `inner`, fields at the two ends of a chain are not looked at.
    """
    n, unit = model.num_qubits, scale.size(model.hamiltonian) or 1.0
    fields = {letter: np.zeros(n) for letter in "XYZ"}
    strengths: dict[Edge, float] = {}
    for label, c in model.terms:
        acting, coefficient = [q for q, letter in enumerate(reversed(label)) if letter != "I"], c / unit
        if len(acting) == 1:
            fields[label[n - 1 - acting[0]]][acting[0]] += coefficient
        elif len(acting) == 2:
            pair = (acting[0], acting[1])
            strengths[pair] = strengths.get(pair, 0.0) + coefficient
    seen = slice(1, -1) if inner else slice(None)
    values = {kind: field - field.mean() for kind, field in fields.items() if np.ptp(field[seen]) > VARIES}
    if strengths and np.ptp(list(strengths.values())) > VARIES:
        total = np.array([sum(c for pair, c in strengths.items() if q in pair) for q in range(n)])
        values["J"] = total - total.mean()
    return values
