"""The stationary state of a generator that is no matrix: GMRES, preconditioned by its classical part."""

from __future__ import annotations

import numpy as np
import scipy.sparse.linalg

from ...errors import NotConvergedError
from ...linalg.arrays import Array, Real, packed, unpacked
from ..structure.matrix_free import Flow

RESIDUAL_TOLERANCE = 1e-10
RESTART = 60
MAX_CYCLES = 40
PROBES = 3
EPSILON = float(np.finfo(float).eps)
SAFETY = 10  # of the error of a solve, condition × rounding, against what is lost in forming the matrix


def iterative(flow: Flow, start: Array) -> tuple[Array, float]:
    """The state with 𝓛 ρ = 0, in the energy basis, by GMRES from a start of trace 1, and the error of it.

    (s/d · 1 Tr − 𝓛) ρ = s/d · 1 has ρ as its only solution if there is one steady state; s is the largest rate.
    The error is the residual that is left times the norm of the inverse, which a few solves for random right-hand
    sides estimate: they turn towards what relaxes most slowly.

    Raises:
        NotConvergedError: If ‖𝓛ρ‖_F stays above 1e-10 of (largest rate · ‖ρ‖_F).
    """
    d, N = flow.dim, flow.dim**2
    rate = float(np.max(-np.diag(flow.rates)))
    diagonal = np.arange(d) * (d + 1)
    target = np.zeros(N)
    target[diagonal] = rate / d
    classical = scipy.linalg.lu_factor(np.full((d, d), rate / d) - flow.rates)
    lifetimes = -flow.coherences
    lifetimes = lifetimes + 1e-3 * rate * (np.abs(lifetimes) < 1e-3 * rate)

    def apply(v: Real) -> Real:
        v = v.ravel()
        out = -flow.apply(v)
        out[diagonal] += rate / d * float(v[diagonal].sum())
        return out

    def precondition(v: Real) -> Real:
        v = v.ravel()
        out = packed(unpacked(v.reshape(d, d)) / lifetimes).ravel()
        out[diagonal] = scipy.linalg.lu_solve(classical, v[diagonal])
        return out

    operator = scipy.sparse.linalg.LinearOperator((N, N), matvec=apply, dtype=float)
    helper = scipy.sparse.linalg.LinearOperator((N, N), matvec=precondition, dtype=float)
    v, residual = packed(start).ravel(), np.inf
    for _ in range(MAX_CYCLES):
        missing = target - apply(v)
        last, residual = residual, float(np.linalg.norm(missing)) / (rate * float(np.linalg.norm(v)))
        if residual < 1e-14 or (residual <= RESIDUAL_TOLERANCE and residual > 0.5 * last):
            break  # as small as rounding lets it be
        v = v + scipy.sparse.linalg.gmres(operator, missing, M=helper, restart=RESTART, maxiter=1, rtol=1e-8)[0]
    if not residual <= RESIDUAL_TOLERANCE:
        raise NotConvergedError(
            f"GMRES for the steady state stopped at a relative residual of {residual:.1e}, {RESIDUAL_TOLERANCE:.0e} is "
            "needed. Fix: use `evolve` for a long time, or a generator with a larger gap."
        )
    probe, inverse = np.random.default_rng(0).standard_normal(N), 0.0
    for _ in range(PROBES):
        probe = probe / np.linalg.norm(probe)
        probe = scipy.sparse.linalg.gmres(operator, probe, M=helper, restart=RESTART, maxiter=2, rtol=1e-3)[0]
        inverse = max(inverse, float(np.linalg.norm(probe)))
    lost = max(residual, SAFETY * EPSILON) * rate * float(np.linalg.norm(v))
    rho = unpacked(v.reshape(d, d))
    return np.asarray(rho / np.trace(rho).real), float(SAFETY * inverse * lost * np.sqrt(d) / 2)
