"""The exact channel: a channel, the mean over delays, the right one even where ancillas stay dirty."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from qiskit.quantum_info import SuperOp

from gibbs_circuits.errors import TooLargeError
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.kernels.base import RankOne
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.linalg.fixed_point import contraction, fixed_point
from gibbs_circuits.programs.program import Program
from gibbs_circuits.programs.steps import Couple, Draw, Evolve, RandomChoice, RandomDelay, Reset
from gibbs_circuits.readings.channel.sweep_channel import states_after_sweeps, sweep_channel
from tests.examples import (
    EXAMPLES,
    build,
    by_hand,
    channel_of,
    distance,
    evolved,
    example,
    generators,
    gibbs,
    ising,
    lowered,
    programs,
    random_state,
    unrolled,
)

EQUAL = 1e-10
HAMILTONIAN = [("IX", -0.9), ("ZZ", -1.0), ("XI", 0.4), ("ZI", 0.3)]
# ancilla 0 stays entangled across a delay and a reset of ancilla 1
PARTIAL = [
    Couple((("IY", 1.0),), 0, 0.6, 0.3),
    Couple((("XZ", 0.8),), 1, 0.5, -1.1),
    Evolve(0.4),
    Reset((1,)),
    RandomDelay(Evolve(0.35), 1, 3),
    Couple((("YI", 1.0), ("ZI", 0.5)), 1, 0.7, 0.2),
    Couple((("IY", 1.0),), 0, 0.4, 0.9),
    Reset((0,)),
    RandomDelay(Evolve(0.2, order=1), 0, 2),
    Couple((("IX", 1.0),), 0, 0.3, 0.1),
    Reset((1, 0)),
    Evolve(0.1),
]


def assert_channel(channel: np.ndarray) -> None:
    d = round(channel.shape[0] ** 0.5)
    one = np.eye(d).reshape(-1, order="F")
    assert np.abs(one @ channel - one).max() < EQUAL  # trace preserving
    choi = channel.reshape(d, d, d, d).transpose(0, 2, 1, 3).reshape(d * d, d * d)
    assert np.abs(choi - choi.conj().T).max() < EQUAL
    assert np.linalg.eigvalsh(choi).min() > -EQUAL  # completely positive


@settings(deadline=None, derandomize=True, max_examples=40)
@given(programs())
def test_channel__is_trace_preserving_and_completely_positive__generated(program: Program) -> None:
    assert_channel(sweep_channel(program))


@pytest.mark.parametrize("scheme", ["parallel", "sequential"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_channel__is_trace_preserving_and_completely_positive__examples(name: str, scheme: str) -> None:
    assert_channel(sweep_channel(example(name, scheme)))


def test_channel__control__a_transposition_is_not_one() -> None:
    swap = np.eye(4)[[0, 2, 1, 3]]
    with pytest.raises(AssertionError):
        assert_channel(swap)
    assert not SuperOp(swap).is_cp()


def likely(step: RandomDelay | RandomChoice) -> list[tuple[int, float]]:
    """What a random step may draw, and how likely."""
    if isinstance(step, RandomChoice):
        return [(k, branch.probability) for k, branch in enumerate(step.branches)]
    return [(k, 1 / (step.high - step.low + 1)) for k in range(step.low, step.high + 1)]


@settings(deadline=None, derandomize=True, max_examples=30, suppress_health_check=[HealthCheck.filter_too_much])
@given(programs())
def test_channel__mean__of_all_fixed_draws(program: Program) -> None:
    options = [likely(step) for step in program.stages[0].steps if isinstance(step, Draw)]
    assume(math.prod(map(len, options)) <= 100)
    mean = np.zeros((4**program.num_system,) * 2, dtype=complex)
    for drawn in itertools.product(*options):
        mean += math.prod(p for _, p in drawn) * sweep_channel(program, draws=[value for value, _ in drawn])
    assert np.abs(sweep_channel(program) - mean).max() < EQUAL


def test_channel__mean__differs_from_the_channel_of_the_mean_delay() -> None:
    program = build(ising(2), random_delays=(0, 8))
    assert np.abs(sweep_channel(program) - sweep_channel(program, draws=[4])).max() > 0.01


@pytest.mark.parametrize("delays", [(1, 0), (2, 1), (3, 2)])
def test_channel__dirty_ancillas__equal_qiskit_at_fixed_delays(delays: tuple[int, int]) -> None:
    program = by_hand(PARTIAL, 2, HAMILTONIAN)
    expected = channel_of(lowered(unrolled(program, delays)), 2)
    assert np.abs(sweep_channel(program, draws=delays) - expected).max() < EQUAL


def test_channel__dirty_ancillas__mean_over_delays() -> None:
    program = by_hand(PARTIAL, 2, HAMILTONIAN)
    every = [sweep_channel(program, draws=pair) for pair in itertools.product((1, 2, 3), (0, 1, 2))]
    channel = sweep_channel(program)
    assert np.abs(channel - np.mean(every, axis=0)).max() < EQUAL
    assert_channel(channel)


def test_channel__no_coupling__is_the_evolution() -> None:
    program = by_hand([Evolve(0.4), RandomDelay(Evolve(0.1), 2, 2), Reset((0,))], 1, HAMILTONIAN)
    expected = channel_of(lowered(unrolled(program, (2,))), 2)
    assert np.abs(sweep_channel(program) - expected).max() < EQUAL


def test_channel__reset_of_clean_ancillas__does_nothing() -> None:
    program = by_hand([Reset((0, 1)), *PARTIAL, Reset((0,)), Reset((1,))], 2, HAMILTONIAN)
    assert np.abs(sweep_channel(program) - sweep_channel(by_hand(PARTIAL, 2, HAMILTONIAN))).max() < EQUAL


@settings(deadline=None, derandomize=True, max_examples=30)
@given(programs())
def test_fixed_point__is_fixed__where_it_is_unique(program: Program) -> None:
    channel = sweep_channel(program)
    moduli = np.sort(np.abs(np.linalg.eigvals(channel)))
    assert contraction(channel) == pytest.approx(moduli[-2], abs=1e-8)
    if moduli[-2] > 1 - 1e-6:
        return
    rho = fixed_point(channel)
    assert np.abs(channel @ rho.reshape(-1, order="F") - rho.reshape(-1, order="F")).max() < 1e-8
    assert np.trace(rho) == pytest.approx(1)
    assert np.linalg.eigvalsh(rho).min() > -1e-8


def test_fixed_point__several__is_the_one_reached_from_the_mixed_state() -> None:
    program = by_hand([Couple((("IX", 1.0),), 0, 0.5, 0.0), Reset((0,))], 1)  # qubit 1 never changes
    channel = sweep_channel(program)
    assert np.abs(fixed_point(channel) - np.eye(4) / 4).max() < 1e-7
    assert contraction(channel) == pytest.approx(1)
    identity = sweep_channel(by_hand([Reset((0,))], 1))
    assert np.abs(fixed_point(identity) - np.eye(4) / 4).max() < 1e-7


@pytest.mark.parametrize("scheme", ["parallel", "sequential"])
def test_fixed_point__examples__is_where_many_sweeps_lead(scheme: str) -> None:
    channel = sweep_channel(example("mixed_field_ising", scheme))
    many = np.linalg.matrix_power(channel, 400) @ random_state(4, 1).reshape(-1, order="F")
    assert np.abs(many.reshape(16, 16, order="F") - fixed_point(channel)).max() < EQUAL


def test_contraction__five_qubits__equals_dense_eigenvalues() -> None:
    # Arnoldi above 4 qubits; a block-diagonal stand-in keeps the dense reference cheap
    rng = np.random.default_rng(1)
    small = sweep_channel(build(ising(2)))
    spectator = np.diag(np.exp(-rng.uniform(0.5, 2, size=32)))
    channel = np.kron(spectator, small) + 0j
    dense = np.sort(np.abs(np.outer(np.diag(spectator), np.linalg.eigvals(small)).ravel()))
    assert contraction(channel) == pytest.approx(dense[-2], abs=1e-8)


def test_contraction__is_the_rate_at_which_the_past_fades() -> None:
    channel = sweep_channel(build(ising(2)))
    rho, sigma = random_state(2, 1).reshape(-1, order="F"), fixed_point(channel).reshape(-1, order="F")
    gaps = [np.linalg.norm(np.linalg.matrix_power(channel, k) @ rho - sigma) for k in (30, 40)]
    assert (gaps[1] / gaps[0]) ** 0.1 == pytest.approx(contraction(channel), abs=0.02)


def test_states_after_sweeps__stages__in_order() -> None:
    first, second = build(ising(2)), build(ising(2), strength=0.2)
    program = replace(first, stages=(*first.stages, *second.stages))
    rho = random_state(2, 2)
    states = states_after_sweeps(program, rho)
    assert len(states) == program.sweeps + 1 == 5
    expected = rho.reshape(-1, order="F")
    for channel in (sweep_channel(first),) * 2 + (sweep_channel(second),) * 2:
        expected = channel @ expected
    assert np.abs(states[-1] - expected.reshape(4, 4, order="F")).max() < EQUAL
    assert np.abs(states[0] - rho).max() == 0


@settings(deadline=None, derandomize=True, max_examples=15)
@given(generators(max_sites=2))
def test_channel__infinite_temperature__leaves_the_mixed_state(generator: Lindbladian) -> None:
    contacts = tuple(replace(c, kernel=RankOne(GaussianFilter(0.0))) for c in generator.contacts)
    hot = replace(generator, contacts=contacts)  # Hermitian jumps: the channel is unital whatever the model
    one = np.eye(2**hot.model.num_qubits).reshape(-1)
    for scheme in ("parallel", "sequential"):
        assert np.abs(sweep_channel(build(hot, scheme)) @ one - one).max() < EQUAL


@pytest.mark.parametrize("beta", [0.3, 1.0, 2.0])
def test_channel__one_qubit__reaches_the_closed_form(beta: float) -> None:
    # H = −h X through Y: the populations are those of two levels at distance 2 h; the bias is linear in the strength
    generator = ising(1, beta, h=0.9, g=0.0)
    program = build(generator, strength=0.05, spacing=beta / 8, nodes=49, random_delays=(1, 40))
    rho = fixed_point(sweep_channel(program))
    x = np.array([[0, 1], [1, 0]])
    assert np.trace(rho @ x).real == pytest.approx(np.tanh(beta * 0.9), abs=0.05 * 0.05)
    assert distance(rho, gibbs(generator.model.hamiltonian, beta)) < 5e-3


def test_channel__five_qubits__smoke() -> None:
    program = build(ising(5), sweeps=1, ancillas=2, nodes=2)
    channel = sweep_channel(program, draws=[2])
    rho = random_state(5, 1)
    actual = (channel @ rho.reshape(-1, order="F")).reshape(32, 32, order="F")
    assert np.abs(actual - evolved(lowered(unrolled(program, [2])), rho)).max() < EQUAL
    mean = sweep_channel(program) @ rho.reshape(-1, order="F")
    assert np.trace(mean.reshape(32, 32)) == pytest.approx(1)


def test_channel__limit__six_qubits_are_refused() -> None:
    with pytest.raises(TooLargeError, match="Fix:") as error:
        sweep_channel(build(ising(6), nodes=2))
    assert "\n" not in str(error.value)
