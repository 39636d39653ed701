"""`gibbs-circuits`: run, exact, compile, backends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group

from . import pipeline
from .analysis import Verdict
from .analysis.compare import compiled_ledger
from .analysis.report import tables
from .analysis.tables import (
    coherent_table,
    exact_table,
    forecast_table,
    frontier_table,
    generator_table,
    ledger_table,
    program_table,
    steady_table,
    table_of,
)
from .backends.noisy_channel import try_noisy_prediction
from .backends.opening import availability
from .backends.request import ENERGY
from .backends.usage import usage
from .compiler import Program
from .compiler.saved import load_program
from .errors import ArgumentError
from .exact import Certificate, certificate, channel_certificate, faster
from .exact.nonequilibrium import between_baths
from .experiment import Experiment, read_experiment
from .folder import (
    Folder,
    begun_on,
    check_new,
    check_writable,
    default_folder,
    write_circuit,
    write_inputs,
    write_program,
    write_results,
)
from .generators import Lindbladian
from .generators.channels import DiscreteChannel
from .help import EXPERIMENT_HELP, KNOBS_HELP, MODELS_HELP, TARGETS_HELP
from .readings.counts import measurement_bases
from .readings.prediction import SECONDS, Unpredicted, try_predict
from .results import compile_document, document, exact_document, to_json
from .sections import package_version
from .spectrum import MAX_DENSE_QUBITS, thermal
from .targets import available_targets, read_target
from .terminal import DISAGREES, Interrupted, naming, note, progress, show
from .terminal import status as exit_status
from .tuning.wanted import Progress

app = typer.Typer(
    name="gibbs-circuits",
    help="Prepare thermal states with quantum circuits, and hold them against the exact answer.",
    epilog=MODELS_HELP,
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
)

SEARCHED = "searched.json"  # in a run's folder: a program that no second search would find
ExperimentFile = Annotated[Path, typer.Argument(metavar="EXPERIMENT.toml", help="The experiment file.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
TimeBudget = Annotated[
    float | None,
    typer.Option("--time-budget", metavar="SECONDS", help=r"Override \[compile] time_budget."),
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help=r"Override \[run] seed.")]


def _version(value: bool) -> None:
    if value:
        print(f"gibbs-circuits {package_version()}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command(epilog=EXPERIMENT_HELP)
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
    if resume and out is None:
        raise ArgumentError("--resume", "come with --out", "--out is left out", "add --out DIR")
    spec = read_experiment(experiment, backend=backend, seed=seed, time_budget=time_budget)
    if dry_run:
        _compile(spec, None, json)
        return
    folder = out or default_folder(spec)
    check_writable("--out", folder)
    if not resume:
        check_new("--out", folder)
    with naming(spec.path, "generator"):
        pipeline.compilable(spec.generator, spec.scheme)
        pipeline.check_moving(spec.generator, spec.knobs)
    with naming(spec.path, "compile"):
        pipeline.refuse_hopeless(spec.generator, spec.scheme, spec.knobs, spec.target)
    with progress() as (stage, steps):
        stage("certificate")
        _certify(spec)
        with naming(spec.path, "compile"):
            program = _begun_with(folder, spec) if resume else None
            program = program or _program(spec, stage)
        target = begun_on(spec.target, folder) if resume else spec.target
        with naming(spec.path, "run"):
            request = pipeline.request_run(
                program, target, spec.initial, spec.observables, spec.shots, spec.realisations, spec.seed, stage,
                spec.ancilla_policy,
            )  # fmt: skip
        note(lambda: pipeline.in_advance(request), always=request.service is not None)
        if out is None:
            folder = folder.with_name(f"{folder.name}-{program.hash[:8]}")
        store = Folder(folder, request.identity, resume=resume)
        write_inputs(spec, program, folder)
        if program.search is not None and program.search.ran_out:  # another search would find another one
            write_program(folder / SEARCHED, program)
        try:
            result = pipeline.run_request(request, store, stage, steps)
        except KeyboardInterrupt:
            paid = "; jobs that were submitted go on and are fetched then" if request.service is not None else ""
            raise Interrupted(
                f"Finished realisations are saved{paid}; continue with --out {folder} --resume."
            ) from None
        comparison = pipeline.compare(result, spec.target_error, stage)
    files = write_results(comparison, folder)
    if json:
        print(to_json(document(comparison, [str(path) for path in files])))
    else:
        console = show(tables(comparison))
        console.print(f"Picture: {folder / 'convergence.png'}", soft_wrap=True, highlight=False)
        console.print(f"Results: {folder}", soft_wrap=True, highlight=False)
    if comparison.verdict is Verdict.DISAGREES:
        raise typer.Exit(DISAGREES)


@app.command()
def exact(experiment: ExperimentFile, json: Json = False) -> None:
    """The exact answer and the generator's certificate; never compiles."""
    spec = read_experiment(experiment)
    _check_dense(spec)
    generator = spec.generator
    with progress() as (stage, _):
        stage("certificate")
        cert = _certify(spec)
        assert cert is not None  # the size was checked
        advice = faster(generator) if isinstance(generator, Lindbladian) else None
        values = thermal(spec.model, generator.beta) if len(generator.betas) == 1 else None
        steady = between_baths(generator) if isinstance(generator, Lindbladian) and values is None else None
    if json:
        print(to_json(exact_document(generator, values, cert, advice, steady)))
        return
    parts = [generator_table(generator, cert)]
    parts += [exact_table(values)] if values is not None else []
    parts += [steady_table(steady)] if steady is not None else []
    show(Group(*parts))


@app.command(epilog=KNOBS_HELP)
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
    _compile(read_experiment(experiment, backend=backend, seed=seed, time_budget=time_budget), out, json)


@app.command(epilog=TARGETS_HELP)
def backends(json: Json = False) -> None:
    """List the targets that can be named, and what is available here; neither the network nor an account is touched."""
    rows: list[dict[str, Any]] = []
    for name, path in available_targets().items():
        try:
            target = read_target(path)
            reason = availability(target)
            rows.append(
                {"name": name, "available": reason is None, "reason": reason, "description": target.description}
            )
        except ArgumentError as error:
            rows.append({"name": name, "available": False, "reason": str(error), "description": ""})
    if json:
        print(to_json({"backends": rows}))
        return
    table = table_of("Targets: --backend NAME, or a file like these", "name", "here", "what")
    table.columns[1].justify = table.columns[2].justify = "left"
    for row in rows:
        table.add_row(row["name"], "available" if row["available"] else f"no: {row['reason']}", row["description"])
    table.add_row("ibm_<device>", "like ibm", "one device of the IBM service by its name, such as ibm_boston")
    show(table)


def _check_dense(spec: Experiment) -> None:
    n = spec.model.num_qubits
    if n > MAX_DENSE_QUBITS:
        raise ArgumentError(
            "model",
            f"have at most {MAX_DENSE_QUBITS} qubits for the exact answer",
            f"it has {n}",
            "use a smaller model",
            spec.path,
        )


def _compile(spec: Experiment, out: Path | None, json: bool) -> None:
    if out is not None:
        if out.suffix not in (".qpy", ".qasm", ".json"):
            raise ArgumentError("--out", "end in .qpy, .qasm or .json", f"{out} was found", "write --out program.qasm")
        if out.is_dir():
            raise ArgumentError("--out", "be a file", f"{out} is a folder", "write --out program.qasm")
        check_writable("--out", out.absolute().parent)
    with naming(spec.path, "generator"):
        pipeline.compilable(spec.generator, spec.scheme)
        pipeline.check_moving(spec.generator, spec.knobs)
    with progress() as (stage, _):
        stage("certificate")
        cert = _certify(spec)
        with naming(spec.path, "compile"):
            program = _program(spec, stage)
        with naming(spec.path, "run"):
            compiled, service = pipeline.compile_on(program, spec.target, spec.initial, spec.ancilla_policy, stage)
        dense = spec.model.num_qubits <= MAX_DENSE_QUBITS
        stage("exact channel, ledger")
        start = spec.initial.density(spec.model.num_qubits) if dense else None
        prediction = try_predict(program, start, seconds=_left(program)) if start is not None else None
        if isinstance(prediction, Unpredicted):
            print(f"Not predicted: {prediction.reason}", file=sys.stderr)
            prediction = None
        tradeoff = pipeline.tradeoff(program)
        noisy = try_noisy_prediction(compiled)
        bases = len(measurement_bases({ENERGY: spec.model.hamiltonian, **spec.observables})) if spec.shots else 1
        forecast = pipeline.foretell(compiled, spec.seed, spec.shots, spec.realisations, bases)
        taken = usage(compiled, spec.seed, max(1, spec.shots), spec.realisations, bases)
        how = pipeline.simulated_by(compiled, service, forecast, spec.shots)
        rows = compiled_ledger(compiled, start, noisy) if start is not None else program.declared
    if out is not None:
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        if out.suffix == ".json":
            write_program(out, program)
        else:
            write_circuit(out, compiled.circuit(spec.seed))
    if json:
        files = [str(out)] if out is not None else []
        error = spec.target_error
        made = compile_document(
            compiled, spec.seed, cert, prediction, noisy, forecast, tradeoff, rows, error, files, taken, how
        )
        print(to_json(made))
        return
    parts = [
        program_table(program, compiled, prediction, spec.target_error, noisy),
        *([frontier_table(program)] if program.frontier else []),
        forecast_table(forecast, taken, how),
        *([coherent_table(tradeoff)] if tradeoff else []),
        ledger_table(rows),
    ]
    show(Group(*([generator_table(spec.generator, cert)] if cert else []), *parts))
    if out is not None:
        print(f"Written: {out}")


def _left(program: Program) -> float:
    """Seconds for a prediction above 5 qubits: a tenth of the time where a search has used all of it."""
    search = program.search
    return min(SECONDS, search.time_budget / 10) if search is not None and search.ran_out else SECONDS


def _begun_with(folder: Path, spec: Experiment) -> Program | None:
    """The program of a search that was cut off, which a run in this folder has begun with."""
    path = folder / SEARCHED
    return load_program(path, spec.generator) if path.is_file() else None


def _program(spec: Experiment, stage: Progress) -> Program:
    return pipeline.compile_program(
        spec.generator, spec.scheme, spec.knobs, spec.target_error, stage, initial=spec.initial, seed=spec.seed,
        target=spec.target, folder=spec.path.parent, effort=spec.effort, time_budget=spec.time_budget,
    )  # fmt: skip


def _certify(spec: Experiment) -> Certificate | None:
    """The certificate, before anything is compiled; says so at once when the steady state is not unique."""
    if spec.model.num_qubits > MAX_DENSE_QUBITS:
        return None
    generator = spec.generator
    with naming(spec.path, "generator"):
        if isinstance(generator, DiscreteChannel):
            return channel_certificate(generator)
        cert = certificate(generator)
        advice = faster(generator)
    if advice is not None:
        print(f"Warning: {advice}", file=sys.stderr)
    for bath in generator.baths:
        if not bath.markovian:
            print(
                f"Warning: the bath `{bath.name}` at β = {bath.beta:g} is not Markovian: its correlation function "
                f"falls as t^−{bath.decay_exponent:.3g}, and there is no memory time. "
                "The generator is a sampler all the same; it is not the bath's own dynamics.",
                file=sys.stderr,
            )
    frozen = cert.rates is not None and cert.rates.zero
    if not frozen and (cert.steady_states_with_hamiltonian or 0) > 1:
        named = f" ({', '.join(cert.conserved)})" if cert.conserved else ""
        print(
            f"Warning: the generator has {cert.steady_states_with_hamiltonian} independent steady states, since its "
            f"couplings commute with a conserved quantity of H{named}; where a run ends then depends on its start. "
            "Other couplings may cure it.",
            file=sys.stderr,
        )
    return cert


def main(arguments: list[str] | None = None) -> None:
    """Entry point: one line and an exit status for everything a user can get wrong."""
    sys.exit(status(arguments))


def status(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    return exit_status(app, arguments)


__all__ = ["app", "main", "status"]
