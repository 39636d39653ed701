"""A compiled program with the noise of its target as local maps, for readings at any number of qubits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np
from qiskit import QuantumCircuit

from ...linalg.arrays import Real
from ...linalg.local_maps import RESET, Average, LocalMap, Operation, Operations, fused, of_unitary
from ...readings.circuits.circuit import Piece
from ...readings.scalable.local_maps_of import along_a_line
from ..devices.errors import Errors
from ..transpile.compiled import Compiled


class Kind(Enum):
    """What goes wrong on a device."""

    GATES = "gates"
    RESETS = "resets"
    IDLING = "idling"
    READOUT = "readout"


ALL = frozenset(Kind)


@dataclass(frozen=True, eq=False)
class LocalNoise:
    """A compiled program with noise as maps on wires: the system's first, then ancillas and what is passed through.

    Attributes:
        stages: The preparation, the sweeps of every stage, and the readout, with repeats.
        start: Pauli expectations of all wires before, (wires, 4): |0⟩ everywhere.
        num_system: n.
        order: Wires along a line in which maps act on near ones; those that none acts on with another are left out.
    """

    stages: tuple[tuple[Operations, int], ...]
    start: Real
    num_system: int
    order: tuple[int, ...]


def local_noise(compiled: Compiled, kinds: Collection[Kind] = ALL) -> LocalNoise:
    """A compiled program with some kinds of its target's noise, random steps in the mean.

    Every basis gate and reset is followed by its error, and waiting costs what T1 and T2 say, as in the exact channel.
    Readout: a string is measured after a rotation of each of its sites to Z, so that ⟨P⟩ of every letter P becomes
    (1 − p − q)⟨P⟩ + q − p with p = P(1|0) and q = P(0|1); exact for independent flips, not mitigated.
    """
    small = compiled.compact()
    width, n = small.start.num_qubits, small.program.num_system
    written = _Written(small.errors, frozenset(kinds))
    stages = [(fused(written.block(small.start)), 1)]
    for stage, pieces in zip(small.written.stages, small.parts, strict=True):
        stages.append((fused(one for piece in pieces for one in written.part(piece)), stage.repeats))
    stages.append((tuple(written.readout(n)), 1))
    order = along_a_line([one for operations, _ in stages for one in operations], n)
    return LocalNoise(tuple(stages), np.tile([1.0, 0, 0, 1], (width, 1)), n, order)


@dataclass(frozen=True)
class _Written:
    """Circuits of basis gates as maps."""

    errors: Errors
    kinds: frozenset[Kind]

    def part(self, piece: Piece) -> Iterator[Operation]:
        if piece.step is None:
            yield from self.block(piece.options[0])
            return
        likely = [k for k, weight in enumerate(piece.weights) if weight > 0]
        branches = tuple(tuple(self.block(piece.options[k])) for k in likely)
        yield Average(tuple(piece.weights[k] for k in likely), branches, piece.times)

    def block(self, qc: QuantumCircuit) -> Iterator[LocalMap]:
        for item in qc.data:
            wires = tuple(qc.find_bit(q).index for q in item.qubits)
            operation, name = item.operation, item.operation.name
            if name == "delay":
                if Kind.IDLING in self.kinds:
                    yield LocalMap(wires, self.errors.waited(wires[0], float(operation.duration)))
                continue
            reset = name == "reset"
            matrix = RESET.copy() if reset else of_unitary(np.asarray(operation.to_matrix()))
            error = self.errors.pauli_matrix(name, wires) if _kind(reset) in self.kinds else None
            # of several wires the last is the slowest index
            yield LocalMap(wires[::-1], matrix if error is None else np.asarray(error @ matrix))

    def readout(self, num_system: int) -> Iterator[LocalMap]:
        for wire in range(num_system):
            up, down = self.errors.flips(wire)
            if Kind.READOUT in self.kinds and (up or down):
                matrix = np.diag([1.0, *[1 - up - down] * 3])
                matrix[1:, 0] = down - up
                yield LocalMap((wire,), matrix)


def _kind(reset: bool) -> Kind:
    return Kind.RESETS if reset else Kind.GATES


def costs_of_noise(compiled: Compiled, value: Callable[[LocalNoise], float]) -> dict[str, float]:
    """A number under all noise, without any, and without one kind of it at a time.

    Args:
        compiled: A program on a target.
        value: Reads the number off, such as the energy per site.
    """
    found = {"all": value(local_noise(compiled)), "none": value(local_noise(compiled, ()))}
    return found | {f"without {kind.value}": value(local_noise(compiled, ALL - {kind})) for kind in Kind}
