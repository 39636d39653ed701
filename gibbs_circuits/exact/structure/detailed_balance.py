"""Detailed balance and positivity of a generator, measured on its kernels and on its coherent term."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from ...generators.contact import Coherent
from ...generators.kernels.base import Kernel
from ...generators.lindbladian import Lindbladian
from ...generators.matrices import (
    by_kernel,
    coherent_term,
    decay_entries,
    energy_spectrum,
    in_energy_basis,
    superoperator,
)
from ...limits import MAX_SUPEROPERATOR_QUBITS
from ...linalg.arrays import Array, Real, packed, vec
from ...linalg.channels import largest_singular_value
from ...models.scale import distinct
from ...models.spectrum import gibbs_state
from .matrix_free import Flow, generator_flow

MAX_FREQUENCIES = 513
SAMPLED_ROWS = 16
POWER_STEPS = 40


def certified_generator(lindbladian: Lindbladian) -> tuple[Lindbladian, bool]:
    """The generator a certificate is about, and whether −i[H, ·] belongs to it.

    The dissipative part plus B; for a biased generator with its physical Lamb shift the whole −i[H + H_LS, ·] + D.
    """
    shifted = lindbladian.coherent is Coherent.LAMB_SHIFT
    if shifted and lindbladian.resolving:
        return replace(lindbladian, coherent=Coherent.NONE), False  # a shift that commutes with H
    return lindbladian, shifted


def without_shift(lindbladian: Lindbladian) -> Lindbladian:
    """The same generator, its Lamb shift left out; B stays."""
    shifted = lindbladian.coherent is Coherent.LAMB_SHIFT
    return replace(lindbladian, coherent=Coherent.NONE) if shifted else lindbladian


def reference_state(lindbladian: Lindbladian) -> Array:
    """σ in the basis of the generator's matrices."""
    s = energy_spectrum(lindbladian)
    if lindbladian.local:
        return s.to_energy(gibbs_state(lindbladian.model, lindbladian.beta))
    return np.diag(s.populations(lindbladian.beta)).astype(complex)


def residual(lindbladian: Lindbladian, *, hamiltonian: bool = False) -> float:
    r"""$\|\mathcal L(\sigma)\|_F / (\|\mathcal L\|\,\|\sigma\|_F)$ with the largest singular value of $\mathcal L$.

    Dense up to 5 qubits; above, ‖𝓛‖ is the largest gain met in a power iteration, a lower bound: the residual is not
    flattered.
    """
    sigma = reference_state(lindbladian)
    if lindbladian.model.num_qubits <= MAX_SUPEROPERATOR_QUBITS:
        L = superoperator(lindbladian, hamiltonian=hamiltonian)
        scale, image = largest_singular_value(L), float(np.linalg.norm(L @ vec(sigma)))
    else:
        flow = generator_flow(lindbladian, hamiltonian=hamiltonian)
        scale, image = largest_gain(flow), float(np.linalg.norm(flow.apply(packed(sigma).ravel())))
    return image / (scale * float(np.linalg.norm(sigma))) if scale > 0 else 0.0


def largest_gain(flow: Flow) -> float:
    """The largest ‖𝓛X‖_F/‖X‖_F met in a power iteration from a random Hermitian matrix."""
    v, gain = np.random.default_rng(0).standard_normal(flow.dim**2), 0.0
    for _ in range(POWER_STEPS):
        v = v / np.linalg.norm(v)
        v = flow.apply(v)
        last, gain = gain, max(gain, float(np.linalg.norm(v)))
        if gain == 0 or abs(gain - last) < 1e-3 * gain:
            break
    return gain


def frequency_sample(nu: Real) -> Real:
    """The distinct Bohr frequencies, or a symmetric sample with both ends when there are more than 513."""
    values = distinct(nu)
    if values.size <= MAX_FREQUENCIES:
        return np.asarray(values)
    half = np.unique(np.abs(values))
    kept = half[np.unique(np.linspace(0, half.size - 1, MAX_FREQUENCIES // 2).astype(int))]
    return np.unique(np.concatenate([-kept, kept]))


def kernel_defects(lindbladian: Lindbladian) -> tuple[float, float, float]:
    """Of all kernels the worst KMS defect, GNS defect, and smallest over largest eigenvalue of α̃.

    KMS: max |α̃(ν1, ν2) − α̃(−ν2, −ν1)| / max |α̃|. GNS: the same with α̃(−ν2, −ν1) e^{−β(ν1−ν2)/2}, both sides divided
    by 1 + e^{−β(ν1−ν2)/2}. α̃ is congruent to α, so it has as many negative eigenvalues.
    """
    nu = frequency_sample(energy_spectrum(lindbladian).bohr_frequencies)
    kms, gns, lowest = 0.0, 0.0, 1.0
    for kernel, _ in by_kernel(lindbladian):
        alpha = _bounded(kernel, nu)
        scale = float(np.max(np.abs(alpha)))
        if scale == 0:
            continue
        mirrored = _mirrored(alpha)
        kms = max(kms, _asymmetry(alpha))
        x = np.clip(kernel.beta * (nu[:, None] - nu[None, :]) / 2, -700, 700)
        share = 1 / (1 + np.exp(-x))
        gns = max(gns, float(np.max(np.abs(alpha * share - mirrored * (1 - share)))) / scale)
        values = np.linalg.eigvalsh(alpha)
        lowest = min(lowest, float(values[0] / values[-1]) if values[-1] > 0 else -1.0)
    return kms, gns, lowest


@lru_cache(maxsize=32)
def kms_defect(lindbladian: Lindbladian) -> float | None:
    """The larger of the violations by the kernels and by B; None with several baths, sites alone, no positive kernel.

    A Lamb shift is no B: with it, B counts as left out.
    """
    if not lindbladian.balanceable:
        return None
    nu, worst = frequency_sample(energy_spectrum(lindbladian).bohr_frequencies), 0.0
    for kernel, _ in by_kernel(lindbladian):
        if not kernel.positive:
            return None
        worst = max(worst, _asymmetry(_bounded(kernel, nu)))
    return max(worst, coherent_defects(without_shift(lindbladian))[0])


def _mirrored(alpha: Array) -> Array:
    """α̃(−ν2, −ν1) on a sample symmetric about 0."""
    return alpha[::-1, ::-1].T


def _asymmetry(alpha: Array) -> float:
    """The relative violation of KMS balance; 0 of a kernel that vanishes."""
    scale = float(np.max(np.abs(alpha)))
    return float(np.max(np.abs(alpha - _mirrored(alpha)))) / scale if scale > 0 else 0.0


def _bounded(kernel: Kernel, nu: Real) -> Array:
    alpha = kernel.balanced(nu[:, None], nu[None, :])
    return alpha if np.any(alpha.imag) else np.asarray(alpha.real)


def coherent_defects(lindbladian: Lindbladian) -> tuple[float, float]:
    """‖B − (i/2) tanh(βν/4) R‖_F / ‖R‖_F and ‖B‖_F / ‖R‖_F; R entry by entry from the values of the kernel.

    On 16 rows above 5 qubits. The second is what GNS balance asks to vanish.
    """
    s = energy_spectrum(lindbladian)
    rows = np.arange(s.dim)
    if lindbladian.model.num_qubits > MAX_SUPEROPERATOR_QUBITS:
        rows = np.unique(np.linspace(0, s.dim - 1, SAMPLED_ROWS).astype(int))
    B = coherent_term(lindbladian)[rows]
    wanted, R = np.zeros(B.shape, dtype=complex), np.zeros(B.shape, dtype=complex)
    for kernel, contacts in by_kernel(lindbladian):
        couplings = [in_energy_basis(contact.coupling, s) for contact in contacts]
        part = decay_entries(kernel, couplings, s.bohr_frequencies, rows)
        R += part
        wanted += 0.5j * np.tanh(kernel.beta * s.bohr_frequencies[rows] / 4) * part
    scale = float(np.linalg.norm(R))
    if scale == 0:
        return 0.0, 0.0
    return float(np.linalg.norm(B - wanted)) / scale, float(np.linalg.norm(B)) / scale
