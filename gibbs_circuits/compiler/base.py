"""A scheme and its knobs, before there is any particular one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from math import ceil
from types import MappingProxyType
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from ..errors import LARGEST, ArgumentError
from ..evidence import Citation
from ..generators.frequency import rate_unit
from ..generators.lindbladian import Generator
from ..generators.matrices import largest_rate
from ..models.scale import rounded
from ..programs.product_formulas import Group, commuting_groups
from ..programs.program import Calibration, Measurable, Program, Stage
from ..programs.steps import Step

STRENGTHS = tuple(0.05 * 2 ** (k / 2) for k in range(17))  # over the largest rate
STRONGEST = 1.5  # over the unit of the rates
SWEPT = 12  # strength × sweeps of a program that nothing is predicted of, over the unit of the rates


class Scan(Enum):
    """The scan that bears a declared order out: what is halved, and which error falls."""

    FIXED_TIME = "strength: the channel against that of the generator over a fixed time"
    NO_STEP_ERROR = "nothing: the sweep against the channel of the generator, or its fixed point against σ"
    FIXED_POINT = "strength: the fixed point against σ, with exact evolution and coherent term"
    TROTTER_STEP = "slices of an evolution: the channel against that of exact evolution"
    NODE_SPACING = "spacing: the widest filter on its grid"
    PALINDROMIC_NODES = "strength: the channel of palindromes over a fixed time"
    LIE_ORDERED_NODES = "strength: the same without the palindrome, which must not converge"


@dataclass(frozen=True)
class Order:
    """What theory says of one approximation: the error of `scan` falls with this power; None: with no single one."""

    scan: Scan
    power: int | None = None


class Knobs(BaseModel):
    """Settings every scheme has; None means: to be chosen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    family: ClassVar[str] = "every scheme"  # whose knobs are explained once, under this name
    chosen: ClassVar[tuple[str, ...]] = ("sweeps", "strength")  # searched for where left out
    also_chosen: ClassVar[tuple[str, ...]] = ()  # have a default, which a search for the others may replace

    sweeps: int | None = Field(
        default=None, ge=1, le=10**6, examples=[12], description="How often the sweep is repeated, >= 1."
    )
    strength: float | None = Field(
        default=None,
        gt=0,
        le=LARGEST,
        allow_inf_nan=False,
        examples=[0.5],
        description="δ: time of the generator that one sweep stands for.",
    )
    calibration: Calibration = Field(
        default=Calibration.DERIVED,
        strict=False,
        json_schema_extra={"rule": 'be "derived" or "fitted_to_target"'},
        description="what you claim of knobs you give: derived (from physics) or fitted_to_target (a search that used"
        " the Gibbs state of this very system). The angles are those of the formula either way.",
    )

    @field_validator("calibration")
    @classmethod
    def _claimed(cls, value: Calibration) -> Calibration:
        if value is Calibration.PATCH:
            raise PydanticCustomError("calibration", 'be "derived" or "fitted_to_target"')
        return value

    @classmethod
    def families(cls) -> tuple[type[Knobs], ...]:
        """The classes whose knobs it has and that are explained once, the most general first."""
        return tuple(kind for kind in reversed(cls.__mro__) if "family" in vars(kind))

    def set(self, name: str) -> Any:
        """A knob that must have been chosen by now.

        Raises:
            ArgumentError: If it was not.
        """
        value = getattr(self, name)
        if value is None:
            raise ArgumentError(name, "be set before a program is written", "it is left out", f"give {name}")
        return value

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a program to carry."""
        return self.model_dump(exclude={"calibration"})

    @property
    def given(self) -> dict[str, Any]:
        """What the user set; None leaves a knob out."""
        return {name: value for name in self.model_fields_set if (value := getattr(self, name)) is not None}

    @property
    def left_out(self) -> list[str]:
        """The knobs that a program cannot be written without and that are not set."""
        return [name for name in self.chosen if getattr(self, name) is None]

    @property
    def grid(self) -> tuple[int, float] | None:
        """(nodes, spacing) of jumps that are written in time; None of others."""
        return None

    @property
    def compiles_coherent(self) -> bool:
        """Whether the coherent term B is compiled."""
        return False

    def coherent_treatments(self) -> dict[str, Self]:
        """The ways to treat B, in words, the other knobs alike; empty where there is no choice."""
        return {}

    def check_used(self) -> None:
        """Refuse a knob that was given and that the others leave without a use.

        Raises:
            ArgumentError: Naming it.
        """

    def orders(self, order: int | None) -> tuple[Order, ...]:
        """What is declared at these knobs of a scheme of this order in the strength; None: exact at any."""
        exact = order is None or "strength" not in self.chosen
        return (Order(Scan.NO_STEP_ERROR) if exact else Order(Scan.FIXED_TIME, order),)

    def candidate_settings(self, generator: Generator) -> Iterator[dict[str, Any]]:
        """Values for the knobs left out, those that are likely to be cheapest first; the sweeps are counted later."""
        if "strength" not in self.chosen or generator.step is not None:
            yield {}
            return
        rate, unit = largest_rate(generator.lindbladian), rate_unit(generator.lindbladian)
        yield from ({"strength": rounded(strength / (rate or unit), 1 / unit)} for strength in STRENGTHS)

    def unchecked_settings(self, generator: Generator, target_error: float) -> dict[str, Any]:
        """Values for the knobs left out where nothing can be predicted: from the formula and the target alone."""
        strength = float(f"{min(STRONGEST, 10 * target_error):.4g}")
        values = {"strength": strength / rate_unit(generator.lindbladian), "sweeps": ceil(SWEPT / strength)}
        return {name: value for name, value in values.items() if name in self.chosen}

    def smallest_settings(self, generator: Generator) -> dict[str, Any]:
        """Values with which a program is written quickly, to count its qubits, which do not depend on them."""
        values: dict[str, Any] = {"sweeps": 1}
        if "strength" in self.left_out and generator.step is None:  # that has a step of its own
            values["strength"] = 1 / rate_unit(generator.lindbladian)
        return values


def _nothing(program: Program) -> Iterable[Citation]:
    return ()


@dataclass(frozen=True)
class Scheme:
    """A way to write a generator as sweeps; each stands in its file.

    Attributes:
        name, summary: As listed.
        write: (generator, knobs, all of them set) → program.
        knobs: Its settings: their ranges, which are searched for and over what.
        order: Declared order in the strength δ of what one sweep leaves out, over a fixed time; None: exact.
        source: What to cite for it.
        discrete: Whether it takes a discrete channel as well.
        also_cited: What else to cite for a program of it.
    """

    name: str
    write: Callable[..., Program]
    knobs: type[Knobs]
    summary: str
    order: int | None
    source: str
    discrete: bool = False
    also_cited: Callable[[Program], Iterable[Citation]] = _nothing

    def __call__(self, generator: Generator, knobs: Knobs) -> Program:
        """The program of `generator` at `knobs`."""
        return self.write(generator, knobs)


AUTO = "auto"  # the name of the search for the cheapest program


def repeated_sweep(
    generator: Generator,
    scheme: str,
    knobs: Knobs,
    sweep: tuple[Step, ...],
    num_ancilla: int,
    declared: Measurable,
    groups: tuple[Group, ...] | None = None,
    settled: Mapping[str, float | None] = MappingProxyType({}),
) -> Program:
    """A program of one sweep; `groups` are those of all of H if left out, `settled` knobs the scheme has decided."""
    return Program(
        num_system=generator.model.num_qubits,
        num_ancilla=num_ancilla,
        groups=commuting_groups(generator.model.hamiltonian) if groups is None else groups,
        stages=(Stage(sweep, knobs.set("sweeps")),),
        generator=generator,
        scheme=scheme,
        knobs={**knobs.as_dict(), **settled},
        calibration=knobs.calibration,
        declared=declared,
    )
