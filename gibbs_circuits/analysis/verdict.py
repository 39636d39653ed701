"""Whether a result is what it should be, or nobody could tell."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from .estimate import Estimate

ROUNDING = 1e-10  # relative: an observable proportional to the identity has no other slack


class Verdict(Enum):
    """The outcome of a comparison; never `agrees` unchecked."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    NOT_CHECKED = "not_checked"


def judge(
    distance: float | None,
    observables: Mapping[str, Estimate],
    operators: Mapping[str, SparsePauliOp],
    target_error: float,
) -> Verdict:
    """`agrees` when the trace distance, where there is one, and every observable are within the target error.

    An observable is, when its exact value lies in its interval widened by target_error · (λ_max − λ_min).
    """
    if any(estimate.exact is None for estimate in observables.values()):
        return Verdict.NOT_CHECKED
    if distance is not None and not distance <= target_error:
        return Verdict.DISAGREES
    for name, estimate in observables.items():
        levels = np.linalg.eigvalsh(operators[name].to_matrix())
        slack = target_error * float(levels[-1] - levels[0]) + ROUNDING * float(np.max(np.abs(levels)))
        if estimate.exact is None or not estimate.low - slack <= estimate.exact <= estimate.high + slack:
            return Verdict.DISAGREES
    return Verdict.AGREES
