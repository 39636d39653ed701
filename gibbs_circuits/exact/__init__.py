"""The truth, classically."""

from . import free_fermions
from .advice import Advice, faster
from .certificate import Certificate, certificate, spectral_gap
from .channel_certificate import channel_certificate
from .dynamics import Evolution, evolve, expectation, heat_currents, mixing_time
from .nonequilibrium import Steady, between_baths
from .steady import stationary_state, steady_state, steady_states

__all__ = [
    "Advice", "Certificate", "Evolution", "Steady", "between_baths", "certificate", "channel_certificate", "evolve",
    "expectation", "faster", "free_fermions", "heat_currents", "mixing_time", "spectral_gap", "stationary_state",
    "steady_state", "steady_states",
]  # fmt: skip
