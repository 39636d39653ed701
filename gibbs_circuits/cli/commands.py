"""What the commands do: run, exact, compile, backends. `cli` has their options; these import all of the package."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..analysis.comparison.compare import compare
from ..analysis.comparison.verdict import Verdict
from ..analysis.error_budget.coherent_tradeoff import tradeoff as tradeoff_of
from ..analysis.error_budget.of_run import compiled_ledger
from ..analysis.estimators.at_any_size import PredictedLocally, predicted
from ..analysis.estimators.exact_answer import exact_answer, thermal_section
from ..analysis.estimators.exact_channel import exact_channel, prediction_section
from ..analysis.estimators.generator_certificate import certificate_section, generator_certificate
from ..analysis.estimators.program import program_sections
from ..analysis.estimators.target import target_section
from ..analysis.report.compiled import coherent_section, forecast_section, steady_section
from ..backends.measurement.counts import measurement_bases
from ..backends.runs.fitting import expected_of
from ..backends.runs.prepare import (
    forecast_run,
    opened,
    preview_text,
    request_run,
    run_request,
    simulated_by,
    transpiled,
)
from ..backends.runs.request import ENERGY, realisations_of
from ..backends.runs.usage import usage
from ..backends.simulators.noisy_channel import NoisyPrediction, try_noisy_prediction
from ..backends.targets.registry import available_targets, read_target
from ..backends.transpile.compiled import Compiled
from ..errors import ArgumentError, one_line
from ..exact.certificate.advice import faster
from ..exact.certificate.certificate import Certificate, certificate
from ..exact.dynamics.nonequilibrium import between_baths
from ..exact.references.registry import REFERENCES, first_reference, why_none
from ..experiments import pipeline
from ..experiments.documents import document
from ..experiments.experiment import Experiment, read_experiment
from ..experiments.folder import check_inputs, default_folder, write_circuit, write_inputs, write_program, write_results
from ..experiments.plans import plan, simulated_seconds
from ..experiments.schemes import CompileTask
from ..experiments.store import Folder, begun_on, check_begun, check_new, check_writable, unused
from ..generators.lindbladian import Generator
from ..io.json import to_json
from ..io.progress import Progress
from ..io.section import Section
from ..limits import MAX_DENSE_QUBITS
from ..linalg.threads import small_matrices
from ..programs.program import Program
from ..programs.serialise import load_program
from ..readings.channel.guarantee import Promise
from ..readings.channel.prediction import SECONDS, Prediction, Unpredicted
from .terminal import DISAGREES, DONE, WAIT, Interrupted, announce, naming, note, progress, show

SEARCHED = "searched.json"  # in a run's folder: a program that no second search would find


def run(
    experiment: Path,
    backend: str | None,
    out: Path | None,
    resume: bool,
    seed: int | None,
    time_budget: float | None,
    dry_run: bool,
    json: bool,
) -> int:
    """Run an experiment and compare it with the exact answer; the exit status."""
    if resume and out is None:
        raise ArgumentError("--resume", "come with --out", "--out is left out", "add --out DIR")
    if resume and out is not None and experiment.absolute().parent.resolve() == out.resolve():
        check_inputs(experiment)
    spec = read_experiment(experiment, backend=backend, seed=seed, time_budget=time_budget)
    with small_matrices(spec.model.num_qubits):
        if dry_run:
            _compile(spec, None, json)
            return DONE
        return _run(spec, out, resume, json)


def _run(spec: Experiment, out: Path | None, resume: bool, json: bool) -> int:
    folder = out or default_folder(spec)
    check_writable("--out", folder)
    if resume:
        check_begun("--resume", folder)
    else:
        check_new("--out", folder)
    with naming(spec.path, "generator"):
        pipeline.check_generator(spec.generator, spec.scheme)
    with naming(spec.path, "compile"):
        pipeline.refuse_hopeless(spec.generator, spec.scheme, spec.target)
    announce("run", plan(spec.model.num_qubits, spec.scheme, spec.time_budget))
    with progress() as (stage, steps):
        stage("certificate")
        _certify(spec)
        with naming(spec.path, "compile"):
            program = _begun_with(folder, spec) if resume else None
            program = program or _program(spec, stage)
        target = begun_on(spec.target, folder) if resume else spec.target
        with naming(spec.path, "run"):
            request = request_run(
                program, target, spec.initial, spec.observables, spec.shots, spec.realisations, spec.seed, stage,
                spec.ancilla_policy,
            )  # fmt: skip
        long = simulated_seconds(request) > WAIT
        note(lambda: preview_text(request), always=long or not request.compiled.device.local)
        if out is None:
            folder = unused(folder.with_name(f"{folder.name}-{program.hash[:8]}"))
        store = Folder(folder, request.identity, resume=resume, expected=expected_of(request))
        write_inputs(spec, program, folder)
        if program.search is not None and program.search.ran_out:  # another search would find another one
            write_program(folder / SEARCHED, program)
        try:
            result = run_request(request, store, stage, steps)
        except KeyboardInterrupt:
            paid = "; jobs that were submitted go on and are fetched then" if not request.compiled.device.local else ""
            raise Interrupted(
                f"Finished realisations are saved{paid}; continue with --out {folder} --resume."
            ) from None
        comparison = compare(result, spec.target_error, progress=stage)
    sections, whole = write_results(comparison, folder)
    if json:
        print(to_json(whole))
    else:
        show(*sections)
        print(f"Picture: {folder / 'convergence.png'}")
        print(f"Results: {folder}")
    return DISAGREES if comparison.verdict is Verdict.DISAGREES else DONE


def exact(experiment: Path, json: bool) -> None:
    """The exact answer and the generator's certificate; never compiles."""
    spec = read_experiment(experiment)
    if len(spec.generator.betas) > 1:
        _check_dense(spec)
    with small_matrices(spec.model.num_qubits):
        _exact(spec, json)


def _exact(spec: Experiment, json: bool) -> None:
    generator, n = spec.generator, spec.model.num_qubits
    announce("exact", plan(n))
    with progress() as (stage, _):
        stage("certificate")
        cert = _certify(spec)
        advice = faster(generator.lindbladian) if cert is not None and generator.step is None else None
        steady = between_baths(generator.lindbladian) if len(generator.betas) > 1 else None
        known = Section("", data={"exact": None})
        if steady is None:
            stage("Gibbs state: " + ", ".join(one.name.replace("_", " ") for one in REFERENCES))
            reference = first_reference(spec.model, generator.beta)
            if reference is None:
                known = exact_answer.unchecked(why_none(spec.model, generator.beta)).sections[0]
            else:
                known = thermal_section(reference.answer(spec.model, generator.beta), reference.name)
    said = Section("", data={"generator": {"advice": None if advice is None else str(advice)}})
    certified = (
        generator_certificate.unchecked(
            f"it needs the spectrum of H, up to {MAX_DENSE_QUBITS} qubits; there are {n}"
        ).sections[0]
        if cert is None
        else certificate_section(generator, cert)
    )
    _say(generator, (certified, said, known, steady_section(steady)), json)


def _say(generator: Generator, sections: Sequence[Section], json: bool, **more: Any) -> None:
    """A report, as tables or as one JSON document."""
    if json:
        print(to_json(document(generator, sections, **more)))
    else:
        show(*sections)


def compile(
    experiment: Path, out: Path | None, backend: str | None, seed: int | None, time_budget: float | None, json: bool
) -> None:
    """Compile for the target, count, predict; with `out` write the program."""
    spec = read_experiment(experiment, backend=backend, seed=seed, time_budget=time_budget)
    with small_matrices(spec.model.num_qubits):
        _compile(spec, out, json)


def backends(json: bool) -> None:
    """The targets that can be named, and what is available here."""
    rows: list[dict[str, Any]] = []
    for name, path in available_targets().items():
        try:
            target = read_target(path)
            reason = target.availability()
            rows.append(
                {"name": name, "available": reason is None, "reason": reason, "description": target.description}
            )
        except ArgumentError as error:
            rows.append({"name": name, "available": False, "reason": str(error), "description": ""})
    if json:
        print(to_json({"backends": rows}))
        return
    cells = [
        (row["name"], "available" if row["available"] else f"no: {row['reason']}", row["description"]) for row in rows
    ]
    cells.append(("ibm_<device>", "like ibm", "one device of the IBM service by its name, such as ibm_boston"))
    show(Section("Targets: --backend NAME, or a file like these", ("name", "here", "what"), tuple(cells), align="lll"))


def _check_dense(spec: Experiment) -> None:
    n = spec.model.num_qubits
    if n > MAX_DENSE_QUBITS:
        raise ArgumentError(
            "model",
            f"have at most {MAX_DENSE_QUBITS} qubits between baths of several temperatures",
            f"it has {n}",
            "use a smaller model, or one β",
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
        pipeline.check_generator(spec.generator, spec.scheme)
    announce("compile", plan(spec.model.num_qubits, spec.scheme, spec.time_budget))
    with progress() as (stage, _):
        stage("certificate")
        cert = _certify(spec)
        with naming(spec.path, "compile"):
            program = _program(spec, stage)
        with naming(spec.path, "run"):
            machine = opened(program, spec.target, spec.initial, spec.ancilla_policy, stage)
            compiled = transpiled(program, machine, spec.initial, spec.ancilla_policy, stage)
        small = spec.model.num_qubits <= MAX_DENSE_QUBITS
        stage("exact channel, ledger")
        start = spec.initial.density(spec.model.num_qubits) if small else None
        found = predicted(program, spec.initial, _left(program))
        if isinstance(found, Unpredicted) and small:
            print(one_line(f"Not predicted: {found.reason}"), file=sys.stderr)
        prediction = found if isinstance(found, Prediction) else None
        noisy = try_noisy_prediction(compiled)
        bases = len(measurement_bases({ENERGY: spec.model.hamiltonian, **spec.observables})) if spec.shots else 1
        realisations = realisations_of(program, spec.realisations, simulated=machine.direct)
        forecast = forecast_run(compiled, spec.seed, spec.shots, realisations, bases)
        taken = usage(compiled, machine, spec.seed, max(1, spec.shots), realisations, bases)
        how = simulated_by(compiled, forecast, spec.shots)
        sections = [
            *([certificate_section(spec.generator, cert)] if cert is not None else []),
            *program_sections(program, spec.seed, prediction, spec.target_error, _locally(found, spec.target_error)),
            *_predicted_sections(found, noisy, compiled, spec.target_error),
            target_section(compiled, spec.seed, taken),
            forecast_section(forecast, taken, how),
            coherent_section(tradeoff_of(program)),
            *compiled_ledger(compiled, start, noisy).sections(),
        ]
    if out is not None:
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        if out.suffix == ".json":
            write_program(out, program)
        else:
            write_circuit(out, compiled.circuit(spec.seed))
    _say(program.generator, sections, json, files=[] if out is None else [str(out)])
    if out is not None and not json:
        print(f"Written: {out}")


def _locally(found: Prediction | PredictedLocally | Unpredicted, target_error: float) -> Promise | None:
    """The claim where it is about regions; None where the exact channel says it, or nothing does."""
    return found.promise(target_error) if isinstance(found, PredictedLocally) else None


def _predicted_sections(
    found: Prediction | PredictedLocally | Unpredicted, noisy: NoisyPrediction | None, compiled: Compiled, error: float
) -> Sequence[Section]:
    if isinstance(found, Prediction):
        return [prediction_section(found, noisy, compiled.program, compiled.errors.present, error)]
    if isinstance(found, Unpredicted):
        return exact_channel.unchecked(found.reason).sections
    return [*exact_channel.unchecked(f"{found.why} Region by region instead:").sections, *found.sections()]


def _left(program: Program) -> float:
    """Seconds for a prediction above 5 qubits: a tenth of the time where a search has used all of it."""
    search = program.search
    return min(SECONDS, search.time_budget / 10) if search is not None and search.ran_out else SECONDS


def _begun_with(folder: Path, spec: Experiment) -> Program | None:
    """The program of a search that was cut off, which a run in this folder has begun with."""
    path = folder / SEARCHED
    return load_program(path, spec.generator) if path.is_file() else None


def _program(spec: Experiment, stage: Progress) -> Program:
    task = CompileTask(
        spec.target_error, stage, spec.initial, spec.seed, spec.target, spec.path.parent, spec.effort, spec.time_budget
    )
    return pipeline.compile_program(spec.generator, spec.scheme, task)


def _certify(spec: Experiment) -> Certificate | None:
    """The certificate, before anything is compiled; says so at once when the steady state is not unique."""
    if spec.model.num_qubits > MAX_DENSE_QUBITS:
        return None
    generator = spec.generator
    with naming(spec.path, "generator"):
        cert = certificate(generator)
        advice = faster(generator.lindbladian) if generator.step is None else None
    if advice is not None:
        print(one_line(f"Warning: {advice}"), file=sys.stderr)
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
