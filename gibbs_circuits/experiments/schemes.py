"""What `[compile] scheme` names, with its knobs: one way to write sweeps, or the search for the cheapest program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ..backends.targets.base import Target
from ..backends.transpile.transpile import gates_anywhere
from ..compiler.base import AUTO, Knobs, Scheme
from ..compiler.schemes.registry import SCHEMES
from ..errors import ArgumentError
from ..generators.lindbladian import Generator
from ..io.progress import Progress, quiet, spelled
from ..limits import MAX_CHANNEL_QUBITS, MAX_DENSE_QUBITS, WRITTEN_OUT
from ..linalg.arrays import Array
from ..programs.initial_state import InitialState, zero
from ..programs.program import Calibration, Guarantee, Program
from ..programs.serialise import load_program
from ..search.auto import find, searched_for
from ..search.cache import keep, known
from ..search.clock import EFFORT, TIME_BUDGET
from ..search.evaluate import guarantee_reached
from ..search.knobs import choose_unset_knobs
from ..search.task import AutoKnobs, SearchTask, density

CHOOSING_SECONDS = {4: 15.0, 5: 60.0}  # on one core of an AMD EPYC server, to a factor of 3; below, a few at most
SITES_PER_SECOND = 40.0


@dataclass(frozen=True)
class CompileTask:
    """What a program is compiled for, besides its generator.

    Attributes:
        target_error: Trace distance.
        progress: Told what is being tried.
        initial: The run's start; only a search looks at it.
        seed: Of a search.
        target: Whose gate errors a search is asked to mind.
        folder: Where a saved program's path begins.
        effort: How hard is searched, in steps of 60 s of a quiet core; with the seed it alone decides what is found.
        time_budget: Seconds after which a search is cut off.
    """

    target_error: float
    progress: Progress = quiet
    initial: InitialState | None = None
    seed: int = 1
    target: Target | None = None
    folder: Path = Path()
    effort: float = EFFORT
    time_budget: float = TIME_BUDGET


@dataclass(frozen=True)
class NamedScheme:
    """One scheme at its knobs; those left out are chosen for the target error.

    Attributes:
        name, discrete: Those of the scheme.
        follows_generator: Whether its sweeps move what the generator moves; fitted circuits follow none.

    Raises:
        ArgumentError: If a knob is given that the others leave without a use.
    """

    scheme: Scheme
    knobs: Knobs
    follows_generator = True

    def __post_init__(self) -> None:
        self.knobs.check_used()

    @property
    def name(self) -> str:
        """As in `[compile] scheme`."""
        return self.scheme.name

    @property
    def discrete(self) -> bool:
        """Whether the scheme takes a discrete channel."""
        return self.scheme.discrete

    def num_qubits(self, generator: Generator) -> int:
        """Of its program, on which the numbers have no influence; with one ancilla where that is long to write."""
        if generator.model.num_qubits > WRITTEN_OUT:
            return generator.model.num_qubits + 1
        small = self.knobs.model_copy(update=self.knobs.smallest_settings(generator))
        return self.scheme(generator, small).num_qubits

    def slow_parts(self, num_qubits: int, time_budget: float) -> list[str]:
        """What takes long in compiling for so many sites, and how long, in words."""
        if self.knobs.left_out and 4 <= num_qubits <= MAX_CHANNEL_QUBITS:
            seconds = spelled(min(CHOOSING_SECONDS[num_qubits], time_budget))
            return [f"settings tried for {', '.join(self.knobs.left_out)}: about {seconds}"]
        if num_qubits > WRITTEN_OUT:
            seconds = spelled(num_qubits / SITES_PER_SECOND)
            return [f"a sweep on {num_qubits} sites written and transpiled: about {seconds}"]
        return []

    def formula(self) -> tuple[Scheme, Knobs]:
        """The scheme and knobs by which a program can be written at any step."""
        return self.scheme, self.knobs

    def compile(self, generator: Generator, task: CompileTask) -> Program:
        """With its open knobs chosen; says how hard that was tried."""
        searched = SearchTask(
            generator, task.target_error, Guarantee.ANY_START, Calibration.DERIVED, None, task.effort, task.seed,
            time_budget=task.time_budget,
        )  # fmt: skip
        program = choose_unset_knobs(
            generator, self.scheme, self.knobs, task.target_error, task.progress, searched.clock.until(1.0)
        )
        return searched_for(program, searched) if searched.clock.spent or searched.clock.ran_out else program


@dataclass(frozen=True)
class CheapestProgram:
    """The search for the fewest two-qubit gates, among all schemes and fits; it answers as `NamedScheme` does."""

    knobs: AutoKnobs
    name = AUTO
    discrete = False

    @property
    def follows_generator(self) -> bool:
        """Whether only derived programs are searched: fitted and saved ones follow no generator."""
        return self.knobs.calibrated is Calibration.DERIVED and self.knobs.program is None

    def num_qubits(self, generator: Generator) -> int:
        """The system and one ancilla: what is found is not known yet."""
        return generator.model.num_qubits + 1

    def slow_parts(self, num_qubits: int, time_budget: float) -> list[str]:
        """The search, unless a saved program is taken."""
        found = f"search for the cheapest program: at most {spelled(time_budget)}"
        return [found] if self.knobs.program is None else []

    def formula(self) -> tuple[Scheme, Knobs]:
        """There is none.

        Raises:
            ArgumentError: Always.
        """
        raise ArgumentError("scheme", "be derived to be extrapolated", "auto is tuned", 'set scheme = "parallel"')

    def compile(self, generator: Generator, task: CompileTask) -> Program:
        """The program found, now or before, or the saved one."""
        knobs, n = self.knobs, generator.model.num_qubits
        begin = task.initial or zero(n)
        if knobs.program is not None:
            # found for some target and start, which need not be these: what it may claim is read off it again
            loaded = load_program(task.folder / knobs.program, generator)
            start = density(_amplitudes(begin, n), n)
            return replace(loaded, guarantee=guarantee_reached(loaded, task.target_error, start))
        searched = SearchTask(
            generator=generator,
            target_error=task.target_error,
            guarantee=Guarantee(knobs.guarantee),
            calibration=knobs.calibrated,
            start=_amplitudes(begin, n),
            sites=begin.site_states(n),
            effort=task.effort,
            time_budget=task.time_budget,
            seed=task.seed,
            error_rates=self._error_rates(task.target) if knobs.gate_errors else None,
            classical_randomness=knobs.randomness == "classical",
            region=knobs.region_of(n),
            gates=gates_anywhere,
        )
        found = known(searched)
        if found is None:
            found = find(searched, task.progress)[0].program
            keep(searched, found)
        return found

    def _error_rates(self, target: Target | None) -> tuple[float, float]:
        """(p1, p2) of the target's gates.

        Raises:
            ArgumentError: If a search cannot mind gate errors, or the target has none.
        """
        if self.knobs.calibrated is not Calibration.FITTED_TO_TARGET:
            raise ArgumentError(
                "gate_errors", 'come with calibration = "fitted_to_target"',
                f"calibration is {self.knobs.calibration}",
                'set calibration = "fitted_to_target" or gate_errors = false',
            )  # fmt: skip
        if self.knobs.randomness == "classical":
            raise ArgumentError(
                "randomness", 'be "none" with gate_errors', "random Pauli gates in place of ancillas have other errors",
                'set randomness = "none" or gate_errors = false',
            )  # fmt: skip
        rates = None if target is None else target.gate_errors()
        if rates is None:
            raise ArgumentError(
                "gate_errors", "come with a target that has gate errors", "there is none",
                'set backend = "aer_noisy", a device, or gate_errors = false',
            )  # fmt: skip
        return rates


ChosenScheme = NamedScheme | CheapestProgram


def known_schemes() -> dict[str, tuple[type[BaseModel], Callable[[Any], ChosenScheme]]]:
    """By name, the knobs of what `[compile] scheme` may name, and what becomes of them."""
    named = {name: (scheme.knobs, partial(NamedScheme, scheme)) for name, scheme in SCHEMES.items()}
    return {AUTO: (AutoKnobs, CheapestProgram), **named}


def _amplitudes(initial: InitialState, n: int) -> Array | None:
    return initial.amplitudes(n) if n <= MAX_DENSE_QUBITS else None
