"""What a program may claim at a target error: the one place where `any_start` is decided."""

from __future__ import annotations

from dataclasses import dataclass

from ...evidence import Status, number
from ...programs.program import Guarantee

GLOBAL = "global"  # trace distance of the whole system
LOCAL = "local"  # the largest one of reduced states over the regions that were read


@dataclass(frozen=True)
class Promise:
    """What a program may claim, and what that rests on.

    Attributes:
        guarantee: None where nothing was checked.
        status: How it is known.
        worst: The largest trace distance to σ after all sweeps that a search over starts found; a lower bound on the
            largest there is. None where there was no search.
        bound: An upper bound that is proved for every start; None where there is none.
        measure: Of the distances.
        region: Sites of the regions of a local measure; None of the global one.
    """

    guarantee: Guarantee | None
    status: Status
    worst: float | None = None
    bound: float | None = None
    measure: str = GLOBAL
    region: int | None = None

    @property
    def text(self) -> str:
        """In a few words, with how it is known."""
        if self.guarantee is None:
            return "not checked"
        about = " on every region read" if self.measure == LOCAL else ""
        about += "" if self.region is None else f", of {self.region} site{'s' if self.region > 1 else ''}"
        if self.guarantee is not Guarantee.ANY_START:
            return f"{self.guarantee.value}{about}"
        if self.status is Status.PROVED:
            return f"{self.guarantee.value} (proved: every start ends within {number(self.bound)}{about})"
        return f"{self.guarantee.value} (measured: worst start found {number(self.worst)}{about})"


def promised(
    target_error: float,
    *,
    given: float | None,
    fixed_point: float | None,
    worst: float | None,
    bound: float | None,
    preparation: bool,
    measure: str = GLOBAL,
) -> Promise:
    """What distances to σ entitle a program to claim.

    `ANY_START` needs something about all starts: a search that found none beyond the target (measured), or a bound
    below it (proved); and a fixed point that is known and no farther than the target. A list of starts is neither.
    `GIVEN_START` says that the run's own start ends within the target, and nothing of others. A preparation is made for
    one start: it never claims more.

    Args:
        target_error: Trace distance.
        given: After all sweeps from the run's own start; None where it was not computed.
        fixed_point: Of the last stage's sweep; None where it is not known.
        worst: Found by a search over starts, as in `Promise`.
        bound: Proved for every start, as in `Promise`.
        preparation: Whether the program is one.
        measure: Of all these distances.
    """
    whole = not preparation and fixed_point is not None and fixed_point <= target_error
    if whole and bound is not None and bound <= target_error:
        return Promise(Guarantee.ANY_START, Status.PROVED, worst, bound, measure)
    if whole and worst is not None and worst <= target_error:
        return Promise(Guarantee.ANY_START, Status.MEASURED, worst, bound, measure)
    if given is None:
        return Promise(None, Status.NOT_CHECKED, worst, bound, measure)
    met = given <= target_error
    return Promise(Guarantee.GIVEN_START if met else Guarantee.NONE, Status.MEASURED, worst, bound, measure)
