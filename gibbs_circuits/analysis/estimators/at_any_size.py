"""What is known of a program before a shot is taken, by the reading that its size allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ...errors import ArgumentError, NotConvergedError, TooLargeError
from ...evidence import number
from ...exact.references.local import local_gibbs
from ...io.rendering import Shown, as_text
from ...io.section import Section
from ...limits import MAX_KRYLOV_QUBITS, MAX_PREDICTED_SITES
from ...models.regions import LocalDistance, LocalStates, connected_regions, local_distance
from ...programs.initial_state import InitialState, mixed
from ...programs.program import Program
from ...readings.channel.guarantee import LOCAL, Promise, promised
from ...readings.channel.prediction import Prediction, Unpredicted, try_predict
from ...readings.scalable.chosen import SECONDS, NoReading, chosen_states
from ...readings.scalable.expectations import bloch_vectors, predicted_locally, region_size
from ...readings.scalable.local_guarantee import LocalPrediction


@dataclass(frozen=True, eq=False, repr=False)
class PredictedLocally(Shown):
    """A program held against the Gibbs state region by region; it says which reading told what, and why that one.

    Attributes:
        given: Distances from the given start.
        mixed: From the maximally mixed start.
        reading: What told the former.
        why_reading: Why it was this one, in a line.
        every_start: By backward operators, the only reading that tells of every start; or why not.
        reference: What told the reduced Gibbs states.
        why: Why it was not the exact channel, in a line.
        preparation: Whether the program is one, of which no other start is claimed.
    """

    given: LocalDistance
    mixed: LocalDistance
    reading: str
    why_reading: str
    every_start: LocalPrediction | NoReading
    reference: str
    why: str
    preparation: bool

    @property
    def largest(self) -> float | None:
        """The largest distance of a region from the worst start found; None where no reading tells of every start."""
        return None if isinstance(self.every_start, NoReading) else self.every_start.largest

    @property
    def bound(self) -> float | None:
        """Proved for every start; None if it says nothing."""
        return None if isinstance(self.every_start, NoReading) else self.every_start.bound

    @property
    def error(self) -> float:
        """Of every distance from the given start, σ's own included."""
        return self.given.error

    def promise(self, target_error: float) -> Promise:
        """What it entitles the program to claim: of every start nothing where no reading tells of it."""
        if isinstance(self.every_start, LocalPrediction):
            return self.every_start.promise(target_error, preparation=self.preparation)
        return promised(
            target_error, given=self.given.largest + self.error, fixed_point=None, worst=None, bound=None,
            preparation=self.preparation, measure=LOCAL,
        )  # fmt: skip

    def _rows(self) -> Iterator[tuple[str, ...]]:
        yield "over all regions", "largest trace distance"
        yield "from the given start", f"{number(self.given.largest)} ± {number(self.error)}, at {_at(self.given.where)}"
        yield "from the mixed start", f"{number(self.mixed.largest)} ± {number(self.mixed.error)}"
        if isinstance(self.every_start, NoReading):
            yield "from every start", f"not checked: {self.every_start.reason}"
        else:
            every, bound = self.every_start, self.every_start.bound
            yield (
                "from the worst start found",
                f"{number(every.largest)} ± {number(every.error)}, at {_at(every.where)}",
            )
            yield "from every start, proved", "no bound below 1" if bound is None else number(bound)
            yield "every start read by", every.reading.source
        yield "given start read by", self.reading
        yield "why that", self.why_reading
        yield "Gibbs state by", self.reference
        yield "why not the exact channel", self.why

    def _in_words(self) -> str:
        every = self.every_start
        if isinstance(every, NoReading):
            worst = "of every start not checked"
        else:
            bound = "none below 1" if every.bound is None else number(every.bound)
            worst = f"worst start found {number(every.largest)}, proved bound {bound}"
        return (
            f"{type(self).__name__}(largest distance of a region: from its start {number(self.given.largest)} ± "
            f"{number(self.error)} by {self.reading}; {worst})"
        )

    def sections(self) -> Sequence[Section]:
        """The table, and what of it is in the JSON document."""
        every = None if isinstance(self.every_start, NoReading) else self.every_start
        data = {
            "given_start": self.given.largest, "where": list(self.given.where), "error": self.error,
            "mixed_start": self.mixed.largest, "worst_start": self.largest, "bound": self.bound,
            "worst_error": None if every is None else every.error, "source": self.reading,
            "region": self.given.region, "reference": self.reference,
        }  # fmt: skip
        (table,) = super().sections()
        return (replace(table, data={"prediction_by_region": data}),)

    def __str__(self) -> str:
        return as_text(*self.sections())


def predicted(
    program: Program, start: InitialState, seconds: float = SECONDS
) -> Prediction | PredictedLocally | Unpredicted:
    """What the exact channel says or, above its reach, the readings region by region that the program allows.

    Args:
        program: Any.
        start: A product state or the mixed one above 8 qubits.
        seconds: Nominal, of each reading that is tried.
    """
    n = program.num_system
    exact = try_predict(program, start.density(n) if n <= MAX_KRYLOV_QUBITS else None, seconds=seconds)
    if isinstance(exact, Prediction):
        return exact
    if n > MAX_PREDICTED_SITES:
        return Unpredicted(f"{exact.reason} Regions are read up to {MAX_PREDICTED_SITES} sites.")
    model, beta = program.generator.model, program.generator.beta
    try:
        sigma = local_gibbs(model, beta, connected_regions(model, region_size(program)))
        return _held_against(program, start, sigma, exact.reason, seconds)
    except (ArgumentError, NotConvergedError, TooLargeError) as error:
        return Unpredicted(f"{exact.reason} Region by region: {error}")


def _held_against(
    program: Program, start: InitialState, sigma: LocalStates, why: str, seconds: float
) -> PredictedLocally:
    regions, every = [*sigma.values], every_start(program, start, sigma, seconds)
    try:
        own, other = (
            chosen_states(program, bloch_vectors(one, program.num_system), regions, seconds=seconds)
            for one in (start, mixed())
        )
    except NotConvergedError:
        if isinstance(every, NoReading) or every.given is None:
            raise
        source, missing = every.reading.source, len(every.reading.left_out)
        told = f"no time for {missing} of the regions" if missing else "nothing tells all regions"
        return PredictedLocally(every.given, every.mixed, source, told, every, sigma.source, why, program.preparation)
    given, at_mixed = (local_distance(one.states, sigma) for one in (own, other))
    return PredictedLocally(given, at_mixed, own.states.source, own.why, every, sigma.source, why, program.preparation)


def every_start(
    program: Program, start: InitialState, sigma: LocalStates, seconds: float = SECONDS
) -> LocalPrediction | NoReading:
    """The worst start of every region by backward operators, or why there is none."""
    try:
        return predicted_locally(program, start, sigma, seconds=seconds)
    except (ArgumentError, NotConvergedError, TooLargeError) as error:
        return NoReading(str(error))


def _at(region: tuple[int, ...]) -> str:
    return f"sites {', '.join(map(str, region))}"
