"""Text files, read with one kind of complaint."""

from __future__ import annotations

import errno
import json
import os
import stat
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..errors import LONGEST_NAME, ArgumentError, printable, shown, shown_text
from ..limits import MAX_TABLE_ROWS, MAX_TEXT_BYTES

UNNAMEABLE = {"\0"}  # in no path
UNPARSABLE = (ValueError, RecursionError)  # a number of thousands of digits; thousands of nested brackets


def as_path(value: object, argument: str) -> Path:
    """A path from a text or a path.

    Raises:
        ArgumentError: If it is neither.
    """
    if isinstance(value, str | Path) and str(value) and not set(str(value)) & UNNAMEABLE:
        try:
            os.fsencode(value)
        except UnicodeEncodeError:
            pass
        else:
            return Path(value)
    found = f"{shown(str(value) if isinstance(value, Path) else value)} was found"
    raise ArgumentError(argument, "be a path", found, 'pass "h2.json"')


def name_of(path: Path) -> str:
    """What a file's content is called after it: its name without extension, as far as it can be printed."""
    return printable(path.stem)[:LONGEST_NAME] or "custom"


def read_bytes(path: Path, argument: str, limit: int = MAX_TEXT_BYTES) -> bytes:
    """The content of a regular file of at most `limit` bytes; a pipe or a device is not waited for.

    Raises:
        OSError: If it cannot be read.
        ArgumentError: If it is no regular file, or larger; nothing is read then.
    """
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise ArgumentError(argument, "name a regular file", f"{path} is none", "write its content to a file first")
    if found.st_size > limit:
        raise ArgumentError(
            argument, f"name a file of at most {limit / 2**20:g} MiB", f"{path} has {found.st_size / 2**20:.1f} MiB",
            "give a smaller file",
        )  # fmt: skip
    with path.open("rb") as file:
        return file.read(max(found.st_size, 4096))  # not `limit`, which Python would allocate at once


def parsed_json(text: str | bytes) -> Any:
    """A JSON document; what nests thousands deep or holds numbers of thousands of digits is no document.

    Raises:
        ValueError: If it is none, in a few words.
    """
    try:
        return json.loads(text)
    except UNPARSABLE as error:
        raise ValueError(shown_error(error)) from None


def read_text(path: Path, argument: str) -> str:
    """The text of a UTF-8 file, with or without a byte-order mark.

    Raises:
        ArgumentError: If it is missing, unreadable, no regular file, too large, empty or not text; it is named.
    """
    rule = "name a readable text file"
    try:
        text = read_bytes(path, argument).decode("utf-8-sig")
    except FileNotFoundError:
        near = get_close_matches(path.name, [p.name for p in path.parent.glob(f"*{path.suffix}")], n=1)
        fix = f"write {path.with_name(near[0])}" if near else "check the path"
        raise ArgumentError(argument, rule, f"{path} does not exist", fix) from None
    except UnicodeDecodeError:
        raise ArgumentError(argument, rule, f"{path} is binary", "give a UTF-8 text file") from None
    except OSError as error:
        raise ArgumentError(argument, rule, f"{path}: {error.strerror}", "check the path") from None
    except ArgumentError:
        raise
    except ValueError as error:  # a null character
        raise ArgumentError(argument, rule, f"{shown(str(path))}: {error}", "check the path") from None
    if not text.strip():
        raise ArgumentError(argument, rule, f"{path} is empty", "give a file with content")
    return text


def read_rows(path: Path, argument: str) -> list[str]:
    """The lines of a table, as many as one may have.

    Raises:
        ArgumentError: As `read_text`; if there are more than 10,000.
    """
    text = read_text(path, argument)
    if (count := text.count("\n")) > MAX_TABLE_ROWS:
        raise ArgumentError(
            argument,
            f"name a table of at most {MAX_TABLE_ROWS:,} rows",
            f"{path} has {count:,}",
            "keep every tenth row",
        )
    return text.splitlines()


def read_toml(path: Path, argument: str) -> dict[str, Any]:
    """The table in a TOML file.

    Raises:
        ArgumentError: If it cannot be read as that.
    """
    text = read_text(path, argument)
    try:
        return tomllib.loads(text)
    except UNPARSABLE as error:
        raise ArgumentError(
            "the file", "be TOML", shown_error(error), "correct that line, e.g. beta = 1.0", path
        ) from None


def read_json(path: Path, argument: str, example: str) -> dict[str, Any]:
    """The object in a JSON file; a key that stands twice is refused.

    Raises:
        ArgumentError: If it cannot be read as that.
    """
    text = read_text(path, argument)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"{shown(twice)} stands in it twice")
        return dict(pairs)

    try:
        data = json.loads(text, object_pairs_hook=unique)
    except UNPARSABLE as error:
        raise ArgumentError("the file", "be JSON", shown_error(error), f"write {example}", path) from None
    if not isinstance(data, dict):
        raise ArgumentError("the file", "hold one JSON object", f"{shown(data)} was found", f"write {example}", path)
    return data


def shown_error(error: Exception) -> str:
    """What a parser says, in a few words."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return shown_text(str(error))
