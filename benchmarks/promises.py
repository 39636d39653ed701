"""What a promise costs: two-qubit gates for any start, for the given one, and by search.

    python benchmarks/promises.py [--effort 1] [--seed 1]

Straight from the formula (`scheme = "parallel"`, knobs by ladder or file), and `scheme = "auto"` by calibration and
guarantee, each with the same effort (about 60 s a step on a quiet core) and seed, which stand beside every figure: each
is `gc.compile(generator, "auto", target_error, calibration=…, guarantee=…, effort=…, seed=…)`. Distances are read off
the exact channel; for any start the worst one found.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

import gibbs_circuits as gc
from gibbs_circuits.backends.transpile.transpile import gates_anywhere
from gibbs_circuits.experiments import pipeline
from gibbs_circuits.experiments.experiment import read_experiment
from gibbs_circuits.experiments.schemes import CompileTask
from gibbs_circuits.programs.program import Guarantee

EXPERIMENTS = Path(__file__).parent.parent / "experiments"
CASES = (("mixed_field_ising.toml", 0.10), ("mixed_field_ising.toml", 0.06), ("h2.toml", 0.10))


def cell(program: gc.Program, target_error: float) -> str:
    """Gates, distance and what is claimed."""
    prediction = gc.predict(program)
    assert prediction is not None  # four qubits
    promise = prediction.promise(target_error)
    gates = gates_anywhere(program)
    given = program.preparation or promise.guarantee is not Guarantee.ANY_START
    far = float(prediction.distances[-1]) if given else prediction.worst_start
    word = "none" if promise.guarantee is None else promise.guarantee.value
    search = program.search
    how = "" if search is None else f", effort {search.effort:g}, seed {search.seed}"
    how += f" ({search.done:.0%})" if search is not None and search.ran_out else ""
    return f"{gates:,.0f} ({far:.4f}) {word}{how}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--effort", type=float, default=1)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    os.environ["GIBBS_CIRCUITS_CACHE"] = tempfile.mkdtemp()  # every search is made
    kinds = list(itertools.product(("derived", "fitted_to_target"), ("any_start", "given_start")))
    names = [f"auto, {kind.replace('_', ' ')}, {guarantee.replace('_', ' ')}" for kind, guarantee in kinds]
    table = Table("experiment", "parallel", *names, title="Two-qubit gates (distance), all-to-all, transpiled")
    for name, target_error in CASES:
        spec = replace(read_experiment(EXPERIMENTS / name), target_error=target_error)
        straight = pipeline.compile_program(spec.generator, spec.scheme, CompileTask(target_error))
        row = [cell(straight, target_error)]
        for kind, guarantee in kinds:
            made = gc.compile(
                spec.generator, "auto", target_error, calibration=kind, guarantee=guarantee,
                effort=given.effort, time_budget=1e6, seed=given.seed,
            )  # fmt: skip
            row.append(cell(made, target_error))
        table.add_row(f"{spec.name}, {target_error:g}", *row)
    Console(width=180).print(table)


if __name__ == "__main__":
    main()
