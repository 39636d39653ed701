"""Expectation values of a program at any size without shots: observables taken backwards through all its sweeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from .base import Machine, Target

if TYPE_CHECKING:
    from qiskit.quantum_info import SparsePauliOp

    from ...programs.initial_state import InitialState
    from ...programs.program import Program


class BackwardTarget(Target):
    """A reading of the program itself, without gate errors, in place of a simulation: tensor trains, exact values."""

    only_how: ClassVar[frozenset[str]] = frozenset({"description"})

    kind: Literal["backward"] = Field(
        examples=["backward"], description="Observables taken backwards, on this machine."
    )
    tolerance: float = Field(
        default=1e-3, gt=0, le=0.1, allow_inf_nan=False, examples=[1e-4],
        description="error that reduced states of a region may have, in trace distance; two cuts that differ by more "
        "are refused.",
    )  # fmt: skip

    def open(self, num_qubits: int = 1) -> Machine:
        """What reads the program; the device only counts its gates, where every pair of qubits interacts."""
        from ..devices.basis import DEFAULT_BASIS  # loaded when used
        from ..devices.device import described_device
        from ..devices.keys import Noise

        self.check()
        device = described_device(self.name, Noise(), DEFAULT_BASIS, None, num_qubits)

        def read(program: Program, start: InitialState, operators: Sequence[SparsePauliOp]) -> Sequence[float]:
            from ...readings.scalable.expectations import expectations  # loaded when used

            return expectations(program, start, operators, self.tolerance)

        return Machine(self, device, exact_values=True, read=read)
