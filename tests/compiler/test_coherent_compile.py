"""The coherent term as a circuit and jumps truncated to a radius, against matrices written out here."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings

from gibbs_circuits.analysis.error_budget.coherent_tradeoff import coherent_tradeoff
from gibbs_circuits.compiler.schemes.sequential import SequentialKnobs
from gibbs_circuits.compiler.time_domain.coherent_term import PauliSum, _patch_around, coherent_error, coherent_sum
from gibbs_circuits.compiler.time_domain.quadrature import Nodes
from gibbs_circuits.compiler.time_domain.symbolic_jumps import symbolic_jumps
from gibbs_circuits.compiler.time_domain.truncation import beyond, truncation_error
from gibbs_circuits.errors import ArgumentError, TooLargeError
from gibbs_circuits.evidence import Status
from gibbs_circuits.generators.contact import Coherent
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.linalg.fixed_point import fixed_point
from gibbs_circuits.linalg.paulis import Term
from gibbs_circuits.models.graph import ball
from gibbs_circuits.models.model import Model, from_terms
from gibbs_circuits.programs.product_formulas import commuting_groups
from gibbs_circuits.programs.program import Program, Rung, Stage
from gibbs_circuits.programs.steps import EXACT, Correct, Couple, Evolve, Reset
from gibbs_circuits.readings.channel.sweep_channel import sweep_channel
from gibbs_circuits.readings.circuits.cost import cost
from tests.examples import build, by_hand, channel_of, distance, generators, gibbs, ising, lowered, slope, unrolled
from tests.systems import dense, label

Complex = np.ndarray
FINE: dict[str, Any] = {"sweeps": 1, "spacing": 0.15, "nodes": 33, "random_delays": (0, 0), "coherent_tolerance": 0.0}
COMPILE = {"coherent_term": "compile"}


# matrices


def forward_shift(model: Model, coupling: tuple[Term, ...], nodes: Nodes) -> Complex:
    """What the order of the nodes of a forward-only pass adds to B, in the computational basis."""
    patch = _patch_around(model, coupling, None)
    return patch.at(0.0, patch.ordering(nodes))


def balance_pauli(generator: Lindbladian, tolerance: float = 0.0, radius: int | None = None) -> PauliSum:
    """B of a whole generator as a Pauli sum."""
    return coherent_sum(generator.model, symbolic_jumps(generator), tolerance=tolerance, radius=radius)


def hamiltonian(generator: Lindbladian) -> Complex:
    return dense(generator.model.terms)


def gaussian_time(t: float, beta: float) -> complex:
    return np.exp(1 / 8 - 2 * (t / beta) ** 2 + 1j * t / beta) * np.sqrt(2 / np.pi) / beta


def jump_matrix(H: Complex, A: Complex, beta: float) -> Complex:
    """∫ f(t) e^{iHt} A e^{−iHt} dt by the trapezoid rule."""
    total = np.zeros_like(A)
    step = 0.05 * beta
    U, before = scipy.linalg.expm(1j * H * step), scipy.linalg.expm(-1j * H * 80 * step)
    for k in range(-80, 81):
        total = total + step * gaussian_time(k * step, beta) * before @ A @ before.conj().T
        before = U @ before
    return total


def jump_matrices(generator: Lindbladian) -> list[Complex]:
    H = hamiltonian(generator)
    couplings = [dense([(text, c.real) for text, c in contact.coupling.to_list()]) for contact in generator.contacts]
    return [jump_matrix(H, A, generator.beta) for A in couplings]


def balance_matrix(H: Complex, jumps: list[Complex], beta: float) -> Complex:
    """B from √σ B + B √σ = −(i/2)(√σ R − R √σ), which is (i/2) tanh(βν/4) R without a basis of energies."""
    R = sum(L.conj().T @ L for L in jumps)
    half = scipy.linalg.expm(-beta * (H - np.trace(H) / len(H) * np.eye(len(H))) / 2)
    return scipy.linalg.solve_sylvester(half, half, -0.5j * (half @ R - R @ half))


def lindblad(jumps: list[Complex], B: Complex) -> Complex:
    """Column-stacked."""
    one = np.eye(len(B))
    total = -1j * (np.kron(one, B) - np.kron(B.T, one))
    for L in jumps:
        R = L.conj().T @ L
        total = total + np.kron(L.conj(), L) - 0.5 * (np.kron(one, R) + np.kron(R.T, one))
    return total


def conjugation(U: Complex) -> Complex:
    return np.kron(U.conj(), U)


# programs


def changed(program: Program, **how: Any) -> Program:
    """Every evolution and correction with these fields."""

    def one(step: Any) -> Any:
        return replace(step, **how) if isinstance(step, Evolve | Correct) else step

    stages = tuple(Stage(tuple(map(one, stage.steps)), stage.repeats) for stage in program.stages)
    return replace(program, stages=stages)


def flipped(program: Program) -> Program:
    """B with the wrong sign."""

    def one(step: Any) -> Any:
        return replace(step, duration=-step.duration) if isinstance(step, Correct) else step

    stages = tuple(Stage(tuple(map(one, stage.steps)), stage.repeats) for stage in program.stages)
    return replace(program, stages=stages)


def exact_channel(generator: Lindbladian, scheme: str, **knobs: Any) -> Complex:
    return sweep_channel(changed(build(generator, scheme, **{**FINE, **knobs}), order=EXACT))


# B as a Pauli sum


@settings(deadline=None, derandomize=True, max_examples=25)
@given(generators())
def test_balance_pauli__equals_the_matrix__generated(generator: Lindbladian) -> None:
    if generator.beta == 0:
        assert balance_pauli(generator).step(1.0) is None
        return
    H = hamiltonian(generator)
    found = balance_pauli(generator).operator.to_matrix()
    expected = balance_matrix(H, jump_matrices(generator), generator.beta)
    assert np.linalg.norm(found - expected) <= 1e-9 * max(1, np.linalg.norm(expected))


def test_balance_pauli__makes_gibbs_stationary__and_the_other_sign_does_not() -> None:
    generator = ising(3)
    sigma = gibbs(generator.model.hamiltonian, 1.0).reshape(-1, order="F")
    L, B = jump_matrices(generator), balance_pauli(generator).operator.to_matrix()
    right, without, wrong = (np.linalg.norm(lindblad(L, sign * B) @ sigma) for sign in (1, 0, -1))
    assert right <= 1e-12
    assert without > 1e-3
    assert abs(wrong / without - 2) <= 1e-9


def test_balance_pauli__falls_with_the_radius__six_sites() -> None:
    generator = ising(6)
    errors = [coherent_error(generator, balance_pauli(generator, radius=r).operator) for r in range(6)]
    assert errors[-1] <= 1e-12
    assert all(after < before / 2 for before, after in pairwise(errors[1:]))
    assert errors[0] == 1.0  # a single spin: commuting with nothing, B = 0 is all that is left
    assert errors[2] < 0.2
    assert errors[3] < 0.05


def test_balance_pauli__sees_its_neighbourhood_only__long_chains() -> None:
    """The bulk of 10 and of 14 sites is the same, and nothing of size 2¹⁴ is formed."""
    sums = {n: dict(balance_pauli(ising(n), radius=1).operator.to_list()) for n in (10, 14)}
    for letters in ({0: "Y"}, {0: "Y", 1: "Z"}, {0: "Z", 1: "Y"}, {0: "Z", 1: "Y", 2: "Z"}):
        short, long = (sums[n][label(n, {start + k: p for k, p in letters.items()})] for n, start in ((10, 4), (14, 6)))
        assert abs(short - long) <= 1e-12
        assert abs(short) > 1e-4


def test_balance_pauli__reports_what_it_drops__tolerance() -> None:
    generator = ising(3)
    whole, part = balance_pauli(generator), balance_pauli(generator, tolerance=0.2)
    assert 0 < len(part.operator) < len(whole.operator)
    assert np.min(np.abs(part.operator.coeffs)) >= 0.2 * np.max(np.abs(whole.operator.coeffs))
    left = (whole.operator - part.operator).simplify()
    assert abs(part.dropped - np.sum(np.abs(left.coeffs))) <= 1e-12
    assert np.linalg.norm(left.to_matrix(), 2) <= part.dropped + 1e-12


def test_balance_pauli__is_shifted_in_time__by_its_frame() -> None:
    generator, t = ising(2), 0.37
    jumps = symbolic_jumps(generator)
    U = scipy.linalg.expm(-1j * t * hamiltonian(generator))
    B = coherent_sum(generator.model, jumps).operator.to_matrix()
    shifted = coherent_sum(generator.model, jumps, time=t).operator.to_matrix()
    assert np.linalg.norm(shifted - U @ B @ U.conj().T) <= 1e-12
    assert np.linalg.norm(shifted - U.conj().T @ B @ U) > 1e-2


def test_balance_pauli__commuting_model__has_none() -> None:
    model = from_terms([("ZZ", -1.0), ("IZ", 0.3)])
    generator = replace(ising(2), model=model)
    assert balance_pauli(generator).step(1.0) is None


# frames of the sequential scheme


@pytest.mark.parametrize("nodes", [33, 34])
def test_sequential__with_b_converges_to_the_full_generator__in_its_frame(nodes: int) -> None:
    generator = ising(2)
    H, L = hamiltonian(generator), jump_matrices(generator)
    full = scipy.linalg.expm(lindblad(L, balance_matrix(H, L, 1.0)))
    begin = -0.15 * (nodes - 1) / 2
    frame = conjugation(scipy.linalg.expm(-1j * begin * H))
    expected = frame @ full @ frame.conj().T
    steps = (8, 16, 32)
    errors: dict[str, list[float]] = {"compile": [], "omit": []}
    for choice, found in errors.items():
        for count in steps:
            Phi = exact_channel(generator, "sequential", strength=1 / count, nodes=nodes, coherent_term=choice)
            found.append(np.linalg.norm(np.linalg.matrix_power(Phi, count) - expected, 2))
    assert abs(slope(steps, errors["compile"]) + 1) <= 0.15
    assert abs(slope(steps, errors["omit"])) < 0.35  # saturates
    assert errors["omit"][-1] > 3 * errors["compile"][-1]


def test_sequential__fixed_point__sign_of_b_matters() -> None:
    generator = ising(2)
    sigma = gibbs(generator.model.hamiltonian, 1.0)
    knobs = {**FINE, "strength": 0.02}
    programs = {choice: changed(build(generator, "sequential", **knobs, coherent_term=choice), order=EXACT)
                for choice in ("omit", "compile")}  # fmt: skip
    without = distance(fixed_point(sweep_channel(programs["omit"])), sigma)
    right = distance(fixed_point(sweep_channel(programs["compile"])), sigma)
    wrong = distance(fixed_point(sweep_channel(flipped(programs["compile"]))), sigma)
    assert right < without / 10
    assert 1.7 < wrong / without < 2.3


# the order of the nodes of a forward-only pass


def test_forward_shift__is_what_a_pass_adds__slope_two() -> None:
    generator = ising(2)
    nodes, spacing = 33, 0.15
    H, L = hamiltonian(generator), jump_matrices(generator)
    S = sum(forward_shift(generator.model, j.terms, j.nodes(nodes, spacing)) for j in symbolic_jumps(generator))
    assert np.linalg.norm(S - S.conj().T) <= 1e-12
    free = conjugation(scipy.linalg.expm(-1j * H * spacing * (nodes - 1) / 2))
    strengths = (0.08, 0.04, 0.02)
    errors: dict[int, list[float]] = {1: [], 0: [], -1: []}
    for delta in strengths:
        Phi = exact_channel(generator, "parallel", strength=delta)
        for sign, found in errors.items():
            expected = free @ scipy.linalg.expm(delta * lindblad(L, sign * S)) @ free
            found.append(np.linalg.norm(Phi - expected, 2))
    assert abs(slope(strengths, errors[1]) - 2) <= 0.15
    assert slope(strengths, errors[0]) < 1.3
    assert errors[-1][-1] > 1.7 * errors[0][-1]


def test_forward_shift__vanishes__one_node() -> None:
    jump = symbolic_jumps(ising(2))[0]
    assert np.linalg.norm(forward_shift(ising(2).model, jump.terms, jump.nodes(1, 0.2))) <= 1e-15


@pytest.mark.parametrize("nodes", [33, 34])
def test_parallel__with_b__is_the_whole_first_order(nodes: int) -> None:
    """Ordered: what is left of the shift is along H, which leaves σ where it is."""
    generator = ising(2)
    H, L = hamiltonian(generator), jump_matrices(generator)
    S = sum(forward_shift(generator.model, j.terms, j.nodes(nodes, 0.15)) for j in symbolic_jumps(generator))
    B = balance_matrix(H, L, 1.0)
    along = np.trace(S @ H) / np.trace(H @ H) * H
    free = conjugation(scipy.linalg.expm(-1j * H * 0.15 * (nodes - 1) / 2))
    strengths = (0.08, 0.04, 0.02)
    for choice, coherent in (("compile", B + S), ("compile_ordered", B + along)):
        errors = []
        for delta in strengths:
            Phi = exact_channel(generator, "parallel", strength=delta, nodes=nodes, coherent_term=choice)
            errors.append(np.linalg.norm(Phi - free @ scipy.linalg.expm(delta * lindblad(L, coherent)) @ free, 2))
        assert abs(slope(strengths, errors) - 2) <= 0.15


@pytest.mark.slow
def test_parallel__with_b__bias_is_smaller__exact_evolution_without_delays() -> None:
    """Of first order in δ either way: the free evolution suppresses what B would mend."""
    generator = ising(3)
    sigma = gibbs(generator.model.hamiltonian, 1.0)
    found = {
        choice: [
            distance(fixed_point(exact_channel(generator, "parallel", strength=d, coherent_term=choice)), sigma)
            for d in (1 / 16, 1 / 32)
        ]
        for choice in ("omit", "compile")
    }
    assert all(b < 0.9 * a for a, b in zip(found["omit"], found["compile"], strict=True))


# circuits


@pytest.mark.parametrize("order", [1, 2, 4])
def test_correct__circuit_equals_channel__and_cost_equals_count(order: int) -> None:
    generator = ising(2)
    correct = balance_pauli(generator).step(0.7, order)
    assert correct is not None
    couple = Couple((("YI", 1.0),), 0, 0.4, 0.3)
    program = by_hand([Evolve(0.3), couple, correct, Evolve(0.2), Reset((0,))], 1, generator.model.terms)
    qc = lowered(unrolled(program, ()))
    assert np.linalg.norm(channel_of(qc, 2) - sweep_channel(program)) <= 1e-10
    assert qc.count_ops()["cx"] == cost(program).two_qubit_gates
    without = by_hand([Evolve(0.3), couple, Evolve(0.2), Reset((0,))], 1, generator.model.terms)
    assert np.linalg.norm(sweep_channel(without) - sweep_channel(program)) > 1e-3


@pytest.mark.parametrize("order", [1, 2, 4])
def test_correct__product_formula__has_its_order(order: int) -> None:
    generator = ising(3)
    B, errors, times = balance_pauli(generator), [], (4.0, 2.0, 1.0)
    for t in times:
        program = by_hand([B.step(t, order), Reset((0,))], 1, generator.model.terms)
        U = scipy.linalg.expm(-1j * t * B.operator.to_matrix())
        errors.append(np.linalg.norm(sweep_channel(program) - conjugation(U), 2))
    assert abs(slope(times, errors) - (order + 1)) <= 0.25


@pytest.mark.parametrize("scheme", ["parallel", "sequential", "random_jumps"])
def test_schemes__with_b__circuit_equals_channel(scheme: str) -> None:
    program = build(ising(2), scheme, random_delays=(0, 0), sweeps=1, **COMPILE)
    assert any("correct" in line for line in program.text.splitlines())
    if scheme != "random_jumps":
        qc = lowered(unrolled(program, ()))
        assert np.linalg.norm(channel_of(qc, 2) - sweep_channel(program)) <= 1e-10
        assert qc.count_ops()["cx"] == cost(program).two_qubit_gates
    for draw in (0, 1) if scheme == "random_jumps" else ():
        qc = lowered(unrolled(program, (draw,)))
        assert np.linalg.norm(channel_of(qc, 2) - sweep_channel(program, draws=[draw])) <= 1e-10


def test_random_jumps__with_b__mean_is_the_full_generator() -> None:
    generator = ising(2)
    H, L = hamiltonian(generator), jump_matrices(generator)
    frame = conjugation(scipy.linalg.expm(1j * 0.15 * 16 * H))
    full = lindblad(L, balance_matrix(H, L, 1.0))
    strengths, errors = (0.04, 0.02, 0.01), []
    for delta in strengths:
        program = build(generator, "random_jumps", **{**FINE, "strength": delta}, **COMPILE)
        branches = tuple(
            replace(b, steps=tuple(replace(s, order=EXACT) if isinstance(s, Evolve | Correct) else s for s in b.steps))
            for b in program.stages[0].steps[0].branches
        )
        choice = replace(program.stages[0].steps[0], branches=branches)
        Phi = sweep_channel(replace(program, stages=(Stage((choice,), 1),)))
        errors.append(np.linalg.norm(Phi - frame @ scipy.linalg.expm(delta * full) @ frame.conj().T, 2))
    assert abs(slope(strengths, errors) - 2) <= 0.2


# radius


def test_ball__counts_terms__chain_and_far_term() -> None:
    terms = [("IIZZ", 1.0), ("IZZI", 1.0), ("ZZII", 1.0), ("XIII", 0.5)]
    assert [sorted(ball(terms, [("IIIY", 1.0)], r)) for r in range(4)] == [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]]
    assert ball(terms, [("IIIY", 1.0)], None) is None
    groups = commuting_groups(ising(4).model.hamiltonian)
    assert set(beyond(groups, [("IIIY", 1.0)], 1)) == {"IXII", "XIII", "IZII", "ZIII", "IZZI", "ZZII"}
    assert beyond(groups, [("IIIY", 1.0)], 3) == ()
    assert beyond(groups, [("IIIY", 1.0)], None) == ()


def test_truncation_error__falls_with_the_radius__six_sites() -> None:
    generator = ising(6)
    jump = symbolic_jumps(generator)[0]
    nodes = jump.nodes(8, 0.25)
    errors = [truncation_error(generator.model, jump, nodes, r) for r in range(6)]
    assert errors[5] == 0.0
    assert all(after < before / 4 for before, after in pairwise(errors[:5]))
    H, A = hamiltonian(generator), dense(jump.terms)
    inside = dense([term for term in generator.model.terms if set(term[0][:-2]) == {"I"}])  # sites 0 and 1

    def jump_of(X: Complex) -> Complex:
        U = [scipy.linalg.expm(1j * X * t) for t in nodes.times]
        return sum(w * u @ A @ u.conj().T for w, u in zip(nodes.weights, U, strict=True))

    whole = jump_of(H)
    assert abs(errors[1] - np.linalg.norm(jump_of(inside) - whole) / np.linalg.norm(whole)) <= 1e-10


def test_sequential__truncated__is_the_channel_of_truncated_jumps() -> None:
    """Three sites, radius 1: an end sees two sites and their bond; every jump in the frame of H itself."""
    generator = ising(3)
    terms = generator.model.terms
    seen = [{0, 1}, {0, 1, 2}, {1, 2}]
    near = [dense([t for t in terms if {2 - k for k, p in enumerate(t[0]) if p != "I"} <= s]) for s in seen]
    L = [jump_matrix(H, dense([(label(3, {q: "Y"}), 1.0)]), 1.0) for q, H in enumerate(near)]
    whole = [jump_matrix(hamiltonian(generator), dense([(label(3, {q: "Y"}), 1.0)]), 1.0) for q in range(3)]
    zero = np.zeros((8, 8))
    steps, errors, control = (8, 16, 32), [], []
    for count in steps:
        Phi = exact_channel(generator, "sequential", strength=1 / count, radius=1)
        power = np.linalg.matrix_power(Phi, count)
        errors.append(np.linalg.norm(power - scipy.linalg.expm(lindblad(L, zero)), 2))
        control.append(np.linalg.norm(power - scipy.linalg.expm(lindblad(whole, zero)), 2))
    assert abs(slope(steps, errors) + 1) <= 0.15
    assert abs(slope(steps, control)) < 0.5


def test_sequential__truncated_with_b__converges_as_well() -> None:
    generator = ising(2)
    H, L = hamiltonian(generator), jump_matrices(generator)
    full = scipy.linalg.expm(lindblad(L, balance_matrix(H, L, 1.0)))
    steps, errors = (8, 16, 32), []
    for count in steps:
        Phi = exact_channel(generator, "sequential", strength=1 / count, radius=1, **COMPILE)
        errors.append(np.linalg.norm(np.linalg.matrix_power(Phi, count) - full, 2))
    assert abs(slope(steps, errors) + 1) <= 0.15


def test_radius__saves_gates_and_is_declared__long_chain() -> None:
    whole, part = (build(ising(8), "sequential", radius=r) for r in (None, 1))
    assert cost(part).two_qubit_gates < cost(whole).two_qubit_gates
    (term,) = [term for term in part.declared if term.rung is Rung.TRUNCATION]
    assert term.status is Status.MEASURED
    assert 0 < term.value < 0.3
    assert not [term for term in whole.declared if term.rung is Rung.TRUNCATION]
    long = [term for term in build(ising(9), "sequential", radius=1).declared if term.rung is Rung.TRUNCATION]
    assert [(term.value, term.status) for term in long] == [(None, Status.NOT_CHECKED)]


# ledger, table, refusals


def test_declared__compiled_b__is_measured() -> None:
    omitted, compiled = (
        [t for t in build(ising(2), "sequential", coherent_term=c).declared if t.rung is Rung.COHERENT]
        for c in ("omit", "compile")
    )
    assert len(omitted) == len(compiled) == 1
    assert (omitted[0].value, omitted[0].status) == (None, Status.NOT_CHECKED)
    assert compiled[0].status is Status.MEASURED
    assert compiled[0].value < 0.2


def test_tradeoff__sequential_without_delays__b_pays() -> None:
    knobs = build(ising(2), "sequential").knobs | {"random_delays": (0, 0), "nodes": 8, "spacing": 0.25}
    rows = {row.what: row for row in coherent_tradeoff(ising(2), "sequential", SequentialKnobs(**knobs))}
    assert rows["B"].two_qubit_gates > rows["B omitted"].two_qubit_gates
    assert rows["B"].distance < rows["B omitted"].distance / 1.5


def test_refusals__name_the_knob() -> None:
    with pytest.raises(ArgumentError, match="coherent_term"):
        build(ising(2), "sequential", coherent_term="compile_ordered")
    with pytest.raises(ArgumentError, match="radius"):
        build(ising(2), "sequential", direction="forward", radius=1)
    none = replace(ising(2), coherent=Coherent.NONE)
    with pytest.raises(ArgumentError, match="coherent_term"):
        build(none, "parallel", **COMPILE)
    with pytest.raises(TooLargeError, match="coherent_radius"):
        build(ising(10), "parallel", **COMPILE)
    with pytest.raises(ArgumentError, match="scheme"):
        coherent_tradeoff(ising(2), "thermal_ancilla", build(ising(2)).knobs)
