"""A density-matrix simulator of what a transpiled program is made of in OpenQASM: cz, rz, sx, x, reset."""

import math
import re

import numpy as np

from .paulis import Complex

NUMBER = re.compile(r"[-+]?(\d+\.?\d*([eE][-+]?\d+)?|pi)(\s*[*/]\s*(\d+\.?\d*|pi))*")
LINE = re.compile(r"(\w+)(?:\(([^)]*)\))?\s+(.*);")
SX = np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2
X = np.array([[0, 1], [1, 0]], dtype=complex)


def _angle(text: str) -> float:
    """A product or quotient of numbers and pi."""
    if not re.fullmatch(r"[-+0-9.eEpi*/\s]+", text):
        raise ValueError(text)
    sign, body = (-1.0, text.strip()[1:]) if text.strip().startswith("-") else (1.0, text.strip())
    tokens = re.split(r"([*/])", body)
    value = 1.0
    for operator, token in zip(["*", *tokens[1::2]], tokens[::2], strict=True):
        number = math.pi if token.strip() == "pi" else float(token)
        value = value * number if operator == "*" else value / number
    return sign * value


def final_state(text: str, system: list[int], rho: Complex | None = None) -> Complex:
    """The state of the `system` qubits, in that order, after the program, all qubits in |0⟩ at first."""
    width = int(re.search(r"qubit\[(\d+)\]", text).group(1))  # type: ignore[union-attr]
    state = np.zeros((2,) * (2 * width), dtype=complex)
    state[(0,) * (2 * width)] = 1
    for line in text.splitlines():
        match = LINE.match(line.strip())
        if match is None or match.group(1) in ("OPENQASM", "include", "gate") or match.group(1).startswith("qubit"):
            continue
        name, angle, operands = match.groups()
        qubits = [int(k) for k in re.findall(r"\[(\d+)\]", operands)]
        if name == "barrier":
            continue
        if name == "reset":
            state = _reset(state, qubits[0], width)
        elif name == "cz":
            state = _cz(state, qubits, width)
        else:
            half = 0.5j * _angle(angle) if angle else 0j
            gate = {"rz": np.diag([np.exp(-half), np.exp(half)]), "sx": SX, "x": X}[name]
            state = _one(state, gate, qubits[0], width)
    return _reduced(state, system, width)


def _one(state: Complex, gate: Complex, q: int, width: int) -> Complex:
    for axis, G in ((q, gate), (width + q, gate.conj())):
        state = np.moveaxis(np.tensordot(G, state, axes=(1, axis)), 0, axis)
    return state


def _cz(state: Complex, qubits: list[int], width: int) -> Complex:
    state = state.copy()
    for offset in (0, width):
        where: list[slice | int] = [slice(None)] * (2 * width)
        where[offset + qubits[0]] = where[offset + qubits[1]] = 1
        state[tuple(where)] *= -1
    return state


def _reset(state: Complex, q: int, width: int) -> Complex:
    total = np.trace(state, axis1=q, axis2=width + q)
    out = np.zeros_like(state)
    where: list[slice | int] = [slice(None)] * (2 * width)
    where[q] = where[width + q] = 0
    out[tuple(where)] = total
    return out


def _reduced(state: Complex, system: list[int], width: int) -> Complex:
    rest = [q for q in range(width) if q not in system]
    order = [*reversed(system), *rest]
    axes = [*order, *(width + q for q in order)]
    d, e = 2 ** len(system), 2 ** len(rest)
    whole = state.transpose(axes).reshape(d, e, d, e)
    return np.asarray(np.trace(whole, axis1=1, axis2=3))
