r"""Where the heat goes: the spectrum of a bath, its correlation function, its Lamb integral.

For a bath operator X, $C(t) = \operatorname{Tr}[\rho_B X(t) X]$, and $G(\omega) = \int dt\,e^{i\omega t} C(t) \ge 0$
is the rate at which the system loses ω. Detailed balance (KMS), $G(-\omega) = e^{-\beta\omega} G(\omega)$, holds to the
last bit, because a bath stores G on ω ≥ 0 only. In terms of ν, the energy the system gains, γ(ν) = G(−ν).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ...errors import check_real
from ...io.rendering import NAME, Shown, brief, shortened
from ...linalg.arrays import Array, Mask, Real
from ...models.model import Model
from ...models.signatures import public

ORDER = 16  # Gauss–Legendre nodes on a panel
NODES, WEIGHTS = np.polynomial.legendre.leggauss(ORDER)
EXPAND = (np.arange(ORDER) + 0.5) * WEIGHTS[:, None] * np.polynomial.legendre.legvander(NODES, ORDER - 1)
SLOPES = np.polynomial.legendre.legval(NODES, np.polynomial.legendre.legder(np.eye(ORDER)))
MAX_PANELS = 2_000  # a spectrum that is noise would be refined for ever
CHUNK = 2**22  # numbers held at once by the integrals
FAR = 1e200  # as good as infinite, and its product with β stays finite


@dataclass(frozen=True, repr=False)
class Bath(Shown):
    r"""A bath in detailed balance at β, made by `ohmic`, `power_law`, `from_function`, `from_table` or `read_bath`.

    $G(\omega) = g(|\omega|)\,e^{-\beta\max(-\omega, 0)}$ with g = `strength` · `loss`.

    Args:
        name: Name, as in files.
        beta: Inverse temperature.
        loss: G(ω) on ω ≥ 0 at strength 1, an array function.
        limit: |ω| beyond which G is negligible (< 1e-16 of its maximum); the integrals end there.
        scale: The smallest frequency over which G varies, at most 1/β.
        strength: Factor on G.
        breaks: Frequencies > 0 at which `loss` is not smooth.
        logarithm: ln of `loss` in closed form, where it underflows; None takes the logarithm of its values.
        exponent: a of C(t) ~ t^{−a}; math.inf if faster than any power, None if it has to be fitted.

    Accuracy: `correlation` 1e-13, `lamb` 1e-11 of their maximum for every power law and for functions that are smooth
    between `breaks` and 0 (1e-9 for a `lamb` that by chance meets one of the nodes). Where G jumps or diverges, so does
    S. Time O(nodes) per point: 1,000 nodes, more for s < 1 (19,000 at s = 0.1), 32 per row of a table.
    """

    name: str
    beta: float
    loss: Callable[[Real], Real]
    limit: float
    scale: float
    strength: float = 1.0
    breaks: tuple[float, ...] = ()
    exponent: float | None = None
    logarithm: Callable[[Real], Real] | None = field(default=None, compare=False)
    kinked = False  # at 0, as the rate of a windowed kernel

    @property
    def baths(self) -> tuple[Bath, ...]:
        """The bath itself, as the rate of a windowed kernel."""
        return (self,)

    def _in_words(self) -> str:
        return (
            f"Bath({shortened(self.name, NAME)}: β = {self.beta:g}, strength {self.strength:g}, G up to {self.limit:g})"
        )

    def _rows(self) -> Iterator[tuple[str, ...]]:
        yield "what", "value"
        yield "name", self.name
        yield "β", f"{self.beta:g}"
        yield "spectrum G(ω), ω > 0", brief(self.loss, 80)
        yield "times a strength", f"{self.strength:g}"
        yield "G is 0 beyond ω =", f"{self.limit:g}"
        yield "Markovian", "yes" if self.markovian else "no"

    def for_model(self, model: Model) -> Bath:
        """The bath that is meant for a model: this one, unless it left something for the model to say."""
        return self

    @cached_property
    def peak(self) -> float:
        """The largest s(ω), on 400 frequencies up to `limit`: the unit that rates come in."""
        omega = np.geomspace(1e-2 * self.scale, self.limit, 400)
        if self.exponent is None or self.exponent >= 1:
            omega = np.append(omega, 0.0)
        return float(np.max(self.symmetric(omega)))

    def symmetric(self, omega: ArrayLike) -> Real:
        """s(ω) = G(ω) e^{−βω/2}, even in ω."""
        x = np.minimum(np.abs(np.asarray(omega, dtype=float)), FAR)
        return np.asarray(self.strength * self.loss(x) * np.exp(-self.beta * x / 2))

    def log_symmetric(self, omega: ArrayLike) -> Real:
        """Ln s(ω); no underflow where `loss` knows its own logarithm, −∞ where it vanishes."""
        x = np.minimum(np.abs(np.asarray(omega, dtype=float)), FAR)
        return np.asarray(math.log(self.strength) + self.log_loss(x) - self.beta * x / 2)

    def support(self, nu: Real) -> Mask:
        """Where it has a spectrum at all, elementwise; beyond its limit only an underflow makes it zero."""
        nu = np.asarray(nu, dtype=float)
        return np.asarray((self.symmetric(nu) > 0) | (np.abs(nu) > self.limit))

    def log_loss(self, omega: Real) -> Real:
        """Ln of `loss` on ω ≥ 0."""
        if self.logarithm is not None:
            return np.asarray(self.logarithm(omega))
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.loss(omega)))

    def spectrum(self, omega: ArrayLike) -> Real:
        """G(ω), the rate at which the system loses ω.

        Raises:
            ArgumentError: At ω = 0 if G diverges there (`power_law` with an exponent < 1).
        """
        x = np.clip(np.asarray(omega, dtype=float), -FAR, FAR)
        return np.asarray(self.strength * self.loss(np.abs(x)) * np.exp(-self.beta * np.maximum(-x, 0.0)))

    def log_smoothed(self, m: Real, sigma: float) -> None:
        """No closed form of ln (s ∗ N_σ)(m)."""

    def rate(self, nu: ArrayLike) -> Real:
        """γ(ν) = G(−ν), the rate at which the system gains ν."""
        return self.spectrum(np.negative(nu))

    def lamb(self, omega: ArrayLike) -> Real:
        r"""Lamb integral $S(\omega) = \mathrm{PV}\!\int \frac{d\omega'}{2\pi} \frac{G(\omega')}{\omega - \omega'}$.

        The singularity is subtracted: PV∫ G/(ω−ω') = ∫ (G(ω')−G(ω))/(ω−ω') + G(ω) ln|(ω+L)/(ω−L)| with L = limit.

        Raises:
            ArgumentError: At ω = 0 if G diverges there.
        """
        flat, L = np.asarray(omega, dtype=float).ravel(), self.limit
        x, weights, G, slopes = self._line
        constant = self.spectrum(np.clip(flat, -L, L))
        tiny = np.finfo(float).tiny
        out = constant * (np.log(np.maximum(np.abs(flat + L), tiny)) - np.log(np.maximum(np.abs(flat - L), tiny)))
        for rows in np.array_split(np.arange(flat.size), flat.size * x.size // CHUNK + 1):
            distance = flat[rows, None] - x
            row, near = np.nonzero(np.abs(distance) < 1e-6 * weights)
            distance[row, near] = np.inf
            inverse = 1 / distance
            out[rows] += inverse @ (weights * G) - constant[rows] * (inverse @ weights)
            np.subtract.at(out, rows[row], weights[near] * slopes[near])
        return np.asarray(out.reshape(np.shape(omega)) / (2 * np.pi))

    def correlation(self, t: ArrayLike) -> Array:
        r"""$C(t) = \int \frac{d\omega}{2\pi} G(\omega) e^{-i\omega t}$, panel by panel in closed form (Filon)."""
        from scipy.special import spherical_jn  # loaded when used

        flat, orders = np.asarray(t, dtype=float).ravel(), np.arange(ORDER)
        middles, halves, values = self._panels
        up, down = 2 * halves[:, None] * (values @ EXPAND) * (-1j) ** orders
        out = np.zeros(flat.size, dtype=complex)
        for middle, half, plus, minus in zip(middles, halves, up, down, strict=True):
            phase = half * np.abs(flat)
            bessel = spherical_jn(orders[:, None], np.where(phase < 1e-100, 0.0, phase))  # nan below 1e-308
            wave = np.exp(-1j * middle * np.abs(flat))
            out += wave * (plus @ bessel) + np.conj(wave * (minus @ bessel))
        return np.asarray(np.where(flat < 0, out.conj(), out).reshape(np.shape(t)) / (2 * np.pi))

    @cached_property
    def correlation_time(self) -> float:
        r"""$\tau_c = \int_0^\infty |C(t)|\, dt / |C(0)|$, math.inf where it does not converge; accuracy 1e-3."""
        a, total, step = self.decay_exponent, 0.0, self._shortest_time
        if a is not None and a <= 1:
            return math.inf
        peak = abs(complex(self.correlation(0.0)))
        edge = 0.0
        for k in range(120):  # 1.2^120 = 3e9
            width = step * 1.2 ** max(k - 20, 0)
            size = np.abs(self.correlation(edge + width * (1 + NODES) / 2))
            total, edge = total + float(WEIGHTS @ size) * width / 2, edge + width
            if size.max() < 1e-10 * peak:
                break
        tail = 0.0 if a is None else float(np.abs(self.correlation(edge))) * edge / (a - 1)
        return (total + tail) / peak

    @cached_property
    def decay_exponent(self) -> float | None:
        """The a of |C(t)| ~ t^{−a} at long times, None if C falls faster than any power.

        Known for `power_law`. For a function or a table it is fitted to the last octaves of t with |C| > 1e-9 |C(0)|
        and rounded to 0.05; a kink of G makes a = 2, a jump (a table that ends at G > 0) a = 1.
        """
        if self.exponent is not None:
            return None if self.exponent == math.inf else self.exponent
        peak, sizes = abs(complex(self.correlation(0.0))), []
        for k in range(26):
            t = self._shortest_time * 2.0**k * np.linspace(1, 2, 24, endpoint=False)
            sizes.append(float(np.sqrt(np.mean(t**2 * np.abs(self.correlation(t)) ** 2))) / 2.0**k)
            if sizes[-1] < 1e-9 * peak * self._shortest_time:
                break
        slopes = -np.diff(np.log2(sizes))[-4:-1]  # the last octave may hold rounding only
        if slopes.size < 3 or np.ptp(slopes) > 0.3 or slopes[-1] > 6:
            return None
        return round(float(slopes[-1]) * 20) / 20

    @property
    def markovian(self) -> bool:
        """False when C(t) falls so slowly, a ≤ 1, that it has no integral and the bath no memory time."""
        return self.decay_exponent is None or self.decay_exponent > 1

    @cached_property
    def _panels(self) -> tuple[Real, Real, Real]:
        """Middles, half widths and values [G(ω), G(−ω)] of panels that cover 0 ≤ ω ≤ limit, finer towards 0.

        They are bisected until the last Legendre coefficients are below 1e-15 of ∫G.
        """
        edges = np.unique([0.0, *(self.limit * 0.5 ** np.arange(25)), *(x for x in self.breaks if x < self.limit)])
        finest = 1e-12 * self.limit if self.exponent is None else 0.0  # a user's ω/(1 − e^{−βω}) is noise next to 0
        done, low, high, total, count = [], edges[:-1], edges[1:], 0.0, 0
        while low.size:
            middle, half = (low + high) / 2, (high - low) / 2
            x = middle[:, None] + half[:, None] * NODES
            values = np.stack([self.spectrum(x), self.spectrum(-x)])
            total = total or float(half @ (values[0] @ WEIGHTS))
            tail = np.abs((values @ EXPAND)[:, :, -2:]).max(axis=(0, 2)) * half
            good = (tail <= 1e-15 * total) | (half <= np.maximum(1e-14 * middle, finest))
            good |= count + 2 * low.size > MAX_PANELS
            done.append((middle[good], half[good], values[:, good]))
            count += int(np.count_nonzero(good))
            low, middle, high = low[~good], middle[~good], high[~good]
            low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
        middles, halves, blocks = zip(*done, strict=True)
        return np.concatenate(middles), np.concatenate(halves), np.concatenate(blocks, axis=1)

    @cached_property
    def _line(self) -> tuple[Real, Real, Real, Real]:
        """Nodes, weights, G and dG/dω on both sides of zero."""
        middle, half, values = self._panels
        slopes = values @ EXPAND @ SLOPES / half[:, None] * np.array([1.0, -1.0])[:, None, None]
        x, weights = (middle[:, None] + half[:, None] * NODES).ravel(), np.outer(half, WEIGHTS).ravel()
        return np.concatenate([x, -x]), np.tile(weights, 2), values.ravel(), slopes.ravel()

    @cached_property
    def _shortest_time(self) -> float:
        """The time within which C(t) first changes, 1/√⟨ω²⟩ in the weight G."""
        x, weights, G, _ = self._line
        return float(np.sqrt(weights @ G / (weights @ (G * x**2))))


@public
def rescaled(bath: Bath, factor: float) -> Bath:
    """The same bath with G multiplied by a factor > 0."""
    return replace(bath, strength=bath.strength * check_real("factor", factor, low=0.0, above=True))
