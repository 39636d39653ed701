from __future__ import annotations

import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from qiskit import QuantumCircuit
from qiskit.primitives import StatevectorEstimator, StatevectorSampler
from qiskit.providers import BackendV2
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.transpiler import Target
from qiskit_ibm_runtime.accounts import management
from qiskit_ibm_runtime.accounts.exceptions import InvalidAccountError
from qiskit_ibm_runtime.api.session import RetrySession
from qiskit_ibm_runtime.exceptions import IBMInputValueError, IBMNotAuthorizedError, RuntimeJobFailureError

import gibbs_circuits as gc
from gibbs_circuits.backends.devices.snapshots import snapshot_backend
from gibbs_circuits.backends.runs.prepare import run_request
from gibbs_circuits.backends.runs.request import Request
from gibbs_circuits.backends.services.clients import OutOfReach, Progress, State
from gibbs_circuits.backends.services.ibm import Runtime, check_isa
from gibbs_circuits.backends.services.ibm_errors import failures, unreachable
from gibbs_circuits.backends.targets.ibm import IbmTarget
from gibbs_circuits.backends.targets.registry import load_target
from gibbs_circuits.cli import options as cli
from gibbs_circuits.errors import ArgumentError, BackendError
from gibbs_circuits.experiments.store import Folder
from tests.killed import (
    BLUNT,
    CHECK,
    EXPERIMENT,
    REALISATIONS,
    TARGET,
    begun,
    blocks_of,
    cheap_report,
    complaints,
    realisations_of,
    three_jobs,
    watch_writes,
    written,
)
from tests.stand_in import NAME, StandIn, Temper, answered, asked_of, device, dropped, install

SECRET = "s3cr3t-0123456789abcdef0123456789abcdef0123"  # no real token has this form
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Desk:
    """A folder with an experiment on the stand-in, and a command line."""

    folder: Path
    service: StandIn
    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def run(self, *options: str) -> tuple[int, list[str]]:
        """Exit status and the lines of standard error, but for what a run says before it begins."""
        code = cli.status(["run", str(self.folder / "e.toml"), "--out", str(self.out), "--json", *options])
        _, err = self.capture.readouterr()
        return code, [line for line in err.splitlines() if not announced(line)]

    def refused(self, code: int, says: str, *options: str) -> None:
        """One line, no folder, no token."""
        found, lines = self.run(*options)
        assert (found, len(lines)) == (code, 1), lines
        assert says in lines[0]
        assert SECRET not in lines[0]
        assert not self.out.exists()

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted(self.out.glob("data/job-*.json"))]

    def misbehave(self, **temper: Any) -> None:
        self.service.temper = Temper(**temper)


def announced(line: str) -> bool:
    return re.match(r"\d+ sweeps, |On \S+, sites on qubits ", line) is not None


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    monkeypatch.chdir(tmp_path)
    written(tmp_path)
    cheap_report(monkeypatch)
    service = StandIn(tmp_path / "service")
    install(monkeypatch, service, grace=0.05, patience=0.3)
    return Desk(tmp_path, service, monkeypatch, capsys)


# Runs.


def test_service__brings_everything_home__nothing_goes_wrong(desk: Desk) -> None:
    desk.service.truthful = True
    code, lines = desk.run()
    assert (code, lines) == (0, [])
    assert complaints(desk.out, desk.service) == []
    kept = json.loads((desk.out / "result.json").read_text())["target"]["jobs"]
    assert {job["job"] for job in kept} == {e["id"] for e in desk.service.events("accepted")}
    assert {(job["status"], job["qpu_seconds"]) for job in kept} == {("done", 1.5)}


def test_service__is_asked_for_nothing_twice__resumed_when_done(desk: Desk) -> None:
    desk.run()
    before = len(desk.service.events("asked"))
    assert desk.run("--resume") == (1, []) or desk.run("--resume") == (0, [])
    assert len(desk.service.events("asked")) == before == -(-(REALISATIONS + 1) // 2)


def test_job_records__are_written_before_anything_is_waited_for__every_job(desk: Desk) -> None:
    seen = []

    def look(point: str) -> None:
        if point in ("before accept", "before status"):
            seen.append((point, [(r["status"], r["job"]) for r in desk.records()]))

    desk.service.hook = look
    desk.run()
    first = {point: states for point, states in reversed(seen)}
    assert first["before accept"] == [("submitting", None)]
    ids = {e["id"] for e in desk.service.events("accepted")}
    for point, states in seen:
        assert sum(status == "submitting" for status, _ in states) == (point == "before accept")
        assert all(job in ids for status, job in states if status != "submitting")


MOODS: dict[str, dict[str, Any]] = {
    "answers_lost": {"lost": 1.0, "late": (0.0, 0.03)},
    "submissions_refused_once": {"refused": 0.3},
    "deaf_for_a_while": {"deaf": 0.4},
    "results_come_late": {"delay": (0.0, 0.1), "slow": (0.05, 0.1)},
    "new_jobs_unknown_for_a_while": {"late": (0.02, 0.03), "unready": True},
}


@pytest.mark.parametrize("mood", MOODS)
def test_service__brings_the_same_counts__moody(mood: str, desk: Desk) -> None:
    desk.run()
    calm = blocks_of(desk.out)
    moody = replace_folder(desk, "moody", Temper(seed=3, **MOODS[mood]))
    code, lines = moody.run()
    assert code in (0, 1), lines
    assert complaints(moody.out, moody.service) == []
    assert blocks_of(moody.out) == calm


def replace_folder(desk: Desk, name: str, temper: Temper, grace: float = 0.1) -> Desk:
    """Another run beside the first, on a service of its own."""
    folder = desk.folder / name
    written(folder)
    service = StandIn(folder / "service", temper)
    install(desk.patch, service, grace=grace, patience=1.0)
    return replace(desk, folder=folder, service=service)


def test_service__cancels_twins__submission_that_shows_up_too_late(desk: Desk) -> None:
    # The first submission is invisible for longer than the client waits for it: it is repeated, and the second is
    # cancelled once the first is home; what is left is one good job for every realisation.
    late = replace_folder(desk, "late", Temper(lost=0.0, late=(0.0, 0.0), delay=(0.3, 0.3)), grace=0.03)
    accept = late.service.submitted

    def once(circuits: Any, shots: int, tag: str) -> Any:
        if late.service.events("asked"):
            return accept(circuits, shots, tag)
        late.misbehave(lost=1.0, late=(0.2, 0.2), delay=(0.6, 0.6))
        try:
            return accept(circuits, shots, tag)
        finally:
            late.misbehave(delay=(0.4, 0.4))

    desk.patch.setattr(late.service, "submitted", once)
    code, lines = late.run()
    assert code in (0, 1), lines
    assert complaints(late.out, late.service) == []
    assert len(late.service.events("cancelled")) == 1
    assert len(late.service.events("accepted")) == len(late.records()) + 1


# Kills.


def killed(folder: Path, trials: int, seed: int) -> dict[str, Any]:
    """Trials in a process that has started no thread, which forks every run."""
    one = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")}
    command = [sys.executable, "-m", "tests.killed", str(folder), str(trials), str(seed)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **one}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    tally: dict[str, Any] = json.loads(done.stdout)
    print(
        f"{tally['kills']} kills in {tally['trials']} runs, {tally['middle']} in the middle, {tally['seconds']:.0f} s"
    )
    return tally


@pytest.mark.slow
def test_resume__loses_and_repeats_nothing__killed_twice(tmp_path: Path) -> None:
    tally = killed(tmp_path, 2, 20)
    assert tally["wrong"] == []
    assert tally["middle"] >= 1


@pytest.mark.slow
def test_resume__loses_and_repeats_nothing__killed_100_times(tmp_path: Path) -> None:
    tally = killed(tmp_path, 100, 1)
    assert tally["wrong"] == []
    assert tally["trials"] == 100
    assert tally["middle"] >= 60


@pytest.mark.slow
def test_resume__loses_and_repeats_nothing__process_ends_at_every_write_and_call(tmp_path: Path) -> None:
    tally = killed(tmp_path, 0, 1)
    assert tally["wrong"] == []
    assert tally["points"] > 100


class Died(BaseException):
    """The end of a process, as far as the rest of this one is concerned."""


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> Request:
    """A run of three jobs, compiled once."""
    return three_jobs(tmp_path_factory.mktemp("request"))


def attempt(request: Request, folder: Path, patch: pytest.MonkeyPatch, stop: int | None, resume: bool) -> int:
    """Run until the given number of writes and calls, or to the end; how many there were."""
    count = 0

    def die(point: str) -> None:
        nonlocal count
        if stop is not None and count >= stop:
            raise Died
        count += 1

    service = StandIn(folder / "service", hook=die)
    install(patch, service, interval=0.001, grace=0.01)
    with pytest.MonkeyPatch.context() as inner:
        watch_writes(inner, die)
        store = Folder(folder / "out", request.identity, resume=resume and begun(folder / "out"))
        run_request(asked_of(request, service), store)
    return count


def swept(request: Request, folder: Path, patch: pytest.MonkeyPatch, first: int, step: int) -> Iterator[str]:
    """What is wrong after an end at every `step`-th point and a resumption."""
    points = attempt(request, folder / "whole", patch, None, False)
    assert points > 100
    reference = blocks_of(folder / "whole" / "out")
    for stop in range(first, points, step):
        place = folder / str(stop)
        with pytest.raises(Died):
            attempt(request, place, patch, stop, False)
        attempt(request, place, patch, None, True)
        yield from complaints(place / "out", StandIn(place / "service"))
        if blocks_of(place / "out") != reference:
            yield "other counts"


@pytest.mark.parametrize(
    "first", [0, pytest.param(1, marks=pytest.mark.slow), 2, pytest.param(3, marks=pytest.mark.slow)]
)
def test_resume__loses_and_repeats_nothing__ended_at_every_write_and_call(
    first: int, request_: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(swept(request_, tmp_path, monkeypatch, first, 4)) == []


BROKEN: dict[str, tuple[str, Any]] = {
    "tags_are_not_looked_up": ("gibbs_circuits.backends.services.queue._Queue._turned_up", lambda self, tag: ()),
    "records_are_not_read": ("gibbs_circuits.experiments.store.Folder.jobs", lambda self: {}),
}


@pytest.mark.parametrize("case", BROKEN)
def test_resume__is_found_out__control_that_forgets(
    case: str, request_: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*BROKEN[case])
    assert any("run 2 times" in found for found in swept(request_, tmp_path, monkeypatch, 0, 1))


def test_complaints__see_what_is_wrong__run_that_was_tampered_with(desk: Desk) -> None:
    desk.run()
    (desk.out / "data" / "realisation-0003.npz").unlink()
    (desk.out / "data" / "realisation-0001.npz").replace(desk.out / "data" / "realisation-0002.npz")
    record = desk.records()[-1]
    (desk.out / "data" / f"job-{record['tag']}.json").write_text(json.dumps({**record, "status": "submitted"}))
    found = " ".join(complaints(desk.out, desk.service))
    for said in ("3 lost", "2 is not what", "left submitted", "from 0 jobs"):
        assert said in found


# Failures.


@pytest.mark.parametrize("also", [False, True])
def test_run__saves_the_others_and_says_why__failed_job(also: bool, desk: Desk) -> None:
    # Numbers of submissions: 0 is the check with realisation 0, 1 has realisations 1 and 2, 3 has 5.
    desk.misbehave(failing=((1, BLUNT), (3, "fault 9"))[: 1 + also])
    code, lines = desk.run()
    bad = [e for e in desk.service.events("accepted") if e["fails"]]
    assert (code, len(lines)) == (3, 1), lines
    assert all(e["fails"] in lines[0] and e["id"] in lines[0] for e in bad)
    gone = {k for e in bad for k in realisations_of(e["tag"])}
    assert set(blocks_of(desk.out)) == set(range(CHECK, REALISATIONS)) - gone
    assert not (desk.out / "result.json").exists()
    before = len(desk.service.events("asked"))
    desk.misbehave()
    assert desk.run("--resume")[0] in (0, 1)
    again = [k for e in desk.service.events("asked")[before:] for k in realisations_of(e["tag"])]
    assert sorted(again) == sorted(gone)
    assert complaints(desk.out, desk.service) == []
    failed = [r for r in desk.records() if r["status"] == "failed"]
    assert [(r["message"], r["qpu_seconds"]) for r in failed] == [(e["fails"], 1.5) for e in bad]


def test_run__says_so_and_resumes__service_out_of_reach(desk: Desk) -> None:
    calls = 0

    def cut(point: str) -> None:
        nonlocal calls
        calls += 1
        if calls > 12:
            dropped("Network is unreachable")

    desk.service.hook = cut
    code, lines = desk.run()
    assert (code, len(lines)) == (3, 1)
    assert "has not answered for 0.3 s" in lines[0]
    assert "--resume" in lines[0]
    desk.service.hook = lambda point: None
    assert desk.run("--resume")[0] in (0, 1)
    assert complaints(desk.out, desk.service) == []


def refusing(desk: Desk, after: int, error: Exception) -> None:
    """Submissions that the service turns down, after some that it takes."""
    accept = desk.service.submitted

    def submitted(circuits: Any, shots: int, tag: str) -> Any:
        if len(desk.service.events("accepted")) >= after:
            raise error
        return accept(circuits, shots, tag)

    desk.patch.setattr(desk.service, "submitted", submitted)


@pytest.mark.parametrize("after", [0, 2])
def test_run__fetches_what_was_submitted__service_refuses_the_next(after: int, desk: Desk) -> None:
    with desk.patch.context() as patch:
        refusing(replace(desk, patch=patch), after, IBMInputValueError("The instruction h on qubits (0,)\nis not ISA."))
        code, lines = desk.run()
    assert (code, len(lines)) == (3, 1)
    assert "refused the input: The instruction h on qubits (0,) is not ISA." in lines[0]
    assert lines[0].count("Fix:") == 1
    assert len(blocks_of(desk.out)) == 2 * after
    assert desk.run("--resume")[0] in (0, 1)
    assert complaints(desk.out, desk.service) == []


def test_run__asks_for_another_token__refused_in_the_middle(desk: Desk) -> None:
    with desk.patch.context() as patch:
        refusing(replace(desk, patch=patch), 1, IBMNotAuthorizedError("401 Client Error: expired"))
        code, lines = desk.run()
    assert (code, len(lines)) == (2, 1)
    assert "save a valid token" in lines[0]
    assert desk.run("--resume")[0] in (0, 1)
    assert complaints(desk.out, desk.service) == []


def test_run__keeps_job_ids__interrupted_while_waiting(desk: Desk) -> None:
    desk.misbehave(delay=(0.2, 0.2))
    looks = 0

    def interrupt(point: str) -> None:
        nonlocal looks
        looks += point == "before status"
        if looks == 3:
            os.kill(os.getpid(), signal.SIGINT)

    desk.service.hook = interrupt
    code, lines = desk.run()
    assert (code, len(lines)) == (130, 1)
    assert "jobs that were submitted go on" in lines[0]
    assert "--resume" in lines[0]
    known = {r["job"] for r in desk.records()}
    assert known == {e["id"] for e in desk.service.events("accepted")}
    assert known
    assert desk.service.events("cancelled") == []
    desk.service.hook = lambda point: None
    assert desk.run("--resume")[0] in (0, 1)
    assert known <= {e["id"] for e in desk.service.events("fetched")}
    assert complaints(desk.out, desk.service) == []


class Batch:
    """The client's batch, which counts how often it is opened and closed."""

    opened = closed = 0

    def __init__(self, backend: BackendV2):
        type(self).opened += 1

    def close(self) -> None:
        type(self).closed += 1
        dropped("Connection reset")  # whatever becomes of it, the run is what it is


@pytest.mark.parametrize("end", ["home", "failed", "interrupted"])
def test_run__closes_its_batch__whatever_happens(end: str, desk: Desk) -> None:
    written(desk.folder, TARGET.replace('"job"', '"batch"'))
    used = type("Used", (Batch,), {})
    desk.patch.setattr("qiskit_ibm_runtime.Batch", used)
    if end == "failed":
        desk.misbehave(failing=((0, BLUNT),))
    if end == "interrupted":
        desk.service.hook = lambda point: os.kill(os.getpid(), signal.SIGINT) if "status" in point else None
    code, lines = desk.run()
    assert (code in (0, 1)) if end == "home" else (code == {"failed": 3, "interrupted": 130}[end]), lines
    assert (used.opened, used.closed) == (1, 1)


def test_resume__stays_on_the_device_it_began_on__least_busy(desk: Desk) -> None:
    written(desk.folder, TARGET.replace(f'"{NAME}"', '"least_busy"'))
    desk.misbehave(failing=((1, BLUNT),))
    assert desk.run()[0] == 3
    other = GenericBackendV2(7, seed=5)
    other.name = "ibm_other"
    desk.patch.setattr(desk.service, "least_busy", lambda **criteria: other)
    assert desk.run("--resume")[0] in (0, 1)
    assert complaints(desk.out, desk.service) == []


def test_least_busy__has_fractional_gates__asked_for(desk: Desk) -> None:
    asked = {}

    def least_busy(**criteria: Any) -> BackendV2:
        asked.update(criteria)
        return device()

    desk.patch.setattr(desk.service, "least_busy", least_busy)
    written(desk.folder, TARGET.replace(f'"{NAME}"', '"least_busy"') + "fractional = true\n")
    desk.refused(2, "must be false on a device without fractional gates")
    assert asked["use_fractional_gates"] is True
    assert asked["min_num_qubits"] == 2


# What is refused before anything is written.


def without_resets() -> BackendV2:
    """The stand-in's device, which cannot reset."""
    backend = GenericBackendV2(5, basis_gates=["cz", "rz", "sx", "x"], seed=1)
    kept = Target(num_qubits=5, qubit_properties=backend.target.qubit_properties)
    for name in backend.target.operation_names:
        if name != "reset":
            kept.add_instruction(backend.target.operation_from_name(name), dict(backend.target[name]), name=name)
    backend._target, backend.name = kept, NAME
    return backend


Spoil = Callable[[Desk], object]
LARGE = EXPERIMENT.replace("sites = 1", "sites = 3")
REFUSED: dict[str, tuple[int, str, Spoil]] = {
    "device_retired": (
        2, "device must be one that your account reaches, but 'ibm_gone' is not",
        lambda desk: written(desk.folder, TARGET.replace(NAME, "ibm_gone")),
    ),
    "too_many_qubits": (
        2, "must have 6 qubits (3 system + 3 ancilla), but target `stand_in` has 5",
        lambda desk: written(desk.folder, TARGET, LARGE),
    ),
    "none_large_enough": (
        2, "but none of them is online and large enough",
        lambda desk: written(desk.folder, TARGET.replace(f'"{NAME}"', '"least_busy"'), LARGE),
    ),
    "no_reset": (
        2, "must reset ancillas in mid-circuit, but target `stand_in` cannot",
        lambda desk: (
            desk.patch.setattr(desk.service, "device", without_resets()),
            written(desk.folder, TARGET, EXPERIMENT + 'ancilla_policy = "reset"\n'),
        ),
    ),
    "too_expensive": (
        2, "but target `stand_in` allows 1",
        lambda desk: written(desk.folder, TARGET + "max_qpu_seconds = 1.0\n"),
    ),
    "no_fractional_gates": (
        2, "fractional must be false on a device without fractional gates",
        lambda desk: written(desk.folder, TARGET + "fractional = true\n"),
    ),
    "unknown_snapshot": (
        2, "backend must be one of the client's snapshots, but 'fake_nowhere' is none of its",
        lambda desk: written(desk.folder, TARGET.replace(NAME, "fake_nowhere")),
    ),
    "no_client": (
        2, "must have the IBM client, but it is not installed. Fix: pip install",
        lambda desk: desk.patch.setitem(sys.modules, "qiskit_ibm_runtime", None),
    ),
    "no_client_for_a_snapshot": (
        2, "for the snapshot `fake_lima_v2`, but it is not installed",
        lambda desk: (
            snapshot_backend.cache_clear(),
            desk.patch.setitem(sys.modules, "qiskit_ibm_runtime", None),
            written(desk.folder, TARGET.replace(NAME, "fake_lima_v2")),
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_run__is_refused_in_one_line__nothing_written(case: str, desk: Desk) -> None:
    code, says, spoil = REFUSED[case]
    spoil(desk)
    desk.refused(code, says)
    assert desk.service.events() == []


@pytest.mark.slow
def test_run__is_refused_in_one_line__snapshot_without_resets(desk: Desk) -> None:
    written(desk.folder, TARGET.replace(NAME, "fake_miami"), EXPERIMENT + 'ancilla_policy = "reset"\n')
    desk.refused(2, "must reset ancillas in mid-circuit")


@pytest.mark.parametrize("primitive", [StatevectorSampler(), StatevectorEstimator()])
def test_run__refuses_statevector_primitives__circuits_with_resets(primitive: Any) -> None:
    program = gc.compile(
        gc.dll(gc.models.tfim(1), beta=1.0), sweeps=1, strength=0.6, spacing=0.5, nodes=4, random_delays=False
    )
    with pytest.raises(ArgumentError, match="follows one random branch of every reset") as caught:
        gc.run(program, backend=primitive, shots=8, realisations=2)
    assert "\n" not in str(caught.value)


def test_check_isa__names_the_instruction__gate_that_the_device_lacks() -> None:
    qc, hardware = QuantumCircuit(5), device().target
    qc.cz(0, 1)
    qc.reset(0)
    check_isa(qc, hardware, NAME)
    bad = qc.copy()
    bad.h(3)
    with pytest.raises(BackendError, match=r"has h on qubits \(3,\)"):
        check_isa(bad, hardware, NAME)
    far = qc.copy()
    far.cz(0, 2)
    with pytest.raises(BackendError, match=r"has cz on qubits \(0, 2\)"):
        check_isa(far, hardware, NAME)


# The real client: its accounts, its network.


@dataclass
class Account:
    """Where the real client finds an account, and what answers it."""

    desk: Desk
    file: Path

    def save(self, **keys: Any) -> None:
        account = {"channel": "ibm_quantum_platform", "token": SECRET, "url": "http://localhost", **keys}
        self.file.write_text(json.dumps({"default": account}))


@pytest.fixture
def account(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Account:
    """The real client, whose accounts are in a file of the test's own."""
    monkeypatch.undo()  # the stand-in, too: what follows is the client itself
    monkeypatch.chdir(desk.folder)
    written(desk.folder)
    file = desk.folder / "accounts.json"
    monkeypatch.setattr(management, "_DEFAULT_ACCOUNT_CONFIG_JSON_FILE", str(file))
    for name in [name for name in os.environ if name.startswith("QISKIT_IBM")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("IAM_URL", "http://127.0.0.1:9")  # nothing listens there
    return Account(desk, file)


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers every request with the status that its path names, or 400."""

    def do_GET(self) -> None:
        status = int(self.path.strip("/")) if self.path.strip("/").isdigit() else 400
        body = b'{"errorCode": "BXNIM0415E", "errorMessage": "Provided API key could not be found."}'
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A service on this machine that is there and says no."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as found:
        thread = threading.Thread(target=found.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()
        thread.join()


def test_account__is_asked_for__none_saved(account: Account) -> None:
    account.desk.refused(2, "must have a saved account, but the IBM client finds none. Fix: run QiskitRuntimeService")


@pytest.mark.parametrize(
    "text", ["{0}", '{{"default": "{0}"', '["{0}"]', '"{0}"', "null", '{{"default-ibm-quantum": []}}']
)
def test_account__is_said_to_be_damaged__no_table_of_accounts(text: str, account: Account) -> None:
    account.file.write_text(text.format(SECRET))
    account.desk.refused(2, "qiskit-ibm.json is damaged")


def test_account__is_refused_without_its_token__token_of_a_wrong_type(account: Account) -> None:
    account.save(token=[SECRET])
    account.desk.refused(2, "Invalid `token` value")


def test_account__is_refused__wrong_token_and_a_service_that_answers(
    account: Account, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.save()
    monkeypatch.setenv("IAM_URL", server)
    account.desk.refused(2, "must have an account that the service accepts")


def test_account__is_not_blamed__no_network(account: Account) -> None:
    account.save()
    account.desk.refused(3, "no network, or the service cannot be reached")


def test_account__is_not_blamed__service_in_trouble(
    account: Account, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.save()
    monkeypatch.setattr(Answers, "do_POST", lambda self: setattr(self, "path", "/502") or self.do_GET())
    monkeypatch.setenv("IAM_URL", server)
    account.desk.refused(3, "no network, or the service cannot be reached")


@pytest.mark.parametrize(
    ("status", "retried"), [(400, False), (401, False), (403, False), (404, False), (409, False), (429, True),
                            (500, True), (503, True)],
)  # fmt: skip
def test_unreachable__tells_answers_from_silence__statuses_of_the_real_client(
    status: int, retried: bool, server: str
) -> None:
    with RetrySession(server, retries_total=0) as session:
        with pytest.raises(Exception, match=str(status)) as caught:
            session.get(f"/{status}")
        assert unreachable(caught.value) is retried


def test_unreachable__tells_answers_from_silence__nothing_listens() -> None:
    with RetrySession("http://127.0.0.1:9", retries_total=0, retries_connect=0) as session:
        with pytest.raises(Exception, match="refused") as caught:
            session.get("/")
        assert unreachable(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("saved", [False, True])
def test_account__is_one_line__whole_command_with_a_home_of_its_own(saved: bool, tmp_path: Path) -> None:
    file = written(tmp_path)
    if saved:
        (tmp_path / ".qiskit").mkdir()
        account = {"channel": "ibm_quantum_platform", "token": SECRET, "url": "http://localhost"}
        (tmp_path / ".qiskit" / "qiskit-ibm.json").write_text(json.dumps({"default": account}))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("QISKIT_IBM")}
    done = subprocess.run(
        [sys.executable, "-c", "from gibbs_circuits.cli.options import main; main()", "run", str(file), "--out", "out"],
        cwd=tmp_path, env={**clean, "HOME": str(tmp_path), "IAM_URL": "http://127.0.0.1:9"}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == (3 if saved else 2)
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert not (tmp_path / "out").exists()


def test_run__never_shows_a_token__in_the_environment(desk: Desk) -> None:
    desk.patch.setenv("QISKIT_IBM_TOKEN", SECRET)
    code, lines = desk.run()
    assert code in (0, 1)
    assert lines == []
    for path in desk.out.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes()


# One call of the client at a time.


IBM = load_target("ibm")


@pytest.mark.parametrize(
    ("fails", "raised", "says"),
    [
        (partial(dropped, "Read timed out."), OutOfReach, "Read timed out"),
        (partial(answered, 503, "busy"), OutOfReach, "503"),
        (partial(answered, 400, "bad shots"), BackendError, "bad shots"),
        (partial(answered, 404, "no such thing"), BackendError, "no such thing"),
    ],
)
def test_failures__say_who_is_to_blame__as_the_client_wraps_them(
    fails: Callable[[], None], raised: type[Exception], says: str
) -> None:
    assert isinstance(IBM, IbmTarget)
    with pytest.raises(raised, match=says) as caught, failures(IBM.device):
        fails()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (InvalidAccountError("no"), ArgumentError),
        (IBMNotAuthorizedError("no"), ArgumentError),
        (RuntimeJobFailureError("no result"), BackendError),
        (ValueError("of the client's own"), BackendError),
        (ArgumentError("shots", "be right", "it is wrong", "mend it"), ArgumentError),
    ],
)
def test_failures__become_ours__whatever_is_raised(error: Exception, raised: type[Exception]) -> None:
    assert isinstance(IBM, IbmTarget)
    with pytest.raises(raised), failures(IBM.device):
        raise error


def test_runtime__says_nothing_of_costs__service_does_not_know_them(tmp_path: Path) -> None:
    assert isinstance(IBM, IbmTarget)
    service = StandIn(tmp_path)
    service.append("accepted", id="a", tag="t", visible=0, done=0, ready=0, fails=None)
    client = Runtime(service, device(), IBM.options)
    assert client.look("a") == Progress(State.DONE, "DONE", 1.5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.stand_in.Job.usage", lambda self: 0)  # the client's word for "not yet"
        assert client.look("a") == Progress(State.DONE, "DONE", None)
        patch.setattr("tests.stand_in.Job.usage", lambda self: answered(404, "no metrics"))
        assert client.look("a") == Progress(State.DONE, "DONE", None)
    assert client.look("b").state is State.UNKNOWN


def test_sampler__fails_in_one_line__users_own_object_raises() -> None:
    class Moody(StatevectorSampler):
        def run(self, pubs: Any, *, shots: int | None = None) -> Any:
            raise RuntimeError("not\ntoday")

    program = gc.compile(
        gc.dll(gc.models.tfim(1), beta=1.0), sweeps=1, strength=0.6, spacing=0.5, nodes=4, random_delays=False
    )
    with pytest.raises(BackendError, match="The sampler failed: RuntimeError: not today"):
        gc.run(program, backend=Moody(), shots=8, realisations=2, ancilla_policy="fresh")
