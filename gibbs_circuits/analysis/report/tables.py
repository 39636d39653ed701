"""Tables of one thing each, for a terminal and for a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from ...backends.runs.usage import Usage
from ...backends.simulators.forecast import Forecast
from ...backends.simulators.noisy_channel import NoisyPrediction
from ...backends.transpile.compiled import Ancillas, Compiled
from ...backends.transpile.transpile import anywhere
from ...evidence import number, share
from ...exact.certificate.certificate import Certificate
from ...exact.dynamics.nonequilibrium import Steady
from ...io.memory import gib
from ...io.progress import spelled
from ...io.rendering import table_of
from ...models.spectrum import Thermal
from ...programs.program import ErrorTerm, Program
from ...readings.channel.prediction import Prediction, promise_of
from ...readings.circuits.cost import cost
from ..error_budget.coherent_tradeoff import CoherentRow
from ..error_budget.shifts import Ledger

if TYPE_CHECKING:
    from rich.table import Table


ANCILLAS = {
    Ancillas.RESET: "reset",
    Ancillas.FRESH: "not used again",
    Ancillas.RECORDED: "measured, recorded and reset",
}


def count(value: float | None) -> str:
    """A count, possibly a mean."""
    if value is None:
        return "—"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def generator_table(generator: object, cert: Certificate) -> Table:
    """A certificate, with how each line is known."""
    judged = "with −i[H + Lamb shift, ·]" if cert.with_hamiltonian else "certificate, without −i[H, ·]"
    table = table_of(f"Generator: {generator!r}", judged, "value", "status")

    def row(label: str, field: str, text: str, status: str | None = None) -> None:
        table.add_row(label, text, status or cert.status(field).value.replace("_", " "))

    row("residual ‖L(σ)‖ / ‖L‖‖σ‖", "residual", number(cert.residual))
    without = "residual_without_coherent"
    row("  without the coherent term (control)", without, number(cert.residual_without_coherent))
    row(f"bias{' with H' if cert.with_hamiltonian else ', without H'}: {BIAS}", "bias", bias_text(cert, "bias"))
    if not cert.with_hamiltonian:
        row("  with H", "bias_with_hamiltonian", bias_text(cert, "bias_with_hamiltonian"))
    row("KMS defect (kernel and B)", "kms_defect", number(cert.kms_defect))
    row("GNS defect (0 for secular kernels only)", "gns_defect", number(cert.gns_defect))
    lowest = cert.lowest_kernel_eigenvalue
    positive = "—" if lowest is None else f"{'yes' if cert.completely_positive else 'NO'} ({number(lowest)})"
    row("completely positive (lowest / largest eigenvalue)", "lowest_kernel_eigenvalue", positive)
    counts = (cert.steady_states, cert.steady_states_with_hamiltonian)
    steady = " / ".join("—" if count is None else str(count) for count in counts)
    row("steady states, without / with H", "steady_states_with_hamiltonian", steady)
    row("conserved Pauli strings and charges", "conserved", ", ".join(cert.conserved) or "none")
    unresolved = cert.spectral_gap is None and cert.gap_resolution is not None
    gap = f"below {number(10 * (cert.gap_resolution or 0))}" if unresolved else with_error(cert, "spectral_gap")
    gap = f"— ({cert.gap_unknown})" if cert.gap_unknown is not None else gap
    if cert.growth_rate is not None:
        row("UNSTABLE: largest growth rate", "growth_rate", number(cert.growth_rate))
    row("spectral gap", "spectral_gap", gap, "measured, not resolved" if unresolved else None)
    if cert.rates is not None:
        row("rates of transitions, fastest … slowest", "rates", str(cert.rates))
    time = cert.relaxation_time
    row("time to relax, in units of 1/(largest rate)", "spectral_gap", number(time, 1))
    proved = "proved from the measured gap" if cert.mixing_bound is not None else "not checked"
    row("mixing time bound, ε = 0.1", "mixing_bound", number(cert.mixing_bound, 4), proved)
    reach = cert.jump_locality
    shares = "—" if reach is None else ", ".join(f"{share:.2g}" for share in reach)
    row("jump norm outside radius 0, 1, 2, …", "jump_locality", shares)
    return table


SHOWN = 1e-5  # a relative error that a table of four digits shows


def within(value: float, error: float) -> str:
    """A value to eight digits with its error; below that error it is none."""
    if abs(value) <= error:
        return f"0 within {error:.0e}"
    return f"{value:.8g} ± {error:.0e}"


BIAS = "distance of the steady state to σ"


def with_error(cert: Certificate, field: str) -> str:
    """A figure of a certificate, with its error where that shows."""
    value, error = getattr(cert, field), cert.error_estimate.get(field, 0.0)
    if value is None or error <= SHOWN * abs(value):
        return number(value)
    return f"{number(value)} ± {error:.0e}" if error < abs(value) else f"below {error:.0e}"


def bias_text(cert: Certificate, field: str) -> str:
    """A bias, which of several steady states it is about, and its error."""
    counts = (cert.steady_states, cert.steady_states_with_hamiltonian)
    count = counts[field == "bias_with_hamiltonian" or cert.with_hamiltonian]
    if getattr(cert, field) == 0 and cert.error_estimate.get(field) == 0:
        return "0 (detailed balance)"
    if getattr(cert, field) is None:
        return "—"
    several = f", from the maximally mixed start ({count} steady states)" if count is not None and count > 1 else ""
    return with_error(cert, field) + several


def steady_table(steady: Steady) -> Table:
    """The steady state between several baths."""
    table = table_of("Steady state between the baths, with H", "quantity", "value")
    table.add_row("decided in", steady.how)
    table.add_row("energy", within(steady.energy, steady.energy_error))
    table.add_row("entropy", within(steady.entropy, steady.entropy_error))
    for index, bath in enumerate(steady.baths):
        current = within(bath.heat_current, bath.heat_current_error)
        table.add_row(f"heat current from bath {index}, β = {bath.beta:g}, into the system", current)
        table.add_row(f"  trace distance to the Gibbs state at β = {bath.beta:g}", number(bath.trace_distance))
    return table


def promise(program: Program, prediction: Prediction | None, target_error: float) -> str:
    """What a program is entitled to claim, and where its settings come from."""
    found = promise_of(program, prediction, target_error)
    return f"guarantee: {found.text}, calibration: {program.calibration.value}"


def ends(prediction: Prediction) -> str:
    """The distances after all sweeps: from three starts that are easy to prepare, and from the worst that was found."""
    listed = ", ".join(f"{name} {number(distance)}" for name, distance in prediction.starts.items())
    worst = prediction.worst_start
    return f"{listed}; worst found {'not searched' if worst is None else number(worst)}"


def bounded(prediction: Prediction) -> str:
    """The proved bound for every start, where it says anything."""
    bound = prediction.bound
    return "—" if bound is None else "none below 1" if bound >= 1 else number(bound)


def ledger_table(rows: Sequence[ErrorTerm]) -> Table:
    """Error terms, and how well they add up."""
    table = table_of("Error ledger: what each rung does to the state", "rung", "value", "unit", "status", "source")
    table.columns[4].justify = "left"
    for row in rows:
        unit, status = row.unit.replace("_", " "), row.status.value.replace("_", " ")
        table.add_row(row.rung.value, number(row.value), unit, status, row.source)
    if isinstance(rows, Ledger) and rows.total is not None:
        table.caption, table.caption_justify = rows.verdict, "left"
    return table


def exact_table(exact: Thermal) -> Table:
    """Thermal functions."""
    table = table_of("Exact Gibbs state", "quantity", "value")
    for name, value in asdict(exact).items():
        table.add_row(name.replace("_", " "), number(value, 8))
    return table


def _settled(prediction: Prediction, target_error: float) -> list[tuple[str, str]]:
    """What repeating the last stage's sweep leads to; nothing of a preparation."""
    fixed = prediction.settled
    if fixed is None:
        return []
    needed, status = prediction.sweeps_to(target_error)
    rows = [
        ("predicted trace distance of the fixed point", number(fixed.distance)),
        ("predicted contraction per sweep", share(fixed.contraction)),
        ("predicted β of the fixed point, by its energy", number(fixed.beta)),
        (f"sweeps to {target_error:g} from the worst start found ({status.value.replace('_', ' ')})", count(needed)),
    ]
    if prediction.relaxation.applications:
        rows.append(("fixed point and contraction, by Krylov", prediction.relaxation.text))
    return rows


def with_noise(noisy: NoisyPrediction | None, preparation: bool) -> list[tuple[str, str]]:
    """What the exact channel with the target's gate noise says; no fixed point of a preparation."""
    if noisy is None:
        return []
    reached = ("with gate noise: trace distance after all sweeps", number(float(noisy.distances[-1])))
    if preparation:
        return [reached]
    fixed = f"{number(noisy.fixed_point_distance)}, {number(noisy.fixed_point_energy, 5)}"
    return [
        reached,
        ("with gate noise: fixed point, distance and energy", fixed),
        ("with gate noise: β of the fixed point, contraction",
         f"{number(noisy.fixed_point_beta)}, {share(noisy.contraction)}"),
    ]  # fmt: skip


def program_table(
    program: Program,
    compiled: Compiled,
    prediction: Prediction | None,
    target_error: float,
    noisy: NoisyPrediction | None = None,
) -> Table:
    """What a program costs and what the exact channel predicts of it."""
    table = table_of(f"Program: {program!r}", "quantity", "value")
    knobs = ", ".join(f"{key} = {value}" for key, value in program.knobs.items() if value is not None)
    table.add_row("knobs", knobs)
    table.add_row(f"at target error {target_error:g}", promise(program, prediction, target_error))
    table.add_row("two-qubit gates, from the formula", count(cost(program).two_qubit_gates))
    name = f"{compiled.device.name} ({compiled.device.lattice})"
    table.add_row(f"two-qubit gates on {name}", count(compiled.two_qubit_gates))
    for row in placement_rows(compiled):
        table.add_row(*row)
    if prediction is not None:
        if compiled.errors.present:
            table.add_row("predictions and guarantee", "of the program, without this target's gate noise")
        table.add_row("predicted trace distance, by start", ends(prediction))
        table.add_row("  from every start, proved bound", bounded(prediction))
        for row in _settled(prediction, target_error):
            table.add_row(*row)
    for label, value in with_noise(noisy, program.preparation):
        table.add_row(label, value)
    table.caption, table.caption_justify = program.provenance or None, "left"
    return table


def frontier_table(program: Program) -> Table:
    """The programs that a search chose from."""
    table = table_of("Frontier: what was found, the cheapest first", "two-qubit gates", "distance", "program")
    table.columns[0].justify, table.columns[2].justify = "right", "left"
    for one in program.frontier:
        mark = " ←" if one.chosen else ""
        table.add_row(count(one.two_qubit_gates), number(one.distance), one.note + mark)
    table.caption = "distance: from the worst start found (a sampler) or from the given start (a preparation)"
    table.caption_justify = "left"
    return table


def placement_rows(compiled: Compiled) -> list[tuple[str, str]]:
    """Where the qubits of a program are on a lattice, and what that costs."""
    written, rows = compiled.written, [("ancillas that have done their work are", ANCILLAS[compiled.ancillas])]
    if compiled.device.coupling is None or not (free := anywhere(compiled)):
        return rows
    pairs = [f"{site}–{ancilla}" for site, ancilla in zip(compiled.system_qubits, _served(compiled), strict=False)]
    extra = len(compiled.wires) - written.num_qubits
    return [
        ("two-qubit gates, times those of all-to-all", f"{compiled.two_qubit_gates / free:.2f}"),
        ("sites on qubits", ", ".join(map(str, compiled.system_qubits))),
        ("site–ancilla", ", ".join(pairs) + (f"; {extra} more qubits to pass through" if extra else "")),
        *rows,
    ]


def _served(compiled: Compiled) -> tuple[int, ...]:
    """The ancilla of every site; fresh ones and shared ones are many or few, and only the first are shown."""
    return compiled.placement[compiled.written.num_system :]


def coherent_table(rows: Sequence[CoherentRow]) -> Table:
    """The coherent term compiled in several ways, and left out."""
    table = table_of(
        "The coherent term B: what it costs and what it brings", "way", "gates per sweep", "fixed point", "c."
    )
    for row in rows:
        table.add_row(row.what, count(row.two_qubit_gates), number(row.distance), share(row.contraction))
    table.caption = "fixed point: its trace distance to σ; c.: contraction per sweep"
    table.caption_justify = "left"
    return table


def forecast_table(forecast: Forecast, usage: Usage | None = None, how: str | None = None) -> Table:
    """What a run will take, before it begins: simulated, and on a device where its durations are known."""
    table = table_of("Before it runs", "quantity", "value", "status")
    table.add_row("two-qubit gates, mean over random steps", count(forecast.two_qubit_gates), "measured")
    table.add_row("one-qubit gates without rz", count(forecast.one_qubit_gates), "measured")
    table.add_row("resets, depth", f"{count(forecast.resets)}, {count(forecast.depth)}", "measured")
    chance = f"{share(forecast.expected_fidelity, 4)} ({share(forecast.fidelity_per_sweep, 4)} per sweep)"
    table.add_row("chance that no gate errs at the target's rates", chance, "extrapolated")
    if how is not None:
        table.add_row("a run would be simulated by", how, "")
    for one in forecast.simulations:
        chosen = ", this target's" if how is None and one.method == forecast.chosen else ""
        size = f"{gib(one.memory_bytes)}, about {spelled(one.seconds)}"
        table.add_row(f"Aer {one.method} on {forecast.qubits} qubits{chosen}", size, one.status.value)
    if usage is not None:
        shot = f"{usage.circuit_seconds * 1e6:,.2f} µs, {usage.shot_seconds * 1e6:,.1f} µs"
        table.add_row("one shot on the device, and with the wait between shots", shot, "measured")
        size = f"{usage.circuits} × {usage.shots}, {usage.jobs}"
        table.add_row("circuits × shots, jobs", size, "measured")
        table.add_row("QPU seconds of the whole run", f"{usage.qpu_seconds:,.3g}", usage.status.value)
    return table
