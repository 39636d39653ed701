"""Targets behind IBM's client: devices, and snapshots of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ...limits import LONGEST_TIME
from .base import Keys, SnapshotNoise, _Target

LEAST_BUSY = "least_busy"


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
