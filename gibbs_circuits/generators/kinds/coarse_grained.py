"""Coarse graining over a Gaussian window of time."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from ...errors import ArgumentError, check_real
from ...models.model import Model
from ...models.signatures import public
from ..baths.registry import BathLike, bath_of
from ..contact import Coherent
from ..couplings import Couplings
from ..kernels.windowed import coarse_grained as coarse_grained_kernel
from ..kernels.windowed import shifted as shifted_kernel
from ..lamb_shift import WindowedLamb
from ..lindbladian import Lindbladian
from .base import AnyCoherent, as_coherent, finite_at_zero, with_kernel

Window: TypeAlias = Annotated[float | None, "T > 0; β if left out."]


@public
def coarse_grained(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    bath: BathLike = "ohmic",
    window: Window = None,
    shifted: Annotated[bool | None, "spectrum shifted to γ(ν + β/2T²); if left out, exactly with balance."] = None,
    coherent: AnyCoherent = "lamb_shift",
) -> Lindbladian:
    r"""Coarse graining over a Gaussian time window T: $e^{-(\nu_1-\nu_2)^2T^2/8}(\gamma * N_{1/T})((\nu_1+\nu_2)/2)$.

    Biased by O(β²/T²) whatever the coupling strength; with "balance" and the shifted spectrum γ(ν + β/2T²) exact.

    Args:
        model: Hamiltonian on n qubits.
        beta: Inverse temperature.
        couplings: Hermitian operators.
        bath: Gives γ(ν) and S(ω); a cutoff left out is 5 × the largest |coefficient| of H.
        window: T > 0; β if left out.
        shifted: Whether the spectrum is shifted; if left out, exactly when `coherent` is "balance". The Lamb shift
            stays that of the bath.
        coherent: "lamb_shift", "balance" or "none".

    References:
        Schaller & Brandes, PRA 78, 022106; for the shift Scandi & Alhambra, arXiv:2505.20064.
    """
    bath, window = finite_at_zero(bath_of(bath, beta, model), "coarse_grained"), window_of(window, beta)
    if shifted is None:
        shifted = as_coherent(coherent, of_bath=True) is Coherent.BALANCE
    kernel = (shifted_kernel if shifted else coarse_grained_kernel)(bath, window)
    return with_kernel("coarse_grained", model, couplings, kernel, coherent, WindowedLamb(bath, kernel.sigma))


def window_of(window: float | None, beta: float) -> float:
    """T, β if left out.

    Raises:
        ArgumentError: If it is left out at β = 0.
    """
    if window is None and beta == 0:
        raise ArgumentError("window", "be given at β = 0", "it is left out", "set window = 1.0")
    return beta if window is None else check_real("window", window, low=0.0, above=True)
