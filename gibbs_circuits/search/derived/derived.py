"""The best derived programs: settings of few-node sweeps and schedules of them, accepted on the exact channel."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...compiler.schemes.registry import SCHEMES
from ...generators.contact import Coherent
from ...generators.frequency import local_frequency, time_unit
from ...generators.lindbladian import Lindbladian
from ...io.progress import Progress, quiet
from ...limits import MAX_CHANNEL_QUBITS, MAX_DIAGONALISED
from ...linalg.arrays import vec
from ...programs.program import Program
from ..candidates import Candidate, as_candidate, frontier
from ..clock import Deadline, OutOfTimeError, unlimited
from ..evaluate import evaluate
from ..knobs import choose_unset_knobs
from ..task import SearchTask
from .large import DERIVED, mapped
from .schedules import (
    FLOOR,
    MeasuredSweep,
    Scheduled,
    SearchGoal,
    followed,
    measured_sweeps,
    pairs,
    repeated,
    two_stages,
    useful,
)
from .sized import sized

SPACINGS = ((1.6, 1), (1.33, 1), (1.06, 1), (1.6, 2), (0.8, 1), (1.33, 2), (1.33, 3), (1.33, 5))  # τν, Strang steps
SHARE = 0.3  # of the time left that a spacing may take
RETURNED = 6


def derive(task: SearchTask, deadline: Deadline, progress: Progress = quiet) -> tuple[Candidate[Program], ...]:
    r"""The frontier of gates and distance among derived programs, cheapest first; at least one, whatever the deadline.

    Every number comes from the generator's couplings, H and β, through `few_nodes.layout`: weights of few nodes nearest
    to detailed balance, a product formula whose terms without gates are corrected, fields for B − S. The exact channel
    accepts or rejects settings: spacing and steps in `SPACINGS`; nodes, mean rate, delays as in `schedules`; and
    schedules of one stage or of two, strong sweeps first and weak ones last, with their repeats. They are
    asked to beat the target by a tenth; the frontier also shows those that do so by less.

    Up to 5 qubits settings are compared on followed starts, and those that are returned on the searched worst start
    and the fixed point of the last stage. At 6 to 8 a few settings are followed through maps. Above, and for
    generators that are not in detailed balance with their Gibbs state, it is what `choose_unset_knobs` gives.

    Where the distance is about regions, it is what `sized` finds on pieces.

    A setting that was begun is finished, unless the wall clock stops it. A `distance` is inf where nothing was
    measured, and `note` says so.

    Accuracy: distances 1e-10 but for the worst start, a search, see `worst_start`.
    """
    lindbladian = task.generator.lindbladian
    n = lindbladian.model.num_qubits
    if balanced(lindbladian) and task.region is not None:
        return sized(task, lindbladian, deadline, progress)
    if not balanced(lindbladian) or n > MAX_DIAGONALISED:
        return (_straight(task, deadline, progress),)
    search = mapped if n > MAX_CHANNEL_QUBITS else _searched
    found = search(task, lindbladian, deadline, progress)
    known = [replace(one, program=replace(one.program, generator=task.generator)) for one in found]
    return frontier([one for one in known if math.isfinite(one.distance)] or known)


def balanced(generator: Lindbladian) -> bool:
    """Whether its couplings lead to the Gibbs state of its model, by any filter in balance."""
    kernels = all(one.kernel.detailed_balance for one in generator.contacts)
    return kernels and not generator.local and generator.coherent is not Coherent.NONE


def _straight(task: SearchTask, deadline: Deadline, progress: Progress) -> Candidate[Program]:
    """The formula of a scheme as it stands, at knobs that are chosen for the target."""
    scheme = SCHEMES["parallel"]
    program = choose_unset_knobs(task.generator, scheme, scheme.knobs(), task.target_error, progress, deadline)
    small = program.num_system <= MAX_CHANNEL_QUBITS
    distance = _distance(task, program, deadline) if small else math.inf
    return as_candidate(program, distance, "straight formula" if small else "not checked")


def _distance(task: SearchTask, program: Program, deadline: Deadline, otherwise: float = math.inf) -> float:
    """Infinite where nothing can be read, `otherwise` where there is no time."""
    try:
        read = evaluate(program, task.sampler, task.start_density, deadline)
    except OutOfTimeError:
        return otherwise
    return math.inf if read is None else read.distance


def _searched(
    task: SearchTask, generator: Lindbladian, deadline: Deadline, progress: Progress
) -> Iterator[Candidate[Program]]:
    n, sampler = generator.model.num_qubits, task.sampler
    starts = followed(n) if sampler else vec(task.start_density)[:, None]
    goal = SearchGoal(task.margins.predicted * task.target_error, sampler, task.sigma(), starts, deadline, task.margins)
    found, tried, last = list[Scheduled](), 0, deadline.share(0.9)
    try:
        for one in _settings(generator, goal, last, progress):
            tried, found = one
    except OutOfTimeError:
        pass
    if not found:  # whatever the time
        whatever = replace(goal, deadline=unlimited())
        tried, found = next(iter(_settings(generator, whatever, unlimited(), progress)))
    return _accepted(task, found, goal, tried, deadline)


def _settings(
    generator: Lindbladian, goal: SearchGoal, last: Deadline, progress: Progress
) -> Iterator[tuple[int, list[Scheduled]]]:
    """Settings tried, and the best schedules so far, whenever there is something new."""
    nu = local_frequency(generator) or 1 / time_unit(generator)
    tried, found = 0, list[Scheduled]()
    for index, (turn, slices) in enumerate(SPACINGS):
        until = last.share(max(SHARE, 1 / (len(SPACINGS) - index)))
        singles = until.share(0.6)
        progress(f"derived programs: spacing {index + 1} of {len(SPACINGS)}, {tried} settings tried")
        sweeps = list[MeasuredSweep]()
        for trial in measured_sweeps(generator, turn / nu, slices, goal):
            tried += 1
            if goal.sampler and trial.strength == FLOOR[1] and trial.fixed > goal.target:
                break
            sweeps = useful([*sweeps, trial], goal)
            found = list(frontier([*found, *repeated(trial, goal, found)]))
            yield tried, found
            if singles.passed:
                break
        for pair in pairs(sweeps, goal):
            if until.passed:
                break
            found = list(frontier([*found, *two_stages(*pair, goal, found)]))
            yield tried, found
        if last.passed:
            break


def _accepted(
    task: SearchTask, found: Sequence[Scheduled], goal: SearchGoal, tried: int, deadline: Deadline
) -> Iterator[Candidate[Program]]:
    """Those on the frontier, measured in full; the cheapest that seem to meet the target are repeated until one does.

    At least one, and more while there is time. Where the wall clock has stopped it, what was followed stands.
    """
    good = [one for one in found if one.distance <= goal.target]
    rest = [one for one in found if one.distance > goal.target]
    met = math.inf
    for one in good[:RETURNED]:
        longer = one
        for _ in range(RETURNED):
            if longer.two_qubit_gates >= met or (longer is not good[0] and deadline.passed):
                break
            candidate = _written(task, longer, tried, deadline)
            yield candidate
            if candidate.distance <= goal.target:
                met = longer.two_qubit_gates
                break
            longer = longer.program.longer().candidate(longer.distance)
    for index, one in enumerate([*good[-1:], *reversed(rest[-RETURNED:])]):
        if (index > 0 or good) and deadline.passed:
            return
        yield _written(task, one, tried, deadline)


def _written(task: SearchTask, followed: Scheduled, tried: int, deadline: Deadline) -> Candidate[Program]:
    """A schedule as a program, with the distance that is measured, or the one that was followed if there is no time."""
    program = followed.program.program()
    what = "the searched worst start and the fixed point" if task.sampler else "the distance from the given start"
    text = (
        f"{DERIVED}; spacing, steps, nodes, strength, delays and stages: {tried} settings tried, the exact channel "
        f"served to accept or reject them by {what}, target {task.target_error:g} less a tenth"
    )
    distance = _distance(task, program, deadline, followed.distance)
    stages = len(program.stages)
    note = f"few nodes, {stages} stage{'s' if stages > 1 else ''}, {program.sweeps} sweeps"
    return as_candidate(replace(program, provenance=text), distance, note)
