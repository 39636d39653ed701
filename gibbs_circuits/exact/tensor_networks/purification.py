r"""e^{−βH/2} on half of n maximally entangled pairs, as a matrix product: the thermal state of chains and strips.

$ρ = \mathrm{Tr}_{anc}|ψ\rangle\langleψ|/Z$ with $|ψ\rangle = e^{-βH/2}\,2^{n/2}|Φ^+\rangle^{\otimes n}$ is a state,
whatever is cut off.
Verstraete, García-Ripoll & Cirac, Phys. Rev. Lett. 93, 207204 (2004); Feiguin & White, Phys. Rev. B 72, 220401 (2005).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from ...models.model import Model
from .line import MATRICES, LineState, Tensor, order_on_line

OVERHEAD = 6e-5  # seconds of one factorisation of smallest tensors, measured on one shared core
PER_FLOP = 7e-11  # seconds, with singular value decompositions on one shared core
OUTER = 1 / (4 - 4 ** (1 / 3))  # of a step: four of the five that make it of fourth order; the middle one goes back
QR, SVD = 6.0, 30.0  # operations per long · short² of a matrix, with the products around them
MOST_EXPONENTIATED = 4  # sites whose terms are exponentiated together; longer strings are taken one by one


class NotSettledError(Exception):
    """What was asked for takes more work than is allowed."""


@dataclass(frozen=True, eq=False)
class Gate:
    """e^{−τh} of some terms, as one tensor (left, out, in, right) per place from `first` on."""

    first: int
    tensors: tuple[Tensor, ...]

    @property
    def last(self) -> int:
        """Its last place."""
        return self.first + len(self.tensors) - 1


@dataclass(frozen=True, eq=False)
class Cooled:
    """A purification at one β.

    Attributes:
        state: Normalised.
        log_z: ln Tr e^{−βH}, to what was cut off and the error of the steps.
    """

    state: LineState
    log_z: float


class Cooling:
    """Imaginary time, step by step: every gate forwards along the line and backwards, five times: of fourth order.

    M. Suzuki, Phys. Lett. A 146, 319 (1990). Few large steps, because each drops a part of what it has just made.

    What is dropped at a bond is dropped at every passage, and never grows: `dropped` adds that up. Two cuts that keep
    the same are not two opinions.

    Args:
        model: With Pauli strings of any length.
        step: Of τ; β grows by twice as much.
        cut: Schmidt values below this share of the state are dropped after every gate.
        allowed: Seconds of work, as counted from the sizes of the tensors, beyond which it raises.
    """

    def __init__(self, model: Model, step: float, cut: float, allowed: float) -> None:
        self.order, self.step, self.cut, self.allowed = order_on_line(model), step, cut, allowed
        self.offset, outer = _gates(model, self.order, OUTER * step / 2)
        _, inner = _gates(model, self.order, (1 - 4 * OUTER) * step / 2)
        self.sweeps = (outer, outer, inner, outer, outer)
        self.tau, self.work, self.log_norm, self.centre = 0.0, 0.0, 0.0, 0
        self.lost = np.zeros(len(self.order))
        self.tensors: list[Tensor] = [np.eye(2).reshape(1, 2, 2, 1) / math.sqrt(2) for _ in self.order]

    def cool(self) -> None:
        """One step.

        Raises:
            NotSettledError: When the allowed work is done.
        """
        self.tau += self.step
        for gates in self.sweeps:
            for gate in gates:
                self._apply(gate, forwards=True)
            for gate in reversed(gates):
                self._apply(gate, forwards=False)
        self._move(0)
        norm = float(np.linalg.norm(self.tensors[0]))
        self.tensors[0], self.log_norm = self.tensors[0] / norm, self.log_norm + 2 * math.log(norm)

    @property
    def cooled(self) -> Cooled:
        """The state now."""
        n = len(self.order)
        log_z = n * math.log(2) + self.log_norm - 2 * self.tau * self.offset
        return Cooled(LineState(self.order, tuple(self.tensors)), log_z)

    @property
    def dropped(self) -> float:
        """The norms of all that was dropped at one bond together, at the worst bond."""
        return float(self.lost.max())

    def _apply(self, gate: Gate, *, forwards: bool) -> None:
        self._move(min(max(self.centre, gate.first), gate.last))
        for k, one in enumerate(gate.tensors, gate.first):
            A = self.tensors[k]
            wide = np.tensordot(one, A, (2, 1)).transpose(0, 3, 1, 4, 2, 5)  # g l out q h r
            self.tensors[k] = wide.reshape(A.shape[0] * one.shape[0], 2, 2, A.shape[3] * one.shape[3])
        self.centre = gate.last if forwards else gate.first  # everything outside is orthonormal as it was
        if gate.first == gate.last:
            return
        self._move(gate.first if forwards else gate.last)
        self._move(gate.last if forwards else gate.first, cutting=True)

    def _move(self, goal: int, *, cutting: bool = False) -> None:
        """Take the centre of orthonormality along; small Schmidt values are dropped where it is `cutting`."""
        factorise = self._cut if cutting else self._orthonormal
        while self.centre != goal:
            k, step = self.centre, 1 if goal > self.centre else -1
            A = self.tensors[k]
            if step > 0:
                Q, R = factorise(A.reshape(-1, A.shape[3]))
                self.tensors[k] = Q.reshape(*A.shape[:3], -1)
                self.tensors[k + 1] = np.tensordot(R, self.tensors[k + 1], 1)
            else:
                Q, R = factorise(A.reshape(A.shape[0], -1).T)
                self.tensors[k] = Q.T.reshape(-1, *A.shape[1:])
                self.tensors[k - 1] = np.tensordot(self.tensors[k - 1], R.T, 1)
            self.centre += step
        if self.work > self.allowed:
            bond = max(one.shape[3] for one in self.tensors)
            raise NotSettledError(
                f"bond dimension {bond} at β = {2 * self.tau:.3g} with Schmidt values cut at {self.cut:.0e}"
            )

    def _orthonormal(self, matrix: Tensor) -> tuple[Tensor, Tensor]:
        self._count(matrix, QR)
        Q, R = np.linalg.qr(matrix)
        return Q, R

    def _cut(self, matrix: Tensor) -> tuple[Tensor, Tensor]:
        self._count(matrix, SVD)
        U, s, V = np.linalg.svd(matrix, full_matrices=False)
        norm = float(np.linalg.norm(s))
        kept = max(1, int(np.sum(s > self.cut * norm)))
        left = float(np.linalg.norm(s[:kept]))
        self.lost[self.centre] += float(np.linalg.norm(s[kept:])) / norm
        self.log_norm += 2 * math.log(norm)  # what is dropped is missing from the state, not from its trace
        return U[:, :kept], (s[:kept, None] / left) * V[:kept]

    def _count(self, matrix: Tensor, operations: float) -> None:
        short, long = sorted(matrix.shape)
        self.work += OVERHEAD + PER_FLOP * operations * long * short**2


def _gates(model: Model, order: Sequence[int], tau: float) -> tuple[float, tuple[Gate, ...]]:
    """The offset of H, and e^{−τh} of all terms with the same sites, along the line."""
    n, place, offset = model.num_qubits, {site: k for k, site in enumerate(order)}, 0.0
    groups: dict[tuple[int, ...], list[tuple[str, float]]] = {}
    for label, c in model.terms:
        letters = sorted((place[n - 1 - k], letter) for k, letter in enumerate(label) if letter != "I")
        if not letters:
            offset += c
            continue
        groups.setdefault(tuple(k for k, _ in letters), []).append(("".join(one for _, one in letters), c))
    gates = []
    for places, terms in groups.items():
        parts = [terms] if len(places) <= MOST_EXPONENTIATED else [[one] for one in terms]
        gates += [_gate(places, _exponential(part, tau, len(places))) for part in parts]
    return offset, tuple(sorted(gates, key=lambda gate: (gate.first, gate.last)))


def _exponential(terms: Sequence[tuple[str, float]], tau: float, k: int) -> list[Tensor]:
    """e^{−τh} of terms on k sites as a matrix product operator."""
    if k > MOST_EXPONENTIATED:
        ((letters, c),) = terms
        ones = [np.stack([np.eye(2), MATRICES[letter]]) for letter in letters]
        ends = np.array([math.cosh(tau * c), -math.sinh(tau * c)])
        middle = [np.einsum("goi,gh->goih", one, np.eye(2)) for one in ones]
        return [np.einsum("g,goih->oih", ends, middle[0])[None], *middle[1:-1], middle[-1].sum(3, keepdims=True)]
    h = np.sum([c * _kron(letters) for letters, c in terms], axis=0)
    rest = np.asarray(scipy.linalg.expm(-tau * h))
    rest = rest.reshape((2,) * 2 * k).transpose([axis for j in range(k) for axis in (j, j + k)]).reshape(1, -1)
    found = []
    for _ in range(k - 1):
        U, s, V = np.linalg.svd(rest.reshape(rest.shape[0] * 4, -1), full_matrices=False)
        kept = int(np.sum(s > 1e-15 * s[0]))
        root = np.sqrt(s[:kept])
        found.append((U[:, :kept] * root).reshape(-1, 2, 2, kept))
        rest = root[:, None] * V[:kept]
    return [*found, rest.reshape(-1, 2, 2, 1)]


def _kron(letters: str) -> Tensor:
    found: Tensor = np.eye(1)
    for letter in letters:
        found = np.kron(found, MATRICES[letter])
    return found


def _gate(places: Sequence[int], tensors: Sequence[Tensor]) -> Gate:
    """With nothing but the bond on the places in between."""
    filled = list[Tensor]()
    for k, tensor, following in zip(places, tensors, [*places[1:], places[-1] + 1], strict=True):
        bond = np.eye(tensor.shape[3])
        filled += [tensor, *[np.einsum("gh,oi->goih", bond, np.eye(2))] * (following - k - 1)]
    return Gate(places[0], tuple(filled))
