"""A run: what was asked for, block by block, kept as it arrives."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Protocol

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ..compiler import Program
from ..readings.initial import InitialState
from ..spectrum import Array
from .aer import Block, run_blocks
from .transpile import Compiled

ENERGY = "energy"


@dataclass(frozen=True, eq=False)
class Request:
    """Everything that fixes the outcome of a run.

    Attributes:
        compiled: Program on a target.
        initial: Start of the system register.
        observables: By name; the energy is among them.
        bases: Measurement bases that cover them.
        shots: Per basis; 0 means exact expectation values.
        realisations: Draws of the random steps that shots are spread over.
        seed: Fixes everything random.
    """

    compiled: Compiled
    initial: InitialState
    observables: Mapping[str, SparsePauliOp]
    bases: tuple[str, ...]
    shots: int
    realisations: int
    seed: int

    @property
    def identity(self) -> dict[str, object]:
        """What must be equal for a run to be resumed."""
        return {
            "program": self.compiled.program.hash,
            "backend": self.compiled.target.name,
            "backend_hash": _hash(self.compiled.target.model_dump_json()),
            "initial": self.initial.name,
            "initial_hash": _hash(self.initial.text),
            "shots": self.shots,
            "realisations": self.realisations,
            "seed": self.seed,
            "bases": list(self.bases),
            "observables": _hash(repr({name: op.to_list() for name, op in self.observables.items()})),
            "simulator": f"qiskit {version('qiskit')}, qiskit-aer {version('qiskit-aer')}",
        }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class RunResult:
    """A finished run: the request and every block of data.

    Attributes:
        request: What was asked for.
        blocks: In order of realisation.
        lattice: The same program on a heavy-hex lattice, for the count; None if not asked for.
    """

    request: Request
    blocks: tuple[Block, ...]
    lattice: Compiled | None = None

    @property
    def program(self) -> Program:
        """The program that ran."""
        return self.request.compiled.program

    @property
    def states(self) -> Array | None:
        """Mean over realisations of the system state after 0, 1, … sweeps; None on trajectories."""
        states = [block.states for block in self.blocks if block.states is not None]
        return np.mean(states, axis=0) if len(states) == len(self.blocks) else None

    def __repr__(self) -> str:
        request, count = self.request, len(self.blocks)
        return (
            f"RunResult({request.compiled.program!r} on {request.compiled.target.name}: {count} "
            f"realisation{'' if count == 1 else 's'}, {request.shots} shots per basis; gc.compare(result) judges it)"
        )


class Store(Protocol):
    """Where blocks are kept while a run goes on."""

    def load(self) -> dict[int, Block]:
        """The blocks already there, by realisation."""
        ...

    def save(self, block: Block) -> None:
        """Keep one block, whole or not at all."""
        ...


class Memory:
    """A store that keeps nothing beyond the process."""

    def load(self) -> dict[int, Block]:
        """Nothing is there."""
        return {}

    def save(self, block: Block) -> None:
        """Nothing to do: the run holds it."""


def collect(
    request: Request, store: Store, progress: Callable[[int, int], None] = lambda done, of: None
) -> tuple[Block, ...]:
    """Run what the store does not have yet; every block is saved as soon as it exists.

    Without random steps all realisations are the same state; one simulation serves them all.
    """
    blocks = store.load()
    missing = [k for k in range(request.realisations) if k not in blocks]
    progress(len(blocks), request.realisations)

    def done(block: Block) -> None:
        store.save(block)
        blocks[block.realisation] = block
        progress(len(blocks), request.realisations)

    if missing:
        run_blocks(request.compiled, missing, request.bases, request.shots, request.realisations, request.seed, done)
    return tuple(blocks[k] for k in range(request.realisations))
