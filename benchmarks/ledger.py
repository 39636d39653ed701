"""How well the ledger adds up: 40 seeded pairs of a random model and a scheme, all of them printed.

    python benchmarks/ledger.py

Ten models of 2 or 3 sites with random fields, bonds, couplings and temperature, each with four schemes. The knobs are
drawn too: from coarse to fine nodes, weak to strong, with and without random delays. A pair counts when half the trace
norm of the sum of all shifts is within a factor 2 of the trace distance after all sweeps from |0…0⟩. Dense schemes
have one rung besides the mixing and would add up by construction, so they are not among the four.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from gibbs_circuits.analysis.error_budget.ledger import ledger
from gibbs_circuits.analysis.error_budget.shifts import Ledger
from gibbs_circuits.compiler.schemes.registry import SCHEMES
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.frequency import local_frequency
from gibbs_circuits.generators.kinds.dll import dll
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.generators.matrices import largest_rate
from gibbs_circuits.models.model import from_terms
from gibbs_circuits.programs.initial_state import zero
from gibbs_circuits.programs.program import Program

SEED = 2024
SCHEME_NAMES = ("parallel", "sequential", "random_jumps", "thermal_ancilla")
MODELS = 10
NEEDED = 36


@dataclass(frozen=True, eq=False)
class Pair:
    """One program and its ledger."""

    model: str
    scheme: str
    program: Program
    ledger: Ledger

    @property
    def holds(self) -> bool:
        """Whether the total is within a factor 2 of what is measured."""
        ratio = self.ledger.ratio
        return ratio is not None and 0.5 <= ratio <= 2


def random_generator(rng: np.random.Generator, n: int) -> Lindbladian:
    """A chain of n sites: bonds of two random kinds, random fields in x and z, random letters and β."""
    labels: list[tuple[str, tuple[int, ...]]] = [
        (letters * 2, (site, site + 1)) for site in range(n - 1) for letters in rng.choice(["X", "Y", "Z"], 2, False)
    ]
    labels += [(letter, (site,)) for site in range(n) for letter in "XZ"]
    terms = []
    for letters, sites in labels:
        placed = ["I"] * n
        for letter, site in zip(letters, sites, strict=True):
            placed[site] = letter
        terms.append(("".join(placed), float(rng.uniform(-1.2, 1.2))))
    beta = float(rng.uniform(0.4, 1.6))
    return dll(from_terms(terms), beta, couplings_of(str(rng.choice(["X", "Y", "XZ", "XYZ"])), n), GaussianFilter(beta))


def random_knobs(rng: np.random.Generator, generator: Lindbladian) -> dict[str, Any]:
    """Settings around the ones that the compiler itself would choose."""
    spacing = float(rng.uniform(0.5, 1.6)) / local_frequency(generator)
    nodes = max(2, int(np.ceil(rng.uniform(1.7, 3.0) * generator.beta / spacing)))
    strength = float(rng.uniform(0.3, 2.4)) / largest_rate(generator)
    delays = [(0, 0), (0, 4), (1, 3), (2, 8)][rng.integers(4)]
    return {
        "spacing": spacing, "nodes": nodes, "strength": strength, "random_delays": delays,
        "trotter_order": int(rng.integers(1, 3)), "sweeps": int(rng.integers(10, 41)),
    }  # fmt: skip


def pairs(seed: int = SEED, models: int = MODELS, schemes: Sequence[str] = SCHEME_NAMES) -> Iterator[Pair]:
    """Model by model, scheme by scheme; schemes without nodes take the strength and the sweeps."""
    for index in range(models):
        rng = np.random.default_rng([seed, index])
        n = 2 + index % 2
        generator = random_generator(rng, n)
        knobs = random_knobs(rng, generator)
        for name in schemes:
            scheme = SCHEMES[name]
            taken = {key: value for key, value in knobs.items() if key in scheme.knobs.model_fields}
            program = scheme(generator, scheme.knobs.model_validate(taken))
            yield Pair(f"{index}: {n} sites", name, program, ledger(program, zero(n).density(n)))


def main() -> bool:
    """Print all pairs, and how many add up; whether they are enough."""
    table = Table(
        "model", "β", "scheme", "δ", "τ", "N", "delays", "order", "sweeps", "total", "plain sum", "measured", "ratio"
    )
    good = 0
    for pair in pairs():
        found, knobs = pair.ledger, pair.program.knobs
        good += pair.holds
        settings = (
            "—" if (v := knobs.get(key)) is None else f"{v:.3g}" if isinstance(v, float) else str(v)
            for key in ("strength", "spacing", "nodes", "random_delays", "trotter_order", "sweeps")
        )
        numbers = ("—" if v is None else f"{v:.4f}" for v in (found.total, found.plain_sum, found.measured))
        ratio = "—" if found.ratio is None else f"{found.ratio:.2f}"
        table.add_row(
            pair.model, f"{pair.program.generator.beta:.2f}", pair.scheme, *settings, *numbers,
            ratio if pair.holds else f"{ratio} !",
        )  # fmt: skip
    console = Console(width=150)
    console.print(table)
    console.print(f"within a factor 2: {good} of {MODELS * len(SCHEME_NAMES)} (at least {NEEDED} are asked for)")
    return good >= NEEDED


if __name__ == "__main__":
    main()
