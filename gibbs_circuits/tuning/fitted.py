"""Programs whose shape and angles are fitted to the Gibbs state of this very system."""

from __future__ import annotations

import numpy as np

from ..compiler import Calibration, Program, Stage
from ..compiler.trotter import commuting_groups
from ..readings import cost
from .ansatz import Ansatz
from .candidate import Candidate
from .fits import Fit, Prepare, Sample, Task, usual_starts
from .search import Search
from .shapes import any_pairs, interacting_pairs, never_wipes, shape
from .wanted import Progress, Wanted, quiet
from .written import steps_of

MAX_SAMPLED, MAX_PREPARED = 6, 7  # qubits up to which a fit takes seconds to minutes
SAMPLER_WORDS = ("aba", "abab", "ababa", "bababa", "abbab", "ababbaba", "abbabba", "abbbabbba")
PREPARATION_WORDS = ("", "a", "ab", "ba", "abb", "bab", "abbb", "baba", "bbab", "bbaba", "bbabab", "bbbabbb")
SWEEPS = (2, 3, 4, 5)


class CannotFitError(Exception):
    """Why there is no such program; the text is for the user."""


def fitted(wanted: Wanted, deadline: float, progress: Progress = quiet) -> tuple[Candidate, ...]:
    """The frontier of a search for shape and angles with the Gibbs state at hand, cheapest first.

    Raises:
        CannotFitError: If the system is too large, or has no pair of qubits that interact.
    """
    search, words = searched(wanted, progress)
    found = search.run(words, deadline)
    return tuple(candidate(wanted, fit) for fit in found.frontier())


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
    words = SAMPLER_WORDS if sampler else PREPARATION_WORDS
    shapes = list(dict.fromkeys(shape(word, n, bonds, real=wanted.real) for word in words))
    batch = {True: 4 if n <= 4 else 2 if n == 5 else 1, False: 16 if n <= 4 else 8}[sampler]
    search = Search(
        tasks=tasks(wanted, rng),
        pairs=any_pairs(n, bonds),
        allowed=never_wipes if sampler else anything,
        target=wanted.target_error,
        rng=rng,
        batch=batch,
        progress=progress,
    )
    return search, [one for one in shapes if search.allowed(one)]


def tasks(wanted: Wanted, rng: np.random.Generator) -> list[Task]:
    """One per number of sweeps."""
    sigma, n = wanted.sigma(), wanted.model.num_qubits
    if not wanted.sampler:
        assert wanted.start is not None  # checked before
        return [Prepare(sigma, wanted.start)]
    starts = usual_starts(n, few=n > 4)
    return [Sample(sigma, sweeps, starts, rng) for sweeps in SWEEPS]


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
    what = f"fitted: {fit.sweeps} × {ansatz.gates} CZ, {ansatz.num_ancilla} ancillas"
    return Candidate(program, cost(program).two_qubit_gates, fit.distance, what)
