"""Readings of a program: the same object as channel, circuit, cost."""

from .channel import contraction, fixed_point, states_after_sweeps, sweep_channel
from .circuit import circuit, pieces, random_draws
from .cost import Cost, cost
from .initial import InitialState, bits, mixed, one, zero
from .prediction import Prediction, predict

__all__ = [
    "Cost", "InitialState", "Prediction", "bits", "circuit", "contraction", "cost", "random_draws", "fixed_point",
    "mixed", "one", "pieces", "predict", "states_after_sweeps", "sweep_channel", "zero",
]  # fmt: skip
