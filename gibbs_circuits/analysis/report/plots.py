"""Pictures: how a run converges; at sizes where no state is a matrix, region by region and against distance."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...evidence import number, share
from ...io.rendering import shortened
from ...linalg.arrays import Real
from ...models.signatures import public
from ...readings.channel.prediction import Settled
from ...readings.scalable.chosen import NoReading
from ..comparison.comparison import Comparison
from ..estimators.correlations import correlations

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
    """Energy and trace distance against sweeps: measured, exact, fixed point and predicted decay.

    Where no state is a matrix: energy per site against sweeps, trace distance of every connected region, and two-point
    functions against distance, each beside the Gibbs state's.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.ticker import MaxNLocator

    large = comparison.judged_locally
    figure = _picture()(figsize=(15.5 if large else 10.5, 5.0), layout="constrained")
    FigureCanvasAgg(figure)
    if large:
        left, middle, right = panels = figure.subplots(1, 3)
        _energy_of_sites(left, comparison)
        _regions(middle, comparison)
        _two_points(right, comparison)
    else:
        left, right = panels = figure.subplots(1, 2)
        _energy(left, comparison)
        _distance(right, comparison)
        right.set_xlabel("sweeps")
    left.set_xlabel("sweeps")
    for axes in panels:
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


def _energy_of_sites(axes: Axes, comparison: Comparison) -> None:
    n, sweeps = comparison.model.num_qubits, comparison.run.program.sweeps
    one, read = comparison.energy.over(n), comparison.energy_by_sweep
    if read:
        axes.plot([*read], [value / n for value in read.values()], "o-", color=PREDICTED, ms=4, label="read backwards")
    if one.high > one.low:
        bars = [[one.value - one.low], [one.high - one.value]]
        axes.errorbar(
            [sweeps], [one.value], bars, fmt="s", color=MEASURED, capsize=4, mfc="white", label="from shots, 95 %"
        )
    if one.exact is not None:
        axes.axhline(one.exact, color=EXACT, lw=1.2, label="Gibbs state")
    if not read and one.high == one.low:
        axes.plot([sweeps], [one.value], "o", color=MEASURED, ms=5, label="result")
    axes.set_ylabel("energy per site")


def _regions(axes: Axes, comparison: Comparison) -> None:
    found, target = comparison.local, comparison.target_error
    axes.set(xlabel="site (centre of the region)", ylabel="trace distance of reduced states")
    axes.axhspan(0, target, color=MEASURED, alpha=0.08, lw=0, label=f"target, {target:g}")
    if isinstance(found, NoReading):
        axes.text(0.5, 0.5, shortened(f"not checked: {found.reason}", 60), ha="center", transform=axes.transAxes)
        return
    distance = found.distance
    centres = [float(np.mean(sites)) for sites in distance.distances]
    label = f"regions of {distance.region} sites"
    error = distance.error if distance.error > 0 else None
    axes.errorbar(
        centres,
        [*distance.distances.values()],
        error,
        fmt="o",
        color=PREDICTED,
        ms=4,
        lw=1,
        ecolor=SLOWEST,
        label=label,
    )
    where = float(np.mean(distance.where))
    largest = f"largest, {number(distance.largest, 3)}"
    axes.plot([where], [distance.largest], "o", color=FIXED, ms=7, mfc="none", label=largest)
    axes.set_ylim(0, 1.2 * max(target, distance.largest))


def _two_points(axes: Axes, comparison: Comparison) -> None:
    axes.set(xlabel="distance", ylabel="two-point function ⟨P_i P_j⟩")
    found = comparison.value(correlations)
    for letters, colour in zip(found or (), (NOISY, PREDICTED, MEASURED), strict=False):
        values = (found or {})[letters]
        at = [one.distance for one in values]
        seen = [one.estimate for one in values]
        bars = [[one.value - one.low for one in seen], [one.high - one.value for one in seen]]
        axes.errorbar(at, [one.value for one in seen], bars, fmt="o", color=colour, ms=4, capsize=3, label=letters)
        known = [one.exact for one in seen]
        if all(one is not None for one in known):
            axes.plot(at, known, color=colour, lw=1, label=f"{letters}, Gibbs state")  # type: ignore[arg-type]


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
