"""What holds of every registered analysis: a new one is tested by its line in the registry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pytest
import scipy.stats

import gibbs_circuits as gc
from gibbs_circuits.analysis.estimators.base import Analysis
from gibbs_circuits.analysis.estimators.interval import CONFIDENCE, Estimate
from gibbs_circuits.analysis.estimators.measured_run import MeasuredRun
from gibbs_circuits.analysis.estimators.registry import ANALYSES
from gibbs_circuits.analysis.estimators.thermometry import Reached
from gibbs_circuits.backends.measurement.counts import measurement_bases
from gibbs_circuits.backends.measurement.measurement import sample_counts
from gibbs_circuits.backends.measurement.shots import Block
from gibbs_circuits.backends.runs.expected_sweep import one_sweep
from gibbs_circuits.backends.runs.request import ENERGY, Request
from gibbs_circuits.backends.runs.run import RunResult
from gibbs_circuits.backends.simulators.noisy_channel import NoisyPrediction
from gibbs_circuits.backends.targets.registry import load_target
from gibbs_circuits.backends.transpile.transpile import compile_for
from gibbs_circuits.exact.references.registry import REFERENCES
from gibbs_circuits.io.json import to_json
from gibbs_circuits.io.rendering import as_html, as_text
from gibbs_circuits.io.section import merged
from gibbs_circuits.programs.initial_state import zero
from gibbs_circuits.readings.channel.prediction import Prediction, Unpredicted
from tests.analysis.test_analysis import probabilities

BETA, TRIALS, SHOTS, REALISATIONS = 0.8, 300, 800, 8
FALSE_ALARM = 1e-4  # of one figure
NAMES = [analysis.name for analysis in ANALYSES]


class Unforeseen(MeasuredRun):
    """A run whose channel nobody looks at: what its data alone say."""

    @cached_property
    def predicted(self) -> Prediction | Unpredicted:
        return Unpredicted("made data")

    @cached_property
    def noisy(self) -> NoisyPrediction | None:
        return None


@pytest.fixture(scope="module")
def small_run() -> RunResult:
    program = gc.compile(gc.dll(gc.models.mixed_field_ising(2, g=0.5), BETA), sweeps=1, nodes=2, spacing=0.5,
                         strength=0.6)  # fmt: skip
    magnetisation = [["ZI", 0.5], ["IZ", 0.5]]
    return gc.run(program, shots=SHOTS, realisations=REALISATIONS, observables={"m": magnetisation})


def made(run: RunResult, state: np.ndarray, rng: np.random.Generator) -> RunResult:
    """The same run with counts drawn from a state that is known."""
    blocks = tuple(
        replace(
            block, states=None,
            counts=tuple(
                sample_counts(probabilities(state, basis), SHOTS // REALISATIONS, rng) for basis in run.request.bases
            ),
        )
        for block in run.blocks
    )  # fmt: skip
    return replace(run, blocks=blocks)


def shares(analysis: Analysis[Any], run: RunResult, state: np.ndarray) -> Iterator[tuple[str, int]]:
    """How often each figure's interval held the value in the Gibbs state, of `TRIALS` runs made from a state."""
    rng, hits = np.random.default_rng(7), dict[str, int]()
    first = Unforeseen(made(run, state, rng), 0.1, baselines=False)
    if not analysis.finding(first).estimates:
        return
    for _ in range(TRIALS):
        found = analysis.finding(Unforeseen(made(run, state, rng), 0.1, baselines=False))
        for name, one in found.estimates.items():
            assert one.exact is not None
            hits[name] = hits.get(name, 0) + (one.low <= one.exact <= one.high)
    yield from hits.items()


def z_of(hits: int) -> float:
    return (hits - CONFIDENCE * TRIALS) / float(np.sqrt(TRIALS * CONFIDENCE * (1 - CONFIDENCE)))


@pytest.mark.parametrize("analysis", ANALYSES, ids=NAMES)
def test_every_analysis__covers_as_often_as_it_states__made_data(analysis: Analysis[Any], small_run: RunResult) -> None:
    """Two-sided z-test of the share against 95 %; one that gives no interval has none to cover."""
    limit = scipy.stats.norm.isf(FALSE_ALARM / 2)
    state = gc.gibbs_state(small_run.program.generator.model, BETA)
    wrong = {name: hits for name, hits in shares(analysis, small_run, state) if abs(z_of(hits)) > limit}
    assert wrong == {}


def test_coverage__is_looked_at__figures_of_a_run(small_run: RunResult) -> None:
    values = next(analysis for analysis in ANALYSES if analysis.name == "measured_values")
    first = Unforeseen(small_run, 0.1, baselines=False)
    assert set(values.finding(first).estimates) == {"energy", "m", "beta_effective"}


def test_coverage__control__counts_of_a_hotter_state_fail(small_run: RunResult) -> None:
    values = next(analysis for analysis in ANALYSES if analysis.name == "measured_values")
    hot = gc.gibbs_state(small_run.program.generator.model, 0.5 * BETA)
    assert z_of(dict(shares(values, small_run, hot))["energy"]) < -scipy.stats.norm.isf(FALSE_ALARM / 2)


@pytest.mark.parametrize("analysis", ANALYSES, ids=NAMES)
def test_every_analysis__prints_and_is_json__or_says_why_not(analysis: Analysis[Any], small_run: RunResult) -> None:
    run = MeasuredRun(small_run, 0.3, baselines=False)
    found = analysis.finding(run)
    text, html = as_text(*found.sections), as_html(*found.sections)
    assert text
    assert html.startswith(("<table>", "<p>"))
    assert all(len(row) == len(one.columns) for one in found.sections for row in one.rows)
    assert all(to_json(one.data) for one in found.sections)
    assert analysis.applies(run) == (found.not_checked is None) == (found.value is not None)
    assert all(isinstance(one, Estimate) for one in found.estimates.values())


@pytest.mark.parametrize("analysis", ANALYSES, ids=NAMES)
def test_every_analysis__has_the_same_keys__checked_or_not(analysis: Analysis[Any], small_run: RunResult) -> None:
    found = {key for one in analysis.finding(MeasuredRun(small_run, 0.3, baselines=False)).sections for key in one.data}
    if analysis.absent:
        (section,) = analysis.unchecked("of a reason").sections
        assert set(section.data) == found | {"not_checked"}
        assert as_text(section) == f"{analysis.title}: not checked\nof a reason"


def hundred_qubits(model: gc.Model) -> RunResult:
    """A run that no simulator can do: the request of a small program on many qubits, and random outcomes."""
    n, rng = model.num_qubits, np.random.default_rng(1)
    generator = gc.dll(model, 1.0, couplings=[[("I" * (n - 1) + "Z", 1.0)]])
    program = gc.compile(generator, "sequential", sweeps=1, nodes=2, spacing=0.5, strength=0.3, random_delays=False)
    machine = load_target("aer_mps").open(n + 1)
    compiled = compile_for(program, machine, zero(n))
    operators = {ENERGY: model.hamiltonian}
    bases = measurement_bases(operators)
    request = Request(compiled, machine, zero(n), operators, bases, 20, 2, 1, sweep=one_sweep(compiled, 1))
    counts = ["".join(rng.choice(["0", "1"], n)) for _ in range(10)]
    return RunResult(request, tuple(Block(k, (), None, ({counts[k]: 10},) * len(bases)) for k in range(2)))


def test_compare__a_hundred_qubits__says_what_was_not_checked_and_judges_free_fermions() -> None:
    found = gc.compare(hundred_qubits(gc.models.tfim(100)))
    text = str(found)
    for title in ("Generator", "Predicted by the exact channel", "Measured orders"):
        assert f"{title}: not checked\n" in text
    assert "Exact Gibbs state (free fermions)" in text
    assert found.energy.exact == pytest.approx(-111.38912707)
    assert found.verdict is gc.Verdict.DISAGREES
    assert found.temperature.word is Reached.TOO_HOT
    document = merged(one.data for one in found.sections())
    assert set(document["not_checked"]) == {"certificate", "exact_channel", "measured_orders"}
    assert document["generator"]["residual"] is document["prediction"] is document["result"]["trace_distance"] is None


def test_compare__a_hundred_qubits__control__no_reference_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gibbs_circuits.exact.references.registry.REFERENCES", REFERENCES[:2])
    found = gc.compare(hundred_qubits(gc.models.mixed_field_ising(100, g=0.5)))
    assert found.verdict is gc.Verdict.NOT_CHECKED
    assert found.energy.exact is None
    assert "Exact Gibbs state: not checked\ndense: " in str(found)


def test_names__are_one_each() -> None:
    assert len(set(NAMES)) == len(NAMES)
