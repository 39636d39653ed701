"""What a reader should compare with: no entangling gate at all, and the loop people write by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import UnitaryGate

from ...compiler.presets.unitary_gate_loop import loop_unitaries
from ...generators.frequency import rate_unit
from ...generators.lindbladian import Lindbladian
from ...generators.matrices import jumps
from ...limits import MAX_LOOP_JUMPS, MAX_LOOP_QUBITS, MAX_LOOP_STEPS, MAX_PRODUCT_QUBITS
from ...linalg.arrays import Array, unvec, vec
from ...models.spectrum import gibbs_state, spectrum, trace_distance
from ...readings.channel.sweep_count import Pool
from ...readings.channel.worst_start import tried_starts
from ...search.product_state import nearest_product


def best_product_distance(sigma: Array) -> float | None:
    """Trace distance from σ to the nearest product of (mixed) single-qubit states found; None above 6 qubits."""
    n = round(np.log2(sigma.shape[0]))
    return None if n > MAX_PRODUCT_QUBITS else nearest_product(sigma)[1]


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


def unitary_loop(
    generator: Lindbladian, start: Array | None, distance: float
) -> tuple[UnitaryLoop, UnitaryLoop] | None:
    r"""The hand-written loop at the step 0.1 people use, and at its best step; None above 4 qubits or 32 jumps.

    Steps are in units of one over that of the rates, see `generators.frequency.rate_unit`.

    Per step: e^{−iBδ} as one `UnitaryGate`, then per jump the first-order dilation
    $e^{-i\sqrt\delta(L\otimes|1\rangle\langle 0| + h.c.)}$ as one `UnitaryGate` on all system qubits and an ancilla,
    and a reset. −i[H, ·] is left out, which costs the loop nothing.
    The best step is the cheapest of 0.1 · 2^{k/4} up to 12.8.

    Args:
        generator: Whose jumps and coherent term are taken.
        start: Density matrix; None: from every start, the worst searched for as for a program.
        distance: Trace distance to σ to be reached.
    """
    if generator.model.num_qubits > MAX_LOOP_QUBITS or len(jumps(generator)) > MAX_LOOP_JUMPS:
        return None
    sigma = gibbs_state(generator.model, generator.beta)
    gates = _loop_gates(generator)
    steps = [0.1 * 2 ** (k / 4) / rate_unit(generator) for k in range(29)]
    results = [_loop_to_distance(generator, start, sigma, distance, step, gates) for step in steps]
    reached = [r for r in results if r.two_qubit_gates is not None]
    best = min(reached, key=lambda r: r.two_qubit_gates or 0) if reached else results[0]
    return results[0], best


def _loop_gates(generator: Lindbladian) -> int:
    """Two-qubit gates of one pass over all jumps, each unitary transpiled by itself."""
    coherent, dilations = loop_unitaries(generator, 0.1 / rate_unit(generator))
    total = 0
    for unitary in [*([coherent] if coherent is not None else []), *dilations]:
        qc = QuantumCircuit(round(np.log2(unitary.shape[0])))
        qc.append(UnitaryGate(unitary), qc.qubits)
        done = transpile(qc, basis_gates=["cz", "rz", "sx", "x"], optimization_level=3, seed_transpiler=1)
        total += int(done.count_ops().get("cz", 0))
    return total


def _loop_to_distance(
    generator: Lindbladian, start: Array | None, sigma: Array, distance: float, step: float, gates: int
) -> UnitaryLoop:
    """The loop at one step, carried on until its distance to σ is reached from the given start, or from every start."""
    d = sigma.shape[0]
    coherent, dilations = loop_unitaries(generator, step)
    channel = np.eye(d * d, dtype=complex) if coherent is None else np.kron(coherent.conj(), coherent)
    for U in dilations:
        kraus = (U[:d, :d], U[d:, :d])
        channel = sum(np.kron(K.conj(), K) for K in kraus) @ channel
    if start is None:
        steps = _steps_from_every_start(
            np.asarray(channel), Pool(sigma, tried_starts(spectrum(generator.model).vectors)), distance
        )
        return UnitaryLoop(step, gates, steps, None if steps is None else steps * gates, distance)
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


def _steps_from_every_start(channel: Array, pool: Pool, distance: float) -> int | None:
    """Steps until no start is found beyond the distance, which never grows with the steps: by halving intervals."""
    powers = [channel]
    while 2 ** len(powers) <= MAX_LOOP_STEPS:
        powers.append(powers[-1] @ powers[-1])
    count, done = 0, np.eye(len(channel), dtype=complex)  # the most that is known to be too few
    for k, power in reversed(list(enumerate(powers))):
        further = power @ done
        if pool.worst(further @ pool.columns) > distance or pool.searched(further, distance) > distance:
            count, done = count + 2**k, further
    return count + 1 if count < MAX_LOOP_STEPS else None
