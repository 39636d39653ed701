"""Two-qubit gates to a trace distance, side by side in one run: ours, the hand-written loop, no gate at all.

    python benchmarks/gates.py

Everything is counted after transpilation to cz, rz, sx, x. Distances are of exact density matrices: from zero, from the
worst start that a search finds on the exact averaged channel, and of the fixed point. The loop is carried to the larger
of the latter two from its own worst start.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from gibbs_circuits.analysis.estimators.baselines import best_product_distance, unitary_loop
from gibbs_circuits.backends.targets.registry import load_target
from gibbs_circuits.backends.transpile.transpile import compile_for
from gibbs_circuits.experiments import pipeline
from gibbs_circuits.experiments.experiment import read_experiment
from gibbs_circuits.experiments.schemes import CompileTask
from gibbs_circuits.models.spectrum import gibbs_state
from gibbs_circuits.readings.channel.prediction import predict

EXPERIMENTS = Path(__file__).parent.parent / "experiments"
CASES = (("h2.toml", 0.10), ("h2_full.toml", 0.10), ("mixed_field_ising.toml", 0.10), ("mixed_field_ising.toml", 0.06))


def main() -> None:
    """Print the table."""
    table = Table(
        "model", "way", "two-qubit gates", "zero / worst found / fixed point", "ratio",
        title="Two-qubit gates to a Gibbs state, from any start",
    )  # fmt: skip
    for name, target_error in CASES:
        spec = replace(read_experiment(EXPERIMENTS / name), target_error=target_error)
        n = spec.model.num_qubits
        program = pipeline.compile_program(spec.generator, spec.scheme, CompileTask(target_error))
        prediction = predict(program, spec.initial.density(n))
        assert prediction is not None  # both experiments have four qubits
        assert prediction.worst_start is not None
        promise = prediction.promise(target_error)
        reached = max(prediction.worst_start, prediction.fixed_point_distance)
        ours = compile_for(program, spec.target, spec.initial).two_qubit_gates
        lattice = compile_for(program, load_target("fake_heavy_hex"), spec.initial).two_qubit_gates
        product = best_product_distance(gibbs_state(spec.model, spec.generator.beta))
        far = f"{prediction.distances[-1]:.4f} / {prediction.worst_start:.4f} / {prediction.fixed_point_distance:.4f}"
        table.add_row(f"{spec.name}, {target_error:g}", f"ours, {promise.text}", f"{ours:,.0f}", far, "1")
        table.add_row("", "ours, heavy-hex", f"{lattice:,.0f}", "", f"{lattice / ours:.2f}")
        table.add_row("", "nearest product state found", "0", f"{product:.4f}", "0")
        loops = unitary_loop(spec.generator, None, reached)
        for index, label in enumerate(("UnitaryGate loop, step 0.1", "UnitaryGate loop, its best step")):
            gates = None if loops is None else loops[index].two_qubit_gates
            shown = ("never", "—") if gates is None else (f"{gates:,}", f"{gates / ours:.1f}")
            table.add_row("", label, shown[0], f"worst found {reached:.4f}", shown[1])
        table.add_section()
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
