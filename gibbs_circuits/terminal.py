"""How the command line speaks: tables on standard output, progress on standard error, one line per failure."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from .analysis.report import WIDTH
from .errors import ArgumentError, BackendError, GibbsError, TooLargeError, error_line, raised

DONE, DISAGREES, BAD_INPUT, SERVICE_FAILED, BUG, INTERRUPTED = 0, 1, 2, 3, 70, 130
DEBUG = "GIBBS_CIRCUITS_DEBUG"


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


def show(content: RenderableType) -> Console:
    """Print tables at a width that a pipe or a wide terminal keeps readable."""
    console = Console(markup=False)
    console = Console(markup=False, width=min(WIDTH, console.width) if console.is_terminal else WIDTH)
    console.print(content)
    return console


class progress:
    """Progress on standard error: a line that says what is being done, a bar while a run goes on."""

    def __enter__(self) -> tuple[Callable[[str], None], Callable[[int, int], None]]:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        console = Console(stderr=True)
        self.bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.bar.start()
        task = self.bar.add_task("reading", total=None)
        return (
            lambda text: self.bar.update(task, description=text, total=None),
            lambda done, of: self.bar.update(task, description=f"realisation {done} of {of}", completed=done, total=of),
        )

    def __exit__(self, *exception: object) -> None:
        self.bar.stop()


class Interrupted(Exception):
    """Ctrl-C while there was something to save; says how to go on."""


def status(app: Callable[..., Any], arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit status: one line for everything a user can get wrong."""
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
        return _fail(f"{where}: {error.strerror or error}. Fix: check the path and its permissions.", BAD_INPUT)
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
