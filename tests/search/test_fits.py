"""Circuits with free angles: gradients, what is written of them, and what a fit may claim."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.quantum_info import DensityMatrix, partial_trace

import gibbs_circuits as gc
from gibbs_circuits.linalg.arrays import unvec, vec
from gibbs_circuits.models.graph import interacting_pairs
from gibbs_circuits.models.spectrum import trace_distance
from gibbs_circuits.programs.product_formulas import commuting_groups
from gibbs_circuits.programs.program import Calibration, Guarantee, Program, Stage
from gibbs_circuits.readings.channel.sweep_channel import sweep_channel
from gibbs_circuits.readings.circuits.cost import cost
from gibbs_circuits.search.candidates import cheapest, frontier
from gibbs_circuits.search.clock import Deadline, unlimited
from gibbs_circuits.search.fitted import _repeated
from gibbs_circuits.search.task import SearchTask
from gibbs_circuits.search.variational.ansatz import Ansatz, columns, forward
from gibbs_circuits.search.variational.fits import (
    Fit,
    PreparationFitter,
    SamplerFitter,
    TunedCircuit,
    usual_starts,
    worst_of,
)
from gibbs_circuits.search.variational.gate_search import GateSearch, _carried, _split
from gibbs_circuits.search.variational.layers import any_pairs, never_wipes, shape
from gibbs_circuits.search.variational.objectives import Preparation, Sampling, smoothed
from gibbs_circuits.search.variational.optimise import minimise
from gibbs_circuits.search.variational.shared_angles import JointCost
from gibbs_circuits.search.variational.to_steps import steps_of
from tests.clocks import past, within

SEEDS = st.integers(0, 2**32 - 1)
BONDS = ((0, 1), (1, 2))


def chain(sites: int = 3) -> gc.Model:
    return gc.models.mixed_field_ising(sites, J=1, h=0.9, g=0.5)


def check_gradient(cost_of: Any, x: np.ndarray, rng: np.random.Generator) -> None:
    """Three components of a cost's own gradient against central differences."""
    step, eta = 1e-6, 3e-2
    _, slope = cost_of(x, eta)
    for k in rng.integers(len(x), size=3):
        moved = np.zeros_like(x)
        moved[k] = step
        measured = (cost_of(x + moved, eta)[0] - cost_of(x - moved, eta)[0]) / (2 * step)
        assert np.allclose(slope[k], measured, atol=1e-7)


def random_ansatz(rng: np.random.Generator, *, real: bool, n: int = 2) -> Ansatz:
    pairs = any_pairs(n, interacting_pairs(chain(n).hamiltonian))
    layers = tuple((pairs[int(rng.integers(len(pairs)))],) for _ in range(5))
    return Ansatz(n, n, layers, real)


def by_hand(ansatz: Ansatz, angles: np.ndarray, start: int) -> np.ndarray:
    """The system's state after the circuit, gate by gate with Qiskit, from a basis state."""
    qc = QuantumCircuit(ansatz.num_qubits)
    for q in range(ansatz.num_system):
        if start >> q & 1:
            qc.x(q)
    per, used = ansatz.angles_per_slot, ansatz.slot_angles(angles[:, None])[..., 0]
    behind: dict[int, list[int]] = {}
    for k, slot in enumerate(ansatz.slots):
        behind.setdefault(slot.layer, []).append(k)
    for layer in range(len(ansatz.layers) + 1):
        for k in behind.get(layer, []):
            qc.ry(used[k, 0], ansatz.slots[k].qubit)
            if per == 2:
                qc.rz(used[k, 1], ansatz.slots[k].qubit)
        for a, b in ansatz.layers[layer] if layer < len(ansatz.layers) else ():
            qc.cz(a, b)
    return partial_trace(DensityMatrix(qc), range(ansatz.num_system, ansatz.num_qubits)).data


@given(seed=SEEDS, real=st.booleans())
@settings(max_examples=20, deadline=None)
def test_forward__is_the_circuit__gate_by_gate(seed: int, real: bool) -> None:
    rng = np.random.default_rng(seed)
    ansatz = random_ansatz(rng, real=real)
    angles = rng.normal(size=ansatz.num_angles)
    V = forward(ansatz, angles[:, None], columns(ansatz, 1))[..., 0].reshape(-1, 4, 4)
    for start in (0, 3):
        rho = np.zeros((4, 4))
        rho[start, start] = 1
        assert np.allclose(sum(v @ rho @ v.conj().T for v in V), by_hand(ansatz, angles, start), atol=1e-12)


@given(seed=SEEDS, real=st.booleans(), sampler=st.booleans())
@settings(max_examples=20, deadline=None)
def test_gradient__is_that_of_differences__random_circuits(seed: int, real: bool, sampler: bool) -> None:
    rng = np.random.default_rng(seed)
    ansatz = random_ansatz(rng, real=real)
    sigma = gc.gibbs_state(chain(2), 0.8)
    sigma = sigma.real if real else sigma
    cost_of: Preparation | Sampling = Preparation(ansatz, sigma, np.eye(4)[:, 1])
    if sampler:
        cost_of = Sampling(ansatz, sigma, usual_starts(2), 2)
    check_gradient(cost_of, rng.normal(size=(ansatz.num_angles, 2)), rng)


@given(seed=SEEDS, real=st.booleans())
@settings(max_examples=10, deadline=None)
def test_preparation__state__is_that_of_the_circuit__six_qubits(seed: int, real: bool) -> None:
    rng = np.random.default_rng(seed)
    ansatz = random_ansatz(rng, real=real, n=3)
    sigma = gc.gibbs_state(chain(3), 0.8)
    objective = Preparation(ansatz, sigma.real if real else sigma, np.eye(8)[:, 5])
    x = rng.normal(size=(ansatz.num_angles, 2))
    expected = by_hand(ansatz, x[:, 1], 5)
    assert np.allclose(objective.state(x[:, 1]), expected, atol=1e-12)
    assert not np.allclose(objective.state(x[:, 0]), expected, atol=1e-3)  # the control: other angles
    check_gradient(objective, x, rng)


@pytest.mark.parametrize("real", [True, False])
def test_sampling__single_precision__changes_the_cost_little(real: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(8)
    ansatz, sigma = shape("ab", 3, BONDS, real=real), gc.gibbs_state(chain(3), 0.8)
    x = rng.normal(size=(ansatz.num_angles, 1))
    cost, slope = Sampling(ansatz, sigma.real if real else sigma, usual_starts(3), 3)(x, 1e-3)
    monkeypatch.setattr("gibbs_circuits.search.variational.objectives.SINGLE", 8)
    single, turned = Sampling(ansatz, sigma.real if real else sigma, usual_starts(3), 3)(x, 1e-3)
    assert 0 < abs(single - cost) < 1e-5
    assert np.allclose(turned, slope, atol=1e-4)


def test_gradient__control__of_another_start_differs() -> None:
    rng = np.random.default_rng(0)
    ansatz, sigma = random_ansatz(rng, real=True), gc.gibbs_state(chain(2), 0.8).real
    x = rng.normal(size=(ansatz.num_angles, 1))
    one, other = (Preparation(ansatz, sigma, np.eye(4)[:, k])(x, 1e-2)[1] for k in (0, 3))
    assert np.max(np.abs(one - other)) > 1e-3


@given(seed=SEEDS, real=st.booleans())
@settings(max_examples=15, deadline=None)
def test_steps_of__have_the_channel_of_the_fit__and_one_gate_per_cz(seed: int, real: bool) -> None:
    rng = np.random.default_rng(seed)
    ansatz = random_ansatz(rng, real=real, n=3)
    angles = 3 * rng.normal(size=ansatz.num_angles)
    generator = gc.dll(chain(), beta=1.0, couplings="Y")
    steps = steps_of(ansatz, angles)
    program = Program(3, 3, commuting_groups(chain().hamiltonian), (Stage(steps, 2),), generator, "auto")
    V = forward(ansatz, angles[:, None], columns(ansatz, 1))[..., 0].reshape(-1, 8, 8)
    channel = sweep_channel(program)
    for k in range(4):
        rho = np.zeros((8, 8), dtype=complex)
        rho[k, k], rho[k, 7 - k], rho[7 - k, k] = 1, 0.3j, -0.3j
        assert np.allclose(unvec(channel @ vec(rho)), sum(v @ rho @ v.conj().T for v in V), atol=1e-12)
    assert cost(program).two_qubit_gates_per_sweep == (ansatz.gates,)


def test_smoothed__tends_to_the_trace_distance__as_eta_falls() -> None:
    rng = np.random.default_rng(1)
    A = rng.normal(size=(6, 6))
    A = A + A.T
    exact = trace_distance(A, np.zeros_like(A))
    errors = [abs(float(smoothed(A, eta)[0]) - exact) for eta in (1e-2, 1e-3, 1e-4)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-3 * exact


@pytest.mark.parametrize("begun", [False, True])
def test_search__words__end_at_the_deadline(begun: bool) -> None:
    class Counted:
        sweeps = 1
        seen = 0

        def glance(self, ansatz: Ansatz, angles: np.ndarray, deadline: Deadline) -> Fit:
            raise AssertionError("a child")

        def fit(self, ansatz: Ansatz, angles: np.ndarray, deadline: Deadline) -> Fit:
            self.seen += 1
            return TunedCircuit(ansatz, angles[:, 0], 1).candidate(1.0)

    task, words = Counted(), [shape("ab" * k, 2, ((0, 1),), real=True) for k in range(1, 6)]
    begin = (lambda word, task, until: None) if begun else None
    search = GateSearch(
        [task], any_pairs(2, ((0, 1),)), lambda ansatz: True, 0.1, np.random.default_rng(1), 2, begin=begin
    )
    search.run(words, past())
    assert task.seen == 1


def test_minimise__reaches_the_minimum_of_every_column__rosenbrock() -> None:
    def rosenbrock(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        a, b = x
        value = (1 - a) ** 2 + 100 * (b - a**2) ** 2
        return value, np.array([-2 * (1 - a) - 400 * a * (b - a**2), 200 * (b - a**2)])

    start = np.random.default_rng(2).normal(size=(2, 5))
    found, _ = minimise(rosenbrock, start, 200, within(20), 1e-3)
    assert np.allclose(found, 1, atol=1e-3)
    alone, _ = minimise(rosenbrock, start[:, :1], 200, within(20), 1e-3)
    assert np.array_equal(alone[:, 0], found[:, 0])


def test_minimise__stops__at_its_deadline() -> None:
    calls = []

    def bowl(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        calls.append(x)
        return (x**4).sum(axis=0), 4 * x**3

    late, values = minimise(bowl, np.ones((3, 2)), 100, past(), 1e-3)
    assert np.array_equal(late[:, 1], np.ones(3))
    assert values[1] == np.inf
    few = len(calls)
    minimise(bowl, np.ones((3, 2)), 100, within(20), 1e-3)
    assert few < 6 < len(calls) - few


@pytest.mark.parametrize("real", [True, False])
def test_prepare__meets_the_ideal__of_a_product_state(real: bool) -> None:
    """Two free spins need one CZ each, and then nothing is left."""
    model = gc.models.mixed_field_ising(2, J=0.0, h=0.7, g=0.4)
    ansatz = Ansatz(2, 2, (((0, 2), (1, 3)),), real)
    task = PreparationFitter(gc.gibbs_state(model, 1.1), np.eye(4)[:, 0].astype(complex), iterations=300)
    first = np.random.default_rng(0).normal(size=(ansatz.num_angles, 6))
    fit = task.fit(ansatz, first, within(30))
    assert fit.distance < 2e-4
    none = replace(ansatz, layers=())
    assert task.fit(none, first[: none.num_angles], within(30)).distance > 0.1


def test_search__finds_fewer_gates_than_its_words__two_sites() -> None:
    model = chain(2)
    bonds = interacting_pairs(model.hamiltonian)
    rng = np.random.default_rng(3)
    task = PreparationFitter(gc.gibbs_state(model, 1.0), np.eye(4)[:, 0].astype(complex))
    search = GateSearch([task], any_pairs(2, bonds), lambda ansatz: True, 0.03, rng, 6)
    words = [shape(word, 2, bonds, real=True) for word in ("ab", "abab")]
    pool = search.run(words, within(2))
    best = cheapest(pool.nearest, 0.03)
    assert best is not None
    assert best.two_qubit_gates <= 4
    again = Preparation(best.program.ansatz, gc.gibbs_state(model, 1.0).real, np.eye(4)[:, 0])
    rho = again.state(best.program.angles)
    assert trace_distance(rho, gc.gibbs_state(model, 1.0)) == pytest.approx(best.distance, abs=1e-9)
    distances = [fit.distance for fit in frontier(pool.nearest)]
    assert distances == sorted(distances, reverse=True)


def test_search__of_islands__ends_with_what_is_best_of_any() -> None:
    model = chain(2)
    bonds = interacting_pairs(model.hamiltonian)
    task = PreparationFitter(gc.gibbs_state(model, 1.0), np.eye(4)[:, 0].astype(complex))
    told: list[str] = []
    search = GateSearch([task], any_pairs(2, bonds), lambda ansatz: True, 1e-9, np.random.default_rng(3), 4, islands=3,
                    progress=told.append)  # fmt: skip
    words = [shape(word, 2, bonds, real=True) for word in ("", "ab")]
    pool = search.run(words, within(3))
    assert cheapest(pool.nearest, 1e-9) is None
    assert {0, 3} <= set(pool.levels)  # the words of every island are kept
    assert len(pool.levels) > 3  # and every number of gates was improved, not the last alone
    assert any(text.startswith("nearest") for text in told)


def test_split__keeps_the_circuit__of_whole_layers() -> None:
    ansatz = shape("abab", 3, BONDS, real=False)
    angles = np.random.default_rng(4).normal(size=ansatz.num_angles)
    split, carried = _split(ansatz, angles)
    one = forward(ansatz, angles[:, None], columns(ansatz, 1))
    other = forward(split, carried[:, None], columns(split, 1))
    assert split.gates == ansatz.gates
    assert np.allclose(one, other, atol=1e-12)


def test_carried__drops_ancillas__that_nothing_uses() -> None:
    ansatz, angles = _split(shape("ab", 3, BONDS, real=True), np.ones(shape("ab", 3, BONDS, real=True).num_angles))
    child, values = _carried(ansatz, angles, ansatz.layers[1:], list(range(1, len(ansatz.layers))))
    assert (child.num_ancilla, len(values)) == (2, child.num_angles)


def in_three_sweeps(word: str, rng: np.random.Generator) -> tuple[Fit, np.ndarray, np.ndarray]:
    """A sampler of two sites, the Kraus operators of its sweep, and its target."""
    ansatz, sigma = shape(word, 2, ((0, 1),), real=True), gc.gibbs_state(chain(2), 1.0)
    task = SamplerFitter(sigma, 3, usual_starts(2), rng, iterations=60, rounds=2)
    fit = task.fit(ansatz, rng.normal(scale=0.6, size=(ansatz.num_angles, 3)), within(30))
    V = forward(ansatz, fit.program.angles[:, None], columns(ansatz, 1))[..., 0].reshape(-1, 4, 4)
    return fit, V, sigma


def test_sample__worst_start__is_no_better_than_the_usual_ones() -> None:
    rng = np.random.default_rng(5)
    fit, V, sigma = in_three_sweeps("aba", rng)
    for rho in usual_starts(2):
        for _ in range(3):
            rho = sum(v @ rho @ v.conj().T for v in V)
        assert trace_distance(rho, sigma) <= fit.distance + 1e-3
    again, _ = worst_of(V, 3, sigma, np.random.default_rng(6), unlimited(), seeds=12)
    assert again == pytest.approx(fit.distance, abs=2e-3)
    assert fit.distance < 0.1


def test_repeated__more_sweeps_of_the_nearest__until_they_are_enough() -> None:
    """A fit for 3 sweeps stopped after one: two more bring it back, and none more than the target needs."""
    rng = np.random.default_rng(5)
    fit, V, sigma = in_three_sweeps("abab", rng)
    far = [worst_of(V, sweeps, sigma, rng, unlimited(), seeds=12)[0] for sweeps in (1, 2, 3)]
    assert far[0] > far[1] > far[2]

    def repeated(target: float) -> list[Fit]:
        start = np.eye(4, dtype=complex)[0]
        wanted = SearchTask(
            gc.dll(chain(2), 1.0, "Y"), target, Guarantee.ANY_START, Calibration.FITTED_TO_TARGET, start, 1, 1
        )
        return _repeated(wanted, [replace(fit.program, sweeps=1).candidate(far[0])], rng, unlimited())

    found = repeated(1.05 * far[2])
    assert [one.program.sweeps for one in found] == [2, 3]
    assert [one.distance for one in found] == pytest.approx(far[1:], abs=1e-3)
    assert not repeated(1.1 * far[0])
    assert [one.program.sweeps for one in repeated(1.05 * far[1])] == [2]


def test_sample__keeps_the_hardest_starts__and_gives_up_where_told() -> None:
    rng = np.random.default_rng(9)
    ansatz, sigma = shape("aba", 2, ((0, 1),), real=True), gc.gibbs_state(chain(2), 1.0)
    x = rng.normal(scale=0.6, size=(ansatz.num_angles, 1))
    task = SamplerFitter(sigma, 2, usual_starts(2), rng, rounds=30, at_once=3)
    each = Sampling(ansatz, sigma.real, usual_starts(2), 2).distances(x[:, 0])
    kept = task._hardest(ansatz, x, usual_starts(2))
    assert np.array_equal(kept, usual_starts(2)[np.sort(np.argsort(each)[-2:])])
    patient = task.fit(ansatz, x, within(30))
    hasty = replace(task, rounds=0).fit(ansatz, x, within(30))
    assert patient.distance < hasty.distance
    enough = replace(task, enough=1.0).fit(ansatz, x, within(30))
    assert np.array_equal(enough.program.angles, x[:, 0])  # nothing was asked that it does not do already


def test_never_wipes__refuses_two_meetings_in_a_row__whatever_the_ancilla() -> None:
    assert never_wipes(shape("abab", 3, BONDS, real=True))
    assert not never_wipes(shape("aab", 3, BONDS, real=True))
    assert not never_wipes(shape("aba", 3, BONDS, real=True))  # the end of one sweep and the begin of the next
    assert not never_wipes(Ansatz(2, 2, (((0, 2),), ((0, 3),), ((0, 1),))))
    assert not never_wipes(shape("abab", 3, ((0, 1),), real=True))  # the third site has no neighbour


def test_interacting_pairs__of_longer_terms__are_paths() -> None:
    model = gc.models.hubbard(sites=2, t=1.0, U=4.0, mu=2.0)
    pairs = interacting_pairs(model.hamiltonian)
    assert all(a < b < 4 for a, b in pairs)
    assert {q for pair in pairs for q in pair} == set(range(4))


def test_joint__gradient__is_that_of_differences() -> None:
    rng = np.random.default_rng(7)
    names = (("bulk", 1.0),)
    parts = []
    for n in (2, 3):
        bonds = tuple((q, q + 1) for q in range(n - 1))
        features = tuple(((name, weight), ("slope", 0.3 * q)) for q in range(2 * n) for name, weight in names)
        ansatz = replace(shape("ab", n, bonds, real=True), features=features)
        parts.append(Preparation(ansatz, gc.gibbs_state(chain(n), 1.0).real, np.eye(2**n)[:, 0]))
    joint = JointCost.of(parts)
    x = rng.normal(size=(len(joint.names) * joint.per_slot, 2))
    _, slope = joint(x, 3e-2)
    for k in range(len(x)):
        moved = np.zeros_like(x)
        moved[k] = 1e-6
        measured = (joint(x + moved, 3e-2)[0] - joint(x - moved, 3e-2)[0]) / 2e-6
        assert np.allclose(slope[k], measured, atol=1e-7)
