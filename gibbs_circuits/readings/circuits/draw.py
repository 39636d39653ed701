"""One sweep of a program, drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Gate

from ...models.signatures import public
from ...programs.program import Program, Stage
from ...programs.steps import Correct, Couple, Evolve, RandomChoice, RandomDelay, Reset, Step, Unitary


@public
def draw(program: Program, stage: int = -1, **options: Any) -> Any:
    """One sweep of a stage as a diagram: evolution boxes, couplings, resets, the random delay.

    Args:
        program: What to draw.
        stage: Which stage.
        options: Passed to Qiskit's drawer, e.g. output="mpl"; text by default.
    """
    return schematic(program, program.stages[stage]).draw(**{"output": "text", "fold": 110, **options})


def schematic(program: Program, stage: Stage) -> QuantumCircuit:
    """One sweep with a box per step; for drawing only, the boxes have no definition."""
    n, m = program.num_system, program.num_ancilla
    qc = QuantumCircuit(n + m)
    for label, qubits in _boxes(stage.steps, n, n + m):
        if label == "reset":
            qc.reset(qubits)
        else:
            qc.append(Gate(label, len(qubits), []), qubits)
    return qc


def _boxes(steps: Sequence[Step], n: int, width: int) -> Iterator[tuple[str, list[int]]]:
    for step in steps:
        match step:
            case Evolve():
                yield f"e^-iH·{step.duration:.3g}", list(range(n))
            case RandomDelay():
                yield f"delay {step.low}…{step.high} × {step.unit.duration:.3g}", list(range(n))
            case Couple():
                acting = sorted({q for label, _ in step.terms for q, c in enumerate(reversed(label)) if c != "I"})
                name = "+".join("".join(c for c in label if c != "I") or "I" for label, _ in step.terms)
                yield f"{name} θ={step.angle:.2f} φ={step.axis:.2f}", [*acting, n + step.ancilla]
            case Correct():
                yield f"e^-iB·{step.duration:.3g}", list(range(n))
            case Unitary():
                yield step.label, [*range(n), *(n + a for a in step.ancillas)]
            case RandomChoice():
                yield f"one of {len(step.branches)}, e.g.", list(range(width))
                yield from _boxes(step.branches[0].steps, n, width)
            case Reset():
                yield "reset", [n + a for a in step.ancillas]
