"""The secular kernel: only equal Bohr frequencies go together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...errors import ArgumentError, TooLargeError, check_real
from ...evidence import DAVIES
from ...io.rendering import Brief
from ...limits import MAX_CLASSES, MAX_SPARSE_ENTRIES
from ...linalg.arrays import Array, Mask, Matrix, Real, read_only
from ..baths.bath import Bath
from ..filters.base import Filter
from .base import Factors, Kernel, TimeFactors, Transitions
from .windows import FINER, fitted_windows

WINDOWS_PER_SIDE = 4  # of the default resolution, at least


@dataclass(frozen=True, eq=False, repr=False)
class Secular(Brief, Kernel):
    r"""Davies: $\alpha = \sqrt{\gamma(\nu_1)\gamma(\nu_2)}$ where ν1 and ν2 count as equal, 0 elsewhere.

    Frequencies closer than the tolerance are chained into one class and kept whole (partial secular).

    Args:
        bath: Gives γ.
        tolerance: Absolute, in the energy unit, >= 0.
        edges: Midpoints between the classes, once the Bohr frequencies are known.
        spread: Largest difference within a class.

    References:
        Davies, Commun. Math. Phys. 39, 91; for blocks of equal frequency Breuer & Petruccione, sec. 3.3.
    """

    bath: Bath
    tolerance: float
    edges: Real | None = None
    spread: float = 0.0
    detailed_balance = True
    references = ((DAVIES, "the Davies generator"),)

    @property
    def baths(self) -> tuple[Bath, ...]:
        return (self.bath,)

    @property
    def beta(self) -> float:
        return self.bath.beta

    @property
    def blur(self) -> float:
        return self.tolerance

    def same(self, nu1: Real, nu2: Real) -> Mask:
        """Whether two frequencies count as equal."""
        if self.edges is None:
            return np.asarray(np.abs(np.asarray(nu1) - np.asarray(nu2)) <= self.tolerance)
        return np.asarray(np.searchsorted(self.edges, nu1) == np.searchsorted(self.edges, nu2))

    def __call__(self, nu1: Real, nu2: Real) -> Array:
        root = np.sqrt(self.bath.rate(nu1)) * np.sqrt(self.bath.rate(nu2))
        return np.asarray(root * self.same(nu1, nu2), dtype=complex)

    def balanced(self, nu1: Real, nu2: Real) -> Array:
        """√(s(ν1) s(ν2)) within a class, s(ν) = γ(ν) e^{βν/2}."""
        root = np.sqrt(self.bath.symmetric(nu1)) * np.sqrt(self.bath.symmetric(nu2))
        return np.asarray(root * self.same(nu1, nu2), dtype=complex)

    def log_balanced(self, nu: Real) -> Real:
        """Ln s(ν)."""
        return self.bath.log_symmetric(nu)

    def support(self, nu: Real) -> Mask:
        return self.bath.support(nu)

    def on(self, nu: Real) -> Secular:
        """The same kernel with the classes of equal frequency that these fall into."""
        values = np.sort(np.asarray(nu, dtype=float), axis=None)
        apart = np.flatnonzero(np.diff(values) > self.tolerance)
        first, last = np.concatenate([[0], apart + 1]), np.concatenate([apart, [values.size - 1]])
        edges = read_only((values[apart + 1] + values[apart]) / 2)
        return replace(self, edges=edges, spread=float(np.max(values[last] - values[first])))

    def factors(self) -> Factors:
        """One per class of equal Bohr frequencies, exact on those given to `on`; none of them has a time kernel.

        Raises:
            ArgumentError: If `on` was not called.
            TooLargeError: With more than 1024 classes.
        """
        if self.edges is None:
            raise ArgumentError(
                "kind", "be told its Bohr frequencies first", "there are none", "call kernel.on(nu).factors()"
            )
        if self.edges.size + 1 > MAX_CLASSES:
            raise TooLargeError(
                f"Davies has one jump per coupling and Bohr frequency, here {self.edges.size + 1}; the limit is "
                f"{MAX_CLASSES}. Fix: use a smaller model, or a scheme in the time domain with a resolution."
            )
        return tuple((1.0, ClassFilter(self, k)) for k in range(self.edges.size + 1))

    def matrix(self, nu: Real, *, balanced: bool = False) -> Matrix:
        return (self.balanced if balanced else self)(nu[:, None], nu[None, :])

    def decay(self, A: Matrix, nu: Real) -> Matrix:
        """T†(1) of one coupling: A_ν†A_ν' with ν, ν' in one class joins levels within the tolerance only."""
        energies = nu[:, 0]
        root = np.sqrt(self.bath.rate(nu)) * A
        near = np.abs(energies[:, None] - energies[None, :]) <= max(self.tolerance, self.spread)
        R = np.diag(np.einsum("ki,ki->i", root.conj(), root))
        for i, j in zip(*np.nonzero(np.triu(near, 1)), strict=True):
            R = R.astype(root.dtype)
            R[i, j] = np.sum(root[:, i].conj() * root[:, j] * self.same(nu[:, j], nu[:, i]))
            R[j, i] = R[i, j].conj()
        return np.asarray(R)

    def transitions(self, couplings: Sequence[Matrix], nu: Real) -> Transitions:
        """T as a sparse matrix: it joins |i⟩⟨j| and |k⟩⟨l| only where E_i − E_k = E_j − E_l.

        Raises:
            TooLargeError: With more than 30 million entries.
        """
        import scipy.sparse  # loaded when used

        assert self.edges is not None
        d, total = len(nu), 0
        labels = np.searchsorted(self.edges, nu.ravel())
        root = np.sqrt(self.bath.rate(nu)).ravel()
        alive = np.flatnonzero(np.any([A.ravel() != 0 for A in couplings], axis=0) & (root > 0))
        order = alive[np.argsort(labels[alive], kind="stable")]
        entries, rows, columns = [], [], []
        for members in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
            total += members.size**2
            if total > MAX_SPARSE_ENTRIES:
                raise TooLargeError(
                    f"The secular generator on {d.bit_length() - 1} qubits has over {MAX_SPARSE_ENTRIES:.0e} entries, "
                    "because many Bohr frequencies are equal. Fix: use a smaller model."
                )
            amplitude = np.stack([root[members] * A.ravel()[members] for A in couplings])
            i, k = members // d, members % d  # A_ik and A_jl*: (i, j) from (k, l)
            entries.append((amplitude.T @ amplitude.conj()).ravel())
            rows.append((i[:, None] * d + i[None, :]).ravel())
            columns.append((k[:, None] * d + k[None, :]).ravel())
        found = (np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns)))
        sparse = scipy.sparse.csr_array(scipy.sparse.coo_array(found, shape=(d * d, d * d)))
        return Transitions((), np.asarray(sum(self.decay(A, nu) for A in couplings)), sparse)

    def time_factors(self, nu: Real, resolution: float | None = None, *, complete: bool = True) -> TimeFactors:
        """Every Bohr frequency a window; see `resolved`, and `default_resolution` for what is left out."""
        reach = float(np.max(np.abs(nu), initial=0.0))
        sigma = self.default_resolution(reach) if resolution is None else resolution
        found = self.resolved(nu if complete else np.arange(0.0, reach + sigma, sigma / FINER), sigma)
        return TimeFactors(found, sigma, self.error_of(found, nu) if complete else None)

    def default_resolution(self, reach: float) -> float:
        """The smaller of the frequency over which the bath's rate varies (at most 1/β) and a quarter of max |ν|.

        Below it γ is the same across a window, and a finer one would change only coherences between levels that the
        free evolution averages anyway; it would cost 1/σ as many jumps, each 1/σ as long. βσ <= 1 keeps the weight of a
        window from leaking to frequencies where the bath is e^{βν/2} times weaker.
        """
        scale = self.bath.scale if np.isfinite(self.bath.scale) else reach or 1.0
        return float(min(scale, reach / WINDOWS_PER_SIDE) if reach > 0 else scale)

    def resolved(self, nu: Real, resolution: float) -> Factors:
        r"""The kernel with every Bohr frequency ν_c a window of width σ, $q = e^{-(\nu-\nu_c)^2/4\sigma^2}$.

        Bohr frequencies in one cell of width σ share a window, so that there are at most 2 max|ν|/σ + 2. The weights
        are those that give every Bohr frequency its rate γ(ν), as nearly as weights >= 0 can: s(ν_c) where windows do
        not overlap. As σ → 0 at fixed gaps Δ between Bohr frequencies the error falls like $e^{-\Delta^2/4\sigma^2}$;
        at any σ detailed balance is exact.

        Args:
            nu: Bohr frequencies.
            resolution: σ, in the energy unit, at least the spread of a class of equal frequencies.

        Raises:
            ArgumentError: If σ is smaller than that.
            TooLargeError: With more than 2000 windows.
        """
        sigma = check_real("resolution", resolution, low=0.0, above=True)
        centres, spread = _classes(nu, self.tolerance)
        if sigma < spread:
            raise ArgumentError(
                "resolution", f"be at least the spread of frequencies that count as equal, {spread:.3g}",
                f"the value is {sigma:.3g}", f"set resolution = {4 * spread:.3g}, or a smaller degeneracy_tolerance",
            )  # fmt: skip
        points = _merged(centres, sigma / FINER)
        return fitted_windows(self.beta, points, self.bath.symmetric(points), _merged(centres, sigma), sigma)


@dataclass(frozen=True, eq=False, repr=False)
class ClassFilter(Brief, Filter):
    """√γ(ν) inside one class of equal Bohr frequencies, 0 elsewhere: a factor of Davies' kernel.

    Its partner in detailed balance is that of −ν. It is known on Bohr frequencies only, so that in time it lasts for
    ever.
    """

    kernel: Secular
    index: int
    name = "class"
    width = np.inf

    @property
    def beta(self) -> float:
        return self.kernel.beta

    def _inside(self, nu: Real) -> Mask:
        assert self.kernel.edges is not None  # made by a kernel that has its classes
        return np.asarray(np.searchsorted(self.kernel.edges, nu) == self.index)

    def _root(self, values: Callable[[Real], Real], nu: Real) -> Array:
        nu = np.asarray(nu, dtype=float)
        found = np.zeros(nu.shape, dtype=complex)
        inside = self._inside(nu)
        found[inside] = np.sqrt(values(nu[inside]))
        return found

    def symmetric(self, nu: Real) -> Array:
        return self._root(self.kernel.bath.symmetric, nu)

    def frequency(self, nu: Real) -> Array:
        return self._root(self.kernel.bath.rate, nu)

    def log_symmetric(self, nu: Real) -> Real:
        """½ ln s(ν) inside, −∞ elsewhere."""
        nu = np.asarray(nu, dtype=float)
        found, inside = np.full(nu.shape, -np.inf), self._inside(nu)
        found[inside] = self.kernel.bath.log_symmetric(nu[inside]) / 2
        return found

    def support(self, nu: Real) -> Mask:
        """Inside, where the bath has a spectrum."""
        return np.asarray(self._inside(nu) & self.kernel.support(nu))

    def time(self, t: Real) -> Array:
        """Refuse: it is known on frequencies only."""
        raise ArgumentError(
            "resolution", "be given for Davies' jumps in time", "a jump of one Bohr frequency lasts for ever",
            "set the knob resolution, the width in energy that such a jump is given",
        )  # fmt: skip


def _classes(nu: Real, tolerance: float) -> tuple[Real, float]:
    """Middles >= 0 of the classes of ±ν that count as equal, ascending, and the largest spread of one."""
    flat = np.asarray(nu, dtype=float).ravel()
    values = np.sort(np.concatenate([flat, -flat]))
    apart = np.flatnonzero(np.diff(values) > tolerance)
    first, last = values[np.r_[0, apart + 1]], values[np.r_[apart, values.size - 1]]
    middles = (first + last) / 2
    return middles[middles >= 0], float(np.max(last - first))


def _merged(values: Real, width: float) -> Real:
    """One value per cell of this width: itself where it is alone, the middle of the cell's values where not.

    The cell around 0 stays at 0, as its mirror images lie in it too.
    """
    cells = np.rint(values / width)
    _, first, count = np.unique(cells, return_index=True, return_counts=True)
    middles = (values[first] + values[first + count - 1]) / 2
    return np.where(cells[first] == 0, 0.0, middles)
