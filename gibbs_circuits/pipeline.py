"""The whole way in three short functions: compile, run, compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from qiskit.primitives import BaseEstimatorV2, BaseSamplerV2
from qiskit.providers import BackendV2
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler.exceptions import TranspilerError

from .analysis import Comparison
from .analysis import compare as compare_run
from .backends import Ancillas, Compiled, Device, Memory, Request, RunResult, Store, compile_for, open_device
from .backends.best_qubits import on_best_qubits
from .backends.check import one_sweep
from .backends.jobs import collected
from .backends.methods import Choice, choose, refuse_size
from .backends.opening import Backend, opened, settled_ancillas
from .backends.request import ENERGY, realisations_of
from .backends.transpile import gates_anywhere
from .backends.usage import refuse_cost, usage
from .compiler import SCHEMES, Calibration, Guarantee, Knobs, Program, Scheme
from .compiler.dense import lindbladian_of
from .compiler.fresh import fresh_ancillas
from .compiler.saved import load_program
from .compiler.schemes.corrections import CoherentKnobs
from .errors import ArgumentError, TooLargeError, shown_text
from .exact.balance import secular
from .exact.frozen import refuse_frozen
from .generator_schemas import Generator
from .generators import Coherent
from .generators.channels import DiscreteChannel, inside
from .generators.frequency import rate_unit, time_unit
from .limits import MAX_CHANNEL_QUBITS, MAX_DENSE_QUBITS, ROUTED_GATES, WRITTEN_OUT
from .memory import check_memory, gib
from .readings.counts import measurement_bases
from .readings.forecast import Forecast, Method, forecast, spelled
from .readings.initial import InitialState, zero
from .spectrum import Array
from .status import share
from .targets import AerTarget, Target, load_target
from .tuning.auto import AUTO, AutoKnobs, density, find, searched_for
from .tuning.cache import keep, known
from .tuning.choose import settle
from .tuning.clock import EFFORT, TIME_BUDGET
from .tuning.coherent import CoherentRow, coherent_tradeoff
from .tuning.measured import borne_out
from .tuning.wanted import Progress, Wanted, quiet

Steps = Callable[[int, int], None]
LATTICE = "fake_heavy_hex"


def compile_program(
    generator: Generator,
    scheme: Scheme | None,
    knobs: Knobs | AutoKnobs,
    target_error: float,
    progress: Progress = quiet,
    *,
    initial: InitialState | None = None,
    seed: int = 1,
    target: Target | None = None,
    folder: Path = Path(),
    effort: float = EFFORT,
    time_budget: float = TIME_BUDGET,
) -> Program:
    """Lindbladian → program; knobs that were left out are chosen for the target error.

    Args:
        generator: What is sampled.
        scheme: None searches for the cheapest program.
        knobs: Of the scheme, or what a search may use.
        target_error: Trace distance.
        progress: Told what is being tried.
        initial: The run's start; only a search looks at it.
        seed: Of a search.
        target: Whose gate errors a search is asked to mind.
        folder: Where a saved program's path begins.
        effort: How hard is searched, in steps of 60 s of a quiet core; with the seed it alone decides what is found.
        time_budget: Seconds after which a search is cut off.

    Raises:
        ArgumentError: If the scheme has no circuit for this generator, or a saved program is not for it.
        TooLargeError: If the program is too large to write out, with its two-qubit gates.
    """
    generator = compilable(generator, scheme)
    check_moving(generator, knobs)
    if isinstance(knobs, Knobs):
        assert scheme is not None  # they come in pairs
        return _settled(generator, scheme, knobs, target_error, progress, seed, effort, time_budget)
    n = generator.model.num_qubits
    begin = initial or zero(n)
    if knobs.program is not None:
        # found for some target and start, which need not be these: what it may claim is read off it again
        loaded = load_program(folder / knobs.program, generator)
        return replace(loaded, guarantee=borne_out(loaded, target_error, density(_amplitudes(begin, n), n)))
    if knobs.gate_errors and knobs.calibrated is not Calibration.FITTED_TO_TARGET:
        raise ArgumentError(
            "gate_errors", 'come with calibration = "fitted_to_target"', f"calibration is {knobs.calibration}",
            'set calibration = "fitted_to_target" or gate_errors = false',
        )  # fmt: skip
    if knobs.gate_errors and knobs.randomness == "classical":
        raise ArgumentError(
            "randomness", 'be "none" with gate_errors', "random Pauli gates in place of ancillas have other errors",
            'set randomness = "none" or gate_errors = false',
        )  # fmt: skip
    rates = gate_error_rates(target) if knobs.gate_errors else None
    if knobs.gate_errors and rates is None:
        raise ArgumentError(
            "gate_errors", "come with a target that has gate errors", "there is none",
            'set backend = "aer_noisy", a device, or gate_errors = false',
        )  # fmt: skip
    wanted = Wanted(
        generator=generator,
        target_error=target_error,
        guarantee=Guarantee(knobs.guarantee),
        calibration=knobs.calibrated,
        start=_amplitudes(begin, n),
        sites=begin.site_states(n),
        effort=effort,
        time_budget=time_budget,
        seed=seed,
        error_rates=rates,
        classical_randomness=knobs.randomness == "classical",
        gates=gates_anywhere,
    )
    found = known(wanted)
    if found is None:
        found = find(wanted, progress).program
        keep(wanted, found)
    return found


def _settled(
    generator: Generator,
    scheme: Scheme,
    knobs: Knobs,
    target_error: float,
    progress: Progress,
    seed: int,
    effort: float,
    time_budget: float,
) -> Program:
    """A named scheme with its open knobs chosen; says how hard that was tried."""
    wanted = Wanted(
        generator, target_error, Guarantee.ANY_START, Calibration.DERIVED, None, effort, seed, time_budget=time_budget
    )
    program = settle(generator, scheme, knobs, target_error, progress, wanted.until(1.0))
    return searched_for(program, wanted) if wanted.clock.spent or wanted.clock.ran_out else program


def _amplitudes(initial: InitialState, n: int) -> Array | None:
    return initial.amplitudes(n) if n <= MAX_DENSE_QUBITS else None


def gate_error_rates(target: Target | None) -> tuple[float, float] | None:
    """Depolarising (p1, p2) of a target's gates: those of its file, or the medians of a device; None without errors."""
    if target is None:
        return None
    if isinstance(target, AerTarget) and target.noise.p2 > 0:
        return target.noise.p1, target.noise.p2
    rates = opened(target, 1)[0].errors.rates
    medians = []
    for wires in (1, 2):
        found = [rate for (_, on), rate in rates.items() if len(on) == wires and 0 < rate < 0.5]
        medians.append(float(np.median(found)) / (1 - 4.0**-wires) if found else 0.0)
    return (medians[0], medians[1]) if medians[1] > 0 else None


def compilable(generator: Generator, scheme: Scheme | None) -> Generator:
    """The generator, if this scheme (None: a search) has a circuit for it: completely positive, one β, the whole H.

    Raises:
        ArgumentError: Naming what has no circuit.
    """
    fix = 'use kind = "dll", or the exact command'
    if isinstance(generator, DiscreteChannel):
        return generator if scheme is not None and scheme.discrete else lindbladian_of(generator, _name(scheme))
    if generator.frame is not None:
        raise ArgumentError("kind", "see the whole H to be compiled", f"{generator.kind} sees each site alone", fix)
    if len(generator.betas) > 1:
        raise ArgumentError("contacts", "share one β to be compiled", f"{len(generator.betas)} were found", fix)
    if not all(contact.kernel.positive for contact in generator.contacts):
        raise ArgumentError(
            "kind", "be completely positive to become a circuit", f"{generator.kind} is not",
            'use kind = "ule" with coherent = "balance"',
        )  # fmt: skip
    if generator.coherent is Coherent.LAMB_SHIFT and not secular(generator):
        raise ArgumentError(
            "coherent", "be balance or none to be compiled, unless the shift commutes with H (davies)",
            f"the Lamb shift of {generator.kind} does not", 'set coherent = "balance"',
        )  # fmt: skip
    return generator


def check_moving(generator: Generator, knobs: Knobs | AutoKnobs) -> None:
    """Refuse a generator that does not move, unless a search fits circuits that follow none.

    Raises:
        ArgumentError: With the rates or the gap found, and what moves instead.
    """
    if not isinstance(knobs, AutoKnobs) or (knobs.calibrated is Calibration.DERIVED and knobs.program is None):
        refuse_frozen(generator)


def _name(scheme: Scheme | None) -> str:
    return AUTO if scheme is None else scheme.name


def refuse_hopeless(generator: Generator, scheme: Scheme | None, knobs: Knobs | AutoKnobs, target: Target) -> None:
    """Refuse what cannot run before anything is computed; the qubits of a program do not depend on its numbers.

    Raises:
        TooLargeError: With the numbers.
    """
    generator, n = compilable(generator, scheme), generator.model.num_qubits
    used = n + 1
    if scheme is not None and isinstance(knobs, Knobs) and n <= WRITTEN_OUT:
        of = inside(generator)  # whose rates and whose H are what a number is large or small against
        numbers = {"sweeps": 1, "strength": 1 / rate_unit(of), "spacing": time_unit(of), "nodes": 1}
        known = {"strength"} if knobs.strength is not None else set[str]()
        small = {key: value for key, value in numbers.items() if key in scheme.knobs.model_fields.keys() - known}
        if isinstance(generator, DiscreteChannel):
            small.pop("strength", None)  # it has a step of its own
        used = scheme(generator, knobs.model_copy(update=small)).num_qubits
    if isinstance(target, AerTarget):
        refuse_size(used, n, target)


def in_advance(request: Request) -> str:
    """What a run will be, in a few lines, before it begins."""
    bases = max(1, len(request.bases))
    f = foretell(request.compiled, request.seed, request.shots, request.realisations, bases)
    device = request.compiled.device
    lines = [
        f"{f.sweeps} sweeps, {f.two_qubit_gates:,.0f} two-qubit gates, depth {f.depth:,.0f}; chance that no gate errs "
        + (f"{share(f.expected_fidelity)}." if device.errors_known else "not known.")
    ]
    if request.choice is not None:
        one = next(one for one in f.simulations if one.method == request.choice.method)
        lines.append(
            f"Simulated on {f.qubits} qubits by {one.method} ({request.choice.reason}): "
            f"{gib(one.memory_bytes)} and about {spelled(one.seconds)} (extrapolated)."
        )
    if request.shots and request.realisations == 1:
        lines.append(f"No step is random: one circuit per basis takes all {request.shots:,} shots.")
    if request.usage is not None:
        u = request.usage
        lines.append(
            f"On {device.name}, sites on qubits {', '.join(map(str, request.compiled.system_qubits))}: {u.circuits} "
            f"circuits of {u.circuit_seconds * 1e6:,.1f} µs, {u.shots} shots each, {u.jobs} jobs, about "
            f"{u.qpu_seconds:,.3g} QPU seconds (extrapolated)."
        )
    return "\n".join(lines)


def tradeoff(program: Program) -> tuple[CoherentRow, ...]:
    """What compiling B costs and brings, side by side, where a program compiles it, up to 5 qubits; empty otherwise."""
    knobs = SCHEMES[program.scheme].knobs if program.scheme in SCHEMES else None
    asked = program.knobs.get("coherent_term", "omit") != "omit" and not program.recipe
    if knobs is None or not issubclass(knobs, CoherentKnobs) or not asked or program.num_system > MAX_CHANNEL_QUBITS:
        return ()
    return coherent_tradeoff(program.lindbladian, program.scheme, knobs.model_validate(dict(program.knobs)))


def compile_on(
    program: Program, backend: Backend, initial: InitialState, ancillas: str, progress: Progress = quiet
) -> tuple[Compiled, Any]:
    """Program → blocks on a target, and what runs them; see `opened`.

    The seed of a run has no part in it: all draws of a program are on the same qubits.

    Raises:
        ArgumentError: If the target is not there, or has too few qubits or no reset.
        BackendError: If a service fails or cannot be reached.
    """
    progress("opening the target")
    device, service = opened(backend, program.num_qubits)
    kind = settled_ancillas(ancillas, device, service)
    if kind is Ancillas.FRESH and isinstance(backend, AerTarget):
        used = fresh_ancillas(program, program.num_system if initial.preparation is None else 0).num_qubits
        refuse_size(used, program.num_system, backend, fresh=True)
        device = open_device(backend, used)
    progress("transpiling")
    try:
        return on_best_qubits(compile_for(program, device, initial, ancillas=kind)), service
    except TranspilerError as error:
        raise ArgumentError(
            "backend", "take every gate on its lattice",
            f"{', '.join(device.basis)} cannot: {shown_text(str(error.message))}".rstrip(". "),
            'use another target, or basis = ["cz", "rz", "sx", "x"]',
        ) from None  # fmt: skip


def request_run(
    program: Program,
    backend: Backend,
    initial: InitialState,
    observables: Mapping[str, SparsePauliOp],
    shots: int,
    realisations: int | None,
    seed: int,
    progress: Progress = quiet,
    ancillas: str = "automatic",
) -> Request:
    """Program → circuits on a target; refuses what cannot run before anything is computed or submitted.

    Raises:
        ArgumentError: If the target gives no exact values and shots are 0, or has too few qubits or no reset.
        TooLargeError: If the simulation does not fit, or the device would cost more than its target allows.
        BackendError: If a service fails or cannot be reached.
    """
    simulated = isinstance(backend, AerTarget)
    realisations = realisations_of(program, realisations, simulated=simulated)
    if 0 < shots < realisations:
        raise ArgumentError(
            "shots", f"be at least the number of realisations ({realisations})", f"it is {shots}",
            "set shots = 4000 or fewer realisations",
        )  # fmt: skip
    if shots > 0 and realisations < 2 and (program.random or not simulated):
        raise ArgumentError(
            "realisations", "be >= 2 with shots, so that there is an interval", "it is 1", "set realisations = 16"
        )
    if isinstance(backend, AerTarget):
        refuse_size(program.num_qubits, program.num_system, backend)
        if shots == 0 and backend.method not in ("automatic", "density_matrix"):
            raise _samples_only(backend.name)
    compiled, service = compile_on(program, backend, initial, ancillas, progress)
    device = compiled.device
    estimator = isinstance(service, BaseEstimatorV2)
    exact = isinstance(device.target, AerTarget) and service is None
    if shots == 0 and not exact and not estimator:
        raise _samples_only(device.name)
    operators = {ENERGY: program.generator.model.hamiltonian, **observables}
    bases = measurement_bases(operators) if shots or estimator else ()
    found = foretell(compiled, seed, shots, realisations, max(1, len(bases)))
    choice = simulation(compiled, service, found, shots, realisations)
    if choice is None:
        compiled.refuse_long()
    sweep = one_sweep(compiled, seed)
    checked = sweep.predicted is not None
    cost = usage(compiled, seed, shots, realisations, len(bases), check=checked) if shots else None
    if service is not None and not isinstance(service, BackendV2 | BaseSamplerV2 | BaseEstimatorV2):
        refuse_cost(cost, device.target)  # type: ignore[arg-type]  # what remains is the service
    return Request(compiled, initial, operators, bases, shots, realisations, seed, choice, service, cost, sweep)


def simulation(compiled: Compiled, service: Any, found: Forecast, shots: int, realisations: int = 1) -> Choice | None:
    """How a run is simulated, and why; None where a service or a user's object does it.

    Raises:
        ArgumentError: If the target's method cannot do what is asked.
        TooLargeError: If the simulation is hopeless, with its memory and time.
    """
    if service is not None:
        return None
    target = compiled.target if isinstance(compiled.target, AerTarget) else _stand_in(compiled.device)
    choice = choose(target, found, shots, recorded=compiled.ancillas is Ancillas.RECORDED)
    compiled.refuse_long()
    if choice.method == "density_matrix":
        n, sweeps = compiled.program.num_system, compiled.program.sweeps
        check_memory(
            16.0 * (sweeps + 1) * 4**n * realisations,
            f"Keeping the states of {n} qubits after each of {sweeps:,} sweeps", "set fewer sweeps or realisations",
        )  # fmt: skip
    return choice


def simulated_by(compiled: Compiled, service: Any, found: Forecast, shots: int) -> str | None:
    """The same in words, a refusal included; None where nothing is simulated."""
    try:
        choice = simulation(compiled, service, found, shots)
    except (ArgumentError, TooLargeError) as error:
        return f"would be refused: {error}"
    return None if choice is None else f"{choice.method} on {choice.processor}: {choice.reason}"


def _samples_only(name: str) -> ArgumentError:
    return ArgumentError("shots", f"be >= 1 on `{name}`, which gives samples only", "it is 0", "set shots = 4000")


def _stand_in(device: Device) -> AerTarget:
    """How a snapshot in place of a device is simulated."""
    return AerTarget(name=device.name, kind="aer")


def foretell(compiled: Compiled, seed: int, shots: int = 0, realisations: int = 1, bases: int = 1) -> Forecast:
    """What a run of a compiled program will take, and the chance that none of its gates errs at the target's rates."""
    counts, target = compiled.counts, compiled.target
    found = forecast(
        compiled.program, one_qubit_gates=counts.one_qubit, two_qubit_gates=counts.two_qubit, resets=counts.resets,
        depth=compiled.depth(seed), method=_likely(target), p1=0.0, p2=0.0, qubits=len(compiled.wires), shots=shots,
        realisations=realisations, bases=bases, noisy=compiled.errors.present,
        bond_dimension=target.bond_dimension if isinstance(target, AerTarget) else None,
    )  # fmt: skip
    return replace(found, expected_fidelity=compiled.expected_fidelity)


def _likely(target: Target) -> Method:
    """The method that a forecast is about where none is chosen yet."""
    method = target.method if isinstance(target, AerTarget) else "automatic"
    return "density_matrix" if method == "automatic" else method


@lru_cache(maxsize=8)  # one program is run on several targets, and placing it takes seconds
def _on_heavy_hex(program: Program) -> Compiled:
    """The program on a heavy-hex lattice, to count its gates there; how a run starts has no part in the count."""
    return compile_for(program, load_target(LATTICE), zero(program.num_system))


def run_request(
    request: Request, store: Store | None = None, progress: Progress = quiet, steps: Steps = lambda done, of: None
) -> RunResult:
    """Circuits → data; with the count on a heavy-hex lattice beside an all-to-all one."""
    lattice = None
    largest = max(request.compiled.two_qubit_gates_per_sweep)
    anywhere = request.compiled.device.coupling is None and request.compiled.program.num_qubits <= 57
    if anywhere and largest <= ROUTED_GATES:
        progress("counting on a heavy-hex lattice")
        lattice = _on_heavy_hex(request.compiled.program)
    progress("running")
    kept = store or Memory()
    blocks, check = collected(request, kept, steps)
    return RunResult(request, blocks, lattice, check, tuple(kept.jobs().values()), kept.set_aside)


def compare(run: RunResult, target_error: float = 0.10, progress: Progress = quiet) -> Comparison:
    """Data → verdict."""
    return compare_run(run, target_error, progress=progress)


__all__ = [
    "check_moving", "compare", "compilable", "compile_on", "compile_program", "foretell", "in_advance",
    "refuse_hopeless", "request_run", "run_request", "simulated_by", "simulation", "tradeoff",
]  # fmt: skip
