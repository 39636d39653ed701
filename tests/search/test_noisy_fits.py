"""Fits that know the noise, against Aer and the exact noisy channel of the program that is written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import transpile
from qiskit.quantum_info import partial_trace
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, depolarizing_error

import gibbs_circuits as gc
from gibbs_circuits.backends.devices.keys import Noise
from gibbs_circuits.backends.simulators.noisy_channel import noisy_map, noisy_states
from gibbs_circuits.backends.targets.registry import load_target
from gibbs_circuits.backends.transpile.compiled import Compiled
from gibbs_circuits.backends.transpile.transpile import compile_for
from gibbs_circuits.errors import ArgumentError, TooLargeError
from gibbs_circuits.models.graph import interacting_pairs
from gibbs_circuits.models.spectrum import trace_distance
from gibbs_circuits.programs.initial_state import zero
from gibbs_circuits.programs.product_formulas import commuting_groups
from gibbs_circuits.programs.program import Program, Stage
from gibbs_circuits.search.clock import unlimited
from gibbs_circuits.search.variational.ansatz import Ansatz
from gibbs_circuits.search.variational.fits import PreparationFitter, SamplerFitter, usual_starts
from gibbs_circuits.search.variational.layers import any_pairs, shape
from gibbs_circuits.search.variational.noisy_circuit import PULSES, NoisyCircuit, matrices_of, vectors_of
from gibbs_circuits.search.variational.noisy_fits import (
    NoisyPreparationFitter,
    NoisySamplerFitter,
    NoisySampling,
    noisy_preparation,
)
from gibbs_circuits.search.variational.objectives import Preparation, Sampling
from gibbs_circuits.search.variational.to_steps import steps_of
from tests.clocks import within
from tests.examples import random_state
from tests.search.test_fits import check_gradient

SEEDS = st.integers(0, 2**32 - 1)
P1, P2 = 1e-3, 1e-2
LOUD = 0.02, 0.05
SPREAD_OUT = (((0, 3),), ((0, 1),), ((1, 4),), ((1, 2),), ((0, 3),), ((2, 4),), ((0, 1),))  # no pair twice in a row


def model(sites: int) -> gc.Model:
    return gc.models.mixed_field_ising(sites, J=1, h=0.9, g=0.5)


def random_ansatz(rng: np.random.Generator, *, real: bool, n: int = 2) -> Ansatz:
    pairs = any_pairs(n, interacting_pairs(model(n).hamiltonian))
    return Ansatz(n, n, tuple((pairs[int(rng.integers(len(pairs)))],) for _ in range(5)), real)


def written(ansatz: Ansatz, angles: np.ndarray, sweeps: int) -> Program:
    n = ansatz.num_system
    generator = gc.dll(model(n), beta=1.0, couplings="Y")
    groups = commuting_groups(model(n).hamiltonian)
    return Program(n, ansatz.num_ancilla, groups, (Stage(steps_of(ansatz, angles), sweeps),), generator, "auto")


def compiled(ansatz: Ansatz, angles: np.ndarray, sweeps: int, p1: float = P1, p2: float = P2) -> Compiled:
    on = load_target("aer_noisy").model_copy(update={"noise": Noise(p1=p1, p2=p2)})
    return compile_for(written(ansatz, angles, sweeps), on, zero(ansatz.num_system), 1)


def sampling(ansatz: Ansatz, starts: Any, sweeps: int, p1: float = P1, p2: float = P2) -> NoisySampling:
    return NoisySampling(ansatz, gc.gibbs_state(model(ansatz.num_system), 1.0), np.asarray(starts), sweeps, p1, p2)


def as_counted(done: Compiled, ansatz: Ansatz, sweeps: int) -> bool:
    """Two pulses per slot; one more of every ancilla turns it before its reset, where nothing sees its noise."""
    pulses = PULSES * len(ansatz.slots) + ansatz.num_ancilla
    return bool((done.counts.one_qubit, done.counts.two_qubit) == (sweeps * pulses, sweeps * ansatz.gates))


@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("sweeps", [1, 2])
@pytest.mark.parametrize("rates", [(P1, P2), LOUD])
def test_states__are_those_of_the_compiled_program__by_the_exact_noisy_channel(
    real: bool, sweeps: int, rates: tuple[float, float]
) -> None:
    ansatz = Ansatz(3, 2, SPREAD_OUT, real)
    angles = np.random.default_rng(8).normal(size=ansatz.num_angles)
    done = compiled(ansatz, angles, sweeps, *rates)
    assert as_counted(done, ansatz, sweeps)
    first = np.zeros((8, 8), dtype=complex)
    first[0, 0] = 1
    rho = random_state(3, 2)
    found = sampling(ansatz, [first, rho], sweeps, *rates).states(angles[:, None])[:, 0]
    assert np.abs(found[0] - noisy_states(done)[-1]).max() < 1e-10
    assert np.abs(found[1] - noisy_states(done, rho)[-1]).max() < 1e-10
    clean = sampling(ansatz, [first], sweeps, 0, 0).states(angles[:, None])[0, 0]
    assert np.abs(found[0] - clean).max() > 1e-3  # the control: noise left out
    for wrong in ((0, rates[1]), (rates[0], 0), rates[::-1]):
        assert np.abs(sampling(ansatz, [first], sweeps, *wrong).states(angles[:, None])[0, 0] - found[0]).max() > 1e-3


def test_state__is_that_of_aer__of_the_circuit_that_qiskit_alone_transpiles() -> None:
    ansatz = Ansatz(3, 2, SPREAD_OUT, real=False)
    angles = np.random.default_rng(9).normal(size=ansatz.num_angles)
    qc = transpile(
        gc.circuit(written(ansatz, angles, 1)), basis_gates=["cz", "rz", "sx", "x", "reset"], seed_transpiler=1
    )
    counts = qc.count_ops()
    assert counts["cz"] == ansatz.gates
    assert counts["sx"] == PULSES * len(ansatz.slots) + 2  # a pulse of each ancilla before its reset
    noise = NoiseModel()
    noise.add_all_qubit_quantum_error(depolarizing_error(P1, 1), ["sx", "x"])
    noise.add_all_qubit_quantum_error(depolarizing_error(P2, 2), "cz")
    qc.save_density_matrix()
    simulator = AerSimulator(method="density_matrix", noise_model=noise, max_parallel_threads=1)
    rho = partial_trace(simulator.run(qc).result().data()["density_matrix"], [3, 4]).data
    objective = noisy_preparation(ansatz, gc.gibbs_state(model(3), 1.0), np.eye(8)[0], P1, P2)
    assert np.abs(objective.states(angles[:, None])[0, 0] - rho).max() < 1e-10


@pytest.mark.parametrize("word", ["aba", "bab", "abb"])
def test_states__of_whole_layers__are_within_the_pulses_that_synthesis_adds(word: str) -> None:
    """Qiskit merges what may be merged, or adds an x between two bonds: as many p1 as the counts differ by."""
    ansatz = shape(word, 3, ((0, 1), (1, 2)), real=True)
    for seed in range(4):
        angles = np.random.default_rng(seed).normal(size=ansatz.num_angles)
        done = compiled(ansatz, angles, 1)
        merged = ansatz.gates - done.counts.two_qubit
        more = abs(done.counts.one_qubit - PULSES * len(ansatz.slots))
        first = np.zeros((8, 8), dtype=complex)
        first[0, 0] = 1
        found = sampling(ansatz, [first], 1).states(angles[:, None])[0, 0]
        bound = more * P1 + merged * P2
        assert trace_distance(found, noisy_states(done)[-1]) <= bound
        clean = sampling(ansatz, [first], 1, 0, 0).states(angles[:, None])[0, 0]
        assert trace_distance(clean, noisy_states(done)[-1]) > 2 * bound  # the control: noise left out


@given(seed=SEEDS, real=st.booleans(), sampler=st.booleans())
@settings(max_examples=20, deadline=None)
def test_gradient__is_that_of_differences__random_circuits(seed: int, real: bool, sampler: bool) -> None:
    rng = np.random.default_rng(seed)
    ansatz = random_ansatz(rng, real=real)
    sigma = gc.gibbs_state(model(2), 1.0)
    cost_of: Any = noisy_preparation(ansatz, sigma, np.eye(4)[:, 1], *LOUD)
    if sampler:
        cost_of = sampling(ansatz, usual_starts(2), 2, *LOUD)
    check_gradient(cost_of, rng.normal(size=(ansatz.num_angles, 2)), rng)


@given(seed=SEEDS, real=st.booleans())
@settings(max_examples=10, deadline=None)
def test_objectives__without_noise__are_those_of_pure_states(seed: int, real: bool) -> None:
    rng = np.random.default_rng(seed)
    ansatz, start = random_ansatz(rng, real=real), np.eye(4)[:, 1]
    sigma = gc.gibbs_state(model(2), 1.0)
    typed = sigma.real if real else sigma
    x = rng.normal(size=(ansatz.num_angles, 2))
    pairs: list[tuple[Any, Any, Any]] = [
        (
            Preparation(ansatz, typed, start),
            noisy_preparation(ansatz, sigma, start, 0, 0),
            noisy_preparation(ansatz, sigma, start, *LOUD),
        ),
        (
            Sampling(ansatz, typed, usual_starts(2), 2),
            sampling(ansatz, usual_starts(2), 2, 0, 0),
            sampling(ansatz, usual_starts(2), 2, *LOUD),
        ),
    ]
    for pure, quiet, loud in pairs:
        for a, b in zip(pure(x, 1e-2), quiet(x, 1e-2), strict=True):
            assert np.allclose(a, b, atol=1e-11)
        assert np.abs(pure(x, 1e-2)[0] - loud(x, 1e-2)[0]).max() > 1e-4


def test_gradient__shared_angles__is_that_of_differences() -> None:
    features = tuple((("all", 1.0), ("slope", 0.3 * q)) for q in range(4))
    ansatz = Ansatz(2, 2, (((0, 2), (1, 3)), ((0, 1),)), False, features)
    cost_of = noisy_preparation(ansatz, gc.gibbs_state(model(2), 1.0), np.eye(4)[:, 0], *LOUD)
    x = np.random.default_rng(3).normal(size=(ansatz.num_angles, 2))
    _, slope = cost_of(x, 3e-2)
    for k in range(len(x)):
        moved = np.zeros_like(x)
        moved[k] = 1e-6
        assert np.allclose(slope[k], (cost_of(x + moved, 3e-2)[0] - cost_of(x - moved, 3e-2)[0]) / 2e-6, atol=1e-7)


def test_vectors__are_pauli_expectations__and_matrices_again() -> None:
    rho = np.stack([random_state(3, k) for k in range(2)])
    x = vectors_of(rho)
    for label, entry in (("III", 0), ("IIX", 1), ("YII", 32), ("XZY", 16 + 12 + 2)):
        P = gc.models.from_terms([(label, 1.0)]).hamiltonian.to_matrix() if label != "III" else np.eye(8)
        assert np.allclose(x[entry], np.einsum("ij,kji->k", P, rho), atol=1e-12)
    assert np.allclose(matrices_of(x), rho, atol=1e-12)


@pytest.mark.parametrize("name", ["p1", "p2"])
def test_noise__out_of_range__is_refused(name: str) -> None:
    rates = {"p1": 0.0, "p2": 0.0}
    for wrong in (-0.1, 1.0, np.nan):
        with pytest.raises(ArgumentError, match=rf"`{name}`.*Fix:"):
            NoisyCircuit(Ansatz(1, 1, (((0, 1),),)), **{**rates, name: wrong})


def test_tape__ten_qubits_at_once__are_refused_but_not_ten_one_after_the_other() -> None:
    bonds = tuple((q, q + 1) for q in range(4))
    with pytest.raises(TooLargeError, match=r"5 system qubits and 5 ancillas.*Fix:"):
        _ = NoisyCircuit(shape("aba", 5, bonds, real=True), P1, P2).tape
    ansatz = shape("ab", 5, bonds, real=True)
    start, sigma = np.eye(32)[0], gc.gibbs_state(model(5), 1.0)
    x = np.random.default_rng(0).normal(size=(ansatz.num_angles, 1))
    value, _ = noisy_preparation(ansatz, sigma, start, 0, 0)(x, 1e-2)
    assert value == pytest.approx(Preparation(ansatz, sigma.real, start)(x, 1e-2)[0], abs=1e-11)


def test_noisy_sample__worst_start__is_that_of_the_compiled_program() -> None:
    ansatz, sigma = shape("aba", 2, ((0, 1),), real=True), gc.gibbs_state(model(2), 1.0)
    rng = np.random.default_rng(5)
    task = SamplerFitter(sigma, 3, usual_starts(2), rng, iterations=60, rounds=2)
    untuned = task.fit(ansatz, rng.normal(scale=0.6, size=(ansatz.num_angles, 3)), within(30))
    noisy = NoisySamplerFitter(sigma, 3, usual_starts(2), rng, iterations=60, rounds=2, p1=P1, p2=P2)
    tuned = noisy.fit(ansatz, untuned.program.angles[:, None], within(30))
    before, _ = sampling(ansatz, usual_starts(2), 3).worst(untuned.program.angles[:, None], rng, unlimited())
    assert tuned.distance < 0.9 * before
    assert tuned.distance > untuned.distance
    matrix = np.linalg.matrix_power(noisy_map(compiled(ansatz, tuned.program.angles, 3)).after(None), 3)
    worst = 0.0
    for _ in range(2000):
        psi = rng.standard_normal(4) + 1j * rng.standard_normal(4)
        rho = np.outer(psi, psi.conj()) / np.linalg.norm(psi) ** 2
        end = (matrix @ rho.reshape(-1, order="F")).reshape(4, 4, order="F")
        worst = max(worst, trace_distance(end, sigma))
    assert worst == pytest.approx(tuned.distance, abs=3e-3)  # 2000 random starts come that close to the worst


@pytest.mark.slow
def test_noisy_prepare__knows_the_noise__and_fewer_gates_win() -> None:
    sigma, start = gc.gibbs_state(model(4), 1.0), np.eye(16)[0].astype(complex)
    bonds, rng = interacting_pairs(model(4).hamiltonian), np.random.default_rng(0)
    quiet, loud = PreparationFitter(sigma, start), NoisyPreparationFitter(sigma, start, p1=P1, p2=P2)
    clean, untuned, tuned = dict[int, float](), dict[int, float](), dict[int, float]()
    for word in ("ab", "bab", "baba", "bbabab"):
        ansatz = shape(word, 4, bonds, real=True)
        fit = quiet.fit(ansatz, rng.normal(scale=0.6, size=(ansatz.num_angles, 60)), within(60))
        rho = noisy_preparation(ansatz, sigma, start, P1, P2).states(fit.program.angles[:, None])[0, 0]
        again = loud.fit(ansatz, fit.program.angles[:, None], within(60))
        gates = ansatz.gates
        clean[gates], untuned[gates], tuned[gates] = fit.distance, trace_distance(rho, sigma), again.distance
        assert tuned[gates] < 0.8 * untuned[gates]
        exact = trace_distance(noisy_states(compiled(ansatz, again.program.angles, 1))[-1], sigma)
        assert again.distance == pytest.approx(exact, abs=3e-3)  # synthesis adds or merges a few pulses
    assert clean[20] < 1.2 * clean[14]  # without errors more gates do no harm
    assert tuned[20] > 1.3 * tuned[14]  # with them fewer win
