"""The steady state between baths of different temperatures: no Gibbs state, but heat that flows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..generators import Lindbladian
from ..spectrum import gibbs_state, trace_distance
from .dynamics import heat_currents
from .steady import steady_state


@dataclass(frozen=True)
class BathSide:
    """One bath: its β, the heat current into the system, the distance of the steady state to its Gibbs state."""

    beta: float
    heat_current: float
    trace_distance: float


@dataclass(frozen=True)
class Steady:
    """Energy, entropy −Tr ρ ln ρ, and one entry per temperature, ascending in β."""

    energy: float
    entropy: float
    baths: tuple[BathSide, ...]


def between_baths(lindbladian: Lindbladian) -> Steady:
    r"""Steady state of −i[H, ·] + 𝓛 and the heat currents $J_c = \mathrm{Tr}[H\,\mathcal L_c(\rho)]$ of its baths.

    The currents add up to zero, and heat flows from the smaller β to the larger. Up to 8 qubits, see `steady_state`.
    """
    rho = steady_state(lindbladian, hamiltonian=True)
    H = lindbladian.model.hamiltonian.to_matrix()
    currents = heat_currents(lindbladian, rho)
    values = np.linalg.eigvalsh(rho)
    values = values[values > 1e-300]
    baths = tuple(
        BathSide(beta, current, trace_distance(rho, gibbs_state(lindbladian.model, beta)))
        for beta, current in currents.items()
    )
    return Steady(float(np.real(np.trace(H @ rho))), float(-values @ np.log(values)), baths)
