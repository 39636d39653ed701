"""What is known about a generator before anything is compiled: the certificate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache, singledispatch

import numpy as np

from ...errors import NotConvergedError
from ...evidence import Status
from ...generators.contact import Coherent
from ...generators.lindbladian import Lindbladian
from ...generators.matrices import decay_operator, energy_spectrum, in_energy_basis, largest_rate
from ...io.rendering import Shown
from ...limits import MAX_CERTIFIED_QUBITS, MAX_DIGITS_QUBITS, MAX_SUPEROPERATOR_QUBITS
from ...models.signatures import public
from ...models.spectrum import gibbs_state, spectrum, trace_distance
from ..dynamics.steady import detailed_balance, stationary
from ..spectral_gap.gap import ROUNDING, Gap, dense_decay_rates, iterative_gap, unbalanced_gap, unknown_gap
from ..spectral_gap.secular_blocks import secular_spectrum
from ..spectral_gap.uniqueness import steady_state_counts
from ..structure.detailed_balance import (
    certified_generator,
    coherent_defects,
    kernel_defects,
    kms_defect,
    residual,
    without_shift,
)
from ..structure.locality import jump_locality
from ..structure.rates import Rates, rates, rounding_scale
from ..structure.symmetry import conserved

BALANCE_TOLERANCE = 1e-8
MIN_SYMMETRY_QUBITS = 8  # below, splitting costs more than it saves
SMALLEST = 1e-290  # a gap whose inverse is a number
MIXED = "maximally mixed"
NONE = 1e-12  # a bias below which there is none
IN_DIGITS = 1e-9  # relative error of a gap in digits: filters enter with that of their logarithms


@dataclass(frozen=True, repr=False)
class Certificate(Shown):
    r"""Properties of $\mathcal L$ without −i[H + Lamb shift, ·]; None where they were not checked.

    A biased generator with its physical Lamb shift (redfield, ule, coarse_grained) is judged with −i[H + H_LS, ·]: its
    residual, bias, gap are of the whole. Without a coherent part it is judged without H, so the two are not comparable.

    Attributes:
        with_hamiltonian: Whether residual, bias and gap include −i[H + H_LS, ·].
        residual: ‖L(σ)‖_F / (‖L‖ ‖σ‖_F), ‖L‖ the largest singular value. A small one is no small bias.
        residual_without_coherent: The same with B left out: the negative control.
        bias: Trace distance between σ and the state that the maximally mixed state relaxes to; 0 where detailed balance
            makes σ the only stationary state.
        bias_start: From where, where there are several stationary operators; None where there is one.
        bias_with_hamiltonian: The same with −i[H, ·] (which `bias` has where `with_hamiltonian` says so).
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
        rates: Of the transitions between levels, in logarithms.
        error_estimate: By attribute: what rounding, the condition of the problem included, may have made of it.
        gap_unknown: Why there is no gap.
    """

    with_hamiltonian: bool = False
    residual: float | None = None
    residual_without_coherent: float | None = None
    bias: float | None = None
    bias_start: str | None = None
    bias_with_hamiltonian: float | None = None
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
    rates: Rates | None = None
    error_estimate: Mapping[str, float] = field(default_factory=dict, hash=False)
    gap_unknown: str | None = None

    def status(self, field: str) -> Status:
        """How one of the attributes is known; a figure that is not above its own error is not."""
        value, error = getattr(self, field), self.error_estimate.get(field)
        if value is None or field == "gap_unknown":
            return Status.NOT_CHECKED
        if field in ("with_hamiltonian", "conserved") or (field.startswith("bias") and value == 0 and error == 0):
            return Status.PROVED  # symbolic, or detailed balance as a formula; the mixing bound rests on a measured gap
        if error is not None and isinstance(value, float) and 0 < abs(value) <= error:
            return Status.NOT_CHECKED
        return Status.MEASURED

    @property
    def relaxation_time(self) -> float | None:
        """1/gap in units of 1/(the largest rate): sweeps of strength one per factor e."""
        return None if not self.spectral_gap or not self.largest_rate else self.largest_rate / self.spectral_gap

    @property
    def completely_positive(self) -> bool | None:
        """Whether no eigenvalue of a kernel is negative beyond rounding."""
        return None if self.lowest_kernel_eigenvalue is None else self.lowest_kernel_eigenvalue >= -1e-10

    def _in_words(self) -> str:
        gap = "not known" if self.spectral_gap is None else _shown(self.spectral_gap)
        count = self.steady_states_with_hamiltonian if self.with_hamiltonian else self.steady_states
        return (
            f"Certificate(residual {_shown(self.residual)}, bias {_shown(self.bias)}, gap {gap}, "
            f"steady states {_shown(count)}; print it)"
        )

    def _rows(self) -> Iterator[tuple[str, ...]]:
        yield "figure", "value", "status"
        for name in (one.name for one in fields(self)):
            yield name.replace("_", " "), _shown(getattr(self, name)), self.status(name).value

    def __str__(self) -> str:
        return "\n".join(f"{name:32} {value:40} {status}" for name, value, status in list(self._rows())[1:])


def _shown(value: object) -> str:
    match value:
        case None:
            return "—"
        case dict():
            return ", ".join(f"{name} {error:.1e}" for name, error in value.items()) or "none"
        case tuple():
            return ", ".join(_shown(item) for item in value) or "none"
        case float():
            return format(value, ".6g")
        case _:
            return str(value)


@singledispatch
@lru_cache(maxsize=32)
def certificate(lindbladian: Lindbladian, max_qubits: int = MAX_CERTIFIED_QUBITS) -> Certificate:
    """Measure a generator, once per object; `certificate.register` says what else has one, and how it is measured.

    Up to 5 qubits every eigenvalue is computed; above, the gap comes from an iterative solver that never forms a
    4**n × 4**n matrix, kernels are checked on 513 frequencies and B on 16 rows. Above `max_qubits` only symbolic
    facts are given.

    Cost: 0.1 s at n = 4, about 10 s at n = 8; each further qubit 8 to 12 times more.
    """
    n = lindbladian.model.num_qubits
    names = conserved(lindbladian)
    if n > max_qubits:
        return Certificate(conserved=names)
    subject, with_hamiltonian = certified_generator(lindbladian)
    one_bath = len(lindbladian.betas) == 1
    positive = all(contact.kernel.positive for contact in lindbladian.contacts)
    kernel, gns_kernel, lowest_eigenvalue = kernel_defects(subject)
    coherent, size = coherent_defects(without_shift(subject))
    moving = rates(lindbladian)
    balanceable = lindbladian.balanceable and positive and not moving.zero
    kms = max(kernel, coherent) if balanceable else None
    gns = max(gns_kernel, size) if kms is not None else None
    plain, still = steady_state_counts(lindbladian)
    found_gap = _gap(subject, (plain, still)[with_hamiltonian], kms, with_hamiltonian)
    gap = found_gap.known
    lowest = float(spectrum(lindbladian.model).populations(lindbladian.beta)[-1]) if one_bath else None
    alive = one_bath and not moving.zero
    balanced = balanced_by(kms)
    bound = None
    if gap and gap > SMALLEST and balanced and plain == 1:
        bound = (math.log(10) - log_lowest_population(subject) / 2) / gap
    errors: dict[str, float] = {}
    if gap is not None:
        errors["spectral_gap"] = found_gap.resolution
    if bound is not None and gap is not None:
        errors["mixing_bound"] = bound * found_gap.resolution / gap
    bias = bias_with = None
    if alive and found_gap.growth is None:
        bias, errors["bias"] = _bias(subject, hamiltonian=with_hamiltonian)
        bias_with, errors["bias_with_hamiltonian"] = bias, errors["bias"]
        if not with_hamiltonian:
            bias_with, errors["bias_with_hamiltonian"] = _bias(subject, hamiltonian=True)
        errors = {name: error for name, error in errors.items() if np.isfinite(error)}
    return Certificate(
        with_hamiltonian=with_hamiltonian,
        residual=residual(subject, hamiltonian=with_hamiltonian) if alive else None,
        residual_without_coherent=residual(replace(subject, coherent=Coherent.NONE)) if alive else None,
        bias=bias,
        bias_start=MIXED if ((plain, still)[with_hamiltonian] or 1) > 1 else None,
        bias_with_hamiltonian=bias_with,
        kernel_defect=kernel if kms is not None else None,
        coherent_defect=coherent if kms is not None else None,
        kms_defect=kms,
        gns_defect=gns,
        lowest_kernel_eigenvalue=None if moving.zero else lowest_eigenvalue,
        steady_states=plain,
        steady_states_with_hamiltonian=still,
        conserved=names,
        spectral_gap=gap,
        gap_resolution=found_gap.resolution if found_gap.growth is None and found_gap.value is not None else None,
        growth_rate=found_gap.growth,
        symmetries=found_gap.symmetries,
        mixing_bound=bound,
        lowest_population=lowest,
        jump_locality=jump_locality(lindbladian),
        largest_rate=largest_rate(subject),
        rates=moving,
        error_estimate=errors,
        gap_unknown=found_gap.reason,
    )


def balanced_by(kms: float | None) -> bool:
    """Whether a KMS defect counts as none."""
    return kms is not None and kms <= BALANCE_TOLERANCE


def log_lowest_population(lindbladian: Lindbladian) -> float:
    """Ln λ_min(σ), which does not underflow."""
    E, beta = energy_spectrum(lindbladian).energies, lindbladian.beta
    return float(-beta * (E[-1] - E[0]) - np.log(np.sum(np.exp(-beta * (E - E[0])))))


@public
def spectral_gap(lindbladian: Lindbladian) -> Gap:
    """The gap alone, without the other lines of a certificate, by the fastest solver that resolves it.

    Returns:
        With the value None and a `reason` where it is not known.

    Accuracy: relative 1e-9 (measured against dense up to 6 qubits) where `resolved`.
    Cost: on two cores 20 ms at n = 5, 1 s at n = 8, 10 times more per further qubit; memory 8 bytes × couplings × 4**n.
    """
    subject, with_hamiltonian = certified_generator(lindbladian)
    count = steady_state_counts(lindbladian)[int(with_hamiltonian)]
    kms = kms_defect(subject)
    found = _gap(subject, count, kms, with_hamiltonian, dense_qubits=3)
    return found if found.resolved or found.value is None else _gap(subject, count, kms, with_hamiltonian)


def _bias(subject: Lindbladian, *, hamiltonian: bool) -> tuple[float | None, float]:
    """Trace distance of σ to where the maximally mixed state relaxes, and its error; None where it is not known."""
    n, beta = subject.model.num_qubits, subject.beta
    count = steady_state_counts(subject)[int(hamiltonian)]
    if detailed_balance(subject) and count == 1:
        return 0.0, 0.0
    if n > MAX_SUPEROPERATOR_QUBITS or count is None:
        return None, np.inf
    try:
        found = stationary(subject, hamiltonian=hamiltonian)
    except NotConvergedError:
        return None, np.inf
    value, error = trace_distance(found.state, gibbs_state(subject.model, beta)), found.error
    if (found.how == "digits" or error > max(value, NONE)) and n <= MAX_DIGITS_QUBITS:
        from ..many_digits.relaxation import relaxed  # loaded when used

        more = relaxed(subject, hamiltonian=hamiltonian, stationary=count, beta=beta)
        if more is not None and more.distance is not None and more.distance_error is not None:
            value, error = more.distance, more.distance_error
    return (value, error) if value > NONE else (0.0, max(value, error))


def _gap(
    subject: Lindbladian,
    count: int | None,
    kms: float | None,
    with_hamiltonian: bool,
    dense_qubits: int = MAX_SUPEROPERATOR_QUBITS,
) -> Gap:
    """The gap, with `count` stationary operators; in digits where doubles do not resolve it."""
    n, s = subject.model.num_qubits, energy_spectrum(subject)
    if rates(subject).zero:
        return unknown_gap(f"every rate underflows ({rates(subject)}): nothing moves")
    if count is None:
        return unknown_gap("the number of stationary operators is not known")
    if count >= s.dim**2:
        return unknown_gap("nothing decays: every operator is stationary")
    balanced = _hermitian_gap(subject, kms, with_hamiltonian)
    found = _by_doubles(subject, count, balanced, with_hamiltonian, dense_qubits)
    final = dense_qubits == MAX_SUPEROPERATOR_QUBITS and n <= MAX_DIGITS_QUBITS
    if found.resolved or found.growth is not None or found.value is None or not final or rates(subject).dead:
        return found
    from ..many_digits import relaxation as digits  # loaded when used

    value: float | None = None
    if balanced:
        value = digits.balanced_gap(subject, count)
    else:
        value = digits.unbalanced_gap(subject, count, hamiltonian=with_hamiltonian)
    return found if not value else Gap(value, IN_DIGITS * value, found.symmetries, found.sectors)


def gap_in_doubles(subject: Lindbladian, count: int, kms: float | None, with_hamiltonian: bool) -> Gap:
    """The gap as far as doubles tell it, n <= 5: what can be said within a second."""
    balanced = _hermitian_gap(subject, kms, with_hamiltonian)
    return _by_doubles(subject, count, balanced, with_hamiltonian, MAX_SUPEROPERATOR_QUBITS)


def _hermitian_gap(subject: Lindbladian, kms: float | None, with_hamiltonian: bool) -> bool:
    """Whether the gap is that of the Hermitian D: by formula, or above 5 qubits where little is left out of it."""
    if with_hamiltonian or not balanced_by(kms):
        return False
    return detailed_balance(subject) or subject.model.num_qubits > MAX_SUPEROPERATOR_QUBITS


def _by_doubles(subject: Lindbladian, count: int, balanced: bool, with_hamiltonian: bool, dense_qubits: int) -> Gap:
    n = subject.model.num_qubits
    iterative = balanced and not subject.secular
    if balanced and not iterative and (found := _davies_gap(subject, count)) is not None:
        return found
    if n <= dense_qubits or (n <= MAX_SUPEROPERATOR_QUBITS and not iterative):
        if not balanced:
            return unbalanced_gap(subject, count, hamiltonian=with_hamiltonian)
        values = dense_decay_rates(subject, balanced=True)
        return Gap(float(values[count]), ROUNDING * max(float(values[-1]), rounding_scale(subject, balanced=True)))
    if not iterative:
        return unknown_gap(
            f"without detailed balance the gap takes the whole {4**n} × {4**n} matrix; the limit is "
            f"{MAX_SUPEROPERATOR_QUBITS} qubits"
            if not balanced else "a block of equal Bohr frequencies is too large"
        )  # fmt: skip
    try:
        found = iterative_gap(subject, count, use_symmetry=n >= MIN_SYMMETRY_QUBITS)
        left_out = 0.0 if detailed_balance(subject) else (kms_defect(subject) or 0.0) * largest_rate(subject)
        lost = ROUNDING * rounding_scale(subject, balanced=True)
        return replace(found, resolution=found.resolution + left_out + lost)
    except NotConvergedError as error:
        return unknown_gap(str(error))


def _davies_gap(subject: Lindbladian, plain: int) -> Gap | None:
    if not subject.resolving:
        return None  # classes of ν that do not follow from classes of levels
    s = energy_spectrum(subject)
    nu, tolerance = s.bohr_frequencies, max(contact.kernel.blur for contact in subject.contacts)
    jumps = [np.sqrt(one.kernel.balanced(nu, nu).real) * in_energy_basis(one.coupling, s) for one in subject.contacts]
    found = secular_spectrum(s.energies, jumps, decay_operator(subject), tolerance)
    if found is None:
        return None
    return Gap(
        float(found.rates[plain]), ROUNDING * max(float(found.rates[-1]), rounding_scale(subject, balanced=True))
    )
