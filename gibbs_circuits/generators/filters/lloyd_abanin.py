"""The Gaussian filter of an ancilla of splitting h."""

from __future__ import annotations

from .gaussian import GaussianFilter


def lloyd_abanin(beta: float, splitting: float | None = None) -> GaussianFilter:
    r"""The filter $q(\nu) = e^{-\beta\nu^2/8h}$ of Lloyd & Abanin, PRX 16, 031053; h is 1/β if left out."""
    return GaussianFilter(beta, splitting)
