"""Coupling operators from what users write: Pauli letters on every site, or explicit operators."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from qiskit.quantum_info import SparsePauliOp

from ..errors import InvalidModelError, shown
from ..limits import MAX_COUPLINGS
from ..models.model import as_operator, is_matrix, pauli_sum
from ..models.scale import acting, merged

Couplings: TypeAlias = Annotated[
    str
    | SparsePauliOp
    | NDArray[Any]
    | Sequence[str]
    | Sequence[SparsePauliOp]
    | Sequence[Sequence[Sequence[object]]]
    | Sequence[NDArray[Any]],
    'letters put on every site ("Y", "XZ"), or a list of labels or terms.',
]
EQUAL = 1e-10  # of an operator's size, as Hermiticity is judged


def couplings_of(couplings: Couplings, num_qubits: int) -> tuple[SparsePauliOp, ...]:
    """Couplings letter by letter, each on site 0, 1, …; or the given operators in the given order.

    Args:
        couplings: A string of X, Y, Z ("XYZ": three per site), or one coupling per entry: a Pauli label as wide as the
            model, a SparsePauliOp, a matrix, or a list of [label, coefficient] terms. A pair A, A† stands for the two
            Hermitian couplings that make the same generator; equal ones are one that is stronger.
        num_qubits: Width of the model.

    Raises:
        InvalidModelError: If a letter is unknown or repeated, or a term is malformed.
    """
    if isinstance(couplings, str):
        if not couplings or set(couplings) - set("XYZ") or len(set(couplings)) != len(couplings):
            raise InvalidModelError(
                "couplings",
                "be a string of different letters X, Y, Z, or one list of terms per coupling",
                f"{shown(couplings)} was found",
                f"set couplings = {_meant(couplings, num_qubits)}",
            )
        return tuple(
            SparsePauliOp.from_sparse_list([(letter, [site], 1.0)], num_qubits=num_qubits)
            for letter in couplings
            for site in range(num_qubits)
        )
    if isinstance(couplings, SparsePauliOp) or (isinstance(couplings, np.ndarray) and couplings.ndim == 2):
        couplings = [couplings]
    if isinstance(couplings, np.ndarray):
        couplings = list(couplings)
    if not isinstance(couplings, list | tuple) or not couplings:
        raise InvalidModelError(
            "couplings",
            "be a string of letters X, Y, Z, or one list of terms per coupling",
            f"{shown(couplings)} was found",
            'set couplings = "Y"',
        )
    if len(couplings) > MAX_COUPLINGS:
        raise InvalidModelError(
            "couplings",
            f"be at most {MAX_COUPLINGS:,} operators",
            f"{len(couplings):,} were found",
            'set couplings = "Y"',
        )
    return _merged(_paired([_operator(A, f"couplings[{index}]", num_qubits) for index, A in enumerate(couplings)]))


def _meant(letters: str, num_qubits: int) -> str:
    """What a string that is none of different letters was meant to be."""
    if len(letters) == num_qubits and letters and set(letters) <= set("IXYZ"):
        return f'["{letters}"]'  # one label
    kept = "".join(dict.fromkeys(c for c in letters.upper() if c in "XYZ"))
    return f'"{kept or "Y"}"'


def _operator(A: object, argument: str, num_qubits: int) -> SparsePauliOp:
    if isinstance(A, str):
        return pauli_sum([[A, 1.0]], argument, num_qubits)
    if isinstance(A, list | tuple) and not is_matrix(A):
        return pauli_sum(A, argument, num_qubits)
    return as_operator(A, argument)


def _paired(operators: list[SparsePauliOp]) -> list[SparsePauliOp]:
    r"""Pairs A, A† as Hermitian couplings: $(A + A^\dagger)/\sqrt2$ and $i(A - A^\dagger)/\sqrt2$.

    A generator is the same for couplings that a unitary mixes, so that these two are that pair. An operator without a
    partner stays, to be refused.
    """
    made = list(operators)
    rest = [k for k, A in enumerate(operators) if _is_finite(A) and not _equal(A, A.adjoint())]
    while rest:
        k = rest.pop(0)
        A, dagger = operators[k], operators[k].adjoint()
        partner = next((j for j in rest if _equal(operators[j], dagger)), None)
        if partner is not None:
            rest.remove(partner)
            made[k] = merged(A + dagger) / math.sqrt(2)
            made[partner] = merged(1j * (A - dagger)) / math.sqrt(2)
    return made


def _merged(operators: list[SparsePauliOp]) -> tuple[SparsePauliOp, ...]:
    """K equal couplings as one, √k as strong: the same generator, with one jump in place of k."""
    if not all(_is_finite(A) and _equal(A, A.adjoint()) and np.any(acting(A)) for A in operators):
        return tuple(operators)  # to be refused, by their numbers
    counts: dict[str, int] = {}
    keys = [str(A.to_list()) for A in operators]
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    first = {key: A for key, A in zip(reversed(keys), reversed(operators), strict=True)}
    return tuple(first[key] if n == 1 else first[key] * math.sqrt(n) for key, n in counts.items())


def _is_finite(A: SparsePauliOp) -> bool:
    return A.coeffs.dtype != object and bool(np.all(np.isfinite(A.coeffs)))


def _equal(A: SparsePauliOp, B: SparsePauliOp) -> bool:
    if A.num_qubits != B.num_qubits:
        return False
    difference, size = merged(A - B), float(np.max(np.abs(A.coeffs), initial=0.0))
    return bool(np.all(np.abs(difference.coeffs) <= EQUAL * size))
