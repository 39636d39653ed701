"""The exact thermal functions that a run is held against, and the reference that knows them."""

from __future__ import annotations

from ...evidence import number
from ...exact.references.registry import why_none
from ...io.json import plain
from ...io.section import Section
from ...models.spectrum import Thermal
from .base import Analysis, Finding
from .measured_run import MeasuredRun


def thermal_section(exact: Thermal, reference: str) -> Section:
    """Energy, free energy, entropy and what else the partition function gives, and where they come from."""
    data = plain(exact)
    rows = tuple((name.replace("_", " "), number(value, 8)) for name, value in data.items())
    title = f"Exact Gibbs state ({reference.replace('_', ' ')})"
    return Section(title, ("quantity", "value"), rows, data={"exact": {**data, "reference": reference}})


def _why_not(run: MeasuredRun) -> str | None:
    return None if run.reference is not None else why_none(run.model, run.generator.beta)


def _measure(run: MeasuredRun) -> Finding[Thermal]:
    if run.exact is None or run.reference is None:
        return Finding(None)
    return Finding(run.exact, (thermal_section(run.exact, run.reference.name),))


exact_answer = Analysis("exact_answer", "Exact Gibbs state", _measure, _why_not, {"exact": None})
