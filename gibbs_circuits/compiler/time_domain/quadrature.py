r"""Time-domain jumps: L = ∫ f(t) A(t) dt as a sum over nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...generators.filters.base import Filter
from ...linalg.arrays import Array, Real, read_only

SHORT = 2.0  # widths of a filter between two nodes from which on both miss it


@dataclass(frozen=True, eq=False)
class Nodes:
    r"""A uniform grid $t_l = (l - (N-1)/2)\,\tau$ with weights $w_l = \tau f(t_l)$: $L \approx \sum_l w_l A(t_l)$."""

    times: Real
    weights: Array

    def frequency(self, nu: Real) -> Array:
        r"""What the grid makes of the filter, $\sum_l w_l e^{i\nu t_l}$, periodic in ν with period 2π/τ."""
        return np.exp(1j * np.asarray(nu, dtype=float)[..., None] * self.times) @ self.weights


def uniform_nodes(filter: Filter, count: int, spacing: float) -> Nodes:
    """`count` nodes at distance `spacing`, centred on 0; one node of weight f̂(0) when f is a δ function (β = 0).

    A single node has that weight, all of f, wherever two of them, `spacing` apart, would miss f.

    The error falls faster than any power of 1/spacing for Gaussian f once π/spacing exceeds the largest Bohr
    frequency that the coupling reaches, down to the tail cut off at |t| = count · spacing / 2.
    """
    if filter.width == 0 or (count == 1 and spacing >= SHORT * filter.width):
        return Nodes(read_only(np.zeros(1)), read_only(filter.frequency(np.zeros(1))))
    times: Real = np.asarray((np.arange(count) - (count - 1) / 2) * spacing, dtype=np.float64)
    return Nodes(read_only(times), read_only(spacing * filter.time(times)))


def filter_error(filter: Filter, nodes: Nodes, nu: Real) -> float:
    """Max over ν of |Σ w_l e^{iνt_l} − f̂(ν)|."""
    return float(np.max(np.abs(nodes.frequency(nu) - filter.frequency(nu))))
