r"""The free-fermion twin of a program on a quadratic chain: its sweep on covariances, at hundreds of sites.

The twin has one ancilla behind every site, s₀ a₀ s₁ a₁ …, in the order of the Jordan–Wigner string, whose letter is
that of the chain on sites and Z on ancillas. What the string of a term passes is multiplied by its letter: a bond Z Z
of sites becomes Z Z Z with the ancilla between, and all steps stay quadratic. A reset is the fermionic one:
$ρ → K_0ρK_0^† + K_1ρK_1^†$, $K_0 = |0⟩⟨0|$, $K_1 = S|0⟩⟨1|$ with the string S of all wires before it, which a device
performs by measuring and turning the signs of what comes later. Models, w, h and Γ are those of the free fermions:
$H = \frac i4\sum h_{jk}w_jw_k$, $Γ_{jk} = i⟨w_jw_k⟩$ for j ≠ k, $Γ → e^{ht}Γe^{-ht}$.

It validates the chain from nodes and angles to resets and noise; the plain program differs by those signs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp

from ...errors import TooLargeError
from ...linalg.arrays import Real
from ...linalg.paulis import PAIRS, Term, majoranas
from ...programs.lower import lower
from ...programs.product_formulas import factors
from ...programs.program import Program
from ...programs.steps import EXACT, Couple, Exponential, RandomChoice, RandomDelay, Reset, Step, Unitary

STEADY = 1e-13  # of the covariance, between two iterates or doublings
MOST_DOUBLINGS = 60
SETTLED = 1e-10  # what a sweep may still change a fixed point by


@dataclass(frozen=True, eq=False)
class Affine:
    """Γ → A Γ Aᵀ + N."""

    A: Real
    N: Real

    def apply(self, gamma: Real) -> Real:
        """Its value."""
        return np.asarray(self.A @ gamma @ self.A.T + self.N)

    def linear(self) -> Real:
        """What single w become."""
        return self.A


@dataclass(frozen=True, eq=False)
class MeanTurn:
    """Γ → the mean of UᵏΓU⁻ᵏ over the numbers of times, all equally likely."""

    U: sp.csr_array
    times: range

    def apply(self, gamma: Real) -> Real:
        """Its value, exact: k times one after the other."""
        total = np.zeros_like(gamma)
        for count in range(self.times.stop):
            if count in self.times:
                total += gamma
            if count + 1 < self.times.stop:
                gamma = np.asarray(self.U @ (self.U @ gamma).T).T
        return total / len(self.times)

    def linear(self) -> Real:
        """What single w become."""
        total, power = np.zeros(self.U.shape), np.eye(self.U.shape[0])
        for count in range(self.times.stop):
            total += power * (count in self.times)
            power = np.asarray(self.U @ power)
        return total / len(self.times)


@dataclass(frozen=True, eq=False)
class Depolarised:
    """Γ_ab times (1 − p) for every wire that w_a w_b acts on: every wire is depolarised before the reset.

    Attributes:
        kept: 1 − p.
        sites: n.
    """

    kept: float
    sites: int

    def apply(self, gamma: Real) -> Real:
        """Its value."""
        wire = np.repeat(2 * np.arange(self.sites), 2)
        return np.asarray(gamma * self.kept ** (np.abs(wire[:, None] - wire) + 1))

    def linear(self) -> Real:
        """What single w become, their strings included."""
        return np.asarray(np.diag(self.kept ** (np.repeat(2 * np.arange(self.sites), 2) + 1.0)))


@dataclass(frozen=True, eq=False)
class Twin:
    """One sweep of the twin on covariances of its sites, (2n, 2n).

    Attributes:
        parts: In order of time.
        h, offset: Of the Hamiltonian.
    """

    parts: tuple[Affine | MeanTurn | Depolarised, ...]
    h: Real
    offset: float

    def apply(self, gamma: Real) -> Real:
        """After one more sweep."""
        for part in self.parts:
            gamma = part.apply(gamma)
        return (gamma - gamma.T) / 2

    def energy(self, gamma: Real) -> float:
        """⟨H⟩."""
        return 0.25 * float(np.sum(self.h * gamma)) + self.offset

    @property
    def odd_rate(self) -> float:
        """−ln of the largest |eigenvalue| of the sweep on single w: the slowest decay per sweep of odd operators.

        Without noise and delays the rates of even ones are sums of two such; in the mean over delays even ones decay
        more slowly than that, since populations do not dephase.
        """
        A = np.eye(len(self.h))
        for part in self.parts:
            A = part.linear() @ A
        return -float(np.log(np.abs(scipy.linalg.eigvals(A)).max()))

    def fixed_point(self) -> Real:
        """Γ that a sweep leaves as it is: by doubling, or with delays or noise by minimal residuals (GMRES).

        Accuracy: 1e-13 by doubling; with delays or noise a sweep changes it by 1e-10 at most.
        Cost: 60 products of (2n, 2n) matrices; with delays or noise a few hundred sweeps at most.

        Raises:
            TooLargeError: If it has not settled: the sweep forgets too slowly, or not at all.
        """
        first = self.parts[0]
        if len(self.parts) == 1 and isinstance(first, Affine):
            return _doubled(first.A, first.N)
        from scipy.sparse.linalg import LinearOperator, gmres

        size, upper = len(self.h), np.triu_indices(len(self.h), 1)

        def full(x: Real) -> Real:
            gamma = np.zeros((size, size))
            gamma[upper] = x
            return gamma - gamma.T

        constant = self.apply(np.zeros((size, size)))
        operator = LinearOperator(
            (len(upper[0]),) * 2, matvec=lambda x: x - (self.apply(full(x)) - constant)[upper], dtype=float
        )
        x, failed = gmres(operator, constant[upper], rtol=1e-12, atol=0, restart=60, maxiter=20)
        found = full(x)
        defect = float(np.abs(self.apply(found) - found).max())
        if failed or defect > SETTLED:
            raise TooLargeError(f"A sweep still changes its fixed point by {defect:.1e}. Fix: use shorter delays.")
        return found


def _doubled(A: Real, N: Real) -> Real:
    for _ in range(MOST_DOUBLINGS):
        step = A @ N @ A.T
        N, A = N + step, A @ A
        if float(np.abs(step).max()) < STEADY:
            return (N - N.T) / 2
    raise TooLargeError(f"The fixed point has not settled after 2^{MOST_DOUBLINGS} sweeps. Fix: add a coupling.")


def twin_of(program: Program, stage: int = -1, depolarising: float = 0.0) -> Twin:
    """The free-fermion twin of one sweep of a stage.

    Args:
        program: On a chain that is quadratic in fermions in the order of its qubits; couplings on single sites, linear
            in them. A site has an ancilla of its own, whichever of the program's it meets.
        stage: Which one.
        depolarising: p; every wire is depolarised, ρ → (1 − p) ρ + p Tr[ρ] 1/2, before ancillas are reset.

    Raises:
        TooLargeError: If some step is not quadratic.
    """
    terms = program.lindbladian.model.terms
    letter = next((s for s in PAIRS if all(len(majoranas(label, s)[1]) in (0, 2) for label, _ in terms)), None)
    if letter is None:
        raise TooLargeError("The model is no free-fermion chain. Fix: use a chain of XX, YY bonds and Z fields.")
    writer = _Writer(program, letter, depolarising)
    for step in program.stages[stage].steps:
        lower(step, writer)
    h = np.zeros((2 * program.num_system,) * 2)
    offset = 0.0
    for a, b, value in writer.quadratic(terms):
        h[a, b] += value
        h[b, a] -= value
    offset = sum(c * majoranas(label, letter)[0].real for label, c in terms if not majoranas(label, letter)[1])
    return Twin(writer.closed(), h, offset)


@dataclass(eq=False)
class _Writer:
    """Steps as turns of Majorana operators: those of site s at 4s, 4s + 1, of its ancilla at 4s + 2, 4s + 3."""

    program: Program
    letter: str
    depolarising: float
    parts: list[Affine | MeanTurn | Depolarised] = field(default_factory=list)
    dirty: dict[int, int] = field(default_factory=dict)  # the site that an ancilla met
    waiting: dict[int, Real] = field(default_factory=dict)  # contacts of sites, performed together

    def __post_init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        n = self.program.num_system
        self.rows = np.array([4 * s + k for s in range(n) for k in (0, 1)])
        self.A = sp.csr_array((np.ones(2 * n), (self.rows, np.arange(2 * n))), shape=(4 * n, 2 * n))
        self.N = self._vacuum(range(n))
        self.touched = False

    def _vacuum(self, sites: Iterable[int]) -> sp.csr_array:
        rows = np.array([4 * s + 2 for s in sites], dtype=int)
        n, one = self.program.num_system, np.ones(len(rows))
        entries = np.concatenate([one, -one])
        places = np.concatenate([rows, rows + 1]), np.concatenate([rows + 1, rows])
        return sp.csr_array((entries, places), shape=(4 * n, 4 * n))

    # --- steps

    def exponential(self, step: Exponential) -> None:
        self._perform_contacts()
        self._apply(self._evolution(step))

    def coupling(self, step: Couple) -> None:
        for label, angle in step.rotations():
            sites = [k for k, one in enumerate(reversed(label)) if one != "I"]
            letters = [label[len(label) - 1 - k] for k in sites]
            if len(sites) != 1 or letters[0] == self.letter:
                raise TooLargeError(f"The coupling {label} is not linear in fermions. Fix: couple single sites.")
            (s,), second = sites, letters[0] == PAIRS[self.letter][1]
            if self.dirty.setdefault(step.ancilla, s) != s:
                raise TooLargeError("An ancilla meets two sites before its reset. Fix: use one ancilla per site.")
            # A ⊗ A' = −i w₁ w₂', …: of two wires beside each other, as Pauli strings of one letter
            h = np.zeros((4, 4))
            for axis, weight in (("X", np.cos(step.axis)), ("Y", np.sin(step.axis))):
                phase, (a, b) = majoranas(axis + "YX"[second], "Z")
                h[a, b] += 2 * angle * weight * (phase / 1j).real
            self.waiting[s] = scipy.linalg.expm(h - h.T) @ self.waiting.get(s, np.eye(4))

    def unitary(self, step: Unitary) -> None:
        raise TooLargeError("A dense unitary is not quadratic. Fix: use a scheme of Pauli rotations.")

    def reset(self, step: Reset) -> None:
        self._perform_contacts()
        sites = [self.dirty.pop(a) for a in step.ancillas if a in self.dirty]
        if self.depolarising and self.dirty and sites:
            raise TooLargeError("Ancillas are reset one by one. Fix: leave out noise, or reset them together.")
        if not self.dirty:
            self._close(bool(sites))
            return
        kept = np.ones(4 * self.program.num_system)
        kept[[4 * s + k for s in sites for k in (2, 3)]] = 0
        D = sp.diags_array(kept).tocsr()
        self.A, self.N, self.touched = D @ self.A, D @ self.N @ D + self._vacuum(sites), True

    def delay(self, step: RandomDelay) -> None:
        assert not self.dirty  # a rule of programs
        self._close(False)
        U = self._evolution(step.unit)
        rows = self.rows
        self.parts.append(MeanTurn(U[rows][:, rows].tocsr(), step.times))

    def choice(self, step: RandomChoice) -> None:
        raise TooLargeError("A random choice has no twin: its mean is not Gaussian. Fix: use fixed or delayed steps.")

    def closed(self) -> tuple[Affine | MeanTurn | Depolarised, ...]:
        self._close(False)
        joined = list[Affine | MeanTurn | Depolarised]()
        for part in self.parts:
            before = joined[-1] if joined else None
            if isinstance(part, Affine) and isinstance(before, Affine):
                joined[-1] = Affine(part.A @ before.A, part.A @ before.N @ part.A.T + part.N)
            else:
                joined.append(part)
        return tuple(joined)

    def _close(self, noisy: bool) -> None:
        if self.touched:
            N = self.N[self.rows][:, self.rows]
            self.parts.append(Affine(self.A[self.rows].toarray(), N.toarray()))
        if noisy and self.depolarising:
            self.parts.append(Depolarised(1 - self.depolarising, self.program.num_system))
        self._begin()

    # --- turns

    def _apply(self, U: sp.csr_array) -> None:
        self.A, self.N, self.touched = U @ self.A, U @ self.N @ U.T, True

    def _perform_contacts(self) -> None:
        if self.waiting:
            blocks = [([4 * s + k for k in range(4)], turn) for s, turn in self.waiting.items()]
            self._apply(self._layer(blocks, 4 * self.program.num_system))
            self.waiting = {}

    def quadratic(self, terms: Iterable[Term]) -> Iterator[tuple[int, int, float]]:
        """h_ab, a < b, of a Pauli sum, numbered by sites alone."""
        for label, c in terms:
            phase, places = majoranas(label, self.letter)
            if not places:
                continue
            if len(places) != 2:
                raise TooLargeError(f"{label} is not quadratic in fermions. Fix: use a scheme without such terms.")
            yield places[0], places[1], 2 * c * (phase / 1j).real

    def _evolution(self, step: Step) -> sp.csr_array:
        groups = step.groups(self.program.groups)
        size = 4 * self.program.num_system
        assert isinstance(step, Exponential)
        if step.order == EXACT:
            return self._turn([term for group in groups for term in group.terms], step.duration)
        once = sp.eye_array(size).tocsr()
        each = step.duration / step.slices
        known: dict[tuple[int, float], sp.csr_array] = {}
        for index, share in factors(len(groups), step.order, step.slices):
            at = index, share
            if at not in known:
                known[at] = self._turn(groups[index].terms, each * share)
            once = known[at] @ once
        return once

    def _turn(self, terms: Sequence[Term], time: float) -> sp.csr_array:
        """e^{ht} of a Pauli sum: block by block of Majorana operators that its terms connect."""
        n = self.program.num_system
        wide = {2 * s + k: 4 * s + k for s in range(n) for k in (0, 1)}
        entries = [(wide[a], wide[b], value * time) for a, b, value in self.quadratic(terms)]
        if not entries:
            return sp.eye_array(4 * n).tocsr()
        rows, columns, values = (np.array(column) for column in zip(*entries, strict=True))
        upper = sp.coo_array((values, (rows, columns)), shape=(4 * n, 4 * n)).tocsr()
        h = (upper - upper.T).tocsr()
        count, part = sp.csgraph.connected_components(h, directed=False)
        members = np.argsort(part, kind="stable")
        ends = np.cumsum(np.bincount(part, minlength=count))[:-1]
        blocks = [block for block in np.split(members, ends) if len(block) > 1]
        return self._layer([(block, scipy.linalg.expm(h[block][:, block].toarray())) for block in blocks], 4 * n)

    @staticmethod
    def _layer(blocks: Sequence[tuple[Any, Any]], size: int) -> sp.csr_array:
        alone = np.ones(size, dtype=bool)
        rows, columns, values = list[Real](), list[Real](), list[Real]()
        for places, matrix in blocks:
            at = np.asarray(places, dtype=int)
            alone[at] = False
            a, b = np.meshgrid(at, at, indexing="ij")
            rows.append(a.ravel())
            columns.append(b.ravel())
            values.append(matrix.ravel())
        rest = np.flatnonzero(alone)
        return sp.csr_array(
            (
                np.concatenate([*values, np.ones(len(rest))]),
                (np.concatenate([*rows, rest]), np.concatenate([*columns, rest])),
            ),
            shape=(size, size),
        )
