"""Trajectories of the kagome cooling cycle beside Aer, in one run and one process: trajectory-cycles per second.

    python benchmarks/trajectories.py     # about two minutes on two cores

The preset of Farrell et al. (arXiv:2605.26245) on the open lattice of 2 × 2 cells, 12 sites and one ancilla. All ways
start in |0…0⟩, perform the same circuit and read the energy at the end. "Loop" is what a user writes: draw, write the
circuit, transpile, run one shot, once per trajectory; at Qiskit's default level and at level 0. "Run alone" counts
Aer's own time only, on circuits already transpiled. "One circuit, all shots" is not the same task: all shots share
the draws of couplings, only resets differ. Then the energy where the cycle settles, from the maximally mixed state.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit_aer import AerSimulator
from rich.console import Console
from rich.table import Table

from gibbs_circuits.compiler.presets.farrell import farrell
from gibbs_circuits.programs.initial_state import mixed, zero
from gibbs_circuits.programs.program import Program
from gibbs_circuits.readings.circuits.circuit import assemble, circuit_segments, random_draws
from gibbs_circuits.readings.trajectories.trajectories import trajectories

ENERGY, WITHIN = -1.06, 0.02  # E/N of the published recipe where it settles
RATIO = 50  # times a plain Aer loop


@dataclass(frozen=True)
class Speed:
    """Trajectory-cycles per second of one way, and the energies that it found."""

    way: str
    per_second: float
    energies: tuple[float, ...]


def ours(program: Program, count: int, workers: int | None) -> Speed:
    """Batched trajectories, preparation included."""
    start = time.perf_counter()
    energy = {"energy": program.lindbladian.model.hamiltonian}
    found = trajectories(
        program, zero(program.num_system), count, 1, observables=energy, every=program.sweeps, workers=workers
    )
    spent = time.perf_counter() - start
    return Speed("batched trajectories", count * program.sweeps / spent, tuple(found.final["energy"]))


def aer(program: Program, count: int, shots: int, threads: int) -> Iterator[Speed]:
    """The loop over circuits, the same circuits run alone, and one circuit with many shots; threads = 0 is all."""
    n, m = program.num_system, program.num_ancilla
    # an observable narrower than the circuit may be read wrong unless truncation is off
    simulator = AerSimulator(method="statevector", max_parallel_threads=threads, enable_truncation=False)
    hamiltonian = program.lindbladian.model.hamiltonian
    start, parts = zero(n).circuit(n, m), circuit_segments(program)

    def written(k: int, level: int | None) -> QuantumCircuit:
        qc = assemble(program, parts, start, random_draws(program, 1, k))
        qc.save_expectation_value(hamiltonian, range(n), label="energy")
        return transpile(qc, simulator, optimization_level=level)

    def run(qc: QuantumCircuit, k: int, shots: int = 1) -> float:
        result = simulator.run(qc, shots=shots, seed_simulator=k).result()
        return float(result.data(0)["energy"])

    def timed(way: str, trajectories: int, work: Callable[[], list[float]]) -> Speed:
        begun = time.perf_counter()
        energies = work()
        return Speed(way, trajectories * program.sweeps / (time.perf_counter() - begun), tuple(energies))

    yield timed("Aer, loop", count, lambda: [run(written(k, None), k) for k in range(count)])
    yield timed("Aer, loop, level 0", count, lambda: [run(written(k, 0), k) for k in range(count)])
    made = [written(k, None) for k in range(count)]
    yield timed("Aer, run alone", count, lambda: [run(qc, k) for k, qc in enumerate(made)])
    yield timed("Aer, one circuit, all shots", shots, lambda: [run(made[0], 1, shots)])


def compare(program: Program, count: int, aer_count: int, shots: int, threads: int) -> tuple[Speed, ...]:
    """All ways at one number of threads, 0 for all of them; the batched way first."""
    return (ours(program, count, threads or None), *aer(program, aer_count, shots, threads))


def main() -> bool:
    """Print the tables; whether the energy and the ratio to the loop are what is asked for."""
    program = farrell(sweeps=10)
    table = Table("threads", "way", "cycles / s", "ours, times faster", "E/N after 10 cycles", title="12 + 1 qubits")
    loops: list[float] = []
    for threads in (1, 0):
        speeds = compare(program, 512, 8, 64, threads)
        loops.append(speeds[0].per_second / speeds[1].per_second)
        for speed in speeds:
            E = np.array(speed.energies) / program.num_system
            error = f" ± {E.std(ddof=1) / math.sqrt(E.size):.3f}" if E.size > 1 else ""
            ratio = speeds[0].per_second / speed.per_second
            table.add_row(
                str(threads or "all"), speed.way, f"{speed.per_second:,.1f}", f"{ratio:,.1f}", f"{E.mean():.3f}{error}"
            )
        table.add_section()
    Console(width=110).print(table)
    long = farrell(sweeps=200)
    begun = time.perf_counter()
    energy = {"energy": long.lindbladian.model.hamiltonian}
    found = trajectories(long, mixed(), 128, 2, observables=energy, every=5, workers=None)
    mean, error = found.plateau("energy", 80)
    spent = time.perf_counter() - begun
    print(f"E/N after 81 … 200 cycles, 128 trajectories: {mean / 12:.4f} ± {error / 12:.4f} in {spent:.0f} s")
    return abs(mean / 12 - ENERGY) <= WITHIN and min(loops) >= RATIO


if __name__ == "__main__":
    main()
