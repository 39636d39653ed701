"""What the schemes write: nodes, angles, passes, palindromes, delays."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from qiskit.quantum_info import SparsePauliOp

from gibbs_circuits.compiler.schemes.parallel import ParallelKnobs, parallel
from gibbs_circuits.compiler.schemes.sequential import SequentialKnobs, sequential
from gibbs_circuits.compiler.time_domain.quadrature import uniform_nodes
from gibbs_circuits.errors import ArgumentError
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.programs.program import Program, Rung
from gibbs_circuits.programs.steps import Couple, Evolve, RandomDelay, Reset, Step
from tests.examples import SIMPLE, build, generators, ising


def kernel(beta: float, t: float) -> complex:
    """The filter's time kernel, as in the design."""
    return complex(np.exp(1 / 8) * np.sqrt(2 / np.pi) / beta * np.exp(-2 * t**2 / beta**2 + 1j * t / beta))


def passes(program: Program) -> list[list[Step]]:
    """Steps from one reset to the next; a trailing delay is left out."""
    found: list[list[Step]] = [[]]
    for step in program.stages[0].steps:
        found[-1].append(step)
        if isinstance(step, Reset):
            found.append([])
    return found[:-1]


def sums(program: Program) -> list[tuple[tuple[str, float], ...]]:
    """The distinct coupling operators, in order."""
    return list(dict.fromkeys(s.terms for s in program.stages[0].steps if isinstance(s, Couple)))


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_parallel__angles__are_those_of_the_formula(beta: float) -> None:
    program = build(ising(1, beta), strength=0.7, spacing=0.3, nodes=5)
    couples = [step for step in program.stages[0].steps if isinstance(step, Couple)]
    for l, step in enumerate(couples):
        w = np.sqrt(0.7) * 0.3 * kernel(beta, (l - 2) * 0.3)
        assert step.angle * np.exp(1j * step.axis) == pytest.approx(w, abs=1e-12)


def test_parallel__sweep__couples_evolves_resets_delays() -> None:
    steps = build(ising(2)).stages[0].steps
    kinds = [type(step) for step in steps]
    assert kinds == [Couple, Couple, Evolve, Couple, Couple, Evolve, Couple, Couple, Reset, RandomDelay]
    assert {step.ancilla for step in steps if isinstance(step, Couple)} == {0, 1}
    assert all(step.duration == 0.3 for step in steps if isinstance(step, Evolve))
    assert steps[-1] == RandomDelay(Evolve(0.3, 1, 2), 1, 3)


@pytest.mark.parametrize("scheme", ["parallel", "sequential"])
@settings(deadline=None, derandomize=True, max_examples=30)
@given(generator=generators())
def test_scheme__sweep__performs_every_coupling_once(scheme: str, generator: Lindbladian) -> None:
    program = build(generator, scheme, nodes=1)
    done = [SparsePauliOp.from_list(s.terms) for s in program.stages[0].steps if isinstance(s, Couple)]
    assert len(done) == len(generator.contacts)
    wanted = [contact.coupling for contact in generator.contacts]
    for operator in done:
        match = next(k for k, other in enumerate(wanted) if operator.equiv(other))
        wanted.pop(match)
    assert not wanted


@settings(deadline=None, derandomize=True, max_examples=40)
@given(generator=generators(), budget=st.none() | st.integers(1, 3))
def test_parallel__pass__couplings_are_disjoint_and_one_per_ancilla(generator: Lindbladian, budget: int | None) -> None:
    program = build(generator, nodes=2, ancillas=budget)
    for steps in passes(program):
        rides = {step.ancilla: step.terms for step in steps if isinstance(step, Couple)}
        for step in steps:
            if isinstance(step, Couple):
                assert rides[step.ancilla] == step.terms  # L₁ and L₂ on one ancilla would implement L₁ + L₂
        sites = [{i for label, _ in terms for i, c in enumerate(label) if c != "I"} for terms in rides.values()]
        assert sum(map(len, sites)) == len(set[int]().union(*sites))
        assert len(rides) <= (budget or len(generator.contacts))
        assert isinstance(steps[-1], Reset)
        assert set(steps[-1].ancillas) == set(rides)
    assert program.num_ancilla == max(len({s.ancilla for s in p if isinstance(s, Couple)}) for p in passes(program))


def test_parallel__letters_on_one_site__are_passes_of_their_own() -> None:
    program = build(ising(3, couplings="XZ"))
    assert len(passes(program)) == 2
    assert program.num_ancilla == 3
    assert len(sums(program)) == 6


def test_parallel__ancilla_budget__splits_passes() -> None:
    assert [len(passes(build(ising(4), ancillas=k))) for k in (1, 2, 3, 4, 9)] == [4, 2, 2, 1, 1]


@pytest.mark.parametrize("scheme", ["parallel", "sequential"])
def test_scheme__infinite_temperature__is_one_node_of_weight_one(scheme: str) -> None:
    program = build(ising(2, beta=0.0), scheme, strength=0.49, nodes=6)
    assert [s.angle for s in program.stages[0].steps if isinstance(s, Couple)] == pytest.approx([0.7, 0.7])
    assert not any(isinstance(s, Evolve) for s in program.stages[0].steps)


@pytest.mark.parametrize("nodes", [1, 2, 5])
def test_sequential__jump__is_a_palindrome_that_returns_in_time(nodes: int) -> None:
    program = build(ising(2), "sequential", nodes=nodes)
    for steps in passes(program):
        couples = [step for step in steps if isinstance(step, Couple)]
        assert couples == couples[::-1]
        assert len(couples) == 2 * nodes - 1
        assert sum(step.duration for step in steps if isinstance(step, Evolve)) == pytest.approx(0, abs=1e-12)
        totals = np.zeros(nodes)
        for index, step in enumerate(couples):
            totals[min(index, 2 * nodes - 2 - index)] += step.angle
        grid = uniform_nodes(GaussianFilter(1.0), nodes, 0.3)
        assert totals == pytest.approx(np.sqrt(0.8) * np.abs(grid.weights))


def test_sequential__lie_order__returns_in_time_too() -> None:
    knobs = SequentialKnobs(**{**SIMPLE, "nodes": 4})
    program = sequential(ising(2), knobs, palindromic=False)
    for steps in passes(program):
        assert sum(isinstance(step, Couple) for step in steps) == 4
        assert sum(step.duration for step in steps if isinstance(step, Evolve)) == pytest.approx(0, abs=1e-12)
        assert isinstance(steps[-2], Evolve)
        assert steps[-2].slices == 3


@pytest.mark.parametrize("scheme", ["parallel", "sequential"])
def test_scheme__delays__only_where_there_is_one(scheme: str) -> None:
    for delays, expected in (((0, 0), 0), (False, 0), ((0, 1), 1), ([2, 8], 1)):
        program = build(ising(2), scheme, random_delays=delays)
        assert sum(isinstance(step, RandomDelay) for step in program.stages[0].steps) == expected


def test_scheme__truncation__leaves_small_terms_out_of_the_evolution() -> None:
    program = build(ising(3, J=1.0, h=0.9, g=0.5), truncation=0.6)
    kept = {c for group in program.groups for _, c in group.terms}
    assert kept == {-1.0, -0.9}
    assert program.generator.model.num_qubits == 3
    assert 0.5 in {abs(c) for _, c in program.generator.model.terms}  # the generator is untouched


@pytest.mark.parametrize("scheme", ["parallel", "sequential"])
def test_scheme__declared__nothing_unmeasured_has_a_number(scheme: str) -> None:
    declared = {term.rung: term for term in build(ising(2), scheme).declared}
    assert {Rung.QUADRATURE, Rung.DILATION, Rung.COHERENT, Rung.TROTTER} <= set(declared)
    assert declared[Rung.DILATION].value is None
    nodes = uniform_nodes(GaussianFilter(1.0), 3, 0.3)
    H = ising(2).model.hamiltonian.to_matrix()
    energies = np.linalg.eigvalsh(H)
    nu = (energies[:, None] - energies).ravel()
    error = np.abs(np.exp(1j * np.outer(nu, nodes.times)) @ nodes.weights - np.exp(-(nu**2) / 8 - nu / 4)).max()
    assert declared[Rung.QUADRATURE].value == pytest.approx(error)


@pytest.mark.parametrize("missing", ["strength", "spacing", "nodes", "sweeps"])
@pytest.mark.parametrize(("scheme", "knobs"), [(parallel, ParallelKnobs), (sequential, SequentialKnobs)])
def test_scheme__missing_knob__is_named(scheme: Any, knobs: Any, missing: str) -> None:
    given = {key: value for key, value in SIMPLE.items() if key != missing}
    with pytest.raises(ArgumentError, match=f"`{missing}`.*Fix:"):
        scheme(ising(2), knobs(**given))


@pytest.mark.parametrize(
    "knob",
    [
        {"sweeps": 0}, {"sweeps": 1.5}, {"strength": 0.0}, {"strength": float("nan")}, {"strength": float("inf")},
        {"spacing": -1.0}, {"nodes": 0}, {"nodes": True}, {"trotter_order": 3}, {"trotter_order": 0},
        {"truncation": -0.1}, {"random_delays": (3, 2)}, {"random_delays": (-1, 2)}, {"random_delays": (1,)},
        {"random_delays": (1.0, 2.0)}, {"random_delays": True}, {"ancillas": 0}, {"unknown": 1},
    ],
    ids=str,
)  # fmt: skip
def test_knobs__out_of_range__are_refused(knob: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ParallelKnobs(**{**SIMPLE, **knob})


def test_nodes__grid__is_uniform_centred_and_read_only() -> None:
    nodes = uniform_nodes(GaussianFilter(1.3), 6, 0.2)
    assert np.allclose([b - a for a, b in pairwise(nodes.times)], 0.2)
    assert nodes.times.sum() == pytest.approx(0, abs=1e-12)
    assert nodes.weights == pytest.approx([0.2 * kernel(1.3, t) for t in nodes.times])
    with pytest.raises(ValueError, match="read-only"):
        nodes.times[0] = 1.0
