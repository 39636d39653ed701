"""What each approximation does to the state that came out: the error ledger of a run."""

from __future__ import annotations

from ...evidence import Status
from ...programs.program import ErrorTerm, Rung
from ..error_budget.of_run import run_ledger
from ..error_budget.shifts import Ledger
from .base import Analysis, Finding
from .measured_run import MeasuredRun


def _shots(run: MeasuredRun) -> ErrorTerm:
    """What finitely many shots leave open."""
    if not (run.run.request.shots or run.run.request.estimated):
        return ErrorTerm(Rung.SHOTS, 0.0, "energy", Status.PROVED, "exact expectation values")
    source = "half width of the 95 % interval of the energy, scatter between random draws included"
    return ErrorTerm(Rung.SHOTS, (run.energy.high - run.energy.low) / 2, "energy", Status.MEASURED, source)


def _measure(run: MeasuredRun) -> Finding[Ledger]:
    start = run.start if run.prediction is not None else None
    found = run_ledger(run.run, start, _shots(run), run.noisy, run.states)
    return Finding(found, found.sections())


error_ledger = Analysis("error_ledger", "Error ledger", _measure)
