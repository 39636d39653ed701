from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import qutip
import scipy.integrate
import scipy.linalg
from qiskit.quantum_info import SparsePauliOp

from gibbs_circuits import models
from gibbs_circuits.errors import ArgumentError
from gibbs_circuits.exact.certificate.certificate import Certificate, certificate
from gibbs_circuits.exact.certificate.discrete import channel_certificate
from gibbs_circuits.exact.spectral_gap.gap import dense_decay_rates
from gibbs_circuits.exact.spectral_gap.uniqueness import steady_state_counts
from gibbs_circuits.exact.structure.detailed_balance import coherent_defects, kernel_defects, reference_state, residual
from gibbs_circuits.generators.baths import Bath, ohmic, power_law
from gibbs_circuits.generators.baths.custom import from_function, to_qutip
from gibbs_circuits.generators.contact import Coherent, Contact
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.discrete import DiscreteChannel, channel_superoperator
from gibbs_circuits.generators.filters.custom import CustomFilter
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.filters.metropolis import MetropolisFilter
from gibbs_circuits.generators.kernels.davies import Secular
from gibbs_circuits.generators.kernels.redfield import Redfield
from gibbs_circuits.generators.kinds.ckg import ckg
from gibbs_circuits.generators.kinds.coarse_grained import coarse_grained
from gibbs_circuits.generators.kinds.custom import custom
from gibbs_circuits.generators.kinds.davies import davies as davies_cat
from gibbs_circuits.generators.kinds.dll import dll
from gibbs_circuits.generators.kinds.local import local
from gibbs_circuits.generators.kinds.redfield import redfield
from gibbs_circuits.generators.kinds.scandi_alhambra import scandi_alhambra
from gibbs_circuits.generators.kinds.several_baths import several_baths
from gibbs_circuits.generators.kinds.ule import ule as ule_cat
from gibbs_circuits.generators.lamb_shift import RedfieldLamb, UniversalLamb, WindowedLamb
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.generators.matrices import coherent_term, decay_operator, lamb_shift, superoperator
from gibbs_circuits.linalg.arrays import unvec, vec
from gibbs_circuits.linalg.fixed_point import stationary_state
from gibbs_circuits.models.model import Model, bandwidth, from_terms
from gibbs_circuits.models.spectrum import gibbs_state, spectrum, trace_distance
from tests.strategies import labels
from tests.systems import FormulaFilter, Matrix, Oracle, bohr_components, boltzmann, dense, model_of, reference

Alpha = Callable[[float, float], complex]
Generator = Lindbladian | DiscreteChannel
BALANCE, LAMB_SHIFT, NONE = Coherent.BALANCE, Coherent.LAMB_SHIFT, Coherent.NONE
TRANSVERSE = models.mixed_field_ising(3, 1.0, 0.9045, 0.3)  # the model whose biases are printed in the design
XZ = couplings_of("XZ", 3)


# Models, couplings and temperatures from a seed.


@dataclass(frozen=True, eq=False)
class System:
    model: Model
    couplings: tuple[SparsePauliOp, ...]
    beta: float

    @property
    def hamiltonian(self) -> Matrix:
        return dense(self.model.terms)

    @property
    def matrices(self) -> list[Matrix]:
        return [dense([(p, c.real) for p, c in A.to_list()]) for A in self.couplings]


def drawn(rng: np.random.Generator, n: int) -> System:
    """A third of the Hamiltonians are full complex matrices; the others have few terms and often equal levels."""
    letters = str(rng.choice(["IXYZ", "IZ", "IXZ"]))
    style = rng.choice(["full", "grid", "smooth"])
    chosen = labels(n) if style == "full" else list(rng.choice(labels(n, letters), size=min(4, 2**n), replace=False))
    values = rng.choice([-1.0, -0.5, 0.0, 0.5, 1.0], len(chosen)) if style == "grid" else rng.normal(size=len(chosen))
    values = values / max(1.0, float(np.linalg.norm(values)) / 1.5)
    couplings = []
    for _ in range(int(rng.integers(1, 4))):
        terms = rng.choice(labels(n)[1:], size=int(rng.integers(1, 4)), replace=False)
        couplings.append(SparsePauliOp(list(terms), rng.choice([-1.0, -0.7, 0.4, 1.0], len(terms))))
    beta = 0.0 if rng.random() < 0.1 else float(rng.choice([rng.uniform(0, 10), rng.uniform(0, 2)]))
    return System(Model(SparsePauliOp(chosen, values), "drawn"), tuple(couplings), beta)


def exact_kinds(system: System, rng: np.random.Generator) -> dict[str, Lindbladian]:
    """Every kind that promises the Gibbs state, with random widths."""
    model, A, beta = system.model, system.couplings, system.beta
    wide = 4 * bandwidth(model)
    window = max(float(np.exp(rng.uniform(np.log(0.3), np.log(10)))), beta / 12)  # rates up to e^{18}
    sigma = float(rng.uniform(0.3, 2.5)) / max(1.0, beta / 10)
    kinds = {
        "dll gaussian": dll(model, beta, A, GaussianFilter(beta)),
        "dll metropolis": dll(model, beta, A, MetropolisFilter(beta, wide)),
        "dll lloyd_abanin": dll(model, beta, A, GaussianFilter(beta, float(rng.uniform(0.3, 5)))),
    }
    if beta == 0:
        with pytest.raises(ArgumentError, match="beta"):
            ohmic(beta)
        bath = from_function(0.0, lambda w: math.exp(-(w**2) / 8))
        kinds["ckg gaussian"] = ckg(model, beta, A)
        kinds["ckg metropolis"] = ckg(model, beta, A, filter="metropolis")
    else:
        bath = ohmic(beta, float(rng.uniform(0.1, 2)), float(rng.uniform(2, 8)))
        omega = beta * sigma**2 / 2 * float(rng.uniform(1.1, 3))
        kinds["ckg gaussian"] = ckg(model, beta, A, sigma_E=sigma, omega_gamma=omega)
        kinds["ckg metropolis"] = ckg(model, beta, A, filter="metropolis", sigma_E=sigma)
    kinds["davies"] = davies_cat(model, bath.beta, A, bath)
    kinds["ule"] = ule_cat(model, bath.beta, A, bath, coherent=BALANCE.value)
    kinds["coarse_grained"] = coarse_grained(model, bath.beta, A, bath, window, coherent=BALANCE.value)
    kinds["scandi_alhambra"] = scandi_alhambra(model, bath.beta, A, bath, window)
    return kinds


def commutant_dimension(operators: list[Matrix]) -> int:
    """dim {X : [X, M] = 0} as a null space of the stacked maps, one QR after another."""
    d = len(operators[0])
    one, R = np.eye(d), np.zeros((d * d, d * d))
    for M in operators:
        R = np.linalg.qr(np.vstack([R, np.kron(one, M) - np.kron(M.T, one)]), mode="r")
    values = np.linalg.svd(R, compute_uv=False)
    return int(np.sum(values <= 1e-10 * max(float(values[0]), 1.0)))


def expected_counts(system: System) -> dict[str, tuple[int, int]]:
    """Steady states without and with H; where the jumps do not resolve ν (β = 0), the commutant of the jumps."""
    parts = [bohr_components(system.hamiltonian, A) for A in system.matrices]
    resolved = [M for pairs in parts for _, M in pairs if np.linalg.norm(M) > 1e-9]
    with_H = commutant_dimension([*resolved, system.hamiltonian])
    everything = (commutant_dimension(resolved), with_H)
    flat = rate = everything
    if system.beta == 0:
        flat = (commutant_dimension(system.matrices), with_H)
        jumps = [sum(math.exp(-(nu**2) / 16) * M for nu, M in pairs) for pairs in parts]
        rate = (commutant_dimension(jumps), with_H)
    kinds = dict.fromkeys(("davies", "coarse_grained", "scandi_alhambra"), everything)
    for kind in ("dll gaussian", "dll metropolis", "dll lloyd_abanin", "ckg gaussian", "ckg metropolis"):
        kinds[kind] = flat
    return {**kinds, "ule": rate}


def judge(seed: int, n: int) -> None:
    rng = np.random.default_rng([20240404, seed])
    system = drawn(rng, n)
    counts = expected_counts(system)
    for kind, generator in exact_kinds(system, rng).items():
        kernel, gns, lowest = kernel_defects(generator)
        judged = replace(generator, coherent=NONE) if kind == "davies" else generator
        said = f"{kind}, β = {system.beta}"
        assert residual(judged) <= 1e-12, said
        assert max(kernel, coherent_defects(judged)[0]) <= 1e-12, said
        assert lowest >= -1e-10, said
        assert steady_state_counts(generator) == counts[kind], said
        if kind == "davies":
            assert gns <= 1e-12, said
            assert residual(generator, hamiltonian=True) <= 1e-12, said
    step = float(rng.uniform(0.05, 0.9))
    inside = dll(system.model, system.beta, system.couplings, GaussianFilter(system.beta))
    Phi = channel_superoperator(DiscreteChannel(inside, step))
    sigma = vec(np.diag(spectrum(system.model).populations(system.beta)))
    assert np.linalg.norm(Phi @ sigma - sigma) <= 1e-12 * np.linalg.norm(sigma)
    assert np.abs(vec(np.eye(2**n)) @ Phi - vec(np.eye(2**n))).max() <= 1e-12  # trace preserved
    assert np.linalg.eigvalsh(choi(Phi))[0] >= -1e-12


def choi(matrix: Matrix) -> Matrix:
    d = round(len(matrix) ** 0.5)
    return matrix.reshape(d, d, d, d).transpose(3, 1, 2, 0).reshape(d * d, d * d)


@pytest.mark.parametrize("seed", [*range(60), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(60, 200))])
def test_exact_kinds__fix_the_gibbs_state_and_count_steady_states__drawn(seed: int) -> None:
    judge(seed, n=(1, 2, 2, 2, 3)[seed % 5])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 212))
def test_exact_kinds__fix_the_gibbs_state_and_count_steady_states__four_qubits(seed: int) -> None:
    judge(seed, n=4)


WHOLE_CERTIFICATE = [(0, 1), (2, 2), (3, 2), (5, 3)]


@pytest.mark.parametrize(("seed", "n"), WHOLE_CERTIFICATE)
def test_certificate__passes_every_exact_kind__drawn(seed: int, n: int) -> None:
    rng = np.random.default_rng([7, seed])
    system = drawn(rng, n)
    counts = expected_counts(system)
    for kind, generator in exact_kinds(system, rng).items():
        found = certificate(generator)
        passes(found, counts[kind])
        passes(channel_certificate(DiscreteChannel(generator, 0.5)), counts[kind])


def passes(found: Certificate, counts: tuple[int, int]) -> None:
    assert finite(found)
    assert found.residual <= 1e-12
    assert found.bias == 0.0
    assert found.kms_defect <= 1e-12
    assert found.completely_positive
    assert (found.steady_states, found.steady_states_with_hamiltonian) == counts


def finite(found: Certificate) -> bool:
    numbers = [x for value in asdict(found).values() for x in (value if isinstance(value, tuple) else (value,))]
    return all(math.isfinite(x) for x in numbers if isinstance(x, float | int))


# The kernels by quadrature of the textbook formulas, and the generators term by term.


def spectral(beta: float, strength: float = 1.0, cutoff: float = 5.0) -> Callable[[float], float]:
    """G(ω) of an ohmic bath, written once more."""

    def G(w: float) -> float:
        return strength * math.exp(-(w**2) / (2 * cutoff**2)) * (w / -math.expm1(-beta * w) if w else 1 / beta)

    return G


def window(w: float, sigma: float) -> float:
    return (sigma * math.sqrt(2 * math.pi)) ** -0.5 * math.exp(-(w**2) / (4 * sigma**2))


def averaged(gamma: Callable[[float], float], sigma: float, kinks: tuple[float, ...] = ()) -> Alpha:
    """∫ γ(ω) f̂(ω−ν1) f̂(ω−ν2) dω by QUADPACK."""

    @cache
    def alpha(nu1: float, nu2: float) -> float:
        m, reach = (nu1 + nu2) / 2, 14 * sigma
        ends = [m - reach, *(x for x in sorted((*kinks, m)) if abs(x - m) < reach), m + reach]
        pieces = (
            scipy.integrate.quad(
                lambda w: gamma(w) * window(w - nu1, sigma) * window(w - nu2, sigma), a, b, epsabs=1e-14, epsrel=1e-13
            )[0]
            for a, b in itertools.pairwise(ends)
        )
        return math.fsum(pieces)

    return alpha


def principal_value(G: Callable[[float], float], pole: float, reach: float) -> float:
    """PV∫ G(x)/(x − pole) dx by QUADPACK's Cauchy rule."""
    return float(
        scipy.integrate.quad(
            G, pole - reach, pole + reach, weight="cauchy", wvar=pole, epsabs=1e-13, epsrel=1e-12, limit=400
        )[0]
    )


def lamb_integral(G: Callable[[float], float]) -> Callable[[float], float]:
    """S(ω) = PV∫ dω'/2π G(ω')/(ω − ω')."""
    return cache(lambda omega: -principal_value(G, omega, 60.0) / (2 * math.pi))


@dataclass(frozen=True, eq=False)
class Twin(Oracle):
    """T, R, B of any kernel, and a Lamb shift of any η, pair by pair."""

    alpha: Alpha = lambda nu1, nu2: 0.0
    eta: Alpha = lambda nu1, nu2: 0.0

    def quadruples(self, value: Alpha) -> Iterator[tuple[complex, Matrix, Matrix]]:
        for A in self.couplings:
            parts = [(round(nu, 10), M) for nu, M in bohr_components(self.hamiltonian, A)]
            for (nu1, A1), (nu2, A2) in itertools.product(parts, parts):
                yield value(nu1, nu2), A1, A2

    def pairs(self) -> Iterator[tuple[complex, Matrix, Matrix]]:
        return self.quadruples(self.alpha)

    def lamb_shift(self) -> Matrix:
        return sum(eta * A2.conj().T @ A1 for eta, A1, A2 in self.quadruples(self.eta))

    def matrix(self) -> Matrix:
        one, shift = np.eye(len(self.hamiltonian)), self.lamb_shift()
        return super().matrix() - 1j * (np.kron(one, shift) - np.kron(shift.T, one))


BETA, STRENGTH, CUTOFF, SIGMA, OMEGA, WINDOW, SPLITTING = 0.9, 0.7, 4.0, 0.8, 1.1, 1.3, 1.7
TWO = from_terms([("ZZ", -1.0), ("IX", -0.9), ("XI", -0.7), ("IZ", 0.4), ("XY", 0.3)])
TWO_COUPLINGS = (SparsePauliOp("IY"), SparsePauliOp(["XI", "ZZ"], [0.8, 0.5]))
BATH, G = ohmic(BETA, STRENGTH, CUTOFF), spectral(BETA, STRENGTH, CUTOFF)
S = lamb_integral(G)
VARIANCE = 2 * OMEGA / BETA - SIGMA**2  # σ_γ²
X_SHIFT = BETA / (2 * WINDOW**2)  # βσ_E²/2 of the windowed kinds


def rank_one(f: Callable[[float], float]) -> Alpha:
    return lambda nu1, nu2: f(nu1) * f(nu2)


def one_sided(nu: float) -> complex:
    """Γ(−ν)."""
    return G(-nu) / 2 + 1j * S(-nu)


def equal(nu1: float, nu2: float) -> bool:
    return abs(nu1 - nu2) < 1e-8


@cache
def universal_eta(nu1: float, nu2: float) -> float:
    return -principal_value(lambda x: math.sqrt(G(x - nu1) * G(x - nu2)), 0.0, 60.0) / (2 * math.pi)


@cache
def correlation() -> tuple[Matrix, Matrix, Matrix]:
    """C(τ) of G by the trapezoidal rule on ω, at Gauss–Legendre nodes τ > 0, and their weights."""
    x, weights = np.polynomial.legendre.leggauss(30)
    edges = np.linspace(0, 12.0, 25)
    tau = np.concatenate([(a + b) / 2 + (b - a) / 2 * x for a, b in itertools.pairwise(edges)])
    omega, step = np.linspace(-45, 45, 3001, retstep=True)
    C = np.exp(-1j * np.outer(tau, omega)) @ np.array([G(w) for w in omega]) * step / (2 * np.pi)
    return tau, np.tile(weights / 4, 24), C


def time_domain(nu1: float, nu2: float, sigma: float, shift: float = 0.0) -> tuple[complex, complex]:
    """α and η as ∬ ds ds' C(s−s') g(s) g(s') e^{−iν2 s + iν1 s'}, η with sgn(s−s')/2i: the window acts in time.

    g ∝ e^{−σ²s²}, ∫ g² = 1, so g(s) g(s') parts into (s+s')/2 (trapezoidal rule) and s − s'.
    """
    tau, weights, C = correlation()
    C = C * np.exp(-1j * shift * tau)  # of G(ω − shift)
    centre, h = np.linspace(-12 / sigma, 12 / sigma, 401, retstep=True)
    middle = h * np.sum(np.exp(-2 * (sigma * centre) ** 2 - 1j * (nu2 - nu1) * centre)) * np.sqrt(2 * sigma**2 / np.pi)
    decay = np.exp(-((sigma * tau) ** 2) / 2 - 0.5j * (nu1 + nu2) * tau) * C
    half, other = middle * np.sum(weights * decay), middle * np.sum(weights * decay.conj())  # s > s', s < s'
    return complex(half + other), complex(half - other) / 2j


def windowed_eta(shift: float) -> Alpha:
    """η of the coarse-grained window in time, for the spectrum γ(ν + shift)."""
    return lambda nu1, nu2: time_domain(nu1, nu2, 1 / WINDOW, shift)[1]


def coarse(shift: float = 0.0, scale: float = 1.0) -> Alpha:
    return averaged(lambda nu: scale * G(-(nu + shift)), 1 / WINDOW)


METROPOLIS_KINK = -BETA * SIGMA**2 / 2
ALPHAS: dict[str, Alpha] = {
    "dll gaussian": rank_one(lambda nu: math.exp(-((BETA * nu) ** 2) / 8 - BETA * nu / 4)),
    "dll metropolis": rank_one(lambda nu: math.exp(-(math.sqrt(1 + (BETA * nu) ** 2) + BETA * nu) / 4)),
    "dll lloyd_abanin": rank_one(lambda nu: math.exp(-BETA * nu**2 / (8 * SPLITTING) - BETA * nu / 4)),
    "ckg gaussian": averaged(lambda w: math.exp(-((w + OMEGA) ** 2) / (2 * VARIANCE)), SIGMA),
    "ckg metropolis": averaged(lambda w: math.exp(-BETA * max(w - METROPOLIS_KINK, 0.0)), SIGMA, (METROPOLIS_KINK,)),
    "davies": lambda nu1, nu2: G(-nu1) * equal(nu1, nu2),
    "ule": rank_one(lambda nu: math.sqrt(G(-nu))),
    "coarse_grained": coarse(),
    "coarse_grained shifted": coarse(X_SHIFT),
    "scandi_alhambra": coarse(X_SHIFT, math.exp((BETA / WINDOW) ** 2 / 4)),
    "redfield": lambda nu1, nu2: one_sided(nu1) + one_sided(nu2).conjugate(),
}
ETAS: dict[str, Alpha] = {
    "davies": lambda nu1, nu2: S(-nu1) * equal(nu1, nu2),
    "ule": universal_eta,
    "coarse_grained": windowed_eta(0.0),
    "coarse_grained shifted": windowed_eta(0.0),
    "redfield": lambda nu1, nu2: (one_sided(nu1) - one_sided(nu2).conjugate()) / 2j,
}


def made(
    kind: str, coherent: Coherent, model: Model = TWO, A: tuple[SparsePauliOp, ...] = TWO_COUPLINGS
) -> Lindbladian:
    match kind.split():
        case ["dll", "gaussian"]:
            return dll(model, BETA, A, GaussianFilter(BETA), coherent=coherent.value)
        case ["dll", "metropolis"]:
            return dll(model, BETA, A, MetropolisFilter(BETA, 4 * bandwidth(model)), coherent=coherent.value)
        case ["dll", _]:
            return dll(model, BETA, A, GaussianFilter(BETA, SPLITTING), coherent=coherent.value)
        case ["ckg", "gaussian"]:
            return ckg(model, BETA, A, sigma_E=SIGMA, omega_gamma=OMEGA, coherent=coherent.value)
        case ["ckg", _]:
            return ckg(model, BETA, A, filter="metropolis", sigma_E=SIGMA, coherent=coherent.value)
        case ["davies"]:
            return davies_cat(model, BATH.beta, A, BATH, coherent=coherent.value)
        case ["ule"]:
            return ule_cat(model, BATH.beta, A, BATH, coherent=coherent.value)
        case ["coarse_grained", *rest]:
            return coarse_grained(model, BATH.beta, A, BATH, WINDOW, shifted=bool(rest), coherent=coherent.value)
        case ["scandi_alhambra"]:
            return scandi_alhambra(model, BATH.beta, A, BATH, WINDOW, coherent=coherent.value)
    return redfield(model, BATH.beta, A, BATH, coherent=coherent.value)


def computational(matrix: Matrix, model: Model) -> Matrix:
    """A superoperator in the energy basis, turned back."""
    V = spectrum(model).vectors
    U = np.kron(V.conj(), V)
    return U @ matrix @ U.conj().T


def twin(kind: str, coherent: Coherent) -> Twin:
    couplings = [dense([(p, c.real) for p, c in A.to_list()]) for A in TWO_COUPLINGS]
    eta = ETAS[kind] if coherent is LAMB_SHIFT else Twin.eta
    return Twin(
        dense(TWO.terms), couplings, BETA, lambda nu: 0.0, float(coherent is BALANCE), alpha=ALPHAS[kind], eta=eta
    )


@pytest.mark.parametrize("kind", ALPHAS)
def test_superoperator__equals_the_textbook_term_by_term__every_kind(kind: str) -> None:
    coherent = NONE if kind == "redfield" else BALANCE
    generator, oracle = made(kind, coherent), twin(kind, coherent)
    s = spectrum(TWO)
    assert np.linalg.norm(computational(superoperator(generator), TWO) - oracle.matrix()) <= 1e-10
    assert np.linalg.norm(s.from_energy(decay_operator(generator)) - oracle.decay()) <= 1e-10
    assert np.linalg.norm(s.from_energy(coherent_term(generator)) - oracle.coherent()) <= 1e-10
    broken = replace(oracle, sign=-1.0) if coherent is BALANCE else replace(oracle, alpha=ALPHAS["ule"])
    if kind != "davies":  # there B = 0
        assert np.linalg.norm(computational(superoperator(generator), TWO) - broken.matrix()) > 1e-3


@pytest.mark.parametrize("kind", ETAS)
def test_lamb_shift__equals_principal_value_or_time_domain__every_bath_kind(kind: str) -> None:
    generator, oracle = made(kind, LAMB_SHIFT), twin(kind, LAMB_SHIFT)
    assert np.linalg.norm(oracle.lamb_shift()) > 0.1
    assert np.linalg.norm(spectrum(TWO).from_energy(lamb_shift(generator)) - oracle.lamb_shift()) <= 1e-10
    assert np.linalg.norm(computational(superoperator(generator), TWO) - oracle.matrix()) <= 1e-10
    wrong = replace(oracle, eta=lambda nu1, nu2: -oracle.eta(nu1, nu2))
    assert np.linalg.norm(computational(superoperator(generator), TWO) - wrong.matrix()) > 0.1


FREQUENCIES = [(0.0, 0.0), (1.3, 1.3), (-2.1, -2.1), (0.4, 0.9), (-3.0, 1.0), (2.5, -0.3)]


@pytest.mark.parametrize("kind", [kind for kind in ALPHAS if kind != "redfield"])
def test_kernel__value_and_sum_of_factors__equal_the_textbook(kind: str) -> None:
    kernel = made(kind, NONE).contacts[0].kernel
    nu1, nu2 = np.array(FREQUENCIES).T
    expected = np.array([ALPHAS[kind](*pair) for pair in FREQUENCIES])
    kernel = kernel.on(np.concatenate([nu1, nu2]))
    np.testing.assert_allclose(kernel(nu1, nu2), expected, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(
        kernel.balanced(nu1, nu2) * np.exp(-BETA * (nu1 + nu2) / 4), expected, rtol=1e-11, atol=1e-13
    )
    total = sum(w * f.frequency(nu1) * f.frequency(nu2).conj() for w, f in kernel.factors())
    np.testing.assert_allclose(total, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("pair", FREQUENCIES)
def test_windowed_kernel__equals_its_double_integral_in_time__frequencies(pair: tuple[float, float]) -> None:
    alpha, eta = time_domain(*pair, 1 / WINDOW)
    assert alpha == pytest.approx(ALPHAS["coarse_grained"](*pair), abs=1e-12)
    found = WindowedLamb(BATH, 1 / WINDOW)(np.array([pair[0]]), np.array([pair[1]]))[0]
    assert found == pytest.approx(eta, abs=1e-12)
    if pair[0] == pair[1]:  # (S(−·) ∗ N)(ν), the other way round
        smoothed = averaged(lambda nu: S(round(-nu, 12)), 1 / WINDOW)
        assert found == pytest.approx(smoothed(*pair), abs=1e-9)


@cache
def root_correlation() -> tuple[Matrix, Matrix]:
    """g(t) with ĝ = √G, by the trapezoidal rule."""
    omega, step = np.linspace(-45, 45, 1501, retstep=True)
    t = np.linspace(-8, 8, 8001)
    root = np.sqrt([G(w) for w in omega])
    return t, np.exp(-1j * np.outer(t, omega)) @ root * step / (2 * np.pi)


@pytest.mark.parametrize("pair", FREQUENCIES)
def test_universal_lamb__equals_its_double_integral_in_time__frequencies(pair: tuple[float, float]) -> None:
    """η = (1/2i) ∬ g(s) g(−s') sgn(s − s') e^{−iν2 s + iν1 s'}; on the diagonal also S(−ν)."""
    t, g = root_correlation()
    inner = g[::-1] * np.exp(1j * pair[0] * t)
    parts = [scipy.integrate.cumulative_simpson(part, x=t, initial=0) for part in (inner.real, inner.imag)]
    below = parts[0] + 1j * parts[1]
    eta = scipy.integrate.simpson(g * np.exp(-1j * pair[1] * t) * (2 * below - below[-1]), x=t) / 2j
    found = UniversalLamb(BATH)(np.array([pair[0]]), np.array([pair[1]]))[0]
    assert found == pytest.approx(eta, abs=1e-8)
    assert found == pytest.approx(universal_eta(*pair), abs=1e-10)
    if pair[0] == pair[1]:
        assert found == pytest.approx(S(-pair[0]), abs=1e-10)


# Biases: their size, and how they shrink.


def bias(generator: Lindbladian) -> float:
    """Trace distance between σ and the steady state of −i[H + H_LS, ·] + D."""
    return trace_distance(stationary_state(superoperator(generator, hamiltonian=True)), reference_state(generator))


def slope(x: list[float], y: list[float]) -> float:
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def with_lamb(generator: Lindbladian, lamb: Any) -> Lindbladian:
    contacts = tuple(Contact(c.coupling, c.kernel, lamb) for c in generator.contacts)
    return replace(generator, contacts=contacts)


SQUARES = [0.003, 0.01, 0.03]  # λ²
SMALL = models.mixed_field_ising(2, 1.0, 0.9045, 0.3)
SMALL_XZ = couplings_of("XZ", 2)
DIVERGENT = Secular(power_law(1.0, 0.5), 1e-9)  # G(0) is infinite


@pytest.mark.parametrize("make", [redfield, ule_cat], ids=["redfield", "ule"])
def test_bias__is_first_order_in_lambda_squared__physical_lamb_shift(make: Callable[..., Lindbladian]) -> None:
    """Slope 1 in λ², so 2 in λ: the stationary state is right to lowest order only."""
    found = [bias(make(SMALL, 1.0, SMALL_XZ, ohmic(1.0, square, 4.0))) for square in SQUARES]
    assert slope(SQUARES, found) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("make", [redfield, ule_cat], ids=["redfield", "ule"])
def test_bias__control__does_not_shrink_without_the_hamiltonian(make: Callable[..., Lindbladian]) -> None:
    found = [
        certificate(make(SMALL, 1.0, SMALL_XZ, ohmic(1.0, square, 4.0), coherent="none")).bias for square in SQUARES
    ]
    assert found[0] > 1e-2
    assert slope(SQUARES, found) == pytest.approx(0.0, abs=1e-6)


def test_bias__of_coarse_graining__falls_as_the_window_squared_whatever_the_strength() -> None:
    windows = [4.0, 8.0, 16.0]
    found = {
        square: [bias(coarse_grained(SMALL, 1.0, SMALL_XZ, ohmic(1.0, square, 4.0), T)) for T in windows]
        for square in (1e-4, 1e-2)
    }
    for values in found.values():
        assert slope(windows, values) == pytest.approx(-2.0, abs=0.1)
    np.testing.assert_allclose(found[1e-4], found[1e-2], rtol=1e-2)


PRINTED = {1.0: (5.7e-2, 4.4e-3), 3.0: (6.4e-3, 4.2e-4), 10.0: (5.8e-4, 2.7e-6)}


@pytest.mark.parametrize("T", [1.0, *(pytest.param(T, marks=pytest.mark.slow) for T in (3.0, 10.0))])
def test_bias__equals_the_printed_number__coarse_grained(T: float) -> None:
    bath = ohmic(1.0, 0.1, 4.0)
    physical, moved = PRINTED[T]
    assert bias(coarse_grained(TRANSVERSE, bath.beta, XZ, bath, T)) == pytest.approx(physical, rel=0.02)
    shifted = coarse_grained(TRANSVERSE, bath.beta, XZ, bath, T, shifted=True)
    # the printed numbers keep the Lamb shift of the unshifted spectrum
    assert bias(with_lamb(shifted, WindowedLamb(bath, 1 / T))) == pytest.approx(moved, rel=0.02)
    assert bias(shifted) == pytest.approx(moved, rel=0.02)
    balanced = coarse_grained(TRANSVERSE, bath.beta, XZ, bath, T, coherent=BALANCE.value)
    assert residual(balanced) <= 1e-15
    assert bias(balanced) <= 1e-13


@pytest.mark.parametrize(("square", "printed"), [(0.02, 1.6e-3), (0.1, 7.8e-3)])
def test_bias__equals_the_printed_number__universal_lindblad(square: float, printed: float) -> None:
    bath = ohmic(1.0, square, 4.0)
    assert bias(ule_cat(TRANSVERSE, bath.beta, XZ, bath)) == pytest.approx(printed, rel=0.03)
    exact = ule_cat(TRANSVERSE, bath.beta, XZ, bath, coherent=BALANCE.value)
    assert residual(exact) <= 1e-15
    assert bias(exact) <= 1e-13


@pytest.mark.parametrize("kind", ETAS)
def test_certificate__bias_is_the_distance_to_the_steady_state__lamb_shift(kind: str) -> None:
    generator = made(kind, LAMB_SHIFT, SMALL, SMALL_XZ)
    found = certificate(generator)
    assert finite(found)
    assert found.bias == pytest.approx(bias(generator), abs=1e-13)
    assert found.bias == 0.0 if kind == "davies" else found.bias > 1e-4
    if kind not in ("davies", "redfield"):
        assert found.kms_defect > 1e-3  # B is not there


@pytest.mark.parametrize("T", [0.3, 1.0, 3.0, 10.0])
def test_scandi_alhambra__is_exact__every_window(T: float) -> None:
    found = certificate(scandi_alhambra(TRANSVERSE, 1.0, couplings_of("Y", 3), ohmic(1.0), T))
    assert found.residual <= 1e-15
    assert found.kms_defect <= 1e-14
    assert found.gns_defect > 1e-4


def test_scandi_alhambra__becomes_davies__wide_window() -> None:
    """Exponentially fast for pairs of frequencies 0.37 apart, then as 1/T² for the smoothed rate."""
    bath, windows = ohmic(1.0, 1.0, 4.0), [30.0, 60.0, 120.0]
    davies = superoperator(davies_cat(SMALL, bath.beta, SMALL_XZ, bath, coherent=NONE.value))
    error = [
        float(np.linalg.norm(superoperator(scandi_alhambra(SMALL, bath.beta, SMALL_XZ, bath, T)) - davies, 2))
        for T in (3.0, 10.0, *windows)
    ]
    assert error[0] > 5 * error[1] > 25 * error[2]
    assert slope(windows, error[2:]) == pytest.approx(-2.0, abs=0.15)
    assert error[-1] < 1e-3 * np.linalg.norm(davies, 2)


# Davies: degenerate levels, the Lamb shift, GNS.

DEGENERATE = from_terms([("IZ", -0.5), ("ZI", -0.5)])  # |01⟩ and |10⟩ are one level
UNEQUAL = (SparsePauliOp(["IX", "XI"], [1.0, 0.6]), SparsePauliOp("IY"))


def fully_secular(generator: Lindbladian, G: Callable[[float], float], basis: Matrix) -> Matrix:
    """The naive answer: one jump |i⟩⟨j| per pair of eigenvectors, so that equal frequencies never interfere."""
    d = len(basis)
    H, one = dense(generator.model.terms), np.eye(d)
    E = np.diag(basis.conj().T @ H @ basis).real
    L = np.zeros((d * d, d * d), dtype=complex)
    for contact in generator.contacts:
        A = basis.conj().T @ contact.coupling.to_matrix() @ basis
        for i, j in itertools.product(range(d), repeat=2):
            J = math.sqrt(G(E[j] - E[i])) * A[i, j] * np.outer(basis[:, i], basis[:, j].conj())
            N = J.conj().T @ J
            L += np.kron(J.conj(), J) - (np.kron(one, N) + np.kron(N.T, one)) / 2
    return L


def test_davies__keeps_blocks_of_equal_frequency_whole__two_equal_qubits() -> None:
    G, beta = spectral(1.0), 1.0
    generator = davies_cat(DEGENERATE, beta, UNEQUAL, ohmic(beta, cutoff=5.0), coherent=NONE.value)
    L, sigma = computational(superoperator(generator), DEGENERATE), boltzmann(dense(DEGENERATE.terms), beta)
    parts = [
        M * math.sqrt(G(-nu)) for A in UNEQUAL for nu, M in bohr_components(dense(DEGENERATE.terms), A.to_matrix())
    ]
    expected = qutip.liouvillian(None, [qutip.Qobj(M) for M in parts]).full()
    np.testing.assert_allclose(L, expected, atol=1e-12)
    turned = scipy.linalg.expm(1j * np.pi / 4 * np.kron([[0, 1], [1, 0]], [[0, 1], [1, 0]]) @ np.diag([0, 1, 1, 0]))
    naive = [fully_secular(generator, G, basis) for basis in (np.eye(4), turned)]
    assert np.linalg.norm(naive[0] - naive[1]) > 0.1  # depends on how the level is written
    assert min(np.linalg.norm(L - other) for other in naive) > 0.1
    start = np.diag([1.0, 0, 0, 0]).astype(complex)
    coherence = [abs(unvec(scipy.linalg.expm(M * 0.5) @ vec(start))[1, 2]) for M in (L, naive[0])]
    assert coherence[0] > 1e-2  # made by interference ...
    assert coherence[1] < 1e-14  # ... which the naive answer forbids
    plus = np.zeros((4, 4), dtype=complex)
    plus[1:3, 1:3] = 0.5
    late = unvec(scipy.linalg.expm(L * 300) @ vec(plus))
    np.testing.assert_allclose(late, sigma, atol=1e-10)  # coherences inside the block thermalise


def test_davies__sees_the_dark_state__collective_coupling() -> None:
    """Two atoms that couple as one: the singlet is stationary. The naive answer would thermalise it."""
    generator = davies_cat(DEGENERATE, 1.0, (SparsePauliOp(["IX", "XI"]),), ohmic(1.0, cutoff=5.0), coherent=NONE.value)
    found = certificate(generator)
    assert found.steady_states > 1
    assert np.sum(np.abs(np.linalg.eigvals(superoperator(generator))) < 1e-10) == found.steady_states
    naive = fully_secular(generator, spectral(1.0), np.eye(4))
    assert np.sum(np.abs(np.linalg.eigvals(naive)) < 1e-10) == 1


def test_davies__lamb_shift__commutes_and_leaves_the_gibbs_state() -> None:
    generator = davies_cat(TRANSVERSE, 1.0, XZ, ohmic(1.0, 0.1, 4.0))
    s = spectrum(TRANSVERSE)
    shift = s.from_energy(lamb_shift(generator))
    H, sigma = dense(TRANSVERSE.terms), boltzmann(dense(TRANSVERSE.terms), 1.0)
    assert np.linalg.norm(shift) > 0.1
    assert np.linalg.norm(shift @ H - H @ shift) <= 1e-12 * np.linalg.norm(shift)
    L = computational(superoperator(generator), TRANSVERSE)
    assert np.linalg.norm(L @ vec(sigma)) <= 1e-14 * np.linalg.norm(L, 2)
    assert kms_asymmetry(generator) > 3e-2  # though it is not symmetric in the KMS product
    assert kms_asymmetry(replace(generator, coherent=NONE)) <= 1e-14


def kms_asymmetry(generator: Lindbladian) -> float:
    """‖D − D†‖ / ‖D‖ of D = σ^{−1/4} L(σ^{1/4} · σ^{1/4}) σ^{−1/4}."""
    p = spectrum(generator.model).populations(generator.beta) ** 0.25
    D = superoperator(generator) * np.kron(p, p)[None, :] / np.kron(p, p)[:, None]
    return float(np.linalg.norm(D - D.conj().T) / np.linalg.norm(D))


def test_davies__wide_tolerance__needs_the_balance_term() -> None:
    model = from_terms([("IZ", -0.5), ("ZI", -0.51), ("XX", 0.002)])
    without, exact = (
        davies_cat(model, 1.0, UNEQUAL, ohmic(1.0), degeneracy_tolerance=0.05, coherent=choice.value)
        for choice in (NONE, BALANCE)
    )
    assert residual(exact) <= 1e-12
    assert residual(without) > 1e-6
    assert residual(davies_cat(model, 1.0, UNEQUAL, ohmic(1.0), coherent=NONE.value)) <= 1e-12


# Controls that must fail.


@pytest.mark.parametrize("kind", [kind for kind in ALPHAS if kind not in ("davies", "redfield", "coarse_grained")])
def test_residual__control__b_left_out_or_turned(kind: str) -> None:
    model, A = models.mixed_field_ising(3), couplings_of("Y", 3)
    exact = made(kind, BALANCE, model, A)
    without = superoperator(replace(exact, coherent=NONE))
    B, one = coherent_term(exact), np.eye(8)
    turned = without + 1j * (np.kron(one, B) - np.kron(B.T, one))
    sigma = vec(np.diag(spectrum(model).populations(BETA)))
    left_out = float(np.linalg.norm(without @ sigma))
    assert residual(exact) <= 1e-14
    assert residual(replace(exact, coherent=NONE)) > 1e-4
    assert float(np.linalg.norm(turned @ sigma)) == pytest.approx(2 * left_out, rel=1e-10)
    assert coherent_defects(replace(exact, coherent=NONE))[0] > 1e-4


def test_residual__control__unshifted_spectrum_with_b() -> None:
    bath = ohmic(1.0, 1.0, 4.0)
    wrong, right = (
        coarse_grained(TRANSVERSE, bath.beta, XZ, bath, 1.0, shifted=choice, coherent=BALANCE.value)
        for choice in (False, True)
    )
    assert kernel_defects(wrong)[0] > 0.1
    assert kernel_defects(right)[0] <= 1e-14
    assert certificate(wrong).residual > 1e-3
    assert certificate(wrong).bias > 1e-2
    assert certificate(right).residual <= 1e-15


@pytest.mark.parametrize("kind", [kind for kind in ALPHAS if kind not in ("redfield", "coarse_grained")])
def test_gns_defect__is_large_for_filters__and_nothing_for_davies(kind: str) -> None:
    found = certificate(made(kind, NONE if kind == "davies" else BALANCE, SMALL, SMALL_XZ))
    assert found.kms_defect <= 1e-14
    if kind == "davies":
        assert found.gns_defect <= 1e-14
    else:
        assert found.gns_defect > 1e-2
        assert gns_asymmetry(made(kind, BALANCE, SMALL, SMALL_XZ)) > 1e-3
    assert gns_asymmetry(made("davies", NONE, SMALL, SMALL_XZ)) <= 1e-14


def gns_asymmetry(generator: Lindbladian) -> float:
    """‖D − D†‖ / ‖D‖ of D = L(· σ^{1/2}) σ^{−1/2}."""
    p = spectrum(generator.model).populations(generator.beta) ** 0.5
    right = np.kron(p, np.ones(p.size))
    D = superoperator(generator) * right[None, :] / right[:, None]
    return float(np.linalg.norm(D - D.conj().T) / np.linalg.norm(D))


def test_redfield__control__is_not_positive() -> None:
    generator = redfield(TRANSVERSE, 1.0, XZ, ohmic(1.0, 0.5, 4.0))
    found = certificate(generator)
    assert found.lowest_kernel_eigenvalue < -1e-2
    assert not found.completely_positive
    assert found.kms_defect is None
    assert found.bias > 1e-3
    L = superoperator(generator, hamiltonian=True)
    assert np.linalg.eigvalsh(choi(scipy.linalg.expm(0.1 * L)))[0] < -1e-4
    ule = superoperator(ule_cat(TRANSVERSE, 1.0, XZ, ohmic(1.0, 0.5, 4.0)), hamiltonian=True)
    assert np.linalg.eigvalsh(choi(scipy.linalg.expm(0.1 * ule)))[0] >= -1e-12
    rng = np.random.default_rng(5)
    lowest, lowest_ule = 0.0, 0.0
    step, step_ule = scipy.linalg.expm(0.05 * L), scipy.linalg.expm(0.05 * ule)
    for _ in range(200):
        psi = rng.normal(size=8) + 1j * rng.normal(size=8)
        rho = vec(np.outer(psi, psi.conj()) / np.linalg.norm(psi) ** 2)
        lowest = min(lowest, float(np.linalg.eigvalsh(unvec(step @ rho))[0]))
        lowest_ule = min(lowest_ule, float(np.linalg.eigvalsh(unvec(step_ule @ rho))[0]))
    assert lowest < -1e-4  # a state is driven out of the positive ones
    assert lowest_ule > -1e-14


def test_redfield__refuses_b__with_the_remedy() -> None:
    with pytest.raises(ArgumentError, match="lamb_shift or none"):
        redfield(SMALL, 1.0, SMALL_XZ, ohmic(1.0), coherent=BALANCE.value)


# Rows of the reference table, all kinds but the one that has its own test.

REFERENCE_KINDS: dict[str, Callable[[Model, tuple[SparsePauliOp, ...], float], Lindbladian]] = {
    "dll_metropolis_no_bump": lambda model, A, beta: dll(model, beta, A, MetropolisFilter(beta, 4 * bandwidth(model))),
    "ckg_gaussian": lambda model, A, beta: ckg(model, beta, A),
    "ule_ohmic_plus_B": lambda model, A, beta: ule_cat(model, beta, A, ohmic(beta, cutoff=5.0), coherent=BALANCE.value),
    "davies_ohmic": lambda model, A, beta: davies_cat(model, beta, A, ohmic(beta, cutoff=5.0)),
}
ROWS = [
    pytest.param(case, row, id=f"{case['name']}-{case['beta']}-{row['couplings']}-{row['kind']}")
    for case in reference("thermal_and_gaps")
    for row in case["generators"]
    if row["kind"] in REFERENCE_KINDS
]


def row_generator(case: dict[str, Any], row: dict[str, Any]) -> Lindbladian:
    model = model_of(case)
    return REFERENCE_KINDS[row["kind"]](model, couplings_of(row["couplings"], model.num_qubits), case["beta"])


@pytest.mark.parametrize(("case", "row"), ROWS)
def test_gap__equals_reference__every_row(case: dict[str, Any], row: dict[str, Any]) -> None:
    generator = row_generator(case, row)
    count = steady_state_counts(generator)
    assert count == (row["steady_states"], row["steady_states"])
    judged = replace(generator, coherent=NONE) if row["kind"] == "davies_ohmic" else generator
    rates = dense_decay_rates(judged, balanced=True)
    assert rates[row["steady_states"]] == pytest.approx(row["spectral_gap"], rel=1e-6)
    assert residual(judged) <= 1e-12


@pytest.mark.parametrize(("case", "row"), [param for param in ROWS if param.values[0]["num_qubits"] < 4])
def test_certificate__equals_reference__small_rows(case: dict[str, Any], row: dict[str, Any]) -> None:
    found = certificate(row_generator(case, row))
    assert found.spectral_gap == pytest.approx(row["spectral_gap"], rel=1e-6)
    assert found.residual <= 1e-12
    assert found.kms_defect <= 1e-12
    assert found.completely_positive
    assert found.steady_states == found.steady_states_with_hamiltonian == row["steady_states"]


@pytest.mark.parametrize(("case", "row"), [param for param in ROWS if "mixed_field_ising_3" in param.id])
def test_gap__equals_reference__without_b(case: dict[str, Any], row: dict[str, Any]) -> None:
    without = replace(row_generator(case, row), coherent=NONE)
    wanted = row.get("spectral_gap_without_coherent", row["spectral_gap"])  # Davies has no B
    assert dense_decay_rates(without, balanced=False)[1] == pytest.approx(wanted, rel=1e-6)


# What users bring.


def test_custom_kernel__accepted__is_exact() -> None:
    beta = 1.2

    def alpha(nu1: Any, nu2: Any) -> Any:
        m = (nu1 + nu2) / 2
        return np.exp(-((nu1 - nu2) ** 2) / 3 - m**2 / 5 - beta * m / 2) * (1 + 0.2 * np.exp(-(nu1**2) - nu2**2))

    generator = custom(TRANSVERSE, beta, alpha, XZ)
    passes(certificate(generator), (1, 1))
    values = Twin(
        dense(TRANSVERSE.terms), [A.to_matrix() for A in XZ], beta, lambda nu: 0.0,
        alpha=lambda x, y: complex(alpha(x, y)),
    )  # fmt: skip
    np.testing.assert_allclose(spectrum(TRANSVERSE).from_energy(decay_operator(generator)), values.decay(), atol=1e-10)


BAD_KERNELS: dict[str, tuple[Any, str]] = {
    "unbalanced": (lambda x, y: np.exp(-((x - y) ** 2) - (x + y) ** 2), r"detailed balance.*relative violation is \d"),
    "wrong temperature": (lambda x, y: np.exp(-((x - y) ** 2) - (x + y) ** 2 - 0.2 * (x + y)), r"violation is \d"),
    "indefinite": (
        lambda x, y: (0.1 + (x - y) ** 2) * np.exp(-(x**2) - y**2 - (x + y) / 4),
        r"positive semidefinite.*smallest eigenvalue on \d+ frequencies is -\d",
    ),
    "not Hermitian": (lambda x, y: np.exp(-((x - y) ** 2) - (x + y) / 4) * (1 + 0.1 * (x - y)), "Hermitian"),
    "nan": (lambda x, y: np.exp(-((x - y) ** 2)) * np.where(x > 1, np.nan, 1.0), "be finite"),
    "shape": (lambda x, y: np.ones(3), r"shape is \(3,\)"),
    "zero": (lambda x, y: 0 * x * y, "zero everywhere"),
}


@pytest.mark.parametrize("case", BAD_KERNELS)
def test_custom_kernel__refused__with_the_numbers(case: str) -> None:
    function, words = BAD_KERNELS[case]
    with pytest.raises(ArgumentError, match=words) as caught:
        custom(SMALL, 1.0, function, SMALL_XZ)
    assert "\n" not in str(caught.value)
    assert "Fix:" in str(caught.value)


def test_custom_filter__accepted__is_exact() -> None:
    beta, limit = 0.8, 2 * bandwidth(TRANSVERSE)
    filter = CustomFilter(beta, lambda nu: np.exp(0.3j * nu - 0.1 * nu**2 - beta * nu / 4) / (1 + nu**2), limit)
    passes(certificate(dll(TRANSVERSE, beta, XZ, filter)), (1, 1))


BAD_FILTERS: dict[str, tuple[Any, str]] = {
    "unbalanced": (lambda nu: np.exp(-(nu**2) / 8), r"q\(ν\) = \d.*q\(−ν\) = \d.*relative violation \d"),
    "complex": (lambda nu: np.exp(-(nu**2) / 8 - nu / 4 + 0.1j * nu**2), "relative violation"),
    "infinite": (lambda nu: np.where(nu == 0, np.inf, np.exp(-nu / 4)), "be finite"),
    "zero": (lambda nu: 0 * nu, "zero on the whole spectrum"),
}


@pytest.mark.parametrize("case", BAD_FILTERS)
def test_custom_filter__refused__with_the_numbers(case: str) -> None:
    function, words = BAD_FILTERS[case]
    with pytest.raises(ArgumentError, match=words):
        CustomFilter(1.0, function, 4.0)
    with pytest.raises(ArgumentError, match="same β = 2"):
        dll(SMALL, 2.0, SMALL_XZ, GaussianFilter(1.0))


@pytest.mark.parametrize("kind", ["davies", "ule", "scandi_alhambra"])
def test_custom_bath__accepted__is_exact(kind: str) -> None:
    bath = from_function(BETA, lambda w: math.exp(BETA * w / 2 - (w / 3) ** 2) * (2 + math.cos(w)))
    A = couplings_of("Y", 3)
    generator = {
        "davies": lambda: davies_cat(TRANSVERSE, bath.beta, A, bath),
        "ule": lambda: ule_cat(TRANSVERSE, bath.beta, A, bath, coherent=BALANCE.value),
        "scandi_alhambra": lambda: scandi_alhambra(TRANSVERSE, bath.beta, A, bath, 1.0),
    }[kind]()
    passes(certificate(generator), (1, 1))


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda w: math.exp(-(w**2)), r"ratio G\(−ω\)/G\(ω\) is 1 where e\^\(−βω\) = 0\.\d"),
        (lambda w: math.exp(0.7 * w / 2 - w**2), "set beta = 0.7"),
        (lambda w: math.exp(0.45 * w - w**2) * (1 - w**2), ">= 0"),
    ],
    ids=["flat", "other temperature", "negative"],
)
def test_custom_bath__refused__with_the_numbers(function: Any, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        from_function(0.9, function)


# Edges.


@dataclass(frozen=True)
class Formula(FormulaFilter):
    def symmetric(self, nu: Any) -> Any:
        return self.q(self.beta * np.asarray(nu, dtype=float)).astype(complex)


EDGES: dict[str, tuple[Model, Any, tuple[int, int]]] = {
    "one qubit": (from_terms([("Z", 0.5)]), "X", (1, 1)),
    "one qubit, dephasing": (from_terms([("Z", 0.5)]), "Z", (2, 2)),
    "degenerate": (from_terms([("IZ", 1.0), ("ZI", 1.0)]), "X", (1, 1)),
    "degenerate, collective": (from_terms([("IZ", 1.0), ("ZI", 1.0)]), [SparsePauliOp(["IX", "XI"])], (2, 2)),
    "H = 0, Y": (from_terms([("II", 0.0)]), "Y", (4, 4)),
    "H = 0, XZ": (from_terms([("II", 0.0)]), "XZ", (1, 1)),
    "H = 1": (from_terms([("I", 3.0)]), "XZ", (1, 1)),
    "commuting": (models.tfim(2, h=0.0), "Z", (4, 4)),
    "one site is left out": (from_terms([("IX", 1.0), ("XI", 0.7)]), [SparsePauliOp("IZ")], (4, 2)),
}


COLD = (  # two qubits take seconds in many digits
    ("one qubit", 50.0),
    pytest.param("degenerate, collective", 50.0, marks=pytest.mark.slow),
    pytest.param("one site is left out", 50.0, marks=pytest.mark.slow),
)


@pytest.mark.parametrize(("case", "beta"), [*itertools.product(EDGES, [0.0, 1.0]), *COLD])
def test_certificate__is_right_and_finite__edges(case: str, beta: float) -> None:
    model, given, counts = EDGES[case]
    A = couplings_of(given, model.num_qubits)
    system = System(model, A, beta)
    expected = expected_counts(system)
    assert beta == 0 or expected["dll gaussian"] == counts
    for kind, generator in exact_kinds(system, np.random.default_rng(1)).items():
        found = certificate(generator)
        assert finite(found), kind
        if found.rates is not None and found.rates.dead:
            assert (beta, found.residual, found.bias, found.spectral_gap) == (50.0, None, None, None), kind
            continue
        assert found.residual <= 1e-12, kind
        assert found.kms_defect <= 1e-12, kind
        assert found.completely_positive, kind
        assert (found.steady_states, found.steady_states_with_hamiltonian) == expected[kind], kind
        assert found.spectral_gap is None or math.copysign(1.0, found.spectral_gap) == 1.0, kind


def test_certificate__is_finite__filter_that_vanishes() -> None:
    generator = dll(SMALL, 1.0, SMALL_XZ, Formula(1.0, lambda x: 0 * x))
    found = certificate(generator)
    assert finite(found)
    assert (found.steady_states, found.steady_states_with_hamiltonian) == (16, 4)
    assert found.rates is not None
    assert found.rates.zero
    assert (found.residual, found.kms_defect, found.bias, found.spectral_gap) == (None,) * 4  # of nothing no figure


@pytest.mark.parametrize(
    ("argument", "attempt"),
    [
        ("window", lambda: scandi_alhambra(SMALL, 50.0, SMALL_XZ, ohmic(50.0), 0.3)),
        ("omega_gamma", lambda: ckg(SMALL, 1.0, SMALL_XZ, sigma_E=2.0, omega_gamma=1.0)),
        ("sigma_E", lambda: ckg(SMALL, 0.0, SMALL_XZ, sigma_E=1.0)),
        ("window", lambda: coarse_grained(SMALL, 1.0, SMALL_XZ, ohmic(1.0), 0.0)),
        ("window", lambda: certificate(scandi_alhambra(SMALL, 1.0, SMALL_XZ, ohmic(1.0), 1e4))),
        ("omega", lambda: certificate(Lindbladian(SMALL, (Contact(SMALL_XZ[0], DIVERGENT),), NONE))),
        ("bath", lambda: davies_cat(SMALL, 1.0, SMALL_XZ, power_law(1.0, 0.5))),
        ("inside", lambda: DiscreteChannel(coarse_grained(SMALL, 1.0, SMALL_XZ, ohmic(1.0), 1.0), 0.5)),
        ("contacts", several_baths),
        ("step", lambda: DiscreteChannel(dll(SMALL, 1.0, SMALL_XZ, GaussianFilter(1.0)), 1.0)),
    ],
    ids=[
        "overflow",
        "no sigma",
        "flat",
        "no window",
        "too wide",
        "divergent",
        "infinite",
        "not balanced",
        "no bath",
        "step",
    ],
)
def test_generators__refuse__with_one_line(argument: str, attempt: Callable[[], object]) -> None:
    with pytest.raises(ArgumentError) as caught:
        attempt()
    assert caught.value.argument == argument
    assert "\n" not in str(caught.value)
    assert "Fix:" in str(caught.value)


# Local generators and several baths.


INSIDE: dict[str, dict[str, Any]] = {
    "dll gaussian": {"inside": "dll", "coherent": "balance", "filter": GaussianFilter(BETA)},
    "ckg gaussian": {"inside": "ckg", "coherent": "balance", "sigma_E": SIGMA, "omega_gamma": OMEGA},
    "davies": {"inside": "davies", "coherent": "none", "bath": BATH},
    "ule": {"inside": "ule", "coherent": "balance", "bath": BATH},
}


@pytest.mark.parametrize("kind", INSIDE)
def test_local__has_a_product_for_its_steady_state__and_a_bias_with_interaction(kind: str) -> None:
    A = couplings_of("XY", 3)
    generator = local(TRANSVERSE, BETA, A, **INSIDE[kind])
    rho = spectrum(generator.bohr_model).from_energy(stationary_state(superoperator(generator)))
    single = boltzmann(dense([("X", -0.9045), ("Z", -0.3)]), BETA)
    product = np.kron(np.kron(single, single), single)
    np.testing.assert_allclose(rho, product, atol=1e-12)
    found = certificate(generator)
    assert finite(found)
    assert found.bias == pytest.approx(trace_distance(product, gibbs_state(TRANSVERSE, BETA)), abs=1e-10)
    assert found.bias > 0.1
    assert found.kms_defect is None
    free = models.mixed_field_ising(3, 0.0, 0.9045, 0.3)
    alone = certificate(local(free, BETA, A, **INSIDE[kind]))
    assert alone.bias == 0.0
    assert alone.residual <= 1e-14


def test_local__has_the_bath_of_the_whole_hamiltonian__strong_bonds() -> None:
    model = from_terms([("ZZ", -2.5), ("IX", 0.4), ("XI", 0.4)])
    assert local(model, 0.7, inside="davies").baths == (ohmic(0.7, cutoff=5 * 2.5),)
    assert local(model, 0.7, inside="davies", bath=ohmic(0.7, cutoff=3.0)).baths == (ohmic(0.7, cutoff=3.0),)


def two_baths(kind: str, hot: float, cold: float, n: int) -> tuple[Model, list[Lindbladian]]:
    model = models.mixed_field_ising(n)
    ends = [SparsePauliOp("I" * (n - 1 - q) + "X" + "I" * q) for q in (0, n - 1)]
    parts = []
    for A, beta in zip(ends, (hot, cold), strict=True):
        if kind == "dll":
            parts.append(dll(model, beta, (A,), GaussianFilter(beta)))
        elif kind == "davies":
            parts.append(davies_cat(model, beta, (A,), ohmic(beta, 0.2), coherent=NONE.value))
        else:
            parts.append(scandi_alhambra(model, beta, (A,), ohmic(beta, 0.2), 1.5))
    return model, parts


def qutip_parts(kind: str, model: Model, parts: list[Lindbladian]) -> list[Matrix]:
    """Each bath's 𝓛 in the computational basis: jumps by loops over Bohr components, B by the closed form."""
    found = []
    for part in parts:
        (contact,) = part.contacts
        A, beta, H = contact.coupling.to_matrix(), contact.beta, dense(model.terms)
        components = bohr_components(H, A)
        if kind == "davies":
            G = spectral(beta, 0.2)
            L = qutip.liouvillian(None, [qutip.Qobj(math.sqrt(G(-nu)) * M) for nu, M in components])
        else:
            f = Oracle(H, [A], beta, lambda nu, beta=beta: math.exp(-((beta * nu) ** 2) / 8 - beta * nu / 4))
            L = qutip.liouvillian(qutip.Qobj(f.coherent()), [qutip.Qobj(J) for J in f.jumps()])
        found.append(L.full())
    return found


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("kind", ["dll", "davies"])
def test_several_baths__steady_state_equals_qutip__two_temperatures(kind: str, n: int) -> None:
    model, parts = two_baths(kind, 0.3, 1.5, n)
    generator = several_baths(*parts)
    rho = spectrum(model).from_energy(stationary_state(superoperator(generator, hamiltonian=True)))
    total = sum(qutip_parts(kind, model, parts)) + qutip.liouvillian(qutip.Qobj(dense(model.terms))).full()
    theirs = qutip.steadystate(qutip.Qobj(total, dims=[[[2**n]] * 2] * 2)).full()
    np.testing.assert_allclose(rho, theirs, atol=1e-9)
    np.testing.assert_allclose(computational(superoperator(generator, hamiltonian=True), model), total, atol=1e-11)
    found = certificate(generator)
    assert finite(found)
    assert (found.residual, found.kms_defect, found.bias, found.lowest_population) == (None,) * 4
    assert found.steady_states == 1
    with pytest.raises(ArgumentError, match=r"0\.3, 1\.5"):
        _ = generator.beta


def heat_currents(parts: list[Lindbladian]) -> list[float]:
    """Tr[H L_c(ρ)] of every bath in the joint steady state."""
    rho = stationary_state(superoperator(several_baths(*parts), hamiltonian=True))
    E = spectrum(parts[0].model).energies
    return [float((E @ np.diag(unvec(superoperator(part) @ vec(rho)))).real) for part in parts]


@pytest.mark.parametrize("kind", ["dll", "davies", "scandi_alhambra"])
def test_several_baths__heat_flows_from_hot_to_cold__three_qubits(kind: str) -> None:
    hot, cold = heat_currents(two_baths(kind, 0.3, 1.5, 3)[1])
    assert hot > 1e-4
    assert cold == pytest.approx(-hot, abs=1e-12)
    first, second = heat_currents(two_baths(kind, 1.5, 0.3, 3)[1])
    assert first < -1e-4
    assert second == pytest.approx(-first, abs=1e-12)
    np.testing.assert_allclose(heat_currents(two_baths(kind, 1.0, 1.0, 3)[1]), 0.0, atol=1e-13)
    small = [heat_currents(two_baths(kind, 1.0 - x, 1.0 + x, 3)[1])[0] for x in (0.02, 0.04)]
    assert small[1] / small[0] == pytest.approx(2.0, abs=0.05)  # Fourier: linear in the difference


def test_several_baths__equal_temperatures__are_one_bath() -> None:
    _, parts = two_baths("dll", 1.0, 1.0, 3)
    found = certificate(several_baths(*parts))
    assert found.residual <= 1e-14
    assert found.kms_defect <= 1e-14


def test_several_baths__refuses__other_models_and_coherent_parts() -> None:
    _, (first, second) = two_baths("dll", 1.0, 2.0, 2)
    with pytest.raises(ArgumentError, match="share one model"):
        several_baths(first, two_baths("dll", 1.0, 2.0, 2)[1][1])
    with pytest.raises(ArgumentError, match="same coherent part"):
        several_baths(first, replace(second, coherent=NONE))


# QuTiP.


class Quiet(Bath):
    """A bath without its Lamb integral, which QuTiP leaves out."""

    def lamb(self, omega: Any) -> Any:
        return np.zeros(np.shape(omega))


def quiet(bath: Bath) -> Quiet:
    return Quiet(bath.name, bath.beta, bath.loss, bath.limit, bath.scale, bath.strength, bath.breaks, bath.exponent)


def test_davies__equals_qutip__jumps_of_every_frequency() -> None:
    A = XZ[:4]
    H, G, bath = dense(TRANSVERSE.terms), spectral(1.0, 0.5, 4.0), ohmic(1.0, 0.5, 4.0)
    components = [pair for a in A for pair in bohr_components(H, a.to_matrix())]
    jumps = [qutip.Qobj(math.sqrt(G(-nu)) * M) for nu, M in components]
    plain = davies_cat(TRANSVERSE, bath.beta, A, bath, coherent=NONE.value)
    theirs = qutip.liouvillian(None, jumps).full()
    np.testing.assert_allclose(computational(superoperator(plain), TRANSVERSE), theirs, atol=1e-12)
    S = lamb_integral(G)
    shift = qutip.Qobj(sum(S(-round(nu, 10)) * M.conj().T @ M for nu, M in components))
    theirs = qutip.liouvillian(shift + qutip.Qobj(H), jumps).full()
    mine = superoperator(davies_cat(TRANSVERSE, bath.beta, A, bath), hamiltonian=True)
    np.testing.assert_allclose(computational(mine, TRANSVERSE), theirs, atol=1e-9)


def test_redfield__equals_qutip__bloch_redfield_tensor_without_secular_cutoff() -> None:
    """QuTiP takes Γ = ½G: the whole tensor agrees for a bath without S, and with S only what S multiplies differs.

    The real half ½G alone gives a commutator, (γ(ν1) − γ(ν2))/4i, which QuTiP keeps and coherent = none leaves out.
    """
    bath, A = ohmic(1.0, 0.5, 4.0), XZ[:4]
    H = qutip.Qobj(dense(TRANSVERSE.terms))
    spectrum_of = to_qutip(bath)
    operators = [[qutip.Qobj(a.to_matrix()), lambda w: spectrum_of(w)] for a in A]
    theirs = qutip.bloch_redfield_tensor(H, operators, sec_cutoff=-1, fock_basis=True).full()
    kernel = Redfield(quiet(bath))
    contacts = tuple(Contact(a, kernel, RedfieldLamb(kernel)) for a in A)
    mine = superoperator(Lindbladian(TRANSVERSE, contacts, LAMB_SHIFT), hamiltonian=True)
    np.testing.assert_allclose(computational(mine, TRANSVERSE), theirs, atol=1e-11)
    full = computational(superoperator(redfield(TRANSVERSE, bath.beta, A, bath), hamiltonian=True), TRANSVERSE)
    S, missing = lamb_integral(spectral(1.0, 0.5, 4.0)), np.zeros_like(full)
    one = np.eye(8)
    for a in A:
        matrix = a.to_matrix()
        half = sum(1j * S(-round(nu, 10)) * M for nu, M in bohr_components(H.full(), matrix))  # the rest of Γ
        jump = matrix @ half
        missing += (
            np.kron(matrix.T, half) + np.kron(half.conj(), matrix) - np.kron(one, jump) - np.kron(jump.conj(), one)
        )
    np.testing.assert_allclose(full - theirs, missing, atol=1e-9)
    assert np.linalg.norm(missing) > 0.1


def test_certificate__says_unstable__redfield_without_its_shift() -> None:
    generator = redfield(models.mixed_field_ising(2), 1.0, couplings_of("Y", 2), ohmic(1.0), coherent="none")
    found, values = certificate(generator), np.linalg.eigvals(superoperator(generator)).real
    assert found.growth_rate == pytest.approx(values.max(), rel=1e-6)
    assert values.max() > 1e-3
    assert (found.bias, found.spectral_gap, found.gap_resolution) == (None, None, None)


def test_certificate__counts_with_the_whole_hamiltonian__sites_alone() -> None:
    model = from_terms([("ZZ", -1.0), ("XI", -1.0), ("IX", -0.5)])
    generator = local(model, 1.0, couplings_of("X", 2), filter=GaussianFilter(1.0))
    found, values = certificate(generator), np.linalg.svd(superoperator(generator, hamiltonian=True), compute_uv=False)
    assert found.steady_states == 4
    assert found.steady_states_with_hamiltonian == int(np.count_nonzero(values < 1e-10)) == 2


@pytest.mark.parametrize("step", [0.9, 0.99])
def test_channel_certificate__is_exact__long_steps(step: float) -> None:
    generator = dll(SMALL, 1.0, SMALL_XZ, GaussianFilter(1.0))
    found = channel_certificate(DiscreteChannel(generator, step))
    assert found.residual <= 1e-14
    assert found.kms_defect <= 1e-14


@pytest.mark.parametrize(("make", "exact"), [(redfield, False), (davies_cat, True)], ids=["redfield", "davies"])
def test_certificate__is_measured__six_qubits_without_factors(make: Callable[..., Lindbladian], exact: bool) -> None:
    model = models.mixed_field_ising(6)
    found = certificate(make(model, 1.0, couplings_of("Y", 6), ohmic(1.0)))
    assert (found.residual <= 1e-14) is exact
    assert found.steady_states_with_hamiltonian == 1
