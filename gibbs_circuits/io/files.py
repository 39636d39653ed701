"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..limits import MAX_TEXT_BYTES
from .text import parsed_json, read_bytes

SEAL = "seal"  # the key of a document's checksum
CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EACCES)  # what file systems say of folders they do not sync


def write_whole(path: Path, write: Callable[[Path], object], *, new: bool = False) -> None:
    """Let `write` fill a temporary file beside `path`, bring it to the disk, then put it in place in one step.

    Its mode follows the umask. A power cut leaves the file before or this one, never a part.

    Args:
        path: Where it ends up.
        write: Called with the path of an empty file.
        new: Whether a file that is there already is refused, however short a time ago it came.

    Raises:
        OSError: With the name of the file, e.g. on a full disk; what was there is still there.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}{path.suffix}")
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))  # less the umask, as the system does
        write(temporary)
        _sync(temporary, os.O_RDWR)
        if new:
            _link(temporary, path)
        else:
            os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _link(temporary: Path, path: Path) -> None:
    """Put a file where none is; replacing cannot see one that came a moment ago."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        os.replace(temporary, path)


def _sync(path: Path, how: int) -> None:
    handle = os.open(path, how)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    """The name of a new file is on the disk only when its folder is."""
    try:
        _sync(folder, os.O_RDONLY)
    except OSError as error:
        if error.errno not in CANNOT_SYNC:
            raise


def write_bytes(path: Path, data: bytes, *, new: bool = False) -> None:
    """A file, whole or not at all."""
    write_whole(path, lambda temporary: temporary.write_bytes(data), new=new)


def write_text(path: Path, text: str, *, new: bool = False) -> None:
    """A text file, whole or not at all."""
    write_bytes(path, text.encode(), new=new)


def digest(data: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def canonical(document: Any) -> bytes:
    """A JSON document as bytes that only its content decides.

    Raises:
        ValueError: If it nests too deeply to be one.
    """
    try:
        return json.dumps(document, sort_keys=True).encode()
    except (RecursionError, TypeError):
        raise ValueError("it is no JSON document") from None


def sealed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document and the checksum of all else in it."""
    inside = {key: value for key, value in document.items() if key != SEAL}
    return {**inside, SEAL: digest(canonical(inside))}


def intact(document: Mapping[str, Any]) -> bool:
    """Whether a sealed document is as it was sealed."""
    try:
        return SEAL in document and document[SEAL] == sealed(document)[SEAL]
    except ValueError:
        return False


def read_sealed(path: Path, argument: str, limit: int = MAX_TEXT_BYTES) -> dict[str, Any]:
    """A sealed JSON document as it was written, without its seal.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is no regular file, too large, no such document, or was changed; in a few words.
    """
    data = read_bytes(path, argument, limit)
    try:
        document = parsed_json(data)
    except ValueError:
        raise ValueError("it is no JSON document" if data else "it is empty") from None
    if not isinstance(document, dict) or SEAL not in document:
        raise ValueError("it is no sealed document")
    if not intact(document):
        raise ValueError("its checksum is wrong")
    return {key: value for key, value in document.items() if key != SEAL}
