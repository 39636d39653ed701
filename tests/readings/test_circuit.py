"""Circuit = channel, for every program at every draw of the delays."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from qiskit.quantum_info import DensityMatrix

from gibbs_circuits.errors import InvalidProgramError
from gibbs_circuits.experiments.choices import make_initial
from gibbs_circuits.programs.program import Program
from gibbs_circuits.programs.steps import EXACT, Couple, Evolve, Reset
from gibbs_circuits.readings.channel.sweep_channel import sweep_channel
from gibbs_circuits.readings.circuits.circuit import circuit, random_draws
from gibbs_circuits.readings.circuits.draw import draw
from tests.examples import (
    EXAMPLES,
    build,
    by_hand,
    channel_of,
    draws_per_sweep,
    evolved,
    exact_states,
    example,
    ising,
    lowered,
    programs,
    random_state,
    some_draws,
    unrolled,
)

EQUAL = 1e-10


@pytest.mark.parametrize("scheme", ["parallel", "sequential"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_circuit__equals_channel__examples(name: str, scheme: str) -> None:
    program = example(name, scheme)
    one_sweep = build(program.generator, scheme, **{**program.knobs, "sweeps": 1})
    delays = some_draws(one_sweep)
    qc = lowered(unrolled(one_sweep, delays))
    for seed in (1, 2):
        rho = random_state(program.num_system, seed)
        assert np.abs(evolved(qc, rho) - exact_states(one_sweep, rho, delays)[-1]).max() < EQUAL


@settings(deadline=None, derandomize=True, max_examples=50)
@given(programs())
def test_circuit__equals_channel__generated(program: Program) -> None:
    delays = some_draws(program)
    qc = lowered(unrolled(program, delays))
    for seed in (1, 2):
        rho = random_state(program.num_system, seed)
        assert np.abs(evolved(qc, rho) - exact_states(program, rho, delays)[-1]).max() < EQUAL


@settings(deadline=None, derandomize=True, max_examples=20)
@given(programs(max_sites=2))
def test_circuit__equals_channel__whole_superoperator(program: Program) -> None:
    delays = some_draws(program)
    expected = np.eye(4**program.num_system)
    for stage, drawn in draws_per_sweep(program, delays):
        expected = sweep_channel(program, stage, drawn) @ expected
    actual = channel_of(lowered(unrolled(program, delays)), program.num_system)
    assert np.abs(actual - expected).max() < EQUAL


def test_circuit__convention__coupling_is_the_stated_exponential() -> None:
    theta, phi = 0.37, 0.9
    program = by_hand([Couple((("XY", 0.7),), 0, theta, phi), Reset((0,))], 1)
    A = 0.7 * np.kron([[0, 1], [1, 0]], [[0, -1j], [1j, 0]])
    axis = np.array([[0, np.exp(-1j * phi)], [np.exp(1j * phi), 0]])
    U = scipy.linalg.expm(-1j * theta * np.kron(axis, A))  # the ancilla is the highest qubit
    expected = sum(np.kron(K.conj(), K) for K in (U[:4, :4], U[4:, :4]))
    assert np.abs(channel_of(lowered(unrolled(program, ())), 2) - expected).max() < EQUAL


def test_circuit__non_commuting_coupling__is_a_palindrome_with_cubic_error() -> None:
    errors, angles = [], (0.4, 0.2, 0.1, 0.05)
    A = np.kron(np.eye(2), [[0, 1], [1, 0]]) + 0.5 * np.kron([[0, 1], [1, 0]], np.diag([1, -1]))
    for theta in angles:
        program = by_hand([Couple((("IX", 1.0), ("XZ", 0.5)), 0, theta, 0.0), Reset((0,))], 1)
        U = scipy.linalg.expm(-1j * theta * np.kron([[0, 1], [1, 0]], A))
        exact = sum(np.kron(K.conj(), K) for K in (U[:4, :4], U[4:, :4]))
        errors.append(np.linalg.norm(sweep_channel(program) - exact, 2))
    # X ⊗ A is O(θ) in amplitude, so the state changes at O(θ²) and a cubic amplitude error enters at O(θ⁴)
    assert np.polyfit(np.log(angles), np.log(errors), 1)[0] >= 3 - 0.15


def test_circuit__two_stages__equal_their_channels() -> None:
    first, second = build(ising(2)), build(ising(2), strength=0.3, nodes=2, random_delays=(0, 2))
    program = replace(first, stages=(*first.stages, *second.stages))
    delays = some_draws(program)
    rho = random_state(2, 1)
    assert len(delays) == program.sweeps == 4
    assert (
        np.abs(evolved(lowered(unrolled(program, delays)), rho) - exact_states(program, rho, delays)[-1]).max() < EQUAL
    )


@pytest.mark.parametrize("initial", ["zero", "one", "mixed", "01"])
def test_circuit__initial__prepares_its_density_and_clean_ancillas(initial: str, tmp_path) -> None:
    start = make_initial(initial, 2, tmp_path)
    for ancillas in (1, 2, 3):
        out = DensityMatrix(np.diag([1.0] + [0.0] * (2 ** (2 + ancillas) - 1))).evolve(start.circuit(2, ancillas))
        clean = np.zeros((2**ancillas,) * 2)
        clean[0, 0] = 1
        assert np.abs(out.data - np.kron(clean, start.density(2))).max() < EQUAL


def test_circuit__whole_program__starts_from_its_preparation() -> None:
    program = build(ising(2))
    start = make_initial("01", 2, None)  # type: ignore[arg-type]
    qc = lowered(circuit(program, initial=start, seed=5, realisation=2))
    clean = np.zeros((4, 4))
    clean[0, 0] = 1
    expected = exact_states(program, start.density(2), random_draws(program, 5, 2))[-1]
    assert np.abs(evolved(qc, clean) - expected).max() < EQUAL
    assert start.density(2)[1, 1] == pytest.approx(1)  # "01": qubit 0 is the rightmost character


def test_circuit__metadata__names_program_seed_and_delays() -> None:
    program = build(ising(2))
    qc = circuit(program, seed=4, realisation=1)
    assert qc.metadata == {
        "program": program.hash, "seed": 4, "realisation": 1, "draws": list(random_draws(program, 4, 1)),
    }  # fmt: skip
    assert program.hash[:12] in qc.name


def test_random_draws__reproducible__uniform_and_in_range() -> None:
    program = build(ising(2), sweeps=4000, random_delays=(2, 8))
    delays = random_draws(program, 1, 0)
    assert delays == random_draws(program, 1, 0)
    assert delays != random_draws(program, 1, 1)
    assert delays != random_draws(program, 2, 0)
    counts = np.bincount(delays, minlength=9)[2:]
    assert len(delays) == 4000
    assert counts.sum() == 4000
    z = (counts - 4000 / 7) / np.sqrt(4000 * (1 / 7) * (6 / 7))
    assert np.abs(z).max() < 4  # false alarm below 5e-4 over seven cells, seed fixed


def test_circuit__exact_evolution__is_refused() -> None:
    program = by_hand([Evolve(0.3, order=EXACT)], 1)
    sweep_channel(program)
    with pytest.raises(InvalidProgramError):
        circuit(program)


@pytest.mark.parametrize("name", EXAMPLES)
def test_draw__shows_one_box_per_step(name: str) -> None:
    text = str(draw(example(name)))
    assert "θ=" in text
    assert "|0>" in text
