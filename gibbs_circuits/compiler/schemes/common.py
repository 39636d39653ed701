"""What schemes share: the knobs of a time-domain scheme, and jumps as symbols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from ...errors import ArgumentError
from ...filters import Filter
from ...generators import Lindbladian
from ...spectrum import spectrum
from ...status import Status
from ..program import Calibration, ErrorTerm, Rung
from ..quadrature import Nodes, filter_error
from ..steps import Evolve, RandomDelay, Step
from ..trotter import Term

LONGEST_DELAY = 10**4
SOURCE = "Lloyd & Abanin, PRX 16, 031053 (repeated interactions); Ding, Li & Lin, arXiv:2404.05998 (filter)"


class Knobs(BaseModel):
    """Settings every scheme has; None means: to be chosen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    chosen: ClassVar[tuple[str, ...]] = ("sweeps", "strength")

    sweeps: int | None = Field(
        default=None, ge=1, le=10**6, examples=[12], description="How often the sweep is repeated, >= 1."
    )
    strength: float | None = Field(
        default=None,
        gt=0,
        le=1e6,
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


class TimeKnobs(Knobs):
    """Settings of a scheme that writes jumps in the time domain, L = Σ w_l A(t_l)."""

    chosen: ClassVar[tuple[str, ...]] = ("sweeps", "strength", "spacing", "nodes")

    spacing: float | None = Field(
        default=None,
        gt=0,
        le=1e6,
        allow_inf_nan=False,
        examples=[0.5],
        description="τ: time between two nodes, and one Trotter step.",
    )
    nodes: int | None = Field(
        default=None, ge=1, le=10**4, examples=[4], description="N: number of nodes of the filter's time kernel."
    )
    trotter_order: Literal[1, 2, 4] = Field(default=2, description="Product formula: 1 (Lie), 2 (Strang), 4 (Suzuki).")
    random_delays: tuple[int, int] = Field(
        default=(2, 8),
        description="Extra evolution between sweeps, a whole number of spacings in [low, high], or false;"
        " breaks resonances. Chosen as well when other knobs are.",
    )
    truncation: float = Field(
        default=0.0,
        ge=0,
        allow_inf_nan=False,
        description="Terms of H with a smaller |coefficient| are left out of the evolution (0: none).",
    )

    @field_validator("random_delays", mode="before")
    @classmethod
    def _delays(cls, value: object) -> object:
        if value is False:
            return (0, 0)
        pair = tuple(value) if isinstance(value, list | tuple) else ()
        if len(pair) != 2 or any(type(k) is not int for k in pair) or not 0 <= pair[0] <= pair[1] <= LONGEST_DELAY:
            raise PydanticCustomError(
                "delays", f"be [low, high], whole numbers with 0 <= low <= high <= {LONGEST_DELAY}, or false"
            )
        return pair

    def settled(self) -> tuple[float, float, int]:
        """(strength, spacing, nodes), all of them set."""
        return self.set("strength"), self.set("spacing"), self.set("nodes")


@dataclass(frozen=True)
class SymbolicJump:
    """A jump √w Σ_ν f̂(ν) A_ν: the coupling's terms, the weight and the filter."""

    terms: tuple[Term, ...]
    weight: float
    filter: Filter

    @property
    def support(self) -> frozenset[int]:
        """Positions in the label where the coupling acts."""
        return frozenset(i for label, _ in self.terms for i, letter in enumerate(label) if letter != "I")


def symbolic_jumps(generator: Lindbladian) -> list[SymbolicJump]:
    """One jump per coupling and factor of its kernel."""
    return [
        SymbolicJump(tuple((label, float(c.real)) for label, c in contact.coupling.to_list()), weight, filter)
        for contact in generator.contacts
        for weight, filter in contact.kernel.factors()
    ]


def delay_between_sweeps(knobs: TimeKnobs, spacing: float) -> list[Step]:
    """The random delay that ends a sweep; none when it is always zero."""
    low, high = knobs.random_delays
    return [RandomDelay(Evolve(spacing, 1, knobs.trotter_order), low, high)] if high > 0 else []


def declared(generator: Lindbladian, jump: SymbolicJump, nodes: Nodes, trotter_order: int) -> tuple[ErrorTerm, ...]:
    """What a time-domain scheme knows before anything is measured."""
    width = generator.model.num_qubits
    nu = (
        spectrum(generator.model).bohr_frequencies
        if width <= 8
        else np.linspace(-1, 1, 101) / max(jump.filter.width, 1e-9)
    )
    return (
        ErrorTerm(
            Rung.QUADRATURE,
            filter_error(jump.filter, nodes, nu),
            "max |filter error|",
            Status.MEASURED,
            "grid against filter",
        ),
        ErrorTerm(Rung.DILATION, None, "order 1 in strength", Status.NOT_CHECKED, SOURCE),
        ErrorTerm(Rung.COHERENT, None, "B is not compiled", Status.NOT_CHECKED, SOURCE),
        ErrorTerm(Rung.TROTTER, None, f"order {trotter_order} in spacing", Status.NOT_CHECKED, SOURCE),
    )
