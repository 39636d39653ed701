"""What the exact averaged channel says of a program, without and with the gate noise of its target."""

from __future__ import annotations

from typing import Any

from ...backends.simulators.noisy_channel import NoisyPrediction
from ...evidence import number, share
from ...io.json import plain
from ...io.section import Section, count
from ...programs.program import Program
from ...readings.channel.prediction import Prediction, Unpredicted
from .base import Analysis, Finding
from .measured_run import MeasuredRun


def prediction_section(
    prediction: Prediction, noisy: NoisyPrediction | None, program: Program, errors: bool, target_error: float
) -> Section:
    """Distances after all sweeps, and what repeating the last sweep leads to.

    Args:
        prediction: Without gate noise.
        noisy: With it; None where there is none, or it is not known.
        program: A preparation is not repeated and has no fixed point.
        errors: Whether the target has gate noise.
        target_error: Trace distance that sweeps are counted to.
    """
    found = prediction_data(prediction, target_error)
    listed = ", ".join(f"{name} {number(distance)}" for name, distance in prediction.starts.items())
    worst = "not searched" if prediction.worst_start is None else number(prediction.worst_start)
    bound = prediction.bound
    proved = "—" if bound is None else "none below 1" if bound >= 1 else number(bound)
    rows = [
        *([("these lines and the guarantee", "of the program, without this target's gate noise")] if errors else []),
        ("predicted trace distance, by start", f"{listed}; worst found {worst}"),
        ("  from every start, proved bound", proved),
        *_repeated(prediction, f"sweeps to {target_error:g} from the worst start found", **found["sweeps_to_target"]),
    ]
    if noisy is not None:
        rows.append(("with gate noise: trace distance after all sweeps", number(float(noisy.distances[-1]))))
    if noisy is not None and not program.preparation:
        fixed = f"{number(noisy.fixed_point_distance)}, {number(noisy.fixed_point_energy, 5)}"
        faded = f"{number(noisy.fixed_point_beta)}, {share(noisy.contraction)}"
        rows += [
            ("with gate noise: fixed point, distance and energy", fixed),
            ("with gate noise: β of the fixed point, contraction", faded),
        ]
    data = {
        "prediction": found,
        "prediction_with_noise": None if noisy is None else _noisy_data(noisy, program.preparation),
    }
    return Section("Predicted by the exact channel", ("quantity", "value"), tuple(rows), data=data)


def _repeated(prediction: Prediction, label: str, value: int | None, status: str) -> list[tuple[str, str]]:
    """What repeating the last stage's sweep leads to, with the sweeps it takes; nothing of a preparation."""
    fixed = prediction.settled
    if fixed is None:
        return []
    rows = [
        ("predicted trace distance of the fixed point", number(fixed.distance)),
        ("predicted contraction per sweep", share(fixed.contraction)),
        ("predicted β of the fixed point, by its energy", number(fixed.beta)),
        (f"{label} ({status.replace('_', ' ')})", count(value)),
    ]
    if prediction.relaxation.applications:
        rows.append(("fixed point and contraction, by Krylov", prediction.relaxation.text))
    return rows


def prediction_data(prediction: Prediction, target_error: float) -> dict[str, Any]:
    """A prediction in the JSON document; no fixed point of a preparation."""
    needed, status = prediction.sweeps_to(target_error)
    fixed, found = prediction.settled, prediction.relaxation
    settled = None if fixed is None else {
        "trace_distance": fixed.distance, "energy": fixed.energy, "contraction": fixed.contraction, "beta": fixed.beta,
        "residual": found.residual, "converged": found.converged, "applications": found.applications,
    }  # fmt: skip
    data: dict[str, Any] = plain({
        "sweeps_to_target": {"value": needed, "status": status},
        "fixed_point": settled,
        "starts": prediction.starts,
        "worst_start": prediction.worst_start,
        "trace_distance_per_sweep": prediction.distances,
        "energy_per_sweep": prediction.energies,
    })  # fmt: skip
    return data


def _noisy_data(noisy: NoisyPrediction, preparation: bool) -> dict[str, Any]:
    fixed = {
        "trace_distance": noisy.fixed_point_distance, "energy": noisy.fixed_point_energy,
        "contraction": noisy.contraction, "beta": noisy.fixed_point_beta,
    }  # fmt: skip
    data: dict[str, Any] = plain({
        "fixed_point": None if preparation else fixed,
        "trace_distance_per_sweep": noisy.distances,
        "energy_per_sweep": noisy.energies,
    })  # fmt: skip
    return data


def _why_not(run: MeasuredRun) -> str | None:
    return run.predicted.reason if isinstance(run.predicted, Unpredicted) else None


def _measure(run: MeasuredRun) -> Finding[Prediction]:
    found, errors = run.prediction, run.run.request.compiled.errors.present
    sections = () if found is None else (prediction_section(found, run.noisy, run.program, errors, run.target_error),)
    return Finding(found, sections)


exact_channel = Analysis(
    "exact_channel", "Predicted by the exact channel", _measure, _why_not,
    {"prediction": None, "prediction_with_noise": None},
)  # fmt: skip
