"""One ancilla, jump by jump: each jump is a palindrome of nodes, forward and back in time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...generators import Lindbladian
from ..program import Program, Stage
from ..quadrature import uniform_nodes
from ..steps import Couple, Evolve, Reset, Step
from ..trotter import commuting_groups, spectators
from .common import SymbolicJump, TimeKnobs, declared, delay_between_sweeps, symbolic_jumps


class SequentialKnobs(TimeKnobs):
    """Settings of the sequential scheme."""


def sequential(generator: Lindbladian, knobs: SequentialKnobs, *, palindromic: bool = True) -> Program:
    r"""Each jump by $e^{-i\sqrt\delta(L\otimes|1\rangle\langle 0| + h.c.)}$ on one ancilla, then a reset.

    The exponential is split over the nodes, each a coupling between pieces of $e^{-iHt}$ that telescope. The angles
    scale as √δ, so the commutators of a Lie product are of order δ, as large as the jump itself: only the palindrome
    (half angles forward, half back) converges. The sweep ends where it began in time: it runs in a frame shifted by
    t₀, which leaves σ where it is.

    Declared order: 1 in the strength, towards $e^{\delta(\mathcal L + i[B,\cdot])}$ in that frame. B is left out; the
    random delays between sweeps suppress what that does to the fixed point.

    Args:
        generator: Any generator whose kernel has rank-one factors.
        knobs: All set.
        palindromic: False gives the Lie order, which does not converge: a negative control.

    References:
        Ding, Chen & Lin, Phys. Rev. Research 6, 033147, for the single-ancilla dilation and its time-domain form.
    """
    strength, spacing, count = knobs.settled()
    jumps = symbolic_jumps(generator)
    steps: list[Step] = []
    groups = commuting_groups(generator.model.hamiltonian, knobs.truncation)
    for jump in jumps:
        step = Evolve(spacing, 1, knobs.trotter_order, spectators(groups, list(jump.terms)))
        steps += _jump(jump, strength, count, step, palindromic)
    steps += delay_between_sweeps(knobs, spacing)
    nodes = uniform_nodes(jumps[0].filter, count, spacing)
    return Program(
        num_system=generator.model.num_qubits,
        num_ancilla=1,
        groups=groups,
        stages=(Stage(tuple(steps), knobs.set("sweeps")),),
        generator=generator,
        scheme="sequential",
        knobs=knobs.as_dict(),
        calibration=knobs.calibration,
        declared=declared(generator, jumps[0], nodes, knobs.trotter_order),
    )


def _jump(jump: SymbolicJump, strength: float, count: int, forward: Evolve, palindromic: bool) -> list[Step]:
    grid = uniform_nodes(jump.filter, count, forward.duration)
    weights = np.sqrt(strength * jump.weight) * grid.weights
    nodes = [(l, 1.0) for l in range(len(weights))]
    if palindromic:
        half = [(l, 0.5) for l, _ in nodes[:-1]]
        nodes = [*half, nodes[-1], *reversed(half)]
    steps: list[Step] = []
    at = 0
    for l, share in nodes:
        if l != at:
            steps.append(replace(forward, duration=(l - at) * forward.duration))
        at = l
        steps.append(Couple(jump.terms, 0, float(share * abs(weights[l])), float(np.angle(weights[l]))))
    if at != 0:
        steps.append(replace(forward, duration=-at * forward.duration, slices=at))
    return [*steps, Reset((0,))]
