"""Reduced states of regions from what knows the Gibbs state, with how far they may be off."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ...errors import TooLargeError
from ...models.model import Model
from ...models.regions import LocalStates, Region, strings_of
from .base import ExactAnswer
from .registry import first_reference, why_none


def local_states(answer: ExactAnswer, regions: Iterable[Region], source: str = "") -> LocalStates:
    r"""The reduced states of the Gibbs state on regions.

    The error is the largest $\frac12\sqrt{\sum_P δ_P^2} \ge \frac12\|ρ_R - σ_R\|_1$ over the regions, from the errors
    $δ_P$ of the Pauli expectations: Cauchy–Schwarz, $\|A\|_1 \le 2^{k/2}\|A\|_2$.

    Args:
        answer: Of a reference.
        regions: Sets of sites, each in rising order.
        source: What the states are said to come from.

    Raises:
        TooLargeError: If the reference does not know one of them.
    """
    chosen = [*dict.fromkeys(regions)]
    strings = [strings_of(region) for region in chosen]
    flat = [string for some in strings for string in some]
    values = answer.paulis(flat)
    if values is None:
        raise TooLargeError(
            "The reference does not know the reduced state of every region. Fix: ask for smaller connected regions."
        )
    errors = np.where([bool(string) for string in flat], answer.pauli_errors(flat), 0.0)
    places = np.cumsum([len(some) for some in strings])[:-1]
    off = [float(np.linalg.norm(part)) / 2 for part in np.split(errors, places)] if chosen else [0.0]
    return LocalStates(dict(zip(chosen, np.split(values, places), strict=True)), max(off), source)


def local_gibbs(model: Model, beta: float, regions: Iterable[Region]) -> LocalStates:
    """The same from the first reference that knows the model at this inverse temperature.

    Raises:
        TooLargeError: If none does, with what each has against it.
    """
    reference = first_reference(model, beta)
    if reference is None:
        raise TooLargeError(f"No reference knows the Gibbs state of `{model.name}`: {why_none(model, beta)}.")
    return local_states(reference.answer(model, beta), regions, reference.name)


def energy_per_site(answer: ExactAnswer, num_qubits: int) -> tuple[float, float]:
    """The energy per site and its error."""
    return answer.thermal.energy / num_qubits, answer.errors.get("energy", 0.0) / num_qubits
