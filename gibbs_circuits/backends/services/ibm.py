"""The IBM service: opened with the user's own saved account, its sampler with options, its failures in one line.

Nothing here reads, prints or stores a credential: the client finds the account that the user saved with it.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit
from qiskit.providers import BackendV2
from qiskit.transpiler import PassManager
from qiskit.transpiler import Target as Hardware

from ...errors import ArgumentError, BackendError, one_line
from ..devices.snapshots import NO_CLIENT, client_present
from ..measurement.shots import Shots
from .clients import OutOfReach, Progress, State, shots_of
from .ibm_errors import failures, unreachable
from .options import LEAST_BUSY, SAVE, ClientOptions, sampler_options

ACCOUNT_FILE = Path(".qiskit") / "qiskit-ibm.json"
ACCOUNT_VARIABLES = ("QISKIT_IBM_TOKEN", "QISKIT_IBM_URL")
STATES = {"DONE": State.DONE, "ERROR": State.FAILED, "CANCELLED": State.FAILED}


def account_saved() -> bool:
    """Whether the client would find an account; the file is not opened."""
    return (Path.home() / ACCOUNT_FILE).is_file() or ACCOUNT_VARIABLES[0] in os.environ


def runtime_service(account: str | None, instance: str | None) -> Any:
    """The client's service, with the account that the user saved.

    Raises:
        ArgumentError: If the file of accounts is damaged.
    """
    from qiskit_ibm_runtime import QiskitRuntimeService

    try:
        return QiskitRuntimeService(name=account, instance=instance)
    except json.JSONDecodeError as error:
        if unreachable(error):
            raise
        raise _damaged(error.msg) from None
    except (AttributeError, KeyError, TypeError, UnicodeDecodeError, RecursionError) as error:
        # the client takes for granted what the file holds; what it found may be the token, so only the kind is said
        if unreachable(error):
            raise
        raise _damaged(f"the client stops at it with {type(error).__name__}") from None


def _damaged(how: str) -> ArgumentError:
    return ArgumentError(
        "backend", "have a saved account", f"~/{ACCOUNT_FILE} is damaged ({how})", f"remove it and run {SAVE}"
    )


def open_backend(
    device: str, account: str | None, instance: str | None, *, num_qubits: int, fractional: bool
) -> tuple[Any, BackendV2]:
    """The service with the user's account, and a device of it.

    Args:
        device: Its name, or "least_busy".
        account: Name of the saved account; None: the default one.
        instance: Of the service; None: the account's own.
        num_qubits: That the least busy device must have.
        fractional: Whether fractional gates are used.

    Raises:
        ArgumentError: If the client or an account is missing, the token is refused, or the device is not there.
        BackendError: If the service fails or cannot be reached.
    """
    if not client_present():
        raise ArgumentError("backend", "have the IBM client", "it is not installed", NO_CLIENT.split(": ")[1])
    try:
        with failures(device):
            service = runtime_service(account, instance)
            if device == LEAST_BUSY:
                return service, service.least_busy(
                    operational=True, simulator=False, min_num_qubits=num_qubits, use_fractional_gates=fractional
                )
            return service, service.backend(device, use_fractional_gates=fractional)
    except OutOfReach as error:
        raise BackendError(f"The IBM service: {error}. Fix: connect to the network and run again.") from None


def ready(qc: QuantumCircuit, name: str, hardware: Hardware, *, fast_reset: bool = True) -> QuantumCircuit:
    """A circuit as it is submitted to the device of this name.

    With the device's faster mid-circuit reset and measurement where it has them, and with the angles of `rzz` folded
    into [0, π/2], which is all that fractional gates take.

    Raises:
        BackendError: If the device does not have one of its instructions.
    """
    if fast_reset and {"reset_2", "measure_2"} & set(hardware.operation_names):
        from qiskit_ibm_runtime.transpiler.passes import ConvertToMidCircuitResetAndMeasure

        qc = PassManager([ConvertToMidCircuitResetAndMeasure(hardware)]).run(qc)
    if "rzz" in qc.count_ops():
        from qiskit_ibm_runtime.transpiler.passes import FoldRzzAngle

        qc = PassManager([FoldRzzAngle()]).run(qc)
    check_isa(qc, hardware, name)
    return qc


def check_isa(qc: QuantumCircuit, hardware: Hardware, name: str) -> None:
    """Refuse a circuit that a device does not understand, before it is submitted.

    Raises:
        BackendError: Naming the first such instruction.
    """
    for item in qc.data:
        wires = tuple(qc.find_bit(q).index for q in item.qubits)
        if item.operation.name != "barrier" and not hardware.instruction_supported(item.operation.name, wires):
            raise BackendError(
                f"A circuit has {item.operation.name} on qubits {wires}, which is not in the instruction set of "
                f"`{name}`. Fix: compile for this device (its calibration may have changed since)."
            )


@dataclass(eq=False)
class Runtime:
    """Jobs of the service on one device.

    Attributes:
        service: The client's, with the user's account.
        backend: The device as the client has it.
        options: Of the sampler.
        mode: How jobs are queued: job, batch or session.
        fast_reset: Whether the device's faster reset is used where it has one.
        per_job: Realisations in one job.
        at_once: Jobs submitted before the first has ended.
    """

    service: Any
    backend: BackendV2
    options: ClientOptions
    mode: str = "batch"
    fast_reset: bool = True
    per_job: int = 1
    at_once: int = 1
    interval: float = 2.0
    patience: float = 900.0
    grace: float = 20.0
    opened: Any = None

    @property
    def name(self) -> str:
        """Name of the device, as the service has it."""
        return str(self.backend.name)

    def _mode(self) -> Any:
        """The batch or session, opened when the first job is submitted."""
        if self.mode == "job":
            return self.backend
        if self.opened is None:
            from qiskit_ibm_runtime import Batch, Session

            self.opened = (Batch if self.mode == "batch" else Session)(backend=self.backend)
        return self.opened

    def submit(self, circuits: Sequence[QuantumCircuit], shots: int, seed: int, tag: str) -> str:
        """Submit circuits, converted to the device's own reset."""
        hardware = self.backend.target
        isa = [ready(qc, self.name, hardware, fast_reset=self.fast_reset) for qc in circuits]
        with failures(self.name):
            job = make_sampler(self._mode(), sampler_options(self.options, tag)).run(isa, shots=shots)
            return str(job.job_id())

    def find(self, tag: str) -> Sequence[str]:
        """Jobs of the account with this tag, oldest first."""
        with failures(self.name):
            return [str(job.job_id()) for job in self.service.jobs(job_tags=[tag], limit=None, descending=False)]

    def look(self, job: str) -> Progress:
        """What the service says of a job."""
        from qiskit_ibm_runtime.exceptions import RuntimeJobNotFound

        with failures(self.name):
            try:
                found = self.service.job(job)
            except RuntimeJobNotFound as error:
                return Progress(State.UNKNOWN, one_line(str(error)))
            status = str(getattr(found.status(), "name", found.status()))
            state = STATES.get(status, State.WAITING)
            if state is State.WAITING:
                return Progress(state)
            said = found.error_message() if state is State.FAILED else ""
        message = one_line(str(said or status))[:400]
        return Progress(state, message, self._cost(found))

    def _cost(self, job: Any) -> float | None:
        """QPU seconds of a job that has ended; None where the service does not say, or not yet."""
        try:
            with failures(self.name):
                return float(job.usage() or 0) or None
        except BackendError:
            return None

    def fetch(self, job: str) -> list[Shots]:
        """The shots of a job that is done, circuit by circuit."""
        with failures(self.name):
            result = self.service.job(job).result()
        if result is None:
            raise BackendError(f"The service has no result for job {job}, which it says is done.")
        return shots_of(result)

    def cancel(self, job: str) -> None:
        """Cancel it if it has not ended."""
        with failures(self.name):
            found = self.service.job(job)
            if str(getattr(found.status(), "name", found.status())) not in STATES:
                found.cancel()

    def close(self) -> None:
        """Let the batch or session end after its jobs."""
        if self.opened is not None:
            with failures(self.name):
                self.opened.close()


def make_sampler(mode: Any, options: dict[str, Any]) -> Any:
    """The client's current sampler."""
    from qiskit_ibm_runtime.executor_sampler import Sampler

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the client's own making
        return Sampler(mode=mode, options=options)
