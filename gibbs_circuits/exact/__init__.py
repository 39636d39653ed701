"""The truth, classically."""

from .certificate import Certificate, certificate
from .steady import stationary_state

__all__ = ["Certificate", "certificate", "stationary_state"]
