r"""Sweeps of few nodes for a model of any size: written on windows of a few sites, and copied site by site.

A site's couplings, fields and counter-terms are those that it has in the middle of a piece of the model around it, so
that nothing is ever diagonalised beyond `WINDOW` sites. What is left to choose is a `Recipe`, a few numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ...evidence import Status
from ...generators.kinds.dll import dll
from ...generators.lindbladian import Generator
from ...linalg.paulis import Term
from ...models.graph import interacting_pairs
from ...models.model import Model
from ...programs.product_formulas import Group, commuting_groups
from ...programs.program import ErrorTerm, Program, Rung, Stage
from ...programs.steps import Correct, Couple, Evolve, Reset, Step
from .few_nodes import SOURCE, Layout, layout, turned

WINDOW = 5  # sites of a piece: what lies beyond two bonds moves a site's numbers little, and 8^n is paid per piece


@dataclass(frozen=True)
class Pass:
    """All sites coupled to their ancillas once: a letter, a number of nodes, a mean rate."""

    letter: str
    nodes: int
    strength: float


@dataclass(frozen=True)
class Recipe:
    """What decides a program on a model of any size.

    Attributes:
        passes: In order of time.
        spacing: τ, from node to node.
        colder: The nodes' weights are made for β times this: what strong couplings heat, colder ones make up for.
        order: Of the product formula between nodes, see `Layout`.
    """

    passes: tuple[Pass, ...]
    spacing: float
    colder: float = 1.0
    order: int = 2

    def __str__(self) -> str:
        return " ".join(f"{one.letter}{one.nodes}" for one in self.passes)


@dataclass(frozen=True, eq=False)
class Window:
    """A piece of a model around one of its sites.

    Attributes:
        sites: Of the model, in order.
        at: Which of them it is around.
        terms: Of H within the piece, on its qubits.
    """

    sites: tuple[int, ...]
    at: int
    terms: tuple[Term, ...]


def windows(model: Model, most: int = WINDOW) -> tuple[Window, ...]:
    """One per site: its surroundings, distance by distance, up to so many sites."""
    n = model.num_qubits
    near: dict[int, set[int]] = {site: set() for site in range(n)}
    for a, b in interacting_pairs(model.hamiltonian):
        near[a].add(b)
        near[b].add(a)
    touching: dict[int, list[tuple[frozenset[int], str, float]]] = {site: [] for site in range(n)}
    for label, coefficient in model.terms:
        support = frozenset(n - 1 - k for k, letter in enumerate(label) if letter != "I")
        for site in support:
            touching[site].append((support, label, coefficient))
    return tuple(_window(site, near, touching, n, most) for site in range(n))


def _window(
    site: int, near: Mapping[int, set[int]], touching: Mapping[int, list[tuple[frozenset[int], str, float]]],
    n: int, most: int,
) -> Window:  # fmt: skip
    inside, shell = {site}, {site}
    while shell:
        shell = {q for p in shell for q in near[p]} - inside
        if len(inside | shell) > most:
            break
        inside |= shell
    sites = tuple(sorted(inside))
    kept: dict[str, float] = {}
    for q in sites:
        for support, label, coefficient in touching[q]:
            if support <= inside and q == min(support):
                kept["".join(label[n - 1 - p] for p in reversed(sites))] = coefficient
    return Window(sites, sites.index(site), tuple(sorted(kept.items())))


@lru_cache(maxsize=4096)
def _layout(
    terms: tuple[Term, ...], size: int, beta: float, letter: str, nodes: int, spacing: float, order: int
) -> Layout:
    return layout(dll(_piece(terms, size), beta, letter), nodes, spacing, 1, order)


@lru_cache(maxsize=512)  # one object, so that it is diagonalised once
def _piece(terms: tuple[Term, ...], size: int) -> Model:
    return Model(SparsePauliOp.from_list([*terms] or [("I" * size, 0.0)]), "window")


@dataclass(frozen=True, eq=False)
class Copied:
    """A recipe on a model: the layouts of its windows, by site."""

    model: Model
    beta: float
    recipe: Recipe
    windows: tuple[Window, ...]

    def layout(self, site: int, letter: str, nodes: int) -> tuple[Layout, int]:
        """Of the window around a site, and the site's place in it."""
        window, recipe = self.windows[site], self.recipe
        beta = self.beta * recipe.colder
        return (
            _layout(window.terms, len(window.sites), beta, letter, nodes, recipe.spacing, recipe.order),
            window.at,
        )

    def groups(self) -> tuple[Group, ...]:
        """H with counter-terms: a site's fields as in its own window, a longer term's as the mean over its sites'."""
        n, first = self.model.num_qubits, self.recipe.passes[0]
        sums: dict[str, list[float]] = {}
        for site, window in enumerate(self.windows):
            plan, at = self.layout(site, first.letter, first.nodes)
            for group in plan.groups:
                for label, coefficient in group.terms:
                    support = [k for k, letter in enumerate(reversed(label)) if letter != "I"]
                    if at in support:
                        sums.setdefault(_wide(label, window.sites, n), []).append(coefficient)
        return commuting_groups(SparsePauliOp.from_list([(label, float(np.mean(c))) for label, c in sums.items()]))

    def steps(self) -> Iterator[Step]:
        """All passes; nothing but H in between."""
        for one in self.recipe.passes:
            yield from self.one_pass(one)

    def one_pass(self, one: Pass) -> Iterator[Step]:
        """Every site meets its ancilla at every node, the first time while that is fresh."""
        n, root = self.model.num_qubits, np.sqrt(one.strength)
        for node in range(one.nodes):
            if node:
                yield Evolve(self.recipe.spacing, 1, self.recipe.order)
            fields, turns = list[Term](), list[Term]()
            for site in range(n):
                plan, at = self.layout(site, one.letter, one.nodes)
                w, label = root * plan.weights[node], _letter(n, site, one.letter)
                kick = Couple(((label, 1.0),), site, float(abs(w)), float(np.angle(w)))
                if node:
                    yield kick
                else:
                    yield from _fresh(kick, n)
                    turns.append((label, -np.pi / 4))
                for own, coefficient in plan.fields[0][node]:
                    if (letter := own[len(own) - 1 - at]) != "I":
                        fields.append((_letter(n, site, letter), coefficient))
            if turns:
                yield Correct((Group(tuple(turns)),), 1.0, 1, 1)
            if fields:
                yield Correct((Group(tuple(fields)),), one.strength, 1, 1)
        yield Reset(tuple(range(n)))

    def program(self, generator: Generator, provenance: str = "") -> Program:
        """All passes as one sweep, so that its fixed point is about what it leaves behind."""
        recipe, n = self.recipe, self.model.num_qubits
        plans = [self.layout(n // 2, one.letter, one.nodes)[0] for one in recipe.passes]
        violation, missing = (max(values) for values in zip(*((p.violation, p.missing) for p in plans), strict=True))
        groups = self.groups()
        return Program(
            num_system=n,
            num_ancilla=n,
            groups=groups,
            stages=(Stage((*self.steps(), *turned(groups, recipe.spacing, recipe.order)), 1),),
            generator=generator,
            scheme="auto",
            knobs={
                "letters": "".join(one.letter for one in recipe.passes),
                "nodes": tuple(one.nodes for one in recipe.passes),
                "strengths": tuple(one.strength for one in recipe.passes),
                "spacing": recipe.spacing,
                "colder": recipe.colder,
                "sweeps": 1,
            },
            declared=(
                ErrorTerm(Rung.QUADRATURE, violation, "relative violation of balance", Status.MEASURED, SOURCE),
                ErrorTerm(Rung.DILATION, None, "order 1 in strength", Status.NOT_CHECKED, SOURCE),
                ErrorTerm(Rung.COHERENT, missing, "share of B − S left out", Status.MEASURED, SOURCE),
                ErrorTerm(Rung.TROTTER, None, "order 2 in spacing", Status.NOT_CHECKED, SOURCE),
            ),
            provenance=provenance,
        )


def _fresh(kick: Couple, n: int) -> tuple[Couple, ...]:
    r"""A coupling whose ancilla is in |0⟩, by one two-qubit gate instead of two, and $e^{iπP/4}$ on the site to follow.

    $e^{-iθP⊗A}|0⟩ = e^{iπP/4}\,e^{-iπA'/4}\,e^{-iπP⊗A/4}\,e^{-i(θ-π/4)A'}|0⟩$, A the ancilla's axis φ and A' that of
    φ − π/2.
    """
    nothing, across = (("I" * n, 1.0),), kick.axis - np.pi / 2
    return (
        Couple(nothing, kick.ancilla, kick.angle - np.pi / 4, across),
        replace(kick, angle=np.pi / 4),
        Couple(nothing, kick.ancilla, np.pi / 4, across),
    )


def _wide(label: str, sites: tuple[int, ...], n: int) -> str:
    letters = ["I"] * n
    for k, letter in enumerate(reversed(label)):
        letters[n - 1 - sites[k]] = letter
    return "".join(letters)


def _letter(n: int, site: int, letter: str) -> str:
    return "I" * (n - 1 - site) + letter + "I" * site
