"""Target error → the program with the fewest two-qubit gates that was found, what it may claim, and its rivals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import ArgumentError, TooLargeError
from ..evidence import Status, number
from ..exact.certificate.frozen import refuse_frozen
from ..exact.structure.symmetry import conserved
from ..io.progress import Progress, quiet, spelled
from ..limits import MAX_KRYLOV_QUBITS, MAX_PRODUCT_QUBITS
from ..linalg.arrays import Array
from ..programs.program import Alternative, Calibration, ErrorTerm, Guarantee, Program, Rung, Search, Stage
from . import costs
from .candidates import Candidate, cheapest, frontier, nearest, never_worse
from .clock import Clock, OutOfTimeError
from .derived.derived import derive
from .evaluate import Read, measured
from .fitted import CannotFitError, fitted
from .patched import DoesNotTransferError, patched
from .product_state import nearest_product, without_gates
from .task import Wanted, formula

SHARE = {Calibration.PATCH: 0.6, Calibration.FITTED_TO_TARGET: 0.8}  # of the effort; the rest is for derived programs
FAR = 3.0  # times the gates of the cheapest by the formula: not transpiled, and taken not to overtake it


@dataclass(frozen=True, eq=False)
class Found:
    """What a search ended with.

    Attributes:
        program: The cheapest that meets the target, or the nearest; with its claim, its provenance and the frontier.
        candidates: All that were found.
        met: Whether it meets the target.
        remarks: Why a kind of calibration gave nothing.
    """

    program: Program
    candidates: tuple[Candidate, ...]
    met: bool
    remarks: tuple[str, ...]


def find(wanted: Wanted, progress: Progress = quiet) -> Found:
    """The program with the fewest two-qubit gates that meets the target error, found with the effort given.

    Candidates come from the calibration asked for, and from derived programs beside it: they are what remains where a
    fit is refused, and what a fit has to beat. A preparation is never farther than the best one without any two-qubit
    gate, which is random: where others meet the target it is taken for its gates only if random gates were asked for.
    They are ranked by `wanted.gates`. The cheapest that meets the target is read anew off the finished program, by the
    exact channel and another search for the worst start; one that fails is dropped and the next is taken. Where none
    meets the target the nearest whose distance was found out is returned, with guarantee NONE and that distance; one
    that was not checked only where none was.

    It is a function of what is wanted, its seed and its effort, unless the wall clock cuts it off, which the program
    says: then what was finished is ranked, and what there is no time to read is not checked.

    Cost: 60 s a step of effort on a quiet core, and the last reading: milliseconds at 4 qubits, a minute at 6 to 8. All
    of it ends within the time budget.
    """
    clock, after = wanted.clock, costs.largest_reading(wanted.model.num_qubits)
    progress = _with_share(clock, progress)
    found: list[Candidate] = []
    remarks: list[str] = []
    share = SHARE.get(wanted.calibration, 0.0)
    if share:
        search = patched if wanted.calibration is Calibration.PATCH else fitted
        try:
            found += search(wanted, wanted.until(share, after), progress)
        except OutOfTimeError:
            remarks.append(f"{wanted.calibration.value}: time ran out before anything was fitted")
        except CannotFitError as error:
            remarks.append(f"{wanted.calibration.value} refused: {error}")
        except DoesNotTransferError as error:
            remarks.append(f"{wanted.calibration.value} refused: {error}")
            found += [] if error.nearest is None else [error.nearest]
    fits = any(one.accepted for one in found)
    if wanted.error_rates is not None and not fits:
        remarks.append("derived programs are not tuned to gate errors: their distances are without")
    enough = cheapest(found, wanted.target_error) is not None
    start = density(wanted.start, wanted.model.num_qubits)
    if not (fits and wanted.error_rates is not None) and not (
        enough and wanted.calibration is Calibration.FITTED_TO_TARGET
    ):
        try:
            refuse_frozen(wanted.generator)
            found += derive(
                wanted.generator, wanted.target_error, guarantee=wanted.guarantee, start=start,
                deadline=wanted.until(1.0, after), progress=progress,
            )  # fmt: skip
        except (ArgumentError, TooLargeError) as error:
            if not found and remarks and isinstance(error, ArgumentError):
                raise ArgumentError("scheme", "find a program", "; ".join([*remarks, error.found]), error.fix) from None
            if not found:
                raise
            remarks.append(f"derived refused: {error}")
    product = without_gates(wanted)
    found += [] if product is None else [product]
    made = _chosen(wanted, _counted(wanted, found, progress), remarks, start, progress)
    return replace(made, program=searched_for(made.program, wanted, made.met))


def _with_share(clock: Clock, progress: Progress) -> Progress:
    """Progress with the share of the effort that is spent."""
    return lambda text: progress(f"{min(1.0, clock.spent / clock.work) if clock.work else 1.0:.0%}: {text}")


def searched_for(program: Program, wanted: Wanted, met: bool | None = None) -> Program:
    """The program with how hard it was searched for, and what more would bring where it fell short.

    `met`: whether it meets the target; None where nobody asked.
    """
    clock = wanted.clock
    made = Search(wanted.seed, wanted.effort, wanted.time_budget, clock.done, clock.ran_out, round(clock.elapsed, 2))
    text = program.provenance
    if clock.ran_out:
        own = [one.two_qubit_gates for one in program.frontier if one.chosen]
        at = f"{own[0] if own else formula(program):,.0f} two-qubit gates"
        left = max(clock.work - clock.spent, 0.0) * clock.pace
        rest = f"; the rest would take about {spelled(left)}" if left >= 1 else ""
        share = f"{clock.done:.0%} of effort {wanted.effort:g}"
        took = f"{clock.elapsed:.3g} of {wanted.time_budget:g} s"
        text += f"; time ran out after {took}, at {share}, at {at}{rest}"
    elif met is False and not clock.limited:
        text += f"; effort {wanted.effort:g} was not used up, so that more would find the same"
    elif met is False:
        more = f"{2 * wanted.effort:g} takes about {spelled(2 * clock.work)} on a quiet core and may find one"
        text += f"; effort {wanted.effort:g} is used up: effort = {more}"
    return replace(program, provenance=text.removeprefix("; "), search=made)


def _counted(wanted: Wanted, found: Sequence[Candidate], progress: Progress) -> list[Candidate]:
    """Candidates with their gates as they are ranked; those that the formula puts far behind keep its count.

    The formula is a count before anything merges: at most a few times too high, and hardly ever too low.
    """
    met = cheapest(found, wanted.target_error)
    limit = math.inf if met is None else FAR * met.two_qubit_gates
    ahead = set(map(id, frontier(found)))
    counted, closing, known = list(found), wanted.clock.closing, set[str]()

    def gates(program: Program) -> float:
        """Of all stages; many programs repeat the same sweeps, which are transpiled once."""
        for stage in program.stages:
            alone = replace(program, stages=(Stage(stage.steps, 1),))
            if alone.hash not in known:
                closing.spend(costs.transpiled(formula(alone)))
                known.add(alone.hash)
        return wanted.gates(program)

    order = sorted(range(len(found)), key=lambda k: (found[k].distance > wanted.target_error, found[k].two_qubit_gates))
    asked = [k for k in order if found[k].two_qubit_gates <= limit or id(found[k]) in ahead]
    for done, k in enumerate(asked, 1):
        progress(f"counting gates: program {done} of {len(asked)}")
        try:
            counted[k] = replace(found[k], two_qubit_gates=gates(found[k].program))
        except OutOfTimeError:  # the formula's count stands
            break
    return counted


def density(start: Array | None, n: int) -> Array:
    """Of a pure start's amplitudes, or of the mixed state for None; empty above 8 qubits, where nothing is followed."""
    if n > MAX_KRYLOV_QUBITS:
        return np.zeros((0, 0), dtype=complex)
    if start is None:
        return np.asarray(np.eye(2**n, dtype=complex) / 2**n)
    return np.asarray(np.outer(start, start.conj()))


def _chosen(wanted: Wanted, found: list[Candidate], remarks: list[str], start: Array, progress: Progress) -> Found:
    """The cheapest candidate whose finished program bears out its distance, or the nearest that was read."""
    pool, target = [one for one in found if not math.isnan(one.distance)], wanted.target_error
    known: dict[int, Read | None] = {}  # by the program, of candidates whose distance is the one read off it
    while True:
        best = cheapest(pool, target)
        best = None if best is None else never_worse(best, pool)
        chosen = best or nearest(pool)
        if id(chosen.program) in known:
            break
        progress("reading the chosen program")
        try:
            read = _read(wanted, chosen, start)
        except OutOfTimeError:
            read = None
            remarks.append("it was not read off the finished program: there was no time")
        known[id(chosen.program)] = read
        if read is None:
            break
        if best is not None and read.distance > target:
            remarks.append(f"{chosen.note}: read anew it is at {number(read.distance)}, dropped")
        # one that was not accepted by pieces, but is within the target itself, is as good as any
        settled = replace(chosen, distance=read.distance, accepted=chosen.accepted or read.distance <= target)
        pool = [settled if one is chosen else one for one in pool]
    met = best is not None
    remarks += _missed(wanted, chosen.distance) if not met else []
    points = [*frontier(pool)]
    if all(one.program is not chosen.program for one in points):
        points = sorted([*points, chosen], key=lambda one: one.two_qubit_gates)
    program = _claimed(wanted, chosen, points, remarks, known[id(chosen.program)], met=met)
    return Found(program, tuple(found), met, tuple(remarks))


def _missed(wanted: Wanted, distance: float) -> list[str]:
    """What keeps programs from the target, as far as it is known, and what no gate at all would give a sampler."""
    generator, remarks = wanted.generator.lindbladian, list[str]()
    kept = conserved(generator)
    if wanted.sampler and kept:
        remarks.append(
            f"conserved: {', '.join(kept)}: H and every coupling commute with it, so that no program of these "
            "couplings forgets what a start has of it; take other couplings"
        )
    n = generator.model.num_qubits
    if wanted.sampler and n <= MAX_PRODUCT_QUBITS and wanted.clock.closing.started(costs.nearest_product(n)):
        bare = nearest_product(wanted.sigma())[1]
        if bare < distance:
            remarks.append(
                f"the nearest product state found is at {number(bare)} without a two-qubit gate, but only as a "
                "preparation (guarantee = given_start): to forget a start takes gates"
            )
    return remarks


def _read(wanted: Wanted, chosen: Candidate, start: Array) -> Read | None:
    """What is read off the finished program; with gate errors what the fit measured stands."""
    tuned = chosen.program.calibration is Calibration.FITTED_TO_TARGET or chosen.two_qubit_gates == 0
    if wanted.error_rates is not None and tuned:
        p1, p2 = wanted.error_rates
        return Read(chosen.distance, f"by the fit, with gate errors p1 = {p1:g}, p2 = {p2:g}")
    return measured(chosen.program, wanted.sampler, start, wanted.clock.closing)


def _claimed(
    wanted: Wanted,
    chosen: Candidate,
    points: Sequence[Candidate],
    remarks: Sequence[str],
    read: Read | None,
    *,
    met: bool,
) -> Program:
    """The program with what it may claim."""
    program, target = chosen.program, wanted.target_error
    distance = chosen.distance if read is None else read.distance
    status = Status.MEASURED if read is not None else Status.EXTRAPOLATED
    unread = read is None and program.num_system <= MAX_KRYLOV_QUBITS  # for want of time
    if unread or not math.isfinite(distance):
        status = Status.NOT_CHECKED
    outcome = (
        f"the cheapest of {len(points)} on the frontier that meets {target:g}" if met
        else f"none meets {target:g}; the nearest of {len(points)} on the frontier"
    )  # fmt: skip
    how = "not checked" if status is Status.NOT_CHECKED else f"{number(distance)}, {status.value}"
    how += f" ({read.text})" if read is not None else ""
    parts = [f"{outcome}: {chosen.note}", f"distance {how}", program.provenance, *remarks]
    value = distance if math.isfinite(distance) and not unread else None
    line = ErrorTerm(Rung.MIXING, value, "trace_distance", status, "the distance that the guarantee is about")
    return replace(
        program,
        guarantee=Guarantee.NONE if not met else None if read is None else wanted.guarantee,
        preparation=not wanted.sampler,
        worst_found=read.distance if read is not None and read.every_start else None,
        provenance="; ".join(part for part in parts if part),
        frontier=tuple(
            Alternative(one.two_qubit_gates, one.distance if math.isfinite(one.distance) else None,
                        f"{one.program.calibration.value}: {one.note}", one.program is chosen.program)
            for one in points
        ),
        declared=(*program.declared, line),
    )  # fmt: skip
