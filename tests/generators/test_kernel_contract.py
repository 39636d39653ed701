"""What every kernel and every filter promises, checked on each class of the package and on a throw-away one of each."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import gibbs_circuits as gc
from gibbs_circuits.errors import ArgumentError
from gibbs_circuits.generators import filters, kernels
from gibbs_circuits.generators.contact import Coherent, Contact
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.filters.base import Filter, fourier, width_of
from gibbs_circuits.generators.filters.custom import CustomFilter, Tabulated
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.filters.metropolis import MetropolisFilter
from gibbs_circuits.generators.filters.pulses import BoxPulse, ErfPulse, GaussianPulse
from gibbs_circuits.generators.filters.rate import RateFilter
from gibbs_circuits.generators.filters.registry import FILTERS as NAMED
from gibbs_circuits.generators.filters.registry import filter_of
from gibbs_circuits.generators.kernels.base import Kernel, RankOne
from gibbs_circuits.generators.kernels.custom import CustomKernel
from gibbs_circuits.generators.kernels.davies import Secular
from gibbs_circuits.generators.kernels.filter_sum import FilterSum
from gibbs_circuits.generators.kernels.redfield import Redfield
from gibbs_circuits.generators.kernels.windowed import (
    ckg_gaussian,
    ckg_metropolis,
    coarse_grained,
    scandi_alhambra,
    shifted,
)
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.generators.matrices import (
    by_kernel,
    decay_entries,
    energy_spectrum,
    in_energy_basis,
    superoperator,
)
from tests.generators.test_registries import examples

BETA = 0.8
BATH = gc.baths.ohmic(BETA, cutoff=4.0)
MODEL = gc.models.mixed_field_ising(2, h=0.9, g=0.5)
FREQUENCIES = np.linspace(-4.0, 4.0, 41)


@dataclass(frozen=True)
class Sech(Filter):
    """All that a new filter has to say: q = 1/cosh(βν/2)."""

    beta: float
    name = "sech"

    @property
    def width(self) -> float:
        return width_of(self.time, 60 / self.beta)

    def frequency(self, nu: Any) -> Any:
        x = self.beta * np.asarray(nu, dtype=float)
        return np.exp(-x / 4) / np.cosh(x / 2).astype(complex)

    def time(self, t: Any) -> Any:
        return fourier(self.frequency, 60 / self.beta, t)


@dataclass(frozen=True, eq=False)
class TwoSech(Kernel):
    """All that a new kernel has to say."""

    beta: float
    detailed_balance = True

    def __call__(self, nu1: Any, nu2: Any) -> Any:
        f = Sech(self.beta).frequency
        return 2 * f(nu1) * f(nu2).conj()

    def factors(self) -> Any:
        return ((2.0, Sech(self.beta)),)


def gaussian_kernel(nu1: Any, nu2: Any) -> Any:
    q = np.exp(-((nu1 - nu2) ** 2) / 2 - (nu1 + nu2) ** 2 / 16)
    return q * np.exp(-BETA * (nu1 + nu2) / 4)


KERNELS: dict[str, Callable[[], Kernel]] = {
    "rank_one": lambda: RankOne(GaussianFilter(BETA), 0.7),
    "universal": lambda: RankOne(RateFilter(BATH)),
    "davies": lambda: Secular(BATH, 1e-9),
    "redfield": lambda: Redfield(BATH),
    "coarse_grained": lambda: coarse_grained(BATH, 1.0),
    "shifted": lambda: shifted(BATH, 1.0),
    "scandi_alhambra": lambda: scandi_alhambra(BATH, 1.0),
    "ckg_gaussian": lambda: ckg_gaussian(BETA, 1.0, 1 / BETA),
    "ckg_metropolis": lambda: ckg_metropolis(BETA, 1.0),
    "custom": lambda: CustomKernel(BETA, gaussian_kernel, 12.0),
    "filter_sum": lambda: FilterSum(
        BETA, ((0.5, GaussianPulse(BETA, 1.0, -1.0)), (0.2, GaussianPulse(BETA, 1.0, 1.0)))
    ),
    "new": lambda: TwoSech(BETA),
}
BALANCED = set(KERNELS) - {"redfield", "coarse_grained", "filter_sum"}
WITH_BATH = {"universal", "davies", "redfield", "coarse_grained", "shifted", "scandi_alhambra"}
FILTERS: dict[str, Callable[[], Filter]] = {
    **{name: partial(filter_of, {"kind": name, **examples(entry)}, BETA, MODEL) for name, entry in NAMED.items()},
    "gaussian": lambda: GaussianFilter(BETA),
    "lloyd_abanin": lambda: GaussianFilter(BETA, 2.0),
    "metropolis": lambda: MetropolisFilter(BETA, 12.0),
    "rate": lambda: RateFilter(BATH),
    "custom": lambda: CustomFilter(BETA, lambda nu: np.exp(-((BETA * nu) ** 2) / 6 - BETA * nu / 4), 8.0),
    "gaussian pulse": lambda: GaussianPulse(BETA, 1.0, 0.5),
    "box pulse": lambda: BoxPulse(BETA, 3.0, 0.5),
    "erf pulse": lambda: ErfPulse(BETA, 5.0, 1.0, 2.0, 0.5),
    "window": lambda: ckg_gaussian(BETA, 1.0, 1 / BETA).on(FREQUENCIES).factors()[40][1],
    "class": lambda: Secular(BATH, 1e-9).on(FREQUENCIES).factors()[20][1],
    "tabulated": lambda: Tabulated(BETA, FREQUENCIES, np.exp(-(FREQUENCIES**2) / 5).astype(complex)),
    "eigenfunction": lambda: KERNELS["custom"]().factors_in_time(FREQUENCIES)[1][1],
    "new": lambda: Sech(BETA),
}


def classes(package: ModuleType, base: type) -> set[type]:
    modules = [
        importlib.import_module(f"{package.__name__}.{found.name}") for found in pkgutil.iter_modules(package.__path__)
    ]
    return {
        thing
        for module in modules
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, base) and thing is not base
    }


def test_examples__are_of_every_class_in_the_package() -> None:
    assert classes(kernels, Kernel) == {type(make()) for make in KERNELS.values()} - {TwoSech}
    assert classes(kernels, Filter) | classes(filters, Filter) == {type(make()) for make in FILTERS.values()} - {Sech}


@cache
def generator(name: str) -> Lindbladian:
    kernel = KERNELS[name]()
    contacts = tuple(Contact(A, kernel) for A in couplings_of("XY", MODEL.num_qubits))
    return Lindbladian(MODEL, contacts, Coherent.NONE, name)


def on_levels(name: str) -> tuple[Kernel, list[Any], Any]:
    """The kernel told its Bohr frequencies, the couplings in the energy basis, and ν_ij."""
    found, s = generator(name), energy_spectrum(generator(name))
    ((kernel, contacts),) = by_kernel(found)
    return kernel, [in_energy_basis(contact.coupling, s) for contact in contacts], s.bohr_frequencies


def values(kernel: Kernel, nu: Any) -> Any:
    return np.asarray(kernel(nu[:, None], nu[None, :]))


@pytest.mark.parametrize("name", KERNELS)
def test_kernel__is_hermitian_and_in_the_balance_that_it_claims(name: str) -> None:
    kernel, nu = KERNELS[name](), FREQUENCIES
    alpha, scale = values(kernel, nu), np.abs(values(kernel, nu)).max()
    assert np.abs(alpha - alpha.conj().T).max() <= 1e-13 * scale
    balanced = kernel.balanced(nu[:, None], nu[None, :])
    assert np.allclose(balanced, alpha * np.exp(BETA * (nu[:, None] + nu[None, :]) / 4), rtol=1e-9, atol=1e-13 * scale)
    assert np.allclose(np.exp(kernel.log_balanced(nu)), np.abs(np.diag(balanced)), rtol=1e-9)
    off = np.abs(balanced - balanced[::-1, ::-1].T).max() / np.abs(balanced).max()
    assert kernel.detailed_balance == (name in BALANCED)
    assert off <= 1e-12 if name in BALANCED else off > 1e-3


@pytest.mark.parametrize("name", KERNELS)
def test_kernel__is_positive__all_but_redfield(name: str) -> None:
    eigenvalues = np.linalg.eigvalsh(KERNELS[name]().balanced(FREQUENCIES[:, None], FREQUENCIES[None, :]))
    assert KERNELS[name]().positive == (name != "redfield")
    assert (eigenvalues[0] < -1e-3 * eigenvalues[-1]) == (name == "redfield")


@pytest.mark.parametrize("name", KERNELS)
def test_kernel__factors_give_its_values__redfield_has_none(name: str) -> None:
    kernel, _, nu = on_levels(name)
    some = np.unique(nu)
    if name == "redfield":
        assert np.allclose(values(kernel, some), kernel.one_sided(some)[:, None] + kernel.one_sided(some).conj())
        with pytest.raises(ArgumentError):
            kernel.factors()
        return
    assert kernel.one_sided(some) is None
    assert kernel.error_of(kernel.factors(), nu) <= 1e-9 * np.abs(values(kernel, some)).max()
    assert not kernel.rank_one or len(kernel.factors()) == 1


@pytest.mark.parametrize("name", KERNELS)
def test_kernel__matrix_decay_and_transitions__are_those_of_its_values(name: str) -> None:
    kernel, couplings, nu = on_levels(name)
    d, flat = len(nu), nu.ravel()
    alpha, scale = values(kernel, flat), np.abs(values(kernel, flat)).max()
    assert np.abs(kernel.matrix(flat) - alpha).max() <= 1e-9 * scale
    R = decay_entries(kernel, couplings, nu, np.arange(d))
    assert np.abs(sum(kernel.decay(A, nu) for A in couplings) - R).max() <= 1e-9 * np.abs(R).max()
    found = kernel.transitions(couplings, nu)
    assert np.abs(found.decay - R).max() <= 1e-9 * np.abs(R).max()
    T = sum((np.einsum("ik,jl->ijkl", L, right.conj()) for L, right in found.pairs), np.zeros((d,) * 4))
    T = T.reshape(d * d, d * d) + (0 if found.sparse is None else found.sparse.toarray())
    stack = np.stack([A.ravel() for A in couplings])
    expected = (stack.T @ stack.conj() * alpha).reshape(d, d, d, d).transpose(0, 2, 1, 3).reshape(d * d, d * d)
    assert np.abs(T - expected).max() <= 1e-9 * np.abs(expected).max()


@pytest.mark.parametrize("name", KERNELS)
def test_kernel__factors_in_time__have_time_kernels_and_a_measured_error(name: str) -> None:
    kernel, _, nu = on_levels(name)
    if name == "redfield":
        with pytest.raises(ArgumentError):
            kernel.time_factors(nu)
        return
    found = kernel.time_factors(nu)
    assert all(np.all(np.isfinite(filter.time(np.array([0.0, 0.3])))) for _, filter in found.factors)
    assert found.error == pytest.approx(kernel.error_of(found.factors, nu), abs=1e-12)
    assert (found.resolution is not None) == kernel.secular
    assert kernel.secular or found.error <= 1e-5


@pytest.mark.parametrize("name", KERNELS)
def test_kernel__baths_and_references__are_said(name: str) -> None:
    kernel = KERNELS[name]()
    assert bool(kernel.baths) == (name in WITH_BATH)
    assert all(bath is BATH for bath in kernel.baths)
    assert all(reference.text and purpose for reference, purpose in kernel.references)
    assert kernel.coherent_reference.text
    assert kernel.secular == (name == "davies")


def test_new_kernel__is_a_generator_with_a_certificate_and_a_program() -> None:
    exact = Lindbladian(MODEL, generator("new").contacts, Coherent.BALANCE, "new")
    found = gc.certificate(exact)
    assert found.kms_defect is not None
    assert found.kms_defect <= 1e-10
    assert found.residual is not None
    assert found.residual <= 1e-12
    program = gc.compile(exact, "parallel", sweeps=1, strength=0.1, spacing=0.4, nodes=3)
    assert "2404.05998" in gc.citation(program)
    plain = superoperator(generator("new"))
    twice = superoperator(
        Lindbladian(MODEL, tuple(Contact(c.coupling, RankOne(Sech(BETA), 2.0)) for c in exact.contacts), Coherent.NONE)
    )
    assert np.abs(plain - twice).max() <= 1e-12 * np.abs(plain).max()


@pytest.mark.parametrize("name", FILTERS)
def test_filter__balanced_form_logarithm_support_and_matrix__agree(name: str) -> None:
    filter, nu = FILTERS[name](), FREQUENCIES
    f, q = filter.frequency(nu), filter.symmetric(nu)
    assert np.allclose(q, f * np.exp(BETA * nu / 4), rtol=1e-10, atol=1e-14)
    seen = np.abs(q) > 0
    assert np.allclose(filter.log_symmetric(nu)[seen], np.log(np.abs(q[seen])), rtol=1e-9, atol=1e-9)
    assert np.all(filter.support(nu)[seen])
    assert np.array_equal(filter.matrix(nu), f)
    assert np.array_equal(filter.matrix(nu, balanced=True), q)
    assert filter.beta == BETA
    assert filter.name


@pytest.mark.parametrize("name", [name for name in FILTERS if name not in ("class", "tabulated", "box pulse")])
def test_filter__time_kernel__transforms_to_the_filter(name: str) -> None:
    filter, nu = FILTERS[name](), np.linspace(-3.0, 3.0, 7)
    t = np.linspace(-40.0, 40.0, 801) * max(filter.width / 8, 0.2)
    found = np.exp(1j * nu[:, None] * t) @ filter.time(t) * (t[1] - t[0])
    assert np.abs(found - filter.frequency(nu)).max() <= 2e-3 * np.abs(filter.frequency(nu)).max()
