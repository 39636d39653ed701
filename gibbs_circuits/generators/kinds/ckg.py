"""Chen, Kastoryano and Gilyen: a Gaussian window of energy, KMS detailed balance by a coherent term."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import Field

from ...errors import ArgumentError, check_beta, check_choice, check_real
from ...models.model import Model
from ..filters.gaussian import GaussianFilter
from ..kernels.base import RankOne
from ..kernels.windowed import ckg_gaussian, ckg_metropolis
from ..lindbladian import Coherent, Lindbladian
from .base import Keys, Operators, _made


class CkgKeys(Keys):
    names = ("ckg",)
    summary = "Chen–Kastoryano–Gilyén: a Gaussian window on energies, exact detailed balance."
    filter: str = Field(default="gaussian", description="the rate: gaussian or metropolis.")
    sigma_E: float | None = Field(default=None, examples=[1.0], description="width of the window; 1/β if left out.")
    omega_gamma: float | None = Field(
        default=None, examples=[1.0], description="gaussian: centre of the rate; 1/β if left out."
    )

    def build(self, model: Model, beta: float, folder: Path) -> Lindbladian:
        metropolis = check_choice("filter", self.filter, ("gaussian", "metropolis")) == "metropolis"
        if metropolis and self.omega_gamma is not None:
            raise ArgumentError(
                "omega_gamma", "be left out with filter = metropolis", "it is unused there", "remove omega_gamma"
            )
        return ckg(
            model, self.operators(model), beta, metropolis=metropolis, sigma_E=self.sigma_E,
            omega_gamma=self.omega_gamma, coherent=self.choice(),
        )  # fmt: skip


def ckg(
    model: Model,
    couplings: Operators,
    beta: float,
    *,
    metropolis: bool = False,
    sigma_E: float | None = None,
    omega_gamma: float | None = None,
    coherent: Coherent = Coherent.BALANCE,
) -> Lindbladian:
    r"""Chen, Kastoryano & Gilyén's generator: a Gaussian window of width σ_E on energies, rate Gaussian or Metropolis.

    $\alpha = \int\gamma(\omega)\hat f(\omega-\nu_1)\hat f(\omega-\nu_2)d\omega$. Gaussian:
    $\gamma = e^{-(\omega+\omega_\gamma)^2/2\sigma_\gamma^2}$, β = 2ω_γ/(σ_E² + σ_γ²); Metropolis:
    $\gamma = e^{-\beta\max(\omega+\beta\sigma_E^2/2, 0)}$, whose gap is about three times larger.

    Args:
        model: As for `dll`, like the next three.
        couplings: Hermitian operators.
        beta: Inverse temperature.
        coherent: NONE leaves B out.
        metropolis: The Metropolis rate.
        sigma_E: σ_E, 1/β if left out.
        omega_gamma: ω_γ of the Gaussian rate, 1/β if left out.

    Raises:
        ArgumentError: If no σ_γ fits, or only one of the widths is left to its default at β = 0.

    References:
        Chen, Kastoryano & Gilyén, arXiv:2311.09207.
    """
    beta = check_beta(beta)
    if beta == 0 and sigma_E is None and omega_gamma is None:  # the limit of 1/β: a constant
        flat = np.exp(-0.25) / np.sqrt(2) if not metropolis else float(_metropolis_at_zero())
        return _made(model, couplings, RankOne(GaussianFilter(0.0), float(flat)), coherent, "ckg")
    if beta == 0:
        raise ArgumentError(
            "sigma_E", "be left out at β = 0, where every balanced kernel of this family is flat",
            "a width was given", "remove sigma_E and omega_gamma",
        )  # fmt: skip
    beta = check_real("beta", beta, low=0.0, above=True)  # so that 1/β is a number
    sigma = 1 / beta if sigma_E is None else check_real("sigma_E", sigma_E, low=0.0, above=True)
    if metropolis:
        return _made(model, couplings, ckg_metropolis(beta, sigma), coherent, "ckg")
    omega = 1 / beta if omega_gamma is None else check_real("omega_gamma", omega_gamma, low=0.0, above=True)
    return _made(model, couplings, ckg_gaussian(beta, sigma, omega), coherent, "ckg")


def _metropolis_at_zero() -> float:
    kernel = ckg_metropolis(1e-6, 1e6)
    return float(kernel.balanced(np.zeros(1), np.zeros(1))[0].real)
