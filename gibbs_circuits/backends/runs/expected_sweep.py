"""One sweep of a target held against the exact channel before the target is trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from qiskit import QuantumCircuit

from ...errors import BackendError, TooLargeError
from ...evidence import Status
from ...limits import MAX_CHECK_SECONDS, MAX_CHECKED_QUBITS, MAX_KRYLOV_QUBITS
from ...linalg.arrays import Array
from ...models.spectrum import trace_distance
from ...programs.initial_state import InitialState
from ...readings.channel.building_time import building_seconds
from ...readings.channel.sweep_channel import sweep_map
from ...readings.circuits.circuit import Piece, random_draws
from ..devices.errors import Errors
from ..simulators.pauli_vectors import matrix_of, noisy_block
from ..transpile.compiled import Ancillas, Compiled, used_wires
from ..transpile.routing import Router

FAITHFUL = 1e-8
SAME_STATE = 1e-6  # Aer takes square roots of the eigenvalues of relaxation
LIMIT = 4.0  # standard errors: a false alarm every 16,000 observables


@dataclass(frozen=True)
class Check:
    """One sweep of a target, from a generic product state, with one draw of every random step.

    Attributes:
        circuit_distance: Trace distance between the state that the transpiled sweep makes without errors and that of
            the exact channel; None where it is too large.
        z: By observable, what the target gave minus what the exact channel with its errors predicts, in standard
            errors of the shots; None where the target gives states: then `state_distance`.
        state_distance: Trace distance between the target's state after the sweep and the predicted one.
        shots: Per basis.
        status: MEASURED, or NOT_CHECKED with the reason in `note`.
        note: What was done, in a line.
    """

    circuit_distance: float | None
    z: Mapping[str, float] | None
    state_distance: float | None
    shots: int
    status: Status
    note: str

    @property
    def passed(self) -> bool | None:
        """Whether everything that was compared agrees; None if nothing was."""
        found = []
        if self.circuit_distance is not None:
            found.append(self.circuit_distance <= FAITHFUL)
        if self.state_distance is not None:
            found.append(self.state_distance <= SAME_STATE)
        if self.z is not None:
            found.append(all(abs(z) <= LIMIT for z in self.z.values()))
        return all(found) if found else None


@dataclass(frozen=True, eq=False)
class OneSweep:
    """The sweep that is checked.

    Attributes:
        compiled: One sweep of the first stage, without random steps, on the device's wires.
        expected: The exact state of the system after it, without errors; None where it is too large.
        predicted: The same with the errors of the device; None where it is too large or the errors are not known.
        made: What the transpiled circuit makes without errors.
    """

    compiled: Compiled
    expected: Array | None
    predicted: Array | None
    made: Array | None


def one_sweep(compiled: Compiled, seed: int) -> OneSweep:
    """One sweep of a compiled program, from blocks that are routed already, and what it should give.

    It begins in a product state without any symmetry, where a gate left out is seen.
    """
    program, n = compiled.program, compiled.program.num_system
    draws = random_draws(compiled.written, seed, 0)
    left = iter(draws)
    block = QuantumCircuit(compiled.start.num_qubits)
    for part in compiled.parts[0]:
        for done in part.as_circuits(left):
            block.compose(done, inplace=True, copy=False)
    used = draws[: len(draws) - len(list(left))]
    stage = replace(compiled.written.stages[0], repeats=1)
    initial, begin = generic_start(compiled)
    once = replace(
        compiled,
        start=begin,
        parts=((Piece([block]),),),
        written=replace(compiled.written, stages=(stage,)),
        ancillas=Ancillas.RESET,
    )
    if n > MAX_KRYLOV_QUBITS or building_seconds(program) > MAX_CHECK_SECONDS:
        return OneSweep(once, None, None, None)
    try:
        expected = sweep_map(program, 0, used).apply(initial.density(n))
    except TooLargeError:
        return OneSweep(once, None, None, None)
    near = sorted(used_wires([begin, block]) - set(compiled.system_qubits))
    small = once.compact((*compiled.system_qubits, *near))
    if small.start.num_qubits > MAX_CHECKED_QUBITS:
        clean = compiled.device.errors_known and not compiled.errors.present
        return OneSweep(once, expected, expected if clean else None, None)
    made = _state(small, Errors())
    predicted = _state(small, small.errors) if compiled.device.errors_known else None
    return OneSweep(once, expected, predicted, made)


def generic_start(compiled: Compiled) -> tuple[InitialState, QuantumCircuit]:
    """A product of one-qubit states at fixed random angles, and its preparation in the gates of the device."""
    n, rng, router = compiled.program.num_system, np.random.default_rng(1), Router(compiled.device.basis, None)
    preparation, begin = QuantumCircuit(n), QuantumCircuit(compiled.start.num_qubits)
    for qubit, wire in enumerate(compiled.system_qubits):
        one = QuantumCircuit(1)
        one.u(*rng.uniform(0.3, 2.8, 3), 0)
        preparation.compose(one, qubits=[qubit], inplace=True)
        begin.compose(router.unrouted(one, 0), qubits=[wire], inplace=True)
    return InitialState("generic product", preparation), begin


def _state(small: Compiled, errors: Errors) -> Array:
    """The system's state after preparation and sweep, gate by gate."""
    width, n = small.start.num_qubits, small.program.num_system
    x = np.zeros((4,) * width + (2,))
    x[(0,) * width] = [1, 0]
    for wire in range(width):  # |0…0⟩: every product of 1 and Z has expectation 1
        front = np.moveaxis(x, wire, 0)
        front[3] = front[0]
    for qc in (small.start, small.parts[0][0].options[0]):
        kept = qc if errors.idle is not None else _without_delays(qc)
        x = noisy_block(kept, errors).apply(x)
    kept_axes = x[(slice(None),) * n + (0,) * (width - n)]
    return matrix_of(kept_axes.transpose(*reversed(range(n)), n))[:, :, 0]


def _without_delays(qc: QuantumCircuit) -> QuantumCircuit:
    out = qc.copy_empty_like()
    out.data = [item for item in qc.data if item.operation.name != "delay"]
    return out


def check_result(
    sweep: OneSweep,
    z: Mapping[str, float] | None,
    state: Array | None,
    shots: int,
    name: str,
    *,
    simulated: bool,
) -> Check:
    """The check of a target.

    Args:
        sweep: What should come out.
        z: By observable, from shots.
        state: What came out, of a target that gives states.
        shots: Per basis.
        name: Of the target.
        simulated: Whether the target is a simulation, which has no excuse.

    Raises:
        BackendError: If a simulation fails.
    """
    circuit = None if sweep.made is None or sweep.expected is None else trace_distance(sweep.made, sweep.expected)
    distance = None if state is None or sweep.predicted is None else trace_distance(state, sweep.predicted)
    nothing = circuit is None and distance is None and z is None
    if nothing:
        note = f"too large: it takes {MAX_KRYLOV_QUBITS} system qubits, with errors {MAX_CHECKED_QUBITS} in use"
    elif z is None and distance is None:
        note = "the transpiled sweep alone; what the target makes of it was not compared"
    else:
        note = "one sweep on the target against the exact channel with its errors"
    check = Check(circuit, z, distance, shots, Status.NOT_CHECKED if nothing else Status.MEASURED, note)
    if check.passed is False and (simulated or (circuit is not None and circuit > FAITHFUL)):
        raise BackendError(
            f"Target `{name}` fails its check: one sweep against the exact channel is off by a trace distance of "
            f"{circuit} (circuit), {distance} (state), by { {k: round(v, 1) for k, v in (z or {}).items()} } standard "
            f"errors. Fix: {_remedy(sweep)}; nothing more was run."
        )
    return check


def _remedy(sweep: OneSweep) -> str:
    cut = sweep.compiled.device.bond_dimension
    return "please report it" if cut is None else f"raise bond_dimension, which is {cut}, or leave it out"
