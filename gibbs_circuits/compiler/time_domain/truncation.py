"""Jumps truncated to a radius: which terms of H a coupling sees, and what the others would have changed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import scipy.linalg
from qiskit.quantum_info import SparsePauliOp

from ...errors import TooLargeError
from ...evidence import Status
from ...limits import MAX_RADIUS_QUBITS
from ...linalg.arrays import Array, Real, read_only
from ...linalg.paulis import Term, sites_of
from ...models.graph import ball
from ...models.model import Model
from ...programs.product_formulas import Group, spectators
from ...programs.program import ErrorTerm, Rung
from .quadrature import Nodes, uniform_nodes
from .symbolic_jumps import SymbolicJump


def beyond(groups: tuple[Group, ...], coupling: Sequence[Term], radius: int | None) -> tuple[str, ...]:
    """Labels of H's terms that do not lie inside the ball of that radius around a coupling, for `Evolve.without`.

    A jump that runs forward and back may evolve its neighbourhood only, if it begins and ends at kernel time 0: begun
    at its first node it would be in the frame of the neighbourhood, not of H. A forward-only pass must leave no terms
    out: its evolution stays, and would thermalise towards another Hamiltonian.
    """
    terms = [term for group in groups for term in group.terms]
    sites = ball(terms, coupling, radius)
    return () if sites is None else tuple(label for label, _ in terms if not sites_of(label) <= sites)


def left_out(groups: tuple[Group, ...], coupling: Sequence[Term], radius: int | None) -> tuple[str, ...]:
    """Spectators of a coupling and what lies beyond its radius."""
    found = (*spectators(groups, list(coupling)), *beyond(groups, coupling, radius))
    return tuple(dict.fromkeys(found))


def truncation_error(model: Model, jump: SymbolicJump, nodes: Nodes, radius: int) -> float:
    r"""$\|L_r - L\|_F/\|L\|_F$ of one jump on its grid, $L = \sum_l w_l A(t_l)$.

    Raises:
        TooLargeError: Above 8 qubits.

    References:
        Lieb & Robinson, Commun. Math. Phys. 28, 251: it falls faster than exponentially with the radius.
    """
    n = model.num_qubits
    if n > MAX_RADIUS_QUBITS:
        raise TooLargeError(
            f"The error of a truncated jump needs the exact eigensystem of {n} qubits; the limit is "
            f"{MAX_RADIUS_QUBITS}. Fix: measure it on a smaller model with the same terms."
        )
    sites = ball(model.terms, jump.terms, radius)
    inside = tuple(term for term in model.terms if sites is None or sites_of(term[0]) <= sites)
    if inside == model.terms:
        return 0.0
    A, times = dense(jump.terms, n), nodes.times
    whole, part = (_in_time(_eigen(terms, n), A, times, nodes.weights) for terms in (model.terms, inside))
    return float(np.linalg.norm(part - whole) / np.linalg.norm(whole))


def dense(terms: Sequence[Term], width: int) -> Array:
    """A Pauli sum as a matrix; no terms are zero."""
    return np.asarray(SparsePauliOp.from_list(list(terms), num_qubits=width).to_matrix(), dtype=complex)


@lru_cache(maxsize=16)
def _eigen(terms: tuple[Term, ...], width: int) -> tuple[Real, Array]:
    energies, V = scipy.linalg.eigh(dense(terms, width))
    return read_only(np.asarray(energies, dtype=float)), read_only(np.asarray(V, dtype=complex))


def _in_time(eigen: tuple[Real, Array], A: Array, times: Real, weights: Array) -> Array:
    energies, V = eigen
    phases = np.exp(1j * np.outer(energies, times))
    kernel = (phases * weights) @ phases.conj().T  # Σ_l w_l e^{i(E_i − E_j) t_l}
    return np.asarray(V @ (kernel * (V.conj().T @ A @ V)) @ V.conj().T)


def declared_truncation(
    model: Model, jumps: Sequence[SymbolicJump], count: int, spacing: float, radius: int | None
) -> tuple[ErrorTerm, ...]:
    """The ledger line of a radius: the worst jump up to 8 qubits, not checked above; none without a radius."""
    if radius is None:
        return ()
    known = model.num_qubits <= MAX_RADIUS_QUBITS
    errors = (
        truncation_error(model, jump, uniform_nodes(jump.filter, count, spacing), radius)
        for jump in (jumps if known else ())
    )
    return (
        ErrorTerm(
            Rung.TRUNCATION,
            max(errors) if known else None,
            f"max ‖L_r − L‖/‖L‖ at radius {radius}",
            Status.MEASURED if known else Status.NOT_CHECKED,
            "truncated jumps against whole ones",
        ),
    )
