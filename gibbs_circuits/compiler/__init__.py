"""Lindbladian → program."""

from ..status import Status
from .program import (
    EXACT,
    Calibration,
    Couple,
    ErrorTerm,
    Evolve,
    Guarantee,
    Program,
    RandomDelay,
    Reset,
    Rung,
    Stage,
    Step,
)
from .schemes import SCHEMES, Knobs, ParallelKnobs, Scheme, SequentialKnobs, parallel, sequential
from .trotter import Group

__all__ = [
    "EXACT", "SCHEMES", "Calibration", "Couple", "ErrorTerm", "Evolve", "Group", "Guarantee", "Knobs",
    "ParallelKnobs", "Program", "RandomDelay", "Reset", "Rung", "Scheme", "SequentialKnobs", "Stage", "Status", "Step",
    "parallel", "sequential",
]  # fmt: skip
