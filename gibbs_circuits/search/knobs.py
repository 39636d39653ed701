"""Knobs that were left out: settings of a formula, accepted on the exact channel, the cheapest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import ValidationError

from ..compiler.base import Knobs, Scheme
from ..errors import ArgumentError, TooLargeError
from ..evidence import number
from ..generators.lindbladian import Generator
from ..io.progress import Progress, quiet
from ..limits import MAX_CHANNEL_QUBITS, MAX_TRIED_STEPS
from ..linalg.arrays import Array
from ..linalg.fixed_point import fixed_point
from ..models.spectrum import gibbs_state, spectrum, trace_distance
from ..programs.program import Program
from ..readings.channel.building_time import branch_seconds
from ..readings.channel.sweep_channel import sweep_channel
from ..readings.channel.sweep_count import Pool
from ..readings.channel.worst_start import tried_starts
from ..readings.circuits.cost import cost
from . import costs
from .candidates import Candidate
from .clock import Deadline, OutOfTimeError, unlimited
from .task import MARGINS

MAX_SWEEPS = 400
RESTS, RESTED = 20, 1e-6  # after so many sweeps a distance that moves by less has come to rest
SEARCHED = 6  # steps of a search for the worst start, on average


def choose_unset_knobs(
    generator: Generator,
    scheme: Scheme,
    knobs: Knobs,
    target_error: float,
    progress: Progress = quiet,
    deadline: Deadline | None = None,
) -> Program:
    """The program at these knobs, those left out chosen so that the searched worst start meets `target_error`.

    Up to 5 qubits every candidate setting is predicted on the exact channel: a pool of bad starts, which all candidates
    share, rejects it sweep by sweep, and only a search over starts accepts it. The cheapest whose worst start and fixed
    point meet the target is taken, or, if none does, the nearest. The Gibbs state serves to accept or reject settings
    of the formula, never to fit an angle. Above 5 qubits the middle setting is taken and nothing is predicted. Explicit
    knobs win. Settings beyond the deadline are not tried, nor what the wall clock cuts off; at least one is.
    """
    open_knobs = [*knobs.left_out, *(name for name in knobs.also_chosen if name not in knobs.given)]
    if not knobs.left_out:
        return replace(scheme(generator, knobs), provenance="all knobs given")
    if generator.model.num_qubits > MAX_CHANNEL_QUBITS:
        values = {**knobs.unchecked_settings(generator, target_error), **knobs.given}
        program = scheme(generator, _within_range(type(knobs), values))
        text = f"{', '.join(open_knobs)}: from the formula alone, not checked (more than {MAX_CHANNEL_QUBITS} qubits)"
        return replace(program, provenance=text)
    candidates = list(_candidates(generator, knobs))
    accepted: Candidate[Program] | None = None
    nearest: Candidate[Program] | None = None
    pool, deadline = pool_of(generator), deadline or unlimited()
    refused: TooLargeError | None = None
    tried = steps = 0
    for candidate in candidates:
        if tried and deadline.passed:
            break
        best = "" if accepted is None else f", at {accepted.two_qubit_gates:,.0f} two-qubit gates"
        progress(f"choosing knobs: setting {tried + 1} of {len(candidates)}{best}")
        try:
            trial = try_knobs(generator, scheme, candidate, knobs.sweeps, target_error, accepted, pool, deadline)
        except TooLargeError as error:
            refused = error
            continue
        except OutOfTimeError:
            if tried:
                break
            trial = try_knobs(generator, scheme, candidate, knobs.sweeps, target_error, None, pool, unlimited())
        if trial.distance <= MARGINS.predicted * target_error:
            accepted = trial if accepted is None or trial.two_qubit_gates < accepted.two_qubit_gates else accepted
        elif nearest is None or trial.distance < nearest.distance:
            nearest = trial
        tried, steps = tried + 1, steps + sum(len(stage.steps) for stage in trial.program.stages)
        if steps > MAX_TRIED_STEPS:
            break
    chosen = accepted or nearest
    if chosen is None:
        assert refused is not None  # there is always a candidate
        raise refused
    if accepted is None and not deadline.clock.ran_out:
        power = np.linalg.matrix_power(sweep_channel(chosen.program), chosen.program.sweeps)
        chosen = replace(chosen, distance=max(chosen.distance, pool.searched(power)))
    of, late = f"{tried}", ""
    if tried < len(candidates):
        of, late = f"{tried} of {len(candidates)}", " (the others left out: too long)"
    outcome = "the cheapest that meets it" if accepted else "none meets it; the nearest"
    text = (
        f"{', '.join(open_knobs)}: of {of} settings of the formula{late}, {outcome}; target {target_error:g}, "
        f"predicted on the exact channel, worst start found by search, or the fixed point: {number(chosen.distance)}"
    )
    return replace(chosen.program, provenance=text)


def _candidates(generator: Generator, knobs: Knobs) -> Iterator[Knobs]:
    given, seen, refused = {"sweeps": 1, **knobs.given}, set(), None
    for values in knobs.candidate_settings(generator):
        try:
            candidate = _within_range(type(knobs), {**values, **given})
        except ArgumentError as error:
            refused = error
            continue
        if (key := tuple(sorted((k, str(v)) for k, v in candidate.as_dict().items()))) not in seen:
            seen.add(key)
            yield candidate
    if refused is not None and not seen:
        raise refused


def _within_range(kind: type[Knobs], values: dict[str, Any]) -> Knobs:
    """The knobs with these values.

    Raises:
        ArgumentError: If the formula asks for a value that a file could not give.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name, value = str(first["loc"][0]), first["input"]
        raise ArgumentError(
            name, "be given where the formula leaves its range", f"the formula asks for {value:g} ({first['msg']})",
            f"give {name}, or take another filter, kind or unit of H",
        ) from None  # fmt: skip


def pool_of(generator: Generator) -> Pool:
    """Starts that a first candidate is held against; those that were bad for one are likely to be for the next."""
    model = generator.model
    return Pool(gibbs_state(model, generator.beta), tried_starts(spectrum(model).vectors))


def try_knobs(
    generator: Generator,
    scheme: Scheme,
    knobs: Knobs,
    sweeps: int | None,
    target_error: float,
    cheapest: Candidate[Program] | None,
    pool: Pool,
    deadline: Deadline | None = None,
) -> Candidate[Program]:
    """The program with the fewest sweeps that meet the target; given up once it costs more than the cheapest so far.

    It meets the target if a search over starts finds none beyond, and its fixed point is not. `pool` grows.
    """
    goal, deadline, n = MARGINS.predicted * target_error, deadline or unlimited(), generator.model.num_qubits
    program = scheme(generator, knobs.model_copy(update={"sweeps": sweeps or 1}))
    per_sweep = cost(program).two_qubit_gates_per_sweep[0]
    most = sweeps or MAX_SWEEPS
    if cheapest is not None and sweeps is None and per_sweep > 0:
        most = min(most, int(cheapest.two_qubit_gates / per_sweep) + 1)
    deadline.spend(branch_seconds(n, program.stages[-1].steps) + costs.sweep_matrix(n, 4, n))
    channel = sweep_channel(program)
    deadline.spend(costs.fixed(n))
    fixed = trace_distance(fixed_point(channel), pool.sigma)
    count, worst = _sweeps(channel, sweeps or 1, most, goal, pool, deadline)
    if sweeps is None:  # a scheme writes one stage, which is repeated; writing it anew takes as long as judging it
        stages = (replace(program.stages[0], repeats=count),)
        program = replace(program, stages=stages, knobs={**program.knobs, "sweeps": count})
    return Candidate(program, per_sweep * program.sweeps, max(worst, fixed))


def _sweeps(channel: Array, first: int, most: int, goal: float, pool: Pool, deadline: Deadline) -> tuple[int, float]:
    """(sweeps, largest distance found): the fewest that a search accepts, or where the pool is not within the goal.

    From sweep to sweep the worst start never gets worse, since what a sweep leaves is again a state; so nothing is
    searched at a count that the pool rejects.
    """
    count, n = first, len(pool.sigma).bit_length() - 1
    while True:
        starts = len(pool.states)
        step = costs.columns_moved(n, starts) + costs.distances(n, starts)
        deadline.spend(costs.power(n, count) + step)
        vectors = np.linalg.matrix_power(channel, count) @ pool.columns
        worst, before = pool.worst(vectors), np.inf
        while worst > goal and count < most and not (count > RESTS and abs(worst - before) < RESTED):
            deadline.spend(step)
            count, vectors, before = count + 1, channel @ vectors, worst
            worst = pool.worst(vectors)
        if worst > goal:
            return count, worst
        deadline.spend(costs.power(n, count) + SEARCHED * costs.dense_search(n, starts + len(pool.tried)))
        worst = max(worst, pool.searched(np.linalg.matrix_power(channel, count), goal))
        if worst <= goal or count >= most:
            return count, worst
