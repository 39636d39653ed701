"""What compiling the coherent term costs and what it brings, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...compiler.schemes.registry import SCHEMES
from ...compiler.time_domain.coherent_steps import CoherentKnobs
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


def coherent_tradeoff(generator: Lindbladian, scheme: str, knobs: CoherentKnobs) -> tuple[CoherentRow, ...]:
    """The same program without B, with B at several tolerances and radii, and with B less the shift of its order.

    Args:
        generator: With B, on at most 5 qubits.
        scheme: A scheme that can perform B.
        knobs: All set; `coherent_term` and what belongs to it are varied.

    Raises:
        ArgumentError: If the scheme or the generator has no B to compile.
        TooLargeError: Above 5 qubits.
    """
    check_choice("scheme", scheme, [name for name, s in SCHEMES.items() if issubclass(s.knobs, CoherentKnobs)])
    choices: dict[str, dict[str, Any]] = {
        "B omitted": {"coherent_term": "omit"},
        "B": {"coherent_term": "compile", "coherent_tolerance": 0.0},
        "B, terms above 5 %": {"coherent_term": "compile", "coherent_tolerance": 0.05},
        "B, terms above 20 %": {"coherent_term": "compile", "coherent_tolerance": 0.2},
        "B within radius 1": {"coherent_term": "compile", "coherent_radius": 1, "coherent_tolerance": 0.05},
    }
    if scheme == "parallel" or getattr(knobs, "direction", "") == "forward":
        choices["B less the shift of the order"] = {"coherent_term": "compile_ordered", "coherent_tolerance": 0.05}
    plain = {**knobs.model_dump(), "coherent_radius": None}
    recipe = SCHEMES[scheme]
    return tuple(
        _row(what, recipe(generator, recipe.knobs.model_validate({**plain, **change})))
        for what, change in choices.items()
    )


def _row(what: str, program: Program) -> CoherentRow:
    channel = sweep_channel(program)
    sigma = gibbs_state(program.lindbladian.model, program.lindbladian.beta)
    gates = float(sum(step_gates(program, step) for step in program.stages[-1].steps))
    return CoherentRow(what, gates, trace_distance(fixed_point(channel), sigma), contraction(channel))


def tradeoff(program: Program) -> tuple[CoherentRow, ...]:
    """What compiling B costs and brings, side by side, where a program compiles it, up to 5 qubits; empty otherwise."""
    knobs = SCHEMES[program.scheme].knobs if program.scheme in SCHEMES else None
    asked = program.knobs.get("coherent_term", "omit") != "omit" and not program.recipe
    if knobs is None or not issubclass(knobs, CoherentKnobs) or not asked or program.num_system > MAX_CHANNEL_QUBITS:
        return ()
    return coherent_tradeoff(program.lindbladian, program.scheme, knobs.model_validate(dict(program.knobs)))
