"""Program → exact channel on the system, averaged over random steps; its fixed point and contraction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import numpy as np

from ...errors import TooLargeError
from ...limits import MAX_CHANNEL_QUBITS, MAX_KEPT, MAX_STACK_GIB, MAX_STACKED
from ...linalg.arrays import Array, read_only
from ...linalg.maps import Action, Chain, Kraus, Map, Matrix, Mixture, Rebuilt, mean_of_powers
from ...linalg.paulis import pauli_times
from ...programs.lower import lower
from ...programs.program import Program
from ...programs.steps import Branch, Couple, Exponential, RandomChoice, RandomDelay, Reset, Step, Unitary
from .building_time import branch_seconds
from .evolver import Evolver

BUILT = 1.5  # times what it takes to build a map: that, and to apply it


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
    """One sweep of a stage as a chain of maps, nothing of size dim⁴; arguments as for `sweep_channel`.

    Time to build O(8**n) per evolution and 4**m states of ancillas that are not yet reset; memory 2**m 4**n.

    Raises:
        TooLargeError: If a stack of Kraus operators would exceed 2 GiB.
    """
    n, evolver = program.num_system, Evolver(program.groups, program.num_system)
    return Chain(2**n, _maps(program.stages[stage].steps, n, evolver, None if draws is None else iter(draws)))


def _maps(steps: Iterable[Step], num_system: int, evolver: Evolver, draws: Iterator[int] | None) -> tuple[Map, ...]:
    builder = _Builder(num_system, evolver, draws)
    for step in steps:
        lower(step, builder)
    builder.close()
    return tuple(builder.maps)


class _Builder:
    """Steps → maps. A block from clean ancillas to clean ancillas is one stack of Kraus operators.

    Its state has the axes (row, branch, one for every ancilla that is not in |0⟩, column); an ancilla that is reset
    becomes part of the branches.
    """

    def __init__(self, num_system: int, evolver: Evolver, draws: Iterator[int] | None) -> None:
        self.num_system, self.evolver, self.draws = num_system, evolver, draws
        self.maps: list[Map] = []
        self.dirty: list[int] = []
        self.clean = np.eye(2**num_system, dtype=complex)[:, None, :]
        self.state = self.clean

    def close(self) -> None:
        """What was done since the last map is the next one."""
        if self.state is not self.clean:
            self.maps.append(_kraus(self.state))
        self.state = self.clean

    def exponential(self, step: Exponential) -> None:
        self.state = _times(self.evolver.unitary(step), self.state)

    def coupling(self, step: Couple) -> None:
        if step.ancilla not in self.dirty:
            self.state = _joined(self.state)
            self.dirty.append(step.ancilla)
        for label, angle in step.rotations():
            self.state = _rotate(self.state, label, 2 + self.dirty.index(step.ancilla), angle, step.axis)

    def unitary(self, step: Unitary) -> None:
        self.state, self.dirty = _dense(self.state, self.dirty, step)

    def reset(self, step: Reset) -> None:
        for ancilla in set(step.ancillas) & set(self.dirty):
            self.state = _forget(self.state, 2 + self.dirty.index(ancilla))
            self.dirty.remove(ancilla)
        if not self.dirty:
            self.close()

    def delay(self, step: RandomDelay) -> None:
        U = self.evolver.unitary(step.unit)
        if self.draws is not None:
            self.state = _times(np.linalg.matrix_power(U, next(self.draws)), self.state)
        elif self.dirty:
            self.state = _mixed_delay(self.state, U, step)
        else:
            self.close()
            self.maps.append(mean_of_powers(U, step.low, step.high))

    def choice(self, step: RandomChoice) -> None:
        self.close()
        if self.draws is not None:
            self.maps += self._maps(step.branches[next(self.draws)])
        else:
            self.maps.append(self._mixture(step.branches))

    def _maps(self, branch: Branch) -> tuple[Map, ...]:
        return _maps(branch.steps, self.num_system, self.evolver, self.draws)

    def _mixture(self, branches: tuple[Branch, ...]) -> Map:
        """One stack where all branches fit into it; else maps one by one, those beyond the memory built when needed."""
        weights, d, kept = np.array([branch.probability for branch in branches]), 2**self.num_system, 0
        parts: list[Chain | Rebuilt] = []
        for branch in branches:
            if kept > MAX_KEPT:
                build = branch_seconds(self.num_system, branch.steps)
                parts.append(Rebuilt(d, partial(self._branch, branch), BUILT * build))
                continue
            chain = self._branch(branch)
            kept += sum(one.operators.size for one in chain.maps if isinstance(one, Kraus))
            parts.append(chain)
        chains = [part.maps for part in parts if isinstance(part, Chain) and len(part.maps) == 1]
        stacks = [maps[0].operators for maps in chains if isinstance(maps[0], Kraus)]
        if len(stacks) == len(parts) and kept <= MAX_STACKED:
            rows = [np.sqrt(p) * K.transpose(1, 0, 2) for p, K in zip(weights, stacks, strict=True)]
            return _kraus(np.concatenate(rows, axis=1))
        return Mixture(read_only(weights), tuple(parts))

    def _branch(self, branch: Branch) -> Chain:
        return Chain(2**self.num_system, self._maps(branch) or (_kraus(self.clean),))


def _kraus(state: Array) -> Kraus:
    """The Kraus operators once every ancilla is in |0⟩."""
    return Kraus(read_only(np.ascontiguousarray(state).transpose(1, 0, 2)))


def _room(state: Array, factor: int) -> None:
    """Refuse a state that grows by `factor` beyond the limit."""
    gib = 16 * state.size * factor / 2**30
    if gib > MAX_STACK_GIB:
        d = state.shape[0]
        raise TooLargeError(
            f"A sweep as a map needs {state.size * factor // d**2} Kraus operators of size {d} × {d}, {gib:.3g} GiB; "
            f"the limit is {MAX_STACK_GIB:g} GiB. Fix: use fewer ancillas at once, or a smaller model."
        )


def _times(U: Array, state: Array) -> Array:
    return (U @ state.reshape(len(U), -1)).reshape(state.shape)


def _joined(state: Array) -> Array:
    """The state with one more ancilla, in |0⟩, on the axis in front of the last."""
    _room(state, 2)
    wider = np.zeros((*state.shape[:-1], 2, state.shape[-1]), dtype=complex)
    wider[..., 0, :] = state
    return wider


def _dense(state: Array, dirty: list[int], step: Unitary) -> tuple[Array, list[int]]:
    """A dense unitary; of ancillas that are still in |0⟩ only its columns with 0 count.

    The highest bit of its ancilla index is ancillas[-1].
    """
    d, k = state.shape[0], len(step.ancillas)
    new = [a for a in step.ancillas if a not in dirty]
    _room(state, 2 ** len(new))
    used = [a for a in reversed(step.ancillas) if a in dirty]
    U = step.matrix.reshape(*(2,) * k, d, *(2,) * k, d)
    for axis, ancilla in reversed(list(enumerate(reversed(step.ancillas), start=k + 1))):
        U = U if ancilla in dirty else np.take(U, 0, axis=axis)
    axes = [2 + dirty.index(a) for a in used]
    front = np.moveaxis(state, axes, range(len(axes)))
    rest = front.shape[len(axes) + 1 :]  # branch, other ancillas, column
    done = (U.reshape(2**k * d, -1) @ front.reshape(2 ** len(axes) * d, -1)).reshape(*(2,) * k, d, *rest)
    others = [a for a in dirty if a not in used]
    order = [*others, *reversed(step.ancillas)]
    return np.moveaxis(done, range(k), range(-k - 1, -1)) if k else done, order


def _rotate(state: Array, label: str, axis: int, angle: float, phase: float) -> Array:
    """Cos θ − i sin θ P ⊗ (cos φ X + sin φ Y) on one ancilla axis."""
    c, s = np.cos(angle), -1j * np.sin(angle)
    turned = np.empty_like(state)
    both, out = np.moveaxis(state, axis, 0), np.moveaxis(turned, axis, 0)
    for here, there, sign in ((0, 1, -1), (1, 0, 1)):
        np.multiply(pauli_times(label, both[there]), s * np.exp(1j * sign * phase), out=out[here])
        out[here] += c * both[here]
    return turned


def _forget(state: Array, axis: int) -> Array:
    """Both values of an ancilla become branches."""
    first = np.moveaxis(state, axis, 1)
    return first.reshape(first.shape[0], -1, *first.shape[3:])


def _mixed_delay(state: Array, U: Array, delay: RandomDelay) -> Array:
    count = delay.high - delay.low + 1
    _room(state, count)
    later, powers = _times(np.linalg.matrix_power(U, delay.low), state), []
    for k in range(count):
        later = later if k == 0 else _times(U, later)
        powers.append(later / np.sqrt(count))
    return np.concatenate(powers, axis=1)


def states_after_sweeps(program: Program, rho: Array, channels: Sequence[Array | Action] | None = None) -> list[Array]:
    """The averaged state before the first sweep and after each one; `channels`, one per stage, if already computed.

    Dense up to 5 system qubits, above as maps.
    """
    states = [np.asarray(rho, dtype=complex)]
    for index, stage in enumerate(program.stages):
        channel = stage_channel(program, index) if channels is None else channels[index]
        act = Matrix(channel) if isinstance(channel, np.ndarray) else channel
        for _ in range(stage.repeats):
            states.append(act.apply(states[-1]))
    return states


def state_after_sweeps(program: Program, rho: Array, channels: Sequence[Array | Action] | None = None) -> Array:
    """The averaged state after all sweeps; as `states_after_sweeps`, but by powers where a channel is a matrix."""
    state = np.asarray(rho, dtype=complex)
    for index, stage in enumerate(program.stages):
        channel = stage_channel(program, index) if channels is None else channels[index]
        if isinstance(channel, np.ndarray):
            state = Matrix(np.linalg.matrix_power(channel, stage.repeats)).apply(state)
            continue
        for _ in range(stage.repeats):
            state = channel.apply(state)
    return state


def stage_channel(program: Program, stage: int) -> Array | Chain:
    """The averaged sweep of a stage: a matrix up to 5 system qubits, a chain of maps above."""
    dense = program.num_system <= MAX_CHANNEL_QUBITS and program.num_qubits <= 2 * MAX_CHANNEL_QUBITS
    return sweep_channel(program, stage) if dense else sweep_map(program, stage)
