r"""Kernels with a Gaussian window: coarse-grained, Scandi–Alhambra, Chen–Kastoryano–Gilyén (CKG).

All are one formula. With an even function s(u) (a rate in detailed balance, γ(u) = s(u) e^{−βu/2}) and a width σ_E,

$$\tilde\alpha(\nu_1,\nu_2) = C\, e^{-(\nu_1-\nu_2)^2/8\sigma_E^2}\;(s * N_{\sigma_E})((\nu_1+\nu_2)/2 - x),\qquad
\alpha = \tilde\alpha\, e^{-\beta(\nu_1+\nu_2)/4}.$$

x = 0 is detailed balance. x = βσ_E²/2, C = e^{β²σ_E²/8} is the coarse-grained kernel of an unshifted spectrum,
$\int \gamma(\omega)\hat f(\omega-\nu_1)\hat f(\omega-\nu_2)d\omega$ with
$\hat f(w) = (\sigma_E\sqrt{2\pi})^{-1/2}e^{-w^2/4\sigma_E^2}$.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ...errors import ArgumentError, check_beta, check_real
from ...evidence import CHEN_KASTORYANO_GILYEN, DING_LI_LIN, SCANDI_ALHAMBRA, SCHALLER_BRANDES, Citation, Reference
from ...io.rendering import Brief
from ...linalg.arrays import Array, Real
from ..baths.bath import Bath
from .base import Factors, Kernel
from .rates import GaussianRate, MetropolisRate, Rate
from .windows import BEYOND, FINER, SPACING, WindowFilter, fitted_windows, refuse_many

SPREAD = 8.5  # standard deviations beyond which a Gaussian is below 1e-16
STEP = 0.7  # midpoint rule per standard deviation: error e^{−2π²/0.49}
MAX_EXPONENT = 600.0
MAX_NODES = 4000
COARSE_GRAINED: Citation = (SCHALLER_BRANDES, "the coarse-grained generator")
SHIFTED: Citation = (SCANDI_ALHAMBRA, "the shift of its spectrum")
IN_BALANCE: Citation = (SCANDI_ALHAMBRA, "the coarse-grained generator in detailed balance")
CKG: Citation = (CHEN_KASTORYANO_GILYEN, "the generator and its energy window")


@dataclass(frozen=True, repr=False)
class Windowed(Brief, Kernel):
    """The kernel of this module.

    Args:
        rate: s(u); a bath or one of the rates above.
        sigma: σ_E > 0.
        log_scale: ln C.
        shift: x, 0 for detailed balance.
        span: Largest |ν| that factors must hold for.
        references: What to cite for the construction.
        coherent_reference: What to cite for its B.

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
    references: tuple[Citation, ...] = field(default=(), compare=False, repr=False)
    coherent_reference: Reference = field(default=DING_LI_LIN, compare=False, repr=False)

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
        return self.rate.beta

    @property
    def baths(self) -> tuple[Bath, ...]:
        return self.rate.baths

    @property
    def detailed_balance(self) -> bool:
        """Exactly when the spectrum is shifted."""
        return self.shift == 0

    def balanced(self, nu1: Real, nu2: Real) -> Array:
        nu1, nu2 = np.asarray(nu1, dtype=float), np.asarray(nu2, dtype=float)
        return np.exp(self._log(nu1, nu2)).astype(complex)

    def __call__(self, nu1: Real, nu2: Real) -> Array:
        nu1, nu2 = np.asarray(nu1, dtype=float), np.asarray(nu2, dtype=float)
        return np.exp(self._log(nu1, nu2) - self.beta * (nu1 + nu2) / 4).astype(complex)

    def log_balanced(self, nu: Real) -> Real:
        nu = np.asarray(nu, dtype=float)
        return self._log(nu, nu)

    def _log(self, nu1: Real, nu2: Real) -> Real:
        m = (nu1 + nu2) / 2 - self.shift
        return np.asarray(self.log_scale - (nu1 - nu2) ** 2 / (8 * self.sigma**2) + self._log_smoothed(m))

    def _log_smoothed(self, m: Real) -> Real:
        known = self.rate.log_smoothed(m, self.sigma)
        if known is not None:
            return known
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
        if self.rate.kinked:
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

    def on(self, nu: Real) -> Windowed:
        """With factors for |ν| up to the largest of these."""
        return replace(self, span=float(np.max(np.abs(nu), initial=0.0)))

    def factors(self) -> Factors:
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

    def factors_in_time(self, nu: Real) -> Factors:
        r"""Windows 0.8 σ apart, right on all pairs where they are on the diagonal D.

        $\tilde\alpha = e^{-(\nu_1-\nu_2)^2/8\sigma^2} D((\nu_1+\nu_2)/2)$, for them and for the kernel.
        """
        reach = float(np.max(np.abs(nu), initial=0.0)) + abs(self.shift)
        sigma = self.sigma
        refuse_many(reach / (SPACING * sigma) + BEYOND / SPACING)
        points = np.linspace(0.0, reach, int(np.ceil(FINER * reach / sigma)) + 1)
        centres = np.arange(0.0, reach + BEYOND * sigma, SPACING * sigma)
        at = points + self.shift
        return fitted_windows(self.beta, points, self.balanced(at, at).real, centres, sigma, self.shift)


def coarse_grained(rate: Rate, window: float) -> Windowed:
    """∫ γ(ω) f̂(ω−ν1) f̂(ω−ν2) dω with σ_E = 1/T: positive, biased by β²/T²."""
    sigma, beta = 1 / check_real("window", window, low=0.0, above=True), check_beta(rate.beta)
    return Windowed(rate, sigma, (beta * sigma) ** 2 / 8, beta * sigma**2 / 2, references=(COARSE_GRAINED,))


def scandi_alhambra(rate: Rate, window: float) -> Windowed:
    """The same with γ(ν) → e^{β²σ_E²/4} γ(ν + βσ_E²/2): detailed balance at every T."""
    sigma, beta = 1 / check_real("window", window, low=0.0, above=True), check_beta(rate.beta)
    return Windowed(rate, sigma, (beta * sigma) ** 2 / 8, references=(IN_BALANCE,))


def shifted(rate: Rate, window: float) -> Windowed:
    """Coarse-grained with the shifted spectrum and no prefactor: γ(ν) → γ(ν + βσ_E²/2)."""
    sigma, beta = 1 / check_real("window", window, low=0.0, above=True), check_beta(rate.beta)
    return Windowed(rate, sigma, -((beta * sigma) ** 2) / 8, references=(COARSE_GRAINED, SHIFTED))


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
    rate = GaussianRate(beta, float(np.sqrt(variance)))
    return _ckg(rate, sigma, -(beta**2) * (sigma**2 + variance) / 8)


def ckg_metropolis(beta: float, sigma: float) -> Windowed:
    """γ(ω) = e^{−β max(ω + βσ_E²/2, 0)}."""
    return _ckg(MetropolisRate(beta), sigma, -((beta * sigma) ** 2) / 8)


def _ckg(rate: Rate, sigma: float, log_scale: float) -> Windowed:
    return Windowed(rate, sigma, log_scale, references=(CKG,), coherent_reference=CHEN_KASTORYANO_GILYEN)
