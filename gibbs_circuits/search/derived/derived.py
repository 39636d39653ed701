"""The best derived programs: settings of few-node sweeps and schedules of them, accepted on the exact channel."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...compiler.schemes.registry import SCHEMES
from ...generators.discrete import DiscreteChannel
from ...generators.frequency import local_frequency, time_unit
from ...generators.lindbladian import Coherent, Lindbladian
from ...io.progress import Progress, quiet
from ...limits import MAX_CHANNEL_QUBITS, MAX_DIAGONALISED
from ...linalg.arrays import Array, vec
from ...models.spectrum import gibbs_state
from ...programs.program import Guarantee, Program
from ...readings.circuits.cost import cost
from ..candidates import Candidate, frontier
from ..clock import Deadline, OutOfTimeError, unlimited
from ..evaluate import measured
from ..knobs import MARGIN, choose_unset_knobs
from .large import DERIVED, mapped
from .schedules import FLOOR, Aim, Schedule, Trial, followed, pairs, pareto, repeated, trials, two_stages, useful

SPACINGS = ((1.6, 1), (1.33, 1), (1.06, 1), (1.6, 2), (0.8, 1), (1.33, 2), (1.33, 3), (1.33, 5))  # τν, Strang steps
SHARE = 0.3  # of the time left that a spacing may take
RETURNED = 6


def derive(
    generator: Lindbladian | DiscreteChannel,
    target_error: float,
    *,
    guarantee: Guarantee,
    start: Array,
    deadline: Deadline,
    progress: Progress = quiet,
) -> tuple[Candidate, ...]:
    r"""The frontier of gates and distance among derived programs, found before a deadline; at least one.

    Every number comes from the generator's couplings, H and β, through `nodes.layout`: weights of few nodes nearest to
    detailed balance, a product formula whose terms without gates are corrected, fields for B − S. The exact channel
    accepts or rejects settings: spacing and steps in `SPACINGS`; nodes, mean rate, delays as in `schedules`; and
    schedules of one stage or of two, strong sweeps first and weak ones last, with their repeats. They are
    asked to beat the target by a tenth; the frontier also shows those that do so by less.

    Up to 5 qubits settings are compared on followed starts, and those that are returned on the searched worst start
    and the fixed point of the last stage. At 6 to 8 a few settings are followed through maps. Above, and for
    generators that are not in detailed balance with their Gibbs state, it is what `choose_unset_knobs` gives.

    Args:
        generator: Whose couplings, H and β are taken.
        target_error: Trace distance.
        guarantee: ANY_START asks for the worst start and the fixed point; otherwise the distance from `start` counts.
        start: Density matrix of the run's own start.
        deadline: A setting that was begun is finished, unless the wall clock stops it.
        progress: Told what is being tried.
    Returns:
        Cheapest first. `distance` is inf where nothing was measured, and `note` says so.
    Accuracy: distances 1e-10 but for the worst start, a search, see `worst_start`.
    """
    lindbladian, sampler = generator.lindbladian, guarantee is Guarantee.ANY_START
    n = lindbladian.model.num_qubits
    if not balanced(lindbladian) or n > MAX_DIAGONALISED:
        return (_settled(generator, target_error, sampler, start, deadline, progress),)
    if n > MAX_CHANNEL_QUBITS:
        found = iter(mapped(lindbladian, target_error, sampler, start, deadline, progress))
    else:
        found = _searched(lindbladian, target_error, sampler, start, deadline, progress)
    known = [replace(one, program=replace(one.program, generator=generator)) for one in found]
    return frontier([one for one in known if math.isfinite(one.distance)] or known)


def balanced(generator: Lindbladian) -> bool:
    """Whether its couplings lead to the Gibbs state of its model, by any filter in balance."""
    kernels = all(one.kernel.detailed_balance for one in generator.contacts)
    return kernels and not generator.local and generator.coherent is not Coherent.NONE


def _settled(
    generator: Lindbladian | DiscreteChannel,
    target: float,
    sampler: bool,
    start: Array,
    deadline: Deadline,
    progress: Progress,
) -> Candidate:
    scheme = SCHEMES["parallel"]
    program = choose_unset_knobs(generator, scheme, scheme.knobs(), target, progress, deadline)
    if program.num_system > MAX_CHANNEL_QUBITS:
        return Candidate(program, cost(program).two_qubit_gates, math.inf, "not checked")
    return Candidate(
        program, cost(program).two_qubit_gates, _measured(program, sampler, start, deadline), "straight formula"
    )


def _measured(program: Program, sampler: bool, start: Array, deadline: Deadline, otherwise: float = math.inf) -> float:
    """Infinite where nothing can be read, `otherwise` where there is no time."""
    try:
        read = measured(program, sampler, start, deadline)
    except OutOfTimeError:
        return otherwise
    return math.inf if read is None else read.distance


def _searched(
    generator: Lindbladian,
    target: float,
    sampler: bool,
    start: Array,
    deadline: Deadline,
    progress: Progress,
) -> Iterator[Candidate]:
    n, sigma = generator.model.num_qubits, gibbs_state(generator.model, generator.beta)
    aim = Aim(MARGIN * target, sampler, sigma, followed(n) if sampler else vec(start)[:, None], deadline)
    found, tried, last = list[Schedule](), 0, deadline.share(0.9)
    try:
        for one in _settings(generator, aim, last, progress):
            tried, found = one
    except OutOfTimeError:
        pass
    if not found:  # whatever the time
        whatever = replace(aim, deadline=unlimited())
        tried, found = next(iter(_settings(generator, whatever, unlimited(), progress)))
    return _accepted(found, aim, start, tried, deadline)


def _settings(
    generator: Lindbladian, aim: Aim, last: Deadline, progress: Progress
) -> Iterator[tuple[int, list[Schedule]]]:
    """Settings tried, and the best schedules so far, whenever there is something new."""
    nu = local_frequency(generator) or 1 / time_unit(generator)
    tried, found = 0, list[Schedule]()
    for index, (turn, slices) in enumerate(SPACINGS):
        until = last.share(max(SHARE, 1 / (len(SPACINGS) - index)))
        singles = until.share(0.6)
        progress(f"derived programs: spacing {index + 1} of {len(SPACINGS)}, {tried} settings tried")
        sweeps = list[Trial]()
        for trial in trials(generator, turn / nu, slices, aim):
            tried += 1
            if aim.sampler and trial.strength == FLOOR[1] and trial.fixed > aim.target:
                break
            sweeps = useful([*sweeps, trial], aim)
            found = pareto([*found, *repeated(trial, aim, found)])
            yield tried, found
            if singles.passed:
                break
        for pair in pairs(sweeps, aim):
            if until.passed:
                break
            found = pareto([*found, *two_stages(*pair, aim, found)])
            yield tried, found
        if last.passed:
            break


def _accepted(found: Sequence[Schedule], aim: Aim, start: Array, tried: int, deadline: Deadline) -> Iterator[Candidate]:
    """Those on the frontier, measured in full; the cheapest that seem to meet the target are repeated until one does.

    At least one, and more while there is time. Where the wall clock has stopped it, what was followed stands.
    """
    ranked = pareto(found)
    good = [one for one in ranked if one.distance <= aim.target]
    rest = [one for one in ranked if one.distance > aim.target]
    met = math.inf
    for one in good[:RETURNED]:
        longer = one
        for _ in range(RETURNED):
            if longer.gates >= met or (longer is not good[0] and deadline.passed):
                break
            candidate = _candidate(longer, aim, start, tried, deadline)
            yield candidate
            if candidate.distance <= aim.target:
                met = longer.gates
                break
            longer = longer.longer()
    for index, one in enumerate([*good[-1:], *reversed(rest[-RETURNED:])]):
        if (index > 0 or good) and deadline.passed:
            return
        yield _candidate(one, aim, start, tried, deadline)


def _candidate(schedule: Schedule, aim: Aim, start: Array, tried: int, deadline: Deadline) -> Candidate:
    program = schedule.program()
    what = "the searched worst start and the fixed point" if aim.sampler else "the distance from the given start"
    text = (
        f"{DERIVED}; spacing, steps, nodes, strength, delays and stages: {tried} settings tried, the exact channel "
        f"served to accept or reject them by {what}, target {aim.target / MARGIN:g} less a tenth"
    )
    distance = _measured(program, aim.sampler, start, deadline, schedule.distance)
    stages = len(program.stages)
    note = f"few nodes, {stages} stage{'s' if stages > 1 else ''}, {program.sweeps} sweeps"
    return Candidate(replace(program, provenance=text), cost(program).two_qubit_gates, distance, note)
