"""A program on a target: its blocks in basis gates, what they count to, and the circuits they make."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from qiskit import QuantumCircuit

from ...errors import TooLargeError
from ...io.rendering import Brief
from ...limits import MAX_CIRCUIT_GATES
from ...programs.program import Program
from ...readings.circuits.circuit import Pieces, all_mapped, assemble, described, random_draws
from ...readings.circuits.depth import mean_depth
from ..devices.device import Device
from ..devices.errors import Errors, log_success
from ..devices.idle import with_delays
from .routing import relabelled, two_qubit_gates


class Ancillas(Enum):
    """What becomes of an ancilla that has done its work."""

    RESET = "reset"
    FRESH = "fresh"
    RECORDED = "recorded"


@dataclass(frozen=True)
class GateCounts:
    """What all sweeps of a program do, mean over its random steps; the preparation is not counted.

    Attributes:
        one_qubit: Gates on one qubit, `rz` left out: it is a change of frame and takes no time.
        two_qubit: Gates on two qubits.
        resets: Of one qubit each.
    """

    one_qubit: float
    two_qubit: float
    resets: float


@dataclass(frozen=True, eq=False, repr=False)
class Compiled(Brief):
    """A program on a target: every distinct block once, in basis gates.

    Attributes:
        program, device: What was compiled for what.
        start: The preparation, on the width of the device.
        parts: Blocks per stage of `written`, on the width of the device.
        placement: Physical qubit of every qubit of `written`, at the start and at the end of every block.
        ancillas: What becomes of ancillas that have done their work.
        written: The program as it is performed: `program`, or with fresh ancillas in place of resets.
        errors: Of the device, on the wires of `start` and `parts`.
    """

    program: Program
    device: Device
    start: QuantumCircuit
    parts: Pieces
    placement: tuple[int, ...]
    ancillas: Ancillas
    written: Program
    errors: Errors

    @property
    def system_qubits(self) -> tuple[int, ...]:
        """Where the system qubits, in order, are."""
        return self.placement[: self.program.num_system]

    @property
    def two_qubit_gates_per_sweep(self) -> tuple[float, ...]:
        """Per stage; mean over random steps."""
        return tuple(sum(part.mean(two_qubit_gates) for part in stage) for stage in self.parts)

    @property
    def two_qubit_gates(self) -> float:
        """All sweeps, mean over random steps, without the preparation."""
        return self.total(two_qubit_gates)

    def total(self, value: Callable[[QuantumCircuit], float]) -> float:
        """An additive quantity of the blocks over all sweeps, mean over random steps, without the preparation."""
        stages = zip(self.written.stages, self.parts, strict=True)
        return float(sum(stage.repeats * part.mean(value) for stage, parts in stages for part in parts))

    @property
    def counts(self) -> GateCounts:
        """Gates and resets of all sweeps, mean over random steps."""
        return GateCounts(self.total(one_qubit_gates), self.total(two_qubit_gates), self.total(_resets))

    @property
    def expected_fidelity(self) -> float:
        """Probability that no gate and no reset of the sweeps goes wrong, at the device's rates; 1 without errors.

        The product of (1 − p) over all operations, mean number over random steps; waiting and readout are not in it.
        """
        return math.exp(self.total(self._log_fidelity)) if self.errors.present else 1.0

    def _log_fidelity(self, qc: QuantumCircuit) -> float:
        return sum(
            log_success(self.errors.rate(item.operation.name, tuple(qc.find_bit(q).index for q in item.qubits)))
            for item in qc.data
        )

    def depth(self, seed: int) -> float:
        """Depth in basis gates and resets, mean over a few draws of the random steps; preparation left out."""
        return mean_depth(self.written, self.parts, seed)

    def refuse_long(self) -> None:
        """Refuse a circuit that is too long to be written out, before it is.

        Raises:
            TooLargeError: With the number of its operations.
        """
        operations = self.total(lambda qc: len(qc.data))
        if operations > MAX_CIRCUIT_GATES:
            sweeps = self.written.sweeps
            fitting = max(1, int(sweeps * MAX_CIRCUIT_GATES / operations))
            raise TooLargeError(
                f"The circuit of {sweeps:,} sweeps has {operations:,.0f} operations; the limit is "
                f"{MAX_CIRCUIT_GATES:,}. Fix: set sweeps = {fitting}"
                + (" or a smaller model." if fitting == 1 else ".")
            )

    def circuit(self, seed: int, realisation: int = 0) -> QuantumCircuit:
        """Preparation and all sweeps with one draw of the random steps, unrolled, no measurement.

        Raises:
            TooLargeError: If it has more than two million operations.
        """
        self.refuse_long()
        draws = random_draws(self.program, seed, realisation)
        qc = assemble(self.written, self.parts, self.start, draws)
        return described(qc, self.program, seed, realisation, draws)

    @property
    def wires(self) -> tuple[int, ...]:
        """The physical qubits in use: those of the program, in order, then those that routing passes through."""
        circuits = [self.start, *(c for stage in self.parts for part in stage for c in part.distinct)]
        return (*self.placement, *sorted(used_wires(circuits) - set(self.placement)))

    def along_a_line(self) -> tuple[int, ...]:
        """The wires in use in an order in which two-qubit gates act on near ones, for a matrix product state."""
        from scipy.sparse import coo_array  # loaded when used
        from scipy.sparse.csgraph import reverse_cuthill_mckee

        wires = self.wires
        number = {wire: k for k, wire in enumerate(wires)}
        circuits = [self.start, *(c for stage in self.parts for part in stage for c in part.distinct)]
        met = {
            tuple(number[c.find_bit(q).index] for q in i.qubits) for c in circuits for i in c.data if len(i.qubits) == 2
        }
        rows, columns = [a for a, _ in met], [b for _, b in met]
        graph = coo_array(([1.0] * len(met), (rows, columns)), shape=(len(wires),) * 2).tocsr()
        return tuple(wires[k] for k in reverse_cuthill_mckee(graph + graph.T, symmetric_mode=True))

    def compact(self, order: Sequence[int] | None = None) -> Compiled:
        """The same on the qubits in use only, program qubit k on wire k first, with what waiting costs; to simulate.

        Args:
            order: Other wires, or another order of them, that all blocks stay within; `errors` are in this order, too.
        """
        order = self.wires if order is None else order
        wire = {physical: k for k, physical in enumerate(order)}

        def small(qc: QuantumCircuit) -> QuantumCircuit:
            if self.errors.idle is not None:
                recorded = self.ancillas is Ancillas.RECORDED
                qc = with_delays(qc, self.errors.idle.hardware, order, recorded=recorded)
            return relabelled(qc, wire, len(order))

        return replace(
            self,
            start=small(self.start),
            parts=all_mapped(self.parts, small),
            placement=tuple(wire.get(physical, -1) for physical in self.placement),
            errors=self.errors.on(order),
        )


def one_qubit_gates(qc: QuantumCircuit) -> int:
    """Gates on one qubit other than `rz`."""
    return sum(item.operation.num_qubits == 1 and item.operation.name not in ("rz", "reset") for item in qc.data)


def _resets(qc: QuantumCircuit) -> int:
    return sum(item.operation.name == "reset" for item in qc.data)


def used_wires(circuits: Sequence[QuantumCircuit]) -> set[int]:
    """Wires that some gate of the circuits is on."""
    return {c.find_bit(q).index for c in circuits for item in c.data for q in item.qubits}
