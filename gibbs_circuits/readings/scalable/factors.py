r"""Maps as trains of few factors, and the frames that weigh an ancilla's letters by what will be asked of them.

A sweep begins with its ancillas in |0⟩, and as long as kicks are weak they stay near it: what an operator says about
|1⟩ will hardly be asked. Cut in the Hilbert–Schmidt norm it is kept as well as the rest. With ρ_q a guess of an
ancilla's state at that time, mixed with a little of 1/2, the norm $\mathrm{Tr}\,\rho^{1/2} O^\dagger \rho^{1/2} O$
weighs it as it should: $|\mathrm{Tr}\,\rho O|$ is never larger, and the Hilbert–Schmidt norm is that of ρ = 1/2.
A frame is the matrix L from letters to an orthonormal basis of this norm whose first element is the identity; a map
read backwards is L Mᵀ L'⁻¹ then, and nothing else changes. The guess decides how well a cut does, never what is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...linalg.arrays import Real
from ...linalg.local_maps import Average, LocalMap, Operation, Operations, applied_to

EXACT = 1e-13  # singular values of a map, relative to the largest, that are rounding
ORTHOGONAL = 1e-12  # of a map that keeps the norm of operators
MIXED = 0.01  # share of 1/2 in the guess: .1 and .001 need bonds a tenth larger, and as large
FEW = 3  # qubits of an average through which a guess is followed
FRESH = np.array([1.0, 0, 0, 1])  # |0⟩
UNKNOWN = np.array([1.0, 0, 0, 0])


def frame(state: Real) -> Real:
    """L of a guess (1, ⟨X⟩, ⟨Y⟩, ⟨Z⟩), (4, 4)."""
    v = (1 - MIXED) * state[1:]
    size = float(np.linalg.norm(v))
    made = np.eye(4)
    if size > EXACT:
        along, rest = np.outer(v, v) / size**2, 1 - size**2
        made[0, 1:] = v
        made[1:, 1:] = rest**0.5 * along + rest**0.25 * (np.eye(3) - along)
    return made


def stretch() -> float:
    """By how much the Hilbert–Schmidt norm can be larger, per ancilla: ρ's smallest weight is half of `MIXED`."""
    return float(MIXED**-0.5)


def framed(operations: Operations, num_system: int) -> tuple[Operations, Real]:
    """A sweep's maps in the frames of its ancillas, and what closes a fresh one; sites keep their letters.

    Args:
        operations: In order of time; beginning with ancillas in |0⟩.
        num_system: Sites are qubits 0 … n−1.
    Accuracy: exact, whatever the guesses: a product of single states, followed from map to map.
    """
    plain = {q for one in operations if isinstance(one, Average) for q in one.qubits}
    guess: dict[int, Real] = {}

    def of(q: int) -> Real:
        state = guess.get(q, UNKNOWN if q < num_system else FRESH)
        return frame(state) if q >= num_system and q not in plain else np.eye(4)

    made = list[Operation]()
    for one in operations:
        before = _together([of(q) for q in one.qubits]) if isinstance(one, LocalMap) else None
        guess.update(_followed(one, guess, num_system))
        if isinstance(one, LocalMap) and before is not None:
            after = _together([of(q) for q in one.qubits])
            made.append(LocalMap(one.qubits, np.asarray(np.linalg.solve(after.T, one.matrix @ before.T), dtype=float)))
        else:
            made.append(one)
    return tuple(made), np.linalg.solve(frame(FRESH).T, FRESH)


def _together(frames: Sequence[Real]) -> Real:
    made: Real = np.eye(1)
    for one in frames:
        made = np.asarray(np.kron(made, one), dtype=float)
    return made


def _followed(one: Operation, guess: Mapping[int, Real], num_system: int) -> dict[int, Real]:
    """Each qubit's state after a map on the product of the guesses."""
    k = len(one.qubits)
    if isinstance(one, Average) and k > FEW:
        return dict.fromkeys(one.qubits, UNKNOWN)
    states = [guess.get(q, UNKNOWN if q < num_system else FRESH) for q in one.qubits]
    joint = np.ones(())
    for state in states:
        joint = np.multiply.outer(joint, state)
    joint = applied_to((relabelled(one, one.qubits),), joint)
    return {q: np.moveaxis(joint, axis, 0).reshape(4, -1)[:, 0] for axis, q in enumerate(one.qubits)}


@lru_cache(maxsize=1 << 14)
def factors(one: Operation, order: tuple[int, ...]) -> tuple[tuple[Real, ...], bool]:
    """Mᵀ as a train over qubits in this order, (bond, out, in, bond) each; whether it keeps norms."""
    k = len(order)
    if isinstance(one, Average):
        rows = [applied_to((relabelled(one, order),), e.reshape((4,) * k), adjoint=True).ravel() for e in np.eye(4**k)]
        back = np.stack(rows, axis=1)
    else:
        back = one.on(order).T
    orthogonal = bool(np.max(np.abs(back @ back.T - np.eye(4**k))) < ORTHOGONAL)
    split = [axis for q in range(k) for axis in (q, k + q)]
    rest, found = back.reshape((4,) * 2 * k).transpose(split).reshape(1, -1), list[Real]()
    for _ in range(k - 1):
        bond = len(rest)
        u, s, v = np.linalg.svd(rest.reshape(bond * 16, -1), full_matrices=False)
        m = int(np.count_nonzero(s > EXACT * s[0]))
        root = np.sqrt(s[:m])
        found.append((u[:, :m] * root).reshape(bond, 4, 4, m))
        rest = root[:, None] * v[:m]
    found.append(rest.reshape(len(rest), 4, 4, 1))
    return tuple(found), orthogonal


def relabelled(one: Operation, order: tuple[int, ...]) -> Operation:
    """The same on qubits 0 … k−1."""
    if isinstance(one, Average):
        branches = tuple(tuple(relabelled(step, order) for step in branch) for branch in one.branches)
        return Average(one.weights, branches, one.times)
    return LocalMap(tuple(order.index(q) for q in one.qubits), one.matrix)


@dataclass(frozen=True, eq=False)
class Wide:
    """A core (left, letter, label, right) beside a bond of some width that passes it."""

    core: Real
    width: int

    @property
    def bond(self) -> int:
        """The larger of its two dimensions."""
        return int(max(self.core.shape[0], self.core.shape[3])) * self.width

    @property
    def whole(self) -> Real:
        """As one core; the passing bond is the faster index."""
        l, p, d, r = self.core.shape
        both = self.core[:, None, :, :, :, None] * np.eye(self.width)[None, :, None, None, None, :]
        return np.asarray(both.reshape(l * self.width, p, d, r * self.width))

    def after(self, carry: Real) -> Real:
        """A matrix times it."""
        _, p, d, r = self.core.shape
        both = np.tensordot(carry.reshape(len(carry), -1, self.width), self.core, axes=(1, 0))
        return np.asarray(both.transpose(0, 2, 3, 4, 1).reshape(len(carry), p, d, r * self.width))

    def before(self, vectors: Real, draw: np.random.Generator) -> Real:
        """Vectors beyond it, (right, count), seen through it with random ones on its own legs: (left, count)."""
        l, p, d, r = self.core.shape
        legs = draw.standard_normal((p * d, 1, 1, vectors.shape[1]))
        through = (legs * vectors.reshape(r, self.width, -1)).reshape(p * d * r, -1)
        return np.asarray((self.core.reshape(l, -1) @ through).reshape(l * self.width, -1))


def sketched(
    wide: Sequence[Wide],
    size: int,
    held_out: int,
    draw: np.random.Generator,
    orthonormal: Callable[[Real], tuple[Real, Real]],
) -> tuple[list[Real], list[float], float]:
    """Cores, all but the last orthonormal, whose bonds carry no more than `size`: the range of random vectors.

    Args:
        wide: From left to right, orthonormal beyond both ends.
        size: Random vectors from beyond a bond whose range is kept.
        held_out: More of them, which tell what was missed.
        draw: Of these vectors.
        orthonormal: Q and R of a matrix.

    Returns:
        The cores, of every bond the norm that is missed as held-out vectors estimate it, and multiplications.
    """
    last = wide[-1].core
    l, count, work = len(last), size + held_out, 0.0
    vectors = [last.reshape(l, -1) @ draw.standard_normal((last.size // l, count))]
    for one in wide[-2:0:-1]:
        vectors.append(one.before(vectors[-1], draw))
    made, missed, carry = list[Real](), list[float](), np.eye(wide[0].core.shape[0])
    for one in wide[:-1]:
        here = one.after(carry)
        matrix = here.reshape(-1, here.shape[3])
        image = matrix @ vectors.pop()
        found, _ = orthonormal(image[:, :size])
        held = image[:, size:]
        missed.append(float(np.linalg.norm(held - found @ (found.T @ held))) / held_out**0.5)
        made.append(found.reshape(*here.shape[:3], -1))
        carry = found.T @ matrix
        work += 3 * matrix.size * size
    made.append(wide[-1].after(carry))
    return made, missed, work
