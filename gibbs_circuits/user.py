"""Filters and kernels that users bring, held to detailed balance and positivity before they are used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .errors import LARGEST, SMALLEST, ArgumentError, TooLargeError, check_beta, check_real, raised
from .filters import Filter, bump, fourier, log_of, width_of
from .kernels import Mask
from .limits import MAX_TABULATED
from .models.scale import distinct
from .rendering import Brief
from .spectrum import Array, Real, read_only

BALANCE_TOLERANCE = 1e-8
POSITIVITY_TOLERANCE = 1e-10


@dataclass(frozen=True, eq=False, repr=False)
class CustomFilter(Brief):
    """A filter from the user's own function of an array of ν, held to detailed balance.

    Args:
        beta: Inverse temperature, >= 0.
        function: f̂(ν), elementwise on an array.
        limit: |ν| up to which it is checked and used, > 0; beyond twice this it is cut off smoothly.
        name: What reports call it.

    Raises:
        ArgumentError: If f̂ is not finite or q(ν) = f̂(ν) e^{βν/4} violates q(−ν) = q(ν)* by more than 1e-8 of max |q|;
            the message has the frequency and both values. Below that, q is symmetrised to the last bit.
    """

    beta: float
    function: Callable[[Real], NDArray[np.generic]]
    limit: float
    name: str = "custom"

    def __post_init__(self) -> None:
        check_beta(self.beta)
        check_real("limit", self.limit, low=0.0, above=True)
        nu = np.linspace(-self.limit, self.limit, 401)
        value = self._raw(nu)
        if value.shape != nu.shape:
            raise ArgumentError(
                "filter", f"be finite on |ν| <= {self.limit:.4g}, elementwise", f"its shape is {value.shape}",
                "return one number per ν",
            )  # fmt: skip
        with np.errstate(all="ignore"):
            q = value * np.exp(self.beta * nu / 4)
        _check_finite("filter", "q(ν) = f̂(ν) e^{βν/4}", nu, value, q)
        defect, scale = np.abs(q[::-1] - q.conj()), float(np.max(np.abs(q)))
        worst = int(np.argmax(defect))
        if scale < SMALLEST:
            found = "it is zero on the whole spectrum" if scale == 0 else f"its largest q(ν) is {scale:.3g}"
            raise ArgumentError("filter", "be non-zero somewhere", found, "give ν in the unit of H")
        if defect[worst] > BALANCE_TOLERANCE * scale:
            raise ArgumentError(
                "filter", "obey detailed balance, q(−ν) = q(ν)* with q(ν) = f̂(ν) e^{βν/4}",
                f"at ν = {nu[worst]:.4g}, β = {self.beta:g}: q(ν) = {q[worst]:.6g}, q(−ν) = {q[::-1][worst]:.6g}, "
                f"relative violation {defect[worst] / scale:.2e} (allowed {BALANCE_TOLERANCE:g})",
                "return q(ν) e^{−βν/4} with an even, real q",
            )  # fmt: skip

    def _raw(self, nu: Real) -> Array:
        try:
            with np.errstate(all="ignore"):
                return np.asarray(self.function(np.asarray(nu, dtype=float)), dtype=complex)
        except ArgumentError:
            raise
        except Exception as error:  # a user's function may raise anything
            raise ArgumentError(
                "filter",
                "return one number per ν",
                f"it raised {raised(error)}",
                "take an array and return one as long",
            ) from None

    @cached_property
    def width(self) -> float:
        """|t| within which 99.5 % of |f|² lie."""
        return width_of(self.time, 2 * self.limit)

    def symmetric(self, nu: Real) -> Array:
        """q(ν), exactly symmetric."""
        nu = np.asarray(nu, dtype=float)
        growth = np.exp(self.beta * np.clip(nu, -self.limit, self.limit) / 4)
        forward, backward = self._raw(nu) * growth, self._raw(-nu) / growth
        return np.asarray((forward + backward.conj()) / 2)

    def frequency(self, nu: Real) -> Array:
        """f̂(ν)."""
        nu = np.asarray(nu, dtype=float)
        return np.asarray(self.symmetric(nu) * np.exp(-self.beta * np.clip(nu, -self.limit, self.limit) / 4))

    def log_symmetric(self, nu: Real) -> Real:
        """Ln of the user's values."""
        return log_of(self.symmetric(nu))

    def support(self, nu: Real) -> NDArray[np.bool_]:
        """Where it is not zero."""
        return np.asarray(self.symmetric(nu) != 0)

    def time(self, t: Real) -> Array:
        """f(t) of the filter cut off smoothly beyond `limit`."""
        return fourier(lambda nu: self.frequency(nu) * bump(nu / (2 * self.limit)), 2 * self.limit, t)


@dataclass(frozen=True, eq=False, repr=False)
class CustomKernel(Brief):
    """A kernel from the user's own function of two arrays, held to detailed balance and positivity.

    Args:
        beta: Inverse temperature, >= 0.
        function: α(ν1, ν2), elementwise with broadcasting.
        limit: |ν| up to which it is used and checked, on a grid.

    Raises:
        ArgumentError: If it is not finite or not Hermitian, violates α̃(ν1, ν2) = α̃(−ν2, −ν1) by more than 1e-8 of
            max |α̃|, or has an eigenvalue below −1e-10 of the largest; with the numbers found.
    """

    beta: float
    function: Callable[[Real, Real], NDArray[np.generic]]
    limit: float
    table: Real | None = None
    positive = True
    detailed_balance = True
    blur = np.inf

    def __post_init__(self) -> None:
        check_beta(self.beta)
        check_real("limit", self.limit, low=0.0, above=True)
        if self.table is None:
            self._check(np.linspace(-self.limit, self.limit, 65))

    def _check(self, nu: Real) -> None:
        row, column = nu[:, None], nu[None, :]
        try:
            with np.errstate(all="ignore"):
                alpha = np.asarray(self.function(row, column), dtype=complex)
        except ArgumentError:
            raise
        except Exception as error:  # a user's function may raise anything
            raise ArgumentError(
                "kernel", "return numbers", f"it raised {raised(error)}", "take two arrays, a column and a row"
            ) from None
        if alpha.shape != (nu.size, nu.size):
            raise ArgumentError(
                "kernel", f"be finite on |ν| <= {self.limit:.4g}, elementwise with broadcasting",
                f"its shape is {alpha.shape}", "return one number per pair",
            )  # fmt: skip
        with np.errstate(all="ignore"):
            balanced = alpha * np.exp(self.beta * (row + column) / 4)
        _check_finite("kernel", "α(ν1, ν2) e^{β(ν1+ν2)/4}", nu, alpha, balanced)
        scale = float(np.max(np.abs(balanced)))
        if scale < SMALLEST:
            found = "it is zero everywhere" if scale == 0 else f"its largest value is {scale:.3g}"
            raise ArgumentError("kernel", "be non-zero somewhere", found, "give ν in the unit of H")
        for what, defect in (
            ("be Hermitian, α(ν2, ν1) = α(ν1, ν2)*", np.abs(balanced - balanced.conj().T)),
            (
                "obey detailed balance, α(ν1, ν2) = α(−ν2, −ν1) e^{−β(ν1+ν2)/2}",
                np.abs(balanced - balanced[::-1, ::-1].T),
            ),
        ):
            i, j = np.unravel_index(int(np.argmax(defect)), defect.shape)
            if defect[i, j] > BALANCE_TOLERANCE * scale:
                raise ArgumentError(
                    "kernel", what,
                    f"at ν1 = {nu[i]:.4g}, ν2 = {nu[j]:.4g}, β = {self.beta:g} the relative violation is "
                    f"{defect[i, j] / scale:.2e} (allowed {BALANCE_TOLERANCE:g})",
                    "multiply a symmetric α̃(ν1, ν2) = α̃(−ν2, −ν1) by e^{−β(ν1+ν2)/4}",
                )  # fmt: skip
        values = np.linalg.eigvalsh((balanced + balanced.conj().T) / 2)
        if values[0] < -POSITIVITY_TOLERANCE * values[-1]:
            raise ArgumentError(
                "kernel", "be positive semidefinite",
                f"the smallest eigenvalue on {nu.size} frequencies is {values[0]:.4g}, the largest {values[-1]:.4g}",
                "build it as Σ_k w_k f̂_k(ν1) f̂_k*(ν2) with w_k >= 0",
            )  # fmt: skip

    def __call__(self, nu1: Real, nu2: Real) -> Array:
        """α(ν1, ν2), elementwise."""
        nu1, nu2 = np.asarray(nu1, dtype=float), np.asarray(nu2, dtype=float)
        return np.asarray(self.balanced(nu1, nu2) * np.exp(-self.beta * (nu1 + nu2) / 4))

    def balanced(self, nu1: Real, nu2: Real) -> Array:
        """α̃, symmetrised to the last bit."""
        nu1, nu2 = np.asarray(nu1, dtype=float), np.asarray(nu2, dtype=float)
        growth = np.exp(self.beta * (nu1 + nu2) / 4)
        forward = np.asarray(self.function(nu1, nu2), dtype=complex) * growth
        backward = np.asarray(self.function(-nu2, -nu1), dtype=complex) / growth
        return np.asarray((forward + backward) / 2)

    def log_balanced(self, nu: Real) -> Real:
        """Ln of the user's values."""
        return log_of(self.balanced(nu, nu))

    def support(self, nu: Real) -> Mask:
        """Where α(ν, ν) is not zero."""
        return np.asarray(self.balanced(nu, nu) != 0)

    def on(self, nu: Real) -> CustomKernel:
        """With eigenfactors on these frequencies.

        Raises:
            TooLargeError: With more than 4096 different ones.
        """
        table = distinct(nu)
        if table.size > MAX_TABULATED:
            raise TooLargeError(
                f"A custom kernel on {table.size} Bohr frequencies is a matrix too large to factorise; "
                f"the limit is {MAX_TABULATED}. Fix: use a smaller model, or a generator with a filter."
            )
        return replace(self, table=read_only(table))

    def factors(self) -> tuple[tuple[float, Filter], ...]:
        """Eigenvectors of α̃ on the frequencies given to `on`."""
        if self.table is None:
            raise ArgumentError(
                "kernel", "be given its Bohr frequencies first", "there are none", "call kernel.on(nu).factors()"
            )
        balanced = self.balanced(self.table[:, None], self.table[None, :])
        values, vectors = np.linalg.eigh((balanced + balanced.conj().T) / 2)
        return tuple(
            (float(value), Tabulated(self.beta, self.table, read_only(vector)))
            for value, vector in zip(values, vectors.T, strict=True)
            if value > 1e-16 * values[-1]
        )


def _check_finite(argument: str, what: str, nu: Real, value: Array, balanced: Array) -> None:
    """Refuse values that are no numbers, or none whose squares are."""
    bad = np.argwhere(~((np.abs(value) <= LARGEST) & (np.abs(balanced) <= LARGEST)))
    if bad.size:
        at, where = tuple(bad[0].tolist()), ", ".join(f"{nu[k]:.4g}" for k in bad[0])
        raise ArgumentError(
            argument, f"be finite, and {what} at most {LARGEST:g}, on |ν| <= {nu[-1]:.4g}",
            f"at ν = {where} they are {value[at]:.4g} and {balanced[at]:.4g}", "let it fall off as e^{−βν/4}",
        )  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Tabulated(Brief):
    """A filter known on a sorted table of frequencies only; in between the nearest one counts."""

    beta: float
    nu: Real
    q: Array
    name = "tabulated"
    width = 0.0

    def symmetric(self, nu: Real) -> Array:
        """Q at the nearest frequency."""
        right = np.clip(np.searchsorted(self.nu, nu), 1, self.nu.size - 1)
        nearer = np.abs(np.asarray(nu) - self.nu[right - 1]) < np.abs(self.nu[right] - np.asarray(nu))
        return np.asarray(self.q[right - nearer])

    def frequency(self, nu: Real) -> Array:
        """f̂(ν) = q(ν) e^{−βν/4}."""
        return np.asarray(self.symmetric(nu) * np.exp(-self.beta * np.asarray(nu) / 4))

    def log_symmetric(self, nu: Real) -> Real:
        """Ln |q|."""
        return log_of(self.symmetric(nu))

    def support(self, nu: Real) -> Mask:
        """Where it is not zero."""
        return np.asarray(self.symmetric(nu) != 0)

    def time(self, t: Real) -> Array:
        """Refused.

        Raises:
            ArgumentError: Always.
        """
        raise ArgumentError(
            "kernel", "have filters in time to become a circuit", "it is known on a table of frequencies only",
            'use a filter: kind = "dll"',
        )  # fmt: skip
