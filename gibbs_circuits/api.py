"""The public functions: the only Python place that takes a user's strings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from qiskit import QuantumCircuit

from .analysis.comparison.compare import compare as _compare
from .analysis.comparison.comparison import Comparison
from .analysis.error_budget.extrapolation import Run, extrapolated_run
from .analysis.estimators.at_any_size import PredictedLocally, predicted
from .analysis.report.plots import convergence
from .backends.runs.fitting import expected_of
from .backends.runs.jump_records import Jumps, jump_records
from .backends.runs.prepare import preview_text, request_run, run_request
from .backends.runs.request import ENERGY, Request
from .backends.runs.run import RunResult
from .backends.targets.own import Backend, target_of
from .backends.targets.registry import load_target
from .errors import ArgumentError, check_choice, check_integer
from .exact.certificate.certificate import Certificate
from .exact.certificate.certificate import certificate as _certificate
from .experiments import pipeline
from .experiments.choices import check_target_error, default_backend, make_initial, make_observables, make_scheme
from .experiments.folder import write_program
from .experiments.keys import RunKeys
from .experiments.schemes import CompileTask
from .experiments.store import Folder, begun_on, check_begun
from .generators.discrete import DiscreteChannel
from .generators.lindbladian import Lindbladian
from .io.text import as_path
from .limits import MAX_CERTIFIED_QUBITS
from .models.signatures import public
from .programs.program import Program
from .programs.serialise import load_program
from .readings.channel.prediction import Prediction, Unpredicted
from .readings.circuits.circuit import circuit as _circuit
from .readings.circuits.loop import loop_circuit
from .search import clock as _clock

plot = convergence


@public
def certificate(generator: Lindbladian | DiscreteChannel, max_qubits: int = MAX_CERTIFIED_QUBITS) -> Certificate:
    """What is known about a generator before anything is compiled; `print` it. See `exact.Certificate`."""
    return _certificate(generator, max_qubits)


@public
def compile(
    generator: Lindbladian | DiscreteChannel,
    scheme: str = "parallel",
    target_error: float = 0.10,
    *,
    initial: str = "zero",
    seed: int = 1,
    backend: str | Path | None = None,
    effort: float = _clock.EFFORT,
    time_budget: float = _clock.TIME_BUDGET,
    **knobs: Any,
) -> Program:
    """A program whose sweeps sample the generator's steady state, or, with scheme "auto", the cheapest one found.

    Args:
        generator: Any exact kind: gc.dll, gc.davies, …; its couplings, kernel and β.
        scheme: "parallel" (one ancilla per site, all riding the same evolution), "sequential" (one ancilla),
            "random_jumps", "thermal_ancilla"; dense blocks for small systems: "dilated_1", "dilated_2", "dilated_3",
            "weak_measurement", "stinespring", "discrete"; "auto" searches for the fewest two-qubit gates that meet
            `target_error` (its knobs: guarantee, calibration, gate_errors, randomness).
            `gc.presets` has the published recipes.
        target_error: Trace distance that knobs left out are chosen for, so that the worst start that a search finds
            on the exact channel, and the fixed point, meet it (up to 5 qubits).
        initial: "auto" only: the start of a preparation.
        seed: "auto" only: of the search.
        backend: "auto" with gate_errors only: the target whose errors are minded.
        effort: How hard is searched, in steps of about 60 s of a quiet core, > 0. What is found depends on this and
            the seed, not on how busy the machine is, unless time runs out: `program.search` says so.
        time_budget: Seconds after which a search is cut off, what comes after it included.
        knobs: The scheme's own (`gibbs-circuits compile --help` lists them); explicit ones win.

    Raises:
        ArgumentError: If a name or knob is unknown or out of range, or the scheme has no circuit for the generator.
        TooLargeError: If the program is too large to write out; the message has its two-qubit gates.
    """
    chosen = make_scheme(scheme, knobs)
    n = generator.num_qubits
    task = CompileTask(
        check_target_error(target_error), initial=make_initial(initial, n, Path()),
        seed=check_integer("seed", seed, low=0), target=None if backend is None else load_target(backend),
        effort=_clock.check_effort(effort), time_budget=_clock.check_time_budget(time_budget),
    )  # fmt: skip
    return pipeline.compile_program(generator, chosen, task)


@public
def save(program: Program, path: str | Path) -> None:
    """Write a program as JSON, whole or not at all.

    Raises:
        ArgumentError: If the file cannot be written.
    """
    file = as_path(path, "path")
    if file.is_dir():
        raise ArgumentError("path", "be a file", f"{file} is a folder", 'pass "program.json"')
    try:
        write_program(file, program)
    except OSError as error:
        raise ArgumentError(
            "path", "be writable", f"{file}: {error.strerror}", "check the folder and its permissions"
        ) from None


@public
def load(path: str | Path, generator: Lindbladian | DiscreteChannel) -> Program:
    """A program that `save` or `compile --out FILE.json` wrote, for the same Hamiltonian and β.

    Raises:
        ArgumentError: If it cannot be read, was changed, or was made for another Hamiltonian or β.
    """
    return load_program(as_path(path, "path"), generator)


@public
def extrapolate(
    generator: Lindbladian,
    scheme: str = "parallel",
    observables: Mapping[str, Any] | None = None,
    *,
    strengths: int = 3,
    spacings: int = 1,
    **knobs: Any,
) -> Run:
    """Fixed-point observables of a derived scheme at δ, δ/2, … (and τ, τ/2, …), extrapolated to step zero.

    Args:
        generator: What is sampled, on at most 5 qubits.
        scheme: A scheme whose bias is a power of its steps.
        observables: SparsePauliOps or lists of [label, coefficient] by name; the energy is always there.
        strengths: Number of strengths, each half the one before; three or more check the power that is assumed.
        spacings: Number of node spacings, likewise.
        knobs: All of the scheme's own that decide a sweep: sweeps, strength, nodes, spacing, random_delays, …

    Returns:
        The programs, their two-qubit gates per sweep, the points, and per observable the value with its interval, the
        power measured, and whether the points are consistent with it.

    Raises:
        ArgumentError: If a knob is missing or unused.
    """
    recipe, settings = make_scheme(scheme, knobs).formula()
    operators = make_observables(observables or {}, generator.model.num_qubits)
    whole = {ENERGY: generator.model.hamiltonian, **operators}
    return extrapolated_run(generator, recipe, settings, whole, strengths=strengths, spacings=spacings)


@public
def circuit(program: Program, initial: str = "zero", seed: int = 0, loop: bool = False) -> QuantumCircuit:
    """The whole program as a Qiskit circuit with one draw of its random steps, before transpilation.

    With `loop`, every stage is one sweep in a `for_loop`; refused where a sweep is random.
    Ancillas sit on the highest qubits and are reset mid-circuit: simulate with density matrices or shots, not with
    `Statevector`, which keeps one random branch.
    """
    check_integer("seed", seed, low=0)
    start = make_initial(initial, program.num_system, Path())
    return loop_circuit(program, initial=start) if loop else _circuit(program, initial=start, seed=seed)


@public
def predict(program: Program, initial: str = "zero") -> Prediction | PredictedLocally | Unpredicted:
    """What a program does before a shot is taken, by the reading that its size allows; what it returns says which.

    `Prediction`, up to 8 system qubits: the exact averaged channel; distances, fixed point, contraction, temperature.
    `PredictedLocally`, above, or where that would take too long: every connected region of three sites (or as many as
    the program was searched for by), held against a reference of the Gibbs state. From the given start by exact light
    cones where the program is shallow, else by backward operators, else by the density operator as a matrix product at
    two bonds; from the worst start found, with a proved bound, by backward operators, or "not checked" with the reason.
    Each reading takes at most about a minute. `Unpredicted`: none, with the reasons.
    """
    return predicted(program, make_initial(initial, program.num_system, Path()))


@public
def run(
    program: Program,
    backend: str | Path | Backend | None = None,
    shots: int = 0,
    seed: int = 1,
    initial: str = "zero",
    observables: Mapping[str, Any] | None = None,
    realisations: int | None = None,
    ancilla_policy: str = "automatic",
    out: str | Path | None = None,
    resume: bool = False,
) -> RunResult:
    """Run a program; `gc.compare(result)` holds it against the exact answer.

    Args:
        program: From `gc.compile`.
        backend: A packaged target's name (`gibbs-circuits backends`), a device of the IBM service such as
            "ibm_boston", a .toml file, a gc.AerTarget or gc.IbmTarget, or your own object: any Qiskit `BackendV2`, or a
            sampler or estimator with the V2 interface. None: "aer_density_matrix" up to 11 sites; above, "aer_mps" with
            shots and "backward" (exact values of the program, no gate errors) without.
        shots: Per measurement basis; 0 gives exact expectation values where the backend has a state.
        seed: Fixes random steps and samples.
        initial: "zero", "one", "mixed", a bit string (rightmost = qubit 0), or a .qasm file.
        observables: SparsePauliOps or lists of [label, coefficient] by name; the energy is always there.
        realisations: Draws of the random steps that the result is the mean over; None: 16, or 1
            on a simulator where no step is random.
        ancilla_policy: "reset", "fresh" (no ancilla is used twice), "recorded" (measured before the reset:
            `gc.jumps(result)`), or "automatic": reset where the target can, else fresh.
        out: Folder where finished realisations and job ids are kept as they come; left out: nowhere.
        resume: Continue the run in that folder; jobs of a service are taken up by id.

    Raises:
        ArgumentError: If something asked for does not exist, does not fit, or would silently be wrong.
        TooLargeError: If a simulation is hopeless, with its memory and time, or a device would cost too much.
        BackendError: If a backend or service fails; what it delivered is kept in `out`.
    """
    if resume and out is None:
        raise ArgumentError("resume", "come with out", "out is left out", 'pass out = "results/run"')
    backend = default_backend(program.num_system, shots) if backend is None else backend
    on = load_target(backend) if isinstance(backend, str | Path) else backend
    folder = None if out is None else as_path(out, "out")
    if resume and folder is not None:
        check_begun("resume", folder)
        on = begun_on(target_of(on), folder)
    request = _request(program, on, shots, seed, initial, observables or {}, realisations, ancilla_policy)
    store = None
    if folder is not None:
        store = Folder(folder, request.identity, resume=resume, expected=expected_of(request))
    return run_request(request, store)


@public
def preview(
    program: Program,
    backend: str | Path | Backend | None = None,
    shots: int = 4000,
    seed: int = 1,
    initial: str = "zero",
    realisations: int | None = None,
    ancilla_policy: str = "automatic",
) -> str:
    """What a run would be, in a few lines, without running or submitting anything; arguments as for `run`.

    Sweeps, gates, depth and the chance that no gate errs; the method, memory and time of a simulation; on a device
    where the sites are, how long a circuit takes, and the QPU seconds of the whole run.
    """
    backend = default_backend(program.num_system, shots) if backend is None else backend
    return preview_text(_request(program, backend, shots, seed, initial, {}, realisations, ancilla_policy))


def _request(
    program: Program, backend: str | Path | Backend, shots: int, seed: int, initial: str,
    observables: Mapping[str, Any], realisations: int | None, ancilla_policy: str,
) -> Request:  # fmt: skip
    """The strings and numbers of the public functions, turned into objects."""
    target = load_target(backend) if isinstance(backend, str | Path) else backend
    n = program.num_system
    operators = make_observables(observables, n)
    check_integer("shots", shots, low=0)
    check_integer("seed", seed, low=0)
    if realisations is not None:
        check_integer("realisations", realisations, low=1)
    check_choice("ancilla_policy", ancilla_policy, get_args(RunKeys.model_fields["ancilla_policy"].annotation))
    start = make_initial(initial, n, Path())
    return request_run(program, target, start, operators, shots, realisations, seed, ancillas=ancilla_policy)


@public
def jumps(result: RunResult) -> tuple[Jumps, ...]:
    """Every shot's record of ancilla outcomes as a jump trajectory, of a run with ancilla_policy = "recorded".

    Raises:
        ArgumentError: If the ancillas were not recorded.
    """
    return jump_records(result)


@public
def compare(result: RunResult, target_error: float = 0.10) -> Comparison:
    """Hold a run against the exact Gibbs state: distances, intervals, error ledger, baselines, verdict."""
    return _compare(result, check_target_error(target_error))
