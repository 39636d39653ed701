"""What the exact averaged channel says of a program before a shot is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...errors import TooLargeError
from ...evidence import Status, number, share
from ...io.rendering import Shown
from ...limits import MAX_CHANNEL_QUBITS, MAX_KRYLOV_QUBITS
from ...linalg.arrays import Array, Real
from ...linalg.fixed_point import MAX_APPLICATIONS, Relaxation, contraction, fixed_point, relaxation
from ...linalg.maps import Action, Map, Matrix
from ...models.spectrum import beta_of_energy, gibbs_state, spectrum, trace_distance
from ...programs.initial_state import mixed, one, zero
from ...programs.program import Guarantee, Program
from .building_time import building_seconds
from .guarantee import LOCAL, Promise, promised
from .paths import applied, filled, path
from .sweep_channel import stage_channel
from .sweep_count import Pool, extrapolated, sweeps_within
from .worst_start import WorstStart, all_sweeps, proved_bound, search_applications, tried_starts, worst_start

SECONDS = 60.0
APPLICATIONS = 30  # that a fixed point takes at least, as a rule
FOLLOWED = 10  # sweeps beyond the run that are still performed where a sweep is no matrix
DENSE_ERROR = 1e-12  # of eigenvalues
CONVERGED = 1e-9


@dataclass(frozen=True)
class Settled:
    """The fixed point of a sweep for ever repeated: its trace distance to σ, energy, β by that energy, contraction."""

    distance: float
    energy: float
    beta: float | None
    contraction: float


@dataclass(frozen=True, eq=False, repr=False)
class Prediction(Shown):
    """Predictions from the exact channel, averaged over random steps.

    Attributes:
        relaxation: Fixed point and contraction of the last stage's sweep, for ever repeated, and how well known.
        fixed_point_distance, fixed_point_energy: Of that fixed point, the distance to σ.
        fixed_point_beta: β at which the exact energy is that of the fixed point; None at β = 0 or where there is none.
        paths: Trace distance to σ after 0, 1, … sweeps, from zero, one and mixed; beyond 512 sweeps of a stage at 64
            places per doubling, the last among them, and on straight lines between.
        distances, energies: The same from the run's own start.
        final: The state after all sweeps from the run's own start.
        sigma: The Gibbs state.
        searched: The worst start that a search found; None where there was no time for one.
        searched_path: Its distances as in `paths`; None without one.
        ends: The states after all sweeps from zero, one, mixed and the worst start found.
        bound: A proved bound for every start, see `proved_bound`; None above 5 system qubits.
        preparation: Whether the program is one, not repeated: then relaxation and fixed point are of no account.
        actions, repeats: The sweep of every stage, and how often it is done.
        vectors: Eigenvectors of H.
    """

    relaxation: Relaxation
    fixed_point_distance: float
    fixed_point_energy: float
    fixed_point_beta: float | None
    paths: dict[str, Real]
    distances: Real
    energies: Real
    final: Array
    sigma: Array
    searched: WorstStart | None
    searched_path: Real | None
    ends: tuple[Array, ...]
    bound: float | None
    preparation: bool
    actions: tuple[Action, ...]
    repeats: tuple[int, ...]
    vectors: Array

    @property
    def contraction(self) -> float:
        """Second largest |eigenvalue| of the last stage's sweep."""
        return self.relaxation.contraction

    @property
    def settled(self) -> Settled | None:
        """What the last stage's sweep would settle to; None of a preparation, which is not repeated."""
        if self.preparation:
            return None
        return Settled(self.fixed_point_distance, self.fixed_point_energy, self.fixed_point_beta, self.contraction)

    @property
    def starts(self) -> dict[str, float]:
        """Trace distance to σ after all sweeps, from zero, one and mixed."""
        return {name: float(path[-1]) for name, path in self.paths.items()}

    @property
    def worst_start(self) -> float | None:
        """The largest trace distance to σ after all sweeps that was found by a search over starts; None without one."""
        if self.searched is None:
            return None
        return max(self.searched.distance, float(self.distances[-1]), *self.starts.values())

    def _in_words(self) -> str:
        worst = "not searched" if self.worst_start is None else number(self.worst_start)
        if self.preparation:
            return f"Prediction(preparation, from its start {number(self.distances[-1])}; worst start found {worst})"
        beta = "—" if self.fixed_point_beta is None else number(self.fixed_point_beta)
        return (
            f"Prediction(worst start {worst}; fixed point {number(self.fixed_point_distance)}, energy "
            f"{number(self.fixed_point_energy)}, β {beta}; contraction {share(self.contraction)})"
        )

    def promise(self, target_error: float) -> Promise:
        """What the exact channel bears out at this error, and what that rests on."""
        return promised(
            target_error,
            given=float(self.distances[-1]),
            fixed_point=self.fixed_point_distance if self.relaxation.converged else None,
            worst=self.worst_start,
            bound=self.bound,
            preparation=self.preparation,
        )

    def guarantee(self, target_error: float) -> Guarantee:
        """What the exact channel bears out at this error."""
        return self.promise(target_error).guarantee or Guarantee.NONE

    def sweeps_to(self, target_error: float) -> tuple[int | None, Status]:
        """Sweeps after which the worst start is within `target_error` of σ, and stays; None: never, or not known.

        Up to 5 system qubits the worst start is searched for anew at every count, see `sweeps_within`; 500 sweeps
        beyond the program's own are performed with its last stage going on, and then they are extrapolated: as many as
        are enough if the distance to the fixed point, which never grows, shrinks by the contraction every sweep.
        Above, the worst start found after all sweeps is followed, and 10 more, so that the count is extrapolated unless
        it is the program's own. A preparation is not repeated: nothing is counted.
        """
        if self.preparation or self.searched is None or self.searched_path is None:
            return None, Status.NOT_CHECKED
        matrices = [action.channel for action in self.actions if isinstance(action, Matrix)]
        if len(matrices) < len(self.actions):
            return self._followed_to(target_error, np.max([*self.paths.values(), self.searched_path], axis=0))
        stages = list(zip(matrices, self.repeats, strict=True))
        d = len(self.sigma)
        pool = Pool(
            self.sigma, tried_starts(self.vectors), np.stack([self.searched.state, np.eye(d)[0], np.eye(d)[-1]])
        )
        return sweeps_within(target_error, stages, pool, self.relaxation.state, self.contraction)

    def _followed_to(self, target_error: float, worst: Real) -> tuple[int | None, Status]:
        outside = np.flatnonzero(worst > target_error)
        last = int(outside[-1]) if outside.size else -1
        if last < worst.size - 1:
            return last + 1, Status.MEASURED if last == worst.size - 2 else Status.EXTRAPOLATED
        if not self.relaxation.converged:
            return None, Status.NOT_CHECKED
        room, ends, sweep = target_error - self.fixed_point_distance, self.ends, last
        if room <= 0 or self.contraction >= 1:
            return None, Status.MEASURED
        for sweep in range(last + 1, last + 1 + FOLLOWED):
            ends = applied(self.actions[-1], ends)
            if max(trace_distance(rho, self.sigma) for rho in ends) > target_error:
                last = sweep
            if max(trace_distance(rho, self.relaxation.state) for rho in ends) <= room:
                return last + 1, Status.EXTRAPOLATED
        apart = max(trace_distance(rho, self.relaxation.state) for rho in ends)
        return extrapolated(sweep, apart, room, self.contraction), Status.EXTRAPOLATED


@dataclass(frozen=True)
class Unpredicted:
    """No prediction, and why: with the numbers."""

    reason: str


def predict(program: Program, start: Array, *, seconds: float = SECONDS) -> Prediction | None:
    """As `try_predict`, None where there is no prediction."""
    found = try_predict(program, start, seconds=seconds)
    return found if isinstance(found, Prediction) else None


def try_predict(program: Program, start: Array | None, *, seconds: float = SECONDS) -> Prediction | Unpredicted:
    """What the exact channel says of a program from a density matrix, and from zero, one and mixed.

    Dense up to 5 system qubits; above, up to 8, from applications of the sweep alone.

    Args:
        program: Any.
        start: The run's own start; None where it is too large for a matrix, as is the prediction.
        seconds: Roughly what may be spent above 5 qubits. What would take longer is not begun: building a sweep is
            estimated from its steps, the rest from the sizes of the maps: the same on every machine, busy or not. The
            search for the worst start comes last, and is left out if there is no time for it.

    Accuracy: 1e-10 dense; above, as `relaxation` says. Trajectories are exact to 1e-11.
    """
    n = program.num_system
    if n > MAX_KRYLOV_QUBITS or start is None:
        return Unpredicted(f"The exact channel is followed up to {MAX_KRYLOV_QUBITS} system qubits; there are {n}.")
    if n > MAX_CHANNEL_QUBITS and (needed := building_seconds(program)) > seconds:
        return Unpredicted(f"Writing the sweep as a map would take about {needed:.0f} s, {seconds:g} s are allowed.")
    try:
        channels = [stage_channel(program, stage) for stage in range(len(program.stages))]
    except TooLargeError as error:
        return Unpredicted(str(error))
    actions: list[Map] = [Matrix(channel) if isinstance(channel, np.ndarray) else channel for channel in channels]
    last = channels[-1]
    if isinstance(last, np.ndarray):
        whole = all_sweeps(program, actions)
        worst, bound = worst_start(program, whole=whole), proved_bound(program, whole.after(None))
        return _from_channels(program, start, actions, _dense_relaxation(last), worst, bound)
    each = max(action.seconds for action in actions)
    sweeps = 2 * program.sweeps  # pairs of starts
    if (APPLICATIONS + sweeps) * each > seconds:
        return Unpredicted(
            f"An application of the sweep takes about {each:.2g} s; {sweeps} for the starts and {APPLICATIONS} or more "
            f"for the fixed point would take {(APPLICATIONS + sweeps) * each:.0f} s, {seconds:g} s are allowed."
        )
    allowed = int(seconds / max(each, 1e-9)) - sweeps
    found = relaxation(actions[-1], max_applications=min(MAX_APPLICATIONS, allowed))
    needed = (found.applications + search_applications(program) + 2 * sweeps) * each
    searched = worst_start(program, channels) if needed <= seconds else None
    return _from_channels(program, start, actions, found, searched, None)


def _dense_relaxation(channel: Array) -> Relaxation:
    rho = fixed_point(channel)
    residual, factor = float(np.linalg.norm(Matrix(channel).apply(rho) - rho)), contraction(channel)
    error = max(residual, np.finfo(float).eps) / max(1 - factor, DENSE_ERROR)
    return Relaxation(rho, residual, error, factor, DENSE_ERROR, 0, error <= CONVERGED)


def _from_channels(
    program: Program,
    start: Array,
    actions: Sequence[Action],
    found: Relaxation,
    searched: WorstStart | None,
    bound: float | None,
) -> Prediction:
    n, generator = program.num_system, program.generator
    sigma = gibbs_state(generator.model, generator.beta)
    H = generator.model.hamiltonian.to_matrix()

    def energy(rho: Array) -> float:
        return float(np.real(np.sum(rho * H.T)))

    named = {s.name: s.density(n) for s in (zero(n), one(n), mixed())}
    worst = () if searched is None else (np.outer(searched.state, searched.state.conj()),)
    counts, distances, energies, states = list[int](), [], [], tuple[Array, ...]()
    for count, states in path(program, actions, (*named.values(), *worst, np.asarray(start, dtype=complex))):
        counts.append(count)
        distances.append([trace_distance(rho, sigma) for rho in states])
        energies.append(energy(states[-1]))
    length = program.sweeps + 1
    *paths, own = (filled(counts, column, length) for column in zip(*distances, strict=True))
    searched_path = None if searched is None else paths.pop()
    mean = energy(found.state)
    return Prediction(
        relaxation=found,
        fixed_point_distance=trace_distance(found.state, sigma),
        fixed_point_energy=mean,
        fixed_point_beta=beta_of_energy(mean, spectrum(generator.model)) if generator.beta > 0 else None,
        paths=dict(zip(named, paths, strict=True)),
        distances=own,
        energies=filled(counts, energies, length),
        final=states[-1],
        sigma=sigma,
        searched=searched,
        searched_path=searched_path,
        ends=states[:-1],
        bound=bound,
        preparation=program.preparation,
        actions=tuple(actions),
        repeats=tuple(stage.repeats for stage in program.stages),
        vectors=spectrum(generator.model).vectors,
    )


def promise_of(program: Program, prediction: Prediction | None, target_error: float) -> Promise:
    """What a program may claim by its prediction, and by what the search that made it read off the exact channel.

    The latter counts where the prediction had no time to search: above 5 system qubits; and where it is about regions,
    of which a prediction of the whole says nothing.
    """
    if program.region is not None:
        found = promised(
            target_error,
            given=program.worst_found if program.given_found is None else program.given_found,
            fixed_point=program.worst_found,
            worst=program.worst_found,
            bound=None,
            preparation=program.preparation,
        )
        return replace(found, measure=LOCAL, region=program.region)
    if prediction is not None:
        own = prediction.promise(target_error)
        if own.worst is not None or program.worst_found is None:
            return own
    worst = program.worst_found  # of the fixed point, too
    return promised(
        target_error,
        given=None if prediction is None else float(prediction.distances[-1]),
        fixed_point=worst,
        worst=worst,
        bound=None,
        preparation=program.preparation,
    )
