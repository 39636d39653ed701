"""A program's steps as dense matrices on system and ancillas: the channel of a sweep, random steps averaged exactly.

A piece of a sweep is a list of Kraus operators from the system to system ⊗ ancillas, ancillas on the high bits. Once
every ancilla is back in |0⟩, the list is closed into a d² × d² matrix on row-stacked density matrices.
Nothing here knows the package: steps are told apart by the names of their fields' owners, as data.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .paulis import ENTRIES, Complex, exponential, pauli, pauli_sum

MAX_KRAUS = 4096
SUZUKI = 1 / (4 - 4 ** (1 / 3))  # Suzuki, Phys. Lett. A 146, 319
Terms = tuple[tuple[str, float], ...]


def product_formula(groups: Sequence[Terms], qubits: int, duration: float, slices: int, order: int) -> Complex:
    """e^{−iHt} as a product over groups; order 1: first group acts first; 2: Strang; 4: Suzuki; 0: exact."""
    one = np.eye(2**qubits, dtype=complex)
    matrices = [pauli_sum(terms, qubits) for terms in groups if terms]
    if not matrices:
        return one
    if order == 0:
        return exponential(sum(matrices), -1j * duration)
    t = duration / slices

    def lie(x: float) -> Complex:
        out = one
        for M in matrices:
            out = exponential(M, -1j * x) @ out
        return out

    def strang(x: float) -> Complex:
        out = one
        for M in (*matrices, *reversed(matrices)):
            out = exponential(M, -0.5j * x) @ out
        return out

    if order == 1:
        slice_ = lie(t)
    elif order == 2:
        slice_ = strang(t)
    else:
        outer, inner = strang(SUZUKI * t), strang((1 - 4 * SUZUKI) * t)
        slice_ = outer @ outer @ inner @ outer @ outer
    return np.asarray(np.linalg.matrix_power(slice_, slices))


class Simulator:
    """One program on n + m qubits, as plain matrices."""

    def __init__(self, program: Any) -> None:
        self.n, self.m = program.num_system, program.num_ancilla
        self.d, self.a = 2**self.n, 2**self.m
        self.groups = [tuple(group.terms) for group in program.groups]
        self.stages = program.stages
        self.cache: dict[Any, Complex] = {}

    def whole(self) -> Complex:
        """All sweeps of all stages."""
        out = np.eye(self.d**2, dtype=complex)
        for index, stage in enumerate(self.stages):
            out = np.linalg.matrix_power(self.sweep(index), stage.repeats) @ out
        return out

    def sweep(self, stage: int = -1) -> Complex:
        """One sweep of a stage."""
        return self.steps(self.stages[stage].steps)

    def steps(self, steps: Iterable[Any]) -> Complex:
        channel = np.eye(self.d**2, dtype=complex)
        blank = np.zeros((self.a * self.d, self.d), dtype=complex)
        blank[: self.d] = np.eye(self.d)
        kraus, touched = [blank], set[int]()
        for step in steps:
            name = type(step).__name__
            if name == "RandomChoice":
                channel = self.closed(kraus) @ channel
                kraus = [blank]
                channel = sum(b.probability * self.steps(b.steps) for b in step.branches) @ channel
            elif name == "RandomDelay":
                U = self.on_system(self.evolution(step.unit))
                counts = range(step.low, step.high + 1)
                powers = [np.linalg.matrix_power(U, k) / np.sqrt(len(counts)) for k in counts]
                kraus = [power @ K for power in powers for K in kraus]
            elif name == "Reset":
                kraus = [L for K in kraus for L in self.reset(K, step.ancillas)]
                touched -= set(step.ancillas)
            else:
                U, used = self.unitary(step)
                kraus = [U @ K for K in kraus]
                touched |= used
            if len(kraus) > MAX_KRAUS:
                raise MemoryError(f"{len(kraus)} Kraus operators")
            if not touched:
                channel = self.closed(kraus) @ channel
                kraus = [blank]
        return self.closed(kraus) @ channel

    def closed(self, kraus: list[Complex]) -> Complex:
        out = np.zeros((self.d**2, self.d**2), dtype=complex)
        for K in kraus:
            assert np.allclose(K[self.d :], 0, atol=1e-9), "an ancilla is left in use"
            out += np.kron(K[: self.d], K[: self.d].conj())
        return out

    def reset(self, K: Complex, ancillas: Sequence[int]) -> list[Complex]:
        whole = [K.reshape([2] * self.m + [self.d, self.d])]  # axis 0 is the highest ancilla
        for k in ancillas:
            axis, found = self.m - 1 - k, []
            for M in whole:
                for outcome in (0, 1):
                    part = np.take(M, [outcome], axis=axis)
                    if np.any(np.abs(part) > 1e-15):
                        found.append(np.concatenate([part, np.zeros_like(part)], axis=axis))
            whole = found
        return [M.reshape(self.a * self.d, self.d) for M in whole]

    def on_system(self, U: Complex) -> Complex:
        return np.kron(np.eye(self.a), U)

    def evolution(self, step: Any) -> Complex:
        if step not in self.cache:
            kept = [tuple(term for term in terms if term[0] not in step.without) for terms in self.groups]
            self.cache[step] = product_formula(kept, self.n, step.duration, step.slices, step.order)
        return self.cache[step]

    def unitary(self, step: Any) -> tuple[Complex, set[int]]:
        name = type(step).__name__
        if name == "Evolve":
            return self.on_system(self.evolution(step)), set()
        if name == "Correct":
            terms = [tuple(group.terms) for group in step.term]
            return self.on_system(product_formula(terms, self.n, step.duration, step.slices, step.order)), set()
        if name == "Couple":
            return self.coupling(step), {step.ancilla}
        if name == "Unitary":
            return self.embedded(step.matrix, step.ancillas), set(step.ancillas)
        raise NotImplementedError(name)

    def coupling(self, step: Any) -> Complex:
        """exp(−iθ A ⊗ (cos φ X + sin φ Y)); a palindrome of half angles where the terms of A do not commute."""
        x, y = (np.array(ENTRIES[letter], dtype=complex) for letter in "XY")
        one, axis = np.eye(2), np.cos(step.axis) * x + np.sin(step.axis) * y
        on_ancilla = np.ones((1, 1), dtype=complex)
        for k in reversed(range(self.m)):
            on_ancilla = np.kron(on_ancilla, axis if k == step.ancilla else one)
        paulis = [pauli(label) for label, _ in step.terms]
        order = [(k, step.angle * c) for k, (_, c) in enumerate(step.terms)]
        if not all(np.allclose(p @ q, q @ p) for i, p in enumerate(paulis) for q in paulis[i + 1 :]):
            half = [(k, angle / 2) for k, angle in order]
            order = half + half[::-1]
        U = np.eye(self.a * self.d, dtype=complex)
        for k, angle in order:  # (P ⊗ axis)² = 1
            G = np.kron(on_ancilla, paulis[k])
            U = np.cos(angle) * U - 1j * np.sin(angle) * (G @ U)
        return U

    def embedded(self, matrix: Complex, ancillas: Sequence[int]) -> Complex:
        """Index a·2^n + s of the block, bit k of a belonging to ancillas[k]."""
        rest = [k for k in range(self.m) if k not in ancillas]
        out = np.zeros((self.a * self.d,) * 2, dtype=complex)
        size, s = 2 ** len(ancillas), np.arange(self.d)
        for others in range(2 ** len(rest)):
            base = sum(((others >> j) & 1) << k for j, k in enumerate(rest))
            rows = np.concatenate(
                [(base + sum(((a >> j) & 1) << k for j, k in enumerate(ancillas))) * self.d + s for a in range(size)]
            )
            out[np.ix_(rows, rows)] = matrix
        return out


def fixed_point(channel: Complex) -> tuple[Complex, float]:
    """(the state that a channel leaves alone, second largest |eigenvalue|)."""
    values, vectors = np.linalg.eig(channel)
    order = np.argsort(-np.abs(values))
    d = round(len(channel) ** 0.5)
    rho = vectors[:, np.argmin(np.abs(values - 1))].reshape(d, d)
    rho = rho / np.trace(rho)
    return (rho + rho.conj().T) / 2, float(np.abs(values[order[1]]))


def after(channel: Complex, rho: Complex) -> Complex:
    return np.asarray((channel @ rho.reshape(-1)).reshape(rho.shape))
