"""Measuring the system in product bases, and what that should give."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit

from ...linalg.arrays import Array, Real
from ...programs.program import Program
from ...readings.circuits.circuit import assemble
from ..devices.device import Device
from ..devices.errors import Errors
from ..simulators.pauli_vectors import matrix_of, noisy_block, vector_of
from ..transpile.compiled import Ancillas, Compiled
from ..transpile.routing import Router
from .shots import Counts

SYSTEM, JUMPS = "system", "jumps"  # names of the classical registers
Rotations = Mapping[str, QuantumCircuit]


def rotations(device: Device) -> Rotations:
    """What takes the eigenvectors of a letter to those of Z, in the gates of a device, on one qubit; "1" flips it."""
    router = Router(device.basis, None)
    found = {"Z": QuantumCircuit(1)}
    for letter in "XY1":
        qc = QuantumCircuit(1)
        if letter == "Y":
            qc.sdg(0)
        if letter == "1":
            qc.x(0)
        else:
            qc.h(0)
        found[letter] = router.unrouted(qc, 0)
    return found


def measured(body: QuantumCircuit, basis: str, qubits: Sequence[int], turns: Rotations) -> QuantumCircuit:
    """A circuit with a measurement of some qubits in a product basis (leftmost letter: the last of them)."""
    qc = body.copy()
    register = ClassicalRegister(len(qubits), SYSTEM)
    qc.add_register(register)
    for qubit, letter in zip(qubits, reversed(basis), strict=True):
        qc.compose(turns[letter], qubits=[qubit], inplace=True)
    qc.measure(list(qubits), register)
    return qc


@dataclass(frozen=True)
class Event:
    """A measurement of an ancilla before it is reset: 1 says that it jumped.

    Attributes:
        sweep: In which it happened, from 1.
        ancilla: Of the program.
        coupling: The terms of the coupling, or the name of the dense block, that the ancilla was there for.
    """

    sweep: int
    ancilla: int
    coupling: str


def jump_events(program: Program, draws: Sequence[int]) -> tuple[Event, ...]:
    """The measurements of a program with recorded ancillas, one per reset of an ancilla, in order of time."""
    left, events, sweep = iter(draws), list[Event](), 0
    for stage in program.stages:
        for _ in range(stage.repeats):
            sweep += 1
            coupling = dict[int, str]()
            for step in stage.steps:
                for one in step.performed(left):
                    coupling |= dict.fromkeys(one.touches, one.purpose)
                    events += [Event(sweep, a, coupling.pop(a, "")) for a in one.resets]
    return tuple(events)


def full_circuit(compiled: Compiled, draws: Sequence[int]) -> QuantumCircuit:
    """Preparation and all sweeps, with the ancillas measured into a register before every reset if they are recorded.

    A reset that routing moved still knows its ancilla by its label, one at the end of a block by where it stands.
    """
    ends: list[int] = []
    qc = assemble(compiled.written, compiled.parts, compiled.start, draws, lambda qc, _: ends.append(len(qc.data)))
    if compiled.ancillas is not Ancillas.RECORDED:
        return qc
    events = jump_events(compiled.written, draws)
    columns: dict[tuple[int, int], Iterator[int]] = {
        (event.sweep, event.ancilla): iter(
            [k for k, e in enumerate(events) if (e.sweep, e.ancilla) == (event.sweep, event.ancilla)]
        )
        for event in events
    }
    home = {wire: k - compiled.written.num_system for k, wire in enumerate(compiled.placement)}
    out = qc.copy_empty_like()
    register = ClassicalRegister(len(events), JUMPS)
    out.add_register(register)
    for index, item in enumerate(qc.data):
        if item.operation.name == "reset" and index >= len(compiled.start.data):
            sweep = 1 + bisect_right(ends, index)
            label, wire = item.operation.label, qc.find_bit(item.qubits[0]).index
            if label is None and wire not in home:  # none of the program's: routing keeps it clean
                out.append(item.operation, item.qubits)
                continue
            ancilla = home[wire] if label is None else int(label)
            out.measure(item.qubits[0], register[next(columns[sweep, ancilla])])
            out.reset(item.qubits[0])
        else:
            out.append(item.operation, item.qubits, item.clbits)
    return out


def outcome_probabilities(rho: Array, basis: str, errors: Errors, turns: Rotations, *, readout: bool = True) -> Real:
    """Probabilities of the 2^n outcomes (index bit k: qubit k) of measuring a state of wires 0 … n − 1.

    With the errors of the rotations, and those of the readout unless they are mitigated.
    """
    n = len(basis)
    x = vector_of(np.asarray(rho)[:, :, None])
    turned = QuantumCircuit(n)
    for qubit, letter in enumerate(reversed(basis)):
        turned.compose(turns[letter], qubits=[qubit], inplace=True)
    x = x.transpose(*reversed(range(n)), n)  # axes in the order of wires
    x = noisy_block(turned, errors).apply(x).transpose(*reversed(range(n)), n)
    p: Real = np.clip(np.real(np.diagonal(matrix_of(x)[:, :, 0])), 0.0, None)
    p = np.asarray(p / p.sum())
    if not readout:
        return p
    p = p.reshape((2,) * n)
    for qubit in range(n):
        up, down = errors.flips(qubit)
        confusion = np.array([[1 - up, down], [up, 1 - down]])
        p = np.asarray(np.moveaxis(np.tensordot(confusion, p, axes=(1, n - 1 - qubit)), 0, n - 1 - qubit))
    return np.asarray(p.reshape(-1))


def sample_counts(probabilities: Real, shots: int, rng: np.random.Generator) -> Counts:
    """Bit strings (rightmost: qubit 0) and how often they are seen, drawn from their probabilities."""
    times = rng.multinomial(shots, probabilities / probabilities.sum())
    width = round(np.log2(len(probabilities)))
    return {format(k, f"0{width}b"): int(count) for k, count in enumerate(times) if count}


def as_weights(probabilities: Real) -> dict[str, float]:
    """Probabilities in the form of counts."""
    width = round(np.log2(len(probabilities)))
    return {format(k, f"0{width}b"): float(p) for k, p in enumerate(probabilities)}
