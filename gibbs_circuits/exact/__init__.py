"""The truth, classically."""

from . import free_fermions
from .certificate.advice import Advice, faster
from .certificate.certificate import Certificate, certificate, spectral_gap
from .certificate.discrete import channel_certificate
from .dynamics.evolve import Evolution, evolve, expectation, heat_currents, mixing_time
from .dynamics.nonequilibrium import Steady, between_baths
from .dynamics.steady import steady_state, steady_states

__all__ = [
    "Advice", "Certificate", "Evolution", "Steady", "between_baths", "certificate", "channel_certificate", "evolve",
    "expectation", "faster", "free_fermions", "heat_currents", "mixing_time", "spectral_gap", "steady_state",
    "steady_states",
]  # fmt: skip
