"""The truth, classically."""

from .advice import Advice, faster
from .certificate import Certificate, certificate, spectral_gap
from .channel_certificate import channel_certificate
from .steady import stationary_state

__all__ = ["Advice", "Certificate", "certificate", "channel_certificate", "faster", "spectral_gap", "stationary_state"]
