"""Jobs that are paid for: written down before they are waited for, taken up again by id, none done twice."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Protocol, TypeVar

from qiskit import QuantumCircuit

from ...errors import ArgumentError, BackendError, GibbsError
from ..measurement.shots import Block, Shots
from .clients import Client, OutOfReach, Progress, State

T = TypeVar("T")
SLOWEST = 10.0  # seconds between two tries when a service does not answer
NAME = re.compile(r"(check|\d+)(?:-to-(\d+))?-(\d+)((?:-again)*)")  # of a job, behind the run's
MOST_PER_JOB = 1000  # as a target may ask for


@dataclass(frozen=True)
class JobRecord:
    """A job as it stands in the run's folder.

    Attributes:
        tag: Of the run, the realisations and the attempt; the service has it too, so that a job whose id was never
            seen can be found.
        realisations: What it brings.
        attempt: 0, and one more after every failure.
        job: The service's id; None while it is being submitted.
        status: submitting, submitted, done or failed.
        message: What the service said of a failure.
        qpu_seconds: What it cost, where the service says.
        written: When, UTC.
    """

    tag: str
    realisations: tuple[int, ...]
    attempt: int = 0
    job: str | None = None
    status: str = "submitting"
    message: str = ""
    qpu_seconds: float | None = None
    written: str = ""

    @property
    def open(self) -> bool:
        """Whether something may still come of it."""
        return self.status in ("submitting", "submitted")


class JobStore(Protocol):
    """Where jobs are written down."""

    @property
    def run_id(self) -> str:
        """A name that no other run has."""
        ...

    def jobs(self) -> Mapping[str, JobRecord]:
        """What is known of every job, by its tag."""
        ...

    def save_job(self, record: JobRecord) -> None:
        """Write one record, whole or not at all."""
        ...

    def save(self, block: Block) -> None:
        """Keep one block, whole or not at all."""
        ...


@dataclass(frozen=True, eq=False)
class Work:
    """What jobs are made of.

    Attributes:
        circuits: Of a realisation.
        block: The block that their shots make.
        shots: Per circuit of a job with these realisations.
        seed: Of such a job, for simulations.
        per_job, at_once: Realisations in a job; jobs that are submitted before the first has ended.
    """

    circuits: Callable[[int], Sequence[QuantumCircuit]]
    block: Callable[[int, Sequence[Shots]], Block]
    shots: Callable[[Sequence[int]], int]
    seed: Callable[[Sequence[int]], int]
    per_job: int
    at_once: int


def run_jobs(
    client: Client, store: JobStore, work: Work, missing: Sequence[int], done: Callable[[Block], None]
) -> None:
    """Bring the missing realisations home.

    Every job is written down before it is submitted and before it is waited for.

    A job that was submitted by an earlier process is taken up by its id, or found by its tag if the id was never seen.
    Blocks are saved as their job ends; neither a job that fails nor a submission that is refused keeps the others from
    being fetched.

    Raises:
        BackendError: If jobs failed, with what the service said, or if it cannot be reached; nothing is lost.
        ArgumentError: If the service refuses a submission for something that the user has to change.
    """
    queue = _Queue(client, store, work, done)
    try:
        _bring(queue, list(_records(queue, missing)))
    finally:  # a batch or session that stays open may be charged for; it ends by itself if this does not get through
        with suppress(OutOfReach, GibbsError):
            client.close()


def _bring(queue: _Queue, waiting: list[JobRecord]) -> None:
    failures, flying = list[JobRecord](), list[JobRecord]()
    refused: GibbsError | None = None
    while waiting or flying:
        try:
            while waiting and len(flying) < queue.work.at_once:
                flying.append(queue.submitted(waiting.pop(0)))
            record = flying[0] if len(flying) == 1 else queue.first_ended(flying)
            flying.remove(record)
            ended = queue.ended(record)
        except _Refused as refusal:  # the next would be refused too; what the service has is still fetched
            refused, waiting = refusal.error, [one for one in waiting if one.job is not None]
            continue
        if ended.status == "failed":
            failures.append(ended)
    said = "; ".join(f"job {one.job} (realisations {_span(one.realisations)}): {one.message}" for one in failures)
    if isinstance(refused, ArgumentError) and not failures:
        raise refused
    if refused is not None:
        before = f" Failed before: {said}." if failures else ""
        fix = "" if "Fix:" in str(refused) else " Fix: mend what it says."
        raise BackendError(f"{refused}{fix}{before} What was submitted is saved; --resume goes on from there.")
    if failures:
        raise BackendError(
            f"{len(failures)} job{'s' if len(failures) > 1 else ''} failed. The service said: {said}. "
            "Fix: all others are saved; run again with --resume, which submits only these."
        )


def _records(queue: _Queue, missing: Sequence[int]) -> Iterator[JobRecord]:
    """Open jobs of an earlier process first, then new ones for what no open job brings."""
    left, known, store = set(missing), queue.store.jobs(), queue.store
    for record in known.values():
        if record.open and left & set(record.realisations):
            left -= set(record.realisations)
            yield record
        elif record.open:
            queue.settle(record)  # its blocks were saved, the record was not
    for chunk in _chunks(sorted(left), queue.work.per_job):
        attempt = 1 + max((r.attempt for r in known.values() if set(r.realisations) & set(chunk)), default=-1)
        yield JobRecord(f"{store.run_id}-{_span(chunk)}-{attempt}", chunk, attempt)


def _chunks(rest: Sequence[int], per_job: int) -> Iterator[tuple[int, ...]]:
    """Realisations in a row, so that the name of a job says all that it brings."""
    chunk: tuple[int, ...] = ()
    for k in rest:
        if chunk and (k != chunk[-1] + 1 or len(chunk) == per_job):
            yield chunk
            chunk = ()
        chunk = (*chunk, k)
    if chunk:
        yield chunk


def named(run_id: str, tag: str) -> JobRecord | None:
    """The record of a job of which nothing but its name is left: whether the service has it is to be asked."""
    found = NAME.fullmatch(tag.removeprefix(f"{run_id}-"))
    if found is None or not tag.startswith(f"{run_id}-"):
        return None
    first = -1 if found[1] == "check" else int(found[1])
    last = first if found[2] is None else int(found[2])
    if not 0 <= last - first < MOST_PER_JOB:
        return None
    return JobRecord(tag, tuple(range(first, last + 1)), int(found[3]) + found[4].count("-again"))


def _span(realisations: Sequence[int]) -> str:
    first, last = ("check" if k < 0 else str(k) for k in (min(realisations), max(realisations)))
    return first if first == last else f"{first}-to-{last}"


class _Refused(Exception):
    """A submission that the service does not take, or that cannot be made."""

    def __init__(self, error: GibbsError):
        self.error = error
        super().__init__(str(error))


@dataclass(eq=False)
class _Queue:
    client: Client
    store: JobStore
    work: Work
    done: Callable[[Block], None]
    heard: float = field(default_factory=time.monotonic)
    repeated: set[tuple[int, ...]] = field(default_factory=set)  # submitted anew by this process, once each

    def submitted(self, record: JobRecord) -> JobRecord:
        """A job that the service has, under one id that is on disk."""
        if record.job is not None:
            return record
        if (record.tag in self.store.jobs()) and (known := self._turned_up(record.tag)):
            return self._write(replace(record, job=known[0], status="submitted"))
        record = self._write(record)
        circuits = [qc for k in record.realisations for qc in self.work.circuits(k)]
        seed = self.work.seed(record.realisations)
        while True:
            try:
                job = self.client.submit(circuits, self.work.shots(record.realisations), seed, record.tag)
                break
            except OutOfReach as error:  # the answer may be lost and the job there all the same
                if known := self._turned_up(record.tag):
                    job = known[0]
                    break
                self._pause(error)
            except GibbsError as error:  # the record stays open: if there is a job all the same, its tag finds it
                raise _Refused(error) from None
        self.heard = time.monotonic()
        return self._write(replace(record, job=job, status="submitted"))

    def settle(self, record: JobRecord) -> None:
        """A job whose blocks are there, written down as ended; one whose id is not known is asked for, once."""
        ended = replace(record, status="done")
        if record.job is None:
            with suppress(OutOfReach, GibbsError):
                for job in self.client.find(record.tag)[:1]:
                    seen = self.client.look(job)
                    failed = seen.state is State.FAILED  # another brought its blocks
                    ended = replace(ended, job=job, qpu_seconds=seen.qpu_seconds)
                    if failed:
                        ended = replace(ended, status="failed", message=seen.message)
        self._write(ended)

    def _turned_up(self, tag: str) -> Sequence[str]:
        """Jobs with a tag, looked for until a lost submission would have shown."""
        until = time.monotonic() + self.client.grace
        while True:
            known = self._asked(lambda: self.client.find(tag))
            if known or time.monotonic() >= until:
                return known
            time.sleep(min(self.client.interval, SLOWEST))

    def first_ended(self, flying: Sequence[JobRecord]) -> JobRecord:
        """The first of several jobs that is no longer waiting."""
        while True:
            for record in flying:
                if self._look(record).state is not State.WAITING:
                    return record
            time.sleep(self.client.interval)

    def ended(self, record: JobRecord) -> JobRecord:
        """A job at its end: its blocks saved, or what the service said."""
        while (seen := self._look(record)).state is State.WAITING:
            time.sleep(self.client.interval)
        if seen.state is State.UNKNOWN:
            message = seen.message or "the service does not know it any more"
            lost = self._write(replace(record, status="failed", message=message))
            if record.realisations in self.repeated:
                return lost
            self.repeated.add(record.realisations)
            again = JobRecord(f"{record.tag}-again", record.realisations, record.attempt + 1)
            return self.ended(self.submitted(again))
        if seen.state is State.FAILED:
            failed = replace(record, status="failed", message=seen.message, qpu_seconds=seen.qpu_seconds)
            failed = self._write(failed)
            self._cancel_twins(record)
            return failed
        shots = self._asked(lambda: self.client.fetch(str(record.job)))
        left = iter(shots)
        for realisation in record.realisations:
            count = len(self.work.circuits(realisation))
            self.done(self.work.block(realisation, list(islice(left, count))))
        self._cancel_twins(record)
        return self._write(replace(record, status="done", qpu_seconds=seen.qpu_seconds))

    def _cancel_twins(self, record: JobRecord) -> None:
        """A submission that was thought lost and was repeated costs nothing more than it has already."""
        for twin in self._asked(lambda: self.client.find(record.tag)):
            if twin != record.job:
                with suppress(BackendError):  # it may have ended meanwhile
                    self._asked(lambda twin=twin: self.client.cancel(twin))  # type: ignore[misc]

    def _look(self, record: JobRecord) -> Progress:
        """What has become of a job; one that is new may be unknown for a while."""
        until = time.monotonic() + self.client.grace
        while True:
            seen = self._asked(lambda: self.client.look(str(record.job)))
            if seen.state is not State.UNKNOWN or time.monotonic() >= until:
                return seen
            time.sleep(min(self.client.interval, SLOWEST))

    def _asked(self, call: Callable[[], T]) -> T:
        """An answer, however often one has to ask."""
        while True:
            try:
                answer = call()
            except OutOfReach as error:
                self._pause(error)
                continue
            self.heard = time.monotonic()
            return answer

    def _pause(self, error: OutOfReach) -> None:
        if time.monotonic() - self.heard > self.client.patience:
            raise BackendError(
                f"The service has not answered for {self.client.patience:g} s: {error}. "
                "Fix: job ids and finished realisations are saved; run again with --resume."
            ) from None
        time.sleep(min(self.client.interval, SLOWEST))

    def _write(self, record: JobRecord) -> JobRecord:
        written = replace(record, written=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
        self.store.save_job(written)
        return written
