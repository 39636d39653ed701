"""Scandi and Alhambra: coarse graining with the shifted spectrum, in KMS detailed balance."""

from __future__ import annotations

from typing import Annotated

from ...models.model import Model
from ...models.signatures import public
from ..baths.registry import BathLike, bath_of
from ..couplings import Couplings
from ..kernels.windowed import scandi_alhambra as scandi_alhambra_kernel
from ..lamb_shift import WindowedLamb
from ..lindbladian import Lindbladian
from .base import with_kernel
from .coarse_grained import Window, window_of


@public
def scandi_alhambra(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    bath: BathLike = "ohmic",
    window: Window = None,
    coherent: Annotated[str, "balance: the term B that makes it exact; lamb_shift; none."] = "balance",
) -> Lindbladian:
    r"""Coarse graining in KMS form: γ(ν) → e^{β²/4T²} γ(ν + β/2T²), with B; exact at every T, Davies as T → ∞.

    References:
        Scandi & Alhambra, arXiv:2505.20064 (our reconstruction of the KMS form).
    """
    bath = bath_of(bath, beta, model)
    kernel = scandi_alhambra_kernel(bath, window_of(window, beta))
    return with_kernel("scandi_alhambra", model, couplings, kernel, coherent, WindowedLamb(bath, kernel.sigma))
