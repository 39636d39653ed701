"""Lloyd & Abanin: cycles with a reset bath qubit whose coupling is modulated by a Gaussian."""

from __future__ import annotations

from dataclasses import replace
from math import exp, pi, sqrt
from typing import Literal

from ...errors import check_real
from ...generators.contact import Coherent, Contact
from ...generators.couplings import couplings_of
from ...generators.filters.gaussian import GaussianFilter
from ...generators.kernels.base import RankOne
from ...generators.lindbladian import Lindbladian
from ...models.library.spin_chains import tfim
from ...models.model import Model
from ...models.signatures import public
from ...programs.program import Program
from ..schemes.thermal_ancilla import ThermalAncillaKnobs, thermal_ancilla
from .settings import settings


@public
def lloyd_abanin(
    model: Model | None = None,
    *,
    beta: float = 1.0,
    splitting: float = 4.0,
    theta: float = 0.6,
    step: float = 0.02 * pi,
    tails: float = 5.0,
    couplings: str = "XYZ",
    trotter_order: Literal[1, 2, 4] = 1,
    sweeps: int = 200,
) -> Program:
    r"""One cooling cycle with one bath qubit per sweep.

    The paper: a bath qubit of splitting h, reset to |0⟩ every cycle, coupled by θ f(t) O ⊗ X with
    $f \propto e^{-2ht^2/\beta}$, ∫f = 1, on a random site with a random O in {X, Y, Z}. Its transitions are in KMS
    balance, $q = e^{-\beta\nu^2/8h}$, and the fixed point is off by O(θ²). Published numbers are those of the authors'
    public code: h = 4, θ = 0.6, Trotter angle δ = 0.02π, first order, f out to 5 standard deviations: 39 layers at
    β = 1, 702 two-qubit gates on 3 × 4 + 1 qubits.

    Ours: the default model, the critical chain; ∫f = 1 for the continuous f where the code normalises the sum, which
    differ by the tails; the layers H | coupling in this order, so that a cycle ends with the H layer of the next.
    In terms of δ of the generator of this filter, per coupling: $\theta^2 e^{-\beta h/4}$, divided by 3n.

    Args:
        model: Default: `tfim(4)`, J = h = 1.
        beta: β > 0.
        splitting: h.
        theta: θ, the sum of all angles of a cycle.
        step: δ.
        tails: Standard deviations of f kept on either side.
        couplings: Letters O is drawn from.
        trotter_order: 1 as published, or 2, 4.
        sweeps: Cycles.

    Raises:
        ArgumentError: If a number is out of range.

    References:
        Lloyd & Abanin, PRX 16, 031053 (arXiv:2506.21318).
    """
    chosen = tfim(4) if model is None else model
    beta, splitting, theta, step, tails = (
        check_real(name, value, low=0.0, above=True)
        for name, value in (
            ("beta", beta), ("splitting", splitting), ("theta", theta), ("step", step), ("tails", tails),
        )
    )  # fmt: skip
    kernel = RankOne(GaussianFilter(beta, splitting))
    operators = couplings_of(couplings, chosen.num_qubits)
    generator = Lindbladian(chosen, tuple(Contact(A, kernel) for A in operators), Coherent.NONE, "dll")
    side = int(tails / (step * sqrt(4 * splitting / beta)) + 1e-9)
    knobs = settings(
        ThermalAncillaKnobs,
        sweeps=sweeps,
        strength=theta**2 * exp(-beta * splitting / 4) / len(operators),
        spacing=step,
        nodes=2 * max(side, int(tails)) + 1,
        trotter_order=trotter_order,
        random_delays=(1, 1),
    )
    return replace(
        thermal_ancilla(generator, knobs),
        recipe="lloyd_abanin",
        provenance=f"published: h = {splitting:g}, theta = {theta:g}, Trotter angle {step:.4g}, tails {tails:g}",
    )
