"""The whole way in three short functions: compile, run, compare."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..analysis.comparison.compare import compare as compare_run
from ..analysis.comparison.comparison import Comparison
from ..backends.runs.opening import gate_error_rates
from ..backends.runs.run import RunResult
from ..backends.simulators.method import refuse_size
from ..backends.targets.aer import AerTarget
from ..backends.targets.registry import Target
from ..backends.transpile.transpile import gates_anywhere
from ..compiler.base import Knobs, Scheme
from ..compiler.compilable import compilable
from ..errors import ArgumentError
from ..exact.certificate.frozen import refuse_frozen
from ..generators.discrete import DiscreteChannel, inside
from ..generators.frequency import rate_unit, time_unit
from ..generators.kinds.base import Generator
from ..io.progress import Progress, quiet
from ..limits import MAX_DENSE_QUBITS, WRITTEN_OUT
from ..linalg.arrays import Array
from ..programs.initial_state import InitialState, zero
from ..programs.program import Calibration, Guarantee, Program
from ..programs.serialise import load_program
from ..search.auto import density, find, searched_for
from ..search.cache import keep, known
from ..search.clock import EFFORT, TIME_BUDGET
from ..search.evaluate import borne_out
from ..search.knobs import settle
from ..search.task import AutoKnobs, Wanted


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


def check_moving(generator: Generator, knobs: Knobs | AutoKnobs) -> None:
    """Refuse a generator that does not move, unless a search fits circuits that follow none.

    Raises:
        ArgumentError: With the rates or the gap found, and what moves instead.
    """
    if not isinstance(knobs, AutoKnobs) or (knobs.calibrated is Calibration.DERIVED and knobs.program is None):
        refuse_frozen(generator)


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


def compare(run: RunResult, target_error: float = 0.10, progress: Progress = quiet) -> Comparison:
    """Data → verdict."""
    return compare_run(run, target_error, progress=progress)
