"""Targets behind IBM's client: devices, and snapshots of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from ...errors import ArgumentError
from ..devices.keys import Simulator, SnapshotNoise
from ..services.options import LEAST_BUSY, SAVE, ClientOptions
from .base import Machine, Target

if TYPE_CHECKING:
    from qiskit.providers import BackendV2

    from ..devices.device import Device
    from ..services.clients import Client
    from ..simulators.method import Choice
    from ..transpile.compiled import Compiled

SNAPSHOT = "fake_"  # how names of the client's snapshots begin


class IbmTarget(Target):
    """A device of the IBM service, or one of its client's snapshots simulated here, through the same primitive."""

    only_how: ClassVar[frozenset[str]] = frozenset(
        {"description", "max_qpu_seconds", "jobs_at_once", "realisations_per_job", "mode", "account", "instance"}
    )
    device_prefixes: ClassVar[tuple[str, ...]] = ("ibm_", SNAPSHOT)

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
        return self.device if self.device.startswith(SNAPSHOT) else None

    @property
    def device_name(self) -> str:
        """The device, or "least_busy"."""
        return self.device

    @property
    def settled(self) -> bool:
        """Whether it names its device."""
        return self.device != LEAST_BUSY

    def on_device(self, device: str) -> IbmTarget:
        """The target with this device in place of its own."""
        return self.model_copy(update={"device": device})

    def unused(self) -> dict[str, str]:
        """`beyond_snapshot`, which only a snapshot can have."""
        return {"beyond_snapshot": "without a snapshot"} if self.snapshot is None else {}

    def availability(self) -> str | None:
        """Whether the client is installed, and the snapshot or an account is there."""
        from ..devices.snapshots import NO_CLIENT, client_present, why_missing  # loaded when used
        from ..services.ibm import account_saved

        if self.snapshot is not None:
            return why_missing(self.snapshot)
        if not client_present():
            return NO_CLIENT
        return None if account_saved() else f"no saved account: {SAVE}"

    def open(self, num_qubits: int = 1) -> Machine:
        """The snapshot, or the service's device, which is asked for with the account that the user saved."""
        self.check()
        if self.snapshot is not None:
            from ..devices.snapshots import snapshot_backend  # loaded when used

            return self.simulated(snapshot_backend(self.snapshot))
        from ..services.ibm import open_backend  # loaded when used

        service, backend = open_backend(
            self.device, self.account, self.instance, num_qubits=num_qubits, fractional=self.fractional
        )
        waiting = self.beyond_snapshot.model_copy(update={"idle": True})  # of a device they are what is predicted
        named = self.model_copy(update={"device": str(backend.name), "beyond_snapshot": waiting})
        return named.on_service(service, backend)

    def machine(self, backend: BackendV2) -> Machine:
        """A backend with the target's options, which say nothing yet of how circuits run there.

        Raises:
            ArgumentError: If the device or the circuits do not allow an option.
        """
        from ..devices.device import device_of  # loaded when used

        device = device_of(backend, self.name, self.beyond_snapshot, fractional=self.fractional)
        self.check_options(device)
        options, refused = self.options, dict[str, ArgumentError]()
        if options.rep_delay is not None:
            device = replace(device, seconds_between_shots=options.rep_delay * 1e-6)
        if options.measure_twirling:
            refused["recorded"] = ArgumentError(
                "options.measure_twirling", "be false with recorded ancillas",
                "mid-circuit outcomes cannot be flipped back", "set measure_twirling = false",
            )  # fmt: skip
        mitigation = options.measurement_mitigation
        return Machine(
            self, device, refused_ancillas=refused, calibrates_readout=mitigation, mitigates_readout=mitigation,
            realisations_per_job=self.realisations_per_job, options=options,
        )  # fmt: skip

    def simulated(self, backend: BackendV2) -> Machine:
        """A snapshot in place of a device: the client's own sampler, on a simulation here."""
        from ..services.snapshot import snapshot_client  # loaded when used

        machine = self.machine(backend)
        device = replace(machine.device, simulator=Simulator(self.name))
        return replace(machine, device=device, client=snapshot_client)

    def on_service(self, service: Any, backend: BackendV2) -> Machine:
        """A device of the service: jobs that cost something."""

        def client(on: Compiled, choice: Choice | None) -> Client:
            from ..services.ibm import Runtime  # loaded when used

            how = self.options, self.mode, self.fast_reset, self.realisations_per_job, self.jobs_at_once
            return Runtime(service, backend, *how)

        return replace(
            self.machine(backend), client=client, max_qpu_seconds=self.max_qpu_seconds,
            signature=f"{type(service).__name__} ",
        )  # fmt: skip

    def check_options(self, device: Device) -> None:
        """Refuse options that the device or the circuits do not allow.

        Raises:
            ArgumentError: Naming the option.
        """
        if self.fractional and "rzz" not in device.basis:
            raise ArgumentError(
                "fractional", "be false on a device without fractional gates", f"`{device.name}` lists {device.basis}",
                "set fractional = false",
            )  # fmt: skip
        if self.fractional and self.options.twirling:
            raise ArgumentError(
                "options.twirling", "be false with fractional gates", "only Clifford gates can be twirled",
                "set twirling = false",
            )  # fmt: skip
