"""Results folders that were damaged: what does not fit is set aside and done again, and the result is the same."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

import gibbs_circuits as gc
from gibbs_circuits.backends.measurement.shots import Block, Shots
from gibbs_circuits.backends.runs.fitting import expected_of, largest_block, misfit
from gibbs_circuits.backends.runs.prepare import request_run, run_request
from gibbs_circuits.backends.runs.request import CHECK, Request
from gibbs_circuits.backends.runs.run import collect
from gibbs_circuits.backends.targets.aer import AerTarget
from gibbs_circuits.cli import options as cli
from gibbs_circuits.cli import terminal
from gibbs_circuits.errors import ArgumentError
from gibbs_circuits.experiments import store as on_disk
from gibbs_circuits.experiments.block_files import DIGITS, Damaged, packed, unpacked
from gibbs_circuits.experiments.store import Folder, known_request, unused
from gibbs_circuits.io import files as disk
from gibbs_circuits.io.files import digest
from gibbs_circuits.programs.initial_state import zero
from tests.examples import build, ising
from tests.killed import blocks_of, cheap_report, complaints, three_jobs
from tests.stand_in import StandIn, Temper, asked_of, install

ROOT = Path(__file__).parents[2]
STATES = AerTarget(name="here", kind="aer", method="density_matrix")
VECTOR = AerTarget(name="there", kind="aer", method="statevector")
RNG = np.random.default_rng(17)
BITS = Shots(RNG.random((5, 2)) < 0.5, RNG.random((5, 3)) < 0.5)
BLOCKS = {
    "states": Block(0, (3, 1), RNG.random((2, 2, 2)) + 1j * RNG.random((2, 2, 2)), ({"0": 3, "1": 4},)),
    "shots": Block(12345, (), None, (BITS.counts, BITS.counts), (BITS, BITS)),
    "flips": Block(1, (0,), None, ({"01": 2},), flips=RNG.random((2, 2))),
    "values": Block(2, (0,), None, (), values={"energy": -1.5, "ν": 0.25}),
    "check": Block(CHECK, (), None, ({"11": 9},)),
}


def same(one: Block, other: Block) -> bool:
    """Everything that a block has, to the last bit."""
    arrays = [(one.states, other.states), (one.flips, other.flips)]
    arrays += [(a.outcomes, b.outcomes) for a, b in zip(one.shots, other.shots, strict=True)]
    arrays += [(a.jumps, b.jumps) for a, b in zip(one.shots, other.shots, strict=True)]
    plain = (one.realisation, one.draws, one.counts, dict(one.values))
    return plain == (other.realisation, other.draws, other.counts, dict(other.values)) and all(
        (a is None and b is None) or (a is not None and b is not None and np.array_equal(a, b)) for a, b in arrays
    )


# A block as bytes.


@pytest.mark.parametrize("name", BLOCKS)
def test_unpacked__every_byte_flipped_or_cut__is_no_block(name: str) -> None:
    data = packed(BLOCKS[name], "key", {"run_id": "a"})
    found = unpacked(data, 10**6)
    assert (found.key, found.request) == ("key", {"run_id": "a"})
    assert same(found.block, BLOCKS[name])
    for place in range(len(data)):
        for mask in (1, 0x80, 0xFF):
            with pytest.raises(Damaged):
                unpacked(data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :], 10**6)
        with pytest.raises(Damaged):
            unpacked(data[:place], 10**6)
    for more in (b"\0", b"PK", data):
        with pytest.raises(Damaged):
            unpacked(data + more, 10**6)


def test_block__opens_with_numpy__as_users_open_it() -> None:
    with np.load(io.BytesIO(packed(BLOCKS["states"], "key", {}))) as stored:
        assert np.array_equal(stored["states"], BLOCKS["states"].states)
        assert stored["draws"].tolist() == [3, 1]
        assert json.loads(str(stored["counts"])) == [{"0": 3, "1": 4}]


def forged(data: bytes, change: Callable[[dict[str, bytes]], object], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A block with other members, and the checksum of a stranger who knows how."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members, comment = {name: archive.read(name) for name in archive.namelist()}, archive.comment
    change(members)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.comment = comment
    body = file.getvalue()[:-DIGITS]
    return body + digest(body).encode()


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def huge_shape() -> bytes:
    """An array of eight bytes whose header says that it has 2^50."""
    file = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (2**47,)}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + bytes(8)


FORGED: dict[str, Callable[[dict[str, bytes]], object]] = {
    "extra": lambda m: m.update({"more.npy": npy(np.zeros(2))}),
    "missing": lambda m: m.pop("states.npy"),
    "no_header": lambda m: m.pop("header.npy"),
    "no_counts": lambda m: m.pop("counts.npy"),
    "another_shape": lambda m: m.update({"states.npy": npy(np.zeros((3, 2, 2), complex))}),
    "pickle": lambda m: m.update({"states.npy": npy(np.array([{}], dtype=object))}),
    "huge_shape": lambda m: m.update({"states.npy": huge_shape()}),
    "bomb": lambda m: m.update({"states.npy": npy(np.zeros((300, 300), complex))}),
    "more_bytes": lambda m: m.update({"states.npy": m["states.npy"] + b"\0"}),
    "text": lambda m: m.update({"counts.npy": b"no array"}),
    "empty": lambda m: m.update({"draws.npy": b""}),
    "nested": lambda m: m.update({"counts.npy": npy(np.array("[" * 50_000))}),
    "float_draws": lambda m: m.update({"draws.npy": npy(np.zeros(2))}),
}


@pytest.mark.parametrize("case", FORGED)
def test_unpacked__archive_of_a_stranger__is_no_block(case: str) -> None:
    data = packed(BLOCKS["states"], "key", {})
    assert same(unpacked(forged(data, lambda members: None), 10**6).block, BLOCKS["states"])  # the control
    says = "would unpack to" if case == "bomb" else "shape does not fit" if case == "huge_shape" else "."
    with pytest.raises(Damaged, match=says):
        unpacked(forged(data, FORGED[case]), 10**6)


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unpacked__packed_in_another_way__is_no_block(kind: int) -> None:
    with pytest.raises(Damaged, match="another way"):
        unpacked(forged(packed(BLOCKS["states"], "key", {}), lambda members: None, kind), 10**6)


def test_unpacked__archive_that_lies_about_its_size__is_no_block() -> None:
    data = packed(BLOCKS["states"], "key", {})
    data = forged(data, lambda members: members.update({"states.npy": npy(np.zeros((300, 300), complex))}))
    body = bytearray(data[:-DIGITS])
    size = 300 * 300 * 16 + 128
    assert body.count(size.to_bytes(4, "little")) == 2  # beside the member, and in the directory
    body = bytearray(bytes(body).replace(size.to_bytes(4, "little"), (400).to_bytes(4, "little")))
    with pytest.raises(Damaged):
        unpacked(bytes(body) + digest(bytes(body)).encode(), 10**6)


BOMB = """
import resource, sys
from pathlib import Path
from gibbs_circuits.experiments.store import Folder
store = Folder(Path(sys.argv[1]), {"seed": 1}, resume=True)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, used + 2**28))
assert sorted(store.load()) == [1], "the sound block is kept"
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the limit is set from Linux's own figures")
def test_load__bomb__takes_no_memory(tmp_path: Path) -> None:
    store = Folder(tmp_path / "out", {"seed": 1}, resume=False)
    for k in (0, 1):
        store.save(Block(k, (), np.eye(2, dtype=complex)[None], ({"0": 1},)))
    path = store.data / "realisation-0000.npz"
    zeros = io.BytesIO()
    np.lib.format.write_array_header_1_0(zeros, {"descr": "<c16", "fortran_order": False, "shape": (2**25,)})
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        members, comment = {name: archive.read(name) for name in archive.namelist()}, archive.comment
    del members["states.npy"]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        with archive.open("states.npy", "w", force_zip64=True) as member:
            member.write(zeros.getvalue())
            for _ in range(2**29 // 2**24):
                member.write(bytes(2**24))
        archive.comment = comment
    body = file.getvalue()[:-DIGITS]
    path.write_bytes(body + digest(body).encode())
    assert len(body) < 3 * 2**20  # and 512 MiB when unpacked
    done = subprocess.run(
        [sys.executable, "-c", BOMB, str(tmp_path / "out")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "5368" in done.stderr  # bytes that it would have unpacked to
    assert (store.data / "realisation-0000.npz.damaged-1").exists()


# A folder.


def asked(target: AerTarget = STATES, ancillas: str = "reset", **keys: Any) -> Request:
    """Three realisations on one site with a random delay each."""
    program = build(ising(1), sweeps=2, nodes=2, random_delays=(0, 2), **keys)
    shots = 0 if target is STATES else 30
    return request_run(program, target, zero(1), {}, shots, 3, 1, ancillas=ancillas)


@pytest.fixture(scope="module")
def request_() -> Request:
    return asked()


@pytest.fixture(scope="module")
def whole(request_: Request, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Block, ...]]:
    """A finished folder, and its blocks."""
    path = tmp_path_factory.mktemp("whole") / "out"
    return path, collect(request_, Folder(path, request_.identity, resume=False, expected=expected_of(request_)))


def resumed(request: Request, path: Path) -> tuple[tuple[Block, ...], Folder]:
    store = Folder(path, request.identity, resume=True, expected=expected_of(request))
    return collect(request, store), store


def another(request: Request, path: Path) -> Path:
    """The folder of a run of the same program that is not this one."""
    collect(request, Folder(path, request.identity, resume=False))
    return path


Damage = Callable[[Path, Request, Path], object]  # of a folder, with a place for more


def block(path: Path, k: int = 1) -> Path:
    return path / "data" / f"realisation-{k:04d}.npz"


def flipped(path: Path, place: int, mask: int = 0xFF) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= mask
    path.write_bytes(data)


def instead(path: Path, by: Callable[[Path], object]) -> None:
    path.unlink()
    by(path)


def other_seed(request: Request) -> Request:
    return replace(request, seed=2)


DAMAGES: dict[str, tuple[Damage, str]] = {
    "empty": (lambda path, r, t: block(path).write_bytes(b""), "it is empty"),
    "flipped": (lambda path, r, t: flipped(block(path), 300), "its checksum is wrong"),
    "cut": (lambda path, r, t: block(path).write_bytes(block(path).read_bytes()[:-1]), "its checksum is wrong"),
    "copied_over": (lambda path, r, t: shutil.copy(block(path, 2), block(path)), "another block than its name"),
    "of_another_run": (lambda path, r, t: shutil.copy(block(another(r, t)), block(path)), "of another run"),
    "of_another_seed": (
        lambda path, r, t: shutil.copy(block(another(other_seed(r), t)), block(path)), "of another run"
    ),
    "folder": (lambda path, r, t: instead(block(path), Path.mkdir), "it is a folder"),
    "pipe": (lambda path, r, t: instead(block(path), os.mkfifo), "is none"),
    "extra_name": (lambda path, r, t: block(path).rename(path / "data" / "realisation-001.npz"), "its name says"),
    "no_archive": (lambda path, r, t: block(path).write_bytes(b"not an archive"), "its checksum is wrong"),
    "large": (lambda path, r, t: os.truncate(block(path), 10**9), "MiB"),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGES)
def test_resume__block_that_does_not_fit__is_set_aside_and_done_again(
    case: str, whole: tuple[Path, tuple[Block, ...]], request_: Request, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = Path(shutil.copytree(whole[0], tmp_path / "out"))
    damage, says = DAMAGES[case]
    damage(path, request_, tmp_path / "other")
    capsys.readouterr()
    kept = [block(path, k).stat().st_mtime_ns for k in (0, 2)]
    found, store = resumed(request_, path)
    assert all(map(same, found, whole[1]))
    assert [block(path, k).stat().st_mtime_ns for k in (0, 2)] == kept
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert says in said[0]
    assert "data/realisation-0" in said[0]
    name = "realisation-001.npz" if case == "extra_name" else "realisation-0001.npz"
    assert store.set_aside == (f"data/{name}.damaged-1",)
    assert (path / store.set_aside[0]).exists() or case == "pipe"
    assert block(path).is_file()
    again, store = resumed(request_, path)  # and once only
    assert all(map(same, again, whole[1]))
    assert capsys.readouterr().err == ""
    assert len(store.set_aside) == 1


def test_resume__two_blocks_swapped__both_are_done_again(
    whole: tuple[Path, tuple[Block, ...]], request_: Request, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(shutil.copytree(whole[0], tmp_path / "out"))
    one, other = block(path, 0).read_bytes(), block(path, 2).read_bytes()
    block(path, 0).write_bytes(other)
    block(path, 2).write_bytes(one)
    found, store = resumed(request_, path)
    assert all(map(same, found, whole[1]))
    assert len(store.set_aside) == 2
    assert "2 damaged files" in capsys.readouterr().err


def test_set_aside__never_overwrites__damaged_twice(
    whole: tuple[Path, tuple[Block, ...]], request_: Request, tmp_path: Path
) -> None:
    path = Path(shutil.copytree(whole[0], tmp_path / "out"))
    for text in ("once", "twice"):
        block(path).write_text(text)
        _, store = resumed(request_, path)
    assert [(path / name).read_text() for name in store.set_aside] == ["once", "twice"]


def test_resume__block_that_cannot_be_read__is_not_taken_for_a_damaged_one(
    whole: tuple[Path, tuple[Block, ...]], request_: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copytree(whole[0], tmp_path / "out"))

    def denied(one: Path, *arguments: object) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied", str(one))

    monkeypatch.setattr("gibbs_circuits.experiments.store.unpacked", denied)
    with pytest.raises(PermissionError):
        resumed(request_, path)
    assert not list(path.rglob("*.damaged-*"))


@pytest.mark.parametrize("what", ["request", "job"])
def test_resume__document_that_cannot_be_read__is_not_taken_for_a_damaged_one(
    what: str, whole: tuple[Path, tuple[Block, ...]], request_: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copytree(whole[0], tmp_path / "out"))
    (path / "data" / "job-none-0-0.json").write_text("{}")
    read = on_disk.read_sealed

    def denied(one: Path, *arguments: Any) -> dict[str, Any]:
        if one.name.startswith(what):
            raise PermissionError(errno.EACCES, "Permission denied", str(one))
        return read(one, *arguments)

    monkeypatch.setattr(on_disk, "read_sealed", denied)
    with pytest.raises(PermissionError):
        resumed(request_, path)
    assert not list(path.rglob("*.damaged-*"))


def everywhere(path: Path) -> list[tuple[Path, int]]:
    """Every byte of what a resumption reads."""
    files = [*sorted((path / "data").iterdir()), path / "request.json"]
    return [(file.relative_to(path), place) for file in files for place in range(file.stat().st_size)]


def disturbed(places: list[tuple[Path, int]], whole: tuple[Path, tuple[Block, ...]], request: Request, folder: Path,
              monkeypatch: pytest.MonkeyPatch) -> int:  # fmt: skip
    """Flip one byte, resume, and hold the result against the undisturbed one; how often something was set aside."""
    runs = {block.realisation: block for block in whole[1]}

    def quickly(request: Request, missing: list[int], done: Callable[[Block], None]) -> None:
        for k in missing:
            done(runs[k])  # as Aer would, which other tests show

    monkeypatch.setattr("gibbs_circuits.backends.runs.run.run_blocks", quickly)
    monkeypatch.setattr("gibbs_circuits.backends.runs.run.aer_check", lambda request: None)
    monkeypatch.setattr(disk.os, "fsync", lambda handle: None)  # type: ignore[attr-defined]
    path, aside = Path(shutil.copytree(whole[0], folder / "out")), 0
    for file, place in places:
        data = (path / file).read_bytes()
        flipped(path / file, place, 1 << (place % 8))
        found, store = resumed(request, path)
        assert all(map(same, found, whole[1])), (file, place)
        names = store.set_aside
        assert set(names) <= {f"{file.as_posix()}.damaged-1"}
        aside += len(names)
        for name in names:
            (path / name).unlink()
        assert file.name == "request.json" or (names and (path / file).read_bytes()[:4] == b"PK\3\4")
        (path / file).write_bytes(data)
    return aside


def test_resume__bytes_flipped_one_at_a_time__ends_as_if_nothing_had_been(
    whole: tuple[Path, tuple[Block, ...]], request_: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = everywhere(whole[0])
    rng = np.random.default_rng(3)
    some = [places[k] for k in rng.choice(len(places), 60, replace=False)]
    assert disturbed(some, whole, request_, tmp_path, monkeypatch) > 50


@pytest.mark.slow
def test_resume__every_byte_flipped_one_at_a_time__ends_as_if_nothing_had_been(
    whole: tuple[Path, tuple[Block, ...]], request_: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = everywhere(whole[0])
    assert len(places) > 4000
    assert disturbed(places, whole, request_, tmp_path, monkeypatch) > 0.8 * len(places)


# What a block must look like, whoever signed it.

MISFITS: dict[str, tuple[Callable[[Block], Block], str]] = {
    "draws": (lambda b: replace(b, draws=(9, 9)), "draws"),
    "realisation": (lambda b: replace(b, realisation=7), "no such realisation"),
    "no_states": (lambda b: replace(b, states=None), "states where there are none, or none"),
    "sweeps": (lambda b: replace(b, states=b.states[:-1]), "states have another shape"),  # type: ignore[index]
    "real": (lambda b: replace(b, states=np.real(b.states)), "states have another shape"),
    "counts": (lambda b: replace(b, counts=({"0": 1},)), "counts are not one set"),
    "flips": (lambda b: replace(b, flips=np.zeros(2)), "readout errors"),
    "values": (lambda b: replace(b, values={"energy": 1.0}), "values"),
    "shots": (lambda b: replace(b, shots=(BITS,)), "shots are not one set"),
}


@pytest.mark.parametrize("case", MISFITS)
def test_misfit__says_why__states(case: str, whole: tuple[Path, tuple[Block, ...]], request_: Request) -> None:
    change, says = MISFITS[case]
    good = whole[1][1]
    assert misfit(request_, good) is None
    assert says in str(misfit(request_, change(good)))


def test_misfit__says_why__shots_with_recorded_ancillas(tmp_path: Path) -> None:
    request = asked(VECTOR, "recorded")
    good = collect(request, Folder(tmp_path / "out", request.identity, resume=False))[0]
    assert misfit(request, good) is None
    wide = replace(good, counts=tuple({"00": 1} for _ in good.counts))
    assert "number of qubits" in str(misfit(request, wide))
    less = tuple(Shots(one.outcomes, one.jumps[:, :-1]) for one in good.shots)
    assert "shots have another shape" in str(misfit(request, replace(good, shots=less)))
    signed = Folder(tmp_path / "out", request.identity, resume=True, expected=expected_of(request))
    signed.save(replace(good, shots=less))  # with the right key and checksum
    found, store = resumed(request, tmp_path / "out")
    assert same(found[0], good)
    assert store.set_aside == ("data/realisation-0000.npz.damaged-1",)


@pytest.mark.parametrize(("target", "ancillas"), [(STATES, "reset"), (VECTOR, "reset"), (VECTOR, "recorded")])
def test_largest_block__is_more_than_any_takes_and_not_much__every_kind(
    target: AerTarget, ancillas: str, tmp_path: Path
) -> None:
    request = asked(target, ancillas)
    blocks = collect(request, Folder(tmp_path / "out", request.identity, resume=False))
    with zipfile.ZipFile(block(tmp_path / "out")) as archive:
        size = sum(member.file_size for member in archive.infolist())
    assert len(blocks) == 3
    assert size < largest_block(request) < 2**20


# The request.


def test_resume__request_damaged__goes_on_from_the_copy_in_every_block(
    whole: tuple[Path, tuple[Block, ...]], request_: Request, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, text in enumerate(("", "{", "[]", "null", "[" * 100_000, "9" * 5000, None)):
        path = Path(shutil.copytree(whole[0], tmp_path / str(number)))
        before = json.loads((path / "request.json").read_text())
        if text is None:
            (path / "request.json").unlink()
        else:
            (path / "request.json").write_text(text)
        found, store = resumed(request_, path)
        assert all(map(same, found, whole[1]))
        assert store.set_aside == (() if text is None else ("request.json.damaged-1",))
        assert json.loads((path / "request.json").read_text()) == before
    other = Path(shutil.copytree(whole[0], tmp_path / "other"))
    (other / "request.json").write_text("{")
    with pytest.raises(ArgumentError, match="seed was 1 and now is 2"):
        resumed(other_seed(request_), other)
    assert (other / "request.json").read_text() == "{"


def test_resume__request_of_another_run_copied_over__keeps_the_data_and_its_name(
    whole: tuple[Path, tuple[Block, ...]], request_: Request, tmp_path: Path
) -> None:
    path = Path(shutil.copytree(whole[0], tmp_path / "out"))
    before = (path / "request.json").read_text()
    shutil.copy(another(request_, tmp_path / "other") / "request.json", path)
    found, store = resumed(request_, path)
    assert all(map(same, found, whole[1]))
    assert store.set_aside == ("request.json.damaged-1",)
    assert (path / "request.json").read_text() == before
    shutil.copy(another(other_seed(request_), tmp_path / "seed") / "request.json", path)
    with pytest.raises(ArgumentError, match="seed was 2 and now is 1"):
        resumed(request_, path)


def test_resume__only_block_is_a_stranger__the_request_stands(request_: Request, tmp_path: Path) -> None:
    begun = Folder(tmp_path / "out", request_.identity, resume=False)
    shutil.copy(block(another(other_seed(request_), tmp_path / "other")), begun.data)
    _, store = resumed(request_, tmp_path / "out")
    assert store.run_id == begun.run_id
    assert store.set_aside == ("data/realisation-0001.npz.damaged-1",)


def test_resume__no_copy_of_the_request_left__is_refused_and_says_what_to_do(
    whole: tuple[Path, tuple[Block, ...]], request_: Request, tmp_path: Path
) -> None:
    path = Path(shutil.copytree(whole[0], tmp_path / "out"))
    (path / "request.json").write_text("{")
    for file in (path / "data").iterdir():
        file.write_bytes(b"")
    with pytest.raises(ArgumentError, match=r"nothing in .*data bears a copy\. Fix: choose another folder"):
        resumed(request_, path)
    (path / "data" / "job-a-0-0.json").write_bytes(b"")
    with pytest.raises(ArgumentError, match=r"fetch the jobs that data/job-\*\.json names"):
        resumed(request_, path)


def test_resume__folder_of_the_format_before__is_refused(request_: Request, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "request.json").write_text(json.dumps({**request_.identity, "run_id": "0123456789abcdef"}))
    with pytest.raises(ArgumentError, match=r"format 2, but .*request\.json has the one before\. Fix: "):
        resumed(request_, tmp_path)
    assert not list(tmp_path.rglob("*.damaged-*"))


# The command line.


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """A command line in an empty folder with an experiment, what takes long left out; (status, result, lines)."""
    monkeypatch.chdir(tmp_path)
    cheap_report(monkeypatch)
    monkeypatch.setattr("gibbs_circuits.backends.runs.prepare.ROUTED_GATES", 0)
    experiment = '[model]\nname = "tfim"\nsites = 1\nbeta = 1.0\n[compile]\nnodes = 2\nspacing = 0.5\nsweeps = 2\n'
    experiment += "target_error = 0.9\nstrength = 0.5\nrandom_delays = [0, 2]\n[run]\nrealisations = 3\n"
    (tmp_path / "e.toml").write_text(experiment)

    def call(*arguments: str, file: str = "e.toml") -> tuple[int, dict[str, Any], list[str]]:
        status = cli.status(["run", file, "--json", *arguments])
        out, err = capsys.readouterr()
        return status, json.loads(out) if out else {}, err.splitlines()

    return call


def outcome(data: dict[str, Any]) -> dict[str, Any]:
    """A result without what is of the folder alone."""
    return {**data, "files": None, "run": {**data["run"], "set_aside": None}}


def test_run__damaged_anywhere__ends_with_the_same_result_or_2(desk: Callable[..., Any], tmp_path: Path) -> None:
    _, first, _ = desk("--out", "out")
    out, rng = tmp_path / "out", np.random.default_rng(5)
    block(out, 0).write_bytes(b"")
    status, again, lines = desk("--out", "out", "--resume")
    assert (status, len(lines)) == (0, 1)
    assert outcome(again) == outcome(first)
    assert again["run"]["set_aside"] == ["data/realisation-0000.npz.damaged-1"]
    assert "damaged-1" in (out / "report.txt").read_text()
    assert first["run"]["set_aside"] == []
    for file in sorted(p for p in out.rglob("*") if p.is_file() and "damaged" not in p.name):
        flipped(file, int(rng.integers(file.stat().st_size)))  # all of them at once
    status, again, lines = desk("--out", "out", "--resume")
    assert status == 2 or outcome(again) == outcome(first)
    assert len(lines) <= 2


@pytest.mark.slow
def test_run__damaged_in_one_place__ends_with_the_same_result(desk: Callable[..., Any], tmp_path: Path) -> None:
    _, first, _ = desk("--out", "whole")
    files = sorted(p.relative_to(tmp_path / "whole") for p in (tmp_path / "whole").rglob("*") if p.is_file())
    rng = np.random.default_rng(6)
    for trial in range(24):
        out = Path(shutil.copytree(tmp_path / "whole", tmp_path / str(trial)))
        file = out / files[trial % len(files)]
        size = file.stat().st_size
        if trial % 3:
            flipped(file, int(rng.integers(size)))
        else:
            os.truncate(file, int(rng.integers(size)))
        status, again, lines = desk("--out", str(out), "--resume")
        assert status == 0, (file, lines)
        assert outcome(again) == outcome(first)


def test_run__resume_of_what_was_never_begun__is_refused(desk: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name, says in (("none", "none does not exist"), ("empty", "empty is empty")):
        status, _, lines = desk("--out", name, "--resume")
        assert (status, len(lines)) == (2, 1)
        assert says in lines[0]
        assert "leave out --resume" in lines[0]
    assert not (tmp_path / "none").exists()
    with pytest.raises(ArgumentError, match=r"`resume` must continue a run, but .*none does not exist"):
        gc.run(build(ising(1)), out=tmp_path / "none", resume=True)


def test_run__continued_from_its_own_folder__refuses_inputs_that_were_changed(
    desk: Callable[..., Any], tmp_path: Path
) -> None:
    _, first, _ = desk("--out", "out")
    assert outcome(desk("--out", "out", "--resume", file="out/experiment.toml")[1]) == outcome(first)
    text = (tmp_path / "out" / "experiment.toml").read_text()
    (tmp_path / "out" / "experiment.toml").write_text(text.replace("target_error = 0.9", "target_error = 0.8"))
    assert (tmp_path / "out" / "experiment.toml").read_text() != text
    status, _, lines = desk("--out", "out", "--resume", file="out/experiment.toml")
    assert (status, len(lines)) == (2, 1)
    assert "experiment.toml" in lines[0]
    assert desk("--out", "new", file="out/experiment.toml")[0] == 0  # as an experiment of its own it is as good as any
    assert outcome(desk("--out", "out", "--resume")[1]) == outcome(first)  # and mends it
    assert (tmp_path / "out" / "experiment.toml").read_text() == text


def test_run__two_in_the_same_second__have_folders_of_their_own(
    desk: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "gibbs_circuits.cli.commands.default_folder", lambda spec: Path("results") / "e-20260101T000000Z"
    )
    assert [desk()[0] for _ in range(3)] == [0, 0, 0]
    names = sorted(path.name for path in (tmp_path / "results").iterdir())
    assert len(names) == 3
    assert [name.split("-")[3:] for name in names] == [[], ["2"], ["3"]]


def test_unused__never_gives_a_folder_twice__many_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda k: unused(tmp_path / "a"), range(40)))
    assert len(set(found)) == 40
    assert len(list(tmp_path.iterdir())) == 40
    assert unused(tmp_path / "b") == tmp_path / "b"


def test_folder__begun_by_two_at_once__is_of_one(
    request_: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Folder(tmp_path / "out", request_.identity, resume=False)
    monkeypatch.setattr(
        "gibbs_circuits.experiments.store.check_new", lambda *arguments: None
    )  # the other looked a moment ago
    with pytest.raises(ArgumentError, match="holds files"):
        Folder(tmp_path / "out", request_.identity, resume=False)
    assert known_request(tmp_path / "out")[0]["run_id"] == first.run_id


@pytest.mark.parametrize("error", [EOFError, EOFError("No data left in file")])
def test_status__end_of_a_file__is_no_ctrl_c(
    error: EOFError, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = typer.Typer(cls=terminal.Commands)

    @app.callback()
    def root() -> None:
        pass

    @app.command()
    def ends(again: bool = False) -> None:
        raise error if not again else KeyboardInterrupt

    monkeypatch.delenv(terminal.DEBUG, raising=False)
    assert terminal.status(app, ["ends"]) == terminal.BUG
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert "a file ended too early" in err
    assert terminal.status(app, ["ends", "--again"]) == terminal.INTERRUPTED  # the control


def test_run__end_of_a_file_inside__is_not_said_to_be_an_interruption(
    desk: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*arguments: object) -> None:
        raise EOFError

    monkeypatch.delenv(terminal.DEBUG, raising=False)
    monkeypatch.setattr("gibbs_circuits.cli.commands.run_request", ended)
    status, _, lines = desk("--out", "out")
    assert status == terminal.BUG
    assert "Interrupted" not in lines[-1]


# Jobs that are paid for.


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory) -> Request:
    """A run of three jobs, compiled once."""
    return three_jobs(tmp_path_factory.mktemp("paid"))


def bring(request: Request, folder: Path, patch: pytest.MonkeyPatch, *, resume: bool) -> Any:
    service = StandIn(folder / "service", Temper())
    install(patch, service, interval=0.001, grace=0.01)
    store = Folder(folder / "out", request.identity, resume=resume, expected=expected_of(request))
    return run_request(asked_of(request, service), store)


JOBS: dict[str, Callable[[list[Path]], object]] = {
    "empty": lambda jobs: jobs[0].write_bytes(b""),
    "flipped": lambda jobs: flipped(jobs[1], 40),
    "id_flipped": lambda jobs: flipped(jobs[1], jobs[1].read_bytes().index(b'"job"') + 9, 1),
    "cut": lambda jobs: os.truncate(jobs[2], 100),
    "copied_over": lambda jobs: shutil.copy(jobs[0], jobs[2]),
    "all": lambda jobs: [job.write_bytes(b"") for job in jobs],
    "nested": lambda jobs: jobs[0].write_text("[" * 100_000),
    "digits": lambda jobs: jobs[0].write_text('{"attempt": ' + "9" * 5000 + "}"),
}


@pytest.mark.parametrize("blocks_too", [False, True])
@pytest.mark.parametrize("case", JOBS)
def test_resume__record_of_a_job_damaged__nothing_is_paid_for_twice(
    case: str, blocks_too: bool, paid: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = bring(paid, tmp_path, monkeypatch, resume=False)
    reference, service = blocks_of(tmp_path / "out"), StandIn(tmp_path / "service")
    jobs = sorted((tmp_path / "out" / "data").glob("job-*.json"))
    assert len(jobs) == 3
    if blocks_too:  # killed while the jobs went on
        for path in (tmp_path / "out" / "data").glob("*.npz"):
            path.unlink()
        for path in jobs:
            record = json.loads(path.read_text())
            path.write_text(json.dumps(disk.sealed({**record, "status": "submitted", "qpu_seconds": None})))
    JOBS[case](jobs)
    again = bring(paid, tmp_path, monkeypatch, resume=True)
    assert complaints(tmp_path / "out", service) == []
    assert blocks_of(tmp_path / "out") == reference
    assert len(service.events("accepted")) == 3
    said = [(r.tag, r.realisations, r.attempt, r.job, r.status, r.message, r.qpu_seconds) for r in again.jobs]
    assert said == [(r.tag, r.realisations, r.attempt, r.job, r.status, r.message, r.qpu_seconds) for r in first.jobs]
    assert again.set_aside


def test_resume__record_of_a_job_of_another_run__is_set_aside(
    paid: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    bring(paid, tmp_path / "a", monkeypatch, resume=False)
    bring(paid, tmp_path, monkeypatch, resume=False)
    stranger = next((tmp_path / "a" / "out" / "data").glob("job-*.json"))
    shutil.copy(stranger, tmp_path / "out" / "data")
    again = bring(paid, tmp_path, monkeypatch, resume=True)
    assert again.set_aside == (f"data/{stranger.name}.damaged-1",)
    assert len(again.jobs) == 3


def test_resume__request_lost_and_jobs_in_flight__fetches_what_was_paid_for(
    paid: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(paid, tmp_path, monkeypatch, resume=False)
    reference = blocks_of(tmp_path / "out")
    for path in (tmp_path / "out" / "data").glob("*.npz"):
        path.unlink()
    for path in (tmp_path / "out" / "data").glob("job-*.json"):
        path.write_text(json.dumps(disk.sealed({**json.loads(path.read_text()), "status": "submitted"})))
    (tmp_path / "out" / "request.json").write_bytes(b"\0" * 500)
    bring(paid, tmp_path, monkeypatch, resume=True)
    assert blocks_of(tmp_path / "out") == reference
    assert len(StandIn(tmp_path / "service").events("accepted")) == 3


# A full disk.


@pytest.mark.parametrize("first", range(3))
def test_run__disk_full_at_every_write__loses_and_repeats_nothing(
    first: int, paid: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference: dict[int, Any] = {}
    writes, sync = [0], os.fsync

    def full(stop: int) -> Callable[[int], None]:
        def fsync(handle: int) -> None:
            writes[0] += 1
            if writes[0] > stop:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            sync(handle)

        return fsync

    bring(paid, tmp_path / "whole", monkeypatch, resume=False)
    reference = blocks_of(tmp_path / "whole" / "out")
    for stop in range(first, 32, 3):
        place, writes[0] = tmp_path / str(stop), 0
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full(stop))
            with pytest.raises(OSError, match="No space left on device"):
                bring(paid, place, patch, resume=False)
        bring(paid, place, monkeypatch, resume=(place / "out" / "request.json").exists())
        assert complaints(place / "out", StandIn(place / "service")) == []
        assert blocks_of(place / "out") == reference


def test_run__disk_full__is_said_in_a_line(desk: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    save = Folder.save

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def saved(store: Folder, one: Block) -> None:
        if one.realisation == 1:
            monkeypatch.setattr(disk.os, "fsync", full)  # type: ignore[attr-defined]
        save(store, one)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "save", saved)
        status, _, lines = desk("--out", "out")
    assert (status, len(lines)) == (2, 1)
    assert "realisation-0001.npz: No space left on device. Fix: free some space" in lines[0]
    monkeypatch.setattr(disk.os, "fsync", lambda handle: None)  # type: ignore[attr-defined]
    status, resumed, _ = desk("--out", "out", "--resume")
    assert status == 0
    assert resumed["run"]["set_aside"] == []
