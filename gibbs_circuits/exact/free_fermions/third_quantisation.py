r"""Quadratic generators by third quantisation: steady state and gap of hundreds of fermion modes in time O(n³).

Models, w, h, K and Γ are those of `quadratic`. A jump made of $A_a = c_a\cdot w$ is $L_a = (\hat f(K)c_a)\cdot w$. With
$N = \hat f(K)\,(\sum_a c_ac_a^T)\,\hat f(K)^\dagger$ the state follows $\dot\Gamma = X\Gamma + \Gamma X^T + Y$, where
$X = b - 2\,\mathrm{Re}\,N$ (+ h with H) and $Y = 4\,\mathrm{Im}\,N$. Here $R = \sum_a L_a^\dagger L_a =
\mathrm{tr}N - \frac i4\sum Y_{jk}w_jw_k$, so the coherent term is $B = \frac i4\sum b_{jk}w_jw_k$ with
$b_{kl} = -\frac i2\tanh(\beta(x_k-x_l)/4)\,Y_{kl}$ in the eigenbasis of K, $Kv_k = x_kv_k$. Together,
$X_{kl} = -2\,[s(\beta(x_k-x_l)/2)\,N_{kl} + s(\beta(x_l-x_k)/2)\,\overline N_{kl}]$ with $s(y) = 1/(1+e^{-y})$, which
never overflows; $\overline N$ has $\hat f(-x)^*$ in the place of $\hat f(x)$.

The rapidities are the eigenvalues of −X. Even operators decay with sums of an even number of them, odd ones with sums
of an odd number: an odd operator times the parity obeys the same quadratic form. The spectrum of the generator on all
operators is therefore the sums over all subsets.

References:
    Prosen, arXiv:0801.1257: third quantisation. Barthel & Zhang, arXiv:2112.08344: quasi-free systems, covariance
    equation. Ding, Li & Lin, arXiv:2404.05998: the generator; B in its Bohr form is this package's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ...errors import LARGEST, ArgumentError, InvalidModelError, check_beta, check_real
from ...generators.filters.base import Filter
from ...io.rendering import Brief
from ...linalg.arrays import Array, Real, read_only
from .model import QuadraticModel, check_covariance, eigensystem, finite_matrix, thermal_covariance

DEGENERACY_TOLERANCE = 1e-9
RANK_TOLERANCE = 1e-8
RATE_TOLERANCE = 1e-14
BALANCE_TOLERANCE = 1e-8
UNDERFLOW = 1e-300
ROUNDING = 16 * float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False, repr=False)
class QuadraticGenerator(Brief):
    r"""$\mathcal L(\rho) = -i[B,\rho] + \sum_a(L_a\rho L_a^\dagger - \frac12\{L_a^\dagger L_a,\rho\})$.

    $L_a = \sum_\nu\hat f(\nu)A^a_\nu$ with $A^a = \sum_j c_{aj}w_j$; −i[H, ·] is left out unless a function is told to
    add it.

    Args:
        model: Quadratic Hamiltonian of n modes.
        filter: f̂ and its β; the kernel is f̂(ν1) f̂*(ν2).
        couplings: Rows c_a, real, shape (m, 2n), none zero; None is every Majorana operator.
        coherent: False leaves B out: a negative control, the thermal state is then not stationary.

    Raises:
        InvalidModelError: If the couplings do not fit the model.
        ArgumentError: If β is not one, or f̂ is not finite at a frequency of the model.
    """

    model: QuadraticModel
    filter: Filter
    couplings: Real | None = None
    coherent: bool = True

    def __post_init__(self) -> None:
        check_beta(self.filter.beta, "filter.beta")
        if not isinstance(self.coherent, bool):
            raise ArgumentError("coherent", "be true or false", f"{self.coherent!r} was found", "set coherent = True")
        if self.couplings is not None:
            c, width = finite_matrix("couplings", self.couplings, complex_allowed=False), 2 * self.model.modes
            if c.shape[1] != width or not c.size:
                raise InvalidModelError(
                    "couplings",
                    f"have one row per coupling and {width} columns, two per mode",
                    f"the shape is {c.shape}",
                    f"pass np.eye({width})",
                )
            for index in np.flatnonzero(~np.any(c, axis=1)):
                raise InvalidModelError(f"couplings[{index}]", "exchange heat", "it is zero", "leave it out")
            object.__setattr__(self, "couplings", read_only(c.copy()))
        x = eigensystem(self.model)[0]
        with np.errstate(over="ignore"):
            largest = np.max(np.abs(self.filter.frequency(np.concatenate([x, -x]))))
        if not largest <= LARGEST:
            raise ArgumentError(
                "filter",
                f"be finite, at most {LARGEST:g}, at the frequencies of `{self.model.name}`",
                f"its largest value is {largest:g}",
                "use GaussianFilter(beta)",
            )

    @property
    def beta(self) -> float:
        """The inverse temperature, that of the filter."""
        return self.filter.beta

    @property
    def rows(self) -> Real:
        """The coupling vectors c_a as a matrix, shape (m, 2n)."""
        return np.eye(2 * self.model.modes) if self.couplings is None else self.couplings


def covariance_equation(generator: QuadraticGenerator, hamiltonian: bool = False) -> tuple[Real, Real]:
    r"""(X, Y) of $\dot\Gamma = X\Gamma + \Gamma X^T + Y$; `hamiltonian` adds −i[H, ·]."""
    from scipy.special import expit  # loaded when used

    x, U, f, f_minus, C = _single_particle(generator)
    N, mirrored = f[:, None] * C * f.conj(), f_minus.conj()[:, None] * C * f_minus
    half = expit(generator.beta * (x[:, None] - x) / 2) if generator.coherent else np.full(C.shape, 0.5)
    X = -2 * (U @ (half * N + half.T * mirrored) @ U.conj().T).real
    Y = 4 * (U @ N @ U.conj().T).imag
    return X + generator.model.majorana if hamiltonian else X, (Y - Y.T) / 2


def residual(generator: QuadraticGenerator, covariance: NDArray[Any] | None = None, hamiltonian: bool = False) -> float:
    r"""$\|X\Gamma + \Gamma X^T + Y\|_F / (2\|X\|_F)$; Γ is the thermal one by default."""
    model = generator.model
    gamma = thermal_covariance(model, generator.beta) if covariance is None else check_covariance(model, covariance)
    X, Y = covariance_equation(generator, hamiltonian)
    XG = X @ gamma
    scale = 2 * float(np.linalg.norm(X))
    return float(np.linalg.norm(XG - XG.T + Y)) / scale if scale > 0 else 0.0


def rapidities(generator: QuadraticGenerator, hamiltonian: bool = False) -> Array:
    r"""Eigenvalues of −X, by ascending real part, shape (2n,): the spectrum of $-\mathcal L$ is their subset sums.

    In KMS balance X is similar to the symmetric $-p_k\,C_{kl}\,\bar p_l/\cosh(\beta(x_k-x_l)/4)$ (+ h), C =
    Σ c_a c_aᵀ in the eigenbasis of K, $|p|^2 = |\hat f(x)|^2 + |\hat f(-x)|^2$ and the phase of p that of f̂.

    Accuracy: 1e-14 of the largest in balance; time O(n³).
    """
    if generator.coherent and _balanced(generator):
        x, U, f, f_minus, C = _single_particle(generator)
        larger = np.where(np.abs(f) >= np.abs(f_minus), f, f_minus.conj())
        p = np.hypot(np.abs(f), np.abs(f_minus)) * np.exp(1j * np.angle(larger))
        decay = np.exp(-generator.beta * np.abs(x[:, None] - x) / 4)
        S = (U @ (p[:, None] * C * p.conj() * (2 * decay / (1 + decay**2))) @ U.conj().T).real
        minus_X = S - generator.model.majorana if hamiltonian else S
    else:
        minus_X = -covariance_equation(generator, hamiltonian)[0]
    if hamiltonian or (generator.coherent and not _balanced(generator)):
        values = np.linalg.eigvals(minus_X)
    else:
        values = np.linalg.eigvalsh((minus_X + minus_X.T) / 2)
    return np.asarray(values[np.argsort(values.real)], dtype=complex)


def steady_states(generator: QuadraticGenerator) -> int:
    """Dimension 2^z of the stationary operators of the generator without H, z the number of zero rapidities.

    In balance z is a rank without β: the directions that no A_ν of non-zero weight reaches. Otherwise a rate below
    1e-14 of the largest counts as zero, and a pair of rapidities ±iω counts as one.
    """
    idle = _undamped(generator, hamiltonian=False)
    return int(2 ** (idle.count - idle.oscillating // 2))


def spectral_gap(generator: QuadraticGenerator, hamiltonian: bool = False) -> float | None:
    """Min −Re λ over λ ≠ 0 on all operators, odd ones included: the smallest real part of a rapidity.

    Zero rapidities are counted off, not thresholded; see `steady_states`. None when nothing decays or oscillates.

    Args:
        generator: Quadratic generator.
        hamiltonian: Adds −i[H, ·]; undamped modes that H turns then oscillate for ever and the gap is 0.
    Returns:
        The gap, >= 0, in units of 1/time. It underflows to 0.0 where f̂ does; `steady_states` then still is 1.
    Accuracy: 1e-14 of the largest rapidity in balance; O(n³).
    """
    idle = _undamped(generator, hamiltonian)
    if idle.oscillating:
        return 0.0
    if idle.count == 2 * generator.model.modes:
        return None
    return max(0.0, float(rapidities(generator, hamiltonian)[idle.count].real))


def steady_covariance(generator: QuadraticGenerator, hamiltonian: bool = False) -> Real:
    r"""Γ with $X\Gamma + \Gamma X^T + Y = 0$; of several, the one that the maximally mixed state relaxes to.

    In KMS balance with B it is the thermal one, on what the couplings reach, and is read off rather than solved for:
    rates below rounding would leave it undetermined. `residual` checks it against the equation. Otherwise it is the
    solution of the Lyapunov equation.

    Raises:
        ArgumentError: If a rate is too small to solve the equation.
    Accuracy: 1e-12 in balance; otherwise 1e-15 × largest / smallest non-zero rapidity; O(n³).
    """
    model, idle = generator.model, _undamped(generator, hamiltonian)
    if generator.coherent and _balanced(generator):
        gamma = thermal_covariance(model, generator.beta)
        return gamma if idle.reached is None else idle.reached @ gamma @ idle.reached
    if idle.count == 2 * model.modes:
        return np.zeros_like(model.majorana)
    X, Y = covariance_equation(generator, hamiltonian)
    Q = np.eye(len(X)) if idle.reached is None else np.linalg.eigh(idle.reached)[1][:, idle.count :]
    X, Y = Q.T @ X @ Q, Q.T @ Y @ Q
    rates = np.abs(np.linalg.eigvals(X).real)
    if np.min(rates) <= ROUNDING * float(np.linalg.norm(X, 2)):  # SciPy notices only where it divides by zero
        raise ArgumentError("generator", "decay faster than rounding errors", "a rate is lost in them", "lower beta")
    solved = scipy.linalg.solve_continuous_lyapunov(X, -Y)
    gamma = Q @ solved @ Q.T
    return np.asarray((gamma - gamma.T) / 2)


def relaxation(
    generator: QuadraticGenerator, covariance: NDArray[Any], times: Sequence[float], hamiltonian: bool = False
) -> Real:
    r"""$\Gamma(t) = \Gamma_\infty + e^{Xt}(\Gamma(0) - \Gamma_\infty)e^{X^Tt}$, shape (len(times), 2n, 2n).

    Raises:
        ArgumentError: If the covariance is not one of the model's or a time is negative.
    Accuracy: 1e-12 at moderate β; O(n³) per time.
    """
    final, X = steady_covariance(generator, hamiltonian), covariance_equation(generator, hamiltonian)[0]
    start = check_covariance(generator.model, covariance) - final
    flows = (scipy.linalg.expm(X * check_real(f"times[{i}]", t, low=0.0)) for i, t in enumerate(times))
    return np.array([final + flow @ start @ flow.T for flow in flows]).reshape(-1, *final.shape)


def _single_particle(generator: QuadraticGenerator) -> tuple[Real, Array, Array, Array, Array]:
    """x, U, f̂(x), f̂(−x), and Σ c_a c_aᵀ in the eigenbasis of K."""
    x, U = eigensystem(generator.model)
    columns = U.conj().T @ generator.rows.T
    f, f_minus = (np.asarray(generator.filter.frequency(y), dtype=complex) for y in (x, -x))
    return x, U, f, f_minus, columns @ columns.conj().T


def _balanced(generator: QuadraticGenerator) -> bool:
    """Whether f̂(x) = f̂(−x)* e^{−βx/2} at the frequencies x >= 0 of the model; the others are their mirror images."""
    x = generator.model.energies
    f, mirrored = generator.filter.frequency(x), generator.filter.frequency(-x).conj() * np.exp(-generator.beta * x / 2)
    return bool(np.all(np.abs(f - mirrored) <= BALANCE_TOLERANCE * np.abs(f) + UNDERFLOW))


@dataclass(frozen=True, eq=False)
class _Undamped:
    count: int  # zero real parts among the rapidities
    oscillating: int  # those of them with an imaginary part
    reached: Real | None  # projector on the rest; None when there is no undamped direction


def _undamped(generator: QuadraticGenerator, hamiltonian: bool) -> _Undamped:
    """The largest subspace that the antisymmetric part of X maps to itself and no jump vector reaches.

    In balance it is what no P_ν c_a reaches, with P_ν the projectors of K: without β, hence without underflow.
    """
    x, U, f, _, _ = _single_particle(generator)
    columns = U.conj().T @ generator.rows.T
    if generator.coherent and generator.beta > 0 and _balanced(generator):
        alive = generator.filter.support(x) & generator.filter.support(-x)
        smallest = RANK_TOLERANCE * float(np.max(np.linalg.norm(columns, axis=0)))
        return _unreached(x, U, alive[:, None] * columns, float(x[-1]), smallest, rotates=hamiltonian)
    X, _ = covariance_equation(generator, hamiltonian)
    turning, V = np.linalg.eigh(0.5j * (X - X.T))
    jumps = U @ (f[:, None] * columns)
    both = np.hstack([jumps, jumps.conj()])
    scale = float(np.max(np.abs(X)))
    smallest = np.sqrt(max(RATE_TOLERANCE * scale, UNDERFLOW))
    return _unreached(turning, V, V.conj().T @ both, scale, smallest, rotates=True)


def _unreached(
    frequencies: Real, vectors: Array, columns: Array, scale: float, smallest: float, *, rotates: bool
) -> _Undamped:
    """What lies, level by level, outside the span of the columns, which are given in the basis of the vectors."""
    starts = np.flatnonzero(np.diff(frequencies) > DEGENERACY_TOLERANCE * scale) + 1
    found, oscillating = [], 0
    for level in np.split(np.arange(frequencies.size), starts):
        left, values, _ = np.linalg.svd(columns[level], full_matrices=False)
        rank = int(np.sum(values > smallest))
        found.append(vectors[:, level] @ left[:, :rank])
        if rotates and np.max(np.abs(frequencies[level])) > DEGENERACY_TOLERANCE * scale:
            oscillating += level.size - rank
    basis = np.hstack(found)
    count = frequencies.size - basis.shape[1]
    return _Undamped(count, oscillating, (basis @ basis.conj().T).real if count else None)
