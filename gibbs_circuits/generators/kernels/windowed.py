r"""Kernels with a Gaussian window: coarse-grained, Scandi–Alhambra, Chen–Kastoryano–Gilyén (CKG).

All are one formula. With an even function s(u) (a rate in detailed balance, γ(u) = s(u) e^{−βu/2}) and a width σ_E,

$$\tilde\alpha(\nu_1,\nu_2) = C\, e^{-(\nu_1-\nu_2)^2/8\sigma_E^2}\;(s * N_{\sigma_E})((\nu_1+\nu_2)/2 - x),\qquad
\alpha = \tilde\alpha\, e^{-\beta(\nu_1+\nu_2)/4}.$$

x = 0 is detailed balance. x = βσ_E²/2, C = e^{β²σ_E²/8} is the coarse-grained kernel of an unshifted spectrum,
$\int \gamma(\omega)\hat f(\omega-\nu_1)\hat f(\omega-\nu_2)d\omega$ with
$\hat f(w) = (\sigma_E\sqrt{2\pi})^{-1/2}e^{-w^2/4\sigma_E^2}$.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from ...errors import ArgumentError, check_beta, check_real
from ...io.rendering import Brief
from ...linalg.arrays import Array, Real
from ..filters.base import Filter

SPREAD = 8.5  # standard deviations beyond which a Gaussian is below 1e-16
STEP = 0.7  # midpoint rule per standard deviation: error e^{−2π²/0.49}
MAX_EXPONENT = 600.0
MAX_NODES = 4000


class Rate(Protocol):
    """An even, positive function s(u); baths are ones."""

    @property
    def name(self) -> str:
        """Name, as in files."""
        ...

    @property
    def beta(self) -> float:
        """Its inverse temperature."""
        ...

    @property
    def limit(self) -> float:
        """|u| beyond which s is negligible."""
        ...

    @property
    def scale(self) -> float:
        """The smallest frequency over which s varies."""
        ...

    def symmetric(self, omega: Real) -> Real:
        """s(u) = γ(u) e^{βu/2}."""
        ...


@dataclass(frozen=True, repr=False)
class GaussianRate(Brief):
    r"""$s(u) = e^{-u^2/2\sigma_\gamma^2}$."""

    beta: float
    sigma: float
    name = "gaussian"

    @property
    def limit(self) -> float:
        """None: where gaps are tiny, it is the far tail that sets them."""
        return np.inf

    @property
    def scale(self) -> float:
        """σ_γ."""
        return self.sigma

    def symmetric(self, omega: Real) -> Real:
        """s(u)."""
        return np.exp(-(np.asarray(omega, dtype=float) ** 2) / (2 * self.sigma**2))

    def log_smoothed(self, m: Real, sigma: float) -> Real:
        """Ln (s ∗ N_σ)(m) in closed form."""
        total = self.sigma**2 + sigma**2
        return np.asarray(np.log(self.sigma**2 / total) / 2 - np.asarray(m) ** 2 / (2 * total))


@dataclass(frozen=True, repr=False)
class MetropolisRate(Brief):
    r"""$s(u) = e^{-\beta|u|/2}$, γ(u) = e^{−β max(u, 0)}."""

    beta: float
    name = "metropolis"

    @property
    def limit(self) -> float:
        """None, as for the Gaussian."""
        return np.inf

    @property
    def scale(self) -> float:
        """1/β."""
        return 1 / self.beta if self.beta > 0 else np.inf

    def symmetric(self, omega: Real) -> Real:
        """s(u)."""
        return np.asarray(np.exp(-self.beta * np.abs(np.asarray(omega, dtype=float)) / 2))

    def log_smoothed(self, m: Real, sigma: float) -> Real:
        """Ln (s ∗ N_σ)(m) in closed form, each half-line a shifted Gaussian tail."""
        from scipy.special import log_ndtr  # loaded when used

        m, half = np.asarray(m, dtype=float), self.beta / 2
        right = -half * m + log_ndtr((m - half * sigma**2) / sigma)
        left = half * m + log_ndtr((-m - half * sigma**2) / sigma)
        return np.asarray(np.logaddexp(right, left) + (half * sigma) ** 2 / 2)


@dataclass(frozen=True, repr=False)
class Windowed(Brief):
    """The kernel of this module.

    Args:
        rate: s(u); a bath or one of the rates above.
        sigma: σ_E > 0.
        log_scale: ln C.
        shift: x, 0 for detailed balance.
        span: Largest |ν| that factors must hold for.
        factor_count: Set by `on`.

    Accuracy: closed forms are exact; otherwise a midpoint rule symmetric in u, so that detailed balance holds to
        rounding whatever its step, and the value to about 1e-14 where s is analytic.

    References:
        Chen, Kastoryano & Gilyén, arXiv:2311.09207: window, Gaussian and Metropolis rates.
        Scandi & Alhambra, arXiv:2505.20064: the shifted spectrum (our reconstruction, see the documentation).
    """

    rate: Rate
    sigma: float
    log_scale: float
    shift: float = 0.0
    span: float | None = None
    positive = True
    blur = np.inf

    def __post_init__(self) -> None:
        check_real("sigma_E", self.sigma, low=0.0, above=True)
        if not abs(self.log_scale) < MAX_EXPONENT:
            raise ArgumentError(
                "window", "keep the rates representable (σ_E = 1/window)",
                f"at β σ_E = {self.beta * self.sigma:.3g} they are of order e^{self.log_scale:.0f}",
                "choose a window of at least β/40, or sigma_E of at most 40/β",
            )  # fmt: skip

    @property
    def beta(self) -> float:
        """The rate's."""
        return self.rate.beta

    @property
    def detailed_balance(self) -> bool:
        """Exactly when the spectrum is shifted."""
        return self.shift == 0

    def balanced(self, nu1: Real, nu2: Real) -> Array:
        """α̃(ν1, ν2)."""
        nu1, nu2 = np.asarray(nu1, dtype=float), np.asarray(nu2, dtype=float)
        return np.exp(self._log(nu1, nu2)).astype(complex)

    def __call__(self, nu1: Real, nu2: Real) -> Array:
        """α(ν1, ν2)."""
        nu1, nu2 = np.asarray(nu1, dtype=float), np.asarray(nu2, dtype=float)
        return np.exp(self._log(nu1, nu2) - self.beta * (nu1 + nu2) / 4).astype(complex)

    def log_balanced(self, nu: Real) -> Real:
        """Ln α̃(ν, ν)."""
        nu = np.asarray(nu, dtype=float)
        return self._log(nu, nu)

    def _log(self, nu1: Real, nu2: Real) -> Real:
        m = (nu1 + nu2) / 2 - self.shift
        return np.asarray(self.log_scale - (nu1 - nu2) ** 2 / (8 * self.sigma**2) + self._log_smoothed(m))

    def _log_smoothed(self, m: Real) -> Real:
        if isinstance(self.rate, GaussianRate | MetropolisRate):
            return self.rate.log_smoothed(m, self.sigma)
        nodes, weights = self._nodes(float(np.max(np.abs(m), initial=0.0)))
        total = np.zeros(np.shape(m))
        for u, w in zip(nodes, weights, strict=True):
            total += w * np.exp(-((m - u) ** 2) / (2 * self.sigma**2))
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(total / (self.sigma * np.sqrt(2 * np.pi))))

    def _nodes(self, span: float) -> tuple[Real, Real]:
        """u_k symmetric about 0, never 0 itself, with weights h s(u_k); panels end at the kink of Metropolis."""
        end = min(self.rate.limit, span + SPREAD * np.sqrt(2) * self.sigma)
        step = STEP * self.sigma / np.hypot(1.0, self.sigma / self.rate.scale)  # of the product of both
        if not 2 * end / step < MAX_NODES:
            raise ArgumentError(
                "window", f"keep the number of jumps per coupling below {MAX_NODES} (σ_E = 1/window)",
                f"at σ_E = {self.sigma:.3g} over |ν| <= {end:.3g} it is {2 * end / step:.3g}",
                'choose a shorter window (a larger sigma_E), or its limit, kind = "davies"',
            )  # fmt: skip
        if isinstance(self.rate, MetropolisRate):
            panels = max(1, int(np.ceil(end / min(2 * self.sigma, 8 * self.rate.scale))))
            x, w = np.polynomial.legendre.leggauss(20)
            width = end / panels
            right = (width * (np.arange(panels)[:, None] + (x + 1) / 2)).ravel()
            steps = np.tile(w * width / 2, panels)
        else:
            h = step
            right = h * (np.arange(int(np.ceil(end / h))) + 0.5)
            steps = np.full(right.size, h)
        u = np.concatenate([-right[::-1], right])
        return u, np.concatenate([steps[::-1], steps]) * self.rate.symmetric(u)

    def support(self, nu: Real) -> np.ndarray:
        """Everywhere."""
        return np.ones(np.shape(nu), dtype=bool)

    def on(self, nu: Real) -> Windowed:
        """With factors for |ν| up to the largest of these."""
        return replace(self, span=float(np.max(np.abs(nu), initial=0.0)))

    def factors(self) -> tuple[tuple[float, Filter], ...]:
        """A quadrature over the window's centre; ± pairs keep detailed balance to rounding."""
        if self.span is None:
            raise ArgumentError(
                "kind", "be told the largest Bohr frequency first", "it is not", "call kernel.on(nu).factors()"
            )
        nodes, weights = self._nodes(self.span + self.shift)
        scale = np.exp(self.log_scale) / (self.sigma * np.sqrt(2 * np.pi))
        return tuple(
            (float(scale * w), WindowFilter(self.beta, self.sigma, float(u + self.shift)))
            for u, w in zip(nodes, weights, strict=True)
            if w > 0
        )


@dataclass(frozen=True, repr=False)
class WindowFilter(Brief):
    r"""$\hat f(\nu) = e^{-(\nu-u)^2/4\sigma^2 - \beta\nu/4}$, a factor of a windowed kernel; −u is its partner."""

    beta: float
    sigma: float
    centre: float
    name = "window"

    @property
    def width(self) -> float:
        """√2/σ: f falls to e^{−2} of its peak at this |t|."""
        return float(np.sqrt(2) / self.sigma)

    def symmetric(self, nu: Real) -> Array:
        """f̂(ν) e^{βν/4}."""
        return np.exp(-((np.asarray(nu, dtype=float) - self.centre) ** 2) / (4 * self.sigma**2)).astype(complex)

    def log_symmetric(self, nu: Real) -> Real:
        """Ln of it."""
        return np.asarray(-((np.asarray(nu, dtype=float) - self.centre) ** 2) / (4 * self.sigma**2))

    def frequency(self, nu: Real) -> Array:
        """f̂(ν)."""
        nu = np.asarray(nu, dtype=float)
        return np.exp(-((nu - self.centre) ** 2) / (4 * self.sigma**2) - self.beta * nu / 4).astype(complex)

    def support(self, nu: Real) -> np.ndarray:
        """Everywhere."""
        return np.ones(np.shape(nu), dtype=bool)

    def time(self, t: Real) -> Array:
        """f(t), a Gaussian about the centre u − βσ²/2."""
        t, centre = np.asarray(t, dtype=float), self.centre - self.beta * self.sigma**2 / 2
        scale = np.exp(-self.beta * self.centre / 4 + (self.beta * self.sigma) ** 2 / 16) * self.sigma / np.sqrt(np.pi)
        return np.asarray(scale * np.exp(-((self.sigma * t) ** 2) - 1j * centre * t))


def coarse_grained(rate: Rate, window: float) -> Windowed:
    """∫ γ(ω) f̂(ω−ν1) f̂(ω−ν2) dω with σ_E = 1/T: positive, biased by β²/T²."""
    sigma, beta = 1 / check_real("window", window, low=0.0, above=True), check_beta(rate.beta)
    return Windowed(rate, sigma, (beta * sigma) ** 2 / 8, beta * sigma**2 / 2)


def scandi_alhambra(rate: Rate, window: float) -> Windowed:
    """The same with γ(ν) → e^{β²σ_E²/4} γ(ν + βσ_E²/2): detailed balance at every T."""
    sigma, beta = 1 / check_real("window", window, low=0.0, above=True), check_beta(rate.beta)
    return Windowed(rate, sigma, (beta * sigma) ** 2 / 8)


def shifted(rate: Rate, window: float) -> Windowed:
    """Coarse-grained with the shifted spectrum and no prefactor: γ(ν) → γ(ν + βσ_E²/2)."""
    sigma, beta = 1 / check_real("window", window, low=0.0, above=True), check_beta(rate.beta)
    return Windowed(rate, sigma, -((beta * sigma) ** 2) / 8)


def ckg_gaussian(beta: float, sigma: float, omega: float) -> Windowed:
    """γ(ω) = e^{−(ω+ω_γ)²/2σ_γ²} with β = 2ω_γ/(σ_E² + σ_γ²).

    Raises:
        ArgumentError: If no σ_γ > 0 fits: ω_γ must exceed βσ_E²/2.
    """
    variance = 2 * omega / beta - sigma**2
    if variance <= 0:
        raise ArgumentError(
            "omega_gamma", f"exceed β σ_E²/2 = {beta * sigma**2 / 2:.6g}, so that σ_γ² = 2ω_γ/β − σ_E² > 0",
            f"the value is {omega:g}", f"set omega_gamma = {beta * sigma**2:.6g}",
        )  # fmt: skip
    return Windowed(GaussianRate(beta, float(np.sqrt(variance))), sigma, -(beta**2) * (sigma**2 + variance) / 8)


def ckg_metropolis(beta: float, sigma: float) -> Windowed:
    """γ(ω) = e^{−β max(ω + βσ_E²/2, 0)}."""
    return Windowed(MetropolisRate(beta), sigma, -((beta * sigma) ** 2) / 8)
