"""Programs for the local measure: angles fitted to the reduced states of small pieces, ends and bulk weighted alike.

A local distance does not grow with the number of sites, so that no trend is followed: a word that comes near the target
on the pieces it was fitted on is written for the whole model and read there, on regions that no fit has seen. Where
nothing reads it a larger piece decides.
"""

from __future__ import annotations

import math
from dataclasses import replace

from ...errors import NotConvergedError
from ...evidence import number
from ...io.progress import Progress, quiet
from ...models.graph import coloured, interacting_pairs
from ...programs.program import Program
from ..candidates import Candidate, nearest
from ..clock import Deadline, OutOfTimeError
from ..evaluate import Evaluation
from ..local import evaluate_local
from ..task import SearchTask
from .piece_fits import DoesNotTransferError, Fitted, PieceFits, Plan, Sizes, spelled_sizes

# words of macros: a contact; p the pairs, colour by colour, q from the last one back; d each colour twice, which holds
# every real gate of two qubits
PREPARATIONS = (
    "ba", "pa", "ap", "bab", "da", "pap", "ad", "pad", "baba", "papa", "dap", "dad", "adad", "bababa", "dadad",
    "adadad", "dadadad",
)  # fmt: skip
SAMPLERS = ("abab", "apaq", "apap", "apadq", "ababab", "apaqap", "apapap", "abbabb", "abababab", "apaqapaq")
SWEEPS = (2, 3, 4)
MOST_COLOURS = 4  # of layers that a word of colours is worth
FIT = {True: (4, 5), False: (5, 6)}  # sites of open pieces, for a sampler and for a preparation
RINGS = {True: (4,), False: (6,)}
LARGER = {True: 6, False: 8}  # sites of the piece that was not fitted on
HOPELESS = 1.4  # times the target, after the first iterations: not refined
BATCH = {True: 6, False: 9}
ITERATIONS = {True: 240, False: 400}
ROUNDS = 8  # of adding the worst starts found
AT_ONCE = 3  # worst starts of a piece that are added in a round
PATIENCE = 2.0  # times what is hopeless that the first worst starts may be beyond it
PROMISING, ATTEMPTS = 1.4, 3  # times the target: fitted again, from other angles, so often in all
NEAR = 1.2  # times the target, on the pieces, from which it is read at the model's own size
SMOOTHED = (4.0, 12.0, 40.0)  # parts of the target by which the distances are smoothed, one after the other
GAIN = 0.97  # of its distance, at least, that another attempt at a word must bring to be followed by a third
SHARES = {True: 3, False: 8}  # of the work that is left, one for a word: a sampler takes many rounds
LEAST = 2.0  # nominal seconds of a word


def plan_of(task: SearchTask, colours: int) -> Plan:
    """Words and pieces; `colours` of the model's pairs."""
    sampler, n = task.sampler, task.model.num_qubits
    larger = min(n, LARGER[sampler] - n % 2 * (not sampler))  # both ends as the whole model's are
    words = [spelled(word, colours) for word in (SAMPLERS if sampler else PREPARATIONS)]
    pairs = tuple((word, k) for word in dict.fromkeys(words) for k in (SWEEPS if sampler else (1,)))
    return Plan(
        Sizes(FIT[sampler], max(FIT[sampler]), larger), RINGS[sampler], pairs, HOPELESS * task.target_error,
        BATCH[sampler], ITERATIONS[sampler], ROUNDS if sampler else 0, PATIENCE, AT_ONCE,
        tuple(task.target_error / part for part in SMOOTHED), trend=False,
    )  # fmt: skip


def spelled(word: str, colours: int) -> str:
    """The macros p, q and d as layers; where there are too many colours p is all pairs at once."""
    each = "".join(map(str, range(1, colours + 1))) if 1 < colours <= MOST_COLOURS else "b"
    return word.replace("p", each).replace("q", each[::-1]).replace("d", "".join(2 * letter for letter in each))


def patched_locally(task: SearchTask, deadline: Deadline, progress: Progress = quiet) -> tuple[Candidate[Program], ...]:
    """The accepted program, and the cheaper words that missed before it.

    Raises:
        DoesNotTransferError: If no word is within the target, with the nearest short one.
        OutOfTimeError: If the wall clock stops the search before the first fit.
    """
    colours = max(coloured(interacting_pairs(task.model.hamiltonian)).values(), default=0)
    fits, target = PieceFits(task, plan_of(task, colours), progress), task.target_error
    words, tried = fits.words(), dict[tuple[str, int], Fitted]()
    try:
        for index, (word, sweeps) in enumerate(words):
            for _ in range(ATTEMPTS):
                if tried and deadline.passed:
                    break
                progress(f"patch: fitting {word} × {sweeps}, word {index + 1} of {len(words)}")
                share = deadline.left / max(2, min(SHARES[task.sampler], len(words) - index))
                fit = fits.fitted(word, sweeps, deadline.beyond(max(LEAST, share)))
                before = tried.get((word, sweeps))
                if before and fit.distance > GAIN * max(before.program.distances.values()):
                    break
                read = _read(fits, fit, deadline) if fit.distance <= NEAR * target else None
                if read is not None:
                    progress(f"read at {task.model.num_qubits} sites: {number(read.distance)}")
                    fit = replace(fit, distance=read.distance)
                elif fit.distance <= target:
                    fit = fits.held_out(fit, deadline)
                if before is None or fit.distance < before.distance:
                    tried[word, sweeps] = fit
                progress(f"patch {fit.program}: {fit.program.listed}, regions of {task.region} sites")
                if fit.distance <= target:
                    missed = (one for one in tried.values() if one.two_qubit_gates < fit.two_qubit_gates)
                    return (
                        *(fits.candidate(one, "missed the target", accepted=False) for one in missed),
                        _settled(fits.candidate(fit, "accepted"), read),
                    )
                if fit.distance > PROMISING * target:
                    break
        ended = f"of {len(tried)} of {len(words)} words of layers none is within {target:g}"
    except OutOfTimeError:
        ended = f"time ran out after {len(tried)} of {len(words)} words of layers"
    if not tried:
        raise DoesNotTransferError(
            f"{ended}: none can be written on its pieces of {spelled_sizes(fits.sizes.fit)} sites"
        )
    short = nearest(tried.values())
    raise DoesNotTransferError(
        f"{ended}; the nearest, {short.program}, is at {short.program.listed}, over regions of {task.region} sites, "
        f"the largest {number(short.distance)}",
        fits.candidate(short, "missed the target", accepted=False),
    )


def _read(fits: PieceFits, fit: Fitted, deadline: Deadline) -> Evaluation | None:
    """At the model's own size, where no region was fitted or chosen by; None where nothing tells it."""
    try:
        return evaluate_local(fits.candidate(fit, "").program, fits.task, deadline)
    except NotConvergedError as error:
        return Evaluation(math.inf, str(error))


def _settled(candidate: Candidate[Program], read: Evaluation | None) -> Candidate[Program]:
    return candidate if read is None else replace(candidate, distance=read.distance, evaluation=read)
