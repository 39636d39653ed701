"""Gate noise: Aer and the exact noisy channel against qiskit.quantum_info by hand; orders and controls."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import DensityMatrix, Kraus, Operator, SuperOp, partial_trace

from gibbs_circuits.analysis.error_budget.of_run import compiled_ledger
from gibbs_circuits.backends.devices.keys import Noise
from gibbs_circuits.backends.runs.request import Request
from gibbs_circuits.backends.runs.run import collect
from gibbs_circuits.backends.runs.store import Memory
from gibbs_circuits.backends.simulators.method import Choice
from gibbs_circuits.backends.simulators.noisy_channel import (
    NoisySweep,
    noisy_map,
    noisy_prediction,
    noisy_states,
    try_noisy_prediction,
)
from gibbs_circuits.backends.targets.aer import AerTarget, HeavyHex
from gibbs_circuits.backends.targets.base import Target
from gibbs_circuits.backends.targets.registry import load_target
from gibbs_circuits.backends.transpile.compiled import Compiled
from gibbs_circuits.backends.transpile.transpile import compile_for
from gibbs_circuits.errors import TooLargeError
from gibbs_circuits.evidence import Status
from gibbs_circuits.experiments.choices import make_initial
from gibbs_circuits.programs.initial_state import mixed, one, zero
from gibbs_circuits.programs.program import Program, Rung
from gibbs_circuits.programs.steps import Branch, Couple, Evolve, RandomChoice, RandomDelay, Reset
from gibbs_circuits.readings.channel.sweep_channel import states_after_sweeps, sweep_channel
from gibbs_circuits.readings.circuits.circuit import assemble
from tests.examples import build, by_hand, distance, gibbs, ising, random_state, slope

EXACT = 1e-10
PAULIS = [np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])]
NOISE = Noise(p1=0.01, p2=0.03, reset=0.02)
DENSE, SAMPLED = Choice("density_matrix", "CPU", ""), Choice("statevector", "CPU", "")
SMALL_LATTICE = AerTarget(name="small", kind="aer", method="density_matrix", coupling=HeavyHex(heavy_hex=3))


def target(noise: Noise, **changes: Any) -> Target:
    return load_target("aer_noisy").model_copy(update={"noise": noise, **changes})


@lru_cache
def compiled(noise: Noise, sites: int = 2, scheme: str = "parallel", delays: Any = (1, 2)) -> Compiled:
    program = build(ising(sites), scheme, sweeps=2, random_delays=delays)
    return compile_for(program, target(noise), one(sites), 1)


# by hand


def depolarising(p: float, width: int) -> Kraus:
    """(1 − p) ρ + p Tr[ρ] 1/d: a random Pauli string with probability p, the identity among them."""
    strings = [np.eye(1)]
    for _ in range(width):
        strings = [np.kron(a, b) for a in strings for b in PAULIS]
    operators = [np.sqrt(p / len(strings)) * s for s in strings]
    return Kraus([np.sqrt(1 - p) * np.eye(2**width), *operators])


def noisily(qc: QuantumCircuit, rho: DensityMatrix, noise: Noise) -> DensityMatrix:
    """Instruction by instruction."""
    for item in qc.data:
        wires = [qc.find_bit(q).index for q in item.qubits]
        if item.operation.name == "reset":
            leaves = [np.sqrt(1 - noise.reset) * np.eye(2)[:, [0]] @ np.eye(2)[[k]] for k in (0, 1)]
            leaves += [np.sqrt(noise.reset) * np.eye(2)[:, [1]] @ np.eye(2)[[k]] for k in (0, 1)]
            rho = rho.evolve(Kraus(leaves), wires)
            continue
        rho = rho.evolve(Operator(item.operation), wires)
        if item.operation.name != "rz":
            rho = rho.evolve(depolarising(noise.p1 if len(wires) == 1 else noise.p2, len(wires)), wires)
    return rho


def embedded(sweep: NoisySweep, rho: np.ndarray) -> np.ndarray:
    """The system's density matrix with carried ancillas as a reset leaves them."""
    for wire in sweep.carried:
        z = sweep.fresh[wire]
        rho = np.asarray(np.kron(np.diag([(1 + z) / 2, (1 - z) / 2]), rho), dtype=complex)
    return rho


def by_hand_states(small: Compiled, draws: tuple[int, ...], noise: Noise) -> list[np.ndarray]:
    n, width = small.program.num_system, small.start.num_qubits
    lengths = [len(small.start.data)]
    whole = assemble(small.program, small.parts, small.start, draws, lambda qc, _: lengths.append(len(qc.data)))
    rho, begin, states = DensityMatrix.from_label("0" * width), 0, []
    for end in lengths:
        part = QuantumCircuit(width)
        for item in whole.data[begin:end]:
            part.append(item.operation, [whole.find_bit(q).index for q in item.qubits])
        rho, begin = noisily(part, rho, noise), end
        states.append(np.asarray(partial_trace(rho, range(n, width)).data))
    return states


@pytest.mark.parametrize("lattice", [False, True], ids=["all_to_all", "lattice"])
@pytest.mark.parametrize("scheme", ["parallel", "sequential"])
def test_aer__states__are_those_by_hand(scheme: str, lattice: bool) -> None:
    program = build(ising(2), scheme, sweeps=2)
    on = SMALL_LATTICE.model_copy(update={"noise": NOISE}) if lattice else target(NOISE)
    whole = compile_for(program, on, mixed(), 1)
    request = Request(whole, on.open(), mixed(), {"energy": program.generator.model.hamiltonian}, (), 0, 1, 1, DENSE)
    (block,) = collect(request, Memory())
    assert block.states is not None
    expected = by_hand_states(whole.compact(), block.draws, on.noise)
    assert np.abs(block.states - np.stack(expected)).max() < EXACT
    ideal = states_after_sweeps(program, np.eye(4) / 4)
    assert np.abs(block.states - np.stack(ideal)).max() > 1e-3  # the control: there is noise


def test_aer__samples__are_of_the_noisy_state() -> None:
    program = build(ising(2), sweeps=2, random_delays=False)
    on = target(Noise(p1=0.05, p2=0.2, reset=0.1), method="statevector")
    whole = compile_for(program, on, zero(2), 1)
    shots = 4_000
    energy = {"energy": program.generator.model.hamiltonian}
    request = Request(whole, on.open(), zero(2), energy, ("XY",), shots, 2, 1, SAMPLED)
    blocks = collect(request, Memory())
    counts = {bits: sum(block.counts[0].get(bits, 0) for block in blocks) for bits in ("00", "01", "10", "11")}
    rho = by_hand_states(whole.compact(), (), on.noise)[-1]
    clean = states_after_sweeps(program, np.diag([1.0, 0, 0, 0]))[-1]
    worst = 0.0
    for bits, seen in counts.items():
        signs = [1 - 2 * int(b) for b in bits]
        projector = np.kron(PAULIS[0] + signs[0] * PAULIS[1], PAULIS[0] + signs[1] * PAULIS[2]) / 4
        p, ideal = (np.trace(projector @ state).real for state in (rho, clean))
        error = np.sqrt(shots * p * (1 - p))
        assert abs(seen - shots * p) < 4 * error  # false alarms 6e-5 each, and the seed is fixed
        worst = max(worst, abs(seen - shots * ideal) / error)
    assert worst > 4


@pytest.mark.parametrize("scheme", ["parallel", "sequential"])
@pytest.mark.parametrize("sites", [1, 2])
def test_noisy_map__matrix__is_the_channel_by_hand(sites: int, scheme: str) -> None:
    whole = compiled(NOISE, sites, scheme)
    small, d = whole.compact(), 2**sites
    (before, delay) = small.parts[0]
    width = small.start.num_qubits
    fresh = DensityMatrix(np.diag([1 - NOISE.reset, NOISE.reset]))
    for _ in range(width - sites - 1):
        fresh = fresh.tensor(DensityMatrix(np.diag([1 - NOISE.reset, NOISE.reset])))
    found = noisy_map(whole)
    assert (found.dim, found.carried) == (d, ())
    matrix = found.after(None)
    for k in range(3):
        rho = random_state(sites, k)
        once = noisily(before.options[0], fresh.tensor(DensityMatrix(rho)), NOISE)
        one_delay = noisily(delay.options[0], once, NOISE)
        two_delays = noisily(delay.options[0], one_delay, NOISE)
        mean = (
            partial_trace(one_delay, range(sites, width)).data + partial_trace(two_delays, range(sites, width)).data
        ) / 2
        assert np.abs(found.apply(rho) - mean).max() < EXACT
        assert np.abs((matrix @ rho.reshape(-1, order="F")).reshape(d, d, order="F") - mean).max() < EXACT
    assert SuperOp(matrix).is_cptp(atol=1e-8)
    twice = found.after(matrix)
    assert np.abs(twice - matrix @ matrix).max() < EXACT


@pytest.mark.parametrize("on", [target(Noise()), SMALL_LATTICE], ids=["all_to_all", "lattice"])
@pytest.mark.parametrize("scheme", ["parallel", "sequential"])
def test_noisy_map__no_noise__is_the_exact_channel(scheme: str, on: Target) -> None:
    program = build(ising(3), scheme)
    sweep = noisy_map(compile_for(program, on, zero(3), 1))
    rho = random_state(3, 2)
    expected = (sweep_channel(program) @ rho.reshape(-1, order="F")).reshape(8, 8, order="F")
    assert np.abs(sweep.system(sweep.apply(embedded(sweep, rho))) - expected).max() < EXACT


def test_noisy_map__matrix_that_is_not_hermitian__goes_through_linearly() -> None:
    sweep = noisy_map(compiled(NOISE))
    a, b = random_state(2, 1), random_state(2, 2)
    assert np.abs(sweep.apply(a + 1j * b) - sweep.apply(a) - 1j * sweep.apply(b)).max() < EXACT


def test_noisy_map__random_choice__is_the_mean_over_branches() -> None:
    def program(*choices: tuple[float, float]) -> Program:
        steps = [
            Branch(p, (Couple((("YI", 1.0),), 0, angle, 0.3), Evolve(0.2, 1, 2), Reset((0,)))) for p, angle in choices
        ]
        return by_hand([RandomChoice(tuple(steps)), RandomDelay(Evolve(0.1), 1, 1)], 1, (("ZZ", -1.0), ("XI", 0.4)))

    def channel(*choices: tuple[float, float]) -> np.ndarray:
        return noisy_map(compile_for(program(*choices), target(NOISE), zero(2), 1)).after(None)

    mean = 0.25 * channel((1.0, 0.4)) + 0.75 * channel((1.0, 0.9))
    assert np.abs(channel((0.25, 0.4), (0.75, 0.9)) - mean).max() < EXACT
    assert np.abs(channel((1.0, 0.4)) - mean).max() > 1e-3


def test_noisy_states__mean_over_delays__is_that_of_every_draw_by_hand() -> None:
    whole = compiled(NOISE)  # four pairs of delays, equally likely
    pairs = [(j, k) for j in (1, 2) for k in (1, 2)]
    expected = np.mean([by_hand_states(whole.compact(), pair, NOISE) for pair in pairs], axis=0)
    assert np.abs(noisy_states(whole) - expected).max() < EXACT
    clean = noisy_states(compiled(Noise()), random_state(2, 4))
    assert np.abs(clean - np.stack(states_after_sweeps(whole.program, random_state(2, 4)))).max() < EXACT


@pytest.mark.parametrize(("sites", "carried"), [(3, False), (4, True)])
def test_noisy_map__lattice__for_ever_repeated_is_what_many_sweeps_of_the_register_lead_to(
    sites: int, carried: bool
) -> None:
    # where routing passes through an ancilla after its reset, noise correlates it with the system
    on = SMALL_LATTICE.model_copy(update={"noise": NOISE})
    program = build(ising(sites), sweeps=40, random_delays=(1, 1))
    whole = compile_for(program, on, zero(sites), 1)
    sweep = noisy_map(whole)
    assert bool(sweep.carried) is carried
    rho = embedded(sweep, np.eye(2**sites) / 2**sites)
    for _ in range(40):
        rho = sweep.apply(rho)
    assert np.abs(sweep.system(rho) - noisy_states(whole)[-1]).max() < 1e-8
    assert sweep.dim == 2 ** (sites + len(sweep.carried))


@pytest.mark.parametrize("rate", ["p1", "p2", "reset"])
def test_noise__shift__is_linear_in_the_rate(rate: str) -> None:
    rates = [1e-5, 2e-5, 4e-5]
    clean = noisy_prediction(compiled(Noise())).fixed_point
    shifts = [distance(noisy_prediction(compiled(Noise(**{rate: p}))).fixed_point, clean) for p in rates]
    assert slope(rates, shifts) == pytest.approx(1, abs=0.05)
    assert shifts[0] > 1e-6


def test_noisy_prediction__numbers__are_of_the_fixed_point() -> None:
    whole = compiled(NOISE)
    found = noisy_prediction(whole)
    matrix = noisy_map(whole).after(None)
    values, vectors = np.linalg.eig(matrix)
    order = np.argsort(-np.abs(values))
    fixed = vectors[:, order[0]].reshape(4, 4, order="F")
    fixed = fixed / np.trace(fixed)
    assert np.abs(found.fixed_point - fixed).max() < 1e-8
    assert found.contraction == pytest.approx(abs(values[order[1]]), abs=1e-5)
    H = whole.program.generator.model.hamiltonian
    sigma = gibbs(H, 1.0)
    assert found.fixed_point_distance == pytest.approx(distance(fixed, sigma), abs=1e-8)
    assert found.fixed_point_energy == pytest.approx(np.trace(fixed @ H.to_matrix()).real, abs=1e-8)
    assert found.distances == pytest.approx([distance(rho, sigma) for rho in found.states])
    assert len(found.energies) == whole.program.sweeps + 1
    assert found.fixed_point_distance > noisy_prediction(compiled(Noise())).fixed_point_distance


def test_noisy_map__too_many_qubits__are_refused() -> None:
    whole = compile_for(build(ising(6)), target(NOISE), zero(6), 1)
    with pytest.raises(TooLargeError, match=r"12 qubits.*Fix:"):
        noisy_map(whole)


def test_target__packaged__is_noisy() -> None:
    packaged = load_target("aer_noisy")
    assert (packaged.noise.p1, packaged.noise.p2, packaged.noise.reset) == (1e-4, 1e-3, 0.0)
    assert not load_target("aer_density_matrix").noise.present
    start = make_initial("zero", 2, Path())
    quiet = compile_for(build(ising(2)), load_target("aer_density_matrix"), start, 1)
    assert quiet.expected_fidelity == 1
    assert 0 < compiled(packaged.noise).expected_fidelity < 1


def test_compiled_ledger__noise__is_a_line_before_a_run() -> None:
    start = one(2).density(2)
    both = (compiled(Noise()), compiled(NOISE))
    quiet, loud = (compiled_ledger(whole, start, try_noisy_prediction(whole)) for whole in both)
    (none,), (some,) = ([line for line in found if line.rung is Rung.NOISE] for found in (quiet, loud))
    assert (none.value, none.status) == (0.0, Status.PROVED)
    whole = compiled(NOISE)
    assert some.status is Status.MEASURED
    assert some.value == pytest.approx(distance(noisy_states(whole)[-1], noisy_states(compiled(Noise()))[-1]), abs=1e-9)
    sigma = gibbs(whole.program.lindbladian.model.hamiltonian, 1.0)
    assert loud.measured == pytest.approx(distance(noisy_states(whole)[-1], sigma), abs=1e-9)
