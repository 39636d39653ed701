"""Jobs that a process which is gone has left behind."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from qiskit import QuantumCircuit

from gibbs_circuits.backends.measurement.shots import Block, Shots
from gibbs_circuits.backends.runs.store import Memory
from gibbs_circuits.backends.services.clients import Progress, State
from gibbs_circuits.backends.services.queue import JobRecord, Work, _chunks, _span, named, run_jobs
from gibbs_circuits.errors import BackendError

NOTHING = Shots(np.zeros((1, 1), dtype=bool), np.zeros((1, 0), dtype=bool))


@dataclass
class Forgetful:
    """A client whose jobs end with the process; `never` forgets even its own."""

    never: bool = False
    submitted: list[str] = field(default_factory=list)
    interval: float = 0.0
    patience: float = 0.0
    grace: float = 0.0

    def submit(self, circuits: Sequence[QuantumCircuit], shots: int, seed: int, tag: str) -> str:
        self.submitted.append(tag)
        return tag

    def find(self, tag: str) -> Sequence[str]:
        return ()

    def look(self, job: str) -> Progress:
        return Progress(State.UNKNOWN if self.never or job not in self.submitted else State.DONE)

    def fetch(self, job: str) -> list[Shots]:
        return [NOTHING]

    def cancel(self, job: str) -> None:
        raise AssertionError("nothing is to be cancelled")

    def close(self) -> None:
        pass


def left_behind(kills: int) -> Memory:
    """The records of a run that was killed so often while its only job went on."""
    store, record = Memory("run"), JobRecord("run-0-0", (0,), 0, "gone", "submitted")
    for _ in range(kills - 1):
        store.save_job(JobRecord(record.tag, (0,), record.attempt, record.job, "failed"))
        record = JobRecord(f"{record.tag}-again", (0,), record.attempt + 1, "gone too", "submitted")
    store.save_job(record)
    return store


def brought(client: Forgetful, store: Memory) -> list[int]:
    work = Work(
        lambda k: [QuantumCircuit(1)], lambda k, shots: Block(k, (), None, ()), lambda ks: 1, lambda ks: 0, 1, 1
    )
    found: list[int] = []
    run_jobs(client, store, work, [0], lambda block: found.append(block.realisation))
    return found


@pytest.mark.parametrize("kills", [1, 2, 3])
def test_run_jobs__jobs_of_dead_processes__are_run_anew_however_often(kills: int) -> None:
    client, store = Forgetful(), left_behind(kills)
    assert brought(client, store) == [0]
    assert len(client.submitted) == 1
    assert [r.status for r in store.jobs().values()].count("done") == 1


def test_run_jobs__service_that_forgets_everything__is_asked_once_more_and_no_more() -> None:
    client = Forgetful(never=True)
    with pytest.raises(BackendError, match=r"1 job failed.*Fix: .*--resume"):
        brought(client, left_behind(1))
    assert len(client.submitted) == 1


@pytest.mark.parametrize("per_job", [1, 3, 4])
@pytest.mark.parametrize("missing", [[-1, 0, 1, 2], [0, 2, 5], [-1, 3, 4, 5, 6, 7, 11], []])
def test_names__say_all_that_a_job_brings__any_set_of_realisations(missing: list[int], per_job: int) -> None:
    found = list(_chunks(missing, per_job))
    assert [k for chunk in found for k in chunk] == missing
    for chunk in found:
        assert len(chunk) <= per_job
        for again in (0, 2):
            tag = f"0f-{_span(chunk)}-3{'-again' * again}"
            assert named("0f", tag) == JobRecord(tag, chunk, 3 + again)


@pytest.mark.parametrize(
    "tag",
    ["", "0f-", "0f-1", "0f-a-0", "1f-0-0", "0f-2-to-1-0", "0f-0-to-9999999999-0", "0f-0-0-more"],
)
def test_named__name_of_no_job_of_this_run__is_none(tag: str) -> None:
    assert named("0f", tag) is None
