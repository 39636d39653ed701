"""What came out."""

from .compare import Comparison, Prediction, Verdict, compare
from .estimate import Estimate

__all__ = ["Comparison", "Estimate", "Prediction", "Verdict", "compare"]
