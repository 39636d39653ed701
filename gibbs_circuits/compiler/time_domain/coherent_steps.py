"""The coherent term in a scheme of nodes: its knobs, what each pass is given, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self

from pydantic import Field
from qiskit.quantum_info import SparsePauliOp

from ...errors import ArgumentError
from ...generators.lindbladian import Generator
from ...models.model import Model
from ...models.scale import merged
from ...programs.program import ErrorTerm, Rung
from ...programs.steps import Step
from ..base import Order, Scan
from .coherent_term import PauliSum, check_balance, coherent_sum, declared_coherent
from .knobs import TimeKnobs, declared
from .quadrature import Nodes
from .symbolic_jumps import SymbolicJump
from .truncation import declared_truncation

CoherentChoice = Literal["omit", "compile", "compile_ordered"]
Direction = Literal["forward_and_back", "forward"]


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

    @property
    def forward_only(self) -> bool:
        """Whether nodes run forward only, so that their order adds a shift to B."""
        return True

    def check_used(self) -> None:
        """Refuse what is said of a compiled B where none is compiled."""
        for key in ("coherent_radius", "coherent_tolerance"):
            changed = key in self.model_fields_set and getattr(self, key) != type(self).model_fields[key].default
            if changed and not self.compiles_coherent:
                raise ArgumentError(
                    key, "be left out where B is not compiled", "it is unused here", 'set coherent_term = "compile"'
                )

    @property
    def compiles_coherent(self) -> bool:
        """Whether B is not left out."""
        return self.coherent_term != "omit"

    def coherent_treatments(self) -> dict[str, Self]:
        """Left out, at several tolerances, within a radius, and less the shift that the order of the nodes adds."""
        choices: dict[str, dict[str, Any]] = {
            "B omitted": {"coherent_term": "omit"},
            "B": {"coherent_term": "compile", "coherent_tolerance": 0.0},
            "B, terms above 5 %": {"coherent_term": "compile", "coherent_tolerance": 0.05},
            "B, terms above 20 %": {"coherent_term": "compile", "coherent_tolerance": 0.2},
            "B within radius 1": {"coherent_term": "compile", "coherent_radius": 1, "coherent_tolerance": 0.05},
        }
        if self.forward_only:
            choices["B less the shift of the order"] = {"coherent_term": "compile_ordered", "coherent_tolerance": 0.05}
        plain = self.model_copy(update={"coherent_radius": None})
        return {what: plain.model_copy(update=change) for what, change in choices.items()}

    def declared_truncation(self, model: Model, jumps: Sequence[SymbolicJump]) -> tuple[ErrorTerm, ...]:
        """The ledger line of jumps that see a part of H only; none where all see all of it."""
        return ()


class JumpKnobs(CoherentKnobs):
    """Settings of a scheme whose jumps are performed each on its own, forward and back or forward only."""

    radius: int | None = Field(
        default=None,
        ge=0,
        le=1000,
        examples=[2],
        description="Truncated jumps: every jump evolves only the terms of H within this radius of its coupling,"
        " counted in terms; left out: all of H. Costs half a window of evolution more on either side.",
    )
    direction: Direction = Field(
        default="forward_and_back",
        description="forward_and_back: every jump a palindrome, back in time; forward: repeated interaction, half"
        " the evolution, with a bias of time ordering that vanishes with the strength.",
    )

    @property
    def forward_only(self) -> bool:
        """Whether `direction` is "forward"."""
        return self.direction == "forward"

    def orders(self, order: int | None) -> tuple[Order, ...]:
        """With those of the palindrome, and of the same nodes without it."""
        found = super().orders(order)
        return found if self.forward_only else (*found, Order(Scan.PALINDROMIC_NODES, 1), Order(Scan.LIE_ORDERED_NODES))

    def refuse_radius(self) -> None:
        """Refuse a radius where the evolution of a pass stays.

        Raises:
            ArgumentError: If there is one and the nodes run forward only.
        """
        if self.radius is not None and self.forward_only:
            raise ArgumentError(
                "radius", "be left out where jumps run forward only", f"it is {self.radius}",
                'set direction = "forward_and_back"',
            )  # fmt: skip

    def declared_truncation(self, model: Model, jumps: Sequence[SymbolicJump]) -> tuple[ErrorTerm, ...]:
        """The worst jump at this radius."""
        _, spacing, count = self.settled()
        return declared_truncation(model, jumps, count, spacing, self.radius)


def corrections(
    generator: Generator,
    passes: Sequence[Sequence[SymbolicJump]],
    knobs: CoherentKnobs,
    *,
    inside_pass: bool = True,
) -> list[PauliSum | None]:
    """What every pass performs per unit of strength; None where there is nothing.

    A forward-only pass is in a frame of its own and takes the sum of its own jumps. Palindromes share one frame, and
    may be given as one pass, which saves gates.

    Args:
        generator: With B.
        passes: Jumps whose B is performed together.
        knobs: All set.
        inside_pass: Whether it stands after the middle node of the first jump, or where kernel time is 0.

    Raises:
        ArgumentError: If B does not exist, or `compile_ordered` is asked of palindromes.
        TooLargeError: If a patch has more than 8 sites, or the sum too many terms.
    """
    if not knobs.compiles_coherent:
        return [None] * len(passes)
    check_balance(generator.lindbladian)
    ordered = knobs.coherent_term == "compile_ordered"
    if ordered and not knobs.forward_only:
        raise ArgumentError(
            "coherent_term", "be omit or compile where jumps run forward and back",
            "compile_ordered takes out a shift that palindromes do not have", 'set coherent_term = "compile"',
        )  # fmt: skip
    return [_sum(generator, members, knobs, placed=inside_pass, ordered=ordered) for members in passes]


def _sum(
    generator: Generator,
    members: Sequence[SymbolicJump],
    knobs: CoherentKnobs,
    *,
    placed: bool,
    ordered: bool,
) -> PauliSum:
    _, spacing, count = knobs.settled()
    grids = [jump.nodes(count, spacing) for jump in members]
    return coherent_sum(
        generator.model,
        members,
        tolerance=knobs.coherent_tolerance,
        radius=knobs.coherent_radius,
        time=float(grids[0].times[middle(grids[0])]) if placed else 0.0,
        forward=grids if ordered else None,
    )


def coherent_steps(correction: PauliSum | None, strength: float) -> list[Step]:
    """Its step at one strength, if there is one."""
    step = None if correction is None else correction.step(strength)
    return [] if step is None else [step]


def middle(grid: Nodes) -> int:
    """The node after which a correction stands: at kernel time 0, or half a spacing before."""
    return (len(grid.times) - 1) // 2


def ledger(
    generator: Generator,
    passes: Sequence[Sequence[SymbolicJump]],
    knobs: CoherentKnobs,
) -> tuple[ErrorTerm, ...]:
    """What the scheme declares, with the errors of a compiled B and of truncated jumps."""
    jumps = [jump for members in passes for jump in members]
    terms = declared(generator, jumps, knobs) + knobs.declared_truncation(generator.model, jumps)
    if not knobs.compiles_coherent:
        return terms
    sums = [_sum(generator, members, knobs, placed=False, ordered=False) for members in passes]
    operator = merged(SparsePauliOp.sum([part.operator for part in sums]))
    term = declared_coherent(generator.lindbladian, PauliSum(operator, sum(part.dropped for part in sums)))
    return tuple(term if found.rung is Rung.COHERENT else found for found in terms)
