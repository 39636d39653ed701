r"""All starts of a program, region by region: the worst one that a search finds, and a bound that is proved.

A region's values are linear in the start, $x_P = c_P + \sum_Q R_{PQ}\, y_Q$ with $y_Q$ the start's Pauli expectations
on the sites that are still seen and R the backward operators less their constant parts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...linalg.arrays import Array, Real
from ...linalg.local_maps import pauli_basis
from .backward import AXES, Backwards, product_start

RESTARTS = 50  # random products among those that are climbed from
ROUNDS = 30  # of a climb at most
GAINED = 1e-7  # trace distance below which it has come to rest
ENTANGLED = 8  # sites whose joint state is free: matrices of 256 rows; products on the others
BALANCED = 40  # steps in which the weights of the bound are balanced
BALANCE = 1e-2  # by which the logarithms of the weights move when they have settled
SMALLEST = 1e-9  # of a weight, and of a gradient


@dataclass(frozen=True, eq=False)
class WorstLocal:
    """What a search over starts found for one region, and what is proved.

    Attributes:
        distance: ½‖ρ_R − σ_R‖₁ after all sweeps, from the worst start found: a lower bound on the largest there is, off
            by what the cuts make of it.
        product: The largest from product starts alone.
        start: The product start that is worst, or that the worst one is on the sites that are not entangled, (n, 4).
        entangled: The sites whose joint state was free beyond products.
        restarts: Starts that were climbed from.
        bound: Proved for every start, the cuts included; may exceed 1 and then says nothing.
        without_cuts: The same if nothing had been cut: no proof.
    """

    distance: float
    product: float
    start: Real
    entangled: tuple[int, ...]
    restarts: int
    bound: float
    without_cuts: float

    def farther(self, off: float) -> WorstLocal:
        """Held against another σ, so far from this one in trace distance at most."""
        return replace(
            self,
            distance=self.distance + off,
            product=self.product + off,
            bound=self.bound + off,
            without_cuts=self.without_cuts + off,
        )


def worst_local(read: Backwards, sigma: Real, num_system: int, rng: np.random.Generator) -> WorstLocal:
    r"""The start from which a region ends farthest from σ's reduced state.

    See-saw: the observable A = sign(ρ_R − σ_R) at a start, then the start that raises ⟨A⟩ most, site by site among
    products (a Bloch vector along its gradient), and last the top eigenvector of A's backward operator on the sites
    that it depends on most. Neither half can lower the distance.

    Args:
        read: The region's strings.
        sigma: The 4^k Pauli expectations of σ.
        num_system: n.
        rng: Draws random products.
    Accuracy: a local search, exact in what it evaluates up to `read`'s cut.
    Cost: a second or two at bond 20 and ten sites.
    """
    k = len(read.region)
    climb = _Climb(read, sigma)
    vectors = rng.standard_normal((RESTARTS, num_system, 3))
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    usual = [product_start(num_system, [sign * x for x in axis]) for axis in AXES.values() for sign in (1, -1)]
    drawn = np.concatenate([np.ones((RESTARTS, num_system, 1)), vectors], axis=-1)
    starts, distances = climb.products(np.concatenate([np.stack(usual), drawn]))
    best = int(np.argmax(distances))
    product, start = float(distances[best]), starts[best]
    chosen = climb.felt_most(start)
    distance = max(product, climb.entangled(start, chosen))
    offset = 0.5 * float(np.abs(np.linalg.eigvalsh(_matrix(read.constants - sigma, k))).sum())
    bound = offset + 0.5 * spread_bound(read)
    whole = bound + 0.5 * read.bound
    return WorstLocal(distance, product, start, chosen, len(starts), whole, bound)


def spread_bound(read: Backwards) -> float:
    r"""A bound on $(\sum_P |\langle R_P\rangle|^2)^{1/2}$ over all starts; half of it bounds a trace distance.

    For any $0 < t_i \le 1$ of the sites, $\sum_Q y_Q^2 \prod_{i\in Q} t_i \le \prod_i (1+t_i)$: the left side is
    $\sum_S \prod_{i\in S} t_i \prod_{i\notin S}(1-t_i)\, 2^{|S|}\,\mathrm{Tr}\,\rho_S^2$, and purities are at most 1.
    Less 1 for Q = 1, and by Cauchy and Schwarz $\lVert Ry\rVert \le s_1(RW)\,(\prod_i(1+t_i)-1)^{1/2}$ with
    $W_Q = \prod_{i\in Q} t_i^{-1/2}$ and s₁ the largest singular value. The t_i are chosen by coordinate descent on the
    Frobenius norm in place of s₁; any choice is a bound.
    """
    cores, constant = read.train.cores, float(np.sum(read.constants**2))
    t = np.ones(len(cores))
    for _ in range(BALANCED):
        before, right = t.copy(), [np.ones((1, 1))]
        for core, ti in zip(cores[:0:-1], t[:0:-1], strict=True):
            right.append(_norms(core, right[-1]) @ (1, 1 / ti))
        left = np.ones((1, 1))
        for i, core in enumerate(cores):
            idle, busy = np.einsum("ab,abw->w", left, _norms(core, right[-1 - i]))
            idle, others = max(idle - constant, 0.0), float(np.prod(1 + np.delete(t, i)))
            # (idle + busy/t) (others (1 + t) − 1) is least here
            t[i] = np.clip(np.sqrt(busy * max(others - 1, 0.0) / max(idle * others, 1e-300)), SMALLEST, 1.0)
            left = _norms(core.transpose(3, 1, 2, 0), left) @ (1, 1 / t[i])
        if np.max(np.abs(np.log(t / before))) < BALANCE:
            break
    gram = _gram(read, t) - np.outer(read.along, read.along)
    largest = max(float(np.linalg.eigvalsh(gram)[-1]), 0.0)
    return float(np.sqrt(largest * (np.prod(1 + t) - 1)))


def _norms(core: Real, beyond: Real) -> Real:
    """Squared norms from here on, (left, left, 2): of the identity on this site, and of its other letters."""
    closed = np.tensordot(core, beyond, 1)  # (l, letter, label, r)
    each = np.einsum("apdc,bpdc->abp", closed, core)
    return np.stack([each[..., 0], each[..., 1:].sum(axis=-1)], axis=-1)


def _gram(read: Backwards, t: Real) -> Real:
    """Σ_Q W_Q² O_PQ O_P'Q over all Q, (4^k, 4^k), labels in the order of places."""
    right = np.ones((1, 1))
    cores = [*zip(read.train.cores, t, strict=True)]
    while cores[-1][0].shape[2] == 1:
        core, ti = cores.pop()
        right = _norms(core, right) @ (1, 1 / ti)
    row = np.ones((1, 1, 1, 1))  # label, label, bond, bond
    for core, ti in cores:
        weighted = core * np.array([1, *(1 / ti,) * 3])[:, None, None]
        half = np.einsum("KLab,apkc->KLbpkc", row, weighted, optimize=True)
        row = np.einsum("KLbpkc,bpld->KkLlcd", half, core, optimize=True)
        K, k, L, l, c, d = row.shape
        row = row.reshape(K * k, L * l, c, d)
    return np.asarray(np.einsum("KLcd,cd->KL", row, right))


class _Climb:
    """The see-saw on one region's train."""

    def __init__(self, read: Backwards, sigma: Real) -> None:
        self.read, self.sigma, self.k = read, sigma, len(read.region)

    def distances(self, values: Real) -> Real:
        """½‖ρ − σ‖₁ of every row of values."""
        return np.asarray(0.5 * np.abs(np.linalg.eigvalsh(_matrix(values - self.sigma, self.k))).sum(axis=-1))

    def observables(self, values: Real) -> Real:
        """Coefficients a of A/2 = ½ sign(ρ − σ), for which ½ Tr Aρ = Σ a_P x_P; labels in the order of places."""
        w, V = np.linalg.eigh(_matrix(values - self.sigma, self.k))
        A = (V * np.sign(w)[..., None, :]) @ V.conj().swapaxes(-1, -2)
        a = np.einsum("pij,...ji->...p", pauli_basis(self.k), A, optimize=True).real / 2 ** (self.k + 1)
        return self.read.by_place(a)

    def products(self, starts: Real) -> tuple[Real, Real]:
        """Climb from every start; where they end, and their distances."""
        starts = starts.copy()
        found = self.distances(self.read.values(starts))
        for _ in range(ROUNDS):
            a = self.observables(self.read.values(starts))
            trial = self._pass(starts, a)
            now = self.distances(self.read.values(trial))
            better = now > found
            starts[better] = trial[better]
            gained = np.max(now - found)
            found = np.maximum(now, found)
            if gained < GAINED:
                break
        return starts, found

    def _pass(self, starts: Real, a: Real) -> Real:
        """Every site's Bloch vector along the gradient of ⟨A⟩, one site after the other."""
        starts, cores, sites = starts.copy(), self.read.train.cores, self.read.sites
        right = [a[:, :, None]]  # (start, labels that stand to the left, bond)
        for core, site in zip(cores[:0:-1], sites[:0:-1], strict=True):
            right.append(self._from_right(right[-1], core, starts[:, site]))
        left = np.ones((len(starts), 1, 1))
        for core, site in zip(cores, sites, strict=True):
            beyond = right.pop()
            split = beyond.reshape(len(starts), left.shape[1], core.shape[2], -1)
            half = np.einsum("sLl,sLdr->sldr", left, split, optimize=True)
            slope = np.einsum("sldr,lpdr->sp", half, core, optimize=True)[:, 1:]
            size = np.linalg.norm(slope, axis=1, keepdims=True)
            moved = np.where(size > SMALLEST, slope / np.maximum(size, SMALLEST), starts[:, site, 1:])
            starts[:, site, 1:] = moved
            closed = np.tensordot(starts[:, site], core, axes=(1, 1))
            left = np.einsum("sLl,sldr->sLdr", left, closed, optimize=True).reshape(len(starts), -1, core.shape[3])
        return starts

    @staticmethod
    def _from_right(beyond: Real, core: Real, bloch: Real) -> Real:
        S, d = len(beyond), core.shape[2]
        closed = np.tensordot(bloch, core, axes=(1, 1))
        return np.asarray(np.einsum("sLdr,sldr->sLl", beyond.reshape(S, -1, d, beyond.shape[2]), closed, optimize=True))

    def felt_most(self, start: Real) -> tuple[int, ...]:
        """The sites on whose letters the operators depend most."""
        right, weight = [np.ones((1, 1))], dict[int, float]()
        cores = self.read.train.cores
        for core in cores[:0:-1]:
            right.append(_norms(core, right[-1]) @ (1, 1))
        left = np.ones((1, 1))
        for core, site in zip(cores, self.read.sites, strict=True):
            weight[site] = float(np.einsum("ab,ab->", left, _norms(core, right.pop())[..., 1]))
            left = _norms(core.transpose(3, 1, 2, 0), left) @ (1, 1)
        ranked = sorted(weight, key=lambda site: (-weight[site], site))[:ENTANGLED]
        return tuple(site for site in self.read.sites if site in ranked)

    def entangled(self, start: Real, chosen: tuple[int, ...]) -> float:
        """The largest distance from states that are free on these sites and that product on the others."""
        m, best = len(chosen), 0.0
        values = self.read.values(start)
        for _ in range(ROUNDS):
            operator = self._backward_observable(self.observables(values), start, chosen)
            vector = np.linalg.eigh(_matrix(operator, m) * 2**m)[1][:, -1]
            values = self._values_of(_expectations(vector, m), start, chosen)
            now = float(self.distances(values))
            if now < best + GAINED:
                return max(best, now)
            best = now
        return best

    def _backward_observable(self, a: Real, start: Real, chosen: tuple[int, ...]) -> Real:
        """Pauli coefficients on the chosen sites of Σ a_P O_P, (4^m,)."""
        row = a.reshape(1, 1, -1)  # (letters, bond, labels to come)
        for core, site in zip(self.read.train.cores, self.read.sites, strict=True):
            Q, l, L = row.shape
            d = core.shape[2]
            part = core if site in chosen else np.einsum("lpdr,p->ldr", core, start[site])[:, None]
            row = np.einsum("QldL,lpdr->QprL", row.reshape(Q, l, d, L // d), part, optimize=True)
            row = row.reshape(-1, core.shape[3], L // d)
        return np.asarray(row.reshape(-1))

    def _values_of(self, y: Real, start: Real, chosen: tuple[int, ...]) -> Real:
        """X of a state with these Pauli expectations on the chosen sites."""
        row = y.reshape(1, 1, -1)  # (labels, bond, letters to come)
        for core, site in zip(self.read.train.cores, self.read.sites, strict=True):
            L, l, Q = row.shape
            part = core if site in chosen else np.einsum("lpdr,p->ldr", core, start[site])[:, None]
            p = part.shape[1]
            row = np.einsum("LlpQ,lpdr->LdrQ", row.reshape(L, l, p, Q // p), part, optimize=True)
            row = row.reshape(-1, core.shape[3], Q // p)
        return self.read.in_order(row.reshape(-1))


def _matrix(values: Real, k: int) -> Array:
    """Σ x_P P / 2^k of the last axis, the first site slowest."""
    batch = values.shape[:-1]
    made = values.reshape(*batch, 4**k, 1, 1).astype(complex)
    letters = pauli_basis(1) / 2
    for _ in range(k):  # the last letter becomes the fastest row and column
        *_, Q, a, b = made.shape
        split = made.reshape(*batch, Q // 4, 4, a, b)
        made = np.einsum("...Qpab,pij->...Qiajb", split, letters).reshape(*batch, Q // 4, 2 * a, 2 * b)
    return np.asarray(made[..., 0, :, :])


def _expectations(vector: Array, m: int) -> Real:
    """⟨P⟩ of all strings on m qubits."""
    rho = np.outer(vector, vector.conj()).reshape(1, 2**m, 2**m)
    for q in range(m):
        rest = 2 ** (m - 1 - q)
        rho = np.einsum("Qiajb,pji->Qpab", rho.reshape(-1, 2, rest, 2, rest), pauli_basis(1)).reshape(-1, rest, rest)
    return np.asarray(rho.real.reshape(-1))
