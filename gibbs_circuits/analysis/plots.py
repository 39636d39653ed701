"""Pictures: how a run converges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .compare import Comparison

MEASURED, EXACT, FIXED, PREDICTED = "#1b6ca8", "#222222", "#c1440e", "#7a9e3d"


def convergence(comparison: Comparison) -> Figure:
    """Energy and trace distance against sweeps: measured, exact, fixed point and predicted decay."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    _energy(left, comparison)
    _distance(right, comparison)
    program, generator = comparison.run.program, comparison.run.program.generator
    figure.suptitle(
        f"{generator.model.name}, β = {generator.beta:g}: {program.scheme}, {program.sweeps} sweeps, "
        f"{comparison.run.request.compiled.two_qubit_gates:.0f} two-qubit gates — {comparison.verdict.value}"
    )
    return figure


def _energy(axes, comparison: Comparison) -> None:  # type: ignore[no-untyped-def]
    prediction, energy, sweeps = comparison.prediction, comparison.energy, comparison.run.program.sweeps
    if prediction is not None:
        axes.plot(prediction.energies, color=PREDICTED, lw=2, label="predicted (exact channel)")
        axes.axhline(prediction.fixed_point_energy, color=FIXED, ls="--", lw=1.2, label="fixed point")
    if comparison.energies is not None:
        axes.plot(comparison.energies, "o", color=MEASURED, ms=5, label="simulated")
    error = [[energy.value - energy.low], [energy.high - energy.value]]
    label = "measured, 95 %" if comparison.run.request.shots else None
    axes.errorbar([sweeps], [energy.value], yerr=error, fmt="s", color=MEASURED, capsize=4, mfc="white", label=label)
    if energy.exact is not None:
        axes.axhline(energy.exact, color=EXACT, lw=1.2, label="exact")
    axes.set(xlabel="sweeps", ylabel="energy ⟨H⟩")
    axes.legend(frameon=False, fontsize=9)


def _distance(axes, comparison: Comparison) -> None:  # type: ignore[no-untyped-def]
    prediction = comparison.prediction
    if prediction is not None:
        k = np.arange(prediction.distances.size)
        axes.plot(k, prediction.distances, color=PREDICTED, lw=2, label="predicted (exact channel)")
        axes.axhline(
            prediction.fixed_point_distance, color=FIXED, ls="--", lw=1.2,
            label=f"fixed point, {prediction.fixed_point_distance:.3f}",
        )  # fmt: skip
        decay = prediction.distances[0] * prediction.contraction**k
        axes.plot(
            k, decay, color="#999999", ls=":", lw=1.5, label=f"slowest decay, {prediction.contraction:.2f} per sweep"
        )
    if comparison.distances is not None:
        axes.plot(comparison.distances, "o", color=MEASURED, ms=5, label="simulated")
    if comparison.best_product_distance is not None:
        axes.axhline(
            comparison.best_product_distance, color="#b0a060", lw=1, ls="-.", label="nearest product state found"
        )
    axes.axhspan(
        0, comparison.target_error, color=MEASURED, alpha=0.08, lw=0, label=f"target, {comparison.target_error:g}"
    )
    axes.set(xlabel="sweeps", ylabel="trace distance to the Gibbs state", yscale="log")
    finite = [
        *(prediction.distances if prediction is not None else []),
        *(comparison.distances if comparison.distances is not None else []),
    ]
    axes.set_ylim(0.5 * min([comparison.target_error, *finite]), 1.3)
    axes.legend(frameon=False, fontsize=9)


def save_convergence(comparison: Comparison, path: Path) -> None:
    """Write the picture as PNG."""
    convergence(comparison).savefig(path, dpi=150, format="png")
