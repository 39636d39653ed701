"""The analyses that every finished run is put through, in the order of the report: one line each."""

from __future__ import annotations

from typing import Any

from .base import Analysis
from .correlations import correlations
from .energy_per_site import energy_per_site
from .error_ledger import error_ledger
from .exact_answer import exact_answer
from .exact_channel import exact_channel
from .generator_certificate import generator_certificate
from .local import local
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
    local,
    energy_per_site,
    correlations,
    two_qubit_gates,
    error_ledger,
    measured_orders,
)
