"""What every scheme of the registry must show, new ones by their line: order, cost, circuit, settings, citation."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from gibbs_circuits.analysis.error_budget.orders import measured_rungs
from gibbs_circuits.compiler.citation import citation
from gibbs_circuits.compiler.schemes.registry import SCHEMES, written_by
from gibbs_circuits.evidence import Status
from gibbs_circuits.programs.program import Program
from gibbs_circuits.readings.circuits.circuit import circuit
from gibbs_circuits.readings.circuits.cost import cost
from tests.examples import evolved, exact_states, ising, lowered, random_state, some_draws, unrolled
from tests.readings.test_cost import at_draws, counted

EQUAL = 1e-10
FINE = {"spacing": 0.25, "nodes": 9, "strength": 0.2}  # where orders show; of these what a scheme has


@cache
def first(name: str) -> Program:
    """The scheme on two sites at its own first candidate setting, two sweeps."""
    scheme, generator = SCHEMES[name], ising(2)
    values = next(iter(scheme.knobs().candidate_settings(generator)))
    return scheme(generator, scheme.knobs.model_validate({**values, "sweeps": 2}))


def fine(name: str) -> Program:
    scheme = SCHEMES[name]
    taken: dict[str, Any] = {key: value for key, value in FINE.items() if key in scheme.knobs.chosen}
    return scheme(ising(2), scheme.knobs.model_validate({"sweeps": 1, **taken}))


@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme__declared_orders__are_measured(name: str) -> None:
    found = measured_rungs(fine(name))
    assert found
    assert all(rung.holds for rung in found), [str(rung) for rung in found if not rung.holds]


@pytest.mark.parametrize("name", [name for name in SCHEMES if "strength" in SCHEMES[name].knobs.chosen])
def test_every_scheme__control__another_order_does_not_hold(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program, scheme = fine(name), SCHEMES[name]
    monkeypatch.setitem(SCHEMES, name, replace(scheme, order=1 + (scheme.order or 0)))
    assert not all(rung.holds for rung in measured_rungs(program))


@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme__cost__is_the_count(name: str) -> None:
    program = first(name)
    gates, resets = counted(circuit(program, seed=3))
    assert gates == pytest.approx(at_draws(program, some_draws(program)), abs=1e-9)
    assert resets == pytest.approx(cost(program).resets)


@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme__circuit__is_the_channel(name: str) -> None:
    program, rho = first(name), random_state(2, 1)
    draws = some_draws(program)
    found = evolved(lowered(unrolled(program, draws)), rho)
    assert np.abs(found - exact_states(program, rho, draws)[-1]).max() < EQUAL
    assert np.abs(found - rho).max() > 1e-3  # the control: it does something


@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme__knobs__write_the_same_program_again(name: str) -> None:
    program, found = first(name), written_by(first(name))
    assert program.scheme == name
    assert found is not None
    scheme, knobs = found
    assert scheme is SCHEMES[name]
    assert knobs.left_out == []
    assert scheme(program.generator, knobs).text == program.text
    assert written_by(replace(program, recipe="somebody's")) is None


@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme__settings__are_all_within_its_range(name: str) -> None:
    generator, knobs = ising(2), SCHEMES[name].knobs()
    for values in (
        *knobs.candidate_settings(generator),
        knobs.unchecked_settings(generator, 0.1),
        knobs.smallest_settings(generator),
    ):
        assert type(knobs).model_validate({"sweeps": 1, **values}).left_out == []


@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme__declared_errors__have_a_number_only_where_it_is_known(name: str) -> None:
    declared = first(name).declared
    assert declared
    assert all((term.value is None) == (term.status is Status.NOT_CHECKED) for term in declared)


@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme__is_cited__by_its_name(name: str) -> None:
    assert f"the scheme {name}" in citation(first(name))


def test_declared_errors__are_measured__once_and_when_they_are_read() -> None:
    calls: list[int] = []

    def measure() -> tuple[()]:
        calls.append(1)
        return ()

    program = replace(first("parallel"), declared=measure)
    assert program.hash == first("parallel").hash
    assert calls == []
    assert program.declared == replace(program, provenance="again").declared == ()
    assert calls == [1]
