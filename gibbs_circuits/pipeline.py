"""The whole way in three short functions: compile, run, compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qiskit.quantum_info import SparsePauliOp

from .analysis import Comparison
from .analysis import compare as compare_run
from .analysis.estimate import measurement_bases
from .backends import Memory, Request, RunResult, Store, collect, compile_for
from .backends.aer import refuse_size
from .backends.jobs import ENERGY
from .compiler import Knobs, Program, Scheme
from .errors import ArgumentError
from .generator_schemas import Generator
from .generators import Coherent, Lindbladian
from .generators.channels import DiscreteChannel
from .kernels import RankOne
from .readings.initial import InitialState
from .targets import Target, load_target
from .tuning.choose import settle

Progress = Callable[[str], None]
Steps = Callable[[int, int], None]
LATTICE = "fake_heavy_hex"
WRITTEN_OUT = 64  # system qubits up to which writing a program to count its ancillas is quick


def quiet(text: str) -> None:
    """No progress."""


def compile_program(
    generator: Generator, scheme: Scheme, knobs: Knobs, target_error: float, progress: Progress = quiet
) -> Program:
    """Lindbladian → program; knobs that were left out are chosen for the target error.

    Raises:
        ArgumentError: If the schemes have no circuit for this generator.
    """
    return settle(compilable(generator), scheme, knobs, target_error, progress)


def compilable(generator: Generator) -> Lindbladian:
    """The generator, if it is a Lindbladian with one jump per coupling at one temperature.

    Raises:
        ArgumentError: Naming what has no circuit yet.
    """
    fix = 'use kind = "dll", or the exact command'
    if isinstance(generator, DiscreteChannel) or generator.frame is not None:
        raise ArgumentError(
            "kind", "be a Lindbladian of the whole H to be compiled", f"{generator.kind} was found", fix
        )
    if len(generator.betas) > 1:
        raise ArgumentError("contacts", "share one β to be compiled", f"{len(generator.betas)} were found", fix)
    if not all(isinstance(contact.kernel, RankOne) for contact in generator.contacts):
        raise ArgumentError(
            "kind", "have one jump operator per coupling to be compiled", f"{generator.kind} has several", fix
        )
    if generator.coherent is Coherent.LAMB_SHIFT:
        raise ArgumentError(
            "coherent", "be balance or none to be compiled", "no scheme has a circuit for a Lamb shift",
            'set coherent = "balance"',
        )  # fmt: skip
    return generator


def refuse_hopeless(generator: Generator, scheme: Scheme, knobs: Knobs, target: Target) -> None:
    """Refuse what cannot run before anything is computed; the qubits of a program do not depend on its numbers.

    Raises:
        TooLargeError: With the numbers.
    """
    generator, n = compilable(generator), generator.model.num_qubits
    used = n + 1
    if n <= WRITTEN_OUT:
        small = {"sweeps": 1, "strength": 1.0, "spacing": 1.0, "nodes": 1}
        used = scheme(generator, knobs.model_copy(update=small)).num_qubits
    refuse_size(used, n, target.method, target.max_qubits, target.name)


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


def run_request(
    request: Request, store: Store | None = None, progress: Progress = quiet, steps: Steps = lambda done, of: None
) -> RunResult:
    """Circuits → data; with the count on a heavy-hex lattice beside an all-to-all one."""
    lattice = None
    if request.compiled.target.coupling_map is None and request.compiled.program.num_qubits <= 57:
        progress("counting on a heavy-hex lattice")
        lattice = compile_for(request.compiled.program, load_target(LATTICE), request.initial, request.seed)
    progress("running")
    blocks = collect(request, store or Memory(), steps)
    return RunResult(request, blocks, lattice)


def compare(run: RunResult, target_error: float = 0.10, progress: Progress = quiet) -> Comparison:
    """Data → verdict."""
    return compare_run(run, target_error, progress=progress)


__all__ = ["compare", "compile_program", "refuse_hopeless", "request_run", "run_request"]
