"""All references on ten models: they agree within their bars, and the bars hold as often as they say. And TeNPy."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import gibbs_circuits as gc
from gibbs_circuits.evidence import Status
from gibbs_circuits.exact.references.dense import dense
from gibbs_circuits.exact.references.local import local_states
from gibbs_circuits.exact.references.matrix_product import matrix_product
from gibbs_circuits.exact.references.registry import REFERENCES
from gibbs_circuits.models.model import Model, from_terms
from gibbs_circuits.models.regions import connected_regions, local_distance, strings_of

pytestmark = pytest.mark.slow


def on_pairs(n: int, pairs: list[tuple[int, int]], bond: dict[str, float], field: dict[str, float]) -> Model:
    def label(letters: dict[int, str]) -> str:
        return "".join(letters.get(n - 1 - k, "I") for k in range(n))

    terms = [(label({a: letter, b: letter}), c) for a, b in pairs for letter, c in bond.items()]
    return from_terms([*terms, *((label({q: letter}), c) for q in range(n) for letter, c in field.items())])


def random_fields(n: int) -> Model:
    rng, chain = np.random.default_rng(1), gc.models.xxz(n, delta=0.7)
    fields = [("I" * (n - 1 - q) + "Z" + "I" * q, float(h)) for q, h in enumerate(rng.uniform(-0.8, 0.8, n))]
    return from_terms([*chain.terms, *fields])


LADDER = [(2 * k, 2 * k + 1) for k in range(4)] + [(2 * k + r, 2 * k + 2 + r) for k in range(3) for r in (0, 1)]
SQUARE = [(3 * a + b, 3 * a + b + 1) for a in range(3) for b in range(2)] + [(q, q + 3) for q in range(6)]
TEN = {
    "mixed_field_ising": (gc.models.mixed_field_ising(8, h=0.9, g=0.5), 1.0),
    "mixed_field_ising_hot": (gc.models.mixed_field_ising(9, h=0.9, g=0.5), 0.3),
    "tfim": (gc.models.tfim(9, h=1.2), 1.0),
    "critical": (gc.models.tfim(8, h=1.0), 1.0),
    "ring": (gc.models.tfim(8, h=1.2, periodic=True), 0.7),
    "xxz_fields": (random_fields(8), 0.7),
    "heisenberg": (gc.models.heisenberg(8), 0.5),
    "xy": (gc.models.xxz(8, delta=0.0), 0.8),
    "ladder": (on_pairs(8, LADDER, {"Z": -1.0}, {"X": -1.2, "Z": -0.3}), 0.7),
    "square": (on_pairs(9, SQUARE, {"Z": -1.0}, {"X": -3.0}), 0.5),
}


def test_references__agree_within_their_bars__ten_models() -> None:
    held: dict[str, list[bool]] = {}
    for model, beta in TEN.values():
        truth, regions = dense.answer(model, beta), connected_regions(model, 3)
        sigma = local_states(truth, regions)
        strings = [string for region in regions for string in strings_of(region) if string]
        exact = truth.paulis(strings)
        for reference in REFERENCES[1:]:
            if reference.why_not(model, beta) is not None:
                continue
            found, mine = reference.answer(model, beta), held.setdefault(reference.name, [])
            for name, bar in found.errors.items():
                mine.append(abs(getattr(found.thermal, name) - getattr(truth.thermal, name)) <= bar)
            values = found.paulis(strings)
            assert values is not None
            assert exact is not None
            within = np.abs(values - exact) <= found.pauli_errors(strings) + 1e-9
            mine.append(bool(np.mean(within) >= 0.85))
            if found.status is Status.PROVED:
                assert np.all(within)
                assert found.thermal.energy == pytest.approx(truth.thermal.energy, abs=1e-9)
            states = local_states(found, regions)
            mine.append(local_distance(states, sigma).largest <= states.error + 1e-9)
    assert set(held) == {"free_fermions", "matrix_product", "typicality", "patches"}
    shares = {name: float(np.mean(one)) for name, one in held.items()}
    assert shares["free_fermions"] == 1.0
    assert min(shares.values()) >= 0.9, shares
    assert shares["matrix_product"] >= 0.95, shares


def test_matrix_product__is_the_state_of_tenpy__thirty_sites() -> None:
    pytest.importorskip("tenpy")
    n, beta, h, g = 30, 1.0, 0.9, 0.5
    model = gc.models.mixed_field_ising(n, h=h, g=g)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        z, x = _tenpy(n, beta, h, g, 0.025)
    found = matrix_product.answer(model, beta)
    strings = [((q, letter),) for letter in "ZX" for q in range(n)]
    values = found.paulis(strings)
    assert values is not None
    signs = [np.sign(dict(model.terms)["I" * (n - 1) + letter]) for letter in "ZX"]  # which way the fields point
    expected = np.concatenate([-signs[0] * z, -signs[1] * x])
    assert np.abs(values - expected).max() <= found.pauli_errors(strings).max() + 1e-4  # TeNPy's own steps


def _tenpy(n: int, beta: float, h: float, g: float, step: float) -> tuple[np.ndarray, np.ndarray]:
    from tenpy.algorithms.purification import PurificationTEBD
    from tenpy.models.lattice import Chain
    from tenpy.models.model import CouplingModel, NearestNeighborModel
    from tenpy.networks.purification_mps import PurificationMPS
    from tenpy.networks.site import SpinHalfSite

    lattice = Chain(n, SpinHalfSite(conserve=None), bc="open", bc_MPS="finite")
    terms = CouplingModel(lattice)
    for q in range(n):
        terms.add_onsite_term(-h, q, "Sigmax")
        terms.add_onsite_term(-g, q, "Sigmaz")
    for q in range(n - 1):
        terms.add_coupling_term(-1.0, q, q + 1, "Sigmaz", "Sigmaz")
    psi = PurificationMPS.from_infiniteT(lattice.mps_sites(), bc="finite", unit_cell_width=n)
    options = {"trunc_params": {"chi_max": 60, "svd_min": 1e-7}, "dt": step}
    PurificationTEBD(psi, NearestNeighborModel(lattice, terms.calc_H_bond()), options).run_imaginary(beta / 2)
    return np.asarray(psi.expectation_value("Sigmaz")), np.asarray(psi.expectation_value("Sigmax"))
