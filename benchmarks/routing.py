"""A sweep routed once and repeated, against the whole circuit routed at once by Qiskit: gates and time, in one run.

    python benchmarks/routing.py [--task chains]

Mixed-field Ising chain of 6 sites with 6 ancillas on the heavy-hex lattice of 57 qubits, basis cz, rz, sx, x. Qiskit
takes the best of 20 seeds at level 3. The delays of a program with delays are one draw, the same on both sides. Times
are until every block is routed, before anything is written out. A second table has the chain's programs with knobs
left out, gates as means over the delays, against the same programs where every pair interacts.

With `--task chains` long chains on a device of 156 qubits, routed along a track, against all-to-all, in processor
seconds: words of layers with an ancilla at every site or at every other, whose angles are any, and derived programs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter, process_time

import numpy as np
from qiskit import QuantumCircuit, transpile
from rich.console import Console
from rich.table import Table

from gibbs_circuits.backends.targets.registry import load_target
from gibbs_circuits.backends.transpile.routing import ROUTING_SEEDS, two_qubit_gates
from gibbs_circuits.backends.transpile.transpile import compile_for, gates_anywhere
from gibbs_circuits.compiler.schemes.registry import SCHEMES
from gibbs_circuits.experiments.choices import make_scheme
from gibbs_circuits.experiments.pipeline import compile_program
from gibbs_circuits.experiments.schemes import CompileTask
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.kinds.dll import dll
from gibbs_circuits.models.library.spin_chains import mixed_field_ising
from gibbs_circuits.programs.initial_state import zero
from gibbs_circuits.programs.program import Program, Stage
from gibbs_circuits.readings.circuits.circuit import assemble, circuit, circuit_segments, random_draws
from gibbs_circuits.search.variational.ansatz import Ansatz
from gibbs_circuits.search.variational.to_steps import steps_of

SITES = 6
SWEEPS = (1, 10, 100, 1000)
ALLOWED = 1.2  # times the gates of the whole circuit routed at once
COUNTED = 10
CHOSEN_SITES, CHOSEN_ERROR = (3, 4, 5, 6), 0.1
ALLOWED_LATTICE = 1.3  # times the gates where every pair interacts
LONG, ALLOWED_LONG, ALLOWED_SECONDS = (20, 60), 1.4, 60.0
TARGET, ANYWHERE = load_target("fake_heavy_hex"), load_target("aer_density_matrix")
CASES: tuple[tuple[int, bool | tuple[int, int]], ...] = ((3, False), (3, (2, 8)), (4, False), (5, False))


@dataclass(frozen=True)
class Row:
    """One program.

    Attributes:
        nodes, delays: Its knobs.
        repeated: Two-qubit gates of 10 sweeps, routed once.
        unrolled_best, unrolled_median: Of the same circuit routed as a whole, over the seeds.
        anywhere: Of the same circuit where every pair interacts.
        placement: Wire of every program qubit, the sites first.
        seconds: To compile 1, 10, 100, 1000 sweeps.
        unrolled_seconds: To route 10 sweeps as a whole from all seeds.
    """

    nodes: int
    delays: str
    repeated: int
    unrolled_best: int
    unrolled_median: int
    anywhere: int
    placement: tuple[int, ...]
    seconds: tuple[float, ...]
    unrolled_seconds: float

    @property
    def ratio(self) -> float:
        """Ours over the best of the circuit routed as a whole."""
        return self.repeated / self.unrolled_best

    @property
    def to_anywhere(self) -> float:
        """Ours over the circuit where every pair interacts."""
        return self.repeated / self.anywhere


@dataclass(frozen=True)
class Chosen:
    """A program with its knobs left out: two-qubit gates of all sweeps, mean over delays, and seconds to compile."""

    sites: int
    lattice: float
    anywhere: float
    placement: tuple[int, ...]
    seconds: float

    @property
    def to_anywhere(self) -> float:
        """The lattice's gates over those where every pair interacts."""
        return self.lattice / self.anywhere


def program(nodes: int, delays: bool | tuple[int, int], sweeps: int, sites: int = SITES) -> Program:
    """The chain's program at plain knobs."""
    generator = dll(mixed_field_ising(sites), 1.0, couplings_of("Y", sites), GaussianFilter(1.0))
    scheme = SCHEMES["parallel"]
    knobs = {"sweeps": sweeps, "strength": 0.8, "spacing": 0.3, "nodes": nodes, "random_delays": delays}
    return scheme(generator, scheme.knobs.model_validate(knobs))


def row(nodes: int, delays: bool | tuple[int, int]) -> Row:
    """Both ways for one program."""
    basis = [*TARGET.basis, "reset"]
    seconds = []
    for sweeps in SWEEPS:
        written = program(nodes, delays, sweeps)
        began = perf_counter()
        compiled = compile_for(written, TARGET, zero(SITES))
        compiled.depth(0)
        seconds.append(perf_counter() - began)
    written = program(nodes, delays, COUNTED)
    compiled = compile_for(written, TARGET, zero(SITES))
    ours = two_qubit_gates(assemble(written, compiled.parts, QuantumCircuit(57), random_draws(written, 0)))
    plain = assemble(written, circuit_segments(written), QuantumCircuit(2 * SITES), random_draws(written, 0))
    assert plain.count_ops() == circuit(written).count_ops()  # the start |0…0⟩ has no gates
    plain = plain.decompose(gates_to_decompose="PauliEvolution")  # else Qiskit exponentiates matrices along the way
    began = perf_counter()
    found = sorted(
        two_qubit_gates(
            transpile(
                plain, basis_gates=basis, coupling_map=TARGET.coupling_map, optimization_level=3, seed_transpiler=seed
            )
        )
        for seed in range(ROUTING_SEEDS)
    )
    spent = perf_counter() - began
    free = two_qubit_gates(transpile(plain, basis_gates=basis, optimization_level=3, seed_transpiler=0))
    text = "none" if delays is False else str(delays)
    return Row(nodes, text, ours, found[0], found[len(found) // 2], free, compiled.placement, tuple(seconds), spent)


def chosen(sites: int) -> Chosen:
    """The chain at a target error of 0.1, with the knobs that are then chosen."""
    generator = dll(mixed_field_ising(sites), 1.0, couplings_of("Y", sites), GaussianFilter(1.0))
    written = compile_program(generator, make_scheme("parallel", {}), CompileTask(CHOSEN_ERROR))
    began = perf_counter()
    compiled = compile_for(written, TARGET, zero(sites))
    seconds = perf_counter() - began
    anywhere = compile_for(written, ANYWHERE, zero(sites)).two_qubit_gates
    return Chosen(sites, compiled.two_qubit_gates, anywhere, compiled.placement, seconds)


@dataclass(frozen=True)
class Long:
    """A long chain's program: two-qubit gates of all sweeps, and processor seconds to compile it."""

    name: str
    sites: int
    anywhere: float
    routed: float
    seconds: float

    @property
    def ratio(self) -> float:
        """The lattice's gates over those where every pair interacts."""
        return self.routed / self.anywhere


def word(sites: int, every: int, letters: str = "abab", sweeps: int = 4) -> Program:
    """Layers of CZ gates with any angles, an ancilla at every so manieth site."""
    owners = range(0, sites, every)
    contacts, bonds = tuple((q, sites + k) for k, q in enumerate(owners)), tuple((q, q + 1) for q in range(sites - 1))
    layers = tuple(contacts if letter == "a" else bonds for letter in letters)
    ansatz = Ansatz(sites, len(owners), layers, real=False)
    steps = steps_of(ansatz, np.random.default_rng(0).normal(size=ansatz.num_angles))
    generator = dll(mixed_field_ising(sites), 1.0, couplings_of("Y", sites), GaussianFilter(1.0))
    return Program(sites, len(owners), (), (Stage(steps, sweeps),), generator, "patch")


LONG_PROGRAMS: dict[str, Callable[[int], Program]] = {
    "abab, an ancilla at every site": lambda sites: word(sites, 1),
    "abab, an ancilla at every other site": lambda sites: word(sites, 2),
    "derived, 4 nodes": lambda sites: program(4, False, 4, sites),
}


def chains() -> bool:
    """Print the table of long chains; whether every one is within 1.4 times all-to-all and a minute."""
    target = load_target("fake_boston")
    compile_for(program(1, False, 1, 3), target, zero(3))  # the first transpilation of a process loads Qiskit's plugins
    table = Table("program", "sites", "all-to-all", "routed", "ratio", "s", title="CZ of 4 sweeps, 156 qubits")
    found = list[Long]()
    for name, write in LONG_PROGRAMS.items():
        for sites in LONG:
            written = write(sites)
            began = process_time()
            compiled = compile_for(written, target, zero(sites))
            seconds = process_time() - began
            found.append(Long(name, sites, gates_anywhere(written), compiled.two_qubit_gates, seconds))
    for r in found:
        table.add_row(
            r.name, str(r.sites), f"{r.anywhere:.0f}", f"{r.routed:.0f}", f"{r.ratio:.2f}", f"{r.seconds:.1f}"
        )
    Console(width=150).print(table)
    return all(r.ratio <= ALLOWED_LONG and r.seconds <= ALLOWED_SECONDS for r in found)


def rows() -> list[Row]:
    """All cases."""
    row(1, False)  # the first transpilation of a process loads Qiskit's plugins
    return [row(nodes, delays) for nodes, delays in CASES]


def main() -> bool:
    """Print the tables; whether repeating costs at most a fifth more, and the lattice at most 1.3 times, everywhere."""
    table = Table(
        "nodes", "delays", "repeated", "whole, best", "whole, median", "all-to-all", "ratio", "ratio to all-to-all",
        *(f"s at {sweeps}" for sweeps in SWEEPS), "whole, s", title=f"CZ of {COUNTED} sweeps, 6 + 6 qubits, heavy-hex",
    )  # fmt: skip
    found = rows()
    for r in found:
        table.add_row(
            str(r.nodes), r.delays, str(r.repeated), str(r.unrolled_best), str(r.unrolled_median), str(r.anywhere),
            f"{r.ratio:.2f}", f"{r.to_anywhere:.3f}", *(f"{s:.2f}" for s in r.seconds), f"{r.unrolled_seconds:.2f}",
        )  # fmt: skip
    defaults = Table(
        "sites", "heavy-hex", "all-to-all", "ratio to all-to-all", "s", "placement: sites; ancillas",
        title=f"CZ of all sweeps, knobs chosen for an error of {CHOSEN_ERROR}, mean over the delays",
    )  # fmt: skip
    programs = [chosen(sites) for sites in CHOSEN_SITES]
    for c in programs:
        defaults.add_row(
            str(c.sites), f"{c.lattice:.0f}", f"{c.anywhere:.0f}", f"{c.to_anywhere:.3f}", f"{c.seconds:.1f}",
            _placed(c.placement, c.sites),
        )  # fmt: skip
    console = Console(width=150)
    console.print(table)
    for r in found:
        console.print(f"nodes {r.nodes}, delays {r.delays}: placed on {_placed(r.placement, SITES)}")
    console.print(defaults)
    return all(r.ratio <= ALLOWED for r in found) and all(c.to_anywhere <= ALLOWED_LATTICE for c in programs)


def _placed(placement: tuple[int, ...], sites: int) -> str:
    return "; ".join(" ".join(map(str, part)) for part in (placement[:sites], placement[sites:]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", choices=("repeated", "chains"), default="repeated")
    {"repeated": main, "chains": chains}[parser.parse_args().task]()
