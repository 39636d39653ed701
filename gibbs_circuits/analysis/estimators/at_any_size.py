"""What is known of a program before a shot is taken, by the reading that its size allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import ArgumentError, NotConvergedError, TooLargeError
from ...evidence import number
from ...exact.references.local import local_gibbs
from ...io.rendering import as_text
from ...limits import MAX_KRYLOV_QUBITS
from ...models.regions import connected_regions
from ...programs.initial_state import InitialState
from ...programs.program import Program
from ...readings.channel.prediction import Prediction, Unpredicted, try_predict
from ...readings.scalable.expectations import REGION, predicted_locally
from ...readings.scalable.local_guarantee import LocalPrediction


@dataclass(frozen=True, eq=False, repr=False)
class PredictedLocally(LocalPrediction):
    """The same, and why the exact channel did not say it.

    Attributes:
        why: In a line.
    """

    why: str = ""

    def _rows(self) -> Iterator[tuple[str, ...]]:
        yield "over all regions", "largest trace distance"
        if self.given is not None:
            yield "from the given start", number(self.given.largest)
        yield "from the worst start found", f"{number(self.largest)}, sites {', '.join(map(str, self.where))}"
        yield "from every start, proved", "no bound below 1" if self.bound is None else number(self.bound)
        yield "error of each, without the bound", number(self.error)
        yield "read by", self.reading.source
        yield "why not the exact channel", self.why

    def __str__(self) -> str:
        return as_text(*self.sections())


def predicted(program: Program, start: InitialState) -> Prediction | PredictedLocally | Unpredicted:
    """What the exact channel says or, above its reach, observables taken backwards, region by region.

    Args:
        program: Any.
        start: A product state or the mixed one above 8 qubits.
    """
    n = program.num_system
    exact = try_predict(program, start.density(n) if n <= MAX_KRYLOV_QUBITS else None)
    if isinstance(exact, Prediction):
        return exact
    model, beta = program.generator.model, program.generator.beta
    try:
        sigma = local_gibbs(model, beta, connected_regions(model, min(REGION, n)))
        found = predicted_locally(program, start, sigma)
    except (ArgumentError, NotConvergedError, TooLargeError) as error:
        return Unpredicted(f"{exact.reason} Region by region: {error}")
    return PredictedLocally(**vars(found), why=exact.reason)
