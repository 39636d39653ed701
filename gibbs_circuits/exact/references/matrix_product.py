r"""Chains, ladders and strips: $e^{-βH/2}$ on a purification, a matrix product along a line through the sites.

Step and cut are made smaller together until nothing moves; three times the last change is the error bar. Where it does
not settle within the work that is allowed, it says what was reached.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from ...evidence import Status
from ...limits import MAX_LINE_SECONDS, MAX_LINE_WIDTH
from ...linalg.arrays import Real
from ...models.graph import interacting_pairs
from ...models.model import Model
from ...models.regions import Sparse, strings_of
from ...models.spectrum import Thermal
from ..tensor_networks.line import order_on_line, variance, width_on_line
from ..tensor_networks.purification import Cooled, Cooling, NotSettledError
from .base import ExactAnswer, GibbsReference, sparse_of

AIMED = 1e-4  # change of a Pauli expectation at which refining ends
ACCEPTED = 2e-3  # and with which it still counts when the work is done
PER_SITE = 1e-4  # change of the energy per site, of the largest coefficient, that is accepted
COARSEST = (0.8, 3e-4)  # step × strength of all terms on a site, and cut
WIDER = 3.0  # bar over last change: holds while every refinement takes a quarter off; tests count how often it does
FINER = (1.35, 4.0)  # by what step and cut are divided at every refinement


@dataclass(frozen=True, eq=False)
class _Level:
    """What one step and one cut give."""

    cooled: Cooled
    thermal: Thermal
    probed: Real
    dropped: float


@dataclass(frozen=True, eq=False)
class _Outcome:
    answer: ExactAnswer | None
    reason: str = field(default="")


def _probes(model: Model) -> list[Sparse]:
    """The strings of H, all of single sites and all of interacting pairs: where a change is looked for."""
    regions = [*((q,) for q in range(model.num_qubits)), *interacting_pairs(model.hamiltonian)]
    own = [sparse_of(label) for label, _ in model.terms]
    return [*own, *(string for region in regions for string in strings_of(tuple(sorted(region))))]


def _level(model: Model, beta: float, steps: int, cut: float, allowed: float) -> tuple[_Level, float]:
    cooling, probes = Cooling(model, beta / 2 / steps, cut, allowed), _probes(model)
    for _ in range(steps):
        cooling.cool()
    cooled = cooling.cooled
    probed = cooled.state.paulis(probes)
    energy = float(np.array([c for _, c in model.terms]) @ probed[: len(model.terms)])
    thermal = Thermal(
        energy=energy,
        free_energy=-cooled.log_z / beta if beta > 0 else None,
        entropy=beta * energy + cooled.log_z,
        heat_capacity=beta**2 * variance(model, cooled.state, energy),
        purity=None,
        ground_energy=None,
    )
    return _Level(cooled, thermal, probed, cooling.dropped), cooling.work


@lru_cache(maxsize=4)
def _outcome(model: Model, beta: float) -> _Outcome:
    strength = np.zeros(model.num_qubits)
    for label, c in model.terms:
        strength[[q for q, _ in sparse_of(label)]] += abs(c)
    scale = max((abs(c) for label, c in model.terms if set(label) != {"I"}), default=0.0)
    steps, cut = max(3, math.ceil(beta / 2 * float(strength.max()) / COARSEST[0])), COARSEST[1]
    coarse, fine, work, moved, per_site, blind, reached = None, None, 0.0, math.inf, math.inf, True, ""
    while moved > AIMED or per_site > PER_SITE * scale or blind:
        try:
            found, took = _level(model, beta, steps, cut, MAX_LINE_SECONDS - work)
        except NotSettledError as error:
            reached = str(error)
            break
        coarse, fine, work = fine, found, work + took
        if coarse is not None:
            moved = float(np.max(np.abs(fine.probed - coarse.probed)))
            blind = fine.cooled.state.bond == coarse.cooled.state.bond and fine.dropped > AIMED
            per_site = abs(fine.thermal.energy - coarse.thermal.energy) / model.num_qubits
        steps, cut = math.ceil(steps * FINER[0]), cut / FINER[1]
    if coarse is None or fine is None:
        return _Outcome(None, f"the work allowed, {MAX_LINE_SECONDS:g} s, was done at {reached}")
    if moved > ACCEPTED or blind or per_site > PER_SITE * scale:
        return _Outcome(
            None,
            f"when the work allowed, {MAX_LINE_SECONDS:g} s, was done, the energy per site still moved by "
            f"{per_site:.1e} and a local expectation by {moved:.1e} ({reached})",
        )
    return _Outcome(_settled(model, beta, coarse, fine, moved))


def _settled(model: Model, beta: float, coarse: _Level, fine: _Level, moved: float) -> ExactAnswer:
    floor = moved / WIDER  # where two changes cancel by chance
    spread = floor * float(np.linalg.norm([c for _, c in model.terms]))  # of the energy, if its terms moved by chance

    def pauli_errors(strings: Sequence[Sparse]) -> Real:
        change = fine.cooled.state.paulis(strings) - coarse.cooled.state.paulis(strings)
        return np.asarray(WIDER * np.maximum(np.abs(change), floor))

    new, old = fine.thermal, coarse.thermal
    pairs = {
        "energy": (new.energy, old.energy, spread),
        "free_energy": (new.free_energy, old.free_energy, spread),
        "entropy": (new.entropy, old.entropy, beta * spread),
        "heat_capacity": (new.heat_capacity, old.heat_capacity, beta * spread),
    }
    errors = {
        name: WIDER * max(abs(one - other), least)
        for name, (one, other, least) in pairs.items()
        if one is not None and other is not None
    }
    return ExactAnswer(fine.thermal, fine.cooled.state.paulis, Status.MEASURED, errors, pauli_errors, WIDER * moved)


def _why_not(model: Model, beta: float) -> str | None:
    width = width_on_line(order_on_line(model), interacting_pairs(model.hamiltonian))
    if width > MAX_LINE_WIDTH:
        return f"{width} interactions cross one bond of a line through the sites, at most {MAX_LINE_WIDTH} are followed"
    outcome = _outcome(model, float(beta))
    return None if outcome.answer is not None else outcome.reason


def _answer(model: Model, beta: float) -> ExactAnswer:
    outcome = _outcome(model, float(beta))
    if outcome.answer is None:
        raise ValueError(outcome.reason)
    return outcome.answer


matrix_product = GibbsReference("matrix_product", _answer, _why_not)
