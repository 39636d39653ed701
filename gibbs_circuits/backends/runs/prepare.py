"""Program and target → a request that can run, and what running it will be like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from qiskit.primitives import BaseEstimatorV2, BaseSamplerV2
from qiskit.providers import BackendV2
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler.exceptions import TranspilerError

from ...errors import ArgumentError, TooLargeError, shown_text
from ...evidence import share
from ...io.memory import check_memory, gib
from ...io.progress import Progress, quiet, spelled
from ...limits import ROUTED_GATES
from ...programs.fresh_ancillas import fresh_ancillas
from ...programs.initial_state import InitialState, zero
from ...programs.program import Program
from ..devices.device import Device, open_device
from ..measurement.counts import measurement_bases
from ..simulators.forecast import Forecast, Method, forecast
from ..simulators.method import Choice, choose, refuse_size
from ..targets.aer import AerTarget
from ..targets.registry import Target, load_target
from ..transpile.best_qubits import on_best_qubits
from ..transpile.compiled import Ancillas, Compiled
from ..transpile.transpile import compile_for
from .expected_sweep import one_sweep
from .opening import Backend, opened, settled_ancillas
from .request import ENERGY, Request, realisations_of
from .run import RunResult, collected
from .store import Memory, Store
from .usage import refuse_cost, usage

Steps = Callable[[int, int], None]
LATTICE = "fake_heavy_hex"


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
