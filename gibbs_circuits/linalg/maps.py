"""Linear maps on density matrices: what a sweep does to the system, as an action and as a matrix."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Protocol

import numpy as np
import scipy.linalg

from .arrays import Array, Real, read_only
from .channels import transfer
from .speed import PASSES, PRODUCTS

CALL = 2e-5  # seconds of one application besides its products
CHUNK = 1 << 22  # entries of the Kraus operators that are multiplied at once, so that temporaries stay small


class Action(Protocol):
    """A linear, Hermiticity-preserving map on d × d matrices, known by what it does."""

    @property
    def dim(self) -> int:
        """The dimension d."""
        ...

    def apply(self, rho: Array) -> Array:
        """Its value at one matrix, which need not be Hermitian."""
        ...


class Map(Action, Protocol):
    """A linear map on d × d matrices that can be written out, with its adjoint Tr[X† Φ(ρ)] = Tr[Φ†(X)† ρ].

    `seconds` is what one application takes on a quiet core, from sizes alone, good to a factor of 3.
    """

    @property
    def seconds(self) -> float:
        """Estimated seconds of one application."""
        ...

    def adjoint_apply(self, operator: Array) -> Array:
        """The adjoint's value at one matrix: how an observable looks before the map."""
        ...

    def after(self, total: Array | None) -> Array:
        """The d² × d² matrix of `total`, followed by this map; None is the identity."""
        ...


@dataclass(frozen=True, eq=False)
class Kraus:
    """ρ → Σ_b K_b ρ K_b†, operators of shape (branches, d, d); apply costs 16 branches d³ flops.

    Fastest where the memory runs over (row, branch, column): then both products are plain ones, without a copy.
    """

    operators: Array

    @property
    def dim(self) -> int:
        """The dimension d."""
        return int(self.operators.shape[-1])

    @property
    def seconds(self) -> float:
        """Two products, and three passes over what is between them."""
        return CALL + self.operators.size * (16 * self.dim / PRODUCTS + 3 / PASSES)

    def apply(self, rho: Array) -> Array:
        """Its value at one matrix ρ, (d, d)."""
        d, step = self.dim, max(1, CHUNK // self.dim**2)
        total = np.zeros((d, d), dtype=complex)
        for first in range(0, len(self.operators), step):
            rows = self.operators[first : first + step].transpose(1, 0, 2)  # (row, branch, column)
            half = (rows.reshape(-1, d) @ rho).reshape(d, -1)
            total += np.conjugate(half, out=half) @ rows.reshape(d, -1).T
        return np.asarray(total.conj())

    def adjoint_apply(self, operator: Array) -> Array:
        """Σ_b K_b† X K_b; as costly as `apply`."""
        d, step = self.dim, max(1, CHUNK // self.dim**2)
        total = np.zeros((d, d), dtype=complex)
        for first in range(0, len(self.operators), step):
            rows = np.ascontiguousarray(self.operators[first : first + step].transpose(1, 0, 2))
            half = operator @ rows.reshape(d, -1)
            total += rows.reshape(-1, d).conj().T @ half.reshape(-1, d)
        return total

    def after(self, total: Array | None) -> Array:
        """As a matrix, after `total`."""
        matrix = transfer(self.operators)
        return matrix if total is None else np.asarray(matrix @ total)


@dataclass(frozen=True, eq=False)
class Dephasing:
    """Mean over powers of one unitary: ρ_ij → mean_ij ρ_ij in its eigenbasis V; apply costs O(d³)."""

    vectors: Array
    mean: Array

    @property
    def dim(self) -> int:
        """The dimension d."""
        return len(self.vectors)

    @property
    def seconds(self) -> float:
        """Nominal seconds of one application: four matrix products."""
        return CALL + 32 * self.dim**3 / PRODUCTS

    def apply(self, rho: Array) -> Array:
        """Its value at one matrix, or at each of a stack."""
        V = self.vectors
        return np.asarray(V @ (self.mean * (V.conj().T @ rho @ V)) @ V.conj().T)

    def adjoint_apply(self, operator: Array) -> Array:
        """The mean over inverse powers."""
        V = self.vectors
        return np.asarray(V @ (self.mean.conj() * (V.conj().T @ operator @ V)) @ V.conj().T)

    def after(self, total: Array | None) -> Array:
        """As a matrix, after `total`; O(d⁵) instead of O(d⁶)."""
        d = len(self.vectors)
        total = np.eye(d * d, dtype=complex) if total is None else total
        rho = total.reshape(d, d, d * d).transpose(2, 1, 0)  # columns of the matrix as matrices [row, column]
        return np.ascontiguousarray(self.apply(rho).transpose(2, 1, 0)).reshape(d * d, d * d)


@dataclass(frozen=True, eq=False)
class Mixture:
    """One of several maps, with probabilities."""

    probabilities: Real
    maps: tuple[Map, ...]

    @property
    def dim(self) -> int:
        """The dimension d."""
        return self.maps[0].dim

    @property
    def seconds(self) -> float:
        """Nominal seconds of one application: of all maps, one after the other."""
        return sum(one.seconds for one in self.maps)

    def apply(self, rho: Array) -> Array:
        """Its value at one matrix ρ, (d, d)."""
        parts = zip(self.probabilities, self.maps, strict=True)
        return np.asarray(sum(p * one.apply(rho) for p, one in parts))

    def adjoint_apply(self, operator: Array) -> Array:
        """The adjoint's value at one operator, (d, d): the mean over the maps."""
        parts = zip(self.probabilities, self.maps, strict=True)
        return np.asarray(sum(p * one.adjoint_apply(operator) for p, one in parts))

    def after(self, total: Array | None) -> Array:
        """As a matrix, after `total`."""
        parts = zip(self.probabilities, self.maps, strict=True)
        mean = np.asarray(sum(p * one.after(None) for p, one in parts))
        return mean if total is None else np.asarray(mean @ total)


@dataclass(frozen=True, eq=False)
class Chain:
    """Maps one after the other; none is the identity on dimension `dim`."""

    dim: int
    maps: tuple[Map, ...]

    @property
    def seconds(self) -> float:
        """Nominal seconds of one application: of all maps, one after the other."""
        return sum(one.seconds for one in self.maps)

    def apply(self, rho: Array) -> Array:
        """Its value at one matrix ρ, (d, d)."""
        return reduce(lambda value, one: one.apply(value), self.maps, np.asarray(rho, dtype=complex))

    def adjoint_apply(self, operator: Array) -> Array:
        """The adjoints, the last one first."""
        X = np.asarray(operator, dtype=complex)
        return reduce(lambda value, one: one.adjoint_apply(value), reversed(self.maps), X)

    def after(self, total: Array | None) -> Array:
        """As a matrix, after `total`."""
        done = reduce(lambda value, one: one.after(value), self.maps, total)
        return np.eye(self.dim**2, dtype=complex) if done is None else done


@dataclass(frozen=True, eq=False)
class Rebuilt:
    """A map that is built anew each time it is needed: one of too many to be kept; `seconds` includes the building."""

    dim: int
    build: Callable[[], Map]
    seconds: float = 0.0

    def apply(self, rho: Array) -> Array:
        """Its value at one matrix ρ, (d, d)."""
        return self.build().apply(rho)

    def adjoint_apply(self, operator: Array) -> Array:
        """The adjoint's value at one matrix."""
        return self.build().adjoint_apply(operator)

    def after(self, total: Array | None) -> Array:
        """As a matrix, after `total`."""
        return self.build().after(total)


@dataclass(frozen=True, eq=False)
class Matrix:
    """A map given by its d² × d² matrix on column-stacked density matrices."""

    channel: Array

    @property
    def dim(self) -> int:
        """The dimension d."""
        return math.isqrt(len(self.channel))

    @property
    def seconds(self) -> float:
        """Nominal seconds of one application: one pass over the matrix."""
        return CALL + self.dim**4 / PASSES / 4

    def apply(self, rho: Array) -> Array:
        """Its value at one matrix ρ, (d, d)."""
        d = self.dim
        return np.asarray((self.channel @ np.ravel(rho, order="F")).reshape(d, d, order="F"))

    def adjoint_apply(self, operator: Array) -> Array:
        """The adjoint's value at one matrix; no copy of the channel is made."""
        d, x = self.dim, np.ravel(np.asarray(operator, dtype=complex), order="F")
        return np.asarray((x.conj() @ self.channel).conj().reshape(d, d, order="F"))

    def after(self, total: Array | None) -> Array:
        """As a matrix, after `total`."""
        return self.channel if total is None else np.asarray(self.channel @ total)


def mean_of_powers(U: Array, low: int, high: int) -> Dephasing:
    """Mean over k = low … high of ρ → U^k ρ U^{−k}, through the eigenphases of U."""
    triangle, V = scipy.linalg.schur(U, output="complex")
    phases = np.diag(triangle) / np.abs(np.diag(triangle))
    turns = phases[:, None] * phases.conj()[None, :]
    term = turns**low
    mean = term.copy()
    for _ in range(low, high):
        term = term * turns
        mean += term
    return Dephasing(read_only(V), read_only(mean / (high - low + 1)))
