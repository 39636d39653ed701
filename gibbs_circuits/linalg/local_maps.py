"""Maps on a few qubits in the Pauli basis: what programs and noisy circuits are made of at any number of qubits.

A state is x_P = Tr[P ρ], an observable O = Σ c_P P, and ⟨O⟩ = Σ c_P x_P. A map takes x to M x and, read backwards, c to
Mᵀ c: gates, resets and noise are real matrices alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TypeAlias

import numpy as np

from .arrays import Array, Real, read_only
from .paulis import PAULIS

_SINGLE = np.stack([PAULIS[letter] for letter in "IXYZ"])


@dataclass(frozen=True, eq=False)
class LocalMap:
    """A linear map on k qubits.

    Attributes:
        qubits: The qubits, in the order of the axes.
        matrix: M_PQ = Tr[P Λ(Q)]/2^k, (4^k, 4^k); Pauli strings in the order I, X, Y, Z, the first qubit slowest.
    """

    qubits: tuple[int, ...]
    matrix: Real

    def __post_init__(self) -> None:
        read_only(self.matrix)

    def on(self, qubits: tuple[int, ...]) -> Real:
        """Its matrix on these qubits, which hold its own: the identity on the others."""
        k, rest = len(self.qubits), [q for q in qubits if q not in self.qubits]
        full = np.kron(self.matrix, np.eye(4 ** len(rest))).reshape((4,) * 2 * len(qubits))
        place = [(*self.qubits, *rest).index(q) for q in qubits]
        assert k + len(rest) == len(qubits)
        return np.asarray(full.transpose(*place, *(p + len(qubits) for p in place)).reshape(4 ** len(qubits), -1))


@dataclass(frozen=True, eq=False)
class Average:
    """One of several branches, performed one of several numbers of times, all equally likely: the mean over both.

    Attributes:
        weights: Probabilities of the branches.
        branches: What each performs, in order of time.
        times: The numbers of times.
    """

    weights: tuple[float, ...]
    branches: tuple[Operations, ...]
    times: range = range(1, 2)

    @property
    def qubits(self) -> tuple[int, ...]:
        """All qubits that it acts on, sorted."""
        return tuple(sorted({q for branch in self.branches for one in branch for q in one.qubits}))


Operation: TypeAlias = LocalMap | Average
Operations: TypeAlias = tuple[Operation, ...]


@lru_cache(maxsize=8)
def pauli_basis(qubits: int) -> Array:
    """All Pauli strings as matrices, (4^k, 2^k, 2^k); the first qubit is slowest, in the strings and in the rows."""
    basis = np.ones((1, 1, 1), dtype=complex)
    for _ in range(qubits):
        basis = np.einsum("aij,bkl->abikjl", basis, _SINGLE).reshape(4 * len(basis), 2 * basis.shape[1], -1)
    return read_only(np.asarray(basis))


def bloch(psi: Array) -> Real:
    """⟨1⟩, ⟨X⟩, ⟨Y⟩ and ⟨Z⟩ of one qubit's normalised state vector, (4,)."""
    return np.asarray(np.einsum("i,pij,j->p", psi.conj(), _SINGLE, psi).real)


def of_unitary(unitary: Array) -> Real:
    """M of ρ → UρU†, U a (2^k, 2^k) matrix whose first qubit is the slowest index."""
    return of_kraus(unitary[None])


def of_kraus(operators: Array) -> Real:
    """M of ρ → Σ KρK†, operators as (m, 2^k, 2^k)."""
    basis = pauli_basis(int(operators.shape[-1]).bit_length() - 1)
    moved = np.einsum("mij,qjk,mlk->qil", operators, basis, operators.conj(), optimize=True)
    return np.asarray(np.einsum("pli,qil->pq", basis, moved, optimize=True).real / operators.shape[-1])


RESET = read_only(np.array([[1.0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]))  # ⟨1⟩ = ⟨Z⟩ = 1 afterwards


def fused(operations: Iterable[Operation], most: int = 2) -> Operations:
    """The same in fewer maps: those on one qubit, and those on the qubits of an earlier one, are multiplied into it.

    Args:
        operations: In order of time.
        most: Qubits of a map that results from fusing two different supports.
    """
    done: list[Operation | None] = []
    last: dict[int, int] = {}  # the operation that touched a qubit last

    def put(one: Operation) -> None:
        done.append(one)
        last.update(dict.fromkeys(one.qubits, len(done) - 1))

    for one in operations:
        if isinstance(one, Average):
            put(Average(one.weights, tuple(fused(branch, most) for branch in one.branches), one.times))
            continue
        at = {last[q] for q in one.qubits if q in last}
        before = [k for k in at if isinstance(done[k], LocalMap)]
        # what came before on these qubits must be last on all of its own, or lie within this map
        inside = [k for k in before if len(before) == len(at) and all(last[q] == k for q in done[k].qubits)]  # type: ignore[union-attr]
        support = tuple(dict.fromkeys(q for k in inside for q in done[k].qubits)) or one.qubits  # type: ignore[union-attr]
        support = (*support, *(q for q in one.qubits if q not in support))
        largest = max([len(one.qubits), *(len(done[k].qubits) for k in inside)])  # type: ignore[union-attr]
        if not inside or len(inside) < len(at) or len(support) > max(largest, min(most, largest)):
            put(one)
            continue
        matrix = np.eye(4 ** len(support))
        for k in sorted(inside):
            earlier = done[k]
            assert isinstance(earlier, LocalMap)
            matrix = earlier.on(support) @ matrix
            done[k] = None
        put(LocalMap(support, one.on(support) @ matrix))
    return tuple(one for one in done if one is not None)


def applied_to(operations: Sequence[Operation], x: Real, *, adjoint: bool = False) -> Real:
    """Of a full vector, (4,) · n: forwards on a state, or backwards on an observable. Memory 4^n: the slow, plain twin.

    Args:
        operations: In order of time.
        x: One axis per qubit, in order.
        adjoint: Take an observable's coefficients backwards instead of a state's expectations forwards.
    """
    for one in reversed(operations) if adjoint else operations:
        if isinstance(one, Average):
            total, power = np.zeros_like(x), x
            for count in range(one.times.stop):
                total = total + power * (count in one.times)
                if count + 1 < one.times.stop:
                    power = sum(
                        (
                            w * applied_to(b, power, adjoint=adjoint)
                            for w, b in zip(one.weights, one.branches, strict=True)
                        ),
                        start=np.zeros_like(x),
                    )
            x = np.asarray(total / len(one.times))
            continue
        k, matrix = len(one.qubits), one.matrix.T if adjoint else one.matrix
        moved = np.tensordot(matrix.reshape((4,) * 2 * k), x, axes=(range(k, 2 * k), one.qubits))
        x = np.moveaxis(moved, range(k), one.qubits)
    return x


def all_letters(sites: int) -> Iterator[tuple[int, ...]]:
    """Pauli strings of so many qubits as numbers 0 … 3 (I, X, Y, Z), the first qubit slowest, the identity first."""
    return product(range(4), repeat=sites)
