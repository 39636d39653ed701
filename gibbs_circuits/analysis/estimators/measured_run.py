"""A finished run with what several analyses read off it, each computed once and only when it is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ...backends.measurement.counts import covers, from_counts, shot_error
from ...backends.runs.request import ENERGY
from ...backends.runs.run import RunResult
from ...backends.simulators.noisy_channel import NoisyPrediction, try_noisy_prediction
from ...errors import ArgumentError, NotConvergedError, TooLargeError
from ...exact.references.base import ExactAnswer, GibbsReference
from ...exact.references.registry import first_reference, why_none
from ...generators.lindbladian import Generator
from ...limits import MAX_DENSE_QUBITS
from ...linalg.arrays import Array, Real
from ...models.model import Model
from ...models.regions import LocalStates, Region, connected_regions, strings_of
from ...models.spectrum import Thermal, fidelity, gibbs_state, trace_distance
from ...programs.program import Program
from ...readings.channel.guarantee import LOCAL, Promise, promised
from ...readings.channel.prediction import Prediction, Unpredicted, promise_of, try_predict
from ...readings.scalable.chosen import SECONDS, NoReading
from ...readings.scalable.expectations import energies_by_sweep, expectations, region_size
from ...readings.scalable.local_guarantee import LocalPrediction
from .at_any_size import every_start
from .expected import expectation, final_state, predicted_values
from .interval import Estimate, from_shots, interval
from .local_states import LocalResult, held_against, pairs_by_distance, read_states
from .thermometry import beta_effective, beta_nearby

ASIDE = 15.0  # nominal seconds of what is shown beside the regions: two-point functions; the energy against sweeps


@dataclass(frozen=True, eq=False, repr=False)
class MeasuredRun:
    """A finished run, the exact answer where it is known, and what the exact channel says.

    Attributes:
        run: From `gc.run`.
        target_error: Trace distance that still agrees.
        baselines: Whether to look for the nearest product state and carry the hand-written loop: seconds.
    """

    run: RunResult
    target_error: float
    baselines: bool = True

    @property
    def program(self) -> Program:
        """The program that ran."""
        return self.run.program

    @property
    def generator(self) -> Generator:
        """The generator whose steady state the program samples."""
        return self.run.program.generator

    @property
    def model(self) -> Model:
        """The model whose Gibbs state is the reference."""
        return self.generator.model

    @property
    def dense(self) -> bool:
        """Whether the system is small enough for density matrices: 12 qubits."""
        return self.run.num_system <= MAX_DENSE_QUBITS

    @cached_property
    def sigma(self) -> Array | None:
        """The Gibbs state, (2**n, 2**n); None above 12 qubits."""
        return gibbs_state(self.model, self.generator.beta) if self.dense else None

    @cached_property
    def reference(self) -> GibbsReference | None:
        """The first reference that knows the Gibbs state; None where none does."""
        return first_reference(self.model, self.generator.beta)

    @cached_property
    def answer(self) -> ExactAnswer | None:
        """What that reference knows of the Gibbs state; None where none does."""
        return None if self.reference is None else self.reference.answer(self.model, self.generator.beta)

    @property
    def exact(self) -> Thermal | None:
        """Thermal functions of the Gibbs state; None where no reference knows them."""
        return None if self.answer is None else self.answer.thermal

    @cached_property
    def start(self) -> Array | None:
        """The state before the first sweep, (2**n, 2**n); None above 12 qubits."""
        return self.run.request.initial.density(self.run.num_system) if self.dense else None

    @cached_property
    def predicted(self) -> Prediction | Unpredicted:
        """What the exact channel says of the program from the run's own start, or why it says nothing."""
        return try_predict(self.program, self.start)

    @property
    def prediction(self) -> Prediction | None:
        """What the exact channel says; None where it says nothing."""
        return self.predicted if isinstance(self.predicted, Prediction) else None

    @cached_property
    def noisy(self) -> NoisyPrediction | None:
        """The same with the target's gate noise; None where there is none, or it is too large to follow."""
        return try_noisy_prediction(self.run.request.compiled) if self.dense else None

    @cached_property
    def states(self) -> Array | None:
        """Mean system state after 0, 1, … sweeps, (sweeps + 1, 2**n, 2**n); None on trajectories."""
        return self.run.states

    @cached_property
    def distances(self) -> Real | None:
        """Trace distance to the Gibbs state after 0, 1, … sweeps; None without states."""
        if self.states is None or self.sigma is None:
            return None
        return np.array([trace_distance(rho, self.sigma) for rho in self.states])

    @cached_property
    def energies(self) -> Real | None:
        """Energy after 0, 1, … sweeps; None without states."""
        if self.states is None or self.sigma is None:
            return None
        H = self.model.hamiltonian.to_matrix()
        return np.array([float(np.real(np.trace(rho @ H))) for rho in self.states])

    @property
    def trace_distance(self) -> float | None:
        """Of the final state to the Gibbs state; None without states."""
        return None if self.distances is None else float(self.distances[-1])

    @cached_property
    def fidelity(self) -> float | None:
        """Of the final state with the Gibbs state; None without states."""
        return None if self.states is None or self.sigma is None else fidelity(self.states[-1], self.sigma)

    @cached_property
    def observables(self) -> dict[str, Estimate]:
        """Every observable in the final state with its 95 % interval, the energy first."""
        request = self.run.request
        expected = predicted_values(request, final_state(request, self.prediction, self.noisy)) or self._read_values()
        return {name: self._estimate(name, one, expected.get(name)) for name, one in request.observables.items()}

    @property
    def energy(self) -> Estimate:
        """The energy of the final state."""
        return self.observables[ENERGY]

    @cached_property
    def beta_effective(self) -> Estimate | None:
        """The inverse temperature that the energy belongs to, above 12 qubits by the heat capacity; None: not known."""
        if self.dense:
            return beta_effective(self.model, self.generator.beta, self.energy)
        return None if self.exact is None else beta_nearby(self.exact, self.generator.beta, self.energy)

    @property
    def diagonal_distance(self) -> float | None:
        """Trace distance of the Gibbs state to its diagonal part; None above 12 qubits."""
        return None if self.sigma is None else trace_distance(np.diag(np.diag(self.sigma)), self.sigma)

    @property
    def initial_distance(self) -> float | None:
        """Trace distance of the start to the Gibbs state; None above 12 qubits."""
        return None if self.sigma is None or self.start is None else trace_distance(self.start, self.sigma)

    @property
    def judged_locally(self) -> bool:
        """Whether the target error is about regions: where no trace distance of the whole can be told."""
        return self.trace_distance is None and self.prediction is None

    @cached_property
    def promise(self) -> Promise:
        """What the program may claim, of the whole system or, where that cannot be told, region by region."""
        if not self.judged_locally or isinstance(self.local, NoReading):
            return promise_of(self.program, self.prediction, self.target_error)
        if isinstance(self.every_start, LocalPrediction):
            return self.every_start.promise(self.target_error, preparation=self.program.preparation)
        distance = self.local.distance
        given = distance.largest + distance.error
        return promised(
            self.target_error, given=given, fixed_point=None, worst=None, bound=None,
            preparation=self.program.preparation, measure=LOCAL,
        )  # fmt: skip

    @cached_property
    def every_start(self) -> LocalPrediction | NoReading | None:
        """The worst start of every region, or why it is not known; None where states are matrices."""
        if not self.judged_locally or isinstance(self.local, NoReading):
            return None
        return every_start(self.program, self.run.request.initial, self.local.sigma)

    @cached_property
    def local(self) -> LocalResult | NoReading:
        """Reduced states of all connected regions beside those of the Gibbs state, or why there are none."""
        regions = connected_regions(self.model, region_size(self.program))
        return self._held_against_gibbs(self._read(regions))

    @cached_property
    def pairs(self) -> tuple[tuple[int, Region], ...]:
        """Pairs of sites, one for each distance, that two-point functions are shown of."""
        return pairs_by_distance(self.model)

    @cached_property
    def pair_states(self) -> LocalStates | NoReading:
        """Reduced states of those pairs, or why there are none."""
        return self._read([sites for _, sites in self.pairs], ASIDE)

    @cached_property
    def energy_by_sweep(self) -> dict[int, float]:
        """Energy after 0, 1, 2, 4, … and all sweeps, without gate errors; empty where it cannot be read."""
        counts = [0, *(2**k for k in range(20) if 2**k < self.program.sweeps), self.program.sweeps]
        start, H = self.run.request.initial, self.model.hamiltonian
        try:
            return energies_by_sweep(self.program, start, H, counts, ASIDE)
        except (ArgumentError, NotConvergedError, TooLargeError):
            return {}

    def pair_value(self, letters: str, sites: Region) -> Estimate:
        """⟨P_i P_j⟩ from the shots where a basis has it, else from the program's reduced states."""
        states, n, request = self.pair_states, self.model.num_qubits, self.run.request
        assert not isinstance(states, NoReading)  # asked only where there are some
        row = dict(zip(strings_of(sites), states.values[sites], strict=True))
        value = float(row[tuple(zip(sites, letters, strict=True))])
        label = "".join(dict(zip(sites, letters, strict=True)).get(q, "I") for q in reversed(range(n)))
        if self.states is None and any(covers(basis, label) for basis in request.bases):
            errors = request.compiled.errors.present or not request.compiled.device.errors_known
            return self._estimate(label, SparsePauliOp(label), None if errors else value)
        exact = None if self.answer is None else self.answer.expectation(SparsePauliOp(label))
        return Estimate(value, value - states.error, value + states.error, exact)

    def _read(self, regions: Iterable[Region], seconds: float = SECONDS) -> LocalStates | NoReading:
        rho, source = (None, "") if self.prediction is None else (self.prediction.final, "the exact channel")
        if self.states is not None:
            rho, source = self.states[-1], "the final state"
        return read_states(self.program, self.run.request.initial, regions, rho, source, seconds)

    def _held_against_gibbs(self, states: LocalStates | NoReading) -> LocalResult | NoReading:
        reference = "" if self.reference is None else self.reference.name
        without = "" if self.answer is not None else f"no reference: {why_none(self.model, self.generator.beta)}"
        return held_against(states, self.answer, reference, without)

    def _read_values(self) -> dict[str, float]:
        """What a run without errors should measure where no channel is a matrix, by taking observables backwards."""
        request = self.run.request
        errors = request.compiled.errors.present or not request.compiled.device.errors_known
        if errors or self.dense or request.machine.read is not None:
            return {}
        try:
            values = expectations(self.program, request.initial, [*request.observables.values()])
        except (ArgumentError, NotConvergedError, TooLargeError):
            return {}
        return dict(zip(request.observables, values, strict=True))

    def _estimate(self, name: str, operator: SparsePauliOp, predicted: float | None) -> Estimate:
        run, request, states = self.run, self.run.request, self.states
        exact = None if self.answer is None else self.answer.expectation(operator)
        if request.shots == 0 and states is not None:
            value = expectation(operator, states[-1])
            return Estimate(value, value, value, exact, predicted)
        if all(block.values for block in run.blocks):
            return interval([block.values[name] for block in run.blocks], exact, predicted)
        seen = [from_counts(operator, request.bases, block.counts, block.flips) for block in run.blocks]
        if len(seen) == 1:  # no random step: the scatter is that of independent shots
            block = run.blocks[0]
            shares = [{bits: k / sum(one.values()) for bits, k in one.items()} for one in block.counts]
            error = shot_error(operator, request.bases, shares, request.shots, block.flips)
            return from_shots(seen[0], error, exact, predicted)
        return interval(seen, exact, predicted)
