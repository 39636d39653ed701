"""How the command line speaks: tables on standard output, progress on standard error, one line per failure."""

from __future__ import annotations

import errno
import io
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from ..errors import ArgumentError, BackendError, GibbsError, TooLargeError, error_line, one_line, raised
from ..io.rendering import NARROWEST, WIDTH, as_text, printed
from ..io.section import Section

DONE, DISAGREES, BAD_INPUT, SERVICE_FAILED, BUG, INTERRUPTED = 0, 1, 2, 3, 70, 130
WAIT = 5.0  # seconds beyond which a run says first what it will take
DEBUG = "GIBBS_CIRCUITS_DEBUG"
EVERY = 4.0  # seconds between lines of a log, unless $GIBBS_CIRCUITS_PROGRESS says otherwise; 0: no lines
PROGRESS = "GIBBS_CIRCUITS_PROGRESS"
WIDEST = 400  # columns that anybody reads
FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def naming(path: Path, section: str) -> Iterator[None]:
    """Complaints about what a section of the experiment says name the file."""
    try:
        yield
    except ArgumentError as error:
        raise error.located(path, section) from None
    except TooLargeError as error:
        raise TooLargeError(f"{path}: {error}") from None


def note(text: Callable[[], str], *, always: bool = False) -> None:
    """A remark for whoever watches; nothing in a log, where it is not even made, unless it says what will be paid."""
    if always or sys.stderr.isatty():
        print(text(), file=sys.stderr)


def plain() -> bool:
    """Whether no control code may be written: https://no-color.org, and terminals that know none."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") in ("dumb", "unknown")


def width() -> int:
    """Columns to write on: $COLUMNS where it is set, a terminal's own up to `WIDTH`, else `WIDTH`."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isascii() and asked.isdigit() and int(asked[:6]) > 0:
        return max(NARROWEST, min(int(asked[:6]), WIDEST))
    if sys.stdout.isatty():
        return max(NARROWEST, min(os.get_terminal_size(sys.stdout.fileno()).columns or WIDTH, WIDTH))
    return WIDTH


def announce(command: str, plan: str | None) -> None:
    """What is about to take long, on standard error before it begins, also in a log."""
    if plan is not None:
        print(f"{command}: {plan}", file=sys.stderr, flush=True)


def show(*sections: Section) -> None:
    """Print tables and remarks, at a width that a pipe or a wide terminal keeps readable."""
    if plain() or not sys.stdout.isatty():
        print(as_text(*sections, width=width()))
        return
    from rich.console import Console  # loaded when used

    printed(Console(markup=False, width=width()), sections, width())


Report = tuple[Callable[[str], None], Callable[[int, int], None]]


class progress:
    """Progress on standard error: a line that moves on a terminal, a few plain lines in a log."""

    def __enter__(self) -> Report:
        self.shown: _Bar | _Log = _Bar() if sys.stderr.isatty() and not plain() else _Log()
        return self.shown.stage, self.shown.step

    def __exit__(self, *exception: object) -> None:
        self.shown.stop()


def every() -> float:
    """Seconds between lines of a log; infinite for none."""
    try:
        asked = float(os.environ.get(PROGRESS, EVERY))
    except ValueError:
        return EVERY
    return min(asked, threading.TIMEOUT_MAX) if asked > 0 else threading.TIMEOUT_MAX


class _Bar:
    """What is being done, and a bar while a run goes on."""

    def __init__(self) -> None:
        from rich.console import Console  # loaded when used
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self.bar.start()
        self.task = self.bar.add_task("reading", total=None)

    def stage(self, text: str) -> None:
        self.bar.update(self.task, description=text, total=None)

    def step(self, done: int, of: int) -> None:
        self.bar.update(self.task, description=f"realisation {done} of {of}", completed=done, total=of)

    def stop(self) -> None:
        self.bar.stop()


class _Log:
    """Lines in a log: one after four seconds, and one at most every so often while something goes on.

    What is quick says nothing. The wait between lines grows, so that an hour is thirty lines, not a thousand.
    """

    def __init__(self) -> None:
        self.began, self.doing, self.said = time.monotonic(), "reading", ""
        self.done = threading.Event()
        self.teller = threading.Thread(target=self._tell, name="progress", daemon=True)
        self.teller.start()

    def stage(self, text: str) -> None:
        self.doing = text

    def step(self, done: int, of: int) -> None:
        self.doing = f"realisation {done} of {of}"

    def stop(self) -> None:
        self.done.set()
        self.teller.join()

    def _tell(self) -> None:
        wait = pause = every()
        while not self.done.wait(wait):
            now, still = self.doing, "still " if self.doing == self.said else ""
            print(f"{time.monotonic() - self.began:.0f} s: {still}{one_line(now)}", file=sys.stderr, flush=True)
            self.said = now
            wait = max(pause, (time.monotonic() - self.began) / 30)


class Interrupted(Exception):
    """Ctrl-C while there was something to save; says how to go on."""


class Commands(TyperGroup):
    """Commands in which the end of a file is an error like any other: typer takes it for Ctrl-D at a prompt."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; an end of file becomes an error of ours."""
        try:
            return super().invoke(ctx)
        except EOFError as error:
            raise RuntimeError(f"a file ended too early: {error}") from error


def status(app: Callable[..., Any], arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit status: one line for everything a user can get wrong."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a page that has no β shows its number
    try:
        code = app(arguments, standalone_mode=False)
        if code == INTERRUPTED:
            raise KeyboardInterrupt  # which typer swallows without a word
        return code if isinstance(code, int) else DONE
    except typer.Exit as exit:
        return int(exit.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("Interrupted.", INTERRUPTED)
    except Interrupted as error:
        return _fail(f"Interrupted. {error}", INTERRUPTED)
    except BackendError as error:
        return _fail(str(error), SERVICE_FAILED)
    except GibbsError as error:
        return _fail(str(error), BAD_INPUT)
    except OSError as error:
        where = error.filename or "The disk"
        fix = "check the path and its permissions"
        if error.errno in FULL:
            fix = "free some space; what is finished is saved, and --resume goes on from there"
        return _fail(f"{where}: {error.strerror or error}. Fix: {fix}.", BAD_INPUT)
    except MemoryError:
        return _fail("Not enough memory. Fix: use a smaller model or fewer nodes.", BAD_INPUT)
    except Exception as error:
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # a usage error of the command line
            return _fail(f"{error.format_message()} Fix: see gibbs-circuits --help.", BAD_INPUT)
        if os.environ.get(DEBUG):
            raise
        said = raised(error).rstrip(".")
        return _fail(f"Internal error, {said}. Please report it with the traceback that {DEBUG}=1 shows.", BUG)


def _fail(message: str, code: int) -> int:
    print(error_line(message), file=sys.stderr)
    return code
