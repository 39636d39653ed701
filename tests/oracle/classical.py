"""A diagonal H, flipped site by site: no level mixes with another, so that every gap is a matter of 2ⁿ small matrices.

The jumps are X_i f̂(ν_i(z)), ν_i(z) = E(z ⊕ i) − E(z), so that R is diagonal and there is no coherent term. The
operators |z⟩⟨z ⊕ S| of one S stay among themselves.
"""

import numpy as np
from numpy.typing import NDArray


def ising_energies(sites: int, J: float, h: float = 0.0) -> NDArray[np.float64]:
    """−J Σ z_i z_{i+1} − h Σ z_i on the open chain, bit i of the index is site i."""
    z = 1 - 2 * ((np.arange(2**sites)[:, None] >> np.arange(sites)) & 1)
    return np.asarray(-J * np.sum(z[:, :-1] * z[:, 1:], axis=1) - h * np.sum(z, axis=1), dtype=float)


def flip_rates(energies: NDArray[np.float64], beta: float) -> NDArray[np.float64]:
    """All decay rates, ascending, of the Gaussian filter q = e^{−(βν)²/8}, through the symmetric similar matrices."""
    d = energies.size
    n, states, found = d.bit_length() - 1, np.arange(d), []
    nu = np.stack([energies[states ^ (1 << i)] - energies for i in range(n)])
    q = np.exp(-((beta * nu) ** 2) / 8)
    decay = np.sum((q * np.exp(-beta * nu / 4)) ** 2, axis=0)
    for S in range(d):
        other = states ^ S
        M = np.diag(-(decay + decay[other]) / 2)
        for i in range(n):
            M[states ^ (1 << i), states] += q[i] * q[i][other]
        found.append(-np.linalg.eigvalsh((M + M.T) / 2))
    return np.sort(np.concatenate(found))
