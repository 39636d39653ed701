"""Angles fitted to the reduced states of regions: the measure, its slopes, and programs of chains that are too long."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Statevector, partial_trace

import gibbs_circuits as gc
from gibbs_circuits.models.graph import coloured, interacting_pairs
from gibbs_circuits.models.model import Model
from gibbs_circuits.models.patches import patches, ring, whole_model_patch
from gibbs_circuits.programs.initial_state import zero
from gibbs_circuits.programs.program import Calibration, Guarantee, Program
from gibbs_circuits.readings.scalable.backward import Sweeps, product_start, read_regions
from gibbs_circuits.search.candidates import Candidate
from gibbs_circuits.search.patched import patched
from gibbs_circuits.search.pieces.locally import spelled
from gibbs_circuits.search.pieces.piece_fits import DoesNotTransferError
from gibbs_circuits.search.task import SearchTask
from gibbs_circuits.search.variational.fits import usual_starts, worst_of
from gibbs_circuits.search.variational.layers import shape, spelled_layers
from gibbs_circuits.search.variational.objectives import WHOLE, Local, Measure, Preparation, Sampling
from gibbs_circuits.search.variational.optimise import minimise
from gibbs_circuits.search.variational.shared_angles import ansatz_of
from tests.clocks import within
from tests.examples import distance, gibbs, lowered, unrolled
from tests.systems import dense, label

SEEDS = st.integers(0, 2**20)
REGIONS = ((0, 1), (1, 2))
BONDS = ((0, 1), (1, 2))


def chain(sites: int, g: float = 0.5) -> Model:
    return gc.models.mixed_field_ising(sites, J=1.0, h=0.9, g=g)


def random_state(rng: np.random.Generator, dim: int) -> np.ndarray:
    half = rng.normal(size=(dim, dim)) + 1j * rng.normal(size=(dim, dim))
    rho = half @ half.conj().T
    return np.asarray(rho / np.trace(rho))


# the measure


@given(seed=SEEDS, n=st.integers(3, 5))
@settings(max_examples=20, deadline=None)
def test_local__is_the_farthest_reduced_state__by_qiskits_partial_trace(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    rho, sigma = random_state(rng, 2**n), random_state(rng, 2**n)
    regions = [tuple(sorted(rng.choice(n, size=2, replace=False).tolist())) for _ in range(3)]
    each = [distance(*(partial_trace(one, [q for q in range(n) if q not in region]).data for one in (rho, sigma)))
            for region in regions]  # fmt: skip
    measure = Local.of(regions, n)
    assert measure.distance(rho - sigma) == pytest.approx(max(each), abs=1e-12)
    witness = measure.witness(rho - sigma)
    assert np.trace(witness @ (rho - sigma)).real == pytest.approx(max(each), abs=1e-12)
    assert -1e-12 <= np.linalg.eigvalsh(witness)[0] <= np.linalg.eigvalsh(witness)[-1] <= 1 + 1e-12
    cost, _ = measure.smoothed(rho - sigma, 1e-9)
    assert np.mean(np.array(each) ** 6) ** (1 / 6) == pytest.approx(cost, abs=1e-7)


def test_local__is_nothing_at_sigma__and_where_only_the_whole_differs() -> None:
    sigma, everywhere = gibbs(chain(4).hamiltonian, 1.0), dense([(label(4, dict.fromkeys(range(4), "Z")), 0.01)])
    measure = Local.of([(0, 1, 2), (1, 2, 3)], 4)
    cost, slope = measure.smoothed(np.zeros_like(sigma), 1e-3)
    assert cost < 1e-14
    assert np.max(np.abs(slope)) < 1e-12
    assert measure.distance((sigma + everywhere) - sigma) < 1e-12
    assert WHOLE.distance(everywhere) > 0.05  # the control: it is another state
    assert measure.distance(dense([(label(4, {1: "Z", 2: "Z"}), 0.01)])) > 0.03  # and this one is seen


@given(seed=SEEDS, real=st.booleans(), sampler=st.booleans())
@settings(max_examples=12, deadline=None)
def test_gradient__of_regions__is_that_of_differences(seed: int, real: bool, sampler: bool) -> None:
    rng, local = np.random.default_rng(seed), Local.of(REGIONS, 3)
    ansatz = shape("bab", 3, BONDS, real=real)
    sigma = gc.gibbs_state(chain(3), 0.8)
    sigma = sigma.real if real else sigma
    cost_of: Preparation | Sampling = Preparation(ansatz, sigma, np.eye(8)[:, 2], measure=local)
    if sampler:
        cost_of = Sampling(ansatz, sigma, usual_starts(3), 2, measure=local)
    x, along = rng.normal(size=(ansatz.num_angles, 1)), rng.normal(size=(ansatz.num_angles, 1))
    step = 1e-5
    ahead, behind = (cost_of(x + sign * step * along, 1e-2)[0][0] for sign in (1, -1))
    value, slope = cost_of(x, 1e-2)
    assert float((slope * along).sum()) == pytest.approx((ahead - behind) / (2 * step), abs=1e-7)
    whole = Preparation(ansatz, sigma, np.eye(8)[:, 2])(x, 1e-2)[0]
    assert abs(value[0] - whole[0]) > 1e-3  # the control: of the whole it is another cost


def best_of(measure: Measure, sigma: np.ndarray) -> tuple[float, float]:
    """(local, global) distance where the measure is smallest, of one word on a chain of four."""
    local = Local.of([(0, 1), (1, 2), (2, 3)], 4)
    objective = Preparation(shape("ba", 4, ((0, 1), (1, 2), (2, 3)), real=True), sigma, np.eye(16)[0], measure=measure)
    first = np.random.default_rng(3).normal(scale=0.5, size=(objective.ansatz.num_angles, 3))
    x, values = minimise(lambda y: objective(y, 1e-3), first, 150, within(60.0), 0.0)
    state = objective.state(x[:, int(np.argmin(values))])
    return local.distance(state - sigma), WHOLE.distance(state - sigma)


def test_local__control__its_optimum_is_not_that_of_the_whole() -> None:
    """The same word, the same first angles: each is nearest by what it was fitted to, and clearly so."""
    sigma = gibbs(chain(4).hamiltonian, 1.0).real
    by_regions, by_whole = best_of(Local.of([(0, 1), (1, 2), (2, 3)], 4), sigma), best_of(WHOLE, sigma)
    assert by_regions[0] < 0.9 * by_whole[0]
    assert by_whole[1] < 0.98 * by_regions[1]


def test_worst__of_regions__is_found_where_it_is_known() -> None:
    """Nothing happens: the worst start of a region is the pure state farthest from σ there, 1 − its smallest value.

    A see-saw may end a little below.
    """
    sigma, local = gibbs(chain(3).hamiltonian, 1.0), Local.of(REGIONS, 3)
    found, _ = worst_of(np.eye(8)[None], 1, sigma, np.random.default_rng(1), within(60.0), seeds=6, measure=local)
    lowest = [np.linalg.eigvalsh(partial_trace(sigma, [q]).data)[0] for q in (2, 0)]
    assert 0.98 * (1 - min(lowest)) <= found <= 1 - min(lowest) + 1e-12


# colours


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda e: e[0] < e[1]), unique=True))
def test_coloured__no_site_twice_in_a_colour__any_graph(pairs: list[tuple[int, int]]) -> None:
    found = coloured(pairs)
    assert set(found) == set(pairs)
    for colour in set(found.values()):
        met = [q for pair in pairs if found[pair] == colour for q in pair]
        assert len(met) == len(set(met))
    most = max((sum(q in pair for pair in pairs) for q in range(8)), default=0)
    assert max(found.values(), default=0) <= max(0, 2 * most - 1)


def test_coloured__of_pieces__is_that_of_the_whole() -> None:
    model = chain(9)
    whole = whole_model_patch(model)
    assert whole.colours == (1, 2) * 4
    for piece in patches(model, 5):
        wanted = [1 + min(piece.sites[a], piece.sites[b]) % 2 for a, b in piece.bonds]
        assert list(piece.colours) == wanted
    closed, odd = ring(model, 6), ring(model, 5)
    assert closed is not None
    assert odd is not None
    assert odd.colours == ()  # two colours do not close it
    for layer in spelled_layers("12", 6, closed.bonds, closed.colours):
        assert sorted(q for pair in layer for q in pair) == list(range(6))


def test_words__of_colours__hold_those_of_all_pairs() -> None:
    """`12` with no rotation between the colours is `b`."""
    assert spelled("pad", 2) == "12a1122"
    assert spelled("apaq", 3) == "a123a321"
    assert spelled("pap", 5) == "bab"
    (piece,) = patches(chain(8), 4)
    split, plain = (ansatz_of(piece, word, real=True) for word in ("12a", "ba"))
    assert split.gates == plain.gates
    rng = np.random.default_rng(2)
    angles = rng.normal(size=len(plain.slots))
    moved = np.zeros(len(split.slots))
    layers = {0: 0, 1: 2, 2: 3}  # of `ba`, in `12a`
    for k, slot in enumerate(plain.slots):
        last = max(one.layer for one in split.slots if one.qubit == slot.qubit and one.layer <= layers[slot.layer])
        moved[[(one.qubit, one.layer) for one in split.slots].index((slot.qubit, last))] = angles[k]
    start = np.eye(16)[0]
    states = []
    for ansatz, each in ((plain, angles), (split, moved)):
        bare = type(ansatz)(ansatz.num_system, ansatz.num_ancilla, ansatz.layers, True)
        states.append(Preparation(bare, np.eye(16) / 16, start).state(each))
    assert np.allclose(states[0], states[1], atol=1e-12)


# whole searches


def wish(model: Model, target: float, guarantee: str, seconds: float) -> SearchTask:
    return SearchTask(
        generator=gc.dll(model, 1.0, "Y"), target_error=target, guarantee=Guarantee(guarantee),
        calibration=Calibration.PATCH, start=None, effort=seconds / 60, seed=1, region=3,
        sites=zero(model.num_qubits).site_states(model.num_qubits),
    )  # fmt: skip


def searched(wanted: SearchTask) -> Candidate[Program]:
    return patched(wanted, wanted.clock.until(1.0))[-1]


@pytest.fixture(scope="module")
def prepared() -> Candidate[Program]:
    return searched(wish(chain(9), 0.07, "given_start", 4.0))


def test_locally__preparation__is_within_the_target_in_every_region(prepared: Candidate[Program]) -> None:
    """Nine sites, more than were fitted on: the circuit gate by gate, and the Gibbs state by eigenvectors."""
    program, n = prepared.program, 9
    qc = lowered(unrolled(program, []))
    qc.data = [item for item in qc.data if item.operation.name != "reset"]  # the sweep's last step
    psi, sigma = Statevector(qc), gibbs(chain(n).hamiltonian, 1.0)
    far = []
    for first in range(n - 2):
        region = range(first, first + 3)
        rho = partial_trace(psi, [q for q in range(2 * n) if q not in region]).data
        far.append(distance(rho, partial_trace(sigma, [q for q in range(n) if q not in region]).data))
    assert max(far) <= 0.07
    assert prepared.accepted
    assert prepared.two_qubit_gates <= 2.5 * n
    assert "regions of 3 sites" in program.provenance
    assert distance(gibbs(chain(3).hamiltonian, 1.0), np.eye(8) / 8) > 0.3  # the control: no small thing


@pytest.mark.slow
def test_locally__the_same_again__of_the_same_seed(prepared: Candidate[Program]) -> None:
    again = searched(wish(chain(9), 0.07, "given_start", 4.0))
    assert again.program.hash == prepared.program.hash


def test_locally__a_miss__brings_the_nearest_short_one() -> None:
    with pytest.raises(DoesNotTransferError, match=r"none is within 0\.001") as caught:
        searched(wish(chain(12), 0.001, "given_start", 1.0))
    assert caught.value.nearest is not None
    assert not caught.value.nearest.accepted
    assert caught.value.nearest.distance > 0.001


@pytest.mark.slow
def test_locally__fifty_sites__within_a_fiftieth_at_four_gates_a_site() -> None:
    """Read backwards at fifty sites, against the end and the middle of ten, themselves good to .004."""
    n, found = 50, searched(wish(chain(50), 0.02, "given_start", 120.0))
    assert found.two_qubit_gates <= 4 * n
    sigma = gibbs(chain(10).hamiltonian, 1.0)
    states = read_regions(Sweeps.of(found.program), [(0, 1, 2), (24, 25, 26)], 1e-3).states(product_start(n, (0, 0, 1)))
    for region, kept in (((0, 1, 2), (0, 1, 2)), ((24, 25, 26), (4, 5, 6))):
        wanted = partial_trace(sigma, [q for q in range(10) if q not in kept]).data
        swapped = wanted.reshape((2,) * 6).transpose(2, 1, 0, 5, 4, 3).reshape(8, 8)  # first site slowest
        assert distance(states.state(region), swapped) <= 0.024


def test_interacting_pairs__of_a_chain__have_two_colours() -> None:
    assert set(coloured(interacting_pairs(chain(7).hamiltonian)).values()) == {1, 2}
