"""The discrete exact channel as a circuit: σ is the fixed point at a finite step."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from ...generators.dense import dense_generator
from ...generators.discrete import DEFAULT_STEP, LARGEST_STEP, as_channel, remainder, scale
from ...generators.lindbladian import Generator
from ...generators.matrices import energy_spectrum
from ...linalg.arrays import Array
from ...linalg.channels import ancillas_for, transfer
from ...programs.program import Program
from ..base import Knobs, Scheme
from ..dense_blocks import most_operators, refuse, refuse_system
from .stinespring import exact_program


class DiscreteKnobs(Knobs):
    """Settings of the discrete scheme, which has a step and no strength."""

    chosen: ClassVar[tuple[str, ...]] = ("sweeps",)
    strength: ClassVar[None] = None  # type: ignore[misc]  # takes the field away

    step: float | None = Field(
        default=None,
        gt=0,
        le=LARGEST_STEP,
        allow_inf_nan=False,
        examples=[0.5],
        description=f"s ‖R‖: share of the largest rate that one sweep takes; left out: {DEFAULT_STEP:g}, or the"
        " step of a discrete channel.",
    )


def discrete(generator: Generator, knobs: DiscreteKnobs) -> Program:
    r"""One sweep is $\Phi(\rho) = s\,T(\rho) + K\rho K^\dagger$: one ancilla value per jump, and one for K.

    σ is the fixed point whatever the step, and there are no more Kraus operators than jumps and one: far fewer than
    $e^{\delta\mathcal L}$ has.

    Args:
        generator: A Lindbladian in detailed balance, whose transitions are taken, or a discrete channel.
        knobs: Sweeps and step; a discrete channel brings its own step.

    Raises:
        ArgumentError: If the generator is not in detailed balance, the channel's step is another one, or K is not
            found (steps close to 1).
        TooLargeError: Above 5 system qubits, 10 with the ancillas, or 30,000 two-qubit gates.

    Accuracy: the fixed point is σ to 1e-12 (measured, n <= 3).

    References:
        Gilyén, Chen, Doriguello & Kastoryano, arXiv:2405.20322: the discrete-time construction.
    """
    n = generator.model.num_qubits
    refuse_system(DISCRETE.name, n, 1 + most_operators(generator))
    channel = as_channel(generator, knobs.step)
    jumps = dense_generator(channel.inside).jumps
    refuse(DISCRETE.name, n, ancillas_for(1 + len(jumps)))
    K = energy_spectrum(channel.inside).from_energy(remainder(channel))
    kraus: Array = np.concatenate([K[None], np.sqrt(scale(channel)) * jumps])
    target = scale(channel) * transfer(jumps) + np.kron(K.conj(), K)
    return exact_program(channel, DISCRETE.name, knobs, target, kraus, {"step": channel.fraction})


DISCRETE = Scheme(
    "discrete", discrete, DiscreteKnobs,
    "the discrete exact channel, whose fixed point is exact at finite step, as one dense isometry",
    order=None, source="Gilyén, Chen, Doriguello & Kastoryano, arXiv:2405.20322", discrete=True,
)  # fmt: skip
