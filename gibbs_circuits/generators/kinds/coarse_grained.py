"""Coarse graining over a Gaussian window of time."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from ...errors import ArgumentError, check_real
from ...models.model import Model
from ..baths.bath import Bath
from ..kernels.windowed import coarse_grained as coarse_grained_kernel
from ..kernels.windowed import shifted as shifted_kernel
from ..lamb_shift import WindowedLamb
from ..lindbladian import Coherent, Lindbladian
from .base import BathKeys, Operators, _made


class CoarseGrainedKeys(BathKeys):
    names = ("coarse_grained",)
    summary = 'coarse graining over a Gaussian window: biased by O(β²/T²); exact with coherent = "balance".'
    window: float | None = Field(default=None, examples=[1.0], description="T > 0; β if left out.")
    shifted: bool | None = Field(
        default=None,
        examples=[True],
        json_schema_extra={"rule": "be true or false"},
        description="spectrum shifted to γ(ν + β/2T²); if left out, exactly with balance.",
    )

    def build(self, model: Model, beta: float, folder: Path) -> Lindbladian:
        return coarse_grained(
            model, self.operators(model), self.made_bath(model, beta, folder), window_of(self.window, beta),
            shifted=self.shifted, coherent=self.choice(),
        )  # fmt: skip


def coarse_grained(
    model: Model,
    couplings: Operators,
    bath: Bath,
    window: float,
    *,
    shifted: bool | None = None,
    coherent: Coherent = Coherent.LAMB_SHIFT,
) -> Lindbladian:
    r"""Coarse graining over a Gaussian time window T: $e^{-(\nu_1-\nu_2)^2T^2/8}(\gamma * N_{1/T})((\nu_1+\nu_2)/2)$.

    Biased by O(β²/T²) whatever the coupling strength; with BALANCE and the shifted spectrum γ(ν + β/2T²) exact.

    Args:
        model: Hamiltonian on n qubits.
        couplings: Hermitian operators.
        bath: Gives γ(ν) and S(ω); a cutoff left out is 5 × the largest |coefficient| of H.
        window: T > 0.
        shifted: Whether the spectrum is shifted; if left out, exactly when `coherent` is BALANCE. The Lamb shift
            stays that of the bath.
        coherent: LAMB_SHIFT, BALANCE or NONE.

    References:
        Schaller & Brandes, PRA 78, 022106; for the shift Scandi & Alhambra, arXiv:2505.20064.
    """
    bath = bath.for_model(model)
    moved = coherent is Coherent.BALANCE if shifted is None else shifted
    kernel = (shifted_kernel if moved else coarse_grained_kernel)(bath, window)
    return _made(model, couplings, kernel, coherent, "coarse_grained", WindowedLamb(bath, kernel.sigma))


def window_of(window: float | None, beta: float) -> float:
    """T, β if left out.

    Raises:
        ArgumentError: If it is left out at β = 0.
    """
    if window is None and beta == 0:
        raise ArgumentError("window", "be given at β = 0", "it is left out", "set window = 1.0")
    return beta if window is None else check_real("window", window, low=0.0, above=True)
