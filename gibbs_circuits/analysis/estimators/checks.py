"""One check of a verdict: two numbers, what is allowed between them, and the scale of an observable."""

from __future__ import annotations

from dataclasses import dataclass

LOCAL_DISTANCE = "local_distance"  # the check that stands in place of the trace distance of the whole
ROUNDING = 1e-10  # of an operator's own norm: an observable proportional to the identity has no other slack


@dataclass(frozen=True)
class Scale:
    """What the target error is a share of, for one observable.

    Attributes:
        value: |⟨O⟩_σ − Tr O / d| for the energy; for others that or the standard deviation of O in σ, if larger.
        norm: Σ |c_k| over the Pauli terms of O, at least its largest |eigenvalue|: what rounding is measured by.
        text: What `value` is, in words.
    """

    value: float
    norm: float
    text: str


@dataclass(frozen=True)
class Reason:
    """One check of a verdict.

    Attributes:
        name: trace_distance, or the observable's.
        passed: None where there is no reference to check against.
        found: The trace distance, or how far the exact value lies outside the interval, in the observable's unit.
        allowed: What `found` may be at most.
        text: The check in words.
    """

    name: str
    passed: bool | None
    found: float | None
    allowed: float | None
    text: str
