r"""The transition kernel α(ν1, ν2): the one object every generator is written through.

$T(\rho) = \sum_a\sum_{\nu_1\nu_2} \alpha(\nu_1,\nu_2)\, A^a_{\nu_1}\rho A^{a\dagger}_{\nu_2}$, α positive semidefinite.
Detailed balance asks that $\tilde\alpha = \alpha e^{\beta(\nu_1+\nu_2)/4}$ is unchanged by (ν1, ν2) → (−ν2, −ν1).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...evidence import DING_LI_LIN, Citation, Reference
from ...io.rendering import Brief
from ...linalg.arrays import Array, Mask, Matrix, Real
from ..baths.bath import Bath
from ..filters.base import Filter, grown, log_of

Factors = tuple[tuple[float, Filter], ...]  # (w_k, f̂_k) of Σ_k w_k f̂_k(ν1) f̂_k*(ν2)
Pair = tuple[Matrix, Matrix]  # X ↦ L X R†
MAX_COMPARED = 400


@dataclass(frozen=True, eq=False, repr=False)
class TimeFactors(Brief):
    """Factors of a kernel that all have a time kernel.

    Attributes:
        factors: (weight, filter).
        resolution: The width given to Davies' jumps; None for other kernels.
        error: max |Σ_k w_k f̂_k(ν1) f̂_k*(ν2) − α(ν1, ν2)| on the Bohr frequencies, or on a grid where
            these are not known; None for Davies, whose kernel they make, where they are not.
    """

    factors: Factors
    resolution: float | None
    error: float | None


@dataclass(frozen=True, eq=False)
class Transitions:
    """The transition part T of couplings that share a kernel, in the energy basis: X ↦ Σ L X R† + `sparse` X.

    Attributes:
        pairs: (L, R), each (d, d).
        decay: T†(1), (d, d).
        sparse: On matrices flattened row by row, (d², d²), a scipy.sparse.csr_array; None where there is none.
    """

    pairs: tuple[Pair, ...]
    decay: Matrix
    sparse: Any = None


class Kernel(ABC):
    """A function on pairs of Bohr frequencies, Hermitian, α(ν2, ν1) = α(ν1, ν2)*.

    A new one has a `beta`, its values and its `factors`, and says whether it is in detailed balance; everything else
    follows, and is overridden where a formula is better.
    """

    if TYPE_CHECKING:  # a dataclass would take a property for the default of its own field

        @property
        @abstractmethod
        def beta(self) -> float:
            """The inverse temperature it is made for."""

    @property
    def positive(self) -> bool:
        """Whether it is positive semidefinite as a formula."""
        return True

    @property
    def detailed_balance(self) -> bool:
        """Whether it is in KMS balance as a formula."""
        return False

    @property
    def blur(self) -> float:
        """Largest difference of two Bohr frequencies that it joins on purpose; infinite unless it is secular."""
        return np.inf

    @property
    def secular(self) -> bool:
        """Whether it joins equal Bohr frequencies only."""
        return bool(np.isfinite(self.blur))

    @property
    def rank_one(self) -> bool:
        """Whether one jump per coupling is all of it, whatever the Bohr frequencies."""
        return False

    @property
    def baths(self) -> tuple[Bath, ...]:
        """The physical baths it comes from; none for one that is made up."""
        return ()

    @property
    def references(self) -> tuple[Citation, ...]:
        """What to cite for the transitions."""
        return ()

    @property
    def coherent_reference(self) -> Reference:
        """What to cite for the coherent term B that belongs to it."""
        return DING_LI_LIN

    @abstractmethod
    def __call__(self, nu1: Real, nu2: Real) -> Array:
        """α(ν1, ν2), elementwise."""

    @abstractmethod
    def factors(self) -> Factors:
        """Weighted rank-one factors, α = Σ_k w_k f̂_k(ν1) f̂_k*(ν2)."""

    def balanced(self, nu1: Real, nu2: Real) -> Array:
        """α̃ = α(ν1, ν2) e^{β(ν1+ν2)/4}, in a form that does not overflow."""
        return grown(self(nu1, nu2), self.beta, np.asarray(nu1) + np.asarray(nu2))

    def log_balanced(self, nu: Real) -> Real:
        """Ln |α̃(ν, ν)|, −∞ where it vanishes; better in closed form. The rate of A_ν is α̃(ν, ν) e^{−βν/2}."""
        return log_of(self.balanced(nu, nu))

    def support(self, nu: Real) -> Mask:
        """Where α(ν, ν) ≠ 0 as a formula: which A_ν take part at all."""
        return np.ones(np.shape(nu), dtype=bool)

    def on(self, nu: Real) -> Kernel:
        """The same kernel, told which Bohr frequencies there are; `factors` then hold on these."""
        return self

    def one_sided(self, nu: Real) -> Array | None:
        """Γ(−ν) of a kernel α = Γ(−ν1) + Γ(−ν2)*, which has no factors; None for all others."""
        return None

    def matrix(self, nu: Real, *, balanced: bool = False) -> Matrix:
        """α(ν_p, ν_q) or α̃ on a list of frequencies given to `on`, (len(nu), len(nu))."""
        F = np.stack([np.sqrt(w) * filter.matrix(nu, balanced=balanced) for w, filter in self.factors()])
        return np.asarray(F.T @ F.conj())

    def decay(self, A: Matrix, nu: Real) -> Matrix:
        """T†(1) of one coupling ⟨i|A|j⟩ at the frequencies ν_ij given to `on`, (d, d)."""
        R = np.zeros(A.shape)
        for weight, filter in self.factors():
            L = filter.matrix(nu) * A
            R = R + weight * (L.conj().T @ L)
        return np.asarray(R)

    def transitions(self, couplings: Sequence[Matrix], nu: Real) -> Transitions:
        """T of these couplings ⟨i|A|j⟩ at the frequencies ν_ij given to `on`."""
        filters = [np.sqrt(weight) * filter.matrix(nu) for weight, filter in self.factors()]
        jumps = [f * A for A in couplings for f in filters]
        stacked = np.concatenate(jumps)
        return Transitions(tuple((J, J) for J in jumps), stacked.conj().T @ stacked)

    def time_factors(self, nu: Real, resolution: float | None = None, *, complete: bool = True) -> TimeFactors:
        """Factors for a circuit.

        Args:
            nu: Bohr frequencies.
            resolution: For Davies, the width in energy of a jump; other kernels do not use it.
            complete: False says that `nu` holds only the largest frequencies, and that all in between may occur.

        Accuracy: detailed balance to rounding; rates about 1e-6 relative for windows, 1e-8 for custom kernels; the
        error against the kernel is measured on up to 400 Bohr frequencies.

        Raises:
            ArgumentError: If the kernel is not positive, or a custom one is too rough to have filters in time.
            TooLargeError: With more than 2000 windows.
        """
        found = self.factors_in_time(nu)
        reach = float(np.max(np.abs(nu), initial=0.0))
        at = nu if complete else np.linspace(-reach, reach, MAX_COMPARED)
        return TimeFactors(found, None, self.error_of(found, at))

    def factors_in_time(self, nu: Real) -> Factors:
        """Factors whose filters have a time kernel, good between the largest of these frequencies."""
        return self.on(nu).factors()

    def error_of(self, factors: Factors, nu: Real) -> float:
        """Max |Σ_k w_k f̂_k(ν1) f̂_k*(ν2) − α(ν1, ν2)| on up to 400 of the frequencies, spread over all."""
        values = np.unique(nu)
        some = values[np.unique(np.linspace(0, values.size - 1, MAX_COMPARED).round().astype(int))]
        rebuilt: Array = np.zeros((some.size, some.size), dtype=complex)
        for weight, filter in factors:
            f = filter.frequency(some)
            rebuilt = rebuilt + weight * np.outer(f, f.conj())
        return float(np.max(np.abs(rebuilt - self.on(nu)(some[:, None], some[None, :]))))


@dataclass(frozen=True, repr=False)
class RankOne(Brief, Kernel):
    """α(ν1, ν2) = w f̂(ν1) f̂*(ν2): one jump operator per coupling."""

    filter: Filter
    weight: float = 1.0
    detailed_balance = True
    rank_one = True

    @property
    def beta(self) -> float:
        return self.filter.beta

    @property
    def baths(self) -> tuple[Bath, ...]:
        return self.filter.baths

    @property
    def references(self) -> tuple[Citation, ...]:
        return self.filter.references

    def __call__(self, nu1: Real, nu2: Real) -> Array:
        return self.weight * self.filter.frequency(nu1) * self.filter.frequency(nu2).conj()

    def balanced(self, nu1: Real, nu2: Real) -> Array:
        """α̃(ν1, ν2) = w q(ν1) q(ν2)*."""
        return self.weight * self.filter.symmetric(nu1) * self.filter.symmetric(nu2).conj()

    def log_balanced(self, nu: Real) -> Real:
        """Ln w + 2 ln |q|."""
        return np.asarray(np.log(self.weight) + 2 * self.filter.log_symmetric(nu))

    def support(self, nu: Real) -> Mask:
        return self.filter.support(nu)

    def factors(self) -> Factors:
        return ((self.weight, self.filter),)

    def time_factors(self, nu: Real, resolution: float | None = None, *, complete: bool = True) -> TimeFactors:
        """The filter itself, without an error at any frequency."""
        return TimeFactors(self.factors(), None, 0.0)
