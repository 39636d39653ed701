"""What schemes in time share: their knobs, what they declare, and the sizes they refuse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from ...errors import LARGEST, TooLargeError
from ...evidence import Status
from ...generators.contact import Coherent
from ...generators.frequency import local_frequency, time_unit
from ...generators.kernels.base import TimeFactors
from ...generators.lindbladian import Generator, Lindbladian
from ...generators.matrices import largest_rate
from ...limits import LONGEST_DELAY, MAX_BRANCH_STEPS, MAX_DIAGONALISED, MAX_GATES, MAX_STEPS
from ...models.spectrum import spectrum
from ...programs.product_formulas import Group, rotation_cost
from ...programs.product_formulas import factors as product
from ...programs.program import ErrorTerm, Measurable, Program, Rung
from ...programs.steps import Couple, Evolve, RandomDelay, Step
from ..base import Knobs, Order, Scan, repeated_sweep
from .ladder import LADDER, MIDDLE, values_at
from .symbolic_jumps import SymbolicJump, kernel_factors, on_grid, symbolic_jumps, widest

MOST_COMPARED = 1025
SOURCE = "Lloyd & Abanin, PRX 16, 031053 (repeated interactions); Ding, Li & Lin, arXiv:2404.05998 (filter)"


class TimeKnobs(Knobs):
    """Settings of a scheme that writes jumps in the time domain, L = Σ w_l A(t_l)."""

    family: ClassVar[str] = "schemes in time"
    chosen: ClassVar[tuple[str, ...]] = ("sweeps", "strength", "spacing", "nodes")
    also_chosen: ClassVar[tuple[str, ...]] = ("random_delays",)

    spacing: float | None = Field(
        default=None,
        gt=0,
        le=LARGEST,
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

    resolution: float | None = Field(
        default=None,
        gt=0,
        le=LARGEST,
        allow_inf_nan=False,
        examples=[0.5],
        description="Davies only: width in energy of its jumps, one per cell of Bohr frequencies; left out: the smaller"
        " of the scale on which the bath's rate varies and a quarter of the largest Bohr frequency.",
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

    @property
    def grid(self) -> tuple[int, float] | None:
        """(number of nodes of a jump, time between two)."""
        return self.set("nodes"), self.set("spacing")

    def orders(self, order: int | None) -> tuple[Order, ...]:
        """Of the fixed point's bias in the strength, of the product formula, and of the grid."""
        return Order(Scan.FIXED_POINT, order), Order(Scan.TROTTER_STEP, self.trotter_order), Order(Scan.NODE_SPACING)

    def candidate_settings(self, generator: Generator) -> Iterator[dict[str, Any]]:
        """Those of `LADDER` in the units of this generator."""
        of, rate = generator.lindbladian, largest_rate(generator.lindbladian)
        width = widest(symbolic_jumps(generator, self.resolution))
        yield from (values_at(setting, of, rate, width) for setting in LADDER)

    def unchecked_settings(self, generator: Generator, target_error: float) -> dict[str, Any]:
        """The middle setting, at a strength that the target decides."""
        width = widest(symbolic_jumps(generator, self.resolution))
        middle = values_at(MIDDLE, generator.lindbladian, 0.0, width)
        return {**middle, **super().unchecked_settings(generator, target_error)}

    def smallest_settings(self, generator: Generator) -> dict[str, Any]:
        """One sweep of jumps with one node."""
        return {**super().smallest_settings(generator), "spacing": time_unit(generator.lindbladian), "nodes": 1}


def program_in_time(
    generator: Generator,
    scheme: str,
    knobs: TimeKnobs,
    groups: tuple[Group, ...],
    num_ancilla: int,
    steps: Sequence[Step],
    declared: Measurable,
) -> Program:
    """A program of one sweep and the random delay that ends it; its knobs have the resolution that was used."""
    low, high = knobs.random_delays
    delay = [RandomDelay(Evolve(knobs.set("spacing"), 1, knobs.trotter_order), low, high)] if high > 0 else []
    used = (found.resolution for found in kernel_factors(generator, knobs.resolution).values())
    resolution = next((r for r in used if r is not None), None)
    return repeated_sweep(
        generator, scheme, knobs, (*steps, *delay), num_ancilla, declared, groups, {"resolution": resolution}
    )


def declared(generator: Generator, jumps: Sequence[SymbolicJump], knobs: TimeKnobs) -> tuple[ErrorTerm, ...]:
    """What a time-domain scheme knows before anything is measured."""
    _, spacing, count = knobs.settled()
    lindbladian, factors = generator.lindbladian, kernel_factors(generator, knobs.resolution)
    terms = [
        ErrorTerm(Rung.FILTER, found.error, "max |kernel error|", _known(found.error), _factor_source(found))
        for kernel, found in factors.items()
        if not kernel.rank_one
    ]
    terms += [
        ErrorTerm(
            Rung.QUADRATURE, _grid_error(lindbladian, jumps, count, spacing), "max |filter error|",
            Status.MEASURED, _grid_source(lindbladian),
        ),
        ErrorTerm(Rung.DILATION, None, "order 1 in strength", Status.NOT_CHECKED, SOURCE),
        _coherent(lindbladian),
        ErrorTerm(Rung.TROTTER, None, f"order {knobs.trotter_order} in spacing", Status.NOT_CHECKED, SOURCE),
    ]  # fmt: skip
    return tuple(terms)


def _known(error: float | None) -> Status:
    return Status.NOT_CHECKED if error is None else Status.MEASURED


def _factor_source(found: TimeFactors) -> str:
    if found.resolution is None:
        return f"{len(found.factors)} factors per coupling against the kernel"
    return (
        f"Davies at resolution {found.resolution:.4g}, {len(found.factors)} jumps per coupling, against the kernel: it"
        " keeps coherences between Bohr frequencies closer than that; balance is exact"
    )


def _grid_source(lindbladian: Lindbladian) -> str:
    source = "grid against filter, the worst of all jumps, √weight included"
    if lindbladian.model.num_qubits <= MAX_DIAGONALISED:
        return source
    return f"{source}; up to max |[H, A]|/|A| = {local_frequency(lindbladian):.3g}, Bohr frequencies being unknown"


def _grid_error(lindbladian: Lindbladian, jumps: Sequence[SymbolicJump], count: int, spacing: float) -> float:
    """Max over jumps and frequencies of |Σ w_l e^{iνt_l} − √w f̂(ν)|."""
    if lindbladian.model.num_qubits <= MAX_DIAGONALISED:
        nu = spectrum(lindbladian.bohr_model).bohr_frequencies
    else:
        longest = widest(jumps)
        edge = max(local_frequency(lindbladian), 1 / longest if longest > 0 else 0.0)
        nu = np.linspace(-edge, edge, 101)
    nu = np.unique(nu)
    nu = nu[np.unique(np.linspace(0, nu.size - 1, MOST_COMPARED).round().astype(int))]
    made = on_grid(jumps, count, spacing, nu)
    return max(
        float(np.max(np.abs(value - np.sqrt(weight) * filter.frequency(nu))))
        for (filter, weight), value in made.items()
    )


def _coherent(lindbladian: Lindbladian) -> ErrorTerm:
    match lindbladian.coherent:
        case Coherent.LAMB_SHIFT if lindbladian.secular:
            source = "the Lamb shift commutes with H and leaves σ where it is; Breuer & Petruccione, sec. 3.3"
            return ErrorTerm(Rung.COHERENT, 0.0, "Lamb shift is not compiled: fixed point", Status.PROVED, source)
        case Coherent.LAMB_SHIFT:
            return ErrorTerm(Rung.COHERENT, None, "Lamb shift is not compiled", Status.NOT_CHECKED, SOURCE)
        case _:
            return ErrorTerm(Rung.COHERENT, None, "B is not compiled", Status.NOT_CHECKED, SOURCE)


def refuse_large(
    jumps: Sequence[SymbolicJump],
    knobs: TimeKnobs,
    groups: tuple[Group, ...],
    couples: int,
    evolutions: int,
    *,
    at_once: bool = True,
) -> None:
    """Refuse a sweep that is too large to write out, before it is written.

    Args:
        jumps: All of them.
        knobs: All set.
        groups: Of the Hamiltonian.
        couples: Couplings written per jump.
        evolutions: Evolutions by one spacing written in all.
        at_once: Whether one sweep performs all of it; False for a choice among branches.

    Raises:
        TooLargeError: With the factors, couplings, nodes, steps and two-qubit gates.
    """  # fmt: skip
    per_evolution = sum(groups[g].two_qubit_gates for g, _ in product(len(groups), knobs.trotter_order, 1))
    cost = {
        terms: sum(rotation_cost(label + "X") for label, _ in Couple(terms, 0, 0.0, 0.0).rotations())
        for terms in {jump.terms for jump in jumps}
    }
    steps = len(jumps) * couples + evolutions
    gates = couples * sum(cost[jump.terms] for jump in jumps) + evolutions * per_evolution
    most = MAX_STEPS if at_once else MAX_BRANCH_STEPS
    if steps <= most and (gates <= MAX_GATES or not at_once):
        return
    contacts, nodes = len(cost), knobs.set("nodes")
    limit = f"{most} steps" if steps > most else f"{MAX_GATES} two-qubit gates"
    fix = "set fewer nodes, or a shorter window (a larger sigma_E or resolution)"
    if at_once and len(jumps) * (2 * nodes - 1) <= MAX_BRANCH_STEPS:  # what that scheme would write
        fix = f'set scheme = "random_jumps" and direction = "forward", one jump per sweep, or {fix[4:]}'
    raise TooLargeError(
        f"One sweep of {len(jumps) / contacts:g} factors × {contacts} couplings × {nodes} nodes is {steps} steps with "
        f"{gates} two-qubit gates, too large to write out; the limit is {limit}. Fix: {fix}."
    )
