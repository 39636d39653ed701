"""Dense linear algebra for schemes that write a whole sweep as matrices: a few qubits, any kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ..errors import ArgumentError, TooLargeError
from ..exact.balance import secular
from ..generators import Coherent, Lindbladian
from ..generators.channels import DiscreteChannel, inside
from ..generators.matrices import coherent_term, energy_spectrum, transition_superoperator
from ..kernels import RankOne
from ..limits import MAX_BLOCK_GATES, MAX_BLOCK_QUBITS, MAX_BLOCK_SYSTEM
from ..spectrum import Array, read_only
from .program import ErrorTerm, Program, Stage
from .schemes.common import Knobs
from .steps import Step
from .trotter import commuting_groups

SMALLEST = 1e-14  # of the largest Choi eigenvalue; what is below is rounding
NEGATIVE = 1e-10
EQUALLY = 1e-6  # relative difference of two norms that counts as none


@dataclass(frozen=True, eq=False)
class DenseGenerator:
    r"""$\mathcal L(\rho) = -i[B,\rho] + \sum_j V_j\rho V_j^\dagger - \tfrac12\{S,\rho\}$ in the computational basis.

    Attributes:
        jumps: The fewest V_j that give the transition part, shape (J, dim, dim).
        coherent: B, or what the generator has in its place.
    """

    jumps: Array
    coherent: Array

    @property
    def decay(self) -> Array:
        """S = Σ V_j†V_j."""
        return np.asarray(np.einsum("jki,jkl->il", self.jumps.conj(), self.jumps))

    @property
    def drift(self) -> Array:
        """V₀ = −iB − S/2."""
        return np.asarray(-1j * self.coherent - self.decay / 2)

    @property
    def superoperator(self) -> Array:
        """𝓛 as a dim² × dim² matrix on column-stacked matrices."""
        one, drift = np.eye(len(self.coherent)), self.drift
        return np.asarray(transfer(self.jumps) + np.kron(one, drift) + np.kron(drift.conj(), one))


@lru_cache(maxsize=8)
def dense_generator(lindbladian: Lindbladian) -> DenseGenerator:
    """The jumps of any positive kernel, from the Choi matrix of T, and its coherent term: B, or Davies' Lamb shift.

    Raises:
        ArgumentError: If T is not completely positive, or another kernel's Lamb shift is asked for.

    Accuracy: T to 1e-14 of its norm per jump left out. Time O(64**n).
    """
    s = energy_spectrum(lindbladian)
    if lindbladian.coherent is Coherent.LAMB_SHIFT and not secular(lindbladian):
        raise ArgumentError(
            "coherent", "be balance or none to be compiled, unless the shift commutes with H (davies)",
            f"the Lamb shift of {lindbladian.kind} does not", 'set coherent = "balance"',
        )  # fmt: skip
    jumps = minimal_kraus(transition_superoperator(lindbladian), lindbladian.kind)
    turned = s.vectors @ jumps @ s.vectors.conj().T
    coherent = s.from_energy(coherent_term(lindbladian))
    return DenseGenerator(read_only(np.asarray(turned, dtype=complex)), read_only(coherent))


def transfer(kraus: NDArray[Any]) -> Array:
    """Σ_m K̄_m ⊗ K_m of a stack of operators: ρ → Σ K_m ρ K_m† on column-stacked matrices."""
    count, d, _ = kraus.shape
    flat = kraus.reshape(count, d * d)
    return np.asarray((flat.conj().T @ flat).reshape(d, d, d, d).transpose(0, 2, 1, 3).reshape(d * d, d * d))


def minimal_kraus(superoperator: NDArray[Any], kind: str = "the map") -> Array:
    r"""The fewest operators with $\sum_m K_m\rho K_m^\dagger$, the largest first, from the Choi matrix.

    Args:
        superoperator: A completely positive map as a dim² × dim² matrix on column-stacked matrices.
        kind: What to call it in a complaint.

    Returns:
        Shape (rank, dim, dim), orthogonal to each other in the Hilbert–Schmidt product, each of a fixed phase.

    Raises:
        ArgumentError: If it is not completely positive.

    References:
        Choi, Linear Algebra Appl. 10, 285.
    """
    d = round(len(superoperator) ** 0.5)
    choi = superoperator.reshape(d, d, d, d).transpose(1, 3, 0, 2).reshape(d * d, d * d)
    weights, vectors = scipy.linalg.eigh((choi + choi.conj().T) / 2)
    largest = float(np.max(np.abs(weights)))
    if weights[0] < -NEGATIVE * largest:
        raise ArgumentError("kind", "be completely positive to become a circuit", f"{kind} is not", 'use kind = "dll"')
    kept = weights > SMALLEST * largest
    rows = (vectors[:, kept] * np.sqrt(weights[kept])).T[::-1]
    heads = rows[np.arange(len(rows)), np.argmax(np.abs(rows), axis=1)] if len(rows) else np.ones(0)
    return np.asarray(rows * (heads.conj() / np.abs(heads))[:, None], dtype=complex).reshape(-1, d, d)


def ancillas_for(operators: int) -> int:
    """⌈log₂⌉ of the number of operators that an ancilla register has to tell apart."""
    return (operators - 1).bit_length()


def isometry(kraus: Sequence[Array] | Array, num_ancilla: int) -> Array:
    """Σ_m |m⟩ ⊗ K_m, shape (2^m · dim, dim): its columns made orthonormal to rounding (polar decomposition)."""
    stack = np.asarray(kraus, dtype=complex)
    d = stack.shape[-1]
    V = np.zeros((2**num_ancilla * d, d), dtype=complex)
    V[: len(stack) * d] = stack.reshape(-1, d)
    left, _, right = scipy.linalg.svd(V, full_matrices=False)
    return np.asarray(left @ right)


def completed(V: Array) -> Array:
    """A unitary whose first columns are V.

    The others are basis states less what is spanned already, always the one that is farthest outside; of those that are
    equally far the first, so that the last bits of V decide nothing: what is written depends on the completion where a
    block is undone after a measurement.
    """
    made = np.asarray(V, dtype=complex)
    while made.shape[1] < len(made):
        outside = np.eye(len(made)) - made @ made.conj().T
        far = np.linalg.norm(outside, axis=0)
        column = outside[:, int(np.flatnonzero(far > (1 - EQUALLY) * np.max(far))[0])]
        column = column - made @ (made.conj().T @ column)  # once more: twice is enough
        made = np.column_stack([made, column / np.linalg.norm(column)])
    return made


def mixed(V: Array, num_system: int) -> Array:
    """(Q ⊗ 1) V, Q a fixed random unitary on the ancillas: they are reset, so that the channel is the same.

    No ancilla value is rare then, which one of the two syntheses that are tried needs: with Kraus operators as small as
    1e-5 Qiskit's of columns was wrong by 1e-9 and more, and by 1e-13 in this basis.
    """
    from scipy.stats import unitary_group  # loaded when used

    values = len(V) >> num_system
    Q = unitary_group.rvs(values, random_state=np.random.default_rng(0)) if values > 1 else np.eye(1)
    return np.asarray(np.kron(Q, np.eye(2**num_system)) @ V)


def exponential(hamiltonian: Array, time: float) -> Array:
    """e^{−iHt}."""
    energies, vectors = scipy.linalg.eigh(hamiltonian)
    return np.asarray((vectors * np.exp(-1j * time * energies)) @ vectors.conj().T)


def stated_gates(num_system: int, num_ancilla: int, *, clean: bool = True) -> int:
    """The most two-qubit gates that a dense block takes, before it is synthesised; a matrix without pattern takes them.

    Two or more clean ancillas: column by column, on q = n + m qubits. Column k takes 2^q − q − 1, and 2^|k| − 1 for
    every zero of k above its lowest one (|k| its number of ones); the phases 2^n − 2: about 2^{2n+m} in all. Otherwise
    (22/48) 4^q − (3/2) 2^q + 5/3.

    References:
        Iten et al., PRA 93, 032318 (isometries); Krol & Al-Ars, arXiv:2403.13692 (unitaries).
    """
    q = num_system + num_ancilla
    if clean and num_ancilla >= 2:
        under_control = 0
        for above in range(num_system):  # columns by the number of bits above their lowest one, summed over those bits
            zeros, share = num_ancilla + above, 3 ** max(above - 1, 0)
            ones = 2 ** max(above - 1, 0)
            under_control += 2 * (zeros * 3**above - 2 * above * share) - (zeros * 2**above - above * ones)
        return int(2**num_system * (2**q - q) + under_control - 2)
    return 0 if q < 2 else int(22 * 4**q - 72 * 2**q + 80) // 48


def most_operators(generator: Lindbladian | DiscreteChannel) -> int:
    """A bound on the number of jumps, without a matrix: one per coupling of rank one, dim² in all."""
    full = int(4**generator.model.num_qubits)
    return min(full, sum(1 if isinstance(c.kernel, RankOne) else full for c in inside(generator).contacts))


def refuse_system(scheme: str, num_system: int, operators: int, extra: int = 0) -> None:
    """Refuse too many system qubits before any matrix is formed; `operators` is a bound.

    Raises:
        TooLargeError: With the two-qubit gates and the qubits.
    """
    if num_system > MAX_BLOCK_SYSTEM:
        refuse(scheme, num_system, ancillas_for(operators) + extra)


def refuse(scheme: str, num_system: int, num_ancilla: int, *, clean: bool = True) -> None:
    """Refuse a dense block that is too large to write out; `clean` as for `stated_gates`.

    Raises:
        TooLargeError: With the two-qubit gates and the qubits.
    """
    gates = stated_gates(num_system, num_ancilla, clean=clean)
    if num_system <= MAX_BLOCK_SYSTEM and num_system + num_ancilla <= MAX_BLOCK_QUBITS and gates <= MAX_BLOCK_GATES:
        return
    count = f"{gates:,}" if gates < 10**9 else f"10^{len(str(gates)) - 1}"
    raise TooLargeError(
        f"A sweep of the scheme {scheme} is a dense block on {num_system} system qubits and {num_ancilla} ancillas, "
        f"about {count} two-qubit gates; the limit is {MAX_BLOCK_SYSTEM} system qubits, {MAX_BLOCK_QUBITS} in all and "
        f'{MAX_BLOCK_GATES:,} gates. Fix: use fewer couplings, kind = "dll", or scheme = "parallel".'
    )


def lindbladian_of(generator: Lindbladian | DiscreteChannel, scheme: str) -> Lindbladian:
    """The generator, if it is one.

    Raises:
        ArgumentError: If it is a discrete channel.
    """
    if isinstance(generator, DiscreteChannel):
        raise ArgumentError(
            "kind", f"be a Lindbladian to be compiled by the scheme {scheme}", "a discrete channel was found",
            'set scheme = "discrete" or "stinespring"',
        )  # fmt: skip
    return generator


def dense_program(
    generator: Lindbladian | DiscreteChannel,
    scheme: str,
    knobs: Knobs,
    sweep: tuple[Step, ...],
    num_ancilla: int,
    declared: ErrorTerm,
    **settled: float,
) -> Program:
    """A program of one repeated sweep; `settled` are knobs the scheme has decided itself."""
    return Program(
        num_system=generator.model.num_qubits,
        num_ancilla=num_ancilla,
        groups=commuting_groups(generator.model.hamiltonian),
        stages=(Stage(sweep, knobs.set("sweeps")),),
        generator=generator,
        scheme=scheme,
        knobs={**knobs.as_dict(), **settled},
        calibration=knobs.calibration,
        declared=(declared,),
    )
