"""Programs on lattices: placement, routing, basis gates."""

from . import transpiler

__all__ = ["transpiler"]
