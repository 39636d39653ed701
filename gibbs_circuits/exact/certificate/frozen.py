"""Generators that do not move: refused before anything is compiled from them, with what would."""

from __future__ import annotations

from ...errors import ArgumentError
from ...generators.lindbladian import Generator, Lindbladian
from ...generators.matrices import energy_spectrum, largest_rate
from ...limits import MAX_FROZEN_QUBITS, MAX_SUPEROPERATOR_QUBITS
from ..spectral_gap.uniqueness import steady_state_counts
from ..structure.detailed_balance import certified_generator, kms_defect
from ..structure.rates import rates
from .advice import faster
from .certificate import gap_in_doubles

NEVER = 1e-9  # gap over the largest rate: a sampler would need a billion sweeps of strength one per factor e


def refuse_frozen(generator: Generator) -> None:
    """Refuse a generator whose rates underflow, or whose gap is not told from zero or hopelessly small (n <= 5).

    Raises:
        ArgumentError: With the rates or the gap found, and what moves instead.

    Cost: 10 ms at n = 4, a second at n = 8; above 10 qubits nothing is looked at.
    """
    lindbladian = generator.lindbladian
    if lindbladian.model.num_qubits > MAX_FROZEN_QUBITS or len(lindbladian.betas) > 1:
        return
    moving = rates(lindbladian)
    if moving.dead:
        raise ArgumentError(
            culprit(lindbladian), "give rates that move a state, the fastest above 1e-290",
            f"the rates at the Bohr frequencies of `{lindbladian.model.name}` are {moving}",
            remedy(lindbladian),
        )  # fmt: skip
    if lindbladian.model.num_qubits > MAX_SUPEROPERATOR_QUBITS:
        return
    subject, with_hamiltonian = certified_generator(lindbladian)
    count = steady_state_counts(subject)[int(with_hamiltonian)]
    if (
        count is None
        or count >= 4**lindbladian.model.num_qubits
        or not any(c.kernel.positive for c in subject.contacts)
    ):
        return
    kms, rate = kms_defect(subject), largest_rate(subject)
    gap = gap_in_doubles(subject, count, kms, with_hamiltonian)
    if gap.value is None or (gap.resolved and gap.value > NEVER * rate):
        return
    found = f"it is {gap.value:.1e}" if gap.resolved else f"it is not told from zero (below {10 * gap.resolution:.1e})"
    raise ArgumentError(
        culprit(lindbladian), f"give a spectral gap above {NEVER:g} of its largest rate, {rate:.3g}",
        f"{found}: {moving}", remedy(lindbladian),
    )  # fmt: skip


def culprit(lindbladian: Lindbladian) -> str:
    """The key that is to blame."""
    return "bath" if lindbladian.baths else "kind"


def remedy(lindbladian: Lindbladian) -> str:
    """What to change so that it moves, checked where `faster` can."""
    advice = faster(lindbladian) if lindbladian.model.num_qubits <= MAX_SUPEROPERATOR_QUBITS else None
    metropolis = advice.name if advice is not None else 'kind = "dll" and filter = "metropolis"'
    E = energy_spectrum(lindbladian).energies
    width = float(E[-1] - E[0])
    for bath in lindbladian.baths:
        if bath.limit < 10 * width:
            return (
                f"raise the cutoff of the bath `{bath.name}` to the scale of H, cutoff = {width:.3g} (its spectrum is "
                f"negligible beyond {bath.limit:.3g}), or use {metropolis}"
            )
    return f"use {metropolis}, or a smaller β"
