"""Program → Qiskit circuit, QPY and OpenQASM 3. Every gate here is exact on its own: only products approximate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit.library import PauliEvolutionGate, UnitaryGate
from qiskit.quantum_info import SparsePauliOp

from ..compiler import EXACT, Couple, Evolve, Program, RandomDelay, Reset, Stage, Step
from ..compiler.trotter import Group, factors
from ..errors import InvalidProgramError
from .initial import InitialState, zero


@dataclass(frozen=True, eq=False)
class Piece:
    """A block of a sweep on all qubits: performed once, or a random number of times where `delay` is set."""

    circuit: QuantumCircuit
    delay: RandomDelay | None = None


Pieces = tuple[tuple[Piece, ...], ...]  # per stage


def pieces(program: Program, *, fused: bool = False) -> Pieces:
    """The program as few distinct blocks, so that each is built, placed and routed once.

    With `fused`, a commuting group is one gate, which synthesis may share two-qubit gates within; without, one gate
    per Pauli rotation.
    """
    return tuple(tuple(_stage_pieces(program, stage, fused)) for stage in program.stages)


def _stage_pieces(program: Program, stage: Stage, fused: bool) -> Iterator[Piece]:
    pending: list[Step] = []
    for step in stage.steps:
        if not isinstance(step, RandomDelay):
            pending.append(step)
            continue
        if pending:
            yield Piece(block(program, pending, fused=fused))
        yield Piece(block(program, [step.unit], fused=fused), step)
        pending = []
    if pending:
        yield Piece(block(program, pending, fused=fused))


def block(program: Program, steps: Iterable[Step], *, fused: bool = False) -> QuantumCircuit:
    """A circuit of steps without random delays, ancillas on the highest qubits."""
    qc = QuantumCircuit(program.num_qubits, name=f"{program.scheme}_sweep")
    for step in steps:
        match step:
            case Evolve():
                _evolve(qc, program.groups, program.num_system, step, fused)
            case Couple():
                _couple(qc, program.num_system, step)
            case Reset():
                for ancilla in step.ancillas:
                    qc.reset(program.num_system + ancilla)
            case RandomDelay():
                raise InvalidProgramError("A block holds no random delay; draw it first.")
    return qc


def _evolve(qc: QuantumCircuit, groups: tuple[Group, ...], num_system: int, step: Evolve, fused: bool) -> None:
    if step.order == EXACT:
        raise InvalidProgramError("The exact exponential is a reference for channels; a circuit needs an order >= 1.")
    groups = step.groups(groups)
    for index, fraction in factors(len(groups), step.order, step.slices):
        group, time = groups[index], fraction * step.duration / step.slices
        if group.local:
            _local(qc, group, time)
            continue
        if not fused:
            for label, coefficient in group.terms:
                _rotation(qc, label, coefficient * time, range(num_system))
            continue
        # the terms commute, so the exponential of their sum *is* the product that gets synthesised
        acting = sorted({q for label, _ in group.terms for q, letter in enumerate(reversed(label)) if letter != "I"})
        short = [("".join(label[len(label) - 1 - q] for q in reversed(acting)), c) for label, c in group.terms]
        qc.append(PauliEvolutionGate(SparsePauliOp.from_list(short), time=time), acting)


def _local(qc: QuantumCircuit, group: Group, time: float) -> None:
    """exp(−it Σ c P) of single-qubit terms: one exact gate per qubit."""
    matrices: dict[int, np.ndarray] = {}
    for label, coefficient in group.terms:
        qubit = next(i for i, letter in enumerate(reversed(label)) if letter != "I")
        letter = label[len(label) - 1 - qubit]
        matrices[qubit] = matrices.get(qubit, np.zeros((2, 2))) + coefficient * SparsePauliOp(letter).to_matrix()
    for qubit, h in sorted(matrices.items()):
        energies, vectors = np.linalg.eigh(h)
        qc.append(UnitaryGate((vectors * np.exp(-1j * time * energies)) @ vectors.conj().T, label="field"), [qubit])


def _rotation(qc: QuantumCircuit, label: str, angle: float, qubits: Iterable[int]) -> None:
    """exp(−i angle P), on the qubits P acts on only."""
    acting = [(letter, q) for letter, q in zip(reversed(label), qubits, strict=True) if letter != "I"]
    if not acting:
        return
    short = "".join(letter for letter, _ in reversed(acting))
    qc.append(PauliEvolutionGate(SparsePauliOp(short), time=angle), [q for _, q in acting])


def _couple(qc: QuantumCircuit, num_system: int, step: Couple) -> None:
    """Cos φ X + sin φ Y = Rz(φ) X Rz(−φ) on the ancilla."""
    ancilla = num_system + step.ancilla
    qc.rz(-step.axis, ancilla)
    for label, angle in step.rotations():
        _rotation(qc, "X" + label, angle, [*range(num_system), ancilla])
    qc.rz(step.axis, ancilla)


def draw_delays(program: Program, seed: int, realisation: int = 0) -> tuple[int, ...]:
    """Every random delay of a run in order of time, from (seed, realisation)."""
    rng = np.random.default_rng([seed, realisation])
    return tuple(
        int(rng.integers(step.low, step.high + 1))
        for stage in program.stages
        for _ in range(stage.repeats)
        for step in stage.steps
        if isinstance(step, RandomDelay)
    )


def assemble(
    program: Program,
    parts: Pieces,
    start: QuantumCircuit,
    delays: Iterable[int],
    after_sweep: Callable[[QuantumCircuit, int], None] | None = None,
) -> QuantumCircuit:
    """Preparation, then every sweep, from blocks that may be abstract or already transpiled."""
    qc = start.copy()
    draws, sweep = iter(delays), 0
    for stage, stage_parts in zip(program.stages, parts, strict=True):
        for _ in range(stage.repeats):
            for part in stage_parts:
                for _ in range(1 if part.delay is None else next(draws)):
                    qc.compose(part.circuit, inplace=True, copy=False)
            sweep += 1
            if after_sweep is not None:
                after_sweep(qc, sweep)
    return qc


def circuit(
    program: Program, *, initial: InitialState | None = None, seed: int = 0, realisation: int = 0
) -> QuantumCircuit:
    """The whole program with one draw of its random delays, before any transpilation.

    Raises:
        InvalidProgramError: If an evolution is exact.
    """
    n, m = program.num_system, program.num_ancilla
    delays = draw_delays(program, seed, realisation)
    start = (initial or zero(n)).circuit(n, m)
    qc = assemble(program, pieces(program), start, delays)
    qc.name = f"{program.scheme}_{program.hash[:12]}"
    qc.metadata = {"program": program.hash, "seed": seed, "realisation": realisation, "delays": list(delays)}
    return qc
