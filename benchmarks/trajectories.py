"""Trajectories of the kagome cooling cycle beside Aer, in one run and one process: trajectory-cycles per second.

    python benchmarks/trajectories.py     # about two minutes on two cores

The cycle of Farrell et al. (arXiv:2605.26245) on the open lattice of 2 × 2 cells, 12 sites and one ancilla. All ways
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

from gibbs_circuits import models
from gibbs_circuits.compiler import Branch, Couple, Evolve, Program, RandomChoice, Reset, Stage, Step
from gibbs_circuits.compiler.trotter import commuting_groups
from gibbs_circuits.filters import GaussianFilter
from gibbs_circuits.generators import couplings_of, dll
from gibbs_circuits.readings import mixed, pieces, random_draws, zero
from gibbs_circuits.readings.circuit import assemble
from gibbs_circuits.readings.trajectories import trajectories

STRENGTH, STEP, STEPS, LARGEST = 1.75, 0.25, 3, 8.0


def kagome_program(beta: float, cycles: int, splittings: int = 64) -> Program:
    """The published cycle by hand, the ancilla's own evolution and its flip in the axis of the couplings.

    The splitting ω, uniform on (0, 8], is one of `splittings` midpoints. With −ωZ/2 on the ancilla a coupling at time
    t has the axis ωt; a start in |1⟩ turns the sign.
    """
    model = models.kagome_ising()
    n, angle = model.num_qubits, STRENGTH / math.sqrt(STEP * STEPS) * STEP
    branches = []
    for site in range(n):
        for letter in "XYZ":
            terms = (("I" * (n - 1 - site) + letter + "I" * site, 1.0),)
            for k in range(splittings):
                omega = LARGEST * (k + 0.5) / splittings
                flipped = math.exp(-beta * omega) / (1 + math.exp(-beta * omega))
                for probability, turn in ((1 - flipped, omega * STEP), (flipped, -omega * STEP)):
                    steps: list[Step] = []
                    for j in range(STEPS):
                        halves = (Couple(terms, 0, angle / 2, turn * edge) for edge in (j, j + 1))
                        steps += [next(halves), Evolve(STEP), next(halves)]
                    branches.append(Branch(probability / (3 * n * splittings), (*steps, Reset((0,)))))
    generator = dll(model, couplings_of("XYZ", n), GaussianFilter(beta), beta)
    stage = Stage((RandomChoice(tuple(branches)),), cycles)
    return Program(n, 1, commuting_groups(model.hamiltonian), (stage,), generator, "kagome by hand")


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
    start, parts = zero(n).circuit(n, m), pieces(program)

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


def main() -> None:
    """Print the tables."""
    program = kagome_program(beta=100.0, cycles=10)
    table = Table("threads", "way", "cycles / s", "ours, times faster", "E/N after 10 cycles", title="12 + 1 qubits")
    for threads in (1, 0):
        speeds = compare(program, 512, 8, 64, threads)
        for speed in speeds:
            E = np.array(speed.energies) / program.num_system
            error = f" ± {E.std(ddof=1) / math.sqrt(E.size):.3f}" if E.size > 1 else ""
            ratio = speeds[0].per_second / speed.per_second
            table.add_row(
                str(threads or "all"), speed.way, f"{speed.per_second:,.1f}", f"{ratio:,.1f}", f"{E.mean():.3f}{error}"
            )
        table.add_section()
    Console(width=110).print(table)
    long = kagome_program(beta=100.0, cycles=200)
    begun = time.perf_counter()
    energy = {"energy": long.lindbladian.model.hamiltonian}
    found = trajectories(long, mixed(), 128, 2, observables=energy, every=5, workers=None)
    mean, error = found.plateau("energy", 80)
    spent = time.perf_counter() - begun
    print(f"E/N after 81 … 200 cycles, 128 trajectories: {mean / 12:.4f} ± {error / 12:.4f} in {spent:.0f} s")


if __name__ == "__main__":
    main()
