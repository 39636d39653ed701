"""A run held against the exact answer: what its analyses found, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from qiskit.quantum_info import SparsePauliOp

from ...backends.runs.request import ENERGY
from ...evidence import number
from ...exact.certificate.certificate import Certificate
from ...io.json import plain
from ...io.rendering import Shown, as_text
from ...io.section import Section
from ..error_budget.orders import RungSlope
from ..error_budget.shifts import Ledger
from ..estimators.base import Analysis, Finding
from ..estimators.baselines import UnitaryLoop
from ..estimators.checks import LOCAL_DISTANCE, Reason, Scale
from ..estimators.error_ledger import error_ledger
from ..estimators.generator_certificate import generator_certificate
from ..estimators.measured_orders import measured_orders
from ..estimators.measured_run import MeasuredRun
from ..estimators.thermometry import Temperature, temperature
from ..estimators.two_qubit_gates import two_qubit_gates
from .verdict import Verdict, judge, outcome, scale, scale_by

T = TypeVar("T")
COLOURS = {Verdict.AGREES: "green", Verdict.DISAGREES: "red", Verdict.NOT_CHECKED: "yellow"}
PASSED = {True: "yes", False: "NO", None: "not checked"}


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(MeasuredRun, Shown):
    """Everything that is known of a run; prints itself, in a terminal and in a notebook.

    Attributes:
        findings: By the name of the analysis, in the order of the report.
    """

    findings: Mapping[str, Finding[Any]] = field(default_factory=dict)

    def value(self, analysis: Analysis[T]) -> T | None:
        """What an analysis found; None where it was not checked, or not asked."""
        found = self.findings.get(analysis.name)
        return None if found is None else found.value

    @property
    def certificate(self) -> Certificate:
        """Of the generator; empty where nothing was checked."""
        return self.value(generator_certificate) or Certificate()

    @property
    def ledger(self) -> Ledger:
        """What each approximation does to the state."""
        return self.value(error_ledger) or Ledger(())

    @property
    def rungs(self) -> tuple[RungSlope, ...]:
        """Declared orders, measured."""
        return self.value(measured_orders) or ()

    @property
    def best_product_distance(self) -> float | None:
        """Trace distance of the Gibbs state to the nearest product state found."""
        found = self.value(two_qubit_gates)
        return None if found is None else found.product_distance

    @property
    def loop(self) -> tuple[UnitaryLoop, UnitaryLoop] | None:
        """The hand-written loop at the step 0.1 and at its best step."""
        found = self.value(two_qubit_gates)
        return None if found is None else found.loop

    @cached_property
    def scales(self) -> dict[str, Scale]:
        """What every observable is judged by; at β = 0 there is no cooling that the energy could fall short of."""
        found = {name: self._scale(name, one) for name, one in self.run.request.observables.items()}
        return {name: one for name, one in found.items() if one is not None}

    def _scale(self, name: str, operator: SparsePauliOp) -> Scale | None:
        cooled = self.generator.beta > 0 and name == ENERGY
        if self.sigma is not None:
            return scale(operator, self.sigma, cooled=cooled)
        return None if self.answer is None else scale_by(operator, self.answer, cooled=cooled)

    @cached_property
    def reasons(self) -> tuple[Reason, ...]:
        """Every check that the verdict follows from."""
        _, reasons = judge(self.trace_distance, self.observables, self.scales, self.target_error)
        return (*reasons, *(reason for one in self.findings.values() for reason in one.reasons))

    @property
    def verdict(self) -> Verdict:
        """What the checks amount to."""
        return outcome(self.reasons)

    @property
    def temperature(self) -> Temperature:
        """The temperature reached, in a word."""
        check = next(one for one in self.reasons if one.name == ENERGY)
        return temperature(self.generator.beta, self.energy, check, self.scales.get(ENERGY), self.beta_effective)

    def sections(self) -> tuple[Section, ...]:
        """What each analysis found, then every check and the verdict."""
        found = (section for one in self.findings.values() for section in one.sections)
        return (*found, self._checks(), self._verdict())

    def _checks(self) -> Section:
        rows = tuple(
            (one.name, number(one.found), number(one.allowed), PASSED[one.passed], one.text) for one in self.reasons
        )
        head = ("check", "found", "allowed", "passed", "what")
        data = {"verdict_reasons": plain(self.reasons)}
        return Section(f"Checks at target error {self.target_error:g}", head, rows, data=data, align="lrrrl")

    def _verdict(self) -> Section:
        failed = [one for one in self.reasons if one.passed is False]
        shown = failed or [one for one in self.reasons if one.passed is not None]
        said = [f"{one.name} {number(one.found)}, allowed {number(one.allowed)}" for one in shown]
        missing = self.trace_distance is None and not any(one.name == LOCAL_DISTANCE for one in self.reasons)
        said = [*(["no state to measure"] if missing else []), *said]
        reached = self.temperature
        data = {
            "verdict": self.verdict,
            "temperature": {
                "word": reached.word, "beta": reached.beta, "beta_effective": reached.found, "text": str(reached),
            },
        }  # fmt: skip
        return Section(
            f"Verdict: {self.verdict.value.replace('_', ' ')}  ({'; '.join(said)})",
            note=f"Temperature: {reached}", data=plain(data), style=f"bold {COLOURS[self.verdict]}",
        )  # fmt: skip

    def __str__(self) -> str:
        return as_text(*self.sections())

    def _in_words(self) -> str:
        far = "" if self.trace_distance is None else f"trace distance {number(self.trace_distance)}, "
        exact = "" if self.energy.exact is None else f", exact {number(self.energy.exact)}"
        word = self.verdict.value.replace("_", " ")
        return f"Comparison({word}: {far}energy {number(self.energy.value)}{exact}; print it for the report)"
