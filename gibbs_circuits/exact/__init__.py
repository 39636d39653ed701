"""The truth, classically."""

from .certificate import Certificate, certificate

__all__ = ["Certificate", "certificate"]
