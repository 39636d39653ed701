"""Baths from the user: a function, a table, a file; conversion to and from other conventions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, SupportsFloat

import numpy as np
from numpy.typing import ArrayLike

from ...errors import LARGEST, SMALLEST, ArgumentError, check_beta, check_name, check_real, raised, shown
from ...io.rendering import Brief
from ...io.text import as_path, name_of, read_rows
from ...linalg.arrays import Real
from ...models.signatures import public
from .bath import Bath

if TYPE_CHECKING:
    from scipy.interpolate import PchipInterpolator


Function = Callable[[float], SupportsFloat]


@dataclass(frozen=True, repr=False)
class FunctionLoss(Brief):
    """A user's function of one number as an array function, 0 beyond the limit."""

    function: Function
    limit: float = math.inf

    def __call__(self, omega: Real) -> Real:
        """G at any ω, where it has to be finite."""
        flat = omega.ravel()
        G = np.zeros(flat.shape)
        inside = np.abs(flat) <= self.limit
        G[inside] = self._values(flat[inside])
        if bad := np.flatnonzero(~np.isfinite(G)).tolist():
            at = omega.ravel()[bad[0]]
            raise ArgumentError("spectrum", "be finite", f"G({at:g}) = {G[bad[0]]:g}", "return its limit there")
        return G.reshape(omega.shape)

    def _values(self, omega: Real) -> list[float]:
        """G one by one; the guard is around all of them where none of them needs it."""
        function, at = self.function, omega.tolist()
        try:
            with np.errstate(all="ignore"):
                return [float(function(x)) for x in at]
        except Exception:  # whatever it raises, one by one says at which ω
            return [self.at(x) for x in at]

    def at(self, omega: float) -> float:
        """G at one ω, nan where its arithmetic fails."""
        try:
            with np.errstate(all="ignore"):
                return float(self.function(omega)) if abs(omega) <= self.limit else 0.0
        except ArithmeticError:
            return math.nan
        except ArgumentError:
            raise
        except Exception as error:  # a user's function may raise anything
            found, fix = f"at ω = {omega:g} it raised {raised(error)}", "return a float for each float"
            raise ArgumentError("spectrum", "return one real number", found, fix) from None


def from_function(beta: float, spectrum: Function, name: str = "custom", limit: float | None = None) -> Bath:
    """Bath with the spectrum G(ω) of a Python function of one number, ω > 0 where the system loses energy.

    Its values on ω ≥ 0 are used; those on ω < 0 are compared with detailed balance, at up to 600 frequencies.

    Args:
        beta: Inverse temperature, >= 0.
        spectrum: G(ω), for positive and negative ω.
        name: Name, as in files.
        limit: G is taken as 0 beyond; by default where it falls below 1e-16 of its maximum, looked for up to 1e6/β
            (1e6 at β = 0).
            A cut where G > 0 is a hard cutoff: S diverges at it and C(t) ~ 1/t, which is not Markovian.
    Raises:
        ArgumentError: If G is not finite, negative, zero everywhere, does not fall off, or violates detailed balance by
            more than 1e-8 (relative).
    """
    beta, name = check_beta(beta), check_name("name", name)
    if not callable(spectrum):
        raise ArgumentError("spectrum", "be a function of ω", f"{shown(spectrum)} was found", "pass lambda w: …")
    if limit is None:
        x = np.geomspace(1e-6, 1e6, 1201) / (beta or 1.0)
        G = np.abs(np.nan_to_num([FunctionLoss(spectrum).at(y) for y in x.tolist()], posinf=0.0))
        smallest = G.max() / 1e16
        count = int(np.max(np.nonzero(smallest < G), initial=0)) + 1
        if count == x.size:
            rule, found = (
                "be given for a spectrum that falls off slowly",
                f"G({x[-1]:.3g}) = {G[-1]:.3g} is not negligible",
            )
            raise ArgumentError("limit", rule, found, f"set limit = {100 / (beta or 1.0):.3g}")
        limit = float(x[count])
    limit = check_real("limit", limit, low=0.0, above=True)
    loss = FunctionLoss(spectrum, limit)
    start = min(max(1e-6 * limit, 1e-7 / max(beta, 1e-300)), limit)  # below, 1 − e^{−βω} is known to 1e-9 or worse
    x = np.unique(np.concatenate([np.geomspace(start, limit, 200), np.linspace(0.0, limit, 401)]))
    mirrored = x[beta * x < 500]  # beyond, most formulas overflow where G(−ω) is 0 in all
    up, down = loss(x), loss(-mirrored)
    check_positive(np.concatenate([x, -mirrored]), np.concatenate([up, down]))
    check_balance(beta, mirrored, up[: mirrored.size], down, 1e-8)
    return Bath(name, beta, loss, limit, steepness(loss, beta, limit), breaks=tuple(np.linspace(0, limit, 65)[1:-1]))


def from_textbook(beta: float, gamma: Function, limit: float | None = None) -> Bath:
    """Bath from the γ(ω) of Breuer & Petruccione, whose ω is the energy the system loses: γ(ω) = G(ω), ω = −ν."""
    return from_function(beta, gamma, "textbook", limit)


def from_qutip(beta: float, spectrum: Function, limit: float | None = None) -> Bath:
    """Bath from a noise-power spectrum of QuTiP's `brmesolve`: S(w) = G(w), w > 0 where the system loses energy."""
    return from_function(beta, spectrum, "qutip", limit)


@public
def to_qutip(bath: Bath) -> Callable[[float], float]:
    """The noise-power spectrum S(w) = G(w) that QuTiP's `brmesolve` and `bloch_redfield_tensor` take."""
    return lambda w: float(bath.spectrum(w))


@dataclass(frozen=True, eq=False, repr=False)
class TableLoss(Brief):
    """Monotone cubic interpolation on 0 ≤ ω ≤ limit, 0 beyond."""

    interpolant: PchipInterpolator
    limit: float

    def __call__(self, omega: Real) -> Real:
        """G, which rounding must not make negative."""
        return np.where(omega <= self.limit, np.maximum(self.interpolant(np.minimum(omega, self.limit)), 0.0), 0.0)


def from_table(beta: float, omega: ArrayLike, spectrum: ArrayLike, name: str = "table") -> Bath:
    """Bath from values of G(ω), ω > 0 where the system loses energy; G is 0 outside the table.

    A table that ends at G > 0 is a hard cutoff, see `from_function`.

    G is interpolated on ω ≥ 0 (PCHIP: it stays positive), and G(−ω) = e^{−βω} G(ω). Rows with ω < 0 must agree with it.

    Args:
        beta: Inverse temperature, >= 0.
        omega: Increasing frequencies, at least four of them >= 0, the first of these 0.
        spectrum: G at these.
        name: Name, as in files.
    Raises:
        ArgumentError: If the rows are not such, G is not finite or negative, or detailed balance is violated by more
            than 1e-3 (relative; where no row mirrors one with ω < 0, the interpolation has to be that good).
    """
    beta, name = check_beta(beta), check_name("name", name)
    try:
        columns = [np.asarray(column) for column in (omega, spectrum)]
        if any(column.dtype.kind not in "iuf" for column in columns):
            raise TypeError
        x, G = np.array(columns, dtype=float).reshape(2, len(np.atleast_1d(columns[0])))
    except (TypeError, ValueError):
        found, fix = (
            f"{shown(omega, 40)} and {shown(spectrum, 40)} were found",
            "give one spectrum value for each omega",
        )
        raise ArgumentError("omega", "be as many real numbers as `spectrum`", found, fix) from None
    step = np.diff(x, prepend=-math.inf)
    if bad := np.flatnonzero(~((step > 0) & (np.abs(x) <= LARGEST))).tolist():
        found, fix = f"row {bad[0] + 1} has {x[bad[0]]:g}", "sort the rows and keep one of equal ones"
        raise ArgumentError("omega", f"be finite, up to {LARGEST:g}, and increase from row to row", found, fix)
    knots = x[x >= 0]
    if knots.size < 4 or knots[0] > 0:
        found = f"{knots.size} rows are >= 0{f' and the first is {knots[0]:g}' if knots.size else ''}"
        raise ArgumentError("omega", "have at least 4 rows from 0 on", found, "add rows, also one for omega = 0")
    check_positive(x, G)
    limit, below = float(x[-1]), x < 0
    from scipy.interpolate import PchipInterpolator  # loaded when used

    loss = TableLoss(PchipInterpolator(knots, G[x >= 0]), limit)
    check_balance(beta, -x[below], loss(-x[below]), G[below], 1e-3)
    return Bath(name, beta, loss, limit, steepness(loss, beta, limit), breaks=tuple(knots[1:].tolist()))


def read_bath(path: str | Path, beta: float) -> Bath:
    """Bath from a CSV file of two columns, with or without the header `omega,G`; see `from_table`.

    Raises:
        ArgumentError: If the file is missing or malformed, or `from_table` refuses it; one line that names the file.
    """
    rows, beta, path = [], check_beta(beta), as_path(path, "path")
    for number, line in enumerate(read_rows(path, "path"), start=1):
        if not line.strip() or (number == 1 and line.replace(" ", "").casefold() == "omega,g"):
            continue
        try:
            omega, G = (float(cell) for cell in line.split(","))
        except ValueError:
            found, fix = f"{shown(line)} was found", "write omega,G as in 0.5,1.2"
            raise ArgumentError(f"line {number}", "hold two numbers", found, fix, path) from None
        rows.append((omega, G))
    try:
        return from_table(beta, [omega for omega, _ in rows], [G for _, G in rows], name_of(path))
    except ArgumentError as error:
        raise error.located(path) from None


def check_positive(omega: Real, G: Real) -> None:
    """G is finite, >= 0 up to rounding, and not 0 everywhere."""
    at = int(np.argmin(np.where(np.isfinite(G), G, -math.inf)))
    if not math.isfinite(G[at]) or G[at] < -1e-13 * G.max() or G.max() == 0:
        rule, found = "be finite, >= 0 and not 0 everywhere", f"G({omega[at]:g}) = {G[at]:g}"
        raise ArgumentError("spectrum", rule, found, f"correct it at {omega[at]:g}, for example to its limit there")
    if not SMALLEST <= G.max() <= LARGEST:
        top = int(np.argmax(G))
        rule, found = f"have a maximum from {SMALLEST:g} to {LARGEST:g}", f"G({omega[top]:g}) = {G[top]:g}"
        raise ArgumentError("spectrum", rule, found, "choose another unit of energy")


def check_balance(beta: float, omega: Real, up: Real, down: Real, tolerance: float) -> None:
    """G(−ω) = `down` is e^{−βω} times G(ω) = `up`; a part in 1e13 of G(ω), or in 1e16 of its maximum, is rounding."""
    wanted = np.exp(-beta * omega)
    excess = np.abs(down - wanted * up) - (tolerance * wanted + 1e-13) * up - 1e-16 * np.max(up, initial=0.0)
    if np.max(excess, initial=0.0) == 0.0:
        return
    at = int(np.argmax(excess))
    ratio = float(down[at] / up[at]) if up[at] > 0 else math.inf
    found = f"at ω = {omega[at]:g} the ratio G(−ω)/G(ω) is {ratio:.6g} where e^(−βω) = {wanted[at]:.6g}"
    fix = "give G(ω) = J(ω)/(1 − e^(−βω)) with an odd J"
    if 0 < ratio < 1:
        fix = f"set beta = {-math.log(ratio) / omega[at]:.6g} if the bath has that temperature"
    elif 1 < ratio < math.inf:
        fix = "turn the sign of ω: it is positive where the system loses energy"
    raise ArgumentError("spectrum", "obey detailed balance", found, fix)


def steepness(loss: Callable[[Real], Real], beta: float, limit: float) -> float:
    """Greatest s over greatest |ds/dω|, at most 1/β."""
    x = np.linspace(0.0, limit, 2001)
    s = loss(x) * np.exp(-beta * x / 2)
    steepest = float(np.max(np.abs(np.diff(s)))) / float(x[1])
    return min(limit, float(s.max()) / max(steepest, 1e-300), 1 / max(beta, 1e-300))
