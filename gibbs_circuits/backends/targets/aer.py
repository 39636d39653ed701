"""Targets that are simulated by Aer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ..devices.basis import DEFAULT_BASIS, check_basis
from ..devices.keys import NOISE_RULE, AerMethod, AerProcessor, Keys, Noise, Simulator, SnapshotNoise
from .base import Machine, Target

if TYPE_CHECKING:
    from qiskit.transpiler import CouplingMap


class HeavyHex(Keys):
    """A heavy-hex lattice of odd code distance d: (5d² − 2d − 1)/2 qubits."""

    heavy_hex: Literal[3, 5, 7, 9, 11]


class AerTarget(Target):
    """A simulation by Qiskit Aer on this machine: of a processor described here, or of a device snapshot."""

    only_how: ClassVar[frozenset[str]] = frozenset({"description", "max_qubits", "max_hours"})

    kind: Literal["aer"] = Field(examples=["aer"], description="A local simulation.")
    method: AerMethod = Field(
        default="automatic", examples=["density_matrix"],
        description="Aer's simulation method; automatic: by size, shots and noise, with the reason in the report.",
    )  # fmt: skip
    processor: AerProcessor = Field(
        default="automatic", description="automatic: a GPU where Aer has one and the state is large, else the CPU."
    )
    bond_dimension: int | None = Field(
        default=None, ge=1, le=4096, examples=[64],
        description="matrix_product_state only: bonds are cut to this; left out: exact.",
    )  # fmt: skip
    snapshot: str | None = Field(
        default=None, examples=["fake_torino"],
        description="a device snapshot of the IBM client, whose gates, lattice and errors are taken; then no basis, "
        "coupling or p1 … t2 here.",
    )  # fmt: skip
    basis: tuple[str, ...] = Field(
        default=DEFAULT_BASIS, strict=False, description="Basis gates; reset is always there.",
        json_schema_extra={"rule": "be a list of gate names"},
    )  # fmt: skip
    coupling: Literal["all_to_all"] | HeavyHex = Field(
        default="all_to_all",
        description="Which pairs interact.",
        json_schema_extra={"rule": 'be "all_to_all" or {heavy_hex = 3}, with 3, 5, 7, 9 or 11'},
    )
    max_qubits: int = Field(
        default=Simulator.max_qubits, ge=1, le=1000, description="Most qubits in use that a run may have."
    )
    max_hours: float = Field(
        default=Simulator.max_hours,
        gt=0,
        allow_inf_nan=False,
        description="Longest simulation, estimated, that is begun.",
    )
    noise: Noise = Field(
        default=Noise(), examples=[{"p1": 1e-4, "p2": 1e-3}], description="Errors; none by default.",
        json_schema_extra=NOISE_RULE,
    )  # fmt: skip
    beyond_snapshot: SnapshotNoise = Field(
        default=SnapshotNoise(), examples=[{"reset": 1e-2, "idle": True}],
        description="with a snapshot: what it leaves out.",
        json_schema_extra={"rule": "be a table of reset and idle"},
    )  # fmt: skip

    @property
    def coupling_map(self) -> CouplingMap | None:
        """Qiskit's coupling map of a lattice described here; None where every pair interacts."""
        if isinstance(self.coupling, HeavyHex):
            from qiskit.transpiler import CouplingMap  # loaded when used

            return CouplingMap.from_heavy_hex(self.coupling.heavy_hex, bidirectional=True)
        return None

    @property
    def simulator(self) -> Simulator:
        """How it is simulated, as far as the file says."""
        return Simulator(self.name, self.method, self.processor, self.bond_dimension, self.max_qubits, self.max_hours)

    def open(self, num_qubits: int = 1) -> Machine:
        """The processor, as wide as the program where every pair interacts."""
        from ..devices.device import described_device, device_of  # loaded when used
        from ..devices.snapshots import snapshot_backend
        from ..simulators.method import check_processor

        self.check()
        check_processor(self.simulator)
        if self.snapshot is not None:
            device = device_of(snapshot_backend(self.snapshot), self.name, self.beyond_snapshot)
        else:
            device = described_device(self.name, self.noise, self.basis, self.coupling_map, num_qubits)
        exact = self.method in ("automatic", "density_matrix")
        return Machine(self, replace(device, simulator=self.simulator), direct=True, exact_values=exact)

    def availability(self) -> str | None:
        """Whether the snapshot and the processor that it asks for are there."""
        from ..devices.snapshots import why_missing  # loaded when used
        from ..simulators.method import missing_processor

        reason = None if self.snapshot is None else why_missing(self.snapshot)
        return reason or missing_processor(self.simulator)

    def refuse_size(self, used: int, system: int, *, fresh: bool = False) -> None:
        """Refuse more qubits than it simulates, or than memory holds."""
        from ..simulators.method import refuse_size  # loaded when used

        refuse_size(used, system, self.simulator, fresh=fresh)

    def unused(self) -> dict[str, str]:
        """What a snapshot has of its own, or cannot have without one; the bonds of other methods."""
        if self.snapshot is None:
            unused = {"beyond_snapshot": "without a snapshot"}
        else:
            unused = dict.fromkeys(("basis", "coupling", "noise"), "beside a snapshot, which has its own")
        if self.method in ("density_matrix", "statevector"):
            unused["bond_dimension"] = f"with method {self.method}"
        return unused

    def check(self, path: Path | None = None) -> None:
        """Refuse keys without a use, an unknown or incomplete basis, and times that no qubit has."""
        super().check(path)
        check_basis(self.basis, path)
        self.noise.check(path)

    def gate_errors(self) -> tuple[float, float] | None:
        """Those of its file, if there are any."""
        return (self.noise.p1, self.noise.p2) if self.noise.p2 > 0 else super().gate_errors()
