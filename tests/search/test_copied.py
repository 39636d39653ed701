"""Sweeps of few nodes copied to any size, and the recipes that are chosen for them on pieces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import gibbs_circuits as gc
from gibbs_circuits.programs.program import Calibration, Guarantee, Program, Stage
from gibbs_circuits.programs.steps import Couple
from gibbs_circuits.readings.channel.sweep_channel import sweep_channel
from gibbs_circuits.readings.circuits.cost import cost
from gibbs_circuits.search.auto import find
from gibbs_circuits.search.derived.copied import Copied, Pass, Recipe, windows
from gibbs_circuits.search.derived.few_nodes import layout
from gibbs_circuits.search.derived.sized import sized
from gibbs_circuits.search.local import evaluate_local
from gibbs_circuits.search.task import SearchTask

FINE = (Pass("Y", 2, 1.467), Pass("Z", 2, 1.234), Pass("X", 3, 0.695), Pass("Y", 3, 0.684), Pass("Z", 4, 0.418))


def written(model: gc.Model, recipe: Recipe, beta: float = 1.0) -> Program:
    return Copied(model, beta, recipe, windows(model)).program(gc.dll(model, beta))


def task_of(n: int, effort: float = 0.2, guarantee: Guarantee = Guarantee.ANY_START) -> SearchTask:
    model = gc.models.tfim(n, 1.0, 1.2)
    zero = np.array([1, 0], dtype=complex)
    return SearchTask(
        gc.dll(model, 1.0), 0.05, guarantee, Calibration.DERIVED, None, effort, 1, sites=(zero,) * n, region=3
    )


def test_copied__a_window_that_is_the_whole__the_layout_with_a_gate_less_per_site_and_pass() -> None:
    """A coupling to a fresh ancilla by one two-qubit gate is the same channel."""
    model = gc.models.xxz(4, 1.0, 0.7, [0.3, -0.2, 0.5, 0.1])
    ours = written(model, Recipe((Pass("X", 3, 0.7),), 0.2))
    plan = layout(gc.dll(model, 1.0, "X"), 3, 0.2)
    theirs = plan.program([Stage(plan.sweep(0.7), 1)])
    assert np.abs(sweep_channel(ours) - sweep_channel(theirs)).max() < 1e-12
    assert cost(theirs).two_qubit_gates - cost(ours).two_qubit_gates == 4
    wrong = written(model, Recipe((Pass("X", 3, 0.6),), 0.2))
    assert np.abs(sweep_channel(wrong) - sweep_channel(theirs)).max() > 1e-3


def test_copied__first_order_in_a_turned_frame__as_near_as_second_at_two_thirds_of_the_steps() -> None:
    """Both differ from the Gibbs state by their strength, and by τ² alike: halving τ makes them equal faster than τ."""
    model, apart = gc.models.heisenberg(3), []
    for spacing in (0.24, 0.12):
        made = []
        for order in (1, 2):
            plan = layout(gc.dll(model, 0.5, "X"), 3, spacing, 1, order)
            steps = (*plan.turned(-1), *plan.sweep(0.2), *plan.turned(1))
            made.append(sweep_channel(plan.program([Stage(steps, 1)])))
        sigma = gc.gibbs_state(model, 0.5).T.reshape(-1)
        apart.append(abs(np.linalg.norm(made[0] @ sigma - sigma) - np.linalg.norm(made[1] @ sigma - sigma)))
    assert apart[0] < 2e-2
    assert apart[1] < apart[0] / 2


def test_copied__bulk_of_a_long_chain__every_site_alike() -> None:
    model = gc.models.tfim(12, 1.0, 1.2)
    program = written(model, Recipe((Pass("Z", 3, 0.7),), 0.3))
    kicks: dict[int, list[tuple[float, float]]] = {}
    for step in program.stages[0].steps:
        if isinstance(step, Couple) and step.turn is not None:
            kicks.setdefault(step.ancilla, []).append((step.angle, step.axis))
    assert len(kicks) == 12
    for site in range(2, 10):
        assert np.allclose(kicks[site], kicks[5], atol=1e-12)
    fields = {label: c for group in program.groups for label, c in group.terms if set(label) <= set("IX")}
    bulk = [fields["I" * (11 - q) + "X" + "I" * q] for q in range(2, 10)]
    assert np.ptp(bulk) < 1e-9
    assert abs(fields["X" + "I" * 11] - bulk[0]) > 1e-4  # an end has counter-terms of its own


def test_windows__chain__five_sites_around_each_and_five_at_the_ends() -> None:
    around = windows(gc.models.tfim(9))
    assert [one.sites for one in around][:4] == [(0, 1, 2, 3, 4), (0, 1, 2, 3, 4), (0, 1, 2, 3, 4), (1, 2, 3, 4, 5)]
    for site, one in enumerate(around):
        assert one.sites[one.at] == site
        assert len(one.terms) == 4 + 5  # every bond and field within, none that is cut


def test_sized__small_effort__a_checked_program_whatever_the_work_and_the_same_again() -> None:
    found = [
        sized(task, task.generator.lindbladian, task.clock.until(1.0)) for task in (task_of(6, 0.02), task_of(6, 0.02))
    ]
    assert [one.program.hash for one in found[0]] == [one.program.hash for one in found[1]]
    best = min(found[0], key=lambda one: one.distance)
    assert np.isfinite(best.distance)
    assert best.program.num_system == 6
    assert "pieces of 4 and 5 sites" in best.program.provenance


def test_evaluate_local__a_good_recipe_and_one_made_too_hot__within_reach_and_refused() -> None:
    task = task_of(4)
    good = Recipe(FINE, 0.2893, 1.105)
    hot = replace(good, passes=tuple(replace(one, strength=2.5) for one in FINE), colder=0.5)
    cold, warm = (evaluate_local(written(task.model, recipe), task) for recipe in (good, hot))
    assert cold is not None
    assert warm is not None
    assert cold.distance < 0.056
    assert warm.distance > 3 * task.target_error


@pytest.mark.slow
def test_find__twenty_sites__a_derived_program_whose_claim_is_read_at_twenty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the shortest shape, which is too hot: it is read at its own size, and refused at the target."""
    monkeypatch.setattr("gibbs_circuits.search.derived.sized.SAMPLERS", ("a2b2",))
    task = task_of(20, effort=0.01)
    program = find(task)[0].program
    assert program.region == 3
    assert program.calibration is Calibration.DERIVED
    assert program.worst_found is not None
    assert program.worst_found > task.target_error
    assert program.guarantee is Guarantee.NONE
    assert "backward operators" in program.provenance
    assert "not checked" not in program.provenance
