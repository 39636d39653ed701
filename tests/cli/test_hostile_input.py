"""Input that is odd on purpose: one line or a right answer, never a crash."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gibbs_circuits.backends.measurement.shots import Block
from gibbs_circuits.cli import options as cli
from gibbs_circuits.cli import terminal
from gibbs_circuits.errors import ArgumentError
from gibbs_circuits.experiments.store import Folder
from gibbs_circuits.models.files import read_model

MODEL = '[model]\nname = "mixed_field_ising"\nsites = 2\nbeta = 1.0\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("run", f"shots = {10**30}"),
        ("run", f"realisations = {10**15}"),
        ("run", f"seed = {2**70}"),
        ("compile", f"sweeps = {10**11}"),
        ("compile", f"nodes = {10**11}"),
        ("compile", f"random_delays = [0, {10**12}]"),
        ("compile", "strength = 1e200"),
        ("compile", f"ancillas = {10**9}"),
        ("compile", 'calibration = "proved"'),
    ],
)
def test_run__refuses_in_one_line__endless_numbers(
    section: str, line: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "e.toml").write_text(f"{MODEL}[{section}]\n{line}\n")
    assert cli.status(["run", "e.toml"]) == terminal.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(f"e.toml: {section}.{line.split(' = ')[0]} must ")
    assert sorted(path.name for path in folder.iterdir()) == ["e.toml"]


def test_run__prints_names_as_they_are__markup_in_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "e.toml").write_text(f'{MODEL}[observables]\n"[/bold]" = [["ZZ", 1.0]]\n')
    assert cli.status(["run", "e.toml", "--out", "o_[/x]"]) == terminal.DONE
    out = capsys.readouterr().out
    assert "[/bold]" in out
    assert "o_[/x]" in out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"num_qubits": 3000000000, "terms": [["Z", 1.0]]}', "from 1 to 2000"),
        ('{"num_qubits": 1, "num_qubits": 2, "terms": [["Z", 1.0]]}', "twice"),
        ('{"num_qubits": 1, "terms": [["Z", ' + "9" * 5000 + "]]}", "must be JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"num_qubits": 1, "name": {"a": 1}, "terms": [["Z", 1.0]]}', "name must be text"),
    ],
    ids=["qubits", "twice", "digits", "nested", "name"],
)
def test_read_model__refuses_in_one_line__odd_json(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text(text)
    with pytest.raises(ArgumentError, match=says) as caught:
        read_model(path)
    assert "\n" not in str(caught.value)


def test_read_model__reads__byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps({"num_qubits": 1, "terms": [["Z", 0.5]]}).encode())
    assert read_model(path).terms == (("Z", 0.5),)


def test_folder__runs_a_damaged_block_again__garbage_on_disk(tmp_path: Path) -> None:
    store = Folder(tmp_path / "out", {"seed": 1}, resume=False)
    store.save(Block(0, (), None, ({"0": 1},)))
    store.save(Block(1, (), None, ({"1": 1},)))
    (store.data / "realisation-0001.npz").write_bytes(b"not a zip file")
    assert list(store.load()) == [0]


@pytest.mark.parametrize("text", ["[]", "null", "{", ""])
def test_folder__refuses_to_resume__damaged_request(text: str, tmp_path: Path) -> None:
    Folder(tmp_path / "out", {"seed": 1}, resume=False)
    (tmp_path / "out" / "request.json").write_text(text)
    with pytest.raises(ArgumentError, match="--resume"):
        Folder(tmp_path / "out", {"seed": 1}, resume=True)


def test_status__says_one_line_and_70__bug(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError("division\nby zero")

    (folder / "e.toml").write_text(MODEL)
    monkeypatch.delenv(terminal.DEBUG, raising=False)
    monkeypatch.setattr("gibbs_circuits.cli.commands.certificate", broken)
    assert cli.status(["exact", "e.toml"]) == terminal.BUG
    assert capsys.readouterr().err.startswith("Internal error, ZeroDivisionError: division by zero.")
    monkeypatch.setenv(terminal.DEBUG, "1")
    with pytest.raises(ZeroDivisionError):
        cli.status(["exact", "e.toml"])
