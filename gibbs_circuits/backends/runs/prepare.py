"""Program and target → a request that can run, and what running it will be like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

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
from ..measurement.counts import measurement_bases
from ..simulators.forecast import Forecast, forecast
from ..simulators.method import Choice, choose
from ..targets.base import Machine
from ..targets.own import Backend, target_of
from ..targets.registry import load_target
from ..transpile.best_qubits import on_best_qubits
from ..transpile.compiled import Ancillas, Compiled
from ..transpile.transpile import compile_for
from .expected_sweep import one_sweep
from .request import ENERGY, Request, realisations_of
from .run import RunResult, collected
from .store import Memory, Store
from .usage import refuse_cost, usage

Steps = Callable[[int, int], None]
LATTICE = "fake_heavy_hex"


def preview_text(request: Request) -> str:
    """What a run will be, in a few lines, before it begins."""
    bases = max(1, len(request.bases))
    f = forecast_run(request.compiled, request.seed, request.shots, request.realisations, bases)
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


def opened(
    program: Program, backend: Backend, initial: InitialState, ancillas: str, progress: Progress = quiet
) -> Machine:
    """A target opened for a program; its size is refused first where every ancilla is used once.

    Raises:
        ArgumentError: If the target is not there.
        TooLargeError: If it does not take so many ancillas.
        BackendError: If a service fails or cannot be reached.
    """
    target, used = target_of(backend), program.num_qubits
    if ancillas == Ancillas.FRESH.value:
        used = fresh_ancillas(program, program.num_system if initial.preparation is None else 0).num_qubits
        target.refuse_size(used, program.num_system, fresh=True)
    progress("opening the target")
    return target.open(used)


def transpiled(
    program: Program, machine: Machine, initial: InitialState, ancillas: str, progress: Progress = quiet
) -> Compiled:
    """Program → blocks in the gates of a machine, on its best qubits; the seed of a run has no part in it.

    Args:
        program: What is compiled.
        machine: A target, opened.
        initial: Start of the system register.
        ancillas: What becomes of used ancillas: automatic (reset where the target can, else fresh), reset, fresh or
            recorded.
        progress: Told what is being done.

    Raises:
        ArgumentError: If the machine cannot do this with ancillas, has too few qubits, or a lattice without a way.
    """
    automatic = Ancillas.RESET if machine.device.resets else Ancillas.FRESH
    kind = automatic if ancillas == "automatic" else Ancillas(ancillas)
    if kind.value in machine.refused_ancillas:
        raise machine.refused_ancillas[kind.value]
    progress("transpiling")
    try:
        return on_best_qubits(compile_for(program, machine, initial, ancillas=kind))
    except TranspilerError as error:
        raise ArgumentError(
            "backend", "take every gate on its lattice",
            f"{', '.join(machine.device.basis)} cannot: {shown_text(str(error.message))}".rstrip(". "),
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
    target_of(backend).refuse_size(program.num_qubits, program.num_system)
    machine = opened(program, backend, initial, ancillas, progress)
    realisations = refuse(program, machine, shots, realisations)
    compiled = transpiled(program, machine, initial, ancillas, progress)
    operators = {ENERGY: program.generator.model.hamiltonian, **observables}
    bases = measurement_bases(operators) if shots or machine.estimate is not None else ()
    found = forecast_run(compiled, seed, shots, realisations, max(1, len(bases)))
    choice = simulation(compiled, found, shots, realisations)
    compiled.refuse_long()
    sweep = one_sweep(compiled, seed)
    checked = sweep.predicted is not None
    cost = usage(compiled, machine, seed, shots, realisations, len(bases), check=checked) if shots else None
    refuse_cost(cost, machine)
    return Request(compiled, machine, initial, operators, bases, shots, realisations, seed, choice, cost, sweep)


def refuse(program: Program, machine: Machine, shots: int, realisations: int | None) -> int:
    """Refuse numbers that a machine gives nothing for, before anything is compiled; the number of realisations.

    Args:
        program: What is to run.
        machine: A target, opened.
        shots: Per basis; 0: exact expectation values.
        realisations: Draws of the random steps; None: as many as are needed.

    Raises:
        ArgumentError: If there is no value or no interval to be had.
    """
    if machine.read is not None:
        _refuse_shots(machine.device.name, shots, realisations)
        return 1
    realisations = realisations_of(program, realisations, simulated=machine.direct)
    if 0 < shots < realisations:
        raise ArgumentError(
            "shots", f"be at least the number of realisations ({realisations})", f"it is {shots}",
            "set shots = 4000 or fewer realisations",
        )  # fmt: skip
    if shots > 0 and realisations < 2 and (program.random or not machine.direct):
        raise ArgumentError(
            "realisations", "be >= 2 with shots, so that there is an interval", "it is 1", "set realisations = 16"
        )
    if shots == 0 and not machine.exact_values:
        name = machine.device.name
        raise ArgumentError("shots", f"be >= 1 on `{name}`, which gives samples only", "it is 0", "set shots = 4000")
    return realisations


def _refuse_shots(name: str, shots: int, realisations: int | None) -> None:
    """What a reading of the program itself, the mean over its random steps, has no use for."""
    if shots:
        raise ArgumentError(
            "shots", f"be 0 on `{name}`, which gives expectation values and no samples", f"it is {shots}",
            'set shots = 0, or backend = "aer_mps"',
        )  # fmt: skip
    if realisations not in (None, 1):
        raise ArgumentError(
            "realisations", f"be left out on `{name}`, which averages over random steps exactly",
            f"it is {realisations}", "remove realisations",
        )  # fmt: skip


def simulation(compiled: Compiled, found: Forecast, shots: int, realisations: int = 1) -> Choice | None:
    """How a run is simulated, and why; None where a service or a user's object does it.

    Raises:
        ArgumentError: If the target's method cannot do what is asked.
        TooLargeError: If the simulation is hopeless, with its memory and time.
    """
    simulator = compiled.device.simulator
    if simulator is None:
        return None
    choice = choose(simulator, found, shots, recorded=compiled.ancillas is Ancillas.RECORDED)
    compiled.refuse_long()
    if choice.method == "density_matrix":
        n, sweeps = compiled.program.num_system, compiled.program.sweeps
        check_memory(
            16.0 * (sweeps + 1) * 4**n * realisations,
            f"Keeping the states of {n} qubits after each of {sweeps:,} sweeps", "set fewer sweeps or realisations",
        )  # fmt: skip
    return choice


def simulated_by(compiled: Compiled, found: Forecast, shots: int) -> str | None:
    """How a run would be simulated in words, a refusal included; None where nothing is simulated."""
    try:
        choice = simulation(compiled, found, shots)
    except (ArgumentError, TooLargeError) as error:
        return f"would be refused: {error}"
    return None if choice is None else f"{choice.method} on {choice.processor}: {choice.reason}"


def forecast_run(compiled: Compiled, seed: int, shots: int = 0, realisations: int = 1, bases: int = 1) -> Forecast:
    """What a run of a compiled program will take, and the chance that none of its gates errs at the target's rates."""
    counts, simulator = compiled.counts, compiled.device.simulator
    method = "automatic" if simulator is None else simulator.method
    return forecast(
        compiled.program, one_qubit_gates=counts.one_qubit, two_qubit_gates=counts.two_qubit, resets=counts.resets,
        depth=compiled.depth(seed), method="density_matrix" if method == "automatic" else method,
        expected_fidelity=compiled.expected_fidelity, qubits=len(compiled.wires), shots=shots,
        realisations=realisations, bases=bases, noisy=compiled.errors.present,
        bond_dimension=compiled.device.bond_dimension,
    )  # fmt: skip


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
