"""Free fermions: hundreds of modes by third quantisation."""

from .model import QuadraticModel, energy, free_energy, hopping_chain, quadratic, tfim_chain, thermal_covariance
from .third_quantisation import (
    QuadraticGenerator,
    covariance_equation,
    rapidities,
    relaxation,
    residual,
    spectral_gap,
    steady_covariance,
    steady_states,
)

__all__ = [
    "QuadraticGenerator", "QuadraticModel", "covariance_equation", "energy", "free_energy", "hopping_chain",
    "quadratic", "rapidities", "relaxation", "residual", "spectral_gap", "steady_covariance", "steady_states",
    "tfim_chain", "thermal_covariance",
]  # fmt: skip
