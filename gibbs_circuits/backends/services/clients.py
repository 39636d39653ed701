"""What runs measured circuits as jobs: of a service, or in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives.containers import PrimitiveResult

from ...errors import BackendError, one_line
from ..measurement.measurement import JUMPS, SYSTEM
from ..measurement.shots import Bits, Shots


class Job(Protocol):
    """Circuits that are being run, as a job of one of Qiskit's V2 samplers is."""

    def job_id(self) -> str:
        """A name that no other job has."""
        ...

    def result(self) -> PrimitiveResult:
        """What was measured, circuit by circuit; waits for it."""
        ...


class State(Enum):
    """What has become of a job."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Progress:
    """A job as its service sees it.

    Attributes:
        state: What has become of it.
        message: What the service says.
        qpu_seconds: What it has cost, where the service says.
    """

    state: State
    message: str = ""
    qpu_seconds: float | None = None


class OutOfReach(Exception):
    """The service did not answer; the same call may go through later."""


class Client(Protocol):
    """A service that runs circuits as jobs."""

    per_job: int  # realisations in one job
    at_once: int  # jobs submitted before the first has ended
    interval: float  # seconds between two looks at a job
    patience: float  # seconds without an answer before a run gives up
    grace: float  # seconds within which a submission whose answer was lost may still turn up

    def submit(self, circuits: Sequence[QuantumCircuit], shots: int, seed: int, tag: str) -> str:
        """The id of a new job with this tag."""
        ...

    def find(self, tag: str) -> Sequence[str]:
        """The jobs with a tag, oldest first."""
        ...

    def look(self, job: str) -> Progress:
        """What has become of a job."""
        ...

    def fetch(self, job: str) -> list[Shots]:
        """The shots of a job that is done, circuit by circuit."""
        ...

    def cancel(self, job: str) -> None:
        """Stop a job that is not wanted."""
        ...

    def close(self) -> None:
        """Give back what the client holds; no more jobs will come."""
        ...


def shots_of(result: PrimitiveResult) -> list[Shots]:
    """A sampler's result, circuit by circuit.

    Raises:
        BackendError: If it does not hold what was measured.
    """
    found = []
    for one in result:
        if SYSTEM not in one.data:
            raise BackendError(f"The result has no register `{SYSTEM}`, which every circuit measures.")
        outcomes = bits_of(one.data[SYSTEM])
        jumps = bits_of(one.data[JUMPS]) if JUMPS in one.data else np.zeros((len(outcomes), 0), dtype=bool)
        found.append(Shots(outcomes, jumps))
    return found


def bits_of(array: Any) -> Bits:
    """A `BitArray` with bit k in column k."""
    return np.asarray(array.to_bool_array(order="little"), dtype=bool).reshape(-1, array.num_bits)


@dataclass(eq=False)
class Local:
    """Jobs that live in this process, one after the other, begun by a function of circuits, shots and seed.

    A seeded simulator gives circuits of one job the same random numbers, so that realisations would not be independent
    samples: every job has a seed of its own and holds one realisation.
    """

    run: Callable[[Sequence[QuantumCircuit], int, int], Job]
    jobs: dict[str, Job] = field(default_factory=dict)
    per_job: int = 1
    at_once: int = 1
    interval: float = 0.02
    patience: float = 0.0
    grace: float = 0.0

    def submit(self, circuits: Sequence[QuantumCircuit], shots: int, seed: int, tag: str) -> str:
        """Begin to run the circuits; the id of the job."""
        try:
            job = self.run(list(circuits), shots, seed)
        except Exception as error:  # a user's object may raise anything
            raise BackendError(f"The sampler failed: {type(error).__name__}: {one_line(str(error))[:300]}") from None
        self.jobs[job.job_id()] = job
        return str(job.job_id())

    def find(self, tag: str) -> Sequence[str]:
        """No job: nothing outlives the process."""
        return ()

    def look(self, job: str) -> Progress:
        """What has become of a job, once it has ended."""
        if job not in self.jobs:
            return Progress(State.UNKNOWN, "it lived in a process that is gone")
        try:
            self.jobs[job].result()
        except Exception as error:  # whatever a primitive raises is what the service says
            return Progress(State.FAILED, f"{type(error).__name__}: {error}")
        return Progress(State.DONE)

    def fetch(self, job: str) -> list[Shots]:
        """The shots of a job that is done, circuit by circuit; it is then forgotten."""
        return shots_of(self.jobs.pop(job).result())

    def cancel(self, job: str) -> None:
        """Forget a job that is not wanted."""
        self.jobs.pop(job, None)

    def close(self) -> None:
        """Nothing is open that could be closed."""
