"""Redfield: second order in the coupling, not positive."""

from __future__ import annotations

from ...errors import ArgumentError
from ...models.model import Model
from ...models.signatures import public
from ..baths.registry import BathLike, bath_of
from ..contact import Coherent
from ..couplings import Couplings
from ..kernels.redfield import Redfield
from ..lamb_shift import RedfieldLamb
from ..lindbladian import Lindbladian
from .base import AnyCoherent, as_coherent, finite_at_zero, with_kernel


@public
def redfield(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    bath: BathLike = "ohmic",
    coherent: AnyCoherent = "lamb_shift",
) -> Lindbladian:
    """The Redfield equation: not completely positive, biased by O(λ²); for comparison.

    References:
        Redfield, IBM J. 1, 19 (1957); Breuer & Petruccione, ch. 3.
    """
    bath = finite_at_zero(bath_of(bath, beta, model), "redfield")
    if as_coherent(coherent, of_bath=True) is Coherent.BALANCE:
        raise ArgumentError(
            "coherent", "be lamb_shift or none for redfield", "its kernel is not positive, so B cannot balance it",
            'use kind = "ule" with coherent = "balance"',
        )  # fmt: skip
    kernel = Redfield(bath)
    return with_kernel("redfield", model, couplings, kernel, coherent, RedfieldLamb(kernel))
