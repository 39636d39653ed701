"""Results on disk: every file is written whole or not at all, and an interrupted run resumes."""

from __future__ import annotations

import json
import os
import tempfile
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from pydantic import TypeAdapter
from qiskit import QuantumCircuit, qasm3, qpy

from .analysis import Comparison
from .analysis.plots import save_convergence
from .backends.blocks import Block, Shots
from .backends.queue import JobRecord
from .backends.request import CHECK
from .compiler import Program
from .compiler.saved import to_saved
from .errors import ArgumentError
from .experiment import Experiment, model_json
from .results import document, to_json
from .sections import versions
from .targets import LEAST_BUSY, IbmTarget, Target, as_toml, packaged_folder, read_target


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a temporary file beside `path`, then put it in place in one step."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """A text file, whole or not at all."""
    write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


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
    """A program as JSON, to be loaded again."""
    write_text(path, json.dumps(to_saved(program), indent=1))


def check_writable(argument: str, folder: Path) -> None:
    """Refuse before anything is computed what could not be written afterwards; leaves nothing behind.

    Raises:
        ArgumentError: If neither the folder nor its nearest existing parent can be written to.
    """
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    found = None
    if not existing.is_dir():
        found = f"{existing} is not a folder"
    else:
        try:
            with tempfile.TemporaryFile(dir=existing):
                pass
        except OSError as error:
            found = f"{existing}: {error.strerror}"
    if found:
        raise ArgumentError(argument, "be writable", found, f"choose another folder than {folder}")


def check_new(argument: str, folder: Path) -> None:
    """Refuse a folder that holds files.

    Raises:
        ArgumentError: If it does.
    """
    if _begun(folder):
        raise ArgumentError(
            argument, "be a new or empty folder", f"{folder} holds files", "add --resume or choose another folder"
        )


def begun_on(target: Target, folder: Path) -> Target:
    """The target with the device that a run began on in place of "least_busy": another may be less busy now."""
    if not isinstance(target, IbmTarget) or target.device != LEAST_BUSY:
        return target
    try:
        device = json.loads((folder / "request.json").read_text(encoding="utf-8")).get("device")
    except (OSError, ValueError, AttributeError):
        return target
    return target.model_copy(update={"device": device}) if isinstance(device, str) else target


def _begun(folder: Path) -> bool:
    """Whether a folder holds files, besides what a killed process left half written under a name with a dot."""
    return folder.exists() and any(not path.name.startswith(".") for path in folder.iterdir())


def _read_block(path: Path) -> Block:
    with np.load(path) as stored:
        names = stored.files
        shots = tuple(
            Shots(stored[f"outcomes-{k}"], stored[f"jumps-{k}"])
            for k in range(sum(n.startswith("jumps-") for n in names))
        )
        return Block(
            CHECK if path.stem == "check" else int(path.stem.split("-")[1]),
            tuple(int(k) for k in stored["draws"]),
            stored["states"] if "states" in names else None,
            tuple(json.loads(str(stored["counts"]))),
            shots,
            stored["flips"] if "flips" in names else None,
            json.loads(str(stored["values"])) if "values" in names else {},
        )


class Folder:
    """A run's folder as a store of blocks: one file each, so that an interrupted run resumes."""

    def __init__(self, path: Path, identity: dict[str, object], *, resume: bool):
        self.path, self.data = path, path / "data"
        check_writable("--out", path)
        if not resume:
            check_new("--out", path)
        elif _begun(path):
            self._check_same(identity)
        path.mkdir(parents=True, exist_ok=True)
        self.run_id = self._known_id() or uuid.uuid4().hex[:16]
        write_text(path / "request.json", to_json({**identity, "run_id": self.run_id}))
        self.data.mkdir(exist_ok=True)  # after the request: a folder without one is no run and is not resumed

    def _known_id(self) -> str | None:
        """The name of the run that the folder holds: jobs of the service carry it."""
        try:
            found = json.loads((self.path / "request.json").read_text(encoding="utf-8")).get("run_id")
        except (OSError, ValueError, AttributeError):
            return None
        return found if isinstance(found, str) else None

    def _check_same(self, identity: dict[str, object]) -> None:
        try:
            before = json.loads((self.path / "request.json").read_text(encoding="utf-8"))
            if not isinstance(before, dict):
                raise ValueError
        except (OSError, ValueError):
            raise ArgumentError(
                "--resume", "point to a run of this program", f"{self.path} holds none", "choose another folder"
            ) from None
        for key, value in identity.items():
            if before.get(key) != value:
                raise ArgumentError(
                    "--resume",
                    "continue the same run",
                    f"{key} was {str(before.get(key))[:40]} and now is {str(value)[:40]}",
                    "choose another folder",
                )

    def load(self) -> dict[int, Block]:
        """The blocks on disk; a damaged one is as good as none and is run again."""
        blocks = {}
        for path in sorted([*self.data.glob("realisation-*.npz"), *self.data.glob("check.npz")]):
            try:
                block = _read_block(path)
            except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
                continue
            blocks[block.realisation] = block
        return blocks

    def save(self, block: Block) -> None:
        """One block, whole or not at all."""
        arrays: dict[str, Any] = {"draws": np.array(block.draws, dtype=int), "counts": json.dumps(block.counts)}
        if block.states is not None:
            arrays["states"] = block.states
        if block.flips is not None:
            arrays["flips"] = block.flips
        if block.values:
            arrays["values"] = json.dumps(dict(block.values))
        for k, shots in enumerate(block.shots):
            arrays |= {f"outcomes-{k}": shots.outcomes, f"jumps-{k}": shots.jumps}

        def write(temporary: Path) -> None:
            with temporary.open("wb") as file:
                np.savez_compressed(file, **arrays)

        write_whole(self.data / _block_name(block.realisation), write)

    def jobs(self) -> dict[str, JobRecord]:
        """The jobs that were written down, by tag; a damaged record is as good as none."""
        found = {}
        for path in sorted(self.data.glob("job-*.json")):
            try:
                record = TypeAdapter(JobRecord).validate_json(path.read_bytes())
            except (OSError, ValueError):
                continue
            found[record.tag] = record
        return found

    def save_job(self, record: JobRecord) -> None:
        """One record, whole or not at all."""
        write_text(self.data / f"job-{record.tag}.json", to_json(asdict(record)))


def _block_name(realisation: int) -> str:
    return "check.npz" if realisation == CHECK else f"realisation-{realisation:04d}.npz"


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
        write_text(folder / "target.toml", tomli_w.dumps(as_toml(spec.target)))
    if spec.initial.name.endswith(".qasm"):
        filled["run"]["initial"] = "initial.qasm"
        write_circuit(folder / "initial.qasm", spec.initial.preparation)
    knobs = {key: list(v) if isinstance(v, tuple) else v for key, v in program.knobs.items()}
    filled["compile"] |= {key: value for key, value in knobs.items() if value is not None}
    filled["compile"]["calibration"] = program.calibration.value
    filled["compile"] = {key: value for key, value in filled["compile"].items() if value is not None}
    write_text(folder / "experiment.toml", tomli_w.dumps(filled))


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


def write_results(comparison: Comparison, folder: Path) -> list[Path]:
    """Program, circuit, picture, report and result.json, which comes last; returns every file of the folder."""
    request = comparison.run.request
    write_text(folder / "program.txt", comparison.run.program.text)
    write_circuit(folder / "circuit.qpy", request.compiled.circuit(request.seed))
    write_text(folder / "versions.json", to_json(versions()))
    write_whole(folder / "convergence.png", lambda path: save_convergence(comparison, path))
    names = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    files = sorted({*names, folder / "result.json", folder / "report.txt"})
    write_text(folder / "report.txt", str(comparison) + "\n")
    write_text(folder / "result.json", to_json(document(comparison, [str(path) for path in files])))
    return files
