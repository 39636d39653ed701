from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import qutip
import scipy.integrate
from hypothesis import given
from hypothesis import strategies as st

from gibbs_circuits.errors import ArgumentError
from gibbs_circuits.generators.baths import Bath, ohmic, power_law, rescaled
from gibbs_circuits.generators.baths.custom import (
    from_function,
    from_qutip,
    from_table,
    from_textbook,
    read_bath,
    to_qutip,
)
from tests.strategies import moderate

Function = Callable[[float], float]


def formula(beta: float, s: float = 1.0, cutoff: float = 5.0) -> Function:
    """G(ω) of a power law, written once more."""

    def G(w: float) -> float:
        if w == 0:
            return 1 / beta if s == 1 else 0.0
        J = math.copysign(abs(w) ** s * cutoff ** (1 - s), w) * math.exp(-(w**2) / (2 * cutoff**2))
        return J / (1 - math.exp(-beta * w)) if beta * w > -700 else 0.0

    return G


def integral(f: Function, low: float, high: float) -> float:
    pieces = [low, *(x for x in (-5.0, -1.0, -0.1, 0.0, 0.1, 1.0, 5.0) if low < x < high), high]
    parts = [
        scipy.integrate.quad(f, a, b, epsabs=1e-12, epsrel=1e-11, limit=400)[0] for a, b in itertools.pairwise(pieces)
    ]
    return math.fsum(parts)


def principal_value(G: Function, omega: float, reach: float) -> float:
    """PV∫ dω'/2π G(ω')/(ω − ω') of the definition, the singularity by QUADPACK's Cauchy rule."""
    near = scipy.integrate.quad(G, omega - 1, omega + 1, weight="cauchy", wvar=omega, epsabs=1e-12, limit=400)[0]
    left, right = (integral(lambda w: G(w) / (w - omega), *ends) for ends in ((-reach, omega - 1), (omega + 1, reach)))
    return -(near + left + right) / (2 * math.pi)


def transform(G: Function, t: float, reach: float) -> complex:
    """∫ dω/2π G(ω) e^{−iωt}."""
    real = integral(lambda w: G(w) * math.cos(w * t), -reach, reach)
    imaginary = -integral(lambda w: G(w) * math.sin(w * t), -reach, reach)
    return complex(real, imaginary) / (2 * math.pi)


def alternate_points(bath: Bath, omega: float, h: float = 0.02) -> float:
    """S(ω) by the trapezoidal rule on the points ω + (k + ½)h, exponentially exact for analytic G."""
    k = np.arange(-6000, 6000) + 0.5
    return float(-np.sum(bath.spectrum(omega + k * h) / k) / (2 * np.pi))


def csv(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(("beta", "s"), [(0.3, 1.0), (2.0, 1.0), (1.0, 0.5), (1.0, 2.5)])
def test_power_law__equals_its_formula__both_signs(beta: float, s: float) -> None:
    bath, G = power_law(beta, s, strength=0.7, cutoff=3.0), formula(beta, s, 3.0)
    omega = np.array([[-4.0, -0.3], [1e-3, 7.0]])
    wanted = [[0.7 * G(w) for w in row] for row in omega.tolist()]
    np.testing.assert_allclose(bath.spectrum(omega), wanted, rtol=1e-11)
    np.testing.assert_array_equal(bath.rate(omega), bath.spectrum(-omega))
    np.testing.assert_allclose(bath.symmetric(omega), np.array(wanted) * np.exp(-beta * omega / 2), rtol=1e-11)
    np.testing.assert_array_equal(bath.symmetric(omega), bath.symmetric(-omega))


@moderate
@given(st.floats(1e-3, 50.0), st.floats(1e-3, 10.0), st.floats(1.0, 4.0), st.floats(0.0, 20.0))
def test_bath__obeys_kms_to_the_last_bit__generated(beta: float, strength: float, s: float, omega: float) -> None:
    bath = power_law(beta, s, strength)
    assert bath.spectrum(-omega) == bath.spectrum(omega) * np.exp(-beta * omega)
    assert bath.rate(omega) == bath.rate(-omega) * np.exp(-beta * omega)


def test_ohmic__is_strength_over_beta__zero_frequency() -> None:
    bath = ohmic(2.0, strength=3.0)
    assert bath.spectrum(0.0) == bath.symmetric(0.0) == 1.5
    assert bath.spectrum(1e-9) == pytest.approx(1.5, rel=1e-8)
    assert (bath.name, bath.beta, bath.scale) == ("ohmic", 2.0, 0.5)
    assert ohmic(0.1, cutoff=2.0).scale == 2.0
    assert bath == ohmic(2.0, strength=3.0) != ohmic(2.0)
    assert hash(bath) == hash(ohmic(2.0, strength=3.0))


@pytest.mark.parametrize(
    "bath",
    [*(ohmic(beta, cutoff=5.0) for beta in (50.0, 1e6, 1e-6)), power_law(50.0, 2.5, cutoff=5.0)],
    ids=lambda b: b.name,
)
def test_bath__stays_finite__extreme_numbers(bath: Bath) -> None:
    omega = np.array([0.0, 1e-300, 1e-8, 1.0, 14.9, 100.0, 1e200, 1e308])
    for values in (f(sign * omega) for f in (bath.symmetric, bath.spectrum, bath.rate, bath.lamb) for sign in (1, -1)):
        assert np.all(np.isfinite(values))
    assert np.all(np.isfinite(bath.correlation(np.array([0.0, 1e-308, 1e-30, 1.0, 1e8]))))
    assert bath.spectrum(10.0) > 0 == bath.spectrum(-200.0)


@pytest.mark.parametrize("bath", [ohmic(0.1), ohmic(50.0), power_law(1.0, 4.0), power_law(1e-3, 10.0)], ids=repr)
def test_bath__is_negligible__beyond_its_limit(bath: Bath) -> None:
    peak = bath.spectrum(np.linspace(0, bath.limit, 500)).max()
    assert bath.spectrum(bath.limit) < 1e-16 * peak
    assert bath.spectrum(bath.limit / 1.5) > 1e-16 * peak


@pytest.mark.parametrize(("beta", "s"), [(0.2, 1.0), (1.0, 1.0), (5.0, 1.0), (1.0, 2.0)])
def test_correlation__equals_quadrature_of_the_definition__power_law(beta: float, s: float) -> None:
    bath, G = power_law(beta, s, cutoff=3.0), formula(beta, s, 3.0)
    t = np.array([[0.0, 0.1], [0.7, 3.0]])
    wanted = [[transform(G, x, 40.0) for x in row] for row in t.tolist()]
    np.testing.assert_allclose(bath.correlation(t), wanted, atol=1e-11)
    np.testing.assert_array_equal(bath.correlation(-t), bath.correlation(t).conj())


def test_correlation__control__wrong_sign_of_time_is_seen() -> None:
    assert abs(ohmic(1.0).correlation(0.3) - transform(formula(1.0), -0.3, 60.0)) > 0.1


@pytest.mark.parametrize("beta", [0.1, 1.0, 5.0, 50.0])
def test_lamb__equals_cauchy_quadrature_of_the_definition__ohmic(beta: float) -> None:
    bath, G = ohmic(beta, cutoff=3.0), formula(beta, 1.0, 3.0)
    omega = np.array([[-7.0, -0.5, 0.0], [0.02, 2.3, 20.0]])
    wanted = np.array([[principal_value(G, w, 45.0) for w in row] for row in omega.tolist()])
    np.testing.assert_allclose(bath.lamb(omega), wanted, atol=1e-10 * np.abs(wanted).max())
    assert np.abs(bath.lamb(-omega) - wanted).max() > 0.1  # control: neither even nor odd


@pytest.mark.parametrize("s", [0.1, 0.5, 1.5, 2.5])
def test_lamb__equals_alternate_point_rule_in_the_logarithm__power_law(s: float) -> None:
    bath, h = power_law(1.0, s, cutoff=3.0), 0.01
    ratio = np.exp((np.arange(-40_000, 2_000) + 0.5) * h)  # ω' = ±ω e^u: analytic in u whatever the power
    for omega in (-3.0, -0.01, 1.7, 6.0):
        same, other = bath.spectrum(omega * ratio), bath.spectrum(-omega * ratio)
        wanted = np.sign(omega) * h * np.sum(ratio * (same / (1 - ratio) + other / (1 + ratio))) / (2 * np.pi)
        assert bath.lamb(omega) == pytest.approx(wanted, rel=1e-10)


def test_lamb__equals_alternate_point_rule__many_points_and_its_own_nodes() -> None:
    bath = ohmic(1.0)
    nodes, weights, *_ = bath._line
    shifted = (nodes[:, None] + weights[:, None] * np.array([0.0, 5e-8, 2e-7, 1e-5])).ravel()[::7]
    scattered = np.random.default_rng(5).uniform(-60, 60, 300)
    for omega, tolerance in ((scattered, 1e-11), (shifted, 2e-9)):
        np.testing.assert_allclose(bath.lamb(omega), [alternate_points(bath, w) for w in omega], atol=tolerance)


def test_lamb__falls_as_c_zero_over_omega__far_away() -> None:
    bath = ohmic(1.0)
    assert 1e6 * bath.lamb(1e6) == pytest.approx(bath.correlation(0.0).real, rel=1e-5)


def test_bath__obeys_kramers_kronig__ohmic() -> None:
    bath, omega = ohmic(1.0, cutoff=2.0), 0.8

    def S(w: float) -> float:
        return float(bath.lamb(w))

    near = scipy.integrate.quad(S, omega - 1, omega + 1, weight="cauchy", wvar=omega, epsabs=1e-10)[0]
    tails = [(-math.inf, -30.0), (-30.0, omega - 1), (omega + 1, 30.0), (30.0, math.inf)]
    far = sum(scipy.integrate.quad(lambda w: S(w) / (w - omega), *ends, epsabs=1e-9, limit=200)[0] for ends in tails)
    assert 2 * (near + far) / math.pi == pytest.approx(bath.spectrum(omega), abs=1e-7)


@pytest.mark.parametrize("omega", [-1.5, 0.0, 0.4, 3.0])
def test_bath__half_spectrum_and_lamb_are_the_half_transform__ohmic(omega: float) -> None:
    bath = ohmic(1.0, cutoff=3.0)
    t = np.linspace(0, 8, 4001)  # |C(8)| = 1e-22
    half = scipy.integrate.simpson(bath.correlation(t) * np.exp(1j * omega * t), x=t)
    assert half == pytest.approx(bath.spectrum(omega) / 2 + 1j * bath.lamb(omega), abs=1e-9)


def test_correlation_time__equals_quadrature__ohmic_and_power_law() -> None:
    for bath, tail in ((ohmic(1.0, cutoff=3.0), 0.0), (power_law(1.0, 2.5, cutoff=3.0), None)):
        size = integral(lambda t, bath=bath: abs(complex(bath.correlation(t))), 0.0, 60.0)
        size += abs(complex(bath.correlation(60.0))) * 60 / 1.5 if tail is None else tail
        assert bath.correlation_time == pytest.approx(size / abs(bath.correlation(0.0)), rel=1e-5)
    assert rescaled(ohmic(1.0), 7.0).correlation_time == pytest.approx(ohmic(1.0).correlation_time, rel=1e-12)


@pytest.mark.parametrize("s", [0.3, 0.7, 1.5, 2.0, 2.5])
def test_power_law__correlation_falls_with_its_exponent__fitted_slope(s: float) -> None:
    bath, t = power_law(1.0, s, strength=0.6, cutoff=4.0), np.geomspace(100, 1000, 9)
    size = np.abs(bath.correlation(t))
    assert -np.polyfit(np.log(t), np.log(size), 1)[0] == pytest.approx(s, abs=1e-3)
    prefactor = 0.6 * 4.0 ** (1 - s) * math.gamma(s) * math.cos(math.pi * s / 2) / math.pi
    np.testing.assert_allclose(size, abs(prefactor) * t**-s, rtol=1e-3)
    assert bath.decay_exponent == s
    assert bath.markovian == (s > 1)
    assert math.isinf(bath.correlation_time) == (s <= 1)


@pytest.mark.parametrize("s", [1.0, 3.0])
def test_power_law__correlation_falls_faster_than_powers__odd_exponents(s: float) -> None:
    bath = power_law(1.0, s)
    assert bath.decay_exponent is None
    assert bath.markovian
    assert abs(bath.correlation(10.0)) < 1e-13 * abs(bath.correlation(0.0))  # a power law would leave 1e-4 or more


def test_power_law__refuses__what_diverges() -> None:
    bath = power_law(1.0, 0.5)
    for reading in (bath.spectrum, bath.rate, bath.symmetric, bath.lamb):
        with pytest.raises(ArgumentError, match=r"`omega` must differ from 0, but G\(0\) is infinite for the exponent"):
            reading(np.array([1.0, 0.0]))
    assert np.isfinite(bath.spectrum(1e-300))
    for arguments, name in (((0.0,), "beta"), ((-1.0,), "beta"), ((1.0, 0.0), "strength"), ((1.0, 1.0, 0.0), "cutoff")):
        with pytest.raises(ArgumentError, match=f"`{name}` must be a finite real number > 0"):
            ohmic(*arguments)
    for s in (0.0, 11.0, -1.0):
        with pytest.raises(ArgumentError, match=r"`exponent` must be from 0\.1 to 10"):
            power_law(1.0, s)


def test_rescaled__multiplies_everything__ohmic() -> None:
    bath, twice = ohmic(1.0, 0.5), rescaled(ohmic(1.0, 0.5), 2.0)
    assert twice == ohmic(1.0, 1.0)
    omega = np.linspace(-3, 3, 7)
    np.testing.assert_allclose(twice.lamb(omega), 2 * bath.lamb(omega), rtol=1e-12)
    with pytest.raises(ArgumentError, match="`factor` must be a finite real number > 0"):
        rescaled(bath, 0.0)


@pytest.mark.parametrize("beta", [0.01, 1.0, 20.0])
def test_from_function__equals_ohmic__its_formula(beta: float) -> None:
    bath, other = from_function(beta, formula(beta)), ohmic(beta, cutoff=5.0)
    omega = np.linspace(-20, 20, 37)
    np.testing.assert_allclose(bath.spectrum(omega), other.spectrum(omega), rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(bath.lamb(omega), other.lamb(omega), atol=1e-11 / beta + 1e-11)
    np.testing.assert_allclose(bath.correlation(omega), other.correlation(omega), atol=1e-11 / beta + 1e-11)
    assert bath.decay_exponent is None
    assert bath.markovian
    assert bath.spectrum(2 * bath.limit) == 0


def test_from_function__resolves__narrow_peak() -> None:
    def G(w: float) -> float:
        return formula(1.0)(w) * 0.05**2 / ((w**2 - 4) ** 2 + (0.05 * w) ** 2)

    bath = from_function(1.0, G)
    smooth = np.array([alternate_points(bath, w, 0.004) for w in (-2.0, 1.9, 2.01)])
    np.testing.assert_allclose(bath.lamb([-2.0, 1.9, 2.01]), smooth, atol=1e-11)
    assert bath.decay_exponent is None
    assert bath.correlation_time > 20  # the peak's width is 0.05


def test_from_function__finds_the_long_memory__sub_ohmic_kink_and_hard_cutoff() -> None:
    sub = from_function(1.0, lambda w: formula(1.0, 0.5)(w) if w else 1e3)
    assert (sub.decay_exponent, sub.markovian, sub.correlation_time) == (0.5, False, math.inf)
    kink = from_function(0.0, lambda w: math.exp(-abs(w)))
    assert (kink.decay_exponent, kink.markovian) == (2.0, True)
    np.testing.assert_allclose(kink.correlation([0.3, 4.0]), 1 / np.pi / (1 + np.array([0.3, 4.0]) ** 2), atol=1e-13)
    assert kink.correlation_time == pytest.approx(math.pi / 2, rel=1e-3)
    box = from_function(0.0, lambda _: 1.0, limit=2.0)
    assert (box.decay_exponent, box.markovian) == (1.0, False)
    np.testing.assert_allclose(box.lamb([0.0, 1.0, 5.0]), np.log([1.0, 3.0, 7 / 3]) / (2 * np.pi), atol=1e-12)


@pytest.mark.parametrize(
    ("beta", "spectrum", "message"),
    [
        (1.0, formula(2.0), r"obey detailed balance, but at ω = [\d.]+ the ratio .* set beta = 2 if"),
        (1.0, lambda w: formula(1.0)(-w), r"obey detailed balance.* turn the sign of ω"),
        (1.0, lambda w: math.exp(-(w**2)), r"ratio G\(−ω\)/G\(ω\) is 1 where e\^\(−βω\) = 0\.\d+"),
        (1.0, lambda w: math.exp(-(w**2)) * (w > 0), r"G\(−ω\)/G\(ω\) is 0 where .* with an odd J"),
        (1.0, lambda w: formula(1.0)(w) * (1 + 1e-6 * math.sin(w)), "obey detailed balance"),
        (1.0, lambda w: -formula(1.0)(w), r"be finite, >= 0 and not 0 everywhere, but G\(.*\) = -"),
        (1.0, lambda w: 0.0, "not 0 everywhere"),
        (1.0, lambda w: w / (1 - math.exp(-w)) * math.exp(-w * w), r"finite, but G\(0\) = nan\. Fix: return its limit"),
        (1.0, lambda w: formula(1.0)(w) if w < 3 else math.inf, r"be finite, but G\(3"),
        (1.0, lambda w: 1j, r"return one real number, but at ω = .* Fix: return a float"),
        (1.0, lambda w: None, "return one real number"),
        (1.0, lambda w: (w / (1 - math.exp(-w)) if w else 1.0) / (1 + w**2), "`limit` must be given"),
        (-1.0, formula(1.0), "`beta` must be a finite real number >= 0"),
    ],
)  # fmt: skip
def test_from_function__refuses__with_what_was_found(beta: float, spectrum: Function, message: str) -> None:
    with pytest.raises(ArgumentError, match=message) as caught:
        from_function(beta, spectrum)
    assert "\n" not in str(caught.value)


def test_from_function__message_holds_the_ratio__at_the_frequency_it_names() -> None:
    with pytest.raises(ArgumentError) as caught:
        from_function(1.0, formula(2.0))
    omega, ratio, wanted = (float(x) for x in re.findall(r"(?:= |is )([\d.e-]+)", caught.value.found))
    assert ratio == pytest.approx(math.exp(-2 * omega), rel=1e-4)
    assert wanted == pytest.approx(math.exp(-omega), rel=1e-4)


def test_from_function__passes_rounding__symmetrised_to_the_last_bit() -> None:
    def rounded(w: float) -> float:
        return formula(1.0)(w) * (1 + 1e-10 * math.sin(9 * w))

    bath, omega = from_function(1.0, rounded), np.linspace(0, 9, 50)
    np.testing.assert_array_equal(bath.spectrum(-omega), bath.spectrum(omega) * np.exp(-omega))


def test_from_table__converges_to_the_spectrum__finer_tables() -> None:
    omega, errors = np.linspace(-9, 9, 301), []
    for rows in (101, 401):
        x = np.linspace(0, 40, rows)
        bath = from_table(1.0, x, ohmic(1.0).spectrum(x))
        np.testing.assert_allclose(bath.spectrum([x, -x]), ohmic(1.0).spectrum([x, -x]), rtol=1e-13)
        errors.append(np.abs(bath.spectrum(omega) - ohmic(1.0).spectrum(omega)).max())
        np.testing.assert_allclose(bath.lamb(omega), ohmic(1.0).lamb(omega), atol=errors[-1])
    assert errors[1] < 2e-4
    assert errors[0] / errors[1] > 8
    assert bath.spectrum(41.0) == bath.spectrum(-41.0) == 0
    assert bath.limit == 40.0
    assert bath.markovian


def test_from_table__stays_positive_and_balanced__coarse_rows() -> None:
    bath = from_table(3.0, [0.0, 0.5, 1.0, 4.0, 5.0], [0.0, 2.0, 0.0, 0.0, 1e-9])
    omega = np.linspace(-5, 5, 1001)
    assert bath.spectrum(omega).min() >= 0
    np.testing.assert_array_equal(bath.spectrum(-omega[500:]), bath.spectrum(omega[500:]) * np.exp(-3 * omega[500:]))


def test_from_table__lamb_and_correlation_equal_quadrature__between_the_rows() -> None:
    x = np.linspace(0, 12, 25)
    bath = from_table(1.0, x, x * np.exp(-x))

    def G(w: float) -> float:
        return float(bath.spectrum(w))

    knots = sorted({*x.tolist(), *(-x).tolist()})
    t = 1.3
    parts = [
        complex(*(scipy.integrate.quad(lambda w, f=f: G(w) * f(w * t), a, b)[0] for f in (np.cos, np.sin)))
        for a, b in itertools.pairwise(knots)
    ]
    assert bath.correlation(-t) == pytest.approx(sum(parts) / (2 * math.pi), abs=1e-11)
    omega = 0.75
    near = scipy.integrate.quad(G, 0.5, 1.0, weight="cauchy", wvar=omega, epsabs=1e-12)[0]
    far = sum(
        scipy.integrate.quad(lambda w: G(w) / (w - omega), a, b)[0] for a, b in itertools.pairwise(knots) if a != 0.5
    )
    assert bath.lamb(omega) == pytest.approx(-(near + far) / (2 * math.pi), abs=1e-9)


BOTH = np.linspace(-10, 10, 81)


def test_from_table__accepts_both_signs__mirrored_or_interpolated() -> None:
    G = ohmic(0.8).spectrum(BOTH)
    assert from_table(0.8, BOTH, G).spectrum(-2.0) == pytest.approx(ohmic(0.8).spectrum(-2.0), rel=1e-12)
    uneven = np.concatenate([[-3.1, -1.05], BOTH[40:]])
    from_table(0.8, uneven, ohmic(0.8).spectrum(uneven))
    with pytest.raises(ArgumentError, match=r"at ω = [\d.]+ the ratio .* where e.* = .* set beta = 0\.8 if"):
        from_table(1.0, BOTH, G)
    with pytest.raises(ArgumentError, match="turn the sign of ω"):
        from_table(0.8, BOTH, G[::-1])
    with pytest.raises(ArgumentError, match=r"at ω = 2 .* set beta = 0\.79"):
        from_table(0.8, BOTH, np.where(BOTH == -2, 1.02 * G, G))


@pytest.mark.parametrize(
    ("omega", "spectrum", "message"),
    [
        ([0, 1, 2, 3], [1, 2, 3], "`omega` must be as many real numbers as `spectrum`"),
        ([[0, 1], [2, 3]], [[1, 2], [3, 4]], "be as many real numbers"),
        ("abcd", [1, 2, 3, 4], "be as many real numbers"),
        (1.0, 2.0, "row|rows"),
        ([], [], "have at least 4 rows from 0 on, but 0 rows are >= 0"),
        ([0, 1, 2], [1, 2, 3], "at least 4 rows from 0 on, but 3 rows are >= 0 and the first is 0"),
        ([0.1, 1, 2, 3], [1, 2, 3, 4], "but 4 rows are >= 0 and the first is 0.1"),
        ([0, 2, 1, 3], [1, 2, 3, 4], "increase from row to row, but row 3 has 1"),
        ([0, 1, 1, 3], [1, 2, 3, 4], "increase from row to row, but row 3 has 1"),
        ([0, 1, math.nan, 3], [1, 2, 3, 4], "increase from row to row, but row 3 has nan"),
        ([0, 1, 2, math.inf], [1, 2, 3, 4], "increase from row to row, but row 4 has inf"),
        ([0, 1, 2, 3], [1, 2, math.nan, 4], r"be finite, >= 0 .* G\(2\) = nan"),
        ([0, 1, 2, 3], [1, 2, -3, 4], r"be finite, >= 0 .* G\(2\) = -3"),
        ([0, 1, 2, 3], [0, 0, 0, 0], "not 0 everywhere"),
        ([-9, 0, 1, 2, 3], [1e-3, 1, 1, 1, 0], "at ω = 9 the ratio .* is inf where"),
    ],
)
def test_from_table__refuses__with_what_was_found(omega: object, spectrum: object, message: str) -> None:
    with pytest.raises(ArgumentError, match=message) as caught:
        from_table(1.0, omega, spectrum)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("header", ["", "omega,G\n", "Omega, g\n", "\ufeffomega,G\n"])
def test_read_bath__equals_from_table__csv(tmp_path: Path, header: str) -> None:
    x = np.linspace(0, 12, 30)
    G = x * np.exp(-x)
    text = header + "\n".join(f"{a!r}, {b!r}" for a, b in zip(x.tolist(), G.tolist(), strict=True)) + "\n\n"
    bath = read_bath(csv(tmp_path / "lab.csv", text), 1.5)
    assert bath.name == "lab"
    np.testing.assert_array_equal(bath.spectrum(BOTH), from_table(1.5, x, G).spectrum(BOTH))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("frequency,power\n0,1\n", r"bad\.csv: line 1 must hold two numbers, but 'frequency,power' was found"),
        ("omega,G\n0,1\n1;2\n", "line 3 must hold two numbers, but '1;2' was found"),
        ("0,1\n1,2,3\n", "line 2 must hold two numbers"),
        ("omega,G\n", r"bad\.csv: omega must have at least 4 rows from 0 on, but 0 rows"),
        ("0,1\n1,2\n2,nan\n3,0\n", r"bad\.csv: spectrum must be finite, >= 0 and not 0 everywhere, but G\(2\) = nan"),
        ("0,1\n2,2\n1,1\n3,0\n", r"bad\.csv: omega must be finite, .* and increase from row to row, but row 3 has 1"),
        ("-1,1\n0,1\n1,1\n2,1\n3,0\n", r"bad\.csv: spectrum must obey detailed balance, but at ω = 1 the .* is 1 "),
    ],
)  # fmt: skip
def test_read_bath__refuses__malformed_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message) as caught:
        read_bath(csv(tmp_path / "bad.csv", text), 1.0)
    assert "\n" not in str(caught.value)
    assert "bad.csv" in str(caught.value)


def test_read_bath__refuses__missing_or_binary_file(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="does not exist"):
        read_bath(tmp_path / "none.csv", 1.0)
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ArgumentError, match="is binary"):
        read_bath(tmp_path / "binary.csv", 1.0)


@pytest.mark.parametrize("make", [from_qutip, from_textbook])
def test_conversions__keep_the_sign__loss_is_positive(make: Callable[[float, Function], Bath]) -> None:
    bath = make(1.0, formula(1.0))
    assert bath.spectrum(2.0) == pytest.approx(formula(1.0)(2.0), rel=1e-12)
    assert bath.rate(-2.0) == bath.spectrum(2.0) > bath.rate(2.0)
    with pytest.raises(ArgumentError, match="turn the sign of ω"):
        make(1.0, lambda w: formula(1.0)(-w))


def excited_in_qutip(spectrum: Function, splitting: float) -> float:
    """Population of the upper level in the steady state of QuTiP's Bloch–Redfield equation."""
    H = qutip.Qobj(np.diag([splitting / 2, -splitting / 2]))
    tensor = qutip.bloch_redfield_tensor(H, [[qutip.sigmax(), spectrum]], fock_basis=True)
    return float(qutip.steadystate(tensor)[0, 0].real)


@pytest.mark.parametrize("beta", [0.5, 2.0])
def test_to_qutip__steady_state_is_gibbs__and_not_with_the_sign_turned(beta: float) -> None:
    bath, splitting = ohmic(beta, 0.1), 1.3
    gibbs = 1 / (1 + math.exp(beta * splitting))
    assert excited_in_qutip(to_qutip(bath), splitting) == pytest.approx(gibbs, abs=1e-10)
    assert excited_in_qutip(lambda w: float(bath.rate(w)), splitting) == pytest.approx(1 - gibbs, abs=1e-10)


def test_to_qutip__relaxes_at_our_rates__brmesolve() -> None:
    bath, splitting, t = ohmic(1.0, 0.05), 1.3, 4.0
    H, up = qutip.Qobj(np.diag([splitting / 2, -splitting / 2])), qutip.fock_dm(2, 0)
    theirs = qutip.brmesolve(H, up, [0, t], a_ops=[[qutip.sigmax(), to_qutip(bath)]], e_ops=[up]).expect[0][-1]
    down, gain = float(bath.spectrum(splitting)), float(bath.rate(splitting))
    equilibrium = gain / (gain + down)
    assert theirs == pytest.approx(equilibrium + (1 - equilibrium) * math.exp(-(gain + down) * t), abs=1e-5)
