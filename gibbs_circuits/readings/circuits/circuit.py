"""Program → Qiskit circuit, QPY and OpenQASM 3. Every gate here is exact on its own: only products approximate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Reset as ResetGate
from qiskit.circuit.library import PauliEvolutionGate, UnitaryGate
from qiskit.quantum_info import SparsePauliOp

from ...errors import InvalidProgramError
from ...linalg.channels import exponential
from ...programs.initial_state import InitialState, zero
from ...programs.lower import lower
from ...programs.product_formulas import Group, factors, rotation_cost
from ...programs.program import Program, Stage
from ...programs.steps import EXACT, Couple, Draw, Exponential, Reset, Step, Unitary
from .dense_synthesis import dense_gate

TINY = 1e-12


class Lazy(Sequence[QuantumCircuit]):
    """Circuits made when first asked for: of thousands of branches a run draws a few."""

    def __init__(self, count: int, make: Callable[[int], QuantumCircuit]) -> None:
        self._make, self._count, self._made = make, count, dict[int, QuantumCircuit]()

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if not 0 <= index < self._count:
            raise IndexError(index)
        if index not in self._made:
            self._made[index] = self._make(index)
        return self._made[index]


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of a sweep as a circuit on all qubits.

    Attributes:
        options: The circuit; one per option of a random step.
        step: The random step that is drawn; None where the circuit is performed once.
        alike: For every option the first one that differs from it in angles only.
    """

    options: Sequence[QuantumCircuit]
    step: Draw | None = None
    alike: tuple[int, ...] = (0,)

    @property
    def weights(self) -> tuple[float, ...]:
        """How likely every option is."""
        return (1.0,) if self.step is None else tuple(option.probability for option in self.step.options)

    @property
    def times(self) -> range:
        """The numbers of times that an option may be performed, all equally likely."""
        return range(1, 2) if self.step is None else self.step.times

    @property
    def mean_times(self) -> tuple[float, ...]:
        """How often a sweep performs every option on average."""
        return self.weights if self.step is None else tuple(self.step.mean * weight for weight in self.weights)

    def drawn(self, draws: Iterator[int]) -> tuple[int, ...]:
        """The options that one sweep performs, taking a draw where one is needed."""
        return (0,) if self.step is None else self.step.drawn(next(draws))

    def as_circuits(self, draws: Iterator[int]) -> Iterator[QuantumCircuit]:
        """The circuits that one sweep performs, taking a draw where one is needed."""
        return (self.options[k] for k in self.drawn(draws))

    def mean(self, value: Callable[[QuantumCircuit], float]) -> float:
        """Mean of an additive quantity of the circuit over the random step; options alike count once."""
        known = {k: value(self.options[k]) for k in set(self.alike)}
        return sum(times * known[k] for times, k in zip(self.mean_times, self.alike, strict=True))

    @property
    def distinct(self) -> Iterator[QuantumCircuit]:
        """The first option of every kind: what has to be transpiled."""
        return (self.options[k] for k in sorted(set(self.alike)))

    def mapped(self, change: Callable[[QuantumCircuit], QuantumCircuit]) -> Piece:
        """The same with every option changed when it is asked for."""
        return replace(self, options=Lazy(len(self.options), lambda k: change(self.options[k])))


Pieces = tuple[tuple[Piece, ...], ...]  # per stage


def all_mapped(parts: Pieces, change: Callable[[QuantumCircuit], QuantumCircuit]) -> Pieces:
    """Every block changed, when it is asked for."""
    return tuple(tuple(part.mapped(change) for part in stage) for stage in parts)


def circuit_segments(program: Program, *, fused: bool = False, named: bool = False, resets: bool = True) -> Pieces:
    """The program as few distinct blocks, so that each is built, placed and routed once.

    With `fused`, a commuting group is one gate, which synthesis may share two-qubit gates within; without, one gate
    per Pauli rotation. With `named`, every reset carries the number of its ancilla as a label, which survives routing.
    Without `resets` they are left out, for a program that uses every ancilla once.
    """
    write = partial(block, program, fused=fused, named=named, resets=resets)
    return tuple(tuple(_Pieces(stage, write).found) for stage in program.stages)


class _Pieces:
    """The steps of a stage cut into blocks at its random steps; `held` are those since the last cut."""

    def __init__(self, stage: Stage, written: Callable[[Sequence[Step]], QuantumCircuit]) -> None:
        self.written, self.held = written, list[Step]()
        self.found: list[Piece] = []
        for step in stage.steps:
            lower(step, self)
        self.close()

    def close(self) -> None:
        if self.held:
            self.found.append(Piece(self._lazy([tuple(self.held)])))
        self.held = []

    def hold(self, step: Step, /) -> None:
        self.held.append(step)

    def draw(self, step: Draw, /) -> None:
        self.close()
        blocks, first = [option.steps for option in step.options], dict[str, int]()
        shapes = ("; ".join(map(_shape, steps)) for steps in blocks)
        alike = tuple(first.setdefault(shape, k) for k, shape in enumerate(shapes))
        self.found.append(Piece(self._lazy(blocks), step, alike))

    exponential = coupling = unitary = reset = hold
    delay = choice = draw

    def _lazy(self, blocks: Sequence[Sequence[Step]]) -> Lazy:
        return Lazy(len(blocks), lambda k: self.written(blocks[k]))


def clean_before(steps: Sequence[Step], program: Program) -> tuple[frozenset[int], ...]:
    """For every piece of a stage the ancillas, as qubits of the circuit, that are in |0⟩ before it."""
    dirty, found, held = set[int](), list[frozenset[int]](), False
    for step in steps:
        if step.random or not held:
            idle = set(range(program.num_ancilla)) - dirty
            found.append(frozenset(program.num_system + ancilla for ancilla in idle))
        held = not step.random
        dirty = step.leaves(dirty)
    return tuple(found)


def _shape(step: Step) -> str:
    """What decides the gates of a step, without the angles of a coupling; no gate stands for one below 1e-12."""
    gates = ((label, rotation_cost("X" + label, angle), abs(angle) < TINY) for label, angle in step.rotations())
    return f"couple {step.touches} {[*gates]}" if step.couples else step.text


def block(
    program: Program, steps: Iterable[Step], *, fused: bool = False, named: bool = False, resets: bool = True
) -> QuantumCircuit:
    """A circuit of steps none of which is random, ancillas on the highest qubits; keywords as for `pieces`."""
    writer = _Writer(program, fused=fused, named=named, resets=resets)
    for step in steps:
        lower(step, writer)
    return writer.qc


class _Writer:
    """Appends steps to a circuit."""

    def __init__(self, program: Program, *, fused: bool, named: bool, resets: bool) -> None:
        self.program, self.fused, self.named, self.resets = program, fused, named, resets
        self.qc = QuantumCircuit(program.num_qubits, name=f"{program.scheme}_sweep")
        self.system = range(program.num_system)

    def exponential(self, step: Exponential) -> None:
        if step.order == EXACT:
            raise InvalidProgramError(
                "The exact exponential is a reference for channels; a circuit needs an order >= 1."
            )
        groups = step.groups(self.program.groups)
        for index, fraction in factors(len(groups), step.order, step.slices):
            group, time = groups[index], fraction * step.duration / step.slices
            if group.local:
                _local(self.qc, group, time)
                continue
            if not self.fused or all(rotation_cost(label, c * time) == 1 for label, c in group.terms):
                for label, coefficient in group.terms:
                    _rotation(self.qc, label, coefficient * time, self.system)
                continue
            # the terms commute, so the exponential of their sum *is* the product that gets synthesised
            acting = sorted(
                {q for label, _ in group.terms for q, letter in enumerate(reversed(label)) if letter != "I"}
            )
            short = [("".join(label[len(label) - 1 - q] for q in reversed(acting)), c) for label, c in group.terms]
            self.qc.append(PauliEvolutionGate(SparsePauliOp.from_list(short), time=time), acting)

    def coupling(self, step: Couple) -> None:
        """Cos φ X + sin φ Y = Rz(φ) X Rz(−φ) on the ancilla."""
        ancilla = len(self.system) + step.ancilla
        self.qc.rz(-step.axis, ancilla)
        for label, angle in step.rotations():
            _rotation(self.qc, "X" + label, angle, [*self.system, ancilla])
        self.qc.rz(step.axis, ancilla)

    def unitary(self, step: Unitary) -> None:
        n = len(self.system)
        self.qc.append(dense_gate(step, n), [*self.system, *(n + ancilla for ancilla in step.ancillas)])

    def reset(self, step: Reset) -> None:
        for ancilla in step.ancillas if self.resets else ():
            label = str(ancilla) if self.named else None
            self.qc.append(ResetGate(label=label), [len(self.system) + ancilla])

    def delay(self, _: Draw) -> None:
        raise InvalidProgramError("A block holds no random step; draw it first.")

    choice = delay


def _local(qc: QuantumCircuit, group: Group, time: float) -> None:
    """exp(−it Σ c P) of single-qubit terms: one exact gate per qubit."""
    for qubit, h in sorted(group.fields.items()):
        qc.append(UnitaryGate(exponential(h, time), label="field"), [qubit])


def _rotation(qc: QuantumCircuit, label: str, angle: float, qubits: Iterable[int]) -> None:
    """exp(−i angle P), on the qubits P acts on only; where one CZ is enough it is written, lest it become two."""
    acting = [(letter, q) for letter, q in zip(reversed(label), qubits, strict=True) if letter != "I"]
    if not acting:
        return
    if rotation_cost(label, angle) == 1:
        _quarter(qc, acting, 1 if angle % np.pi < np.pi / 2 else -1)
        return
    short = "".join(letter for letter, _ in reversed(acting))
    qc.append(PauliEvolutionGate(SparsePauliOp(short), time=angle), [q for _, q in acting])


def _quarter(qc: QuantumCircuit, acting: Sequence[tuple[str, int]], sign: int) -> None:
    """exp(∓iπ/4 P⊗Q) = CZ Rz(±π/2)⊗Rz(±π/2) up to a phase, in the bases in which P and Q are Z."""
    for letter, q in acting:
        if letter == "Y":
            qc.sdg(q)
        if letter != "Z":
            qc.h(q)
        qc.rz(sign * np.pi / 2, q)
    qc.cz(*(q for _, q in acting))
    for letter, q in acting:
        if letter != "Z":
            qc.h(q)
        if letter == "Y":
            qc.s(q)


def random_draws(program: Program, seed: int, realisation: int = 0) -> tuple[int, ...]:
    """Every draw of a run in order of time, from (seed, realisation): delays as counts, choices as branch indices."""
    rng = np.random.default_rng([seed, realisation])
    return tuple(
        draw
        for stage in program.stages
        if (random := [step for step in stage.steps if step.random])
        for _ in range(stage.repeats)
        for step in random
        for draw in step.sample(rng)
    )


def assemble(
    program: Program,
    parts: Pieces,
    start: QuantumCircuit,
    draws: Iterable[int],
    after_sweep: Callable[[QuantumCircuit, int], None] | None = None,
) -> QuantumCircuit:
    """Preparation, then every sweep, from blocks that may be abstract or already transpiled."""
    qc = start.copy()
    left, sweep = iter(draws), 0
    for stage, stage_parts in zip(program.stages, parts, strict=True):
        for _ in range(stage.repeats):
            for part in stage_parts:
                for done in part.as_circuits(left):
                    qc.compose(done, inplace=True, copy=False)
            sweep += 1
            if after_sweep is not None:
                after_sweep(qc, sweep)
    return qc


def circuit(
    program: Program, *, initial: InitialState | None = None, seed: int = 0, realisation: int = 0
) -> QuantumCircuit:
    """The whole program with one draw of its random steps, before any transpilation.

    Raises:
        InvalidProgramError: If an evolution is exact.
    """
    n, m = program.num_system, program.num_ancilla
    draws = random_draws(program, seed, realisation)
    start = (initial or zero(n)).circuit(n, m)
    return described(assemble(program, circuit_segments(program), start, draws), program, seed, realisation, draws)


def described(
    qc: QuantumCircuit, program: Program, seed: int, realisation: int, draws: tuple[int, ...]
) -> QuantumCircuit:
    """The circuit with a name and with what fixes it."""
    qc.name = f"{program.scheme}_{program.hash[:12]}"
    qc.metadata = {"program": program.hash, "seed": seed, "realisation": realisation, "draws": list(draws)}
    return qc
