"""A kernel of one's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from ...errors import ArgumentError, check_beta, shown
from ...models.model import Model, bandwidth
from ...models.signatures import public
from ..couplings import Couplings
from ..kernels.custom import CustomKernel, read_kernel
from ..lindbladian import Lindbladian
from .base import BalanceOrNone, with_kernel


@public
def custom(
    model: Model,
    beta: float,
    kernel: Annotated[
        str | Path | Callable[[Any, Any], Any], '"file.csv" with columns nu1, nu2, alpha on a grid.', "kernel.csv"
    ],
    couplings: Couplings = "Y",
    coherent: BalanceOrNone = "balance",
) -> Lindbladian:
    """Your own kernel α(ν1, ν2), a function of two arrays or a .csv file.

    Refused, with the numbers, if it is not Hermitian, positive and in detailed balance,
    α(ν1, ν2) = α(−ν2, −ν1) e^{−β(ν1+ν2)/2}.

    References:
        Chen, Kastoryano & Gilyén, arXiv:2311.09207: such kernels; Ding, Li & Lin, arXiv:2404.05998: the coherent term.
    """
    function = read_kernel(Path(kernel), beta) if isinstance(kernel, str | Path) else kernel
    if not callable(function):
        raise ArgumentError(
            "kernel", "be a function or a file", f"{shown(kernel)} was found", 'set kernel = "kernel.csv"'
        )
    kernel_held = CustomKernel(check_beta(beta), function, 2 * bandwidth(model))
    return with_kernel("custom", model, couplings, kernel_held, coherent)
