from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import qutip
import scipy.linalg
from qiskit.quantum_info import SparsePauliOp

from gibbs_circuits.errors import ArgumentError, NotConvergedError, TooLargeError
from gibbs_circuits.exact.certificate.certificate import certificate
from gibbs_circuits.exact.dynamics.evolve import evolve, expectation, heat_currents, mixing_time
from gibbs_circuits.exact.dynamics.iteration import iterative
from gibbs_circuits.exact.dynamics.steady import steady_state, steady_states
from gibbs_circuits.exact.structure.matrix_free import generator_flow
from gibbs_circuits.generators.baths import Bath, ohmic
from gibbs_circuits.generators.contact import Coherent
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.kinds.coarse_grained import coarse_grained
from gibbs_circuits.generators.kinds.davies import davies
from gibbs_circuits.generators.kinds.dll import dll
from gibbs_circuits.generators.kinds.local import local
from gibbs_circuits.generators.kinds.redfield import redfield
from gibbs_circuits.generators.kinds.several_baths import several_baths
from gibbs_circuits.generators.kinds.ule import ule
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.generators.matrices import coherent_term, energy_spectrum, jumps, superoperator
from gibbs_circuits.linalg import exponential_action as krylov_module
from gibbs_circuits.linalg.arrays import packed, unpacked, unvec, vec
from gibbs_circuits.linalg.exponential_action import flow_along
from gibbs_circuits.linalg.fixed_point import stationary_state
from gibbs_circuits.models.library.spin_chains import mixed_field_ising, tfim
from gibbs_circuits.models.model import Model, from_terms
from gibbs_circuits.models.spectrum import gibbs_state, trace_distance
from tests.systems import PAULIS, Matrix, Oracle, bohr_components, boltzmann, dense, gaussian, kron, label

REAL = [("IXX", 1.0), ("ZZI", 0.7), ("IZZ", -0.4), ("XII", 0.3), ("IZI", 0.9), ("IIZ", 0.45)]
COMPLEX = [*REAL, ("IYI", 0.35), ("YII", -0.2), ("XYI", 0.25)]  # no real eigenvectors
TERMS = {"real": REAL, "complex": COMPLEX}
ISING = mixed_field_ising(3)


def superposed(num_qubits: int) -> Matrix:
    psi = kron(*[np.array([[1.0], [0.6 + 0.3j * (q + 1)]]) for q in range(num_qubits)])
    return psi @ psi.conj().T / np.linalg.norm(psi) ** 2


def zero(num_qubits: int) -> Matrix:
    rho = np.zeros((2**num_qubits, 2**num_qubits), dtype=complex)
    rho[0, 0] = 1
    return rho


def gaussian_dll(model: Model, beta: float, letters: str = "XZ") -> Lindbladian:
    return dll(model, beta, couplings_of(letters, model.num_qubits), GaussianFilter(beta))


def oracle(terms: list[tuple[str, float]], beta: float, letters: str, sign: float = 1.0) -> tuple[Matrix, Matrix]:
    """(generator without H, −i[H, ·]) on column-stacked matrices of the computational basis."""
    H, n = dense(terms), len(terms[0][0])
    couplings = [dense([(label(n, {site: letter}), 1.0)]) for letter in letters for site in range(n)]
    one = np.eye(len(H))
    return Oracle(H, couplings, beta, gaussian(beta), sign).matrix(), -1j * (np.kron(one, H) - np.kron(H.T, one))


def flown(L: Matrix, rho: Matrix, t: float) -> Matrix:
    return (scipy.linalg.expm(t * L) @ rho.reshape(-1, order="F")).reshape(rho.shape, order="F")


def trace_norm(X: Matrix) -> float:
    return float(np.linalg.svd(X, compute_uv=False).sum())


def between(n: int, hot: float = 0.3, cold: float = 2.0) -> Lindbladian:
    model, couplings = mixed_field_ising(n), couplings_of("X", n)
    halves = ((couplings[: n // 2], hot), (couplings[n // 2 :], cold))
    return several_baths(*(dll(model, beta, ops, GaussianFilter(beta)) for ops, beta in halves))


BATH = ohmic(1.0, 0.3, 4.0)
KINDS: dict[str, Callable[[Model, Bath], Lindbladian]] = {
    "dll": lambda m, b: gaussian_dll(m, b.beta, "XY"),
    "davies": lambda m, b: davies(m, b.beta, couplings_of("XZ", m.num_qubits), b),
    "davies_wide": lambda m, b: davies(m, b.beta, couplings_of("X", m.num_qubits), b, degeneracy_tolerance=0.03),
    "redfield": lambda m, b: redfield(m, b.beta, couplings_of("XZ", m.num_qubits), b),
    "ule": lambda m, b: ule(m, b.beta, couplings_of("X", m.num_qubits), b),
    "coarse_grained": lambda m, b: coarse_grained(m, b.beta, couplings_of("X", m.num_qubits), b, 2.0),
    "local": lambda m, b: local(m, b.beta, "X", filter=GaussianFilter(b.beta)),
    "mixed": lambda m, b: several_baths(*(replace(g, coherent=Coherent.NONE) for g in (
        davies(m, b.beta, couplings_of("X", m.num_qubits), b), redfield(m, b.beta, couplings_of("Z", m.num_qubits), b),
        gaussian_dll(m, 2.0, "Y"),
    ))),
}  # fmt: skip


@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize("hamiltonian", [True, False])
@pytest.mark.parametrize("beta", [0.0, 1.0, 3.0])
def test_evolve__equals_exponential__independent_superoperator(name: str, hamiltonian: bool, beta: float) -> None:
    plain, turning = oracle(TERMS[name], beta, "XZ")
    L, rho = plain + hamiltonian * turning, superposed(3)
    generator = gaussian_dll(from_terms(TERMS[name]), beta)
    found = evolve(generator, rho, [0.0, 0.3, 2.0, 10.0], hamiltonian=hamiltonian)
    for t, state in zip(found.times, found.states, strict=True):
        assert trace_norm(state - flown(L, rho, t)) <= 1e-10
    np.testing.assert_allclose(found.states[0], rho, atol=1e-14)
    assert found.error_estimate <= 1e-10
    assert found.trace_defect <= 1e-12
    assert found.lowest_eigenvalue >= -1e-12


@pytest.mark.parametrize("sign", [-1.0, 0.0])
def test_evolve__control__a_wrong_coherent_part_is_seen(sign: float) -> None:
    wrong, turning = oracle(REAL, 1.0, "Y", sign)
    found = evolve(gaussian_dll(from_terms(REAL), 1.0, "Y"), superposed(3), [2.0])
    assert trace_norm(found.states[0] - flown(wrong + turning, superposed(3), 2.0)) > 1e-3
    wrong, turning = oracle(REAL, 1.0, "Y")
    assert trace_norm(found.states[0] - flown(wrong - turning, superposed(3), 2.0)) > 1e-2


@pytest.mark.parametrize("hamiltonian", [True, False])
@pytest.mark.parametrize("name", TERMS)
def test_evolve__equals_mesolve__three_qubits(name: str, hamiltonian: bool) -> None:
    generator = gaussian_dll(from_terms(TERMS[name]), 1.0, "XZ")
    s, rho, times = energy_spectrum(generator), superposed(3), [0.0, 1.0, 4.0]
    H = s.from_energy(coherent_term(generator)) + hamiltonian * dense(TERMS[name])
    operators = [qutip.Qobj(s.from_energy(J)) for J in jumps(generator)]
    options = {"atol": 1e-11, "rtol": 1e-11, "nsteps": 100_000, "progress_bar": "", "store_states": True}
    solved = qutip.mesolve(qutip.Qobj(H), qutip.Qobj(rho), times, operators, options=options)
    found = evolve(generator, rho, times, hamiltonian=hamiltonian)
    for state, other in zip(found.states, solved.states, strict=True):
        np.testing.assert_allclose(state, other.full(), atol=1e-8)


@pytest.mark.parametrize("hamiltonian", [True, False])
@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize("kind", KINDS)
def test_flow__equals_dense_superoperator__every_kind(kind: str, name: str, hamiltonian: bool) -> None:
    generator = KINDS[kind](from_terms(TERMS[name]), BATH)
    flow, L = generator_flow(generator, hamiltonian=hamiltonian), superoperator(generator, hamiltonian=hamiltonian)
    scale = np.linalg.norm(L, 2)
    rng = np.random.default_rng(3)
    A = rng.standard_normal((8, 8)) + 1j * rng.standard_normal((8, 8))
    X = A + A.conj().T
    np.testing.assert_allclose(unpacked(packed(X)), X, atol=1e-14)
    image = unpacked(flow.apply(packed(X).ravel()).reshape(8, 8))
    assert np.linalg.norm(image - unvec(L @ vec(X))) <= 1e-13 * scale * np.linalg.norm(X)
    np.testing.assert_allclose(flow.coherences, unvec(np.diag(L)), atol=1e-12 * scale)
    populations = np.arange(8) * 9
    np.testing.assert_allclose(flow.rates, L[np.ix_(populations, populations)].real, atol=1e-12 * scale)
    assert np.linalg.norm(flow.matrix(), 2) == pytest.approx(scale, rel=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_evolve__equals_exponential__every_kind(kind: str) -> None:
    generator, rho = KINDS[kind](ISING, BATH), superposed(3)
    s = energy_spectrum(generator)
    wanted = s.from_energy(
        unvec(scipy.linalg.expm(5 * superoperator(generator, hamiltonian=True)) @ vec(s.to_energy(rho)))
    )
    found = evolve(generator, rho, [5.0])
    assert trace_norm(found.states[0] - wanted) <= 1e-10


def test_evolve__davies__equals_rates_written_out() -> None:
    H, rho, n = dense(REAL), superposed(3), 3
    L = -1j * (np.kron(np.eye(8), H) - np.kron(H.T, np.eye(8)))
    for site in range(n):
        for nu, A in bohr_components(H, dense([(label(n, {site: "X"}), 1.0)])):
            rate, R = float(BATH.rate(np.array([nu]))[0]), A.conj().T @ A
            L = L + rate * (np.kron(A.conj(), A) - np.kron(np.eye(8), R) / 2 - np.kron(R.T, np.eye(8)) / 2)
    generator = davies(from_terms(REAL), BATH.beta, couplings_of("X", 3), BATH, coherent="none")
    found = evolve(generator, rho, [0.5, 6.0])
    for t, state in zip(found.times, found.states, strict=True):
        assert trace_norm(state - flown(L, rho, t)) <= 1e-10
    assert np.max(np.abs(found.states[1] - flown(L.conj(), rho, 6.0))) > 1e-3


def test_evolve__degenerate_davies__six_qubits_reach_gibbs() -> None:
    model = tfim(6, 1.0, 0.0)  # classical: few Bohr frequencies, each very degenerate
    generator = davies(model, BATH.beta, couplings_of("XZ", 6), BATH)
    found = evolve(generator, zero(6), [0.0, 400.0], hamiltonian=False)
    assert trace_distance(found.states[1], gibbs_state(model, 1.0)) < 1e-8


@pytest.mark.parametrize("hamiltonian", [True, False])
def test_evolve__error_is_below_the_estimate__every_tolerance(hamiltonian: bool) -> None:
    plain, turning = oracle(REAL, 1.0, "XZ")
    wanted = flown(plain + hamiltonian * turning, superposed(3), 3.0)
    generator = gaussian_dll(from_terms(REAL), 1.0)
    used = []
    for tolerance in 10.0 ** np.arange(-2, -13, -1):
        found = evolve(generator, superposed(3), [3.0], hamiltonian=hamiltonian, tolerance=tolerance)
        error = trace_norm(found.states[0] - wanted)
        assert error <= found.error_estimate + 1e-13
        assert found.error_estimate <= tolerance
        used.append(found.applications)
    assert used == sorted(used)
    assert used[-1] > used[0]


@pytest.mark.parametrize("subspace", [4, 6, 10, 16])
def test_krylov__bound_holds__small_subspaces_and_many_steps(subspace: int) -> None:
    flow = generator_flow(gaussian_dll(ISING, 1.0))
    start, times = packed(energy_spectrum(gaussian_dll(ISING, 1.0)).to_energy(superposed(3))), np.array([0.1, 1.0, 2.5])
    found = flow_along(flow.apply, start.ravel(), times, 1e-6, weight=math.sqrt(8), subspace=subspace)
    for t, state in zip(times, found.states, strict=True):
        wanted = (scipy.linalg.expm(t * flow.matrix()) @ start.ravel()).reshape(8, 8)
        assert trace_norm(unpacked(state.reshape(8, 8) - wanted)) <= found.bound <= 1e-6


def test_krylov__control__a_defect_left_out_breaks_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = krylov_module._reach
    monkeypatch.setattr(krylov_module, "_reach", lambda H, defect, left, rate: honest(H, 1e-9 * defect, left, rate))
    flow, start = generator_flow(gaussian_dll(ISING, 1.0)), packed(superposed(3))
    found = flow_along(flow.apply, start.ravel(), np.array([2.5]), 1e-6, weight=math.sqrt(8), subspace=10)
    wanted = (scipy.linalg.expm(2.5 * flow.matrix()) @ start.ravel()).reshape(8, 8)
    assert trace_norm(unpacked(found.states[0].reshape(8, 8) - wanted)) > 10 * found.bound


def test_krylov__refuses__times_that_never_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(krylov_module, "MAX_APPLICATIONS", 1000)
    A = 1e9 * (np.diag(np.ones(29), 1) - np.diag(np.ones(29), -1))
    with pytest.raises(NotConvergedError, match="shorter times"):
        flow_along(lambda v: A @ v, np.eye(30)[0], np.array([1.0]), 1e-13, weight=1.0, subspace=10)


@pytest.mark.parametrize("kind", ["dll", "davies", "redfield"])
def test_evolve__semigroup__two_steps_equal_one(kind: str) -> None:
    generator = KINDS[kind](ISING, BATH)
    first = evolve(generator, superposed(3), [1.3]).states[0]
    second = evolve(generator, first, [0.0, 0.9]).states[1]
    once = evolve(generator, superposed(3), [0.2, 1.3, 2.2])
    np.testing.assert_allclose(once.states[1], first, atol=1e-10)
    np.testing.assert_allclose(once.states[2], second, atol=1e-10)


def test_evolve__many_times__cost_no_application() -> None:
    generator = gaussian_dll(mixed_field_ising(4), 1.0)
    one = evolve(generator, zero(4), [10.0])
    many = evolve(generator, zero(4), np.linspace(0, 10, 201))
    assert many.applications == one.applications <= 90
    np.testing.assert_allclose(many.states[-1], one.states[0], atol=1e-12)
    for index in (1, 77, 140):
        alone = evolve(generator, zero(4), [many.times[index]])
        np.testing.assert_allclose(many.states[index], alone.states[0], atol=1e-10)
    with pytest.raises(ValueError, match="read-only"):
        many.states[0, 0, 0] = 1


@pytest.mark.parametrize("hamiltonian", [True, False])
@pytest.mark.parametrize("beta", [0.0, 1.0, 6.0])
def test_evolve__gibbs_state_stays__and_not_without_coherent_part(beta: float, hamiltonian: bool) -> None:
    generator, sigma = gaussian_dll(ISING, beta, "Y"), boltzmann(ISING.hamiltonian.to_matrix(), beta)
    found = evolve(generator, sigma, [0.5, 50.0], hamiltonian=hamiltonian)
    np.testing.assert_allclose(found.states, [sigma, sigma], atol=1e-12)
    without = evolve(replace(generator, coherent=Coherent.NONE), sigma, [50.0], hamiltonian=hamiltonian)
    assert beta != 1 or np.max(np.abs(without.states[0] - sigma)) > 1e-4


def test_evolve__long_time__is_gibbs_at_few_applications() -> None:
    model = mixed_field_ising(5)
    found = evolve(gaussian_dll(model, 1.0), zero(5), [1000.0])
    np.testing.assert_allclose(found.states[0], gibbs_state(model, 1.0), atol=1e-10)
    assert found.applications < 250


def test_evolve__without_energy__closed_form() -> None:
    generator = dll(from_terms([("I", 0.0)]), 1.0, couplings_of("X", 1), GaussianFilter(1.0))
    bloch = np.array([0.3, 0.4, 0.5])
    rho = (PAULIS["I"] + sum(r * PAULIS[p] for r, p in zip(bloch, "XYZ", strict=True))) / 2
    found = evolve(generator, rho, [0.0, 0.7])
    for letter, wanted in (("X", 0.3), ("Y", 0.4 * math.exp(-1.4)), ("Z", 0.5 * math.exp(-1.4))):
        assert expectation(found, SparsePauliOp(letter))[1] == pytest.approx(wanted, abs=1e-11)


def test_expectation__equals_trace__several_operators() -> None:
    found = evolve(gaussian_dll(ISING, 1.0), superposed(3), [0.0, 0.5, 3.0])
    for terms in ([("IXX", 1.0)], COMPLEX, [("ZZZ", -2.0), ("YIY", 0.3)], [("III", 1.0)]):
        wanted = [np.trace(dense(terms) @ state).real for state in found.states]
        operator = SparsePauliOp.from_list(terms)
        np.testing.assert_allclose(expectation(found, operator), wanted, atol=1e-12)
    with pytest.raises(ArgumentError, match="act on 3 qubits"):
        expectation(found, SparsePauliOp("XX"))
    with pytest.raises(ArgumentError, match="Hermitian"):
        expectation(found, SparsePauliOp(["XXX"], [1j]))


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (np.eye(4) / 4, "8 × 8"),
        (np.ones(8), "8 × 8"),
        ("zero", "8 × 8"),
        (np.eye(8), "trace 1"),
        (np.eye(8) / 8 + 1e-3 * np.eye(8, k=1), "Hermitian"),
        (np.diag([1.5, -0.5, 0, 0, 0, 0, 0, 0]), "negative eigenvalue"),
        (np.full((8, 8), np.nan), "finite"),
    ],
)
def test_evolve__refuses__what_is_no_state(start: Matrix, message: str) -> None:
    for call in (lambda: evolve(gaussian_dll(ISING, 1.0), start, [1.0]), lambda: heat_currents(between(3), start)):
        with pytest.raises(ArgumentError, match=message) as caught:
            call()
        assert "Fix:" in str(caught.value)
    with pytest.raises(ArgumentError, match=r"starts\[1\]"):
        mixing_time(gaussian_dll(ISING, 1.0), [zero(3), start])


@pytest.mark.parametrize("times", [[], [1.0, 0.5], [-1.0], [math.nan], [math.inf], ["1"]])
def test_evolve__refuses__times_out_of_order(times: list[float]) -> None:
    with pytest.raises(ArgumentError, match="times"):
        evolve(gaussian_dll(ISING, 1.0), zero(3), times)


def test_evolve__refuses__tolerance_and_size() -> None:
    with pytest.raises(ArgumentError, match="tolerance"):
        evolve(gaussian_dll(ISING, 1.0), zero(3), [1.0], tolerance=1e-16)
    with pytest.raises(TooLargeError, match="GiB"):
        evolve(gaussian_dll(mixed_field_ising(8), 1.0), zero(8), np.linspace(0, 1, 10_000))


@pytest.mark.parametrize("epsilon", [0.3, 0.1, 1e-3, 1e-6])
def test_mixing_time__equals_closed_form__one_qubit(epsilon: float) -> None:
    beta, omega = 1.3, 1.7
    generator = dll(from_terms([("Z", omega / 2)]), beta, couplings_of("X", 1), GaussianFilter(beta))
    up, down = gaussian(beta)(omega) ** 2, gaussian(beta)(-omega) ** 2
    excited = up / (up + down)
    wanted = math.log((1 - excited) / epsilon) / (up + down)  # |0⟩ is the excited state
    assert mixing_time(generator, [zero(1)], epsilon) == pytest.approx(wanted, rel=1e-7)
    other = np.diag([0.0, 1.0])
    assert mixing_time(generator, [other, zero(1)], epsilon) == pytest.approx(wanted, rel=1e-7)
    assert mixing_time(generator, [gibbs_state(generator.model, beta)], epsilon) == 0.0


@pytest.mark.parametrize("hamiltonian", [True, False])
def test_mixing_time__distance_is_epsilon__and_below_the_bound(hamiltonian: bool) -> None:
    generator = gaussian_dll(mixed_field_ising(4), 1.0)
    starts = [zero(4), superposed(4), np.eye(16) / 16]
    t = mixing_time(generator, starts, hamiltonian=hamiltonian)
    sigma = gibbs_state(generator.model, 1.0)
    at = [evolve(generator, rho, [t], hamiltonian=hamiltonian).states[0] for rho in starts]
    assert max(trace_distance(rho, sigma) for rho in at) == pytest.approx(0.1, abs=1e-8)
    bound = certificate(generator).mixing_bound
    assert bound is not None
    assert 0 < t <= bound


def test_mixing_time__refuses__what_never_mixes() -> None:
    conserved = dll(tfim(2, 1.0, 0.0), 1.0, couplings_of("Z", 2), GaussianFilter(1.0))
    with pytest.raises(ArgumentError, match="one steady state"):
        mixing_time(conserved, [zero(2)])
    with pytest.raises(ArgumentError, match=r"at time 0\.1 a start is still 0\."):
        mixing_time(gaussian_dll(ISING, 1.0), [zero(3)], longest=0.1)
    with pytest.raises(ArgumentError, match="starts"):
        mixing_time(gaussian_dll(ISING, 1.0), [])
    with pytest.raises(ArgumentError, match="epsilon"):
        mixing_time(gaussian_dll(ISING, 1.0), [zero(3)], 0.0)


@pytest.mark.parametrize("hamiltonian", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_steady_state__is_stationary__every_kind(kind: str, hamiltonian: bool) -> None:
    generator = KINDS[kind](ISING, BATH)
    rho = steady_state(generator, hamiltonian=hamiltonian)
    s = energy_spectrum(generator)
    assert np.trace(rho).real == pytest.approx(1, abs=1e-12)
    image = superoperator(generator, hamiltonian=hamiltonian) @ vec(s.to_energy(rho))
    assert np.linalg.norm(image) <= 1e-12
    flow = generator_flow(generator, hamiltonian=hamiltonian)
    solved, _ = iterative(flow, np.eye(8, dtype=complex) / 8)
    np.testing.assert_allclose(s.from_energy(solved), rho, atol=1e-10)
    sigma = boltzmann(ISING.hamiltonian.to_matrix(), 1.0)
    assert (trace_distance(rho, sigma) < 1e-12) == kind.startswith(("dll", "davies"))


def test_steady_state__cold_and_slow__is_the_gibbs_state() -> None:
    model = mixed_field_ising(4)
    generator = gaussian_dll(model, 10.0, "Y")  # decay rates below 1e-12
    np.testing.assert_allclose(steady_state(generator), boltzmann(model.hamiltonian.to_matrix(), 10.0), atol=1e-12)


def test_steady_state__between_baths__six_qubits_equal_long_evolution() -> None:
    generator = between(6)
    rho = steady_state(generator)
    late = evolve(generator, np.eye(64) / 64, [400.0]).states[0]
    np.testing.assert_allclose(rho, late, atol=1e-9)
    assert trace_distance(rho, steady_state(generator, hamiltonian=False)) > 1e-3
    assert min(trace_distance(rho, gibbs_state(generator.model, beta)) for beta in generator.betas) > 1e-2


def test_steady_state__several__refused_above_five_qubits() -> None:
    generator = dll(tfim(6, 1.0, 0.0), 1.0, couplings_of("Z", 6), GaussianFilter(1.0))
    with pytest.raises(ArgumentError, match="one steady state"):
        steady_state(generator)


def test_steady_state__control__solver_says_when_it_did_not_arrive() -> None:
    flow = generator_flow(gaussian_dll(ISING, 1.0))
    noise = np.random.default_rng(0)
    broken = replace(flow, apply=lambda v: flow.apply(v) + 1e-3 * noise.standard_normal(v.size))
    with pytest.raises(NotConvergedError, match="residual"):
        iterative(broken, np.eye(8, dtype=complex) / 8)


@pytest.mark.parametrize(("hamiltonian", "count"), [(False, 4), (True, 2)])
def test_steady_states__counts_them__one_coupled_site(hamiltonian: bool, count: int) -> None:
    model = from_terms([("IX", 1.0), ("XI", 0.7)])
    generator = dll(model, 1.0, (SparsePauliOp("IZ"),), GaussianFilter(1.0))
    space = steady_states(generator, hamiltonian=hamiltonian)
    assert space.dimension == count
    assert space.largest_singular_value < 1e-14 < 1e-3 < space.next_singular_value
    gram = np.einsum("aij,bji->ab", space.operators, space.operators)
    np.testing.assert_allclose(gram, np.eye(count), atol=1e-12)
    L = superoperator(generator, hamiltonian=hamiltonian)
    s = energy_spectrum(generator)
    for X in space.operators:
        np.testing.assert_allclose(X, X.conj().T, atol=1e-14)
        assert np.linalg.norm(L @ vec(s.to_energy(X))) < 1e-13
    if not hamiltonian:  # with H a coherence of the free site turns for ever
        limit = evolve(generator, zero(2), [500.0], hamiltonian=False).states[0]
        shares = np.einsum("aij,ji->a", space.operators, limit)
        np.testing.assert_allclose(np.einsum("a,aij->ij", shares, space.operators), limit, atol=1e-9)


def test_steady_states__one__is_the_steady_state() -> None:
    generator = between(3)
    space = steady_states(generator)
    assert space.dimension == 1
    X = space.operators[0]
    np.testing.assert_allclose(X / np.trace(X), steady_state(generator), atol=1e-12)
    with pytest.raises(TooLargeError, match="5 qubits"):
        steady_states(between(6))


def test_heat_currents__add_to_zero_and_flow_to_the_cold__steady_state() -> None:
    generator = between(4)
    currents = heat_currents(generator, steady_state(generator))
    assert list(currents) == [0, 1]
    hot, cold = currents[0], currents[1]
    assert hot == pytest.approx(-cold, abs=1e-12)
    assert hot > 1e-3
    early = heat_currents(generator, zero(4))
    assert abs(sum(early.values())) > 1e-2
    same = gaussian_dll(mixed_field_ising(4), 1.0)
    assert heat_currents(same, gibbs_state(same.model, 1.0))[0] == pytest.approx(0, abs=1e-13)


def test_heat_currents__equal_change_of_energy__while_relaxing() -> None:
    generator, step = between(3), 1e-4
    found = evolve(generator, superposed(3), [1 - step, 1.0, 1 + step], tolerance=1e-13)
    energies = expectation(found, generator.model.hamiltonian)
    slope = (energies[2] - energies[0]) / (2 * step)
    assert sum(heat_currents(generator, found.states[1]).values()) == pytest.approx(slope, abs=1e-7)


def test_heat_currents__local_generator__uses_the_whole_hamiltonian() -> None:
    generator, rho = KINDS["local"](ISING, BATH), superposed(3)
    image = unvec(superoperator(generator) @ vec(energy_spectrum(generator).to_energy(rho)))
    wanted = np.trace(ISING.hamiltonian.to_matrix() @ energy_spectrum(generator).from_energy(image)).real
    assert heat_currents(generator, rho)[0] == pytest.approx(wanted, abs=1e-12)


def test_steady_state__agrees__with_one_linear_solve() -> None:
    generator = between(3)
    np.testing.assert_allclose(
        stationary_state(generator.superoperator(hamiltonian=True)), steady_state(generator), atol=1e-12
    )
