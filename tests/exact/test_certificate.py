from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from qiskit.quantum_info import SparsePauliOp

import gibbs_circuits as gc
from gibbs_circuits import models
from gibbs_circuits.exact.certificate.certificate import Certificate, certificate
from gibbs_circuits.exact.structure.detailed_balance import coherent_defects, kernel_defects
from gibbs_circuits.generators.contact import Coherent
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.filters.base import Filter
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.kinds.dll import dll
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.generators.matrices import superoperator
from gibbs_circuits.linalg.arrays import vec
from gibbs_circuits.linalg.channels import largest_singular_value
from gibbs_circuits.models.model import Model, from_terms
from gibbs_circuits.models.spectrum import spectrum
from tests.systems import (
    FormulaFilter,
    Oracle,
    dense,
    gaussian,
    hopping_gap,
    hopping_terms,
    label,
    majoranas,
    metropolis,
    model_of,
    reference,
)

KINDS = {"dll_gaussian": GaussianFilter, "dll_metropolis_no_bump": metropolis}
ROWS = [
    pytest.param(case, row, id=f"{case['name']}-{case['beta']}-{row['couplings']}-{row['kind']}")
    for case in reference("thermal_and_gaps")
    for row in case["generators"]
    if row["kind"] in KINDS
]
ISING = models.mixed_field_ising(4)


def with_filter(model: Model, beta: float, filter: Filter, letters: str = "Y") -> Lindbladian:
    return dll(model, beta, couplings_of(letters, model.num_qubits), filter)


def finite(found: Certificate) -> bool:
    return all(math.isfinite(value) for value in asdict(found).values() if isinstance(value, float))


@pytest.mark.parametrize(("case", "row"), ROWS)
def test_certificate__equals_reference__every_dll_row(case: dict[str, Any], row: dict[str, Any]) -> None:
    model, beta = model_of(case), case["beta"]
    generator = with_filter(model, beta, KINDS[row["kind"]](beta), row["couplings"])
    found = certificate(generator)
    assert found.spectral_gap == pytest.approx(row["spectral_gap"], rel=1e-5)
    assert found.residual <= 1e-12
    assert found.kms_defect <= 1e-12
    assert found.steady_states == found.steady_states_with_hamiltonian == row["steady_states"]
    without = replace(generator, coherent=Coherent.NONE)
    L, sigma = superoperator(without), vec(np.diag(spectrum(model).populations(beta)))
    assert np.linalg.norm(L @ sigma) == pytest.approx(row["residual_without_coherent"], rel=1e-6, abs=1e-14)
    relative = np.linalg.norm(L @ sigma) / np.linalg.norm(L, 2) / np.linalg.norm(sigma)
    assert found.residual_without_coherent == pytest.approx(relative, rel=1e-9, abs=1e-15)
    gap = np.sort(-np.linalg.eigvals(L).real)[1]
    assert gap == pytest.approx(row["spectral_gap_without_coherent"], rel=1e-5)


def test_certificate__without_coherent__has_the_reference_gap() -> None:
    row = next(param.values[1] for param in ROWS if param.id == "mixed_field_ising_3-1.0-Y-dll_gaussian")
    found = certificate(gc.dll(models.mixed_field_ising(3), 1.0, coherent="none"))
    assert found.spectral_gap == pytest.approx(row["spectral_gap_without_coherent"], rel=1e-5)


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_certificate__free_fermion_gap__hopping_chain_with_majoranas(n: int, beta: float) -> None:
    found = certificate(gc.dll(from_terms(hopping_terms(n)), beta, majoranas(n)))
    assert found.spectral_gap == pytest.approx(hopping_gap(n, beta), rel=1e-10)
    assert found.steady_states == 1  # two generic combinations of eight Majoranas would say 4 at n = 4


def test_hopping_gap__printed_values__four_sites() -> None:
    assert hopping_gap(4, 1.0) == pytest.approx(1.39850316, abs=1e-8)
    assert hopping_gap(4, 2.0) == pytest.approx(0.38234380, abs=1e-8)


@pytest.mark.parametrize("beta", [0.3, 1.0, 3.0])
def test_certificate__closed_form__one_qubit(beta: float) -> None:
    omega = 1.3
    generator = gc.dll(from_terms([("Z", -omega / 2)]), beta, "X")
    f = gaussian(beta)
    up, down = f(omega) ** 2, f(-omega) ** 2
    assert up / down == pytest.approx(np.exp(-beta * omega))
    found = certificate(generator)
    coherence = (up + down) / 2 - f(omega) * f(-omega)  # X is real: σ₊ and σ₋ feed each other's coherence
    assert found.spectral_gap == pytest.approx(min(up + down, coherence), rel=1e-12)
    assert found.lowest_population == pytest.approx(1 / (np.exp(beta * omega) + 1))
    assert found.steady_states == 1


def test_certificate__control__without_coherent_term() -> None:
    balanced = certificate(gc.dll(ISING, 1.0))
    assert balanced.residual <= 1e-15
    assert balanced.residual_without_coherent == pytest.approx(1.66e-2, abs=5e-5)
    left_out = certificate(gc.dll(ISING, 1.0, coherent="none"))
    assert left_out.residual == balanced.residual_without_coherent
    assert left_out.coherent_defect > 1e-3
    assert left_out.kms_defect == left_out.coherent_defect
    assert left_out.kernel_defect <= 1e-12


def test_oracle__control__wrong_sign_is_twice_leaving_out() -> None:
    model = models.mixed_field_ising(3)
    couplings = [dense([(label(3, {i: "Y"}), 1.0)]) for i in range(3)]
    right, absent, wrong = (Oracle(dense(model.terms), couplings, 1.0, gaussian(1.0), sign) for sign in (1, 0, -1))
    assert right.residual() <= 1e-15
    assert absent.residual() == pytest.approx(gc.certificate(gc.dll(model, 1.0)).residual_without_coherent, rel=1e-9)
    sigma = vec(np.asarray(gc.gibbs_state(model, 1.0)))
    violation = [float(np.linalg.norm(L.matrix() @ sigma)) for L in (absent, wrong)]
    assert violation[1] == pytest.approx(2 * violation[0], rel=1e-12)
    assert violation[0] > 1e-3


BAD_FILTERS: dict[str, tuple[Filter, float]] = {
    "lopsided": (FormulaFilter(1.0, lambda x: np.exp(-(x**2) / 8) * (1 + 0.1 * x)), 1.0),
    "complex": (FormulaFilter(1.0, lambda x: np.exp(-(x**2) / 8) * np.exp(0.1j * x**2)), 1.0),
    "other_beta": (FormulaFilter(1.0, lambda x: np.exp(-((1.1 * x) ** 2) / 8 - 0.1 * x / 4)), 1.0),
}


@pytest.mark.parametrize("case", BAD_FILTERS)
def test_certificate__control__filter_without_detailed_balance(case: str) -> None:
    filter, beta = BAD_FILTERS[case]
    generator = with_filter(models.mixed_field_ising(3), beta, filter)
    found = certificate(generator)
    assert found.kernel_defect > 1e-2
    assert found.kms_defect == found.kernel_defect
    assert found.residual > 1e-4
    # the gap is then of L itself, not of a Hermitian part that has other eigenvalues
    assert found.spectral_gap == pytest.approx(np.sort(-np.linalg.eigvals(superoperator(generator)).real)[1], rel=1e-9)


@pytest.mark.parametrize(
    "q", [lambda x: np.exp(-(x**2) / 8 + 0.3j * x), lambda x: 1 / np.cosh(x / 4) ** 0.5], ids=["phase", "ule_like"]
)
def test_certificate__passes__any_filter_with_the_symmetry(q: Any) -> None:
    found = certificate(with_filter(models.mixed_field_ising(3), 0.8, FormulaFilter(0.8, q)))
    assert found.residual <= 1e-12
    assert found.kms_defect <= 1e-12


def test_kernel_defect__has_no_nan__filter_that_is_zero() -> None:
    generator = with_filter(models.tfim(2), 1.0, FormulaFilter(1.0, lambda x: 0 * x))
    assert kernel_defects(generator)[:2] == (0.0, 0.0)
    assert coherent_defects(generator) == (0.0, 0.0)
    assert finite(certificate(generator))
    assert certificate(generator).steady_states == 16


def test_certificate__counts_conserved_quantities__classical_chain_coupled_by_z() -> None:
    found = certificate(gc.dll(models.tfim(3, h=0.0), 1.0, "Z"))
    assert found.steady_states == found.steady_states_with_hamiltonian == 8
    assert found.residual_without_coherent == 0.0
    assert found.spectral_gap == pytest.approx(2.0)  # dephasing at f̂(0) = 1


def test_certificate__counts_conserved_quantities__hamiltonian_removes_some() -> None:
    found = certificate(gc.dll(from_terms([("IX", 1.0), ("XI", 0.7)]), 1.0, [SparsePauliOp("IZ")]))
    assert (found.steady_states, found.steady_states_with_hamiltonian) == (4, 2)
    assert found.spectral_gap > 0


def test_certificate__counts_conserved_quantities__magnetisation_of_an_xxz_chain() -> None:
    found = certificate(gc.dll(models.xxz(3, 1.0, 0.5, [0.3, -0.2, 0.45]), 1.0, "Z"))
    assert found.steady_states == 4  # one per sector of total Z


def test_certificate__beta_zero__dephases_in_the_basis_of_the_couplings() -> None:
    found = certificate(gc.dll(models.mixed_field_ising(2), 0.0, "Y"))
    assert (found.steady_states, found.steady_states_with_hamiltonian) == (4, 1)
    assert found.spectral_gap == pytest.approx(2.0)
    assert found.residual <= 1e-15
    assert found.residual_without_coherent <= 1e-15
    assert certificate(gc.dll(models.mixed_field_ising(2), 0.0, "XY")).steady_states == 1


@pytest.mark.parametrize(("letters", "count", "gap"), [("Y", 4, 2.0), ("XYZ", 1, 4.0)])
def test_certificate__zero_hamiltonian__depolarises(letters: str, count: int, gap: float) -> None:
    found = certificate(gc.dll(from_terms([("II", 0.0)]), 1.0, letters))
    assert found.steady_states == found.steady_states_with_hamiltonian == count
    assert found.spectral_gap == pytest.approx(gap)
    assert found.lowest_population == 0.25


@pytest.mark.parametrize("beta", [0.0, 1e-12, 10.0, 50.0, 1e4])
@pytest.mark.parametrize("model", [from_terms([("Z", 0.5)]), models.mixed_field_ising(3)], ids=["qubit", "ising"])
def test_certificate__has_no_nan__extreme_temperatures(model: Model, beta: float) -> None:
    found = certificate(gc.dll(model, beta))
    assert finite(found)
    if found.rates is not None and found.rates.dead:  # at β = 10⁴ nothing moves in doubles: no figure is claimed
        assert beta == 1e4
        assert (found.residual, found.kms_defect, found.bias, found.spectral_gap) == (None,) * 4
        return
    assert found.residual <= 1e-12
    assert found.kms_defect <= 1e-12
    assert math.copysign(1.0, found.spectral_gap or 0.0) == 1.0


def test_certificate__counts_one__qubit_at_low_temperature() -> None:
    found = certificate(gc.dll(from_terms([("Z", 0.5)]), 50.0, "X"))
    assert found.steady_states == 1
    assert found.lowest_population == pytest.approx(np.exp(-50.0), rel=1e-12)


@pytest.mark.parametrize("unit", [1e-10, 1.0, 1e10])
def test_certificate__does_not_depend_on_the_unit_of_energy__same_beta_h(unit: float) -> None:
    terms = [("IX", unit), ("XI", 0.7 * unit), ("ZZ", 0.3 * unit)]
    found = certificate(gc.dll(from_terms(terms), 1.0 / unit, [SparsePauliOp("IZ")]))
    assert (found.steady_states, found.steady_states_with_hamiltonian) == (1, 1)
    assert found.spectral_gap == pytest.approx(0.00054726732993, rel=1e-8)
    uncoupled = certificate(gc.dll(from_terms(terms[:2]), 1.0 / unit, [SparsePauliOp("IZ")]))
    assert (uncoupled.steady_states, uncoupled.steady_states_with_hamiltonian) == (4, 2)


def test_certificate__mixing_bound__from_gap_and_lowest_population() -> None:
    found = certificate(gc.dll(models.mixed_field_ising(3), 1.0))
    expected = np.log(1 / (0.1 * np.sqrt(found.lowest_population))) / found.spectral_gap
    assert found.mixing_bound == pytest.approx(expected)


def test_certificate__says_only_what_it_knows__more_qubits_than_asked_for() -> None:
    found = asdict(gc.certificate(gc.dll(models.tfim(6), 1.0), max_qubits=5))
    assert found.pop("error_estimate") == {}
    assert set(found.values()) == {None, (), False}
    assert "not_checked" in str(gc.certificate(gc.dll(models.tfim(9), 1.0)))


def test_certificate__is_complete__six_qubits() -> None:
    found = certificate(gc.dll(models.tfim(6), 1.0))
    assert found.residual <= 1e-12
    assert found.kms_defect <= 1e-12
    assert (found.steady_states, found.steady_states_with_hamiltonian, found.conserved) == (1, 1, ())
    assert found.spectral_gap > 100 * found.gap_resolution


def test_largest_singular_value__lanczos_equals_dense__five_qubits_wide() -> None:
    rng = np.random.default_rng(3)
    matrix = rng.standard_normal((300, 300)) + 1j * rng.standard_normal((300, 300))
    assert largest_singular_value(matrix) == pytest.approx(np.linalg.norm(matrix, 2), rel=1e-10)
