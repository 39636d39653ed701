r"""Fixed point and contraction of a channel that is known by its action only.

Both come from one Krylov space on the traceless Hermitian matrices, which the channel Φ maps into themselves and where
the eigenvalue 1 of the fixed point is absent: the contraction is the spectral radius there, and $\rho = 1/d + x$ with
$(1 - \Phi)x = \Phi(1/d) - 1/d$. Two vectors span it, that right-hand side and a random one. Being Hermitian matrices,
they are mapped two at a time, as A + iB.

References:
    Saad & Schultz, SIAM J. Sci. Stat. Comput. 7, 856 (1986): minimal residuals. Ruhe, Math. Comp. 33, 680 (1979): band
    Arnoldi. Saad, Numerical Methods for Large Eigenvalue Problems (2011), §3.2 and §6.2: condition and residual of an
    eigenvalue.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse.linalg

from ..errors import ArgumentError, NotConvergedError
from .arrays import Array, Real, packed, unpacked, unvec, vec
from .maps import Action

MAX_APPLICATIONS = 300
TRACE_TOLERANCE = 1e-6  # of a channel that keeps the trace
DEPENDENT = 1e-14  # a new vector smaller than this adds nothing
SEVERAL = 1e-8  # 1 − Φ below which there is a second fixed point


@dataclass(frozen=True, eq=False)
class Relaxation:
    """What repeating a channel leads to, how fast, and how well that is known.

    Attributes:
        state: The fixed point; of several, the one reached from the maximally mixed state.
        residual: ‖Φ(ρ) − ρ‖_F, measured.
        state_error: Estimated error of the state in the same norm, the residual times ‖(1 − Φ)⁻¹‖ on the space found.
        contraction: Largest modulus among the eigenvalues on traceless matrices.
        contraction_error: Its estimated error, the residual of the eigenvector times the eigenvalue's condition.
        applications: Of the channel.
        converged: Whether both errors are within what was asked for.
    """

    state: Array
    residual: float
    state_error: float
    contraction: float
    contraction_error: float
    applications: int
    converged: bool

    @property
    def text(self) -> str:
        """How the search for it went, in one line."""
        return (
            f"{'Converged' if self.converged else 'Not converged'} after {self.applications} applications of the "
            f"channel: ‖Φ(ρ) − ρ‖ = {self.residual:.1e}, error of the fixed point about {self.state_error:.1e}, "
            f"contraction {self.contraction:.6g} to about {self.contraction_error:.1e}."
        )


@dataclass(frozen=True, eq=False)
class _Estimate:
    """Of one Krylov space: coefficients of x, its error, the largest eigenvalue's modulus, its error; 1 again."""

    coefficients: Real
    state_error: float
    contraction: float
    contraction_error: float
    several: bool


def relaxation(
    channel: Action,
    *,
    state_error: float = 1e-9,
    contraction_error: float = 1e-6,
    max_applications: int = MAX_APPLICATIONS,
    paired: bool = True,
    seed: int = 0,
) -> Relaxation:
    """Fixed point and contraction of a trace-preserving map; an outcome that says so where they are not found.

    Args:
        channel: Anything linear and Hermiticity-preserving with `apply` and `dim`.
        state_error: Of the fixed point, in the Frobenius norm.
        contraction_error: Of the contraction; infinite: not asked for.
        max_applications: After which the best estimate is returned.
        paired: False where `apply` takes Hermitian matrices only; then every step is two applications.
        seed: Of the random vector.

    Raises:
        ArgumentError: If the map does not keep the trace of the maximally mixed state.

    Cost: 25 to 40 applications at a contraction of 0.8, 100 at 0.97; 16 · 4**n bytes for each.
    """
    d = channel.dim
    mixed = np.asarray(np.eye(d) / d, dtype=complex)
    image = channel.apply(mixed)
    if abs(np.trace(image) - 1) > TRACE_TOLERANCE:
        raise ArgumentError(
            "channel", "keep the trace", f"it takes the mixed state to trace {np.trace(image):.6g}",
            "pass a channel, such as one from `sweep_map`",
        )  # fmt: skip
    target = _vector(image - mixed)
    noise = _vector(unpacked(np.random.default_rng(seed).standard_normal((d, d))))
    budget = max(1, max_applications - 2)
    asked = (state_error, contraction_error)
    space = _Space(channel, [target, noise], budget, paired)
    found = space.search(target, *asked)
    if found.several:  # only the space of the target itself leads to the right one of many
        own = _Space(channel, [target], budget, paired)
        first, found = found, own.search(target, state_error, np.inf)
        found = _Estimate(found.coefficients, found.state_error, first.contraction, first.contraction_error, False)
        own.applications += space.applications
        space = own
    x = unpacked((found.coefficients @ space.basis[: found.coefficients.size]).reshape(d, d))
    rho = mixed + x
    residual = float(np.linalg.norm(channel.apply(rho) - rho))
    return Relaxation(
        rho, residual, found.state_error, found.contraction, found.contraction_error, space.applications + 2,
        found.state_error <= state_error and found.contraction_error <= contraction_error,
    )  # fmt: skip


class _Space:
    """A Krylov space from several starts, grown vector by vector: Φ V = V H, columns of H from those mapped so far."""

    def __init__(self, channel: Action, starts: list[Real], budget: int, paired: bool) -> None:
        self.channel, self.paired, self.budget, self.applications = channel, paired, budget, 0
        self.starts = len(starts)
        rows = min(2 * budget, channel.dim**2) + len(starts)
        self.basis = np.empty((rows, channel.dim**2))
        self.entries = np.zeros((rows, rows))
        self.size = self.mapped = 0
        for start in starts:
            self._add(start, np.zeros(rows))

    def search(self, target: Real, state_error: float, contraction_error: float) -> _Estimate:
        """Grow until both errors are small enough, the space is closed or the budget is spent."""
        check = 4
        while True:
            closed = self.mapped == self.size
            spent = self.applications + (1 if self.paired else 2) > self.budget
            if closed or spent or self.applications >= check:
                found = self._estimate(target)
                good = found.state_error <= state_error and found.contraction_error <= contraction_error
                if closed or spent or good or (found.several and self.starts > 1):
                    return found
                check = self.applications + max(4, self.applications // 8)
            self._grow()

    def _grow(self) -> None:
        """Map the next two vectors of the basis, or the last one."""
        d, first = self.channel.dim, self.mapped
        pair = [unpacked(v.reshape(d, d)) for v in self.basis[first : min(first + 2, self.size)]]
        if self.paired or len(pair) == 1:
            image = self.channel.apply(pair[0] + 1j * pair[1] if len(pair) == 2 else pair[0])
            images = [image + image.conj().T, -1j * (image - image.conj().T)][: len(pair)]
            self.applications += 1
        else:
            images = [2 * self.channel.apply(X) for X in pair]
            self.applications += 2
        self.mapped += len(pair)
        for column, image in enumerate(images, start=first):
            self._add(_vector(image / 2), self.entries[:, column])

    def _add(self, w: Real, column: Real) -> None:
        """Orthogonalise twice, so that rounding does not build up; the coefficients go into `column`."""
        V = self.basis[: self.size]
        for _ in range(2):
            h = V @ w
            w = w - h @ V
            column[: self.size] += h
        norm = float(np.linalg.norm(w))
        if norm > DEPENDENT and self.size < len(self.basis):
            self.basis[self.size] = w / norm
            column[self.size] = norm
            self.size += 1

    def _estimate(self, target: Real) -> _Estimate:
        """Least squares of (1 − Φ) x = target, and the eigenvalue of largest modulus."""
        k, m = self.size, self.mapped
        if m == 0:  # Φ(1/d) = 1/d and no traceless matrix at all
            return _Estimate(np.zeros(0), 0.0, 0.0, 0.0, False)
        H = self.entries[:k, :m]
        U, values, W = np.linalg.svd(np.eye(k, m) - H, full_matrices=False)
        goal = self.basis[:k] @ target
        inside = U.T @ goal
        y = W.T @ (inside / np.maximum(values, 1e-300))
        missed = float(np.linalg.norm(goal - U @ inside))
        found: Any = scipy.linalg.eig(H[:m], left=True, right=True)
        eigenvalues, left, right = found
        defects = np.linalg.norm(H[m:] @ right, axis=0)
        again = bool(np.any((np.abs(eigenvalues - 1) < SEVERAL) & (defects < SEVERAL)))
        top = int(np.argmax(np.abs(eigenvalues)))
        condition = 1 / max(abs(np.vdot(left[:, top], right[:, top])), 1e-300)
        floor = 1e-16 * np.sqrt(m)
        error = max(missed, floor) / max(float(values[-1]), 1e-300)
        return _Estimate(y, error, float(abs(eigenvalues[top])), float(condition * max(defects[top], floor)), again)


def _vector(X: Array) -> Real:
    """The traceless Hermitian part of a matrix as a real vector, norms preserved."""
    d = len(X)
    H = (X + X.conj().T) / 2
    return packed(H - np.trace(H).real / d * np.eye(d)).ravel()


TIE_BREAK = 1e-9


def stationary_state(L: Array) -> Array:
    """The density matrix with L ρ = 0, for a trace-preserving generator L (or Φ − 1 of a channel Φ).

    By a linear solve with Tr ρ = 1; of several, the one that the maximally mixed state relaxes to (to 1e-9).
    """
    d = round(L.shape[0] ** 0.5)
    one, L = vec(np.eye(d)), L / (float(np.linalg.norm(L, 1)) or 1.0)  # whatever the unit of its rates
    with warnings.catch_warnings():
        warnings.simplefilter("error", scipy.linalg.LinAlgWarning)
        try:
            rho = unvec(scipy.linalg.solve(np.outer(one / d, one) - L, one / d))
        except (scipy.linalg.LinAlgError, scipy.linalg.LinAlgWarning):  # (ε − L) ρ = ε/d has one solution
            rho = unvec(np.linalg.solve(TIE_BREAK * np.eye(d * d) - L, TIE_BREAK * one / d))
    return np.asarray((rho + rho.conj().T) / 2)


def fixed_point(channel: Array | Action) -> Array:
    """The density matrix ρ = Φ(ρ); of several, the one reached from the maximally mixed state.

    A matrix is solved densely, anything else by `relaxation`, which also says how well.

    Raises:
        NotConvergedError: If ‖Φ(ρ) − ρ‖ stays too large; with the numbers.
    """
    if isinstance(channel, np.ndarray):
        return stationary_state(channel - np.eye(len(channel)))
    found = relaxation(channel, contraction_error=math.inf)
    if not found.converged:
        raise NotConvergedError(found.text)
    return found.state


def contraction(channel: Array | Action) -> float:
    """Second largest modulus among the eigenvalues: the asymptotic factor per sweep by which the past fades.

    Raises:
        NotConvergedError: If it is not known to 1e-6; with the numbers.
    """
    if not isinstance(channel, np.ndarray):
        found = relaxation(channel)
        if not found.converged:
            raise NotConvergedError(found.text)
        return found.contraction
    if channel.shape[0] <= 256:
        moduli = np.sort(np.abs(np.linalg.eigvals(channel)))
    else:
        start = np.asarray(np.random.default_rng(0).standard_normal(channel.shape[0]), dtype=np.complex128)
        try:
            leading = np.abs(np.asarray(scipy.sparse.linalg.eigs(channel, k=6, v0=start, return_eigenvectors=False)))
        except scipy.sparse.linalg.ArpackNoConvergence:
            leading = np.abs(np.linalg.eigvals(channel))
        moduli = np.sort(leading)
    return float(moduli[-2]) if moduli.size > 1 else 0.0
