"""Scandi and Alhambra: coarse graining with the shifted spectrum, in KMS detailed balance."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from ...models.model import Model
from ..baths.bath import Bath
from ..kernels.windowed import scandi_alhambra as scandi_alhambra_kernel
from ..lamb_shift import WindowedLamb
from ..lindbladian import Coherent, Lindbladian
from .base import BathKeys, Operators, _made
from .coarse_grained import window_of


class ScandiAlhambraKeys(BathKeys):
    names = ("scandi_alhambra",)
    summary = "Scandi–Alhambra: coarse graining in KMS form, exact at every window, Davies as it widens."
    coherent: str = Field(default="balance", description="balance: the term B that makes it exact; lamb_shift; none.")
    window: float | None = Field(default=None, examples=[1.0], description="T > 0; β if left out.")

    def build(self, model: Model, beta: float, folder: Path) -> Lindbladian:
        bath = self.made_bath(model, beta, folder)
        return scandi_alhambra(model, self.operators(model), bath, window_of(self.window, beta), self.choice())


def scandi_alhambra(
    model: Model, couplings: Operators, bath: Bath, window: float, coherent: Coherent = Coherent.BALANCE
) -> Lindbladian:
    r"""Coarse graining in KMS form: γ(ν) → e^{β²/4T²} γ(ν + β/2T²), with B; exact at every T, Davies as T → ∞.

    References:
        Scandi & Alhambra, arXiv:2505.20064 (our reconstruction of the KMS form).
    """
    bath = bath.for_model(model)
    kernel = scandi_alhambra_kernel(bath, window)
    return _made(model, couplings, kernel, coherent, "scandi_alhambra", WindowedLamb(bath, kernel.sigma))
