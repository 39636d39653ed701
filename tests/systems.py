"""Reference systems with known answers, and dense oracles that share no code with the package."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibbs_circuits.generators.filters.base import Filter
from gibbs_circuits.models.model import Model, from_terms

Matrix = NDArray[np.complex128]
Real = NDArray[np.float64]
Terms = list[tuple[str, float]]
FilterFunction = Callable[[float], complex]

REFERENCE = Path(__file__).parent / "reference"
LEVEL_TOLERANCE = 1e-9

PAULIS: dict[str, Matrix] = {
    "I": np.eye(2, dtype=complex),
    "X": np.array([[0, 1], [1, 0]], dtype=complex),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]).astype(complex),
}


def reference(name: str) -> list[dict[str, Any]]:
    return json.loads((REFERENCE / f"{name}.json").read_text())["cases"]


def kron(*factors: Matrix) -> Matrix:
    return reduce(np.kron, factors)


def dense(terms: Sequence[tuple[str, float]]) -> Matrix:
    """Σ c P with the rightmost letter on qubit 0, the least significant."""
    return sum(c * kron(*(PAULIS[letter] for letter in label)) for label, c in terms)


def label(num_qubits: int, letters: dict[int, str]) -> str:
    return "".join(letters.get(q, "I") for q in reversed(range(num_qubits)))


def model_of(case: dict[str, Any]) -> Model:
    return from_terms([(text, c) for text, c in case["terms"]], case["name"])


def lowering(mode: int, modes: int) -> Matrix:
    """Annihilator c of a fermion mode by Jordan–Wigner; |1⟩ is occupied, mode 0 is qubit 0."""
    lower = np.array([[0, 1], [0, 0]], dtype=complex)
    return kron(*[PAULIS["I"]] * (modes - mode - 1), lower, *[PAULIS["Z"]] * mode)


def hopping_terms(sites: int) -> Terms:
    """Spinless fermions on an open chain, H = Σ c†_i c_{i+1} + h.c."""
    return [(label(sites, {i: p, i + 1: p}), 0.5) for i in range(sites - 1) for p in "XY"]


def majoranas(sites: int) -> list[Terms]:
    """c + c† and i(c† − c) of every site, with their Jordan–Wigner strings."""
    return [[(label(sites, {**dict.fromkeys(range(site), "Z"), site: p}), 1.0)] for site in range(sites) for p in "XY"]


def hopping_gap(sites: int, beta: float) -> float:
    x = beta * np.cos(np.pi / (sites + 1))
    return float(2 * np.exp(-(x**2)) * np.cosh(x))


def gaussian(beta: float) -> FilterFunction:
    return lambda nu: np.exp(-((beta * nu) ** 2) / 8 - beta * nu / 4)


def boltzmann(H: Matrix, beta: float) -> Matrix:
    E, V = np.linalg.eigh(H)
    p = np.exp(-beta * (E - E[0]))
    return (V * (p / p.sum())) @ V.conj().T


def bohr_components(H: Matrix, A: Matrix) -> list[tuple[float, Matrix]]:
    """(ν, A_ν) by explicit loops over projectors on the energy levels."""
    E, V = np.linalg.eigh(H)
    levels: list[tuple[float, Matrix]] = []
    for energy, column in zip(E, V.T, strict=True):
        projector = np.outer(column, column.conj())
        if levels and energy - levels[-1][0] < LEVEL_TOLERANCE:
            levels[-1] = (levels[-1][0], levels[-1][1] + projector)
        else:
            levels.append((float(energy), projector))
    found: list[tuple[float, Matrix]] = []
    for (e1, P), (e2, Q) in itertools.product(levels, levels):
        for index, (nu, part) in enumerate(found):
            if abs(nu - (e1 - e2)) < LEVEL_TOLERANCE:
                found[index] = (nu, part + P @ A @ Q)
                break
        else:
            found.append((e1 - e2, P @ A @ Q))
    return found


@dataclass(frozen=True, eq=False)
class Oracle:
    """A rank-one generator written out term by term in the computational basis."""

    hamiltonian: Matrix
    couplings: Sequence[Matrix]
    beta: float
    filter: FilterFunction
    sign: float = 1.0  # of B: −1 and 0 are the negative controls

    def jumps(self) -> list[Matrix]:
        return [
            sum(self.filter(nu) * part for nu, part in bohr_components(self.hamiltonian, A)) for A in self.couplings
        ]

    def pairs(self) -> Iterator[tuple[complex, Matrix, Matrix]]:
        for A in self.couplings:
            parts = bohr_components(self.hamiltonian, A)
            for (nu1, A1), (nu2, A2) in itertools.product(parts, parts):
                yield self.filter(nu1) * np.conj(self.filter(nu2)), A1, A2

    def decay(self) -> Matrix:
        return sum(alpha * A2.conj().T @ A1 for alpha, A1, A2 in self.pairs())

    def coherent(self) -> Matrix:
        parts = bohr_components(self.hamiltonian, self.decay())
        return self.sign * sum(0.5j * np.tanh(self.beta * nu / 4) * part for nu, part in parts)

    def matrix(self) -> Matrix:
        """On column-stacked matrices: vec(A X B) = (Bᵀ ⊗ A) vec(X)."""
        one = np.eye(len(self.hamiltonian))
        transition = sum(alpha * np.kron(A2.conj(), A1) for alpha, A1, A2 in self.pairs())
        drift = -1j * self.coherent() - self.decay() / 2
        return transition + np.kron(one, drift) + np.kron(drift.conj(), one)

    def residual(self) -> float:
        L, sigma = self.matrix(), boltzmann(self.hamiltonian, self.beta).T.ravel()
        return float(np.linalg.norm(L @ sigma) / np.linalg.norm(L, 2) / np.linalg.norm(sigma))


@dataclass(frozen=True)
class FormulaFilter(Filter):
    """A filter given by q in f̂(ν) = q(ν) e^{−βν/4}, for generators that no file can name."""

    beta: float
    q: Callable[[Real], NDArray[Any]]
    name: str = "formula"
    width: float = 1.0

    def frequency(self, nu: Real) -> Matrix:
        x = self.beta * np.asarray(nu, dtype=float)
        return (self.q(x) * np.exp(-x / 4)).astype(complex)

    def symmetric(self, nu: Real) -> Matrix:
        return np.asarray(self.q(self.beta * np.asarray(nu, dtype=float)), dtype=complex)

    def log_symmetric(self, nu: Real) -> Real:
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(np.abs(self.q(self.beta * np.asarray(nu, dtype=float)))))

    def time(self, t: Real) -> Matrix:
        raise NotImplementedError

    def support(self, nu: Real) -> NDArray[np.bool_]:
        return np.ones(np.shape(nu), dtype=bool) if np.any(self.q(np.zeros(1))) else np.zeros(np.shape(nu), dtype=bool)


def metropolis(beta: float) -> FormulaFilter:
    """Ding, Li & Lin's Metropolis filter without its bump."""
    return FormulaFilter(beta, lambda x: np.exp(-np.sqrt(1 + x**2) / 4), "metropolis")
