"""Sites on a line, and what is read off a purification that is a matrix product along it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...linalg.arrays import Real
from ...linalg.paulis import PAULIS
from ...models.graph import interacting_pairs
from ...models.model import Model
from ...models.regions import Sparse

Placed: TypeAlias = tuple[tuple[int, str], ...]  # (place, letter) in rising order
Tensor: TypeAlias = NDArray[Any]  # (left, physical 2, ancilla 2, right); real where H is
MATRICES: dict[str, Tensor] = {letter: P if letter == "Y" else P.real.copy() for letter, P in PAULIS.items()}


def order_on_line(model: Model) -> tuple[int, ...]:
    """The sites in an order that keeps what interacts close: the given one, or reverse Cuthill–McKee where shorter."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    n, pairs = model.num_qubits, interacting_pairs(model.hamiltonian)
    given = tuple(range(n))
    if not pairs:
        return given
    rows, columns = np.array([*pairs, *((b, a) for a, b in pairs)]).T
    found = reverse_cuthill_mckee(csr_array((np.ones(len(rows)), (rows, columns)), shape=(n, n)), symmetric_mode=True)
    return min((given, tuple(map(int, found))), key=lambda order: _lengths(order, pairs))


def _lengths(order: Sequence[int], pairs: Sequence[tuple[int, int]]) -> tuple[int, int]:
    place = {site: k for k, site in enumerate(order)}
    lengths = [abs(place[a] - place[b]) for a, b in pairs]
    return max(lengths), sum(lengths)


def width_on_line(order: Sequence[int], pairs: Sequence[tuple[int, int]]) -> int:
    """Most interacting pairs across one bond of the line."""
    place = {site: k for k, site in enumerate(order)}
    ends = [sorted((place[a], place[b])) for a, b in pairs]
    return max((sum(a <= k < b for a, b in ends) for k in range(len(order) - 1)), default=0)


@dataclass(frozen=True, eq=False)
class LineState:
    r"""A purification $|ψ\rangle$ of n qubits as a matrix product; ρ is what is left when the ancillas are traced out.

    Attributes:
        order: The site at every place of the line.
        tensors: One per place, (left, physical, ancilla, right), orthonormal to the right: Σ A A† = 1 over all indices
            but the left one, so that what stands right of a string need not be contracted.
    """

    order: tuple[int, ...]
    tensors: tuple[Tensor, ...]

    @cached_property
    def bond(self) -> int:
        """The largest bond dimension."""
        return max(int(tensor.shape[3]) for tensor in self.tensors)

    @cached_property
    def _place(self) -> dict[int, int]:
        return {site: k for k, site in enumerate(self.order)}

    @cached_property
    def _left(self) -> list[Tensor]:
        """What stands left of every place, of trace 1."""
        found: list[Tensor] = [np.ones((1, 1))]
        for tensor in self.tensors[:-1]:
            found.append(_moved(found[-1], tensor, "I"))
        return found

    def paulis(self, strings: Sequence[Sparse]) -> Real:
        """⟨P⟩ of every string; time O(χ³) per string and place, shared by strings that begin alike on the line."""
        placed = [tuple(sorted((self._place[q], letter) for q, letter in string)) for string in strings]
        values, known, first = np.ones(len(strings)), dict[Placed, list[Tensor]](), -1
        for index in sorted(range(len(strings)), key=placed.__getitem__):
            string = placed[index]
            if string:
                if string[0][0] != first:
                    first, known = string[0][0], {}
                values[index] = float(np.real(np.trace(self._after(string, string[-1][0], known))))
        return values

    def _after(self, string: Placed, at: int, known: dict[Placed, list[Tensor]]) -> Tensor:
        """What stands left of place `at` + 1 with the letters of the string, kept by its beginning."""
        place, letter = string[-1]
        kept = known.setdefault(string, [])
        if not kept:
            before = self._after(string[:-1], place - 1, known) if len(string) > 1 else self._left[place]
            kept.append(_moved(before, self.tensors[place], letter))
        while len(kept) <= at - place:
            kept.append(_moved(kept[-1], self.tensors[place + len(kept)], "I"))
        return kept[at - place]


def _moved(before: Tensor, tensor: Tensor, letter: str) -> Tensor:
    """What stands left of the next place: (bra, ket) → (bra, ket)."""
    half = np.tensordot(before, tensor, (1, 0))  # bra p q ket
    if letter != "I":
        half = np.tensordot(MATRICES[letter], half, (1, 1)).swapaxes(0, 1)
    return np.asarray(np.tensordot(tensor.conj(), half, ((0, 1, 2), (0, 1, 2))))


def variance(model: Model, state: LineState, energy: float) -> float:
    """⟨(H − energy)²⟩, H as a matrix product operator with a channel for every term that is open at a bond."""
    operators = _hamiltonian(model, state.order, -energy / model.num_qubits)
    before: Tensor = np.zeros((1, *(2 * (operators[0].shape[0],)), 1))
    before[0, 0, 0, 0] = 1.0
    for W, A in zip(operators, state.tensors, strict=True):
        ket = np.tensordot(before, A, (3, 0))  # bra c d p q ket
        ket = np.tensordot(ket, W, ((2, 3), (0, 2)))  # bra c q ket out d
        ket = np.tensordot(ket, W, ((1, 4), (0, 2)))  # bra q ket d out c
        before = np.tensordot(A.conj(), ket, ((0, 1, 2), (0, 4, 1))).transpose(0, 3, 2, 1)
    return float(np.real(before[0, 1, 1, 0]))


def _hamiltonian(model: Model, order: Sequence[int], per_site: float) -> list[Tensor]:
    """H + n · per_site, one tensor (before, out, in, after) per place; channel 0: nothing yet, 1: done."""
    n, place = model.num_qubits, {site: k for k, site in enumerate(order)}
    terms: list[tuple[dict[int, str], float]] = []
    for label, c in model.terms:
        letters = {place[n - 1 - k]: letter for k, letter in enumerate(label) if letter != "I"}
        terms.append((letters or {0: "I"}, c))
    terms += [({k: "I"}, per_site) for k in range(n)]
    channels = [[t for t, (letters, _) in enumerate(terms) if min(letters) < k <= max(letters)] for k in range(n + 1)]
    odd = any("Y" in letters.values() for letters, _ in terms)
    found = []
    for k in range(n):
        before, after = ({t: c for c, t in enumerate(channels[j], 2)} for j in (k, k + 1))
        W = np.zeros((2 + len(before), 2, 2, 2 + len(after)), dtype=complex if odd else float)
        W[0, :, :, 0] = W[1, :, :, 1] = np.eye(2)
        for t, (letters, c) in enumerate(terms):
            if min(letters) <= k <= max(letters):
                one = MATRICES[letters.get(k, "I")] * (c if k == min(letters) else 1.0)
                W[before.get(t, 0), :, :, after.get(t, 1)] += one
        found.append(W)
    return found
