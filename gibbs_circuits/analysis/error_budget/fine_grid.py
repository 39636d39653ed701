"""A grid of nodes so fine and wide that it makes no error, in place of a program's own."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

from ...linalg.arrays import Array
from ...programs.program import Program
from ...readings.channel.effective_generator import NotReadableError, Segment, segments
from .variants import grid_of, refined

CONVERGED = 1e-6  # relative change of R between two grids
GOOD_ENOUGH = 1e-3
MAX_NODES = 320
STEPS_AT_MOST = 9


@dataclass(frozen=True, eq=False)
class FineGrid:
    """A program on a fine, wide grid, and what of it is wide or fine alone.

    Attributes:
        program: Fine and wide.
        aliased: The program's spacing, the wide window.
        nodes, spacing: Of the fine, wide grid.
        change: Relative change of R when the grid was last refined.
    """

    program: Program
    aliased: Program
    nodes: int
    spacing: float
    change: float


def fine_grid(program: Program) -> FineGrid | None:
    """The program with as many nodes, over as long a window, as it takes for its jumps to stop changing.

    Every refinement makes the spacing finer and the window wider by √2. None if the program's scheme has no nodes, if
    its sweep cannot be read to first order, or if 320 nodes are not enough.
    """
    own = grid_of(program)
    if own is None:
        return None
    count, spacing = own
    window = max(2, count) * spacing
    before: Array | None = None
    found: tuple[Program, int, float] | None = None
    change = np.inf
    for k in range(STEPS_AT_MOST):
        fine, wide = spacing / 2 ** (k / 2), window * 2 ** (k / 2)
        nodes = ceil(wide / fine)
        if nodes > MAX_NODES:
            break
        trial = refined(program, nodes, fine)
        if trial is None:
            return None
        R = _decay(trial)
        if R is None:
            return None
        if before is not None:
            change = float(np.linalg.norm(R - before)) / max(float(np.linalg.norm(R)), 1e-300)
        before, found = R, (trial, nodes, fine)
        if change <= CONVERGED:
            break
    if found is None or not change <= GOOD_ENOUGH:
        return None
    best, nodes, fine = found
    aliased = refined(program, ceil(nodes * fine / spacing), spacing)
    return None if aliased is None else FineGrid(best, aliased, nodes, fine, change)


def _decay(program: Program) -> Array | None:
    """R of the whole sweep, part after part."""
    try:
        parts: tuple[Segment, ...] = segments(program)
    except NotReadableError:
        return None
    return np.stack([kick.probability * kick.decay for part in parts for kick in part.kicks])
