"""Ding, Chen & Lin: one ancilla cools to the ground state by a filter that only lowers the energy."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, pi
from typing import Literal

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ...errors import ArgumentError, check_real
from ...generators.contact import Coherent, Contact
from ...generators.filters.pulses import ErfPulse
from ...generators.kernels.filter_sum import FilterSum
from ...generators.lindbladian import Lindbladian
from ...models.library.spin_chains import tfim
from ...models.model import Model
from ...models.scale import bandwidth
from ...models.signatures import public
from ...models.spectrum import spectrum
from ...programs.program import Program
from ..schemes.sequential import SequentialKnobs, sequential
from .settings import settings

DEGENERATE = 1e-9
COLD = 20.0  # β Δ of the reference: excited states weigh e^{−20}


@public
def ding_chen_lin(
    model: Model | None = None,
    *,
    couplings: tuple[SparsePauliOp, ...] | None = None,
    norm: float | None = None,
    gap: float | None = None,
    step: float = 1.0,
    beta: float | None = None,
    trotter_order: Literal[1, 2, 4] = 2,
    sweeps: int = 80,
) -> Program:
    r"""One step of the single-ancilla cooling Lindbladian per sweep: e^{−iHδ}, then the palindrome of the jump.

    The paper: $L = \int f(t)A(t)dt$ with $\hat f(\nu) = \tfrac12[\mathrm{erf}((\nu+a)/\delta_a) -
    \mathrm{erf}((\nu+b)/\delta_b)]$, which is nothing for ν >= 0, so that the ground state is dark; the first-order
    dilation with one ancilla, split over the nodes forward and back. Published numbers (transverse-field Ising chain,
    J = 1, g = 1.2, A = Z on the first site): a = 2.5‖H‖, δ_a = 0.5‖H‖, b = δ_b = Δ, |t| <= 5/δ_b in steps of π/2a,
    δ = 1, 80 steps.

    Ours: e^{−iHt} by a product formula with one step per node where the paper has the exact exponential (it counts
    evolution time); a spacing of δ over a whole number, at most π/2a, so that e^{−iHδ} is whole spacings; no halved
    end nodes, where f has fallen to e^{−6}. This recipe cools: there is no β in it. The reference is the Gibbs state
    at β = 20/Δ, the filter is in detailed balance with nothing, and no coherent term is compiled.

    Args:
        model: Default: `tfim(4, J=1, h=1.2)`.
        couplings: Default: Z on the first site. Several are performed one after the other.
        norm: ‖H‖; by default from the spectrum (up to 12 qubits).
        gap: Δ; likewise, the lowest distance of different levels from the ground state.
        step: δ.
        beta: Of the reference state; default 20/Δ.
        trotter_order: 1, 2 or 4.
        sweeps: Steps.

    Raises:
        ArgumentError: If a number is out of range or the spectrum is a single level.

    References:
        Ding, Chen & Lin, Phys. Rev. Research 6, 033147 (arXiv:2308.15676), with the authors' public code.
    """
    chosen = tfim(4, J=1.0, h=1.2) if model is None else model
    n = chosen.num_qubits
    operators = (SparsePauliOp.from_sparse_list([("Z", [0], 1.0)], n),) if couplings is None else couplings
    norm = check_real("norm", _norm(chosen) if norm is None else norm, low=0.0, above=True)
    gap = check_real("gap", _gap(chosen) if gap is None else gap, low=0.0, above=True)
    step = check_real("step", step, low=0.0, above=True)
    cold = check_real("beta", COLD / gap if beta is None else beta, low=0.0, above=True)
    pulse = ErfPulse(cold, 2.5 * norm, gap, 0.5 * norm, gap)
    per_step = ceil(step / (pi / (2 * pulse.a)))
    spacing = step / per_step
    contacts = tuple(Contact(A, FilterSum(cold, ((1.0, pulse),))) for A in operators)
    knobs = settings(
        SequentialKnobs,
        sweeps=sweeps,
        strength=step,
        spacing=spacing,
        nodes=2 * ceil(5 / pulse.delta_b / spacing) + 1,
        trotter_order=trotter_order,
        random_delays=(per_step, per_step),
    )
    return replace(
        sequential(Lindbladian(chosen, contacts, Coherent.NONE, "ding_chen_lin"), knobs),
        recipe="ding_chen_lin",
        provenance=f"published: a = 2.5 |H| = {pulse.a:.4g}, b = gap = {gap:.4g}, |t| <= 5/gap, step {step:g}; "
        f"ours: spacing {spacing:.4g}, reference beta = {cold:.4g}",
    )


def _norm(model: Model) -> float:
    return float(np.max(np.abs(spectrum(model).energies)))


def _gap(model: Model) -> float:
    energies = spectrum(model).energies
    above = energies[energies > energies[0] + DEGENERATE * bandwidth(model.hamiltonian)]
    if above.size == 0:
        raise ArgumentError("model", "have more than one level to be cooled", "it has one", "add a term to H")
    return float(above[0] - energies[0])
