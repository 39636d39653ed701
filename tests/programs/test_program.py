"""The intermediate representation: frozen, verified, with one canonical text."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings

from gibbs_circuits.errors import InvalidProgramError
from gibbs_circuits.programs.product_formulas import Group
from gibbs_circuits.programs.program import Program, Stage
from gibbs_circuits.programs.steps import Couple, Evolve, RandomDelay, Reset, Step
from gibbs_circuits.readings.circuits.circuit import circuit
from tests.examples import EXAMPLES, build, by_hand, example, ising, programs

NAN, INF = float("nan"), float("inf")
X = (("XI", 1.0),)
CLEAN = Reset((0, 1))

BROKEN: dict[str, tuple[Step, ...]] = {
    "ancilla never reset": (Couple(X, 0, 0.1, 0.0),),
    "other ancilla reset": (Couple(X, 0, 0.1, 0.0), Reset((1,))),
    "reset before the coupling": (Reset((0,)), Couple(X, 0, 0.1, 0.0)),
    "ancilla too high": (Couple(X, 2, 0.1, 0.0), CLEAN),
    "ancilla negative": (Couple(X, -1, 0.1, 0.0), CLEAN),
    "reset of no ancilla": (Reset((2,)),),
    "reset of a system qubit": (Reset((-1,)),),
    "label too short": (Couple((("X", 1.0),), 0, 0.1, 0.0), CLEAN),
    "label too long": (Couple((("XII", 1.0),), 0, 0.1, 0.0), CLEAN),
    "angle nan": (Couple(X, 0, NAN, 0.0), CLEAN),
    "axis infinite": (Couple(X, 0, 0.1, INF), CLEAN),
    "coefficient nan": (Couple((("XI", NAN),), 0, 0.1, 0.0), CLEAN),
    "duration nan": (Evolve(NAN),),
    "no slices": (Evolve(0.1, slices=0),),
    "order unknown": (Evolve(0.1, order=3),),
    "delay low > high": (RandomDelay(Evolve(0.1), 2, 1),),
    "delay negative": (RandomDelay(Evolve(0.1), -1, 1),),
    "delay of nan": (RandomDelay(Evolve(INF), 0, 1),),
}


@pytest.mark.parametrize("steps", BROKEN.values(), ids=BROKEN.keys())
def test_program__verify__refuses(steps: tuple[Step, ...]) -> None:
    with pytest.raises(InvalidProgramError, match="Program breaks a rule in stage 0"):
        by_hand(steps, 2)


@pytest.mark.parametrize("label", ["Z", "ZZZ"])
def test_program__verify__refuses_hamiltonian_of_other_width(label: str) -> None:
    program = by_hand([Evolve(0.1)], 1)
    with pytest.raises(InvalidProgramError, match="groups"):
        dataclasses.replace(program, groups=(Group(((label, 1.0),)),))


@pytest.mark.parametrize("coefficient", [NAN, INF])
def test_program__verify__refuses_hamiltonian_that_is_not_finite(coefficient: float) -> None:
    with pytest.raises(InvalidProgramError, match="groups"):
        by_hand([Evolve(0.1)], 1, [("ZZ", coefficient)])


def test_program__verify__refuses_empty_and_unrepeated() -> None:
    program = by_hand([Evolve(0.1)], 1)
    for change in ({"stages": ()}, {"num_ancilla": 0}, {"num_system": 0}):
        with pytest.raises(InvalidProgramError):
            dataclasses.replace(program, **change)
    with pytest.raises(InvalidProgramError, match="repeats"):
        by_hand([Evolve(0.1)], 1, repeats=0)


def test_program__verify__names_stage_and_step() -> None:
    good, bad = Stage((Evolve(0.1),), 1), Stage((Evolve(0.1), Evolve(NAN)), 1)
    with pytest.raises(InvalidProgramError, match="stage 1, step 1"):
        dataclasses.replace(by_hand([Evolve(0.1)], 1), stages=(good, bad))


@settings(deadline=None, derandomize=True, max_examples=40)
@given(programs())
def test_program__verify__accepts_what_schemes_write(program: Program) -> None:
    program.verify()


def test_program__frozen__nothing_can_be_assigned() -> None:
    program = build(ising(2))
    for name in ("num_system", "stages", "knobs", "groups"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(program, name, None)
    with pytest.raises(TypeError):
        program.knobs["sweeps"] = 3  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        program.stages[0].steps[0].angle = 1.0  # type: ignore[union-attr, misc]


def test_program__knobs__are_a_copy() -> None:
    knobs = {"strength": 1.0}
    program = dataclasses.replace(build(ising(2)), knobs=knobs)
    knobs["strength"] = 2.0
    assert program.knobs["strength"] == 1.0


@settings(deadline=None, derandomize=True, max_examples=25)
@given(programs())
def test_program__hash__equal_for_equal_programs(program: Program) -> None:
    again = build(program.generator, program.scheme, **program.knobs)
    assert again is not program
    assert again.text == program.text
    assert again.hash == program.hash
    assert len(program.hash) == 64


CHANGES: dict[str, dict[str, Any]] = {
    "sweeps": {"sweeps": 3},
    "strength": {"strength": 0.8000000001},
    "spacing": {"spacing": 0.31},
    "nodes": {"nodes": 4},
    "order": {"trotter_order": 1},
    "delays": {"random_delays": (1, 4)},
    "no delays": {"random_delays": (0, 0)},
    "truncation": {"truncation": 0.7},
    "ancillas": {"ancillas": 1},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_program__hash__differs_for_another_knob(change: dict[str, Any]) -> None:
    assert build(ising(2), **change).hash != build(ising(2)).hash


def test_program__hash__differs_for_another_physics() -> None:
    hashes = [
        build(generator, scheme).hash
        for scheme in ("parallel", "sequential")
        for generator in (ising(2), ising(3), ising(2, beta=1.1), ising(2, couplings="X"), ising(2, g=0.4))
    ]
    assert len(set(hashes)) == len(hashes)


def test_program__hash__independent_of_seed_and_provenance() -> None:
    program = build(ising(2))
    circuits = [circuit(program, seed=seed) for seed in (1, 2, 3)]
    assert {qc.metadata["program"] for qc in circuits} == {program.hash}
    assert len({tuple(qc.metadata["draws"]) for qc in circuits}) > 1
    assert dataclasses.replace(program, provenance="elsewhere").hash == program.hash


@pytest.mark.parametrize("name", EXAMPLES)
def test_program__text__is_complete_and_readable(name: str) -> None:
    program = example(name)
    lines = program.text.splitlines()
    assert lines[0] == f"program system={program.num_system} ancilla={program.num_ancilla}"
    assert sum(line.startswith("group") for line in lines) == len(program.groups)
    assert f"stage repeats={program.sweeps}" in lines
    assert sum(line.startswith("  ") for line in lines) == sum(len(stage.steps) for stage in program.stages)


def test_couple__rotations__commuting_once_others_mirrored() -> None:
    commuting = Couple((("XI", 1.0), ("IX", 0.5)), 0, 0.4, 0.0).rotations()
    assert commuting == (("XI", 0.4), ("IX", 0.2))
    mirrored = Couple((("XI", 1.0), ("ZI", 0.5), ("YI", 0.1)), 0, 0.4, 0.0).rotations()
    assert mirrored == tuple(reversed(mirrored))
    assert sum(angle for label, angle in mirrored if label == "XI") == pytest.approx(0.4)
    assert sum(angle for label, angle in mirrored if label == "YI") == pytest.approx(0.04)


def test_delay__mean__is_the_middle() -> None:
    assert RandomDelay(Evolve(0.1), 2, 7).mean == 4.5
