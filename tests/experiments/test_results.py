from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qiskit import qpy

from gibbs_circuits.backends.measurement.shots import Block
from gibbs_circuits.cli import options as cli
from gibbs_circuits.errors import ArgumentError
from gibbs_circuits.experiments import documents as results
from gibbs_circuits.experiments import pipeline
from gibbs_circuits.experiments.store import Folder, check_writable
from gibbs_circuits.io.files import write_text, write_whole
from gibbs_circuits.io.json import to_json
from tests.experiments.test_experiment import BELL, SECTIONS, TARGET, toml, write
from tests.killed import cheap_report

DELAYS = SECTIONS["compile"].replace("random_delays = false", "random_delays = [0, 2]")
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """The command line in an empty folder, the picture and the lattice count made cheap."""
    monkeypatch.chdir(tmp_path)
    cheap_report(monkeypatch)
    monkeypatch.setattr("gibbs_circuits.backends.runs.prepare.LATTICE", "small")
    (tmp_path / "hardware_configs").mkdir()
    (tmp_path / "hardware_configs" / "small.toml").write_text(TARGET + "coupling = {heavy_hex = 3}")
    write(tmp_path, toml(compile=DELAYS, run="realisations = 4"))

    def command(*arguments: str) -> tuple[int, str, str]:
        status = cli.status(list(arguments))
        out, err = capsys.readouterr()
        return status, out, err

    return command


def outcome(text: str) -> dict[str, Any]:
    """A result document without what may differ between two folders."""
    data: dict[str, Any] = json.loads(text)
    return {key: value for key, value in data.items() if key != "files"}


def interrupt_after(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    save = Folder.save

    def saved(self: Folder, block: Block) -> None:
        if len(self.load()) == count:
            raise KeyboardInterrupt
        save(self, block)

    monkeypatch.setattr(Folder, "save", saved)


def test_folder__holds_everything__after_a_run(call: Call) -> None:
    status, out, err = call("run", "e.toml", "--json", "--out", "out")
    assert (status, err) == (0, "")
    folder, data = Path("out"), json.loads(out)
    assert (folder / "result.json").read_text() + "\n" == out
    present = {str(path) for path in folder.rglob("*") if path.is_file()}
    assert set(data["files"]) == present
    assert {path.name for path in folder.iterdir()} == {
        "experiment.toml", "result.json", "circuit.qpy", "data", "versions.json", "request.json", "report.txt",
        "program.txt", "convergence.png", "inputs.sha256",
    }  # fmt: skip
    with (folder / "circuit.qpy").open("rb") as file:
        (qc,) = qpy.load(file)
    assert qc.metadata["program"] == data["program"]["hash"]
    versions = json.loads((folder / "versions.json").read_text())
    assert {"python", "gibbs-circuits", "qiskit", "qiskit-aer", "numpy", "scipy"} <= set(versions)
    states = []
    for k in range(4):
        with np.load(folder / "data" / f"realisation-{k:04d}.npz") as stored:
            assert stored["states"].shape == (5, 4, 4)
            assert stored["draws"].shape == (4,)
            states.append(stored["states"][-1])
    energy = json.loads(out)["result"]["energy"]["value"]
    H = pipeline_hamiltonian()
    assert np.real(np.trace(np.mean(states, axis=0) @ H)) == pytest.approx(energy, abs=1e-10)


def pipeline_hamiltonian() -> np.ndarray:
    """−ZZ − 0.9 ΣX − 0.5 ΣZ on two sites, written out."""
    x, z, one = np.array([[0, 1], [1, 0]]), np.diag([1, -1]), np.eye(2)
    return -np.kron(z, z) - 0.9 * (np.kron(x, one) + np.kron(one, x)) - 0.5 * (np.kron(z, one) + np.kron(one, z))


def test_folder__holds_counts__shots(call: Call) -> None:
    write(Path.cwd(), toml(run='backend = "aer_statevector"\nshots = 41\nrealisations = 2'))
    assert call("run", "e.toml", "--out", "out")[0] == 0
    totals = np.zeros(2, dtype=int)
    for k in range(2):
        with np.load(Path("out") / "data" / f"realisation-{k:04d}.npz") as stored:
            assert "states" not in stored.files
            totals += [sum(counts.values()) for counts in json.loads(str(stored["counts"]))]
    assert totals.tolist() == [41, 41]  # two bases, Z and X


def test_folder__has_a_name_of_its_own__out_left_out(call: Call) -> None:
    status, out, _ = call("run", "e.toml", "--json")
    (folder,) = Path("results").iterdir()
    assert status == 0
    name, stamp, digest = folder.name.split("-")
    assert (name, len(stamp), stamp[-1]) == ("e", 16, "Z")
    assert json.loads(out)["program"]["hash"].startswith(digest)


SOURCES: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "library_model": ({}, ()),
    "knobs_chosen": ({"compile": "sweeps = 3\ntarget_error = 0.3"}, ()),
    "terms": ({"model": 'terms = [["XI", 0.3], ["ZZ", -1], ["IX", 0.30000000000000004]]\nbeta = 0.5'}, ()),
    "file_model": ({"model": 'file = "../m.json"\nbeta = 0.5'}, ("model.json",)),
    "qasm_initial": ({"run": 'initial = "../bell.qasm"\nrealisations = 2'}, ("initial.qasm",)),
    "custom_target": ({"run": 'backend = "../t.toml"\nrealisations = 2'}, ("target.toml",)),
    "disguised_target": ({"run": 'backend = "../d.toml"\nrealisations = 2'}, ("target.toml",)),
    "target_found_here": ({"run": 'backend = "small"\nrealisations = 2'}, ("target.toml",)),
}


@pytest.mark.parametrize("case", SOURCES)
def test_experiment__runs_again_from_its_own_folder__same_program_and_result(
    case: str, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sections, written = SOURCES[case]
    (tmp_path / "m.json").write_text('{"num_qubits": 2, "name": "mine", "terms": [["ZZ", -0.1], ["IX", 0.7]]}')
    (tmp_path / "bell.qasm").write_text(BELL)
    (tmp_path / "t.toml").write_text(TARGET + 'basis = ["cx", "rz", "sx"]')
    (tmp_path / "d.toml").write_text(TARGET.replace("mine", "aer_density_matrix") + 'basis = ["cx", "rz", "sx"]')
    inside = tmp_path / "inside"
    inside.mkdir()
    write(inside, toml(**sections))
    status, first, _ = call("run", "inside/e.toml", "--json", "--out", "out")
    assert status in (0, 1)
    for name in written:
        assert (tmp_path / "out" / name).is_file()
    for name in ("m.json", "bell.qasm", "t.toml", "d.toml"):
        (tmp_path / name).unlink()
    (tmp_path / "out").rename(tmp_path / "moved")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setattr("gibbs_circuits.backends.runs.prepare.LATTICE", "../hardware_configs/small.toml")
    again_status, second, _ = call("run", "../moved/experiment.toml", "--json", "--out", "again")
    assert again_status == status
    a, b = outcome(first), outcome(second)
    assert a["program"]["hash"] == b["program"]["hash"]
    assert a["result"] == b["result"]
    assert a["target"] == b["target"]


def test_experiment__names_every_key__defaults_filled_in(call: Call) -> None:
    write(Path.cwd(), toml(compile="sweeps = 2\ntarget_error = 0.4"))
    call("run", "e.toml", "--out", "out")
    data = tomllib.loads((Path("out") / "experiment.toml").read_text())
    assert data["model"] == {
        "name": "mixed_field_ising", "sites": 2, "J": 1.0, "h": 0.9, "g": 0.5, "periodic": False, "beta": 1.0,
    }  # fmt: skip
    assert data["generator"] == {"kind": "dll", "filter": "gaussian", "coherent": "balance", "couplings": "Y"}
    assert {"sweeps", "strength", "spacing", "nodes", "random_delays", "trotter_order", "scheme"} <= set(
        data["compile"]
    )
    assert data["run"] == {
        "backend": "aer_density_matrix", "shots": 0, "seed": 1, "initial": "zero", "realisations": 2,
        "ancilla_policy": "automatic",
    }  # fmt: skip


def test_second_run__refuses_before_anything_is_computed__same_folder(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("run", "e.toml", "--out", "out")[0] == 0
    before = {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}
    monkeypatch.setattr(pipeline, "compile_program", None)
    status, out, err = call("run", "e.toml", "--out", "out")
    assert (status, out) == (2, "")
    assert "out holds files" in err
    assert "--resume" in err
    assert before == {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}


@pytest.mark.parametrize("backend", ["aer_density_matrix", "aer_statevector"])
def test_resume__gives_the_uninterrupted_result__after_ctrl_c(
    backend: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(Path.cwd(), toml(compile=DELAYS, run=f'backend = "{backend}"\nshots = 40\nrealisations = 4'))
    _, whole, _ = call("run", "e.toml", "--json", "--out", "whole")
    with monkeypatch.context() as patch:
        interrupt_after(2, patch)
        status, out, err = call("run", "e.toml", "--json", "--out", "out")
    assert (status, out) == (130, "")
    assert len(err.splitlines()) == 1
    assert "--out out --resume" in err
    assert sorted(path.name for path in (Path("out") / "data").iterdir()) == [
        "realisation-0000.npz", "realisation-0001.npz",
    ]  # fmt: skip
    assert not (Path("out") / "result.json").exists()
    saved = (Path("out") / "data" / "realisation-0000.npz").stat().st_mtime_ns
    status, resumed, _ = call("run", "e.toml", "--json", "--out", "out", "--resume")
    assert status in (0, 1)
    assert outcome(resumed) == outcome(whole)
    assert (Path("out") / "data" / "realisation-0000.npz").stat().st_mtime_ns == saved


def test_resume__runs_nothing_twice__finished_run(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    _, first, _ = call("run", "e.toml", "--json", "--out", "out")
    monkeypatch.setattr("gibbs_circuits.backends.runs.run.run_blocks", None)
    status, second, _ = call("run", "e.toml", "--json", "--out", "out", "--resume")
    assert status == 0
    assert first == second


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("--seed", "2"), "seed was 1 and now is 2"),
        (("--backend", "aer_statevector"), "backend was aer_density_matrix"),
    ],
    ids=["seed", "backend"],
)
def test_resume__refuses_another_run__changed_option(change: tuple[str, ...], says: str, call: Call) -> None:
    write(Path.cwd(), toml(run="shots = 20\nrealisations = 2"))
    call("run", "e.toml", "--out", "out")
    status, out, err = call("run", "e.toml", "--out", "out", "--resume", *change)
    assert (status, out) == (2, "")
    assert says in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("sections", "says"),
    [
        ({"compile": DELAYS.replace("sweeps = 4", "sweeps = 5")}, "program"),
        ({"run": 'initial = "one"\nrealisations = 4'}, "initial"),
        ({"run": "realisations = 5"}, "realisations"),
        ({"run": "realisations = 4\nshots = 10"}, "shots"),
    ],
    ids=["sweeps", "initial", "realisations", "shots"],
)
def test_resume__refuses_another_run__changed_file(sections: dict[str, str], says: str, call: Call) -> None:
    call("run", "e.toml", "--out", "out")
    write(Path.cwd(), toml(**{"compile": DELAYS, "run": "realisations = 4", **sections}))
    status, _, err = call("run", "e.toml", "--out", "out", "--resume")
    assert status == 2
    assert f"but {says} was" in err


@pytest.mark.parametrize("before", [None, "old"])
def test_write_whole__leaves_no_part__crash_inside(before: str | None, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    if before is not None:
        write_text(path, before)

    def crash(temporary: Path) -> None:
        temporary.write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_whole(path, crash)
    assert {item.name for item in tmp_path.iterdir()} == (set() if before is None else {"a.txt"})
    assert before is None or path.read_text() == before


def test_folder__keeps_only_whole_blocks__crash_inside_a_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Folder(tmp_path / "out", {"seed": 1}, resume=False)
    block = Block(0, (1, 2), np.eye(2, dtype=complex)[None], ({"00": 3},))
    store.save(block)

    def crash(file: Any, **arrays: object) -> None:
        file.write(b"PK")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez_compressed", crash)
        with pytest.raises(KeyboardInterrupt):
            store.save(Block(1, (), None, ()))
    loaded = store.load()
    assert list(loaded) == [0]
    assert (loaded[0].draws, loaded[0].counts) == ((1, 2), ({"00": 3},))
    assert loaded[0].states == pytest.approx(block.states)
    assert {path.name for path in store.data.iterdir()} == {"realisation-0000.npz"}


def test_to_json__has_no_nan__nested_numpy_values() -> None:
    data = {"a": [float("nan"), np.float64("inf"), 1.5], "b": (np.int64(3), np.bool_(True), None, "x"), "c": -np.inf}
    assert json.loads(to_json(data)) == {"a": [None, None, 1.5], "b": [3, True, None, "x"], "c": None}


def test_check_writable__leaves_nothing_behind__deep_path(tmp_path: Path) -> None:
    check_writable("--out", tmp_path / "a" / "b")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").write_text("")
    with pytest.raises(ArgumentError, match="is not a folder"):
        check_writable("--out", tmp_path / "file" / "b")


def test_versions__are_strings__every_package() -> None:
    assert all(isinstance(value, str) and value for value in results.versions().values())
