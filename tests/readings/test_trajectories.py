"""Trajectories: each is what Qiskit makes of the same outcomes; their averages are the exact channel's."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse.linalg
from hypothesis import given, settings
from qiskit import QuantumCircuit
from qiskit.quantum_info import DensityMatrix, Operator, SparsePauliOp, Statevector, partial_trace, random_unitary

from gibbs_circuits import models
from gibbs_circuits.errors import ArgumentError, InvalidModelError, TooLargeError
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.kinds.dll import dll
from gibbs_circuits.programs.initial_state import mixed
from gibbs_circuits.programs.product_formulas import Group, commuting_groups
from gibbs_circuits.programs.program import Program, Stage
from gibbs_circuits.programs.steps import (
    EXACT,
    Branch,
    Correct,
    Couple,
    Draw,
    Evolve,
    RandomChoice,
    RandomDelay,
    Reset,
    Step,
    Unitary,
)
from gibbs_circuits.readings.circuits.circuit import block
from gibbs_circuits.readings.trajectories.evolution import evolution
from gibbs_circuits.readings.trajectories.trajectories import Trajectories, trajectories
from gibbs_circuits.readings.trajectories.unravelling import Batch, Drawn, Resetting
from tests.examples import build, by_hand, ising, lowered, programs, unrolled

EQUAL = 1e-10
LIMIT = 4.0  # standard deviations: 6e-5 false alarms per number, and every seed is fixed
HAMILTONIAN = (("IX", -0.9), ("ZZ", -1.0), ("XI", 0.4), ("ZI", 0.3))
# ancilla 0 stays entangled with the system across a delay and a reset of ancilla 1
ENTANGLED: tuple[Step, ...] = (
    Couple((("IY", 1.0),), 0, 0.6, 0.3),
    Couple((("XZ", 0.8),), 1, 0.9, -1.1),
    Evolve(0.4),
    Reset((1,)),
    RandomDelay(Evolve(0.35), 1, 3),
    Couple((("YI", 1.0), ("ZI", 0.5)), 1, 0.7, 0.2),
    Couple((("IY", 1.0),), 0, 0.4, 0.9),
    Correct((Group((("XY", 0.3), ("YX", 0.2))),), 1.0),
    Reset((0,)),
    Unitary(random_unitary(16, seed=5).data, (1, 0), "block"),
    Unitary(random_unitary(8, seed=6).data, (0,), "one"),
    Reset((1, 0)),
    RandomDelay(Evolve(0.2, order=1), 0, 2),
    Unitary(random_unitary(8, seed=7).data, (1,), "clean", clean=True),
    Reset((1,)),
)


def couple(label: str, angle: float, axis: float) -> Couple:
    return Couple(((label, 1.0),), 0, angle, axis)


CHOICE = RandomChoice(
    (
        Branch(0.2, (couple("IX", 0.9, 0.1), Evolve(0.3), couple("IX", 0.5, 0.8), Reset((0,)))),
        Branch(0.3, (couple("YI", 0.4, 1.1), Evolve(0.3), couple("ZZ", 0.6, 0.0), Reset((0,)))),
        Branch(0.1, (couple("XY", 1.3, -2.0), Evolve(0.3), couple("IZ", 0.2, 0.4), Reset((0,)))),
        Branch(0.15, (Couple((("XI", 0.5), ("ZI", 0.9)), 1, 0.8, 0.2), Reset((1,)))),
        Branch(0.25, (Evolve(0.5),)),
    )
)


def resets(qc: QuantumCircuit) -> list[int]:
    """The qubits of all resets as written; lowering may change the order on different qubits."""
    return [qc.find_bit(i.qubits[0]).index for i in qc.data if i.operation.name == "reset"]


def after(qc: QuantumCircuit, psi: Statevector, found: Sequence[bool]) -> Statevector:
    """The system's state after `qc`, by Qiskit alone, every reset having found what it is said to have found."""
    system, done = round(np.log2(psi.dim)), lowered(qc)
    left = [
        iter([one for one, place in zip(found, resets(qc), strict=True) if place == q]) for q in range(qc.num_qubits)
    ]
    state = Statevector(np.kron(np.eye(2 ** (qc.num_qubits - system))[0], psi.data))
    for instruction in done.data:
        qubits = [done.find_bit(qubit).index for qubit in instruction.qubits]
        if instruction.operation.name != "reset":
            state = state.evolve(instruction.operation, qubits)
            continue
        one = (np.arange(state.dim) >> qubits[0] & 1).astype(bool)
        wanted = next(left[qubits[0]])
        kept = np.where(one == wanted, state.data, 0)
        state = Statevector(kept / np.linalg.norm(kept))
        if wanted:
            state = state.evolve(Operator(np.array([[0, 1], [1, 0]])), qubits)
    assert np.linalg.norm(state.data[psi.dim :]) < EQUAL
    return Statevector(state.data[: psi.dim])


def tomography(num_qubits: int) -> dict[str, SparsePauliOp]:
    """Every Pauli string: together they fix a state."""
    return {label: SparsePauliOp(label) for label in map("".join, itertools.product("IXYZ", repeat=num_qubits))}


def values_of(state: Statevector | DensityMatrix, observables: dict[str, SparsePauliOp]) -> np.ndarray:
    return np.array([state.expectation_value(O).real for O in observables.values()])


def final(found: Trajectories) -> np.ndarray:
    """(observables, count)."""
    return np.array(list(found.final.values()))


def without_chance(program: Program) -> Program:
    """The same with every delay at its longest and every choice its last branch."""

    def fixed(step: Step) -> Step:
        match step:
            case RandomDelay():
                return replace(step, low=step.high)
            case RandomChoice():
                return RandomChoice((Branch(1.0, step.branches[-1].steps),))
        return step

    stages = [replace(stage, steps=tuple(map(fixed, stage.steps))) for stage in program.stages]
    return replace(program, stages=tuple(stages))


def only_draws(program: Program) -> list[int]:
    return [
        step.high if isinstance(step, RandomDelay) else 0
        for stage in program.stages
        for _ in range(stage.repeats)
        for step in stage.steps
        if isinstance(step, Draw)
    ]


def kagome_by_hand(cycles: int, branches: Sequence[tuple[str, int, float]]) -> Program:
    """The cooling cycle of the kagome experiment with a given letter, site and splitting per branch."""
    model = models.kagome_ising()
    made = []
    for letter, site, splitting in branches:
        label = "I" * (11 - site) + letter + "I" * site
        steps: list[Step] = []
        for k in range(3):
            angle, edges = 1.75 / np.sqrt(0.75) * 0.25 / 2, (0.25 * k, 0.25 * (k + 1))
            first, second = (Couple(((label, 1.0),), 0, angle, splitting * time) for time in edges)
            steps += [first, Evolve(0.25), second]
        made.append(Branch(1 / len(branches), (*steps, Reset((0,)))))
    generator = dll(model, 1.0, couplings_of("Z", 12), GaussianFilter(1.0))
    stage = Stage((RandomChoice(tuple(made)),), cycles)
    return Program(12, 1, commuting_groups(model.hamiltonian), (stage,), generator, "by hand")


def random_start(num_qubits: int, seed: int) -> np.ndarray:
    return np.asarray(random_unitary(2**num_qubits, seed=seed).data[:, 0])


def assert_trajectories(program: Program, count: int, seed: int) -> Trajectories:
    """Every trajectory of a program without random draws is the one that its outcomes fix."""
    n = program.num_system
    psi, observables = random_start(n, seed), tomography(n)
    found = trajectories(program, psi, count, seed, observables=observables, record=True)
    assert found.jumps is not None
    qc = unrolled(program, only_draws(program))
    for k in range(count):
        expected = after(qc, Statevector(psi), found.jumps[:, :, k].ravel())
        assert np.abs(final(found)[:, k] - values_of(expected, observables)).max() < EQUAL
    return found


# one trajectory


@settings(deadline=None, derandomize=True, max_examples=15)
@given(programs(max_sites=2))
def test_trajectory__is_fixed_by_its_outcomes__generated(program: Program) -> None:
    assert_trajectories(without_chance(program), 3, 1)


@pytest.mark.parametrize("clean", [False, True])
def test_trajectory__is_fixed_by_its_outcomes__ancillas_stay_dirty(clean: bool) -> None:
    steps = (*ENTANGLED, Reset((0,))) if clean else ENTANGLED  # a reset of a clean ancilla finds nothing
    found = assert_trajectories(without_chance(by_hand(steps, 2, HAMILTONIAN, repeats=2)), 12, 2)
    assert found.jumps is not None
    assert found.jumps[:, :5].any(axis=(0, 2)).all()  # both outcomes of every reset were followed
    assert not found.jumps[:, :5].all(axis=(0, 2)).any()
    assert not clean or not found.jumps[:, -1].any()


def test_trajectory__is_fixed_by_its_outcomes__twelve_sites() -> None:
    program = kagome_by_hand(cycles=2, branches=[("X", 4, 3.0)])
    observables = {
        "energy": program.lindbladian.model.hamiltonian,
        "one": SparsePauliOp("I" * 12),
        "y": SparsePauliOp.from_sparse_list([("XY", [3, 9], 0.5), ("Z", [4], 1.0)], 12),
    }
    found = trajectories(program, "0" * 11 + "1", 4, 3, observables=observables, record=True)
    assert found.jumps is not None
    qc = unrolled(program, [0, 0])
    for k in range(2):
        expected = after(qc, Statevector.from_label("0" * 11 + "1"), found.jumps[:, :, k].ravel())
        assert np.abs(final(found)[:, k] - values_of(expected, observables)).max() < EQUAL


def test_trajectory__control__another_outcome_is_another_state() -> None:
    program = without_chance(by_hand(ENTANGLED, 2, HAMILTONIAN))
    psi, observables = random_start(2, 2), tomography(2)
    found = trajectories(program, psi, 4, 2, observables=observables, record=True)
    assert found.jumps is not None
    other = ~found.jumps[:, :, 0].ravel()
    expected = after(unrolled(program, only_draws(program)), Statevector(psi), other)
    assert np.abs(final(found)[:, 0] - values_of(expected, observables)).max() > 0.1


@pytest.mark.parametrize("branch", range(5))
def test_trajectory__random_choice__each_is_one_of_the_branches_and_all_occur(branch: int) -> None:
    program = by_hand((CHOICE,), 2, HAMILTONIAN)
    psi, observables, count = random_start(2, 4), tomography(2), 400
    found = trajectories(program, psi, count, 5, observables=observables, record=True)
    assert found.jumps is not None
    candidates = {
        (k, jump): values_of(after(block(program, one.steps), Statevector(psi), [jump] * (k != 4)), observables)
        for k, one in enumerate(CHOICE.branches)
        for jump in ((False, True) if k != 4 else (False,))
    }
    seen = [
        [key[0] for key, value in candidates.items() if key[1] == jump and np.abs(value - one).max() < EQUAL]
        for one, jump in zip(final(found).T, found.jumps[0, 0], strict=True)
    ]
    assert all(len(keys) == 1 for keys in seen)
    p = CHOICE.branches[branch].probability
    times = sum(keys == [branch] for keys in seen)
    assert abs(times - p * count) < LIMIT * np.sqrt(count * p * (1 - p))


# averages


def average(program: Program, rho: DensityMatrix) -> DensityMatrix:
    """One sweep of the exact channel by Qiskit alone, averaged over all draws."""
    program = replace(program, stages=(replace(program.stages[0], repeats=1),))
    choices: list[list[tuple[float, int]]] = []
    for step in program.stages[0].steps:
        if isinstance(step, RandomDelay):
            choices.append([(1 / (step.high - step.low + 1), k) for k in range(step.low, step.high + 1)])
        elif isinstance(step, RandomChoice):
            choices.append([(branch.probability, k) for k, branch in enumerate(step.branches)])
    n, m = program.num_system, program.num_ancilla
    clean = np.zeros((2**m, 2**m))
    clean[0, 0] = 1
    total = np.zeros((2**n, 2**n), dtype=complex)
    for drawn in itertools.product(*choices):
        qc = lowered(unrolled(program, [k for _, k in drawn]))
        out = partial_trace(DensityMatrix(np.kron(clean, rho.data)).evolve(qc), range(n, n + m))
        total += np.prod([p for p, _ in drawn]) * out.data
    return DensityMatrix(total)


def z_scores(program: Program, initial: Any, rho: DensityMatrix, count: int, sweeps: int) -> np.ndarray:
    """(sweeps, observables) deviations of the mean from the exact channel, in standard errors."""
    observables = {label: O for label, O in tomography(program.num_system).items() if set(label) != {"I"}}
    found = trajectories(program, initial, count, 11, sweeps, observables)
    scores = []
    for sweep in range(sweeps + 1):
        exact = values_of(rho, observables)
        mean = np.array([found.mean[name][sweep] for name in observables])
        error = np.array([found.error[name][sweep] for name in observables])
        scores.append((mean - exact) / np.maximum(error, EQUAL / LIMIT))
        if sweep < sweeps:
            rho = average(program, rho)
    return np.array(scores)


ALIKE = RandomChoice(  # branches that differ in nothing but their ancillas
    tuple(
        Branch(0.5, (Couple((("XI", 1.0),), 0, 0.7, 0.0), Couple((("IY", 1.0),), a, 0.9, 1.1), Reset((0, 1))))
        for a in (0, 1)
    )
)
AVERAGED = {"entangled": ENTANGLED, "choice": (CHOICE,), "alike": (ALIKE,), "both": (CHOICE, *ENTANGLED)}


@pytest.mark.parametrize("name", ["entangled", "choice", "alike", pytest.param("both", marks=pytest.mark.slow)])
def test_mean__tends_to_the_exact_channel__by_hand(name: str) -> None:
    program = by_hand(AVERAGED[name], 2, HAMILTONIAN)
    psi = random_start(2, 8)
    scores = z_scores(program, psi, DensityMatrix(np.outer(psi, psi.conj())), 4000, 1 if name == "both" else 2)
    assert np.abs(scores).max() < LIMIT  # 45 numbers: a false alarm on 3 in 1000 other seeds
    assert np.abs(scores[1:]).max() > 0.1  # they do scatter


def test_mean__tends_to_the_exact_channel__mixed_start_and_scheme() -> None:
    program = build(ising(2), "parallel", random_delays=(0, 2))
    scores = z_scores(program, mixed(), DensityMatrix(np.eye(4) / 4), 4000, 2)
    assert np.abs(scores).max() < LIMIT


def test_mean__control__without_the_collapse_it_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    program = by_hand(ENTANGLED, 2, HAMILTONIAN)
    psi = random_start(2, 8)
    rho = DensityMatrix(np.outer(psi, psi.conj()))

    def always_zero(self: Resetting, batch: Batch, drawn: Drawn) -> None:
        zero, _ = batch.halves(self.ancilla)
        norm = np.sqrt((np.abs(zero) ** 2).sum(axis=tuple(range(zero.ndim - 1))))
        batch.psi = np.ascontiguousarray(zero / norm)
        batch.carried.remove(self.ancilla)

    monkeypatch.setattr(Resetting, "__call__", always_zero)
    assert np.abs(z_scores(program, psi, rho, 4000, 1)).max() > 3 * LIMIT


def test_jumps__are_as_frequent_as_the_ancilla_is_in_one__first_sweep() -> None:
    program = without_chance(by_hand(ENTANGLED, 2, HAMILTONIAN))
    psi, count = random_start(2, 9), 4000
    found = trajectories(program, psi, count, 3, record=True)
    assert found.jumps is not None
    assert found.jumps.shape == (1, 5, count)
    written = unrolled(program, only_draws(program))
    qc, order = lowered(written), resets(written)
    rho = DensityMatrix(np.kron(np.diag([1, 0, 0, 0]), np.outer(psi, psi.conj())))
    places = {q: iter([k for k, place in enumerate(order) if place == q]) for q in order}
    for instruction in qc.data:
        qubits = [qc.find_bit(qubit).index for qubit in instruction.qubits]
        if instruction.operation.name == "reset":
            p = rho.probabilities(qubits)[1]
            seen = np.count_nonzero(found.jumps[0, next(places[qubits[0]])])
            assert abs(seen - p * count) < LIMIT * np.sqrt(count * p * (1 - p))
            assert 0.02 < p < 0.98
        rho = rho.evolve(instruction.operation, qubits)
    assert all(next(left, None) is None for left in places.values())


# what must not matter, and what is recorded


@pytest.mark.parametrize("options", [{"batch": 1}, {"batch": 7}, {"batch": 64, "workers": 2}])
def test_trajectories__are_the_same__any_batch(options: dict[str, int]) -> None:
    program = by_hand((CHOICE, *ENTANGLED), 2, HAMILTONIAN, repeats=3)
    arguments: dict[str, Any] = {"observables": tomography(2), "record": True}
    whole = trajectories(program, mixed(), 150, 4, **arguments)
    parts = trajectories(program, mixed(), 150, 4, **arguments, **options)
    assert whole.jumps is not None
    assert parts.jumps is not None
    assert np.array_equal(whole.jumps, parts.jumps)
    for name in tomography(2):
        assert np.abs(whole.values[name] - parts.values[name]).max() < EQUAL
    other = trajectories(program, mixed(), 150, 5, **arguments)
    assert other.jumps is not None
    assert not np.array_equal(whole.jumps, other.jumps)


def test_trajectories__more_are_the_same_ones_first__count() -> None:
    program = by_hand((CHOICE, *ENTANGLED), 2, HAMILTONIAN, repeats=2)
    few, many = (trajectories(program, "0+", count, 4, observables=tomography(2)) for count in (20, 90))
    assert np.abs(final(few) - final(many)[:, :20]).max() < EQUAL


def test_trajectories__records__every_other_sweep_and_the_last() -> None:
    program = by_hand(ENTANGLED, 2, HAMILTONIAN, repeats=2)
    done: list[tuple[int, int]] = []
    found = trajectories(
        program, "00", 30, 1, 7, {"z": SparsePauliOp("IZ")}, 3, batch=16, progress=lambda *now: done.append(now)
    )
    everything = trajectories(program, "00", 30, 1, 7, {"z": SparsePauliOp("IZ")})
    assert found.sweeps == (0, 3, 6, 7)
    assert done == [(16, 30), (30, 30)]
    assert np.abs(found.mean["z"] - everything.mean["z"][[0, 3, 6, 7]]).max() < EQUAL
    assert found.mean["z"][0] == pytest.approx(1.0)
    late = everything.values["z"][4:].mean(axis=0)
    mean, error = everything.plateau("z", 3)
    assert mean == pytest.approx(late.mean())
    assert error == pytest.approx(late.std(ddof=1) / np.sqrt(30))


# kernels


def exact(groups: Sequence[Group], time: float, psi: np.ndarray) -> np.ndarray:
    H = SparsePauliOp.from_list([term for group in groups for term in group.terms]).to_matrix(sparse=True)
    return np.asarray(scipy.sparse.linalg.expm_multiply(-1j * time * H.tocsc(), psi))


MODELS: dict[str, Callable[[], models.Model]] = {
    "kagome": lambda: models.kagome_ising(3, 1),
    "heisenberg": lambda: models.heisenberg(8, 1.0, 0.4),
    "hubbard": lambda: models.hubbard(4),
}


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_evolution__is_the_product_of_its_groups__many_qubits(
    name: str, dense: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gibbs_circuits.readings.trajectories.evolution.COST_DENSE", 0.0 if dense else np.inf)
    groups = commuting_groups(MODELS[name]().hamiltonian)
    n = len(groups[0].terms[0][0])
    psi = np.stack([random_start(n, 1), random_start(n, 2), random_start(n, 3)], axis=1)
    expected = psi
    for _ in range(2):
        for time, order in ((0.2, groups), (0.2, groups[::-1])):  # a symmetric step of 0.4
            for group in order:
                expected = exact([group], time, expected)
    out = psi.copy()
    kernels = evolution((Evolve(0.4), Evolve(0.4)), groups, n)
    assert (len(kernels) == 1) == dense
    for kernel in kernels:
        out = kernel(out)
    assert np.abs(out - expected).max() < EQUAL
    assert np.abs(psi - expected).max() > 0.01


def test_evolution__exact_order__is_the_exponential() -> None:
    groups = commuting_groups(models.heisenberg(4, 1.0, 0.3).hamiltonian)
    psi = random_start(4, 1)[:, None]
    (kernel,) = evolution((Evolve(0.7, order=EXACT),), groups, 4)
    H = SparsePauliOp.from_list([term for group in groups for term in group.terms]).to_matrix()
    assert np.abs(kernel(psi.copy()) - scipy.linalg.expm(-0.7j * H) @ psi).max() < EQUAL


@pytest.mark.parametrize(("name", "state"), [("zero", "00"), ("one", "11"), ("mixed", mixed())])
def test_trajectories__start_by_name__is_that_start(name: str, state: Any) -> None:
    program = by_hand(ENTANGLED, 2, HAMILTONIAN)
    named, given = (trajectories(program, start, 20, 4, observables=tomography(2)) for start in (name, state))
    for key, values in given.values.items():
        assert np.array_equal(named.values[key], values)


# refusals


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"initial": "000"}, "initial"),
        ({"initial": "0a"}, "initial"),
        ({"initial": "none"}, "initial"),
        ({"initial": np.ones(4)}, "initial"),
        ({"count": 0}, "count"),
        ({"seed": -1}, "seed"),
        ({"every": 0}, "every"),
        ({"sweeps": -1}, "sweeps"),
        ({"batch": 0}, "batch"),
        ({"workers": 0}, "workers"),
        ({"observables": {"z": SparsePauliOp("Z")}}, "observables[z]"),
    ],
)
def test_trajectories__refuse__what_does_not_fit(arguments: dict[str, Any], argument: str) -> None:
    program = by_hand(ENTANGLED, 2, HAMILTONIAN)
    with pytest.raises(ArgumentError) as error:
        trajectories(program, **{"initial": "00", "count": 2, "seed": 1, **arguments})
    assert error.value.argument == argument


def test_trajectories__refuse__an_observable_that_is_not_hermitian() -> None:
    with pytest.raises(InvalidModelError):
        trajectories(by_hand(ENTANGLED, 2, HAMILTONIAN), "00", 2, 1, observables={"z": SparsePauliOp("ZZ", 1j)})


def test_trajectories__refuse__too_many_qubits_at_once() -> None:
    many = tuple(Couple((("IY", 1.0),), k, 0.1, 0.0) for k in range(23))
    together = by_hand((*many, Reset(tuple(range(23)))), 23, HAMILTONIAN)
    with pytest.raises(TooLargeError, match="25 qubits at once"):
        trajectories(together, "00", 1, 1)
    one_by_one = [step for couple in many for step in (couple, Reset((couple.ancilla,)))]
    assert trajectories(by_hand(one_by_one, 23, HAMILTONIAN), "00", 1, 1).count == 1


def test_evolution__refuses__an_exact_exponential_of_many_qubits() -> None:
    with pytest.raises(TooLargeError, match="11 qubits"):
        evolution((Evolve(0.1, order=EXACT),), commuting_groups(models.heisenberg(11).hamiltonian), 11)
