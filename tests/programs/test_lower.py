"""Every kind of step is one of six primitives, and no other file asks a step for its class."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import gibbs_circuits
from gibbs_circuits.programs.lower import lower
from gibbs_circuits.programs.product_formulas import Group
from gibbs_circuits.programs.serialise import from_saved, to_saved
from gibbs_circuits.programs.steps import (
    Branch,
    Correct,
    Couple,
    Evolve,
    RandomChoice,
    RandomDelay,
    Reset,
    Step,
    Unitary,
    flat,
    renumbered,
)
from gibbs_circuits.programs.transforms import split_steps
from gibbs_circuits.readings.channel.sweep_channel import sweep_channel
from tests.examples import by_hand

PACKAGE = Path(gibbs_circuits.__file__).parent
CLASSES = [step.__name__ for step in (Evolve, Correct, Couple, Unitary, Reset, RandomDelay, RandomChoice)]
ASKS = re.compile(rf"(isinstance\([^)]*|case |type\([^)]*\) (is|==|in) .*)\b({'|'.join([*CLASSES, 'Step', 'Draw'])})\b")
MAY_ASK = {"programs/steps/steps.py"}

X = (("XI", 0.7),)
STEPS: dict[str, Step] = {
    "exponential": Evolve(0.4, 2),
    "exponential of its own": Correct((Group(X),), 0.3, 1, 1),
    "coupling": Couple(X, 0, 0.2, 0.1),
    "unitary": Unitary(np.kron(np.eye(2), np.kron([[0, 1], [1, 0]], [[1, 0], [0, 1j]])), (1,), "block"),
    "reset": Reset((0, 1)),
    "delay": RandomDelay(Evolve(0.4), 1, 3),
    "choice": RandomChoice((Branch(0.25, ()), Branch(0.75, (Couple(X, 1, 0.3, 0.0), Reset((1,)))))),
}


class Names:
    """A reading that says which primitive it was given."""

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return lambda step: name


@pytest.mark.parametrize("name", STEPS)
def test_lower__every_kind_of_step__is_one_primitive(name: str) -> None:
    assert lower(STEPS[name], Names()) == name.split()[0]


def test_lower__every_class_of_step__has_its_example() -> None:
    def classes(of: type) -> Iterator[type]:
        for one in of.__subclasses__():
            yield from classes(one)
            if one.__module__.startswith("gibbs_circuits") and not one.__subclasses__():
                yield one

    assert set(classes(Step)) == {type(step) for step in STEPS.values()}


def test_lower__control__a_step_without_a_primitive_is_refused() -> None:
    class Swap(Step):
        text = "swap"

    with pytest.raises(AttributeError, match=r"Swap.*primitive"):
        lower(Swap(), Names())


def test_no_file__asks_a_step_for_its_class__but_their_own() -> None:
    files = {str(path.relative_to(PACKAGE)): path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
    assert {name for name, text in files.items() if ASKS.search(text)} == MAY_ASK


@pytest.mark.parametrize(
    "line", ["isinstance(step, Couple)", "case Couple():", "type(step) is Reset", "case Evolve() |"]
)
def test_no_file__control__the_questions_are_recognised(line: str) -> None:
    assert ASKS.search(line)


@pytest.mark.parametrize("name", STEPS)
def test_step__answers_agree__touches_resets_options_text(name: str) -> None:
    step = STEPS[name]
    assert step.random == bool(step.options)
    assert not (set(step.touches) & set(step.resets))
    swapped = renumbered([step], {0: 1, 1: 0})[0]
    assert renumbered([swapped], {0: 1, 1: 0})[0].text == step.text
    touched = {ancilla for one in flat([step]) for ancilla in one.touches}
    assert (swapped.text != step.text) == bool({0, 1} & touched or step.resets)
    assert step.mapped(lambda inner: inner).text == step.text


def test_sweep__of_every_kind_of_step__is_saved_and_keeps_the_trace() -> None:
    program = by_hand([*STEPS.values()], 2)
    again = from_saved(to_saved(program), program.generator)
    assert again.text == program.text
    channel, trace = sweep_channel(program), np.eye(4).reshape(-1)
    assert trace @ channel == pytest.approx(trace, abs=1e-12)


def test_split_steps__cuts__where_all_ancillas_are_back_and_around_what_is_drawn_there() -> None:
    first, second, delay = Couple(X, 0, 0.2, 0.1), Couple(X, 1, 0.3, 0.0), STEPS["delay"]
    one_of_two = (first, second, Reset((0,)), Evolve(0.4), Reset((1,)), first, Reset((0, 1)))
    assert [len(part) for part in split_steps(one_of_two)] == [5, 2]
    assert [len(part) for part in split_steps((Evolve(0.4), delay, first, delay, Reset((0,)), delay))] == [1, 1, 3, 1]


def test_free_time__of_a_random_step__is_the_mean_over_its_draws() -> None:
    unequal = RandomChoice(
        (Branch(0.25, (Evolve(0.4),)), Branch(0.75, (Evolve(0.2), Couple(X, 0, 0.1, 0.0), Evolve(1))))
    )
    chances = {unequal: {0: 0.25, 1: 0.75}, RandomDelay(Evolve(0.4), 1, 3): dict.fromkeys((1, 2, 3), 1 / 3)}
    for step, draws in chances.items():
        times = {k: sum(one.duration for one in step.performed(iter([k])) if one.kind == "evolve") for k in draws}
        assert step.free_time == pytest.approx(sum(draws[k] * times[k] for k in draws))
