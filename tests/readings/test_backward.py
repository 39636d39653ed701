"""Operators read backwards: against dense channels and density matrices, their cuts, and which cones are equal."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import gibbs_circuits as gc
from gibbs_circuits.errors import NotConvergedError
from gibbs_circuits.linalg.local_maps import RESET, Average, LocalMap, of_unitary
from gibbs_circuits.programs.product_formulas import commuting_groups
from gibbs_circuits.programs.program import Program, Stage
from gibbs_circuits.programs.steps import Branch, Evolve, RandomChoice, Reset
from gibbs_circuits.readings.channel.sweep_channel import stage_channel
from gibbs_circuits.readings.scalable.backward import SURPLUS, backward, product_start, read_regions
from gibbs_circuits.readings.scalable.cones import Sweeps, cone_of
from gibbs_circuits.search.derived.few_nodes import layout

PAULI = [np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1.0, -1])]


def random_start(n, rng):
    vectors = rng.standard_normal((n, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) * rng.uniform(1, 2, (n, 1))
    return np.concatenate([np.ones((n, 1)), vectors], axis=1)


def product_density(start):
    """ρ of a product start, qubit 0 the fastest index."""
    rho = np.ones((1, 1))
    for row in start:
        rho = np.kron(sum(x * P for x, P in zip(row, PAULI, strict=True)) / 2, rho)
    return rho


def pauli_values(rho, n, region):
    """Tr P ρ of all strings on a region, its first site slowest; qubit 0 is the fastest index of ρ."""
    found = []
    for letters in np.ndindex(*(4,) * len(region)):
        P = np.ones((1, 1))
        for q in range(n):
            P = np.kron(PAULI[dict(zip(region, letters, strict=True)).get(q, 0)], P)
        found.append(np.vdot(P, rho).real)
    return np.array(found)


def after_all_sweeps(program, rho):
    d = len(rho)
    vector = rho.ravel(order="F")
    for k, stage in enumerate(program.stages):
        vector = np.linalg.matrix_power(stage_channel(program, k), stage.repeats) @ vector
    return vector.reshape(d, d, order="F")


def chosen_and_delayed(n):
    """Few nodes with a random delay, then a stage that chooses between two sweeps."""
    made = layout(gc.dll(gc.models.mixed_field_ising(n), 0.8, couplings="Y"), 3, 0.7)
    strong, weak = made.sweep(0.8), made.sweep(0.3, (1, 3))
    choice = RandomChoice((Branch(0.3, strong), Branch(0.7, weak[:-1])))
    return made.program([Stage(weak, 2), Stage((choice,), 1)])


def programs(n):
    generator = gc.dll(gc.models.mixed_field_ising(n), 0.7, couplings="Y")
    yield gc.compile(generator, scheme="parallel", sweeps=1)
    yield gc.compile(generator, scheme="sequential", sweeps=2)
    yield gc.compile(generator, scheme="random_jumps", sweeps=2)
    yield chosen_and_delayed(n)


def test_backward__is_the_partial_trace_of_the_exact_channel__scheme_by_scheme():
    n, rng = 3, np.random.default_rng(1)
    for program in programs(n):
        start = random_start(n, rng)
        exact = after_all_sweeps(program, product_density(start))
        sweeps = Sweeps.of(program)
        for region in [(0, 2), (1,)]:
            read = backward(sweeps, region, 1e-12)
            expected = pauli_values(exact, n, region)
            assert read.values(start) == pytest.approx(expected, abs=1e-10)
            assert np.abs(read.values(product_start(n, (0, 0, 1))) - expected).max() > 1e-4  # not from any start
        assert len(read.spreads) == 1 or read.spreads[0] > read.spreads[-1]


def brickwork(n, rng, alike=True):
    """One sweep: two layers of weak gates with fields, then every site's own ancilla, reset; and Kraus forms of all."""

    def gate(strength, first):
        H = sum(first.standard_normal() * np.kron(a, b) for a in PAULI for b in PAULI)
        return scipy.linalg.expm(-1j * strength * H)

    one, other = np.random.default_rng(4), np.random.default_rng(5)
    bond, dissipation = gate(0.04, one), gate(0.4, other)
    maps, kraus = [], []
    for layer in (0, 1):
        for a in range(layer, n - 1, 2):
            U = bond if alike else gate(0.04, rng)
            maps.append(LocalMap((a, a + 1), of_unitary(U)))
            kraus.append(((a, a + 1), [U]))
    for site in range(n):
        V = dissipation if alike else gate(0.4, rng)
        maps += [LocalMap((site, n + site), of_unitary(V)), LocalMap((n + site,), RESET.copy())]
        split = V.reshape(2, 2, 2, 2)  # site, ancilla; site, ancilla
        kraus.append(((site,), [split[:, k, :, 0] for k in range(2)]))
    return tuple(maps), kraus


def evolved(kraus, rho, n):
    """A dense density matrix through Kraus operators; qubit 0 is the fastest index."""
    tensor = rho.reshape((2,) * 2 * n)
    for qubits, operators in kraus:
        rows = [n - 1 - q for q in qubits]
        columns = [2 * n - 1 - q for q in qubits]
        k, total = len(qubits), 0
        for K in operators:
            shaped = K.reshape((2,) * 2 * k)
            one = np.moveaxis(np.tensordot(shaped, tensor, axes=(range(k, 2 * k), rows)), range(k), rows)
            total = total + np.moveaxis(
                np.tensordot(shaped.conj(), one, axes=(range(k, 2 * k), columns)), range(k), columns
            )
        tensor = total
    return tensor.reshape(rho.shape)


def test_backward__is_the_dense_density_matrix__brickwork_with_resets_on_eight_sites():
    n, rng = 8, np.random.default_rng(2)
    maps, kraus = brickwork(n, rng, alike=False)
    sweeps, start = Sweeps(((maps, 2),), n), random_start(n, rng)
    rho = product_density(start)
    for _ in range(2):
        rho = evolved(kraus, rho, n)
    for region in [(3, 4), (0, 1), (2, 5)]:
        expected = pauli_values(rho, n, region)
        reading = read_regions(sweeps, [region], 1e-4, starts=[start])
        states = reading.states(start)
        assert np.linalg.norm(states.values[region] - expected) / 2 < states.error + 1e-12
        assert 0 < states.error < 1e-4


@pytest.mark.parametrize("cut", [1e-2, 1e-3])
def test_two_cuts__differ_by_no_less_than_the_error__in_nine_of_ten_cases(cut):
    n, covered, cases, wrong = 4, 0, 0, 0.0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        maps, _ = brickwork(n, rng, alike=False)
        sweeps = Sweeps(((maps, 2),), n)
        for region in [(0, 1), (2,)]:
            exact, coarse, fine = (backward(sweeps, region, c) for c in (1e-12, cut, cut / 10))
            start = random_start(n, rng)
            error = np.linalg.norm(fine.values(start) - exact.values(start))
            covered += error <= SURPLUS * np.linalg.norm(fine.values(start) - coarse.values(start))
            assert error <= fine.bound  # proved
            cases, wrong = cases + 1, max(wrong, error)
    assert covered >= 0.9 * cases
    assert wrong > 1e-8  # the cuts did something


def test_read_regions__refuse__cuts_too_coarse_to_agree():
    maps, _ = brickwork(6, np.random.default_rng(0))
    sweeps = Sweeps(((maps, 2),), 6)
    with pytest.raises(NotConvergedError, match="neither is given"):
        read_regions(sweeps, [(2,)], 1e-7, first_cut=0.1, last_cut=1e-2)
    reading = read_regions(sweeps, [(2,)], 1e-2)
    assert reading.readings[0].coarse.cut > reading.readings[0].fine.cut


def test_read_regions__read_equal_cones_once__and_no_other():
    n = 40
    maps, _ = brickwork(n, np.random.default_rng(0))
    sweeps = Sweeps(((maps, 2),), n)
    regions = [(18, 19), (20, 21), (22, 23), (19, 20)]
    keys = [cone_of(sweeps, region).key for region in regions]
    assert keys[0] == keys[1] == keys[2] != keys[3]  # a bond of the other layer
    reading = read_regions(sweeps, regions, 1e-3)
    assert sorted(len(one.equals) for one in reading.readings) == [1, 3]
    rng = np.random.default_rng(7)
    start = random_start(n, rng)
    shared = reading.states(start)
    for region in regions:  # from its own start, and its own read alone
        alone = read_regions(sweeps, [region], 1e-3).states(start)
        assert shared.values[region] == pytest.approx(alone.values[region], abs=1e-12)
    assert np.abs(shared.values[18, 19] - shared.values[20, 21]).max() > 1e-6
    # one gate elsewhere in a cone is turned by 1e-6: its region is read on its own
    odd = tuple(
        LocalMap(one.qubits, one.matrix @ np.kron(np.eye(4), of_unitary(np.diag([1, np.exp(1e-6j)]))))
        if one.qubits == (22, 23)
        else one
        for one in maps
    )
    keys = [cone_of(Sweeps(((odd, 2),), n), region).key for region in [(10, 11), (22, 23), (12, 13)]]
    assert keys[0] == keys[2] != keys[1]


def test_read_regions__leave_out_what_the_budget_does_not_reach__and_say_so():
    maps, _ = brickwork(12, np.random.default_rng(0), alike=False)
    sweeps, regions = Sweeps(((maps, 2),), 12), [(k, k + 1) for k in range(11)]
    one = read_regions(sweeps, regions[:1], 1e-2).readings[0]
    cost = one.coarse.seconds + one.fine.seconds
    reading = read_regions(sweeps, regions, 1e-2, seconds=1.5 * cost)
    assert {*reading.regions} | {*reading.left_out} == {*regions}
    assert 0 < len(reading.left_out) < 11
    assert f"{len(reading.left_out)} left out" in reading.source
    with pytest.raises(NotConvergedError, match="nominal seconds"):
        read_regions(Sweeps(((maps, 2),), 12), [(5, 6)], 1e-2, seconds=1e-3)


def test_backward__touches_the_cone_only__and_forgets():
    n = 100
    maps, _ = brickwork(n, np.random.default_rng(0))
    read = backward(Sweeps(((maps, 100),), n), (50,), 1e-2)
    assert len(read.spreads) < 100  # constants long before
    assert read.spreads[-1] == 0
    assert {*read.sites} == {50}
    values = [read.values(product_start(n, axis)) for axis in [(0, 0, 1), (1, 0, 0)]]
    assert values[0] == pytest.approx(values[1], abs=1e-12)
    assert max(map(len, backward(Sweeps(((maps, 2),), n), (50,), 1e-2).carried)) < 20


def test_averages__of_any_width__are_means_of_trains():
    rng, n = np.random.default_rng(3), 5
    gates = [LocalMap((k, k + 1), of_unitary(scipy.linalg.expm(0.3j * _hermitian(4, rng)))) for k in range(n - 1)]
    wide = Average((0.4, 0.6), (tuple(gates), tuple(reversed(gates))), range(1, 4))
    sweeps, start = Sweeps((((wide,), 1),), n), random_start(n, rng)
    total = np.zeros(4**2)
    paths = [((), 1.0)]
    for _ in range(3):
        paths = [((*path, one), p * w) for path, p in paths for one, w in ((gates, 0.4), (gates[::-1], 0.6))]
        for path, p in paths:
            spelled = tuple(gate for part in path for gate in part)
            total += p / 3 * backward(Sweeps(((spelled, 1),), n), (1, 3), 1e-13).values(start)
    assert backward(sweeps, (1, 3), 1e-13).values(start) == pytest.approx(total, abs=1e-10)


def _hermitian(d, rng):
    matrix = rng.standard_normal((d, d)) + 1j * rng.standard_normal((d, d))
    return (matrix + matrix.conj().T) / 2


def test_commuting_bonds__along_a_chain__keep_the_cone_narrow():
    n = 30
    model = gc.models.tfim(n)
    program = Program(
        num_system=n,
        num_ancilla=1,
        groups=commuting_groups(model.hamiltonian),
        stages=(Stage((Evolve(0.2, 1, 2), Reset((0,))), 1),),
        generator=gc.dll(model, 0.5, couplings="Y"),
        scheme="none",
    )
    assert len(cone_of(Sweeps.of(program), (15,)).sites) <= 9
