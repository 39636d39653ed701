"""When a gap makes a run hopeless: what mixes faster, with its gap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..filters import MetropolisFilter
from ..generators import Lindbladian, catalogue, couplings_of
from ..generators.catalogue import bandwidth
from ..generators.matrices import MAX_SUPEROPERATOR_QUBITS, decay_operator
from .certificate import certificate
from .commutant import steady_state_counts
from .gap import dense_decay_rates, iterative_gap

HOPELESS = 1e-3  # gap over the largest rate: a thousand sweeps of strength one per factor e
MAX_ADVISED_QUBITS = 7


@dataclass(frozen=True)
class Advice:
    """A generator that mixes faster.

    Attributes:
        gap, rate: Of the generator at hand, and its largest rate ‖R‖.
        name: What to write instead.
        faster_gap, faster_rate: Of that one. Compare gap/rate: rates can be scaled, ratios cannot.
    """

    gap: float
    rate: float
    name: str
    faster_gap: float
    faster_rate: float

    def __str__(self) -> str:
        return (
            f"the spectral gap is {self.gap:.1e}, {self.gap / self.rate:.1e} of the largest rate: a run would need "
            f"about {self.rate / max(self.gap, 1e-300):.0e} sweeps of strength one per factor e. "
            f"With {self.name} the gap is {self.faster_gap:.2e}, "
            f"{self.faster_gap / self.faster_rate:.1e} of the largest rate."
        )


@lru_cache(maxsize=32)
def faster(lindbladian: Lindbladian) -> Advice | None:
    """The best of a few other filters and couplings where the gap is below 1e-3 of the largest rate.

    None where the gap is not that small or not known, several baths or sites alone are meant, or nothing is faster;
    above 7 qubits nothing is tried.
    """
    cert = certificate(lindbladian)
    gap, rate = cert.spectral_gap, cert.largest_rate
    if gap is None and cert.gap_resolution is not None:
        gap = 10 * cert.gap_resolution  # an upper bound: hopeless all the more
    if gap is None or not rate or gap >= HOPELESS * rate or lindbladian.frame is not None:
        return None
    if cert.kms_defect is None:  # several temperatures, or not positive
        return None
    if lindbladian.model.num_qubits > MAX_ADVISED_QUBITS or lindbladian.beta == 0:
        return None
    best: Advice | None = None
    for name, candidate in _candidates(lindbladian):
        found = _gap(candidate)
        if found is None:
            continue
        value, scale = found
        if value / scale > 2 * gap / rate and (best is None or value / scale > best.faster_gap / best.faster_rate):
            best = Advice(gap, rate, name, value, scale)
    return best


def _candidates(lindbladian: Lindbladian) -> Iterator[tuple[str, Lindbladian]]:
    model, beta = lindbladian.model, lindbladian.beta
    mine = tuple(contact.coupling for contact in lindbladian.contacts)
    filter = MetropolisFilter(beta, 4 * bandwidth(model))
    every = couplings_of("XYZ", model.num_qubits)
    yield 'kind = "dll", filter = "metropolis" and these couplings', catalogue.dll(model, mine, filter, beta)
    yield 'kind = "dll", filter = "metropolis" and couplings = "XYZ"', catalogue.dll(model, every, filter, beta)


def _gap(lindbladian: Lindbladian) -> tuple[float, float] | None:
    plain, _ = steady_state_counts(lindbladian)
    if plain is None or plain >= 4**lindbladian.model.num_qubits:
        return None
    rate = float(np.linalg.norm(decay_operator(lindbladian), 2))
    if lindbladian.model.num_qubits <= MAX_SUPEROPERATOR_QUBITS:
        return float(dense_decay_rates(lindbladian, balanced=True)[plain]), rate
    found = iterative_gap(lindbladian, plain)
    return None if found is None else (found.value, rate)
