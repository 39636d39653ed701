"""What waiting costs: delays written into blocks, so that idle qubits decay."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from qiskit import QuantumCircuit
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.transpiler import InstructionProperties, PassManager
from qiskit.transpiler import Target as Hardware
from qiskit.transpiler.passes import ASAPScheduleAnalysis, PadDelay

from .errors import MICROSECOND, Errors, Idle
from .keys import Durations

DT = 1e-9  # clock of a processor described in a file, in seconds


def described_idle(durations: Durations, times: tuple[float, float], basis: Sequence[str], width: int) -> Idle:
    """What waiting costs on a processor described in a file, where every pair of `width` qubits interacts."""
    gates = get_standard_gate_name_mapping()
    hardware = Hardware(num_qubits=width, dt=DT)
    seconds = {1: durations.one_qubit, 2: durations.two_qubit, "reset": durations.reset, "measure": durations.measure}
    for name in dict.fromkeys((*basis, "reset", "measure", "delay")):
        gate = gates[name]
        if name == "delay":
            hardware.add_instruction(gate, {(k,): None for k in range(width)})
            continue
        took = 0.0 if name == "rz" else seconds.get(name, seconds.get(gate.num_qubits, durations.two_qubit))
        lasting = InstructionProperties(duration=took * MICROSECOND)
        wires = (
            [(k,) for k in range(width)]
            if gate.num_qubits == 1
            else [(j, k) for j in range(width) for k in range(width) if j != k]
        )
        hardware.add_instruction(gate, dict.fromkeys(wires, lasting))
    t1, t2 = (t * MICROSECOND for t in times)
    return Idle(hardware, ((t1, t2),) * width)


def with_delays(
    qc: QuantumCircuit, hardware: Hardware, wires: Collection[int], *, recorded: bool = False
) -> QuantumCircuit:
    """A block with a delay wherever one of some wires waits, until all of them are done.

    A block begins when all qubits are done with the one before, so that waiting is counted block by block: never less
    than when the whole circuit is scheduled at once. With `recorded`, the others also wait while an ancilla is measured
    before its reset.
    """
    if recorded:
        qc = _measured_before_resets(qc)
    padded = PassManager([ASAPScheduleAnalysis(target=hardware), PadDelay(target=hardware)]).run(qc)
    out = QuantumCircuit(qc.num_qubits, global_phase=qc.global_phase)
    for item in padded.data:
        at = [padded.find_bit(q).index for q in item.qubits]
        if item.operation.name == "measure":  # written where the whole circuit is put together
            continue
        if item.operation.name == "delay":
            if at[0] not in wires:
                continue
            out.delay(seconds_of(item.operation.duration, item.operation.unit, hardware.dt), at[0], unit="s")
        else:
            out.append(item.operation, at)
    return out


def _measured_before_resets(qc: QuantumCircuit) -> QuantumCircuit:
    count = sum(item.operation.name == "reset" for item in qc.data)
    out, bits = QuantumCircuit(qc.num_qubits, count, global_phase=qc.global_phase), iter(range(count))
    for item in qc.data:
        at = [qc.find_bit(q).index for q in item.qubits]
        if item.operation.name == "reset":
            out.measure(at[0], next(bits))
        out.append(item.operation, at)
    return out


def seconds_of(duration: float, unit: str, dt: float | None) -> float:
    """A duration of Qiskit's in seconds; `dt` is the clock of the device, in seconds."""
    scale = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12, "dt": dt or DT}
    return float(duration) * scale[unit]


def with_decay(qc: QuantumCircuit, errors: Errors) -> QuantumCircuit:
    """A circuit whose delays are what they do to the qubit, for Aer."""
    if errors.idle is None:
        return qc
    out = qc.copy_empty_like()
    for item in qc.data:
        if item.operation.name == "delay":
            (wire,) = (qc.find_bit(q).index for q in item.qubits)
            out.append(errors.waiting(wire, float(item.operation.duration)), item.qubits)
        else:
            out.append(item.operation, item.qubits, item.clbits)
    return out
