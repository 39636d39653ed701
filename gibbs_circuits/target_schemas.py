"""The schemas of hardware_configs/*.toml: what a file of a target may say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .rendering import shortened

if TYPE_CHECKING:
    from qiskit.transpiler import CouplingMap

from .limits import LONGEST_TIME, SHORTEST_TIME
from .validation import from_validation

LEAST_BUSY = "least_busy"


if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass as Table
else:
    Table = type(BaseModel)


class Spoken(Table):
    """Tables made in Python complain as those of a file do."""

    def __call__(cls, *arguments: Any, **values: Any) -> Any:
        """The table.

        Raises:
            ArgumentError: If a value is none.
        """
        try:
            return super().__call__(*arguments, **values)
        except ValidationError as error:
            raise from_validation(error, cast(type[BaseModel], cls), None) from None


class Keys(BaseModel, metaclass=Spoken):
    """A table of a target's file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class HeavyHex(Keys):
    """A heavy-hex lattice of odd code distance d: (5d² − 2d − 1)/2 qubits."""

    heavy_hex: Literal[3, 5, 7, 9, 11]


class Durations(Keys):
    """How long operations take, in microseconds; rz takes none. The defaults are of the Heron class."""

    one_qubit: float = Field(
        default=0.032,
        ge=SHORTEST_TIME,
        le=LONGEST_TIME,
        allow_inf_nan=False,
        description="every one-qubit gate but rz, µs.",
    )
    two_qubit: float = Field(
        default=0.068, ge=SHORTEST_TIME, le=LONGEST_TIME, allow_inf_nan=False, description="every two-qubit gate, µs."
    )
    reset: float = Field(
        default=2.2, ge=SHORTEST_TIME, le=LONGEST_TIME, allow_inf_nan=False, description="a reset, µs."
    )
    measure: float = Field(
        default=2.2, ge=SHORTEST_TIME, le=LONGEST_TIME, allow_inf_nan=False, description="a measurement, µs."
    )


class Noise(Keys):
    """Errors of a target; all zero is no noise at all.

    Depolarising with probability p on d levels takes ρ to (1 − p) ρ + p Tr[ρ] 1/d: the state is lost with probability
    p, so that an error other than the identity happens with probability p (1 − 1/d²).
    """

    p1: float = Field(
        default=0.0, ge=0, lt=1, allow_inf_nan=False, examples=[1e-4],
        description="depolarising probability after every one-qubit basis gate except rz: ρ → (1 − p) ρ + p 1/2.",
    )  # fmt: skip
    p2: float = Field(
        default=0.0, ge=0, lt=1, allow_inf_nan=False, examples=[1e-3],
        description="depolarising probability after every two-qubit basis gate, on its pair: ρ → (1 − p) ρ + p 1/4.",
    )  # fmt: skip
    reset: float = Field(
        default=0.0, ge=0, lt=1, allow_inf_nan=False, examples=[1e-3],
        description="probability that a reset leaves |1⟩ instead of |0⟩.",
    )  # fmt: skip
    readout: float = Field(
        default=0.0, ge=0, lt=0.5, allow_inf_nan=False, examples=[1e-2],
        description="probability that a final measurement reads the other value.",
    )  # fmt: skip
    t1: float | None = Field(
        default=None, ge=SHORTEST_TIME, le=LONGEST_TIME, allow_inf_nan=False, examples=[250.0],
        description="relaxation time of idle qubits, µs; with t2 it adds what idling costs, block by block.",
    )  # fmt: skip
    t2: float | None = Field(
        default=None, ge=SHORTEST_TIME, le=LONGEST_TIME, allow_inf_nan=False, examples=[200.0],
        description="dephasing time of idle qubits, µs, at most twice t1.",
    )  # fmt: skip
    durations: Durations = Field(
        default=Durations(), description="how long operations take.",
        json_schema_extra={"rule": "be a table of one_qubit, two_qubit, reset, measure, in µs"},
    )  # fmt: skip

    @property
    def present(self) -> bool:
        """Whether there is any."""
        return max(self.p1, self.p2, self.reset, self.readout) > 0 or self.t1 is not None


class SnapshotNoise(Keys):
    """What a device snapshot leaves out; added to the gate and readout errors that it has."""

    reset: float = Field(
        default=0.0, ge=0, lt=1, allow_inf_nan=False, examples=[1e-2],
        description="probability that a reset leaves |1⟩; snapshots have perfect resets.",
    )  # fmt: skip
    idle: bool = Field(
        default=False, description="whether waiting qubits decay with the snapshot's T1 and T2, block by block."
    )


class _Target(Keys):
    """What every target has."""

    name: str = Field(min_length=1, examples=["my_target"], description="What reports call it.")
    description: str = Field(default="", description="One line for `gibbs-circuits backends`.")

    def __repr__(self) -> str:
        return shortened(f"{type(self).__name__}({self.name}: {self.description or 'described in Python'})")


NOISE_RULE: dict[str, Any] = {"rule": "be a table of p1, p2, reset, readout, t1, t2, durations"}


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


class ClientOptions(Keys):
    """Options of the service's sampler; a snapshot simulates none of them but measurement_mitigation."""

    dynamical_decoupling: Literal["off", "XX", "XpXm", "XY4"] = Field(
        default="off", description="pulses on waiting qubits: off, XX, XpXm or XY4."
    )
    twirling: bool = Field(default=False, description="Pauli twirling of two-qubit gates; shots may be rounded up.")
    measure_twirling: bool = Field(
        default=False, description="random flips before the final measurement; not with recorded ancillas."
    )
    measurement_mitigation: bool = Field(
        default=False,
        description="readout errors measured beside every realisation (two more circuits: all 0, all 1) and inverted.",
    )
    rep_delay: float | None = Field(
        default=None, ge=0, le=LONGEST_TIME, allow_inf_nan=False, examples=[250.0],
        description="wait between shots, µs; left out: the device's own.",
    )  # fmt: skip


class IbmTarget(_Target):
    """A device of the IBM service, or one of its client's snapshots simulated here, through the same primitive."""

    kind: Literal["ibm"] = Field(examples=["ibm"], description="IBM's service, or a snapshot in place of a device.")
    device: str = Field(
        default=LEAST_BUSY, min_length=1, examples=["ibm_boston"],
        description='"least_busy", a device such as "ibm_boston", or a snapshot such as "fake_torino", simulated here.',
    )  # fmt: skip
    account: str | None = Field(
        default=None, examples=["work"],
        description="name of the account saved with the client; left out: the default one.",
    )  # fmt: skip
    instance: str | None = Field(default=None, description="the service's instance; left out: the account's own.")
    mode: Literal["job", "batch", "session"] = Field(
        default="batch", description="how jobs are queued: job, batch or session."
    )
    realisations_per_job: int = Field(
        default=4, ge=1, le=1000, description="realisations in one job; a snapshot takes one, so that each has a seed."
    )
    jobs_at_once: int = Field(default=3, ge=1, le=100, description="jobs submitted before the first has ended.")
    max_qpu_seconds: float = Field(
        default=600.0,
        gt=0,
        allow_inf_nan=False,
        description="more, estimated, is refused before anything is submitted.",
    )
    fractional: bool = Field(default=False, description="use fractional gates (rzz, rx) where the device lists them.")
    fast_reset: bool = Field(default=True, description="use the device's faster mid-circuit reset where it has one.")
    options: ClientOptions = Field(
        default=ClientOptions(), description="options of the sampler.",
        json_schema_extra={"rule": "be a table of options of the sampler"},
    )  # fmt: skip
    beyond_snapshot: SnapshotNoise = Field(
        default=SnapshotNoise(), description="with a snapshot: what it leaves out.",
        json_schema_extra={"rule": "be a table of reset and idle"},
    )  # fmt: skip

    @property
    def snapshot(self) -> str | None:
        """The snapshot in place of a device; None where the service is meant."""
        return self.device if self.device.startswith("fake_") else None
