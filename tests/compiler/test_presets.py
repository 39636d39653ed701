"""Published recipes: their numbers, their circuits, what they realise; and what to cite for a program."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
from qiskit import QuantumCircuit
from scipy.special import expit

from gibbs_circuits.compiler import presets
from gibbs_circuits.compiler.citation import citation
from gibbs_circuits.compiler.presets.ding_chen_lin import ding_chen_lin
from gibbs_circuits.compiler.presets.ding_zhan_preskill_lin import ding_zhan_preskill_lin
from gibbs_circuits.compiler.presets.farrell import farrell
from gibbs_circuits.compiler.presets.lloyd_abanin import lloyd_abanin
from gibbs_circuits.compiler.presets.registry import PRESETS
from gibbs_circuits.compiler.presets.thermal_bath import excited
from gibbs_circuits.compiler.presets.unitary_gate_loop import unitary_gate_loop
from gibbs_circuits.compiler.schemes.registry import SCHEMES
from gibbs_circuits.errors import ArgumentError, TooLargeError
from gibbs_circuits.generators.baths import ohmic
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.discrete import DiscreteChannel
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.filters.pulses import BoxPulse, ErfPulse, GaussianPulse
from gibbs_circuits.generators.kinds.ckg import ckg
from gibbs_circuits.generators.kinds.coarse_grained import coarse_grained
from gibbs_circuits.generators.kinds.davies import davies
from gibbs_circuits.generators.kinds.dll import dll
from gibbs_circuits.generators.kinds.scandi_alhambra import scandi_alhambra
from gibbs_circuits.generators.kinds.ule import ule
from gibbs_circuits.linalg.fixed_point import fixed_point
from gibbs_circuits.models.library.lattices import kagome_ising
from gibbs_circuits.models.library.spin_chains import mixed_field_ising, tfim
from gibbs_circuits.models.model import Model, from_terms
from gibbs_circuits.programs.program import Program
from gibbs_circuits.programs.steps import Branch, Couple, Evolve, RandomChoice, RandomDelay, Reset, Unitary
from gibbs_circuits.readings.channel.sweep_channel import sweep_channel
from gibbs_circuits.readings.circuits.circuit import random_draws
from gibbs_circuits.readings.circuits.cost import cost
from tests.examples import build, channel_of, distance, gibbs, ising, lowered, slope, small_preset, unrolled
from tests.systems import Oracle, dense, gaussian, label

TRIANGLE = kagome_ising(1, 1)


def branches(program: Program) -> tuple[Branch, ...]:
    step = program.stages[0].steps[0]
    assert isinstance(step, RandomChoice)
    return step.branches


def couples(branch: Branch) -> list[Couple]:
    return [step for step in branch.steps if isinstance(step, Couple)]


def rotations(program: Program) -> float:
    """Two-qubit rotations a sweep, 2 gates each."""
    return cost(program).two_qubit_gates_per_sweep[0] / 2


# all of them


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_preset__program__carries_its_recipe_and_every_default(name: str) -> None:
    preset, program = PRESETS[name], small_preset(name)
    assert preset.name == name == program.recipe
    assert program.provenance
    assert preset.source
    assert preset.summary
    assert {"strength", "sweeps"} <= set(program.knobs)
    assert all(parameter.default is not parameter.empty for parameter in preset.parameters.values())
    assert preset.function().recipe == name
    assert vars(presets)[name] is preset.function


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_preset__circuit__is_the_channel_at_fixed_draws(name: str) -> None:
    program = small_preset(name)
    for seed in range(3):
        draws, n = random_draws(program, seed), program.num_system
        each = len(draws) // program.stages[0].repeats
        expected = np.eye(4**n)
        for sweep in range(program.stages[0].repeats):
            expected = sweep_channel(program, 0, draws[sweep * each : (sweep + 1) * each]) @ expected
        found = channel_of(lowered(unrolled(program, draws)), n)
        assert np.abs(found - expected).max() < 1e-10


@pytest.mark.parametrize("name", sorted(set(PRESETS) - {"unitary_gate_loop"}))
def test_preset__cost__is_the_count(name: str) -> None:
    program = small_preset(name)
    counts = []
    for seed in range(4):  # all couplings are Pauli letters and delays are fixed: every draw has the same gates
        counts.append(lowered(unrolled(program, random_draws(program, seed))).count_ops().get("cx", 0))
    assert len(set(counts)) == 1
    assert cost(program).two_qubit_gates == pytest.approx(counts[0])


@pytest.mark.parametrize("name", ["ding_zhan_preskill_lin", "farrell", "lloyd_abanin"])
def test_preset__generator__is_what_the_draws_realise(name: str) -> None:
    program = small_preset(name)
    tau, delta = program.knobs["spacing"], program.knobs["strength"]
    nu = np.linspace(-3, 3, 7)
    first = couples(branches(program)[0])[0].terms
    total = np.zeros((7, 7), dtype=complex)
    for branch in branches(program):
        steps, t = [s for s in branch.steps if isinstance(s, Couple | Evolve)], 0.0
        if couples(branch)[0].terms != first:
            continue
        g = np.zeros(7, dtype=complex)
        for step in steps:
            if isinstance(step, Evolve):
                t += step.duration
            else:
                g += step.angle * np.exp(1j * step.axis + 1j * nu * t)
        total += branch.probability * np.outer(g, g.conj()) * np.exp(-1j * (nu[:, None] - nu) * t / 2)
    kernel = program.lindbladian.contacts[0].kernel
    if name == "farrell":  # the trapezoid rule of the box, not the box itself
        f = [BoxPulse(2.0, 0.75).time(np.array([k * tau - 0.375]))[0].real * tau for k in range(4)]
        grid = sum(f[k] * np.exp(1j * (k * tau - 0.375) * nu) for k in range(4))
        assert np.abs(grid - kernel.factors()[0][1].frequency(nu + kernel.factors()[0][1].centre)).max() < 0.15
        parts = [
            w * np.outer(v, np.conj(v))
            for w, p in kernel.factors()
            for v in [sum(f[k] * np.exp(1j * (k * tau - 0.375) * (nu - p.centre)) for k in range(4))]
        ]
        expected = sum(parts)
    else:
        expected = kernel(nu[:, None], nu[None, :])
    assert np.abs(total / delta - expected).max() < 0.02 * np.abs(expected).max()


# Farrell et al.


def test_farrell__defaults__are_the_published_ones() -> None:
    program = farrell(frequencies=8)
    assert program.num_system == 12
    assert program.num_ancilla == 1
    assert program.generator.beta == 100
    assert rotations(program) == pytest.approx(57)
    assert rotations(farrell(periodic=True, frequencies=2)) == pytest.approx(78)
    for branch in branches(program)[:20]:
        angles = [step.angle for step in couples(branch)]
        # exp(−i θ O ⊗ X): α f δt / 2 before and after each of three steps, Σ δt f² = 1
        assert angles == pytest.approx([1.75 / np.sqrt(0.75) * 0.25 / 2] * 6)
        assert sum(isinstance(step, Evolve) for step in branch.steps) == 3
    assert program.knobs["strength"] == pytest.approx(1.75**2 / 36)


@pytest.mark.parametrize("beta", [0.0, 0.5, 100.0])
def test_farrell__draws__are_uniform_in_site_letter_and_frequency(beta: float) -> None:
    program, bins = farrell(TRIANGLE, beta=beta, frequencies=5), 5
    per_site: dict[str, float] = {}
    ground: dict[float, float] = {}
    flipped = 0.0
    for branch in branches(program):
        steps = couples(branch)
        omega = (steps[2].axis - steps[0].axis) / 0.25  # steps[1] and steps[2] belong to one instant
        per_site[steps[0].terms[0][0]] = per_site.get(steps[0].terms[0][0], 0.0) + branch.probability
        ground[round(abs(omega), 6)] = ground.get(round(abs(omega), 6), 0.0) + branch.probability
        flipped += branch.probability * (omega < 0)
    assert sorted(per_site) == sorted(label(3, {q: p}) for q in range(3) for p in "XYZ")
    assert list(per_site.values()) == pytest.approx([1 / 9] * 9)
    assert sorted(ground) == pytest.approx([8 / bins * (k + 0.5) for k in range(bins)])
    assert list(ground.values()) == pytest.approx([1 / bins] * bins)
    mean = scipy.integrate.quad(lambda w: expit(-beta * w), 0, 8, points=[0.1], epsabs=1e-12)[0] / 8
    assert flipped == pytest.approx(mean, abs=1e-9)


@pytest.mark.parametrize("start", [0, 1])
def test_farrell__cycle__is_the_published_circuit(start: int) -> None:
    program = farrell(TRIANGLE, beta=1.0, frequencies=4)
    sign = 1 - 2 * start
    k = next(
        k
        for k, branch in enumerate(branches(program))
        if sign * (couples(branch)[2].axis - couples(branch)[0].axis) > 0 and couples(branch)[0].terms[0][0] == "IYI"
    )
    omega = sign * (couples(branches(program)[k])[2].axis - couples(branches(program)[k])[0].axis) / 0.25
    dt, amplitude = 0.25, 1.75 / np.sqrt(0.75) * 0.25
    qc = QuantumCircuit(4)
    if start:
        qc.x(3)
    for _ in range(3):
        qc.sdg(1)
        qc.h(1)
        qc.h(3)
        qc.rzz(amplitude, 1, 3)
        qc.h(3)
        qc.h(1)
        qc.s(1)
        qc.rz(-dt * omega / 2, 3)
        qc.rx(0.5 * dt, range(3))
        for a, b in ((0, 1), (0, 2), (1, 2)):
            qc.rzz(2 * dt, a, b)
        qc.rz(2 * 2.0 * dt, range(3))
        qc.rx(0.5 * dt, range(3))
        qc.rz(-dt * omega / 2, 3)
        qc.sdg(1)
        qc.h(1)
        qc.h(3)
        qc.rzz(amplitude, 1, 3)
        qc.h(3)
        qc.h(1)
        qc.s(1)
    assert np.abs(sweep_channel(program, draws=[k]) - channel_of(qc, 3)).max() < 1e-10


def test_farrell__more_bins__change_little() -> None:
    coarse, fine, finest = (fixed_point(sweep_channel(farrell(TRIANGLE, beta=2.0, frequencies=k))) for k in (8, 16, 64))
    assert distance(fine, finest) < distance(coarse, finest) / 3
    assert distance(fine, finest) < 1e-3


def test_farrell__duration__is_a_whole_number_of_steps() -> None:
    with pytest.raises(ArgumentError, match=r"`duration`.*set duration = 0.75"):
        farrell(TRIANGLE, duration=0.8)


@pytest.mark.parametrize(
    ("beta", "low", "high"), [(0.0, 1.0, 2.0), (1.0, 0.0, 0.5), (100.0, 0.0, 8.0), (3.0, 2.0, 9.0), (1e-10, 0.0, 1.0)]
)
def test_excited__bin__is_the_mean(beta: float, low: float, high: float) -> None:
    points = [low + (high - low) / 100]
    exact = scipy.integrate.quad(lambda w: expit(-beta * w), low, high, points=points)[0] / (high - low)
    assert excited(beta, low, high) == pytest.approx(exact, rel=1e-8)


# Ding, Zhan, Preskill & Lin


def test_ding_zhan__interaction__is_a_normalised_gaussian_with_plain_splittings() -> None:
    program = ding_zhan_preskill_lin(mixed_field_ising(2), alpha=0.3, omega_max=6.0, frequencies=3)
    tau, count = program.knobs["spacing"], program.knobs["nodes"]
    times = (np.arange(count) - (count - 1) / 2) * tau
    found = set()
    for branch in branches(program):
        steps = couples(branch)
        assert [s.angle for s in steps] == pytest.approx(
            0.3 * tau * (2 * np.pi * 4) ** -0.25 * np.exp(-(times**2) / 16), rel=1e-3, abs=1e-9
        )
        middle = (count - 1) // 2
        found.add(round((steps[middle + 1].axis - steps[middle].axis) / tau, 6))
    assert found == {1.0, 3.0, 5.0, -1.0, -3.0, -5.0}


def test_ding_zhan__fixed_point__saturates() -> None:
    settings: dict[str, Any] = {"envelope": 1.0, "couplings": "XZ", "frequencies": 8, "trotter_order": 4}
    errors = []
    for alpha in (0.2, 0.1):
        program = ding_zhan_preskill_lin(mixed_field_ising(2), alpha=alpha, **settings)
        sigma = gibbs(program.generator.model.hamiltonian, 1.0)
        errors.append(distance(fixed_point(sweep_channel(program)), sigma))
    assert errors[1] == pytest.approx(errors[0], rel=0.1)
    assert errors[1] > 0.01


@pytest.mark.parametrize(
    "pulse",
    [GaussianPulse(1.0, 0.8, 1.3), ErfPulse(3.0, 6.0, 1.0, 1.5, 1.0), GaussianFilter(1.0, 4.0)],
    ids=["gaussian", "erf", "lloyd_abanin"],
)
def test_pulse__time_and_frequency__are_transforms(pulse: Any) -> None:
    t = np.linspace(-30, 30, 60001)
    for nu in (-4.0, -1.0, 0.0, 0.7, 3.0):
        integral = np.trapezoid(pulse.time(t) * np.exp(1j * nu * t), t)
        assert integral == pytest.approx(complex(pulse.frequency(np.array(nu))), abs=1e-9)


def test_pulse__box__is_a_transform_with_half_ends() -> None:
    pulse = BoxPulse(1.0, 0.75, -2.0)
    t = np.linspace(-0.375, 0.375, 20001)
    for nu in (-4.0, 0.0, 3.0):
        integral = np.trapezoid(np.exp(2j * t) / np.sqrt(0.75) * np.exp(1j * nu * t), t)
        assert integral == pytest.approx(complex(pulse.frequency(np.array(nu))), abs=1e-8)
    assert np.abs(pulse.time(np.array([-0.375, 0.0, 0.375, 0.4]))) * np.sqrt(0.75) == pytest.approx([0.5, 1, 0.5, 0])


# Ding, Chen & Lin


def test_ding_chen_lin__defaults__are_the_published_ones() -> None:
    program = ding_chen_lin()
    energies = np.linalg.eigvalsh(dense(program.generator.model.terms))
    norm, gap = np.abs(energies).max(), energies[1] - energies[0]
    assert norm == pytest.approx(5.43151958)  # printed by the authors' notebook
    assert gap == pytest.approx(1.027982638597118)
    ((_, pulse),) = program.lindbladian.contacts[0].kernel.factors()
    assert (pulse.a, pulse.b, pulse.delta_a, pulse.delta_b) == pytest.approx((2.5 * norm, gap, 0.5 * norm, gap))
    assert program.knobs["spacing"] <= np.pi / (2 * pulse.a)
    assert program.knobs["spacing"] * (program.knobs["nodes"] - 1) / 2 >= 5 / gap
    assert program.sweeps == 80
    delay = program.stages[0].steps[-1]
    assert isinstance(delay, RandomDelay)
    assert delay.mean * delay.unit.duration == pytest.approx(1.0)


def test_ding_chen_lin__fixed_point__is_near_the_ground_state() -> None:
    program = ding_chen_lin(tfim(3, J=1.0, h=1.2))
    energies, vectors = np.linalg.eigh(dense(program.generator.model.terms))
    rho = fixed_point(sweep_channel(program))
    assert np.real(vectors[:, 0].conj() @ rho @ vectors[:, 0]) > 0.97
    upside = Model(-program.generator.model.hamiltonian)
    turned = fixed_point(sweep_channel(ding_chen_lin(upside)))
    assert np.real(vectors[:, 0].conj() @ turned @ vectors[:, 0]) < 0.03
    assert program.generator.beta * (energies[1] - energies[0]) == pytest.approx(20)


def test_ding_chen_lin__single_level__is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"`model`.*Fix:"):
        ding_chen_lin(from_terms([("II", 1.0)]), norm=1.0)


# Lloyd & Abanin


def square_lattice() -> Model:
    bonds = [(x + 3 * y, x + 1 + 3 * y) for x in range(2) for y in range(4)]
    bonds += [(x + 3 * y, x + 3 * (y + 1)) for x in range(3) for y in range(3)]
    terms = [(label(12, {a: "Z", b: "Z"}), -1.0) for a, b in bonds] + [(label(12, {q: "X"}), -1.0) for q in range(12)]
    return from_terms(terms, "3 x 4")


def test_lloyd_abanin__square_lattice__has_the_published_cost() -> None:
    program = lloyd_abanin(square_lattice())
    assert program.knobs["nodes"] == 39
    assert rotations(program) == pytest.approx(702)


def test_lloyd_abanin__cycle__is_a_gaussian_of_area_theta_and_splitting_h() -> None:
    program = lloyd_abanin(tfim(2), beta=2.0, splitting=3.0, theta=0.5)
    tau, count = program.knobs["spacing"], program.knobs["nodes"]
    times = (np.arange(count) - (count - 1) / 2) * tau
    for branch in branches(program):
        steps = couples(branch)
        assert sum(step.angle for step in steps) == pytest.approx(0.5, rel=1e-5)
        shape = np.exp(-2 * 3.0 * times**2 / 2.0)
        assert [s.angle for s in steps] == pytest.approx(0.5 * shape / shape.sum(), rel=1e-5)
        turns = [(b.axis - a.axis + np.pi) % (2 * np.pi) - np.pi for a, b in pairwise(steps)]
        assert turns == pytest.approx([3.0 * tau] * (count - 1))
        assert branch.probability == pytest.approx(1 / 6)
        assert sum(isinstance(step, Reset) for step in branch.steps) == 1


def test_lloyd_abanin__fixed_point__is_second_order_in_theta() -> None:
    errors, thetas = [], (0.4, 0.2)
    for theta in thetas:
        program = lloyd_abanin(mixed_field_ising(2), theta=theta, step=0.125, trotter_order=4)
        errors.append(distance(fixed_point(sweep_channel(program)), gibbs(program.generator.model.hamiltonian, 1.0)))
    assert abs(slope(thetas, errors) - 2) < 0.15


# the loop


def test_loop__gates__are_the_exponentials_written_out() -> None:
    found = [step for step in unitary_gate_loop(ising(2, couplings="XY"), step=0.1).stages[0].steps]
    gates = [step for step in found if isinstance(step, Unitary)]
    assert [step.ancillas for step in gates] == [(), *[(0,)] * 4]
    H, A = ising(2).model.hamiltonian.to_matrix(), [dense([(p, 1.0)]) for p in ("IX", "XI", "IY", "YI")]
    oracle = Oracle(H, A, 1.0, gaussian(1.0))
    L = [np.kron([[0, 0], [1, 0]], jump) for jump in oracle.jumps()]
    expected = [scipy.linalg.expm(-1j * np.sqrt(0.1) * (K + K.conj().T)) for K in L]
    assert np.abs(gates[0].matrix - scipy.linalg.expm(-0.1j * oracle.coherent())).max() < 1e-10
    assert all(min(np.abs(gate.matrix - U).max() for U in expected) < 1e-10 for gate in gates[1:])
    assert all(min(np.abs(gate.matrix - U).max() for gate in gates[1:]) < 1e-10 for U in expected)


def test_loop__fixed_point__is_first_order_and_worse_without_B() -> None:
    generator, steps = ising(2, couplings="XY"), (0.2, 0.1, 0.05)
    sigma = gibbs(generator.model.hamiltonian, 1.0)
    errors = [distance(fixed_point(sweep_channel(unitary_gate_loop(generator, step=d))), sigma) for d in steps]
    assert abs(slope(steps, errors) - 1) < 0.15
    bare = dll(generator.model, 1.0, couplings_of("XY", 2), GaussianFilter(1.0), coherent="none")
    left = distance(fixed_point(sweep_channel(unitary_gate_loop(bare, step=0.05))), sigma)
    assert left > 3 * errors[2]


def test_loop__channel__is_the_textbook_dilation() -> None:
    generator = ising(1)
    H = dense(generator.model.terms)
    E, V = np.linalg.eigh(H)
    nu = E[:, None] - E
    L = V @ (np.exp(-(nu**2) / 8 - nu / 4) * (V.conj().T @ dense([("Y", 1.0)]) @ V)) @ V.conj().T
    R = V.conj().T @ L.conj().T @ L @ V
    B = V @ (0.5j * np.tanh(nu / 4) * R) @ V.conj().T
    big = np.sqrt(0.1) * np.block([[np.zeros((2, 2)), L.conj().T], [L, np.zeros((2, 2))]])
    U = scipy.linalg.expm(-1j * big)
    kraus = [U[:2, :2] @ scipy.linalg.expm(-0.1j * B), U[2:, :2] @ scipy.linalg.expm(-0.1j * B)]
    oracle = sum(np.kron(K.conj(), K) for K in kraus)
    assert np.abs(sweep_channel(unitary_gate_loop(generator)) - oracle).max() < 1e-10


def test_loop__too_many_qubits__are_refused() -> None:
    with pytest.raises(TooLargeError, match=r"limit is 6 qubits.*Fix:"):
        unitary_gate_loop(ising(7))


# what to cite

PLACES = {
    "farrell": "2605.26245", "ding_zhan": "2508.05703", "ding_chen": "2308.15676", "lloyd": "2506.21318",
    "dll": "2404.05998", "ckg": "2311.09207", "scandi": "2505.20064", "discrete": "2405.20322",
    "shift": "2604.15616", "trotter": "Proc. Am. Math. Soc. 10, 545", "strang": "SIAM J. Numer. Anal. 5, 506",
    "suzuki": "Phys. Lett. A 146, 319", "dense": "IEEE Trans", "davies": "Commun. Math. Phys. 39, 91",
    "ule": "Phys. Rev. B 102, 115109", "schaller": "Phys. Rev. A 78, 022106",
}  # fmt: skip


def cited(program: Program) -> set[str]:
    text = citation(program)
    assert len(text.splitlines()) == len(set(text.splitlines())) >= 1
    assert all(" For: " in line and line.endswith(".") for line in text.splitlines())
    return {name for name, place in PLACES.items() if place in text}


CITED: dict[str, tuple[Program, set[str]]] = {
    "farrell": (small_preset("farrell"), {"farrell", "ding_zhan", "strang"}),
    "ding_zhan": (small_preset("ding_zhan_preskill_lin"), {"ding_zhan", "strang"}),
    "ding_chen": (small_preset("ding_chen_lin"), {"ding_chen", "strang"}),
    "lloyd": (small_preset("lloyd_abanin"), {"lloyd", "ding_zhan", "shift", "trotter"}),
    "loop": (small_preset("unitary_gate_loop"), {"ding_chen", "dll", "dense"}),
    "parallel": (build(ising(2)), {"lloyd", "dll", "strang"}),
    "fourth_order": (build(ising(2), "sequential", trotter_order=4), {"ding_chen", "dll", "suzuki"}),
}


@pytest.mark.parametrize("case", sorted(CITED))
def test_citation__names__what_is_used_and_nothing_else(case: str) -> None:
    program, expected = CITED[case]
    assert cited(program) == expected


def test_citation__window__names_its_generator_and_the_rule() -> None:
    model, knobs = mixed_field_ising(2), {"random_delays": False, "nodes": 1}
    window = ckg(model, 1.0, couplings_of("Y", 2))
    on, off = (cited(build(window, "thermal_ancilla", shift=shift, **knobs)) for shift in (True, False))
    assert on - off == {"shift"}
    assert {"ckg", "ding_zhan"} <= off
    assert "dll" not in off
    assert not {"strang", "trotter", "suzuki"} & off  # one node: nothing is evolved


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda model, X, bath: scandi_alhambra(model, bath.beta, X, bath, 2.0), {"scandi", "dll"}),
        (lambda model, X, bath: ule(model, bath.beta, X, bath, coherent="balance"), {"ule", "dll"}),
        (lambda model, X, bath: coarse_grained(model, bath.beta, X, bath, 2.0, coherent="none"), {"schaller"}),
        (lambda model, X, bath: davies(model, bath.beta, X, bath), {"davies"}),
        (lambda model, X, bath: ckg(model, 1.0, X, filter="metropolis"), {"ckg"}),
        (lambda model, X, bath: DiscreteChannel(dll(model, 1.0, X, GaussianFilter(1.0))), {"discrete", "dll"}),
    ],
    ids=["scandi_alhambra", "ule", "coarse_grained", "davies", "ckg", "discrete"],
)
def test_citation__generator__is_named_by_its_kind(make: Any, expected: set[str]) -> None:
    model = mixed_field_ising(2)
    generator = make(model, couplings_of("X", 2), ohmic(1.0))
    program = replace(build(ising(2), nodes=1, random_delays=False), generator=generator)
    assert cited(program) == expected | {"lloyd"}


@pytest.mark.parametrize("scheme", ["dilated_1", "dilated_2", "dilated_3", "weak_measurement"])
def test_citation__dense_scheme__is_named_in_full(scheme: str) -> None:
    knobs = SCHEMES[scheme].knobs.model_validate({"sweeps": 1, "strength": 0.1})
    (line,) = [line for line in citation(SCHEMES[scheme](ising(1), knobs)).splitlines() if f"scheme {scheme}" in line]
    assert {"dilated": "Simulating open quantum systems", "weak": "preparation"}[scheme.split("_")[0]] in line


def test_citation__recipe_and_scheme_of_one_source__are_one_line() -> None:
    lines = citation(small_preset("ding_chen_lin")).splitlines()
    assert sum("2308.15676" in line for line in lines) == 1
    assert "For: the recipe ding_chen_lin; the scheme sequential." in lines[0]


def test_citation__every_scheme_and_preset__has_a_source() -> None:
    assert all(scheme.source for scheme in SCHEMES.values())
    assert all(preset.source for preset in PRESETS.values())
