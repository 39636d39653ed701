"""What runs measured circuits as jobs: the IBM service, a snapshot simulated here, a user's own primitive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives import BaseEstimatorV2, BaseSamplerV2, StatevectorEstimator, StatevectorSampler
from qiskit.primitives.containers import PrimitiveResult

from ...errors import ArgumentError, BackendError, one_line
from ..measurement.measurement import JUMPS, SYSTEM
from ..measurement.shots import Bits, Shots

Primitive = BaseSamplerV2 | BaseEstimatorV2


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
        """No more jobs will come."""
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
    """Jobs that live in this process, one after the other: a sampler made for every seed.

    A seeded simulator gives circuits of one job the same random numbers, so that realisations would not be independent
    samples: every job has a seed of its own and holds one realisation.
    """

    sampler: Callable[[int], BaseSamplerV2]
    jobs: dict[str, Any] = field(default_factory=dict)
    interval: float = 0.02
    patience: float = 0.0
    grace: float = 0.0

    def submit(self, circuits: Sequence[QuantumCircuit], shots: int, seed: int, tag: str) -> str:
        """Begin to run."""
        try:
            job = self.sampler(seed).run(list(circuits), shots=shots)
        except Exception as error:  # a user's object may raise anything
            raise BackendError(f"The sampler failed: {type(error).__name__}: {one_line(str(error))[:300]}") from None
        self.jobs[job.job_id()] = job
        return str(job.job_id())

    def find(self, tag: str) -> Sequence[str]:
        """Nothing outlives the process."""
        return ()

    def look(self, job: str) -> Progress:
        """Wait for the end."""
        if job not in self.jobs:
            return Progress(State.UNKNOWN, "it lived in a process that is gone")
        try:
            self.jobs[job].result()
        except Exception as error:  # whatever a primitive raises is what the service says
            return Progress(State.FAILED, f"{type(error).__name__}: {error}")
        return Progress(State.DONE)

    def fetch(self, job: str) -> list[Shots]:
        """Its shots."""
        return shots_of(self.jobs.pop(job).result())

    def cancel(self, job: str) -> None:
        """Forget it."""
        self.jobs.pop(job, None)

    def close(self) -> None:
        """Nothing is open."""


def check_primitive(primitive: object, *, resets: bool) -> None:
    """Refuse what would silently give wrong answers.

    `StatevectorSampler` and `StatevectorEstimator` follow one random branch of every reset and repeat it for all shots.

    Raises:
        ArgumentError: If the object is no V2 primitive, or one of these with circuits that reset.
    """
    if not isinstance(primitive, BaseSamplerV2 | BaseEstimatorV2):
        raise ArgumentError(
            "backend", "be a name, a path, a target, a Qiskit BackendV2 or a V2 primitive",
            f"a {type(primitive).__name__} was found", 'pass "aer_density_matrix"',
        )  # fmt: skip
    if resets and isinstance(primitive, StatevectorSampler | StatevectorEstimator):
        raise ArgumentError(
            "backend", "be right on circuits with mid-circuit reset",
            f"{type(primitive).__name__} follows one random branch of every reset for all shots",
            'use qiskit_aer.primitives.SamplerV2, backend = "aer_statevector", or ancilla_policy = "fresh"',
        )  # fmt: skip
