r"""Angles fitted on small pieces of a model at once, and held against larger ones.

Every piece has the same word of layers, and its sites share angles by class; the cost is a high power mean over the
pieces. What is fitted is one set of angles for all sizes, so that it can be written for a system whose Gibbs state
nobody knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...linalg.arrays import Array, Real
from ...models.patches import Patch
from ...readings.channel.worst_start import fixed_starts, random_states
from ..clock import Deadline
from .ansatz import Ansatz
from .fits import ETAS, climbed
from .gate_search import SPREAD
from .layers import COLOURS, spelled_layers
from .objectives import POWER, Preparation, Sampling
from .optimise import minimise

ALIKE = 0.9  # overlap from which two starts are one


@dataclass(frozen=True, eq=False)
class SharedAngles:
    """Free angles by name, for every ansatz that has these names: shape (names, angles per slot)."""

    names: tuple[object, ...]
    values: Real

    def angles(self, ansatz: Ansatz) -> Real:
        """Those of one ansatz, (num_angles,).

        Raises:
            KeyError: If it has a class that was not fitted.
        """
        rows = {name: k for k, name in enumerate(self.names)}
        return np.asarray(self.values[[rows[name] for name in ansatz.names]]).reshape(-1)


@dataclass(frozen=True, eq=False)
class JointCost:
    """A high power mean of costs whose ansatzes share angles by name."""

    parts: tuple[Preparation | Sampling, ...]
    names: tuple[object, ...]

    @staticmethod
    def of(parts: Sequence[Preparation | Sampling]) -> JointCost:
        """With the names that occur."""
        return JointCost(tuple(parts), tuple(dict.fromkeys(name for part in parts for name in part.ansatz.names)))

    def smallest(self) -> JointCost:
        """Of the parts on the fewest qubits alone; the other names' angles do nothing."""
        fewest = min(part.ansatz.num_qubits for part in self.parts)
        return JointCost(tuple(part for part in self.parts if part.ansatz.num_qubits == fewest), self.names)

    @property
    def per_slot(self) -> int:
        """Angles per slot, of all parts alike."""
        return self.parts[0].ansatz.angles_per_slot

    def shared(self, x: Real) -> SharedAngles:
        """A column of angles by name."""
        return SharedAngles(self.names, x.reshape(len(self.names), self.per_slot))

    @cached_property
    def rows(self) -> tuple[np.ndarray, ...]:
        """Of every part where its angles stand."""
        at = {name: k for k, name in enumerate(self.names)}
        per = np.arange(self.per_slot)
        return tuple(
            (np.array([at[name] for name in part.ansatz.names])[:, None] * self.per_slot + per).reshape(-1)
            for part in self.parts
        )

    @property
    def seconds(self) -> float:
        """Nominal, of one value and gradient."""
        return sum(part.seconds for part in self.parts)

    def __call__(self, x: Real, eta: float) -> tuple[Real, Real]:
        """Values (batch,) and gradients (num, batch)."""
        found = [part(x[rows], eta) for part, rows in zip(self.parts, self.rows, strict=True)]
        each = np.maximum(np.stack([value for value, _ in found]), 1e-15)
        cost = np.mean(each**POWER, axis=0) ** (1 / POWER)
        slope = np.zeros_like(x)
        for value, (_, gradient), rows in zip(each, found, self.rows, strict=True):
            np.add.at(slope, rows, (value / cost) ** (POWER - 1) / len(each) * gradient)
        return cost, slope


def ansatz_of(patch: Patch, word: str, *, real: bool) -> Ansatz:
    """The word on a piece, with shared angles."""
    n, staggered = patch.size, any(letter in COLOURS for letter in word)
    features = patch.coloured_features if staggered else patch.features
    return Ansatz(n, n, spelled_layers(word, n, patch.bonds, patch.colours), real, features)


def fit_together(
    parts: Sequence[Preparation | Sampling],
    rng: np.random.Generator,
    deadline: Deadline,
    *,
    batch: int,
    iterations: int,
    give_up: float = np.inf,
    etas: tuple[float, ...] = ETAS,
) -> SharedAngles:
    """Angles that suit all parts; the best of some random starts, most of which fall away on the smallest parts.

    Args:
        parts: Their ansatzes share angles by name.
        rng: Draws the first angles.
        deadline: Of all descents; each takes its share of what is left.
        batch: How many random starts.
        iterations: Of the descents, in all.
        give_up: A cost, after a quarter of the iterations, beyond which nothing is refined.
        etas: Of the smoothed distance, one after the other.
    """
    joint, quarter = JointCost.of(parts), iterations // 4
    x = rng.normal(scale=SPREAD, size=(len(joint.names) * joint.per_slot, batch))
    plan = ((joint.smallest(), 0, 3), (joint, 0, 2), (joint, 1, 2), (joint, 1, 2), (joint, 2, 2))
    seconds = list[float]()  # of every stage if nothing cuts it short
    for cost, _, share in plan:
        seconds.append(batch * cost.seconds)
        batch = max(1, batch // share)
    for k, (cost, eta, share) in enumerate(plan):
        until = deadline.share(seconds[k] / sum(seconds[k:]))
        x, values = minimise(lambda y, c=cost, e=etas[eta]: c(y, e), x, quarter + 1, until, cost.seconds)  # type: ignore[misc]
        x = x[:, np.argsort(values)[: max(1, x.shape[1] // share)]]
        if values.min() > give_up:
            break
    return joint.shared(x[:, 0])


def refit(
    parts: Sequence[Preparation | Sampling],
    shared: SharedAngles,
    iterations: int,
    deadline: Deadline,
    eta: float = ETAS[2],
) -> SharedAngles:
    """The same angles, adapted to parts that changed."""
    joint = JointCost.of(parts)
    x = np.concatenate([shared.values[shared.names.index(name)] for name in joint.names])[:, None]
    return joint.shared(minimise(lambda y: joint(y, eta), x, iterations, deadline, joint.seconds)[0][:, 0])


def worst_start_of(
    part: Sampling, shared: SharedAngles, sigma: Array, rng: np.random.Generator, deadline: Deadline, seeds: int = 3
) -> tuple[float, Array]:
    """Of a sampler on a piece: the distance from the worst start found, and that start."""
    return worst_starts_of(part, shared, sigma, rng, deadline, 1, seeds)[0]


def worst_starts_of(
    part: Sampling,
    shared: SharedAngles,
    sigma: Array,
    rng: np.random.Generator,
    deadline: Deadline,
    most: int,
    seeds: int = 3,
) -> list[tuple[float, Array]]:
    """The farthest distances that a search finds, and their starts, which are different from each other.

    The search begins with random states, and with the fixed ones of `worst_start` too.
    """
    V = part.operators(shared.angles(part.ansatz))
    begun = np.concatenate([random_states(seeds, len(sigma), rng), fixed_starts(np.linalg.eigh(sigma)[1])])
    kept = list[tuple[float, Array]]()
    for one in sorted(climbed(V, part.sweeps, sigma, begun, deadline, part.measure), key=lambda pair: -pair[0]):
        if len(kept) < most and all(np.real(np.vdot(one[1], other)) < ALIKE for _, other in kept):
            kept.append(one)
    return kept
