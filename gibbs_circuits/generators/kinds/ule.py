"""The universal Lindblad equation."""

from __future__ import annotations

from pathlib import Path

from ...models.model import Model
from ..baths.bath import Bath
from ..filters.rate import RateFilter
from ..kernels.base import RankOne
from ..lamb_shift import UniversalLamb
from ..lindbladian import Coherent, Lindbladian
from .base import BathKeys, Operators, _made


class UleKeys(BathKeys):
    names = ("ule",)
    summary = 'Universal Lindblad equation (GAME): biased by O(λ²); exact with coherent = "balance".'

    def build(self, model: Model, beta: float, folder: Path) -> Lindbladian:
        return ule(model, self.operators(model), self.made_bath(model, beta, folder), self.choice())


def ule(model: Model, couplings: Operators, bath: Bath, coherent: Coherent = Coherent.LAMB_SHIFT) -> Lindbladian:
    r"""The universal Lindblad equation, $\alpha = \sqrt{\gamma(\nu_1)\gamma(\nu_2)}$ (GAME is the same kernel).

    With the bath's Lamb shift biased by O(λ²); with BALANCE σ is exact: any physical bath gives an exact sampler.

    References:
        Nathan & Rudner, PRB 102, 115109; Davidović, Quantum 4, 326 (GAME).
    """
    bath = bath.for_model(model)
    return _made(model, couplings, RankOne(RateFilter(bath)), coherent, "ule", UniversalLamb(bath))
