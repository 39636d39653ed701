"""Derived programs: balanced by least squares, accepted on the exact channel, cheaper than the straight formula."""

import time
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import scipy.linalg

from gibbs_circuits.generators.contact import Coherent
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.discrete import DiscreteChannel
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.kinds.dll import dll
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.models.library.spin_chains import tfim
from gibbs_circuits.models.spectrum import Spectrum
from gibbs_circuits.programs.product_formulas import commuting_groups
from gibbs_circuits.programs.program import Calibration, Guarantee, Program, Stage
from gibbs_circuits.programs.steps import Correct, Evolve, RandomDelay
from gibbs_circuits.readings.channel.evolver import Evolver
from gibbs_circuits.readings.channel.sweep_channel import sweep_channel, sweep_map
from gibbs_circuits.readings.circuits.cost import cost
from gibbs_circuits.search.candidates import Candidate, cheapest, frontier
from gibbs_circuits.search.clock import Deadline
from gibbs_circuits.search.derived.derived import derive
from gibbs_circuits.search.derived.few_nodes import balanced_weights, layout
from gibbs_circuits.search.derived.schedules import Schedule, SearchGoal, followed, measured_sweeps, two_stages
from gibbs_circuits.search.task import SearchTask
from tests.clocks import past, within
from tests.examples import distance, gibbs, ising
from tests.systems import bohr_components

ANY, GIVEN = Guarantee.ANY_START, Guarantee.GIVEN_START


def zero(n: int) -> np.ndarray:
    return np.diag(np.eye(2**n)[0]).astype(complex)


def chain(n: int) -> Lindbladian:
    return ising(n, 1.0, J=1.0, h=0.9, g=0.5)


@lru_cache
def found(n: int, target: float, seconds: float, guarantee: Guarantee = ANY) -> tuple[Candidate[Program], ...]:
    return derived(chain(n), target, within(seconds), guarantee)


def derived(
    generator: Lindbladian | DiscreteChannel, target: float, deadline: Deadline, guarantee: Guarantee = ANY, **tell: Any
) -> tuple[Candidate[Program], ...]:
    start = np.eye(2**generator.model.num_qubits, dtype=complex)[0]
    return derive(SearchTask(generator, target, guarantee, Calibration.DERIVED, start, 1.0, 1), deadline, **tell)


def end(program: Program, rho: np.ndarray) -> np.ndarray:
    state = rho.reshape(-1, order="F")
    for k, stage in enumerate(program.stages):
        state = np.linalg.matrix_power(sweep_channel(program, k), stage.repeats) @ state
    return state.reshape(rho.shape, order="F")


def sigma_of(program: Program) -> np.ndarray:
    return gibbs(program.generator.model.hamiltonian, program.generator.beta)


def violation(generator: Lindbladian, weights: np.ndarray, spacing: float) -> float:
    """Σ ‖f̂(ν)e^{βν/4} − f̂(−ν)* e^{−βν/4}‖² ‖A_ν‖² over Σ |f̂|² ‖A_ν‖², frequency by frequency."""
    H, beta = generator.model.hamiltonian.to_matrix(), generator.beta
    times = [(l - (len(weights) - 1) / 2) * spacing for l in range(len(weights))]

    def f(nu: float) -> complex:
        return sum(w * np.exp(1j * nu * t) for w, t in zip(weights, times, strict=True))

    broken = made = 0.0
    for contact in generator.contacts:
        for nu, part in bohr_components(H, contact.coupling.to_matrix()):
            size = np.linalg.norm(part) ** 2
            broken += size * abs(f(nu) * np.exp(beta * nu / 4) - np.conj(f(-nu)) * np.exp(-beta * nu / 4)) ** 2
            made += size * abs(f(nu)) ** 2
    return float(np.sqrt(broken / made))


@pytest.mark.parametrize("count", [3, 4, 6])
def test_balanced_weights__break_balance_less_than_a_gaussian__same_nodes(count: int) -> None:
    generator, spacing = chain(3), 0.3
    weights, stated = balanced_weights(generator, count, spacing)
    times = (np.arange(count) - (count - 1) / 2) * spacing
    gaussian = GaussianFilter(1.0).time(times)
    assert stated == pytest.approx(violation(generator, weights, spacing), rel=1e-6)
    assert stated < 0.4 * violation(generator, gaussian, spacing)


def test_balanced_weights__one_node__exact_at_infinite_temperature_only() -> None:
    assert balanced_weights(ising(2, 0.0), 1, 0.3)[1] < 1e-12
    assert balanced_weights(ising(2, 1.0), 1, 0.3)[1] > 0.1


def test_layout__mean_rate_is_one() -> None:
    generator = chain(2)
    plan, H = layout(generator, 4, 0.3), generator.model.hamiltonian.to_matrix()
    times, mean = [(l - 1.5) * 0.3 for l in range(4)], 0.0
    for contact in generator.contacts:
        for nu, part in bohr_components(H, contact.coupling.to_matrix()):
            f = sum(w * np.exp(1j * nu * t) for w, t in zip(plan.weights, times, strict=True))
            mean += abs(f) ** 2 * np.linalg.norm(part) ** 2 / 4 / len(generator.contacts)
    assert mean == pytest.approx(1, abs=1e-9)


def coefficients(program: Program, unit: Evolve) -> np.ndarray:
    """Of H's terms, in the Hamiltonian of one step of a product formula."""
    model = program.generator.model
    U = Evolver(program.groups, model.num_qubits).unitary(unit)
    made = 1j * scipy.linalg.logm(U) / unit.duration
    terms = [operator.to_matrix() for operator in model.hamiltonian]
    return np.array([np.trace(P @ made).real / np.trace(P @ P).real for P in terms])


def test_counter_groups__step_has_the_coefficients_of_H__and_not_without() -> None:
    plan = layout(chain(3), 4, 0.3)
    program = plan.program([Stage(plan.sweep(0.3), 1)])
    plain = replace(program, groups=commuting_groups(program.generator.model.hamiltonian))
    np.testing.assert_allclose(coefficients(program, plan.delay), 1, atol=1e-5)
    assert np.max(np.abs(coefficients(plain, plan.delay) - 1)) > 5e-3


def test_counter_groups__beyond_the_branch__still_nearer() -> None:
    plan = layout(chain(4), 3, 0.45)  # ‖H‖τ > 2.5
    program = plan.program([Stage(plan.sweep(0.3), 1)])
    plain = replace(program, groups=commuting_groups(program.generator.model.hamiltonian))
    near, far = (np.max(np.abs(coefficients(p, plan.delay) - 1)) for p in (program, plain))
    assert near < 0.3 * far


def fixed(program: Program) -> float:
    d = 2**program.num_system
    power = np.linalg.matrix_power(sweep_channel(program), 2**12)
    return distance((power @ (np.eye(d) / d).ravel()).reshape(d, d, order="F"), sigma_of(program))


def test_counter_fields__bring_the_fixed_point_nearer__and_turned_round_take_it_away() -> None:
    plan = layout(chain(4), 4, 0.3)
    turned = tuple(tuple(tuple((P, -c) for P, c in node) for node in one) for one in plan.fields)
    bare = tuple(((),) * 4 for _ in plan.passes)
    ours, none, wrong = (
        fixed(one.program([Stage(one.sweep(0.5, (0, 4)), 1)]))
        for one in (plan, replace(plan, fields=bare), replace(plan, fields=turned))
    )
    assert ours < 0.8 * none < none < wrong
    assert 0.3 < plan.missing < 1


def test_counter_fields__cost_no_gates() -> None:
    plan = layout(chain(4), 4, 0.3)
    bare = replace(plan, fields=(((),) * 4,))
    steps, without = plan.sweep(0.5), bare.sweep(0.5)
    assert any(isinstance(step, Correct) for step in steps)
    gates = [cost(plan.program([Stage(s, 1)])).two_qubit_gates for s in (steps, without)]
    assert gates[0] == gates[1] == 4 * 8 + 3 * 6


def test_layout__knows_no_boltzmann_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Spectrum, beta: float) -> Any:
        raise AssertionError("σ was asked for")

    monkeypatch.setattr(Spectrum, "populations", refuse)
    layout.cache_clear()
    layout(chain(3), 4, 0.31)


def test_two_stages__distances_are_those_of_the_program__repeat_by_repeat() -> None:
    generator, starts = chain(3), followed(3)
    aim = SearchGoal(0.1, True, gibbs(generator.model.hamiltonian, 1.0), starts)
    strong, weak = pair(generator, aim)
    for schedule in two_stages(strong, weak, aim, []):
        program = schedule.program.program()
        worst = max(distance(end(program, column.reshape(8, 8, order="F")), aim.sigma) for column in starts.T)
        assert schedule.distance == pytest.approx(max(worst, weak.fixed), abs=1e-9)
        assert cost(program).two_qubit_gates == pytest.approx(schedule.two_qubit_gates)


def pair(generator: Lindbladian, aim: SearchGoal) -> Any:
    every = [trial for trial, _ in zip(measured_sweeps(generator, 0.3, 1, aim), range(60), strict=False)]
    strong = next(t for t in every if t.strength == 0.8 and t.delays == (0, 4))
    weak = next(t for t in every if t.strength == 0.27 and t.delays == (0, 4))
    return strong, weak


def test_frontier__of_schedules__keeps_what_nothing_beats() -> None:
    generator = chain(2)
    aim = SearchGoal(0.1, True, gibbs(generator.model.hamiltonian, 1.0), followed(2))
    trial = next(iter(measured_sweeps(generator, 0.3, 1, aim)))
    given = [Schedule(((trial, k),)).candidate(x) for k, x in ((1, 0.5), (2, 0.6), (3, 0.2), (3, 0.3), (4, 0.2))]
    assert [one.distance for one in frontier(given)] == [0.5, 0.2]


def test_derive__any_start__meets_the_target_from_every_start_tried() -> None:
    best = cheapest(found(3, 0.1, 2.0), 0.1)
    assert best is not None
    assert best.two_qubit_gates <= 200
    program, sigma = best.program, sigma_of(best.program)
    rng = np.random.default_rng(3)
    for _ in range(200):
        psi = rng.standard_normal(8) + 1j * rng.standard_normal(8)
        psi /= np.linalg.norm(psi)
        assert distance(end(program, np.outer(psi, psi.conj())), sigma) <= best.distance + 1e-9
    last = replace(program, stages=program.stages[-1:])
    assert fixed(last) <= best.distance + 1e-9
    assert best.two_qubit_gates == pytest.approx(cost(program).two_qubit_gates)


def test_derive__programs_say_where_they_come_from() -> None:
    for one in found(3, 0.1, 2.0):
        assert one.program.calibration is Calibration.DERIVED
        for word in ("derived", "least squares", "settings tried", "accept or reject", "target 0.1"):
            assert word in one.program.provenance
        assert one.note


def test_derive__is_a_frontier__cheapest_first() -> None:
    gates, distances = np.array([(one.two_qubit_gates, one.distance) for one in found(3, 0.1, 2.0)]).T
    assert np.all(np.diff(gates) > 0)
    assert np.all(np.diff(distances) < 0)


def test_derive__past_deadline__returns_the_nearest_at_once() -> None:
    begun = time.monotonic()
    one = derived(chain(3), 1e-4, past())
    assert one
    assert np.isfinite(one[0].distance)
    assert one[0].distance > 1e-4
    assert time.monotonic() - begun < 5


def test_derive__given_start__is_the_distance_from_it_and_cheaper() -> None:
    best, sampler = cheapest(found(3, 0.1, 1.5, GIVEN), 0.1), cheapest(found(3, 0.1, 2.0), 0.1)
    assert best is not None
    assert sampler is not None
    assert distance(end(best.program, zero(3)), sigma_of(best.program)) == pytest.approx(best.distance, abs=1e-9)
    assert best.two_qubit_gates <= sampler.two_qubit_gates


def test_derive__tells_its_progress() -> None:
    said: list[str] = []
    derived(chain(2), 0.2, past(), progress=said.append)
    assert said[0].startswith("derived programs: spacing 1 of")


def test_derive__two_letters_a_site__two_passes() -> None:
    generator = dll(tfim(2, 1.0, 1.2), 1.0, couplings_of("XZ", 2), GaussianFilter(1.0))
    candidates = derived(generator, 0.1, within(1.5))
    best = cheapest(candidates, 0.1)
    assert best is not None
    assert best.program.num_ancilla == 2
    assert fixed(replace(best.program, stages=best.program.stages[-1:])) <= 0.1


def test_derive__no_balance__the_straight_formula() -> None:
    generator = replace(chain(2), coherent=Coherent.NONE)
    one = derived(generator, 0.2, within(1.0))
    assert [c.note for c in one] == ["straight formula"]
    assert one[0].program.scheme == "parallel"


def test_derive__discrete_channel__its_transitions() -> None:
    generator = DiscreteChannel(chain(2), 0.5)
    one = derived(generator, 0.2, within(1.0))
    assert one[0].program.generator is generator


def test_derive__nine_qubits__not_checked() -> None:
    one = derived(chain(9), 0.1, within(1.0))
    assert [(c.distance, c.note) for c in one] == [(np.inf, "not checked")]


def test_derive__six_qubits_given_start__followed_through_maps() -> None:
    candidates = derived(chain(6), 0.1, within(2.0), GIVEN)
    best = cheapest(candidates, 0.1)
    assert best is not None
    assert best.two_qubit_gates <= 1000
    assert "through maps" in best.note


@pytest.mark.slow
def test_derive__six_qubits_any_start__searched_through_maps() -> None:
    best = cheapest(found(6, 0.1, 60.0), 0.1)
    assert best is not None
    assert best.two_qubit_gates <= 1000
    (stage,), sweep = best.program.stages, sweep_map(best.program)
    psi = np.linalg.qr(np.random.default_rng(2).standard_normal((64, 1)))[0]
    for rho in (zero(6), np.eye(64) / 64, psi @ psi.T):
        for _ in range(stage.repeats):
            rho = sweep.apply(rho)
        assert distance(rho, sigma_of(best.program)) <= best.distance + 1e-9


@pytest.mark.slow
def test_derive__mixed_field_ising_four__far_below_1500_gates() -> None:
    best = cheapest(found(4, 0.05, 30.0), 0.05)
    assert best is not None
    assert best.two_qubit_gates <= 400
    assert fixed(replace(best.program, stages=best.program.stages[-1:])) <= 0.05
    weak = [max(abs(step.angle) for step in stage.steps if hasattr(step, "angle")) for stage in best.program.stages]
    assert weak == sorted(weak, reverse=True)


def test_layout__delay_is_one_spacing_under_all_of_H() -> None:
    plan = layout(chain(2), 3, 0.4, 2)
    last = plan.sweep(0.3, (1, 2))[-1]
    assert last == RandomDelay(Evolve(0.4, 2, 2), 1, 2)
