"""What was measured: every observable with its interval, the final state where there is one, the temperature."""

from __future__ import annotations

from typing import Any

from ...backends.runs.request import ENERGY
from ...evidence import number, share
from ...io.json import plain
from ...io.section import Section
from .base import Analysis, Finding
from .interval import Estimate
from .measured_run import MeasuredRun


def with_interval(estimate: Estimate) -> str:
    """Value [low, high]; in powers of ten where the unit makes it small or large."""
    largest = max(abs(estimate.value), abs(estimate.low), abs(estimate.high))
    form = ".4e" if 0 < largest < 1e-3 or largest >= 1e6 else ".4f"
    if estimate.low == estimate.high:
        return format(estimate.value, form if form == ".4e" else ".5f")
    return f"{estimate.value:{form}} [{estimate.low:{form}}, {estimate.high:{form}}]"


def _title(run: MeasuredRun) -> str:
    request = run.run.request
    shots = f"{request.shots} shots per basis" if request.shots else "exact expectation values"
    shots = "an estimator's values" if request.estimated else shots
    drawn = f"{request.realisations} realisations" if request.realisations > 1 else "one circuit"
    drawn += "" if run.program.random else ", no random step"
    return f"Result on {request.compiled.device.name}: {drawn}, {shots}"


def _note(realisations: int) -> str:
    error = "standard error of the shots"
    if realisations > 1:
        error = f"standard error, Student's with {realisations - 1} degrees of freedom"
    return (
        "predicted here: of this program on this target, its errors and readout included; "
        f"z: (result − predicted) / {error}"
    )


def _rows(run: MeasuredRun) -> list[tuple[str, ...]]:
    compiled, p, beta = run.run.request.compiled, run.prediction, run.beta_effective
    settled = None if p is None else p.settled
    rows: list[tuple[str, ...]] = []
    for name, one in run.observables.items():
        fixed = number(settled.energy, 5) if settled and name == ENERGY else ""
        z = "—" if one.z is None else f"{one.z:+.1f}"
        rows.append((name, with_interval(one), number(one.predicted, 4), z, number(one.exact, 5), fixed))
    noiseless = compiled.device.errors_known and not compiled.errors.present
    expected = p if noiseless and p is not None else run.noisy
    distance = None if expected is None else float(expected.distances[-1])
    fixed = number(None if settled is None else settled.distance)
    return [
        *rows,
        ("trace distance", number(run.trace_distance), number(distance), "", "0", fixed),
        ("fidelity", share(run.fidelity, 4), "", "", "1", ""),
        (_beta_label(run), "—" if beta is None else with_interval(beta), "", "", number(run.generator.beta), ""),
    ]


def _beta_label(run: MeasuredRun) -> str:
    return "β effective" if run.dense or run.beta_effective is None else "β effective, by the heat capacity"


def _fixed_point(run: MeasuredRun) -> dict[str, Any] | None:
    """With the target's gate noise where that is known; None for a preparation."""
    found = run.noisy or run.prediction
    if found is None or run.program.preparation:
        return None
    return {
        "trace_distance": found.fixed_point_distance,
        "energy": found.fixed_point_energy,
        "contraction": found.contraction,
    }


def _measure(run: MeasuredRun) -> Finding[dict[str, Estimate]]:
    beta = run.beta_effective
    data = {
        "energy": run.energy,
        "trace_distance": run.trace_distance,
        "fidelity": run.fidelity,
        "fixed_point": _fixed_point(run),
        "starts": None if run.prediction is None else run.prediction.starts,
        "worst_start": None if run.prediction is None else run.prediction.worst_start,
        "observables": {name: one for name, one in run.observables.items() if name != ENERGY},
        "beta_effective": beta,
        "trace_distance_per_sweep": run.distances,
        "energy_per_sweep": run.energies,
    }
    head = ("quantity", "result", "predicted here", "z", "exact", "fixed point")
    note = _note(run.run.request.realisations)
    section = Section(_title(run), head, tuple(_rows(run)), note, {"result": plain(data)})
    estimates = run.observables if beta is None else {**run.observables, "beta_effective": beta}
    return Finding(estimates, (section,), estimates=estimates)


measured_values = Analysis("measured_values", "Result", _measure)
