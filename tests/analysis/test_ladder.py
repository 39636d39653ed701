"""Every rung's declared order, against oracles built here, beside a control that must fail."""

from dataclasses import replace
from functools import lru_cache
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.linalg
from qiskit.quantum_info import Operator

from gibbs_circuits.analysis.error_budget import orders as rungs
from gibbs_circuits.analysis.error_budget.orders import measured_rungs
from gibbs_circuits.compiler.schemes.registry import SCHEMES
from gibbs_circuits.compiler.schemes.sequential import SequentialKnobs, sequential
from gibbs_circuits.compiler.schemes.sequential import sequential as sequential_rungs
from gibbs_circuits.compiler.time_domain.quadrature import filter_error, uniform_nodes
from gibbs_circuits.generators.baths import ohmic
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.kinds.davies import davies
from gibbs_circuits.linalg.fixed_point import fixed_point
from gibbs_circuits.programs.program import Program, Rung, Stage
from gibbs_circuits.programs.steps import EXACT, Evolve, RandomDelay, Step
from gibbs_circuits.readings.channel.sweep_channel import sweep_channel
from gibbs_circuits.readings.circuits.circuit import block
from tests.examples import build, by_hand, distance, gibbs, ising, lowered, slope

TOLERANCE = 0.15
BETA, SPACING, NODES = 1.0, 0.25, 17
STEPS = (16, 32, 64, 128)
X, Y, Z, ONE = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1.0, -1.0]), np.eye(2)


def hamiltonian() -> np.ndarray:
    """Two sites of the mixed-field Ising chain at J = 1, h = 0.9, g = 0.5, written out."""
    fields = sum(c * (np.kron(ONE, P) + np.kron(P, ONE)) for c, P in ((0.9, X), (0.5, Z)))
    return -np.kron(Z, Z) - np.asarray(fields)


def grid_jump(coupling: np.ndarray) -> np.ndarray:
    """Σ τ f(t_l) A(lτ): the jump of the grid, in the frame of its first node."""
    total = np.zeros((4, 4), dtype=complex)
    for l in range(NODES):
        t = (l - (NODES - 1) / 2) * SPACING
        f = np.exp(1 / 8 - 2 * t**2 / BETA**2 + 1j * t / BETA) * np.sqrt(2 / np.pi) / BETA
        U = scipy.linalg.expm(1j * hamiltonian() * l * SPACING)
        total += SPACING * f * U @ coupling @ U.conj().T
    return total


@lru_cache
def semigroup() -> np.ndarray:
    """exp(Σ D[L_a]) of the two Y couplings, by expm."""
    L = np.zeros((16, 16), dtype=complex)
    for jump in (grid_jump(np.kron(ONE, Y)), grid_jump(np.kron(Y, ONE))):
        R = jump.conj().T @ jump
        L += np.kron(jump.conj(), jump) - 0.5 * (np.kron(np.eye(4), R) + np.kron(R.T, np.eye(4)))
    return np.asarray(scipy.linalg.expm(L))


def exactly(program: Program) -> Program:
    """Every evolution the exact exponential."""

    def exact(step: Step) -> Step:
        match step:
            case Evolve():
                return replace(step, order=EXACT)
            case RandomDelay():
                return replace(step, unit=replace(step.unit, order=EXACT))
            case _:
                return step

    return replace(program, stages=tuple(Stage(tuple(map(exact, s.steps)), s.repeats) for s in program.stages))


def dilation_errors(*, palindromic: bool) -> list[float]:
    errors = []
    for steps in STEPS:
        knobs = SequentialKnobs(
            sweeps=1, strength=1 / steps, spacing=SPACING, nodes=NODES, random_delays=(0, 0), trotter_order=2
        )
        program = exactly(sequential(ising(2, BETA), knobs, palindromic=palindromic))
        channel = np.linalg.matrix_power(sweep_channel(program), steps)
        errors.append(float(np.linalg.norm(channel - semigroup(), 2)))
    return errors


def test_ladder__palindromic_dilation__converges_with_order_one() -> None:
    errors = dilation_errors(palindromic=True)
    assert slope([1 / s for s in STEPS], errors) == pytest.approx(1, abs=TOLERANCE)
    assert errors[-1] < 0.02


def test_ladder__lie_ordered_dilation__does_not_converge() -> None:
    errors = dilation_errors(palindromic=False)
    assert abs(slope([1 / s for s in STEPS], errors)) < 0.3
    assert errors[-1] > 0.02


def evolution_errors(order: int) -> tuple[list[float], list[float]]:
    """Errors of the circuit of e^{−iHt} at a fixed time against expm, by the length of a slice."""
    exact = np.kron(ONE, scipy.linalg.expm(-1j * hamiltonian() * 0.8))
    errors, lengths = [], []
    terms = [(label, float(c.real)) for label, c in ising(2).model.hamiltonian.to_list()]
    for slices in (4, 8, 16, 32):
        program = by_hand([Evolve(0.8, slices, order)], 1, terms)
        U = Operator(lowered(block(program, program.stages[0].steps))).data
        phase = np.vdot(exact, U)
        errors.append(float(np.linalg.norm(U * phase.conj() / abs(phase) - exact, 2)))
        lengths.append(0.8 / slices)
    return lengths, errors


@pytest.mark.parametrize("order", [1, 2])
def test_ladder__trotter__has_its_declared_order(order: int) -> None:
    assert slope(*evolution_errors(order)) == pytest.approx(order, abs=TOLERANCE)


def test_ladder__trotter__lie_is_not_of_second_order() -> None:
    assert slope(*evolution_errors(1)) < 1.5


@pytest.mark.parametrize("order", [1, 2])
def test_ladder__trotter__sweep_converges_to_exact_evolution(order: int) -> None:
    errors, slices = [], (4, 8, 16)
    program = build(ising(2), trotter_order=order)
    exact = sweep_channel(exactly(program))
    for k in slices:
        steps = tuple(
            replace(step, slices=k) if isinstance(step, Evolve)
            else replace(step, unit=replace(step.unit, slices=k)) if isinstance(step, RandomDelay)
            else step
            for step in program.stages[0].steps
        )  # fmt: skip
        sliced = replace(program, stages=(Stage(steps, 1),))
        errors.append(float(np.linalg.norm(sweep_channel(sliced) - exact, 2)))
    assert slope([1 / k for k in slices], errors) == pytest.approx(order, abs=TOLERANCE)


def biases(*, delays: tuple[int, int], strengths: tuple[float, ...]) -> list[float]:
    """Distance of the fixed point to σ with exact evolution and a fine, wide grid, by strength."""
    generator = ising(3, BETA)
    sigma = gibbs(generator.model.hamiltonian, BETA)
    programs = (build(generator, strength=s, spacing=0.125, nodes=49, random_delays=delays) for s in strengths)
    return [distance(fixed_point(sweep_channel(exactly(p))), sigma) for p in programs]


def test_ladder__fixed_point_bias__is_linear_in_the_strength() -> None:
    strengths = (0.2, 0.1, 0.05, 0.025)
    errors = biases(delays=(8, 32), strengths=strengths)
    assert slope(strengths, errors) == pytest.approx(1, abs=TOLERANCE)
    assert errors[-1] < 0.01


def test_ladder__palindromic_bias__without_free_evolution_does_not_vanish() -> None:
    # the term B is left out: nothing suppresses that where no time passes between jumps
    generator = ising(2, BETA)
    sigma = gibbs(generator.model.hamiltonian, BETA)
    errors = []
    for strength in (0.1, 0.05, 0.025):
        program = build(generator, "sequential", strength=strength, spacing=0.25, nodes=25, random_delays=(0, 0))
        errors.append(distance(fixed_point(sweep_channel(exactly(program))), sigma))
    assert errors[-1] > 0.5 * errors[0] > 1e-3


@pytest.mark.parametrize(("spacing", "error"), [(1.0, 1.15), (0.5, 5.6e-2), (0.25, 6e-15)])
def test_ladder__grid__error_falls_faster_than_any_power(spacing: float, error: float) -> None:
    # the values stated in the design, at β = 0.9 over |ν| <= 6
    nodes = uniform_nodes(GaussianFilter(0.9), 2 * round(8 / spacing) + 1, spacing)
    nu = np.linspace(-6, 6, 2001)
    exact = np.exp(-((0.9 * nu) ** 2) / 8 - 0.9 * nu / 4)
    found = float(np.abs(np.exp(1j * np.outer(nu, nodes.times)) @ nodes.weights - exact).max())
    assert found == pytest.approx(error, rel=0.05 if error > 1e-6 else 1)
    assert filter_error(GaussianFilter(0.9), nodes, nu) == pytest.approx(found, abs=1e-14)


def test_ladder__grid__too_few_nodes_cut_the_window() -> None:
    nu = np.linspace(-6, 6, 401)
    wide, narrow = (uniform_nodes(GaussianFilter(0.9), count, 0.25) for count in (41, 5))
    assert filter_error(GaussianFilter(0.9), narrow, nu) > 1e6 * filter_error(GaussianFilter(0.9), wide, nu)


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize("scheme", ["parallel", "sequential", "random_jumps", "thermal_ancilla"])
def test_measured_rungs__all_hold__on_a_small_model(scheme: str, order: int) -> None:
    found = measured_rungs(build(ising(2), scheme, spacing=0.25, nodes=9, trotter_order=order))
    assert len(found) == (5 if scheme in ("sequential", "random_jumps") else 3)
    assert all(rung.holds for rung in found), [str(rung) for rung in found if not rung.holds]


@pytest.mark.parametrize("scheme", [name for name in SCHEMES if "nodes" not in SCHEMES[name].knobs.model_fields])
def test_measured_rungs__dense_schemes__have_their_declared_order(scheme: str) -> None:
    knobs = {"sweeps": 3} if scheme == "discrete" else {"sweeps": 3, "strength": 0.2}
    (rung,) = measured_rungs(SCHEMES[scheme](ising(2), SCHEMES[scheme].knobs.model_validate(knobs)))
    assert rung.holds, str(rung)


@pytest.mark.parametrize(("scheme", "order"), [("stinespring", None), ("dilated_1", 1), ("weak_measurement", 1)])
def test_measured_rungs__lamb_shift_of_davies__is_part_of_the_channel(scheme: str, order: int | None) -> None:
    generator = davies(ising(2).model, 1.0, couplings_of("Y", 2), ohmic(1.0))
    (rung,) = measured_rungs(SCHEMES[scheme](generator, SCHEMES[scheme].knobs(sweeps=1, strength=0.3)))
    assert rung.holds
    assert rung.errors[0] < 1e-9 if order is None else abs((rung.slope or 0) - order) < 0.15


def test_measured_rungs__no_shift_rule__is_not_said_to_be_of_first_order() -> None:
    strength = measured_rungs(build(ising(2), "thermal_ancilla", shift=False))[0]
    assert strength.holds is None
    assert "saturates" in strength.declared


def test_measured_rungs__preset__has_none_of_its_own() -> None:
    assert measured_rungs(replace(build(ising(2)), recipe="somebody's")) == ()


@pytest.mark.parametrize("wrong", [0, 2, None])
def test_measured_rungs__control__a_false_declared_order_does_not_hold(
    wrong: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheme = SCHEMES["dilated_1"]
    program = scheme(ising(2), scheme.knobs(sweeps=1, strength=0.2))
    monkeypatch.setitem(SCHEMES, "dilated_1", replace(scheme, order=wrong))
    (rung,) = measured_rungs(program)
    assert rung.holds is False


def test_measured_rungs__control__nodes_whose_error_is_linear_do_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    program = build(ising(2), "parallel", spacing=0.25, nodes=9)
    monkeypatch.setattr(rungs, "filter_error", lambda filter, nodes, nu: 1e-3 * nodes.spacing)
    monkeypatch.setattr(rungs, "uniform_nodes", lambda filter, count, spacing: SimpleNamespace(spacing=spacing))
    (quadrature,) = (rung for rung in measured_rungs(program) if rung.rung is Rung.QUADRATURE)
    assert quadrature.holds is False


def test_measured_rungs__control__a_negative_control_that_converges_does_not_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program, written = build(ising(2), "sequential", spacing=0.25, nodes=9), sequential_rungs
    monkeypatch.setattr(rungs, "sequential", lambda generator, knobs, palindromic: written(generator, knobs))
    control = next(rung for rung in measured_rungs(program) if "Lie-ordered" in rung.knob)
    assert control.slope == pytest.approx(1, abs=0.15)
    assert control.holds is False


def test_fitted_slope__one_error_is_rounding__there_is_none() -> None:
    assert rungs.fitted_slope((1.0, 0.5), (1e-3, 1e-14)) is None
    assert rungs.fitted_slope((1.0, 0.5, 0.25), (4e-3, 1e-3, 2.5e-4)) == pytest.approx(2)
