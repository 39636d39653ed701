"""Errors of operations: what Aer samples and what the exact noisy channel applies, from one table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from qiskit.circuit import Instruction
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import PTM, SuperOp
from qiskit.transpiler import Target as Hardware

from ...io.rendering import Brief
from ...linalg.arrays import Real
from .keys import Noise

if TYPE_CHECKING:
    from qiskit_aer.noise import NoiseModel, QuantumError


MICROSECOND = 1e-6
NEVER = 1e-12
FLIPPED = (0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Idle:
    """What waiting costs.

    Attributes:
        hardware: Durations of all operations on all wires, in seconds.
        times: T1 and T2 of every wire, in seconds.
    """

    hardware: Hardware
    times: tuple[tuple[float, float], ...]


@dataclass(frozen=True, eq=False, repr=False)
class Errors(Brief):
    """Errors after operations, by name and wires; an empty table is no noise at all.

    Attributes:
        anywhere: By name, on whatever wires.
        here: By name and wires, in the order of the operation.
        rates: Probability that an operation goes wrong, by name and wires, or by name alone with wires ().
        readout: P(1|0) and P(0|1) of every wire that is measured wrongly.
        everywhere: The same for all other wires.
        idle: What waiting costs; None: nothing.
    """

    anywhere: Mapping[str, QuantumError] = field(default_factory=dict)
    here: Mapping[str, Mapping[tuple[int, ...], QuantumError]] = field(default_factory=dict)
    rates: Mapping[tuple[str, tuple[int, ...]], float] = field(default_factory=dict)
    readout: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    everywhere: tuple[float, float] = FLIPPED
    idle: Idle | None = None

    @property
    def present(self) -> bool:
        """Whether any operation, readout or wait has an error."""
        readout = bool(self.readout) or self.everywhere != FLIPPED
        return bool(self.anywhere or self.here or readout) or self.idle is not None

    def after(self, name: str, wires: tuple[int, ...]) -> QuantumError | None:
        """The error that follows an operation."""
        return self.here.get(name, {}).get(wires) or self.anywhere.get(name)

    def rate(self, name: str, wires: tuple[int, ...]) -> float:
        """Probability that an operation goes wrong."""
        return self.rates.get((name, wires), self.rates.get((name, ()), 0.0))

    def flips(self, wire: int) -> tuple[float, float]:
        """P(1|0) and P(0|1) of a measurement."""
        return self.readout.get(wire, self.everywhere)

    def on(self, order: Sequence[int]) -> Errors:
        """The errors for wires renamed: wire k is what order[k] was; all others are left out."""
        new = {old: k for k, old in enumerate(order)}

        def renamed(wires: tuple[int, ...]) -> tuple[int, ...] | None:
            return tuple(new[w] for w in wires) if all(w in new for w in wires) else None

        here = {
            name: {to: table[wires] for wires in table if (to := renamed(wires)) is not None}
            for name, table in self.here.items()
        }
        rates = {(name, to): p for (name, wires), p in self.rates.items() if (to := renamed(wires)) is not None}
        idle = None if self.idle is None else replace(self.idle, times=tuple(self.idle.times[old] for old in order))
        readout = {new[wire]: flips for wire, flips in self.readout.items() if wire in new}
        return replace(self, here=here, rates=rates, readout=readout, idle=idle)

    @cached_property
    def _matrices(self) -> dict[int, Real]:
        return {}

    def pauli_matrix(self, name: str, wires: tuple[int, ...]) -> Real | None:
        """The error after an operation on vectors of Pauli expectations, the last wire's axis first; None: no error."""
        error = self.after(name, wires)
        if error is None:
            return None
        if id(error) not in self._matrices:
            self._matrices[id(error)] = np.real(PTM(SuperOp(error)).data)
        return self._matrices[id(error)]

    def waited(self, wire: int, seconds: float) -> Real:
        """What waiting does to one wire's Pauli expectations: ⟨X⟩, ⟨Y⟩ fall with T2, ⟨Z⟩ tends to 1 with T1."""
        assert self.idle is not None  # delays are written only where waiting costs something
        t1, t2 = self.idle.times[wire]
        left = np.exp(-seconds / t1)
        matrix = np.diag([1.0, *[np.exp(-seconds / t2)] * 2, left])
        matrix[3, 0] = 1 - left
        return matrix

    def waiting(self, wire: int, seconds: float) -> Instruction:
        """What waiting does to one wire, as an instruction for Aer."""
        from qiskit_aer.noise import thermal_relaxation_error  # loaded when used

        assert self.idle is not None
        t1, t2 = self.idle.times[wire]
        return thermal_relaxation_error(t1, t2, seconds).to_instruction()


def noise_model(errors: Errors, basis: Sequence[str], width: int) -> NoiseModel | None:
    """The errors of operations and of the readout of `width` wires as Aer takes them; None if there are none.

    Aer binds errors to gate names, so that only what is written in basis gates is noisy. Waiting is written into the
    circuits.
    """
    misread = {wire: errors.flips(wire) for wire in range(width) if errors.flips(wire) != FLIPPED}
    if not errors.anywhere and not errors.here and not misread:
        return None
    from qiskit_aer.noise import NoiseModel, ReadoutError  # loaded when used

    model = NoiseModel(basis_gates=[*basis, "reset"])
    for name, error in errors.anywhere.items():
        model.add_all_qubit_quantum_error(error, name)
    for name, table in errors.here.items():
        for wires, error in table.items():
            model.add_quantum_error(error, name, wires)
    for wire, (up, down) in misread.items():
        model.add_readout_error(ReadoutError([[1 - up, up], [down, 1 - down]]), [wire])
    return model


def described_errors(noise: Noise, basis: Sequence[str], idle: Idle | None = None) -> Errors:
    """The errors of a processor described in a file."""
    names = {width: [name for name in basis if noisy_width(name) == width] for width in (1, 2)}
    anywhere: dict[str, QuantumError] = {}
    rates: dict[tuple[str, tuple[int, ...]], float] = {}
    for width, p in ((1, noise.p1), (2, noise.p2)):
        if p > 0:
            from qiskit_aer.noise import depolarizing_error  # loaded when used

            anywhere |= dict.fromkeys(names[width], depolarizing_error(p, width))
            rates |= {(name, ()): p for name in names[width]}
    if noise.reset > 0:
        anywhere["reset"] = wrong_reset(noise.reset)
        rates["reset", ()] = noise.reset
    return Errors(anywhere, {}, rates, {}, (noise.readout, noise.readout), idle)


def log_success(p: float) -> float:
    """The logarithm of 1 − p; a gate that is reported never to work leaves next to nothing, not −∞."""
    return math.log(max(NEVER, 1 - p))


def wrong_reset(p: float) -> QuantumError:
    """A reset that leaves |1⟩ with probability p."""
    from qiskit_aer.noise import pauli_error  # loaded when used

    return pauli_error([("X", p), ("I", 1 - p)])


def noisy_width(name: str) -> int:
    """On how many qubits a gate of a described processor has an error; 0 for one that is free of it."""
    gates = get_standard_gate_name_mapping()
    return 0 if name in ("rz", "reset") or name not in gates else int(gates[name].num_qubits)
