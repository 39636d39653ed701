"""The coherent term in a scheme of nodes: its knobs, what each pass is given, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field
from qiskit.quantum_info import SparsePauliOp

from ...errors import ArgumentError
from ...generators.discrete import inside
from ...models.scale import merged
from ...programs.program import ErrorTerm, Rung
from ...programs.steps import Step
from .coherent_term import PauliSum, check_balance, coherent_sum, declared_coherent
from .knobs import TimeKnobs, declared
from .quadrature import Nodes
from .symbolic_jumps import Source, SymbolicJump
from .truncation import declared_truncation

CoherentChoice = Literal["omit", "compile", "compile_ordered"]


class CoherentKnobs(TimeKnobs):
    """Settings of a scheme that can perform the coherent term B."""

    coherent_term: CoherentChoice = Field(
        default="omit",
        description="The coherent term B: omit; compile: a Trotter step of e^{−iBδ} in the middle of the nodes;"
        " compile_ordered: B less the shift that the order of the nodes adds (forward-only passes).",
    )
    coherent_radius: int | None = Field(
        default=None,
        ge=0,
        le=1000,
        examples=[1],
        description="Compiled B: the radius around a coupling, in terms of H, that its B is computed in; left out: all"
        " of H, up to 8 qubits.",
    )
    coherent_tolerance: float = Field(
        default=0.05,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Compiled B: Pauli terms below this share of the largest are left out.",
    )


class RadiusKnobs(CoherentKnobs):
    """Settings of a scheme whose jumps run forward and back, each on its own."""

    radius: int | None = Field(
        default=None,
        ge=0,
        le=1000,
        examples=[2],
        description="Truncated jumps: every jump evolves only the terms of H within this radius of its coupling,"
        " counted in terms; left out: all of H. Costs half a window of evolution more on either side.",
    )


def corrections(
    generator: Source,
    passes: Sequence[Sequence[SymbolicJump]],
    knobs: CoherentKnobs,
    *,
    forward: bool,
    inside_pass: bool = True,
) -> list[PauliSum | None]:
    """What every pass performs per unit of strength; None where there is nothing.

    A forward-only pass is in a frame of its own and takes the sum of its own jumps. Palindromes share one frame, and
    may be given as one pass, which saves gates.

    Args:
        generator: With B.
        passes: Jumps whose B is performed together.
        knobs: All set.
        forward: Whether the nodes run forward only.
        inside_pass: Whether it stands after the middle node of the first jump, or where kernel time is 0.

    Raises:
        ArgumentError: If B does not exist, or `compile_ordered` is asked of palindromes.
        TooLargeError: If a patch has more than 8 sites, or the sum too many terms.
    """
    if knobs.coherent_term == "omit":
        return [None] * len(passes)
    check_balance(inside(generator))
    ordered = knobs.coherent_term == "compile_ordered"
    if ordered and not forward:
        raise ArgumentError(
            "coherent_term", "be omit or compile where jumps run forward and back",
            "compile_ordered takes out a shift that palindromes do not have", 'set coherent_term = "compile"',
        )  # fmt: skip
    return [_sum(generator, members, knobs, placed=inside_pass, ordered=ordered) for members in passes]


def _sum(
    generator: Source,
    members: Sequence[SymbolicJump],
    knobs: CoherentKnobs,
    *,
    placed: bool,
    ordered: bool,
) -> PauliSum:
    _, spacing, count = knobs.settled()
    grids = [jump.nodes(count, spacing) for jump in members]
    return coherent_sum(
        inside(generator).model,
        members,
        tolerance=knobs.coherent_tolerance,
        radius=knobs.coherent_radius,
        time=float(grids[0].times[middle(grids[0])]) if placed else 0.0,
        forward=grids if ordered else None,
    )


def performed(correction: PauliSum | None, strength: float) -> list[Step]:
    """Its step at one strength, if there is one."""
    step = None if correction is None else correction.step(strength)
    return [] if step is None else [step]


def middle(grid: Nodes) -> int:
    """The node after which a correction stands: at kernel time 0, or half a spacing before."""
    return (len(grid.times) - 1) // 2


def ledger(
    generator: Source,
    passes: Sequence[Sequence[SymbolicJump]],
    knobs: CoherentKnobs,
) -> tuple[ErrorTerm, ...]:
    """What the scheme declares, with the errors of a compiled B and of truncated jumps."""
    jumps = [jump for members in passes for jump in members]
    terms = declared(generator, jumps, knobs)
    if isinstance(knobs, RadiusKnobs):
        _, spacing, count = knobs.settled()
        terms += declared_truncation(inside(generator).model, jumps, count, spacing, knobs.radius)
    if knobs.coherent_term == "omit":
        return terms
    sums = [_sum(generator, members, knobs, placed=False, ordered=False) for members in passes]
    operator = merged(SparsePauliOp.sum([part.operator for part in sums]))
    term = declared_coherent(inside(generator), PauliSum(operator, sum(part.dropped for part in sums)))
    return tuple(term if found.rung is Rung.COHERENT else found for found in terms)


def refuse_radius(knobs: RadiusKnobs, *, forward: bool) -> None:
    """Refuse a radius where the evolution of a pass stays.

    Raises:
        ArgumentError: If there is one and the nodes run forward only.
    """
    if knobs.radius is not None and forward:
        raise ArgumentError(
            "radius", "be left out where jumps run forward only", f"it is {knobs.radius}",
            'set direction = "forward_and_back"',
        )  # fmt: skip
