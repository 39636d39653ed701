"""What holds of every reference: a new one is tested by its line in the registry."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.linalg
from qiskit.quantum_info import SparsePauliOp

import gibbs_circuits as gc
from gibbs_circuits.evidence import Status
from gibbs_circuits.exact.free_fermions.jordan_wigner import (
    PAIRS,
    NotQuadraticError,
    majoranas,
    pfaffian,
    quadratic_model,
)
from gibbs_circuits.exact.references.base import GibbsReference, sparse_of
from gibbs_circuits.exact.references.registry import REFERENCES, first_reference, why_none
from gibbs_circuits.models.model import Model, from_terms
from tests.systems import Matrix, dense

NAMES = [one.name for one in REFERENCES]
MODELS = {
    "tfim": gc.models.tfim(4, h=0.7),
    "xy": gc.models.xxz(4, J=0.8, delta=0.0),
    "mixed": gc.models.mixed_field_ising(3, g=0.5),
    "classical": from_terms([("IYII", 0.3), ("XYII", -0.7), ("IYXY", 0.4), ("IIII", 0.2), ("XIIY", -0.6)]),
    "y_string": from_terms([("IYI", 0.3), ("XXI", -0.7), ("IZX", 0.4), ("III", 0.2)]),
    "independent": from_terms([("IIIX", 0.3), ("IIIZ", -0.8), ("IIZI", 0.5), ("IYII", 0.9), ("XIII", -0.2)]),
}
BETAS = (0.0, 0.3, 1.7)


def boltzmann(H: Matrix, beta: float) -> Matrix:
    weight = scipy.linalg.expm(-beta * H)
    return np.asarray(weight / np.trace(weight))


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("reference", REFERENCES, ids=NAMES)
def test_every_reference__is_the_boltzmann_state__wherever_it_applies(reference: GibbsReference, beta: float) -> None:
    applied = 0
    for model in MODELS.values():
        if reference.why_not(model, beta) is not None:
            continue
        applied += 1
        H = dense(model.terms)
        rho, E = boltzmann(H, beta), np.linalg.eigvalsh(H)
        found, log_z = reference.answer(model, beta), float(np.log(np.sum(np.exp(-beta * E))))
        mean = float(np.real(np.trace(H @ rho)))
        spread = float(np.real(np.trace(H @ H @ rho))) - mean**2
        truth = {
            "energy": mean,
            "free_energy": None if beta == 0 else -log_z / beta,
            "entropy": beta * mean + log_z,
            "heat_capacity": beta**2 * spread,
            "purity": float(np.real(np.trace(rho @ rho))),
            "ground_energy": float(E[0]),
        }
        for name, exact in truth.items():
            value = getattr(found.thermal, name)
            known = found.status is Status.PROVED or name == "energy"  # what others may leave out
            if known or value is not None:
                off = 2 * found.errors.get(name, 0.0) + 1e-9  # bars hold 95 times in 100
                assert value == (None if exact is None else pytest.approx(exact, abs=off))
        labels = [*map("".join, itertools.product("IXYZ", repeat=model.num_qubits))]
        labels = [label for label in labels if found.paulis([sparse_of(label)]) is not None]
        assert len(labels) > 3 * model.num_qubits
        strings = [sparse_of(label) for label in labels]
        values, bars = found.paulis(strings), found.pauli_errors(strings)
        assert values is not None
        expected = [float(np.real(np.trace(dense([(label, 1.0)]) @ rho))) for label in labels]
        off = np.abs(values - expected) - 1e-9
        assert np.mean(off <= bars) >= 0.85  # strings of one state go astray together
        assert np.all(off <= 2 * bars.max())
        assert found.expectation(SparsePauliOp(labels[5], 0.5)) == pytest.approx(values[5] / 2)
    assert applied


def test_first_reference__is_the_first_that_applies__small_large_and_none() -> None:
    small, large = gc.models.tfim(4), gc.models.tfim(100)
    strip, none = gc.models.mixed_field_ising(40, g=0.5), everything_touches(24)
    found = [first_reference(model, 1.0) for model in (small, large, strip, none)]
    names = [None if one is None else one.name for one in found]
    assert names == ["dense", "free_fermions", "matrix_product", None]
    said = why_none(none, 1.0)
    assert said.startswith("dense: the spectrum of H is computed up to 12 qubits, not 24; free fermions: ")
    assert "transfer matrix: site 23 has X and Z" in said
    assert "interactions cross one bond" in said
    assert "typicality: random vectors are cooled up to 20 qubits, not 24" in said


def everything_touches(n: int) -> Model:
    """XX between all pairs, and fields: no line, no patch and no transformation is of use."""
    pairs = [
        ("".join("X" if q in pair else "I" for q in range(n)), 0.1) for pair in itertools.combinations(range(n), 2)
    ]
    fields = [("I" * k + letter + "I" * (n - 1 - k), 0.7) for k in range(n) for letter in "ZX"]
    return from_terms([*pairs, *fields])


@pytest.mark.parametrize("letter", PAIRS)
def test_majoranas__multiply_to_the_pauli_string__all_of_three_qubits(letter: str) -> None:
    n, (first, second) = 3, PAIRS[letter]
    w = [dense([("".join(reversed([letter] * j + [one] + ["I"] * (n - 1 - j))), 1.0)])
         for j in range(n) for one in (first, second)]  # fmt: skip
    for label in map("".join, itertools.product("IXYZ", repeat=n)):
        phase, places = majoranas(label, letter)
        product = phase * np.linalg.multi_dot([np.eye(8), np.eye(8), *(w[k] for k in places)])
        assert product == pytest.approx(dense([(label, 1.0)]), abs=1e-12)


@pytest.mark.parametrize("size", [0, 2, 4, 8])
def test_pfaffian__squares_to_the_determinant__and_changes_its_sign_with_two_rows(size: int) -> None:
    a = np.random.default_rng(size).standard_normal((size, size))
    a = a - a.T
    assert pfaffian(a) ** 2 == pytest.approx(np.linalg.det(a) if size else 1.0)
    if size:
        swapped = [1, 0, *range(2, size)]
        assert pfaffian(a[np.ix_(swapped, swapped)]) == pytest.approx(-pfaffian(a))
    if size == 4:
        assert pfaffian(a) == pytest.approx(a[0, 1] * a[2, 3] - a[0, 2] * a[1, 3] + a[0, 3] * a[1, 2])


def test_quadratic_model__control__a_field_along_the_bonds_is_refused() -> None:
    with pytest.raises(NotQuadraticError, match="not quadratic"):
        quadratic_model(gc.models.mixed_field_ising(4, g=0.5))
    with pytest.raises(NotQuadraticError, match="not quadratic"):
        quadratic_model(gc.models.heisenberg(4))
