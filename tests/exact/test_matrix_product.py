"""Purifications along a line: orders of the steps, readings, and what they refuse."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.linalg

import gibbs_circuits as gc
from gibbs_circuits.exact.references import matrix_product as reference
from gibbs_circuits.exact.references.base import sparse_of
from gibbs_circuits.exact.references.local import energy_per_site, local_gibbs, local_states
from gibbs_circuits.exact.references.matrix_product import matrix_product
from gibbs_circuits.exact.references.registry import REFERENCES
from gibbs_circuits.exact.tensor_networks.line import order_on_line, variance, width_on_line
from gibbs_circuits.exact.tensor_networks.purification import Cooling, NotSettledError
from gibbs_circuits.models.graph import interacting_pairs
from gibbs_circuits.models.model import Model, from_terms
from gibbs_circuits.models.regions import connected_regions, local_distance
from gibbs_circuits.models.spectrum import trace_distance
from tests.systems import Matrix, dense

STRINGS = from_terms([("XYIIZ", 0.3), ("ZIIXI", 0.5), ("IYYII", -0.4), ("IIXXX", 0.7), ("IIIII", 0.2), ("ZYXYZ", 0.6)])


def boltzmann(model: Model, beta: float) -> tuple[Matrix, Matrix]:
    H = dense(model.terms)
    weight = scipy.linalg.expm(-beta * H)
    return H, np.asarray(weight / np.trace(weight))


def cooled(model: Model, beta: float, steps: int, cut: float = 1e-9) -> Cooling:
    cooling = Cooling(model, beta / 2 / steps, cut, 100.0)
    for _ in range(steps):
        cooling.cool()
    return cooling


@pytest.mark.parametrize("model", [STRINGS, gc.models.heisenberg(5)], ids=["strings", "heisenberg"])
def test_cooling__is_of_fourth_order__energy_and_partition_function(model: Model) -> None:
    H, rho = boltzmann(model, 1.0)
    energy, log_z = float(np.real(np.trace(H @ rho))), float(np.log(np.exp(-np.linalg.eigvalsh(H)).sum()))
    steps, off = (2, 3, 4, 6), []
    for count in steps:
        now = cooled(model, 1.0, count).cooled
        found = float(np.array([c for _, c in model.terms]) @ now.state.paulis([sparse_of(x) for x, _ in model.terms]))
        off.append((abs(found - energy), abs(now.log_z - log_z)))
    slopes = [np.polyfit(np.log(steps), np.log(column), 1)[0] for column in np.array(off).T]
    assert slopes == pytest.approx([-4, -4], abs=0.6)


def test_line_state__reads_every_string_and_the_variance__five_sites_of_any_terms() -> None:
    H, rho = boltzmann(STRINGS, 0.8)
    state = cooled(STRINGS, 0.8, 12).cooled.state
    labels = [*map("".join, itertools.product("IXYZ", repeat=5))]
    expected = [float(np.real(np.trace(dense([(label, 1.0)]) @ rho))) for label in labels]
    assert state.paulis([sparse_of(label) for label in labels]) == pytest.approx(expected, abs=2e-5)
    mean = float(np.real(np.trace(H @ rho)))
    assert variance(STRINGS, state, mean) == pytest.approx(float(np.real(np.trace(H @ H @ rho))) - mean**2, abs=1e-4)
    assert variance(STRINGS, state, 0.0) > 1.05 * variance(STRINGS, state, mean)  # the mean is taken off


def test_order_on_line__ring__neighbours_stay_within_two_places() -> None:
    ring = gc.models.tfim(12, periodic=True)
    order, pairs = order_on_line(ring), interacting_pairs(ring.hamiltonian)
    assert sorted(order) == list(range(12))
    assert width_on_line(order, pairs) == 2
    assert max(abs(order.index(a) - order.index(b)) for a, b in pairs) == 2


def test_cooling__stops_and_says_where__work_allowed() -> None:
    cooling = Cooling(gc.models.heisenberg(12), 0.1, 1e-8, 0.01)
    with pytest.raises(NotSettledError, match=r"bond dimension \d+ at β = 0\.2"):
        cooling.cool()


def test_matrix_product__refuses_with_what_was_reached__too_little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "MAX_LINE_SECONDS", 0.1)
    said = matrix_product.why_not(gc.models.heisenberg(14), 0.5)
    assert said is not None
    assert "the work allowed, 0.1 s, was done" in said
    assert "bond dimension" in said


@pytest.mark.parametrize("sites", [24, pytest.param(100, marks=pytest.mark.slow)])
def test_local_states__long_chain__as_free_fermions_within_the_bar(sites: int) -> None:
    model, beta = gc.models.tfim(sites, h=1.2), 1.0
    regions = connected_regions(model, 3)
    free = local_gibbs(model, beta, regions)
    found = local_states(matrix_product.answer(model, beta), regions, "matrix_product")
    assert (free.source, found.source) == ("free_fermions", "matrix_product")
    distance = local_distance(found, free)
    assert len(distance.distances) == sites - 2
    assert distance.largest <= found.error < 1e-3
    exact = REFERENCES[1].answer(model, beta)
    (value, bar), (truth, _) = (energy_per_site(one, sites) for one in (matrix_product.answer(model, beta), exact))
    assert abs(value - truth) <= bar < 1e-4
    other = local_states(REFERENCES[1].answer(model, 0.9), regions[:1])
    assert local_distance(found, other).largest > 10 * found.error  # another temperature is seen


def test_local_states__error_bounds_the_distance__matrices_of_three_sites() -> None:
    model = gc.models.mixed_field_ising(5, g=0.5)
    _, rho = boltzmann(model, 1.0)
    whole = rho.reshape((2,) * 10)
    found = local_states(matrix_product.answer(model, 1.0), [(1, 2, 3)])
    traced = np.einsum("aijkbalmnb->kjinml", whole).reshape(8, 8)  # rows of the label are qubits 4 … 0
    assert trace_distance(found.state((1, 2, 3)), traced) <= found.error < 1e-3
