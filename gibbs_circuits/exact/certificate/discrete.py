"""The certificate of a discrete exact channel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...generators.contact import Coherent
from ...generators.discrete import DiscreteChannel, channel_superoperator, remainder
from ...generators.discrete import scale as scale_of
from ...generators.matrices import energy_spectrum, transition_superoperator
from ...limits import MAX_CERTIFIED_QUBITS
from ...linalg.arrays import Array, Real, unvec, vec
from ...linalg.channels import largest_singular_value
from ...models.spectrum import trace_distance
from ..dynamics.steady import projector
from ..spectral_gap.gap import ROUNDING, Gap
from ..structure.detailed_balance import reference_state
from ..structure.rates import rates
from .certificate import NONE, Certificate, certificate, log_lowest_population


@certificate.register
def channel_certificate(channel: DiscreteChannel, max_qubits: int = MAX_CERTIFIED_QUBITS) -> Certificate:
    """As for a Lindbladian, with Φ − 1 in place of 𝓛: the gap is 1 − |λ₂| per step, the bound a number of steps.

    Raises:
        TooLargeError: Above 5 qubits.
    """
    inside = certificate(replace(channel.inside, coherent=Coherent.BALANCE), max_qubits)
    if rates(channel.inside).zero:
        return replace(inside, residual_without_coherent=None, coherent_defect=None, kms_defect=None, gns_defect=None)
    Phi, sigma = channel_superoperator(channel), reference_state(channel.inside)
    norm = float(np.linalg.norm(sigma))
    found = float(np.linalg.norm(Phi @ vec(sigma) - vec(sigma))) / (largest_singular_value(Phi) * norm)
    values = np.sort(np.abs(similar_eigenvalues(channel)))[::-1]
    plain = inside.steady_states
    known = None if plain is None or plain >= values.size else Gap(float(1 - values[plain]), ROUNDING * len(sigma))
    gap = known.known if known is not None else None
    bound = None
    if gap and plain == 1:
        bound = (np.log(10) - log_lowest_population(channel.inside) / 2) / gap
    bias: float | None = 0.0
    error = 0.0  # exact by construction where σ is the only fixed point; of several, from the mixed start
    if plain is None:
        bias, error = None, np.inf
    elif plain > 1:
        P, error = projector(Phi - np.eye(len(Phi)), plain)
        found_bias = trace_distance(unvec(P @ vec(np.eye(len(sigma)) / len(sigma))), sigma)
        bias = 0.0 if found_bias <= NONE else found_bias
    unbalanced = remainder_defect(channel)
    errors = {"bias": error} if np.isfinite(error) else {}
    if known is not None and gap is not None:
        errors["spectral_gap"] = known.resolution
    return replace(
        inside, residual=found, residual_without_coherent=None, bias=bias, bias_with_hamiltonian=None,
        coherent_defect=unbalanced, kms_defect=max(inside.kernel_defect or 0.0, unbalanced), gns_defect=None,
        spectral_gap=gap, gap_resolution=None if known is None else known.resolution, mixing_bound=bound,
        largest_rate=1.0, error_estimate=errors, gap_unknown=None if known is not None else inside.gap_unknown,
    )  # fmt: skip


def similar_eigenvalues(channel: DiscreteChannel) -> Real:
    """The eigenvalues of Φ, real, from the Hermitian σ^{−1/4} Φ(σ^{1/4} · σ^{1/4}) σ^{−1/4}: β costs no digits."""
    k = balanced_remainder(channel)
    M = scale_of(channel) * transition_superoperator(channel.inside, balanced=True) + np.kron(k.conj(), k)
    return np.asarray(np.linalg.eigvalsh((M + M.conj().T) / 2))


def balanced_remainder(channel: DiscreteChannel) -> Array:
    """The remainder of the balanced form, k = σ^{−1/4}Kσ^{1/4}, in the energy basis; Hermitian in detailed balance."""
    s = energy_spectrum(channel.inside)
    return np.asarray(remainder(channel) * np.exp(np.clip(channel.beta * s.bohr_frequencies / 4, -350, 350)))


def remainder_defect(channel: DiscreteChannel) -> float:
    """Relative violation of Kσ^{1/2} = σ^{1/2}K†, as ‖k − k†‖ / ‖k‖ of k = σ^{−1/4}Kσ^{1/4}."""
    k = balanced_remainder(channel)
    return float(np.linalg.norm(k - k.conj().T) / np.linalg.norm(k))
