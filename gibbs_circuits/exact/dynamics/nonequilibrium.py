"""The steady state between baths of different temperatures: no Gibbs state, but heat that flows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...generators.lindbladian import Lindbladian
from ...generators.matrices import largest_rate
from ...io.rendering import Shown
from ...limits import MAX_DIGITS_QUBITS
from ...models.spectrum import gibbs_state, trace_distance
from ..spectral_gap.uniqueness import steady_state_counts
from .evolve import heat_currents
from .iteration import EPSILON, SAFETY
from .steady import stationary

ENOUGH = 1e-6  # relative error of a heat current up to which doubles are believed where digits can be had


@dataclass(frozen=True)
class BathSide:
    """One bath: its β, the heat current into the system and its error, the distance of the state to its Gibbs state."""

    beta: float
    heat_current: float
    trace_distance: float
    heat_current_error: float = 0.0


@dataclass(frozen=True, repr=False)
class Steady(Shown):
    """Energy, entropy −Tr ρ ln ρ, their errors, and one entry per bath in the order in which they were given.

    Attributes:
        entropy_error: By Fannes' inequality in Audenaert's form, from that of the state.
        how: What decided it: "doubles", "digits", "iteration" or "detailed balance".
        state_error: Estimate of the error of the state, in trace distance.
    """

    energy: float
    entropy: float
    baths: tuple[BathSide, ...]
    energy_error: float = 0.0
    state_error: float = 0.0
    entropy_error: float = 0.0
    how: str = "doubles"


def between_baths(lindbladian: Lindbladian) -> Steady:
    r"""Steady state of −i[H, ·] + 𝓛 and the heat currents $J_c = \mathrm{Tr}[H\,\mathcal L_c(\rho)]$ of its baths.

    The currents add up to zero, and heat flows from the smaller β to the larger. Up to 8 qubits, see `steady_state`.

    Raises:
        NotConvergedError: If the state is not decided; see `steady_state`.

    Accuracy: `energy_error`, `heat_current_error`: the error of the state times the norms of H and of the bath's rates.
    """
    found = stationary(lindbladian, hamiltonian=True)
    rho, H = found.state, lindbladian.model.hamiltonian.to_matrix()
    E = np.linalg.eigvalsh(H)
    width = float(E[-1] - E[0])
    currents = list(heat_currents(lindbladian, rho).values())
    families = lindbladian.families
    sizes = [
        largest_rate(replace(lindbladian, contacts=tuple(lindbladian.contacts[k] for k in family))) * width
        for family in families
    ]
    errors = [float(2 * size * (found.error + SAFETY * EPSILON)) for size in sizes]
    energy, energy_error, how = float(np.real(np.trace(H @ rho))), found.error * width, found.how
    doubtful = any(error > ENOUGH * abs(J) for error, J in zip(errors, currents, strict=True))
    if (doubtful or how == "digits") and lindbladian.model.num_qubits <= MAX_DIGITS_QUBITS:
        from ..many_digits.relaxation import relaxed  # loaded when used

        count = steady_state_counts(lindbladian)[1]
        more = None if count is None else relaxed(lindbladian, hamiltonian=True, stationary=count, families=families)
        if more is not None:
            rho, energy, energy_error, how = more.state, more.energy, more.energy_error, "digits"
            currents, errors = list(more.currents), list(more.current_errors)
    values = np.linalg.eigvalsh(rho)
    values = values[values > 0]
    betas = [lindbladian.contacts[family[0]].beta for family in families]
    baths = tuple(
        BathSide(beta, current, trace_distance(rho, gibbs_state(lindbladian.model, beta)), error)
        for beta, current, error in zip(betas, currents, errors, strict=True)
    )
    off = entropy_error(found.error, len(rho))
    return Steady(energy, float(-values @ np.log(values)), baths, energy_error, found.error, off, how)


def entropy_error(distance: float, dim: int) -> float:
    """|S(ρ) − S(σ)| ≤ T ln(d − 1) − T ln T − (1 − T) ln(1 − T) for states T apart.

    References:
        Audenaert, J. Phys. A 40, 8127 (2007).
    """
    T = min(distance, 1 - 1 / dim)
    if T <= 0:
        return 0.0
    return float(T * np.log(dim - 1) - T * np.log(T) - (1 - T) * np.log1p(-T))
