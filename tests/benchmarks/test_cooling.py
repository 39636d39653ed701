"""Cooling by exchange: the cycle by hand, its price, that it cools and forgets, and what tuning does."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.linalg

from benchmarks.exchange_cooling import KAGOME, Cooling, cooling, sets_of_sites, settled_energy, tune
from gibbs_circuits.compiler.presets.farrell import farrell
from gibbs_circuits.errors import ArgumentError
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.linalg.fixed_point import contraction, fixed_point
from gibbs_circuits.models.library.lattices import kagome_ising
from gibbs_circuits.models.library.spin_chains import xxz
from gibbs_circuits.models.model import Model
from gibbs_circuits.programs.program import Calibration
from gibbs_circuits.readings.channel.sweep_channel import sweep_channel
from gibbs_circuits.readings.circuits.cost import cost
from gibbs_circuits.readings.trajectories.trajectories import trajectories
from tests.examples import Complex, ising

X, Y, Z = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])


def bath(model: Model) -> Lindbladian:
    return farrell(model, frequencies=1).lindbladian


TRIANGLE = bath(kagome_ising(1, 1))


def on(letter: Complex, qubit: int, width: int) -> Complex:
    return np.kron(np.eye(2 ** (width - 1 - qubit)), np.kron(letter, np.eye(2**qubit)))


def by_hand(recipe: Cooling, site: int) -> Complex:
    """The channel of one cycle on a triangle, site by site and exponential by exponential."""
    exp = scipy.linalg.expm
    H_x = sum(0.5 * on(X, q, 4) for q in range(3))
    H_z = sum(2.0 * on(Z, q, 4) for q in range(3))
    bonds = sum(on(Z, a, 4) @ on(Z, b, 4) for a, b in ((0, 1), (1, 2), (0, 2)))
    fields = recipe.x_fields * H_x + recipe.z_fields * H_z + recipe.detuning * on(Z, site, 4)
    interval = exp(-0.5j * fields) @ exp(-1j * recipe.bonds * bonds) @ exp(-0.5j * fields)
    U = np.eye(16)
    for node, share in enumerate((1.0, recipe.middle, 1.0)):
        angle = recipe.strength * share / (2 + recipe.middle)
        U = interval @ U if node else U
        for letter, by, ahead in ((Y, 1.0, 0.0), (X, recipe.exchange, np.pi / 2)):
            phi = recipe.phase * node + ahead
            axis = np.cos(phi) * on(X, 3, 4) + np.sin(phi) * on(Y, 3, 4)
            U = exp(-1j * angle * by * on(letter, site, 4) @ axis) @ U
    return sum(np.kron(K.conj(), K) for K in (U[:8, :8], U[8:, :8]))


def test_cooling__channel__is_the_one_by_hand() -> None:
    expected = sum(by_hand(KAGOME, site) for site in range(3)) / 3
    assert np.abs(sweep_channel(cooling(TRIANGLE, KAGOME)) - expected).max() < 1e-10
    wrong = sum(by_hand(replace(KAGOME, phase=-KAGOME.phase), site) for site in range(3)) / 3
    assert np.abs(sweep_channel(cooling(TRIANGLE, KAGOME)) - wrong).max() > 0.1  # the control: a sign turned


def test_cooling__price__stays_below_the_published_cycle() -> None:
    ours = cooling(bath(kagome_ising()), KAGOME)
    assert cost(ours).two_qubit_gates_per_sweep[0] / 2 == pytest.approx(2 * 17 + 6 * 3)
    assert ours.num_ancilla == 3
    assert ours.calibration is Calibration.PATCH


@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_sets_of_sites__every_site_once__with_few_bonds_inside(most: int) -> None:
    sets = sets_of_sites(kagome_ising(), most)
    assert sorted(site for members in sets for site in members) == list(range(12))
    assert max(map(len, sets)) <= most
    assert len(sets) == -(-12 // most)
    labels = [label[::-1] for label, _ in kagome_ising().hamiltonian.to_list() if label.count("Z") == 2]
    inside = [label for label in labels for members in sets if sum(label[q] == "Z" for q in members) == 2]
    assert len(inside) <= (1 if most > 1 else 0)


def test_cooling__triangle__is_cold_from_any_start() -> None:
    channel, H = sweep_channel(cooling(TRIANGLE, KAGOME)), TRIANGLE.model.hamiltonian.to_matrix()
    ground = float(np.linalg.eigvalsh(H)[0]) / 3
    found = float(np.vdot(H, fixed_point(channel)).real) / 3
    assert contraction(channel) < 0.95
    assert ground < found < ground + 0.03
    assert settled_energy(TRIANGLE, KAGOME, 200) == pytest.approx(found, abs=1e-6)
    hot = fixed_point(sweep_channel(cooling(TRIANGLE, replace(KAGOME, phase=-KAGOME.phase))))
    assert float(np.vdot(H, hot).real) / 3 > ground + 0.5  # the control: the ancilla takes nothing out


def test_tune__a_few_steps__make_the_pieces_colder() -> None:
    start = replace(KAGOME, strength=0.5, bonds=0.25)
    better = tune([TRIANGLE], start, 60)
    assert settled_energy(TRIANGLE, better) < settled_energy(TRIANGLE, start) - 0.01


def test_cooling__other_models__are_refused() -> None:
    with pytest.raises(ArgumentError, match="bonds of Z"):
        cooling(bath(xxz(3)), KAGOME)
    assert cooling(ising(3), KAGOME).num_system == 3


@pytest.mark.slow
def test_cooling__twelve_sites__settle_below_the_goal_from_opposite_starts() -> None:
    program = cooling(bath(kagome_ising()), KAGOME, cycles=100)
    energy = {"energy": program.generator.model.hamiltonian}
    runs = [trajectories(program, start, 48, 7, observables=energy, every=5) for start in ("zero", "one")]
    (a, u), (b, v) = (run.plateau("energy", 50) for run in runs)
    assert max(a + 1.96 * u, b + 1.96 * v) / 12 < -1.30
    assert abs(a - b) < 3 * np.hypot(u, v)  # wrong once in 370 runs
