"""The local measure of finished programs, against partial traces and closed forms written here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from qiskit import transpile
from qiskit.quantum_info import DensityMatrix, partial_trace

import gibbs_circuits as gc
from gibbs_circuits.programs.program import Calibration, Guarantee, Program, Stage
from gibbs_circuits.programs.serialise import from_saved, to_saved
from gibbs_circuits.readings.channel.prediction import promise_of, try_predict
from gibbs_circuits.search.derived.copied import Copied, Pass, Recipe, windows
from gibbs_circuits.search.local import _at_size, evaluate_local, in_turn
from gibbs_circuits.search.task import SearchTask

ZERO = np.array([1, 0], dtype=complex)


def copied(n: int, *passes: Pass, h: float = 1.2) -> Program:
    model = gc.models.tfim(n, 1.0, h)
    recipe = Recipe(passes or (Pass("Z", 2, 1.2), Pass("X", 2, 0.6)), 0.3)
    return Copied(model, 1.0, recipe, windows(model)).program(gc.dll(model, 1.0))


def task_of(program: Program, guarantee: Guarantee = Guarantee.ANY_START, region: int = 2) -> SearchTask:
    n = program.num_system
    return SearchTask(
        program.generator, 0.05, guarantee, Calibration.DERIVED, np.eye(2**n)[0], 1.0, 1, sites=(ZERO,) * n,
        region=region,
    )  # fmt: skip


def half_norm(matrix: np.ndarray) -> float:
    return 0.5 * float(np.linalg.svd(matrix, compute_uv=False).sum())


def gibbs(n: int, h: float = 1.2) -> np.ndarray:
    """Dense, by an exponential written here."""
    Z, X, one = np.diag([1.0, -1]), np.array([[0, 1.0], [1, 0]]), np.eye(2)

    def on(letters: dict[int, np.ndarray]) -> np.ndarray:
        made = np.eye(1)
        for q in range(n):
            made = np.kron(letters.get(q, one), made)
        return made

    H = -sum(on({q: Z, q + 1: Z}) for q in range(n - 1)) - h * sum(on({q: X}) for q in range(n))
    w, V = np.linalg.eigh(H)
    boltzmann = np.exp(-(w - w[0]))
    return (V * boltzmann / boltzmann.sum()) @ V.T


def test_evaluate_local__given_start__partial_traces_of_the_circuit() -> None:
    program = copied(3)
    written = transpile(gc.circuit(program), basis_gates=["cx", "rz", "sx"], optimization_level=0)
    state = DensityMatrix(np.eye(2**6)[:, :1] @ np.eye(2**6)[:1]).evolve(written)
    sigma = DensityMatrix(gibbs(3))
    pairs = [
        half_norm(
            partial_trace(state, [q for q in range(6) if q not in pair]).data
            - partial_trace(sigma, [q for q in range(3) if q not in pair]).data
        )
        for pair in ((0, 1), (1, 2))
    ]
    read = evaluate_local(program, task_of(program, Guarantee.GIVEN_START))
    assert read is not None
    assert not read.every_start
    assert read.distance == pytest.approx(max(pairs), abs=1e-9)
    assert "largest over regions of 2 sites" in read.text


def test_evaluate_local__a_program_that_does_nothing__smallest_weight_of_the_reduced_state() -> None:
    r"""max over starts of ½‖ψ_R − σ_R‖₁ is 1 − λ_min(σ_R)."""
    program = copied(4)
    still = replace(program, stages=(Stage((), 1),))
    sigma = DensityMatrix(gibbs(4))
    wanted = max(
        1 - float(np.linalg.eigvalsh(partial_trace(sigma, [q for q in range(4) if q not in pair]).data)[0])
        for pair in ((0, 1), (1, 2), (2, 3))
    )
    read = evaluate_local(still, task_of(still))
    assert read is not None
    assert read.every_start
    assert read.distance == pytest.approx(wanted, abs=1e-6)


def test_evaluate_local__whole_register_as_a_region__the_global_distance() -> None:
    program = copied(3)
    read = evaluate_local(program, task_of(program, region=3))
    found = try_predict(program, np.eye(8)[:, :1] @ np.eye(8)[:1])
    assert read is not None
    assert isinstance(found, gc.Prediction)
    assert read.distance == pytest.approx(found.worst_start, abs=1e-5)
    smaller = evaluate_local(program, task_of(program, region=2))
    assert smaller is not None
    assert smaller.distance < read.distance - 1e-3  # the control: it is not the same measure


@pytest.mark.parametrize("guarantee", [Guarantee.ANY_START, Guarantee.GIVEN_START])
def test_evaluate_local__backward_operators__equal_the_exact_channel(guarantee: Guarantee) -> None:
    program = copied(4)
    task = task_of(program, guarantee)
    dense, backwards = evaluate_local(program, task), _at_size(program, task, task.clock.until())
    assert dense is not None
    assert backwards is not None
    assert dense.distance - 1e-3 <= backwards.distance <= dense.distance + 0.03  # what may be off is added
    assert "3 of 3 regions read" in backwards.text
    assert "error" in backwards.text


def test_evaluate_local__last_stage_that_settles_elsewhere__its_fixed_point_counts() -> None:
    program = copied(3)
    hot = copied(3, Pass("Z", 1, 1.5), Pass("X", 1, 1.5))  # without memory there is no balance: towards the mixed state
    both = replace(program, stages=(*program.stages, *hot.stages))
    read = evaluate_local(both, task_of(both))
    settled = evaluate_local(replace(both, stages=(Stage(hot.stages[0].steps, 200),)), task_of(both))
    assert read is not None
    assert settled is not None
    assert read.distance >= settled.distance - 1e-6


def test_promise__by_measure__local_and_global_of_one_program() -> None:
    program = copied(3)
    start = np.eye(8)[:, :1] @ np.eye(8)[:1]
    found = try_predict(program, start)
    assert isinstance(found, gc.Prediction)
    local = evaluate_local(program, task_of(program, region=1))
    assert local is not None
    assert found.worst_start is not None
    between = (local.distance + found.worst_start) / 2
    assert local.distance < between < found.worst_start
    about = replace(program, region=1, worst_found=local.distance)
    small, whole = promise_of(about, found, between), promise_of(program, found, between)
    assert (small.measure, small.region, small.guarantee) == ("local", 1, Guarantee.ANY_START)
    assert "on every region read, of 1 site" in small.text
    assert (whole.measure, whole.region) == ("global", None)
    assert whole.guarantee is not Guarantee.ANY_START
    assert promise_of(about, found, 0.9 * local.distance).guarantee is not Guarantee.ANY_START  # the control


def test_promise__preparation_on_regions__its_own_start_alone() -> None:
    program = replace(copied(3), region=2, given_found=0.04, preparation=True)
    assert promise_of(program, None, 0.05).guarantee is Guarantee.GIVEN_START
    assert promise_of(program, None, 0.03).guarantee is Guarantee.NONE


def test_saved__measure_of_a_claim__survives() -> None:
    program = replace(copied(3), region=2, worst_found=0.041, given_found=0.02)
    again = from_saved(to_saved(program), program.generator)
    assert (again.region, again.worst_found, again.given_found) == (2, 0.041, 0.02)


def test_in_turn__every_region_once__the_ends_and_the_middle_first() -> None:
    for count in (1, 2, 5, 18):
        regions = [(k, k + 1) for k in range(count)]
        order = in_turn(regions)
        assert sorted(order) == regions
        assert {order[0], order[-1 if count < 3 else 2]} == {regions[0], regions[-1]}
