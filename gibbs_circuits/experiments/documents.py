"""The JSON documents of the commands: the result's schema."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict, fields
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..analysis.comparison.comparison import Comparison
from ..analysis.error_budget.coherent_tradeoff import CoherentRow
from ..analysis.error_budget.shifts import Ledger
from ..analysis.estimators.interval import Estimate
from ..backends.runs.expected_sweep import Check
from ..backends.runs.request import ENERGY
from ..backends.runs.usage import Usage
from ..backends.simulators.forecast import Forecast
from ..backends.simulators.noisy_channel import NoisyPrediction
from ..backends.transpile.compiled import Compiled
from ..evidence import Status
from ..exact.certificate.advice import Advice
from ..exact.certificate.certificate import Certificate
from ..exact.dynamics.nonequilibrium import Steady
from ..generators.kinds.base import Generator
from ..io.version import package_version
from ..models.spectrum import Thermal
from ..programs.program import ErrorTerm, Program
from ..readings.channel.guarantee import Promise
from ..readings.channel.prediction import Prediction, promise_of
from ..readings.circuits.circuit import circuit_segments
from ..readings.circuits.cost import cost
from ..readings.circuits.depth import mean_depth


def document(comparison: Comparison, files: list[str] | None = None) -> dict[str, Any]:
    """The JSON document of `run`."""
    c, run = comparison, comparison.run
    program, request = run.program, run.request
    p = c.prediction
    settled = fixed_point_part(program, p, c.noisy)
    return {
        "version": package_version(),
        "model": model_part(program.generator),
        "generator": generator_part(program.generator, c.certificate),
        "program": program_part(program, request.seed, p, c.target_error),
        "target": {
            **target_part(request.compiled, request.seed, request.usage),
            "method": None if request.choice is None else asdict(request.choice),
            "check": check_part(run.check),
            "jobs": [asdict(job) for job in run.jobs],
        },
        "lattice": None if run.lattice is None else target_part(run.lattice, request.seed),
        "run": {
            "shots": request.shots,
            "realisations": request.realisations,
            "seed": request.seed,
            "initial": request.initial.name,
            "ancilla_policy": request.compiled.ancillas.value,
            "target_error": c.target_error,
            "set_aside": list(run.set_aside),
        },
        "exact": exact_part(c.exact),
        "baselines": {
            "best_product_trace_distance": c.best_product_distance,
            "diagonal_trace_distance": c.diagonal_distance,
            "initial_trace_distance": c.initial_distance,
            "unitary_gate_loop": None if c.loop is None else [asdict(loop) for loop in c.loop],
        },
        "prediction": prediction_part(p, c.target_error),
        "prediction_with_noise": noisy_part(c.noisy, program.preparation),
        "result": {
            "energy": estimate_part(c.observables[ENERGY]),
            "trace_distance": c.trace_distance,
            "fidelity": c.fidelity,
            "fixed_point": settled,
            "starts": None if p is None else p.starts,
            "worst_start": None if p is None else p.worst_start,
            "observables": {k: estimate_part(v) for k, v in c.observables.items() if k != ENERGY},
            "beta_effective": estimate_part(c.beta_effective),
            "trace_distance_per_sweep": None if c.distances is None else c.distances.tolist(),
            "energy_per_sweep": None if c.energies is None else c.energies.tolist(),
        },
        "ledger": ledger_part(c.ledger),
        "ledger_sum": ledger_sum_part(c.ledger),
        "measured_orders": [
            {**asdict(rung), "rung": rung.rung.value, "local_slopes": list(rung.local_slopes)} for rung in c.rungs
        ],
        "verdict": c.verdict.value,
        "verdict_reasons": [asdict(one) for one in c.reasons],
        "temperature": {
            "word": c.temperature.word.value,
            "beta": c.temperature.beta,
            "beta_effective": estimate_part(c.temperature.found),
            "text": str(c.temperature),
        },
        "versions": versions(),
        "files": files or [],
    }


def exact_document(
    generator: Generator, exact: Thermal | None, certificate: Certificate, advice: Advice | None, steady: Steady | None
) -> dict[str, Any]:
    """The JSON document of `exact`; `exact` is null and `steady_state` given where there are several temperatures."""
    return {
        "version": package_version(),
        "model": model_part(generator),
        "exact": exact_part(exact),
        "generator": {**generator_part(generator, certificate), "advice": None if advice is None else str(advice)},
        "steady_state": None if steady is None else asdict(steady),
    }


def compile_document(
    compiled: Compiled,
    seed: int,
    certificate: Certificate | None,
    prediction: Prediction | None,
    noisy: NoisyPrediction | None,
    forecast: Forecast,
    tradeoff: Sequence[CoherentRow],
    rows: Sequence[ErrorTerm],
    target_error: float,
    files: list[str],
    usage: Usage | None = None,
    how: str | None = None,
) -> dict[str, Any]:
    """The JSON document of `compile`."""
    generator = compiled.program.generator
    return {
        "version": package_version(),
        "model": model_part(generator),
        "generator": generator_part(generator, certificate) if certificate else {"kind": generator.kind},
        "program": program_part(compiled.program, seed, prediction, target_error),
        "target": target_part(compiled, seed, usage),
        "prediction": prediction_part(prediction, target_error),
        "prediction_with_noise": noisy_part(noisy, compiled.program.preparation),
        "forecast": {**forecast_part(forecast), "simulated_by": how},
        "coherent_tradeoff": [asdict(row) for row in tradeoff],
        "ledger": ledger_part(rows),
        "ledger_sum": ledger_sum_part(rows),
        "files": files,
    }


PACKAGES = ("gibbs-circuits", "qiskit", "qiskit-aer", "numpy", "scipy", "pydantic", "matplotlib")
SHORT = {"spectral_gap": "gap", "mixing_bound": "mixing_time_bound"}  # of attributes, in the JSON document


def versions() -> dict[str, str]:
    """Versions of everything that matters to a result."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def model_part(generator: Generator) -> dict[str, Any]:
    """`model` of the JSON document; β is null when the baths have several."""
    beta = generator.betas[0] if len(generator.betas) == 1 else None
    return {"num_qubits": generator.model.num_qubits, "beta": beta, "name": generator.model.name}


def generator_part(generator: Generator, certificate: Certificate) -> dict[str, Any]:
    """`generator` of the JSON document."""
    return {
        "kind": generator.kind,
        "betas": list(generator.betas),
        "coherent": generator.lindbladian.coherent.value,
        "couplings": len(generator.contacts),
        "with_hamiltonian": certificate.with_hamiltonian,
        "residual": certificate.residual,
        "residual_without_coherent": certificate.residual_without_coherent,
        "kms_defect": certificate.kms_defect,
        "kernel_defect": certificate.kernel_defect,
        "coherent_defect": certificate.coherent_defect,
        "gns_defect": certificate.gns_defect,
        "lowest_kernel_eigenvalue": certificate.lowest_kernel_eigenvalue,
        "completely_positive": certificate.completely_positive,
        "bias": certificate.bias,
        "bias_start": certificate.bias_start,
        "bias_with_hamiltonian": certificate.bias_with_hamiltonian,
        "steady_states": certificate.steady_states,
        "steady_states_with_hamiltonian": certificate.steady_states_with_hamiltonian,
        "spectral_gap": certificate.spectral_gap,
        "gap_resolution": certificate.gap_resolution,
        "gap_unknown": certificate.gap_unknown,
        "growth_rate": certificate.growth_rate,
        "relaxation_time": certificate.relaxation_time,
        "rates": None if certificate.rates is None else asdict(certificate.rates),
        "error_estimate": {SHORT.get(name, name): error for name, error in certificate.error_estimate.items()},
        "mixing_time_bound": certificate.mixing_bound,
        "largest_rate": certificate.largest_rate,
        "conserved": list(certificate.conserved),
        "symmetries": list(certificate.symmetries),
        "jump_locality": None if certificate.jump_locality is None else list(certificate.jump_locality),
        "status": {field.name: certificate.status(field.name).value for field in fields(certificate)},
    }


def exact_part(exact: Thermal | None) -> dict[str, Any] | None:
    """`exact` of the JSON document."""
    return None if exact is None else asdict(exact)


def program_part(program: Program, seed: int, prediction: Prediction | None, target_error: float) -> dict[str, Any]:
    """`program` of the JSON document."""
    price, promise = cost(program), promise_of(program, prediction, target_error)
    settled = None if prediction is None else prediction.settled
    return {
        "scheme": program.scheme,
        "recipe": program.recipe or None,
        "num_system": program.num_system,
        "num_ancilla": program.num_ancilla,
        "sweeps": program.sweeps,
        "resets": price.resets,
        "stages": [
            {"sweeps": stage.repeats, "two_qubit_gates_per_sweep": gates}
            for stage, gates in zip(program.stages, price.two_qubit_gates_per_sweep, strict=True)
        ],
        "two_qubit_gates": price.two_qubit_gates,
        "depth": mean_depth(program, circuit_segments(program), seed),
        **promise_part(promise),
        "calibration": program.calibration.value,
        "knobs": {key: list(value) if isinstance(value, tuple) else value for key, value in program.knobs.items()},
        "knobs_chosen": program.provenance or None,
        "contraction_per_sweep": None if settled is None else settled.contraction,
        "frontier": [asdict(one) for one in program.frontier],
        "search": None if program.search is None else asdict(program.search),
        "hash": program.hash,
    }


def promise_part(promise: Promise) -> dict[str, Any]:
    """What a program may claim, with what it rests on; null where nothing was checked or nothing is known."""
    return {
        "guarantee": None if promise.guarantee is None else promise.guarantee.value,
        "guarantee_status": promise.status.value,
        "guarantee_measure": promise.measure,
        "guarantee_worst": promise.worst,
        "guarantee_bound": promise.bound,
    }


def check_part(check: Check | None) -> dict[str, Any] | None:
    """`target.check`: one sweep of the target against the exact channel."""
    if check is None:
        return None
    return {**asdict(check), "z": None if check.z is None else dict(check.z), "status": check.status.value,
            "passed": check.passed}  # fmt: skip


def target_part(compiled: Compiled, seed: int, usage: Usage | None = None) -> dict[str, Any]:
    """`target` of the JSON document."""
    return {
        "backend": compiled.device.name,
        "two_qubit_gates": compiled.two_qubit_gates,
        "depth": compiled.depth(seed),
        "seconds": None if usage is None or compiled.device.local else usage.qpu_seconds,
        "usage": None if usage is None else {**asdict(usage), "status": usage.status.value},
        "expected_fidelity": compiled.expected_fidelity,
        "ancilla_qubits": list(compiled.placement[compiled.written.num_system :]),
        "system_qubits": list(compiled.system_qubits),
        "basis": list(compiled.device.basis),
    }


def prediction_part(prediction: Prediction | None, target_error: float) -> dict[str, Any] | None:
    """`prediction`: what the exact channel says before a shot is taken; no fixed point of a preparation."""
    if prediction is None:
        return None
    needed, status = prediction.sweeps_to(target_error)
    fixed = prediction.settled
    return {
        "sweeps_to_target": {"value": needed, "status": status.value},
        "fixed_point": None
        if fixed is None
        else {
            "trace_distance": fixed.distance,
            "energy": fixed.energy,
            "contraction": fixed.contraction,
            "beta": fixed.beta,
            "residual": prediction.relaxation.residual,
            "converged": prediction.relaxation.converged,
            "applications": prediction.relaxation.applications,
        },
        "starts": prediction.starts,
        "worst_start": prediction.worst_start,
        "trace_distance_per_sweep": prediction.distances.tolist(),
        "energy_per_sweep": prediction.energies.tolist(),
    }


def fixed_point_part(
    program: Program, prediction: Prediction | None, noisy: NoisyPrediction | None
) -> dict[str, Any] | None:
    """`result.fixed_point`: with the target's gate noise where that is known; null for a preparation."""
    found = noisy or prediction
    if found is None or program.preparation:
        return None
    return {
        "trace_distance": found.fixed_point_distance,
        "energy": found.fixed_point_energy,
        "contraction": found.contraction,
    }


def noisy_part(noisy: NoisyPrediction | None, preparation: bool) -> dict[str, Any] | None:
    """`prediction_with_noise`: the same with the target's gate noise; null where it has none or is too large."""
    if noisy is None:
        return None
    return {
        "fixed_point": None
        if preparation
        else {
            "trace_distance": noisy.fixed_point_distance,
            "energy": noisy.fixed_point_energy,
            "contraction": noisy.contraction,
            "beta": noisy.fixed_point_beta,
        },
        "trace_distance_per_sweep": noisy.distances.tolist(),
        "energy_per_sweep": noisy.energies.tolist(),
    }


def forecast_part(forecast: Forecast) -> dict[str, Any]:
    """`forecast`: what a run will take and what may go wrong in it."""
    return {
        "one_qubit_gates": forecast.one_qubit_gates,
        "two_qubit_gates": forecast.two_qubit_gates,
        "resets": forecast.resets,
        "depth": forecast.depth,
        "qubits": forecast.qubits,
        "expected_fidelity": {"value": forecast.expected_fidelity, "status": Status.EXTRAPOLATED.value},
        "simulations": [{**asdict(one), "status": one.status.value} for one in forecast.simulations],
    }


def ledger_part(rows: Sequence[ErrorTerm]) -> list[dict[str, Any]]:
    """`ledger` of the JSON document."""
    return [
        {"rung": r.rung.value, "value": r.value, "unit": r.unit, "status": r.status.value, "source": r.source}
        for r in rows
    ]


def ledger_sum_part(rows: Sequence[ErrorTerm]) -> dict[str, Any] | None:
    """`ledger_sum`: how well the lines add up; null where they were not measured."""
    if not isinstance(rows, Ledger) or rows.total is None:
        return None
    return {
        "total": rows.total,
        "plain_sum": rows.plain_sum,
        "measured": rows.measured,
        "ratio": rows.ratio,
        "remainder": rows.remainder,
        "verdict": rows.verdict,
    }


def estimate_part(estimate: Estimate | None) -> dict[str, Any] | None:
    return None if estimate is None else asdict(estimate)
