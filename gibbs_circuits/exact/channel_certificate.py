"""The certificate of a discrete exact channel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..generators import Coherent
from ..generators.channels import DiscreteChannel, channel_superoperator, remainder
from ..generators.matrices import energy_spectrum
from ..spectrum import trace_distance, vec
from .balance import largest_singular_value, reference_state
from .certificate import EXACT, Certificate, certificate, log_lowest_population
from .gap import ROUNDING, Gap
from .steady import stationary_state


def channel_certificate(channel: DiscreteChannel) -> Certificate:
    """As for a Lindbladian, with Φ − 1 in place of 𝓛: the gap is 1 − |λ₂| per step, the bound a number of steps.

    Raises:
        TooLargeError: Above 5 qubits.
    """
    Phi, sigma = channel_superoperator(channel), reference_state(channel.inside)
    inside = certificate(replace(channel.inside, coherent=Coherent.BALANCE))
    norm = float(np.linalg.norm(sigma))
    found = float(np.linalg.norm(Phi @ vec(sigma) - vec(sigma))) / (largest_singular_value(Phi) * norm)
    values = np.sort(np.abs(np.linalg.eigvals(Phi)))[::-1]
    plain = inside.steady_states
    known = None if plain is None or plain >= values.size else Gap(float(1 - values[plain]), ROUNDING * len(sigma))
    gap = known.value if known is not None and known.resolved else None
    bound = None
    if gap and plain == 1:
        bound = (np.log(10) - log_lowest_population(channel.inside) / 2) / gap
    bias = 0.0 if found <= EXACT else trace_distance(stationary_state(Phi - np.eye(len(Phi))), sigma)
    unbalanced = remainder_defect(channel)
    return replace(
        inside, residual=found, residual_without_coherent=None, bias=bias, coherent_defect=unbalanced,
        kms_defect=max(inside.kernel_defect or 0.0, unbalanced), gns_defect=None,
        spectral_gap=gap, gap_resolution=None if known is None else known.resolution, mixing_bound=bound,
        largest_rate=1.0,
    )  # fmt: skip


def remainder_defect(channel: DiscreteChannel) -> float:
    """Relative violation of Kσ^{1/2} = σ^{1/2}K†, as ‖k − k†‖ / ‖k‖ of k = σ^{−1/4}Kσ^{1/4}."""
    s, K = energy_spectrum(channel.inside), remainder(channel)
    k = K * np.exp(np.clip(channel.beta * s.bohr_frequencies / 4, -350, 350))
    return float(np.linalg.norm(k - k.conj().T) / np.linalg.norm(k))
