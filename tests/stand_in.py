"""A stand-in for the IBM service: its state is one append-only file, so that it outlives the client that is killed.

It has what `gibbs_circuits.backends.services.ibm` uses of `QiskitRuntimeService`, its jobs and its sampler, and fails
in the ways in which a service fails, through the client's own exceptions. An event is one line, written by one system
call: what is in the file has happened, and nothing else has.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import requests
from qiskit import QuantumCircuit
from qiskit.primitives import BitArray, DataBin, PrimitiveResult, SamplerPubResult
from qiskit.providers import BackendV2
from qiskit.providers.exceptions import QiskitBackendNotFoundError
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit_aer import AerSimulator
from qiskit_ibm_runtime.api.exceptions import RequestsApiError
from qiskit_ibm_runtime.exceptions import IBMRuntimeError, RuntimeInvalidStateError, RuntimeJobNotFound

from gibbs_circuits.backends.runs.request import Request
from gibbs_circuits.backends.services.ibm import Runtime

NAME = "ibm_stand_in"
SIZE = 5
FINAL = ("DONE", "ERROR", "CANCELLED")
Range = tuple[float, float]


@dataclass(frozen=True)
class Temper:
    """How a service misbehaves; probabilities are per call, times in seconds, everything random is seeded.

    Attributes:
        seed: Of everything random.
        delay: Before a job is done.
        refused: Probability that a submission never arrives.
        lost: Probability that a submission arrives and its answer does not.
        late: How long a new job takes to turn up in look-ups, in every case.
        failing: Which submissions, by number from 0, fail when they are done, and what the service says of them.
        deaf: Probability that a look-up times out.
        slow: How long after the end of a job its result cannot be had.
        unready: Where a job is not known yet by id either, as long as it is not in look-ups.
    """

    seed: int = 0
    delay: Range = (0.0, 0.0)
    refused: float = 0.0
    lost: float = 0.0
    late: Range = (0.0, 0.0)
    failing: tuple[tuple[int, str], ...] = ()
    deaf: float = 0.0
    slow: Range = (0.0, 0.0)
    unready: bool = False


def no_hook(point: str) -> None:
    """Nothing happens."""


@dataclass(eq=False)
class StandIn:
    """The service.

    Attributes:
        folder: Where it lives.
        temper: How it misbehaves.
        device: Its only backend.
        truthful: Whether circuits are simulated; if not, shots are random bits that only the circuit fixes.
        hook: Called before and after everything that the service does for a client.
    """

    folder: Path
    temper: Temper = field(default_factory=Temper)
    device: BackendV2 = field(default_factory=lambda: device())
    truthful: bool = False
    hook: Callable[[str], None] = no_hook
    looked: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """What has happened, oldest first."""
        try:
            lines = (self.folder / "log.jsonl").read_text("utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [event for event in map(json.loads, lines) if kind in (None, event["event"])]

    def append(self, event: str, **what: Any) -> dict[str, Any]:
        line = {"event": event, "time": time.time(), **what}
        handle = os.open(self.folder / "log.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(handle, (json.dumps(line) + "\n").encode())
        finally:
            os.close(handle)
        return line

    @contextmanager
    def call(self, name: str) -> Iterator[None]:
        self.hook(f"before {name}")
        yield
        self.hook(f"after {name}")

    def listen(self) -> None:
        """Whether a look-up gets through."""
        self.looked += 1
        if np.random.default_rng([self.temper.seed, 1, self.looked, os.getpid()]).random() < self.temper.deaf:
            dropped("Read timed out.")

    # What `QiskitRuntimeService` has.

    def backend(self, name: str, use_fractional_gates: bool | None = False) -> BackendV2:
        if name != self.device.name:
            raise QiskitBackendNotFoundError(f"No backend matches the criteria. {name} is retired.")
        return self.device

    def least_busy(
        self, min_num_qubits: int = 1, use_fractional_gates: bool | None = False, **criteria: Any
    ) -> BackendV2:
        if min_num_qubits > self.device.num_qubits:
            raise QiskitBackendNotFoundError("No backend matches the criteria.")
        return self.device

    def jobs(self, job_tags: list[str], limit: int | None = 10, descending: bool = True) -> list[Job]:
        with self.call("jobs"):
            self.listen()
            now = time.time()
            found = [e for e in self.events("accepted") if set(job_tags) <= {e["tag"]} and e["visible"] <= now]
        return [Job(self, e["id"]) for e in (reversed(found) if descending else found)][:limit]

    def job(self, job_id: str) -> Job:
        with self.call("job"):
            self.listen()
            known = [e for e in self.events("accepted") if e["id"] == job_id]
            if not known or (self.temper.unready and known[0]["visible"] > time.time()):
                raise RuntimeJobNotFound(f"Job not found: {job_id}")
        return Job(self, job_id)

    # What `make_sampler` has.

    def sampler(self, mode: Any, options: dict[str, Any]) -> Sampler:
        (tag,) = options["environment"]["job_tags"]
        return Sampler(self, tag)

    def submitted(self, circuits: Sequence[QuantumCircuit], shots: int, tag: str) -> Job:
        temper, number = self.temper, len(self.events("asked"))
        rng = np.random.default_rng([temper.seed, 0, number])
        refused, lost = rng.random() < temper.refused, rng.random() < temper.lost
        wait, hidden, slow = (rng.uniform(*span) for span in (temper.delay, temper.late, temper.slow))
        self.append("asked", tag=tag)
        self.hook("before accept")
        if refused:
            dropped("Connection refused.")
        job = f"job{number}-{os.urandom(4).hex()}"
        arrays = {}
        for k, qc in enumerate(circuits):
            for name, bits in (simulated if self.truthful else random_bits)(qc, shots).items():
                arrays[f"{k}-{name}"] = bits
        np.savez(self.folder / f"{job}.npz", **arrays)
        done = time.time() + wait
        self.append(
            "accepted", id=job, tag=tag, visible=time.time() + hidden, done=done, ready=done + slow,
            fails=dict(temper.failing).get(number), circuits=len(circuits), shots=shots,
        )  # fmt: skip
        self.hook("after accept")
        if lost:
            dropped("Connection aborted.")
        return Job(self, job)


@dataclass(frozen=True, eq=False)
class Sampler:
    """The client's sampler, as far as it is used."""

    service: StandIn
    tag: str

    def run(self, circuits: Sequence[QuantumCircuit], shots: int) -> Job:
        return self.service.submitted(circuits, shots, self.tag)


@dataclass(frozen=True, eq=False)
class Job:
    """A job of the service."""

    service: StandIn
    id: str

    def _accepted(self) -> dict[str, Any]:
        return next(e for e in self.service.events("accepted") if e["id"] == self.id)

    def job_id(self) -> str:
        return self.id

    def status(self) -> str:
        with self.service.call("status"):
            self.service.listen()
            if any(e["id"] == self.id for e in self.service.events("cancelled")):
                return "CANCELLED"
            event = self._accepted()
            if event["done"] > time.time():
                return "QUEUED"
            return "DONE" if event["fails"] is None else "ERROR"

    def result(self) -> PrimitiveResult:
        with self.service.call("result"):
            self.service.listen()
            event = self._accepted()
            if event["ready"] > time.time():
                dropped("The result is on its way.")
            stored = stored_bits(self.service.folder, self.id)
            pubs = [
                SamplerPubResult(
                    DataBin(**{name: BitArray.from_bool_array(bits, order="little") for name, bits in found.items()})
                )
                for found in stored
            ]
            self.service.append("fetched", id=self.id)
        return PrimitiveResult(pubs)

    def error_message(self) -> str | None:
        return self._accepted()["fails"]

    def usage(self) -> float:
        return 1.5

    def cancel(self) -> None:
        with self.service.call("cancel"):
            if self.status() in FINAL:
                raise RuntimeInvalidStateError("Job cannot be cancelled: it has ended.")
            self.service.append("cancelled", id=self.id)


def dropped(said: str) -> NoReturn:
    """A failure of the network, wrapped as the client wraps it: the cause hangs below two exceptions of its own."""
    try:
        try:
            raise requests.exceptions.ConnectionError(said)
        except requests.exceptions.RequestException as error:
            raise RequestsApiError(str(error), -1) from error
    except RequestsApiError as error:
        raise IBMRuntimeError(f"Failed to reach the service: {error}") from None


def answered(status: int, said: str) -> NoReturn:
    """An answer with an error status, wrapped as the client wraps it: the network is fine."""
    response = requests.Response()
    response.status_code = status
    try:
        raise requests.exceptions.HTTPError(f"{status} Client Error", response=response)
    except requests.exceptions.RequestException as error:
        raise RequestsApiError(said, status) from error


@lru_cache(maxsize=2)
def device(seed: int = 1) -> BackendV2:
    """Five qubits in a row with resets, durations and errors."""
    row = [[k, k + 1] for k in range(SIZE - 1)]
    both = row + [pair[::-1] for pair in row]
    backend = GenericBackendV2(SIZE, basis_gates=["cz", "rz", "sx", "x"], coupling_map=both, seed=seed)
    backend.name = NAME
    return backend


def random_bits(qc: QuantumCircuit, shots: int) -> dict[str, Any]:
    """Bits that the circuit fixes, whoever submits it, whenever and in whatever company: cheap, and never equal."""
    text = [(item.operation.name, item.operation.params, [qc.find_bit(q).index for q in item.qubits]) for item in qc]
    digest = hashlib.sha256(repr((text, shots)).encode()).digest()
    rng = np.random.default_rng(list(digest))
    return {register.name: rng.random((shots, register.size)) < 0.4 for register in qc.cregs}


def simulated(qc: QuantumCircuit, shots: int) -> dict[str, Any]:
    """Shots of the circuit without errors, on the qubits that it uses."""
    used = sorted({qc.find_bit(q).index for item in qc.data for q in item.qubits})
    small = QuantumCircuit(len(used))
    small.add_register(*qc.cregs)
    for item in qc.data:
        wires = [used.index(qc.find_bit(q).index) for q in item.qubits]
        small.append(item.operation, wires, item.clbits)
    found = AerSimulator(max_parallel_threads=1).run(small, shots=shots, memory=True, seed_simulator=len(qc.data))
    rows = [row.split(" ")[::-1] for row in found.result().get_memory()]
    return {
        register.name: np.array([[bit == "1" for bit in reversed(row[k])] for row in rows])
        for k, register in enumerate(small.cregs)
    }


def stored_bits(folder: Path, job: str) -> list[dict[str, Any]]:
    """What a job has measured, circuit by circuit."""
    found: dict[int, dict[str, Any]] = {}
    with np.load(folder / f"{job}.npz") as stored:
        for key in stored.files:
            number, name = key.split("-", 1)
            found.setdefault(int(number), {})[name] = stored[key]
    return [found[k] for k in sorted(found)]


def asked_of(request: Request, service: StandIn) -> Request:
    """The same run, whose jobs go to another stand-in."""
    machine = request.machine
    assert machine.client is not None

    def client(on: Any, choice: Any) -> Any:
        return replace(machine.client(on, choice), service=service)

    return replace(request, machine=replace(machine, client=client))


def install(
    patch: pytest.MonkeyPatch, service: StandIn, interval: float = 0.01, patience: float = 10.0, grace: float = 0.5
) -> None:
    """Put the stand-in where the package looks for the service, and make it quick."""
    patch.setattr("gibbs_circuits.backends.services.ibm.runtime_service", lambda account, instance: service)
    patch.setattr("gibbs_circuits.backends.services.ibm.make_sampler", service.sampler)
    quick = partial(Runtime, interval=interval, patience=patience, grace=grace)
    patch.setattr("gibbs_circuits.backends.services.ibm.Runtime", quick)
