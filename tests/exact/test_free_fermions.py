from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st

from gibbs_circuits.errors import ArgumentError, InvalidModelError, TooLargeError
from gibbs_circuits.exact.free_fermions.model import (
    QuadraticModel,
    energy,
    free_energy,
    hopping_chain,
    quadratic,
    tfim_chain,
    thermal_covariance,
)
from gibbs_circuits.exact.free_fermions.third_quantisation import (
    QuadraticGenerator,
    covariance_equation,
    rapidities,
    relaxation,
    residual,
    spectral_gap,
    steady_covariance,
    steady_states,
)
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from tests.strategies import GRID, SMOOTH, few, moderate
from tests.systems import (
    FormulaFilter,
    Matrix,
    Real,
    bohr_components,
    boltzmann,
    dense,
    hopping_gap,
    hopping_terms,
    label,
    lowering,
    metropolis,
    reference,
)

FILTERS = {
    "gaussian": GaussianFilter,
    "metropolis": metropolis,
    "phase": lambda beta: FormulaFilter(beta, lambda x: np.exp(-(x**2) / 8 + 0.4j * x)),
    "global_phase": lambda beta: FormulaFilter(beta, lambda x: np.exp(-(x**2) / 8 + 0.7j)),  # solved, not read off
    "lopsided": lambda beta: FormulaFilter(beta, lambda x: np.exp(-(x**2) / 8) * (1 + 0.3 * x)),
    "chirped": lambda beta: FormulaFilter(beta, lambda x: np.exp(-(x**2) / 8 + 0.3j * x**2)),
}
BALANCED = ["gaussian", "metropolis", "phase", "global_phase"]
NO_BALANCE = ["lopsided", "chirped"]


def jordan_wigner(modes: int) -> list[Matrix]:
    c = [lowering(j, modes) for j in range(modes)]
    return [w for a in c for w in (a + a.conj().T, 1j * (a.conj().T - a))]


def hamiltonian_of(h: Real, w: list[Matrix]) -> Matrix:
    return 0.25j * sum(h[j, k] * w[j] @ w[k] for j, k in itertools.product(range(len(w)), repeat=2))


class Dense:
    """The generator on all operators, every matrix from Bohr components of explicit Jordan–Wigner matrices."""

    def __init__(self, generator: QuadraticGenerator, sign: float | None = None, w: list[Matrix] | None = None):
        h, beta = np.asarray(generator.model.majorana), generator.filter.beta
        self.w = jordan_wigner(len(h) // 2) if w is None else w
        self.H = hamiltonian_of(h, self.w)
        rows = np.eye(len(h)) if generator.couplings is None else generator.couplings
        self.jumps = []
        for row in rows:
            parts = bohr_components(self.H, sum(c * w for c, w in zip(row, self.w, strict=True)))
            self.jumps.append(sum(complex(generator.filter.frequency(np.array(nu))) * part for nu, part in parts))
        self.R = sum(L.conj().T @ L for L in self.jumps)
        sign = float(generator.coherent) if sign is None else sign
        self.B = sign * sum(0.5j * np.tanh(beta * nu / 4) * part for nu, part in bohr_components(self.H, self.R))

    def apply(self, rho: Matrix, hamiltonian: bool = False) -> Matrix:
        G = self.B + hamiltonian * self.H
        gain = sum(L @ rho @ L.conj().T for L in self.jumps)
        return -1j * (G @ rho - rho @ G) + gain - (self.R @ rho + rho @ self.R) / 2

    def matrix(self, hamiltonian: bool = False) -> Matrix:
        one = np.eye(len(self.H))
        drift = -1j * (self.B + hamiltonian * self.H) - self.R / 2
        gain = sum(np.kron(L.conj(), L) for L in self.jumps)
        return gain + np.kron(one, drift) + np.kron(drift.conj(), one)

    def covariance(self, rho: Matrix) -> Real:
        return np.array([[(0.5j * np.trace(rho @ (a @ b - b @ a))).real for b in self.w] for a in self.w])


def subset_sums(values: Matrix) -> Matrix:
    sums = np.zeros(1, dtype=complex)
    for value in values:
        sums = np.concatenate([sums, sums + value])
    return sums


def spectra_apart(one: Matrix, other: Matrix) -> float:
    """Largest distance in the best pairing of two lists of complex numbers."""
    distance = np.abs(one[:, None] - other[None, :])
    return float(np.max(distance[scipy.optimize.linear_sum_assignment(distance)]))


def state(rng: np.random.Generator, dim: int) -> Matrix:
    g = rng.standard_normal((dim, dim)) + 1j * rng.standard_normal((dim, dim))
    return g @ g.conj().T / np.trace(g @ g.conj().T)


@st.composite
def generators(draw: st.DrawFn, kinds: list[str], max_modes: int = 3, coherent: bool = True) -> QuadraticGenerator:
    n = draw(st.integers(1, max_modes))
    value = draw(st.sampled_from([GRID, SMOOTH]))
    upper = np.triu(np.array([[draw(value) for _ in range(2 * n)] for _ in range(2 * n)]), 1)
    numbers = draw(st.sampled_from([GRID, SMOOTH]))
    rows = np.array([[draw(numbers) for _ in range(2 * n)] for _ in range(draw(st.integers(1, 2 * n)))])
    rows[~np.any(rows, axis=1), 0] = 1.0
    kind = FILTERS[draw(st.sampled_from(kinds))](draw(st.floats(0.0, 2.5)))
    return QuadraticGenerator(QuadraticModel(2 * (upper - upper.T)), kind, rows, coherent)


any_generator = st.booleans().flatmap(lambda coherent: generators([*FILTERS], coherent=coherent))


def random_model(n: int, seed: int) -> QuadraticModel:
    a = np.random.default_rng(seed).standard_normal((2 * n, 2 * n))
    return QuadraticModel(a - a.T)


def on_site(n: int, *sites: int) -> Real:
    return np.eye(2 * n)[[row for site in sites for row in (2 * site, 2 * site + 1)]]


# the equation of motion, against dense matrices


@moderate
@given(any_generator, st.booleans(), st.integers(0, 2**32 - 1))
def test_covariance_equation__equals_dense_derivative__any_state(
    generator: QuadraticGenerator, hamiltonian: bool, seed: int
) -> None:
    oracle = Dense(generator)
    rho = state(np.random.default_rng(seed), len(oracle.H))
    gamma, rate = oracle.covariance(rho), oracle.covariance(oracle.apply(rho, hamiltonian))
    X, Y = covariance_equation(generator, hamiltonian)
    np.testing.assert_allclose(X @ gamma + gamma @ X.T + Y, rate, atol=1e-10 * max(1, np.max(np.abs(X))))


@pytest.mark.parametrize("sign", [0.0, -1.0])
def test_covariance_equation__control__coherent_term_absent_or_turned(sign: float) -> None:
    generator = QuadraticGenerator(random_model(3, 1), GaussianFilter(1.0), on_site(3, 0))
    rho = state(np.random.default_rng(0), 8)
    X, Y = covariance_equation(generator)
    for factor, oracle in ((1.0, Dense(generator)), (sign, Dense(generator, sign))):
        gamma = oracle.covariance(rho)
        difference = np.max(np.abs(X @ gamma + gamma @ X.T + Y - oracle.covariance(oracle.apply(rho))))
        assert difference <= 1e-12 if factor == 1.0 else difference > 1e-2


@few
@given(any_generator, st.booleans())
def test_rapidities__subset_sums_are_dense_spectrum__all_operators(
    generator: QuadraticGenerator, hamiltonian: bool
) -> None:
    L = Dense(generator).matrix(hamiltonian)
    found = subset_sums(rapidities(generator, hamiltonian))
    # where L has Jordan blocks its eigenvalues are only good to a root of the rounding error
    assert spectra_apart(found, -np.linalg.eigvals(L)) <= 1e-4 * max(1, np.linalg.norm(L, 2))


@moderate
@given(generators(BALANCED), st.booleans())
def test_rapidities__balanced_form_has_the_eigenvalues_of_x(generator: QuadraticGenerator, hamiltonian: bool) -> None:
    X, _ = covariance_equation(generator, hamiltonian)
    found = rapidities(generator, hamiltonian)
    apart = spectra_apart(found, -np.linalg.eigvals(X))
    assert apart <= (1e-9 if not hamiltonian else 1e-5) * max(1.0, np.linalg.norm(X, 2))
    assert np.all(found.real >= -1e-12 * max(1.0, np.linalg.norm(X, 2)))


CASES = [
    pytest.param(n, beta, kind, coherent, hamiltonian, id=f"{n}-{beta}-{kind}-B{coherent:d}-H{hamiltonian:d}")
    for n, beta in [(2, 0.7), (3, 1.0), (4, 1.6)]
    for kind in ["gaussian", "metropolis", "lopsided"]
    for coherent, hamiltonian in [(True, False), (False, False), (True, True), (False, True)]
]


@pytest.mark.parametrize(("n", "beta", "kind", "coherent", "hamiltonian"), CASES)
def test_spectral_gap__equals_dense__random_model(
    n: int, beta: float, kind: str, coherent: bool, hamiltonian: bool
) -> None:
    rows = np.random.default_rng(n).standard_normal((2 * n - 1, 2 * n))
    generator = QuadraticGenerator(random_model(n, 10 + n), FILTERS[kind](beta), rows, coherent)
    L = Dense(generator).matrix(hamiltonian)
    assert steady_states(generator) == 1
    expected = np.sort(-np.linalg.eigvals(L).real)[1]
    # for any filter but a balanced one with B, L has no Hermitian form, and its small eigenvalues lose digits
    assert spectral_gap(generator, hamiltonian) == pytest.approx(expected, rel=1e-8)
    even = np.sort(rapidities(generator, hamiltonian).real)[:2].sum()
    assert even > expected * (1 + 1e-6)  # the gap belongs to an odd operator; a pair decays faster


# the closed form


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7, 8, 33, 128])
@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 2.0])
def test_spectral_gap__closed_form__hopping_chain(n: int, beta: float) -> None:
    gap = spectral_gap(QuadraticGenerator(hopping_chain(n), GaussianFilter(beta)))
    assert gap == pytest.approx(hopping_gap(n, beta), rel=1e-12)


@pytest.mark.parametrize("beta", [*(pytest.param(beta, marks=pytest.mark.slow) for beta in (0.5, 1.0)), 2.0])
def test_spectral_gap__closed_form__512_sites(beta: float) -> None:
    generator = QuadraticGenerator(hopping_chain(512), GaussianFilter(beta))
    assert spectral_gap(generator) == pytest.approx(hopping_gap(512, beta), rel=1e-12)


def test_spectral_gap__printed_values__four_sites() -> None:
    for beta, gap in ((1.0, 1.39850316), (2.0, 0.38234380)):
        assert spectral_gap(QuadraticGenerator(hopping_chain(4), GaussianFilter(beta))) == pytest.approx(gap, abs=5e-9)


def test_spectral_gap__control__pairs_of_rapidities_are_not_the_gap() -> None:
    found = rapidities(QuadraticGenerator(hopping_chain(4), GaussianFilter(1.0))).real
    assert found[0] + found[1] == pytest.approx(2 * hopping_gap(4, 1.0))


# thermal state


@pytest.mark.parametrize("case", reference("tfim_free_fermions"), ids=lambda c: f"{c['L']}-{c['g']}-{c['beta']}")
def test_energy__equals_reference__transverse_field_ising_chain(case: dict[str, Any]) -> None:
    model, beta = tfim_chain(case["L"], case["J"], case["g"]), case["beta"]
    found = energy(model, thermal_covariance(model, beta))
    assert found == pytest.approx(case["energy"], rel=1e-11)
    assert free_energy(model, beta) == pytest.approx(case["free_energy"], rel=1e-11)
    assert beta * (found - (free_energy(model, beta) or 0.0)) == pytest.approx(case["entropy"], rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("seed", [0, 1])
def test_quadratic__equals_dense__hopping_and_pairing(seed: int) -> None:
    rng, n = np.random.default_rng(seed), 3
    t, d = rng.standard_normal((2, n, n)) + 1j * rng.standard_normal((2, n, n))
    t, d = t + t.conj().T, d - d.T
    c = [lowering(j, n) for j in range(n)]
    H = np.zeros((8, 8), dtype=complex)
    for i, j in itertools.product(range(n), repeat=2):
        pair = d[i, j] * c[i].conj().T @ c[j].conj().T
        H += t[i, j] * c[i].conj().T @ c[j] + (pair + pair.conj().T) / 2
    model = quadratic(t, d)
    np.testing.assert_allclose(
        hamiltonian_of(np.asarray(model.majorana), jordan_wigner(n)) + model.offset * np.eye(8), H, atol=1e-13
    )
    sigma = boltzmann(H, 0.8)
    gamma = thermal_covariance(model, 0.8)
    np.testing.assert_allclose(
        gamma, Dense(QuadraticGenerator(model, GaussianFilter(0.8))).covariance(sigma), atol=1e-12
    )
    assert energy(model, gamma) == pytest.approx(np.trace(H @ sigma).real, rel=1e-12)
    E = np.linalg.eigvalsh(H)
    assert free_energy(model, 0.8) == pytest.approx(-np.log(np.exp(-0.8 * E).sum()) / 0.8, rel=1e-12)


def test_hopping_chain__equals_spin_terms__with_chemical_potential() -> None:
    model = hopping_chain(3, 1.0, 0.3)
    H = dense(hopping_terms(3)) - 0.3 * sum(lowering(j, 3).T @ lowering(j, 3) for j in range(3))
    found = hamiltonian_of(np.asarray(model.majorana), jordan_wigner(3)) + model.offset * np.eye(8)
    np.testing.assert_allclose(found, H, atol=1e-14)


def test_hopping_chain__momentum_levels__periodic() -> None:
    n, beta = 6, 1.3
    eps = 2 * np.cos(2 * np.pi * np.arange(n) / n) - 0.4
    model = hopping_chain(n, 1.0, 0.4, periodic=True)
    np.testing.assert_allclose(model.energies, np.sort(np.abs(eps)), atol=1e-13)
    found = energy(model, thermal_covariance(model, beta))
    assert found == pytest.approx(np.sum(eps / (np.exp(beta * eps) + 1)), rel=1e-12)


def test_tfim_chain__equals_spin_chain__jumps_with_strings() -> None:
    n, J, h, beta = 3, 1.0, 0.7, 0.9
    string = {site: dict.fromkeys(range(site), "X") for site in range(n)}
    w = [dense([(label(n, {**string[site], site: p}), 1.0)]) for site in range(n) for p in "ZY"]
    terms = [(label(n, {i: "Z", i + 1: "Z"}), -J) for i in range(n - 1)] + [(label(n, {i: "X"}), -h) for i in range(n)]
    generator = QuadraticGenerator(tfim_chain(n, J, h), GaussianFilter(beta), np.eye(2 * n)[[0, 3]])
    oracle = Dense(generator, w=w)
    np.testing.assert_allclose(oracle.H, dense(terms), atol=1e-14)
    expected = np.sort(-np.linalg.eigvals(oracle.matrix()).real)[1]
    assert spectral_gap(generator) == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(oracle.apply(boltzmann(oracle.H, beta)), 0, atol=1e-14)


# steady state


@moderate
@given(any_generator, st.booleans())
def test_steady_covariance__is_the_limit_of_the_mixed_state__dense(
    generator: QuadraticGenerator, hamiltonian: bool
) -> None:
    oracle = Dense(generator)
    L, d = oracle.matrix(hamiltonian), len(oracle.H)
    slowest = rapidities(generator, hamiltonian).real
    slowest = slowest[slowest > 1e-9]
    gamma = steady_covariance(generator, hamiltonian)
    assert residual(generator, gamma, hamiltonian) <= 1e-7
    if slowest.size and slowest[0] > 1e-3 * np.linalg.norm(L, 1):
        flow = scipy.linalg.expm(L * 40 / slowest[0])
        rho = (flow @ np.eye(d).reshape(-1, order="F") / d).reshape(d, d, order="F")
        np.testing.assert_allclose(gamma, oracle.covariance(rho), atol=1e-8)


@moderate
@given(generators(BALANCED, max_modes=6))
def test_residual__thermal_state_is_stationary__in_balance(generator: QuadraticGenerator) -> None:
    assert residual(generator) <= 1e-13
    assert residual(generator, hamiltonian=True) <= 1e-13


@pytest.mark.parametrize("kind", BALANCED)
@pytest.mark.parametrize("n", [2, 5, 40])
def test_steady_covariance__is_thermal__with_coherent_term(kind: str, n: int) -> None:
    beta = 0.8
    model = tfim_chain(n, 1.0, 0.6)
    generator = QuadraticGenerator(model, FILTERS[kind](beta), np.eye(2 * n) + 0.2 * np.eye(2 * n, k=1))
    np.testing.assert_allclose(steady_covariance(generator), thermal_covariance(model, beta), atol=1e-12)


@pytest.mark.parametrize("hamiltonian", [False, True])
def test_steady_covariance__solved_equals_read_off__several_frequencies(hamiltonian: bool) -> None:
    model = random_model(4, 3)
    rows = np.random.default_rng(4).standard_normal((3, 8))
    read_off, solved = (
        steady_covariance(QuadraticGenerator(model, FILTERS[kind](0.4), rows), hamiltonian)
        for kind in ("gaussian", "global_phase")
    )
    np.testing.assert_array_equal(read_off, thermal_covariance(model, 0.4))
    np.testing.assert_allclose(solved, read_off, atol=1e-10)
    assert np.any(solved != read_off)


@pytest.mark.parametrize("hamiltonian", [False, True])
def test_steady_covariance__control__without_coherent_term(hamiltonian: bool) -> None:
    model = random_model(3, 5)
    generator = QuadraticGenerator(model, GaussianFilter(1.0), on_site(3, 0, 1), coherent=False)
    gamma = steady_covariance(generator, hamiltonian)
    assert residual(generator, gamma, hamiltonian) <= 1e-12
    assert np.max(np.abs(gamma - thermal_covariance(model, 1.0))) > 1e-2
    assert residual(generator) > 1e-3


@pytest.mark.parametrize("kind", NO_BALANCE)
def test_residual__control__filter_without_detailed_balance(kind: str) -> None:
    assert residual(QuadraticGenerator(random_model(3, 5), FILTERS[kind](1.0), on_site(3, 0, 1))) > 1e-3


def test_steady_covariance__is_thermal_without_coherent_term__one_frequency_per_jump() -> None:
    model = hopping_chain(6)  # all Majoranas: Σ c cᵀ = 1, so that no two frequencies meet
    generator = QuadraticGenerator(model, GaussianFilter(1.0), coherent=False)
    np.testing.assert_allclose(steady_covariance(generator), thermal_covariance(model, 1.0), atol=1e-12)


def test_relaxation__equals_dense__from_a_product_state() -> None:
    generator = QuadraticGenerator(random_model(3, 8), GaussianFilter(0.7), on_site(3, 0, 2))
    oracle = Dense(generator)
    rho = np.diag([1.0, *[0.0] * 7]).astype(complex)
    times, start = [0.0, 0.3, 2.0], oracle.covariance(rho)
    for hamiltonian in (False, True):
        found = relaxation(generator, start, times, hamiltonian)
        for time, gamma in zip(times, found, strict=True):
            flow = scipy.linalg.expm(oracle.matrix(hamiltonian) * time)
            late = (flow @ rho.reshape(-1, order="F")).reshape(8, 8, order="F")
            np.testing.assert_allclose(gamma, oracle.covariance(late), atol=1e-11)
    assert relaxation(generator, start, []).shape == (0, 6, 6)


def test_relaxation__ends_at_the_thermal_energy__sixty_sites() -> None:
    model = tfim_chain(60, 1.0, 0.7)
    generator = QuadraticGenerator(model, GaussianFilter(0.5))
    gap = spectral_gap(generator)
    assert gap is not None
    late = relaxation(generator, np.zeros((120, 120)), [0.0, 20 / gap])[1]
    thermal = energy(model, thermal_covariance(model, 0.5))
    assert energy(model, late) == pytest.approx(thermal, rel=1e-12)


# edges


@pytest.mark.parametrize("beta", [0.0, 1e-12, 50.0, 1e4, 1e50])
@pytest.mark.parametrize(
    "model", [hopping_chain(1, 1.0, 0.5), hopping_chain(9), hopping_chain(8, periodic=True), tfim_chain(8, 1.0, 0.5)],
    ids=["mode", "chain", "ring", "ising"],
)  # fmt: skip
@pytest.mark.parametrize("local", [False, True])
def test_everything__has_no_nan__extreme_temperatures(model: QuadraticModel, beta: float, local: bool) -> None:
    rows = on_site(model.modes, 0) if local else None
    for coherent, hamiltonian in itertools.product([True, False], repeat=2):
        generator = QuadraticGenerator(model, GaussianFilter(beta), rows, coherent)
        gap = spectral_gap(generator, hamiltonian)
        assert gap is None or (math.isfinite(gap) and math.copysign(1.0, gap) == 1.0)
        assert np.all(np.isfinite(rapidities(generator, hamiltonian)))
        gamma = steady_covariance(generator, hamiltonian)
        assert np.linalg.norm(gamma, 2) <= 1 + 1e-6
        if coherent:
            assert residual(generator) <= 1e-12
            if steady_states(generator) == 1:
                np.testing.assert_allclose(gamma, thermal_covariance(model, beta), atol=1e-12)
    assert energy(model, thermal_covariance(model, beta)) >= model.offset - 0.5 * model.energies.sum() - 1e-12
    assert free_energy(model, beta) is None if beta == 0 else math.isfinite(free_energy(model, beta) or 0.0)


def test_spectral_gap__equals_closed_form__fifty_times_colder() -> None:
    generator = QuadraticGenerator(hopping_chain(9, 0.05), GaussianFilter(50.0))
    assert spectral_gap(generator) == pytest.approx(hopping_gap(9, 2.5), rel=1e-12)


@pytest.mark.parametrize("beta", [0.0, 1.0, 30.0])
def test_spectral_gap__closed_form__one_mode(beta: float) -> None:
    f = GaussianFilter(beta).frequency(np.array([1.3, -1.3])).real
    both = QuadraticGenerator(hopping_chain(1, chemical_potential=1.3), GaussianFilter(beta))
    assert spectral_gap(both) == pytest.approx(f @ f, rel=1e-12)
    gamma = steady_covariance(both)
    assert gamma[0, 1] == pytest.approx(np.tanh(0.65 * beta))  # μ > 0 fills the mode
    one = QuadraticGenerator(both.model, GaussianFilter(beta), np.eye(2)[:1])
    # one coupling: σ₊ and σ₋ feed each other's coherence
    assert spectral_gap(one) == pytest.approx((f[0] - f[1]) ** 2 / 2 if beta else 2.0, rel=1e-9)
    assert steady_states(one) == (1 if beta else 2)


def test_zero_hamiltonian__depolarises__and_counts_what_is_left_out() -> None:
    model = QuadraticModel(np.zeros((6, 6)))
    full = QuadraticGenerator(model, GaussianFilter(1.0))
    assert (spectral_gap(full), steady_states(full)) == (pytest.approx(2.0), 1)
    assert not np.any(steady_covariance(full))
    part = QuadraticGenerator(model, GaussianFilter(1.0), np.eye(6)[:4])
    assert (spectral_gap(part), spectral_gap(part, True), steady_states(part)) == (
        pytest.approx(2.0),
        pytest.approx(2.0),
        4,
    )
    assert np.sum(np.abs(np.linalg.eigvals(Dense(part).matrix())) < 1e-9) == 4


def test_zero_filter__nothing_decays__every_operator_is_stationary() -> None:
    model = hopping_chain(3)
    generator = QuadraticGenerator(model, FormulaFilter(1.0, lambda x: 0 * x))
    assert spectral_gap(generator) is None
    assert spectral_gap(generator, hamiltonian=True) == 0.0
    assert steady_states(generator) == 64
    assert not np.any(steady_covariance(generator))
    assert residual(generator) == 0.0


def test_steady_covariance__refuses__rate_lost_in_rounding() -> None:
    # one jump of two levels that H turns apart at the rate 1e-8: they relax at the rate 1e-16
    model = quadratic(np.diag([1.0, 1.0 + 1e-8]))
    generator = QuadraticGenerator(model, GaussianFilter(0.5), np.array([[1.0, 0, 1, 0]]), coherent=False)
    with pytest.raises(ArgumentError, match="a rate is lost"):
        steady_covariance(generator, hamiltonian=True)


@pytest.mark.parametrize("coherent", [True, False])
def test_uncoupled_mode__is_counted_and_left_alone__two_chains(coherent: bool) -> None:
    t = np.diag([1.0, 0.0, 0.8], 1)
    t = t + t.T + np.diag([0.2, 0.3, 0.5, 0.0])
    model, beta = quadratic(t), 1.1
    generator = QuadraticGenerator(model, GaussianFilter(beta), on_site(4, 0, 1), coherent)
    oracle = Dense(generator)
    decay = -np.linalg.eigvals(oracle.matrix()).real
    assert steady_states(generator) == np.sum(decay < 1e-9) == 16
    assert spectral_gap(generator) == pytest.approx(np.sort(decay)[16], rel=1e-9)
    assert spectral_gap(generator, hamiltonian=True) == 0.0  # H turns the uncoupled modes for ever
    gamma = steady_covariance(generator)
    assert not np.any(np.abs(gamma[4:]) > 1e-14)
    assert np.max(np.abs(gamma[:4, :4])) > 0.1
    if coherent:
        np.testing.assert_allclose(gamma[:4, :4], thermal_covariance(model, beta)[:4, :4], atol=1e-12)


def test_symmetric_mode__is_not_reached__coupling_in_the_middle() -> None:
    generator = QuadraticGenerator(hopping_chain(5), GaussianFilter(1.0), on_site(5, 2))
    assert steady_states(generator) == 2**4  # two odd standing waves have a node there, two Majoranas each
    L = Dense(QuadraticGenerator(hopping_chain(3), GaussianFilter(1.0), on_site(3, 1))).matrix()
    assert np.sum(np.abs(np.linalg.eigvals(L)) < 1e-9) == 4
    small = QuadraticGenerator(hopping_chain(3), GaussianFilter(1.0), on_site(3, 1))
    assert steady_states(small) == 4
    edge = QuadraticGenerator(hopping_chain(5), GaussianFilter(1.0), on_site(5, 0))
    assert steady_states(edge) == 1


def test_spectral_gap__zero_mode_left_alone__is_stationary_also_with_hamiltonian() -> None:
    # hopping chain of three: the standing wave at zero energy has a node in the middle
    generator = QuadraticGenerator(hopping_chain(3), GaussianFilter(1.0), on_site(3, 1))
    for hamiltonian in (False, True):
        values = np.linalg.eigvals(Dense(generator).matrix(hamiltonian))
        expected = np.min(-values[np.abs(values) > 1e-7].real)
        assert spectral_gap(generator, hamiltonian) == pytest.approx(expected, rel=1e-7)


def test_steady_states__counts_one__rates_that_underflow() -> None:
    generator = QuadraticGenerator(hopping_chain(6), GaussianFilter(50.0), on_site(6, 0))
    assert steady_states(generator) == 1
    assert spectral_gap(generator) == pytest.approx(0.0, abs=1e-15)


# refusals

EYE = np.eye(4)
CHAIN = hopping_chain(2)
COLD = GaussianFilter(1.0)
BAD = {
    "not_square": (lambda: QuadraticModel(np.zeros((2, 4))), "majorana"),
    "odd": (lambda: QuadraticModel(np.zeros((3, 3))), "majorana"),
    "empty": (lambda: QuadraticModel(np.zeros((0, 0))), "majorana"),
    "vector": (lambda: QuadraticModel(np.zeros(4)), "majorana"),
    "text": (lambda: QuadraticModel("h"), "majorana"),
    "ragged": (lambda: QuadraticModel([[0.0, 1.0], [0.0]]), "majorana"),
    "symmetric": (lambda: QuadraticModel(np.ones((2, 2))), "majorana"),
    "complex": (lambda: QuadraticModel(1j * np.ones((2, 2))), "majorana"),
    "nan": (lambda: QuadraticModel(np.full((2, 2), np.nan)), "majorana"),
    "offset": (lambda: QuadraticModel(np.zeros((2, 2)), "x", math.inf), "offset"),
    "hopping": (lambda: quadratic(np.array([[0, 1], [0, 0]])), "hopping"),
    "hopping_shape": (lambda: quadratic(np.zeros((2, 3))), "hopping"),
    "pairing": (lambda: quadratic(np.eye(2), np.eye(2)), "pairing"),
    "pairing_shape": (lambda: quadratic(np.eye(2), np.eye(3)), "pairing"),
    "sites": (lambda: hopping_chain(0), "sites"),
    "periodic": (lambda: hopping_chain(3, periodic="yes"), "periodic"),
    "field": (lambda: tfim_chain(3, 1.0, math.nan), "h"),
    "columns": (lambda: QuadraticGenerator(CHAIN, COLD, np.eye(3)), "couplings"),
    "no_rows": (lambda: QuadraticGenerator(CHAIN, COLD, np.zeros((0, 4))), "couplings"),
    "zero_row": (lambda: QuadraticGenerator(CHAIN, COLD, np.diag([1.0, 0, 1, 1])), "couplings[1]"),
    "complex_row": (lambda: QuadraticGenerator(CHAIN, COLD, 1j * EYE), "couplings"),
    "coherent": (lambda: QuadraticGenerator(CHAIN, COLD, EYE, "no"), "coherent"),
    "beta": (lambda: QuadraticGenerator(CHAIN, metropolis(-1.0)), "filter.beta"),
    "filter": (lambda: QuadraticGenerator(CHAIN, FormulaFilter(1.0, lambda x: x * np.nan)), "filter"),
    "thermal": (lambda: thermal_covariance(CHAIN, -1.0), "beta"),
    "free_energy": (lambda: free_energy(CHAIN, math.nan), "beta"),
    "covariance": (lambda: energy(CHAIN, np.eye(2)), "covariance"),
    "covariance_sign": (lambda: energy(CHAIN, EYE), "covariance"),
    "covariance_norm": (lambda: energy(CHAIN, 2 * np.eye(4, k=2) - 2 * np.eye(4, k=-2)), "covariance"),
    "times": (lambda: relaxation(QuadraticGenerator(CHAIN, COLD), np.zeros((4, 4)), [0.0, -1.0]), "times[1]"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_free_fermions__refuse__bad_input(case: str) -> None:
    call, argument = BAD[case]
    with pytest.raises(ArgumentError) as caught:
        call()
    assert caught.value.argument == argument


def test_free_fermions__refuse__too_many_modes() -> None:
    with pytest.raises(TooLargeError, match="2001 modes"):
        QuadraticModel(np.zeros((4002, 4002)))
    with pytest.raises(ArgumentError):
        tfim_chain(2001)
    assert issubclass(InvalidModelError, ArgumentError)


def test_quadratic_model__is_read_only__input_stays_writable() -> None:
    h = np.array([[0.0, 1.0], [-1.0, 0.0]])
    model, rows = QuadraticModel(h), np.eye(2)
    generator = QuadraticGenerator(model, COLD, rows)
    h[0, 1], rows[0, 0] = 5.0, 5.0
    assert model.majorana[0, 1] == 1.0
    assert generator.rows[0, 0] == 1.0
    for array in (model.majorana, generator.rows):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 2.0
