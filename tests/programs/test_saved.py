"""Programs as JSON and back: nothing is lost, and what was changed or is for another question is refused."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import gibbs_circuits as gc
from gibbs_circuits.compiler.presets.registry import PRESETS
from gibbs_circuits.compiler.schemes.registry import SCHEMES
from gibbs_circuits.errors import ArgumentError
from gibbs_circuits.evidence import Status
from gibbs_circuits.limits import MAX_SAVED_BYTES
from gibbs_circuits.models.library.spin_chains import mixed_field_ising, tfim
from gibbs_circuits.programs.product_formulas import Group
from gibbs_circuits.programs.program import Alternative, Calibration, ErrorTerm, Guarantee, Program, Rung, Stage
from gibbs_circuits.programs.serialise import from_saved, physics_hash, to_saved
from gibbs_circuits.programs.steps import Branch, Correct, Couple, Evolve, RandomChoice, RandomDelay, Reset, Unitary
from gibbs_circuits.readings.channel.sweep_channel import sweep_channel
from gibbs_circuits.readings.circuits.cost import cost
from tests.examples import EXAMPLES, IN_TIME, build, example, ising, programs, small_preset, unrolled
from tests.strategies import moderate

DENSE = sorted(set(SCHEMES) - set(IN_TIME))
WITH_B = {"coherent_term": "compile"}


def every_step() -> Program:
    """One sweep with every kind of step, and everything else that a program may carry."""
    rng = np.random.default_rng(0)
    matrix = np.linalg.qr(rng.standard_normal((8, 8)) + 1j * rng.standard_normal((8, 8)))[0]
    unit = Evolve(0.1 + 0.2, 3, 1, without=("ZZ",))
    couple = Couple((("YI", 1.0), ("ZX", -1 / 3)), 1, np.pi / 7, -1e-17)
    steps = (
        unit,
        Correct((Group((("XI", 0.1), ("IX", 0.2))), Group((("ZZ", -2 / 3),))), -0.7, 2, 4),
        couple,
        Reset((1,)),
        Unitary(matrix, (0,), "a block", clean=True),
        Reset((0, 1)),
        RandomDelay(unit, 0, 5),
        RandomChoice((Branch(1 / 3, (couple, Reset((1,)))), Branch(2 / 3, ()))),
    )
    return Program(
        num_system=2,
        num_ancilla=2,
        groups=(Group((("ZZ", -1.0),)), Group((("IX", -0.9), ("XI", 1e-300)))),
        stages=(Stage(steps, 2), Stage((Reset((0,)),), 1)),
        generator=ising(2),
        scheme="by hand",
        knobs={"sweeps": 3, "strength": 0.1, "random_delays": (0, 5), "off": None, "yes": True, "name": "ν"},
        declared=(ErrorTerm(Rung.MIXING, 0.1, "trace_distance", Status.MEASURED, "here"),
                  ErrorTerm(Rung.DELAYS, None, "trace_distance", Status.NOT_CHECKED, "there")),
        recipe="a recipe",
        provenance="strength: 0.1, since β = 1",
        calibration=Calibration.FITTED_TO_TARGET,
        guarantee=Guarantee.GIVEN_START,
        frontier=(Alternative(4, 0.3, "less"), Alternative(5.5, None, "more")),
        preparation=True,
        worst_found=0.3125,
    )  # fmt: skip


def again(program: Program) -> Program:
    """Through the text of a file."""
    return from_saved(json.loads(json.dumps(to_saved(program))), program.generator)


def same(one: Program, other: Program) -> None:
    """Everything that a program has, but for its generator."""
    assert one.text == other.text
    assert one.hash == other.hash
    for name in (
        "num_system", "num_ancilla", "groups", "scheme", "declared", "recipe", "provenance", "calibration", "guarantee",
        "frontier", "preparation", "worst_found",
    ):  # fmt: skip
        assert getattr(one, name) == getattr(other, name), name
    assert dict(one.knobs) == dict(other.knobs)
    assert [stage.repeats for stage in one.stages] == [stage.repeats for stage in other.stages]


@pytest.mark.parametrize("guarantee", [*Guarantee, None])
def test_saved__of_the_format_before__is_a_preparation_if_it_claimed_to_be(guarantee: Guarantee | None) -> None:
    data = to_saved(replace(every_step(), guarantee=guarantee, preparation=False, worst_found=None))
    old = {key: value for key, value in data.items() if key not in ("preparation", "worst_found")}
    found = from_saved(sealed({**old, "format": 1}), ising(2))
    assert found.preparation is (guarantee is Guarantee.GIVEN_START)
    assert found.worst_found is None


# what comes back


@pytest.mark.parametrize("scheme", IN_TIME)
def test_saved__comes_back__every_scheme_in_time(scheme: str) -> None:
    program = build(ising(2, couplings="XY"), scheme)
    same(again(program), program)


@pytest.mark.parametrize(
    "scheme",
    [
        "parallel",
        "sequential",
        "random_jumps",
    ],
)
def test_saved__comes_back__coherent_term_compiled(scheme: str) -> None:
    program = build(ising(2, couplings="XY"), scheme, **WITH_B)
    assert "correct" in program.text
    same(again(program), program)


@pytest.mark.parametrize("scheme", DENSE)
def test_saved__comes_back__every_dense_scheme(scheme: str) -> None:
    program = build(ising(1, couplings="XY"), scheme)
    found = again(program)
    same(found, program)
    for stage, other in zip(found.stages, program.stages, strict=True):
        for step, one in zip(stage.steps, other.steps, strict=True):
            if isinstance(step, Unitary):
                assert np.array_equal(step.matrix, one.matrix)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_saved__comes_back__every_preset(name: str) -> None:
    program = small_preset(name)
    same(again(program), program)


@pytest.mark.parametrize("name", EXAMPLES)
def test_saved__comes_back__settled_examples(name: str) -> None:
    program = example(name)
    assert program.provenance
    same(again(program), program)


def test_saved__comes_back__every_kind_of_step() -> None:
    program = every_step()
    found = again(program)
    same(found, program)
    assert {type(step) for step in found.stages[0].steps} == {type(step) for step in program.stages[0].steps}
    assert isinstance(found.knobs["random_delays"], tuple)
    fresh = found.stages[0].steps[4]
    assert isinstance(fresh, Unitary)
    assert not fresh.matrix.flags.writeable
    assert from_saved(to_saved(program), program.generator).text == program.text  # without a file


def test_saved__comes_back__discrete_channel_as_generator() -> None:
    channel = gc.discrete(mixed_field_ising(1), 1.0, "Y", step=0.3)
    program = SCHEMES["discrete"](channel, SCHEMES["discrete"].knobs(sweeps=2))
    same(again(program), program)
    assert again(program).generator is channel


@moderate
@given(program=programs())
def test_saved__comes_back__generated_programs(program: Program) -> None:
    found = again(program)
    same(found, program)
    assert to_saved(found) == to_saved(program)


def test_saved__is_the_same_in_every_reading__parallel() -> None:
    program = build(ising(2))
    found = again(program)
    assert cost(found) == cost(program)
    assert np.array_equal(sweep_channel(found), sweep_channel(program))
    assert unrolled(found, [2, 1]) == unrolled(program, [2, 1])


def test_saved__control__a_lost_step_is_seen() -> None:
    program = build(ising(2))
    stage = program.stages[0]
    assert isinstance(stage.steps[0], Couple | Evolve)
    with pytest.raises(AssertionError):
        same(again(replace(program, stages=(Stage(stage.steps[1:], stage.repeats),))), program)
    with pytest.raises(AssertionError):
        same(again(replace(program, provenance="another")), program)


def test_save_and_load__are_the_public_way__file(tmp_path: Path) -> None:
    program = every_step()
    path = tmp_path / "program.json"
    gc.save(program, path)
    same(gc.load(path, program.generator), program)
    same(gc.load(str(path), program.generator), program)
    assert [file.name for file in tmp_path.iterdir()] == ["program.json"]  # nothing else is left behind
    assert json.loads(path.read_text("utf-8"))["frontier"][0] == asdict(program.frontier[0])


# for which physics


def test_physics_hash__is_of_hamiltonian_and_beta__alone() -> None:
    one = physics_hash(ising(2))
    terms = ising(2).model.terms
    assert physics_hash(gc.dll(gc.models.from_terms(list(reversed(terms))), 1.0, "XZ", filter="metropolis")) == one
    assert physics_hash(gc.davies(mixed_field_ising(2), 1.0)) == one
    others = [ising(2, beta=1.0 + 1e-12), ising(2, J=1.0 + 1e-12), ising(3), gc.dll(tfim(2), 1.0)]
    assert len({one, *(physics_hash(other) for other in others)}) == 5


def test_load__takes_another_generator__of_the_same_gibbs_state() -> None:
    program, other = build(ising(2)), gc.davies(mixed_field_ising(2), 1.0, "X")
    found = from_saved(to_saved(program), other)
    same(found, program)
    assert found.generator is other


@pytest.mark.parametrize("other", [ising(2, beta=1.1), ising(2, h=0.8), ising(3)], ids=["beta", "field", "sites"])
def test_load__refuses_another_gibbs_state__beta_field_or_sites(other: gc.Lindbladian, tmp_path: Path) -> None:
    path = tmp_path / "program.json"
    gc.save(build(ising(2)), path)
    with pytest.raises(ArgumentError, match="made for others") as caught:
        gc.load(path, other)
    assert caught.value.argument == "program"
    assert "compile it anew" in str(caught.value)


def test_load__says_what_is_wrong__in_one_sentence() -> None:
    for data, of in ((to_saved(every_step()), ising(2, beta=1.1)), ({**to_saved(every_step()), "format": 5}, ising(2))):
        with pytest.raises(ArgumentError) as caught:
            from_saved(data, of)
        assert str(caught.value).count("Fix:") == 1
        assert "ArgumentError" not in str(caught.value)


# what was changed


def changed(keys: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The document of `every_step` with one entry replaced."""
    data = json.loads(json.dumps(to_saved(every_step())))
    at: Any = data
    for key in keys[:-1]:
        at = at[key]
    assert at[keys[-1]] != value
    at[keys[-1]] = value
    return data


STEPS = ("stages", 0, "steps")


def sealed(data: dict[str, Any]) -> dict[str, Any]:
    """A document as its writer would have sealed it."""
    inside = {key: value for key, value in data.items() if key != "seal"}
    return {**inside, "seal": hashlib.sha256(json.dumps(inside, sort_keys=True).encode()).hexdigest()}


CHANGED: dict[str, tuple[tuple[Any, ...], Any]] = {
    "angle": ((*STEPS, 2, "angle"), 0.5),
    "last_bit": ((*STEPS, 2, "angle"), float(np.nextafter(np.pi / 7, 1))),
    "term": ((*STEPS, 2, "terms"), [["YI", 1.0]]),
    "duration": ((*STEPS, 0, "duration"), 0.3),
    "without": ((*STEPS, 0, "without"), []),
    "correction": ((*STEPS, 1, "term"), [[["XI", 0.1]]]),
    "delay": ((*STEPS, 6, "high"), 4),
    "probability": ((*STEPS, 7, "branches"), [{"probability": 1.0, "steps": []}]),
    "label": ((*STEPS, 4, "label"), "another block"),
    "clean": ((*STEPS, 4, "clean"), False),
    "repeats": (("stages", 0, "repeats"), 3),
    "coefficient": (("groups", 0, 0, 1), -1.1),
    "ancillas": (("num_ancilla",), 3),
    "hash": (("hash",), "0" * 64),
}


def test_saved__of_the_format_before__knows_of_no_search() -> None:
    old = {key: value for key, value in to_saved(every_step()).items() if key not in ("search", "seal")}
    assert from_saved(sealed({**old, "format": 2}), ising(2)).search is None
    with pytest.raises(ArgumentError, match="cannot be read"):
        from_saved(sealed({**old, "format": 3}), ising(2))


@pytest.mark.parametrize("case", CHANGED)
def test_load__refuses_what_was_changed__steps_groups_registers(case: str) -> None:
    with pytest.raises(ArgumentError, match="changed since"):
        from_saved(changed(*CHANGED[case]), ising(2))


def test_load__control__unchanged_is_taken() -> None:
    data = json.loads(json.dumps(to_saved(every_step())))
    same(from_saved(copy.deepcopy(data), ising(2)), every_step())


def test_load__refuses_a_matrix_that_was_changed__unitary() -> None:
    data = json.loads(json.dumps(to_saved(every_step())))
    flat = data["stages"][0]["steps"][4]["matrix"]
    data["stages"][0]["steps"][4]["matrix"] = [[-a, -b] for a, b in flat]  # unitary still
    with pytest.raises(ArgumentError, match="changed since"):
        from_saved(data, ising(2))


SEARCH = {"seed": 1, "effort": 2, "time_budget": 300.0, "done": 1.0, "ran_out": False, "seconds": 2.5}
BROKEN: dict[str, tuple[tuple[Any, ...], Any, str]] = {
    "format": (("format",), 5, "format 4"),
    "physics": (("physics",), "0" * 64, "Hamiltonian and β"),
    "kind": ((*STEPS, 0, "kind"), "swap", "no step is called 'swap'"),
    "delay_of_reset": ((*STEPS, 6, "unit"), {"kind": "reset", "ancillas": [0]}, "a delay repeats an evolution"),
    "matrix": ((*STEPS, 4, "matrix"), [[1.0, 0.0], [0.0, 0.0]], "cannot be read"),
    "term": ((*STEPS, 2, "terms"), 3, "cannot be read"),
    "rung": (("declared", 0, "rung"), "ladder", "cannot be read"),
    "calibration": (("calibration",), "guessed", "cannot be read"),
    "guarantee": (("guarantee",), "certain", "cannot be read"),
    "frontier": (("frontier",), [{"gates": 4}], "cannot be read"),
    "stages": (("stages",), None, "cannot be read"),
    "search": (("search",), {"seed": 1}, "cannot be read"),
    "search_words": (("search",), {**SEARCH, "seconds": "long"}, "cannot be read"),
    "extra_key": ((*STEPS, 0), {"kind": "evolve", "duration": 1.0, "without": [], "colour": 1}, "cannot be read"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_load__refuses_what_is_no_program__entry_replaced(case: str) -> None:
    keys, value, words = BROKEN[case]
    with pytest.raises(ArgumentError, match=words):
        from_saved(sealed(changed(keys, value)), ising(2))


@pytest.mark.parametrize(
    "key",
    [key for key in sorted(to_saved(every_step()))],
)
def test_load__refuses_what_is_no_program__entry_left_out(key: str) -> None:
    data = to_saved(every_step())
    del data[key]
    with pytest.raises(ArgumentError, match="program"):
        from_saved(data, ising(2))
    if key not in ("format", "physics", "seal", "hash"):
        with pytest.raises(ArgumentError, match="cannot be read"):
            from_saved(sealed(data), ising(2))


def test_load__refuses_a_broken_rule__no_repeats() -> None:
    with pytest.raises(ArgumentError, match="program"):
        from_saved(sealed(changed(("stages", 1, "repeats"), 0)), ising(2))


def test_load__refuses_what_is_no_program__knobs_as_a_list() -> None:
    with pytest.raises(ArgumentError, match="cannot be read"):
        from_saved(sealed(changed(("knobs",), [1])), ising(2))


@pytest.mark.parametrize("text", ["", "{", "program", "[1, 2]", "3", '"text"', "null", "{}", '{"format": 1}'])
def test_load__refuses_a_file__that_is_no_saved_program(text: str, tmp_path: Path) -> None:
    path = tmp_path / "program.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ArgumentError) as caught:
        gc.load(path, ising(2))
    assert caught.value.argument == "program"
    assert caught.value.fix


def test_load__refuses_a_file__that_is_missing_binary_or_a_folder(tmp_path: Path) -> None:
    binary = tmp_path / "binary.json"
    binary.write_bytes(bytes(range(256)))
    for path, words in ((tmp_path / "none.json", "No such file"), (binary, "no JSON"), (tmp_path, "Is a directory")):
        with pytest.raises(ArgumentError, match=words) as caught:
            gc.load(path, ising(2))
        assert str(path) in str(caught.value)


# what a hand, or a stranger, may write: refused in a line, before anything of that size is made


def stages(value: Any) -> dict[str, Any]:
    return changed(("stages",), value)


def choice_in_choice(depth: int) -> dict[str, Any]:
    step: dict[str, Any] = {"kind": "reset", "ancillas": [0]}
    for _ in range(depth):
        step = {"kind": "choice", "branches": [{"probability": 1.0, "steps": [step]}]}
    return step


def delay_of_delay(depth: int) -> dict[str, Any]:
    unit: dict[str, Any] = {"kind": "evolve", "duration": 1.0, "without": []}
    for _ in range(depth):
        unit = {"kind": "delay", "unit": unit, "low": 0, "high": 1}
    return unit


UNITARY = {"kind": "unitary", "ancillas": [0], "label": "u", "clean": False}
HOSTILE: dict[str, Callable[[], dict[str, Any]]] = {
    "ancillas": lambda: changed(("num_ancilla",), 10**9),
    "ancillas_huge": lambda: changed(("num_ancilla",), 10**4000),
    "ancillas_text": lambda: changed(("num_ancilla",), "2"),
    "ancillas_none": lambda: changed(("num_ancilla",), None),
    "ancillas_true": lambda: changed(("num_ancilla",), True),
    "ancillas_fraction": lambda: changed(("num_ancilla",), 2.5),
    "system": lambda: changed(("num_system",), 10**9),
    "system_infinite": lambda: changed(("num_system",), float("inf")),
    "system_nan": lambda: changed(("num_system",), float("nan")),
    "system_negative": lambda: changed(("num_system",), -1),
    "repeats": lambda: changed(("stages", 0, "repeats"), 10**18),
    "repeats_infinite": lambda: changed(("stages", 0, "repeats"), float("inf")),
    "slices": lambda: changed((*STEPS, 0, "slices"), 10**18),
    "slices_fraction": lambda: changed((*STEPS, 0, "slices"), 1.5),
    "delay": lambda: changed((*STEPS, 6, "high"), 10**18),
    "delay_text": lambda: changed((*STEPS, 6, "high"), "5"),
    "order": lambda: changed((*STEPS, 0, "order"), [2]),
    "letter": lambda: changed(("groups", 0, 0, 0), "QQ"),
    "letter_in_a_step": lambda: changed((*STEPS, 2, "terms", 0, 0), "XQ"),
    "label_of_another_width": lambda: changed(("groups", 0, 0, 0), "Z" * 100_000),
    "label_number": lambda: changed(("groups", 0, 0, 0), 10**4000),
    "coefficient_huge": lambda: changed(("groups", 0, 0, 1), 10**400),
    "coefficient_infinite": lambda: changed(("groups", 0, 0, 1), float("inf")),
    "coefficient_text": lambda: changed(("groups", 0, 0, 1), "a"),
    "ancilla_of_reset": lambda: changed((*STEPS, 3, "ancillas"), [10**9]),
    "ancilla_of_couple": lambda: changed((*STEPS, 2, "ancilla"), float("inf")),
    "ancilla_of_couple_text": lambda: changed((*STEPS, 2, "ancilla"), "1"),
    "angle_text": lambda: changed((*STEPS, 2, "angle"), "wide"),
    "angle_huge": lambda: changed((*STEPS, 2, "angle"), 10**400),
    "matrix_empty": lambda: changed((*STEPS, 4), {**UNITARY, "matrix": []}),
    "matrix_short": lambda: changed((*STEPS, 4), {**UNITARY, "matrix": [[1.0, 0.0]] * 63}),
    "matrix_of_another_width": lambda: changed((*STEPS, 4), {**UNITARY, "matrix": [[1.0, 0.0]] * 256}),
    "matrix_number": lambda: changed((*STEPS, 4), {**UNITARY, "matrix": 64}),
    "matrix_not_a_number": lambda: changed((*STEPS, 4), {**UNITARY, "matrix": [[float("nan"), 0.0]] * 64}),
    "matrix_huge": lambda: changed((*STEPS, 4), {**UNITARY, "matrix": [[10**400, 0]] * 64}),
    "ancillas_of_unitary": lambda: changed((*STEPS, 4, "ancillas"), list(range(10**5))),
    "step_number": lambda: changed((*STEPS, 4), 3),
    "step_without_kind": lambda: changed((*STEPS, 4), {}),
    "kind_list": lambda: changed((*STEPS, 4), {"kind": []}),
    "kind_long": lambda: changed((*STEPS, 4), {"kind": "k" * 100_000}),
    "choices": lambda: changed((*STEPS, 4), choice_in_choice(150)),
    "delays": lambda: changed((*STEPS, 4), delay_of_delay(150)),
    "probability": lambda: changed((*STEPS, 7, "branches", 0, "probability"), "1/3"),
    "no_stages": lambda: stages([]),
    "stage_number": lambda: stages([1]),
    "steps_text": lambda: stages([{"repeats": 1, "steps": "abc"}]),
    "knobs_text": lambda: changed(("knobs",), "a"),
    "worst_text": lambda: changed(("worst_found",), "a"),
    "worst_huge": lambda: changed(("worst_found",), 10**400),
    "frontier_key": lambda: changed(("frontier",), [{"x" * 10**5: 1}]),
    "format_list": lambda: changed(("format",), [2]),
    "hash_of_another": lambda: changed(("hash",), "0" * 64),
    "claim_of_another": lambda: changed(("groups", 0, 0, 1), -1.25),
}  # fmt: skip


def peak_of(call: Callable[[], object]) -> int:
    """Bytes that Python had allocated at most."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("case", HOSTILE)
def test_load__refuses_in_a_line_and_allocates_nothing__sealed_by_a_stranger(case: str, tmp_path: Path) -> None:
    path = tmp_path / "program.json"
    path.write_text(json.dumps(sealed(HOSTILE[case]())), encoding="utf-8")

    def refused() -> None:
        with pytest.raises(ArgumentError) as caught:
            gc.load(path, ising(2))
        assert "\n" not in str(caught.value)
        assert len(str(caught.value).replace(str(path), "program.json")) <= 400
        assert "Fix: " in str(caught.value)

    assert peak_of(refused) < 40 * path.stat().st_size + 4 * 2**20


TEXTS = {
    "brackets": "[" * 100_000,
    "objects": '{"stages": ' * 100_000,
    "digits": "9" * 5000,
    "digits_inside": '{"format": 2, "num_ancilla": ' + "9" * 5000 + "}",
    "nested_format": '{"format": ' + "[" * 900 + "]" * 900 + "}",
}


@pytest.mark.parametrize("case", TEXTS)
def test_load__refuses_in_a_line__text_that_no_parser_follows(case: str, tmp_path: Path) -> None:
    path = tmp_path / "program.json"
    path.write_text(TEXTS[case], encoding="utf-8")
    with pytest.raises(ArgumentError, match="program") as caught:
        gc.load(path, ising(2))
    assert len(str(caught.value).replace(str(path), "program.json")) <= 400


def test_load__refuses_a_claim_that_was_edited__guarantee_and_calibration(tmp_path: Path) -> None:
    for key, value in (("guarantee", "any_start"), ("calibration", "derived"), ("worst_found", 0.01)):
        path = tmp_path / "program.json"
        path.write_text(json.dumps(changed((key,), value)), encoding="utf-8")
        with pytest.raises(ArgumentError, match=r"program\.json: it was changed since.*claims are void.*Fix: "):
            gc.load(path, ising(2))


def test_load__refuses_what_is_too_large_or_no_file__before_it_reads(tmp_path: Path) -> None:
    path = tmp_path / "program.json"
    path.write_bytes(b"")
    os.truncate(path, MAX_SAVED_BYTES + 1)
    with pytest.raises(ArgumentError, match="MiB"):
        gc.load(path, ising(2))
    for place in ("/dev/zero", "/dev/null"):
        with pytest.raises(ArgumentError, match="regular file"):
            gc.load(place, ising(2))


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"num_ancilla": 10**9}, "num_ancilla"),
        ({"num_ancilla": 1.5}, "num_ancilla"),
        ({"num_system": float("inf")}, "num_system"),
        ({"stages": (Stage((Reset((0,)),), 10**18),)}, "repeats"),
        ({"stages": (Stage((Reset((0,)),), True),)}, "repeats"),
        ({"groups": (Group((("QQ", 1.0),)),)}, "letters I, X, Y, Z"),
        ({"stages": (Stage((Evolve(1.0, 10**18),), 1),)}, "slices"),
        ({"stages": (Stage((RandomDelay(Evolve(1.0), 0, 10**18),), 1),)}, "high"),
    ],
)
def test_program__refuses_what_is_beyond_the_limits__made_in_python(keys: dict[str, Any], says: str) -> None:
    with pytest.raises(gc.InvalidProgramError, match=says):
        replace(every_step(), **keys)


def test_save__refuses_what_could_not_be_loaded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gibbs_circuits.experiments.folder.MAX_SAVED_BYTES", 1000)
    with pytest.raises(ArgumentError, match=r"take at most .* MiB as a file.*Fix: "):
        gc.save(every_step(), tmp_path / "program.json")
    assert not list(tmp_path.iterdir())
