"""Starts written as OpenQASM: 3 or 2, plain gates on the system's qubits only."""

from __future__ import annotations

import contextlib
import io
import math
import re
from pathlib import Path

from qiskit import QuantumCircuit, qasm2, qasm3
from qiskit.circuit import ControlFlowOp, Gate, Instruction

from ..errors import ArgumentError, shown_text
from ..io.text import read_text
from .qasm_size import refuse_large

VERSION = re.compile(r"\A(?:\s|//[^\n]*(?:\n|\Z)|/\*.*?\*/)*OPENQASM\s+(\d+)", re.DOTALL)
IDLE = frozenset({"barrier", "delay"})  # no gates, but nothing happens to the state


def read_start(path: Path, num_qubits: int) -> QuantumCircuit:
    """A preparation from |0…0⟩; measurements at its end are left out.

    Raises:
        ArgumentError: If it is no OpenQASM, has other qubits, or anything but gates with finite angles.
    """
    text = read_text(path, "initial")
    refuse_large(text, num_qubits, path)
    version = VERSION.match(text)
    older = version is not None and version[1] == "2"
    spoken = io.StringIO()  # the parser of version 3 talks to standard error
    try:
        with contextlib.redirect_stderr(spoken):
            qc = _parsed(text, older=older)
    except MemoryError:
        raise
    except BaseException as error:  # the parsers raise many kinds; one that is compiled panics outside of Exception
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        said = getattr(error, "message", None) or str(error) or spoken.getvalue() or type(error).__name__
        raise ArgumentError(
            "initial", f"be OpenQASM {2 if older else 3} of plain gates",
            f"{path}: {shown_text(str(said))}".rstrip(". "),
            "correct it there, with gates as in h q[0]",
        ) from None  # fmt: skip
    qc = qc.remove_final_measurements(inplace=False)
    if qc.num_qubits != num_qubits:
        raise ArgumentError(
            "initial", f"prepare {num_qubits} qubits with unitary gates", f"{path} has {qc.num_qubits} qubits",
            f"declare qubit[{num_qubits}] q",
        )  # fmt: skip
    _check_gates(qc, path, num_qubits)
    return qc


def _parsed(text: str, *, older: bool) -> QuantumCircuit:
    if older:  # no folder is searched for includes: qelib1.inc is built in
        return qasm2.loads(
            text, include_path=(), custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS,
            custom_classical=qasm2.LEGACY_CUSTOM_CLASSICAL,
        )  # fmt: skip
    return qasm3.loads(text)


def _check_gates(qc: QuantumCircuit, path: Path, num_qubits: int) -> None:
    """Refuse everything that is no gate with known, finite angles."""
    rule = f"prepare {num_qubits} qubits with unitary gates"
    if qc.parameters:
        names = ", ".join(sorted(parameter.name for parameter in qc.parameters))
        raise ArgumentError(
            "initial",
            "hold numbers in place of its inputs",
            f"{path} leaves {names} open",
            f"write a number for {names}",
        )
    seen: set[str] = set()
    for item in qc.data:
        operation = item.operation
        if operation.name in IDLE:
            continue
        if isinstance(operation, ControlFlowOp) or not isinstance(operation, Gate):
            many = {"reset": "resets", "measure": "measurements"}.get(operation.name)
            block = isinstance(operation, ControlFlowOp)
            raise ArgumentError(
                "initial", rule, f"{path} has {f'a block `{operation.name}`' if block else many or operation.name}",
                "write its gates one after another" if block else "leave it out",
            )  # fmt: skip
        if not _of_qiskit(operation) and not _written(operation):
            raise ArgumentError(
                "initial", rule, f"{path} does not say what {operation.name} does", f"define gate {operation.name}"
            )
        if not _finite(operation, seen):
            raise ArgumentError(
                "initial", "have finite angles", f"{path} has none in {operation.name}", "write a finite number there"
            )
    if not math.isfinite(float(qc.global_phase)):
        raise ArgumentError(
            "initial", "have finite angles", f"{path} has none in gphase", "write a finite number there"
        )


def _of_qiskit(operation: Instruction) -> bool:
    """Whether a gate is one of Qiskit's own; else it is defined in the file."""
    return (operation.base_class.__module__ or "").startswith("qiskit.circuit.library")


def _written(operation: Instruction) -> bool:
    try:
        return operation.definition is not None
    except Exception:  # it has one, with angles that are none
        return True


def _finite(operation: Instruction, seen: set[str]) -> bool:
    """Whether all angles of a gate are finite numbers, and those of what it is made of; each name is opened once."""
    for angle in operation.params:
        try:
            if not math.isfinite(float(angle)):
                return False
        except (TypeError, ValueError, ArithmeticError):
            return False
    if operation.name in seen or _of_qiskit(operation):
        return True
    seen.add(operation.name)
    try:
        inside = operation.definition
    except Exception:  # angles inside that are none
        return False
    return inside is None or (
        math.isfinite(float(inside.global_phase)) and all(_finite(item.operation, seen) for item in inside.data)
    )
