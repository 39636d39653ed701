"""What is said of a program before it runs, and of a generator that is not compiled at all."""

from __future__ import annotations

from collections.abc import Sequence

from ...backends.runs.usage import Usage
from ...backends.simulators.forecast import Forecast
from ...evidence import Status, number, share
from ...exact.dynamics.nonequilibrium import Steady
from ...io.json import plain
from ...io.memory import gib
from ...io.progress import spelled
from ...io.section import Section, count
from ..error_budget.coherent_tradeoff import CoherentRow


def within(value: float, error: float) -> str:
    """A value to eight digits with its error; below that error it is none."""
    if abs(value) <= error:
        return f"0 within {error:.0e}"
    return f"{value:.8g} ± {error:.0e}"


def steady_section(steady: Steady | None) -> Section:
    """The steady state between several baths; nothing is printed where there is one."""
    data = {"steady_state": plain(steady)}
    if steady is None:
        return Section("", data=data)
    rows = [
        ("decided in", steady.how),
        ("energy", within(steady.energy, steady.energy_error)),
        ("entropy", within(steady.entropy, steady.entropy_error)),
    ]
    for index, bath in enumerate(steady.baths):
        current = within(bath.heat_current, bath.heat_current_error)
        rows.append((f"heat current from bath {index}, β = {bath.beta:g}, into the system", current))
        rows.append((f"  trace distance to the Gibbs state at β = {bath.beta:g}", number(bath.trace_distance)))
    return Section("Steady state between the baths, with H", ("quantity", "value"), tuple(rows), data=data)


def coherent_section(rows: Sequence[CoherentRow]) -> Section:
    """The coherent term compiled in several ways, and left out; nothing is printed where there is none."""
    return Section(
        "The coherent term B: what it costs and what it brings" if rows else "",
        ("way", "gates per sweep", "fixed point", "c.") if rows else (),
        tuple((row.what, count(row.two_qubit_gates), number(row.distance), share(row.contraction)) for row in rows),
        "fixed point: its trace distance to σ; c.: contraction per sweep",
        {"coherent_tradeoff": plain(rows)},
    )


def forecast_section(forecast: Forecast, usage: Usage | None, how: str | None) -> Section:
    """What a run will take, before it begins: simulated, and on a device where its durations are known.

    Args:
        forecast: Gates, depth, memory and seconds.
        usage: Of a device, where its durations are known.
        how: The method a run would be simulated by; None where it would not be.
    """
    chance = f"{share(forecast.expected_fidelity, 4)} ({share(forecast.fidelity_per_sweep, 4)} per sweep)"
    rows = [
        ("two-qubit gates, mean over random steps", count(forecast.two_qubit_gates), "measured"),
        ("one-qubit gates without rz", count(forecast.one_qubit_gates), "measured"),
        ("resets, depth", f"{count(forecast.resets)}, {count(forecast.depth)}", "measured"),
        ("chance that no gate errs at the target's rates", chance, "extrapolated"),
        *([] if how is None else [("a run would be simulated by", how, "")]),
    ]
    for one in forecast.simulations:
        chosen = ", this target's" if how is None and one.method == forecast.chosen else ""
        size = f"{gib(one.memory_bytes)}, about {spelled(one.seconds)}"
        rows.append((f"Aer {one.method} on {forecast.qubits} qubits{chosen}", size, one.status.value))
    if usage is not None:
        shot = f"{usage.circuit_seconds * 1e6:,.2f} µs, {usage.shot_seconds * 1e6:,.1f} µs"
        rows += [
            ("one shot on the device, and with the wait between shots", shot, "measured"),
            ("circuits × shots, jobs", f"{usage.circuits} × {usage.shots}, {usage.jobs}", "measured"),
            ("QPU seconds of the whole run", f"{usage.qpu_seconds:,.3g}", usage.status.value),
        ]
    data = {
        "one_qubit_gates": forecast.one_qubit_gates,
        "two_qubit_gates": forecast.two_qubit_gates,
        "resets": forecast.resets,
        "depth": forecast.depth,
        "qubits": forecast.qubits,
        "expected_fidelity": {"value": forecast.expected_fidelity, "status": Status.EXTRAPOLATED},
        "simulations": forecast.simulations,
        "simulated_by": how,
    }
    return Section("Before it runs", ("quantity", "value", "status"), tuple(rows), data={"forecast": plain(data)})
