"""Searches are functions of question, seed and effort; a wall clock can only stop them, and that is said."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gibbs_circuits as gc
from gibbs_circuits.cli import options as cli
from gibbs_circuits.programs.initial_state import zero
from gibbs_circuits.programs.program import Calibration, Guarantee, Program
from gibbs_circuits.programs.serialise import from_saved, to_saved
from gibbs_circuits.readings.channel.prediction import Unpredicted, try_predict
from gibbs_circuits.search import cache, clock, costs
from gibbs_circuits.search.auto import find
from gibbs_circuits.search.candidates import Candidate
from gibbs_circuits.search.clock import Clock, Deadline, OutOfTimeError
from gibbs_circuits.search.task import SearchTask
from gibbs_circuits.search.variational import optimise as descent
from tests.clocks import brief_steps, ticking
from tests.experiments.test_experiment import toml, write

WAYS = ["fitted_to_target", "derived", "patch"]
PACKAGE = Path(gc.__file__).parent


def chain(sites: int) -> gc.Lindbladian:
    return gc.dll(gc.models.mixed_field_ising(sites, J=1, h=0.9, g=0.5), 1.0, "Y")


def wish(sites: int, way: str, nominal: float, target: float = 0.1, **changes: Any) -> SearchTask:
    start = np.eye(2**sites, dtype=complex)[0]
    made: dict[str, Any] = {"guarantee": Guarantee.GIVEN_START, "seed": 3, "sites": zero(sites).site_states(sites)}
    return SearchTask(
        generator=chain(sites), target_error=target, calibration=Calibration(way), start=start, effort=nominal / 60,
        **{**made, **changes},
    )  # fmt: skip


def same(one: list[Candidate[Program]], other: list[Candidate[Program]]) -> bool:
    """Alike to the last bit: programs, gates, distances, and the order they come in."""
    keys = [[(c.program.hash, c.two_qubit_gates, c.distance) for c in found] for found in (one, other)]
    return keys[0] == keys[1]


# the clock itself


def test_clock__work_decides_where_it_ends__time_only_stops_it() -> None:
    now = [100.0]
    counted = Clock(10.0, 8.0, wall=lambda: now[0])
    half = counted.until(0.5)
    half.spend(4.0)
    now[0] = 102.0
    assert (half.passed, half.left, counted.elapsed) == (False, 1.0, 2.0)
    half.spend(1.5)
    assert half.passed
    assert not counted.until().passed
    now[0] = 108.1
    with pytest.raises(OutOfTimeError):
        counted.until().spend(0.01)
    assert counted.ran_out
    assert counted.spent == 5.5
    assert counted.done == pytest.approx(0.55)


def test_clock__what_would_not_be_over_in_time__is_not_begun() -> None:
    now = [0.0]
    counted = Clock(1000.0, 10.0, wall=lambda: now[0])
    deadline = counted.until()
    deadline.spend(3.0)
    now[0] = 6.0  # twice as slow as it should be
    assert counted.pace == 2.0
    deadline.spend(1.9)
    with pytest.raises(OutOfTimeError):
        deadline.spend(3.5)


def test_deadline__parts__of_what_is_left() -> None:
    counted = Clock(100.0)
    whole = counted.until()
    whole.spend(20.0)
    assert whole.share(0.25).at == 40.0
    assert whole.within(10.0).at == 30.0
    assert whole.within(1000.0).at == 100.0
    assert whole.beyond(1000.0).at == 1020.0
    assert whole.allows(80.0)
    assert not whole.allows(80.1)
    assert Deadline(counted, -1.0).left == 0.0


def test_clock__keeps_time_for_what_comes_after() -> None:
    counted = Clock(60.0, 100.0)
    assert counted.until(1.0, after=10.0).stop == 90.0
    assert counted.until(0.5, after=10.0).stop == 67.5
    assert counted.until(1.0, after=1000.0).stop == 75.0
    assert counted.closing.stop == 100.0


def test_deadline__what_is_kept__follows_the_pace() -> None:
    now = [0.0]
    counted = Clock(1000.0, 100.0, wall=lambda: now[0])
    until, half = counted.until(1.0, after=4.0), counted.until(0.2, after=4.0, of_time=0.5)
    assert (until.stop, half.stop) == (96.0, 48.0)
    until.spend(2.0)
    now[0] = 6.0  # three times as slow as it should be
    assert (until.stop, half.stop) == (88.0, 44.0)
    assert half.share(0.5).stop == half.within(1.0).stop == half.beyond(1.0).stop == 44.0


def test_after_search__nothing_is_read__above_eight_sites() -> None:
    assert costs.after_search(8) > 100
    assert costs.after_search(9) == costs.after_search(50) < 2


# no search reads the time


def test_package__reads_the_time__only_to_stop_to_report_and_to_wait() -> None:
    """Every place that does, by name; what is added here must decide nothing."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text("utf-8")
        if any(word in text for word in ("perf_counter", "monotonic", "process_time", "time.time(", "import time\n")):
            found.add(path.relative_to(PACKAGE).as_posix())
    assert found == {"search/clock.py", "search/task.py", "backends/services/queue.py", "cli/terminal.py"}


@pytest.mark.parametrize("way", [way if way != "patch" else pytest.param(way, marks=pytest.mark.slow) for way in WAYS])
def test_find__ten_times_slower__the_same_program(way: str) -> None:
    """A clock that stands still, and one on which every look takes 10 ms: enough time on both."""
    sites = 4 if way == "patch" else 2
    nominal = 1.5 if way == "patch" else 0.6
    quick = find(wish(sites, way, nominal, time_budget=1e6, wall=lambda: 0.0))
    slow = find(wish(sites, way, nominal, time_budget=1e6, wall=ticking(0.01)))
    assert same(quick, slow)
    assert not slow[0].program.search.ran_out  # type: ignore[union-attr]


def test_find__another_seed_or_effort__may_find_another() -> None:
    found = [find(wish(2, "fitted_to_target", 0.5, seed=seed)) for seed in (3, 4)]
    assert not same(*found)
    more = find(wish(2, "fitted_to_target", 0.8))
    assert not same(found[0], more)


def test_find__a_descent_that_looks_at_the_time__is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: descents that end by the wall clock are not the same on a slower machine."""
    whole = descent.descended

    def timed(objective: Any, start: Any, iterations: int, deadline: Deadline, each: float) -> Any:
        begun = deadline.clock.wall()
        few = max(1, int(iterations - 20 * (deadline.clock.wall() - begun)))
        return whole(objective, start, few, deadline, each)

    monkeypatch.setattr("gibbs_circuits.search.variational.fits.descended", timed)
    found = [find(wish(2, "fitted_to_target", 0.5, wall=wall)) for wall in (lambda: 0.0, ticking(1.0))]
    assert not same(*found)


# out of time


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("guarantee", [Guarantee.GIVEN_START, Guarantee.ANY_START])
def test_find__no_time_at_all__still_answers_and_claims_nothing(way: str, guarantee: Guarantee) -> None:
    sites = 4 if way == "patch" else 2
    found = find(wish(sites, way, 1e3, target=1e-3, guarantee=guarantee, time_budget=1e-9, wall=ticking(1.0)))[0]
    search = found.program.search
    assert search is not None
    assert search.ran_out
    assert search.done < 1
    assert found.program.guarantee in (Guarantee.NONE, None)
    assert "time ran out after" in found.program.provenance
    assert found.program.declared[-1].status.value == "not_checked"


def test_find__cut_off_half_way__says_how_far_and_what_the_rest_would_take() -> None:
    looks = ticking(1e-3)
    found = find(wish(2, "fitted_to_target", 1e3, time_budget=4.0, wall=looks))[0]
    program, search = found.program, found.program.search
    assert search is not None
    assert search.ran_out
    assert 0 < search.done < 0.1
    assert search.seconds <= 1.1 * 4.0
    text = program.provenance[program.provenance.index("time ran out after ") :]
    assert 2.5 < float(text.split()[4]) < 4.4
    assert f" of 4 s, at 0% of effort {1e3 / 60:g}, at " in text
    assert "two-qubit gates; the rest would take about" in text
    assert program.guarantee is Guarantee.GIVEN_START  # what was found until then is read off, and holds


def test_find__that_falls_short__says_what_more_would_bring() -> None:
    short = find(wish(2, "fitted_to_target", 0.3, target=1e-6))[0]
    assert short.program.guarantee is Guarantee.NONE
    assert "is used up: effort = 0.01 takes about" in short.program.provenance


@pytest.mark.parametrize("budget", [1e-9, 1e6])
def test_settle__named_scheme__is_cut_off_and_says_so(budget: float) -> None:
    program = gc.compile(chain(2), "parallel", 0.2, time_budget=budget)
    assert program.search is not None
    assert program.search.ran_out == (budget < 1)
    assert ("1 of 37 settings" in program.provenance) == (budget < 1)
    assert ("time ran out" in program.provenance) == (budget < 1)


def test_settle__little_effort__tries_fewer_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "STEP", 0.05)
    few = gc.compile(chain(2), "parallel", 0.2, effort=1)
    assert "of 37 settings of the formula" in few.provenance
    assert " of 37 settings of the formula" in few.provenance.split("of ", 1)[1]
    assert few.search is not None
    assert not few.search.ran_out


def test_compile__all_knobs_given__nothing_is_searched() -> None:
    program = gc.compile(chain(2), "parallel", sweeps=2, strength=0.5, spacing=0.6, nodes=3, random_delays=False)
    assert program.search is None


# kept and shown


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_cache__cut_off__is_not_kept_and_less_time_is_no_other_question(folder: Path) -> None:
    asked = {"guarantee": "given_start", "calibration": "fitted_to_target"}
    with brief_steps():
        cut = gc.compile(chain(2), "auto", 0.1, time_budget=1e-6, **asked)
        assert cut.search is not None
        assert cut.search.ran_out
        assert not folder.exists()
        full = gc.compile(chain(2), "auto", 0.1, **asked)
        assert len(list(folder.iterdir())) == 1
        again = gc.compile(chain(2), "auto", 0.1, time_budget=1e-6, **asked)
    assert to_saved(again) == to_saved(full)


def test_saved__search__comes_back_and_is_checked() -> None:
    with brief_steps():
        program = gc.compile(chain(2), "parallel", 0.2, effort=2)
    assert from_saved(to_saved(program), program.generator).search == program.search
    assert from_saved(to_saved(replace(program, search=None)), program.generator).search is None


@pytest.mark.parametrize("budget", [None, "1e-6"])
def test_cli_compile__time_budget__json_and_table(
    budget: str | None,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    model = 'name = "mixed_field_ising"\nsites = 2\nJ = 1\nh = 0.9\ng = 0.5\nbeta = 1.0'
    keys = 'scheme = "auto"\ncalibration = "fitted_to_target"\nguarantee = "given_start"\neffort = 1\ntime_budget = 200'
    write(tmp_path, toml(model=model, compile=keys))
    options = [] if budget is None else ["--time-budget", budget]
    with brief_steps():
        assert cli.status(["compile", "e.toml", "--json", *options]) == 0
        searched = json.loads(capsys.readouterr().out)["program"]["search"]
        assert cli.status(["compile", "e.toml", *options]) == 0
        shown = " ".join(capsys.readouterr().out.split())
    assert searched.keys() == {"seed", "effort", "time_budget", "done", "ran_out", "seconds"}
    assert (searched["seed"], searched["effort"]) == (1, 1)
    assert searched["time_budget"] == (200 if budget is None else 1e-6)
    assert searched["ran_out"] == (budget is not None)
    assert ("time ran out" in shown) == (budget is not None)


def test_predict__whether_there_is_time__does_not_depend_on_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six qubits, a sweep as a map: the same reasons and numbers from a machine on which time flies."""
    program = gc.compile(chain(6), "sequential", sweeps=1, strength=0.5, spacing=0.6, nodes=2, random_delays=False)
    start = zero(6).density(6)
    reasons = []
    for step in (0.0, 1e3):
        monkeypatch.setattr(time, "perf_counter", ticking(step))
        monkeypatch.setattr(time, "monotonic", ticking(step))
        found = try_predict(program, start, seconds=1e-3 + 0.3)
        reasons.append(found.reason if isinstance(found, Unpredicted) else found.starts)
    assert reasons[0] == reasons[1]


# beside other work


SCRIPT = """
import json, sys
import gibbs_circuits as gc
from gibbs_circuits.search import clock
clock.STEP = float(sys.argv[2])
g = gc.dll(gc.models.mixed_field_ising(4, J=1, h=0.9, g=0.5), 1.0, "Y")
p = gc.compile(g, "auto", float(sys.argv[3]), guarantee=sys.argv[4], calibration=sys.argv[1], effort=1,
               time_budget=float(sys.argv[5]))
print(json.dumps([p.hash, p.search.ran_out, p.search.seconds, p.provenance]))
"""


def ask(tmp_path: Path, way: str, nominal: float, target: float, guarantee: str, budget: float) -> tuple[Any, float]:
    """A search in a process of its own, with a cache of its own; what it found and how long it took within it."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", cache.VARIABLE: str(tmp_path / str(time.monotonic_ns()))}
    environment["PYTHONHASHSEED"] = str(time.monotonic_ns() % 1000)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, way, str(nominal), str(target), guarantee, str(budget)],
        capture_output=True, text=True, check=True, env=environment, cwd=PACKAGE.parent,
    )  # fmt: skip
    found = json.loads(done.stdout)
    return found, found[2]


def _busy() -> None:
    while True:
        np.linalg.svd(np.ones((64, 64)))


@contextmanager
def beside_two() -> Iterator[None]:
    others = [multiprocessing.get_context("spawn").Process(target=_busy, daemon=True) for _ in range(2)]
    for one in others:
        one.start()
    try:
        yield
    finally:
        for one in others:
            one.terminate()
            one.join()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("way", "guarantee", "target"),
    [("fitted_to_target", "any_start", 0.1), ("derived", "any_start", 0.1), ("patch", "given_start", 0.1)],
)
def test_search__beside_two_busy_processes__the_same_program(
    way: str, guarantee: str, target: float, tmp_path: Path
) -> None:
    alone, _ = ask(tmp_path, way, 2.0, target, guarantee, 3000.0)
    with beside_two():
        beside, _ = ask(tmp_path, way, 2.0, target, guarantee, 3000.0)
    assert not alone[1]
    assert (alone[0], alone[3]) == (beside[0], beside[3])


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_search__time_budget__is_kept_within_a_tenth(way: str, tmp_path: Path) -> None:
    budget = 3.0 if way == "derived" else 8.0  # all settings of a formula are tried in some seconds
    (_, ran_out, seconds, text), _ = ask(tmp_path, way, 1e4, 1e-3, "any_start", budget)
    assert ran_out
    assert "time ran out after" in text
    assert seconds <= 1.1 * budget + 2.0  # one step that was begun, on a machine that may be busy
