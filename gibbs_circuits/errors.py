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

# What a line can hold; how much may be read or computed is said in `limits`.
LONGEST_LINE = 400  # characters of an error: five lines of a terminal
LONGEST_NAME = 200  # characters of a name: what a table can hold
LONGEST_NUMBER = 400  # digits of one number: the longest double written out in full has 325

LARGEST = 1e50  # squares and products of numbers up to here stay finite
SMALLEST = 1e-50  # and those from here on stay above zero
NEAR = 0.7  # of difflib: `site` is a slip for `sites`, `direction` is none for `truncation`
SHORTEST_PART = 40  # of a message that is cut: enough to know a key or a path by


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
        where = [one_line(str(self.file)), one_line(self.argument)] if self.file is not None else []
        parts = [*(where or [one_line(self.argument)]), *map(one_line, (self.rule, self.found, self.fix))]
        *subject, rule, found, fix = _fitted(parts, LONGEST_LINE - len("Argument ``:  must , but . Fix: ."))
        whose = f"Argument `{subject[0]}`" if self.file is None else ": ".join(subject)
        return f"{whose} must {rule}, but {found}. Fix: {fix}."

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


def printable(text: str) -> str:
    """Control characters, line separators and lone surrogates as escapes: what a terminal would obey is shown."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def one_line(text: str) -> str:
    """Collapse white space and escape what cannot be printed, so that a message never spans two lines."""
    return printable(" ".join(text.split()))


def error_line(text: str) -> str:
    """One line of at most 400 characters; what is too long loses its middle, and the remedy at the end goes last."""
    line = one_line(text)
    head, mark, fix = line.rpartition(" Fix: ")
    head, fix = _fitted([head, fix], LONGEST_LINE - len(mark))
    return head + mark + fix


def _fitted(parts: list[str], room: int) -> list[str]:
    """Texts cut in the middle until all of them fit: the longest first, the last one, a remedy, only to half of it."""
    last = _cut(parts[-1], room // 2)
    room -= len(last)
    level = LONGEST_LINE
    while level > SHORTEST_PART and sum(min(len(part), level) for part in parts[:-1]) > room:
        level -= 1
    return [*(_cut(part, level) for part in parts[:-1]), last]


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    head = limit // 2
    return f"{text[:head].rstrip()}…{text[len(text) - (limit - head - 1) :].lstrip()}"


def shown(value: object, limit: int = 60) -> str:
    """A value as it appears in a message: short, on one line."""
    try:
        text = repr(value[: 2 * limit]) if isinstance(value, str | bytes) else repr(value)
    except Exception:  # a number of thousands of digits, a user's own object
        text = f"a {type(value).__name__}"
    text = one_line(text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def as_float(value: float | np.integer | np.floating) -> float:
    """A number as a float; a whole number beyond the largest float is infinite, not an exception."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def written_number(value: object) -> float | None:
    """The number that a text is, such as "-0.47", or a number itself; None of anything else."""
    if isinstance(value, bool) or (isinstance(value, str) and len(value) > LONGEST_NUMBER):
        return None
    if isinstance(value, int | float | np.integer | np.floating):
        return as_float(value)
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None


def check_real(argument: str, value: object, *, low: float = -math.inf, above: bool = False) -> float:
    """A real number of magnitude <= 1e50, >= `low` (or > `low` when `above`, and then by 1e-50 at least)."""
    if low == -math.inf:
        rule = "be a finite real number"
    else:
        rule = f"be a finite real number {'>' if above else '>='} {low:g}"
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        fix = _set(argument, _nearest(written_number(value), low, above))
        raise ArgumentError(argument, rule, f"{shown(value)} is {type(value).__name__}", fix)
    number = as_float(value)
    if above and low < number < low + SMALLEST:  # what may be zero may be anything near it
        rule += f", of at least {SMALLEST:g}"
        fix = f"give it in another unit, of at least {SMALLEST:g}"
        raise ArgumentError(argument, rule, f"the value is {number:g}", fix)
    if not abs(number) <= LARGEST or number < low or (above and number == low):
        fix = _set(argument, _nearest(number, low, above))
        if math.isfinite(number) and abs(number) > LARGEST:
            fix = f"give it in another unit, of at most {LARGEST:g}"
        raise ArgumentError(argument, rule, f"the value is {number:g}", fix)
    return number


def _set(argument: str, value: float) -> str:
    return f"set {argument.rsplit('.', 1)[-1]} = {value!r}"


def _nearest(number: float | None, low: float, above: bool) -> float:
    """The number that was meant, as far as one can tell: of the wrong sign without it, else 1."""
    if number is None or not abs(number) <= LARGEST:
        return max(1.0, 2 * low)
    if number < low or (above and number == low):
        return -number if -number > low else low if not above else max(1.0, 2 * low)
    return number


def check_integer(argument: str, value: object, *, low: int, high: int | None = None) -> int:
    """A whole number in [low, high]."""
    rule = f"be a whole number >= {low}" if high is None else f"be a whole number from {low} to {high}"
    whole = written_number(value)
    meant = low if whole is None or not math.isfinite(whole) else round(whole)
    fix = f"set {argument.rsplit('.', 1)[-1]} = {max(low, meant if high is None else min(meant, high))}"
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ArgumentError(argument, rule, f"{shown(value)} is {type(value).__name__}", fix)
    if value < low or (high is not None and value > high):
        raise ArgumentError(argument, rule, f"the value is {shown(int(value))}", fix)
    return int(value)


def check_beta(value: object, argument: str = "beta") -> float:
    """An inverse temperature: finite and >= 0."""
    return check_real(argument, value, low=0.0)


def check_choice(argument: str, value: object, choices: Iterable[str]) -> str:
    """One of several names; a near miss is named in the fix."""
    names: Sequence[str] = list(choices)
    if isinstance(value, str) and value in names:
        return value
    close = get_close_matches(value[:LONGEST_NAME], names, n=1) if isinstance(value, str) else []
    fix = f'use "{(close or names)[0]}"'
    raise ArgumentError(argument, f"be one of {', '.join(names)}", f"{shown(value)} was found", fix)


def check_name(argument: str, value: object, instead: str = "custom") -> str:
    """A name that reports can print: some text without control characters, of a length that fits a table."""
    rule = f"be text of 1 to {LONGEST_NAME} printable characters"
    if isinstance(value, str) and value.isprintable() and 0 < len(value) <= LONGEST_NAME:
        return value
    kept = "".join(c for c in value[:LONGEST_NAME] if c.isprintable()) if isinstance(value, str) else ""
    raise ArgumentError(argument, rule, f"{shown(value)} was found", f'write "{(kept or instead)[:60]}"')


def slip(name: str, known: Iterable[str]) -> str | None:
    """The known name that an unknown one is a slip of the pen for; None if there is none."""
    near = get_close_matches(name[:LONGEST_NAME].lower(), list(known), n=1, cutoff=NEAR)
    return near[0] if near else None


def check_known(key: str, known: Iterable[str], value: object = None, *, where: str = "", whose: str = "") -> None:
    """Refuse a key that is not among the known ones; a near miss is named in the fix, with the value that it had.

    Args:
        key: As the user wrote it.
        known: All that may stand there.
        value: What stands beside the key, which the fix keeps.
        where: Prefix of the key in the complaint, such as "bath.".
        whose: "of tfim", continuing "one of the keys …".
    """
    names = list(known)
    if key in names:
        return
    rule = f"be one of {f'the keys {whose}: ' if whose else ''}{', '.join(names)}"
    near = slip(key, names)
    raise ArgumentError(
        where + (key or '""'), rule, "it is unknown or unused here",
        f"remove {key or 'it'}" if near is None else f"write {near}{_kept(value)}",
    )  # fmt: skip


def _kept(value: object) -> str:
    """` = 4`: the value as it was, where it is short."""
    if isinstance(value, bool):
        return f" = {str(value).lower()}"
    if isinstance(value, str):
        return f' = "{value}"' if len(value) <= 40 and '"' not in value else ""
    return f" = {value!r}" if isinstance(value, int | float) and abs(value) < LARGEST else ""


def raised(error: Exception) -> str:
    """What somebody else's code raised, in a few words."""
    return shown_text(f"{type(error).__name__}: {error}")


def shown_text(text: str, limit: int = 120) -> str:
    """Somebody else's words, on one line and not too many."""
    line = one_line(text[: 20 * limit])
    return line if len(line) <= limit else line[: limit - 1] + "…"


class NotConvergedError(GibbsError):
    """An iterative solver stopped short; the message has the residual."""
