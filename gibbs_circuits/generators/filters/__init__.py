"""Filters f̂(ν) of energy gained: the shape of a jump in frequency and time."""

from .base import Filter
from .custom import CustomFilter
from .gaussian import GaussianFilter
from .metropolis import MetropolisFilter
from .rate import RateFilter

__all__ = ["CustomFilter", "Filter", "GaussianFilter", "MetropolisFilter", "RateFilter"]
