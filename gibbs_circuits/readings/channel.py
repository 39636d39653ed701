"""Program → exact channel on the system, averaged over random delays; its fixed point and contraction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np
import scipy.linalg
import scipy.sparse.linalg
from qiskit.quantum_info import SparsePauliOp

from ..compiler import (
    EXACT,
    Branch,
    Correct,
    Couple,
    Evolve,
    Program,
    RandomChoice,
    RandomDelay,
    Reset,
    Step,
    Unitary,
)
from ..compiler.trotter import Group, factors
from ..errors import TooLargeError
from ..exact.steady import stationary_state
from ..spectrum import Array, read_only, unvec, vec
from .maps import Chain, Kraus, Map, Mixture, mean_of_powers

MAX_CHANNEL_QUBITS = 5
MAX_STACKED = 4_000_000  # entries of a stack of Kraus operators that branches are gathered into


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

    def unitary(self, step: Evolve | Correct) -> Array:
        """The product of the formula; the exponential of the sum when the order is EXACT."""
        groups = step.groups(self.groups) if isinstance(step, Evolve) else step.term
        if step.order == EXACT:
            return self._exponential(groups, step.duration)
        U = np.eye(2**self.num_system, dtype=complex)
        for index, fraction in factors(len(groups), step.order, step.slices):
            U = self._exponential(groups[index : index + 1], fraction * step.duration / step.slices) @ U
        return U


def sweep_channel(program: Program, stage: int = -1, draws: Iterable[int] | None = None) -> Array:
    """One sweep of a stage as a dim² × dim² matrix on column-stacked density matrices.

    Args:
        program: On at most 5 system qubits.
        stage: Which stage.
        draws: One whole number per random step of the sweep, in order: repetitions of a `RandomDelay`, the index of a
            branch of a `RandomChoice`; None averages over the distributions.

    Time O(4**m 8**n) per coupling for n system qubits and m ancillas, O(64**n) per reset of all ancillas.

    Raises:
        TooLargeError: Above 5 system qubits.
    """
    n, m = program.num_system, program.num_ancilla
    if n > MAX_CHANNEL_QUBITS or n + m > 2 * MAX_CHANNEL_QUBITS:
        raise TooLargeError(
            f"The exact channel of {n} system qubits and {m} ancillas needs a {4**n} × {4**n} matrix; the limit is "
            f"{MAX_CHANNEL_QUBITS} + {MAX_CHANNEL_QUBITS} qubits. Fix: use a smaller model, or read off energies only."
        )
    return sweep_map(program, stage, draws).after(None)


def sweep_map(program: Program, stage: int = -1, draws: Iterable[int] | None = None) -> Chain:
    """One sweep of a stage as a chain of maps, nothing of size dim⁴; arguments as for `sweep_channel`."""
    builder = _Builder(program, _Evolver(program.groups, program.num_system), None if draws is None else iter(draws))
    return Chain(2**program.num_system, tuple(builder.maps(program.stages[stage].steps)))


@dataclass
class _Builder:
    """Steps → maps. A block from clean ancillas to clean ancillas is one stack of Kraus operators."""

    program: Program
    evolver: _Evolver
    draws: Iterator[int] | None
    paulis: dict[str, Array] = field(default_factory=dict)

    def maps(self, steps: tuple[Step, ...]) -> Iterator[Map]:
        m, d = self.program.num_ancilla, 2**self.program.num_system
        clean = np.zeros((1, *(2,) * m, d, d), dtype=complex)  # branches already reset, ancillas, out, in
        clean[(0, *(0,) * m)] = np.eye(d)
        state, dirty = clean, set[int]()
        for step in steps:
            match step:
                case Evolve() | Correct():
                    state = self.evolver.unitary(step) @ state
                case Couple():
                    for label, angle in step.rotations():
                        state = _rotate(state, self._pauli(label), 1 + step.ancilla, angle, step.axis)
                    dirty.add(step.ancilla)
                case Unitary():
                    state = _dense(state, step)
                    dirty |= set(step.ancillas)
                case Reset():
                    for ancilla in step.ancillas:
                        if ancilla in dirty:
                            state = _forget(state, 1 + ancilla)
                    dirty -= set(step.ancillas)
                    if not dirty:
                        yield _kraus(state, m)
                        state = clean
                case RandomDelay():
                    U = self.evolver.unitary(step.unit)
                    if self.draws is not None:
                        state = np.linalg.matrix_power(U, next(self.draws)) @ state
                    elif dirty:
                        state = _mixed_delay(state, U, step)
                    else:
                        if state is not clean:
                            yield _kraus(state, m)
                        yield mean_of_powers(U, step.low, step.high)
                        state = clean
                case RandomChoice():
                    if state is not clean:
                        yield _kraus(state, m)
                    if self.draws is not None:
                        yield from self.maps(step.branches[next(self.draws)].steps)
                    else:
                        yield self._choice(step.branches)
                    state = clean
        if state is not clean:
            yield _kraus(state, m)

    def _choice(self, branches: tuple[Branch, ...]) -> Map:
        parts = [tuple(self.maps(branch.steps)) for branch in branches]
        weights = np.array([branch.probability for branch in branches])
        stacks = [part[0].operators for part in parts if len(part) == 1 and isinstance(part[0], Kraus)]
        if len(stacks) == len(parts) and sum(prod(stack.shape) for stack in stacks) <= MAX_STACKED:
            scaled = [np.sqrt(p) * stack for p, stack in zip(weights, stacks, strict=True)]
            return Kraus(read_only(np.concatenate(scaled)))
        d = 2**self.program.num_system
        return Mixture(read_only(weights), tuple(Chain(d, part) for part in parts))

    def _pauli(self, label: str) -> Array:
        if label not in self.paulis:
            self.paulis[label] = SparsePauliOp(label).to_matrix()
        return self.paulis[label]


def _kraus(state: Array, num_ancilla: int) -> Kraus:
    """The Kraus operators once every ancilla is in |0⟩."""
    return Kraus(read_only(state.reshape(state.shape[0], 2**num_ancilla, *state.shape[-2:])[:, 0].copy()))


def _dense(state: Array, step: Unitary) -> Array:
    """A dense unitary on the system and some ancilla axes; the highest bit of its ancilla index is ancillas[-1]."""
    d, k = state.shape[-1], len(step.ancillas)
    axes = [1 + ancilla for ancilla in reversed(step.ancillas)]
    front = np.moveaxis(state, [*axes, -2], range(k + 1))
    U = step.matrix.reshape(2**k * d, 2**k * d)
    done = (U @ front.reshape(2**k * d, -1)).reshape(front.shape)
    return np.moveaxis(done, range(k + 1), [*axes, -2])


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
