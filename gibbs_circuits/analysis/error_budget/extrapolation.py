"""Richardson extrapolation of observables in the steps of a program, with intervals and a check of the power."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from types import MappingProxyType
from typing import Any

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ...compiler.base import Knobs, Scheme
from ...errors import ArgumentError, check_real
from ...generators.lindbladian import Lindbladian
from ...io.rendering import Shown
from ...linalg.arrays import Real
from ...linalg.fixed_point import fixed_point
from ...programs.program import Calibration, Program
from ...readings.channel.sweep_channel import sweep_channel
from ...readings.circuits.cost import cost

Z95 = 1.959963984540054
FALSE_ALARM = 0.01  # of the χ² test
TOLERANCE = 0.5  # how far exact values may be from the assumed power; the next power is 1 away
LARGEST_POWER = 8.0
RANK = 1e-10


@dataclass(frozen=True)
class Point:
    """A value at one step, or at one of each of two.

    Attributes:
        step: δ, or the pair (δ, τ); > 0.
        value: Of the observable.
        error: Standard error; 0 for an exact value.
    """

    step: float | tuple[float, float]
    value: float
    error: float = 0.0


@dataclass(frozen=True)
class Extrapolated:
    """A value at step zero.

    Attributes:
        value: v0.
        low, high: 95 % from the errors of the points; a bias of the next order is not in it.
        power_assumed: p, or (p, q).
        power_measured: Power and its 95 % interval from the three smallest steps, where they are in a ratio; else None.
        consistent: Whether the points agree with the powers assumed; None: too few to tell.
        reason: What spoke against it, or why nothing was checked.
    """

    value: float
    low: float
    high: float
    power_assumed: tuple[float, ...]
    power_measured: tuple[float, float, float] | None
    consistent: bool | None
    reason: str = ""

    @property
    def checked(self) -> str:
        """In words: consistent, inconsistent or not_checked."""
        return {True: "consistent", False: "inconsistent", None: "not_checked"}[self.consistent]


def extrapolate(points: Sequence[Point], power: float | tuple[float, float]) -> Extrapolated:
    r"""Least squares of $v = v_0 + a\,\delta^p$, or of $v = v_0 + a\,\delta^p + b\,\tau^q + c\,\delta^p\tau^q$.

    The last term, what a stronger coupling changes of the Trotter error, is left out where the points do not fix it.
    What neither step changes, as the cut of a window that keeps its length, stays in v0. Weighted by the errors if all
    points have one, else equally. v0 is linear in the values, $v_0 = \sum_k c_kv_k$, and its standard error is
    $(\sum_kc_k^2\sigma_k^2)^{1/2}$. Two points in one step: $(r^pv_2 - v_1)/(r^p - 1)$, r = δ1/δ2.

    With more points than unknowns the powers are checked: values with errors by χ² of the fit, at a false-alarm rate of
    1 %; others by the power p* of $(v_1-v_2)/(v_2-v_3) = (\delta_1^p-\delta_2^p)/(\delta_2^p-\delta_3^p)$ of
    three neighbours along every step, which must be within 0.5 of the one assumed. Differences that change sign
    belong to no power. What is inconsistent still has its value, so that it can be shown; do not use it.

    Args:
        points: At two steps or more (three settings or more in two steps), in any order.
        power: p, or (p, q) for pairs. Derived programs: 1 in the strength, the Trotter order in the spacing.

    Raises:
        ArgumentError: If steps are not positive, do not fit the powers, or do not determine v0.
    """
    powers = tuple(check_real("power", p, low=0.0, above=True) for p in _tuple(power))
    steps = np.array([[check_real("step", s, low=0.0, above=True) for s in _tuple(point.step)] for point in points])
    if steps.ndim != 2 or steps.shape[1] != len(powers):
        raise ArgumentError("power", "be one per step", f"there are {len(powers)}", "give points and powers alike")
    values = np.array([check_real("value", point.value) for point in points])
    errors = np.array([check_real("error", point.error, low=0.0) for point in points])
    weights = 1 / errors if np.all(errors > 0) else np.ones(len(points))
    terms = steps ** np.array(powers) / np.max(steps, axis=0) ** np.array(powers)
    scaled = np.column_stack([np.ones(len(points)), terms])
    both = np.column_stack([scaled, terms.prod(axis=1)])
    if len(powers) > 1 and np.linalg.matrix_rank(both, RANK) == both.shape[1]:
        scaled = both
    if np.linalg.matrix_rank(scaled, RANK) < scaled.shape[1]:
        raise ArgumentError(
            "points", f"determine {scaled.shape[1]} unknowns", f"{len(points)} were found at {steps.tolist()}",
            "add a point at half of each step",
        )  # fmt: skip
    solve = np.linalg.pinv(scaled * weights[:, None]) * weights
    fitted = solve @ values
    half = Z95 * float(np.linalg.norm(solve[0] * errors))
    measured = _measured(steps, values, errors) if len(powers) == 1 else None
    consistent, reason = _consistent(steps, values, errors, powers, values - scaled @ fitted, scaled.shape[1])
    v0 = float(fitted[0])
    return Extrapolated(v0, v0 - half, v0 + half, powers, measured, consistent, reason)


def _tuple(one: float | tuple[float, float]) -> tuple[float, ...]:
    return one if isinstance(one, tuple) else (one,)


def _consistent(
    steps: Real, values: Real, errors: Real, powers: tuple[float, ...], residuals: Real, unknowns: int
) -> tuple[bool | None, str]:
    free = len(values) - unknowns
    if free < 1:
        return None, f"{len(values)} points fit any power; add one at half the smallest step"
    if np.all(errors > 0):
        from scipy.stats import chi2  # loaded when used

        found, most = float(np.sum((residuals / errors) ** 2)), float(chi2.isf(FALSE_ALARM, free))
        if found > most:
            return False, f"chi2 of the fit is {found:.1f} with {free} degrees of freedom, at most {most:.1f}"
        return True, ""
    checked = False
    for axis, power in enumerate(powers):
        for three in _lines(steps, axis):
            checked = True
            seen = _power(steps[three, axis], values[three])
            if seen is None:
                return False, f"values at steps {steps[three, axis].tolist()} follow no power: {values[three].tolist()}"
            if abs(seen - power) > TOLERANCE:
                return False, f"the power is {seen:.2f}, not {power:g}, at steps {steps[three, axis].tolist()}"
    return (True, "") if checked else (None, "no three points differ in one step alone; add one at half of a step")


def _lines(steps: Real, axis: int) -> list[list[int]]:
    """Three neighbours, the largest step first, that differ in one step only."""
    groups: dict[tuple[float, ...], list[int]] = {}
    for k in np.argsort(-steps[:, axis], kind="stable"):
        groups.setdefault(tuple(np.delete(steps[k], axis)), []).append(int(k))
    return [
        [a, b, c]
        for members in groups.values()
        for (a, b), (_, c) in pairwise(pairwise(members))
        if steps[a, axis] > steps[b, axis] > steps[c, axis]
    ]


def _power(steps: Real, values: Real) -> float | None:
    """The power of three values; None if no p in (0, 8] fits."""
    from scipy.optimize import brentq  # loaded when used

    (x, y, z), (u, v, w) = np.log(steps), values
    if (u - v) * (v - w) <= 0:
        return None
    ratio = (u - v) / (v - w)

    def off(p: float) -> float:
        return float(math.expm1(p * (x - y)) / -math.expm1(p * (z - y)) - ratio)

    lowest = 1e-6
    return float(brentq(off, lowest, LARGEST_POWER)) if off(lowest) < 0 < off(LARGEST_POWER) else None


def _measured(steps: Real, values: Real, errors: Real) -> tuple[float, float, float] | None:
    """The power of the three smallest steps, and its interval by moving every value by its error."""
    lines = _lines(steps, 0)
    if not lines or (found := _power(steps[lines[-1], 0], values[lines[-1]])) is None:
        return None
    three = lines[-1]
    ends = [_power(steps[three, 0], values[three] + Z95 * errors[three] * (np.arange(3) == k)) for k in range(3)]
    half = math.sqrt(sum(LARGEST_POWER**2 if end is None else (end - found) ** 2 for end in ends))
    return found, found - half, found + half


@dataclass(frozen=True, eq=False, repr=False)
class Run(Shown):
    """Observables of the fixed points of one scheme at several steps, and at none.

    Attributes:
        programs: In the order of the points.
        two_qubit_gates: Of one sweep of each.
        points: Per observable.
        values: Per observable, extrapolated.
    """

    programs: tuple[Program, ...]
    two_qubit_gates: tuple[float, ...]
    points: Mapping[str, tuple[Point, ...]]
    values: Mapping[str, Extrapolated]


def extrapolated_run(
    generator: Lindbladian,
    scheme: Scheme,
    knobs: Knobs,
    observables: Mapping[str, SparsePauliOp],
    *,
    strengths: int = 3,
    spacings: int = 1,
) -> Run:
    r"""The scheme at δ, δ/2, … and τ, τ/2, …, its fixed points read on the exact channel (up to 5 qubits).

    At τ/2^k there are 2^k (N − 1) + 1 nodes and delays 2^k times as long, so that a sweep takes the same times. With
    one spacing the power is 1 in the strength; with several 1 and the Trotter order.

    Args:
        generator: What to sample.
        scheme: One whose knobs have `strength`; for spacings also `spacing`, `nodes`, `trotter_order`.
        knobs: All of them, at the largest steps; a derived setting, no fit.
        observables: To extrapolate, by name.
        strengths: How many; 2 leaves the power unchecked.
        spacings: How many; 1 stays at τ and extrapolates in the strength alone.

    Raises:
        ArgumentError: If the program is fitted: a fit has no step to go to zero with.
        TooLargeError: Above 5 qubits.
    """
    grid = [(k, l) for k, l in product(range(strengths), range(spacings)) if not k or not l or k + l < 3]
    settings = [_at(knobs, k, l) for k, l in grid]
    programs = tuple(scheme(generator, one) for one in settings)
    if any(program.calibration is not Calibration.DERIVED for program in programs):
        raise ArgumentError(
            "knobs", "be derived", "they are fitted to the target, and a fit is right at its own angles only",
            "extrapolate a program from the formula",
        )  # fmt: skip
    states = [fixed_point(sweep_channel(program)) for program in programs]
    several = spacings > 1
    steps = [(float(k.set("strength")), float(k.set("spacing"))) if several else k.set("strength") for k in settings]
    power = (1.0, float(knobs.set("trotter_order"))) if several else 1.0
    points = {
        name: tuple(Point(s, float(np.trace(O.to_matrix() @ rho).real)) for s, rho in zip(steps, states, strict=True))
        for name, O in observables.items()
    }
    return Run(
        programs,
        tuple(cost(program).two_qubit_gates_per_sweep[-1] for program in programs),
        MappingProxyType(points),
        MappingProxyType({name: extrapolate(found, power) for name, found in points.items()}),
    )


def _at(knobs: Knobs, halved: int, finer: int) -> Knobs:
    """The knobs with the strength halved so often, and the spacing at equal times."""
    found: dict[str, Any] = {"strength": knobs.set("strength") / 2**halved}
    if finer:
        times, (low, high) = 2**finer, knobs.set("random_delays")
        found |= {
            "spacing": knobs.set("spacing") / times,
            "nodes": times * (knobs.set("nodes") - 1) + 1,
            "random_delays": (times * low, times * high),
        }
    return knobs.model_copy(update=found)
