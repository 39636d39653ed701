"""Readers of Hamiltonian files."""

from __future__ import annotations

from pathlib import Path

from ..errors import ArgumentError, InvalidModelError, check_integer, shown
from ..limits import MAX_SITES
from .model import Model, pauli_sum
from .text import read_json

REQUIRED = ("num_qubits", "terms")
DESCRIPTIVE = (
    "name", "unit", "source", "notes", "bond_length", "bond_length_unit", "nuclear_repulsion",
    "ground_energy", "ground_energy_source", "integrals",
)  # fmt: skip


def read_pauli_json(path: Path) -> Model:
    r"""A model from `{"num_qubits": n, "terms": [["ZZII", -1.0], ...]}`; the rightmost letter is qubit 0.

    The keys of `DESCRIPTIVE` may stand beside these and do not enter the Hamiltonian; any other is refused.

    Raises:
        ArgumentError: If the file cannot be read as that; the message names the file and the key.
    """
    example = '{"num_qubits": 2, "terms": [["ZZ", -1.0]]}'
    data = read_json(path, "file", example)
    for key in REQUIRED:
        if key not in data:
            raise ArgumentError(key, "be given", "it is missing", f"write {example}", path)
    for key in data:
        if key not in (*REQUIRED, *DESCRIPTIVE):
            raise ArgumentError(
                key, f"be one of {', '.join((*REQUIRED, *DESCRIPTIVE))}", "it is unknown", f"remove {key}", path
            )
    try:
        num_qubits = check_integer("num_qubits", data["num_qubits"], low=1, high=MAX_SITES)
        hamiltonian = pauli_sum(data["terms"], "terms", num_qubits)
    except ArgumentError as error:
        raise error.located(path) from None
    name = data.get("name", path.stem)
    if not isinstance(name, str):
        raise ArgumentError("name", "be text", f"{shown(name)} was found", f'write "name": "{path.stem}"', path)
    return Model(hamiltonian, name)


def read_model(path: Path) -> Model:
    """The model in a file, by its extension: `.json` holds Pauli terms."""
    if path.suffix.lower() != ".json":
        raise InvalidModelError(
            "file", "be a .json file of Pauli terms", f"{path} ends in {path.suffix or 'nothing'}",
            'convert it to {"num_qubits": 4, "terms": [["ZZII", -1.0]]}',
        )  # fmt: skip
    return read_pauli_json(path)
