r"""Sweeps of few nodes, balanced by linear least squares: weights, product formula, fields. Nothing is fitted to σ.

A pass of N nodes makes the jumps $L_a=\sum_l w_l A_a(t_l)$, an evolution under the product formula's Hamiltonian, and
the order of the nodes makes a Hamiltonian S. Each is brought as near as it costs no gate to what balance asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce
from math import ceil

import numpy as np
import scipy.linalg
from qiskit.quantum_info import Pauli, SparsePauliOp

from ...evidence import Status
from ...generators.lindbladian import Lindbladian
from ...linalg.arrays import Array, Real
from ...linalg.paulis import Term
from ...models import scale
from ...models.model import Model
from ...models.spectrum import spectrum
from ...programs.product_formulas import Group, commuting_groups, spectators
from ...programs.program import ErrorTerm, Program, Rung, Stage
from ...programs.steps import Correct, Couple, Evolve, RandomDelay, Reset, Step
from ...readings.channel.effective_generator import balance, kick_of
from ...readings.channel.evolver import Evolver

GENTLE = 0.1  # weight of small node weights, against that of detailed balance
NEAR = 0.1  # weight of staying near the Gaussian filter, against that of detailed balance
SMOOTH = 0.2  # weight of small fields, against that of the Hamiltonian they make up for
STEEP = 10.0  # β|ν|/4 beyond which balance is asked for relative to the larger of the two rates
COLDEST = 100.0  # β max|ν| beyond which the Gaussian filter stays as it is: a narrower one would see no frequency
BRANCH = 2.5  # a phase below which the logarithm of a unitary is the one meant
ROUNDS = 4
SMALL = 1e-9  # of what it is compared with
SOURCE = "least squares against detailed balance over the Bohr frequencies; Ding, Li & Lin, arXiv:2404.05998"


@dataclass(frozen=True, eq=False)
class Layout:
    """All of a sweep but its strength, its delays and its repeats.

    Attributes:
        generator: Its couplings, H and β are used; its own filter is replaced.
        spacing: τ, from node to node.
        slices: Steps of the product formula per τ.
        weights: Of the nodes, at a mean rate Tr L†L / 2ⁿ‖A‖² of 1.
        groups: The Hamiltonian of the product formula, counter-terms included.
        passes: Couplings that ride together.
        fields: Per pass and node, single-qubit terms at unit strength.
        violation: Of detailed balance, relative.
        missing: Share of B − S that the fields do not make up for.
        order: Of the product formula: 2, or 1, which is 2 in a turned frame, see `turned`.
    """

    generator: Lindbladian
    spacing: float
    slices: int
    weights: Array
    groups: tuple[Group, ...]
    passes: tuple[tuple[tuple[Term, ...], ...], ...]
    fields: tuple[tuple[tuple[Term, ...], ...], ...]
    violation: float
    missing: float
    order: int = 2

    @cached_property
    def ancillas(self) -> int:
        """As many as the largest pass has couplings."""
        return max(map(len, self.passes))

    @property
    def delay(self) -> Evolve:
        """Evolution by τ under all of H."""
        return Evolve(self.spacing, self.slices, self.order)

    def sweep(self, strength: float, delays: tuple[int, int] = (0, 0)) -> tuple[Step, ...]:
        """The steps of one sweep: mean rate `strength` per coupling, then a random whole number of τ."""
        steps: list[Step] = []
        for couplings, fields in zip(self.passes, self.fields, strict=True):
            steps += _pass(self, couplings, strength, fields)
        return (*steps, RandomDelay(self.delay, *delays)) if delays[1] > 0 else tuple(steps)

    def turned(self, sign: int) -> tuple[Evolve, ...]:
        r"""What turns passes of first order into the frame of the second (+1), and back (−1); nothing at order 2.

        $e^{-iB\tau}e^{-iA\tau} = V^\dagger e^{-iA\tau/2}e^{-iB\tau}e^{-iA\tau/2}V$ with $V = e^{-iA\tau/2}$, B the last
        group and A the others: one layer of gates less per step, and V once, behind all sweeps.
        """
        return turned(self.groups, sign * self.spacing / self.slices, self.order)

    def program(self, stages: Sequence[Stage]) -> Program:
        """A program of such sweeps; they may differ in strength and delays only."""
        return Program(
            num_system=self.generator.model.num_qubits,
            num_ancilla=self.ancillas,
            groups=self.groups,
            stages=tuple(stages),
            generator=self.generator,
            scheme="few_nodes",
            knobs={
                "nodes": len(self.weights),
                "spacing": self.spacing,
                "slices": self.slices,
                "sweeps": sum(stage.repeats for stage in stages),
            },
            declared=(
                ErrorTerm(Rung.QUADRATURE, self.violation, "relative violation of balance", Status.MEASURED, SOURCE),
                ErrorTerm(Rung.DILATION, None, "order 1 in strength", Status.NOT_CHECKED, SOURCE),
                ErrorTerm(Rung.COHERENT, self.missing, "share of B − S left out", Status.MEASURED, SOURCE),
                ErrorTerm(Rung.TROTTER, None, "order 2 in spacing", Status.NOT_CHECKED, SOURCE),
            ),
        )


def turned(groups: tuple[Group, ...], spacing: float, order: int) -> tuple[Evolve, ...]:
    """V of `Layout.turned`."""
    if order == 2 or len(groups) < 2:
        return ()
    return (Evolve(spacing / 2, 1, 1, tuple(label for label, _ in groups[-1].terms)),)


@lru_cache(maxsize=64)
def layout(generator: Lindbladian, count: int, spacing: float, slices: int = 1, order: int = 2) -> Layout:
    """The balanced layout of `count` nodes, from each to the next a time `spacing` in `slices` Strang steps.

    Args:
        generator: In detailed balance, on at most 8 qubits, where H is diagonalised.
        count: N >= 1.
        slices: Strang steps per τ.
        order: Of the product formula, 2 or 1, see `Layout`.
        spacing: τ > 0; beyond π / max |ν| the nodes cannot tell frequencies apart.
    Cost: O(8**n) per coupling and node.
    """
    top = max(scale.size(one.coupling) for one in generator.contacts)  # rates are those of the strength, not of ‖A‖
    passes = _passes([tuple((p, float(c.real) / top) for p, c in one.coupling.to_list()) for one in generator.contacts])
    idle = {label for couplings in passes for label in _idle(generator.model, couplings)}
    allowed = tuple(_fields_beside(idle, generator.model.num_qubits))
    weights, violation = balanced_weights(generator, count, spacing)
    groups = counter_groups(generator.model, spacing / slices, allowed)
    none = ((((),) * count),) * len(passes)
    bare = Layout(generator, spacing, slices, weights, groups, passes, none, violation, 1.0, order)
    found = [counter_fields(bare, couplings, allowed) for couplings in passes]
    fields, missing = tuple(one for one, _ in found), max(missing for _, missing in found)
    return Layout(generator, spacing, slices, weights, groups, passes, fields, violation, missing, order)


def balanced_weights(generator: Lindbladian, count: int, spacing: float) -> tuple[Array, float]:
    r"""Weights w of nodes at $t_l=(l-(N-1)/2)\tau$ whose filter is nearest to detailed balance, and how near it is.

    $\hat f(\nu)=\sum_l w_l e^{i\nu t_l}$ minimises
    $\sum_\nu g(\nu)|e^{\beta\nu/4}\hat f(\nu)-e^{-\beta\nu/4}\hat f(-\nu)^*|^2 +
    \epsilon^2\sum_\nu g(\nu)|\hat f-\hat f_0|^2+\kappa^2\|w\|^2$, with
    $g(\nu)=\sum_{a,\,\nu_{ij}=\nu}|\langle i|A_a|j\rangle|^2$, an infinite temperature's share of the frequency,
    $\hat f_0=e^{-(\beta\nu)^2/16-\beta\nu/4}$, ε = 0.1, and κ = 0.1: without it dense nodes cancel each other at angles
    so large that no order in δ is left. Any filter in balance has the same fixed point; this one needs half of a
    Gaussian's nodes.
    """
    s, beta = spectrum(generator.model), generator.beta
    share = sum(np.abs(s.to_energy(one.coupling.to_matrix())) ** 2 for one in generator.contacts)
    g = np.asarray(share / np.sum(share)).ravel()
    nu, root = s.bohr_frequencies.ravel()[g > SMALL], np.sqrt(g[g > SMALL])
    times = (np.arange(count) - (count - 1) / 2) * spacing
    waves = root[:, None] * np.exp(1j * np.outer(nu, times))
    fold = np.maximum(beta * np.abs(nu) / 4 - STEEP, 0.0)
    up, down = (np.exp(sign * beta * nu / 4 - fold)[:, None] for sign in (1, -1))
    broken = _real(np.hstack([(up - down) * waves, 1j * (up + down) * waves]))
    made = _real(np.hstack([waves, 1j * waves]))
    fastest = float(np.max(np.abs(nu), initial=0.0))
    x = (min(beta, COLDEST / fastest) if fastest > 0 else beta) * nu
    near = _real((root * np.exp(-(x**2) / 16 - x / 4)).astype(complex))
    both = np.vstack([broken, NEAR * made, GENTLE * np.eye(2 * count)])
    wanted = np.concatenate([np.zeros_like(near), NEAR * near, np.zeros(2 * count)])
    w = np.linalg.lstsq(both, wanted, rcond=None)[0]
    size = float(np.linalg.norm(made @ w))
    return np.asarray((w[:count] + 1j * w[count:]) / size), float(np.linalg.norm(broken @ w)) / size


@lru_cache(maxsize=512)
def counter_groups(model: Model, spacing: float, allowed: tuple[str, ...]) -> tuple[Group, ...]:
    r"""H with counter-terms: the Strang step of τ then has H's own coefficients, as far as terms without gates go.

    $c \leftarrow c_H - \mathrm{Tr}\,P\,(H_\tau(c)-H_c)/2^n$ for P a term of H or one of `allowed`, where
    $e^{-iH_\tau\tau}$ is the step. Where the logarithm would be ambiguous, $H_\tau - H$ is taken at τ/m and scaled by
    m², exact up to O(τ⁴).
    """
    terms = {label: c for label, c in model.terms if set(label) - {"I"}}
    n, labels = model.num_qubits, list(dict.fromkeys([*terms, *allowed]))
    size = float(np.abs(spectrum(model).energies).max())
    m = max(1, ceil(size * spacing / BRANCH))
    now = dict(terms)
    for _ in range(ROUNDS):
        groups = commuting_groups(SparsePauliOp.from_list(sorted(now.items())))
        U = Evolver(groups, n).unitary(Evolve(spacing / m, 1, 2))
        triangle, V = scipy.linalg.schur(U, output="complex")
        made = (V * (-np.angle(np.diag(triangle)) * m / spacing)) @ V.conj().T
        extra = {P: _coefficient(P, made) - now.get(P, 0.0) for P in labels}
        now = {P: terms.get(P, 0.0) - m**2 * extra[P] for P in labels}
        now = {P: c for P, c in now.items() if abs(c) > SMALL * size}
    return commuting_groups(SparsePauliOp.from_list([(P, now[P]) for P in labels if P in now]))


def counter_fields(
    bare: Layout, couplings: tuple[tuple[Term, ...], ...], allowed: Sequence[str]
) -> tuple[tuple[tuple[Term, ...], ...], float]:
    r"""Terms at every node of a pass that make up for B − S, at unit strength; and the share they miss.

    $\min_c\|\sum_{lP}c_{lP}P(t_l)-(B-S)\|^2+\epsilon^2 2^n\|c\|^2$ off the diagonal of the energy basis, ε = 0.2. B is
    the coherent term that belongs to the pass's jumps, S the Hamiltonian that the order of its nodes adds. Terms
    on two qubits, at two gates each, would halve what is missing, but a sweep's bias in δ is mostly another: measured,
    they made it no smaller.
    """
    count, n, s = len(bare.weights), bare.generator.model.num_qubits, spectrum(bare.generator.model)
    steps = (*bare.turned(-1), *_pass(bare, couplings, 1.0, ((),) * count), *bare.turned(1))
    evolver, program = Evolver(bare.groups, n), bare.program([Stage(steps, 1)])
    kick = kick_of(program, steps, evolver)
    off = np.abs(s.bohr_frequencies) > SMALL * scale.bandwidth(bare.generator.model.hamiltonian)
    wanted = _real(s.to_energy(balance(program, kick.decay) - kick.ordering)[off])
    size, one = float(np.linalg.norm(wanted)), evolver.unitary(_unit(bare, couplings))
    if size < SMALL:
        return ((),) * count, 0.0
    start = reduce(np.matmul, [evolver.unitary(step) for step in bare.turned(-1)], np.eye(2**n, dtype=complex))
    U = [np.linalg.matrix_power(one, l) @ start for l in range(count)]
    places = [(l, P) for l in range(count) for P in allowed]
    columns = [_real(s.to_energy(U[l].conj().T @ Pauli(P).to_matrix() @ U[l])[off]) for l, P in places]
    made = np.stack(columns, axis=1) if columns else np.zeros((len(wanted), 0))
    c = _smooth(made, wanted, n)
    fields = tuple(
        tuple((P, float(x)) for (at, P), x in zip(places, c, strict=True) if at == l and abs(x) > SMALL)
        for l in range(count)
    )
    return fields, float(np.linalg.norm(made @ c - wanted)) / size


def _smooth(made: Real, wanted: Real, n: int) -> Real:
    ridge = SMOOTH * 2 ** (n / 2) * np.eye(made.shape[1])
    both = np.concatenate([wanted, np.zeros(len(ridge))])
    return np.asarray(np.linalg.lstsq(np.vstack([made, ridge]), both, rcond=None)[0])


def _pass(
    plan: Layout, couplings: tuple[tuple[Term, ...], ...], strength: float, fields: tuple[tuple[Term, ...], ...]
) -> list[Step]:
    unit, steps = _unit(plan, couplings), list[Step]()
    for l, (w, field) in enumerate(zip(np.sqrt(strength) * plan.weights, fields, strict=True)):
        steps += [unit] if l else []
        steps += [Couple(terms, a, float(abs(w)), float(np.angle(w))) for a, terms in enumerate(couplings)]
        steps += [Correct((Group(field),), strength, 1, 1)] if field else []
    return [*steps, Reset(tuple(range(len(couplings))))]


def _unit(plan: Layout, couplings: tuple[tuple[Term, ...], ...]) -> Evolve:
    return Evolve(plan.spacing, plan.slices, plan.order, _idle(plan.generator.model, couplings))


def _idle(model: Model, couplings: tuple[tuple[Term, ...], ...]) -> tuple[str, ...]:
    """Labels of H's terms that no coupling of a pass meets: they are left out between its nodes."""
    return spectators(commuting_groups(model.hamiltonian), [term for terms in couplings for term in terms])


def _passes(couplings: Sequence[tuple[Term, ...]]) -> tuple[tuple[tuple[Term, ...], ...], ...]:
    """Couplings on disjoint sites share a pass, first fit."""
    found: list[tuple[set[int], list[tuple[Term, ...]]]] = []
    for terms in couplings:
        support = {q for label, _ in terms for q, letter in enumerate(label) if letter != "I"}
        for taken, members in found:
            if taken.isdisjoint(support):
                members.append(terms)
                taken |= support
                break
        else:
            found.append((set(support), [terms]))
    return tuple(tuple(members) for _, members in found)


def _fields_beside(idle: set[str], n: int) -> list[str]:
    """Single-qubit labels that commute with the terms left out of a pass."""
    labels = ["I" * q + letter + "I" * (n - 1 - q) for q in range(n) for letter in "XYZ"]
    return [label for label in labels if all(Pauli(label).commutes(Pauli(other)) for other in idle)]


def _coefficient(label: str, matrix: Array) -> float:
    letters: Array = Pauli(label).to_matrix()
    return float(np.vdot(letters, matrix).real) / len(matrix)


def _real(values: Array) -> Real:
    """Real and imaginary part below each other."""
    return np.concatenate([values.real, values.imag])
