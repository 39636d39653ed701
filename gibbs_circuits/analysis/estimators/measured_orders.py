"""The orders that a scheme declares, measured on the program that ran."""

from __future__ import annotations

from ...io.json import plain
from ...io.section import Section
from ...limits import MAX_RUNG_QUBITS
from ..error_budget.orders import RungSlope, measured_rungs
from .base import Analysis, Finding
from .measured_run import MeasuredRun

HOLDS = {True: "yes", False: "NO", None: "not measured"}


def _row(rung: RungSlope) -> tuple[str, ...]:
    errors = " → ".join(f"{e:.1e}" for e in rung.errors)
    local = ", ".join(f"{slope:.1f}" for slope in rung.local_slopes)
    slope = f"{rung.slope:.2f}" if rung.slope is not None else local or "—"
    return rung.knob, errors, slope, rung.declared, HOLDS[rung.holds]


def _why_not(run: MeasuredRun) -> str | None:
    n = run.run.num_system
    return None if n <= MAX_RUNG_QUBITS else f"they are measured on up to {MAX_RUNG_QUBITS} qubits; there are {n}"


def _measure(run: MeasuredRun) -> Finding[tuple[RungSlope, ...]]:
    rungs = measured_rungs(run.program)
    data = {"measured_orders": [{**plain(rung), "local_slopes": plain(rung.local_slopes)} for rung in rungs]}
    head = ("knob, halved twice", "errors", "slope", "declared", "holds")
    table = Section("Measured orders", head, tuple(map(_row, rungs)), data=data)
    none = Section("Measured orders: none", note="the scheme declares none of its own", data=data)
    return Finding(rungs, (table if rungs else none,))


measured_orders = Analysis("measured_orders", "Measured orders", _measure, _why_not, {"measured_orders": []})
