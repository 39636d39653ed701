"""Target error → the program with the fewest two-qubit gates that was found, what it may claim, and its rivals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from ..errors import ArgumentError, NotConvergedError, TooLargeError
from ..evidence import Status, number
from ..exact.certificate.frozen import refuse_frozen
from ..exact.structure.symmetry import conserved
from ..io.progress import Progress, quiet, spelled
from ..limits import MAX_DIAGONALISED, MAX_KRYLOV_QUBITS, MAX_PRODUCT_QUBITS
from ..programs.program import Alternative, Calibration, ErrorTerm, Guarantee, Program, Rung, Search, Stage
from . import costs
from .candidates import Candidate, cheapest, frontier, nearest, never_worse
from .clock import OutOfTimeError
from .derived.derived import derive
from .evaluate import Evaluation, evaluate
from .fitted import CannotFitError, fitted
from .local import evaluate_local
from .patched import patched
from .pieces.piece_fits import DoesNotTransferError
from .product_state import nearest_product, without_gates
from .task import SearchTask, formula

SHARE = {Calibration.PATCH: 0.6, Calibration.FITTED_TO_TARGET: 0.8}  # of the effort; the rest is for derived programs
FAR = 3.0  # times the gates of the cheapest by the formula: not transpiled, and taken not to overtake it


def find(task: SearchTask, progress: Progress = quiet) -> list[Candidate[Program]]:
    """All candidates, the chosen one first: the fewest two-qubit gates that meet the target, with the effort given.

    The chosen program carries its claim (guarantee NONE where it misses the target), how hard it was searched for, why
    a kind of calibration gave nothing, and the frontier.

    Candidates come from the calibration asked for, and from derived programs beside it: they are what remains where a
    fit is refused, and what a fit has to beat. A preparation is never farther than the best one without any two-qubit
    gate, which is random: where others meet the target it is taken for its gates only if random gates were asked for.
    They are ranked by `task.gates`. The cheapest that meets the target is read anew off the finished program, by the
    exact channel and another search for the worst start; one that fails is dropped and the next is taken. Where none
    meets the target the nearest whose distance was found out is returned, with guarantee NONE and that distance; one
    that was not checked only where none was.

    It is a function of what is asked for, its seed and its effort, unless the wall clock cuts it off, which the program
    says: then what was finished is ranked, and what there is no time to read is not checked.

    Cost: 60 s a step of effort on a quiet core, and the last reading: milliseconds at 4 qubits, a minute at 6 to 8. All
    of it ends within the time budget.
    """
    clock, after = task.clock, costs.after_search(task.model.num_qubits)
    large = task.model.num_qubits > MAX_DIAGONALISED

    def say(text: str) -> None:
        """With the share of the effort that is spent."""
        progress(f"{min(1.0, clock.spent / clock.work) if clock.work else 1.0:.0%}: {text}")

    if large:  # a second at 10 qubits, and kept: so the clock knows of it before the fits begin
        with suppress(ArgumentError):
            refuse_frozen(task.generator)
    found: list[Candidate[Program]] = []
    remarks: list[str] = []
    if share := SHARE.get(task.calibration, 0.0):
        search = patched if task.calibration is Calibration.PATCH else fitted
        try:
            of_time = 1.0 if large else None  # derived programs then take none
            found += search(task, clock.until(share, after, of_time), say)
        except OutOfTimeError:
            remarks.append(f"{task.calibration.value}: time ran out before anything was fitted")
        except CannotFitError as error:
            remarks.append(f"{task.calibration.value} refused: {error}")
        except DoesNotTransferError as error:
            remarks.append(f"{task.calibration.value} refused: {error}")
            found += [] if error.nearest is None else [error.nearest]
    fits = any(one.accepted for one in found)
    if task.error_rates is not None and not fits:
        remarks.append("derived programs are not tuned to gate errors: their distances are without")
    enough = cheapest(found, task.target_error) is not None
    # a fit on regions was read at its own size, and is a few gates per site where derived programs take dozens
    last = task.calibration is Calibration.FITTED_TO_TARGET or (large and task.region is not None)
    if enough and last and task.calibration is Calibration.PATCH:
        remarks.append("derived programs were not searched for, since a fit meets the target")
    if not (fits and task.error_rates is not None) and not (enough and last):
        try:
            refuse_frozen(task.generator)
            found += derive(task, clock.until(1.0, after), say)
        except (ArgumentError, TooLargeError) as error:
            if not found and remarks and isinstance(error, ArgumentError):
                raise ArgumentError("scheme", "find a program", "; ".join([*remarks, error.found]), error.fix) from None
            if not found:
                raise
            remarks.append(f"derived refused: {error}")
    product = without_gates(task)
    found += [] if product is None else [product]
    chosen = _chosen(task, _counted(task, found, say), remarks, say)
    return [replace(chosen, program=searched_for(chosen.program, task)), *found]


def searched_for(program: Program, task: SearchTask) -> Program:
    """The program with how hard it was searched for, and what more would bring where it fell short."""
    clock = task.clock
    made = Search(task.seed, task.effort, task.time_budget, clock.done, clock.ran_out, round(clock.elapsed, 2))
    text = program.provenance
    if clock.ran_out:
        own = [one.two_qubit_gates for one in program.frontier if one.chosen]
        at = f"{own[0] if own else formula(program):,.0f} two-qubit gates"
        left = max(clock.work - clock.spent, 0.0) * clock.pace
        rest = f"; the rest would take about {spelled(left)}" if left >= 1 else ""
        share = f"{clock.done:.0%} of effort {task.effort:g}"
        took = f"{clock.elapsed:.3g} of {task.time_budget:g} s"
        text += f"; time ran out after {took}, at {share}, at {at}{rest}"
    elif program.guarantee is Guarantee.NONE and not clock.limited:
        text += f"; effort {task.effort:g} was not used up, so that more would find the same"
    elif program.guarantee is Guarantee.NONE:
        more = f"{2 * task.effort:g} takes about {spelled(2 * clock.work)} on a quiet core and may find one"
        text += f"; effort {task.effort:g} is used up: effort = {more}"
    return replace(program, provenance=text.removeprefix("; "), search=made)


def _counted(task: SearchTask, found: Sequence[Candidate[Program]], progress: Progress) -> list[Candidate[Program]]:
    """Candidates with their gates as they are ranked; those that the formula puts far behind keep its count.

    The formula is a count before anything merges: at most a few times too high, and hardly ever too low.
    """
    met = cheapest(found, task.target_error)
    limit = math.inf if met is None else FAR * met.two_qubit_gates
    ahead = set(map(id, frontier(found)))
    counted, closing, known = list(found), task.clock.closing, set[str]()

    def gates(program: Program) -> float:
        """Of all stages; many programs repeat the same sweeps, which are transpiled once."""
        for stage in program.stages:
            alone = replace(program, stages=(Stage(stage.steps, 1),))
            if alone.hash not in known:
                closing.spend(costs.transpiled(formula(alone)))
                known.add(alone.hash)
        return task.gates(program)

    order = sorted(range(len(found)), key=lambda k: (found[k].distance > task.target_error, found[k].two_qubit_gates))
    asked = [k for k in order if found[k].two_qubit_gates <= limit or id(found[k]) in ahead]
    for done, k in enumerate(asked, 1):
        progress(f"counting gates: program {done} of {len(asked)}")
        try:
            counted[k] = replace(found[k], two_qubit_gates=gates(found[k].program))
        except OutOfTimeError:  # the formula's count stands
            break
    return counted


def _chosen(
    task: SearchTask, found: Sequence[Candidate[Program]], remarks: list[str], progress: Progress
) -> Candidate[Program]:
    """The cheapest candidate whose finished program bears out its distance, or the nearest that was read."""
    pool, target = [one for one in found if not math.isnan(one.distance)], task.target_error
    while True:
        best = cheapest(pool, target)
        best = None if best is None else never_worse(best, pool)
        chosen = best or nearest(pool)
        if chosen.evaluation is not None:
            break
        progress("reading the chosen program")
        try:
            read = _read(task, chosen)
        except OutOfTimeError:
            read = None
            remarks.append("it was not read off the finished program: there was no time")
        except (NotConvergedError, TooLargeError) as error:
            read = None
            remarks.append(f"it was not read off the finished program: {error}")
        if read is None:
            break
        if best is not None and read.distance > target:
            remarks.append(f"{chosen.note}: read anew it is at {number(read.distance)}, dropped")
        # one that was not accepted by pieces, but is within the target itself, is as good as any
        accepted = chosen.accepted or read.distance <= target
        settled = replace(chosen, distance=read.distance, accepted=accepted, evaluation=read)
        pool = [settled if one is chosen else one for one in pool]
    met = best is not None
    remarks += _missed(task, chosen.distance) if not met else []
    points = frontier(pool)
    if chosen not in points:
        points = tuple(sorted([*points, chosen], key=lambda one: one.two_qubit_gates))
    return replace(chosen, program=_claimed(task, chosen, points, remarks, met=met))


def _missed(task: SearchTask, distance: float) -> list[str]:
    """What keeps programs from the target, as far as it is known, and what no gate at all would give a sampler."""
    generator, remarks = task.generator.lindbladian, list[str]()
    kept = conserved(generator)
    if task.sampler and kept:
        remarks.append(
            f"conserved: {', '.join(kept)}: H and every coupling commute with it, so that no program of these "
            "couplings forgets what a start has of it; take other couplings"
        )
    n = generator.model.num_qubits
    if (
        task.sampler
        and task.region is None
        and n <= MAX_PRODUCT_QUBITS
        and task.clock.closing.started(costs.nearest_product(n))
    ):
        bare = nearest_product(task.sigma())[1]
        if bare < distance:
            remarks.append(
                f"the nearest product state found is at {number(bare)} without a two-qubit gate, but only as a "
                "preparation (guarantee = given_start): to forget a start takes gates"
            )
    return remarks


def _read(task: SearchTask, chosen: Candidate[Program]) -> Evaluation | None:
    """What is read off the finished program; with gate errors what the fit measured stands."""
    tuned = chosen.program.calibration is Calibration.FITTED_TO_TARGET or chosen.two_qubit_gates == 0
    if task.error_rates is not None and tuned:
        p1, p2 = task.error_rates
        return Evaluation(chosen.distance, f"by the fit, with gate errors p1 = {p1:g}, p2 = {p2:g}")
    if task.region is not None:
        return evaluate_local(chosen.program, task, task.clock.closing)
    return evaluate(chosen.program, task.sampler, task.start_density, task.clock.closing)


def _claimed(
    task: SearchTask,
    chosen: Candidate[Program],
    points: Sequence[Candidate[Program]],
    remarks: Sequence[str],
    *,
    met: bool,
) -> Program:
    """The program with what it may claim."""
    program, target, distance, read = chosen.program, task.target_error, chosen.distance, chosen.evaluation
    unread = read is None and task.region is None and program.num_system <= MAX_KRYLOV_QUBITS  # for want of time
    status = Status.NOT_CHECKED if unread else chosen.status
    outcome = (
        f"the cheapest of {len(points)} on the frontier that meets {target:g}" if met
        else f"none meets {target:g}; the nearest of {len(points)} on the frontier"
    )  # fmt: skip
    how = "not checked" if status is Status.NOT_CHECKED else f"{number(distance)}, {status.value}"
    how += f" ({read.text})" if read is not None else ""
    parts = [f"{outcome}: {chosen.note}", f"distance {how}", program.provenance, *remarks]
    value = None if status is Status.NOT_CHECKED else distance
    unit = "trace_distance" if task.region is None else "local_trace_distance"
    line = ErrorTerm(Rung.MIXING, value, unit, status, "the distance that the guarantee is about")
    return replace(
        program,
        guarantee=Guarantee.NONE if not met else None if read is None else task.guarantee,
        preparation=not task.sampler,
        worst_found=read.distance if read is not None and read.every_start else None,
        given_found=read.distance if read is not None and task.region is not None and not task.sampler else None,
        region=task.region,
        provenance="; ".join(part for part in parts if part),
        frontier=tuple(
            Alternative(one.two_qubit_gates, one.distance if math.isfinite(one.distance) else None,
                        f"{one.program.calibration.value}: {one.note}", one is chosen)
            for one in points
        ),
        declared=(*program.declared, line),
    )  # fmt: skip
