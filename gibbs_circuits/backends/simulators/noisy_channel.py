"""The exact averaged channel of a compiled program with the noise of its target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from qiskit import QuantumCircuit

from ...errors import TooLargeError
from ...limits import MAX_CHANNEL_QUBITS, MAX_NOISY_ENTRIES, MAX_NOISY_QUBITS
from ...linalg.arrays import Array, Real, read_only
from ...linalg.fixed_point import relaxation
from ...models.spectrum import beta_of_energy, gibbs_state, spectrum, trace_distance
from ...readings.channel.paths import ROUNDING, SETTLED, filled
from ...readings.circuits.circuit import Piece
from ..devices.errors import Errors
from ..transpile.compiled import Ancillas, Compiled
from .pauli_vectors import NoisyBlock, matrix_of, noisy_block, vector_of

LEAST_FOLLOWED = 500  # sweeps that are followed whatever their size
CHUNK = 1 << 22  # entries of the vectors that are moved at once when a map is written out as a matrix


@dataclass(frozen=True, eq=False)
class _Part:
    """One of several blocks with such probability, done one of several numbers of times, all equally likely."""

    blocks: tuple[NoisyBlock, ...]
    weights: tuple[float, ...]
    times: range

    def apply(self, x: Real) -> Real:
        total = np.zeros_like(x)
        for count in range(self.times.stop):
            if count in self.times:
                total += x
            if count + 1 < self.times.stop:
                x = np.asarray(sum(w * block.apply(x) for w, block in zip(self.weights, self.blocks, strict=True)))
        return np.asarray(total / len(self.times))


def _part(piece: Piece, errors: Errors) -> _Part:
    likely = [k for k, weight in enumerate(piece.weights) if weight > 0]
    blocks = tuple(noisy_block(piece.options[k], errors) for k in likely)
    return _Part(blocks, tuple(piece.weights[k] for k in likely), piece.times)


@dataclass(frozen=True, eq=False)
class NoisySweep:
    """One averaged sweep with noise as a linear map on density matrices.

    The map acts on the system and on the wires in `carried`: ancillas that routing passes through after their last
    reset, so that noise may leave them correlated with the system. Where there are none (always without a lattice) it
    acts on the system alone. Other ancillas begin as a reset leaves them. Wires outside the program only ever hold
    what is swapped through them, and begin in |0⟩.

    Attributes:
        num_system: System qubits, on the first wires.
        carried: Further wires, in the order of the next qubits of the matrix.
    """

    num_system: int
    carried: tuple[int, ...]
    width: int
    fresh: Real  # ⟨Z⟩ of every wire at the beginning of a sweep, if it is not carried
    parts: tuple[_Part, ...] = field(repr=False)

    @property
    def dim(self) -> int:
        """The dimension d."""
        return int(2 ** (self.num_system + len(self.carried)))

    def apply(self, rho: Array) -> Array:
        """Its value at one matrix, which need not be Hermitian."""
        return self._move(np.asarray(rho)[:, :, None])[:, :, 0]

    def after(self, total: Array | None) -> Array:
        """The matrix of `total`, followed by this map, on column-stacked density matrices."""
        d = self.dim
        total = np.eye(d * d, dtype=complex) if total is None else total
        rho = total.reshape(d, d, d * d).transpose(1, 0, 2)
        step = max(1, CHUNK // (2 * 4**self.width))
        parts = [self._move(rho[:, :, first : first + step]) for first in range(0, d * d, step)]
        return np.concatenate(parts, axis=2).transpose(1, 0, 2).reshape(d * d, d * d)

    def system(self, rho: Array) -> Array:
        """The system's share of a density matrix that the map acts on."""
        d, rest = 2**self.num_system, 2 ** len(self.carried)
        return np.asarray(np.einsum("aiaj->ij", rho.reshape(rest, d, rest, d)))

    def _move(self, rho: Array) -> Array:
        """Images of several density matrices, which are along the last axis."""
        wires = (*range(self.num_system), *self.carried)
        x = vector_of(rho)
        rest = [wire for wire in range(self.width) if wire not in wires]
        for wire in rest:
            x = np.stack([x, np.zeros_like(x), np.zeros_like(x), self.fresh[wire] * x], axis=-2)
        order = [*reversed(wires), *rest]
        x = x.transpose(*np.argsort(order), self.width)
        for part in self.parts:
            x = part.apply(x)
        x = x.transpose(*order, self.width)
        return matrix_of(x[(slice(None),) * len(wires) + (0,) * len(rest)])


def noisy_map(compiled: Compiled, stage: int = -1) -> NoisySweep:
    """One sweep of a stage with the noise of the target, averaged over random steps, exactly.

    Args:
        compiled: A program on a target; its basis gates are what is noisy.
        stage: Which stage.

    Time of one application: O(4**w) per gate on a pair, w qubits in use, and per branch of a random choice.

    Raises:
        TooLargeError: Above 10 qubits in use.
    """
    small = _small(compiled)
    errors, n = small.errors, small.program.num_system
    pieces = small.parts[stage]
    fresh = np.array([_fresh(pieces, wire, errors) for wire in range(small.start.num_qubits)])
    return NoisySweep(
        n, _carried(pieces, n, small.program.num_qubits), len(fresh), read_only(fresh),
        tuple(_part(piece, errors) for piece in pieces),
    )  # fmt: skip


def _small(compiled: Compiled) -> Compiled:
    small = compiled.compact()
    if small.start.num_qubits > MAX_NOISY_QUBITS:
        raise TooLargeError(
            f"The noisy channel of {small.start.num_qubits} qubits in use needs vectors of 4^{small.start.num_qubits}; "
            f"the limit is {MAX_NOISY_QUBITS}. Fix: use a smaller model, or a scheme with one ancilla."
        )
    return small


def _all(piece: Piece) -> Sequence[QuantumCircuit]:
    return [piece.options[k] for k in range(len(piece.options))]


def _fresh(pieces: Sequence[Piece], wire: int, errors: Errors) -> float:
    """⟨Z⟩ at the end of a sweep of a wire that only resets and waiting touch last; 1 without a reset.

    Waiting during random delays is left out: it changes what a failed reset leaves by t/T1.
    """
    zero = np.array([1.0, 0.0, 0.0, 1.0])
    x = zero
    for piece in pieces:
        if len(piece.times) > 1:
            continue
        qc = next((qc for qc in _all(piece) if wire in _reset(qc)), piece.options[0])
        for item in qc.data:
            operation, at = item.operation, [qc.find_bit(q).index for q in item.qubits]
            if at == [wire] and operation.name == "reset":
                error = errors.pauli_matrix("reset", (wire,))
                x = zero if error is None else error @ zero
            elif at == [wire] and operation.name == "delay":
                x = errors.waited(wire, float(operation.duration)) @ x
    return float(x[3])


def _reset(qc: QuantumCircuit) -> set[int]:
    return {qc.find_bit(q).index for item in qc.data if item.operation.name == "reset" for q in item.qubits}


def _carried(pieces: Sequence[Piece], num_system: int, num_qubits: int) -> tuple[int, ...]:
    """Ancillas that may end a sweep otherwise than a reset left them."""
    dirty = set[int]()
    for piece in pieces:
        ends = []
        for qc in _all(piece):
            now = set(dirty)
            for item in qc.data:
                wires = {qc.find_bit(q).index for q in item.qubits}
                if item.operation.name != "delay":
                    now = now - wires if item.operation.name == "reset" else now | wires
            ends.append(now)
        if piece.step is not None:
            ends.append(set(dirty))  # a delay of length zero
        dirty = set().union(*ends)
    return tuple(sorted(dirty & set(range(num_system, num_qubits))))


@dataclass(frozen=True, eq=False)
class NoisyPrediction:
    """What the exact averaged channel with noise says before a shot is taken.

    Attributes:
        fixed_point: Of the last stage's sweep, on the system.
        fixed_point_distance, fixed_point_energy: Trace distance to the Gibbs state, and energy.
        fixed_point_beta: β at which the exact energy is that of the fixed point; None where there is none.
        contraction: Second largest |eigenvalue| of that sweep.
        states, distances, energies: After 0, 1, … sweeps; the preparation is noisy too.
    """

    fixed_point: Array
    fixed_point_distance: float
    fixed_point_energy: float
    fixed_point_beta: float | None
    contraction: float
    states: Array
    distances: Real
    energies: Real


def noisy_prediction(compiled: Compiled, start: Array | None = None) -> NoisyPrediction:
    """States after every sweep and the fixed point, with noise; from a density matrix, or the noisy preparation.

    Raises:
        TooLargeError: Above 10 qubits in use.
    """
    model, beta = compiled.program.lindbladian.model, compiled.program.generator.beta
    sigma, H = gibbs_state(model, beta), model.hamiltonian.to_matrix()
    sweep = noisy_map(compiled)
    found = relaxation(sweep)
    fixed = sweep.system(found.state)
    followed = _followed(compiled, start)
    counts, states = followed[0], followed[1]
    length = compiled.written.sweeps + 1
    energy = float(np.real(np.trace(fixed @ H)))
    return NoisyPrediction(
        fixed_point=fixed,
        fixed_point_distance=trace_distance(fixed, sigma),
        fixed_point_energy=energy,
        fixed_point_beta=beta_of_energy(energy, spectrum(model)) if beta > 0 else None,
        contraction=found.contraction,
        states=states,
        distances=filled(counts, [trace_distance(rho, sigma) for rho in states], length),
        energies=filled(counts, [float(np.real(np.trace(rho @ H))) for rho in states], length),
    )


def try_noisy_prediction(compiled: Compiled) -> NoisyPrediction | None:
    """The same from the program's own preparation.

    None without errors or where they are not known, with fresh ancillas, above 10 qubits in use or 5 of the system, or
    where so many sweeps are not followed.
    """
    known = compiled.errors.present and compiled.device.errors_known and compiled.ancillas is not Ancillas.FRESH
    small = compiled.program.num_system <= MAX_CHANNEL_QUBITS and len(compiled.wires) <= MAX_NOISY_QUBITS
    if not known or not small:
        return None
    try:
        return noisy_prediction(compiled)
    except TooLargeError:
        return None


def noisy_states(compiled: Compiled, start: Array | None = None) -> Array:
    """System states after 0, 1, … sweeps, averaged over random steps, with the noise of the target.

    Args:
        compiled: A program on a target.
        start: Density matrix of the system beside |0⟩ everywhere else; None: what the preparation makes of |0…0⟩.

    Raises:
        TooLargeError: Above 10 qubits in use, or if there are too many sweeps to be followed.
    """
    _, states = _followed(compiled, start)
    return np.concatenate([states, np.repeat(states[-1:], compiled.written.sweeps + 1 - len(states), axis=0)])


def _followed(compiled: Compiled, start: Array | None) -> tuple[list[int], Array]:
    """Sweeps from 0 on, and the states after them; the last is that after all, since it has come to rest before."""
    small = _small(compiled)
    n, rest, errors = small.program.num_system, small.start.num_qubits - small.program.num_system, small.errors
    x = vector_of((_zeros(n) if start is None else np.asarray(start))[:, :, None])
    x = np.multiply.outer(x.transpose(*reversed(range(n)), n), vector_of(_zeros(rest)[:, :, None])[..., 0])
    x = np.moveaxis(x, n, -1)
    if start is None:
        x = noisy_block(small.start, errors).apply(x)
    states = [_system(x, n)]
    last, most = len(small.program.stages) - 1, max(LEAST_FOLLOWED, MAX_NOISY_ENTRIES // x.size)
    for index, (stage, pieces) in enumerate(zip(small.program.stages, small.parts, strict=True)):
        parts = [_part(piece, errors) for piece in pieces]
        for left in reversed(range(stage.repeats)):
            before = x
            for part in parts:
                x = part.apply(x)
            states.append(_system(x, n))
            step = float(np.linalg.norm(x - before))  # of Pauli expectations: at least the trace norm
            if index == last and (left * step <= SETTLED or step <= ROUNDING * x.size**0.5):
                break
            if len(states) > most:
                raise TooLargeError(
                    f"The state of {x.ndim} qubits with noise has not come to rest after {most} of "
                    f"{small.program.sweeps} sweeps, the most that are followed. Fix: set fewer sweeps."
                )
    return list(range(len(states))), np.stack(states)


def _zeros(qubits: int) -> Array:
    rho = np.zeros((2**qubits,) * 2, dtype=complex)
    rho[0, 0] = 1
    return rho


def _system(x: Real, n: int) -> Array:
    """The system's density matrix; axes of a register are in the order of its wires."""
    kept = x[(slice(None),) * n + (0,) * (x.ndim - 1 - n)]
    return matrix_of(kept.transpose(*reversed(range(n)), n))[:, :, 0]
