r"""The coherent term as a circuit: B, and what the order of the nodes adds to it, as Pauli sums.

A pass runs in a frame of its own. An operator placed where the pass has reached kernel time t acts as
$e^{iHt}Be^{-iHt}$ next to the jumps: at the middle of the nodes, t = 0, as itself; at a node at t, as B if
$e^{-iHt}Be^{iHt}$ is put there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from qiskit.quantum_info import Operator, SparsePauliOp

from ...errors import ArgumentError, TooLargeError
from ...evidence import Status
from ...generators.contact import Coherent
from ...generators.lindbladian import Lindbladian
from ...generators.matrices import coherent_term, decay_operator
from ...limits import MAX_COHERENT_TERMS, MAX_PATCH_QUBITS
from ...linalg.arrays import Array, Real
from ...linalg.paulis import Term, sites_of
from ...models.graph import ball
from ...models.model import Model
from ...models.spectrum import spectrum
from ...programs.product_formulas import commuting_groups
from ...programs.program import ErrorTerm, Rung
from ...programs.steps import Correct
from .quadrature import Nodes
from .symbolic_jumps import SymbolicJump
from .truncation import dense

ROUNDING = 1e-13  # of the rates


@dataclass(frozen=True, eq=False)
class PauliSum:
    """A coherent term to be compiled.

    Attributes:
        operator: Real Pauli sum without identity.
        dropped: Σ|c| of the terms left out as small.
    """

    operator: SparsePauliOp
    dropped: float

    def step(self, duration: float, order: int = 1) -> Correct | None:
        """e^{−iBt} by a product formula; None where there is nothing to do.

        Order 1 leaves out commutators of order t²‖B‖², as the dilation of the jumps does; higher orders cost gates.
        """
        groups = commuting_groups(self.operator)
        return Correct(groups, duration, 1, order) if groups else None


@dataclass(frozen=True, eq=False)
class _Patch:
    """The sites around a coupling, ascending, and the eigensystem of the terms of H that lie inside."""

    sites: tuple[int, ...]
    energies: Real
    vectors: Array
    coupling: Array  # in the energy basis

    @property
    def nu(self) -> Real:
        return np.asarray(self.energies[:, None] - self.energies[None, :])

    def decay(self, jump: SymbolicJump) -> Array:
        """R = w L†L in the energy basis."""
        L = jump.filter.frequency(self.nu) * self.coupling
        return np.asarray(jump.weight * (L.conj().T @ L))

    def balance(self, jump: SymbolicJump) -> Array:
        """(i/2) tanh(βν/4) R in the energy basis."""
        return np.asarray(0.5j * np.tanh(jump.filter.beta * self.nu / 4) * self.decay(jump))

    def ordering(self, nodes: Nodes) -> Array:
        r"""What the order of the nodes of a forward-only pass adds to B, at strength 1, in the energy basis.

        $S = \frac{1}{2i}\sum_{l>l'}\big(w_l^* w_{l'} A(t_l)A(t_{l'}) - h.c.\big)$, the second order of
        $e^{-iG_N}\cdots e^{-iG_1}$ with $G_l = w_l A(t_l)\otimes|1\rangle\langle0| + h.c.$ on an ancilla in |0⟩. A pass
        of strength δ is $e^{\delta(\mathcal L + i[B,\cdot] - i[S,\cdot])}$ up to δ², between two halves of its free
        evolution. A palindrome of nodes has S = 0.

        References:
            Magnus expansion to second order; Lloyd & Abanin, PRX 16, 031053, call it a Lamb shift.
        """
        total, before = np.zeros_like(self.coupling), np.zeros_like(self.coupling)
        for t, w in zip(nodes.times, nodes.weights, strict=True):
            now = w * np.exp(1j * self.nu * t) * self.coupling
            total += now.conj().T @ before
            before += now
        return np.asarray((total - total.conj().T) / 2j)

    def at(self, time: float, operator: Array) -> Array:
        """E^{−iHt} X e^{iHt} in the computational basis."""
        frame = self.vectors * np.exp(-1j * self.energies * time)
        return np.asarray(frame @ operator @ frame.conj().T)


def _patch_around(model: Model, coupling: tuple[Term, ...], radius: int | None) -> _Patch:
    n, found = model.num_qubits, ball(model.terms, coupling, radius)
    sites = tuple(range(n)) if found is None else tuple(sorted(found))
    if len(sites) > MAX_PATCH_QUBITS:
        raise TooLargeError(
            f"The coherent term needs the exact eigensystem of {len(sites)} qubits around a coupling; the limit is "
            f"{MAX_PATCH_QUBITS}. Fix: set a smaller coherent_radius."
        )

    def matrix(terms: Sequence[Term]) -> Array:
        return dense([("".join(label[n - 1 - q] for q in reversed(sites)), c) for label, c in terms], len(sites))

    energies, V = scipy.linalg.eigh(matrix([term for term in model.terms if sites_of(term[0]) <= set(sites)]))
    return _Patch(
        sites,
        np.asarray(energies, dtype=float),
        np.asarray(V, dtype=complex),
        np.asarray(V.conj().T @ matrix(coupling) @ V),
    )


def coherent_sum(
    model: Model,
    jumps: Sequence[SymbolicJump],
    *,
    tolerance: float = 0.0,
    radius: int | None = None,
    time: float = 0.0,
    forward: Sequence[Nodes] | None = None,
) -> PauliSum:
    r"""$B = \sum\tfrac i2\tanh(\beta\nu_{ij}/4)R_{ij}$ of some jumps as a Pauli sum.

    With a radius every coupling sees only the terms of H inside the ball of that radius around it, distances counted
    in terms of H: quasi-local jumps make the error fall fast with it, and nothing of size 2ⁿ is formed.

    Args:
        model: H.
        jumps: Those whose transition parts are in detailed balance together.
        tolerance: Terms below this share of the largest |coefficient| are left out.
        radius: None takes all of H.
        time: Kernel time t of the place where it is put: e^{−iHt}Be^{iHt} instead of B.
        forward: The nodes of each jump, weight included, if they run forward only: B − S + cH instead of B, S as
            in `_Patch.ordering`. Its part cH along H leaves σ fixed; taking it out in one place distorts the filter.

    Accuracy: rounding without radius and tolerance. Time O(8**p) for patches of p <= 8 sites.

    Raises:
        TooLargeError: If a patch has more than 8 sites, or more than 5000 terms are left.

    References:
        Ding, Li & Lin, arXiv:2404.05998, the coherent term, here in the Bohr form.
    """
    patches: dict[tuple[Term, ...], _Patch] = {}
    found: dict[tuple[int, ...], Array] = {}
    rate = 0.0  # the largest |R_ij|: B of jumps that commute with H is zero but for rounding of R
    for index, jump in enumerate(jumps):
        if jump.terms not in patches:
            patches[jump.terms] = _patch_around(model, jump.terms, radius)
        patch = patches[jump.terms]
        value, rate = patch.balance(jump), max(rate, float(np.max(np.abs(patch.decay(jump)))))
        if forward is not None:
            value = value - patch.ordering(forward[index])
        found[patch.sites] = found.get(patch.sites, 0) + patch.at(time, value)
    terms: dict[str, float] = {}
    for sites, matrix in found.items():
        for short, c in SparsePauliOp.from_operator(Operator(matrix), atol=0.0, rtol=0.0).to_list():
            letters = dict(zip(reversed(sites), short, strict=True))
            label = "".join(letters.get(q, "I") for q in reversed(range(model.num_qubits)))
            terms[label] = terms.get(label, 0.0) + float(c.real)
    terms.pop("I" * model.num_qubits, None)
    kept = terms if forward is None else _not_along(terms, model)
    return _without_small(kept, tolerance, ROUNDING * rate, model.num_qubits)


def _not_along(terms: dict[str, float], model: Model) -> dict[str, float]:
    """Coefficients by Pauli label of the part that is orthogonal to H."""
    H = {label: c for label, c in model.terms if sites_of(label)}
    norm = sum(c * c for c in H.values())
    share = sum(c * terms.get(label, 0.0) for label, c in H.items()) / norm if norm > 0 else 0.0
    return {label: terms.get(label, 0.0) - share * H.get(label, 0.0) for label in {**terms, **H}}


def _without_small(terms: dict[str, float], tolerance: float, rounding: float, width: int) -> PauliSum:
    floor = max(tolerance * max(map(abs, terms.values()), default=0.0), rounding)
    kept = sorted((label, c) for label, c in terms.items() if abs(c) >= floor)
    if len(kept) > MAX_COHERENT_TERMS:
        raise TooLargeError(
            f"The coherent term has {len(kept)} Pauli terms above {floor:.2g}; the limit is {MAX_COHERENT_TERMS}. "
            "Fix: set a larger coherent_tolerance or a smaller coherent_radius."
        )
    dropped = sum(abs(c) for c in terms.values() if abs(c) < floor)
    return PauliSum(SparsePauliOp.from_list(kept, num_qubits=width), dropped)


def check_balance(generator: Lindbladian) -> None:
    """Refuse to compile a coherent term that is not B of the generator's own Hamiltonian.

    Raises:
        ArgumentError: Naming what it is.
    """
    if generator.coherent is not Coherent.BALANCE or generator.local:
        raise ArgumentError(
            "coherent_term",
            'be "omit" where the generator has no B of its own Hamiltonian',
            f"{generator.kind} has coherent = {generator.coherent.value}",
            'set coherent = "balance" for the generator, or coherent_term = "omit"',
        )


def coherent_error(generator: Lindbladian, compiled: SparsePauliOp) -> float | None:
    """‖B_r − B‖_F/‖B‖_F of what is compiled, at kernel time 0; None above 8 qubits, 0 where B vanishes."""
    if generator.model.num_qubits > MAX_PATCH_QUBITS:
        return None
    exact = spectrum(generator.model).from_energy(coherent_term(generator))
    norm, apart = (float(np.linalg.norm(matrix)) for matrix in (exact, compiled.to_matrix() - exact))
    return apart / norm if norm > ROUNDING * float(np.linalg.norm(decay_operator(generator))) else 0.0


def declared_coherent(generator: Lindbladian, compiled: PauliSum) -> ErrorTerm:
    """The ledger line of a compiled B: what truncation to a radius and small terms left out make of it."""
    error = coherent_error(generator, compiled.operator)
    return ErrorTerm(
        Rung.COHERENT,
        error,
        "‖B_r − B‖/‖B‖ of the compiled B",
        Status.NOT_CHECKED if error is None else Status.MEASURED,
        f"Pauli sum of {len(compiled.operator)} terms against the matrix; Σ|c| = {compiled.dropped:.2g} left out",
    )
