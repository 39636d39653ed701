"""Coupling operators from what users write: Pauli letters on every site, or explicit operators."""

from __future__ import annotations

from collections.abc import Sequence

from qiskit.quantum_info import SparsePauliOp

from ..errors import InvalidModelError, shown
from ..limits import MAX_COUPLINGS
from ..models import pauli_sum

Couplings = str | Sequence[str] | Sequence[SparsePauliOp] | Sequence[Sequence[Sequence[object]]]


def couplings_of(couplings: Couplings, num_qubits: int) -> tuple[SparsePauliOp, ...]:
    """Couplings letter by letter, each on site 0, 1, …; or the given operators in the given order.

    Args:
        couplings: A string of X, Y, Z ("XYZ": three per site), or one coupling per entry: a Pauli label as wide as the
            model, a SparsePauliOp, or a list of [label, coefficient] terms.
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
                'set couplings = "Y"',
            )
        return tuple(
            SparsePauliOp.from_sparse_list([(letter, [site], 1.0)], num_qubits=num_qubits)
            for letter in couplings
            for site in range(num_qubits)
        )
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
    return tuple(_operator(A, f"couplings[{index}]", num_qubits) for index, A in enumerate(couplings))


def _operator(A: object, argument: str, num_qubits: int) -> SparsePauliOp:
    if isinstance(A, SparsePauliOp):
        return A
    return pauli_sum([[A, 1.0]] if isinstance(A, str) else A, argument, num_qubits)
