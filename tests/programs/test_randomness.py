"""Twirls and random Paulis in place of ancillas: exact on the mean, and what they save."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Pauli, SparsePauliOp

import gibbs_circuits as gc
from gibbs_circuits.errors import ArgumentError, TooLargeError
from gibbs_circuits.linalg.arrays import unvec, vec
from gibbs_circuits.programs.classical_randomness import twirl_step, without_single_use_ancillas
from gibbs_circuits.programs.product_formulas import Group, commuting_groups
from gibbs_circuits.programs.program import Program, Stage
from gibbs_circuits.programs.steps import Branch, Correct, Couple, Evolve, RandomChoice, Reset
from gibbs_circuits.readings.channel.sweep_channel import sweep_channel
from gibbs_circuits.readings.circuits.cost import cost
from gibbs_circuits.search.variational.ansatz import Ansatz
from gibbs_circuits.search.variational.objectives import Preparation
from gibbs_circuits.search.variational.to_steps import steps_of
from gibbs_circuits.search.variational.twirling import TwirledPreparation, symmetries, twirled
from tests.examples import by_hand, generators, random_state
from tests.search.test_fits import check_gradient

SEEDS = st.integers(0, 2**32 - 1)
GENERATOR = gc.dll(gc.models.mixed_field_ising(3, J=1, h=0.9, g=0.5), beta=1.0, couplings="Y")


def program_of(steps: tuple, ancillas: int, repeats: int = 1) -> Program:
    groups = commuting_groups(GENERATOR.model.hamiltonian)
    return Program(3, ancillas, groups, (Stage(steps, repeats),), GENERATOR, "auto")


def fitted(ansatz: Ansatz, seed: int, scale: float = 2.0) -> Program:
    angles = scale * np.random.default_rng(seed).normal(size=ansatz.num_angles)
    return program_of(steps_of(ansatz, angles), ansatz.num_ancilla, repeats=2)


def difference(one: Program, other: Program) -> float:
    return float(np.abs(sweep_channel(one) - sweep_channel(other)).max())


def commuting_by_matrices(H: SparsePauliOp) -> set[str]:
    """By trying every string on dense matrices."""
    h, found = H.to_matrix(), set[str]()
    for letters in product("IXYZ", repeat=H.num_qubits):
        P = Pauli("".join(letters)).to_matrix()
        if all(np.allclose(P @ T, T @ P) for T in (SparsePauliOp(label).to_matrix() for label, _ in H.to_list())):
            assert np.allclose(P @ h, h @ P)
            found.add("".join(letters))
    return found


def applied_strings(step: RandomChoice) -> list[str]:
    """The strings of the branches, read off their one-qubit terms."""
    found = []
    for branch in step.branches:
        labels = [label for inner in branch.steps for group in inner.term for label, _ in group.terms]
        found.append("".join(max(letters, key="IXYZ".index) for letters in zip(*labels, strict=True)) or "I" * 3)
    return found


@given(generator=generators())
@settings(max_examples=25, deadline=None)
def test_symmetries__generate_all_strings_that_commute__any_hamiltonian(generator: gc.Lindbladian) -> None:
    H = generator.model.hamiltonian
    labels = symmetries(H)
    expected = commuting_by_matrices(H.simplify())
    assume(len(labels) <= 5)
    rotations = [SparsePauliOp(label) for label in labels]
    group = set()
    for chosen in product((0, 1), repeat=len(labels)):
        element = SparsePauliOp("I" * H.num_qubits)
        for bit, P in zip(chosen, rotations, strict=True):
            element = element @ P if bit else element
        group.add(element.paulis[0].to_label().lstrip("-i"))
    assert group == expected
    assert len(group) == 2 ** len(labels)  # none is superfluous


def test_symmetries__of_known_models() -> None:
    assert symmetries(gc.models.tfim(3).hamiltonian) == ("XXX",)
    assert symmetries(gc.models.mixed_field_ising(3, J=1, h=0.9, g=0.5).hamiltonian) == ()
    assert len(symmetries(SparsePauliOp(["XX", "YY", "ZZ"]))) == 2


@pytest.mark.parametrize("labels", [("XXX",), ("XXX", "ZZI"), ("XII", "ZII", "IYY"), ()])
def test_twirl_step__mean_channel__is_the_average_over_the_group(labels: tuple[str, ...]) -> None:
    step = twirl_step(labels)
    assert len(step.branches) == 2 ** len(labels)
    channel = sweep_channel(program_of((step,), 1))
    rho = random_state(3, 5)
    mean, count = np.zeros_like(rho), 0
    for chosen in product((0, 1), repeat=len(labels)):
        P = np.eye(8)
        for bit, label in zip(chosen, labels, strict=True):
            P = P @ Pauli(label).to_matrix() if bit else P
        mean, count = mean + P @ rho @ P.conj().T, count + 1
    assert np.abs(unvec(channel @ vec(rho)) - mean / count).max() < 1e-12
    assert np.abs(twirled(rho, labels) - mean / count).max() < 1e-12
    assert cost(program_of((step,), 1)).two_qubit_gates == 0
    if labels:
        assert np.abs(twirled(rho, labels) - rho).max() > 1e-2  # the control: this state is not invariant


def test_twirl_step__dependent_strings__are_drawn_uniformly() -> None:
    step = twirl_step(("XXI", "IXX", "XIX"))
    assert sorted(applied_strings(step)) == ["III", "IXX", "XIX", "XXI"]
    assert {branch.probability for branch in step.branches} == {0.25}
    with pytest.raises(TooLargeError, match=r"11 Pauli strings.*Fix:"):
        twirl_step(["X" * 11] * 11)


@given(seed=SEEDS, real=st.booleans())
@settings(max_examples=10, deadline=None)
def test_twirled_preparation__gradient__is_that_of_differences(seed: int, real: bool) -> None:
    model = gc.models.tfim(3)
    sigma = gc.gibbs_state(model, 0.8)
    rng = np.random.default_rng(seed)
    ansatz = Ansatz(3, 1, (((0, 1),), ((1, 3),), ((1, 2),), ((1, 3),)), real)
    arguments = (ansatz, sigma.real if real else sigma, np.eye(8)[:, 0])
    cost_of = TwirledPreparation(*arguments, symmetries(model.hamiltonian))
    x, eta = rng.normal(size=(ansatz.num_angles, 2)), 3e-2
    check_gradient(cost_of, x, rng)
    plain = Preparation(*arguments)
    # the control: without the twirl it is another function
    assert np.abs(plain(x, eta)[1] - cost_of(x, eta)[1]).max() > 1e-3
    written = program_of((*steps_of(ansatz, x[:, 0]), twirl_step(("XXX",))), 1)
    rho = np.zeros((8, 8))
    rho[0, 0] = 1
    assert np.abs(unvec(sweep_channel(written) @ vec(rho)) - cost_of.state(x[:, 0])).max() < 1e-12


def test_twirled_preparation__of_a_string_that_moves_sigma__is_refused() -> None:
    sigma = gc.gibbs_state(gc.models.tfim(2), 1.0)
    with pytest.raises(ArgumentError, match=r"commute with σ.*Fix:"):
        TwirledPreparation(Ansatz(2, 0, (((0, 1),),)), sigma, np.eye(4)[:, 0], ("ZI",))


@given(seed=SEEDS, real=st.booleans())
@settings(max_examples=15, deadline=None)
def test_without__contacts_of_one_layer__are_all_replaced(seed: int, real: bool) -> None:
    contacts = ((0, 3), (1, 4), (2, 5))
    before = fitted(Ansatz(3, 3, (((0, 1), (1, 2)), contacts, ((0, 1), (1, 2))), real), seed)
    after = without_single_use_ancillas(before)
    assert difference(before, after) < 1e-12
    assert cost(before).two_qubit_gates_per_sweep == (7,)
    assert cost(after).two_qubit_gates_per_sweep == (4,)
    assert (cost(after).resets, after.num_ancilla) == (0, 1)
    assert sum(isinstance(step, RandomChoice) for step in after.stages[0].steps) == 3
    assert without_single_use_ancillas(after) is after


@given(seed=SEEDS, real=st.booleans())
@settings(max_examples=25, deadline=None)
def test_without__any_circuit__keeps_the_channel(seed: int, real: bool) -> None:
    rng = np.random.default_rng(seed)
    pairs = [(0, 1), (1, 2), (0, 3), (1, 4), (2, 5), (0, 4)]
    layers = tuple((pairs[int(rng.integers(len(pairs)))],) for _ in range(7))
    assume(any(edge[1] >= 3 for (edge,) in layers))
    before = fitted(Ansatz(3, 3, layers, real), seed)
    after = without_single_use_ancillas(before)
    assert difference(before, after) < 1e-12
    saved = sum(isinstance(step, RandomChoice) for step in after.stages[0].steps)
    assert cost(before).two_qubit_gates_per_sweep[0] - cost(after).two_qubit_gates_per_sweep[0] == saved
    assert cost(before).resets - cost(after).resets == 2 * saved


def test_without__control__another_probability_differs() -> None:
    before = fitted(Ansatz(3, 1, (((0, 1),), ((1, 3),), ((1, 2),))), 3)
    after = without_single_use_ancillas(before)
    steps = list(after.stages[0].steps)
    (at,) = [k for k, step in enumerate(steps) if isinstance(step, RandomChoice)]
    none, turned = steps[at].branches
    assert abs(turned.probability - 0.5) > 0.1
    steps[at] = RandomChoice((Branch(turned.probability, none.steps), Branch(none.probability, turned.steps)))
    assert difference(before, replace(after, stages=(Stage(tuple(steps), 2),))) > 1e-2


def test_without__probability__is_the_sine_squared_of_the_angle() -> None:
    """R_y(2α)|0⟩ has |1⟩ with probability sin²α, and a CZ then does Z."""
    ansatz = Ansatz(3, 1, (((0, 3),),))
    angles = np.zeros(ansatz.num_angles)
    (own,) = [k for k, slot in enumerate(ansatz.slots) if slot.qubit == 3]
    angles[own] = 2 * 0.4
    after = without_single_use_ancillas(program_of(steps_of(ansatz, angles), 1))
    (choice,) = [step for step in after.stages[0].steps if isinstance(step, RandomChoice)]
    assert min(branch.probability for branch in choice.branches) == pytest.approx(np.sin(0.4) ** 2, abs=1e-12)
    rho = random_state(3, 1)
    Z = Pauli("IIZ").to_matrix()
    expected = np.cos(0.4) ** 2 * rho + np.sin(0.4) ** 2 * Z @ rho @ Z
    assert np.abs(unvec(sweep_channel(after) @ vec(rho)) - expected).max() < 1e-12


def test_without__busy_ancilla__the_choice_moves_past_what_commutes() -> None:
    """The second site meets its ancilla while the first one's is in use; only before its R_x is there a way out."""
    kick, turn = Correct((Group((("IX", 0.7),)),), 1.0, 1, 1), Couple((("II", 1.0),), 1, 0.3, 0.2)
    once, held = Couple((("ZI", 1.0),), 1, 0.5, 0.9), Couple((("IZ", 1.0),), 0, 0.4, 0.0)
    moved = by_hand([held, turn, once, kick, held, Reset((0, 1)), Evolve(0.1)], 2, repeats=2)
    lighter = without_single_use_ancillas(moved)
    assert np.abs(sweep_channel(moved) - sweep_channel(lighter)).max() < 1e-12
    assert (lighter.num_ancilla, cost(lighter).two_qubit_gates_per_sweep[0]) == (1, 6)  # two couplings and Evolve
    blocked = Correct((Group((("XI", 0.7),)),), 1.0, 1, 1)
    stays = by_hand([held, blocked, turn, once, blocked, held, Reset((0, 1))], 2)
    assert without_single_use_ancillas(stays) is stays


def test_without__reuse_and_other_programs__stay_as_they_are() -> None:
    twice = fitted(Ansatz(3, 3, (((0, 3), (1, 4), (2, 5)), ((0, 1), (1, 2)), ((0, 3), (1, 4), (2, 5)))), 1)
    assert without_single_use_ancillas(twice) is twice
    again = by_hand(
        [Couple((("ZI", 1.0),), 0, 0.5, 0.3), Reset((0,)), Couple((("IX", 1.0),), 0, 0.8, 0.3), Reset((0,))], 1
    )
    lighter = without_single_use_ancillas(again)
    assert np.abs(sweep_channel(again) - sweep_channel(lighter)).max() < 1e-12
    assert cost(lighter).two_qubit_gates == 0
