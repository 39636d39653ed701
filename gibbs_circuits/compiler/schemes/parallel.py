"""All couplings at once: every ancilla rides the same evolution, which is paid once per pass, not once per jump."""

from __future__ import annotations

from functools import partial

import numpy as np
from pydantic import Field

from ...generators.lindbladian import Generator
from ...programs.product_formulas import commuting_groups, spectators
from ...programs.program import Program
from ...programs.steps import Couple, Evolve, Reset, Step
from ..base import Scheme
from ..time_domain.coherent_steps import CoherentKnobs, coherent_steps, corrections, ledger, middle
from ..time_domain.coherent_term import PauliSum
from ..time_domain.knobs import program_in_time, refuse_large
from ..time_domain.symbolic_jumps import Node, SymbolicJump, span, symbolic_jumps, walk


class ParallelKnobs(CoherentKnobs):
    """Settings of the parallel scheme; those left out are chosen from the formula, the gap and the target error."""

    ancillas: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        examples=[2],
        description="Most ancillas to use at once; left out: one per coupling of a pass.",
    )


def parallel(generator: Generator, knobs: ParallelKnobs) -> Program:
    r"""Forward-only passes, all couplings of a pass at once, random delays between sweeps.

    A pass couples ancilla a at node l through $e^{-i\theta_l A_a\otimes(\cos\phi_l X + \sin\phi_l Y)}$ with
    $\theta_l = \sqrt{\delta w}\,\tau|f(t_l)|$ and $\phi_l = \arg f(t_l)$, evolves by τ between nodes, and resets. A
    kernel of several factors takes as many passes; all grids are centred on t = 0 and equally long, so that all passes
    are in one frame. Letters on the same site are passes of their own, and so are the factors of one coupling: two
    jumps riding one ancilla would implement L₁ + L₂, not {L₁, L₂}.

    Declared orders: fixed-point bias linear in δ (a time-ordering Lamb shift and second-order jumps), of order
    `trotter_order` in the spacing, beyond any power in the spacing for the filter. The coherent term B
    is left out, or stands in the middle of every pass.

    Args:
        generator: With positive kernels; of a discrete channel the transitions inside.
        knobs: All set.

    Raises:
        ArgumentError: If a knob is missing, out of range or unused, or a kernel has no circuit.
        TooLargeError: If one sweep is too large to write out.

    References:
        Lloyd & Abanin, PRX 16, 031053, for cooling by ancillas that ride the evolution; Ding, Li & Lin,
        arXiv:2404.05998, for the filter.
    """
    strength, spacing, count = knobs.settled()
    jumps = symbolic_jumps(generator, knobs.resolution)
    passes = _passes(jumps, knobs.ancillas)
    groups = commuting_groups(generator.model.hamiltonian, knobs.truncation)
    refuse_large(jumps, knobs, groups, couples=count, evolutions=len(passes) * (count - 1))
    length = span(jumps, count, spacing)
    steps: list[Step] = []
    for members, B in zip(passes, corrections(generator, passes, knobs), strict=True):
        idle = spectators(groups, list({term: None for jump in members for term in jump.terms}))
        steps += _pass(members, strength, count, Evolve(spacing, 1, knobs.trotter_order, idle), length, B)
    declared = partial(ledger, generator, passes, knobs)
    return program_in_time(generator, PARALLEL.name, knobs, groups, max(map(len, passes)), steps, declared)


def _passes(jumps: list[SymbolicJump], budget: int | None) -> list[list[SymbolicJump]]:
    """Couplings on disjoint sites share a pass, first fit, at most `budget` at once.

    δ functions in time, at β = 0, have one node, and passes of their own.
    """
    passes: list[tuple[set[int], bool, list[SymbolicJump]]] = []
    for jump in jumps:
        lasts = jump.filter.width > 0
        for taken, lasting, members in passes:
            if lasting == lasts and len(members) < (budget or len(jumps)) and taken.isdisjoint(jump.support):
                members.append(jump)
                taken |= jump.support
                break
        else:
            passes.append((set(jump.support), lasts, [jump]))
    return [members for _, _, members in passes]


def _pass(
    members: list[SymbolicJump], strength: float, count: int, unit: Evolve, length: float, B: PauliSum | None
) -> list[Step]:
    grids = [jump.nodes(count, unit.duration) for jump in members]
    steps: list[Step] = []
    for stop in walk(grids[0], length, unit, palindromic=False, back=False):
        if not isinstance(stop, Node):
            steps.append(stop)
            continue
        for ancilla, (jump, grid) in enumerate(zip(members, grids, strict=True)):
            w = np.sqrt(strength) * grid.weights[stop.index]
            steps.append(Couple(jump.terms, ancilla, float(abs(w)), float(np.angle(w))))
        if stop.index == middle(grids[0]):
            steps += coherent_steps(B, strength)
    return [*steps, Reset(tuple(range(len(members))))]


PARALLEL = Scheme(
    "parallel", parallel, ParallelKnobs, "one ancilla per site, all riding the same evolution",
    order=1, source="Lloyd & Abanin, PRX 16, 031053",
)  # fmt: skip
