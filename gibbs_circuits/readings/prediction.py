"""What the exact averaged channel says of a program before a shot is taken."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..compiler import Guarantee, Program, Status
from ..errors import TooLargeError
from ..spectrum import Array, Real, beta_of_energy, gibbs_state, spectrum, trace_distance
from .channel import MAX_CHANNEL_QUBITS, MAX_KRYLOV_QUBITS, contraction, fixed_point, stage_channel
from .initial import mixed, one, zero
from .krylov import MAX_APPLICATIONS, Relaxation, relaxation
from .maps import Action, Matrix
from .work import building_seconds

SECONDS = 60.0
APPLICATIONS = 30  # that a fixed point takes at least, as a rule
FOLLOWED_DENSE, FOLLOWED = 500, 10  # sweeps beyond the run that are still performed
SETTLED = 1e-11  # trace distance that all sweeps left may still move a state that is not followed any more
DENSE_ERROR = 1e-12  # of eigenvalues
CONVERGED = 1e-9


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predictions from the exact channel, averaged over random steps.

    Attributes:
        relaxation: Fixed point and contraction of the last stage's sweep, for ever repeated, and how well known.
        fixed_point_distance, fixed_point_energy: Of that fixed point, the distance to σ.
        fixed_point_beta: β at which the exact energy is that of the fixed point; None at β = 0 or where there is none.
        paths: Trace distance to σ after 0, 1, … sweeps, from zero, one and mixed.
        distances, energies: The same from the run's own start.
        channel: The last stage's sweep.
        ends: The states after all sweeps, from zero, one and mixed.
        final: The state after all sweeps from the run's own start.
        sigma: The Gibbs state.
    """

    relaxation: Relaxation
    fixed_point_distance: float
    fixed_point_energy: float
    fixed_point_beta: float | None
    paths: dict[str, Real]
    distances: Real
    energies: Real
    channel: Action
    ends: tuple[Array, ...]
    final: Array
    sigma: Array

    @property
    def contraction(self) -> float:
        """Second largest |eigenvalue| of the last stage's sweep."""
        return self.relaxation.contraction

    @property
    def starts(self) -> dict[str, float]:
        """Trace distance to σ after all sweeps, from zero, one and mixed."""
        return {name: float(path[-1]) for name, path in self.paths.items()}

    @property
    def worst_start(self) -> float:
        """The largest of the starts' trace distances."""
        return max(self.starts.values())

    def __repr__(self) -> str:
        beta = "—" if self.fixed_point_beta is None else f"{self.fixed_point_beta:.5g}"
        return (
            f"Prediction(worst of zero, one, mixed {self.worst_start:.4f}; "
            f"fixed point {self.fixed_point_distance:.4f}, energy {self.fixed_point_energy:.6g}, β {beta}; "
            f"contraction {self.contraction:.3f} per sweep)"
        )

    def guarantee(self, target_error: float) -> Guarantee:
        """What the exact channel bears out at this error."""
        if self.relaxation.converged and max(self.worst_start, self.fixed_point_distance) <= target_error:
            return Guarantee.ANY_START
        return Guarantee.GIVEN_START if self.distances[-1] <= target_error else Guarantee.NONE

    def sweeps_to(self, target_error: float) -> tuple[int | None, Status]:
        """Sweeps after which the worst start is within `target_error` of σ, and stays; None: never.

        Within the program's own sweeps they are counted. Beyond, the last stage goes on: for 500 sweeps more up to 5
        system qubits and for 10 above they are counted, too. Then they are extrapolated, as many as are enough if the
        distance to the fixed point, which never grows, shrinks by the contraction from sweep to sweep.
        """
        worst = np.max(np.stack(list(self.paths.values())), axis=0)
        outside = np.flatnonzero(worst > target_error)
        last = int(outside[-1]) if outside.size else -1
        if last < worst.size - 1:
            return last + 1, Status.MEASURED
        if not self.relaxation.converged:
            return None, Status.NOT_CHECKED
        room, ends, sweep = target_error - self.fixed_point_distance, self.ends, last
        if room <= 0 or self.contraction >= 1:
            return None, Status.MEASURED
        for sweep in range(last + 1, last + 1 + (FOLLOWED_DENSE if isinstance(self.channel, Matrix) else FOLLOWED)):
            ends = _applied(self.channel, ends)
            if max(trace_distance(rho, self.sigma) for rho in ends) > target_error:
                last = sweep
            if max(trace_distance(rho, self.relaxation.state) for rho in ends) <= room:
                return last + 1, Status.MEASURED
        apart = max(trace_distance(rho, self.relaxation.state) for rho in ends)
        more = math.log(room / apart) / math.log(max(self.contraction, 1e-300))
        return sweep + math.ceil(more), Status.EXTRAPOLATED


@dataclass(frozen=True)
class Unpredicted:
    """No prediction, and why: with the numbers."""

    reason: str


def predict(program: Program, start: Array, *, seconds: float = SECONDS) -> Prediction | None:
    """As `try_predict`, None where there is no prediction."""
    found = try_predict(program, start, seconds=seconds)
    return found if isinstance(found, Prediction) else None


def try_predict(program: Program, start: Array, *, seconds: float = SECONDS) -> Prediction | Unpredicted:
    """What the exact channel says of a program from a density matrix, and from zero, one and mixed.

    Dense up to 5 system qubits; above, up to 8, from applications of the sweep alone.

    Args:
        program: Any.
        start: The run's own start.
        seconds: Roughly what may be spent above 5 qubits. What would take longer is not begun: building a sweep is
            estimated from its steps, the rest from one application that is timed.

    Accuracy: 1e-10 dense; above, as `relaxation` says. Trajectories are exact to 1e-11.
    """
    n = program.num_system
    if n > MAX_KRYLOV_QUBITS:
        return Unpredicted(f"The program has {n} system qubits; predictions go up to {MAX_KRYLOV_QUBITS}.")
    if n > MAX_CHANNEL_QUBITS and (needed := building_seconds(program)) > seconds:
        return Unpredicted(f"Writing the sweep as a map would take about {needed:.0f} s, {seconds:g} s are allowed.")
    try:
        channels = [stage_channel(program, stage) for stage in range(len(program.stages))]
    except TooLargeError as error:
        return Unpredicted(str(error))
    actions = [Matrix(channel) if isinstance(channel, np.ndarray) else channel for channel in channels]
    last = channels[-1]
    if isinstance(last, np.ndarray):
        return _from_channels(program, start, actions, _dense_relaxation(last))
    begun = time.perf_counter()
    actions[-1].apply(start)
    each = time.perf_counter() - begun
    sweeps = 2 * program.sweeps  # pairs of starts
    if (APPLICATIONS + sweeps) * each > seconds:
        return Unpredicted(
            f"An application of the sweep takes {each:.2g} s; {sweeps} for the starts and {APPLICATIONS} or more for "
            f"the fixed point would take {(APPLICATIONS + sweeps) * each:.0f} s, {seconds:g} s are allowed."
        )
    allowed = int(seconds / max(each, 1e-9)) - sweeps
    found = relaxation(actions[-1], max_applications=min(MAX_APPLICATIONS, allowed))
    return _from_channels(program, start, actions, found)


def _dense_relaxation(channel: Array) -> Relaxation:
    rho = fixed_point(channel)
    residual, factor = float(np.linalg.norm(Matrix(channel).apply(rho) - rho)), contraction(channel)
    error = max(residual, np.finfo(float).eps) / max(1 - factor, DENSE_ERROR)
    return Relaxation(rho, residual, error, factor, DENSE_ERROR, 0, error <= CONVERGED)


def _from_channels(program: Program, start: Array, actions: Sequence[Action], found: Relaxation) -> Prediction:
    n, generator = program.num_system, program.generator
    sigma = gibbs_state(generator.model, generator.beta)
    H = generator.model.hamiltonian.to_matrix()

    def energy(rho: Array) -> float:
        return float(np.real(np.sum(rho * H.T)))

    named = {s.name: s.density(n) for s in (zero(n), one(n), mixed())}
    distances, energies, states = [], [], tuple[Array, ...]()
    for states in _path(program, actions, (*named.values(), np.asarray(start, dtype=complex))):
        distances.append([trace_distance(rho, sigma) for rho in states])
        energies.append(energy(states[-1]))
    length = program.sweeps + 1
    *paths, own = (_filled(column, length) for column in zip(*distances, strict=True))
    mean = energy(found.state)
    return Prediction(
        relaxation=found,
        fixed_point_distance=trace_distance(found.state, sigma),
        fixed_point_energy=mean,
        fixed_point_beta=beta_of_energy(mean, spectrum(generator.model)) if generator.beta > 0 else None,
        paths=dict(zip(named, paths, strict=True)),
        distances=own,
        energies=_filled(energies, length),
        channel=actions[-1],
        ends=states[:-1],
        final=states[-1],
        sigma=sigma,
    )


def _path(program: Program, actions: Sequence[Action], states: tuple[Array, ...]) -> Iterator[tuple[Array, ...]]:
    """The states after 0, 1, … sweeps; within the last stage it ends once the sweeps left hardly move them."""
    yield states
    scale = math.sqrt(len(states[0]))
    for index, (stage, action) in enumerate(zip(program.stages, actions, strict=True)):
        for left in reversed(range(stage.repeats)):
            before, states = states, _applied(action, states)
            yield states
            step = max(float(np.linalg.norm(now - then)) for now, then in zip(states, before, strict=True))
            if index == len(actions) - 1 and left * scale * step <= SETTLED:
                return


def _applied(channel: Action, states: Sequence[Array]) -> tuple[Array, ...]:
    """The channel on Hermitian matrices, two at a time as A + iB."""
    images: list[Array] = []
    for k in range(0, len(states), 2):
        image = channel.apply(states[k] + 1j * states[k + 1] if k + 1 < len(states) else states[k])
        images += [(image + image.conj().T) / 2, (image - image.conj().T) / 2j][: len(states) - k]
    return tuple(images)


def _filled(values: Sequence[float], length: int) -> Real:
    """As long as that, with the last value."""
    return np.array([*values, *[values[-1]] * (length - len(values))])
