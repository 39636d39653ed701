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
from ...programs.product_formulas import Group, factors, rotation_cost
from ...programs.program import Program, Stage
from ...programs.steps import (
    EXACT,
    Correct,
    Couple,
    Evolve,
    Random,
    RandomChoice,
    RandomDelay,
    Reset,
    Step,
    Unitary,
    step_text,
)
from .dense_synthesis import dense_gate

TINY = 1e-12  # a smaller angle is no gate at all


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
    """A block of a sweep on all qubits.

    Attributes:
        options: The block; one per branch of a random choice.
        step: None: the block is performed once; a `RandomDelay`: a random number of times; a `RandomChoice`: one of
            the options is.
        alike: For every option the first one that differs from it in angles only.
    """

    options: Sequence[QuantumCircuit]
    step: RandomDelay | RandomChoice | None = None
    alike: tuple[int, ...] = (0,)

    def performed(self, draws: Iterator[int]) -> Iterator[QuantumCircuit]:
        """The blocks of one sweep, taking a draw where one is needed."""
        match self.step:
            case RandomDelay():
                yield from [self.options[0]] * next(draws)
            case RandomChoice():
                yield self.options[next(draws)]
            case _:
                yield self.options[0]

    def mean(self, value: Callable[[QuantumCircuit], float]) -> float:
        """Mean of an additive quantity of the block over the random step; options alike count once."""
        match self.step:
            case RandomDelay():
                return self.step.mean * value(self.options[0])
            case RandomChoice():
                known = {k: value(self.options[k]) for k in set(self.alike)}
                pairs = zip(self.step.branches, self.alike, strict=True)
                return sum(branch.probability * known[k] for branch, k in pairs)
            case _:
                return value(self.options[0])

    @property
    def distinct(self) -> Iterator[QuantumCircuit]:
        """One option of each kind."""
        return (self.options[k] for k in sorted(set(self.alike)))

    def mapped(self, change: Callable[[QuantumCircuit], QuantumCircuit]) -> Piece:
        """The same with every option changed when it is asked for."""
        return replace(self, options=Lazy(len(self.options), lambda k: change(self.options[k])))


Pieces = tuple[tuple[Piece, ...], ...]  # per stage


def all_mapped(parts: Pieces, change: Callable[[QuantumCircuit], QuantumCircuit]) -> Pieces:
    """Every block changed, when it is asked for."""
    return tuple(tuple(part.mapped(change) for part in stage) for stage in parts)


def pieces(program: Program, *, fused: bool = False, named: bool = False, resets: bool = True) -> Pieces:
    """The program as few distinct blocks, so that each is built, placed and routed once.

    With `fused`, a commuting group is one gate, which synthesis may share two-qubit gates within; without, one gate
    per Pauli rotation. With `named`, every reset carries the number of its ancilla as a label, which survives routing.
    Without `resets` they are left out, for a program that uses every ancilla once.
    """
    write = partial(block, program, fused=fused, named=named, resets=resets)
    return tuple(tuple(_stage_pieces(stage, write)) for stage in program.stages)


def _stage_pieces(stage: Stage, written: Callable[[Sequence[Step]], QuantumCircuit]) -> Iterator[Piece]:

    def plain(steps: Sequence[Step]) -> Piece:
        return Piece(Lazy(1, lambda _: written(steps)))

    pending: list[Step] = []
    for step in stage.steps:
        if not isinstance(step, Random):
            pending.append(step)
            continue
        if pending:
            yield plain(tuple(pending))
        pending = []
        if isinstance(step, RandomDelay):
            yield Piece(Lazy(1, lambda _, unit=step.unit: written([unit])), step)  # type: ignore[misc]
        else:
            branches, first = step.branches, dict[str, int]()
            alike = tuple(first.setdefault(_shape(branch.steps), k) for k, branch in enumerate(branches))
            options = Lazy(len(branches), lambda k, branches=branches: written(branches[k].steps))  # type: ignore[misc]
            yield Piece(options, step, alike)
    if pending:
        yield plain(tuple(pending))


def _shape(steps: Sequence[Step]) -> str:
    """What decides the gates of a block, without its angles."""
    parts = []
    for step in steps:
        match step:
            case Evolve():
                parts.append(f"evolve {step.duration!r} {step.slices} {step.order} {step.without}")  # π/4 is cheaper
            case Couple():
                gates = [(label, rotation_cost("X" + label, angle)) for label, angle in step.rotations()]
                parts.append(f"couple {step.ancilla} {gates} {abs(step.angle) < TINY}")
            case _:
                parts.append(step_text(step))
    return "; ".join(parts)


def block(
    program: Program, steps: Iterable[Step], *, fused: bool = False, named: bool = False, resets: bool = True
) -> QuantumCircuit:
    """A circuit of steps none of which is random, ancillas on the highest qubits; keywords as for `pieces`."""
    qc = QuantumCircuit(program.num_qubits, name=f"{program.scheme}_sweep")
    for step in steps:
        match step:
            case Evolve():
                _evolve(qc, step.groups(program.groups), program.num_system, step, fused)
            case Correct():
                _evolve(qc, step.term, program.num_system, step, fused)
            case Couple():
                _couple(qc, program.num_system, step)
            case Reset():
                for ancilla in step.ancillas if resets else ():
                    qc.append(ResetGate(label=str(ancilla) if named else None), [program.num_system + ancilla])
            case Unitary():
                n = program.num_system
                qc.append(dense_gate(step, n), [*range(n), *(n + ancilla for ancilla in step.ancillas)])
            case RandomDelay() | RandomChoice():
                raise InvalidProgramError("A block holds no random step; draw it first.")
    return qc


def _evolve(
    qc: QuantumCircuit, groups: tuple[Group, ...], num_system: int, step: Evolve | Correct, fused: bool
) -> None:
    if step.order == EXACT:
        raise InvalidProgramError("The exact exponential is a reference for channels; a circuit needs an order >= 1.")
    for index, fraction in factors(len(groups), step.order, step.slices):
        group, time = groups[index], fraction * step.duration / step.slices
        if group.local:
            _local(qc, group, time)
            continue
        if not fused or all(rotation_cost(label, c * time) == 1 for label, c in group.terms):
            for label, coefficient in group.terms:
                _rotation(qc, label, coefficient * time, range(num_system))
            continue
        # the terms commute, so the exponential of their sum *is* the product that gets synthesised
        acting = sorted({q for label, _ in group.terms for q, letter in enumerate(reversed(label)) if letter != "I"})
        short = [("".join(label[len(label) - 1 - q] for q in reversed(acting)), c) for label, c in group.terms]
        qc.append(PauliEvolutionGate(SparsePauliOp.from_list(short), time=time), acting)


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


def _couple(qc: QuantumCircuit, num_system: int, step: Couple) -> None:
    """Cos φ X + sin φ Y = Rz(φ) X Rz(−φ) on the ancilla."""
    ancilla = num_system + step.ancilla
    qc.rz(-step.axis, ancilla)
    for label, angle in step.rotations():
        _rotation(qc, "X" + label, angle, [*range(num_system), ancilla])
    qc.rz(step.axis, ancilla)


def random_draws(program: Program, seed: int, realisation: int = 0) -> tuple[int, ...]:
    """Every draw of a run in order of time, from (seed, realisation): delays as counts, choices as branch indices."""
    rng = np.random.default_rng([seed, realisation])
    return tuple(
        drawn(step, rng)
        for stage in program.stages
        if (random := [step for step in stage.steps if isinstance(step, Random)])
        for _ in range(stage.repeats)
        for step in random
    )


def drawn(step: RandomDelay | RandomChoice, rng: np.random.Generator) -> int:
    """One draw of a random step."""
    if isinstance(step, RandomDelay):
        return int(rng.integers(step.low, step.high + 1))
    edges = np.cumsum([branch.probability for branch in step.branches])
    return int(min(np.searchsorted(edges, rng.random() * edges[-1], side="right"), len(edges) - 1))


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
                for done in part.performed(left):
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
    return described(assemble(program, pieces(program), start, draws), program, seed, realisation, draws)


def described(
    qc: QuantumCircuit, program: Program, seed: int, realisation: int, draws: tuple[int, ...]
) -> QuantumCircuit:
    """The circuit with a name and with what fixes it."""
    qc.name = f"{program.scheme}_{program.hash[:12]}"
    qc.metadata = {"program": program.hash, "seed": seed, "realisation": realisation, "draws": list(draws)}
    return qc
