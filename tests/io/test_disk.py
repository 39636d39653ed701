"""The one writer of files: whole or not at all, on the disk before it is in place, with modes that follow the umask."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gibbs_circuits.backends.measurement.shots import Block
from gibbs_circuits.experiments.store import Folder
from gibbs_circuits.io import files as disk
from gibbs_circuits.io.files import intact, read_sealed, sealed, write_bytes, write_text, write_whole


@pytest.fixture
def mask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.parametrize("mask", [0o077, 0o022, 0o002], indirect=True)
def test_modes__follow_the_umask__every_file_of_a_run(mask: int, tmp_path: Path) -> None:
    store = Folder(tmp_path / "out", {"seed": 1}, resume=False)
    store.save(Block(0, (), None, ({"0": 1},)))
    write_text(tmp_path / "out" / "report.txt", "text")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o666 & ~mask}


def test_write_whole__is_on_the_disk_before_it_is_in_place__order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, replace = os.fsync, os.replace

    def synced(handle: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        size = os.fstat(handle).st_size
        done.append("folder" if is_folder else f"file of {size}")
        sync(handle)

    def replaced(one: Path, other: Path) -> None:
        done.append("replaced")
        replace(one, other)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    write_bytes(tmp_path / "a", b"12345")
    assert done == ["file of 5", "replaced", "folder"]


def test_write_whole__keeps_what_was_there__every_failure_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    write_text(path, "before")
    for name in ("open", "fsync", "replace"):

        def full(*arguments: object, **more: object) -> None:
            raise OSError(errno.ENOSPC, "full")

        with monkeypatch.context() as patch:
            patch.setattr(disk.os, name, full)  # type: ignore[attr-defined]
            with pytest.raises(OSError, match=r"No space left on device: .*a\.json"):
                write_text(path, "after")
        assert path.read_text() == "before"
        assert [one.name for one in tmp_path.iterdir()] == ["a.json"]


def test_write_whole__refuses_what_has_just_come__new(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "first", new=True)
    with pytest.raises(FileExistsError):
        write_text(tmp_path / "a", "second", new=True)
    assert (tmp_path / "a").read_text() == "first"
    assert [one.name for one in tmp_path.iterdir()] == ["a"]


def test_write_whole__new_on_a_disk_without_links__still_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*arguments: object) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", no_links)
    write_text(tmp_path / "a", "first", new=True)
    with pytest.raises(FileExistsError):
        write_text(tmp_path / "a", "second", new=True)
    assert (tmp_path / "a").read_text() == "first"


def test_write_whole__takes_the_longest_name__that_a_disk_takes(tmp_path: Path) -> None:
    write_whole(tmp_path / ("n" * 250 + ".json"), lambda temporary: temporary.write_text("x"))
    assert len(list(tmp_path.iterdir())) == 1


DOCUMENT = {"a": [1, 2.5, None, "ν"], "b": {"c": True}, "tag": "x-0-to-2-0"}


@pytest.mark.parametrize("mask", [1, 2, 0x20, 0x80, 0xFF])
def test_sealed__every_byte_flipped__is_refused_or_means_the_same(mask: int, tmp_path: Path) -> None:
    path, text = tmp_path / "a.json", json.dumps(sealed(DOCUMENT), indent=2, ensure_ascii=False).encode()
    path.write_bytes(text)
    assert read_sealed(path, "a") == DOCUMENT
    refused = 0
    for place in range(len(text)):
        path.write_bytes(text[:place] + bytes([text[place] ^ mask]) + text[place + 1 :])
        try:
            assert read_sealed(path, "a") == DOCUMENT
        except ValueError:
            refused += 1
    assert refused > 0.75 * len(text)  # what is left is white space
    for size in range(len(text)):
        path.write_bytes(text[:size])
        with pytest.raises(ValueError, match=r"."):
            read_sealed(path, "a")


@pytest.mark.parametrize(
    "text", ["", "[" * 100_000, '{"a": ' * 100_000, "9" * 5000, '{"seal": ' + "9" * 5000 + "}", "null", "\xff", "{}"]
)
def test_read_sealed__says_in_a_few_words__what_is_no_document(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=r".") as caught:
        read_sealed(tmp_path / "a.json", "a")
    assert len(str(caught.value)) < 200


def test_intact__is_false__nested_beyond_what_python_follows() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert not intact({"a": deep, "seal": "0"})
    while deep:  # taken apart by hand: Python's own way is recursive in the end
        deep = deep[0]  # type: ignore[assignment]
    assert intact(sealed({"a": np.float64(0.5)}))
