"""What a command says before it begins what takes long: from sizes alone, the same on every machine."""

from __future__ import annotations

import math

from ..backends.runs.prepare import forecast_run
from ..backends.runs.request import Request
from ..io.progress import spelled
from ..limits import MAX_CERTIFIED_QUBITS
from .schemes import ChosenScheme

# Seconds on one core of an AMD EPYC server, to a factor of 3, of what no gate count foretells; below, a few at most.
CERTIFIED_SECONDS = {5: 5.0, 6: 10.0, 7: 30.0, 8: 90.0, 9: 5.0, 10: 15.0, 11: 60.0, 12: 300.0}  # by qubits


def simulated_seconds(request: Request) -> float:
    """What the simulation of a run takes, extrapolated; 0 where nothing is simulated."""
    if request.choice is None:
        return 0.0
    bases = max(1, len(request.bases))
    f = forecast_run(request.compiled, request.seed, request.shots, request.realisations, bases)
    return next(one.seconds for one in f.simulations if one.method == request.choice.method)


def plan(num_qubits: int, scheme: ChosenScheme | None = None, time_budget: float = math.inf) -> str | None:
    """What takes long before anything is known of a program, and how long; None of what takes some seconds.

    Args:
        num_qubits: Of the model.
        scheme: As compiled; None where nothing is.
        time_budget: Seconds after which a search is cut off.
    """
    parts, n = [], num_qubits
    if n in CERTIFIED_SECONDS:
        what = f"certificate on {4**n:,} operators" if n <= MAX_CERTIFIED_QUBITS else "no certificate"
        parts.append(f"spectrum of {2**n:,} levels, {what}: about {spelled(CERTIFIED_SECONDS[n])}")
    if scheme is not None:
        parts += scheme.slow_parts(n, time_budget)
    return "; ".join(parts) or None
