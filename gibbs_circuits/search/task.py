"""What a search for the cheapest program is asked for."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ..errors import ArgumentError
from ..generators.lindbladian import Generator
from ..limits import MAX_DENSE_QUBITS, MAX_KRYLOV_QUBITS
from ..linalg.arrays import Array
from ..models.model import Model
from ..models.spectrum import gibbs_state
from ..programs.product_formulas import commuting_groups
from ..programs.program import Calibration, Guarantee, Program, Stage
from ..programs.steps import Step
from ..readings.circuits.cost import cost
from . import clock as clocks
from .clock import Clock


@dataclass(frozen=True)
class Margins:
    """Shares of the target error that a distance found early must be within: what is measured last may be larger.

    Attributes:
        predicted: A formula's program on the exact channel; its run averages finitely many random delays.
        fixed_point: Of a last stage, as a share of `predicted`; its starts come no nearer than that.
        followed: A few starts that are followed, as a share of `predicted`; then the worst one is searched for.
        through_maps: The same at 6 to 8 qubits, as a share of the target, where fewer starts are followed.
        fitted: The worst start of a fit; another search reads it off the finished program.
        refined: A fit above 4 qubits is refined no further.
        trend: What the trend of fits on pieces gives the whole model.
        short_trend: The same where the pieces are of fewer than 7 sites.
    """

    predicted: float = 0.9
    fixed_point: float = 0.9
    followed: float = 0.97
    through_maps: float = 0.75
    fitted: float = 0.99
    refined: float = 0.85
    trend: float = 0.9
    short_trend: float = 0.5


MARGINS = Margins()


def formula(program: Program) -> float:
    """Two-qubit gates of all sweeps in closed form, before a transpiler merges any."""
    return cost(program).two_qubit_gates


@dataclass(frozen=True, eq=False)
class SearchTask:
    """What a search for the cheapest program is asked for, and what it may spend.

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
        region: Sites of the regions whose reduced states the target error is about (the local measure); None: the
            trace distance of the whole system.
        time_budget: Seconds of the wall clock after which the search is cut off, what comes after it included.
        gates: Two-qubit gates of a program, by which candidates are ranked: in closed form, or once it is transpiled.
        margins: What candidates must be within before they are measured in full.
        wall: The wall clock.
        clock: What was spent so far.
    """

    generator: Generator
    target_error: float
    guarantee: Guarantee
    calibration: Calibration
    start: Array | None
    effort: float
    seed: int
    sites: tuple[Array, ...] | None = None
    error_rates: tuple[float, float] | None = None
    classical_randomness: bool = False
    region: int | None = None
    gates: Callable[[Program], float] = formula
    margins: Margins = MARGINS
    time_budget: float = math.inf
    wall: Callable[[], float] = time.monotonic
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "clock", Clock(self.effort * clocks.STEP, self.time_budget, self.wall))

    @property
    def model(self) -> Model:
        """The model whose Gibbs state is prepared."""
        return self.generator.model

    @property
    def beta(self) -> float:
        """Inverse temperature, 1/energy."""
        return self.generator.beta

    @property
    def sampler(self) -> bool:
        """Whether every start counts, not only the run's own."""
        return self.guarantee is Guarantee.ANY_START

    @property
    def real(self) -> bool:
        """Whether the Hamiltonian, and the start that a preparation has, are real: then so are the circuits."""
        amplitudes = (self.sites or ()) if self.start is None else (self.start,)
        own = self.sampler or not any(np.any(np.imag(psi)) for psi in amplitudes)
        return own and all(label.count("Y") % 2 == 0 for label, coefficient in self.model.terms if coefficient)

    @property
    def start_density(self) -> Array:
        """The run's start as a density matrix, (2ⁿ, 2ⁿ)."""
        return density(self.start, self.model.num_qubits)

    def program(
        self,
        steps: Sequence[Step],
        sweeps: int,
        calibration: Calibration,
        *,
        num_ancilla: int = 1,
        knobs: Mapping[str, Any] | None = None,
        provenance: str = "",
    ) -> Program:
        """So many sweeps of these steps as a program that answers this task; what it may claim is not checked yet."""
        return Program(
            num_system=self.model.num_qubits,
            num_ancilla=num_ancilla,
            groups=commuting_groups(self.model.hamiltonian),
            stages=(Stage(tuple(steps), sweeps),),
            generator=self.generator,
            scheme="auto",
            knobs={"sweeps": sweeps, **(knobs or {}), "seed": self.seed},
            calibration=calibration,
            guarantee=self.guarantee,
            provenance=provenance,
        )

    def sigma(self) -> Array:
        """The Gibbs state, (2ⁿ, 2ⁿ)."""
        return gibbs_state(self.model, self.beta)


def density(start: Array | None, n: int) -> Array:
    """Of a pure start's amplitudes, or of the mixed state for None; empty above 8 qubits, where nothing is followed."""
    if n > MAX_KRYLOV_QUBITS:
        return np.zeros((0, 0), dtype=complex)
    if start is None:
        return np.asarray(np.eye(2**n, dtype=complex) / 2**n)
    return np.asarray(np.outer(start, start.conj()))


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
    measure: Literal["local", "global"] | None = Field(
        default=None,
        description="what target_error is about: local: trace distance of every connected region's reduced state "
        f"(above {MAX_KRYLOV_QUBITS} sites if left out); global: of the whole system (up to {MAX_DENSE_QUBITS}).",
    )
    region: int = Field(default=3, ge=1, le=4, description="sites of the largest region of the local measure.")
    program: str | None = Field(
        default=None, examples=["program.json"], description="a program saved before (compile --out X.json) to use."
    )

    def region_of(self, num_qubits: int) -> int | None:
        """Sites of the regions that the target error of so many qubits is about; None: the whole system.

        Raises:
            ArgumentError: If the whole is asked for where nothing tells its distance.
        """
        if self.measure == "global" and num_qubits > MAX_DENSE_QUBITS:
            raise ArgumentError(
                "measure", f'be "local" above {MAX_DENSE_QUBITS} sites', f"there are {num_qubits}, whose Gibbs state "
                "is no matrix, so that no distance of the whole can be told", 'leave it out or set measure = "local"',
            )  # fmt: skip
        local = self.measure == "local" or (self.measure is None and num_qubits > MAX_KRYLOV_QUBITS)
        return self.region if local else None

    @property
    def calibrated(self) -> Calibration:
        """The calibration as a member of its enumeration."""
        return Calibration(self.calibration)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, those given or chosen."""
        return self.model_dump(exclude_none=True)
