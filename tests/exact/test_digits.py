"""Figures that doubles do not decide: found in more digits, or refused; and generators that do not move."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pytest
from qiskit.quantum_info import SparsePauliOp

import gibbs_circuits as gc
from gibbs_circuits.errors import NotConvergedError
from gibbs_circuits.exact.certificate.frozen import refuse_frozen
from gibbs_circuits.exact.dynamics.iteration import iterative
from gibbs_circuits.exact.dynamics.nonequilibrium import between_baths, entropy_error
from gibbs_circuits.exact.dynamics.steady import limit_of, stationary
from gibbs_circuits.exact.many_digits.relaxation import balanced_gap, relaxed
from gibbs_circuits.exact.structure.detailed_balance import residual
from gibbs_circuits.exact.structure.matrix_free import generator_flow
from gibbs_circuits.exact.structure.rates import rates
from gibbs_circuits.generators.matrices import energy_spectrum, superoperator

COLD = gc.Model(
    SparsePauliOp.from_list(
        [("ZZI", -1.0), ("IZZ", -1.0), ("XII", -0.4), ("IXI", -0.3), ("IIX", -0.5), ("IIZ", -0.05)]
    ),
    "cold chain",
)
FLIP_FLOP = gc.Model(SparsePauliOp.from_list([("XX", -0.5), ("YY", -0.5)]), "flip-flop")
HYDROGEN = gc.Model(
    SparsePauliOp.from_list([("II", -1.0523), ("IZ", 0.3979), ("ZI", -0.3979), ("ZZ", -0.0113), ("XX", 0.1809)]),
    "hydrogen",
)


@pytest.mark.parametrize("beta", [2.0, 12.0, 40.0])
def test_balanced_gap__closed_form__one_qubit(beta: float) -> None:
    # L = f(1)|1⟩⟨0| + f(−1)|0⟩⟨1|: the slowest coherence decays with ½(f(−1) − f(1))² = 2 q² sinh²(β/4)
    generator = gc.dll(gc.Model(SparsePauliOp("Z") * 0.5, "qubit"), beta, "X")
    wanted = 2 * math.exp(-(beta**2) / 4) * math.sinh(beta / 4) ** 2
    assert balanced_gap(generator, 1) == pytest.approx(wanted, rel=1e-10)
    assert gc.spectral_gap(generator).value == pytest.approx(wanted, rel=1e-9)


def test_relaxed__equals_doubles__where_these_decide() -> None:
    for make in (gc.ule, gc.redfield, gc.davies):
        generator = make(gc.models.mixed_field_ising(2), 1.0, "XZ")
        found = relaxed(generator, hamiltonian=True, stationary=1, beta=1.0)
        assert found is not None
        assert gc.trace_distance(found.state, stationary(generator, hamiltonian=True).state) < 1e-12
        assert found.error < 1e-9


# Right values from dense superoperators in 120 to 500 digits, other code.
def test_between_baths__two_cold_ones__three_sites() -> None:
    pair = gc.several_baths(gc.dll(COLD, 7.0, ["IIX"]), gc.dll(COLD, 8.0, ["XII"]))
    found = between_baths(pair)
    assert found.how == "digits"
    assert found.energy == pytest.approx(-2.251557, abs=5e-7)
    assert [side.heat_current for side in found.baths] == pytest.approx([1.42515e-5, -1.42515e-5], rel=1e-5)
    assert all(side.heat_current_error < 1e-12 for side in found.baths)


def test_heat_currents__two_baths_at_one_beta__are_two_numbers() -> None:
    pair = gc.several_baths(gc.dll(COLD, 1.0, ["IIX"]), gc.dll(COLD, 1.0, ["XII"]))
    currents = gc.heat_currents(pair, gc.gibbs_state(COLD, 0.5))
    assert list(currents) == [0, 1]
    assert all(value < -1e-2 for value in currents.values())
    alone = [gc.heat_currents(gc.dll(COLD, 1.0, [label]), gc.gibbs_state(COLD, 0.5))[0] for label in ("IIX", "XII")]
    assert list(currents.values()) == pytest.approx(alone)


@lru_cache
def cold(beta: float) -> tuple[gc.Lindbladian, gc.Certificate]:
    """A cold chain without the coherent term."""
    generator = gc.dll(COLD, beta, "Y", coherent="none")
    return generator, gc.certificate(generator)


@pytest.mark.parametrize(
    ("beta", "hamiltonian", "right", "tolerance"),
    [(8.0, True, 1.8e-5, 5e-7), (8.0, False, 0.321, 5e-4), (12.0, True, 4.99e-6, 5e-9), (12.0, False, 0.29790, 5e-6)],
)
def test_steady_state__without_coherent_term__cold_chain(
    beta: float, hamiltonian: bool, right: float, tolerance: float
) -> None:
    generator, cert = cold(beta)
    assert residual(generator) < 1e-8  # the old rule would have called this no bias
    rho = gc.steady_state(generator, hamiltonian=hamiltonian)
    assert gc.trace_distance(rho, gc.gibbs_state(COLD, beta)) == pytest.approx(right, abs=tolerance)
    shown = cert.bias_with_hamiltonian if hamiltonian else cert.bias
    assert shown == pytest.approx(right, abs=tolerance)
    assert cert.error_estimate["bias_with_hamiltonian" if hamiltonian else "bias"] < 1e-9


def test_steady_state__is_refused__beyond_the_digits() -> None:
    five = gc.models.mixed_field_ising(5, J=1.0, h=0.4, g=0.05)
    with pytest.raises(NotConvergedError, match="rounding may move it"):
        gc.steady_state(gc.dll(five, 30.0, "Y", coherent="none"), hamiltonian=False)


def test_bias__of_several_steady_states__says_from_which_start() -> None:
    generator = gc.redfield(FLIP_FLOP, 5.0, "X", gc.baths.ohmic(5.0, 1.0, 1.0))
    sigma = gc.gibbs_state(FLIP_FLOP, 5.0)
    assert gc.certificate(generator).steady_states_with_hamiltonian == 2
    kept = (1 - np.trace(sigma @ SparsePauliOp("XX").to_matrix()).real) / 2  # weight of σ where X₀X₁ = −1
    assert kept == pytest.approx(1 / (1 + math.e**5), rel=1e-12)
    plus, mixed = np.full((4, 4), 0.25), np.eye(4) / 4
    assert gc.trace_distance(limit_of(generator, plus), sigma) == pytest.approx(kept, rel=1e-9)  # .00669
    bias = gc.certificate(generator).bias
    assert gc.trace_distance(limit_of(generator, mixed), sigma) == pytest.approx(0.5 - kept, rel=1e-9)
    assert bias is None or bias == pytest.approx(0.5 - kept, rel=1e-9)  # none where it grows


def test_iterative__error_covers_the_difference__slow_and_fast() -> None:
    for beta in (0.5, 3.0):
        generator = gc.ule(gc.models.mixed_field_ising(3), beta, "XZ")
        flow = generator_flow(generator)
        rho, error = iterative(flow, np.eye(8, dtype=complex) / 8)
        exact = energy_spectrum(generator).to_energy(stationary(generator, hamiltonian=True).state)
        assert gc.trace_distance(rho, exact) <= error
        assert error < 1e-8


def test_rates__underflow_is_not_zero__hydrogen_at_room_temperature() -> None:
    generator = gc.dll(HYDROGEN, 1052.6, "X")
    found = rates(generator)
    assert found.dead
    assert found.frozen == found.allowed == 4
    # the fastest: ln γ(−ν) = −(βν)²/4 + βν/2 at the smallest of the Bohr frequencies that X joins
    E, V = np.linalg.eigh(HYDROGEN.hamiltonian.to_matrix())
    nu = np.subtract.outer(E, E)
    flips = sum(np.abs(V.conj().T @ SparsePauliOp(label).to_matrix() @ V) ** 2 for label in ("IX", "XI"))
    x = 1052.6 * np.abs(nu)
    logs = np.where((flips > 1e-12) & (nu < 0), -(x**2) / 4 + x / 2 + np.log(np.maximum(flips, 1e-300)), -np.inf)
    assert found.log10_largest == pytest.approx(np.max(logs) / math.log(10), rel=1e-9)
    cert = gc.certificate(generator)
    assert (cert.steady_states, cert.residual, cert.bias, cert.spectral_gap) == (16, None, None, None)


def test_refuse_frozen__names_what_moves__filter_and_cutoff() -> None:
    with pytest.raises(gc.ArgumentError, match=r'filter = "metropolis"'):
        gc.compile(gc.dll(HYDROGEN, 1052.6, "X"))
    megahertz = gc.Model(SparsePauliOp.from_list([("IZ", -2500.0), ("ZI", -2600.0), ("XX", 20.0)]), "qubits")
    with pytest.raises(gc.ArgumentError, match="raise the cutoff"):
        gc.compile(gc.davies(megahertz, 0.00096, "X", gc.baths.ohmic(0.00096, 1.0, 5.0)))
    refuse_frozen(gc.dll(HYDROGEN, 1052.6, "X", filter="metropolis"))
    refuse_frozen(gc.davies(megahertz, 0.00096, "X", gc.baths.ohmic(0.00096, 1.0, 13000.0)))
    with pytest.raises(gc.ArgumentError, match="spectral gap above 1e-09"):
        refuse_frozen(gc.dll(COLD, 12.0, "Y"))


def test_spectral_gap__is_a_value_or_a_reason__never_silent() -> None:
    classical = gc.spectral_gap(gc.dll(gc.models.tfim(6, h=0.0), 1.0, "X"))
    assert classical.value == pytest.approx(0.09345, abs=5e-6)
    larger = gc.spectral_gap(gc.dll(gc.models.tfim(7, h=0.0), 1.0, "X"))
    assert 0.05 < larger.value < classical.value
    biased = gc.spectral_gap(gc.ule(gc.models.mixed_field_ising(6), 1.0))
    assert biased.value is None
    assert "5 qubits" in str(biased.reason)


@pytest.mark.parametrize("dim", [2, 4, 8])
def test_entropy_error__bounds_the_difference__states_close_by(dim: int) -> None:
    def entropy(p: np.ndarray) -> float:
        return float(-np.sum(p[p > 0] * np.log(p[p > 0])))

    rng = np.random.default_rng(dim)
    for size in (1e-12, 1e-6, 1e-2):
        p = rng.dirichlet(np.full(dim, 0.3))
        q = (1 - size) * p + size * rng.dirichlet(np.full(dim, 0.3))
        assert abs(entropy(p) - entropy(q)) <= entropy_error(0.5 * float(np.abs(p - q).sum()), dim)
    pure = np.eye(dim)[0]  # where it is attained: a pure state and its mixture with all the others
    mixed = np.where(pure > 0, 1 - 1e-3, 1e-3 / (dim - 1))
    assert entropy(mixed) == pytest.approx(entropy_error(1e-3, dim), rel=1e-9)


@pytest.mark.parametrize("width", [1.2, 1.4, 1.5, 2.0, 2.7])
def test_spectral_gap__between_the_digits__is_not_the_size_of_epsilon(width: float) -> None:
    x = 12 * width  # coherences of a qubit under X and Z decay with 2 e^{−x²/4} cosh(x/2)
    generator = gc.dll(gc.Model(SparsePauliOp("Z") * (-width / 2), "qubit"), 12.0, "XZ")
    found = gc.certificate(generator)
    assert found.spectral_gap == pytest.approx(2 * math.exp(-(x**2) / 4) * math.cosh(x / 2), rel=1e-9)


def test_spectral_gap__far_from_normal__is_that_of_the_whole_generator() -> None:
    # mpmath, 300 digits, other code; the Hermitian part alone has 9.43e-39
    model = gc.Model(SparsePauliOp.from_list([("X", -1.0), ("Z", 1.0)]), "qubit")
    couplings = [[["X", 0.668]], [["Y", -1.0], ["X", -1.0]]]
    generator = gc.dll(model, 7.0, couplings, coherent="none")
    assert gc.certificate(generator).spectral_gap == pytest.approx(5.56194457752e-39, rel=1e-9)


def test_steady_states__without_coherent_term__are_counted_on_the_generator() -> None:
    model = gc.Model(SparsePauliOp.from_list([("XI", 1.0), ("XX", -1.0), ("ZX", 0.5)]), "pair")
    generator = gc.ule(model, 1.0, [[["XY", -1.0]]], coherent="none")
    zero = np.linalg.svd(superoperator(generator), compute_uv=False) < 1e-12
    found = gc.certificate(generator)
    assert int(np.count_nonzero(zero)) == found.steady_states == 4
    assert found.bias_start == "maximally mixed"
    assert found.steady_states_with_hamiltonian == 1
    assert gc.compile(generator, "dilated_1", strength=0.3, sweeps=2).sweeps == 2  # its gap is .41: not refused


def test_bias__beyond_the_digits__is_none() -> None:
    # rates of 1e-125: nothing here tells them from zero, and no Boltzmann factor bounds them
    terms = [("IIIZ", 17.5), ("IIZI", 0.5), ("IZII", 0.4), ("ZIII", 0.6)]
    generator = gc.dll(gc.Model(SparsePauliOp.from_list(terms), "fields"), 1.0, "X", coherent="none")
    assert gc.certificate(generator).bias is None
    with pytest.raises(NotConvergedError):
        gc.steady_state(generator)


@pytest.mark.parametrize(("beta", "right"), [(6.0, 0.0284606), (8.0, 0.028254)])
def test_steady_states__local_and_cold__one_with_the_whole_hamiltonian(beta: float, right: float) -> None:
    found = gc.certificate(gc.local(gc.models.mixed_field_ising(2), beta, "Y"))
    assert found.steady_states_with_hamiltonian == 1
    assert found.bias_with_hamiltonian == pytest.approx(right, abs=5e-7)


@pytest.mark.parametrize("tilt", [1e-6, 1e-7, 1e-8, 1e-9])
def test_steady_states__field_tilted_by_little__is_one(tilt: float) -> None:
    model = gc.Model(SparsePauliOp.from_list([("Z", -1.0), ("X", tilt)]), "tilted")
    found = gc.certificate(gc.dll(model, 1.0, "Z"))
    assert (found.steady_states, found.bias) == (1, 0.0)
    assert found.spectral_gap == pytest.approx(2.42453423579e-1 * tilt**2, rel=1e-4)


def test_status__a_figure_below_its_error_is_not_measured() -> None:
    found = gc.certificate(gc.dll(gc.models.mixed_field_ising(5, J=1.0, h=0.4, g=0.05), 7.0, "Y", coherent="none"))
    value, error = found.bias_with_hamiltonian, found.error_estimate["bias_with_hamiltonian"]
    assert value is None or value > error or found.status("bias_with_hamiltonian").value == "not_checked"


def test_faster__names_what_moves__every_rate_underflows() -> None:
    advice = gc.faster(gc.dll(HYDROGEN, 1052.6, "X"))
    assert advice is not None
    assert "metropolis" in advice.name
    assert "nothing moves" in str(advice)


def test_rates__within_degenerate_levels__are_no_zero_generator() -> None:
    model = gc.Model(SparsePauliOp.from_list([("YX", 1.0), ("YZ", 1.0), ("ZI", -1.029)]), "degenerate")
    generator = gc.dll(model, 20.0, [[["YX", 1.0], ["ZX", -2.069]], [["ZI", -0.985]]], coherent="none")
    found = gc.certificate(generator)
    assert found.rates is not None
    assert found.rates.dead
    assert not found.rates.zero
    decays = np.sort(-np.linalg.eigvals(superoperator(generator)).real)
    assert found.spectral_gap == pytest.approx(decays[decays > 1e-9][0], rel=1e-9)
