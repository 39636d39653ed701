"""Twenty sites and more: the cheapest programs found, and how far their regions are from the Gibbs state.

    python benchmarks/scale.py [--task programs|references] [--system NAME …] [--sites N …]
                               [--guarantee any_start] [--target-error .05] [--effort 5] [--time-budget 600]

programs: `auto` on a system, and its program read anew, region by region, by backward operators: *local* is the largest
trace distance of a connected region of three sites, from the worst start found where "any" is said, with the bound that
is proved for every start; every row says which reference knows the Gibbs state, and how well.

references: energy per site from each reference that applies, and the largest difference of a Pauli expectation on three
neighbours from the first of them, beside the error bars.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from rich.console import Console
from rich.table import Table

import gibbs_circuits as gc
from gibbs_circuits.errors import GibbsError
from gibbs_circuits.evidence import number
from gibbs_circuits.exact.references.local import local_gibbs
from gibbs_circuits.exact.references.registry import REFERENCES
from gibbs_circuits.linalg.arrays import Real
from gibbs_circuits.models.library.bonds import heavy_hex, ladder, square
from gibbs_circuits.models.regions import strings_of
from gibbs_circuits.readings.scalable.backward import product_start
from gibbs_circuits.readings.scalable.cones import Sweeps
from gibbs_circuits.readings.scalable.local_guarantee import local_prediction, telling_regions

SPREAD = 0.2  # of random couplings and fields, relative


@dataclass(frozen=True)
class System:
    """A row of the table.

    Attributes:
        model: Of so many sites; of its own size on a lattice.
        beta: Inverse temperature.
        couplings: Letters put on every site.
        sites: That it is asked for at.
    """

    model: Callable[[int], gc.Model]
    beta: float
    couplings: str
    sites: tuple[int, ...]


def _disordered(n: int) -> gc.Model:
    rng = np.random.default_rng(1)
    around = 1 + SPREAD * rng.uniform(-1, 1, (2, n))
    return gc.models.mixed_field_ising(n, J=[*around[0, : n - 1]], h=[*0.9 * around[1]], g=0.5)


def _xxz(n: int) -> gc.Model:
    return gc.models.xxz(n, delta=0.7, fields=[*np.random.default_rng(1).uniform(-0.8, 0.8, n)])


SYSTEMS: dict[str, System] = {
    "mixed_field_ising": System(lambda n: gc.models.mixed_field_ising(n), 1.0, "Y", (20, 50, 100)),
    "disordered": System(_disordered, 1.0, "Y", (50,)),
    "tfim_1.2": System(lambda n: gc.models.tfim(n, h=1.2), 1.0, "Y", (20, 50)),
    "tfim_critical": System(lambda n: gc.models.tfim(n, h=1.0), 1.0, "Y", (20, 50)),
    "xxz": System(_xxz, 0.7, "X", (20, 50)),
    "heisenberg": System(lambda n: gc.models.heisenberg(n), 0.5, "X", (20, 50)),
    "ladder": System(lambda n: gc.models.mixed_field_ising(ladder(n // 2), h=1.2, g=0.3), 0.7, "Y", (40,)),
    "heavy_hex": System(lambda n: gc.models.mixed_field_ising(heavy_hex(3, 1), h=1.2, g=0.3), 0.7, "Y", (31,)),
    "square": System(lambda n: gc.models.tfim(square(5, 4), h=3.0), 0.5, "Y", (20,)),
}


def programs(console: Console, rows: list[tuple[str, int]], args: argparse.Namespace) -> bool:
    """The cheapest program found for each, read anew; whether all meet the target."""
    table = Table(
        "system", "sites", "CZ per site", "local, own start", "local, worst found", "proved", "± ", "reference",
        "found in s", "read in s", "how",
        title=f"{args.guarantee}, local ≤ {args.target_error:g}, effort {args.effort:g}",
    )  # fmt: skip
    met = True
    for name, sites in rows:
        system = SYSTEMS[name]
        model = system.model(sites)
        generator = gc.dll(model, system.beta, couplings=system.couplings)
        began = perf_counter()
        try:
            program = gc.compile(
                generator, "auto", args.target_error, guarantee=args.guarantee, effort=args.effort,
                time_budget=args.time_budget,
            )  # fmt: skip
        except GibbsError as error:
            table.add_row(name, str(sites), "—", *["—"] * 5, f"{perf_counter() - began:.0f}", "—", str(error)[:160])
            met = False
            continue
        found, n = perf_counter() - began, model.num_qubits
        gates = next(one.two_qubit_gates for one in program.frontier if one.chosen)
        began = perf_counter()
        try:
            regions = telling_regions(model)
            sigma = local_gibbs(model, system.beta, regions)
            read = local_prediction(
                Sweeps.of(program), sigma, product_start(n, (0, 0, 1)), 0.2 * args.target_error, regions=regions
            )
        except GibbsError as error:
            table.add_row(name, str(n), f"{gates / n:.1f}", *["—"] * 5, f"{found:.0f}", "—", str(error)[:160])
            met = False
            continue
        given, every = read.given, args.guarantee == "any_start"
        own = np.nan if given is None else given.largest
        met &= (read.largest if every else own) <= args.target_error
        table.add_row(
            name, str(n), f"{gates / n:.1f}", number(own), number(read.largest) if every else "—",
            number(read.bound) if every else "—", number(read.error), sigma.source, f"{found:.0f}",
            f"{perf_counter() - began:.0f}", f"{program.calibration.value}, {program.sweeps} sweeps",
        )  # fmt: skip
        console.print(f"{name} {n}: {program.provenance}")
    console.print(table)
    return met


def references(console: Console, rows: list[tuple[str, int]]) -> bool:
    """All references that apply, held against the first; whether they agree within four times their bars."""
    table = Table("system", "sites", "reference", "energy per site", "±", "Pauli values off by", "± ", "z", "seconds")
    agree = True
    for name, sites in rows:
        system = SYSTEMS[name]
        model, first = system.model(sites), None
        n = model.num_qubits
        strings = [one for one in strings_of(tuple(range(n // 2 - 1, n // 2 + 2))) if one]
        for reference in REFERENCES:
            if reference.why_not(model, system.beta) is not None:
                continue
            began = perf_counter()
            answer = reference.answer(model, system.beta)
            values, bars = answer.paulis(strings), answer.pauli_errors(strings)
            if values is None:
                continue
            error = answer.errors.get("energy", 0.0) / n
            first = (values, bars, answer.thermal.energy / n, error) if first is None else first
            off, bar = float(np.max(np.abs(values - first[0]))), _largest(bars, first[1])
            apart, allowed = abs(answer.thermal.energy / n - first[2]), float(np.hypot(error, first[3]))
            z = apart / allowed if allowed > 0 else 0.0
            agree &= z <= 4.0 or apart < 1e-10
            table.add_row(
                name, str(n), reference.name, number(answer.thermal.energy / n, 6), number(error), number(off),
                number(bar), f"{z:.1f}", f"{perf_counter() - began:.1f}",
            )  # fmt: skip
    console.print(table)
    return agree


def _largest(bars: Real, others: Real) -> float:
    return float(np.max(np.hypot(np.broadcast_to(bars, np.shape(others)), others)))


def main() -> int:
    """Print the tables asked for; 0 where all that was asked is met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=("programs", "references"), default="programs")
    parser.add_argument("--system", nargs="*", choices=tuple(SYSTEMS), default=tuple(SYSTEMS))
    parser.add_argument("--sites", nargs="*", type=int, default=None)
    parser.add_argument("--guarantee", choices=("any_start", "given_start"), default="any_start")
    parser.add_argument("--target-error", type=float, default=0.05)
    parser.add_argument("--effort", type=float, default=5.0)
    parser.add_argument("--time-budget", type=float, default=600.0)
    args = parser.parse_args()
    console = Console(width=200)
    rows = [(name, n) for name in args.system for n in (args.sites or SYSTEMS[name].sites)]
    good = programs(console, rows, args) if args.task == "programs" else references(console, rows)
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
