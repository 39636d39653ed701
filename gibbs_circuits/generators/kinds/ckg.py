"""Chen, Kastoryano and Gilyén: a Gaussian window of energy, KMS detailed balance by a coherent term."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from ...errors import ArgumentError, check_beta, check_choice, check_real
from ...models.model import Model
from ...models.signatures import public
from ..couplings import Couplings
from ..filters.gaussian import GaussianFilter
from ..kernels.base import RankOne
from ..kernels.windowed import ckg_gaussian, ckg_metropolis
from ..lindbladian import Lindbladian
from .base import BalanceOrNone, with_kernel


@public
def ckg(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    filter: Annotated[str, "the rate: gaussian or metropolis."] = "gaussian",
    sigma_E: Annotated[float | None, "width of the window; 1/β if left out."] = None,
    omega_gamma: Annotated[float | None, "gaussian: centre of the rate; 1/β if left out."] = None,
    coherent: BalanceOrNone = "balance",
) -> Lindbladian:
    r"""Chen, Kastoryano & Gilyén's generator, exact: a Gaussian window of width σ_E on energies.

    $\alpha = \int\gamma(\omega)\hat f(\omega-\nu_1)\hat f(\omega-\nu_2)d\omega$. Gaussian rate:
    $\gamma = e^{-(\omega+\omega_\gamma)^2/2\sigma_\gamma^2}$, β = 2ω_γ/(σ_E² + σ_γ²); Metropolis rate:
    $\gamma = e^{-\beta\max(\omega+\beta\sigma_E^2/2, 0)}$, whose gap is about three times larger.

    Args:
        model: As for `dll`, like the next two.
        beta: Inverse temperature.
        couplings: Hermitian operators.
        filter: The rate, "gaussian" or "metropolis".
        sigma_E: σ_E, 1/β if left out.
        omega_gamma: ω_γ of the Gaussian rate, 1/β if left out.
        coherent: "balance", or "none" to leave B out.

    Raises:
        ArgumentError: If no σ_γ fits, or a width is given at β = 0.

    References:
        Chen, Kastoryano & Gilyén, arXiv:2311.09207.
    """
    metropolis = check_choice("filter", filter, ("gaussian", "metropolis")) == "metropolis"
    if metropolis and omega_gamma is not None:
        raise ArgumentError(
            "omega_gamma", "be left out with filter = metropolis", "it is unused there", "remove omega_gamma"
        )
    beta = check_beta(beta)
    if beta == 0 and sigma_E is None and omega_gamma is None:  # the limit of 1/β: a constant
        flat = np.exp(-0.25) / np.sqrt(2) if not metropolis else float(_metropolis_at_zero())
        return with_kernel("ckg", model, couplings, RankOne(GaussianFilter(0.0), float(flat)), coherent)
    if beta == 0:
        raise ArgumentError(
            "sigma_E", "be left out at β = 0, where every balanced kernel of this family is flat",
            "a width was given", "remove sigma_E and omega_gamma",
        )  # fmt: skip
    beta = check_real("beta", beta, low=0.0, above=True)  # so that 1/β is a number
    sigma = 1 / beta if sigma_E is None else check_real("sigma_E", sigma_E, low=0.0, above=True)
    if metropolis:
        return with_kernel("ckg", model, couplings, ckg_metropolis(beta, sigma), coherent)
    omega = 1 / beta if omega_gamma is None else check_real("omega_gamma", omega_gamma, low=0.0, above=True)
    return with_kernel("ckg", model, couplings, ckg_gaussian(beta, sigma, omega), coherent)


def _metropolis_at_zero() -> float:
    kernel = ckg_metropolis(1e-6, 1e6)
    return float(kernel.balanced(np.zeros(1), np.zeros(1))[0].real)
