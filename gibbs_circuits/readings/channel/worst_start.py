"""All starts of a program: the one it ends farthest from σ from, found by search, and a bound that is proved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from ...errors import TooLargeError
from ...limits import MAX_CHANNEL_QUBITS, MAX_KRYLOV_QUBITS
from ...linalg.arrays import Array, Real, read_only
from ...linalg.fixed_point import fixed_point
from ...linalg.maps import Chain, Map, Matrix
from ...models.spectrum import gibbs_state, spectrum, trace_distance
from ...programs.program import Program
from .sweep_channel import stage_channel

GAINED = 1e-8  # trace distance below which the best climb has come to rest; the others at a hundred times that
STEPS, FEW_STEPS = 200, 10  # of a climb at most; few where a channel is no matrix
RANDOM, FEW_RANDOM = 50, 16  # states from the Haar measure among those tried; few where a channel is no matrix
CLIMBED = 3  # starts that are climbed from where a channel is no matrix, the best of all that are tried
ROUNDING = 64 * float(np.finfo(float).eps)  # of one entry of a sweep's matrix, its building included
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
    program: Program,
    channels: Sequence[Array | Map] | None = None,
    *,
    whole: Map | None = None,
    starts: int | None = None,
    seed: int = 0,
) -> WorstStart:
    r"""The start from which the averaged state after all sweeps of all stages is farthest from σ.

    $\max_\psi \tfrac12\|\Phi(|\psi\rangle\langle\psi|)-\sigma\|_1 = \max_\psi\max_{0\le P\le1}
    \mathrm{Tr}\,P\,(\Phi(|\psi\rangle\langle\psi|)-\sigma)$; the distance is convex, so that no mixed start is worse.
    See-saw: P the projector on the positive part at ψ, then ψ the top eigenvector of Φ†(P). Neither half can lower the
    value. It climbs from all basis states, so that the mixed start is no worse than what is found, products of |±⟩ and
    of |±i⟩, eigenstates at the ends of H's spectrum, random states and as many random products. Above 5 qubits only
    |0…0⟩ and |1…1⟩ of the basis are tried, no random products, and it climbs from the best 3 of all.

    Args:
        program: On at most 8 system qubits.
        channels: Of its stages, if already computed.
        whole: `all_sweeps` of it, if already computed.
        starts: Number of random states, from the Haar measure, and up to 5 qubits of random products; left out: 50 up
            to 5 qubits, 16 above.
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
    whole = whole or all_sweeps(program, channels)
    model = program.generator.model
    sigma = gibbs_state(model, program.generator.beta)
    tried = tried_starts(spectrum(model).vectors, dense=isinstance(whole, Matrix), starts=starts, seed=seed)
    begun, steps = tried, STEPS
    if not isinstance(whole, Matrix):
        begun, steps = tried[np.argsort(_distances(whole, sigma, tried))[-CLIMBED:]], FEW_STEPS
    states, path = climb(whole, sigma, begun, steps)
    best = int(np.argmax(path[-1]))
    return WorstStart(float(path[-1][best]), read_only(states[best]), len(tried))


def tried_starts(eigenvectors: Array, *, dense: bool = True, starts: int | None = None, seed: int = 0) -> Array:
    """The states that a search begins with, one per row: up to 5 qubits all of the basis; see `worst_start`."""
    d = len(eigenvectors)
    basis = np.eye(d, dtype=complex)[1:-1] if d <= 2**MAX_CHANNEL_QUBITS else np.empty((0, d))
    count = (RANDOM if dense else FEW_RANDOM) if starts is None else starts
    rng = np.random.default_rng(seed)
    drawn = [random_states(count, d, rng)]
    if dense:  # where couplings are weak, the worst starts are near products that random states are far from
        drawn.append(random_products(count, d.bit_length() - 1, rng))
    return np.concatenate([basis, fixed_starts(eigenvectors), *drawn])


def random_products(count: int, n: int, rng: np.random.Generator) -> Array:
    """Products of n random qubits, (count, 2^n)."""
    found = np.ones((count, 1), dtype=complex)
    for _ in range(n):
        found = (found[:, :, None] * random_states(count, 2, rng)[:, None, :]).reshape(count, -1)
    return found


def search_applications(program: Program) -> int:
    """Applications of a sweep that a search takes at most above 5 qubits."""
    tried = len(AXES) + 2 * ENDS + FEW_RANDOM
    return program.sweeps * (tried + CLIMBED * (2 * FEW_STEPS + 1))


def proved_bound(program: Program, whole: Array) -> float:
    r"""A trace distance to σ that no start exceeds after all sweeps.

    $\tfrac12\|\Phi(\rho)-\sigma\|_1 \le \tfrac12\|\tau-\sigma\|_1 + \sqrt{d/2}\,s_1$ with τ the fixed point of all
    sweeps together and s₁ their largest singular value on traceless operators (Hilbert–Schmidt norm): two states differ
    by at most √2 in that norm, and ½‖X‖₁ ≤ ½√d ‖X‖₂.

    Args:
        program: On at most 5 system qubits.
        whole: All its sweeps as a matrix.
    Accuracy: an upper bound up to rounding, which is added: every entry of a sweep's matrix is taken to be off by 64 ε,
        at most 64 ε d² in the norm of s₁, which N sweeps of norm √d at most make N d times as much. s₁ is of a dense
        singular value decomposition, no iteration that could stop below it. Above 1 it says nothing.
    Cost: O(64**n).
    """
    d = math.isqrt(len(whole))
    sigma = gibbs_state(program.generator.model, program.generator.beta)
    one = np.eye(d).ravel() / math.sqrt(d)
    traceless = whole - np.outer(whole @ one, one)
    largest = float(np.linalg.svd(traceless, compute_uv=False)[0])
    tau = fixed_point(whole)
    image = Matrix(whole).apply(tau)  # the triangle inequality holds for any τ: how well it is fixed does not matter
    rounding = ROUNDING * d**3 * (program.sweeps + 1)
    return trace_distance(image, sigma) + math.sqrt(d / 2) * (largest + 2 * rounding)


def climb(
    whole: Map, sigma: Array, states: Array, steps: int = STEPS, enough: float = math.inf
) -> tuple[Array, list[Real]]:
    """The see-saw from every row of `states`; where it ended, and the distances before the first step and after each.

    None of them falls by more than rounding. Given up once one exceeds `enough`.
    """
    differences = _images(whole, states) - sigma
    path = [_half_norms(differences)]
    for _ in range(steps):
        if np.max(path[-1]) > enough:
            break
        values, vectors = np.linalg.eigh(differences)
        projectors = (vectors * (values > 0)[:, None, :]) @ vectors.conj().transpose(0, 2, 1)
        before = _adjoints(whole, projectors)
        states = np.linalg.eigh((before + before.conj().transpose(0, 2, 1)) / 2)[1][:, :, -1]
        differences = _images(whole, states) - sigma
        path.append(_half_norms(differences))
        if np.max(path[-1]) - np.max(path[-2]) < GAINED and np.max(path[-1] - path[-2]) < 1e2 * GAINED:
            break
    return states, path


def all_sweeps(program: Program, channels: Sequence[Array | Map] | None = None) -> Map:
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
