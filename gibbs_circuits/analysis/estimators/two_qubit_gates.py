"""The two-qubit gates of a program beside what a reader would compare them with."""

from __future__ import annotations

from dataclasses import dataclass

from ...evidence import number
from ...io.json import plain
from ...io.section import Section, count
from ...limits import MAX_LOOP_JUMPS, MAX_LOOP_QUBITS, MAX_PRODUCT_QUBITS
from .base import Analysis, Finding
from .baselines import UnitaryLoop, best_product_distance, unitary_loop
from .measured_run import MeasuredRun
from .target import target_section


@dataclass(frozen=True)
class Baselines:
    """What a program has to beat.

    Attributes:
        product_distance: Trace distance of the nearest product state found; None where it was not looked for.
        loop: The hand-written loop at the step 0.1 and at its best step; None where it was not carried.
    """

    product_distance: float | None
    loop: tuple[UnitaryLoop, UnitaryLoop] | None


def _baselines(run: MeasuredRun) -> Baselines:
    if not run.baselines or run.sigma is None:
        return Baselines(None, None)
    predicted = None if run.prediction is None else float(run.prediction.distances[-1])
    reached = next(d for d in (run.trace_distance, predicted, run.target_error) if d is not None)
    return Baselines(best_product_distance(run.sigma), unitary_loop(run.program.lindbladian, run.start, reached))


def _loop_rows(run: MeasuredRun, loop: tuple[UnitaryLoop, UnitaryLoop] | None, ours: float) -> list[tuple[str, ...]]:
    name = "hand-written UnitaryGate loop"
    if loop is None and run.baselines:
        return [(f"{name}: not checked above {MAX_LOOP_QUBITS} qubits or {MAX_LOOP_JUMPS} jumps", "—", "—", "—")]
    rows: list[tuple[str, ...]] = []
    for one, step in zip(loop or (), ("step 0.1", "best step, {:.3g}"), strict=False):
        gates = one.two_qubit_gates
        rows.append((
            f"{name}, {step.format(one.step)}, {count(one.steps)} steps",
            "never gets there" if gates is None else count(gates),
            number(one.distance),
            f"{gates / ours:.1f}" if gates is not None and ours else "—",
        ))  # fmt: skip
    return rows


def _measure(run: MeasuredRun) -> Finding[Baselines]:
    found, compiled, lattice = _baselines(run), run.run.request.compiled, run.run.lattice
    ours, device = compiled.two_qubit_gates, compiled.device
    rows: list[tuple[str, ...]] = []
    rows.append((f"this program on {device.name} ({device.lattice})", count(ours), number(run.trace_distance), "1"))
    if lattice is not None:
        ratio = f"{lattice.two_qubit_gates / ours:.2f}" if ours else "—"
        name = f"the same, counted on {lattice.device.name}, not simulated"
        rows.append((name, count(lattice.two_qubit_gates), "—", ratio))
    missing = run.baselines and found.product_distance is None
    nearest = f"nearest product state{f': not checked above {MAX_PRODUCT_QUBITS} qubits' if missing else ' found'}"
    rows += [
        (nearest, "0", number(found.product_distance), "0"),
        ("diagonal part of the Gibbs state: a classical mixture", "0", number(run.diagonal_distance), "0"),
        *_loop_rows(run, found.loop, ours),
    ]
    data = {
        "lattice": None if lattice is None else target_section(lattice, run.run.request.seed).data["target"],
        "baselines": {
            "best_product_trace_distance": found.product_distance,
            "diagonal_trace_distance": run.diagonal_distance,
            "initial_trace_distance": run.initial_distance,
            "unitary_gate_loop": plain(found.loop),
        },
    }
    title = f"Two-qubit gates: {run.program.scheme}, {run.program.sweeps} sweeps"
    head = ("way", "two-qubit gates", "trace distance", "ratio to ours")
    return Finding(found, (Section(title, head, tuple(rows), data=data),))


two_qubit_gates = Analysis("two_qubit_gates", "Two-qubit gates and baselines", _measure)
