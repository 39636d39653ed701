"""Lindbladian → program."""

from ..status import Status
from .program import Alternative, Calibration, ErrorTerm, Guarantee, Program, Rung, Search, Stage
from .schemes import SCHEMES, Knobs, ParallelKnobs, Scheme, SequentialKnobs, TimeKnobs, parallel, sequential
from .steps import (
    EXACT,
    Branch,
    Correct,
    Couple,
    Evolve,
    Random,
    RandomChoice,
    RandomDelay,
    Reset,
    Step,
    Unitary,
)
from .trotter import Group

__all__ = [
    "EXACT", "SCHEMES", "Alternative", "Branch", "Calibration", "Correct", "Couple", "ErrorTerm", "Evolve", "Group",
    "Guarantee", "Knobs", "ParallelKnobs", "Program", "Random", "RandomChoice", "RandomDelay", "Reset", "Rung",
    "Scheme", "Search", "SequentialKnobs", "Stage", "Status", "Step", "TimeKnobs", "Unitary", "parallel", "sequential",
]  # fmt: skip
