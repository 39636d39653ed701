r"""Exact evolution $\rho(t) = e^{t(\mathcal L - i[H,\cdot])}\rho(0)$, mixing times and heat currents, matrix-free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.quantum_info import DensityMatrix, SparsePauliOp, Statevector

from ...errors import ArgumentError, TooLargeError, check_real, shown
from ...generators.lindbladian import Lindbladian
from ...generators.matrices import energy_matrix, energy_spectrum
from ...io.rendering import Shown
from ...limits import MAX_DENSE_QUBITS, STATES_BYTES, SUBSPACE_BYTES
from ...linalg.arrays import Array, Real, packed, read_only, unpacked
from ...linalg.exponential_action import Flown, flow_along
from ...models.model import Model, fitting, hermitian, matrix_of
from ...models.signatures import public
from ..spectral_gap.uniqueness import steady_state_counts
from ..structure.detailed_balance import certified_generator
from ..structure.matrix_free import Flow, generator_flow
from .steady import steady_state

STATE_TOLERANCE = 1e-8
MIN_TOLERANCE = 1e-13
SUBSPACE = 128
LONGEST = 1e4  # in units of one over the largest rate
SCAN = 32  # times between which a crossing is bracketed


@dataclass(frozen=True, eq=False, repr=False)
class Evolution(Shown):
    """States at given times.

    Attributes:
        times: Ascending, shape (k,).
        states: Density matrices in the computational basis, shape (k, d, d), read-only.
        error_estimate: Bound of ‖ρ − exact‖₁ at every time, from the integrated defect of the Krylov subspaces, without
            rounding. A theorem where the generator is completely positive (all but redfield), so that no evolution
            increases the trace norm; an estimate otherwise.
        trace_defect: Largest |Tr ρ − 1|.
        lowest_eigenvalue: Smallest eigenvalue of all states; below −`error_estimate` the generator is not positive.
        applications: How often 𝓛 was applied.
    """

    times: Real
    states: Array
    error_estimate: float
    trace_defect: float
    lowest_eigenvalue: float
    applications: int

    def _in_words(self) -> str:
        span = f"t = {self.times[0]:g} … {self.times[-1]:g}" if self.times.size else "no times"
        count, d = self.states.shape[0], self.states.shape[-1]
        return (
            f"Evolution({count} states of {d.bit_length() - 1} qubits, {span}, error below {self.error_estimate:.0e})"
        )


@public
def evolve(
    lindbladian: Lindbladian,
    start: Array,
    times: Sequence[float] | Real,
    *,
    hamiltonian: bool = True,
    tolerance: float = 1e-10,
) -> Evolution:
    r"""$\rho(t) = e^{t(\mathcal L - i[H,\cdot])}\rho(0)$ at several times.

    By Krylov subspaces on Hermitian matrices packed as real ones, see `flow` and `krylov`. Steps are as long as the
    bound on the error allows; times in between cost no application.

    Args:
        lindbladian: Of any kind; time is in units of 1/energy.
        start: ρ(0) in the computational basis, shape (d, d).
        times: Ascending, >= 0, in units of 1/energy.
        hamiltonian: Adds −i[H, ·]; without it the evolution is the one whose gap a certificate gives.
        tolerance: Of ‖ρ(t) − exact‖₁, twice the trace distance, at every time; >= 1e-13.

    Raises:
        ArgumentError: If `start` is no density matrix or `times` are not ascending.
        NotConvergedError: After 100 000 applications: the time is too long.
        TooLargeError: If the states need more than 2 GiB.

    Accuracy: the tolerance plus rounding, about 1e-15 times (largest rate · time).
    Cost: t = 10 takes about 15 to 25 applications per qubit; memory up to 128 matrices (256 MiB) and the states.
    """
    n = lindbladian.model.num_qubits
    rho = check_density_matrix("start", start, n)
    at = check_times(times)
    tolerance = check_real("tolerance", tolerance, low=MIN_TOLERANCE)
    if at.size * 4**n * 24 > STATES_BYTES:
        raise TooLargeError(
            f"{at.size} states of {n} qubits need {at.size * 4**n * 24 / 2**30:.3g} GiB; the limit is "
            f"{STATES_BYTES / 2**30:g} GiB. Fix: ask for fewer times, and go on from the last state."
        )
    s = energy_spectrum(lindbladian)
    flow = generator_flow(lindbladian, hamiltonian=hamiltonian)
    flown = _flown(flow, packed(s.to_energy(rho)), at, tolerance)
    inside = _matrices(flown.states.reshape(-1, s.dim, s.dim))
    states = s.vectors @ inside @ s.vectors.conj().T
    traces = np.trace(inside, axis1=1, axis2=2).real
    return Evolution(
        times=read_only(at),
        states=read_only(np.asarray(states)),
        error_estimate=flown.bound,
        trace_defect=float(np.max(np.abs(traces - 1))),
        lowest_eigenvalue=float(np.min(np.linalg.eigvalsh(inside))),
        applications=flown.applications,
    )


def _flown(flow: Flow, M: Real, times: Real, tolerance: float) -> Flown:
    d = flow.dim
    subspace = int(np.clip(SUBSPACE_BYTES // (8 * d * d) - 1, 16, SUBSPACE))
    return flow_along(flow.apply, M.ravel(), times, tolerance, weight=float(np.sqrt(d)), subspace=subspace)


def expectation(evolution: Evolution | Array, operator: SparsePauliOp | Model | str | Array) -> Real:
    """Tr[O ρ(t)] at every time.

    Args:
        evolution: From `evolve`; or one density matrix or state vector, for one number.
        operator: Hermitian, as wide as the model: a SparsePauliOp, a label such as "ZII", a Model, or a matrix. The two
            may change places.

    Raises:
        ArgumentError: If either is none, or they do not fit.

    Accuracy: ‖O‖ times `error_estimate`.
    """
    if isinstance(operator, Evolution) or (
        isinstance(evolution, SparsePauliOp | Model | str) and matrix_of(operator) is not None
    ):
        evolution, operator = operator, evolution  # type: ignore[assignment]
    if not isinstance(evolution, Evolution):
        return np.asarray(_of_state(evolution, operator))
    n = evolution.states.shape[1].bit_length() - 1
    O = fitting(hermitian(operator, "operator"), "operator", n)
    sparse = O.to_matrix(sparse=True).T.tocoo()  # Tr[Oρ] = Σ O_ij ρ_ji
    return np.asarray((evolution.states[:, sparse.row, sparse.col] @ sparse.data).real)


def _of_state(state: object, operator: object) -> float:
    """The expectation Tr[Oρ], or ⟨ψ|O|ψ⟩ of a state vector."""
    O = hermitian(operator, "operator")
    n = int(O.num_qubits)
    found = matrix_of(state.data if isinstance(state, Statevector | DensityMatrix) else state)
    if found is None:
        raise ArgumentError(
            "evolution", "be an Evolution or a state", f"{shown(state)} is {type(state).__name__}",
            "pass gc.evolve(generator, rho, times)",
        )  # fmt: skip
    rho = check_density_matrix("evolution", found, n)
    sparse = O.to_matrix(sparse=True).T.tocoo()
    return float((rho[sparse.row, sparse.col] @ sparse.data).real)


@public
def mixing_time(
    lindbladian: Lindbladian,
    starts: Sequence[Array],
    epsilon: float = 0.1,
    *,
    hamiltonian: bool | None = None,
    longest: float | None = None,
) -> float:
    """First time from which on every start stays within trace distance ε of the steady state.

    The distance to a fixed point never increases under a completely positive evolution, so one crossing is bracketed
    and solved for. For redfield it is the first crossing.

    Args:
        lindbladian: With one steady state.
        starts: Density matrices in the computational basis; the worst one counts.
        epsilon: Trace distance, > 0.
        hamiltonian: Adds −i[H, ·]; if left out, as the certificate judges: only with a physical Lamb shift of a biased
            generator. The bound of a certificate is about the evolution without it.
        longest: Time to give up at; 10⁴ over the largest rate if left out.

    Raises:
        ArgumentError: If there are several steady states, or the distance is still above ε at `longest`.

    Accuracy: 1e-7 over the gap.
    """
    if len(starts) == 0:
        raise ArgumentError("starts", "hold at least one density matrix", "it is empty", "pass [np.eye(d) / d]")
    n = lindbladian.model.num_qubits
    s = energy_spectrum(lindbladian)
    rhos = [s.to_energy(check_density_matrix(f"starts[{i}]", start, n)) for i, start in enumerate(starts)]
    epsilon = check_real("epsilon", epsilon, low=0.0, above=True)
    hamiltonian = certified_generator(lindbladian)[1] if hamiltonian is None else hamiltonian
    flow = generator_flow(lindbladian, hamiltonian=hamiltonian)
    rate = float(np.max(-flow.coherences.real))
    limit = LONGEST / max(rate, 1e-300) if longest is None else check_real("longest", longest, low=0.0, above=True)
    count = steady_state_counts(lindbladian)[int(hamiltonian)]
    if count is not None and count > 1:
        raise ArgumentError(
            "lindbladian", "have one steady state", f"{lindbladian!r} has {count}",
            "add couplings that break its conserved quantities",
        )  # fmt: skip
    target = packed(s.to_energy(steady_state(lindbladian, hamiltonian=hamiltonian)))
    times = [_crossing(flow, packed(rho), target, epsilon, rate, limit) for rho in rhos]
    return max(times)


def _crossing(flow: Flow, M: Real, target: Real, epsilon: float, rate: float, limit: float) -> float:
    """The time at which the distance of one start falls to ε."""
    tolerance = max(MIN_TOLERANCE, min(1e-9, 1e-8 * epsilon))
    if _distances(M, target)[0] <= epsilon:
        return 0.0
    t, span = 0.0, min(limit, 4 / max(rate, 1e-300))
    while True:
        times = np.linspace(0.0, span, SCAN + 1)
        states = _flown(flow, M, times, tolerance).states
        values = _distances(states, target)
        below = np.flatnonzero(values <= epsilon)
        if below.size:
            first = int(below[0])
            before, width = states[first - 1], float(times[first] - times[first - 1])
            return t + float(times[first - 1]) + _within(flow, before, target, width, epsilon, tolerance)
        t, M = t + span, states[-1]
        if t >= limit:
            raise ArgumentError(
                "longest", f"be long enough to come within trace distance {epsilon:g}",
                f"at time {t:.6g} a start is still {values[-1]:.6g} away",
                f"set longest = {10 * limit:.3g}, or a larger epsilon",
            )  # fmt: skip
        span = min(2 * t, limit - t)


def _within(flow: Flow, before: Real, target: Real, width: float, epsilon: float, tolerance: float) -> float:
    def above(x: float) -> float:
        state = before if x == 0 else _flown(flow, before, np.array([x]), tolerance).states
        return float(_distances(state, target)[0]) - epsilon

    if above(width) >= 0:  # the crossing is at the end, to rounding
        return width
    from scipy.optimize import brentq  # loaded when used

    return float(brentq(above, 0.0, width, xtol=1e-9 * width))


def _distances(states: Real, target: Real) -> Real:
    """Trace distances of packed states from a packed one."""
    matrices = _matrices(states.reshape(-1, *target.shape) - target)
    return np.asarray(0.5 * np.abs(np.linalg.eigvalsh(matrices)).sum(axis=1))


def _matrices(packs: Real) -> Array:
    """A stack of packed matrices as Hermitian ones."""
    turned = packs.transpose(0, 2, 1)
    return np.asarray((packs + turned) / 2 + 0.5j * (packs - turned))


@public
def heat_currents(lindbladian: Lindbladian, rho: Array) -> dict[int, float]:
    r"""Energy per time that flows from each bath into the system, $J_c = \mathrm{Tr}[H\,\mathcal L_c(\rho)]$.

    $\mathcal L_c$ is the part of the generator made by the contacts of bath c, its coherent part included. In the
    steady state of $\mathcal L - i[H,\cdot]$ the currents add up to zero; how well they are known there is said by
    `between_baths`.

    Args:
        lindbladian: With one bath or several.
        rho: Density matrix in the computational basis.
    Returns:
        The currents by number of the bath, 0, 1, …, in the order in which the baths were given; in units of energy².
    """
    s = energy_spectrum(lindbladian)
    inside = packed(s.to_energy(check_density_matrix("rho", rho, lindbladian.model.num_qubits)))
    currents, H = {}, energy_matrix(lindbladian)
    for number, family in enumerate(lindbladian.families):
        part = replace(lindbladian, contacts=tuple(lindbladian.contacts[k] for k in family))
        change = unpacked(generator_flow(part, hamiltonian=False).apply(inside.ravel()).reshape(s.dim, s.dim))
        currents[number] = float(np.sum(H.T * change).real)
    return currents


def check_times(times: Sequence[float] | Real) -> Real:
    """The times as an array, refused unless they ascend, are finite and >= 0."""
    values: list[Any] = list(times) if isinstance(times, Sequence | np.ndarray) else [times]
    at = np.array([check_real(f"times[{i}]", t, low=0.0) for i, t in enumerate(values)])
    if at.size == 0:
        raise ArgumentError("times", "hold at least one time", "it is empty", "set times = [0.0, 1.0]")
    backwards = np.flatnonzero(np.diff(at) < 0)
    if backwards.size:
        i = int(backwards[0])
        raise ArgumentError("times", "ascend", f"times[{i + 1}] = {at[i + 1]:g} follows {at[i]:g}", "sort them")
    return at


def check_density_matrix(argument: str, value: NDArray[Any], num_qubits: int) -> Array:
    """Hermitian, positive, of trace 1, each to 1e-8; the Hermitian part is returned, of a state vector its matrix."""
    d = 2**num_qubits
    if num_qubits > MAX_DENSE_QUBITS:
        raise TooLargeError(f"A density matrix of {num_qubits} qubits is too large. Fix: use a smaller model.")
    try:
        rho = np.asarray(value, dtype=complex)
    except (TypeError, ValueError, ArithmeticError):
        rho = np.zeros(0, dtype=complex)
    if rho.shape == (d,) and abs(np.linalg.norm(rho) - 1) <= STATE_TOLERANCE:  # a state vector
        rho = np.outer(rho, rho.conj())
    if rho.shape != (d, d):
        raise ArgumentError(
            argument, f"be a {d} × {d} density matrix", f"its shape is {rho.shape}", f"pass np.eye({d}) / {d}"
        )
    if not np.all(np.isfinite(rho)):
        raise ArgumentError(argument, "be finite", "an entry is not", f"pass np.eye({d}) / {d}")
    defect = float(np.max(np.abs(rho - rho.conj().T)))
    if defect > STATE_TOLERANCE:
        raise ArgumentError(
            argument, "be Hermitian", f"it is not by {defect:.1e} (allowed {STATE_TOLERANCE:g})",
            "pass (rho + rho.conj().T) / 2",
        )  # fmt: skip
    trace = complex(np.trace(rho))
    if abs(trace - 1) > STATE_TOLERANCE:
        raise ArgumentError(argument, "have trace 1", f"its trace is {trace.real:.9g}", "pass rho / np.trace(rho)")
    rho = (rho + rho.conj().T) / 2
    lowest = float(np.linalg.eigvalsh(rho)[0])
    if lowest < -STATE_TOLERANCE:
        raise ArgumentError(
            argument, "have no negative eigenvalue", f"the smallest is {lowest:.3g}", "pass a density matrix"
        )
    return np.asarray(rho)
