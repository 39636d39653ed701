"""Tables of a target's file that say what a device does: durations, errors, what a snapshot leaves out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...errors import ArgumentError
from ...io.schema import from_validation
from ...limits import LONGEST_TIME, SHORTEST_TIME

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass as Table
else:
    Table = type(BaseModel)


class Spoken(Table):
    """Class of tables: one made in Python complains as one of a file does."""

    def __call__(cls, *arguments: Any, **values: Any) -> Any:
        """A table with these values.

        Raises:
            ArgumentError: If a key is unknown, or a value is not one that it takes.
        """
        try:
            return super().__call__(*arguments, **values)
        except ValidationError as error:
            raise from_validation(error, cast(type[BaseModel], cls), None) from None


class Keys(BaseModel, metaclass=Spoken):
    """A table of a target's file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


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
        """Whether anything can go wrong."""
        return max(self.p1, self.p2, self.reset, self.readout) > 0 or self.t1 is not None

    def check(self, path: Path | None = None) -> None:
        """Refuse times of which one is left out, or that no qubit has.

        Raises:
            ArgumentError: If a qubit dephases more slowly than relaxation allows.
        """
        t1, t2 = self.t1, self.t2
        if (t1 is None) != (t2 is None) or (t1 and t2 and t2 > 2 * t1):
            fix = f"set t2 = {2 * t1:g}" if t1 is not None else f"set t1 = {t2:g}"
            raise ArgumentError(
                "noise.t2", "be given with t1, and at most twice it", f"t1 = {t1}, t2 = {t2} were found", fix, path
            )


class SnapshotNoise(Keys):
    """What a device snapshot leaves out; added to the gate and readout errors that it has."""

    reset: float = Field(
        default=0.0, ge=0, lt=1, allow_inf_nan=False, examples=[1e-2],
        description="probability that a reset leaves |1⟩; snapshots have perfect resets.",
    )  # fmt: skip
    idle: bool = Field(
        default=False, description="whether waiting qubits decay with the snapshot's T1 and T2, block by block."
    )


NOISE_RULE: dict[str, Any] = {"rule": "be a table of p1, p2, reset, readout, t1, t2, durations"}

AerMethod: TypeAlias = Literal["automatic", "density_matrix", "statevector", "matrix_product_state"]
AerProcessor: TypeAlias = Literal["automatic", "CPU", "GPU"]


@dataclass(frozen=True)
class Simulator:
    """How circuits may be simulated on this machine.

    Attributes:
        name: What a refusal calls it.
        method: Aer's; automatic: by size, shots and noise.
        processor: Where Aer computes.
        bond_dimension: What bonds of a matrix product state are cut to; None: they are not.
        max_qubits: Most qubits in use.
        max_hours: Longest simulation, estimated, that is begun.
    """

    name: str
    method: AerMethod = "automatic"
    processor: AerProcessor = "automatic"
    bond_dimension: int | None = None
    max_qubits: int = 60
    max_hours: float = 24.0
