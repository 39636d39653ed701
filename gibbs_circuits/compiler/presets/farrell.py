"""Farrell et al.: thermal states of frustrated magnets with one thermal environment qubit per site or per system."""

from __future__ import annotations

from dataclasses import replace

from ...errors import ArgumentError, check_real
from ...generators.filters.pulses import BoxPulse
from ...models.library.lattices import kagome_ising
from ...models.model import Model
from ...models.signatures import public
from ...programs.product_formulas import Group
from ...programs.program import Program, Stage
from ...programs.steps import Step
from ..schemes.thermal_ancilla import ThermalAncillaKnobs, thermal_ancilla
from .settings import settings
from .thermal_bath import realised, thermal_bath

DIAGONAL = set("IZ")


@public
def farrell(
    model: Model | None = None,
    *,
    periodic: bool = False,
    beta: float = 100.0,
    alpha: float = 1.75,
    duration: float = 0.75,
    step: float = 0.25,
    omega_max: float = 8.0,
    frequencies: int = 64,
    couplings: str = "XYZ",
    sweeps: int = 100,
) -> Program:
    r"""One reset cycle of Farrell et al. per sweep, with a single environment qubit.

    The paper: $H_E = -\tfrac12\omega Z$ with ω uniform in (0, ω_max], the environment in its Gibbs state (flipped with
    probability 1/(1+e^{βω})), evolution for T under $H + H_E + \alpha f(t)\,O\otimes X$ with O one of X, Y, Z on a
    random site and constant f, Σ δt f² = 1, in T/δt symmetric Trotter steps, coupling | H_E | H | H_E | coupling, each
    of them X fields | ZZ and Z | X fields; then the environment is measured and reset. Published for the kagome
    antiferromagnet with g_x = 0.5, g_z = 2: α = 1.75, T = 0.75, δt = 0.25, ω_max = max(4g_x, 4g_z, 4) = 8; 57
    two-qubit rotations a cycle on 12 open sites (3 · 17 bonds + 6 couplings), 78 periodic.

    Ours: ω in `frequencies` bins, its midpoint for the phase and the bin's exact mean for the flip, so that the flip
    probability is not discretised; the phase over T is wrong by at most ω_max T / (2 · bins), 0.05 at 64 bins. The
    couplings at the end of one Trotter step and at the start of the next are kept apart as published, although they
    would merge. One environment qubit; the device runs used up to 60. The generator is the plain thermal ancilla
    that the cycle realises at weak coupling, in no detailed balance; δ = α²/(3n).

    Args:
        model: Default: the open 12-site kagome lattice.
        periodic: Of the default lattice.
        beta: Of the environment.
        alpha: α.
        duration: T, a whole number of steps.
        step: δt.
        omega_max: ω_max; for another model choose the largest single-site energy, as above.
        frequencies: Number of bins.
        couplings: Letters O is drawn from.
        sweeps: Cycles. The authors' example has 20; from the maximally mixed state the energy of the default settles
            after about 70, at E/N = −1.063(8) (100 trajectories).

    Raises:
        ArgumentError: If T is no multiple of δt, or a number is out of range.

    References:
        Farrell et al., arXiv:2605.26245, with the authors' public statevector code for the order of the layers.
    """
    chosen = kagome_ising(2, 2, 0.5, 2.0, periodic) if model is None else model
    duration, step = (check_real(n, v, low=0.0, above=True) for n, v in (("duration", duration), ("step", step)))
    alpha = check_real("alpha", alpha, low=0.0, above=True)
    count = round(duration / step)
    if count < 1 or abs(count * step - duration) > 1e-9 * duration:
        raise ArgumentError(
            "duration", "be a whole number of steps", f"{duration:g} / {step:g} = {duration / step:g}",
            f"set duration = {max(1, count) * step:g}",
        )  # fmt: skip
    kernel = thermal_bath(beta, omega_max, frequencies, lambda centre: BoxPulse(beta, duration, centre))
    generator = realised(chosen, couplings, kernel, "farrell")
    knobs = settings(
        ThermalAncillaKnobs,
        sweeps=sweeps,
        strength=alpha**2 / len(generator.contacts),
        spacing=step,
        nodes=count + 1,
        random_delays=(0, 0),
        shift=False,
    )
    written = thermal_ancilla(generator, knobs)
    return replace(
        written,
        stages=tuple(Stage(tuple(s.mapped_steps(_halved) for s in one.steps), one.repeats) for one in written.stages),
        groups=_field_and_diagonal(written.groups),
        recipe="farrell",
        provenance=f"published: alpha = {alpha:g}, T = {duration:g}, dt = {step:g}, omega in (0, {omega_max:g}]; "
        f"ours: {frequencies} bins of omega",
    )


def _halved(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Every coupling between two Trotter steps as the two halves that belong to them."""
    places = [k for k, step in enumerate(steps) if step.couples]
    inner = places[1:-1]
    return tuple(half for k, step in enumerate(steps) for half in (step.halves() if k in inner else (step,)))


def _field_and_diagonal(groups: tuple[Group, ...]) -> tuple[Group, ...]:
    """X and Y fields, then everything diagonal; as it is for a model with other many-body terms."""
    terms = [term for group in groups for term in group.terms]
    diagonal = tuple(term for term in terms if not set(term[0]) - DIAGONAL)
    fields = tuple(term for term in terms if set(term[0]) - DIAGONAL)
    if not all(len(label) - label.count("I") == 1 for label, _ in fields):
        return groups
    return tuple(Group(part) for part in (fields, diagonal) if part)
