"""The exact thermal functions that a run is held against, and the reference that knows them."""

from __future__ import annotations

from ...evidence import Status, number
from ...exact.references.base import ExactAnswer
from ...exact.references.registry import why_none
from ...io.json import plain
from ...io.section import Section
from ...models.spectrum import Thermal
from .base import Analysis, Finding
from .measured_run import MeasuredRun


def thermal_section(answer: ExactAnswer, reference: str) -> Section:
    """Energy, free energy, entropy and what else the partition function gives, and where they come from, how well."""
    data, errors = plain(answer.thermal), plain(answer.errors)
    name = reference.replace("_", " ")
    said = {"exact": {**data, "reference": reference, "status": answer.status.value, "error": errors}}
    if answer.status is Status.PROVED:
        plainly = tuple((key.replace("_", " "), number(value, 8)) for key, value in data.items())
        return Section(f"Exact Gibbs state ({name})", ("quantity", "value"), plainly, data=said)
    rows = tuple((key.replace("_", " "), number(value, 6), number(errors.get(key), 6)) for key, value in data.items())
    note = f"Pauli expectations that were looked at: to {number(answer.expectation_error)}."
    return Section(f"Gibbs state ({name}, {answer.status.value})", ("quantity", "value", "±"), rows, note, said)


def _why_not(run: MeasuredRun) -> str | None:
    return None if run.reference is not None else why_none(run.model, run.generator.beta)


def _measure(run: MeasuredRun) -> Finding[Thermal]:
    if run.answer is None or run.reference is None:
        return Finding(None)
    return Finding(run.exact, (thermal_section(run.answer, run.reference.name),))


exact_answer = Analysis("exact_answer", "Exact Gibbs state", _measure, _why_not, {"exact": None})
