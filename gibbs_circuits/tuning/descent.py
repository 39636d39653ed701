"""L-BFGS: scipy's for one position, and one for many at once, with a history and a step length for each column."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from ..spectrum import Real

Objective = Callable[[Real], tuple[Real, Real]]  # (num, batch) → values (batch,), gradients (num, batch)
MEMORY = 12
ARMIJO = 1e-4
SHORTEST = 1e-10
LONGEST = 1.0  # of a first step, in the largest component


@dataclass(frozen=True, eq=False)
class Descent:
    """Where every column ended: positions (num, batch), values (batch,), evaluations of the batch."""

    position: Real
    value: Real
    evaluations: int


def descended(
    objective: Callable[[Real], tuple[float, Real]], start: Real, iterations: int, deadline: float
) -> tuple[Real, float]:
    """L-BFGS of scipy from one position: where it ended, and the value there. Ends like `minimise`."""

    def check(intermediate_result: OptimizeResult) -> None:
        if time.monotonic() > deadline:
            raise StopIteration

    found = minimize(
        objective, start, jac=True, method="L-BFGS-B", callback=check,
        options={"maxiter": iterations, "maxcor": MEMORY, "ftol": 1e-7, "gtol": 1e-7},
    )  # fmt: skip
    return np.asarray(found.x), float(found.fun)


def minimise(objective: Objective, start: Real, iterations: int, deadline: float, tolerance: float = 1e-7) -> Descent:
    """L-BFGS (Nocedal & Wright, Algorithm 7.4) from every column of `start`, with backtracking (Armijo).

    Columns never see each other; a batch only shares the cost of an evaluation, which for small circuits is that of
    calling numpy. Ends after `iterations`, at the `deadline` (time.monotonic), or when no column improved by
    `tolerance` over the last 10 iterations.
    """
    x = np.array(start, dtype=float)
    value, slope = objective(x)
    count, past = 1, [value.copy()]
    S: list[Real] = []
    Y: list[Real] = []
    for _ in range(iterations):
        if time.monotonic() > deadline:
            break
        step = -_two_loops(slope, S, Y)
        downhill = np.einsum("pb,pb->b", step, slope)
        bad = downhill >= 0
        step[:, bad], downhill[bad] = -slope[:, bad], -np.einsum("pb,pb->b", slope, slope)[bad]
        longest = np.max(np.abs(step), axis=0)
        length = np.minimum(1.0, LONGEST / np.maximum(longest, 1e-300))
        active = np.max(np.abs(slope), axis=0) > 1e-9
        new_x, new_value, new_slope = x.copy(), value.copy(), slope.copy()
        waiting = active.copy()
        while waiting.any() and length[waiting].max() > SHORTEST:
            trial = np.where(waiting, x + length * step, new_x)
            trial_value, trial_slope = objective(trial)
            count += 1
            good = waiting & (trial_value <= value + ARMIJO * length * downhill)
            new_x[:, good], new_value[good], new_slope[:, good] = (
                trial[:, good],
                trial_value[good],
                trial_slope[:, good],
            )
            waiting &= ~good
            length = np.where(waiting, length * 0.4, length)
        S, Y = [*S[-MEMORY + 1 :], new_x - x], [*Y[-MEMORY + 1 :], new_slope - slope]
        x, value, slope = new_x, new_value, new_slope
        past.append(value.copy())
        if len(past) > 10 and np.all(past[-11] - value < tolerance):
            break
    return Descent(x, value, count)


def _two_loops(slope: Real, S: list[Real], Y: list[Real]) -> Real:
    """The inverse Hessian times the gradient; pairs without positive curvature are skipped, column by column."""
    q = slope.copy()
    pairs = []
    for s, y in zip(reversed(S), reversed(Y), strict=True):
        sy = np.einsum("pb,pb->b", s, y)
        rho = np.where(sy > 1e-14, 1 / np.where(sy > 1e-14, sy, 1.0), 0.0)
        alpha = rho * np.einsum("pb,pb->b", s, q)
        q -= alpha * y
        pairs.append((s, y, rho, alpha))
    if S:
        sy, yy = np.einsum("pb,pb->b", S[-1], Y[-1]), np.einsum("pb,pb->b", Y[-1], Y[-1])
        q *= np.where((sy > 1e-14) & (yy > 0), sy / np.where(yy > 0, yy, 1.0), 1.0)
    for s, y, rho, alpha in reversed(pairs):
        q += s * (alpha - rho * np.einsum("pb,pb->b", y, q))
    return q
