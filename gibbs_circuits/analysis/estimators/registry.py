"""The analyses that every finished run is put through, in the order of the report: one line each."""

from __future__ import annotations

from typing import Any

from .base import Analysis
from .error_ledger import error_ledger
from .exact_answer import exact_answer
from .exact_channel import exact_channel
from .generator_certificate import generator_certificate
from .measured_orders import measured_orders
from .measured_values import measured_values
from .program import program
from .target import target
from .two_qubit_gates import two_qubit_gates

ANALYSES: tuple[Analysis[Any], ...] = (
    generator_certificate,
    exact_answer,
    program,
    exact_channel,
    target,
    measured_values,
    two_qubit_gates,
    error_ledger,
    measured_orders,
)
