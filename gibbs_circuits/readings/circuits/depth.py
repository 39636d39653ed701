"""Depth of a program's circuit without writing the circuit out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from qiskit import QuantumCircuit

from ...linalg.arrays import Real
from ...programs.program import Program, Stage
from .circuit import Piece, Pieces, random_draws

DEPTH_DRAWS = 4
FOLLOWED = 1024  # sweeps of a stage that are followed one by one; those beyond are as deep as the last half of these
SQUARED_WIRES = 128  # up to which a whole sweep is squared instead, w³ for a doubling


def mean_depth(program: Program, parts: Pieces, seed: int) -> float:
    """Depth of all sweeps in gates and resets, without the preparation; the mean over a few draws of random steps.

    Equals `QuantumCircuit.depth()` of the circuit written out; branches that differ in angles only count as one. A
    block takes wire j to wire i by a longest path of M_ij gates, and such matrices multiply in (max, +) algebra: time
    O(w³ log sweeps) for w wires; O(w² · blocks) where steps are random or w > 128, and there from the 1024th sweep of a
    stage on the depth of a sweep is taken to stay as it is.

    Args:
        program: Whose sweeps.
        parts: Its blocks, abstract or transpiled.
        seed: Of the draws.
    """
    paths = _Paths()
    random = any(part.step for stage in parts for part in stage)
    short = replace(
        program, stages=tuple(replace(stage, repeats=min(stage.repeats, FOLLOWED)) for stage in program.stages)
    )
    return float(
        np.mean([paths.depth(program, parts, random_draws(short, seed, r)) for r in range(DEPTH_DRAWS * random or 1)])
    )


@dataclass
class _Paths:
    """Longest paths through blocks, each computed once."""

    known: dict[int, Real] = field(default_factory=dict)

    def depth(self, program: Program, parts: Pieces, draws: tuple[int, ...]) -> float:
        left = iter(draws)
        level = np.zeros(parts[0][0].options[0].num_qubits)
        for stage, stage_parts in zip(program.stages, parts, strict=True):
            level = self._stage(stage, stage_parts, level, left)
        return float(level.max())

    def _stage(self, stage: Stage, parts: tuple[Piece, ...], level: Real, left: Iterator[int]) -> Real:
        if any(part.step for part in parts) or level.size > SQUARED_WIRES:
            half = level
            for sweep in range(min(stage.repeats, FOLLOWED)):
                half = level if sweep == FOLLOWED // 2 else half
                for part in parts:
                    for k in part.drawn(left):
                        level = _after(self._through(part.options[part.alike[k]]), level)
            beyond = max(0, stage.repeats - FOLLOWED)
            return np.asarray(level + beyond * (level.max() - half.max()) / (FOLLOWED - FOLLOWED // 2))
        whole = self._through(parts[0].options[0])
        for part in parts[1:]:
            whole = _product(self._through(part.options[0]), whole)
        for bit in bin(stage.repeats)[:1:-1]:
            if bit == "1":
                level = _after(whole, level)
            whole = _product(whole, whole)
        return level

    def _through(self, qc: QuantumCircuit) -> Real:
        if id(qc) not in self.known:
            self.known[id(qc)] = _longest_paths(qc)
        return self.known[id(qc)]


def _longest_paths(qc: QuantumCircuit) -> Real:
    matrix = np.where(np.eye(qc.num_qubits, dtype=bool), 0.0, -np.inf)
    for item in qc.data:
        wires = [qc.find_bit(q).index for q in item.qubits]
        matrix[wires] = matrix[wires].max(axis=0) + 1
    return matrix


def _after(matrix: Real, level: Real) -> Real:
    return np.asarray((matrix + level).max(axis=1))


def _product(later: Real, earlier: Real) -> Real:
    return np.asarray((later[:, :, None] + earlier[None, :, :]).max(axis=1))
