"""Readings of a program: the same object as channel, circuit, cost."""

from .channel import contraction, fixed_point, state_after_sweeps, states_after_sweeps, sweep_channel, sweep_map
from .circuit import circuit, pieces, random_draws
from .cost import Cost, cost
from .forecast import Forecast, Simulation, forecast
from .initial import InitialState, bits, mixed, one, zero
from .krylov import Relaxation, relaxation
from .prediction import Prediction, Unpredicted, predict, try_predict

__all__ = [
    "Cost", "Forecast", "InitialState", "Prediction", "Relaxation", "Simulation", "Unpredicted", "bits", "circuit",
    "contraction", "cost", "fixed_point", "forecast", "mixed", "one", "pieces", "predict", "random_draws", "relaxation",
    "state_after_sweeps", "states_after_sweeps", "sweep_channel", "sweep_map", "try_predict", "zero",
]  # fmt: skip
