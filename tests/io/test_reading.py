"""What is read is no larger than allowed, by a byte or a row, and takes no more memory than it holds."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from gibbs_circuits.errors import ArgumentError
from gibbs_circuits.io import text


@pytest.mark.parametrize("size", [0, 1, 999, 1000])
def test_read_bytes__up_to_the_limit__is_read(size: int, tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"x" * size)
    assert text.read_bytes(file, "a", 1000) == b"x" * size


def test_read_bytes__one_more__is_not_even_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"x" * 1001)
    monkeypatch.setattr(Path, "open", lambda *arguments, **options: pytest.fail("it was opened"))
    with pytest.raises(ArgumentError, match="name a file of at most"):
        text.read_bytes(file, "a", 1000)


def test_read_bytes__small_file__takes_no_memory_for_what_it_may_hold(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"x" * 1000)
    tracemalloc.start()
    try:
        text.read_bytes(file, "a", 2**26)
        assert tracemalloc.get_traced_memory()[1] < 2**20
        with file.open("rb") as opened:  # the control: Python allocates what it is asked to read
            opened.read(2**26)
        assert tracemalloc.get_traced_memory()[1] > 2**25
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("rows", "fine"), [(4, True), (5, False)])
def test_read_rows__up_to_the_limit__are_read(
    rows: int, fine: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "MAX_TABLE_ROWS", 4)
    file = tmp_path / "a.csv"
    file.write_text("1.0\n" * rows)
    if fine:
        assert len(text.read_rows(file, "bath")) == rows
        return
    with pytest.raises(ArgumentError, match=r"at most 4 rows, but .* has 5"):
        text.read_rows(file, "bath")
