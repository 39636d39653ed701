"""What a run is asked for."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

from qiskit.quantum_info import SparsePauliOp

from ...io.rendering import Brief
from ...programs.initial_state import InitialState
from ...programs.program import Program
from ..devices.keys import Keys
from ..simulators.method import Choice
from ..targets.base import Machine
from ..transpile.compiled import Compiled
from .expected_sweep import OneSweep
from .usage import Usage

ENERGY = "energy"
DEFAULT_REALISATIONS = 16  # of random steps; also jobs of a device, whose drift belongs in the interval
CHECK = -1  # the number of the realisation that is the check of the target


@dataclass(frozen=True, eq=False, repr=False)
class Request(Brief):
    """Everything that fixes the outcome of a run.

    Attributes:
        compiled: Program on a device.
        machine: What runs it.
        initial: Start of the system register.
        observables: By name; the energy is among them.
        bases: Measurement bases that cover them.
        shots: Per basis; 0 means exact expectation values.
        realisations: Draws of the random steps that shots are spread over.
        seed: Fixes everything random.
        choice: How a simulation is done; None where a service or a user's object does it.
        usage: What the run takes on a device.
        sweep: What is checked before the target is trusted.
    """

    compiled: Compiled
    machine: Machine
    initial: InitialState
    observables: Mapping[str, SparsePauliOp]
    bases: tuple[str, ...]
    shots: int
    realisations: int
    seed: int
    choice: Choice | None = None
    usage: Usage | None = None
    sweep: OneSweep | None = None

    @property
    def estimated(self) -> bool:
        """Whether a user's estimator gives expectation values, and no counts."""
        return self.machine.estimate is not None

    @property
    def sampled_check(self) -> bool:
        """Whether shots of one sweep on the target can be compared with a prediction."""
        known = self.sweep is not None and self.sweep.predicted is not None
        return known and bool(self.bases) and not self.estimated

    @property
    def options(self) -> Keys:
        """Options of the service's sampler; none without a service."""
        return self.machine.options

    @property
    def share(self) -> int:
        """Shots per circuit of a job, rounded up, because all circuits of a job have the same number."""
        return math.ceil(self.shots / self.realisations)

    @property
    def identity(self) -> dict[str, object]:
        """What must be equal for a run to be resumed."""
        return {
            "program": self.compiled.program.hash,
            "backend": self.compiled.device.name,
            "device": self.machine.target.device_name,
            "backend_hash": _hash(self._what_runs),
            "method": None if self.choice is None else self.choice.method,
            "ancillas": self.compiled.ancillas.value,
            "initial": self.initial.name,
            "initial_hash": _hash(self.initial.text),
            "shots": self.shots,
            "realisations": self.realisations,
            "seed": self.seed,
            "bases": list(self.bases),
            "observables": _hash(repr({name: op.to_list() for name, op in self.observables.items()})),
            "simulator": f"qiskit {version('qiskit')}, qiskit-aer {version('qiskit-aer')}",
        }

    @property
    def _what_runs(self) -> str:
        """What of the target decides the data."""
        device = self.compiled.device
        return f"{self.machine.target.deciding} {device.basis} {device.errors_known} {self.machine.signature}"


def realisations_of(program: Program, asked: int | None, *, simulated: bool) -> int:
    """Realisations of a run: those asked for; left out, one simulated circuit of a program without a random step.

    On such a circuit all shots are alike and independent. A device drifts, and an estimator gives no counts: there the
    scatter between several realisations says how well a value is known.
    """
    if asked is not None:
        return asked
    return DEFAULT_REALISATIONS if program.random or not simulated else 1


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
