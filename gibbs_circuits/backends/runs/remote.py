"""A program as jobs of a service, of a snapshot simulated here, or of a user's own object."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives import BackendSamplerV2, BaseSamplerV2, PrimitiveResult
from qiskit.providers import BackendV2

from ...errors import BackendError
from ...linalg.arrays import Real
from ...readings.circuits.circuit import random_draws
from ..devices.idle import with_decay
from ..measurement.measurement import measured, rotations, whole
from ..measurement.shots import Block, Shots
from ..services.clients import Client, Local
from ..services.ibm import Runtime, make_sampler, sampler_options
from ..services.queue import JobStore, Work, run_jobs
from ..targets.ibm import ClientOptions, IbmTarget
from ..transpile.compiled import Ancillas, Compiled
from .aer import shot_seed, simulator
from .request import CHECK, Request
from .verify import CHECK_SHOTS


def run_remote(request: Request, missing: Sequence[int], store: JobStore, done: Callable[[Block], None]) -> None:
    """Run the missing realisations as jobs; `CHECK` among them is one sweep of the target.

    Raises:
        BackendError: If the service fails; what it delivered before is saved.
    """
    if request.estimated:
        for k in missing:
            done(_estimated(request, k))
        return  # nothing is checked: an estimator returns no counts
    simulated = request.service is None
    on = request.compiled.compact() if simulated else request.compiled
    turns = rotations(on.device)

    def draws(k: int) -> tuple[int, ...]:
        return () if k == CHECK else random_draws(on.program, request.seed, k)

    @lru_cache(maxsize=16)
    def circuits(k: int) -> tuple[QuantumCircuit, ...]:
        written = check_circuit(request, simulated=simulated) if k == CHECK else whole(on, draws(k))
        found = [measured(written, basis, on.system_qubits, turns) for basis in request.bases]
        if request.options.measurement_mitigation and k != CHECK:
            found += calibration(on)
        return tuple(with_decay(qc, on.errors) if simulated else qc for qc in found)

    def block(k: int, shots: Sequence[Shots]) -> Block:
        seen, flips = list(shots), None
        if len(seen) > len(request.bases):
            *seen, zeros, ones = seen
            flips = np.array([zeros.outcomes.mean(axis=0), 1 - ones.outcomes.mean(axis=0)]).T
            _check_flips(flips)
        kept = tuple(seen) if on.ancillas is Ancillas.RECORDED and k != CHECK else ()
        return Block(k, draws(k), None, tuple(one.counts for one in seen), kept, flips)

    def count(realisations: Sequence[int]) -> int:
        return CHECK_SHOTS if simulated and tuple(realisations) == (CHECK,) else request.share

    def seed(realisations: Sequence[int]) -> int:
        return shot_seed(request.seed, *(k + 1 for k in realisations))

    client, per_job, at_once = client_of(request, on)
    run_jobs(client, store, Work(circuits, block, count, seed, per_job, at_once), missing, done)


def client_of(request: Request, on: Compiled) -> tuple[Client, int, int]:
    """What takes the jobs, how many realisations are in one, and how many are in flight."""
    service, target = request.service, request.compiled.target
    if service is None:
        assert request.choice is not None  # a snapshot is simulated
        choice = request.choice

        def seeded_sampler(seed: int) -> BaseSamplerV2:
            sampler: BaseSamplerV2 = make_sampler(simulator(on, choice, seed), _local_options(seed))
            return sampler

        return Local(lambda seed: Apart(seeded_sampler, seed)), 1, 1
    if isinstance(service, BaseSamplerV2):
        return Local(lambda seed: service), 1, 1
    if isinstance(service, BackendV2):
        from qiskit_aer import AerSimulator  # loaded when used

        seeded = isinstance(service, AerSimulator)
        return (
            Local(lambda seed: BackendSamplerV2(backend=service, options={"seed_simulator": seed} if seeded else None)),
            1,
            1,
        )
    assert isinstance(target, IbmTarget)
    return Runtime(service, request.compiled.device, target), target.realisations_per_job, target.jobs_at_once


@dataclass(frozen=True, eq=False)
class Apart:
    """A sampler whose circuits have seeds of their own: the client's local mode repeats one for all of a job.

    With one seed the outcomes in different bases are not independent, and the standard errors of their sum are wrong.
    """

    sampler: Callable[[int], BaseSamplerV2]
    seed: int

    def run(self, circuits: Sequence[QuantumCircuit], *, shots: int) -> Together:
        """A job that is done when it is asked for its result."""
        return Together(self, circuits, shots)


@dataclass(frozen=True, eq=False)
class Together:
    """Circuits that are run one by one, as one job."""

    by: Apart
    circuits: Sequence[QuantumCircuit]
    shots: int
    name: str = field(default_factory=lambda: uuid.uuid4().hex)

    def job_id(self) -> str:
        """A name that no other job has."""
        return self.name

    def result(self) -> PrimitiveResult:
        """What the circuits gave, in order."""
        return self._result

    @cached_property
    def _result(self) -> PrimitiveResult:
        seeds = [shot_seed(self.by.seed, k) for k in range(len(self.circuits))]
        jobs = (self.by.sampler(s).run([qc], shots=self.shots) for s, qc in zip(seeds, self.circuits, strict=True))
        return PrimitiveResult([one for job in jobs for one in job.result()])


def _local_options(seed: int) -> dict[str, Any]:
    """A snapshot is simulated without the service's options: they act on noise that snapshots do not have."""
    return sampler_options(ClientOptions(), "local", seed)


def check_circuit(request: Request, *, simulated: bool) -> QuantumCircuit:
    """One sweep from a generic product state, on the device, or on the wires of the simulated program."""
    assert request.sweep is not None  # only asked for where there is one
    once = request.sweep.compiled
    if simulated:
        once = once.compact(request.compiled.wires)  # the order of the simulator's errors
    qc = once.start.copy()
    qc.compose(once.parts[0][0].options[0], inplace=True)
    return qc


def calibration(on: Compiled) -> list[QuantumCircuit]:
    """All system qubits 0, and all 1: what a readout makes of them."""
    found = []
    turns = rotations(on.device)
    for bit in (0, 1):
        qc = QuantumCircuit(on.start.num_qubits)
        if bit:
            for qubit in on.system_qubits:
                qc.compose(turns["1"], qubits=[qubit], inplace=True)
        found.append(measured(qc, "Z" * on.program.num_system, on.system_qubits, turns))
    return found


def _check_flips(flips: Real) -> None:
    if np.any(flips.sum(axis=1) >= 0.9):
        raise BackendError(
            f"The readout of a qubit says nothing: P(1|0) + P(0|1) = {flips.sum(axis=1).max():.2f}. "
            "Fix: set measurement_mitigation = false, or place the program elsewhere."
        )


def _estimated(request: Request, k: int) -> Block:
    """Expectation values of an estimator, at full width: one that truncates to some qubits may be wrong."""
    on, names = request.compiled, list(request.observables)
    draws = random_draws(on.program, request.seed, k)
    width = on.start.num_qubits
    wide = [request.observables[name].apply_layout(list(on.system_qubits), width) for name in names]
    precision = 1 / math.sqrt(request.share) if request.shots else None  # None: the estimator's own
    try:
        result = request.service.run([(whole(on, draws), wide)], precision=precision).result()[0]
    except Exception as error:  # a user's object may raise anything
        raise BackendError(f"The estimator failed: {type(error).__name__}: {error}") from None
    values = np.atleast_1d(result.data.evs)
    return Block(k, draws, None, (), values={name: float(v) for name, v in zip(names, values, strict=True)})
