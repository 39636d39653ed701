r"""How fast the transitions of a generator are, in logarithms: what underflows is not zero, and what is frozen is said.

The rate of |j⟩ → |i⟩ is $\gamma(\nu_{ij})\sum_a|A^a_{ij}|^2$. Upward it is e^{−βν} of the rate back, so that downhill
rates say whether a state can relax at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...generators.lindbladian import Lindbladian
from ...generators.matrices import by_kernel, energy_spectrum, in_energy_basis
from ...linalg.arrays import Real, traceless

ALLOWED = 1e-26  # |A_ij|² beyond which a coupling joins two levels, relative to its largest
FROZEN = -15.0  # log10 of a downhill rate, relative to the largest, that no sum in doubles would see
DEAD = -290.0  # log10 of a rate whose products underflow
LN10 = float(np.log(10))


@dataclass(frozen=True)
class Rates:
    """Rates between levels that a coupling joins, in the inverse unit of time of the generator.

    Attributes:
        log10_largest, log10_smallest: Of the allowed transitions, up and down; None where nothing is allowed.
        allowed: How many pairs of levels a coupling joins.
        frozen: How many of them have a downhill rate below 1e-15 of the largest, or one that underflows.
        dead: Whether every one underflows: in double precision the generator leaves every level where it is.
        zero: Whether nothing moves within degenerate levels either, and no coherence is lost: the generator is zero.
    """

    log10_largest: float | None
    log10_smallest: float | None
    allowed: int
    frozen: int
    zero: bool = False

    @property
    def dead(self) -> bool:
        """See above; not where no level is joined to another, which is a matter of symmetry."""
        return self.log10_largest is not None and self.log10_largest < DEAD

    def __str__(self) -> str:
        if self.log10_largest is None or self.log10_smallest is None:
            return "no coupling joins two levels"
        frozen = f", {self.frozen} of {self.allowed} frozen" if self.frozen else f", {self.allowed} transitions"
        return f"{_power(self.log10_largest)} … {_power(self.log10_smallest)}{frozen}"


def _power(log10: float) -> str:
    return f"{10**log10:.3g}" if -4 < log10 < 5 else f"1e{log10:+.0f}" if np.isfinite(log10) else "0"


@lru_cache(maxsize=32)
def rates(lindbladian: Lindbladian) -> Rates:
    """The rates of a generator at its own Bohr frequencies; time O(8**n) per coupling, nothing of size 4**n × 4**n."""
    log10, joined = log10_rates(lindbladian)
    found = log10[joined]
    zero = not np.any(log10 > DEAD)
    if found.size == 0:
        return Rates(None, None, 0, 0, zero)
    top = float(np.max(found))
    both = np.concatenate([found, log10.T[joined]])
    seen = both[np.isfinite(both)]
    lowest = float(np.min(seen)) if seen.size else top
    frozen = int(np.count_nonzero((found < top + FROZEN) | (found < DEAD)))
    return Rates(top, lowest, int(found.size), frozen, zero)


def log10_rates(lindbladian: Lindbladian) -> tuple[Real, np.ndarray]:
    """log10 of γ(ν_ij) Σ|A_ij|² and whether i ← j is downhill and allowed; both (dim, dim)."""
    s = energy_spectrum(lindbladian)
    nu = s.bohr_frequencies
    apart = lindbladian.degeneracy
    total, joined = np.full(nu.shape, -np.inf), np.zeros(nu.shape, dtype=bool)
    for kernel, contacts in by_kernel(lindbladian):
        strength = np.sum(
            [np.abs(traceless(in_energy_basis(contact.coupling, s))) ** 2 for contact in contacts], axis=0
        )
        seen = strength > ALLOWED * np.max(strength)
        log = (kernel.log_balanced(nu) - kernel.beta * nu / 2 + np.log(np.where(seen, strength, 1.0))) / LN10
        total = np.where(seen, np.maximum(total, log) + np.log10(1 + 10 ** -np.abs(_difference(total, log))), total)
        joined |= seen & kernel.support(nu)
    return np.asarray(total), joined & (nu < -apart)


def rounding_scale(lindbladian: Lindbladian, *, balanced: bool = False) -> float:
    """Σ_a ‖A^a‖² max α(ν, ν) over the Bohr frequencies: what rounding in ⟨i|A|j⟩ is multiplied with.

    More than the rates where the fastest frequency is one that the couplings leave alone: an element that is zero is
    10⁻¹⁷ in doubles, and a filter of 1 there stands beside filters of 10⁻⁹. With `balanced`, of α̃.
    """
    nu, total = energy_spectrum(lindbladian).bohr_frequencies, 0.0
    for kernel, contacts in by_kernel(lindbladian):
        log = kernel.log_balanced(nu) - (0.0 if balanced else kernel.beta * nu / 2)
        size = sum(float(np.sum(np.abs(contact.coupling.coeffs))) ** 2 for contact in contacts)
        total += size * float(np.exp(min(float(np.max(log)), 650.0)))
    return total


def _difference(a: Real, b: Real) -> Real:
    """A − b, large where either is −∞."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(np.isfinite(a) & np.isfinite(b), a - b, 400.0))
