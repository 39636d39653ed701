"""Two-qubit gates to a trace distance, side by side in one run: ours, the hand-written loop, no gate at all.

    python benchmarks/gates.py

Everything is counted after transpilation to cz, rz, sx, x; distances are of exact density matrices, ours the worst of
the starts zero, one and mixed on the exact averaged channel; the loop is carried there from each of the
same three.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from gibbs_circuits import pipeline
from gibbs_circuits.analysis.baselines import best_product_distance, unitary_loop
from gibbs_circuits.backends import compile_for
from gibbs_circuits.experiment import read_experiment
from gibbs_circuits.readings import mixed, one, predict, zero
from gibbs_circuits.spectrum import gibbs_state
from gibbs_circuits.targets import load_target

EXPERIMENTS = Path(__file__).parent.parent / "experiments"
CASES = (("h2.toml", 0.10), ("h2_full.toml", 0.10), ("mixed_field_ising.toml", 0.10), ("mixed_field_ising.toml", 0.06))


def main() -> None:
    """Print the table."""
    table = Table(
        "model", "way", "two-qubit gates", "trace distance", "ratio", title="Two-qubit gates to a Gibbs state"
    )
    for name, target_error in CASES:
        spec = replace(read_experiment(EXPERIMENTS / name), target_error=target_error)
        n = spec.model.num_qubits
        program = pipeline.compile_program(spec.generator, spec.scheme, spec.knobs, target_error)
        prediction = predict(program, spec.initial.density(n))
        assert prediction is not None  # both experiments have four qubits
        reached = max(prediction.worst_start, prediction.fixed_point_distance)
        ours = compile_for(program, spec.target, spec.initial).two_qubit_gates
        lattice = compile_for(program, load_target("fake_heavy_hex"), spec.initial).two_qubit_gates
        product = best_product_distance(gibbs_state(spec.model, spec.generator.beta))
        table.add_row(spec.name, "ours, all-to-all", f"{ours:,.0f}", f"{reached:.4f}", "1")
        table.add_row("", "ours, heavy-hex", f"{lattice:,.0f}", f"{reached:.4f}", f"{lattice / ours:.2f}")
        table.add_row("", "nearest product state found", "0", f"{product:.4f}", "0")
        starts = (zero(n), one(n), mixed())
        loops = [unitary_loop(spec.generator, start.density(n), reached) for start in starts]
        for index, label in enumerate(("UnitaryGate loop, step 0.1", "UnitaryGate loop, its best step")):
            gates = [loop[index].two_qubit_gates for loop in loops if loop]
            counted = [g for g in gates if g is not None]
            worst = max(counted) if len(counted) == len(starts) else None
            shown = ("never", "—") if worst is None else (f"{worst:,}", f"{worst / ours:.1f}")
            table.add_row("", label, shown[0], f"{reached:.4f}", shown[1])
        table.add_section()
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
