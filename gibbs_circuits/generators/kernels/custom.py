"""Filters and kernels that users bring, held to detailed balance and positivity before they are used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SMALLEST, ArgumentError, TooLargeError, check_beta, check_real, raised
from ...io.rendering import Brief
from ...io.tables import _balanced, read_table
from ...limits import MAX_TABULATED
from ...linalg.arrays import Array, Mask, Real, read_only
from ...models.scale import distinct
from ..filters.custom import BALANCE_TOLERANCE, Tabulated, _check_finite
from .base import Factors, Kernel
from .nystrom import smooth_factors

POSITIVITY_TOLERANCE = 1e-10


@dataclass(frozen=True, eq=False, repr=False)
class CustomKernel(Brief, Kernel):
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
    detailed_balance = True

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
        nu1, nu2 = np.asarray(nu1, dtype=float), np.asarray(nu2, dtype=float)
        return np.asarray(self.balanced(nu1, nu2) * np.exp(-self.beta * (nu1 + nu2) / 4))

    def balanced(self, nu1: Real, nu2: Real) -> Array:
        """α̃, symmetrised to the last bit."""
        nu1, nu2 = np.asarray(nu1, dtype=float), np.asarray(nu2, dtype=float)
        growth = np.exp(self.beta * (nu1 + nu2) / 4)
        forward = np.asarray(self.function(nu1, nu2), dtype=complex) * growth
        backward = np.asarray(self.function(-nu2, -nu1), dtype=complex) / growth
        return np.asarray((forward + backward) / 2)

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

    def factors(self) -> Factors:
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

    def factors_in_time(self, nu: Real) -> Factors:
        """Eigenfunctions by Nyström's method; errors of `smooth_factors`."""
        return smooth_factors(self, float(np.max(np.abs(nu), initial=0.0)) or self.limit)


def read_kernel(path: Path, beta: float) -> Callable[[Real, Real], NDArray[Any]]:
    """α(ν1, ν2) through the rows (ν1, ν2, α) of a full grid, bilinear in α̃; zero outside."""
    table = read_table(path, "kernel", (3, 4))
    first, second = np.unique(table[:, 0]), np.unique(table[:, 1])
    if len(table) != first.size * second.size or first.size < 2 or not np.array_equal(first, second):
        raise ArgumentError(
            "kernel", "be given on a full square grid of ν1 and ν2",
            f"{path.name} has {len(table)} rows for {first.size} × {second.size} values", "write every pair once",
        )  # fmt: skip
    order = np.lexsort((table[:, 1], table[:, 0]))
    values = table[order, 2] + (1j * table[order, 3] if table.shape[1] == 4 else 0)
    from scipy.interpolate import RegularGridInterpolator  # loaded when used

    growth = beta * (first[:, None] + first[None, :]) / 4
    grid = _balanced(values.reshape(first.size, first.size), growth, "kernel", path)
    curve = RegularGridInterpolator((first, first), grid, bounds_error=False, fill_value=0.0)

    def alpha(nu1: Real, nu2: Real) -> NDArray[Any]:
        a, b = np.broadcast_arrays(nu1, nu2)
        inside = np.exp(-beta * (np.clip(a, first[0], first[-1]) + np.clip(b, first[0], first[-1])) / 4)
        return np.asarray(curve(np.stack([a, b], axis=-1)) * inside)

    return alpha
