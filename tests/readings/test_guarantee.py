"""`any_start` is true: cases with right values found elsewhere, random programs, and the old rule as a control."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gibbs_circuits as gc
from gibbs_circuits.analysis.estimators.exact_channel import prediction_data
from gibbs_circuits.analysis.estimators.program import program_data
from gibbs_circuits.compiler.schemes.registry import SCHEMES
from gibbs_circuits.errors import GibbsError
from gibbs_circuits.evidence import Status
from gibbs_circuits.models.files import read_model
from gibbs_circuits.models.model import from_terms
from gibbs_circuits.programs.initial_state import zero
from gibbs_circuits.programs.program import Guarantee, Program
from gibbs_circuits.readings.channel import guarantee as deciding
from gibbs_circuits.readings.channel.guarantee import promised
from gibbs_circuits.readings.channel.prediction import predict, promise_of
from gibbs_circuits.readings.channel.worst_start import all_sweeps, proved_bound
from tests.examples import build, channel_of, farthest, gibbs, ising, lowered, unrolled

FILES = Path(__file__).parents[2] / "experiments"
PLUS4 = np.full((16, 16), 1 / 16, dtype=complex)


# cases


def h2(couplings: str | list[str], **knobs: Any) -> Program:
    model = read_model(FILES / "h2.json")
    given = couplings if isinstance(couplings, str) else [[[label, 1.0]] for label in couplings]
    generator = gc.dll(model, beta=2.0, couplings=given)
    return gc.compile(
        generator, "parallel", 0.10, ancillas=2, nodes=2, trotter_order=1, random_delays=False, **knobs
    )  # fmt: skip


@lru_cache
def shipped_before(name: str) -> Program:
    """The knobs that experiments/h2.toml and h2_full.toml had, which three starts had accepted."""
    if name == "h2":
        order = ["IIIX", "IXII", "IIXI", "XIII"]
        return h2(order, spacing=1.87, strength=1.05, sweeps=2, truncation=0.05)
    return h2("X", spacing=1.7, strength=0.9, sweeps=3)


# from |++++⟩, and the worst start found: computed without this package
BEFORE = {"h2": (0.1666, 0.2615), "h2_full": (0.1422, 0.1879)}


@pytest.mark.parametrize("name", [pytest.param("h2", marks=pytest.mark.slow), "h2_full"])
def test_guarantee__knobs_that_met_three_starts__are_not_any_start(name: str) -> None:
    program, (plus, worst) = shipped_before(name), BEFORE[name]
    found = predict(program, PLUS4)
    assert found is not None
    assert found.distances[-1] == pytest.approx(plus, abs=1e-4)
    assert found.worst_start == pytest.approx(worst, abs=1e-4)
    assert max(*found.starts.values(), found.fixed_point_distance) <= 0.10  # what they were accepted by
    assert found.guarantee(0.10) is Guarantee.NONE
    from_zero = predict(program, zero(4).density(4))
    assert from_zero is not None
    assert from_zero.guarantee(0.10) is Guarantee.GIVEN_START
    made = program_data(program, 1, from_zero, 0.10)
    assert made["guarantee"] == "given_start"
    assert made["guarantee_worst"] == pytest.approx(worst, abs=1e-4)
    assert made["guarantee_measure"] == "global"
    assert made["guarantee_status"] == "measured"


def test_guarantee__discrete_channel_that_hardly_contracts__is_not_any_start() -> None:
    generator = gc.dll(gc.models.mixed_field_ising(2, J=0.7, h=0.4, g=0.1), beta=0.3, couplings="Y")
    program = gc.compile(generator, "discrete", 0.2, sweeps=3)
    found = predict(program, zero(2).density(2))
    assert found is not None
    assert found.contraction > 0.995
    assert farthest(program) > 0.72
    assert found.worst_start == pytest.approx(farthest(program), abs=1e-6)
    assert max(*found.starts.values(), found.fixed_point_distance) <= 0.17  # what was looked at before
    assert found.guarantee(0.2) is Guarantee.GIVEN_START
    assert found.sweeps_to(0.2)[0] > 100


# the rule


GIVEN, NONE, ANY = Guarantee.GIVEN_START, Guarantee.NONE, Guarantee.ANY_START
RULE: dict[str, Any] = {"given": 0.05, "fixed_point": 0.05, "worst": 0.09, "bound": 0.2, "preparation": False}


@pytest.mark.parametrize(
    ("changes", "guarantee", "status"),
    [
        ({}, ANY, Status.MEASURED),
        ({"bound": 0.1}, ANY, Status.PROVED),
        ({"worst": None, "bound": 0.1}, ANY, Status.PROVED),
        ({"worst": 0.11}, GIVEN, Status.MEASURED),
        ({"worst": None, "bound": None}, GIVEN, Status.MEASURED),
        ({"fixed_point": 0.11}, GIVEN, Status.MEASURED),
        ({"fixed_point": None, "bound": 0.01}, GIVEN, Status.MEASURED),
        ({"preparation": True, "bound": 0.01}, GIVEN, Status.MEASURED),
        ({"preparation": True, "given": 0.11}, NONE, Status.MEASURED),
        ({"worst": 0.11, "given": 0.11}, NONE, Status.MEASURED),
        ({"given": None}, ANY, Status.MEASURED),
        ({"given": None, "worst": None}, None, Status.NOT_CHECKED),
    ],
    ids=str,
)
def test_promised__is_the_strongest_that_is_known(
    changes: dict[str, Any], guarantee: Guarantee | None, status: Status
) -> None:
    found = promised(0.10, **{**RULE, **changes})
    assert (found.guarantee, found.status) == (guarantee, status)
    words = {Status.PROVED: "proved", Status.MEASURED: "measured", Status.NOT_CHECKED: "not checked"}
    if guarantee is ANY or guarantee is None:
        assert words[status] in found.text


def test_promise__of_a_loaded_sampler__rests_on_its_search_where_nothing_was_predicted() -> None:
    program = replace(build(ising(2)), worst_found=0.08)
    assert promise_of(program, None, 0.10).guarantee is ANY
    assert promise_of(program, None, 0.07).guarantee is None  # neither met nor known from the run's start
    assert promise_of(replace(program, worst_found=None), None, 0.10).guarantee is None
    assert promise_of(replace(program, preparation=True), None, 0.10).guarantee is None


# the bound


def test_proved_bound__is_its_formula_by_qiskits_channel() -> None:
    program = build(ising(2), random_delays=False, sweeps=9, strength=0.4)
    once = replace(program, stages=(replace(program.stages[0], repeats=1),))
    whole = np.linalg.matrix_power(channel_of(lowered(unrolled(once, ())), 2), 9)
    sigma = gibbs(program.generator.model.hamiltonian, 1.0)
    values, vectors = np.linalg.eig(whole)
    fixed = vectors[:, np.argmin(abs(values - 1))].reshape(4, 4, order="F")
    one = np.eye(4).ravel() / 2
    traceless = (np.eye(16) - np.outer(one, one)) @ whole @ (np.eye(16) - np.outer(one, one))
    largest = np.sqrt(np.max(np.linalg.eigvalsh(traceless.conj().T @ traceless)))
    expected = np.abs(np.linalg.eigvalsh(fixed / np.trace(fixed) - sigma)).sum() / 2 + np.sqrt(2) * largest
    found = proved_bound(program, all_sweeps(program).after(None))
    assert expected <= found <= expected + 1e-9  # rounding is added, not left out
    assert found >= farthest(program)


def test_proved_bound__proves__a_long_run() -> None:
    program = build(ising(2), random_delays=False, sweeps=60, strength=0.4)
    found = predict(program, zero(2).density(2))
    assert found is not None
    assert found.bound is not None
    assert found.worst_start is not None
    assert found.worst_start <= found.bound
    promise = found.promise(1.01 * found.bound)
    assert (promise.guarantee, promise.status) == (ANY, Status.PROVED)
    assert "proved" in promise.text
    between = (
        found.promise((found.bound + found.worst_start) / 2) if found.bound > found.worst_start + 1e-12 else promise
    )
    assert between.guarantee is ANY


# preparations


def test_preparation__has_no_fixed_point__target_met_or_missed() -> None:
    program = replace(build(ising(2)), preparation=True)
    found = predict(program, zero(2).density(2))
    assert found is not None
    for target in (0.9, 1e-6):
        made, foreseen = program_data(program, 1, found, target), prediction_data(found, target)
        assert made["contraction_per_sweep"] is None
        assert foreseen is not None
        assert foreseen["fixed_point"] is None
        assert foreseen["sweeps_to_target"] == {"value": None, "status": "not_checked"}
        assert set(foreseen["starts"]) == {"zero", "one", "mixed"}
    assert "fixed point" not in repr(found)
    assert "contraction" not in repr(found)
    sampler = predict(build(ising(2)), zero(2).density(2))  # the control
    assert sampler is not None
    assert program_data(build(ising(2)), 1, sampler, 0.9)["contraction_per_sweep"] == sampler.contraction
    assert "fixed point" in repr(sampler)


# random programs


def random_program(rng: np.random.Generator) -> tuple[Program, float] | None:
    """One of any scheme on one to three qubits, and a target; None where the scheme has no circuit for it.

    Half of those in time choose what they need for the target; dense ones are given all, since to choose among them
    their blocks would be synthesised.
    """
    scheme = str(rng.choice(sorted(SCHEMES)))
    known = SCHEMES[scheme].knobs.model_fields
    timed = "nodes" in known
    n = int(rng.integers(1, 4 if timed else 3))
    labels = ["".join(rng.choice(list("IXYZ"), n)) for _ in range(4)]
    terms = [(label, float(rng.normal())) for label in dict.fromkeys(labels) if set(label) != {"I"}]
    if not terms:
        return None
    model, beta = from_terms(terms), float(rng.choice([0.1, 0.3, 1.0]))
    couplings, target = str(rng.choice(["X", "Y", "XZ", "XY"])), float(rng.choice([0.05, 0.1, 0.2, 0.4]))
    knobs: dict[str, Any] = {}
    if not timed or rng.random() < 0.5:
        knobs = {"sweeps": int(rng.integers(1, 40)), "strength": 0.5, "spacing": 0.4, "nodes": 3, "step": 0.5}
    try:
        generator = gc.dll(model, beta, couplings)
        return gc.compile(generator, scheme, target, **{k: v for k, v in knobs.items() if k in known}), target
    except GibbsError:
        return None


@lru_cache
def random_programs(count: int = 40, seed: int = 1) -> tuple[tuple[Program, float], ...]:
    rng, found = np.random.default_rng(seed), list[tuple[Program, float]]()
    while len(found) < count:
        made = random_program(rng)
        if made is not None:
            found.append(made)
    return tuple(found)


def violated() -> tuple[list[str], int]:
    """Programs that claim any_start against a search of the test's own, and how many claim it."""
    broken, claimed = [], 0
    for program, target in random_programs():
        prediction = predict(program, zero(program.num_system).density(program.num_system))
        if promise_of(program, prediction, target).guarantee is not Guarantee.ANY_START:
            continue
        claimed += 1
        if (far := farthest(program)) > target + 1e-9:
            broken.append(f"{program!r}: {far:.4f} > {target}")
    return broken, claimed


@pytest.mark.slow
def test_any_start__is_not_violated__random_programs_of_all_schemes() -> None:
    assert len({program.scheme for program, _ in random_programs()}) >= len(SCHEMES) - 1
    broken, claimed = violated()
    assert not broken
    assert claimed >= 10


@pytest.mark.slow
def test_any_start__is_violated__by_the_rule_of_three_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the list of starts in place of a search, as it was decided before."""

    def three(target_error: float, **known: Any) -> deciding.Promise:
        far = max(known["starts"].values())
        return promised(target_error, **{**{k: v for k, v in known.items() if k != "starts"}, "worst": far})

    def listed(self: gc.Prediction, target_error: float) -> deciding.Promise:
        return three(
            target_error, starts=self.starts, given=float(self.distances[-1]), bound=None, preparation=False,
            fixed_point=self.fixed_point_distance if self.relaxation.converged else None,
        )  # fmt: skip

    monkeypatch.setattr(gc.Prediction, "promise", listed)
    broken, claimed = violated()
    assert claimed > len(broken) >= 1
