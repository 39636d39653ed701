"""What came out."""

from .compare import Comparison, compare
from .estimate import Estimate
from .verdict import Verdict

__all__ = ["Comparison", "Estimate", "Verdict", "compare"]
