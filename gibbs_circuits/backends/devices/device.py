"""Targets opened: what compiling, counting and simulating need to know, from a file, a snapshot or a device."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from qiskit.providers import BackendV2
from qiskit.transpiler import CouplingMap
from qiskit.transpiler import Target as Hardware

from ...errors import ArgumentError, shown, slip
from ...io.rendering import Brief
from ..targets.aer import AerTarget
from ..targets.base import SnapshotNoise
from ..targets.ibm import IbmTarget
from ..targets.registry import DEFAULT_BASIS, Target, check_consistent
from .errors import MICROSECOND, Errors, Idle, described_errors, wrong_reset
from .idle import described_idle

if TYPE_CHECKING:
    from qiskit_aer.noise import QuantumError


CLIENT = "qiskit-ibm-runtime"
NOT_A_GATE = frozenset({"measure", "reset", "delay", "id", "measure_2", "reset_2", "barrier"})
NO_CLIENT = f"{CLIENT} is not installed: pip install 'gibbs-circuits[ibm]'"
FRACTIONAL = ("rzz", "rx")
KNOWN_SNAPSHOTS = (  # of the client, to tell a slip of the pen where it is not installed
    "fake_aachen", "fake_auckland", "fake_berlin", "fake_boston", "fake_brisbane", "fake_brussels", "fake_cusco",
    "fake_fez", "fake_geneva", "fake_kawasaki", "fake_kingston", "fake_kyiv", "fake_kyoto", "fake_marrakesh",
    "fake_miami", "fake_nighthawk", "fake_osaka", "fake_oslo", "fake_peekskill", "fake_perth", "fake_pittsburgh",
    "fake_prague", "fake_quebec", "fake_sherbrooke", "fake_strasbourg", "fake_torino", "fake_toronto_v2",
    "fake_manila_v2", "fake_lima_v2", "fake_nairobi_v2", "fake_washington_v2",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Device(Brief):
    """A target, opened.

    Attributes:
        target: What its file says.
        basis: Gates; rotations are written in these.
        coupling: Which pairs interact; None: all.
        errors: After operations, on physical qubits.
        hardware: Durations and reported errors; None where a file describes none.
        backend: What the service or the user has; None for a processor described in a file.
        resets: Whether a reset in mid-circuit is possible.
        errors_known: Whether `errors` are what the device does; not where a user's simulator has a noise of its own.
        simulated: Whether a snapshot that a user handed in is simulated here.
    """

    target: Target
    basis: tuple[str, ...]
    coupling: CouplingMap | None
    errors: Errors
    hardware: Hardware | None = None
    backend: BackendV2 | None = None
    resets: bool = True
    errors_known: bool = True
    simulated: bool = False

    @property
    def name(self) -> str:
        """What reports call it."""
        return self.target.name

    @property
    def lattice(self) -> str:
        """Which pairs of qubits interact, in words."""
        if self.coupling is None:
            return "all-to-all"
        described = isinstance(self.target, AerTarget) and self.target.snapshot is None
        return "heavy-hex" if described else f"lattice of {self.coupling.size()} qubits"

    @property
    def local(self) -> bool:
        """Whether runs stay on this machine."""
        return isinstance(self.target, AerTarget) or self.target.snapshot is not None or self.simulated

    @property
    def seconds_between_shots(self) -> float:
        """The wait between shots of a device."""
        asked = self.target.options.rep_delay if isinstance(self.target, IbmTarget) else None
        return asked * MICROSECOND if asked is not None else float(getattr(self.backend, "default_rep_delay", 0) or 0)


def open_device(target: Target, num_qubits: int = 1) -> Device:
    """A target, opened.

    Args:
        target: From a file. A device of the service is opened by `ibm.open_service`, which needs the network.
        num_qubits: Of the program, for a processor described in a file without a lattice.

    Raises:
        ArgumentError: If a snapshot is unknown, the client is not installed, or values do not go together.
    """
    if target.snapshot is not None:
        return from_backend(snapshot_backend(target.snapshot), target)
    if isinstance(target, IbmTarget):
        raise ArgumentError(
            "backend", "be on this machine here", f"`{target.name}` is a device of the service",
            "open it with gibbs_circuits.backends.ibm.open_service",
        )  # fmt: skip
    check_consistent(target)
    noise, coupling = target.noise, target.coupling_map
    idle = None
    if noise.t1 is not None and noise.t2 is not None:
        width = num_qubits if coupling is None else coupling.size()
        idle = described_idle(noise.durations, (noise.t1, noise.t2), target.basis, width)
    errors = described_errors(noise, target.basis, idle)
    return Device(target, target.basis, coupling, errors, None if idle is None else idle.hardware)


def from_backend(backend: BackendV2, target: Target) -> Device:
    """A device from what Qiskit knows of it: gates, lattice, durations, errors.

    Errors are those that Aer derives from the reported ones; a simulated device samples them, and of a real one they
    are what the prediction assumes.
    """
    hardware: Hardware = backend.target
    names = set(hardware.operation_names)
    beyond = target.beyond_snapshot
    errors = reported_errors(backend, beyond.reset, idle=beyond.idle)
    fractional = isinstance(target, IbmTarget) and target.fractional
    basis = tuple(
        name
        for name in sorted(hardware.operation_names)  # a set, whose order differs from process to process
        if _is_gate(hardware, name) and (fractional or name not in FRACTIONAL)
    )
    coupling = hardware.build_coupling_map()
    if coupling is None and set(DEFAULT_BASIS) <= names:  # a simulator that takes any gate
        basis = DEFAULT_BASIS
    from qiskit_aer import AerSimulator  # loaded when used

    own = isinstance(backend, AerSimulator) and backend.options.noise_model is not None
    return Device(target, basis, coupling, errors, hardware, backend, "reset" in names, errors_known=not own)


def _is_gate(hardware: Hardware, name: str) -> bool:
    """A unitary gate on one or two qubits; not control flow, of which Qiskit lists the class."""
    operation = hardware.operation_from_name(name)
    return name not in NOT_A_GATE and not isinstance(operation, type) and operation.num_qubits <= 2


@lru_cache(maxsize=8)
def snapshot_backend(name: str) -> BackendV2:
    """A snapshot of the IBM client by its name, such as fake_torino.

    Raises:
        ArgumentError: If the client is not installed, or has no such snapshot.
    """
    near = None if name in KNOWN_SNAPSHOTS else slip(name, KNOWN_SNAPSHOTS)
    try:
        from qiskit_ibm_runtime import fake_provider
    except ImportError:
        if near is not None:  # a slip of the pen, which installing the client would not mend
            raise ArgumentError(
                "backend", "be one of the client's snapshots", f"{shown(name)} is none that is known", f'write "{near}"'
            ) from None
        raise ArgumentError(
            "backend", f"have {CLIENT} for the snapshot `{name}`", "it is not installed",
            "pip install 'gibbs-circuits[ibm]'",
        ) from None  # fmt: skip
    classes = {_snake(cls): cls for cls in vars(fake_provider).values() if _is_snapshot(cls)}
    if name not in classes:
        recent = ", ".join(k for k in ("fake_torino", "fake_fez", "fake_marrakesh", "fake_boston") if k in classes)
        near = slip(name, classes)
        raise ArgumentError(
            "backend", "be one of the client's snapshots", f"{shown(name)} is none of its {len(classes)}",
            f"use one of {recent}, …" if near is None else f'write "{near}"',
        )  # fmt: skip
    return classes[name]()


def _is_snapshot(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, BackendV2) and cls.__name__.startswith("Fake")


def _snake(cls: type) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


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


def user_device(backend: BackendV2, name: str | None = None, *, idle: bool = False) -> Device:
    """A backend that a user hands in, run through the IBM client's primitive, or its own.

    With `idle`, waiting qubits are predicted to decay, as on a device.
    """
    label = name or str(getattr(backend, "name", None) or type(backend).__name__)
    device = label if not label.startswith("fake_") else f"user's {label}"
    target = IbmTarget(
        name=label, kind="ibm", device=device, description="handed in", beyond_snapshot=SnapshotNoise(idle=idle)
    )
    return from_backend(backend, target)


def plain_device(name: str, *, exact: bool) -> Device:
    """Every pair interacts: for a primitive that does not say what it runs on; `exact` if it surely has no errors."""
    return replace(open_device(AerTarget(name=name, kind="aer")), errors_known=exact)
