"""Execution on Qiskit Aer, with the noise of the target: density matrices, or statevector trajectories with shots."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit.library import UnitaryGate
from qiskit_aer import AerError, AerSimulator

from ..errors import BackendError, TooLargeError
from ..readings.circuit import assemble, random_draws
from ..spectrum import Array
from ..targets import Target
from .noise import noise_model
from .transpile import Compiled

Counts = dict[str, int]
MEMORY_LIMIT_GIB = 8.0
STATEVECTOR_LIMIT = 26  # beyond it a trajectory takes minutes


@dataclass(frozen=True, eq=False)
class Block:
    """One realisation of every random choice, and what was seen of it.

    Attributes:
        realisation: Its number; with the seed it fixes every draw.
        draws: What the random steps drew, in order of time.
        states: Density matrices of the system after 0, 1, … sweeps, or None on trajectories.
        counts: Per measurement basis, bit strings (rightmost = qubit 0) and how often they were seen.
    """

    realisation: int
    draws: tuple[int, ...]
    states: Array | None
    counts: tuple[Counts, ...]


def check_size(compiled: Compiled) -> None:
    """Refuse what cannot fit, with the numbers.

    Raises:
        TooLargeError: If more qubits are in use than the target simulates, or memory would not suffice.
    """
    used, target = compiled.compact().start.num_qubits, compiled.target
    refuse_size(used, compiled.program.num_system, target.method, target.max_qubits, target.name)


def refuse_size(used: int, system: int, method: str, limit: int, name: str) -> None:
    """The same from numbers alone, before anything is compiled."""
    exponent = 2 * used if method == "density_matrix" else used
    gib = 2.0 ** min(exponent - 26, 1000)  # 16 bytes each; beyond that a float overflows
    if used > limit or gib > MEMORY_LIMIT_GIB:
        ways = ["a smaller model"]
        if system + 1 <= limit and used > system + 1:
            ways.append('scheme = "sequential" (one ancilla)')
        if method == "density_matrix" and used <= STATEVECTOR_LIMIT:
            ways.append('backend = "aer_statevector"')
        raise TooLargeError(
            f"Program needs {used} qubits ({system} system + {used - system} ancilla), 2^{exponent} amplitudes or "
            f"{gib:.3g} GiB with method {method}, but target `{name}` takes {limit} qubits. "
            f"Fix: use {' or '.join(ways)}."
        )


def run_blocks(
    compiled: Compiled,
    realisations: Sequence[int],
    bases: Sequence[str],
    shots: int,
    blocks: int,
    seed: int,
    done: Callable[[Block], None],
) -> None:
    """Run the realisations one by one and hand each block over as soon as it exists.

    Args:
        compiled: What to run.
        realisations: Which of the numbers 0 … blocks − 1.
        bases: One letter X, Y, Z per system qubit (leftmost = highest qubit).
        shots: Per basis, over all blocks.
        blocks: Number of realisations the shots are spread over.
        seed: With the realisation it fixes draws and samples.
        done: Called with every block.

    Raises:
        TooLargeError: Before anything runs.
        BackendError: If Aer fails.
    """
    check_size(compiled)
    small = compiled.compact()
    previous: tuple[tuple[int, ...], Array] | None = None
    for realisation in realisations:
        draws = random_draws(small.program, seed, realisation)
        share = shots // blocks + (realisation < shots % blocks)
        if small.target.method == "density_matrix":
            states = previous[1] if previous and previous[0] == draws else _density_states(small, draws)
            previous = (draws, states)
            rng = np.random.default_rng([seed, realisation, 1])
            counts = tuple(sample(states[-1], basis, share, rng) for basis in bases) if share else ()
            done(Block(realisation, draws, states, counts))
        else:
            counts = _trajectories(small, draws, bases, share, seed, realisation)
            done(Block(realisation, draws, None, counts))


def _simulator(target: Target, seed: int | None = None) -> AerSimulator:
    """Aer with the target's noise.

    Gates are fused from the first qubit on: Aer begins at 14, four to eight times slower here. Not in trajectories with
    noise, where every shot has gates of its own to fuse.
    """
    threads, noise = os.cpu_count() or 1, noise_model(target)
    density = target.method == "density_matrix"
    return AerSimulator(
        method=target.method,
        noise_model=noise,
        seed_simulator=seed,
        max_parallel_threads=threads,
        max_parallel_shots=threads,
        enable_truncation=False,
        fusion_enable=density or noise is None,
        fusion_threshold=1,
        fusion_max_qubit=2 if density else 4,
    )


def _result(simulator: AerSimulator, circuits: Sequence[QuantumCircuit], shots: int) -> object:
    try:
        result = simulator.run(list(circuits), shots=shots).result()
    except AerError as error:
        raise BackendError(f"Aer failed: {error}") from None
    if not result.success:
        raise BackendError(f"Aer failed: {result.status}.")
    return result


def _density_states(small: Compiled, draws: Sequence[int]) -> Array:
    """System states after every sweep from one circuit."""
    n = small.program.num_system
    start = small.start.copy()
    start.save_density_matrix(range(n), label="sweep_0")

    def save(qc: QuantumCircuit, sweep: int) -> None:
        qc.save_density_matrix(range(n), label=f"sweep_{sweep}")

    qc = assemble(small.program, small.parts, start, draws, save)
    data = _result(_simulator(small.target), [qc], 1).data(0)  # type: ignore[attr-defined]
    return np.stack([np.asarray(data[f"sweep_{k}"]) for k in range(small.program.sweeps + 1)])


def _trajectories(
    small: Compiled, draws: Sequence[int], bases: Sequence[str], share: int, seed: int, realisation: int
) -> tuple[Counts, ...]:
    if share == 0:
        return ()
    n = small.program.num_system
    body = assemble(small.program, small.parts, small.start, draws)
    circuits = [measured(body, basis, n) for basis in bases]
    simulator_seed = int(np.random.default_rng([seed, realisation, 2]).integers(2**31))
    result = _result(_simulator(small.target, simulator_seed), circuits, share)
    return tuple(dict(result.get_counts(k)) for k in range(len(bases)))  # type: ignore[attr-defined]


def measured(body: QuantumCircuit, basis: str, num_system: int) -> QuantumCircuit:
    """The circuit with a measurement of the system in a product basis; the rotation into it is free of noise."""
    qc = QuantumCircuit(body.num_qubits, num_system)
    qc.compose(body, qubits=range(body.num_qubits), inplace=True)
    for qubit, letter in enumerate(reversed(basis)):
        if letter in "XY":
            qc.append(UnitaryGate(_TO_Z[letter], label="basis"), [qubit])
        qc.measure(qubit, qubit)
    return qc


_TO_Z = {
    "X": np.array([[1, 1], [1, -1]]) / np.sqrt(2),
    "Y": np.array([[1, -1j], [1, 1j]]) / np.sqrt(2),
    "Z": np.eye(2),
}


def sample(rho: Array, basis: str, shots: int, rng: np.random.Generator) -> Counts:
    """Measured bit strings of a density matrix in a product basis."""
    rotation = np.eye(1)
    for letter in basis:
        rotation = np.kron(rotation, _TO_Z[letter])
    p = np.clip(np.real(np.einsum("ij,jk,ik->i", rotation, rho, rotation.conj())), 0.0, None)
    drawn = rng.multinomial(shots, p / p.sum())
    return {format(k, f"0{len(basis)}b"): int(c) for k, c in enumerate(drawn) if c}
