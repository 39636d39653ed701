"""One sweep of a program, drawn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Gate

from ...models.signatures import public
from ...programs.lower import lower
from ...programs.program import Program, Stage
from ...programs.steps import Couple, Exponential, RandomChoice, RandomDelay, Reset, Unitary


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
    boxes = _Boxes(program.num_system, program.num_qubits)
    for step in stage.steps:
        lower(step, boxes)
    return boxes.qc


class _Boxes:
    """Draws a box per step."""

    def __init__(self, num_system: int, num_qubits: int) -> None:
        self.n, self.qc = num_system, QuantumCircuit(num_qubits)

    def box(self, label: str, qubits: Iterable[int]) -> None:
        at = list(qubits)
        self.qc.append(Gate(label, len(at), []), at)

    def exponential(self, step: Exponential) -> None:
        self.box(f"e^-i{'B' if step.corrects else 'H'}·{step.duration:.3g}", range(self.n))

    def coupling(self, step: Couple) -> None:
        acting = sorted({q for label, _ in step.terms for q, c in enumerate(reversed(label)) if c != "I"})
        name = "+".join("".join(c for c in label if c != "I") or "I" for label, _ in step.terms)
        self.box(f"{name} θ={step.angle:.2f} φ={step.axis:.2f}", [*acting, self.n + step.ancilla])

    def unitary(self, step: Unitary) -> None:
        self.box(step.label, [*range(self.n), *(self.n + a for a in step.ancillas)])

    def reset(self, step: Reset) -> None:
        self.qc.reset([self.n + a for a in step.ancillas])

    def delay(self, step: RandomDelay) -> None:
        self.box(f"delay {step.low}…{step.high} × {step.unit.duration:.3g}", range(self.n))

    def choice(self, step: RandomChoice) -> None:
        self.box(f"one of {len(step.branches)}, e.g.", range(self.qc.num_qubits))
        for one in step.branches[0].steps:
            lower(one, self)
