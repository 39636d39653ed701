"""A run held against the exact answer: every registered analysis, one after the other."""

from __future__ import annotations

from typing import Any

from ...backends.runs.run import RunResult
from ...io.progress import Progress, quiet
from ..estimators.base import Finding
from ..estimators.registry import ANALYSES
from .comparison import Comparison


def compare(
    run: RunResult, target_error: float = 0.10, *, baselines: bool = True, progress: Progress = quiet
) -> Comparison:
    """Hold a run against the exact Gibbs state.

    Args:
        run: From `gc.run`.
        target_error: Trace distance that still agrees; widens every observable's interval by a share of how far
            cooling moves it, see `judge`.
        baselines: False leaves out the nearest product state and the hand-written loop (seconds, up to 4 qubits).
        progress: Called with what is being done.

    Exact references up to 12 qubits, channel predictions up to 8, the ledger up to 5, measured orders and
    the loop up to 4. What cannot be measured on a run says so, with its reason.
    """
    findings: dict[str, Finding[Any]] = {}
    comparison = Comparison(run, target_error, baselines, findings)
    for analysis in ANALYSES:
        progress(analysis.title.lower())
        findings[analysis.name] = analysis.finding(comparison)
    return comparison
