from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import qutip
import scipy.linalg
from hypothesis import given
from qiskit.quantum_info import DensityMatrix, random_density_matrix, state_fidelity

import gibbs_circuits as gc
from gibbs_circuits import models
from gibbs_circuits.errors import TooLargeError
from gibbs_circuits.linalg.arrays import unvec, vec
from gibbs_circuits.models.spectrum import fidelity, spectrum, thermal, trace_distance
from tests.strategies import betas, hamiltonians, moderate
from tests.systems import boltzmann, dense, model_of, reference

CASES = reference("thermal_and_gaps")
CHAINS = [case for case in reference("tfim_free_fermions") if case["L"] <= 10]


def name_of(case: dict[str, Any]) -> str:
    return "-".join(str(case[key]) for key in ("name", "L", "g", "J", "beta") if key in case)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_thermal__equals_reference__every_case(case: dict[str, Any]) -> None:
    found = thermal(model_of(case), case["beta"])
    assert set(case["exact"]) == set(vars(found))
    for key, value in case["exact"].items():
        assert getattr(found, key) == pytest.approx(value, abs=1e-8), key


@pytest.mark.parametrize("case", CHAINS, ids=name_of)
def test_thermal__equals_free_fermions__transverse_field_ising(case: dict[str, Any]) -> None:
    found = thermal(models.tfim(case["L"], case["J"], case["g"]), case["beta"])
    for key in ("energy", "free_energy", "entropy"):
        assert getattr(found, key) == pytest.approx(case[key], abs=1e-9, rel=1e-10), key


@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0, 4.0, 50.0])
def test_thermal__closed_form__one_qubit(beta: float) -> None:
    omega = 1.3
    model = models.from_terms([("Z", -omega / 2)])  # |0⟩ is the ground state, |1⟩ the excited one
    found, sigma = thermal(model, beta), gc.gibbs_state(model, beta)
    excited = 1 / (np.exp(beta * omega) + 1)
    assert sigma[1, 1].real == pytest.approx(excited, rel=1e-12)
    assert np.trace(sigma @ np.diag([-1, 1])).real == pytest.approx(-np.tanh(beta * omega / 2), abs=1e-14)
    assert found.energy == pytest.approx(-omega / 2 * np.tanh(beta * omega / 2), abs=1e-14)
    assert found.heat_capacity == pytest.approx((beta * omega / 2 / np.cosh(beta * omega / 2)) ** 2, rel=1e-9)


@pytest.mark.parametrize("beta", [0.4, 1.0, 2.5])
def test_thermal__is_consistent__derivatives_of_free_energy(beta: float) -> None:
    model, step = models.xxz(3, 1.0, 0.6, [0.3, -0.2, 0.5]), 1e-4

    def log_z(b: float) -> float:
        return -b * thermal(model, b).free_energy

    found = thermal(model, beta)
    values = [log_z(beta + k * step) for k in (-1, 0, 1)]
    assert found.energy == pytest.approx(-(values[2] - values[0]) / (2 * step), abs=1e-7)
    assert found.heat_capacity == pytest.approx(
        beta**2 * (values[2] - 2 * values[1] + values[0]) / step**2, abs=1e-5, rel=1e-5
    )
    assert found.entropy == pytest.approx(beta * (found.energy - found.free_energy), abs=1e-12)


@moderate
@given(hamiltonians(), betas)
def test_gibbs_state__equals_matrix_exponential__generated(model: models.Model, beta: float) -> None:
    H = dense(model.terms)
    unnormalised = scipy.linalg.expm(-beta * (H - np.linalg.eigvalsh(H)[0] * np.eye(len(H))))
    sigma = gc.gibbs_state(model, beta)
    np.testing.assert_allclose(sigma, unnormalised / np.trace(unnormalised), atol=1e-11)
    found, p = thermal(model, beta), np.linalg.eigvalsh(sigma)
    assert found.energy == pytest.approx(np.trace(sigma @ H).real, abs=1e-11)
    assert found.purity == pytest.approx(np.sum(p**2), abs=1e-12)
    kept = p[p > 1e-300]
    assert found.entropy == pytest.approx(-np.sum(kept * np.log(kept)), abs=1e-9)
    assert found.heat_capacity >= 0


def test_gibbs_state__equals_qutip__mixed_field_ising() -> None:
    H = qutip.Qobj(dense(models.mixed_field_ising(3).terms))
    rho = (-0.7 * H).expm()
    np.testing.assert_allclose(gc.gibbs_state(models.mixed_field_ising(3), 0.7), (rho / rho.tr()).full(), atol=1e-13)


def test_thermal__is_maximally_mixed__beta_zero() -> None:
    model = models.mixed_field_ising(3)
    np.testing.assert_allclose(gc.gibbs_state(model, 0.0), np.eye(8) / 8, atol=1e-15)
    found = thermal(model, 0.0)
    assert found.free_energy is None
    assert found.heat_capacity == 0.0
    assert found.entropy == pytest.approx(3 * np.log(2), abs=1e-12)
    assert found.energy == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("beta", [50.0, 1e4])
def test_thermal__is_the_ground_state__low_temperature(beta: float) -> None:
    model = models.mixed_field_ising(3)
    E, V = np.linalg.eigh(dense(model.terms))
    np.testing.assert_allclose(gc.gibbs_state(model, beta), np.outer(V[:, 0], V[:, 0].conj()), atol=1e-12)
    found = thermal(model, beta)
    assert found.energy == pytest.approx(E[0])
    assert found.free_energy == pytest.approx(E[0])
    assert found.ground_energy == pytest.approx(E[0])
    assert found.purity == pytest.approx(1.0)
    assert found.entropy == pytest.approx(0.0, abs=1e-9)


def test_thermal__counts_the_ground_states__degenerate_at_low_temperature() -> None:
    found = thermal(models.tfim(3, h=0.0), 50.0)
    assert found.entropy == pytest.approx(np.log(2), abs=1e-9)
    assert found.purity == pytest.approx(0.5)


def test_thermal__has_no_nan__zero_hamiltonian() -> None:
    found = thermal(models.from_terms([("ZZ", 0.0)]), 2.0)
    assert found.energy == 0.0
    assert found.entropy == pytest.approx(2 * np.log(2))
    assert found.free_energy == pytest.approx(-np.log(4) / 2)


def test_gibbs_state__ignores_a_constant__identity_term() -> None:
    shifted = models.from_terms([("II", 1e4), ("ZX", 0.4), ("XI", 0.3)])
    np.testing.assert_allclose(
        gc.gibbs_state(shifted, 3.0), boltzmann(dense([("ZX", 0.4), ("XI", 0.3)]), 3.0), atol=1e-10
    )


@moderate
@given(hamiltonians())
def test_spectrum__diagonalises__generated(model: models.Model) -> None:
    s, H = spectrum(model), dense(model.terms)
    np.testing.assert_allclose(s.from_energy(np.diag(s.energies)), H, atol=1e-12)
    np.testing.assert_allclose(s.to_energy(H), np.diag(s.energies), atol=1e-12)
    np.testing.assert_allclose(s.vectors.conj().T @ s.vectors, np.eye(s.dim), atol=1e-13)
    assert np.all(np.diff(s.energies) >= 0)
    nu = s.bohr_frequencies
    assert np.array_equal(nu, -nu.T)
    assert nu[-1, 0] == s.energies[-1] - s.energies[0]


def test_spectrum__refuses_writes__energies_and_vectors() -> None:
    s = spectrum(models.tfim(2))
    for array in (s.energies, s.vectors):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0


def test_spectrum__says_what_does_not_fit__thirteen_qubits() -> None:
    with pytest.raises(TooLargeError, match=r"13 qubits.*8192.*limit is 12"):
        spectrum(models.tfim(13))


def test_vec__stacks_columns__product_rule() -> None:
    rng = np.random.default_rng(1)
    A, X, B = rng.standard_normal((3, 4, 4)) + 1j * rng.standard_normal((3, 4, 4))
    np.testing.assert_allclose(np.kron(B.T, A) @ vec(X), vec(A @ X @ B), atol=1e-13)
    np.testing.assert_array_equal(unvec(vec(X)), X)


@pytest.mark.parametrize("seed", range(4))
def test_distances__equal_qutip_and_qiskit__random_states(seed: int) -> None:
    rho, sigma = (random_density_matrix(8, seed=10 * seed + k) for k in (0, 1))
    a, b = qutip.Qobj(rho.data), qutip.Qobj(sigma.data)
    assert trace_distance(rho.data, sigma.data) == pytest.approx(qutip.tracedist(a, b), abs=1e-10)
    assert fidelity(rho.data, sigma.data) == pytest.approx(qutip.fidelity(a, b) ** 2, abs=1e-7)
    assert fidelity(rho.data, sigma.data) == pytest.approx(state_fidelity(rho, sigma), abs=1e-7)


def test_distances__reach_their_limits__equal_and_orthogonal() -> None:
    zero, one = (DensityMatrix.from_label(label).data for label in "01")
    assert trace_distance(zero, zero) == 0.0
    assert fidelity(zero, zero) == pytest.approx(1.0)
    assert trace_distance(zero, one) == pytest.approx(1.0)
    assert fidelity(zero, one) == pytest.approx(0.0)
