"""Stationary states of dense maps."""

from __future__ import annotations

import warnings

import numpy as np
import scipy.linalg

from ..spectrum import Array, unvec, vec

TIE_BREAK = 1e-9


def stationary_state(L: Array) -> Array:
    """The density matrix with L ρ = 0, for a trace-preserving generator L (or Φ − 1 of a channel Φ).

    By a linear solve with Tr ρ = 1; of several, the one that the maximally mixed state relaxes to (to 1e-9).
    """
    d = round(L.shape[0] ** 0.5)
    one = vec(np.eye(d))
    with warnings.catch_warnings():
        warnings.simplefilter("error", scipy.linalg.LinAlgWarning)
        try:
            rho = unvec(scipy.linalg.solve(np.outer(one / d, one) - L, one / d))
        except (scipy.linalg.LinAlgError, scipy.linalg.LinAlgWarning):  # (ε − L) ρ = ε/d has one solution
            epsilon = TIE_BREAK * float(np.linalg.norm(L, 1)) or 1.0
            rho = unvec(np.linalg.solve(epsilon * np.eye(d * d) - L, epsilon * one / d))
    return np.asarray((rho + rho.conj().T) / 2)
