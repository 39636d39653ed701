"""Cost formula = count on the circuit."""

import numpy as np
import pytest
from hypothesis import given, settings
from qiskit import QuantumCircuit

from gibbs_circuits.compiler import Program, RandomDelay
from gibbs_circuits.readings import circuit, cost, mixed
from gibbs_circuits.readings.cost import step_gates
from tests.programs import EXAMPLES, build, example, ising, lowered, programs, some_delays, unrolled


def counted(qc: QuantumCircuit) -> tuple[int, int]:
    counts = lowered(qc).count_ops()
    return counts.get("cx", 0), counts.get("reset", 0)


def delays_of(program: Program) -> list[RandomDelay]:
    """Every delay of a run in order of time."""
    return [
        step
        for stage in program.stages
        for _ in range(stage.repeats)
        for step in stage.steps
        if isinstance(step, RandomDelay)
    ]


def at_delays(program: Program, delays: tuple[int, ...]) -> float:
    """The formula, corrected from mean delays to drawn ones."""
    extra = sum(
        (k - step.mean) * step_gates(program, step.unit) for k, step in zip(delays, delays_of(program), strict=True)
    )
    return cost(program).two_qubit_gates + extra


@pytest.mark.parametrize("scheme", ["parallel", "sequential"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_cost__equals_count__examples(name: str, scheme: str) -> None:
    program = example(name, scheme)
    gates, resets = counted(circuit(program, seed=3))
    assert gates == pytest.approx(at_delays(program, some_delays(program)), abs=1e-9)
    assert resets == cost(program).resets


@settings(deadline=None, derandomize=True, max_examples=60)
@given(programs())
def test_cost__equals_count__generated(program: Program) -> None:
    gates, resets = counted(circuit(program, seed=3))
    assert gates == pytest.approx(at_delays(program, some_delays(program)), abs=1e-9)
    assert resets == cost(program).resets


@settings(deadline=None, derandomize=True, max_examples=20)
@given(programs())
def test_cost__mean__over_all_delays(program: Program) -> None:
    delays = delays_of(program)
    span = range(delays[0].low, delays[0].high + 1) if delays else range(1)
    counts = [counted(unrolled(program, [k] * len(delays)))[0] for k in span]
    assert cost(program).two_qubit_gates == pytest.approx(np.mean(counts), abs=1e-9)


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
