"""When a gap makes a run hopeless: what mixes faster, with its gap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ...generators.couplings import couplings_of
from ...generators.filters.metropolis import MetropolisFilter
from ...generators.kinds.dll import dll
from ...generators.lindbladian import Lindbladian
from ...generators.matrices import largest_rate
from ...io.rendering import Brief
from ...limits import MAX_ADVISED_QUBITS
from ...models.model import bandwidth
from ...models.signatures import public
from ..spectral_gap.gap import RESOLVED
from .certificate import certificate, spectral_gap

HOPELESS = 1e-3  # gap over the largest rate: a thousand sweeps of strength one per factor e
WORTH = 3  # more couplings must mix this much faster than the filter alone


@dataclass(frozen=True, eq=False, repr=False)
class Advice(Brief):
    """A generator that mixes faster.

    Attributes:
        gap, rate: Of the generator at hand, and its largest rate ‖R‖.
        resolved: Whether the gap is the number; otherwise it is below it.
        name: What to write instead.
        generator: The same as an object.
        faster_gap, faster_rate: Of that one. Compare gap/rate: rates can be scaled, ratios cannot.
    """

    gap: float
    rate: float
    resolved: bool
    name: str
    generator: Lindbladian
    faster_gap: float
    faster_rate: float

    def __str__(self) -> str:
        below = "" if self.resolved else "below "
        if self.gap == 0:
            return (
                f"every rate underflows, nothing moves. With {self.name} the gap is {self.faster_gap:.2e}, "
                f"{self.faster_gap / self.faster_rate:.1e} of the largest rate."
            )
        return (
            f"the spectral gap is {below}{self.gap:.1e}, {self.gap / self.rate:.1e} of the largest rate: a run needs "
            f"about {self.rate / max(self.gap, 1e-300):.0e} sweeps of strength one per factor e. "
            f"With {self.name} the gap is {self.faster_gap:.2e}, "
            f"{self.faster_gap / self.faster_rate:.1e} of the largest rate."
        )


@public
@lru_cache(maxsize=32)
def faster(lindbladian: Lindbladian) -> Advice | None:
    """The smallest change of filter, then of couplings, that mixes well faster.

    Asked for where the gap is below 1e-3 of the largest rate. None where it is not that small or not known, several
    baths or sites alone are meant, or nothing is faster; above 7 qubits nothing is tried.
    """
    cert = certificate(lindbladian)
    gap, rate = cert.spectral_gap, cert.largest_rate
    resolved = gap is not None
    if gap is None and cert.gap_resolution is not None:
        gap = RESOLVED * cert.gap_resolution  # an upper bound: hopeless all the more
    if cert.rates is not None and cert.rates.dead:
        gap, rate = 0.0, 1.0
    if gap is None or not rate or gap >= HOPELESS * rate or lindbladian.local:
        return None
    if cert.kms_defect is None and not (cert.rates is not None and cert.rates.zero):  # several β, or not positive
        return None
    if lindbladian.model.num_qubits > MAX_ADVISED_QUBITS or lindbladian.beta == 0:
        return None
    best: Advice | None = None
    for name, candidate in _candidates(lindbladian):
        found = spectral_gap(candidate)
        value, scale = found.known, largest_rate(candidate)
        if value is None:
            continue
        worth = 2 * gap / rate if best is None else WORTH * best.faster_gap / best.faster_rate
        if value / scale > worth:
            best = Advice(gap, rate, resolved, name, candidate, value, scale)
    return best


def _candidates(lindbladian: Lindbladian) -> Iterator[tuple[str, Lindbladian]]:
    model, beta = lindbladian.model, lindbladian.beta
    mine = tuple(contact.coupling for contact in lindbladian.contacts)
    filter = MetropolisFilter(beta, 4 * bandwidth(model))
    every = couplings_of("XYZ", model.num_qubits)
    yield 'kind = "dll", filter = "metropolis" and these couplings', dll(model, beta, mine, filter)
    yield 'kind = "dll", filter = "metropolis" and couplings = "XYZ"', dll(model, beta, every, filter)
