"""A kernel of one's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...errors import ArgumentError, check_beta, shown
from ...linalg.arrays import Real
from ...models.model import Model, bandwidth
from ..kernels.custom import CustomKernel, read_kernel
from ..lindbladian import Coherent, Lindbladian
from .base import Keys, Operators, _made


class CustomKeys(Keys):
    names = ("custom",)
    summary = "your own kernel α(ν1, ν2), held to detailed balance and positivity."
    kernel: Any = Field(description='"file.csv" with columns nu1, nu2, alpha on a grid.', examples=["kernel.csv"])

    def build(self, model: Model, beta: float, folder: Path) -> Lindbladian:
        function = read_kernel(folder / self.kernel, beta) if isinstance(self.kernel, str | Path) else self.kernel
        if not callable(function):
            raise ArgumentError(
                "kernel", "be a function or a file", f"{shown(self.kernel)} was found", 'set kernel = "kernel.csv"'
            )
        return custom(model, self.operators(model), beta, function, self.choice())


def custom(
    model: Model,
    couplings: Operators,
    beta: float,
    kernel: Callable[[Real, Real], NDArray[np.generic]],
    coherent: Coherent = Coherent.BALANCE,
) -> Lindbladian:
    """A generator from the user's own kernel α(ν1, ν2); refused with the numbers if it is not balanced and positive."""
    return _made(model, couplings, CustomKernel(check_beta(beta), kernel, 2 * bandwidth(model)), coherent, "custom")
