r"""A generator without its d² × d² matrix: $X \mapsto \sum_b J_bXJ_b^\dagger + GX + XG^\dagger$ in the energy basis.

One application costs two products of d × d matrices per jump and two for G, real where H and the couplings allow. With
symmetries every matrix falls into blocks, see `symmetry`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..generators import Lindbladian
from ..generators.matrices import Matrix, amplitudes, coherent_term, decay_operators, energy_spectrum
from ..spectrum import Real

BATCHED_DIM = 64  # one product with all jumps stacked up to here; one per jump above
Pair = tuple[Matrix, Matrix]  # X ↦ L X R†


@dataclass(frozen=True, eq=False)
class Action:
    """X ↦ Σ J X J† + G X + X G† − i[diag(E), X] on dense matrices.

    Attributes:
        jumps: The J, each (d, d).
        drift: G.
        energies: Adds −i ν_ij X_ij elementwise; None leaves it out.
    """

    jumps: tuple[Matrix, ...]
    drift: Matrix
    energies: Real | None = None

    @property
    def dim(self) -> int:
        """D."""
        return int(self.drift.shape[0])

    @property
    def real(self) -> bool:
        """Whether real matrices stay real."""
        return self.energies is None and not any(np.iscomplexobj(M) for M in (*self.jumps, self.drift))

    def __call__(self, X: Matrix) -> Matrix:
        """The action on a matrix."""
        return self._apply(X, [J.conj().T for J in self.jumps], self.jumps, self.drift, 1.0)

    def adjoint(self, X: Matrix) -> Matrix:
        """The Heisenberg picture, Σ J†XJ + G†X + XG."""
        return self._apply(X, self.jumps, [J.conj().T for J in self.jumps], self.drift.conj().T, -1.0)

    def _apply(self, X: Matrix, right: Sequence[Matrix], left: Sequence[Matrix], G: Matrix, sign: float) -> Matrix:
        parts = [X]
        all_real = not any(np.iscomplexobj(M) for M in (*self.jumps, self.drift))
        if np.iscomplexobj(X) and all_real:
            parts = [np.ascontiguousarray(X.real), np.ascontiguousarray(X.imag)]
        results = []
        for part in parts:
            dtype = np.result_type(part, G, *left[:1])
            total, first, second = (np.empty(part.shape, dtype) for _ in range(3))
            np.matmul(G, part, out=total)
            total += np.matmul(part, G.conj().T, out=second)
            for J, J_right in zip(left, right, strict=True):
                np.matmul(J, part, out=first)
                total += np.matmul(first, J_right, out=second)
            results.append(total)
        out = results[0] if len(results) == 1 else results[0] + 1j * results[1]
        if self.energies is not None:
            out = out - sign * 1j * (self.energies[:, None] - self.energies[None, :]) * X
        return np.asarray(out)

    @property
    def diagonal(self) -> Matrix:
        """Diagonal elements, a (d, d) matrix."""
        g = np.diag(self.drift)
        total = g[:, None] + g[None, :].conj()
        for J in self.jumps:
            j = np.diag(J)
            total = total + j[:, None] * j[None, :].conj()
        return np.asarray(total)


def generator_action(lindbladian: Lindbladian, *, hamiltonian: bool = False) -> Action:
    r"""$\mathcal L$ on matrices in the energy basis; with `hamiltonian` also −i[H, ·].

    Raises:
        ArgumentError: If a kernel has no factors (Davies, Redfield).
    """
    s = energy_spectrum(lindbladian)
    G: Matrix = _minus_i(coherent_term(lindbladian)) - 0.5 * sum(R for _, R in decay_operators(lindbladian))
    energies = None
    if hamiltonian and lindbladian.frame is None:
        energies = s.energies
    elif hamiltonian:
        G = G - 1j * s.to_energy(lindbladian.model.hamiltonian.to_matrix())
    return Action(tuple(amplitudes(lindbladian)), np.asarray(G), energies)


def _minus_i(B: Matrix) -> Matrix:
    """−iB, real if it is."""
    value = -1j * B
    return value if np.any(value.imag) else np.ascontiguousarray(value.real)


def damped(R: Matrix, beta: float, nu: Real) -> Matrix:
    """R_ij / cosh(βν_ij/4) without overflow."""
    x = np.minimum(np.abs(beta * nu / 4), 700.0)
    return np.asarray(R / np.cosh(x))


def sandwich(pairs: Sequence[Pair], d: int) -> Callable[[Matrix], Matrix]:
    """X ↦ Σ L X R†; all in two products where d is at most 64."""
    if not pairs:
        return lambda X: np.zeros_like(X)
    if d > BATCHED_DIM:
        right = [np.ascontiguousarray(R.conj().T) for _, R in pairs]

        def one_by_one(X: Matrix) -> Matrix:
            total = pairs[0][0] @ X @ right[0]
            for (L, _), R in zip(pairs[1:], right[1:], strict=True):
                total += L @ X @ R
            return np.asarray(total)

        return one_by_one
    count = len(pairs)
    lefts = np.concatenate([L for L, _ in pairs])
    rights = np.concatenate([R.conj().T for _, R in pairs])

    def batched(X: Matrix) -> Matrix:
        halves = (lefts @ X).reshape(count, d, d).transpose(1, 0, 2).reshape(d, count * d)
        return np.asarray(halves @ rights)

    return batched
