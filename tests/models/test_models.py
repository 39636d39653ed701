from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from qiskit.quantum_info import SparsePauliOp

from gibbs_circuits import models
from gibbs_circuits.errors import ArgumentError, InvalidModelError
from gibbs_circuits.models.files import read_model
from gibbs_circuits.models.library.registry import LIBRARY
from gibbs_circuits.models.model import Model, from_terms
from gibbs_circuits.models.spectrum import thermal
from tests.systems import Matrix, Terms, dense, label, lowering, model_of, reference


def ising(n: int, bonds: list[tuple[int, int]], J: float, h: float, g: float) -> Terms:
    pairs = [(label(n, {i: "Z", j: "Z"}), -J) for i, j in bonds]
    return pairs + [(label(n, {i: p}), -c) for i in range(n) for p, c in (("X", h), ("Z", g))]


def chain(n: int, periodic: bool) -> list[tuple[int, int]]:
    return [(i, (i + 1) % n) for i in range(n if periodic and n > 2 else n - 1)]


def hubbard(sites: int, t: float, U: float, mu: float, periodic: bool) -> Matrix:
    c = [lowering(q, 2 * sites) for q in range(2 * sites)]
    number = [a.conj().T @ a for a in c]
    H = -mu * sum(number)
    for i, j in chain(sites, periodic):
        for spin in (0, sites):
            hop = c[i + spin].conj().T @ c[j + spin]
            H = H - t * (hop + hop.conj().T)
    return H + U * sum(number[i] @ number[sites + i] for i in range(sites))


def kagome_bonds(columns: int, rows: int, periodic: bool) -> set[frozenset[int]]:
    """Corner-sharing triangles: sites are neighbours when they are half a lattice vector apart."""
    a1, a2 = np.array([1.0, 0.0]), np.array([0.5, np.sqrt(3) / 2])
    cells = [(x, y) for y in range(rows) for x in range(columns)]
    sites = [x * a1 + y * a2 + shift for x, y in cells for shift in (0 * a1, a1 / 2, a2 / 2)]
    images = itertools.product((-1, 0, 1), repeat=2) if periodic else [(0, 0)]
    shifts = [columns * k * a1 + rows * m * a2 for k, m in images]
    return {
        frozenset((i, j))
        for i, j in itertools.combinations(range(len(sites)), 2)
        for s in shifts
        if abs(np.linalg.norm(sites[i] - sites[j] + s) - 0.5) < 1e-9
    }


def bonds_of(model: Model) -> set[frozenset[int]]:
    n = model.num_qubits
    found = [frozenset(n - 1 - k for k, p in enumerate(text) if p == "Z") for text, _ in model.terms]
    return {bond for bond in found if len(bond) == 2}


@pytest.mark.parametrize(("n", "periodic"), [(1, False), (2, False), (3, False), (4, True)])
def test_mixed_field_ising__equals_kron__chain_and_ring(n: int, periodic: bool) -> None:
    expected = dense(ising(n, chain(n, periodic), 0.8, 0.9, -0.5))
    found = models.mixed_field_ising(n, 0.8, 0.9, -0.5, periodic)
    np.testing.assert_allclose(found.hamiltonian.to_matrix(), expected, atol=1e-14)
    np.testing.assert_allclose(dense(found.terms), expected, atol=1e-14)


def test_tfim__equals_kron__and_has_its_name() -> None:
    found = models.tfim(3, 0.7, 1.2)
    np.testing.assert_allclose(dense(found.terms), dense(ising(3, chain(3, False), 0.7, 1.2, 0.0)), atol=1e-14)
    assert found.name == "tfim"


@pytest.mark.parametrize("periodic", [False, True])
def test_xxz__equals_kron__fields_per_site(periodic: bool) -> None:
    J, delta, fields = 0.7, -0.4, [0.1, 0.2, -0.3]
    terms = [
        (label(3, {i: p, j: p}), J * s)
        for i, j in chain(3, periodic)
        for p, s in zip("XYZ", (1, 1, delta), strict=True)
    ]
    terms += [(label(3, {i: "Z"}), h) for i, h in enumerate(fields)]
    np.testing.assert_allclose(dense(models.xxz(3, J, delta, fields, periodic).terms), dense(terms), atol=1e-14)


def test_heisenberg__is_xxz_at_delta_one__uniform_field() -> None:
    terms = [(label(2, {0: p, 1: p}), 1.5) for p in "XYZ"] + [("IZ", 0.2), ("ZI", 0.2)]
    np.testing.assert_allclose(dense(models.heisenberg(2, 1.5, 0.2).terms), dense(terms), atol=1e-14)
    assert np.linalg.eigvalsh(dense(models.heisenberg(2).terms)) == pytest.approx([-3, 1, 1, 1])


@pytest.mark.parametrize(("sites", "periodic"), [(1, False), (2, False), (3, False), (3, True)])
def test_hubbard__equals_fermion_operators__chain_and_ring(sites: int, periodic: bool) -> None:
    found = models.hubbard(sites, 0.8, 3.0, 0.6, periodic)
    np.testing.assert_allclose(dense(found.terms), hubbard(sites, 0.8, 3.0, 0.6, periodic), atol=1e-13)


def test_hubbard__closed_form__dimer_at_half_filling() -> None:
    t, U = 1.0, 4.0
    E = np.linalg.eigvalsh(dense(models.hubbard(2, t, U, U / 2).terms))
    assert E[0] == pytest.approx(U / 2 - np.sqrt((U / 2) ** 2 + 4 * t**2) - U)  # −μ⟨n⟩ = −U at two particles


@pytest.mark.parametrize(("periodic", "count"), [(False, 17), (True, 24)])
def test_kagome__has_the_bonds_of_the_lattice__two_by_two_cells(periodic: bool, count: int) -> None:
    model = models.kagome_ising(periodic=periodic)
    assert model.num_qubits == 12
    assert len(bonds_of(model)) == count
    assert bonds_of(model) == kagome_bonds(2, 2, periodic)
    assert {c for text, c in model.terms if "X" in text} == {0.5}
    assert {c for text, c in model.terms if text.count("Z") == 1} == {2.0}


@pytest.mark.parametrize(("columns", "rows", "periodic"), [(1, 1, False), (3, 1, False), (3, 2, False), (3, 3, True)])
def test_kagome__has_the_bonds_of_the_lattice__other_sizes(columns: int, rows: int, periodic: bool) -> None:
    model = models.kagome_ising(columns, rows, periodic=periodic)
    assert bonds_of(model) == kagome_bonds(columns, rows, periodic)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("periodic", "per_site"), [(False, (-0.7466, -1.0154, -1.2415)), (True, (-0.7517, -1.0179, -1.2829))]
)
def test_kagome__thermal_energy__two_by_two_cells(periodic: bool, per_site: tuple[float, ...]) -> None:
    model = models.kagome_ising(periodic=periodic)
    for beta, expected in zip((0.25, 0.5, 1.0), per_site, strict=True):
        assert thermal(model, beta).energy / 12 == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("mixed_field_ising_4", models.mixed_field_ising(4)),
        ("mixed_field_ising_3", models.mixed_field_ising(3)),
        ("tfim_4", models.tfim(4, 1.0, 1.2)),
    ],
)
def test_library__equals_reference_terms__named_models(name: str, model: Model) -> None:
    case = next(case for case in reference("thermal_and_gaps") if case["name"] == name)
    np.testing.assert_allclose(dense(model.terms), dense(model_of(case).terms), atol=1e-12)


@pytest.mark.parametrize("name", LIBRARY)
def test_library__builds_from_defaults__every_entry(name: str) -> None:
    entry = LIBRARY[name]
    model = entry.function()
    assert model.name == name
    assert entry.summary
    assert vars(models)[name] is entry.function
    assert all(p.default is not p.empty for p in entry.parameters.values())


@pytest.mark.parametrize(
    "model",
    [models.mixed_field_ising(3, 0.0, 0.0, 0.0), models.xxz(3, 0.0), models.hubbard(1, U=0.0), models.tfim(1, h=0.0)],
    ids=repr,
)
def test_library__survives_no_terms__all_parameters_zero(model: Model) -> None:
    assert not np.any(model.hamiltonian.to_matrix())


def test_from_terms__puts_the_rightmost_letter_on_qubit_zero__as_qiskit() -> None:
    model = from_terms([("XZ", 0.5), ("IY", 0.25)])
    np.testing.assert_allclose(model.hamiltonian.to_matrix(), dense([("XZ", 0.5), ("IY", 0.25)]), atol=1e-15)
    assert dict(model.terms) == {"XZ": 0.5, "IY": 0.25}


def test_from_terms__adds_up__repeated_labels() -> None:
    assert dict(from_terms([("Z", 1.0), ("X", 1), ("Z", 0.5)]).terms) == {"Z": 1.5, "X": 1.0}


def test_model__is_a_copy__later_changes_do_not_reach_it() -> None:
    given = SparsePauliOp(["Z"], [1.0])
    model = Model(given)
    given.coeffs[0] = 7.0
    assert model.terms == (("Z", 1.0),)
    with pytest.raises(ValueError, match="read-only"):
        model.hamiltonian.coeffs[0] = 2.0


def test_model__accepts_cancelling_imaginary_parts__merged_terms() -> None:
    model = Model(SparsePauliOp(["Z", "Z"], [0.5 + 1j, 0.5 - 1j]))
    assert model.terms == (("Z", 1.0),)


@pytest.mark.parametrize(("part", "ok"), [(1e-11, True), (1e-9, False)])
def test_model__is_hermitian__to_its_tolerance(part: float, ok: bool) -> None:
    operator = SparsePauliOp(["Z"], [1.0 + 1j * part])
    if ok:
        assert Model(operator).terms == (("Z", 1.0),)
    else:
        with pytest.raises(InvalidModelError, match="be Hermitian"):
            Model(operator)


def test_model__shows_itself__short() -> None:
    assert repr(from_terms([("ZZ", -1.0)], "pair")) == "Model(pair, 2 qubits: -1 ZZ)"
    assert "(11 terms)" in repr(models.mixed_field_ising(4))
    assert "\n" not in repr(models.mixed_field_ising(4))


def test_read_model__round_trip__pauli_json(tmp_path: Path) -> None:
    path = tmp_path / "pair.json"
    terms = [["ZZ", -1.0], ["XI", 0.5]]
    path.write_text(json.dumps({"num_qubits": 2, "terms": terms, "unit": "eV"}))
    model = read_model(path)
    assert model.name == "pair"
    assert sorted(model.terms) == sorted((text, c) for text, c in terms)


BAD_FILES = {
    "empty": (b"  \n", "is empty"),
    "binary": (b"\xff\xfe\x00\x01", "is binary"),
    "syntax": (b'{"num_qubits": 2,\n "terms": [}', "the file must be JSON"),
    "list": (b"[1, 2]", "hold one JSON object"),
    "missing": (b'{"num_qubits": 2}', "terms must be given"),
    "unknown": (b'{"num_qubits": 1, "terms": [["Z", 1]], "spin": 2}', "spin must be one of"),
    "width": (b'{"num_qubits": 2, "terms": [["Z", 1]]}', r"terms\[0\] must have 2 letters"),
    "number": (b'{"num_qubits": 0, "terms": [["Z", 1]]}', "num_qubits must be a whole number from 1 to 2000"),
    "nan": (b'{"num_qubits": 1, "terms": [["Z", NaN]]}', r"terms\[0\] must have a finite coefficient"),
    "huge": (b'{"num_qubits": 1, "terms": [["Z", 1' + b"0" * 400 + b"]]}", r"terms\[0\] must have a finite"),
    "letters": (b'{"num_qubits": 1, "terms": [[3, 1]]}', "pair"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_read_model__names_file_and_key__bad_files(case: str, tmp_path: Path) -> None:
    content, message = BAD_FILES[case]
    path = tmp_path / "model.json"
    path.write_bytes(content)
    with pytest.raises(ArgumentError, match=message) as caught:
        read_model(path)
    assert "model.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_read_model__says_why__missing_folder_and_other_format(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="does not exist"):
        read_model(tmp_path / "absent.json")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(ArgumentError, match="Is a directory"):
        read_model(tmp_path / "folder.json")
    with pytest.raises(InvalidModelError, match=r"ends in \.txt"):
        read_model(tmp_path / "terms.txt")
    with pytest.raises(InvalidModelError, match="ends in nothing"):
        read_model(tmp_path / "terms")
