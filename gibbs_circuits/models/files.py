"""Readers of Hamiltonian files."""

from __future__ import annotations

from pathlib import Path

from ..errors import ArgumentError, InvalidModelError, check_integer, check_known, check_name
from ..io.text import as_path, name_of, read_json
from ..limits import MAX_SITES
from .model import Model, pauli_sum

REQUIRED = ("num_qubits", "terms")
DESCRIPTIVE = (
    "name", "unit", "source", "notes", "bond_length", "bond_length_unit", "nuclear_repulsion",
    "ground_energy", "ground_energy_source", "integrals",
)  # fmt: skip
EXAMPLE = '{"num_qubits": 2, "terms": [["ZZ", -1.0]]}'


def read_pauli_json(path: Path) -> Model:
    r"""A model from `{"num_qubits": n, "terms": [["ZZII", -1.0], ...]}`; the rightmost letter is qubit 0.

    The keys of `DESCRIPTIVE` may stand beside these and do not enter the Hamiltonian; any other is refused.

    Raises:
        ArgumentError: If the file cannot be read as that; the message names the file and the key.
    """
    data = read_json(path, "file", EXAMPLE)
    try:
        for key in data:
            check_known(key, (*REQUIRED, *DESCRIPTIVE), data[key])
        for key in REQUIRED:
            if key not in data:
                raise ArgumentError(key, "be given", "it is missing", f"write {EXAMPLE}")
        num_qubits = check_integer("num_qubits", data["num_qubits"], low=1, high=MAX_SITES)
        hamiltonian = pauli_sum(data["terms"], "terms", num_qubits)
        name = check_name("name", data["name"], path.stem) if "name" in data else name_of(path)
        return Model(hamiltonian, name)
    except ArgumentError as error:
        raise error.located(path) from None


def read_model(path: str | Path) -> Model:
    """The model in a file, by its extension: `.json` holds Pauli terms."""
    path = as_path(path, "file")
    if path.suffix.lower() != ".json":
        raise InvalidModelError(
            "file", "be a .json file of Pauli terms", f"{path} ends in {path.suffix or 'nothing'}",
            f"convert it to {EXAMPLE}",
        )  # fmt: skip
    return read_pauli_json(path)
