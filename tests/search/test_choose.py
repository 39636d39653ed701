"""Knobs that were left out: cheap enough, good enough, honest about what was checked."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from gibbs_circuits.backends.transpile.transpile import compile_for
from gibbs_circuits.compiler.schemes.registry import SCHEMES
from gibbs_circuits.generators.frequency import local_frequency
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.linalg.fixed_point import contraction, fixed_point
from gibbs_circuits.programs.program import Program
from gibbs_circuits.readings.channel.sweep_channel import sweep_channel
from gibbs_circuits.readings.circuits.cost import cost
from gibbs_circuits.search import knobs as choosing
from gibbs_circuits.search.knobs import choose_unset_knobs
from tests.examples import distance, example, experiment, farthest, gibbs, ising


def choose(generator: Lindbladian, target: float, scheme: str = "parallel", **knobs: Any) -> Program:
    recipe = SCHEMES[scheme]
    return choose_unset_knobs(generator, recipe, recipe.knobs.model_validate(knobs), target)


@lru_cache
def chosen(target: float) -> Program:
    return choose(ising(4, 1.0, J=1.0, h=0.9, g=0.5), target)


def distances(program: Program) -> dict[str, float]:
    """Trace distances to σ by expm: after all sweeps from the worst start that a see-saw of its own finds, and of the
    fixed point."""
    sigma = gibbs(program.generator.model.hamiltonian, program.generator.beta)
    return {"worst": farthest(program), "fixed point": distance(fixed_point(sweep_channel(program)), sigma)}


@pytest.mark.parametrize(("target", "gates"), [(0.10, 1500), (0.06, 2500)])
def test_choose__mixed_field_ising__meets_the_target_within_its_gates(target: float, gates: int) -> None:
    program = chosen(target)
    assert max(distances(program).values()) <= target
    assert cost(program).two_qubit_gates <= gates


def test_choose__tighter_target__costs_more() -> None:
    assert cost(chosen(0.06)).two_qubit_gates > cost(chosen(0.10)).two_qubit_gates


def test_choose__example_experiment__is_that_choice() -> None:
    assert example("mixed_field_ising").hash == chosen(0.10).hash


@pytest.mark.parametrize(("name", "gates"), [("h2", 130), ("h2_full", 180)])
def test_choose__h2__given_knobs_meet_the_target_from_every_start_within_their_gates(name: str, gates: int) -> None:
    spec = experiment(name)
    program = example(name)
    assert max(distances(program).values()) <= 0.10
    assert compile_for(program, spec.target, spec.initial).two_qubit_gates <= gates
    assert program.provenance == "all knobs given"


@pytest.mark.parametrize(
    "given",
    [{"strength": 0.4}, {"nodes": 6, "spacing": 0.3}, {"sweeps": 5}, {"random_delays": (1, 2)}, {"trotter_order": 1}],
    ids=str,
)
def test_choose__explicit_knobs__win(given: dict[str, Any]) -> None:
    program = choose(ising(2), 0.10, **given)
    for name, value in given.items():
        assert program.knobs[name] == value
        assert name not in program.provenance.split(":")[0]


def test_choose__all_given__nothing_is_changed() -> None:
    knobs = {"sweeps": 3, "strength": 0.5, "spacing": 0.4, "nodes": 3}
    program = choose(ising(2), 1e-3, **knobs)
    assert {key: program.knobs[key] for key in knobs} == knobs
    assert program.provenance == "all knobs given"


def test_choose__provenance__states_what_was_predicted() -> None:
    program = choose(ising(2), 0.10)
    worst = max(distances(program).values())
    assert f"{worst:.4f}" in program.provenance
    assert "the cheapest that meets it" in program.provenance


def test_choose__accepted_by_a_search__what_three_starts_would_accept_is_cheaper_and_wrong() -> None:
    program = chosen(0.10)
    sweeps = program.sweeps - 2
    shorter = replace(program, stages=(replace(program.stages[0], repeats=sweeps),))
    whole, sigma = np.linalg.matrix_power(sweep_channel(program), sweeps), gibbs(program.generator.model.hamiltonian, 1)
    ends = [
        (whole @ np.diag(p).ravel()).reshape(16, 16).T for p in (np.eye(16)[0], np.eye(16)[-1], np.full(16, 1 / 16))
    ]
    assert max(distance(rho, sigma) for rho in ends) <= 0.09
    assert farthest(shorter) > 0.10


def test_choose__unreachable_target__says_so() -> None:
    program = choose(ising(2), 1e-4)
    assert "none meets it" in program.provenance
    assert max(distances(program).values()) > 1e-4


@pytest.mark.parametrize("scheme", ["parallel", "sequential"])
def test_choose__six_qubits__is_the_formula_and_says_unchecked(scheme: str) -> None:
    program = choose(ising(6), 0.10, scheme)
    assert "not checked" in program.provenance
    assert program.num_system == 6
    assert program.sweeps >= 1
    assert all(program.knobs[name] is not None for name in ("sweeps", "strength", "spacing", "nodes"))


def test_choose__six_qubits__explicit_knobs_win() -> None:
    program = choose(ising(6), 0.10, sweeps=3, strength=0.2)
    assert (program.knobs["sweeps"], program.knobs["strength"]) == (3, 0.2)


@pytest.mark.parametrize("scheme", ["parallel", "sequential"])
def test_choose__infinite_temperature__mixes(scheme: str) -> None:
    program = choose(ising(2, beta=0.0), 0.05, scheme)
    assert max(distances(program).values()) <= 0.05


@pytest.mark.parametrize("scheme", ["parallel", "sequential"])
@pytest.mark.parametrize("sites", [1, 2, 3])
def test_choose__small_chains__meet_the_target(scheme: str, sites: int) -> None:
    program = choose(ising(sites), 0.10, scheme)
    assert max(distances(program).values()) <= 0.10


def test_choose__deterministic__same_program_twice() -> None:
    assert choose(ising(2), 0.1).text == choose(ising(2), 0.1).text


def test_choose__progress__is_told() -> None:
    lines: list[str] = []
    recipe = SCHEMES["parallel"]
    choose_unset_knobs(ising(2), recipe, recipe.knobs(), 0.1, lines.append)
    assert lines
    assert all(line.startswith("choosing knobs") for line in lines)


@pytest.mark.parametrize("beta", [0.1, 0.03, 1e-3, 1e-8])
def test_choose__hot_models__are_thermalised_by_one_node(beta: float) -> None:
    """Two nodes a turn of H apart miss a filter that lasts β: their weights vanished, and so did the program."""
    program = choose(ising(2, beta), 0.10)
    assert max(distances(program).values()) <= 0.10
    assert contraction(sweep_channel(program)) < 0.9
    assert program.knobs["nodes"] == 1
    cold = choose(ising(2, 1.0), 0.10)
    assert cold.knobs["nodes"] > 1


def test_choose__small_unit__has_no_range_to_leave() -> None:
    generator = ising(2, 1.0, J=1e-8, h=0.9e-8, g=0.5e-8)
    assert choose(generator, 0.10).knobs["spacing"] > 1e6


def test_local_frequency__is_the_norm_of_the_commutator() -> None:
    generator = ising(3)
    H = generator.model.hamiltonian.to_matrix()
    dense = [
        np.linalg.norm(H @ A - A @ H, 2) / np.linalg.norm(A, 2)
        for A in (contact.coupling.to_matrix() for contact in generator.contacts)
    ]
    assert local_frequency(generator) == pytest.approx(max(dense))


def test_choose__infinite_temperature__no_start_is_left_behind() -> None:
    # without evolution between sweeps a single node never moves a Y eigenstate, though zero, one and mixed get there
    program = choose_unset_knobs(ising(2, beta=0.0), SCHEMES["parallel"], SCHEMES["parallel"].knobs(), 0.1)
    assert contraction(sweep_channel(program)) < 1 - 1e-6
    assert distance(fixed_point(sweep_channel(program)), np.eye(4) / 4) < 1e-6


@pytest.mark.parametrize(("far", "outcome"), [(0.085, "the cheapest that meets it"), (0.095, "none meets it")])
def test_choose__fixed_point__must_be_within_the_margin_too(
    far: float, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "trace_distance", lambda rho, sigma: far)
    given = {"strength": 0.5, "spacing": 0.5, "nodes": 4, "random_delays": False}
    program = choose(ising(2), 0.1, **given)
    assert outcome in program.provenance
