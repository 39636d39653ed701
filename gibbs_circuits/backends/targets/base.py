"""What every kind of target answers: as a file, what it refuses and how it is opened; opened, how circuits run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

from pydantic import Field

from ...errors import ArgumentError
from ...io.rendering import Brief, shortened
from ..devices.keys import Keys

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.quantum_info import SparsePauliOp

    from ...programs.initial_state import InitialState
    from ...programs.program import Program
    from ..devices.device import Device
    from ..services.clients import Client, Job
    from ..simulators.method import Choice
    from ..transpile.compiled import Compiled


class Target(Keys):
    """A file of hardware_configs/, or the same from Python. A kind of target is a class with its keys, in the registry.

    It must say how it is opened; the rest has an answer here that suits most.
    """

    only_how: ClassVar[frozenset[str]] = frozenset({"description"})  # keys that have no part in what a run gives
    device_prefixes: ClassVar[tuple[str, ...]] = ()  # of names that mean one device of the packaged target of this kind

    name: str = Field(min_length=1, examples=["my_target"], description="What reports call it.")
    description: str = Field(default="", description="One line for `gibbs-circuits backends`.")
    kind: str = Field(description="Its kind.")

    def __repr__(self) -> str:
        return shortened(f"{type(self).__name__}({self.name}: {self.description or 'described in Python'})")

    def open(self, num_qubits: int = 1) -> Machine:
        """What to compile for, and what runs circuits on it.

        Args:
            num_qubits: Of the program.

        Raises:
            ArgumentError: If what the target asks for is not there, or its keys do not go together.
            BackendError: If a service fails or cannot be reached.
        """
        raise NotImplementedError(f"a target of kind {self.kind!r} does not say how it is opened")

    def availability(self) -> str | None:
        """Why it cannot be used here; None if it can. Neither the network nor a credential is touched."""
        return None

    def refuse_size(self, used: int, system: int, *, fresh: bool = False) -> None:
        """Refuse what cannot run, from numbers alone, before anything is compiled.

        Args:
            used: Qubits in use, ancillas included.
            system: Those of the system.
            fresh: Whether every ancilla is used once.

        Raises:
            TooLargeError: With the numbers.
        """

    def unused(self) -> dict[str, str]:
        """Keys that the others leave without a use, and why."""
        return {}

    def check(self, path: Path | None = None) -> None:
        """Refuse keys without a use, and values that do not go together, of a file or of an object.

        Raises:
            ArgumentError: Naming the key, with a fix.
        """
        for key, why in self.unused().items():
            if key in self.model_fields_set:
                raise ArgumentError(key, f"be left out {why}", "it is unused here", f"remove {key}", path)

    def gate_errors(self) -> tuple[float, float] | None:
        """Depolarising probabilities of its gates on one and on two qubits; None without errors."""
        return self.open().device.typical_errors

    @property
    def device_name(self) -> str | None:
        """The device of a service that it names; None where it is no device."""
        return None

    @property
    def settled(self) -> bool:
        """Whether its file says all; not where the service chooses a device."""
        return True

    def on_device(self, device: str) -> Self:
        """The target on one device of its service."""
        return self

    @property
    def deciding(self) -> str:
        """What decides the data of a run: all keys but those that say how it is described, cut and queued, as JSON."""
        return self.model_dump_json(exclude=set(self.only_how))

    def as_toml(self) -> dict[str, Any]:
        """What a file of this target holds: every key with a value of its own, and its kind."""
        return {"kind": self.kind, **self.model_dump(mode="json", exclude_defaults=True)}


Read: TypeAlias = "Callable[[Program, InitialState, Sequence[SparsePauliOp]], Sequence[float]]"
Estimate: TypeAlias = "Callable[[QuantumCircuit, Sequence[SparsePauliOp], int], Sequence[float]]"


def _nothing_runs(*arguments: object) -> Any:
    raise NotImplementedError("this kind of target does not say how circuits run")


@dataclass(frozen=True, eq=False, repr=False)
class Machine(Brief):
    """A target, opened. What a kind does not say: shots and no states, jobs in this process, for nothing.

    Attributes:
        target: As it was opened: with the device that a service chose.
        device: What to compile for.
        run: Begins a job of measured circuits on the width of the device, from them, their shots and a seed that no
            other job has: a job of one of Qiskit's V2 samplers, or a like one.
        client: What takes the jobs of a run, from the program on the device, or on the qubits in use where it is
            simulated, and how that is done; None: `run`, job by job.
        estimate: Expectation values after a circuit, from it, observables on its width, and shots (0: to the best of
            its knowledge); None: it gives counts.
        read: Expectation values of a program without shots, the mean over its random steps, from it, its start and
            observables; None: circuits are run.
        direct: Whether Aer simulates it here directly, states included, in place of jobs.
        exact_values: Whether it gives expectation values without shots.
        refused_ancillas: What cannot become of used ancillas, and why.
        calibrates_readout: Whether readout errors are measured beside every realisation and inverted.
        mitigates_readout: Whether values come without readout errors.
        max_qpu_seconds: What a run may cost.
        realisations_per_job: What its cost is estimated from.
        options: Of a service's sampler.
        signature: What else than the target decides the data: class and noise of an object that was handed in.
    """

    target: Target
    device: Device
    run: Callable[[Sequence[QuantumCircuit], int, int], Job] = _nothing_runs
    client: Callable[[Compiled, Choice | None], Client] | None = None
    estimate: Estimate | None = None
    read: Read | None = None
    direct: bool = False
    exact_values: bool = False
    refused_ancillas: Mapping[str, ArgumentError] = field(default_factory=dict)
    calibrates_readout: bool = False
    mitigates_readout: bool = False
    max_qpu_seconds: float = math.inf
    realisations_per_job: int = 4
    options: Keys = field(default_factory=Keys)
    signature: str = ""

    def open(self, num_qubits: int) -> Machine:
        """The machine itself: it is open."""
        return self
