"""Pictures: how a run converges."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...evidence import number, share
from ...linalg.arrays import Real
from ...models.signatures import public
from ...readings.channel.prediction import Settled
from ..comparison.comparison import Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


MEASURED, EXACT, FIXED, PREDICTED = "#1b6ca8", "#222222", "#c1440e", "#7a9e3d"
SLOWEST, PRODUCT, NOISY = "#999999", "#b0a060", "#8e5ea2"


@cache
def _picture() -> type[Figure]:
    """A figure that shows itself in a notebook, whatever matplotlib is set to there."""
    from matplotlib.figure import Figure

    class Picture(Figure):
        def _repr_png_(self) -> bytes:
            buffer = io.BytesIO()
            self.savefig(buffer, format="png", dpi=110)
            return buffer.getvalue()

    return Picture


@public
def convergence(comparison: Comparison) -> Figure:
    """Energy and trace distance against sweeps: measured, exact, fixed point and predicted decay."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.ticker import MaxNLocator

    figure = _picture()(figsize=(10.5, 5.0), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    _energy(left, comparison)
    _distance(right, comparison)
    for axes in (left, right):
        axes.set_xlabel("sweeps")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=9, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.13))
    program, generator = comparison.run.program, comparison.run.program.generator
    figure.suptitle(
        f"{generator.model.name}, β = {generator.beta:g}: {program.scheme}, {program.sweeps} sweeps, "
        f"{comparison.run.request.compiled.two_qubit_gates:,.0f} two-qubit gates — {comparison.verdict.value}"
    )
    return figure


def _energy(axes: Axes, comparison: Comparison) -> None:
    prediction, energy, sweeps = comparison.prediction, comparison.energy, comparison.run.program.sweeps
    if prediction is not None:
        axes.plot(prediction.energies, color=PREDICTED, lw=2, label="predicted (exact channel)")
        if prediction.settled is not None:
            axes.axhline(prediction.settled.energy, color=FIXED, ls="--", lw=1.2, label="fixed point")
    if comparison.noisy is not None:
        axes.plot(comparison.noisy.energies, color=NOISY, lw=2, label="predicted with the target's errors")
    if comparison.energies is not None:
        axes.plot(comparison.energies, "o", color=MEASURED, ms=5, label="simulated")
    if energy.high > energy.low:
        bars = [[energy.value - energy.low], [energy.high - energy.value]]
        label = "from shots, 95 %"
        axes.errorbar([sweeps], [energy.value], bars, fmt="s", color=MEASURED, capsize=4, mfc="white", label=label)
    if energy.exact is not None:
        axes.axhline(energy.exact, color=EXACT, lw=1.2, label="exact")
    axes.set_ylabel("energy ⟨H⟩")


def _distance(axes: Axes, comparison: Comparison) -> None:
    prediction, measured = comparison.prediction, comparison.distances
    shown = [comparison.target_error]
    if prediction is not None:
        axes.plot(prediction.distances, color=PREDICTED, lw=2, label="predicted (exact channel)")
        shown += [*prediction.distances]
        if prediction.settled is not None:
            shown.append(_slowest(axes, prediction.settled, prediction.distances))
    if comparison.noisy is not None:
        axes.plot(comparison.noisy.distances, color=NOISY, lw=2, label="predicted with the target's errors")
        shown += list(comparison.noisy.distances)
    if measured is not None:
        axes.plot(measured, "o", color=MEASURED, ms=5, label="simulated")
        shown += list(measured)
    if comparison.best_product_distance is not None:
        label = f"nearest product state found, {number(comparison.best_product_distance, 3)}"
        axes.axhline(comparison.best_product_distance, color=PRODUCT, lw=1, ls="-.", label=label)
    axes.set_ylim(0.6 * min(shown), 1.2 * max(shown))
    target = comparison.target_error
    axes.axhspan(0, target, color=MEASURED, alpha=0.08, lw=0, label=f"target, {target:g}")
    axes.set(ylabel="trace distance to the Gibbs state", yscale="log")


def _slowest(axes: Axes, settled: Settled, distances: Real) -> float:
    """The fixed point and the slowest decay towards it; the height of the former."""
    fixed, sweeps = settled.distance, np.linspace(0, distances.size - 1, 200)
    axes.axhline(fixed, color=FIXED, ls="--", lw=1.2, label=f"fixed point, {number(fixed, 3)}")
    decay = fixed + distances[0] * settled.contraction**sweeps
    label = f"guide: slowest decay, {share(settled.contraction, 2)} per sweep"
    axes.plot(sweeps, decay, color=SLOWEST, ls=":", lw=1.5, label=label)
    return fixed


def save_convergence(comparison: Comparison, path: Path) -> None:
    """Write the picture as PNG."""
    convergence(comparison).savefig(path, dpi=150, format="png")
