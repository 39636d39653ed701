"""Aer: exact states at the drawn delays, trajectories that scatter around them, seeds, resuming, size refusals."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from qiskit import QuantumCircuit, qasm3
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator

from gibbs_circuits.backends.devices.errors import Errors
from gibbs_circuits.backends.measurement.measurement import measured, outcome_probabilities, rotations, sample_counts
from gibbs_circuits.backends.measurement.shots import Block
from gibbs_circuits.backends.runs.prepare import request_run
from gibbs_circuits.backends.runs.request import Request
from gibbs_circuits.backends.runs.run import collect
from gibbs_circuits.backends.runs.store import Memory
from gibbs_circuits.backends.services.queue import JobRecord
from gibbs_circuits.backends.simulators.method import Choice
from gibbs_circuits.backends.targets.base import Target
from gibbs_circuits.backends.targets.registry import load_target
from gibbs_circuits.backends.transpile.transpile import compile_for
from gibbs_circuits.errors import ArgumentError, TooLargeError
from gibbs_circuits.experiments.choices import make_initial
from gibbs_circuits.programs.program import Program
from gibbs_circuits.readings.channel.sweep_channel import states_after_sweeps
from gibbs_circuits.readings.circuits.circuit import random_draws
from tests.examples import EXAMPLES, build, exact_states, example, ising, random_state

EQUAL = 1e-9
EXACT, TRAJECTORIES = "aer_density_matrix", "aer_statevector"
LIMIT = 4.0  # standard deviations: 6e-5 false alarms per number, and every seed is fixed
PAULIS = {"X": np.array([[0, 1], [1, 0]]), "Y": np.array([[0, -1j], [1j, 0]]), "Z": np.diag([1, -1])}


def request(
    program: Program, target: str | Target = EXACT, initial: str = "zero", shots: int = 0,
    bases: Sequence[str] = (), realisations: int = 2, seed: int = 1, folder: Path = Path(),
) -> Request:  # fmt: skip
    start = make_initial(initial, program.num_system, folder)
    on = target if isinstance(target, Target) else load_target(target)
    compiled = compile_for(program, on, start, 1)
    energy = {"energy": program.generator.model.hamiltonian}
    choice = Choice(on.method, "CPU", "set by the target")
    return Request(compiled, on.open(), start, energy, tuple(bases), shots, realisations, seed, choice)


def assert_exact(asked: Request, blocks: Sequence[Block]) -> None:
    program = asked.compiled.program
    start = asked.initial.density(program.num_system)
    for block in blocks:
        assert block.draws == random_draws(program, asked.seed, block.realisation)
        expected = exact_states(program, start, block.draws)
        assert block.states is not None
        assert len(block.states) == len(expected) == program.sweeps + 1
        assert np.abs(block.states - np.stack(expected)).max() < EQUAL


@pytest.mark.parametrize("name", EXAMPLES)
def test_density_matrix__states__are_exact_after_every_sweep(name: str) -> None:
    asked = request(example(name), initial="zero", realisations=1)
    assert_exact(asked, collect(asked, Memory()))


@pytest.mark.parametrize("scheme", ["parallel", "sequential"])
@pytest.mark.parametrize("initial", ["zero", "one", "mixed", "01"])
def test_density_matrix__initial__states_are_exact(initial: str, scheme: str) -> None:
    asked = request(build(ising(2), scheme, sweeps=3), initial=initial)
    assert_exact(asked, collect(asked, Memory()))


def test_density_matrix__lattice__states_are_exact() -> None:
    asked = request(build(ising(3)), "fake_heavy_hex", "one", realisations=1)
    assert_exact(asked, collect(asked, Memory()))


def test_density_matrix__qasm_start__states_are_exact(tmp_path: Path) -> None:
    qc = QuantumCircuit(2)
    qc.ry(0.7, 0)
    qc.cx(0, 1)
    qc.s(1)
    (tmp_path / "start.qasm").write_text(qasm3.dumps(qc))
    asked = request(build(ising(2)), initial="start.qasm", folder=tmp_path)
    psi = np.array([np.cos(0.35), 0, 0, 1j * np.sin(0.35)])
    assert np.abs(asked.initial.density(2) - np.outer(psi, psi.conj())).max() < EQUAL
    assert_exact(asked, collect(asked, Memory()))


def test_density_matrix__many_realisations__tend_to_the_averaged_channel() -> None:
    program = build(ising(2), random_delays=(0, 1))  # four equally likely pairs of delays
    asked = request(program, realisations=40)
    blocks = collect(asked, Memory())
    by_pair = {block.draws: block.states for block in blocks}
    assert set(by_pair) == set(product((0, 1), repeat=2))
    mean = np.mean(list(by_pair.values()), axis=0)
    assert np.abs(mean - states_after_sweeps(program, asked.initial.density(2))).max() < EQUAL


def test_density_matrix__no_delays__every_realisation_is_the_same() -> None:
    asked = request(build(ising(2), random_delays=(0, 0)), realisations=3)
    blocks = collect(asked, Memory())
    assert all(block.states is blocks[0].states for block in blocks)


def pooled_energy(blocks: Sequence[Block]) -> tuple[float, float]:
    """Energy of the two-site chain from XX and ZZ counts, and its standard error, shots pooled over blocks."""
    value = variance = 0.0
    for basis, index in (("XX", 0), ("ZZ", 1)):
        seen: dict[str, int] = {}
        for block in blocks:
            for bits, count in block.counts[index].items():
                seen[bits] = seen.get(bits, 0) + count
        z = {bits: [1 - 2 * int(b) for b in bits] for bits in seen}
        per_shot = {
            bits: -0.9 * (a + b) if basis == "XX" else -a * b - 0.5 * (a + b) for bits, (a, b) in z.items()
        }  # fmt: skip
        values = np.repeat(list(per_shot.values()), list(seen.values()))
        value += values.mean()
        variance += values.var(ddof=1) / values.size
    return value, variance**0.5


@pytest.mark.parametrize("target", [TRAJECTORIES, EXACT])
@pytest.mark.parametrize("scheme", ["parallel", "sequential"])
def test_counts__energy__agrees_with_the_fixed_delay_channel(scheme: str, target: str) -> None:
    program = build(ising(2), scheme)
    asked = request(program, target, "one", shots=4000, bases=("XX", "ZZ"), realisations=4, seed=3)
    blocks = collect(asked, Memory())
    assert [sum(block.counts[0].values()) for block in blocks] == [1000] * 4
    H = program.generator.model.hamiltonian.to_matrix()
    start = asked.initial.density(2)
    exact = np.mean([np.trace(H @ exact_states(program, start, block.draws)[-1]).real for block in blocks])
    value, error = pooled_energy(blocks)
    assert abs(value - exact) < LIMIT * error
    assert error < 0.05
    far = np.trace(H @ start).real  # the control: not just any state would pass
    assert abs(value - far) > LIMIT * error


@pytest.mark.parametrize("target", [TRAJECTORIES, EXACT])
def test_counts__seed__equal_seeds_equal_counts(target: str) -> None:
    program = build(ising(2), nodes=2)

    def counts(seed: int) -> list[tuple[dict[str, int], ...]]:
        asked = request(program, target, shots=200, bases=("XX", "ZZ"), seed=seed)
        return [block.counts for block in collect(asked, Memory())]

    assert counts(1) == counts(1)
    assert counts(1) != counts(2)
    first, second = counts(1)
    assert first != second  # realisations are independent samples


@pytest.mark.parametrize("target", [TRAJECTORIES, EXACT])
def test_counts__realisations__are_independent_samples_without_delays(target: str) -> None:
    asked = request(build(ising(2), random_delays=False), target, shots=800, bases=("XX",))
    first, second = collect(asked, Memory())
    assert first.draws == second.draws == ()
    assert first.counts != second.counts


def test_measured__basis__reads_eigenvalue_plus_one_as_zero() -> None:
    body = QuantumCircuit(3)
    body.h([0, 1])
    body.s(1)  # qubit 0: X = +1, qubit 1: Y = +1, qubit 2: Z = −1
    body.x(2)
    turns = rotations(load_target(EXACT).open().device)
    qc = measured(body, "ZYX", range(3), turns)
    counts = AerSimulator(method="statevector", seed_simulator=1).run(qc, shots=50).result()
    assert counts.get_counts() == {"100": 50}


def test_counts__shots__are_spread_and_none_is_lost() -> None:
    asked = request(build(ising(2)), shots=10, bases=("ZZ",), realisations=4)
    assert [sum(block.counts[0].values()) for block in collect(asked, Memory())] == [3, 3, 2, 2]


@pytest.mark.parametrize("basis", ["".join(letters) for letters in product("XYZ", repeat=2)])
def test_outcomes__frequencies__are_the_born_probabilities(basis: str) -> None:
    rho, shots = random_state(2, 8), 20000
    turns = rotations(load_target(EXACT).open().device)
    counts = sample_counts(outcome_probabilities(rho, basis, Errors(), turns), shots, np.random.default_rng(5))
    assert sum(counts.values()) == shots
    for bits in ("00", "01", "10", "11"):
        projectors = [
            (np.eye(2) + (1 - 2 * int(b)) * PAULIS[letter]) / 2 for letter, b in zip(basis, bits, strict=True)
        ]
        p = np.trace(np.kron(*projectors) @ rho).real  # leftmost letter and bit: the highest qubit
        assert abs(counts.get(bits, 0) - shots * p) < LIMIT * np.sqrt(shots * p * (1 - p))


class Recorder:
    """A store with some blocks in it that notes what is saved."""

    def __init__(self, blocks: Sequence[Block] = ()) -> None:
        self.blocks = {block.realisation: block for block in blocks}
        self.saved: list[int] = []
        self.run_id = "a run"

    def jobs(self) -> dict[str, JobRecord]:
        return {}

    def save_job(self, record: JobRecord) -> None:
        raise AssertionError("a local simulation has no jobs")

    def load(self) -> dict[int, Block]:
        return dict(self.blocks)

    def save(self, block: Block) -> None:
        self.saved.append(block.realisation)


def test_collect__resumed__repeats_no_block_and_ends_equal() -> None:
    asked = request(build(ising(2)), shots=60, bases=("ZZ",), realisations=5)
    fresh = Recorder()
    whole = collect(asked, fresh)
    assert fresh.saved == [0, 1, 2, 3, 4]
    resumed = Recorder([whole[1], whole[3]])
    steps: list[tuple[int, int]] = []
    again = collect(asked, resumed, lambda done, of: steps.append((done, of)))
    assert resumed.saved == [0, 2, 4]
    assert steps == [(2, 5), (3, 5), (4, 5), (5, 5)]
    assert [block.counts for block in again] == [block.counts for block in whole]
    assert again[1] is whole[1]
    complete = Recorder(whole)
    assert collect(asked, complete) == whole
    assert complete.saved == []


def test_collect__interrupted__keeps_what_was_done() -> None:
    class Stops(Recorder):
        def save(self, block: Block) -> None:
            super().save(block)
            if len(self.saved) == 2:
                raise KeyboardInterrupt

    store = Stops()
    with pytest.raises(KeyboardInterrupt):
        collect(request(build(ising(2)), realisations=4), store)
    assert store.saved == [0, 1]


def test_request__identity__fixes_what_may_be_resumed() -> None:
    program = build(ising(2))
    same = request(program, shots=5, bases=("ZZ",)).identity
    assert same == request(program, shots=5, bases=("ZZ",)).identity
    others = [
        request(program, shots=5, bases=("ZZ",), seed=2).identity,
        request(program, shots=6, bases=("ZZ",)).identity,
        request(program, shots=5, bases=("ZZ",), initial="one").identity,
        request(program, TRAJECTORIES, shots=5, bases=("ZZ",)).identity,
        request(build(ising(2), strength=0.5), shots=5, bases=("ZZ",)).identity,
    ]
    assert all(other != same for other in others)


@pytest.mark.parametrize(("sites", "target", "shots"), [(7, EXACT, 0), (14, TRAJECTORIES, 10)])
def test_size__too_many_qubits__are_refused_before_anything_runs(sites: int, target: str, shots: int) -> None:
    program = build(ising(sites))
    start = make_initial("zero", sites, Path())
    with pytest.raises(
        TooLargeError, match=rf"{2 * sites} qubits \({sites} system \+ {sites} ancilla\).*Fix:"
    ) as error:
        request_run(program, load_target(target), start, {}, shots, 2, 1)
    assert "\n" not in str(error.value)


def test_size__memory__is_what_limits_a_larger_target() -> None:
    tight = load_target(EXACT).model_copy(update={"max_qubits": 40})
    with pytest.raises(TooLargeError, match=r"64 GiB.*Fix:") as error:
        request_run(build(ising(8)), tight, make_initial("zero", 8, Path()), {}, 0, 1, 1)
    assert "\n" not in str(error.value)


def test_request_run__trajectories_without_shots__are_refused() -> None:
    with pytest.raises(ArgumentError, match=r"`shots`.*Fix:"):
        request_run(build(ising(2)), load_target(TRAJECTORIES), make_initial("zero", 2, Path()), {}, 0, 1, 1)


def test_request_run__fewer_shots_than_realisations__are_refused() -> None:
    with pytest.raises(ArgumentError, match=r"`shots`.*Fix:"):
        request_run(build(ising(2)), load_target(EXACT), make_initial("zero", 2, Path()), {}, 3, 4, 1)


def test_request_run__observables__are_covered_by_the_bases() -> None:
    extra = {"correlation": SparsePauliOp("YX")}
    asked = request_run(build(ising(2)), load_target(EXACT), make_initial("zero", 2, Path()), extra, 100, 2, 1)
    assert "YX" in asked.bases
    assert set(asked.observables) == {"energy", "correlation"}
    for label in ("ZZ", "XI", "IX", "IZ", "YX"):
        assert any(all(a in ("I", b) for a, b in zip(label, basis, strict=True)) for basis in asked.bases)
