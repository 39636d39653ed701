"""How good the ladder of settings is: gates it needs against a finer grid of the same formula, model by model.

    python benchmarks/ladder.py

The ladder was chosen on most of these models, so the ratios are optimistic elsewhere.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

from rich.console import Console
from rich.table import Table

from gibbs_circuits.compiler.schemes.parallel import ParallelKnobs
from gibbs_circuits.compiler.schemes.registry import SCHEMES
from gibbs_circuits.compiler.time_domain.ladder import Setting, values_at
from gibbs_circuits.compiler.time_domain.symbolic_jumps import symbolic_jumps, widest
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.kinds.dll import dll
from gibbs_circuits.generators.matrices import largest_rate
from gibbs_circuits.models.files import read_model
from gibbs_circuits.models.library.fermions import hubbard
from gibbs_circuits.models.library.spin_chains import heisenberg, mixed_field_ising, tfim, xxz
from gibbs_circuits.programs.initial_state import zero
from gibbs_circuits.programs.program import Guarantee, Program
from gibbs_circuits.readings.channel.prediction import predict
from gibbs_circuits.readings.circuits.cost import cost
from gibbs_circuits.search.candidates import Candidate
from gibbs_circuits.search.knobs import choose_unset_knobs, pool_of, try_knobs
from gibbs_circuits.search.task import MARGINS

H2 = read_model(Path(__file__).parent.parent / "experiments" / "h2.json")
MODELS = (
    *((mixed_field_ising(n), beta, "Y") for n in (3, 4) for beta in (0.5, 1.0)),
    (tfim(3, 1.0, 1.2), 1.0, "Y"),
    (tfim(3, 1.0, 1.2), 1.0, "XZ"),
    (heisenberg(3, 1.0, 0.4), 0.7, "XZ"),
    (xxz(4, 1.0, 0.7, [0.3, -0.5, 0.8, 0.1]), 0.7, "XZ"),
    (hubbard(2, 1.0, 4.0, 2.0), 1.0, "XY"),
    (H2, 1.0, "X"),
    (H2, 2.0, "X"),
)
GRID = tuple(
    Setting(*row)
    for row in product(
        (0.7, 1.0, 1.3, 1.6, 2.0), (1.7, 2.1, 2.6), (0.27, 0.4, 0.67, 1.0, 1.35), ((0, 0), (0, 2), (0, 4), (2, 8))
    )
)


def main() -> None:
    """Print the table."""
    table = Table("model", "β", "couplings", "target", "ladder", "finer grid", "ratio", title="Two-qubit gates")
    scheme, worst = SCHEMES["parallel"], 0.0
    for model, beta, letters in MODELS:
        generator = dll(model, beta, couplings_of(letters, model.num_qubits), GaussianFilter(beta))
        rate = largest_rate(generator)
        width = widest(symbolic_jumps(generator, None))
        for target in (0.10, 0.06):
            program = choose_unset_knobs(generator, scheme, ParallelKnobs(), target)
            prediction = predict(program, zero(model.num_qubits).density(model.num_qubits))
            met = prediction is not None and prediction.guarantee(target) is Guarantee.ANY_START
            ours = cost(program).two_qubit_gates if met else None
            best: Candidate[Program] | None = None
            pool = pool_of(generator)
            for setting in GRID:
                knobs = ParallelKnobs.model_validate({**values_at(setting, generator, rate, width), "sweeps": 1})
                trial = try_knobs(generator, scheme, knobs, None, target, best, pool)
                if trial.distance > MARGINS.predicted * target:
                    continue
                if best is None or trial.two_qubit_gates < best.two_qubit_gates:
                    best = trial
            ratio = ours / best.two_qubit_gates if ours and best else None
            worst = max(worst, ratio or 0.0)
            shown = ("missed" if v is None else f"{v:,.0f}" for v in (ours, best.two_qubit_gates if best else None))
            table.add_row(
                model.name, f"{beta:g}", letters, f"{target:g}", *shown, "—" if ratio is None else f"{ratio:.2f}"
            )
    console = Console(width=100)
    console.print(table)
    console.print(f"largest ratio: {worst:.2f}")


if __name__ == "__main__":
    main()
