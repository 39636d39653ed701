"""What a reader should compare with: no entangling gate at all, and the loop people write by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.optimize
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import UnitaryGate

from ..compiler.presets.unitary_gate_loop import loop_unitaries
from ..generators import Lindbladian
from ..generators.frequency import rate_unit
from ..generators.matrices import jumps
from ..spectrum import Array, gibbs_state, trace_distance, unvec, vec

MAX_PRODUCT_QUBITS = 6
MAX_LOOP_QUBITS = 4
MAX_LOOP_STEPS = 5000
MAX_LOOP_JUMPS = 32  # more are not written by hand
PAULIS = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])


def best_product_distance(sigma: Array, starts: int = 4) -> float | None:
    """Trace distance from σ to the nearest product of (mixed) single-qubit states found; None above 6 qubits.

    Each Bloch vector is r = x / √(1 + |x|²); L-BFGS on a smoothed trace distance from the marginals of σ and a few
    seeded starts. An upper bound on the true minimum.
    """
    n = round(np.log2(sigma.shape[0]))
    if n > MAX_PRODUCT_QUBITS:
        return None
    rng = np.random.default_rng(5)

    def sites(x: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        r = x.reshape(n, 3) / np.sqrt(1 + np.sum(x.reshape(n, 3) ** 2, axis=1, keepdims=True))
        return r, [0.5 * (np.eye(2) + np.tensordot(row, PAULIS, 1)) for row in r]

    def product(x: np.ndarray) -> Array:
        rho = np.eye(1, dtype=complex)
        for site in sites(x)[1]:
            rho = np.kron(site, rho)
        return rho

    def smooth(x: np.ndarray, eta: float) -> tuple[float, np.ndarray]:
        """½ Σ (√(λ² + η²) − η) and its gradient, through ∂λ = ⟨v|∂ρ|v⟩."""
        r, rhos = sites(x)
        values, vectors = np.linalg.eigh(product(x) - sigma)
        root = np.sqrt(values**2 + eta**2)
        M = (vectors * (0.5 * values / root)) @ vectors.conj().T
        slope = np.empty((n, 3))
        for q in range(n):
            left, right = np.eye(1, dtype=complex), np.eye(1, dtype=complex)
            for site in rhos[q + 1 :]:
                left = np.kron(site, left)
            for site in rhos[:q]:
                right = np.kron(site, right)
            split = M.reshape(len(left), 2, len(right), len(left), 2, len(right))
            reduced = np.einsum("aibcjd,ca,db->ij", split, left, right, optimize=True)
            slope[q] = 0.5 * np.real(np.trace(reduced @ PAULIS, axis1=-2, axis2=-1))
        raw = x.reshape(n, 3)
        norm = 1 + np.sum(raw**2, axis=1, keepdims=True)
        gradient = (slope - r * np.sum(r * slope, axis=1, keepdims=True)) / np.sqrt(norm)
        return float(0.5 * np.sum(root - eta)), gradient.reshape(-1)

    bloch = np.array([np.real(np.trace(_marginal(sigma, q, n) @ PAULIS, axis1=-2, axis2=-1)) for q in range(n)])
    marginals = (bloch / np.sqrt(np.clip(1 - np.sum(bloch**2, axis=1, keepdims=True), 1e-6, None))).reshape(-1)
    best = np.inf
    for k in range(starts):
        x = marginals + (0.3 * rng.standard_normal(3 * n) if k else 0.0)
        for eta in (1e-2, 1e-3, 1e-4):
            x = scipy.optimize.minimize(smooth, x, args=(eta,), jac=True, method="L-BFGS-B").x
        best = min(best, trace_distance(product(x), sigma))
    return float(best)


def _marginal(rho: Array, qubit: int, n: int) -> Array:
    left, right = 2 ** (n - 1 - qubit), 2**qubit
    return np.asarray(np.einsum("aibajb->ij", rho.reshape(left, 2, right, left, 2, right)))


@dataclass(frozen=True)
class UnitaryLoop:
    """The loop people write by hand, carried to a distance.

    Attributes:
        step: Time step δ of one pass over all jumps.
        gates_per_step: Two-qubit gates of one pass, transpiled to cz, rz, sx, x at level 3.
        steps: Passes until the trace distance is reached; None if it never is (within 5000).
        two_qubit_gates: Their product.
        distance: The trace distance it had to reach.
    """

    step: float
    gates_per_step: int
    steps: int | None
    two_qubit_gates: int | None
    distance: float


def unitary_loop(generator: Lindbladian, start: Array, distance: float) -> tuple[UnitaryLoop, UnitaryLoop] | None:
    r"""The hand-written loop at the step 0.1 people use, and at its best step; None above 4 qubits or 32 jumps.

    Steps are in units of one over that of the rates, see `generators.frequency.rate_unit`.

    Per step: e^{−iBδ} as one `UnitaryGate`, then per jump the first-order dilation
    $e^{-i\sqrt\delta(L\otimes|1\rangle\langle 0| + h.c.)}$ as one `UnitaryGate` on all system qubits and an ancilla,
    and a reset. −i[H, ·] is left out, which costs the loop nothing.
    The best step is the cheapest of 0.1 · 2^{k/4} up to 12.8.
    """
    if generator.model.num_qubits > MAX_LOOP_QUBITS or len(jumps(generator)) > MAX_LOOP_JUMPS:
        return None
    sigma = gibbs_state(generator.model, generator.beta)
    gates = _loop_gates(generator)
    steps = [0.1 * 2 ** (k / 4) / rate_unit(generator) for k in range(29)]
    results = [_carried(generator, start, sigma, distance, step, gates) for step in steps]
    reached = [r for r in results if r.two_qubit_gates is not None]
    best = min(reached, key=lambda r: r.two_qubit_gates or 0) if reached else results[0]
    return results[0], best


def _loop_gates(generator: Lindbladian) -> int:
    """Counted on the transpiled gates, one by one."""
    coherent, dilations = loop_unitaries(generator, 0.1 / rate_unit(generator))
    total = 0
    for unitary in [*([coherent] if coherent is not None else []), *dilations]:
        qc = QuantumCircuit(round(np.log2(unitary.shape[0])))
        qc.append(UnitaryGate(unitary), qc.qubits)
        done = transpile(qc, basis_gates=["cz", "rz", "sx", "x"], optimization_level=3, seed_transpiler=1)
        total += int(done.count_ops().get("cz", 0))
    return total


def _carried(
    generator: Lindbladian, start: Array, sigma: Array, distance: float, step: float, gates: int
) -> UnitaryLoop:
    d = sigma.shape[0]
    coherent, dilations = loop_unitaries(generator, step)
    channel = np.eye(d * d, dtype=complex) if coherent is None else np.kron(coherent.conj(), coherent)
    for U in dilations:
        kraus = (U[:d, :d], U[d:, :d])
        channel = sum(np.kron(K.conj(), K) for K in kraus) @ channel
    v, last = vec(start), np.inf
    for count in range(1, MAX_LOOP_STEPS + 1):
        v = channel @ v
        now = trace_distance(unvec(v), sigma)
        if now <= distance:
            return UnitaryLoop(step, gates, count, count * gates, distance)
        if count % 64 == 0:  # a start may pass σ at a distance first; give up only when nothing moves any more
            if abs(last - now) < 1e-10:
                break
            last = now
    return UnitaryLoop(step, gates, None, None, distance)
