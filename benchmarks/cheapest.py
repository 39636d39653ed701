"""The cheapest program found for an accuracy, beside what else a user would take.

    python benchmarks/cheapest.py                                  # everything: four hours on one core
    python benchmarks/cheapest.py --only mfi,h2 --effort 2         # some models, about 2 min for every search
    python benchmarks/cheapest.py --show                           # the table of what is stored, and what is missing

Every row is stored as it comes (results/cheapest/*.json) and is not searched for again; two calls with different
`--only` may run side by side, each with OMP_NUM_THREADS=1. All counts are CZ after Qiskit's level 3 in the basis cz,
rz, sx, x, every pair connected. The distance of a sampler is that of the worst start found by search over pure states,
read anew off the finished program; that of a preparation is from the zero state. Every figure of ours is
`gc.compile(generator, "auto", target, guarantee=…, calibration=…, effort=…, seed=…)`, the same on every machine, with
its effort and seed beside it. Peers: see peers.py, tuned for 60 s a step of our effort.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from peer import Peer, two_qubit_gates
from peer_purifications import eigenstates, nearest_product, purification, thermofield_double
from peer_recipes import preset_peers
from qiskit.quantum_info import SparsePauliOp
from rich.console import Console
from rich.table import Table

import gibbs_circuits as gc
from gibbs_circuits.models.files import read_model
from gibbs_circuits.models.model import Model
from gibbs_circuits.programs.program import Calibration, Guarantee, Program
from gibbs_circuits.readings.circuits.circuit import block

STORE = Path("results/cheapest")
TARGETS = (0.05, 0.02)
FIELDS = [0.45, -0.8, 0.25, 0.65]
ANY, GIVEN = Guarantee.ANY_START, Guarantee.GIVEN_START


def ladder() -> Model:
    """Ising ladder of 2 × 3 sites, J = 1, h = 1.2, g = 0.3."""
    at = {(row, column): 3 * row + column for row in range(2) for column in range(3)}
    bonds = [(at[r, c], at[r, c + 1]) for r in range(2) for c in range(2)] + [(at[0, c], at[1, c]) for c in range(3)]
    terms = [("ZZ", list(bond), -1.0) for bond in bonds]
    terms += [(letter, [q], -field) for q in range(6) for letter, field in (("X", 1.2), ("Z", 0.3))]
    return Model(SparsePauliOp.from_sparse_list(terms, num_qubits=6), "ladder")


@dataclass(frozen=True)
class Case:
    """A model of the table; `limits` are the CZ asked of fitted programs at .05 and .02, any and given start."""

    title: str
    model: Callable[[], Model]
    beta: float
    couplings: str
    limits: dict[tuple[str, float], int]


CASES = {
    "mfi": Case("mixed-field Ising, 4 sites, β = 1",
                lambda: gc.models.mixed_field_ising(4, J=1, h=0.9, g=0.5), 1.0, "Y",
                {("any_start", 0.05): 56, ("any_start", 0.02): 90, ("given_start", 0.05): 6, ("given_start", 0.02): 8}),
    "xxz": Case("XXZ, 4 sites, Δ = .7, fields .45 −.8 .25 .65, β = .7",
                lambda: gc.models.xxz(4, J=1.0, delta=0.7, fields=FIELDS), 0.7, "XZ",
                {("any_start", 0.05): 150, ("given_start", 0.05): 15}),
    "h2": Case("H₂, β = 2", lambda: read_model(Path(__file__).parent.parent / "experiments" / "h2.json"), 2.0, "X",
               {("given_start", 0.05): 12, ("given_start", 0.02): 13}),
    "hubbard": Case("Hubbard dimer, U = 4, β = 1", lambda: gc.models.hubbard(2, t=1.0, U=4.0, mu=2.0), 1.0, "XY",
                    {("given_start", 0.05): 10, ("given_start", 0.02): 12}),
    "tfim": Case("transverse-field Ising, 6 sites, h = 1.2, β = 1", lambda: gc.models.tfim(6, J=1, h=1.2), 1.0, "Y",
                 {("any_start", 0.05): 250, ("given_start", 0.05): 16, ("given_start", 0.02): 22}),
    "ladder": Case("ladder 2 × 3, h = 1.2, g = .3, β = .7", ladder, 0.7, "Y",
                   {("any_start", 0.05): 250, ("given_start", 0.05): 24}),
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One number of the table and how it was obtained."""

    case: str
    way: str
    guarantee: str
    target: float
    gates: float | None
    distance: float
    met: bool
    note: str
    seconds: float
    effort: float = 0
    seed: int = 0


def transpiled(program: Program) -> int:
    """CZ of all sweeps, each transpiled alone; of a random step the mean."""
    if all(type(step).__name__ not in ("RandomDelay", "RandomChoice") for s in program.stages for step in s.steps):
        return sum(s.repeats * two_qubit_gates(block(program, s.steps)) for s in program.stages)
    return round(gc.cost(program).two_qubit_gates)


def ours(
    case: Case, guarantee: Guarantee, calibration: Calibration, target: float, effort: float, seed: int
) -> Program:
    """The search of `scheme = "auto"`."""
    generator = gc.dll(case.model(), beta=case.beta, couplings=case.couplings)
    return gc.compile(
        generator, "auto", target, guarantee=guarantee.value, calibration=calibration.value, effort=effort, seed=seed,
        time_budget=1e6,
    )  # fmt: skip


def row_of(name: str, way: str, guarantee: Guarantee, target: float, program: Program, effort: float, seed: int) -> Row:
    """The row of a search, if the program is of the kind that was asked for."""
    same, met = program.calibration.value == way, program.guarantee is not Guarantee.NONE
    last = program.declared[-1].value if same else None
    mine = [one.distance for one in program.frontier if one.note.startswith(way) and one.distance is not None]
    distance = min(mine, default=float("inf")) if last is None else last
    gates = float(transpiled(program)) if same and met else None
    seconds = 0.0 if program.search is None else program.search.seconds
    return Row(name, way, guarantee.value, target, gates, distance, met and same, program.provenance, seconds, effort,
               seed)  # fmt: skip


def searches(names: list[str], effort: float, seed: int, ways: list[str]) -> None:
    """Every row that is not stored yet."""
    console = Console(stderr=True)
    for name in names:
        case = CASES[name]
        larger = 2 if case.model().num_qubits > 4 else 1
        for way in [w for w in ways if w != "peers"]:
            for target in TARGETS:
                for guarantee in (ANY, GIVEN):
                    if way != "fitted_to_target" and (target != TARGETS[0] or guarantee is GIVEN):
                        continue
                    path = STORE / f"{name}-{way}-{guarantee.value}-{target:g}.json"
                    if path.exists():
                        continue
                    found = ours(case, guarantee, Calibration(way), target, larger * effort, seed)
                    row = row_of(name, way, guarantee, target, found, larger * effort, seed)
                    write(path, [row])
                    gc.save(found, path.with_suffix(".program.json"))
                    console.print(f"{name} {way} {guarantee.value} {target:g}: {row.gates} CZ at {row.distance:.4f}")
        if "peers" in ways and not (STORE / f"{name}-peers.json").exists():
            write(STORE / f"{name}-peers.json", others(name, case, 60.0 * larger * effort))
            console.print(f"{name} peers")


def others(name: str, case: Case, seconds: float) -> list[Row]:
    """The peers."""
    model, rows, begun = case.model(), [], time.monotonic()

    def add(peer: Peer, guarantee: str, target: float) -> None:
        met = peer.gates is not None and peer.distance <= target
        rows.append(Row(name, peer.name, guarantee, target, peer.gates, peer.distance, met, peer.how,
                        time.monotonic() - begun))  # fmt: skip

    for target, found in preset_peers(model, case.beta, case.couplings, TARGETS, seconds).items():
        for peer in found:
            add(peer, "any_start", target)
    for target, peer in thermofield_double(model, case.beta, TARGETS, seconds).items():
        add(peer, "given_start", target)
    for exact in (purification(model, case.beta), eigenstates(model, case.beta)):
        add(exact, "given_start", TARGETS[1])
    add(nearest_product(model, case.beta), "given_start", TARGETS[0])
    return rows


def write(path: Path, rows: list[Row]) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False), encoding="utf-8")
    temporary.replace(path)


def stored() -> list[Row]:
    """All rows."""
    found = []
    for path in sorted(STORE.glob("*.json")):
        if not path.name.endswith(".program.json"):
            found += [Row(**row) for row in json.loads(path.read_text("utf-8"))]
    return found


def show() -> None:
    """The table."""
    rows = stored()
    table = Table("model", "way", "any .05", "any .02", "given .05", "given .02", title="CZ (distance)")
    for name, case in CASES.items():
        limits = [case.limits.get((g, t)) for g in ("any_start", "given_start") for t in TARGETS]
        table.add_row(case.title, "asked of fitted", *("measure" if k is None else f"≤ {k}" for k in limits))
        ways = dict.fromkeys(row.way for row in rows if row.case == name)
        ordered = [w for w in ("fitted_to_target", "patch", "derived") if w in ways]
        for way in [*ordered, *(w for w in ways if w not in ordered)]:
            cells = []
            for guarantee in ("any_start", "given_start"):
                for target in TARGETS:
                    mine = [r for r in rows if (r.case, r.way, r.guarantee) == (name, way, guarantee)]
                    cells.append(cell(mine, target, case))
            table.add_row("", way, *cells)
        table.add_section()
    Console(width=160).print(table)
    for row in rows:
        if not row.met and row.way in ("patch", "derived", "fitted_to_target"):
            print(f"{row.case} {row.way} {row.guarantee} {row.target:g}: {row.note}")


def cell(rows: list[Row], target: float, case: Case) -> str:
    """The fewest gates of any of these searches within the target, and whether it is what was asked for."""
    within = [row for row in rows if row.gates is not None and row.distance <= target]
    if not within:
        missed = [row.distance for row in rows if row.target == target]
        if not missed:
            return ""
        return f"— ({min(missed):.3f})" if min(missed) < math.inf else "refused"
    row = min(within, key=lambda one: one.gates or 0)
    limit = case.limits.get((row.guarantee, target)) if row.way == "fitted_to_target" else None
    mark = "" if limit is None else " ✓" if row.gates is not None and row.gates <= limit else " ✗"
    how = f" e{row.effort:g} s{row.seed}" if row.effort else ""
    return f"{row.gates:,.0f} ({row.distance:.4f}){mark}{how}"


def main() -> None:
    """Search what is missing, then show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(CASES), help="models, by comma")
    parser.add_argument("--ways", default="fitted_to_target,patch,derived,peers", help="what to search, by comma")
    parser.add_argument("--effort", type=float, default=5, help="of every search; twice that above 4 qubits")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="search nothing")
    options = parser.parse_args()
    if not options.show:
        searches(options.only.split(","), options.effort, options.seed, options.ways.split(","))
    show()


if __name__ == "__main__":
    main()
