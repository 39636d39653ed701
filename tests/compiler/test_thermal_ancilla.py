"""Thermal-ancilla repeated interaction: the shift rule is a windowed kernel in balance, drawn factor by factor."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from gibbs_circuits.compiler.schemes.registry import SCHEMES
from gibbs_circuits.compiler.schemes.thermal_ancilla import (
    ThermalAncillaKnobs,
    interactions,
    thermal_ancilla,
)
from gibbs_circuits.errors import ArgumentError, TooLargeError
from gibbs_circuits.generators.baths import ohmic
from gibbs_circuits.generators.contact import Coherent, Contact
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.filters.metropolis import MetropolisFilter
from gibbs_circuits.generators.kernels.filter_sum import FilterSum
from gibbs_circuits.generators.kernels.rates import GaussianRate
from gibbs_circuits.generators.kernels.windowed import coarse_grained
from gibbs_circuits.generators.kernels.windows import WindowFilter
from gibbs_circuits.generators.kinds.ckg import ckg
from gibbs_circuits.generators.kinds.davies import davies
from gibbs_circuits.generators.kinds.dll import dll
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.linalg.fixed_point import fixed_point
from gibbs_circuits.models.library.spin_chains import mixed_field_ising
from gibbs_circuits.models.model import Model, from_terms
from gibbs_circuits.programs.program import Program, Rung, Stage
from gibbs_circuits.programs.steps import EXACT, Couple, Evolve, RandomChoice, RandomDelay, Step
from gibbs_circuits.readings.channel.sweep_channel import sweep_channel
from gibbs_circuits.readings.circuits.circuit import random_draws
from gibbs_circuits.readings.circuits.cost import cost
from tests.examples import build, channel_of, distance, generators, gibbs, ising, lowered, slope, unrolled
from tests.systems import PAULIS, dense

BETA, ENVELOPE = 1.0, 1.0
SIGMA = 1 / (2 * ENVELOPE)
GRID = {"spacing": 0.3, "nodes": 37}  # out to 5.4 s, where the envelope has fallen to e^{−7}


def coupling_strength(generator: Lindbladian, strength: float, spacing: float, count: int) -> float:
    r"""α of every interaction, $\alpha^2 = \delta\sum_k w_k\,\tau\sum_l|f_k(t_l)|^2$."""
    one = interactions(generator, strength, spacing, count)[0]
    return float(np.sqrt(np.sum(np.abs(one.angles) ** 2) / spacing))


def windowed(model: Model, couplings: str = "XYZ", **settings: Any) -> Lindbladian:
    given = {"sigma_E": SIGMA, **settings}
    return ckg(model, BETA, couplings_of(couplings, model.num_qubits), **given)


class Comb(FilterSum):
    """A few pairs ±w of one window: in balance, however few."""

    detailed_balance = True


def few_frequencies(model: Model, frequencies: tuple[float, ...] = (0.6, 1.7, 3.1)) -> Lindbladian:
    """Nine couplings to thermal ancillas of a finite set of frequencies, all equally likely."""
    parts = []
    for w in frequencies:
        weight = 1 / (2 * np.cosh(BETA * w / 2))  # so that γ(w) + γ(−w) is the same for every w
        parts += [(weight, WindowFilter(BETA, SIGMA, u)) for u in (-w, w)]
    kernel = Comb(BETA, tuple(parts))
    contacts = tuple(Contact(A, kernel) for A in couplings_of("XYZ", model.num_qubits))
    return Lindbladian(model, contacts, Coherent.NONE, "comb")


def program(generator: Lindbladian, **knobs: Any) -> Program:
    given = {"sweeps": 1, "strength": 0.5, **GRID, **knobs}
    return thermal_ancilla(generator, ThermalAncillaKnobs.model_validate(given))


def exactly_evolved(program: Program) -> Program:
    def changed(step: Step) -> Step:
        match step:
            case Evolve():
                return replace(step, order=EXACT)
            case RandomDelay():
                return replace(step, unit=replace(step.unit, order=EXACT))
            case RandomChoice():
                branches = [replace(b, steps=tuple(changed(s) for s in b.steps)) for b in step.branches]
                return RandomChoice(tuple(branches))
            case _:
                return step

    stages = tuple(Stage(tuple(changed(s) for s in stage.steps), stage.repeats) for stage in program.stages)
    return replace(program, stages=stages)


def error(generator: Lindbladian, alpha: float, *, shift: bool, order: int = EXACT, **grid: Any) -> float:
    grid = {**GRID, **grid}
    unit = coupling_strength(generator, 1.0, grid["spacing"], grid["nodes"])
    written = program(
        generator, strength=(alpha / unit) ** 2, shift=shift, random_delays=(2, 8), trotter_order=order or 2, **grid
    )
    channel = sweep_channel(written if order else exactly_evolved(written))
    return distance(fixed_point(channel), gibbs(generator.model.hamiltonian, BETA))


def generated(seed: int) -> Model:
    rng = np.random.default_rng(seed)
    labels = ["".join(letters) for letters in itertools.product("IXYZ", repeat=3)][1:]
    chosen = rng.choice(len(labels), 8, replace=False)
    return from_terms([(labels[k], float(0.6 * rng.normal())) for k in chosen])


def choice(program: Program) -> RandomChoice:
    step = program.stages[0].steps[0]
    assert isinstance(step, RandomChoice)
    return step


# what is drawn


def test_interactions__window__are_thermal_ancillas_with_the_shift_rule() -> None:
    drawn = interactions(windowed(mixed_field_ising(2), "Y"), 0.3, **_grid())
    by_coupling = {one.terms: [o for o in drawn if o.terms == one.terms] for one in drawn}
    assert len(by_coupling) == 2
    times = (np.arange(GRID["nodes"]) - (GRID["nodes"] - 1) / 2) * GRID["spacing"]
    middle = len(times) // 2
    for pair_list in by_coupling.values():
        turns = [float(np.angle(o.angles[middle + 1] / o.angles[middle])) / GRID["spacing"] for o in pair_list]
        ground = [(o, turn) for o, turn in zip(pair_list, turns, strict=True) if 0.3 < turn < 4]
        assert len(ground) >= 3
        for one, splitting in ground:
            w = splitting - BETA / (8 * ENVELOPE**2)
            excited = [
                o for o, t in zip(pair_list, turns, strict=True) if t == pytest.approx(-(w - BETA / 8), abs=1e-8)
            ]
            p = 1 / (1 + np.exp(BETA * w))
            assert len(excited) == 1
            assert excited[0].probability / one.probability == pytest.approx(p / (1 - p), rel=1e-9)
            for o, phase in ((one, w + BETA / 8), (excited[0], -(w - BETA / 8))):
                envelope = o.angles[middle] * np.exp(-(times**2) / (4 * ENVELOPE**2) + 1j * phase * times)
                assert np.abs(o.angles - envelope).max() < 1e-10


def _grid() -> dict[str, Any]:
    return {"spacing": GRID["spacing"], "count": GRID["nodes"]}


@pytest.mark.parametrize("shift", [True, False])
def test_interactions__all__have_one_strength_and_probabilities_that_add_up(shift: bool) -> None:
    generator = windowed(mixed_field_ising(2), "XZ")
    drawn = interactions(generator, 0.3, shift=shift, **_grid())
    assert sum(one.probability for one in drawn) == pytest.approx(1, abs=1e-12)
    strengths = [np.sum(np.abs(one.angles) ** 2) / GRID["spacing"] for one in drawn]
    assert np.ptp(strengths) < 1e-12 * strengths[0]
    assert coupling_strength(generator, 0.3, *_grid().values()) ** 2 == pytest.approx(strengths[0])
    # α² = δ Σ_a ∫ dω γ(ω) for the normalised window of CKG, γ(ω) = e^{−(ω+ω_γ)²/2σ_γ²} with β = 2ω_γ/(σ_E²+σ_γ²)
    variance = 2 / BETA * (1 / BETA) - SIGMA**2
    assert strengths[0] == pytest.approx(0.3 * 4 * np.sqrt(2 * np.pi * variance) / (2 * np.pi), rel=1e-3)


def realised(generator: Lindbladian, nu: Any, shift: bool) -> Any:
    """Σ P ĝ(ν1) ĝ*(ν2) / δ of what is drawn for one coupling, ĝ(ν) = Σ_l θ_l e^{iφ_l + iνt_l}."""
    times = (np.arange(GRID["nodes"]) - (GRID["nodes"] - 1) / 2) * GRID["spacing"]
    total = np.zeros((len(nu), len(nu)), dtype=complex)
    drawn = interactions(generator, 1.0, shift=shift, **_grid())
    for one in drawn:
        if one.terms == drawn[0].terms:
            g = np.exp(1j * np.outer(nu, times)) @ one.angles
            total += one.probability * np.outer(g, g.conj())
    return total


NU = np.linspace(-4, 4, 9)


def test_interactions__with_the_rule__realise_the_kernel_in_balance() -> None:
    found = realised(windowed(mixed_field_ising(3), "Y"), NU, shift=True)
    omega, total = 1 / BETA, 2 / BETA * (1 / BETA)  # ω_γ and σ_E² + σ_γ²
    mean, gap = (NU[:, None] + NU) / 2, NU[:, None] - NU
    formula = np.sqrt(1 - SIGMA**2 / total) * np.exp(-(gap**2) / (8 * SIGMA**2) - (mean + omega) ** 2 / (2 * total))
    assert np.abs(found - formula).max() < 1e-4
    balance = found[::-1, ::-1].T * np.exp(-BETA * (NU[:, None] + NU) / 2)
    assert np.abs(found - balance).max() < 1e-6 * np.abs(found).max()  # rates are fitted, balance is exact


def test_interactions__without_the_rule__realise_the_coarse_grained_kernel_out_of_balance() -> None:
    found = realised(windowed(mixed_field_ising(3), "Y"), NU, shift=False)
    total = 2 / BETA * (1 / BETA)
    u = np.linspace(-40, 40, 20001)
    rate = np.exp(-((u + BETA * (total - SIGMA**2) / 2) ** 2) / (2 * (total - SIGMA**2)))
    mean, gap = (NU[:, None] + NU) / 2, NU[:, None] - NU
    smooth = [np.trapezoid(rate * np.exp(-((m - u) ** 2) / (2 * SIGMA**2)), u) for m in mean.ravel()]
    formula = np.exp(-(gap**2) / (8 * SIGMA**2)) * np.reshape(smooth, mean.shape)
    assert np.abs(found / found[4, 4] - formula / formula[4, 4]).max() < 1e-2
    balance = found[::-1, ::-1].T * np.exp(-BETA * (NU[:, None] + NU) / 2)
    assert np.abs(found - balance).max() > 0.05 * np.abs(found).max()


def test_interactions__unbalanced_kernel__has_no_shift_to_take_away() -> None:
    model = mixed_field_ising(2)
    rate = GaussianRate(BETA, np.sqrt(2 / BETA * (1 / BETA) - SIGMA**2))
    contacts = tuple(Contact(A, coarse_grained(rate, 1 / SIGMA)) for A in couplings_of("Y", 2))
    generator = Lindbladian(model, contacts, Coherent.NONE, "coarse_grained")
    on, off = (interactions(generator, 0.3, shift=shift, **_grid()) for shift in (True, False))
    assert all(np.array_equal(a.angles, b.angles) for a, b in zip(on, off, strict=True))
    plain = realised(windowed(model, "Y"), NU, shift=False)
    found = realised(generator, NU, shift=True)
    assert np.abs(found / found[4, 4] - plain / plain[4, 4]).max() < 1e-2


def test_interactions__finite_set_of_frequencies__is_in_balance_and_equally_likely() -> None:
    generator = few_frequencies(mixed_field_ising(3))
    drawn = interactions(generator, 1.0, **_grid())
    assert len(drawn) == 9 * 6
    for ground, excited in zip(drawn[::2], drawn[1::2], strict=True):
        assert ground.probability + excited.probability == pytest.approx(1 / 27)
    balanced = realised(generator, NU, shift=True)
    plain = realised(generator, NU, shift=False)
    for found, bound in ((balanced, False), (plain, True)):
        defect = np.abs(found - found[::-1, ::-1].T * np.exp(-BETA * (NU[:, None] + NU) / 2)).max()
        assert (defect > 1e-2 * np.abs(found).max()) == bound


# one interaction, against a thermal ancilla written out


@pytest.mark.parametrize("branch_kind", ["ground", "excited"])
def test_channel__one_draw__is_an_ancilla_of_that_splitting_and_start(branch_kind: str) -> None:
    generator = windowed(mixed_field_ising(2), "Y")
    written = exactly_evolved(program(generator, random_delays=False))
    branches = choice(written).branches
    middle = GRID["nodes"] // 2

    def couples(k: int) -> list[Couple]:
        return [step for step in branches[k].steps if isinstance(step, Couple)]

    def turn(k: int) -> float:
        return (couples(k)[middle + 1].axis - couples(k)[middle].axis) / GRID["spacing"]

    sign = 1 if branch_kind == "ground" else -1
    k = next(k for k in range(len(branches)) if 0.5 < sign * turn(k) < 3)
    splitting, steps = sign * turn(k), couples(k)
    H = np.kron(np.eye(2), dense(generator.model.terms)) - splitting / 2 * np.kron(PAULIS["Z"], np.eye(4))
    step = scipy.linalg.expm(-1j * GRID["spacing"] * H)
    A = np.kron(PAULIS["X"], dense(steps[0].terms))  # the ancilla is the highest qubit; its frame turns by itself
    U = np.eye(8, dtype=complex)
    for l, couple in enumerate(steps):
        U = scipy.linalg.expm(-1j * couple.angle * A) @ (step @ U if l else U)
    start = 0 if branch_kind == "ground" else 1
    kraus = [U[4 * out : 4 * out + 4, 4 * start : 4 * start + 4] for out in (0, 1)]
    oracle = sum(np.kron(K.conj(), K) for K in kraus)
    assert np.abs(sweep_channel(written, draws=[k]) - oracle).max() < 1e-10
    wrong = [U[4 * out : 4 * out + 4, 4 * (1 - start) : 4 * (1 - start) + 4] for out in (0, 1)]
    assert np.abs(oracle - sum(np.kron(K.conj(), K) for K in wrong)).max() > 1e-3


# the rule and its absence


def check_rule(generator: Lindbladian, alphas: tuple[float, ...], **grid: int) -> None:
    ruled = [error(generator, alpha, shift=True, **grid) for alpha in alphas]
    plain = [error(generator, alpha, shift=False, **grid) for alpha in (0.2, 0.1)]
    assert abs(slope(alphas, ruled) - 2) < 0.15
    assert plain[1] == pytest.approx(plain[0], rel=0.05)  # saturates
    assert plain[1] > 10 * ruled[-1]
    assert plain[1] > 0.03


def test_fixed_point__chain__is_second_order_with_the_rule_and_saturates_without() -> None:
    check_rule(few_frequencies(mixed_field_ising(3)), (0.2, 0.1, 0.05), nodes=51)


@pytest.mark.slow
def test_fixed_point__chain_all_frequencies__is_second_order_with_the_rule_and_saturates_without() -> None:
    check_rule(windowed(mixed_field_ising(3)), (0.4, 0.2, 0.1))


@pytest.mark.parametrize("seed", range(5))
def test_fixed_point__generated_models__is_ten_times_closer_with_the_rule(seed: int) -> None:
    generator, wide = few_frequencies(generated(seed)), {"nodes": 51}
    ruled = [error(generator, alpha, shift=True, **wide) for alpha in (0.1, 0.05)]
    assert abs(slope((0.1, 0.05), ruled) - 2) < 0.15
    plain = [error(generator, alpha, shift=False, **wide) for alpha in (0.2, 0.1)]
    assert plain[1] == pytest.approx(plain[0], rel=0.1)
    assert plain[1] > 10 * ruled[0]


@pytest.mark.slow
def test_fixed_point__fourth_order_product__keeps_the_factor() -> None:
    generator = windowed(mixed_field_ising(3))
    fine = {"spacing": 0.15, "nodes": 71}
    assert error(generator, 0.1, shift=False, order=4, **fine) > 10 * error(generator, 0.1, shift=True, order=4, **fine)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5, 10))
def test_fixed_point__generated_models__all_frequencies(seed: int) -> None:
    generator = windowed(generated(seed))
    assert error(generator, 0.1, shift=False) > 10 * error(generator, 0.1, shift=True)


@pytest.mark.slow
def test_fixed_point__long_window__keeps_order_and_factor() -> None:
    generator, grid = windowed(mixed_field_ising(3), sigma_E=0.25), {"spacing": 0.4, "nodes": 61}
    ruled = [error(generator, alpha, shift=True, **grid) for alpha in (0.2, 0.1)]
    assert abs(slope((0.2, 0.1), ruled) - 2) < 0.15
    assert error(generator, 0.1, shift=False, **grid) > 100 * ruled[1]


def test_fixed_point__gaussian_filter__is_the_window_at_zero() -> None:
    generator = ising(2)  # q = e^{−(βν)²/8}: splitting 1/β with the rule, none without
    grid = {"spacing": 0.25, "nodes": 17}
    assert error(generator, 0.1, shift=False, **grid) > 10 * error(generator, 0.1, shift=True, **grid)
    for one in interactions(generator, 0.3, 0.25, 17, shift=False):
        assert np.abs(one.angles.imag).max() < 1e-12


@pytest.mark.parametrize("splitting", [0.4, 2.5])
def test_interactions__lloyd_abanin__turn_by_the_given_splitting__and_not_at_all_without_the_rule(
    splitting: float,
) -> None:
    generator = dll(mixed_field_ising(2), BETA, "Y", filter="lloyd_abanin", splitting=splitting)
    for shift, turn in ((True, splitting), (False, 0.0)):
        for one in interactions(generator, 0.3, 0.25, 17, shift=shift):
            turns = np.angle(one.angles[1:] / one.angles[:-1])
            assert turns == pytest.approx(np.full(16, turn * 0.25), abs=1e-10)


# circuit, cost, refusals


def check_circuit(written: Program, draws: tuple[int, ...]) -> None:
    expected = channel_of(lowered(unrolled(written, draws)), written.num_system)
    assert np.abs(sweep_channel(written, draws=draws) - expected).max() < 1e-10


@settings(deadline=None, derandomize=True, max_examples=15)
@given(generator=generators(2), order=st.sampled_from((1, 2)), seed=st.integers(0, 99))
def test_circuit__generated__is_the_channel_at_fixed_draws(generator: Lindbladian, order: int, seed: int) -> None:
    written = build(generator, "thermal_ancilla", sweeps=1, trotter_order=order, random_delays=(0, 2))
    check_circuit(written, random_draws(written, seed))


@pytest.mark.parametrize("shift", [True, False])
def test_circuit__window__is_the_channel_at_fixed_draws(shift: bool) -> None:
    written = program(windowed(mixed_field_ising(3), "XZ"), nodes=4, shift=shift, random_delays=(1, 2))
    for seed in range(3):
        check_circuit(written, random_draws(written, seed))


def test_channel__average__is_the_mean_over_draws() -> None:
    written = program(ising(2, couplings="XY"), nodes=3, random_delays=False)
    mean = sum(b.probability * sweep_channel(written, draws=[k]) for k, b in enumerate(choice(written).branches))
    assert np.abs(mean - sweep_channel(written)).max() < 1e-12


def test_cost__mean__is_the_count() -> None:
    written = program(windowed(mixed_field_ising(2), "XY"), nodes=3, random_delays=(1, 3))
    branches = choice(written).branches
    counted = 0.0
    for k, branch in enumerate(branches):
        ops = [lowered(unrolled(written, (k, delay))).count_ops() for delay in (1, 2, 3)] if k < 2 else []
        if ops:
            few = sum(op.get("cx", 0) for op in ops) / 3
        counted += branch.probability * few  # couplings are Pauli letters: every branch has the same gates
    assert cost(written).two_qubit_gates == pytest.approx(counted)
    assert cost(written).resets == pytest.approx(1)


def test_thermal_ancilla__scheme__is_registered_with_its_order() -> None:
    scheme = SCHEMES["thermal_ancilla"]
    assert scheme.order == 1
    assert scheme.knobs is ThermalAncillaKnobs
    assert scheme(ising(2), ThermalAncillaKnobs(sweeps=3, strength=0.1, spacing=0.3, nodes=3)).num_ancilla == 1


def test_declared__without_the_rule__says_that_it_saturates() -> None:
    generator = windowed(mixed_field_ising(2), "Y")
    with_rule, without = (program(generator, shift=shift).declared for shift in (True, False))
    assert not any("saturates" in term.unit for term in with_rule)
    assert any("saturates" in term.unit for term in without if term.rung is Rung.FILTER)
    assert next(term.value for term in with_rule if term.rung is Rung.QUADRATURE) < 1e-3  # type: ignore[operator]


def test_thermal_ancilla__shift_off__is_refused_where_there_is_no_window() -> None:
    model = mixed_field_ising(2)
    generator = dll(model, 1.0, couplings_of("Y", 2), MetropolisFilter(1.0, 12.0))
    assert program(generator).num_ancilla == 1
    with pytest.raises(ArgumentError, match=r"`shift`.*metropolis.*Fix:"):
        program(generator, shift=False)


@pytest.mark.parametrize("missing", ["strength", "spacing", "nodes", "sweeps"])
def test_thermal_ancilla__missing_knob__is_named(missing: str) -> None:
    given = {"sweeps": 1, "strength": 0.5, "spacing": 0.3, "nodes": 3}
    del given[missing]
    with pytest.raises(ArgumentError, match=f"`{missing}`.*Fix:"):
        thermal_ancilla(ising(2), ThermalAncillaKnobs.model_validate(given))


def test_thermal_ancilla__too_many_steps__are_refused() -> None:
    with pytest.raises(TooLargeError, match=r"too large to write out.*Fix:"):
        program(windowed(mixed_field_ising(2)), nodes=10_000)


def test_thermal_ancilla__davies__reaches_a_circuit_at_a_resolution() -> None:
    model = mixed_field_ising(2)
    generator = davies(model, BETA, couplings_of("XY", 2), ohmic(BETA))
    grid = {"spacing": 0.3, "nodes": 51, "resolution": 0.5}
    errors = []
    for strength in (0.04, 0.02):
        written = exactly_evolved(program(generator, strength=strength, **grid))
        errors.append(distance(fixed_point(sweep_channel(written)), gibbs(model.hamiltonian, BETA)))
    assert abs(slope((0.04, 0.02), errors) - 1) < 0.15
    plain = exactly_evolved(program(generator, strength=0.02, shift=False, **grid))
    assert distance(fixed_point(sweep_channel(plain)), gibbs(model.hamiltonian, BETA)) > 5 * errors[1]
