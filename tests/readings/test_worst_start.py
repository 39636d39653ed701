"""The worst start: a closed form, a climb that never falls, adjoints, and what no list of starts would find."""

from dataclasses import replace

import numpy as np
import pytest

from gibbs_circuits.errors import TooLargeError
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.kinds.dll import dll
from gibbs_circuits.linalg.maps import Chain, Dephasing, Kraus, Map, Matrix, Mixture, Rebuilt, mean_of_powers
from gibbs_circuits.models.model import from_terms
from gibbs_circuits.models.spectrum import gibbs_state
from gibbs_circuits.programs.initial_state import mixed, one, zero
from gibbs_circuits.programs.product_formulas import Group
from gibbs_circuits.programs.program import Program, Stage
from gibbs_circuits.programs.steps import Couple, Evolve, RandomDelay, Reset
from gibbs_circuits.readings.channel.sweep_channel import states_after_sweeps, sweep_map
from gibbs_circuits.readings.channel.worst_start import climb, worst_start
from tests.examples import build, distance, ising, random_state

DAMPED, REPEATS = 0.2, 3


def damping(field: float) -> Program:
    """Amplitude damping by γ = sin² 2θ, three times, of a qubit with H = −field · Z."""
    model = from_terms([("Z", -field)])
    generator = dll(model, 1.0, couplings_of("X", 1), GaussianFilter(1.0))
    angle = np.arcsin(np.sqrt(DAMPED)) / 2
    steps = (Couple((("X", 1.0),), 0, angle, 0.0), Couple((("Y", 1.0),), 0, angle, np.pi / 2), Reset((0,)))
    return Program(1, 1, (Group((("Z", -field),)),), (Stage(steps, REPEATS),), generator, "by hand")


def damped_most(field: float) -> tuple[float, float]:
    """(distance, z of the start): ½|(√η x, √η y, 1 − η + ηz) − (0, 0, s)| is largest at z = 1 − s/(1 − η)."""
    eta, s = (1 - DAMPED) ** REPEATS, np.tanh(field)
    z = np.clip(1 - s / (1 - eta), -1, 1)
    return 0.5 * np.sqrt(eta * (1 - z**2) + (1 - eta + eta * z - s) ** 2), z


@pytest.mark.parametrize("field", [-0.6, 0.1, 0.35, 0.5, 2.0])
def test_worst_start__finds_the_closed_form__amplitude_damping(field: float) -> None:
    found, (expected, z) = worst_start(damping(field)), damped_most(field)
    assert found.distance == pytest.approx(expected, abs=1e-6)
    assert abs(found.state[0]) ** 2 - abs(found.state[1]) ** 2 == pytest.approx(z, abs=1e-2)
    assert np.linalg.norm(found.state) == pytest.approx(1, abs=1e-12)


def test_worst_start__is_a_superposition__where_zero_one_and_mixed_are_all_better() -> None:
    program = damping(0.35)
    listed = max(end_distance(program, start.density(1)) for start in (zero(1), one(1), mixed()))
    assert worst_start(program).distance > listed + 0.02


def end_distance(program: Program, rho: np.ndarray) -> float:
    sigma = gibbs_state(program.generator.model, program.generator.beta)
    return distance(states_after_sweeps(program, rho)[-1], sigma)


def staged() -> Program:
    """Two stages of different strength, with random delays."""
    strong, weak = (build(ising(3), strength=strength, sweeps=2) for strength in (1.2, 0.3))
    return replace(strong, stages=(*strong.stages, *weak.stages))


def test_worst_start__is_of_all_stages__and_no_better_than_any_start_tried() -> None:
    program = staged()
    found = worst_start(program)
    assert end_distance(program, np.outer(found.state, found.state.conj())) == pytest.approx(found.distance, abs=1e-10)
    rng = np.random.default_rng(5)
    for _ in range(200):
        psi = rng.standard_normal(8) + 1j * rng.standard_normal(8)
        psi /= np.linalg.norm(psi)
        assert end_distance(program, np.outer(psi, psi.conj())) <= found.distance + 1e-9
    for start in (zero(3), one(3), mixed()):
        assert end_distance(program, start.density(3)) <= found.distance + 1e-9


def test_worst_start__is_the_same__through_maps_as_through_matrices() -> None:
    program = staged()
    maps = [sweep_map(program, stage) for stage in range(2)]
    dense, through = worst_start(program), worst_start(program, maps)
    assert through.distance == pytest.approx(dense.distance, abs=1e-5)
    assert dense.starts == 8 + 4 + 8 + 50 + 50  # random states and products, where a channel is a matrix
    assert through.starts == 8 + 4 + 8 + 16


def test_worst_start__refuses__nine_qubits() -> None:
    with pytest.raises(TooLargeError, match="9 system qubits"):
        worst_start(build(ising(9), nodes=1, random_delays=(0, 0)))


def kraus(d: int, seed: int) -> Kraus:
    """A random channel, by d² Kraus operators from an isometry."""
    rng = np.random.default_rng(seed)
    tall = rng.standard_normal((d**3, d)) + 1j * rng.standard_normal((d**3, d))
    return Kraus(np.linalg.qr(tall)[0].reshape(d**2, d, d))


def channels(d: int, seed: int) -> list[Map]:
    rng = np.random.default_rng(seed)
    first, second = (kraus(d, seed + k) for k in range(2))
    U = np.linalg.qr(rng.standard_normal((d, d)) + 1j * rng.standard_normal((d, d)))[0]
    delay = mean_of_powers(U, 1, 3)
    return [
        first, delay, Mixture(np.array([0.3, 0.7]), (first, delay)), Chain(d, (first, delay, second)),
        Rebuilt(d, lambda: second), Matrix(second.after(None)),
    ]  # fmt: skip


@pytest.mark.parametrize("d", [2, 4])
def test_adjoint_apply__is_the_adjoint__every_map(d: int) -> None:
    rng = np.random.default_rng(d)
    for channel in channels(d, seed=10 * d):
        rho = random_state(d.bit_length() - 1, seed=3) + 0.2j * rng.standard_normal((d, d))
        X = rng.standard_normal((d, d)) + 1j * rng.standard_normal((d, d))
        before = channel.adjoint_apply(X)
        assert np.trace(X.conj().T @ channel.apply(rho)) == pytest.approx(np.trace(before.conj().T @ rho), abs=1e-12)
        assert np.trace(X.conj().T @ channel.apply(rho)) != pytest.approx(np.trace(X.conj().T @ rho), abs=1e-2)
        np.testing.assert_allclose(channel.adjoint_apply(np.eye(d)), np.eye(d), atol=1e-12)


class Forward(Matrix):
    """Negative control: a channel whose adjoint is not taken."""

    def adjoint_apply(self, operator: np.ndarray) -> np.ndarray:
        return self.apply(operator)


def climbed(wrong: bool) -> tuple[np.ndarray, float]:
    program = staged()
    chain = Chain(8, tuple(m for k, s in enumerate(program.stages) for _ in range(s.repeats)
                           for m in sweep_map(program, k).maps))  # fmt: skip
    whole: Map = Chain(8, (Forward(chain.after(None)),)) if wrong else chain
    rng = np.random.default_rng(1)
    states = rng.standard_normal((6, 8)) + 1j * rng.standard_normal((6, 8))
    states /= np.linalg.norm(states, axis=1, keepdims=True)
    ends, path = climb(whole, gibbs_state(program.generator.model, 1.0), states)
    assert ends.shape == (6, 8)
    return np.diff(np.array(path), axis=0), float(np.max(path[-1]))


def test_climb__never_falls__random_starts() -> None:
    steps, reached = climbed(wrong=False)
    assert np.min(steps) >= -1e-12
    assert reached == pytest.approx(worst_start(staged()).distance, abs=1e-5)


def test_climb__falls__with_the_channel_in_place_of_its_adjoint() -> None:
    steps, reached = climbed(wrong=True)
    assert np.min(steps) < -1e-4 or reached < worst_start(staged()).distance - 1e-3


def test_worst_start__sees_what_one_sweep_fewer_leaves() -> None:
    program = staged()
    shorter = replace(program, stages=(program.stages[0], replace(program.stages[1], repeats=1)))
    assert worst_start(shorter).distance > worst_start(program).distance + 1e-3


def test_worst_start__is_seen_before_a_delay_alone__nothing_is_forgotten() -> None:
    program = build(ising(2), sweeps=1)
    delay = RandomDelay(Evolve(0.3, 1, 2), 0, 0)
    idle = replace(program, stages=(Stage((delay, Reset((0,))), 1),))
    lowest = np.linalg.eigvalsh(gibbs_state(idle.generator.model, 1.0))[0]
    assert worst_start(idle).distance == pytest.approx(1 - lowest, abs=1e-9)  # the least likely eigenstate stays


def test_dephasing__has_another_adjoint__unless_its_means_are_real() -> None:
    delay = mean_of_powers(np.diag(np.exp(1j * np.array([0.0, 0.7]))), 1, 3)
    assert isinstance(delay, Dephasing)
    X = np.ones((2, 2), dtype=complex)
    assert not np.allclose(delay.adjoint_apply(X), delay.apply(X))
