"""The worst start of a program: the state it ends farthest from σ from, found by search over pure states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from ..compiler import Program
from ..errors import TooLargeError
from ..spectrum import Array, Real, gibbs_state, read_only, spectrum
from .channel import MAX_CHANNEL_QUBITS, MAX_KRYLOV_QUBITS, stage_channel
from .maps import Chain, Map, Matrix

GAINED = 1e-8  # trace distance below which the best climb has come to rest; the others at a hundred times that
STEPS, FEW_STEPS = 200, 10  # of a climb at most; few where a channel is no matrix
CLIMBED = 3  # starts that are climbed from where a channel is no matrix, the best of all that are tried
ENDS = 4  # eigenstates of H from either end of its spectrum
AXES = {"z": (1, 0), "-z": (0, 1), "x": (1, 1), "-x": (1, -1), "y": (1, 1j), "-y": (1, -1j)}


@dataclass(frozen=True, eq=False)
class WorstStart:
    """What a search found.

    Attributes:
        distance: ½‖Φ(|ψ⟩⟨ψ|) − σ‖₁ after all sweeps: a lower bound on the maximum over all starts.
        state: ψ, a unit vector of length 2^n.
        starts: States that were tried.
    """

    distance: float
    state: Array
    starts: int


def worst_start(
    program: Program, channels: Sequence[Array | Map] | None = None, *, starts: int = 16, seed: int = 0
) -> WorstStart:
    r"""The start from which the averaged state after all sweeps of all stages is farthest from σ.

    $\max_\psi \tfrac12\|\Phi(|\psi\rangle\langle\psi|)-\sigma\|_1 = \max_\psi\max_{0\le P\le1}
    \mathrm{Tr}\,P\,(\Phi(|\psi\rangle\langle\psi|)-\sigma)$; the distance is convex, so that no mixed start is worse.
    See-saw: P the projector on the positive part at ψ, then ψ the top eigenvector of Φ†(P). Neither half can lower the
    value. It climbs from all basis states, so that the mixed start is no worse than what is found, products of |±⟩ and
    of |±i⟩, eigenstates at the ends of H's spectrum, and random states. Above 5 qubits only |0…0⟩ and |1…1⟩ of the
    basis are tried, and it climbs from the best 3 of all.

    Args:
        program: On at most 8 system qubits.
        channels: Of its stages, if already computed.
        starts: Number of random states, from the Haar measure.
        seed: Of those.
    Raises:
        TooLargeError: Above 8 system qubits.
    Accuracy: a local search: the distance belongs to the state, to 1e-10, but a worse start may exist. Measured on
        programs of 1 to 4 qubits, 2000 random starts found nothing worse.
    Cost: O(64**n) for each doubling of the sweeps up to 5 qubits, and O(16**n) per start and step; above, two
        applications of all sweeps per step.
    """
    n = program.num_system
    if n > MAX_KRYLOV_QUBITS:
        raise TooLargeError(
            f"The worst start of {n} system qubits would be searched for among states of dimension {2**n}; the limit "
            f"is {MAX_KRYLOV_QUBITS} qubits. Fix: use a smaller model."
        )
    whole = _whole(program, channels)
    model = program.generator.model
    sigma = gibbs_state(model, program.generator.beta)
    rng = np.random.default_rng(seed)
    basis = np.eye(2**n, dtype=complex)[1:-1] if n <= MAX_CHANNEL_QUBITS else np.empty((0, 2**n))
    tried = np.concatenate([basis, fixed_starts(spectrum(model).vectors), random_states(starts, 2**n, rng)])
    begun, steps = tried, STEPS
    if not isinstance(whole, Matrix):
        begun, steps = tried[np.argsort(_distances(whole, sigma, tried))[-CLIMBED:]], FEW_STEPS
    states, path = climb(whole, sigma, begun, steps)
    best = int(np.argmax(path[-1]))
    return WorstStart(float(path[-1][best]), read_only(states[best]), len(tried))


def climb(whole: Map, sigma: Array, states: Array, steps: int = STEPS) -> tuple[Array, list[Real]]:
    """The see-saw from every row of `states`; where it ended, and the distances before the first step and after each.

    None of them falls by more than rounding.
    """
    differences = _images(whole, states) - sigma
    path = [_half_norms(differences)]
    for _ in range(steps):
        values, vectors = np.linalg.eigh(differences)
        projectors = (vectors * (values > 0)[:, None, :]) @ vectors.conj().transpose(0, 2, 1)
        before = _adjoints(whole, projectors)
        states = np.linalg.eigh((before + before.conj().transpose(0, 2, 1)) / 2)[1][:, :, -1]
        differences = _images(whole, states) - sigma
        path.append(_half_norms(differences))
        if np.max(path[-1]) - np.max(path[-2]) < GAINED and np.max(path[-1] - path[-2]) < 1e2 * GAINED:
            break
    return states, path


def _whole(program: Program, channels: Sequence[Array | Map] | None) -> Map:
    """All sweeps of all stages: a matrix where the stages are matrices, otherwise one map after the other."""
    parts = [stage_channel(program, k) for k in range(len(program.stages))] if channels is None else list(channels)
    d = 2**program.num_system
    maps: list[Map] = [Matrix(part) if isinstance(part, np.ndarray) else part for part in parts]
    if not all(isinstance(one, Matrix) for one in maps):
        repeated = ([one] * stage.repeats for stage, one in zip(program.stages, maps, strict=True))
        return Chain(d, tuple(chain.from_iterable(repeated)))
    total = np.eye(d * d, dtype=complex)
    for stage, one in zip(program.stages, maps, strict=True):
        total = np.linalg.matrix_power(one.after(None), stage.repeats) @ total
    return Matrix(total)


def fixed_starts(eigenvectors: Array) -> Array:
    """Products of equal qubits along ±z, ±x, ±y, and some of H's eigenvectors from either end; one state per row.

    `eigenvectors` are columns in the order of energy.
    """
    d = len(eigenvectors)
    ends = sorted({*range(min(ENDS, d)), *range(max(0, d - ENDS), d)})
    return np.concatenate([equal_qubits(d.bit_length() - 1), eigenvectors.T[ends]])


def equal_qubits(n: int, axes: Sequence[str] = tuple(AXES)) -> Array:
    """Products of equal qubits along these axes, (axes, 2^n)."""
    found = []
    for name in axes:
        product = np.ones(1, dtype=complex)
        for _ in range(n):
            product = np.kron(product, np.array(AXES[name], dtype=complex))
        found.append(product / np.linalg.norm(product))
    return np.stack(found)


def random_states(count: int, dim: int, rng: np.random.Generator) -> Array:
    """Unit vectors from the Haar measure, (count, dim)."""
    parts = rng.standard_normal((count, 2, dim))
    psi = parts[:, 0] + 1j * parts[:, 1]
    return np.asarray(psi / np.linalg.norm(psi, axis=1)[:, None])


def _images(whole: Map, states: Array) -> Array:
    """Φ(|ψ⟩⟨ψ|) of every row, made Hermitian."""
    inputs = states[:, :, None] * states[:, None, :].conj()
    made = _stacked(whole.channel, inputs) if isinstance(whole, Matrix) else np.stack([*map(whole.apply, inputs)])
    return np.asarray((made + made.conj().transpose(0, 2, 1)) / 2)


def _adjoints(whole: Map, operators: Array) -> Array:
    if isinstance(whole, Matrix):
        return _stacked(whole.channel.conj().T, operators)
    return np.stack([*map(whole.adjoint_apply, operators)])


def _stacked(matrix: Array, inputs: Array) -> Array:
    """A matrix on column-stacked matrices, applied to a stack of them at once."""
    columns = inputs.transpose(0, 2, 1).reshape(len(inputs), -1).T
    return np.asarray((matrix @ columns).T.reshape(inputs.shape).transpose(0, 2, 1))


def _distances(whole: Map, sigma: Array, states: Array) -> Real:
    return _half_norms(_images(whole, states) - sigma)


def _half_norms(differences: Array) -> Real:
    return np.asarray(0.5 * np.abs(np.linalg.eigvalsh(differences)).sum(axis=1))
