"""A finished run with what several analyses read off it, each computed once and only when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ...backends.measurement.counts import from_counts, shot_error
from ...backends.runs.request import ENERGY
from ...backends.runs.run import RunResult
from ...backends.simulators.noisy_channel import NoisyPrediction, try_noisy_prediction
from ...exact.references.base import ExactAnswer, GibbsReference
from ...exact.references.registry import first_reference
from ...generators.lindbladian import Generator
from ...limits import MAX_DENSE_QUBITS
from ...linalg.arrays import Array, Real
from ...models.model import Model
from ...models.spectrum import Thermal, fidelity, gibbs_state, trace_distance
from ...programs.program import Program
from ...readings.channel.prediction import Prediction, Unpredicted, try_predict
from .expected import expectation, final_state, predicted_values
from .interval import Estimate, from_shots, interval
from .thermometry import beta_effective


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
        expected = predicted_values(request, final_state(request, self.prediction, self.noisy))
        return {name: self._estimate(name, one, expected.get(name)) for name, one in request.observables.items()}

    @property
    def energy(self) -> Estimate:
        """The energy of the final state."""
        return self.observables[ENERGY]

    @cached_property
    def beta_effective(self) -> Estimate | None:
        """The inverse temperature that the energy belongs to; None where there is none, and above 12 qubits."""
        return beta_effective(self.model, self.generator.beta, self.energy) if self.dense else None

    @property
    def diagonal_distance(self) -> float | None:
        """Trace distance of the Gibbs state to its diagonal part; None above 12 qubits."""
        return None if self.sigma is None else trace_distance(np.diag(np.diag(self.sigma)), self.sigma)

    @property
    def initial_distance(self) -> float | None:
        """Trace distance of the start to the Gibbs state; None above 12 qubits."""
        return None if self.sigma is None or self.start is None else trace_distance(self.start, self.sigma)

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
