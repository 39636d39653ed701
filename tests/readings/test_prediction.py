"""The prediction: right against powers of an independent channel, the same dense and by Krylov, honest about limits."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from qiskit.quantum_info import SuperOp

from gibbs_circuits.evidence import Status
from gibbs_circuits.linalg.fixed_point import Relaxation
from gibbs_circuits.models.spectrum import beta_of_energy, spectrum
from gibbs_circuits.programs.initial_state import mixed, one, zero
from gibbs_circuits.programs.program import Guarantee, Program, Stage
from gibbs_circuits.programs.steps import Couple, Reset
from gibbs_circuits.readings.channel import prediction
from gibbs_circuits.readings.channel import sweep_count as counting
from gibbs_circuits.readings.channel.building_time import building_seconds
from gibbs_circuits.readings.channel.prediction import Prediction, Unpredicted, predict, try_predict
from tests.examples import (
    build,
    by_hand,
    channel_of,
    distance,
    farthest,
    farthest_by,
    gibbs,
    ising,
    lowered,
    random_state,
    unrolled,
)


def fixed(**knobs: object) -> Program:
    """Without random delays, so that one circuit is one sweep."""
    return build(ising(2), **{"random_delays": False, "sweeps": 6, **knobs})


def qiskit_channel(program: Program, stage: int = 0) -> SuperOp:
    once = replace(program, stages=(replace(program.stages[stage], repeats=1),))
    return SuperOp(channel_of(lowered(unrolled(once, ())), 2))


def eigenstate(channel: SuperOp) -> np.ndarray:
    values, vectors = scipy.linalg.eig(channel.data)
    rho = vectors[:, np.argmin(abs(values - 1))].reshape(4, 4, order="F")
    return np.asarray(rho / np.trace(rho))


def test_prediction__distances_and_energies__equal_qiskit_sweep_by_sweep() -> None:
    program, start = fixed(), random_state(2, 4)
    found = predict(program, start)
    assert found is not None
    channel, model = qiskit_channel(program), program.generator.model
    sigma, H = gibbs(model.hamiltonian, 1.0), model.hamiltonian.to_matrix()
    starts = {"": start, "zero": zero(2).density(2), "one": one(2).density(2), "mixed": mixed().density(2)}
    for name, rho in starts.items():
        states = [rho.reshape(-1, order="F")]
        for _ in range(6):
            states.append(channel.data @ states[-1])
        matrices = [v.reshape(4, 4, order="F") for v in states]
        path = found.paths[name] if name else found.distances
        assert path == pytest.approx([distance(rho, sigma) for rho in matrices], abs=1e-10)
        if not name:
            assert found.energies == pytest.approx([np.trace(rho @ H).real for rho in matrices], abs=1e-10)
    assert found.starts == {name: path[-1] for name, path in found.paths.items()}
    assert found.worst_start is not None
    assert found.worst_start >= max(path[-1] for path in found.paths.values())


def test_prediction__fixed_point_contraction_and_beta__equal_dense_eigenvectors() -> None:
    program = fixed(strength=0.4)
    found = predict(program, zero(2).density(2))
    assert found is not None
    channel, model = qiskit_channel(program), program.generator.model
    rho, H = eigenstate(channel), model.hamiltonian.to_matrix()
    assert np.abs(found.relaxation.state - rho).max() < 1e-10
    assert found.fixed_point_distance == pytest.approx(distance(rho, gibbs(model.hamiltonian, 1.0)), abs=1e-10)
    assert found.contraction == pytest.approx(np.sort(abs(np.linalg.eigvals(channel.data)))[-2], abs=1e-9)
    energy = np.trace(rho @ H).real
    assert found.fixed_point_energy == pytest.approx(energy, abs=1e-10)
    assert found.fixed_point_beta is not None
    hot = gibbs(model.hamiltonian, found.fixed_point_beta)
    assert np.trace(hot @ H).real == pytest.approx(energy, abs=1e-9)
    assert abs(found.fixed_point_beta - 1.0) > 1e-3  # the sampler is biased: β_effective is not β


def test_prediction__control__a_sweep_whose_resets_come_too_late_has_another_fixed_point() -> None:
    one_ancilla = build(ising(2), "sequential", random_delays=False)
    good = predict(one_ancilla, zero(2).density(2))
    steps = one_ancilla.stages[0].steps
    resets = [step for step in steps if isinstance(step, Reset)]
    late = (*(step for step in steps if not isinstance(step, Reset)), *resets)
    wrong = predict(replace(one_ancilla, stages=(Stage(late, 2),)), zero(2).density(2))
    assert good is not None
    assert wrong is not None
    assert np.abs(good.relaxation.state - wrong.relaxation.state).max() > 1e-3


def test_prediction__stages__are_all_gone_through() -> None:
    first, second = fixed(sweeps=2), fixed(strength=0.2, sweeps=3)
    program = replace(first, stages=(*first.stages, *second.stages))
    found = predict(program, zero(2).density(2))
    assert found is not None
    v = one(2).density(2).reshape(-1, order="F")
    for stage in (0, 0, 1, 1, 1):
        v = qiskit_channel(program, stage).data @ v
    sigma = gibbs(program.generator.model.hamiltonian, 1.0)
    assert found.starts["one"] == pytest.approx(distance(v.reshape(4, 4, order="F"), sigma), abs=1e-10)
    assert found.distances.size == found.energies.size == 6
    assert np.abs(found.relaxation.state - eigenstate(qiskit_channel(program, 1))).max() < 1e-10


def test_prediction__long_run__a_settled_state_is_not_followed_and_nothing_changes() -> None:
    program = fixed(sweeps=3000)
    found = predict(program, zero(2).density(2))
    assert found is not None
    assert found.distances.size == 3001
    v = np.linalg.matrix_power(qiskit_channel(program).data, 3000) @ zero(2).density(2).reshape(-1, order="F")
    sigma = gibbs(program.generator.model.hamiltonian, 1.0)
    assert found.distances[-1] == pytest.approx(distance(v.reshape(4, 4, order="F"), sigma), abs=1e-10)


@lru_cache
def forty_sweeps() -> tuple[Any, Any, Any]:
    """A prediction, one sweep by Qiskit, and σ."""
    program = fixed(sweeps=40, strength=0.3, spacing=0.1, nodes=41)
    sigma = gibbs(program.generator.model.hamiltonian, 1.0)
    return predict(program, zero(2).density(2)), qiskit_channel(program).data, sigma


@pytest.mark.parametrize("target", [0.5, 0.2, 0.1])
def test_sweeps_to__inside_the_run__are_counted(target: float) -> None:
    found, channel, sigma = forty_sweeps()
    assert found is not None
    sweeps, status = found.sweeps_to(target)
    assert status is Status.MEASURED
    assert sweeps is not None
    after, before = (farthest_by(np.linalg.matrix_power(channel, k), sigma) for k in (sweeps, sweeps - 1))
    assert after <= target < before
    listed = np.max(list(found.paths.values()), axis=0)  # the control: a list of starts is within it sooner
    assert listed[sweeps - 1] <= target


def test_sweeps_to__beyond_the_run__as_a_longer_run_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    knobs = {"strength": 0.3, "spacing": 0.1, "nodes": 41}
    short = predict(fixed(sweeps=3, **knobs), zero(2).density(2))
    long = predict(fixed(sweeps=80, **knobs), zero(2).density(2))
    assert short is not None
    assert long is not None
    for margin in (0.1, 0.01, 1e-4):
        target = long.fixed_point_distance + margin
        expected, counted = long.sweeps_to(target)
        assert counted is Status.MEASURED
        assert expected is not None
        assert expected > 3
        assert short.sweeps_to(target) == (expected, Status.MEASURED)
    monkeypatch.setattr(counting, "FOLLOWED_DENSE", 20)
    sweeps, status = short.sweeps_to(target)
    assert status is Status.EXTRAPOLATED
    assert sweeps is not None
    assert expected <= sweeps <= 2 * expected  # enough, if not the fewest: it may come closer to σ on its way


@pytest.mark.parametrize("target", [0.65, 0.58])
def test_sweeps_to__two_stages__is_the_first_count_from_every_start(target: float) -> None:
    strong, weak = (build(ising(3), strength=strength, sweeps=k) for strength, k in ((1.2, 2), (0.3, 6)))
    program = replace(strong, stages=(*strong.stages, *weak.stages))
    found = predict(program, zero(3).density(3))
    assert found is not None
    sweeps, status = found.sweeps_to(target)
    assert status is Status.MEASURED
    assert sweeps is not None
    assert sweeps > 3
    after, before = (
        farthest(replace(program, stages=(*strong.stages, replace(weak.stages[0], repeats=k))))
        for k in (sweeps - 2, sweeps - 3)
    )
    assert after <= target < before


def test_sweeps_to__biased_fixed_point__never() -> None:
    found = predict(fixed(strength=2.0), zero(2).density(2))
    assert found is not None
    assert found.fixed_point_distance > 1e-3
    assert found.sweeps_to(found.fixed_point_distance / 2) == (None, Status.MEASURED)
    assert found.sweeps_to(1.0)[0] == 0


def test_sweeps_to__a_part_never_touched__never() -> None:
    program = by_hand([Couple((("IX", 1.0),), 0, 0.5, 0.0), Reset((0,))], 1)
    found = predict(program, zero(2).density(2))
    assert found is not None
    assert found.worst_start is not None
    assert found.sweeps_to(0.5 * found.worst_start)[0] is None


def test_guarantee__a_fixed_point_that_is_not_converged__is_none_of_a_sampler() -> None:
    found = predict(fixed(sweeps=60), zero(2).density(2))
    assert found is not None
    assert found.guarantee(0.99) is Guarantee.ANY_START
    r = found.relaxation
    poor = Relaxation(r.state, 1e-2, 1e-1, r.contraction, 1e-2, 5, False)
    assert replace(found, relaxation=poor).guarantee(0.99) is Guarantee.GIVEN_START


def test_fixed_point_beta__infinite_temperature__none() -> None:
    found = predict(build(ising(2, 0.0), random_delays=False), zero(2).density(2))
    assert found is not None
    assert found.fixed_point_beta is None


def test_beta_of_energy__is_inverse_to_the_thermal_energy__and_none_outside() -> None:
    model = ising(3).model
    H = model.hamiltonian.to_matrix()
    for beta in (-0.7, 0.0, 0.3, 2.0):
        energy = float(np.trace(gibbs(model.hamiltonian, beta) @ H).real)
        assert beta_of_energy(energy, spectrum(model)) == pytest.approx(beta, abs=1e-9)
    assert beta_of_energy(float(np.linalg.eigvalsh(H)[0]) - 1, spectrum(model)) is None


def test_prediction__krylov__equals_dense(monkeypatch: pytest.MonkeyPatch) -> None:
    program, start = build(ising(4), sweeps=5, nodes=4, random_delays=(1, 4)), random_state(4, 2)
    dense = predict(program, start)
    monkeypatch.setattr("gibbs_circuits.readings.channel.sweep_channel.MAX_CHANNEL_QUBITS", 3)
    monkeypatch.setattr(prediction, "MAX_CHANNEL_QUBITS", 3)
    krylov = predict(program, start)
    assert isinstance(dense, Prediction)
    assert isinstance(krylov, Prediction)
    assert (dense.relaxation.applications, krylov.relaxation.converged) == (0, True)
    assert krylov.relaxation.applications > 3
    assert krylov.distances == pytest.approx(dense.distances, abs=1e-10)
    assert krylov.energies == pytest.approx(dense.energies, abs=1e-10)
    assert krylov.fixed_point_distance == pytest.approx(dense.fixed_point_distance, abs=1e-9)
    assert krylov.contraction == pytest.approx(dense.contraction, abs=1e-6)
    assert krylov.starts == pytest.approx(dense.starts, abs=1e-10)
    target = dense.fixed_point_distance + 0.05
    assert krylov.worst_start == pytest.approx(dense.worst_start, abs=1e-5)
    (counted, known), (followed, how) = dense.sweeps_to(target), krylov.sweeps_to(target)
    assert (known, how) == (Status.MEASURED, Status.EXTRAPOLATED)  # above 5 qubits one start is followed, not searched
    assert counted is not None
    assert followed is not None
    assert counted - 1 <= followed <= 2 * counted


def test_prediction__six_qubits__is_there() -> None:
    found = predict(build(ising(6), sweeps=3, ancillas=2, nodes=3), zero(6).density(6))
    assert found is not None
    assert found.relaxation.converged
    assert found.distances.size == 4
    assert found.worst_start is not None
    assert 0 < found.fixed_point_distance < found.worst_start < 1


def test_prediction__too_large__says_why() -> None:
    nine = build(ising(9), nodes=2, ancillas=1, random_delays=False)
    found = try_predict(nine, np.eye(2))
    assert isinstance(found, Unpredicted)
    assert "up to 8 system qubits; there are 9" in found.reason
    assert predict(nine, np.eye(2)) is None


def test_prediction__too_long__says_why_before_it_begins() -> None:
    program = build(ising(6), sweeps=10**6, ancillas=2, nodes=2)
    found = try_predict(program, zero(6).density(6))
    assert isinstance(found, Unpredicted)
    assert "2000000 for the starts" in found.reason
    dense = build(ising(8), nodes=400, random_delays=False)
    assert building_seconds(dense) > 60
    heavy = try_predict(dense, zero(8).density(8))
    assert isinstance(heavy, Unpredicted)
    assert "Writing the sweep" in heavy.reason
