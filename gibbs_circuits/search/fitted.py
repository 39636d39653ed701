"""Programs whose shape and angles are fitted to the Gibbs state of this very system."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..errors import TooLargeError
from ..evidence import number
from ..io.progress import Progress, quiet
from ..limits import MAX_PREPARED, MAX_SAMPLED
from ..linalg.arrays import Real
from ..models.graph import interacting_pairs
from ..models.patches import patches, whole
from ..models.spectrum import gibbs_state
from ..programs.classical_randomness import twirl_step, without_single_use_ancillas
from ..programs.product_formulas import commuting_groups
from ..programs.program import Calibration, Program, Stage
from ..readings.circuits.cost import cost
from .candidates import Candidate
from .clock import Deadline, OutOfTimeError
from .task import Wanted
from .variational.ansatz import Ansatz
from .variational.fits import Fit, Prepare, Sample, Task, usual_starts
from .variational.gate_search import MARGIN, Search
from .variational.layers import BONDS, CONTACT, any_pairs, never_wipes, shape
from .variational.noisy_fits import NoisyPrepare, NoisySample
from .variational.objectives import Sampling
from .variational.shared_angles import Effort, ansatz_of, fit_together
from .variational.to_steps import steps_of
from .variational.twirling import symmetries

SAMPLER_WORDS = (
    "abab", "ababb", "ababab", "abbabb", "abababab", "abbabbab", "abbbabbb", "abbabbabb", "abbabbabbabb",
)  # fmt: skip
LONG_WORDS = tuple("ab" * k for k in range(3, 9))  # above 4 qubits, begun on pieces
LONG_SWEEPS = (4,)
ENOUGH = 0.85  # times the target: a word is not refined further, above 4 qubits
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


def fitted(wanted: Wanted, deadline: Deadline, progress: Progress = quiet) -> tuple[Candidate, ...]:
    """The frontier of a search for shape and angles with the Gibbs state at hand, cheapest first.

    Raises:
        CannotFitError: If the system is too large, or has no pair of qubits that interact.
        OutOfTimeError: If the wall clock stops the search before the first fit.
    """
    search, words = searched(wanted, progress)
    rates = wanted.error_rates
    found = search.run(words, deadline if rates is None else deadline.share(NOISELESS)).frontier()
    if wanted.sampler and rates is None:
        found += _repeated(wanted, found, search.rng, deadline)
    if rates is not None:
        found = _retuned(wanted, found, search.rng, deadline, progress)
    return tuple(candidate(wanted, fit) for fit in found)


def _repeated(wanted: Wanted, fits: list[Fit], rng: np.random.Generator, deadline: Deadline) -> list[Fit]:
    """The nearest in more sweeps, where none is within the target but a few more bring one there."""
    target = MARGIN * wanted.target_error
    nearest = min(fits, key=lambda fit: fit.distance)
    if nearest.distance <= target:
        return []
    starts, found = usual_starts(wanted.model.num_qubits, few=True), [nearest]
    for sweeps in range(nearest.sweeps + 1, nearest.sweeps + 1 + MORE):
        try:
            found.append(Sample(wanted.sigma(), sweeps, starts, rng).longer(nearest, deadline))
        except OutOfTimeError:
            break
        if found[-1].distance <= target or found[-1].distance > GAIN * found[-2].distance:
            break
    return found[1:]


def _retuned(
    wanted: Wanted, fits: list[Fit], rng: np.random.Generator, deadline: Deadline, progress: Progress
) -> list[Fit]:
    """The same shapes with angles that suit the target's gate errors, and the distance with them.

    The best without errors come first, so that a deadline cuts off the worst.

    Raises:
        CannotFitError: If none can be simulated with errors.
    """
    assert wanted.error_rates is not None  # asked for
    p1, p2 = wanted.error_rates
    sigma, n = wanted.sigma(), wanted.model.num_qubits
    done: list[Fit] = []
    for fit in sorted(fits, key=lambda one: one.distance):
        if done and deadline.passed:
            break
        task: Task
        if wanted.sampler:
            starts = usual_starts(n, few=n > SMALL)
            task = NoisySample(sigma, fit.sweeps, starts, rng, rounds=2, p1=p1, p2=p2)
        else:
            assert wanted.start is not None  # checked before
            task = NoisyPrepare(sigma, wanted.start, p1=p1, p2=p2)
        try:
            done.append(task.fit(fit.ansatz, fit.angles[:, None], deadline))
        except TooLargeError as error:
            reason = str(error)
            continue
        except OutOfTimeError:
            if not done:
                raise
            break
        progress(f"with gate errors: {done[-1].gates} two-qubit gates, distance {number(done[-1].distance)}")
    if not done:
        raise CannotFitError(reason)
    return done


def searched(wanted: Wanted, progress: Progress) -> tuple[Search, list[Ansatz]]:
    """The search and the words it begins with."""
    n, sampler = wanted.model.num_qubits, wanted.sampler
    most = MAX_SAMPLED if sampler else MAX_PREPARED
    if n > most:
        raise CannotFitError(f"fits of a {'sampler' if sampler else 'preparation'} end at {most} qubits, this has {n}")
    bonds = interacting_pairs(wanted.model.hamiltonian)
    if sampler and not bonds:
        raise CannotFitError("no two qubits interact, so that fitted sweeps would only wipe single qubits")
    if not sampler and wanted.start is None:
        raise CannotFitError("the start is mixed: a preparation begins in a pure state")
    rng = np.random.default_rng(wanted.seed)
    words = PREPARATION_WORDS if not sampler else SAMPLER_WORDS if n <= SMALL else LONG_WORDS
    cheap = wanted.classical_randomness and not sampler
    shapes = list(dict.fromkeys(shape(word, n, bonds, real=wanted.real, classical=cheap) for word in words))
    batch = {True: 4 if n <= SMALL else 1, False: 16 if n <= SMALL else 8}[sampler]
    search = Search(
        tasks=tasks(wanted, rng),
        pairs=any_pairs(n, bonds),
        allowed=never_wipes if sampler else anything,
        target=wanted.target_error,
        rng=rng,
        batch=batch,
        children=2 if sampler and n <= SMALL else 1,
        islands=1 if sampler else ISLANDS,
        near=sampler,
        begin=_begun_on_pieces(wanted, rng) if sampler and n > SMALL else None,
        progress=progress,
    )
    allowed = [one for one in shapes if search.allowed(one)]
    if not allowed:
        raise CannotFitError("a site interacts with no other, so that fitted sweeps would only wipe it")
    return search, allowed


def tasks(wanted: Wanted, rng: np.random.Generator) -> list[Task]:
    """One per number of sweeps."""
    sigma, n = wanted.sigma(), wanted.model.num_qubits
    if not wanted.sampler:
        assert wanted.start is not None  # checked before
        return [Prepare(sigma, wanted.start, twirl=_twirl(wanted))]
    large, target, starts = n > SMALL, wanted.target_error, usual_starts(n, few=n > SMALL)
    hopeless = max(HOPELESS * target, FLOOR)
    if large:
        rule = Sample(
            sigma, 0, starts, rng, iterations=LONG_ITERATIONS, rounds=LONG_ROUNDS, at_once=AT_ONCE, etas=LONG_ETAS,
            hopeless=hopeless, enough=ENOUGH * target,
        )  # fmt: skip
    else:
        rule = Sample(sigma, 0, starts, rng, rounds=ROUNDS, at_once=AT_ONCE, hopeless=hopeless)
    return [replace(rule, sweeps=sweeps) for sweeps in (LONG_SWEEPS if large else SWEEPS)]


def _twirl(wanted: Wanted) -> tuple[str, ...]:
    """Generators of the symmetries of H that a preparation may apply at random."""
    if not wanted.classical_randomness or wanted.error_rates is not None:
        return ()
    return symmetries(wanted.model.hamiltonian)[:TWIRLED]


def _begun_on_pieces(wanted: Wanted, rng: np.random.Generator) -> Callable[[Ansatz, Task, Deadline], Real | None]:
    """First angles of a word on a larger system: those that suit its pieces of 3 and 4 sites, class by class."""
    real, model = wanted.real, wanted.model
    pieces = [piece for size in PIECES for piece in patches(model, size, radius=0)]
    all_of = whole(model, radius=0)
    known = {name for piece in pieces for name in piece.classes}

    def begin(word: Ansatz, task: Task, deadline: Deadline) -> Real | None:
        if not all_of.classes <= known:
            return None
        spelled = "".join(CONTACT if layer[0][1] >= word.num_system else BONDS for layer in word.layers)
        parts = []
        for piece in pieces:
            sigma = gibbs_state(piece.model, wanted.beta)
            ansatz = ansatz_of(piece, spelled, real=real)
            parts.append(Sampling(ansatz, sigma.real if real else sigma, usual_starts(piece.size), task.sweeps))
        effort = Effort(BATCH, ITERATIONS, np.inf, deadline.within(BEGUN))
        shared = fit_together(parts, rng, effort)
        ansatz = ansatz_of(all_of, spelled, real=real)
        return np.asarray(ansatz.slot_angles(shared.angles(ansatz)[:, None])).reshape(-1, 1)

    return begin


def anything(ansatz: Ansatz) -> bool:
    """A preparation may have any shape."""
    return True


def candidate(wanted: Wanted, fit: Fit) -> Candidate:
    """A fit as a program."""
    ansatz = fit.ansatz
    program = Program(
        num_system=ansatz.num_system,
        num_ancilla=max(1, ansatz.num_ancilla),
        groups=commuting_groups(wanted.model.hamiltonian),
        stages=(Stage(steps_of(ansatz, fit.angles), fit.sweeps),),
        generator=wanted.generator,
        scheme="auto",
        knobs={"sweeps": fit.sweeps, "cz_per_sweep": ansatz.gates, "angles": ansatz.num_angles, "seed": wanted.seed},
        calibration=Calibration.FITTED_TO_TARGET,
        guarantee=wanted.guarantee,
    )
    if wanted.classical_randomness:
        program = without_single_use_ancillas(program)
        if twirl := _twirl(wanted):
            last = program.stages[-1]
            program = replace(program, stages=(Stage((*last.steps, twirl_step(twirl)), last.repeats),))
    what = f"fitted: {fit.sweeps} × {ansatz.gates} CZ, {program.num_ancilla} ancillas"
    if wanted.error_rates is not None:
        what += f", distance with p1 = {wanted.error_rates[0]:g}, p2 = {wanted.error_rates[1]:g}"
    return Candidate(program, cost(program).two_qubit_gates, fit.distance, what)
