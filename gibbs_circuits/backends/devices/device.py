"""Targets opened: what compiling, counting and simulating need to know, from a file, a snapshot or a device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np
from qiskit.providers import BackendV2
from qiskit.transpiler import CouplingMap
from qiskit.transpiler import Target as Hardware

from ...io.rendering import Brief
from .basis import DEFAULT_BASIS
from .errors import Errors, Idle, described_errors, wrong_reset
from .idle import described_idle
from .keys import Noise, Simulator, SnapshotNoise

if TYPE_CHECKING:
    from qiskit_aer.noise import QuantumError


NOT_A_GATE = frozenset({"measure", "reset", "delay", "id", "measure_2", "reset_2", "barrier"})
FRACTIONAL = ("rzz", "rx")


@dataclass(frozen=True, eq=False, repr=False)
class Device(Brief):
    """What compiling, counting and simulating need to know of a target that was opened.

    Attributes:
        name: What reports call it.
        basis: Gates; rotations are written in these.
        coupling: Which pairs interact; None: all.
        errors: After operations, on physical qubits.
        hardware: Durations and reported errors; None where nothing is known of them.
        resets: Whether a reset in mid-circuit is possible.
        errors_known: Whether `errors` are what the device does; not where a user's simulator has a noise of its own.
        shape: The lattice in a word; left out: by its number of qubits.
        seconds_between_shots: The wait between shots.
        simulator: How its circuits are simulated on this machine; None where something else runs them.
    """

    name: str
    basis: tuple[str, ...]
    coupling: CouplingMap | None
    errors: Errors
    hardware: Hardware | None = None
    resets: bool = True
    errors_known: bool = True
    shape: str = ""
    seconds_between_shots: float = 0.0
    simulator: Simulator | None = None

    @property
    def lattice(self) -> str:
        """Which pairs of qubits interact, in words."""
        if self.coupling is None:
            return "all-to-all"
        return self.shape or f"lattice of {self.coupling.size()} qubits"

    @property
    def local(self) -> bool:
        """Whether circuits are simulated on this machine."""
        return self.simulator is not None

    @property
    def bond_dimension(self) -> int | None:
        """What bonds of a matrix product state are cut to here; None: they are not."""
        return None if self.simulator is None else self.simulator.bond_dimension

    @property
    def typical_errors(self) -> tuple[float, float] | None:
        """Depolarising probabilities of gates on one and on two qubits: medians; None without errors."""
        medians = []
        for wires in (1, 2):
            found = [rate for (_, on), rate in self.errors.rates.items() if len(on) == wires and 0 < rate < 0.5]
            medians.append(float(np.median(found)) / (1 - 4.0**-wires) if found else 0.0)
        return (medians[0], medians[1]) if medians[1] > 0 else None


class Opened(Protocol):
    """A target that was opened, as far as compiling needs it."""

    @property
    def device(self) -> Device:
        """The device to compile for."""
        ...


class Openable(Protocol):
    """A target, or one that was opened and stays as it is."""

    def open(self, num_qubits: int) -> Opened:
        """The target opened for a program on so many qubits."""
        ...


def described_device(
    name: str, noise: Noise, basis: tuple[str, ...], coupling: CouplingMap | None, width: int
) -> Device:
    """A processor described in a file.

    Args:
        name: What reports call it.
        noise: Its errors.
        basis: Its gates.
        coupling: Which pairs of a heavy-hex lattice interact; None: all.
        width: Qubits of the program, where all pairs interact.
    """
    idle = None
    if noise.t1 is not None and noise.t2 is not None:
        width = width if coupling is None else coupling.size()
        idle = described_idle(noise.durations, (noise.t1, noise.t2), basis, width)
    errors, hardware = described_errors(noise, basis, idle), None if idle is None else idle.hardware
    return Device(name, basis, coupling, errors, hardware, shape="heavy-hex")


def device_of(backend: BackendV2, name: str, beyond: SnapshotNoise, *, fractional: bool = False) -> Device:
    """A device from what Qiskit knows of it: gates, lattice, durations, errors.

    Errors are those that Aer derives from the reported ones; a simulated device samples them, and of a real one they
    are what the prediction assumes.

    Args:
        backend: The device, its snapshot, or a user's backend.
        name: What reports call it.
        beyond: What the report leaves out.
        fractional: Whether fractional gates are used.
    """
    hardware: Hardware = backend.target
    names = set(hardware.operation_names)
    basis = tuple(
        name
        for name in sorted(hardware.operation_names)  # a set, whose order differs from process to process
        if _is_gate(hardware, name) and (fractional or name not in FRACTIONAL)
    )
    coupling = hardware.build_coupling_map()
    if coupling is None and set(DEFAULT_BASIS) <= names:  # a simulator that takes any gate
        basis = DEFAULT_BASIS
    return Device(
        name, basis, coupling, reported_errors(backend, beyond.reset, idle=beyond.idle), hardware, "reset" in names,
        seconds_between_shots=float(getattr(backend, "default_rep_delay", 0) or 0),
    )  # fmt: skip


def _is_gate(hardware: Hardware, name: str) -> bool:
    """A unitary gate on one or two qubits; not control flow, of which Qiskit lists the class."""
    operation = hardware.operation_from_name(name)
    return name not in NOT_A_GATE and not isinstance(operation, type) and operation.num_qubits <= 2


def reported_errors(backend: BackendV2, reset: float, *, idle: bool) -> Errors:
    """The errors of a device as Aer derives them from what it reports, and what the report leaves out.

    Args:
        backend: The device or its snapshot.
        reset: Probability that a reset leaves |1⟩; reports have none.
        idle: Whether waiting qubits decay.
    """
    hardware: Hardware = backend.target
    here, readout = _aer_errors(hardware)
    rates = {
        (name, qubits): float(properties.error)
        for name in hardware.operation_names
        for qubits, properties in (hardware[name] or {}).items()
        if qubits is not None and properties is not None and properties.error
    }
    anywhere = {}
    if reset > 0:
        anywhere["reset"], rates["reset", ()] = wrong_reset(reset), reset
    waiting = Idle(hardware, _times(hardware)) if idle else None
    return Errors(anywhere, here, rates, readout, idle=waiting)


def _times(hardware: Hardware) -> tuple[tuple[float, float], ...]:
    """T1 and T2 of every qubit; for ever where they are not reported."""
    found = []
    for qubit in hardware.qubit_properties or [None] * hardware.num_qubits:
        t1 = getattr(qubit, "t1", None) or 1e9
        found.append((t1, min(getattr(qubit, "t2", None) or t1, 2 * t1)))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class ReportedErrors(Mapping[tuple[int, ...], "QuantumError"]):
    """Errors after one gate as Aer derives them, each when it is asked for: those of a large device take seconds.

    Attributes:
        hardware: What reports the errors, durations, T1 and T2.
        gate: Its name.
    """

    hardware: Hardware
    gate: str

    @cached_property
    def _reported(self) -> dict[tuple[int, ...], QuantumError | None]:
        """By wires, None until it is asked for; only where the report gives an error, or a time to decay in."""
        decays = self.hardware.qubit_properties is not None
        entries = (self.hardware[self.gate] or {}).items()
        return {wires: None for wires, p in entries if p is not None and (p.error or (decays and p.duration))}

    def __getitem__(self, wires: tuple[int, ...]) -> QuantumError:
        found = self._reported[wires]
        if found is None:
            found = self._reported[wires] = self._derived(wires)
        return found

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        return iter(self._reported)

    def __len__(self) -> int:
        return len(self._reported)

    def _derived(self, wires: tuple[int, ...]) -> QuantumError:
        from qiskit_aer.noise import QuantumError  # loaded when used
        from qiskit_aer.noise.device import basic_device_gate_errors

        qubits = self.hardware.qubit_properties
        alone = Hardware(num_qubits=self.hardware.num_qubits, qubit_properties=qubits)
        alone.add_instruction(self.hardware.operation_from_name(self.gate), {wires: self.hardware[self.gate][wires]})
        # Aer fails without T1 and T2
        found = basic_device_gate_errors(target=alone, thermal_relaxation=qubits is not None)
        return found[0][2] if found else QuantumError([([], 1.0)])


@lru_cache(maxsize=8)
def _aer_errors(
    hardware: Hardware,
) -> tuple[Mapping[str, Mapping[tuple[int, ...], QuantumError]], Mapping[int, tuple[float, float]]]:
    """Gate errors and readout as Aer derives them from the reported ones."""
    from qiskit_aer.noise.device import basic_device_readout_errors  # loaded when used

    gates = {name: ReportedErrors(hardware, name) for name in hardware.operation_names if name not in NOT_A_GATE}
    readout = {
        qubits[0]: (float(error.probabilities[0][1]), float(error.probabilities[1][0]))
        for qubits, error in basic_device_readout_errors(target=hardware)
    }
    return {name: table for name, table in gates.items() if table}, readout
