"""Two-point functions ⟨P_i P_j⟩ against the distance of i and j on the interaction graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...io.json import plain
from ...io.section import Section
from ...readings.scalable.chosen import NoReading
from .base import Analysis, Finding
from .interval import Estimate
from .measured_run import MeasuredRun
from .measured_values import with_interval

LETTERS = ("XX", "YY", "ZZ")


@dataclass(frozen=True)
class PairValue:
    """⟨P_i P_j⟩ of one pair.

    Attributes:
        distance: Of the two sites.
        sites: i < j.
        estimate: With the value in the Gibbs state; its interval is that of the shots, or of the reading.
    """

    distance: int
    sites: tuple[int, int]
    estimate: Estimate


Functions = Mapping[str, tuple[PairValue, ...]]


def _why_not(run: MeasuredRun) -> str | None:
    if run.model.num_qubits < 2:
        return "one site has no pair"
    if not run.pairs:
        return "no term of H connects two sites"
    return run.pair_states.reason if isinstance(run.pair_states, NoReading) else None


def _measure(run: MeasuredRun) -> Finding[Functions]:
    found: dict[str, tuple[PairValue, ...]] = {
        letters: tuple(
            PairValue(distance, (sites[0], sites[1]), run.pair_value(letters, sites)) for distance, sites in run.pairs
        )
        for letters in LETTERS
    }
    rows = tuple(
        (letters, str(one.distance), f"{one.sites[0]}, {one.sites[1]}", with_interval(one.estimate),
         "—" if one.estimate.exact is None else f"{one.estimate.exact:.5f}")
        for letters, values in found.items() for one in values
    )  # fmt: skip
    data = {
        letters: [{"sites": list(one.sites), "distance": one.distance, **plain(one.estimate)} for one in values]
        for letters, values in found.items()
    }
    source = "" if isinstance(run.pair_states, NoReading) else run.pair_states.source
    note = f"predicted, and where no basis of the shots has it the result, too: {source}" if source else ""
    head = ("string", "distance", "sites", "result", "exact")
    section = Section(
        "Two-point functions against distance", head, rows, note, {"result": {"correlations": data}}, align="lrlrr"
    )
    return Finding(found, (section,))


correlations = Analysis(
    "correlations", "Two-point functions against distance", _measure, _why_not, {"result": {"correlations": None}}
)
