"""Programs fitted on smaller pieces of the model, accepted on a piece used neither in the fit nor in its choice."""

from __future__ import annotations

from ..evidence import number
from ..io.progress import Progress, quiet
from ..limits import MAX_KRYLOV_QUBITS
from ..programs.program import Program
from .candidates import Candidate
from .clock import Deadline, OutOfTimeError
from .pieces.locally import patched_locally
from .pieces.piece_fits import DoesNotTransferError, Fitted, PieceFits, Plan, Sizes, spelled_sizes
from .task import SearchTask

HELD_OUT = {True: 7, False: 8}  # sites of the largest piece, for a sampler and for a preparation
SAMPLER_WORDS = ("abab", "ababab", "abbabb", "abababab", "abbabbab", "abbbabbb")
PREPARATION_WORDS = (
    "ba", "ab", "bab", "baba", "abab", "bbab", "bbaba", "babab", "bababa", "bbabab", "abbb", "bbbabbb", "bbbabbba",
)  # fmt: skip
SWEEPS = (3, 4)
PROMISING = 1.45  # times the target, by trend: fitted again
ATTEMPTS = 5  # at a promising word, from other angles
HOPELESS = 1.5  # times the target, on the pieces, after the first iterations: not refined
ROUNDS = 2  # of adding the worst starts found
LEAST = 2.0  # nominal seconds of a word
BATCH = {True: 6, False: 32}
ITERATIONS = {True: 120, False: 480}


def sizes_of(n: int, sampler: bool) -> Sizes:
    """Of the pieces, for a model of n sites."""
    held_out = min(n, HELD_OUT[sampler])
    fit = (held_out - 3, held_out - 2) if held_out > 4 else (held_out - 2, held_out - 1)
    return Sizes(tuple(size for size in fit if size > 1), held_out - 1, held_out)


def plan_of(task: SearchTask) -> Plan:
    """The pieces and words that are tried where a trend over sizes is held against the target."""
    sampler = task.sampler
    sizes = sizes_of(task.model.num_qubits, sampler)
    words = [
        (word, k) for word in (SAMPLER_WORDS if sampler else PREPARATION_WORDS) for k in (SWEEPS if sampler else (1,))
    ]
    return Plan(
        sizes, sizes.fit, tuple(words), HOPELESS * task.target_error, BATCH[sampler], ITERATIONS[sampler],
        ROUNDS if sampler else 0,
    )  # fmt: skip


def patched(task: SearchTask, deadline: Deadline, progress: Progress = quiet) -> tuple[Candidate[Program], ...]:
    """The accepted program, and the words that were tried before it; cheapest first.

    One word of layers after the other, the cheapest first, is fitted on the small pieces, the promising ones again from
    other angles. The first one whose trend over the fitted sizes and the next larger one stays within the target at the
    model's own size is held against a still larger piece, once: its trend must stay within the target again.

    A local measure has no trend: above 8 sites see `patched_locally`.

    Raises:
        DoesNotTransferError: With the distances that were found, and the nearest, held against the larger piece too.
    """
    n, target = task.model.num_qubits, task.target_error
    if task.region is not None and n > MAX_KRYLOV_QUBITS:
        return patched_locally(task, deadline, progress)
    fits = PieceFits(task, plan_of(task), progress)
    best: dict[tuple[str, int], Fitted] = {}
    words = fits.words()
    long = fits.sizes.held_out >= min(HELD_OUT.values())
    safety = task.margins.trend if long else task.margins.short_trend
    try:
        while words and (not best or not deadline.passed):
            for index, (word, sweeps) in enumerate(words):
                for _ in range(ATTEMPTS):
                    if best and deadline.passed:
                        break
                    share = deadline.left / max(3, min(8, len(words) - index))
                    fit = fits.fitted(word, sweeps, deadline.beyond(max(LEAST, share)))
                    known = best.get((word, sweeps))
                    if known is None or fit.distance < known.distance:
                        best[word, sweeps] = fit
                        said = f"{number(fit.distance)} at {n} sites by trend"
                        progress(f"patch {fit.program}: {fit.program.listed}; {said}")
                    if fit.distance <= safety * target and max(fit.program.distances.values()) <= target:
                        return _accepted(fits, fit, best, target, deadline)
                    if best[word, sweeps].distance > PROMISING * target:
                        break
            words = [key for key, fit in best.items() if fit.distance <= PROMISING * target]
        nearest = min(best.values(), key=lambda fit: fit.distance)
        held_out = fits.held_out(nearest, deadline)
    except OutOfTimeError:
        raise _cut_off(fits, best) from None
    raise DoesNotTransferError(
        f"of {len(best)} words of layers the best, {nearest.program}, is at "
        f"{nearest.program.listed}: by trend {number(nearest.distance)} at {n} sites, not within "
        f"{safety:g} × {target:g}",
        fits.candidate(held_out, "missed the target", accepted=False),
    )


def _accepted(
    fits: PieceFits, fit: Fitted, tried: dict[tuple[str, int], Fitted], target: float, deadline: Deadline
) -> tuple[Candidate[Program], ...]:
    """The fit, if the held-out pieces bear it out, behind the cheaper ones that missed."""
    n, sizes = fits.whole.size, fits.sizes
    accepted = fits.held_out(fit, deadline)
    if accepted.distance > target or max(accepted.program.distances.values()) > target:
        raise DoesNotTransferError(
            f"fitted on {spelled_sizes(sizes.fit)} sites, {fit.program} is at {accepted.program.listed}: held "
            f"out, {sizes.held_out} sites, its trend gives {number(accepted.distance)} at {n}, not {target:g}",
            fits.candidate(accepted, "missed the target", accepted=False),
        )
    others = [one for one in tried.values() if one.two_qubit_gates < fit.two_qubit_gates]
    return (
        *(fits.candidate(one, "not held out", accepted=False) for one in others),
        fits.candidate(accepted, "accepted"),
    )


def _cut_off(fits: PieceFits, tried: dict[tuple[str, int], Fitted]) -> DoesNotTransferError:
    """What stands where time ran out: nothing was held against a larger piece, so that nothing is accepted."""
    if not tried:
        return DoesNotTransferError("time ran out before the first word of layers was fitted")
    n = fits.whole.size
    nearest = min(tried.values(), key=lambda fit: fit.distance)
    return DoesNotTransferError(
        f"time ran out after {len(tried)} words of layers; the best, {nearest.program}, is at "
        f"{nearest.program.listed}: by trend {number(nearest.distance)} at {n} sites",
        fits.candidate(nearest, "not held out: no time", accepted=False),
    )
