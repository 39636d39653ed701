"""The energy per site: what systems of different sizes are compared by."""

from __future__ import annotations

from ...evidence import number
from ...io.json import plain
from ...io.section import Section
from .base import Analysis, Finding
from .interval import Estimate
from .measured_run import MeasuredRun
from .measured_values import with_interval


def _measure(run: MeasuredRun) -> Finding[Estimate]:
    n = run.model.num_qubits
    found = run.energy.over(n)
    error = None if run.answer is None else run.answer.errors.get("energy", 0.0) / n
    off = None if found.exact is None else found.value - found.exact
    rows = (
        ("energy per site", with_interval(found)),
        ("exact", "—" if found.exact is None else f"{number(found.exact, 6)} ± {number(error)}"),
        ("off by", "—" if off is None or not found.exact else f"{number(off)} ({100 * abs(off / found.exact):.2g} %)"),
    )
    data = {"energy_per_site": {**plain(found), "exact_error": error}}
    section = Section("Energy per site", ("quantity", "value"), rows, data={"result": data})
    return Finding(found, (section,), estimates={"energy_per_site": found})


energy_per_site = Analysis("energy_per_site", "Energy per site", _measure)
