"""The steady state between baths of different temperatures: no Gibbs state, but heat that flows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..generators import Lindbladian
from ..generators.matrices import energy_spectrum, superoperator
from ..spectrum import gibbs_state, trace_distance, unvec, vec
from .steady import dense_steady_state


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

    The currents add up to zero, and heat flows from the smaller β to the larger.
    """
    s = energy_spectrum(lindbladian)
    inside = dense_steady_state(lindbladian, hamiltonian=True)
    rho = s.from_energy(inside)
    values = np.linalg.eigvalsh(rho)
    values = values[values > 1e-300]
    baths = []
    for beta in lindbladian.betas:
        mine = tuple(contact for contact in lindbladian.contacts if contact.beta == beta)
        flow = unvec(superoperator(replace(lindbladian, contacts=mine)) @ vec(inside))
        current = float(np.real(np.diag(flow)) @ s.energies)
        baths.append(BathSide(beta, current, trace_distance(rho, gibbs_state(lindbladian.model, beta))))
    energy = float(np.real(np.diag(inside)) @ s.energies)
    return Steady(energy, float(-values @ np.log(values)), tuple(baths))
