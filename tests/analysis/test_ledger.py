"""The ledger's lines against computations made here, its zeros, its controls, and how well it adds up."""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import scipy.linalg

from benchmarks.ledger import pairs, random_knobs
from gibbs_circuits.analysis.error_budget.idealised import lindblad
from gibbs_circuits.analysis.error_budget.ledger import ledger
from gibbs_circuits.analysis.error_budget.shifts import Ledger, Shift, half_norm
from gibbs_circuits.analysis.error_budget.variants import refined
from gibbs_circuits.compiler.schemes.registry import SCHEMES
from gibbs_circuits.evidence import Status
from gibbs_circuits.generators.baths import ohmic
from gibbs_circuits.generators.contact import Coherent
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.kinds.ckg import ckg
from gibbs_circuits.generators.kinds.coarse_grained import coarse_grained
from gibbs_circuits.generators.kinds.dll import dll
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.models.model import from_terms
from gibbs_circuits.programs.initial_state import zero
from gibbs_circuits.programs.product_formulas import Group
from gibbs_circuits.programs.program import ErrorTerm, Program, Rung
from gibbs_circuits.programs.steps import Correct, Couple, Evolve, Reset
from gibbs_circuits.programs.steps import Unitary as Dense
from gibbs_circuits.programs.transforms import exactly_evolved, map_evolutions
from gibbs_circuits.readings.channel.effective_generator import segments
from gibbs_circuits.readings.channel.sweep_channel import sweep_channel
from tests.examples import build, by_hand, distance, gibbs, ising

X, Y, Z, ONE = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1.0, -1.0]), np.eye(2)
H = -np.kron(Z, Z) - sum(c * (np.kron(ONE, P) + np.kron(P, ONE)) for c, P in ((0.9, X), (0.5, Z)))
BETA, STRENGTH = 1.0, 0.3
WEIGHTS = scipy.linalg.expm(-BETA * H)
SIGMA = WEIGHTS / np.trace(WEIGHTS)
KNOBS = {"sweeps": 40, "strength": STRENGTH, "spacing": 0.25, "nodes": 17, "random_delays": (1, 3)}
TIME_SCHEMES = ("parallel", "sequential", "random_jumps", "thermal_ancilla")


@lru_cache(maxsize=64)
def _of(scheme: str, changes: tuple[tuple[str, Any], ...]) -> Ledger:
    program = build(ising(2, BETA), scheme, **{**KNOBS, **dict(changes)})
    return ledger(program, zero(2).density(2))


def of(scheme: str, **changes: Any) -> Ledger:
    return _of(scheme, tuple(changes.items()))


def line(found: Ledger, rung: Rung, word: str = "") -> float:
    (value,) = (row.value for row in found if row.rung is rung and word in row.source)
    assert value is not None
    return value


def filtered(coupling: np.ndarray) -> np.ndarray:
    """Σ f̂(ν) A_ν of the Gaussian filter, written out."""
    energies, V = np.linalg.eigh(H)
    nu = energies[:, None] - energies[None, :]
    return np.asarray(V @ (np.exp(-((BETA * nu) ** 2) / 8 - BETA * nu / 4) * (V.conj().T @ coupling @ V)) @ V.conj().T)


def superoperator(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """ρ → left ρ right, column stacked."""
    return np.kron(right.T, left)


def stationary(matrix: np.ndarray) -> np.ndarray:
    """The density matrix that a trace-preserving generator annihilates, by its null vector."""
    rho = scipy.linalg.null_space(matrix, rcond=1e-10)[:, 0].reshape(4, 4, order="F")
    return np.asarray(rho / np.trace(rho))


def without_b(time: float) -> np.ndarray:
    """Jumps without B at first order of the strength, between exponentially distributed times, written out."""
    G = np.zeros((16, 16), dtype=complex)
    for coupling in (np.kron(ONE, Y), np.kron(Y, ONE)):
        L = np.sqrt(STRENGTH) * filtered(coupling)
        R = L.conj().T @ L
        G += superoperator(L, L.conj().T) - 0.5 * (superoperator(R, np.eye(4)) + superoperator(np.eye(4), R))
    kick = np.linalg.solve(np.eye(16) - G / 2, np.eye(16) + G / 2)
    turn = superoperator(H, np.eye(4)) - superoperator(np.eye(4), H)
    return stationary(-1j * time * turn + kick - np.eye(16))


def test_ledger__coherent__equals_a_computation_by_hand() -> None:
    # palindromes bring back the time and have no order of their own: what is missing is B alone
    found = of("sequential")
    by_hand_value = distance(without_b(2 * KNOBS["spacing"]), SIGMA)  # type: ignore[operator]
    assert line(found, Rung.COHERENT) == pytest.approx(by_hand_value, rel=1e-4)
    assert by_hand_value > 1e-3


def test_ledger__trotter__is_the_gibbs_state_of_the_effective_hamiltonian() -> None:
    tau = 0.25
    half = scipy.linalg.expm(0.5j * tau * sum(c * (np.kron(ONE, P) + np.kron(P, ONE)) for c, P in ((0.9, X), (0.5, Z))))
    effective = 1j * scipy.linalg.logm(half @ scipy.linalg.expm(1j * tau * np.kron(Z, Z)) @ half) / tau
    weights = scipy.linalg.expm(-BETA * effective)
    expected = distance(weights / np.trace(weights), SIGMA)
    assert line(of("parallel", strength=0.02), Rung.TROTTER) == pytest.approx(expected, rel=0.05)
    assert line(of("sequential", strength=0.02), Rung.TROTTER) == pytest.approx(expected, rel=0.05)
    remainder = of("parallel", strength=0.02).remainder
    assert remainder is not None
    assert remainder < 0.3 * expected  # of the other sign it would leave twice the line


@pytest.mark.parametrize("scheme", TIME_SCHEMES)
def test_ledger__mixing__is_what_the_sweeps_leave_over(scheme: str) -> None:
    program = build(ising(2, BETA), scheme, **{**KNOBS, "sweeps": 3})
    channel = sweep_channel(program)
    last = (np.linalg.matrix_power(channel, 3) @ np.eye(16)[0]).reshape(4, 4, order="F")
    fixed = stationary(channel - np.eye(16))
    assert line(of(scheme, sweeps=3), Rung.MIXING) == pytest.approx(distance(last, fixed), rel=1e-6)
    assert of(scheme, sweeps=3).measured == pytest.approx(distance(last, SIGMA), abs=1e-12)


@pytest.mark.parametrize("scheme", TIME_SCHEMES)
def test_ledger__exact_rungs__are_zero(scheme: str) -> None:
    found = of(scheme)
    assert line(found, Rung.FILTER) < 1e-9
    assert line(found, Rung.QUADRATURE, "aliasing") < 1e-6
    assert line(found, Rung.TRUNCATION) == 0
    proved = {row.rung for row in found if row.status is Status.PROVED}
    assert proved == {Rung.TRUNCATION}
    assert all(line(found, rung) > 1e-5 for rung in (Rung.DILATION, Rung.COHERENT, Rung.TROTTER, Rung.DELAYS))


CHANGES = {
    Rung.TROTTER: {"trotter_order": 4},
    Rung.COHERENT: {"coherent_term": "compile_ordered", "coherent_tolerance": 0.0},
}


@pytest.mark.parametrize("rung", CHANGES)
def test_ledger__one_rung_switched_off__moves_that_line_only(rung: Rung) -> None:
    before, after = of("parallel"), of("parallel", **CHANGES[rung])
    assert line(after, rung) < 0.1 * line(before, rung)
    for other in (Rung.DILATION, Rung.COHERENT, Rung.TROTTER):
        if other is not rung:
            assert line(after, other) == pytest.approx(line(before, other), rel=0.1)


def test_ledger__fewer_nodes__move_the_quadrature() -> None:
    before, cut, coarse = of("sequential"), of("sequential", nodes=7), of("sequential", nodes=5, spacing=0.85)
    assert line(cut, Rung.QUADRATURE, "cut") > 1e3 * line(before, Rung.QUADRATURE, "cut")
    assert line(cut, Rung.QUADRATURE, "aliasing") < 1e-6
    assert line(coarse, Rung.QUADRATURE, "aliasing") > 1e-3
    for rung in (Rung.DILATION, Rung.COHERENT):
        # both act on the jumps that the nodes make, not on those of a fine grid: only so do the lines add up
        assert line(cut, rung) == pytest.approx(line(before, rung), rel=0.5)
    assert cut.remainder is not None
    assert cut.measured is not None
    assert cut.remainder < 0.2 * cut.measured


def test_ledger__weak_strength__leaves_filter_nodes_and_trotter() -> None:
    strong, weak = of("parallel"), of("parallel", strength=STRENGTH / 100)
    for rung in (Rung.DILATION, Rung.COHERENT, Rung.DELAYS):
        assert line(weak, rung) < 0.05 * line(strong, rung)
    assert line(weak, Rung.TROTTER) == pytest.approx(line(strong, Rung.TROTTER), rel=0.1)


def test_ledger__truncation__is_the_gibbs_state_of_what_is_evolved() -> None:
    generator = ising(2, BETA, g=0.05)
    program = build(generator, "parallel", **{**KNOBS, "truncation": 0.1, "strength": 0.02})
    kept = -np.kron(Z, Z) - 0.9 * (np.kron(ONE, X) + np.kron(X, ONE))
    weights = scipy.linalg.expm(-BETA * kept)
    expected = distance(weights / np.trace(weights), gibbs(generator.model.hamiltonian, BETA))
    found = ledger(program, zero(2).density(2))
    assert line(found, Rung.TRUNCATION) == pytest.approx(expected, rel=0.05)
    assert found.ratio == pytest.approx(1, abs=0.1)


def test_ledger__terms_left_out_of_the_evolutions__are_truncation() -> None:
    program = build(ising(2, BETA), "parallel", **{**KNOBS, "strength": 0.02})
    cut = map_evolutions(program, lambda step: replace(step, without=("ZI",)))
    weights = scipy.linalg.expm(-BETA * (H + 0.5 * np.kron(Z, ONE)))
    (row,) = (row for row in ledger(cut, zero(2).density(2)) if row.rung is Rung.TRUNCATION)
    assert row.status is Status.MEASURED
    assert row.value == pytest.approx(distance(weights / np.trace(weights), SIGMA), rel=0.05)


def test_ledger__dense_sweep_with_a_product_formula__has_a_trotter_line() -> None:
    G = np.random.default_rng(5).standard_normal((8, 8))
    mixing = scipy.linalg.expm(0.1j * (G + G.T))
    steps = (Evolve(0.7, 1, 1), Dense(mixing, (0,), "some contact"), Reset((0,)))
    program = by_hand(steps, 1, [("ZZ", -1.0), ("IX", -0.9), ("XI", -0.9)], repeats=3)
    found = ledger(program, zero(2).density(2))
    exact, formula = (stationary(sweep_channel(p) - np.eye(16)) for p in (exactly_evolved(program), program))
    assert line(found, Rung.TROTTER) == pytest.approx(distance(exact, formula), rel=1e-6)
    assert line(found, Rung.TROTTER) > 1e-3
    assert found.total == pytest.approx(found.measured, rel=1e-9)  # of two lines and the mixing, all signs right


def test_ledger__resonance__is_the_delays() -> None:
    # 2π over a Bohr frequency: without random delays this cycle never tells its two levels apart
    energies = np.linalg.eigvalsh(H)
    spacing = float(2 * np.pi / (energies[2] - energies[1]) / 8)
    fixed = of("parallel", nodes=9, spacing=spacing, random_delays=(0, 0), strength=0.05)
    random = of("parallel", nodes=9, spacing=spacing, random_delays=(0, 9), strength=0.05)
    assert line(fixed, Rung.DELAYS) > 5 * line(random, Rung.DELAYS)
    assert line(fixed, Rung.DELAYS) > 2 * line(fixed, Rung.COHERENT)


def test_ledger__filter_out_of_balance__is_seen() -> None:
    shifted, plain = of("thermal_ancilla"), of("thermal_ancilla", shift=False)
    assert line(plain, Rung.FILTER) > 1e-2 > 1e6 * line(shifted, Rung.FILTER)


@pytest.mark.parametrize("scheme", sorted(set(SCHEMES) - set(TIME_SCHEMES)))
def test_ledger__dense_schemes__have_a_dilation_and_mixing(scheme: str) -> None:
    knobs = {"sweeps": 5, "strength": 0.2} if scheme != "discrete" else {"sweeps": 5}
    program = SCHEMES[scheme](ising(2, BETA), SCHEMES[scheme].knobs.model_validate(knobs))
    found = ledger(program, zero(2).density(2))
    fixed = stationary(sweep_channel(program) - np.eye(16))
    assert line(found, Rung.DILATION) == pytest.approx(distance(fixed, SIGMA), abs=1e-10)
    assert {row.rung for row in found if row.status is Status.MEASURED} == {Rung.DILATION, Rung.MIXING}
    assert found.ratio == pytest.approx(1, abs=1e-9)


def test_ledger__sums__obey_the_triangle_inequality_and_take_what_the_caller_measured() -> None:
    program = build(ising(2, BETA), **KNOBS)
    noise = Shift(Rung.NOISE, 0.01 * (np.eye(4) / 4 - SIGMA), Status.MEASURED, "a depolarised state")
    shots = ErrorTerm(Rung.SHOTS, 3.0, "energy", Status.MEASURED, "an interval")
    plain, noisy = of("parallel"), ledger(program, zero(2).density(2), extra=[noise], others=[shots])
    assert plain.total is not None
    assert plain.plain_sum is not None
    assert noisy.plain_sum is not None
    assert plain.total <= plain.plain_sum == pytest.approx(sum(row.value for row in plain if row.value))
    assert noise.matrix is not None
    assert noisy.plain_sum == pytest.approx(plain.plain_sum + half_norm(noise.matrix))
    assert noisy.measured != plain.measured
    assert noisy[-1] == shots
    assert f"{noisy.total:.4f}" in noisy.verdict
    elsewhere = ledger(program, zero(2).density(2), measured=SIGMA)
    assert elsewhere.measured == pytest.approx(0, abs=1e-12)
    assert elsewhere.ratio is None


def test_ledger__sweep_that_cannot_be_taken_apart__says_so() -> None:
    flip = Dense(np.kron(X, np.eye(4)), (0,), "flip")
    steps = (flip, Couple((("IY", 1.0),), 0, 0.4, 0.3), Evolve(0.3), Reset((0,)), Couple((("YI", 1.0),), 0, 0.4, 0.1))
    found = ledger(by_hand([*steps, Reset((0,))], 1, [("ZZ", -1.0), ("IX", -0.9), ("XI", -0.9)]), np.eye(4) / 4)
    unknown = {row.rung for row in found if row.status is Status.NOT_CHECKED}
    assert unknown == {Rung.FILTER, Rung.QUADRATURE, Rung.COHERENT, Rung.DELAYS}
    assert all(row.value is None for row in found if row.rung in unknown)
    assert "Not counted" in found.verdict


def test_ledger__sweep_that_cannot_be_taken_apart__adds_up() -> None:
    flip = Dense(np.kron(X, np.eye(4)), (0,), "flip")
    steps = [
        step
        for label in ("IY", "YI")
        for step in (
            flip, Couple(((label, 1.0),), 0, 0.4, 0.3), Evolve(0.5), Couple(((label, 1.0),), 0, 0.4, 1.1), Reset((0,))
        )
    ]  # fmt: skip
    found = ledger(by_hand(steps, 1, [("ZZ", -1.0), ("IX", -0.9), ("XI", -0.9)]), np.eye(4) / 4)
    assert min(line(found, Rung.TRUNCATION), line(found, Rung.TROTTER), line(found, Rung.MIXING)) > 1e-4
    assert found.total == pytest.approx(found.measured, rel=1e-9)  # one after the other: all signs right


@pytest.mark.parametrize("scheme", ["stinespring", "dilated_1"])
def test_ledger__dense_scheme_of_a_generator_without_b__blames_the_generator(scheme: str) -> None:
    generator = replace(ising(2, BETA), coherent=Coherent.NONE)
    found = ledger(SCHEMES[scheme](generator, SCHEMES[scheme].knobs(sweeps=40, strength=0.1)), zero(2).density(2))
    lines = {row.rung: row for row in found}
    own = scipy.linalg.null_space(lindblad(np.stack(_jumps(generator)), np.zeros((4, 4))))[:, 0].reshape(4, 4).T
    assert lines[Rung.COHERENT].value == pytest.approx(distance(own / np.trace(own), SIGMA), abs=1e-10)
    assert lines[Rung.COHERENT].status is Status.MEASURED
    assert lines[Rung.DILATION].value < (1e-10 if scheme == "stinespring" else lines[Rung.COHERENT].value / 5)
    assert (lines[Rung.FILTER].value, lines[Rung.FILTER].status) == (0.0, Status.PROVED)
    coarse = coarse_grained(generator.model, BETA, couplings_of("Y", 2), ohmic(BETA), 1.0, coherent="none")
    biased = ledger(SCHEMES[scheme](coarse, SCHEMES[scheme].knobs(sweeps=40, strength=0.1)), zero(2).density(2))
    assert next(row.value for row in biased if row.rung is Rung.FILTER) > 1e-3


def _jumps(generator: Lindbladian) -> list[np.ndarray]:
    """Σ f̂(ν) A_ν from matrices alone, f̂ the Gaussian filter."""
    E, V = np.linalg.eigh(generator.model.hamiltonian.to_matrix())
    nu = E[:, None] - E[None, :]
    f = np.exp(-((BETA * nu) ** 2) / 8 - BETA * nu / 4)
    return [V @ (f * (V.conj().T @ c.coupling.to_matrix() @ V)) @ V.conj().T for c in generator.contacts]


def test_ledger__unknown_scheme__keeps_its_own_nodes() -> None:
    program = replace(build(ising(2, BETA), **KNOBS), recipe="somebody's")
    found = ledger(program, zero(2).density(2))
    assert [row.value for row in found if row.rung is Rung.FILTER] == [None]
    assert found.ratio == pytest.approx(1, abs=0.1)


def test_ledger__above_five_qubits__is_declared_only() -> None:
    program = build(ising(6))
    found = ledger(program, np.eye(1))
    for line, declared in zip(found.lines, program.declared, strict=True):
        assert replace(line, source=declared.source) == declared
        assert line.source.endswith(declared.source)  # after why its effect on the state is not measured
    assert found.total is None
    assert found.ratio is None


def split(program: Program) -> tuple[np.ndarray, np.ndarray]:
    """The first-order generator as read, and how far the sweep itself is from it per unit of strength."""
    (part,) = segments(program)
    kick = part.kicks[0]
    turn = superoperator(kick.free.conj().T, kick.free)
    G = lindblad(kick.jumps, kick.hamiltonian)
    return G, turn @ sweep_channel(program) - np.eye(16) - G


@pytest.mark.parametrize("couplings", ["Y", "XZ"])
@pytest.mark.parametrize("scheme", TIME_SCHEMES)
def test_first_order__remainder__is_of_second_order(scheme: str, couplings: str) -> None:
    errors = []
    for strength in (0.02, 0.01):
        program = build(ising(2, couplings=couplings), scheme, strength=strength, nodes=4, random_delays=(0, 0))
        errors.append(float(np.linalg.norm(split(exactly_evolved(program))[1])))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.15)


def test_first_order__compiled_term__is_read() -> None:
    groups = (Group((("XY", 0.3), ("ZI", -0.2))),)
    program = by_hand([Evolve(0.4, 1, 0), Correct(groups, 0.5), Couple((("IY", 1.0),), 0, 0.1, 0.0), Reset((0,))], 1)
    (part,) = segments(program)
    turn = scipy.linalg.expm(-0.4j * -np.kron(Z, Z))
    expected = turn.conj().T @ (0.15 * np.kron(X, Y) - 0.1 * np.kron(Z, ONE)) @ turn
    assert np.linalg.norm(part.kicks[0].hamiltonian - expected) < 1e-12


def test_refined__keeps_the_free_time_and_the_frame() -> None:
    program = exactly_evolved(build(ising(2), **KNOBS))
    other = refined(program, 33, 0.125)
    assert other is not None
    (mine,), (its,) = segments(program), segments(other)
    assert its.time == pytest.approx(mine.time)
    assert np.linalg.norm(mine.kicks[0].free - its.kicks[0].free) < 1e-12
    assert np.linalg.norm(mine.kicks[0].jumps - its.kicks[0].jumps) < 1e-3 * np.linalg.norm(mine.kicks[0].jumps)


def test_ledger__total__is_within_a_factor_two__a_few_pairs() -> None:
    found = [*pairs(models=1), *list(pairs(models=2, schemes=("parallel", "sequential")))[2:]]
    assert len(found) == 6
    assert sum(pair.holds for pair in found) >= 5, [(pair.scheme, pair.ledger.ratio) for pair in found]


@pytest.mark.slow
def test_ledger__total__is_within_a_factor_two__36_of_40_pairs() -> None:
    found = list(pairs())
    assert len(found) == 40
    for pair in found:
        print(pair.model, pair.scheme, pair.ledger.total, pair.ledger.measured, pair.ledger.ratio)
    assert sum(pair.holds for pair in found) >= 36


COMMUTING = [("ZZ", -1.0), ("ZI", -0.5), ("IZ", -0.5)]


def survey(index: int) -> Program:
    """A random pair on two qubits: every other model commutes, β from .05 to 8, knobs around the compiler's own."""
    rng = np.random.default_rng([16, index])
    beta = float(np.exp(rng.uniform(np.log(0.05), np.log(8))))
    kinds = ("ZZ", "ZI", "IZ") if index % 2 == 0 else ("ZZ", "XX", "ZI", "IZ", "XI", "IX")
    terms = COMMUTING if index % 4 == 0 else [(label, float(rng.uniform(-1.2, 1.2))) for label in kinds]
    letters = couplings_of(str(rng.choice(["X", "Y", "XY"])), 2)
    generator = dll(from_terms(terms), beta, letters, GaussianFilter(beta))
    recipe = SCHEMES[TIME_SCHEMES[index // 2 % 4]]
    knobs = {k: v for k, v in random_knobs(rng, generator).items() if k in recipe.knobs.model_fields}
    return recipe(generator, recipe.knobs.model_validate(knobs))


def check_survey(programs: Iterable[Program]) -> int:
    """How many add up within a factor 2; each verdict says what holds, and no remainder is too small for its gap."""
    good = 0
    for program in programs:
        found = ledger(program, zero(2).density(2))
        assert found.total is not None
        assert found.measured is not None
        assert found.remainder is not None
        assert abs(found.total - found.measured) <= found.remainder + 1e-12
        within = found.ratio is None or 0.5 <= found.ratio <= 2
        assert ("do not add up" in found.verdict) is not within
        good += within
    return good


def test_ledger__random_pairs__add_up_or_say_that_they_do_not() -> None:
    assert check_survey(map(survey, range(8))) == 8


@pytest.mark.slow
def test_ledger__random_pairs__add_up_or_say_that_they_do_not__60() -> None:
    assert check_survey(map(survey, range(60))) >= 58


def commuting_pair() -> Program:
    """Too few nodes for the temperature, at a strength that makes up for it."""
    generator = dll(from_terms(COMMUTING), 2.0, couplings_of("X", 2), GaussianFilter(2.0))
    return build(generator, sweeps=10, strength=3.591, spacing=0.5333, nodes=8, random_delays=(0, 0))


def test_ledger__commuting_pair__large_errors_cancel_in_the_sum() -> None:
    found = ledger(commuting_pair(), zero(2).density(2))
    assert found.ratio == pytest.approx(1, abs=0.05)  # 47 when the dilation was measured on other nodes than the cut
    assert found.remainder is not None
    assert found.measured is not None
    assert found.remainder < 0.1 * found.measured
    assert found.plain_sum is not None
    assert found.plain_sum > 50 * found.measured  # and says so: without cancellation it is far more
    assert line(found, Rung.QUADRATURE, "cut") == pytest.approx(cut_by_hand(), rel=1e-3)


def cut_by_hand() -> float:
    """From the rates of the classical chain, which 8 nodes of the filter e^{−(1 + βν)²/8} make at its frequencies."""
    t = 0.5333 * (np.arange(8) - 3.5)
    f = np.exp(-2 * (t / 2 - 0.25j) ** 2)  # up to a factor, the inverse transform of the filter at β = 2
    energies = np.diag(from_terms(COMMUTING).hamiltonian.to_matrix()).real
    rates = np.zeros((4, 4))
    for i in range(4):
        for flip in (1, 2):
            rates[i ^ flip, i] = abs(np.sum(f * np.exp(1j * (energies[i ^ flip] - energies[i]) * t))) ** 2
    rates -= np.diag(rates.sum(axis=0))
    steady = scipy.linalg.null_space(rates)[:, 0]
    sigma = np.exp(-2.0 * energies)
    return float(np.abs(steady / steady.sum() - sigma / sigma.sum()).sum() / 2)


def test_ledger__lines_that_do_not_add_up__say_by_how_much() -> None:
    shift = np.diag([0.3, -0.3])
    rows = (Shift(Rung.DILATION, shift, Status.MEASURED, "one").line,)
    found = Ledger(rows, total=0.3, plain_sum=0.3, measured=0.1, remainder=0.2)
    assert "They do not add up: 0.2000 of the shift is in none of them" in found.verdict
    assert "do not add up" not in replace(found, measured=0.151).verdict
    assert "do not add up" in replace(found, measured=0.149).verdict
    assert "do not add up" in replace(found, measured=0.61).verdict
    assert "do not add up" not in replace(found, measured=0.59).verdict
    tiny = replace(found, total=2.5e-8, plain_sum=2.5e-8, measured=2e-8)
    assert "2.5e-08" in tiny.verdict
    assert "0.0000" not in tiny.verdict


def test_ledger__any_kernel__has_a_ledger() -> None:
    base: Lindbladian = ising(2, BETA)
    generator = ckg(base.model, BETA, tuple(contact.coupling for contact in base.contacts))
    found = ledger(build(generator, "random_jumps", **{**KNOBS, "nodes": 9}), zero(2).density(2))
    assert line(found, Rung.FILTER) < 1e-5
    assert found.ratio is not None
    assert 0.5 <= found.ratio <= 2
