"""A run's folder as a store: one file per block and job, so that a run that was stopped, or damaged, goes on.

What does not fit its task is set aside under another name, said, and done again; nothing is overwritten or lost.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from itertools import count
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from ..backends.measurement.shots import Block
from ..backends.runs.fitting import Expected
from ..backends.services.queue import JobRecord, named
from ..backends.targets.base import Target
from ..errors import ArgumentError, shown_text
from ..io.files import SEAL, canonical, digest, read_sealed, sealed, write_bytes, write_text
from ..io.json import to_json
from ..io.text import parsed_json, read_bytes
from ..limits import MAX_BLOCK_BYTES
from .block_files import FORMAT, Damaged, Stored, block_name, number_of, packed, unpacked

REQUEST = "request.json"
ASIDE = re.compile(r".*\.damaged-\d+")
SAID = 300  # characters of a remark


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
        raise _taken(argument, folder)


def check_begun(argument: str, folder: Path) -> None:
    """Refuse a folder that no run was begun in.

    Raises:
        ArgumentError: If there is none, or it is empty.
    """
    if not _begun(folder):
        found = f"{folder} is empty" if folder.exists() else f"{folder} does not exist"
        raise ArgumentError(argument, "continue a run", found, f"check the path, or leave out {argument} to begin one")


def unused(path: Path) -> Path:
    """A new folder of this name, or with a number behind it where another run has just taken it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        folder = path if number == 1 else path.with_name(f"{path.name}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise AssertionError


def begun_on(target: Target, folder: Path) -> Target:
    """The target with the device that a run began on in place of "least_busy": another may be less busy now."""
    if target.settled:
        return target
    try:
        device = known_request(folder)[0].get("device")
    except ArgumentError:  # said when the run is continued
        return target
    return target.on_device(device) if isinstance(device, str) else target


def known_request(folder: Path, largest: int = MAX_BLOCK_BYTES) -> tuple[dict[str, Any], str | None]:
    """What the run in a folder was asked for, and what is wrong with its `request.json`, None if nothing.

    Every block and every job bears a copy, so that no paid job is lost with that file.

    Raises:
        ArgumentError: If no copy is left, or another version wrote it.
    """
    path, wrong, said = folder / REQUEST, "it is missing", None
    try:
        said = read_sealed(path, "--resume")
    except FileNotFoundError:
        pass
    except ValueError as error:
        wrong = _reason(error)
    if said is None and _is_before(path):
        raise ArgumentError(
            "--resume", f"continue a run of format {FORMAT}", f"{path} has the one before",
            "finish it with the version that began it (versions.json), or choose another folder",
        )  # fmt: skip
    if said is not None and said in _copies(folder / "data", largest):
        return said, None
    copies = list(_copies(folder / "data", largest))
    if said is not None:  # that of another run of the same program, copied over it, would have paid jobs done again
        wrong, copies = "it is of another run", [c for c in copies if {**c, "run_id": ""} == {**said, "run_id": ""}]
    if copies:
        texts = [canonical(copy) for copy in copies]
        return copies[texts.index(Counter(texts).most_common(1)[0][0])], wrong
    if said is not None:
        return said, None
    jobs = any((folder / "data").glob("job-*"))
    fix = "restore it from a copy" if jobs else "choose another folder"
    found = f"{path} is damaged ({wrong}) and nothing in {folder / 'data'} bears a copy"
    kept = ", or fetch the jobs that data/job-*.json names from the service by id" if jobs else ""
    raise ArgumentError("--resume", "point to a run that can be read", found, fix + kept)


def _copies(data: Path, largest: int) -> Iterator[dict[str, Any]]:
    """The requests that sound jobs and blocks bear."""
    for _, record in _records(data):
        if isinstance(record, dict):
            yield dict(record["request"])
    for _, block in _blocks(data, largest):
        if isinstance(block, Stored):
            yield dict(block.request)


def _is_before(path: Path) -> bool:
    """Whether a version that sealed nothing wrote a request."""
    try:
        found = parsed_json(read_bytes(path, "--resume"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and "run_id" in found and not {"format", SEAL} & set(found)


def _begun(folder: Path) -> bool:
    """Whether a folder holds files, besides what a killed process left half written under a name with a dot."""
    return folder.exists() and any(not path.name.startswith(".") for path in folder.iterdir())


def _taken(argument: str, folder: Path) -> ArgumentError:
    return ArgumentError(
        argument, "be a new or empty folder", f"{folder} holds files", "add --resume or choose another folder"
    )


def _blocks(data: Path, largest: int) -> Iterator[tuple[Path, Stored | str]]:
    """Every file that is named like a block: the block in it, or why there is none."""
    for path in sorted(path for path in data.glob("*.npz") if not path.name.startswith(".")):
        try:
            yield path, unpacked(read_bytes(path, path.name, 2 * largest), largest)
        except (Damaged, ArgumentError, IsADirectoryError) as error:
            yield path, _reason(error)


def _records(data: Path) -> Iterator[tuple[Path, dict[str, Any] | str]]:
    """Every file that is named like a job: its document, or why there is none."""
    for path in sorted(data.glob("job-*.json")):
        try:
            document = read_sealed(path, path.name)
        except (ValueError, IsADirectoryError) as error:
            yield path, _reason(error)
            continue
        yield path, document if isinstance(document.get("request"), dict) else "it names no run"


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return "it is a folder"
    return error.found if isinstance(error, ArgumentError) else str(error)


class Folder:
    """A run's folder as a store of blocks and jobs.

    Args:
        path: Of the folder.
        identity: What must be equal for a run to be continued.
        resume: Whether it is to be continued; else the folder must be new or empty.
        expected: What its blocks are held against.

    Raises:
        ArgumentError: If the folder holds another run, or none, or files although nothing is resumed.
        OSError: If the disk is full, or does not let itself be read or written; nothing is lost.
    """

    def __init__(self, path: Path, identity: Mapping[str, object], *, resume: bool, expected: Expected | None = None):
        self.path, self.data, self.expected = path, path / "data", expected or Expected()
        check_writable("--out", path)
        asked = json.loads(to_json(dict(identity)))
        if resume:
            check_begun("--resume", path)
            self.request, wrong = known_request(path, self.expected.largest)
            self._check_same(asked)
            if wrong is not None:
                if (path / REQUEST).exists():
                    self._set_aside([(path / REQUEST, wrong)])
                self._write_request()
        else:
            check_new("--out", path)
            path.mkdir(parents=True, exist_ok=True)
            self.request = {"format": FORMAT, **asked, "run_id": uuid.uuid4().hex[:16]}
            try:
                self._write_request(new=True)
            except FileExistsError:  # another run began in the same moment
                raise _taken("--out", path) from None
        self.data.mkdir(exist_ok=True)  # after the request: a folder without one is no run and is not resumed

    def _write_request(self, *, new: bool = False) -> None:
        write_text(self.path / REQUEST, to_json(sealed(self.request)), new=new)

    @property
    def run_id(self) -> str:
        """The name of the run that the folder holds: jobs of the service carry it."""
        return str(self.request["run_id"])

    @property
    def set_aside(self) -> tuple[str, ...]:
        """Files that were damaged and were done again, now and before, as they are called now."""
        found = (path for path in self.path.rglob("*.damaged-*") if ASIDE.fullmatch(path.name))
        return tuple(sorted(path.relative_to(self.path).as_posix() for path in found))

    def key(self, of: int | str) -> str:
        """SHA-256 of the run and of which of its realisations or jobs it is."""
        return digest(canonical([self.request, of]))

    def _check_same(self, asked: Mapping[str, Any]) -> None:
        for name, value in asked.items():
            if self.request.get(name) != value:
                raise ArgumentError(
                    "--resume",
                    "continue the same run",
                    f"{name} was {str(self.request.get(name))[:40]} and now is {str(value)[:40]}",
                    "choose another folder",
                )

    def load(self) -> dict[int, Block]:
        """The blocks on disk; what is damaged, or is none of this run, is set aside, and its realisation is missing."""
        blocks, damaged = dict[int, Block](), list[tuple[Path, str]]()
        for path, found in _blocks(self.data, self.expected.largest):
            wrong = found if isinstance(found, str) else self._misfit(path, found)
            if wrong is not None:
                damaged.append((path, wrong))
            elif isinstance(found, Stored):
                blocks[found.block.realisation] = found.block
        self._set_aside(damaged)
        return blocks

    def _misfit(self, path: Path, found: Stored) -> str | None:
        """Why a block cannot be the one that its file is named after."""
        realisation = number_of(path.name)
        if realisation is None or found.block.realisation != realisation:
            return "it is another block than its name says"
        if found.key != self.key(realisation):
            return "it is of another run"
        return self.expected.misfit(found.block)

    def save(self, block: Block) -> None:
        """One block, whole or not at all."""
        content = packed(block, self.key(block.realisation), self.request)
        write_bytes(self.data / block_name(block.realisation), content)

    def jobs(self) -> dict[str, JobRecord]:
        """The jobs that were written down, by tag.

        A damaged record is set aside and written anew from its name, as one whose id was never seen: the service is
        asked for it, and nothing is paid for twice.
        """
        jobs, damaged = dict[str, JobRecord](), list[tuple[Path, str]]()
        for path, found in _records(self.data):
            record = found if isinstance(found, str) else self._record(path, found)
            if isinstance(record, str):
                damaged.append((path, record))
            else:
                jobs[record.tag] = record
        self._set_aside(damaged)
        for path, _ in damaged:
            rebuilt = named(self.run_id, path.stem.removeprefix("job-"))
            if rebuilt is not None:
                self.save_job(rebuilt)
                jobs[rebuilt.tag] = rebuilt
        return jobs

    def _record(self, path: Path, found: Mapping[str, Any]) -> JobRecord | str:
        """The record in a document, or why there is none."""
        try:
            record = TypeAdapter(JobRecord).validate_python({f.name: found[f.name] for f in fields(JobRecord)})
        except (KeyError, ValueError):
            return "it is no record of a job"
        if path.name != f"job-{record.tag}.json":
            return "it is another record than its name says"
        return record if found.get("key") == self.key(record.tag) else "it is of another run"

    def save_job(self, record: JobRecord) -> None:
        """One record, whole or not at all."""
        document = {**asdict(record), "key": self.key(record.tag), "request": self.request}
        plain = json.loads(to_json(document))  # as it will be read: the checksum is of that
        write_text(self.data / f"job-{record.tag}.json", to_json(sealed(plain)))

    def _set_aside(self, damaged: list[tuple[Path, str]]) -> None:
        """Rename what does not fit, and say so in a line."""
        for path, _ in damaged:
            path.rename(next(p for n in count(1) if not (p := path.with_name(f"{path.name}.damaged-{n}")).exists()))
        if damaged:
            said = shown_text(", ".join(f"{path.relative_to(self.path)} ({wrong})" for path, wrong in damaged), SAID)
            many = f"{len(damaged)} damaged files" if len(damaged) > 1 else "a damaged file"
            print(f"Set aside {many} in {self.path}, to be done again: {said}", file=sys.stderr)
