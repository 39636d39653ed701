from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import rustworkx

from gibbs_circuits import models
from gibbs_circuits.errors import ArgumentError
from gibbs_circuits.experiments.experiment import read_experiment
from gibbs_circuits.models.library.bonds import LATTICES, Lattice, heavy_hex, ladder, square
from tests.systems import dense, label

Bonds = set[frozenset[int]]


def bonds_of(lattice: Lattice) -> Bonds:
    found = {frozenset(bond) for bond in lattice.bonds}
    assert len(found) == len(lattice.bonds)  # none twice
    assert {site for bond in found for site in bond} <= set(range(lattice.num_sites))
    return found


def degrees(lattice: Lattice) -> dict[int, int]:
    """Neighbours → how many sites have so many."""
    counts = np.bincount([site for bond in lattice.bonds for site in bond], minlength=lattice.num_sites)
    return {int(d): int(np.sum(counts == d)) for d in np.unique(counts)}


def graph(bonds: Bonds, sites: int) -> rustworkx.PyGraph:
    made = rustworkx.PyGraph()
    made.add_nodes_from(range(sites))
    made.add_edges_from([(*sorted(bond), None) for bond in bonds])
    return made


def near(places: np.ndarray, distance: float, shifts: list[np.ndarray] | None = None) -> Bonds:
    """Pairs of places that are that far apart, periodic images included."""
    return {
        frozenset((a, b))
        for a in range(len(places))
        for b in range(a)
        for shift in shifts or [np.zeros(2)]
        if abs(np.linalg.norm(places[a] - places[b] + shift) - distance) < 1e-9
    }


@pytest.mark.parametrize(("rungs", "periodic"), [(1, False), (2, False), (5, False), (3, True), (6, True)])
def test_ladder__has_the_bonds_of_two_rails_and_their_rungs__open_and_closed(rungs: int, periodic: bool) -> None:
    places = np.array([[r, leg] for r in range(rungs) for leg in range(2)], dtype=float)
    shifts = [np.array([k * rungs, 0.0]) for k in ((-1, 0, 1) if periodic else (0,))]
    assert bonds_of(ladder(rungs, periodic)) == near(places, 1.0, shifts)


@pytest.mark.parametrize(
    ("columns", "rows", "periodic"), [(1, 1, False), (4, 1, False), (5, 4, False), (4, 3, True), (3, 3, True)]
)
def test_square__has_the_bonds_of_the_lattice__open_and_torus(columns: int, rows: int, periodic: bool) -> None:
    places = np.array([[x, y] for x in range(columns) for y in range(rows)], dtype=float)
    images = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)] if periodic else [(0, 0)]
    shifts = [np.array([a * columns, b * rows], dtype=float) for a, b in images]
    found = square(columns, rows, periodic)
    assert bonds_of(found) == near(places, 1.0, shifts)
    if periodic:
        assert degrees(found) == {4: columns * rows}


@pytest.mark.parametrize(("columns", "rows"), [(1, 1), (2, 1), (3, 1), (2, 2), (3, 3)])
def test_heavy_hex__is_a_honeycomb_with_a_site_on_every_side__as_drawn_by_its_hexagons(columns: int, rows: int) -> None:
    corners = np.array([[np.sin(k * np.pi / 3), np.cos(k * np.pi / 3)] for k in range(6)])
    centres = [np.array([np.sqrt(3) * (c + r / 2), 1.5 * r]) for r in range(rows) for c in range(columns)]
    places = np.unique(np.round([centre + corner for centre in centres for corner in corners], 9), axis=0)
    sides = near(places, 1.0)
    middles = np.array([places[[*side]].mean(axis=0) for side in sides])
    expected = near(np.concatenate([places, middles]), 0.5)
    found = heavy_hex(columns, rows)
    assert found.num_sites == len(places) + len(sides)
    assert len(found.bonds) == 2 * len(sides)
    mine, drawn = graph(bonds_of(found), found.num_sites), graph(expected, found.num_sites)
    assert rustworkx.is_isomorphic(mine, drawn)
    mine.remove_edge(*found.bonds[0])  # the control
    assert not rustworkx.is_isomorphic(mine, drawn)


def test_heavy_hex__has_sites_of_two_and_three_neighbours__known_counts() -> None:
    assert (heavy_hex(1, 1).num_sites, degrees(heavy_hex(1, 1))) == (12, {2: 12})
    assert (heavy_hex(3, 1).num_sites, len(heavy_hex(3, 1).bonds)) == (30, 32)
    assert degrees(heavy_hex(3, 1)) == {2: 26, 3: 4}
    assert max(b - a for a, b in heavy_hex(8, 1).bonds) <= 4  # neighbours stay near, however long the strip


def test_mixed_field_ising__equals_kron__on_a_ladder_with_numbers_of_its_own() -> None:
    bonds = [(0, 1), (0, 2), (1, 3), (2, 3)]
    J, h, g = [1.0, 0.9, 1.1, 0.8], [0.1, 0.2, 0.3, 0.4], [0.5, -0.6, 0.0, 0.7]
    terms = [(label(4, {i: "Z", j: "Z"}), -c) for (i, j), c in zip(bonds, J, strict=True)]
    terms += [(label(4, {i: p}), -row[i]) for i in range(4) for p, row in (("X", h), ("Z", g))]
    found = models.mixed_field_ising(ladder(2), J, h, g)
    np.testing.assert_allclose(found.hamiltonian.to_matrix(), dense(terms), atol=1e-14)
    assert found.name == "mixed_field_ising_ladder"


def test_heisenberg__equals_kron__on_a_hexagon() -> None:
    ring = heavy_hex(1, 1)
    assert len(models.heisenberg(ring).terms) == 36
    bonds = bonds_of(square(2, 2))
    terms = [(label(4, dict.fromkeys(bond, p)), 0.5) for bond in bonds for p in "XYZ"]
    np.testing.assert_allclose(models.heisenberg(square(2, 2), 0.5).hamiltonian.to_matrix(), dense(terms), atol=1e-14)


@pytest.mark.parametrize(
    ("text", "sites", "bonds"),
    [
        ('name = "tfim"\nlattice = "chain"\nsites = 6\nperiodic = true', 6, 6),
        ('name = "tfim"\nlattice = "ladder"\nrungs = 20\nh = 1.2', 40, 58),
        ('name = "mixed_field_ising"\nlattice = "square"\ncolumns = 5\nrows = 4', 20, 31),
        ('name = "xxz"\nlattice = "heavy_hex"\ncolumns = 3\nrows = 1\ndelta = 0.7', 30, 32),
        ('name = "heisenberg"\nlattice = "square"\ncolumns = 4\nrows = 3\nperiodic = true', 12, 24),
        ('name = "mixed_field_ising"\nsites = 3\nJ = [1.0, 0.8]\nh = [0.9, 1.0, 1.1]', 3, 2),
    ],
)  # fmt: skip
def test_read_experiment__builds_lattices_by_name__and_writes_their_keys_back(
    text: str, sites: int, bonds: int, tmp_path: Path
) -> None:
    path = tmp_path / "e.toml"
    path.write_text(f"[model]\n{text}\nbeta = 1.0\n")
    spec = read_experiment(path)
    pairs = {tuple(q for q, p in enumerate(reversed(text)) if p == "Z") for text, _ in spec.model.terms}
    assert spec.model.num_qubits == sites
    assert len([pair for pair in pairs if len(pair) == 2]) == bonds
    again = tmp_path / "again.toml"
    lines = "".join(
        f"{k} = {str(v).lower() if isinstance(v, bool) else repr(v)}\n" for k, v in spec.filled["model"].items()
    )
    again.write_text(f"[model]\n{lines}")
    assert read_experiment(again).model.terms == spec.model.terms


def test_read_experiment__a_chain_as_ever__has_no_new_key(tmp_path: Path) -> None:
    path = tmp_path / "e.toml"
    path.write_text('[model]\nname = "tfim"\nsites = 3\nbeta = 1.0\n')
    assert set(read_experiment(path).filled["model"]) == {"name", "sites", "J", "h", "periodic", "beta"}


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ('name = "tfim"\nlattice = "ladder"\nsites = 4', "sites", "rungs"),
        ('name = "tfim"\nlattice = "heavy_hex"\nperiodic = true', "periodic", "columns, rows"),
        ('name = "tfim"\nrungs = 4', "rungs", "sites"),
        ('name = "tfim"\nlattice = "laddr"', "lattice", 'use "ladder"'),
        ('name = "tfim"\nlattice = 3', "lattice", "be one of chain, ladder, square, heavy_hex"),
        ('name = "hubbard"\nlattice = "ladder"', "lattice", "remove lattice"),
        ('name = "tfim"\nlattice = "ladder"\nrungs = 2\nperiodic = true', "periodic", "set rungs = 3"),
        ('name = "tfim"\nlattice = "square"\ncolumns = 100\nrows = 100', "columns", "at most 2000 sites"),
        ('name = "tfim"\nlattice = "square"\ncolumns = 0', "columns", "from 1"),
        ('name = "tfim"\nsites = 4\nJ = [1.0, 2.0]', "J", "one entry per bond (3)"),
        ('name = "tfim"\nlattice = "ladder"\nrungs = 2\nh = [1.0]', "h", "one entry per site (4)"),
        ('name = "tfim"\nsites = 2\nh = [1.0, "x"]', "h[1]", "finite real number"),
    ],
)  # fmt: skip
def test_read_experiment__refuses_a_lattice_that_is_none__naming_the_key(
    text: str, key: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "e.toml"
    path.write_text(f"[model]\n{text}\nbeta = 1.0\n")
    with pytest.raises(ArgumentError) as refused:
        read_experiment(path)
    assert refused.value.argument.endswith(key)
    assert said in str(refused.value)


def test_tfim__refuses_periodic_beside_a_lattice__which_says_itself() -> None:
    with pytest.raises(ArgumentError, match=r"pass it to ladder"):
        models.tfim(ladder(3), periodic=True)


@pytest.mark.parametrize("lattice", [ladder(64), square(16, 8), heavy_hex(14, 1)], ids=lambda one: one.name)
def test_library__builds_128_sites__in_well_under_a_second(lattice: Lattice) -> None:
    begin = time.process_time()
    model = models.xxz(lattice, 1.0, 0.7, 0.1)
    assert time.process_time() - begin < 0.5
    assert model.num_qubits >= 128


def test_help__shows_every_lattice__with_its_keys() -> None:
    from gibbs_circuits.cli.help import models_help

    text = models_help()
    for name in LATTICES:
        assert f'"{name}"' in text
    assert "rungs = 4" in text
