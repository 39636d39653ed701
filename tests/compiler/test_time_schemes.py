"""Kernels of any rank in the time domain: factors, what the schemes write, and how that converges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from qiskit import QuantumCircuit

from gibbs_circuits.compiler.schemes.random_jumps import RandomJumpsKnobs
from gibbs_circuits.compiler.schemes.registry import SCHEMES
from gibbs_circuits.compiler.schemes.sequential import SequentialKnobs, couplings_and_evolutions, jump_steps, sequential
from gibbs_circuits.compiler.time_domain.knobs import refuse_large
from gibbs_circuits.compiler.time_domain.symbolic_jumps import kernel_factors, symbolic_jumps, widest
from gibbs_circuits.errors import ArgumentError, TooLargeError
from gibbs_circuits.evidence import Status
from gibbs_circuits.generators.baths import ohmic
from gibbs_circuits.generators.contact import Coherent, Contact
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.discrete import DiscreteChannel
from gibbs_circuits.generators.filters.base import Filter
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.filters.metropolis import MetropolisFilter
from gibbs_circuits.generators.filters.rate import RateFilter
from gibbs_circuits.generators.kernels.base import Factors, RankOne
from gibbs_circuits.generators.kernels.custom import CustomKernel
from gibbs_circuits.generators.kernels.davies import Secular
from gibbs_circuits.generators.kernels.redfield import Redfield
from gibbs_circuits.generators.kernels.windowed import (
    ckg_gaussian,
    ckg_metropolis,
    coarse_grained,
    scandi_alhambra,
)
from gibbs_circuits.generators.kernels.windows import WindowFilter
from gibbs_circuits.generators.kinds.ckg import ckg
from gibbs_circuits.generators.kinds.coarse_grained import coarse_grained as coarse_grained_cat
from gibbs_circuits.generators.kinds.custom import custom as custom_cat
from gibbs_circuits.generators.kinds.davies import davies
from gibbs_circuits.generators.kinds.dll import dll
from gibbs_circuits.generators.kinds.redfield import redfield as redfield_cat
from gibbs_circuits.generators.kinds.scandi_alhambra import scandi_alhambra as scandi_alhambra_cat
from gibbs_circuits.generators.kinds.ule import ule
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.linalg.fixed_point import fixed_point
from gibbs_circuits.models.library.spin_chains import mixed_field_ising
from gibbs_circuits.models.model import bandwidth, from_terms
from gibbs_circuits.models.spectrum import spectrum
from gibbs_circuits.programs.program import Program, Rung, Stage
from gibbs_circuits.programs.steps import EXACT, Branch, Couple, Evolve, RandomChoice, RandomDelay, Step
from gibbs_circuits.readings.channel.sweep_channel import sweep_channel
from gibbs_circuits.readings.circuits.circuit import assemble, circuit_segments, random_draws
from gibbs_circuits.readings.circuits.cost import cost
from tests.examples import channel_of, distance, evolved, generators, gibbs, lowered, random_state, slope

TOLERANCE = 0.15
BETA, BATH = 1.0, ohmic(1.0, 1.0, 4.0)
MODEL = mixed_field_ising(2)
Y = couplings_of("Y", 2)
ORIGIN: np.ndarray[Any, np.dtype[np.float64]] = np.zeros(1)
TIME_SCHEMES = ("parallel", "sequential", "random_jumps")
WAYS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("parallel", {}), ("sequential", {}), ("sequential", {"direction": "forward"}),
    ("random_jumps", {}), ("random_jumps", {"direction": "forward"}),
)  # fmt: skip
IDS = ["parallel", "sequential", "sequential_forward", "random_jumps", "random_jumps_forward"]


def rate(nu: float) -> float:
    """γ(ν) of the ohmic bath at β = 1, cutoff 4, written once more."""
    return float(np.exp(-(nu**2) / 32) * (nu / np.expm1(nu) if nu else 1.0))


def symmetrical(a: Any, b: Any) -> Any:
    """A user's kernel in balance at β = 1, of high rank."""
    return np.exp(-((a - b) ** 2) / 8 - (a + b) ** 2 / 16 - (a + b) / 4)


@lru_cache
def generator(kind: str) -> Lindbladian:
    balance = Coherent.BALANCE
    match kind:
        case "dll_gaussian":
            return dll(MODEL, BETA, Y, GaussianFilter(BETA))
        case "dll_metropolis":
            return dll(MODEL, BETA, Y, MetropolisFilter(BETA, 4 * bandwidth(MODEL)))
        case "ckg_gaussian":
            return ckg(MODEL, BETA, Y)
        case "ckg_metropolis":
            return ckg(MODEL, BETA, Y, filter="metropolis")
        case "davies":
            return davies(MODEL, BATH.beta, Y, BATH)
        case "ule":
            return ule(MODEL, BATH.beta, Y, BATH, coherent=balance.value)
        case "coarse_grained":
            return coarse_grained_cat(MODEL, BATH.beta, Y, BATH, 1.2, coherent=balance.value)
        case "scandi_alhambra":
            return scandi_alhambra_cat(MODEL, BATH.beta, Y, BATH, 1.2)
        case "custom":
            return custom_cat(MODEL, BETA, symmetrical, Y)
    raise AssertionError(kind)


KINDS = (
    "dll_gaussian", "dll_metropolis", "ckg_gaussian", "ckg_metropolis", "davies", "ule", "coarse_grained",
    "scandi_alhambra", "custom",
)  # fmt: skip


def build(kind: str | Lindbladian | DiscreteChannel, scheme: str, **knobs: Any) -> Program:
    made = generator(kind) if isinstance(kind, str) else kind
    simple = {"sweeps": 1, "strength": 0.3, "spacing": 0.4, "nodes": 3, "random_delays": (1, 3)}
    return SCHEMES[scheme](made, SCHEMES[scheme].knobs.model_validate({**simple, **knobs}))


def exactly(program: Program) -> Program:
    """Every evolution the exact exponential, inside branches and delays too."""

    def exact(step: Step) -> Step:
        match step:
            case Evolve():
                return replace(step, order=EXACT)
            case RandomDelay():
                return replace(step, unit=replace(step.unit, order=EXACT))
            case RandomChoice():
                return RandomChoice(tuple(Branch(b.probability, tuple(map(exact, b.steps))) for b in step.branches))
        return step

    return replace(program, stages=tuple(Stage(tuple(map(exact, s.steps)), s.repeats) for s in program.stages))


def total(factors: Factors, nu1: Any, nu2: Any) -> Any:
    return sum(w * f.frequency(nu1) * f.frequency(nu2).conj() for w, f in factors)


def balanced(factors: Factors, nu1: Any, nu2: Any) -> Any:
    return sum(w * f.symmetric(nu1) * f.symmetric(nu2).conj() for w, f in factors)


def imbalance(factors: Factors, nu: Any) -> float:
    """|α̃(ν1, ν2) − α̃(−ν2, −ν1)| relative to the largest |α̃|."""
    a = balanced(factors, nu[:, None], nu[None, :])
    b = balanced(factors, -nu[None, :], -nu[:, None])
    return float(np.abs(a - b).max() / np.abs(a).max())


# Davies: exact factors


def test_davies_factors__equal_the_kernel__drawn_spectra_with_equal_gaps() -> None:
    for seed in range(20):
        energies = np.random.default_rng(seed).choice([-1.7, -0.4, 0.0, 0.9, 1.3, 2.2], 4)
        nu = np.subtract.outer(energies, energies).ravel()
        factors = Secular(BATH, 1e-9).on(nu).factors()
        assert len(factors) == len({round(x, 9) for x in nu})
        expected = [[np.sqrt(rate(a) * rate(b)) if abs(a - b) < 1e-9 else 0.0 for b in nu] for a in nu]
        np.testing.assert_allclose(total(factors, nu[:, None], nu[None, :]), expected, atol=1e-10)
        assert imbalance(factors, nu) <= 1e-14


def test_davies_factors__partner_of_a_class__is_the_class_of_minus_nu() -> None:
    nu = np.array([-2.0, -0.5, 0.0, 0.5, 2.0])
    factors = Secular(BATH, 1e-9).on(nu).factors()
    for (_, f), (_, partner) in zip(factors, reversed(factors), strict=True):
        np.testing.assert_array_equal(partner.symmetric(-nu), f.symmetric(nu).conj())
        assert np.count_nonzero(f.support(nu)) == 1
        assert f.beta == BETA


def test_davies_factors__control__a_class_without_its_partner_breaks_balance() -> None:
    nu = np.array([-2.0, -0.5, 0.0, 0.5, 2.0])
    assert imbalance(Secular(BATH, 1e-9).on(nu).factors()[1:], nu) > 0.1


def test_davies_factors__in_time__are_refused_and_the_knob_named() -> None:
    _, filter = Secular(BATH, 1e-9).on(np.array([-1.0, 0.0, 1.0])).factors()[0]
    with pytest.raises(ArgumentError, match=r"`resolution`.*Fix: set the knob resolution"):
        filter.time(np.zeros(1))


def test_davies_factors__without_frequencies_or_with_too_many__are_refused() -> None:
    with pytest.raises(ArgumentError, match=r"kernel\.on\(nu\)"):
        Secular(BATH, 1e-9).factors()
    with pytest.raises(TooLargeError, match=r"2001; the limit is 1024"):
        Secular(BATH, 1e-9).on(np.linspace(-1, 1, 2001)).factors()


# Davies: resolved


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.integers(0, 10**6), st.floats(0.01, 5.0), st.integers(2, 12))
def test_resolved__is_balanced__every_resolution_and_spectrum(seed: int, sigma: float, levels: int) -> None:
    energies = np.random.default_rng(seed).uniform(-3, 3, levels)
    nu = np.subtract.outer(energies, energies)
    factors = Secular(BATH, 1e-9).resolved(nu, sigma)
    assert all(w > 0 for w, _ in factors)
    assert imbalance(factors, np.concatenate([nu.ravel(), np.linspace(-7, 7, 41)])) <= 1e-13
    assert len(factors) <= 2 * np.abs(nu).max() / sigma + 2


def test_resolved__control__one_window_of_a_pair_breaks_balance() -> None:
    nu = np.array([-2.0, -0.5, 0.0, 0.5, 2.0])
    factors = Secular(BATH, 1e-9).resolved(nu, 0.3)
    assert imbalance(factors, nu) <= 1e-14
    assert imbalance(factors[1:], nu) > 1e-2


def test_resolved__tends_to_davies__like_a_gaussian_of_the_smallest_gap() -> None:
    kernel, nu = Secular(BATH, 1e-9), np.array([-2.5, -1.5, 0.0, 1.5, 2.5])
    sigmas = np.array([0.22, 0.18, 0.15, 0.13])
    alpha = np.diag([rate(x) for x in nu])
    errors = [np.abs(total(kernel.resolved(nu, s), nu[:, None], nu[None, :]) - alpha).max() for s in sigmas]
    found = np.polyfit(1 / sigmas**2, np.log(errors), 1)[0]
    assert found == pytest.approx(-1 / 4, rel=TOLERANCE)  # e^{−Δ²/4σ²}, Δ = 1
    assert np.abs(total(kernel.resolved(nu, 0.02), nu[:, None], nu[None, :]) - alpha).max() <= 1e-10
    assert kernel.time_factors(nu, 0.22).error == pytest.approx(errors[0], rel=1e-10)


def test_resolved__rates_of_crowded_frequencies__are_kept() -> None:
    energies = np.random.default_rng(5).uniform(-3, 3, 24)
    nu = np.subtract.outer(energies, energies).ravel()
    for sigma in (0.3, 0.6, 1.0):
        factors = Secular(BATH, 1e-9).resolved(nu, sigma)
        ratio = total(factors, nu, nu).real / [rate(x) for x in nu]
        assert ratio.min() > 0.95
        assert ratio.max() < 1.05
        plain = sum(rate(c) * np.exp(-((nu - c) ** 2) / (2 * sigma**2)) for c in np.unique(np.round(nu, 9)))
        assert np.max(plain / [rate(x) for x in nu]) > 10  # one window each, unmerged, overcounts


def test_resolved__narrower_than_a_class_or_too_many__is_refused() -> None:
    wide = Secular(BATH, 0.2)
    with pytest.raises(ArgumentError, match=r"`resolution`.*spread.*0\.15"):
        wide.resolved(np.array([-1.15, -1.0, 0.0, 1.0, 1.15]), 0.1)
    with pytest.raises(TooLargeError, match=r"jumps per coupling.*resolution"):
        Secular(BATH, 1e-9).time_factors(np.array([-50.0, 50.0]), 1e-2, complete=False)


def test_resolved__default__is_the_smaller_of_two_scales() -> None:
    small, large = np.array([-1.0, 0.0, 1.0]), np.array([-9.0, 0.0, 9.0])
    assert Secular(BATH, 1e-9).time_factors(small).resolution == pytest.approx(0.25)  # max |ν| / 4
    assert Secular(BATH, 1e-9).time_factors(large).resolution == pytest.approx(1.0)  # 1/β < cutoff


def test_resolved__unknown_spectrum__has_the_rates_of_every_frequency() -> None:
    found = Secular(BATH, 1e-9).time_factors(np.array([-6.0, 6.0]), 0.5, complete=False)
    nu = np.linspace(-6, 6, 301)
    np.testing.assert_allclose(total(found.factors, nu, nu).real, [rate(x) for x in nu], rtol=1e-2)
    assert found.error is None


def test_time_factors__unknown_spectrum__have_their_error_measured_in_between() -> None:
    kernel = CustomKernel(1.0, lambda a, b: np.exp(-((a - b) ** 2) / 3 - (a + b) ** 2 / 20 - (a + b) / 4), 4.0)
    found = kernel.time_factors(np.array([3.0]), complete=False)
    nu = np.linspace(-3, 3, 400)
    there = np.abs(total(found.factors, nu[:, None], nu[None, :]) - kernel(nu[:, None], nu[None, :])).max()
    assert found.error == pytest.approx(there, rel=1e-6)


# Windows


@pytest.mark.parametrize(
    "kernel",
    [
        ckg_gaussian(1.0, 1.0, 1.0), ckg_metropolis(1.0, 1.0), ckg_metropolis(5.0, 0.2), scandi_alhambra(BATH, 3.0),
        coarse_grained(BATH, 2.0),
    ],
    ids=["ckg_gaussian", "ckg_metropolis", "cold", "scandi_alhambra", "unshifted"],
)  # fmt: skip
def test_few_windows__equal_the_kernel__everywhere_between(kernel: Any) -> None:
    nu = np.random.default_rng(1).uniform(-5, 5, (60, 2))
    few, many = kernel.factors_in_time(np.array([-5.0, 5.0])), kernel.on(np.array([5.0])).factors()
    exact = kernel(nu[:, 0], nu[:, 1])
    bound = np.sqrt(kernel(nu[:, 0], nu[:, 0]) * kernel(nu[:, 1], nu[:, 1])).real
    assert np.max(np.abs(total(few, nu[:, 0], nu[:, 1]) - exact) / bound) < 1e-4
    assert len(few) < len(many)
    defect = imbalance(few, nu[:, 0])
    assert defect <= 1e-13 if kernel.detailed_balance else defect > 1e-2  # the unshifted one is the control


# Kernels that users bring


def custom() -> CustomKernel:
    return CustomKernel(1.0, lambda a, b: symmetrical(a, b) * np.exp(0.3j * np.sin(a) - 0.3j * np.sin(b)), 10.0)


def test_custom_factors__equal_the_kernel_and_are_balanced() -> None:
    nu = np.linspace(-4.9, 4.9, 61)
    found = custom().time_factors(nu)
    exact = custom()(nu[:, None], nu[None, :])
    assert np.abs(total(found.factors, nu[:, None], nu[None, :]) - exact).max() < 1e-8 * np.abs(exact).max()
    assert found.error == pytest.approx(np.abs(total(found.factors, nu[:, None], nu) - exact).max(), abs=1e-12)
    for _, f in found.factors:
        np.testing.assert_array_equal(f.symmetric(-nu), f.symmetric(nu).conj())
    weights = [w for w, _ in found.factors]
    assert weights == sorted(weights, reverse=True)
    assert 5 < len(weights) < 40
    assert weights[-1] > 1e-10 * weights[0]


def test_custom_factors__time_kernels__transform_to_the_filters() -> None:
    for _, f in custom().time_factors(np.array([-4.0, 0.0, 4.0])).factors[:3]:
        t: np.ndarray[Any, np.dtype[np.float64]] = np.arange(-400.0, 401.0) * 0.1
        values = f.time(t)
        for nu in (-3.0, -0.4, 0.0, 1.7):
            found = scipy.integrate.trapezoid(values * np.exp(1j * nu * t), x=t)
            assert found == pytest.approx(f.frequency(np.array(nu)), abs=1e-6)
        mass = np.abs(values) ** 2
        assert mass[np.abs(t) <= f.width].sum() / mass.sum() == pytest.approx(0.9953, abs=0.005)


def test_custom_factors__dense_form__stays_exact() -> None:
    nu = np.array([-2.0, -0.3, 0.0, 0.3, 2.0])
    np.testing.assert_allclose(
        total(custom().on(nu).factors(), nu[:, None], nu[None, :]), custom()(nu[:, None], nu[None, :]), atol=1e-12
    )


def test_custom_factors__rough_kernel__is_refused() -> None:
    rough = CustomKernel(0.0, lambda a, b: np.exp(-np.abs(a - b) / 1e-3), 2.0)
    with pytest.raises(ArgumentError, match="smooth in both frequencies"):
        rough.time_factors(np.array([-2.0, 2.0]))
    edge = CustomKernel(0.0, lambda a, b: np.where(np.maximum(np.abs(a), np.abs(b)) > 2.1, np.nan, 1.0), 2.0)
    with pytest.raises(ArgumentError, match="finite on"):
        edge.time_factors(np.array([-2.0, 2.0]))


# Jumps


@pytest.mark.parametrize("kind", KINDS)
def test_symbolic_jumps__every_kind__make_the_kernel_and_share_filters(kind: str) -> None:
    jumps, kernel = symbolic_jumps(generator(kind)), generator(kind).contacts[0].kernel
    assert len({jump.terms for jump in jumps}) == 2
    half = len(jumps) // 2
    assert [jump.key for jump in jumps[:half]] == [jump.key for jump in jumps[half:]]
    assert all(a.filter is b.filter for a, b in zip(jumps[:half], jumps[half:], strict=True))
    if kind != "davies":
        nu = spectrum(MODEL).bohr_frequencies.ravel()
        factors = tuple((jump.weight, jump.filter) for jump in jumps[:half])
        exact = kernel.on(nu)(nu[:, None], nu[None, :])
        assert np.abs(total(factors, nu[:, None], nu[None, :]) - exact).max() < 2e-6 * np.abs(exact).max()


def test_symbolic_jumps__discrete_channel__takes_the_transitions_inside() -> None:
    inner = generator("ckg_gaussian")
    assert symbolic_jumps(DiscreteChannel(inner)) == symbolic_jumps(inner)
    program = build(DiscreteChannel(inner), "parallel")
    assert program.lindbladian is inner


def test_symbolic_jumps__not_positive__is_refused() -> None:
    redfield = redfield_cat(MODEL, BATH.beta, Y, BATH)
    assert isinstance(redfield.contacts[0].kernel, Redfield)
    with pytest.raises(ArgumentError, match="completely positive"):
        symbolic_jumps(redfield)


@pytest.mark.parametrize("scheme", TIME_SCHEMES)
def test_resolution__unused__is_refused_and_recorded_where_used(scheme: str) -> None:
    with pytest.raises(ArgumentError, match=r"`resolution`.*unused by dll.*remove resolution"):
        build("dll_gaussian", scheme, resolution=0.5)
    assert build("davies", scheme, resolution=0.7).knobs["resolution"] == 0.7
    assert build("davies", scheme).knobs["resolution"] == pytest.approx(1.0)
    assert build("dll_gaussian", scheme).knobs["resolution"] is None
    for bad in (0.0, -1.0, float("nan")):
        with pytest.raises(ValidationError):
            build("davies", scheme, resolution=bad)


def test_widest__is_the_longest_filter() -> None:
    wide, narrow = symbolic_jumps(generator("davies"), 0.1), symbolic_jumps(generator("davies"), 1.0)
    assert widest(wide) == pytest.approx(np.sqrt(2) / 0.1)
    assert widest([*narrow, *wide]) == widest(wide)


@pytest.mark.parametrize("scheme", TIME_SCHEMES)
def test_declared__davies__says_what_is_left_out_and_the_worst_filter(scheme: str) -> None:
    program = build("davies", scheme, resolution=0.5, nodes=9)
    terms = {term.rung: term for term in program.declared}
    assert (terms[Rung.COHERENT].value, terms[Rung.COHERENT].status) == (0.0, Status.PROVED)
    assert "commutes with H" in terms[Rung.COHERENT].source
    nu = spectrum(MODEL).bohr_frequencies.ravel()
    found = kernel_factors(generator("davies"), 0.5)[generator("davies").contacts[0].kernel]
    alpha = [[rate(a) if abs(a - b) < 1e-9 else 0.0 for b in nu] for a in nu]
    assert terms[Rung.FILTER].value == pytest.approx(
        np.abs(total(found.factors, nu[:, None], nu[None, :]) - alpha).max(), rel=1e-8
    )
    t: np.ndarray[Any, np.dtype[np.float64]] = (np.arange(9.0) - 4) * 0.4
    worst = max(
        np.sqrt(w) * np.abs(np.exp(1j * np.outer(nu, t)) @ (0.4 * f.time(t)) - f.frequency(nu)).max()
        for w, f in found.factors
    )
    assert terms[Rung.QUADRATURE].value == pytest.approx(worst, rel=1e-8)
    balance = {term.rung: term for term in build("ckg_gaussian", scheme).declared}[Rung.COHERENT]
    assert (balance.value, balance.status) == (None, Status.NOT_CHECKED)


# What the schemes write


def couples(program: Program) -> list[Couple]:
    return [step for step in program.stages[0].steps if isinstance(step, Couple)]


def test_parallel__many_factors__ride_with_other_couplings_only() -> None:
    program, factors = build("davies", "parallel"), len(symbolic_jumps(generator("davies"))) // 2
    assert program.num_ancilla == 2
    assert len(couples(program)) == 3 * 2 * factors
    assert sum(isinstance(step, Evolve) for step in program.stages[0].steps) == 2 * factors
    single = build("davies", "parallel", ancillas=1)
    assert single.num_ancilla == 1
    assert sum(isinstance(step, Evolve) for step in single.stages[0].steps) == 2 * 2 * factors


def test_sequential__forward__is_half_the_evolution() -> None:
    there = build("ckg_gaussian", "sequential", direction="forward")
    back = build("ckg_gaussian", "sequential")
    free = [sum(abs(s.duration) for s in p.stages[0].steps if isinstance(s, Evolve)) for p in (there, back)]
    assert free[1] == pytest.approx(2 * free[0])
    assert len(couples(back)) * 3 == len(couples(there)) * 5
    assert cost(there).two_qubit_gates < cost(back).two_qubit_gates


def test_random_jumps__mean_generator__is_the_whole_one() -> None:
    program = build("davies", "random_jumps", strength=0.25, nodes=1)
    (choice, _) = program.stages[0].steps
    assert isinstance(choice, RandomChoice)
    jumps = symbolic_jumps(generator("davies"))
    for branch, jump in zip(choice.branches, jumps, strict=True):
        coupling, _ = branch.steps
        assert isinstance(coupling, Couple)
        f = 0.4 * abs(jump.filter.time(ORIGIN)[0])
        assert branch.probability * coupling.angle**2 == pytest.approx(0.25 * jump.weight * f**2)
    assert sum(branch.probability for branch in choice.branches) == pytest.approx(1)


def draws(program: Program) -> Iterator[list[int]]:
    """A few draws of the random steps of one sweep."""
    spans = [
        range(step.low, step.high + 1) if isinstance(step, RandomDelay) else range(len(step.branches))
        for step in program.stages[0].steps
        if isinstance(step, RandomDelay | RandomChoice)
    ]
    rng = np.random.default_rng(4)
    yield from ([int(rng.choice(values)) for values in spans] for _ in range(3))


@pytest.mark.parametrize(("scheme", "extra"), WAYS, ids=IDS)
@pytest.mark.parametrize("kind", ["davies", "custom", "dll_gaussian"])
def test_scheme__circuit_equals_channel__at_fixed_draws(kind: str, scheme: str, extra: dict[str, Any]) -> None:
    one = from_terms([("X", 0.7), ("Z", -0.4)])
    made = {
        "davies": davies(one, BATH.beta, couplings_of("Y", 1), BATH),
        "custom": custom_cat(one, BETA, symmetrical, couplings_of("Y", 1)),
        "dll_gaussian": generator("dll_gaussian"),
    }[kind]
    program = build(made, scheme, nodes=2, **extra)
    for drawn in draws(program):
        qc = assemble(program, circuit_segments(program), QuantumCircuit(program.num_qubits), iter(drawn))
        theirs = channel_of(lowered(qc), program.num_system)
        assert np.abs(sweep_channel(program, draws=drawn) - theirs).max() <= 1e-10


@pytest.mark.parametrize(("scheme", "extra"), WAYS, ids=IDS)
@settings(deadline=None, derandomize=True, max_examples=12)
@given(made=generators(), seed=st.integers(0, 99), nodes=st.integers(1, 3))
def test_scheme__circuit_equals_channel__generated(
    scheme: str, extra: dict[str, Any], made: Lindbladian, seed: int, nodes: int
) -> None:
    program = build(made, scheme, nodes=nodes, truncation=0.25, **extra)
    drawn, rho = random_draws(program, seed), random_state(program.num_system, seed)
    qc = assemble(program, circuit_segments(program), QuantumCircuit(program.num_qubits), iter(drawn))
    ours = sweep_channel(program, draws=drawn) @ rho.reshape(-1, order="F")
    assert np.abs(ours.reshape(rho.shape, order="F") - evolved(lowered(qc), rho)).max() <= 1e-10


@pytest.mark.parametrize(("scheme", "extra"), WAYS, ids=IDS)
def test_scheme__cost_equals_count__mean_over_draws(scheme: str, extra: dict[str, Any]) -> None:
    model = mixed_field_ising(3)
    made = davies(model, BATH.beta, (couplings_of("Y", 3)[0], couplings_of("X", 3)[2]), BATH)
    program = build(made, scheme, nodes=2, random_delays=False, resolution=3.0, **extra)
    parts = circuit_segments(program)
    step = program.stages[0].steps[0]
    weights = [b.probability for b in step.branches] if isinstance(step, RandomChoice) else [1.0]
    counted = sum(
        p * lowered(assemble(program, parts, QuantumCircuit(program.num_qubits), iter([k]))).count_ops().get("cx", 0)
        for k, p in enumerate(weights)
    )
    assert cost(program).two_qubit_gates == pytest.approx(counted)


@pytest.mark.parametrize("scheme", TIME_SCHEMES)
@pytest.mark.parametrize("nodes", [900, 9000])
def test_scheme__too_large__is_refused_with_its_gates(scheme: str, nodes: int) -> None:
    made = scandi_alhambra_cat(MODEL, BATH.beta, Y, BATH, 20.0)
    factors = len(symbolic_jumps(made)) // 2
    with pytest.raises(TooLargeError) as raised:
        build(made, scheme, nodes=nodes)
    message = str(raised.value)
    assert f"{factors} factors × 2 couplings × {nodes} nodes" in message
    legs = 1 if scheme == "parallel" else 2
    passes = factors if scheme == "parallel" else 2 * factors
    rides = 2 * factors * (legs * (nodes - 1) + 1)
    moves = passes * legs * (nodes - 1)
    assert f"{rides + moves} steps with {2 * (rides + moves)} two-qubit gates" in message  # one bond, YX per coupling
    assert ('scheme = "random_jumps" and direction = "forward"' in message) == (
        nodes == 900 and scheme != "random_jumps"
    )


def test_random_jumps__forward__writes_what_one_sweep_may_not_hold() -> None:
    made = scandi_alhambra_cat(MODEL, BATH.beta, Y, BATH, 20.0)
    jumps, knobs = symbolic_jumps(made), RandomJumpsKnobs(sweeps=1, nodes=900, spacing=0.3, strength=1.0)
    groups = build(made, "parallel").groups
    refuse_large(jumps, knobs, groups, *couplings_and_evolutions(len(jumps), 900, "forward"), at_once=False)
    with pytest.raises(TooLargeError):
        refuse_large(jumps, knobs, groups, *couplings_and_evolutions(len(jumps), 900, "forward"))


# How it converges


def grid_semigroup(made: Lindbladian, nodes: int, spacing: float) -> Any:
    """exp(Σ D[L]) by expm, every L = Σ τ √w f(t_l) A(t_l + reach): in the frame of the first node."""
    H = made.model.hamiltonian.to_matrix()
    d = len(H)
    generator_matrix = np.zeros((d * d, d * d), dtype=complex)
    reach = (nodes - 1) / 2 * spacing
    for contact in made.contacts:
        A = contact.coupling.to_matrix()
        for weight, filter in kernel_factors(made)[contact.kernel].factors:
            L = np.zeros((d, d), dtype=complex)
            single = filter.width == 0
            for l in range(1 if single else nodes):
                t = 0.0 if single else (l - (nodes - 1) / 2) * spacing
                U = scipy.linalg.expm(1j * H * (t + reach))
                L += np.sqrt(weight) * (1.0 if single else spacing * time_kernel(filter, t)) * U @ A @ U.conj().T
            R = L.conj().T @ L
            one = np.eye(d)
            generator_matrix += np.kron(L.conj(), L) - 0.5 * (np.kron(one, R) + np.kron(R.T, one))
    return scipy.linalg.expm(generator_matrix)


def time_kernel(filter: Filter, t: float) -> complex:
    """F(t) in closed form for windows and for the Gaussian filter at h = 1/β."""
    if isinstance(filter, WindowFilter):
        b, s, u = filter.beta, filter.sigma, filter.centre
        peak = s / np.sqrt(np.pi) * np.exp(-b * u / 4 + (b * s) ** 2 / 16)
        return complex(peak * np.exp(-((s * t) ** 2) - 1j * (u - b * s**2 / 2) * t))
    assert isinstance(filter, GaussianFilter)
    b = filter.beta
    return complex(np.exp(1 / 8 - 2 * t**2 / b**2 + 1j * t / b) * np.sqrt(2 / np.pi) / b)


def channel_errors(made: Lindbladian, scheme: str, **extra: Any) -> tuple[list[float], list[float]]:
    nodes, spacing, counts = 21, 0.3, (32, 64, 128)
    reference = grid_semigroup(made, nodes, spacing)
    errors = []
    for count in counts:
        knobs = {"strength": 1 / count, "spacing": spacing, "nodes": nodes, "random_delays": False, **extra}
        channel = np.linalg.matrix_power(sweep_channel(exactly(build(made, scheme, **knobs))), count)
        errors.append(float(np.linalg.norm(channel - reference, 2)))
    return [1 / count for count in counts], errors


@pytest.mark.parametrize("scheme", ["sequential", "random_jumps"])
@pytest.mark.parametrize("kind", ["davies", "ckg_metropolis"])
def test_palindromes__averaged_channel__order_one_towards_the_semigroup(kind: str, scheme: str) -> None:
    values, errors = channel_errors(generator(kind), scheme)
    assert slope(values, errors) == pytest.approx(1, abs=TOLERANCE)
    assert errors[-1] < 0.02


@pytest.mark.parametrize("scheme", ["sequential", "random_jumps"])
def test_palindromes__a_bath_at_infinite_temperature__is_in_the_same_frame(scheme: str) -> None:
    hot = Contact(couplings_of("X", 2)[0], RankOne(GaussianFilter(0.0), 0.5))
    cold = generator("dll_gaussian").contacts[0]
    values, errors = channel_errors(Lindbladian(MODEL, (cold, hot)), scheme)
    assert slope(values, errors) == pytest.approx(1, abs=TOLERANCE)
    assert errors[-1] < 0.02


def lie_errors(scheme: str) -> tuple[list[float], list[float]]:
    made, nodes, spacing, counts = generator("ckg_metropolis"), 21, 0.3, (32, 64, 128)
    reference, errors = grid_semigroup(made, nodes, spacing), []
    for count in counts:
        knobs = SequentialKnobs(sweeps=1, strength=1 / count, spacing=spacing, nodes=nodes, random_delays=(0, 0))
        program = sequential(made, knobs, palindromic=False)
        if scheme == "random_jumps":
            steps, unit = (
                build(made, scheme, strength=1 / count, spacing=spacing, nodes=nodes).stages[0].steps[0],
                (Evolve(spacing)),
            )
            assert isinstance(steps, RandomChoice)
            branches = tuple(
                Branch(b.probability, tuple(jump_steps(
                    jump, 1 / count / b.probability, nodes, unit, (nodes - 1) * spacing, "forward_and_back",
                    palindromic=False,
                )))
                for b, jump in zip(steps.branches, symbolic_jumps(made), strict=True)
            )  # fmt: skip
            program = replace(program, stages=(Stage((RandomChoice(branches),), 1),))
        channel = np.linalg.matrix_power(sweep_channel(exactly(program)), count)
        errors.append(float(np.linalg.norm(channel - reference, 2)))
    return [1 / count for count in counts], errors


@pytest.mark.parametrize("scheme", ["sequential", "random_jumps"])
def test_lie_order__control__does_not_converge(scheme: str) -> None:
    values, errors = lie_errors(scheme)
    assert abs(slope(values, errors)) < 0.3
    assert errors[-1] > 0.02


GRIDS = {"ule": (0.1, 121), "dll_metropolis": (0.2, 91), "custom": (0.4, 41)}  # spacing, nodes


def biases(made: Lindbladian, spacing: float, nodes: int, scheme: str, extra: dict[str, Any]) -> list[float]:
    """Distance of the fixed point to σ, exact evolution, delays of the same length for every grid."""
    delay = (round(2 / spacing), round(8 / spacing))
    sigma = gibbs(MODEL.hamiltonian, BETA)
    found = []
    for strength in STRENGTHS:
        knobs = {"strength": strength, "spacing": spacing, "nodes": nodes, "random_delays": delay}
        program = exactly(build(made, scheme, **knobs, **extra))
        found.append(distance(fixed_point(sweep_channel(program)), sigma))
    return found


STRENGTHS = (0.06, 0.03, 0.015)


SHORT = ("dll_gaussian", "ckg_metropolis", "davies")  # kinds whose forward runs are not left to the slow tests
CASES = [
    pytest.param(kind, *way, id=f"{kind}-{name}", marks=[pytest.mark.slow] if way[1] and kind not in SHORT else [])
    for kind in KINDS
    for way, name in zip(WAYS, IDS, strict=True)
]


@pytest.mark.parametrize(("kind", "scheme", "extra"), CASES)
def test_fixed_point__every_exact_kind__tends_to_gibbs_with_order_one(
    kind: str, scheme: str, extra: dict[str, Any]
) -> None:
    errors = biases(generator(kind), *GRIDS.get(kind, (0.3, 21)), scheme, extra)
    print(f"{kind} {scheme} {extra}: {errors} slope {slope(STRENGTHS, errors):.3f}")
    assert slope(STRENGTHS, errors) == pytest.approx(1, abs=TOLERANCE)
    assert errors[-1] < 0.01


@pytest.mark.parametrize(("scheme", "extra"), WAYS, ids=IDS)
def test_fixed_point__control__without_balance_a_bias_stays(scheme: str, extra: dict[str, Any]) -> None:
    made = coarse_grained_cat(MODEL, BATH.beta, Y, BATH, 1.2, shifted=False, coherent="none")
    errors = biases(made, 0.3, 21, scheme, extra)
    assert abs(slope(STRENGTHS, errors)) < 0.3
    assert errors[-1] > 0.01


def test_rate_filter__is_what_ule_compiles() -> None:
    assert isinstance(symbolic_jumps(generator("ule"))[0].filter, RateFilter)
