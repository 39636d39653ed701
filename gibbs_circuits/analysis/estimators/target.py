"""Where a program ran, and whether that can be trusted."""

from __future__ import annotations

from ...backends.runs.expected_sweep import Check
from ...backends.runs.run import RunResult
from ...backends.runs.usage import Usage
from ...backends.transpile.compiled import Ancillas, Compiled
from ...backends.transpile.transpile import anywhere
from ...evidence import number
from ...io.json import plain
from ...io.section import Section, count
from .base import Analysis, Finding
from .measured_run import MeasuredRun

ANCILLAS = {
    Ancillas.RESET: "reset",
    Ancillas.FRESH: "not used again",
    Ancillas.RECORDED: "measured, recorded and reset",
}
PASSED = {True: "passed", False: "DIFFERS", None: "not checked"}
Rows = list[tuple[str, str]]


def target_section(
    compiled: Compiled, seed: int, usage: Usage | None = None, rows: Rows | None = None, **more: object
) -> Section:
    """A program on its target: what it costs there, and where its qubits are.

    Args:
        compiled: The program on the target.
        seed: Of the draws of random steps that the depth is the mean of.
        usage: Of a device, where its durations are known.
        rows: What else there is to say.
        more: The same in the JSON document.
    """
    device = compiled.device
    title = f"Target: {device.name} ({device.lattice})"
    cells = (("two-qubit gates", count(compiled.two_qubit_gates)), *placement_rows(compiled), *(rows or ()))
    data = {
        "backend": device.name,
        "two_qubit_gates": compiled.two_qubit_gates,
        "depth": compiled.depth(seed),
        "seconds": None if usage is None or device.local else usage.qpu_seconds,
        "usage": usage,
        "expected_fidelity": compiled.expected_fidelity,
        "ancilla_qubits": compiled.placement[compiled.written.num_system :],
        "system_qubits": compiled.system_qubits,
        "basis": device.basis,
        **more,
    }
    return Section(title, ("what", "value"), cells, data={"target": plain(data)})


def placement_rows(compiled: Compiled) -> list[tuple[str, str]]:
    """Where the qubits of a program are on a lattice, and what that costs."""
    written, rows = compiled.written, [("ancillas that have done their work are", ANCILLAS[compiled.ancillas])]
    if compiled.device.coupling is None or not (free := anywhere(compiled)):
        return rows
    ancillas = compiled.placement[written.num_system :]  # fresh and shared ones are many or few: the first are shown
    pairs = [f"{site}–{ancilla}" for site, ancilla in zip(compiled.system_qubits, ancillas, strict=False)]
    extra = len(compiled.wires) - written.num_qubits
    return [
        ("two-qubit gates, times those of all-to-all", f"{compiled.two_qubit_gates / free:.2f}"),
        ("sites on qubits", ", ".join(map(str, compiled.system_qubits))),
        ("site–ancilla", ", ".join(pairs) + (f"; {extra} more qubits to pass through" if extra else "")),
        *rows,
    ]


def _check_rows(check: Check) -> Rows:
    rows = [("one sweep against the exact channel", f"{PASSED[check.passed]}: {check.note}")]
    if check.circuit_distance is not None:
        rows.append(("  transpiled sweep without errors, trace distance", number(check.circuit_distance)))
    if check.state_distance is not None:
        rows.append(("  state on the target, trace distance", number(check.state_distance)))
    if check.z:
        z = ", ".join(f"{name} {value:+.1f}" for name, value in check.z.items())
        rows.append((f"  {check.shots} shots per basis, in standard errors", z))
    return rows


def _measure(measured: MeasuredRun) -> Finding[RunResult]:
    run, request = measured.run, measured.run.request
    compiled, choice, check, usage = request.compiled, request.choice, run.check, request.usage
    rows: Rows = []
    if choice is not None:
        rows.append(("simulated by", f"{choice.method} on {choice.processor}: {choice.reason}"))
    asked = request.options.model_dump(exclude={"measurement_mitigation"}, exclude_defaults=True)
    if asked and compiled.device.local:
        rows.append(("options of the service", f"not simulated on a snapshot: {', '.join(asked)}"))
    rows += [] if check is None else _check_rows(check)
    if usage is not None:
        rows.append(("one shot on the device", f"{usage.circuit_seconds * 1e6:,.1f} µs and the wait between"))
        rows.append(("QPU seconds, extrapolated before the run", f"{usage.qpu_seconds:,.3g}"))
    if run.jobs:
        spent = [job.qpu_seconds for job in run.jobs if job.qpu_seconds is not None]
        said = f", {sum(spent):,.3g} QPU seconds as the service says" if spent else ""
        rows.append(("jobs", f"{sum(job.status == 'done' for job in run.jobs)} of {len(run.jobs)} done{said}"))
    if run.set_aside:
        rows.append(("damaged files, set aside and done again", ", ".join(run.set_aside)))
    checked = None if check is None else {**plain(check), "passed": check.passed}
    section = target_section(compiled, request.seed, usage, rows, method=choice, check=checked, jobs=run.jobs)
    asked_for = {
        "shots": request.shots,
        "realisations": request.realisations,
        "seed": request.seed,
        "initial": request.initial.name,
        "ancilla_policy": compiled.ancillas.value,
        "target_error": measured.target_error,
        "set_aside": list(run.set_aside),
    }
    return Finding(run, (section, Section("", data={"run": asked_for})))


target = Analysis("target", "Target", _measure)
