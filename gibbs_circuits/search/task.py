"""What a search for the cheapest program is asked for."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ..generators.discrete import DiscreteChannel
from ..generators.lindbladian import Lindbladian
from ..linalg.arrays import Array
from ..models.model import Model
from ..models.spectrum import gibbs_state
from ..programs.program import Calibration, Guarantee, Program
from ..readings.circuits.cost import cost
from . import clock as clocks
from .clock import Clock, Deadline


def formula(program: Program) -> float:
    """Two-qubit gates of all sweeps in closed form, before a transpiler merges any."""
    return cost(program).two_qubit_gates


@dataclass(frozen=True, eq=False)
class Wanted:
    """The task of `auto.find`.

    Attributes:
        generator: Whose Hamiltonian, β and, for derived programs, couplings and filter are taken.
        target_error: Trace distance ε.
        guarantee: ANY_START or GIVEN_START.
        calibration: What may be used to set the angles.
        start: Amplitudes of the run's start; None where it is mixed or too large to write out.
        sites: The start as one state vector per qubit; None where it is no product.
        effort: How hard to search, in steps of 60 nominal seconds: what a quiet core takes.
        seed: Of shapes, angles and starts.
        error_rates: (p1, p2) of the target's gates, depolarising; None searches without gate errors.
        classical_randomness: Whether random Pauli steps may replace gates: the claim is then the mean over draws.
        time_budget: Seconds of the wall clock after which the search is cut off, what comes after it included.
        gates: Two-qubit gates of a program, by which candidates are ranked: in closed form, or once it is transpiled.
        wall: The wall clock.
        clock: What was spent so far.
    """

    generator: Lindbladian | DiscreteChannel
    target_error: float
    guarantee: Guarantee
    calibration: Calibration
    start: Array | None
    effort: float
    seed: int
    sites: tuple[Array, ...] | None = None
    error_rates: tuple[float, float] | None = None
    classical_randomness: bool = False
    gates: Callable[[Program], float] = formula
    time_budget: float = math.inf
    wall: Callable[[], float] = time.monotonic
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "clock", Clock(self.effort * clocks.STEP, self.time_budget, self.wall))

    @property
    def model(self) -> Model:
        """The model."""
        return self.generator.model

    @property
    def beta(self) -> float:
        """Inverse temperature."""
        return self.generator.beta

    @property
    def sampler(self) -> bool:
        """Whether every start counts."""
        return self.guarantee is Guarantee.ANY_START

    @property
    def real(self) -> bool:
        """Whether the Hamiltonian, and the start that a preparation has, are real: then so are the circuits."""
        amplitudes = (self.sites or ()) if self.start is None else (self.start,)
        own = self.sampler or not any(np.any(np.imag(psi)) for psi in amplitudes)
        return is_real(self.model) and own

    def sigma(self) -> Array:
        """The Gibbs state."""
        return gibbs_state(self.model, self.beta)

    def until(self, share: float, after: float = 0.0) -> Deadline:
        """When that share of the effort is spent; of the time what comes `after` the search is kept."""
        return self.clock.until(share, after)


def is_real(model: Model) -> bool:
    """Whether the Hamiltonian is a real matrix: no term has an odd number of Y."""
    return all(label.count("Y") % 2 == 0 for label, coefficient in model.terms if coefficient)


class AutoKnobs(BaseModel):
    """What a search for the cheapest program may use and must guarantee."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    guarantee: Literal["any_start", "given_start"] = Field(
        default="any_start",
        description="any_start: a sampler, its fixed point and worst start within target_error; given_start: a "
        "preparation, right after one run from run.initial.",
    )
    calibration: Literal["derived", "patch", "fitted_to_target"] = Field(
        default="patch",
        description="derived: from the generator's formula; patch: angles fitted on smaller pieces of the model and "
        "accepted on a held-out one, else derived; fitted_to_target: uses the Gibbs state of this very system.",
    )
    gate_errors: bool = Field(
        default=False,
        description="minimise the distance with the target's gate errors, re-tuned under them (given p1, p2 or "
        "a device's medians).",
    )
    randomness: Literal["none", "classical"] = Field(
        default="none",
        description="classical: random Pauli gates in place of ancillas that are used once, and of H's symmetries; "
        "fewer gates, but the claim is then the mean over draws.",
    )
    program: str | None = Field(
        default=None, examples=["program.json"], description="a program saved before (compile --out X.json) to use."
    )

    @property
    def calibrated(self) -> Calibration:
        """As the enumeration."""
        return Calibration(self.calibration)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, those given or chosen."""
        return self.model_dump(exclude_none=True)
