"""The whole way in three short functions: compile, run, compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qiskit.quantum_info import SparsePauliOp

from .analysis import Comparison
from .analysis import compare as compare_run
from .analysis.estimate import measurement_bases
from .backends import Compiled, Memory, Request, RunResult, Store, collect, compile_for
from .backends.aer import refuse_size
from .backends.jobs import ENERGY
from .compiler import SCHEMES, Knobs, Program, Scheme
from .compiler.dense import lindbladian_of
from .compiler.schemes.corrections import CoherentKnobs
from .errors import ArgumentError
from .exact.balance import secular
from .generator_schemas import Generator
from .generators import Coherent
from .generators.channels import DiscreteChannel
from .readings.channel import MAX_CHANNEL_QUBITS
from .readings.forecast import Forecast, forecast
from .readings.initial import InitialState
from .targets import Target, load_target
from .tuning.choose import settle
from .tuning.coherent import CoherentRow, coherent_tradeoff

Progress = Callable[[str], None]
Steps = Callable[[int, int], None]
LATTICE = "fake_heavy_hex"
ROUTED_GATES = 1500  # per sweep; routing more beside a run would take a minute
WRITTEN_OUT = 64  # system qubits up to which writing a program to count its ancillas is quick


def quiet(text: str) -> None:
    """No progress."""


def compile_program(
    generator: Generator, scheme: Scheme, knobs: Knobs, target_error: float, progress: Progress = quiet
) -> Program:
    """Lindbladian → program; knobs that were left out are chosen for the target error.

    Raises:
        ArgumentError: If the scheme has no circuit for this generator.
        TooLargeError: If the program is too large to write out, with its two-qubit gates.
    """
    return settle(compilable(generator, scheme), scheme, knobs, target_error, progress)


def compilable(generator: Generator, scheme: Scheme) -> Generator:
    """The generator, if this scheme has a circuit for it: completely positive, one temperature, the whole H.

    Raises:
        ArgumentError: Naming what has no circuit.
    """
    fix = 'use kind = "dll", or the exact command'
    if isinstance(generator, DiscreteChannel):
        return generator if scheme.discrete else lindbladian_of(generator, scheme.name)
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


def refuse_hopeless(generator: Generator, scheme: Scheme, knobs: Knobs, target: Target) -> None:
    """Refuse what cannot run before anything is computed; the qubits of a program do not depend on its numbers.

    Raises:
        TooLargeError: With the numbers.
    """
    generator, n = compilable(generator, scheme), generator.model.num_qubits
    used = n + 1
    if n <= WRITTEN_OUT:
        numbers = {"sweeps": 1, "strength": 1.0, "spacing": 1.0, "nodes": 1}
        known = {"strength"} if knobs.strength is not None else set[str]()
        small = {key: value for key, value in numbers.items() if key in scheme.knobs.model_fields.keys() - known}
        if isinstance(generator, DiscreteChannel):
            small.pop("strength", None)  # it has a step of its own
        used = scheme(generator, knobs.model_copy(update=small)).num_qubits
    refuse_size(used, n, target.method, target.max_qubits, target.name)


def in_advance(request: Request) -> str:
    """One line before a run begins."""
    bases = max(1, len(request.bases))
    f = foretell(request.compiled, request.seed, request.shots, request.realisations, bases)
    one = f.simulation
    return (
        f"{f.sweeps} sweeps, {f.two_qubit_gates:,.0f} two-qubit gates, depth {f.depth:,.0f}; on {f.qubits} qubits "
        f"{one.memory_bytes / 2**20:,.3g} MiB and about {one.seconds:,.2g} s (extrapolated); chance that no gate errs "
        f"{f.expected_fidelity:.3f}."
    )


def tradeoff(program: Program) -> tuple[CoherentRow, ...]:
    """What compiling B costs and brings, side by side, where a program compiles it, up to 5 qubits; empty otherwise."""
    knobs = SCHEMES[program.scheme].knobs if program.scheme in SCHEMES else None
    asked = program.knobs.get("coherent_term", "omit") != "omit" and not program.recipe
    if knobs is None or not issubclass(knobs, CoherentKnobs) or not asked or program.num_system > MAX_CHANNEL_QUBITS:
        return ()
    return coherent_tradeoff(program.lindbladian, program.scheme, knobs.model_validate(dict(program.knobs)))


def request_run(
    program: Program,
    target: Target,
    initial: InitialState,
    observables: Mapping[str, SparsePauliOp],
    shots: int,
    realisations: int,
    seed: int,
    progress: Progress = quiet,
) -> Request:
    """Program → circuits on a target; refuses what cannot run before anything is computed.

    Raises:
        ArgumentError: If the target gives no exact values and shots are 0, or has too few qubits.
        TooLargeError: If the simulation does not fit.
    """
    if target.method == "statevector" and shots == 0:
        raise ArgumentError(
            "shots", f"be >= 1 on `{target.name}`, which gives samples only", "it is 0", "set shots = 4000"
        )
    if 0 < shots < realisations:
        raise ArgumentError(
            "shots", f"be at least the number of realisations ({realisations})", f"it is {shots}",
            "set shots = 4000 or fewer realisations",
        )  # fmt: skip
    if shots > 0 and realisations < 2:
        raise ArgumentError(
            "realisations", "be >= 2 with shots, so that there is an interval", "it is 1", "set realisations = 16"
        )
    refuse_size(program.num_qubits, program.num_system, target.method, target.max_qubits, target.name)
    progress("transpiling")
    compiled = compile_for(program, target, initial, seed)
    operators = {ENERGY: program.generator.model.hamiltonian, **observables}
    bases = measurement_bases(operators) if shots else ()
    return Request(compiled, initial, operators, bases, shots, realisations, seed)


def foretell(compiled: Compiled, seed: int, shots: int = 0, realisations: int = 1, bases: int = 1) -> Forecast:
    """What a run of a compiled program will take, and the chance that none of its gates errs at the target's rates."""
    counts, noise, target = compiled.counts, compiled.target.noise, compiled.target
    return forecast(
        compiled.program, one_qubit_gates=counts.one_qubit, two_qubit_gates=counts.two_qubit, resets=counts.resets,
        depth=compiled.depth(seed), method=target.method, p1=noise.p1, p2=noise.p2, p_reset=noise.reset,
        qubits=compiled.compact().start.num_qubits, shots=shots, realisations=realisations, bases=bases,
    )  # fmt: skip


def run_request(
    request: Request, store: Store | None = None, progress: Progress = quiet, steps: Steps = lambda done, of: None
) -> RunResult:
    """Circuits → data; with the count on a heavy-hex lattice beside an all-to-all one."""
    lattice = None
    largest = max(request.compiled.two_qubit_gates_per_sweep)
    anywhere = request.compiled.target.coupling_map is None and request.compiled.program.num_qubits <= 57
    if anywhere and largest <= ROUTED_GATES:
        progress("counting on a heavy-hex lattice")
        lattice = compile_for(request.compiled.program, load_target(LATTICE), request.initial, request.seed)
    progress("running")
    blocks = collect(request, store or Memory(), steps)
    return RunResult(request, blocks, lattice)


def compare(run: RunResult, target_error: float = 0.10, progress: Progress = quiet) -> Comparison:
    """Data → verdict."""
    return compare_run(run, target_error, progress=progress)


__all__ = [
    "compare", "compilable", "compile_program", "foretell", "in_advance", "refuse_hopeless", "request_run",
    "run_request", "tradeoff",
]  # fmt: skip
