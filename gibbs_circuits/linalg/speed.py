"""What one core does in a second, for estimates of time that are the same on every machine."""

from __future__ import annotations

PRODUCTS = 2e10  # real operations per second in products of large matrices, on one core
PASSES = 2e8  # complex numbers per second in a pass over memory
