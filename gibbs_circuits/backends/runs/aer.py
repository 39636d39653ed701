"""Execution on Qiskit Aer, with the errors of the device: density matrices, or trajectories with shots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.transpiler.passes import RemoveFinalReset

from ...errors import BackendError
from ...linalg.arrays import Array
from ...readings.circuits.circuit import assemble, random_draws
from ..devices.idle import with_decay
from ..measurement.measurement import (
    JUMPS,
    SYSTEM,
    full_circuit,
    measured,
    outcome_probabilities,
    rotations,
    sample_counts,
)
from ..measurement.shots import Bits, Block, Shots
from ..simulators.engine import shot_seed, simulator
from ..simulators.method import Choice
from ..transpile.compiled import Ancillas, Compiled
from .request import Request

if TYPE_CHECKING:
    from qiskit_aer import AerSimulator


OTHERS = "others"  # register of the wires that are measured to be forgotten


def run_blocks(request: Request, realisations: Sequence[int], done: Callable[[Block], None]) -> None:
    """Run the realisations one by one and hand each block over as soon as it exists.

    Args:
        request: What to run; its shots are spread over all realisations.
        realisations: Which of them.
        done: Called with every block.

    Raises:
        BackendError: If Aer fails.
    """
    choice, turns = request.choice, rotations(request.compiled.device)
    assert choice is not None  # a simulation has a method
    small = simulated_form(request.compiled, choice)
    seed, blocks = request.seed, request.realisations
    previous: tuple[tuple[int, ...], Array] | None = None
    for realisation in realisations:
        draws = random_draws(small.program, seed, realisation)
        share = request.shots // blocks + (realisation < request.shots % blocks)
        bases = request.bases if share else ()
        if choice.method == "density_matrix":
            states = previous[1] if previous and previous[0] == draws else density_states(small, draws, choice)
            previous = (draws, states)
            rng = np.random.default_rng([seed, realisation, 1])
            chances = [outcome_probabilities(states[-1], basis, small.errors, turns) for basis in bases]
            done(Block(realisation, draws, states, tuple(sample_counts(p, share, rng) for p in chances)))
            continue
        body = full_circuit(small, draws)
        circuits = [measured(body, basis, small.system_qubits, turns) for basis in bases]
        if choice.method == "matrix_product_state":
            circuits = [_measured_whole(qc, small) for qc in circuits]
        found = sampled(small, circuits, share, choice, shot_seed(seed, realisation))
        kept = tuple(found) if small.ancillas is Ancillas.RECORDED else ()
        done(Block(realisation, draws, None, tuple(one.counts for one in found), kept))


def _measured_whole(qc: QuantumCircuit, small: Compiled) -> QuantumCircuit:
    """The same with all other wires measured, too, in place of a last reset: Aer then samples the whole chain at once.

    A reset, and a measurement of a part, takes it milliseconds per qubit and shot; what the others give is not read.
    """
    out = RemoveFinalReset()(qc)
    others = sorted({*range(out.num_qubits)} - {*small.system_qubits})
    if others and small.ancillas is not Ancillas.RECORDED:
        register = ClassicalRegister(len(others), OTHERS)
        out.add_register(register)
        out.measure(others, register)
    return out


def simulated_form(compiled: Compiled, choice: Choice) -> Compiled:
    """The program on the qubits in use, those that meet side by side where that is what the simulation lives on."""
    return compiled.compact(compiled.along_a_line() if choice.method == "matrix_product_state" else None)


def _result(engine: AerSimulator, circuits: Sequence[QuantumCircuit], shots: int, *, memory: bool = False) -> object:
    from qiskit_aer import AerError  # loaded when used

    try:
        result = engine.run(list(circuits), shots=shots, memory=memory).result()
    except AerError as error:
        raise BackendError(f"Aer failed: {error}") from None
    if not result.success:
        raise BackendError(f"Aer failed: {result.status}.")
    return result


def density_states(small: Compiled, draws: Sequence[int], choice: Choice) -> Array:
    """System states after 0, 1, … sweeps from one circuit."""
    import qiskit_aer  # noqa: F401  # which gives circuits their save_… instructions

    n = small.program.num_system
    start = small.start.copy()
    start.save_density_matrix(range(n), label="sweep_0")

    def save(qc: QuantumCircuit, sweep: int) -> None:
        qc.save_density_matrix(range(n), label=f"sweep_{sweep}")

    qc = with_decay(assemble(small.written, small.parts, start, draws, save), small.errors)
    data = _result(simulator(small, choice), [qc], 1).data(0)  # type: ignore[attr-defined]
    return np.stack([np.asarray(data[f"sweep_{k}"]) for k in range(small.written.sweeps + 1)])


def sampled(small: Compiled, circuits: Sequence[QuantumCircuit], shots: int, choice: Choice, seed: int) -> list[Shots]:
    """Single shots of measured circuits, readout errors included."""
    if not circuits:
        return []
    ready = [with_decay(qc, small.errors) for qc in circuits]
    result = _result(simulator(small, choice, seed), ready, shots, memory=True)
    return [_shots(qc, result.get_memory(k)) for k, qc in enumerate(ready)]  # type: ignore[attr-defined]


def _shots(qc: QuantumCircuit, memory: Sequence[str]) -> Shots:
    """Aer's strings have the last register first, apart, and bit 0 of each at its right end."""
    names = [register.name for register in reversed(qc.cregs)]
    columns = dict(zip(names, zip(*(line.split(" ") for line in memory), strict=True), strict=True))
    none = np.zeros((len(memory), 0), dtype=bool)
    return Shots(_bits(columns[SYSTEM]), _bits(columns[JUMPS]) if JUMPS in columns else none)


def _bits(strings: Sequence[str]) -> Bits:
    """Bit k of a register in column k."""
    return np.array([[bit == "1" for bit in reversed(string)] for string in strings], dtype=bool)
