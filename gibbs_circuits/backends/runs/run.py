"""A run: what was asked for, block by block, kept as it arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ...io.rendering import Shown, shortened
from ...linalg.arrays import Array
from ...programs.program import Program
from ..measurement.shots import Block
from ..services.queue import JobRecord
from ..targets.base import Read
from ..transpile.compiled import Compiled
from .aer import run_blocks
from .expected_sweep import Check
from .remote import run_remote
from .request import CHECK, Request
from .store import Store
from .verify import aer_check, block_check


@dataclass(frozen=True, eq=False, repr=False)
class RunResult(Shown):
    """A finished run: the request and every block of data.

    Attributes:
        request: What was asked for.
        blocks: In order of realisation.
        lattice: The same program on a heavy-hex lattice, for the count; None if not asked for.
        check: One sweep of the target against the exact channel.
        jobs: Of a service.
        set_aside: Files of its folder that were damaged, and done again.
    """

    request: Request
    blocks: tuple[Block, ...]
    lattice: Compiled | None = None
    check: Check | None = None
    jobs: tuple[JobRecord, ...] = ()
    set_aside: tuple[str, ...] = ()

    @property
    def program(self) -> Program:
        """The program that ran."""
        return self.request.compiled.program

    @property
    def states(self) -> Array | None:
        """Mean over realisations of the system state after 0, 1, … sweeps; None on trajectories."""
        states = [block.states for block in self.blocks if block.states is not None]
        return np.mean(states, axis=0) if len(states) == len(self.blocks) else None

    @property
    def num_system(self) -> int:
        """Number of system qubits n."""
        return self.program.num_system

    def _in_words(self) -> str:
        count, name = len(self.blocks), shortened(self.request.compiled.device.name, 24)
        return (
            f"RunResult({self.program.scheme} on {name}: {count} realisation{'' if count == 1 else 's'}, "
            f"{self.request.shots} shots; gc.compare(result))"
        )

    def _rows(self) -> Iterator[tuple[str, ...]]:
        yield "what", "value"
        yield "program", repr(self.program)
        yield "target", self.request.compiled.device.name
        yield "realisations", str(len(self.blocks))
        yield "shots per basis", str(self.request.shots)
        yield "bases", ", ".join(self.request.bases) or "none: exact expectation values"
        yield "seed", str(self.request.seed)
        yield "jobs", str(len(self.jobs))


def collect(
    request: Request, store: Store, progress: Callable[[int, int], None] = lambda done, of: None
) -> tuple[Block, ...]:
    """Run what the store does not have yet; every block is saved as soon as it exists.

    Without random steps all realisations are the same state; one simulation serves them all.

    Raises:
        BackendError: If Aer or a service fails; what it delivered before is saved.
    """
    return collected(request, store, progress)[0]


def _read(request: Request, read: Read, realisation: int) -> Block:
    """Expectation values of the program itself."""
    values = read(request.compiled.program, request.initial, [*request.observables.values()])
    return Block(realisation, (), None, (), values=dict(zip(request.observables, values, strict=True)))


def collected(
    request: Request, store: Store, progress: Callable[[int, int], None] = lambda done, of: None
) -> tuple[tuple[Block, ...], Check | None]:
    """The same, and the check of the target, which comes first: one sweep against the exact channel.

    Raises:
        BackendError: If Aer or a service fails, or a simulation does not pass its check.
    """
    blocks = store.load()
    wanted = range(request.realisations)
    missing = [k for k in wanted if k not in blocks]
    progress(len(set(blocks) - {CHECK}), request.realisations)
    check = block_check(request, blocks[CHECK]) if CHECK in blocks else None

    def done(block: Block) -> None:
        nonlocal check
        store.save(block)
        blocks[block.realisation] = block
        if block.realisation == CHECK:
            check = block_check(request, block)
            return
        progress(len(set(blocks) - {CHECK}), request.realisations)

    if request.machine.read is not None:
        for k in missing:
            done(_read(request, request.machine.read, k))
    elif request.machine.direct:
        check = aer_check(request)
        if missing:
            run_blocks(request, missing, done)
    elif request.sampled_check:
        block_check(request, None)  # a wrong circuit is seen before anything is paid for
        run_remote(request, missing if CHECK in blocks else [CHECK, *missing], store, done)
    else:
        check = block_check(request, None)
        run_remote(request, missing, store, done)
    return tuple(blocks[k] for k in wanted), check
