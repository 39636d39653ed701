r"""A user's kernel as few filters that have time kernels, by Nyström's method.

$\int\tilde\alpha(\nu,\nu')\,q_k(\nu')\,d\mu(\nu') = \lambda_k q_k(\nu)$ on Gauss–Legendre nodes in |ν| <= max |ν|, the
measure $d\mu = e^{\beta|\nu|/2}d\nu$ weighing α̃ as the larger of the rates at ±ν. Then
$\tilde\alpha = \sum_k\lambda_k q_k q_k^*$, with
$q_k(\nu) = \lambda_k^{-1}\sum_j\mu_j\tilde\alpha(\nu,\nu_j)q_k(\nu_j)$ wherever the kernel is defined.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...errors import ArgumentError
from ...io.rendering import Brief
from ...linalg.arrays import Array, Mask, Real, read_only
from ..filters.base import MASS_OF_A_WIDTH, Filter, bump, fourier
from .base import Kernel

NODES = (32, 64, 128, 256, 512)
RELATIVE_WEIGHT = 1e-10  # of λ_k against the largest; below, a factor is left out
ACCURACY = 1e-8  # of the rates, relative to the largest
WORST_ACCURACY = 1e-3
POINTS = 4097  # of `fourier` where it needs no more


@dataclass(frozen=True, eq=False, repr=False)
class EigenFilter(Brief, Filter):
    """One eigenfunction q_k of a kernel, q(−ν) = q(ν)* to the last bit, cut off smoothly beyond the largest ν.

    Args:
        kernel: The kernel.
        nodes: ν_j.
        vector: μ_j q_k(ν_j) / λ_k.
        reach: Largest |ν| that counts.
        edge: Length over which it goes to zero beyond.
    """

    kernel: Kernel
    nodes: Real
    vector: Array
    reach: float
    edge: float
    name = "eigenfunction"

    @property
    def beta(self) -> float:
        return self.kernel.beta

    @property
    def limit(self) -> float:
        """The |ν| from which on the filter is zero."""
        return self.reach + self.edge

    def symmetric(self, nu: Real) -> Array:
        nu = np.asarray(nu, dtype=float)
        flat = np.clip(nu.ravel(), -self.limit, self.limit)
        forward, backward = (self.kernel.balanced(x[:, None], self.nodes) @ self.vector for x in (flat, -flat))
        q = (forward + backward.conj()) / 2
        beyond = np.maximum(np.abs(flat) - self.reach, 0.0) / self.edge
        return np.asarray((q * bump((1 + beyond) / 2)).reshape(nu.shape))

    def frequency(self, nu: Real) -> Array:
        nu = np.asarray(nu, dtype=float)
        return np.asarray(self.symmetric(nu) * np.exp(-self.beta * np.clip(nu, -self.limit, self.limit) / 4))

    def support(self, nu: Real) -> Mask:
        """Where it is not cut off."""
        return np.abs(np.asarray(nu)) < self.limit

    @cached_property
    def samples(self) -> Array:
        """f̂ on the grid of `fourier`."""
        return read_only(self.frequency(np.linspace(-self.limit, self.limit, POINTS)))

    @cached_property
    def width(self) -> float:
        """|t| within which 99.5 % of |f|² lie."""
        count = 4 * (POINTS - 1)  # a step of a quarter of Nyquist's
        size = np.abs(np.fft.fft(self.samples, count)) ** 2
        mass = np.cumsum(size[1 : count // 2] + size[: count // 2 : -1])
        return float((1 + np.searchsorted(mass, MASS_OF_A_WIDTH * mass[-1])) * np.pi / (4 * self.limit))

    def time(self, t: Real) -> Array:
        return fourier(lambda nu: self.samples if nu.size == POINTS else self.frequency(nu), self.limit, t)


def smooth_factors(kernel: Kernel, reach: float) -> tuple[tuple[float, EigenFilter], ...]:
    """(λ_k, q_k), the heaviest first; those with λ_k < 1e-10 λ_1 are left out.

    The number of nodes is doubled until the rates at 129 frequencies in between are right to 1e-8.

    Raises:
        ArgumentError: If 512 nodes leave 1e-3: the kernel is too rough, or resolves single frequencies; or if it is not
            finite a little beyond the largest frequency.
    """
    edge = min(reach, 4 / kernel.beta) if kernel.beta > 0 else reach
    between = np.linspace(-reach, reach, 129)
    wide = np.linspace(-reach - edge, reach + edge, 65)
    if not np.all(np.isfinite(kernel.balanced(wide[:, None], wide[None, :]))):
        raise ArgumentError(
            "kernel", f"be finite on |ν| <= {reach + edge:.4g} to become a circuit", "it is not finite somewhere",
            "let it fall off smoothly beyond the largest Bohr frequency",
        )  # fmt: skip
    weigh = np.exp(kernel.beta * np.abs(between) / 4)
    exact = weigh[:, None] * kernel.balanced(between[:, None], between[None, :]) * weigh
    for count in NODES:
        found = _eigenfunctions(kernel, count, reach, edge)
        nodes, vectors = found[0][1].nodes, np.stack([np.sqrt(value) * f.vector for value, f in found], axis=1)
        forward, backward = (kernel.balanced(x[:, None], nodes) @ vectors for x in (between, -between))
        Q = weigh[:, None] * (forward + backward.conj()) / 2
        error = float(np.max(np.abs(Q @ Q.conj().T - exact)) / np.max(np.abs(exact)))
        if error <= ACCURACY:
            break
    if error > WORST_ACCURACY:
        raise ArgumentError(
            "kernel", "be smooth in both frequencies to have filters in time",
            f"{len(found)} filters on {NODES[-1]} nodes leave an error of {error:.1e}", 'use kind = "davies", or "dll"',
        )  # fmt: skip
    return tuple(found)


def _eigenfunctions(kernel: Kernel, count: int, reach: float, edge: float) -> list[tuple[float, EigenFilter]]:
    x, w = np.polynomial.legendre.leggauss(count)
    x = (x - x[::-1]) / 2  # symmetric to the last bit
    nodes, root = reach * x, np.sqrt(reach * (w + w[::-1]) / 2) * np.exp(kernel.beta * np.abs(reach * x) / 4)
    M = root[:, None] * kernel.balanced(nodes[:, None], nodes[None, :]) * root
    # in this basis v(−ν) = v(ν)* means real components, so that the real eigenvectors are in detailed balance
    half, one = count // 2, np.eye(count)
    even, odd = one[:, :half] + one[:, ::-1][:, :half], one[:, :half] - one[:, ::-1][:, :half]
    basis = np.hstack([even, 1j * odd]) / np.sqrt(2)
    values, vectors = np.linalg.eigh((basis.conj().T @ M @ basis).real)
    return [
        (float(value), EigenFilter(kernel, read_only(nodes), read_only(root * (basis @ c) / value), reach, edge))
        for value, c in zip(values[::-1], vectors.T[::-1], strict=True)
        if value > RELATIVE_WEIGHT * values[-1]
    ]
