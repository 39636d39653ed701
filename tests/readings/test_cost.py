"""Cost formula = count on the circuit."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from qiskit import QuantumCircuit

from gibbs_circuits.programs.initial_state import mixed
from gibbs_circuits.programs.program import Program
from gibbs_circuits.programs.steps import Branch, Couple, Draw, Evolve, RandomChoice, RandomDelay, Reset, Step
from gibbs_circuits.readings.circuits.circuit import block, circuit, circuit_segments
from gibbs_circuits.readings.circuits.cost import cost, step_gates
from tests.examples import EXAMPLES, build, by_hand, example, ising, lowered, programs, some_draws, unrolled


def counted(qc: QuantumCircuit) -> tuple[int, int]:
    counts = lowered(qc).count_ops()
    return counts.get("cx", 0), counts.get("reset", 0)


def at_draws(program: Program, draws: tuple[int, ...]) -> float:
    """The formula with the drawn delays and branches in place of the mean ones."""

    def gates(step: Step, left: Iterator[int]) -> float:
        match step:
            case RandomDelay():
                return next(left) * step_gates(program, step.unit)
            case RandomChoice():
                return sum(step_gates(program, inner) for inner in step.branches[next(left)].steps)
            case _:
                return step_gates(program, step)

    left = iter(draws)
    return sum(gates(step, left) for stage in program.stages for _ in range(stage.repeats) for step in stage.steps)


def likely(step: RandomDelay | RandomChoice) -> list[tuple[int, float]]:
    """What a random step may draw, and how likely."""
    if isinstance(step, RandomChoice):
        return [(k, branch.probability) for k, branch in enumerate(step.branches)]
    return [(k, 1 / (step.high - step.low + 1)) for k in range(step.low, step.high + 1)]


@pytest.mark.parametrize("scheme", ["parallel", "sequential"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_cost__equals_count__examples(name: str, scheme: str) -> None:
    program = example(name, scheme)
    gates, resets = counted(circuit(program, seed=3))
    assert gates == pytest.approx(at_draws(program, some_draws(program)), abs=1e-9)
    assert resets == pytest.approx(cost(program).resets)  # the same in every branch


@settings(deadline=None, derandomize=True, max_examples=60)
@given(programs())
def test_cost__equals_count__generated(program: Program) -> None:
    gates, resets = counted(circuit(program, seed=3))
    assert gates == pytest.approx(at_draws(program, some_draws(program)), abs=1e-9)
    assert resets == pytest.approx(cost(program).resets)  # the same in every branch


@settings(deadline=None, derandomize=True, max_examples=20, suppress_health_check=[HealthCheck.filter_too_much])
@given(programs())
def test_cost__mean__over_all_draws(program: Program) -> None:
    once = replace(program, stages=tuple(replace(stage, repeats=1) for stage in program.stages))
    options = [likely(step) for step in once.stages[0].steps if isinstance(step, Draw)]
    assume(prod(map(len, options)) <= 40)
    mean = sum(
        prod(p for _, p in drawn) * counted(unrolled(once, [value for value, _ in drawn]))[0]
        for drawn in product(*options)
    )
    assert cost(once).two_qubit_gates == pytest.approx(mean, abs=1e-9)


def test_cost__per_sweep__times_repeats_is_the_total() -> None:
    program = build(ising(3), sweeps=7)
    value = cost(program)
    assert value.two_qubit_gates == 7 * value.two_qubit_gates_per_sweep[0]
    assert value.resets == 7 * 3


def test_cost__mixed_field_ising__as_written_in_the_design() -> None:
    # 8 nodes and random delays of 0 … 3 spacings: 8 gates per node, 6 per evolution step
    value = cost(build(ising(4), sweeps=1, nodes=8, spacing=0.25, random_delays=(0, 3)))
    assert value.two_qubit_gates == 8 * 8 + 7 * 6 + 1.5 * 6


def test_cost__preparation__is_not_counted() -> None:
    program = build(ising(2), random_delays=(0, 0))
    gates, resets = counted(circuit(program, initial=mixed()))
    assert (gates, resets) == (cost(program).two_qubit_gates + 2, cost(program).resets + 2)


def test_pieces__branches_that_differ_in_a_duration__are_not_one_kind() -> None:
    # ZZ for π/4 is one CZ, for .3 it is two
    branches = tuple(
        Branch(share, (Evolve(time, 1, 1), Couple((("IY", 1.0),), 0, 0.4, 0.1), Reset((0,))))
        for share, time in ((0.25, np.pi / 4), (0.75, 0.3))
    )
    program = by_hand([RandomChoice(branches)], 1)
    counted = [lowered(block(program, branch.steps)).count_ops()["cx"] for branch in branches]
    assert counted == [3, 4]
    (piece,) = circuit_segments(program)[0]
    assert piece.mean(lambda qc: lowered(qc).count_ops()["cx"]) == 0.25 * 3 + 0.75 * 4
    assert cost(program).two_qubit_gates == 0.25 * 3 + 0.75 * 4


def test_cost__slices__have_angles_of_their_own() -> None:
    # ZZ for π/4 twice is one gate each, not two gates of π/2
    program = by_hand([Evolve(np.pi / 2, 2, 1), Couple((("IY", 1.0),), 0, 0.4, 0.1), Reset((0,))], 1)
    assert counted(block(program, program.stages[0].steps)) == (2 + 2, 1)
    assert cost(program).two_qubit_gates == 2 + 2
