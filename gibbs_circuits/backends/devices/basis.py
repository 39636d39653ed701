"""Basis gates of a processor that a file describes: which Qiskit knows, and whether they make every circuit."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ArgumentError, shown, slip

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

DEFAULT_BASIS = ("cz", "rz", "sx", "x")


def check_basis(basis: tuple[str, ...], path: Path | None = None) -> None:
    """Refuse a basis in which not every circuit can be written.

    Raises:
        ArgumentError: If a gate is unknown or on more than two qubits, or the gates are not universal.
    """
    from qiskit.circuit import Gate  # loaded when used
    from qiskit.circuit.library import get_standard_gate_name_mapping

    gates = get_standard_gate_name_mapping()
    for name in basis:
        if not isinstance(gates.get(name), Gate) or gates[name].num_qubits not in (1, 2):
            near = slip(
                name, [key for key, gate in gates.items() if isinstance(gate, Gate) and gate.num_qubits in (1, 2)]
            )
            rest = [other for other in basis if other != name]
            fix = f"write {quoted([near])[1:-1]}" if near else f"set basis = {quoted(rest or DEFAULT_BASIS)}"
            raise ArgumentError(
                "basis", "name gates of Qiskit's on one or two qubits", f"{shown(name)} was found", fix, path
            )
    lacking, more = lacking_gates(basis)
    if lacking:
        raise ArgumentError(
            "basis", "be universal: rotations about two axes of every qubit, and a gate that entangles two",
            f"{quoted(basis)} lacks {lacking}", f"set basis = {quoted([*basis, *more])}", path,
        )  # fmt: skip


def quoted(names: Iterable[str]) -> str:
    """A list of texts as TOML writes it."""
    return json.dumps(list(names))


@lru_cache(maxsize=64)
def lacking_gates(basis: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """What a basis cannot make by Qiskit's rules, in words, and gates that would mend it; ("", ()) if it is universal.

    Asked of Qiskit's translator, with one rotation by an angle that no finite group has, and one CX.
    """
    if {"rz", "sx"} <= set(basis) and {"cz", "cx", "ecr"} & set(basis):
        return "", ()
    from qiskit import QuantumCircuit  # loaded when used

    turns, pair = QuantumCircuit(1), QuantumCircuit(2)
    turns.rz(0.3, 0)
    turns.sx(0)
    turns.rz(0.7, 0)
    pair.cx(0, 1)
    one = _translates(turns, basis)
    two = _translates(pair, basis if one else (*basis, "rz", "sx", "x"))
    names = [*([] if one else ["rotations of one qubit"]), *([] if two else ["a gate that entangles two qubits"])]
    more = [*([] if one else ["rz", "sx"]), *([] if two else ["cz"])]
    return " and ".join(names), tuple(gate for gate in more if gate not in basis)


def _translates(circuit: QuantumCircuit, basis: tuple[str, ...]) -> bool:
    from qiskit import transpile  # loaded when used
    from qiskit.exceptions import QiskitError

    try:
        transpile(circuit, basis_gates=[*basis], optimization_level=1)
    except QiskitError:
        return False
    return True
