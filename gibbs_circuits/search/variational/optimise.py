"""scipy's L-BFGS from one position, or from several, one after the other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...linalg.arrays import Real
from ..clock import Deadline
from ..costs import CALL

Objective = Callable[[Real], tuple[Real, Real]]  # (num, batch) → values (batch,), gradients (num, batch)
MEMORY = 12
TOLERANCE = 1e-7


def descended(
    objective: Callable[[Real], tuple[float, Real]], start: Real, iterations: int, deadline: Deadline, each: float
) -> tuple[Real, float]:
    """L-BFGS from one position: where it ended, and the value there.

    Ends after `iterations`, after the first one beyond the `deadline`, or when one gains less than 1e-7. An evaluation
    is counted as `each` nominal seconds.

    Raises:
        OutOfTimeError: If the wall clock stops the search.
    """
    from scipy.optimize import minimize  # loaded when used

    def check(intermediate_result: object) -> None:
        if deadline.passed:
            raise StopIteration

    def counted(x: Real) -> tuple[float, Real]:
        deadline.spend(each + CALL)
        return objective(x)

    found = minimize(
        counted, start, jac=True, method="L-BFGS-B", callback=check,
        options={"maxiter": iterations, "maxcor": MEMORY, "ftol": TOLERANCE, "gtol": TOLERANCE},
    )  # fmt: skip
    return np.asarray(found.x), float(found.fun)


def minimise(objective: Objective, start: Real, iterations: int, deadline: Deadline, each: float) -> tuple[Real, Real]:
    """The same from every column of `start`: positions (num, batch), values (batch,).

    Columns that the deadline leaves out stay where they are, with the value inf.
    """

    def one(x: Real) -> tuple[float, Real]:
        value, slope = objective(x[:, None])
        return float(value[0]), slope[:, 0]

    found: list[tuple[Real, float]] = []
    for x in start.T:
        late = found and deadline.passed
        found.append((x, np.inf) if late else descended(one, x, iterations, deadline, each))
    return np.stack([x for x, _ in found], axis=-1), np.array([value for _, value in found])
