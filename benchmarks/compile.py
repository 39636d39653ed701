"""The compiler, held to what it declares: orders, exactness, kinds, the shift rule, the ledger, peers, routing.

    python benchmarks/compile.py                  # about eight minutes on two cores
    python benchmarks/compile.py --task shift     # one table

Tables: orders, schemes, circuits, kinds, shift, coherent, ledger, kagome, routing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from qiskit import QuantumCircuit, qasm3, transpile
from qiskit.quantum_info import DensityMatrix, partial_trace, random_density_matrix
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))  # the neighbouring benchmarks, whatever the working directory

import gibbs_circuits as gc
from benchmarks import ledger, routing, trajectories
from gibbs_circuits.analysis.error_budget.coherent_tradeoff import coherent_tradeoff
from gibbs_circuits.analysis.error_budget.orders import fitted_slope, measured_rungs
from gibbs_circuits.compiler.schemes.registry import SCHEMES
from gibbs_circuits.compiler.schemes.thermal_ancilla import interactions
from gibbs_circuits.compiler.time_domain.symbolic_jumps import symbolic_jumps
from gibbs_circuits.linalg.arrays import unvec, vec
from gibbs_circuits.linalg.fixed_point import fixed_point
from gibbs_circuits.models.model import from_terms
from gibbs_circuits.models.spectrum import gibbs_state, trace_distance
from gibbs_circuits.programs.program import Program
from gibbs_circuits.programs.transforms import exactly_evolved
from gibbs_circuits.readings.channel.sweep_channel import sweep_channel
from gibbs_circuits.readings.circuits.circuit import assemble, circuit_segments, random_draws
from gibbs_circuits.readings.circuits.cost import step_gates

SLOPE = 0.15
LARGEST = 8
BASIS = ["cx", "u", "reset"]
SMALL: dict[str, Any] = {
    "sweeps": 1, "strength": 0.5, "spacing": 0.3, "nodes": 5, "random_delays": (1, 3), "step": 0.5,
}  # fmt: skip
KINDS: dict[str, Callable[[gc.Model], gc.Lindbladian]] = {
    "dll gaussian": lambda m: gc.dll(m, 1.0, "Y"),
    "dll metropolis": lambda m: gc.dll(m, 1.0, "Y", "metropolis"),
    "ckg gaussian": lambda m: gc.ckg(m, 1.0, "Y"),
    "ckg metropolis": lambda m: gc.ckg(m, 1.0, "Y", "metropolis"),
    "davies": lambda m: gc.davies(m, 1.0, "Y"),
    "ule with B": lambda m: gc.ule(m, 1.0, "Y", coherent="balance"),
    "coarse-grained with B": lambda m: gc.coarse_grained(m, 1.0, "Y", coherent="balance"),
    "scandi_alhambra": lambda m: gc.scandi_alhambra(m, 1.0, "Y"),
    "custom": lambda m: gc.custom(m, 1.0, lambda a, b: np.exp(-((a - b) ** 2) / 4 - (a + b) / 4 - (a + b) ** 2 / 9)),
}


def coupling_strength(generator: gc.Lindbladian, strength: float, spacing: float, count: int) -> float:
    r"""α of every interaction, $\alpha^2 = \delta\sum_k w_k\,\tau\sum_l|f_k(t_l)|^2$."""
    one = interactions(generator, strength, spacing, count)[0]
    return float(np.sqrt(np.sum(np.abs(one.angles) ** 2) / spacing))


def two_qubit_gates_at(program: Program, draws: Iterable[int]) -> float:
    """Two-qubit gates of all sweeps at given draws of the random steps: exactly those of the circuit written out."""
    left, sweeps = iter(draws), (stage for stage in program.stages for _ in range(stage.repeats))
    return sum(step_gates(program, one) for stage in sweeps for step in stage.steps for one in step.performed(left))


def program(generator: Any, scheme: str, **knobs: Any) -> Program:
    """At the small settings where nothing else is said."""
    fields = SCHEMES[scheme].knobs.model_fields
    taken = {key: value for key, value in {**SMALL, **knobs}.items() if key in fields}
    return gc.compile(generator, scheme=scheme, **taken)


def random_model(seed: int, n: int) -> gc.Model:
    """Random bonds and fields."""
    rng = np.random.default_rng(seed)
    terms = [
        ("I" * (n - 2 - k) + a + b + "I" * k, float(rng.normal())) for k in range(n - 1) for a in "XZ" for b in "XZ"
    ]
    terms += [("I" * (n - 1 - k) + a + "I" * k, float(rng.normal())) for k in range(n) for a in "XYZ"]
    return from_terms(terms, f"random {seed}")


def orders(console: Console) -> bool:
    """Every scheme's declared order as a slope, with the controls that must fail."""
    table = Table("scheme", "rung", "knob", "errors", "slope", "declared", "holds", title="Declared orders, 2 sites")
    good = True
    for name in SCHEMES:
        for rung in measured_rungs(program(gc.dll(gc.models.mixed_field_ising(2), 1.0), name, nodes=9, spacing=0.25)):
            errors = " ".join(f"{e:.1e}" for e in rung.errors)
            slope = "—" if rung.slope is None else f"{rung.slope:.2f}"
            holds = {True: "yes", False: "NO", None: "—"}[rung.holds]
            good &= rung.holds is not False
            table.add_row(name, rung.rung.value, rung.knob, errors, slope, rung.declared, holds)
    console.print(table)
    return good


def one_sweep(console: Console) -> bool:
    """A sweep of each scheme: gates, fixed point, contraction; what is left out is chosen for a target of 0.10."""
    generator = gc.dll(gc.models.mixed_field_ising(3), 1.0, couplings="Y", filter="gaussian")
    table = Table("scheme", "knobs", "two-qubit gates", "fixed point", "contraction", title="One sweep, 3-site Ising")
    for name, scheme in SCHEMES.items():
        drawn = {"strength": 1 / 3} if name in ("random_jumps", "thermal_ancilla") else {"strength": 1.0}
        knobs = {key: value for key, value in (drawn | {"step": 0.9}).items() if key in scheme.knobs.model_fields}
        written = gc.compile(generator, scheme=name, sweeps=1, **knobs)
        predicted = gc.predict(written)
        assert predicted is not None
        assert predicted.settled is not None
        table.add_row(
            name, ", ".join(f"{key} = {value:.3g}" for key, value in knobs.items()),
            f"{gc.cost(written).two_qubit_gates:,.0f}", f"{predicted.fixed_point_distance:.2g}",
            f"{predicted.settled.contraction:.3f}",
        )  # fmt: skip
    console.print(table)
    return True


def evolved(qc: QuantumCircuit, rho: np.ndarray) -> np.ndarray:
    """The system's state after the circuit, by qiskit.quantum_info alone; a dense superoperator would not fit."""
    n = round(np.log2(len(rho)))
    rest = np.zeros((2 ** (qc.num_qubits - n),) * 2)
    rest[0, 0] = 1
    return np.asarray(partial_trace(DensityMatrix(np.kron(rest, rho)).evolve(qc), range(n, qc.num_qubits)).data)


def circuits(console: Console) -> bool:
    """Circuit = channel, cost = count, and the written OpenQASM read back."""
    table = Table(
        "scheme", "n", "model", "ancillas", "circuit − channel", "QASM read back − channel", "cost", "count",
        title="One sweep at fixed draws on a random state, against qiskit.quantum_info",
    )  # fmt: skip
    good = True
    for name in SCHEMES:
        for n in (1, 2, 3):
            for seed in (11, 12):
                p = program(gc.dll(random_model(seed, n), 0.8, "Y"), name)
                if p.num_qubits > LARGEST:
                    continue  # minutes of qiskit.quantum_info
                draws = random_draws(p, 3)
                qc = assemble(p, circuit_segments(p), QuantumCircuit(p.num_qubits), draws)
                flat = transpile(qc, basis_gates=BASIS, optimization_level=0)
                rho = random_density_matrix(2**n, seed=seed).data
                exact = unvec(sweep_channel(p, draws=draws) @ vec(rho))
                mine = np.abs(evolved(flat, rho) - exact).max()
                back = np.abs(evolved(qasm3.loads(qasm3.dumps(flat)), rho) - exact).max()
                price, count = two_qubit_gates_at(p, draws), flat.count_ops().get("cx", 0)
                good &= mine < 1e-10 and back < 1e-8 and abs(price - count) < 1e-6
                table.add_row(
                    name, str(n), p.generator.model.name, str(p.num_ancilla), f"{mine:.1e}", f"{back:.1e}",
                    f"{price:g}", str(count),
                )  # fmt: skip
    console.print(table)
    return good


def kinds(console: Console) -> bool:
    """Every exact kind reaches a circuit, whose fixed point tends to σ as the knobs are refined together."""
    table = Table(
        "kind", "jumps per coupling", "scheme", *(f"δ = {d:g}" for d in (0.06, 0.03, 0.015)), "slope",
        title="Trace distance of the fixed point to σ, 2 sites, order-4 product formula, wide grid",
    )  # fmt: skip
    good, model = True, gc.models.mixed_field_ising(2)
    sigma = gibbs_state(model, 1.0)
    for name, make in KINDS.items():
        generator = make(model)
        for scheme in ("parallel", "sequential", "random_jumps"):
            fine = {"spacing": 0.15, "nodes": 97, "random_delays": (8, 48), "trotter_order": 4}
            strengths = (0.06, 0.03, 0.015)
            compiled = [program(generator, scheme, strength=d, **fine) for d in strengths]
            errors = [trace_distance(fixed_point(sweep_channel(p)), sigma) for p in compiled]
            slope = fitted_slope(strengths, errors)
            good &= slope is not None and abs(slope - 1) <= SLOPE
            factors = len(symbolic_jumps(generator)) // len(generator.contacts)
            table.add_row(name, str(factors), scheme, *(f"{e:.2e}" for e in errors), f"{slope:.2f}" if slope else "—")
    channel = gc.discrete(model, 1.0)
    for scheme in ("discrete", "stinespring"):
        error = trace_distance(fixed_point(sweep_channel(gc.compile(channel, scheme=scheme, sweeps=1))), sigma)
        good &= error < 1e-10
        table.add_row("discrete", "—", scheme, f"{error:.1e}", "", "", "exact")
    console.print(table)
    return good


def shift(console: Console) -> bool:
    """Thermal ancillas with and without the shift rule."""
    table = Table(
        "model", "rule", *(f"α = {a:g}" for a in (0.4, 0.2, 0.1)), "slope", "times closer at 0.1",
        title="Trace distance of the fixed point, nine Pauli couplings, β = 1, s = 1, exact evolution",
    )  # fmt: skip
    good = True
    for model in (gc.models.mixed_field_ising(3), *(random_model(seed, 3) for seed in range(1, 6))):
        generator, sigma = gc.ckg(model, 1.0, "XYZ", sigma_E=0.5, omega_gamma=1.0), gibbs_state(model, 1.0)
        errors: dict[bool, list[float]] = {}
        for rule in (True, False):
            errors[rule] = []
            for alpha in (0.4, 0.2, 0.1):
                spacing, nodes = 0.2, 51
                strength = (alpha / coupling_strength(generator, 1.0, spacing, nodes)) ** 2
                p = program(
                    generator, "thermal_ancilla", strength=strength, spacing=spacing, nodes=nodes,
                    random_delays=(0, 20), shift=rule,
                )  # fmt: skip
                errors[rule].append(trace_distance(fixed_point(sweep_channel(exactly_evolved(p))), sigma))
        ratio = errors[False][-1] / errors[True][-1]
        good &= ratio >= 10 and abs((fitted_slope((0.4, 0.2, 0.1), errors[True]) or 0) - 2) <= SLOPE
        for rule in (True, False):
            slope = fitted_slope((0.4, 0.2, 0.1), errors[rule])
            table.add_row(
                model.name if rule else "", "shifted" if rule else "plain", *(f"{e:.2e}" for e in errors[rule]),
                f"{slope:.2f}", f"{ratio:.0f}" if rule else "",
            )  # fmt: skip
    console.print(table)
    return good


def coherent(console: Console) -> bool:
    """The term B compiled: what it costs and what it brings."""
    table = Table(
        "scheme", "delays", "what", "two-qubit gates per sweep", "fixed point", "contraction", title="B, n = 3"
    )
    generator = gc.dll(gc.models.mixed_field_ising(3), 1.0)
    for scheme in ("sequential", "parallel"):
        for delays in ((0, 0), (2, 8)):
            knobs = SCHEMES[scheme].knobs.model_validate(
                {"sweeps": 1, "strength": 1.0, "spacing": 0.25, "nodes": 8, "random_delays": delays}
            )
            for row in coherent_tradeoff(generator, scheme, knobs):
                table.add_row(
                    scheme, str(delays), row.what, f"{row.two_qubit_gates:g}", f"{row.distance:.4f}",
                    f"{row.contraction:.3f}",
                )  # fmt: skip
    console.print(table)
    return True


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables; exit status 1 if one does not bear out what is declared."""
    tasks: dict[str, Callable[[Console], bool]] = {
        "orders": orders, "schemes": one_sweep, "circuits": circuits, "kinds": kinds, "shift": shift,
        "coherent": coherent, "ledger": lambda _: ledger.main(), "kagome": lambda _: trajectories.main(),
        "routing": lambda _: routing.main(),
    }  # fmt: skip
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=tasks, action="append", help="only this table")
    chosen = parser.parse_args(arguments).task or list(tasks)
    console = Console(width=150)
    results = {name: tasks[name](console) for name in chosen}
    for name, good in results.items():
        console.print(f"{name}: {'bears out what is declared' if good else 'DOES NOT BEAR OUT what is declared'}")
    sys.exit(0 if all(results.values()) else 1)


if __name__ == "__main__":
    main()
