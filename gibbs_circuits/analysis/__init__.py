"""What came out."""

from .compare import Comparison, Verdict, compare
from .estimate import Estimate

__all__ = ["Comparison", "Estimate", "Verdict", "compare"]
