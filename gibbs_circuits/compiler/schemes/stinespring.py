"""Exact Stinespring: the channel itself as one isometry and a reset, without a step error."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from ...evidence import Status
from ...generators.lindbladian import Generator
from ...linalg.arrays import Array
from ...linalg.channels import ancillas_for, completed, in_random_ancilla_basis, isometry, minimal_kraus, transfer
from ...programs.program import ErrorTerm, Program, Rung
from ...programs.steps import Reset, Step, Unitary
from ..base import Knobs, Scheme, repeated_sweep
from ..dense_blocks import refuse, refuse_system


def stinespring(generator: Generator, knobs: Knobs) -> Program:
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
    if generator.step is None:
        knobs.set("strength")
    target = generator.channel(knobs.strength)
    return exact_program(generator, STINESPRING.name, knobs, target, minimal_kraus(target))


def exact_program(
    generator: Generator,
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


STINESPRING = Scheme(
    "stinespring", stinespring, Knobs, "the exact channel of a sweep as one dense isometry",
    order=None, source="Stinespring, Proc. AMS 6, 211", discrete=True,
)  # fmt: skip
