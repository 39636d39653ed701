"""What compiling the coherent term costs and what it brings, side by side."""

from __future__ import annotations

from dataclasses import dataclass

from ...compiler.base import Knobs
from ...compiler.schemes.registry import SCHEMES, written_by
from ...errors import check_choice
from ...generators.lindbladian import Lindbladian
from ...limits import MAX_CHANNEL_QUBITS
from ...linalg.fixed_point import contraction, fixed_point
from ...models.spectrum import gibbs_state, trace_distance
from ...programs.program import Program
from ...readings.channel.sweep_channel import sweep_channel
from ...readings.circuits.cost import step_gates


@dataclass(frozen=True)
class CoherentRow:
    """One way to treat the coherent term.

    Attributes:
        what: In words.
        two_qubit_gates: Per sweep, mean over random steps.
        distance: Trace distance of the fixed point to σ.
        contraction: Factor per sweep by which the past fades.
    """

    what: str
    two_qubit_gates: float
    distance: float
    contraction: float


def coherent_tradeoff(generator: Lindbladian, scheme: str, knobs: Knobs) -> tuple[CoherentRow, ...]:
    """The same program without B, with B at several tolerances and radii, and with B less the shift of its order.

    Args:
        generator: With B, on at most 5 qubits.
        scheme: A scheme that can perform B.
        knobs: All set; `coherent_term` and what belongs to it are varied.

    Raises:
        ArgumentError: If the scheme or the generator has no B to compile.
        TooLargeError: Above 5 qubits.
    """
    check_choice("scheme", scheme, [name for name, s in SCHEMES.items() if s.knobs().coherent_treatments()])
    return tuple(_row(what, SCHEMES[scheme](generator, one)) for what, one in knobs.coherent_treatments().items())


def _row(what: str, program: Program) -> CoherentRow:
    channel = sweep_channel(program)
    sigma = gibbs_state(program.lindbladian.model, program.lindbladian.beta)
    gates = float(sum(step_gates(program, step) for step in program.stages[-1].steps))
    return CoherentRow(what, gates, trace_distance(fixed_point(channel), sigma), contraction(channel))


def tradeoff(program: Program) -> tuple[CoherentRow, ...]:
    """What compiling B costs and brings, side by side, where a program compiles it, up to 5 qubits; empty otherwise."""
    found = written_by(program)
    if found is None or not found[1].compiles_coherent or program.num_system > MAX_CHANNEL_QUBITS:
        return ()
    return coherent_tradeoff(program.lindbladian, program.scheme, found[1])
