"""Weak measurement: a block encoding of the jumps, a small rotation of a flag, and the encoding undone."""

from __future__ import annotations

from math import ceil

import numpy as np
import scipy.linalg

from ...errors import TooLargeError
from ...evidence import Status
from ...generators.dense import DenseGenerator, dense_generator
from ...generators.lindbladian import Generator
from ...limits import MAX_DENSE_GATES, MOST_MEASUREMENTS
from ...linalg.arrays import Array
from ...linalg.channels import ancillas_for, completed, exponential, isometry
from ...programs.program import ErrorTerm, Program, Rung
from ...programs.steps import Reset, Step, Unitary
from ..base import Knobs, Scheme, repeated_sweep
from ..dense_blocks import lindbladian_of, most_operators, refuse, refuse_system, stated_gates

SOURCE = "Chen, Kastoryano, Brandão & Gilyén, arXiv:2303.18224"
ROUNDING = 1e-13


def weak_measurement(generator: Generator, knobs: Knobs) -> Program:
    r"""$e^{-iB\delta}$, then a weak measurement of whether a jump took place.

    On an index j, a flag and a pointer, all in |0⟩, with $\alpha = \|S\|$, $S = \sum V_j^\dagger V_j$:

    1. $U|0\rangle|\psi\rangle = \sum_j|j\rangle|0\rangle V_j\psi/\sqrt\alpha
       + |0\rangle|1\rangle\sqrt{1 - S/\alpha}\,\psi$ encodes the jumps in the block where the flag is 0;
    2. if the flag is 0, the pointer is turned by $Y_\delta$ to $\sqrt{1-\alpha\delta}|0\rangle
       + \sqrt{\alpha\delta}|1\rangle$;
    3. if the pointer is 0, $U^\dagger$ takes the encoding back;
    4. all three are reset.

    The pointer shows 1 with Σ V_jρV_j†δ left behind, and 0 with $1 - \delta S/2$. It needs αδ <= 1, so a sweep is
    ⌈αδ⌉ such measurements of time δ/⌈αδ⌉ each, one for small δ. Local error O(δ²): declared order 1 over a fixed time.

    As dense blocks: U is an isometry on n + ⌈log₂J⌉ + 1 qubits, its controlled inverse a multiplexer on one more,
    the rotation two gates, $e^{-iB\delta}$ a unitary on n. Steps 2 and 3 could be one block, for more gates.

    Raises:
        ArgumentError: If a knob is missing or the generator has no circuit.
        TooLargeError: Above 5 system qubits, 10 with the ancillas, 30,000 two-qubit gates in a block, or 1000
            measurements in a sweep.

    References:
        Chen, Kastoryano, Brandão & Gilyén, arXiv:2303.18224: the weak-measurement scheme for block-encoded jumps.
    """
    lindbladian = lindbladian_of(generator, WEAK_MEASUREMENT.name)
    n, strength = lindbladian.model.num_qubits, float(knobs.set("strength"))
    refuse_system(WEAK_MEASUREMENT.name, n, most_operators(lindbladian), extra=2)
    dense = dense_generator(lindbladian)
    index = ancillas_for(max(1, len(dense.jumps)))
    refuse(WEAK_MEASUREMENT.name, n, index + 2, clean=False)
    alpha = float(np.linalg.norm(dense.decay, 2))
    count = max(1, ceil(strength * alpha * (1 - ROUNDING)))
    gates = count * stated_gates(n, index + 2, clean=False)
    if count > MOST_MEASUREMENTS or gates > MAX_DENSE_GATES:
        fitting = max(1, min(MOST_MEASUREMENTS, MAX_DENSE_GATES * count // gates))
        raise TooLargeError(
            f"A sweep of strength {strength:g} is {count} weak measurements on {n + index + 2} qubits, about {gates:,} "
            f"two-qubit gates; the limit is {MOST_MEASUREMENTS} measurements and {MAX_DENSE_GATES:,} gates. "
            f"Fix: set strength = {fitting / alpha:.3g}."
        )
    measurement = _measurement(dense, strength / count, alpha, index)
    declared = ErrorTerm(Rung.DILATION, None, "order 1 in strength", Status.NOT_CHECKED, SOURCE)
    return repeated_sweep(lindbladian, WEAK_MEASUREMENT.name, knobs, measurement * count, index + 2, (declared,))


def _measurement(generator: DenseGenerator, time: float, alpha: float, index: int) -> tuple[Step, ...]:
    d, encoding, pointer = len(generator.coherent), tuple(range(index + 1)), index + 1
    steps: list[Step] = []
    if np.any(generator.coherent):
        steps.append(Unitary(exponential(generator.coherent, time), (), "coherent term"))
    if alpha == 0:
        return tuple(steps)
    U = completed(_encoding(generator, alpha, index))
    undone = scipy.linalg.block_diag(U.conj().T, np.eye(len(U)))
    jump = min(1.0, alpha * time)
    stay = 1 - jump
    turn = np.array([[np.sqrt(stay), -np.sqrt(jump)], [np.sqrt(jump), np.sqrt(stay)]])
    no_flag, flag = np.diag([1.0, 0.0]), np.diag([0.0, 1.0])
    rotation = np.kron(turn, no_flag) + np.kron(np.eye(2), flag)  # pointer ⊗ flag
    steps += [
        Unitary(U, encoding, "encode jumps", clean=True),
        Unitary(np.kron(rotation, np.eye(d)), (index, pointer), "flag rotation"),
        Unitary(undone, (*encoding, pointer), "decode unless flagged"),
        Reset((*encoding, pointer)),
    ]
    return tuple(steps)


def _encoding(generator: DenseGenerator, alpha: float, index: int) -> Array:
    """The columns of U that the ancillas in |0⟩ meet; the flag is the highest bit."""
    rates, vectors = scipy.linalg.eigh(generator.decay)
    share = 1 - rates / alpha
    rest = (vectors * np.sqrt(np.where(share > ROUNDING, share, 0.0))) @ vectors.conj().T  # √1e-16 is not small
    padding = np.zeros((2**index - len(generator.jumps), *rest.shape))
    return isometry(np.concatenate([generator.jumps / np.sqrt(alpha), padding, rest[None]]), index + 1)


WEAK_MEASUREMENT = Scheme(
    "weak_measurement", weak_measurement, Knobs, "a block encoding of the jumps, weakly measured",
    order=1, source=SOURCE,
)  # fmt: skip
