"""Fixed point and contraction from applications alone: those of the dense channel; honest where they stop short."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Pauli, SparsePauliOp, SuperOp, random_quantum_channel

from gibbs_circuits.errors import ArgumentError, NotConvergedError, TooLargeError
from gibbs_circuits.linalg.fixed_point import contraction, fixed_point, relaxation
from gibbs_circuits.linalg.maps import Kraus, Mixture, Rebuilt
from gibbs_circuits.linalg.paulis import pauli_times
from gibbs_circuits.programs.product_formulas import Group
from gibbs_circuits.programs.program import Program
from gibbs_circuits.programs.steps import Branch, Correct, Couple, Evolve, RandomChoice, Reset, Unitary
from gibbs_circuits.readings.channel import sweep_channel as channel
from gibbs_circuits.readings.channel.evolver import Evolver
from gibbs_circuits.readings.channel.sweep_channel import sweep_channel, sweep_map
from gibbs_circuits.readings.circuits.circuit import random_draws
from tests.examples import (
    build,
    by_hand,
    channel_of,
    evolved,
    gibbs,
    ising,
    lowered,
    programs,
    random_state,
    unrolled,
)

EQUAL = 1e-10


@dataclass(frozen=True)
class Plain:
    """A channel with `apply` and `dim` and nothing else, as a noisy simulation offers."""

    matrix: np.ndarray
    seen: list[np.ndarray]

    @property
    def dim(self) -> int:
        return round(len(self.matrix) ** 0.5)

    def apply(self, rho: np.ndarray) -> np.ndarray:
        self.seen.append(rho)
        return (self.matrix @ rho.reshape(-1, order="F")).reshape(rho.shape, order="F")


def plain(matrix: np.ndarray) -> Plain:
    return Plain(np.asarray(matrix, dtype=complex), [])


def eigen(matrix: np.ndarray) -> tuple[np.ndarray, float]:
    """Fixed point and second largest modulus by scipy."""
    values, vectors = scipy.linalg.eig(matrix)
    d = round(len(matrix) ** 0.5)
    order = np.argsort(-abs(values))
    rho = vectors[:, order[0]].reshape(d, d, order="F")
    return rho / np.trace(rho), float(abs(values[order[1]]))


def product(matrices: list[np.ndarray]) -> np.ndarray:
    """The channel ⊗ of single-qubit channels, as superoperators on column-stacked matrices."""
    total = SuperOp(matrices[0])
    for matrix in matrices[1:]:
        total = total.tensor(SuperOp(matrix))
    return np.asarray(total.data)


# the map of a sweep


@settings(deadline=None, derandomize=True, max_examples=25)
@given(programs(), st.integers(0, 5))
def test_sweep_map__apply__equals_qiskit(program: Program, seed: int) -> None:
    n = program.num_system
    once = replace(program, stages=(replace(program.stages[0], repeats=1),))
    rho, draws = random_state(n, seed), random_draws(once, seed)
    expected = evolved(lowered(unrolled(once, draws)), rho)
    assert np.abs(sweep_map(once, draws=draws).apply(rho) - expected).max() < EQUAL


def dense_program(seed: int) -> Program:
    """Blocks on dirty and on clean ancillas, in an order that is not that of their numbers, and a partial reset."""
    rng = np.random.default_rng(seed)

    def unitary(qubits: int) -> np.ndarray:
        size = (2**qubits, 2**qubits)
        return np.linalg.qr(rng.standard_normal(size) + 1j * rng.standard_normal(size))[0]

    steps = [
        Unitary(unitary(4), (2, 0), "a", clean=True),
        Couple((("XY", 0.7),), 1, 0.4, 0.3),
        Unitary(unitary(5), (1, 2, 3), "b"),
        Reset((2,)),
        Correct((Group((("XX", 0.4), ("YY", 0.3), ("ZZ", -0.2))), Group((("ZI", 0.1), ("XI", 0.6)))), 0.7, 2, 2),
        Unitary(unitary(3), (2,), "c"),
        Unitary(unitary(2), (), "d"),
        Couple((("ZI", 1.0),), 0, -0.8, 1.0),
        Reset((3, 1, 0, 2)),
    ]
    return by_hand(steps, 4, [("ZZ", -1.0), ("XI", 0.4)])


@pytest.mark.parametrize("seed", [1, 2])
def test_sweep_map__dense_blocks_and_partial_resets__equal_qiskit(seed: int) -> None:
    program = dense_program(seed)
    rho = random_state(2, seed)
    expected = evolved(lowered(unrolled(program, ())), rho)
    assert np.abs(sweep_map(program).apply(rho) - expected).max() < EQUAL


def branches(program: Program) -> Program:
    steps = program.stages[0].steps[:-1]
    parts = [(0.2, ()), (0.5, steps), (0.3, (Evolve(0.3), *steps))]
    choice = RandomChoice(tuple(Branch(p, tuple(inner)) for p, inner in parts))
    return replace(program, stages=(replace(program.stages[0], steps=(choice,), repeats=1),))


@pytest.mark.parametrize(("stacked", "kept"), [(10**6, 10**6), (0, 10**6), (0, 0)])
def test_sweep_map__choice__gathered_kept_or_rebuilt_alike(
    stacked: int, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = branches(build(ising(2), random_delays=(1, 1)))
    choice = program.stages[0].steps[0]
    assert isinstance(choice, RandomChoice)
    expected = sum(
        branch.probability * channel_of(lowered(unrolled(program, [k])), 2) for k, branch in enumerate(choice.branches)
    )
    monkeypatch.setattr(channel, "MAX_STACKED", stacked)
    monkeypatch.setattr(channel, "MAX_KEPT", kept)
    found = sweep_map(program)
    kind = Kraus if stacked else Mixture
    assert isinstance(found.maps[0], kind)
    if not kept:
        assert isinstance(found.maps[0], Mixture)
        assert isinstance(found.maps[0].maps[-1], Rebuilt)
    assert np.abs(found.after(None) - expected).max() < EQUAL
    rho = random_state(2, 1)
    out = np.asarray(expected @ rho.reshape(-1, order="F")).reshape(4, 4, order="F")
    assert np.abs(found.apply(rho) - out).max() < EQUAL


def test_sweep_map__stack_beyond_the_limit__is_refused_with_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "MAX_STACK_GIB", 16 * 4 * 16 / 2**30)
    sweep_map(build(ising(2), ancillas=1))
    with pytest.raises(TooLargeError, match=r"8 Kraus operators of size 4 × 4.*limit is .*Fix:"):
        sweep_map(dense_program(1))


@pytest.mark.parametrize("label", ["I", "Y", "XZ", "YIY", "ZYXI", "IZZ"])
def test_pauli_times__equals_qiskit(label: str) -> None:
    rng = np.random.default_rng(2)
    M = rng.standard_normal((2 ** len(label), 3, 2)) + 0j
    expected = np.einsum("ij,jkl->ikl", Pauli(label).to_matrix(), M)
    assert np.abs(pauli_times(label, M) - expected).max() < EQUAL


def trotter(groups: tuple[Group, ...], t: float, slices: int) -> np.ndarray:
    """Strang's formula, group by group, with expm."""
    h = [SparsePauliOp.from_list(list(group.terms)).to_matrix() * t / slices for group in groups]
    half = [scipy.linalg.expm(-0.5j * x) for x in h]
    once = np.eye(len(h[0]))
    for e in (*half, *reversed(half)):
        once = e @ once
    return np.asarray(np.linalg.matrix_power(once, slices))


GROUPS = (
    Group((("XII", 0.3), ("IZI", -0.7), ("IYI", 0.2), ("IIX", 0.4), ("IIZ", 0.1), ("III", 0.6))),
    Group((("ZZI", 1.1), ("IZZ", -0.4), ("ZIZ", 0.2))),
    Group((("XXI", 0.5), ("YYI", 0.3), ("ZZI", -0.2))),
    Group((("XYZ", 0.8),)),
    Group((("XXI", 0.5), ("IZZ", 0.3))),  # does not commute: still the exponential of the sum
)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_evolver__strang__equals_expm(count: int) -> None:
    groups = GROUPS[:count]
    found = Evolver(groups, 3).unitary(Evolve(0.9, 3, 2))
    assert np.abs(found - trotter(groups, 0.9, 3)).max() < EQUAL
    assert np.abs(found - trotter(groups, 0.9, 2)).max() > (1e-4 if count > 1 else -1)


# fixed point and contraction


@pytest.mark.parametrize("knobs", [{}, {"strength": 0.1}, {"random_delays": False, "ancillas": 2}])
@pytest.mark.parametrize("sites", [1, 2, 3, 4])
def test_relaxation__sweeps__equals_the_dense_channel(sites: int, knobs: dict[str, Any]) -> None:
    program = build(ising(sites), **knobs)
    matrix, action = sweep_channel(program), sweep_map(program)
    found = relaxation(action, contraction_error=1e-11)
    assert found.converged
    rho, second = eigen(matrix)
    assert np.abs(found.state - rho).max() < 1e-9
    assert np.linalg.norm(found.state - rho) < 5 * found.state_error + 1e-12
    assert found.contraction == pytest.approx(second, abs=1e-9)
    assert found.residual == pytest.approx(np.linalg.norm(action.apply(found.state) - found.state), abs=1e-14)
    assert np.abs(found.state - found.state.conj().T).max() < 1e-14
    assert np.trace(found.state) == pytest.approx(1, abs=1e-13)


def test_relaxation__five_qubits__equals_the_dense_channel() -> None:
    program = build(ising(5), nodes=2)
    matrix = sweep_channel(program)
    found = relaxation(sweep_map(program), contraction_error=1e-11)
    assert found.converged
    assert np.abs(found.state - fixed_point(matrix)).max() < 1e-9
    assert found.contraction == pytest.approx(contraction(matrix), abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_relaxation__random_channels_of_qiskit__equals_scipy(seed: int) -> None:
    matrix = np.asarray(SuperOp(random_quantum_channel(8, 8, rank=2, seed=seed)).data)
    rho, second = eigen(matrix)
    found = relaxation(plain(matrix), contraction_error=1e-11)
    assert found.converged
    assert np.abs(found.state - rho).max() < 1e-9
    assert found.contraction == pytest.approx(second, abs=1e-9)
    assert np.abs(fixed_point(plain(matrix)) - rho).max() < 1e-9
    assert contraction(plain(matrix)) == pytest.approx(second, abs=1e-6)


@pytest.mark.parametrize("epsilon", [1e-2, 1e-4, 1e-6])
def test_relaxation__slow_channel__closed_form(epsilon: float) -> None:
    # amplitude damping towards populations (1 − p, p): the slowest mode decays by √(1 − γ)
    def damping(gamma: float, p: float) -> np.ndarray:
        down = [np.diag([1, np.sqrt(1 - gamma)]), np.array([[0, np.sqrt(gamma)], [0, 0]])]
        up = [np.diag([np.sqrt(1 - gamma), 1]), np.array([[0, 0], [np.sqrt(gamma), 0]])]
        kraus = [np.sqrt(1 - p) * K for K in down] + [np.sqrt(p) * K for K in up]
        return np.asarray(sum(np.kron(K.conj(), K) for K in kraus))

    rates, up = [epsilon, 0.3, 0.6], [0.1, 0.3, 0.4]
    found = relaxation(plain(product([damping(g, p) for g, p in zip(rates, up, strict=True)])))
    exact = np.eye(1)
    for p in up:
        exact = np.kron(exact, np.diag([1 - p, p]))
    assert found.converged
    assert np.abs(found.state - exact).max() < 1e-9
    assert 1 - found.contraction == pytest.approx(1 - np.sqrt(1 - epsilon), rel=1e-6)


def test_relaxation__a_rotating_mode__is_found_by_its_modulus() -> None:
    turn = np.diag(np.exp(-1j * np.array([0.0, 2.0])))
    matrix = 0.9 * np.kron(turn.conj(), turn) + 0.1 * np.outer(np.eye(2).reshape(-1), np.eye(2).reshape(-1)) / 2
    found = relaxation(plain(matrix))
    assert found.contraction == pytest.approx(0.9, abs=1e-9)


def test_relaxation__several_fixed_points__is_the_one_reached_from_the_mixed_state() -> None:
    program = by_hand([Couple((("IX", 1.0),), 0, 0.5, 0.0), Unitary(np.eye(8)[[0, 1, 2, 3, 5, 4, 6, 7]], (0,), "u"),
                       Reset((0,))], 1)  # fmt: skip
    for action, dense in ((sweep_map(program), sweep_channel(program)), (plain(np.eye(16)), np.eye(16))):
        many = np.linalg.matrix_power(dense, 2**20) @ (np.eye(4) / 4).reshape(-1)
        found = relaxation(action)
        assert found.contraction == pytest.approx(1, abs=1e-9)
        assert np.abs(found.state - many.reshape(4, 4, order="F")).max() < 1e-8
    diagonal = plain(np.diag(np.eye(4).reshape(-1)))  # measures, so that every diagonal state is fixed
    biased = plain(diagonal.matrix @ sweep_channel(build(ising(2))))
    assert relaxation(diagonal).converged
    assert np.abs(relaxation(biased).state - eigen(biased.matrix)[0]).max() < 1e-9


def test_relaxation__complete_forgetting__has_contraction_zero() -> None:
    sigma = gibbs(ising(2).model.hamiltonian, 0.7)
    matrix = np.outer(sigma.reshape(-1, order="F"), np.eye(4).reshape(-1))
    found = relaxation(plain(matrix))
    assert found.converged
    assert found.contraction < 1e-9
    assert np.abs(found.state - sigma).max() < EQUAL


@pytest.mark.parametrize("paired", [True, False])
def test_relaxation__matrices_it_applies__hermitian_unless_paired(paired: bool) -> None:
    given_ = plain(sweep_channel(build(ising(3))))
    found = relaxation(given_, paired=paired)
    assert found.converged
    assert found.applications == len(given_.seen)
    hermitian = [bool(np.abs(X - X.conj().T).max() < 1e-12) for X in given_.seen]
    assert all(hermitian) is not paired
    assert np.abs(found.state - eigen(given_.matrix)[0]).max() < 1e-9


def test_relaxation__few_applications__says_so_and_gives_the_estimate() -> None:
    action = plain(sweep_channel(build(ising(4), strength=0.05)))
    rho, second = eigen(action.matrix)
    found = relaxation(action, max_applications=25)
    assert not found.converged
    assert len(action.seen) == found.applications <= 25
    assert found.contraction_error > 1e-6
    assert abs(found.contraction - second) < found.contraction_error
    assert np.linalg.norm(found.state - rho) < 3 * found.state_error
    assert found.residual < 1e-2
    assert "Not converged after 25" in found.text


def test_contraction__not_converged__raises_with_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    short: Callable[..., object] = lambda action, **settings: relaxation(action, max_applications=8, **settings)  # noqa: E731
    monkeypatch.setattr("gibbs_circuits.linalg.fixed_point.relaxation", short)
    action = sweep_map(build(ising(4), strength=0.05))
    with pytest.raises(NotConvergedError, match=r"8 applications.*contraction 0\.\d+"):
        contraction(action)
    with pytest.raises(NotConvergedError, match=r"error of the fixed point about"):
        fixed_point(action)


def test_relaxation__control__another_channel_has_another_fixed_point() -> None:
    program = build(ising(3), "sequential", random_delays=False)
    steps = program.stages[0].steps
    resets = tuple(step for step in steps if isinstance(step, Reset))
    late = (*(step for step in steps if not isinstance(step, Reset)), *resets)
    wrong = replace(program, stages=(replace(program.stages[0], steps=late),))
    assert np.abs(relaxation(sweep_map(program)).state - relaxation(sweep_map(wrong)).state).max() > 1e-3


def test_relaxation__a_map_that_loses_trace__is_refused() -> None:
    with pytest.raises(ArgumentError, match="keep the trace"):
        relaxation(plain(0.9 * np.eye(4)))


@pytest.mark.slow
def test_relaxation__eight_and_four_qubits__is_where_many_sweeps_lead() -> None:
    program = build(ising(8), ancillas=4, nodes=4, random_delays=(2, 8))
    assert (program.num_system, program.num_ancilla) == (8, 4)
    action = sweep_map(program)
    assert [len(one.operators) for one in action.maps if isinstance(one, Kraus)] == [16, 16]
    found = relaxation(action)
    assert found.converged
    assert found.applications <= 60
    rho = np.zeros((256, 256), dtype=complex)
    rho[0, 0] = 1
    gaps = []
    for _ in range(40):
        rho = action.apply(rho)
        gaps.append(np.linalg.norm(rho - found.state))
    assert gaps[-1] < found.contraction**40 * 2
    assert (gaps[-1] / gaps[-11]) ** 0.1 == pytest.approx(found.contraction, abs=1e-3)
