"""Runs that are killed, and what must hold when they were resumed. `python -m tests.killed FOLDER TRIALS SEED`.

Every run is a process of its own, forked from this one, which has imported everything and started no thread.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gibbs_circuits.backends.runs.prepare import request_run
from gibbs_circuits.backends.runs.request import Request
from gibbs_circuits.cli import options as cli
from gibbs_circuits.experiments import pipeline
from gibbs_circuits.experiments.experiment import read_experiment
from gibbs_circuits.experiments.schemes import CompileTask
from gibbs_circuits.io import files as disk
from tests.patience import BRIEF
from tests.stand_in import NAME, StandIn, Temper, install, stored_bits

HEAVY = (
    "gibbs_circuits.cli.commands", "qiskit_aer.primitives", "qiskit_ibm_runtime.fake_provider", "matplotlib.figure",
    "scipy.stats", "scipy.optimize", "scipy.interpolate", "threadpoolctl", "rich._emoji_codes", "encodings.cp437",
    "qiskit_ibm_runtime.transpiler.plugin", "qiskit.transpiler.passes.synthesis.hls_plugins",
)  # fmt: skip
for name in HEAVY:
    import_module(name)  # once, and not in every process: the package loads them when they are used

REALISATIONS, PER_JOB, SHOTS = 6, 2, 12
CHECK = -1
DIED = 137
TARGET = f'name = "stand_in"\nkind = "ibm"\ndevice = "{NAME}"\nmode = "job"\nrealisations_per_job = {PER_JOB}\n'
EXPERIMENT = f"""
[model]
name = "mixed_field_ising"
sites = 1
beta = 1.0
[compile]
nodes = 4
spacing = 0.5
strength = 0.6
sweeps = 2
random_delays = [0, 40]
target_error = 0.3
[run]
backend = "target.toml"
realisations = {REALISATIONS}
shots = {SHOTS * REALISATIONS}
"""
MOODY = Temper(
    delay=(0.0, 0.2), refused=0.1, lost=0.15, late=(0.1, 0.3), deaf=0.1, slow=(0.0, 0.05), unready=True,
)  # fmt: skip
BLUNT = "fault 1234: a qubit is warm"
TAG = re.compile(r"-(check|\d+)(?:-to-(\d+))?-\d+(?:-again)?$")


def written(folder: Path, target: str = TARGET, experiment: str = EXPERIMENT) -> Path:
    """An experiment on a target of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "target.toml").write_text(target)
    (folder / "e.toml").write_text(experiment)
    return folder / "e.toml"


def cheap_report(patch: pytest.MonkeyPatch) -> None:
    """Leave out of a run what takes long: the picture, the hand-written loop, the measured orders, many routings."""
    analyses = "gibbs_circuits.analysis.estimators"
    patch.setattr(f"{analyses}.two_qubit_gates.unitary_loop", lambda *arguments: None)
    patch.setattr(f"{analyses}.measured_orders.measured_rungs", lambda program: ())
    patch.setattr(
        "gibbs_circuits.experiments.folder.save_convergence", lambda comparison, path: path.write_bytes(b"png")
    )
    for (module, name), value in BRIEF.items():
        patch.setattr(module, name, value)


def watch_writes(patch: pytest.MonkeyPatch, hook: Callable[[str], None]) -> None:
    """Call a hook at every file: when it is written but not in place, when it is in place, and when that is safe."""
    sync, sync_folder = disk._sync, disk._sync_folder

    def written_out(path: Path, how: int) -> None:
        if how == os.O_RDWR:
            hook(f"inside {path}")
        sync(path, how)

    def placed(folder: Path) -> None:
        hook(f"before {folder} is safe")
        sync_folder(folder)
        hook(f"after {folder} is safe")

    patch.setattr(disk, "_sync", written_out)
    patch.setattr(disk, "_sync_folder", placed)


# What must hold.


def realisations_of(tag: str) -> list[int]:
    """What a job brings, by its tag."""
    found = TAG.search(tag)
    assert found is not None, tag
    first = CHECK if found[1] == "check" else int(found[1])
    return list(range(first, int(found[2] or first) + 1))


def blocks_of(out: Path) -> dict[int, list[dict[str, int]]]:
    """The counts on disk, by realisation."""
    found = {}
    for path in [*out.glob("data/realisation-*.npz"), *out.glob("data/check.npz")]:
        with np.load(path) as stored:
            found[CHECK if path.stem == "check" else int(path.stem[-4:])] = json.loads(str(stored["counts"]))
    return found


def counted(bits: Any) -> dict[str, int]:
    """Bit strings, rightmost = bit 0, and how often they were seen."""
    return dict(Counter("".join("1" if bit else "0" for bit in row[::-1]) for row in bits.tolist()))


def complaints(out: Path, service: StandIn) -> list[str]:
    """What is wrong with a finished run, held against what the service remembers; nothing if all is well."""
    wrong, blocks = [], blocks_of(out)
    wrong += [f"{k} lost" for k in range(CHECK, REALISATIONS) if k not in blocks]
    accepted = {e["id"]: e for e in service.events("accepted")}
    stopped = {e["id"] for e in service.events("cancelled")}
    fetched = {e["id"] for e in service.events("fetched")}
    good = [e for e in accepted.values() if e["fails"] is None and e["id"] not in stopped]
    times = Counter(k for e in good for k in realisations_of(e["tag"]))
    wrong += [f"{k} run {times[k]} times" for k in range(CHECK, REALISATIONS) if times[k] != 1]
    records = [json.loads(path.read_text()) for path in out.glob("data/job-*.json")]
    wrong += [f"{r['tag']} left {r['status']}" for r in records if r["status"] not in ("done", "failed")]
    home = Counter[int]()
    for record in (r for r in records if r["status"] == "done"):
        job, brought = record["job"], record["realisations"]
        if job not in accepted or accepted[job]["tag"] != record["tag"] or job not in fetched:
            wrong.append(f"{record['tag']} done by a job that was never fetched: {job}")
            continue
        measured = [counted(one["system"]) for one in stored_bits(service.folder, job)]
        each = len(measured) // len(brought)
        for place, k in enumerate(brought):
            home[k] += 1
            if blocks.get(k) != measured[place * each : (place + 1) * each]:
                wrong.append(f"{k} is not what {job} measured")
    wrong += [f"{k} from {home[k]} jobs" for k in range(CHECK, REALISATIONS) if home[k] != 1]
    return wrong


# Processes.


@dataclass(frozen=True)
class Run:
    """A command line in a process of its own."""

    file: Path
    out: Path
    service: Path
    temper: Temper
    stop: int | None = None
    resume: bool = False

    def start(self) -> int:
        """The id of the process, which does nothing but run it."""
        pid = os.fork()
        if pid:
            return pid
        code = 70
        try:
            with (self.out.parent / "output.txt").open("a") as both:
                os.dup2(both.fileno(), 1)
                os.dup2(both.fileno(), 2)
            code = self.here()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def here(self) -> int:
        patch, service = pytest.MonkeyPatch(), StandIn(self.service, self.temper)
        left = iter(range(self.stop)) if self.stop is not None else None

        def die(point: str) -> None:
            if left is not None and next(left, None) is None:
                os._exit(DIED)

        service.hook = die
        install(patch, service)
        cheap_report(patch)
        watch_writes(patch, die)
        return cli.status(["run", str(self.file), "--out", str(self.out), "--json", *["--resume"] * self.resume])


def ended(pid: int) -> int:
    """The exit status of a process, once it has one."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def begun(out: Path) -> bool:
    """Whether there is something to resume: a run that was killed before it wrote anything is begun anew."""
    return out.is_dir() and any(not path.name.startswith(".") for path in out.iterdir())


def to_the_end(run: Run) -> list[int]:
    """Resume until it is done: what the service fails is run again."""
    codes = [ended(replace(run, resume=begun(run.out), stop=None).start())]
    while codes[-1] == 3 and len(codes) < 6:
        codes.append(ended(replace(run, resume=True, stop=None).start()))
    return codes


@dataclass
class Tally:
    """What became of some trials."""

    trials: int = 0
    kills: int = 0
    middle: int = 0
    points: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def judge(self, run: Run, codes: list[int], reference: dict[int, Any], label: str) -> None:
        found = complaints(run.out, StandIn(run.service)) if run.out.is_dir() else ["no folder"]
        if codes[-1] not in (0, 1):
            found.append(f"exit status {codes}")
        if not (run.out / "result.json").is_file():
            found.append("no result.json")
        if blocks_of(run.out) != reference:
            found.append("counts differ from those of the uninterrupted run")
        self.wrong += [f"{label}: {one}" for one in found]


def uninterrupted(folder: Path) -> dict[int, Any]:
    """The counts of a run that nothing befalls."""
    run = Run(written(folder), folder / "out", folder / "service", Temper())
    assert ended(run.start()) in (0, 1), (folder / "output.txt").read_text()
    assert not complaints(run.out, StandIn(run.service))
    blocks = blocks_of(run.out)
    assert len({json.dumps(one) for one in blocks.values()}) == len(blocks)  # else a mix-up could not be seen
    return blocks


def killed_at_random(folder: Path, trials: int, seed: int) -> Tally:
    """Kill runs with SIGKILL at random moments, sometimes the resumed run too, then resume."""
    tally, since = Tally(), time.monotonic()
    reference = uninterrupted(folder / "reference")
    for trial in range(trials):
        rng = np.random.default_rng([seed, trial])
        place = folder / f"trial-{trial}"
        failing = ((int(rng.integers(4)), BLUNT),) if rng.random() < 0.25 else ()
        run = Run(written(place), place / "out", place / "service", replace(MOODY, seed=trial, failing=failing))
        hit = False
        for again in range(1 + (rng.random() < 0.4)):
            pid = replace(run, resume=again > 0 and begun(run.out)).start()
            service = StandIn(run.service)
            if rng.random() < 0.8:  # else from the start, so that some die before the first submission
                seen = len(service.events("asked"))
                until = time.monotonic() + 60  # a busy machine takes its time to begin
                while len(service.events("asked")) == seen and time.monotonic() < until:
                    if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                        break
                    time.sleep(0.002)
            time.sleep(rng.uniform(0, 0.8))
            alive = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
            os.kill(pid, signal.SIGKILL)
            ended(pid)
            tally.kills += alive
            missing = set(range(CHECK, REALISATIONS)) - set(blocks_of(run.out))
            hit |= alive and bool(service.events("asked")) and bool(missing)
        tally.judge(run, to_the_end(run), reference, f"trial {trial}")
        tally.trials += 1
        tally.middle += hit
    tally.seconds = time.monotonic() - since
    return tally


def killed_everywhere(folder: Path) -> Tally:
    """End the process at every write and every call of the service in turn, then resume."""
    tally, since = Tally(), time.monotonic()
    reference = uninterrupted(folder / "reference")
    stop, code = 0, DIED
    while code == DIED:
        place = folder / f"point-{stop}"
        run = Run(written(place), place / "out", place / "service", Temper(), stop)
        code = ended(run.start())
        tally.judge(run, to_the_end(run), reference, f"point {stop}")
        stop += 1
    tally.trials, tally.points, tally.seconds = stop, stop - 1, time.monotonic() - since
    return tally


if __name__ == "__main__":
    place, trials, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    tally = killed_at_random(place, trials, seed) if trials else killed_everywhere(place)
    print(json.dumps(tally.__dict__))


def three_jobs(folder: Path) -> Request:
    """A run of three jobs on a stand-in of the service, compiled."""
    with pytest.MonkeyPatch.context() as patch:
        cheap_report(patch)
        install(patch, StandIn(folder / "service"))
        spec = read_experiment(written(folder, TARGET.replace("per_job = 2", "per_job = 3")))
        program = pipeline.compile_program(spec.generator, spec.scheme, CompileTask(spec.target_error))
        return request_run(program, spec.target, spec.initial, {}, spec.shots, spec.realisations, spec.seed)
