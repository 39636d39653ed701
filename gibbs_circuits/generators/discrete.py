"""The discrete exact channel: detailed balance at finite step, a channel instead of a Lindbladian."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..errors import ArgumentError, check_real, shown
from ..evidence import GILYEN
from ..io.rendering import NAME, Shown, brief, shortened
from ..linalg.arrays import Array, Matrix, Real, read_only
from ..models.model import Model
from .contact import Contact
from .lindbladian import Generator, Lindbladian
from .matrices import decay_operator, energy_spectrum, largest_rate, refuse_dense, transition_superoperator

MAX_ITERATIONS = 5000
LARGEST_STEP = 0.99
DEFAULT_STEP = 0.5


@dataclass(frozen=True, eq=False, repr=False)
class DiscreteChannel(Shown, Generator):
    r"""$\Phi(\rho) = s\,T(\rho) + K\rho K^\dagger$, exact at finite step.

    $K = (\sigma^{1/2}M\sigma^{1/2})^{1/2}\sigma^{-1/2}$ with $M = 1 - s\,T^\dagger(1)$: σ is an exact
    fixed point whatever the step, for the transition part T of any generator in KMS balance.

    Args:
        inside: Gives T; its own coherent part is not used.
        fraction: s ‖T†(1)‖ in (0, 0.99]; the step. At 1 a state would have no way to stay.

    Raises:
        ArgumentError: If `inside` is not in KMS balance as a formula (coherent = "balance"), or has several baths.

    Accuracy: K to 1e-14 relative, element by element, at any β: see `kraus_remainder`.

    References:
        Gilyén, Chen, Doriguello & Kastoryano, arXiv:2405.20322: the discrete-time construction.
    """

    inside: Lindbladian
    fraction: float = DEFAULT_STEP

    def __post_init__(self) -> None:
        inside: object = self.inside
        if not isinstance(inside, Lindbladian):
            raise ArgumentError(
                "inside",
                "be a Lindbladian",
                f"{shown(inside)} was found",
                "pass gc.dll(model, 1.0), or call gc.discrete",
            )
        if check_real("step", self.fraction, low=0.0, above=True) > LARGEST_STEP:
            raise ArgumentError(
                "step",
                f"be at most {LARGEST_STEP:g}",
                f"the value is {self.fraction:g}",
                f"set step = {LARGEST_STEP:g}",
            )
        balanced = all(contact.kernel.detailed_balance for contact in self.inside.contacts)
        if not (balanced and self.inside.balanceable):
            raise ArgumentError(
                "inside", "be an exact kind with one temperature, its transitions in detailed balance",
                f"it is {self.inside.kind} with coherent = {self.inside.coherent.value}",
                'set inside = "dll"',
            )  # fmt: skip

    kind = "discrete"
    references = ((GILYEN, "the discrete exact channel"),)

    @property
    def lindbladian(self) -> Lindbladian:
        return self.inside

    @property
    def model(self) -> Model:
        return self.inside.model

    @property
    def contacts(self) -> tuple[Contact, ...]:
        return self.inside.contacts

    @property
    def step(self) -> float:
        return self.fraction

    def channel(self, strength: float | None) -> Array:
        if strength is not None:
            raise ArgumentError(
                "strength", "be left out for a discrete channel, which has a step instead",
                f"the value is {strength:g}", "remove strength",
            )  # fmt: skip
        return self.superoperator()

    def _in_words(self) -> str:
        return (
            f"DiscreteChannel(of {self.inside.kind} on {shortened(self.model.name, NAME)}: {self.num_qubits} qubits, "
            f"β = {self.beta:g}, step {self.fraction:g})"
        )

    def superoperator(self) -> Array:
        r"""Φ as a matrix on column-stacked ρ in the computational basis, qubit 0 the last factor; see `Lindbladian`.

        Raises:
            TooLargeError: Above 5 qubits.
        """
        return energy_spectrum(self.inside).map_from_energy(channel_superoperator(self))

    def _rows(self) -> Iterator[tuple[str, ...]]:
        yield "what", "value"
        yield "of", self.inside.kind
        yield "model", repr(self.model)
        yield "β", f"{self.beta:g}"
        yield "couplings", ", ".join(shortened(brief(one.coupling), NAME) for one in self.inside.contacts[:8])
        yield "step", f"{self.fraction:g}"


def as_channel(generator: Generator, step: float | None = None) -> DiscreteChannel:
    """The discrete channel of a Lindbladian at a step, 0.5 if left out; a channel itself, which has its own.

    Raises:
        ArgumentError: If the channel's step is another one, or the Lindbladian is not in detailed balance.
    """
    if not isinstance(generator, DiscreteChannel):
        return DiscreteChannel(generator.lindbladian, DEFAULT_STEP if step is None else step)
    if step is not None and step != generator.fraction:
        raise ArgumentError(
            "step", "be the step of the discrete channel", f"{step:g} was found beside {generator.fraction:g}",
            f"set step = {generator.fraction:g}",
        )  # fmt: skip
    return generator


def scale(channel: DiscreteChannel) -> float:
    """The factor s, fraction / ‖T†(1)‖; 1 where T vanishes."""
    norm = largest_rate(channel.inside)
    return channel.fraction / norm if norm > 0 else 1.0


def kraus_remainder(R: Matrix, energies: Real, beta: float) -> Matrix:
    r"""K with K†K = 1 − R and Kσ^{1/2} Hermitian, in the energy basis; ‖R‖ <= 1.

    K = 1 + X solves X + X† = −R − X†X with $X_{ij} = Y_{ij}/(1 + e^{\beta\nu_{ij}/2})$ for the right-hand side Y, an
    iteration that is elementwise in the Boltzmann factors and so loses no digits where σ is tiny. It contracts by
    1 − √(1 − ‖R‖) where everything commutes.

    Raises:
        ArgumentError: If it does not settle to 1e-14, which can happen for steps close to 1 only.
    """
    nu = energies[:, None] - energies[None, :]
    half = 1 / (1 + np.exp(np.clip(beta * nu / 2, -700, 700)))
    X: Matrix = np.zeros_like(R)
    for _ in range(MAX_ITERATIONS):
        new = half * (-R - X.conj().T @ X)
        change = float(np.max(np.abs(new - X)))
        X = new
        if change <= 1e-16:
            break
    K = np.eye(len(R)) + X
    defect = float(np.linalg.norm(K.conj().T @ K - (np.eye(len(R)) - R)))
    if not defect <= 1e-13 * len(R):
        raise ArgumentError(
            "step", "be small enough for the remainder K to be found", f"‖K†K − M‖ = {defect:.1e}", "set step = 0.5"
        )
    return K


@lru_cache(maxsize=8)
def remainder(channel: DiscreteChannel) -> Matrix:
    """K of this channel in the energy basis."""
    energies = energy_spectrum(channel.inside).energies
    return read_only(kraus_remainder(scale(channel) * decay_operator(channel.inside), energies, channel.beta))


def channel_superoperator(channel: DiscreteChannel) -> Array:
    """Φ as a dim² × dim² matrix on column-stacked matrices in the energy basis.

    Raises:
        TooLargeError: Above 5 qubits.
    """
    refuse_dense("The discrete channel", channel.model.num_qubits)
    K = remainder(channel)
    return np.asarray(scale(channel) * transition_superoperator(channel.inside) + np.kron(K.conj(), K), dtype=complex)
