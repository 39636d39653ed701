"""The JSON documents of the commands: the result's schema."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from .analysis import Comparison
from .backends import Compiled
from .backends.noisy_channel import NoisyPrediction
from .backends.request import ENERGY
from .backends.usage import Usage
from .compiler import ErrorTerm
from .exact import Advice, Certificate
from .exact.nonequilibrium import Steady
from .generator_schemas import Generator
from .readings import Prediction
from .readings.forecast import Forecast
from .sections import (
    check_part,
    estimate_part,
    exact_part,
    fixed_point_part,
    forecast_part,
    generator_part,
    ledger_part,
    ledger_sum_part,
    model_part,
    noisy_part,
    prediction_part,
    program_part,
    target_part,
    versions,
)
from .spectrum import Thermal
from .tuning.coherent import CoherentRow
from .version import package_version


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


def to_json(data: Any) -> str:
    """One JSON document without NaN or infinities."""
    return json.dumps(_finite(data), indent=2, ensure_ascii=False, allow_nan=False)


def _finite(data: Any) -> Any:
    match data:
        case dict():
            return {key: _finite(value) for key, value in data.items()}
        case list() | tuple():
            return [_finite(value) for value in data]
        case bool() | np.bool_():
            return bool(data)
        case float() | np.floating():
            return float(data) if math.isfinite(data) else None
        case np.integer():
            return int(data)
        case _:
            return data
