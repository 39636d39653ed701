"""A run held against the exact answer: the data of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...backends.runs.request import ENERGY
from ...backends.runs.run import RunResult
from ...backends.simulators.noisy_channel import NoisyPrediction
from ...evidence import number
from ...exact.certificate.certificate import Certificate
from ...io.rendering import Printed
from ...linalg.arrays import Real
from ...models.spectrum import Thermal
from ...readings.channel.prediction import Prediction
from ..error_budget.orders import RungSlope
from ..error_budget.shifts import Ledger
from ..estimators.checks import Reason
from ..estimators.interval import Estimate
from ..estimators.thermometry import Temperature
from ..report.text import tables
from .baselines import UnitaryLoop
from .verdict import Verdict

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Printed):
    """Everything that is known of a run; prints itself, in a terminal and in a notebook."""

    run: RunResult
    target_error: float
    certificate: Certificate
    exact: Thermal | None
    observables: dict[str, Estimate]
    trace_distance: float | None
    fidelity: float | None
    distances: Real | None  # measured, after 0, 1, … sweeps
    energies: Real | None
    prediction: Prediction | None
    noisy: NoisyPrediction | None  # the same with the target's gate noise, if it has any
    beta_effective: Estimate | None
    ledger: Ledger
    rungs: tuple[RungSlope, ...]
    best_product_distance: float | None
    diagonal_distance: float | None
    initial_distance: float | None
    loop: tuple[UnitaryLoop, UnitaryLoop] | None
    verdict: Verdict
    reasons: tuple[Reason, ...]
    temperature: Temperature

    @property
    def energy(self) -> Estimate:
        """The energy of the final state."""
        return self.observables[ENERGY]

    def _parts(self) -> Sequence[RenderableType]:
        return [tables(self)]

    def _in_words(self) -> str:
        far = "" if self.trace_distance is None else f"trace distance {number(self.trace_distance)}, "
        exact = "" if self.energy.exact is None else f", exact {number(self.energy.exact)}"
        word = self.verdict.value.replace("_", " ")
        return f"Comparison({word}: {far}energy {number(self.energy.value)}{exact}; print it for the report)"
