"""All couplings at once: every ancilla rides the same evolution, which is paid once per pass, not once per jump."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from ...generators import Lindbladian
from ..program import Program, Stage
from ..quadrature import uniform_nodes
from ..steps import Couple, Evolve, Reset, Step
from ..trotter import commuting_groups, spectators
from .common import SymbolicJump, TimeKnobs, declared, delay_between_sweeps, symbolic_jumps


class ParallelKnobs(TimeKnobs):
    """Settings of the parallel scheme; those left out are chosen from the formula, the gap and the target error."""

    ancillas: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        examples=[2],
        description="Most ancillas to use at once; left out: one per coupling of a pass.",
    )


def parallel(generator: Lindbladian, knobs: ParallelKnobs) -> Program:
    r"""Forward-only passes, all couplings of a pass at once, random delays between sweeps.

    A pass couples ancilla a at node l through $e^{-i\theta_l A_a\otimes(\cos\phi_l X + \sin\phi_l Y)}$ with
    $\theta_l = \sqrt\delta\,\tau|f(t_l)|$ and $\phi_l = \arg f(t_l)$, evolves by τ between nodes, and resets. Letters
    on the same site are passes of their own: two couplings riding one ancilla would implement L₁ + L₂, not {L₁, L₂}.

    Declared orders: fixed-point bias linear in δ (a time-ordering Lamb shift and second-order jumps), of order
    `trotter_order` in the spacing, beyond any power in the spacing for the filter. The coherent term B is left out.

    Raises:
        ArgumentError: If a knob is missing or out of range.

    References:
        Lloyd & Abanin, PRX 16, 031053, for cooling by ancillas that ride the evolution; Ding, Li & Lin,
        arXiv:2404.05998, for the filter.
    """
    strength, spacing, count = knobs.settled()
    jumps = symbolic_jumps(generator)
    passes = _passes(jumps, knobs.ancillas)
    groups = commuting_groups(generator.model.hamiltonian, knobs.truncation)
    steps: list[Step] = []
    for members in passes:
        idle = spectators(groups, [term for jump in members for term in jump.terms])
        steps += _pass(members, strength, count, Evolve(spacing, 1, knobs.trotter_order, idle))
    steps += delay_between_sweeps(knobs, spacing)
    nodes = uniform_nodes(jumps[0].filter, count, spacing)
    return Program(
        num_system=generator.model.num_qubits,
        num_ancilla=max(len(members) for members in passes),
        groups=groups,
        stages=(Stage(tuple(steps), knobs.set("sweeps")),),
        generator=generator,
        scheme="parallel",
        knobs=knobs.as_dict(),
        calibration=knobs.calibration,
        declared=declared(generator, jumps[0], nodes, knobs.trotter_order),
    )


def _passes(jumps: list[SymbolicJump], budget: int | None) -> list[list[SymbolicJump]]:
    """Couplings on disjoint sites share a pass, first fit, at most `budget` at once."""
    passes: list[list[SymbolicJump]] = []
    for jump in jumps:
        for members in passes:
            if len(members) < (budget or len(jumps)) and all(not (jump.support & other.support) for other in members):
                members.append(jump)
                break
        else:
            passes.append([jump])
    return passes


def _pass(members: list[SymbolicJump], strength: float, count: int, between: Evolve) -> list[Step]:
    steps: list[Step] = []
    grids = [uniform_nodes(jump.filter, count, between.duration) for jump in members]
    for l in range(len(grids[0].times)):
        if l > 0:
            steps.append(between)
        for ancilla, (jump, grid) in enumerate(zip(members, grids, strict=True)):
            w = np.sqrt(strength * jump.weight) * grid.weights[l]
            steps.append(Couple(jump.terms, ancilla, float(abs(w)), float(np.angle(w))))
    steps.append(Reset(tuple(range(len(members)))))
    return steps
