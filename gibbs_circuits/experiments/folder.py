"""Results on disk: every file is written whole or not at all, and an interrupted run resumes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tomli_w
from qiskit import QuantumCircuit, qasm3, qpy

from ..analysis.comparison.comparison import Comparison
from ..analysis.report.plots import save_convergence
from ..backends.targets.registry import packaged_folder, read_target
from ..errors import ArgumentError
from ..io.files import digest, write_text, write_whole
from ..io.json import to_json
from ..io.rendering import as_text
from ..io.section import Section
from ..io.text import read_bytes, read_text
from ..limits import MAX_SAVED_BYTES
from ..programs.program import Program
from ..programs.serialise import to_saved
from .documents import document, versions
from .experiment import Experiment, model_json

MANIFEST = "inputs.sha256"  # of the files that a run can be begun from again; `sha256sum -c` reads it


def write_circuit(path: Path, qc: QuantumCircuit) -> None:
    """QPY or OpenQASM 3, by the extension."""

    def write(temporary: Path) -> None:
        if path.suffix == ".qpy":
            with temporary.open("wb") as file:
                qpy.dump(qc, file)
        else:
            temporary.write_text(qasm3.dumps(qc), encoding="utf-8")

    write_whole(path, write)


def write_program(path: Path, program: Program) -> None:
    """A program as JSON, to be loaded again.

    Raises:
        ArgumentError: If it would be larger than what is loaded again.
    """
    text = json.dumps(to_saved(program), indent=1)
    if len(text) > MAX_SAVED_BYTES:
        raise ArgumentError(
            "program", f"take at most {MAX_SAVED_BYTES / 2**20:g} MiB as a file", f"it takes {len(text) / 2**20:.0f}",
            "keep the experiment file, which compiles it again",
        )  # fmt: skip
    write_text(path, text)


def default_folder(spec: Experiment) -> Path:
    """results/<name>-<utc>; the program's hash is appended once there is one."""
    return Path("results") / f"{spec.name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


def write_inputs(spec: Experiment, program: Program, folder: Path) -> None:
    """The experiment as run: a file that runs again from inside the folder."""
    filled = {section: dict(keys) for section, keys in spec.filled.items()}
    _copy_tables(filled["generator"], spec.path.parent, folder)
    if "file" in filled["model"]:
        filled["model"]["file"] = "model.json"
        write_text(folder / "model.json", model_json(spec.model))
    packaged = packaged_folder() / f"{spec.target.name}.toml"
    if packaged.is_file() and read_target(packaged) == spec.target:
        filled["run"]["backend"] = spec.target.name
    else:
        filled["run"]["backend"] = "target.toml"
        write_text(folder / "target.toml", tomli_w.dumps(spec.target.as_toml()))
    if spec.initial.name.endswith(".qasm"):
        filled["run"]["initial"] = "initial.qasm"
        write_circuit(folder / "initial.qasm", spec.initial.preparation)
    knobs = {key: list(v) if isinstance(v, tuple) else v for key, v in program.knobs.items()}
    filled["compile"] |= {key: value for key, value in knobs.items() if value is not None}
    filled["compile"]["calibration"] = program.calibration.value
    filled["compile"] = {key: value for key, value in filled["compile"].items() if value is not None}
    write_text(folder / "experiment.toml", tomli_w.dumps(filled))
    written = ["experiment.toml", *(name for name in _named_files(filled) if (folder / name).is_file())]
    write_text(folder / MANIFEST, "".join(f"{digest((folder / name).read_bytes())}  {name}\n" for name in written))


def check_inputs(experiment: Path) -> None:
    """Refuse to continue a run from its own folder's experiment where a file of it is not as the run wrote it.

    Raises:
        ArgumentError: With the file.
    """
    folder = experiment.parent
    if not (folder / MANIFEST).exists():
        return
    for line in read_text(folder / MANIFEST, "--resume").splitlines():
        said, _, name = line.partition("  ")
        try:
            same = digest(read_bytes(folder / Path(name).name, "--resume")) == said
        except (OSError, ValueError):
            same = False
        if not same:
            raise ArgumentError(
                "--resume", "begin from files as the run wrote them", f"{folder / name} or {MANIFEST} was changed",
                "give the experiment file that the run was begun with, or run a copy with another --out",
            )  # fmt: skip


def _named_files(filled: dict[str, Any]) -> list[str]:
    """The files beside it that an experiment names, as this module called them."""
    model, run, generator = filled["model"], filled["run"], filled["generator"]
    values = [model.get("file"), run["backend"], run["initial"], *_tables(generator)]
    for contact in generator.get("contacts", []):
        values += _tables(contact)
    return sorted({v for v in values if isinstance(v, str) and v.endswith((".json", ".toml", ".qasm", ".csv"))})


def _tables(keys: dict[str, Any]) -> list[Any]:
    return [keys.get(key) for key in ("bath", "filter", "kernel")]


def _copy_tables(keys: dict[str, Any], source: Path, folder: Path, prefix: str = "") -> None:
    """Tables that a generator names come along; their keys name the copies."""
    if "contacts" in keys:
        keys["contacts"] = [dict(contact) for contact in keys["contacts"]]
        for index, contact in enumerate(keys["contacts"]):
            _copy_tables(contact, source, folder, f"{index}-")
    for key in ("bath", "filter", "kernel"):
        value = keys.get(key)
        if isinstance(value, str) and value.endswith(".csv"):
            name = f"{prefix}{key}-{Path(value).name}"
            write_text(folder / name, (source / value).read_text("utf-8"))
            keys[key] = name


def write_results(comparison: Comparison, folder: Path) -> tuple[tuple[Section, ...], dict[str, Any]]:
    """Write program, circuit, picture, report and result.json, which comes last; the report and the document."""
    request = comparison.run.request
    write_text(folder / "program.txt", comparison.run.program.text)
    write_circuit(folder / "circuit.qpy", request.compiled.circuit(request.seed))
    write_text(folder / "versions.json", to_json(versions()))
    write_whole(folder / "convergence.png", lambda path: save_convergence(comparison, path))
    names = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    files = sorted({*names, folder / "result.json", folder / "report.txt"})
    sections, generator = comparison.sections(), comparison.run.program.generator
    whole = document(generator, sections, versions=versions(), files=[str(path) for path in files])
    write_text(folder / "report.txt", as_text(*sections) + "\n")
    write_text(folder / "result.json", to_json(whole))
    return sections, whole
