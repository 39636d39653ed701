"""What a block of a run must look like, known before any is read: its size, its draws, its shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...limits import BLOCK_OVERHEAD_BYTES, MAX_BLOCK_BYTES
from ...programs.fresh_ancillas import most_resets_of
from ...readings.circuits.circuit import random_draws
from ..measurement.measurement import jump_events
from ..measurement.shots import Block, Counts, Shots
from ..transpile.compiled import Ancillas
from .request import CHECK, Request
from .verify import CHECK_SHOTS

CHARACTER = 4  # bytes of one in an array of text
AROUND = 24  # characters around a bit string and its count


@dataclass(frozen=True)
class Expected:
    """What a store holds blocks against.

    Attributes:
        largest: Bytes that the arrays of a block can take.
        misfit: Why a block cannot be one of this run; None if it can.
    """

    largest: int = MAX_BLOCK_BYTES
    misfit: Callable[[Block], str | None] = lambda block: None


def expected_of(request: Request) -> Expected:
    """What the blocks of a run are held against."""
    return Expected(largest_block(request), lambda block: misfit(request, block))


def largest_block(request: Request) -> int:
    """Bytes that no block of a run exceeds: states, or the counts and shots of every basis, and what goes with them."""
    program, written = request.compiled.program, request.compiled.written
    n = program.num_system
    rows, bases = max(request.share, CHECK_SHOTS), max(1, len(request.bases))
    states = 16 * (written.sweeps + 1) * 4**n if _gives_states(request) else 0
    counts = CHARACTER * min(rows, 2**n) * (n + AROUND)
    shots = rows * (n + most_resets_of(program)) if request.compiled.ancillas is Ancillas.RECORDED else 0
    draws = 8 * sum(stage.repeats * len(stage.steps) for stage in program.stages)
    names = CHARACTER * sum(len(name) + 2 * AROUND for name in request.observables)
    header = CHARACTER * (len(str(request.identity)) + 100 * (2 * bases + 10))
    return int(BLOCK_OVERHEAD_BYTES + states + bases * (counts + shots) + draws + names + header)


def _gives_states(request: Request) -> bool:
    return request.machine.direct and request.choice is not None and request.choice.method == "density_matrix"


def misfit(request: Request, block: Block) -> str | None:
    """Why a block cannot be one of this run; None if it can."""
    compiled, n, check = request.compiled, request.compiled.program.num_system, block.realisation == CHECK
    draws = () if check else random_draws(compiled.program, request.seed, block.realisation)
    if not (check or 0 <= block.realisation < request.realisations):
        return "the run has no such realisation"
    if block.draws != draws:
        return "its draws are not those of this realisation"
    shape = (compiled.written.sweeps + 1, 2**n, 2**n)
    if _gives_states(request) != (block.states is not None):
        return "it holds states where there are none, or none"
    if block.states is not None and (block.states.shape != shape or block.states.dtype.kind != "c"):
        return "its states have another shape"
    if block.flips is not None and block.flips.shape != (n, 2):
        return "its readout errors have another shape"
    if set(block.values) != (set(request.observables) if request.estimated else set()):
        return "its values are not those of the observables"
    return _unlike_counts(request, block.counts, n) or _unlike_shots(request, block.shots, draws, n, check=check)


def _unlike_counts(request: Request, counts: Sequence[Counts], n: int) -> str | None:
    measured = 0 if request.estimated or not request.shots else len(request.bases)
    if len(counts) != measured:
        return "its counts are not one set per measurement basis"
    if any(len(bits) != n or set(bits) - set("01") for one in counts for bits in one):
        return "its counts are of another number of qubits"
    return None


def _unlike_shots(request: Request, shots: Sequence[Shots], draws: Sequence[int], n: int, *, check: bool) -> str | None:
    recorded = request.compiled.ancillas is Ancillas.RECORDED and not check
    if len(shots) != (len(request.bases) if recorded and request.shots else 0):
        return "its shots are not one set per measurement basis"
    events = len(jump_events(request.compiled.program, draws)) if shots else 0
    for one in shots:
        rows = len(one.outcomes)
        if one.outcomes.shape != (rows, n) or one.jumps.shape != (rows, events) or one.outcomes.dtype != bool:
            return "its shots have another shape"
    return None
