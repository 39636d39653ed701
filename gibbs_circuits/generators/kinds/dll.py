"""Ding, Li and Lin: one filter per jump, KMS detailed balance by a coherent term."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from ...errors import ArgumentError, check_beta
from ...models.model import Model
from ..filters.base import Filter
from ..filters.named import FILTERS, make_filter
from ..kernels.base import RankOne
from ..lindbladian import Coherent, Lindbladian
from .base import Keys, Operators, _made


class DllKeys(Keys):
    names = ("dll", "kms")
    summary = "Ding–Li–Lin (alias kms): one jump per coupling, exact detailed balance."
    filter: Any = Field(
        default="gaussian", description=f'f̂(ν): {", ".join(FILTERS)}, or "file.csv" (nu, f or nu, re, im).'
    )
    bandwidth: float | None = Field(
        default=None, examples=[1.0], description="metropolis: S, 1 on |ν| <= S/2; from H if left out."
    )
    splitting: float | None = Field(default=None, examples=[1.0], description="lloyd_abanin: h > 0; 1/β if left out.")

    def build(self, model: Model, beta: float, folder: Path) -> Lindbladian:
        filter = make_filter(self.filter, beta, model, folder, self.bandwidth, self.splitting)
        return dll(model, self.operators(model), filter, beta, self.choice())


def dll(
    model: Model, couplings: Operators, filter: Filter, beta: float, coherent: Coherent = Coherent.BALANCE
) -> Lindbladian:
    r"""Lindbladian in KMS detailed balance with the Gibbs state of `model`: Ding, Li & Lin's construction.

    One jump per coupling, $L_a = \sum_\nu\hat f(\nu)A^a_\nu$, kernel $\alpha = \hat f(\nu_1)\hat f^*(\nu_2)$, and the
    coherent term B that makes σ an exact fixed point.

    Args:
        model: Hamiltonian on n qubits.
        couplings: Hermitian operators through which heat flows.
        filter: With f̂(ν) = q(ν) e^{−βν/4} and q(−ν) = q(ν)*, at the same β.
        beta: Inverse temperature, >= 0.
        coherent: NONE leaves B out.

    Raises:
        InvalidModelError: If a coupling is not Hermitian, is a multiple of the identity or has the wrong width.
        ArgumentError: If β is not finite or negative, or there is no coupling.

    Accuracy: relative residual of σ <= 1e-12 (measured, n <= 4, β <= 10).

    References:
        Ding, Li & Lin, arXiv:2404.05998.
    """
    beta = check_beta(beta)
    if filter.beta != beta:
        raise ArgumentError(
            "filter", f"be made for the same β = {beta:g}", f"it is for {filter.beta:g}", "give both the same β"
        )
    return _made(model, couplings, RankOne(filter), coherent, "dll")
