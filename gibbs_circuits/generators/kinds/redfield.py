"""Redfield: second order in the coupling, not positive."""

from __future__ import annotations

from pathlib import Path

from ...errors import ArgumentError
from ...models.model import Model
from ..baths.bath import Bath
from ..kernels.redfield import Redfield
from ..lamb_shift import RedfieldLamb
from ..lindbladian import Coherent, Lindbladian
from .base import BathKeys, Operators, _made


class RedfieldKeys(BathKeys):
    names = ("redfield",)
    summary = "Redfield: not positive, biased by O(λ²); for comparison."

    def build(self, model: Model, beta: float, folder: Path) -> Lindbladian:
        return redfield(model, self.operators(model), self.made_bath(model, beta, folder), self.choice())


def redfield(model: Model, couplings: Operators, bath: Bath, coherent: Coherent = Coherent.LAMB_SHIFT) -> Lindbladian:
    """The Redfield equation: not completely positive, biased by O(λ²); kept for comparison.

    References:
        Redfield, IBM J. 1, 19 (1957); Breuer & Petruccione, ch. 3.
    """
    if coherent is Coherent.BALANCE:
        raise ArgumentError(
            "coherent", "be lamb_shift or none for redfield", "its kernel is not positive, so B cannot balance it",
            'use kind = "ule" with coherent = "balance"',
        )  # fmt: skip
    bath = bath.for_model(model)
    kernel = Redfield(bath)
    return _made(model, couplings, kernel, coherent, "redfield", RedfieldLamb(kernel))
