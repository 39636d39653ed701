from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.integrate
from hypothesis import given
from hypothesis import strategies as st

from gibbs_circuits.errors import ArgumentError
from gibbs_circuits.generators.filters.base import Filter
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.kernels.base import RankOne
from tests.strategies import moderate
from tests.systems import FormulaFilter, gaussian, metropolis

NU = np.linspace(-6, 6, 49)


def fourier(filter: Filter, nu: float, reach: float) -> complex:
    """∫ f(t) e^{iνt} dt by adaptive quadrature."""

    def part(t: float, component: str) -> float:
        return float(getattr(filter.time(np.array(t)) * np.exp(1j * nu * t), component))

    real, imaginary = (
        scipy.integrate.quad(part, -reach, reach, args=(name,), epsabs=1e-12, limit=400)[0] for name in ("real", "imag")
    )
    return complex(real, imaginary)


@pytest.mark.parametrize("beta", [0.2, 1.0, 3.0])
def test_gaussian_filter__time_kernel_transforms_to_frequency__adaptive_quadrature(beta: float) -> None:
    f = GaussianFilter(beta)
    for nu in (-3.0, -0.7, 0.0, 0.4, 2.5):
        assert fourier(f, nu, 5 * beta) == pytest.approx(f.frequency(np.array(nu)), abs=1e-10)


def test_gaussian_filter__control__wrong_sign_of_time_is_seen() -> None:
    f = GaussianFilter(1.0)
    assert abs(fourier(f, 1.0, 5.0) - f.frequency(np.array(-1.0))) > 0.1


@moderate
@given(st.floats(0.0, 50.0), st.floats(-10.0, 10.0))
def test_gaussian_filter__satisfies_detailed_balance__generated(beta: float, nu: float) -> None:
    up, down = GaussianFilter(beta).frequency(np.array([nu, -nu]))
    assert abs(up) == pytest.approx(abs(down) * np.exp(-beta * nu / 2), rel=1e-10, abs=1e-290)
    assert up == pytest.approx(gaussian(beta)(nu), rel=1e-12, abs=1e-300)


def test_gaussian_filter__is_one__beta_zero() -> None:
    f = GaussianFilter(0.0)
    np.testing.assert_array_equal(f.frequency(NU), np.ones(NU.size))
    assert f.width == 0.0
    with pytest.raises(ArgumentError, match="`beta` must be a finite real number > 0"):
        f.time(NU)


def test_gaussian_filter__tends_to_one__small_beta() -> None:
    np.testing.assert_allclose(GaussianFilter(1e-6).frequency(NU), 1.0, atol=1e-5)


@pytest.mark.parametrize("beta", [50.0, 1e6])
def test_gaussian_filter__stays_finite__low_temperature(beta: float) -> None:
    kernel = RankOne(GaussianFilter(beta))
    nu1, nu2 = NU[:, None], NU[None, :]
    for values in (kernel(nu1, nu2), kernel.balanced(nu1, nu2)):
        assert np.all(np.isfinite(values))
    assert kernel.balanced(np.zeros(1), np.zeros(1))[0] == 1.0


def test_gaussian_filter__falls_to_e_minus_two__at_its_width() -> None:
    f = GaussianFilter(0.8)
    peak, edge = np.abs(f.time(np.array([0.0, f.width])))
    assert edge / peak == pytest.approx(np.exp(-2))
    assert f.name == "gaussian"


@pytest.mark.parametrize("beta", [-1.0, float("nan"), float("inf")])
def test_gaussian_filter__refuses__impossible_beta(beta: float) -> None:
    with pytest.raises(ArgumentError, match="`beta` must"):
        GaussianFilter(beta)


@pytest.mark.parametrize("filter", [GaussianFilter(0.7), metropolis(0.7)], ids=lambda f: f.name)
def test_rank_one__obeys_kms__pair_by_pair(filter: Filter) -> None:
    kernel, beta = RankOne(filter), 0.7
    for nu1, nu2 in itertools.product(NU[::6], NU[::6]):
        a, mirrored = (kernel(np.array(p), np.array(q)) for p, q in ((nu1, nu2), (-nu2, -nu1)))
        assert a == pytest.approx(mirrored * np.exp(-beta * (nu1 + nu2) / 2), rel=1e-12)


def test_rank_one__obeys_kms__complex_filter_with_the_symmetry() -> None:
    kernel = RankOne(FormulaFilter(1.0, lambda x: np.exp(-(x**2) / 8 + 0.4j * x)))
    a = kernel.balanced(NU[:, None], NU[None, :])
    np.testing.assert_allclose(a, a.T[::-1, ::-1], atol=1e-14)  # α̃(ν1, ν2) = α̃(−ν2, −ν1)


def test_rank_one__control__lopsided_filter_breaks_kms() -> None:
    kernel = RankOne(FormulaFilter(1.0, lambda x: np.exp(-(x**2) / 8) * (1 + 0.1 * x)))
    a = kernel.balanced(NU[:, None], NU[None, :])
    assert np.max(np.abs(a - a.T[::-1, ::-1])) > 0.05


def test_rank_one__is_positive_and_equals_its_factors__on_a_grid() -> None:
    kernel = RankOne(GaussianFilter(0.9))
    a = kernel(NU[:, None], NU[None, :])
    assert np.linalg.eigvalsh(a)[0] > -1e-12 * np.linalg.norm(a)
    rebuilt = sum(w * np.outer(f.frequency(NU), f.frequency(NU).conj()) for w, f in kernel.factors())
    np.testing.assert_allclose(a, rebuilt, rtol=1e-14)
    np.testing.assert_allclose(
        kernel.balanced(NU[:, None], NU[None, :]), a * np.exp(0.9 * (NU[:, None] + NU[None, :]) / 4), rtol=1e-12
    )
