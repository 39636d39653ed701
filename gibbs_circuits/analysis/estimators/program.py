"""The program that ran: its knobs, what it may claim, and what a search chose it from."""

from __future__ import annotations

from typing import Any

from ...evidence import number
from ...io.json import plain
from ...io.section import Section, count
from ...programs.program import Program
from ...readings.channel.guarantee import Promise
from ...readings.channel.prediction import Prediction, promise_of
from ...readings.circuits.circuit import circuit_segments
from ...readings.circuits.cost import cost
from ...readings.circuits.depth import mean_depth
from .base import Analysis, Finding
from .measured_run import MeasuredRun


def program_sections(
    program: Program, seed: int, prediction: Prediction | None, target_error: float, promise: Promise | None = None
) -> tuple[Section, ...]:
    """What a program is and may claim, and the programs that a search chose it from.

    Args:
        program: Any.
        seed: Of the draws of random steps that the depth is the mean of.
        prediction: Of the exact channel, that the claim rests on; None where there is none.
        target_error: Trace distance of the claim.
        promise: The claim, where it is known already; None: what the prediction bears out.
    """
    promise = promise or promise_of(program, prediction, target_error)
    knobs = ", ".join(f"{key} = {value}" for key, value in program.knobs.items() if value is not None)
    claim = promise.text
    rows = (
        ("knobs", knobs),
        (f"at target error {target_error:g}", f"guarantee: {claim}, calibration: {program.calibration.value}"),
        ("two-qubit gates, from the formula", count(cost(program).two_qubit_gates)),
    )
    data = {"program": program_data(program, seed, prediction, target_error, promise)}
    whole = Section(f"Program: {program!r}", ("quantity", "value"), rows, program.provenance, data)
    return (whole, _frontier(program)) if program.frontier else (whole,)


def program_data(
    program: Program, seed: int, prediction: Prediction | None, target_error: float, promise: Promise | None = None
) -> dict[str, Any]:
    """A program in the JSON document; arguments as for `program_sections`."""
    price, promise = cost(program), promise or promise_of(program, prediction, target_error)
    settled = None if prediction is None else prediction.settled
    data: dict[str, Any] = plain({
        "scheme": program.scheme,
        "recipe": program.recipe or None,
        "num_system": program.num_system,
        "num_ancilla": program.num_ancilla,
        "sweeps": program.sweeps,
        "resets": price.resets,
        "stages": [
            {"sweeps": stage.repeats, "two_qubit_gates_per_sweep": gates}
            for stage, gates in zip(program.stages, price.two_qubit_gates_per_sweep, strict=True)
        ],
        "two_qubit_gates": price.two_qubit_gates,
        "depth": mean_depth(program, circuit_segments(program), seed),
        "guarantee": promise.guarantee,
        "guarantee_status": promise.status,
        "guarantee_measure": promise.measure,
        "guarantee_worst": promise.worst,
        "guarantee_bound": promise.bound,
        "calibration": program.calibration,
        "knobs": program.knobs,
        "knobs_chosen": program.provenance or None,
        "contraction_per_sweep": None if settled is None else settled.contraction,
        "frontier": program.frontier,
        "search": program.search,
        "hash": program.hash,
    })  # fmt: skip
    return data


def _frontier(program: Program) -> Section:
    rows = tuple(
        (count(one.two_qubit_gates), number(one.distance), one.note + (" ←" if one.chosen else ""))
        for one in program.frontier
    )
    return Section(
        "Frontier: what was found, the cheapest first", ("two-qubit gates", "distance", "program"), rows,
        "distance: from the worst start found (a sampler) or from the given start (a preparation)", align="rrl",
    )  # fmt: skip


def _measure(run: MeasuredRun) -> Finding[Program]:
    sections = program_sections(run.program, run.run.request.seed, run.prediction, run.target_error, run.promise)
    return Finding(run.program, sections)


program = Analysis("program", "Program", _measure)
