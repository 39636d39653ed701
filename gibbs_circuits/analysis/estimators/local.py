"""The local measure: trace distance of every connected region's reduced state to that of the Gibbs state."""

from __future__ import annotations

from typing import Any

from ...evidence import Status, number, share
from ...io.section import Section
from ...readings.scalable.chosen import NoReading
from ...readings.scalable.local_guarantee import LocalPrediction
from .base import Analysis, Finding
from .checks import LOCAL_DISTANCE, Reason
from .local_states import LocalResult
from .measured_run import MeasuredRun


def _why_not(run: MeasuredRun) -> str | None:
    return run.local.reason if isinstance(run.local, NoReading) else None


def _sites(region: tuple[int, ...]) -> str:
    return ", ".join(map(str, region))


def local_check(found: LocalResult, target_error: float) -> Reason:
    """The check that stands in place of the trace distance of the whole; none where the error bar holds the target."""
    distance = found.distance
    low, high = distance.largest - distance.error, distance.largest + distance.error
    passed = True if high <= target_error else False if low > target_error else None
    text = (
        f"largest trace distance of a region of {distance.region} sites to the Gibbs state, within "
        f"{number(distance.error)}; the target must lie outside of that error"
    )
    return Reason(LOCAL_DISTANCE, passed, distance.largest, target_error, text)


def _worst_rows(every: LocalPrediction | NoReading) -> list[tuple[str, str, str]]:
    if isinstance(every, NoReading):
        return [("from every start", "not checked", every.reason)]
    bound = "none below 1" if every.bound is None else number(every.bound)
    slowest = max(every.contraction, default=None)
    return [
        (
            "from the worst start found",
            number(every.largest),
            f"sites {_sites(every.where)}; within {number(every.error)}",
        ),
        ("  from every start, proved bound", bound, f"{number(every.without_cuts)} had nothing been cut"),
        ("contraction per sweep, the slowest", share(slowest), "of the operators less their constant parts"),
    ]


def _worst_data(every: LocalPrediction | NoReading | None) -> dict[str, Any]:
    if not isinstance(every, LocalPrediction):
        return {"worst": None, "bound": None, "contraction_per_sweep": None}
    return {"worst": every.largest, "bound": every.bound, "contraction_per_sweep": list(every.contraction)}


def _measure(run: MeasuredRun) -> Finding[LocalResult]:
    found = run.local
    if isinstance(found, NoReading):
        return Finding(None)
    distance, every = found.distance, run.every_start
    errors = run.run.request.compiled.errors.present
    rows = [
        ("largest trace distance", number(distance.largest), f"sites {_sites(distance.where)}"),
        ("mean", number(distance.mean), f"{len(distance.distances)} regions of {distance.region} sites"),
        ("error of each", number(distance.error), "of the reading and of the reference together"),
        ("reduced states of the program", "", found.states.source),
        ("those of the Gibbs state", "", f"{found.reference.replace('_', ' ')}, within {number(found.sigma.error)}"),
        *([("of the program, without this target's gate noise", "", "")] if errors and run.states is None else []),
        *([] if every is None else _worst_rows(every)),
    ]
    data = {
        "region": distance.region, "largest": distance.largest, "mean": distance.mean, "where": list(distance.where),
        "error": distance.error, "reference": found.reference, "reference_error": found.sigma.error,
        "status": Status.MEASURED.value, "source": found.states.source,
        **_worst_data(every),
        "regions": [{"sites": list(sites), "distance": value} for sites, value in distance.distances.items()],
    }  # fmt: skip
    section = Section(
        f"Region by region: reduced states of {distance.region} connected sites", ("quantity", "value", "where, how"),
        tuple(rows), data={"result": {"local": data}}, align="lrl",
    )  # fmt: skip
    reasons = (local_check(found, run.target_error),) if run.judged_locally else ()
    return Finding(found, (section,), reasons)


local = Analysis("local", "Region by region", _measure, _why_not, {"result": {"local": None}})
