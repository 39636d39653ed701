"""Readers of Hamiltonian files."""

from __future__ import annotations

import json
from difflib import get_close_matches
from pathlib import Path

from ..errors import ArgumentError, InvalidModelError, check_integer, shown
from .model import Model, pauli_sum

REQUIRED = ("num_qubits", "terms")
DESCRIPTIVE = (
    "name", "unit", "source", "notes", "bond_length", "bond_length_unit", "nuclear_repulsion",
    "ground_energy", "ground_energy_source", "integrals",
)  # fmt: skip


def read_text(path: Path, argument: str) -> str:
    """The text of a UTF-8 file.

    Raises:
        ArgumentError: If it is missing, unreadable, empty or not text; the message names it.
    """
    rule = "name a readable text file"
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        near = get_close_matches(path.name, [p.name for p in path.parent.glob(f"*{path.suffix}")], n=1)
        fix = f"write {path.with_name(near[0])}" if near else "check the path"
        raise ArgumentError(argument, rule, f"{path} does not exist", fix) from None
    except UnicodeDecodeError:
        raise ArgumentError(argument, rule, f"{path} is binary", "give a UTF-8 text file") from None
    except OSError as error:
        raise ArgumentError(argument, rule, f"{path}: {error.strerror}", "check the path") from None
    except ValueError as error:  # a null character
        raise ArgumentError(argument, rule, f"{shown(str(path))}: {error}", "check the path") from None
    if not text.strip():
        raise ArgumentError(argument, rule, f"{path} is empty", "give a file with content")
    return text


def read_pauli_json(path: Path) -> Model:
    r"""A model from `{"num_qubits": n, "terms": [["ZZII", -1.0], ...]}`; the rightmost letter is qubit 0.

    The keys of `DESCRIPTIVE` may stand beside these and do not enter the Hamiltonian; any other is refused.

    Raises:
        ArgumentError: If the file cannot be read as that; the message names the file and the key.
    """
    example = '{"num_qubits": 2, "terms": [["ZZ", -1.0]]}'
    text = read_text(path, "file")
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ArgumentError("line " + str(error.lineno), "be JSON", error.msg, f"write {example}", path) from None
    if not isinstance(data, dict):
        raise ArgumentError("the file", "hold one JSON object", f"{shown(data)} was found", f"write {example}", path)
    for key in REQUIRED:
        if key not in data:
            raise ArgumentError(key, "be given", "it is missing", f"write {example}", path)
    for key in data:
        if key not in (*REQUIRED, *DESCRIPTIVE):
            raise ArgumentError(
                key, f"be one of {', '.join((*REQUIRED, *DESCRIPTIVE))}", "it is unknown", f"remove {key}", path
            )
    try:
        num_qubits = check_integer("num_qubits", data["num_qubits"], low=1)
        hamiltonian = pauli_sum(data["terms"], "terms", num_qubits)
    except ArgumentError as error:
        raise error.located(path) from None
    return Model(hamiltonian, str(data.get("name", path.stem)))


def read_model(path: Path) -> Model:
    """The model in a file, by its extension: `.json` holds Pauli terms."""
    if path.suffix.lower() != ".json":
        raise InvalidModelError(
            "file", "be a .json file of Pauli terms", f"{path} ends in {path.suffix or 'nothing'}",
            'convert it to {"num_qubits": 4, "terms": [["ZZII", -1.0]]}',
        )  # fmt: skip
    return read_pauli_json(path)
