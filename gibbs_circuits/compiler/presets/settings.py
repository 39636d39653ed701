"""Knobs that a recipe derives from its parameters."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError

from ...errors import ArgumentError, shown
from ...io.schema import from_validation
from ..base import Knobs

K = TypeVar("K", bound=Knobs)
OWN = ("sweeps", "trotter_order")  # parameters of every recipe that are knobs as they stand


def settings(kind: type[K], **values: Any) -> K:
    """The knobs with these values.

    Raises:
        ArgumentError: If one leaves its range.
    """
    try:
        return kind(**values)
    except ValidationError as error:
        complaint = from_validation(error, kind, None)
        name = complaint.argument
        if name in OWN:
            raise complaint from None
        raise ArgumentError(
            name, complaint.rule, f"the parameters of this recipe make it {shown(values.get(name))}",
            "choose parameters nearer to its defaults",
        ) from None  # fmt: skip
