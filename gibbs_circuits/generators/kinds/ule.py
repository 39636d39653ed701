"""The universal Lindblad equation."""

from __future__ import annotations

from ...models.model import Model
from ...models.signatures import public
from ..baths.registry import BathLike, bath_of
from ..couplings import Couplings
from ..filters.rate import RateFilter
from ..kernels.base import RankOne
from ..lamb_shift import UniversalLamb
from ..lindbladian import Lindbladian
from .base import AnyCoherent, finite_at_zero, with_kernel


@public
def ule(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    bath: BathLike = "ohmic",
    coherent: AnyCoherent = "lamb_shift",
) -> Lindbladian:
    r"""The universal Lindblad equation, $\alpha = \sqrt{\gamma(\nu_1)\gamma(\nu_2)}$ (GAME is the same kernel).

    With the bath's Lamb shift biased by O(λ²), λ² the bath's strength; with coherent="balance" σ is exact: any physical
    bath gives an exact sampler.

    References:
        Nathan & Rudner, PRB 102, 115109; Davidović, Quantum 4, 326 (GAME).
    """
    bath = finite_at_zero(bath_of(bath, beta, model), "ule")
    return with_kernel("ule", model, couplings, RankOne(RateFilter(bath)), coherent, UniversalLamb(bath))
