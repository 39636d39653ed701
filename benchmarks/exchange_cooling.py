"""Cooling by exchange: a few numbers tuned on small pieces of a lattice, used on the whole of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass

import numpy as np

from gibbs_circuits.errors import ArgumentError, check_integer
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.linalg.arrays import Real
from gibbs_circuits.linalg.paulis import Term, weight
from gibbs_circuits.models.model import Model
from gibbs_circuits.programs.initial_state import mixed
from gibbs_circuits.programs.product_formulas import Group, commuting_groups
from gibbs_circuits.programs.program import Calibration, Program, Stage
from gibbs_circuits.programs.steps import Branch, Correct, Couple, RandomChoice, Reset, Step
from gibbs_circuits.readings.channel.sweep_channel import state_after_sweeps

DIAGONAL = set("IZ")
IN_FOUR = 4  # one site in this many is cooled at once


@dataclass(frozen=True)
class Cooling:
    r"""One cycle of cooling by exchange, in seven numbers and a detuning.

    Attributes:
        strength: θ, the sum of the angles of Y over the three nodes.
        middle: m; the nodes have the angles θ(1, m, 1)/(2 + m). At m = 2 the filter of Y alone has a double zero.
        exchange: r, the angles of X over those of Y; 1 exchanges an excitation, 0 couples Y alone.
        phase: φ, what the ancilla's axis advances per interval; a splitting of φ per interval.
        bonds: τ, the time the bonds act in an interval, 1/energy.
        x_fields: The same for the fields along X; another time than τ, which takes up what the splitting of a
            long interval and the coupling itself shift.
        z_fields: The same for the fields along Z.
        detuning: Additional angle of Z per interval on the sites that are being cooled.
    """

    strength: float
    middle: float
    exchange: float
    phase: float
    bonds: float
    x_fields: float
    z_fields: float
    detuning: float = 0.0


# From `tune`, as benchmarks/kagome.py calls it: pieces of the kagome lattice with g_x = 0.5, g_z = 2.
KAGOME = Cooling(0.7742, 1.7764, 0.7940, 1.8602, 0.3220, 0.4405, 0.3474, 0.0917)
TUNED_ON = "tuned on the energy of a triangle, a bow-tie and six sites of the kagome lattice"


def sets_of_sites(model: Model, most: int) -> tuple[tuple[int, ...], ...]:
    """The sites in ⌈n / most⌉ sets, each site once, with few bonds inside a set.

    Sites with many bonds come first and go to the set, not yet full, with the fewest of their neighbours.
    """
    bonds = [_support(label) for label, _ in model.hamiltonian.to_list() if weight(label) > 1]
    near = [{other for bond in bonds if site in bond for other in bond} for site in range(model.num_qubits)]
    sets: list[list[int]] = [[] for _ in range(-(-model.num_qubits // most))]
    for site in sorted(range(model.num_qubits), key=lambda s: (-len(near[s]), s)):
        free = [members for members in sets if len(members) < most]
        min(free, key=lambda members: (len(near[site] & set(members)), len(members))).append(site)
    return tuple(tuple(sorted(members)) for members in sets)


def cooling(
    generator: Lindbladian, recipe: Cooling, ancillas: int | None = None, cycles: int = 100, provenance: str = ""
) -> Program:
    r"""Each cycle draws one set of sites and cools them with a fresh ancilla each, all riding the same evolution.

    $\prod_{l=0}^{2} U\,e^{-ir\theta_lX\otimes\sigma(l\varphi+\pi/2)}e^{-i\theta_lY\otimes\sigma(l\varphi)}$ without
    the last U, $\sigma(\varphi) = \cos\varphi\,X + \sin\varphi\,Y$; U is one Strang step fields | bonds | fields. Y and
    X at right angles move an excitation from site to ancilla and are nearly blind to the reverse, which one letter
    would leave to the length of the interval; three nodes suppress the heating that is left. A cycle has
    2B + 6a two-qubit rotations, B bonds and a = `ancillas`: 52 on 12 open kagome sites with a = 3.

    The program aims low, not at a temperature: it forgets its start, and where it settles is found by running it.

    Args:
        generator: Its model is cooled; an Ising model with fields along X and Z.
        recipe: The numbers.
        ancillas: Most sites to cool at once; None: one in four.
        cycles: How many.
        provenance: Where the recipe comes from.

    Raises:
        ArgumentError: If a term is neither diagonal nor a field along X, or a number is out of range.
    """
    model, cycles = generator.model, check_integer("cycles", cycles, low=1)
    most = check_integer("ancillas", -(-model.num_qubits // IN_FOUR) if ancillas is None else ancillas, low=1)
    sets = sets_of_sites(model, most)
    evolve = {members: _interval(model, recipe, members) for members in sets}
    branches = (Branch(1 / len(sets), _cycle(model, recipe, members, evolve[members])) for members in sets)
    return Program(
        num_system=model.num_qubits,
        num_ancilla=max(map(len, sets)),
        groups=commuting_groups(model.hamiltonian),
        stages=(Stage((RandomChoice(tuple(branches)),), cycles),),
        generator=generator,
        scheme="cooling",
        knobs={"sweeps": cycles, "ancillas": most, **asdict(recipe)},
        provenance=provenance,
        calibration=Calibration.PATCH,
    )


def settled_energy(generator: Lindbladian, recipe: Cooling, cycles: int = 40) -> float:
    """Energy per site after the cycles from the maximally mixed state, on the exact channel."""
    program, n = cooling(generator, recipe, cycles=cycles), generator.model.num_qubits
    rho = state_after_sweeps(program, mixed().density(n))
    return float(np.vdot(generator.model.hamiltonian.to_matrix(), rho).real) / n


def tune(pieces: Sequence[Lindbladian], start: Cooling, evaluations: int = 700) -> Cooling:
    """The recipe of the lowest sum of settled energies per site, by Nelder & Mead from `start`.

    A lower energy is a colder state, so no piece's ground state is needed, and the model that the recipe is meant for
    is not used at all: what the recipe reaches on it is a test.

    Args:
        pieces: Small pieces of the lattice; up to 6 sites take 0.05 s per evaluation.
        start: A recipe from which to search.
        evaluations: At most so many of the sum.
    """
    from scipy.optimize import minimize  # loaded when used

    def total(numbers: Real) -> float:
        return sum(settled_energy(piece, Cooling(*map(float, numbers))) for piece in pieces)

    found = minimize(
        total, np.array(astuple(start)), method="Nelder-Mead",
        options={"maxfev": evaluations, "xatol": 2e-3, "fatol": 1e-4, "adaptive": True},
    )  # fmt: skip
    return Cooling(*map(float, found.x))


def _support(label: str) -> tuple[int, ...]:
    return tuple(q for q, letter in enumerate(reversed(label)) if letter != "I")


def _interval(model: Model, recipe: Cooling, cooled: tuple[int, ...]) -> Correct:
    """One Strang step with the recipe's times: the fields, detuned where a site is being cooled, around the bonds."""
    fields: list[Term] = []
    bonds: list[Term] = []
    for label, coefficient in model.hamiltonian.to_list():
        value = float(coefficient.real)
        if weight(label) == 0:
            continue
        if weight(label) > 1 and not set(label) - DIAGONAL:
            bonds.append((label, recipe.bonds * value))
        elif weight(label) == 1 and not set(label) - set("IXZ"):
            fields.append((label, (recipe.x_fields if "X" in label else recipe.z_fields) * value))
        else:
            raise ArgumentError(
                "model", "have bonds of Z and fields along X and Z only", f"it has the term {label}",
                "compile it with another scheme",
            )  # fmt: skip
    fields += [(_letter(model, site, "Z"), recipe.detuning) for site in cooled]
    groups = tuple(Group(tuple(part)) for part in (fields, bonds) if part)
    return Correct(groups, 1.0, 1, 2)


def _cycle(model: Model, recipe: Cooling, members: tuple[int, ...], interval: Correct) -> tuple[Step, ...]:
    steps: list[Step] = []
    for node, share in enumerate(np.array([1, recipe.middle, 1]) / (2 + recipe.middle)):
        if node:
            steps.append(interval)
        angle, axis = float(recipe.strength * share), recipe.phase * node
        for ancilla, site in enumerate(members):
            steps.append(Couple(((_letter(model, site, "Y"), 1.0),), ancilla, angle, axis))
            steps.append(
                Couple(((_letter(model, site, "X"), 1.0),), ancilla, recipe.exchange * angle, axis + np.pi / 2)
            )
    return (*steps, Reset(tuple(range(len(members)))))


def _letter(model: Model, site: int, letter: str) -> str:
    n = model.num_qubits
    return "I" * (n - 1 - site) + letter + "I" * site
