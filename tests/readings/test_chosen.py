"""Which reading is taken, and that each says what the dense channel says; what disagrees is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import gibbs_circuits as gc
from gibbs_circuits.analysis.estimators.at_any_size import PredictedLocally, predicted
from gibbs_circuits.errors import NotConvergedError
from gibbs_circuits.models.regions import LocalStates
from gibbs_circuits.programs.initial_state import zero
from gibbs_circuits.programs.program import Guarantee, Program
from gibbs_circuits.readings.scalable import chosen
from gibbs_circuits.readings.scalable.backward import LocalReading, product_start
from gibbs_circuits.readings.scalable.chosen import NoReading, backwards, chosen_states, forwards, key_of, must_agree
from gibbs_circuits.readings.scalable.expectations import energies_by_sweep, expectations, first_sweeps
from tests.readings.scaled import after, shared
from tests.readings.scaled import expectations as dense

REGIONS = [(0, 1, 2), (1, 2, 3)]
UP = product_start(4, (0, 0, 1))


def fresh(n: int, sweeps: int = 2) -> Program:
    """A program that nothing was read of before."""
    return replace(shared(n, "abab", sweeps))


@pytest.mark.parametrize(
    ("limits", "said"),
    [({}, "light cones"), ({"CONES": 0.0}, "backward"), ({"CONES": 0.0, "PROBE": 0.0}, "density operator, bonds")],
)
def test_chosen_states__are_those_of_the_dense_channel__each_reading(monkeypatch, limits, said):
    for name, value in limits.items():
        monkeypatch.setattr(chosen, name, value)
    program = fresh(4)
    found = chosen_states(program, UP, REGIONS, 1e-6, 1e-3)
    assert found.states.source.startswith(said)
    rho = after(program, np.diag([1.0, *[0] * 15]))
    for region in REGIONS:
        off = np.linalg.norm(found.states.values[region] - dense(rho, region)) / 2
        assert off <= found.states.error + 1e-12
    assert np.linalg.norm(found.states.values[0, 1, 2] - dense(after(program, rho), (0, 1, 2))) > 1e-2  # the control


def test_chosen_states__refuse__with_the_reason_of_each_reading(monkeypatch):
    for name in ("CONES", "PROBE"):
        monkeypatch.setattr(chosen, name, 0.0)
    with pytest.raises(NotConvergedError, match=r"cones: .*Backward operators: site 2 alone.*Forwards: .*A density"):
        chosen_states(fresh(4), UP, REGIONS, seconds=1e-3)


def test_forwards__one_pass_for_all_sweeps__and_none_that_disagree():
    program = fresh(5, sweeps=3)
    start = product_start(5, (0, 0, 1))
    path = forwards(program, key_of(start), ((1, 2),), 1e-3)
    assert len(path) == 4
    rho = np.diag([1.0, *[0] * 31])
    for one in path:
        assert np.linalg.norm(one.values[1, 2] - dense(rho, (1, 2))) / 2 <= one.error + 1e-10
        rho = after(first_sweeps(program, 1), rho)
    assert isinstance(forwards(program, key_of(start), ((1, 2),), 1e-3, 0.02), NoReading)


def test_must_agree__refuses_what_is_off_by_more_than_its_error():
    values = dense(after(shared(4), np.eye(16) / 16), (0, 1, 2))
    exact, read = LocalStates({(0, 1, 2): values}, 1e-12, "exact"), LocalStates({(0, 1, 2): values}, 1e-4, "read")
    must_agree(read, exact)
    wrong = LocalStates({(0, 1, 2): np.where(np.arange(64) == 3, values + 1e-2, values)}, 1e-4, "read")
    with pytest.raises(NotConvergedError, match=r"differ by 5\.0e-03 on sites 0, 1, 2.*read is not given beside exact"):
        must_agree(wrong, exact)


def test_predicted__says_what_no_reading_tells__of_every_start(monkeypatch):
    monkeypatch.setattr(chosen, "PROBE", 0.0)
    program = fresh(9, sweeps=1)
    found = predicted(program, zero(9))
    assert isinstance(found, PredictedLocally)
    assert found.largest is None
    assert found.bound is None
    assert "not checked: site 4 alone would take more than 0 nominal seconds" in " ".join(str(found).split())
    assert found.promise(1.0).guarantee is Guarantee.GIVEN_START
    assert found.promise(found.given.largest / 2).guarantee is Guarantee.NONE


def test_energies_by_sweep__are_the_same__backwards_and_forwards(monkeypatch):
    H = gc.models.mixed_field_ising(6, J=1, h=0.9, g=0.5).hamiltonian
    first, second = fresh(6), fresh(6)
    assert isinstance(backwards(first, ((0, 1, 2),)), LocalReading)
    usual = energies_by_sweep(first, zero(6), H, (0, 1, 2))
    assert usual[2] == pytest.approx(expectations(first, zero(6), [H])[0])
    monkeypatch.setattr(chosen, "PROBE", 0.0)
    monkeypatch.setattr(chosen, "CONES", 0.0)
    assert energies_by_sweep(second, zero(6), H, (0, 1, 2)) == pytest.approx(usual, abs=0.02)
    assert abs(usual[0] - usual[1]) > 0.1  # the control
