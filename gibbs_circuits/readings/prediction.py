"""What the exact averaged channel says of a program before a shot is taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..compiler import Guarantee, Program
from ..spectrum import Array, Real, gibbs_state, trace_distance
from .channel import MAX_CHANNEL_QUBITS, contraction, fixed_point, states_after_sweeps, sweep_channel
from .initial import mixed, one, zero


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predictions from the exact channel, averaged over random delays.

    Attributes:
        fixed_point_distance, fixed_point_energy: Of the last stage's averaged sweep, for ever repeated.
        contraction: Second largest |eigenvalue| of that sweep.
        starts: Trace distance to σ after all sweeps, from zero, one and mixed.
        distances, energies: After 0, 1, … sweeps from the run's own start.
    """

    fixed_point_distance: float
    fixed_point_energy: float
    contraction: float
    starts: dict[str, float]
    distances: Real
    energies: Real

    @property
    def worst_start(self) -> float:
        """The largest of the starts' trace distances."""
        return max(self.starts.values())

    def guarantee(self, target_error: float) -> Guarantee:
        """What the exact channel bears out at this error."""
        if max(self.worst_start, self.fixed_point_distance) <= target_error:
            return Guarantee.ANY_START
        return Guarantee.GIVEN_START if self.distances[-1] <= target_error else Guarantee.NONE


def predict(program: Program, start: Array) -> Prediction | None:
    """Distances and energies of a program, from a density matrix and from zero, one and mixed; None above 5 qubits."""
    n = program.num_system
    if n > MAX_CHANNEL_QUBITS:
        return None
    sigma = gibbs_state(program.generator.model, program.generator.beta)
    H = program.generator.model.hamiltonian.to_matrix()
    channels = [sweep_channel(program, stage) for stage in range(len(program.stages))]
    fixed = fixed_point(channels[-1])

    def energy(rho: Array) -> float:
        return float(np.real(np.trace(rho @ H)))

    own = states_after_sweeps(program, start, channels)
    return Prediction(
        fixed_point_distance=trace_distance(fixed, sigma),
        fixed_point_energy=energy(fixed),
        contraction=contraction(channels[-1]),
        starts={
            s.name: trace_distance(states_after_sweeps(program, s.density(n), channels)[-1], sigma)
            for s in (zero(n), one(n), mixed())
        },
        distances=np.array([trace_distance(rho, sigma) for rho in own]),
        energies=np.array([energy(rho) for rho in own]),
    )
