"""Whether a result is what it should be, or nobody could tell; every check with its two numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ...exact.references.base import ExactAnswer
from ...linalg.arrays import Array
from ..estimators.checks import ROUNDING, Reason, Scale
from ..estimators.interval import Estimate


class Verdict(Enum):
    """The outcome of a comparison; never `agrees` unchecked."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    NOT_CHECKED = "not_checked"


def scale(operator: SparsePauliOp, sigma: Array, *, cooled: bool) -> Scale:
    r"""What an observable's interval may be widened by, per unit of target error.

    $|\mathrm{Tr}(Oσ) − \mathrm{Tr}\,O / d|$, how far cooling moves it from its value at β = 0. Of every observable but
    the energy its standard deviation in σ counts, too, if that is larger.

    Args:
        operator: Hermitian, n qubits.
        sigma: The Gibbs state, (2**n, 2**n).
        cooled: Whether falling short of the cooling is what is judged: the energy, unless β = 0.

    Accuracy: rounding; memory O(4**n), time O(terms · 4**n).
    """
    O = _traceless(operator).to_matrix(sparse=True)
    moved = abs(float(np.real(_trace(O, sigma))))
    square = 0.0 if cooled else float(np.real(_trace(O, O @ sigma)))
    return _scale(operator, moved, square, cooled=cooled)


def scale_by(operator: SparsePauliOp, answer: ExactAnswer, *, cooled: bool) -> Scale | None:
    """The same from expectation values of a state that is no matrix; None where they are not known."""
    O = _traceless(operator)
    moved = answer.expectation(O)
    square = 0.0 if cooled else answer.expectation((O @ O).simplify())
    return None if moved is None or square is None else _scale(operator, abs(moved), square, cooled=cooled)


def _traceless(operator: SparsePauliOp) -> SparsePauliOp:
    """O − Tr O / d."""
    hot = math.fsum(float(np.real(c)) for label, c in operator.to_list() if set(label) == {"I"})
    return operator - SparsePauliOp("I" * operator.num_qubits, hot)


def _scale(operator: SparsePauliOp, moved: float, square: float, *, cooled: bool) -> Scale:
    """Of |⟨O⟩| and ⟨O²⟩ of the traceless part."""
    norm = math.fsum(abs(c) for _, c in operator.to_list())
    if cooled:
        return Scale(moved, norm, "what cooling takes from it, |E − E(β = 0)|")
    # squares of a traceless operator: where they cancel, `moved` is the larger one anyway
    deviation = math.sqrt(max(square - moved**2, 0.0))
    if moved >= deviation:
        return Scale(moved, norm, "its distance from the value at β = 0")
    return Scale(deviation, norm, "its standard deviation in the Gibbs state")


def _trace(O: Any, rho: Array) -> complex:
    """Tr[O ρ] of a sparse and a dense matrix."""
    return complex(O.T.multiply(rho).sum())


def judge(
    distance: float | None,
    observables: Mapping[str, Estimate],
    scales: Mapping[str, Scale],
    target_error: float,
) -> tuple[Verdict, tuple[Reason, ...]]:
    r"""The verdict, and the checks it follows from.

    `agrees` when every check that could be made passes; `not_checked` where an observable has no exact value.

    The trace distance, where there is a state, must be within `target_error`. An observable's exact value must lie in
    its interval, widened by `target_error` times `scale`: for the energy what cooling takes from it, $|E − E(β = 0)|$;
    for every other one that or its standard deviation in σ, if larger. At β = 0 there is no cooling to fall short of:
    the energy is then judged like the others. 1e-10 of an operator's norm is left to rounding.

    The whole spectral width in place of that distance let a state at β = 0.74 pass for one at β = 1: an energy that is
    wrong by a tenth of the width is wrong by much of what a thermal state differs in.
    """
    reasons = [] if distance is None else [_state(distance, target_error)]
    reasons += [_observable(name, one, scales.get(name), target_error) for name, one in observables.items()]
    return outcome(reasons), tuple(reasons)


def outcome(reasons: Sequence[Reason]) -> Verdict:
    """What checks amount to."""
    if not reasons or any(one.passed is None for one in reasons):
        return Verdict.NOT_CHECKED
    return Verdict.AGREES if all(one.passed for one in reasons) else Verdict.DISAGREES


def _state(distance: float, allowed: float) -> Reason:
    passed = distance <= allowed  # False for NaN
    return Reason("trace_distance", passed, distance, allowed, "trace distance of the final state to the Gibbs state")


def _observable(name: str, estimate: Estimate, scale: Scale | None, target_error: float) -> Reason:
    if estimate.exact is None or scale is None:
        return Reason(name, None, None, None, "no exact value to compare with")
    allowed = target_error * scale.value + ROUNDING * scale.norm
    exact = estimate.exact
    inside = estimate.low <= exact <= estimate.high
    outside = 0.0 if inside else max(estimate.low - exact, exact - estimate.high)
    passed = inside or estimate.low - allowed <= exact <= estimate.high + allowed  # False for NaN
    text = f"exact value outside the interval by that much; allowed: {target_error:g} × {scale.text}"
    return Reason(name, passed, outside, allowed, text)
