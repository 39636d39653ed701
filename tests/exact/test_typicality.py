"""Random vectors, classical sums and patches: each against what shares no code with it, and how often bars hold."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gibbs_circuits as gc
from gibbs_circuits.exact.references.base import sparse_of
from gibbs_circuits.exact.references.patches import patches
from gibbs_circuits.exact.references.transfer_matrix import transfer_matrix
from gibbs_circuits.exact.references.typicality import Flips, typical, typicality
from gibbs_circuits.models.model import from_terms
from tests.systems import dense

FUNCTIONS = ("energy", "free_energy", "entropy", "heat_capacity")


def test_flips__are_the_hamiltonian__letters_of_every_kind() -> None:
    model = from_terms([("XYZ", 0.3), ("IYY", -0.7), ("ZIX", 0.4), ("ZZI", 1.1), ("III", 0.25), ("YII", 0.6)])
    vector = np.random.default_rng(3).standard_normal((8, 2)).view(complex)[:, 0]
    H, flips = dense(model.terms), Flips(model)
    order = vector.reshape(2, 2, 2).transpose(2, 1, 0)  # axis q is qubit q; rows of a matrix have qubit 2 first
    found = flips(order).transpose(2, 1, 0).reshape(8) + flips.offset * vector
    assert found == pytest.approx(H @ vector, abs=1e-12)
    assert flips.offset == 0.25


def test_typicality__bars_hold_as_often_as_they_say__sixty_seeds() -> None:
    model, beta = gc.models.mixed_field_ising(6, g=0.5), 0.7
    H = dense(model.terms)
    E, V = np.linalg.eigh(H)
    p = np.exp(-beta * (E - E[0])) / np.exp(-beta * (E - E[0])).sum()
    log_z = float(np.log(np.exp(-beta * E).sum()))
    mean = float(p @ E)
    truth = (mean, -log_z / beta, beta * mean + log_z, beta**2 * float(p @ (E - mean) ** 2))
    labels = ["ZIIIII", "IXIIII", "IIZZII", "XIIIIX"]
    exact = [float(np.real(np.trace(dense([(x, 1.0)]) @ (V * p) @ V.conj().T))) for x in labels]
    held, strings = [], []
    for seed in range(60):
        found = typical(model, beta, 8, seed)
        held.append(
            [abs(getattr(found.thermal, f) - x) <= found.errors[f] for f, x in zip(FUNCTIONS, truth, strict=True)]
        )
        values = found.paulis([sparse_of(x) for x in labels])
        assert values is not None
        strings.append(np.abs(values - exact) <= found.pauli_errors([sparse_of(x) for x in labels]))
    assert np.mean(held) > 0.88  # 95 in 100 are meant; 60 seeds scatter by .03
    assert np.mean(strings) > 0.88
    assert np.mean(np.array(held)[:, 0]) < 1.0  # and are not simply wide


def test_typicality__says_what_it_would_take__cold_and_large() -> None:
    assert typicality.why_not(gc.models.mixed_field_ising(14, g=0.5), 1.0) is None
    assert "up to 20 qubits, not 21" in str(typicality.why_not(gc.models.heisenberg(21), 1.0))
    assert "would take" in str(typicality.why_not(gc.models.heisenberg(20), 50.0))


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.sets(st.integers(0, 4), min_size=1, max_size=4), st.floats(-2, 2)), min_size=1, max_size=8),
    st.floats(0.01, 2.0),
)
def test_transfer_matrix__is_the_sum_over_all_configurations(terms: list[tuple[set[int], float]], beta: float) -> None:
    letters = "XZYXZ"
    labels = [("".join(letters[q] if q in sites else "I" for q in reversed(range(5))), c) for sites, c in terms]
    model = from_terms([*labels, ("IIIII", 0.3)])
    spins = np.array([*itertools.product([1, -1], repeat=5)])
    E = 0.3 + sum(c * np.prod(spins[:, sorted(sites)], axis=1) for sites, c in terms)
    w = np.exp(-beta * (E - E.min()))
    w /= w.sum()
    found = transfer_matrix.answer(model, beta)
    assert found.thermal.energy == pytest.approx(float(w @ E), abs=1e-9)
    assert found.thermal.ground_energy == pytest.approx(float(E.min()), abs=1e-9)
    assert found.thermal.purity == pytest.approx(float(w @ w), abs=1e-9)
    assert found.thermal.heat_capacity == pytest.approx(beta**2 * float(w @ (E - w @ E) ** 2), abs=1e-8)
    strings = [((0, "X"),), ((0, "X"), (1, "Z")), ((2, "Y"), (3, "X"), (4, "Z")), ((1, "X"),)]
    used = {q for sites, c in terms for q in sites if c != 0}
    products = [spins[:, 0], spins[:, 0] * spins[:, 1], spins[:, 2] * spins[:, 3] * spins[:, 4]]
    if used == set(range(5)):
        assert found.paulis(strings) == pytest.approx([*(float(w @ one) for one in products), 0.0], abs=1e-9)


def test_transfer_matrix__chain_of_two_hundred__closed_form() -> None:
    n, J, beta = 200, 0.8, 0.9
    labels = [("I" * (n - 2 - k) + "XX" + "I" * k, -J) for k in range(n - 1)]
    found = transfer_matrix.answer(from_terms(labels), beta)
    t = np.tanh(beta * J)
    assert found.thermal.energy == pytest.approx(-J * (n - 1) * t, rel=1e-10)
    assert found.thermal.free_energy == pytest.approx(
        -(n * np.log(2) + (n - 1) * np.log(np.cosh(beta * J))) / beta, rel=1e-10
    )
    assert found.paulis([((50, "X"), (57, "X")), ((3, "X"),)]) == pytest.approx([t**7, 0.0], abs=1e-12)


def test_transfer_matrix__control__two_letters_on_a_site_are_refused() -> None:
    assert "has Z and X" in str(transfer_matrix.why_not(gc.models.tfim(30), 1.0))


@pytest.mark.slow
def test_patches__bars_hold__inside_of_a_chain_against_free_fermions() -> None:
    from gibbs_circuits.exact.references.free_fermions import free_fermions

    model, beta = gc.models.tfim(16, h=1.5), 0.6
    known, found = free_fermions.answer(model, beta), patches.answer(model, beta)
    strings = [sparse_of(label) for label, _ in model.terms]
    values, exact = found.paulis(strings), known.paulis(strings)
    assert values is not None
    assert exact is not None
    assert np.all(np.abs(values - exact) <= found.pauli_errors(strings) + 1e-9)
    assert abs(found.thermal.energy - known.thermal.energy) <= found.errors["energy"]
    assert found.thermal.entropy is None
    assert found.paulis([((0, "Z"), (9, "Z"))]) is None  # farther apart than the smallest patch
    assert found.paulis([((4, "Z"), (6, "Z"))]) is not None
