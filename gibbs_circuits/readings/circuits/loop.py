"""Program → circuit with one sweep per stage inside a `for_loop`."""

from __future__ import annotations

from qiskit import QuantumCircuit

from ...errors import ArgumentError
from ...programs.initial_state import InitialState, zero
from ...programs.program import Program
from .circuit import Pieces, circuit_segments


def loop_circuit(program: Program, *, initial: InitialState | None = None) -> QuantumCircuit:
    """The whole program with every stage as one sweep in a `for_loop`: its size does not grow with the sweeps.

    Raises:
        ArgumentError: If a sweep has a random step, which a loop would repeat instead of drawing anew.
        InvalidProgramError: If an evolution is exact.
    """
    start = (initial or zero(program.num_system)).circuit(program.num_system, program.num_ancilla)
    return loop_over(program, circuit_segments(program), start)


def loop_over(program: Program, parts: Pieces, start: QuantumCircuit) -> QuantumCircuit:
    """Preparation, then one loop per stage, from blocks that may be abstract or already transpiled.

    Raises:
        ArgumentError: If a sweep has a random step.
    """
    for number, stage in enumerate(program.stages):
        for random in (step for step in stage.steps if step.random):
            found = f"stage {number} holds a {type(random).__name__}"
            fix = "write the circuit without loop" if len(random.options) > 1 else "set random_delays = false"
            raise ArgumentError("loop", "be False where a sweep is drawn anew every time", found, fix)
    qc = QuantumCircuit(start.num_qubits, name=f"{program.scheme}_{program.hash[:12]}_loop")
    qc.compose(start, qc.qubits, inplace=True)
    for stage, stage_parts in zip(program.stages, parts, strict=True):
        sweep = QuantumCircuit(start.num_qubits)
        for part in stage_parts:
            sweep.compose(part.options[0], sweep.qubits, inplace=True)
        qc.for_loop(range(stage.repeats), None, sweep, qc.qubits, [])
    qc.metadata = {"program": program.hash}
    return qc
