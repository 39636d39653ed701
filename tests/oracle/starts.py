"""The start from which a channel ends farthest from σ, by see-saw.

½‖Φ(ψ) − σ‖₁ = max over projectors P of Tr P(Φ(ψ) − σ): P is the positive part at ψ, then ψ the top eigenvector of
Φ†(P). Neither half lowers the value. It is a search: what it finds is a lower bound on the worst.
"""

import itertools

import numpy as np

from .paulis import Complex

AXES = tuple(
    np.array(v, dtype=complex) / np.linalg.norm(v) for v in ((1, 0), (0, 1), (1, 1), (1, -1), (1, 1j), (1, -1j))
)
STEPS = 300
SETTLED = 1e-10
CLOSE, KEPT = 1e-4, 12


def product_starts(qubits: int, rng: np.random.Generator, most: int = 64) -> Complex:
    """All products of one axis on every site, every basis state, and random products of the six axes."""
    rows = [[axis] * qubits for axis in AXES]
    rows += [list(choice) for choice in itertools.product(AXES[:2], repeat=qubits)]
    while len(rows) < most:
        rows.append([AXES[k] for k in rng.integers(0, 6, qubits)])
    out = []
    for row in rows:
        psi = np.ones(1, dtype=complex)
        for factor in row:
            psi = np.kron(psi, factor)
        out.append(psi)
    return np.array(out)


def haar(count: int, dim: int, rng: np.random.Generator) -> Complex:
    rows = rng.standard_normal((count, dim)) + 1j * rng.standard_normal((count, dim))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def worst_start(channel: Complex, sigma: Complex, restarts: int = 50, seed: int = 7) -> tuple[float, Complex]:
    """(distance, ψ) of the worst pure start found.

    Args:
        channel: Φ on row-stacked density matrices, vec(ρ)[i·d + j] = ρ_ij; all sweeps together.
        sigma: The state aimed at.
        restarts: Haar-random starts, besides the products.
        seed: Of them.
    """
    d = len(sigma)
    rng = np.random.default_rng(seed)
    psi = np.concatenate([haar(restarts, d, rng), product_starts(d.bit_length() - 1, rng)])
    best = np.full(len(psi), -1.0)
    for _ in range(STEPS):
        rho = (psi[:, :, None] * psi[:, None, :].conj()).reshape(len(psi), d * d)
        difference = (rho @ channel.T).reshape(-1, d, d) - sigma
        difference = (difference + difference.conj().transpose(0, 2, 1)) / 2
        values, vectors = np.linalg.eigh(difference)
        found = np.abs(values).sum(axis=1) / 2
        gained = np.max(found - best)
        if gained < SETTLED:
            break
        if gained < CLOSE and len(psi) > KEPT:  # only the best go on
            keep = np.argsort(-found)[:KEPT]
            best, found, psi = best[keep], found[keep], psi[keep]
            values, vectors = values[keep], vectors[keep]
        best = np.maximum(best, found)
        P = (vectors * (values > 0)[:, None, :]) @ vectors.conj().transpose(0, 2, 1)
        # Tr P Φ(ρ) = Σ conj(P)_ab Φ_ab,ij ρ_ij, so that Φ†(P)_ij = Σ conj(Φ)_ab,ij P_ab
        back = (P.reshape(-1, d * d) @ channel.conj()).reshape(-1, d, d)
        psi = np.linalg.eigh((back + back.conj().transpose(0, 2, 1)) / 2)[1][:, :, -1]
    index = int(np.argmax(found))
    return float(found[index]), psi[index]
