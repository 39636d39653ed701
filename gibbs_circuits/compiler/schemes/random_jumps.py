"""One jump per sweep, drawn by its share of the total strength: kernels of many factors in short circuits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ...generators.lindbladian import Generator
from ...generators.matrices import in_energy_basis
from ...limits import MAX_DIAGONALISED
from ...linalg.arrays import Real
from ...models.model import Model
from ...models.spectrum import spectrum
from ...programs.product_formulas import commuting_groups
from ...programs.program import Program
from ...programs.steps import Branch, Evolve, RandomChoice
from ..base import Scheme
from ..time_domain.coherent_steps import JumpKnobs, coherent_steps, corrections, ledger
from ..time_domain.knobs import program_in_time, refuse_large
from ..time_domain.symbolic_jumps import SymbolicJump, on_grid, span, symbolic_jumps
from ..time_domain.truncation import left_out
from .sequential import couplings_and_evolutions, jump_steps

FLOOR = 0.1


class RandomJumpsKnobs(JumpKnobs):
    """Settings of the scheme of randomised jumps."""


def random_jumps(generator: Generator, knobs: RandomJumpsKnobs) -> Program:
    r"""Each sweep performs one jump, j with probability $p_j$ at step $\delta/p_j$, then waits a random delay.

    The mean of a sweep is $\sum_j p_j\,e^{(\delta/p_j)\mathcal L_j} = 1 + \delta\sum_j\mathcal L_j + O(\delta^2)$: as
    long a circuit per sweep for thousands of factors as for one. See `probabilities` for $p_j$.

    Declared order: 1 in the strength, of the averaged channel towards $e^{\delta(\mathcal L + i[B,\cdot])}$ with
    direction = "forward_and_back"; 1 of the fixed-point bias under random delays in either direction. The mean is over
    the draws: every realisation must draw anew.

    Args:
        generator: With positive kernels, whatever their rank; of a discrete channel the transitions inside.
        knobs: All set; δ stands for the whole generator, so that a jump alone is made by δ/p_j.

    Raises:
        ArgumentError: If a knob is missing, out of range or unused, or a kernel has no circuit.
        TooLargeError: If the branches are too many to write out.

    References:
        Chen, Li, Lu & Ying, arXiv:2407.06594, the average channel; Campbell, PRL 123, 070503, for Hamiltonians.
    """
    strength, spacing, count = knobs.settled()
    jumps = symbolic_jumps(generator, knobs.resolution)
    groups = commuting_groups(generator.model.hamiltonian, knobs.truncation)
    refuse_large(jumps, knobs, groups, *couplings_and_evolutions(len(jumps), count, knobs.direction), at_once=False)
    knobs.refuse_radius()
    whole = knobs.radius is None
    passes = [[jump] for jump in jumps]
    sums = corrections(generator, passes, knobs, inside_pass=whole)
    length = span(jumps, count, spacing) if whole else 0.0
    shares = probabilities(generator.model, jumps, count, spacing)
    branches = []
    for jump, p, B in zip(jumps, shares, sums, strict=True):
        unit = Evolve(spacing, 1, knobs.trotter_order, left_out(groups, jump.terms, knobs.radius))
        first = [] if whole else coherent_steps(B, float(strength / p))
        steps = jump_steps(jump, float(strength / p), count, unit, length, knobs.direction, B if whole else None)
        branches.append(Branch(float(p), (*first, *steps)))
    declared = partial(ledger, generator, passes, knobs)
    return program_in_time(generator, RANDOM_JUMPS.name, knobs, groups, 1, [RandomChoice(tuple(branches))], declared)


def probabilities(model: Model, jumps: Sequence[SymbolicJump], count: int, spacing: float) -> Real:
    r"""$p_j \propto \|L_j\|\,N_j$ with the rate $\|L_j\|^2 = \mathrm{Tr}\,L_j^\dagger L_j/2^n$ and
    $N_j = \|A_j\|\sum_l|w_l|$, the angle of all its nodes together.

    A branch errs where a jump, at rate ‖L‖², meets one more pair of couplings, of size up to N²: an error of
    $(\delta/p_j)^2\|L_j\|^2N_j^2$ with probability p_j, the sum of which is smallest at this choice. Compared on the
    channels of four kernels it left errors 1.2 to 1.7 times smaller than p ∝ N², and 1.0 to 1.2 times than p ∝ ‖L‖²,
    whose weak jumps take steps so long that the order suffers; for the same reason ‖L‖ counts as at least N/10. Above
    8 qubits, where H is not diagonalised, p ∝ N².
    """  # noqa: D205
    grids = [jump.nodes(count, spacing) for jump in jumps]
    sizes = {jump.terms: sum(abs(c) for _, c in jump.terms) for jump in jumps}  # at least ‖A‖: all rotations together
    whole = np.array([np.abs(g.weights).sum() * sizes[jump.terms] for jump, g in zip(jumps, grids, strict=True)])
    if model.num_qubits > MAX_DIAGONALISED:
        return np.asarray(whole**2 / np.sum(whole**2))
    s = spectrum(model)
    squares = {terms: np.abs(in_energy_basis(SparsePauliOp.from_list(terms), s)) ** 2 / s.dim for terms in sizes}
    made = on_grid(jumps, count, spacing, s.bohr_frequencies)
    acting = np.array([np.sqrt(np.sum(np.abs(made[jump.key]) ** 2 * squares[jump.terms])) for jump in jumps])
    shares = whole * np.maximum(acting, FLOOR * whole)
    return np.asarray(shares / shares.sum())


RANDOM_JUMPS = Scheme(
    "random_jumps", random_jumps, RandomJumpsKnobs,
    "one ancilla, one jump per sweep, drawn by its share of the total rate",
    order=1, source="Chen, Li, Lu & Ying, arXiv:2407.06594; Campbell, PRL 123, 070503",
)  # fmt: skip
