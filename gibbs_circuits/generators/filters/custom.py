"""Filters that users bring, as a function or a table, held to detailed balance before they are used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import LARGEST, SMALLEST, ArgumentError, check_beta, check_real, raised
from ...io.rendering import Brief
from ...io.tables import _balanced, read_table
from ...linalg.arrays import Array, Mask, Real
from .base import Filter, bump, fourier, width_of


def read_filter(path: Path, beta: float) -> Callable[[Real], NDArray[Any]]:
    """f̂(ν) through the rows (ν, f̂) or (ν, Re f̂, Im f̂) of a table, interpolated in q(ν) = f̂(ν) e^{βν/4}.

    Zero outside the table, which must be symmetric about ν = 0 for q to be.
    """
    table = read_table(path, "filter", (2, 3))
    table = table[np.argsort(table[:, 0])]
    nu = table[:, 0]
    if nu.size < 4 or np.any(np.diff(nu) <= 0):
        raise ArgumentError("filter", "have at least 4 different ν", f"{path.name} has not", "add rows")
    if not np.allclose(nu, -nu[::-1], atol=1e-9 * np.max(np.abs(nu))):
        raise ArgumentError(
            "filter", "be given at ν and −ν alike", f"{path.name} runs from {nu[0]:g} to {nu[-1]:g}",
            "mirror the ν column about 0",
        )  # fmt: skip
    from scipy.interpolate import PchipInterpolator  # loaded when used

    q = _balanced(table[:, 1:], beta * nu[:, None] / 4, "filter", path)
    curves = [PchipInterpolator(nu, column, extrapolate=False) for column in q.T]

    def frequency(x: Real) -> NDArray[Any]:
        parts = [np.nan_to_num(curve(x), nan=0.0) for curve in curves]
        inside = np.clip(x, nu[0], nu[-1])
        return np.asarray((parts[0] + (1j * parts[1] if len(parts) > 1 else 0)) * np.exp(-beta * inside / 4))

    return frequency


BALANCE_TOLERANCE = 1e-8


@dataclass(frozen=True, eq=False, repr=False)
class CustomFilter(Brief, Filter):
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
        nu = np.asarray(nu, dtype=float)
        growth = np.exp(self.beta * np.clip(nu, -self.limit, self.limit) / 4)
        forward, backward = self._raw(nu) * growth, self._raw(-nu) / growth
        return np.asarray((forward + backward.conj()) / 2)

    def frequency(self, nu: Real) -> Array:
        nu = np.asarray(nu, dtype=float)
        return np.asarray(self.symmetric(nu) * np.exp(-self.beta * np.clip(nu, -self.limit, self.limit) / 4))

    def support(self, nu: Real) -> Mask:
        return np.asarray(self.symmetric(nu) != 0)

    def time(self, t: Real) -> Array:
        """f(t) of the filter cut off smoothly beyond `limit`."""
        return fourier(lambda nu: self.frequency(nu) * bump(nu / (2 * self.limit)), 2 * self.limit, t)


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
class Tabulated(Brief, Filter):
    """A filter known on a sorted table of frequencies only; in between the nearest one counts."""

    beta: float
    nu: Real
    q: Array
    name = "tabulated"
    width = 0.0

    def symmetric(self, nu: Real) -> Array:
        """The tabulated q at the nearest frequency."""
        right = np.clip(np.searchsorted(self.nu, nu), 1, self.nu.size - 1)
        nearer = np.abs(np.asarray(nu) - self.nu[right - 1]) < np.abs(self.nu[right] - np.asarray(nu))
        return np.asarray(self.q[right - nearer])

    def frequency(self, nu: Real) -> Array:
        return np.asarray(self.symmetric(nu) * np.exp(-self.beta * np.asarray(nu) / 4))

    def support(self, nu: Real) -> Mask:
        return np.asarray(self.symmetric(nu) != 0)

    def time(self, t: Real) -> Array:
        """Refuse: it is known on frequencies only."""
        raise ArgumentError(
            "kernel", "have filters in time to become a circuit", "it is known on a table of frequencies only",
            'use a filter: kind = "dll"',
        )  # fmt: skip
