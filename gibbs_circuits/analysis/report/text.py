"""A comparison as tables, for a terminal and for a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ...evidence import number, share
from ...io.rendering import table_of
from ..comparison.verdict import Verdict
from ..estimators.checks import Reason
from ..estimators.interval import Estimate
from .tables import (
    bounded,
    count,
    ends,
    frontier_table,
    generator_table,
    ledger_table,
    placement_rows,
    promise,
    with_noise,
)

if TYPE_CHECKING:
    from ..comparison.comparison import Comparison


COLOURS = {Verdict.AGREES: "green", Verdict.DISAGREES: "red", Verdict.NOT_CHECKED: "yellow"}


def with_interval(estimate: Estimate) -> str:
    """Value [low, high]; in powers of ten where the unit makes it small or large."""
    largest = max(abs(estimate.value), abs(estimate.low), abs(estimate.high))
    form = ".4e" if 0 < largest < 1e-3 or largest >= 1e6 else ".4f"
    if estimate.low == estimate.high:
        return format(estimate.value, form if form == ".4e" else ".5f")
    return f"{estimate.value:{form}} [{estimate.low:{form}}, {estimate.high:{form}}]"


def tables(comparison: Comparison) -> Group:
    """The whole report."""
    generator = comparison.run.program.generator
    parts: list[RenderableType] = [
        generator_table(generator, comparison.certificate),
        _target(comparison),
        _result(comparison),
        _gates(comparison),
        *([frontier_table(comparison.run.program)] if comparison.run.program.frontier else []),
        ledger_table(comparison.ledger),
    ]
    if comparison.rungs:
        parts.append(_rungs(comparison))
    parts += [_reasons(comparison), _verdict(comparison)]
    return Group(*parts)


def _result(c: Comparison) -> Table:
    request = c.run.request
    shots = f"{request.shots} shots per basis" if request.shots else "exact expectation values"
    shots = "an estimator's values" if request.estimated else shots
    drawn = f"{request.realisations} realisations" if request.realisations > 1 else "one circuit"
    if not c.run.program.random:
        drawn += ", no random step"
    title = f"Result on {request.compiled.device.name}: {drawn}, {shots}"
    table = table_of(title, "quantity", "result", "predicted here", "z", "exact", "fixed point")
    p = c.prediction
    settled = None if p is None else p.settled
    for name, estimate in c.observables.items():
        fixed = number(settled.energy, 5) if settled and name == "energy" else ""
        z = "—" if estimate.z is None else f"{estimate.z:+.1f}"
        row = (with_interval(estimate), number(estimate.predicted, 4), z, number(estimate.exact, 5), fixed)
        table.add_row(name, *row)
    noisy = None if c.noisy is None else float(c.noisy.distances[-1])
    known = request.compiled.device.errors_known and not request.compiled.errors.present
    foreseen = float(p.distances[-1]) if known and p is not None else noisy
    fixed = number(None if settled is None else settled.distance)
    table.add_row("trace distance", number(c.trace_distance), number(foreseen), "", "0", fixed)
    table.add_row("fidelity", share(c.fidelity, 4), "", "", "1", "")
    beta = c.beta_effective
    exact = number(c.run.program.generator.beta)
    table.add_row("β effective", with_interval(beta) if beta else "—", "", "", exact, "")
    if p is not None:
        table.add_row("trace distance by start", ends(p), "", "", "0", "")
        table.add_row("  from every start, proved bound", bounded(p), "", "", "0", "")
    if settled is not None:
        table.add_row("contraction per sweep", share(settled.contraction), "", "", "", "")
    for label, value in with_noise(c.noisy, c.run.program.preparation):
        table.add_row(label, value, "", "", "", "")
    table.caption = (
        "predicted here: of this program on this target, its errors and readout included; z: (result − predicted) / "
        + (
            f"standard error, Student's with {request.realisations - 1} degrees of freedom"
            if request.realisations > 1
            else "standard error of the shots"
        )
    )
    table.caption_justify = "left"
    return table


def _target(c: Comparison) -> Table:
    """Where it ran, and whether that can be trusted."""
    run, request = c.run, c.run.request
    compiled = request.compiled
    table = table_of(f"Target: {compiled.device.name} ({compiled.device.lattice})", "what", "value")
    if request.choice is not None:
        how = f"{request.choice.method} on {request.choice.processor}: {request.choice.reason}"
        table.add_row("simulated by", how)
    for row in placement_rows(compiled):
        table.add_row(*row)
    asked = request.options.model_dump(exclude={"measurement_mitigation"}, exclude_defaults=True)
    if asked and compiled.device.local:
        table.add_row("options of the service", f"not simulated on a snapshot: {', '.join(asked)}")
    check = run.check
    if check is not None:
        passed = {True: "passed", False: "DIFFERS", None: "not checked"}[check.passed]
        table.add_row("one sweep against the exact channel", f"{passed}: {check.note}")
        if check.circuit_distance is not None:
            table.add_row("  transpiled sweep without errors, trace distance", number(check.circuit_distance))
        if check.state_distance is not None:
            table.add_row("  state on the target, trace distance", number(check.state_distance))
        if check.z:
            z = ", ".join(f"{name} {value:+.1f}" for name, value in check.z.items())
            table.add_row(f"  {check.shots} shots per basis, in standard errors", z)
    if request.usage is not None:
        table.add_row("one shot on the device", f"{request.usage.circuit_seconds * 1e6:,.1f} µs and the wait between")
        table.add_row("QPU seconds, extrapolated before the run", f"{request.usage.qpu_seconds:,.3g}")
    if run.jobs:
        spent = [job.qpu_seconds for job in run.jobs if job.qpu_seconds is not None]
        said = f", {sum(spent):,.3g} QPU seconds as the service says" if spent else ""
        table.add_row("jobs", f"{sum(job.status == 'done' for job in run.jobs)} of {len(run.jobs)} done{said}")
    if run.set_aside:
        table.add_row("damaged files, set aside and done again", ", ".join(run.set_aside))
    return table


def _gates(c: Comparison) -> Table:
    run = c.run
    compiled = run.request.compiled
    ours = compiled.two_qubit_gates
    program = run.program
    claim = promise(program, c.prediction, c.target_error)
    title = f"Two-qubit gates: {program.scheme}, {program.sweeps} sweeps; {claim}"
    table = table_of(title, "way", "two-qubit gates", "trace distance", "ratio to ours")
    table.add_row(
        f"this program on {compiled.device.name} ({compiled.device.lattice})",
        count(ours),
        number(c.trace_distance),
        "1",
    )
    if run.lattice is not None:
        lattice = run.lattice.two_qubit_gates
        ratio = f"{lattice / ours:.2f}" if ours else "—"
        name = f"the same, counted on {run.lattice.device.name}, not simulated"
        table.add_row(name, count(lattice), "—", ratio)
    table.add_row("nearest product state found", "0", number(c.best_product_distance), "0")
    table.add_row("diagonal part of the Gibbs state: a classical mixture", "0", number(c.diagonal_distance), "0")
    for label, loop in zip(("step 0.1", "best step"), c.loop or (), strict=False):
        gates = loop.two_qubit_gates
        if label == "best step":
            label = f"best step, {loop.step:.3g}"
        table.add_row(
            f"hand-written UnitaryGate loop, {label}, {count(loop.steps)} steps",
            count(gates) if gates is not None else "never gets there",
            number(loop.distance),
            f"{gates / ours:.1f}" if gates is not None and ours else "—",
        )
    if program.provenance:
        table.caption = program.provenance
        table.caption_justify = "left"
    return table


def _rungs(c: Comparison) -> Table:
    table = table_of("Measured orders", "knob, halved twice", "errors", "slope", "declared", "holds")
    for rung in c.rungs:
        errors = " → ".join(f"{e:.1e}" for e in rung.errors)
        local = ", ".join(f"{slope:.1f}" for slope in rung.local_slopes)
        slope = f"{rung.slope:.2f}" if rung.slope is not None else local or "—"
        holds = {True: "yes", False: "NO", None: "not measured"}[rung.holds]
        table.add_row(rung.knob, errors, slope, rung.declared, holds)
    return table


def _reasons(c: Comparison) -> Table:
    """Every check of the verdict with its two numbers."""
    table = table_of(f"Checks at target error {c.target_error:g}", "check", "found", "allowed", "passed", "what")
    table.columns[4].justify = "left"
    for one in c.reasons:
        table.add_row(one.name, number(one.found), number(one.allowed), _passed(one), one.text)
    return table


def _passed(reason: Reason) -> str:
    return {True: "yes", False: "NO", None: "not checked"}[reason.passed]


def _verdict(c: Comparison) -> Text:
    word = c.verdict.value.replace("_", " ")
    text = Text(f"Verdict: {word}", style=f"bold {COLOURS[c.verdict]}")
    failed = [one for one in c.reasons if one.passed is False]
    shown = failed or [one for one in c.reasons if one.passed is not None]
    said = "; ".join(f"{one.name} {number(one.found)}, allowed {number(one.allowed)}" for one in shown)
    if c.trace_distance is None:
        said = f"no state to measure; {said}" if said else "no state to measure"
    text.append(f"  ({said})", style="dim")
    return text.append(f"\nTemperature: {c.temperature}", style="not bold")
