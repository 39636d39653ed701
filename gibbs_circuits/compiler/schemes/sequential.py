"""One ancilla, jump by jump: each jump is a palindrome of nodes, forward and back in time, or a pass forward only."""

from __future__ import annotations

from functools import partial

import numpy as np

from ...generators.lindbladian import Generator
from ...programs.product_formulas import commuting_groups
from ...programs.program import Program
from ...programs.steps import Couple, Evolve, Reset, Step
from ..base import Scheme
from ..time_domain.coherent_steps import Direction, JumpKnobs, coherent_steps, corrections, ledger, middle
from ..time_domain.coherent_term import PauliSum
from ..time_domain.knobs import program_in_time, refuse_large
from ..time_domain.symbolic_jumps import Node, SymbolicJump, span, symbolic_jumps, walk
from ..time_domain.truncation import left_out


class SequentialKnobs(JumpKnobs):
    """Settings of the sequential scheme."""


def sequential(generator: Generator, knobs: SequentialKnobs, *, palindromic: bool = True) -> Program:
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
    refuse_large(jumps, knobs, groups, *couplings_and_evolutions(len(jumps), count, knobs.direction))
    knobs.refuse_radius()
    whole = knobs.radius is None
    passes = [[jump] for jump in jumps] if knobs.forward_only else [jumps]
    sums = corrections(generator, passes, knobs, inside_pass=whole)
    length = span(jumps, count, spacing) if whole else 0.0
    steps: list[Step] = [] if whole else coherent_steps(sums[0], strength)
    for index, jump in enumerate(jumps):
        B = sums[index] if whole and index < len(sums) else None
        riding = jump.terms if B is None else tuple({term: None for part in passes[index] for term in part.terms})
        unit = Evolve(spacing, 1, knobs.trotter_order, left_out(groups, riding, knobs.radius))
        steps += jump_steps(jump, strength, count, unit, length, knobs.direction, B, palindromic=palindromic)
    declared = partial(ledger, generator, passes, knobs)
    return program_in_time(generator, SEQUENTIAL.name, knobs, groups, 1, steps, declared)


def couplings_and_evolutions(jumps: int, count: int, direction: Direction) -> tuple[int, int]:
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
    coherent = coherent_steps(B, strength)
    for stop in walk(grid, length, unit, palindromic=palindromic and back, back=back):
        if isinstance(stop, Node):
            w = np.sqrt(strength) * grid.weights[stop.index]
            steps.append(Couple(jump.terms, 0, float(stop.share * abs(w)), float(np.angle(w))))
            if stop.index == middle(grid):
                steps, coherent = [*steps, *coherent], []
        else:
            steps.append(stop)
    return [*steps, Reset((0,))]


SEQUENTIAL = Scheme(
    "sequential", sequential, SequentialKnobs, "one ancilla, jump by jump, forward and back",
    order=1, source="Ding, Chen & Lin, Phys. Rev. Research 6, 033147",
)  # fmt: skip
