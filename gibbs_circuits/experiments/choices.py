"""From a user's strings to objects: scheme, start, observables, target error."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from qiskit.quantum_info import SparsePauliOp

from ..backends.runs.request import ENERGY
from ..errors import ArgumentError, check_choice, check_name, check_real, shown, slip
from ..io.schema import from_validation
from ..limits import MAX_STATE_SITES
from ..models.model import fitting, hermitian, is_matrix, pauli_sum
from ..programs.initial_state import InitialState, bits, mixed, one, zero
from .keys import CompileKeys
from .qasm_start import read_start
from .schemes import ChosenScheme, known_schemes


def make_scheme(name: str, knobs: dict[str, Any], file: Path | None = None) -> ChosenScheme:
    """A scheme at its knobs, or the search for the cheapest program, from their names."""
    known = known_schemes()
    try:
        schema, chosen = known[check_choice("scheme", name, known)]
    except ArgumentError as error:
        raise (error if file is None else error.located(file, "compile")) from None
    try:
        return chosen(schema.model_validate(knobs))
    except ArgumentError as error:
        raise (error if file is None else error.located(file, "compile")) from None
    except ValidationError as error:
        found = from_validation(error, schema, file or Path(), "compile" if file else "", CompileKeys.model_fields)
        raise (found if file else ArgumentError(found.argument, found.rule, found.found, found.fix)) from None


def default_backend(num_qubits: int, shots: int) -> str:
    """The packaged target of a run that names none: the state itself where it fits, else samples, or values alone."""
    if num_qubits <= MAX_STATE_SITES:
        return "aer_density_matrix"
    return "aer_mps" if shots else "backward"


def make_initial(name: str, num_qubits: int, folder: Path) -> InitialState:
    """A start from its name, a bit string, or a QASM file."""
    named = {"zero": lambda: zero(num_qubits), "one": lambda: one(num_qubits), "mixed": mixed}
    if name in named:
        return named[name]()
    if name and set(name) <= set("01"):
        if len(name) != num_qubits:
            raise ArgumentError(
                "initial",
                f"have {num_qubits} bits, one per site",
                f"{shown(name)} has {len(name)}",
                _same_bits(name, num_qubits),
            )
        return bits(name)
    if name.endswith(".qasm"):
        return InitialState(name, read_start(folder / name, num_qubits))
    near = slip(name, [*named, *(f"all_{key}" for key in named)])
    raise ArgumentError(
        "initial",
        "be zero, one, mixed, a bit string or a .qasm file",
        f"{shown(name)} was found",
        f'set initial = "{near or "zero"}"',
    )


def _same_bits(pattern: str, num_qubits: int) -> str:
    """A bit string of another length: the word for it where all bits are one, else what to do."""
    if len(set(pattern)) == 1:
        return f'set initial = "{"zero" if pattern[0] == "0" else "one"}"'
    spare = len(pattern) - num_qubits
    return f"leave out {spare} bits" if spare > 0 else f'set initial = "{pattern.rjust(num_qubits, "0")[:60]}"'


def make_observables(observables: Mapping[str, object], num_qubits: int) -> dict[str, SparsePauliOp]:
    """Observables by name from operators or lists of [label, coefficient]."""
    made: dict[str, SparsePauliOp] = {}
    if not isinstance(observables, Mapping):
        raise ArgumentError(
            "observables", "be a table of operators by name", f"{shown(observables)} was found",
            'pass {"magnetisation": operator}',
        )  # fmt: skip
    for name, written in observables.items():
        argument = f"observables.{name}"
        check_name("observables", name, "magnetisation")
        if name == ENERGY:
            raise ArgumentError(argument, "have another name", "the energy is always there", "write total_energy")
        if isinstance(written, list | tuple) and not is_matrix(written):
            made[name] = pauli_sum(written, argument, num_qubits)
            continue
        made[name] = fitting(hermitian(written, argument), argument, num_qubits)
    return made


def check_target_error(value: object) -> float:
    """A trace distance in (0, 1]."""
    number = check_real("target_error", value, low=0.0, above=True)
    if number > 1:
        meant = number / 100 if number <= 100 else 0.1  # per cent
        raise ArgumentError("target_error", "be at most 1", f"the value is {number:g}", f"set target_error = {meant:g}")
    return number
