"""Generated files over every key and every kind of file: exit 0, 1 or 2, one line, in time and in memory."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import fuzzing
from tests.fuzzing import KEYS, Case, Outcome, case, run, wrong

ROOT = Path(__file__).parents[2]
GRACE = 20  # seconds beyond its alarm after which a process is ended that hangs outside of Python


class Worker:
    """A process that answers seeds; it is begun anew when it dies or hangs."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A fresh process."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzzing"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, args=(self.process.stdout, self.lines), daemon=True).start()

    @staticmethod
    def _read(stream: Any, lines: queue.Queue[str]) -> None:
        for line in stream:
            lines.put(line)
        lines.put("")  # it ended

    def ask(self, seed: int) -> dict[str, Any]:
        """What became of a seed."""
        assert self.process.stdin is not None
        why = "the process died"
        try:
            self.process.stdin.write(f"{seed}\n")
            self.process.stdin.flush()
            if line := self.lines.get(timeout=fuzzing.SECONDS + GRACE):
                return dict(json.loads(line))
        except (BrokenPipeError, OSError):
            pass
        except queue.Empty:
            why = "it hangs outside of Python"
        self.end()
        self.begin()
        return {"seed": seed, "code": why, "wrong": why}

    def end(self) -> None:
        """No more."""
        self.process.kill()
        self.process.communicate()


def tried(seeds: Iterator[int]) -> tuple[list[str], Counter[Any]]:
    """What went wrong, with its seed, and how often each exit status was."""
    worker, codes = Worker(), Counter[Any]()
    try:
        found = []
        for seed in seeds:
            answer = worker.ask(seed)
            codes[answer["code"]] += 1
            if answer["wrong"] is not None:
                found.append(f"{seed}: {answer['wrong']}")
        return found, codes
    finally:
        worker.end()


@pytest.mark.slow
def test_commands__end_in_one_line_or_well__400_files() -> None:
    found, codes = tried(iter(range(400)))
    assert found == []
    assert codes[0] > 20  # some of them are right
    assert codes[2] > 200


@pytest.mark.slow
@pytest.mark.parametrize("part", range(9))
def test_commands__end_in_one_line_or_well__ten_thousand_files(part: int) -> None:
    assert tried(iter(range(400 + 1067 * part, 400 + 1067 * (part + 1))))[0] == []


def test_cases__are_the_same__same_seed() -> None:
    assert case(7) == case(7)
    assert case(7) != case(8)


def test_cases__cover__every_key_and_kind_of_file() -> None:
    cases = [case(seed) for seed in range(3000)]
    texts = [one.files for one in cases]
    whole = b"\n".join(files.get("e.toml", b"") for files in texts)
    for keys in KEYS.values():
        for key in keys:
            assert f"\n{key} = ".encode() in whole, key
    assert {name for files in texts for name in files} >= {"m.json", "t.toml", "s.qasm", "f.csv", "b.csv", "k.csv"}
    assert any(b"OPENQASM 2" in files.get("s.qasm", b"") for files in texts)
    assert {name for one in cases for name in one.endless} == {"e.toml", "m.json", "t.toml", "s.qasm", "f.csv"}
    assert {target for one in cases for target in one.endless.values()} == {None, "/dev/zero", "/dev/urandom"}
    assert max(len(text) for files in texts for text in files.values()) > 2**20


def outcome(code: int | str = 2, out: str = "", err: str = "e.toml: a must b, but c. Fix: d.\n") -> Outcome:
    return Outcome(0, code, out, err, 0.0)


def test_wrong__control__finds_each_fault() -> None:
    assert wrong(outcome()) is None
    assert wrong(outcome(0, "a table\n", "Warning: slow\n")) is None
    assert wrong(outcome(0, '{"a": 1}\n', ""), json_asked=True) is None
    faults = [
        outcome(70),
        outcome("TooSlow"),
        outcome(err=""),
        outcome(err="a Fix: b.\na Fix: b.\n"),
        outcome(err="a\x1b Fix: b\n"),
        outcome(err="Fix: " + "a" * 400 + "\n"),
        outcome(err="no remedy\n"),
        outcome(out="a table\n"),
        outcome(0, "\x07\n", ""),
        outcome(0, "", "RuntimeWarning: divide\n"),
        outcome(err="Not enough memory. Fix: b.\n"),
    ]
    assert all(wrong(fault) is not None for fault in faults)
    assert wrong(outcome(0, '{"a": NaN}\n', ""), json_asked=True) is not None


def test_run__control__finds_what_a_command_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError("division by zero")

    right = Case(0, {"e.toml": b'model = {name = "tfim", sites = 1, beta = 1.0}\n'}, ("exact", "e.toml"))
    assert wrong(run(right)) is None
    monkeypatch.setattr("gibbs_circuits.cli.commands.certificate", broken)
    assert "exit 70" in str(wrong(run(right)))


def test_worker__control__says_when_a_process_dies() -> None:
    worker = Worker()
    worker.process.kill()
    assert worker.ask(0)["wrong"] == "the process died"
    assert worker.ask(0)["wrong"] is None
    worker.end()
