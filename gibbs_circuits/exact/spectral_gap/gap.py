r"""Spectral gap, the smallest non-zero decay rate of a generator.

In KMS balance $\mathcal L$ is similar to the Hermitian D of `blocks`, whose zero eigenvalues are counted off, not
thresholded: their number is a rank (`certificate`). Without balance the eigenvalues of the non-normal 𝓛 are taken.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse.linalg

from ...errors import NotConvergedError
from ...generators.lindbladian import Lindbladian
from ...generators.matrices import decay_operators, energy_spectrum, superoperator, transition_superoperator
from ...io.rendering import Brief
from ...linalg.arrays import Matrix, Real
from ..structure.action import damped
from ..structure.rates import rounding_scale
from .symmetry_blocks import Sector, hermitised_blocks

DENSE_DIM = 1024  # d² up to which a dense eigensolver is used
MAX_ZEROS = 12
MAX_ITERATIONS = 200
FIRST = 1e-7  # residual of the first attempt, relative to the largest rate
RELATIVE = 1e-5  # residual relative to the gap at which its error, the square over a distance, is below 1e-8 or so
SMALLEST = 1e-12
ATTEMPTS = 3
ROUNDING = 3e-15  # of dense eigenvalues, relative to the largest
RESOLVED = 10
GROWTH = 1e-9  # a non-normal spectrum is known to about this, relative to the largest rate
INVERSE_STEPS = 3


@dataclass(frozen=True, repr=False)
class Gap(Brief):
    """A gap and how it was found.

    Attributes:
        value: min −Re λ over λ ≠ 0; None where it is not known, with the reason.
        reason: Why there is no value; None where there is one.
        resolution: What the solver cannot tell from zero, and an estimate of the error: ‖D x − λ x‖ of the eigenvector,
            which bounds it; rounding for a dense solver, times the condition of the eigenvalue without balance.
        symmetries: Names of those that were used.
        sectors: How many sectors were searched.
        growth: max Re λ where it is positive, of a generator that is not; there is no gap then.
    """

    value: float | None
    resolution: float
    symmetries: tuple[str, ...] = ()
    sectors: int = 1
    growth: float | None = None
    reason: str | None = None

    def __float__(self) -> float:
        """The gap where it is resolved, else not a number: a plot has a hole there; `value` is what was found."""
        return float("nan") if self.known is None else self.known

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """As a number, for NumPy and Matplotlib."""
        return np.array(float(self), dtype=dtype)

    def __format__(self, spec: str) -> str:
        return format(float(self), spec) if spec else str(self)

    def _in_words(self) -> str:
        if self.value is None:
            return f"Gap(not known: {self.reason})"
        if self.growth is not None:
            return f"Gap(none: something grows at {self.growth:.4g})"
        return (
            f"Gap({self.value:.6g} ± {self.resolution:.0e})"
            if self.resolved
            else f"Gap(below {RESOLVED * self.resolution:.0e})"
        )

    @property
    def resolved(self) -> bool:
        """Whether the value stands above what the solver can tell from zero."""
        return self.value is not None and self.value > RESOLVED * self.resolution

    @property
    def known(self) -> float | None:
        """The value where it is resolved."""
        return self.value if self.resolved else None


def unknown_gap(reason: str) -> Gap:
    """A gap without a value, and the reason why there is none."""
    return Gap(None, np.inf, reason=reason)


def dense_decay_rates(lindbladian: Lindbladian, *, balanced: bool, hamiltonian: bool = False) -> Real:
    """All −Re λ, ascending, n <= 5; of the Hermitian D where the generator is balanced."""
    if not balanced:
        return np.sort(-np.linalg.eigvals(superoperator(lindbladian, hamiltonian=hamiltonian)).real)
    s = energy_spectrum(lindbladian)
    one = np.eye(s.dim)
    R = sum(damped(R, beta, s.bohr_frequencies) for beta, R in decay_operators(lindbladian))
    D = transition_superoperator(lindbladian, balanced=True) - 0.5 * (np.kron(one, R) + np.kron(np.conj(R), one))
    D = (D + D.conj().T) / 2
    return np.sort(-scipy.linalg.eigvalsh(D.real if not np.any(D.imag) else D, overwrite_a=True, check_finite=False))


def unbalanced_gap(lindbladian: Lindbladian, stationary: int, *, hamiltonian: bool) -> Gap:
    """Gap of a generator in no detailed balance, n <= 5, with what its non-normality makes of rounding.

    An eigenvalue is known to rounding × ‖𝓛‖ / |y†x| for unit left and right eigenvectors y and x, by inverse iteration.
    """
    L = superoperator(lindbladian, hamiltonian=hamiltonian)
    values = np.linalg.eigvals(L)
    values = values[np.argsort(-values.real, kind="stable")]
    size = float(np.linalg.norm(L, 2)) if len(L) <= DENSE_DIM // 4 else float(np.linalg.norm(L))
    noise = ROUNDING * max(size, rounding_scale(lindbladian))
    if values[0].real > GROWTH * size:
        return Gap(0.0, noise, growth=float(values[0].real))
    if stationary >= values.size:
        return unknown_gap("nothing decays")
    target = values[stationary]
    return Gap(max(0.0, float(-target.real)), noise * _eigenvalue_condition(L, complex(target), noise))


def _eigenvalue_condition(L: np.ndarray, value: complex, noise: float) -> float:
    """What rounding in L is multiplied with: 1/|y†x| of the eigenvalue nearest to `value`."""
    rng = np.random.default_rng(0)
    shifted = scipy.linalg.lu_factor(L - (value + noise * (1 + 1j)) * np.eye(len(L)), check_finite=False)
    x, y = (rng.standard_normal(len(L)) + 1j * rng.standard_normal(len(L)) for _ in range(2))
    for _ in range(INVERSE_STEPS):
        x = scipy.linalg.lu_solve(shifted, x / np.linalg.norm(x), check_finite=False)
        y = scipy.linalg.lu_solve(shifted, y / np.linalg.norm(y), trans=2, check_finite=False)
    overlap = abs(np.vdot(y / np.linalg.norm(y), x / np.linalg.norm(x)))
    return float(1 / overlap) if overlap > 0 and np.isfinite(overlap) else np.inf


def iterative_gap(lindbladian: Lindbladian, zeros: int = 1, *, use_symmetry: bool = True) -> Gap:
    """Gap of a balanced generator by LOBPCG with a diagonal preconditioner, sector by sector; Lanczos where it stalls.

    Args:
        lindbladian: In KMS balance, with kernels that have factors.
        zeros: Number of steady states.
        use_symmetry: Split by the weak symmetries that are found.

    Returns:
        No value, and the reason, when there are more than 12 steady states.

    Raises:
        NotConvergedError: If the solver does not settle.

    Accuracy: relative 1e-8 (measured against dense solvers on generated models, n <= 5); never worse than `resolution`.
    Cost: a few dozen applications per sector; memory of the jumps (8 bytes × couplings × 4**n) and about 20 vectors.
    """
    if zeros > MAX_ZEROS:
        return unknown_gap(f"there are {zeros} stationary operators; the iterative solver leaves out up to {MAX_ZEROS}")
    blocks = hermitised_blocks(lindbladian, use_symmetry=use_symmetry)
    lowest: list[tuple[float, float]] = []
    for s in blocks.sectors:
        sector = blocks.sector(s)
        if sector.dim:
            twins = 1 if s == blocks.opposite(s) else 2  # X† of X lives in sector −s with the same rate
            lowest.extend(twins * lowest_rates(sector, zeros))
    lowest.sort()
    value, resolution = lowest[zeros - 1]  # behind the other zeros: that of the steady state is left out
    return Gap(max(0.0, value), resolution, blocks.names, len(blocks.sectors))


def lowest_rates(sector: Sector, zeros: int) -> list[tuple[float, float]]:
    """The lowest `zeros` eigenvalues of −D in a sector with their resolution, σ^{1/2} left out.

    Raises:
        NotConvergedError: If neither LOBPCG nor Lanczos settles.
    """
    zero = sector.zero_mode
    rng = np.random.default_rng(20240404)
    wanted = min(zeros, sector.dim - (zero is not None))
    if wanted < 1:
        return []
    if sector.dim <= DENSE_DIM // 8 or (zeros > 1 and sector.dim <= DENSE_DIM):
        D = np.stack([sector(column) for column in np.eye(sector.dim)], axis=1)
        values = np.linalg.eigvalsh(-(D + D.conj().T) / 2)
        noise = ROUNDING * float(values[-1])
        return [(float(v), noise) for v in values[(zero is not None) :][:wanted]]
    diagonal = -sector.diagonal
    scale = float(np.max(diagonal))
    if sector.dim <= DENSE_DIM:

        def negative(v: np.ndarray) -> np.ndarray:
            return -sector(v)

        first = rng.standard_normal(sector.dim).astype(sector.blocks.dtype)
        values, vectors = _lanczos(negative, zero, first, wanted, scale, ncv=30)
        return [(float(v), _residual(negative, x, v)) for v, x in zip(values, vectors.T, strict=True)]
    floor = 1e-3 * scale
    width = wanted if wanted == 1 else wanted + 1  # one vector needs a third of the applications of three
    X = rng.standard_normal((sector.dim, width)).astype(sector.blocks.dtype)
    X *= (1 / np.maximum(diagonal, floor))[:, None]

    def apply(V: np.ndarray) -> np.ndarray:
        columns = V.reshape(sector.dim, -1)
        return np.stack([-sector(np.ascontiguousarray(c)) for c in columns.T], axis=1).reshape(V.shape)

    def precondition(V: np.ndarray) -> np.ndarray:
        return np.asarray(V.reshape(sector.dim, -1) / np.maximum(diagonal, floor)[:, None]).reshape(V.shape)

    shape, dtype = (sector.dim, sector.dim), sector.blocks.dtype
    operator = scipy.sparse.linalg.LinearOperator(shape, matvec=apply, matmat=apply, dtype=dtype)
    helper = scipy.sparse.linalg.LinearOperator(shape, matvec=precondition, matmat=precondition, dtype=dtype)
    Y = None if zero is None else zero.astype(dtype)[:, None]
    tolerance, order = FIRST * scale, np.arange(wanted)
    for _ in range(ATTEMPTS):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # stagnation is judged by the residuals below
            values, X = scipy.sparse.linalg.lobpcg(
                operator, X, M=helper, Y=Y, largest=False, tol=tolerance, maxiter=MAX_ITERATIONS
            )
        order = np.argsort(values)[:wanted]
        last = X[:, order[-1]]
        if _residual(apply, last, values[order[-1]]) <= max(RELATIVE * values[order[-1]], SMALLEST * scale):
            break
        tolerance = max(RELATIVE * abs(values[order[-1]]) / 2, SMALLEST * scale / 2)
    else:
        values, X = _lanczos(apply, zero, X[:, order[0]], wanted, scale)
        order = np.argsort(values)
    return [(float(values[k]), _residual(apply, X[:, k], values[k])) for k in order]


def _residual(apply: Callable[[np.ndarray], np.ndarray], v: np.ndarray, value: float) -> float:
    return float(np.linalg.norm(apply(v) - value * v) / np.linalg.norm(v))


def _lanczos(
    apply: Callable[[np.ndarray], np.ndarray],
    zero: Matrix | None,
    start: np.ndarray,
    wanted: int,
    scale: float,
    ncv: int = 80,
) -> tuple[Real, np.ndarray]:
    """Lanczos where LOBPCG stalls or is not worth its overhead, the steady state lifted out of the way."""

    def lifted(v: np.ndarray) -> np.ndarray:
        v = v.ravel()
        return apply(v) if zero is None else apply(v) + scale * zero * (zero @ v)

    dtype, size = start.dtype, start.size
    operator = scipy.sparse.linalg.LinearOperator((size, size), matvec=lifted, dtype=dtype)
    try:
        found = scipy.sparse.linalg.eigsh(
            operator, k=wanted, which="SA", v0=start, ncv=min(size - 1, ncv), tol=1e-11, maxiter=400
        )
    except scipy.sparse.linalg.ArpackNoConvergence as error:
        raise NotConvergedError(
            f"The smallest decay rate was not found to {error}, against a largest rate of {scale:.1e}. "
            "Fix: use other couplings or a smaller model."
        ) from None
    return found
