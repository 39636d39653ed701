"""`gibbs-circuits`: run, exact, compile, backends.

A command is imported when it is run, and what `--help` teaches when it is asked for.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from .terminal import Commands, plain
from .terminal import status as exit_status


class _Taught:
    """The epilog is a topic of `help`, which is looked up when it is shown."""

    @property
    def epilog(self) -> str | None:
        if self._topic is None:
            return None
        from . import help

        return str(getattr(help, self._topic)())

    @epilog.setter
    def epilog(self, topic: str | None) -> None:
        self._topic = topic

    def format_help(self, ctx: Any, formatter: Any) -> None:
        if plain():
            from typer import rich_utils

            rich_utils.COLOR_SYSTEM = None
        super().format_help(ctx, formatter)  # type: ignore[misc]  # of the class beside this one


class _Group(_Taught, Commands):
    pass


class _Command(_Taught, TyperCommand):
    pass


app = typer.Typer(
    name="gibbs-circuits",
    help="Prepare thermal states with quantum circuits, and hold them against the exact answer.",
    cls=_Group,
    epilog="models_help",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=True,
    pretty_exceptions_enable=False,
)
ExperimentFile = Annotated[Path, typer.Argument(metavar="EXPERIMENT.toml", help="The experiment file.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
TimeBudget = Annotated[
    float | None,
    typer.Option("--time-budget", metavar="SECONDS", help=r"Override \[compile] time_budget."),
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help=r"Override \[run] seed.")]


def _version(value: bool) -> None:
    if value:
        from ..io.version import package_version

        print(f"gibbs-circuits {package_version()}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command(cls=_Command, epilog="experiment_help")
def run(
    experiment: ExperimentFile,
    backend: Annotated[
        str | None, typer.Option("--backend", metavar="NAME|FILE", help=r"Override \[run] backend.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder for the results; results/<name>-… if left out.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted run in --out.")] = False,
    seed: Seed = None,
    time_budget: TimeBudget = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compile, count and predict; run nothing.")] = False,
    json: Json = False,
) -> None:
    """Run an experiment and compare it with the exact answer: model → generator → program → circuit → verdict.

    Exit status 0: agrees or not checked; 1: disagrees; 2: bad input; 3: a backend failed; 130: interrupted.
    """
    from . import commands

    raise typer.Exit(commands.run(experiment, backend, out, resume, seed, time_budget, dry_run, json))


@app.command(cls=_Command)
def exact(experiment: ExperimentFile, json: Json = False) -> None:
    """The exact answer and the generator's certificate; never compiles."""
    from . import commands

    commands.exact(experiment, json)


@app.command(cls=_Command, epilog="knobs_help")
def compile(
    experiment: ExperimentFile,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE.qpy|FILE.qasm|FILE.json",
            help="Write the whole transpiled program; .json: the program itself, to be loaded again.",
        ),
    ] = None,
    backend: Annotated[
        str | None, typer.Option("--backend", metavar="NAME|FILE", help=r"Override \[run] backend.")
    ] = None,
    seed: Seed = None,
    time_budget: TimeBudget = None,
    json: Json = False,
) -> None:
    """Compile for the target, count, predict; with --out write the circuit with one draw of the random steps.

    The file holds the preparation of the initial state, then every sweep, in the target's basis gates and resets:
    unrolled, no control flow, no measurement. The program's claim is the mean over seeds.
    """
    from . import commands

    commands.compile(experiment, out, backend, seed, time_budget, json)


@app.command(cls=_Command, epilog="targets_help")
def backends(json: Json = False) -> None:
    """List the targets that can be named, and what is available here; neither the network nor an account is touched."""
    from . import commands

    commands.backends(json)


def main(arguments: list[str] | None = None) -> None:
    """Entry point: one line and an exit status for everything a user can get wrong."""
    sys.exit(status(arguments))


def status(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    return exit_status(app, arguments)


if __name__ == "__main__":
    main()
