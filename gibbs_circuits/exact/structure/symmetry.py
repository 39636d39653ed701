"""Symmetries of a generator, found on its Pauli terms: charges, parities, momentum, reflection.

A weak symmetry maps H to itself and the couplings of each bath among themselves. A strong one commutes with H and with
every coupling: a conserved quantity, which keeps a start from reaching the Gibbs state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from qiskit.quantum_info import SparsePauliOp

from ...generators.contact import Contact
from ...generators.lindbladian import Lindbladian
from ...linalg.arrays import Array
from ...linalg.paulis import pauli_strings
from ...models.scale import SAME, merged, size

TOLERANCE = 1e-9  # of vectors of length about 1
MAX_LABELS = 64


@dataclass(frozen=True, eq=False)
class Symmetry:
    """One symmetry.

    Attributes:
        name: What reports call it.
        kind: charge (labels add up), parity, momentum or reflection (labels add up modulo `modulus`).
        modulus: 0 for a charge.
        operator: The charge or the Pauli string; None for a permutation.
        sites: Where each site goes, for a permutation.
    """

    name: str
    kind: str
    modulus: int
    operator: SparsePauliOp | None = None
    sites: tuple[int, ...] = field(default=())

    def on(self, A: SparsePauliOp) -> SparsePauliOp:
        """[N, A] for a charge, UAU† otherwise."""
        if self.operator is None:
            return permuted(A, self.sites)
        if self.kind == "charge":
            return merged(self.operator @ A - A @ self.operator)
        return merged(self.operator @ A @ self.operator)


def permuted(A: SparsePauliOp, sites: tuple[int, ...]) -> SparsePauliOp:
    """Site q of A goes to `sites[q]`."""
    x, z = np.empty_like(A.paulis.x), np.empty_like(A.paulis.z)
    x[:, list(sites)], z[:, list(sites)] = A.paulis.x, A.paulis.z
    labels = ["".join("IXZY"[int(a) + 2 * int(b)] for a, b in zip(row_x[::-1], row_z[::-1], strict=True))
              for row_x, row_z in zip(x, z, strict=True)]  # fmt: skip
    return SparsePauliOp(labels, A.coeffs)


def coefficients(A: SparsePauliOp, floor: float = 0.0) -> dict[str, complex]:
    """Coefficients by label, merged; those of at most `floor`, in the unit of A, are left out."""
    return {label: complex(c) for label, c in merged(A).to_list() if abs(c) > floor}


def same(A: SparsePauliOp, B: SparsePauliOp) -> bool:
    """Equality up to rounding, 1e-12 of the largest coefficient, the identity left out."""
    return not coefficients(A - B, SAME * max(size(merged(A)), size(merged(B))))


def commute(charge: SparsePauliOp, A: SparsePauliOp) -> bool:
    """Whether [N, A] vanishes but for rounding, 1e-12 of N and A."""
    return not coefficients(charge @ A - A @ charge, SAME * size(charge) * size(A))


def charges(H: SparsePauliOp) -> list[Symmetry]:
    """Sums Σ c_i Z_i with whole c_i that commute with H; first Σ Z_i itself, where it does."""
    n = H.num_qubits
    columns = []
    for q in range(n):
        Z = SparsePauliOp.from_sparse_list([("Z", [q], 1.0)], n)
        columns.append(coefficients(Z @ H - H @ Z))
    labels = sorted(set().union(*columns))
    M = np.array([[column.get(label, 0) for column in columns] for label in labels], dtype=complex).reshape(-1, n)
    kernel = scipy.linalg.null_space(np.vstack([M.real, M.imag]), rcond=SAME) if labels else np.eye(n)
    if not kernel.size:
        return []
    rows = _reduced(kernel.T)
    ones = np.ones(n)
    if np.linalg.norm(kernel @ (kernel.T @ ones) - ones) < TOLERANCE:
        rows = [ones, *(row for row in rows if np.ptp(row) > TOLERANCE)]
    found = []
    for row in rows:
        scaled = row / np.min(np.abs(row[np.abs(row) > TOLERANCE]))
        if np.max(np.abs(scaled - np.round(scaled))) > 1e-6:
            continue
        terms = [("Z", [q], float(round(c))) for q, c in enumerate(scaled) if round(c)]
        name = " + ".join(f"{'' if c == 1 else format(c, 'g') + ' '}Z{q[0]}" for _, q, c in terms)
        found.append(Symmetry(name.replace("+ -", "- "), "charge", 0, SparsePauliOp.from_sparse_list(terms, n)))
    return found


def _reduced(rows: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Reduced row echelon form of a few independent rows."""
    rows = rows.copy()
    done = 0
    for column in range(rows.shape[1]):
        if done == len(rows):
            break
        pivot = done + int(np.argmax(np.abs(rows[done:, column])))
        if abs(rows[pivot, column]) < TOLERANCE:
            continue
        rows[[done, pivot]] = rows[[pivot, done]]
        rows[done] /= rows[done, column]
        for other in range(len(rows)):
            if other != done:
                rows[other] -= rows[other, column] * rows[done]
        done += 1
    return list(rows)


def permutations(n: int) -> Iterator[Symmetry]:
    """Translations and reflections worth trying, by one site and by pairs of sites."""
    for step in (1, 2):
        if n > 2 * step and n % step == 0:
            sites = tuple((q + step) % n for q in range(n))
            yield Symmetry(f"translation by {step}", "momentum", n // step, sites=sites)
    yield Symmetry("reflection", "reflection", 2, sites=tuple(reversed(range(n))))
    if n % 2 == 0 and n > 2:
        yield Symmetry("reflection of pairs", "reflection", 2, sites=tuple(n - 2 - q + 2 * (q % 2) for q in range(n)))


def conserved(lindbladian: Lindbladian) -> tuple[str, ...]:
    """Strong symmetries by name: generators of the Pauli strings and charges that commute with H and all couplings."""
    H, n = lindbladian.model.hamiltonian, lindbladian.model.num_qubits
    couplings = [contact.coupling for contact in lindbladian.contacts]
    names = []
    for pauli in pauli_strings([H, *couplings]):
        names.append(pauli.to_label())
    for charge in charges(H):
        assert charge.operator is not None
        strong = all(commute(charge.operator, A) for A in couplings)
        if strong and len(charge.operator) > 1:
            names.append(charge.name)
    return tuple(name for name in names if name != "I" * n)


def action_on_couplings(symmetry: Symmetry, contacts: tuple[Contact, ...]) -> Array | None:
    """O with A_a → Σ_b O_ba A_b, within baths and unitary (Hermitian for a charge); None if there is no such O."""
    m = len(contacts)
    rows = [coefficients(contact.coupling) for contact in contacts]
    images = [coefficients(symmetry.on(contact.coupling)) for contact in contacts]
    labels = sorted(set().union(*rows, *images))
    C = np.array([[row.get(label, 0) for label in labels] for row in rows], dtype=complex)
    G = np.array([[image.get(label, 0) for label in labels] for image in images], dtype=complex)
    O = np.zeros((m, m), dtype=complex)
    for a, contact in enumerate(contacts):
        family = [b for b, other in enumerate(contacts) if other.kernel == contact.kernel]
        O[family, a] = np.linalg.lstsq(C[family].T, G[a], rcond=None)[0]
    sizes = np.maximum(np.max(np.abs(C), axis=1), np.max(np.abs(G), axis=1))  # of each coupling its own
    if np.any(np.abs(C.T @ O - G.T) > TOLERANCE * sizes):
        return None
    good = O - O.conj().T if symmetry.kind == "charge" else O.conj().T @ O - np.eye(m)
    return O if np.max(np.abs(good)) <= TOLERANCE * max(1.0, float(np.max(np.abs(O)))) else None


def weak_symmetries(lindbladian: Lindbladian) -> list[tuple[Symmetry, Array]]:
    """Commuting weak symmetries with their action on the couplings, fewest labels that fit `MAX_LABELS`."""
    H, n, contacts = lindbladian.model.hamiltonian, lindbladian.model.num_qubits, lindbladian.contacts
    candidates: list[Symmetry] = [s for s in permutations(n) if same(s.on(H), H)]
    if any(s.kind == "momentum" for s in candidates):
        candidates = [next(s for s in candidates if s.kind == "momentum")]
    candidates = [*charges(H)[:2], *candidates[:1]]
    candidates += [Symmetry(p.to_label(), "parity", 2, SparsePauliOp(p)) for p in pauli_strings([H])]
    chosen: list[tuple[Symmetry, Array]] = []
    labels = 1
    for candidate in candidates:
        operator = candidate.operator if candidate.kind == "parity" else None
        if operator is not None and not operator.paulis.x.any() and any(s.kind == "charge" for s, _ in chosen):
            continue  # a function of the charges, mostly
        O = action_on_couplings(candidate, contacts)
        size = candidate.modulus or n + 1
        if O is None or labels * size > MAX_LABELS or not _commutes(candidate, [s for s, _ in chosen]):
            continue
        if any(np.linalg.norm(O @ other - other @ O) > TOLERANCE * len(contacts) for _, other in chosen):
            continue
        chosen.append((candidate, O))
        labels *= size
    return chosen


def _commutes(candidate: Symmetry, others: list[Symmetry]) -> bool:
    for other in others:
        if candidate.operator is None:
            fixed = other.operator is not None and same(candidate.on(other.operator), other.operator)
        elif other.operator is None:
            fixed = same(other.on(candidate.operator), candidate.operator)
        else:
            fixed = commute(candidate.operator, other.operator)
        if not fixed:
            return False
    return True
