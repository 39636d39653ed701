r"""Spin chains as free fermions: Pauli strings as products of Majorana operators, in the order of the qubits.

The string of the transformation may be of X, Y or Z: with letters S, A, B such that AB = −iS,
$w_{2j} = S_0\cdots S_{j-1}A_j$ and $w_{2j+1} = S_0\cdots S_{j-1}B_j$, so that $S_j = iw_{2j}w_{2j+1}$.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy.linalg

from ...linalg.arrays import Real
from ...linalg.paulis import PAIRS, majoranas
from ...models.model import Model
from .model import QuadraticModel


class NotQuadraticError(ValueError):
    """A Hamiltonian that is no quadratic form of fermions in the order of its qubits."""


@lru_cache(maxsize=4)
def quadratic_model(model: Model) -> tuple[QuadraticModel, str]:
    """The free fermions that a spin chain is, and the letter of the string that makes it so.

    Raises:
        NotQuadraticError: With a term that is none, for the letter of most terms.
    """
    refused: dict[str, str] = {}
    for letter in PAIRS:
        h, offset = np.zeros((2 * model.num_qubits, 2 * model.num_qubits)), 0.0
        for label, c in model.terms:
            phase, places = majoranas(label, letter)
            if not places:
                offset += c * phase.real
            elif len(places) == 2:
                h[places] += 2 * c * (phase / 1j).real
                h[places[::-1]] -= 2 * c * (phase / 1j).real
            else:
                refused[letter] = label
                break
        else:
            return QuadraticModel(h, model.name, offset), letter
    term = next(iter(refused.values()))
    sites = [f"{one}{j}" for j, one in enumerate(reversed(term)) if one != "I"]
    raise NotQuadraticError(f"{' '.join(sites[:4])} is not quadratic in fermions, in the order of the qubits")


def expectation(label: str, letter: str, covariance: Real) -> float:
    r"""Of a Pauli string in the Gaussian state of that covariance, by Wick: $c\,(-i)^{m/2}\,\mathrm{Pf}\,\Gamma_a$."""
    phase, places = majoranas(label, letter)
    if len(places) % 2:
        return 0.0
    value = phase * (-1j) ** (len(places) // 2) * pfaffian(covariance[np.ix_(places, places)])
    return float(value.real)


def pfaffian(matrix: Real) -> float:
    """Of a real antisymmetric matrix of even size, from its real Schur form; 1 of none."""
    if not len(matrix):
        return 1.0
    T, Q = scipy.linalg.schur(matrix, output="real")
    return float(np.linalg.det(Q) * np.prod(np.diag(T, 1)[::2]))
