"""A scheme and its knobs, before there is any particular one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from ..errors import LARGEST, ArgumentError
from ..generators.discrete import DiscreteChannel
from ..generators.lindbladian import Lindbladian
from ..programs.program import Calibration, Program


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


@dataclass(frozen=True)
class Scheme:
    """A recipe as files and `--help` see it.

    Attributes:
        name, summary: As listed.
        build: (generator, knobs) → program.
        knobs: Its settings.
        order: Declared order in the strength δ of what one sweep leaves out, over a fixed time; None: exact.
        source: What to cite for it.
        discrete: Whether it takes a discrete channel as well.
    """

    name: str
    build: Callable[..., Program]
    knobs: type[Knobs]
    summary: str
    order: int | None
    source: str
    discrete: bool = False

    def __call__(self, generator: Lindbladian | DiscreteChannel, knobs: Knobs) -> Program:
        """The program of `generator` at `knobs`."""
        return self.build(generator, knobs)


AUTO = "auto"  # the name of the scheme
