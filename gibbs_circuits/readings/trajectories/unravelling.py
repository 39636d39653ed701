"""What a sweep does to many state vectors, each with random numbers of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count

import numpy as np
from numpy.typing import NDArray

from ...linalg.arrays import Array, Real
from ...linalg.paulis import PauliString, signs
from ...programs.steps import Unitary
from .state_batches import Kernel, apply, weight

Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]


@dataclass
class Batch:
    """State vectors, one per column, on the system and on the ancillas that may be away from |0⟩.

    Attributes:
        psi: Shape (2,) * len(carried) + (2^n, batch), C-contiguous, every column normalised.
        uniforms: The random numbers of this sweep, (draws, batch).
        jumps: Which resets found |1⟩, (resets, batch); written to.
        carried: The ancilla of every axis in front.
    """

    psi: Array
    uniforms: Real
    jumps: Flags
    carried: list[int] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Number of state vectors, one per column."""
        return int(self.psi.shape[-1])

    def halves(self, ancilla: int) -> tuple[Array, Array]:
        """Views of the parts with the ancilla in |0⟩ and in |1⟩; it gets an axis if it has none."""
        if ancilla not in self.carried:
            self.psi = np.stack([self.psi, np.zeros_like(self.psi)])
            self.carried.insert(0, ancilla)
        moved = np.moveaxis(self.psi, self.carried.index(ancilla), 0)
        return moved[0], moved[1]

    def part(self, columns: Whole) -> Batch:
        """Some of the columns, copied."""
        psi = np.take(self.psi, columns, axis=-1)
        return Batch(psi, self.uniforms[:, columns], self.jumps[:, columns], list(self.carried))


@dataclass
class Drawn:
    """What was drawn in the random choice that a batch is inside of: an option per column, or 0 for the only one."""

    option: Whole | int = 0
    gathers: dict[int, tuple[Whole, Array]] = field(default_factory=dict)


Action = Callable[[Batch, Drawn], None]


@dataclass(frozen=True, eq=False)
class Evolving:
    """The same evolution of every state."""

    kernels: tuple[Kernel, ...]

    def __call__(self, batch: Batch, drawn: Drawn) -> None:
        batch.psi = apply(self.kernels, batch.psi)


@dataclass(frozen=True, eq=False)
class Paulis:
    """A Pauli string per option of a random choice, applied to all columns at once."""

    strings: tuple[PauliString, ...]
    dim: int

    @cached_property
    def only(self) -> tuple[Whole, Array] | None:
        """Rows and phases of the string that all options have; None if they differ."""
        if len(set(self.strings)) > 1:
            return None
        return self.strings[0].rows(self.dim), self.strings[0].phases(self.dim)[:, None]

    @cached_property
    def numbers(self) -> Whole:
        """Masks x and z, and the number of letters Y, of every option."""
        return np.array([(s.x, s.z, s.y) for s in self.strings]).T

    def __call__(self, part: Array, weights: Array | complex, drawn: Drawn) -> Array:
        """Weights P ψ of (…, 2^n, batch)."""
        if self.only is not None:
            rows, phases = self.only
            out = np.take(part, rows, axis=-2)
        else:
            places, phases = self._gather(drawn, part.shape[-1])
            out = np.take(part.reshape(*part.shape[:-2], -1), places, axis=-1)
        out *= phases
        out *= weights
        return out

    def _gather(self, drawn: Drawn, size: int) -> tuple[Whole, Array]:
        """Where the entries of Pψ come from in a flat (2^n, batch), and their phases; once per choice."""
        if id(self) not in drawn.gathers:
            x, z, y = self.numbers[:, drawn.option]
            rows = np.arange(self.dim)[:, None] ^ x
            phases = signs(rows & z) * 1j**y
            drawn.gathers[id(self)] = rows * size + np.arange(size), phases
        return drawn.gathers[id(self)]


@dataclass(frozen=True, eq=False)
class Coupling:
    """exp(−iθ P ⊗ (cos φ X + sin φ Y)); P, θ and φ per option."""

    paulis: Paulis
    ancilla: int
    angles: Real
    axes: Real

    def __call__(self, batch: Batch, drawn: Drawn) -> None:
        """Cos θ − i sin θ P ⊗ axis; from |0⟩ half of it."""
        angle, axis = self.angles[drawn.option], self.axes[drawn.option]
        cosine, up = np.cos(angle), -1j * np.sin(angle) * np.exp(1j * axis)
        if self.ancilla not in batch.carried:
            raised = self.paulis(batch.psi, up, drawn)
            batch.psi = np.stack([batch.psi * cosine, raised])
            batch.carried.insert(0, self.ancilla)
            return
        zero, one = batch.halves(self.ancilla)
        lowered = self.paulis(one, -up.conj(), drawn)
        raised = self.paulis(zero, up, drawn)
        batch.psi *= cosine
        zero += lowered
        one += raised


@dataclass(frozen=True, eq=False)
class Dense:
    """A dense unitary on the system and ancillas, its highest bit being ancillas[-1]."""

    step: Unitary

    def __call__(self, batch: Batch, drawn: Drawn) -> None:
        """One matrix product; only the columns of clean ancillas where they are."""
        ancillas, matrix = self.step.ancillas[::-1], self.step.matrix
        dim, size = batch.psi.shape[-2:]
        inner = 1
        if set(ancillas) & set(batch.carried):
            for ancilla in ancillas:
                batch.halves(ancilla)
            places = [batch.carried.index(ancilla) for ancilla in ancillas]
            batch.psi = np.moveaxis(batch.psi, places, range(-2 - len(ancillas), -2))
            batch.carried = [a for a in batch.carried if a not in ancillas]
            inner = 2 ** len(ancillas)
        outer = batch.psi.shape[: len(batch.carried)]
        done = matrix[:, : inner * dim] @ batch.psi.reshape(*outer, inner * dim, size)
        batch.psi = done.reshape(*outer, *(2,) * len(ancillas), dim, size)
        batch.carried += ancillas


@dataclass(frozen=True, eq=False)
class Resetting:
    """A measurement of one ancilla, the state collapsed onto what was found, then |0⟩."""

    ancilla: int
    draw: int
    place: int

    def __call__(self, batch: Batch, drawn: Drawn) -> None:
        """Drop the ancilla's axis."""
        if self.ancilla not in batch.carried:
            return
        zero, one = batch.halves(self.ancilla)
        p0, p1 = (weight(np.ascontiguousarray(part).reshape(-1, batch.size)) for part in (zero, one))
        found = batch.uniforms[self.draw] * (p0 + p1) < p1
        batch.psi = np.ascontiguousarray(np.where(found, one, zero))
        batch.psi *= 1 / np.sqrt(np.where(found, p1, p0))
        batch.jumps[self.place] = found
        batch.carried.remove(self.ancilla)


@dataclass(frozen=True, eq=False)
class Delaying:
    """A number of repetitions that every state draws for itself."""

    kernels: tuple[Kernel, ...]
    low: int
    high: int
    draw: int

    def __call__(self, batch: Batch, drawn: Drawn) -> None:
        """States sorted by their delay, so that those still running are the first columns."""
        for _ in range(self.low):
            batch.psi = apply(self.kernels, batch.psi)
        extra = (batch.uniforms[self.draw] * (self.high - self.low + 1)).astype(np.int64)
        order = np.argsort(-extra, kind="stable")
        live, finished = np.take(batch.psi, order, axis=-1), []
        for passed in count(1):
            running = int(np.count_nonzero(extra >= passed))
            if running < live.shape[-1]:
                finished.append(live[..., running:])
                live = np.ascontiguousarray(live[..., :running])
            if not running:
                break
            live = apply(self.kernels, live)
        batch.psi = np.take(np.concatenate(finished[::-1], axis=-1), np.argsort(order), axis=-1)


@dataclass(frozen=True, eq=False)
class Choosing:
    """A branch that every state draws for itself; branches alike but for their couplings run together.

    Attributes:
        edges: Cumulated probabilities of the branches.
        kind: Of every branch: which of `actions`.
        option: Of every branch: which entry of their tables.
    """

    edges: Real
    kind: Whole
    option: Whole
    actions: tuple[tuple[Action, ...], ...]
    draw: int

    def __call__(self, batch: Batch, drawn: Drawn) -> None:
        """One sub-batch per kind."""
        places = np.searchsorted(self.edges, batch.uniforms[self.draw] * self.edges[-1], side="right")
        branch = np.minimum(places, len(self.edges) - 1)
        kinds = np.unique(self.kind[branch])
        for kind in kinds:
            columns = np.flatnonzero(self.kind[branch] == kind)
            part = batch if len(kinds) == 1 else batch.part(columns)
            alone = np.count_nonzero(self.kind == kind) == 1
            inside = Drawn(0 if alone else self.option[branch[columns]])
            for action in self.actions[kind]:
                action(part, inside)
            if part is not batch:
                batch.psi[:, columns], batch.jumps[:, columns] = part.psi, part.jumps
