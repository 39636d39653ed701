"""Ask for an accuracy: what a search returns, what it may claim, and that the claim holds on the circuit."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit, qasm3, transpile
from qiskit_aer import AerSimulator

import gibbs_circuits as gc
from gibbs_circuits.backends.simulators.noisy_channel import try_noisy_prediction
from gibbs_circuits.backends.transpile.transpile import compile_for, gates_anywhere
from gibbs_circuits.cli import options as cli
from gibbs_circuits.compiler.base import AUTO
from gibbs_circuits.errors import ArgumentError, TooLargeError
from gibbs_circuits.evidence import Status
from gibbs_circuits.experiments import pipeline, schemes
from gibbs_circuits.experiments.choices import make_scheme
from gibbs_circuits.experiments.schemes import CompileTask
from gibbs_circuits.io.files import sealed
from gibbs_circuits.programs.initial_state import InitialState, zero
from gibbs_circuits.programs.product_formulas import Group
from gibbs_circuits.programs.program import Calibration, Guarantee, Program, Rung, Stage
from gibbs_circuits.programs.serialise import to_saved
from gibbs_circuits.programs.steps import Correct, Couple, RandomChoice, RandomDelay
from gibbs_circuits.readings.circuits.cost import cost
from gibbs_circuits.search import auto, cache
from gibbs_circuits.search.candidates import Candidate, cheapest, frontier, nearest, never_worse
from gibbs_circuits.search.derived.large import mapped
from gibbs_circuits.search.patched import DoesNotTransferError
from gibbs_circuits.search.product_state import mean_field, nearest_product, without_gates
from gibbs_circuits.search.task import SearchTask
from tests.clocks import brief_steps, within
from tests.examples import build, channel_of, distance, evolved, ising, lowered, unrolled
from tests.experiments.test_experiment import toml, write
from tests.systems import boltzmann, dense

MIXED = {"J": 1, "h": 0.9, "g": 0.5}
EFFORT = {2: 2, 3: 3}  # nominal seconds
TARGET = {"any_start": {2: 0.15, 3: 0.25}, "given_start": {2: 0.1, 3: 0.13}}
FITTED = [
    pytest.param(sites, guarantee, marks=pytest.mark.slow if sites == 3 else ())
    for sites in (2, 3)
    for guarantee in ("any_start", "given_start")
]
Call = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture(autouse=True, scope="module")
def brief() -> Iterator[None]:
    """A step of effort is a nominal second."""
    with brief_steps():
        yield


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees what another one found, nor what its user did."""
    folder = tmp_path / "cache"
    monkeypatch.setenv(cache.VARIABLE, str(folder))
    return folder


def generator(sites: int = 2, **changes: Any) -> gc.Lindbladian:
    model = gc.models.mixed_field_ising(sites, **MIXED)
    return gc.dll(model, **{"beta": 1.0, "couplings": "Y", **changes})


@lru_cache
def searched(sites: int, guarantee: str, calibration: str = "fitted_to_target", target: float | None = None) -> Program:
    asked = TARGET[guarantee][sites] if target is None else target
    return gc.compile(
        generator(sites), "auto", asked, guarantee=guarantee, calibration=calibration, effort=EFFORT[sites],
        initial="zero",
    )  # fmt: skip


def claimed(program: Program) -> float:
    """The distance that the guarantee is about, as the ledger has it."""
    line = program.declared[-1]
    assert (line.rung, line.unit) == (Rung.MIXING, "trace_distance")
    assert line.value is not None
    return line.value


def ising_terms(sites: int) -> list[tuple[str, float]]:
    """H written out once more: −J ZZ − h X − g Z."""

    def at(letters: dict[int, str]) -> str:
        return "".join(letters.get(q, "I") for q in reversed(range(sites)))

    bonds = [(at({q: "Z", q + 1: "Z"}), -1.0) for q in range(sites - 1)]
    return [*bonds, *((at({q: "X"}), -0.9) for q in range(sites)), *((at({q: "Z"}), -0.5) for q in range(sites))]


def sigma(sites: int) -> np.ndarray:
    return boltzmann(dense(ising_terms(sites)), 1.0)


def pure(dim: int, rng: np.random.Generator) -> np.ndarray:
    psi = rng.standard_normal(dim) + 1j * rng.standard_normal(dim)
    psi /= np.linalg.norm(psi)
    return np.outer(psi, psi.conj())


def after(program: Program, rho: np.ndarray) -> np.ndarray:
    """The state after all sweeps of a program without random steps, by Qiskit on the lowered circuit."""
    assert not random(program)
    return evolved(lowered(unrolled(program, [])), rho)


def random(program: Program) -> bool:
    return any(isinstance(step, RandomDelay) for stage in program.stages for step in stage.steps)


def in_the_mean(program: Program, rho: np.ndarray) -> np.ndarray:
    """The state after one sweep, over all draws of its random choices, by Qiskit on the lowered circuits."""
    choices = [step.branches for step in program.stages[0].steps if isinstance(step, RandomChoice)]
    total = np.zeros_like(rho, dtype=complex)
    for drawn in itertools.product(*(range(len(branches)) for branches in choices)):
        weight = float(np.prod([b[k].probability for b, k in zip(choices, drawn, strict=True)]))
        total += weight * evolved(lowered(unrolled(program, drawn)), rho)
    return total


def mean_channel(program: Program) -> np.ndarray:
    """All sweeps, the mean over every draw of the delays, by Qiskit; on the smallest systems."""
    total = np.eye(4**program.num_system, dtype=complex)
    for stage in program.stages:
        one = replace(program, stages=(Stage(stage.steps, 1),))
        ranges = [range(s.low, s.high + 1) for s in stage.steps if isinstance(s, RandomDelay)]
        draws = list(itertools.product(*ranges))
        mean = sum(channel_of(lowered(unrolled(one, drawn)), program.num_system) for drawn in draws) / len(draws)
        total = np.linalg.matrix_power(mean, stage.repeats) @ total
    return total


def turned(program: Program, by: float = 0.4) -> Program:
    """Negative control: an angle of the first stage's first rotations, changed."""
    stage = program.stages[0]
    steps = list(stage.steps)
    index = next(k for k, step in enumerate(steps) if isinstance(step, Correct))
    step = steps[index]
    assert isinstance(step, Correct)
    (label, value), *rest = step.term[0].terms
    steps[index] = replace(step, term=(Group(((label, value + by), *rest)), *step.term[1:]))
    return replace(program, stages=(Stage(tuple(steps), stage.repeats), *program.stages[1:]))


# what is claimed, measured again


@pytest.mark.parametrize(("sites", "guarantee"), FITTED)
def test_fitted__meets_the_target__and_says_so(sites: int, guarantee: str) -> None:
    program = searched(sites, guarantee)
    assert program.guarantee is Guarantee(guarantee)
    assert program.calibration is Calibration.FITTED_TO_TARGET
    assert program.scheme == AUTO
    assert claimed(program) <= TARGET[guarantee][sites]
    assert program.provenance.startswith(f"the cheapest of {len(program.frontier)} on the frontier that meets")
    assert f"distance {claimed(program):.4f}, measured" in program.provenance


@pytest.mark.parametrize("sites", [2, 3])
def test_fitted__any_start__holds_from_random_starts(sites: int) -> None:
    program, exact, rng = searched(sites, "any_start"), sigma(sites), np.random.default_rng(sites)
    starts = [pure(2**sites, rng) for _ in range(5)] + [np.diag(row) for row in np.eye(2**sites)[[0, -1]]]
    found = [distance(after(program, rho), exact) for rho in starts]
    assert max(found) <= claimed(program) + 1e-6
    assert max(found) > claimed(program) / 20  # a bound that means something


def test_fitted__any_start__has_its_fixed_point_within_the_target() -> None:
    program, exact = searched(2, "any_start"), sigma(2)
    one = channel_of(lowered(unrolled(replace(program, stages=(Stage(program.stages[0].steps, 1),)), [])), 2)
    rho = (np.linalg.matrix_power(one, 400) @ (np.eye(4) / 4).ravel(order="F")).reshape(4, 4, order="F")
    assert distance(rho, exact) <= claimed(program) + 1e-9


@pytest.mark.parametrize("sites", [2, 3])
def test_fitted__given_start__is_at_the_claimed_distance(sites: int) -> None:
    program = searched(sites, "given_start")
    start = np.zeros((2**sites, 2**sites))
    start[0, 0] = 1
    assert distance(in_the_mean(program, start), sigma(sites)) == pytest.approx(claimed(program), abs=1e-9)
    assert program.sweeps == 1


def test_fitted__control__a_turned_angle_is_another_distance() -> None:
    program, start = searched(2, "given_start"), np.diag([1.0, 0, 0, 0])
    assert distance(after(turned(program), start), sigma(2)) != pytest.approx(claimed(program), abs=1e-3)
    sampler, rng = searched(2, "any_start"), np.random.default_rng(0)
    turns = [turned(sampler, by) for by in (0.8, 1.2, 1.6, 2.0)]  # one alone may come out nearer than the claim
    found = [distance(after(one, pure(4, rng)), sigma(2)) for one in turns for _ in range(8)]
    assert max(found) > claimed(sampler) + 1e-3


@pytest.mark.slow
def test_derived__holds_from_random_starts__mean_over_all_draws() -> None:
    program, exact, rng = searched(2, "any_start", "derived"), sigma(2), np.random.default_rng(5)
    assert program.calibration is Calibration.DERIVED
    assert program.guarantee is Guarantee.ANY_START
    whole = mean_channel(program)
    for _ in range(200):
        rho = (whole @ pure(4, rng).ravel(order="F")).reshape(4, 4, order="F")
        assert distance(rho, exact) <= claimed(program) + 1e-6
    assert claimed(program) <= TARGET["any_start"][2]


@pytest.mark.parametrize("guarantee", ["any_start", "given_start"])
def test_search__impossible_target__claims_nothing(guarantee: str) -> None:
    program = searched(2, guarantee, target=1e-6)
    assert program.guarantee is Guarantee.NONE
    assert program.provenance.startswith("none meets 1e-06; the nearest of")
    assert claimed(program) > 1e-6
    known = [one for one in program.frontier if one.distance is not None]
    least = min(one.distance for one in known if one.distance is not None)
    assert claimed(program) <= 1.3 * least + 1e-4  # the shortest of those little farther than the nearest
    shorter = [one for one in known if one.two_qubit_gates < next(one for one in known if one.chosen).two_qubit_gates]
    assert all(one.distance is not None and one.distance > 1.3 * least - 1e-4 for one in shorter)


def test_search__patch_refused__is_derived_and_says_why() -> None:
    program = searched(2, "any_start", "patch")
    assert program.calibration is Calibration.DERIVED
    assert program.guarantee is Guarantee.ANY_START
    assert "patch refused: 2 sites have no smaller pieces" in program.provenance


def test_search__fit_refused__is_derived_and_says_why() -> None:
    program = gc.compile(
        generator(), "auto", 0.2, guarantee="given_start", calibration="fitted_to_target", effort=1,
        initial="mixed",
    )  # fmt: skip
    assert program.calibration is Calibration.DERIVED
    assert "fitted_to_target refused: the start is mixed" in program.provenance


def test_search__easy_target__needs_no_gate() -> None:
    program = gc.compile(generator(), "auto", 0.25, guarantee="given_start", calibration="fitted_to_target", effort=1)
    assert cost(program).two_qubit_gates == 0
    assert program.guarantee is Guarantee.GIVEN_START


# what is shown beside it


@pytest.mark.parametrize(("sites", "guarantee"), FITTED)
def test_frontier__is_one__and_has_the_program(sites: int, guarantee: str) -> None:
    program = searched(sites, guarantee)
    gates = [one.two_qubit_gates for one in program.frontier]
    distances = [one.distance for one in program.frontier]
    assert gates == sorted(set(gates))
    assert distances == sorted(distances, reverse=True)
    (chosen,) = [one for one in program.frontier if one.chosen]
    assert chosen.two_qubit_gates == gates_anywhere(program)
    assert chosen.distance == pytest.approx(claimed(program), abs=2e-3)  # another search for the worst start
    cheaper = [one for one in program.frontier if one.two_qubit_gates < chosen.two_qubit_gates]
    met = [one for one in cheaper if one.distance <= TARGET[guarantee][sites]]
    assert all("product state, mean over draws" in one.note for one in met)  # random gates were not asked for
    assert all(one.distance > claimed(program) for one in met)
    assert all(one.note.startswith(("fitted_to_target: ", "derived: ")) for one in program.frontier)
    assert program.knobs["sweeps"] == program.sweeps


def point(gates: float, far: float) -> Candidate[Program]:
    return Candidate(build(ising(2)), gates, far)


def test_candidates__frontier_and_cheapest__by_hand() -> None:
    some = [point(9, 0.1), point(4, 0.5), point(9, 0.05), point(12, 0.05), point(6, 0.6), point(20, 0.01)]
    assert [(one.two_qubit_gates, one.distance) for one in frontier(some)] == [(4, 0.5), (9, 0.05), (20, 0.01)]
    assert cheapest(some, 0.5) is some[1]
    assert cheapest(some, 0.05) is some[2]
    assert cheapest(some, 0.001) is None


def test_chosen__drops_what_reads_worse__a_candidate_that_boasts() -> None:
    honest = searched(2, "given_start")
    boasting = turned(honest, 1.0)
    wanted = wish(target=0.1)
    start = np.diag([1.0, 0, 0, 0]).astype(complex)
    np.testing.assert_array_equal(wanted.start_density, start)
    offered = [Candidate(boasting, 1, 0.09, "boast"), Candidate(honest, 2, claimed(honest), "honest")]
    found = auto._chosen(wanted, offered, [], lambda text: None)
    assert found.program.guarantee is Guarantee.GIVEN_START
    assert found.program.hash == honest.hash
    assert "boast: read anew it is at" in found.program.provenance
    alone = auto._chosen(wanted, offered[:1], [], lambda text: None)
    assert alone.program.guarantee is Guarantee.NONE
    assert claimed(alone.program) == pytest.approx(distance(after(boasting, start), sigma(2)), abs=1e-9)


def test_chosen__takes_another__that_a_boast_had_beaten() -> None:
    honest = searched(2, "given_start")
    offered = [Candidate(turned(honest, 1.0), 1, 0.01, "boast"), Candidate(honest, 2, claimed(honest), "honest")]
    found = auto._chosen(wish(target=0.1), offered, [], lambda text: None)
    assert found.program.guarantee is Guarantee.GIVEN_START
    assert found.program.hash == honest.hash


# what a sampler's circuit is made of


def partners(qc: QuantumCircuit, sites: int) -> list[list[int]]:
    """Of every site the qubits that it meets, in order."""
    met: list[list[int]] = [[] for _ in range(sites)]
    for item in qc.data:
        on = [qc.find_bit(q).index for q in item.qubits]
        if len(on) == 2:
            for mine, other in (on, reversed(on)):
                if mine < sites:
                    met[mine].append(other)
    return met


def wipes(sweep: QuantumCircuit, sites: int) -> bool:
    """Whether a site is reset or swapped, or meets ancillas twice with no other site in between, sweep after sweep."""
    names = {item.operation.name for item in sweep.data}
    on_sites = any(
        item.operation.name == "reset" and sweep.find_bit(q).index < sites for item in sweep.data for q in item.qubits
    )
    twice = any(
        a >= sites and b >= sites for met in partners(sweep, sites) for a, b in itertools.pairwise([*met, *met])
    )
    return on_sites or "swap" in names or twice


def one_sweep(program: Program, steps: Sequence[Any] | None = None) -> QuantumCircuit:
    """A sweep in CZ gates, as few as its rotations need."""
    stage = Stage(tuple(steps or program.stages[0].steps), 1)
    qc = unrolled(replace(program, stages=(stage,)), [])
    return transpile(qc, basis_gates=["cz", "u", "reset"], optimization_level=2, seed_transpiler=1)


@pytest.mark.parametrize("sites", [2, 3])
def test_any_start__never_wipes_a_site__sweep_after_sweep(sites: int) -> None:
    program = searched(sites, "any_start")
    sweep = one_sweep(program)
    assert not wipes(sweep, sites)
    count = sweep.count_ops()
    assert set(count) <= {"cz", "u", "reset"}
    assert count["cz"] == program.knobs["cz_per_sweep"]
    assert count["cz"] * program.sweeps == cost(program).two_qubit_gates
    assert len(program.stages) == 1


def test_wipes__control__a_second_meeting_is_seen() -> None:
    program = searched(2, "any_start")
    steps = list(program.stages[0].steps)
    site_meets = next(k for k, s in enumerate(steps) if isinstance(s, Couple) and set(s.terms[0][0]) != {"I"})
    between = Couple((("II", 1.0),), steps[site_meets].ancilla, 0.7, 0.3)
    assert wipes(one_sweep(program, [*steps[: site_meets + 1], between, *steps[site_meets:]]), 2)
    reset = QuantumCircuit(4)
    reset.reset(0)
    assert wipes(reset, 2)


# the same question again


def wish(**changes: Any) -> SearchTask:
    made = {
        "generator": generator(), "target_error": 0.3, "guarantee": Guarantee.GIVEN_START,
        "calibration": Calibration.FITTED_TO_TARGET, "start": np.eye(4, dtype=complex)[0], "effort": 1, "seed": 1,
    }  # fmt: skip
    made["target_error"] = changes.pop("target", made["target_error"])
    return SearchTask(**{**made, **changes})


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[SearchTask]:
    """Searches that are made; what they find is always the same small program."""
    asked: list[SearchTask] = []

    def find(wanted: SearchTask, progress: Any) -> list[Candidate[Program]]:
        asked.append(wanted)
        made = replace(build(wanted.generator, sweeps=len(asked)), guarantee=wanted.guarantee)
        return [Candidate(made, 0, 0.0)]

    monkeypatch.setattr(schemes, "find", find)
    return asked


def ask(of: gc.Lindbladian | None = None, target: float = 0.3, **changes: Any) -> Program:
    given = {"guarantee": "given_start", "calibration": "fitted_to_target", "effort": 1, **changes}
    return gc.compile(of or generator(), "auto", target, **given)


def test_cache__asked_again__searches_no_more(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    first = ask(target=0.1, effort=1)
    assert [path.suffix for path in own_cache.iterdir()] == [".json"]

    def never(*arguments: Any) -> None:
        raise AssertionError("a search")

    monkeypatch.setattr(schemes, "find", never)
    again = ask(target=0.1, effort=1)
    assert to_saved(again) == to_saved(first)
    with pytest.raises(AssertionError, match="a search"):
        ask(target=0.1, effort=1, seed=2)


OTHER_QUESTIONS: dict[str, dict[str, Any]] = {
    "target": {"target": 0.31},
    "guarantee": {"guarantee": "any_start"},
    "calibration": {"calibration": "patch"},
    "effort": {"effort": 2},
    "seed": {"seed": 2},
    "start": {"initial": "one"},
    "mixed_start": {"initial": "mixed"},
    "randomness": {"randomness": "classical"},
    "gate_errors": {"gate_errors": True, "backend": "aer_noisy"},
    "beta": {"of": generator(beta=1.1)},
    "couplings": {"of": generator(couplings="X")},
    "coherent": {"of": generator(coherent="none")},
    "field": {"of": gc.dll(gc.models.mixed_field_ising(2, J=1, h=0.9, g=0.4), 1.0, "Y")},
}


@pytest.mark.parametrize("case", OTHER_QUESTIONS)
def test_cache__another_question__is_another_key(case: str, counted: list[SearchTask], own_cache: Path) -> None:
    first = ask()
    assert ask().hash == first.hash
    assert len(counted) == 1
    ask(**OTHER_QUESTIONS[case])
    assert len(counted) == 2
    assert len(list(own_cache.iterdir())) == 2


@pytest.mark.parametrize("case", ["filter", "window", "bath"])
def test_cache__another_filter_bath_or_window__is_another_key(case: str) -> None:
    model, none = gc.models.mixed_field_ising(2), {"coherent": "none"}
    one, other = {
        "filter": lambda: (gc.dll(model, 1.0, **none), gc.dll(model, 1.0, filter="metropolis", **none)),
        "window": lambda: (gc.ckg(model, 1.0, sigma_E=0.5, **none), gc.ckg(model, 1.0, sigma_E=0.7, **none)),
        "bath": lambda: (gc.davies(model, 1.0, bath=gc.baths.ohmic(1.0)), gc.davies(model, 1.0, bath=BATH)),
    }[case]()
    assert cache.key(wish(generator=one)) != cache.key(wish(generator=other))


BATH = gc.baths.ohmic(1.0, cutoff=0.5)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"format": 99}', "other"])
def test_cache__broken_file__is_ignored_and_replaced(text: str, counted: list[SearchTask], own_cache: Path) -> None:
    first = ask()
    (path,) = own_cache.iterdir()
    if text == "other":  # a program, but of another β
        text = json.dumps(to_saved(build(generator(beta=2.0))))
    path.write_text(text, encoding="utf-8")
    assert ask().sweeps == 2
    assert len(counted) == 2
    assert ask().sweeps == 2
    assert len(counted) == 2
    assert first.sweeps == 1


@pytest.mark.parametrize(
    "change", [{"knobs": []}, {"num_ancilla": 0}, {"hash": ...}], ids=["knobs", "ancillas", "no_hash"]
)
def test_cache__damaged_program__is_ignored(change: dict[str, Any], counted: list[SearchTask], own_cache: Path) -> None:
    ask()
    (path,) = own_cache.iterdir()
    kept = json.loads(path.read_text("utf-8"))
    assert kept["program"].keys() >= change.keys()
    program = {key: value for key, value in {**kept["program"], **change}.items() if value is not ...}
    path.write_text(json.dumps(sealed({**kept, "program": sealed(program)})), encoding="utf-8")
    assert ask().sweeps == 2
    assert ask().sweeps == 2  # and was kept in its place


DEEP = "[" * 100_000


@pytest.mark.parametrize("text", [DEEP, '{"program": ' * 100_000, "9" * 5000, '{"key": ' + "9" * 5000 + "}", "\0" * 99])
def test_cache__hostile_file__is_ignored_and_replaced(text: str, counted: list[SearchTask], own_cache: Path) -> None:
    ask()
    (path,) = own_cache.iterdir()
    path.write_text(text, encoding="utf-8")
    ask()
    ask()
    assert len(counted) == 2


def test_cache__every_byte_flipped_or_cut__is_as_good_as_none(own_cache: Path) -> None:
    wanted = wish()
    program = build(generator())
    cache.keep(wanted, program)
    (path,) = own_cache.iterdir()
    found, text = cache.known(wanted), path.read_bytes()
    assert found is not None
    assert to_saved(found) == to_saved(program)
    taken = 0
    for place in range(0, len(text), 7):
        path.write_bytes(text[:place] + bytes([text[place] ^ (1 << place % 8)]) + text[place + 1 :])
        found = cache.known(wanted)
        assert found is None or to_saved(found) == to_saved(program)
        taken += found is not None
        path.write_bytes(text[:place])
        assert cache.known(wanted) is None
    assert taken < len(text) / 7 / 10  # white space
    path.write_bytes(text)
    assert cache.known(wanted) is not None


def test_cache__file_of_another_question__is_as_good_as_none(own_cache: Path) -> None:
    one, other = wish(), wish(target_error=0.31)
    cache.keep(one, build(generator()))
    (path,) = own_cache.iterdir()
    path.rename(own_cache / f"{cache.key(other)}.json")
    assert cache.known(other) is None
    cache.keep(other, build(generator()))
    assert cache.known(other) is not None


@pytest.mark.parametrize("place", ["file", "file/deeper", "pipe"])
def test_cache__folder_that_is_none__is_no_cache_and_said_once(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / place))
    cache._say.cache_clear()
    wanted, program = wish(), build(generator())
    for _ in range(3):
        assert cache.known(wanted) is None
        cache.keep(wanted, program)
    said = capsys.readouterr().err.splitlines()
    assert 1 <= len(said) <= 2  # reading and keeping
    assert all(cache.VARIABLE in line and "Fix: " in line for line in said)


def test_cache__that_cannot_be_written__is_no_failure(
    counted: list[SearchTask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file" / "deeper"))
    ask()
    ask()
    assert len(counted) == 2


def test_cache__folder__is_where_the_variables_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache.folder() == tmp_path / "cache"
    monkeypatch.delenv(cache.VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "gibbs_circuits"


# public function and files


@pytest.mark.parametrize(
    ("knobs", "key"),
    [
        ({"guarantee": "any"}, "guarantee"),
        ({"calibration": "fit"}, "calibration"),
        ({"time_budget": 0}, "time_budget"),
        ({"time_budget": float("inf")}, "time_budget"),
        ({"time_budget": True}, "time_budget"),
        ({"time_budget": 1e7}, "time_budget"),
        ({"effort": 0}, "effort"),
        ({"effort": float("nan")}, "effort"),
        ({"effort": True}, "effort"),
        ({"effort": 10**6}, "effort"),
        ({"randomness": "quantum"}, "randomness"),
        ({"gate_errors": 1}, "gate_errors"),
        ({"nodes": 3}, "nodes"),
        ({"sweeps": 3}, "sweeps"),
        ({"program": 3}, "program"),
        ({"initial": "011"}, "initial"),
        ({"seed": -1}, "seed"),
    ],
)
def test_compile__refuses_bad_knobs__auto(knobs: dict[str, Any], key: str, counted: list[SearchTask]) -> None:
    with pytest.raises(ArgumentError) as caught:
        gc.compile(generator(), "auto", **knobs)
    assert caught.value.argument == key
    assert not counted


def test_compile__refuses_what_has_no_circuit__two_temperatures(counted: list[SearchTask]) -> None:
    with pytest.raises(ArgumentError, match="kind"):
        gc.compile(gc.local(gc.models.mixed_field_ising(2), 1.0, "Y"), "auto")
    assert not counted


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Write an experiment, call the command line; status, the document (or the text), standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "gibbs_circuits.experiments.folder.save_convergence", lambda comparison, path: path.write_bytes(b"png")
    )
    monkeypatch.setattr(
        "gibbs_circuits.analysis.estimators.two_qubit_gates.unitary_loop", lambda *arguments: None, raising=False
    )
    monkeypatch.setattr("gibbs_circuits.backends.transpile.routing.ROUTING_SEEDS", 2)
    (tmp_path / "hardware_configs").mkdir()
    (tmp_path / "hardware_configs" / "small.toml").write_text(
        'name = "small"\nkind = "aer"\nmethod = "density_matrix"\ncoupling = {heavy_hex = 3}'
    )
    monkeypatch.setattr("gibbs_circuits.backends.runs.prepare.LATTICE", "small")

    def calling(*arguments: str, json_too: bool = True, **sections: str | None) -> tuple[int, Any, str]:
        name, *options = arguments
        write(tmp_path, toml(**sections))
        status = cli.status([name, "e.toml", *options, *(["--json"] if json_too else [])])
        out, err = capsys.readouterr()
        return status, json.loads(out) if json_too else out, err

    return calling


MODEL = 'name = "mixed_field_ising"\nsites = 2\nJ = 1\nh = 0.9\ng = 0.5\nbeta = 1.0'
FIT = 'scheme = "auto"\ncalibration = "fitted_to_target"\nguarantee = "given_start"\neffort = 2\ntarget_error = 0.1'
PROGRAM_KEYS = {
    "frontier", "guarantee", "guarantee_status", "guarantee_measure", "guarantee_worst", "guarantee_bound",
    "calibration", "contraction_per_sweep",
}  # fmt: skip


def test_cli_compile__writes_a_program__and_takes_it_again(call: Call, tmp_path: Path) -> None:
    status, data, err = call("compile", "--out", "program.json", model=MODEL, compile=FIT)
    assert (status, data["files"]) == (0, ["program.json"])
    assert err == "compile: search for the cheapest program: at most 5 min\n"
    made = data["program"]
    assert made.keys() >= PROGRAM_KEYS
    assert (made["guarantee"], made["calibration"], made["scheme"]) == ("given_start", "fitted_to_target", "auto")
    assert made["contraction_per_sweep"] is None  # a preparation is not repeated
    assert data["prediction"]["fixed_point"] is None
    assert (made["guarantee_measure"], made["guarantee_status"]) == ("global", "measured")
    assert all(set(one) == {"two_qubit_gates", "distance", "note", "chosen"} for one in made["frontier"])
    (chosen,) = [one for one in made["frontier"] if one["chosen"]]
    assert chosen["two_qubit_gates"] == data["target"]["two_qubit_gates"] == made["two_qubit_gates"]
    taken = 'scheme = "auto"\nprogram = "program.json"\ntarget_error = 0.1'
    status, again, _ = call("compile", model=MODEL, compile=taken)
    assert status == 0
    assert again["program"] == made
    assert gc.load(tmp_path / "program.json", generator()).hash == made["hash"]


def test_cli_compile__circuit_file__meets_the_claim_on_aer(call: Call, tmp_path: Path) -> None:
    """The judge's way: count the gates of the QASM, run it on Aer, compare with σ from the terms."""
    status, data, _ = call("compile", "--out", "program.qasm", model=MODEL, compile=FIT)
    assert status == 0
    qc = qasm3.loads((tmp_path / "program.qasm").read_text("utf-8"))
    pairs = sum(len(item.qubits) == 2 for item in qc.data)
    assert pairs == data["target"]["two_qubit_gates"] == data["program"]["two_qubit_gates"]
    qc.save_density_matrix([qc.qubits[k] for k in data["target"]["system_qubits"]])
    result = AerSimulator(method="density_matrix").run(qc, shots=1).result()
    assert result.success
    rho = np.asarray(result.data()["density_matrix"])
    line = next(row for row in data["program"]["frontier"] if row["two_qubit_gates"] == pairs)
    assert distance(rho, sigma(2)) == pytest.approx(line["distance"], abs=1e-6)
    assert line["distance"] <= 0.1


def test_cli_run__has_guarantee_frontier_and_contraction__auto(call: Call) -> None:
    status, data, _ = call("run", "--out", "r", model=MODEL, compile=FIT, run="realisations = 2")
    assert status == 0
    assert data["program"].keys() >= PROGRAM_KEYS
    assert data["program"]["guarantee"] == "given_start"
    assert data["program"]["contraction_per_sweep"] is data["result"]["fixed_point"] is None
    assert data["prediction"]["fixed_point"] is None
    assert data["result"]["trace_distance"] <= 0.1
    assert data["verdict"] == "agrees"


def test_cli_compile__preparation_that_missed__has_no_fixed_point_either__a_sampler_has(
    call: Call, tmp_path: Path
) -> None:
    missed, sampler = searched(2, "given_start", target=1e-6), searched(2, "any_start")
    assert (missed.preparation, missed.guarantee) == (True, Guarantee.NONE)
    assert not sampler.preparation
    gc.save(missed, tmp_path / "missed.json")
    gc.save(sampler, tmp_path / "sampler.json")
    keys = 'scheme = "auto"\nprogram = "{}.json"\ntarget_error = 0.000001'
    status, data, _ = call("compile", model=MODEL, compile=keys.format("missed"))
    assert (status, data["program"]["guarantee"]) == (0, "none")
    assert data["program"]["contraction_per_sweep"] is data["prediction"]["fixed_point"] is None
    status, data, _ = call("compile", model=MODEL, compile=keys.format("sampler"))
    assert (status, data["program"]["guarantee"]) == (0, "none")
    assert 0 <= data["program"]["contraction_per_sweep"] < 1
    assert data["prediction"]["fixed_point"]["contraction"] == data["program"]["contraction_per_sweep"]
    status, text, _ = call("compile", json_too=False, model=MODEL, compile=keys.format("missed"))
    assert status == 0
    assert "contraction" not in text
    assert "fixed point" not in " ".join(text.split()).split("Error ledger")[0]


def test_cli_compile__prints_claim_and_frontier__tables(call: Call) -> None:
    status, text, _ = call("compile", json_too=False, model=MODEL, compile=FIT)
    assert status == 0
    plain = " ".join(text.replace("│", " ").split())  # a cell may take two lines
    assert "guarantee: given_start, calibration:" in plain
    assert "fitted_to_target" in plain
    assert "Frontier" in plain
    assert "←" in plain


def test_cli_compile__prints_calibration__without_a_search_too(call: Call) -> None:
    status, text, _ = call("compile", json_too=False)
    assert status == 0
    assert "calibration: derived" in " ".join(text.split())
    assert "Frontier" not in text
    status, data, _ = call("compile")
    assert (status, data["program"]["frontier"], data["program"]["calibration"]) == (0, [], "derived")


BAD = {
    "unknown_key": ('scheme = "auto"\nsweeps = 3', "compile.sweeps"),
    "guarantee": ('scheme = "auto"\nguarantee = "always"', "compile.guarantee"),
    "calibration": ('scheme = "auto"\ncalibration = "none"', "compile.calibration"),
    "time": ('scheme = "auto"\ntime_budget = -1', "compile.time_budget"),
    "time_text": ('scheme = "auto"\ntime_budget = "long"', "compile.time_budget"),
    "effort": ('scheme = "auto"\neffort = 0', "compile.effort"),
    "effort_text": ('scheme = "auto"\neffort = "much"', "compile.effort"),
    "gate_errors": ('scheme = "auto"\ngate_errors = "yes"', "compile.gate_errors"),
    "randomness": ('scheme = "auto"\nrandomness = true', "compile.randomness"),
    "target": ('scheme = "auto"\ntarget_error = 0', "compile.target_error"),
    "no_file": ('scheme = "auto"\nprogram = "none.json"', "compile.program"),
    "program_elsewhere": ('scheme = "parallel"\nprogram = "program.json"', "compile.program"),
}


@pytest.mark.parametrize("case", BAD)
def test_cli_compile__exits_2__bad_keys(case: str, call: Call, counted: list[SearchTask]) -> None:
    keys, named = BAD[case]
    status, text, err = call("compile", json_too=False, compile=keys)
    assert (status, text) == (2, "")
    assert named in err
    assert "Fix:" in err
    assert not counted


def test_cli_compile__exits_2__program_of_another_model_or_changed(call: Call, tmp_path: Path) -> None:
    gc.save(build(generator(beta=2.0)), tmp_path / "other.json")
    gc.save(build(generator()), tmp_path / "changed.json")
    text = (tmp_path / "changed.json").read_text("utf-8")
    (tmp_path / "changed.json").write_text(text.replace('"repeats": 2', '"repeats": 3'))
    for name, words in (("other", "made for others"), ("changed", "changed since")):
        status, _, err = call(
            "compile", json_too=False, model=MODEL, compile=f'scheme = "auto"\nprogram = "{name}.json"'
        )
        assert status == 2
        assert words in err


@pytest.mark.parametrize(("error", "run"), [(0.001, None), (0.2, 'initial = "one"')], ids=["target", "start"])
def test_cli_compile__loaded_program__claims_nothing_at_another_target_or_start(
    error: float, run: str | None, call: Call, tmp_path: Path
) -> None:
    gc.save(searched(2, "given_start"), tmp_path / "program.json")
    keys = f'scheme = "auto"\nprogram = "program.json"\ntarget_error = {error}'
    status, data, _ = call("compile", model=MODEL, compile=keys, run=run)
    assert status == 0
    far = data["prediction"]["trace_distance_per_sweep"][-1]
    assert far > error
    assert data["program"]["guarantee"] == "none"


def test_compile__refuses__gate_errors_without_any_and_with_random_gates(counted: list[SearchTask]) -> None:
    for changes, key in (
        ({}, "gate_errors"),
        ({"backend": "aer_density_matrix"}, "gate_errors"),
        ({"backend": "aer_noisy", "randomness": "classical"}, "randomness"),
    ):
        with pytest.raises(ArgumentError) as caught:
            ask(gate_errors=True, **changes)
        assert caught.value.argument == key
    assert not counted


def test_find__site_without_a_neighbour__refuses_fitted_sweeps() -> None:
    terms = [("IZZ", -1.0), ("IIX", -0.9), ("IXI", -0.9), ("XII", -0.9)]
    of = gc.dll(gc.models.from_terms(terms), beta=1.0, couplings="Y")
    program = gc.compile(of, "auto", 0.3, guarantee="any_start", calibration="fitted_to_target", effort=3)
    assert program.calibration is Calibration.DERIVED
    assert "a site interacts with no other" in program.provenance


def test_find__derived_formula_refuses__what_was_accepted_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*arguments: Any, **named: Any) -> None:
        raise TooLargeError("The formula is too large. Fix: none.")

    monkeypatch.setattr(auto, "derive", refuses)
    monkeypatch.setattr(auto, "fitted", lambda *arguments: (Candidate(build(generator()), 4, 0.5),))
    found = auto.find(wish(target=1e-6))[0]
    assert found.program.guarantee is Guarantee.NONE
    assert "derived refused" in found.program.provenance
    monkeypatch.setattr(auto, "fitted", lambda *arguments: ())
    with pytest.raises(TooLargeError):
        auto.find(wish(target=1e-6))


@pytest.mark.parametrize(
    "knob", [{"gate_errors": True}, {"randomness": "classical"}], ids=["gate_errors", "randomness"]
)
def test_search__a_knob_that_is_taken__reaches_the_search(knob: dict[str, Any], counted: list[SearchTask]) -> None:
    ask(**knob, **({"backend": "aer_noisy"} if "gate_errors" in knob else {}))
    (wanted,) = counted
    if "gate_errors" in knob:
        assert wanted.error_rates is not None
        p1, p2 = wanted.error_rates
        assert 0 <= p1 <= p2 < 0.1
        assert p2 > 0
    else:
        assert wanted.classical_randomness


def test_gate_errors__distance__is_that_of_the_targets_noisy_channel() -> None:
    """What the fit says with errors, against the exact channel of the transpiled circuit."""
    noisy = gc.AerTarget.model_validate({"name": "noisy", "kind": "aer", "noise": {"p1": 1e-3, "p2": 5e-2}})
    clean, wanted = generator(), {"guarantee": "given_start", "calibration": "fitted_to_target"}
    chosen = make_scheme("auto", {**wanted, "gate_errors": True})
    program = pipeline.compile_program(clean, chosen, CompileTask(0.1, initial=zero(2), target=noisy, effort=2))
    compiled = compile_for(program, noisy, zero(2))
    found = try_noisy_prediction(compiled)
    assert found is not None
    assert found.distances[-1] == pytest.approx(claimed(program), abs=1e-3)
    without = gc.predict(program)
    assert without is not None
    assert abs(without.distances[-1] - claimed(program)) > 3e-3  # the control: errors matter here


def test_gate_errors__need_a_fit__and_say_so() -> None:
    with pytest.raises(gc.ArgumentError, match="gate_errors"):
        gc.compile(generator(), "auto", 0.1, gate_errors=True, calibration="derived", effort=1)


@pytest.mark.slow
def test_classical_randomness__keeps_the_claim__in_fewer_gates() -> None:
    asked = {"guarantee": "given_start", "calibration": "fitted_to_target", "effort": 5}
    program = gc.compile(generator(), "auto", 0.05, randomness="classical", **asked)
    prediction = gc.predict(program)
    assert prediction is not None
    assert prediction.distances[-1] == pytest.approx(claimed(program), abs=1e-9)
    quantum = gc.compile(generator(), "auto", 0.05, **asked)
    assert gc.cost(program).two_qubit_gates < gc.cost(quantum).two_qubit_gates


# never worse than no gate, nearest of what was checked, ranked as transpiled


@pytest.mark.parametrize("calibration", [Calibration.FITTED_TO_TARGET, Calibration.DERIVED])
@pytest.mark.parametrize("initial", ["zero", "tilted", "entangled", "mixed"])
def test_without_gates__is_at_its_distance__any_start(calibration: Calibration, initial: str) -> None:
    circuit, begin = QuantumCircuit(2), None
    if initial != "mixed":
        if initial != "zero":
            circuit.ry(0.7, 0)
            circuit.rx(-1.9, 1)
        if initial == "entangled":
            circuit.cx(0, 1)
        begin = InitialState(initial, circuit)
    begin = begin or InitialState("mixed", None)
    asked = wish(calibration=calibration, start=begin.amplitudes(2), sites=begin.site_states(2))
    found = without_gates(asked)
    assert found is not None
    assert cost(found.program).two_qubit_gates == found.two_qubit_gates == gates_anywhere(found.program) == 0
    reached = in_the_mean(found.program, begin.density(2))
    assert distance(reached, sigma(2)) == pytest.approx(found.distance, abs=1e-9)
    best = nearest_product(gc.gibbs_state(generator().model, 1.0))[1]
    if initial in ("zero", "tilted"):
        assert best - 1e-6 <= found.distance <= best + 0.02
    else:  # what is entangled, or mixed, cannot be undone site by site
        assert found.distance == pytest.approx(distance(begin.density(2), sigma(2)), abs=1e-9)


def test_without_gates__is_none__a_sampler_cannot_forget() -> None:
    assert without_gates(wish(guarantee=Guarantee.ANY_START, sites=zero(2).site_states(2))) is None


@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0, 5.0])
def test_mean_field__has_the_lowest_free_energy__against_a_grid_of_products(beta: float) -> None:
    """Own entropies and energies on two sites: no random product, and none nearby, lies below."""
    H, rng = dense(ising_terms(2)), np.random.default_rng(4)

    def free(r: np.ndarray) -> float:
        letters = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
        one, two = (0.5 * (np.eye(2) + np.tensordot(row, letters, 1)) for row in r)
        rho = np.kron(two, one)
        p = np.linalg.eigvalsh(rho)
        p = p[p > 1e-300]
        return float(beta * np.real(np.trace(rho @ H)) + np.sum(p * np.log(p)))

    best = mean_field(generator().model, beta)
    for _ in range(2000):
        r = rng.standard_normal((2, 3))
        r *= rng.random((2, 1)) / np.linalg.norm(r, axis=1, keepdims=True)
        near = best + 1e-2 * rng.standard_normal((2, 3))
        near /= np.maximum(1.0, np.linalg.norm(near, axis=1, keepdims=True))
        assert min(free(r), free(near)) >= free(best) - 1e-7


def test_gate_errors__never_worse_than_no_gate__two_qubit_gates_that_ruin() -> None:
    """A fit with a CZ that errs every other time is farther than a product state: the product is handed out."""
    noisy = gc.AerTarget.model_validate({"name": "noisy", "kind": "aer", "noise": {"p1": 1e-2, "p2": 0.5}})
    asked = {"guarantee": "given_start", "calibration": "fitted_to_target", "gate_errors": True}
    chosen = make_scheme("auto", asked)
    program = pipeline.compile_program(generator(), chosen, CompileTask(0.01, initial=zero(2), target=noisy))
    assert cost(program).two_qubit_gates == 0
    assert program.guarantee is Guarantee.NONE
    found = try_noisy_prediction(compile_for(program, noisy, zero(2)))
    assert found is not None
    assert found.distances[-1] == pytest.approx(claimed(program), abs=1e-6)
    assert claimed(program) <= nearest_product(gc.gibbs_state(generator().model, 1.0))[1] + 5e-3


def test_never_worse__no_gate_and_as_near__by_hand() -> None:
    chosen, bare, far = point(2, 0.3), replace(point(0, 0.3), accepted=False), point(0, 0.31)
    assert never_worse(chosen, [chosen, bare, far]) is bare
    assert never_worse(chosen, [chosen, far]) is chosen
    assert never_worse(far, [bare, far]) is far  # it needs no gate itself


def test_nearest__a_checked_one_before_any_unchecked__by_hand() -> None:
    missed, unchecked = replace(point(9, 0.4), accepted=False), point(3, np.inf)
    assert nearest([unchecked, missed, point(2, 0.6)]) is missed
    short = point(2, 0.5)
    assert nearest([unchecked, missed, short]) is short  # a little farther, at a price that is worth it
    assert nearest([unchecked]) is unchecked
    # the control: the old rule put whether it was accepted first
    assert min([unchecked, missed], key=lambda one: (not one.accepted, one.distance)) is unchecked


def test_find__hands_out_the_nearest_checked__a_patch_that_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A patch at .025 by trend, where .0225 was the limit; beside it a formula program that nobody checked."""
    of = generator(9)
    patch = Candidate(replace(build(of), calibration=Calibration.PATCH), 90, 0.025, "patch", accepted=False)
    unchecked = Candidate(build(of, sweeps=48), 20, np.inf, "not checked")

    def refuses(*arguments: Any) -> None:
        raise DoesNotTransferError("by trend 0.0250 at 9 sites, not within 0.9 × 0.025", patch)

    monkeypatch.setattr(auto, "patched", refuses)
    monkeypatch.setattr(auto, "derive", lambda *arguments, **named: (unchecked,))
    asked = wish(generator=of, target=0.025, calibration=Calibration.PATCH, guarantee=Guarantee.ANY_START, start=None)
    found = auto.find(asked)[0]
    assert found.program.hash == patch.program.hash
    assert found.program.guarantee is Guarantee.NONE
    assert (claimed(found.program), found.program.declared[-1].status) == (0.025, Status.EXTRAPOLATED)
    assert "none meets 0.025" in found.program.provenance
    assert "patch refused: by trend 0.0250" in found.program.provenance

    def knows_nothing(*arguments: Any) -> None:
        raise DoesNotTransferError("9 sites have no smaller pieces")

    monkeypatch.setattr(auto, "patched", knows_nothing)
    left = auto.find(asked)[0].program
    assert left.hash == unchecked.program.hash
    assert (left.guarantee, left.declared[-1].status) == (Guarantee.NONE, Status.NOT_CHECKED)
    assert "not checked" in left.provenance


def test_find__ranks_by_transpiled_gates__where_the_formula_has_another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, away = (replace(build(generator(), sweeps=k), provenance=str(k)) for k in (1, 2, 3))
    offered = [Candidate(first, 10, 0.2, "a"), Candidate(second, 14, 0.1, "b"), Candidate(away, 99, 0.15, "far")]
    monkeypatch.setattr(auto, "fitted", lambda *arguments: tuple(offered))
    monkeypatch.setattr(auto, "_read", lambda *arguments: None)
    counts, asked = {first.hash: 8.0, second.hash: 5.0}, list[str]()

    def gates(program: Program) -> float:
        asked.append(program.hash)
        return counts.get(program.hash, 0.0)

    bare = wish(target=0.3, start=None, guarantee=Guarantee.ANY_START)
    assert auto.find(replace(bare, gates=gates))[0].program.hash == second.hash
    assert away.hash not in asked  # far behind by the formula, and not on the frontier
    assert auto.find(bare)[0].program.hash == first.hash  # the control: by the formula
    (only,) = auto.find(replace(bare, gates=gates))[0].program.frontier
    assert (only.two_qubit_gates, only.chosen) == (5.0, True)


def test_gates_anywhere__counts_the_circuit__one_that_merges() -> None:
    """XX + YY + ZZ on a pair are six gates by the formula, and three once they are one block."""
    of = gc.dll(gc.models.heisenberg(3), 1.0, "X")
    program = gc.compile(of, "parallel", sweeps=2, strength=0.5, spacing=0.6, nodes=3, random_delays=False)
    qc = compile_for(program, gc.AerTarget(name="any", kind="aer"), zero(3)).circuit(1)
    pairs = sum(len(item.qubits) == 2 for item in qc.data)
    assert gates_anywhere(program) == pairs
    assert pairs < cost(program).two_qubit_gates


def test_mapped__says_how_many_sweeps_it_has__in_its_settings() -> None:
    """The table's knobs said 1 sweep where its header said 5."""
    task = wish(generator=generator(3), target=0.12, start=zero(3).amplitudes(3))
    (found, *_) = mapped(task, generator(3), within(1.0), lambda text: None)
    assert found.program.sweeps > 1
    assert found.program.knobs["sweeps"] == found.program.sweeps


CONSERVING = {
    "one_qubit": ([("X", -0.9)], 1.0, "X", "X"),
    "commuting": ([("IIZ", -1.0), ("IZI", -0.5), ("ZII", -0.3)], 4.0, "Z", "IIZ"),
}


@pytest.mark.parametrize("calibration", ["derived", "fitted_to_target"])
@pytest.mark.parametrize("case", CONSERVING)
def test_find__says_what_is_conserved__couplings_that_commute_with_h(case: str, calibration: str) -> None:
    terms, beta, couplings, name = CONSERVING[case]
    of = gc.dll(gc.models.from_terms(terms), beta, couplings)
    program = gc.compile(of, "auto", 0.1, guarantee="any_start", calibration=calibration, effort=2)
    assert program.guarantee is Guarantee.NONE
    assert "conserved: " in program.provenance
    assert name in program.provenance.split("conserved: ")[1].split(":")[0].split(", ")


def test_cli_compile__says_what_is_conserved__couplings_that_commute_with_h(call: Call) -> None:
    model = 'terms = [["X", -0.9]]\nbeta = 1.0'
    keys = 'scheme = "auto"\ncalibration = "fitted_to_target"\ntarget_error = 0.1\neffort = 1'
    status, text, err = call(
        "compile", json_too=False, model=model, generator='kind = "dll"\ncouplings = "X"', compile=keys
    )
    assert status == 0
    plain = " ".join(text.split())
    assert "guarantee: none" in plain
    assert "conserved: X: H and every coupling commute with it" in plain
    assert "commute with a conserved quantity of H (X)" in err


def test_without_gates__makes_up_for_noise__as_long_as_the_sites_are_mixed_enough() -> None:
    """Depolarised pulses shorten every site; the odds of its two turns make it as long as it should be."""
    asked = wish(sites=zero(2).site_states(2))
    clean, noisy = without_gates(asked), without_gates(replace(asked, error_rates=(0.05, 0.1)))
    assert clean is not None
    assert noisy is not None
    assert noisy.distance == pytest.approx(clean.distance, abs=1e-9)
    ruined = without_gates(replace(asked, error_rates=(0.5, 0.1)))  # the control: nothing makes up for that
    assert ruined is not None
    assert ruined.distance > clean.distance + 0.05
