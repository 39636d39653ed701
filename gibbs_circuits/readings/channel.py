"""Program → exact channel on the system, averaged over random delays; its fixed point and contraction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.linalg
import scipy.sparse.linalg
from qiskit.quantum_info import SparsePauliOp

from ..compiler import EXACT, Couple, Evolve, Program, RandomDelay, Reset, Stage
from ..compiler.trotter import Group, factors
from ..errors import TooLargeError
from ..exact.steady import stationary_state
from ..spectrum import Array, unvec, vec

MAX_CHANNEL_QUBITS = 5


@dataclass
class _Evolver:
    """Dense exponentials of the groups and of their sum, diagonalised once per reading."""

    groups: tuple[Group, ...]
    num_system: int
    _eigen: dict[tuple[Group, ...], tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def _exponential(self, groups: tuple[Group, ...], time: float) -> Array:
        if groups not in self._eigen:
            terms = [term for group in groups for term in group.terms] or [("I" * self.num_system, 0.0)]
            self._eigen[groups] = scipy.linalg.eigh(SparsePauliOp.from_list(terms).to_matrix())
        energies, vectors = self._eigen[groups]
        return np.asarray((vectors * np.exp(-1j * time * energies)) @ vectors.conj().T)

    def unitary(self, step: Evolve) -> Array:
        """The product of the formula; the exponential of the sum when the order is EXACT."""
        groups = step.groups(self.groups)
        if step.order == EXACT:
            return self._exponential(groups, step.duration)
        U = np.eye(2**self.num_system, dtype=complex)
        for index, fraction in factors(len(groups), step.order, step.slices):
            U = self._exponential(groups[index : index + 1], fraction * step.duration / step.slices) @ U
        return U


def superoperator_of(kraus: Array) -> Array:
    """Σ_b K̄_b ⊗ K_b of a stack of Kraus operators, shape (branches, dim, dim)."""
    branches, d, _ = kraus.shape
    flat = kraus.reshape(branches, d * d)
    return np.asarray((flat.conj().T @ flat).reshape(d, d, d, d).transpose(0, 2, 1, 3).reshape(d * d, d * d))


def sweep_channel(program: Program, stage: int = -1, delays: Iterable[int] | None = None) -> Array:
    """One sweep of a stage as a dim² × dim² matrix on column-stacked density matrices.

    Args:
        program: On at most 5 system qubits.
        stage: Which stage.
        delays: One whole number per `RandomDelay` of the sweep; None averages over the distribution.

    Time O(4**m 8**n) per coupling for n system qubits and m ancillas, O(64**n) per random delay.

    Raises:
        TooLargeError: Above 5 system qubits.
    """
    n, m = program.num_system, program.num_ancilla
    if n > MAX_CHANNEL_QUBITS or n + m > 2 * MAX_CHANNEL_QUBITS:
        raise TooLargeError(
            f"The exact channel of {n} system qubits and {m} ancillas needs a {4**n} × {4**n} matrix; the limit is "
            f"{MAX_CHANNEL_QUBITS} + {MAX_CHANNEL_QUBITS} qubits. Fix: use a smaller model, or read off energies only."
        )
    return _channel(program, program.stages[stage], None if delays is None else iter(delays))


def _channel(program: Program, stage: Stage, delays: Iterator[int] | None) -> Array:
    n, m, d = program.num_system, program.num_ancilla, 2**program.num_system
    evolver = _Evolver(program.groups, n)
    paulis: dict[str, Array] = {}
    total: Array | None = None  # None: nothing has happened yet
    clean = np.zeros((1, *(2,) * m, d, d), dtype=complex)  # branches already reset, ancillas, out, in
    clean[(0, *(0,) * m)] = np.eye(d)
    state, dirty = clean, set[int]()
    for step in stage.steps:
        match step:
            case Evolve():
                state = evolver.unitary(step) @ state
            case Couple():
                for label, angle in step.rotations():
                    if label not in paulis:
                        paulis[label] = SparsePauliOp(label).to_matrix()
                    state = _rotate(state, paulis[label], 1 + step.ancilla, angle, step.axis)
                dirty.add(step.ancilla)
            case Reset():
                for ancilla in step.ancillas:
                    if ancilla in dirty:
                        state = _forget(state, 1 + ancilla)
                dirty -= set(step.ancillas)
                if not dirty:
                    total, state = _then(total, _all_reset(state, m)), clean
            case RandomDelay():
                U = evolver.unitary(step.unit)
                if delays is not None:
                    state = np.linalg.matrix_power(U, next(delays)) @ state
                elif dirty:
                    state = _mixed_delay(state, U, step)
                else:
                    total, state = _delayed(_then(total, _all_reset(state, m)), U, step), clean
    return total if state is clean and total is not None else _then(total, _all_reset(state, m))


def _then(total: Array | None, kraus: Array) -> Array:
    """What happened so far, followed by a map in Kraus form."""
    channel = superoperator_of(kraus)
    return channel if total is None else np.asarray(channel @ total)


def _all_reset(state: Array, num_ancilla: int) -> Array:
    """The Kraus operators, shape (branches, dim, dim), once every ancilla is in |0⟩."""
    return state.reshape(state.shape[0], 2**num_ancilla, *state.shape[-2:])[:, 0]


def _rotate(state: Array, pauli: Array, axis: int, angle: float, phase: float) -> Array:
    """Cos θ − i sin θ P ⊗ (cos φ X + sin φ Y) on one ancilla axis."""
    zero, one = np.take(state, 0, axis=axis), np.take(state, 1, axis=axis)
    c, s = np.cos(angle), -1j * np.sin(angle)
    return np.stack(
        [c * zero + s * np.exp(-1j * phase) * (pauli @ one), c * one + s * np.exp(1j * phase) * (pauli @ zero)],
        axis=axis,
    )


def _forget(state: Array, axis: int) -> Array:
    """Both values of an ancilla become branches with the ancilla in |0⟩."""
    both = [np.take(state, value, axis=axis) for value in (0, 1)]
    return np.concatenate([np.stack([branch, np.zeros_like(branch)], axis=axis) for branch in both])


def _mixed_delay(state: Array, U: Array, delay: RandomDelay) -> Array:
    count = delay.high - delay.low + 1
    powers = [np.linalg.matrix_power(U, k) for k in range(delay.low, delay.high + 1)]
    return np.concatenate([(power @ state) / np.sqrt(count) for power in powers])


def _delayed(total: Array, U: Array, delay: RandomDelay) -> Array:
    """Mean over k of (Ū^k ⊗ U^k) · total, through the eigenphases of U: O(2**(5n)) instead of O(2**(6n))."""
    triangle, V = scipy.linalg.schur(U, output="complex")
    phases = np.diag(triangle) / np.abs(np.diag(triangle))
    powers = np.arange(delay.low, delay.high + 1)
    mean = np.mean((phases[:, None] * phases.conj()[None, :])[..., None] ** powers, axis=-1)  # of ρ_ij → λ_i λ̄_j ρ_ij
    d = U.shape[0]
    rho = total.reshape(d, d, d * d).transpose(2, 1, 0)  # columns of the superoperator as matrices [row, column]
    rho = V @ (mean * (V.conj().T @ rho @ V)) @ V.conj().T
    return np.ascontiguousarray(rho.transpose(2, 1, 0)).reshape(d * d, d * d)


def fixed_point(channel: Array) -> Array:
    """The density matrix ρ = Φ(ρ); of several, the one reached from the maximally mixed state."""
    return stationary_state(channel - np.eye(len(channel)))


def contraction(channel: Array) -> float:
    """Second largest modulus among the eigenvalues: the asymptotic factor per sweep by which the past fades."""
    if channel.shape[0] <= 256:
        moduli = np.sort(np.abs(np.linalg.eigvals(channel)))
    else:
        start = np.asarray(np.random.default_rng(0).standard_normal(channel.shape[0]), dtype=np.complex128)
        try:
            leading = np.abs(np.asarray(scipy.sparse.linalg.eigs(channel, k=6, v0=start, return_eigenvectors=False)))
        except scipy.sparse.linalg.ArpackNoConvergence:
            leading = np.abs(np.linalg.eigvals(channel))
        moduli = np.sort(leading)
    return float(moduli[-2]) if moduli.size > 1 else 0.0


def states_after_sweeps(program: Program, rho: Array, channels: Sequence[Array] | None = None) -> list[Array]:
    """The averaged state before the first sweep and after each one; `channels`, one per stage, if already computed."""
    states, v = [np.asarray(rho, dtype=complex)], vec(rho)
    for index, stage in enumerate(program.stages):
        channel = sweep_channel(program, index) if channels is None else channels[index]
        for _ in range(stage.repeats):
            v = channel @ v
            states.append(unvec(v))
    return states
