"""The verdict follows from the checks of the analyses too."""

import pytest

import gibbs_circuits as gc
from gibbs_circuits.analysis.comparison.comparison import Comparison
from gibbs_circuits.analysis.estimators.base import Finding
from gibbs_circuits.analysis.estimators.checks import Reason


class Close(Comparison):
    """A run whose state is within the target, and nothing else known of it."""

    trace_distance = 0.05
    observables = {}  # noqa: RUF012
    scales = {}  # noqa: RUF012


@pytest.mark.parametrize(
    ("passed", "verdict"),
    [(True, gc.Verdict.AGREES), (False, gc.Verdict.DISAGREES), (None, gc.Verdict.NOT_CHECKED)],
)
def test_verdict__depends_on_the_checks_of_an_analysis(passed: bool | None, verdict: gc.Verdict) -> None:
    check = Reason("mine", passed, 2.0, 1.0, "a check of one analysis")
    found = Close(None, 0.1, False, {"one": Finding(1), "mine": Finding(1, reasons=(check,))})  # type: ignore[arg-type]
    assert found.verdict is verdict
    assert [one.name for one in found.reasons] == ["trace_distance", "mine"]
