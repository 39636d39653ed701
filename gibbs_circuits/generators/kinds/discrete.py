"""The exact channel at finite step."""

from __future__ import annotations

from typing import Any

from ...errors import check_real
from ...models.model import Model
from ...models.signatures import public
from ..couplings import Couplings
from ..discrete import DiscreteChannel
from .registry import generator_inside


@public
def discrete(
    model: Model, beta: float, couplings: Couplings = "Y", inside: str = "dll", step: float = 0.5, **keys: Any
) -> DiscreteChannel:
    """The exact channel at finite step of Gilyén, Chen, Doriguello & Kastoryano, of the transitions of any exact kind.

    `step` in (0, 0.99] is s ‖T†(1)‖; `keys` are those of `inside`.

    References:
        Gilyén, Chen, Doriguello & Kastoryano, arXiv:2405.20322.
    """
    made = generator_inside(inside, model, beta, couplings=couplings, **keys)
    return DiscreteChannel(made, check_real("step", step, low=0.0, above=True))
