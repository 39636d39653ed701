"""How long circuits take on a device, and what that costs, before anything is submitted."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from qiskit.exceptions import QiskitError

from ...errors import TooLargeError
from ...evidence import Status
from ...programs.program import Program
from ...readings.circuits.circuit import random_draws
from ..measurement.measurement import full_circuit, measured, rotations
from ..targets.base import Machine
from ..transpile.compiled import Compiled

DRAWS = 4  # of the random steps, whose durations are averaged
TIMED_SWEEPS = 200  # twice as many are timed at most; longer programs are extrapolated
SECONDS_PER_JOB = 2.0  # for loading a job, as the service states for its sampler


@dataclass(frozen=True)
class Usage:
    """What a run takes on a device.

    Attributes:
        circuit_seconds: One shot of one circuit, scheduled as soon as possible; mean over random steps.
        shot_seconds: The same with the wait between shots.
        circuits, shots, jobs: Of the whole run; shots per circuit.
        qpu_seconds: Of the whole run.
        status: Of the seconds: durations are the device's own, the cost of a job is a round number.
    """

    circuit_seconds: float
    shot_seconds: float
    circuits: int
    shots: int
    jobs: int
    qpu_seconds: float
    status: Status = Status.EXTRAPOLATED


def usage(
    compiled: Compiled, machine: Machine, seed: int, shots: int, realisations: int, bases: int, *, check: bool = True
) -> Usage | None:
    """What a run takes on a device; None where durations are not known.

    Args:
        compiled: A program on a device.
        machine: What runs it.
        seed: Of the random steps.
        shots: Per basis, over all realisations.
        realisations: Draws of the random steps.
        bases: Of measurement.
        check: Whether one sweep of the target is sampled, too.
    """
    device = compiled.device
    if device.hardware is None or machine.direct:
        return None
    sweeps, some = compiled.program.sweeps, compiled
    if sweeps > 2 * TIMED_SWEEPS:
        some = _shortened(compiled, 2 * TIMED_SWEEPS)
    try:
        seconds = _duration(some, seed, min(DRAWS, realisations))
        if some is not compiled:  # every sweep beyond takes as long as the last of those
            fewer = _shortened(compiled, TIMED_SWEEPS)
            each = (seconds - _duration(fewer, seed, DRAWS)) / (some.program.sweeps - fewer.program.sweeps)
            seconds += each * (sweeps - some.program.sweeps)
    except QiskitError:  # a simulator has no durations
        return None
    each = math.ceil(shots / realisations)
    count = realisations * (bases + 2 * machine.calibrates_readout) + bases * check
    jobs = math.ceil((realisations + check) / machine.realisations_per_job)
    shot = seconds + device.seconds_between_shots
    return Usage(seconds, shot, count, each, jobs, jobs * SECONDS_PER_JOB + count * each * shot)


def _duration(compiled: Compiled, seed: int, draws: int) -> float:
    """Seconds of one shot, mean over draws of the random steps."""
    device, letters = compiled.device, "Z" * compiled.program.num_system
    body = [full_circuit(compiled, random_draws(compiled.program, seed, k)) for k in range(draws)]
    turns = rotations(device)
    circuits = [measured(qc, letters, compiled.system_qubits, turns) for qc in body]
    return float(np.mean([qc.estimate_duration(device.hardware, "s") for qc in circuits]))


def _shortened(compiled: Compiled, most: int) -> Compiled:
    """The program with so many sweeps of each stage at most."""

    def short(program: Program) -> Program:
        stages = tuple(replace(stage, repeats=min(stage.repeats, most)) for stage in program.stages)
        return replace(program, stages=stages)

    return replace(compiled, program=short(compiled.program), written=short(compiled.written))


def refuse_cost(found: Usage | None, machine: Machine) -> None:
    """Refuse a run that costs more than its target allows.

    Raises:
        TooLargeError: With the numbers.
    """
    if found is not None and found.qpu_seconds > machine.max_qpu_seconds:
        raise TooLargeError(
            f"The run takes about {found.qpu_seconds:,.3g} QPU seconds (extrapolated: {found.circuits} circuits, "
            f"{found.shots} shots of {found.shot_seconds * 1e3:.3g} ms each, {found.jobs} jobs), but target "
            f"`{machine.device.name}` allows {machine.max_qpu_seconds:g}. "
            "Fix: take fewer shots, realisations or sweeps, or raise max_qpu_seconds."
        )
