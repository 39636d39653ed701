"""One ancilla drawn from a thermal ensemble per interaction: repeated interactions, with and without the shift rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import fsum, sqrt

import numpy as np
from pydantic import Field

from ...errors import ArgumentError
from ...evidence import CHEN_DING_ZHANG, Citation, Status
from ...generators.filters.base import Filter
from ...generators.lindbladian import Lindbladian
from ...linalg.arrays import Array
from ...linalg.paulis import Term
from ...programs.product_formulas import commuting_groups, spectators
from ...programs.program import ErrorTerm, Program, Rung
from ...programs.steps import Branch, Couple, Evolve, RandomChoice, Reset, Step
from ..base import Scheme
from ..time_domain.knobs import TimeKnobs, declared, program_in_time, refuse_large
from ..time_domain.quadrature import uniform_nodes
from ..time_domain.symbolic_jumps import SymbolicJump, kernel_factors, symbolic_jumps

NEVER = 1e-15  # a branch less likely than this is never drawn
SOURCE = "Ding, Zhan, Preskill & Lin, arXiv:2508.05703"


class ThermalAncillaKnobs(TimeKnobs):
    """Settings of thermal-ancilla repeated interaction."""

    shift: bool = Field(
        default=True,
        description="The shift rule: the ancilla's splitting moved against its population, so that transitions are in"
        " detailed balance. False: a plain thermal ancilla, whose error saturates at weak coupling.",
    )


@dataclass(frozen=True, eq=False)
class Interaction:
    """What one sweep may draw: a coupling, an ancilla and the complex angles θ e^{iφ} of its nodes."""

    probability: float
    terms: tuple[Term, ...]
    angles: Array


def thermal_ancilla(generator: Lindbladian, knobs: ThermalAncillaKnobs) -> Program:
    r"""Each sweep draws one coupling A and one ancilla, and lets them interact forward in time only, then resets.

    A factor $\hat f_k$ of weight $w_k$ of the kernel is drawn with probability
    $P_k = w_k\|f_k\|^2 / \sum_{k'} w_{k'}\|f_{k'}\|^2$, $\|f\|^2 = \tau\sum_l|f(t_l)|^2$, over all couplings, and its
    nodes have $\theta_l = \sqrt{\delta w_k/P_k}\,\tau|f_k(t_l)|$, $\phi_l = \arg f_k(t_l)$. Every interaction then has
    the same strength, $\alpha^2 = \sum_l\theta_l^2/\tau = \delta\sum_k w_k\|f_k\|^2$, and the mean sweep is
    $e^{\delta\mathcal L}$ to first order in δ.

    For a windowed kernel in detailed balance (CKG, Scandi–Alhambra; the Gaussian filter is the single point w = 0) this
    *is* a thermal ancilla with the shift rule. Its factors have $f(t)\propto e^{-t^2/4s^2-i(u-\beta/8s^2)t}$ with
    s = 1/(2σ_E), T = 2s, and centres u = ∓w. u = −w is an ancilla of splitting w + β/(8s²) that starts in |0⟩; u = +w
    one of splitting w − β/(8s²) that starts in |1⟩, which a turned sign of φ replaces without a gate. P gives them
    1 − p : p with p = 1/(1+e^{βw}). The density of w is γ(w) + γ(−w), γ the rate of the kernel, on as
    many pairs ±w as its factors have: detailed balance is exact whatever their number.

    Without the shift the centres are those of a plain thermal ancilla, splitting w for both: the coarse-grained kernel
    of the same rate, biased by O(β²/s²) at any strength. A kernel that is not in detailed balance has no shift to take
    away and is compiled as it is.

    Declared order: fixed-point error O(δ) = O(α²) with the rule, saturation without. The coherent term is left out.

    Args:
        generator: With positive kernels, whatever their rank.
        knobs: All set.

    Raises:
        ArgumentError: If a knob is missing, or `shift` is false for a filter that is no Gaussian window.
        TooLargeError: If the branches are too many to write out.

    References:
        Ding, Zhan, Preskill & Lin, arXiv:2508.05703, for the interaction; Chen, Ding & Zhang, arXiv:2604.15616: with
        transitions in KMS balance the fixed point tends to σ whatever the Lamb shift; Scandi & Alhambra,
        arXiv:2505.20064, for the shifted spectrum. The rule for a two-level ancilla in this form is our reading.
    """
    strength, spacing, count = knobs.settled()
    jumps = symbolic_jumps(generator, knobs.resolution)
    groups = commuting_groups(generator.model.hamiltonian, knobs.truncation)
    refuse_large(jumps, knobs, groups, count, (count - 1) * len(jumps), at_once=False)
    drawn = interactions(generator, strength, spacing, count, shift=knobs.shift, resolution=knobs.resolution)
    between = {
        terms: Evolve(spacing, 1, knobs.trotter_order, spectators(groups, list(terms)))
        for terms in {one.terms for one in drawn}
    }
    branches = tuple(Branch(one.probability, _steps(one, between[one.terms])) for one in drawn)
    known = partial(_declared, generator, jumps, knobs)
    return program_in_time(generator, THERMAL_ANCILLA.name, knobs, groups, 1, [RandomChoice(branches)], known)


def interactions(
    generator: Lindbladian,
    strength: float,
    spacing: float,
    count: int,
    *,
    shift: bool = True,
    resolution: float | None = None,
) -> list[Interaction]:
    """What a sweep draws from; probabilities add up to 1.

    Raises:
        ArgumentError: If `shift` is false for a filter that is no Gaussian window.
    """
    factors = kernel_factors(generator, resolution)
    found: list[tuple[tuple[Term, ...], float, Array]] = []
    for contact in generator.contacts:
        terms = tuple((label, float(c.real)) for label, c in contact.coupling.to_list())
        for weight, filter in factors[contact.kernel].factors:
            grid = uniform_nodes(filter, count, spacing)
            moved = 0.0 if shift or not contact.kernel.detailed_balance else shift_of(filter)
            found.append((terms, weight, grid.weights * np.exp(-1j * moved * grid.times)))
    rates = [weight * float(np.sum(np.abs(nodes) ** 2)) for _, weight, nodes in found]
    total = fsum(rates)
    kept = [(one, rate) for one, rate in zip(found, rates, strict=True) if rate > NEVER * total]
    norm = fsum(rate for _, rate in kept)
    return [
        Interaction(rate / norm, terms, np.asarray(sqrt(strength * weight * norm / rate) * nodes))
        for (terms, weight, nodes), rate in kept
    ]


def shift_of(filter: Filter) -> float:
    """β/(8s²): what the rule adds to the splitting of an ancilla in |0⟩.

    Raises:
        ArgumentError: If the filter is no Gaussian window.
    """
    if filter.resonance_shift is None:
        raise ArgumentError(
            "shift", "be true for a filter that is no Gaussian window", f"it is false for the filter {filter.name}",
            'remove it, or use kind = "ckg" or "scandi_alhambra"',
        )  # fmt: skip
    return filter.resonance_shift


def _steps(one: Interaction, between: Evolve) -> tuple[Step, ...]:
    steps: list[Step] = []
    for l, angle in enumerate(one.angles):
        if l > 0:
            steps.append(between)
        steps.append(Couple(one.terms, 0, float(abs(angle)), float(np.angle(angle))))
    return (*steps, Reset((0,)))


def _balanced(generator: Lindbladian) -> bool:
    return all(contact.kernel.detailed_balance for contact in generator.contacts)


def _declared(
    generator: Lindbladian, jumps: Sequence[SymbolicJump], knobs: ThermalAncillaKnobs
) -> tuple[ErrorTerm, ...]:
    known = declared(generator, jumps, knobs)
    if knobs.shift and _balanced(generator):
        return known
    unit = "saturates: transitions not in detailed balance"
    return (ErrorTerm(Rung.FILTER, None, unit, Status.NOT_CHECKED, SOURCE), *known)


def _shift_rule(program: Program) -> Iterator[Citation]:
    if program.knobs.get("shift") and _balanced(program.lindbladian):
        yield CHEN_DING_ZHANG, "detailed balance of the transitions being enough at weak coupling (the shift rule)"


THERMAL_ANCILLA = Scheme(
    "thermal_ancilla", thermal_ancilla, ThermalAncillaKnobs,
    "one coupling and one thermal ancilla drawn per sweep, with the shift rule",
    order=1, source=SOURCE, also_cited=_shift_rule,
)  # fmt: skip
