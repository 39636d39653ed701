"""A snapshot in place of a device: the client's own sampler, on a simulation here."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from qiskit import QuantumCircuit
from qiskit.primitives import BaseSamplerV2, PrimitiveResult

from ..simulators.engine import shot_seed, simulator
from ..simulators.method import Choice
from ..transpile.compiled import Compiled
from .clients import Local
from .ibm import make_sampler
from .options import ClientOptions, sampler_options


def snapshot_client(on: Compiled, choice: Choice | None) -> Local:
    """Jobs on a snapshot: no option of the service is simulated, since they act on noise that snapshots do not have.

    Args:
        on: The program on the simulated qubits, whose errors are taken.
        choice: How it is simulated.
    """
    assert choice is not None  # a snapshot is simulated

    def sampler(seed: int) -> BaseSamplerV2:
        made: BaseSamplerV2 = make_sampler(simulator(on, choice, seed), sampler_options(ClientOptions(), "local", seed))
        return made

    return Local(lambda circuits, shots, seed: OneByOne(sampler, circuits, shots, seed))


@dataclass(frozen=True, eq=False)
class OneByOne:
    """One job whose circuits have seeds of their own: the client's local mode repeats one for all of a job.

    With one seed the outcomes in different bases are not independent, and the standard errors of their sum are wrong.
    """

    sampler: Callable[[int], BaseSamplerV2]
    circuits: Sequence[QuantumCircuit]
    shots: int
    seed: int
    name: str = field(default_factory=lambda: uuid.uuid4().hex)

    def job_id(self) -> str:
        """A name that no other job has."""
        return self.name

    def result(self) -> PrimitiveResult:
        """What the circuits gave, in order; run when it is first asked for."""
        return self._result

    @cached_property
    def _result(self) -> PrimitiveResult:
        seeds = [shot_seed(self.seed, k) for k in range(len(self.circuits))]
        jobs = (self.sampler(s).run([qc], shots=self.shots) for s, qc in zip(seeds, self.circuits, strict=True))
        return PrimitiveResult([one for job in jobs for one in job.result()])
