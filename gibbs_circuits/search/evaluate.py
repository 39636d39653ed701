"""What a finished program reaches, read off its exact channel."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..errors import NotConvergedError
from ..limits import MAX_CHANNEL_QUBITS, MAX_KRYLOV_QUBITS
from ..linalg.arrays import Array
from ..linalg.fixed_point import fixed_point
from ..linalg.maps import Map
from ..models.spectrum import gibbs_state, trace_distance
from ..programs.program import Guarantee, Program
from ..readings.channel.building_time import building_seconds
from ..readings.channel.guarantee import promised
from ..readings.channel.sweep_channel import stage_channel, state_after_sweeps
from ..readings.channel.worst_start import worst_start
from . import costs
from .clock import Deadline, unlimited

DENSE_STARTS, DENSE_STEPS = 130, 12  # of a search for the worst start up to 5 qubits, as a rule


@dataclass(frozen=True)
class Evaluation:
    """The distance that a guarantee is about, and how it was found.

    `every_start`: whether it was searched for over starts on the exact channel.
    """

    distance: float
    text: str
    every_start: bool = False


@dataclass(frozen=True, eq=False)
class CountedMap:
    """A map on density matrices whose applications count against a deadline."""

    inner: Map
    deadline: Deadline

    @property
    def dim(self) -> int:
        """Dimension d of the system, 2ⁿ."""
        return self.inner.dim

    @property
    def seconds(self) -> float:
        """Nominal seconds of one application."""
        return self.inner.seconds

    def apply(self, rho: Array) -> Array:
        """Its value at one matrix ρ, (d, d)."""
        self.deadline.spend(self.seconds)
        return self.inner.apply(rho)

    def adjoint_apply(self, operator: Array) -> Array:
        """The adjoint's value at one matrix."""
        self.deadline.spend(self.seconds)
        return self.inner.adjoint_apply(operator)

    def after(self, total: Array | None) -> Array:
        """As a matrix, after `total`."""
        return self.inner.after(total)


def reading_seconds(program: Program, sampler: bool) -> float:
    """Nominal seconds of `evaluate` up to 5 qubits."""
    n = program.num_system
    sweep = costs.sweep_matrix(n, 4, n) + costs.delay_matrix(n)
    return len(program.stages) * sweep + (DENSE_STEPS * costs.dense_search(n, DENSE_STARTS) if sampler else 0.0)


def evaluate(program: Program, sampler: bool, start: Array, deadline: Deadline | None = None) -> Evaluation | None:
    """The distance that the guarantee is about, read off the exact channel up to 8 qubits; None above.

    Of a sampler the worst start found, or the fixed point of the last stage if that is farther. Where all sweeps are
    alike it is not farther than the worst start: it is a mixture of pure ones, and after all sweeps still itself. It is
    then left out above 5 qubits.

    Raises:
        OutOfTimeError: If the wall clock stops it; its work counts against the deadline.
    """
    if program.num_system > MAX_KRYLOV_QUBITS:
        return None
    deadline = deadline or unlimited()
    deadline.spend(
        building_seconds(program) if program.num_system > MAX_CHANNEL_QUBITS else reading_seconds(program, sampler)
    )
    made = [stage_channel(program, k) for k in range(len(program.stages))]
    channels = [one if isinstance(one, np.ndarray) else CountedMap(one, deadline) for one in made]
    sigma = gibbs_state(program.generator.model, program.generator.beta)
    if not sampler:
        final = state_after_sweeps(program, start, channels)
        return Evaluation(trace_distance(final, sigma), "state after all sweeps from the given start")
    worst = worst_start(program, channels)
    text = f"worst start found, by see-saw from {worst.starts} states"
    if len(channels) == 1 and not isinstance(channels[-1], np.ndarray):
        return Evaluation(worst.distance, text, every_start=True)
    try:
        ends = trace_distance(fixed_point(channels[-1]), sigma)
    except NotConvergedError:
        return Evaluation(math.inf, "the fixed point of the last stage is not known")
    if ends > worst.distance:
        return Evaluation(ends, "fixed point of the last stage, farther than the worst start found", every_start=True)
    return Evaluation(worst.distance, text, every_start=True)


def guarantee_reached(program: Program, target_error: float, start: Array) -> Guarantee | None:
    """What the exact channel bears out at this target and from this start; None above 8 qubits."""
    if (given := evaluate(program, False, start)) is None:
        return None
    every = None if program.preparation else evaluate(program, True, start)
    worst = None if every is None else every.distance  # of the fixed point, too
    return promised(
        target_error, given=given.distance, fixed_point=worst, worst=worst, bound=None, preparation=program.preparation
    ).guarantee
