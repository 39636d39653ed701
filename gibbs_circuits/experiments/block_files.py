"""Blocks as files: NumPy archives that name the task they belong to and end in a checksum over every byte before.

`numpy.load` opens them. Nothing in one is unpacked before its checksum and its sizes are known to be right.
"""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backends.measurement.shots import Block, Counts, Shots
from ..backends.runs.request import CHECK
from ..io.files import digest

FORMAT = 2  # the format before bore neither key nor checksum
MAGIC = b"gibbs-circuits block; SHA-256 of every byte before: "  # the archive's comment, which the checksum ends
DIGITS = 64
NAME = re.compile(r"realisation-(\d{4,})\.npz")
ARRAYS = {"draws", "counts", "states", "flips", "values"}
KINDS = "biufcU"  # of NumPy types: numbers and text, never an object, which would be a pickle


class Damaged(Exception):
    """A file that is no block, with the reason."""


@dataclass(frozen=True, eq=False)
class Stored:
    """A block and the task that it says it belongs to."""

    key: str
    request: Mapping[str, Any]
    block: Block


def block_name(realisation: int) -> str:
    """The name of a block's file."""
    return "check.npz" if realisation == CHECK else f"realisation-{realisation:04d}.npz"


def number_of(name: str) -> int | None:
    """The realisation that a file is named after; None if no block has that name."""
    found = NAME.fullmatch(name)
    number = CHECK if name == "check.npz" else int(found[1]) if found else None
    return number if number is not None and block_name(number) == name else None


def packed(block: Block, key: str, request: Mapping[str, Any]) -> bytes:
    """A block as the content of its file."""
    arrays: dict[str, Any] = {"draws": np.array(block.draws, dtype=int), "counts": np.array(json.dumps(block.counts))}
    if block.states is not None:
        arrays["states"] = np.asarray(block.states)
    if block.flips is not None:
        arrays["flips"] = np.asarray(block.flips)
    if block.values:
        arrays["values"] = np.array(json.dumps(dict(block.values)))
    for k, shots in enumerate(block.shots):
        arrays |= {f"outcomes-{k}": np.asarray(shots.outcomes), f"jumps-{k}": np.asarray(shots.jumps)}
    head = {
        "format": FORMAT,
        "key": key,
        "realisation": block.realisation,
        "request": dict(request),
        "arrays": _shapes(arrays),
    }
    file = io.BytesIO()
    np.savez_compressed(file, header=np.array(json.dumps(head)), **arrays)
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = MAGIC + b"0" * DIGITS
    body = file.getvalue()[:-DIGITS]
    return body + digest(body).encode()


def unpacked(data: bytes, largest: int) -> Stored:
    """The block in a file.

    Args:
        data: The whole content.
        largest: Bytes that its arrays may take.

    Raises:
        Damaged: If it is none, whatever the file holds.
    """
    if not data:
        raise Damaged("it is empty")
    body, said = data[:-DIGITS], data[-DIGITS:]
    if not body.endswith(MAGIC) or digest(body).encode() != said:
        raise Damaged("its checksum is wrong")
    try:
        return _opened(data, largest)
    except Damaged:
        raise
    except Exception as error:  # the checksum was right: a stranger wrote it, and archives fail in many ways
        raise Damaged(f"it cannot be read: {type(error).__name__}") from None


def _opened(data: bytes, largest: int) -> Stored:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        size = sum(member.file_size for member in members)
        if size > largest:
            raise Damaged(f"it would unpack to {size} bytes, above {largest}")
        if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
            raise Damaged("it is packed in another way")
        arrays = {member.filename.removesuffix(".npy"): _array(archive, member) for member in members}
    head = json.loads(str(arrays.pop("header")[()]))
    if len(arrays) + 1 != len(members) or head["arrays"] != _shapes(arrays) or head["format"] != FORMAT:
        raise Damaged("its arrays are not those that it lists")
    return Stored(str(head["key"]), dict(head["request"]), _block(int(head["realisation"]), arrays))


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """An array whose shape and type fit the bytes that are there, so that no shape can ask for more memory."""
    with archive.open(member) as file:
        raw = file.read(member.file_size)
        if file.read(1):
            raise Damaged("it unpacks to more than it says")
    stream = io.BytesIO(raw)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise Damaged("it holds an array of another format")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    left = raw[stream.tell() :]
    if dtype.kind not in KINDS or min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(left):
        raise Damaged("it holds an array whose shape does not fit")
    return np.ndarray(shape, dtype, left, order="F" if fortran else "C")


def _shapes(arrays: Mapping[str, NDArray[Any]]) -> dict[str, list[Any]]:
    return {name: [array.dtype.str, list(array.shape)] for name, array in sorted(arrays.items())}


def _block(realisation: int, arrays: Mapping[str, NDArray[Any]]) -> Block:
    circuits = sum(name.startswith("outcomes-") for name in arrays)
    names = {f"{kind}-{k}" for k in range(circuits) for kind in ("outcomes", "jumps")}
    extra = {name for name in arrays if name not in ARRAYS} ^ names
    if extra or not {"draws", "counts"} <= set(arrays):
        raise Damaged(f"its arrays are not those of a block: {', '.join(sorted(extra))[:40] or 'draws, counts'}")
    counts = json.loads(str(arrays["counts"][()]))
    values = json.loads(str(arrays["values"][()])) if "values" in arrays else {}
    if arrays["draws"].dtype.kind != "i" or arrays["draws"].ndim != 1:
        raise Damaged("its draws are no whole numbers")
    return Block(
        realisation,
        tuple(int(k) for k in arrays["draws"]),
        arrays.get("states"),
        tuple(_counts(one) for one in counts),
        tuple(Shots(arrays[f"outcomes-{k}"], arrays[f"jumps-{k}"]) for k in range(circuits)),
        arrays.get("flips"),
        {str(name): float(value) for name, value in values.items()},
    )


def _counts(said: Any) -> Counts:
    if not all(isinstance(count, int) and count >= 0 for count in said.values()):
        raise Damaged("its counts are no whole numbers")
    return dict(said)
