"""Programs whose shape and angles are fitted to the Gibbs state of this very system."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ..errors import TooLargeError
from ..evidence import number
from ..io.progress import Progress, quiet
from ..limits import MAX_PREPARED, MAX_SAMPLED
from ..linalg.arrays import Real
from ..models.graph import interacting_pairs
from ..models.patches import patches, whole_model_patch
from ..models.spectrum import gibbs_state
from ..programs.classical_randomness import twirl_step, without_single_use_ancillas
from ..programs.program import Calibration, Program, Stage
from .candidates import Candidate, as_candidate, frontier
from .clock import Deadline, OutOfTimeError
from .task import SearchTask
from .variational.ansatz import Ansatz
from .variational.fits import Fit, Fitter, PreparationFitter, SamplerFitter, usual_starts
from .variational.gate_search import GateSearch
from .variational.layers import BONDS, CONTACT, any_pairs, never_wipes, shape
from .variational.noisy_fits import NoisyPreparationFitter, NoisySamplerFitter
from .variational.objectives import Sampling
from .variational.shared_angles import ansatz_of, fit_together
from .variational.to_steps import steps_of
from .variational.twirling import symmetries

SAMPLER_WORDS = (
    "abab", "ababb", "ababab", "abbabb", "abababab", "abbabbab", "abbbabbb", "abbabbabb", "abbabbabbabb",
)  # fmt: skip
LONG_WORDS = tuple("ab" * k for k in range(3, 9))  # above 4 qubits, begun on pieces
LONG_SWEEPS = (4,)
PIECES = (3, 4)  # sites of the pieces that such a word is begun on
ROUNDS, LONG_ROUNDS = 15, 40  # of adding worst starts, up to 4 qubits and above
LONG_ITERATIONS, LONG_ETAS = 180, (1e-2, 3e-3)  # three rounds' worth; less smoothed than that, plateaus are never left
AT_ONCE = 8  # starts
PREPARATION_WORDS = ("", "a", "ab", "ba", "abb", "bab", "abbb", "baba", "bbab", "bbaba", "bbabab", "bbbabbb")
SWEEPS = (2, 3, 4, 5)
HOPELESS, FLOOR = 1.5, 0.06  # times the target, or that distance if it is larger, after the first iterations
SMALL = 4  # qubits up to which a sampler's words begin at random angles
MORE, GAIN = 4, 0.995  # sweeps more where a fit just misses, as long as each brings it nearer than that
NOISELESS = 0.7  # of the time, before shapes are tuned again with errors
TWIRLED = 3  # generators at most: 8 random Pauli strings
ISLANDS = 5
BATCH, ITERATIONS, BEGUN = 6, 120, 30.0  # of the fit on pieces; nominal seconds


class CannotFitError(Exception):
    """Why there is no such program; the text is for the user."""


def fitted(task: SearchTask, deadline: Deadline, progress: Progress = quiet) -> tuple[Candidate[Program], ...]:
    """The frontier of a search for shape and angles with the Gibbs state at hand, cheapest first.

    Raises:
        CannotFitError: If the system is too large, or has no pair of qubits that interact.
        OutOfTimeError: If the wall clock stops the search before the first fit.
    """
    search, words = searched(task, progress)
    rates = task.error_rates
    found = frontier(search.run(words, deadline if rates is None else deadline.share(NOISELESS)).nearest)
    if task.sampler and rates is None:
        found = (*found, *_repeated(task, found, search.rng, deadline))
    if rates is not None:
        found = tuple(_retuned(task, found, search.rng, deadline, progress))
    return tuple(candidate(task, fit) for fit in found)


def _repeated(task: SearchTask, fits: Sequence[Fit], rng: np.random.Generator, deadline: Deadline) -> list[Fit]:
    """The nearest in more sweeps, where none is within the target but a few more bring one there."""
    target = task.margins.fitted * task.target_error
    nearest = min(fits, key=lambda fit: fit.distance)
    if nearest.distance <= target:
        return []
    starts, found = usual_starts(task.model.num_qubits, few=True), [nearest]
    for sweeps in range(nearest.program.sweeps + 1, nearest.program.sweeps + 1 + MORE):
        try:
            found.append(SamplerFitter(task.sigma(), sweeps, starts, rng).longer(nearest, deadline))
        except OutOfTimeError:
            break
        if found[-1].distance <= target or found[-1].distance > GAIN * found[-2].distance:
            break
    return found[1:]


def _retuned(
    task: SearchTask, fits: Sequence[Fit], rng: np.random.Generator, deadline: Deadline, progress: Progress
) -> list[Fit]:
    """The same shapes with angles that suit the target's gate errors, and the distance with them.

    The best without errors come first, so that a deadline cuts off the worst.

    Raises:
        CannotFitError: If none can be simulated with errors.
    """
    assert task.error_rates is not None  # asked for
    p1, p2 = task.error_rates
    sigma, n = task.sigma(), task.model.num_qubits
    done: list[Fit] = []
    for fit in sorted(fits, key=lambda one: one.distance):
        if done and deadline.passed:
            break
        fitter: Fitter
        if task.sampler:
            starts = usual_starts(n, few=n > SMALL)
            fitter = NoisySamplerFitter(sigma, fit.program.sweeps, starts, rng, rounds=2, p1=p1, p2=p2)
        else:
            assert task.start is not None  # checked before
            fitter = NoisyPreparationFitter(sigma, task.start, p1=p1, p2=p2)
        try:
            done.append(fitter.fit(fit.program.ansatz, fit.program.angles[:, None], deadline))
        except TooLargeError as error:
            reason = str(error)
            continue
        except OutOfTimeError:
            if not done:
                raise
            break
        progress(f"with gate errors: {done[-1].two_qubit_gates} two-qubit gates, distance {number(done[-1].distance)}")
    if not done:
        raise CannotFitError(reason)
    return done


def searched(task: SearchTask, progress: Progress) -> tuple[GateSearch, list[Ansatz]]:
    """The search and the words it begins with."""
    n, sampler = task.model.num_qubits, task.sampler
    most = MAX_SAMPLED if sampler else MAX_PREPARED
    if n > most:
        raise CannotFitError(f"fits of a {'sampler' if sampler else 'preparation'} end at {most} qubits, this has {n}")
    bonds = interacting_pairs(task.model.hamiltonian)
    if sampler and not bonds:
        raise CannotFitError("no two qubits interact, so that fitted sweeps would only wipe single qubits")
    if not sampler and task.start is None:
        raise CannotFitError("the start is mixed: a preparation begins in a pure state")
    rng = np.random.default_rng(task.seed)
    words = PREPARATION_WORDS if not sampler else SAMPLER_WORDS if n <= SMALL else LONG_WORDS
    cheap = task.classical_randomness and not sampler
    shapes = list(dict.fromkeys(shape(word, n, bonds, real=task.real, classical=cheap) for word in words))
    batch = {True: 4 if n <= SMALL else 1, False: 16 if n <= SMALL else 8}[sampler]
    search = GateSearch(
        fitters=fitters(task, rng),
        pairs=any_pairs(n, bonds),
        allowed=never_wipes if sampler else lambda ansatz: True,
        target=task.target_error,
        rng=rng,
        batch=batch,
        children=2 if sampler and n <= SMALL else 1,
        islands=1 if sampler else ISLANDS,
        near=sampler,
        begin=_begun_on_pieces(task, rng) if sampler and n > SMALL else None,
        margin=task.margins.fitted,
        progress=progress,
    )
    allowed = [one for one in shapes if search.allowed(one)]
    if not allowed:
        raise CannotFitError("a site interacts with no other, so that fitted sweeps would only wipe it")
    return search, allowed


def fitters(task: SearchTask, rng: np.random.Generator) -> list[Fitter]:
    """What fits angles to the task: one for a preparation, and for a sampler one per number of sweeps."""
    sigma, n = task.sigma(), task.model.num_qubits
    if not task.sampler:
        assert task.start is not None  # checked before
        return [PreparationFitter(sigma, task.start, twirl=_twirl(task))]
    large, target, starts = n > SMALL, task.target_error, usual_starts(n, few=n > SMALL)
    hopeless = max(HOPELESS * target, FLOOR)
    if large:
        rule = SamplerFitter(
            sigma, 0, starts, rng, iterations=LONG_ITERATIONS, rounds=LONG_ROUNDS, at_once=AT_ONCE, etas=LONG_ETAS,
            hopeless=hopeless, enough=task.margins.refined * target,
        )  # fmt: skip
    else:
        rule = SamplerFitter(sigma, 0, starts, rng, rounds=ROUNDS, at_once=AT_ONCE, hopeless=hopeless)
    return [replace(rule, sweeps=sweeps) for sweeps in (LONG_SWEEPS if large else SWEEPS)]


def _twirl(task: SearchTask) -> tuple[str, ...]:
    """Generators of the symmetries of H that a preparation may apply at random."""
    if not task.classical_randomness or task.error_rates is not None:
        return ()
    return symmetries(task.model.hamiltonian)[:TWIRLED]


def _begun_on_pieces(task: SearchTask, rng: np.random.Generator) -> Callable[[Ansatz, Fitter, Deadline], Real | None]:
    """First angles of a word on a larger system: those that suit its pieces of 3 and 4 sites, class by class."""
    real, model = task.real, task.model
    pieces = [piece for size in PIECES for piece in patches(model, size, radius=0)]
    all_of = whole_model_patch(model, radius=0)
    known = {name for piece in pieces for name in piece.classes}

    def begin(word: Ansatz, fitter: Fitter, deadline: Deadline) -> Real | None:
        if not all_of.classes <= known:
            return None
        spelled = "".join(CONTACT if layer[0][1] >= word.num_system else BONDS for layer in word.layers)
        parts = []
        for piece in pieces:
            sigma = gibbs_state(piece.model, task.beta)
            ansatz = ansatz_of(piece, spelled, real=real)
            parts.append(Sampling(ansatz, sigma.real if real else sigma, usual_starts(piece.size), fitter.sweeps))
        shared = fit_together(parts, rng, deadline.within(BEGUN), batch=BATCH, iterations=ITERATIONS)
        ansatz = ansatz_of(all_of, spelled, real=real)
        return np.asarray(ansatz.slot_angles(shared.angles(ansatz)[:, None])).reshape(-1, 1)

    return begin


def candidate(task: SearchTask, fit: Fit) -> Candidate[Program]:
    """The fit written as a program, with its gates and the distance that the fit ended at."""
    circuit, ansatz = fit.program, fit.program.ansatz
    program = task.program(
        steps_of(ansatz, circuit.angles),
        circuit.sweeps,
        Calibration.FITTED_TO_TARGET,
        num_ancilla=max(1, ansatz.num_ancilla),
        knobs={"cz_per_sweep": ansatz.gates, "angles": ansatz.num_angles},
    )
    if task.classical_randomness:
        program = without_single_use_ancillas(program)
        if twirl := _twirl(task):
            last = program.stages[-1]
            program = replace(program, stages=(Stage((*last.steps, twirl_step(twirl)), last.repeats),))
    what = f"fitted: {circuit.sweeps} × {ansatz.gates} CZ, {program.num_ancilla} ancillas"
    if task.error_rates is not None:
        what += f", distance with p1 = {task.error_rates[0]:g}, p2 = {task.error_rates[1]:g}"
    return as_candidate(program, fit.distance, what)
