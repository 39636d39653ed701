"""The intermediate representation: what one sweep does, never unrolled until a reading needs it.

System qubits are 0 … n−1, ancillas n … n+m−1, and every ancilla starts in |0⟩.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

from ..errors import InvalidProgramError
from ..evidence import Status
from ..generators.lindbladian import Generator, Lindbladian
from ..io.rendering import Shown
from ..limits import MAX_REGISTER, MAX_SWEEPS
from .product_formulas import Group
from .rules import Broken, broken_by_steps, broken_by_sums, whole_rule
from .steps import Step, flat


class Rung(Enum):
    """An approximation on the way from the generator to the numbers that come out."""

    FILTER = "filter"
    QUADRATURE = "quadrature"
    TRUNCATION = "truncation"
    DILATION = "dilation"
    COHERENT = "coherent"
    TROTTER = "trotter"
    DELAYS = "delays"
    MIXING = "mixing"
    NOISE = "noise"
    SHOTS = "shots"


class Calibration(Enum):
    """Where the settings of a program come from."""

    DERIVED = "derived"  # physics only; the exact answer may accept or reject
    PATCH = "patch"  # fitted on smaller pieces of the model, accepted on one used neither in the fit nor in its choice
    FITTED_TO_TARGET = "fitted_to_target"  # a search that used the Gibbs state of this very system


class Guarantee(Enum):
    """What a program is entitled to claim at a target error."""

    ANY_START = "any_start"  # a sampler: fixed point and worst start, searched or bounded, within it
    GIVEN_START = "given_start"  # a preparation: right after the stated sweeps from the stated start
    NONE = "none"  # neither, as far as it was checked


@dataclass(frozen=True)
class ErrorTerm:
    """One line of an error ledger: which rung, how much, how it is known."""

    rung: Rung
    value: float | None
    unit: str
    status: Status
    source: str


Terms = tuple[ErrorTerm, ...]
Measurable = Terms | Callable[[], Terms]


class MeasuredWhenRead:
    """A field that is given as error terms, or as what measures them, called when they are first read."""

    def __get__(self, program: Program | None, owner: type[Program]) -> Terms:
        if program is None:
            return ()  # the default
        found = program.__dict__["declared"]
        if callable(found):
            found = program.__dict__["declared"] = found()
        return tuple(found)

    def __set__(self, program: Program, terms: Measurable) -> None:
        program.__dict__["declared"] = terms


@dataclass(frozen=True)
class Alternative:
    """A point of the frontier that a program was chosen from.

    `distance` is the trace distance that the guarantee is about, None where it is not known; `chosen` marks the
    program itself.
    """

    two_qubit_gates: float
    distance: float | None
    note: str
    chosen: bool = False


@dataclass(frozen=True)
class Search:
    """How hard a program was searched for; what was found depends on seed and effort alone unless time ran out.

    Attributes:
        seed: Of what is drawn at random.
        effort: In steps of 60 nominal seconds, what a quiet core takes.
        time_budget: Seconds of the wall clock that were allowed.
        done: The share of the effort that was not cut off.
        ran_out: Whether the wall clock cut it off.
        seconds: That it took.
    """

    seed: int
    effort: float
    time_budget: float
    done: float
    ran_out: bool
    seconds: float


@dataclass(frozen=True)
class Stage:
    """One sweep and how often it is repeated."""

    steps: tuple[Step, ...]
    repeats: int


@dataclass(frozen=True, eq=False, repr=False)
class Program(Shown):
    """A sampler as a program: stages of repeated sweeps on n system qubits and m ancillas.

    Args:
        num_system: n.
        num_ancilla: m.
        groups: The Hamiltonian of every `Evolve`, in commuting groups; a truncated one is not the model's.
        stages: Performed in order.
        generator: What the program approximates; not part of its text.
        scheme: The recipe that wrote it.
        knobs: The recipe's settings, all of them.
        declared: What the recipe knows of its errors in advance, or what measures it when it is first read.
        recipe: Name of the preset that wrote it; "" if none did.
        provenance: How each knob that was left out was chosen; "" if none was.
        calibration: Where the settings come from.
        guarantee: What a search for the cheapest program established; None if there was none, or it read nothing off
            the exact channel.
        frontier: The programs it chose from.
        preparation: Whether it is made for one start and one pass: it has no fixed point, contraction or other start to
            speak of, whether or not it meets its target.
        worst_found: The largest trace distance, without gate errors, that the search that made it found on the exact
            channel, of starts and of the last stage's fixed point; None if nothing was read off.
        given_found: The same from the start that a preparation was searched for; None of a sampler.
        region: What both are about, and the guarantee: the largest over connected regions of so many sites of the
            distance of reduced states; None: the distance of the whole system.
        search: How hard it was searched for; None if nothing was.

    Raises:
        InvalidProgramError: From `verify`, which the constructor calls.
    """

    num_system: int
    num_ancilla: int
    groups: tuple[Group, ...]
    stages: tuple[Stage, ...]
    generator: Generator
    scheme: str
    knobs: Mapping[str, Any] = field(default_factory=dict)
    declared: MeasuredWhenRead = MeasuredWhenRead()
    recipe: str = ""
    provenance: str = ""
    calibration: Calibration = Calibration.DERIVED
    guarantee: Guarantee | None = None
    frontier: tuple[Alternative, ...] = ()
    preparation: bool = False
    worst_found: float | None = None
    given_found: float | None = None
    region: int | None = None
    search: Search | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "knobs", MappingProxyType(dict(self.knobs)))
        self.verify()

    @property
    def lindbladian(self) -> Lindbladian:
        """The generator; for a discrete channel the one that its transitions come from."""
        return self.generator.lindbladian

    @property
    def sweeps(self) -> int:
        """Number of sweeps of all stages."""
        return sum(stage.repeats for stage in self.stages)

    @property
    def random(self) -> bool:
        """Whether any step is drawn anew in every realisation."""
        return any(step.random for stage in self.stages for step in stage.steps)

    @property
    def all_steps(self) -> Iterator[Step]:
        """The steps of one sweep of every stage, in order, after every random one those that it draws from."""
        return (step for stage in self.stages for step in flat(stage.steps))

    @property
    def num_qubits(self) -> int:
        """System and ancillas together."""
        return self.num_system + self.num_ancilla

    @property
    def text(self) -> str:
        """Canonical text: equal programs have equal texts. Delays stand in it as distributions, not as draws."""
        lines = [f"program system={self.num_system} ancilla={self.num_ancilla}"]
        lines += [
            f"group {' '.join(f'{coefficient!r}*{label}' for label, coefficient in group.terms)}"
            for group in self.groups
        ]
        for stage in self.stages:
            lines.append(f"stage repeats={stage.repeats}")
            lines += [f"  {step.text}" for step in stage.steps]
        return "\n".join(lines) + "\n"

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def verify(self) -> None:
        """Check what every reading relies on.

        Ancillas exist and are all back in |0⟩ at the end of a sweep; operators have the width of the system;
        numbers are finite, whole where they count, and within the limits; labels are Pauli strings; every stage is
        repeated at least once; nothing but a reset of ancillas forgets. Nothing is allocated before it is checked.

        Raises:
            InvalidProgramError: Naming the stage, the step and the rule.
        """
        for where, rule in self._broken():
            raise InvalidProgramError(f"Program breaks a rule in {where}: {rule}.")

    def _broken(self) -> Iterator[Broken]:
        registers = {"num_system": self.num_system, "num_ancilla": self.num_ancilla}
        counts = [("the registers", *whole_rule(size, name, 1, MAX_REGISTER)) for name, size in registers.items()]
        stages = [(f"stage {k}", *whole_rule(s.repeats, "repeats", 1, MAX_SWEEPS)) for k, s in enumerate(self.stages)]
        for where, holds, rule in (*counts, ("the stages", bool(self.stages), "one at least"), *stages):
            if not holds:
                yield where, rule
        yield from broken_by_sums(self.groups, self.num_system, "groups")
        for k, stage in enumerate(self.stages):
            yield from broken_by_steps(stage.steps, self.num_system, self.num_ancilla, f"stage {k}")

    def _in_words(self) -> str:
        return (
            f"Program({self.scheme}: {self.num_system} + {self.num_ancilla} qubits, {self.sweeps} sweeps, "
            f"{self.hash[:12]})"
        )
