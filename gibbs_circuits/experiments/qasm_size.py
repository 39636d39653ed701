"""How large an OpenQASM text would become, read off it before a parser builds anything."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import ArgumentError, shown
from ..limits import MAX_QASM_BYTES, MAX_START_GATES

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_DECLARED = re.compile(r"\b(qubit|bit)\s*\[([^\]]*)\]|\b(qreg|creg)\s+\w+\s*\[([^\]]*)\]")
_CONST = re.compile(r"\bconst\s+\w+(?:\s*\[[^\]]*\])?\s+(\w+)\s*=\s*([0-9_]+)\s*;")
_GATE = re.compile(r"\bgate\s+(\w+)\s*(?:\([^)]*\))?[^{;]*\{([^{}]*)\}")
_CALL = re.compile(r"\s*((?:(?:inv|pow|ctrl|negctrl)\s*(?:\([^@]*\))?\s*@\s*)*)(\w+)")
_POWER = re.compile(r"\bpow\s*\(\s*-?\s*([0-9_]+)\s*\)")


def refuse_large(text: str, num_qubits: int, path: Path) -> None:
    """Refuse a start with more qubits than the model, or whose gate definitions unfold to too many gates.

    Raises:
        ArgumentError: With the numbers; nothing is parsed then.
    """
    fix = 'set initial = "zero", or prepare it with fewer gates'
    if len(text) > MAX_QASM_BYTES:
        found = f"{path} has {len(text):,} characters"
        raise ArgumentError("initial", f"have at most {MAX_QASM_BYTES:,} characters of OpenQASM", found, fix)
    plain = _COMMENT.sub(" ", text)
    known = dict(_CONST.findall(plain))
    qubits = 0
    for quantum, size, old, old_size in _DECLARED.findall(plain):
        kind, written = (quantum, size.strip()) if quantum else (old, old_size.strip())
        number = known.get(written, written).replace("_", "")
        if not number.isdecimal():
            raise ArgumentError(
                "initial", "declare registers with whole numbers", f"{path} has {shown(written)}",
                f"declare qubit[{num_qubits}] q",
            )  # fmt: skip
        wide = len(number) > 9 or int(number) > num_qubits + (2 * num_qubits if kind in ("bit", "creg") else 0)
        qubits += 0 if kind in ("bit", "creg") else min(int(number[:10]), 10**9)
        if wide or qubits > num_qubits:
            raise ArgumentError(
                "initial", f"prepare {num_qubits} qubits", f"{path} declares {kind}[{shown(number)[1:-1]}]",
                f"declare qubit[{num_qubits}] q",
            )  # fmt: skip
    if (gates := _unfolded(plain)) > MAX_START_GATES:
        raise ArgumentError(
            "initial", f"unfold to at most {MAX_START_GATES:,} gates", f"{path} unfolds to {_said(gates)}", fix
        )


def _unfolded(plain: str) -> float:
    """Gates of a program once every definition is written out; definitions only use earlier ones."""
    size: dict[str, float] = {}
    for name, body in _GATE.findall(plain):
        size[name] = max(1.0, _sum(body, size))
    return _sum(_GATE.sub(";", plain), size)


def _sum(body: str, size: dict[str, float]) -> float:
    total = 0.0
    for statement in body.split(";"):
        if (call := _CALL.match(statement)) is None:
            continue
        times = 1.0
        for power in _POWER.findall(call[1]):
            times *= max(1.0, float(power.replace("_", "")[:300]))
        total += times * size.get(call[2], 1.0)
    return min(total, 1e300)


def _said(count: float) -> str:
    return f"{count:,.0f}" if count < 1e9 else f"{count:.1e}"
