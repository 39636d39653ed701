"""A program as jobs of a service, of a snapshot simulated here, or of a user's own object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from qiskit import QuantumCircuit

from ...errors import BackendError
from ...linalg.arrays import Real
from ...readings.circuits.circuit import random_draws
from ..devices.idle import with_decay
from ..measurement.measurement import full_circuit, measured, rotations
from ..measurement.shots import Block, Shots
from ..services.clients import Local
from ..services.queue import JobStore, Work, run_jobs
from ..simulators.engine import shot_seed
from ..targets.base import Estimate
from ..transpile.compiled import Ancillas, Compiled
from .request import CHECK, Request
from .verify import CHECK_SHOTS


def run_remote(request: Request, missing: Sequence[int], store: JobStore, done: Callable[[Block], None]) -> None:
    """Run the missing realisations as jobs; `CHECK` among them is one sweep of the target.

    Raises:
        BackendError: If the service fails; what it delivered before is saved.
    """
    if request.machine.estimate is not None:
        for k in missing:
            done(_estimated(request, request.machine.estimate, k))
        return  # nothing is checked: an estimator returns no counts
    simulated = request.compiled.device.local
    on = request.compiled.compact() if simulated else request.compiled
    turns = rotations(on.device)

    def draws(k: int) -> tuple[int, ...]:
        return () if k == CHECK else random_draws(on.program, request.seed, k)

    @lru_cache(maxsize=16)
    def circuits(k: int) -> tuple[QuantumCircuit, ...]:
        written = check_circuit(request, simulated=simulated) if k == CHECK else full_circuit(on, draws(k))
        found = [measured(written, basis, on.system_qubits, turns) for basis in request.bases]
        if request.machine.calibrates_readout and k != CHECK:
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

    machine = request.machine
    client = Local(machine.run) if machine.client is None else machine.client(on, request.choice)
    run_jobs(client, store, Work(circuits, block, count, seed, client.per_job, client.at_once), missing, done)


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


def _estimated(request: Request, estimate: Estimate, k: int) -> Block:
    """Expectation values of an estimator, at full width: one that truncates to some qubits may be wrong."""
    on, names = request.compiled, list(request.observables)
    draws = random_draws(on.program, request.seed, k)
    width = on.start.num_qubits
    wide = [request.observables[name].apply_layout(list(on.system_qubits), width) for name in names]
    values = estimate(full_circuit(on, draws), wide, request.share)
    return Block(k, draws, None, (), values=dict(zip(names, values, strict=True)))
