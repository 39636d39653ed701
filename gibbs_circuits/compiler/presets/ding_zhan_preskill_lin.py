"""Ding, Zhan, Preskill & Lin: repeated interaction with a thermal qubit of random frequency, smooth envelope."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Literal

from ...errors import check_beta, check_real
from ...generators.couplings import couplings_of
from ...generators.filters.gaussian import GaussianFilter
from ...generators.filters.pulses import GaussianPulse
from ...generators.frequency import local_frequency
from ...generators.kinds.dll import dll
from ...generators.lindbladian import Lindbladian
from ...models.library.spin_chains import mixed_field_ising
from ...models.model import Model
from ...models.signatures import public
from ...programs.program import Program
from ..schemes.thermal_ancilla import ThermalAncillaKnobs, thermal_ancilla
from .settings import settings
from .thermal_bath import realised, thermal_bath


@public
def ding_zhan_preskill_lin(
    model: Model | None = None,
    *,
    beta: float = 1.0,
    alpha: float = 0.2,
    envelope: float = 2.0,
    reach: float = 4.0,
    step: float = 0.25,
    omega_max: float | None = None,
    frequencies: int = 32,
    couplings: str = "XYZ",
    trotter_order: Literal[1, 2, 4] = 2,
    sweeps: int = 200,
) -> Program:
    r"""One forward evolution with a fresh thermal bath qubit per sweep, Gaussian envelope, no shift.

    The paper: $H + H_E + \alpha f(t)\,A\otimes B_E$ for |t| <= T, $H_E = -\tfrac12\omega Z$, the bath qubit in its
    Gibbs state, $f(t) = (2\pi s^2)^{-1/4}e^{-t^2/4s^2}$ (∫f² = 1), with A and ω drawn anew each time and the bath
    traced out; forward evolution only and a single reusable qubit. The fixed point tends to σ as s grows and then
    α → 0; at finite s the transitions are not in detailed balance (a coarse-grained kernel, biased by O(β²/s²)).

    Ours: every number. The paper scales T ~ s and lets α → 0 with the error; here s = 2, T = 4s, α = 0.2, ω uniform
    in (0, ω_max] in `frequencies` bins, as `thermal_bath` of this package has it, and A a Pauli letter on a random
    site. The evolution is a product formula with one step per node.

    Args:
        model: Default: the 3-site mixed-field Ising chain.
        beta: β.
        alpha: α.
        envelope: s.
        reach: T/s.
        step: τ.
        omega_max: Default: the largest frequency at which a coupling turns, max ‖[H, A]‖/‖A‖.
        frequencies: Number of bins of ω.
        couplings: Letters A is drawn from.
        trotter_order: 1, 2 or 4.
        sweeps: Interactions.

    Raises:
        ArgumentError: If a number is out of range.

    References:
        Ding, Zhan, Preskill & Lin, arXiv:2508.05703.
    """
    chosen, beta = mixed_field_ising(3) if model is None else model, check_beta(beta)
    alpha = check_real("alpha", alpha, low=0.0, above=True)
    envelope = check_real("envelope", envelope, low=0.0, above=True)
    reach = check_real("reach", reach, low=0.0, above=True)
    step = check_real("step", step, low=0.0, above=True)
    top = _fastest(chosen, couplings, beta) if omega_max is None else omega_max
    kernel = thermal_bath(beta, top, frequencies, lambda centre: GaussianPulse(beta, envelope, centre))
    generator = realised(chosen, couplings, kernel, "ding_zhan_preskill_lin")
    knobs = settings(
        ThermalAncillaKnobs,
        sweeps=sweeps,
        strength=alpha**2 / len(generator.contacts),
        spacing=step,
        nodes=2 * ceil(reach * envelope / step) + 1,
        trotter_order=trotter_order,
        random_delays=(0, 0),
        shift=False,
    )
    return replace(
        thermal_ancilla(generator, knobs),
        recipe="ding_zhan_preskill_lin",
        provenance=f"ours: alpha = {alpha:g}, s = {envelope:g}, T = {reach:g} s, omega in (0, {top:.4g}] in "
        f"{frequencies} bins",
    )


def _fastest(model: Model, couplings: str, beta: float) -> float:
    probe: Lindbladian = dll(model, beta, couplings_of(couplings, model.num_qubits), GaussianFilter(beta))
    return local_frequency(probe) or 1.0
