"""What is known about a generator before anything is compiled: the certificate."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np

from ..generators import Coherent, Lindbladian
from ..generators.catalogue import DEGENERACY_TOLERANCE, bandwidth
from ..generators.matrices import (
    MAX_SUPEROPERATOR_QUBITS,
    decay_operator,
    energy_spectrum,
    in_energy_basis,
    largest_rate,
)
from ..kernels import Secular
from ..spectrum import trace_distance
from ..status import Status
from .balance import (
    coherent_defects,
    judged,
    kernel_defects,
    kms_defect,
    reference_state,
    residual,
    secular,
    without_shift,
)
from .commutant import steady_state_counts
from .gap import ROUNDING, Gap, NotConvergedError, dense_decay_rates, iterative_gap
from .locality import jump_locality
from .secular import secular_spectrum
from .steady import dense_steady_state
from .symmetry import conserved

BALANCE_TOLERANCE = 1e-8
EXACT = 1e-12
GROWTH = 1e-9  # a non-normal spectrum is known to about this, relative to the largest rate
MIN_SYMMETRY_QUBITS = 8  # below, splitting costs more than it saves
MAX_CERTIFIED_QUBITS = 8  # a minute on two cores; `certificate(…, max_qubits=11)` goes on


@dataclass(frozen=True)
class Certificate:
    r"""Properties of $\mathcal L$ without −i[H + Lamb shift, ·]; None where they were not checked.

    A biased generator with its physical Lamb shift (redfield, ule, coarse_grained) is judged with −i[H + H_LS, ·]: its
    residual, bias, gap are of the whole. Without a coherent part it is judged without H, so the two are not comparable.

    Attributes:
        with_hamiltonian: Whether residual, bias and gap include −i[H + H_LS, ·].
        residual: ‖L(σ)‖_F / (‖L‖ ‖σ‖_F), ‖L‖ the largest singular value.
        residual_without_coherent: The same with B left out: the negative control.
        bias: Trace distance between σ and the steady state; 0 where the residual is at most 1e-12.
        kernel_defect: Relative violation of α̃(ν1, ν2) = α̃(−ν2, −ν1) over all pairs of Bohr frequencies.
        coherent_defect: ‖B − (i/2) tanh(βν/4) R‖_F / ‖R‖_F, R taken from the values of the kernel.
        kms_defect: The larger of the two.
        gns_defect: The same for GNS balance, which only secular kernels have.
        lowest_kernel_eigenvalue: Smallest over largest eigenvalue of α̃ on the Bohr frequencies; below −1e-10 the
            generator is not completely positive.
        steady_states: Dimension of the commutant of the A_ν of non-zero weight; a rank, without β.
        steady_states_with_hamiltonian: The same with H added to the set.
        conserved: Pauli strings and charges that commute with H and every coupling, by name.
        spectral_gap: min −Re λ over λ ≠ 0.
        gap_resolution: What the eigensolver cannot tell from zero; with the gap None, an upper bound of it.
        growth_rate: max Re λ where it is positive: a generator that is not positive can be unstable.
        symmetries: Weak symmetries that split the gap's problem into sectors.
        mixing_bound: gap⁻¹ ln(1/(ε √λ_min(σ))) at ε = 0.1 (proved for KMS generators), in units of time.
        lowest_population: λ_min(σ); None with several temperatures.
        jump_locality: For r = 0, 1, …: share of a jump's norm outside radius r, the worst coupling.
        largest_rate: ‖R‖, the scale that a gap is small or large against.
    """

    with_hamiltonian: bool = False
    residual: float | None = None
    residual_without_coherent: float | None = None
    bias: float | None = None
    kernel_defect: float | None = None
    coherent_defect: float | None = None
    kms_defect: float | None = None
    gns_defect: float | None = None
    lowest_kernel_eigenvalue: float | None = None
    steady_states: int | None = None
    steady_states_with_hamiltonian: int | None = None
    conserved: tuple[str, ...] = ()
    spectral_gap: float | None = None
    gap_resolution: float | None = None
    growth_rate: float | None = None
    symmetries: tuple[str, ...] = ()
    mixing_bound: float | None = None
    lowest_population: float | None = None
    jump_locality: tuple[float, ...] | None = None
    largest_rate: float | None = None

    def status(self, field: str) -> Status:
        """How one of the attributes is known."""
        value = getattr(self, field)
        if value is None:
            return Status.NOT_CHECKED
        proved = field in ("with_hamiltonian", "conserved")  # symbolic; the mixing bound rests on a measured gap
        return Status.PROVED if proved else Status.MEASURED

    @property
    def completely_positive(self) -> bool | None:
        """Whether no eigenvalue of a kernel is negative beyond rounding."""
        return None if self.lowest_kernel_eigenvalue is None else self.lowest_kernel_eigenvalue >= -1e-10

    def __str__(self) -> str:
        return "\n".join(
            f"{field.name.replace('_', ' '):32} {_shown(getattr(self, field.name)):40} {self.status(field.name).value}"
            for field in fields(self)
        )


def _shown(value: object) -> str:
    match value:
        case None:
            return "—"
        case tuple():
            return ", ".join(_shown(item) for item in value) or "none"
        case float():
            return format(value, ".6g")
        case _:
            return str(value)


@lru_cache(maxsize=32)
def certificate(lindbladian: Lindbladian, max_qubits: int = MAX_CERTIFIED_QUBITS) -> Certificate:
    """Measure a generator, once per object.

    Up to 5 qubits every eigenvalue is computed; above, the gap comes from an iterative solver that never forms a
    4**n × 4**n matrix, kernels are checked on 513 frequencies and B on 16 rows. Above `max_qubits` only symbolic
    facts are given.

    Cost: 0.1 s at n = 4, about 10 s at n = 8; each further qubit 8 to 12 times more.
    """
    n = lindbladian.model.num_qubits
    names = conserved(lindbladian)
    if n > max_qubits:
        return Certificate(conserved=names)
    subject, with_hamiltonian = judged(lindbladian)
    one_bath = len(lindbladian.betas) == 1
    positive = all(contact.kernel.positive for contact in lindbladian.contacts)
    kernel, gns_kernel, lowest_eigenvalue = kernel_defects(subject)
    coherent, size = coherent_defects(without_shift(subject))
    kms = max(kernel, coherent) if one_bath and positive and lindbladian.frame is None else None
    gns = max(gns_kernel, size) if kms is not None else None
    plain, still = steady_state_counts(lindbladian)
    found_gap = _gap(subject, plain, kms, with_hamiltonian)
    gap = found_gap.value if found_gap is not None and found_gap.resolved else None
    lowest = float(energy_spectrum(subject).populations(lindbladian.beta)[-1]) if one_bath else None
    if lindbladian.frame is not None and one_bath:
        lowest = float(np.linalg.eigvalsh(reference_state(lindbladian))[0])
    found = residual(subject, hamiltonian=with_hamiltonian) if one_bath else None
    balanced = kms is not None and kms <= BALANCE_TOLERANCE
    bound = None
    if gap and lowest is not None and balanced and plain == 1:
        bound = (np.log(10) - log_lowest_population(subject) / 2) / gap
    return Certificate(
        with_hamiltonian=with_hamiltonian,
        residual=found,
        residual_without_coherent=residual(replace(subject, coherent=Coherent.NONE)) if one_bath else None,
        bias=_bias(subject, found, still, with_hamiltonian, found_gap) if one_bath else None,
        kernel_defect=kernel if kms is not None else None,
        coherent_defect=coherent if kms is not None else None,
        kms_defect=kms,
        gns_defect=gns,
        lowest_kernel_eigenvalue=lowest_eigenvalue,
        steady_states=plain,
        steady_states_with_hamiltonian=still,
        conserved=names,
        spectral_gap=gap,
        gap_resolution=None if found_gap is None or found_gap.growth else found_gap.resolution,
        growth_rate=None if found_gap is None else found_gap.growth,
        symmetries=() if found_gap is None else found_gap.symmetries,
        mixing_bound=bound,
        lowest_population=lowest,
        jump_locality=jump_locality(lindbladian),
        largest_rate=largest_rate(subject),
    )


def log_lowest_population(lindbladian: Lindbladian) -> float:
    """Ln λ_min(σ), which does not underflow."""
    E, beta = energy_spectrum(lindbladian).energies, lindbladian.beta
    return float(-beta * (E[-1] - E[0]) - np.log(np.sum(np.exp(-beta * (E - E[0])))))


def spectral_gap(lindbladian: Lindbladian) -> Gap | None:
    """The gap alone, without the other lines of a certificate, by the fastest solver that resolves it.

    Returns:
        None where it is not known: nothing decays, or above 5 qubits without detailed balance.

    Accuracy: relative 1e-9 (measured against dense up to 6 qubits) where `resolved`.
    Cost: on two cores 20 ms at n = 5, 1 s at n = 8, 10 times more per further qubit; memory 8 bytes × couplings × 4**n.
    """
    subject, with_hamiltonian = judged(lindbladian)
    plain, _ = steady_state_counts(lindbladian)
    kms = kms_defect(subject)
    found = _gap(subject, plain, kms, with_hamiltonian, dense_qubits=3)
    if found is not None and not found.resolved:
        return _gap(subject, plain, kms, with_hamiltonian) or found
    return found


def _bias(
    subject: Lindbladian, found: float | None, still: int | None, with_hamiltonian: bool, gap: Gap | None
) -> float | None:
    if found is not None and found <= EXACT:
        return 0.0
    if subject.model.num_qubits > MAX_SUPEROPERATOR_QUBITS or still != 1:
        return None
    if gap is None or not gap.resolved:  # the stationary state is not told from its neighbours
        return None
    steady = dense_steady_state(subject, hamiltonian=with_hamiltonian)
    return trace_distance(steady, reference_state(subject))


def _gap(
    subject: Lindbladian,
    plain: int | None,
    kms: float | None,
    with_hamiltonian: bool,
    dense_qubits: int = MAX_SUPEROPERATOR_QUBITS,
) -> Gap | None:
    n, s = subject.model.num_qubits, energy_spectrum(subject)
    if plain is None or plain >= s.dim**2:
        return None
    balanced = kms is not None and kms <= BALANCE_TOLERANCE
    iterative = balanced and not secular(subject)
    if balanced and not iterative and (found := _davies_gap(subject, plain)) is not None:
        return found
    if n <= dense_qubits or (n <= MAX_SUPEROPERATOR_QUBITS and not iterative):
        rates = dense_decay_rates(subject, balanced=balanced, hamiltonian=with_hamiltonian)
        noise = ROUNDING * float(rates[-1])
        growth = -float(rates[0]) if not balanced and rates[0] < -GROWTH * float(rates[-1]) else None
        return Gap(float(rates[plain]) if growth is None else 0.0, noise, growth=growth)
    if not iterative:
        return None
    try:
        return iterative_gap(subject, plain, use_symmetry=n >= MIN_SYMMETRY_QUBITS)
    except NotConvergedError:
        return None


def _davies_gap(subject: Lindbladian, plain: int) -> Gap | None:
    s = energy_spectrum(subject)
    jumps, tolerance = [], 0.0
    for contact in subject.contacts:
        assert isinstance(contact.kernel, Secular)
        root = np.sqrt(contact.kernel.bath.symmetric(s.bohr_frequencies))
        jumps.append(root * in_energy_basis(contact.coupling, s))
        tolerance = max(tolerance, contact.kernel.tolerance)
    if tolerance > DEGENERACY_TOLERANCE * bandwidth(subject.bohr_model):
        return None  # classes of ν that do not follow from classes of levels
    found = secular_spectrum(s.energies, jumps, decay_operator(subject), tolerance)
    return None if found is None else Gap(float(found.rates[plain]), ROUNDING * float(found.rates[-1]))
