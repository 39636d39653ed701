"""Trajectories of a program: many state vectors at once, each reset a measurement, averages the exact channel's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType

import numpy as np
from qiskit.quantum_info import SparsePauliOp, Statevector

from ...errors import ArgumentError, TooLargeError, check_integer, shown
from ...io.rendering import Shown, brief
from ...limits import MAX_TRAJECTORY_QUBITS
from ...linalg.arrays import Array, Real, read_only
from ...models.model import fitting, hermitian
from ...models.signatures import public
from ...programs.initial_state import InitialState, mixed, zero
from ...programs.initial_state import one as all_one
from ...programs.program import Program
from .state_batches import expectation
from .sweep_plan import Plan, most_carried, plan
from .unravelling import Batch, Drawn, Flags

BATCH_AMPLITUDES = 2**17  # of one batch: the array and its copies stay in the last cache
SMALLEST_BATCH = 8  # products of fewer columns waste the processor
BATCH_DRAWS = 2**23  # random numbers of one batch over all sweeps, 64 MiB
NORM = 1e-8


@dataclass(frozen=True, eq=False, repr=False)
class Trajectories(Shown):
    """What was seen on `count` trajectories.

    Attributes:
        count: Number of trajectories.
        seed: Fixes all of them.
        sweeps: After how many sweeps each record was taken; the first is the start.
        values: Per observable its expectation values, (records, count).
        jumps: Whether each reset found its ancilla in |1⟩, (sweeps, resets of a sweep in order of time, count); where
            a branch has fewer resets the rest is False. None unless asked for.
    """

    count: int
    seed: int
    sweeps: tuple[int, ...]
    values: Mapping[str, Real]
    jumps: Flags | None = None

    def _in_words(self) -> str:
        names = brief(tuple(self.values), 32)
        return f"Trajectories({self.count}, {self.sweeps[-1]} sweeps, seed {self.seed}; observables: {names})"

    @property
    def mean(self) -> dict[str, Real]:
        """Average over trajectories of every record."""
        return {name: values.mean(axis=1) for name, values in self.values.items()}

    @property
    def error(self) -> dict[str, Real]:
        """Standard error of `mean`; not a number for a single trajectory."""
        return {name: _standard_error(values) for name, values in self.values.items()}

    @property
    def final(self) -> dict[str, Real]:
        """Values after the last sweep, one per trajectory."""
        return {name: values[-1] for name, values in self.values.items()}

    def plateau(self, name: str, after: int) -> tuple[float, float]:
        """Average of the records after more than `after` sweeps, and its standard error.

        The error is that of the trajectories' own averages, which are independent however slowly each forgets.
        """
        late = np.asarray(self.sweeps) > after
        if not late.any():
            raise ArgumentError("after", f"be less than {self.sweeps[-1]}", f"the value is {after}", "set after = 0")
        each = self.values[name][late].mean(axis=0)
        return float(each.mean()), float(_standard_error(each))


def _standard_error(values: Real) -> Real:
    if values.shape[-1] < 2:
        return np.full(values.shape[:-1], np.nan)
    return np.asarray(values.std(axis=-1, ddof=1) / np.sqrt(values.shape[-1]))


@public
def trajectories(
    program: Program,
    initial: InitialState | Array | str,
    count: int,
    seed: int,
    sweeps: int | None = None,
    observables: Mapping[str, SparsePauliOp] | None = None,
    every: int = 1,
    *,
    record: bool = False,
    batch: int | None = None,
    workers: int | None = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Trajectories:
    r"""Stochastic unravelling of a program into pure states of the system.

    A reset measures its ancilla and keeps $\psi_k/\|\psi_k\|$ with probability $\|\psi_k\|^2$, k = 0, 1; delays and
    branches are drawn anew on every trajectory. The average of $|\psi\rangle\langle\psi|$ is the exact channel's state.

    Args:
        program: On n system qubits and any number of ancillas; only those away from |0⟩ are held in memory.
        initial: A start; "zero", "one" or "mixed"; a label of `Statevector.from_label`; or a state vector of
            length 2**n. A mixed start draws a basis state per trajectory.
        count: Number of trajectories.
        seed: Fixes everything; neither `batch` nor `workers` changes what a trajectory draws.
        sweeps: How many; None performs all of the program's, more go on with its last stage.
        observables: Hermitian, on the system.
        every: Sweeps between records; the start and the last sweep are always recorded.
        record: Also return what every reset found.
        batch: Trajectories at once; None chooses by size.
        workers: Threads, each on a batch of its own; None takes one per processor.
        progress: Called with (trajectories done, count) after each batch.

    Raises:
        ArgumentError: For a start, a number or an observable that does not fit the program.
        TooLargeError: Above 24 qubits at once, or for an exact evolution above 10.

    Accuracy: Statistical, `Trajectories.error`; of each trajectory 1e-13 per sweep.
        Cost per sweep and trajectory O(2**n) times the kernels of its steps; memory O(2**(n + ancillas) batch).

    References:
        Dalibard, Castin & Mølmer, PRL 68, 580 (1992): quantum jumps as an unravelling.
    """
    count = check_integer("count", count, low=1)
    total = check_integer("sweeps", program.sweeps if sweeps is None else sweeps, low=0)
    every, seed = check_integer("every", every, low=1), check_integer("seed", seed, low=0)
    threads = check_integer("workers", workers if workers is not None else os.cpu_count() or 1, low=1)
    start = _start(initial, program.num_system)
    read = {name: expectation(_checked(name, O, program)) for name, O in (observables or {}).items()}
    held = program.num_system + max(most_carried(stage.steps) for stage in program.stages)
    if held > MAX_TRAJECTORY_QUBITS:
        raise TooLargeError(
            f"Trajectories need {held} qubits at once ({program.num_system} system + {held - program.num_system} "
            f"ancilla away from |0⟩), 2^{held} amplitudes each; the limit is {MAX_TRAJECTORY_QUBITS}. "
            "Fix: use fewer ancillas at a time."
        )
    stages = [index for index, stage in enumerate(program.stages) for _ in range(stage.repeats)]
    stages = (stages + stages[-1:] * max(0, total - len(stages)))[:total]
    plans = {index: plan(program, index) for index in sorted(set(stages))}
    run = _Run([plans[index] for index in stages], program.num_system, start, read, every, record)
    fitting = max(SMALLEST_BATCH, min(BATCH_AMPLITUDES >> held, BATCH_DRAWS // run.draws))
    size = check_integer("batch", fitting if batch is None else batch, low=1)
    random = np.random.default_rng(seed)
    counts = (min(size, count - done) for done in range(0, count, size))
    # in order of trajectories, so that each gets the same numbers whatever the size of a batch
    uniforms = (random.random((width, run.draws)) for width in counts)
    parts: list[_Part] = []
    for part in _in_order(run, uniforms, threads):
        parts.append(part)
        if progress is not None:
            progress(min(count, len(parts) * size), count)
    values = {
        name: read_only(np.concatenate([part.values[:, k] for part in parts], axis=1)) for k, name in enumerate(read)
    }
    jumps = np.concatenate([part.jumps for part in parts if part.jumps is not None], axis=2) if record else None
    return Trajectories(count, seed, run.records, MappingProxyType(values), jumps)


@dataclass(frozen=True, eq=False)
class _Part:
    values: Real  # (records, observables, batch)
    jumps: Flags | None


@dataclass(frozen=True, eq=False)
class _Run:
    plans: list[Plan]
    num_system: int
    start: Array | None  # None draws a basis state
    read: Mapping[str, Callable[[Array], Real]]
    every: int
    record: bool

    @property
    def draws(self) -> int:
        return 1 + sum(one.draws for one in self.plans)

    @property
    def records(self) -> tuple[int, ...]:
        last = len(self.plans)
        return tuple(sorted({*range(0, last + 1, self.every), last}))

    def __call__(self, uniforms: Real) -> _Part:
        width, dim = len(uniforms), 2**self.num_system
        if self.start is None:
            psi = np.zeros((dim, width), dtype=complex)
            psi[(uniforms[:, 0] * dim).astype(int), np.arange(width)] = 1
        else:
            psi = np.repeat(self.start[:, None], width, axis=1)
        wanted = set(self.records)
        resets = max((one.resets for one in self.plans), default=0)
        jumps = np.zeros((len(self.plans) if self.record else 1, resets, width), dtype=bool)
        values = [self._values(psi)]
        used = 1
        for sweep, one in enumerate(self.plans, 1):
            drawn = np.ascontiguousarray(uniforms[:, used : used + one.draws].T)
            used += one.draws
            batch = Batch(psi, drawn, jumps[sweep - 1 if self.record else 0])
            for action in one.actions:
                action(batch, Drawn())
            psi = batch.psi
            if sweep in wanted:
                values.append(self._values(psi))
        return _Part(np.array(values), jumps if self.record else None)

    def _values(self, psi: Array) -> list[Real]:
        return [value(psi) for value in self.read.values()]


def _in_order(run: _Run, uniforms: Iterator[Real], threads: int) -> Iterator[_Part]:
    if threads == 1:
        yield from map(run, uniforms)
        return
    with ThreadPoolExecutor(threads) as pool:
        while some := list(islice(uniforms, threads)):  # a few at a time: their random numbers may be many
            yield from pool.map(run, some)


def _start(initial: InitialState | Array | str, num_system: int) -> Array | None:
    """The state vector; None for the maximally mixed state."""
    rule, fix = f"be a state of {num_system} qubits", 'set initial = "zero"'
    named = {"zero": zero(num_system), "one": all_one(num_system), "mixed": mixed()}
    if isinstance(initial, str):
        initial = named.get(initial, initial)
    if isinstance(initial, InitialState):
        if initial.preparation is None:
            return None
        psi = np.asarray(Statevector(initial.preparation).data)
    elif isinstance(initial, str):
        if not initial or set(initial) - set("01+-rl"):
            raise ArgumentError(
                "initial", rule + ": zero, one, mixed, or the letters 0, 1, +, -, r, l", f"it is {shown(initial)}", fix
            )
        psi = np.asarray(Statevector.from_label(initial).data)
    else:
        psi = np.asarray(initial, dtype=complex)
    if psi.shape != (2**num_system,):
        raise ArgumentError("initial", rule, f"its shape is {psi.shape}", fix)
    norm = float(np.linalg.norm(psi))
    if not abs(norm - 1) <= NORM:
        raise ArgumentError("initial", "have norm 1", f"the norm is {norm:g}", "pass initial / norm")
    return np.asarray(psi / norm)


def _checked(name: str, operator: SparsePauliOp, program: Program) -> SparsePauliOp:
    argument = f"observables[{name}]"
    return fitting(hermitian(operator, argument), argument, program.num_system)
