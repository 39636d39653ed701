"""Targets that are simulated by Aer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from .base import NOISE_RULE, Keys, Noise, SnapshotNoise, _Target

if TYPE_CHECKING:
    from qiskit.transpiler import CouplingMap


class HeavyHex(Keys):
    """A heavy-hex lattice of odd code distance d: (5d² − 2d − 1)/2 qubits."""

    heavy_hex: Literal[3, 5, 7, 9, 11]


class AerTarget(_Target):
    """A simulation by Qiskit Aer on this machine: of a processor described here, or of a device snapshot."""

    kind: Literal["aer"] = Field(examples=["aer"], description="A local simulation.")
    method: Literal["automatic", "density_matrix", "statevector", "matrix_product_state"] = Field(
        default="automatic", examples=["density_matrix"],
        description="Aer's simulation method; automatic: by size, shots and noise, with the reason in the report.",
    )  # fmt: skip
    processor: Literal["automatic", "CPU", "GPU"] = Field(
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
        default=("cz", "rz", "sx", "x"), strict=False, description="Basis gates; reset is always there.",
        json_schema_extra={"rule": "be a list of gate names"},
    )  # fmt: skip
    coupling: Literal["all_to_all"] | HeavyHex = Field(
        default="all_to_all",
        description="Which pairs interact.",
        json_schema_extra={"rule": 'be "all_to_all" or {heavy_hex = 3}, with 3, 5, 7, 9 or 11'},
    )
    max_qubits: int = Field(default=60, ge=1, le=1000, description="Most qubits in use that a run may have.")
    max_hours: float = Field(
        default=24.0, gt=0, allow_inf_nan=False, description="Longest simulation, estimated, that is begun."
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
