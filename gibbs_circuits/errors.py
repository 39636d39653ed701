"""Exceptions and argument checks: the only place that words an argument error.

Every message has one grammar: what must hold, what was found, how to mend it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Self

import numpy as np

LARGEST = 1e50  # squares and products of numbers up to here stay finite


class GibbsError(Exception):
    """Base class of everything this package raises on purpose."""


class ArgumentError(GibbsError, ValueError):
    """A value that its user has to change.

    Args:
        argument: Name of the argument or of the key in a file.
        rule: What must hold, continuing "must ...".
        found: What was found, with the value.
        fix: A remedy that can be pasted or done.
        file: File that holds the value, if one does.
    """

    def __init__(self, argument: str, rule: str, found: str, fix: str, file: str | Path | None = None):
        self.argument, self.rule, self.found, self.fix, self.file = argument, rule, found, fix, file
        super().__init__(str(self))

    def __str__(self) -> str:
        subject = f"Argument `{self.argument}`" if self.file is None else f"{self.file}: {self.argument}"
        return one_line(f"{subject} must {self.rule}, but {self.found}. Fix: {self.fix}.")

    def located(self, file: str | Path, section: str = "") -> Self:
        """The same complaint, about a key of a file; a complaint that already names a file stays as it is."""
        if self.file is not None:
            return self
        argument = f"{section}.{self.argument}" if section else self.argument
        return type(self)(argument, self.rule, self.found, self.fix, file)


class InvalidModelError(ArgumentError):
    """A Hamiltonian or coupling operator that is not one."""


class InvalidProgramError(GibbsError):
    """A program that breaks a rule every reading relies on."""


class TooLargeError(GibbsError):
    """A computation that does not fit, with the numbers that say so."""


class BackendError(GibbsError):
    """A backend or service failed; what it delivered before is kept."""


def one_line(text: str) -> str:
    """Collapse white space, so that a message never spans two lines."""
    return " ".join(text.split())


def shown(value: object, limit: int = 60) -> str:
    """A value as it appears in a message: short, on one line."""
    text = one_line(repr(value))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def as_float(value: float | np.integer | np.floating) -> float:
    """A number as a float; a whole number beyond the largest float is infinite, not an exception."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def check_real(argument: str, value: object, *, low: float = -math.inf, above: bool = False) -> float:
    """A real number of magnitude <= 1e50, >= `low` (or > `low` when `above`)."""
    if low == -math.inf:
        rule = "be a finite real number"
    else:
        rule = f"be a finite real number {'>' if above else '>='} {low:g}"
    fix = f"set {argument.rsplit('.', 1)[-1]} = 1.0"
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ArgumentError(argument, rule, f"{shown(value)} is {type(value).__name__}", fix)
    number = as_float(value)
    if not abs(number) <= LARGEST or number < low or (above and number == low):
        raise ArgumentError(argument, rule, f"the value is {number:g}", fix)
    return number


def check_integer(argument: str, value: object, *, low: int, high: int | None = None) -> int:
    """A whole number in [low, high]."""
    rule = f"be a whole number >= {low}" if high is None else f"be a whole number from {low} to {high}"
    fix = f"set {argument.rsplit('.', 1)[-1]} = {low}"
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ArgumentError(argument, rule, f"{shown(value)} is {type(value).__name__}", fix)
    if value < low or (high is not None and value > high):
        raise ArgumentError(argument, rule, f"the value is {value}", fix)
    return int(value)


def check_beta(value: object, argument: str = "beta") -> float:
    """An inverse temperature: finite and >= 0."""
    return check_real(argument, value, low=0.0)


def check_choice(argument: str, value: object, choices: Iterable[str]) -> str:
    """One of several names; a near miss is named in the fix."""
    names: Sequence[str] = list(choices)
    if isinstance(value, str) and value in names:
        return value
    close = get_close_matches(str(value), names, n=1)
    fix = f'use "{(close or names)[0]}"'
    raise ArgumentError(argument, f"be one of {', '.join(names)}", f"{shown(value)} was found", fix)
