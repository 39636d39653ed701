"""One ancilla, jump by jump: each jump is a palindrome of nodes, forward and back in time, or a pass forward only."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from ...programs.product_formulas import commuting_groups
from ...programs.program import Program, Stage
from ...programs.steps import Couple, Evolve, Reset, Step
from ..time_domain.coherent_steps import RadiusKnobs, corrections, ledger, middle, performed, refuse_radius
from ..time_domain.coherent_term import PauliSum
from ..time_domain.knobs import delay_between_sweeps, refuse_large, settings
from ..time_domain.symbolic_jumps import Node, Source, SymbolicJump, span, symbolic_jumps, walk
from ..time_domain.truncation import left_out

Direction = Literal["forward_and_back", "forward"]


class SequentialKnobs(RadiusKnobs):
    """Settings of the sequential scheme."""

    direction: Direction = Field(
        default="forward_and_back",
        description="forward_and_back: every jump a palindrome, back in time; forward: repeated interaction, half"
        " the evolution, with a bias of time ordering that vanishes with the strength.",
    )


def sequential(generator: Source, knobs: SequentialKnobs, *, palindromic: bool = True) -> Program:
    r"""Each jump by $e^{-i\sqrt\delta(L\otimes|1\rangle\langle 0| + h.c.)}$ on one ancilla, then a reset.

    The exponential is split over the nodes, each a coupling between pieces of $e^{-iHt}$ that telescope. The angles
    scale as √δ, so the commutators of a Lie product are of order δ, as large as the jump itself: only the palindrome
    (half angles forward, half back) converges. The sweep ends where it began in time: it runs in a frame shifted by
    t₀, which leaves σ where it is.

    Declared order: 1 in the strength, towards $e^{\delta(\mathcal L + i[B,\cdot])}$ in that frame. B is left out, and
    random delays between sweeps suppress what that does to the fixed point, or it stands in the middle of the first
    palindrome. Jumps truncated to a radius begin and end at kernel time 0.

    With direction = "forward" the pass is a Lie product that does not return: half the evolution. It is L in the
    interaction picture together with a time-ordering Lamb shift of order δ, which the free evolution suppresses:
    fixed-point bias of order 1 in δ under random delays.

    Args:
        generator: With positive kernels, whatever their rank; of a discrete channel the transitions inside.
        knobs: All set.
        palindromic: False gives the Lie order forward and then back, which does not converge: a negative control.

    Raises:
        ArgumentError: If a knob is missing, out of range or unused, or a kernel has no circuit.
        TooLargeError: If one sweep is too large to write out.

    References:
        Ding, Chen & Lin, Phys. Rev. Research 6, 033147, for the single-ancilla dilation and its time-domain form;
        Lloyd & Abanin, PRX 16, 031053, for forward only.
    """
    strength, spacing, count = knobs.settled()
    jumps = symbolic_jumps(generator, knobs.resolution)
    groups = commuting_groups(generator.model.hamiltonian, knobs.truncation)
    refuse_large(jumps, knobs, groups, *written(len(jumps), count, knobs.direction))
    back, whole = knobs.direction == "forward_and_back", knobs.radius is None
    refuse_radius(knobs, forward=not back)
    passes = [jumps] if back else [[jump] for jump in jumps]
    sums = corrections(generator, passes, knobs, forward=not back, inside_pass=whole)
    length = span(jumps, count, spacing) if whole else 0.0
    steps: list[Step] = [] if whole else performed(sums[0], strength)
    for index, jump in enumerate(jumps):
        B = sums[index] if whole and index < len(sums) else None
        riding = jump.terms if B is None else tuple({term: None for part in passes[index] for term in part.terms})
        unit = Evolve(spacing, 1, knobs.trotter_order, left_out(groups, riding, knobs.radius))
        steps += jump_steps(jump, strength, count, unit, length, knobs.direction, B, palindromic=palindromic)
    steps += delay_between_sweeps(knobs, spacing)
    return Program(
        num_system=generator.model.num_qubits,
        num_ancilla=1,
        groups=groups,
        stages=(Stage(tuple(steps), knobs.set("sweeps")),),
        generator=generator,
        scheme="sequential",
        knobs=settings(generator, knobs),
        calibration=knobs.calibration,
        declared=ledger(generator, passes, knobs),
    )


def written(jumps: int, count: int, direction: Direction) -> tuple[int, int]:
    """(couplings per jump, evolutions in all) of single-ancilla jumps."""
    legs = 1 if direction == "forward" else 2
    return legs * (count - 1) + 1, legs * (count - 1) * jumps


def jump_steps(
    jump: SymbolicJump,
    strength: float,
    count: int,
    unit: Evolve,
    length: float,
    direction: Direction,
    B: PauliSum | None = None,
    *,
    palindromic: bool = True,
) -> list[Step]:
    """One jump at one strength on ancilla 0, with its reset, B in its middle; `unit` evolves by one spacing."""
    grid = jump.nodes(count, unit.duration)
    back = direction == "forward_and_back"
    steps: list[Step] = []
    coherent = performed(B, strength)
    for stop in walk(grid, length, unit, palindromic=palindromic and back, back=back):
        if isinstance(stop, Node):
            w = np.sqrt(strength) * grid.weights[stop.index]
            steps.append(Couple(jump.terms, 0, float(stop.share * abs(w)), float(np.angle(w))))
            if stop.index == middle(grid):
                steps, coherent = [*steps, *coherent], []
        else:
            steps.append(stop)
    return [*steps, Reset((0,))]
