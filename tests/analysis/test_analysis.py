from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import SparsePauliOp

import gibbs_circuits as gc
from gibbs_circuits.analysis.comparison.verdict import Verdict, judge, scale
from gibbs_circuits.analysis.estimators.baselines import UnitaryLoop, best_product_distance, unitary_loop
from gibbs_circuits.analysis.estimators.checks import Reason, Scale
from gibbs_circuits.analysis.estimators.interval import Estimate, interval
from gibbs_circuits.analysis.estimators.thermometry import Reached, Temperature, beta_effective, temperature
from gibbs_circuits.backends.measurement.counts import covers, from_counts, measurement_bases, parity_mean
from gibbs_circuits.backends.measurement.measurement import sample_counts
from gibbs_circuits.compiler.presets.unitary_gate_loop import loop_unitaries
from gibbs_circuits.evidence import number, share
from gibbs_circuits.models.spectrum import beta_of_energy, spectrum
from tests.examples import farthest_by

MODEL = gc.models.mixed_field_ising(2)
ROTATION = {  # columns: eigenvectors of the letter, outcome 0 (+1) first
    "X": np.array([[1, 1], [1, -1]]) / np.sqrt(2),
    "Y": np.array([[1, 1], [1j, -1j]]) / np.sqrt(2),
    "Z": np.eye(2),
}


def random_state(n: int, seed: int, rank: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((2**n, rank)) + 1j * rng.standard_normal((2**n, rank))
    rho = a @ a.conj().T
    return rho / np.trace(rho)


def probabilities(rho: np.ndarray, basis: str) -> np.ndarray:
    """Born's rule with the eigenvectors of every letter; the leftmost letter is the highest bit."""
    vectors = np.eye(1)
    for letter in basis:
        vectors = np.kron(vectors, ROTATION[letter])
    return np.real(np.diag(vectors.conj().T @ rho @ vectors))


def frequencies(rho: np.ndarray, basis: str, total: float = 1e6) -> dict[str, float]:
    """Counts without shot noise."""
    return {format(k, f"0{len(basis)}b"): total * p for k, p in enumerate(probabilities(rho, basis))}


def thermal_energy(energies: Sequence[float], beta: float) -> float:
    weights = np.exp(-beta * (np.asarray(energies) - (min(energies) if beta >= 0 else max(energies))))
    return float(weights @ np.asarray(energies) / weights.sum())


@pytest.mark.parametrize("blocks", [2, 4, 16])
def test_interval__covers_the_mean_as_often_as_stated__normal_blocks(blocks: int) -> None:
    """Two-sided z-test of the coverage against 95 %; false alarm rate 1e-4 per case."""
    rng, trials = np.random.default_rng(11), 4000
    hits = 0
    for values in rng.normal(0.3, 2.0, (trials, blocks)):
        estimate = interval(values)
        hits += estimate.low <= 0.3 <= estimate.high
    z = (hits - 0.95 * trials) / np.sqrt(trials * 0.95 * 0.05)
    assert abs(z) < scipy.stats.norm.isf(1e-4 / 2)


def test_interval__control_fails_the_same_test__normal_quantile_on_four_blocks() -> None:
    rng, trials = np.random.default_rng(11), 4000
    values = rng.normal(0.3, 2.0, (trials, 4))
    half = 1.96 * values.std(axis=1, ddof=1) / 2
    hits = int(np.sum(np.abs(values.mean(axis=1) - 0.3) <= half))
    z = (hits - 0.95 * trials) / np.sqrt(trials * 0.95 * 0.05)
    assert z < -scipy.stats.norm.isf(1e-4 / 2)


def test_interval__covers_a_measured_energy__shots_on_an_exact_state() -> None:
    """The same test on multinomial blocks of 100 shots per basis: the whole way from counts to interval."""
    rho, trials = gc.gibbs_state(MODEL, 1.0), 600
    exact = float(np.real(np.trace(rho @ MODEL.hamiltonian.to_matrix())))
    bases = measurement_bases({"energy": MODEL.hamiltonian})
    rng, hits = np.random.default_rng(3), 0
    for _ in range(trials):
        draws = [[sample_counts(probabilities(rho, basis), 100, rng) for basis in bases] for _ in range(8)]
        estimate = interval([from_counts(MODEL.hamiltonian, bases, counts) for counts in draws], exact)
        hits += estimate.low <= exact <= estimate.high
    z = (hits - 0.95 * trials) / np.sqrt(trials * 0.95 * 0.05)
    assert abs(z) < scipy.stats.norm.isf(1e-4 / 2)


def test_interval__is_symmetric_and_keeps_the_exact_value__three_blocks() -> None:
    estimate = interval([1.0, 2.0, 3.0], exact=2.5)
    half = scipy.stats.t.ppf(0.975, 2) / np.sqrt(3)
    assert (estimate.value, estimate.exact) == (2.0, 2.5)
    assert (estimate.low, estimate.high) == pytest.approx((2 - half, 2 + half))


labels = st.integers(1, 5).flatmap(
    lambda n: st.lists(st.text("IXYZ", min_size=n, max_size=n), min_size=1, max_size=12, unique=True)
)


@settings(max_examples=60, deadline=None)
@given(labels)
def test_measurement_bases__cover_every_term__any_labels(terms: list[str]) -> None:
    half = (len(terms) + 1) // 2
    split = {"a": terms[:half], "b": terms[half:]}
    bases = measurement_bases({name: SparsePauliOp(part) for name, part in split.items() if part})
    real = [term for term in terms if set(term) != {"I"}]
    assert all(any(covers(basis, term) for basis in bases) for term in real)
    assert all(set(basis) <= set("XYZ") and len(basis) == len(terms[0]) for basis in bases)
    assert len(bases) <= len(real)


def test_measurement_bases__are_few__ising_needs_two() -> None:
    assert sorted(measurement_bases({"energy": gc.models.mixed_field_ising(4).hamiltonian})) == ["XXXX", "ZZZZ"]
    assert measurement_bases({"one": SparsePauliOp("II")}) == ()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_from_counts__is_the_exact_expectation__noiseless_frequencies(n: int) -> None:
    rng = np.random.default_rng(n)
    every = ["".join(letters) for letters in itertools.product("IXYZ", repeat=n)]
    operator = SparsePauliOp(every, rng.standard_normal(len(every)))
    rho = random_state(n, n)
    bases = measurement_bases({"o": operator})
    value = from_counts(operator, bases, [frequencies(rho, basis) for basis in bases])
    assert value == pytest.approx(float(np.real(np.trace(rho @ operator.to_matrix()))), abs=1e-10)


def test_from_counts__needs_no_basis__identity_only() -> None:
    assert from_counts(SparsePauliOp("II", 2.5), (), ()) == 2.5


def test_parity_mean__counts_the_acting_qubits__rightmost_is_qubit_0() -> None:
    counts = {"01": 3, "10": 1}
    assert parity_mean(counts, "IZ") == -0.5
    assert parity_mean(counts, "ZI") == 0.5
    assert parity_mean(counts, "ZZ") == -1.0


def test_sample__follows_borns_rule__every_basis() -> None:
    """Chi-square of 20,000 shots in each of nine bases; false alarm rate 1e-3 in all, by Bonferroni."""
    rho, shots, rng = random_state(2, 9), 20_000, np.random.default_rng(2)
    for basis in map("".join, itertools.product("XYZ", repeat=2)):
        counts = sample_counts(probabilities(rho, basis), shots, rng)
        seen = [counts.get(format(k, "02b"), 0) for k in range(4)]
        assert scipy.stats.chisquare(seen, shots * probabilities(rho, basis)).pvalue > 1e-3 / 9


@pytest.mark.parametrize("beta", [-3.0, -1.0, -1e-3, 0.0, 1e-3, 0.5, 1.0, 2.0, 5.0])
def test_beta_of_energy__inverts_the_exact_energy__both_signs(beta: float) -> None:
    s = spectrum(gc.models.mixed_field_ising(3))
    found = beta_of_energy(thermal_energy(s.energies, beta), s)
    assert found == pytest.approx(beta, abs=1e-8)


@pytest.mark.parametrize("offset", [-1.0, -1e-3, 1e-3, 1.0])
def test_beta_of_energy__is_none__outside_the_spectrum(offset: float) -> None:
    s = spectrum(MODEL)
    edge = s.energies[0] if offset < 0 else s.energies[-1]
    assert beta_of_energy(float(edge + offset), s) is None


def test_beta_of_energy__is_none__constant_hamiltonian() -> None:
    assert beta_of_energy(1.5, spectrum(gc.models.from_terms([("II", 1.5)]))) is None


def test_beta_effective__turns_the_interval_round__hotter_is_higher_energy() -> None:
    energies = spectrum(MODEL).energies
    value, low, high = (thermal_energy(energies, beta) for beta in (1.0, 1.1, 0.9))
    estimate = beta_effective(MODEL, 1.0, Estimate(value, low, high))
    assert estimate is not None
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((1.0, 0.9, 1.1), abs=1e-8)
    assert beta_effective(MODEL, 0.0, Estimate(value, low, high)) is None
    assert beta_effective(MODEL, 1.0, Estimate(value, -99.0, high)) is None


def test_best_product_distance__is_zero__product_states() -> None:
    singles = [random_state(1, seed, rank=2) for seed in range(3)]
    rho = np.eye(1)
    for single in singles:
        rho = np.kron(rho, single)
    found = best_product_distance(rho)
    assert found is not None
    assert found < 1e-5
    assert best_product_distance(np.eye(8) / 8) == pytest.approx(0, abs=1e-6)


def test_best_product_distance__is_that_of_a_pure_product__bell_state() -> None:
    """No product overlaps a Bell state by more than 1/2, so D ≥ 1/2; the pure |00⟩ is at √½, the mixture 1/4 at 3/4."""
    bell = np.zeros((4, 4))
    bell[np.ix_([0, 3], [0, 3])] = 0.5
    found = best_product_distance(bell)
    assert found is not None
    assert found == pytest.approx(np.sqrt(0.5), abs=2e-3)


def test_best_product_distance__is_the_contracts__four_site_ising() -> None:
    assert best_product_distance(gc.gibbs_state(gc.models.mixed_field_ising(4), 1.0)) == pytest.approx(0.112, abs=2e-3)


def test_best_product_distance__is_none__seven_qubits() -> None:
    assert best_product_distance(np.eye(128) / 128) is None


@pytest.fixture(scope="module")
def loops() -> tuple[UnitaryLoop, UnitaryLoop]:
    start = np.zeros((4, 4), complex)
    start[0, 0] = 1
    found = unitary_loop(gc.dll(MODEL, 1.0), start, 0.1)
    assert found is not None
    return found


def test_unitary_loop__counts_steps_times_gates__two_sites(loops: tuple[UnitaryLoop, UnitaryLoop]) -> None:
    fixed, best = loops
    assert fixed.step == 0.1
    assert best.step > 0.1
    for loop in loops:
        assert loop.steps is not None
        assert loop.two_qubit_gates == loop.steps * loop.gates_per_step
        assert loop.distance == 0.1
    # B on 2 qubits: at most 3 two-qubit gates; each of two dilations on 3 qubits: at most 20.
    assert 3 <= fixed.gates_per_step <= 43
    assert (best.two_qubit_gates or 0) <= (fixed.two_qubit_gates or 0)


def test_unitary_loop__reaches_the_distance_when_it_says__dense_evolution(
    loops: tuple[UnitaryLoop, UnitaryLoop],
) -> None:
    """At step 0.1 the loop follows e^{Lt} within its first-order error; so does the time at which it arrives."""
    fixed, _ = loops
    generator, sigma = gc.dll(MODEL, 1.0), gc.gibbs_state(MODEL, 1.0)
    from gibbs_circuits.generators.matrices import superoperator

    L, s = superoperator(generator), spectrum(MODEL)
    start = np.zeros((4, 4), complex)
    start[0, 0] = 1
    v0 = s.to_energy(start).reshape(-1, order="F")
    times = np.arange(1, 400) * 0.1
    step = scipy.linalg.expm(L * 0.1)
    distances = []
    for _ in times:
        v0 = step @ v0
        difference = s.from_energy(v0.reshape(4, 4, order="F")) - sigma
        distances.append(0.5 * np.abs(np.linalg.eigvalsh(difference)).sum())
    arrival = float(times[int(np.argmax(np.array(distances) <= 0.1))])
    assert fixed.steps is not None
    assert fixed.steps * fixed.step == pytest.approx(arrival, rel=0.15)


def test_unitary_loop__from_every_start__is_longer_than_from_one(loops: tuple[UnitaryLoop, UnitaryLoop]) -> None:
    found = unitary_loop(gc.dll(MODEL, 1.0), None, 0.1)
    assert found is not None
    steps, given = found[0].steps, loops[0].steps
    assert steps is not None
    assert given is not None
    assert steps > given
    coherent, dilations = loop_unitaries(gc.dll(MODEL, 1.0), 0.1)
    assert coherent is not None
    once = np.kron(coherent.conj(), coherent)
    for U in dilations:
        once = sum(np.kron(K.conj(), K) for K in (U[:4, :4], U[4:, :4])) @ once
    sigma = gc.gibbs_state(MODEL, 1.0)
    assert farthest_by(np.linalg.matrix_power(once, steps), sigma) <= 0.1 + 1e-9
    assert farthest_by(np.linalg.matrix_power(once, steps - 1), sigma) > 0.1


def test_unitary_loop__never_gets_there__distance_below_its_bias() -> None:
    found = unitary_loop(gc.dll(MODEL, 1.0), np.eye(4) / 4, 1e-6)
    assert found is not None
    assert (found[0].steps, found[0].two_qubit_gates) == (None, None)


def test_unitary_loop__is_none__five_qubits() -> None:
    assert unitary_loop(gc.dll(gc.models.tfim(5), 1.0), np.eye(32) / 32, 0.1) is None


UNIT = Scale(2.0, 1.0, "made up")  # so the slack at a target error of 0.1 is 0.2


@pytest.mark.parametrize(
    ("distance", "estimate", "verdict"),
    [
        (0.05, Estimate(0.5, 0.5, 0.5, 0.5), Verdict.AGREES),
        (None, Estimate(0.5, 0.5, 0.5, 0.5), Verdict.AGREES),
        (0.1, Estimate(0.5, 0.5, 0.5, 0.5), Verdict.AGREES),  # the boundary belongs to "agrees"
        (np.nextafter(0.1, 1), Estimate(0.5, 0.5, 0.5, 0.5), Verdict.DISAGREES),
        (float("nan"), Estimate(0.5, 0.5, 0.5, 0.5), Verdict.DISAGREES),
        (0.05, Estimate(0.25, 0.25, 0.25, 0.45), Verdict.AGREES),
        (0.05, Estimate(0.25, 0.25, 0.25, 0.4501), Verdict.DISAGREES),
        (0.05, Estimate(0.25, 0.25, 0.25, 0.0499), Verdict.DISAGREES),
        (0.05, Estimate(0.25, 0.15, 0.35, 0.55), Verdict.AGREES),
        (0.05, Estimate(0.25, 0.15, 0.35, 0.5501), Verdict.DISAGREES),
        (None, Estimate(float("nan"), float("nan"), float("nan"), 0.5), Verdict.DISAGREES),
        (0.05, Estimate(0.5, 0.5, 0.5, float("nan")), Verdict.DISAGREES),
        (0.05, Estimate(0.5, 0.5, 0.5, None), Verdict.NOT_CHECKED),
        (None, Estimate(0.5, 0.5, 0.5, None), Verdict.NOT_CHECKED),
        (0.9, Estimate(0.5, 0.5, 0.5, None), Verdict.NOT_CHECKED),
    ],
)
def test_judge__says_what_is_known__one_observable(
    distance: float | None, estimate: Estimate, verdict: Verdict
) -> None:
    assert judge(distance, {"z": estimate}, {"z": UNIT}, 0.1)[0] is verdict


def test_judge__disagrees__one_observable_of_two() -> None:
    good, bad = Estimate(0.5, 0.5, 0.5, 0.5), Estimate(0.5, 0.5, 0.5, -0.5)
    scales = {"a": UNIT, "b": UNIT}
    assert judge(0.0, {"a": good, "b": bad}, scales, 0.1)[0] is Verdict.DISAGREES
    assert judge(0.0, {"a": good, "b": good}, scales, 0.1)[0] is Verdict.AGREES


def test_judge__is_never_agrees_unchecked__no_reference_for_one() -> None:
    good, unknown = Estimate(0.5, 0.5, 0.5, 0.5), Estimate(0.5, 0.5, 0.5)
    assert judge(None, {"a": good, "b": unknown}, {"a": UNIT, "b": UNIT}, 0.1)[0] is Verdict.NOT_CHECKED
    assert judge(None, {"a": good}, {}, 0.1)[0] is Verdict.NOT_CHECKED
    assert judge(None, {}, {}, 0.1)[0] is Verdict.NOT_CHECKED


def test_judge__gives_every_check_with_its_two_numbers__three_checks() -> None:
    observables = {
        "in": Estimate(0.5, 0.4, 0.6, 0.45), "near": Estimate(0.5, 0.4, 0.6, 0.7), "far": Estimate(0.5, 0.4, 0.6, 0.1)
    }  # fmt: skip
    _, reasons = judge(0.07, observables, dict.fromkeys(observables, UNIT), 0.1)
    assert [one.name for one in reasons] == ["trace_distance", "in", "near", "far"]
    assert [one.passed for one in reasons] == [True, True, True, False]
    assert [one.found for one in reasons] == pytest.approx([0.07, 0.0, 0.1, 0.3])
    assert [one.allowed for one in reasons] == pytest.approx([0.1, 0.2, 0.2, 0.2])
    assert all(one.text for one in reasons)


def test_judge__keeps_rounding_apart__observable_that_is_constant() -> None:
    """An identity of 1e6 has nothing to move by: only rounding, relative to its own norm, is forgiven."""
    rho = gc.gibbs_state(MODEL, 1.0)
    flat = scale(SparsePauliOp("II", 1e6), rho, cooled=False)
    assert flat.value == pytest.approx(0, abs=1e-6)
    for off, verdict in ((1e-5, Verdict.AGREES), (1e-3, Verdict.DISAGREES)):
        estimate = Estimate(1e6 + off, 1e6 + off, 1e6 + off, 1e6)
        assert judge(None, {"c": estimate}, {"c": flat}, 0.1)[0] is verdict


def dense(terms: list[tuple[str, float]]) -> np.ndarray:
    """A Hamiltonian from its labels by Kronecker products; nothing of the package."""
    letter = {
        "I": np.eye(2),
        "X": np.array([[0, 1], [1, 0]]),
        "Z": np.diag([1, -1]),
        "Y": np.array([[0, -1j], [1j, 0]]),
    }
    total = np.zeros((2 ** len(terms[0][0]),) * 2, complex)
    for label, c in terms:
        total = total + c * functools.reduce(np.kron, [letter[one] for one in label])
    return total


def tfim_terms(n: int, h: float) -> list[tuple[str, float]]:
    bonds = [("".join("Z" if k in (q, q + 1) else "I" for k in range(n)), -1.0) for q in range(n - 1)]
    return bonds + [("".join("X" if k == q else "I" for k in range(n)), -h) for q in range(n)]


@pytest.mark.parametrize("label", ["ZII", "XII", "YII", "ZZI", "III"])
@pytest.mark.parametrize("beta", [0.0, 0.3, 4.0])
def test_scale__is_what_moves_or_the_spread__own_matrices(label: str, beta: float) -> None:
    rho = scipy.linalg.expm(-beta * dense([("ZZI", -1.0), ("IZZ", -1.0), ("XII", -0.9), ("ZII", -0.4)]))
    rho /= np.trace(rho)
    O = dense([(label, 0.7), ("III", 3.0)])
    mean, hot = float(np.real(np.trace(O @ rho))), float(np.real(np.trace(O))) / 8
    spread = max(0.0, float(np.real(np.trace(O @ O @ rho))) - mean**2) ** 0.5
    operator = SparsePauliOp([label, "III"], [0.7, 3.0])
    assert scale(operator, rho, cooled=False).value == pytest.approx(max(abs(mean - hot), spread), abs=1e-7)
    assert scale(operator, rho, cooled=True).value == pytest.approx(abs(mean - hot), abs=1e-12)
    assert scale(operator, rho, cooled=True).norm >= np.linalg.norm(O, 2) - 1e-12


# a run of 14 CZ on fake_torino: E = −6.63 ± .17 where −7.32 is right, and β = .739 [.695, .789] in place of 1
HOT = Estimate(-6.63, -6.80, -6.46)


def hot_run(target_error: float = 0.05) -> tuple[Verdict, tuple[Reason, ...], Temperature]:
    model, rho = gc.models.tfim(6, J=1, h=1.2), scipy.linalg.expm(-dense(tfim_terms(6, 1.2)))
    rho /= np.trace(rho)
    exact = float(np.real(np.trace(rho @ dense(tfim_terms(6, 1.2)))))
    energy = Estimate(HOT.value, HOT.low, HOT.high, exact)
    moves = scale(model.hamiltonian, rho, cooled=True)
    verdict, reasons = judge(None, {"energy": energy}, {"energy": moves}, target_error)
    return verdict, reasons, temperature(1.0, energy, reasons[0], moves, beta_effective(model, 1.0, energy))


def test_judge__disagrees__energy_of_a_state_that_is_too_hot() -> None:
    verdict, (energy,), reached = hot_run()
    assert verdict is Verdict.DISAGREES
    assert energy.found == pytest.approx(7.32 - 6.80, abs=0.005)
    assert energy.allowed == pytest.approx(0.05 * 7.32, abs=0.001)
    assert reached.word is Reached.TOO_HOT
    assert reached.found is not None
    assert (reached.found.value, reached.found.low, reached.found.high) == pytest.approx(
        (0.739, 0.695, 0.789), abs=5e-3
    )
    assert "too hot" in str(reached)


def test_judge__control__the_spectral_width_in_its_place_calls_it_agreement() -> None:
    """The rule that was: `target_error` times the whole width of the spectrum."""
    levels = np.linalg.eigvalsh(dense(tfim_terms(6, 1.2)))
    width = Scale(float(levels[-1] - levels[0]), float(np.max(np.abs(levels))), "the spectral width")
    _, (energy,), _ = hot_run()
    assert energy.found is not None
    exact = HOT.low - energy.found
    assert judge(None, {"energy": Estimate(HOT.value, HOT.low, HOT.high, exact)}, {"energy": width}, 0.05)[0] is (
        Verdict.AGREES
    )


def test_temperature__says_where_the_energy_is__every_word() -> None:
    model, rho = gc.models.tfim(6, J=1, h=1.2), gc.gibbs_state(gc.models.tfim(6, J=1, h=1.2), 1.0)
    moves = scale(model.hamiltonian, rho, cooled=True)
    exact = float(np.real(np.trace(rho @ dense(tfim_terms(6, 1.2)))))

    def word(value: float, half: float, beta: float = 1.0, known: float | None = exact, by: Scale = moves) -> Reached:
        energy = Estimate(value, value - half, value + half, known)
        _, reasons = judge(None, {"energy": energy}, {"energy": by}, 0.05)
        return temperature(beta, energy, reasons[0], by, beta_effective(model, beta, energy)).word

    assert word(exact, 0.0) is Reached.REACHED
    assert word(exact + 0.3, 0.1) is Reached.REACHED
    assert word(exact + 0.5, 0.1) is Reached.TOO_HOT
    assert word(exact - 0.5, 0.1) is Reached.TOO_COLD
    assert word(-99.0, 0.1) is Reached.TOO_COLD  # no temperature has that energy
    assert word(exact, 0.0, known=None) is Reached.NOT_KNOWN
    assert word(0.0, 0.1, beta=0.0, known=0.0) is Reached.NOT_KNOWN
    assert word(1.0, 0.0, known=1.0, by=Scale(0.0, 1.0, "constant energy")) is Reached.NOT_KNOWN
    assert word(float("nan"), 0.0) is Reached.NOT_KNOWN


def test_compare__judges_the_energy_by_its_spread__infinite_temperature() -> None:
    """At β = 0 no cooling can be missed: E − E(β = 0) is zero, and the energy is held against its spread."""
    generator = gc.dll(MODEL, 0.0, "Y")
    result = gc.run(gc.compile(generator, "parallel", 0.2), shots=4000, realisations=8, seed=2)
    comparison = gc.compare(result, 0.2)
    energy = next(one for one in comparison.reasons if one.name == "energy")
    spread = np.sqrt(np.mean(np.linalg.eigvalsh(dense([("ZZ", -1.0), ("XI", -1.0), ("IX", -1.0)])) ** 2))
    assert energy.allowed is not None
    assert energy.allowed > 0.2 * spread * 0.5
    assert comparison.temperature.word is Reached.NOT_KNOWN


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (None, 4, "—"), (0.0, 4, "0.0000"), (1e-8, 4, "1.0e-08"), (-2.34e-5, 5, "-2.34e-05"), (0.5, 4, "0.5000"),
        (2.5e6, 4, "2.5e+06"), (999.0, 1, "999.0"), (float("inf"), 4, "inf"), (9.9e-4, 4, "9.9e-04"),
    ],
)  # fmt: skip
def test_number__never_reads_zero__small_value(value: float | None, digits: int, text: str) -> None:
    assert number(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.000"), (0.9999999, "1 − 1.0e-07"), (1.0000002, "1 + 2.0e-07"), (0.9994, "0.999"), (0.5, "0.500"),
        (1e-9, "1.0e-09"), (None, "—"), (1 - 2e-16, "1.000"), (0.9996, "1 − 4.0e-04"),
    ],
)  # fmt: skip
def test_share__never_reads_one__contraction_just_below(value: float | None, text: str) -> None:
    assert share(value) == text
