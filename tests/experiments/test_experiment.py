from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from qiskit.quantum_info import Statevector

from gibbs_circuits.backends.targets.aer import HeavyHex
from gibbs_circuits.backends.targets.registry import available_targets, load_target, packaged_folder
from gibbs_circuits.compiler.schemes.parallel import ParallelKnobs
from gibbs_circuits.compiler.schemes.sequential import SequentialKnobs
from gibbs_circuits.errors import ArgumentError
from gibbs_circuits.experiments.choices import make_initial
from gibbs_circuits.experiments.experiment import Experiment, model_json, read_experiment
from gibbs_circuits.generators.contact import Coherent
from gibbs_circuits.models.files import read_model
from gibbs_circuits.models.library.registry import LIBRARY
from gibbs_circuits.models.library.spin_chains import xxz

SECTIONS = {
    "model": 'name = "mixed_field_ising"\nsites = 2\nbeta = 1.0',
    "compile": "nodes = 4\nspacing = 0.5\nstrength = 0.6\nsweeps = 4\nrandom_delays = false\ntarget_error = 0.3",
    "run": "realisations = 2",
}
TARGET = 'name = "mine"\nkind = "aer"\nmethod = "density_matrix"\n'
BELL = 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nh q[0];\ncx q[0], q[1];\n'


def toml(**sections: str | None) -> str:
    """An experiment on two sites, all knobs given; sections replace those of the same name, None drops one."""
    kept = {**SECTIONS, **sections}
    return "".join(f"[{name}]\n{keys}\n" for name, keys in kept.items() if keys is not None)


def write(folder: Path, text: str = "", name: str = "e.toml") -> Path:
    path = folder / name
    path.write_text(text or toml(), encoding="utf-8")
    return path


def read(folder: Path, **sections: str | None) -> Experiment:
    return read_experiment(write(folder, toml(**sections)))


def test_read_experiment__fills_in_defaults__model_only(tmp_path: Path) -> None:
    spec = read(tmp_path, model='name = "tfim"\nbeta = 0', compile=None, run=None)
    assert (spec.name, spec.model.name, spec.model.num_qubits) == ("e", "tfim", 4)
    assert (spec.generator.kind, spec.generator.coherent, spec.generator.beta) == ("dll", Coherent.BALANCE, 0.0)
    assert (spec.scheme.name, spec.target_error, spec.target.name) == ("parallel", 0.10, "aer_density_matrix")
    assert (spec.shots, spec.seed, spec.initial.name, spec.realisations) == (
        0,
        1,
        "zero",
        None,
    )  # settled by the program
    assert spec.observables == {}
    assert spec.scheme.knobs == ParallelKnobs()


def test_read_experiment__takes_every_key__all_sections(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        model='name = "xxz"\nsites = 3\nJ = 2\ndelta = 0.5\nfields = [0.1, 0.2, 0.3]\nperiodic = true\nbeta = 2',
        generator='kind = "kms"\nfilter = "gaussian"\ncoherent = "none"\ncouplings = "XZ"',
        compile='scheme = "sequential"\nsweeps = 7\nstrength = 1\nspacing = 2\nnodes = 5\ntrotter_order = 1\n'
        "random_delays = [1, 3]\ntruncation = 0.01\ntarget_error = 1",
        run='backend = "aer_statevector"\nshots = 50\nseed = 9\ninitial = "011"\nrealisations = 5',
        observables='m = [["ZII", 0.5], ["IIX", 2]]',
    )
    assert spec.model.hamiltonian.equiv(xxz(3, 2.0, 0.5, [0.1, 0.2, 0.3], True).hamiltonian)
    assert len(spec.generator.contacts) == 6
    assert (spec.generator.kind, spec.generator.coherent) == ("dll", Coherent.NONE)
    assert spec.scheme.knobs == SequentialKnobs(
        sweeps=7, strength=1, spacing=2, nodes=5, trotter_order=1, random_delays=(1, 3), truncation=0.01
    )
    assert (spec.target.name, spec.shots, spec.seed, spec.initial.name) == ("aer_statevector", 50, 9, "011")
    assert dict(spec.observables["m"].to_list()) == {"ZII": 0.5, "IIX": 2.0}


@pytest.mark.parametrize("name", LIBRARY)
def test_read_experiment__builds_each_library_model__own_defaults(name: str, tmp_path: Path) -> None:
    spec = read(tmp_path, model=f'name = "{name}"\nbeta = 1', compile=None)
    assert spec.model.name == name
    assert set(spec.filled["model"]) == {"name", "beta", *LIBRARY[name].parameters}


def test_read_experiment__keeps_label_order__rightmost_is_qubit_0(tmp_path: Path) -> None:
    spec = read(tmp_path, model='terms = [["IIZ", -1.0], ["XII", 0.5]]\nbeta = 1')
    diagonal = np.real(np.diag(spec.model.hamiltonian.to_matrix()))
    assert diagonal == pytest.approx([-1, 1, -1, 1, -1, 1, -1, 1])
    assert spec.model.name == "e"


def test_read_experiment__lets_the_command_line_win__backend_and_seed(tmp_path: Path) -> None:
    path = write(tmp_path, toml(run='backend = "no.toml"\nseed = 4'))
    spec = read_experiment(path, backend="aer_statevector", seed=8)
    assert (spec.target.name, spec.seed) == ("aer_statevector", 8)


def test_read_experiment__resolves_paths_against_its_own_folder__model_target_initial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "deep"
    folder.mkdir()
    (folder / "m.json").write_text('{"num_qubits": 2, "terms": [["ZZ", -1.0], ["IX", 0.5]]}')
    (folder / "t.toml").write_text(TARGET)
    (folder / "bell.qasm").write_text(BELL)
    monkeypatch.chdir(tmp_path)
    run = 'backend = "t.toml"\ninitial = "bell.qasm"'
    spec = read_experiment(write(folder, toml(model='file = "m.json"\nbeta = 1', run=run)).relative_to(tmp_path))
    assert (spec.model.name, spec.target.name) == ("m", "mine")
    bell = Statevector([1, 0, 0, 1]) / np.sqrt(2)
    assert spec.initial.density(2) == pytest.approx(bell.to_operator().data)


def test_read_experiment__writes_back_what_it_read__filled_keys(tmp_path: Path) -> None:
    spec = read(tmp_path, generator='kind = "kms"')
    assert spec.filled["generator"]["kind"] == "dll"
    assert spec.filled["model"]["h"] == 0.9
    assert spec.filled["run"]["backend"] == "aer_density_matrix"
    assert spec.filled["compile"]["random_delays"] == (0, 0)


@pytest.mark.parametrize(("name", "index"), [("zero", 0), ("one", 7), ("011", 3), ("100", 4)])
def test_make_initial__prepares_a_basis_state__rightmost_bit_first(name: str, index: int, tmp_path: Path) -> None:
    expected = np.zeros((8, 8))
    expected[index, index] = 1
    assert make_initial(name, 3, tmp_path).density(3) == pytest.approx(expected)


def test_make_initial__is_maximally_mixed__mixed(tmp_path: Path) -> None:
    assert make_initial("mixed", 2, tmp_path).density(2) == pytest.approx(np.eye(4) / 4)


@pytest.mark.parametrize("text", ["", "0 1", "2", "ZERO", "bell.qasm2"])
def test_make_initial__refuses__other_names(text: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="`initial` must"):
        make_initial(text, 2, tmp_path)


def test_model_json__reads_back__same_terms(tmp_path: Path) -> None:
    model = xxz(3, 0.3, 1.7, [0.1, -0.2, 1 / 3])
    path = write(tmp_path, model_json(model), "m.json")
    again = read_model(path)
    assert again.terms == model.terms
    assert again.name == "xxz"


def test_read_model__ignores_descriptive_keys__unit_and_source(tmp_path: Path) -> None:
    data = {"num_qubits": 1, "terms": [["Z", 1]], "unit": "hartree", "source": "me", "name": "spin"}
    model = read_model(write(tmp_path, json.dumps(data), "m.json"))
    assert (model.name, model.terms) == ("spin", (("Z", 1.0),))


@pytest.mark.parametrize("path", sorted(packaged_folder().glob("*.toml")), ids=lambda path: path.stem)
def test_load_target__knows_every_packaged_one__by_its_own_name(path: Path) -> None:
    target = load_target(path.stem)
    assert target.name == path.stem
    assert target.description
    assert target == load_target(path)


def test_load_target__looks_here_first__folder_beside_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "hardware_configs"
    folder.mkdir()
    (folder / "lab.toml").write_text(TARGET + "coupling = {heavy_hex = 3}")
    monkeypatch.chdir(tmp_path)
    assert load_target("lab").coupling == HeavyHex(heavy_hex=3)
    assert "lab" in available_targets()
    assert "aer_density_matrix" in available_targets()


def test_coupling_map__has_the_stated_size__heavy_hex(tmp_path: Path) -> None:
    for d in (3, 5):
        target = load_target(write(tmp_path, TARGET + f"coupling = {{heavy_hex = {d}}}", "t.toml"))
        assert target.coupling_map is not None
        assert target.coupling_map.size() == (5 * d * d - 2 * d - 1) // 2
    assert load_target("aer_density_matrix").coupling_map is None


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "experiments").glob("*.toml")), ids=lambda p: p.stem
)
def test_read_experiment__reads_what_is_shipped__experiments(path: Path) -> None:
    spec = read_experiment(path)
    assert spec.name == path.stem
    assert spec.filled["model"].get("beta") == tomllib.loads(path.read_text("utf-8"))["model"].get("beta")
