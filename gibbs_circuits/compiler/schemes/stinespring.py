"""Exact Stinespring: the channel itself as one isometry and a reset, without a step error."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import scipy.linalg

from ...errors import ArgumentError
from ...evidence import Status
from ...generators.dense import dense_generator
from ...generators.discrete import DiscreteChannel, channel_superoperator
from ...generators.lindbladian import Lindbladian
from ...generators.matrices import energy_spectrum
from ...linalg.arrays import Array, read_only
from ...linalg.channels import ancillas_for, completed, in_random_ancilla_basis, isometry, minimal_kraus, transfer
from ...programs.program import ErrorTerm, Program, Rung
from ...programs.steps import Reset, Step, Unitary
from ..base import Knobs, Scheme, repeated_sweep
from ..dense_blocks import refuse, refuse_system

ROUNDING = 1e-14  # Kraus operators of less weight cannot be told from none


def stinespring(generator: Lindbladian | DiscreteChannel, knobs: Knobs) -> Program:
    r"""One sweep is $e^{\delta\mathcal L}$ itself: $V = \sum_m|m\rangle\otimes K_m$ from its fewest Kraus operators.

    $\Phi(\rho) = \mathrm{Tr}_a V\rho V^\dagger$. There is no step error at any δ; what one pays is up to dim² Kraus
    operators, so about $2^{4n}$ two-qubit gates. The reference circuit that other schemes are compared with.

    Args:
        generator: Of any positive kernel, or a discrete channel, which is its own sweep and takes no strength.
        knobs: Sweeps and strength.

    Raises:
        ArgumentError: If a knob is missing, a strength is given for a discrete channel, or nothing happens in a sweep.
        TooLargeError: Above 5 system qubits, 10 with the ancillas, or 30,000 two-qubit gates.

    Accuracy: channel error <= 1e-12 (measured, n <= 3, δ from 1e-3 to 1e2). Time O(64**n).

    References:
        Stinespring, Proc. AMS 6, 211; Choi, Linear Algebra Appl. 10, 285 (fewest operators).
    """
    n = generator.model.num_qubits
    refuse_system(STINESPRING.name, n, 4**n)
    if isinstance(generator, DiscreteChannel):
        if knobs.strength is not None:
            raise ArgumentError(
                "strength", "be left out for a discrete channel, which has a step instead",
                f"the value is {knobs.strength:g}", "remove strength",
            )  # fmt: skip
        target = _of_channel(generator)
    else:
        dense, strength = dense_generator(generator), float(knobs.set("strength"))
        share = strength * float(np.linalg.norm(dense.decay, 2))
        if share < ROUNDING:
            raise ArgumentError(
                "strength", f"let a sweep do more than rounding, δ ‖Σ L†L‖ >= {ROUNDING:g}", f"that is {share:.1e}",
                "give a larger strength, or couplings and a β at which transitions happen",
            )  # fmt: skip
        target = scipy.linalg.expm(strength * dense.superoperator)
    return exact_program(generator, STINESPRING.name, knobs, target, minimal_kraus(target))


def exact_program(
    generator: Lindbladian | DiscreteChannel,
    scheme: str,
    knobs: Knobs,
    target: Array,
    kraus: Array,
    settled: Mapping[str, float] = MappingProxyType({}),
) -> Program:
    """The program of a channel with these Kraus operators; what rounding leaves of `target` is measured."""
    n, m = generator.model.num_qubits, ancillas_for(len(kraus))
    refuse(scheme, n, m)
    V, ancillas = in_random_ancilla_basis(isometry(kraus, m), n), tuple(range(m))
    sweep: tuple[Step, ...] = (Unitary(completed(V), ancillas, scheme, clean=True), Reset(ancillas))

    def declared() -> tuple[ErrorTerm, ...]:
        error, source = transfer(V.reshape(-1, 2**n, 2**n)) - target, "the isometry against the channel"
        return (ErrorTerm(Rung.DILATION, float(np.linalg.norm(error)), "‖Φ − target‖_F", Status.MEASURED, source),)

    return repeated_sweep(generator, scheme, knobs, sweep, m, declared, settled=settled)


@lru_cache(maxsize=8)
def _of_channel(channel: DiscreteChannel) -> Array:
    """Φ on column-stacked density matrices, in the computational basis; shape (dim², dim²)."""
    vectors = energy_spectrum(channel.inside).vectors
    turn = np.kron(vectors.conj(), vectors)
    return read_only(np.asarray(turn @ channel_superoperator(channel) @ turn.conj().T, dtype=complex))


STINESPRING = Scheme(
    "stinespring", stinespring, Knobs, "the exact channel of a sweep as one dense isometry",
    order=None, source="Stinespring, Proc. AMS 6, 211", discrete=True,
)  # fmt: skip
