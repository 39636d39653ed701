"""Derived programs at 6 to 8 qubits: a few settings, followed through maps."""

from __future__ import annotations

import math
from dataclasses import replace

from ...errors import NotConvergedError
from ...evidence import number
from ...generators.frequency import local_frequency, time_unit
from ...generators.lindbladian import Lindbladian
from ...io.progress import Progress
from ...linalg.fixed_point import fixed_point
from ...models.scale import rounded
from ...models.spectrum import gibbs_state, trace_distance
from ...programs.initial_state import mixed, one, zero
from ...programs.program import Program, Stage
from ...readings.channel.building_time import building_seconds
from ...readings.channel.sweep_channel import sweep_map
from ...readings.channel.worst_start import worst_start
from .. import costs
from ..candidates import Candidate, as_candidate
from ..clock import Deadline, OutOfTimeError
from ..evaluate import CountedMap
from ..task import SearchTask
from .few_nodes import layout

DERIVED = "derived: node weights, product formula and fields by least squares from couplings, H and beta"
# τν, Strang steps, nodes, mean rate, delays: what did well on models of 3 to 5 qubits, the likeliest first
SETTINGS = (
    (1.33, 1, 5, 0.55, (0, 4)), (1.6, 1, 4, 0.8, (0, 4)), (1.6, 1, 5, 0.55, (0, 4)), (1.33, 1, 5, 0.4, (0, 4)),
    (1.06, 1, 5, 0.4, (0, 4)), (1.6, 2, 4, 0.4, (0, 4)), (0.8, 1, 6, 0.27, (2, 8)), (1.33, 2, 5, 0.27, (2, 8)),
    (1.33, 3, 4, 0.55, (0, 4)), (1.33, 3, 5, 0.27, (0, 4)), (1.33, 5, 5, 0.27, (0, 4)),
)  # fmt: skip
MOST_SWEEPS = 40
FIXED_POINT, SEARCH = 40, 85  # applications of a sweep, and of all sweeps, that a fixed point and a worst start take


def mapped(
    task: SearchTask, generator: Lindbladian, deadline: Deadline, progress: Progress
) -> list[Candidate[Program]]:
    """One candidate per setting that the time is enough for; the first whatever the time.

    Each is repeated until zero, one and mixed are within 0.75 of the target, or the given start within it. For a
    sampler the fixed point and the worst start are then searched for, and sweeps are added until both are within it;
    where the time does not allow it, the distance is inf, and the note gives what is known.
    """
    nu, found = local_frequency(generator) or 1 / time_unit(generator), list[Candidate[Program]]()
    n, written = generator.model.num_qubits, None
    try:
        for index, (turn, slices, nodes, rate, delays) in enumerate(SETTINGS):
            progress(f"derived programs: setting {index + 1} of {len(SETTINGS)}, through maps")
            if found:
                deadline.spend(costs.layout(n, nodes))
            plan = layout(generator, nodes, rounded(turn / nu, time_unit(generator)), slices)
            program = plan.program([Stage(plan.sweep(rate, delays), 1)])
            written = written or (program, rate)
            if not deadline.allows(building_seconds(program)):
                break
            deadline.spend(building_seconds(program))
            found.append(_followed(task, program, deadline, index + 1))
            if deadline.passed:
                break
    except OutOfTimeError:
        pass
    if not found and written is not None:
        program, rate = written
        repeats = math.ceil(math.log(1 / task.target_error) / rate)
        whole = _named(_repeated(program, repeats), task.target_error, 0)
        found.append(as_candidate(whole, math.inf, "not checked: no time"))
    return found


def _followed(task: SearchTask, program: Program, deadline: Deadline, tried: int) -> Candidate[Program]:
    """The program as often as it is repeated until it is within the target, and the distance that is known then."""
    target, sampler, margins = task.target_error, task.sampler, task.margins
    n, act = program.num_system, CountedMap(sweep_map(program), deadline)
    sigma = gibbs_state(program.generator.model, program.generator.beta)
    states = [s.density(n) for s in (zero(n), one(n), mixed())] if sampler else [task.start_density]
    goal, distance, repeats = (margins.through_maps if sampler else 1.0) * target, math.inf, 0
    while repeats < MOST_SWEEPS:
        repeats += 1
        states = [act.apply(rho) for rho in states]
        before, distance = distance, max(trace_distance(rho, sigma) for rho in states)
        if distance <= goal or distance > before - 1e-4 or deadline.passed:
            break

    def candidate(repeats: int, distance: float, note: str) -> Candidate[Program]:
        return as_candidate(_named(_repeated(program, repeats), target, tried), distance, note)

    if not sampler:
        return candidate(repeats, distance, f"few nodes, {repeats} sweeps, followed through maps")
    if not deadline.allows(act.seconds * (FIXED_POINT + SEARCH * repeats)):
        note = f"not checked: no time for the worst start; zero, one and mixed end within {number(distance, 3)}"
        return candidate(repeats, math.inf, note)
    try:
        fixed = trace_distance(fixed_point(act), sigma)
        distance = max(fixed, worst_start(_repeated(program, repeats), [act], starts=8).distance)
    except NotConvergedError:
        return candidate(repeats, math.inf, "not checked: the fixed point did not converge")
    except OutOfTimeError:
        return candidate(
            repeats, math.inf, f"not checked: no time; zero, one and mixed end within {number(distance, 3)}"
        )
    while (
        margins.predicted * target < distance
        and fixed <= margins.predicted * target
        and deadline.allows(act.seconds * SEARCH * (repeats + 1))
    ):
        try:
            longer = max(fixed, worst_start(_repeated(program, repeats + 1), [act], starts=8).distance)
        except OutOfTimeError:
            break
        repeats, distance = repeats + 1, longer
    return candidate(repeats, distance, f"few nodes, {repeats} sweeps, searched through maps")


def _repeated(program: Program, repeats: int) -> Program:
    stages = (replace(program.stages[0], repeats=repeats),)
    return replace(program, stages=stages, knobs={**program.knobs, "sweeps": repeats})


def _named(program: Program, target: float, tried: int) -> Program:
    text = (
        f"{DERIVED}; spacing, nodes, strength and delays: {tried} settings tried, the channel as a map served to "
        f"choose the repeats and to accept or reject, target {target:g}"
    )
    return replace(program, provenance=text)
