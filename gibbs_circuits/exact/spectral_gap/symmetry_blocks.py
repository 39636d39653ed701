"""The Hermitised generator in symmetry blocks: energy eigenvectors with labels, jumps that shift them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse

from ...generators.lindbladian import Lindbladian
from ...linalg.arrays import Array, Matrix, Real
from ...models.scale import DEBRIS
from ...models.spectrum import spectrum
from ..structure.action import BATCHED_ENTRIES, damped, sandwich
from ..structure.symmetry import Symmetry, weak_symmetries

Label = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Blocks:
    """D in blocks; X of sector s has blocks X[h + s, h] for every label h.

    Attributes:
        labels: One per block of the energy basis.
        sizes: Their dimensions.
        moduli: Of each entry of a label; 0 for a charge.
        jumps: (charge c, {h: J[h + c, h]}) of every jump.
        drift: {h: G[h, h]}.
        populations: √p of the Gibbs state, by label, for the zero mode.
        names: Of the symmetries.
    """

    labels: tuple[Label, ...]
    sizes: tuple[int, ...]
    moduli: Label
    jumps: tuple[tuple[Label, dict[int, Matrix]], ...]
    drift: tuple[Matrix, ...]
    populations: tuple[Real, ...]
    names: tuple[str, ...]

    def target(self, h: int, shift: Label) -> int | None:
        """Index of the label h + shift."""
        wanted = _plus(self.labels[h], shift, self.moduli)
        return self.labels.index(wanted) if wanted in self.labels else None

    def opposite(self, s: Label) -> Label:
        """The charge −s, which X† has where X has s."""
        return _plus((0,) * len(s), tuple(-x for x in s), self.moduli)

    @property
    def sectors(self) -> list[Label]:
        """Every difference of labels once, of s and −s one: X and X† have the same eigenvalues."""
        found: dict[Label, None] = {}
        for a in self.labels:
            for b in self.labels:
                s = _plus(a, tuple(-x for x in b), self.moduli)
                if self.opposite(s) not in found:
                    found[s] = None
        return list(found)

    @property
    def dtype(self) -> np.dtype:
        """Type of the vectors: float where all drifts and jumps are real, complex otherwise."""
        return np.result_type(*self.drift, *(b for _, blocks in self.jumps for b in blocks.values()))

    def sector(self, s: Label) -> Sector:
        """D on operators of charge s only, those between labels h and h + s."""
        pairs = [(r, h) for h in range(len(self.labels)) if (r := self.target(h, s)) is not None]
        return Sector(self, pairs)


@dataclass(frozen=True, eq=False)
class Sector:
    """D on the blocks X[r, h] of one sector, stacked into a vector."""

    blocks: Blocks
    pairs: list[tuple[int, int]]

    @cached_property
    def shapes(self) -> list[tuple[int, int]]:
        """(rows, columns) of every block X[r, h]."""
        return [(self.blocks.sizes[r], self.blocks.sizes[h]) for r, h in self.pairs]

    @property
    def dim(self) -> int:
        """Length of the vector that the blocks are stacked into."""
        return sum(a * b for a, b in self.shapes)

    def split(self, x: Matrix) -> list[Matrix]:
        """The blocks of a vector, as views on it."""
        ends = np.cumsum([0, *(a * b for a, b in self.shapes)])
        return [x[start:end].reshape(shape) for start, end, shape in zip(ends, ends[1:], self.shapes, strict=False)]

    def __call__(self, x: Matrix) -> Matrix:
        """D applied to a vector of length `dim`."""
        out = np.zeros(x.shape, np.result_type(x, self.blocks.dtype))
        source, into, G = self.split(x), self.split(out), self.blocks.drift
        for X, target, (r, h) in zip(source, into, self.pairs, strict=True):
            target += G[r] @ X
            target += X @ G[h].conj().T
        if self.batched is not None:
            into[0] += self.batched(source[0])
            return out
        for start, end, left, right in self.plan:
            into[end] += (left @ source[start]) @ right.conj().T
        return out

    @cached_property
    def batched(self) -> Callable[[Matrix], Matrix] | None:
        """All jumps in two products, where there is one small block."""
        if len(self.pairs) > 1 or len(self.plan) * self.dim > BATCHED_ENTRIES:
            return None
        return sandwich([(left, right) for _, _, left, right in self.plan], self.shapes[0][0])

    @cached_property
    def plan(self) -> list[tuple[int, int, Matrix, Matrix]]:
        """(block it acts on, block it leads to, J on the left, J on the right) of every product."""
        b, place = self.blocks, {pair: index for index, pair in enumerate(self.pairs)}
        steps = []
        for charge, J in b.jumps:
            moved = {h: to for h in J if (to := b.target(h, charge)) is not None}
            for (r, h), index in place.items():
                if r in moved and h in moved:
                    steps.append((index, place[moved[r], moved[h]], J[r], J[h]))
        return steps

    @property
    def diagonal(self) -> Real:
        """Real part of the diagonal of D, shape (dim,): what the preconditioner divides by."""
        b, parts = self.blocks, []
        still = [J for charge, J in b.jumps if not any(charge)]
        for r, h in self.pairs:
            part = np.diag(b.drift[r])[:, None] + np.diag(b.drift[h]).conj()[None, :]
            for J in still:
                if r in J and h in J:
                    part = part + np.diag(J[r])[:, None] * np.diag(J[h]).conj()[None, :]
            parts.append(part.real.ravel())
        return np.concatenate(parts)

    @property
    def zero_mode(self) -> Matrix | None:
        """σ^{1/2}, normalised, in the sector of the identity."""
        if any(r != h for r, h in self.pairs):
            return None
        return np.concatenate([np.diag(self.blocks.populations[h]).ravel() for _, h in self.pairs])


def _plus(a: Label, b: Label, moduli: Label) -> Label:
    return tuple((x + y) % m if m else x + y for x, y, m in zip(a, b, moduli, strict=True))


def hermitised_blocks(lindbladian: Lindbladian, *, use_symmetry: bool = True) -> Blocks:
    """D of a generator in KMS detailed balance, blocked by the weak symmetries that are found.

    Memory: the non-zero blocks of every jump, at most 8 bytes × jumps × 4**n where real.
    """
    found = weak_symmetries(lindbladian) if use_symmetry else []
    symmetries = [s for s, _ in found]
    labels, groups, energies = _labelled_basis(lindbladian, symmetries)
    W, charges = _rotation([O for _, O in found], symmetries, len(lindbladian.contacts))
    nu_of = _Frequencies(energies)
    jumps: list[tuple[Label, dict[int, Matrix]]] = []
    moduli = tuple(s.modulus for s in symmetries)
    drift: list[Matrix] = [np.zeros((E.size, E.size)) for E in energies]
    every = np.concatenate(energies)
    kernels = {contact.kernel: contact.kernel.on(np.subtract.outer(every, every)) for contact in lindbladian.contacts}
    sparse = [contact.coupling.to_matrix(sparse=True) for contact in lindbladian.contacts]
    for column, charge in zip(W.T, charges, strict=True):
        weights = {a: w for a, w in enumerate(column) if abs(w) > 1e-12}
        B = _realified(scipy.sparse.csr_matrix(sum(w * sparse[a] for a, w in weights.items())))
        factors = kernels[lindbladian.contacts[next(iter(weights))].kernel].factors()
        beta = lindbladian.contacts[next(iter(weights))].beta
        raw = {}
        for h, V in enumerate(groups):
            to = _plus(labels[h], charge, moduli)
            if to in labels:
                r = labels.index(to)
                raw[h] = (r, groups[r].conj().T @ (B @ V))
        for weight, filter in factors:
            blocks = {h: np.sqrt(weight) * filter.matrix(nu_of(r, h), balanced=True) * M for h, (r, M) in raw.items()}
            jumps.append((charge, blocks))
            for h, (r, M) in raw.items():
                L = np.sqrt(weight) * filter.matrix(nu_of(r, h)) * M
                drift[h] = drift[h] - 0.5 * damped(L.conj().T @ L, beta, nu_of(h, h))
    weights = np.exp(-lindbladian.beta * (every - every.min()))
    split = np.split(np.sqrt(weights / weights.sum()), np.cumsum([E.size for E in energies])[:-1])
    return Blocks(
        tuple(labels), tuple(E.size for E in energies), moduli, tuple(jumps),
        tuple((G + G.conj().T) / 2 for G in drift), tuple(split), tuple(s.name for s in symmetries),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Frequencies:
    energies: list[Real]

    def __call__(self, r: int, h: int) -> Real:
        return np.asarray(np.subtract.outer(self.energies[r], self.energies[h]))


def _realified(B: Any) -> Any:
    """The same up to a phase, real where one makes it so but for rounding."""
    floor = DEBRIS * float(np.max(np.abs(B.data), initial=0.0))
    if not np.any(np.abs(B.data.imag) > floor):
        return B.real
    if not np.any(np.abs(B.data.real) > floor):
        return B.imag
    return B


def _labelled_basis(
    lindbladian: Lindbladian, symmetries: list[Symmetry]
) -> tuple[list[Label], list[Matrix], list[Real]]:
    """Energy eigenvectors and energies, label by label."""
    model = lindbladian.bohr_model
    if not symmetries:
        s = spectrum(model)
        return [()], [s.vectors], [s.energies]
    H = model.hamiltonian.to_matrix(sparse=True).tocsr()
    H = H if np.any(H.data.imag) else H.real  # never by a phase: i times H is not Hermitian
    n = model.num_qubits
    mixed, operators = np.zeros((2**n, 2**n), dtype=complex), []
    rng = np.random.default_rng(0)
    for symmetry in symmetries:
        U = _matrix(symmetry, n)
        operators.append(U)
        for part in (U + U.conj().T, 1j * (U - U.conj().T)):
            mixed += rng.uniform(0.5, 1.5) * part.toarray()
    if not np.any(mixed.imag):
        values, vectors = np.linalg.eigh(mixed.real)
    else:
        values, vectors = np.linalg.eigh(mixed)
    del mixed
    labels, groups, energies = [], [], []
    for part in np.split(np.arange(2**n), np.flatnonzero(np.diff(values) > 1e-7) + 1):
        V = vectors[:, part]
        E, inner = np.linalg.eigh(V.conj().T @ (H @ V))
        V = V @ inner
        labels.append(tuple(_label(s, U, V[:, 0]) for s, U in zip(symmetries, operators, strict=True)))
        groups.append(V)
        energies.append(E)
    return labels, groups, energies


def _matrix(symmetry: Symmetry, n: int) -> scipy.sparse.csr_matrix:
    if symmetry.operator is not None:
        return scipy.sparse.csr_matrix(symmetry.operator.to_matrix(sparse=True))
    states = np.arange(2**n)
    moved = np.zeros_like(states)
    for q, to in enumerate(symmetry.sites):
        moved |= ((states >> q) & 1) << to
    return scipy.sparse.csr_matrix((np.ones(2**n), (moved, states)), shape=(2**n, 2**n)).astype(complex)


def _label(symmetry: Symmetry, U: scipy.sparse.csr_matrix, v: Array) -> int:
    value = complex(v.conj() @ (U @ v))
    if symmetry.modulus:
        return round(symmetry.modulus * np.angle(value) / (2 * np.pi)) % symmetry.modulus
    return round(value.real)


def _rotation(actions: list[Array], symmetries: list[Symmetry], m: int) -> tuple[Array, list[Label]]:
    """W, columns of couplings with a definite shift of every label, and the shifts."""
    if not actions:
        return np.eye(m, dtype=complex), [()] * m
    rng = np.random.default_rng(1)
    total = np.zeros((m, m), dtype=complex)
    for O in actions:
        total += rng.uniform(0.5, 1.5) * (O + O.conj().T) + rng.uniform(0.5, 1.5) * 1j * (O - O.conj().T)
    values, vectors = np.linalg.eigh(total)
    W: list[Array] = []
    shifts: list[Label] = []
    for part in np.split(np.arange(m), np.flatnonzero(np.diff(values) > 1e-7) + 1):
        projector = vectors[:, part] @ vectors[:, part].conj().T
        mine: list[Array] = []
        for column in projector.T:  # projected unit vectors stay local, and real where that is possible
            rest = column - sum((v * (v.conj() @ column) for v in mine), np.zeros(m))
            if np.linalg.norm(rest) > 1e-6 and len(mine) < part.size:
                mine.append(rest / np.linalg.norm(rest))
        shift = tuple(_shift(s, O, mine[0]) for s, O in zip(symmetries, actions, strict=True))
        W.extend(mine)
        shifts.extend([shift] * len(mine))
    return np.stack(W, axis=1), shifts


def _shift(symmetry: Symmetry, O: Array, w: Array) -> int:
    value = complex(w.conj() @ O @ w)
    if symmetry.modulus:
        return round(symmetry.modulus * np.angle(value) / (2 * np.pi)) % symmetry.modulus
    return round(value.real)
