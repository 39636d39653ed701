"""The sections of the JSON documents."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict, fields
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .analysis import Estimate
from .backends import Compiled
from .backends.check import Check
from .backends.noisy_channel import NoisyPrediction
from .backends.usage import Usage
from .compiler import ErrorTerm, Program, Status
from .exact import Certificate
from .generator_schemas import Generator
from .generators.channels import inside
from .readings import Prediction, cost, pieces
from .readings.depth import mean_depth
from .readings.forecast import Forecast
from .readings.guarantee import Promise, promise_of
from .spectrum import Thermal
from .tuning.ledger import Ledger

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
    lindbladian = inside(generator)
    return {
        "kind": generator.kind,
        "betas": list(generator.betas),
        "coherent": lindbladian.coherent.value,
        "couplings": len(lindbladian.contacts),
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
        "depth": mean_depth(program, pieces(program), seed),
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
