"""What a sweep is made of: frozen steps on a system register and ancillas that start in |0⟩."""

from .base import Branch, Draw, Step, flat, renumbered
from .steps import EXACT, Correct, Couple, Evolve, Exponential, RandomChoice, RandomDelay, Reset, Unitary

__all__ = [
    "EXACT", "Branch", "Correct", "Couple", "Draw", "Evolve", "Exponential", "RandomChoice", "RandomDelay", "Reset",
    "Step", "Unitary", "flat", "renumbered",
]  # fmt: skip
