"""Product formulas: groups that commute, factors that add up, spectators that may go."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Operator, Pauli, SparsePauliOp

from gibbs_circuits.errors import ArgumentError
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.kinds.dll import dll
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.linalg.paulis import weight
from gibbs_circuits.models.library.spin_chains import heisenberg, mixed_field_ising, tfim
from gibbs_circuits.programs.product_formulas import (
    FORMULAS,
    Group,
    commuting_groups,
    factors,
    rotation_cost,
    spectators,
)
from gibbs_circuits.programs.program import Program, Stage
from gibbs_circuits.programs.steps import Couple, Evolve, Reset
from gibbs_circuits.readings.channel.sweep_channel import sweep_channel
from gibbs_circuits.readings.circuits.circuit import block
from tests.examples import build, by_hand, evolutions, generators, lowered, programs


def dense(terms: list[tuple[str, float]], width: int) -> np.ndarray:
    return np.asarray(SparsePauliOp.from_list([*terms, ("I" * width, 0.0)]).to_matrix())


@settings(deadline=None, derandomize=True, max_examples=60)
@given(generators(), st.sampled_from((0.0, 0.3, 0.9)))
def test_groups__sum__is_the_hamiltonian_above_the_truncation(generator: Lindbladian, truncation: float) -> None:
    model = generator.model
    groups = commuting_groups(model.hamiltonian, truncation)
    grouped = [term for group in groups for term in group.terms]
    kept = [(label, c) for label, c in model.terms if set(label) != {"I"} and abs(c) >= truncation]
    assert sorted(grouped) == sorted(kept)
    assert np.allclose(dense(grouped, model.num_qubits), dense(kept, model.num_qubits))


@settings(deadline=None, derandomize=True, max_examples=60)
@given(generators())
def test_groups__commute__unless_local(generator: Lindbladian) -> None:
    groups = commuting_groups(generator.model.hamiltonian)
    for group in groups:
        paulis = [Pauli(label) for label, _ in group.terms]
        assert group.local or all(p.commutes(q) for p, q in itertools.combinations(paulis, 2))
    assert sum(group.local for group in groups) <= 1
    costs = [group.two_qubit_gates for group in groups]
    assert costs == sorted(costs)  # the costliest stands once, in the middle of a Strang step


def test_groups__mixed_field_ising__field_then_bonds() -> None:
    field, bonds = commuting_groups(mixed_field_ising(4).hamiltonian)
    assert field.local
    assert {weight(label) for label, _ in bonds.terms} == {2}
    assert (len(field.terms), len(bonds.terms), bonds.two_qubit_gates) == (8, 3, 6)


def test_groups__heisenberg_pair__stays_together() -> None:
    for group in commuting_groups(heisenberg(4).hamiltonian):
        by_pair = {label.translate(str.maketrans("YZ", "XX")) for label, _ in group.terms}
        assert len(group.terms) == 3 * len(by_pair)


def test_groups__identity_only__is_empty() -> None:
    assert commuting_groups(SparsePauliOp.from_list([("II", 2.0)])) == ()


@pytest.mark.parametrize("order", FORMULAS)
@given(groups=st.integers(0, 4), slices=st.integers(1, 4))
@settings(deadline=None, derandomize=True, max_examples=20)
def test_factors__fractions__add_up_and_neighbours_merge(order: int, groups: int, slices: int) -> None:
    sequence = factors(groups, order, slices)
    for g in range(groups):
        assert sum(fraction for index, fraction in sequence if index == g) == pytest.approx(slices)
    assert all(a[0] != b[0] for a, b in itertools.pairwise(sequence))
    if order == 2:
        assert sequence == tuple(reversed(sequence))


@pytest.mark.parametrize(
    ("order", "expected"),
    [(1, ((0, 1.0), (1, 1.0), (0, 1.0), (1, 1.0))), (2, ((0, 0.5), (1, 1.0), (0, 1.0), (1, 1.0), (0, 0.5)))],
)
def test_factors__two_groups_two_slices__written_out(order: int, expected: tuple[tuple[int, float], ...]) -> None:
    assert factors(2, order, 2) == expected


def test_factors__unknown_order__is_refused() -> None:
    with pytest.raises(ArgumentError, match="trotter_order"):
        factors(2, 3, 1)


@pytest.mark.parametrize("order", FORMULAS)
def test_evolve__circuit__equals_the_written_product(order: int) -> None:
    terms = [("IX", 0.7), ("ZZ", -1.1), ("YY", 0.4), ("XY", 0.3)]
    program = by_hand([Evolve(0.9, slices=2, order=order)], 1, terms)
    qc = lowered(block(program, program.stages[0].steps))

    def lie(time: float) -> np.ndarray:
        return np.linalg.multi_dot([scipy.linalg.expm(-1j * time * dense([term], 2)) for term in terms[::-1]])

    def strang(time: float) -> np.ndarray:
        return lie(-time / 2).conj().T @ lie(time / 2)

    s = 1 / (4 - 4 ** (1 / 3))
    suzuki = [strang(s * 0.45), strang(s * 0.45), strang((1 - 4 * s) * 0.45), strang(s * 0.45), strang(s * 0.45)]
    one_slice = {1: lie(0.45), 2: strang(0.45), 4: np.linalg.multi_dot(suzuki)}[order]
    expected = np.kron(np.eye(2), one_slice @ one_slice)
    actual = Operator(qc).data
    phase = np.vdot(expected, actual) / 8
    assert abs(abs(phase) - 1) < 1e-10
    assert np.abs(actual - phase * expected).max() < 1e-10


def test_evolve__no_hamiltonian__does_nothing() -> None:
    program = by_hand([Evolve(0.9)], 1, [("ZZ", -1.0)])
    idle = Program(2, 1, (), program.stages, program.generator, "by hand")
    assert len(block(idle, idle.stages[0].steps).data) == 0


@settings(deadline=None, derandomize=True, max_examples=60)
@given(programs())
def test_spectators__dropped_only__where_they_commute(program: Program) -> None:
    hamiltonian = [term for group in program.groups for term in group.terms]
    couplings, dropped = list[str](), list[str]()
    for step in (step for stage in program.stages for step in stage.steps):
        match step:  # a pass ends with a reset: its evolutions stand between couplings it commutes with
            case Couple():
                couplings += [label for label, _ in step.terms]
            case Reset():
                assert all(Pauli(a).commutes(Pauli(b)) for a in dropped for b in couplings)
                couplings, dropped = [], []
            case Evolve():
                dropped += step.without
    for step in evolutions(program):
        for label in step.without:
            assert weight(label) > 1
            assert all(Pauli(label).commutes(Pauli(other)) for other, _ in hamiltonian)
        kept = [label for group in step.groups(program.groups) for label, _ in group.terms]
        assert sorted([*kept, *step.without]) == sorted(label for label, _ in hamiltonian)


def test_spectators__cases__commuting_goes_others_stay() -> None:
    groups = (Group((("IIZ", 1.0),)), Group((("ZZI", 1.0), ("IZZ", 0.5))))
    assert spectators(groups, [("IIX", 1.0)]) == ("ZZI",)
    assert spectators(groups, [("XII", 1.0)]) == ("IZZ",)
    assert spectators(groups, [("IXI", 1.0)]) == ()
    assert spectators((*groups, Group((("XXX", 1.0),))), [("IIZ", 1.0)]) == ("ZZI", "IZZ")
    assert spectators((*groups, Group((("XII", 1.0),))), [("IIZ", 1.0)]) == ("IZZ",)


def test_spectators__left_out__only_multiply_by_their_own_evolution() -> None:
    # a classical chain coupled at one end: the far bond is a spectator
    generator = dll(tfim(3, J=1.0, h=0.0), 1.0, couplings_of([[["IIX", 1.0]]], 3), GaussianFilter(1.0))
    program = build(generator, nodes=4, random_delays=(0, 0))
    steps = [replace(step, without=()) if isinstance(step, Evolve) else step for step in program.stages[0].steps]
    whole = replace(program, stages=(Stage(tuple(steps), 1),))
    assert {label for step in evolutions(program) for label in step.without} == {"ZZI"}
    time = sum(step.duration for step in evolutions(program))
    U = scipy.linalg.expm(-1j * time * dense([("ZZI", -1.0)], 3))
    assert np.abs(sweep_channel(whole) - np.kron(U.conj(), U) @ sweep_channel(program)).max() < 1e-10
    assert np.abs(sweep_channel(whole) - sweep_channel(program)).max() > 0.1


@pytest.mark.parametrize(("label", "gates"), [("III", 0), ("IXI", 0), ("XIZ", 2), ("XYZ", 4), ("XYZX", 6)])
def test_rotation_cost__weight__is_a_ladder_up_and_down(label: str, gates: int) -> None:
    assert rotation_cost(label) == gates
