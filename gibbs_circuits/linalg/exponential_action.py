r"""e^{tL} x by Krylov subspaces, with a bound on the error and output at any time.

Arnoldi gives $LV_m = V_mH_m + h\,v_{m+1}e_m^T$. $u(s) = \|x\|V_me^{sH_m}e_1$ then obeys
$\dot u = Lu - \|x\|h\,(e_m^Te^{sH_m}e_1)\,v_{m+1}$, so where the norm of $e^{tL}$ is at most 1 the error is at most
$\|x\|\,h\,\|v_{m+1}\|\int_0^s|e_m^Te^{rH_m}e_1|dr$. The relation, hence the bound, does not need V to be orthogonal.

References:
    Saad, SIAM J. Numer. Anal. 29, 209 (1992). Sidje, ACM TOMS 24, 130 (1998): Expokit, adaptive steps. Botchev, Grimm &
    Hochbruck, SIAM J. Sci. Comput. 35, A1376 (2013): the defect as error estimate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from ..errors import NotConvergedError
from .arrays import Real

NODES = 256
MAX_NODES = 8192
TAYLOR_TERMS = 20
BREAKDOWN = 1e-14
MAX_APPLICATIONS = 100_000


@dataclass(frozen=True, eq=False)
class Flown:
    """States at the times asked for, rows of a matrix; how it went.

    Attributes:
        states: (times, length of the vector).
        bound: Bound of the error at the last time, in the norm that the caller weighs by.
        applications: Of the linear map.
    """

    states: Real
    bound: float
    applications: int


@dataclass(frozen=True, eq=False)
class _Step:
    H: Real
    spacing: float
    nodes: Real  # (m, K + 1): e^{sH} e_1 at multiples of the spacing
    last: int  # node up to which the error is small enough
    complete: bool  # whether a larger subspace would reach no farther: the end, or the longest step
    bound: float
    size: float  # a norm of H

    def at(self, s: Real) -> Real:
        """e^{sH} e_1, one column per time."""
        index = np.minimum((s / self.spacing).astype(int), self.nodes.shape[1] - 1)
        rest = s - index * self.spacing
        total = term = self.nodes[:, index]
        for j in range(1, TAYLOR_TERMS):
            term = (self.H @ term) * (rest / j)
            total = total + term
        return total


def flow_along(
    apply: Callable[[Real], Real], start: Real, times: Real, tolerance: float, *, weight: float, subspace: int
) -> Flown:
    """e^{tL} x at ascending times >= 0.

    Args:
        apply: x ↦ L x, where no e^{tL} increases the norm that counts.
        start: x, real.
        times: Ascending, >= 0.
        tolerance: Of the error at every time, in the norm that counts.
        weight: That norm is at most `weight` times the Euclidean one.
        subspace: Largest dimension m.

    Raises:
        NotConvergedError: After 100 000 applications, or if rounding errors alone are larger than the tolerance.
    """
    total = float(times[-1])
    states = np.empty((times.size, start.size))
    V = np.empty((min(subspace, start.size) + 1, start.size))
    x, t, done, bound, count, dimension, size = start, 0.0, 0, 0.0, 0, 0, 0.0
    while done < times.size and times[done] == 0:
        states[done] = start
        done += 1
    while t < total:
        norm = float(np.linalg.norm(x))
        rate = tolerance / total / (weight * norm) if norm > 0 else np.inf
        step, used = _step(apply, x, V, total - t, rate, dimension, size)
        count += used
        if count > MAX_APPLICATIONS:
            raise NotConvergedError(
                f"Time {t:.3g} of {total:.3g} was reached after {count} applications. Fix: ask for shorter times."
            )
        m, size = len(step.H), max(size, step.size)
        reached = step.last * step.spacing
        end = total if reached >= (total - t) * (1 - 1e-12) else t + reached
        inside = int(np.searchsorted(times, end, side="right"))
        if inside > done:
            states[done:inside] = norm * (step.at(times[done:inside] - t).T @ V[:m])
        x = norm * (step.nodes[:, step.last] @ V[:m])
        bound += step.bound * weight * norm
        done, t, dimension = inside, end, m
    return Flown(states, bound, count)


def _step(
    apply: Callable[[Real], Real], x: Real, V: Real, remaining: float, rate: float, dimension: int, size: float
) -> tuple[_Step, int]:
    """The subspace of x, grown until it reaches the end or is full, and its dimension.

    V is room for the basis, `rate` the error allowed per time, `dimension` that of the subspace before, and `size` a
    norm of L known from there, against which a basis is closed to rounding.
    """
    largest = len(V) - 1
    H = np.zeros((largest + 1, largest))
    norm = float(np.linalg.norm(x))
    V[0] = x / norm if norm > 0 else x
    check = 8
    for j in range(largest):
        w = apply(V[j])
        basis = V[: j + 1]
        h = basis @ w
        w = w - h @ basis
        b = math.sqrt(w @ w)
        if b < math.sqrt(h @ h):  # cancellation lets rounding errors in: once more
            again = basis @ w
            w = w - again @ basis
            h, b = h + again, math.sqrt(w @ w)
        m = j + 1
        H[:m, j], H[m, j] = h, b
        size = max(size, float(np.abs(h).sum()))
        closed = b <= BREAKDOWN * max(size, 1e-300)
        if not closed:
            V[m] = w / b
        if m == check == 8 and not closed and m < largest:  # too early to look, unless the step is short
            check = int(min(largest, max(min(20, 8 + 2 * size * remaining), 0.8 * dimension)))
            if check > 8:
                continue
        if closed or m >= check or m == largest:
            step = _reach(H[: m + 1, :m], 0.0 if closed else b, remaining, rate)
            if closed or m == largest or step.complete:
                return step, m
            growth = (remaining / max(step.last * step.spacing, 1e-3 * remaining)) ** 0.4  # between ~1/m and ~1/m²
            check = min(largest, math.ceil(m * min(2.5, max(1.15, growth))))
    raise NotConvergedError("A Krylov subspace of dimension 0 was asked for.")


def _reach(H: Real, defect: float, remaining: float, rate: float) -> _Step:
    """The farthest node at which the integrated defect is below `rate` per time."""
    square = H[:-1]
    m = len(square)
    size = float(np.max(np.sum(np.abs(square), axis=0)))
    longest = span = min(remaining, MAX_NODES / max(size, 1e-300))
    for _ in range(60):
        count = int(2 ** np.ceil(np.log2(np.clip(size * span, NODES, MAX_NODES))))
        spacing = span / count
        with np.errstate(over="ignore", invalid="ignore"):  # what grows beyond bounds is not good
            E = scipy.linalg.expm(spacing * square)
            nodes = np.zeros((m, 1))
            nodes[0] = 1
            while nodes.shape[1] <= count:
                nodes = np.hstack([nodes, E @ nodes])
                E = E @ E
            nodes = nodes[:, : count + 1]
            defects = defect * np.abs(nodes[-1])
            integral = np.concatenate([[0.0], np.cumsum((defects[1:] + defects[:-1]) / 2)]) * spacing
        good = np.flatnonzero(integral <= rate * spacing * np.arange(count + 1))
        last = int(good[-1])
        if last >= 4:
            complete = last == count and span == longest
            return _Step(square, spacing, nodes, last, complete, float(integral[last]), size)
        span *= max(last, 1) * 4 / count
    raise NotConvergedError(
        f"Rounding errors at rates of {size:.1e} exceed the tolerance. Fix: set a larger tolerance or a shorter time."
    )
