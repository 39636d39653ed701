from __future__ import annotations

import numpy as np
import pytest
import qutip
import scipy.linalg
from hypothesis import assume, given
from hypothesis import strategies as st
from qiskit.quantum_info import SparsePauliOp

import gibbs_circuits as gc
from gibbs_circuits import models
from gibbs_circuits.errors import InvalidModelError, TooLargeError
from gibbs_circuits.exact.spectral_gap.uniqueness import steady_state_counts
from gibbs_circuits.exact.structure.detailed_balance import kernel_defects, residual
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.kinds.dll import dll
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.generators.matrices import (
    coherent_term,
    couplings_in_energy_basis,
    decay_operator,
    jumps,
    superoperator,
    transition_superoperator,
)
from gibbs_circuits.linalg.arrays import vec
from gibbs_circuits.models.model import Model
from gibbs_circuits.models.spectrum import Spectrum, spectrum
from tests.strategies import betas, few, moderate, systems
from tests.systems import Matrix, Oracle, boltzmann, dense, gaussian

System = tuple[Model, tuple[SparsePauliOp, ...]]
ISING = models.mixed_field_ising(3)


def generator_of(system: System, beta: float) -> Lindbladian:
    model, couplings = system
    return dll(model, beta, couplings, GaussianFilter(beta))


def oracle_of(generator: Lindbladian) -> Oracle:
    couplings = [dense([(p, c.real) for p, c in contact.coupling.to_list()]) for contact in generator.contacts]
    return Oracle(dense(generator.model.terms), couplings, generator.beta, gaussian(generator.beta))


def computational(matrix: Matrix, s: Spectrum) -> Matrix:
    """A superoperator in the energy basis, turned back."""
    U = np.kron(s.vectors.conj(), s.vectors)
    return U @ matrix @ U.conj().T


def choi(matrix: Matrix) -> Matrix:
    d = round(len(matrix) ** 0.5)
    return matrix.reshape(d, d, d, d).transpose(3, 1, 2, 0).reshape(d * d, d * d)


def swap_adjoint(matrix: Matrix) -> Matrix:
    """ρ → (L(ρ†))†."""
    d = round(len(matrix) ** 0.5)
    return matrix.reshape(d, d, d, d).transpose(1, 0, 3, 2).reshape(d * d, d * d).conj()


@pytest.mark.parametrize(
    ("model", "letters"),
    [(models.mixed_field_ising(2), "Y"), (models.heisenberg(2), "XZ"), (models.tfim(2, h=0.0), "X"), (ISING, "Y")],
    ids=["ising2", "heisenberg2", "classical2", "ising3"],
)
@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
def test_superoperator__equals_loops_over_bohr_frequencies__models(model: Model, letters: str, beta: float) -> None:
    generator, s = gc.dll(model, beta, letters), spectrum(model)
    oracle = oracle_of(generator)
    np.testing.assert_allclose(computational(superoperator(generator), s), oracle.matrix(), atol=1e-12)
    np.testing.assert_allclose(s.from_energy(decay_operator(generator)), oracle.decay(), atol=1e-12)
    np.testing.assert_allclose(s.from_energy(coherent_term(generator)), oracle.coherent(), atol=1e-12)
    for mine, theirs in zip(jumps(generator), oracle.jumps(), strict=True):
        np.testing.assert_allclose(s.from_energy(mine), theirs, atol=1e-12)


@few
@given(systems(max_qubits=2), betas)
def test_superoperator__equals_loops_over_bohr_frequencies__generated(system: System, beta: float) -> None:
    generator = generator_of(system, beta)
    expected = oracle_of(generator).matrix()
    found = computational(superoperator(generator), spectrum(system[0]))
    np.testing.assert_allclose(found, expected, atol=1e-10 * max(1.0, float(np.abs(expected).max())))


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_superoperator__equals_qutip__steady_state_and_gap(beta: float) -> None:
    generator = gc.dll(ISING, beta)
    oracle = oracle_of(generator)
    B, sigma = qutip.Qobj(oracle.coherent()), boltzmann(oracle.hamiltonian, beta)
    theirs = qutip.liouvillian(B, [qutip.Qobj(L) for L in oracle.jumps()])
    np.testing.assert_allclose(computational(superoperator(generator), spectrum(ISING)), theirs.full(), atol=1e-12)
    np.testing.assert_allclose(qutip.steadystate(theirs).full(), sigma, atol=1e-9)
    decay = np.sort(-np.linalg.eigvals(theirs.full()).real)
    assert gc.certificate(generator).spectral_gap == pytest.approx(decay[1], rel=1e-9)
    with_H = qutip.liouvillian(B + qutip.Qobj(oracle.hamiltonian), [qutip.Qobj(L) for L in oracle.jumps()])
    mine = computational(superoperator(generator, hamiltonian=True), spectrum(ISING))
    np.testing.assert_allclose(mine, with_H.full(), atol=1e-12)
    np.testing.assert_allclose(qutip.steadystate(with_H).full(), sigma, atol=1e-9)


def test_jumps__equal_their_time_integral__heisenberg_picture() -> None:
    beta, model = 0.8, models.mixed_field_ising(2)
    generator, f = gc.dll(model, beta), GaussianFilter(beta)
    H, A = dense(model.terms), dense([("IY", 1.0)])
    times, step = np.linspace(-5 * beta, 5 * beta, 401, retstep=True)
    total = np.zeros_like(H)
    for t, weight in zip(times, f.time(times), strict=True):
        U = scipy.linalg.expm(1j * H * t)
        total = total + step * weight * U @ A @ U.conj().T
    np.testing.assert_allclose(spectrum(model).from_energy(jumps(generator)[0]), total, atol=1e-10)


def test_transition__values_equal_factors__kernel_and_jumps() -> None:
    generator = gc.dll(ISING, 1.0, "XZ")
    by_factors = sum(np.kron(L.conj(), L) for L in jumps(generator))
    np.testing.assert_allclose(transition_superoperator(generator), by_factors, atol=1e-13)


def test_superoperator__is_kms_and_not_gns_symmetric__ising() -> None:
    beta = 1.0
    L = superoperator(gc.dll(ISING, beta))
    p = spectrum(ISING).populations(beta)
    kms = np.kron(p**0.25, p**0.25)  # of σ^¼ · σ^¼ on column-stacked matrices
    D = L * kms[None, :] / kms[:, None]
    assert np.linalg.norm(D - D.conj().T) < 1e-12 * np.linalg.norm(D)
    gns = np.kron(np.ones(8), p**0.5)  # of σ^½ · 1
    G = L * gns[None, :] / gns[:, None]
    assert np.linalg.norm(G - G.conj().T) > 1e-2 * np.linalg.norm(G)


@moderate
@given(systems(), betas)
def test_dll__is_exact_and_lawful__generated(system: System, beta: float) -> None:
    generator = generator_of(system, beta)
    L, s = superoperator(generator), spectrum(system[0])
    size = max(float(np.abs(L).max()), 1e-300)
    assert residual(generator) <= 1e-12
    assert kernel_defects(generator)[0] <= 1e-12
    assert np.abs(vec(np.eye(s.dim)) @ L).max() <= 1e-12 * size  # trace preserved
    assert np.abs(swap_adjoint(L) - L).max() <= 1e-12 * size  # Hermiticity preserved
    K = superoperator(generator, hamiltonian=True)
    sigma = vec(np.diag(s.populations(beta)))
    assert np.linalg.norm(K @ sigma) <= 1e-12 * np.linalg.norm(K, 2) * np.linalg.norm(sigma)


@few
@given(systems(), betas, st.sampled_from([0.1, 1.0, 10.0]))
def test_dll__is_completely_positive__generated(system: System, beta: float, time: float) -> None:
    L = superoperator(generator_of(system, beta), hamiltonian=True)
    eigenvalues = np.linalg.eigvalsh(choi(scipy.linalg.expm(L * time / max(np.linalg.norm(L, 2), 1e-300))))
    assert eigenvalues[0] > -1e-11
    assert eigenvalues.sum() == pytest.approx(np.sqrt(len(L)))


def test_choi__control__a_transpose_is_not_completely_positive() -> None:
    swap = np.eye(4)[[0, 2, 1, 3]]
    assert np.linalg.eigvalsh(choi(swap))[0] == pytest.approx(-1)
    assert np.linalg.eigvalsh(choi(np.eye(4)))[0] == pytest.approx(0, abs=1e-15)


def nullity(matrix: Matrix) -> int:
    values = np.linalg.svd(matrix, compute_uv=False)
    return int(np.sum(values <= 1e-11 * values[0])) if values[0] > 0 else len(values)


@moderate
@given(systems(), st.sampled_from([0.5, 1.0, 2.0]))
def test_steady_state_counts__equal_the_nullity__generated(system: System, warmth: float) -> None:
    nu = spectrum(system[0]).bohr_frequencies
    distinct = np.unique(np.round(np.abs(nu), 9))
    assume(distinct.size < 2 or np.diff(distinct).min() > 1e-2)  # else the kernel has honest eigenvalues of 1e-12
    generator = generator_of(system, warmth / max(float(np.abs(nu).max()), 1.0))
    plain, with_H = steady_state_counts(generator)
    assert plain == nullity(superoperator(generator))
    assert with_H == nullity(superoperator(generator, hamiltonian=True))


@few
@given(systems())
def test_steady_state_counts__equal_the_nullity__beta_zero(system: System) -> None:
    generator = generator_of(system, 0.0)
    assert steady_state_counts(generator)[0] == nullity(superoperator(generator))


def test_couplings_of__goes_letter_by_letter__two_sites() -> None:
    found = [op.to_list() for op in couplings_of("XZ", 2)]
    assert found == [[("IX", 1)], [("XI", 1)], [("IZ", 1)], [("ZI", 1)]]


def test_couplings_of__keeps_order__operators_and_terms() -> None:
    found = couplings_of([SparsePauliOp("ZZ"), [["XI", 0.5], ["IY", 1]]], 2)
    assert found[0] == SparsePauliOp("ZZ")
    np.testing.assert_allclose(found[1].to_matrix(), dense([("XI", 0.5), ("IY", 1.0)]))


def test_dll__spellings_agree__letters_operators_terms() -> None:
    letters, operators = gc.dll(ISING, 1.0, "Y"), [SparsePauliOp(p) for p in ("IIY", "IYI", "YII")]
    terms = [[[op.paulis[0].to_label(), 1.0]] for op in operators]
    for other in (gc.dll(ISING, 1.0, operators), gc.dll(ISING, 1.0, terms), gc.kms(ISING, 1.0)):
        np.testing.assert_array_equal(superoperator(other), superoperator(letters))


def test_lindbladian__checks_hermiticity__after_merging_terms() -> None:
    merged = SparsePauliOp(["IIY", "IIY"], [0.5 + 0.5j, 0.5 - 0.5j])
    np.testing.assert_allclose(couplings_in_energy_basis(gc.dll(ISING, 1.0, [merged]))[0], on_ising("IIY"), atol=1e-13)
    with pytest.raises(InvalidModelError, match=r"couplings\[0\]. must be Hermitian"):
        gc.dll(ISING, 1.0, [SparsePauliOp(["IIX", "IIY"], [1, 1j])])


def on_ising(label: str) -> Matrix:
    return spectrum(ISING).to_energy(dense([(label, 1.0)]))


def test_lindbladian__shows_itself__on_one_line() -> None:
    assert repr(gc.dll(ISING, 0.5)) == (
        "Lindbladian(dll of mixed_field_ising: 3 qubits, β = 0.5, 3 couplings, coherent = balance)"
    )


def test_superoperator__says_what_does_not_fit__six_qubits() -> None:
    with pytest.raises(TooLargeError, match=r"4096 × 4096.*limit is 5"):
        superoperator(gc.dll(models.tfim(6), 1.0))
